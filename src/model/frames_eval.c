/* frames_eval.c: how good the frames are, in figures: how well they foresee pieces they have not seen, beside n-grams of
 * the same tokens; how often the chord that comes is among those they would suggest; how much what they make repeats
 * itself, beside real music; how much of the training music comes back note for note; and how well the vocabulary and
 * the rule of lengths give real music back, whatever the network. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "frames_data.h"
#include "mem.h"
#include "ngram.h"
#include "phrase.h"
#include "piano_work.h"
#include "piano_yardsticks.h"
#include "rng.h"

enum { PLACES = 4096, ORDERS = 6, PIECE_BARS = 8, BESIDE = 5, STREAM_PLACES = 0x68656c64 };

struct evaluation {
    struct model *m;
    const struct works *w;
    const struct measure_opts *o;
    struct measures *out;
    struct frame_line *line;       /* of held-out works, the others empty */
    struct echo *echo;
    double *echoes;
    int n_made;
    long chords, repeated;         /* of what was made */
    enum err err;
};

static enum err unless_cancelled(const struct evaluation *e)
{
    return e->o->cancel && atomic_load_explicit(e->o->cancel, memory_order_relaxed) ? err_set(ERR_CANCELLED, "cancelled") : ERR_OK;
}

/* ---- foreseeing ---- */

static void learn_line(struct ngram *c, const struct frame_line *l, uint16_t *symbol)
{
    for (int i = 0; i < l->n; i++) {
        symbol[i] = (uint16_t)l->token[i];
        ngram_learn(c, symbol + i, i);
    }
}

static struct ngram *count_training(const struct evaluation *e)
{
    struct ngram *c = ngram_new(ORDERS);
    for (size_t i = 0; i < works_n(e->w); i++) {
        struct work k = works_get(e->w, i);
        struct frame_line l;
        if (k.held_out)
            continue;
        frame_line_of_work(&e->m->vocab, &k, &l);
        uint16_t *symbol = xcalloc((size_t)l.n + 1, sizeof *symbol);
        learn_line(c, &l, symbol);
        free(symbol);
        frame_line_fini(&l);
    }
    return c;
}

/* Frames by the natural logarithm of what came, and by where it stood among the chords that might. */
struct score { double nats; long right, chords, first, among; };

/* The place of the token among all that are chords, by values. */
static int rank_of(const struct frame_vocab *v, const double *value, int token)
{
    int rank = 0;
    for (int i = 0; i < v->n; i++)
        rank += frame_is_chord(v, i) && value[i] > value[token];
    return rank;
}

static void judge(const struct frame_vocab *v, const double *p, int token, struct score *s)
{
    bool likeliest = true;
    for (int i = 0; i < v->n && likeliest; i++)
        likeliest = p[i] <= p[token];
    s->nats -= log(p[token] > 1e-12 ? p[token] : 1e-12);
    s->right += likeliest;
    if (!frame_is_chord(v, token))
        return;
    int rank = rank_of(v, p, token);
    s->chords++;
    s->first += rank == 0;
    s->among += rank < BESIDE;
}

static void network_says(const float *logits, int n, double *p)
{
    double most = -INFINITY, sum = 0;
    for (int i = 0; i < n; i++)
        most = (double)logits[i] > most ? (double)logits[i] : most;
    for (int i = 0; i < n; i++)
        sum += p[i] = exp((double)logits[i] - most);
    for (int i = 0; i < n; i++)
        p[i] /= sum;
}

static void counts_say(const struct ngram *c, const struct frame_line *l, int at, int n, double *p)
{
    enum { HISTORY = ORDERS - 1 };
    uint16_t symbol[HISTORY + 1];
    int history = at < HISTORY ? at : HISTORY;
    for (int i = 0; i < history; i++)
        symbol[i] = (uint16_t)l->token[at - history + i];
    for (int t = 0; t < n; t++) {
        symbol[history] = (uint16_t)t;
        p[t] = ngram_probability(c, symbol + history, history, n);
    }
}

/* Any frame of the held-out works. */
static const struct frame_line *draw_place(const struct evaluation *e, struct rng *r, int *at)
{
    size_t n = works_n(e->w);
    for (;;) {
        const struct frame_line *l = &e->line[rng_below(r, (uint32_t)n)];
        *at = (int)rng_below(r, 4096);
        if (*at < l->n)
            return l;
    }
}

