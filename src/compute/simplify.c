/* simplify.c: algebraic identities, tried on every node before it is made: constants folded, neutral
 * operations dropped, chains of the same operation merged. A rule gets a prototype with its shape set and
 * returns a cheaper node of the same value, or NULL; what it builds is simplified in turn. Rules keep
 * values up to rounding; x * 0 is taken to be 0. */
#include <math.h>
#include <string.h>
#include "op.h"

static bool is_fill(const struct node *n, float value)
{
    return n->op == OP_FILL && n->attr.fill.value == value;
}

static struct node *fill_like(const struct node *n, float value)
{
    return g_fill(n->graph, n->shape, value);
}

static struct node *simplify_fold(struct node *n);

/* PAD(a) + PAD(b) over neighbouring stretches of one axis is one PAD of their CONCAT: gradients of slices
 * come back together without being added over whole zeros. */
static struct node *join_pads(struct node *n)
{
    struct node *p = n->in[0], *q = n->in[1];
    if (p->op != OP_PAD || q->op != OP_PAD || p->attr.window.axis != q->attr.window.axis)
        return NULL;
    int axis = p->attr.window.axis;
    if (p->attr.window.a > q->attr.window.a) {
        struct node *t = p;
        p = q;
        q = t;
    }
    struct node *a = p->in[0], *b = q->in[0];
    if (p->attr.window.a + a->shape.dim[axis] != q->attr.window.a)
        return NULL;
    return g_pad(g_concat((struct node *[]){ a, b }, 2, axis), axis, p->attr.window.a, q->attr.window.b);
}

static struct node *simplify_add(struct node *n)
{
    struct node *a = n->in[0], *b = n->in[1];
    if (a->op == OP_FILL)
        return g_scale(b, 1, a->attr.fill.value);
    if (b->op == OP_FILL)
        return g_scale(a, 1, b->attr.fill.value);
    if (a == b)
        return g_scale(a, 2, 0);
    return join_pads(n);
}

static struct node *simplify_sub(struct node *n)
{
    if (n->in[1]->op == OP_FILL)
        return g_scale(n->in[0], 1, -n->in[1]->attr.fill.value);
    if (n->in[0]->op == OP_FILL)
        return g_scale(n->in[1], -1, n->in[0]->attr.fill.value);
    return NULL;
}

static struct node *simplify_mul(struct node *n)
{
    for (int i = 0; i < 2; i++)
        if (n->in[i]->op == OP_FILL)
            return g_scale(n->in[!i], n->in[i]->attr.fill.value, 0);
    return NULL;
}

static struct node *simplify_div(struct node *n)
{
    if (is_fill(n->in[0], 0))
        return fill_like(n, 0);
    if (n->in[1]->op == OP_FILL)
        return g_scale(n->in[0], 1 / n->in[1]->attr.fill.value, 0);
    return NULL;
}

static struct node *simplify_scale(struct node *n)
{
    struct node *x = n->in[0];
    float a = n->attr.scale.a, b = n->attr.scale.b;
    if (a == 1 && b == 0)
        return x;
    if (a == 0)
        return fill_like(n, b);
    if (x->op == OP_FILL)
        return fill_like(n, a * x->attr.fill.value + b);
    if (x->op == OP_SCALE)
        return g_scale(x->in[0], a * x->attr.scale.a, a * x->attr.scale.b + b);
    return NULL;
}

static struct node *simplify_powc(struct node *n)
{
    if (n->attr.c == 1)
        return n->in[0];
    if (n->attr.c == 0)
        return fill_like(n, 1);
    return simplify_fold(n);
}

