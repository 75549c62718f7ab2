/* test_cuda.c: the CUDA device beside the CPU: copies, captured runs, convolutions at sizes that take every way, a
 * small GAN in training, checkpoints that go from one to the other, memory that is full. Without a GPU it says so and
 * passes; with JAMROLL_TEST_DEVICE=cuda (a GPU, or the simulated device) it has to run. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ckpt.h"
#include "graph.h"
#include "mem.h"
#include "optim.h"
#include "plan.h"
#include "rng.h"

static struct device *cpu, *gpu;

#define ok(call) do { if ((call) != ERR_OK) fail_msg("%s: %s", #call, err_text()); } while (0)

static float *drawn(size_t n, uint64_t seed, float size)
{
    struct rng r;
    float *v = xcalloc(n + 1, sizeof *v);
    rng_init(&r, seed, 1);
    for (size_t i = 0; i < n; i++)
        v[i] = size * (2 * rng_uniform(&r) - 1);
    return v;
}

static void *on(struct device *d, const void *host, size_t bytes)
{
    void *p = NULL;
    ok(device_alloc(d, bytes, &p));
    ok(device_upload(d, p, host, bytes));
    return p;
}

static float *output(struct device *d, const struct plan *p, int i, size_t n)
{
    float *v = xcalloc(n + 1, sizeof *v);
    ok(device_download(d, v, plan_output(p, i), n * sizeof *v));
    return v;
}

/* ------------------------------------------------------------------ memory */

static void copies_of_any_size(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 4, 4095, 1 << 20, (9 << 20) + 13 };
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint8_t *sent = xmalloc(sizes[i]), *got = xcalloc(1, sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            sent[k] = (uint8_t)(k * 31 + i);
        void *p = on(gpu, sent, sizes[i]);
        memset(sent, 0, sizes[i]); /* an upload has taken its copy */
        ok(device_download(gpu, got, p, sizes[i]));
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(got[k], (uint8_t)(k * 31 + i));
        device_free(gpu, p);
        free(sent);
        free(got);
    }
}

static void fresh_memory_is_zero(void **state)
{
    (void)state;
    enum { N = 5000 };
    for (int round = 0; round < 2; round++) { /* the second time it may be memory that was used */
        float *host = drawn(N, 3, 1);
        void *p = NULL;
        ok(device_alloc(gpu, N * sizeof *host, &p));
        float *got = xcalloc(N, sizeof *got);
        ok(device_download(gpu, got, p, N * sizeof *got));
        for (int i = 0; i < N; i++)
            assert_true(got[i] == 0);
        ok(device_upload(gpu, p, host, N * sizeof *host));
        device_free(gpu, p);
        free(host);
        free(got);
    }
}

static void full_memory_is_told(void **state)
{
    (void)state;
    void *p = NULL;
    assert_int_equal(device_alloc(gpu, (size_t)1 << 50, &p), ERR_NOMEM);
    assert_non_null(strstr(err_text(), "memory"));
    assert_null(p);
    struct graph *g = graph_new();
    struct node *x = g_param(g, "x", SHAPE(1, 1)), *big = g_expand(x, SHAPE(1 << 20, 1 << 20));
    struct node *out = g_permute(big, (int[]){ 1, 0 });
    struct plan *plan = NULL;
    assert_int_equal(plan_new(gpu, g, &out, 1, NULL, &plan), ERR_NOMEM);
    graph_free(g);
    ok(device_alloc(gpu, 64, &p)); /* and the device is as it was */
    device_free(gpu, p);
}

static void recent_scalars_lag(void **state)
{
    (void)state;
    float zero = 0, got;
    float *at = on(gpu, &zero, sizeof zero);
    for (int i = 0; i < 3 * RECENT_LAG; i++) {
        float v = (float)i;
        ok(device_upload(gpu, at, &v, sizeof v));
        ok(device_recent(gpu, at, &got));
        assert_true(got == (float)(i < RECENT_LAG ? i : i - RECENT_LAG));
    }
    ok(device_recent(cpu, &zero, &got));
    assert_true(got == 0);
    device_free(gpu, at);
    at = on(gpu, &zero, sizeof zero); /* perhaps the same address: nothing old comes back */
    ok(device_recent(gpu, at, &got));
    assert_true(got == 0);
    device_free(gpu, at);
}

