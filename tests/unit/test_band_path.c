/* The band's ways from music to music: the ends of an interpolation are its two songs and what lies between
 * them lies between, a variation goes as far as it was asked to, new notes stay in their range, and whatever
 * the verb, what is kept is kept. On a small model of random weights. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "model/band_path.h"
#include "rng.h"
#include "tiny_band.h"

static bool has_note(const struct track *t, const struct note *n)
{
    for (size_t i = track_first_at(t, n->tick); i < t->n && t->notes[i].tick == n->tick; i++)
        if (t->notes[i].pitch == n->pitch)
            return true;
    return false;
}

/* The share of onsets that two songs have in common. */
static double overlap(const struct song *a, const struct song *b)
{
    double common = 0, all = 0;
    for (int r = 0; r < N_ROLES; r++) {
        const struct track *x = song_track_of(a, r), *y = song_track_of(b, r);
        for (size_t i = 0; i < x->n; i++)
            common += has_note(y, &x->notes[i]);
        all += (double)(x->n + y->n);
    }
    return all > 0 ? 2 * common / all : 1;
}

/* Two takes around the same piano. */
static void make_ends(struct song *s, struct takes *out)
{
    struct request rq = tiny_request(VERB_ACCOMPANY, s, 0, 8);
    memset(rq.keep[ROLE_PIANO], 1, 8);
    rq.n_takes = 2;
    tiny_run(model, &rq, out);
}

static struct request between(const struct song *s, const struct takes *ends, int n)
{
    struct request rq = tiny_request(VERB_INTERPOLATE, s, 0, 8);
    memset(rq.keep[ROLE_PIANO], 1, 8);
    rq.from = ends->take[0].song;
    rq.to = ends->take[1].song;
    rq.n_takes = n;
    rq.mix_step = 1.0 / (n - 1);
    return rq;
}

static void test_ends(void **state)
{
    (void)state;
    struct song *s = tiny_song();
    struct takes ends, way;
    make_ends(s, &ends);
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct request rq = between(s, &ends, 2);
        rq.seed = seed;
        tiny_run(model, &rq, &way);
        for (int i = 0; i < 2; i++) {
            assert_true(song_equal(way.take[i].song, ends.take[i].song));
            assert_true(way.take[i].mix == i);
            assert_int_equal(way.take[i].seed, seed);
        }
        tiny_free(&way);
    }
    /* The same where the song is another and only some cells are open. */
    struct request rq = between(s, &ends, 2);
    memset(rq.keep[ROLE_DRUMS], 1, 5);
    rq.silent[ROLE_STRINGS] = 1;
    tiny_run(model, &rq, &way);
    for (int i = 0; i < 2; i++) {
        struct request open = rq; /* an open cell of the one question is a kept cell of the other */
        for (int r = 0; r < N_ROLES; r++)
            for (int bar = 0; bar < 8; bar++)
                open.keep[r][bar] = r != ROLE_PIANO && !rq.keep[r][bar] && !rq.silent[r];
        tiny_check_kept(&rq, 0, s, way.take[i].song);
        tiny_check_kept(&open, 0, ends.take[i].song, way.take[i].song);
        assert_int_equal(song_track_of(way.take[i].song, ROLE_STRINGS)->n, 0);
    }
    tiny_free(&way);
    tiny_free(&ends);
    song_free(s);
}

