/* build.c: the builders of graph.h. Each fills an attribute and calls node_make, which checks shapes. */
#include <math.h>
#include <string.h>
#include "op.h"

#define IN(...) (struct node *[]){ __VA_ARGS__ }

static union attr attr_zero(void)
{
    union attr a;
    memset(&a, 0, sizeof(a));
    return a;
}

/* Copies only the sizes in use: attributes compare by bytes. */
static void set_shape(struct shape *dst, struct shape s)
{
    dst->rank = s.rank;
    memcpy(dst->dim, s.dim, (size_t)s.rank * sizeof(s.dim[0]));
}

static struct node *unary(enum op op, struct node *x)
{
    return node_make(x->graph, op, NULL, IN(x), 1);
}

static struct node *unary_c(enum op op, struct node *x, float c)
{
    union attr a = attr_zero();
    a.c = c;
    return node_make(x->graph, op, &a, IN(x), 1);
}

static struct node *binary(enum op op, struct node *a, struct node *b)
{
    return node_make(a->graph, op, NULL, IN(a, b), 2);
}

/* The lowest run of neighbouring axes of the mask; axes of size 1 are left out. */
static unsigned first_run(struct shape s, unsigned axes)
{
    unsigned run = 0;
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[i] == 1)
            continue;
        if (axes >> i & 1)
            run |= 1u << i;
        else if (run)
            break;
    }
    return run;
}

/* Axes of size 1 leave the mask, and what is left is split into runs of neighbouring axes: kernels only
 * know [outer, reduced, inner]. */
static struct node *reduction(enum op op, struct node *x, unsigned axes)
{
    union attr a = attr_zero();
    BUG_ON(axes >= 1u << x->shape.rank);
    for (int i = 0; i < x->shape.rank; i++)
        if (x->shape.dim[i] == 1)
            axes &= ~(1u << i);
    if (!axes)
        return x;
    a.reduce.axes = first_run(x->shape, axes);
    if (a.reduce.axes != axes)
        x = reduction(op, x, axes & ~a.reduce.axes);
    return node_make(x->graph, op, &a, IN(x), 1);
}

static struct node *along(enum op op, struct node *x, int axis)
{
    union attr a = attr_zero();
    a.axis = axis;
    return node_make(x->graph, op, &a, IN(x), 1);
}

static struct node *window(enum op op, struct node *x, int axis, int32_t first, int32_t second)
{
    union attr a = attr_zero();
    a.window.axis = axis;
    a.window.a = first;
    a.window.b = second;
    return node_make(x->graph, op, &a, IN(x), 1);
}

struct node *g_fill(struct graph *g, struct shape s, float value)
{
    union attr a = attr_zero();
    set_shape(&a.fill.shape, s);
    a.fill.value = value;
    return node_make(g, OP_FILL, &a, IN(NULL), 0);
}

struct node *g_const(struct graph *g, float value)
{
    return g_fill(g, (struct shape){ 0 }, value);
}

struct node *g_matmul(struct node *x, struct node *y, bool ta, bool tb)
{
    int r = x->shape.rank;
    if (ta && r > 2 && y->shape.rank == 2) { /* shared y: rows of x must be rows of one tall matrix */
        int order[MAX_RANK] = { 0, 1, 2, 3, 4, 5 };
        order[r - 2] = r - 1;
        order[r - 1] = r - 2;
        x = g_permute(x, order);
        ta = false;
    }
    union attr a = attr_zero();
    a.matmul.ta = ta;
    a.matmul.tb = tb;
    return node_make(x->graph, OP_MATMUL, &a, IN(x, y), 2);
}

/* Convolutions of fewer spatial axes are those of three with size 1: axes are put in after the others. */
static struct node *three_axes(struct node *x, int lead)
{
    struct shape s = x->shape, to = s;
    BUG_ON(s.rank < 3 || s.rank > 5);
    to.rank = 5;
    int tail = 4 - lead; /* channel axes at the end */
    for (int i = 0; i < tail; i++)
        to.dim[4 - i] = s.dim[s.rank - 1 - i];
    for (int i = s.rank - tail; i < 5 - tail; i++)
        to.dim[i] = 1;
    return g_reshape(x, to);
}

static struct geom full_geom(struct geom geom, int n_spatial)
{
    for (int i = n_spatial; i < 3; i++) {
        geom.kernel[i] = geom.stride[i] = 1;
        geom.lo[i] = geom.hi[i] = 0;
    }
    return geom;
}

/* Back to `rank` axes: the spatial axes put in by three_axes leave. */
static struct node *fewer_axes(struct node *y, int rank, int tail)
{
    struct shape to = y->shape;
    for (int i = 0; i < tail; i++)
        to.dim[rank - 1 - i] = y->shape.dim[4 - i];
    to.rank = rank;
    return g_reshape(y, to);
}

