/* conv.c: which way a convolution goes: as a plain product where patches lie in rows as they are (kernel equal to
 * stride, 1 x 1, whole axes), in the Winograd domain, or by tiles that read patches on the way (conv.cu). */
#include <stdlib.h>
#include <string.h>
#include "../cpu/conv_geom.h"
#include "cuda.h"
#include "mem.h"

enum way { BY_TILES, BY_PRODUCT, BY_WINOGRAD };

/* What the Winograd pass works on: `back` is y to x, the same with taps in reverse and x and y exchanged. */
struct wino {
    int images, rows, cols, tiles, cin, cout;
    int height, width, top, left;  /* of what is read, and its padding */
    int out_height, out_width;
    bool back;
};

struct prepared {
    enum way way;
    struct conv_shape s;
    struct wino wino;
    struct blas_product *blas;     /* NULL: our own tiles */
    struct product p;
    bool clear;                    /* some of x is in no patch */
};

static struct conv_shape shape_of_conv(const struct node *n)
{
    const struct node *x = n->op == OP_CONV_T ? n : n->in[0];
    const struct node *y = n->op == OP_CONV ? n : n->op == OP_CONV_T ? n->in[0] : n->in[1];
    struct conv_shape c = { .n = x->shape.dim[0], .cin = x->shape.dim[4], .cout = y->shape.dim[4],
                            .geom = n->attr.conv.geom };
    memcpy(c.in, x->shape.dim + 1, sizeof c.in);
    memcpy(c.out, y->shape.dim + 1, sizeof c.out);
    return c;
}

static enum conv_pass pass_of(const struct node *n)
{
    return n->op == OP_CONV ? CONV_FWD : n->op == OP_CONV_T ? CONV_DATA : CONV_WEIGHTS;
}

/* ------------------------------------------------------------------ which way */

static struct wino wino_of(const struct conv_shape *s, enum conv_pass pass)
{
    bool back = pass == CONV_DATA;
    const int *from = back ? s->out : s->in, *to = back ? s->in : s->out;
    const struct geom *g = &s->geom;
    struct wino w = { .images = s->n * s->in[0], .cin = back ? s->cout : s->cin, .cout = back ? s->cin : s->cout,
                      .height = from[1], .width = from[2], .out_height = to[1], .out_width = to[2], .back = back,
                      .top = back ? g->kernel[1] - 1 - g->lo[1] : g->lo[1],
                      .left = back ? g->kernel[2] - 1 - g->lo[2] : g->lo[2] };
    w.rows = (to[1] + CU_WINO_OUT - 1) / CU_WINO_OUT;
    w.cols = (to[2] + CU_WINO_OUT - 1) / CU_WINO_OUT;
    w.tiles = w.images * w.rows * w.cols;
    return w;
}

/* 3 x 3 and stride 1, channels enough to pay for the transforms, images in which not too much of the tiles is waste. */
static bool wino_fits(const struct conv_shape *s, enum conv_pass pass)
{
    static const int least = 32;
    const struct geom *g = &s->geom;
    struct wino w = wino_of(s, pass);
    bool form = g->kernel[0] == 1 && g->kernel[1] == 3 && g->kernel[2] == 3 && g->stride[0] == 1 && g->stride[1] == 1 &&
                g->stride[2] == 1 && g->lo[0] == 0 && g->hi[0] == 0;
    return form && s->cin >= least && s->cout >= least &&
           3 * w.out_height * w.out_width >= 2 * w.rows * w.cols * CU_WINO_OUT * CU_WINO_OUT;
}

static enum way way_of(const struct conv_shape *s, enum conv_pass pass)
{
    ptrdiff_t ld;
    bool plain = conv_plain(s, &ld) && (pass != CONV_DATA || conv_disjoint(s));
    return plain ? BY_PRODUCT : wino_fits(s, pass) ? BY_WINOGRAD : BY_TILES;
}

