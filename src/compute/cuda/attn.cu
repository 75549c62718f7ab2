/* attn.cu: multi-head attention, its derivative, and one decoding step over key and value caches.
 *
 * A block is a tile of queries (or, for the gradients of keys and values, of keys) of one head of one sample and
 * walks over tiles of the other. A warp has four rows of scores, a lane one key; for what is summed over keys a
 * lane has a column instead. Scores are never stored: the softmax is joined tile by tile (Milakov and Gimelshein
 * 2018; Dao et al. 2022), and the derivative computes them again. */
#include "device.h"

enum { TILE = 32, ROWS = 4, WARPS = TILE / ROWS, PAD = 4, MOST_WIDTH = 64, SCORES = TILE + PAD };

/* One head of one sample: where its rows start, `stride` apart. */
struct head { size_t at; unsigned stride, sample, width, padded; };

DEVICE head head_of(const cu_heads &a)
{
    head h;
    h.stride = a.heads * a.width;
    h.sample = blockIdx.z;
    h.at = (size_t)h.sample * a.t * h.stride + blockIdx.y * a.width;
    h.width = a.width;
    h.padded = (a.width + 3) / 4 * 4;
    return h;
}

/* Keys that query `row` sees. */
DEVICE unsigned visible(const cu_heads &a, const int32_t *length, unsigned sample, unsigned row)
{
    unsigned keys = a.t;
    if (length)
        keys = length[sample] < 0 ? 0 : min((unsigned)length[sample], keys);
    return a.causal ? min(row + 1, keys) : keys;
}

/* Rows first .. first + TILE into shared memory, `pitch` apart; zeros where there is none. */
DEVICE void load_tile(float *tile, unsigned pitch, const float *x, const head &h, unsigned first, unsigned t)
{
    for (unsigned i = threadIdx.x; i < TILE * h.padded; i += WARPS * WARP) {
        unsigned r = i / h.padded, c = i % h.padded;
        tile[r * pitch + c] = c < h.width && first + r < t ? x[h.at + (size_t)(first + r) * h.stride + c] : 0;
    }
}

/* s[r] = row r of `rows` (this warp's four, `padded` apart) times this lane's row of `other`. */
DEVICE void products(const float *rows, const float *other, unsigned padded, float s[ROWS])
{
    for (int r = 0; r < ROWS; r++)
        s[r] = 0;
    for (unsigned c = 0; c < padded; c += 4) {
        pack<4> k = load4(other + c);
        for (int r = 0; r < ROWS; r++) {
            pack<4> q = load4(rows + (unsigned)r * padded + c);
            s[r] += q.v[0] * k.v[0] + q.v[1] * k.v[1] + q.v[2] * k.v[2] + q.v[3] * k.v[3];
        }
    }
}

/* acc[r][k] += sum over i of weight[i][first + r] (SCORES apart) times column lane + 32 k of row i of x: `first` is
 * this warp's. Transposed: weight[first + r][i]. */
template <int C, bool Transposed>
DEVICE void accumulate(const float *weight, unsigned first, const float *x, unsigned pitch, unsigned width, float acc[ROWS][C])
{
    unsigned lane = threadIdx.x % WARP;
    for (unsigned i = 0; i < TILE; i++) {
        float w[ROWS];
        for (unsigned r = 0; r < ROWS; r++)
            w[r] = Transposed ? weight[(first + r) * SCORES + i] : weight[i * SCORES + first + r];
        for (int k = 0; k < C; k++) {
            unsigned c = lane + (unsigned)k * WARP;
            float v = c < width ? x[i * pitch + c] : 0;
            for (int r = 0; r < ROWS; r++)
                acc[r][k] += w[r] * v;
        }
    }
}

template <int C> DEVICE void store_rows(float *out, const head &h, unsigned first, unsigned t, const float acc[ROWS][C])
{
    for (unsigned r = 0; r < ROWS; r++)
        for (unsigned k = 0; k < C; k++) {
            unsigned c = threadIdx.x % WARP + k * WARP;
            if (c < h.width && first + r < t)
                out[h.at + (size_t)(first + r) * h.stride + c] = acc[r][k];
        }
}

/* A row's running softmax: the largest score so far; this lane's share of the sum of exponentials, and of their sum
 * weighted. */
