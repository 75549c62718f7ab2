/* MuseGAN: parameter counts, outputs and first- and second-order gradients of the full-size networks against
 * PyTorch in double precision (tests/golden/make_musegan.py), folding, rolls. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "group.h"
#include "hashed.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "model/kinds.h"
#include "model/musegan.h"
#include "song.h"

static const struct musegan_config full = {
    .bars = 4, .steps = 48, .octaves = 7, .low = 24, .width = 1, .condition = -1, .spread = 1, .cut = 2};
enum { N = 3, LATENT = 128, CELLS = 4 * 48 * 84, MAX_NODES = 512 };

static int start(void **state)
{
    (void)state;
    return group_golden("musegan");
}

/* Largest deviation of x from the stored samples, relative to a typical or the largest value. */
static double deviation(const char *key, const char *sub, const float *x, size_t n)
{
    const json_t *o = json_object_get(golden, key), *at;
    if (sub)
        o = json_object_get(o, sub);
    if (!o)
        fail_msg("no golden values of %s %s", key, sub ? sub : "");
    at = json_object_get(o, "at");
    double norm = json_number_value(json_object_get(o, "norm")), square = 0, worst = 0,
           scale = norm / sqrt((double)n);
    size_t step = (size_t)json_integer_value(json_object_get(o, "step"));
    for (size_t i = 0; i < n; i++)
        square += (double)x[i] * (double)x[i];
    for (size_t i = 0; i < json_array_size(at); i++) {
        double want = json_number_value(json_array_get(at, i));
        worst = fmax(worst, fabs((double)x[i * step] - want));
        scale = fmax(scale, fabs(want));
    }
    if (norm < 1e-9)
        return sqrt(square); /* a gradient that is zero */
    return fmax(worst / scale, fabs(sqrt(square) - norm) / norm);
}

struct rig {
    struct net net;
    struct musegan_config c;
    struct musegan_builder b;
    struct plan *plan;
    struct node *out[MAX_NODES];
    int n;
};

static void rig_new(struct rig *r, int condition, enum musegan_norm norm)
{
    memset(r, 0, sizeof *r);
    r->c = full;
    r->c.condition = condition;
    r->net = (struct net){.g = graph_new(), .p = params_new(), .training = norm == NORM_BATCH};
    r->b = (struct musegan_builder){.net = &r->net, .c = &r->c, .norm = norm};
}

static void rig_plan(struct rig *r, bool frozen)
{
    assert_int_equal(
        plan_new(device, r->net.g, r->out, r->n, &(struct plan_opts){.frozen = frozen}, &r->plan), ERR_OK);
    params_bind(r->net.p, r->plan);
}

static void rig_alloc(struct rig *r)
{
    assert_int_equal(params_alloc(r->net.p, device, false), ERR_OK);
    hashed_params(r->net.p);
}

/* Takes over `owned`. */
static void rig_input(struct rig *r, const char *name, float *owned, size_t n)
{
    plan_bind_name(r->plan, name, on_put(device, owned, n * sizeof *owned));
    free(owned);
}

static void rig_run(struct rig *r)
{
    assert_int_equal(plan_run(r->plan, NULL), ERR_OK);
}

static const float *rig_output(const struct rig *r, int i)
{
    return on_view(device, plan_output(r->plan, i), shape_count(node_shape(r->out[i])));
}

static void rig_free(struct rig *r)
{
    plan_free(r->plan);
    graph_free(r->net.g);
    params_free(r->net.p);
}

static struct node *input(struct rig *r, const char *name, int tracks)
{
    return g_input(r->net.g, name, F32, SHAPE(N, 4, 48, 84, tracks));
}

static struct node *latent(struct rig *r)
{
    return g_input(r->net.g, "z", F32, SHAPE(N, LATENT));
}

static float *latent_values(void)
{
    float *z = hashed("z5", N * LATENT);
    for (int i = 0; i < N * LATENT; i++)
        z[i] *= 2;
    return z;
}