/* y = P w; P' = y w^T; w = P^T y, with rows of P ld apart. */
static struct product plain_product(const struct conv_shape *s, enum conv_pass pass)
{
    ptrdiff_t ld = 0;
    int rows = conv_rows(s), columns = conv_columns(s), cout = s->cout;
    size_t apart = conv_plain(s, &ld) ? (size_t)ld : 0, n = (size_t)cout;
    if (pass == CONV_FWD)
        return (struct product){ .m = rows, .n = cout, .k = columns, .count = 1, .lda = apart, .ldb = n, .ldc = n };
    if (pass == CONV_DATA)
        return (struct product){ .m = rows, .n = columns, .k = cout, .count = 1, .tb = true, .lda = n, .ldb = n,
                                    .ldc = apart };
    return (struct product){ .m = columns, .n = cout, .k = rows, .count = 1, .ta = true, .lda = apart, .ldb = n,
                                .ldc = n };
}

/* All 36 places of a tile at once: m = v u, or, for the weights, u = v^T m. */
static struct product wino_product(const struct wino *w, enum conv_pass pass)
{
    size_t v = (size_t)w->tiles * (size_t)w->cin, u = (size_t)w->cin * (size_t)w->cout, m = (size_t)w->tiles * (size_t)w->cout;
    size_t cin = (size_t)w->cin, cout = (size_t)w->cout;
    if (pass == CONV_WEIGHTS)
        return (struct product){ .m = w->cin, .n = w->cout, .k = w->tiles, .count = CU_WINO_PLACES, .ta = true,
                                    .lda = cin, .ldb = cout, .ldc = cout, .stride_a = v, .stride_b = m, .stride_c = u };
    return (struct product){ .m = w->tiles, .n = w->cout, .k = w->cin, .count = CU_WINO_PLACES, .lda = cin,
                                .ldb = cout, .ldc = cout, .stride_a = v, .stride_b = u, .stride_c = m };
}

/* Transforms multiply what is rounded away: products in the Winograd domain stay in full precision. */
enum err prepare_conv(struct device *d, struct step *s)
{
    struct prepared *p = xcalloc(1, sizeof *p);
    enum conv_pass pass = pass_of(s->node);
    p->s = shape_of_conv(s->node);
    p->way = way_of(&p->s, pass);
    p->wino = wino_of(&p->s, pass);
    p->clear = pass == CONV_DATA && !conv_covers(&p->s);
    s->prepared = p;
    if (p->way == BY_TILES)
        return ERR_OK;
    p->p = p->way == BY_PRODUCT ? plain_product(&p->s, pass) : wino_product(&p->wino, pass);
    p->blas = blas_product_new(&p->p, p->way == BY_PRODUCT ? d->precision : PRECISION_FP32, BLAS_PLAIN);
    return ERR_OK;
}

void release_conv(struct step *s)
{
    struct prepared *p = s->prepared;
    if (p)
        blas_product_free(p->blas);
    free(p);
    s->prepared = NULL;
}

/* ------------------------------------------------------------------ workspace */

/* Of the Winograd domain: weights, inputs, outputs, each from a cache line on. */
struct domain { size_t u, v, m; };

static size_t line(size_t floats)
{
    return (floats + 15) / 16 * 16;
}

static struct domain domain_of(const struct wino *w)
{
    return (struct domain){ line((size_t)CU_WINO_PLACES * (size_t)w->cin * (size_t)w->cout),
                            line((size_t)CU_WINO_PLACES * (size_t)w->tiles * (size_t)w->cin),
                            line((size_t)CU_WINO_PLACES * (size_t)w->tiles * (size_t)w->cout) };
}

static size_t workspace(const struct node *n)
{
    struct conv_shape s = shape_of_conv(n);
    enum conv_pass pass = pass_of(n);
    struct wino w = wino_of(&s, pass);
    struct domain d = domain_of(&w);
    enum way way = way_of(&s, pass);
    return sizeof(float) * (way == BY_TILES ? cu_conv_workspace(&s, pass) : way == BY_WINOGRAD ? d.u + d.v + d.m : 0);
}

size_t w_conv(const struct node *n, int threads)
{
    (void)threads;
    return workspace(n);
}

size_t w_conv_t(const struct node *n, int threads)
{
    (void)threads;
    return workspace(n);
}

size_t w_conv_w(const struct node *n, int threads)
{
    (void)threads;
    return workspace(n);
}

size_t w_conv_plain(const struct node *n, int threads)
{
    (void)threads;
    struct conv_shape s = shape_of_conv(n);
    return sizeof(float) * cu_conv_workspace(&s, pass_of(n));
}

/* ------------------------------------------------------------------ running */

