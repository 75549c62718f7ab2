/* test_vmath.c: the vector functions against libm in double, in units in the last place, over their whole
 * range; and infinities, NaN, zeros, lengths that are no multiple of a vector, in-place use. Prints the
 * errors found. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "compute/cpu/cpuid.h"
#include "compute/cpu/vmath.h"
#include "err.h"

enum { N = 1 << 16 };

static double sigmoid_ref(double x) { return 1 / (1 + exp(-x)); }
static const double two_c = 1.5957691216057308, c3 = 0.044715;
static double gelu_ref(double x) { return x * sigmoid_ref(two_c * (x + c3 * x * x * x)); }

static double gelu_dx_ref(double x)
{
    const double s = sigmoid_ref(two_c * (x + c3 * x * x * x));
    return s + x * s * (1 - s) * two_c * (1 + 3 * c3 * x * x);
}

/* absolute: an error below it counts as none (the derivative of gelu crosses zero; gelu falls to zero). */
struct function {
    const char *name;
    void (*fn)(float *, const float *, size_t);
    double (*ref)(double);
    float lo, hi;
    double ulp, absolute;
};

static const struct function functions[] = {
    {"exp", vexp, exp, -87.3f, 88.72f, 2, 0},
    {"log", vlog, log, 1e-37f, 1e37f, 2, 0},
    {"log", vlog, log, 0.5f, 2, 2, 0},
    {"tanh", vtanh, tanh, -12, 12, 3, 0},
    {"tanh", vtanh, tanh, -1, 1, 3, 0},
    {"sigmoid", vsigmoid, sigmoid_ref, -80, 80, 4, 0},
    {"gelu", vgelu, gelu_ref, -1, 30, 4, 0},
    {"gelu", vgelu, gelu_ref, -30, 0, 4, 1e-7},
    {"gelu_dx", vgelu_dx, gelu_dx_ref, -30, 30, 4, 2e-7},
};

static double ulp(double want)
{
    const float a = (float)fabs(want);
    return a < FLT_MIN ? FLT_MIN * FLT_EPSILON : (double)nextafterf(a, INFINITY) - a;
}

static void test_accuracy(void **state)
{
    (void)state;
    static float x[N], y[N];
    printf("%s\n", isa_name(cpu_isa()));
    for (size_t f = 0; f < COUNT_OF(functions); f++) {
        const struct function *fn = &functions[f];
        for (int i = 0; i < N; i++) {
            const double t = (i + 0.37) / N; /* of log: evenly in the exponent */
            x[i] = (float)(fn->lo > 0 ? fn->lo * pow((double)fn->hi / fn->lo, t) :
                           fn->lo + t * (fn->hi - fn->lo));
        }
        fn->fn(y, x, N);
        double worst = 0;
        int at = 0;
        for (int i = 0; i < N; i++) {
            const double want = fn->ref(x[i]), error = fabs(y[i] - want);
            if (error > fn->absolute && !(error / ulp(want) <= worst)) {
                worst = error / ulp(want);
                at = i;
            }
        }
        printf("%-8s [%g, %g]: %.2f ulp at %g\n", fn->name, (double)fn->lo, (double)fn->hi, worst,
               (double)x[at]);
        assert_true(worst <= fn->ulp);
    }
}

static void test_special_values(void **state)
{
    (void)state;
    static const float x[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 100, -110, 1e30f, -1, 1e-40f, 1};
    enum { ZERO, MINUS_ZERO, INF, MINUS_INF, NOT, BIG, SMALL, HUGE_, MINUS_ONE, SUBNORMAL, ONE, COUNT };
    float y[COUNT];
    vexp(y, x, COUNT);
    assert_true(y[ZERO] == 1 && y[INF] == INFINITY && y[MINUS_INF] == 0 && isnan(y[NOT]) &&
                y[BIG] == INFINITY);
    assert_true(y[SMALL] == 0);
    vlog(y, x, COUNT);
    assert_true(y[ZERO] == -INFINITY && y[INF] == INFINITY && isnan(y[MINUS_INF]) && isnan(y[NOT]) &&
                isnan(y[MINUS_ONE]));
    assert_true(y[ONE] == 0 && fabsf(y[SUBNORMAL] - logf(1e-40f)) < 1e-4f);
    vtanh(y, x, COUNT);
    assert_true(y[ZERO] == 0 && y[INF] == 1 && y[MINUS_INF] == -1 && isnan(y[NOT]) && y[BIG] == 1);
    assert_true(signbit(y[MINUS_ZERO]));
    vsigmoid(y, x, COUNT);
    assert_true(y[ZERO] == 0.5f && y[INF] == 1 && y[MINUS_INF] == 0 && isnan(y[NOT]) && y[HUGE_] == 1);
    vgelu(y, x, COUNT);
    assert_true(y[ZERO] == 0 && y[HUGE_] == 1e30f && isnan(y[NOT]) && y[SMALL] == 0);
    vgelu_dx(y, x, COUNT);
    assert_true(y[ZERO] == 0.5f && y[INF] == 1 && isnan(y[NOT]) && y[HUGE_] == 1);
    assert_true(fabsf(y[MINUS_INF]) < 1e-30f);
}

/* The same bits whatever the position in the array; nothing written beyond it; in place. */
static void test_lengths(void **state)
{
    (void)state;
    for (size_t f = 0; f < COUNT_OF(functions); f++)
        for (size_t n = 0; n < 40; n++) {
            float x[48], y[48], all[48];
            for (int i = 0; i < 48; i++) {
                x[i] = 0.1f + 0.3f * (float)i;
                y[i] = -7;
            }
            functions[f].fn(all, x, 48);
            functions[f].fn(y, x, n);
            assert_memory_equal(y, all, n * sizeof *y);
            assert_true(y[n] == -7);
            functions[f].fn(x, x, n);
            assert_memory_equal(x, all, n * sizeof *x);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accuracy), cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests_name("vmath", tests, NULL, NULL);
}
