/* xent.cu: softmax cross entropy over rows and its derivative. Rows whose target is outside the table of classes
 * (negative, by contract) count for nothing. */
#include "device.h"

DEVICE bool counts(int32_t target, unsigned width)
{
    return (unsigned)target < width;
}

/* The row's largest value, and the sum of exp(x - largest). */
DEVICE float row_exps(const float *x, unsigned n, float *max)
{
    float top = -INFINITY, sum = 0;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        top = fmaxf(top, x[i]);
    *max = top = block_max(top);
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        sum += expf(x[i] - top);
    return block_sum(sum);
}

static __global__ void row_loss(const float *logits, const int32_t *target, float *loss, unsigned width)
{
    const float *x = logits + (size_t)blockIdx.x * width;
    int32_t t = target[blockIdx.x];
    float max = 0, sum = counts(t, width) ? row_exps(x, width, &max) : 0;
    if (threadIdx.x == 0)
        loss[blockIdx.x] = counts(t, width) ? logf(sum) + max - x[t] : 0;
}

/* Rows that count, at least 1; for one block. */
DEVICE unsigned count_rows(const int32_t *target, unsigned rows, unsigned width)
{
    unsigned n = 0;
    for (unsigned i = threadIdx.x; i < rows; i += blockDim.x)
        n += counts(target[i], width);
    n = block_sum(n);
    return n ? n : 1;
}

static __global__ void __launch_bounds__(BLOCK)
    mean_loss(const float *loss, const int32_t *target, float *out, unsigned rows, unsigned width)
{
    double sum = 0;
    for (unsigned i = threadIdx.x; i < rows; i += BLOCK)
        sum += loss[i];
    sum = block_sum(sum);
    unsigned n = count_rows(target, rows, width);
    if (threadIdx.x == 0)
        *out = (float)(sum / n);
}

static __global__ void __launch_bounds__(BLOCK)
    row_scale(const int32_t *target, const float *g, float *out, unsigned rows, unsigned width)
{
    unsigned n = count_rows(target, rows, width);
    if (threadIdx.x == 0)
        *out = *g / (float)n;
}

static __global__ void row_dx(const float *logits, const int32_t *target, const float *scale, float *out, unsigned width)
{
    size_t at = (size_t)blockIdx.x * width;
    int32_t t = target[blockIdx.x];
    float max = 0, factor = counts(t, width) ? *scale / row_exps(logits + at, width, &max) : 0;
    for (unsigned i = threadIdx.x; i < width; i += blockDim.x) {
        float d = factor == 0 ? 0 : expf(logits[at + i] - max) * factor;
        out[at + i] = (int32_t)i == t ? d - *scale : d;
    }
}

void cu_xent(const float *logits, const int32_t *target, float *out, float *work, uint32_t rows, uint32_t width)
{
    LAUNCH(row_loss, rows, row_threads(width), 0, logits, target, work, width);
    LAUNCH(mean_loss, 1, BLOCK, 0, (const float *)work, target, out, rows, width);
}

void cu_xent_dx(const float *logits, const int32_t *target, const float *g, float *out, float *work, uint32_t rows,
                uint32_t width)
{
    LAUNCH(row_scale, 1, BLOCK, 0, target, g, work, rows, width);
    LAUNCH(row_dx, rows, row_threads(width), 0, logits, target, (const float *)work, out, width);
}
