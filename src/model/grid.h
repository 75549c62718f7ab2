/* grid.h: four bars of music as genre transfer sees them: every pitched track merged into one picture of sixteenths
 * by pitches, a cell sounding or not. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "layer.h"
#include "rng.h"
struct phrase; struct dataset;

enum { GRID_BAR = 16, GRID_BARS = 4, GRID_STEPS = GRID_BAR * GRID_BARS };
enum { GRID_PITCHES = 84, GRID_LOW = 24, GRID_CELLS = GRID_STEPS * GRID_PITCHES };

/* cells [GRID_STEPS][GRID_PITCHES], 0 or 1; drums and pitches outside are left out. Returns how many cells sound. */
int grid_of_phrase(const struct phrase *p, uint8_t *cells);
int grid_sounding(const uint8_t *cells);
/* Share of the cells sounding in either that do not sound in both, 0..1; two silent grids are alike. */
double grid_difference(const uint8_t *a, const uint8_t *b);
void grid_of_probabilities(const float *p, uint8_t *cells);           /* more than a half sounds */

/* The phrases of one genre of a data set that sound, of its training or its held-out songs. */
struct grid_set { const struct dataset *data; uint32_t *phrase; size_t n; };
/* ERR_MISSING when the data does not have the genre. */
NODISCARD enum err grid_set_init(struct grid_set *s, const struct dataset *d, const char *genre, bool held_out);
void grid_set_fini(struct grid_set *s);
/* Any one of them, up to `shift` semitones higher or lower. */
void grid_set_draw(const struct grid_set *s, struct rng *r, int shift, uint8_t *cells);
/* Number i of n that lie evenly through the set. */
void grid_set_at(const struct grid_set *s, int i, int n, uint8_t *cells);

/* A network from grids to `width` numbers each, for any number of grids: its plans and their memory. */
struct grid_net;
typedef struct node *(*grid_build)(struct net *n, const void *ctx, struct node *cells);
/* Parameters and ctx are borrowed until the end; silence is -1 or 0 to the network, sound is 1. */
struct grid_net *grid_net_new(struct params *p, grid_build build, const void *ctx, float silence);
void grid_net_free(struct grid_net *g);
void grid_net_refresh(struct grid_net *g);         /* after the parameters have changed */
/* Numbers of n grids; with sigma, normal noise on their cells. cancel may be NULL. */
struct grid_noise { double sigma; uint64_t seed; };
NODISCARD enum err grid_net_run(struct grid_net *g, const uint8_t *grids, int n, const struct grid_noise *noise,
                                float *out, const atomic_bool *cancel);
