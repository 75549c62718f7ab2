/* vmath_generic.c: vector maths in four-float vectors, for any machine. */
enum { VL = 4 };
#define TABLE vmath_generic
#include "vmath_poly.h"
