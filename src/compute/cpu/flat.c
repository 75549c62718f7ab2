/* flat.c: the loops of flat.h over ordinary memory. */
#include <math.h>
#include "cpu.h"

/* One compiled copy per vector width, chosen when the program starts. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WIDE
#endif

static inline float held(float w, float most)
{
    return w > most ? most : w < -most ? -most : w;
}

WIDE static void host_adam(float *restrict w, const float *restrict g, float *restrict m, float *restrict v,
                           size_t n, const struct flat_step *step)
{
    struct flat_step s = *step;
    for (size_t i = 0; i < n; i++) {
        float d = g[i] * s.grad_scale + s.l2 * w[i];
        m[i] = s.beta1 * m[i] + (1 - s.beta1) * d;
        v[i] = s.beta2 * v[i] + (1 - s.beta2) * d * d;
        float direction = s.m_share * m[i] + s.grad_share * d;
        float next = w[i] * s.shrink - s.lr * direction / (sqrtf(v[i] * s.v_scale) + s.eps);
        w[i] = held(next, s.most);
    }
}

WIDE static void host_sgd(float *restrict w, const float *restrict g, float *restrict m, size_t n,
                          const struct flat_step *step)
{
    struct flat_step s = *step;
    for (size_t i = 0; i < n; i++) {
        float d = g[i] * s.grad_scale + s.l2 * w[i];
        m[i] = s.beta1 * m[i] + d;
        w[i] = held(w[i] - s.lr * m[i], s.most);
    }
}

/* Blocks of fixed length in single precision, their sums in double: exact enough and the same everywhere. */
WIDE static double sum_of_squares(const float *g, size_t n)
{
    enum { BLOCK = 1024, LANES = 16 };
    double sum = 0;
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t len = n - at < BLOCK ? n - at : BLOCK, i = 0;
        float lane[LANES] = {0}, block = 0;
        for (; i + LANES <= len; i += LANES)
            for (size_t k = 0; k < LANES; k++)
                lane[k] += g[at + i + k] * g[at + i + k];
        for (; i < len; i++)
            block += g[at + i] * g[at + i];
        for (size_t k = 0; k < LANES; k++)
            block += lane[k];
        sum += (double)block;
    }
    return sum;
}

WIDE static void host_blend(float *restrict average, const float *restrict w, size_t n, float decay)
{
    for (size_t i = 0; i < n; i++)
        average[i] = decay * average[i] + (1 - decay) * w[i];
}

static void host_swap(float *restrict a, float *restrict b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

static enum err host_norm2(struct device *d, const float *g, size_t n, double *out)
{
    (void)d;
    *out = sum_of_squares(g, n);
    return ERR_OK;
}

static float host_clip(struct device *d, const float *g, size_t n, double most)
{
    (void)d;
    double norm = sqrt(sum_of_squares(g, n));
    return norm > most ? (float)(most / norm) : 1;
}

const struct flat_ops cpu_flat = {host_adam, host_sgd, host_clip, host_norm2, host_blend, host_swap};
