/* tensor.c: shapes, and measures of how far two arrays are apart. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "tensor.h"

struct shape shape_of(size_t rank, const int32_t *dim)
{
    BUG_ON(rank > MAX_RANK);
    struct shape s = { .rank = (int)rank };
    memcpy(s.dim, dim, rank * sizeof(*dim));
    return s;
}

size_t shape_count(struct shape s)
{
    size_t n = 1;
    for (int i = 0; i < s.rank; i++)
        n *= (size_t)s.dim[i];
    return n;
}

bool shape_same(struct shape a, struct shape b)
{
    return a.rank == b.rank && memcmp(a.dim, b.dim, (size_t)a.rank * sizeof(a.dim[0])) == 0;
}

void shape_print(struct shape s, char buf[64])
{
    int at = snprintf(buf, 64, "[");
    for (int i = 0; i < s.rank && at < 60; i++)
        at += snprintf(buf + at, (size_t)(64 - at), i ? ",%d" : "%d", s.dim[i]);
    snprintf(buf + (at < 62 ? at : 62), 2, "]");
}

double tensor_max_diff(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        if (!(d <= worst)) /* a NaN counts as the worst */
            worst = isnan(d) ? INFINITY : d;
    }
    return worst;
}

double tensor_nmse(const float *a, const float *b, size_t n)
{
    double err = 0, ref = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - (double)b[i];
        err += d * d;
        ref += (double)b[i] * (double)b[i];
    }
    return ref > 0 ? err / ref : err > 0 ? INFINITY : err;
}
