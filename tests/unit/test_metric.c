/* test_metric.c: each metric on rolls small enough to count by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <cmocka.h>
#include "metric.h"
#include "roll.h"
#include "song.h"
#include "theory.h"

static void put(struct roll *r, int track, int step, int len, int pitch)
{
    for (int i = 0; i < len; i++)
        *roll_at(r, track, step + i, pitch - r->low) = i ? CELL_HOLD : CELL_ONSET;
}

static void near(double a, double b)
{
    if (!(fabs(a - b) < 1e-9))
        fail_msg("%.12f is not %.12f", a, b);
}

static unsigned c_major(void)
{
    return key_scale((struct key){ 0, false });
}

static void test_counts(void **state)
{
    (void)state;
    struct roll r;
    struct metrics m = { .n_phrases = 0 };
    assert_int_equal(roll_new(5, 4, 48, 24, 84, &r), ERR_OK);
    put(&r, ROLE_PIANO, 0, 24, 60);   /* bar 0: C4 C5 E4 F#4, three of them together for 12 steps */
    put(&r, ROLE_PIANO, 0, 12, 72);
    put(&r, ROLE_PIANO, 0, 12, 64);
    put(&r, ROLE_PIANO, 24, 1, 66);   /* too short to qualify */
    put(&r, ROLE_PIANO, 47, 4, 67);   /* begins on the last step: one step in bar 0, three in bar 1 */
    metrics_add(&m, &r, c_major());
    near(metrics_get(&m, METRIC_EB, ROLE_PIANO), 50);
    near(metrics_get(&m, METRIC_UP, ROLE_PIANO), (5 + 1) / 2.0);
    near(metrics_get(&m, METRIC_UPC, ROLE_PIANO), (4 + 1) / 2.0);
    near(metrics_get(&m, METRIC_NOTES, ROLE_PIANO), (5 + 0) / 2.0);
    near(metrics_get(&m, METRIC_QN, ROLE_PIANO), 100 * 3 / 5.0);
    near(metrics_get(&m, METRIC_PR, ROLE_PIANO), (100 * 12 / 48.0 + 0) / 2);
    near(metrics_get(&m, METRIC_ISR, ROLE_PIANO), (100 * 49 / 50.0 + 100) / 2);
    assert_true(isnan(metrics_get(&m, METRIC_DP, ROLE_PIANO)));
    assert_true(isnan(metrics_get(&m, METRIC_UPC, ROLE_GUITAR)));
    near(metrics_get(&m, METRIC_EB, ROLE_GUITAR), 100);
    assert_int_equal(m.n_phrases, 1);
    roll_fini(&r);
}

static void test_qualified_by_resolution(void **state)
{
    (void)state;
    static const struct { int bar_steps, least; } rows[] = { { 96, 3 }, { 48, 2 }, { 16, 1 } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct roll r;
        struct metrics m = { .n_phrases = 0 };
        assert_int_equal(roll_new(5, 1, rows[i].bar_steps, 0, 128, &r), ERR_OK);
        put(&r, ROLE_BASS, 0, rows[i].least, 40);
        if (rows[i].least > 1)
            put(&r, ROLE_BASS, 8, rows[i].least - 1, 40);
        metrics_add(&m, &r, 0xfff);
        near(metrics_get(&m, METRIC_QN, ROLE_BASS), rows[i].least > 1 ? 50 : 100);
        roll_fini(&r);
    }
}

static void test_drum_pattern(void **state)
{
    (void)state;
    struct roll r;
    struct metrics m = { .n_phrases = 0 }, n = { .n_phrases = 0 }, o = { .n_phrases = 0 };
    assert_int_equal(roll_new(5, 1, 48, 24, 84, &r), ERR_OK);
    for (int s = 0; s < 48; s += 6)
        put(&r, ROLE_DRUMS, s, 1, 42);
    metrics_add(&m, &r, 0xfff);
    near(metrics_get(&m, METRIC_DP, ROLE_DRUMS), 100);
    put(&r, ROLE_DRUMS, 1, 1, 36);
    put(&r, ROLE_DRUMS, 2, 1, 38);
    metrics_add(&n, &r, 0xfff);
    near(metrics_get(&n, METRIC_DP, ROLE_DRUMS), 100 * 8.2 / 10);
    roll_fini(&r);
    assert_int_equal(roll_new(5, 1, 96, 24, 84, &r), ERR_OK);
    for (int s = 4; s < 96; s += 12)  /* all late by the same: the best turn finds the grid */
        put(&r, ROLE_DRUMS, s, 1, 42);
    put(&r, ROLE_DRUMS, 3, 1, 36);
    metrics_add(&o, &r, 0xfff);
    near(metrics_get(&o, METRIC_DP, ROLE_DRUMS), 100 * 8.3 / 9);
    roll_fini(&r);
}

