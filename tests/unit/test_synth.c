/* test_synth.c: the built-in SoundFont loads and every role, program and drum of it sounds; events do what
 * they say; the search order is the manual's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "role.h"
#include "seq.h"
#include "synth.h"

enum { RATE = 44100 };

static double rms(struct synth *s, double seconds)
{
    float block[2 * SYNTH_BLOCK];
    double sum = 0;
    size_t n = (size_t)(seconds * RATE / SYNTH_BLOCK);
    for (size_t i = 0; i < n; i++) {
        synth_render(s, block, SYNTH_BLOCK);
        for (size_t k = 0; k < COUNT_OF(block); k++)
            sum += (double)block[k] * block[k];
    }
    return sqrt(sum / (double)(n * COUNT_OF(block)));
}

static struct synth *builtin(void)
{
    struct synth *s = NULL;
    assert_int_equal(synth_new("builtin", RATE, -8, &s), ERR_OK);
    assert_string_equal(synth_font(s), "builtin");
    return s;
}

static void test_builtin_is_riff_and_repeatable(void **state)
{
    (void)state;
    uint8_t *a, *b;
    size_t na, nb;
    assert_int_equal(soundfont_builtin(&a, &na), ERR_OK);
    assert_int_equal(soundfont_builtin(&b, &nb), ERR_OK);
    assert_int_equal(na, nb);
    assert_memory_equal(a, b, na);
    assert_memory_equal(a, "RIFF", 4);
    assert_memory_equal(a + 8, "sfbk", 4);
    assert_int_equal(a[4] | a[5] << 8 | a[6] << 16 | a[7] << 24, (int)na - 8);
    assert_true(na < 6u << 20);
    free(a);
    free(b);
}

static void test_every_role_sounds(void **state)
{
    (void)state;
    static const uint8_t pitch[N_ROLES] = {36, 60, 52, 40, 64};
    struct synth *s = builtin();
    for (enum role r = 0; r < N_ROLES; r++) {
        assert_true(rms(s, 0.1) < 1e-4); /* silence before */
        synth_event(s, SEQ_PROGRAM, role_channel(r), role_program(r), 0);
        synth_event(s, SEQ_ON, role_channel(r), pitch[r], 100);
        double loud = rms(s, 0.4);
        assert_true(loud > 0.01 && loud < 0.7);
        synth_event(s, SEQ_OFF, role_channel(r), pitch[r], 0);
        synth_panic(s);
        rms(s, 3);
    }
    synth_free(s);
}

static void test_every_program_and_drum_sounds(void **state)
{
    (void)state;
    struct synth *s = builtin();
    for (int p = 0; p < 128; p++) {
        synth_event(s, SEQ_PROGRAM, 0, p, 0);
        synth_event(s, SEQ_ON, 0, 30 + p / 2, 100);
        assert_true(rms(s, 0.15) > 1e-3);
        synth_event(s, SEQ_OFF, 0, 30 + p / 2, 0);
        synth_panic(s);
        rms(s, 0.02);
    }
    for (int key = 35; key <= 81; key++) {
        synth_event(s, SEQ_ON, 9, key, 110);
        assert_true(rms(s, 0.05) > 1e-3);
        synth_event(s, SEQ_OFF, 9, key, 0);
        synth_panic(s);
        rms(s, 0.02);
    }
    synth_free(s);
}

/* Loops must neither click nor drift: the pitch of a long note, by counting rising zero crossings of a
 * low-passed copy, is within 15 cents of what was asked. */
static void test_pitch(void **state)
{
    (void)state;
    struct synth *s = builtin();
    for (int key = 45; key <= 81; key += 12) {
        synth_event(s, SEQ_PROGRAM, 0, 73, 0); /* the flute: few partials, vibrato comes later */
        synth_event(s, SEQ_ON, 0, key, 100);
        rms(s, 0.1);
        double want = 440 * pow(2, (key - 69) / 12.0), low = 0, low2 = 0, was = 0, first = -1, last = 0;
        double k = 1 - exp(-2 * M_PI * want * 0.7 / RATE);
        long n = 0, frame = 0;
        float block[2 * SYNTH_BLOCK];
        for (int b = 0; b < RATE / 4 / SYNTH_BLOCK; b++) {
            synth_render(s, block, SYNTH_BLOCK);
            for (int i = 0; i < SYNTH_BLOCK; i++, frame++) {
                low += k * ((double)block[2 * i] - low);
                low2 += k * (low - low2);
                if (was < 0 && low2 >= 0) {
                    last = (double)frame - low2 / (low2 - was);
                    first = first < 0 ? last : first;
                    n++;
                }
                was = low2;
            }
        }
        double got = (double)(n - 1) * RATE / (last - first);
        assert_true(fabs(1200 * log2(got / want)) < 15);
        synth_panic(s);
        rms(s, 0.5);
    }
    synth_free(s);
}

static void test_same_events_same_samples(void **state)
{
    (void)state;
    float a[64 * SYNTH_BLOCK * 2], b[64 * SYNTH_BLOCK * 2];
    for (int round = 0; round < 2; round++) {
        struct synth *s = builtin();
        synth_prepare(s, 0, 48);
        synth_event(s, SEQ_PROGRAM, 0, 48, 0);
        synth_event(s, SEQ_CONTROL, 0, 91, 80);
        synth_event(s, SEQ_ON, 0, 57, 100);
        synth_event(s, SEQ_ON, 9, 38, 100);
        synth_render(s, round ? b : a, 64 * SYNTH_BLOCK);
        synth_free(s);
    }
    assert_memory_equal(a, b, sizeof a);
}

static void test_search_order(void **state)
{
    (void)state;
    const char *path = "/tmp/jamroll-test-font.sf2";
    assert_int_equal(file_write(path, "x", 1), ERR_OK);
    unsetenv("JAMROLL_SOUNDFONT");
    setenv("SDL_SOUNDFONTS", "/no/such.sf2:/tmp/jamroll-test-font.sf2", 1);
    char *found = soundfont_find(NULL);
    assert_string_equal(found, path);
    free(found);
    setenv("JAMROLL_SOUNDFONT", "/from/env.sf2", 1);
    found = soundfont_find("");
    assert_string_equal(found, "/from/env.sf2");
    free(found);
    found = soundfont_find("/asked.sf2");
    assert_string_equal(found, "/asked.sf2");
    free(found);
    assert_null(soundfont_find("builtin"));
    unsetenv("JAMROLL_SOUNDFONT");

    struct synth *s = NULL;
    assert_int_equal(synth_new(path, RATE, -8, &s), ERR_FORMAT); /* a file, but no SoundFont */
    assert_non_null(strstr(err_text(), path));
    assert_int_equal(synth_new("/no/such.sf2", RATE, -8, &s), ERR_MISSING);
    assert_int_equal(synth_new("builtin", 5, -8, &s), ERR_RANGE);
    assert_int_equal(synth_new("builtin", RATE, (double)NAN, &s), ERR_RANGE);
    unsetenv("SDL_SOUNDFONTS");
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin_is_riff_and_repeatable),
        cmocka_unit_test(test_every_role_sounds),
        cmocka_unit_test(test_every_program_and_drum_sounds),
        cmocka_unit_test(test_pitch),
        cmocka_unit_test(test_same_events_same_samples),
        cmocka_unit_test(test_search_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