struct running { float max, sum, weighted; };

/* Takes in one score a lane (-inf: not seen); returns its weight against the largest so far, and by what the
 * earlier ones shrink. */
DEVICE float take(running &w, float score, float scale, float *shrink)
{
    float max = fmaxf(w.max, warp_max(score));
    bool none = max == -INFINITY;
    float p = none ? 0 : expf((score - max) * scale);
    *shrink = none ? 1 : expf((w.max - max) * scale);
    w.max = max;
    w.sum = w.sum * *shrink + p;
    return p;
}

/* ------------------------------------------------------------------ forward */

template <int C>
static __global__ void __launch_bounds__(WARPS *WARP)
    forward(const float *q, const float *k, const float *v, const int32_t *length, float *out, cu_heads a)
{
    SHARED(float, tiles);
    head h = head_of(a);
    unsigned pitch = h.padded + PAD, lane = threadIdx.x % WARP, first = threadIdx.x / WARP * ROWS, top = blockIdx.x * TILE;
    float *queries = tiles, *keys = queries + TILE * h.padded, *values = keys + TILE * pitch, *p = values + TILE * h.padded;
    unsigned seen = visible(a, length, h.sample, min(top + TILE, (unsigned)a.t) - 1);
    running state[ROWS];
    float acc[ROWS][C] = {}, s[ROWS], shrink;
    for (int r = 0; r < ROWS; r++)
        state[r] = { -INFINITY, 0, 0 };
    load_tile(queries, h.padded, q, h, top, a.t);
    for (unsigned at = 0; at < seen; at += TILE) {
        __syncthreads();
        load_tile(keys, pitch, k, h, at, a.t);
        load_tile(values, h.padded, v, h, at, a.t);
        __syncthreads();
        products(queries + first * h.padded, keys + lane * pitch, h.padded, s);
        for (unsigned r = 0; r < ROWS; r++) {
            bool sees = at + lane < visible(a, length, h.sample, top + first + r);
            p[(first + r) * SCORES + lane] = take(state[r], sees ? s[r] : -INFINITY, a.scale, &shrink);
            for (int i = 0; i < C; i++)
                acc[r][i] *= shrink;
        }
        __syncwarp();
        accumulate<C, true>(p, first, values, h.padded, h.width, acc);
    }
    for (int r = 0; r < ROWS; r++) {
        float sum = warp_sum(state[r].sum);
        for (int i = 0; i < C; i++)
            acc[r][i] *= sum > 0 ? 1 / sum : 0;
    }
    store_rows<C>(out, h, top + first, a.t, acc);
}

/* ------------------------------------------------------------------ derivative */

/* What a row's softmax comes to: largest score, one over the sum, sum p dp. stats [n, heads, t]. */
struct stat { float max, inverse, weighted; };

DEVICE size_t stat_at(const cu_heads &a, unsigned row)
{
    return ((size_t)blockIdx.z * a.heads + blockIdx.y) * a.t + row;
}

DEVICE stat finished(const running &w)
{
    float sum = warp_sum(w.sum), inverse = sum > 0 ? 1 / sum : 0;
    return { sum > 0 ? w.max : 0, inverse, warp_sum(w.weighted) * inverse };
}

/* The weight p of a score, and the gradient of the score from dp, that of the weight. */
DEVICE float score_gradient(float score, float dp, const stat &w, float scale, float *p)
{
    *p = expf((score - w.max) * scale) * w.inverse;
    return *p * (dp - w.weighted) * scale;
}

struct operands { const float *g, *q, *k, *v; const int32_t *length; };

