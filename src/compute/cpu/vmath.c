/* vmath.c: picks the table of vector functions that fits the machine. */
#include "vmath.h"
#include "cpuid.h"
#include "vmath_isa.h"

static const struct vmath_isa *table(void)
{
#if defined(__x86_64__)
    static const struct vmath_isa *const by_isa[ISA_COUNT] = {&vmath_generic, &vmath_avx2, &vmath_avx512};
    return by_isa[cpu_isa()];
#else
    return &vmath_generic;
#endif
}

void vexp(float *dst, const float *src, size_t n) { table()->exp(dst, src, n); }
void vlog(float *dst, const float *src, size_t n) { table()->log(dst, src, n); }
void vtanh(float *dst, const float *src, size_t n) { table()->tanh(dst, src, n); }
void vsigmoid(float *dst, const float *src, size_t n) { table()->sigmoid(dst, src, n); }
void vgelu(float *dst, const float *src, size_t n) { table()->gelu(dst, src, n); }
void vgelu_dx(float *dst, const float *src, size_t n) { table()->gelu_dx(dst, src, n); }
