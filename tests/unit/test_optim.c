/* Optimisers against the published update rules written out in double precision. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>
#include "group.h"
#include "optim.h"

enum { ROWS = 7, COLUMNS = 11, N = ROWS * COLUMNS, STEPS = 12 };

static struct params *two_tensors(void)
{
    struct params *p = params_new();
    params_declare(p, "net.w", SHAPE(ROWS, COLUMNS), (struct init_spec){INIT_NORMAL, 0.5f}, true);
    params_declare(p, "net.b", SHAPE(COLUMNS), (struct init_spec){INIT_NORMAL, 0.5f}, true);
    params_declare(p, "other.w", SHAPE(ROWS, COLUMNS), (struct init_spec){INIT_ONES, 0}, true);
    assert_int_equal(params_alloc(p, device, true), ERR_OK);
    params_init(p, 1);
    return p;
}

static double fake_gradient(int step, int i)
{
    return sin(step * 1.7 + i * 0.31) * (1 + i % 5) * 0.1;
}

static size_t count(const struct params *p, size_t k)
{
    return shape_count(params_shape(p, k));
}

static void put(float *at, const float *v, size_t n)
{
    assert_int_equal(device_upload(device, at, v, n * sizeof *v), ERR_OK);
}

static void set_gradients(struct params *p, int step, float g[2][N])
{
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < count(p, k); i++)
            g[k][i] = (float)fake_gradient(step, (int)(i + 100 * k));
        put(params_grad(p, k), g[k], count(p, k));
    }
}

struct ref {
    double w, m, v;
};

static void ref_step(const struct optim *o, struct ref *r, double g, int t, bool decays)
{
    double decay = decays ? o->weight_decay : 0, c1 = 1 - pow(o->beta1, t), c2 = 1 - pow(o->beta2, t);
    if (o->kind == OPTIM_SGD) {
        r->m = o->beta1 * r->m + g + decay * r->w;
        r->w -= o->lr * r->m;
        return;
    }
    if (o->kind == OPTIM_ADAMW)
        r->w -= o->lr * decay * r->w;
    else
        g += decay * r->w;
    r->m = o->beta1 * r->m + (1 - o->beta1) * g;
    r->v = o->beta2 * r->v + (1 - o->beta2) * g * g;
    double mhat = r->m / c1;
    if (o->kind == OPTIM_NADAM) {
        double all = 1, momentum = 0, next = o->beta1 * (1 - 0.5 * pow(0.96, 0.004 * (t + 1)));
        for (int i = 1; i <= t; i++)
            all *= momentum = o->beta1 * (1 - 0.5 * pow(0.96, 0.004 * i));
        mhat = next * r->m / (1 - all * next) + (1 - momentum) * g / (1 - all);
    }
    if (o->tf_eps)
        r->w -= o->lr * sqrt(c2) / c1 * r->m / (sqrt(r->v) + o->eps);
    else
        r->w -= o->lr * mhat / (sqrt(r->v / c2) + o->eps);
}

static void follow(struct optim o)
{
    struct params *p = two_tensors();
    struct ref ref[2][N];
    float g[2][N], w[N];
    memset(ref, 0, sizeof ref);
    for (size_t k = 0; k < 2; k++) {
        on_read(device, w, params_value(p, k), count(p, k) * sizeof *w);
        for (size_t i = 0; i < count(p, k); i++)
            ref[k][i].w = (double)w[i];
    }
    for (int t = 1; t <= STEPS; t++) {
        set_gradients(p, t, g);
        double square = 0;
        for (size_t k = 0; k < 2; k++)
            for (size_t i = 0; i < count(p, k); i++)
                square += pow((double)g[k][i], 2);
        double norm = optim_norm(p, "net.", device),
               clip = o.clip > 0 && sqrt(square) > o.clip ? o.clip / sqrt(square) : 1;
        optim_step(&o, p, "net.", device);
        assert_true(fabs(norm - sqrt(square)) < 1e-5 * norm);
        for (size_t k = 0; k < 2; k++)
            for (size_t i = 0; i < count(p, k); i++)
                ref_step(&o, &ref[k][i], clip * (double)g[k][i], t, k == 0);
        for (size_t i = 0; o.most > 0 && i < (size_t)2 * N; i++)
            ref[i / N][i % N].w = fmax(-o.most, fmin(o.most, ref[i / N][i % N].w));
    }
    assert_int_equal(o.step, STEPS);
    for (size_t k = 0; k < 2; k++) {
        on_read(device, w, params_value(p, k), count(p, k) * sizeof *w);
        for (size_t i = 0; i < count(p, k); i++)
            assert_true(fabs((double)w[i] - ref[k][i].w) < 2e-6);
    }
    on_read(device, w, params_value(p, 2), sizeof w);
    for (size_t i = 0; i < N; i++)
        assert_true(w[i] == 1); /* outside the prefix */
    params_free(p);
}

