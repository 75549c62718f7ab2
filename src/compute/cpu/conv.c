/* conv.c: the three forms of convolution as matrix products.
 *
 * With P the matrix of patches (conv_geom.h) and w a matrix [taps * cin, cout]:  y = P w;  P' = y w^T, added up
 * into x where patches overlap;  w = P^T y. Where P is x itself (most layers here: kernel equal to stride) that
 * is all; otherwise the blocks of P that the product loops ask for are gathered into L2 on the way, and blocks
 * of P' are scattered while they are still there, so P never exists in memory. */
#include "conv.h"
#include <string.h>
#include "conv_geom.h"
#include "gemm_core.h"

enum {
    SCATTER_FLOATS = 1 << 16, /* of a block of P' */
    SCATTER_ROWS = 192,
    SCATTER_CHUNKS = 16,
    ZERO_FLOATS = 1 << 18,    /* cleared by one chunk */
};

/* --- P, gathered --- */

struct patches { struct gather base; const struct conv_shape *s; const float *x; };

/* Runs are short where channels are few; a call to memcpy would cost more than the copy. */
static inline void copy(float *dst, const float *src, int n)
{
    for (; n >= 4; n -= 4, dst += 4, src += 4)
        memcpy(dst, src, 4 * sizeof *dst);
    for (; n > 0; n--)
        *dst++ = *src++;
}

static inline void clear(float *dst, int n)
{
    for (int i = 0; i < n; i++)
        dst[i] = 0;
}

/* Columns [from, to) of one line of the patch, to dst (which belongs to column `from`). */
static inline void gather_line(const struct patches *p, const struct conv_walk *w, int k1, int k2, int from, int to,
                               float *dst)
{
    struct conv_line line;
    if (!conv_line(w, k1, k2, &line)) {
        clear(dst, to - from);
        return;
    }
    const int begin = max_int(from, line.from), end = min_int(to, line.to);
    if (begin >= end) {
        clear(dst, to - from);
        return;
    }
    clear(dst, begin - from);
    copy(dst + (begin - from), p->x + line.at + begin, end - begin);
    clear(dst + (end - from), to - end);
}

static void gather_patches(const struct gather *g, int row, int rows, int col, int cols, float *dst, ptrdiff_t ld)
{
    const struct patches *p = (const struct patches *)g;
    const int length = p->s->geom.kernel[2] * p->s->cin, k2_count = p->s->geom.kernel[1];
    const int first = col / length, last = (col + cols - 1) / length;
    struct conv_walk w = conv_walk_at(p->s, row);
    for (; rows > 0; rows--, dst += ld, conv_walk_next(&w)) {
        float *to = dst;
        for (int l = first; l <= last; l++) {
            const int begin = l == first ? col - l * length : 0;
            const int end = l == last ? col + cols - l * length : length;
            gather_line(p, &w, l / k2_count, l % k2_count, begin, end, to);
            to += end - begin;
        }
    }
}

/* Sets A of the product: x itself or its patches. */
static void set_patches(struct product *p, struct patches *patches, const struct conv_shape *s, const float *x)
{
    if (conv_plain(s, &p->lda)) {
        p->a = x;
        return;
    }
    *patches = (struct patches){{gather_patches}, s, x};
    p->gather = &patches->base;
}

void conv_fwd_act(struct pool *pool, const struct conv_shape *s, const float *x, const float *w, float *y,
                  float *workspace, const struct gemm_epilogue *e)
{
    (void)workspace;
    struct patches patches;
    struct product p = {
        .m = conv_rows(s), .n = s->cout, .k = conv_columns(s), .b = w, .ldb = s->cout, .scale = 1, .c = y,
        .ldc = s->cout, .epilogue = e,
    };
    set_patches(&p, &patches, s, x);
    product_run(pool, &p);
}

void conv_fwd(struct pool *pool, const struct conv_shape *s, const float *x, const float *w, float *y, float *workspace)
{
    conv_fwd_act(pool, s, x, w, y, workspace, NULL);
}

