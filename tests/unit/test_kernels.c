/* test_kernels.c: kernels at sizes that are cut into blocks, tiles and parts: values and gradients on the device under
 * test against the CPU's (the CPU's own against its plain loops and lowered macros). Random numbers are the same bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "compute/op.h"
#include "on.h"
#include "rng.h"

enum { MOST = 8 };
static struct device *device, *cpu;

/* A graph with its leaves; integers are below `below`. */
struct net {
    struct graph *g;
    struct node *leaf[MOST];
    void *memory[MOST];
    int n_leaves;
    uint32_t below;
    struct rng rng;
};

static struct node *leaf(struct net *n, struct node *made, bool positive)
{
    float *v = n->memory[n->n_leaves] = xcalloc(node_count(made) + 1, sizeof(*v));
    for (size_t i = 0; i < node_count(made); i++)
        if (made->dtype == I32)
            ((int32_t *)v)[i] = (int32_t)rng_below(&n->rng, n->below);
        else
            v[i] = positive ? rng_uniform(&n->rng) : rng_uniform(&n->rng) * 2 - 1;
    return n->leaf[n->n_leaves++] = made;
}

static struct node *param(struct net *n, struct shape s)
{
    static const char *const names[MOST] = { "a", "b", "c", "d", "e", "f", "g", "h" };
    return leaf(n, g_param(n->g, names[n->n_leaves], s), false);
}

static struct node *integers(struct net *n, struct shape s, uint32_t below)
{
    n->below = below;
    return leaf(n, g_input(n->g, "integers", I32, s), false);
}

#define P(...) param(n, SHAPE(__VA_ARGS__))
#define CASE(name, expression) static struct node *name(struct net *n) { return expression; }

/* ------------------------------------------------------------------ cases */

