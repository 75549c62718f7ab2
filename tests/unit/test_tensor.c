/* test_tensor.c: shapes and the measures of difference. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "tensor.h"

static void shapes(void **state)
{
    (void)state;
    char buf[64];
    struct shape s = SHAPE(64, 4, 48, 84, 5), none = { 0 };
    assert_int_equal(s.rank, 5);
    assert_int_equal(shape_count(s), 64 * 4 * 48 * 84 * 5);
    assert_int_equal(shape_count(none), 1);
    shape_print(s, buf);
    assert_string_equal(buf, "[64,4,48,84,5]");
    shape_print(none, buf);
    assert_string_equal(buf, "[]");
    shape_print(SHAPE(2147483647, 2147483647, 2147483647, 2147483647, 2147483647, 2147483647), buf);
    assert_int_equal(buf[0], '[');
    assert_true(shape_same(s, SHAPE(64, 4, 48, 84, 5)));
    assert_false(shape_same(s, SHAPE(64, 4, 48, 84)));
    assert_false(shape_same(s, SHAPE(64, 4, 48, 84, 6)));
}

static void differences(void **state)
{
    (void)state;
    float a[] = { 1, 2, 3 }, b[] = { 1, 2, 3.5f }, bad[] = { 1, NAN, 3 }, zero[] = { 0, 0, 0 };
    assert_true(tensor_max_diff(a, a, 3) == 0);
    assert_true(tensor_max_diff(a, b, 3) == 0.5);
    assert_true(isinf(tensor_max_diff(bad, a, 3)));
    assert_true(tensor_nmse(a, a, 3) == 0);
    assert_true(fabs(tensor_nmse(b, a, 3) - 0.25 / 14) < 1e-12);
    assert_true(isinf(tensor_nmse(a, zero, 3)));
    assert_true(tensor_nmse(zero, zero, 3) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(shapes), cmocka_unit_test(differences) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
