/* test_transfer.c: songs to pictures and back by painters that are known: one that changes nothing gives every note
 * back; strength, melody lock, kept cells, other metres, length, and who gets what is new. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mem.h"
#include "model/transfer.h"
#include "rng.h"
#include "song.h"
#include "theory.h"
#include "verb.h"

enum { BAR = 1920, SONGS = 24 };

/* ---- songs and painters ---- */

/* Tracks of every kind, played off the grid, with notes that overlap, are doubled, ring on, or lie outside the picture. */
static struct song *played(uint64_t seed, int n_bars)
{
    static const enum role roles[] = {ROLE_PIANO, ROLE_DRUMS, ROLE_BASS, ROLE_STRINGS, ROLE_GUITAR, ROLE_PIANO};
    static const int low[] = {55, 36, 16, 50, 40, 70}, width[] = {30, 12, 24, 30, 20, 45}, loose[] = {50, 20, 9, 0, 59, 30};
    struct song *s = song_new();
    struct rng r;
    rng_init(&r, seed, 0);
    for (int k = 0; k < 6; k++) {
        struct track *t = song_add_track(s, "", roles[k]);
        for (int i = 0; i < n_bars * 6; i++) {
            int32_t tick = (int32_t)rng_below(&r, (uint32_t)n_bars * 16) * 120 - loose[k] + (int32_t)rng_below(&r, 2 * (uint32_t)loose[k] + 1);
            track_push(t, (struct note){tick < 0 ? 0 : tick, 1 + (int32_t)rng_below(&r, 900),
                                        (uint8_t)(low[k] + (int)rng_below(&r, (uint32_t)width[k])), (uint8_t)(1 + rng_below(&r, 127))});
        }
        track_sort(t);
    }
    s->tracks[5].program = 118; /* unpitched */
    return s;
}

/* The five roles, each within its register and one note at a time, legato, on the grid. */
static struct song *tidy_band(uint64_t seed, int n_bars)
{
    static const int low[N_ROLES] = {36, 62, 50, 30, 76};
    struct song *s = song_new_band();
    struct rng r;
    rng_init(&r, seed, 7);
    for (int k = 0; k < N_ROLES; k++)
        for (int i = 0; i < n_bars * 8; i++)
            track_push(&s->tracks[k], (struct note){i * 240, 240, (uint8_t)(low[k] + (int)rng_below(&r, 9)),
                                                    (uint8_t)(50 + 10 * k)});
    for (int k = 0; k < N_ROLES; k++)
        track_tidy(&s->tracks[k]);
    return s;
}

typedef void (*cell_fn)(const uint8_t *grid, int from, float *out);
struct brush { cell_fn fn; int calls, grids, last_from; };

static enum err paint(void *ctx, const uint8_t *grids, int n, int from, float *out, const atomic_bool *cancel)
{
    struct brush *b = ctx;
    (void)cancel;
    for (int i = 0; i < n; i++)
        b->fn(grids + (size_t)i * GRID_CELLS, from, out + (size_t)i * GRID_CELLS);
    b->calls++;
    b->grids += n;
    b->last_from = from;
    return ERR_OK;
}

static void same(const uint8_t *g, int from, float *out)
{
    (void)from;
    for (int i = 0; i < GRID_CELLS; i++)
        out[i] = g[i] ? 0.9f : 0.1f;
}

static void silence(const uint8_t *g, int from, float *out)
{
    (void)g, (void)from;
    memset(out, 0, GRID_CELLS * sizeof *out);
}

/* Any cell may come or go, one of eight likely to. */
static void hashed(const uint8_t *g, int from, float *out)
{
    uint64_t h = (uint64_t)from;
    for (int i = 0; i < GRID_CELLS; i++)
        h = rng_hash(h, g[i]);
    for (int i = 0; i < GRID_CELLS; i++) {
        float x = (float)(rng_hash(h, (uint64_t)i) >> 40) / (1 << 24);
        out[i] = x < 0.125f ? 1 - g[i] + (g[i] ? 4 : -4) * x : g[i];
    }
}

/* Up a semitone on the way to B, down on the way to A. */
static void shift(const uint8_t *g, int from, float *out)
{
    int up = from ? -1 : 1;
    for (int c = 0; c < GRID_STEPS; c++)
        for (int row = 0; row < GRID_PITCHES; row++)
            out[c * GRID_PITCHES + row] = row - up >= 0 && row - up < GRID_PITCHES && g[c * GRID_PITCHES + row - up];
}

