/* test_vqvae.c: the network against PyTorch (golden/vqvae.json, written by golden/make_vqvae.py): latents, codes,
 * losses, gradients, the codebook's step; then what codes have to keep to: the same for one quarter and many, the same
 * out of a file, nothing out of the book; and that every kind of bottleneck learns. */
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
#include "ckpt.h"
#include "mem.h"
#include "midi.h"
#include "model/kinds.h"
#include "model/vqvae.h"
#include "phrase.h"
#include "samples.h"
#include "song.h"
#include "songs.h"
#include "works.h"

enum { N = 3, MAX = 64 };

static int setup(void **state)
{
    (void)state;
    return group_golden("vqvae");
}

static double weight(const char *name, struct shape s, size_t n, size_t k, double u)
{
    (void)k;
    return str_ends(name, ".w")            ? u * sqrt(3.0 * s.dim[s.rank - 1] / (double)n)
           : strcmp(name, "vq.book") == 0  ? 0.2 * u
           : str_ends(name, ".book.count") ? 1 + fabs(0.1 * u)
                                           : 0.1 * u;
}

static void same(const json_t *want, const float *got, size_t n, double tolerance, const char *name)
{
    near_units(name, want, fmax(mean_size(want, n), 1e-6), got, n, tolerance);
}

/* ---- against PyTorch ---- */

static void test_golden(void **state)
{
    (void)state;
    static const struct vqvae_config c = { BOTTLENECK_EMA, 16, 1 };
    static const struct vqvae_train_opts o = { .recon = 1, .commit = 0.25f };
    enum { RECON, EXTRA, LATENT, CODES, FIRST };
    struct node *out[FIRST + MAX + 3], *leaf[MAX];
    int index[MAX];
    struct params *p = params_new();
    struct plan *plan;
    vqvae_declare(p, &c);
    assert_int_equal(params_alloc(p, device, true), ERR_OK);
    hashed_fill(p, weight);
    struct net net = { .g = graph_new(), .p = p, .training = true };
    struct vqvae_train_net b = vqvae_build(&net, &c, &o, N);
    out[RECON] = b.recon, out[EXTRA] = b.extra, out[LATENT] = b.latent, out[CODES] = b.codes[0];
    int n = params_leaves(p, net.g, "", leaf, index, MAX);
    graph_grad(b.loss, leaf, n, out + FIRST);
    memcpy(out + FIRST + n, net.stores, (size_t)net.n_stores * sizeof *out);
    assert_int_equal(plan_new(device, net.g, out, FIRST + n + net.n_stores, NULL, &plan), ERR_OK);
    params_bind(p, plan);
    float *cells = hashed("quarters", N * VQVAE_CELLS);
    for (int i = 0; i < N * VQVAE_CELLS; i++)
        cells[i] = (double)cells[i] > 0.8;
    plan_bind(plan, b.cells, on_put(device, cells, N * VQVAE_CELLS * sizeof *cells));
    assert_int_equal(plan_run(plan, NULL), ERR_OK);
    int32_t codes[N * VQVAE_SLOTS];
    on_read(device, codes, plan_output(plan, CODES), sizeof codes);
    same(json_object_get(golden, "latent"), on_view(device, plan_output(plan, LATENT), N * VQVAE_SLOTS * VQVAE_WIDTH),
         N * VQVAE_SLOTS * VQVAE_WIDTH, 1e-5, "latent");
    for (int i = 0; i < N * VQVAE_SLOTS; i++)
        assert_int_equal(codes[i],
                         json_integer_value(json_array_get(json_object_get(golden, "codes"), (size_t)i)));
    double recon = json_number_value(json_object_get(golden, "recon"));
    double commit = json_number_value(json_object_get(golden, "commit"));
    assert_true(fabs((double)on_float(device, plan_output(plan, RECON)) - recon) < 1e-5 * recon);
    assert_true(fabs((double)on_float(device, plan_output(plan, EXTRA)) - commit) < 1e-5 * commit);
    const json_t *grads = json_object_get(golden, "grads");
    assert_int_equal(json_object_size(grads), n);
    for (int i = 0; i < n; i++) {
        const char *name = params_name(p, (size_t)index[i]);
        size_t count = shape_count(params_shape(p, (size_t)index[i]));
        same(json_object_get(grads, name), on_view(device, plan_output(plan, FIRST + i), count), count, 1e-4, name);
    }
    same(json_object_get(golden, "book"),
         on_view(device, params_value(p, (size_t)params_find(p, "vq.book")), 16 * VQVAE_WIDTH), 16 * VQVAE_WIDTH, 1e-5,
         "codebook after an update");
    free(cells);
    plan_free(plan);
    graph_free(net.g);
    params_free(p);
}

