/* conv_parts.h: the special forms of convolution that conv.c chooses from. Private to conv*.c. */
#pragma once
#include "conv.h"

size_t conv_weights_floats(const struct conv_shape *s);   /* of all weights, rounded up to a cache line */

/* w [kernel, cin, cout] = patches of x transposed times y: the weight gradient by its definition. */
void conv_patches_times(struct pool *pool, const struct conv_shape *s, const float *x, const float *y, float *w);

/* conv_flip.c: stride 1 */
bool conv_flips(const struct conv_shape *s);
size_t conv_flip_workspace(const struct conv_shape *s);
void conv_flip_data(struct pool *pool, const struct conv_shape *s, const float *y, const float *w, float *x,
                    float *workspace);
bool conv_thin(const struct conv_shape *s);               /* and few outputs */
void conv_thin_weights(struct pool *pool, const struct conv_shape *s, const float *x, const float *y, float *w,
                       float *workspace);                 /* conv_weights_floats of workspace */

/* conv_taps.c: stride 1, few outputs: forward */
size_t conv_taps_workspace(const struct conv_shape *s);
void conv_taps_fwd(struct pool *pool, const struct conv_shape *s, const float *x, const float *w, float *y,
                   float *workspace);