static void test_tonal_distance(void **state)
{
    (void)state;
    struct roll r;
    struct metrics m = { .n_phrases = 0 };
    assert_int_equal(roll_new(5, 1, 48, 24, 84, &r), ERR_OK);
    put(&r, ROLE_PIANO, 0, 48, 60);
    put(&r, ROLE_BASS, 0, 12, 36);     /* an octave: no distance */
    put(&r, ROLE_GUITAR, 12, 12, 67);  /* a fifth above, in one beat */
    metrics_add(&m, &r, 0xfff);
    near(metrics_td(&m, ROLE_BASS, ROLE_PIANO), 0);
    double want = 0; /* between pitch classes 0 and 7 on the three circles */
    static const double radius[3] = { 1, 1, 0.5 }, angle[3] = { 7 * M_PI / 6, 3 * M_PI / 2, 2 * M_PI / 3 };
    for (int k = 0; k < 3; k++)
        want += pow(radius[k] * 2 * sin(7 * angle[k] / 2), 2);
    near(metrics_td(&m, ROLE_GUITAR, ROLE_PIANO), sqrt(want));
    assert_true(isnan(metrics_td(&m, ROLE_GUITAR, ROLE_BASS))); /* never together */
    struct metrics some = { .n_phrases = 0 };
    metrics_add_tracks(&some, &r, 0xfff, 1u << ROLE_BASS);
    near(metrics_td(&some, ROLE_BASS, ROLE_PIANO), 0);
    assert_true(isnan(metrics_td(&some, ROLE_GUITAR, ROLE_PIANO)));
    assert_true(isnan(metrics_get(&some, METRIC_EB, ROLE_PIANO)));
    roll_fini(&r);
}

static void by_form(struct metrics *m, const struct roll *r)
{
    for (int f = 0; f < N_FORMS; f++)
        metrics_add_published(&m[f], r, (enum metric_form)f, 0x1f);
}

/* Rows count from 24: 0 to 6 are the first group of V1 and SRC, 0 to 7 of V2. */
static void test_published_pitches(void **state)
{
    (void)state;
    struct roll r;
    struct metrics m[N_FORMS] = { { .n_phrases = 0 } };
    assert_int_equal(roll_new(5, 2, 48, 24, 84, &r), ERR_OK);
    put(&r, ROLE_PIANO, 0, 12, 24);   /* neighbours: one group */
    put(&r, ROLE_PIANO, 0, 12, 30);
    put(&r, ROLE_PIANO, 0, 6, 31);    /* the next group of seven, the same of eight */
    by_form(m, &r);
    near(metrics_get(&m[FORM_V1], METRIC_EB, ROLE_PIANO), 50);
    near(metrics_get(&m[FORM_SRC], METRIC_EB, ROLE_PIANO), 50);   /* bars that are not empty; */
    near(metrics_get(&m[FORM_SRC], METRIC_EB, ROLE_GUITAR), 0);
    near(metrics_get(&m[FORM_V1], METRIC_UP, ROLE_PIANO), 3);
    near(metrics_get(&m[FORM_SRC], METRIC_UP, ROLE_PIANO), 30 / 2.0); /* cells a bar */
    near(metrics_get(&m[FORM_V1], METRIC_UPC, ROLE_PIANO), 2);
    near(metrics_get(&m[FORM_V2], METRIC_UPC, ROLE_PIANO), 1);
    near(metrics_get(&m[FORM_SRC], METRIC_UPC, ROLE_PIANO), (6 * 2 + 6) / 2.0);
    near(metrics_get(&m[FORM_V1], METRIC_PR, ROLE_PIANO), 100 * 12 / 48.0); /* two are a chord */
    near(metrics_get(&m[FORM_SRC], METRIC_PR, ROLE_PIANO), 100 * 6 / 96.0); /* three, of all steps */
    near(metrics_get(&m[FORM_V1], METRIC_ISR, ROLE_PIANO), 100 * 24 / 30.0); /* group 1 is "C sharp" */
    near(metrics_get(&m[FORM_V2], METRIC_ISR, ROLE_PIANO), 100);
    near(metrics_get(&m[FORM_SRC], METRIC_ISR, ROLE_PIANO), 100 * 24 / 30.0);
    roll_fini(&r);
}

