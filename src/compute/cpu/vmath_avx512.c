/* vmath_avx512.c: vector maths, 16 floats at a time. Compiled with the flags of its suffix. */
#if defined(__x86_64__)
enum { VL = 16 };
#define TABLE vmath_avx512
#include "vmath_poly.h"
#endif