/* A function of one constant value. */
static struct node *simplify_fold(struct node *n)
{
    struct node *x = n->in[0];
    if (x->op != OP_FILL)
        return NULL;
    float v = x->attr.fill.value, c = n->attr.c;
    switch (n->op) {
    case OP_POWC: return fill_like(n, powf(v, c));
    case OP_EXP: return fill_like(n, expf(v));
    case OP_LOG: return fill_like(n, logf(v));
    case OP_TANH: return fill_like(n, tanhf(v));
    case OP_SIGMOID: return fill_like(n, 1 / (1 + expf(-v)));
    case OP_LEAKY: return fill_like(n, v > 0 ? v : c * v);
    case OP_STEP: return fill_like(n, v > 0 ? 1 : c);
    case OP_RESHAPE: case OP_EXPAND: case OP_PERMUTE: case OP_SLICE: return fill_like(n, v);
    case OP_MAX: return fill_like(n, v);
    default: return NULL;
    }
}

static struct node *simplify_select(struct node *n)
{
    struct node *m = n->in[0];
    if (m->op == OP_FILL)
        return m->attr.fill.value != 0 ? n->in[1] : n->in[2];
    return n->in[1] == n->in[2] ? n->in[1] : NULL;
}

static struct node *simplify_sum(struct node *n)
{
    struct node *x = n->in[0];
    double count = (double)node_count(x) / (double)node_count(n);
    if (x->op == OP_FILL)
        return fill_like(n, (float)(x->attr.fill.value * count));
    if (x->op == OP_SCALE && x->attr.scale.b == 0)
        return g_scale(g_sum(x->in[0], n->attr.reduce.axes), x->attr.scale.a, 0);
    if (x->op == OP_EXPAND) { /* what was repeated and is summed again is a factor */
        unsigned both = shape_diff(x->in[0]->shape, x->shape) & n->attr.reduce.axes;
        struct shape part = x->shape;
        double times = 1;
        for (int i = 0; i < part.rank; i++)
            if (both >> i & 1) {
                times *= part.dim[i];
                part.dim[i] = 1;
            }
        if (both)
            return g_scale(g_sum(g_expand(x->in[0], part), n->attr.reduce.axes), (float)times, 0);
    }
    return NULL;
}

static struct node *simplify_expand(struct node *n)
{
    struct node *x = n->in[0];
    if (shape_same(n->shape, x->shape))
        return x;
    if (x->op == OP_EXPAND)
        return g_expand(x->in[0], n->shape);
    return simplify_fold(n);
}

static struct node *simplify_reshape(struct node *n)
{
    struct node *x = n->in[0];
    if (shape_same(n->shape, x->shape))
        return x;
    if (x->op == OP_RESHAPE)
        return g_reshape(x->in[0], n->shape);
    return simplify_fold(n);
}

static struct node *simplify_permute(struct node *n)
{
    struct node *x = n->in[0];
    const int32_t *order = n->attr.order;
    int through[MAX_RANK], last = -1;
    bool moves = false; /* does any axis longer than 1 change places? */
    for (int i = 0; i < n->shape.rank; i++)
        if (n->shape.dim[i] > 1) {
            moves |= order[i] < last;
            last = order[i];
        }
    if (!moves)
        return g_reshape(x, n->shape);
    if (x->op == OP_PERMUTE) {
        for (int i = 0; i < n->shape.rank; i++)
            through[i] = x->attr.order[order[i]];
        return g_permute(x->in[0], through);
    }
    return simplify_fold(n);
}

static struct node *slice_of_concat(struct node *n)
{
    int axis = n->attr.window.axis;
    int32_t from = n->attr.window.a, count = n->attr.window.b, at = 0;
    struct node *x = n->in[0];
    if (x->attr.axis != axis)
        return NULL;
    for (int i = 0; i < x->n_in; i++) {
        int32_t size = x->in[i]->shape.dim[axis];
        if (from >= at && from + count <= at + size)
            return g_slice(x->in[i], axis, from - at, count);
        at += size;
    }
    return NULL;
}

