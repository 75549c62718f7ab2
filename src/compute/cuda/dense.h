/* dense.h: launchers of products, convolutions and the optimiser's loops, in C; see launch.h. */
#pragma once
#include "../cpu/conv.h"
#include "flat.h"
#include "launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* C[m,n] = A B, `count` times; A is [m,k] or, with ta, [k,m], B [k,n] or, with tb, [n,k]; rows ld apart. A stride
 * of 0: the same factor in all. */
struct product {
    int m, n, k, count;
    bool ta, tb;
    size_t lda, ldb, ldc, stride_a, stride_b, stride_c;
};

/* product.cu: tiles in shared memory, fp32. */
void cu_product(const struct product *p, const float *a, const float *b, float *c);
/* y [rows, n], in place; bias [n] or NULL. */
void cu_bias_act(float *y, const float *bias, size_t rows, int n, enum act act, float slope);

/* conv.cu: the same tiles over patches that nobody writes out. Workspace: floats that the pass needs. */
size_t cu_conv_workspace(const struct conv_shape *s, enum conv_pass pass);
void cu_conv(const struct conv_shape *s, const float *x, const float *w, float *y, float *work);
void cu_conv_t(const struct conv_shape *s, const float *y, const float *w, float *x);
void cu_conv_w(const struct conv_shape *s, const float *x, const float *y, float *w, float *work);

/* wino.cu: the transforms of F(4x4, 3x3). u [36, cin, cout], v [36, tiles, cin], m [36, tiles, cout]; `back`: taps in
 * reverse and cin and cout exchanged, w [9, cout, cin]. */
enum { CU_WINO_OUT = 4, CU_WINO_IN = 6, CU_WINO_PLACES = 36 };
void cu_wino_weights(const float *w, int cin, int cout, bool back, float *u);
void cu_wino_taps(const float *u, int cin, int cout, float *w);
void cu_wino_input(const float *x, int images, int height, int width, int channels, int top, int left, int rows, int cols,
                   float *v);
void cu_wino_output(const float *m, int images, int height, int width, int channels, int rows, int cols, float *y);
void cu_wino_gradient(const float *y, int images, int height, int width, int channels, int rows, int cols, float *m);

/* flat.cu. `scale`: a factor of the gradients on the device, or NULL. */
void cu_adam(float *w, const float *g, float *m, float *v, size_t n, const struct flat_step *s, const float *scale);
void cu_sgd(float *w, const float *g, float *m, size_t n, const struct flat_step *s, const float *scale);
void cu_blend(float *average, const float *w, size_t n, float decay);
void cu_swap(float *a, float *b, size_t n);
/* The sum of squares into *sum; with most > 0 also the factor min(1, most / norm) into *scale. partial: CU_PARTIALS. */
enum { CU_PARTIALS = 1024 };
void cu_norm2(const float *g, size_t n, double *partial, double *sum, float most, float *scale);

#ifdef __cplusplus
}
#endif
