/* ukr_generic.c: the micro-kernel for any machine with a C compiler: 6 x 8 tiles of four-float vectors
 * (SSE2 on x86-64, NEON on ARM), and the choice of the table row. */
#include <string.h>

enum { VL = 4 };
#define MR 6
#define DOT_ROWS 2
#define UKR ukr_generic
#define LOW {0, 4, 1, 5}
#define HIGH {2, 6, 3, 7}
typedef float vec __attribute__((vector_size(16)));

static inline vec load_part(const float *p, int n)
{
    vec v = {0};
    memcpy(&v, p, (size_t)n * sizeof *p);
    return v;
}

static inline void store_part(float *p, int n, vec v)
{
    memcpy(p, &v, (size_t)n * sizeof *p);
}

#include "ukr_tile.h"

const struct ukr *ukr_for(enum isa isa)
{
#if defined(__x86_64__)
    static const struct ukr *const table[ISA_COUNT] = {&ukr_generic, &ukr_avx2, &ukr_avx512};
    return table[isa];
#else
    (void)isa;
    return &ukr_generic;
#endif
}

const struct ukr *ukr_get(void)
{
    return ukr_for(cpu_isa());
}
