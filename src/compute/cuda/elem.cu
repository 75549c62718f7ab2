/* elem.cu: fused element-wise chains: one kernel interprets the program, four elements a thread. */
#include "program.h"

enum { WIDE = 4 };

/* The result may lie over an input: a thread reads its elements before it writes them, and no others. */
static __global__ void __launch_bounds__(BLOCK)
    run_program(const __grid_constant__ cu_program p, float *out, unsigned n, bool wide)
{
    unsigned at = thread_index() * WIDE;
    if (at + WIDE <= n) {
        pack<WIDE> r = evaluate<WIDE>(p, at);
        if (wide)
            store4(out + at, r);
        else
            for (int i = 0; i < WIDE; i++)
                out[at + (unsigned)i] = r.v[i];
        return;
    }
    for (; at < n; at++)
        out[at] = evaluate<1>(p, at).v[0];
}

void cu_elem(const struct cu_program *p, float *out, size_t n)
{
    LAUNCH(run_program, blocks_for(n, WIDE * BLOCK), BLOCK, 0, *p, out, (unsigned)n, aligned16(out));
}

/* factor = 2^32 (2^shift - d) / d + 1 with 2^shift the power of two not below d (Granlund and Montgomery 1994). */
struct cu_div cu_div_of(size_t divisor)
{
    cu_div d = { (uint32_t)divisor, 0, 0 };
    while (((uint64_t)1 << d.shift) < divisor)
        d.shift++;
    d.factor = (uint32_t)((((uint64_t)1 << d.shift) - divisor) * ((uint64_t)1 << 32) / divisor + 1);
    return d;
}
