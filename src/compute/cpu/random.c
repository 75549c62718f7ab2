/* random.c: Philox numbers, the same for the same (seed, counter, stream) on every device and any division of
 * the work: element i comes from block i / 4. Blocks are computed LANES at a time, which vectorises. */
#include <math.h>
#include "cpu.h"

enum { LANES = 16, ROUNDS = 10 };

/* Philox4x32-10 for LANES consecutive blocks; out[word][lane]. */
INLINE void philox_lanes(uint64_t first, uint32_t step, uint32_t stream, uint32_t seed, uint32_t out[4][LANES])
{
    uint32_t key0 = seed, key1 = 0;
    for (int l = 0; l < LANES; l++) {
        out[0][l] = (uint32_t)(first + (uint64_t)l);
        out[1][l] = (uint32_t)((first + (uint64_t)l) >> 32);
        out[2][l] = step;
        out[3][l] = stream;
    }
    for (int r = 0; r < ROUNDS; r++, key0 += 0x9E3779B9u, key1 += 0xBB67AE85u)
        for (int l = 0; l < LANES; l++) {
            uint64_t a = (uint64_t)out[0][l] * 0xD2511F53u, b = (uint64_t)out[2][l] * 0xCD9E8D57u;
            uint32_t c1 = out[1][l], c3 = out[3][l];
            out[0][l] = (uint32_t)(b >> 32) ^ c1 ^ key0;
            out[1][l] = (uint32_t)b;
            out[2][l] = (uint32_t)(a >> 32) ^ c3 ^ key1;
            out[3][l] = (uint32_t)a;
        }
}

/* Box-Muller on words 0, 1 and 2, 3; the radius' uniform is in (0, 1]. */
static void to_normal(uint32_t w[4][LANES], float *v)
{
    for (int l = 0; l < LANES; l++)
        for (int k = 0; k < 4; k += 2) {
            float u = (float)((w[k][l] >> 8) + 1) * 0x1p-24f, angle = (float)(w[k + 1][l] >> 8) * 0x1p-24f;
            float radius = sqrtf(-2 * logf(u)), turn = 6.2831853071795865f * angle;
            v[4 * l + k] = radius * cosf(turn);
            v[4 * l + k + 1] = radius * sinf(turn);
        }
}

SIMD static void random_range(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct step *s = ctx;
    const uint32_t *seed = s->in[0];
    uint32_t words[4][LANES];
    float v[4 * LANES];
    for (size_t at = from; at < to; at += 4 * LANES) {
        size_t n = to - at < 4 * LANES ? to - at : 4 * LANES;
        philox_lanes(at / 4, seed[1], s->node->attr.random.stream, seed[0], words);
        if (s->node->attr.random.dist == DIST_NORMAL)
            to_normal(words, v);
        else
            for (int k = 0; k < 4; k++)
                for (int l = 0; l < LANES; l++)
                    v[4 * l + k] = (float)(int32_t)(words[k][l] >> 8) * 0x1p-24f;
        for (size_t i = 0; i < n; i++)
            ((float *)s->out)[at + i] = v[i];
    }
}

void k_random(const struct step *s, struct pool *pool)
{
    par_for(pool, node_count(s->node), 1 << 14, random_range, (void *)(uintptr_t)s);
}
