/* band_draw.h: the sampler's engine: several takes at once as rows of the decoding plans. A row's answer
 * depends on its own steps and its own random numbers only, never on what the other rows do. */
#pragma once
#include "band_row.h"
#include "draw.h"
#include "model.h"

enum { SAMPLER_ROWS = 8, SAMPLER_STEPS = 640 };
struct draw_row { struct row row; struct rng rng; };

struct sampler;
/* Whom a run talks to; cancel may be NULL. on_step hears the longest row's position, on_done each row that has
 * just been finished. */
struct draw_watch {
    const atomic_bool *cancel;
    void (*on_step)(void *ctx, int position);
    void (*on_done)(void *ctx, int row);
    void *ctx;
};
/* Run the rows (begun by row_begin) until all are done. */
NODISCARD enum err sampler_run(struct sampler *s, struct draw_row *rows, int n, const struct draw_opts *o,
                               const struct draw_watch *watch);
