/* vqvae_model.h: the VQ-VAE as a family of its own: what its row (vqvae.c) and its trainer (vqvae_train.c) share. */
#pragma once
#include "model.h"
#include "vqvae.h"

struct vqvae_trainer;
struct model {
    struct vqvae *vqvae;              /* one of the two */
    struct vqvae_trainer *trainer;
};
NODISCARD enum err vqvae_train_open(struct device *d, const struct opts *o, const struct dataset *data,
                                    const struct ckpt *resume, struct model **out);
NODISCARD enum err vqvae_train_step(struct model *m, long step, double losses[4]);
NODISCARD enum err vqvae_train_eval(struct model *m, double losses[4]);
void vqvae_train_horizon(struct model *m, long total);
long vqvae_train_samples(const struct model *m);
NODISCARD enum err vqvae_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta,
                                    size_t n_meta);
void vqvae_trainer_free(struct vqvae_trainer *t);
