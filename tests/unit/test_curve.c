/* test_curve.c: curves of a training run, however long, in few characters, and the panel they stand in. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "engine/train_view.h"
#include "file.h"

static void test_long(void **state)
{
    (void)state;
    struct curve c = { .name = "ramp", .aim = NAN };
    for (int i = 0; i < 100000; i++)
        curve_add(&c, i);
    curve_add(&c, NAN);
    curve_add(&c, INFINITY);
    assert_true(c.n > CURVE_POINTS / 2 - 1 && c.n <= CURVE_POINTS);
    assert_true(c.last == 99999);
    for (int i = 0; i < c.n; i++) /* each the mean of its own run */
        assert_true(fabs(c.at[i] - ((double)i * (double)c.every + (double)(c.every - 1) / 2)) < 1e-6);
}

static void test_drawing(void **state)
{
    (void)state;
    struct curve c[2] = { { .name = "rises", .aim = NAN }, { .name = "in scale", .aim = 15 } };
    struct str out;
    str_init(&out);
    for (int i = 0; i < 16; i++)
        curve_add(&c[0], i);
    curve_add(&c[1], 0);
    curves_draw(c, 2, 16, true, &out);
    assert_string_equal(str_c(&out), "rises              __.-=+*# 15\n"
                                     "           __.-=+*######### 0 .. 15\n"
                                     "in scale                    0\n"
                                     "           _                data 15\n");
    str_clear(&out);
    curves_draw(c, 1, 8, false, &out);
    assert_non_null(strstr(str_c(&out), "█"));
    str_fini(&out);
}

/* What a run logged comes back when it is resumed. */
static void test_recall(void **state)
{
    (void)state;
    static const char log[] = "step\tseconds\tsplit\tloss\tsum\n10\t1.0\ttrain\t4.5\t4.5\n10\t1.0\theld-out\t9\t9\n"
                              "20\t2.0\ttrain\t3.5\t3.5\n30\t2.0\ttrain\tnonsense\t1\n40\t3.0\ttr";
    static const char *const names[] = { "loss" };
    struct figures data = { { 30, 90, 95 } };
    struct train_view v;
    char path[64];
    str_format(path, sizeof path, "/tmp/test_curve_%d", (int)getpid());
    assert_int_equal(file_write(path, log, strlen(log)), ERR_OK);
    train_view_open(&v, names, 1, &data, true);
    train_view_recall(&v, path);
    unlink(path);
    train_view_recall(&v, path); /* gone: nothing */
    assert_int_equal(v.curve[0].n, 2);
    assert_true(v.curve[0].at[0] == 4.5 && v.curve[0].at[1] == 3.5);
    train_view_figures(&v, 20, &(struct figures){ { 25, NAN, 80 } });
    assert_int_equal(v.curve[1].n, 1);
    assert_int_equal(v.curve[2].n, 0);
    struct str out;
    str_init(&out);
    train_view_held_out(&v, "held-out: all is well");
    assert_int_equal(train_view_panel(&v, 80, &out), 1 + 2 * 4);
    assert_non_null(strstr(str_c(&out), "held-out: all is well\nloss "));
    assert_non_null(strstr(str_c(&out), "data 95"));
    str_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_long), cmocka_unit_test(test_drawing),
                                        cmocka_unit_test(test_recall) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
