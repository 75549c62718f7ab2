/* ukr_transpose.h: a 4 x 4 transpose in vector extensions; every machine has four-float vectors. */
#pragma once
#include <stddef.h>
#include <string.h>

typedef float vec4 __attribute__((vector_size(16)));
typedef int ivec4 __attribute__((vector_size(16)));

static inline void transpose(const float *src, ptrdiff_t ld, float *dst, ptrdiff_t dst_ld)
{
    vec4 r[4];
    for (int i = 0; i < 4; i++)
        memcpy(&r[i], src + i * ld, sizeof r[i]);
    vec4 lo02 = __builtin_shuffle(r[0], r[2], (ivec4){0, 4, 1, 5}), hi02 = __builtin_shuffle(r[0], r[2], (ivec4){2, 6, 3, 7});
    vec4 lo13 = __builtin_shuffle(r[1], r[3], (ivec4){0, 4, 1, 5}), hi13 = __builtin_shuffle(r[1], r[3], (ivec4){2, 6, 3, 7});
    vec4 t[4] = {__builtin_shuffle(lo02, lo13, (ivec4){0, 4, 1, 5}), __builtin_shuffle(lo02, lo13, (ivec4){2, 6, 3, 7}),
                 __builtin_shuffle(hi02, hi13, (ivec4){0, 4, 1, 5}), __builtin_shuffle(hi02, hi13, (ivec4){2, 6, 3, 7})};
    for (int i = 0; i < 4; i++)
        memcpy(dst + i * dst_ld, &t[i], sizeof t[i]);
}
