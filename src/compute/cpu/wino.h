/* wino.h: convolutions of 3 x 3 taps and stride 1 in the Winograd domain: F(4x4, 3x3) of Lavin and Gray (2016). A tile
 * of 4 x 4 outputs costs 36 multiplications a channel pair where the definition has 144, in all three passes. Private
 * to conv*.c. */
#pragma once
#include "conv.h"

/* Channels in whole vectors, images in which not too much of the tiles is waste. */
bool wino_fits(const struct conv_shape *s);
size_t wino_workspace(const struct conv_shape *s, enum conv_pass pass);   /* CONV_FWD or CONV_WEIGHTS */
/* `packed` are the weights as wino_pack leaves them, or NULL: then they are transformed into the workspace. */
void wino_fwd(struct pool *pool, const struct conv_shape *s, const float *x, const float *w, const float *packed,
              float *y, float *workspace);
void wino_weights(struct pool *pool, const struct conv_shape *s, const float *x, const float *y, float *w,
                  float *workspace);
size_t wino_packed_floats(const struct conv_shape *s);
void wino_pack(struct pool *pool, const struct conv_shape *s, const float *w, float *packed);
