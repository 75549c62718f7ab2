/* test_plan.c: plans as a whole. Random graphs against double precision (fusion, memory reuse, views), runs
 * that repeat bit for bit with any number of threads, frozen plans, states, bound outputs, decoding steps,
 * cancelling, and no allocation while running. */
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
#include "ref.h"
#include "rng.h"

enum { MOST = 64 };
static struct device *one, *two;

/* ------------------------------------------------------------------ counting allocations */

#if !defined(__SANITIZE_ADDRESS__)
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
static _Atomic long allocations;

void *malloc(size_t n)
{
    allocations++;
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}
#else
static long allocations;
#endif

/* ------------------------------------------------------------------ a graph with its leaves' memory */

struct net {
    struct graph *g;
    struct node *leaf[MOST];
    void *memory[MOST]; /* ordinary memory */
    void *there[MOST];  /* the same on the device */
    int n_leaves;
    struct rng rng;
};

static void net_init(struct net *n, uint64_t seed)
{
    *n = (struct net){ .g = graph_new() };
    rng_init(&n->rng, seed, 5);
}

static void net_fini(struct net *n)
{
    for (int i = 0; i < n->n_leaves; i++) {
        free(n->memory[i]);
        device_free(two, n->there[i]);
    }
    graph_free(n->g);
}

static struct node *add_leaf(struct net *n, struct node *leaf, void *values)
{
    n->leaf[n->n_leaves] = leaf;
    n->memory[n->n_leaves] = values;
    n->there[n->n_leaves++] = on_copy(two, values, node_count(leaf) * sizeof(float));
    return leaf;
}

static struct node *param(struct net *n, const char *name, struct shape s)
{
    struct node *p = g_param(n->g, name, s);
    for (int i = 0; i < n->n_leaves; i++)
        if (n->leaf[i] == p)
            return p;
    float *v = xcalloc(shape_count(s), sizeof(float));
    for (size_t i = 0; i < shape_count(s); i++)
        v[i] = rng_uniform(&n->rng) * 2 - 1;
    return add_leaf(n, p, v);
}

static struct node *integers(struct net *n, const char *name, struct shape s, int32_t lo, uint32_t count)
{
    int32_t *v = xcalloc(shape_count(s), sizeof(*v));
    for (size_t i = 0; i < shape_count(s); i++)
        v[i] = lo + (int32_t)rng_below(&n->rng, count);
    return add_leaf(n, g_input(n->g, name, I32, s), v);
}

static int number_of(const struct net *n, const struct node *leaf)
{
    for (int i = 0; i < n->n_leaves; i++)
        if (n->leaf[i] == leaf)
            return i;
    fail_msg("no such leaf");
    return -1;
}

static float *memory_of(const struct net *n, const struct node *leaf)
{
    return n->memory[number_of(n, leaf)];
}

/* What memory_of gave was changed. */
static void send(const struct net *n, const struct node *leaf)
{
    int i = number_of(n, leaf);
    assert_int_equal(device_upload(two, n->there[i], n->memory[i], node_count(leaf) * sizeof(float)), ERR_OK);
}

static struct plan *plan_for(const struct net *n, struct device *d, struct node *const *outs, int n_outs,
                             struct plan_opts opts)
{
    struct plan *p;
    assert_int_equal(plan_new(d, n->g, outs, n_outs, &opts, &p), ERR_OK);
    for (int i = 0; i < n->n_leaves; i++)
        plan_bind(p, n->leaf[i], n->there[i]);
    return p;
}

static void run(struct plan *p)
{
    assert_int_equal(plan_run(p, NULL), ERR_OK);
}

/* Output i, to be freed. */
static float *output(const struct plan *p, int i, size_t n)
{
    return on_floats(two, plan_output(p, i), n);
}

/* Nothing to see off the CPU, and why. */
static bool only_on_cpu(const char *why)
{
    if (!on_cpu())
        print_message("skipped on %s: %s\n", on_kind(), why);
    return !on_cpu();
}

static struct node *total(struct node *x)
{
    return g_reshape(g_sum(x, (1u << node_shape(x).rank) - 1), (struct shape){ 0 });
}

