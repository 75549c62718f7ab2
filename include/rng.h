/* rng.h: counter-based random numbers, Philox4x32-10 (Salmon et al., SC'11). The same (seed, stream,
 * counter) gives the same numbers on every device and in any thread order. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t seed, stream, counter; /* next block to draw */
    uint32_t block[4];
    int left;                       /* unread words of block */
};

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);
void rng_init(struct rng *r, uint64_t seed, uint64_t stream);
uint32_t rng_u32(struct rng *r);
float rng_uniform(struct rng *r);                  /* [0,1), 24 bits */
/* An index of n >= 1, as likely as its part of the sum; upto[i] is the sum of the weights 0..i. */
size_t rng_weighted(struct rng *r, const double *upto, size_t n);
float rng_normal(struct rng *r);                   /* mean 0, deviation 1 (Box-Muller) */
float rng_truncated(struct rng *r, float cut);     /* normal, redrawn until |x| <= cut */
uint32_t rng_below(struct rng *r, uint32_t n);     /* unbiased, n >= 1 */
void rng_shuffle(struct rng *r, uint32_t *items, uint32_t n);
uint64_t rng_hash(uint64_t a, uint64_t b);         /* mix two words into one seed */
uint64_t rng_entropy(void);                        /* a fresh seed from the system */