/* Doubles everything a whole tone above. */
static void doubled(const uint8_t *g, int from, float *out)
{
    (void)from;
    for (int c = 0; c < GRID_STEPS; c++)
        for (int row = 0; row < GRID_PITCHES; row++) {
            int i = c * GRID_PITCHES + row;
            out[i] = g[i] || (row >= 2 && g[i - 2]);
        }
}

struct got { struct take take[32]; int n; double last; };

static void on_take(void *ctx, int index, struct take *take)
{
    struct got *g = ctx;
    assert_int_equal(index, g->n);
    g->take[g->n++] = *take;
}

static void on_step(void *ctx, double x)
{
    struct got *g = ctx;
    assert_true(x >= g->last && x <= 1);
    g->last = x;
}

static struct request ask(const struct song *s)
{
    struct request rq;
    request_init(&rq, VERB_TRANSFER, s);
    rq.genre = 1;
    return rq;
}

static enum err run_with(cell_fn fn, const struct request *rq, struct got *g, struct brush *b)
{
    *b = (struct brush){.fn = fn};
    *g = (struct got){0};
    struct painter p = {b, paint, {"classical", "jazz"}, "painter", "00"};
    struct progress progress = {.on_take = on_take, .on_step = on_step, .ctx = g};
    assert_int_equal(request_check(rq), ERR_OK);
    return transfer_run(&p, rq, &progress);
}

static struct got run(cell_fn fn, const struct request *rq)
{
    struct brush b;
    struct got g;
    assert_int_equal(run_with(fn, rq, &g, &b), ERR_OK);
    assert_int_equal(g.n, rq->n_takes);
    assert_true(g.last > 0.999);
    return g;
}

static void got_free(struct got *g)
{
    for (int i = 0; i < g->n; i++)
        take_fini(&g->take[i]);
}

static bool same_note(const struct note *a, const struct note *b)
{
    return a->tick == b->tick && a->dur == b->dur && a->pitch == b->pitch && a->vel == b->vel;
}

static bool has_note(const struct track *t, const struct note *n)
{
    for (size_t i = track_first_at(t, n->tick); i < t->n && t->notes[i].tick == n->tick; i++)
        if (same_note(&t->notes[i], n))
            return true;
    return false;
}

static void check_same_track(const struct track *a, const struct track *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++)
        assert_true(same_note(&a->notes[i], &b->notes[i]));
}

/* ---- pictures ---- */

static void test_identity(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SONGS; seed++) {
        struct song *s = played(seed, 3 + (int)seed);
        if (seed % 3 == 0)
            song_set_metre(s, 2 * BAR, 3, 4);
        if (seed % 6 == 0)
            song_set_metre(s, 2 * BAR + 3 * 1440, 4, 4);
        struct request rq = ask(s);
        rq.lock_melody = seed % 2;
        rq.n_takes = 14;
        struct got g = run(same, &rq);
        for (int i = 0; i < g.n; i++) {
            assert_true(song_equal(g.take[i].song, s));
            assert_false(g.take[i].empty);
        }
        got_free(&g);
        song_free(s);
    }
}

/* No note that was not there meets another of its pitch. */
static void check_no_new_overlap(const struct track *t, const struct track *was)
{
    for (size_t i = 0; i < t->n; i++)
        for (size_t k = i + 1; k < t->n && t->notes[k].tick < t->notes[i].tick + t->notes[i].dur; k++)
            if (t->notes[k].pitch == t->notes[i].pitch)
                assert_true(has_note(was, &t->notes[i]) && has_note(was, &t->notes[k]));
}

