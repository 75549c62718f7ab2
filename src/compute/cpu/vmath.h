/* vmath.h: transcendental functions over arrays, by own polynomials, accurate to a few units in the last
 * place, a fraction of a nanosecond an element. dst == src is allowed. Infinities and NaN behave as in libm;
 * results below the smallest normal number may be flushed to zero. Which instruction set runs is chosen at
 * start-up (cpuid.h); all of them give results within the same bounds, not the same bits. */
#pragma once
#include <stddef.h>

void vexp(float *dst, const float *src, size_t n);
void vlog(float *dst, const float *src, size_t n);
void vtanh(float *dst, const float *src, size_t n);
void vsigmoid(float *dst, const float *src, size_t n);
void vgelu(float *dst, const float *src, size_t n);    /* tanh form */
void vgelu_dx(float *dst, const float *src, size_t n); /* its derivative */
