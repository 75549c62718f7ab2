/* gemm.h: single-precision matrix products, row-major: C[m,n] = op(A)[m,k] op(B)[k,n] + beta C, then the
 * epilogue. op is the transpose where ta or tb is set; lda, ldb and ldc are row strides of the matrices as
 * stored (before the transpose) and may exceed the width. C must not overlap A or B. beta is 0 or 1 in
 * practice, any number works; with beta 0 the old C is never read, so it may hold NaN.
 *
 * Results repeat: the same call with the same shapes gives the same bits with any number of threads, and a
 * row of gemm_packed has the same bits whatever rows are beside it.
 *
 * Each thread keeps one scratch buffer for packing, taken on its first large product and kept until the
 * thread ends; nothing is allocated afterwards. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "graph.h"
#include "pool.h"

/* Applied after the product: c = act(c + bias[column]). bias may be NULL. */
struct gemm_epilogue {
    const float *bias;
    enum act act;
    float slope; /* of ACT_LEAKY */
};

void gemm(struct pool *p, bool ta, bool tb, int m, int n, int k, const float *a, int lda, const float *b,
          int ldb, float beta, float *c, int ldc, const struct gemm_epilogue *e);

/* `count` products of the same shape; sa, sb, sc are the distances between consecutive matrices in floats
 * (0 for a shared one), rows are tightly packed (or see gemm_batch_ld). C = scale * op(A) op(B) + beta C. */
void gemm_batch(struct pool *p, int count, bool ta, bool tb, int m, int n, int k, const float *a, size_t sa,
                const float *b, size_t sb, float beta, float *c, size_t sc, float scale);

/* The same with row strides, and over two nested counts: samples, then heads that lie within a row. */
struct gemm_strides { size_t outer, inner; int ld; };
void gemm_batch_ld(struct pool *p, int outer, int inner, bool ta, bool tb, int m, int n, int k,
                   const float *a, struct gemm_strides sa, const float *b, struct gemm_strides sb, float beta,
                   float *c, struct gemm_strides sc, float scale);

/* Constant right-hand sides, packed once: op(B)[k,n] into gemm_packed_floats(k, n) floats, 64-byte
 * aligned. */
size_t gemm_packed_floats(int k, int n);
void gemm_pack(bool tb, int k, int n, const float *b, int ldb, float *packed);
void gemm_packed(struct pool *p, int m, int n, int k, const float *a, int lda, const float *packed, float *c,
                 int ldc, const struct gemm_epilogue *e);
