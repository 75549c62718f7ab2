/* product.c: matrix products and convolutions of the graph, put in the terms of gemm.h and conv.h. */
#include <string.h>
#include "conv.h"
#include "cpu.h"
#include "gemm.h"

static struct gemm_epilogue epilogue_of(const struct step *s, const float *bias)
{
    return (struct gemm_epilogue){ .bias = bias, .act = s->act, .slope = s->slope };
}

void k_linear(const struct step *s, struct pool *pool)
{
    struct shape w = s->node->in[1]->shape;
    int k = w.dim[0], n = w.dim[1], m = (int)(node_count(s->node) / (size_t)n);
    struct gemm_epilogue e = epilogue_of(s, s->node->n_in == 3 ? s->in[2] : NULL);
    if (s->packed)
        gemm_packed(pool, m, n, k, s->in[0], k, s->packed, s->out, n, &e);
    else
        gemm(pool, false, false, m, n, k, s->in[0], k, s->in[1], n, 0, s->out, n, &e);
}

void k_matmul(const struct step *s, struct pool *pool)
{
    const struct node *node = s->node;
    struct shape a = node->in[0]->shape, b = node->in[1]->shape;
    bool ta = node->attr.matmul.ta, tb = node->attr.matmul.tb;
    int n = node->shape.dim[a.rank - 1], m = node->shape.dim[a.rank - 2];
    int k = a.dim[a.rank - 1 - ta], count = (int)(node_count(node) / ((size_t)m * (size_t)n));
    if (b.rank > 2 && count > 1) {
        size_t sa = (size_t)m * (size_t)k, sb = (size_t)k * (size_t)n, sc = (size_t)m * (size_t)n;
        gemm_batch(pool, count, ta, tb, m, n, k, s->in[0], sa, s->in[1], sb, 0, s->out, sc, 1);
        return;
    }
    if (b.rank == 2 && a.rank > 2)
        m *= count; /* one second factor: the first is one tall matrix */
    if (s->packed)
        gemm_packed(pool, m, n, k, s->in[0], k, s->packed, s->out, n, NULL);
    else
        gemm(pool, ta, tb, m, n, k, s->in[0], ta ? m : k, s->in[1], tb ? k : n, 0, s->out, n, NULL);
}

/* Rows, columns and orientation of a product's second factor. */
static void factor_of(const struct node *n, int *k, int *cols, bool *tb)
{
    struct shape w = n->in[1]->shape;
    *tb = n->op == OP_MATMUL && n->attr.matmul.tb;
    *k = w.dim[*tb];
    *cols = w.dim[!*tb];
}

/* x, w and y are the node's inputs and result in an order that depends on the op. */
static struct conv_shape conv_shape_of(const struct node *n, struct shape x, struct shape y)
{
    struct conv_shape c = { .n = x.dim[0], .cin = x.dim[4], .cout = y.dim[4], .geom = n->attr.conv.geom };
    memcpy(c.in, x.dim + 1, sizeof(c.in));
    memcpy(c.out, y.dim + 1, sizeof(c.out));
    return c;
}

static struct conv_shape shape_of_conv(const struct node *n)
{
    struct shape a = n->in[0]->shape, b = n->in[1]->shape;
    return n->op == OP_CONV ? conv_shape_of(n, a, n->shape)
         : n->op == OP_CONV_T ? conv_shape_of(n, n->shape, a) : conv_shape_of(n, a, b);
}

/* Bytes of a node's second factor as its product wants it; 0: it is read as it is. */
size_t w_pack(const struct node *n, int threads)
{
    (void)threads;
    int k, cols;
    bool tb;
    if (n->op == OP_CONV) {
        struct conv_shape c = shape_of_conv(n);
        return conv_packed_floats(&c) * sizeof(float);
    }
    factor_of(n, &k, &cols, &tb);
    return gemm_packed_floats(k, cols) * sizeof(float);
}

void k_pack(const struct step *s, struct pool *pool)
{
    int k, cols;
    bool tb;
    if (s->node->op == OP_CONV) {
        struct conv_shape c = shape_of_conv(s->node);
        conv_pack(pool, &c, s->in[0], s->out);
        return;
    }
    factor_of(s->node, &k, &cols, &tb);
    gemm_pack(tb, k, cols, s->in[0], tb ? k : cols, s->out);
}

static size_t conv_work(const struct node *n, enum conv_pass pass)
{
    struct conv_shape c = shape_of_conv(n);
    return conv_workspace(&c, pass) * sizeof(float);
}

size_t w_conv(const struct node *n, int threads)
{
    (void)threads;
    return conv_work(n, CONV_FWD);
}

size_t w_conv_t(const struct node *n, int threads)
{
    (void)threads;
    return conv_work(n, CONV_DATA);
}

size_t w_conv_w(const struct node *n, int threads)
{
    (void)threads;
    return conv_work(n, CONV_WEIGHTS);
}

void k_conv(const struct step *s, struct pool *pool)
{
    struct conv_shape c = shape_of_conv(s->node);
    if (s->packed)
        conv_fwd_packed(pool, &c, s->in[0], s->packed, s->out, s->work);
    else
        conv_fwd(pool, &c, s->in[0], s->in[1], s->out, s->work);
}

void k_conv_t(const struct step *s, struct pool *pool)
{
    struct conv_shape c = shape_of_conv(s->node);
    conv_bwd_data(pool, &c, s->in[0], s->in[1], s->out, s->work);
}

void k_conv_w(const struct step *s, struct pool *pool)
{
    struct conv_shape c = shape_of_conv(s->node);
    conv_bwd_weights(pool, &c, s->in[0], s->in[1], s->out, s->work);
}