struct node *g_conv(struct node *x, struct node *w, struct geom geom)
{
    int rank = x->shape.rank;
    union attr a = attr_zero();
    a.conv.geom = full_geom(geom, rank - 2);
    struct node *y = node_make(x->graph, OP_CONV, &a, IN(three_axes(x, 3), three_axes(w, 2)), 2);
    return fewer_axes(y, rank, 1);
}

struct node *g_conv_t(struct node *y, struct node *w, struct geom geom, const int32_t size[3])
{
    int rank = y->shape.rank;
    union attr a = attr_zero();
    a.conv.geom = full_geom(geom, rank - 2);
    for (int i = 0; i < 3; i++)
        a.conv.size[i] = i < rank - 2 ? size[i] : 1;
    struct node *x = node_make(y->graph, OP_CONV_T, &a, IN(three_axes(y, 3), three_axes(w, 2)), 2);
    return fewer_axes(x, rank, 1);
}

struct node *g_conv_w(struct node *x, struct node *y, struct geom geom)
{
    int rank = x->shape.rank;
    union attr a = attr_zero();
    a.conv.geom = full_geom(geom, rank - 2);
    struct node *w = node_make(x->graph, OP_CONV_W, &a, IN(three_axes(x, 3), three_axes(y, 3)), 2);
    return fewer_axes(w, rank, 2);
}

struct node *g_add(struct node *a, struct node *b) { return binary(OP_ADD, a, b); }
struct node *g_sub(struct node *a, struct node *b) { return binary(OP_SUB, a, b); }
struct node *g_mul(struct node *a, struct node *b) { return binary(OP_MUL, a, b); }
struct node *g_div(struct node *a, struct node *b) { return binary(OP_DIV, a, b); }
struct node *g_ge(struct node *a, struct node *b) { return binary(OP_GE, a, b); }
struct node *g_powc(struct node *x, float c) { return unary_c(OP_POWC, x, c); }
struct node *g_exp(struct node *x) { return unary(OP_EXP, x); }
struct node *g_log(struct node *x) { return unary(OP_LOG, x); }
struct node *g_tanh(struct node *x) { return unary(OP_TANH, x); }
struct node *g_sigmoid(struct node *x) { return unary(OP_SIGMOID, x); }
struct node *g_leaky(struct node *x, float slope) { return unary_c(OP_LEAKY, x, slope); }
struct node *g_step(struct node *x, float slope) { return unary_c(OP_STEP, x, slope); }
struct node *g_gelu(struct node *x) { return unary(OP_GELU, x); }
struct node *g_gelu_dx(struct node *g, struct node *x) { return binary(OP_GELU_DX, g, x); }
struct node *g_stop(struct node *x) { return unary(OP_STOP, x); }
struct node *g_store(struct node *x, struct node *state) { return binary(OP_STORE, x, state); }
struct node *g_sum(struct node *x, unsigned axes) { return reduction(OP_SUM, x, axes); }
struct node *g_max(struct node *x, unsigned axes) { return reduction(OP_MAX, x, axes); }
struct node *g_argmax(struct node *x, int axis) { return along(OP_ARGMAX, x, axis); }
struct node *g_softmax(struct node *x, int axis) { return along(OP_SOFTMAX, x, axis); }
struct node *g_logsumexp(struct node *x, int axis) { return along(OP_LOGSUMEXP, x, axis); }

struct node *g_slice(struct node *x, int axis, int32_t from, int32_t n)
{
    return window(OP_SLICE, x, axis, from, n);
}

struct node *g_pad(struct node *x, int axis, int32_t before, int32_t after)
{
    return window(OP_PAD, x, axis, before, after);
}

struct node *g_reflect(struct node *x, int axis, int32_t before, int32_t after)
{
    return window(OP_REFLECT, x, axis, before, after);
}

struct node *g_unreflect(struct node *x, int axis, int32_t before, int32_t after)
{
    return window(OP_UNREFLECT, x, axis, before, after);
}

struct node *g_scale(struct node *x, float a, float b)
{
    union attr attr = attr_zero();
    attr.scale.a = a;
    attr.scale.b = b;
    return node_make(x->graph, OP_SCALE, &attr, IN(x), 1);
}

struct node *g_select(struct node *m, struct node *a, struct node *b)
{
    return node_make(m->graph, OP_SELECT, NULL, IN(m, a, b), 3);
}

struct node *g_mean(struct node *x, unsigned axes)
{
    struct node *sum = g_sum(x, axes);
    return g_scale(sum, (float)((double)node_count(sum) / (double)node_count(x)), 0);
}