/* Published counts, and where an original was broken those of what it meant. */
static void counts(void **state)
{
    (void)state;
    static const struct model_net want[] = {
        {"generator", 2578127},
        {"accompaniment generator", 3889372},
        {"bad-time generator", 2207951},
        {"bad-pitch generator", 1148303},
        {"discriminator", 1365841},
        {"discriminator, no chroma", 1290097},
        {"discriminator, no onsets", 1289713},
        {"discriminator, neither", 1213969},
        {"jamming, one bar", 6142405},
        {"composer, one bar", 1231557},
        {"hybrid, one bar", 6142405},
        {"jamming, one bar, accompaniment", 5120532},
        {"composer, one bar, accompaniment",
         1287829 - 961}, /* four tracks of a last layer for 80 channels, not five */
        {"hybrid, one bar, accompaniment", 5120532},
        {"jamming", 5 * 1228481 + 5 * 330944}, /* a temporal network for each track */
        {"composer", 1562501},
        {"hybrid", 5 * 1228481 + 6 * 167008}, /* and one for all */
        {"jamming, accompaniment", 5136 + 4 * (1278849 + 330944)},
        {"composer, accompaniment", 1287829 - 961 + 330944},
        {"hybrid, accompaniment", 5136 + 4 * 1278849 + 5 * 167008},
        {"bar discriminator", 3336961},
        {"phrase discriminator",
         3336961 - 2622464 - 1025 + 2951809}, /* features of bars, no score of theirs */
        {"phrase discriminators, one a track",
         5 * (3665281 - 12 * 4 * 128)}, /* each hears one track of five */
        {"binary generator", 1246735},
        {"binary generator, small", 1015055},
        {"binary jamming", 4723535},
        {"binary composer", 2995151},
        {"binary hybrid", 4561615},
        {"binary discriminator", 1719841},
        {"binary discriminator, small", 1114065},
        {"refiner", 48030},
    };
    struct model_net n[40];
    assert_int_equal(musegan_kind.nets(NULL, n, 40), COUNT_OF(want));
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        assert_string_equal(n[i].name, want[i].name);
        if (n[i].params != want[i].params)
            fail_msg("%s: %zu parameters, not %zu", n[i].name, n[i].params, want[i].params);
    }
}

/* Forward with batch and moving statistics, and those folded away by a plan of frozen weights. */
static void check_generator(const char *name, int condition)
{
    for (int way = 0; way < 3; way++) {
        struct rig r;
        char key[64];
        rig_new(&r, condition, way ? NORM_MOVING : NORM_BATCH);
        r.out[r.n++] = musegan_generator(&r.b, latent(&r), condition < 0 ? NULL : input(&r, "condition", 1));
        rig_alloc(&r);
        rig_plan(&r, way == 2);
        rig_input(&r, "condition", hashed_cells("condition", (size_t)N * CELLS), (size_t)N * CELLS);
        rig_input(&r, "z", latent_values(), N * LATENT);
        rig_run(&r);
        str_format(key, sizeof key, "%s.%s", name, way == 0 ? "batch" : "moving");
        double off = deviation(key, NULL, rig_output(&r, 0), (size_t)N * CELLS * N_ROLES);
        if (off > 1e-4)
            fail_msg("%s (%d): off by %.2g", key, way, off);
        rig_free(&r);
    }
}

static void check_gradients(struct rig *r, const char *key, const char *prefix, struct node *loss, int first,
                            double limit)
{
    int idx[MAX_NODES], n = params_leaves(r->net.p, r->net.g, prefix, r->out + first, idx, MAX_NODES - first);
    struct node **leaf = xmalloc((size_t)n * sizeof *leaf);
    memcpy(leaf, r->out + first, (size_t)n * sizeof *leaf);
    graph_grad(loss, leaf, n, r->out + first);
    r->n = first + n;
    free(leaf);
    rig_alloc(r);
    rig_plan(r, false);
    float *share = hashed("share", N);
    for (int i = 0; i < N; i++)
        share[i] = 0.5f + 0.5f * share[i];
    rig_input(r, "z", latent_values(), N * LATENT);
    rig_input(r, "condition", hashed_cells("condition", (size_t)N * CELLS), (size_t)N * CELLS);
    rig_input(r, "real", hashed_cells("real", (size_t)N * CELLS * N_ROLES), (size_t)N * CELLS * N_ROLES);
    rig_input(r, "fake", hashed("fake", (size_t)N * CELLS * N_ROLES), (size_t)N * CELLS * N_ROLES);
    rig_input(r, "share", share, N);
    rig_run(r);
    double worst = 0;
    for (int k = 0; k < n; k++) {
        const char *name = params_name(r->net.p, (size_t)idx[k]);
        double off = deviation(key, name, rig_output(r, first + k),
                               shape_count(params_shape(r->net.p, (size_t)idx[k])));
        if (off > limit)
            fail_msg("%s of %s: off by %.2g", key, name, off);
        worst = fmax(worst, off);
    }
    print_message("           %s: %d tensors, off by at most %.1e\n", key, n, worst);
}

static double scalar(struct rig *r, int i)
{
    return (double)on_float(device, plan_output(r->plan, i));
}

