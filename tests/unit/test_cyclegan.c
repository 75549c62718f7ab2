/* test_cyclegan.c: the networks of genre transfer at full size against PyTorch (golden/cyclegan.json, written by
 * golden/make_cyclegan.py): outputs and every gradient; the losses of both training graphs and their gradients. Then
 * what has to hold without it: pictures of phrases, weight files, training that resumes, learns and is guarded. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "folder.h"
#include "group.h"
#include "hashed.h"
#include "mem.h"
#include "model/cyclegan_row.h"
#include "model/kinds.h"
#include "phrase.h"
#include "plan.h"
#include "samples.h"
#include "song.h"
#include "songs.h"
#include "str.h"

enum { N = 2, MAX = 96 };

static int setup(void **state)
{
    (void)state;
    return group_golden("cyclegan");
}

static double weight(const char *name, struct shape s, size_t n, size_t k, double u)
{
    double scale = str_ends(name, ".w") ? sqrt(3.0 * s.dim[s.rank - 1] / (double)n) : 0.1;
    return scale * u + (str_ends(name, ".gamma") ? 1 : !str_ends(name, ".beta") ? 0 : k % 2 ? -4 : 4);
}

static void same(const json_t *want, const float *got, size_t n, double tolerance, const char *name)
{
    near_units(name, want, mean_size(want, n), got, n, tolerance);
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
    near_units(name, want, mean_size(beside, n), got, n, 1e-4);
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
    hashed_fill(net.p, weight);
    int n = params_leaves(net.p, net.g, "", leaf, index, MAX);
    struct plan *plan;
    graph_grad(out[1], leaf, n, out + 2);
    assert_int_equal(plan_new(device, net.g, out, 2 + n, NULL, &plan), ERR_OK);
    params_bind(net.p, plan);
    plan_bind(plan, x, on_put(device, cells, N * GRID_CELLS * sizeof *cells));
    assert_int_equal(plan_run(plan, NULL), ERR_OK);
    same(json_object_get(want, "out"), on_view(device, plan_output(plan, 0), n_out), n_out, 1e-5, name);
    double loss = json_number_value(json_object_get(want, "loss"));
    assert_true(fabs((double)on_float(device, plan_output(plan, 1)) - loss) < 1e-5 * loss);
    const json_t *grads = json_object_get(want, "grads");
    assert_int_equal(json_object_size(grads), n);
    for (int i = 0; i < n; i++) {
        const char *tensor = params_name(net.p, (size_t)index[i]);
        size_t count = shape_count(params_shape(net.p, (size_t)index[i]));
        same_gradient(grads, tensor, on_view(device, plan_output(plan, 2 + i), count), count);
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

/* ---- the training graphs ---- */

static const struct cyclegan_config small = { 8, 2, CRITIC_CODE };

struct graphs {
    struct params *params;
    struct graph *g;
    struct plan *plan;
    int first, n, index[MAX];         /* gradients among the outputs */
};

static void finish(struct graphs *s, struct node **out, int n_out, struct node *loss, const char *prefix)
{
    struct node *leaf[MAX];
    s->first = n_out;
    s->n = params_leaves(s->params, s->g, prefix, leaf, s->index, MAX);
    graph_grad(loss, leaf, s->n, out + n_out);
    assert_int_equal(plan_new(device, s->g, out, n_out + s->n, NULL, &s->plan), ERR_OK);
    params_bind(s->params, s->plan);
}

static void check_gradients(const struct graphs *s, const json_t *grads)
{
    for (int i = 0; i < s->n; i++) {
        size_t k = (size_t)s->index[i], n = shape_count(params_shape(s->params, k));
        same_gradient(grads, params_name(s->params, k), on_view(device, plan_output(s->plan, s->first + i), n), n);
    }
}

static void close_to(const json_t *want, const void *there)
{
    double got = (double)on_float(device, there);
    assert_true(fabs(got - json_number_value(want)) < 2e-5 * json_number_value(want));
}