/* ------------------------------------------------------------------ random graphs */

static struct node *any(struct net *n, struct node **pool, int count)
{
    return pool[count - 1 -
                (int)rng_below(&n->rng, (uint32_t)(count < 6              ? count
                                                   : rng_u32(&n->rng) & 1 ? 6
                                                                          : count))];
}

static struct node *grow_unary(struct net *n, struct node *x)
{
    struct shape s = x->shape;
    int axis = (int)rng_below(&n->rng, (uint32_t)s.rank);
    switch (rng_below(&n->rng, 14)) {
    case 0: return g_tanh(x);
    case 1: return g_sigmoid(x);
    case 2: return g_scale(x, -0.7f, 0.2f);
    case 3: return g_leaky(x, 0.2f);
    case 4: return g_exp(g_tanh(x));
    case 5: return g_gelu(x);
    case 6: return g_expand(g_sum(g_tanh(x), 1u << axis), s);
    case 7: return g_sub(x, g_expand(g_max(x, 1u << axis), s));
    case 8: return g_softmax(x, axis);
    case 9: return g_norm(x, 1u << axis, 0.1f);
    case 10: return s.dim[axis] > 1 ? g_slice(x, axis, s.dim[axis] / 2, s.dim[axis] - s.dim[axis] / 2) : x;
    case 11: return s.dim[axis] < 8 ? g_pad(x, axis, 1, 1) : x;
    case 12: return g_stop(x);
    default:
        return s.rank == 2 ? g_permute(x, (int[]){1, 0})
                           : g_reshape(x, SHAPE(s.dim[0], (int32_t)(node_count(x) / (size_t)s.dim[0])));
    }
}

static struct node *grow_binary(struct net *n, struct node *x, struct node *y)
{
    if (x->shape.rank == 2 && y->shape.rank == 2 && !shape_same(x->shape, y->shape)) {
        if (x->shape.dim[1] == y->shape.dim[0])
            return g_linear(g_tanh(x), g_tanh(y), NULL, (enum act)rng_below(&n->rng, 6));
        if (x->shape.dim[1] == y->shape.dim[1])
            return g_tanh(g_matmul(x, y, false, true));
        if (x->shape.dim[0] == y->shape.dim[0])
            return g_concat((struct node *[]){ x, y }, 2, 1);
    }
    if (!shape_same(x->shape, y->shape))
        return g_tanh(x);
    switch (rng_below(&n->rng, 6)) {
    case 0: return g_add(x, y);
    case 1: return g_sub(x, y);
    case 2: return g_tanh(g_mul(x, y));
    case 3: return g_div(x, g_scale(g_mul(y, y), 1, 1));
    case 4: return g_select(g_ge(x, y), x, y);
    default: return x->shape.dim[0] < 8 ? g_concat((struct node *[]){ x, y }, 2, 0) : g_add(x, y);
    }
}

static void compare(struct net *n, struct node **outs, int n_outs, struct plan_opts opts, int seed)
{
    struct plan *p = plan_for(n, two, outs, n_outs, opts);
    struct ref *r = ref_new(n->g);
    for (int i = 0; i < n->n_leaves; i++)
        for (size_t k = 0; k < node_count(n->leaf[i]); k++)
            ref_leaf(r, n->leaf[i])[k] = (double)((float *)n->memory[i])[k];
    for (int again = 0; again < 2; again++) {
        run(p);
        for (int i = 0; i < n_outs; i++) {
            const double *want = ref_value(r, outs[i]);
            float *got = output(p, i, node_count(outs[i]));
            for (size_t k = 0; k < node_count(outs[i]); k++)
                if (!(fabs((double)got[k] - want[k]) <= 2e-4 * fmax(1, fabs(want[k]))))
                    fail_msg("seed %d, output %d[%zu]: %.8g instead of %.8g", seed, i, k, (double)got[k],
                             want[k]);
            free(got);
        }
    }
    ref_free(r);
    plan_free(p);
}

