/* Layers: shapes, names and numbers of each builder, checked against the arithmetic written out here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "group.h"
#include "layer.h"

enum { ROWS = 6, WIDTH = 8, MOST_READ = 16 };

struct rig {
    struct net net;
    struct plan *plan;
    float x[ROWS * WIDTH];
    void *there;            /* x on the device */
    float *read[MOST_READ]; /* what was read from it */
    int n_read;
};

static struct node *begin(struct rig *r, bool training)
{
    memset(r, 0, sizeof *r);
    r->net = (struct net){.g = graph_new(), .p = params_new(), .training = training};
    for (int i = 0; i < ROWS * WIDTH; i++)
        r->x[i] = sinf((float)i * 1.3f) + 0.1f * (float)(i % WIDTH);
    return g_input(r->net.g, "x", F32, SHAPE(ROWS, WIDTH));
}

static void run(struct rig *r, struct node *const *out, int n)
{
    assert_int_equal(params_alloc(r->net.p, device, false), ERR_OK);
    params_init(r->net.p, 4);
    assert_int_equal(plan_new(device, r->net.g, out, n, NULL, &r->plan), ERR_OK);
    params_bind(r->net.p, r->plan);
    r->there = on_copy(device, r->x, sizeof r->x);
    plan_bind_name(r->plan, "x", r->there);
    assert_int_equal(plan_run(r->plan, NULL), ERR_OK);
}

static float *values(struct rig *r, const void *at, size_t n)
{
    assert_true(r->n_read < MOST_READ);
    return r->read[r->n_read++] = on_floats(device, at, n);
}

static void end(struct rig *r)
{
    plan_free(r->plan);
    graph_free(r->net.g);
    params_free(r->net.p);
    device_free(device, r->there);
    for (int i = 0; i < r->n_read; i++)
        free(r->read[i]);
}

static float *tensor(struct rig *r, const char *name)
{
    int i = params_find(r->net.p, name);
    if (i < 0)
        fail_msg("no tensor %s", name);
    return values(r, params_value(r->net.p, (size_t)i), shape_count(params_shape(r->net.p, (size_t)i)));
}

static void near(float got, double want)
{
    assert_true(fabs((double)got - want) < 2e-5);
}

static void linear(void **state)
{
    (void)state;
    struct rig r;
    struct node *x = begin(&r, false);
    struct node *y = nn_linear(&r.net, "fc", x, 3, true, (struct init_spec){INIT_NORMAL, 1}, ACT_RELU);
    struct node *again = nn_linear(&r.net, "fc", x, 3, true, (struct init_spec){INIT_NORMAL, 1}, ACT_RELU);
    assert_ptr_equal(y, again); /* the same tensors, the same node */
    run(&r, &y, 1);
    assert_int_equal(params_n(r.net.p), 2);
    const float *w = tensor(&r, "fc.w"), *got = values(&r, plan_output(r.plan, 0), ROWS * 3);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < 3; j++) {
            double sum = 0;
            for (int k = 0; k < WIDTH; k++)
                sum += (double)r.x[i * WIDTH + k] * (double)w[k * 3 + j];
            near(got[i * 3 + j], fmax(sum, 0));
        }
    end(&r);
}

static void column_stats(const float *x, int j, double *mean, double *var)
{
    double sum = 0, square = 0;
    for (int i = 0; i < ROWS; i++)
        sum += (double)x[i * WIDTH + j];
    *mean = sum / ROWS;
    for (int i = 0; i < ROWS; i++)
        square += pow((double)x[i * WIDTH + j] - *mean, 2);
    *var = square / ROWS;
}

