/* frames_suggest.c: what could begin next at a place. The network is asked frame by frame from there; a chord's probability
 * is that nothing begins before it, times its own. Each of the likeliest chords is then held for as long as the network
 * would rather not end it: a note's length is where it has ended by even odds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "frames_scene.h"
#include "mem.h"
#include "piano_code.h"
#include "str.h"

enum { REACH = 16, HELD = 16, PITCHES = 128 };   /* frames a next onset may be away and is held */

struct candidate { struct frame_set fresh; int token, at; double p; };   /* what is newly struck */

struct asker {
    struct model *m;
    const struct request *rq;
    const struct progress *p;
    struct frames_scene scene;
    struct frames_rules rules;
    int32_t *token;              /* the scene's, silent from the place on for as long as was looked ahead */
    struct frame_set there, held; /* of the frame that is looked at: struck on the track, and sounding from before */
    struct candidate *found;
    int n_found;
    size_t cap;
    bool *legal;                 /* [V] */
    float *biased;
};

/* Of a token after another; by the clock a chord that goes on strikes nothing. */
static struct frame_set fresh(const struct frame_vocab *v, int before, int token)
{
    struct frame_set s = v->set[token], b = v->set[before];
    return v->time == FRAMES_BEATS ? s : (struct frame_set){ { s.key[0] & ~b.key[0], s.key[1] & ~b.key[1] } };
}

static enum err ask(struct asker *a, const float **logits, int f)
{
    struct frames_ask one = { a->token, a->scene.phase, f };
    return frames_read(a->m->reader, &one, 1, a->p ? a->p->cancel : NULL, logits);
}

/* ---- which ---- */

/* Probabilities of what may come at f of a line, into biased. */
static void soften(struct asker *a, const int32_t *line, int f, const float *logits)
{
    int n = a->m->vocab.n;
    float most = -INFINITY;
    double sum = 0, temperature = a->rq->temperature;
    frames_rules_at(&a->rules, &a->scene, line, f, logits, a->legal, a->biased);
    for (int i = 0; i < n; i++)
        most = a->legal[i] && a->biased[i] > most ? a->biased[i] : most;
    for (int i = 0; i < n; i++) {
        a->biased[i] = a->legal[i] ? expf((a->biased[i] - most) / (float)temperature) : 0;
        sum += (double)a->biased[i];
    }
    for (int i = 0; i < n; i++)
        a->biased[i] /= (float)sum;
}

/* What the track strikes at f as it is, and what it still holds there. */
static void find_there(struct asker *a, int f)
{
    const struct track *t = song_track_of(a->rq->song, a->rq->role);
    int32_t tick = frames_tick(&a->scene, f);
    a->there = a->held = (struct frame_set){ { 0, 0 } };
    for (size_t i = 0; i < t->n && t->notes[i].tick <= tick; i++) {
        int pitch = t->notes[i].pitch + key_home(a->scene.key);
        if (pitch >= 0 && pitch < PITCHES && t->notes[i].tick + t->notes[i].dur > tick)
            frame_set_add(t->notes[i].tick == tick ? &a->there : &a->held, pitch);
    }
}

/* Only what is not there is suggested, and nothing that would cut a note short. */
static void add_candidate(struct asker *a, int token, int f, double p)
{
    struct frame_set s = fresh(&a->m->vocab, a->token[f - 1], token);
    s = (struct frame_set){ { s.key[0] & ~a->there.key[0], s.key[1] & ~a->there.key[1] } };
    if (frame_set_empty(s) || s.key[0] & a->held.key[0] || s.key[1] & a->held.key[1])
        return;
    for (int i = 0; i < a->n_found; i++) {
        struct candidate *c = &a->found[i];
        if (c->fresh.key[0] != s.key[0] || c->fresh.key[1] != s.key[1])
            continue;
        if (p > c->p)
            *c = (struct candidate){ s, token, f, p };
        return;
    }
    a->found = xgrow(a->found, (size_t)a->n_found, &a->cap, sizeof *a->found);
    a->found[a->n_found++] = (struct candidate){ s, token, f, p };
}