static struct node *simplify_slice(struct node *n)
{
    struct node *x = n->in[0];
    int axis = n->attr.window.axis;
    int32_t from = n->attr.window.a, count = n->attr.window.b;
    if (shape_same(n->shape, x->shape))
        return x;
    bool same_axis = (x->op == OP_SLICE || x->op == OP_PAD) && x->attr.window.axis == axis;
    if (x->op == OP_SLICE && same_axis)
        return g_slice(x->in[0], axis, x->attr.window.a + from, count);
    if (x->op == OP_PAD && same_axis) {
        int32_t start = from - x->attr.window.a, size = x->in[0]->shape.dim[axis];
        if (start >= 0 && start + count <= size)
            return g_slice(x->in[0], axis, start, count);
    }
    if (x->op == OP_CONCAT) {
        struct node *piece = slice_of_concat(n);
        if (piece)
            return piece;
    }
    return simplify_fold(n);
}

static struct node *simplify_pad(struct node *n)
{
    struct node *x = n->in[0];
    if (shape_same(n->shape, x->shape))
        return x;
    if (is_fill(x, 0))
        return fill_like(n, 0);
    if (x->op == OP_PAD && x->attr.window.axis == n->attr.window.axis)
        return g_pad(x->in[0], n->attr.window.axis, x->attr.window.a + n->attr.window.a,
                     x->attr.window.b + n->attr.window.b);
    return NULL;
}

static struct node *simplify_concat(struct node *n)
{
    enum { MOST = 64 };
    struct node *flat[MOST];
    int count = 0;
    if (n->n_in == 1)
        return n->in[0];
    for (int i = 0; i < n->n_in; i++) { /* a CONCAT within a CONCAT is one */
        struct node *x = n->in[i];
        bool nested = x->op == OP_CONCAT && x->attr.axis == n->attr.axis;
        int take = nested ? x->n_in : 1;
        if (count + take > MOST)
            return NULL;
        memcpy(flat + count, nested ? x->in : &n->in[i], (size_t)take * sizeof(*flat));
        count += take;
    }
    return count > n->n_in ? g_concat(flat, count, n->attr.axis) : NULL;
}

static struct node *simplify_reflect(struct node *n)
{
    return shape_same(n->shape, n->in[0]->shape) ? n->in[0] : NULL;
}

typedef struct node *(*rule_fn)(struct node *n);

static const rule_fn rules[N_OPS] = {
    [OP_ADD] = simplify_add,         [OP_SUB] = simplify_sub,         [OP_MUL] = simplify_mul,
    [OP_DIV] = simplify_div,         [OP_SCALE] = simplify_scale,     [OP_POWC] = simplify_powc,
    [OP_EXP] = simplify_fold,        [OP_LOG] = simplify_fold,        [OP_TANH] = simplify_fold,
    [OP_SIGMOID] = simplify_fold,    [OP_LEAKY] = simplify_fold,      [OP_STEP] = simplify_fold,
    [OP_SELECT] = simplify_select,   [OP_SUM] = simplify_sum,         [OP_MAX] = simplify_fold,
    [OP_EXPAND] = simplify_expand,   [OP_RESHAPE] = simplify_reshape, [OP_PERMUTE] = simplify_permute,
    [OP_SLICE] = simplify_slice,     [OP_PAD] = simplify_pad,         [OP_CONCAT] = simplify_concat,
    [OP_REFLECT] = simplify_reflect, [OP_UNREFLECT] = simplify_reflect,
};

/* An element-wise op whose inputs were all repeated from one shape runs before the repetition. */
static struct node *before_expand(struct node *n)
{
    struct node *in[3];
    if (n->n_in < 1 || n->n_in > 3)
        return NULL;
    for (int i = 0; i < n->n_in; i++) {
        if (n->in[i]->op != OP_EXPAND || !shape_same(n->in[i]->in[0]->shape, n->in[0]->in[0]->shape))
            return NULL;
        in[i] = n->in[i]->in[0];
    }
    return g_expand(node_make(n->graph, n->op, &n->attr, in, n->n_in), n->shape);
}

struct node *simplify(struct node *n)
{
    struct node *simpler = rules[n->op] ? rules[n->op](n) : NULL;
    return simpler || !node_flag(n, F_ELEM) ? simpler : before_expand(n);
}