static enum err foresee(struct evaluation *e, const struct ngram *c)
{
    struct model *m = e->m;
    int n = m->vocab.n;
    double *p = xcalloc((size_t)n, sizeof *p);
    struct score model = { 0 }, counted = { 0 };
    struct rng r;
    enum err err = ERR_OK;
    rng_init(&r, e->o->seed, STREAM_PLACES);
    for (int done = 0; done < PLACES && err == ERR_OK; done += FRAMES_ROWS) {
        const struct frame_line *l[FRAMES_ROWS];
        struct frames_ask ask[FRAMES_ROWS];
        const float *logits;
        for (int k = 0; k < FRAMES_ROWS; k++) {
            l[k] = draw_place(e, &r, &ask[k].at);
            ask[k].token = l[k]->token;
            ask[k].phase = l[k]->phase;
        }
        TRY_OUT(frames_read(m->reader, ask, FRAMES_ROWS, e->o->cancel, &logits));
        for (int k = 0; k < FRAMES_ROWS; k++) {
            network_says(logits + k * n, n, p);
            judge(&m->vocab, p, l[k]->token[ask[k].at], &model);
            counts_say(c, l[k], ask[k].at, n, p);
            judge(&m->vocab, p, l[k]->token[ask[k].at], &counted);
        }
    }
    const struct { const char *name; double model, counted; } rows[] = {
        { "held-out nats a frame", model.nats / PLACES, counted.nats / PLACES },
        { "held-out bits a frame", model.nats / PLACES / M_LN2, counted.nats / PLACES / M_LN2 },
        { "next frame foreseen, %", 100.0 * (double)model.right / PLACES, 100.0 * (double)counted.right / PLACES },
        { "chord that comes is the first suggested, %", 100.0 * (double)model.first / (double)model.chords,
          100.0 * (double)counted.first / (double)counted.chords },
        { "chord that comes is among five suggested, %", 100.0 * (double)model.among / (double)model.chords,
          100.0 * (double)counted.among / (double)counted.chords },
    };
    for (size_t i = 0; i < COUNT_OF(rows) && model.chords > 0; i++)
        measures_add(e->out, rows[i].name, rows[i].model, "six-grams", rows[i].counted);
out:
    free(p);
    return err;
}

/* ---- what it makes ---- */

/* Chords that strike what the chord before them struck. */
static void count_repeats(const struct frame_vocab *v, const int32_t *token, int n, long *chords, long *repeated)
{
    int last = -1;
    for (int i = 0; i < n; i++) {
        if (!frame_is_chord(v, token[i]))
            continue;
        *chords += last >= 0;
        *repeated += token[i] == last;
        last = token[i];
    }
}

static void on_take(void *ctx, int index, struct take *t)
{
    struct evaluation *e = ctx;
    struct qnote *notes = NULL;
    uint32_t n = 0;
    int quarters = PIECE_BARS * 4;
    (void)index;
    if (e->err == ERR_OK)
        e->err = qnotes_from_song(t->song, 0, quarters * SONG_TPQ, &notes, &n);
    if (e->err == ERR_OK && e->n_made < e->o->n) {
        struct piano_piece p;
        struct frame_grid g;
        frame_grid_of_song(&g, e->m->vocab.time, t->song, 0, 0, PIECE_BARS);
        int32_t *token = xcalloc((size_t)g.n + 1, sizeof *token);
        frame_tokens(&e->m->vocab, &g, notes, n, key_home(song_key(t->song, 0, song_end(t->song), NULL)), token);
        count_repeats(&e->m->vocab, token, g.n, &e->chords, &e->repeated);
        piano_piece_init(&p, notes, n, xcalloc((size_t)quarters, sizeof(struct piano_frame)), quarters);
        e->echoes[e->n_made++] = echo_longest(e->echo, &p);
        piano_piece_fini(&p);
        free(token);
        frame_grid_fini(&g);
    }
    free(notes);
    take_fini(t);
}

