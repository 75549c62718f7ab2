/* conv.c: the three forms of convolution as matrix products.
 *
 * With P the matrix of patches (conv_geom.h) and w a matrix [taps * cin, cout]:  y = P w;  P' = y w^T,
 * added up into x where patches overlap;  w = P^T y. Where P is x itself (most layers here: kernel equal
 * to stride) that is all; otherwise the blocks of P that the product loops ask for are gathered into L2 on
 * the way, and blocks of P' are scattered while they are still there, so P never exists in memory. */
#include "conv.h"
#include <string.h>
#include "conv_geom.h"
#include "conv_parts.h"
#include "gemm_core.h"
#include "wino.h"

enum {
    SCATTER_FLOATS = 1 << 16, /* of a block of P' */
    SCATTER_ROWS = 192,
    SCATTER_CHUNKS = 16,
    ZERO_FLOATS = 1 << 18,    /* cleared by one chunk */
};

/* --- P, gathered --- */

struct patches { struct gather base; const struct conv_shape *s; const float *x; };

/* Columns [begin, end) of one line of one row's patch, which may stick out of the image. */
static void gather_line(const struct patches *p, const struct conv_walk *w, int k1, int k2, int begin,
                        int end, float *dst)
{
    struct conv_line line;
    memset(dst, 0, (size_t)(end - begin) * sizeof *dst);
    if (!conv_line(w, k1, k2, &line))
        return;
    const int from = max_int(begin, line.from), to = min_int(end, line.to);
    if (from < to)
        memcpy(dst + (from - begin), p->x + line.at + from, (size_t)(to - from) * sizeof *dst);
}

/* The same for `rows` neighbours along the innermost axis: those inside the image are copied as a block. */
static void gather_rows(const struct patches *p, struct conv_walk w, int rows, int k1, int k2, int begin,
                        int end, float *dst, ptrdiff_t ld)
{
    const struct conv_shape *s = p->s;
    const struct conv_span in = conv_inside(s, 0, s->geom.kernel[2], w.o[2], rows);
    struct conv_line line;
    for (int r = 0; r < rows; r++, w.o[2]++) {
        if (r == in.from && in.to > r && conv_line(&w, k1, k2, &line)) {
            ukr_get()->copy_rows(dst + r * ld, ld, p->x + line.at + begin,
                                 (ptrdiff_t)s->geom.stride[2] * s->cin, in.to - r, end - begin);
            w.o[2] += in.to - r - 1;
            r = in.to - 1;
        } else {
            gather_line(p, &w, k1, k2, begin, end, dst + r * ld);
        }
    }
}

static void gather_patches(const struct gather *g, int row, int rows, int col, int cols, float *dst,
                           ptrdiff_t ld)
{
    const struct patches *p = (const struct patches *)g;
    const int length = p->s->geom.kernel[2] * p->s->cin, k2_count = p->s->geom.kernel[1];
    const int first = col / length, last = (col + cols - 1) / length;
    struct conv_walk w = conv_walk_at(p->s, row);
    while (rows > 0) {
        const int n = min_int(rows, p->s->out[2] - w.o[2]);
        float *to = dst;
        for (int l = first; l <= last; l++) {
            const int begin = l == first ? col - l * length : 0;
            const int end = l == last ? col + cols - l * length : length;
            gather_rows(p, w, n, l / k2_count, l % k2_count, begin, end, to, ld);
            to += end - begin;
        }
        rows -= n;
        dst += n * ld;
        w.o[2] += n - 1;
        conv_walk_next(&w);
    }
}

/* Sets A of the product: x itself or its patches. */
static void set_patches(struct product *p, struct patches *patches, const struct conv_shape *s,
                        const float *x)
{
    if (conv_plain(s, &p->lda)) {
        p->a = x;
        return;
    }
    *patches = (struct patches){{gather_patches}, s, x};
    p->gather = &patches->base;
}

static void patches_forward(struct pool *pool, const struct conv_shape *s, const float *x, const float *w, float *y)
{
    struct patches patches;
    struct product p = {
        .m = conv_rows(s), .n = s->cout, .k = conv_columns(s), .b = w, .ldb = s->cout, .scale = 1, .c = y,
        .ldc = s->cout,
    };
    set_patches(&p, &patches, s, x);
    product_run(pool, &p);
}

void conv_fwd(struct pool *pool, const struct conv_shape *s, const float *x, const float *w, float *y,
              float *workspace)
{
    if (conv_thin(s))
        conv_taps_fwd(pool, s, x, w, y, workspace);
    else if (wino_fits(s))
        wino_fwd(pool, s, x, w, NULL, y, workspace);
    else
        patches_forward(pool, s, x, w, y);
}

