/* conv_taps.c: convolutions of stride 1 with few outputs, taps as rows of a product. A row of patches times one column
 * of weights reads each input once a tap and keeps a vector unit busy with one lane in nr; instead every tap's weights
 * meet every position once, Z [taps, positions] = w x^T, and the outputs are sums of shifted rows of Z. */
#include <string.h>
#include "conv_geom.h"
#include "conv_parts.h"
#include "gemm_core.h"

enum { BAND = 16, STRIP = 512 };   /* lines of output a chunk; positions of a product */

struct taps {
    const struct conv_shape *s;
    const float *x, *w;               /* w [taps, cout, cin] */
    float *y;
    int lines, bands;                 /* of output an image; chunks an image */
};

/* Adds what input line (i1, i2) of image n gives to output lines [from, to); z [taps, cout] rows `ld` apart. */
static void add_line(const struct taps *t, int n, int i1, int i2, int from, int to, const float *z, ptrdiff_t ld)
{
    const struct conv_shape *s = t->s;
    const struct geom *g = &s->geom;
    const int width = s->in[2], out = s->out[2];
    for (int k1 = 0; k1 < g->kernel[0]; k1++)
        for (int k2 = 0; k2 < g->kernel[1]; k2++) {
            const int o1 = i1 + g->lo[0] - k1, o2 = i2 + g->lo[1] - k2, line = o1 * s->out[1] + o2;
            if (o1 < 0 || o1 >= s->out[0] || o2 < 0 || o2 >= s->out[1] || line < from || line >= to)
                continue;
            float *y = t->y + ((ptrdiff_t)n * t->lines + line) * out * s->cout;
            for (int k3 = 0; k3 < g->kernel[2]; k3++) {
                const int shift = k3 - g->lo[2], tap = (k1 * g->kernel[1] + k2) * g->kernel[2] + k3;
                const int first = max_int(0, -shift), last = min_int(out, width - shift);
                for (int c = 0; c < s->cout; c++) {
                    const float *row = z + (tap * s->cout + c) * ld + shift;
                    if (s->cout == 1)
                        for (int o = first; o < last; o++)
                            y[o] += row[o];
                    else
                        for (int o = first; o < last; o++)
                            y[(ptrdiff_t)o * s->cout + c] += row[o];
                }
            }
        }
}

/* Lines [from, to) of one image's output, from all input lines they see, some at a time. */
static void band_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct taps *t = ctx;
    const struct conv_shape *s = t->s;
    const int n = chunk / t->bands, from = chunk % t->bands * BAND, to = min_int(t->lines, from + BAND);
    const int taps = conv_columns(s) / s->cin * s->cout, width = s->in[2];
    const int in_lines = s->in[0] * s->in[1], some = max_int(1, STRIP / width);
    /* Of a lone plane only some lines matter. */
    const bool plane = s->in[0] == 1 && s->out[0] == 1 && s->geom.kernel[0] == 1 && s->geom.lo[0] == 0;
    const int begin = plane ? max_int(0, from - s->geom.lo[1]) : 0;
    const int end = plane ? min_int(in_lines, to - s->geom.lo[1] + s->geom.kernel[1] - 1) : in_lines;
    float *z = scratch(SCRATCH_C, (size_t)taps * (size_t)some * (size_t)width);
    memset(t->y + ((ptrdiff_t)n * t->lines + from) * s->out[2] * s->cout, 0,
           (size_t)(to - from) * s->out[2] * s->cout * sizeof *t->y);
    for (int line = begin; line < end; line += some) {
        const int lines = min_int(some, end - line);
        const ptrdiff_t ld = (ptrdiff_t)lines * width;
        product_run(NULL, &(struct product){
            .m = taps, .n = lines * width, .k = s->cin, .a = t->w, .lda = s->cin,
            .b = t->x + ((ptrdiff_t)n * in_lines + line) * width * s->cin, .ldb = s->cin, .b_cols = true,
            .scale = 1, .c = z, .ldc = ld,
        });
        for (int l = 0; l < lines; l++)
            add_line(t, n, (line + l) / s->in[1], (line + l) % s->in[1], from, to, z + l * width, ld);
    }
}

size_t conv_taps_workspace(const struct conv_shape *s)
{
    return conv_weights_floats(s);
}

void conv_taps_fwd(struct pool *pool, const struct conv_shape *s, const float *x, const float *w, float *y,
                   float *workspace)
{
    struct taps t = {.s = s, .x = x, .w = workspace, .y = y, .lines = s->out[0] * s->out[1]};
    const int taps = conv_columns(s) / s->cin;
    for (int k = 0; k < taps; k++)
        for (int i = 0; i < s->cin; i++)
            for (int c = 0; c < s->cout; c++)
                workspace[((size_t)k * s->cout + c) * s->cin + i] = w[((size_t)k * s->cin + i) * s->cout + c];
    t.bands = div_up(t.lines, BAND);
    pool_run(pool, s->n * t.bands, band_chunk, &t);
}
