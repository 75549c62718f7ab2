/* test_segment.c: made-up songs whose parts are known. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rng.h"
#include "segment.h"
#include "song.h"

/* A bar of a part: chords, a bass and drums of the part's own, with notes of its own each time when `loose`. */
static void add_bar(struct song *s, char part, int bar, int32_t at, int beats, bool loose)
{
    static const int degrees[] = { 0, 2, 4, 5, 7, 9 }, chords[][3] = { { 0, 4, 7 }, { 0, 3, 7 }, { 0, 5, 10 } };
    struct rng r, own;
    rng_init(&r, (uint64_t)part, (uint64_t)bar);
    rng_init(&own, (uint64_t)part, (uint64_t)at);
    int root = 48 + (int)rng_below(&r, 12), density = 1 + part % 3;
    const int *chord = chords[rng_below(&r, 3)];
    for (int beat = 0; beat < beats; beat++) {
        int32_t t = at + beat * SONG_TPQ;
        for (int k = 0; k < 3 && beat % 2 == 0; k++)
            track_push(&s->tracks[ROLE_PIANO], (struct note){ t, 900, (uint8_t)(root + chord[k]), 80 });
        for (int k = 0; k < density; k++)
            track_push(&s->tracks[ROLE_BASS],
                       (struct note){ t + k * SONG_TPQ / density, 100, (uint8_t)(root - 12 + 7 * (k % 2)), 90 });
        if (!loose || rng_below(&own, 4) > 0)
            track_push(&s->tracks[ROLE_DRUMS], (struct note){ t, 60, (uint8_t)(beat % 2 ? 38 : 36), 90 });
        if (loose && rng_below(&own, 3) == 0)
            track_push(&s->tracks[ROLE_GUITAR],
                       (struct note){ t + 240, 200, (uint8_t)(60 + degrees[rng_below(&own, 6)]), 70 });
    }
}

/* "AABA" with so many bars a part. */
static struct song *song_of(const char *form, const int *bars, int beats, bool loose)
{
    struct song *s = song_new_band();
    int at = 0;
    song_set_metre(s, 0, beats, 4);
    for (int p = 0; form[p]; p++)
        for (int bar = 0; bar < bars[p]; bar++, at++)
            add_bar(s, form[p], bar, song_bar_tick(s, at), beats, loose);
    for (size_t t = 0; t < s->n_tracks; t++)
        track_tidy(&s->tracks[t]);
    return s;
}

/* Parts begin where `begins` says '|', may begin where it says '.', and nowhere else. What always comes together is
 * one part, whatever it is called. */
static void check(const char *form, const char *begins, const int *bars, int beats, bool loose)
{
    struct song *s = song_of(form, bars, beats, loose);
    int *found, at = 0;
    size_t n, k = 0;
    assert_int_equal(segment_song(s, &found, &n), ERR_OK);
    for (int p = 0; form[p]; at += bars[p++]) {
        if (k < n && found[k] == at)
            k++;
        else if (begins[p] == '|')
            fail_msg("%s: no part begins at bar %d, but at %d", form, at, k < n ? found[k] : -1);
    }
    if (k < n)
        fail_msg("%s: a part begins at bar %d", form, found[k]);
    free(found);
    song_free(s);
}

static void test_forms(void **state)
{
    (void)state;
    for (int loose = 0; loose < 2; loose++) {
        check("AABA", "||||", (const int[]){ 8, 8, 8, 8 }, 4, loose);
        check("AABA", "||||", (const int[]){ 8, 8, 8, 8 }, 3, loose);
        check("ABABCB", "||||||", (const int[]){ 8, 8, 8, 8, 8, 8 }, 4, loose);
        check("IABAB", "||.|.", (const int[]){ 4, 16, 8, 16, 8 }, 4, loose);
        check("ABACA", "|||||", (const int[]){ 12, 10, 12, 6, 12 }, 4, loose);
        check("ABCABC", "|..|..", (const int[]){ 8, 4, 12, 8, 4, 12 }, 4, loose);
    }
}

static void test_nothing(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    int *found;
    size_t n;
    assert_int_equal(segment_song(s, &found, &n), ERR_OK); /* no notes */
    assert_int_equal(n, 1);
    free(found);
    track_push(&s->tracks[ROLE_BASS], (struct note){ 0, 480, 40, 90 });
    assert_int_equal(segment_song(s, &found, &n), ERR_OK);
    assert_int_equal(n, 1);
    free(found);
    song_free(s);
    check("A", "|", (const int[]){ 32 }, 4, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_forms), cmocka_unit_test(test_nothing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
