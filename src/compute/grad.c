/* grad.c: derivatives as graphs. The reverse pass walks the nodes between the wanted leaves and the result
 * from last to first and lets each op's rule emit nodes for the gradients of its inputs. All rules are
 * written in ops of the table, so what they emit can be differentiated again. A macro without a rule is
 * lowered, and the primitives are differentiated in its place. */
#include <stdlib.h>
#include <string.h>
#include "op.h"

/* Rules: y a node, g the gradient of the result by y; dx[i] receives that by input i, or stays NULL. */
#define vjp_none NULL

static void vjp_matmul(struct node *y, struct node *g, struct node **dx)
{
    struct node *a = y->in[0], *b = y->in[1];
    bool ta = y->attr.matmul.ta, tb = y->attr.matmul.tb;
    if (b->shape.rank == 2 && a->shape.rank > 2) { /* one b for all: the rows are one tall matrix */
        int32_t k = a->shape.dim[a->shape.rank - 1], n = g->shape.dim[g->shape.rank - 1];
        struct node *tall_a = g_reshape(a, SHAPE((int32_t)(node_count(a) / (size_t)k), k));
        struct node *tall_g = g_reshape(g, SHAPE((int32_t)(node_count(g) / (size_t)n), n));
        dx[0] = g_matmul(g, b, false, !tb);
        dx[1] = tb ? g_matmul(tall_g, tall_a, true, false) : g_matmul(tall_a, tall_g, true, false);
        return;
    }
    dx[0] = ta ? g_matmul(b, g, tb, true) : g_matmul(g, b, false, !tb);
    dx[1] = tb ? g_matmul(g, a, true, ta) : g_matmul(a, g, !ta, false);
}

static void vjp_conv(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_conv_t(g, y->in[1], y->attr.conv.geom, y->in[0]->shape.dim + 1);
    dx[1] = g_conv_w(y->in[0], g, y->attr.conv.geom);
}

static void vjp_conv_t(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_conv(g, y->in[1], y->attr.conv.geom);
    dx[1] = g_conv_w(g, y->in[0], y->attr.conv.geom);
}

static void vjp_conv_w(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_conv_t(y->in[1], g, y->attr.conv.geom, y->in[0]->shape.dim + 1);
    dx[1] = g_conv(y->in[0], g, y->attr.conv.geom);
}

static void vjp_add(struct node *y, struct node *g, struct node **dx)
{
    (void)y;
    dx[0] = dx[1] = g;
}

static void vjp_sub(struct node *y, struct node *g, struct node **dx)
{
    (void)y;
    dx[0] = g;
    dx[1] = g_scale(g, -1, 0);
}

static void vjp_mul(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_mul(g, y->in[1]);
    dx[1] = g_mul(g, y->in[0]);
}

static void vjp_div(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_div(g, y->in[1]);
    dx[1] = g_scale(g_mul(dx[0], y), -1, 0);
}

static void vjp_scale(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_scale(g, y->attr.scale.a, 0);
}

static void vjp_powc(struct node *y, struct node *g, struct node **dx)
{
    float c = y->attr.c;
    dx[0] = g_mul(g, g_scale(g_powc(y->in[0], c - 1), c, 0));
}

static void vjp_exp(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_mul(g, y);
}

static void vjp_log(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_div(g, y->in[0]);
}

static void vjp_tanh(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_mul(g, g_scale(g_mul(y, y), -1, 1));
}

static void vjp_sigmoid(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_mul(g, g_mul(y, g_scale(y, -1, 1)));
}

/* The sign of the output tells that of the input when the slope is not negative; reading the output lets
 * the rectifier run within the product before it. */
static void vjp_leaky(struct node *y, struct node *g, struct node **dx)
{
    float s = y->attr.c;
    dx[0] = g_mul(g, g_step(s >= 0 ? y : y->in[0], s));
}

static void vjp_select(struct node *y, struct node *g, struct node **dx)
{
    struct node *zero = g_fill(y->graph, y->shape, 0);
    dx[1] = g_select(y->in[0], g, zero);
    dx[2] = g_select(y->in[0], zero, g);
}

static void vjp_sum(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_expand(g, y->in[0]->shape);
}

static void vjp_expand(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_sum(g, shape_diff(y->in[0]->shape, y->shape));
}

static void vjp_max(struct node *y, struct node *g, struct node **dx)
{
    struct node *x = y->in[0];
    struct node *mask = g_ge(x, g_expand(y, x->shape));
    struct node *share = g_div(g, g_sum(mask, y->attr.reduce.axes));
    dx[0] = g_mul(g_expand(share, x->shape), mask);
}

static void vjp_softmax(struct node *y, struct node *g, struct node **dx)
{
    struct node *dot = g_sum(g_mul(g, y), 1u << y->attr.axis);
    dx[0] = g_mul(y, g_sub(g, g_expand(dot, y->shape)));
}

