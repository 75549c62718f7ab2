/* ukr_avx512.c: the micro-kernel for AVX-512: 12 x 32 tiles, 24 accumulators of 16 floats. The Makefile gives
 * this file its own flags; it is only entered after the processor was asked (cpuid.c). */
#if defined(__x86_64__)
#include <immintrin.h>

enum { VL = 16, TW = 4 };
#define MR 12
#define UKR ukr_avx512
typedef float vec __attribute__((vector_size(64)));

static inline vec load_part(const float *p, int n)
{
    return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

static inline void store_part(float *p, int n, vec v)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
}

#include "ukr_transpose.h"
#include "ukr_tile.h"
#endif