/* The decoder that runs is the decoder that was trained. */
static void test_decoder(void **state)
{
    (void)state;
    struct params *p = params_new();
    static const struct vqvae_config c = { BOTTLENECK_EMA, 16, 1 };
    struct vqvae *v;
    int32_t codes[N * VQVAE_SLOTS];
    struct quarter q[N];
    vqvae_declare(p, &c);
    assert_int_equal(params_alloc(p, device, false), ERR_OK);
    hashed_fill(p, weight);
    assert_int_equal(vqvae_of_params(device, &c, p, &v), ERR_OK);
    for (int i = 0; i < N * VQVAE_SLOTS; i++)
        codes[i] = (int32_t)json_integer_value(json_array_get(json_object_get(golden, "codes"), (size_t)i));
    assert_int_equal(vqvae_decode(v, codes, N, q), ERR_OK);
    const json_t *want = json_object_get(golden, "logits");
    size_t step = (size_t)json_integer_value(json_object_get(want, "step"));
    for (size_t i = 0; i < json_array_size(json_object_get(want, "at")); i++) {
        double logit = json_number_value(json_array_get(json_object_get(want, "at"), i));
        size_t cell = i * step % VQVAE_CELLS;
        bool on = q[i * step / VQVAE_CELLS].key[cell / QUARTER_COLS] >> (cell % QUARTER_COLS) & 1;
        if (fabs(logit) > 1e-4)
            assert_int_equal(on, logit > 0);
    }
    vqvae_free(v);
    params_free(p);
}

static void test_parameters(void **state)
{
    (void)state;
    struct model_net net[2];
    assert_int_equal(vqvae_kind.nets(NULL, net, 2), 1);
    assert_int_equal(net[0].params, 939713);
}

/* ---- codes ---- */

static void some_quarters(struct quarter *q, int n)
{
    struct rng r;
    rng_init(&r, 11, 0);
    memset(q, 0, (size_t)n * sizeof *q);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 6; k++)
            q[i].key[rng_below(&r, QUARTER_KEYS)] |= 0xffu << rng_below(&r, 25);
}

static enum err spoilt(struct vqvae *v, const char *path, const char *stages)
{
    struct ckpt_writer *out = ckpt_writer_new();
    struct ckpt *in;
    struct vqvae *w;
    vqvae_save(v, out);
    ckpt_writer_meta(out, "vq.stages", stages);
    assert_int_equal(ckpt_writer_save(out, path), ERR_OK);
    assert_int_equal(ckpt_open(path, &in), ERR_OK);
    enum err err = vqvae_load(device, in, &w);
    if (err == ERR_OK)
        vqvae_free(w);
    ckpt_close(in);
    return err;
}

