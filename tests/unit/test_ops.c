/* test_ops.c: every row of the op table, on small shapes: first and second derivatives against finite
 * differences in double precision, and what plans compute (optimised and reference, simplified or not)
 * against the double values. An op without a case fails the test. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "compute/op.h"
#include "group.h"
#include "ref.h"
#include "rng.h"

enum { MOST_LEAVES = 8 };

/* Float leaves are params named by position; values are drawn from +-[lo, hi] (or [lo, hi]). */
struct op_case {
    enum op op;
    struct node *(*build)(struct graph *g);
    double lo, hi;
    bool positive;
    int int_lo, int_hi; /* integers of index inputs, hi excluded */
};

static struct node *p(struct graph *g, const char *name, struct shape s)
{
    return g_param(g, name, s);
}

static struct node *idx(struct graph *g, const char *name, struct shape s)
{
    return g_input(g, name, I32, s);
}

#define A(...) p(g, "a", SHAPE(__VA_ARGS__))
#define B(...) p(g, "b", SHAPE(__VA_ARGS__))
#define C(...) p(g, "c", SHAPE(__VA_ARGS__))
#define CASE(name, expression) static struct node *name(struct graph *g) { return expression; }

CASE(fill, g_mul(A(3, 4), g_fill(g, SHAPE(3, 4), 2.5f)))
CASE(matmul, g_matmul(A(5, 7), B(7, 3), false, false))
CASE(matmul_tt, g_matmul(A(7, 5), B(3, 7), true, true))
CASE(matmul_batch, g_matmul(A(2, 3, 4, 5), B(2, 3, 5, 2), false, false))
CASE(matmul_batch_ta, g_matmul(A(3, 5, 4), B(3, 5, 2), true, false))
CASE(matmul_batch_tb, g_matmul(A(3, 4, 5), B(3, 2, 5), false, true))
CASE(matmul_batch_tt, g_matmul(A(3, 5, 4), B(3, 2, 5), true, true))
CASE(matmul_shared, g_matmul(A(3, 4, 5), B(5, 2), false, false))
CASE(matmul_shared_tt, g_matmul(A(3, 5, 4), B(2, 5), true, true))

static const struct geom plain = { { 1, 2, 3 }, { 1, 1, 1 }, { 0 }, { 0 } };
static const struct geom equal = { { 1, 3, 2 }, { 1, 3, 2 }, { 0 }, { 0 } };
static const struct geom padded = { { 2, 3, 3 }, { 1, 2, 2 }, { 0, 1, 1 }, { 1, 1, 0 } };
static const struct geom one_axis = { { 3, 0, 0 }, { 2, 0, 0 }, { 1, 0, 0 }, { 0 } };
CASE(conv, g_conv(A(2, 2, 4, 5, 3), B(1, 2, 3, 3, 2), plain))
CASE(conv_equal, g_conv(A(2, 2, 6, 4, 3), B(1, 3, 2, 3, 2), equal))
CASE(conv_padded, g_conv(A(2, 2, 5, 6, 2), B(2, 3, 3, 2, 3), padded))
CASE(conv_one_axis, g_conv(A(2, 6, 3), B(3, 3, 2), one_axis))
CASE(conv_t, g_conv_t(A(2, 2, 3, 3, 2), B(1, 2, 3, 3, 2), plain, (int32_t[]){ 2, 4, 5 }))
CASE(conv_t_equal, g_conv_t(A(2, 2, 2, 2, 2), B(1, 3, 2, 3, 2), equal, (int32_t[]){ 2, 6, 4 }))
CASE(conv_t_padded, g_conv_t(A(2, 2, 3, 3, 3), B(2, 3, 3, 2, 3), padded, (int32_t[]){ 2, 5, 6 }))
CASE(conv_w, g_conv_w(A(2, 2, 4, 5, 3), B(2, 2, 3, 3, 2), plain))
CASE(conv_w_equal, g_conv_w(A(2, 2, 6, 4, 3), B(2, 2, 2, 2, 2), equal))
CASE(conv_w_padded, g_conv_w(A(2, 2, 5, 6, 2), B(2, 2, 3, 3, 3), padded))

