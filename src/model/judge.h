/* judge.h: tells the genre of four bars (grid.h): the classifier that says how far a transfer went. The genres are
 * those of its weight file. */
#pragma once
#include "ckpt.h"
#include "grid.h"
#include "layer.h"
#include "opt.h"

struct judge;
NODISCARD enum err judge_load(struct device *d, const struct ckpt *weights, struct judge **out);
NODISCARD enum err judge_load_file(struct device *d, const char *path, struct judge **out);
void judge_free(struct judge *j);
int judge_n_genres(const struct judge *j);
const char *judge_genre(const struct judge *j, int i);
int judge_find(const struct judge *j, const char *genre);          /* -1 when it does not know it */
/* Probabilities of each genre for n grids, [n][judge_n_genres]; normal noise of deviation sigma on the cells (of -1
 * and 1), which a good judge does not mind. */
NODISCARD enum err judge_run(struct judge *j, const uint8_t *grids, int n, double sigma, uint64_t seed, float *out);
/* Of two genres only: the probability of `a` when it is a or b, [n]. */
NODISCARD enum err judge_pair(struct judge *j, const uint8_t *grids, int n, int a, int b, float *out);

/* [N,1,GRID_STEPS,GRID_PITCHES,1] of -1 and 1 to logits [N,genres]; full size is width 64. */
struct node *judge_network(struct net *n, int width, int genres, struct node *cells);
