/* test_import.c: what is heard of a foreign song, what is proposed, and that carrying it out loses nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "import.h"
#include "rng.h"

static void put(struct song *s, size_t track, int32_t tick, int32_t dur, int pitch, int vel)
{
    track_add(&s->tracks[track], (struct note){ tick, dur, (uint8_t)pitch, (uint8_t)vel });
}

/* ---- beat ---- */

enum { BARS = 16 };

/* Chords and a bass on the bars' first beats, softer notes at `in` ticks of each beat. */
static struct song *groove(int num, int den, const int *in, int n_in)
{
    struct song *s = song_new_band();
    int32_t beat = 4 * SONG_TPQ / den, bar = beat * num;
    for (int b = 0; b < BARS; b++) {
        put(s, ROLE_BASS, b * bar, beat, 36, 100);
        for (int i = 0; i < 3; i++)
            put(s, ROLE_PIANO, b * bar, beat, 60 + 4 * i, 90);
        for (int k = 0; k < num; k++)
            for (int i = 0; i < n_in; i++)
                put(s, ROLE_DRUMS, b * bar + k * beat + in[i], 60, 42, 60);
    }
    return s;
}

static void test_feel(void **state)
{
    (void)state;
    static const struct { int in[4], n; enum feel feel; double swing; } rows[] = {
        { { 0, 120, 240, 360 }, 4, FEEL_STRAIGHT, 0.5 }, { { 0, 240 }, 2, FEEL_STRAIGHT, 0.5 },
        { { 0, 160, 320 }, 3, FEEL_TRIPLETS, 0.5 },      { { 0, 320 }, 2, FEEL_SWING, 0.667 },
        { { 0, 290 }, 2, FEEL_SWING, 0.604 },            { { 3, 118, 244, 356 }, 4, FEEL_STRAIGHT, 0.5 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct song *s = groove(4, 4, rows[i].in, rows[i].n);
        struct beat b = beat_hear(s);
        assert_int_equal(b.feel, rows[i].feel);
        assert_true(b.swing > rows[i].swing - 0.01 && b.swing < rows[i].swing + 0.01);
        assert_true(b.off < 0.01 && b.sixteenths + b.triplets > 0.99);
        song_free(s);
    }
}

/* Notes that know no beat; and jitter of a good player, which is not that. */
static void test_no_beat(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 5, 0);
    struct song *wild = song_new_band(), *player = song_new_band();
    for (int i = 0; i < 300; i++) {
        put(wild, ROLE_PIANO, (int32_t)rng_below(&r, 30000), 200, 40 + i % 40, 80);
        put(player, ROLE_PIANO, 240 * i + 30 + (int32_t)rng_below(&r, 21) - 10 - 30, 200, 40 + i % 40, 80);
    }
    assert_int_equal(beat_hear(wild).feel, FEEL_FREE);
    assert_int_equal(beat_hear(player).feel, FEEL_STRAIGHT);
    assert_int_equal(beat_hear(wild).num, 0);
    song_free(wild);
    song_free(player);
    struct song *empty = song_new_band();
    struct beat b = beat_hear(empty);
    assert_true(b.n_onsets == 0 && b.feel == FEEL_STRAIGHT && b.num == 0);
    song_free(empty);
}

