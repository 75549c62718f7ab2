/* hashed.c: see hashed.h. */
#include "hashed.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "on.h"
#include "str.h"

float *hashed(const char *name, size_t n)
{
    uint32_t seed = 2166136261u;
    float *out = xmalloc(n * sizeof *out);
    for (; *name; name++)
        seed = (seed ^ (uint8_t)*name) * 16777619u;
    for (size_t i = 0; i < n; i++) {
        uint32_t h = (uint32_t)i * 2654435761u + seed;
        h = (h ^ h >> 16) * 2246822519u;
        h = (h ^ h >> 13) * 3266489917u;
        h ^= h >> 16;
        out[i] = (float)((double)(h >> 8) / 8388608.0 - 1);
    }
    return out;
}

float *hashed_cells(const char *name, size_t n)
{
    float *x = hashed(name, n);
    for (size_t i = 0; i < n; i++)
        x[i] = (double)x[i] > 0.8 ? 1 : -1;
    return x;
}

void hashed_fill(struct params *p, hashed_fn weight)
{
    for (size_t i = 0; i < params_n(p); i++) {
        const char *name = params_name(p, i);
        struct shape s = params_shape(p, i);
        size_t n = shape_count(s);
        float *u = hashed(name, n);
        for (size_t k = 0; k < n; k++)
            u[k] = (float)weight(name, s, n, k, (double)u[k]);
        on_write(params_device(p), params_value(p, i), u, n * sizeof *u);
        free(u);
    }
}

static double by_suffix(const char *name, struct shape s, size_t n, size_t k, double u)
{
    size_t fan_in = n / (size_t)s.dim[s.rank - 1];
    (void)k;
    return str_ends(name, ".w")       ? u * sqrt(6.0 / (double)fan_in)
           : str_ends(name, ".gamma") ? 1 + 0.2 * u
           : str_ends(name, ".var")   ? 1 + 0.5 * u
                                      : 0.1 * u;
}

void hashed_params(struct params *p)
{
    hashed_fill(p, by_suffix);
}
