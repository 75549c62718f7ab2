/* ukr.h: the micro-kernel contract. One source (ukr_tile.h, in GCC vector extensions) is compiled once per
 * instruction set; gemm.c and conv.c build every product from the row of this table that fits the machine.
 *
 * A tile is up to mr x nr of C. Each of its elements is one chain of multiply-adds over k in rising order,
 * started from beta * C (or 0) and scaled at the end; so how the caller cuts m, n and k into tiles does not
 * change a bit of the result, and a row's bits do not depend on the rows beside it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "cpuid.h"

enum { UKR_NR_MAX = 32, UKR_MR_MAX = 12, UKR_WIDE = 4 };

struct ukr_tile {
    const float *a;          /* element (i, p) at a[i * a_row + p * a_col] */
    ptrdiff_t a_row, a_col;
    const float *b;          /* element (p, j) at b[p * b_row + j], and panels of nr columns b_panel apart */
    ptrdiff_t b_row, b_panel;
    float *c;
    ptrdiff_t c_row;
    int m, n, k;             /* 1 <= m <= mr; 1 <= n <= nr, or exactly wide(m) * nr */
    float beta, scale;
    const float *bias;       /* of these n columns, or NULL */
    bool leaky;              /* x > 0 ? x : slope * x, after the bias */
    float slope;
};

/* c[i, j] = row i of a . row j of b, sums in another order than a tile's. */
struct ukr_dots {
    const float *a, *b;
    ptrdiff_t a_row, b_row;
    float *c;
    ptrdiff_t c_row;
    int m, n, k;
};

struct ukr {
    int mr, nr;
    void (*run)(const struct ukr_tile *t);
    int (*wide)(int m);      /* panels one call may take at m rows */
    /* dst[p * nr + j] = src[j * ld + p], columns beyond n zero: a panel of a transposed B. */
    void (*pack_t)(int n, int k, const float *src, ptrdiff_t ld, float *dst);
    /* dst[(i / mr * k + p) * mr + i % mr] = src[p * ld + i]: row tiles of a transposed A. */
    void (*pack_a)(int m, int k, const float *src, ptrdiff_t ld, float *dst);
    float (*dot)(const float *a, const float *b, size_t n);
    void (*dots)(const struct ukr_dots *t);
    /* n floats of each of some rows. */
    void (*copy_rows)(float *dst, ptrdiff_t dst_row, const float *src, ptrdiff_t src_row, int rows, int n);
    void (*add_rows)(float *dst, ptrdiff_t dst_row, const float *src, ptrdiff_t src_row, int rows, int n);
    double (*fma_flops)(long rounds); /* runs a chain of independent multiply-adds, returns their count */
};

extern const struct ukr ukr_generic, ukr_avx2, ukr_avx512;
const struct ukr *ukr_for(enum isa isa);
const struct ukr *ukr_get(void); /* of cpu_isa() */
