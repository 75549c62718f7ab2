/* The configuration: settings and keys that it changes, problems told with file and line, hostile files. */
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
#include "rc.h"

static char path[] = "/tmp/test_rc_XXXXXX";

static void run(struct desk *d, const void *bytes, size_t len, struct words *problems)
{
    assert_int_equal(file_write(path, bytes, len), ERR_OK);
    rc_run(d, path, problems);
}

static void run_text(struct desk *d, const char *text, struct words *problems)
{
    run(d, text, strlen(text), problems);
}

static void test_settings(void **state)
{
    struct desk d;
    struct words problems = {0};
    (void)state;
    desk_init(&d);
    run_text(&d,
             "# mine\n\nset temperature 1.25\r\nset batch 4\nset snap on\nset key Bb minor\nset seed 42\n"
             "set register 5\nset len 1/16\nhit 80\n  set snap on",
             &problems);
    const struct settings *o = session_settings(d.session);
    assert_int_equal(problems.n, 0);
    assert_true(o->temperature == 1.25 && o->batch == 4 && o->snap && o->seed == 42 && o->seed_locked);
    assert_string_equal(o->key, "Bb minor");
    assert_int_equal(d.octave, 5);
    assert_int_equal(d.len, 120);
    assert_int_equal(d.vel, 80);
    assert_string_equal(d.message, "");
    run_text(&d, "set snap off\nset seed free\n", &problems);
    assert_true(!o->snap && !o->seed_locked && o->seed == 42);
    desk_fini(&d);
}

static void test_problems_are_told_and_skipped(void **state)
{
    struct desk d;
    struct words problems = {0};
    char first[256];
    (void)state;
    desk_init(&d);
    run_text(&d,
             "nonsense\nset kazoo 3\nset batch\nset batch 99\nset snap perhaps\nset key A B C\nset batch 3\n",
             &problems);
    assert_int_equal(problems.n, 6);
    str_format(first, sizeof first, "%s:1: ", path);
    assert_true(str_starts(problems.at[0], first));
    str_format(first, sizeof first, "%s:6: ", path);
    assert_true(str_starts(problems.at[5], first));
    assert_int_equal(session_settings(d.session)->batch, 3);
    rc_tell(&d, &problems);
    assert_true(d.message_bad);
    assert_non_null(strstr(d.message, "5 more"));
    assert_non_null(strstr(str_c(&d.report), "kazoo"));
    words_fini(&problems);
    run(&d, "set batch 5\0\n", 13, &problems);
    assert_int_equal(problems.n, 1);
    assert_int_equal(session_settings(d.session)->batch, 3);
    words_fini(&problems);
    rc_run(&d, "/nowhere/at/all", &problems);
    rc_tell(&d, &problems);
    assert_int_equal(problems.n, 0);
    desk_fini(&d);
}

/* Settings of the hand survive the opening of music, not that of a project, which brings its own. */
static void test_settings_and_files(void **state)
{
    struct desk d;
    struct words problems = {0};
    char jam[64];
    (void)state;
    desk_init(&d);
    str_format(jam, sizeof jam, "%s.jam", path);
    assert_int_equal(session_save(d.session, jam), ERR_OK);
    run_text(&d, "set batch 3\n", &problems);
    assert_int_equal(desk_open(&d, "assets/seeds/piano-ballad.mid"), ERR_OK);
    assert_int_equal(session_settings(d.session)->batch, 3);
    assert_int_equal(desk_open(&d, jam), ERR_OK);
    assert_int_equal(session_settings(d.session)->batch, 8);
    unlink(jam);
    desk_fini(&d);
}

static void press(struct desk *d, const char *keys)
{
    for (const char *p = keys; *p;)
        assert_true(command_key(d, keycode_parse(&p)));
}

static void test_keys(void **state)
{
    struct desk d;
    struct words problems = {0};
    (void)state;
    desk_init(&d);
    run_text(&d, "bind n batch 2\nbind gb key Bb minor\nbind <F12> save \"a b.jam\"\nbind nn batch 4\n",
             &problems);
    assert_int_equal(problems.n, 1); /* n is a key of its own already */
    words_fini(&problems);
    press(&d, "n");
    assert_int_equal(session_settings(d.session)->batch, 2);
    press(&d, "gb");
    assert_string_equal(session_settings(d.session)->key, "Bb minor");
    const struct binding *b = binding_find(KEYS_SELECT, KC_F12, KC_NONE);
    assert_non_null(b);
    assert_string_equal(b->line, "save \"a b.jam\"");
    assert_null(binding_find(KEYS_STEP, KC_F12, KC_NONE));

    run_text(&d, "bind n batch 6\n", &problems); /* the user's own may change */
    press(&d, "n");
    assert_int_equal(session_settings(d.session)->batch, 6);
    assert_int_equal(problems.n, 0);

    run_text(
        &d,
        "bind j batch 1\nbind gg batch 1\nbind g batch 1\nbind jj batch 1\nbind <C-i> undo\nbind <F99> undo\n"
        "bind X<F99> undo\nbind Xyz undo\nbind X frobnicate\nbind X batch\nbind <Esc> undo\nbind X # undo\n",
        &problems);
    assert_int_equal(problems.n, 12);
    assert_null(binding_find(KEYS_NORMAL, 'X', KC_NONE));

    struct words lines = {0};
    command_popup(KEYS_NORMAL, 'g', &lines);
    bool shown = false;
    for (size_t i = 0; i < lines.n; i++)
        shown |= !strcmp(lines.at[i], "b key Bb minor");
    assert_true(shown);
    words_fini(&lines);
    words_fini(&problems);
    desk_fini(&d);
}

/* A key may bind itself anew while it runs. */
static void test_a_key_that_binds_itself(void **state)
{
    struct desk d;
    (void)state;
    desk_init(&d);
    assert_int_equal(command_run(&d, "bind a bind a batch 7"), ERR_OK);
    press(&d, "aa");
    assert_int_equal(session_settings(d.session)->batch, 7);
    desk_fini(&d);
}

static void test_any_bytes(void **state)
{
    static const char *const parts[] = {"set ",
                                        "bind ",
                                        "\"",
                                        "#",
                                        "<",
                                        ">",
                                        "g",
                                        " ",
                                        "\n",
                                        "batch",
                                        "<C-",
                                        "\xff",
                                        "=",
                                        "seed",
                                        "\t",
                                        "undo",
                                        "9999999999999999999999",
                                        "key ",
                                        "-",
                                        "A"};
    struct desk d;
    unsigned x = 1;
    (void)state;
    desk_init(&d);
    for (int round = 0; round < 300; round++) {
        struct str text = {0};
        struct words problems = {0};
        for (int i = 0; i < 40; i++) {
            x = x * 1664525u + 1013904223u;
            str_add(&text, parts[(x >> 16) % COUNT_OF(parts)]);
        }
        run_text(&d, str_c(&text), &problems);
        words_fini(&problems);
        str_fini(&text);
    }
    desk_fini(&d);
}

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_problems_are_told_and_skipped),
        cmocka_unit_test(test_settings_and_files),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_a_key_that_binds_itself),
        cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