static void random_graphs(void **state)
{
    (void)state;
    for (int seed = 0; seed < 150; seed++) {
        struct net n;
        net_init(&n, (uint64_t)seed);
        struct node *pool[MOST] = {param(&n, "a", SHAPE(4, 6)), param(&n, "b", SHAPE(6, 5)),
                                   param(&n, "c", SHAPE(2, 3, 4)), param(&n, "d", SHAPE(4, 6))};
        int count = 4;
        while (count < 30) {
            struct node *x = any(&n, pool, count), *y = any(&n, pool, count);
            struct node *made = rng_u32(&n.rng) & 1 ? grow_unary(&n, x) : grow_binary(&n, x, y);
            if (node_count(made) <= 400)
                pool[count++] = made;
        }
        struct node *outs[7] = {pool[29], pool[20], pool[12],
                                g_reshape(pool[20], SHAPE((int32_t)node_count(pool[20])))};
        graph_grad(g_add(total(g_tanh(pool[29])), total(g_tanh(pool[25]))), n.leaf, 3, outs + 4);
        compare(&n, outs, 7, (struct plan_opts){ 0 }, seed);
        compare(&n, outs, 7, (struct plan_opts){ .frozen = true }, seed);
        compare(&n, outs, 7, (struct plan_opts){ .reference = true }, seed);
        net_fini(&n);
    }
}

/* ------------------------------------------------------------------ repeatability */

/* Every kind of kernel, large enough to be cut into chunks: a block of a transformer, batch norm and
 * convolutions, and the gradients by all params. */
static int large_net(struct net *n, struct node **outs)
{
    struct node *idx = integers(n, "idx", SHAPE(4, 64), -1, 40),
                *target = integers(n, "target", SHAPE(256), -1, 41);
    struct node *seed = integers(n, "seed", SHAPE(2), 1, 100);
    struct node *x = g_gather(param(n, "table", SHAPE(40, 96)), idx);
    struct node *keep = g_ge(g_random(n->g, x->shape, DIST_UNIFORM, seed, 1), g_fill(n->g, x->shape, 0.1f));
    x = g_mul(x, keep);
    struct node *qkv = g_linear(g_norm(x, 4, 1e-5f), param(n, "qkv", SHAPE(96, 288)),
                                param(n, "bias", SHAPE(288)), ACT_NONE);
    x = g_add(x, g_attention(g_slice(qkv, 2, 0, 96), g_slice(qkv, 2, 96, 96), g_slice(qkv, 2, 192, 96), 3,
                             true, NULL));
    x = g_add(x, g_linear(x, param(n, "mix", SHAPE(96, 96)), NULL, ACT_GELU));
    const struct geom geom = { { 1, 2, 2 }, { 1, 2, 2 }, { 0 }, { 0 } };
    struct node *image =
        g_conv(g_reshape(x, SHAPE(4, 2, 8, 24, 16)), param(n, "w", SHAPE(1, 2, 2, 16, 24)), geom);
    image = g_leaky(g_norm(image, 15, 1e-3f), 0);
    image = g_conv_t(image, param(n, "v", SHAPE(1, 2, 2, 8, 24)), geom, (int32_t[]){ 2, 8, 24 });
    struct node *logits =
        g_matmul(g_reshape(x, SHAPE(256, 96)), param(n, "head", SHAPE(41, 96)), false, true);
    struct node *loss = g_add(g_xent(logits, target), g_scale(total(g_mul(image, image)), 1e-4f, 0));
    struct node *wrt[MOST];
    int n_wrt = 0;
    for (int i = 0; i < n->n_leaves; i++)
        if (n->leaf[i]->dtype == F32)
            wrt[n_wrt++] = n->leaf[i];
    outs[0] = loss;
    graph_grad(loss, wrt, n_wrt, outs + 1);
    return 1 + n_wrt;
}

static void same_bits(struct plan *a, struct plan *b, struct node **outs, int n)
{
    for (int i = 0; i < n; i++) {
        size_t count = node_count(outs[i]);
        float *x = output(a, i, count), *y = output(b, i, count);
        assert_memory_equal(x, y, count * sizeof(float));
        free(x);
        free(y);
    }
}

