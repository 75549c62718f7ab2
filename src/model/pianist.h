/* pianist.h: inside the pianist: piano music in the styles of composers and eras, and of blends of them. Its
 * network reads steps of notes (piano_code.h) and is built by stepnet.c; the parts that share this header are
 * the row of the registry (pianist.c), the sampler (pianist_sample.c), the trainer (pianist_train.c) and the
 * evaluation (pianist_eval.c). */
#pragma once
#include "model.h"
#include "piano_code.h"
#include "piano_style.h"
#include "stepnet.h"

struct pianist_sampler;
struct pianist_trainer;
struct model {
    struct stepnet net;
    int context;                     /* steps of the longest sequence */
    struct device *device;           /* borrowed */
    struct params *params;
    struct styles styles;
    char name[64], hash[20];
    struct pianist_sampler *sampler; /* one of the two */
    struct pianist_trainer *trainer;
};
NODISCARD enum err pianist_net_from(const struct opts *o, int n_styles, struct stepnet *out);
struct model *pianist_model_new(struct device *d, const struct stepnet *net, int context);
void pianist_model_free(struct model *m);

/* pianist_sample.c */
NODISCARD enum err pianist_sampler_new(struct model *m, const struct ckpt *weights, struct pianist_sampler **out);
void pianist_sampler_free(struct pianist_sampler *s);
NODISCARD enum err pianist_run(struct model *m, const struct request *rq, const struct progress *p);

/* pianist_eval.c */
NODISCARD enum err pianist_evaluate(struct model *m, const struct dataset *d, const struct measure_opts *o,
                                    struct measures *out);

/* pianist_train.c */
NODISCARD enum err pianist_train_open(struct device *d, const struct opts *o, const struct dataset *data,
                                      const struct ckpt *resume, struct model **out);
NODISCARD enum err pianist_train_step(struct model *m, long step, double losses[4]);
NODISCARD enum err pianist_train_eval(struct model *m, double losses[4]);
void pianist_train_horizon(struct model *m, long total);
long pianist_train_samples(const struct model *m);
NODISCARD enum err pianist_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta,
                                      size_t n_meta);
void pianist_trainer_free(struct pianist_trainer *t);
