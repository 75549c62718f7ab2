/* The GAN house in full size: what each variant's generator makes, its loss through its critic and the gradients of one
 * training step, and the critic's with gradient penalty, against PyTorch in double precision
 * (tests/golden/make_musegan_house.py). Of a tensor two numbers are compared: its norm, and its product with a vector of
 * hashed numbers, which must agree to 1e-4. A unit whose input rounding alone moves across its rectifier's kink shows in the
 * gradients of few rows, in PyTorch's own single precision as in ours: a gradient that misses is worked out again from
 * the same graph in doubles, where it has to agree, and in floats it may be off by no more than a few such units make. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "group.h"
#include "hashed.h"
#include "ref.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "compute/op.h"
#include "mem.h"
#include "model/musegan.h"

enum { MAX_NODES = 512, FIRST = 2 }; /* cells and loss, then gradients */
static const double SLOPE = 2;
#ifdef __SANITIZE_ADDRESS__ /* minutes, for plain loops of the tests' own */
enum { IN_DOUBLES = 0 };
#else
enum { IN_DOUBLES = 1 };
#endif
static const double GOAL = 1e-4, KINKS = 5e-3; /* relative; the second of floats where a few units are on the other side */

struct variant {
    const char *name, *generator, *critic;
    int bars, steps, condition;
    enum neuron neuron;
    bool refiner; /* in doubles it takes a minute: only with ALL=1 in the environment */
};
static const struct variant variants[] = {
    {"bad-time", "bad-time", "no-chroma", 4, 48, -1, NEURON_NONE, false},
    {"bad-pitch", "bad-pitch", "no-onset", 4, 48, -1, NEURON_NONE, false},
    {"neurons", "bad-time", "bare", 4, 48, -1, NEURON_STOCHASTIC, false},
    {"jamming", "jamming", "phrase-each", 4, 96, -1, NEURON_NONE, false},
    {"composer", "composer", "phrase", 4, 96, -1, NEURON_NONE, false},
    {"hybrid", "hybrid", "phrase", 4, 96, -1, NEURON_NONE, false},
    {"jamming-piano", "jamming", "phrase-each", 4, 96, ROLE_PIANO, NEURON_NONE, false},
    {"composer-piano", "composer", "phrase", 4, 96, ROLE_PIANO, NEURON_NONE, false},
    {"hybrid-piano", "hybrid", "phrase", 4, 96, ROLE_PIANO, NEURON_NONE, false},
    {"jamming-bar", "jamming", "phrase", 1, 96, -1, NEURON_NONE, false},
    {"composer-bar", "composer", "phrase", 1, 96, -1, NEURON_NONE, false},
    {"hybrid-bar", "hybrid", "phrase", 1, 96, -1, NEURON_NONE, false},
    {"hybrid-bar-piano", "hybrid", "phrase", 1, 96, ROLE_PIANO, NEURON_NONE, false},
    {"binary", "binary", "binary", 4, 96, -1, NEURON_NONE, false},
    {"binary-small", "binary-small", "binary-small", 4, 96, -1, NEURON_NONE, false},
    {"binary-jamming", "binary-jamming", "binary", 4, 96, -1, NEURON_NONE, false},
    {"binary-composer", "binary-composer", "binary", 4, 96, -1, NEURON_NONE, false},
    {"binary-hybrid", "binary-hybrid", "binary", 4, 96, -1, NEURON_NONE, false},
    {"refiner", "binary-small", "binary-small", 4, 96, -1, NEURON_NONE, true},
};

static int start(void **state)
{
    (void)state;
    return group_golden("musegan_house");
}

/* A graph over a variant's networks, its plan, and what the plan is given. */
struct rig {
    const struct variant *v;
    const json_t *want;
    struct musegan_config c;
    struct net net;
    struct musegan_builder b;
    struct node *out[MAX_NODES];
    struct plan *plan;
    int32_t n;
};

static struct rig rig_of(const struct variant *v, bool training)
{
    struct rig r = {.v = v, .want = json_object_get(golden, v->name), .n = 8 / v->bars};
    r.c = (struct musegan_config){.bars = v->bars,
                                  .steps = v->steps,
                                  .octaves = 7,
                                  .low = 24,
                                  .width = 1,
                                  .condition = v->condition,
                                  .refiner = v->refiner,
                                  .neuron = v->neuron,
                                  .generator = musegan_generator_find(v->generator),
                                  .critic = musegan_critic_find(v->critic),
                                  .slope = SLOPE};
    assert_true(r.want && r.c.generator >= 0 && r.c.critic >= 0);
    r.net = (struct net){.g = graph_new(), .p = params_new(), .training = training};
    return r;
}

static struct node *input(struct rig *r, const char *name, int tracks)
{
    return g_input(r->net.g, name, F32, musegan_phrase(&r->c, r->n, tracks));
}

static struct node *generator_of(struct rig *r)
{
    bool batch =
        r->net.training && !r->v->refiner; /* a refiner learns behind a generator that stays as it is */
    r->b = (struct musegan_builder){.net = &r->net, .c = &r->c, .norm = batch ? NORM_BATCH : NORM_MOVING};
    r->b.draw = input(r, "draw", N_ROLES);
    return musegan_generator(&r->b, g_input(r->net.g, "z", F32, SHAPE(r->n, musegan_latents(&r->c))),
                             r->c.condition < 0 ? NULL : input(r, "condition", 1));
}

