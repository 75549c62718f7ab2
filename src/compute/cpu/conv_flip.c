/* conv_flip.c: convolutions of stride 1 the other way round. Their adjoint in x is a convolution of y with the taps in
 * reverse and channels exchanged, which gathers where the general form scatters. With few outputs y is so thin that its
 * patches are the ones to gather for the weights too. */
#include <string.h>
#include "conv_geom.h"
#include "conv_parts.h"
#include "gemm_core.h"

enum { THIN = 4, SQUARE = 16 };   /* channels of a y worth gathering patches of instead of x; see flip */

static int taps_of(const struct conv_shape *s)
{
    return s->geom.kernel[0] * s->geom.kernel[1] * s->geom.kernel[2];
}

bool conv_flips(const struct conv_shape *s)
{
    const int32_t *stride = s->geom.stride;
    return stride[0] == 1 && stride[1] == 1 && stride[2] == 1 && !conv_disjoint(s);
}

bool conv_thin(const struct conv_shape *s)
{
    return conv_flips(s) && s->cout <= THIN && s->cin > s->cout;
}

/* From y to x. */
static struct conv_shape flipped(const struct conv_shape *s)
{
    struct conv_shape f = *s;
    f.cin = s->cout;
    f.cout = s->cin;
    memcpy(f.in, s->out, sizeof f.in);
    memcpy(f.out, s->in, sizeof f.out);
    for (int a = 0; a < 3; a++) {
        f.geom.lo[a] = s->geom.kernel[a] - 1 - s->geom.lo[a];
        f.geom.hi[a] = s->geom.kernel[a] - 1 - s->geom.hi[a];
    }
    return f;
}

size_t conv_flip_workspace(const struct conv_shape *s)
{
    const struct conv_shape f = flipped(s);
    return conv_weights_floats(s) + conv_workspace(&f, CONV_FWD);
}

/* dst [taps reversed, b, a] = src [taps, a, b], in squares that stay in the cache. */
struct flip { int taps, a, b, strips; const float *src; float *dst; };

static void flip_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct flip *f = ctx;
    const int tap = chunk / f->strips, from = chunk % f->strips * SQUARE, to = min_int(f->a, from + SQUARE);
    const float *src = f->src + (size_t)tap * f->a * f->b;
    float *dst = f->dst + (size_t)(f->taps - 1 - tap) * f->a * f->b;
    for (int j0 = 0; j0 < f->b; j0 += SQUARE)
        for (int j = j0; j < min_int(f->b, j0 + SQUARE); j++)
            for (int i = from; i < to; i++)
                dst[(size_t)j * f->a + i] = src[(size_t)i * f->b + j];
}

static void flip(struct pool *pool, const struct conv_shape *s, int a, int b, const float *src, float *dst)
{
    struct flip f = {taps_of(s), a, b, div_up(a, SQUARE), src, dst};
    pool_run(pool, f.taps * f.strips, flip_chunk, &f);
}

size_t conv_weights_floats(const struct conv_shape *s)
{
    return ((size_t)taps_of(s) * s->cin * s->cout + 15) / 16 * 16;
}

void conv_flip_data(struct pool *pool, const struct conv_shape *s, const float *y, const float *w, float *x,
                    float *workspace)
{
    const struct conv_shape f = flipped(s);
    flip(pool, s, s->cin, s->cout, w, workspace);
    conv_fwd(pool, &f, y, workspace, x, workspace + conv_weights_floats(s));
}

void conv_thin_weights(struct pool *pool, const struct conv_shape *s, const float *x, const float *y, float *w,
                       float *workspace)
{
    const struct conv_shape f = flipped(s);
    conv_patches_times(pool, &f, y, x, workspace);
    flip(pool, s, s->cout, s->cin, workspace, w);
}