CASE(chain, g_tanh(g_add(g_mul(P(317, 331), g_sigmoid(P(317, 331))), g_scale(g_gelu(P(317, 331)), 0.3f, 0.1f))))
CASE(rows_spread, g_mul(P(61, 37, 8), g_add(g_expand(P(1, 1, 8), SHAPE(61, 37, 8)), g_expand(P(61, 1, 8), SHAPE(61, 37, 8)))))
CASE(odd_spread, g_mul(P(61, 37, 7), g_add(g_expand(P(1, 1, 7), SHAPE(61, 37, 7)), g_expand(P(61, 1, 7), SHAPE(61, 37, 7)))))
CASE(columns_spread, g_mul(P(61, 37, 8), g_add(g_expand(P(61, 37, 1), SHAPE(61, 37, 8)), g_expand(P(61, 1, 1), SHAPE(61, 37, 8)))))
CASE(odd_columns, g_sub(P(61, 37, 7), g_exp(g_expand(P(61, 37, 1), SHAPE(61, 37, 7)))))
CASE(unaligned, g_mul(g_slice(P(70, 333), 0, 3, 50), P(50, 333)))
CASE(sum_one_row, g_sum(g_exp(P(3, 70001)), 2))
CASE(sum_all, g_sum(P(90, 37, 41), 7))
CASE(sum_columns, g_sum(g_tanh(P(5003, 7)), 1))
CASE(sum_wide, g_sum(P(2, 900, 301), 2))
CASE(sum_short, g_sum(g_tanh(P(5000, 5)), 2))
CASE(sum_few, g_sum(P(3, 40000), 1))
CASE(max_rows, g_max(P(30, 2500), 2))
CASE(max_columns, g_max(P(2000, 6), 1))
CASE(argmax_rows, g_argmax(P(60, 700), 1))
CASE(argmax_columns, g_argmax(P(7, 130, 33), 1))
CASE(softmax_rows, g_softmax(P(70, 1500), 1))
CASE(softmax_columns, g_softmax(P(6, 90, 50), 1))
CASE(logsumexp_rows, g_logsumexp(P(60, 700), 1))
CASE(expand_wide, g_expand(P(40, 1, 36), SHAPE(40, 30, 36)))
CASE(expand_narrow, g_expand(P(40, 50, 1), SHAPE(40, 50, 30)))
CASE(turn, g_permute(P(3, 65, 130), (int[]){ 0, 2, 1 }))
CASE(turn_round, g_permute(P(33, 40, 70), (int[]){ 2, 1, 0 }))
CASE(turn_around, g_permute(P(5, 33, 6, 40), (int[]){ 3, 0, 2, 1 }))
CASE(split_heads, g_permute(P(4, 65, 6, 16), (int[]){ 0, 2, 1, 3 }))
CASE(slices, g_mul(g_slice(P(9, 66, 12), 1, 3, 60), g_slice(P(9, 77, 12), 1, 17, 60)))
CASE(pads, g_add(g_pad(P(9, 30, 12), 1, 3, 6), g_pad(P(9, 39, 11), 2, 0, 1)))
CASE(joins, g_concat((struct node *[]){ P(30, 5, 8), P(30, 12, 8), P(30, 1, 8) }, 3, 1))
CASE(joins_last, g_concat((struct node *[]){ P(300, 5), P(300, 2) }, 2, 1))
CASE(reflects, g_reflect(g_reflect(P(3, 40, 50, 8), 1, 3, 3), 2, 2, 5))
CASE(unreflects, g_unreflect(P(3, 46, 35), 1, 3, 2))
CASE(gathers, g_gather(P(50, 100), integers(n, SHAPE(40, 31), 50)))
CASE(gathers_odd, g_gather(P(50, 33), integers(n, SHAPE(1200), 50)))
CASE(scatters, g_scatter(P(1200, 300), integers(n, SHAPE(1200), 23), 20))
CASE(layer_norm, g_norm(P(50, 768), 2, 1e-5f))
CASE(long_norm, g_norm(P(3, 20001), 2, 1e-5f))
CASE(batch_norm, g_norm(P(4, 25, 30, 24), 7, 1e-3f))
CASE(batch_norm_odd, g_norm(P(4, 25, 30, 5), 7, 1e-3f))
CASE(instance_norm, g_norm(P(3, 26, 31, 16), 6, 1e-5f))
CASE(cross_entropy, g_xent(P(300, 401), integers(n, SHAPE(300), 420)))
CASE(linear, g_linear(P(70, 130), P(130, 65), P(65), ACT_GELU))
CASE(linear_relu, g_linear(P(300, 64), P(64, 32), P(32), ACT_RELU))
CASE(matmul, g_matmul(P(5, 65, 40), P(5, 33, 40), false, true))
CASE(attention, g_attention(P(2, 70, 48), P(2, 70, 48), P(2, 70, 48), 3, false, NULL))
CASE(attention_causal, g_attention(P(2, 97, 64), P(2, 97, 64), P(2, 97, 64), 1, true, NULL))
CASE(attention_odd, g_attention(P(1, 40, 66), P(1, 40, 66), P(1, 40, 66), 2, true, NULL))
CASE(attention_wide, g_attention(P(1, 9, 160), P(1, 9, 160), P(1, 9, 160), 2, true, NULL)) /* no kernel on a GPU */
CASE(gru, g_gru(P(9, 12, 2, 120), g_scale(P(2, 40, 120), 0.1f, 0), P(2, 120)))
CASE(gru_one_way, g_gru(P(2, 7, 1, 480), g_scale(P(1, 160, 480), 0.1f, 0), P(1, 480)))
CASE(gru_wide, g_gru(P(1, 2, 1, 1560), g_scale(P(1, 520, 1560), 0.1f, 0), P(1, 1560))) /* no kernel on a GPU */

static struct node *attention_length(struct net *n)
{
    struct node *q = P(3, 66, 48), *k = P(3, 66, 48), *v = P(3, 66, 48), *length = integers(n, SHAPE(3), 66);
    for (int i = 0; i < 3; i++)
        ((int32_t *)n->memory[3])[i] = 1 + i * 32; /* one key, on a tile's edge and beyond */
    return g_attention(q, k, v, 4, false, length);
}

static struct node *(*const cases[])(struct net *n) = {
    chain, rows_spread, odd_spread, columns_spread, odd_columns, unaligned,
    sum_one_row, sum_all, sum_columns, sum_wide, sum_short, sum_few, max_rows, max_columns, argmax_rows, argmax_columns,
    softmax_rows, softmax_columns, logsumexp_rows,
    expand_wide, expand_narrow, turn, turn_round, turn_around, split_heads, slices, pads, joins, joins_last, reflects, unreflects,
    gathers, gathers_odd, scatters,
    layer_norm, long_norm, batch_norm, batch_norm_odd, instance_norm, cross_entropy, linear, linear_relu, matmul,
    attention, attention_causal, attention_odd, attention_wide, attention_length, gru, gru_one_way, gru_wide,
};

/* ------------------------------------------------------------------ one case */