static void check_codes(int stages)
{
    enum { MANY = 37 };
    const struct vqvae_config c = { BOTTLENECK_EMA, 64, stages };
    static struct quarter q[MANY], all[MANY], one[1], again[MANY];
    static int32_t codes[MANY * VQVAE_SLOTS * VQVAE_STAGES], single[VQVAE_SLOTS * VQVAE_STAGES], loaded[MANY * VQVAE_SLOTS * VQVAE_STAGES];
    struct vqvae *v, *w;
    char path[64];
    size_t slots = (size_t)vqvae_slots(&c), bytes = slots * sizeof *codes;
    some_quarters(q, MANY);
    assert_int_equal(vqvae_random(device, &c, 3, &v), ERR_OK);
    assert_int_equal(vqvae_encode(v, q, MANY, codes, NULL), ERR_OK);
    assert_int_equal(vqvae_decode(v, codes, MANY, all), ERR_OK);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(vqvae_encode(v, q + i, 1, single, NULL), ERR_OK);
        assert_memory_equal(single, codes + (size_t)i * slots, bytes);
        assert_int_equal(vqvae_decode(v, single, 1, one), ERR_OK);
        assert_memory_equal(one, all + i, sizeof *one);
    }
    str_format(path, sizeof path, "/tmp/test_vqvae_%d.safetensors", (int)getpid());
    struct ckpt_writer *out = ckpt_writer_new();
    struct ckpt *in;
    vqvae_save(v, out);
    assert_int_equal(ckpt_writer_save(out, path), ERR_OK);
    assert_int_equal(ckpt_open(path, &in), ERR_OK);
    assert_int_equal(vqvae_load(device, in, &w), ERR_OK);
    assert_int_equal(vqvae_config(w)->codes, 64);
    assert_int_equal(vqvae_config(w)->stages, stages);
    assert_int_equal(vqvae_encode(w, q, MANY, loaded, NULL), ERR_OK);
    assert_memory_equal(codes, loaded, MANY * bytes);
    for (size_t i = 0; i < slots; i += slots - 1) {
        int32_t was = codes[i];
        codes[i] = 64;
        assert_int_equal(vqvae_decode(w, codes, 1, again), ERR_RANGE);
        codes[i] = -1;
        assert_int_equal(vqvae_decode(w, codes, 1, again), ERR_RANGE);
        codes[i] = was;
    }
    ckpt_close(in);
    assert_int_not_equal(spoilt(v, path, "9"), ERR_OK);
    assert_int_not_equal(spoilt(v, path, stages == 1 ? "2" : "4"), ERR_OK); /* books that are not there */
    vqvae_free(w);
    vqvae_free(v);
    unlink(path);
}

static void test_codes(void **state)
{
    (void)state;
    check_codes(1);
    check_codes(3);
}

/* Each stage takes the nearest of its book to what the ones before left over, and a place is their sum. */
static void test_stages(void **state)
{
    (void)state;
    enum { CODES = 16, STAGES = 2 };
    static const struct vqvae_config c = { BOTTLENECK_EMA, CODES, STAGES };
    static float latent[VQVAE_SLOTS * VQVAE_WIDTH];
    static int32_t codes[VQVAE_SLOTS * STAGES];
    struct params *p = params_new();
    struct vqvae *v;
    struct quarter q;
    vqvae_declare(p, &c);
    assert_int_equal(params_alloc(p, device, false), ERR_OK);
    hashed_fill(p, weight);
    assert_int_equal(vqvae_of_params(device, &c, p, &v), ERR_OK);
    some_quarters(&q, 1);
    assert_int_equal(vqvae_encode(v, &q, 1, codes, latent), ERR_OK);
    for (int slot = 0; slot < VQVAE_SLOTS; slot++)
        for (int s = 0; s < STAGES; s++) {
            const float *book =
                on_view(device, params_value(p, (size_t)params_find(p, s ? "vq.book.2" : "vq.book")), CODES * VQVAE_WIDTH);
            double best = 1e30;
            int nearest = -1;
            for (int k = 0; k < CODES; k++) {
                double d = 0;
                for (int i = 0; i < VQVAE_WIDTH; i++)
                    d += pow((double)(latent[slot * VQVAE_WIDTH + i] - book[k * VQVAE_WIDTH + i]), 2);
                nearest = d < best ? k : nearest;
                best = fmin(best, d);
            }
            assert_int_equal(codes[slot * STAGES + s], nearest);
            for (int i = 0; i < VQVAE_WIDTH; i++)
                latent[slot * VQVAE_WIDTH + i] -= book[nearest * VQVAE_WIDTH + i];
        }
    vqvae_free(v);
    params_free(p);
}

/* ---- training ---- */