/* ------------------------------------------------------------------ captured runs */

/* Products, a convolution, a normalisation, random numbers, a state: of every kind of step something. */
static struct node *mixed(struct graph *g)
{
    static const struct geom geom = { { 1, 3, 3 }, { 1, 1, 1 }, { 0, 1, 1 }, { 0, 1, 1 } };
    struct node *x = g_input(g, "x", F32, SHAPE(2, 1, 6, 5, 4)), *w = g_param(g, "w", SHAPE(1, 3, 3, 4, 8));
    struct node *seed = g_input(g, "seed", I32, SHAPE(2)), *b = g_param(g, "b", SHAPE(8, 3));
    struct node *y = g_leaky(g_norm(g_conv(x, w, geom), 12, 1e-5f), 0.2f);
    struct node *noise = g_random(g, SHAPE(60, 8), DIST_NORMAL, seed, 7);
    struct node *z = g_linear(g_add(g_reshape(y, SHAPE(60, 8)), noise), b, NULL, ACT_NONE);
    return g_softmax(z, 1);
}

struct mixed_memory { void *x, *seed, *w, *b; };

static struct plan *mixed_plan(struct graph *g, struct device *d, const struct mixed_memory *m)
{
    struct plan *p;
    struct node *out = mixed(g);
    ok(plan_new(d, g, &out, 1, NULL, &p));
    plan_bind_name(p, "x", m->x);
    plan_bind_name(p, "seed", m->seed);
    plan_bind_name(p, "w", m->w);
    plan_bind_name(p, "b", m->b);
    return p;
}

static void runs_captured(int *captured, int *refused)
{
    struct str text;
    str_init(&text);
    device_report(gpu, &text);
    const char *line = strstr(str_c(&text), "runs ");
    assert_non_null(line);
    assert_int_equal(sscanf(line, "runs %d captured, %d", captured, refused), 2);
    str_fini(&text);
}

static void replays_equal_single_steps(void **state)
{
    (void)state;
    enum { X = 240, W = 288, B = 24, OUT = 180, RUNS = 4 };
    int32_t seed[2] = { 5, 0 };
    int before, captured, refused;
    runs_captured(&before, &refused);
    float *w = drawn(W, 2, 0.5f), *b = drawn(B, 3, 0.5f), *first = drawn(X, 1, 1);
    struct mixed_memory m = { on(gpu, first, X * 4), on(gpu, seed, 8), on(gpu, w, W * 4), on(gpu, b, B * 4) };
    struct graph *g = graph_new();
    struct plan *again = mixed_plan(g, gpu, &m);
    for (int run = 0; run < RUNS; run++) { /* the first goes step by step, the second is captured, the others are played */
        float *x = drawn(X, (uint64_t)run, 1);
        seed[1] = run;
        ok(device_upload(gpu, m.x, x, X * 4));
        ok(device_upload(gpu, m.seed, seed, 8));
        ok(plan_run(again, NULL));
        struct plan *once = mixed_plan(g, gpu, &m);
        ok(plan_run(once, NULL));
        float *got = output(gpu, again, 0, OUT), *want = output(gpu, once, 0, OUT);
        assert_memory_equal(got, want, OUT * sizeof *got);
        plan_free(once);
        free(x);
        free(got);
        free(want);
    }
    runs_captured(&captured, &refused);
    assert_int_equal(captured, before + 1); /* none of those that ran once */
    assert_int_equal(refused, 0);
    plan_free(again);
    graph_free(g);
    void *all[] = { m.x, m.seed, m.w, m.b };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        device_free(gpu, all[i]);
    free(w);
    free(b);
    free(first);
}

