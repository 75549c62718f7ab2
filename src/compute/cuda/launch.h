/* launch.h: the launchers of kernels, in C. Each enqueues on cuda_stream and returns; pointers are device
 * memory, 64-byte aligned unless said otherwise; sizes are in elements and below 2^31. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The one stream of the device; made by device_open (cuda.c). */
extern cudaStream_t cuda_stream;

/* Division by a number that is known before: n / divisor = (high word of n factor + n) >> shift. */
struct cu_div { uint32_t divisor, factor, shift; };

#ifdef __cplusplus
}
#endif
