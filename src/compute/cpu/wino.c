/* wino.c: see wino.h. Four transforms, each a product with one small matrix from both sides:
 *
 *     forward    y = At [ (G w Gt) . (Bt x B) ] A      over tiles, the dot a product over channels
 *     weights    w = Gt [ (Bt x B) . (A y At) ] G      the dot a product over tiles
 *
 * The pass from y to x is the forward one with the taps in reverse (conv_flip.c). All go by vectors of channels; in
 * between lie 36 products, one for each place of a tile, over as many tiles at a time as the last-level cache likes. */
#include "wino.h"
#include <string.h>
#include "conv_geom.h"
#include "cpu.h"
#include "gemm_core.h"

enum { OUT = 4, IN = 6, TAPS = 3, PLACES = IN * IN, GROUP = 144, ROWS = 48, PART = 8 };

struct wino {
    const struct conv_shape *s;
    int images, rows, cols;           /* tiles down and across an image */
    int tiles;                        /* in all */
    int first, n;                     /* of the group in work */
    const float *x, *y_in, *w, *packed;
    float *u, *v, *m, *y, *w_out;     /* transformed weights; inputs; outputs [PLACES][n][channels] */
    bool begun;                       /* sums over tiles have begun */
};

static struct wino wino_of(const struct conv_shape *s)
{
    struct wino j = {.s = s, .images = s->n * s->out[0]};
    j.rows = div_up(s->out[1], OUT);
    j.cols = div_up(s->out[2], OUT);
    j.tiles = j.images * j.rows * j.cols;
    return j;
}

bool wino_fits(const struct conv_shape *s)
{
    static const int least = 32;      /* channels: below, transforms cost more than they save */
    const struct geom *g = &s->geom;
    const struct wino j = wino_of(s);
    bool form = g->kernel[0] == 1 && g->kernel[1] == TAPS && g->kernel[2] == TAPS && g->stride[0] == 1 &&
                g->stride[1] == 1 && g->stride[2] == 1 && g->lo[0] == 0 && g->hi[0] == 0;
    bool panels = ukr_get()->nr % ROW_LANES == 0; /* a vector lies in one */
    bool channels = panels && s->cin % ROW_LANES == 0 && s->cout % ROW_LANES == 0 && s->cin >= least && s->cout >= least;
    return form && channels && 3 * s->out[1] * s->out[2] >= 2 * j.rows * j.cols * OUT * OUT;
}

/* ---- transforms of six, four and three values ---- */

typedef lanes six[IN];

#define WINO_FN INLINE
#define WINO_VALUE lanes
#include "../winograd.h"

/* One of them from both sides: the columns of a block, then its rows. */
#define BOTH_SIDES(name, one, n_in)                                  \
    INLINE void name(six d[IN])                                      \
    {                                                                \
        six column[IN], t;                                           \
        for (int j = 0; j < n_in; j++) {                             \
            for (int i = 0; i < n_in; i++)                           \
                t[i] = d[i][j];                                      \
            one(t, column[j]);                                       \
        }                                                            \
        for (int i = 0; i < IN; i++) {                               \
            for (int j = 0; j < n_in; j++)                           \
                t[j] = column[j][i];                                 \
            one(t, d[i]);                                            \
        }                                                            \
    }
BOTH_SIDES(input_block, to_input, IN)
BOTH_SIDES(output_block, to_output, IN)
BOTH_SIDES(gradient_block, from_output, OUT)
BOTH_SIDES(weights_block, to_weights, TAPS)
BOTH_SIDES(taps_block, from_weights, IN)

/* ---- tiles ---- */

struct place { int image, row, col; }; /* of a tile; row and col in outputs */

static struct place place_of(const struct wino *j, int tile)
{
    int per_image = j->rows * j->cols;
    return (struct place){tile / per_image, tile % per_image / j->cols * OUT, tile % j->cols * OUT};
}

/* Channels c.. of a block of an image [height, width, channels] with its corner at (row, col); zeros outside. */
INLINE void load_block(const float *image, int height, int width, int channels, int row, int col, int side, int c,
                       six d[IN])
{
    for (int i = 0; i < side; i++)
        for (int k = 0; k < side; k++) {
            int r = row + i, q = col + k;
            bool inside = r >= 0 && r < height && q >= 0 && q < width;
            d[i][k] = inside ? *(const lanes *)(image + ((ptrdiff_t)r * width + q) * channels + c) : (lanes){0};
        }
}

INLINE void store_places(six d[IN], float *dst, ptrdiff_t apart)
{
    for (int i = 0; i < IN; i++)
        for (int k = 0; k < IN; k++)
            *(lanes *)(dst + (i * IN + k) * apart) = d[i][k];
}

