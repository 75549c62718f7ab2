/* MuseGAN: parameter counts, outputs and first- and second-order gradients of the full-size networks against
 * PyTorch in double precision (tests/golden/make_musegan.py), folding, rolls, and a short training run on a
 * tiny grid. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "folder.h"
#include "hashed.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "file.h"
#include "mem.h"
#include "midi.h"
#include "model/kinds.h"
#include "model/musegan.h"
#include "opt.h"
#include "preset.h"
#include "song.h"

static struct device *device;
static json_t *golden;
static const struct musegan_config full = {
    .bars = 4, .steps = 48, .octaves = 7, .low = 24, .width = 1, .condition = -1, .spread = 1, .cut = 2};
enum { N = 3, LATENT = 128, CELLS = 4 * 48 * 84, MAX_NODES = 512 };

static int start(void **state)
{
    (void)state;
    golden = json_load_file("tests/golden/musegan.json", 0, NULL);
    return !golden || device_open("cpu", 2, &device) != ERR_OK;
}

static int stop(void **state)
{
    (void)state;
    json_decref(golden);
    device_close(device);
    return 0;
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

static void rig_input(struct rig *r, const char *name, float *owned)
{
    plan_bind_name(r->plan, name, owned);
    assert_int_equal(plan_run(r->plan, NULL), ERR_OK);
    free(owned);
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
        float *c = hashed_cells("condition", (size_t)N * CELLS);
        plan_bind_name(r.plan, "condition", c);
        rig_input(&r, "z", latent_values());
        str_format(key, sizeof key, "%s.%s", name, way == 0 ? "batch" : "moving");
        double off = deviation(key, NULL, plan_output(r.plan, 0), (size_t)N * CELLS * N_ROLES);
        if (off > 1e-4)
            fail_msg("%s (%d): off by %.2g", key, way, off);
        free(c);
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
    float *z = latent_values(), *c = hashed_cells("condition", (size_t)N * CELLS);
    float *real = hashed_cells("real", (size_t)N * CELLS * N_ROLES),
          *fake = hashed("fake", (size_t)N * CELLS * N_ROLES);
    float *share = hashed("share", N);
    for (int i = 0; i < N; i++)
        share[i] = 0.5f + 0.5f * share[i];
    plan_bind_name(r->plan, "z", z);
    plan_bind_name(r->plan, "condition", c);
    plan_bind_name(r->plan, "real", real);
    plan_bind_name(r->plan, "fake", fake);
    plan_bind_name(r->plan, "share", share);
    assert_int_equal(plan_run(r->plan, NULL), ERR_OK);
    double worst = 0;
    for (int k = 0; k < n; k++) {
        const char *name = params_name(r->net.p, (size_t)idx[k]);
        double off = deviation(key, name, plan_output(r->plan, first + k),
                               shape_count(params_shape(r->net.p, (size_t)idx[k])));
        if (off > limit)
            fail_msg("%s of %s: off by %.2g", key, name, off);
        worst = fmax(worst, off);
    }
    print_message("           %s: %d tensors, off by at most %.1e\n", key, n, worst);
    float *const owned[] = {z, c, real, fake, share};
    for (size_t i = 0; i < COUNT_OF(owned); i++)
        free(owned[i]);
}

static double scalar(struct rig *r, int i)
{
    return (double)*(float *)plan_output(r->plan, i);
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
    float *x = hashed_cells("real", (size_t)N * CELLS * N_ROLES);
    plan_bind_name(r.plan, "real", x);
    rig_input(&r, "fake", hashed("fake", (size_t)N * CELLS * N_ROLES));
    free(x);
    for (int side = 0; side < 2; side++) {
        const json_t *want = json_object_get(golden, side ? "critic.fake" : "critic.real");
        for (size_t i = 0; i < 3 * N; i++)
            near((double)((float *)plan_output(r.plan, side))[i], json_number_value(json_array_get(want, i)),
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

static void save_song(const char *dir, int k)
{
    struct song *s = song_new_band();
    char path[256];
    for (int bar = 0; bar < 16; bar++)
        for (int beat = 0; beat < 4; beat++) {
            int32_t tick = bar * 1920 + beat * 480;
            track_add(song_track_of(s, ROLE_DRUMS),
                      (struct note){tick, 120, (uint8_t)(beat % 2 ? 38 : 36), 100});
            track_add(song_track_of(s, ROLE_BASS),
                      (struct note){tick, 480, (uint8_t)(36 + (k + bar) % 12), 100});
            for (int v = 0; v < 3; v++)
                track_add(song_track_of(s, ROLE_PIANO),
                          (struct note){tick, 400, (uint8_t)(60 + (k + bar + 4 * v) % 12), 100});
        }
    str_format(path, sizeof path, "%s/song%d.mid", dir, k);
    assert_int_equal(midi_save(s, &(struct midi_write_opts){.format = 1}, path), ERR_OK);
    song_free(s);
}

static struct dataset *small_data(char *dir)
{
    char path[300];
    struct dataset *d;
    struct str report = {0};
    assert_non_null(mkdtemp(dir));
    for (int k = 0; k < 12; k++)
        save_song(dir, k);
    str_format(path, sizeof path, "%s/data", dir);
    const struct dataset_opts o = {.hop_bars = 2, .min_roles = 3, .held_out = 0.3};
    assert_int_equal(dataset_build((const char *const *)&dir, 1, &o, path, &report), ERR_OK);
    str_fini(&report);
    assert_int_equal(dataset_open(path, &d), ERR_OK);
    return d;
}

/* `set` is "name=value,name=value" beyond a grid that trains in no time. */
static struct opts *tiny(const char *set)
{
    struct opts *o = opts_new(musegan_kind.options, musegan_kind.n_options);
    char all[400], *rest = all, *item;
    str_format(all, sizeof all,
               "bars=2,steps=16,octaves=3,low=36,width=0.125,batch=8,micro=4,critic-steps=2,seed=1%s%s",
               *set ? "," : "", set);
    while ((item = str_split(&rest, ','))) {
        char *value = strchr(item, '=');
        *value = 0;
        assert_int_equal(opts_set(o, item, value + 1), ERR_OK);
    }
    return o;
}

