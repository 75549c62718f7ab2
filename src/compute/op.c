/* op.c: the rows of the op table: for each op its name, arity, flags, shape rule and operation count.
 *
 * A shape rule looks at the prototype of a node (inputs and attributes set), sets its shape and dtype, and
 * returns NULL or one clause that says what does not fit. */
#include <ctype.h>
#include <string.h>
#include "op.h"

#define NEED(cond, complaint) do { if (!(cond)) return complaint; } while (0)
#define TRY_SHAPE(rule) do { const char *why_ = (rule); if (why_) return why_; } while (0)

static bool axis_ok(const struct node *n, int32_t axis)
{
    return axis >= 0 && axis < n->in[0]->shape.rank;
}

static const char *shape_any(struct node *n)
{
    n->shape = n->in[0]->shape;
    n->dtype = n->in[0]->dtype;
    return NULL;
}

static const char *shape_leaf(struct node *n)
{
    n->shape = n->attr.fill.shape;
    for (int i = 0; i < n->shape.rank; i++)
        NEED(n->shape.dim[i] > 0, "sizes must be positive");
    return NULL;
}

static const char *shape_alike(struct node *n)
{
    for (int i = 0; i < n->n_in; i++) {
        NEED(shape_same(n->in[i]->shape, n->in[0]->shape), "inputs differ in shape");
        NEED(n->in[i]->dtype == F32, "inputs must be float");
    }
    return shape_any(n);
}

static const char *shape_matmul(struct node *n)
{
    struct shape a = n->in[0]->shape, b = n->in[1]->shape;
    NEED(a.rank >= 2 && b.rank >= 2 && (b.rank == a.rank || b.rank == 2), "ranks do not fit");
    bool ta = n->attr.matmul.ta, tb = n->attr.matmul.tb;
    NEED(a.rank == 2 || b.rank > 2 || !ta, "a shared second factor needs an untransposed first");
    int32_t m = a.dim[a.rank - 1 - !ta], ka = a.dim[a.rank - 1 - ta];
    int32_t kb = b.dim[b.rank - 1 - !tb], cols = b.dim[b.rank - 1 - tb];
    NEED(ka == kb, "inner sizes differ");
    if (b.rank > 2)
        NEED(memcmp(a.dim, b.dim, (size_t)(a.rank - 2) * sizeof(a.dim[0])) == 0, "leading axes differ");
    n->shape = a;
    n->shape.dim[a.rank - 2] = m;
    n->shape.dim[a.rank - 1] = cols;
    return NULL;
}

/* Positions of the small side for a large side of `size`; 0 when the kernel does not fit. */
static int32_t conv_positions(const struct geom *g, int axis, int32_t size)
{
    int32_t room = size + g->lo[axis] + g->hi[axis] - g->kernel[axis];
    return room < 0 || g->stride[axis] < 1 ? 0 : room / g->stride[axis] + 1;
}

static const char *shape_conv(struct node *n)
{
    struct shape x = n->in[0]->shape, w = n->in[1]->shape;
    NEED(x.rank == 5 && w.rank == 5, "ranks must be 5");
    NEED(x.dim[4] == w.dim[3], "input channels differ");
    n->shape = x;
    n->shape.dim[4] = w.dim[4];
    for (int i = 0; i < 3; i++) {
        NEED(w.dim[i] == n->attr.conv.geom.kernel[i], "weights differ from the kernel size");
        n->shape.dim[i + 1] = conv_positions(&n->attr.conv.geom, i, x.dim[i + 1]);
        NEED(n->shape.dim[i + 1] > 0, "the kernel is larger than the padded input");
    }
    return NULL;
}

static const char *shape_conv_t(struct node *n)
{
    struct shape y = n->in[0]->shape, w = n->in[1]->shape;
    NEED(y.rank == 5 && w.rank == 5, "ranks must be 5");
    NEED(y.dim[4] == w.dim[4], "output channels differ");
    n->shape = y;
    n->shape.dim[4] = w.dim[3];
    for (int i = 0; i < 3; i++) {
        int32_t size = n->attr.conv.size[i];
        NEED(w.dim[i] == n->attr.conv.geom.kernel[i], "weights differ from the kernel size");
        NEED(conv_positions(&n->attr.conv.geom, i, size) == y.dim[i + 1], "the wanted size does not fit");
        n->shape.dim[i + 1] = size;
    }
    return NULL;
}

