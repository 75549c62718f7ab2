/* random.c: Philox numbers, the same for the same (seed, counter, stream) on every device and any division of
 * the work: element i comes from block i / 4. Blocks are computed LANES at a time, which vectorises. */
#include <string.h>
#include "../normal.h"
#include "cpu.h"

enum { LANES = 16, ROUNDS = 10 };

/* One word of LANES consecutive blocks. */
struct lanes { uint32_t v[LANES]; };

/* Philox4x32-10. The rounds are unrolled so that the loop over lanes becomes one of vectors. */
INLINE void philox_lanes(uint32_t first, uint32_t step, uint32_t stream, uint32_t seed, struct lanes *w)
{
    for (uint32_t l = 0; l < LANES; l++) {
        uint32_t c0 = first + l, c1 = 0, c2 = step, c3 = stream, key0 = seed, key1 = 0;
#pragma GCC unroll 10
        for (int r = 0; r < ROUNDS; r++, key0 += 0x9E3779B9u, key1 += 0xBB67AE85u) {
            uint64_t a = (uint64_t)c0 * 0xD2511F53u, b = (uint64_t)c2 * 0xCD9E8D57u;
            c0 = (uint32_t)(b >> 32) ^ c1 ^ key0;
            c1 = (uint32_t)b;
            c2 = (uint32_t)(a >> 32) ^ c3 ^ key1;
            c3 = (uint32_t)a;
        }
        w[0].v[l] = c0;
        w[1].v[l] = c1;
        w[2].v[l] = c2;
        w[3].v[l] = c3;
    }
}

/* Word by word of each block. */
INLINE void join_words(float f[4][LANES], float *v)
{
    for (int l = 0; l < LANES; l++) {
        v[4 * l] = f[0][l];
        v[4 * l + 1] = f[1][l];
        v[4 * l + 2] = f[2][l];
        v[4 * l + 3] = f[3][l];
    }
}

INLINE void to_uniform(const struct lanes w[4], float *v)
{
    float f[4][LANES];
    for (int k = 0; k < 4; k++)
        for (int l = 0; l < LANES; l++)
            f[k][l] = (float)(int32_t)(w[k].v[l] >> 8) * 0x1p-24f;
    join_words(f, v);
}

INLINE void to_normal(const struct lanes w[4], float *v)
{
    float f[4][LANES];
    for (int k = 0; k < 4; k += 2)
        for (int l = 0; l < LANES; l++)
            normal_pair(w[k].v[l], w[k + 1].v[l], &f[k][l], &f[k + 1][l]);
    join_words(f, v);
}

SIMD static void random_range(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct step *s = ctx;
    const uint32_t *seed = s->in[0];
    bool normal = s->node->attr.random.dist == DIST_NORMAL;
    struct lanes w[4];
    float v[4 * LANES];
    for (size_t at = from; at < to; at += 4 * LANES) {
        size_t n = to - at < 4 * LANES ? to - at : 4 * LANES;
        philox_lanes((uint32_t)(at / 4), seed[1], s->node->attr.random.stream, seed[0], w);
        if (normal)
            to_normal(w, v);
        else
            to_uniform(w, v);
        memcpy((float *)s->out + at, v, n * sizeof(*v));
    }
}

void k_random(const struct step *s, struct pool *pool)
{
    par_for(pool, node_count(s->node), 1 << 14, random_range, (void *)(uintptr_t)s);
}
