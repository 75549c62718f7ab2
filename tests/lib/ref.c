/* ref.c: every op of the table in double precision, written for plainness. Macros are computed from their
 * definition, not from their lowering, so that lowerings are checked too; only the derivative macros are the
 * values of their lowerings, which the finite differences of the tests check. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "compute/op.h"
#include "ref.h"
#include "rng.h"

struct ref { struct graph *graph; double **value; bool *fresh; size_t n; };

struct ref *ref_new(struct graph *g)
{
    struct ref *r = xcalloc(1, sizeof(*r));
    r->graph = g;
    return r;
}

static void make_room(struct ref *r)
{
    size_t n = graph_size(r->graph);
    if (n <= r->n)
        return;
    r->value = xrealloc(r->value, n * sizeof(*r->value));
    r->fresh = xrealloc(r->fresh, n * sizeof(*r->fresh));
    for (; r->n < n; r->n++) {
        r->value[r->n] = NULL;
        r->fresh[r->n] = false;
    }
}

void ref_free(struct ref *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->value[i]);
    free(r->value);
    free(r->fresh);
    free(r);
}

void ref_reset(struct ref *r)
{
    memset(r->fresh, 0, r->n * sizeof(*r->fresh));
}

static double *memory(struct ref *r, const struct node *n)
{
    make_room(r);
    if (!r->value[n->id])
        r->value[n->id] = xcalloc(node_count(n), sizeof(double));
    return r->value[n->id];
}

double *ref_leaf(struct ref *r, const struct node *leaf)
{
    return memory(r, leaf);
}

/* What an op's function sees: its node, the inputs' values, the result. */
struct eval { const struct node *n; const double *in[64]; double *out; size_t count; };

/* Position in the last-axis-fastest order of `s`. */
static void unravel(struct shape s, size_t i, int32_t at[MAX_RANK])
{
    for (int k = s.rank; k-- > 0; i /= (size_t)s.dim[k])
        at[k] = (int32_t)(i % (size_t)s.dim[k]);
}

static size_t ravel(struct shape s, const int32_t at[MAX_RANK])
{
    size_t i = 0;
    for (int k = 0; k < s.rank; k++)
        i = i * (size_t)s.dim[k] + (size_t)at[k];
    return i;
}

/* Where the elements of `s`, one after the other, lie in `small`, whose axes are as long or 1. */
struct walk { struct shape s; int32_t at[MAX_RANK]; size_t stride[MAX_RANK], here; };

static struct walk walk_new(struct shape s, struct shape small)
{
    struct walk w = { .s = s };
    size_t inner = 1;
    for (int k = s.rank; k-- > 0; inner *= (size_t)small.dim[k])
        w.stride[k] = small.dim[k] == 1 ? 0 : inner;
    return w;
}

static size_t walk_next(struct walk *w)
{
    size_t here = w->here;
    for (int k = w->s.rank; k-- > 0;) {
        w->here += w->stride[k];
        if (++w->at[k] < w->s.dim[k])
            break;
        w->here -= w->stride[k] * (size_t)w->s.dim[k];
        w->at[k] = 0;
    }
    return here;
}

static double element(const struct node *n, double a, double b, double c)
{
    double p = (double)n->attr.c;
    switch (n->op) {
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_MUL: return a * b;
    case OP_DIV: return a / b;
    case OP_SCALE: return (double)n->attr.scale.a * a + (double)n->attr.scale.b;
    case OP_POWC: return pow(a, p);
    case OP_EXP: return exp(a);
    case OP_LOG: return log(a);
    case OP_TANH: return tanh(a);
    case OP_SIGMOID: return 1 / (1 + exp(-a));
    case OP_LEAKY: return a > 0 ? a : p * a;
    case OP_STEP: return a > 0 ? 1 : p;
    case OP_GE: return a >= b;
    case OP_SELECT: return a != 0 ? b : c;
    case OP_GELU: return a / 2 * (1 + tanh(0.7978845608028654 * (a + 0.044715 * a * a * a)));
    default: BUG_ON(true); return 0;
    }
}