/* Hashed numbers moved into [lo,hi). */
static float *between(const char *name, size_t n, double lo, double hi)
{
    float *x = hashed(name, n);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(lo + (hi - lo) * (0.5 + 0.5 * (double)x[i]));
    return x;
}

/* What the graph's inputs are given; all is the caller's. */
enum { N_GIVEN = 6 };
struct given { const char *name; float *x; size_t n; };

static void give(const struct rig *r, struct given out[N_GIVEN])
{
    char z[40];
    size_t cells = musegan_cells(&r->c) * (size_t)r->n, all = cells * N_ROLES, n = (size_t)r->n;
    str_format(z, sizeof z, "z.%s.%d", r->v->name, (int)json_integer_value(json_object_get(r->want, "draw")));
    out[0] = (struct given){"z", between(z, n * (size_t)musegan_latents(&r->c), -2, 2), n * (size_t)musegan_latents(&r->c)};
    out[1] = (struct given){"real", hashed_cells("real", all), all};
    out[2] = (struct given){"fake", hashed("fake", all), all};
    out[3] = (struct given){"condition", hashed_cells("condition", cells), cells};
    out[4] = (struct given){"share", between("share", n, 0, 1), n};
    out[5] = (struct given){"draw", between("draw", all, 0, 1), all};
}

static void rig_run(struct rig *r, int n_out)
{
    struct given given[N_GIVEN];
    assert_int_equal(params_alloc(r->net.p, device, false), ERR_OK);
    hashed_params(r->net.p);
    assert_int_equal(plan_new(device, r->net.g, r->out, n_out, NULL, &r->plan), ERR_OK);
    params_bind(r->net.p, r->plan);
    give(r, given);
    for (size_t i = 0; i < N_GIVEN; i++)
        plan_bind_name(r->plan, given[i].name, on_put(device, given[i].x, given[i].n * sizeof(float)));
    assert_int_equal(plan_run(r->plan, NULL), ERR_OK);
    for (size_t i = 0; i < N_GIVEN; i++)
        free(given[i].x);
}

/* The same graph in doubles, of the same floats. */
static struct ref *exact(const struct rig *r)
{
    struct ref *ref = ref_new(r->net.g);
    struct given given[N_GIVEN];
    give(r, given);
    for (size_t i = 0; i < graph_size(r->net.g); i++) {
        const struct node *n = graph_at(r->net.g, i);
        const float *x = NULL;
        for (size_t k = 0; k < N_GIVEN && node_is(n, OP_INPUT); k++)
            x = strcmp(n->name, given[k].name) == 0 ? given[k].x : x;
        if (node_is(n, OP_PARAM))
            x = on_view(device, params_value(r->net.p, (size_t)params_find(r->net.p, n->name)), node_count(n));
        for (size_t k = 0; x && k < node_count(n); k++)
            ref_leaf(ref, n)[k] = (double)x[k];
    }
    for (size_t i = 0; i < N_GIVEN; i++)
        free(given[i].x);
    return ref;
}

static void rig_free(struct rig *r)
{
    plan_free(r->plan);
    graph_free(r->net.g);
    params_free(r->net.p);
}

/* How far n numbers are off the two that are wanted of them. */
static double apart(const struct rig *r, const json_t *want, const double *x, size_t n, const char *name)
{
    char full[80];
    if (!want)
        fail_msg("%s: no golden numbers of %s", r->v->name, name);
    double norm = 0, dot = 0, has[2];
    str_format(full, sizeof full, "dot.%s", name);
    float *u = hashed(full, n);
    for (size_t k = 0; k < n; k++) {
        norm += x[k] * x[k];
        dot += x[k] * (double)u[k];
    }
    free(u);
    for (int k = 0; k < 2; k++)
        has[k] = json_number_value(json_array_get(want, (size_t)k));
    norm = sqrt(norm);
    return has[0] > 1e-9 ? fmax(fabs(norm - has[0]), fabs(dot - has[1])) / has[0] : norm;
}

static double output_apart(const struct rig *r, const json_t *want, int i, const char *name)
{
    size_t n = shape_count(node_shape(r->out[i]));
    const float *x = on_view(device, plan_output(r->plan, i), n);
    double *wide = xcalloc(n, sizeof *wide);
    for (size_t k = 0; k < n; k++)
        wide[k] = (double)x[k];
    double off = apart(r, want, wide, n, name);
    free(wide);
    return off;
}

static double limit(const struct rig *r, const char *key, double goal)
{
    return fmax(goal, 10 * json_number_value(json_object_get(json_object_get(r->want, "single"), key)));
}

static void check_cells(struct rig *r, const char *key)
{
    double off = output_apart(r, json_object_get(r->want, key), 0, "cells");
    if (off > limit(r, key, 1e-5))
        fail_msg("%s, %s: off by %.2g", r->v->name, key, off);
    print_message("           %s %.1e", key, off);
}