CASE(add, g_add(A(3, 5), B(3, 5)))
CASE(sub, g_sub(A(3, 5), B(3, 5)))
CASE(mul, g_mul(A(3, 5), B(3, 5)))
CASE(mul_self, g_mul(A(3, 5), A(3, 5)))
CASE(quotient, g_div(A(3, 5), B(3, 5)))
CASE(scale, g_scale(A(3, 5), 1.5f, -0.5f))
CASE(square, g_powc(A(3, 5), 2))
CASE(root, g_powc(A(3, 5), 0.5f))
CASE(inverse, g_powc(A(3, 5), -1))
CASE(inverse_root, g_powc(A(3, 5), -0.5f))
CASE(power, g_powc(A(3, 5), 1.7f))
CASE(exponential, g_exp(A(3, 5)))
CASE(logarithm, g_log(A(3, 5)))
CASE(tangent, g_tanh(A(3, 5)))
CASE(sigmoid, g_sigmoid(A(3, 5)))
CASE(leaky, g_leaky(A(3, 5), 0.2f))
CASE(relu, g_leaky(A(3, 5), 0))
CASE(magnitude, g_leaky(A(3, 5), -1))
CASE(step, g_mul(g_step(A(3, 5), 0.2f), B(3, 5)))
CASE(ge, g_mul(g_ge(A(3, 5), B(3, 5)), C(3, 5)))
CASE(select_, g_select(g_ge(A(3, 5), B(3, 5)), B(3, 5), C(3, 5)))
CASE(chain, g_tanh(g_add(g_mul(A(40, 30), g_sigmoid(B(40, 30))), g_scale(A(40, 30), 0.3f, 0.1f))))

CASE(sum_last, g_sum(A(3, 4, 5), 4))
CASE(sum_first, g_sum(A(3, 4, 5), 1))
CASE(sum_middle, g_sum(A(3, 4, 5), 2))
CASE(sum_ends, g_sum(A(3, 4, 5), 5))
CASE(sum_all, g_sum(g_mul(A(3, 4, 5), A(3, 4, 5)), 7))
CASE(expand, g_expand(A(3, 1, 5), SHAPE(3, 4, 5)))
CASE(expand_ends, g_expand(A(1, 4, 1), SHAPE(3, 4, 5)))
CASE(expand_row, g_mul(g_expand(A(1, 1, 5), SHAPE(3, 4, 5)), B(3, 4, 5)))
CASE(expand_column, g_mul(g_expand(A(3, 4, 1), SHAPE(3, 4, 5)), B(3, 4, 5)))
CASE(expand_middle, g_mul(g_expand(A(3, 1, 5), SHAPE(3, 4, 5)), B(3, 4, 5)))
CASE(max_last, g_max(A(3, 4, 5), 4))
CASE(max_middle, g_max(A(3, 4, 5), 2))
CASE(max_ends, g_max(A(3, 4, 5), 5))
CASE(argmax, g_argmax(A(3, 4, 5), 1))
CASE(argmax_last, g_argmax(A(3, 4, 5), 2))
CASE(softmax, g_softmax(A(3, 4, 5), 2))
CASE(softmax_middle, g_softmax(A(3, 4, 5), 1))
CASE(logsumexp, g_logsumexp(A(3, 4, 5), 2))
CASE(logsumexp_middle, g_logsumexp(A(3, 4, 5), 1))

CASE(reshape, g_exp(g_reshape(A(3, 4, 5), SHAPE(6, 10))))
CASE(permute, g_permute(A(3, 4, 5), (int[]){ 2, 0, 1 }))
CASE(permute_heads, g_permute(A(2, 3, 4, 5), (int[]){ 0, 2, 1, 3 }))
CASE(slice, g_slice(A(3, 6, 5), 1, 2, 3))
CASE(slice_first, g_mul(g_slice(A(6, 5), 0, 2, 3), B(3, 5)))
CASE(slices, g_mul(g_slice(A(4, 6), 1, 0, 3), g_slice(A(4, 6), 1, 3, 3)))
CASE(pad, g_pad(A(3, 4, 5), 1, 2, 1))
CASE(concat, g_concat((struct node *[]){ A(3, 2, 5), B(3, 4, 5), A(3, 2, 5) }, 3, 1))
CASE(reflect, g_reflect(A(3, 4, 5), 1, 2, 3))
CASE(unreflect, g_unreflect(A(3, 9, 5), 1, 2, 3))
CASE(gather, g_gather(A(7, 5), idx(g, "i", SHAPE(3, 4))))
CASE(scatter, g_scatter(A(3, 4, 5), idx(g, "i", SHAPE(3, 4)), 7))