static void threads_and_runs_do_not_matter(void **state)
{
    (void)state;
    struct net n;
    struct node *outs[MOST];
    net_init(&n, 1);
    int count = large_net(&n, outs);
    struct plan *a = plan_for(&n, one, outs, count, (struct plan_opts){ 0 });
    struct plan *b = plan_for(&n, two, outs, count, (struct plan_opts){ 0 });
    run(a);
    for (int i = 0; i < 5; i++) {
        run(b);
        same_bits(a, b, outs, count);
    }
    struct plan *slow = plan_for(&n, one, outs, count, (struct plan_opts){ .reference = true });
    run(slow);
    for (int i = 0; i < count; i++) {
        float *x = output(a, i, node_count(outs[i])), *y = output(slow, i, node_count(outs[i]));
        assert_true(tensor_nmse(x, y, node_count(outs[i])) < 1e-8);
        free(x);
        free(y);
    }
    plan_free(a);
    plan_free(b);
    plan_free(slow);
    net_fini(&n);
}

static void runs_allocate_nothing(void **state)
{
    (void)state;
    struct net n;
    struct node *outs[MOST];
    if (only_on_cpu("what a driver allocates is its own"))
        skip();
    net_init(&n, 2);
    int count = large_net(&n, outs);
    struct plan *p = plan_for(&n, two, outs, count, (struct plan_opts){ 0 });
    for (int i = 0; i < 3; i++) /* products take their scratch memory once */
        run(p);
    long before = allocations;
    for (int i = 0; i < 5; i++)
        run(p);
    assert_int_equal(allocations, before);
    plan_free(p);
    net_fini(&n);
}

static void memory_is_reused(void **state)
{
    (void)state;
    struct net n;
    net_init(&n, 3);
    struct node *x = param(&n, "a", SHAPE(64, 256));
    for (int i = 0; i < 50; i++)
        x = g_tanh(g_matmul(x, param(&n, "w", SHAPE(256, 256)), false, false));
    struct plan *p = plan_for(&n, two, &x, 1, (struct plan_opts){ 0 });
    assert_true(plan_arena_bytes(p) <= 2 * 64 * 256 * sizeof(float) + 4096);
    assert_true(plan_flops(p) >= 50.0 * 2 * 64 * 256 * 256);
    plan_free(p);
    net_fini(&n);
}

/* ------------------------------------------------------------------ frozen plans, states, outputs */

static void run_into(struct plan *p, float *out, size_t n)
{
    run(p);
    on_read(two, out, plan_output(p, 0), n * sizeof(*out));
}

static void frozen_plans_fold_and_pack(void **state)
{
    enum { COUNT = 8 * 48 };
    (void)state;
    struct net n;
    net_init(&n, 4);
    struct node *x = g_input(n.g, "x", F32, SHAPE(8, 32)), *w = param(&n, "w", SHAPE(32, 48)),
                *b = param(&n, "b", SHAPE(48));
    struct node *scale = param(&n, "scale", SHAPE(48));
    struct node *folded = g_mul(w, g_expand(g_reshape(g_exp(scale), SHAPE(1, 48)), SHAPE(32, 48)));
    struct node *y = g_linear(x, folded, b, ACT_TANH);
    float in[8 * 32], kept[COUNT], now[COUNT], plain_now[COUNT];
    for (size_t i = 0; i < COUNT_OF(in); i++)
        in[i] = rng_uniform(&n.rng) - 0.5f;
    void *there = on_copy(two, in, sizeof(in));
    struct plan *frozen = plan_for(&n, two, &y, 1, (struct plan_opts){ .frozen = true });
    struct plan *plain = plan_for(&n, two, &y, 1, (struct plan_opts){ 0 });
    plan_bind(frozen, x, there);
    plan_bind(plain, x, there);
    run_into(frozen, kept, COUNT);
    run_into(plain, plain_now, COUNT);
    assert_true(tensor_max_diff(kept, plain_now, COUNT) < 1e-5);
    memory_of(&n, scale)[3] += 1;
    send(&n, scale);
    run_into(frozen, now, COUNT); /* nobody told it */
    assert_memory_equal(kept, now, sizeof(kept));
    plan_refresh(frozen);
    run_into(frozen, now, COUNT);
    run_into(plain, plain_now, COUNT);
    assert_true(tensor_max_diff(kept, plain_now, COUNT) > 1e-3);
    assert_true(tensor_max_diff(now, plain_now, COUNT) < 1e-5);
    plan_free(frozen);
    plan_free(plain);
    device_free(two, there);
    net_fini(&n);
}