static void test_metre(void **state)
{
    (void)state;
    static const struct { int num, den, in[2], n; } rows[] = {
        { 4, 4, { 0, 240 }, 2 }, { 3, 4, { 0, 240 }, 2 }, { 5, 4, { 0, 240 }, 2 }, { 7, 8, { 0 }, 1 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct song *s = groove(rows[i].num, rows[i].den, rows[i].in, rows[i].n);
        struct beat b = beat_hear(s);
        assert_int_equal(b.num, rows[i].num);
        assert_int_equal(b.den, rows[i].den);
        song_free(s);
    }
    struct song *s = groove(6, 8, (const int[]){ 0 }, 1);
    for (int b = 0; b < BARS; b++) /* the second half of the bar is as strong as three of its six allow */
        put(s, ROLE_BASS, b * 1440 + 720, 240, 43, 100);
    struct beat b = beat_hear(s);
    assert_true(b.num == 6 && b.den == 8);
    song_free(s);
}

/* ---- the proposal ---- */

static struct song *foreign(void)
{
    struct song *s = song_new();
    static const struct { const char *name; enum role role; uint8_t program; } rows[] = {
        { "lead", ROLE_STRINGS, 81 }, { "pad", ROLE_STRINGS, 89 }, { "rain", ROLE_NONE, 96 }, { "low", ROLE_BASS, 33 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct track *t = song_add_track(s, rows[i].name, rows[i].role);
        t->program = rows[i].program;
        for (int k = 0; k < 64; k++)
            track_add(t, (struct note){ k * 480, 480, (uint8_t)(40 + 10 * i), 80 });
    }
    return s;
}

static void test_questions(void **state)
{
    (void)state;
    struct import *im = import_new(foreign(), 256);
    struct str text = { 0 };
    assert_int_equal(im->n_bars, 16);
    assert_false(import_certain(im));
    import_report(im, &text);
    assert_non_null(strstr(str_c(&text), "Strings: tracks 1 and 2 become one"));
    assert_non_null(strstr(str_c(&text), "track 3 \"rain\" (Rain, 64 notes): left out"));
    assert_non_null(strstr(str_c(&text), "beat: 100 % on sixteenths"));
    str_clear(&text);

    assert_int_equal(import_map(im, "1=guitar,3=piano"), ERR_OK);
    assert_true(import_certain(im));
    import_span(im, 2, 4);
    assert_false(import_certain(im));
    import_summary(im, &text);
    assert_non_null(strstr(str_c(&text), "bars 3 to 6 of 16"));
    struct song *band;
    assert_int_equal(import_band(im, &band), ERR_OK);
    assert_int_equal(song_n_bars(band), 4);
    assert_int_equal(band->tracks[ROLE_GUITAR].n, 16);
    assert_int_equal(band->tracks[ROLE_GUITAR].notes[0].pitch, 40);
    assert_int_equal(band->tracks[ROLE_PIANO].notes[0].pitch, 60);
    assert_int_equal(band->tracks[ROLE_DRUMS].n, 0);
    song_free(band);
    str_fini(&text);
    import_free(im);
}

static void test_refusals(void **state)
{
    (void)state;
    struct import *im = import_new(foreign(), 8);
    static const char *const maps[] = { "1", "9=bass", "0=bass", "1=flute", "x=bass", "2=drop,1=flute", "=" };
    static const char *const bars[] = { "0-2", "3-2", "17", "1-", "a", "1-16", "-1" };
    assert_int_equal(im->n_bars, 8); /* as many as the band takes */
    assert_false(import_certain(im));
    for (size_t i = 0; i < COUNT_OF(maps); i++)
        assert_true(import_map(im, maps[i]) != ERR_OK);
    assert_int_equal(im->role[1], ROLE_STRINGS);
    for (size_t i = 0; i < COUNT_OF(bars); i++)
        assert_true(import_bars(im, bars[i]) != ERR_OK);
    assert_true(im->bar0 == 0 && im->n_bars == 8);
    assert_int_equal(import_bars(im, "9-"), ERR_OK);
    assert_true(im->bar0 == 8 && im->n_bars == 8);
    import_free(im);
}

/* Bars 3 and 4 of a song whose every map changes: all of it moves along, and what rings in or out is cut there. */
static void test_crop(void **state)
{
    (void)state;
    struct song *s = song_new_band(), *out;
    song_set_metre(s, 1920, 3, 4);       /* bar 2 on; bar 3 begins at 3360, bar 5 at 6240 */
    song_set_tempo(s, 0, 100);
    song_set_tempo(s, 2000, 110);
    song_set_tempo(s, 4000, 130);
    song_set_tempo(s, 7000, 150);
    song_set_key(s, 0, 2, false);
    song_add_marker(s, 0, "in");
    song_add_marker(s, 4800, "mid");
    put(s, ROLE_PIANO, 0, 480, 60, 80);
    put(s, ROLE_PIANO, 3000, 1000, 62, 80);
    put(s, ROLE_PIANO, 6000, 1000, 64, 80);
    put(s, ROLE_PIANO, 9000, 480, 65, 80);
    struct import *im = import_new(s, 0);
    assert_int_equal(import_bars(im, "3-4"), ERR_OK);
    assert_int_equal(import_song(im, &out), ERR_OK);
    const struct track *t = &out->tracks[ROLE_PIANO];
    assert_int_equal(t->n, 2);
    assert_true(t->notes[0].tick == 0 && t->notes[0].dur == 640 && t->notes[0].pitch == 62);
    assert_true(t->notes[1].tick == 2640 && t->notes[1].dur == 240);
    assert_true(out->n_metres == 1 && out->metres[0].num == 3 && out->metres[0].tick == 0);
    assert_int_equal(out->n_tempos, 2);
    assert_true(song_bpm(out, 0) > 109.9 && song_bpm(out, 0) < 110.1 && out->tempos[1].tick == 640);
    assert_true(out->n_keys == 1 && out->keys[0].sharps == 2);
    assert_true(out->n_markers == 1 && out->markers[0].tick == 1440);
    song_free(out);
    im->bpm = 90;
    import_metre(im, 4, 4);
    assert_int_equal(import_bars(im, "1-"), ERR_OK);
    assert_int_equal(im->n_bars, 5);
    assert_int_equal(import_song(im, &out), ERR_OK);
    assert_true(out->n_metres == 1 && out->metres[0].num == 4 && out->n_tempos == 1);
    assert_int_equal(out->tracks[ROLE_PIANO].n, 4);
    song_free(out);
    import_free(im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feel),     cmocka_unit_test(test_no_beat),     cmocka_unit_test(test_metre),
        cmocka_unit_test(test_questions), cmocka_unit_test(test_refusals), cmocka_unit_test(test_crop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
