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

/* ---- networks ---- */

/* The critics' kernels: 7 x 7 as its authors' program has them, or 4 x 4 as the paper says. */
enum critic { CRITIC_CODE, CRITIC_PAPER, N_CRITICS };
/* Full size is width 64 and 10 residual blocks. */
struct cyclegan_config { int width, blocks; enum critic critic; };

/* Grids [N,1,GRID_STEPS,GRID_PITCHES,1] to probabilities of the same shape; tensors are named "prefix....". */
struct node *cyclegan_generator(struct net *n, const char *prefix, const struct cyclegan_config *c, struct node *grids);
/* Likewise to one opinion a patch, [N,1,16,21,1]: 1 is genuine, 0 is not. */
struct node *cyclegan_critic(struct net *n, const char *prefix, const struct cyclegan_config *c, struct node *grids);
