/* band_draw.h: the sampler's engine: several takes at once as rows of the decoding plans. A row's answer
 * depends on its own steps and its own random numbers only, never on what the other rows do. */
#pragma once
#include "band_row.h"
#include "draw.h"
#include "model.h"

enum { SAMPLER_ROWS = 8, SAMPLER_STEPS = 640 };
struct draw_row { struct row row; struct rng rng; };

struct sampler;
/* Run the rows (begun by row_begin) until all are done. on_step hears the longest row's position. */
NODISCARD enum err sampler_run(struct sampler *s, struct draw_row *rows, int n, const struct draw_opts *o,
                               const atomic_bool *cancel, void (*on_step)(void *ctx, int position), void *ctx);
