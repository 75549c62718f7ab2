/* gru.cu: a gated recurrent layer over whole sequences, in one or both directions, and its derivative. A block has
 * one direction of a few samples and walks through time; states stay in shared memory, weights come from the
 * second-level cache. The derivative computes the gates again: all states are known by then. */
#include "device.h"

enum { ROWS = 4, MOST_H = 512, MOST_THREADS = 512 };

DEVICE float sigmoid(float x)
{
    return 1 / (1 + expf(-x));
}

/* A block's samples: first .. first + rows, in direction dir. */
struct task { unsigned dir, first, rows; };

DEVICE task task_of(const cu_layer &a)
{
    unsigned first = blockIdx.x * ROWS;
    return { blockIdx.y, first, min((unsigned)ROWS, a.n - first) };
}

/* Where the state of row b at step i lies: the second direction runs from the end. */
DEVICE size_t state_at(const cu_layer &a, const task &k, unsigned b, unsigned i)
{
    unsigned t = k.dir ? a.t - 1 - i : i;
    return (((size_t)(k.first + b) * a.t + t) * a.dirs + k.dir) * a.h;
}

/* s[gate][b] = column j of the states before [ROWS, h] times u, plus c. */
DEVICE void recur(const float *before, const float *u, const float *c, unsigned h, unsigned j, float s[3][ROWS])
{
    for (unsigned g = 0; g < 3; g++)
        for (int b = 0; b < ROWS; b++)
            s[g][b] = c[g * h + j];
    for (unsigned k = 0; k < h; k++) {
        const float *w = u + (size_t)k * 3 * h + j;
        float wz = w[0], wr = w[h], wn = w[2 * h];
        for (unsigned b = 0; b < ROWS; b++) {
            float x = before[b * h + k];
            s[0][b] += x * wz;
            s[1][b] += x * wr;
            s[2][b] += x * wn;
        }
    }
}

struct gates { float z, r, fresh; };

DEVICE gates gates_of(const float *x, unsigned h, const float s[3][ROWS], int b)
{
    gates g = { sigmoid(x[0] + s[0][b]), sigmoid(x[h] + s[1][b]), 0 };
    g.fresh = tanhf(x[2 * h] + g.r * s[2][b]);
    return g;
}

static __global__ void __launch_bounds__(MOST_THREADS)
    forward(const float *xw, const float *u, const float *c, float *y, cu_layer a)
{
    SHARED(float, states); /* [2, ROWS, h]: before and after */
    task k = task_of(a);
    unsigned h = a.h;
    u += (size_t)k.dir * 3 * h * h;
    c += (size_t)k.dir * 3 * h;
    for (unsigned i = threadIdx.x; i < 2 * ROWS * h; i += blockDim.x)
        states[i] = 0;
    __syncthreads();
    for (unsigned i = 0; i < a.t; i++) {
        const float *before = states + i % 2 * ROWS * h;
        float *after = states + (i + 1) % 2 * ROWS * h, s[3][ROWS];
        for (unsigned j = threadIdx.x; j < h; j += blockDim.x) {
            recur(before, u, c, h, j, s);
            for (unsigned b = 0; b < ROWS; b++) {
                if (b >= k.rows)
                    break;
                size_t at = state_at(a, k, b, i);
                gates g = gates_of(xw + 3 * at + j, h, s, (int)b);
                y[at + j] = after[b * h + j] = g.fresh + g.z * (before[b * h + j] - g.fresh);
            }
        }
        __syncthreads();
    }
}

/* out [n, t, dirs, 4h]: gradients before the gates of z, of r, of fresh by the input, of fresh by the recurrent part. */
struct back { const float *g, *xw, *u, *c, *y, *transposed; float *out; };

/* dh [ROWS, h]: the gradient of the states from later steps, becomes its direct share of that of the states before;
 * ds [ROWS, 3h]: the gradient of the recurrent part. */