/* Batch statistics in training, with the moving ones updated as TensorFlow does; moving ones otherwise. */
static void batch_norm(void **state)
{
    (void)state;
    for (int training = 0; training < 2; training++) {
        struct rig r;
        struct node *x = begin(&r, training), *out[3];
        out[0] = nn_batch_norm(&r.net, "bn", x, 0.9f, 1e-3f);
        assert_int_equal(r.net.n_stores, training ? 2 : 0);
        memcpy(out + 1, r.net.stores, (size_t)r.net.n_stores * sizeof *out);
        run(&r, out, 1 + r.net.n_stores);
        assert_int_equal(params_count(r.net.p), 2 * WIDTH);
        const float *y = values(&r, plan_output(r.plan, 0), ROWS * WIDTH), *means = tensor(&r, "bn.mean"),
                    *vars = tensor(&r, "bn.var");
        for (int j = 0; j < WIDTH; j++) {
            double mean = 0, var = 1;
            if (training)
                column_stats(r.x, j, &mean, &var);
            for (int i = 0; i < ROWS; i++)
                near(y[i * WIDTH + j], ((double)r.x[i * WIDTH + j] - mean) / sqrt(var + 1e-3));
            near(means[j], 0.1 * mean);
            near(vars[j], training ? 0.9 + 0.1 * var : 1);
        }
        end(&r);
    }
}

static void layer_and_instance_norm(void **state)
{
    (void)state;
    struct rig r;
    struct node *x = begin(&r, false), *out[2];
    out[0] = nn_layer_norm(&r.net, "ln", x, 1e-5f);
    out[1] = nn_instance_norm(&r.net, "in", g_reshape(x, SHAPE(2, ROWS / 2, WIDTH)), 1e-5f);
    run(&r, out, 2);
    const float *layer = values(&r, plan_output(r.plan, 0), ROWS * WIDTH),
                *instance = values(&r, plan_output(r.plan, 1), ROWS * WIDTH);
    for (int i = 0; i < ROWS; i++) {
        double sum = 0, square = 0;
        for (int j = 0; j < WIDTH; j++) {
            sum += (double)layer[i * WIDTH + j];
            square += pow((double)layer[i * WIDTH + j], 2);
        }
        assert_true(fabs(sum) < 1e-4 && fabs(square / WIDTH - 1) < 1e-3);
    }
    for (int j = 0; j < WIDTH; j++) /* each sample's channel on its own */
        for (int n = 0; n < 2; n++) {
            double sum = 0;
            for (int i = 0; i < ROWS / 2; i++)
                sum += (double)instance[(n * ROWS / 2 + i) * WIDTH + j];
            assert_true(fabs(sum) < 1e-4);
        }
    end(&r);
}

static void embedding(void **state)
{
    (void)state;
    struct rig r;
    int32_t idx[3] = {2, -1, 0};
    begin(&r, false);
    struct node *i = g_input(r.net.g, "i", I32, SHAPE(3));
    struct node *y = nn_embedding(&r.net, "e", i, 4, WIDTH, (struct init_spec){INIT_NORMAL, 1});
    assert_int_equal(params_alloc(r.net.p, device, false), ERR_OK);
    params_init(r.net.p, 4);
    assert_false(params_decays(r.net.p, 0));
    assert_int_equal(plan_new(device, r.net.g, &y, 1, NULL, &r.plan), ERR_OK);
    params_bind(r.net.p, r.plan);
    r.there = on_copy(device, idx, sizeof idx);
    plan_bind_name(r.plan, "i", r.there);
    assert_int_equal(plan_run(r.plan, NULL), ERR_OK);
    const float *got = values(&r, plan_output(r.plan, 0), 3 * WIDTH), *table = tensor(&r, "e.w");
    assert_memory_equal(got, table + 2 * WIDTH, WIDTH * sizeof *got);
    assert_memory_equal(got + 2 * WIDTH, table, WIDTH * sizeof *got);
    for (int k = 0; k < WIDTH; k++)
        assert_true(got[WIDTH + k] == 0);
    end(&r);
}

