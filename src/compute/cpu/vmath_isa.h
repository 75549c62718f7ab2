/* vmath_isa.h: the functions of vmath.h for each instruction set. Private to vmath*.c. */
#pragma once
#include <stddef.h>

typedef void vmath_fn(float *dst, const float *src, size_t n);
struct vmath_isa { vmath_fn *exp, *log, *tanh, *sigmoid, *gelu, *gelu_dx; };
extern const struct vmath_isa vmath_generic, vmath_avx2, vmath_avx512;