static void count_take(void *ctx, int index, struct take *take)
{
    uint32_t *sum = ctx;
    for (size_t t = 0; t < take->song->n_tracks; t++)
        for (size_t i = 0; i < take->song->tracks[t].n; i++)
            sum[index] = sum[index] * 31 + take->song->tracks[t].notes[i].pitch * 7 +
                         (uint32_t)take->song->tracks[t].notes[i].tick;
    take_fini(take);
}

/* Seams between phrases of two bars: notes that sound across them; none of a pitch may end there where another begins. */
static void count_joined(void *ctx, int index, struct take *take)
{
    long *joined = ctx;
    (void)index;
    for (size_t r = ROLE_DRUMS + 1; r < N_ROLES; r++)
        for (int32_t seam = 2 * 1920; seam < 8 * 1920; seam += 2 * 1920) {
            const struct track *t = &take->song->tracks[r];
            for (size_t i = 0; i < t->n; i++) {
                int32_t end = t->notes[i].tick + t->notes[i].dur;
                *joined += t->notes[i].tick < seam && end > seam;
                for (size_t k = track_first_at(t, seam); end == seam && k < t->n && t->notes[k].tick == seam; k++)
                    assert_int_not_equal(t->notes[i].pitch, t->notes[k].pitch);
            }
        }
    take_fini(take);
}