size_t conv_packed_floats(const struct conv_shape *s)
{
    return wino_fits(s) ? wino_packed_floats(s) : 0;
}

void conv_pack(struct pool *pool, const struct conv_shape *s, const float *w, float *packed)
{
    wino_pack(pool, s, w, packed);
}

void conv_fwd_packed(struct pool *pool, const struct conv_shape *s, const float *x, const float *packed, float *y,
                     float *workspace)
{
    wino_fwd(pool, s, x, NULL, packed, y, workspace);
}

void conv_patches_times(struct pool *pool, const struct conv_shape *s, const float *x, const float *y, float *w)
{
    struct patches patches;
    struct product p = {
        .m = conv_columns(s), .n = s->cout, .k = conv_rows(s), .a_cols = true, .b = y, .ldb = s->cout,
        .scale = 1, .c = w, .ldc = s->cout,
    };
    set_patches(&p, &patches, s, x);
    product_run(pool, &p);
}

void conv_bwd_weights(struct pool *pool, const struct conv_shape *s, const float *x, const float *y, float *w,
                      float *workspace)
{
    if (conv_thin(s))
        conv_thin_weights(pool, s, x, y, w, workspace);
    else if (wino_fits(s))
        wino_weights(pool, s, x, y, w, workspace);
    else
        conv_patches_times(pool, s, x, y, w);
}

/* --- P' = y w^T, scattered --- */

struct scatter {
    const struct conv_shape *s;
    const float *y, *packed;  /* w^T, for all columns */
    float *x;
    int unit;                 /* rows of y whose patches no row of another unit touches */
    int units, per_chunk;
    int group, groups;        /* channels of a chunk */
    bool add;
};

/* Where a piece of P' goes: taps [k3, k3 + length) of line (k1, k2), `floats` of them from channel c0. */
struct piece { int k1, k2, k3, length, c0, floats; };

/* One piece of `rows` neighbours along the innermost axis, cut off where it sticks out of the image. */
static void scatter_piece(const struct scatter *sc, struct conv_walk w, int rows, const struct piece *p,
                          const float *block, ptrdiff_t ld)
{
    const struct conv_shape *s = sc->s;
    const struct ukr *u = ukr_get();
    const struct conv_span in = conv_inside(s, p->k3, p->length, w.o[2], rows);
    struct conv_line line;
    for (int r = 0; r < rows; r++, w.o[2]++) {
        const bool whole = r == in.from && in.to > r;
        const int n = whole ? in.to - r : 1, offset = p->k3 * s->cin + p->c0;
        if (conv_line(&w, p->k1, p->k2, &line)) {
            const int from = whole ? 0 : max_int(0, line.from - offset);
            const int to = whole ? p->floats : min_int(p->floats, line.to - offset);
            if (from < to)
                (sc->add ? u->add_rows : u->copy_rows)(sc->x + line.at + offset + from,
                                                       (ptrdiff_t)s->geom.stride[2] * s->cin,
                                                       block + r * ld + from, ld, n, to - from);
        }
        w.o[2] += n - 1;
        r += n - 1;
    }
}

/* All pieces of some neighbouring rows of P': lines of the patch, or, for a part of the channels, single
 * taps. */
static void scatter_rows(const struct scatter *sc, const struct conv_walk *w, int rows, int c0,
                         const float *block, ptrdiff_t ld)
{
    const int32_t *k = sc->s->geom.kernel;
    const bool whole = sc->groups == 1;
    struct piece p = {.length = whole ? k[2] : 1, .c0 = c0};
    p.floats = whole ? k[2] * sc->s->cin : min_int(sc->group, sc->s->cin - c0);
    for (p.k1 = 0; p.k1 < k[0]; p.k1++)
        for (p.k2 = 0; p.k2 < k[1]; p.k2++)
            for (p.k3 = 0; p.k3 < k[2]; p.k3 += p.length, block += p.floats)
                scatter_piece(sc, *w, rows, &p, block, ld);
}

/* Rows [row, row + rows) of P' for the channels from c0 into the thread's scratch, then into x. */
static void scatter_block(const struct scatter *sc, int row, int rows, int c0)
{
    const struct conv_shape *s = sc->s;
    const int nr = ukr_get()->nr, n = min_int(sc->group, s->cin - c0), columns = conv_columns(s) / s->cin * n;
    float *block = scratch(SCRATCH_C, (size_t)rows * columns);
    struct product p = {
        .m = rows, .n = n, .k = s->cout, .a = sc->y + (ptrdiff_t)row * s->cout, .lda = s->cout,
        .b_packed = true, .scale = 1, .ldc = columns,
    };
    const bool whole = sc->groups == 1;
    if (whole)
        p.n = columns;
    for (int from = 0; from < columns; from += p.n) {
        const int column = whole ? 0 : from / n * s->cin + c0;
        p.b = sc->packed + (ptrdiff_t)column / nr * nr * s->cout;
        p.c = block + from;
        product_run(NULL, &p);
    }
    struct conv_walk w = conv_walk_at(s, row);
    for (int r = 0, count; r < rows; r += count, conv_walk_next(&w)) {
        count = min_int(rows - r, s->out[2] - w.o[2]);
        scatter_rows(sc, &w, count, c0, block + (ptrdiff_t)r * columns, columns);
        w.o[2] += count - 1;
    }
}

