/* vmath_avx2.c: vector maths, 8 floats at a time. Compiled with the flags of its suffix. */
#if defined(__x86_64__)
enum { VL = 8 };
#define TABLE vmath_avx2
#include "vmath_poly.h"
#endif