DEVICE void gate_gradients(const back &x, const cu_layer &a, const task &k, unsigned i, unsigned j, const float *before,
                           float *dh, float *ds)
{
    unsigned h = a.h;
    float s[3][ROWS];
    recur(before, x.u + (size_t)k.dir * 3 * h * h, x.c + (size_t)k.dir * 3 * h, h, j, s);
    for (unsigned b = 0; b < ROWS; b++) {
        if (b >= k.rows)
            break;
        size_t at = state_at(a, k, b, i);
        gates g = gates_of(x.xw + 3 * at + j, h, s, (int)b);
        float d = dh[b * h + j] + x.g[at + j];
        float at_fresh = d * (1 - g.z) * (1 - g.fresh * g.fresh);
        float dz = d * (before[b * h + j] - g.fresh) * g.z * (1 - g.z), dr = at_fresh * s[2][b] * g.r * (1 - g.r);
        float *out = x.out + 4 * at + j, *to = ds + b * 3 * h + j;
        out[0] = to[0] = dz;
        out[h] = to[h] = dr;
        out[2 * h] = at_fresh;
        out[3 * h] = to[2 * h] = at_fresh * g.r;
        dh[b * h + j] = d * g.z;
    }
}

/* dh[b] (h apart) += row b of ds times a column of the transposed weights. */
DEVICE void add_through_weights(const float *ds, const float *column, unsigned h, float *dh)
{
    float sum[ROWS] = {};
    for (unsigned m = 0; m < 3 * h; m++) {
        float w = column[(size_t)m * h];
        for (unsigned b = 0; b < ROWS; b++)
            sum[b] += ds[b * 3 * h + m] * w;
    }
    for (unsigned b = 0; b < ROWS; b++)
        dh[b * h] += sum[b];
}

static __global__ void __launch_bounds__(MOST_THREADS) backward(back x, cu_layer a)
{
    SHARED(float, memory);
    task k = task_of(a);
    unsigned h = a.h;
    float *before = memory, *dh = before + ROWS * h, *ds = dh + ROWS * h;
    const float *transposed = x.transposed + (size_t)k.dir * 3 * h * h;
    for (unsigned i = threadIdx.x; i < ROWS * 5 * h; i += blockDim.x)
        memory[i] = 0;
    for (unsigned i = a.t; i-- > 0;) {
        __syncthreads();
        for (unsigned b = 0; b < k.rows; b++)
            for (unsigned j = threadIdx.x; j < h; j += blockDim.x)
                before[b * h + j] = i ? x.y[state_at(a, k, b, i - 1) + j] : 0;
        __syncthreads();
        for (unsigned j = threadIdx.x; j < h; j += blockDim.x)
            gate_gradients(x, a, k, i, j, before, dh, ds);
        __syncthreads();
        for (unsigned j = threadIdx.x; j < h; j += blockDim.x)
            add_through_weights(ds, transposed + j, h, dh + j);
    }
}

static unsigned threads_of(const cu_layer &a)
{
    return min(blocks_for(a.h, WARP) * WARP, (unsigned)MOST_THREADS);
}

bool cu_gru_fits(uint32_t h)
{
    return h <= MOST_H; /* what shared memory holds */
}

size_t cu_gru_dx_work(struct cu_layer a)
{
    return (size_t)a.dirs * 3 * a.h * a.h;
}

void cu_gru(const float *xw, const float *u, const float *c, float *y, struct cu_layer a)
{
    LAUNCH(forward, dim3(blocks_for(a.n, ROWS), a.dirs), threads_of(a), 2 * ROWS * a.h * sizeof(float), xw, u, c, y, a);
}

void cu_gru_dx(const float *g, const float *xw, const float *u, const float *c, const float *y, float *out, float *work,
               struct cu_layer a)
{
    back x = { g, xw, u, c, y, work, out };
    int64_t h = a.h;
    cu_walk(u, work, { 3, { a.dirs, 3 * a.h, a.h }, { 3 * h * h, 1, 3 * h } });
    LAUNCH(backward, dim3(blocks_for(a.n, ROWS), a.dirs), threads_of(a), 5 * ROWS * a.h * sizeof(float), x, a);
}