static void scatter_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct scatter *sc = ctx;
    const int c0 = chunk % sc->groups * sc->group, u = chunk / sc->groups * sc->per_chunk;
    const int end = min_int(sc->units, u + sc->per_chunk) * sc->unit;
    const int mr = ukr_get()->mr;
    const int columns = conv_columns(sc->s) / sc->s->cin * sc->group;
    const int step = min_int(SCATTER_ROWS, max_int(1, SCATTER_FLOATS / columns / mr) * mr);
    for (int row = u * sc->unit; row < end; row += step)
        scatter_block(sc, row, min_int(step, end - row), c0);
}

/* Chunks that write disjoint parts of x: outer positions as far as patches do not overlap along them, and,
 * where that is too few, ranges of channels (whole panels of the packed weights). */
static void cut_scatter(struct scatter *sc)
{
    const struct conv_shape *s = sc->s;
    const int nr = ukr_get()->nr;
    sc->unit = s->out[0] * s->out[1] * s->out[2];
    sc->units = s->n;
    for (int a = 0; a < 3 && (s->out[a] == 1 || s->geom.stride[a] >= s->geom.kernel[a]); a++) {
        sc->unit /= s->out[a];
        sc->units *= s->out[a];
    }
    sc->group = s->cin;
    if (s->n < SCATTER_CHUNKS && s->cin % nr == 0)
        sc->group = max_int(nr, s->cin * s->n / SCATTER_CHUNKS / nr * nr);
    sc->groups = div_up(s->cin, sc->group);
    if (sc->groups > 1) { /* thin row blocks would read the weights again and again */
        sc->unit *= sc->units / s->n;
        sc->units = s->n;
    }
    sc->per_chunk = max_int(1, min_int(sc->units / SCATTER_CHUNKS, SCATTER_ROWS / sc->unit));
}

struct zero { float *x; size_t n; };

static void zero_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct zero *z = ctx;
    const size_t from = (size_t)chunk * ZERO_FLOATS;
    memset(z->x + from, 0, (z->n - from < ZERO_FLOATS ? z->n - from : ZERO_FLOATS) * sizeof *z->x);
}

static void zero_x(struct pool *pool, const struct conv_shape *s, float *x)
{
    struct zero z = {x, conv_size_x(s)};
    pool_run(pool, (int)((z.n + ZERO_FLOATS - 1) / ZERO_FLOATS), zero_chunk, &z);
}

void conv_bwd_data(struct pool *pool, const struct conv_shape *s, const float *y, const float *w, float *x,
                   float *workspace)
{
    const bool disjoint = conv_disjoint(s);
    if (conv_flips(s)) {
        conv_flip_data(pool, s, y, w, x, workspace);
        return;
    }
    if (!disjoint || !conv_covers(s))
        zero_x(pool, s, x);
    ptrdiff_t ld;
    if (disjoint && conv_plain(s, &ld)) {
        product_run(pool, &(struct product){
            .m = conv_rows(s), .n = conv_columns(s), .k = s->cout, .a = y, .lda = s->cout, .b = w,
            .ldb = s->cout, .b_cols = true, .scale = 1, .c = x, .ldc = ld,
        });
        return;
    }
    product_pack_b(pool, s->cout, conv_columns(s), w, s->cout, true, workspace);
    struct scatter sc = {.s = s, .y = y, .packed = workspace, .x = x, .add = !disjoint};
    cut_scatter(&sc);
    pool_run(pool, div_up(sc.units, sc.per_chunk) * sc.groups, scatter_chunk, &sc);
}

size_t conv_workspace(const struct conv_shape *s, int which)
{
    ptrdiff_t ld;
    if (which == CONV_FWD)
        return conv_thin(s) ? conv_taps_workspace(s) : wino_fits(s) ? wino_workspace(s, CONV_FWD) : 0;
    if (which == CONV_WEIGHTS)
        return conv_thin(s) ? conv_weights_floats(s) : wino_fits(s) ? wino_workspace(s, CONV_WEIGHTS) : 0;
    if (conv_flips(s))
        return conv_flip_workspace(s);
    return conv_disjoint(s) && conv_plain(s, &ld) ? 0 : product_packed_floats(s->cout, conv_columns(s));
}
