/* band_draw.h: the sampler's engine: several takes at once as rows of the decoding plans. A row's answer
 * depends on its own steps and its own random numbers only, never on what the other rows do. */
#pragma once
#include "band_row.h"
#include "model.h"
#include "rng.h"

enum { SAMPLER_ROWS = 8, SAMPLER_STEPS = 640 };
struct draw_opts { double temperature, top_p; };
struct draw_row { struct row row; struct rng rng; };

struct sampler;
/* Run the rows (begun by row_begin) until all are done. on_step hears the longest row's position. */
NODISCARD enum err sampler_run(struct sampler *s, struct draw_row *rows, int n, const struct draw_opts *o,
                               const atomic_bool *cancel, void (*on_step)(void *ctx, int position), void *ctx);
/* One draw from n logits: temperature, then the smallest set of likeliest entries that holds top_p of the
 * mass. At least one entry must be legal. Temperature 0 takes the likeliest. */
int draw_index(const float *logits, const bool *legal, int n, const struct draw_opts *o, struct rng *r);
