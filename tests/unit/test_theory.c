/* test_theory.c: keys, scales, chords, pitch names, key finding. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "rng.h"
#include "song.h"
#include "theory.h"

static void test_parse(void **state)
{
    (void)state;
    static const struct { const char *text; int tonic; bool minor; } rows[] = {
        { "C", 0, false }, { "Am", 9, true }, { "F#", 6, false }, { "Bb minor", 10, true }, { "bb", 10, false },
        { "c minor", 0, true }, { "DM", 2, false }, { "Dm", 2, true }, { "E major", 4, false }, { "G#min", 8, true },
        { "auto", -1, false }, { "any", -1, false }, { "Cb", 11, false },
    };
    struct key k;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(key_parse(rows[i].text, &k));
        assert_int_equal(k.tonic, rows[i].tonic);
        assert_int_equal(k.minor, rows[i].minor);
    }
    assert_false(key_parse("H", &k));
    assert_false(key_parse("", &k));
    assert_false(key_parse("Cmixolydian", &k));
}

static void test_signatures(void **state)
{
    (void)state;
    char buf[16];
    for (int minor = 0; minor < 2; minor++)
        for (int t = 0; t < 12; t++) {
            struct key k = { (int8_t)t, minor }, back = key_from_sharps(key_sharps(k), minor), parsed;
            assert_int_equal(back.tonic, t);
            key_print(k, buf);
            assert_true(key_parse(buf, &parsed));
            assert_int_equal(parsed.tonic, t);
            assert_int_equal(parsed.minor, minor);
            assert_int_equal(__builtin_popcount(key_scale(k)), 7);
            assert_true(key_scale(k) >> t & 1);
        }
    assert_int_equal(key_sharps((struct key){ 9, false }), 3);
    assert_int_equal(key_scale((struct key){ 0, false }), key_scale((struct key){ 9, true }));
    assert_int_equal(key_scale((struct key){ -1, false }), 0xfff);
}

static void test_snap(void **state)
{
    (void)state;
    struct key c = { 0, false };
    assert_int_equal(key_snap(c, 60), 60);
    assert_int_equal(key_snap(c, 61), 60); /* a tie goes down */
    assert_int_equal(key_snap((struct key){ 2, false }, 0), 1);
    assert_int_equal(key_snap((struct key){ -1, false }, 61), 61);
}

static void test_estimate(void **state)
{
    (void)state;
    double none[12] = { 0 }, flat[12], strength;
    assert_int_equal(key_estimate(none, &strength).tonic, -1);
    for (int i = 0; i < 12; i++)
        flat[i] = 3;
    assert_int_equal(key_estimate(flat, NULL).tonic, -1);
    for (int t = 0; t < 12; t++) {
        double major[12] = { 0 }, minor[12] = { 0 };
        static const int i_iv_v[] = { 0, 4, 7, 5, 9, 0, 7, 11, 2, 0, 4, 7 };
        static const int i_iv_v7[] = { 0, 3, 7, 5, 8, 0, 7, 11, 2, 0, 3, 7 };
        for (size_t i = 0; i < COUNT_OF(i_iv_v); i++) {
            profile_add(major, 60 + t + i_iv_v[i], 1);
            profile_add(minor, 60 + t + i_iv_v7[i], 1);
        }
        struct key a = key_estimate(major, &strength), b = key_estimate(minor, NULL);
        assert_true(a.tonic == t && !a.minor && strength > 0);
        assert_true(b.tonic == t && b.minor);
    }
}

static void test_song_key(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    static const uint8_t d_minor[] = { 62, 65, 69, 67, 70, 62, 69, 73, 76, 62, 65, 69 };
    for (size_t i = 0; i < COUNT_OF(d_minor); i++) {
        track_add(&s->tracks[ROLE_PIANO], (struct note){ (int32_t)i * 100, 90, d_minor[i], 80 });
        track_add(&s->tracks[ROLE_DRUMS], (struct note){ (int32_t)i * 100, 900, 42, 80 }); /* no pitch */
    }
    struct key k = song_key(s, 0, 2000, NULL);
    assert_true(k.tonic == 2 && k.minor);
    assert_int_equal(song_key(s, 5000, 6000, NULL).tonic, -1);

    /* Signatures win from where they stand: E flat major, then C minor. */
    double strength = 0;
    song_set_key(s, 500, -3, false);
    song_set_key(s, 1000, -3, true);
    k = song_key(s, 0, 2000, NULL);
    assert_true(k.tonic == 2 && k.minor);
    k = song_key(s, 500, 2000, &strength);
    assert_true(k.tonic == 3 && !k.minor && strength == 1);
    k = song_key(s, 5000, 6000, NULL);
    assert_true(k.tonic == 0 && k.minor);
    song_free(s);
}

static uint16_t classes(const int *p, int n)
{
    uint16_t c = 0;
    for (int i = 0; i < n; i++)
        c |= (uint16_t)(1 << p[i] % 12);
    return c;
}

static void test_chords(void **state)
{
    (void)state;
    static const struct { int p[5], n, bass; const char *name; } rows[] = {
        { { 9, 0, 4 }, 3, 9, "Am" }, { { 5, 9, 0 }, 3, 5, "F" }, { { 7, 11, 2, 5 }, 4, 7, "G7" },
        { { 0, 4, 7 }, 3, 4, "C/E" }, { { 0, 4, 7, 11 }, 4, 0, "Cmaj7" }, { { 9, 0, 4, 7 }, 4, 9, "Am7" },
        { { 9, 0, 4, 7 }, 4, 0, "C6" }, { { 2, 5, 8 }, 3, 2, "Ddim" }, { { 0, 1, 2 }, 3, 0, "" },
        { { 1, 4, 8 }, 3, 1, "C#m" }, { { 7, 2 }, 2, 7, "G5" }, { { 0 }, 0, 0, "" },
    };
    char buf[16];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        chord_name(classes(rows[i].p, rows[i].n), rows[i].bass, buf);
        assert_string_equal(buf, rows[i].name);
    }
}

static void test_pitch_names(void **state)
{
    (void)state;
    char buf[8];
    pitch_name(60, 4, buf);
    assert_string_equal(buf, "C4");
    pitch_name(60, 3, buf);
    assert_string_equal(buf, "C3");
    pitch_name(0, 4, buf);
    assert_string_equal(buf, "C-1");
    pitch_name(127, 4, buf);
    assert_string_equal(buf, "G9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse), cmocka_unit_test(test_signatures), cmocka_unit_test(test_snap),
        cmocka_unit_test(test_estimate), cmocka_unit_test(test_song_key), cmocka_unit_test(test_chords),
        cmocka_unit_test(test_pitch_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