static void vjp_logsumexp(struct node *y, struct node *g, struct node **dx)
{
    struct node *x = y->in[0];
    dx[0] = g_mul(g_expand(g, x->shape), g_softmax(x, y->attr.axis));
}

static void vjp_reshape(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_reshape(g, y->in[0]->shape);
}

static void vjp_permute(struct node *y, struct node *g, struct node **dx)
{
    int back[MAX_RANK];
    for (int i = 0; i < y->shape.rank; i++)
        back[y->attr.order[i]] = i;
    dx[0] = g_permute(g, back);
}

static void vjp_slice(struct node *y, struct node *g, struct node **dx)
{
    int axis = y->attr.window.axis;
    int32_t from = y->attr.window.a, n = y->attr.window.b;
    dx[0] = g_pad(g, axis, from, y->in[0]->shape.dim[axis] - from - n);
}

static void vjp_pad(struct node *y, struct node *g, struct node **dx)
{
    int axis = y->attr.window.axis;
    dx[0] = g_slice(g, axis, y->attr.window.a, y->in[0]->shape.dim[axis]);
}

static void vjp_concat(struct node *y, struct node *g, struct node **dx)
{
    int32_t at = 0;
    for (int i = 0; i < y->n_in; i++) {
        int32_t size = y->in[i]->shape.dim[y->attr.axis];
        dx[i] = g_slice(g, y->attr.axis, at, size);
        at += size;
    }
}

static void vjp_reflect(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_unreflect(g, y->attr.window.axis, y->attr.window.a, y->attr.window.b);
}

static void vjp_unreflect(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_reflect(g, y->attr.window.axis, y->attr.window.a, y->attr.window.b);
}

static void vjp_gather(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_scatter(g, y->in[1], y->in[0]->shape.dim[0]);
}

static void vjp_scatter(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_gather(g, y->in[1]);
}

static void vjp_store(struct node *y, struct node *g, struct node **dx)
{
    (void)y;
    dx[0] = g;
}

static void vjp_linear(struct node *y, struct node *g, struct node **dx)
{
    struct node *x = y->in[0], *w = y->in[1];
    int32_t in = w->shape.dim[0], out = w->shape.dim[1];
    int32_t rows = (int32_t)(node_count(x) / (size_t)in);
    struct node *tall_g = g_reshape(g, SHAPE(rows, out));
    dx[0] = g_reshape(g_matmul(tall_g, w, false, true), x->shape);
    dx[1] = g_matmul(g_reshape(x, SHAPE(rows, in)), tall_g, true, false);
    if (y->n_in == 3)
        dx[2] = g_reshape(g_sum(tall_g, 1), SHAPE(out));
}

static void vjp_norm(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_norm_dx(g, y->in[0], y->attr.reduce.axes, y->attr.reduce.eps);
}

static void vjp_gelu(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_gelu_dx(g, y->in[0]);
}

static void vjp_xent(struct node *y, struct node *g, struct node **dx)
{
    dx[0] = g_xent_dx(y->in[0], y->in[1], g);
}

static void vjp_attention(struct node *y, struct node *g, struct node **dx)
{
    struct node *d = g_attention_dx(g, y);
    for (int i = 0; i < 3; i++)
        dx[i] = g_reshape(g_slice(d, 0, i, 1), y->shape);
}

/* The state before each step of one direction, [N T, H]. */
static struct node *states_before(struct node *y, int32_t dir, int32_t h)
{
    struct shape s = y->shape;
    struct node *own = g_slice(y, 2, dir * h, h);
    struct node *moved = dir ? g_slice(g_pad(own, 1, 0, 1), 1, 1, s.dim[1]) : g_slice(g_pad(own, 1, 1, 0), 1, 0, s.dim[1]);
    return g_reshape(moved, SHAPE(s.dim[0] * s.dim[1], h));
}

static void vjp_gru(struct node *y, struct node *g, struct node **dx)
{
    struct shape x = y->in[0]->shape;
    int32_t dirs = x.dim[2], h = x.dim[3] / 3, rows = x.dim[0] * x.dim[1];
    struct node *d = g_gru_dx(g, y), *du[2];
    struct node *parts[2] = { g_slice(d, 3, 0, 2 * h), g_slice(d, 3, 3 * h, h) };
    struct node *recurrent = g_concat(parts, 2, 3);
    for (int32_t i = 0; i < dirs; i++) {
        struct node *own = g_reshape(g_slice(recurrent, 2, i, 1), SHAPE(rows, 3 * h));
        du[i] = g_reshape(g_matmul(states_before(y, i, h), own, true, false), SHAPE(1, h, 3 * h));
    }
    dx[0] = g_slice(d, 3, 0, 3 * h);
    dx[1] = dirs == 1 ? du[0] : g_concat(du, 2, 0);
    dx[2] = g_reshape(g_sum(recurrent, 3), SHAPE(dirs, 3 * h));
}