static const char *shape_conv_w(struct node *n)
{
    struct shape x = n->in[0]->shape, y = n->in[1]->shape;
    NEED(x.rank == 5 && y.rank == 5, "ranks must be 5");
    NEED(x.dim[0] == y.dim[0], "batches differ");
    n->shape.rank = 5;
    for (int i = 0; i < 3; i++) {
        NEED(conv_positions(&n->attr.conv.geom, i, x.dim[i + 1]) == y.dim[i + 1], "sizes do not fit");
        n->shape.dim[i] = n->attr.conv.geom.kernel[i];
    }
    n->shape.dim[3] = x.dim[4];
    n->shape.dim[4] = y.dim[4];
    return NULL;
}

static const char *shape_reduce(struct node *n)
{
    n->shape = n->in[0]->shape;
    NEED(n->attr.reduce.axes < 1u << n->shape.rank, "no such axis");
    for (int i = 0; i < n->shape.rank; i++)
        if (n->attr.reduce.axes >> i & 1)
            n->shape.dim[i] = 1;
    return NULL;
}

static const char *shape_expand(struct node *n)
{
    struct shape from = n->in[0]->shape, to = n->attr.fill.shape;
    NEED(from.rank == to.rank, "ranks differ");
    for (int i = 0; i < to.rank; i++)
        NEED(to.dim[i] > 0 && (from.dim[i] == to.dim[i] || from.dim[i] == 1), "only axes of size 1 can grow");
    n->shape = to;
    return NULL;
}

static const char *shape_axis(struct node *n)
{
    NEED(axis_ok(n, n->attr.axis), "no such axis");
    return shape_any(n);
}

static const char *shape_logsumexp(struct node *n)
{
    NEED(axis_ok(n, n->attr.axis), "no such axis");
    n->shape = n->in[0]->shape;
    n->shape.dim[n->attr.axis] = 1;
    return NULL;
}

static const char *shape_argmax(struct node *n)
{
    n->dtype = I32;
    return shape_logsumexp(n);
}

static const char *shape_reshape(struct node *n)
{
    n->shape = n->attr.fill.shape;
    n->dtype = n->in[0]->dtype;
    for (int i = 0; i < n->shape.rank; i++)
        NEED(n->shape.dim[i] > 0, "sizes must be positive");
    NEED(shape_count(n->shape) == node_count(n->in[0]), "the number of elements changes");
    return NULL;
}

static const char *shape_permute(struct node *n)
{
    unsigned seen = 0;
    n->shape = n->in[0]->shape;
    for (int i = 0; i < n->shape.rank; i++) {
        NEED(axis_ok(n, n->attr.order[i]) && !(seen >> n->attr.order[i] & 1), "not a permutation");
        seen |= 1u << n->attr.order[i];
        n->shape.dim[i] = n->in[0]->shape.dim[n->attr.order[i]];
    }
    return NULL;
}

static const char *shape_slice(struct node *n)
{
    int32_t axis = n->attr.window.axis, from = n->attr.window.a, count = n->attr.window.b;
    NEED(axis_ok(n, axis), "no such axis");
    shape_any(n);
    NEED(from >= 0 && count > 0 && from <= n->shape.dim[axis] - count, "outside the axis");
    n->shape.dim[axis] = count;
    return NULL;
}

static const char *shape_pad(struct node *n)
{
    int32_t axis = n->attr.window.axis;
    NEED(axis_ok(n, axis), "no such axis");
    NEED(n->attr.window.a >= 0 && n->attr.window.b >= 0, "negative padding");
    n->shape = n->in[0]->shape;
    n->shape.dim[axis] += n->attr.window.a + n->attr.window.b;
    return NULL;
}

static const char *shape_reflect(struct node *n)
{
    TRY_SHAPE(shape_pad(n));
    int32_t size = n->in[0]->shape.dim[n->attr.window.axis];
    NEED(n->attr.window.a < size && n->attr.window.b < size, "reflection reaches beyond the axis");
    return NULL;
}

static const char *shape_unreflect(struct node *n)
{
    int32_t axis = n->attr.window.axis;
    NEED(axis_ok(n, axis), "no such axis");
    n->shape = n->in[0]->shape;
    n->shape.dim[axis] -= n->attr.window.a + n->attr.window.b;
    NEED(n->attr.window.a >= 0 && n->attr.window.b >= 0, "negative padding");
    NEED(n->attr.window.a < n->shape.dim[axis] && n->attr.window.b < n->shape.dim[axis],
         "reflection reaches beyond the axis");
    return NULL;
}

