/* piano_data.c: pieces to batches; see piano_data.h. */
#include "piano_data.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "rng.h"
#include "str.h"

enum { STREAM_WINDOWS = 0x7069616e };
static const float FROM_BEGIN = 0.15f;   /* share of windows that begin with their piece */

struct source { struct piano_piece piece; int style; struct key key; };
/* Pieces of one side, with running sums of their weights for drawing. */
struct pile { uint32_t *id; double *upto; size_t n; };

struct piano_data {
    struct piano_data_opts opts;
    const struct styles *styles;
    struct source *source;
    size_t n;
    struct pile pile[N_STEP_SPLITS];
};

/* ---- styles ---- */

static int find_style(const struct styles *s, const char *name, int from, int to)
{
    for (int i = from; i < to; i++)
        if (str_same(s->at[i].name, name))
            return i;
    return -1;
}

void styles_of_works(const struct works *w, struct styles *out)
{
    int era_of[STYLES_MAX], n_eras = (int)works_n_eras(w);
    memset(out, 0, sizeof *out);
    n_eras = n_eras < STYLES_MAX / 2 ? n_eras : STYLES_MAX / 2;
    for (size_t c = 0; c < works_n_composers(w) && out->n < STYLES_MAX - n_eras; c++) {
        int n = 0;
        for (size_t i = 0; i < works_n(w); i++) {
            struct work k = works_get(w, i);
            if (k.composer != c || k.held_out)
                continue;
            era_of[out->n] = k.era;
            n++;
        }
        if (n >= STYLE_MIN_WORKS)
            str_copy(out->at[out->n++].name, sizeof out->at->name, works_composer(w, c));
    }
    out->n_composers = out->n;
    for (int e = 0; e < n_eras; e++) {
        out->at[out->n].era = out->n;
        str_copy(out->at[out->n++].name, sizeof out->at->name, works_era(w, (size_t)e));
    }
    for (int c = 0; c < out->n_composers; c++)
        out->at[c].era = out->n_composers + (era_of[c] < n_eras ? era_of[c] : 0);
}

int style_of_work(const struct works *w, const struct work *k, const struct styles *s)
{
    int style = k->composer == WORK_UNKNOWN ? -1 : find_style(s, works_composer(w, k->composer), 0, s->n_composers);
    return style >= 0 ? style : find_style(s, works_era(w, k->era), s->n_composers, s->n);
}

struct key key_of_work(const struct work *k)
{
    return (struct key){ k->tonic < 12 ? (int8_t)k->tonic : -1, k->minor };
}

/* ---- pieces ---- */

void piano_piece_of_work(const struct work *k, struct piano_piece *out)
{
    int quarters = (int)k->quarters, bar = 0;
    struct piano_frame *frame = xcalloc((size_t)quarters + 1, sizeof *frame);
    struct qmetre last = work_bar(k, 0);
    for (int q = 0; q < quarters; q++) {
        struct qmetre m = work_bar(k, q * QUARTER_COLS);
        /* A short bar may lie between two quarters. */
        int32_t length = (int32_t)last.num * 4 * QUARTER_COLS / last.den;
        if (m.start > last.start)
            bar += length > 0 && (m.start - last.start) / length > 1 ? (m.start - last.start) / length : 1;
        last = m;
        frame[q] = piano_frame(q * QUARTER_COLS - m.start, m.num, m.den, bar);
        frame[q].left = (int8_t)piano_left(quarters - q);
    }
    piano_piece_init(out, k->notes, k->n, frame, quarters);
}

/* ---- weights ---- */

static void pile_add(struct pile *p, uint32_t id, double weight)
{
    p->upto[p->n] = (p->n > 0 ? p->upto[p->n - 1] : 0) + weight;
    p->id[p->n++] = id;
}

static double amount(const struct work *k)
{
    return (double)(k->n + k->quarters) / (k->editions > 0 ? k->editions : 1);
}

