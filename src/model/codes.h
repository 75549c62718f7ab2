/* codes.h: inside the family that writes piano music in the codes of a VQ-VAE: a causal transformer reads a place of a
 * quarter after the other (vqvae.h: 16 places, lowest region of the keyboard first) and draws the place's codes; the
 * decoder paints the quarters. Music is moved to C major or A minor on its way in and back on its way out.
 *
 * A weight file holds the VQ-VAE too, under its "vq." names. The parts that share this header are the row of the
 * registry (codes.c), the sampler (codes_sample.c), the trainer (codes_train.c) and the evaluation (codes_eval.c). */
#pragma once
#include "model.h"
#include "piano_code.h"
#include "piano_style.h"
#include "stepnet.h"
#include "vqvae.h"

/* Which place comes, where its quarter lies, the key; then the codes of the place before, as many as there are stages.
 * In front of a piece stands a code that is not in the book. */
enum codes_in { CIN_SLOT, CIN_PHASE, CIN_METRE, CIN_BAR, CIN_LEFT, CIN_KEY, CIN_CODE, N_CODES_IN = CIN_CODE + VQVAE_STAGES };
enum { CODES_MAX = 8192 };             /* of a book */

struct codes_sampler;
struct codes_trainer;
struct model {
    struct stepnet net;                /* heads: the stages of a place, one after the other */
    int context;                       /* quarters of the longest sequence */
    struct device *device;             /* borrowed */
    struct params *params;
    struct vqvae *vqvae;
    struct styles styles;
    char name[64], hash[20];
    struct codes_sampler *sampler;     /* one of the two */
    struct codes_trainer *trainer;
};
/* The network of Bachsformer for comparison: a language model over 16 codes, twelve quarters of 16 long. */
extern const struct stepnet codes_original;
NODISCARD enum err codes_net_from(const struct opts *o, const struct vqvae_config *c, int n_styles, struct stepnet *out);
/* The VQ-VAE moves in. */
struct model *codes_model_new(struct device *d, const struct stepnet *net, int context, struct vqvae *vqvae);
void codes_model_free(struct model *m);
/* What the network reads before it draws place `slot` of a quarter. `before`: the codes of the place before, NULL at
 * the beginning of a window; `begins`: the piece begins here. */
void codes_step(const struct stepnet *c, const struct piano_frame *f, int key, int slot, const int32_t *before, bool begins,
                int32_t in[N_CODES_IN]);
/* The n quarters of a work from `begin` on, moved up by `shift`; out [n][VQVAE_SLOTS][stages]. */
NODISCARD enum err codes_of_work(struct vqvae *v, const struct work *w, int begin, int n, int shift, int32_t *out);

/* codes_sample.c */
NODISCARD enum err codes_sampler_new(struct model *m, const struct ckpt *weights, struct codes_sampler **out);
void codes_sampler_free(struct codes_sampler *s);
NODISCARD enum err codes_run(struct model *m, const struct request *rq, const struct progress *p);

/* codes_eval.c */
NODISCARD enum err codes_evaluate(struct model *m, const struct dataset *d, const struct measure_opts *o,
                                  struct measures *out);

/* codes_train.c */
NODISCARD enum err codes_train_open(struct device *d, const struct opts *o, const struct dataset *data,
                                    const struct ckpt *resume, struct model **out);
NODISCARD enum err codes_train_step(struct model *m, long step, double losses[4]);
NODISCARD enum err codes_train_eval(struct model *m, double losses[4]);
void codes_train_horizon(struct model *m, long total);
long codes_train_samples(const struct model *m);
NODISCARD enum err codes_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta,
                                    size_t n_meta);
void codes_trainer_free(struct codes_trainer *t);
