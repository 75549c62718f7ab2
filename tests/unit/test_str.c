/* The growing string, bounded copies, parses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

static void growing(void **state)
{
    (void)state;
    struct str s;
    str_init(&s);
    assert_string_equal(str_c(&s), "");
    str_add(&s, "a");
    str_addn(&s, "bcd", 2);
    str_addc(&s, '-');
    str_addf(&s, "%03d %s", 7, "x");
    assert_string_equal(str_c(&s), "abc-007 x");
    for (int i = 0; i < 500; i++)
        str_addf(&s, "%d", i % 10);
    assert_int_equal(s.len, 509);
    assert_int_equal(strlen(s.p), 509);
    str_clear(&s);
    assert_string_equal(str_c(&s), "");
    str_add(&s, "again");
    char *own = str_take(&s);
    assert_string_equal(own, "again");
    free(own);
    own = str_take(&s);
    assert_string_equal(own, "");
    free(own);
    str_fini(&s);
}

static void bounded(void **state)
{
    (void)state;
    char b[6] = "zzzzz";
    assert_true(str_copy(b, sizeof b, "12345"));
    assert_string_equal(b, "12345");
    assert_false(str_copy(b, sizeof b, "123456"));
    assert_string_equal(b, "12345");
    assert_false(str_copy(b, 0, "x"));
    assert_true(str_copy(b, 1, ""));
    assert_string_equal(b, "");
    assert_true(str_format(b, sizeof b, "%d", 12345));
    assert_false(str_format(b, sizeof b, "%d", 123456));
    assert_string_equal(b, "12345");
}

static void comparisons(void **state)
{
    (void)state;
    assert_true(str_starts("piano", "pia") && str_starts("piano", ""));
    assert_false(str_starts("pi", "pia"));
    assert_true(str_ends("a.mid", ".mid") && str_ends("x", ""));
    assert_false(str_ends("id", ".mid"));
    assert_true(str_same("Piano", "pIANO"));
    assert_false(str_same("Piano", "Pianos"));
}

static void whole_numbers(void **state)
{
    (void)state;
    int64_t v = 77;
    static const char *const bad[] = {"", " 1", "1 ", "0x10", "1.5", "eight", "--1", "1e3"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(parse_int(bad[i], -100, 100, &v), ERR_FORMAT);
    assert_int_equal(parse_int("101", -100, 100, &v), ERR_RANGE);
    assert_int_equal(parse_int("99999999999999999999", INT64_MIN, INT64_MAX, &v), ERR_RANGE);
    assert_int_equal(v, 77);
    assert_int_equal(parse_int("-100", -100, 100, &v), ERR_OK);
    assert_int_equal(v, -100);
    assert_int_equal(parse_int("9223372036854775807", INT64_MIN, INT64_MAX, &v), ERR_OK);
    assert_true(v == INT64_MAX);
}

static void reals(void **state)
{
    (void)state;
    double v = 7;
    assert_int_equal(parse_double("nan", -1, 1, &v), ERR_RANGE);
    assert_int_equal(parse_double("inf", -1, 1, &v), ERR_RANGE);
    assert_int_equal(parse_double("", -1, 1, &v), ERR_FORMAT);
    assert_int_equal(parse_double("0,5", -1, 1, &v), ERR_FORMAT);
    assert_float_equal(v, 7, 0);
    assert_int_equal(parse_double("1e-3", -1, 1, &v), ERR_OK);
    assert_float_equal(v, 0.001, 1e-12);
}

static void splitting(void **state)
{
    (void)state;
    char text[] = "piano,,bass";
    char *rest = text;
    assert_string_equal(str_split(&rest, ','), "piano");
    assert_string_equal(str_split(&rest, ','), "");
    assert_string_equal(str_split(&rest, ','), "bass");
    assert_null(str_split(&rest, ','));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growing), cmocka_unit_test(bounded), cmocka_unit_test(comparisons),
        cmocka_unit_test(whole_numbers), cmocka_unit_test(reals), cmocka_unit_test(splitting),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
