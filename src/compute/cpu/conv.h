/* conv.h: convolution and its two adjoints over up to three spatial axes, channels-last (see g_conv in
 * graph.h): x [n, in, cin], w [kernel, cin, cout], y [n, out, cout]. Each form overwrites its result. */
#pragma once
#include <stddef.h>
#include "gemm.h"
#include "graph.h"
#include "pool.h"

struct conv_shape {
    int n;         /* images */
    int in[3];     /* spatial size of x */
    int out[3];    /* spatial size of y: (in + lo + hi - kernel) / stride + 1 */
    int cin, cout;
    struct geom geom;
};

enum conv_pass { CONV_FWD, CONV_DATA, CONV_WEIGHTS };

/* Floats of workspace the pass needs (0 is possible); 64-byte aligned. */
size_t conv_workspace(const struct conv_shape *s, int which);
void conv_fwd(struct pool *p, const struct conv_shape *s, const float *x, const float *w, float *y,
              float *workspace);
/* Constant weights, transformed once: how many floats (0: nothing to gain), and the same with them. */
size_t conv_packed_floats(const struct conv_shape *s);
void conv_pack(struct pool *p, const struct conv_shape *s, const float *w, float *packed);
void conv_fwd_packed(struct pool *p, const struct conv_shape *s, const float *x, const float *packed, float *y,
                     float *workspace);
/* y, w -> x: transposed convolution. */
void conv_bwd_data(struct pool *p, const struct conv_shape *s, const float *y, const float *w, float *x,
                   float *workspace);
/* x, y -> w. */
void conv_bwd_weights(struct pool *p, const struct conv_shape *s, const float *x, const float *y, float *w,
                      float *workspace);