static struct node *weighted(struct net *n, struct node *y)
{
    size_t count = node_count(y);
    float *w = xcalloc(count, sizeof(*w));
    for (size_t i = 0; i < count; i++)
        w[i] = rng_uniform(&n->rng) - 0.5f;
    struct node *product = g_mul(y, g_const_data(n->g, y->shape, w));
    free(w);
    return g_reshape(g_sum(product, (1u << y->shape.rank) - 1), (struct shape){ 0 });
}

/* All outputs as ordinary memory. Each has a block of its own on the device, so that who writes beyond it is seen. */
static void compute(struct net *n, struct device *d, bool reference, struct node **outs, int n_outs, float **got)
{
    struct plan *p;
    void *there[MOST], *made[1 + MOST];
    if (plan_new(d, n->g, outs, n_outs, &(struct plan_opts){ .reference = reference }, &p) != ERR_OK)
        fail_msg("%s", err_text());
    for (int i = 0; i < n->n_leaves; i++) {
        there[i] = on_copy(d, n->memory[i], node_count(n->leaf[i]) * sizeof(float));
        plan_bind(p, n->leaf[i], there[i]);
    }
    for (int i = 0; i < n_outs; i++) {
        assert_int_equal(device_alloc(d, node_count(outs[i]) * sizeof(float), &made[i]), ERR_OK);
        plan_bind_output(p, i, made[i]);
    }
    assert_int_equal(plan_run(p, NULL), ERR_OK);
    for (int i = 0; i < n_outs; i++) {
        got[i] = on_floats(d, made[i], node_count(outs[i]));
        device_free(d, made[i]);
    }
    plan_free(p);
    for (int i = 0; i < n->n_leaves; i++)
        device_free(d, there[i]);
}

static void compare(const struct node *out, int which, size_t number, const float *got, const float *want)
{
    double largest = 1;
    if (out->dtype == I32) {
        assert_memory_equal(got, want, node_count(out) * sizeof(*got));
        return;
    }
    for (size_t i = 0; i < node_count(out); i++)
        largest = fmax(largest, fabs((double)want[i]));
    for (size_t i = 0; i < node_count(out); i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= 2e-5 * largest))
            fail_msg("case %zu, output %d[%zu]: %.8g instead of %.8g", number, which, i, (double)got[i], (double)want[i]);
}

static void run_case(size_t number)
{
    struct net n = { .g = graph_new() };
    struct node *outs[1 + MOST], *wrt[MOST];
    float *got[1 + MOST], *want[1 + MOST];
    int n_outs = 1, n_wrt = 0;
    rng_init(&n.rng, 17, number);
    outs[0] = cases[number](&n);
    for (int i = 0; i < n.n_leaves; i++)
        if (n.leaf[i]->dtype == F32)
            wrt[n_wrt++] = n.leaf[i];
    if (outs[0]->dtype == F32) {
        graph_grad(weighted(&n, outs[0]), wrt, n_wrt, outs + 1);
        n_outs += n_wrt;
    }
    compute(&n, device, false, outs, n_outs, got);
    compute(&n, cpu, on_cpu(), outs, n_outs, want);
    for (int i = 0; i < n_outs; i++) {
        compare(outs[i], i, number, got[i], want[i]);
        free(got[i]);
        free(want[i]);
    }
    for (int i = 0; i < n.n_leaves; i++)
        free(n.memory[i]);
    graph_free(n.g);
}

static void values_and_gradients(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        run_case(i);
}