static void eval_elem(struct eval *e)
{
    for (size_t i = 0; i < e->count; i++)
        e->out[i] = element(e->n, e->in[0][i], e->n->n_in > 1 ? e->in[1][i] : 0, e->n->n_in > 2 ? e->in[2][i] : 0);
}

static void eval_fill(struct eval *e)
{
    for (size_t i = 0; i < e->count; i++)
        e->out[i] = (double)e->n->attr.fill.value;
}

static void eval_const(struct eval *e)
{
    for (size_t i = 0; i < e->count; i++)
        e->out[i] = (double)e->n->data[i];
}

static void eval_copy(struct eval *e)
{
    memcpy(e->out, e->in[0], e->count * sizeof(double));
}

static void eval_matmul(struct eval *e)
{
    struct shape a = e->n->in[0]->shape;
    bool ta = e->n->attr.matmul.ta, tb = e->n->attr.matmul.tb, shared = e->n->in[1]->shape.rank == 2;
    size_t n = (size_t)e->n->shape.dim[a.rank - 1], m = (size_t)e->n->shape.dim[a.rank - 2];
    size_t k = (size_t)a.dim[a.rank - 1 - ta];
    memset(e->out, 0, e->count * sizeof(double));
    for (size_t i = 0; i < e->count / n; i++) {
        size_t batch = i / m, row = i % m;
        const double *x = e->in[0] + batch * m * k, *y = e->in[1] + (shared ? 0 : batch * k * n);
        for (size_t l = 0; l < k; l++)
            for (size_t col = 0; col < n; col++)
                e->out[i * n + col] += x[ta ? l * m + row : row * k + l] * y[tb ? col * k + l : l * n + col];
    }
}

/* One position of y and one tap: all pairs of their channels. */
static void channel_pairs(enum op op, size_t n_in, size_t n_out, const double *x, const double *w, const double *y, double *dst)
{
    for (size_t i = 0; i < n_in; i++) {
        double sum = 0;
        if (op == OP_CONV)
            for (size_t o = 0; o < n_out; o++)
                dst[o] += x[i] * w[i * n_out + o];
        else if (op == OP_CONV_W)
            for (size_t o = 0; o < n_out; o++)
                dst[i * n_out + o] += x[i] * y[o];
        else
            for (size_t o = 0; o < n_out; o++)
                sum += y[o] * w[i * n_out + o];
        if (op == OP_CONV_T)
            dst[i] += sum;
    }
}

/* All (x, w, y) element triples of a convolution; dst is the one that is written. */
static void conv_triples(const struct node *n, struct shape x, struct shape y, const double *px, const double *pw,
                         const double *py, double *dst)
{
    const struct geom *g = &n->attr.conv.geom;
    struct shape taps = SHAPE(g->kernel[0], g->kernel[1], g->kernel[2]);
    size_t n_in = (size_t)x.dim[4], n_out = (size_t)y.dim[4];
    memset(dst, 0, node_count(n) * sizeof(*dst));
    for (size_t at_y = 0; at_y < shape_count(y) / n_out; at_y++)
        for (size_t tap = 0; tap < shape_count(taps); tap++) {
            int32_t out[MAX_RANK], at[MAX_RANK], in[MAX_RANK] = { 0 };
            bool inside = true;
            unravel(y, at_y * n_out, out);
            unravel(taps, tap, at);
            in[0] = out[0];
            for (int i = 0; i < 3; i++) {
                in[i + 1] = out[i + 1] * g->stride[i] + at[i] - g->lo[i];
                inside &= in[i + 1] >= 0 && in[i + 1] < x.dim[i + 1];
            }
            if (!inside)
                continue;
            size_t xi = ravel(x, in), wi = tap * n_in * n_out, yi = at_y * n_out;
            channel_pairs(n->op, n_in, n_out, px ? px + xi : NULL, pw ? pw + wi : NULL, py ? py + yi : NULL,
                          dst + (n->op == OP_CONV ? yi : n->op == OP_CONV_T ? xi : wi));
        }
}

