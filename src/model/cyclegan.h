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

enum { GENRE_NAME = 32 };
/* The critics' kernels: 7 x 7 as its authors' program has them, or 4 x 4 as the paper says. */
enum critic { CRITIC_CODE, CRITIC_PAPER, N_CRITICS };
/* Full size is width 64 and 10 residual blocks. */
struct cyclegan_config { int width, blocks; enum critic critic; };

/* ---- running ---- */

struct cyclegan;
NODISCARD enum err cyclegan_load(struct device *d, const struct ckpt *weights, struct cyclegan **out);
NODISCARD enum err cyclegan_random(struct device *d, const struct cyclegan_config *c, const char *a, const char *b,
                                   uint64_t seed, struct cyclegan **out);
/* Runs on parameters that are another's and outlive it; their present values count until cyclegan_refresh. */
struct cyclegan *cyclegan_on(const struct cyclegan_config *c, struct params *borrowed);
void cyclegan_refresh(struct cyclegan *c);
void cyclegan_free(struct cyclegan *c);
const char *cyclegan_genre(const struct cyclegan *c, int side);     /* side 0 is A, 1 is B */
/* n grids of the genre of side `from` as the other genre: probabilities that a cell sounds, [n][GRID_CELLS]; sounding
 * is more than a half. cancel may be NULL; polled between layers. */
NODISCARD enum err cyclegan_run(struct cyclegan *c, const uint8_t *grids, int n, int from, float *out,
                                const atomic_bool *cancel);
/* The generators and their configuration into a file of one's own. */
void cyclegan_save(const struct cyclegan *c, struct ckpt_writer *w);

/* ---- networks ---- */

/* Grids [N,1,GRID_STEPS,GRID_PITCHES,1] to probabilities of the same shape; tensors are named "prefix....": "g.ab"
 * makes B of A, "g.ba" A of B. */
struct node *cyclegan_generator(struct net *n, const char *prefix, const struct cyclegan_config *c, struct node *grids);
struct node *cyclegan_logits(struct net *n, const char *prefix, const struct cyclegan_config *c, struct node *grids);
/* Likewise to one opinion a patch, [N,1,16,21,1]: 1 is genuine, 0 is not. "d.a" and "d.b" know one genre, "d.am" and
 * "d.bm" tell what became of it from any genre. */
struct node *cyclegan_critic(struct net *n, const char *prefix, const struct cyclegan_config *c, struct node *grids);
