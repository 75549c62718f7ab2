/* device.h: what kernels share: the launch, dynamic shared memory, 16-byte accesses, sums over warps and
 * blocks, division by what is known before. C++ for nvcc, and for g++ with the simulated device of tests/simt. */
#pragma once
#include <cuda_runtime.h>
#include "launch.h"

#ifdef __CUDACC__
#define LAUNCH(kernel, grid, block, shared, ...) kernel<<<grid, block, shared, cuda_stream>>>(__VA_ARGS__)
#define SHARED(type, name)                              \
    extern __shared__ __align__(16) unsigned char smem[]; \
    type *name = reinterpret_cast<type *>(smem)
#else
#define LAUNCH(kernel, grid, block, shared, ...) simt_launch(cuda_stream, kernel, grid, block, shared, __VA_ARGS__)
#define SHARED(type, name) type *name = static_cast<type *>(simt_shared())
#endif

#define DEVICE static __device__ __forceinline__

enum { WARP = 32, FULL_WARP = 0xffffffff, BLOCK = 256 };

/* Blocks of `per` for n; a grid is never empty. */
static inline unsigned blocks_for(size_t n, size_t per)
{
    return n ? (unsigned)((n + per - 1) / per) : 1;
}

/* Threads that share a row of n: a warp for the shortest. */
static inline unsigned row_threads(size_t n)
{
    unsigned t = WARP;
    while (t < BLOCK && t * 4 < n)
        t *= 2;
    return t;
}

DEVICE unsigned thread_index(void)
{
    return blockIdx.x * blockDim.x + threadIdx.x;
}

/* n / d of n below 2^31. */
DEVICE unsigned quotient(unsigned n, struct cu_div d)
{
    return (__umulhi(n, d.factor) + n) >> d.shift;
}

DEVICE unsigned remainder_of(unsigned n, struct cu_div d)
{
    return n - quotient(n, d) * d.divisor;
}

/* N floats that one thread holds. */
template <int N> struct pack { float v[N]; };

DEVICE pack<4> load4(const float *p) /* aligned to 16 bytes */
{
    float4 f = *reinterpret_cast<const float4 *>(p);
    return { { f.x, f.y, f.z, f.w } };
}

DEVICE void store4(float *p, const pack<4> &v)
{
    *reinterpret_cast<float4 *>(p) = make_float4(v.v[0], v.v[1], v.v[2], v.v[3]);
}

static inline bool aligned16(const void *p)
{
    return (reinterpret_cast<uintptr_t>(p) & 15) == 0;
}

/* Ways to join values, and what joins without a trace. */
struct sum_of {
    DEVICE float none() { return 0; }
    template <class T> DEVICE T join(T a, T b) { return a + b; }
};
struct max_of {
    DEVICE float none() { return -INFINITY; }
    DEVICE float join(float a, float b) { return b > a ? b : a; }
};

template <class Op, class T> DEVICE T warp_join(T v)
{
    for (int step = WARP / 2; step; step /= 2)
        v = Op::join(v, __shfl_xor_sync(FULL_WARP, v, step));
    return v;
}

/* Over all threads of a one-dimensional block of whole warps, a power of two of them; every thread gets the result. */
template <class Op, class T> DEVICE T block_join(T v)
{
    __shared__ T part[WARP];
    unsigned warps = blockDim.x / WARP;
    v = warp_join<Op>(v);
    if (warps == 1)
        return v;
    if (threadIdx.x % WARP == 0)
        part[threadIdx.x / WARP] = v;
    __syncthreads();
    v = part[threadIdx.x % warps];
    for (unsigned step = warps / 2; step; step /= 2)
        v = Op::join(v, __shfl_xor_sync(FULL_WARP, v, (int)step));
    __syncthreads();
    return v;
}

template <class T> DEVICE T warp_sum(T v) { return warp_join<sum_of>(v); }
template <class T> DEVICE T block_sum(T v) { return block_join<sum_of>(v); }
DEVICE float warp_max(float v) { return warp_join<max_of>(v); }
DEVICE float block_max(float v) { return block_join<max_of>(v); }