static void eval_conv(struct eval *e)
{
    const struct node *n = e->n;
    struct shape a = n->in[0]->shape, b = n->in[1]->shape;
    if (n->op == OP_CONV)
        conv_triples(n, a, n->shape, e->in[0], e->in[1], NULL, e->out);
    else if (n->op == OP_CONV_T)
        conv_triples(n, n->shape, a, NULL, e->in[1], e->in[0], e->out);
    else
        conv_triples(n, a, b, e->in[0], NULL, e->in[1], e->out);
}

static void eval_sum(struct eval *e)
{
    memset(e->out, 0, e->count * sizeof(double));
    struct walk w = walk_new(e->n->in[0]->shape, e->n->shape);
    for (size_t i = 0; i < node_count(e->n->in[0]); i++)
        e->out[walk_next(&w)] += e->in[0][i];
}

static void eval_max(struct eval *e)
{
    for (size_t i = 0; i < e->count; i++)
        e->out[i] = -INFINITY;
    struct walk w = walk_new(e->n->in[0]->shape, e->n->shape);
    for (size_t i = 0; i < node_count(e->n->in[0]); i++) {
        double *d = &e->out[walk_next(&w)];
        *d = fmax(*d, e->in[0][i]);
    }
}

static void eval_expand(struct eval *e)
{
    struct walk w = walk_new(e->n->shape, e->n->in[0]->shape);
    for (size_t i = 0; i < e->count; i++)
        e->out[i] = e->in[0][walk_next(&w)];
}

/* fn on every line along the axis; lines have a stride in input and output. */
typedef void (*line_fn)(const double *x, double *d, size_t n, size_t stride);

static void each_line(struct eval *e, line_fn fn)
{
    struct shape s = e->n->in[0]->shape;
    size_t n = (size_t)s.dim[e->n->attr.axis], inner = 1, out_n = (size_t)e->n->shape.dim[e->n->attr.axis];
    for (int i = e->n->attr.axis + 1; i < s.rank; i++)
        inner *= (size_t)s.dim[i];
    for (size_t o = 0; o < shape_count(s) / n / inner; o++)
        for (size_t c = 0; c < inner; c++)
            fn(e->in[0] + o * n * inner + c, e->out + o * out_n * inner + c, n, inner);
}

static double line_logsumexp(const double *x, size_t n, size_t stride)
{
    double max = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        max = fmax(max, x[i * stride]);
    for (size_t i = 0; i < n; i++)
        sum += exp(x[i * stride] - max);
    return max + log(sum);
}

static void softmax_line(const double *x, double *d, size_t n, size_t stride)
{
    double all = line_logsumexp(x, n, stride);
    for (size_t i = 0; i < n; i++)
        d[i * stride] = exp(x[i * stride] - all);
}

static void logsumexp_line(const double *x, double *d, size_t n, size_t stride)
{
    *d = line_logsumexp(x, n, stride);
}

static void argmax_line(const double *x, double *d, size_t n, size_t stride)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i * stride] > x[best * stride])
            best = i;
    *d = (double)best;
}

static void eval_softmax(struct eval *e) { each_line(e, softmax_line); }
static void eval_logsumexp(struct eval *e) { each_line(e, logsumexp_line); }
static void eval_argmax(struct eval *e) { each_line(e, argmax_line); }

static void eval_permute(struct eval *e)
{
    for (size_t i = 0; i < e->count; i++) {
        int32_t at[MAX_RANK], from[MAX_RANK];
        unravel(e->n->shape, i, at);
        for (int k = 0; k < e->n->shape.rank; k++)
            from[e->n->attr.order[k]] = at[k];
        e->out[i] = e->in[0][ravel(e->n->in[0]->shape, from)];
    }
}

static int32_t mirrored(int32_t i, int32_t n)
{
    i = i < 0 ? -i : i;
    return i < n ? i : 2 * (n - 1) - i;
}