CASE(random_uniform, g_random(g, SHAPE(3, 50), DIST_UNIFORM, idx(g, "s", SHAPE(2)), 3))
CASE(random_normal, g_random(g, SHAPE(3, 50), DIST_NORMAL, idx(g, "s", SHAPE(2)), 4))
CASE(stop, g_mul(g_stop(A(3, 5)), B(3, 5)))
CASE(store, g_store(g_mul(A(3, 5), A(3, 5)), B(3, 5)))
CASE(attend_step, g_attend_step(A(3, 8), B(3, 8), C(3, 8), p(g, "k", SHAPE(3, 6, 8)), p(g, "v", SHAPE(3, 6, 8)),
                                idx(g, "i", SHAPE(3)), 2))

CASE(linear, g_linear(A(3, 4, 5), B(5, 6), C(6), ACT_NONE))
CASE(linear_no_bias, g_linear(A(12, 5), B(5, 6), NULL, ACT_NONE))
CASE(linear_tanh, g_linear(A(3, 4, 5), B(5, 6), C(6), ACT_TANH))
CASE(linear_gelu, g_linear(A(3, 4, 5), B(5, 6), C(6), ACT_GELU))
CASE(norm_last, g_norm(A(3, 4, 5), 4, 1e-3f))
CASE(norm_leading, g_norm(A(3, 4, 5), 3, 1e-3f))
CASE(norm_middle, g_norm(A(3, 4, 5), 2, 1e-3f))
CASE(norm_ends, g_norm(A(3, 4, 5), 5, 1e-3f))
CASE(norm_all, g_norm(A(3, 4, 5), 7, 1e-3f))
CASE(norm_dx_last, g_norm_dx(A(3, 4, 5), B(3, 4, 5), 4, 1e-3f))
CASE(norm_dx_leading, g_norm_dx(A(3, 4, 5), B(3, 4, 5), 3, 1e-3f))
CASE(norm_dx_middle, g_norm_dx(A(3, 4, 5), B(3, 4, 5), 2, 1e-3f))
CASE(gelu, g_gelu(A(3, 5)))
CASE(gelu_dx, g_gelu_dx(A(3, 5), B(3, 5)))
CASE(xent, g_xent(A(6, 5), idx(g, "i", SHAPE(6))))
CASE(xent_dx, g_xent_dx(A(6, 5), idx(g, "i", SHAPE(6)), p(g, "b", (struct shape){ 0 })))
CASE(attention, g_attention(A(2, 5, 6), B(2, 5, 6), C(2, 5, 6), 2, false, NULL))
CASE(attention_causal, g_attention(A(2, 5, 6), B(2, 5, 6), C(2, 5, 6), 3, true, NULL))
CASE(attention_length, g_attention(A(2, 5, 6), B(2, 5, 6), C(2, 5, 6), 2, true, idx(g, "i", SHAPE(2))))
CASE(attention_self, g_attention(A(2, 5, 6), A(2, 5, 6), A(2, 5, 6), 2, false, idx(g, "i", SHAPE(2))))
CASE(attention_dx, g_attention_dx(p(g, "d", SHAPE(2, 5, 6)), attention_length(g)))
CASE(gru, g_gru(A(3, 4, 2, 9), B(2, 3, 9), C(2, 9)))
CASE(gru_one_way, g_gru(A(2, 3, 1, 12), B(1, 4, 12), C(1, 12)))
CASE(gru_one_step, g_gru(A(2, 1, 2, 6), B(2, 2, 6), C(2, 6)))
CASE(gru_rows, g_gru(A(33, 2, 1, 6), B(1, 2, 6), C(1, 6)))
CASE(gru_long, g_gru(A(2, 9, 2, 6), B(2, 2, 6), C(2, 6)))
CASE(gru_dx, g_gru_dx(p(g, "d", SHAPE(3, 4, 6)), gru(g)))
CASE(gru_dx_one_way, g_gru_dx(p(g, "d", SHAPE(2, 3, 4)), gru_one_way(g)))

#define REAL(op, build, lo, hi) { OP_##op, build, lo, hi, false, 0, 1 }
#define POSITIVE(op, build, lo, hi) { OP_##op, build, lo, hi, true, 0, 1 }
#define INDEXED(op, build, hi, int_lo, int_hi) { OP_##op, build, 0, hi, false, int_lo, int_hi }