static void convolutions(void **state)
{
    (void)state;
    static const struct { struct shape x, w; struct geom geom; } rows[] = {
        { { 5, { 3, 1, 1, 1, 40 } }, { 5, { 1, 1, 1, 40, 24 } }, { { 1, 1, 1 }, { 1, 1, 1 }, { 0 }, { 0 } } },
        { { 5, { 2, 4, 4, 3, 32 } }, { 5, { 1, 4, 3, 32, 48 } }, { { 1, 4, 3 }, { 1, 4, 3 }, { 0 }, { 0 } } },
        { { 5, { 2, 4, 16, 7, 32 } }, { 5, { 1, 4, 3, 32, 64 } }, { { 1, 4, 3 }, { 1, 4, 2 }, { 0 }, { 0 } } },
        { { 5, { 2, 2, 8, 84, 5 } }, { 5, { 1, 1, 12, 5, 16 } }, { { 1, 1, 12 }, { 1, 1, 12 }, { 0 }, { 0 } } },
        { { 5, { 2, 4, 1, 1, 96 } }, { 5, { 2, 1, 1, 96, 64 } }, { { 2, 1, 1 }, { 1, 1, 1 }, { 0 }, { 0 } } },
        { { 5, { 2, 1, 16, 21, 32 } }, { 5, { 1, 3, 3, 32, 32 } }, { { 1, 3, 3 }, { 1, 1, 1 }, { 0, 1, 1 }, { 0, 1, 1 } } },
        { { 5, { 3, 2, 13, 10, 64 } }, { 5, { 1, 3, 3, 64, 48 } }, { { 1, 3, 3 }, { 1, 1, 1 }, { 0 }, { 0 } } },
        { { 5, { 2, 1, 7, 8, 32 } }, { 5, { 1, 3, 3, 32, 80 } }, { { 1, 3, 3 }, { 1, 1, 1 }, { 0, 2, 0 }, { 0, 0, 2 } } },
        { { 5, { 2, 3, 6, 7, 24 } }, { 5, { 2, 3, 3, 24, 3 } }, { { 2, 3, 3 }, { 1, 1, 1 }, { 1, 0, 2 }, { 0, 1, 0 } } },
        { { 5, { 1, 1, 20, 22, 1 } }, { 5, { 1, 7, 7, 1, 8 } }, { { 1, 7, 7 }, { 1, 1, 1 }, { 0, 3, 3 }, { 0, 3, 3 } } },
        { { 5, { 1, 1, 24, 44, 8 } }, { 5, { 1, 4, 4, 8, 20 } }, { { 1, 4, 4 }, { 1, 2, 2 }, { 0, 1, 1 }, { 0, 1, 1 } } },
        { { 5, { 3, 1, 1, 50, 7 } }, { 5, { 1, 1, 5, 7, 9 } }, { { 1, 1, 5 }, { 1, 1, 1 }, { 0, 0, 4 }, { 0, 0, 0 } } },
    };
    for (size_t r = 0; r < COUNT_OF(rows); r++) {
        struct net n = { .g = graph_new() };
        float *got[3], *want[3];
        rng_init(&n.rng, 18, r);
        struct node *x = param(&n, rows[r].x), *w = param(&n, rows[r].w), *outs[3], *wrt[] = { x, w };
        outs[0] = g_conv(x, w, rows[r].geom);
        graph_grad(weighted(&n, outs[0]), wrt, 2, outs + 1); /* CONV_T and CONV_W */
        compute(&n, device, false, outs, 3, got);
        compute(&n, cpu, on_cpu(), outs, 3, want);
        for (int i = 0; i < 3; i++) {
            compare(outs[i], i, 1000 + r, got[i], want[i]);
            free(got[i]);
            free(want[i]);
        }
        free(n.memory[0]);
        free(n.memory[1]);
        graph_free(n.g);
    }
}

static void decoding(void **state)
{
    (void)state;
    enum { N = 5, T = 140, D = 96 };
    struct net n = { .g = graph_new() };
    float *got[1], *want[1];
    rng_init(&n.rng, 19, 0);
    struct node *in[5];
    for (int i = 0; i < 5; i++)
        in[i] = param(&n, i < 3 ? SHAPE(N, D) : SHAPE(N, T, D));
    struct node *y = g_attend_step(in[0], in[1], in[2], in[3], in[4], integers(&n, SHAPE(N), T), 3);
    compute(&n, device, false, &y, 1, got);
    compute(&n, cpu, false, &y, 1, want);
    compare(y, 0, 2000, got[0], want[0]);
    free(got[0]);
    free(want[0]);
    for (int i = 0; i < n.n_leaves; i++)
        free(n.memory[i]);
    graph_free(n.g);
}

static void random_numbers_are_the_same_bytes(void **state)
{
    (void)state;
    for (enum dist dist = DIST_UNIFORM; dist <= DIST_NORMAL; dist++) {
        struct net n = { .g = graph_new() };
        float *got[1], *want[1];
        rng_init(&n.rng, 20, 0);
        struct node *y = g_random(n.g, SHAPE(100003), dist, integers(&n, SHAPE(2), 1u << 31), 5);
        compute(&n, device, false, &y, 1, got);
        compute(&n, cpu, false, &y, 1, want);
        assert_memory_equal(got[0], want[0], node_count(y) * sizeof(float));
        free(got[0]);
        free(want[0]);
        free(n.memory[0]);
        graph_free(n.g);
    }
}

static int open_devices(void **state)
{
    (void)state;
    on_open(2, &device);
    return device_open("cpu", 2, &cpu) != ERR_OK;
}

static int close_devices(void **state)
{
    (void)state;
    device_close(device);
    device_close(cpu);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_gradients),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(decoding),
        cmocka_unit_test(random_numbers_are_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, open_devices, close_devices);
}
