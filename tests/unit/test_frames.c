/* The frames without training: their network against PyTorch, tokens and back, vocabularies and weight files that are
 * broken, and what takes and suggestions owe their request, on a small model of random weights. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ckpt.h"
#include "file.h"
#include "folder.h"
#include "hashed.h"
#include "on.h"
#include "mem.h"
#include "midi.h"
#include "model/frames_scene.h"
#include "model/kinds.h"
#include "opt.h"
#include "phrase.h"
#include "preset.h"
#include "samples.h"
#include "songs.h"
#include "str.h"
#include "takes.h"
#include "verb.h"

static struct device *device;

/* ---- the network of the original, against PyTorch ---- */

static int32_t *picked(const char *name, size_t n)
{
    float *u = hashed(name, n);
    int32_t *out = xcalloc(n, sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = (int32_t)(((double)u[i] + 1) * 101);
    free(u);
    return out;
}

static void original_agrees_with_pytorch(void **state)
{
    (void)state;
    enum { ROWS = 3, MOST = 64 };
    json_t *golden = json_load_file("tests/golden/frames.json", 0, NULL);
    struct net n = { .g = graph_new(), .p = params_new() };
    struct frames_graph f = frames_build(&n, &frames_original, ROWS);
    struct node *outputs[2 + MOST] = { f.loss, f.logits }, *leaves[MOST];
    int index[MOST], n_leaves = params_leaves(n.p, n.g, "", leaves, index, MOST);
    struct plan *plan;
    assert_non_null(golden);
    assert_int_equal(params_count(n.p), 819314);
    assert_int_equal(params_count(n.p), json_integer_value(json_object_get(golden, "params")));
    graph_grad(f.loss, leaves, n_leaves, outputs + 2);
    assert_int_equal(plan_new(device, n.g, outputs, 2 + n_leaves, NULL, &plan), ERR_OK);
    assert_int_equal(params_alloc(n.p, device, false), ERR_OK);
    for (size_t i = 0; i < params_n(n.p); i++) {
        size_t count = shape_count(params_shape(n.p, i));
        float *u = hashed(params_name(n.p, i), count);
        for (size_t k = 0; k < count; k++)
            u[k] *= 0.1f;
        on_write(device, params_value(n.p, i), u, count * sizeof *u);
        free(u);
    }
    int32_t *token = picked("tokens", ROWS * 50), *target = picked("targets", ROWS);
    params_bind(n.p, plan);
    plan_bind(plan, f.token, on_put(device, token, ROWS * 50 * sizeof *token));
    plan_bind(plan, f.target, on_put(device, target, ROWS * sizeof *target));
    assert_int_equal(plan_run(plan, NULL), ERR_OK);
    assert_true(fabs((double)on_float(device, plan_output(plan, 0)) - json_number_value(json_object_get(golden, "loss"))) < 1e-5);
    near_samples("logits", json_object_get(golden, "logits"), on_view(device, plan_output(plan, 1), ROWS * 202), ROWS * 202, 1e-5);
    for (int i = 0; i < n_leaves; i++) {
        const char *name = params_name(n.p, (size_t)index[i]);
        size_t count = shape_count(params_shape(n.p, (size_t)index[i]));
        near_samples(name, json_object_get(json_object_get(golden, "grads"), name),
                     on_view(device, plan_output(plan, 2 + i), count), count, 1e-4);
    }
    plan_free(plan);
    graph_free(n.g);
    params_free(n.p);
    free(token);
    free(target);
    json_decref(golden);
}

/* The configuration that ships under its name is that network. */
static void original_is_a_preset(void **state)
{
    (void)state;
    struct opts *o = opts_new(frames_kind.options, frames_kind.n_options);
    struct frames_net net;
    assert_int_equal(preset_load("assets/configs/frames-original.conf", "frames", o), ERR_OK);
    assert_int_equal(frames_net_from(o, frames_original.tokens, &net), ERR_OK);
    assert_true(net.embed == frames_original.embed && net.width == frames_original.width && net.hidden == frames_original.hidden);
    assert_true(net.window == frames_original.window && net.bar == frames_original.bar && net.dropout == frames_original.dropout);
    assert_string_equal(opts_text(o, "time"), "clock");
    opts_free(o);
}

/* ---- vocabularies ---- */

static struct frame_set set_of(const int *pitch, int n)
{
    struct frame_set s = { { 0, 0 } };
    for (int i = 0; i < n; i++)
        frame_set_add(&s, pitch[i]);
    return s;
}
#define CHORD(...) set_of((const int[]){ __VA_ARGS__ }, (int)(sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int)))

/* Every white key from C2 to C6, the triads on them and their octaves. */
static int some_chords(struct frame_set *set)
{
    static const int white[] = { 0, 2, 4, 5, 7, 9, 11 };
    int n = 0;
    for (int i = 0; i < 29; i++) {
        int p[3];
        for (int k = 0; k < 3; k++)
            p[k] = 36 + (i + 2 * k) / 7 * 12 + white[(i + 2 * k) % 7];
        set[n++] = CHORD(p[0]);
        set[n++] = CHORD(p[0], p[1], p[2]);
        set[n++] = CHORD(p[0], p[0] + 12);
    }
    return n;
}

static struct frame_vocab some_vocab(enum frame_time t)
{
    struct frame_set set[128] = { { { 0 } } };
    struct frame_vocab v;
    int first = t == FRAMES_BEATS ? 2 : 1, n = some_chords(set + first);
    assert_int_equal(frame_vocab_init(&v, t, set, n + 2), ERR_OK);
    return v;
}

static void nearest_keeps_the_outline(void **state)
{
    (void)state;
    const struct frame_set set[] = { { { 0 } }, { { 0 } }, CHORD(60), CHORD(48, 64, 72), CHORD(48, 72), CHORD(52, 55, 72),
                                     CHORD(48, 60), CHORD(55, 59, 62, 64) };
    const struct { struct frame_set from; int to; } rows[] = {
        { CHORD(60), 2 },              /* itself */
        { CHORD(48, 64, 67, 72), 3 },  /* top, bottom, most in common */
        { CHORD(48, 65, 72), 4 },      /* 64 is no better than nothing */
        { CHORD(50, 52, 55, 72), 5 },  /* the top is kept where both cannot be */
        { CHORD(48, 62), 6 },          /* else the bottom, and the nearer */
        { CHORD(59, 62, 65), 7 },      /* neither: common pitches */
        { CHORD(61), 2 },              /* nothing in common: the nearest */
    };
    struct frame_vocab v;
    assert_int_equal(frame_vocab_init(&v, FRAMES_BEATS, set, (int)COUNT_OF(set)), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(frame_token(&v, rows[i].from), rows[i].to);
    assert_int_equal(frame_token(&v, set[0]), 0);
    frame_vocab_fini(&v);
}

static void broken_vocabularies_are_refused(void **state)
{
    (void)state;
    struct frame_set set[5] = { { { 0 } }, { { 0 } }, CHORD(60), CHORD(61), CHORD(62, 65) };
    struct frame_vocab v;
    assert_int_equal(frame_vocab_init(&v, FRAMES_BEATS, set, 2), ERR_FORMAT);
    assert_int_equal(frame_vocab_init(&v, FRAMES_BEATS, set, VOCAB_MAX + 1), ERR_FORMAT);
    assert_int_equal(frame_vocab_init(&v, FRAMES_CLOCK, set, 5), ERR_FORMAT);   /* silence comes last there */
    set[3] = set[2];
    assert_int_equal(frame_vocab_init(&v, FRAMES_BEATS, set, 5), ERR_FORMAT);
    set[3] = CHORD(20);
    assert_int_equal(frame_vocab_init(&v, FRAMES_BEATS, set, 5), ERR_FORMAT);
    set[3] = CHORD(60, 109);
    assert_int_equal(frame_vocab_init(&v, FRAMES_BEATS, set, 5), ERR_FORMAT);
    set[3] = (struct frame_set){ { 0, 0 } };
    assert_int_equal(frame_vocab_init(&v, FRAMES_BEATS, set, 5), ERR_FORMAT);
    set[3] = CHORD(61);
    set[1] = CHORD(40);
    assert_int_equal(frame_vocab_init(&v, FRAMES_BEATS, set, 5), ERR_FORMAT);
}

/* ---- tokens ---- */

/* Any line a network may write: no hold after a rest, none that outlasts the longest note. */
static void random_line(struct rng *r, const struct frame_vocab *v, int32_t *token, int n)
{
    int rest = frame_rest(v), holds = 0;
    for (int i = 0; i < n; i++) {
        uint32_t u = rng_below(r, 10);
        bool hold = v->time == FRAMES_BEATS && u < 4 && i > 0 && token[i - 1] != rest && holds < 20;
        token[i] = hold ? FRAME_HOLD : u < 6 ? rest : (v->time == FRAMES_BEATS ? 2 : 1) + (int32_t)rng_below(r, (uint32_t)v->n - 2);
        holds = hold ? holds + 1 : 0;
        if (v->time == FRAMES_CLOCK && i > 0 && rng_below(r, 3) == 0)
            token[i] = token[i - 1];
    }
}

static void tokens_come_back(void **state)
{
    (void)state;
    enum { BARS = 8 };
    static const int metres[][2] = { { 4, 4 }, { 3, 8 }, { 5, 8 }, { 7, 16 }, { 4, 4 } };
    struct rng r;
    rng_init(&r, 5, 0);
    for (int round = 0; round < 60; round++) {
        struct frame_vocab v = some_vocab(round % 2 ? FRAMES_BEATS : FRAMES_CLOCK);
        struct song *s = song_new_band();
        struct frame_grid g;
        struct qnote *notes;
        uint32_t n;
        song_set_metre(s, 0, metres[round % 5][0], metres[round % 5][1]);
        song_set_tempo(s, 0, 60 + round);
        frame_grid_of_song(&g, v.time, s, 1, 3, BARS);
        int32_t *token = xcalloc((size_t)g.n, sizeof *token), *back = xcalloc((size_t)g.n, sizeof *back);
        random_line(&r, &v, token, g.n);
        frame_notes(&v, &g, token, 0, g.n, -3, &notes, &n);
        frame_tokens(&v, &g, notes, n, 3, back);
        for (int i = 0; i < g.n; i++)
            if (token[i] != back[i])
                fail_msg("round %d, frame %d of %d: %d came back as %d", round, i, g.n, token[i], back[i]);
        free(token);
        free(back);
        free(notes);
        frame_grid_fini(&g);
        frame_vocab_fini(&v);
        song_free(s);
    }
}

static void frames_lie_on_bars(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    struct frame_grid g;
    song_set_metre(s, 0, 3, 4);
    song_set_metre(s, 2 * 1440, 5, 8);
    frame_grid_of_song(&g, FRAMES_BEATS, s, 0, 0, 4);
    assert_int_equal(g.n, 12 + 12 + 10 + 10);
    assert_int_equal(g.column[24] * QUARTER_COL_TICKS, 2 * 1440);
    assert_int_equal(g.phase[11], 11);
    assert_int_equal(g.phase[12], 0);
    assert_int_equal(g.phase[33], 9);
    assert_int_equal(g.phase[34], 0);
    assert_int_equal(frame_at(&g, 4), 0);
    assert_int_equal(frame_at(&g, 5), 1);
    assert_int_equal(frame_at(&g, 1 << 20), g.n - 1);
    frame_grid_fini(&g);
    frame_grid_of_song(&g, FRAMES_CLOCK, s, 0, 1, 4); /* 1.5 s, then 1.5 + 2 x 1.25 */
    assert_int_equal(g.n, 8 + 20);
    assert_int_equal(g.column[8] * QUARTER_COL_TICKS, 1440); /* a frame begins with the span */
    frame_grid_fini(&g);
    song_free(s);
}

/* Two strokes of a key are two notes, by the clock too; one long note stays one. */
static void strokes_stay_apart(void **state)
{
    (void)state;
    for (enum frame_time t = FRAMES_CLOCK; t <= FRAMES_BEATS; t++) {
        struct frame_vocab v = some_vocab(t);
        struct song *s = song_new_band();
        const struct qnote notes[] = { { 0, 64, 60, 80 }, { 64, 64, 60, 80 }, { 160, 90, 64, 80 } };
        struct frame_grid g;
        struct qnote *back;
        uint32_t n;
        int32_t token[64];
        frame_grid_of_song(&g, t, s, 0, 0, 2);
        assert_in_range(g.n, 1, 64);
        frame_tokens(&v, &g, notes, COUNT_OF(notes), 0, token);
        frame_notes(&v, &g, token, 0, g.n, 0, &back, &n);
        assert_int_equal(n, 3);
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(back[i].pitch, notes[i].pitch);
            assert_true(abs(back[i].start - notes[i].start) <= 8);
            assert_true(abs(back[i].start + back[i].dur - notes[i].start - notes[i].dur) <= 20);
        }
        free(back);
        frame_grid_fini(&g);
        frame_vocab_fini(&v);
        song_free(s);
    }
}

static void lengths_follow_what_comes(void **state)
{
    (void)state;
    const struct frame_set set[] = { { { 0 } }, { { 0 } }, CHORD(60), CHORD(48), CHORD(64), CHORD(72), CHORD(67) };
    const struct { int32_t token[8]; int length; } rows[] = {
        { { 2, 1, 1, 0 }, 3 },          /* to the rest */
        { { 2, 1, 2, 1 }, 2 },          /* to its own pitch */
        { { 2, 3, 4, 1 }, 2 },          /* a third above it, not the octave below */
        { { 2, 5, 6, 1, 1, 1, 1, 1 }, 8 },
    };
    struct frame_vocab v;
    assert_int_equal(frame_vocab_init(&v, FRAMES_BEATS, set, (int)COUNT_OF(set)), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(frame_length(&v, rows[i].token, 0, 8, 60), rows[i].length);
    int32_t late[16] = { 2, 1, 1, 1, 1, 1, 1, 1, 1, 5, 1, 1, 1, 1, 1, 1 }; /* after a half, anything in its half ends it */
    assert_int_equal(frame_length(&v, late, 0, 16, 60), 9);
    late[9] = 3;
    assert_int_equal(frame_length(&v, late, 0, 16, 60), 16);
    frame_vocab_fini(&v);
}

/* ---- takes of a small model ---- */

static struct model *small_model(enum frame_time t)
{
    struct frame_vocab v = some_vocab(t);
    const struct frames_net net = { .tokens = v.n, .embed = 12, .width = 16, .hidden = 24, .window = 20, .bar = t == FRAMES_BEATS };
    struct model *m = frames_model_new(device, &net);
    m->vocab = v;
    assert_int_equal(frames_reader_new(m, NULL, &m->reader), ERR_OK);
    return m;
}

enum { TAKES = 96 };
struct answers { struct take take[TAKES]; int n; };

static void on_take(void *ctx, int index, struct take *t)
{
    struct answers *g = ctx;
    assert_int_equal(index, g->n);
    assert_in_range(index, 0, TAKES - 1);
    g->take[g->n++] = *t;
}

static struct answers ask(struct model *m, const struct request *rq)
{
    struct answers g = { .n = 0 };
    struct progress p = { .on_take = on_take, .ctx = &g };
    assert_int_equal(request_check(rq), ERR_OK);
    assert_int_equal(frames_kind.run(m, rq, &p), ERR_OK);
    return g;
}

static void forget(struct answers *g)
{
    for (int i = 0; i < g->n; i++)
        take_fini(&g->take[i]);
}

static void continues(void **state)
{
    for (int i = 0; i < 2; i++)
        takes_continue(&frames_kind, ((struct model **)*state)[i]);
}

static void kept_bars_stay(void **state)
{
    for (int i = 0; i < 2; i++)
        takes_keep(&frames_kind, ((struct model **)*state)[i]);
}

/* From nothing: a key that is asked for is heard in the first chord, and a run can be stopped. */
static void begins_in_its_key(void **state)
{
    struct song *s = song_new_band();
    for (int round = 0; round < 12; round++) {
        struct request rq;
        request_init(&rq, VERB_GENERATE, s);
        rq.seed = (uint64_t)round;
        rq.key = (struct key){ (int8_t)round, round % 2 };
        struct answers g = ask(((struct model **)*state)[round / 6], &rq);
        const struct track *t = song_track_of(g.take[0].song, ROLE_PIANO);
        bool tonic = false;
        assert_int_equal(t->notes[0].tick, 0);
        for (size_t i = 0; i < t->n && t->notes[i].tick == 0; i++)
            tonic |= t->notes[i].pitch % 12 == round;
        assert_true(tonic);
        forget(&g);
    }
    atomic_bool stop = true;
    struct request rq;
    request_init(&rq, VERB_GENERATE, s);
    assert_int_equal(frames_kind.run(*(struct model **)*state, &rq, &(struct progress){ .cancel = &stop }), ERR_CANCELLED);
    song_free(s);
}

/* A network on its own may not fall asleep: no more than seven frames go by without a stroke, and nothing is held on
 * after a rest. */
static void quiet_ends(void **state)
{
    for (int i = 0; i < 2; i++) {
        struct model *m = ((struct model **)*state)[i];
        struct song *s = takes_seed(4, 4, 1);
        struct request rq;
        struct frames_scene scene;
        struct frames_rules rules;
        float *logits = xcalloc((size_t)m->vocab.n, sizeof *logits), *biased = xcalloc((size_t)m->vocab.n, sizeof *biased);
        bool *legal = xcalloc((size_t)m->vocab.n, sizeof *legal), beats = m->vocab.time == FRAMES_BEATS;
        request_init(&rq, VERB_GENERATE, s);
        assert_int_equal(frames_scene_open(&scene, m, &rq, 0, ROLE_PIANO, 0, 4), ERR_OK);
        frames_rules_init(&rules, &scene, 0);
        int rest = frame_rest(&m->vocab), calm = beats ? FRAME_HOLD : rest, f = scene.begin + 1;
        scene.token[f - 1] = beats ? 2 : 1;
        for (int quiet = 0; quiet < 9; quiet++, f++) {
            frames_rules_at(&rules, &scene, scene.token, f, logits, legal, biased);
            assert_int_equal(legal[calm], quiet < 7);
            assert_int_equal(legal[rest], quiet < 7);
            assert_true(legal[2]);
            scene.token[f] = calm;
        }
        scene.token[scene.begin + 1] = rest;
        frames_rules_at(&rules, &scene, scene.token, scene.begin + 2, logits, legal, biased);
        assert_int_equal(legal[FRAME_HOLD], !beats); /* by the clock that is a chord like others */
        assert_true(legal[rest]);
        frames_rules_fini(&rules);
        frames_scene_close(&scene);
        free(logits);
        free(biased);
        free(legal);
        song_free(s);
    }
}

/* ---- suggestions ---- */

static double share_of(const struct take *t)
{
    assert_true(str_starts(t->params, "p="));
    return strtod(t->params + 2, NULL);
}

/* What a take added to the track; fails when it did anything else. */
static int added(const struct song *before, const struct take *t, const struct request *rq, struct note out[16])
{
    int n = 0;
    for (int r = 0; r < N_ROLES; r++) {
        const struct track *x = &before->tracks[r], *y = &t->song->tracks[r];
        for (size_t i = 0, k = 0; k < y->n; k++) {
            if (i < x->n && !memcmp(&x->notes[i], &y->notes[k], sizeof(struct note))) {
                i++;
                continue;
            }
            assert_int_equal(r, (int)rq->role);
            assert_true(y->notes[k].tick >= rq->at);
            assert_in_range(n, 0, 15);
            out[n++] = y->notes[k];
        }
    }
    assert_int_equal(n, (int)t->song->tracks[rq->role].n - (int)before->tracks[rq->role].n);
    return n;
}

static void suggests_different_things(void **state)
{
    static const struct { enum role role; int bars, at, takes; } rows[] = {
        { ROLE_PIANO, 5, 5 * 1920, 5 }, { ROLE_PIANO, 5, 5 * 1920 + 700, 20 }, { ROLE_BASS, 5, 960, 5 },
        { ROLE_STRINGS, 2, 3840, 1 }, { ROLE_GUITAR, 0, 0, 9 }, { ROLE_PIANO, 0, 7 * 1920 + 40, 5 },
    };
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        struct model *m = ((struct model **)*state)[i % 2];
        struct song *s = takes_seed(4, 4, rows[i / 2].bars);
        struct request rq;
        struct note notes[TAKES][16];
        int count[TAKES];
        request_suggest(&rq, s, rows[i / 2].role, rows[i / 2].at);
        rq.n_takes = rows[i / 2].takes;
        struct answers a = ask(m, &rq), b = ask(m, &rq);
        assert_int_equal(a.n, rq.n_takes);
        for (int k = 0; k < a.n; k++) {
            count[k] = added(s, &a.take[k], &rq, notes[k]);
            assert_true(count[k] > 0);
            assert_true(song_equal(a.take[k].song, b.take[k].song));
            assert_true(share_of(&a.take[k]) > 0 && (k == 0 || share_of(&a.take[k]) <= share_of(&a.take[k - 1])));
            for (int j = 1; j < count[k]; j++)
                assert_int_equal(notes[k][j].tick, notes[k][0].tick);
            for (int j = 0; j < k; j++) {
                bool same = count[j] == count[k];
                for (int x = 0; x < count[k] && same; x++)
                    same = notes[j][x].pitch == notes[k][x].pitch;
                assert_false(same);
            }
        }
        forget(&a);
        forget(&b);
        song_free(s);
    }
}

/* All chords there are, at every eighth of a bar that has notes: what stands there is not among them. */
static void suggests_what_is_not_there(void **state)
{
    struct song *s = takes_seed(4, 4, 3);
    for (int eighth = 0; eighth < 8; eighth++) {
        struct request rq;
        struct note notes[16];
        request_suggest(&rq, s, ROLE_PIANO, 1920 + 240 * eighth);
        rq.n_takes = 87;
        struct answers g = ask(*(struct model **)*state, &rq);
        assert_in_range(g.n, 80, 87);
        for (int k = 0; k < g.n; k++)
            assert_true(added(s, &g.take[k], &rq, notes) > 0);
        forget(&g);
    }
    song_free(s);
}

static void suggests_what_is_asked(void **state)
{
    struct song *s = takes_seed(4, 4, 3);
    for (int i = 0; i < 2; i++) {
        struct model *m = ((struct model **)*state)[i];
        struct request rq;
        struct note notes[16];
        request_suggest(&rq, s, ROLE_PIANO, 3 * 1920 - 120);
        rq.key = (struct key){ 4, false };
        rq.snap = true;
        rq.range[ROLE_PIANO] = (struct pitch_range){ 64, 80, true };
        rq.keep[ROLE_PIANO][1] = 1;
        struct answers g = ask(m, &rq);
        assert_true(g.n > 0);
        for (int k = 0; k < g.n; k++) {
            int n = added(s, &g.take[k], &rq, notes);
            for (int j = 0; j < n; j++) {
                assert_in_range(notes[j].pitch, 64, 80);
                assert_true(key_scale(rq.key) >> notes[j].pitch % 12 & 1);
                assert_true(notes[j].tick + notes[j].dur <= 3 * 1920 || notes[j].tick >= 4 * 1920); /* not in the kept bar */
            }
        }
        forget(&g);
        rq.role = ROLE_DRUMS;
        assert_int_equal(frames_kind.run(m, &rq, &(struct progress){ 0 }), ERR_UNSUPPORTED);
        rq.role = ROLE_PIANO;
        rq.range[ROLE_PIANO] = (struct pitch_range){ 120, 127, true };
        assert_int_equal(frames_kind.run(m, &rq, &(struct progress){ 0 }), ERR_EMPTY);
    }
    song_free(s);
}

/* ---- training and weight files ---- */

static struct dataset *made_data(const char *dir)
{
    char path[128], pieces[100]; /* what is held out goes by names, so the folder has always the same */
    struct dataset_opts o;
    str_format(pieces, sizeof pieces, "%s/pieces", dir);
    assert_int_equal(file_mkdirs(pieces), ERR_OK);
    for (int k = 0; k < 6; k++) {
        struct song *s = takes_seed(4, 4, 12);
        for (size_t i = 0; i < s->tracks[ROLE_PIANO].n; i++)
            s->tracks[ROLE_PIANO].notes[i].pitch = (uint8_t)(s->tracks[ROLE_PIANO].notes[i].pitch + (i % (size_t)(k + 2)));
        track_tidy(&s->tracks[ROLE_PIANO]);
        str_format(path, sizeof path, "%s/piece%d.mid", pieces, k);
        assert_int_equal(midi_save(s, NULL, path), ERR_OK);
        song_free(s);
    }
    dataset_opts_init(&o);
    o.works = true;
    o.held_out = 0.2;
    str_format(path, sizeof path, "%s/works", dir);
    return songs_data(pieces, &o, path);
}

static struct opts *small_options(const char *time)
{
    static const char *const values[][2] = { { "window", "12" }, { "embed", "8" }, { "width", "8" }, { "hidden", "8" },
                                             { "rows", "8" }, { "warmup", "2" }, { "lr", "0.01" }, { "chords", "40" } };
    struct opts *o = opts_new(frames_kind.options, frames_kind.n_options);
    for (size_t i = 0; i < COUNT_OF(values); i++)
        assert_int_equal(opts_set(o, values[i][0], values[i][1]), ERR_OK);
    assert_int_equal(opts_set(o, "time", time), ERR_OK);
    return o;
}

/* Every byte of the header and of the vocabulary turned over: an answer each time, mostly a refusal. */
static void open_broken(const char *path)
{
    uint8_t *bytes;
    size_t len;
    struct rng r;
    int refused = 0, tried = 0;
    assert_int_equal(file_read(path, 1 << 24, &bytes, &len), ERR_OK);
    rng_init(&r, 8, 0);
    for (int round = 0; round < 400; round++) {
        size_t at = rng_below(&r, (uint32_t)(round % 2 ? len : 2500));
        uint8_t old = bytes[at];
        struct ckpt *c;
        struct model *m;
        bytes[at] ^= (uint8_t)(1u << rng_below(&r, 8));
        enum err err = ckpt_parse(bytes, len, "mutated", &c);
        if (err == ERR_OK) {
            err = frames_kind.open(device, c, &m);
            if (err == ERR_OK)
                frames_kind.close(m);
            ckpt_close(c);
        }
        refused += err != ERR_OK;
        tried++;
        bytes[at] = old;
    }
    assert_in_range(refused, tried / 8, tried);
    free(bytes);
}

static void learns_and_is_saved(void **state)
{
    (void)state;
    enum { STEPS = 80, BREAK = 40, LATE = 20 };
    static const char *const times[] = { "beats", "clock" };
    char dir[] = "/tmp/test_frames_XXXXXX", path[80];
    assert_non_null(mkdtemp(dir));
    struct dataset *data = made_data(dir);
    str_format(path, sizeof path, "%s/checkpoint", dir);
    for (size_t k = 0; k < COUNT_OF(times); k++) {
        struct opts *o = small_options(times[k]);
        struct model *m, *resumed = NULL, *shipped;
        struct ckpt *c;
        double losses[4], again[4], first = 0, late = 0, held_out[4];
        assert_int_equal(frames_kind.train_open(device, o, data, NULL, &m), ERR_OK);
        frames_kind.train_horizon(m, 1000);
        for (int i = 0; i < STEPS; i++) {
            if (i == BREAK) {
                assert_int_equal(frames_kind.train_save(m, path, false, NULL, 0), ERR_OK);
                assert_int_equal(ckpt_open(path, &c), ERR_OK);
                assert_int_equal(frames_kind.train_open(device, o, data, c, &resumed), ERR_OK);
                frames_kind.train_horizon(resumed, 1000);
                ckpt_close(c);
            }
            assert_int_equal(frames_kind.train_step(m, i, losses), ERR_OK);
            if (resumed) {
                assert_int_equal(frames_kind.train_step(resumed, i, again), ERR_OK);
                if (i >= BREAK + RECENT_LAG) /* what a GPU tells is of a step that both made */
                    assert_true(again[0] == losses[0]); /* a resumed run is the unbroken one */
            }
            first = i == 0 ? losses[0] : first;
            late += i >= STEPS - LATE ? losses[0] : 0;
        }
        if (late / LATE >= 0.8 * first)
            fail_msg("by %s the loss went from %g to %g", times[k], first, late / LATE);
        assert_int_equal(frames_kind.train_samples(m), STEPS * 8);
        assert_int_equal(frames_kind.train_eval(m, held_out), ERR_OK);
        assert_true(held_out[0] > 0 && held_out[0] < 1.2 * first);
        assert_int_equal(frames_kind.train_save(m, path, true, NULL, 0), ERR_OK);
        assert_int_equal(ckpt_open(path, &c), ERR_OK);
        assert_int_equal(frames_kind.open(device, c, &shipped), ERR_OK);
        assert_int_equal(shipped->vocab.n, m->vocab.n);
        assert_memory_equal(shipped->vocab.set, m->vocab.set, (size_t)m->vocab.n * sizeof *m->vocab.set);
        struct measures out = { 0 };
        const struct measure_opts mo = { .n = 3, .temperature = 1, .top_p = 1 };
        assert_int_equal(frames_kind.evaluate(shipped, data, &mo, &out), ERR_OK);
        assert_true(out.n > 8);
        for (size_t i = 0; i < out.n; i++)
            assert_true(isfinite(out.at[i].value) && out.at[i].value >= 0);
        free(out.at);
        frames_kind.close(shipped);
        ckpt_close(c);
        open_broken(path);
        frames_kind.close(m);
        frames_kind.close(resumed);
        opts_free(o);
    }
    dataset_close(data);
    folder_remove(dir);
}

/* A file without a vocabulary, with another's, with one of no shape or kind. */
static void weights_need_their_vocabulary(void **state)
{
    struct model *m = *(struct model **)*state;
    char path[] = "/tmp/test_frames_XXXXXX";
    int32_t words[4 * 128] = { 0 };
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (int i = 0; i < 4 * m->vocab.n; i++)
        words[i] = (int32_t)(m->vocab.set[i / 4].key[i % 4 / 2] >> 32 * (i % 2));
    const struct { const char *time; enum dtype type; int rows, columns; const char *width; enum err err; } rows[] = {
        { "beats", I32, m->vocab.n, 4, "16", ERR_OK },         { NULL, I32, m->vocab.n, 4, "16", ERR_FORMAT },
        { "noon", I32, m->vocab.n, 4, "16", ERR_FORMAT },      { "clock", I32, m->vocab.n, 4, "16", ERR_FORMAT },
        { "beats", F32, m->vocab.n, 4, "16", ERR_FORMAT },     { "beats", I32, m->vocab.n * 2, 2, "16", ERR_FORMAT },
        { "beats", I32, 0, 0, "16", ERR_FORMAT },              { "beats", I32, m->vocab.n - 1, 4, "16", ERR_SHAPE },
        { "beats", I32, m->vocab.n, 4, "17", ERR_SHAPE },      { "beats", I32, m->vocab.n, 4, "-3", ERR_FORMAT },
        { "beats", I32, m->vocab.n, 4, "1e99", ERR_FORMAT },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ckpt_writer *w = ckpt_writer_new();
        struct ckpt *c;
        struct model *opened;
        ckpt_writer_meta(w, "family", "frames");
        if (rows[i].time)
            ckpt_writer_meta(w, "option.time", rows[i].time);
        ckpt_writer_meta(w, "option.embed", "12");
        ckpt_writer_meta(w, "option.hidden", "24");
        ckpt_writer_meta(w, "option.window", "20");
        ckpt_writer_meta(w, "option.width", rows[i].width);
        if (rows[i].rows)
            ckpt_writer_add(w, "vocabulary", rows[i].type, SHAPE(rows[i].rows, rows[i].columns), words);
        ckpt_add_params(w, m->params, device);
        assert_int_equal(ckpt_writer_save(w, path), ERR_OK);
        assert_int_equal(ckpt_open(path, &c), ERR_OK);
        enum err err = frames_kind.open(device, c, &opened);
        if (err != rows[i].err)
            fail_msg("row %zu: %s", i, err == ERR_OK ? "opened" : err_text());
        if (err == ERR_OK)
            frames_kind.close(opened);
        ckpt_close(c);
    }
    unlink(path);
}

static struct model *models[2];

static int open_all(void **state)
{
    on_open(2, &device);
    models[0] = small_model(FRAMES_BEATS);
    models[1] = small_model(FRAMES_CLOCK);
    *state = models;
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    frames_model_free(models[0]);
    frames_model_free(models[1]);
    on_close(device);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(original_agrees_with_pytorch), cmocka_unit_test(original_is_a_preset),
        cmocka_unit_test(nearest_keeps_the_outline),
        cmocka_unit_test(broken_vocabularies_are_refused), cmocka_unit_test(tokens_come_back),
        cmocka_unit_test(frames_lie_on_bars), cmocka_unit_test(strokes_stay_apart),
        cmocka_unit_test(lengths_follow_what_comes), cmocka_unit_test(continues), cmocka_unit_test(kept_bars_stay),
        cmocka_unit_test(begins_in_its_key), cmocka_unit_test(quiet_ends), cmocka_unit_test(suggests_different_things),
        cmocka_unit_test(suggests_what_is_not_there), cmocka_unit_test(suggests_what_is_asked), cmocka_unit_test(learns_and_is_saved),
        cmocka_unit_test(weights_need_their_vocabulary),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