/* slice, pad, reflect, unreflect: where position `at` of the longer side lies on the shorter one. */
static void eval_window(struct eval *e)
{
    const struct node *n = e->n;
    int axis = n->attr.window.axis;
    int32_t before = n->attr.window.a, size = n->in[0]->shape.dim[axis];
    memset(e->out, 0, e->count * sizeof(double));
    bool fold = n->op == OP_UNREFLECT;
    for (size_t i = 0; i < (fold ? node_count(n->in[0]) : e->count); i++) {
        int32_t at[MAX_RANK];
        unravel(fold ? n->in[0]->shape : n->shape, i, at);
        if (fold) {
            at[axis] = mirrored(at[axis] - before, n->shape.dim[axis]);
            e->out[ravel(n->shape, at)] += e->in[0][i];
            continue;
        }
        at[axis] = n->op == OP_SLICE ? at[axis] + before
                 : n->op == OP_PAD ? at[axis] - before : mirrored(at[axis] - before, size);
        if (at[axis] >= 0 && at[axis] < size)
            e->out[i] = e->in[0][ravel(n->in[0]->shape, at)];
    }
}

static void eval_concat(struct eval *e)
{
    for (size_t i = 0; i < e->count; i++) {
        int32_t at[MAX_RANK], axis = e->n->attr.axis;
        int k = 0;
        unravel(e->n->shape, i, at);
        while (at[axis] >= e->n->in[k]->shape.dim[axis])
            at[axis] -= e->n->in[k++]->shape.dim[axis];
        e->out[i] = e->in[k][ravel(e->n->in[k]->shape, at)];
    }
}

static void eval_gather(struct eval *e)
{
    size_t width = (size_t)e->n->in[0]->shape.dim[1];
    for (size_t i = 0; i < e->count; i++) {
        double row = e->in[1][i / width];
        e->out[i] = row < 0 ? 0 : e->in[0][(size_t)row * width + i % width];
    }
}

static void eval_scatter(struct eval *e)
{
    size_t width = (size_t)e->n->shape.dim[1];
    memset(e->out, 0, e->count * sizeof(double));
    for (size_t i = 0; i < node_count(e->n->in[0]); i++)
        if (e->in[1][i / width] >= 0)
            e->out[(size_t)e->in[1][i / width] * width + i % width] += e->in[0][i];
}

static void eval_random(struct eval *e)
{
    const union attr *a = &e->n->attr;
    for (size_t i = 0; i < e->count; i++) {
        uint32_t counter[4] = { (uint32_t)(i / 4), 0, (uint32_t)(int32_t)e->in[0][1], a->random.stream };
        uint32_t key[2] = { (uint32_t)(int32_t)e->in[0][0], 0 }, w[4];
        philox4x32(counter, key, w);
        size_t pair = i % 4 / 2 * 2;
        double radius = sqrt(-2 * log((double)((w[pair] >> 8) + 1) * 0x1p-24));
        double turn = 2 * M_PI * (double)(w[pair + 1] >> 8) * 0x1p-24;
        e->out[i] = a->random.dist == DIST_UNIFORM ? (double)(w[i % 4] >> 8) * 0x1p-24
                                                   : radius * (i % 2 ? sin(turn) : cos(turn));
    }
}

static void eval_linear(struct eval *e)
{
    size_t in = (size_t)e->n->in[1]->shape.dim[0], out = (size_t)e->n->in[1]->shape.dim[1];
    for (size_t i = 0; i < e->count; i++) {
        double sum = e->n->n_in == 3 ? e->in[2][i % out] : 0;
        for (size_t k = 0; k < in; k++)
            sum += e->in[0][i / out * in + k] * e->in[1][k * out + i % out];
        e->out[i] = sum;
    }
}

