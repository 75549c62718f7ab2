/* transfer_paint.c: what of a repainted picture is taken over at a strength. Changes are made by runs of cells, so
 * that a note comes, goes or moves whole. */
#include <math.h>
#include <stdlib.h>
#include "mem.h"
#include "rng.h"
#include "transfer.h"

/* Cells of one row from..to of the stretch that all come or all go. */
struct change { int row, from, to; float sure; uint64_t draw; };
struct changes { struct change *at; size_t n, cap; int n_cells; };

/* The surest first; of those the painter is equally sure of none goes before the others for its place. */
static int surest(const void *x, const void *y)
{
    const struct change *a = x, *b = y;
    if (a->sure != b->sure)
        return a->sure > b->sure ? -1 : 1;
    return a->draw < b->draw ? -1 : a->draw > b->draw;
}

/* 1 a cell that comes, -1 one that goes, 0 one that stays. */
static int change_of(const struct stretch *s, int step, int row, float p)
{
    int i = step * GRID_PITCHES + row;
    if (s->was[i])
        return p > 0.5f || s->held[i] ? 0 : -1;
    bool fits = row <= s->ceiling[step] && s->scale >> (row + GRID_LOW) % 12 & 1;
    return p > 0.5f && fits ? 1 : 0;
}

static void find_changes(const struct stretch *s, int step0, int n_steps, const float *prob, struct changes *out)
{
    for (int row = 0; row < GRID_PITCHES; row++)
        for (int c = 0, way = 0; c < n_steps; c++) {
            float p = prob[c * GRID_PITCHES + row];
            int now = change_of(s, step0 + c, row, p);
            bool goes_on = c > 0 && now == way && !(now < 0 && s->struck[(step0 + c) * GRID_PITCHES + row]);
            way = now;
            if (now == 0)
                continue;
            if (!goes_on) {
                out->at = xgrow(out->at, out->n, &out->cap, sizeof *out->at);
                out->at[out->n++] = (struct change){row, c, c, 0, rng_hash((uint64_t)c, (uint64_t)row)};
            }
            struct change *run = &out->at[out->n - 1];
            run->sure += fabsf(p - (now < 0));
            run->to = c + 1;
            out->n_cells++;
        }
    for (size_t i = 0; i < out->n; i++)
        out->at[i].sure /= (float)(out->at[i].to - out->at[i].from);
}

void stretch_paint(struct stretch *s, int step0, int n_steps, const float *prob, double strength)
{
    struct changes changes = {0};
    find_changes(s, step0, n_steps, prob, &changes);
    if (changes.n > 0)
        qsort(changes.at, changes.n, sizeof *changes.at, surest);
    int done = 0;
    for (size_t i = 0; i < changes.n && done < strength * changes.n_cells; i++) {
        const struct change *c = &changes.at[i];
        for (int step = c->from; step < c->to; step++)
            s->now[(step0 + step) * GRID_PITCHES + c->row] ^= 1;
        done += c->to - c->from;
    }
    free(changes.at);
}
