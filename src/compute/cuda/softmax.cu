/* softmax.cu: softmax and log of the sum of exponentials over mid of [outer, mid, inner]: rows that lie
 * together are taken by a block, columns by a thread each. */
#include "device.h"

/* Largest value and sum of exp(x - largest). */
struct peak { float max, sum; };

static __global__ void softmax_rows(const float *x, float *out, unsigned n, bool whole)
{
    const float *row = x + (size_t)blockIdx.x * n;
    float max = -INFINITY, sum = 0;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        max = fmaxf(max, row[i]);
    max = block_max(max);
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        sum += expf(row[i] - max);
    sum = block_sum(sum);
    if (!whole) {
        if (threadIdx.x == 0)
            out[blockIdx.x] = max + logf(sum);
        return;
    }
    float scale = 1 / sum;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        out[(size_t)blockIdx.x * n + i] = expf(row[i] - max) * scale;
}

DEVICE peak column_peak(const float *x, cu_span s)
{
    peak p = { x[0], 0 };
    for (unsigned m = 1; m < s.mid; m++)
        p.max = fmaxf(p.max, x[(size_t)m * s.inner]);
    for (unsigned m = 0; m < s.mid; m++)
        p.sum += expf(x[(size_t)m * s.inner] - p.max);
    return p;
}

static __global__ void __launch_bounds__(BLOCK) softmax_columns(const float *x, float *out, cu_span s, bool whole)
{
    unsigned i = thread_index();
    if (i >= s.outer * s.inner)
        return;
    size_t at = (size_t)(i / s.inner) * s.mid * s.inner + i % s.inner;
    peak p = column_peak(x + at, s);
    if (!whole) {
        out[i] = p.max + logf(p.sum);
        return;
    }
    for (unsigned m = 0; m < s.mid; m++, at += s.inner)
        out[at] = expf(x[at] - p.max) / p.sum;
}

static void run(const float *x, float *out, cu_span s, bool whole)
{
    if (s.inner == 1)
        LAUNCH(softmax_rows, s.outer, row_threads(s.mid), 0, x, out, (unsigned)s.mid, whole);
    else
        LAUNCH(softmax_columns, blocks_for((size_t)s.outer * s.inner, BLOCK), BLOCK, 0, x, out, s, whole);
}

void cu_softmax(const float *x, float *out, struct cu_span s)
{
    run(x, out, s, true);
}

void cu_logsumexp(const float *x, float *out, struct cu_span s)
{
    run(x, out, s, false);
}
