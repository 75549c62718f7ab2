/* stepper.h: decoding with a network over steps: its plans with the caches they need, for several sequences
 * side by side. The caller fills the feeds of a step, runs it, draws from the logits, and asks the later heads
 * in turn. All sequences run every time: a sequence's arithmetic is the same however many others are alive. */
#pragma once
#include "plan.h"
#include "stepnet.h"

struct ckpt;
struct stepper;
/* Declares the network's tensors in `p`, loads them from `weights` (random ones from seed 1 where it is NULL)
 * and makes it runnable. Parameters and device are borrowed. */
NODISCARD enum err stepper_new(struct device *d, const struct stepnet *c, struct params *p, const struct ckpt *weights,
                               int rows, int time, struct stepper **out);
void stepper_free(struct stepper *s);
const struct stepnet *stepper_net(const struct stepper *s);
/* What the next run reads, for every row: a step's indices (-1 = absent), its place in its sequence (at most the
 * number of steps fed so far), and the weights of the styles [rows,S]. */
int32_t *stepper_in(struct stepper *s, int input);
int32_t *stepper_position(struct stepper *s);
float *stepper_style(struct stepper *s);
/* Reads a step of every row; logits of the first head, [rows,V], until the next run. */
NODISCARD enum err stepper_run(struct stepper *s, const atomic_bool *cancel, const float **logits);
/* Head 1, 2, ... in order, told what the one before drew [rows] (-1 = nothing). */
NODISCARD enum err stepper_head(struct stepper *s, int head, const int32_t *drawn, const atomic_bool *cancel,
                                const float **logits);
