/* move.cu: kernels that only move data: fill, repeat, permute, cut, pad, join, reflect, gather, scatter. */
#include "device.h"

static __global__ void __launch_bounds__(BLOCK) fill(float *out, float value, unsigned n)
{
    unsigned i = thread_index();
    if (i < n)
        out[i] = value;
}

void cu_fill(float *out, float value, size_t n)
{
    LAUNCH(fill, blocks_for(n, BLOCK), BLOCK, 0, out, value, (unsigned)n);
}

/* ------------------------------------------------------------------ strided copies: expand and permute */

/* Axes that can be walked as one are one. */
static cu_strided merged(cu_strided w)
{
    cu_strided m = {};
    for (int i = 0; i < w.rank; i++) {
        if (w.dim[i] == 1)
            continue;
        if (m.rank && m.stride[m.rank - 1] == w.stride[i] * w.dim[i]) {
            m.dim[m.rank - 1] *= w.dim[i];
            m.stride[m.rank - 1] = w.stride[i];
        } else {
            m.dim[m.rank] = w.dim[i];
            m.stride[m.rank++] = w.stride[i];
        }
    }
    if (!m.rank) {
        m.dim[0] = 1;
        m.rank = 1;
    }
    return m;
}

struct axes { int rank; cu_div dim[CU_RANK]; int64_t in[CU_RANK], out[CU_RANK]; };

/* Where number i of the axes lies in the input and the output. */
DEVICE void place_of(const axes &a, unsigned i, int64_t *in, int64_t *out)
{
    *in = *out = 0;
    for (int k = a.rank; k-- > 0;) {
        unsigned next = quotient(i, a.dim[k]), at = i - next * a.dim[k].divisor;
        *in += at * a.in[k];
        *out += at * a.out[k];
        i = next;
    }
}

template <class T>
static __global__ void __launch_bounds__(BLOCK) walk(const T *x, T *out, const __grid_constant__ axes a, unsigned n)
{
    unsigned i = thread_index();
    int64_t from, to;
    if (i >= n)
        return;
    place_of(a, i, &from, &to);
    out[i] = x[from];
}

enum { TILE = 32, TILE_ROWS = 8 };
struct plane { unsigned rows, cols; int64_t row_out, col_in; unsigned row_tiles, col_tiles; };

/* A matrix whose rows lie together in the input and whose columns do in the output, by tiles; `a`: all other axes. */
static __global__ void __launch_bounds__(TILE *TILE_ROWS)
    turn(const float *x, float *out, const __grid_constant__ axes a, plane p)
{
    __shared__ float tile[TILE][TILE + 1];
    unsigned block = blockIdx.x, c0 = block % p.col_tiles * TILE, r0 = block / p.col_tiles % p.row_tiles * TILE;
    int64_t from, to;
    place_of(a, block / p.col_tiles / p.row_tiles, &from, &to);
    for (unsigned c = threadIdx.y; c < TILE; c += TILE_ROWS)
        if (c0 + c < p.cols && r0 + threadIdx.x < p.rows)
            tile[c][threadIdx.x] = x[from + (int64_t)(c0 + c) * p.col_in + r0 + threadIdx.x];
    __syncthreads();
    for (unsigned r = threadIdx.y; r < TILE; r += TILE_ROWS)
        if (r0 + r < p.rows && c0 + threadIdx.x < p.cols)
            out[to + (int64_t)(r0 + r) * p.row_out + c0 + threadIdx.x] = tile[threadIdx.x][r];
}

/* All axes of w but `without`. */
static axes axes_of(const cu_strided &w, int without, int last)
{
    axes a = {};
    int64_t out = 1;
    for (int i = w.rank; i-- > 0; out *= w.dim[i])
        a.out[i] = out;
    for (int i = 0; i < w.rank; i++)
        if (i != without && i != last) {
            a.dim[a.rank] = cu_div_of(w.dim[i]);
            a.in[a.rank] = w.stride[i];
            a.out[a.rank++] = a.out[i];
        }
    return a;
}

static void run_turn(const float *x, float *out, const cu_strided &w, int along)
{
    int last = w.rank - 1;
    plane p = { w.dim[along], w.dim[last], 1, w.stride[last], blocks_for(w.dim[along], TILE), blocks_for(w.dim[last], TILE) };
    unsigned planes = 1;
    for (int i = 0; i < w.rank; i++) {
        p.row_out *= i > along ? w.dim[i] : 1;
        planes *= i == along || i == last ? 1 : w.dim[i];
    }
    LAUNCH(turn, planes * p.row_tiles * p.col_tiles, dim3(TILE, TILE_ROWS), 0, x, out, axes_of(w, along, last), p);
}

