/* lower.c: macros written in primitives. A lowering is the definition of its macro: kernels must agree with
 * it, devices without a kernel run it, and derivatives that no rule gives are taken of it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "op.h"

#define lower_none NULL

static struct node *lower_linear(struct node *n)
{
    struct node *x = n->in[0], *w = n->in[1];
    int32_t in = w->shape.dim[0], out = w->shape.dim[1], rows = (int32_t)(node_count(x) / (size_t)in);
    struct node *y = g_matmul(g_reshape(x, SHAPE(rows, in)), w, false, false);
    if (n->n_in == 3)
        y = g_add(y, g_expand(g_reshape(n->in[2], SHAPE(1, out)), y->shape));
    return g_reshape(y, n->shape);
}

static struct node *norm_of(struct node *x, unsigned axes, float eps)
{
    struct node *centred = g_sub(x, g_expand(g_mean(x, axes), x->shape));
    struct node *var = g_mean(g_mul(centred, centred), axes);
    return g_mul(centred, g_expand(g_powc(g_scale(var, 1, eps), -0.5f), x->shape));
}

static struct node *lower_norm(struct node *n)
{
    return norm_of(n->in[0], n->attr.reduce.axes, n->attr.reduce.eps);
}

static struct node *lower_norm_dx(struct node *n)
{
    struct node *out;
    vjp_cut(norm_of(n->in[1], n->attr.reduce.axes, n->attr.reduce.eps), n->in[0], &n->in[1], 1, &out);
    return out;
}

/* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
static struct node *gelu_of(struct node *x)
{
    const float k = 0.7978845608028654f;
    struct node *cube = g_mul(x, g_mul(x, x));
    struct node *t = g_tanh(g_scale(g_add(x, g_scale(cube, 0.044715f, 0)), k, 0));
    return g_mul(x, g_scale(t, 0.5f, 0.5f));
}

static struct node *lower_gelu(struct node *n)
{
    return gelu_of(n->in[0]);
}

static struct node *lower_gelu_dx(struct node *n)
{
    struct node *out;
    vjp_cut(gelu_of(n->in[1]), n->in[0], &n->in[1], 1, &out);
    return out;
}

/* Row i holds ones up to column i - 1 + diagonal ("below"), or only at i. */
static struct node *pattern(struct graph *g, int32_t rows, int32_t cols, bool below, int32_t diagonal)
{
    float *v = xcalloc((size_t)rows * (size_t)cols, sizeof(*v));
    for (int32_t i = 0; i < rows; i++)
        for (int32_t j = 0; j < cols; j++)
            v[(size_t)i * (size_t)cols + (size_t)j] = below ? j < i + diagonal : j == i;
    struct node *n = g_const_data(g, SHAPE(rows, cols), v);
    free(v);
    return n;
}

static struct node *xent_of(struct node *logits, struct node *target)
{
    struct graph *g = logits->graph;
    int32_t rows = logits->shape.dim[0], width = logits->shape.dim[1];
    struct node *hot = g_gather(pattern(g, width, width, false, 0), target); /* no row where target < 0 */
    struct node *valid = g_sum(hot, 2);
    struct node *count = g_sum(valid, 1);
    struct node *one = g_fill(g, count->shape, 1);
    count = g_select(g_ge(count, one), count, one);
    struct node *picked = g_sum(g_mul(logits, hot), 2);
    struct node *loss = g_sub(g_mul(g_logsumexp(logits, 1), valid), picked);
    BUG_ON(loss->shape.dim[0] != rows);
    return g_reshape(g_div(g_sum(loss, 1), count), (struct shape){ 0 });
}

static struct node *lower_xent(struct node *n)
{
    return xent_of(n->in[0], n->in[1]);
}

static struct node *lower_xent_dx(struct node *n)
{
    struct node *out;
    vjp_cut(xent_of(n->in[0], n->in[1]), n->in[2], &n->in[0], 1, &out);
    return out;
}

/* [N,T,D] to [N,H,T,D/H] and back. */
static struct node *split_heads(struct node *x, int32_t heads)
{
    struct shape s = x->shape;
    struct node *y = g_reshape(x, SHAPE(s.dim[0], s.dim[1], heads, s.dim[2] / heads));
    return g_permute(y, (int[]){ 0, 2, 1, 3 });
}

static struct node *join_heads(struct node *x, struct shape to)
{
    return g_reshape(g_permute(x, (int[]){ 0, 2, 1, 3 }), to);
}

/* Scores where the mask [N or 1, 1, T or 1, T] is zero become so low that their weight is zero. */
static struct node *hide(struct node *scores, struct node *mask)
{
    return g_select(g_expand(mask, scores->shape), scores, g_fill(scores->graph, scores->shape, -1e30f));
}

static struct node *attention_of(const struct node *n, struct node *const *in)
{
    struct graph *g = n->graph;
    struct shape s = in[0]->shape;
    int32_t heads = n->attr.attention.heads, rows = s.dim[0], t = s.dim[1];
    struct node *q = split_heads(in[0], heads), *k = split_heads(in[1], heads),
                *v = split_heads(in[2], heads);
    struct node *scores = g_scale(g_matmul(q, k, false, true), 1 / sqrtf((float)(s.dim[2] / heads)), 0);
    if (n->attr.attention.causal)
        scores = hide(scores, g_reshape(pattern(g, t, t, true, 1), SHAPE(1, 1, t, t)));
    if (in[3]) /* row L of the table has L ones */
        scores =
            hide(scores, g_reshape(g_gather(pattern(g, t + 1, t, true, 0), in[3]), SHAPE(rows, 1, 1, t)));
    return join_heads(g_matmul(g_softmax(scores, 3), v, false, false), s);
}

