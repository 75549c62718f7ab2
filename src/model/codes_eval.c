/* codes_eval.c: how good the family that writes in codes is, in figures: how well it foresees pieces it has not seen, beside
 * n-grams of the same codes; and what its codes keep of a quarter. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "codes.h"
#include "mem.h"
#include "ngram.h"
#include "phrase.h"
#include "piano_work.h"
#include "rng.h"
#include "stepread.h"

enum { WINDOWS = 64, ORDERS = 6, COUNTED_QUARTERS = 30000, VQVAE_QUARTERS = 4000, MOST_TRIES = 100 };

/* Music in codes, and the same as the n-grams know them: a number for a code of a stage. */
struct text { int32_t *codes; uint16_t *symbol; int n; };

static enum err text_new(struct model *m, const struct work *k, int begin, int quarters, struct text *out)
{
    const struct vqvae_config *c = vqvae_config(m->vqvae);
    size_t n = (size_t)quarters * (size_t)vqvae_slots(c);
    *out = (struct text){ xcalloc(n + 1, sizeof *out->codes), xcalloc(n + 1, sizeof *out->symbol), (int)n };
    TRY(codes_of_work(m->vqvae, k, begin, quarters, key_home(key_of_work(k)), out->codes));
    for (size_t i = 0; i < n; i++)
        out->symbol[i] = (uint16_t)(out->codes[i] + (int)(i % (size_t)c->stages) * c->codes);
    return ERR_OK;
}
_Static_assert(CODES_MAX * VQVAE_STAGES <= UINT16_MAX + 1, "a symbol for every code");

static void text_fini(struct text *t)
{
    free(t->codes);
    free(t->symbol);
}

static bool cancelled(const struct measure_opts *o)
{
    return o->cancel && atomic_load_explicit(o->cancel, memory_order_relaxed);
}

/* Works in the order of a shuffle, until so many quarters are counted. */
static enum err count(struct model *m, const struct works *w, const struct measure_opts *o, struct ngram *g)
{
    struct rng r;
    long quarters = 0;
    enum err err = ERR_OK;
    rng_init(&r, o->seed, 0x636f756e);
    for (long tries = 0; quarters < COUNTED_QUARTERS && tries < MOST_TRIES * (long)works_n(w) && err == ERR_OK; tries++) {
        struct work k = works_get(w, rng_below(&r, (uint32_t)works_n(w)));
        struct text t;
        if (k.held_out || k.quarters == 0)
            continue;
        if (cancelled(o))
            return err_set(ERR_CANCELLED, "cancelled");
        err = text_new(m, &k, 0, (int)k.quarters, &t);
        for (int i = 0; err == ERR_OK && i < t.n; i++)
            ngram_learn(g, t.symbol + i, i);
        quarters += k.quarters;
        text_fini(&t);
    }
    return err;
}

/* A window of a piece, from quarter `begin` on, through the network. */
static enum err read_window(struct model *m, struct stepread *r, const struct work *k, const struct text *t, int begin,
                            double *nats)
{
    const struct stepnet *c = &m->net;
    struct piano_piece p;
    int n = t->n / c->n_out;
    piano_piece_of_work(k, &p);
    for (int i = 0; i < n; i++) {
        const int32_t *codes = t->codes + i * c->n_out;
        int32_t in[N_CODES_IN];
        codes_step(c, &p.frame[begin + i / VQVAE_SLOTS], piano_mode(key_of_work(k)), i % VQVAE_SLOTS,
                   i > 0 ? codes - c->n_out : NULL, begin + i == 0, in);
        for (int x = 0; x < c->n_in; x++)
            stepread_in(r, x)[i] = in[x];
        for (int h = 0; h < c->n_out; h++)
            stepread_target(r, h)[i] = codes[h];
    }
    piano_piece_fini(&p);
    return stepread_nats(r, n, nats);
}

struct bits { double model, counted; long quarters; };

/* One window of a held-out piece, under its own name. */
static enum err foresee(struct model *m, const struct works *w, const struct work *k, struct stepread *r, struct rng *rng,
                        const struct ngram *g, struct bits *b)
{
    int kinds = vqvae_config(m->vqvae)->codes, style = style_of_work(w, k, &m->styles);
    int begin = (int)rng_below(rng, k->quarters), left = (int)k->quarters - begin;
    int quarters = left < m->context ? left : m->context;
    struct text t;
    double nats = 0;
    enum err err = text_new(m, k, begin, quarters, &t);
    memset(stepread_style(r), 0, (size_t)m->styles.n * sizeof(float));
    if (style >= 0)
        styles_weigh(&m->styles, style, 1, stepread_style(r));
    if (err == ERR_OK)
        err = read_window(m, r, k, &t, begin, &nats);
    for (int i = 0; err == ERR_OK && i < t.n; i++)
        b->counted -= log2(ngram_probability(g, t.symbol + i, i, kinds));
    b->model += nats / M_LN2;
    b->quarters += quarters;
    text_fini(&t);
    return err;
}

static enum err foresee_all(struct model *m, const struct works *w, const struct measure_opts *o, struct stepread *r,
                            const struct ngram *g, struct measures *out)
{
    struct bits b = { 0 };
    struct rng rng;
    rng_init(&rng, o->seed, 0x68656c64);
    for (int i = 0, tries = 0; i < WINDOWS && tries < MOST_TRIES * WINDOWS; tries++) {
        struct work k = works_get(w, rng_below(&rng, (uint32_t)works_n(w)));
        if (!k.held_out || k.quarters == 0)
            continue;
        if (cancelled(o))
            return err_set(ERR_CANCELLED, "cancelled");
        TRY(foresee(m, w, &k, r, &rng, g, &b));
        i++;
    }
    if (b.quarters > 0)
        measures_add(out, "held-out bits a quarter", b.model / (double)b.quarters, "six-grams", b.counted / (double)b.quarters);
    return ERR_OK;
}

enum err codes_evaluate(struct model *m, const struct dataset *d, const struct measure_opts *o, struct measures *out)
{
    const struct works *w = dataset_works(d);
    struct stepread *r = NULL;
    struct vqvae_score s;
    if (!w)
        return err_set(ERR_FORMAT, "music in codes is measured on whole works: `jamroll dataset build --works`");
    struct ngram *g = ngram_new(ORDERS);
    enum err err = stepread_new(m->device, &m->net, m->params, m->context * VQVAE_SLOTS, &r);
    if (err == ERR_OK)
        err = count(m, w, o, g);
    if (err == ERR_OK)
        err = foresee_all(m, w, o, r, g, out);
    if (err == ERR_OK)
        err = vqvae_measure(m->vqvae, w, true, VQVAE_QUARTERS, &s);
    if (err == ERR_OK) {
        measures_add(out, "F1 of note cells through the codes (%)", 100 * s.f1, "", 0);
        measures_add(out, "perplexity of the codes", s.perplexity, "", 0);
    }
    ngram_free(g);
    stepread_free(r);
    return err;
}