/* What the song becomes has the picture that was painted, and drums and unpitched tracks as they were. */
static void test_picture(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SONGS; seed++) {
        struct song *s = played(seed, 8), *tidy = tidy_band(seed, 8);
        const struct song *songs[] = {s, tidy};
        for (int k = 0; k < 2; k++) {
            struct request rq = ask(songs[k]), back;
            struct picture *p, *q;
            struct brush b = {.fn = hashed};
            float prob[2 * GRID_CELLS];
            assert_int_equal(picture_new(&rq, &p), ERR_OK);
            assert_int_equal(p->n, 1);
            for (int w = 0; w < 2; w++)
                assert_int_equal(paint(&b, p->at[0].was + w * GRID_CELLS, 1, 0, prob + w * GRID_CELLS, NULL), ERR_OK);
            stretch_paint(&p->at[0], 0, 2 * GRID_STEPS, prob, 1);
            struct song *out = picture_song(p, &rq);
            back = ask(out);
            assert_int_equal(picture_new(&back, &q), ERR_OK);
            int differ = 0, n = p->at[0].n_steps < q->at[0].n_steps ? p->at[0].n_steps : q->at[0].n_steps;
            for (int i = 0; i < n * GRID_PITCHES; i++)
                differ += p->at[0].now[i] != q->at[0].was[i];
            assert_true(k ? differ == 0 : differ < n * GRID_PITCHES / 1000);
            for (size_t t = 0; t < songs[k]->n_tracks; t++) {
                if (k == 0 && (t == 1 || t == 5))
                    check_same_track(&out->tracks[t], &s->tracks[t]);
                check_no_new_overlap(&out->tracks[t], &songs[k]->tracks[t]);
            }
            song_free(out);
            picture_free(p);
            picture_free(q);
        }
        song_free(s);
        song_free(tidy);
    }
}

/* Notes of `a` that `b` has not. */
static long missing(const struct song *a, const struct song *b)
{
    long n = 0;
    for (size_t k = 0; k < a->n_tracks; k++)
        for (size_t i = 0; i < a->tracks[k].n; i++)
            n += !has_note(&b->tracks[k], &a->tracks[k].notes[i]);
    return n;
}

static void test_strength(void **state)
{
    (void)state;
    struct song *s = tidy_band(3, 12);
    enum { LEVELS = 11, STEPS = 12 * GRID_BAR };
    struct picture *p[LEVELS];
    struct request rq = ask(s);
    long changed[LEVELS] = {0};
    for (int k = 0; k < LEVELS; k++) {
        assert_int_equal(picture_new(&rq, &p[k]), ERR_OK);
        for (int w = 0; w < 3; w++) {
            float prob[GRID_CELLS];
            hashed(p[k]->at[0].was + w * GRID_CELLS, 0, prob);
            stretch_paint(&p[k]->at[0], w * GRID_STEPS, GRID_STEPS, prob, k / 10.0);
        }
        for (int i = 0; i < STEPS * GRID_PITCHES; i++) {
            bool now = p[k]->at[0].now[i] != p[k]->at[0].was[i];
            bool before = k > 0 && p[k - 1]->at[0].now[i] != p[k - 1]->at[0].was[i];
            assert_true(now || !before); /* what changed stays changed */
            changed[k] += now;
        }
        assert_true(k == 0 ? changed[0] == 0 : changed[k] > changed[k - 1]);
    }
    float prob[GRID_CELLS], done = 1, open = 0; /* what changes is what the painter is surest of */
    hashed(p[0]->at[0].was, 0, prob);
    for (int i = 0; i < GRID_CELLS; i++) {
        int was = p[0]->at[0].was[i], up = i % GRID_PITCHES;
        float sure = (prob[i] > 0.5f) == was ? 0.5f : was ? 1 - prob[i] : prob[i];
        bool alone = !was && i >= GRID_PITCHES && i < GRID_CELLS - GRID_PITCHES && up > 0 && prob[i - GRID_PITCHES] < 0.5f &&
                     prob[i + GRID_PITCHES] < 0.5f;
        if (!alone || sure <= 0.5f)
            continue;
        bool now = p[5]->at[0].now[i];
        done = now && sure < done ? sure : done;
        open = !now && sure > open ? sure : open;
    }
    assert_true(open > 0.5f && done < 1 && done >= open);
    for (int k = 0; k < LEVELS; k++) {
        assert_true(labs(changed[k] * 10 - changed[10] * k) < 10 * 3 * 8); /* a run a phrase may go beyond */
        picture_free(p[k]);
    }
    for (int k = 0; k < 2; k++) {
        rq.strength = k;
        struct got g = run(hashed, &rq);
        assert_true(song_equal(g.take[0].song, s) == (k == 0));
        assert_true(k == 0 || missing(s, g.take[0].song) > 20);
        got_free(&g);
    }
    rq.strength = 1.5;
    assert_int_equal(request_check(&rq), ERR_RANGE);
    song_free(s);
}