/* Rows that lie together on both sides are copied 16 bytes at a time. */
static bool by_fours(const float *x, const float *out, const cu_strided &w)
{
    bool fit = w.stride[w.rank - 1] == 1 && w.dim[w.rank - 1] % 4 == 0 && aligned16(x) && aligned16(out);
    for (int i = 0; i < w.rank - 1; i++)
        fit &= w.stride[i] % 4 == 0;
    return fit;
}

void cu_walk(const float *x, float *out, struct cu_strided w)
{
    w = merged(w);
    size_t n = 1;
    int along = -1, last = w.rank - 1;
    for (int i = 0; i < w.rank; i++) {
        n *= w.dim[i];
        along = w.stride[i] == 1 && i < last ? i : along;
    }
    if (along >= 0 && w.stride[last] > 1) {
        run_turn(x, out, w, along);
        return;
    }
    if (!by_fours(x, out, w)) {
        LAUNCH(walk<float>, blocks_for(n, BLOCK), BLOCK, 0, x, out, axes_of(w, -1, -1), (unsigned)n);
        return;
    }
    w.dim[last] /= 4;
    for (int i = 0; i < last; i++)
        w.stride[i] /= 4;
    LAUNCH(walk<float4>, blocks_for(n / 4, BLOCK), BLOCK, 0, reinterpret_cast<const float4 *>(x),
           reinterpret_cast<float4 *>(out), axes_of(w, -1, -1), (unsigned)(n / 4));
}

/* ------------------------------------------------------------------ windows of one axis */

struct frame { unsigned from, to, before; cu_div axis, inner; };

DEVICE float zero_of(float) { return 0; }
DEVICE float4 zero_of(float4) { return make_float4(0, 0, 0, 0); }

/* Position of the axis of length n that stands at i when its ends are mirrored. */
DEVICE unsigned mirror(int i, unsigned n)
{
    unsigned at = i < 0 ? (unsigned)-i : (unsigned)i;
    return at < n ? at : 2 * (n - 1) - at;
}

struct slice { DEVICE unsigned source(const frame &f, unsigned j) { return j + f.before; } };
struct pad { DEVICE unsigned source(const frame &f, unsigned j) { return j - f.before; } }; /* wraps: outside */
struct reflect { DEVICE unsigned source(const frame &f, unsigned j) { return mirror((int)(j - f.before), f.from); } };

/* Element j of the output's axis comes from Kind::source(j) of the input's, or is zero. */
template <class Kind, class T>
static __global__ void __launch_bounds__(BLOCK) window(const T *x, T *out, frame f, unsigned n)
{
    unsigned i = thread_index();
    if (i >= n)
        return;
    unsigned row = quotient(i, f.inner), c = i - row * f.inner.divisor, o = quotient(row, f.axis);
    unsigned j = Kind::source(f, row - o * f.to);
    out[i] = j < f.from ? x[((size_t)o * f.from + j) * f.inner.divisor + c] : zero_of(T());
}

/* The input's element goes to the output; the rest of the output is left. */
template <class T> static __global__ void __launch_bounds__(BLOCK) place(const T *x, T *out, frame f, unsigned n)
{
    unsigned i = thread_index();
    if (i >= n)
        return;
    unsigned row = quotient(i, f.inner), c = i - row * f.inner.divisor, o = quotient(row, f.axis);
    unsigned j = row - o * f.from + f.before;
    out[((size_t)o * f.to + j) * f.inner.divisor + c] = x[i];
}

/* Every element gathers what was mirrored onto it: at most one from either end and itself, in order. */
static __global__ void __launch_bounds__(BLOCK) unreflect(const float *x, float *out, frame f, unsigned n)
{
    unsigned i = thread_index();
    if (i >= n)
        return;
    unsigned row = quotient(i, f.inner), c = i - row * f.inner.divisor, o = quotient(row, f.axis), j = row - o * f.to;
    const float *axis = x + (size_t)o * f.from * f.inner.divisor + c;
    unsigned high = 2 * (f.to - 1) - j + f.before;
    float sum = j > 0 && j <= f.before ? axis[(size_t)(f.before - j) * f.inner.divisor] : 0;
    sum += axis[(size_t)(f.before + j) * f.inner.divisor];
    if (j + 1 < f.to && high < f.from)
        sum += axis[(size_t)high * f.inner.divisor];
    out[i] = sum;
}

static bool window_by_fours(const float *x, const float *out, cu_window w)
{
    return w.inner % 4 == 0 && aligned16(x) && aligned16(out);
}

static frame frame_of(cu_window w, unsigned length, unsigned lanes)
{
    return { w.from, w.to, (unsigned)w.before, cu_div_of(length), cu_div_of(w.inner / lanes) };
}