/* Bound here and there in turn, a plan reads what it is bound to: there is a recording for each. More places than are
 * remembered, too. */
static void recordings_follow_their_binding(void **state)
{
    (void)state;
    enum { N = 64, PLACES = 20 };
    struct graph *g = graph_new();
    struct node *x = g_input(g, "x", F32, SHAPE(8, 8)), *out = g_matmul(x, g_exp(x), false, true);
    struct plan *p;
    float *at[PLACES], *want[PLACES];
    ok(plan_new(gpu, g, &out, 1, NULL, &p));
    for (int i = 0; i < PLACES; i++) {
        float *host = drawn(N, (uint64_t)i, 1);
        at[i] = on(gpu, host, N * sizeof(float));
        free(host);
    }
    for (int round = 0; round < 4; round++)
        for (int i = 0; i < (round < 3 ? 3 : PLACES); i++) {
            plan_bind_name(p, "x", at[i]);
            ok(plan_run(p, NULL));
            float *got = output(gpu, p, 0, N);
            if (round == 0 || i >= 3)
                want[i] = got;
            else
                assert_memory_equal(got, want[i], N * sizeof *got);
            for (int k = 0; k < i; k++)
                assert_memory_not_equal(want[i], want[k], N * sizeof(float));
            if (want[i] != got)
                free(got);
        }
    for (int i = 0; i < PLACES; i++) {
        device_free(gpu, at[i]);
        free(want[i]);
    }
    plan_free(p);
    graph_free(g);
}

static void cancelled_runs_do_nothing(void **state)
{
    (void)state;
    atomic_bool stop = true;
    float one = 1;
    struct graph *g = graph_new();
    struct node *x = g_input(g, "x", F32, SHAPE(1)), *out = g_exp(x);
    struct plan *p;
    ok(plan_new(gpu, g, &out, 1, NULL, &p));
    void *at = on(gpu, &one, sizeof one);
    plan_bind_name(p, "x", at);
    assert_int_equal(plan_run(p, &stop), ERR_CANCELLED);
    stop = false;
    ok(plan_run(p, &stop));
    float *got = output(gpu, p, 0, 1);
    assert_true(fabsf(got[0] - 2.7182818f) < 1e-5f);
    free(got);
    plan_free(p);
    device_free(gpu, at);
    graph_free(g);
}

/* ------------------------------------------------------------------ convolutions */

struct conv_case { int32_t n, in[3], cin, cout; struct geom g; };

static int32_t out_of(const struct conv_case *c, int a)
{
    return (c->in[a] + c->g.lo[a] + c->g.hi[a] - c->g.kernel[a]) / c->g.stride[a] + 1;
}

static void run_on(struct device *d, struct graph *g, struct node **outs, int n, const struct node *const *leaf,
                   float *const *host, float **got, bool frozen)
{
    struct plan *p;
    void *at[2];
    ok(plan_new(d, g, outs, n, &(struct plan_opts){ .frozen = frozen }, &p));
    for (int i = 0; i < 2; i++) {
        at[i] = on(d, host[i], shape_count(node_shape(leaf[i])) * sizeof(float));
        plan_bind(p, leaf[i], at[i]);
    }
    ok(plan_run(p, NULL));
    for (int i = 0; i < n; i++)
        got[i] = output(d, p, i, shape_count(node_shape(outs[i])));
    plan_free(p);
    for (int i = 0; i < 2; i++)
        device_free(d, at[i]);
}

