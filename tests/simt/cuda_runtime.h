/* cuda_runtime.h: CUDA C++ for g++ on the simulated device: the words of the language, the built-in variables
 * and functions that kernels of jamroll use, and the launch. A block's threads are fibers that run one after
 * the other from barrier to barrier, in one order and then in the other, so that a missing barrier shows. */
#pragma once
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <functional>
#include "cuda_runtime_api.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __shared__ static /* one block runs at a time */
#define __constant__ static
#define __grid_constant__

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
static inline float4 make_float4(float x, float y, float z, float w) { return { x, y, z, w }; }
static inline float2 make_float2(float x, float y) { return { x, y }; }
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return { x, y, z, w }; }

extern dim3 threadIdx, blockIdx, blockDim, gridDim;
enum { warpSize = 32 };

/* block.cc */
void __syncthreads(void);
void __syncwarp(unsigned mask = 0xffffffffu);
void *simt_shared(void);
uint64_t simt_exchange(uint64_t v, unsigned lane); /* the value that `lane` of this warp gave */
unsigned simt_vote(bool p);

static inline unsigned simt_lane(void)
{
    return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) & 31;
}

template <class T> static inline T simt_shuffle(T v, unsigned lane)
{
    uint64_t bits = 0;
    memcpy(&bits, &v, sizeof(v));
    bits = simt_exchange(bits, lane & 31);
    memcpy(&v, &bits, sizeof(v));
    return v;
}
template <class T> static inline T __shfl_sync(unsigned, T v, int lane) { return simt_shuffle(v, (unsigned)lane); }
template <class T> static inline T __shfl_xor_sync(unsigned, T v, int mask) { return simt_shuffle(v, simt_lane() ^ (unsigned)mask); }
template <class T> static inline T __shfl_down_sync(unsigned, T v, unsigned by)
{
    return simt_shuffle(v, simt_lane() + by < 32 ? simt_lane() + by : simt_lane());
}
template <class T> static inline T __shfl_up_sync(unsigned, T v, unsigned by)
{
    return simt_shuffle(v, simt_lane() >= by ? simt_lane() - by : simt_lane());
}
static inline unsigned __ballot_sync(unsigned, int p) { return simt_vote(p); }

static inline int __popc(unsigned v) { return __builtin_popcount(v); }
static inline int __ffs(int v) { return __builtin_ffs(v); }
static inline int __clz(int v) { return v ? __builtin_clz((unsigned)v) : 32; }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }
static inline unsigned __float_as_uint(float f) { unsigned u; memcpy(&u, &f, 4); return u; }
static inline float __uint_as_float(unsigned u) { float f; memcpy(&f, &u, 4); return f; }
static inline int __float_as_int(float f) { return (int)__float_as_uint(f); }
static inline float __int_as_float(int i) { return __uint_as_float((unsigned)i); }
static inline float rsqrtf(float x) { return 1 / sqrtf(x); }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fadd_rn(float a, float b) { return a + b; }
template <class T> static inline T __ldg(const T *p) { return *p; }
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
static inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
static inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }

/* runtime.cc: does `work` now, or keeps it where the stream is being captured. */
void simt_enqueue(cudaStream_t s, std::function<void(void)> work);
cudaError_t simt_check_launch(const void *kernel, dim3 grid, dim3 block, size_t shared, size_t parameters);
cudaError_t simt_allow_shared(const void *kernel, int bytes);
/* block.cc */
void simt_run_grid(dim3 grid, dim3 block, size_t shared, const std::function<void(void)> &thread);

template <class... P, class... A>
static inline void simt_launch(cudaStream_t s, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, A... args)
{
    if (simt_check_launch((const void *)kernel, grid, block, shared, (sizeof(P) + ... + 0)) != cudaSuccess)
        return;
    simt_enqueue(s, [=] { simt_run_grid(grid, block, shared, [=] { kernel(P(args)...); }); });
}

template <class... P>
static inline cudaError_t cudaFuncSetAttribute(void (*kernel)(P...), enum cudaFuncAttribute, int value)
{
    return simt_allow_shared((const void *)kernel, value);
}
