/* ukr_avx512.c: the micro-kernel for AVX-512: 12 x 32 tiles, 24 accumulators of 16 floats. The Makefile gives
 * this file its own flags; it is only entered after the processor was asked (cpuid.c). */
#if defined(__x86_64__)
#include <immintrin.h>

enum { VL = 16 };
#define MR 12
#define DOT_ROWS 4
#define UKR ukr_avx512
#define LOW {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23}
#define HIGH {8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31}
typedef float vec __attribute__((vector_size(64)));

static inline vec load_part(const float *p, int n)
{
    return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

static inline void store_part(float *p, int n, vec v)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
}

#include "ukr_tile.h"
#endif
