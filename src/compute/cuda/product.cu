/* product.cu: products without a library: for reference plans, and where cuBLASLt has no way; and what follows a
 * product where cuBLASLt cannot join it. */
#include "dense.h"
#include "tile.h"

struct product_result {
    float *p;
    size_t ld, stride;
    unsigned m, n, k;
    __device__ struct extent extent(unsigned) const { return { m, n, 0, k }; }
    __device__ void put(unsigned z, unsigned i, unsigned j, float v) const { p[z * stride + i * ld + j] = v; }
};

template <bool TA, bool TB> static void run_product(const struct product *p, const float *a, const float *b, float *c)
{
    matrix<!TA> left = { a, p->lda, p->stride_a };
    matrix<TB> right = { b, p->ldb, p->stride_b };
    product_result out = { c, p->ldc, p->stride_c, (unsigned)p->m, (unsigned)p->n, (unsigned)p->k };
    tile_run(left, right, out, out.m, out.n, (unsigned)p->count);
}

void cu_product(const struct product *p, const float *a, const float *b, float *c)
{
    if (p->ta && p->tb)
        run_product<true, true>(p, a, b, c);
    else if (p->ta)
        run_product<true, false>(p, a, b, c);
    else if (p->tb)
        run_product<false, true>(p, a, b, c);
    else
        run_product<false, false>(p, a, b, c);
}

DEVICE float activate(float v, enum act act, float slope)
{
    switch (act) {
    case ACT_NONE: return v;
    case ACT_RELU: return v > 0 ? v : 0;
    case ACT_LEAKY: return v > 0 ? v : slope * v;
    case ACT_TANH: return tanhf(v);
    case ACT_SIGMOID: return 1 / (1 + expf(-v));
    case ACT_GELU: return 0.5f * v * (1 + tanhf(0.7978845608f * (v + 0.044715f * v * v * v)));
    }
    return v;
}

static __global__ void bias_act(float *y, const float *bias, unsigned total, unsigned n, enum act act, float slope)
{
    unsigned i = thread_index();
    if (i < total)
        y[i] = activate(bias ? y[i] + bias[i % n] : y[i], act, slope);
}

void cu_bias_act(float *y, const float *bias, size_t rows, int n, enum act act, float slope)
{
    size_t total = rows * (size_t)n;
    LAUNCH(bias_act, blocks_for(total, BLOCK), BLOCK, 0, y, bias, (unsigned)total, (unsigned)n, act, slope);
}