/* ---- what may not change ---- */

/* The upper line of tidy_band is the strings'. */
static void test_melody(void **state)
{
    (void)state;
    struct song *s = tidy_band(4, 8);
    s->tracks[ROLE_STRINGS].notes[9].dur = 200;   /* articulation stays */
    track_clear(&s->tracks[ROLE_STRINGS], 4 * BAR, 4 * BAR + 960); /* the accompaniment does not become the melody */
    struct request rq = ask(s);
    rq.lock_melody = true;
    struct got g = run(silence, &rq);
    check_same_track(&g.take[0].song->tracks[ROLE_STRINGS], &s->tracks[ROLE_STRINGS]);
    check_same_track(&g.take[0].song->tracks[ROLE_DRUMS], &s->tracks[ROLE_DRUMS]);
    for (int k = ROLE_PIANO; k < ROLE_STRINGS; k++)
        assert_int_equal(g.take[0].song->tracks[k].n, 0);
    got_free(&g);
    struct picture *p;
    static const float nothing[GRID_CELLS];
    assert_int_equal(picture_new(&rq, &p), ERR_OK);
    stretch_paint(&p->at[0], 0, GRID_STEPS, nothing, 1);
    for (int i = 0; i < GRID_CELLS; i++)
        assert_int_equal(p->at[0].now[i], p->at[0].held[i]);
    picture_free(p);
    rq.strength = 0.5;                            /* half of what may change */
    g = run(silence, &rq);
    check_same_track(&g.take[0].song->tracks[ROLE_STRINGS], &s->tracks[ROLE_STRINGS]);
    long n = 0, all = 0;
    for (int k = ROLE_PIANO; k < ROLE_STRINGS; k++) {
        n += (long)g.take[0].song->tracks[k].n;
        all += (long)s->tracks[k].n;
    }
    assert_true(labs(2 * n - all) < 16);
    got_free(&g);
    rq.strength = 1;
    g = run(doubled, &rq);
    const struct track *line = &s->tracks[ROLE_STRINGS];
    for (size_t i = 0; i < line->n; i++) {
        assert_true(has_note(&g.take[0].song->tracks[ROLE_STRINGS], &line->notes[i]));
        for (int k = ROLE_PIANO; k < N_ROLES; k++) {
            const struct track *t = &g.take[0].song->tracks[k];
            for (size_t j = 0; j < t->n; j++)
                if (t->notes[j].tick < line->notes[i].tick + line->notes[i].dur &&
                    t->notes[j].tick + t->notes[j].dur > line->notes[i].tick)
                    assert_true(t->notes[j].pitch <= line->notes[i].pitch);
        }
    }
    assert_true(missing(g.take[0].song, s) > 50); /* below it there is more than there was */
    got_free(&g);
    song_free(s);
}

/* Every painter, random flags: what began in a kept cell is there as it was, and nothing else begins there. */
static void test_kept(void **state)
{
    (void)state;
    static const cell_fn painters[] = {hashed, silence, doubled, shift};
    for (uint64_t seed = 0; seed < SONGS; seed++) {
        struct song *s = played(seed, 8);
        struct request rq = ask(s);
        struct rng r;
        rng_init(&r, seed, 3);
        for (int k = 0; k < N_ROLES; k++)
            for (int bar = 0; bar < 8; bar++)
                rq.keep[k][bar] = rng_below(&r, 2) == 0;
        rq.silent[ROLE_GUITAR] = seed % 2;
        rq.bar0 = 1;
        rq.n_bars = 6;
        struct got g = run(painters[seed % 4], &rq);
        const struct song *out = g.take[0].song;
        for (size_t k = 0; k < s->n_tracks; k++)
            for (int way = 0; way < 2; way++) {
                const struct track *a = way ? &out->tracks[k] : &s->tracks[k], *b = way ? &s->tracks[k] : &out->tracks[k];
                for (size_t i = 0; i < a->n; i++)
                    if (!transfer_may_change(&rq, &s->tracks[k], a->notes[i].tick / BAR))
                        assert_true(has_note(b, &a->notes[i]));
            }
        for (size_t k = 0; k < s->n_tracks; k++) /* nor does a new note ring into one */
            for (size_t i = 0; i < out->tracks[k].n; i++) {
                const struct note *n = &out->tracks[k].notes[i];
                for (int bar = n->tick / BAR + 1; bar * BAR < n->tick + n->dur && bar < 7; bar++)
                    assert_true(transfer_may_change(&rq, &s->tracks[k], bar) || has_note(&s->tracks[k], n) || n->dur < 900);
            }
        got_free(&g);
        song_free(s);
    }
}

