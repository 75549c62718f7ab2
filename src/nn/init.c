/* init.c: initialisers with the distributions of the reference frameworks. A row of the table is one kind;
 * all draw from a Philox stream of their own, so a tensor's first values depend on (seed, name) alone. */
#include <math.h>
#include <stdlib.h>
#include "init.h"
#include "mem.h"

struct fans {
    double in, out;
};

static struct fans fans_of(struct shape s)
{
    double out = s.rank > 0 ? s.dim[s.rank - 1] : 1, in = 1;
    for (int i = 0; i < s.rank - 1; i++)
        in *= s.dim[i];
    return (struct fans){in, out};
}

static void fill_const(float *out, size_t n, float value)
{
    for (size_t i = 0; i < n; i++)
        out[i] = value;
}

static void fill_uniform(struct rng *r, float *out, size_t n, double half)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(half * (2.0 * (double)rng_uniform(r) - 1.0));
}

static void fill_normal(struct rng *r, float *out, size_t n, double mean, double deviation)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(mean + deviation * (double)rng_normal(r));
}

static void fill_truncated(struct rng *r, float *out, size_t n, double deviation)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(deviation * (double)rng_truncated(r, 2.0f));
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Rows of v become orthonormal (Gram-Schmidt, run twice for accuracy). Needs n_rows <= width. */
static void orthonormalise(float *v, size_t n_rows, size_t width)
{
    for (size_t i = 0; i < n_rows; i++) {
        float *row = v + i * width;
        for (int pass = 0; pass < 2; pass++)
            for (size_t j = 0; j < i; j++) {
                double along = dot(row, v + j * width, width);
                for (size_t k = 0; k < width; k++)
                    row[k] -= (float)(along * (double)v[j * width + k]);
            }
        double norm = sqrt(dot(row, row, width));
        for (size_t k = 0; k < width; k++)
            row[k] = (float)((double)row[k] / norm);
    }
}

/* The matrix [in,out] has orthonormal columns, or rows where it is wider than tall. */
static void fill_orthogonal(struct rng *r, struct fans f, float *out, double gain)
{
    size_t in = (size_t)f.in, width = (size_t)f.out;
    size_t n_rows = in < width ? in : width, length = in < width ? width : in;
    float *v = xmalloc(n_rows * length * sizeof *v);
    fill_normal(r, v, n_rows * length, 0, 1);
    orthonormalise(v, n_rows, length);
    for (size_t i = 0; i < in; i++)
        for (size_t j = 0; j < width; j++)
            out[i * width + j] = (float)(gain * (double)(in < width ? v[i * length + j] : v[j * length + i]));
    free(v);
}

static uint64_t name_stream(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * 0x100000001b3u;
    return h;
}

void init_fill(struct init_spec spec, struct shape s, uint64_t seed, const char *name, float *out)
{
    struct rng r;
    struct fans f = fans_of(s);
    size_t n = shape_count(s);
    double scale = (double)spec.scale;
    rng_init(&r, seed, name_stream(name));
    switch (spec.kind) {
    case INIT_ZEROS:
        fill_const(out, n, 0);
        break;
    case INIT_ONES:
        fill_const(out, n, 1);
        break;
    case INIT_NEAR_ONE:
        fill_normal(&r, out, n, 1, scale);
        break;
    case INIT_NORMAL:
        fill_normal(&r, out, n, 0, scale);
        break;
    case INIT_TRUNC_NORMAL:
        fill_truncated(&r, out, n, scale);
        break;
    case INIT_UNIFORM:
        fill_uniform(&r, out, n, scale);
        break;
    case INIT_XAVIER:
        fill_uniform(&r, out, n, scale * sqrt(6.0 / (f.in + f.out)));
        break;
    case INIT_KAIMING:
        fill_normal(&r, out, n, 0, scale * sqrt(2.0 / f.in));
        break;
    case INIT_ORTHOGONAL:
        fill_orthogonal(&r, f, out, scale);
        break;
    }
}