/* A tile of queries: first what its rows' softmax comes to, then dq. */
template <int C>
static __global__ void __launch_bounds__(WARPS *WARP) backward_queries(operands x, float *dq, stat *stats, cu_heads a)
{
    SHARED(float, tiles);
    head h = head_of(a);
    unsigned pitch = h.padded + PAD, lane = threadIdx.x % WARP, first = threadIdx.x / WARP * ROWS, top = blockIdx.x * TILE;
    float *queries = tiles, *grads = queries + TILE * h.padded, *keys = grads + TILE * h.padded, *values = keys + TILE * pitch,
          *ds = values + TILE * pitch;
    unsigned seen = visible(a, x.length, h.sample, min(top + TILE, (unsigned)a.t) - 1);
    float acc[ROWS][C] = {}, s[ROWS], dp[ROWS], shrink, p;
    running state[ROWS];
    stat found[ROWS] = {};
    for (int r = 0; r < ROWS; r++)
        state[r] = { -INFINITY, 0, 0 };
    load_tile(queries, h.padded, x.q, h, top, a.t);
    load_tile(grads, h.padded, x.g, h, top, a.t);
    for (int pass = 0; pass < 2; pass++) {
        for (unsigned at = 0; at < seen; at += TILE) {
            __syncthreads();
            load_tile(keys, pitch, x.k, h, at, a.t);
            load_tile(values, pitch, x.v, h, at, a.t);
            __syncthreads();
            products(queries + first * h.padded, keys + lane * pitch, h.padded, s);
            products(grads + first * h.padded, values + lane * pitch, h.padded, dp);
            for (unsigned r = 0; r < ROWS; r++) {
                bool sees = at + lane < visible(a, x.length, h.sample, top + first + r);
                if (pass) {
                    ds[(first + r) * SCORES + lane] = sees ? score_gradient(s[r], dp[r], found[r], a.scale, &p) : 0;
                } else {
                    p = take(state[r], sees ? s[r] : -INFINITY, a.scale, &shrink);
                    state[r].weighted = state[r].weighted * shrink + p * dp[r];
                }
            }
            __syncwarp();
            if (pass)
                accumulate<C, true>(ds, first, keys, pitch, h.width, acc);
        }
        for (unsigned r = 0; r < ROWS && !pass; r++)
            found[r] = finished(state[r]);
        for (unsigned r = 0; r < ROWS && !pass; r++)
            if (lane == 0 && top + first + r < a.t)
                stats[stat_at(a, top + first + r)] = found[r];
    }
    store_rows<C>(dq, h, top + first, a.t, acc);
}

/* A tile of keys: dk and dv from all queries that see it. */
template <int C>
static __global__ void __launch_bounds__(WARPS *WARP) backward_keys(operands x, float *dk, float *dv, const stat *stats, cu_heads a)
{
    SHARED(float, tiles);
    head h = head_of(a);
    unsigned pitch = h.padded + PAD, lane = threadIdx.x % WARP, first = threadIdx.x / WARP * ROWS, at = blockIdx.x * TILE;
    float *queries = tiles, *grads = queries + TILE * h.padded, *keys = grads + TILE * h.padded, *values = keys + TILE * pitch,
          *ds = values + TILE * pitch, *ps = ds + TILE * SCORES;
    float acc_k[ROWS][C] = {}, acc_v[ROWS][C] = {}, s[ROWS], dp[ROWS];
    load_tile(keys, pitch, x.k, h, at, a.t);
    load_tile(values, pitch, x.v, h, at, a.t);
    for (unsigned top = a.causal ? at : 0; top < a.t; top += TILE) {
        __syncthreads();
        load_tile(queries, h.padded, x.q, h, top, a.t);
        load_tile(grads, h.padded, x.g, h, top, a.t);
        __syncthreads();
        products(queries + first * h.padded, keys + lane * pitch, h.padded, s);
        products(grads + first * h.padded, values + lane * pitch, h.padded, dp);
        for (unsigned r = 0; r < ROWS; r++) {
            unsigned row = top + first + r;
            bool sees = row < a.t && at + lane < visible(a, x.length, h.sample, row);
            float p = 0, d = sees ? score_gradient(s[r], dp[r], stats[stat_at(a, row)], a.scale, &p) : 0;
            ds[(first + r) * SCORES + lane] = d;
            ps[(first + r) * SCORES + lane] = p;
        }
        __syncthreads();
        accumulate<C, false>(ds, first, queries, h.padded, h.width, acc_k);
        accumulate<C, false>(ps, first, grads, h.padded, h.width, acc_v);
    }
    store_rows<C>(dk, h, at + first, a.t, acc_k);
    store_rows<C>(dv, h, at + first, a.t, acc_v);
}

/* ------------------------------------------------------------------ launches */

