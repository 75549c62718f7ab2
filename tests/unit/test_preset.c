/* test_preset.c: configurations of experiments: what is written is read again, and what is wrong is told by line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "file.h"
#include "preset.h"
#include "rng.h"

static const struct opt table[] = {
    { "width", 0, OPT_REAL, 0, 2, "1", NULL, "X", "" },
    { "warm", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "" },
    { "loss", 0, OPT_ENUM, 0, 0, "a", "a|b", "KIND", "" },
    { "genre", 0, OPT_TEXT, 0, 0, NULL, NULL, "NAME", "" },
};
static char folder[] = "/tmp/test_preset_XXXXXX";
static char *path;

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || setenv("XDG_DATA_HOME", folder, 1) != 0)
        return -1;
    char *dir = path_join(folder, "jamroll/configs");
    path = path_join(dir, "tiny.conf");
    enum err err = file_mkdirs(dir);
    free(dir);
    return err == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char cmd[80];
    free(path);
    str_format(cmd, sizeof cmd, "rm -rf %s", folder);
    return system(cmd);
}

static enum err load(const char *text, struct opts *o)
{
    assert_int_equal(file_write(path, text, strlen(text)), ERR_OK);
    return preset_load("tiny", "kazoo", o);
}

static void test_round(void **state)
{
    (void)state;
    struct opts *o = opts_new(table, COUNT_OF(table)), *again = opts_new(table, COUNT_OF(table));
    struct str out;
    str_init(&out);
    assert_int_equal(load("# a comment\r\nfamily=kazoo\n\nwidth=0.5\r\nwarm=on\nloss=b", o), ERR_OK);
    assert_true(opts_real(o, "width") == 0.5 && opts_flag(o, "warm"));
    assert_string_equal(opts_text(o, "loss"), "b");
    preset_write("kazoo", table, COUNT_OF(table), o, &out);
    assert_int_equal(load(str_c(&out), again), ERR_OK);
    assert_true(opts_real(again, "width") == 0.5 && opts_flag(again, "warm") && !opts_text(again, "genre"));
    assert_int_equal(preset_load(path, "kazoo", again), ERR_OK); /* by path */
    str_fini(&out);
    opts_free(o);
    opts_free(again);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } rows[] = {
        { "family=band\n", "tiny.conf:1" }, { "family=kazoo\nwidth\n", "tiny.conf:2" }, { "\nwidth=3\n", "tiny.conf:2" },
        { "loss=c", "not one of" }, { "kazoos=1\n", "kazoos" },
    };
    struct opts *o = opts_new(table, COUNT_OF(table));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(load(rows[i].text, o), ERR_FORMAT);
        assert_non_null(strstr(err_text(), rows[i].says));
    }
    assert_int_equal(preset_load("large", "kazoo", o), ERR_MISSING);
    assert_non_null(strstr(err_text(), "tiny"));
    assert_int_equal(file_write(path, "width=\0", 7), ERR_OK);
    assert_int_equal(preset_load("tiny", "kazoo", o), ERR_FORMAT);
    opts_free(o);
}

/* Any byte may be anything: read or refused, nothing else. */
static void test_hostile(void **state)
{
    (void)state;
    static const char text[] = "# data 1\nfamily=kazoo\nwidth=0.5\r\nwarm=on\nloss=b\ngenre=jazz\n";
    struct opts *o = opts_new(table, COUNT_OF(table));
    struct rng r;
    rng_init(&r, 5, 0);
    for (int i = 0; i < 500; i++) {
        char damaged[sizeof text];
        memcpy(damaged, text, sizeof text);
        for (int k = 0; k < 1 + i % 3; k++)
            damaged[rng_below(&r, sizeof text - 1)] = (char)rng_u32(&r);
        assert_int_equal(file_write(path, damaged, rng_below(&r, sizeof text)), ERR_OK);
        enum err err = preset_load("tiny", "kazoo", o);
        assert_true(err == ERR_OK || err == ERR_FORMAT);
        assert_true(opts_real(o, "width") >= 0 && opts_real(o, "width") <= 2);
    }
    opts_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_round), cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_hostile) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
