/* reduce.cu: sums and maxima over mid of [outer, mid, inner], and where the largest is. A block takes some
 * columns of some outers, its threads take turns along mid and are joined in order; where mid is long and sums
 * are few it is cut into parts whose results are reduced again. Sizes alone decide, so the bits are the same. */
#include "cut.h"
#include "program.h"

struct plain {
    const float *x;
    DEVICE float at(const plain &s, unsigned i) { return s.x[i]; }
};

struct chain {
    cu_program p;
    DEVICE float at(const chain &s, unsigned i) { return evaluate<1>(s.p, i).v[0]; }
};

template <class Source, class Op>
static __global__ void __launch_bounds__(BLOCK) reduce(const __grid_constant__ Source x, float *out, cu_span s, cut c)
{
    __shared__ float sum[BLOCK];
    seat me = seat_of(s, c);
    float v = Op::none();
    for (unsigned m = me.first + me.row; me.taken && m < me.end; m += c.rows)
        v = Op::join(v, Source::at(x, (me.outer * s.mid + m) * s.inner + me.column));
    v = join_rows<Op>(sum, v, me, c);
    if (me.taken && me.row == 0)
        out[(me.outer * c.parts + me.part) * s.inner + me.column] = v;
}

template <class Source, class Op> static void launch(const Source &x, float *out, cu_span s, cut c)
{
    void (*kernel)(Source, float *, cu_span, cut) = reduce<Source, Op>;
    LAUNCH(kernel, cut_blocks(s, c), cut_threads(c), 0, x, out, s, c);
}

template <class Source, class Op> static void run(const Source &x, float *out, float *work, cu_span s)
{
    cut c = cut_of(s, false);
    launch<Source, Op>(x, c.parts > 1 ? work : out, s, c);
    if (c.parts == 1)
        return;
    cu_span joined = { s.outer, c.parts, s.inner };
    launch<plain, Op>(plain{ work }, out, joined, cut_of(joined, true));
}

size_t cu_reduce_work(struct cu_span s)
{
    unsigned parts = cut_of(s, false).parts;
    return parts > 1 ? (size_t)s.outer * parts * s.inner : 0;
}

void cu_sum(const float *x, float *out, float *work, struct cu_span s)
{
    run<plain, sum_of>(plain{ x }, out, work, s);
}

void cu_sum_program(const struct cu_program *p, float *out, float *work, struct cu_span s)
{
    run<chain, sum_of>(chain{ *p }, out, work, s);
}

void cu_max(const float *x, float *out, float *work, struct cu_span s)
{
    run<plain, max_of>(plain{ x }, out, work, s);
}

/* A warp a column; of equals the first. */
static __global__ void __launch_bounds__(BLOCK) argmax(const float *x, int32_t *out, cu_span s)
{
    unsigned i = thread_index() / WARP, lane = threadIdx.x % WARP;
    if (i >= s.outer * s.inner)
        return;
    const float *column = x + (size_t)(i / s.inner) * s.mid * s.inner + i % s.inner;
    float best = -INFINITY;
    unsigned at = s.mid;
    for (unsigned m = lane; m < s.mid; m += WARP) {
        float v = column[(size_t)m * s.inner];
        if (v > best || at == s.mid) {
            best = v;
            at = m;
        }
    }
    for (int step = WARP / 2; step; step /= 2) {
        float v = __shfl_xor_sync(FULL_WARP, best, step);
        unsigned other = __shfl_xor_sync(FULL_WARP, at, step);
        if (other < s.mid && (at == s.mid || v > best || (v == best && other < at))) {
            best = v;
            at = other;
        }
    }
    if (lane == 0)
        out[i] = (int32_t)at;
}

void cu_argmax(const float *x, int32_t *out, struct cu_span s)
{
    LAUNCH(argmax, blocks_for((size_t)s.outer * s.inner, BLOCK / WARP), BLOCK, 0, x, out, s);
}