static enum err make(struct evaluation *e)
{
    struct song *song = song_new_band();
    struct progress p = { .cancel = e->o->cancel, .on_take = on_take, .ctx = e };
    struct request rq = { .verb = VERB_GENERATE, .song = song, .n_bars = PIECE_BARS, .genre = -1, .key = { .tonic = -1 },
                          .temperature = e->o->temperature, .top_p = e->o->top_p, .n_takes = e->o->n, .seed = e->o->seed };
    long chords = 0, repeated = 0;
    e->echo = echo_new(e->w);
    e->echoes = xcalloc((size_t)e->o->n + 1, sizeof *e->echoes);
    enum err err = frames_run(e->m, &rq, &p);
    song_free(song);
    TRY(err);
    TRY(e->err);
    for (size_t i = 0; i < works_n(e->w); i++)
        count_repeats(&e->m->vocab, e->line[i].token, e->line[i].n, &chords, &repeated);
    measures_add(e->out, "chords that repeat the one before, %", e->chords ? 100.0 * (double)e->repeated / (double)e->chords : 0,
                 "held-out music", chords ? 100.0 * (double)repeated / (double)chords : 0);
    echo_report(e->echoes, e->n_made, e->out);
    return ERR_OK;
}

/* ---- real music through the tokens and back ---- */

struct tally { long notes, kept, near; };

static void come_back(const struct evaluation *e, const struct work *k, const struct frame_line *l, struct tally *t)
{
    const struct frame_vocab *v = &e->m->vocab;
    struct frame_grid g;
    struct qnote *back;
    uint32_t n, at = 0;
    frame_grid_of_work(&g, v->time, k);
    frame_notes(v, &g, l->token, 0, l->n, -key_home(key_of_work(k)), &back, &n);
    for (uint32_t i = 0; i < k->n; i++) {
        int f = frame_at(&g, k->notes[i].start), end = k->notes[i].start + k->notes[i].dur;
        while (at < n && back[at].start < g.column[f])
            at++;
        t->notes++;
        for (uint32_t j = at; j < n && back[j].start == g.column[f]; j++)
            if (back[j].pitch == k->notes[i].pitch) {
                t->kept++;
                t->near += abs(back[j].start + back[j].dur - end) <= FRAME_COLS + FRAME_COLS / 2;
                break;
            }
        at = at > 64 ? at - 64 : 0; /* neighbours may lie in the frame before */
    }
    free(back);
    frame_grid_fini(&g);
}

static void give_back(struct evaluation *e)
{
    struct tally t = { 0 };
    for (size_t i = 0; i < works_n(e->w); i++) {
        struct work k = works_get(e->w, i);
        if (k.held_out)
            come_back(e, &k, &e->line[i], &t);
    }
    if (t.notes == 0)
        return;
    measures_add(e->out, "held-out notes the vocabulary has where they are, %", 100.0 * (double)t.kept / (double)t.notes, "", 0);
    measures_add(e->out, "  of these ending within a sixteenth of where they should, %", t.kept ? 100.0 * (double)t.near / (double)t.kept : 0, "", 0);
}

enum err frames_evaluate(struct model *m, const struct dataset *d, const struct measure_opts *o, struct measures *out)
{
    struct evaluation e = { .m = m, .w = dataset_works(d), .o = o, .out = out };
    struct ngram *c = NULL;
    size_t held = 0;
    enum err err = ERR_OK;
    if (!e.w)
        return err_set(ERR_FORMAT, "the frames are measured on whole works: `jamroll dataset build --works`");
    e.line = xcalloc(works_n(e.w) + 1, sizeof *e.line);
    for (size_t i = 0; i < works_n(e.w); i++) {
        struct work k = works_get(e.w, i);
        if (!k.held_out)
            continue;
        frame_line_of_work(&m->vocab, &k, &e.line[i]);
        held += e.line[i].n > 0;
    }
    if (held == 0)
        TRY_OUT(err_set(ERR_EMPTY, "the data set holds nothing back"));
    c = count_training(&e);
    TRY_OUT(unless_cancelled(&e));
    TRY_OUT(foresee(&e, c));
    TRY_OUT(make(&e));
    give_back(&e);
out:
    for (size_t i = 0; i < works_n(e.w); i++)
        frame_line_fini(&e.line[i]);
    free(e.line);
    free(e.echoes);
    echo_free(e.echo);
    ngram_free(c);
    return err;
}
