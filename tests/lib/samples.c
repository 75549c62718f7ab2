/* samples.c: see samples.h. */
#include "samples.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

void near_samples(const char *what, const json_t *want, const float *got, size_t n, double tolerance)
{
    assert_non_null(want);
    const json_t *at = json_object_get(want, "at");
    double norm = json_number_value(json_object_get(want, "norm")), square = 0, typical = norm / sqrt((double)n);
    size_t step = (size_t)json_integer_value(json_object_get(want, "step"));
    for (size_t i = 0; i < n; i++)
        square += (double)got[i] * (double)got[i];
    if (fabs(sqrt(square) - norm) > tolerance * norm + 1e-7)
        fail_msg("%s: norm %.9g instead of %.9g", what, sqrt(square), norm);
    for (size_t i = 0; i < json_array_size(at); i++) {
        double w = json_number_value(json_array_get(at, i)), g = (double)got[i * step];
        if (fabs(g - w) > tolerance * fmax(typical, fabs(w)) + 1e-7)
            fail_msg("%s[%zu]: %.9g instead of %.9g", what, i * step, g, w);
    }
}

double mean_size(const json_t *want, size_t n)
{
    return json_number_value(json_object_get(want, "norm")) / sqrt((double)n);
}

void near_units(const char *what, const json_t *want, double unit, const float *got, size_t n, double tolerance)
{
    json_t *at = json_object_get(want, "at");
    size_t step = (size_t)json_integer_value(json_object_get(want, "step"));
    double worst = 0, square = 0;
    assert_true(json_array_size(at) > 0);
    for (size_t i = 0; i < json_array_size(at); i++)
        worst = fmax(worst, fabs((double)got[i * step] - json_number_value(json_array_get(at, i))));
    for (size_t i = 0; i < n; i++)
        square += (double)got[i] * (double)got[i];
    worst = fmax(worst, fabs(sqrt(square / (double)n) - mean_size(want, n)));
    if (worst > tolerance * unit)
        fail_msg("%s: off by %g of a mean size of %g", what, worst, unit);
}