static void states_are_written_last(void **state)
{
    (void)state;
    for (int frozen = 0; frozen < 2; frozen++) {
        struct net n;
        net_init(&n, 5);
        struct node *s = param(&n, "s", SHAPE(4)), *x = param(&n, "x", SHAPE(4));
        struct node *next = g_store(g_add(g_scale(s, 0.5f, 0), x), s);
        struct node *outs[] = { next, g_scale(s, 1, 1) }; /* the second reads the old state */
        struct plan *p = plan_for(&n, two, outs, 2, (struct plan_opts){ .frozen = frozen });
        float v[4], made[4], old[4], *add = memory_of(&n, x), want[4];
        memcpy(want, memory_of(&n, s), sizeof(want));
        for (int step = 0; step < 3; step++) {
            run(p);
            on_read(two, made, plan_output(p, 0), sizeof(made));
            on_read(two, old, plan_output(p, 1), sizeof(old));
            on_read(two, v, n.there[number_of(&n, s)], sizeof(v));
            for (int i = 0; i < 4; i++) {
                assert_true(fabsf(old[i] - (want[i] + 1)) < 1e-6f);
                want[i] = 0.5f * want[i] + add[i];
                assert_true(fabsf(v[i] - want[i]) < 1e-6f);
                assert_true(fabsf(made[i] - want[i]) < 1e-6f);
            }
        }
        plan_free(p);
        net_fini(&n);
    }
}

static void outputs_land_where_bound(void **state)
{
    (void)state;
    struct net n;
    net_init(&n, 6);
    struct node *a = param(&n, "a", SHAPE(6, 4)), *y = g_exp(a), *z = g_mul(y, y);
    /* own memory; read on; a view; the same node again; a leaf */
    struct node *outs[] = { z, y, g_reshape(y, SHAPE(24)), g_slice(y, 0, 2, 3), z, a };
    float want[6][24] = { 0 }, got[24];
    void *bound[6];
    struct plan *p = plan_for(&n, two, outs, 6, (struct plan_opts){ 0 });
    run(p);
    for (int i = 0; i < 6; i++)
        on_read(two, want[i], plan_output(p, i), node_count(outs[i]) * sizeof(float));
    for (int i = 0; i < 6; i++) {
        assert_int_equal(device_alloc(two, sizeof(want[i]), &bound[i]), ERR_OK);
        plan_bind_output(p, i, bound[i]);
    }
    for (int again = 0; again < 2; again++) {
        run(p);
        for (int i = 0; i < 6; i++) {
            assert_ptr_equal(plan_output(p, i), bound[i]);
            on_read(two, got, bound[i], sizeof(got));
            assert_memory_equal(want[i], got, sizeof(got));
        }
    }
    plan_free(p);
    for (int i = 0; i < 6; i++)
        device_free(two, bound[i]);
    net_fini(&n);
}