static void test_losses(void **state)
{
    (void)state;
    static const struct cyclegan_loss l = { 10, 1, 0 };
    const json_t *want = json_object_get(golden, "training");
    struct params *p = params_new();
    struct node *out[8 + MAX];
    float *a = grids("a", 0), *b = grids("b", 0), *m = grids("m", 0);
    cyclegan_declare(p, &small, true, true);
    assert_int_equal(params_alloc(p, device, true), ERR_OK);
    hashed_fill(p, weight);
    struct graphs g = { .params = p, .g = graph_new() }, d = { .params = p, .g = graph_new() };
    struct net net = { .g = g.g, .p = p, .training = true }, net_d = { .g = d.g, .p = p, .training = true };
    struct cyclegan_g made = cyclegan_build_g(&net, &small, &l, true, N);
    out[0] = made.cycle, out[1] = made.fool, out[2] = made.fake[0], out[3] = made.fake[1];
    finish(&g, out, 4, made.loss, "g.");
    plan_bind_name(g.plan, "a", on_put(device, a, N * GRID_CELLS * sizeof *a));
    plan_bind_name(g.plan, "b", on_put(device, b, N * GRID_CELLS * sizeof *b));
    assert_int_equal(plan_run(g.plan, NULL), ERR_OK);
    close_to(json_object_get(want, "cycle"), plan_output(g.plan, 0));
    close_to(json_object_get(want, "fool"), plan_output(g.plan, 1));
    check_gradients(&g, json_object_get(want, "grads"));
    out[0] = cyclegan_build_d(&net_d, &small, &l, true, N);
    finish(&d, out, 1, out[0], "d.");
    plan_bind_name(d.plan, "a", on_put(device, a, N * GRID_CELLS * sizeof *a));
    plan_bind_name(d.plan, "b", on_put(device, b, N * GRID_CELLS * sizeof *b));
    plan_bind_name(d.plan, "mixed", on_put(device, m, N * GRID_CELLS * sizeof *m));
    plan_bind_name(d.plan, "fake a", plan_output(g.plan, 2));
    plan_bind_name(d.plan, "fake b", plan_output(g.plan, 3));
    assert_int_equal(plan_run(d.plan, NULL), ERR_OK);
    close_to(json_object_get(want, "critic"), plan_output(d.plan, 0));
    check_gradients(&d, json_object_get(want, "grads"));
    struct graphs *const both[] = { &g, &d };
    for (int i = 0; i < 2; i++) {
        plan_free(both[i]->plan);
        graph_free(both[i]->g);
    }
    params_free(p);
    free(a);
    free(b);
    free(m);
}

/* ---- grids ---- */

static void test_grid(void **state)
{
    (void)state;
    static const struct pnote notes[] = {
        { ROLE_PIANO, 60, 80, 0, 3 },    /* the first sixteenth */
        { ROLE_BASS, 24, 80, 4, 1 },     /* a triplet: the nearest sixteenth, one long at least */
        { ROLE_STRINGS, 107, 80, 186, 100 }, { ROLE_GUITAR, 108, 80, 0, 3 }, { ROLE_PIANO, 23, 80, 0, 3 },
        { ROLE_DRUMS, 36, 80, 0, 3 }, { ROLE_PIANO, 62, 80, 191, 1 },
    };
    const struct phrase p = { .notes = notes, .n = COUNT_OF(notes) };
    static uint8_t cells[GRID_CELLS], none[GRID_CELLS];
    assert_int_equal(grid_of_phrase(&p, cells), 5);
    assert_int_equal(cells[60 - GRID_LOW], 1);
    assert_int_equal(cells[1 * GRID_PITCHES], 1);
    assert_int_equal(cells[62 * GRID_PITCHES + 83], 1);
    assert_int_equal(cells[63 * GRID_PITCHES + 83], 1);
    assert_int_equal(cells[63 * GRID_PITCHES + 62 - GRID_LOW], 1);
    assert_true(grid_difference(cells, cells) <= 0 && grid_difference(none, none) <= 0);
    assert_true(grid_difference(cells, none) >= 1);
}

/* ---- data ---- */

/* Two genres that a child could tell: chords low down on the beat, and runs high up. */
static struct song *made_song(int genre, uint64_t seed)
{
    struct song *s = song_new();
    struct track *t = song_add_track(s, "Piano", ROLE_PIANO);
    struct rng r;
    rng_init(&r, seed, (uint64_t)genre);
    for (int beat = 0; beat < 32; beat++) {
        uint8_t root = (uint8_t)(40 + rng_below(&r, 8));
        for (int v = 0; v < 4; v++) {
            struct note chord = { beat * 480, 480, (uint8_t)(root + 4 * v), 80 };
            struct note run = { beat * 480 + v * 120, 120, (uint8_t)(76 + rng_below(&r, 12)), 80 };
            track_push(t, genre == 0 ? chord : run);
        }
    }
    track_tidy(t);
    return s;
}