/* Nine steps between: each is nearer to its neighbours than to what is far, away from A means towards B. */
static void test_between(void **state)
{
    (void)state;
    enum { N = 11 };
    struct song *s = tiny_song();
    struct takes ends, way, one;
    make_ends(s, &ends);
    struct request rq = between(s, &ends, N);
    tiny_run(model, &rq, &way);
    double step = 0, far = 0;
    for (int i = 1; i < N; i++) {
        double a0 = overlap(way.take[i - 1].song, ends.take[0].song), a1 = overlap(way.take[i].song, ends.take[0].song);
        double b0 = overlap(way.take[i - 1].song, ends.take[1].song), b1 = overlap(way.take[i].song, ends.take[1].song);
        assert_true(a1 < a0 + 0.02 && b1 > b0 - 0.02);
        tiny_check_kept(&rq, 0, s, way.take[i].song);
        step += overlap(way.take[i - 1].song, way.take[i].song) / (N - 1);
        far += overlap(way.take[i].song, way.take[(i + 5) % N].song) / (N - 1);
    }
    print_message("          neighbours share %.2f of their onsets, steps five apart %.2f, the ends %.2f\n", step, far,
                  overlap(ends.take[0].song, ends.take[1].song));
    assert_true(step > far + 0.1);
    /* A place on the way is the same alone as in company. */
    rq.n_takes = 1;
    rq.mix = way.take[3].mix;
    rq.mix_step = 0;
    tiny_run(model, &rq, &one);
    assert_true(song_equal(one.take[0].song, way.take[3].song));
    tiny_free(&one);
    tiny_free(&way);
    tiny_free(&ends);
    song_free(s);
}

/* The front is narrow, enters every cell once, and leaves it again. */
static void test_front(void **state)
{
    (void)state;
    struct song *a = tiny_song(), *b = song_new_band();
    struct request rq = tiny_request(VERB_INTERPOLATE, a, 0, 8);
    struct band_path p;
    rq.from = a;
    rq.to = b;
    band_path_init(&p, &rq);
    assert_int_equal(p.n, 24); /* guitar and strings are empty in both */
    for (int i = 0; i <= 100; i++) {
        int anew = 0, passed = 0;
        for (int r = 0; r < N_ROLES; r++)
            for (int bar = 0; bar < 8; bar++) {
                enum path_source now = band_path_source(&p, r, bar, i / 100.0);
                enum path_source next = band_path_source(&p, r, bar, i < 100 ? (i + 1) / 100.0 : 1);
                anew += now == PATH_ANEW;
                passed += now == PATH_TO;
                assert_true(now == PATH_FROM || next != PATH_FROM);
                assert_true(now != PATH_TO || next == PATH_TO);
            }
        assert_in_range(anew, i > 0 && i < 100, p.front);
        assert_true(i > 0 || passed == 0);
    }
    song_free(a);
    song_free(b);
}

/* Cells that differ, of those that may. */
static void test_distance(void **state)
{
    (void)state;
    struct song *s = tiny_song();
    double last = 1, means[11];
    for (int tenth = 0; tenth <= 10; tenth++) {
        struct request rq = tiny_request(VERB_VARY, s, 0, 8);
        struct takes all, again;
        double mean = 0;
        memset(rq.keep[ROLE_PIANO], 1, 8);
        rq.distance = tenth / 10.0;
        rq.n_takes = 8;
        tiny_run(model, &rq, &all);
        tiny_run(model, &rq, &again);
        for (int i = 0; i < rq.n_takes; i++) {
            mean += overlap(s, all.take[i].song) / rq.n_takes;
            tiny_check_kept(&rq, 0, s, all.take[i].song);
            assert_true(song_equal(all.take[i].song, again.take[i].song));
            assert_int_equal(song_track_of(all.take[i].song, ROLE_STRINGS)->n, 0); /* silent before, silent now */
            assert_true(tenth > 0 ? !song_equal(all.take[i].song, s) : song_equal(all.take[i].song, s));
        }
        assert_true(mean <= last + 0.01);
        last = means[tenth] = mean;
        tiny_free(&all);
        tiny_free(&again);
    }
    print_message("          onsets that stay at distance 0.1, 0.3, 0.5, 1: %.2f %.2f %.2f %.2f\n", means[1], means[3],
                  means[5], means[10]);
    song_free(s);
}

