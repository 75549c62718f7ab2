/* optim.h: optimisers over the flat blocks of a parameter set, in place, on its device. */
#pragma once
#include "param.h"

enum optim_kind { OPTIM_SGD, OPTIM_ADAM, OPTIM_ADAMW, OPTIM_NADAM };
struct optim {
    enum optim_kind kind;
    double lr, beta1, beta2, eps, weight_decay;
    double clip;       /* largest gradient norm over the range, 0 = none */
    double most;       /* weights are held within +-most, 0 = free */
    bool tf_eps;       /* TF1 form: lr_t m / (sqrt(v) + eps), lr_t = lr sqrt(1-b2^t)/(1-b1^t) */
    long step;         /* updates done */
};
/* One update of the tensors whose names start with prefix. Weight decay only on tensors of rank >= 2 that
 * are not embeddings. Waits for nothing. */
void optim_step(struct optim *o, struct params *p, const char *prefix, struct device *d);
/* The norm of the gradients of those tensors. NaN when the device has failed. */
double optim_norm(const struct params *p, const char *prefix, struct device *d);
enum schedule_kind { SCHEDULE_CONST, SCHEDULE_LINEAR, SCHEDULE_COSINE };
/* Learning rate at update `step`: linear warm-up, then constant, linear or cosine to `floor` at `total`. */
double schedule_lr(enum schedule_kind k, double lr, double floor, long warmup, long total, long step);
/* `lr` for the first share `hold` of the updates, then in a straight line to nothing. */
double schedule_hold(double lr, double hold, long total, long step);
/* Moving average of the trained weights; early on the decay is (1 + t) / (10 + t) where that is less. */
struct ema;
NODISCARD enum err ema_new(struct params *p, struct device *d, double decay, struct ema **out);
void ema_free(struct ema *e);
void ema_update(struct ema *e, struct params *p, struct device *d);
void ema_swap(struct ema *e, struct params *p, struct device *d); /* exchange averaged and live weights */
float *ema_values(struct ema *e);                                 /* laid out as the trained block */
long ema_updates(const struct ema *e);
void ema_resume(struct ema *e, long n_updates);                   /* after its values were loaded */