static void eval_norm(struct eval *e)
{
    struct shape s = e->n->shape, small = s;
    for (int i = 0; i < s.rank; i++)
        if (e->n->attr.reduce.axes >> i & 1)
            small.dim[i] = 1;
    size_t groups = shape_count(small);
    double *mean = xcalloc(groups, sizeof(*mean)), *var = xcalloc(groups, sizeof(*var));
    double share = (double)groups / (double)e->count;
    size_t *group = xcalloc(e->count, sizeof(*group));
    struct walk w = walk_new(s, small);
    for (size_t i = 0; i < e->count; i++)
        mean[group[i] = walk_next(&w)] += e->in[0][i] * share;
    for (size_t i = 0; i < e->count; i++)
        var[group[i]] += (e->in[0][i] - mean[group[i]]) * (e->in[0][i] - mean[group[i]]) * share;
    for (size_t i = 0; i < e->count; i++)
        e->out[i] = (e->in[0][i] - mean[group[i]]) / sqrt(var[group[i]] + (double)e->n->attr.reduce.eps);
    free(mean);
    free(var);
    free(group);
}

static void eval_xent(struct eval *e)
{
    size_t rows = (size_t)e->n->in[0]->shape.dim[0], width = (size_t)e->n->in[0]->shape.dim[1], count = 0;
    double sum = 0;
    for (size_t r = 0; r < rows; r++) {
        if (e->in[1][r] < 0)
            continue;
        const double *x = e->in[0] + r * width;
        sum += line_logsumexp(x, width, 1) - x[(size_t)e->in[1][r]];
        count++;
    }
    e->out[0] = count ? sum / (double)count : 0;
}

/* One query against `seen` keys, rows `stride` apart. */
static void attend(const double *q, const double *k, const double *v, size_t seen, size_t width, size_t stride,
                   double *out)
{
    double *score = xcalloc(seen + 1, sizeof(*score));
    for (size_t i = 0; i < seen; i++)
        for (size_t c = 0; c < width; c++)
            score[i] += q[c] * k[i * stride + c] / sqrt((double)width);
    softmax_line(score, score, seen, 1);
    for (size_t c = 0; c < width; c++) {
        out[c] = 0;
        for (size_t i = 0; i < seen; i++)
            out[c] += score[i] * v[i * stride + c];
    }
    free(score);
}

static void eval_attention(struct eval *e)
{
    struct shape s = e->n->shape;
    size_t heads = (size_t)e->n->attr.attention.heads, d = (size_t)s.dim[2], t = (size_t)s.dim[1], width = d / heads;
    for (size_t i = 0; i < e->count / width; i++) {
        size_t head = i % heads, row = i / heads % t, sample = i / heads / t;
        size_t base = sample * t * d + head * width;
        size_t seen = e->n->n_in == 4 ? (size_t)e->in[3][sample] : t;
        if (e->n->attr.attention.causal && row + 1 < seen)
            seen = row + 1;
        attend(e->in[0] + base + row * d, e->in[1] + base, e->in[2] + base, seen, width, d, e->out + base + row * d);
    }
}