SIMD static void input_tiles(const struct wino *j, int from, int to)
{
    const struct conv_shape *s = j->s;
    for (int t = from; t < to; t++) {
        struct place p = place_of(j, j->first + t);
        const float *image = j->x + (ptrdiff_t)p.image * s->in[1] * s->in[2] * s->cin;
        for (int c = 0; c < s->cin; c += ROW_LANES) {
            six d[IN];
            load_block(image, s->in[1], s->in[2], s->cin, p.row - s->geom.lo[1], p.col - s->geom.lo[2], IN, c, d);
            input_block(d);
            store_places(d, j->v + (ptrdiff_t)t * s->cin + c, (ptrdiff_t)j->n * s->cin);
        }
    }
}

SIMD static void gradient_tiles(const struct wino *j, int from, int to)
{
    const struct conv_shape *s = j->s;
    for (int t = from; t < to; t++) {
        struct place p = place_of(j, j->first + t);
        const float *image = j->y_in + (ptrdiff_t)p.image * s->out[1] * s->out[2] * s->cout;
        for (int c = 0; c < s->cout; c += ROW_LANES) {
            six d[IN];
            load_block(image, s->out[1], s->out[2], s->cout, p.row, p.col, OUT, c, d);
            gradient_block(d);
            store_places(d, j->m + (ptrdiff_t)t * s->cout + c, (ptrdiff_t)j->n * s->cout);
        }
    }
}

SIMD static void output_tiles(const struct wino *j, int from, int to)
{
    const struct conv_shape *s = j->s;
    const ptrdiff_t apart = (ptrdiff_t)j->n * s->cout;
    for (int t = from; t < to; t++) {
        struct place p = place_of(j, j->first + t);
        float *image = j->y + (ptrdiff_t)p.image * s->out[1] * s->out[2] * s->cout;
        int rows = min_int(OUT, s->out[1] - p.row), cols = min_int(OUT, s->out[2] - p.col);
        for (int c = 0; c < s->cout; c += ROW_LANES) {
            const float *m = j->m + (ptrdiff_t)t * s->cout + c;
            six d[IN];
            for (int i = 0; i < PLACES; i++)
                d[i / IN][i % IN] = *(const lanes *)(m + i * apart);
            output_block(d);
            for (int i = 0; i < rows; i++)
                for (int k = 0; k < cols; k++)
                    *(lanes *)(image + ((ptrdiff_t)(p.row + i) * s->out[2] + p.col + k) * s->cout + c) = d[i][k];
        }
    }
}

static void input_chunk(void *ctx, int chunk, int worker)
{
    const struct wino *j = ctx;
    (void)worker;
    input_tiles(j, chunk * PART, min_int(j->n, (chunk + 1) * PART));
}

static void output_chunk(void *ctx, int chunk, int worker)
{
    const struct wino *j = ctx;
    (void)worker;
    output_tiles(j, chunk * PART, min_int(j->n, (chunk + 1) * PART));
}

static void both_chunk(void *ctx, int chunk, int worker)
{
    const struct wino *j = ctx;
    input_chunk(ctx, chunk, worker);
    gradient_tiles(j, chunk * PART, min_int(j->n, (chunk + 1) * PART));
}

/* ---- weights ---- */

static size_t place_floats(const struct conv_shape *s)
{
    return product_packed_floats(s->cin, s->cout);
}

size_t wino_packed_floats(const struct conv_shape *s)
{
    return PLACES * place_floats(s);
}

/* Rows of input channels, every vector of outputs where a product looks for it. */
SIMD static void weight_rows(const struct wino *j, int from, int to)
{
    const struct conv_shape *s = j->s;
    const int nr = ukr_get()->nr;
    const size_t tap = (size_t)s->cin * s->cout;
    for (int p = from; p < to; p++)
        for (int c = 0; c < s->cout; c += ROW_LANES) {
            const float *w = j->w + (size_t)p * s->cout + c;
            six d[IN];
            for (int i = 0; i < TAPS * TAPS; i++)
                d[i / TAPS][i % TAPS] = *(const lanes *)(w + (size_t)i * tap);
            weights_block(d);
            store_places(d, j->u + (ptrdiff_t)(c / nr) * nr * s->cin + p * nr + c % nr, (ptrdiff_t)place_floats(s));
        }
}

static void weight_chunk(void *ctx, int chunk, int worker)
{
    const struct wino *j = ctx;
    (void)worker;
    weight_rows(j, chunk * PART, min_int(j->s->cin, (chunk + 1) * PART));
}

static void pack(struct pool *pool, struct wino *j)
{
    if (j->s->cout % ukr_get()->nr)
        memset(j->u, 0, wino_packed_floats(j->s) * sizeof *j->u);
    pool_run(pool, div_up(j->s->cin, PART), weight_chunk, j);
}

