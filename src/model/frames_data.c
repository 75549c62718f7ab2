/* frames_data.c: pieces to windows; see frames_data.h. */
#include "frames_data.h"
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "piano_work.h"
#include "rng.h"

enum { STREAM_WINDOWS = 0x6672616d };
static const float FROM_BEGIN = 0.02f;   /* share of windows from which a piece begins */

/* A piece's frames from its first chord to its last; windows of one split are counted through all its pieces. */
struct piece { struct frame_line line; int first, last; };
struct pile { uint32_t *id; uint64_t *upto; size_t n; };

struct frames_data {
    const struct frame_vocab *vocab;
    uint64_t seed;
    struct piece *piece;
    size_t n;
    struct pile pile[N_STEP_SPLITS];
};

void frame_line_of_work(const struct frame_vocab *v, const struct work *k, struct frame_line *out)
{
    struct frame_grid g;
    frame_grid_of_work(&g, v->time, k);
    *out = (struct frame_line){ .n = g.n, .token = xcalloc((size_t)g.n + 1, sizeof *out->token), .phase = g.phase };
    frame_tokens(v, &g, k->notes, k->n, key_home(key_of_work(k)), out->token);
    g.phase = NULL;
    frame_grid_fini(&g);
}

void frame_line_fini(struct frame_line *l)
{
    free(l->token);
    free(l->phase);
}

static void add_piece(struct frames_data *d, const struct work *k)
{
    struct piece *p = &d->piece[d->n];
    struct pile *pile = &d->pile[k->held_out ? STEP_HELD_OUT : STEP_TRAIN];
    frame_line_of_work(d->vocab, k, &p->line);
    p->first = -1;
    for (int i = 0; i < p->line.n; i++)
        if (frame_is_chord(d->vocab, p->line.token[i])) {
            p->first = p->first < 0 ? i : p->first;
            p->last = i;
        }
    if (p->first >= 0) {
        pile->upto[pile->n] = (pile->n ? pile->upto[pile->n - 1] : 0) + (uint64_t)(p->last - p->first + 1);
        pile->id[pile->n++] = (uint32_t)d->n;
    }
    d->n++;
}

enum err frames_data_new(const struct works *w, const struct frame_vocab *v, uint64_t seed, struct frames_data **out)
{
    struct frames_data *d = xcalloc(1, sizeof *d);
    size_t n = works_n(w);
    d->vocab = v;
    d->seed = seed;
    d->piece = xcalloc(n + 1, sizeof *d->piece);
    for (int s = 0; s < N_STEP_SPLITS; s++) {
        d->pile[s].id = xcalloc(n + 1, sizeof *d->pile[s].id);
        d->pile[s].upto = xcalloc(n + 1, sizeof *d->pile[s].upto);
    }
    for (size_t i = 0; i < n; i++) {
        struct work k = works_get(w, i);
        add_piece(d, &k);
    }
    if (d->pile[STEP_TRAIN].n == 0) {
        frames_data_free(d);
        return err_set(ERR_EMPTY, "the data set holds no piece to train on");
    }
    *out = d;
    return ERR_OK;
}

void frames_data_free(struct frames_data *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++)
        frame_line_fini(&d->piece[i].line);
    for (int s = 0; s < N_STEP_SPLITS; s++) {
        free(d->pile[s].id);
        free(d->pile[s].upto);
    }
    free(d->piece);
    free(d);
}

bool frames_data_held_out(const struct frames_data *d)
{
    return d->pile[STEP_HELD_OUT].n > 0;
}

/* The frame a row asks for: any of all pieces, or now and then the first of one. */
static void draw_place(const struct frames_data *d, enum step_split s, struct rng *r, const struct piece **piece, int *at)
{
    const struct pile *p = &d->pile[s];
    uint64_t want = (uint64_t)rng_u32(r) << 32 | rng_u32(r), all = p->upto[p->n - 1];
    size_t lo = 0, hi = p->n - 1;
    for (want %= all; lo < hi;) {
        size_t mid = (lo + hi) / 2;
        if (p->upto[mid] > want)
            hi = mid;
        else
            lo = mid + 1;
    }
    *piece = &d->piece[p->id[lo]];
    bool begins = rng_uniform(r) < FROM_BEGIN;
    *at = begins ? (*piece)->first : (*piece)->last - (int)(p->upto[lo] - 1 - want);
}

void frames_data_fill(const struct frames_data *d, enum step_split s, uint64_t index, int rows, int window, int32_t *token,
                      int32_t *phase, int32_t *target)
{
    struct rng r;
    rng_init(&r, rng_hash(d->seed, index), STREAM_WINDOWS + (uint64_t)s);
    for (int row = 0; row < rows; row++) {
        const struct piece *p;
        int at;
        draw_place(d, s, &r, &p, &at);
        struct frames_ask ask = { p->line.token, p->line.phase, at };
        frames_window(d->vocab, &ask, window, token + (size_t)row * (size_t)window, phase + (size_t)row * (size_t)window);
        target[row] = p->line.token[at];
    }
}