static struct dataset *made_data(char *dir)
{
    char path[128];
    for (int k = 0; k < 4; k++) {
        struct song *s = song_new();
        struct track *t = song_add_track(s, "Piano", ROLE_PIANO);
        struct rng r;
        rng_init(&r, 5, (uint64_t)k);
        for (int i = 0; i < 64; i++) {
            uint8_t root = (uint8_t)(48 + rng_below(&r, 12));
            for (int voice = 0; voice < 3; voice++)
                track_push(t, (struct note){ i * 480, 480, (uint8_t)(root + 4 * voice), 80 });
        }
        track_tidy(t);
        str_format(path, sizeof path, "%s/piece%d.mid", dir, k);
        assert_int_equal(midi_save(s, NULL, path), ERR_OK);
        song_free(s);
    }
    struct dataset_opts o;
    dataset_opts_init(&o);
    o.works = true;
    o.held_out = 0.25;
    str_format(path, sizeof path, "%s/works", dir);
    return songs_data(dir, &o, path);
}

/* Every kind gets better at pictures; a resumed run is the unbroken one. */
static void test_training(void **state)
{
    (void)state;
    static const struct { const char *kind, *stages, *soften; } rows[] = {
        { "ema", "2", "0.01" }, { "ema", "1", "0" }, { "vq", "2", "0" },  { "ae", "1", "0" },
        { "vae", "1", "0" },    { "dae", "1", "0" }, { "sparse", "1", "0" },
    };
#ifdef __SANITIZE_ADDRESS__
    enum { STEPS = 8, BREAK = 6, KINDS = 1 }; /* memory is what counts: the codebook's own code, the rest is shared */
#else
    enum { STEPS = 40, BREAK = 20, KINDS = COUNT_OF(rows) };
#endif
    char dir[] = "/tmp/test_vqvae_XXXXXX", path[80];
    assert_non_null(mkdtemp(dir));
    struct dataset *data = made_data(dir);
    str_format(path, sizeof path, "%s/checkpoint", dir);
    for (int k = 0; k < KINDS; k++) {
        struct opts *o = opts_new(vqvae_kind.options, vqvae_kind.n_options);
        assert_int_equal(opts_set(o, "bottleneck", rows[k].kind), ERR_OK);
        assert_int_equal(opts_set(o, "stages", rows[k].stages), ERR_OK);
        assert_int_equal(opts_set(o, "soften", rows[k].soften), ERR_OK);
        assert_int_equal(opts_set(o, "batch", "4"), ERR_OK);
        assert_int_equal(opts_set(o, "warmup", "5"), ERR_OK);
        struct model *m, *resumed = NULL;
        double losses[4], first = 0, again[4] = { 0 };
        assert_int_equal(vqvae_kind.train_open(device, o, data, NULL, &m), ERR_OK);
        vqvae_kind.train_horizon(m, 1000);
        for (int i = 0; i < STEPS; i++) {
            if (k == 0 && i == BREAK) {
                struct ckpt *c;
                assert_int_equal(vqvae_kind.train_save(m, path, false, NULL, 0), ERR_OK);
                assert_int_equal(ckpt_open(path, &c), ERR_OK);
                assert_int_equal(vqvae_kind.train_open(device, o, data, c, &resumed), ERR_OK);
                vqvae_kind.train_horizon(resumed, 1000);
                ckpt_close(c);
            }
            assert_int_equal(vqvae_kind.train_step(m, i, losses), ERR_OK);
            if (resumed) {
                assert_int_equal(vqvae_kind.train_step(resumed, i, again), ERR_OK);
                assert_memory_equal(again, losses, 2 * sizeof *again);
            }
            first = i == 0 ? losses[0] : first;
        }
        assert_true(losses[0] < (STEPS < 40 ? 0.98 : 0.7) * first);
        assert_int_equal(vqvae_kind.train_eval(m, losses), ERR_OK);
        assert_true(losses[2] >= 0 && losses[2] <= 1);
        vqvae_kind.close(m);
        vqvae_kind.close(resumed);
        opts_free(o);
    }
    dataset_close(data);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden), cmocka_unit_test(test_decoder), cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_codes), cmocka_unit_test(test_stages), cmocka_unit_test(test_training),
    };
    return cmocka_run_group_tests(tests, setup, group_end);
}
