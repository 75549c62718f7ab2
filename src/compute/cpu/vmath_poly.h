/* vmath_poly.h: the functions of vmath.h for one vector length, written once in GCC vector extensions and
 * included by each vmath_*.c after it defined VL and TABLE. The polynomials are minimax fits of our own
 * (weighted least squares until the error is level); the error left over is far below half a unit in the
 * last place. */
#include <stdint.h>
#include <string.h>
#include "vmath_isa.h"

typedef float vec __attribute__((vector_size(VL * 4)));
typedef int32_t ivec __attribute__((vector_size(VL * 4)));
typedef uint32_t uvec __attribute__((vector_size(VL * 4))); /* wraps, for bits of any number */
#define INLINE static inline __attribute__((always_inline))

INLINE vec splat(float x)
{
    return x - (vec){0};
}

INLINE vec pick(ivec mask, vec yes, vec no)
{
    return (vec)(((ivec)yes & mask) | ((ivec)no & ~mask));
}

/* NaN stays NaN. */
INLINE vec clamp(vec x, float lo, float hi)
{
    x = pick(x > splat(hi), splat(hi), x);
    return pick(x < splat(lo), splat(lo), x);
}

INLINE vec poly(vec x, const float *c, int n)
{
    vec sum = splat(c[n - 1]);
    _Pragma("GCC unroll 10") for (int i = n - 2; i >= 0; i--)
        sum = sum * x + splat(c[i]);
    return sum;
}

static const float ln2_hi = 0.693145752f, ln2_lo = 1.42860677e-06f;

/* x = n ln 2 + r, |r| <= ln 2 / 2; e^r = 1 + r + r^2 q(r); 2^n in two factors, so that neither overflows. */
INLINE vec exp_v(vec x)
{
    static const float q[] = {0.5f, 0.166666657f, 0.0416662954f, 0.00833349675f, 0.00139446603f,
                              0.000197903471f};
    const vec magic = splat(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    x = clamp(x, -104.0f, 89.0f);
    vec shifted = x * splat(1.44269502f) + magic;
    vec n = shifted - magic;
    ivec e = (ivec)((uvec)shifted - (uvec)magic);
    vec r = (x - n * splat(ln2_hi)) - n * splat(ln2_lo);
    vec y = r * r * poly(r, q, 6) + r + splat(1);
    ivec half = e >> 1;
    return y * (vec)((uvec)(half + 127) << 23) * (vec)((uvec)(e - half + 127) << 23);
}

/* x = 2^e m, m in [sqrt 1/2, sqrt 2), f = m - 1; log(1 + f) = f - f^2 / 2 + f^3 q(f). */
INLINE vec log_v(vec x)
{
    static const float q[] = {0.333333135f, -0.250000089f, 0.200021207f, -0.166679963f, 0.14219518f,
                              -0.124055445f, 0.118883938f, -0.11676053f, 0.0674660355f};
    const ivec tiny = x < splat(0x1p-126f);
    vec y = pick(tiny, x * splat(0x1p23f), x);
    ivec bits = (ivec)((uvec)y - 0x3f3504f3u); /* sqrt 1/2 */
    ivec e = bits >> 23;
    vec f = (vec)((bits & 0x7fffff) + 0x3f3504f3) - splat(1);
    vec n = __builtin_convertvector(e - (tiny & 23), vec);
    vec f2 = f * f;
    vec r = n * splat(ln2_lo) + f * f2 * poly(f, q, 9) - splat(0.5f) * f2;
    r = n * splat(ln2_hi) + (f + r);
    r = pick(x == splat(__builtin_inff()), x, r);
    r = pick(x == splat(0), splat(-__builtin_inff()), r);
    return pick(x >= splat(0), r, splat(__builtin_nanf("")));
}

/* Near 0 an odd polynomial, elsewhere 1 - 2 / (e^2|x| + 1). */
INLINE vec tanh_v(vec x)
{
    static const float q[] = {-0.333333284f, 0.133331329f, -0.053937465f, 0.0216501504f, -0.00805394165f,
                              0.00203174679f};
    const ivec sign = (ivec)splat(-0.0f);
    vec a = (vec)((ivec)x & ~sign);
    vec z = x * x;
    vec near = x + x * z * poly(z, q, 6);
    vec far = splat(1) - splat(2) / (exp_v(a + a) + splat(1));
    vec y = pick(a < splat(0.625f), near, far);
    return (vec)((ivec)y | ((ivec)x & sign));
}

INLINE vec sigmoid_v(vec x)
{
    return splat(1) / (splat(1) + exp_v(-x));
}

/* 0.5 x (1 + tanh u) = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3). */
static const float two_c = 1.59576912f, two_c3 = 0.0713548163f; /* 2 sqrt(2 / pi), and times 0.044715 */

INLINE vec gelu_v(vec x)
{
    return x * sigmoid_v(x * (splat(two_c) + splat(two_c3) * x * x));
}

/* s = 1 / (1 + e) and 1 - s = e s without cancellation. Beyond |x| = 9.5 the derivative is 1, or 0 to 30
 * digits. */
INLINE vec gelu_dx_v(vec x)
{
    x = clamp(x, -9.5f, 9.5f);
    vec x2 = x * x;
    vec e = exp_v(-x * (splat(two_c) + splat(two_c3) * x2));
    vec s = splat(1) / (splat(1) + e);
    return s + x * s * (e * s) * (splat(two_c) + splat(3 * two_c3) * x2);
}

#define OVER_ARRAY(name)                                                        \
    static void name##_array(float *dst, const float *src, size_t n)            \
    {                                                                           \
        for (; n >= VL; n -= VL, dst += VL, src += VL) {                        \
            vec v;                                                              \
            memcpy(&v, src, sizeof v);                                          \
            v = name##_v(v);                                                    \
            memcpy(dst, &v, sizeof v);                                          \
        }                                                                       \
        if (n) {                                                                \
            vec v = {0};                                                        \
            memcpy(&v, src, n * sizeof *src);                                   \
            v = name##_v(v);                                                    \
            memcpy(dst, &v, n * sizeof *dst);                                   \
        }                                                                       \
    }
OVER_ARRAY(exp)
OVER_ARRAY(log)
OVER_ARRAY(tanh)
OVER_ARRAY(sigmoid)
OVER_ARRAY(gelu)
OVER_ARRAY(gelu_dx)

const struct vmath_isa TABLE = {exp_array, log_array, tanh_array, sigmoid_array, gelu_array, gelu_dx_array};
