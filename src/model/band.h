/* band.h: inside the band model: its configuration, its networks as graphs, and the three parts that
 * share them: the row of the registry (band.c), the sampler (band_sample.c), the trainer (band_train.c). */
#pragma once
#include "codec.h"
#include "model.h"
#include "stepnet.h"

enum { BAND_MAX_GENRES = 64 };

struct band_trainer;
struct model {
    struct stepnet net;
    int n_genres;
    struct device *device;           /* borrowed */
    struct params *params;
    char **genres;
    double filler;                   /* preference for filler sets, in training */
    char name[64], hash[20];
    struct stepper *stepper;         /* one of the two */
    struct band_trainer *trainer;
};

/* The network's tables for that many genres; of the genre there is one more, for "any". Sizes are the caller's. */
struct stepnet band_net(int n_genres);
struct model *band_model_new(struct device *d, const struct stepnet *net, int n_genres);
void band_model_free(struct model *m);
NODISCARD enum err band_net_from(const struct opts *o, int n_genres, struct stepnet *out);

/* Takes beside each other, and steps of the longest, when a model plays. */
enum { BAND_ROWS = 8, BAND_STEPS = 640 };
NODISCARD enum err band_run(struct model *m, const struct request *rq, const struct progress *p);

/* band_train.c */
NODISCARD enum err band_train_open(struct device *d, const struct opts *o, const struct dataset *data,
                                   const struct ckpt *resume, struct model **out);
NODISCARD enum err band_train_step(struct model *m, long step, double losses[4]);
NODISCARD enum err band_train_eval(struct model *m, double losses[4]);
void band_train_horizon(struct model *m, long total);
long band_train_samples(const struct model *m);
NODISCARD enum err band_train_save(struct model *m, const char *path, bool for_shipping,
                                   const char *const *meta, size_t n_meta);
void band_trainer_free(struct band_trainer *t);
