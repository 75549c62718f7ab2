/* test_grad.c: what the table test of the ops cannot see: derivatives through whole graphs, of nodes that
 * depend on each other, and of gradients of gradients. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include "compute/op.h"
#include "ref.h"
#include "rng.h"

static struct graph *g;
static struct ref *ref;

static int setup(void **state)
{
    (void)state;
    g = graph_new();
    ref = ref_new(g);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ref_free(ref);
    graph_free(g);
    return 0;
}

static struct node *leaf(const char *name, struct shape s, uint64_t stream)
{
    struct node *n = g_param(g, name, s);
    struct rng r;
    rng_init(&r, 3, stream);
    double *v = ref_leaf(ref, n);
    for (size_t i = 0; i < node_count(n); i++)
        v[i] = (double)rng_uniform(&r) * 2 - 1;
    return n;
}

static struct node *total(struct node *x)
{
    return g_reshape(g_sum(x, (1u << node_shape(x).rank) - 1), (struct shape){ 0 });
}

static void check(struct node *scalar, struct node *wrt, struct node *grad)
{
    const double h = 1e-4;
    double *v = ref_leaf(ref, wrt);
    for (size_t k = 0; k < node_count(wrt); k++) {
        double kept = v[k];
        ref_reset(ref);
        double want = ref_value(ref, grad)[k];
        v[k] = kept + h;
        ref_reset(ref);
        double hi = *ref_value(ref, scalar);
        v[k] = kept - h;
        ref_reset(ref);
        double lo = *ref_value(ref, scalar);
        v[k] = kept;
        assert_true(fabs((hi - lo) / (2 * h) - want) < 1e-6 * fmax(1, fabs(want)));
    }
    ref_reset(ref);
}

static void unused_leaves_have_zero_gradients(void **state)
{
    (void)state;
    struct node *a = leaf("a", SHAPE(3), 1), *b = leaf("b", SHAPE(2, 2), 2), *out[2];
    graph_grad(total(g_exp(a)), (struct node *[]){ b, a }, 2, out);
    assert_ptr_equal(out[0], g_fill(g, SHAPE(2, 2), 0));
    assert_ptr_equal(out[1], g_exp(a));
    graph_grad(total(g_exp(g_stop(a))), &a, 1, out);
    assert_ptr_equal(out[0], g_fill(g, SHAPE(3), 0));
}

static void wanted_nodes_may_depend_on_each_other(void **state)
{
    (void)state;
    struct node *a = leaf("a", SHAPE(3), 1), *b = g_exp(a), *out[2];
    graph_grad(total(g_mul(b, b)), (struct node *[]){ a, b }, 2, out); /* totals, not partials */
    const double *v = ref_leaf(ref, a);
    for (size_t i = 0; i < 3; i++) {
        assert_true(fabs(ref_value(ref, out[1])[i] - 2 * exp(v[i])) < 1e-9);
        assert_true(fabs(ref_value(ref, out[0])[i] - 2 * exp(2 * v[i])) < 1e-9);
    }
}

static void product_with_a_vector(void **state)
{
    (void)state;
    struct node *a = leaf("a", SHAPE(3), 1), *seed = leaf("seed", SHAPE(3), 2), *out;
    graph_vjp(g_mul(a, a), seed, &a, 1, &out);
    for (size_t i = 0; i < 3; i++)
        assert_true(fabs(ref_value(ref, out)[i] - 2 * ref_leaf(ref, a)[i] * ref_leaf(ref, seed)[i]) < 1e-12);
}

static void orders_above_two(void **state)
{
    (void)state;
    struct node *a = leaf("a", SHAPE(3), 1), *d = total(g_powc(g_scale(a, 1, 3), 5)), *out;
    double factor = 5;
    for (int order = 1; order <= 5; order++) {
        graph_grad(d, &a, 1, &out);
        for (size_t i = 0; i < 3; i++) {
            double want = factor * pow(ref_leaf(ref, a)[i] + 3, 5 - order);
            assert_true(fabs(ref_value(ref, out)[i] - want) < 1e-8 * fabs(want));
        }
        factor *= 5 - order;
        d = total(out);
    }
}

/* A small critic of every kind of layer that critics have; its gradient penalty is differentiated by the
 * weights: the training step of a WGAN-GP. */
static void gradient_penalty(void **state)
{
    (void)state;
    const struct geom equal = {{1, 2, 2}, {1, 2, 2}, {0}, {0}}, over = {{2, 1, 1}, {1, 1, 1}, {0}, {0}};
    struct node *x = leaf("x", SHAPE(2, 3, 4, 4, 2), 1), *w1 = leaf("w1", SHAPE(1, 2, 2, 2, 3), 2);
    struct node *w2 = leaf("w2", SHAPE(2, 1, 1, 3, 4), 3), *w3 = leaf("w3", SHAPE(4, 1), 4),
                *bias = leaf("b", SHAPE(1), 5);
    struct node *h = g_leaky(g_conv(x, w1, equal), 0.2f);
    h = g_leaky(g_conv(h, w2, over), 0.2f);
    struct node *score = g_linear(g_reshape(h, SHAPE(2 * 2 * 2 * 2, 4)), w3, bias, ACT_NONE);
    struct node *slope, *wrt[] = { w1, w2, w3 }, *out[3];
    graph_grad(total(score), &x, 1, &slope);
    struct node *norm = g_powc(g_scale(g_sum(g_mul(slope, slope), 30), 1, 1e-8f), 0.5f);
    struct node *loss = g_add(total(g_powc(g_scale(norm, 1, -1), 2)), g_scale(total(score), 0.1f, 0));
    graph_grad(loss, wrt, 3, out);
    for (int i = 0; i < 3; i++)
        check(loss, wrt[i], out[i]);
}

static void a_block_of_a_transformer(void **state)
{
    (void)state;
    struct node *x = leaf("x", SHAPE(2, 3, 4), 1), *w = leaf("w", SHAPE(4, 12), 2),
                *b = leaf("b", SHAPE(12), 3);
    struct node *u = leaf("u", SHAPE(4, 4), 4);
    struct node *qkv = g_linear(g_norm(x, 4, 1e-3f), w, b, ACT_NONE);
    struct node *a =
        g_attention(g_slice(qkv, 2, 0, 4), g_slice(qkv, 2, 4, 4), g_slice(qkv, 2, 8, 4), 2, true, NULL);
    struct node *y = g_add(x, g_linear(g_gelu(a), u, NULL, ACT_NONE));
    struct node *loss = total(g_mul(y, y)), *wrt[] = { x, w, b, u }, *out[4], *second[4];
    graph_grad(loss, wrt, 4, out);
    struct node *again = NULL;
    for (int i = 0; i < 4; i++) {
        check(loss, wrt[i], out[i]);
        struct node *part = total(g_mul(out[i], out[i]));
        again = again ? g_add(again, part) : part;
    }
    graph_grad(again, wrt, 4, second);
    for (int i = 0; i < 4; i++)
        check(again, wrt[i], second[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unused_leaves_have_zero_gradients),
        TEST(wanted_nodes_may_depend_on_each_other),
        TEST(product_with_a_vector),
        TEST(orders_above_two),
        TEST(gradient_penalty),
        TEST(a_block_of_a_transformer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
