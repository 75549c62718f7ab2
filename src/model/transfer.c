/* transfer.c: genre transfer as takes: pictures to the painter and back, as often as takes are asked for. */
#include "transfer.h"
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "song.h"
#include "str.h"

enum { BATCH = 8, HEARINGS = 12 };

/* A phrase of a stretch: the last of one may be short, and the first of a take that begins elsewhere. */
struct window { struct stretch *s; int step0, n_steps; };
struct windows { struct window *at; size_t n, cap; };

struct run {
    const struct painter *p;
    const struct request *rq;
    const struct progress *progress;
    struct picture *picture;
    struct windows windows;
    uint8_t *grids;             /* [BATCH][GRID_CELLS] */
    float *prob;                /* likewise */
    long n_done, n_all;
};

static void cut(const struct picture *p, int first_bars, struct windows *out)
{
    out->n = 0;
    for (size_t i = 0; i < p->n; i++)
        for (int c = 0, n; c < p->at[i].n_steps; c += n) {
            n = c == 0 && first_bars > 0 ? first_bars * GRID_BAR : GRID_STEPS;
            n = n > p->at[i].n_steps - c ? p->at[i].n_steps - c : n;
            out->at = xgrow(out->at, out->n, &out->cap, sizeof *out->at);
            out->at[out->n++] = (struct window){&p->at[i], c, n};
        }
}

/* The window's cells some semitones up, with silence where there is no music. */
static void to_grid(const struct window *w, int up, uint8_t *grid)
{
    memset(grid, 0, GRID_CELLS);
    for (int c = 0; c < w->n_steps; c++)
        for (int row = 0; row < GRID_PITCHES; row++)
            if (row + up >= 0 && row + up < GRID_PITCHES)
                grid[c * GRID_PITCHES + row + up] = w->s->was[(w->step0 + c) * GRID_PITCHES + row];
}

/* Down again; what was beyond the grid stays as it was. */
static void from_grid(const struct window *w, int up, float *prob)
{
    float down[GRID_CELLS];
    for (int c = 0; c < w->n_steps; c++)
        for (int row = 0; row < GRID_PITCHES; row++) {
            bool there = row + up >= 0 && row + up < GRID_PITCHES;
            down[c * GRID_PITCHES + row] = there ? prob[c * GRID_PITCHES + row + up]
                                                 : w->s->was[(w->step0 + c) * GRID_PITCHES + row];
        }
    memcpy(prob, down, (size_t)w->n_steps * GRID_PITCHES * sizeof *prob);
}

static enum err paint(struct run *r, int n, int from)
{
    const atomic_bool *cancel = r->progress->cancel;
    if (cancel && atomic_load(cancel))
        return err_set(ERR_CANCELLED, "cancelled");
    TRY(r->p->paint(r->p->ctx, r->grids, n, from, r->prob, cancel));
    r->n_done += n;
    if (r->progress->on_step)
        r->progress->on_step(r->progress->ctx, (double)r->n_done / (double)r->n_all);
    return ERR_OK;
}

/* There, or there and back. */
static enum err paint_windows(struct run *r, const struct window *w, int n, int up)
{
    int from = !r->rq->genre;
    for (int i = 0; i < n; i++)
        to_grid(&w[i], up, r->grids + (size_t)i * GRID_CELLS);
    TRY(paint(r, n, from));
    if (r->rq->and_back) {
        for (size_t i = 0; i < (size_t)n * GRID_CELLS; i++)
            r->grids[i] = r->prob[i] > 0.5f;
        TRY(paint(r, n, !from));
    }
    for (int i = 0; i < n; i++) {
        float *prob = r->prob + (size_t)i * GRID_CELLS;
        from_grid(&w[i], up, prob);
        stretch_paint(w[i].s, w[i].step0, w[i].n_steps, prob, r->rq->strength);
    }
    return ERR_OK;
}