static struct node *lower_attention(struct node *n)
{
    struct node *in[4] = { n->in[0], n->in[1], n->in[2], n->n_in == 4 ? n->in[3] : NULL };
    return attention_of(n, in);
}

static struct node *lower_attention_dx(struct node *n)
{
    struct node *in[4] = { n->in[1], n->in[2], n->in[3], n->n_in == 5 ? n->in[4] : NULL }, *d[3];
    struct shape s = in[0]->shape;
    vjp_cut(attention_of(n, in), n->in[0], in, 3, d);
    for (int i = 1; i < 3; i++) /* one node as two of q, k, v: its share is whole, the other's nothing */
        if (in[i] == in[0] || (i == 2 && in[2] == in[1]))
            d[i] = g_fill(n->graph, s, 0);
    for (int i = 0; i < 3; i++)
        d[i] = g_reshape(d[i], SHAPE(1, s.dim[0], s.dim[1], s.dim[2]));
    return g_concat(d, 3, 0);
}

static struct node *part_of(struct node *x, int32_t which, int32_t h)
{
    return g_slice(x, 1, which * h, h);
}

/* [N,...] at place t of axis 1 and direction d of axis 2, as [N,width]. */
static struct node *at_step(struct node *x, int32_t t, int32_t d)
{
    struct node *y = g_slice(g_slice(x, 1, t, 1), 2, d, 1);
    return g_reshape(y, SHAPE(x->shape.dim[0], x->shape.dim[3]));
}

/* One direction: states [N,T,H], and the reset gates [N,T,1,H]. */
static struct node *gru_way(struct node *xw, struct node *u, struct node *c, int32_t d, struct node **resets)
{
    int32_t n = xw->shape.dim[0], t = xw->shape.dim[1], h = xw->shape.dim[3] / 3;
    struct node **y = xcalloc(2 * (size_t)t, sizeof(*y)), **resets_at = y + t;
    struct node *state = g_fill(xw->graph, SHAPE(n, h), 0);
    struct node *ud = g_reshape(g_slice(u, 0, d, 1), SHAPE(h, 3 * h)), *cd = g_slice(c, 0, d, 1);
    for (int32_t i = 0; i < t; i++) {
        int32_t at = d ? t - 1 - i : i;
        struct node *x = at_step(xw, at, d);
        struct node *s = g_add(g_matmul(state, ud, false, false), g_expand(cd, SHAPE(n, 3 * h)));
        struct node *z = g_sigmoid(g_add(part_of(x, 0, h), part_of(s, 0, h)));
        struct node *r = g_sigmoid(g_add(part_of(x, 1, h), part_of(s, 1, h)));
        struct node *fresh = g_tanh(g_add(part_of(x, 2, h), g_mul(r, part_of(s, 2, h))));
        state = g_add(fresh, g_mul(z, g_sub(state, fresh)));
        y[at] = g_reshape(state, SHAPE(n, 1, h));
        resets_at[at] = g_reshape(r, SHAPE(n, 1, 1, h));
    }
    struct node *states = g_concat(y, t, 1);
    *resets = g_concat(resets_at, t, 1);
    free(y);
    return states;
}

/* States [N,T,D H] and reset gates [N,T,D,H]. */
static struct node *gru_of(struct node *xw, struct node *u, struct node *c, struct node **resets)
{
    struct node *states[2], *gates[2];
    int32_t dirs = xw->shape.dim[2];
    for (int32_t d = 0; d < dirs; d++)
        states[d] = gru_way(xw, u, c, d, &gates[d]);
    *resets = dirs == 1 ? gates[0] : g_concat(gates, 2, 2);
    return dirs == 1 ? states[0] : g_concat(states, 2, 2);
}

static struct node *lower_gru(struct node *n)
{
    struct node *resets;
    return gru_of(n->in[0], n->in[1], n->in[2], &resets);
}

/* The states among the inputs are those that the others give: they are made anew. */
static struct node *lower_gru_dx(struct node *n)
{
    struct node *xw = n->in[1], *resets, *d[2];
    int32_t h = xw->shape.dim[3] / 3;
    vjp_cut(gru_of(xw, n->in[2], n->in[3], &resets), n->in[0], &xw, 1, d);
    d[1] = g_mul(g_slice(d[0], 3, 2 * h, h), resets);
    return g_concat(d, 2, 3);
}

typedef struct node *(*lower_fn)(struct node *n);

static const lower_fn lowerings[N_OPS] = {
#define OP(op, inputs, flags, shape, vjp, lower, flops) [OP_##op] = lower_##lower,
#include "op.def"
#undef OP
};

bool op_has_lowering(enum op op)
{
    return lowerings[op];
}

struct node *lower(struct node *n)
{
    return lowerings[n->op](n);
}