/* A longer piece begins as a shorter one, and its later phrases lean towards the first. */
static void check_latents(const struct model *m)
{
    enum { PHRASES = 4 };
    int width = musegan_latent_of(m, m->c.bars, 7, NULL), n = musegan_latent_of(m, PHRASES * m->c.bars, 7, NULL);
    float *one = xcalloc((size_t)width, sizeof *one), *all = xcalloc((size_t)n, sizeof *all);
    double same = 0, norm = 0;
    assert_int_equal(n, PHRASES * width);
    assert_int_equal(musegan_latent_of(m, m->c.bars, 7, one), width);
    assert_int_equal(musegan_latent_of(m, PHRASES * m->c.bars, 7, all), n);
    assert_memory_equal(one, all, (size_t)width * sizeof *one);
    for (int i = width; i < n; i++) {
        same += (double)all[i] * (double)one[i % width];
        norm += (double)one[i % width] * (double)one[i % width];
    }
    assert_true(same / norm > 0.5 && same / norm < 1.1);
    free(one);
    free(all);
}

/* Sample from a shipped file; kept cells stay, and the same seed gives the same notes. */
static void play(const char *path, int condition)
{
    struct ckpt *c;
    struct model *m;
    struct song *s = song_new_band();
    uint32_t sum[3] = {0}, again[3] = {0};
    track_add(song_track_of(s, ROLE_PIANO), (struct note){0, 480, 60, 90});
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    assert_int_equal(musegan_kind.open(device, c, &m), ERR_OK);
    struct request rq = {.verb = condition < 0 ? VERB_GENERATE : VERB_ACCOMPANY,
                         .song = s,
                         .n_bars = 3,
                         .genre = -1,
                         .key = {-1, false},
                         .temperature = 1,
                         .seed = 5,
                         .n_takes = 3};
    memset(rq.keep[ROLE_PIANO], 1, sizeof rq.keep[ROLE_PIANO]);
    assert_int_equal(musegan_kind.run(m, &rq, &(struct progress){.on_take = count_take, .ctx = sum}), ERR_OK);
    assert_int_equal(musegan_kind.run(m, &rq, &(struct progress){.on_take = count_take, .ctx = again}),
                     ERR_OK);
    assert_memory_equal(sum, again, sizeof sum);
    if (!m->c.threshold) /* before it has learnt anything the likelier is the same everywhere */
        assert_int_not_equal(sum[0], sum[1]);
    long joined = 0;
    check_latents(m);
    rq.n_bars = 8;
    assert_int_equal(musegan_kind.run(m, &rq, &(struct progress){.on_take = count_joined, .ctx = &joined}), ERR_OK);
    if (!m->c.threshold)
        assert_true(joined > 0);
    rq.verb = VERB_TRANSFER;
    assert_int_equal(musegan_kind.run(m, &rq, NULL), ERR_UNSUPPORTED);
    musegan_kind.close(m);
    ckpt_close(c);
    song_free(s);
}

static void check_training(const char *set, int role)
{
    char dir[] = "/tmp/jamroll-musegan-XXXXXX", path[300];
    struct dataset *data = small_data(dir);
    struct opts *o = tiny(set);
    struct model *m, *resumed;
    struct ckpt *c;
    double first[4], now[4], other[4];
    str_format(path, sizeof path, "%s/ckpt", dir);
    assert_int_equal(musegan_kind.train_open(device, o, data, NULL, &m), ERR_OK);
    assert_int_equal(musegan_kind.train_step(m, 0, first), ERR_OK);
    for (long step = 1; step < 25; step++)
        assert_int_equal(musegan_kind.train_step(m, step, now), ERR_OK);
    print_message("           critic %.3f -> %.3f, penalty %.3f -> %.3f, gap %.3f -> %.3f\n", first[0],
                  now[0], first[2], now[2], first[3], now[3]);
    for (int i = 0; i < 4; i++)
        assert_true(isfinite(now[i]));
    assert_true(now[0] < first[0] - 1); /* the penalty is learned away and the critic tells real from fake */
    assert_true(now[3] > first[3]);
    assert_int_equal(musegan_kind.train_samples(m), 25 * 3 * 8);
    assert_int_equal(musegan_kind.train_save(m, path, false, NULL, 0), ERR_OK);
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    assert_int_equal(musegan_kind.train_open(device, o, data, c, &resumed), ERR_OK);
    ckpt_close(c);
    assert_int_equal(musegan_kind.train_step(m, 25, now), ERR_OK);
    assert_int_equal(musegan_kind.train_step(resumed, 25, other), ERR_OK);
    assert_memory_equal(now, other, sizeof now); /* goes on as if never stopped */
    assert_int_equal(musegan_kind.train_eval(m, now), ERR_OK);
    const char *const meta[] = {"name", "tiny"};
    assert_int_equal(musegan_kind.train_save(m, path, true, meta, 1), ERR_OK);
    musegan_kind.close(m);
    musegan_kind.close(resumed);
    play(path, role);
    opts_free(o);
    dataset_close(data);
    folder_remove(dir);
}

