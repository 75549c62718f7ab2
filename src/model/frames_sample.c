/* frames_sample.c: takes written on frame by frame, several side by side. What a request means and what a take owes it is
 * piano_job.c's; bars that are kept are read as they stand when the music comes to them.
 *
 * Where nothing precedes the span, music begins as pieces begin: with a chord that holds the tonic when a key is asked
 * for, with any chord otherwise. By the clock it begins as MusicGenerator did: with one note, or after random frames. */
#include <stdlib.h>
#include <string.h>
#include "frames_scene.h"
#include "mem.h"
#include "piano_job.h"

enum { TONIC_MAJOR = 60, TONIC_MINOR = 57 };

struct job {
    struct model *m;
    struct piano_job piano;
    struct frames_scene scene;
    int n_done, n_now;           /* takes finished, and under way */
};

/* A take in the making. */
struct draft {
    struct piano_draft piano;
    int32_t *token;              /* the scene's, written on */
    struct frames_rules rules;
    bool seeded;                 /* its first token is not drawn */
    bool empty;
};

/* ---- drawing ---- */

static int tonic(const struct job *j)
{
    return j->scene.key.minor ? TONIC_MINOR : TONIC_MAJOR;
}

static void seed_clock(const struct job *j, struct draft *d)
{
    const struct frames_scene *s = &j->scene;
    struct frame_set one = { { 0, 0 } };
    frame_set_add(&one, tonic(j));
    d->seeded = s->rq->key.tonic >= 0;
    if (d->seeded)
        d->token[s->begin] = frame_token(&j->m->vocab, one);
    for (int f = s->begin - j->m->net.window; f < s->begin && !d->seeded; f++)
        d->token[f] = 1 + (int32_t)rng_below(&d->piano.draw, (uint32_t)j->m->vocab.n - 1);
}

static void draft_init(struct job *j, struct draft *d, uint64_t seed)
{
    const struct frames_scene *s = &j->scene;
    *d = (struct draft){ .token = xcalloc((size_t)s->n + 1, sizeof *d->token) };
    piano_draft_init(&j->piano, &d->piano, seed);
    memcpy(d->token, s->token, (size_t)s->n * sizeof *d->token);
    frames_rules_init(&d->rules, s, d->piano.shift);
    if (s->silent && j->m->vocab.time == FRAMES_CLOCK && s->begin < s->n && !frames_bar_kept(s, s->bar[s->begin]))
        seed_clock(j, d);
}

static void draft_fini(struct draft *d)
{
    piano_draft_fini(&d->piano);
    frames_rules_fini(&d->rules);
    free(d->token);
}

/* Chords without the tonic do not begin a piece whose key was asked for. */
static void begin_in_key(const struct job *j, bool *legal)
{
    const struct frame_vocab *v = &j->m->vocab;
    bool *with = xcalloc((size_t)v->n, sizeof *with), any = false;
    for (int i = 0; i < v->n; i++) {
        for (int p = tonic(j) % 12; p < 128 && legal[i]; p += 12)
            with[i] |= frame_set_has(v->set[i], p);
        any |= with[i];
    }
    if (any)
        memcpy(legal, with, (size_t)v->n * sizeof *legal);
    free(with);
}

static int draw_token(const struct job *j, struct draft *d, int f, const float *logits)
{
    const struct frames_scene *s = &j->scene;
    const struct draw_opts o = { s->rq->temperature, s->rq->top_p, s->rq->top_k };
    bool legal[VOCAB_MAX];
    float biased[VOCAB_MAX];
    frames_rules_at(&d->rules, s, d->token, f, logits, legal, biased);
    if (f == s->begin && s->silent && s->rq->key.tonic >= 0)
        begin_in_key(j, legal);
    return draw_index(biased, legal, j->m->vocab.n, &o, &d->piano.draw);
}

/* ---- writing ---- */

