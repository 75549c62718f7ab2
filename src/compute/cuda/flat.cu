/* flat.cu: the optimiser's loops (flat.h) on the device. Blocks are 64-byte aligned, stretches of them 16-byte: four
 * elements a thread, the rest one by one. */
#include "dense.h"
#include "device.h"

DEVICE float held(float w, float most)
{
    return w > most ? most : w < -most ? -most : w;
}

DEVICE void adam_one(float &w, float g, float &m, float &v, const struct flat_step &s, float factor)
{
    float d = g * factor + s.l2 * w;
    m = s.beta1 * m + (1 - s.beta1) * d;
    v = s.beta2 * v + (1 - s.beta2) * d * d;
    float direction = s.m_share * m + s.grad_share * d;
    w = held(w * s.shrink - s.lr * direction / (sqrtf(v * s.v_scale) + s.eps), s.most);
}

DEVICE void sgd_one(float &w, float g, float &m, const struct flat_step &s, float factor)
{
    m = s.beta1 * m + (g * factor + s.l2 * w);
    w = held(w - s.lr * m, s.most);
}

DEVICE float factor_of(const struct flat_step &s, const float *scale)
{
    return scale ? s.grad_scale * *scale : s.grad_scale;
}

static __global__ void adam(float *w, const float *g, float *m, float *v, size_t n, struct flat_step s, const float *scale)
{
    size_t i = (size_t)thread_index() * 4;
    float factor = factor_of(s, scale);
    if (i + 4 <= n) {
        float4 a = *(float4 *)(w + i), b = *(const float4 *)(g + i), c = *(float4 *)(m + i), d = *(float4 *)(v + i);
        adam_one(a.x, b.x, c.x, d.x, s, factor);
        adam_one(a.y, b.y, c.y, d.y, s, factor);
        adam_one(a.z, b.z, c.z, d.z, s, factor);
        adam_one(a.w, b.w, c.w, d.w, s, factor);
        *(float4 *)(w + i) = a;
        *(float4 *)(m + i) = c;
        *(float4 *)(v + i) = d;
    } else {
        for (; i < n; i++)
            adam_one(w[i], g[i], m[i], v[i], s, factor);
    }
}

static __global__ void sgd(float *w, const float *g, float *m, size_t n, struct flat_step s, const float *scale)
{
    size_t i = thread_index();
    if (i < n)
        sgd_one(w[i], g[i], m[i], s, factor_of(s, scale));
}

static __global__ void blend(float *average, const float *w, size_t n, float decay)
{
    size_t i = (size_t)thread_index() * 4;
    for (size_t end = i + 4 < n ? i + 4 : n; i < end; i++)
        average[i] = decay * average[i] + (1 - decay) * w[i];
}

static __global__ void swap_blocks(float *a, float *b, size_t n)
{
    size_t i = thread_index();
    if (i < n) {
        float t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

/* Every thread sums the elements of its residue, a block its threads, in double precision and in the same order in
 * every run. */
static __global__ void squares(const float *g, size_t n, double *partial)
{
    double sum = 0;
    for (size_t i = thread_index(); i < n; i += (size_t)gridDim.x * BLOCK)
        sum += (double)g[i] * (double)g[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        partial[blockIdx.x] = sum;
}

static __global__ void norm_of(const double *partial, unsigned n, double *sum, float most, float *scale)
{
    double all = 0;
    for (unsigned i = threadIdx.x; i < n; i += BLOCK)
        all += partial[i];
    all = block_sum(all);
    if (threadIdx.x > 0)
        return;
    double norm = sqrt(all);
    *sum = all;
    if (most > 0)
        *scale = norm > (double)most ? (float)((double)most / norm) : 1;
}

void cu_adam(float *w, const float *g, float *m, float *v, size_t n, const struct flat_step *s, const float *scale)
{
    LAUNCH(adam, blocks_for(n, 4 * BLOCK), BLOCK, 0, w, g, m, v, n, *s, scale);
}

void cu_sgd(float *w, const float *g, float *m, size_t n, const struct flat_step *s, const float *scale)
{
    LAUNCH(sgd, blocks_for(n, BLOCK), BLOCK, 0, w, g, m, n, *s, scale);
}

void cu_blend(float *average, const float *w, size_t n, float decay)
{
    LAUNCH(blend, blocks_for(n, 4 * BLOCK), BLOCK, 0, average, w, n, decay);
}

void cu_swap(float *a, float *b, size_t n)
{
    LAUNCH(swap_blocks, blocks_for(n, BLOCK), BLOCK, 0, a, b, n);
}

void cu_norm2(const float *g, size_t n, double *partial, double *sum, float most, float *scale)
{
    unsigned blocks = blocks_for(n, 16 * BLOCK);
    if (blocks > CU_PARTIALS)
        blocks = CU_PARTIALS;
    LAUNCH(squares, blocks, BLOCK, 0, g, n, partial);
    LAUNCH(norm_of, 1, BLOCK, 0, (const double *)partial, blocks, sum, most, scale);
}