/* The loss r->out[1] and its gradients by all parameters with a prefix, against those stored under key. */
static void check_gradients(struct rig *r, const char *key, const char *prefix)
{
    const json_t *want = json_object_get(r->want, key);
    int idx[MAX_NODES], n = params_leaves(r->net.p, r->net.g, prefix, r->out + FIRST, idx, MAX_NODES - FIRST);
    struct node **leaf = xmalloc((size_t)n * sizeof *leaf);
    size_t count = 0;
    memcpy(leaf, r->out + FIRST, (size_t)n * sizeof *leaf);
    graph_grad(r->out[1], leaf, n, r->out + FIRST);
    free(leaf);
    rig_run(r, FIRST + n);
    double worst = 0, exactly = 0, loss = (double)on_float(device, plan_output(r->plan, 1));
    double loss_wanted = json_number_value(json_array_get(json_object_get(want, "loss"), 1));
    if (fabs(loss - loss_wanted) > GOAL * fmax(1, fabs(loss_wanted)))
        fail_msg("%s, %s: loss %.9g instead of %.9g", r->v->name, key, loss, loss_wanted);
    struct ref *ref = NULL;
    const char *all = getenv("ALL");
    bool in_doubles = IN_DOUBLES && (!r->v->refiner || (all && strcmp(all, "1") == 0));
    for (int k = 0; k < n; k++) {
        const char *name = params_name(r->net.p, (size_t)idx[k]);
        double off = output_apart(r, json_object_get(want, name), FIRST + k, name);
        worst = fmax(worst, off);
        count += shape_count(params_shape(r->net.p, (size_t)idx[k]));
        if (off <= GOAL)
            continue;
        if (in_doubles) {
            ref = ref ? ref : exact(r);
            off = apart(r, json_object_get(want, name), ref_value(ref, r->out[FIRST + k]), node_count(r->out[FIRST + k]), name);
        }
        exactly = fmax(exactly, off);
        if ((in_doubles && off > GOAL) || worst > limit(r, key, KINKS))
            fail_msg("%s, %s of %s: off by %.2g, in doubles by %.2g", r->v->name, key, name, worst, off);
    }
    assert_int_equal(n, json_object_size(want) - 1);
    assert_int_equal(count,
                     json_integer_value(json_array_get(json_object_get(r->want, "parameters"), strcmp(prefix, "d.") == 0)));
    print_message("  %s %.1e", key, worst);
    if (ref) {
        print_message(" (%.1e)", exactly);
        ref_free(ref);
    }
}

/* The condition is in what was made, cell for cell. */
static void check_condition(const struct rig *r)
{
    size_t n = musegan_cells(&r->c) * (size_t)r->n;
    const float *x = on_view(device, plan_output(r->plan, 0), n * N_ROLES);
    float *c = hashed_cells("condition", n);
    for (size_t i = 0; i < n; i++)
        assert_true(x[i * N_ROLES + (size_t)r->c.condition] == c[i]);
    free(c);
}

static void play(const struct variant *v)
{
    struct rig r = rig_of(v, false);
    r.out[0] = generator_of(&r);
    rig_run(&r, 1);
    check_cells(&r, "played");
    if (v->condition >= 0)
        check_condition(&r);
    rig_free(&r);
}

static void learn(const struct variant *v)
{
    struct rig r = rig_of(v, true);
    r.out[0] = generator_of(&r);
    r.b.slope = NULL;
    r.out[1] = musegan_generator_loss(LOSS_WASSERSTEIN, musegan_critic(&r.b, r.out[0]));
    check_gradients(&r, "generator", v->refiner ? "r." : "g.");
    if (v->neuron == NEURON_NONE)
        check_cells(&r, "cells");
    rig_free(&r);
}

static void judge(const struct variant *v)
{
    struct rig r = rig_of(v, true);
    if (!json_object_get(r.want, "critic")) { /* stored with the first variant that has it */
        rig_free(&r);
        return;
    }
    r.b = (struct musegan_builder){.net = &r.net, .c = &r.c};
    struct node *real = input(&r, "real", N_ROLES), *fake = input(&r, "fake", N_ROLES);
    struct node *share = g_input(r.net.g, "share", F32, SHAPE(r.n, 1, 1, 1, 1));
    r.out[1] = musegan_critic_loss(LOSS_WASSERSTEIN, musegan_critic(&r.b, real), musegan_critic(&r.b, fake));
    r.out[0] = r.out[1] = g_add(r.out[1], g_scale(musegan_penalty(&r.b, real, fake, share), 10, 0));
    check_gradients(&r, "critic", "d.");
    rig_free(&r);
}

static void house(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(variants); i++) {
#ifdef __SANITIZE_ADDRESS__ /* the same code for all: those of one bar and the first will do */
        if (i > 0 && variants[i].bars > 1)
            continue;
#endif
        double start_s = clock_s();
        play(&variants[i]);
        learn(&variants[i]);
        judge(&variants[i]);
        print_message("  %s, %.1f s\n", variants[i].name, clock_s() - start_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(house)};
    return cmocka_run_group_tests_name("musegan house", tests, start, group_end);
}