static size_t shared_bytes(const cu_heads &a, unsigned plain, unsigned pitched, unsigned scores)
{
    size_t padded = (a.width + 3) / 4 * 4;
    return (plain * padded + pitched * (padded + PAD) + scores * SCORES) * TILE * sizeof(float);
}

static dim3 grid_of(const cu_heads &a)
{
    return dim3(blocks_for(a.t, TILE), a.heads, a.n);
}

bool cu_attention_fits(uint32_t width)
{
    return width <= MOST_WIDTH;
}

size_t cu_attention_dx_work(struct cu_heads a)
{
    return (size_t)a.n * a.heads * a.t * (sizeof(stat) / sizeof(float));
}

void cu_attention(const float *q, const float *k, const float *v, const int32_t *length, float *out, struct cu_heads a)
{
    LAUNCH((a.width <= WARP ? forward<1> : forward<2>), grid_of(a), WARPS * WARP, shared_bytes(a, 2, 1, 1), q, k, v, length, out,
           a);
}

void cu_attention_dx(const float *g, const float *q, const float *k, const float *v, const int32_t *length, float *dq,
                     float *dk, float *dv, float *work, struct cu_heads a)
{
    operands x = { g, q, k, v, length };
    stat *stats = reinterpret_cast<stat *>(work);
    LAUNCH((a.width <= WARP ? backward_queries<1> : backward_queries<2>), grid_of(a), WARPS * WARP, shared_bytes(a, 2, 2, 1), x,
           dq, stats, a);
    LAUNCH((a.width <= WARP ? backward_keys<1> : backward_keys<2>), grid_of(a), WARPS * WARP, shared_bytes(a, 2, 2, 2), x, dk,
           dv, (const stat *)stats, a);
}

/* ------------------------------------------------------------------ one decoding step */

struct caches { const float *k, *v; float *keys, *values; const int32_t *position; };

/* A block is one head of one sample: it stores the head's new key and value, then weighs all up to it. */
static __global__ void __launch_bounds__(BLOCK) attend(const float *q, caches x, float *out, float *work, cu_heads a)
{
    unsigned d = a.heads * a.width, column = blockIdx.x * a.width, warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    size_t row = (size_t)blockIdx.y * d + column;
    int32_t position = x.position[blockIdx.y];
    unsigned at = position < 0 ? 0 : min((unsigned)position, a.t - 1), seen = at + 1;
    float *keys = x.keys + (size_t)blockIdx.y * a.t * d + column, *values = x.values + (size_t)blockIdx.y * a.t * d + column;
    float *score = work + ((size_t)blockIdx.y * a.heads + blockIdx.x) * a.t;
    for (unsigned c = threadIdx.x; c < a.width; c += BLOCK) {
        keys[(size_t)at * d + c] = x.k[row + c];
        values[(size_t)at * d + c] = x.v[row + c];
    }
    __syncthreads();
    for (unsigned i = warp; i < seen; i += BLOCK / WARP) {
        float s = 0;
        for (unsigned c = lane; c < a.width; c += WARP)
            s += q[row + c] * keys[(size_t)i * d + c];
        s = warp_sum(s);
        if (lane == 0)
            score[i] = s * a.scale;
    }
    __syncthreads();
    float max = -INFINITY, sum = 0;
    for (unsigned i = threadIdx.x; i < seen; i += BLOCK)
        max = fmaxf(max, score[i]);
    max = block_max(max);
    for (unsigned i = threadIdx.x; i < seen; i += BLOCK) {
        score[i] = expf(score[i] - max);
        sum += score[i];
    }
    sum = block_sum(sum);
    for (unsigned c = warp; c < a.width; c += BLOCK / WARP) {
        float v = 0;
        for (unsigned i = lane; i < seen; i += WARP)
            v += score[i] * values[(size_t)i * d + c];
        v = warp_sum(v);
        if (lane == 0)
            out[row + c] = v / sum;
    }
}

void cu_attend_step(const float *q, const float *k, const float *v, float *k_cache, float *v_cache,
                    const int32_t *position, float *out, float *work, struct cu_heads a)
{
    caches x = { k, v, k_cache, v_cache, position };
    LAUNCH(attend, dim3(a.heads, a.n), BLOCK, 0, q, x, out, work, a);
}
