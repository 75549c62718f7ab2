/* Parameter sets: layout, initial values, ranges. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "param.h"

static struct device *device;

static int start(void **state)
{
    (void)state;
    return device_open("cpu", 1, &device) != ERR_OK;
}

static int stop(void **state)
{
    (void)state;
    device_close(device);
    return 0;
}

static const struct init_spec ZEROS = {INIT_ZEROS, 0}, ONES = {INIT_ONES, 0};

static void layout(void **state)
{
    (void)state;
    struct params *p = params_new();
    params_declare(p, "g.a", SHAPE(3, 5), ZEROS, true);
    params_declare(p, "g.mean", SHAPE(5), ONES, false);
    params_declare(p, "g.b", SHAPE(5), ONES, true);
    params_declare(p, "d.a", SHAPE(40), ZEROS, true);
    params_declare(p, "g.a", SHAPE(3, 5), ZEROS, true); /* again: ignored */
    assert_int_equal(params_n(p), 4);
    assert_int_equal(params_count(p), 15 + 5 + 40);
    assert_int_equal(params_find(p, "g.b"), 2);
    assert_int_equal(params_find(p, "g"), -1);
    assert_true(params_decays(p, 0));
    assert_false(params_decays(p, 2)); /* a vector */
    params_no_decay(p, "g.a");
    assert_false(params_decays(p, 0));
    assert_int_equal(params_alloc(p, device, true), ERR_OK);
    params_init(p, 1);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal((uintptr_t)params_value(p, i) % 64, 0);
    assert_true(params_value(p, 2)[4] == 1 && params_value(p, 1)[4] == 1 && params_value(p, 0)[14] == 0);
    assert_null(params_grad(p, 1));
    size_t from, n, all;
    float *w, *g, *m, *v;
    params_flat(p, &w, &g, &m, &v, &all);
    params_range(p, "g.", &from, &n);
    assert_int_equal(from, 0);
    assert_ptr_equal(w + n, params_value(p, 3));
    params_range(p, "d.", &from, &n);
    assert_ptr_equal(w + from, params_value(p, 3));
    assert_int_equal(from + n, all);
    assert_ptr_equal(g + from, params_grad(p, 3));
    params_range(p, "none.", &from, &n);
    assert_int_equal(n, 0);
    params_free(p);
}

static void moments(const float *x, size_t n, double *mean, double *deviation, double *largest)
{
    double sum = 0, square = 0;
    *largest = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i];
        square += (double)x[i] * (double)x[i];
        *largest = fmax(*largest, fabs((double)x[i]));
    }
    *mean = sum / (double)n;
    *deviation = sqrt(square / (double)n - *mean * *mean);
}

static void initialisers(void **state)
{
    (void)state;
    const struct {
        struct init_spec spec;
        double deviation, largest;
    } rows[] = {
        {{INIT_NORMAL, 0.02f}, 0.02, 0.2},
        {{INIT_TRUNC_NORMAL, 0.05f}, 0.05 * 0.8796, 0.1}, /* variance of a normal cut at two deviations */
        {{INIT_UNIFORM, 0.3f}, 0.3 / sqrt(3), 0.3},
        {{INIT_XAVIER, 1}, sqrt(2.0 / (128 + 256)), sqrt(6.0 / (128 + 256))},
        {{INIT_KAIMING, 1}, sqrt(2.0 / 128), 1},
        {{INIT_ORTHOGONAL, 1}, 1 / sqrt(256), 1},
    };
    for (size_t r = 0; r < COUNT_OF(rows); r++) {
        struct params *p = params_new();
        double mean, deviation, largest;
        params_declare(p, "x", SHAPE(128, 256), rows[r].spec, true);
        assert_int_equal(params_alloc(p, device, false), ERR_OK);
        params_init(p, 7);
        moments(params_value(p, 0), 128 * 256, &mean, &deviation, &largest);
        assert_true(fabs(mean) < 0.02 * rows[r].deviation);
        assert_true(fabs(deviation - rows[r].deviation) < 0.02 * rows[r].deviation);
        assert_true(largest <= rows[r].largest * 1.000001);
        params_free(p);
    }
}

static void near_one(void **state)
{
    (void)state;
    struct params *p = params_new();
    double mean, deviation, largest;
    params_declare(p, "x", SHAPE(128, 256), (struct init_spec){INIT_NEAR_ONE, 0.02f}, true);
    assert_int_equal(params_alloc(p, device, false), ERR_OK);
    params_init(p, 7);
    moments(params_value(p, 0), 128 * 256, &mean, &deviation, &largest);
    assert_true(fabs(mean - 1) < 0.001);
    assert_true(fabs(deviation - 0.02) < 0.0005);
    params_free(p);
}

static void orthogonal(void **state)
{
    (void)state;
    struct params *p = params_new();
    params_declare(p, "tall", SHAPE(20, 7), (struct init_spec){INIT_ORTHOGONAL, 2}, true);
    params_declare(p, "wide", SHAPE(7, 20), (struct init_spec){INIT_ORTHOGONAL, 2}, true);
    assert_int_equal(params_alloc(p, device, false), ERR_OK);
    params_init(p, 3);
    const float *tall = params_value(p, 0), *wide = params_value(p, 1);
    for (int a = 0; a < 7; a++)
        for (int b = 0; b < 7; b++) {
            double columns = 0, rows = 0;
            for (int k = 0; k < 20; k++) {
                columns += (double)tall[k * 7 + a] * (double)tall[k * 7 + b];
                rows += (double)wide[a * 20 + k] * (double)wide[b * 20 + k];
            }
            assert_true(fabs(columns - (a == b ? 4 : 0)) < 1e-5);
            assert_true(fabs(rows - (a == b ? 4 : 0)) < 1e-5);
        }
    params_free(p);
}

/* A tensor's values depend on seed and name, not on what else is declared. */
static void streams(void **state)
{
    (void)state;
    struct params *p = params_new(), *q = params_new();
    struct init_spec normal = {INIT_NORMAL, 1};
    params_declare(p, "a", SHAPE(9), normal, true);
    params_declare(p, "b", SHAPE(9), normal, true);
    params_declare(q, "b", SHAPE(9), normal, true);
    assert_int_equal(params_alloc(p, device, false), ERR_OK);
    assert_int_equal(params_alloc(q, device, false), ERR_OK);
    params_init(p, 5);
    params_init(q, 5);
    assert_memory_equal(params_value(p, 1), params_value(q, 0), 9 * sizeof(float));
    assert_memory_not_equal(params_value(p, 0), params_value(p, 1), 9 * sizeof(float));
    params_init(q, 6);
    assert_memory_not_equal(params_value(p, 1), params_value(q, 0), 9 * sizeof(float));
    params_free(p);
    params_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout),
        cmocka_unit_test(initialisers),
        cmocka_unit_test(near_one),
        cmocka_unit_test(orthogonal),
        cmocka_unit_test(streams),
    };
    return cmocka_run_group_tests_name("param", tests, start, stop);
}
