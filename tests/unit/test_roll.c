/* test_roll.c: song -> roll -> song is exact on the grid, and sensible off it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "rng.h"
#include "roll.h"
#include "song.h"
#include "songs.h"

static struct song *grid_song(uint64_t seed, int bar_steps, int n_bars)
{
    struct song *s = song_new_band();
    struct rng r;
    int step = 1920 / bar_steps;
    rng_init(&r, seed, 0);
    for (int t = 0; t < N_ROLES; t++) {
        for (int i = 0; i < 60; i++) {
            int at = (int)rng_below(&r, (uint32_t)(bar_steps * n_bars)), left = bar_steps * n_bars - at;
            int dur = t == ROLE_DRUMS ? 120 : step * (1 + (int)rng_below(&r, (uint32_t)left));
            track_push(&s->tracks[t], (struct note){ at * step, dur, (uint8_t)(24 + rng_below(&r, 84)),
                                                     (uint8_t)(1 + rng_below(&r, 127)) });
        }
        track_tidy(&s->tracks[t]);
    }
    return s;
}

static void test_exact(void **state)
{
    (void)state;
    static const int steps[] = { 16, 24, 48, 96 };
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            struct song *s = grid_song(seed, steps[i], 3), *back = song_new_band();
            struct roll r;
            assert_int_equal(roll_from_song(s, 0, 3, steps[i], 24, 84, &r), ERR_OK);
            assert_int_equal(roll_to_song(&r, back, 0), ERR_OK);
            if (steps[i] > 16) /* drum gates of 120 ticks may be cut at 16 steps only when onsets touch */
                for (size_t k = 0; k < s->tracks[0].n; k++)
                    assert_int_equal(s->tracks[0].notes[k].tick, back->tracks[0].notes[k].tick);
            for (int t = ROLE_PIANO; t < N_ROLES; t++)
                songs_same_notes(&s->tracks[t], &back->tracks[t]);
            roll_fini(&r);
            song_free(s);
            song_free(back);
        }
}

static void test_rounding(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    struct roll r;
    struct track *p = &s->tracks[ROLE_PIANO];
    track_add(p, (struct note){ 1920 - 19, 30, 60, 70 });     /* rounds up into bar 2 */
    track_add(p, (struct note){ 1920 - 21, 100, 62, 70 });    /* rounds down: sounds on, has no onset there */
    track_add(p, (struct note){ 1920 + 480, 1, 64, 70 });     /* at least one step */
    track_add(p, (struct note){ 3840 - 10, 50, 65, 70 });     /* belongs to bar 3 */
    track_add(p, (struct note){ 1920 + 960, 5000, 20, 70 });  /* below the range */
    assert_int_equal(roll_from_song(s, 1, 1, 48, 24, 84, &r), ERR_OK);
    assert_int_equal(*roll_at(&r, ROLE_PIANO, 0, 60 - 24), CELL_ONSET);
    assert_int_equal(*roll_at(&r, ROLE_PIANO, 1, 60 - 24), CELL_OFF);
    assert_int_equal(*roll_at(&r, ROLE_PIANO, 0, 62 - 24), CELL_HOLD);
    assert_int_equal(*roll_at(&r, ROLE_PIANO, 2, 62 - 24), CELL_OFF);
    assert_int_equal(*roll_at(&r, ROLE_PIANO, 12, 64 - 24), CELL_ONSET);
    assert_int_equal(*roll_at(&r, ROLE_PIANO, 13, 64 - 24), CELL_OFF);
    assert_int_equal(*roll_at(&r, ROLE_PIANO, 47, 65 - 24), CELL_OFF);
    struct song *back = song_new_band();
    assert_int_equal(roll_to_song(&r, back, 0), ERR_OK);
    assert_int_equal(back->tracks[ROLE_PIANO].n, 2); /* a run without an onset is no note */
    song_free(back);
    roll_fini(&r);
    song_free(s);
}

static void test_retrigger(void **state)
{
    (void)state;
    struct song *s = song_new_band(), *back = song_new_band();
    struct roll r;
    for (int i = 0; i < 4; i++) /* touching repeats must stay four notes */
        track_add(&s->tracks[ROLE_BASS], (struct note){ i * 120, 120, 40, 90 });
    track_add(&s->tracks[ROLE_BASS], (struct note){ 960, 960, 41, 90 });
    track_push(&s->tracks[ROLE_BASS], (struct note){ 1000, 40, 41, 91 }); /* overlap: the earlier is cut */
    assert_int_equal(roll_from_song(s, 0, 1, 48, 24, 84, &r), ERR_OK);
    assert_int_equal(roll_to_song(&r, back, 2), ERR_OK);
    const struct track *b = &back->tracks[ROLE_BASS];
    assert_int_equal(b->n, 6);
    assert_int_equal(b->notes[3].tick, 3840 + 360);
    assert_int_equal(b->notes[4].dur, 40);
    assert_int_equal(b->notes[5].dur, 40);
    roll_fini(&r);
    song_free(s);
    song_free(back);
}

static void test_refused(void **state)
{
    (void)state;
    struct song *s = song_new_band(), *small = song_new();
    struct roll r;
    song_set_metre(s, 1920, 3, 4);
    assert_int_equal(roll_from_song(s, 0, 1, 48, 24, 84, &r), ERR_OK);
    assert_int_equal(roll_to_song(&r, small, 0), ERR_SHAPE);
    assert_int_equal(roll_to_song(&r, s, 1), ERR_UNSUPPORTED);
    roll_fini(&r);
    assert_int_equal(roll_from_song(s, 0, 2, 48, 24, 84, &r), ERR_UNSUPPORTED);
    assert_non_null(strstr(err_text(), "3/4"));
    assert_int_equal(roll_new(5, 4, 48, 24, 200, &r), ERR_RANGE);
    assert_int_equal(roll_new(5, 1 << 30, 96, 0, 128, &r), ERR_RANGE);
    assert_int_equal(roll_new(-1, 4, 48, 24, 84, &r), ERR_RANGE);
    song_free(s);
    song_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact), cmocka_unit_test(test_rounding), cmocka_unit_test(test_retrigger),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
