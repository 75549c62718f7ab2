/* piano_data.c: pieces to batches; see piano_data.h. */
#include "piano_data.h"
#include <stdlib.h>
#include <string.h>
#include "mem.h"

enum { STREAM_WINDOWS = 0x7069616e };
static const float FROM_BEGIN = 0.15f;   /* share of windows that begin with their piece */

struct piano_data {
    struct shelf *shelf;
    const struct styles *styles;
    uint64_t seed;
    int rows, time;
};

enum err piano_data_new(const struct works *w, const struct styles *s, const struct shelf_opts *o, uint64_t seed, int rows,
                        int time, struct piano_data **out)
{
    struct shelf *shelf;
    TRY(shelf_new(w, s, o, &shelf));
    *out = xcalloc(1, sizeof **out);
    **out = (struct piano_data){ shelf, s, seed, rows, time };
    return ERR_OK;
}

void piano_data_free(struct piano_data *d)
{
    if (d)
        shelf_free(d->shelf);
    free(d);
}

bool piano_data_held_out(const struct piano_data *d)
{
    return shelf_held_out(d->shelf);
}

/* Steps from quarter q to the end of the piece. */
static int steps_from(const struct piano_piece *p, int q)
{
    return p->quarters - q + (int)(p->first[p->quarters] - p->first[q]);
}

/* Where a window begins: anywhere, but so that it is full where the piece has enough. */
static int draw_begin(const struct piano_piece *p, int time, struct rng *r)
{
    int lo = 0, hi = p->quarters - 1;
    while (lo < hi) { /* the last quarter from which a window is full */
        int mid = (lo + hi + 1) / 2;
        if (steps_from(p, mid) >= time - 1)
            lo = mid;
        else
            hi = mid - 1;
    }
    int q = (int)rng_below(r, (uint32_t)lo + 1);
    return rng_uniform(r) < FROM_BEGIN ? 0 : q;
}

void piano_data_fill(void *piano_data, enum step_split s, uint64_t index, struct step_batch *out)
{
    const struct piano_data *d = piano_data;
    int time = d->time;
    struct piano_step *steps = xcalloc((size_t)time, sizeof *steps);
    struct rng r;
    rng_init(&r, rng_hash(d->seed, index), STREAM_WINDOWS + (uint64_t)s);
    for (int row = 0; row < d->rows; row++) {
        const struct shelf_piece *p = shelf_draw(d->shelf, s, &r);
        int q = draw_begin(&p->piece, time, &r);
        struct key key = shelf_key(d->shelf, p, &r);
        int n = piano_steps(&p->piece, q, key_home(p->key), piano_mode(key), steps, time);
        shelf_style(d->shelf, p, &r, out->style + (size_t)row * (size_t)d->styles->n);
        out->length[row] = n;
        for (int t = 0; t < time; t++) {
            size_t at = (size_t)row * (size_t)time + (size_t)t;
            for (int i = 0; i < N_PIANO_IN; i++)
                out->in[i][at] = t < n ? steps[t].in[i] : -1;
            for (int h = 0; h < N_PIANO_OUT; h++)
                out->target[h][at] = t < n ? steps[t].out[h] : -1;
        }
    }
    free(steps);
}