static const char *shape_concat(struct node *n)
{
    int32_t axis = n->attr.axis;
    NEED(n->n_in > 0 && axis_ok(n, axis), "no such axis");
    shape_any(n);
    n->shape.dim[axis] = 0;
    for (int i = 0; i < n->n_in; i++) {
        struct shape s = n->in[i]->shape;
        NEED(s.rank == n->shape.rank && n->in[i]->dtype == n->dtype, "ranks differ");
        for (int k = 0; k < s.rank; k++)
            NEED(k == axis || s.dim[k] == n->shape.dim[k], "other axes differ");
        n->shape.dim[axis] += s.dim[axis];
    }
    return NULL;
}

static const char *shape_gather(struct node *n)
{
    struct shape table = n->in[0]->shape, idx = n->in[1]->shape;
    NEED(n->in[1]->dtype == I32, "indices must be integers");
    NEED(table.rank == 2 && idx.rank < MAX_RANK, "the table must have rank 2");
    n->shape = idx;
    n->shape.dim[n->shape.rank++] = table.dim[1];
    return NULL;
}

static const char *shape_scatter(struct node *n)
{
    struct shape g = n->in[0]->shape, idx = n->in[1]->shape;
    NEED(n->in[1]->dtype == I32, "indices must be integers");
    NEED(g.rank == idx.rank + 1 && n->attr.rows > 0, "ranks do not fit");
    NEED(memcmp(g.dim, idx.dim, (size_t)idx.rank * sizeof(idx.dim[0])) == 0, "rows and indices differ");
    n->shape = SHAPE(n->attr.rows, g.dim[g.rank - 1]);
    return NULL;
}

static const char *shape_random(struct node *n)
{
    NEED(n->in[0]->dtype == I32 && node_count(n->in[0]) == 2, "the seed must be two integers");
    n->shape = n->attr.random.shape;
    return NULL;
}

static const char *shape_store(struct node *n)
{
    NEED(node_is(n->in[1], OP_PARAM), "only a param can be written");
    NEED(shape_same(n->in[0]->shape, n->in[1]->shape), "the state has another shape");
    return shape_any(n);
}

static const char *shape_attend_step(struct node *n)
{
    struct shape q = n->in[0]->shape, cache = n->in[3]->shape;
    NEED(q.rank == 2 && cache.rank == 3, "ranks do not fit");
    NEED(q.dim[0] == cache.dim[0] && q.dim[1] == cache.dim[2], "query and cache differ");
    for (int i = 1; i < 3; i++)
        NEED(shape_same(q, n->in[i]->shape), "query, key and value differ");
    NEED(shape_same(cache, n->in[4]->shape), "the caches differ");
    NEED(node_is(n->in[3], OP_PARAM) && node_is(n->in[4], OP_PARAM), "the caches must be params");
    NEED(n->in[5]->dtype == I32 && shape_same(n->in[5]->shape, SHAPE(q.dim[0])), "one position a row");
    NEED(n->attr.attention.heads > 0 && q.dim[1] % n->attr.attention.heads == 0,
         "heads do not divide the width");
    return shape_any(n);
}

static const char *shape_linear(struct node *n)
{
    NEED(n->n_in == 2 || n->n_in == 3, "needs two or three inputs");
    struct shape x = n->in[0]->shape, w = n->in[1]->shape;
    NEED(x.rank >= 1 && w.rank == 2 && x.dim[x.rank - 1] == w.dim[0], "input and weights do not fit");
    if (n->n_in == 3)
        NEED(shape_same(n->in[2]->shape, SHAPE(w.dim[1])), "the bias does not fit");
    n->shape = x;
    n->shape.dim[x.rank - 1] = w.dim[1];
    return NULL;
}

static const char *shape_norm(struct node *n)
{
    TRY_SHAPE(shape_alike(n));
    NEED(n->attr.reduce.axes < 1u << n->shape.rank && n->attr.reduce.axes, "no such axis");
    return NULL;
}

static const char *shape_xent_inputs(const struct node *logits, const struct node *target)
{
    NEED(logits->shape.rank == 2, "logits must have rank 2");
    NEED(target->dtype == I32 && shape_same(target->shape, SHAPE(logits->shape.dim[0])), "one target a row");
    return NULL;
}