static bool has_pitched(const struct song *s, const struct request *rq)
{
    size_t n = 0;
    for (size_t k = 0; k < s->n_tracks; k++)
        n += transfer_hears(rq, &s->tracks[k]) ? s->tracks[k].n : 0;
    return n > 0;
}

static void finish(const struct run *r, int index, int up, int shift)
{
    struct take take = {.song = picture_song(r->picture, r->rq), .seed = r->rq->seed + (uint64_t)index};
    str_copy(take.model, sizeof take.model, r->p->name);
    str_copy(take.hash, sizeof take.hash, r->p->hash);
    str_format(take.params, sizeof take.params, "genre=%s strength=%.2f%s%s heard=%+d,%d", r->p->genre[r->rq->genre],
               r->rq->strength, r->rq->lock_melody ? " melody=locked" : "", r->rq->and_back ? " and back" : "", up, shift);
    take.empty = !has_pitched(take.song, r->rq);
    if (r->progress->on_take)
        r->progress->on_take(r->progress->ctx, index, &take);
    else
        take_fini(&take);
}

static enum err one_take(struct run *r, int index)
{
    int number = (int)((r->rq->seed + (uint64_t)index) % (HEARINGS * GRID_BARS));
    int hearing = number % HEARINGS, shift = number / HEARINGS;
    int up = hearing % 2 ? (hearing + 1) / 2 : -hearing / 2; /* 0 1 -1 2 -2 ... */
    for (size_t i = 0; i < r->picture->n; i++)
        memcpy(r->picture->at[i].now, r->picture->at[i].was, (size_t)r->picture->at[i].n_steps * GRID_PITCHES);
    cut(r->picture, shift, &r->windows);
    for (size_t i = 0; i < r->windows.n; i += BATCH) {
        int n = r->windows.n - i < BATCH ? (int)(r->windows.n - i) : BATCH;
        TRY(paint_windows(r, r->windows.at + i, n, up));
    }
    finish(r, index, up, shift);
    return ERR_OK;
}

enum err transfer_run(const struct painter *p, const struct request *rq, const struct progress *progress)
{
    struct run r = {.p = p, .rq = rq, .progress = progress};
    enum err err = ERR_OK;
    if (rq->genre < 0 || rq->genre > 1)
        return err_set(ERR_RANGE, "to which genre? %s knows %s and %s", p->name, p->genre[0], p->genre[1]);
    TRY(picture_new(rq, &r.picture));
    r.grids = xcalloc(BATCH, GRID_CELLS);
    r.prob = xcalloc(BATCH * GRID_CELLS, sizeof *r.prob);
    for (int i = 0; i < rq->n_takes; i++) {
        cut(r.picture, (int)((rq->seed + (uint64_t)i) / HEARINGS % GRID_BARS), &r.windows);
        r.n_all += (long)r.windows.n * (1 + rq->and_back);
    }
    for (int i = 0; i < rq->n_takes && err == ERR_OK; i++)
        err = one_take(&r, i);
    free(r.prob);
    free(r.grids);
    free(r.windows.at);
    picture_free(r.picture);
    return err;
}

enum err transfer_grids(const struct song *s, int bar0, int n_bars, uint8_t **grids, int *n)
{
    struct request *rq = xcalloc(1, sizeof *rq); /* all of it open */
    struct picture *p = NULL;
    struct windows w = {0};
    *rq = (struct request){.song = s, .bar0 = bar0, .n_bars = n_bars};
    enum err err = picture_new(rq, &p);
    free(rq);
    if (err != ERR_OK)
        return err;
    cut(p, 0, &w);
    *grids = xcalloc(w.n, GRID_CELLS);
    *n = 0;
    for (size_t i = 0; i < w.n; i++) {
        to_grid(&w.at[i], 0, *grids + (size_t)*n * GRID_CELLS);
        *n += grid_sounding(*grids + (size_t)*n * GRID_CELLS) > 0;
    }
    free(w.at);
    picture_free(p);
    return ERR_OK;
}