/* All three passes: the gradients of a sum of squares need the other two. */
static void check_conv(const struct conv_case *c, bool frozen)
{
    struct graph *g = graph_new();
    struct node *x = g_param(g, "x", SHAPE(c->n, c->in[0], c->in[1], c->in[2], c->cin));
    struct node *w = g_param(g, "w", SHAPE(c->g.kernel[0], c->g.kernel[1], c->g.kernel[2], c->cin, c->cout));
    struct node *out[3] = { g_conv(x, w, c->g) }, *wrt[2] = { x, w };
    float *host[2] = { drawn(shape_count(node_shape(x)), 1, 1), drawn(shape_count(node_shape(w)), 2, 0.2f) };
    float *want[3], *got[3];
    graph_grad(g_sum(g_mul(out[0], out[0]), 31), wrt, 2, out + 1);
    run_on(cpu, g, out, 3, (const struct node *const *)wrt, host, want, frozen);
    run_on(gpu, g, out, 3, (const struct node *const *)wrt, host, got, frozen);
    for (int i = 0; i < 3; i++) {
        double nmse = tensor_nmse(got[i], want[i], shape_count(node_shape(out[i])));
        if (!(nmse < 1e-10))
            fail_msg("kernel %dx%dx%d stride %dx%dx%d: pass %d is off by %g", c->g.kernel[0], c->g.kernel[1],
                     c->g.kernel[2], c->g.stride[0], c->g.stride[1], c->g.stride[2], i, sqrt(nmse));
        free(want[i]);
        free(got[i]);
    }
    free(host[0]);
    free(host[1]);
    graph_free(g);
}

static void convolutions_every_way(void **state)
{
    (void)state;
    static const struct conv_case cases[] = {
        { 1, { 1, 9, 12 }, 32, 33, { { 1, 3, 3 }, { 1, 1, 1 }, { 0, 1, 1 }, { 0, 1, 1 } } },  /* Winograd */
        { 2, { 1, 8, 9 }, 40, 32, { { 1, 3, 3 }, { 1, 1, 1 }, { 0, 0, 2 }, { 0, 0, 1 } } },   /* likewise, uneven padding */
        { 2, { 1, 9, 11 }, 5, 6, { { 1, 3, 3 }, { 1, 2, 2 }, { 0, 1, 1 }, { 0, 1, 0 } } },    /* strides: classes of taps */
        { 1, { 3, 7, 8 }, 3, 70, { { 2, 4, 3 }, { 1, 3, 2 }, { 1, 0, 2 }, { 0, 2, 1 } } },    /* all three axes */
        { 2, { 1, 9, 10 }, 3, 4, { { 1, 2, 2 }, { 1, 3, 3 }, { 0 }, { 0 } } },                /* gaps between patches */
        { 2, { 2, 6, 8 }, 4, 5, { { 1, 3, 2 }, { 1, 3, 2 }, { 0 }, { 0 } } },                 /* kernel equal to stride */
        { 3, { 1, 1, 16 }, 2, 3, { { 1, 1, 4 }, { 1, 1, 4 }, { 0 }, { 0 } } },                /* a plain product */
        { 2, { 1, 12, 30 }, 4, 3, { { 1, 7, 7 }, { 1, 1, 1 }, { 0, 3, 3 }, { 0, 3, 3 } } },   /* few outputs, long sums */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(out_of(&cases[i], 1) > 0 && out_of(&cases[i], 2) > 0);
        check_conv(&cases[i], false);
    }
    check_conv(&cases[0], true); /* weights transformed once */
}

/* ------------------------------------------------------------------ training */

enum { BATCH = 8, LATENT = 6, SIDE = 8, STEPS = 100 };

/* A generator and a critic with a gradient penalty, each learning in turn. */
struct gan {
    struct device *d;
    struct graph *g[2];
    struct params *p;
    struct plan *plan[2];          /* of the critic, of the generator */
    struct optim optim[2];
    float *z, *real, *share;
};

static const char *const parts[2] = { "d.", "g." };

static struct node *param(struct params *p, struct graph *g, const char *name, struct shape s)
{
    params_declare(p, name, s, (struct init_spec){ INIT_NORMAL, 0.2f }, true);
    return g_param(g, name, s);
}