static void training(void **state)
{
    (void)state;
    check_training("condition=none", -1);
    check_training("condition=piano", ROLE_PIANO);
}

/* A few steps of a variant: losses move and stay finite, and a run that was stopped goes on as if it never had. */
static void check_variant(const struct dataset *data, const char *dir, const char *set)
{
    struct opts *o = tiny(set);
    struct model *m, *resumed;
    struct ckpt *c;
    char path[300];
    double first[4], now[4], other[4];
    str_format(path, sizeof path, "%s/variant", dir);
    if (musegan_kind.train_open(device, o, data, NULL, &m) != ERR_OK)
        fail_msg("%s: %s", set, err_text());
    for (long step = 0; step < 3; step++)
        assert_int_equal(musegan_kind.train_step(m, step, step ? now : first), ERR_OK);
    for (int i = 0; i < 4; i++)
        assert_true(isfinite(first[i]) && isfinite(now[i]));
    if (now[1] == first[1] || now[3] == first[3])
        fail_msg("%s: losses do not move", set);
    assert_int_equal(musegan_kind.train_save(m, path, false, NULL, 0), ERR_OK);
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    assert_int_equal(musegan_kind.train_open(device, o, data, c, &resumed), ERR_OK);
    ckpt_close(c);
    for (long step = 3; step < 5; step++) {
        assert_int_equal(musegan_kind.train_step(m, step, now), ERR_OK);
        assert_int_equal(musegan_kind.train_step(resumed, step, other), ERR_OK);
        if (memcmp(now, other, sizeof now))
            fail_msg("%s: a resumed run differs", set);
    }
    assert_int_equal(musegan_kind.train_save(m, path, true, NULL, 0), ERR_OK);
    musegan_kind.close(m);
    musegan_kind.close(resumed);
    play(path, strstr(set, "condition=piano") ? ROLE_PIANO : -1);
    opts_free(o);
}

static void variants(void **state)
{
    (void)state;
    static const char *const sets[] = {
        "generator=bad-time,critic=no-chroma",
        "generator=bad-pitch,critic=no-onset",
        "critic=bare,loss=hinge,penalty=0",
        "loss=classic,penalty=0,schedule=cosine,decay-from=1,decay-to=6",
        "loss=nonsaturating,critic-steps=1,generator-steps=2",
        "loss=wasserstein,penalty=0,clip=0.01,critic-lr=0.0001",
        "generator=jamming,critic=phrase-each,spread=0.1,cut=0",
        "generator=jamming,critic=phrase-each,condition=piano",
        "generator=jamming,critic=phrase,bars=1",
        "generator=composer,critic=phrase,warm-updates=4,warm-every=2",
        "generator=composer,critic=phrase,condition=piano",
        "generator=hybrid,critic=phrase,bars=4,steps=48",
        "generator=hybrid,critic=phrase,condition=piano,bars=1,steps=32",
        "generator=binary,critic=binary",
        "generator=binary-small,critic=binary-small",
        "generator=binary-jamming,critic=binary,steps=96",
        "generator=binary-composer,critic=binary,neurons=deterministic,sampling=threshold",
        "generator=binary-hybrid,critic=binary,neurons=stochastic,slope-from=0,slope-to=5",
        "neurons=deterministic,condition=piano",
        "neurons=stochastic",
        "refiner=on,train=both,neurons=deterministic",
        "refiner=on,train=refiner,neurons=stochastic,condition=piano",
    };
    char dir[] = "/tmp/jamroll-musegan-XXXXXX";
    struct dataset *data = small_data(dir);
    for (size_t i = 0; i < COUNT_OF(sets); i++)
        check_variant(data, dir, sets[i]);
    dataset_close(data);
    folder_remove(dir);
}

