/* piano_shelf.c: pieces by the weight of their composers; see piano_shelf.h. */
#include "piano_shelf.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "opt.h"

/* Pieces of one side, with running sums of their weights for drawing. */
struct pile { uint32_t *id; double *upto; size_t n; };

struct shelf {
    struct shelf_opts opts;
    const struct styles *styles;
    struct shelf_piece *piece;
    size_t n;
    struct pile pile[N_STEP_SPLITS];
};

struct shelf_opts shelf_opts_from(const struct opts *o)
{
    return (struct shelf_opts){ opts_real(o, "no-composer"), opts_real(o, "no-style"), opts_real(o, "no-key"),
                                opts_real(o, "balance") };
}

static void pile_add(struct pile *p, uint32_t id, double weight)
{
    p->upto[p->n] = (p->n > 0 ? p->upto[p->n - 1] : 0) + weight;
    p->id[p->n++] = id;
}

static double amount(const struct work *k)
{
    return (double)(k->n + k->quarters) / (k->editions > 0 ? k->editions : 1);
}

static void make_piles(struct shelf *s, const struct works *w)
{
    double total[N_STEP_SPLITS][STYLES_MAX + 1] = { { 0 } };
    for (int i = 0; i < N_STEP_SPLITS; i++) {
        s->pile[i].id = xcalloc(s->n + 1, sizeof *s->pile[i].id);
        s->pile[i].upto = xcalloc(s->n + 1, sizeof *s->pile[i].upto);
    }
    for (size_t i = 0; i < s->n; i++) {
        struct work k = works_get(w, i);
        total[k.held_out ? STEP_HELD_OUT : STEP_TRAIN][s->piece[i].style + 1] += amount(&k);
    }
    for (size_t i = 0; i < s->n; i++) {
        struct work k = works_get(w, i);
        enum step_split split = k.held_out ? STEP_HELD_OUT : STEP_TRAIN;
        double all = total[split][s->piece[i].style + 1];
        if (s->piece[i].piece.quarters > 0 && all > 0)
            pile_add(&s->pile[split], (uint32_t)i, amount(&k) / all * pow(all, s->opts.balance));
    }
}

enum err shelf_new(const struct works *w, const struct styles *styles, const struct shelf_opts *o, struct shelf **out)
{
    struct shelf *s = xcalloc(1, sizeof *s);
    s->opts = *o;
    s->styles = styles;
    s->n = works_n(w);
    s->piece = xcalloc(s->n + 1, sizeof *s->piece);
    for (size_t i = 0; i < s->n; i++) {
        struct work k = works_get(w, i);
        s->piece[i] = (struct shelf_piece){ .work = i, .style = style_of_work(w, &k, styles), .key = key_of_work(&k) };
        piano_piece_of_work(&k, &s->piece[i].piece);
    }
    make_piles(s, w);
    if (s->pile[STEP_TRAIN].n == 0) {
        shelf_free(s);
        return err_set(ERR_EMPTY, "the data set holds no piece to train on");
    }
    *out = s;
    return ERR_OK;
}

void shelf_free(struct shelf *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        piano_piece_fini(&s->piece[i].piece);
    for (int i = 0; i < N_STEP_SPLITS; i++) {
        free(s->pile[i].id);
        free(s->pile[i].upto);
    }
    free(s->piece);
    free(s);
}

bool shelf_held_out(const struct shelf *s)
{
    return s->pile[STEP_HELD_OUT].n > 0;
}

const struct shelf_piece *shelf_draw(const struct shelf *s, enum step_split split, struct rng *r)
{
    const struct pile *p = &s->pile[split];
    return &s->piece[p->id[rng_weighted(r, p->upto, p->n)]];
}

struct key shelf_key(const struct shelf *s, const struct shelf_piece *p, struct rng *r)
{
    return rng_uniform(r) < (float)s->opts.no_key ? (struct key){ .tonic = -1 } : p->key;
}

void shelf_style(const struct shelf *s, const struct shelf_piece *p, struct rng *r, float *row)
{
    float u = rng_uniform(r);
    memset(row, 0, (size_t)s->styles->n * sizeof *row);
    if (u < (float)s->opts.no_style || p->style < 0)
        return;
    bool era = u < (float)(s->opts.no_style + s->opts.no_composer);
    styles_weigh(s->styles, era ? s->styles->at[p->style].era : p->style, 1, row);
}