/* The caches are not written back: tests feed what the steps before have left. */
static void eval_attend_step(struct eval *e)
{
    struct shape cache = e->n->in[3]->shape;
    size_t heads = (size_t)e->n->attr.attention.heads, d = (size_t)cache.dim[2], t = (size_t)cache.dim[1];
    size_t width = d / heads;
    double *k = xcalloc(t * d, sizeof(*k)), *v = xcalloc(t * d, sizeof(*v));
    for (size_t n = 0; n < (size_t)cache.dim[0]; n++) {
        size_t at = (size_t)e->in[5][n];
        memcpy(k, e->in[3] + n * t * d, t * d * sizeof(*k));
        memcpy(v, e->in[4] + n * t * d, t * d * sizeof(*v));
        memcpy(k + at * d, e->in[1] + n * d, d * sizeof(*k));
        memcpy(v + at * d, e->in[2] + n * d, d * sizeof(*v));
        for (size_t h = 0; h < heads; h++)
            attend(e->in[0] + n * d + h * width, k + h * width, v + h * width, at + 1, width, d,
                   e->out + n * d + h * width);
    }
    free(k);
    free(v);
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static void eval_gru(struct eval *e)
{
    struct shape s = e->n->in[0]->shape;
    size_t t = (size_t)s.dim[1], dirs = (size_t)s.dim[2], h = (size_t)s.dim[3] / 3;
    double *part = xcalloc(3 * h, sizeof(*part));
    for (size_t i = 0; i < (size_t)s.dim[0] * dirs * t; i++) {
        size_t n = i / t / dirs, d = i / t % dirs, at = d ? t - 1 - i % t : i % t;
        const double *x = e->in[0] + ((n * t + at) * dirs + d) * 3 * h, *u = e->in[1] + d * 3 * h * h;
        double *y = e->out + (n * t + at) * dirs * h + d * h;
        const double *before = i % t ? (d ? y + dirs * h : y - dirs * h) : NULL;
        for (size_t k = 0; k < 3 * h; k++) {
            part[k] = e->in[2][d * 3 * h + k];
            for (size_t j = 0; j < h && before; j++)
                part[k] += before[j] * u[j * 3 * h + k];
        }
        for (size_t k = 0; k < h; k++) {
            double z = logistic(x[k] + part[k]), r = logistic(x[h + k] + part[h + k]);
            double fresh = tanh(x[2 * h + k] + r * part[2 * h + k]);
            y[k] = z * (before ? before[k] : 0) + (1 - z) * fresh;
        }
    }
    free(part);
}

typedef void (*eval_fn)(struct eval *e);

static const eval_fn evals[N_OPS] = {
    [OP_CONST] = eval_const, [OP_FILL] = eval_fill, [OP_MATMUL] = eval_matmul,
    [OP_CONV] = eval_conv, [OP_CONV_T] = eval_conv, [OP_CONV_W] = eval_conv,
    [OP_ADD] = eval_elem, [OP_SUB] = eval_elem, [OP_MUL] = eval_elem, [OP_DIV] = eval_elem, [OP_SCALE] = eval_elem,
    [OP_POWC] = eval_elem, [OP_EXP] = eval_elem, [OP_LOG] = eval_elem, [OP_TANH] = eval_elem,
    [OP_SIGMOID] = eval_elem, [OP_LEAKY] = eval_elem, [OP_STEP] = eval_elem, [OP_GE] = eval_elem,
    [OP_SELECT] = eval_elem, [OP_GELU] = eval_elem,
    [OP_SUM] = eval_sum, [OP_EXPAND] = eval_expand, [OP_MAX] = eval_max, [OP_ARGMAX] = eval_argmax,
    [OP_SOFTMAX] = eval_softmax, [OP_LOGSUMEXP] = eval_logsumexp,
    [OP_RESHAPE] = eval_copy, [OP_PERMUTE] = eval_permute, [OP_SLICE] = eval_window, [OP_PAD] = eval_window,
    [OP_CONCAT] = eval_concat, [OP_REFLECT] = eval_window, [OP_UNREFLECT] = eval_window,
    [OP_GATHER] = eval_gather, [OP_SCATTER] = eval_scatter,
    [OP_RANDOM] = eval_random, [OP_STOP] = eval_copy, [OP_STORE] = eval_copy, [OP_ATTEND_STEP] = eval_attend_step,
    [OP_LINEAR] = eval_linear, [OP_NORM] = eval_norm, [OP_XENT] = eval_xent, [OP_ATTENTION] = eval_attention,
    [OP_GRU] = eval_gru,
};

const double *ref_value(struct ref *r, struct node *n)
{
    double *out = memory(r, n);
    if (r->fresh[n->id] || node_is(n, OP_INPUT) || node_is(n, OP_PARAM))
        return out;
    if (!evals[n->op]) { /* a derivative macro */
        const double *v = ref_value(r, lower(n));
        memcpy(memory(r, n), v, node_count(n) * sizeof(*v));
    } else {
        struct eval e = { .n = n, .count = node_count(n) };
        BUG_ON((size_t)n->n_in > COUNT_OF(e.in));
        for (int i = 0; i < n->n_in; i++)
            e.in[i] = ref_value(r, n->in[i]);
        e.out = memory(r, n);
        evals[n->op](&e);
    }
    r->fresh[n->id] = true;
    return r->value[n->id];
}