static const struct op_case cases[] = {
    REAL(FILL, fill, 0.2, 1),
    REAL(MATMUL, matmul, 0, 1), REAL(MATMUL, matmul_tt, 0, 1), REAL(MATMUL, matmul_batch, 0, 1),
    REAL(MATMUL, matmul_batch_ta, 0, 1), REAL(MATMUL, matmul_batch_tb, 0, 1), REAL(MATMUL, matmul_batch_tt, 0, 1),
    REAL(MATMUL, matmul_shared, 0, 1), REAL(MATMUL, matmul_shared_tt, 0, 1),
    REAL(CONV, conv, 0, 1), REAL(CONV, conv_equal, 0, 1), REAL(CONV, conv_padded, 0, 1),
    REAL(CONV, conv_one_axis, 0, 1),
    REAL(CONV_T, conv_t, 0, 1), REAL(CONV_T, conv_t_equal, 0, 1), REAL(CONV_T, conv_t_padded, 0, 1),
    REAL(CONV_W, conv_w, 0, 1), REAL(CONV_W, conv_w_equal, 0, 1), REAL(CONV_W, conv_w_padded, 0, 1),
    REAL(ADD, add, 0, 1), REAL(SUB, sub, 0, 1), REAL(MUL, mul, 0, 1), REAL(MUL, mul_self, 0, 1),
    REAL(MUL, chain, 0, 1), REAL(DIV, quotient, 0.5, 1), REAL(SCALE, scale, 0, 1),
    REAL(POWC, square, 0, 1), POSITIVE(POWC, root, 0.3, 1), REAL(POWC, inverse, 0.4, 1),
    POSITIVE(POWC, inverse_root, 0.4, 1), POSITIVE(POWC, power, 0.3, 1),
    REAL(EXP, exponential, 0, 1), POSITIVE(LOG, logarithm, 0.3, 1), REAL(TANH, tangent, 0, 1),
    REAL(SIGMOID, sigmoid, 0, 2), REAL(LEAKY, leaky, 0.1, 1), REAL(LEAKY, relu, 0.1, 1),
    REAL(LEAKY, magnitude, 0.1, 1), REAL(STEP, step, 0.1, 1), REAL(GE, ge, 0.1, 1), REAL(SELECT, select_, 0.1, 1),
    REAL(SUM, sum_last, 0, 1), REAL(SUM, sum_first, 0, 1), REAL(SUM, sum_middle, 0, 1), REAL(SUM, sum_ends, 0, 1),
    REAL(SUM, sum_all, 0, 1),
    REAL(EXPAND, expand, 0, 1), REAL(EXPAND, expand_ends, 0, 1), REAL(EXPAND, expand_row, 0, 1),
    REAL(EXPAND, expand_column, 0, 1), REAL(EXPAND, expand_middle, 0, 1),
    REAL(MAX, max_last, 0, 1), REAL(MAX, max_middle, 0, 1), REAL(MAX, max_ends, 0, 1),
    REAL(ARGMAX, argmax, 0, 1), REAL(ARGMAX, argmax_last, 0, 1),
    REAL(SOFTMAX, softmax, 0, 2), REAL(SOFTMAX, softmax_middle, 0, 2),
    REAL(LOGSUMEXP, logsumexp, 0, 2), REAL(LOGSUMEXP, logsumexp_middle, 0, 2),
    REAL(RESHAPE, reshape, 0, 1), REAL(PERMUTE, permute, 0, 1), REAL(PERMUTE, permute_heads, 0, 1),
    REAL(SLICE, slice, 0, 1), REAL(SLICE, slice_first, 0, 1), REAL(SLICE, slices, 0, 1), REAL(PAD, pad, 0, 1),
    REAL(CONCAT, concat, 0, 1), REAL(REFLECT, reflect, 0, 1), REAL(UNREFLECT, unreflect, 0, 1),
    INDEXED(GATHER, gather, 1, -1, 7), INDEXED(SCATTER, scatter, 1, -1, 7),
    INDEXED(RANDOM, random_uniform, 1, -5, 1000), INDEXED(RANDOM, random_normal, 1, -5, 1000),
    REAL(STOP, stop, 0, 1), REAL(STORE, store, 0, 1), INDEXED(ATTEND_STEP, attend_step, 1, 0, 6),
    REAL(LINEAR, linear, 0, 1), REAL(LINEAR, linear_no_bias, 0, 1), REAL(LINEAR, linear_tanh, 0, 1),
    REAL(LINEAR, linear_gelu, 0, 1),
    REAL(NORM, norm_last, 0, 1), REAL(NORM, norm_leading, 0, 1), REAL(NORM, norm_middle, 0, 1),
    REAL(NORM, norm_ends, 0, 1), REAL(NORM, norm_all, 0, 1),
    REAL(NORM_DX, norm_dx_last, 0, 1), REAL(NORM_DX, norm_dx_leading, 0, 1), REAL(NORM_DX, norm_dx_middle, 0, 1),
    REAL(GELU, gelu, 0, 2), REAL(GELU_DX, gelu_dx, 0, 2),
    INDEXED(XENT, xent, 2, -1, 5), INDEXED(XENT_DX, xent_dx, 2, -1, 5),
    REAL(ATTENTION, attention, 0, 1), REAL(ATTENTION, attention_causal, 0, 1),
    INDEXED(ATTENTION, attention_length, 1, 1, 6), INDEXED(ATTENTION, attention_self, 1, 1, 6),
    INDEXED(ATTENTION_DX, attention_dx, 1, 1, 6),
    REAL(GRU, gru, 0, 1), REAL(GRU, gru_one_way, 0, 1), REAL(GRU, gru_one_step, 0, 1), REAL(GRU, gru_rows, 0, 1),
    REAL(GRU, gru_long, 0, 1),
    REAL(GRU_DX, gru_dx, 0, 1), REAL(GRU_DX, gru_dx_one_way, 0, 1),
};

