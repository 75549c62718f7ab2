/* The family that writes in codes, without training: the original's network against PyTorch (golden/gpt.json, written by
 * golden/make_gpt.py), what the network reads, and what a take owes its request, on small random weights; that weight
 * files are read back, and spoilt ones refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hashed.h"
#include "on.h"
#include "samples.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ckpt.h"
#include "mem.h"
#include "model/codes.h"
#include "model/kinds.h"
#include "opt.h"
#include "rng.h"
#include "takes.h"
#include "verb.h"

static struct device *device;

/* ---- the network of the original, against PyTorch ---- */

static void fill_hashed(struct params *p)
{
    for (size_t i = 0; i < params_n(p); i++) {
        const char *name = params_name(p, i);
        size_t n = shape_count(params_shape(p, i));
        float *u = hashed(name, n);
        for (size_t k = 0; k < n; k++)
            u[k] = str_ends(name, "gamma") ? 1 + 0.2f * u[k] : 0.1f * u[k];
        on_write(params_device(p), params_value(p, i), u, n * sizeof *u);
        free(u);
    }
}

static int32_t *tokens(const char *name, size_t n)
{
    float *u = hashed(name, n);
    int32_t *out = xcalloc(n, sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = (int32_t)(u[i] * 8 + 8);
    free(u);
    return out;
}

static void original_agrees_with_pytorch(void **state)
{
    (void)state;
    enum { ROWS = 2, TIME = 191, MOST = 128 };
    json_t *golden = json_load_file("tests/golden/gpt.json", 0, NULL);
    struct params *p = params_new();
    struct graph *g = graph_new();
    struct net n = { .g = g, .p = p };
    struct node *outputs[2 + MOST], *leaves[MOST];
    int index[MOST];
    struct stepnet_batch b = stepnet_build_batch(&n, &codes_original, ROWS, TIME);
    assert_non_null(golden);
    assert_int_equal(params_count(p), 821888);
    assert_int_equal(params_count(p), json_integer_value(json_object_get(golden, "params")));
    int n_leaves = params_leaves(p, g, "", leaves, index, MOST);
    outputs[0] = b.loss;
    outputs[1] = b.logits[0];
    graph_grad(b.loss, leaves, n_leaves, outputs + 2);
    struct plan *plan;
    assert_int_equal(plan_new(device, g, outputs, 2 + n_leaves, NULL, &plan), ERR_OK);
    assert_int_equal(params_alloc(p, device, false), ERR_OK);
    fill_hashed(p);
    int32_t *token = tokens("token", ROWS * TIME), *target = tokens("target", ROWS * TIME), length[ROWS] = { TIME, TIME };
    float weight = 1;
    params_bind(p, plan);
    plan_bind(plan, b.in[0], on_put(device, token, ROWS * TIME * sizeof *token));
    plan_bind(plan, b.target[0], on_put(device, target, ROWS * TIME * sizeof *target));
    plan_bind(plan, b.weight[0], on_put(device, &weight, sizeof weight));
    plan_bind(plan, b.length, on_put(device, length, sizeof length));
    assert_int_equal(plan_run(plan, NULL), ERR_OK);
    assert_true(fabs((double)on_float(device, plan_output(plan, 0)) - json_number_value(json_object_get(golden, "loss"))) < 1e-5);
    near_samples("logits", json_object_get(golden, "logits"), on_view(device, plan_output(plan, 1), ROWS * TIME * 16), ROWS * TIME * 16, 1e-5);
    for (int i = 0; i < n_leaves; i++) {
        const char *name = params_name(p, (size_t)index[i]);
        size_t count = shape_count(params_shape(p, (size_t)index[i]));
        near_samples(name, json_object_get(json_object_get(golden, "grads"), name),
                     on_view(device, plan_output(plan, 2 + i), count), count, 1e-4);
    }
    plan_free(plan);
    graph_free(g);
    params_free(p);
    free(token);
    free(target);
    json_decref(golden);
}

/* ---- a small one ---- */

static const struct styles styles = { 4, 2, { { "bach", 2 }, { "ravel", 3 }, { "baroque", 2 }, { "20thC", 3 } } };
static const struct vqvae_config books = { BOTTLENECK_EMA, 32, 2 };
enum { CONTEXT = 4 };

static struct stepnet small_net(void)
{
    struct opts *o = opts_new(codes_kind.options, codes_kind.n_options);
    static const char *const set[][2] = { { "width", "32" }, { "layers", "2" }, { "heads", "4" }, { "mlp", "32" }, { "dropout", "0" } };
    struct stepnet c;
    for (size_t i = 0; i < COUNT_OF(set); i++)
        assert_int_equal(opts_set(o, set[i][0], set[i][1]), ERR_OK);
    assert_int_equal(codes_net_from(o, &books, styles.n, &c), ERR_OK);
    opts_free(o);
    return c;
}

/* Untrained weights are too even to tell places apart, and paint nothing. */
static void shake(struct params *p)
{
    for (size_t i = 0; i < params_n(p); i++) {
        size_t n = shape_count(params_shape(p, i));
        float *v = on_view(params_device(p), params_value(p, i), n);
        for (size_t k = 0; str_ends(params_name(p, i), ".w") && k < n; k++)
            v[k] *= 12;
        on_write(params_device(p), params_value(p, i), v, n * sizeof *v);
    }
}

static struct model *small_model(void)
{
    struct stepnet net = small_net();
    struct vqvae *v;
    assert_int_equal(vqvae_random(device, &books, 5, &v), ERR_OK);
    struct model *m = codes_model_new(device, &net, CONTEXT, v);
    m->styles = styles;
    str_copy(m->name, sizeof m->name, "codes");
    assert_int_equal(codes_sampler_new(m, NULL, &m->sampler), ERR_OK);
    shake(m->params);
    return m;
}

/* ---- what the network reads ---- */

static void places_are_told(void **state)
{
    (void)state;
    struct stepnet c = small_net();
    struct piano_frame f = piano_frame(QUARTER_COLS, 3, 4, 9);
    const int32_t before[] = { 7, 31 };
    int32_t in[N_CODES_IN];
    codes_step(&c, &f, 1, 5, before, false, in);
    const int32_t want[] = { 5, f.phase, f.metre, f.bar, f.left, 1, 7, 31 };
    assert_int_equal(c.n_in, COUNT_OF(want));
    assert_memory_equal(in, want, sizeof want);
    codes_step(&c, &f, 1, 0, NULL, true, in);
    assert_int_equal(in[CIN_CODE], 32); /* not in the book, and there is a row for it */
    assert_int_equal(c.in[CIN_CODE].rows, 33);
    assert_int_equal(in[CIN_CODE + 1], -1);
    codes_step(&c, &f, 1, 0, NULL, false, in);
    assert_int_equal(in[CIN_CODE], -1);
}

/* ---- takes ---- */

static void continues(void **state)
{
    takes_continue(&codes_kind, *state);
}

static void kept_bars_stay(void **state)
{
    takes_keep(&codes_kind, *state);
}

/* The likeliest code of every place by the training graph, the whole window at once for each: a window holds CONTEXT
 * quarters, and when it is full its older half goes. */
enum { NAIVE_TIME = CONTEXT * VQVAE_SLOTS };
struct naive {
    struct graph *g;
    struct plan *plan;
    int32_t *in[N_CODES_IN], *target[VQVAE_STAGES], length;
    void *in_there[N_CODES_IN], *target_there[VQVAE_STAGES], *length_there; /* the same on the device */
};

static void naive_open(struct naive *w, struct model *m)
{
    static const float style[STYLES_MAX], weight;
    const size_t bytes = NAIVE_TIME * sizeof(int32_t);
    struct node *outputs[STEP_HEADS];
    *w = (struct naive){ .g = graph_new() };
    struct net n = { .g = w->g, .p = m->params };
    struct stepnet_batch b = stepnet_build_batch(&n, &m->net, 1, NAIVE_TIME);
    memcpy(outputs, b.logits, sizeof outputs);
    assert_int_equal(plan_new(device, w->g, outputs, m->net.n_out, NULL, &w->plan), ERR_OK);
    params_bind(m->params, w->plan);
    for (int i = 0; i < m->net.n_in; i++) {
        w->in[i] = xcalloc(NAIVE_TIME, sizeof(int32_t));
        plan_bind(w->plan, b.in[i], w->in_there[i] = on_put(device, w->in[i], bytes));
    }
    for (int h = 0; h < m->net.n_out; h++) {
        w->target[h] = xcalloc(NAIVE_TIME, sizeof(int32_t));
        plan_bind(w->plan, b.target[h], w->target_there[h] = on_put(device, w->target[h], bytes));
        plan_bind(w->plan, b.weight[h], on_put(device, &weight, sizeof weight));
    }
    plan_bind(w->plan, b.length, w->length_there = on_put(device, &w->length, sizeof w->length));
    plan_bind(w->plan, b.style, on_put(device, style, sizeof style));
}

static void naive_run(struct naive *w, const struct model *m)
{
    for (int i = 0; i < m->net.n_in; i++)
        on_write(device, w->in_there[i], w->in[i], NAIVE_TIME * sizeof(int32_t));
    for (int h = 0; h < m->net.n_out; h++)
        on_write(device, w->target_there[h], w->target[h], NAIVE_TIME * sizeof(int32_t));
    on_write(device, w->length_there, &w->length, sizeof w->length);
    assert_int_equal(plan_run(w->plan, NULL), ERR_OK);
}

static void naive_close(struct naive *w)
{
    for (int i = 0; i < N_CODES_IN; i++)
        free(w->in[i]);
    for (int h = 0; h < VQVAE_STAGES; h++)
        free(w->target[h]);
    plan_free(w->plan);
    graph_free(w->g);
}

static void naive_place(struct naive *w, const struct model *m, const struct piano_frame *frame, int place, int window,
                        int32_t *codes)
{
    int stages = m->net.n_out, n = place - window * VQVAE_SLOTS + 1;
    w->length = n;
    for (int i = 0; i < n; i++) {
        int at = window * VQVAE_SLOTS + i;
        int32_t in[N_CODES_IN];
        codes_step(&m->net, &frame[at / VQVAE_SLOTS], 0, at % VQVAE_SLOTS, i > 0 ? codes + (at - 1) * stages : NULL, at == 0, in);
        for (int k = 0; k < m->net.n_in; k++)
            w->in[k][i] = in[k];
        for (int h = 0; h < stages; h++)
            w->target[h][i] = codes[at * stages + h];
    }
    for (int h = 0; h < stages; h++) {
        naive_run(w, m);
        float *all = on_floats(device, plan_output(w->plan, h), (size_t)(n * books.codes));
        const float *logits = all + (size_t)(n - 1) * (size_t)books.codes;
        int best = 0;
        for (int k = 1; k < books.codes; k++)
            best = logits[k] > logits[best] ? k : best;
        codes[place * stages + h] = w->target[h][n - 1] = best;
        free(all);
    }
}

/* Several windows long, the take is what reading everything anew for each place gives: no quarter is dropped or read
 * twice, and the cache changes nothing. */
static void windows_slide(void **state)
{
    enum { QUARTERS = 12, PLACES = QUARTERS * VQVAE_SLOTS };
    struct model *m = *state;
    struct song *s = song_new_band();
    struct request rq;
    struct naive w;
    struct piano_frame frame[QUARTERS];
    static int32_t codes[PLACES * 2];
    static struct quarter made[QUARTERS];
    struct qnote *want;
    uint32_t n;
    request_init(&rq, VERB_GENERATE, s);
    rq.n_bars = QUARTERS / 4;
    rq.temperature = 1e-4;   /* the likeliest */
    rq.key = (struct key){ 0, false };
    struct got a = takes_ask(&codes_kind, m, &rq);
    naive_open(&w, m);
    for (int q = 0; q < QUARTERS; q++)
        frame[q] = piano_frame(q % 4 * QUARTER_COLS, 4, 4, q / 4);
    for (int place = 0, window = 0; place < PLACES; place++) {
        if (place == (window + CONTEXT) * VQVAE_SLOTS)
            window += CONTEXT / 2;
        naive_place(&w, m, frame, place, window, codes);
    }
    assert_int_equal(vqvae_decode(m->vqvae, codes, QUARTERS, made), ERR_OK);
    quarters_to_notes(made, QUARTERS, 1, &want, &n);
    const struct track *t = song_track_of(a.song[0], ROLE_PIANO);
    assert_true(n > QUARTERS);
    assert_int_equal(t->n, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(t->notes[i].tick, want[i].start * QUARTER_COL_TICKS);
        assert_int_equal(t->notes[i].pitch, want[i].pitch);
        assert_int_equal(t->notes[i].dur, want[i].dur * QUARTER_COL_TICKS);
    }
    free(want);
    naive_close(&w);
    takes_forget(&a);
    song_free(s);
}

static void styles_and_key_matter(void **state)
{
    struct model *m = *state;
    struct song *s = song_new_band();
    struct request rq;
    request_init(&rq, VERB_GENERATE, s);
    rq.seed = 4;
    rq.n_styles = 1;
    rq.key = (struct key){ 0, false };
    rq.style[0] = (struct style_weight){ 0, 1, 1 };
    struct got a = takes_ask(&codes_kind, m, &rq);
    rq.n_styles = 2;
    rq.style[1] = (struct style_weight){ 1, 0, 0 };
    struct got b = takes_ask(&codes_kind, m, &rq);
    assert_true(song_equal(a.song[0], b.song[0]));
    rq.style[1].to = 1;
    struct got c = takes_ask(&codes_kind, m, &rq);
    assert_false(song_equal(a.song[0], c.song[0]));
    rq.n_styles = 1;
    rq.key.tonic = 2;   /* the same, a tone higher, but for what the keyboard's ends cut off */
    struct got d = takes_ask(&codes_kind, m, &rq);
    const struct track *x = song_track_of(a.song[0], ROLE_PIANO), *y = song_track_of(d.song[0], ROLE_PIANO);
    size_t same = 0, inside = 0, from = 0;
    for (size_t i = 0; i < x->n; i++) {
        inside += x->notes[i].pitch <= 106;
        for (size_t k = from; k < y->n && y->notes[k].tick <= x->notes[i].tick; k++) {
            from = y->notes[k].tick < x->notes[i].tick ? k + 1 : from;
            same += y->notes[k].tick == x->notes[i].tick && y->notes[k].pitch == x->notes[i].pitch + 2 &&
                    y->notes[k].dur == x->notes[i].dur;
        }
    }
    assert_true(inside > 20);
    assert_int_equal(same, inside);
    rq.style[0].style = 99;
    assert_int_equal(codes_run(m, &rq, &(struct progress){ 0 }), ERR_RANGE);
    atomic_bool stop = true;
    rq.n_styles = 0;
    assert_int_equal(codes_run(m, &rq, &(struct progress){ .cancel = &stop }), ERR_CANCELLED);
    takes_forget(&a);
    takes_forget(&b);
    takes_forget(&c);
    takes_forget(&d);
    song_free(s);
}

/* ---- files ---- */

enum spoil { WHOLE, NO_STYLES, NO_VQVAE, TOO_WIDE, N_SPOILS };

static enum err written_and_read(const struct model *m, const char *path, enum spoil spoil, struct model **out)
{
    struct ckpt_writer *w = ckpt_writer_new();
    struct ckpt *c;
    ckpt_writer_meta(w, "family", "codes");
    if (spoil != NO_STYLES)
        ckpt_writer_meta(w, "styles", "baroque/bach,20thC/ravel,baroque,20thC");
    const char *const sizes[][2] = { { "width", spoil == TOO_WIDE ? "64" : "32" }, { "layers", "2" }, { "heads", "4" },
                                     { "mlp", "32" }, { "context", "4" } };
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char key[32];
        str_format(key, sizeof key, "option.%s", sizes[i][0]);
        ckpt_writer_meta(w, key, sizes[i][1]);
    }
    ckpt_add_params(w, m->params, device);
    if (spoil != NO_VQVAE)
        vqvae_save(m->vqvae, w);
    assert_int_equal(ckpt_writer_save(w, path), ERR_OK);
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    enum err err = codes_kind.open(device, c, out);
    ckpt_close(c);
    unlink(path);
    return err;
}

