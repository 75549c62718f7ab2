/* ukr_avx2.c: the micro-kernel for AVX2 with fused multiply-add: 6 x 16 tiles, 12 accumulators of 8
 * floats. The Makefile gives this file its own flags; it is only entered after the processor was asked
 * (cpuid.c). */
#if defined(__x86_64__)
#include <immintrin.h>

enum { VL = 8 };
#define MR 6
#define DOT_ROWS 2
#define UKR ukr_avx2
#define LOW {0, 8, 1, 9, 2, 10, 3, 11}
#define HIGH {4, 12, 5, 13, 6, 14, 7, 15}
typedef float vec __attribute__((vector_size(32)));

static inline __m256i part(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vec load_part(const float *p, int n)
{
    return (vec)_mm256_maskload_ps(p, part(n));
}

static inline void store_part(float *p, int n, vec v)
{
    _mm256_maskstore_ps(p, part(n), (__m256)v);
}

#include "ukr_tile.h"
#endif