/* ------------------------------------------------------------------ one case */

struct bench {
    const struct op_case *c;
    struct graph *g;
    struct node *leaf[MOST_LEAVES], *param[MOST_LEAVES];
    void *memory[MOST_LEAVES];
    int n_leaves, n_params;
    struct ref *ref;
};

/* Leaves below `root`, in order of creation, with values in double and in the plan's types. */
static void find_leaves(struct bench *b)
{
    struct rng r;
    rng_init(&r, 7, (uint64_t)(b->c - cases));
    for (size_t i = 0; i < graph_size(b->g); i++) {
        struct node *n = graph_at(b->g, i);
        if (!node_is(n, OP_INPUT) && !node_is(n, OP_PARAM))
            continue;
        size_t count = node_count(n);
        double *v = ref_leaf(b->ref, n);
        b->memory[b->n_leaves] = xcalloc(count, sizeof(float));
        for (size_t k = 0; k < count; k++) {
            double span = b->c->hi - b->c->lo, u = b->c->lo + span * (double)rng_uniform(&r);
            float f = (float)(b->c->positive || rng_u32(&r) & 1 ? u : -u);
            int32_t whole = b->c->int_lo + (int32_t)rng_below(&r, (uint32_t)(b->c->int_hi - b->c->int_lo) + 1);
            whole -= whole == b->c->int_hi;
            v[k] = n->dtype == I32 ? whole : (double)f;
            memcpy((char *)b->memory[b->n_leaves] + k * 4, n->dtype == I32 ? (void *)&whole : (void *)&f, 4);
        }
        if (n->dtype == F32)
            b->param[b->n_params++] = n;
        b->leaf[b->n_leaves++] = n;
    }
}

static struct node *weighted(struct bench *b, struct node *y, uint64_t stream)
{
    struct rng r;
    rng_init(&r, 11, stream);
    size_t n = node_count(y);
    float *w = xcalloc(n, sizeof(*w));
    for (size_t i = 0; i < n; i++)
        w[i] = rng_uniform(&r) - 0.5f;
    struct node *product = g_mul(y, g_const_data(b->g, y->shape, w));
    free(w);
    return g_reshape(g_sum(product, (1u << y->shape.rank) - 1), (struct shape){ 0 });
}

/* Central differences of the scalar by every element of every param, against the gradient nodes. */
static void check_differences(struct bench *b, struct node *scalar, struct node **grad, const char *order)
{
    const double h = 1e-4;
    for (int i = 0; i < b->n_params; i++) {
        size_t n = node_count(b->param[i]);
        ref_reset(b->ref);
        double *want = xcalloc(n, sizeof(*want)), *v = ref_leaf(b->ref, b->param[i]);
        memcpy(want, ref_value(b->ref, grad[i]), n * sizeof(*want));
        for (size_t k = 0; k < n; k++) {
            double kept = v[k], hi, lo;
            v[k] = kept + h;
            ref_reset(b->ref);
            hi = *ref_value(b->ref, scalar);
            v[k] = kept - h;
            ref_reset(b->ref);
            lo = *ref_value(b->ref, scalar);
            v[k] = kept;
            double slope = (hi - lo) / (2 * h), off = fabs(slope - want[k]);
            if (!(off <= 2e-6 * fmax(1, fabs(slope))))
                fail_msg("case %d (%s), %s derivative by %s[%zu]: %.9g, differences say %.9g", (int)(b->c - cases),
                         op_rows[b->c->op].name, order, b->param[i]->name, k, want[k], slope);
        }
        free(want);
    }
    ref_reset(b->ref);
}