void conv_bwd_weights(struct pool *pool, const struct conv_shape *s, const float *x, const float *y, float *w,
                      float *workspace)
{
    (void)workspace;
    struct patches patches;
    struct product p = {
        .m = conv_columns(s), .n = s->cout, .k = conv_rows(s), .a_cols = true, .b = y, .ldb = s->cout, .scale = 1,
        .c = w, .ldc = s->cout,
    };
    set_patches(&p, &patches, s, x);
    product_run(pool, &p);
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

static inline void put(float *x, const float *block, int n, bool add)
{
    if (add)
        for (int i = 0; i < n; i++)
            x[i] += block[i];
    else
        memcpy(x, block, (size_t)n * sizeof *x);
}

/* One row of P', all channels: lines of the patch. */
static void scatter_lines(const struct scatter *sc, const struct conv_walk *w, const float *row)
{
    const int32_t *k = sc->s->geom.kernel;
    const int length = k[2] * sc->s->cin;
    for (int k1 = 0; k1 < k[0]; k1++)
        for (int k2 = 0; k2 < k[1]; k2++, row += length) {
            struct conv_line line;
            if (conv_line(w, k1, k2, &line))
                put(sc->x + line.at + line.from, row + line.from, line.to - line.from, sc->add);
        }
}

/* One row of P', channels [c0, c0 + group): taps one by one. */
static void scatter_taps(const struct scatter *sc, const struct conv_walk *w, int c0, const float *row)
{
    const int32_t *k = sc->s->geom.kernel;
    const int cin = sc->s->cin, n = min_int(sc->group, cin - c0);
    for (int k1 = 0; k1 < k[0]; k1++)
        for (int k2 = 0; k2 < k[1]; k2++, row += (ptrdiff_t)k[2] * n) {
            struct conv_line line;
            if (!conv_line(w, k1, k2, &line))
                continue;
            for (int k3 = line.from / cin; k3 * cin < line.to; k3++)
                put(sc->x + line.at + k3 * cin + c0, row + (ptrdiff_t)k3 * n, n, sc->add);
        }
}

/* Rows [row, row + rows) of P' for the channels from c0 into the thread's scratch, then into x. */
static void scatter_block(const struct scatter *sc, int row, int rows, int c0)
{
    const struct conv_shape *s = sc->s;
    const int nr = ukr_get()->nr, n = min_int(sc->group, s->cin - c0), columns = conv_columns(s) / s->cin * n;
    float *block = scratch(SCRATCH_C, (size_t)rows * columns);
    struct product p = {
        .m = rows, .n = n, .k = s->cout, .a = sc->y + (ptrdiff_t)row * s->cout, .lda = s->cout, .b_packed = true,
        .scale = 1, .ldc = columns,
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
    for (int r = 0; r < rows; r++, conv_walk_next(&w)) {
        if (whole)
            scatter_lines(sc, &w, block + (ptrdiff_t)r * columns);
        else
            scatter_taps(sc, &w, c0, block + (ptrdiff_t)r * columns);
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

/* Chunks that write disjoint parts of x: outer positions as far as patches do not overlap along them, and, where
 * that is too few, ranges of channels (whole panels of the packed weights). */
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
    if (!disjoint || !conv_covers(s))
        zero_x(pool, s, x);
    ptrdiff_t ld;
    if (disjoint && conv_plain(s, &ld)) {
        product_run(pool, &(struct product){
            .m = conv_rows(s), .n = conv_columns(s), .k = s->cout, .a = y, .lda = s->cout, .b = w, .ldb = s->cout,
            .b_cols = true, .scale = 1, .c = x, .ldc = ld,
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
    if (which != CONV_DATA || (conv_disjoint(s) && conv_plain(s, &ld)))
        return 0;
    return product_packed_floats(s->cout, conv_columns(s));
}
