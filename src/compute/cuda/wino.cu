/* wino.cu: the transforms of F(4x4, 3x3), Lavin and Gray (2016), as wino.c of the CPU has them: a thread has one tile
 * of one channel, neighbours have neighbouring channels. */
#include "dense.h"
#include "device.h"

enum { OUT = CU_WINO_OUT, IN = CU_WINO_IN, PLACES = CU_WINO_PLACES, TAPS = 3 };

#define WINO_FN DEVICE
#define WINO_VALUE float
#include "../winograd.h"

/* One of them from both sides, in place: the columns of a block of n_in x n_in, then its rows. */
template <void (*ONE)(const float *, float *), int N_IN, int N_OUT> DEVICE void both_sides(float d[IN][IN])
{
    float from[IN], to[IN];
    for (int j = 0; j < N_IN; j++) {
        for (int i = 0; i < N_IN; i++)
            from[i] = d[i][j];
        ONE(from, to);
        for (int i = 0; i < N_OUT; i++)
            d[i][j] = to[i];
    }
    for (int i = 0; i < N_OUT; i++) {
        for (int j = 0; j < N_IN; j++)
            from[j] = d[i][j];
        ONE(from, to);
        for (int j = 0; j < N_OUT; j++)
            d[i][j] = to[j];
    }
}

/* Of images [images, height, width, channels] with `rows` x `cols` tiles each. */
struct tiling { int images, height, width, channels, top, left, rows, cols; };
struct corner { size_t image; int row, col, c; }; /* of a tile, in outputs */

DEVICE struct corner corner_of(const struct tiling &t, unsigned i)
{
    unsigned tile = i / (unsigned)t.channels, per = (unsigned)(t.rows * t.cols), in = tile % per;
    return { (size_t)(tile / per) * (size_t)(t.height * t.width) * (size_t)t.channels, (int)(in / (unsigned)t.cols) * OUT,
             (int)(in % (unsigned)t.cols) * OUT, (int)(i % (unsigned)t.channels) };
}

template <int SIZE> DEVICE void load(const float *x, const struct tiling &t, const struct corner &p, float d[IN][IN])
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            int r = p.row - t.top + i, q = p.col - t.left + j;
            bool inside = r >= 0 && r < t.height && q >= 0 && q < t.width;
            d[i][j] = inside ? x[p.image + (size_t)((r * t.width + q) * t.channels + p.c)] : 0;
        }
}

DEVICE void store_places(const float d[IN][IN], float *dst, size_t apart)
{
    for (int i = 0; i < PLACES; i++)
        dst[(size_t)i * apart] = d[i / IN][i % IN];
}

DEVICE void load_places(const float *src, size_t apart, float d[IN][IN])
{
    for (int i = 0; i < PLACES; i++)
        d[i / IN][i % IN] = src[(size_t)i * apart];
}

/* Into the domain: SIZE x SIZE of the image go through ONE. */
template <void (*ONE)(const float *, float *), int SIZE>
static __global__ void enter(const float *x, const __grid_constant__ tiling t, unsigned n, float *places)
{
    unsigned i = thread_index();
    float d[IN][IN];
    if (i >= n)
        return;
    load<SIZE>(x, t, corner_of(t, i), d);
    both_sides<ONE, SIZE, IN>(d);
    store_places(d, places + i, n);
}

static __global__ void output_tiles(const float *m, struct tiling t, unsigned n, float *y)
{
    unsigned at = thread_index();
    float d[IN][IN];
    if (at >= n)
        return;
    load_places(m + at, n, d);
    both_sides<to_output, IN, OUT>(d);
    struct corner p = corner_of(t, at);
    for (int i = 0; i < OUT; i++)
        for (int j = 0; j < OUT; j++)
            if (p.row + i < t.height && p.col + j < t.width)
                y[p.image + (size_t)(((p.row + i) * t.width + p.col + j) * t.channels + p.c)] = d[i][j];
}

/* u [36, cin, cout]. `back` reads w as [9, cout, cin], taps in reverse. */
static __global__ void weight_tiles(const float *w, unsigned cin, unsigned cout, bool back, float *u)
{
    unsigned i = thread_index(), n = cin * cout;
    float d[IN][IN];
    if (i >= n)
        return;
    unsigned at = back ? i % cout * cin + i / cout : i;
    for (int k = 0; k < TAPS * TAPS; k++)
        d[k / TAPS][k % TAPS] = w[(size_t)(back ? TAPS * TAPS - 1 - k : k) * n + at];
    both_sides<to_weights, TAPS, IN>(d);
    store_places(d, u + i, n);
}

static __global__ void tap_tiles(const float *u, unsigned n, float *w)
{
    unsigned i = thread_index();
    float d[IN][IN];
    if (i >= n)
        return;
    load_places(u + i, n, d);
    both_sides<from_weights, IN, TAPS>(d);
    for (int k = 0; k < TAPS * TAPS; k++)
        w[(size_t)k * n + i] = d[k / TAPS][k % TAPS];
}

static unsigned threads_for(const struct tiling &t)
{
    return (unsigned)(t.images * t.rows * t.cols * t.channels);
}

void cu_wino_weights(const float *w, int cin, int cout, bool back, float *u)
{
    LAUNCH(weight_tiles, blocks_for((size_t)cin * (size_t)cout, BLOCK), BLOCK, 0, w, (unsigned)cin, (unsigned)cout, back, u);
}

void cu_wino_taps(const float *u, int cin, int cout, float *w)
{
    unsigned n = (unsigned)cin * (unsigned)cout;
    LAUNCH(tap_tiles, blocks_for(n, BLOCK), BLOCK, 0, u, n, w);
}

void cu_wino_input(const float *x, int images, int height, int width, int channels, int top, int left, int rows, int cols,
                   float *v)
{
    struct tiling t = { images, height, width, channels, top, left, rows, cols };
    LAUNCH((enter<to_input, IN>), blocks_for(threads_for(t), BLOCK), BLOCK, 0, x, t, threads_for(t), v);
}

void cu_wino_output(const float *m, int images, int height, int width, int channels, int rows, int cols, float *y)
{
    struct tiling t = { images, height, width, channels, 0, 0, rows, cols };
    LAUNCH(output_tiles, blocks_for(threads_for(t), BLOCK), BLOCK, 0, m, t, threads_for(t), y);
}

void cu_wino_gradient(const float *y, int images, int height, int width, int channels, int rows, int cols, float *m)
{
    struct tiling t = { images, height, width, channels, 0, 0, rows, cols };
    LAUNCH((enter<from_output, OUT>), blocks_for(threads_for(t), BLOCK), BLOCK, 0, y, t, threads_for(t), m);
}
