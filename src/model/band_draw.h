/* band_draw.h: several takes at once as rows of a stepper. A row's answer
 * depends on its own steps and its own random numbers only, never on what the other rows do. */
#pragma once
#include "band_row.h"
#include "draw.h"
#include "model.h"

struct draw_row { struct row row; struct rng rng; };

struct stepper;
/* Whom a run talks to; cancel may be NULL. on_step hears the longest row's position, on_done each row that has
 * just been finished. */
struct draw_watch {
    const atomic_bool *cancel;
    void (*on_step)(void *ctx, int position);
    void (*on_done)(void *ctx, int row);
    void *ctx;
};
/* Run the rows (begun by row_begin), at most BAND_ROWS, until all are done. */
NODISCARD enum err band_draw(struct stepper *s, struct draw_row *rows, int n, const struct draw_opts *o,
                             const struct draw_watch *watch);
