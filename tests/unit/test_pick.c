/* Lists to choose from by typing: what fits and in which order, folders, and any keys at all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "keycode.h"
#include "mem.h"
#include "tui/pick.h"

static void type(struct pick *p, const char *text)
{
    for (; *text; text++)
        assert_int_equal(pick_key(p, *text), PICK_GOES_ON);
}

static void test_score(void **state)
{
    (void)state;
    assert_int_equal(pick_score("genre rock", "xyz"), 0);
    assert_true(pick_score("genre rock", "") > 0);
    assert_true(pick_score("genre rock", "rock") > pick_score("genre electronic", "rock"));
    assert_true(pick_score(":select-bars", "bars") > 0);
    assert_true(pick_score(":select-bars", "selb") > 0);
    assert_true(pick_score("genre rock", "rock gen") > 0);
    assert_int_equal(pick_score("a long text with letters strewn about", "gxw"), 0);
}

static void test_palette_knows_every_action(void **state)
{
    struct desk d;
    struct pick p = {0};
    (void)state;
    desk_init(&d);
    for (size_t i = 0; i < n_actions; i++) {
        bool there = false;
        pick_begin(&p, &d, PICK_PALETTE);
        type(&p, actions[i].name);
        for (int k = 0; k < p.n_shown; k++)
            there |= str_same(p.rows[p.shown[k]].line, actions[i].name);
        if (!there)
            fail_msg("the palette does not find %s", actions[i].name);
    }
    pick_begin(&p, &d, PICK_PALETTE);
    type(&p, "redraw");
    assert_string_equal(pick_marked(&p)->line, "redraw");
    assert_false(pick_marked(&p)->asks);
    assert_int_equal(pick_key(&p, KC_ENTER), PICK_CHOSEN);
    pick_begin(&p, &d, PICK_PALETTE);
    type(&p, "tempo");
    assert_string_equal(pick_marked(&p)->line, "tempo");
    assert_true(pick_marked(&p)->asks);
    type(&p, "qqqqq");
    assert_null(pick_marked(&p));
    assert_int_equal(pick_key(&p, KC_ENTER), PICK_GOES_ON);
    assert_int_equal(pick_key(&p, KC_ESC), PICK_LEFT);
    pick_fini(&p);
    desk_fini(&d);
}

static void test_files(void **state)
{
    char dir[] = "/tmp/jamroll-pick-XXXXXX", was[4096];
    struct desk d;
    struct pick p = {0};
    (void)state;
    assert_non_null(getcwd(was, sizeof was));
    assert_non_null(mkdtemp(dir));
    desk_init(&d);
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(file_mkdirs("songs/deep"), ERR_OK);
    assert_int_equal(command_run(&d, "midi songs/one.mid"), ERR_OK);
    assert_int_equal(file_write("songs/broken.mid", "MThd", 4), ERR_OK);
    assert_int_equal(file_write("songs/notes.txt", "no music", 8), ERR_OK);
    pick_begin(&p, &d, PICK_FILES);
    assert_string_equal(pick_marked(&p)->text, "songs/");
    assert_int_equal(pick_key(&p, KC_ENTER), PICK_GOES_ON);
    assert_string_equal(pick_title(&p), "songs/");
    assert_int_equal(p.n, 4); /* .. deep/ broken one, and no text */
    type(&p, "one");
    assert_string_equal(pick_marked(&p)->line, "songs/one.mid");
    assert_non_null(strstr(pick_marked(&p)->note, "bars of 4/4, 120 BPM, 0 notes"));
    assert_int_equal(pick_key(&p, KC_ENTER), PICK_CHOSEN);
    assert_int_equal(pick_key(&p, KC_CTRL | 'u'), PICK_GOES_ON);
    type(&p, "broken");
    assert_null(strstr(pick_marked(&p)->note, "bars of"));
    pick_key(&p, KC_CTRL | 'u');
    pick_key(&p, KC_BACK);
    assert_string_equal(pick_title(&p), "open");
    pick_key(&p, KC_BACK); /* above where it began */
    assert_string_equal(pick_title(&p), "../");
    pick_fini(&p);
    desk_fini(&d);
    assert_int_equal(unlink("songs/one.mid") + unlink("songs/broken.mid") + unlink("songs/notes.txt"), 0);
    assert_int_equal(rmdir("songs/deep") + rmdir("songs"), 0);
    assert_int_equal(chdir(was), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void test_any_keys(void **state)
{
    static const int keys[] = {KC_UP,  KC_DOWN, KC_PGUP,  KC_PGDN,       KC_BACK,
                               KC_TAB, KC_BTAB, KC_ENTER, KC_CTRL | 'u', 0xe4};
    struct desk d;
    struct pick p = {0};
    (void)state;
    desk_init(&d);
    srand(1);
    for (int round = 0; round < 300; round++) {
        pick_begin(&p, &d, (enum pick_kind)(round % 2));
        for (int i = 0; i < 100; i++) {
            int key = rand() % 2 ? keys[rand() % (int)COUNT_OF(keys)] : ' ' + rand() % 95;
            if (pick_key(&p, key) != PICK_GOES_ON)
                break;
            assert_true(p.n_shown == 0 ? pick_marked(&p) == NULL : p.at >= 0 && p.at < p.n_shown);
        }
    }
    pick_fini(&p);
    desk_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_score),
        cmocka_unit_test(test_palette_knows_every_action),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_any_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