static struct node *generator(struct params *p, struct graph *g, struct node *z)
{
    static const struct geom up = { { 1, 4, 4 }, { 1, 2, 2 }, { 0, 1, 1 }, { 0, 1, 1 } };
    struct node *h = g_linear(z, param(p, g, "g.w", SHAPE(LATENT, 128)), param(p, g, "g.b", SHAPE(128)), ACT_RELU);
    h = g_reshape(h, SHAPE(BATCH, 1, SIDE / 2, SIDE / 2, 8));
    return g_tanh(g_conv_t(h, param(p, g, "g.up", SHAPE(1, 4, 4, 2, 8)), up, (int32_t[]){ 1, SIDE, SIDE }));
}

static struct node *critic(struct params *p, struct graph *g, struct node *x)
{
    static const struct geom down = { { 1, 2, 2 }, { 1, 2, 2 }, { 0 }, { 0 } };
    struct node *h = g_leaky(g_conv(x, param(p, g, "d.down", SHAPE(1, 2, 2, 2, 8)), down), 0.2f);
    h = g_reshape(h, SHAPE(BATCH, SIDE * SIDE / 4 * 8));
    return g_linear(h, param(p, g, "d.w", SHAPE(SIDE * SIDE / 4 * 8, 1)), NULL, ACT_NONE);
}

/* (|gradient| - 1)^2 between real and fake. */
static struct node *penalty(struct gan *t, struct graph *g, struct node *real, struct node *fake)
{
    struct shape s = node_shape(real);
    struct node *share = g_expand(g_input(g, "share", F32, SHAPE(BATCH, 1, 1, 1, 1)), s);
    struct node *x = g_add(fake, g_mul(share, g_sub(real, fake))), *grad;
    graph_vjp(critic(t->p, g, x), g_fill(g, SHAPE(BATCH, 1), 1), &x, 1, &grad);
    struct node *norm = g_powc(g_scale(g_sum(g_mul(grad, grad), 30), 1, 1e-12f), 0.5f);
    return g_mean(g_powc(g_scale(norm, 1, -1), 2), 31);
}

static struct node *loss_of(struct gan *t, int which)
{
    static const struct shape scalar = { 0 };
    struct graph *g = t->g[which] = graph_new();
    struct node *z = g_input(g, "z", F32, SHAPE(BATCH, LATENT)), *fake = generator(t->p, g, z);
    struct node *on_fake = g_reshape(g_mean(critic(t->p, g, fake), 3), scalar);
    if (which == 1)
        return g_scale(on_fake, -1, 0);
    struct node *real = g_input(g, "real", F32, SHAPE(BATCH, 1, SIDE, SIDE, 2));
    struct node *apart = g_sub(on_fake, g_reshape(g_mean(critic(t->p, g, real), 3), scalar));
    return g_add(apart, g_scale(g_reshape(penalty(t, g, real, fake), scalar), 10, 0));
}

static void plan_loss(struct gan *t, int which, struct node *loss)
{
    struct node *out[9] = { loss }, *leaf[8];
    int idx[8], n = params_leaves(t->p, t->g[which], parts[which], leaf, idx, 8);
    graph_grad(loss, leaf, n, out + 1);
    ok(plan_new(t->d, t->g[which], out, n + 1, NULL, &t->plan[which]));
    params_bind(t->p, t->plan[which]);
    params_bind_grads(t->p, t->plan[which], 1, idx, n);
    plan_bind_name(t->plan[which], "z", t->z);
    plan_bind_name(t->plan[which], "real", t->real);
    plan_bind_name(t->plan[which], "share", t->share);
    t->optim[which] = (struct optim){ .kind = OPTIM_ADAM, .lr = 1e-3, .beta1 = 0.5, .beta2 = 0.9, .eps = 1e-8,
                                      .clip = which == 0 ? 5 : 0 };
}

static void gan_open(struct gan *t, struct device *d)
{
    struct node *loss[2];
    *t = (struct gan){ .d = d, .p = params_new() };
    for (int i = 0; i < 2; i++)
        loss[i] = loss_of(t, i);
    ok(params_alloc(t->p, d, true));
    params_init(t->p, 11);
    ok(device_alloc(d, BATCH * LATENT * sizeof(float), (void **)&t->z));
    ok(device_alloc(d, BATCH * SIDE * SIDE * 2 * sizeof(float), (void **)&t->real));
    ok(device_alloc(d, BATCH * sizeof(float), (void **)&t->share));
    for (int i = 0; i < 2; i++)
        plan_loss(t, i, loss[i]);
}