static void rules(void **state)
{
    (void)state;
    const struct optim base = {.lr = 0.01, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8};
    for (enum optim_kind kind = OPTIM_SGD; kind <= OPTIM_NADAM; kind++)
        for (int form = 0; form < 3; form++) {
            struct optim o = base;
            o.kind = kind;
            o.clip = form == 1 ? 0.5 : 0;
            o.weight_decay = form == 2 ? 0.1 : 0;
            follow(o);
        }
    struct optim tf = {
        .kind = OPTIM_ADAM, .lr = 0.001, .beta1 = 0.5, .beta2 = 0.9, .eps = 1e-8, .tf_eps = true};
    follow(tf);
    for (enum optim_kind kind = OPTIM_SGD; kind <= OPTIM_ADAM; kind++) {
        struct optim held = base;
        held.kind = kind;
        held.most = 0.3;
        follow(held);
    }
}

/* What torch.optim.NAdam makes of the same gradients, with momentum_decay 0.004 and in double precision. */
static void nadam_is_pytorchs(void **state)
{
    (void)state;
    static const struct {
        int step;
        double w[3];
    } pytorchs[] = {{1, {0.489435483, -1.010564517, 1.989435484}},
                    {2, {0.481335814, -1.007460221, 1.984706172}},
                    {30, {0.488160239, -1.103324038, 1.817589228}}};
    static const float begin[3] = {0.5f, -1, 2};
    struct optim o = {.kind = OPTIM_NADAM, .lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-7};
    struct params *p = params_new();
    size_t next = 0;
    params_declare(p, "w", SHAPE(3), (struct init_spec){INIT_ZEROS, 0}, true);
    assert_int_equal(params_alloc(p, device, true), ERR_OK);
    put(params_value(p, 0), begin, 3);
    for (int t = 1; t <= 30; t++) {
        float g[3], w[3];
        for (int k = 0; k < 3; k++)
            g[k] = (float)(sin(t * (k + 1)) + 0.3 * k);
        put(params_grad(p, 0), g, 3);
        optim_step(&o, p, "", device);
        on_read(device, w, params_value(p, 0), sizeof w);
        for (int k = 0; k < 3 && pytorchs[next].step == t; k++)
            if (fabs((double)w[k] - pytorchs[next].w[k]) > 3e-6)
                fail_msg("update %d, weight %d: %.9f", t, k, (double)w[k]);
        next += pytorchs[next].step == t;
    }
    assert_int_equal(next, COUNT_OF(pytorchs));
    params_free(p);
}

static void schedules(void **state)
{
    (void)state;
    assert_true(schedule_lr(SCHEDULE_CONST, 2, 0, 10, 100, 0) == 0.2);
    assert_true(schedule_lr(SCHEDULE_CONST, 2, 0, 10, 100, 9) == 2);
    assert_true(schedule_lr(SCHEDULE_CONST, 2, 0, 10, 100, 5000) == 2);
    assert_true(fabs(schedule_lr(SCHEDULE_LINEAR, 2, 1, 0, 100, 50) - 1.5) < 1e-12);
    assert_true(fabs(schedule_lr(SCHEDULE_COSINE, 2, 0, 10, 110, 60) - 1) < 1e-12);
    assert_true(schedule_lr(SCHEDULE_COSINE, 2, 0.5, 10, 110, 500) == 0.5);
}

static void averages(void **state)
{
    (void)state;
    struct params *p = two_tensors();
    struct ema *e;
    assert_int_equal(ema_new(p, device, 0.5, &e), ERR_OK);
    float w[N];
    for (size_t i = 0; i < N; i++)
        w[i] = 3;
    put(params_value(p, 2), w, N);
    ema_update(e, p, device); /* decay 1/10 at first: 0.1 * 1 + 0.9 * 3 */
    ema_swap(e, p, device);
    on_read(device, w, params_value(p, 2), sizeof w);
    for (size_t i = 0; i < N; i++)
        assert_true(fabsf(w[i] - 2.8f) < 1e-6f);
    ema_swap(e, p, device);
    on_read(device, w, params_value(p, 2), sizeof w);
    assert_true(w[0] == 3 && w[N - 1] == 3);
    assert_int_equal(ema_updates(e), 1);
    ema_free(e);
    params_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules), cmocka_unit_test(nadam_is_pytorchs),
                                       cmocka_unit_test(schedules), cmocka_unit_test(averages)};
    return cmocka_run_group_tests_name("optim", tests, group_one_thread, group_end);
}