static void dropout(void **state)
{
    (void)state;
    enum { MANY = 4096 };
    struct net net = {.g = graph_new(), .p = params_new(), .training = true};
    int32_t seed[2] = {7, 0};
    net.seed = g_input(net.g, "seed", I32, SHAPE(2));
    struct node *ones = g_input(net.g, "ones", F32, SHAPE(MANY)), *y[2];
    y[0] = nn_dropout(&net, ones, 0.25f);
    y[1] = nn_dropout(&net, ones, 0.25f);
    assert_ptr_not_equal(y[0], y[1]); /* streams of their own */
    assert_ptr_equal(nn_dropout(&net, ones, 0), ones);
    float x[MANY];
    struct plan *plan;
    for (int i = 0; i < MANY; i++)
        x[i] = 1;
    assert_int_equal(plan_new(device, net.g, y, 2, NULL, &plan), ERR_OK);
    void *there = on_copy(device, x, sizeof x), *seed_there = on_copy(device, seed, sizeof seed);
    plan_bind_name(plan, "ones", there);
    plan_bind_name(plan, "seed", seed_there);
    assert_int_equal(plan_run(plan, NULL), ERR_OK);
    float *a = on_floats(device, plan_output(plan, 0), MANY), *b = on_floats(device, plan_output(plan, 1), MANY);
    int kept = 0, both = 0;
    for (int i = 0; i < MANY; i++) {
        assert_true(a[i] == 0 || fabsf(a[i] - 4.0f / 3) < 1e-6f);
        kept += a[i] > 0;
        both += a[i] > 0 && b[i] > 0;
    }
    assert_true(abs(kept - MANY * 3 / 4) < 150 && abs(both - MANY * 9 / 16) < 200);
    free(a);
    free(b);
    device_free(device, there);
    device_free(device, seed_there);
    plan_free(plan);
    graph_free(net.g);
    params_free(net.p);
}

static void convolutions(void **state)
{
    (void)state;
    struct net net = {.g = graph_new(), .p = params_new()};
    struct geom g = {.kernel = {1, 2, 3}, .stride = {1, 2, 2}};
    struct node *x = g_input(net.g, "x", F32, SHAPE(2, 3, 4, 5, 6));
    struct node *y = nn_conv(&net, "c", x, 7, g, true, (struct init_spec){INIT_NORMAL, 1});
    struct node *z = nn_conv_t(&net, "t", y, 6, g, true, (struct init_spec){INIT_NORMAL, 1});
    assert_true(shape_same(node_shape(y), SHAPE(2, 3, 2, 2, 7)));
    assert_true(shape_same(node_shape(z), SHAPE(2, 3, 4, 5, 6)));
    assert_int_equal(params_count(net.p), 6 * 6 * 7 + 7 + 6 * 6 * 7 + 6);
    graph_free(net.g);
    params_free(net.p);
}

/* Two biases a gate, as Keras' and PyTorch's layers have; the second direction begins at the end. */
static void gru(void **state)
{
    (void)state;
    struct rig r;
    struct node *x = begin(&r, false);
    struct node *y = nn_gru(&r.net, "g", g_reshape(x, SHAPE(2, ROWS / 2, WIDTH)), 5, true);
    assert_true(shape_same(node_shape(y), SHAPE(2, ROWS / 2, 10)));
    run(&r, &y, 1);
    assert_int_equal(params_count(r.net.p), 2 * (WIDTH * 15 + 5 * 15 + 2 * 15));
    const float *out = values(&r, plan_output(r.plan, 0), ROWS * 10), *w = tensor(&r, "g.w"), *last = r.x + (ROWS / 2 - 1) * WIDTH;
    double z = 0, fresh = 0; /* from a state of zeros with zero biases */
    for (int i = 0; i < WIDTH; i++) {
        z += (double)last[i] * (double)w[i * 30 + 15];
        fresh += (double)last[i] * (double)w[i * 30 + 15 + 10];
    }
    near(out[(ROWS / 2 - 1) * 10 + 5], (1 - 1 / (1 + exp(-z))) * tanh(fresh));
    end(&r);
}

/* Larger than they start, so that errors show. */
static void enlarge(struct params *p)
{
    for (size_t i = 0; i < params_n(p); i++) {
        size_t n = shape_count(params_shape(p, i));
        float *v = on_floats(device, params_value(p, i), n);
        for (size_t j = 0; j < n; j++)
            v[j] += 0.3f * sinf((float)(i * 31 + j));
        assert_int_equal(device_upload(device, params_value(p, i), v, n * sizeof *v), ERR_OK);
        free(v);
    }
}

