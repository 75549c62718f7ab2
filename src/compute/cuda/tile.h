/* tile.h: C[m,n] = A B by tiles in shared memory, where A, B and C are functors: so a product of matrices and the
 * passes of a convolution are one kernel.
 *
 * A factor gives `place(j)` for a row of A (a column of B) and `step(k)` for a place along the sum, each worked out
 * once and not at every element, and `at(place, step)`. `along_k`: its elements lie together along the sum. A result
 * gives `extent(z)`, the sizes of layer z of the grid, and `put(z, row, column, value)`. */
#pragma once
#include "device.h"

enum { TILE = 64, DEPTH = 16, SIDE = 4, TILE_THREADS = 256 }; /* a thread has SIDE x SIDE results */

struct extent { unsigned m, n, from, to; }; /* the sum goes over [from, to) */

/* A thread's share of one factor's tile: four elements, from memory to registers to shared memory. */
template <class F> struct side {
    F f;
    typename F::place_t place[SIDE];
    unsigned j, k;

    __device__ side(F f_, unsigned first, unsigned end) : f(f_)
    {
        j = F::along_k ? threadIdx.x / DEPTH : threadIdx.x % TILE;
        k = F::along_k ? threadIdx.x % DEPTH : threadIdx.x / TILE;
        for (unsigned i = 0; i < (F::along_k ? SIDE : 1); i++) /* what lies outside is never put */
            place[i] = f.place(min(first + j + i * (TILE_THREADS / DEPTH), end - 1));
    }

    __device__ void fetch(unsigned at, unsigned to, float r[SIDE])
    {
        if (F::along_k) {
            typename F::step_t s = f.step(min(at + k, to - 1));
            for (int i = 0; i < SIDE; i++)
                r[i] = at + k < to ? f.at(place[i], s) : 0;
        } else {
            for (int i = 0; i < SIDE; i++) {
                unsigned here = at + k + (unsigned)i * (TILE_THREADS / TILE);
                r[i] = here < to ? f.at(place[0], f.step(here)) : 0;
            }
        }
    }

    __device__ void keep(const float r[SIDE], float tile[DEPTH][TILE + 4])
    {
        for (unsigned i = 0; i < SIDE; i++)
            if (F::along_k)
                tile[k][j + i * (TILE_THREADS / DEPTH)] = r[i];
            else
                tile[k + i * (TILE_THREADS / TILE)][j] = r[i];
    }
};

DEVICE void tile_multiply(const float a[TILE + 4], const float b[TILE + 4], unsigned row, unsigned column,
                          float sum[SIDE][SIDE])
{
    float4 x = *reinterpret_cast<const float4 *>(a + row), y = *reinterpret_cast<const float4 *>(b + column);
    const float u[SIDE] = { x.x, x.y, x.z, x.w }, v[SIDE] = { y.x, y.y, y.z, y.w };
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            sum[i][j] += u[i] * v[j];
}

template <class A, class B, class C> __global__ void __launch_bounds__(TILE_THREADS) tile_kernel(A a, B b, C c)
{
    alignas(16) __shared__ float tile_a[DEPTH][TILE + 4];
    alignas(16) __shared__ float tile_b[DEPTH][TILE + 4];
    unsigned z = blockIdx.z, m0 = blockIdx.x * TILE, n0 = blockIdx.y * TILE;
    struct extent e = c.extent(z);
    if (m0 >= e.m || n0 >= e.n)
        return;
    a.layer(z);
    b.layer(z);
    side<A> left(a, m0, e.m);
    side<B> right(b, n0, e.n);
    float ra[SIDE], rb[SIDE], sum[SIDE][SIDE] = { { 0 } };
    unsigned row = threadIdx.x / (TILE / SIDE) * SIDE, column = threadIdx.x % (TILE / SIDE) * SIDE;
    if (e.from < e.to) {
        left.fetch(e.from, e.to, ra);
        right.fetch(e.from, e.to, rb);
    }
    for (unsigned k = e.from; k < e.to; k += DEPTH) {
        left.keep(ra, tile_a);
        right.keep(rb, tile_b);
        __syncthreads();
        if (k + DEPTH < e.to) { /* the next ones are on their way while these are multiplied */
            left.fetch(k + DEPTH, e.to, ra);
            right.fetch(k + DEPTH, e.to, rb);
        }
        for (int d = 0; d < DEPTH; d++)
            tile_multiply(tile_a[d], tile_b[d], row, column, sum);
        __syncthreads();
    }
    for (unsigned i = 0; i < SIDE; i++)
        for (unsigned j = 0; j < SIDE; j++)
            if (m0 + row + i < e.m && n0 + column + j < e.n)
                c.put(z, m0 + row + i, n0 + column + j, sum[i][j]);
}

template <class A, class B, class C> static void tile_run(A a, B b, C c, unsigned m, unsigned n, unsigned layers)
{
    dim3 grid(blocks_for(m, TILE), blocks_for(n, TILE), layers);
    LAUNCH((tile_kernel<A, B, C>), grid, TILE_THREADS, 0, a, b, c);
}

/* A matrix whose places and steps are `down` and `across` apart. */
template <bool ALONG_K> struct matrix {
    static const bool along_k = ALONG_K;
    typedef size_t place_t;
    typedef size_t step_t;
    const float *p;
    size_t ld, stride; /* between rows; between layers */
    __device__ void layer(unsigned z) { p += z * stride; }
    __device__ size_t place(unsigned j) const { return ALONG_K ? j * ld : j; }
    __device__ size_t step(unsigned k) const { return ALONG_K ? k : k * ld; }
    __device__ float at(size_t j, size_t k) const { return p[j + k]; }
};