/* With snap no new note leaves the key: the one that was given, or the music's own. */
static void test_key(void **state)
{
    (void)state;
    static const int white[] = {0, 2, 4, 5, 7, 9, 11};
    struct song *s = tidy_band(9, 8);
    for (int k = ROLE_PIANO; k < N_ROLES; k++)
        for (size_t i = 0; i < s->tracks[k].n; i++)
            s->tracks[k].notes[i].pitch = (uint8_t)(s->tracks[k].notes[i].pitch / 12 * 12 + white[(i + i / 7) % 7]);
    struct request rq = ask(s);
    for (int way = 0; way < 3; way++) {
        rq.snap = way > 0;
        rq.key = (struct key){.tonic = way == 2 ? 1 : -1};
        uint16_t scale = way == 2 ? key_scale(rq.key) : 0xab5;
        long strange = 0, n_new = 0;
        struct got g = run(hashed, &rq);
        for (int k = ROLE_PIANO; k < N_ROLES; k++)
            for (size_t i = 0; i < g.take[0].song->tracks[k].n; i++) {
                const struct note *n = &g.take[0].song->tracks[k].notes[i];
                bool had = false;
                for (size_t j = 0; j < s->tracks[k].n; j++)
                    had |= s->tracks[k].notes[j].pitch == n->pitch && s->tracks[k].notes[j].tick <= n->tick &&
                           s->tracks[k].notes[j].tick + s->tracks[k].notes[j].dur > n->tick;
                n_new += !had;
                strange += !had && !(scale >> n->pitch % 12 & 1);
            }
        assert_true(n_new > 100 && (way == 0 ? strange > 100 : strange == 0));
        got_free(&g);
    }
    song_free(s);
}

static void test_metre(void **state)
{
    (void)state;
    struct song *s = tidy_band(5, 10);
    struct brush b;
    struct got g;
    song_set_metre(s, 0, 3, 4);
    struct request rq = ask(s);
    assert_int_equal(run_with(same, &rq, &g, &b), ERR_UNSUPPORTED);
    song_set_metre(s, 2 * 1440, 4, 4);
    song_set_metre(s, 2 * 1440 + 3 * BAR, 3, 4);
    rq = ask(s);
    g = run(silence, &rq);
    for (int k = 0; k < N_ROLES; k++) { /* the bars of 3/4 are what they were, the others are empty */
        const struct track *t = &g.take[0].song->tracks[k];
        for (size_t i = 0; i < s->tracks[k].n; i++) {
            const struct note *n = &s->tracks[k].notes[i];
            bool inside = n->tick >= 2 * 1440 && n->tick < 2 * 1440 + 3 * BAR;
            assert_int_equal(has_note(t, n), k == ROLE_DRUMS || !inside);
        }
    }
    got_free(&g);
    song_free(s);
    s = song_new_band();
    rq = ask(s);
    assert_int_equal(run_with(same, &rq, &g, &b), ERR_EMPTY);
    track_add(&s->tracks[ROLE_PIANO], (struct note){0, 480, 60, 80});
    memset(rq.keep, 1, sizeof rq.keep);
    assert_int_equal(run_with(same, &rq, &g, &b), ERR_EMPTY);
    memset(rq.keep, 0, sizeof rq.keep);
    rq.genre = -1;
    assert_int_equal(run_with(same, &rq, &g, &b), ERR_RANGE);
    song_free(s);
}

/* ---- takes ---- */