/* Chords that begin at f; the frame then goes by without one. Returns the share of that. */
static double look_at(struct asker *a, int f, double before)
{
    const struct frame_vocab *v = &a->m->vocab;
    bool kept = frames_bar_kept(&a->scene, a->scene.bar[f]);
    double silent = 0;
    int best = frame_rest(v);
    float most = -1;
    find_there(a, f);
    for (int i = 0; i < v->n; i++) {
        if (!a->legal[i])
            continue;
        if (!frame_set_empty(fresh(v, a->token[f - 1], i))) {
            if (!kept)
                add_candidate(a, i, f, before * (double)a->biased[i]);
            continue;
        }
        silent += (double)a->biased[i];
        if (a->biased[i] > most) {
            most = a->biased[i];
            best = i;
        }
    }
    a->token[f] = best;
    return silent;
}

static int by_p(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return x->p != y->p ? (x->p < y->p ? 1 : -1) : x->token - y->token;
}

static enum err find(struct asker *a)
{
    const struct frames_scene *s = &a->scene;
    double before = 1;
    const float *logits;
    for (int f = s->begin; f < s->n && f - s->begin < REACH; f++) {
        TRY(ask(a, &logits, f));
        soften(a, a->token, f, logits);
        before *= look_at(a, f, before);
        if (a->n_found > 0)
            qsort(a->found, (size_t)a->n_found, sizeof *a->found, by_p);
        int n = a->n_found < a->rq->n_takes ? a->n_found : a->rq->n_takes;
        if (n == a->rq->n_takes && before <= a->found[n - 1].p)   /* nothing later is likelier */
            break;
    }
    return ERR_OK;
}

/* ---- how long ---- */

/* A candidate while it is held: its line, and of each of its pitches the odds that it still sounds, and its length once
 * those are even. */
struct held { int32_t *line; float alive[PITCHES]; int length[PITCHES]; };

/* Returns whether any pitch sounds on. */
static bool hold(struct asker *a, const struct candidate *c, struct held *h, int age, const float *logits)
{
    const struct frame_vocab *v = &a->m->vocab;
    bool on = false;
    int f = c->at + age;
    soften(a, h->line, f, logits);
    for (int p = 0; p < PITCHES; p++) {
        float ends = 0;
        if (!frame_set_has(c->fresh, p) || h->length[p])
            continue;
        for (int i = 0; i < v->n; i++)
            ends += a->legal[i] && frame_ends(v, i, p, age) ? a->biased[i] : 0;
        h->alive[p] *= 1 - ends;
        h->length[p] = h->alive[p] <= 0.5f || age == HELD ? age : 0;
        on |= h->length[p] == 0;
    }
    h->line[f] = v->time == FRAMES_BEATS ? FRAME_HOLD : c->token;
    return on;
}

static enum err follow(struct asker *a, const struct candidate *c, int n, struct held *h)
{
    const struct frames_scene *s = &a->scene;
    bool on = true;
    for (int age = 1; on; age++) {
        struct frames_ask asks[FRAMES_ROWS];
        const float *logits;
        on = false;
        for (int k = 0; k < n; k++)
            asks[k] = (struct frames_ask){ h[k].line, s->phase, c[k].at + age };
        TRY(frames_read(a->m->reader, asks, n, a->p ? a->p->cancel : NULL, &logits));
        for (int k = 0; k < n; k++)
            on |= hold(a, &c[k], &h[k], age, logits + (size_t)k * (size_t)a->m->net.tokens);
    }
    return ERR_OK;
}

/* ---- takes ---- */

