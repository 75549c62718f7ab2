/* random.cu: Philox numbers, the same bytes as cpu/random.c: element i comes from block i / 4 of (seed, counter,
 * stream). Compiled without contraction (see normal.h). */
#include "../normal.h"
#include "device.h"

/* Philox4x32-10 (Salmon et al. 2011). */
DEVICE uint4 philox(unsigned block, unsigned step, unsigned stream, unsigned seed)
{
    enum { ROUNDS = 10 };
    unsigned c0 = block, c1 = 0, c2 = step, c3 = stream, key0 = seed, key1 = 0;
    for (int r = 0; r < ROUNDS; r++, key0 += 0x9E3779B9u, key1 += 0xBB67AE85u) {
        unsigned high_a = __umulhi(c0, 0xD2511F53u), low_a = c0 * 0xD2511F53u;
        unsigned high_b = __umulhi(c2, 0xCD9E8D57u), low_b = c2 * 0xCD9E8D57u;
        c0 = high_b ^ c1 ^ key0;
        c1 = low_b;
        c2 = high_a ^ c3 ^ key1;
        c3 = low_a;
    }
    return make_uint4(c0, c1, c2, c3);
}

DEVICE float uniform(unsigned word)
{
    return (float)(int)(word >> 8) * 0x1p-24f;
}

static __global__ void __launch_bounds__(BLOCK)
    draw(const uint32_t *seed, uint32_t stream, bool normal, float *out, unsigned n, bool wide)
{
    unsigned block = thread_index(), at = block * 4;
    if (at >= n)
        return;
    uint4 w = philox(block, seed[1], stream, seed[0]);
    pack<4> v;
    if (normal) {
        normal_pair(w.x, w.y, &v.v[0], &v.v[1]);
        normal_pair(w.z, w.w, &v.v[2], &v.v[3]);
    } else {
        v = { { uniform(w.x), uniform(w.y), uniform(w.z), uniform(w.w) } };
    }
    if (wide && at + 4 <= n)
        store4(out + at, v);
    else
        for (unsigned i = 0; i < 4 && at + i < n; i++)
            out[at + i] = v.v[i];
}

void cu_random(const uint32_t *seed, uint32_t stream, bool normal, float *out, size_t n)
{
    LAUNCH(draw, blocks_for(n, 4 * BLOCK), BLOCK, 0, seed, stream, normal, out, (unsigned)n, aligned16(out));
}