static void gan_close(struct gan *t)
{
    for (int i = 0; i < 2; i++) {
        plan_free(t->plan[i]);
        graph_free(t->g[i]);
    }
    device_free(t->d, t->z);
    device_free(t->d, t->real);
    device_free(t->d, t->share);
    params_free(t->p);
}

static void feed(struct gan *t, float *at, size_t n, uint64_t seed, float size)
{
    float *host = drawn(n, seed, size);
    ok(device_upload(t->d, at, host, n * sizeof *host));
    free(host);
}

static void gan_step(struct gan *t, int step, float loss[2])
{
    uint64_t seed = 3 * (uint64_t)step;
    feed(t, t->z, BATCH * LATENT, seed, 1);
    feed(t, t->real, BATCH * SIDE * SIDE * 2, seed + 1, 0.5f);
    feed(t, t->share, BATCH, seed + 2, 1);
    for (int i = 0; i < 2; i++) {
        ok(plan_run(t->plan[i], NULL));
        ok(device_download(t->d, &loss[i], plan_output(t->plan[i], 0), sizeof loss[i]));
        optim_step(&t->optim[i], t->p, parts[i], t->d);
    }
}

static void a_hundred_steps_stay_near(void **state)
{
    (void)state;
    struct gan a, b;
    gan_open(&a, cpu);
    gan_open(&b, gpu);
    double far = 0, moved = 0;
    float first = 0;
    for (int step = 0; step < STEPS; step++) {
        float want[2], got[2];
        gan_step(&a, step, want);
        gan_step(&b, step, got);
        first = step == 0 ? want[0] : first;
        moved = fabs((double)want[0] - (double)first);
        double allowed = 1e-5 * exp(0.06 * step); /* rounding grows as the networks chase one another */
        for (int i = 0; i < 2; i++) {
            double off = fabs((double)want[i] - (double)got[i]) / fmax(1, fabs((double)want[i]));
            far = fmax(far, off);
            if (!(off <= allowed))
                fail_msg("step %d: loss %d is %.8g on the CPU, %.8g on the device", step, i, (double)want[i],
                         (double)got[i]);
        }
    }
    print_message("100 steps: the largest distance of a loss is %.2g; the critic's moved by %.3g\n", far, moved);
    assert_true(moved > 0.1); /* it learned something meanwhile */
    gan_close(&a);
    gan_close(&b);
}

static void save(struct gan *t, const char *path)
{
    struct ckpt_writer *w = ckpt_writer_new();
    ckpt_add_params(w, t->p, t->d);
    ckpt_add_moments(w, t->p, t->d);
    ok(ckpt_writer_save(w, path));
}

static void load(struct gan *t, const char *path)
{
    struct ckpt *c;
    ok(ckpt_open(path, &c));
    ok(ckpt_load_params(c, t->p, t->d));
    ok(ckpt_load_moments(c, t->p, t->d));
    ckpt_close(c);
}

static void assert_same_hash(const char *a, const char *b)
{
    struct ckpt *x, *y;
    ok(ckpt_open(a, &x));
    ok(ckpt_open(b, &y));
    assert_string_equal(ckpt_hash(x), ckpt_hash(y));
    ckpt_close(x);
    ckpt_close(y);
}

