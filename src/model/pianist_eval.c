/* pianist_eval.c: how good the pianist is, in figures: how well it foresees pieces it has not seen, beside n-grams of
 * the same predictions; whether an era that was asked for is heard in what comes; how far a blend lies between;
 * how much of the training music comes back note for note. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "ngram.h"
#include "phrase.h"
#include "pianist.h"
#include "piano_work.h"
#include "piano_yardsticks.h"
#include "rng.h"
#include "song.h"
#include "stepread.h"

enum { WINDOWS = 96, PIECE_QUARTERS = 32, BLEND_PIECES = 16 };

struct evaluation {
    struct model *m;
    const struct works *w;
    const struct measure_opts *o;
    struct measures *out;
    struct listener *listener;
    struct echo *echo;
    double *echoes;                /* of all pieces, in quarters */
    int n_echoes, cap_echoes;
};

/* ---- foreseeing ---- */

static enum err nats_of(struct stepread *r, const struct piano_step *steps, int n, double *nats)
{
    for (int t = 0; t < n; t++) {
        for (int i = 0; i < N_PIANO_IN; i++)
            stepread_in(r, i)[t] = steps[t].in[i];
        for (int h = 0; h < N_PIANO_OUT; h++)
            stepread_target(r, h)[t] = steps[t].out[h];
    }
    return stepread_nats(r, n, nats);
}

static bool cancelled(const struct evaluation *e)
{
    return e->o->cancel && atomic_load_explicit(e->o->cancel, memory_order_relaxed);
}

static enum err stopped(void)
{
    return err_set(ERR_CANCELLED, "cancelled");
}

/* Windows spread over the held-out works. */
static enum err foresee(struct evaluation *e, struct stepread *r)
{
    struct model *m = e->m;
    struct ngram *ngram = piano_ngram_new(e->w);
    struct piano_step *steps = xcalloc((size_t)m->context, sizeof *steps);
    struct rng rng;
    double model = 0, counted = 0;
    long quarters = 0;
    enum err err = ERR_OK;
    rng_init(&rng, e->o->seed, 0x68656c64);
    for (int i = 0, tries = 0; i < WINDOWS && tries < 100 * WINDOWS && err == ERR_OK; tries++) {
        struct work k = works_get(e->w, rng_below(&rng, (uint32_t)works_n(e->w)));
        struct piano_piece p;
        double nats = 0;
        int of = style_of_work(e->w, &k, &m->styles);
        if (!k.held_out || k.quarters == 0)
            continue;
        i++;
        piano_piece_of_work(&k, &p);
        struct key key = key_of_work(&k);
        int n = piano_steps(&p, (int)rng_below(&rng, k.quarters), key_home(key), piano_mode(key), steps, m->context);
        memset(stepread_style(r), 0, (size_t)m->styles.n * sizeof(float));
        if (of >= 0)
            styles_weigh(&m->styles, of, 1, stepread_style(r));
        err = cancelled(e) ? stopped() : nats_of(r, steps, n, &nats);
        model += nats;
        counted += piano_ngram_nats(ngram, steps, n);
        for (int t = 0; t < n; t++)
            quarters += steps[t].in[PIN_KIND] == KIND_QUARTER;
        piano_piece_fini(&p);
    }
    if (err == ERR_OK && quarters > 0)
        measures_add(e->out, "held-out bits a quarter", model / M_LN2 / (double)quarters, "six-grams", counted / M_LN2 / (double)quarters);
    ngram_free(ngram);
    free(steps);
    return err;
}

/* ---- what it makes ---- */

struct batch { struct evaluation *e; float (*heard)[LISTENER_MAX]; int n; enum err err; };

static void on_take(void *ctx, int index, struct take *t)
{
    struct batch *b = ctx;
    struct qnote *notes = NULL;
    uint32_t n = 0;
    int quarters = PIECE_QUARTERS;
    (void)index;
    if (b->err == ERR_OK)
        b->err = qnotes_from_song(t->song, 0, quarters * SONG_TPQ, &notes, &n);
    if (b->err == ERR_OK) {
        struct evaluation *e = b->e;
        struct piano_piece p;
        piano_piece_init(&p, notes, n, xcalloc((size_t)quarters, sizeof(struct piano_frame)), quarters);
        b->err = listener_ask(e->listener, &p, 0, b->heard[b->n++]);
        if (e->n_echoes < e->cap_echoes)
            e->echoes[e->n_echoes++] = echo_longest(e->echo, &p);
        piano_piece_fini(&p);
    }
    free(notes);
    take_fini(t);
}

/* The metre of some training piece in that era; rags are not written in 4/4. */
static struct qmetre draw_metre(const struct evaluation *e, int era, struct rng *r)
{
    struct qmetre m = { 0, 4, 4 };
    for (int tries = 0; tries < 20000; tries++) {
        struct work k = works_get(e->w, rng_below(r, (uint32_t)works_n(e->w)));
        if (k.era != era || k.held_out)
            continue;
        m = work_bar(&k, 0);
        break;
    }
    return m;
}

