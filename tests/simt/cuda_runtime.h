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
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __shared__ static /* one block runs at a time */
#define __grid_constant__

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
static inline float4 make_float4(float x, float y, float z, float w) { return { x, y, z, w }; }
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return { x, y, z, w }; }

extern dim3 threadIdx, blockIdx, blockDim, gridDim;

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
template <class T> static inline T __shfl_xor_sync(unsigned, T v, int mask) { return simt_shuffle(v, simt_lane() ^ (unsigned)mask); }
static inline unsigned __ballot_sync(unsigned, int p) { return simt_vote(p); }

static inline int __popc(unsigned v) { return __builtin_popcount(v); }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
static inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
static inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }

/* runtime.cc: does `work` now, or keeps it where the stream is being captured. */
void simt_enqueue(cudaStream_t s, std::function<void(void)> work);
cudaError_t simt_check_launch(dim3 grid, dim3 block, size_t shared, size_t parameters);
/* block.cc */
void simt_run_grid(dim3 grid, dim3 block, size_t shared, const std::function<void(void)> &thread);

template <class... P, class... A>
static inline void simt_launch(cudaStream_t s, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, A... args)
{
    if (simt_check_launch(grid, block, shared, (sizeof(P) + ... + 0)) != cudaSuccess)
        return;
    simt_enqueue(s, [=] { simt_run_grid(grid, block, shared, [=] { kernel(P(args)...); }); });
}