/* Values of all tensors with a prefix, hashed, in whatever order. */
static uint64_t print_of(const struct model *m, const char *prefix)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < params_n(m->live); i++) {
        const char *name = params_name(m->live, i);
        const void *value = params_value(m->live, i);
        if (str_starts(name, prefix))
            sum += rng_hash(file_hash((const uint8_t *)name, strlen(name)),
                            file_hash(value, shape_count(params_shape(m->live, i)) * sizeof(float)));
    }
    return sum;
}

/* A second stage begins with the first one's networks; its generator stays as it is while the refiner learns. */
static void second_stage(void **state)
{
    (void)state;
    char dir[] = "/tmp/jamroll-musegan-XXXXXX", path[300];
    struct dataset *data = small_data(dir);
    struct opts *first = tiny(""), *second = tiny("refiner=on,train=refiner,neurons=deterministic");
    struct model *m;
    double losses[4];
    str_format(path, sizeof path, "%s/first", dir);
    assert_int_equal(musegan_kind.train_open(device, first, data, NULL, &m), ERR_OK);
    assert_int_equal(musegan_kind.train_step(m, 0, losses), ERR_OK);
    assert_int_equal(musegan_kind.train_save(m, path, false, NULL, 0), ERR_OK);
    uint64_t generator = print_of(m, "g."), critic = print_of(m, "d.");
    musegan_kind.close(m);
    assert_int_equal(opts_set(second, "start", path), ERR_OK);
    assert_int_equal(musegan_kind.train_open(device, second, data, NULL, &m), ERR_OK);
    assert_true(print_of(m, "g.") == generator && print_of(m, "d.") == critic);
    uint64_t refiner = print_of(m, "r.");
    assert_int_equal(musegan_kind.train_step(m, 0, losses), ERR_OK);
    assert_true(print_of(m, "g.") == generator && print_of(m, "d.") != critic &&
                print_of(m, "r.") != refiner);
    musegan_kind.close(m);
    assert_int_equal(opts_set(second, "start", dir), ERR_OK);
    assert_int_not_equal(musegan_kind.train_open(device, second, data, NULL, &m), ERR_OK);
    opts_free(first);
    opts_free(second);
    dataset_close(data);
    folder_remove(dir);
}

/* Clipped, no weight of the critic is beyond. */
static void clipping(void **state)
{
    (void)state;
    char dir[] = "/tmp/jamroll-musegan-XXXXXX";
    struct dataset *data = small_data(dir);
    struct opts *o = tiny("penalty=0,clip=0.02");
    struct model *m;
    double losses[4];
    float most = 0, generator = 0;
    assert_int_equal(musegan_kind.train_open(device, o, data, NULL, &m), ERR_OK);
    assert_int_equal(musegan_kind.train_step(m, 0, losses), ERR_OK);
    for (size_t i = 0; i < params_n(m->live); i++)
        for (size_t k = 0; k < shape_count(params_shape(m->live, i)); k++) {
            float *at = str_starts(params_name(m->live, i), "d.") ? &most : &generator;
            *at = fmaxf(*at, fabsf(params_value(m->live, i)[k]));
        }
    assert_true(most == 0.02f && generator > 0.02f);
    musegan_kind.close(m);
    opts_free(o);
    dataset_close(data);
    folder_remove(dir);
}

