/* rng.c: Philox4x32-10. A block of four words is a pure function of (seed, stream, counter); the
 * stateful calls only read such blocks in order, so any draw can be repeated or skipped to. */
#include "rng.h"

#include <math.h>
#include <sys/random.h>
#include <time.h>

#include "err.h"

enum { ROUNDS = 10 };

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0;
        uint64_t b = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u; /* golden ratio */
        k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void rng_init(struct rng *r, uint64_t seed, uint64_t stream)
{
    *r = (struct rng){.seed = seed, .stream = stream};
}

uint32_t rng_u32(struct rng *r)
{
    if (r->left == 0) {
        const uint32_t counter[4] = {(uint32_t)r->counter, (uint32_t)(r->counter >> 32), (uint32_t)r->stream,
                                     (uint32_t)(r->stream >> 32)};
        const uint32_t key[2] = {(uint32_t)r->seed, (uint32_t)(r->seed >> 32)};
        philox4x32(counter, key, r->block);
        r->counter++;
        r->left = 4;
    }
    return r->block[4 - r->left--];
}

float rng_uniform(struct rng *r)
{
    return (float)(rng_u32(r) >> 8) * 0x1p-24f;
}

/* Box-Muller, one of the pair: two words a number keeps the stream position easy to reason about. */
float rng_normal(struct rng *r)
{
    double u = ((double)rng_u32(r) + 1.0) * 0x1p-32; /* (0,1] */
    double v = (double)rng_u32(r) * 0x1p-32;
    return (float)(sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * v));
}

float rng_truncated(struct rng *r, float cut)
{
    BUG_ON(!(cut > 0));
    for (;;) {
        float x = rng_normal(r);
        if (fabsf(x) <= cut)
            return x;
    }
}

/* Lemire's method: the high half of a product, redrawn in the small zone that would be uneven. */
uint32_t rng_below(struct rng *r, uint32_t n)
{
    BUG_ON(n == 0);
    uint32_t uneven = -n % n;
    for (;;) {
        uint64_t product = (uint64_t)rng_u32(r) * n;
        if ((uint32_t)product >= uneven)
            return (uint32_t)(product >> 32);
    }
}

void rng_shuffle(struct rng *r, uint32_t *items, uint32_t n)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = rng_below(r, i), swap = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swap;
    }
}

uint64_t rng_hash(uint64_t a, uint64_t b)
{
    const uint32_t counter[4] = {(uint32_t)a, (uint32_t)(a >> 32), 0x6a616d72u, 0x6f6c6c00u};
    const uint32_t key[2] = {(uint32_t)b, (uint32_t)(b >> 32)};
    uint32_t out[4];
    philox4x32(counter, key, out);
    return (uint64_t)out[1] << 32 | out[0];
}

uint64_t rng_entropy(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed)
        return seed;
    struct timespec t; /* the kernel has no entropy yet: time is better than nothing */
    clock_gettime(CLOCK_REALTIME, &t);
    return rng_hash((uint64_t)t.tv_sec, (uint64_t)t.tv_nsec);
}

size_t rng_weighted(struct rng *r, const double *upto, size_t n)
{
    double want = (double)rng_uniform(r) * upto[n - 1];
    size_t lo = 0, hi = n - 1;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (upto[mid] > want)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}
