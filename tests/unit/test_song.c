/* test_song.c: maps, bars and seconds, note order, tidying, copies. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "rng.h"
#include "song.h"

static void test_maps(void **state)
{
    (void)state;
    struct song *s = song_new();
    assert_true(song_bpm(s, 0) > 119.99 && song_bpm(s, 0) < 120.01);
    song_set_tempo(s, 960, 60);
    song_set_tempo(s, 480, 240);
    song_set_tempo(s, 960, 90); /* replaces */
    assert_int_equal(s->n_tempos, 3);
    assert_int_equal(s->tempos[1].tick, 480);
    assert_true(song_bpm(s, 959) > 239 && song_bpm(s, 960) < 91);
    song_set_metre(s, 0, 3, 4);
    assert_int_equal(s->n_metres, 1);
    song_set_key(s, 0, 99, false);
    assert_int_equal(s->keys[0].sharps, 7);
    song_free(s);
}

static void test_bars(void **state)
{
    (void)state;
    struct song *s = song_new();
    song_set_metre(s, 2 * 1920, 3, 4);              /* two bars of 4/4, then 3/4 */
    song_set_metre(s, 2 * 1920 + 3 * 1440, 6, 8);   /* three bars of it, then 6/8 */
    assert_int_equal(song_bar_tick(s, 2), 3840);
    assert_int_equal(song_bar_tick(s, 4), 3840 + 2880);
    assert_int_equal(song_bar_tick(s, 6), 3840 + 3 * 1440 + 1440);
    for (int bar = 0; bar < 20; bar++) {
        assert_int_equal(song_bar_of(s, song_bar_tick(s, bar)), bar);
        assert_int_equal(song_bar_of(s, song_bar_tick(s, bar + 1) - 1), bar);
    }
    assert_int_equal(song_n_bars(s), 0);
    struct track *t = song_add_track(s, "x", ROLE_PIANO);
    track_add(t, (struct note){ 0, 1920, 60, 90 });
    assert_int_equal(song_n_bars(s), 1);
    track_add(t, (struct note){ 1919, 2, 62, 90 });
    assert_int_equal(song_n_bars(s), 2);
    song_free(s);
}

static void test_metre_inside_bar(void **state)
{
    (void)state;
    struct song *s = song_new();
    song_set_metre(s, 1000, 4, 4); /* cuts the first bar short */
    assert_int_equal(song_bar_tick(s, 1), 1000);
    assert_int_equal(song_bar_tick(s, 2), 2920);
    assert_int_equal(song_bar_of(s, 999), 0);
    assert_int_equal(song_bar_of(s, 1000), 1);
    song_free(s);
}

static void test_seconds(void **state)
{
    (void)state;
    struct song *s = song_new();
    song_set_tempo(s, 480, 60);
    song_set_tempo(s, 960, 240);
    assert_true(song_seconds(s, 480) == 0.5);
    assert_true(song_seconds(s, 960) == 1.5);
    assert_true(song_seconds(s, 1440) == 1.75);
    song_free(s);
}

static void test_notes(void **state)
{
    (void)state;
    struct song *s = song_new();
    struct track *t = song_add_track(s, "x", ROLE_PIANO);
    struct rng r;
    rng_init(&r, 1, 0);
    for (int i = 0; i < 500; i++)
        track_add(t, (struct note){ (int32_t)rng_below(&r, 4000), (int32_t)rng_below(&r, 900),
                                    (uint8_t)rng_below(&r, 200), (uint8_t)rng_below(&r, 255) });
    for (size_t i = 0; i < t->n; i++) {
        const struct note *n = &t->notes[i];
        assert_true(n->dur >= 1 && n->pitch <= 127 && n->vel >= 1 && n->vel <= 127);
        assert_true(i == 0 || t->notes[i - 1].tick < n->tick ||
                    (t->notes[i - 1].tick == n->tick && t->notes[i - 1].pitch <= n->pitch));
    }
    size_t first = track_first_at(t, 2000);
    assert_true(t->notes[first].tick >= 2000 && t->notes[first - 1].tick < 2000);
    track_clear(t, 1000, 3000);
    for (size_t i = 0; i < t->n; i++)
        assert_true(t->notes[i].tick < 1000 || t->notes[i].tick >= 3000);
    track_tidy(t);
    for (size_t i = 0; i < t->n; i++)
        for (size_t j = i + 1; j < t->n; j++)
            if (t->notes[i].pitch == t->notes[j].pitch)
                assert_true(t->notes[i].tick + t->notes[i].dur <= t->notes[j].tick);
    song_free(s);
}

static void test_tidy(void **state)
{
    (void)state;
    struct song *s = song_new();
    struct track *t = song_add_track(s, "x", ROLE_PIANO);
    track_add(t, (struct note){ 0, 100, 60, 50 });
    track_add(t, (struct note){ 0, 300, 60, 40 });
    track_add(t, (struct note){ 200, 50, 60, 60 });
    track_tidy(t);
    assert_int_equal(t->n, 2);
    assert_int_equal(t->notes[0].dur, 200);  /* the longer double, cut at the next onset */
    assert_int_equal(t->notes[0].vel, 50);
    track_remove(t, 0);
    assert_int_equal(t->n, 1);
    assert_int_equal(t->notes[0].tick, 200);
    song_free(s);
}

static void test_copy(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    assert_int_equal(s->n_tracks, N_ROLES);
    track_add(song_track_of(s, ROLE_BASS), (struct note){ 0, 10, 40, 90 });
    song_add_marker(s, 0, "verse");
    struct song *d = song_dup(s);
    assert_true(song_equal(s, d));
    d->tracks[ROLE_BASS].notes[0].dur++;
    assert_false(song_equal(s, d));
    d->tracks[ROLE_BASS].notes[0].dur--;
    song_set_tempo(d, 480, 100);
    assert_false(song_equal(s, d));
    assert_int_equal(s->n_tempos, 1);
    song_free(s);
    song_free(d);
    bool used[16] = { false };
    s = song_new_band();
    for (int i = 0; i < 11; i++)
        song_add_track(s, "more", i % 2 ? ROLE_PIANO : ROLE_NONE);
    for (size_t i = 0; i < s->n_tracks; i++) { /* sixteen parts, sixteen channels */
        assert_false(used[s->tracks[i].channel]);
        used[s->tracks[i].channel] = true;
    }
    song_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maps), cmocka_unit_test(test_bars), cmocka_unit_test(test_metre_inside_bar),
        cmocka_unit_test(test_seconds), cmocka_unit_test(test_notes), cmocka_unit_test(test_tidy),
        cmocka_unit_test(test_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
