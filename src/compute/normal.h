/* normal.h: two normal numbers from two random words (Box-Muller), by additions, multiplications and one root in a
 * fixed order: whoever compiles it without contraction (-ffp-contract=off, -fmad=false) gets the same bytes. The
 * polynomials are least squares fits of our own until the error is level. C and CUDA C++. */
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __CUDACC__
#define NORMAL_INLINE static __device__ __forceinline__
#else
#define NORMAL_INLINE static inline __attribute__((always_inline))
#endif

NORMAL_INLINE float float_of_bits(int32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof(f));
    return f;
}

/* Natural logarithm of u in [2^-24, 1]: u = 2^e m, m in [sqrt 1/2, sqrt 2), f = m - 1 (see cpu/vmath_poly.h). */
NORMAL_INLINE float log_of_uniform(float u)
{
    int32_t bits;
    memcpy(&bits, &u, sizeof(bits));
    bits -= 0x3f3504f3; /* sqrt 1/2 */
    float e = (float)(bits >> 23), f = float_of_bits((bits & 0x7fffff) + 0x3f3504f3) - 1, f2 = f * f;
    float q = 0.0674660355f;
    q = q * f - 0.11676053f;
    q = q * f + 0.118883938f;
    q = q * f - 0.124055445f;
    q = q * f + 0.14219518f;
    q = q * f - 0.166679963f;
    q = q * f + 0.200021207f;
    q = q * f - 0.250000089f;
    q = q * f + 0.333333135f;
    return e * 0.693145752f + (f + (e * 1.42860677e-06f + f * f2 * q - 0.5f * f2));
}

/* Cosine and sine of `turn` whole turns, in [0, 1): the nearest quarter, and a rest of half a quarter at most. */
NORMAL_INLINE void circle(float turn, float *c, float *s)
{
    float quarters = turn * 4;
    int32_t quarter = (int32_t)(quarters + 0.5f);
    float r = quarters - (float)quarter, z = r * r;
    float sine = r * (1.57079625f + z * (-0.645962954f + z * (0.0796760991f + z * -0.00459270459f)));
    float cosine = 1 + z * (-1.23370051f + z * (0.253669262f + z * (-0.0208603088f + z * 0.000904062006f)));
    float along = quarter & 1 ? sine : cosine, across = quarter & 1 ? cosine : sine;
    *c = (quarter + 1) & 2 ? -along : along;
    *s = quarter & 2 ? -across : across;
}

NORMAL_INLINE void normal_pair(uint32_t a, uint32_t b, float *x, float *y)
{
    float u = (float)(int32_t)((a >> 8) + 1) * 0x1p-24f; /* in (0, 1] */
    float radius = sqrtf(-2 * log_of_uniform(u)), c, s;
    circle((float)(int32_t)(b >> 8) * 0x1p-24f, &c, &s);
    *x = radius * c;
    *y = radius * s;
}
