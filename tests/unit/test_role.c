/* test_role.c: role names, the program rule, the merge into a band. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "role.h"
#include "song.h"

static void test_names(void **state)
{
    (void)state;
    enum role r;
    assert_true(role_parse("dru", &r) && r == ROLE_DRUMS);
    assert_true(role_parse("STRINGS", &r) && r == ROLE_STRINGS);
    assert_false(role_parse("", &r));
    assert_false(role_parse("pianos", &r));
    assert_string_equal(role_name(ROLE_NONE), "-");
    assert_string_equal(gm_program_name(0), "Acoustic Grand");
    assert_string_equal(gm_program_name(127), "Gunshot");
    assert_string_equal(gm_program_name(128), "-");
    assert_string_equal(gm_drum_name(38), "Snare");
    assert_string_equal(gm_drum_name(81), "Triangle");
    assert_null(gm_drum_name(34));
    assert_null(gm_drum_name(82));
    for (int p = 0; p < 128; p++)
        assert_non_null(gm_program_name(p));
}

static void test_programs(void **state)
{
    (void)state;
    static const struct { int program; enum role role; } rows[] = {
        { 0, ROLE_PIANO }, { 7, ROLE_PIANO }, { 8, ROLE_STRINGS }, { 24, ROLE_GUITAR }, { 31, ROLE_GUITAR },
        { 32, ROLE_BASS }, { 39, ROLE_BASS }, { 48, ROLE_STRINGS }, { 95, ROLE_STRINGS }, { 96, ROLE_NONE },
        { 103, ROLE_NONE }, { 104, ROLE_STRINGS }, { 111, ROLE_STRINGS }, { 112, ROLE_NONE }, { 127, ROLE_NONE },
        { -1, ROLE_NONE }, { 128, ROLE_NONE },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(role_of_program(rows[i].program, false), rows[i].role);
    assert_int_equal(role_of_program(99, true), ROLE_DRUMS);
    for (enum role r = ROLE_PIANO; r < N_ROLES; r++) /* a role's own program maps back to it */
        assert_int_equal(role_of_program(role_program(r), false), r);
}

static void test_merge(void **state)
{
    (void)state;
    struct song *s = song_new(), *band;
    song_set_tempo(s, 0, 90);
    song_set_metre(s, 0, 3, 4);
    song_add_marker(s, 480, "B");
    struct track *a = song_add_track(s, "first", ROLE_GUITAR);
    a->program = 27;
    track_add(a, (struct note){ 0, 200, 60, 70 });
    track_add(a, (struct note){ 960, 100, 64, 70 });
    struct track *b = song_add_track(s, "second", ROLE_GUITAR);
    b->program = 30;
    track_add(b, (struct note){ 15, 300, 60, 90 });  /* doubles the first */
    struct track *c = song_add_track(s, "rain", ROLE_NONE);
    track_add(c, (struct note){ 0, 10, 60, 70 });
    assert_int_equal(role_band(s, &band), ERR_OK);
    assert_int_equal(band->n_tracks, N_ROLES);
    const struct track *g = &band->tracks[ROLE_GUITAR];
    assert_int_equal(g->n, 2);
    assert_int_equal(g->program, 27);
    assert_int_equal(g->notes[0].dur, 315);
    assert_int_equal(g->notes[0].vel, 90);
    assert_int_equal(band->metres[0].num, 3);
    assert_int_equal(band->n_markers, 1);
    song_free(band);
    song_free(s);
}

static void test_identity(void **state)
{
    (void)state;
    struct song *s = song_new_band(), *band;
    for (enum role r = 0; r < N_ROLES; r++)
        for (int i = 0; i < 20; i++)
            track_add(&s->tracks[r], (struct note){ i * 10, 8, 50, (uint8_t)(1 + i) });
    assert_int_equal(role_band(s, &band), ERR_OK);
    assert_true(song_equal(s, band)); /* one track a role: note for note, however close */
    song_free(band);
    song_free(s);
}

static struct song *followed(const struct song *s, const char *track)
{
    struct song *band;
    assert_int_equal(role_follow(s, track, &band), ERR_OK);
    return band;
}

static void test_follow(void **state)
{
    (void)state;
    struct song *s = song_new();
    static const struct { const char *name; enum role role; int n; } rows[] = {
        { "Lead Synth", ROLE_NONE, 3 }, { "Lead", ROLE_GUITAR, 1 }, { "Bass low", ROLE_BASS, 2 }, { "Nobody", ROLE_PIANO, 0 },
        { "Kit", ROLE_DRUMS, 4 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct track *t = song_add_track(s, rows[i].name, rows[i].role);
        for (int k = 0; k < rows[i].n; k++)
            track_add(t, (struct note){ k * 480, 240, 60, 100 });
    }
    static const struct { const char *text; enum role role; size_t n; } asked[] = {
        { "lead", ROLE_GUITAR, 1 }, { "synth", ROLE_PIANO, 3 }, { "3", ROLE_BASS, 2 }, { "bas", ROLE_BASS, 2 }, { "drums", ROLE_DRUMS, 4 },
    };
    for (size_t i = 0; i < COUNT_OF(asked); i++) {
        struct song *band = followed(s, asked[i].text);
        for (size_t r = 0; r < N_ROLES; r++)
            assert_int_equal(band->tracks[r].n, r == asked[i].role ? asked[i].n : 0);
        song_free(band);
    }
    struct song *none;
    static const char *const wrong[] = { "kazoo", "9", "nobody", "4", "piano", "" };
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(role_follow(s, wrong[i], &none), ERR_MISSING);
    assert_non_null(strstr(err_text(), "1 Lead Synth, 2 Lead, 3 Bass low, 5 Kit"));
    song_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names), cmocka_unit_test(test_programs), cmocka_unit_test(test_merge),
        cmocka_unit_test(test_identity), cmocka_unit_test(test_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