static void files_are_read(void **state)
{
    static const enum err want[N_SPOILS] = { ERR_OK, ERR_FORMAT, ERR_FORMAT, ERR_SHAPE };
    struct model *m = *state, *back;
    char path[64];
    str_format(path, sizeof path, "/tmp/test_codes_%d.safetensors", (int)getpid());
    for (int spoil = 0; spoil < N_SPOILS; spoil++) {
        assert_int_equal(written_and_read(m, path, (enum spoil)spoil, &back), want[spoil]);
        if (spoil != WHOLE)
            continue;
        struct song *s = takes_seed(4, 4, 2);
        struct request rq;
        request_init(&rq, VERB_CONTINUE, s);
        rq.bar0 = 2;
        rq.n_bars = 2;
        struct got a = takes_ask(&codes_kind, m, &rq), b = takes_ask(&codes_kind, back, &rq);
        assert_true(song_equal(a.song[0], b.song[0]));
        takes_forget(&a);
        takes_forget(&b);
        song_free(s);
        codes_kind.close(back);
    }
}

static int open_all(void **state)
{
    on_open(2, &device);
    *state = small_model();
    return 0;
}

static int close_all(void **state)
{
    codes_model_free(*state);
    on_close(device);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(original_agrees_with_pytorch), cmocka_unit_test(places_are_told), cmocka_unit_test(continues),
        cmocka_unit_test(kept_bars_stay),               cmocka_unit_test(windows_slide),
        cmocka_unit_test(styles_and_key_matter),        cmocka_unit_test(files_are_read),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