/* What is written before frame `to` goes into the song, all of it anew: lengths follow from what comes after. */
static void write_notes(const struct job *j, struct draft *d, int to)
{
    const struct frames_scene *s = &j->scene;
    struct note *n;
    uint32_t count;
    piano_draft_clear(&j->piano, &d->piano);
    frames_scene_notes(s, d->token, s->begin, to, d->piano.shift, &n, &count);
    for (uint32_t i = 0; i < count; i++) {
        bool first = i == 0 || n[i - 1].tick != n[i].tick, top = i + 1 == count || n[i + 1].tick != n[i].tick;
        piano_draft_add(&j->piano, &d->piano, n[i], top, first && top);
    }
    track_tidy(song_track_of(d->piano.song, ROLE_PIANO));
    d->empty = count == 0;
    free(n);
}

/* A bar of every take is written. */
static void show_parts(const struct job *j, struct draft *drafts, int f)
{
    for (int k = 0; k < j->n_now && j->piano.p && j->piano.p->on_part; k++) {
        write_notes(j, &drafts[k], f);
        drafts[k].piano.bars = j->scene.bar[f] - j->piano.bar0;
        piano_draft_show(&j->piano, &drafts[k].piano, j->n_done + k);
    }
}

static enum err step(struct job *j, struct draft *drafts, int f)
{
    const struct frames_scene *s = &j->scene;
    struct frames_ask ask[FRAMES_ROWS];
    const float *logits;
    for (int k = 0; k < j->n_now; k++)
        ask[k] = (struct frames_ask){ drafts[k].token, s->phase, f };
    TRY(frames_read(j->m->reader, ask, j->n_now, j->piano.p ? j->piano.p->cancel : NULL, &logits));
    for (int k = 0; k < j->n_now; k++)
        if (f > s->begin || !drafts[k].seeded)
            drafts[k].token[f] = draw_token(j, &drafts[k], f, logits + (size_t)k * (size_t)j->m->net.tokens);
    return ERR_OK;
}

static enum err run_batch(struct job *j, struct draft *drafts)
{
    const struct frames_scene *s = &j->scene;
    const struct progress *p = j->piano.p;
    for (int f = s->begin; f < s->n; f++) {
        double here = (double)(f - s->begin) / (s->n - s->begin);
        if (f > s->begin && s->bar[f] != s->bar[f - 1])
            show_parts(j, drafts, f);
        if (p && p->on_step)
            p->on_step(p->ctx, (j->n_done + here * j->n_now) / s->rq->n_takes);
        if (!frames_bar_kept(s, s->bar[f]))
            TRY(step(j, drafts, f));
    }
    for (int k = 0; k < j->n_now; k++) {
        write_notes(j, &drafts[k], s->n);
        piano_draft_deliver(&j->piano, &drafts[k].piano, j->n_done + k, drafts[k].empty);
    }
    return ERR_OK;
}

static enum err write_takes(struct job *j)
{
    const struct request *rq = j->piano.rq;
    struct draft drafts[FRAMES_ROWS];
    enum err err = ERR_OK;
    for (; j->n_done < rq->n_takes && err == ERR_OK; j->n_done += j->n_now) {
        j->n_now = rq->n_takes - j->n_done < FRAMES_ROWS ? rq->n_takes - j->n_done : FRAMES_ROWS;
        for (int k = 0; k < j->n_now; k++)
            draft_init(j, &drafts[k], rq->seed + (uint64_t)(j->n_done + k));
        err = run_batch(j, drafts);
        for (int k = 0; k < j->n_now; k++)
            draft_fini(&drafts[k]);
    }
    return err;
}

enum err frames_run(struct model *m, const struct request *rq, const struct progress *p)
{
    static const struct styles none;
    struct job j = { .m = m };
    if (rq->verb == VERB_SUGGEST)
        return frames_suggest(m, rq, p);
    TRY(piano_job_init(&j.piano, &none, m->name, m->hash, rq, p));
    int bar0 = j.piano.bar0;
    enum err err = frames_scene_open(&j.scene, m, rq, bar0, ROLE_PIANO, song_bar_tick(rq->song, bar0), bar0 + rq->n_bars);
    if (err == ERR_OK) {
        j.piano.key = j.scene.key;
        err = write_takes(&j);
        frames_scene_close(&j.scene);
    }
    piano_job_fini(&j.piano);
    return err;
}
