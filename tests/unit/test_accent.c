/* test_accent.c: loudness of notes that were written without any. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "accent.h"
#include "song.h"

enum { SIXTEENTH = SONG_TPQ / 4, EIGHTH = SONG_TPQ / 2, KICK = 36, SNARE = 38, HAT = 42, CRASH = 49 };

static double mean(enum role r, int pitch, int32_t at)
{
    double sum = 0;
    for (uint32_t where = 0; where < 900; where++)
        sum += accent_velocity(r, pitch, at, where);
    return sum / 900;
}

static void test_places(void **state)
{
    (void)state;
    for (int r = 0; r < N_ROLES; r++)
        assert_true(mean((enum role)r, 60, SONG_TPQ) > mean((enum role)r, 60, SIXTEENTH) + 2);
    assert_true(mean(ROLE_PIANO, 60, SONG_TPQ) > mean(ROLE_PIANO, 60, 0) + 3);          /* back-beat */
    assert_true(mean(ROLE_DRUMS, HAT, 0) > mean(ROLE_DRUMS, HAT, EIGHTH) + 20);
    assert_true(mean(ROLE_DRUMS, SNARE, EIGHTH) > mean(ROLE_DRUMS, SNARE, SIXTEENTH) + 5);
    assert_true(mean(ROLE_DRUMS, KICK, EIGHTH) > mean(ROLE_DRUMS, HAT, EIGHTH) + 10);
    assert_true(mean(ROLE_DRUMS, CRASH, EIGHTH) < mean(ROLE_DRUMS, CRASH, SONG_TPQ));
    /* a triplet's third lies between, and what is early in one beat is in all */
    assert_true(mean(ROLE_GUITAR, 60, SONG_TPQ * 2 / 3) == mean(ROLE_GUITAR, 60, SIXTEENTH));
    assert_true(mean(ROLE_GUITAR, 60, 2 * SONG_TPQ + EIGHTH) == mean(ROLE_GUITAR, 60, EIGHTH));
}

static void test_touch(void **state)
{
    (void)state;
    bool seen[128] = { false };
    int n = 0;
    for (int r = 0; r < N_ROLES; r++)
        for (int pitch = 0; pitch < 128; pitch++)
            for (int32_t at = 0; at < 4 * SONG_TPQ; at += SIXTEENTH) {
                int v = accent_velocity((enum role)r, pitch, at, (uint32_t)at);
                assert_in_range(v, 40, 127);
                assert_int_equal(v, accent_velocity((enum role)r, pitch, at, (uint32_t)at));
            }
    for (uint32_t where = 0; where < 200; where++) {
        int v = accent_velocity(ROLE_BASS, 40, 0, where);
        n += !seen[v];
        seen[v] = true;
    }
    assert_int_equal(n, 9); /* four more or less */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_places), cmocka_unit_test(test_touch) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