static void check_plan(struct bench *b, struct node **outs, int n, bool reference)
{
    struct plan *plan;
    void *kept[MOST_LEAVES];
    assert_int_equal(plan_new(device, b->g, outs, n, &(struct plan_opts){ .reference = reference }, &plan), ERR_OK);
    for (int i = 0; i < b->n_leaves; i++) {
        kept[i] = on_copy(device, b->memory[i], node_count(b->leaf[i]) * sizeof(float));
        plan_bind(plan, b->leaf[i], kept[i]);
    }
    assert_int_equal(plan_run(plan, NULL), ERR_OK);
    ref_reset(b->ref);
    for (int i = 0; i < n; i++) {
        const double *want = ref_value(b->ref, outs[i]);
        float *values = on_floats(device, plan_output(plan, i), node_count(outs[i]));
        for (size_t k = 0; k < node_count(outs[i]); k++) {
            const void *got = values + k;
            double v = outs[i]->dtype == I32 ? (double)*(const int32_t *)got : (double)*(const float *)got;
            if (!(fabs(v - want[k]) <= 2e-5 * fmax(1, fabs(want[k]))))
                fail_msg("case %d (%s), %s plan, output %d[%zu]: %.9g instead of %.9g", (int)(b->c - cases),
                         op_rows[b->c->op].name, reference ? "reference" : "optimised", i, k, v, want[k]);
        }
        free(values);
    }
    plan_free(plan);
    for (int i = 0; i < b->n_leaves; i++)
        device_free(device, kept[i]);
}

static void run_case(const struct op_case *c, bool simplified)
{
    struct bench b = { .c = c, .g = graph_new() };
    graph_simplify(b.g, simplified);
    b.ref = ref_new(b.g);
    struct node *outs[1 + 2 * MOST_LEAVES] = { c->build(b.g) };
    bool found = false;
    for (size_t i = 0; i < graph_size(b.g); i++)
        found |= graph_at(b.g, i)->op == c->op;
    assert_true(found || simplified);
    find_leaves(&b);
    int n_outs = 1;
    bool differentiable = outs[0]->dtype == F32 && !node_flag(outs[0], F_NONDIFF) && c->op != OP_STOP;
    if (differentiable) {
        struct node **first = outs + 1, **second = outs + 1 + b.n_params;
        struct node *loss = weighted(&b, outs[0], 1), *again = NULL;
        graph_grad(loss, b.param, b.n_params, first);
        for (int i = 0; i < b.n_params; i++) {
            struct node *part = weighted(&b, first[i], 2 + (uint64_t)i);
            again = again ? g_add(again, part) : part;
        }
        graph_grad(again, b.param, b.n_params, second);
        check_differences(&b, loss, first, "first");
        check_differences(&b, again, second, "second");
        n_outs += 2 * b.n_params;
    }
    check_plan(&b, outs, n_outs, false);
    check_plan(&b, outs, n_outs, true);
    ref_free(b.ref);
    graph_free(b.g);
    for (int i = 0; i < b.n_leaves; i++)
        free(b.memory[i]);
}

static void every_op_has_a_case(void **state)
{
    (void)state;
    for (int op = 0; op < N_OPS; op++) {
        bool found = op_rows[op].flags & F_LEAF;
        for (size_t i = 0; i < COUNT_OF(cases); i++)
            found |= (int)cases[i].op == op;
        if (!found)
            fail_msg("no case for %s", op_rows[op].name);
    }
}

static void simplified_graphs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        run_case(&cases[i], true);
}

static void plain_graphs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        run_case(&cases[i], false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_has_a_case),
        cmocka_unit_test(simplified_graphs),
        cmocka_unit_test(plain_graphs),
    };
    return cmocka_run_group_tests(tests, group_two_threads, group_end);
}
