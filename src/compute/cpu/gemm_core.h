/* gemm_core.h: the loops around the micro-kernel, shared by matrix products and convolutions. Private to
 * gemm*.c and conv*.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "gemm.h"
#include "ukr.h"

/* A that exists only as a rule (patches of an image): writes elements [row, row + rows) x [col, col +
 * cols) of the gathered matrix to dst, rows ld apart. */
struct gather {
    void (*fn)(const struct gather *g, int row, int rows, int col, int cols, float *dst, ptrdiff_t ld);
};

/* C[m,n] = scale * A[m,k] B[k,n] + beta C, then the epilogue. */
struct product {
    int m, n, k;
    const struct gather *gather; /* A, or its transpose where a_cols is set; or NULL and: */
    const float *a;              /* element (i, p) at a[i * lda + p], or a[p * lda + i] where a_cols is set */
    ptrdiff_t lda;
    bool a_cols;
    const float *b;              /* element (p, j) at b[p * ldb + j], or b[j * ldb + p] where b_cols is, */
    ptrdiff_t ldb;
    bool b_cols, b_packed;       /* or packed by product_pack_b */
    float beta, scale;
    float *c;
    ptrdiff_t ldc;
    const struct gemm_epilogue *epilogue;
};

void product_run(struct pool *pool, const struct product *p);

/* Special cases, tried first; false: not one of them, nothing was done. */
bool product_dots(struct pool *pool, const struct product *p);      /* few rows or one column; k contiguous */
bool product_row_times(struct pool *pool, const struct product *p); /* one column, A stored by columns */

/* Panels of nr columns, each k rows of nr floats; packed has product_packed_floats(k, n). */
size_t product_packed_floats(int k, int n);
void product_pack_b(struct pool *pool, int k, int n, const float *b, ptrdiff_t ldb, bool b_cols,
                    float *packed);

/* A thread's own buffers, 64-byte aligned, grown on demand and kept until the thread ends. */
enum scratch_slot { SCRATCH_A, SCRATCH_B, SCRATCH_C, SCRATCH_PARTS, N_SCRATCH };
float *scratch(enum scratch_slot slot, size_t floats);

static inline int div_up(int a, int b)
{
    return (int)(((long)a + b - 1) / b);
}

static inline int min_int(int a, int b)
{
    return a < b ? a : b;
}

static inline int max_int(int a, int b)
{
    return a > b ? a : b;
}
