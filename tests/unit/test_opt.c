/* Option tables: the GNU forms, ranges, choices, presets, and the help text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "opt.h"
#include "str.h"

static const struct opt table[] = {
    {"quiet", 'q', OPT_FLAG, 0, 0, NULL, NULL, NULL, "say nothing"},
    {"json", 0, OPT_FLAG, 0, 0, "on", NULL, NULL, "machine output"},
    {"n", 'n', OPT_INT, 1, 64, "1", NULL, "N", "how many"},
    {"temperature", 't', OPT_REAL, 0, 2, "0.9", NULL, "X", "courage"},
    {"out", 'o', OPT_TEXT, 0, 0, NULL, NULL, "FILE", "where to"},
    {"format", 0, OPT_ENUM, 0, 0, "wav", "wav|flac|ogg", NULL, "sound file"},
};

static enum err parse(struct opts **o, const char *line)
{
    static char copy[200];
    static char *argv[20];
    int argc = 0;
    str_copy(copy, sizeof copy, line);
    char *rest = copy[0] ? copy : NULL, *word;
    while ((word = str_split(&rest, ' ')))
        argv[argc++] = word;
    *o = opts_new(table, COUNT_OF(table));
    return opts_parse(*o, argc, argv);
}

static void presets(void **state)
{
    (void)state;
    struct opts *o;
    assert_int_equal(parse(&o, ""), ERR_OK);
    assert_false(opts_flag(o, "quiet"));
    assert_true(opts_flag(o, "json"));
    assert_int_equal(opts_int(o, "n"), 1);
    assert_false(opts_given(o, "n"));
    assert_float_equal(opts_real(o, "temperature"), 0.9, 1e-9);
    assert_null(opts_text(o, "out"));
    assert_string_equal(opts_text(o, "format"), "wav");
    opts_free(o);
    opts_free(NULL);
}

static void all_forms(void **state)
{
    (void)state;
    struct opts *o;
    assert_int_equal(parse(&o, "a.mid -qn8 --out=x.mid b --temperature 1.5 --no-json --format ogg - -- --n -q"), ERR_OK);
    assert_true(opts_flag(o, "quiet") && opts_given(o, "quiet"));
    assert_false(opts_flag(o, "json"));
    assert_int_equal(opts_int(o, "n"), 8);
    assert_float_equal(opts_real(o, "temperature"), 1.5, 1e-9);
    assert_string_equal(opts_text(o, "out"), "x.mid");
    assert_string_equal(opts_text(o, "format"), "ogg");
    assert_int_equal(opts_n_args(o), 5);
    assert_string_equal(opts_arg(o, 0), "a.mid");
    assert_string_equal(opts_arg(o, 1), "b");
    assert_string_equal(opts_arg(o, 2), "-");
    assert_string_equal(opts_arg(o, 3), "--n");
    assert_string_equal(opts_arg(o, 4), "-q");
    assert_int_equal(opts_set(o, "n", "9"), ERR_OK);
    assert_int_equal(opts_int(o, "n"), 9);
    assert_int_equal(opts_set(o, "out", opts_text(o, "out")), ERR_OK); /* its own value */
    assert_string_equal(opts_text(o, "out"), "x.mid");
    opts_free(o);
}

static void refusals_name_the_option(void **state)
{
    (void)state;
    static const struct { const char *line, *text; } rows[] = {
        {"--nope", "--nope"},       {"--no-n", "--no-n"},   {"-x", "-x"},
        {"--n", "--n"},             {"-n", "-n"},           {"--n 0", "--n"},
        {"--n=65", "1..64"},        {"--n eight", "eight"}, {"--temperature nan", "--temperature"},
        {"--format mp3", "mp3"},    {"--format wav|flac", "wav|flac"},
        {"--quiet=maybe", "maybe"}, {"--format=", "--format"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct opts *o;
        assert_int_equal(parse(&o, rows[i].line), ERR_FORMAT);
        assert_non_null(strstr(err_text(), rows[i].text));
        opts_free(o);
    }
    struct opts *o = opts_new(table, COUNT_OF(table));
    assert_int_equal(opts_set(o, "nope", "1"), ERR_FORMAT);
    opts_free(o);
}

static void lists_gather(void **state)
{
    (void)state;
    static const struct opt rows[] = { {"style", 'y', OPT_LIST, 0, 0, "any", NULL, NULL, "whose"} };
    char *argv[] = { "--style", "bach", "-y", "debussy:0.3", "--style=ravel" };
    struct opts *o = opts_new(rows, 1);
    assert_string_equal(opts_text(o, "style"), "any");
    assert_int_equal(opts_parse(o, 5, argv), ERR_OK);
    assert_string_equal(opts_text(o, "style"), "bach,debussy:0.3,ravel");
    opts_free(o);
}

static void help_has_every_row(void **state)
{
    (void)state;
    struct str s;
    str_init(&s);
    opts_help(table, COUNT_OF(table), &s);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_non_null(strstr(str_c(&s), table[i].name));
        assert_non_null(strstr(str_c(&s), table[i].help));
    }
    assert_non_null(strstr(str_c(&s), "-o, --out FILE"));
    assert_non_null(strstr(str_c(&s), "[0.9]"));
    str_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets), cmocka_unit_test(all_forms), cmocka_unit_test(lists_gather),
        cmocka_unit_test(refusals_name_the_option), cmocka_unit_test(help_has_every_row),
    };
    return cmocka_run_group_tests_name("opt", tests, NULL, NULL);
}
