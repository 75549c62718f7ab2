/* norm.cu: normalisation and its derivative over mid of [outer, mid, inner]. Short rows that lie together (layer
 * norm) take a block each. Everything else (batch and instance norm) takes statistics of parts about their own
 * means, joins them by Chan's formula in double, then normalises in one pass. */
#include "cut.h"

enum { SHORT_ROW = 8192, STATS = 4 };

static bool by_rows(cu_span s)
{
    return s.inner == 1 && s.mid <= SHORT_ROW;
}

/* g NULL: (x - mean) / deviation; otherwise dx = (g - mean g - xhat mean(g xhat)) / deviation. */
static __global__ void norm_rows(const float *x, const float *g, float *out, unsigned n, float eps)
{
    size_t at = (size_t)blockIdx.x * n;
    float mean = 0, mean_g = 0, square = 0, slope = 0, inverse = 1 / (float)n;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x) {
        mean += x[at + i];
        mean_g += g ? g[at + i] : 0;
    }
    mean = block_sum(mean) * inverse;
    mean_g = g ? block_sum(mean_g) * inverse : 0;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x) {
        float d = x[at + i] - mean;
        square += d * d;
        slope += g ? g[at + i] * d : 0;
    }
    float scale = 1 / sqrtf(block_sum(square) * inverse + eps);
    slope = g ? block_sum(slope) * inverse * scale * scale : 0;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x) {
        float d = x[at + i] - mean;
        out[at + i] = (g ? g[at + i] - mean_g - d * slope : d) * scale;
    }
}

/* part [outer, parts, STATS, inner]: mean, sum (x - mean)^2, sum g, sum g (x - mean). */
static __global__ void __launch_bounds__(BLOCK) part_stats(const float *x, const float *g, float *part, cu_span s, cut c)
{
    __shared__ float scratch[BLOCK];
    seat me = seat_of(s, c);
    unsigned at = me.outer * s.mid * s.inner + me.column, first = me.first + me.row;
    float mean = 0, square = 0, sum_g = 0, sum_gx = 0;
    for (unsigned m = first; me.taken && m < me.end; m += c.rows)
        mean += x[at + m * s.inner];
    mean = join_rows<sum_of>(scratch, mean, me, c) / (float)(me.end - me.first);
    for (unsigned m = first; me.taken && m < me.end; m += c.rows) {
        float d = x[at + m * s.inner] - mean, v = g ? g[at + m * s.inner] : 0;
        square += d * d;
        sum_g += v;
        sum_gx += v * d;
    }
    square = join_rows<sum_of>(scratch, square, me, c);
    sum_g = g ? join_rows<sum_of>(scratch, sum_g, me, c) : 0;
    sum_gx = g ? join_rows<sum_of>(scratch, sum_gx, me, c) : 0;
    if (!me.taken || me.row)
        return;
    float *to = part + (size_t)(me.outer * c.parts + me.part) * STATS * s.inner + me.column;
    to[0] = mean;
    to[s.inner] = square;
    to[2 * s.inner] = sum_g;
    to[3 * s.inner] = sum_gx;
}

/* stat [outer, STATS, inner]: mean, 1 / deviation, mean g, mean(g (x - mean)) / deviation^2. */
static __global__ void __launch_bounds__(BLOCK) join_parts(const float *part, float *stat, cu_span s, cut c, float eps)
{
    unsigned i = thread_index();
    if (i >= s.outer * s.inner)
        return;
    unsigned outer = i / s.inner, column = i % s.inner;
    double mean = 0, square = 0, sum_g = 0, sum_gx = 0, n = 0;
    for (unsigned b = 0; b < c.parts; b++) {
        const float *from = part + (size_t)(outer * c.parts + b) * STATS * s.inner + column;
        double rows = min(c.part, s.mid - b * c.part), d = (double)from[0] - mean, g = from[2 * s.inner];
        double step = d * rows / (n + rows); /* of the mean */
        square += (double)from[s.inner] + d * (d - step) * rows;
        sum_gx += (double)from[3 * s.inner] + g * (d - step) - sum_g * step;
        sum_g += g;
        mean += step;
        n += rows;
    }
    double scale = 1 / sqrt(square / n + (double)eps);
    float *to = stat + (size_t)outer * STATS * s.inner + column;
    to[0] = (float)mean;
    to[s.inner] = (float)scale;
    to[2 * s.inner] = (float)(sum_g / n);
    to[3 * s.inner] = (float)(sum_gx / n * scale * scale);
}

template <int N> DEVICE pack<N> take(const float *p);
template <> __device__ __forceinline__ pack<1> take<1>(const float *p) { return { { p[0] } }; }
template <> __device__ __forceinline__ pack<4> take<4>(const float *p) { return load4(p); }
DEVICE void put(float *p, const pack<1> &v) { p[0] = v.v[0]; }
DEVICE void put(float *p, const pack<4> &v) { store4(p, v); }

/* N columns a thread. */
template <int N>
static __global__ void __launch_bounds__(BLOCK)
    apply(const float *x, const float *g, const float *stat, float *out, unsigned inner, cu_div outer, cu_div columns, unsigned n)
{
    unsigned i = thread_index() * N;
    if (i >= n)
        return;
    const float *s = stat + (size_t)quotient(i, outer) * STATS * inner + remainder_of(i, columns);
    pack<N> v = take<N>(x + i), mean = take<N>(s), scale = take<N>(s + inner);
    for (int k = 0; k < N; k++)
        v.v[k] -= mean.v[k];
    if (g) {
        pack<N> of_g = take<N>(g + i), mean_g = take<N>(s + 2 * inner), slope = take<N>(s + 3 * inner);
        for (int k = 0; k < N; k++)
            v.v[k] = of_g.v[k] - mean_g.v[k] - v.v[k] * slope.v[k];
    }
    for (int k = 0; k < N; k++)
        v.v[k] *= scale.v[k];
    put(out + i, v);
}

static size_t part_floats(cu_span s)
{
    return (size_t)s.outer * cut_of(s, false).parts * STATS * s.inner;
}

size_t cu_norm_work(struct cu_span s)
{
    return by_rows(s) ? 0 : part_floats(s) + (size_t)s.outer * STATS * s.inner;
}

void cu_norm(const float *x, const float *g, float *out, float *work, struct cu_span s, float eps)
{
    if (by_rows(s)) {
        LAUNCH(norm_rows, s.outer, row_threads(s.mid), 0, x, g, out, (unsigned)s.mid, eps);
        return;
    }
    cut c = cut_of(s, false);
    float *stat = work + part_floats(s);
    size_t columns = (size_t)s.outer * s.inner, n = columns * s.mid;
    LAUNCH(part_stats, cut_blocks(s, c), cut_threads(c), 0, x, g, work, s, c);
    LAUNCH(join_parts, blocks_for(columns, BLOCK), BLOCK, 0, (const float *)work, stat, s, c, eps);
    bool wide = s.inner % 4 == 0 && aligned16(x) && aligned16(out) && aligned16(work) && (!g || aligned16(g));
    LAUNCH((wide ? apply<4> : apply<1>), blocks_for(n, wide ? 4 * BLOCK : BLOCK), BLOCK, 0, x, g, (const float *)stat, out,
           (unsigned)s.inner, cu_div_of((size_t)s.mid * s.inner), cu_div_of(s.inner), (unsigned)n);
}