static void near(double got, double want, double limit)
{
    if (fabs(got - want) > limit * fmax(1, fabs(want)))
        fail_msg("got %.9g, want %.9g", got, want);
}

static void check_generator_step(const char *name, int condition)
{
    struct rig r;
    char key[64];
    rig_new(&r, condition, NORM_BATCH);
    struct node *x = musegan_generator(&r.b, latent(&r), condition < 0 ? NULL : input(&r, "condition", 1));
    r.out[0] = musegan_generator_loss(LOSS_WASSERSTEIN, musegan_critic(&r.b, x));
    str_format(key, sizeof key, "%s.grads", name);
    check_gradients(&r, key, "g.", r.out[0], 1,
                    5e-3); /* batch norm magnifies rounding: PyTorch in float is as far off */
    str_format(key, sizeof key, "%s.loss", name);
    near(scalar(&r, 0), json_number_value(json_object_get(golden, key)), 1e-4);
    rig_free(&r);
}

static void default_generator(void **state)
{
    (void)state;
    check_generator("generator", -1);
}

static void accompaniment_generator(void **state)
{
    (void)state;
    check_generator("accompaniment", ROLE_PIANO);
}

static void generator_steps(void **state)
{
    (void)state;
    check_generator_step("generator", -1);
    check_generator_step("accompaniment", ROLE_PIANO);
}

static void critic_scores_and_losses(void **state)
{
    (void)state;
    static const char *const names[N_LOSSES] = {"wasserstein", "hinge", "nonsaturating", "classic"};
    struct rig r;
    rig_new(&r, -1, NORM_BATCH);
    struct node *real = musegan_critic(&r.b, input(&r, "real", N_ROLES)),
                *fake = musegan_critic(&r.b, input(&r, "fake", N_ROLES));
    r.out[0] = real;
    r.out[1] = fake;
    for (int i = 0; i < N_LOSSES; i++) {
        r.out[2 + 2 * i] = musegan_critic_loss(i, real, fake);
        r.out[3 + 2 * i] = musegan_generator_loss(i, fake);
    }
    r.n = 2 + 2 * N_LOSSES;
    rig_alloc(&r);
    rig_plan(&r, false);
    rig_input(&r, "real", hashed_cells("real", (size_t)N * CELLS * N_ROLES), (size_t)N * CELLS * N_ROLES);
    rig_input(&r, "fake", hashed("fake", (size_t)N * CELLS * N_ROLES), (size_t)N * CELLS * N_ROLES);
    rig_run(&r);
    for (int side = 0; side < 2; side++) {
        const json_t *want = json_object_get(golden, side ? "critic.fake" : "critic.real");
        for (size_t i = 0; i < 3 * N; i++)
            near((double)rig_output(&r, side)[i], json_number_value(json_array_get(want, i)),
                 1e-4);
    }
    for (int i = 0; i < 2 * N_LOSSES; i++)
        near(scalar(&r, 2 + i),
             json_number_value(json_array_get(
                 json_object_get(json_object_get(golden, "losses"), names[i / 2]), (size_t)i % 2)),
             1e-4);
    rig_free(&r);
}

/* The second-order gradient: of the penalty alone, and of the whole WGAN-GP loss of the critic. */
static void gradient_penalty(void **state)
{
    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        struct rig r;
        rig_new(&r, -1, NORM_BATCH);
        struct node *real = input(&r, "real", N_ROLES), *fake = input(&r, "fake", N_ROLES);
        struct node *share = g_input(r.net.g, "share", F32, SHAPE(N, 1, 1, 1, 1));
        struct node *loss = r.out[0] = musegan_penalty(&r.b, real, fake, share);
        if (whole)
            loss = g_add(
                musegan_critic_loss(LOSS_WASSERSTEIN, musegan_critic(&r.b, real), musegan_critic(&r.b, fake)),
                g_scale(loss, 10, 0));
        check_gradients(&r, whole ? "critic.grads" : "penalty.grads", "d.", loss, 1, 1e-4);
        near(scalar(&r, 0), json_number_value(json_object_get(golden, "penalty")), 1e-4);
        rig_free(&r);
    }
}