static void deliver(struct asker *a, const struct candidate *c, const struct held *h, int index)
{
    const struct frames_scene *s = &a->scene;
    const struct request *rq = a->rq;
    struct take t = { .song = song_dup(rq->song), .seed = rq->seed };
    struct track *track = song_track_of(t.song, rq->role);
    int32_t tick = frames_tick(s, c->at), end = frames_free_until(s, s->bar[c->at]);
    char key[16];
    for (int p = 0; p < PITCHES; p++) {
        if (!frame_set_has(c->fresh, p))
            continue;
        int32_t until = frames_tick(s, c->at + h->length[p]);
        track_add(track, (struct note){ .tick = tick, .dur = (until < end ? until : end) - tick,
                                        .pitch = (uint8_t)(p - key_home(s->key)), .vel = (uint8_t)s->vel });
    }
    track_tidy(track);
    key_print(s->key, key);
    str_copy(t.model, sizeof t.model, a->m->name);
    str_copy(t.hash, sizeof t.hash, a->m->hash);
    str_format(t.params, sizeof t.params, "p=%.3f verb=%s key=%s%s T=%.2f", c->p, verb_name(rq->verb), key,
               rq->snap ? " snap" : "", rq->temperature);
    if (a->p && a->p->on_take)
        a->p->on_take(a->p->ctx, index, &t);
    else
        take_fini(&t);
}

static enum err answer(struct asker *a)
{
    int n = a->n_found < a->rq->n_takes ? a->n_found : a->rq->n_takes;
    size_t frames = (size_t)a->scene.n + 1;
    int32_t *block = xcalloc(FRAMES_ROWS * frames, sizeof *block);
    struct held *h = xcalloc(FRAMES_ROWS, sizeof *h);
    enum err err = n > 0 ? ERR_OK : err_set(ERR_EMPTY, "nothing the model knows may begin there");
    for (int done = 0; done < n && err == ERR_OK; done += FRAMES_ROWS) {
        int now = n - done < FRAMES_ROWS ? n - done : FRAMES_ROWS;
        memset(h, 0, FRAMES_ROWS * sizeof *h);
        for (int k = 0; k < now; k++) {
            h[k].line = block + (size_t)k * frames;
            memcpy(h[k].line, a->token, (frames - 1) * sizeof *a->token);
            h[k].line[a->found[done + k].at] = a->found[done + k].token;
            for (int p = 0; p < PITCHES; p++)
                h[k].alive[p] = 1;
        }
        err = follow(a, a->found + done, now, h);
        for (int k = 0; k < now && err == ERR_OK; k++)
            deliver(a, &a->found[done + k], &h[k], done + k);
    }
    free(block);
    free(h);
    return err;
}

enum err frames_suggest(struct model *m, const struct request *rq, const struct progress *p)
{
    struct asker a = { .m = m, .rq = rq, .p = p };
    int end = song_bar_of(rq->song, rq->at) + 1;
    if (rq->role == ROLE_DRUMS)
        return err_set(ERR_UNSUPPORTED, "suggestions are pitches: for the drums there are none");
    while (frames_between(m, rq->song, rq->at, song_bar_tick(rq->song, end)) < REACH + HELD + 2)
        end++;
    TRY(frames_scene_open(&a.scene, m, rq, rq->bar0, rq->role, rq->at, end));
    frames_rules_init(&a.rules, &a.scene, key_home(a.scene.key));
    a.token = xcalloc((size_t)a.scene.n + 1, sizeof *a.token);
    a.legal = xcalloc((size_t)m->vocab.n, sizeof *a.legal);
    a.biased = xcalloc((size_t)m->vocab.n, sizeof *a.biased);
    memcpy(a.token, a.scene.token, (size_t)a.scene.begin * sizeof *a.token);
    enum err err = find(&a);
    if (err == ERR_OK)
        err = answer(&a);
    free(a.token);
    free(a.found);
    free(a.legal);
    free(a.biased);
    frames_rules_fini(&a.rules);
    frames_scene_close(&a.scene);
    return err;
}