static void make_piles(struct piano_data *d, const struct works *w)
{
    double total[N_STEP_SPLITS][STYLES_MAX + 1] = { { 0 } };
    for (int s = 0; s < N_STEP_SPLITS; s++) {
        d->pile[s].id = xcalloc(d->n + 1, sizeof *d->pile[s].id);
        d->pile[s].upto = xcalloc(d->n + 1, sizeof *d->pile[s].upto);
    }
    for (size_t i = 0; i < d->n; i++) {
        struct work k = works_get(w, i);
        total[k.held_out ? STEP_HELD_OUT : STEP_TRAIN][d->source[i].style + 1] += amount(&k);
    }
    for (size_t i = 0; i < d->n; i++) {
        struct work k = works_get(w, i);
        enum step_split s = k.held_out ? STEP_HELD_OUT : STEP_TRAIN;
        double all = total[s][d->source[i].style + 1];
        if (d->source[i].piece.quarters > 0 && all > 0)
            pile_add(&d->pile[s], (uint32_t)i, amount(&k) / all * pow(all, d->opts.balance));
    }
}

enum err piano_data_new(const struct works *w, const struct styles *s, const struct piano_data_opts *o,
                        struct piano_data **out)
{
    struct piano_data *d = xcalloc(1, sizeof *d);
    d->opts = *o;
    d->styles = s;
    d->n = works_n(w);
    d->source = xcalloc(d->n + 1, sizeof *d->source);
    for (size_t i = 0; i < d->n; i++) {
        struct work k = works_get(w, i);
        piano_piece_of_work(&k, &d->source[i].piece);
        d->source[i].style = style_of_work(w, &k, s);
        d->source[i].key = key_of_work(&k);
    }
    make_piles(d, w);
    if (d->pile[STEP_TRAIN].n == 0) {
        piano_data_free(d);
        return err_set(ERR_EMPTY, "the data set holds no piece to train on");
    }
    *out = d;
    return ERR_OK;
}

void piano_data_free(struct piano_data *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++)
        piano_piece_fini(&d->source[i].piece);
    for (int s = 0; s < N_STEP_SPLITS; s++) {
        free(d->pile[s].id);
        free(d->pile[s].upto);
    }
    free(d->source);
    free(d);
}

bool piano_data_held_out(const struct piano_data *d)
{
    return d->pile[STEP_HELD_OUT].n > 0;
}

/* ---- batches ---- */

static const struct source *draw_source(const struct piano_data *d, enum step_split s, struct rng *r)
{
    const struct pile *p = &d->pile[s];
    double want = rng_uniform(r) * p->upto[p->n - 1];
    size_t lo = 0, hi = p->n - 1;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (p->upto[mid] > want)
            hi = mid;
        else
            lo = mid + 1;
    }
    return &d->source[p->id[lo]];
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

static void draw_style(const struct piano_data *d, const struct source *src, struct rng *r, float *row)
{
    float u = rng_uniform(r);
    memset(row, 0, (size_t)d->styles->n * sizeof *row);
    if (u < (float)d->opts.no_style || src->style < 0)
        return;
    bool era = u < (float)(d->opts.no_style + d->opts.no_composer);
    styles_weigh(d->styles, era ? d->styles->at[src->style].era : src->style, 1, row);
}

void piano_data_fill(void *piano_data, enum step_split s, uint64_t index, struct step_batch *out)
{
    const struct piano_data *d = piano_data;
    int rows = d->opts.rows, time = d->opts.time;
    struct piano_step *steps = xcalloc((size_t)time, sizeof *steps);
    struct rng r;
    rng_init(&r, rng_hash(d->opts.seed, index), STREAM_WINDOWS + (uint64_t)s);
    for (int row = 0; row < rows; row++) {
        const struct source *src = draw_source(d, s, &r);
        int q = draw_begin(&src->piece, time, &r);
        struct key key = rng_uniform(&r) < (float)d->opts.no_key ? (struct key){ .tonic = -1 } : src->key;
        int n = piano_steps(&src->piece, q, key_home(src->key), piano_mode(key), steps, time);
        draw_style(d, src, &r, out->style + (size_t)row * (size_t)d->styles->n);
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