/* One transformer block: the whole sequence at once, and step by step with a cache, agree. */
static void block(void **state)
{
    (void)state;
    enum { TIME = 5, HEADS = 2 };
    struct net net = {.g = graph_new(), .p = params_new()}, one = {.g = graph_new(), .p = net.p};
    struct node *x = g_input(net.g, "x", F32, SHAPE(2, TIME, WIDTH)),
                *xs = g_input(one.g, "x", F32, SHAPE(2, WIDTH));
    struct node *y = nn_block(&net, "b", x, HEADS, 0.1f, 4, NULL);
    struct node *k = g_param(one.g, "k", SHAPE(2, TIME, WIDTH)),
                *v = g_param(one.g, "v", SHAPE(2, TIME, WIDTH));
    struct node *step =
        nn_block_step(&one, "b", xs, HEADS, 4, k, v, g_input(one.g, "position", I32, SHAPE(2)));
    assert_int_equal(params_count(net.p),
                     4 * WIDTH + 4 * (WIDTH * WIDTH + WIDTH) + 2 * 4 * WIDTH * WIDTH + 5 * WIDTH);
    assert_int_equal(params_alloc(net.p, device, false), ERR_OK);
    params_init(net.p, 4);
    enlarge(net.p);
    float in[2 * TIME * WIDTH], now[2 * WIDTH] = {0}, cache[2 * TIME * WIDTH] = {0};
    for (int i = 0; i < 2 * TIME * WIDTH; i++)
        in[i] = sinf((float)i * 0.7f);
    struct plan *whole, *single;
    assert_int_equal(plan_new(device, net.g, &y, 1, NULL, &whole), ERR_OK);
    assert_int_equal(plan_new(device, one.g, &step, 1, NULL, &single), ERR_OK);
    int32_t position[2] = {0};
    void *there[] = {on_copy(device, in, sizeof in), on_copy(device, now, sizeof now),
                     on_copy(device, cache, sizeof cache), on_copy(device, cache, sizeof cache),
                     on_copy(device, position, sizeof position)};
    params_bind(net.p, whole);
    params_bind(net.p, single);
    plan_bind_name(whole, "x", there[0]);
    plan_bind_name(single, "x", there[1]);
    plan_bind_name(single, "k", there[2]);
    plan_bind_name(single, "v", there[3]);
    plan_bind_name(single, "position", there[4]);
    assert_int_equal(plan_run(whole, NULL), ERR_OK);
    float *want = on_floats(device, plan_output(whole, 0), 2 * TIME * WIDTH), got[2 * WIDTH];
    for (int t = 0; t < TIME; t++) {
        position[0] = position[1] = t;
        for (int n = 0; n < 2; n++)
            memcpy(now + n * WIDTH, in + (n * TIME + t) * WIDTH, WIDTH * sizeof *now);
        assert_int_equal(device_upload(device, there[1], now, sizeof now), ERR_OK);
        assert_int_equal(device_upload(device, there[4], position, sizeof position), ERR_OK);
        assert_int_equal(plan_run(single, NULL), ERR_OK);
        on_read(device, got, plan_output(single, 0), sizeof got);
        for (int n = 0; n < 2; n++)
            for (int j = 0; j < WIDTH; j++)
                near(got[n * WIDTH + j], (double)want[(n * TIME + t) * WIDTH + j]);
    }
    plan_free(whole);
    plan_free(single);
    free(want);
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        device_free(device, there[i]);
    graph_free(net.g);
    graph_free(one.g);
    params_free(net.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear),    cmocka_unit_test(batch_norm), cmocka_unit_test(layer_and_instance_norm),
        cmocka_unit_test(embedding), cmocka_unit_test(dropout),    cmocka_unit_test(convolutions),
        cmocka_unit_test(gru),
        cmocka_unit_test(block),
    };
    return cmocka_run_group_tests_name("layer", tests, group_one_thread, group_end);
}