static void test_published_notes(void **state)
{
    (void)state;
    struct roll r;
    struct metrics m[N_FORMS] = { { .n_phrases = 0 } };
    assert_int_equal(roll_new(5, 2, 48, 24, 84, &r), ERR_OK);
    put(&r, ROLE_BASS, 0, 10, 40);    /* ends at 10 */
    put(&r, ROLE_BASS, 9, 1, 42);     /* ends at 10 too; by rank it gets an end of 10, and the next one that of 12 */
    put(&r, ROLE_BASS, 9, 3, 44);
    put(&r, ROLE_BASS, 47, 2, 46);    /* over the bar line: two runs of one step, or one of two */
    for (int s = 0; s < 48; s += 6)   /* on the grid, then off it by one step of three */
        put(&r, ROLE_DRUMS, s, 1, 42);
    put(&r, ROLE_DRUMS, 1, 1, 36);
    by_form(m, &r);
    near(metrics_get(&m[FORM_V1], METRIC_QN, ROLE_BASS), 100);      /* a step of 48 is two of 96 */
    near(metrics_get(&m[FORM_SRC], METRIC_QN, ROLE_BASS), 100 * 3 / 4.0);
    assert_true(isnan(metrics_get(&m[FORM_V1], METRIC_QN, ROLE_DRUMS)));
    near(metrics_get(&m[FORM_V1], METRIC_DP, ROLE_DRUMS), 100 * 8 / 9.0);
    near(metrics_get(&m[FORM_V2], METRIC_DP, ROLE_DRUMS), 100 * 8 / 9.0);
    near(metrics_get(&m[FORM_SRC], METRIC_DP, ROLE_DRUMS), 100 * 8.1 / 9);
    roll_fini(&r);
    assert_int_equal(roll_new(5, 1, 96, 24, 84, &r), ERR_OK);
    struct metrics fine[N_FORMS] = { { .n_phrases = 0 } };
    put(&r, ROLE_BASS, 0, 1, 40);
    put(&r, ROLE_BASS, 4, 2, 40);
    put(&r, ROLE_DRUMS, 5, 1, 42);    /* one turn brings all but the last to the grid */
    put(&r, ROLE_DRUMS, 11, 1, 42);
    put(&r, ROLE_DRUMS, 16, 1, 42);
    by_form(fine, &r);
    near(metrics_get(&fine[FORM_V1], METRIC_QN, ROLE_BASS), 50);
    near(metrics_get(&fine[FORM_V1], METRIC_DP, ROLE_DRUMS), 100 * 2.3 / 3);
    near(metrics_get(&fine[FORM_V2], METRIC_DP, ROLE_DRUMS), 100 * 2.1 / 3);
    roll_fini(&r);
}

static void test_published_distance(void **state)
{
    (void)state;
    struct roll r;
    struct metrics m[N_FORMS] = { { .n_phrases = 0 } }, silent[N_FORMS] = { { .n_phrases = 0 } };
    assert_int_equal(roll_new(5, 1, 48, 24, 84, &r), ERR_OK);
    put(&r, ROLE_PIANO, 0, 48, 24);
    put(&r, ROLE_GUITAR, 0, 48, 29);   /* a fourth above is in the same group */
    put(&r, ROLE_BASS, 0, 36, 24);     /* silent in the last beat */
    by_form(m, &r);
    for (int f = 0; f < N_FORMS; f++)
        near(metrics_td(&m[f], ROLE_PIANO, ROLE_GUITAR), 0);
    assert_true(isnan(metrics_td(&m[FORM_V1], ROLE_PIANO, ROLE_BASS)));
    put(&r, ROLE_BASS, 36, 12, 24);
    by_form(m, &r);
    near(metrics_td(&m[FORM_V1], ROLE_PIANO, ROLE_BASS), 0);            /* the bar before is left out, */
    assert_true(isnan(metrics_td(&m[FORM_SRC], ROLE_PIANO, ROLE_BASS))); /* or spoils the whole */
    assert_true(isnan(metrics_td(&m[FORM_V2], ROLE_PIANO, ROLE_BASS)));  /* never measured */
    metrics_add_published(&silent[FORM_V1], &r, FORM_V1, 1u << ROLE_BASS);
    assert_true(isnan(metrics_td(&silent[FORM_V1], ROLE_PIANO, ROLE_GUITAR)));
    assert_true(isnan(metrics_get(&silent[FORM_V1], METRIC_EB, ROLE_PIANO)));
    roll_fini(&r);
}

static void test_notes_kept(void **state)
{
    (void)state;
    struct song *a = song_new_band(), *b;
    for (int i = 0; i < 16; i++) {
        track_push(&a->tracks[ROLE_PIANO], (struct note){i * 480, 480, (uint8_t)(60 + i), 80});
        track_push(&a->tracks[ROLE_DRUMS], (struct note){i * 480, 120, 36, 80});
    }
    b = song_dup(a);
    assert_true(notes_kept(a, b, 0, 4) == 1);
    b->tracks[ROLE_DRUMS].n = 0;            /* drums do not count */
    b->tracks[ROLE_PIANO].notes[0].dur = 1; /* nor how long or loud */
    b->tracks[ROLE_PIANO].notes[1].pitch = 20;
    b->tracks[ROLE_PIANO].notes[2].tick += 1;
    track_push(&b->tracks[ROLE_BASS], b->tracks[ROLE_PIANO].notes[1]);
    assert_true(fabs(notes_kept(a, b, 0, 4) - 14.0 / 16) < 1e-9);
    assert_true(fabs(notes_kept(a, b, 0, 1) - 0.5) < 1e-9);
    assert_true(fabs(notes_kept(b, a, 0, 4) - 14.0 / 17) < 1e-9);
    assert_true(isnan(notes_kept(a, b, 4, 4)));
    song_free(a);
    song_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts), cmocka_unit_test(test_qualified_by_resolution),
        cmocka_unit_test(test_drum_pattern), cmocka_unit_test(test_tonal_distance),
        cmocka_unit_test(test_published_pitches), cmocka_unit_test(test_published_notes),
        cmocka_unit_test(test_published_distance), cmocka_unit_test(test_notes_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