static void multiply(const struct prepared *p, const float *a, const float *b, float *c)
{
    if (p->blas)
        blas_product_run(p->blas, a, b, NULL, c);
    else
        cu_product(&p->p, a, b, c);
}

/* Forward, and from y to x. */
static void wino_forward(const struct prepared *p, const float *x, const float *w, const float *packed, float *y,
                         float *work)
{
    const struct wino *j = &p->wino;
    struct domain d = domain_of(j);
    float *u = work, *v = u + d.u, *m = v + d.v;
    if (!packed)
        cu_wino_weights(w, j->cin, j->cout, j->back, u);
    cu_wino_input(x, j->images, j->height, j->width, j->cin, j->top, j->left, j->rows, j->cols, v);
    multiply(p, v, packed ? packed : u, m);
    cu_wino_output(m, j->images, j->out_height, j->out_width, j->cout, j->rows, j->cols, y);
}

static void wino_backward(const struct prepared *p, const float *x, const float *y, float *w, float *work)
{
    const struct wino *j = &p->wino;
    struct domain d = domain_of(j);
    float *u = work, *v = u + d.u, *m = v + d.v;
    cu_wino_input(x, j->images, j->height, j->width, j->cin, j->top, j->left, j->rows, j->cols, v);
    cu_wino_gradient(y, j->images, j->out_height, j->out_width, j->cout, j->rows, j->cols, m);
    multiply(p, v, m, u);
    cu_wino_taps(u, j->cin, j->cout, w);
}

void k_conv(const struct step *s, struct pool *pool)
{
    (void)pool;
    const struct prepared *p = s->prepared;
    switch (p->way) {
    case BY_PRODUCT: multiply(p, s->in[0], s->in[1], s->out); break;
    case BY_WINOGRAD: wino_forward(p, s->in[0], s->in[1], s->packed, s->out, s->work); break;
    case BY_TILES: cu_conv(&p->s, s->in[0], s->in[1], s->out, s->work); break;
    }
}

void k_conv_t(const struct step *s, struct pool *pool)
{
    (void)pool;
    const struct prepared *p = s->prepared;
    if (p->way == BY_PRODUCT && p->clear)
        (void)cudaMemsetAsync(s->out, 0, node_count(s->node) * sizeof(float), cuda_stream);
    switch (p->way) {
    case BY_PRODUCT: multiply(p, s->in[0], s->in[1], s->out); break;
    case BY_WINOGRAD: wino_forward(p, s->in[0], s->in[1], NULL, s->out, s->work); break;
    case BY_TILES: cu_conv_t(&p->s, s->in[0], s->in[1], s->out); break;
    }
}

void k_conv_w(const struct step *s, struct pool *pool)
{
    (void)pool;
    const struct prepared *p = s->prepared;
    switch (p->way) {
    case BY_PRODUCT: multiply(p, s->in[0], s->in[1], s->out); break;
    case BY_WINOGRAD: wino_backward(p, s->in[0], s->in[1], s->out, s->work); break;
    case BY_TILES: cu_conv_w(&p->s, s->in[0], s->in[1], s->out, s->work); break;
    }
}

/* Of reference plans. */
void k_conv_plain(const struct step *s, struct pool *pool)
{
    (void)pool;
    struct conv_shape c = shape_of_conv(s->node);
    switch (pass_of(s->node)) {
    case CONV_FWD: cu_conv(&c, s->in[0], s->in[1], s->out, s->work); break;
    case CONV_DATA: cu_conv_t(&c, s->in[0], s->in[1], s->out); break;
    case CONV_WEIGHTS: cu_conv_w(&c, s->in[0], s->in[1], s->out, s->work); break;
    }
}

/* ------------------------------------------------------------------ constant weights */

/* cuBLASLt reads factors as they are; weights of Winograd convolutions are transformed once. */
size_t w_pack(const struct node *n, int threads)
{
    (void)threads;
    if (n->op != OP_CONV)
        return 0;
    struct conv_shape s = shape_of_conv(n);
    return way_of(&s, CONV_FWD) == BY_WINOGRAD
               ? sizeof(float) * (size_t)CU_WINO_PLACES * (size_t)s.cin * (size_t)s.cout
               : 0;
}

void k_pack(const struct step *s, struct pool *pool)
{
    (void)pool;
    struct conv_shape c = shape_of_conv(s->node);
    cu_wino_weights(s->in[0], c.cin, c.cout, false, s->out);
}