static void test_range(void **state)
{
    (void)state;
    struct song *s = tiny_song();
    struct takes free, loose, strict;
    struct request rq = tiny_request(VERB_GENERATE, s, 0, 4);
    rq.n_takes = 8;
    rq.snap = true;
    tiny_run(model, &rq, &free);
    for (int r = 0; r < N_ROLES; r++)
        rq.range[r] = (struct pitch_range){ 60, 64, false };
    tiny_run(model, &rq, &loose);
    for (int r = 0; r < N_ROLES; r++)
        rq.range[r].strict = true;
    tiny_run(model, &rq, &strict);
    const struct takes *all[] = { &free, &loose, &strict };
    int outside[3] = { 0 }, n[3] = { 0 };
    for (int kind = 0; kind < 3; kind++)
        for (int i = 0; i < rq.n_takes; i++)
            for (int r = 0; r < N_ROLES; r++) {
                const struct track *t = song_track_of(all[kind]->take[i].song, r);
                for (size_t k = 0; k < t->n && t->notes[k].tick < 4 * 1920 && r != ROLE_DRUMS; k++) {
                    n[kind]++;
                    outside[kind] += t->notes[k].pitch < 60 || t->notes[k].pitch > 64;
                }
            }
    assert_true(n[2] > 100 && outside[2] == 0);
    assert_true(outside[1] > 0 && outside[1] * n[0] < outside[0] * n[1] / 2);
    rq.range[ROLE_BASS] = (struct pitch_range){ 110, 127, true };
    assert_int_equal(model_kind_find("band")->run(model, &rq, NULL), ERR_RANGE);
    tiny_free(&free);
    tiny_free(&loose);
    tiny_free(&strict);
    song_free(s);
}

/* Every verb, any cells kept, any span, any settings. */
static void test_kept(void **state)
{
    (void)state;
    static const enum verb verbs[] = { VERB_GENERATE, VERB_ACCOMPANY, VERB_INFILL, VERB_VARY, VERB_INTERPOLATE, VERB_CONTINUE };
    struct song *s = tiny_song();
    struct takes ends, all;
    struct rng r;
    int cases = 0;
    rng_init(&r, 77, 0);
    make_ends(s, &ends);
    for (int round = 0; cases < 500; round++) {
        int bar0 = (int)rng_below(&r, 8);
        struct request rq = tiny_request(verbs[round % 6], s, bar0, 1 + (int)rng_below(&r, (uint32_t)(8 - bar0)));
        uint32_t share = rng_below(&r, 5);
        for (int role = 0; role < N_ROLES; role++) {
            for (int bar = 0; bar < rq.n_bars; bar++)
                rq.keep[role][bar] = rng_below(&r, 4) < share;
            rq.silent[role] = rng_below(&r, 8) == 0;
            rq.density[role] = (int)rng_below(&r, 10) - 2;
            if (rng_below(&r, 3) == 0)
                rq.range[role] = (struct pitch_range){ 40, (uint8_t)(44 + rng_below(&r, 40)), rng_below(&r, 2) };
        }
        rq.from = ends.take[0].song;
        rq.to = ends.take[1].song;
        rq.mix = rng_uniform(&r) / 2;
        rq.mix_step = 0.07;
        rq.distance = rng_uniform(&r);
        rq.snap = rng_below(&r, 2);
        rq.temperature = 0.5 + rng_uniform(&r);
        rq.seed = (uint64_t)round * 100;
        rq.n_takes = 8;
        int first = rq.verb == VERB_CONTINUE && bar0 < 8 ? 8 : bar0;
        tiny_run(model, &rq, &all);
        for (int i = 0; i < all.n; i++, cases++)
            tiny_check_kept(&rq, first, s, all.take[i].song);
        tiny_free(&all);
    }
    tiny_free(&ends);
    song_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),     cmocka_unit_test(test_between), cmocka_unit_test(test_front),
        cmocka_unit_test(test_distance), cmocka_unit_test(test_range),   cmocka_unit_test(test_kept),
    };
    return cmocka_run_group_tests(tests, tiny_start, tiny_end);
}
