/* test_draw.c: the text roll of a small song. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "draw.h"
#include "song.h"

static struct song *small_song(void)
{
    struct song *s = song_new_band();
    str_copy(s->title, sizeof(s->title), "Small");
    track_add(&s->tracks[ROLE_DRUMS], (struct note){ 0, 120, 36, 100 });
    track_add(&s->tracks[ROLE_DRUMS], (struct note){ 480, 120, 38, 100 });
    track_add(&s->tracks[ROLE_PIANO], (struct note){ 240, 480, 60, 90 });
    track_add(&s->tracks[ROLE_PIANO], (struct note){ 250, 10, 64, 90 });
    track_add(&s->tracks[ROLE_PIANO], (struct note){ 1920, 240, 60, 90 });
    return s;
}

static void test_text(void **state)
{
    (void)state;
    struct song *s = small_song();
    struct str out;
    str_init(&out);
    draw_song_text(s, 0, 2, true, &out);
    const char *t = str_c(&out);
    assert_non_null(strstr(t, "Small  120 bpm  4/4"));
    assert_non_null(strstr(t, "  Snare     |.   O   .   .   |.   .   .   .   |\n"));
    assert_non_null(strstr(t, "  C4        |. O---  .   .   |O-  .   .   .   |\n"));
    assert_non_null(strstr(t, "  E4        |. O .   .   .   |"));
    assert_non_null(strstr(t, "Bass (Fingered Bass): silent\n"));
    str_clear(&out);
    draw_song_text(s, 0, 8, false, &out); /* two lines of four bars */
    assert_non_null(strstr(str_c(&out), " 5   "));
    assert_non_null(strstr(str_c(&out), "\u2588\u2500"));
    str_fini(&out);
    song_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_text) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