static const char *shape_xent(struct node *n)
{
    n->shape.rank = 0;
    return shape_xent_inputs(n->in[0], n->in[1]);
}

static const char *shape_xent_dx(struct node *n)
{
    NEED(n->in[2]->shape.rank == 0, "the gradient must be a scalar");
    shape_any(n);
    return shape_xent_inputs(n->in[0], n->in[1]);
}

static const char *shape_attention_inputs(struct node *n, int first)
{
    struct shape q = n->in[first]->shape;
    NEED(n->n_in == first + 3 || n->n_in == first + 4, "wrong number of inputs");
    for (int i = 0; i < first + 3; i++)
        NEED(shape_same(n->in[i]->shape, q), "query, key and value differ");
    NEED(q.rank == 3, "ranks must be 3");
    NEED(n->attr.attention.heads > 0 && q.dim[2] % n->attr.attention.heads == 0,
         "heads do not divide the width");
    if (n->n_in == first + 4)
        NEED(n->in[first + 3]->dtype == I32 && shape_same(n->in[first + 3]->shape, SHAPE(q.dim[0])),
             "one length a row");
    n->shape = q;
    return NULL;
}

static const char *shape_attention(struct node *n)
{
    return shape_attention_inputs(n, 0);
}

static const char *shape_attention_dx(struct node *n)
{
    TRY_SHAPE(shape_attention_inputs(n, 1));
    n->shape = SHAPE(3, n->shape.dim[0], n->shape.dim[1], n->shape.dim[2]);
    return NULL;
}

/* xw [N,T,D,3H], u [D,H,3H], c [D,3H], from input `first` on; the states are [N,T,D H]. */
static const char *shape_gru_inputs(struct node *n, int first)
{
    struct shape x = n->in[first]->shape;
    NEED(x.rank == 4 && x.dim[3] % 3 == 0, "the inputs must be [N,T,D,3H]");
    int32_t dirs = x.dim[2], h = x.dim[3] / 3;
    NEED(dirs == 1 || dirs == 2, "one or two directions");
    NEED(shape_same(n->in[first + 1]->shape, SHAPE(dirs, h, 3 * h)), "the recurrent weights do not fit");
    NEED(shape_same(n->in[first + 2]->shape, SHAPE(dirs, 3 * h)), "the recurrent bias does not fit");
    n->shape = SHAPE(x.dim[0], x.dim[1], dirs * h);
    return NULL;
}

static const char *shape_gru(struct node *n)
{
    return shape_gru_inputs(n, 0);
}

static const char *shape_gru_dx(struct node *n)
{
    TRY_SHAPE(shape_gru_inputs(n, 1));
    NEED(shape_same(n->in[0]->shape, n->shape) && shape_same(n->in[4]->shape, n->shape), "states and gradient differ");
    struct shape x = n->in[1]->shape;
    n->shape = SHAPE(x.dim[0], x.dim[1], x.dim[2], x.dim[3] / 3 * 4);
    return NULL;
}

static double flops_none(const struct node *n)
{
    return 0 * (double)n->id;
}

static double flops_elem(const struct node *n)
{
    return (double)node_count(n);
}

static double flops_reduce(const struct node *n)
{
    return (double)node_count(n->in[0]);
}

static double flops_norm(const struct node *n)
{
    return 8.0 * (double)node_count(n);
}

static double flops_matmul(const struct node *n)
{
    struct shape a = n->in[0]->shape;
    return 2.0 * (double)node_count(n) * a.dim[a.rank - 1 - n->attr.matmul.ta];
}

static double flops_linear(const struct node *n)
{
    return 2.0 * (double)node_count(n) * n->in[1]->shape.dim[0];
}

/* Positions of the small side times the whole kernel. */
static double conv_work(struct shape y, struct shape w)
{
    return 2.0 * (double)shape_count(y) / y.dim[4] * (double)shape_count(w);
}

static double flops_conv(const struct node *n)
{
    return conv_work(n->shape, n->in[1]->shape);
}

static double flops_conv_t(const struct node *n)
{
    return conv_work(n->in[0]->shape, n->in[1]->shape);
}

static double flops_conv_w(const struct node *n)
{
    return conv_work(n->in[1]->shape, n->shape);
}

static double flops_attention(const struct node *n)
{
    struct shape q = n->in[0]->shape;
    return (n->attr.attention.causal ? 2.0 : 4.0) * (double)shape_count(q) * q.dim[1];
}