void wino_pack(struct pool *pool, const struct conv_shape *s, const float *w, float *packed)
{
    struct wino j = wino_of(s);
    j.w = w;
    j.u = packed;
    pack(pool, &j);
}

SIMD static void tap_rows(const struct wino *j, int from, int to)
{
    const struct conv_shape *s = j->s;
    const ptrdiff_t tap = (ptrdiff_t)s->cin * s->cout;
    for (int p = from; p < to; p++)
        for (int c = 0; c < s->cout; c += ROW_LANES) {
            const ptrdiff_t at = (ptrdiff_t)p * s->cout + c;
            six d[IN];
            for (int i = 0; i < PLACES; i++)
                d[i / IN][i % IN] = *(const lanes *)(j->u + i * tap + at);
            taps_block(d);
            for (int i = 0; i < TAPS * TAPS; i++)
                *(lanes *)(j->w_out + i * tap + at) = d[i / TAPS][i % TAPS];
        }
}

static void tap_chunk(void *ctx, int chunk, int worker)
{
    const struct wino *j = ctx;
    (void)worker;
    tap_rows(j, chunk * PART, min_int(j->s->cin, (chunk + 1) * PART));
}

/* ---- products ---- */

static void forward_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct wino *j = ctx;
    const struct conv_shape *s = j->s;
    const int place = chunk % PLACES, row = chunk / PLACES * ROWS;
    product_run(NULL, &(struct product){
        .m = min_int(ROWS, j->n - row), .n = s->cout, .k = s->cin,
        .a = j->v + ((ptrdiff_t)place * j->n + row) * s->cin, .lda = s->cin,
        .b = j->packed + (size_t)place * place_floats(s), .b_packed = true, .scale = 1,
        .c = j->m + ((ptrdiff_t)place * j->n + row) * s->cout, .ldc = s->cout,
    });
}

static void weights_chunk(void *ctx, int place, int worker)
{
    (void)worker;
    const struct wino *j = ctx;
    const struct conv_shape *s = j->s;
    product_run(NULL, &(struct product){
        .m = s->cin, .n = s->cout, .k = j->n, .a = j->v + (ptrdiff_t)place * j->n * s->cin, .lda = s->cin,
        .a_cols = true, .b = j->m + (ptrdiff_t)place * j->n * s->cout, .ldb = s->cout, .scale = 1,
        .beta = j->begun, .c = j->u + (ptrdiff_t)place * s->cin * s->cout, .ldc = s->cout,
    });
}

/* ---- the passes ---- */

static size_t group_floats(const struct wino *j, int channels)
{
    return (size_t)PLACES * (size_t)min_int(GROUP, j->tiles) * (size_t)channels;
}

size_t wino_workspace(const struct conv_shape *s, enum conv_pass pass)
{
    const struct wino j = wino_of(s);
    const size_t u = pass == CONV_FWD ? wino_packed_floats(s) : (size_t)PLACES * s->cin * s->cout;
    return u + group_floats(&j, s->cin) + group_floats(&j, s->cout);
}

static void cut_workspace(struct wino *j, size_t u, float *workspace)
{
    j->u = workspace;
    j->v = workspace + u;
    j->m = j->v + group_floats(j, j->s->cin);
}

void wino_fwd(struct pool *pool, const struct conv_shape *s, const float *x, const float *w, const float *packed,
              float *y, float *workspace)
{
    struct wino j = wino_of(s);
    cut_workspace(&j, wino_packed_floats(s), workspace);
    j.x = x;
    j.w = w;
    j.y = y;
    j.packed = packed ? packed : j.u;
    if (!packed)
        pack(pool, &j);
    for (; j.first < j.tiles; j.first += j.n) {
        j.n = min_int(GROUP, j.tiles - j.first);
        pool_run(pool, div_up(j.n, PART), input_chunk, &j);
        pool_run(pool, PLACES * div_up(j.n, ROWS), forward_chunk, &j);
        pool_run(pool, div_up(j.n, PART), output_chunk, &j);
    }
}

void wino_weights(struct pool *pool, const struct conv_shape *s, const float *x, const float *y, float *w,
                  float *workspace)
{
    struct wino j = wino_of(s);
    cut_workspace(&j, (size_t)PLACES * s->cin * s->cout, workspace);
    j.x = x;
    j.y_in = y;
    j.w_out = w;
    for (; j.first < j.tiles; j.first += j.n, j.begun = true) {
        j.n = min_int(GROUP, j.tiles - j.first);
        pool_run(pool, div_up(j.n, PART), both_chunk, &j);
        pool_run(pool, PLACES, weights_chunk, &j);
    }
    pool_run(pool, div_up(s->cin, PART), tap_chunk, &j);
}
