/* steptrain.h: training a network over steps: its optimiser, its averaged weights, its plans for training and
 * for held-out data. What the batches hold is the family's. An update depends on the parameters, the seed and
 * its number only, so a resumed run equals an unbroken one. */
#pragma once
#include "optim.h"
#include "plan.h"
#include "stepnet.h"

struct ckpt; struct ckpt_writer; struct opt; struct opts;

enum step_split { STEP_TRAIN, STEP_HELD_OUT, N_STEP_SPLITS };
enum { STEP_SHAPES = 8 };
struct step_shape { int rows, time; };      /* sequences, steps of the longest */
/* Where a batch of that shape is written: index arrays [rows*time], style weights [rows,S], lengths [rows]. */
struct step_batch { int shape; int32_t *in[STEP_INPUTS], *target[STEP_HEADS], *length; float *style; };
struct step_source {
    void *ctx;
    struct step_shape shape[STEP_SHAPES];
    int n_shapes;
    /* Pure functions of (s, index): which shape a batch has (NULL = the first), and what it holds. */
    int (*pick)(void *ctx, enum step_split s, uint64_t index);
    void (*fill)(void *ctx, enum step_split s, uint64_t index, struct step_batch *out);
    double weight[STEP_HEADS];              /* of a head in the loss, times its share of the predictions */
    bool held_out;                          /* is there held-out data? */
};

/* Rows of a family's option table, and the values read from it. */
#define STEPTRAIN_OPTIONS(lr, dropout) \
    { "lr", 0, OPT_REAL, 0, 1, lr, NULL, "X", "highest learning rate" }, \
    { "lr-floor", 0, OPT_REAL, 0, 1, "0.02", NULL, "X", "learning rate at the end, as a share of the highest" }, \
    { "warmup", 0, OPT_INT, 1, 1000000, "200", NULL, "N", "updates until the highest learning rate" }, \
    { "beta2", 0, OPT_REAL, 0.5, 0.99999, "0.99", NULL, "X", "decay of AdamW's second moment" }, \
    { "weight-decay", 0, OPT_REAL, 0, 1, "0.05", NULL, "X", "weight decay of AdamW" }, \
    { "clip", 0, OPT_REAL, 0, 1000, "1", NULL, "X", "largest gradient norm, 0 = any" }, \
    { "ema", 0, OPT_REAL, 0, 0.99999, "0.999", NULL, "X", "decay of the averaged weights that ship" }, \
    { "dropout", 0, OPT_REAL, 0, 0.9, dropout, NULL, "X", "dropout while training" }, \
    { "seed", 0, OPT_INT, 0, 2147483647, "1", NULL, "N", "seed of the weights and of the order of the data" }

struct steptrain;
/* Declares the network in `p` and allocates it, random or as `resume` left it. All but opts is borrowed. */
NODISCARD enum err steptrain_new(struct device *d, const struct stepnet *c, struct params *p, struct step_source source,
                                 const struct opts *o, const struct ckpt *resume, struct steptrain **out);
void steptrain_free(struct steptrain *t);
void steptrain_horizon(struct steptrain *t, long total);   /* updates the run will have */
long steptrain_samples(const struct steptrain *t);         /* sequences seen */
/* Losses in nats a step: a head's mean times its share of predictions, so that heads add up. */
NODISCARD enum err steptrain_step(struct steptrain *t, long step, double losses[STEP_HEADS]);
NODISCARD enum err steptrain_eval(struct steptrain *t, double losses[STEP_HEADS]);
/* The averaged weights to ship, or everything a resumed run needs. */
void steptrain_add(struct steptrain *t, struct ckpt_writer *w, bool for_shipping);