static char dir[] = "/tmp/test_cyclegan_XXXXXX";

static struct dataset *made_data(void)
{
    static const char *const genres[] = { "low", "high" };
    char path[160], name[16];
    for (int g = 0; g < 2; g++)
        for (int k = 0; k < 6; k++) {
            str_format(name, sizeof name, "%d.mid", k);
            songs_save(made_song(g, (uint64_t)k), dir, genres[g], name);
        }
    struct dataset_opts o;
    dataset_opts_init(&o);
    o.merged = true;
    o.held_out = 0.3;
    str_format(path, sizeof path, "%s/data", dir);
    return songs_data(dir, &o, path);
}

static struct opts *options_of(const struct model_kind *kind, const char *const (*set)[2], size_t n)
{
    struct opts *o = opts_new(kind->options, kind->n_options);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(opts_set(o, set[i][0], set[i][1]), ERR_OK);
    return o;
}

static const char *in_dir(const char *name)
{
    static char path[160];
    str_format(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static struct ckpt *saved(const struct model_kind *kind, struct model *m, const char *name, bool for_shipping)
{
    struct ckpt *c;
    assert_int_equal(kind->train_save(m, in_dir(name), for_shipping, NULL, 0), ERR_OK);
    assert_int_equal(ckpt_open(in_dir(name), &c), ERR_OK);
    return c;
}

/* ---- the judge ---- */

static void test_judge(struct dataset *data)
{
    static const char *const set[][2] = { { "width", "4" }, { "lr", "0.002" }, { "genres", "low-high" } };
    struct opts *o = options_of(&judge_kind, set, COUNT_OF(set));
    struct model *m, *again, *open;
    struct measures figures = { 0 };
    double losses[4], first = 0, resumed[4];
    assert_int_equal(judge_kind.train_open(device, o, data, NULL, &m), ERR_OK);
    judge_kind.train_horizon(m, 1000);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(judge_kind.train_step(m, i, losses), ERR_OK);
        first = i == 0 ? losses[0] : first;
    }
    assert_true(losses[0] < 0.5 * first);
    struct ckpt *c = saved(&judge_kind, m, "judge-checkpoint", false);
    assert_int_equal(judge_kind.train_open(device, o, data, c, &again), ERR_OK);
    judge_kind.train_horizon(again, 1000);
    for (int i = 30; i <= 30 + RECENT_LAG; i++) { /* until what a GPU tells is of steps that both made */
        assert_int_equal(judge_kind.train_step(m, i, losses), ERR_OK);
        assert_int_equal(judge_kind.train_step(again, i, resumed), ERR_OK);
    }
    assert_memory_equal(losses, resumed, sizeof *losses);
    assert_int_equal(judge_kind.train_eval(m, losses), ERR_OK);
    assert_true(losses[1] <= 0);
    ckpt_close(c);
    c = saved(&judge_kind, m, "judge.safetensors", true);
    assert_int_equal(judge_kind.open(device, c, &open), ERR_OK);
    assert_int_equal(judge_kind.n_genres(open), 2);
    assert_string_equal(judge_kind.genre(open, 1), "high");
    assert_int_equal(judge_kind.evaluate(open, data, &(struct measure_opts){ .n = 4 }, &figures), ERR_OK);
    assert_int_equal(figures.n, 6);
    assert_true(figures.at[0].value >= 100 && figures.at[0].other >= 100);
    free(figures.at);
    judge_kind.close(open);
    judge_kind.close(again);
    judge_kind.close(m);
    ckpt_close(c);
    opts_free(o);
}

/* ---- genre transfer ---- */

#define SMALL { "pair", "low-high" }, { "width", "4" }, { "blocks", "1" }, { "batch", "4" }, { "critic", "paper" }, \
              { "pool", "6" }, { "measure", "4" }

static struct model *trainer(struct dataset *data, const char *const (*set)[2], size_t n, const struct ckpt *resume)
{
    struct opts *o = options_of(&cyclegan_kind, set, n);
    struct model *m;
    assert_int_equal(cyclegan_kind.train_open(device, o, data, resume, &m), ERR_OK);
    cyclegan_kind.train_horizon(m, 1000);
    opts_free(o);
    return m;
}

/* The cycle closes better and better; a resumed run is the unbroken one, pool and all. */
static void test_training(struct dataset *data)
{
    enum { STEPS = 40, BREAK = 30 };
    char judge[160];
    str_copy(judge, sizeof judge, in_dir("judge.safetensors"));
    const char *const set[][2] = { SMALL, { "model", "full" }, { "lr", "0.002" }, { "judge", judge } };
    struct model *m = trainer(data, set, COUNT_OF(set), NULL), *resumed = NULL;
    double losses[4], first = 0, again[4];
    for (int i = 0; i < STEPS; i++) {
        if (i == BREAK) {
            struct ckpt *c = saved(&cyclegan_kind, m, "checkpoint", false);
            resumed = trainer(data, set, COUNT_OF(set), c);
            ckpt_close(c);
        }
        assert_int_equal(cyclegan_kind.train_step(m, i, losses), ERR_OK);
        first = i == 0 ? losses[0] : first;
        if (resumed) {
            assert_int_equal(cyclegan_kind.train_step(resumed, i, again), ERR_OK);
            assert_memory_equal(again, losses, 3 * sizeof *again);
            assert_true(fabs(again[3] - losses[3]) < 1e-5);
        }
    }
    assert_true(losses[0] < 0.5 * first);
    assert_int_equal(cyclegan_kind.train_eval(m, losses), ERR_OK);
    assert_true(losses[0] >= 0 && losses[0] <= 1 && losses[1] >= 0 && losses[3] >= 0 && losses[3] <= 1);
    cyclegan_kind.close(resumed);
    cyclegan_kind.close(m);
}

/* What is shipped runs, the same for one grid and many, and is measured. */
static void test_running(struct dataset *data)
{
    enum { MANY = 11 };
    const char *const set[][2] = { SMALL };
    struct model *m = trainer(data, set, COUNT_OF(set), NULL), *open;
    struct ckpt *c = saved(&cyclegan_kind, m, "transfer.safetensors", true);
    assert_int_equal(cyclegan_kind.open(device, c, &open), ERR_OK);
    assert_string_equal(cyclegan_kind.genre(open, 0), "low");
    uint8_t *in = xcalloc(MANY * GRID_CELLS, 1);
    float *all = xcalloc(MANY * GRID_CELLS, sizeof *all), *one = xcalloc(GRID_CELLS, sizeof *one);
    for (int i = 0; i < MANY * GRID_CELLS; i += 29 + i % 7)
        in[i] = 1;
    for (int side = 0; side < 2; side++) {
        assert_int_equal(cyclegan_run(open->cyclegan, in, MANY, side, all, NULL), ERR_OK);
        for (int i = 0; i < MANY; i += 4) {
            assert_int_equal(cyclegan_run(open->cyclegan, in + i * GRID_CELLS, 1, side, one, NULL), ERR_OK);
            for (int k = 0; k < GRID_CELLS; k++)
                assert_true(fabsf(one[k] - all[i * GRID_CELLS + k]) < 1e-6f && one[k] >= 0 && one[k] <= 1);
        }
    }
    struct measures figures = { 0 };
    const struct measure_opts o = { .n = 4, .judge = in_dir("judge.safetensors") };
    assert_int_equal(cyclegan_kind.evaluate(open, data, &o, &figures), ERR_OK);
    assert_int_equal(figures.n, 1 + 2 * 9);
    assert_string_equal(figures.at[1].name, "low: taken for it before (%)");
    assert_true(figures.at[1].value >= 100);
    free(figures.at);
    free(in);
    free(all);
    free(one);
    cyclegan_kind.close(open);
    cyclegan_kind.close(m);
    ckpt_close(c);
}

/* First they learn to give back what they see. */
static void test_warm(struct dataset *data)
{
    const char *const set[][2] = { SMALL, { "warm", "60" }, { "lr", "0.003" } };
    struct model *m = trainer(data, set, COUNT_OF(set), NULL);
    double losses[4], first = 0;
    for (int i = 0; i < 60; i++) {
        assert_int_equal(cyclegan_kind.train_step(m, i, losses), ERR_OK);
        first = i == 0 ? losses[0] : first;
    }
    assert_true(losses[0] < 0.2 * first && losses[1] <= 0 && losses[2] > 0);
    assert_int_equal(cyclegan_kind.train_step(m, 60, losses), ERR_OK);
    assert_true(losses[1] > 0);
    cyclegan_kind.close(m);
}

static void test_guard(struct dataset *data)
{
    static uint8_t varied[2 * GRID_CELLS], silent[2 * GRID_CELLS], twins[2 * GRID_CELLS];
    struct cyclegan_guard well = { 0 }, mute = { 0 }, stuck = { 0 };
    for (int i = 0; i < 64; i++)
        varied[i * 50] = varied[GRID_CELLS + i * 51 + 7] = twins[i * 50] = twins[GRID_CELLS + i * 50] = 1;
    for (int side = 0; side < 2; side++) {
        cyclegan_guard_see(&well, side, 2, varied, varied, varied);
        cyclegan_guard_see(&mute, side, 2, side ? silent : varied, varied, varied);
        cyclegan_guard_see(&stuck, side, 2, side ? varied : twins, varied, varied);
    }
    assert_true(cyclegan_collapse(&well) < 0.1);
    assert_true(cyclegan_collapse(&mute) >= 1);
    assert_true(cyclegan_collapse(&stuck) > 0.9);
    struct cyclegan_score kept = { .side = { { .key = 0.8, .density = 0.05, .density_target = 0.05, .apart = 0.9, .apart_before = 0.9 },
                                             { .key = 0.5, .density = 0.05, .density_target = 0.05, .apart = 0.9, .apart_before = 0.9 } } };
    struct cyclegan_score moved = kept;
    moved.side[1].key = 0.1;
    assert_true(cyclegan_score_collapse(&kept) < 0.01);
    assert_true(fabs(cyclegan_score_collapse(&moved) - 0.8) < 1e-9);
    /* So small a network falls silent: it is well at first, goes back again and again, and in the end gives up. */
    const char *const set[][2] = { SMALL, { "guard", "2" }, { "lr", "0.002" }, { "collapse", "0.95" } };
    struct model *m = trainer(data, set, COUNT_OF(set), NULL);
    double losses[4];
    enum err err = ERR_OK;
    int steps = 0;
    for (; steps < 300 && err == ERR_OK; steps++)
        err = cyclegan_kind.train_step(m, steps, losses);
    assert_int_equal(err, ERR_RANGE);
    assert_true(steps > 40);
    assert_non_null(strstr(err_text(), "collapsed 6 times"));
    cyclegan_kind.close(m);
}

static void test_family(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    struct dataset *data = made_data();
    test_judge(data);
    test_training(data);
    test_running(data);
    test_warm(data);
    test_guard(data);
    dataset_close(data);
    folder_remove(dir);
}

/* What the header of a weight file may not say. */
static void test_hostile(void **state)
{
    (void)state;
    static const char *const genres[] = { "", "jazz", "jazz,", ",jazz", "a,b,c", "jazz,JAZZ",
                                          "a,bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" };
    static const float value[4] = { 0 };
    for (size_t i = 0; i < COUNT_OF(genres); i++) {
        char path[] = "/tmp/test_cyclegan_h_XXXXXX";
        struct ckpt_writer *w = ckpt_writer_new();
        struct ckpt *c;
        struct model *m;
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        close(fd);
        ckpt_writer_meta(w, "family", "cyclegan");
        ckpt_writer_meta(w, "genres", genres[i]);
        ckpt_writer_meta(w, "option.width", "4");
        ckpt_writer_add(w, "w", F32, SHAPE(4), value);
        assert_int_equal(ckpt_writer_save(w, path), ERR_OK);
        assert_int_equal(ckpt_open(path, &c), ERR_OK);
        assert_int_not_equal(cyclegan_kind.open(device, c, &m), ERR_OK);
        assert_int_not_equal(judge_kind.open(device, c, &m), ERR_OK);
        ckpt_close(c);
        unlink(path);
    }
}

static void test_parameters(void **state)
{
    (void)state;
    struct model_net net[3];
    assert_int_equal(cyclegan_kind.nets(NULL, net, 3), 3);
    assert_int_equal(net[0].params, 12551552);
    assert_int_equal(net[1].params, 819008);
    assert_int_equal(net[2].params, 263936);
    assert_int_equal(judge_kind.nets(NULL, net, 3), 1);
    assert_int_equal(net[0].params, 1156608);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks), cmocka_unit_test(test_losses), cmocka_unit_test(test_grid),
        cmocka_unit_test(test_family), cmocka_unit_test(test_hostile), cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests(tests, setup, group_end);
}