/* What cannot be built says so. */
static void keep_song(void *ctx, int index, struct take *take)
{
    struct song **out = ctx;
    (void)index;
    *out = take->song;
    take->song = NULL;
    take_fini(take);
}

/* What knows C major alone plays the same in D major, two semitones up; drums stay. */
static void at_home(void **state)
{
    (void)state;
    char dir[] = "/tmp/jamroll-musegan-XXXXXX", path[300];
    struct dataset *data = small_data(dir);
    struct opts *o = tiny("keys=home,low=24,octaves=3");
    struct song *empty = song_new_band(), *in_c = NULL, *in_d = NULL;
    struct model *m;
    struct ckpt *c;
    double losses[4];
    size_t pitched = 0;
    assert_int_equal(musegan_kind.train_open(device, o, data, NULL, &m), ERR_OK);
    assert_int_equal(musegan_kind.train_step(m, 0, losses), ERR_OK);
    str_format(path, sizeof path, "%s/shipped", dir);
    assert_int_equal(musegan_kind.train_save(m, path, true, NULL, 0), ERR_OK);
    musegan_kind.close(m);
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    assert_int_equal(musegan_kind.open(device, c, &m), ERR_OK);
    ckpt_close(c);
    struct request rq = { .verb = VERB_GENERATE, .song = empty, .n_bars = 2, .genre = -1, .key = { 0, false },
                          .temperature = 1, .seed = 5, .n_takes = 1 };
    assert_int_equal(musegan_kind.run(m, &rq, &(struct progress){ .on_take = keep_song, .ctx = &in_c }), ERR_OK);
    rq.key.tonic = 2;
    assert_int_equal(musegan_kind.run(m, &rq, &(struct progress){ .on_take = keep_song, .ctx = &in_d }), ERR_OK);
    for (size_t r = 0; r < N_ROLES; r++) {
        const struct track *a = &in_c->tracks[r], *b = &in_d->tracks[r];
        assert_int_equal(a->n, b->n);
        for (size_t i = 0; i < a->n; i++)
            assert_int_equal(a->notes[i].pitch + (r == ROLE_DRUMS ? 0 : 2), b->notes[i].pitch);
        pitched += r == ROLE_DRUMS ? 0 : a->n;
    }
    assert_true(pitched > 10);
    song_free(empty);
    song_free(in_c);
    song_free(in_d);
    musegan_kind.close(m);
    opts_free(o);
    dataset_close(data);
    folder_remove(dir);
}

