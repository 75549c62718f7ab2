/* cyclegan.h: genre transfer. Two generators repaint four bars (grid.h) of one genre as the other and back; what
 * went there and came back must be what it was. A weight file holds one pair of genres: its metadata "genres" is
 * "A,B". Trained on phrases (phrase.h) of both, which need not have anything to do with each other. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include "ckpt.h"
#include "grid.h"
#include "layer.h"
#include "opt.h"

/* ---- running ---- */

struct cyclegan;
NODISCARD enum err cyclegan_load(struct device *d, const struct ckpt *weights, struct cyclegan **out);
void cyclegan_free(struct cyclegan *c);
const char *cyclegan_genre(const struct cyclegan *c, int side);     /* side 0 is A, 1 is B */
/* n grids of the genre of side `from` as the other genre: probabilities that a cell sounds, [n][GRID_CELLS]; sounding
 * is more than a half. cancel may be NULL; polled between layers. */
NODISCARD enum err cyclegan_run(struct cyclegan *c, const uint8_t *grids, int n, int from, float *out,
                                const atomic_bool *cancel);
