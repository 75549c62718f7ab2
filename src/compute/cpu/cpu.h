/* cpu.h: what the CPU kernels share: the pool cut into ranges, and loops compiled for several instruction
 * sets. Chunks depend on sizes only, never on the number of threads. */
#pragma once
#include <stdint.h>
#include "../step.h"

/* Compiled once for each instruction set; the loader picks (GCC function multiversioning). The address
 * sanitizer starts later than the loader resolves, so its builds use the plain version. */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define SIMD __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SIMD
#endif
#define INLINE static inline __attribute__((always_inline))

/* Sums and maxima of a row in 16 lanes. Vectors of the compiler's own: it maps them to what there is. */
enum { ROW_LANES = 16 };
typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));

INLINE float lanes_sum(const lanes *v)
{
    typedef float half __attribute__((vector_size(32)));
    typedef float quarter __attribute__((vector_size(16)));
    half h = __builtin_shufflevector(*v, *v, 0, 1, 2, 3, 4, 5, 6, 7) +
             __builtin_shufflevector(*v, *v, 8, 9, 10, 11, 12, 13, 14, 15);
    quarter q = __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
    return (q[0] + q[2]) + (q[1] + q[3]);
}

INLINE float row_sum(const float *x, size_t n)
{
    lanes acc = { 0 };
    float rest = 0;
    size_t i = 0;
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        acc += *(const lanes *)(x + i);
    for (; i < n; i++)
        rest += x[i];
    return lanes_sum(&acc) + rest;
}

/* Sum of (x - a)(y - b). */
INLINE float row_dot(const float *x, float a, const float *y, float b, size_t n)
{
    lanes acc = { 0 };
    float rest = 0;
    size_t i = 0;
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        acc += (*(const lanes *)(x + i) - a) * (*(const lanes *)(y + i) - b);
    for (; i < n; i++)
        rest += (x[i] - a) * (y[i] - b);
    return lanes_sum(&acc) + rest;
}

INLINE float row_max(const float *x, size_t n)
{
    float lane[ROW_LANES], best = x[0];
    size_t i = 0;
    for (int k = 0; k < ROW_LANES; k++)
        lane[k] = best;
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        for (int k = 0; k < ROW_LANES; k++)
            lane[k] = x[i + (size_t)k] > lane[k] ? x[i + (size_t)k] : lane[k];
    for (; i < n; i++)
        best = x[i] > best ? x[i] : best;
    for (int k = 0; k < ROW_LANES; k++)
        best = lane[k] > best ? lane[k] : best;
    return best;
}

typedef void (*range_fn)(void *ctx, size_t from, size_t to, int chunk);

/* fn over [0, n) in ranges of `grain`; on this thread alone when one range holds all. */
void par_for(struct pool *pool, size_t n, size_t grain, range_fn fn, void *ctx);

/* Rows to a chunk so that a chunk is worth waking a thread for; `cost` in element operations a row. */
static inline size_t row_grain(size_t cost)
{
    enum { CHUNK = 1 << 15 };
    return cost >= CHUNK ? 1 : CHUNK / (cost ? cost : 1);
}

/* elem.c: a step's program, block by block: elements at..at+n, n <= ELEM_BLOCK, to out. */
enum { ELEM_BLOCK = 512 };
struct elem_state {
    const struct step *step;
    size_t block;                                           /* elements to take at a time */
    size_t outer[PROGRAM_INPUTS], phase[PROGRAM_INPUTS];    /* of the repetition that `loaded` holds */
    float *reg[PROGRAM_INPUTS + PROGRAM_OPS];
    _Alignas(64) float loaded[PROGRAM_INPUTS][ELEM_BLOCK], temp[PROGRAM_OPS][ELEM_BLOCK];
};
void elem_begin(struct elem_state *e, const struct step *s);
void elem_block(struct elem_state *e, size_t at, size_t n, float *out);
void k_elem(const struct step *s, struct pool *pool);

void k_sum(const struct step *s, struct pool *pool);
size_t w_sum(const struct node *n, int threads);
bool fits_sum_program(const struct node *n);
void k_max(const struct step *s, struct pool *pool);
void k_argmax(const struct step *s, struct pool *pool);
void k_softmax(const struct step *s, struct pool *pool);
size_t w_softmax(const struct node *n, int threads);
void k_logsumexp(const struct step *s, struct pool *pool);

void k_fill(const struct step *s, struct pool *pool);
void k_expand(const struct step *s, struct pool *pool);
void k_permute(const struct step *s, struct pool *pool);
void k_slice(const struct step *s, struct pool *pool);
void k_pad(const struct step *s, struct pool *pool);
void k_concat(const struct step *s, struct pool *pool);
void k_reflect(const struct step *s, struct pool *pool);
void k_unreflect(const struct step *s, struct pool *pool);
void k_gather(const struct step *s, struct pool *pool);
void k_scatter(const struct step *s, struct pool *pool);
void k_store(const struct step *s, struct pool *pool);

void k_random(const struct step *s, struct pool *pool);

void k_norm(const struct step *s, struct pool *pool);
void k_norm_dx(const struct step *s, struct pool *pool);
bool fits_norm(const struct node *n);
size_t w_norm(const struct node *n, int threads);
size_t w_norm_dx(const struct node *n, int threads);

void k_xent(const struct step *s, struct pool *pool);
void k_xent_dx(const struct step *s, struct pool *pool);
size_t w_xent(const struct node *n, int threads);

void k_attention(const struct step *s, struct pool *pool);
void k_attention_dx(const struct step *s, struct pool *pool);
size_t w_attention(const struct node *n, int threads);
size_t w_attention_dx(const struct node *n, int threads);
void k_attend_step(const struct step *s, struct pool *pool);
size_t w_attend_step(const struct node *n, int threads);

void k_gru(const struct step *s, struct pool *pool);
void k_gru_dx(const struct step *s, struct pool *pool);
size_t w_gru(const struct node *n, int threads);
size_t w_gru_dx(const struct node *n, int threads);

void k_matmul(const struct step *s, struct pool *pool);
void k_linear(const struct step *s, struct pool *pool);
void k_pack(const struct step *s, struct pool *pool);
size_t w_pack(const struct node *n, int threads);
void k_conv(const struct step *s, struct pool *pool);
void k_conv_t(const struct step *s, struct pool *pool);
void k_conv_w(const struct step *s, struct pool *pool);
size_t w_conv(const struct node *n, int threads);
size_t w_conv_t(const struct node *n, int threads);
size_t w_conv_w(const struct node *n, int threads);

extern const struct flat_ops cpu_flat; /* flat.c */

/* ref.c: plain loops. */
void ref_matmul(const struct step *s, struct pool *pool);
void ref_conv(const struct step *s, struct pool *pool);
void ref_conv_t(const struct step *s, struct pool *pool);
void ref_conv_w(const struct step *s, struct pool *pool);