static void test_long(void **state)
{
    (void)state;
    struct song *s = tidy_band(6, 301);
    struct request rq = ask(s);
    struct brush b;
    struct got g;
    rq.n_bars = 301; /* the last phrase is one bar */
    memset(rq.keep[ROLE_BASS], 1, sizeof rq.keep[ROLE_BASS]);
    assert_int_equal(run_with(shift, &rq, &g, &b), ERR_OK);
    assert_int_equal(b.grids, 76);
    assert_int_equal(b.last_from, 0);
    check_same_track(&g.take[0].song->tracks[ROLE_BASS], &s->tracks[ROLE_BASS]);
    const struct track *was = &s->tracks[ROLE_STRINGS], *now = &g.take[0].song->tracks[ROLE_STRINGS];
    for (size_t i = 0, k = 0; i < was->n; i++) { /* a semitone up; strokes of one key in a row are one to the picture */
        while (k + 1 < now->n && now->notes[k + 1].tick <= was->notes[i].tick)
            k++;
        assert_int_equal(now->notes[k].pitch, was->notes[i].pitch + 1);
        assert_true(now->notes[k].tick + now->notes[k].dur >= was->notes[i].tick + was->notes[i].dur);
    }
    got_free(&g);
    song_free(s);
}

static void test_takes(void **state)
{
    (void)state;
    struct song *s = tidy_band(7, 6);
    struct request rq = ask(s);
    rq.n_takes = 16;
    struct got g = run(doubled, &rq); /* the same in any key and at any bar */
    for (int i = 1; i < g.n; i++)
        assert_true(song_equal(g.take[i].song, g.take[0].song));
    got_free(&g);
    g = run(hashed, &rq);
    for (int i = 0; i < g.n; i++)
        for (int k = 0; k < i; k++)
            assert_false(song_equal(g.take[i].song, g.take[k].song));
    assert_non_null(strstr(g.take[1].params, "genre=jazz strength=1.00 heard=+1,0"));
    got_free(&g);
    rq.and_back = true;
    g = run(shift, &rq);
    assert_true(song_equal(g.take[0].song, s));
    got_free(&g);
    atomic_bool cancel = true;
    struct brush b = {.fn = same};
    struct painter p = {&b, paint, {"a", "b"}, "painter", "00"};
    struct progress progress = {.cancel = &cancel};
    assert_int_equal(transfer_run(&p, &rq, &progress), ERR_CANCELLED);
    song_free(s);
}

/* New notes go where they lie well, as loud as their neighbours; a note that goes on is the note it was. */
static void test_given(void **state)
{
    (void)state;
    struct song *s = tidy_band(8, 4);
    struct request rq = ask(s);
    struct got g = run(doubled, &rq);
    long n_new = 0;
    for (int k = ROLE_PIANO; k < N_ROLES; k++) {
        const struct track *t = &g.take[0].song->tracks[k];
        assert_true(t->n >= s->tracks[k].n);
        for (size_t i = 0; i < t->n; i++) {
            if (has_note(&s->tracks[k], &t->notes[i]))
                continue;
            n_new++;
            assert_int_equal(t->notes[i].dur % 240, 0);
            assert_in_range(t->notes[i].vel, 60, 90);
        }
    }
    assert_true(n_new > 64);
    got_free(&g);
    for (int k = 0; k < N_ROLES; k++) {
        if (k != ROLE_STRINGS && k != ROLE_BASS)
            s->tracks[k].n = 0;
        for (size_t i = 0; i < s->tracks[k].n; i++)
            s->tracks[k].notes[i].tick += 31; /* a hand that is late is late in what is new */
    }
    track_add(&s->tracks[ROLE_GUITAR], (struct note){4 * BAR, 480, 84, 80}); /* and a track that will play, but not now */
    rq = ask(s);
    g = run(doubled, &rq);
    for (int k = ROLE_PIANO; k < N_ROLES; k++) {
        const struct track *t = &g.take[0].song->tracks[k];
        assert_true(k == ROLE_STRINGS || k == ROLE_BASS ? t->n > 32 : t->n == 2 * (k == ROLE_GUITAR));
        for (size_t i = 0; i < t->n && k != ROLE_GUITAR; i++) {
            assert_in_range(t->notes[i].pitch, k == ROLE_BASS ? 30 : 76, k == ROLE_BASS ? 40 : 86);
            assert_int_equal(t->notes[i].vel, 50 + 10 * k);
            assert_int_equal(t->notes[i].tick % 240, 31);
        }
    }
    got_free(&g);
    song_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity), cmocka_unit_test(test_picture), cmocka_unit_test(test_strength),
        cmocka_unit_test(test_melody),   cmocka_unit_test(test_kept),    cmocka_unit_test(test_key), cmocka_unit_test(test_metre),
        cmocka_unit_test(test_long),     cmocka_unit_test(test_takes),   cmocka_unit_test(test_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