typedef void (*vjp_fn)(struct node *y, struct node *g, struct node **dx);

static const vjp_fn vjps[N_OPS] = {
#define OP(op, inputs, flags, shape, vjp, lower, flops) [OP_##op] = vjp_##vjp,
#include "op.def"
#undef OP
};

bool op_has_vjp(enum op op)
{
    return vjps[op];
}

void op_backward(struct node *y, struct node *g, struct node **dx)
{
    if (vjps[y->op]) {
        vjps[y->op](y, g, dx);
        return;
    }
    vjp_cut(lower(y), g, y->in, y->n_in, dx);
    for (int i = 1; i < y->n_in; i++) /* one node in two places got the sum of both */
        for (int k = 0; k < i; k++)
            if (y->in[k] == y->in[i])
                dx[i] = NULL;
}

/* The state of one reverse pass, by node id up to that of the result. */
struct pass {
    struct graph *graph;
    size_t n;
    struct node **grad; /* accumulated so far */
    bool *reached;      /* the result depends on it */
    bool *depends;      /* it depends on a wanted node */
    bool *wanted;
    bool cut;           /* wanted nodes are leaves */
};

static void mark(struct pass *p, struct node *y)
{
    p->reached[y->id] = true;
    for (size_t i = p->n; i-- > 0;) {
        struct node *n = graph_at(p->graph, i);
        if (!p->reached[i] || (p->cut && p->wanted[i]))
            continue;
        for (int k = 0; k < n->n_in; k++)
            p->reached[n->in[k]->id] = true;
    }
    for (size_t i = 0; i < p->n; i++) {
        struct node *n = graph_at(p->graph, i);
        p->depends[i] = p->wanted[i];
        for (int k = 0; k < n->n_in && p->reached[i] && !(p->cut && p->wanted[i]); k++)
            p->depends[i] |= p->depends[n->in[k]->id] && n->in[k]->dtype == F32;
        if (node_flag(n, F_NONDIFF) && !node_flag(n, F_MACRO) && !p->wanted[i])
            p->depends[i] = false;
    }
}

static void backward(struct pass *p, struct node *n)
{
    bool any = false;
    for (int k = 0; k < n->n_in; k++)
        any |= p->depends[n->in[k]->id];
    if (!any || node_flag(n, F_NONDIFF))
        return;
    struct node **dx = xcalloc((size_t)n->n_in, sizeof(*dx));
    op_backward(n, p->grad[n->id], dx);
    for (int k = 0; k < n->n_in; k++) {
        size_t id = n->in[k]->id;
        if (dx[k] && p->depends[id])
            p->grad[id] = p->grad[id] ? g_add(p->grad[id], dx[k]) : dx[k];
    }
    free(dx);
}

static void reverse(struct node *y, struct node *seed, struct node *const *wrt, int n, struct node **out,
                    bool cut)
{
    size_t size = graph_size(y->graph); /* wrt may be younger than y */
    struct pass p = { .graph = y->graph, .n = size, .cut = cut };
    p.grad = xcalloc(size, sizeof(*p.grad));
    bool *flags = xcalloc(size, 3);
    p.reached = flags;
    p.depends = flags + size;
    p.wanted = flags + 2 * size;
    for (int i = 0; i < n; i++)
        p.wanted[wrt[i]->id] = true;
    mark(&p, y);
    p.grad[y->id] = seed;
    for (size_t i = y->id + 1; i-- > 0;)
        if (p.grad[i] && p.reached[i] && !(cut && p.wanted[i]))
            backward(&p, graph_at(p.graph, i));
    for (int i = 0; i < n; i++)
        out[i] = p.grad[wrt[i]->id] ? p.grad[wrt[i]->id]
                 : wrt[i]->dtype == F32 ? g_fill(y->graph, wrt[i]->shape, 0) : NULL;
    free(p.grad);
    free(flags);
}

void vjp_cut(struct node *y, struct node *seed, struct node *const *wrt, int n, struct node **out)
{
    reverse(y, seed, wrt, n, out, true);
}

void graph_vjp(struct node *y, struct node *seed, struct node *const *wrt, int n, struct node **out)
{
    BUG_ON(!shape_same(y->shape, seed->shape));
    reverse(y, seed, wrt, n, out, false);
}

void graph_grad(struct node *loss, struct node *const *wrt, int n, struct node **out)
{
    BUG_ON(node_count(loss) != 1);
    graph_vjp(loss, g_fill(loss->graph, loss->shape, 1), wrt, n, out);
}