static double flops_attention_dx(const struct node *n)
{
    return 2.5 * flops_attention(n);
}

static double flops_gru(const struct node *n)
{
    return 2.0 * (double)node_count(n) * n->in[2]->shape.dim[1];
}

static double flops_gru_dx(const struct node *n)
{
    return 4.0 * (double)node_count(n->in[0]) * n->in[3]->shape.dim[1];
}

const struct op_row op_rows[N_OPS] = {
#define OP(op, inputs, op_flags, shape_rule, vjp, lower, count) \
    [OP_##op] = { .name = #op, .n_in = inputs, .flags = op_flags, .shape = shape_##shape_rule, \
                  .flops = flops_##count },
#include "op.def"
#undef OP
};

const char *op_table_fault(void)
{
    for (int op = 0; op < N_OPS; op++) {
        const struct op_row *r = &op_rows[op];
        bool macro = r->flags & F_MACRO, leaf = r->flags & F_LEAF, nondiff = r->flags & F_NONDIFF;
        if (!r->shape || !r->flops || macro != op_has_lowering(op))
            return r->name;
        if (!macro && !leaf && nondiff == op_has_vjp(op))
            return r->name;
    }
    return NULL;
}

double op_flops(const struct node *n)
{
    return op_rows[n->op].flops(n);
}

void op_print(const struct node *n, char *buf, size_t cap)
{
    const union attr *a = &n->attr;
    char name[24];
    size_t i = 0;
    for (; op_rows[n->op].name[i] && i + 1 < sizeof(name); i++)
        name[i] = (char)tolower((unsigned char)op_rows[n->op].name[i]);
    name[i] = 0;
    switch (n->op) {
    case OP_INPUT: case OP_PARAM: snprintf(buf, cap, "%s \"%s\"", name, n->name); return;
    case OP_FILL: snprintf(buf, cap, "%s %g", name, (double)a->fill.value); return;
    case OP_MATMUL:
        snprintf(buf, cap, "%s%s%s", name, a->matmul.ta ? " ta" : "", a->matmul.tb ? " tb" : "");
        return;
    case OP_SCALE: snprintf(buf, cap, "%s %g x + %g", name, (double)a->scale.a, (double)a->scale.b); return;
    case OP_POWC: case OP_LEAKY: case OP_STEP: snprintf(buf, cap, "%s %g", name, (double)a->c); return;
    case OP_SUM: case OP_MAX: case OP_NORM: case OP_NORM_DX:
        snprintf(buf, cap, "%s axes 0x%x", name, a->reduce.axes);
        return;
    case OP_ARGMAX: case OP_SOFTMAX: case OP_LOGSUMEXP: case OP_CONCAT:
        snprintf(buf, cap, "%s axis %d", name, a->axis);
        return;
    case OP_SLICE: case OP_PAD: case OP_REFLECT: case OP_UNREFLECT:
        snprintf(buf, cap, "%s axis %d: %d %d", name, a->window.axis, a->window.a, a->window.b);
        return;
    case OP_CONV: case OP_CONV_T: case OP_CONV_W:
        snprintf(buf, cap, "%s %dx%dx%d / %d,%d,%d", name, a->conv.geom.kernel[0], a->conv.geom.kernel[1],
                 a->conv.geom.kernel[2], a->conv.geom.stride[0], a->conv.geom.stride[1],
                 a->conv.geom.stride[2]);
        return;
    default: snprintf(buf, cap, "%s", name); return;
    }
}

bool span_of(struct shape s, unsigned axes, struct span *out)
{
    *out = (struct span){ 1, 1, 1 };
    int state = 0; /* 0 before, 1 within, 2 after the run */
    for (int i = 0; i < s.rank; i++) {
        size_t d = (size_t)s.dim[i];
        if (d == 1)
            continue;
        bool in = axes >> i & 1;
        if (in && state == 2)
            return false;
        state = in ? 1 : state ? 2 : 0;
        *(state == 0 ? &out->outer : state == 1 ? &out->mid : &out->inner) *= d;
    }
    return true;
}

unsigned shape_diff(struct shape from, struct shape to)
{
    unsigned axes = 0;
    for (int i = 0; i < to.rank; i++)
        if (from.dim[i] != to.dim[i])
            axes |= 1u << i;
    return axes;
}