/* n pieces in a style or a blend, four at a time in a metre of that era; heard gains the eras' probabilities of each. */
static enum err make(struct evaluation *e, int n, int era, const struct style_weight *style, int n_styles, uint64_t salt,
                     float (*heard)[LISTENER_MAX])
{
    struct batch b = { .e = e, .heard = heard };
    struct progress p = { .cancel = e->o->cancel, .on_take = on_take, .ctx = &b };
    enum err err = ERR_OK;
    struct rng r;
    rng_init(&r, e->o->seed, salt);
    for (int i = 0; i < n && err == ERR_OK; i += 4) {
        struct song *song = song_new_band();
        struct qmetre m = draw_metre(e, era, &r);
        song_set_metre(song, 0, m.num, m.den);
        struct request rq = { .verb = VERB_GENERATE, .song = song, .n_bars = (PIECE_QUARTERS * m.den + 4 * m.num - 1) / (4 * m.num),
                              .genre = -1, .key = { .tonic = -1 }, .temperature = e->o->temperature, .top_p = e->o->top_p,
                              .n_takes = n - i < 4 ? n - i : 4, .n_styles = n_styles, .seed = rng_hash(e->o->seed + (uint64_t)i, salt) >> 1 };
        memcpy(rq.style, style, (size_t)n_styles * sizeof *style);
        err = pianist_run(e->m, &rq, &p);
        song_free(song);
    }
    return err == ERR_OK ? b.err : err;
}

/* The era among the model's styles, or -1. */
static int style_of_era(const struct evaluation *e, int era)
{
    const struct styles *s = &e->m->styles;
    for (int i = s->n_composers; i < s->n; i++)
        if (str_same(s->at[i].name, works_era(e->w, (size_t)era)))
            return i;
    return -1;
}

static enum err hear_eras(struct evaluation *e)
{
    double real = 0, sum = 0;
    int eras = 0, n = e->o->n;
    TRY(listener_held_out(e->listener, e->w, e->o->seed, &real));
    for (int era = 0; era < listener_n_eras(e->listener); era++) {
        struct style_weight w = { style_of_era(e, era), 1, 1 };
        float (*heard)[LISTENER_MAX] = xcalloc((size_t)n, sizeof *heard);
        int right = 0;
        char name[64];
        enum err err = w.style >= 0 ? make(e, n, era, &w, 1, (uint64_t)era, heard) : ERR_OK;
        for (int i = 0; i < n; i++) {
            int best = 0;
            for (int k = 1; k < listener_n_eras(e->listener); k++)
                best = heard[i][k] > heard[i][best] ? k : best;
            right += best == era;
        }
        free(heard);
        TRY(err);
        if (w.style < 0)
            continue;
        str_format(name, sizeof name, "heard as %s, %% of pieces", works_era(e->w, (size_t)era));
        measures_add(e->out, name, 100.0 * right / n, "", 0);
        sum += 100.0 * right / n;
        eras++;
    }
    if (eras > 0)
        measures_add(e->out, "era recognised, % of pieces", sum / eras, "of real held-out music", 100 * real);
    measures_add(e->out, "  by chance", 100.0 / listener_n_eras(e->listener), "", 0);
    return ERR_OK;
}

/* Log odds of the first era against the last where both are asked for: alone, at a half each, and the other alone. */
static enum err hear_blend(struct evaluation *e)
{
    int from = -1, to = -1;
    for (int era = 0; era < listener_n_eras(e->listener); era++) {
        from = str_same(works_era(e->w, (size_t)era), "baroque") ? era : from;
        to = str_same(works_era(e->w, (size_t)era), "romantic") ? era : to;
    }
    if (from < 0 || to < 0 || style_of_era(e, from) < 0 || style_of_era(e, to) < 0)
        return ERR_OK;
    for (int i = 0; i < 3; i++) {
        float share = 0.5f * (float)i, heard[BLEND_PIECES][LISTENER_MAX];
        struct style_weight w[2] = { { style_of_era(e, from), 1 - share, 1 - share }, { style_of_era(e, to), share, share } };
        double odds = 0;
        char name[64];
        TRY(make(e, BLEND_PIECES, from, w, 2, 1000 + (uint64_t)i, heard));
        for (int k = 0; k < BLEND_PIECES; k++)
            odds += (log((double)heard[k][to] + 1e-4) - log((double)heard[k][from] + 1e-4)) / BLEND_PIECES;
        str_format(name, sizeof name, "log odds of romantic over baroque at %d:%d", 100 - (int)(100 * share), (int)(100 * share));
        measures_add(e->out, name, odds, "", 0);
    }
    return ERR_OK;
}

enum err pianist_evaluate(struct model *m, const struct dataset *d, const struct measure_opts *o, struct measures *out)
{
    struct evaluation e = { .m = m, .w = dataset_works(d), .o = o, .out = out };
    struct stepread *r = NULL;
    enum err err = ERR_OK;
    if (!e.w)
        return err_set(ERR_FORMAT, "the pianist is measured on whole works: `jamroll dataset build --works`");
    e.cap_echoes = o->n * LISTENER_MAX;
    e.echoes = xcalloc((size_t)e.cap_echoes, sizeof *e.echoes);
    TRY_OUT(stepread_new(m->device, &m->net, m->params, m->context, &r));
    TRY_OUT(foresee(&e, r));
    TRY_OUT(listener_new(m->device, e.w, o->seed, &e.listener));
    e.echo = echo_new(e.w);
    TRY_OUT(hear_eras(&e));
    echo_report(e.echoes, e.n_echoes, out);
    TRY_OUT(hear_blend(&e));
out:
    stepread_free(r);
    listener_free(e.listener);
    echo_free(e.echo);
    free(e.echoes);
    return err;
}