/* What ships is the average of what the generator was, and a resumed run goes on with it. */
static void averaged(void **state)
{
    (void)state;
    char dir[] = "/tmp/jamroll-musegan-XXXXXX", path[300];
    struct dataset *data = small_data(dir);
    struct opts *o = tiny("ema=0.5");
    struct model *m, *resumed;
    struct ckpt *c;
    struct ckpt_tensor shipped, again;
    double losses[4], off = 0, moved = 0;
    assert_int_equal(musegan_kind.train_open(device, o, data, NULL, &m), ERR_OK);
    size_t at = 0;
    while (!str_starts(params_name(m->live, at), "g.") || !params_trained(m->live, at))
        at++;
    size_t n = shape_count(params_shape(m->live, at));
    float *average = xcalloc(n, sizeof *average), *kept = xcalloc(n, sizeof *kept);
    memcpy(average, params_value(m->live, at), n * sizeof *average);
    for (long step = 0; step < 4; step++) {
        double decay = fmin(0.5, (1.0 + (double)step) / (10.0 + (double)step));
        assert_int_equal(musegan_kind.train_step(m, step, losses), ERR_OK);
        for (size_t k = 0; k < n; k++)
            average[k] = (float)(decay * (double)average[k] + (1 - decay) * (double)params_value(m->live, at)[k]);
    }
    str_format(path, sizeof path, "%s/shipped", dir);
    assert_int_equal(musegan_kind.train_save(m, path, true, NULL, 0), ERR_OK);
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    assert_true(ckpt_find(c, params_name(m->live, at), &shipped));
    for (size_t k = 0; k < n; k++) {
        off = fmax(off, fabs((double)(((const float *)shipped.data)[k] - average[k])));
        moved = fmax(moved, fabs((double)(params_value(m->live, at)[k] - average[k])));
    }
    assert_true(off < 1e-6 && moved > 1e-5);
    memcpy(kept, shipped.data, n * sizeof *kept);
    ckpt_close(c);
    str_format(path, sizeof path, "%s/checkpoint", dir);
    assert_int_equal(musegan_kind.train_save(m, path, false, NULL, 0), ERR_OK);
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    assert_int_equal(musegan_kind.train_open(device, o, data, c, &resumed), ERR_OK);
    ckpt_close(c);
    assert_int_equal(musegan_kind.train_save(resumed, path, true, NULL, 0), ERR_OK);
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    assert_true(ckpt_find(c, params_name(m->live, at), &again));
    assert_memory_equal(again.data, kept, n * sizeof *kept);
    ckpt_close(c);
    free(kept);
    free(average);
    musegan_kind.close(m);
    musegan_kind.close(resumed);
    opts_free(o);
    dataset_close(data);
    folder_remove(dir);
}

static void refusals(void **state)
{
    (void)state;
    static const char *const sets[] = {
        "generator=bad-time,condition=piano",      "bars=1",        "cut=0.001",      "low=48,octaves=7",
        "generator=jamming,critic=default,bars=1", "train=refiner", "batch=8,micro=3"};
    char dir[] = "/tmp/jamroll-musegan-XXXXXX";
    struct dataset *data = small_data(dir);
    struct model *m;
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        struct opts *o = tiny(sets[i]);
        if (musegan_kind.train_open(device, o, data, NULL, &m) == ERR_OK)
            fail_msg("%s was taken", sets[i]);
        opts_free(o);
    }
    dataset_close(data);
    folder_remove(dir);
}

static enum err load_preset(void *ctx, const char *path)
{
    int *n = ctx;
    struct musegan_config c;
    if (!str_starts(path_base(path), "musegan"))
        return ERR_OK;
    struct opts *o = opts_new(musegan_kind.options, musegan_kind.n_options);
    enum err err = preset_load(path, "musegan", o);
    if (err == ERR_OK)
        err = musegan_config_from(o, &c);
    if (err == ERR_OK)
        err = musegan_critic_check(&c);
    if (err == ERR_OK && !strcmp(opts_text(o, "train"), "generator") == c.refiner)
        err = err_set(ERR_FORMAT, "%s: a refiner that does not learn", path);
    opts_free(o);
    *n += err == ERR_OK;
    return err;
}

/* Every configuration that ships names networks that can be built. */
static void presets(void **state)
{
    (void)state;
    int n = 0;
    if (file_walk("assets/configs", load_preset, &n) != ERR_OK)
        fail_msg("%s", err_text());
    assert_true(n >= 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(presets),
        cmocka_unit_test(default_generator),
        cmocka_unit_test(accompaniment_generator),
        cmocka_unit_test(critic_scores_and_losses),
        cmocka_unit_test(gradient_penalty),
        cmocka_unit_test(generator_steps),
        cmocka_unit_test(rolls), cmocka_unit_test(small_grid),
        cmocka_unit_test(training),
        cmocka_unit_test(variants),
        cmocka_unit_test(second_stage),
        cmocka_unit_test(clipping), cmocka_unit_test(averaged), cmocka_unit_test(at_home),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("musegan", tests, start, stop);
}
