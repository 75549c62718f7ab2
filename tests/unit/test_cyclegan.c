/* test_cyclegan.c: the networks of genre transfer at full size against PyTorch (golden/cyclegan.json, written by
 * golden/make_cyclegan.py): outputs and every gradient. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "hashed.h"
#include <jansson.h>
#include "mem.h"
#include "model/cyclegan.h"
#include "model/judge.h"
#include "plan.h"
#include "str.h"

enum { N = 2, MAX = 96 };
static json_t *golden;
static struct device *device;

static int setup(void **state)
{
    (void)state;
    golden = json_load_file("tests/golden/cyclegan.json", 0, NULL);
    return golden && device_open("cpu", 2, &device) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(golden);
    device_close(device);
    return 0;
}

static void fill(struct params *p)
{
    for (size_t i = 0; i < params_n(p); i++) {
        const char *name = params_name(p, i);
        struct shape s = params_shape(p, i);
        size_t n = shape_count(s);
        float *u = hashed(name, n);
        double scale = str_ends(name, ".w") ? sqrt(3.0 * s.dim[s.rank - 1] / (double)n) : 0.1;
        for (size_t k = 0; k < n; k++)
            u[k] = (float)(scale * (double)u[k] + (str_ends(name, ".gamma") ? 1 : !str_ends(name, ".beta") ? 0 :
                                                   k % 2                   ? -4 : 4));
        memcpy(params_value(p, i), u, n * sizeof *u);
        free(u);
    }
}

static double size_of(const json_t *tensor, size_t n)
{
    return json_number_value(json_object_get(tensor, "norm")) / sqrt((double)n);
}

/* The samples of a golden tensor; the error is relative to its mean size, or to that of another. */
static void same_beside(const json_t *want, const json_t *beside, const float *got, size_t n, double tolerance,
                        const char *name)
{
    json_t *at = json_object_get(want, "at");
    size_t step = (size_t)json_integer_value(json_object_get(want, "step"));
    double size = size_of(want, n), unit = size_of(beside, n), worst = 0, square = 0;
    assert_true(json_array_size(at) > 0);
    for (size_t i = 0; i < json_array_size(at); i++)
        worst = fmax(worst, fabs((double)got[i * step] - json_number_value(json_array_get(at, i))));
    for (size_t i = 0; i < n; i++)
        square += (double)got[i] * (double)got[i];
    worst = fmax(worst, fabs(sqrt(square / (double)n) - size));
    if (worst > tolerance * unit)
        fail_msg("%s: off by %g of a mean size of %g", name, worst, unit);
}

static void same(const json_t *want, const float *got, size_t n, double tolerance, const char *name)
{
    same_beside(want, want, got, n, tolerance, name);
}

/* A shift before a norm all but cancels, and so does its gradient: it is seen beside that of the gain. */
static void same_gradient(const json_t *grads, const char *name, const float *got, size_t n)
{
    const json_t *want = json_object_get(grads, name), *beside = want;
    char gain[64];
    if (str_ends(name, ".beta")) {
        str_format(gain, sizeof gain, "%.*s.gamma", (int)(strlen(name) - strlen(".beta")), name);
        beside = json_object_get(grads, gain);
    }
    assert_non_null(beside);
    same_beside(want, beside, got, n, 1e-4, name);
}

static float *grids(const char *name, float lo)
{
    float *u = hashed(name, N * GRID_CELLS);
    for (int i = 0; i < N * GRID_CELLS; i++)
        u[i] = (double)u[i] > 0.9 ? 1 : lo;
    return u;
}

static struct node *mean_square(struct node *x)
{
    struct shape s = node_shape(x);
    return g_reshape(g_mean(g_mul(x, x), (1u << s.rank) - 1), (struct shape){ 0 });
}

typedef struct node *(*network_fn)(struct net *n, struct node *x);

static struct node *generator(struct net *n, struct node *x)
{
    return cyclegan_generator(n, "g.ab", &(struct cyclegan_config){ 64, 10, CRITIC_CODE }, x);
}

static struct node *critic(struct net *n, struct node *x)
{
    return cyclegan_critic(n, "d.a", &(struct cyclegan_config){ 64, 10, CRITIC_CODE }, x);
}

static struct node *paper(struct net *n, struct node *x)
{
    return cyclegan_critic(n, "d.a", &(struct cyclegan_config){ 64, 10, CRITIC_PAPER }, x);
}

static struct node *judge(struct net *n, struct node *x)
{
    return judge_network(n, 64, 2, x);
}

static const struct { const char *name; network_fn build; float lo; } networks[] = {
    { "generator", generator, 0 }, { "critic", critic, 0 }, { "paper", paper, 0 }, { "judge", judge, -1 },
};

/* Output, and the gradients of its mean square distance from a made target. */
static void test_network(const char *name, network_fn build, float lo)
{
    const json_t *want = json_object_get(golden, name);
    struct node *out[2 + MAX], *leaf[MAX];
    int index[MAX];
    struct net net = { .g = graph_new(), .p = params_new(), .training = true };
    struct node *x = g_input(net.g, "x", F32, SHAPE(N, 1, GRID_STEPS, GRID_PITCHES, 1));
    out[0] = build(&net, x);
    size_t n_out = shape_count(node_shape(out[0]));
    float *target = hashed("target", n_out), *cells = grids("grids", lo);
    out[1] = mean_square(g_sub(out[0], g_const_data(net.g, node_shape(out[0]), target)));
    assert_int_equal(params_count(net.p), json_integer_value(json_object_get(want, "params")));
    assert_int_equal(params_alloc(net.p, device, true), ERR_OK);
    fill(net.p);
    int n = params_leaves(net.p, net.g, "", leaf, index, MAX);
    struct plan *plan;
    graph_grad(out[1], leaf, n, out + 2);
    assert_int_equal(plan_new(device, net.g, out, 2 + n, NULL, &plan), ERR_OK);
    params_bind(net.p, plan);
    plan_bind(plan, x, cells);
    assert_int_equal(plan_run(plan, NULL), ERR_OK);
    same(json_object_get(want, "out"), plan_output(plan, 0), n_out, 1e-5, name);
    double loss = json_number_value(json_object_get(want, "loss"));
    assert_true(fabs((double)*(float *)plan_output(plan, 1) - loss) < 1e-5 * loss);
    const json_t *grads = json_object_get(want, "grads");
    assert_int_equal(json_object_size(grads), n);
    for (int i = 0; i < n; i++) {
        const char *tensor = params_name(net.p, (size_t)index[i]);
        same_gradient(grads, tensor, plan_output(plan, 2 + i), shape_count(params_shape(net.p, (size_t)index[i])));
    }
    plan_free(plan);
    free(cells);
    free(target);
    graph_free(net.g);
    params_free(net.p);
}

static void test_networks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(networks); i++)
        test_network(networks[i].name, networks[i].build, networks[i].lo);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_networks) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