template <class Kind> static void run_window(const float *x, float *out, cu_window w)
{
    size_t n = (size_t)w.outer * w.to * w.inner;
    void (*one)(const float *, float *, frame, unsigned) = window<Kind, float>;
    void (*four)(const float4 *, float4 *, frame, unsigned) = window<Kind, float4>;
    if (window_by_fours(x, out, w))
        LAUNCH(four, blocks_for(n / 4, BLOCK), BLOCK, 0, reinterpret_cast<const float4 *>(x), reinterpret_cast<float4 *>(out),
               frame_of(w, w.to, 4), (unsigned)(n / 4));
    else
        LAUNCH(one, blocks_for(n, BLOCK), BLOCK, 0, x, out, frame_of(w, w.to, 1), (unsigned)n);
}

void cu_slice(const float *x, float *out, struct cu_window w) { run_window<slice>(x, out, w); }
void cu_pad(const float *x, float *out, struct cu_window w) { run_window<pad>(x, out, w); }
void cu_reflect(const float *x, float *out, struct cu_window w) { run_window<reflect>(x, out, w); }

void cu_place(const float *x, float *out, struct cu_window w)
{
    size_t n = (size_t)w.outer * w.from * w.inner;
    if (window_by_fours(x, out, w))
        LAUNCH(place<float4>, blocks_for(n / 4, BLOCK), BLOCK, 0, reinterpret_cast<const float4 *>(x),
               reinterpret_cast<float4 *>(out), frame_of(w, w.from, 4), (unsigned)(n / 4));
    else
        LAUNCH(place<float>, blocks_for(n, BLOCK), BLOCK, 0, x, out, frame_of(w, w.from, 1), (unsigned)n);
}

void cu_unreflect(const float *x, float *out, struct cu_window w)
{
    size_t n = (size_t)w.outer * w.to * w.inner;
    LAUNCH(unreflect, blocks_for(n, BLOCK), BLOCK, 0, x, out, frame_of(w, w.to, 1), (unsigned)n);
}

/* ------------------------------------------------------------------ tables */

template <class T>
static __global__ void __launch_bounds__(BLOCK)
    gather(const T *table, const int32_t *index, T *out, unsigned n, unsigned rows, cu_div width)
{
    unsigned i = thread_index();
    if (i >= n)
        return;
    unsigned row = quotient(i, width), c = i - row * width.divisor;
    unsigned at = (unsigned)index[row]; /* a negative one is too large */
    out[i] = at < rows ? table[(size_t)at * width.divisor + c] : zero_of(T());
}

void cu_gather(const float *table, const int32_t *index, float *out, uint32_t n, uint32_t rows, uint32_t width)
{
    size_t count = (size_t)n * width;
    if (width % 4 == 0 && aligned16(table) && aligned16(out))
        LAUNCH(gather<float4>, blocks_for(count / 4, BLOCK), BLOCK, 0, reinterpret_cast<const float4 *>(table), index,
               reinterpret_cast<float4 *>(out), (unsigned)(count / 4), rows, cu_div_of(width / 4));
    else
        LAUNCH(gather<float>, blocks_for(count, BLOCK), BLOCK, 0, table, index, out, (unsigned)count, rows, cu_div_of(width));
}

/* A block is a row of the table and some columns. It lists, in order, which of the next BLOCK rows of x belong to
 * it, then adds them: each sum is taken in the order of the rows. */
static __global__ void __launch_bounds__(BLOCK)
    scatter(const float *x, const int32_t *index, float *out, unsigned n, unsigned width)
{
    __shared__ unsigned list[BLOCK], found[BLOCK / WARP];
    unsigned row = blockIdx.x, c = blockIdx.y * BLOCK + threadIdx.x, lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    float sum = 0;
    for (unsigned first = 0; first < n; first += BLOCK) {
        unsigned i = first + threadIdx.x;
        bool mine = i < n && index[i] == (int32_t)row;
        unsigned votes = __ballot_sync(FULL_WARP, mine), at = 0, total = 0;
        if (lane == 0)
            found[warp] = (unsigned)__popc(votes);
        __syncthreads();
        for (unsigned k = 0; k < BLOCK / WARP; k++) {
            at += k < warp ? found[k] : 0;
            total += found[k];
        }
        if (mine)
            list[at + (unsigned)__popc(votes & ((1u << lane) - 1))] = i;
        __syncthreads();
        for (unsigned k = 0; k < total && c < width; k++)
            sum += x[(size_t)list[k] * width + c];
        __syncthreads();
    }
    if (c < width)
        out[(size_t)row * width + c] = sum;
}

void cu_scatter(const float *x, const int32_t *index, float *out, uint32_t n, uint32_t rows, uint32_t width)
{
    LAUNCH(scatter, dim3(rows, blocks_for(width, BLOCK)), BLOCK, 0, x, index, out, n, width);
}