struct node *g_expand(struct node *x, struct shape to)
{
    union attr a = attr_zero();
    set_shape(&a.fill.shape, to);
    return node_make(x->graph, OP_EXPAND, &a, IN(x), 1);
}

struct node *g_reshape(struct node *x, struct shape to)
{
    union attr a = attr_zero();
    set_shape(&a.fill.shape, to);
    return node_make(x->graph, OP_RESHAPE, &a, IN(x), 1);
}

struct node *g_permute(struct node *x, const int *order)
{
    union attr a = attr_zero();
    for (int i = 0; i < x->shape.rank; i++)
        a.order[i] = order[i];
    return node_make(x->graph, OP_PERMUTE, &a, IN(x), 1);
}

struct node *g_concat(struct node *const *xs, int n, int axis)
{
    BUG_ON(n < 1);
    union attr a = attr_zero();
    a.axis = axis;
    return node_make(xs[0]->graph, OP_CONCAT, &a, xs, n);
}

struct node *g_gather(struct node *table, struct node *idx)
{
    return binary(OP_GATHER, table, idx);
}

struct node *g_scatter(struct node *g, struct node *idx, int32_t rows)
{
    union attr a = attr_zero();
    a.rows = rows;
    return node_make(g->graph, OP_SCATTER, &a, IN(g, idx), 2);
}

struct node *g_random(struct graph *g, struct shape s, enum dist dist, struct node *seed, uint32_t stream)
{
    union attr a = attr_zero();
    set_shape(&a.random.shape, s);
    a.random.dist = dist;
    a.random.stream = stream;
    return node_make(g, OP_RANDOM, &a, IN(seed), 1);
}

/* The activation is a node of its own: plans run it inside the product when nobody else reads the product. */
struct node *g_linear(struct node *x, struct node *w, struct node *bias, enum act act)
{
    struct node *y = node_make(x->graph, OP_LINEAR, NULL, IN(x, w, bias), bias ? 3 : 2);
    switch (act) {
    case ACT_NONE: return y;
    case ACT_RELU: return g_leaky(y, 0);
    case ACT_LEAKY: return g_leaky(y, 0.2f);
    case ACT_TANH: return g_tanh(y);
    case ACT_SIGMOID: return g_sigmoid(y);
    case ACT_GELU: return g_gelu(y);
    }
    return y;
}

static union attr norm_attr(unsigned axes, float eps)
{
    union attr a = attr_zero();
    a.reduce.axes = axes;
    a.reduce.eps = eps;
    return a;
}

struct node *g_norm(struct node *x, unsigned axes, float eps)
{
    union attr a = norm_attr(axes, eps);
    return node_make(x->graph, OP_NORM, &a, IN(x), 1);
}

struct node *g_norm_dx(struct node *g, struct node *x, unsigned axes, float eps)
{
    union attr a = norm_attr(axes, eps);
    return node_make(x->graph, OP_NORM_DX, &a, IN(g, x), 2);
}

struct node *g_xent(struct node *logits, struct node *target)
{
    return binary(OP_XENT, logits, target);
}

struct node *g_xent_dx(struct node *logits, struct node *target, struct node *g)
{
    return node_make(g->graph, OP_XENT_DX, NULL, IN(logits, target, g), 3);
}

struct node *g_attention(struct node *q, struct node *k, struct node *v, int heads, bool causal,
                         struct node *length)
{
    union attr a = attr_zero();
    a.attention.heads = heads;
    a.attention.causal = causal;
    return node_make(q->graph, OP_ATTENTION, &a, IN(q, k, v, length), length ? 4 : 3);
}

struct node *g_attention_dx(struct node *g, const struct node *forward)
{
    struct node *in[5] = { g };
    memcpy(in + 1, forward->in, (size_t)forward->n_in * sizeof(*in));
    return node_make(g->graph, OP_ATTENTION_DX, &forward->attr, in, forward->n_in + 1);
}

struct node *g_gru(struct node *xw, struct node *u, struct node *c)
{
    return node_make(xw->graph, OP_GRU, NULL, IN(xw, u, c), 3);
}

struct node *g_gru_dx(struct node *g, struct node *y)
{
    return node_make(g->graph, OP_GRU_DX, NULL, IN(g, y->in[0], y->in[1], y->in[2], y), 5);
}

struct node *g_attend_step(struct node *q, struct node *k, struct node *v, struct node *k_cache,
                           struct node *v_cache, struct node *position, int heads)
{
    union attr a = attr_zero();
    a.attention.heads = heads;
    return node_make(q->graph, OP_ATTEND_STEP, &a, IN(q, k, v, k_cache, v_cache, position), 6);
}
