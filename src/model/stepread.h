/* stepread.h: what a network over steps foresees of music that is there: the training graph over one sequence, for
 * its losses. */
#pragma once
#include "stepnet.h"

struct stepread;
/* Of sequences of up to `time` steps; network and parameters (which have their values) are borrowed. */
NODISCARD enum err stepread_new(struct device *d, const struct stepnet *c, struct params *p, int time, struct stepread **out);
void stepread_free(struct stepread *r);
/* What the next run reads: indices and targets [time], -1 = none; weights of the styles [S]. */
int32_t *stepread_in(struct stepread *r, int input);
int32_t *stepread_target(struct stepread *r, int head);
float *stepread_style(struct stepread *r);
/* Nats of all predictions within the first n steps; what lies behind them does not count. */
NODISCARD enum err stepread_nats(struct stepread *r, int n, double *nats);