static void decoding_steps_are_attention(void **state)
{
    (void)state;
    enum { N = 3, T = 7, D = 8 };
    struct net n;
    net_init(&n, 7);
    struct node *q = param(&n, "q", SHAPE(N, T, D)), *k = param(&n, "k", SHAPE(N, T, D)),
                *v = param(&n, "v", SHAPE(N, T, D));
    struct node *all = g_attention(q, k, v, 2, true, NULL);
    struct plan *whole = plan_for(&n, two, &all, 1, (struct plan_opts){ 0 });
    float want[N * T * D], got[N * D];
    run_into(whole, want, N * T * D);
    struct net s;
    net_init(&s, 8);
    struct node *in[3], *cache[2], *at;
    for (int i = 0; i < 3; i++)
        in[i] = param(&s, (const char *[]){ "q", "k", "v" }[i], SHAPE(N, D));
    for (int i = 0; i < 2; i++)
        cache[i] = param(&s, (const char *[]){ "kc", "vc" }[i], SHAPE(N, T, D));
    at = integers(&s, "at", SHAPE(N), 0, 1);
    struct node *step = g_attend_step(in[0], in[1], in[2], cache[0], cache[1], at, 2);
    struct plan *one_step = plan_for(&s, two, &step, 1, (struct plan_opts){ .frozen = true });
    for (int t = 0; t < T; t++) {
        for (int i = 0; i < N; i++) {
            ((int32_t *)s.memory[5])[i] = t;
            for (int part = 0; part < 3; part++)
                memcpy((float *)s.memory[part] + i * D, (float *)n.memory[part] + (i * T + t) * D,
                       D * sizeof(float));
        }
        send(&s, at);
        for (int part = 0; part < 3; part++)
            send(&s, in[part]);
        plan_refresh(one_step); /* q, k, v are params here */
        run_into(one_step, got, N * D);
        for (int i = 0; i < N; i++)
            assert_true(tensor_max_diff(got + i * D, want + (i * T + t) * D, D) < 1e-5);
    }
    plan_free(whole);
    plan_free(one_step);
    net_fini(&n);
    net_fini(&s);
}

/* A take must not depend on how many are drawn beside it. */
static void rows_do_not_see_their_neighbours(void **state)
{
    (void)state;
    enum { D = 21, T = 5, MOST_ROWS = 9 };
    float want[MOST_ROWS][D], got[MOST_ROWS][D];
    if (only_on_cpu("cuBLASLt may go another way for another number of rows"))
        skip();
    for (int rows = MOST_ROWS; rows > 0; rows -= 4) {
        struct net n;
        net_init(&n, 12);
        struct node *w = param(&n, "w", SHAPE(D, D)), *b = param(&n, "b", SHAPE(D)),
                    *u = param(&n, "u", SHAPE(D, 3 * D));
        struct node *v = param(&n, "v", SHAPE(3 * D, D)),
                    *caches[2] = {param(&n, "kc", SHAPE(rows, T, D)), NULL};
        caches[1] = param(&n, "vc", SHAPE(rows, T, D));
        struct node *at = integers(&n, "at", SHAPE(rows), 3, 1), *x = g_input(n.g, "x", F32, SHAPE(rows, D));
        float in[MOST_ROWS * D];
        for (size_t i = 0; i < COUNT_OF(in); i++)
            in[i] = sinf((float)i);
        for (int part = 0; part < 2; part++)
            for (size_t i = 0; i < node_count(caches[part]); i++)
                ((float *)n.there[number_of(&n, caches[part])])[i] = cosf((float)i);
        struct node *h = g_linear(g_norm(x, 2, 1e-5f), w, b, ACT_NONE);
        h = g_add(x, g_attend_step(h, g_tanh(h), g_sigmoid(h), caches[0], caches[1], at, 3));
        h = g_add(g_linear(g_linear(h, u, NULL, ACT_GELU), v, b, ACT_NONE), g_exp(g_scale(h, 0.3f, 0.7f)));
        struct node *y = g_softmax(g_matmul(h, w, false, true), 1);
        struct plan *p = plan_for(&n, two, &y, 1, (struct plan_opts){ .frozen = true });
        plan_bind(p, x, in);
        run(p);
        on_read(two, got, plan_output(p, 0), (size_t)rows * sizeof(got[0]));
        if (rows == MOST_ROWS)
            memcpy(want, got, sizeof(want));
        assert_memory_equal(want, got, (size_t)rows * sizeof(want[0]));
        plan_free(p);
        net_fini(&n);
    }
}

static void cancelling(void **state)
{
    (void)state;
    struct net n;
    net_init(&n, 9);
    struct node *y = g_exp(param(&n, "a", SHAPE(3)));
    struct plan *p = plan_for(&n, two, &y, 1, (struct plan_opts){ 0 });
    atomic_bool cancel = true;
    assert_int_equal(plan_run(p, &cancel), ERR_CANCELLED);
    cancel = false;
    assert_int_equal(plan_run(p, &cancel), ERR_OK);
    plan_free(p);
    net_fini(&n);
}