static void rolls(void **state)
{
    (void)state;
    const struct pnote notes[] = {{ROLE_DRUMS, 36, 90, 0, 3},
                                  {ROLE_PIANO, 60, 90, 0, 12},
                                  {ROLE_PIANO, 60, 90, 12, 12},
                                  {ROLE_BASS, 40, 90, 47, 2},
                                  {ROLE_STRINGS, 12, 90, 100, 92}};
    float *x = xmalloc(CELLS * N_ROLES * sizeof *x), *piano = xmalloc(CELLS * sizeof *piano);
    uint8_t *on = xmalloc(CELLS * N_ROLES), wanted[N_ROLES * 4];
    memset(wanted, 1, sizeof wanted);
    musegan_encode(&full, notes, COUNT_OF(notes), 0, x);
    size_t n_on = 0;
    for (size_t i = 0; i < CELLS * N_ROLES; i++)
        n_on += x[i] > 0;
    assert_int_equal(n_on, 1 + 12 - 1 + 12 + 2 + 92);
    musegan_extract(&full, x, ROLE_PIANO, piano);
    assert_true(piano[10 * 84 + 36] == 1 && piano[11 * 84 + 36] == -1 && piano[12 * 84 + 36] == 1);
    musegan_binarise(&full, x, 1, 7, 0, on); /* certain cells stay what they are */
    struct song *s = song_new_band();
    musegan_decode(&full, on, wanted, 2, 0, s);
    const struct track *t = song_track_of(s, ROLE_PIANO);
    assert_int_equal(t->n, 2);
    assert_int_equal(t->notes[0].tick, 2 * 1920);
    assert_int_equal(t->notes[0].dur, 11 * 40);
    assert_int_equal(t->notes[1].tick, 2 * 1920 + 480);
    t = song_track_of(s, ROLE_STRINGS);
    assert_int_equal(t->notes[0].pitch, 24); /* folded up an octave */
    assert_int_equal(t->notes[0].dur, 92 * 40);
    song_free(s);
    s = song_new_band();
    wanted[ROLE_BASS * 4 + 1] = 0; /* the note from the end of bar 0 stops there */
    musegan_decode(&full, on, wanted, 0, 0, s);
    assert_int_equal(song_track_of(s, ROLE_BASS)->notes[0].dur, 40);
    song_free(s);
    free(x);
    free(piano);
    free(on);
}

/* A small grid folds the tracks into its octaves; the bass has one more below, where it lives. */
static void small_grid(void **state)
{
    (void)state;
    struct musegan_config small = full;
    small.low = 36;
    small.octaves = 5;
    small.steps = 16;
    static const struct pnote notes[] = {
        { ROLE_BASS, 28, 90, 0, 24 }, { ROLE_BASS, 20, 90, 24, 24 },
        { ROLE_PIANO, 28, 90, 0, 24 }, { ROLE_DRUMS, 35, 90, 0, 6 },
        { ROLE_DRUMS, 36, 90, 6, 6 },
    };
    float *x = xmalloc(CELLS * N_ROLES * sizeof *x);
    uint8_t *on = xmalloc(CELLS * N_ROLES), wanted[N_ROLES * 4];
    memset(wanted, 1, sizeof wanted);
    musegan_encode(&small, notes, COUNT_OF(notes), 0, x);
    musegan_binarise(&small, x, 1, 7, 0, on);
    struct song *s = song_new_band();
    musegan_decode(&small, on, wanted, 0, 0, s);
    const struct track *bass = song_track_of(s, ROLE_BASS), *drums = song_track_of(s, ROLE_DRUMS);
    assert_int_equal(bass->n, 2);
    assert_int_equal(bass->notes[0].pitch, 28);
    assert_int_equal(bass->notes[1].pitch, 32);
    assert_int_equal(song_track_of(s, ROLE_PIANO)->notes[0].pitch, 40);
    assert_int_equal(drums->n, 2);
    assert_int_equal(drums->notes[0].pitch, 36);
    song_free(s);
    /* In D major, played where C major is known, and back. */
    musegan_encode(&small, notes, COUNT_OF(notes), -2, x);
    assert_true(x[(size_t)(28 - 2 - 24) * N_ROLES + ROLE_BASS] > 0);
    assert_true(x[0 + ROLE_DRUMS] > 0);
    musegan_binarise(&small, x, 1, 7, 0, on);
    s = song_new_band();
    musegan_decode(&small, on, wanted, 0, -2, s);
    assert_int_equal(song_track_of(s, ROLE_BASS)->notes[0].pitch, 28);
    assert_int_equal(song_track_of(s, ROLE_DRUMS)->notes[0].pitch, 36);
    song_free(s);
    free(x);
    free(on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(default_generator),
        cmocka_unit_test(accompaniment_generator),
        cmocka_unit_test(critic_scores_and_losses),
        cmocka_unit_test(gradient_penalty),
        cmocka_unit_test(generator_steps),
        cmocka_unit_test(rolls),
        cmocka_unit_test(small_grid),
    };
    return cmocka_run_group_tests_name("musegan", tests, start, group_end);
}