/* Begun on the CPU, gone on with on the device, and back: the file is the same bytes, the next losses are near. */
static void checkpoints_go_from_one_to_the_other(void **state)
{
    (void)state;
    char dir[] = "/tmp/jamroll-cuda-XXXXXX", one[64], two[64];
    struct gan a, b, c;
    float want[2], got[2];
    assert_non_null(mkdtemp(dir));
    str_format(one, sizeof one, "%s/one", dir);
    str_format(two, sizeof two, "%s/two", dir);
    gan_open(&a, cpu);
    gan_open(&b, gpu);
    gan_open(&c, cpu);
    for (int step = 0; step < 3; step++)
        gan_step(&a, step, want);
    save(&a, one);
    load(&b, one);
    save(&b, two);
    assert_same_hash(one, two);
    for (int i = 0; i < 2; i++)
        b.optim[i].step = c.optim[i].step = a.optim[i].step;
    gan_step(&a, 3, want);
    gan_step(&b, 3, got);
    save(&b, one);
    load(&c, one);
    save(&c, two);
    assert_same_hash(one, two);
    for (int i = 0; i < 2; i++)
        c.optim[i].step = b.optim[i].step;
    gan_step(&a, 4, want);
    gan_step(&c, 4, got);
    for (int i = 0; i < 2; i++)
        assert_true(fabsf(want[i] - got[i]) <= 1e-4f * fmaxf(1, fabsf(want[i])));
    gan_close(&a);
    gan_close(&b);
    gan_close(&c);
    unlink(one);
    unlink(two);
    rmdir(dir);
}

/* TF32 and bf16 round the factors of products: near, and on a GPU that has such units not the same. */
static void precision_is_a_choice(void **state)
{
    (void)state;
    enum { M = 32, K = 64 };
    float *host[2] = { drawn(M * K, 1, 1), drawn(K * K, 2, 1) }, *want, *got;
    static const double most[] = { [PRECISION_FP32] = 1e-6, [PRECISION_TF32] = 2e-3, [PRECISION_BF16] = 2e-2 };
    for (int p = PRECISION_FP32; p <= PRECISION_BF16; p++) {
        struct graph *g = graph_new();
        struct node *leaf[2] = { g_param(g, "x", SHAPE(M, K)), g_param(g, "w", SHAPE(K, K)) };
        struct node *out = g_matmul(leaf[0], leaf[1], false, false);
        run_on(cpu, g, &out, 1, (const struct node *const *)leaf, host, &want, false);
        device_set_precision(gpu, (enum precision)p);
        run_on(gpu, g, &out, 1, (const struct node *const *)leaf, host, &got, false);
        device_set_precision(gpu, PRECISION_FP32);
        assert_true(sqrt(tensor_nmse(got, want, M * K)) < most[p]);
        free(want);
        free(got);
        graph_free(g);
    }
    free(host[0]);
    free(host[1]);
    enum precision p;
    ok(precision_parse("tf32", &p));
    assert_int_equal(p, PRECISION_TF32);
    assert_int_equal(precision_parse("fp8", &p), ERR_RANGE);
}

static int start(void **state)
{
    (void)state;
    return device_open("cpu", 2, &cpu) != ERR_OK || device_open("cuda", 1, &gpu) != ERR_OK;
}

static int stop(void **state)
{
    (void)state;
    device_close(gpu);
    device_close(cpu);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_of_any_size),
        cmocka_unit_test(fresh_memory_is_zero),
        cmocka_unit_test(full_memory_is_told),
        cmocka_unit_test(recent_scalars_lag),
        cmocka_unit_test(replays_equal_single_steps),
        cmocka_unit_test(recordings_follow_their_binding),
        cmocka_unit_test(cancelled_runs_do_nothing),
        cmocka_unit_test(convolutions_every_way),
        cmocka_unit_test(a_hundred_steps_stay_near),
        cmocka_unit_test(checkpoints_go_from_one_to_the_other),
        cmocka_unit_test(precision_is_a_choice),
    };
    const char *kind = getenv("JAMROLL_TEST_DEVICE");
    if (!(kind && str_same(kind, "cuda")) && device_open("cuda", 1, &gpu) != ERR_OK) {
        printf("skipped: the tests on a GPU: %s\n", err_text());
        return 0;
    }
    device_close(gpu);
    return cmocka_run_group_tests(tests, start, stop);
}