static void small_numbers_are_flushed_everywhere(void **state)
{
    (void)state;
    if (only_on_cpu("small numbers cost nothing there"))
        skip();
    struct net n;
    net_init(&n, 10);
    struct node *a = param(&n, "a", SHAPE(1 << 20)), *y = g_scale(a, 1e-30f, 0);
    float *v = memory_of(&n, a);
    for (size_t i = 0; i < 1 << 20; i++)
        v[i] = 1e-9f;
    send(&n, a);
    struct plan *p = plan_for(&n, two, &y, 1, (struct plan_opts){ 0 });
    run(p);
#if defined(__x86_64__)
    for (size_t i = 0; i < 1 << 20; i++)
        assert_true(((float *)plan_output(p, 0))[i] == 0);
#endif
    volatile float tiny = 1e-39f; /* the caller's own mode is back */
    assert_true(tiny * 0.5f != 0);
    plan_free(p);
    net_fini(&n);
}

static void printing_and_devices(void **state)
{
    (void)state;
    struct net n;
    struct node *outs[MOST];
    struct str text;
    struct device *none = NULL;
    net_init(&n, 11);
    int count = large_net(&n, outs);
    struct plan *p = plan_for(&n, two, outs, count, (struct plan_opts){ 0 });
    str_init(&text);
    plan_print(p, true, &text);
    assert_non_null(strstr(str_c(&text), "k_attention_dx"));
    assert_non_null(strstr(str_c(&text), "GF/s"));
    str_fini(&text);
    plan_free(p);
    net_fini(&n);
    assert_int_equal(device_open("abacus", 1, &none), ERR_DEVICE);
    assert_non_null(strstr(err_text(), "abacus"));
    assert_null(none);
    assert_true(device_is_host(two) == on_cpu());
    assert_int_equal(device_threads(two), on_cpu() ? 2 : 1);
    assert_non_null(strstr(device_name(two), on_cpu() ? "2 threads" : "cuda"));
}

static void device_memory(void **state)
{
    (void)state;
    void *p;
    float out[3] = { 1, 1, 1 }, in[3] = { 4, 5, 6 };
    assert_int_equal(device_alloc(two, sizeof(in), &p), ERR_OK);
    assert_int_equal((uintptr_t)p % 64, 0);
    assert_int_equal(device_download(two, out, p, sizeof(out)), ERR_OK);
    assert_true(out[0] == 0 && out[2] == 0);
    assert_int_equal(device_upload(two, p, in, sizeof(in)), ERR_OK);
    assert_int_equal(device_download(two, out, p, sizeof(out)), ERR_OK);
    assert_memory_equal(in, out, sizeof(in));
    device_free(two, p);
}

static void too_large_is_an_error(void **state)
{
    (void)state;
    struct net n;
    struct plan *p = NULL;
    net_init(&n, 13);
    struct node *x = g_input(n.g, "x", F32, SHAPE(1 << 20, 1)), *y = g_expand(x, SHAPE(1 << 20, 1 << 24));
    assert_int_equal(plan_new(two, n.g, &y, 1, NULL, &p), ERR_NOMEM);
    assert_null(p);
    net_fini(&n);
}

static int open_devices(void **state)
{
    (void)state;
    on_open(1, &one);
    on_open(2, &two);
    return 0;
}

static int close_devices(void **state)
{
    (void)state;
    device_close(one);
    device_close(two);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs),
        cmocka_unit_test(threads_and_runs_do_not_matter),
        cmocka_unit_test(runs_allocate_nothing),
        cmocka_unit_test(memory_is_reused),
        cmocka_unit_test(frozen_plans_fold_and_pack),
        cmocka_unit_test(states_are_written_last),
        cmocka_unit_test(outputs_land_where_bound),
        cmocka_unit_test(decoding_steps_are_attention),
        cmocka_unit_test(rows_do_not_see_their_neighbours),
        cmocka_unit_test(cancelling),
        cmocka_unit_test(small_numbers_are_flushed_everywhere),
        cmocka_unit_test(printing_and_devices),
        cmocka_unit_test(too_large_is_an_error),
        cmocka_unit_test(device_memory),
    };
    return cmocka_run_group_tests(tests, open_devices, close_devices);
}
