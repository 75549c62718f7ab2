/* test_latent.c: latent vectors of a family whose vectors are known: number i of seed s is s * 10 + i. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ckpt.h"
#include "file.h"
#include "hashed.h"
#include "latent.h"
#include "model/kinds.h"
#include "model/musegan.h"
#include "npz.h"
#include "rng.h"
#include "song.h"
#include "str.h"
#include "verb.h"

static char path[64];

static int vector(const struct model *m, int n_bars, uint64_t seed, float *out)
{
    (void)m;
    for (int i = 0; i < n_bars && out; i++)
        out[i] = (float)(seed * 10) + (float)i;
    return n_bars;
}
static const struct model_kind kind = { .name = "fake", .title = "Fake", .latent = vector };
static const struct model_kind without = { .name = "band", .title = "Band" };

static enum err parse(const char *text, struct latents *out)
{
    return latents_parse(text, &kind, NULL, 3, out);
}

static void is_row(const float *z, float a, float b, float c)
{
    assert_true(fabsf(z[0] - a) < 1e-4f && fabsf(z[1] - b) < 1e-4f && fabsf(z[2] - c) < 1e-4f);
}

static void test_seeds(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "3+", "+", "3 + 5", "3*5", "-", "99999999999999999999", "three" };
    struct latents l;
    assert_int_equal(parse("3+5-7", &l), ERR_OK);
    assert_true(l.rows == 1 && l.n == 3);
    is_row(l.z, 10, 11, 12);
    latents_fini(&l);
    assert_int_equal(parse("-2", &l), ERR_OK);
    is_row(l.z, -20, -21, -22);
    latents_fini(&l);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(parse(bad[i], &l), ERR_FORMAT);
    assert_int_equal(latents_parse("3", &without, NULL, 3, &l), ERR_UNSUPPORTED);
    assert_true(latents_named("3+5-7") && latents_named("x.npy") && !latents_named("song.mid") && !latents_named(""));
}

static void save(enum npy_type type, int rank, const int64_t *dim, void *data, size_t bytes)
{
    struct npy a = { .type = type, .rank = rank, .data = data, .bytes = bytes };
    uint8_t *out;
    size_t len;
    for (int i = 0; i < rank; i++)
        a.dim[i] = dim[i];
    assert_int_equal(npy_write(&a, &out, &len), ERR_OK);
    assert_int_equal(file_write(path, out, len), ERR_OK);
    free(out);
}

static void test_files(void **state)
{
    (void)state;
    struct latents l, back;
    double wide[6] = { 1, 2, 3, 4, 5, 6 };
    float one[3] = { 1, 2, 3 }, none[3] = { 1, NAN, 3 };
    int32_t whole[3] = { 1, 2, 3 };
    assert_int_equal(latents_of_seeds(&kind, NULL, 3, 4, 2, &l), ERR_OK);
    assert_int_equal(latents_save(&l, path), ERR_OK);
    assert_int_equal(parse(path, &back), ERR_OK);
    assert_true(back.rows == 2 && back.n == 3);
    assert_memory_equal(back.z, l.z, 6 * sizeof(float));
    latents_fini(&l);
    latents_fini(&back);
    save(NPY_F8, 3, (const int64_t[]){ 2, 3, 1 }, wide, sizeof wide);   /* takes, phrases, numbers */
    assert_int_equal(parse(path, &l), ERR_OK);
    assert_int_equal(l.rows, 2);
    is_row(l.z + 3, 4, 5, 6);
    latents_fini(&l);
    save(NPY_F4, 1, (const int64_t[]){ 3 }, one, sizeof one);
    assert_int_equal(parse(path, &l), ERR_OK);
    assert_int_equal(l.rows, 1);
    latents_fini(&l);
    save(NPY_F4, 2, (const int64_t[]){ 3, 1 }, one, sizeof one);
    assert_int_equal(parse(path, &l), ERR_SHAPE);
    save(NPY_F4, 1, (const int64_t[]){ 3 }, none, sizeof none);
    assert_int_equal(parse(path, &l), ERR_RANGE);
    save(NPY_I4, 1, (const int64_t[]){ 3 }, whole, sizeof whole);
    assert_int_equal(parse(path, &l), ERR_FORMAT);
}

/* Any byte of a file may be anything. */
static void test_hostile(void **state)
{
    (void)state;
    struct latents l;
    uint8_t *bytes;
    size_t len;
    struct rng r;
    rng_init(&r, 9, 0);
    assert_int_equal(latents_of_seeds(&kind, NULL, 3, 4, 2, &l), ERR_OK);
    assert_int_equal(latents_save(&l, path), ERR_OK);
    latents_fini(&l);
    assert_int_equal(file_read(path, 1 << 20, &bytes, &len), ERR_OK);
    for (int i = 0; i < 500; i++) {
        size_t at = rng_below(&r, (uint32_t)len), cut = i % 5 ? len : rng_below(&r, (uint32_t)len);
        uint8_t was = bytes[at];
        bytes[at] = (uint8_t)rng_u32(&r);
        assert_int_equal(file_write(path, bytes, cut), ERR_OK);
        if (parse(path, &l) == ERR_OK) {
            assert_true(l.n == 3 && l.rows > 0);
            latents_fini(&l);
        }
        bytes[at] = was;
    }
    free(bytes);
}

static void test_ways(void **state)
{
    (void)state;
    float x[3] = { 2, 0, 0 }, y[3] = { 0, 2, 0 }, w[3] = { 0, 0, 4 };
    struct latents a = { x, 1, 3 }, b = { y, 1, 3 }, c = { w, 1, 3 }, two = { x, 2, 1 }, l;
    assert_int_equal(latents_between(&a, &b, NULL, 3, 1, false, &l), ERR_OK);
    is_row(l.z, 2, 0, 0);
    is_row(l.z + 3, 1, 1, 0);
    is_row(l.z + 6, 0, 2, 0);
    latents_fini(&l);
    assert_int_equal(latents_between(&a, &b, NULL, 3, 1, true, &l), ERR_OK);
    is_row(l.z, 2, 0, 0);
    is_row(l.z + 3, sqrtf(2), sqrtf(2), 0);                   /* as long as its ends */
    is_row(l.z + 6, 0, 2, 0);
    latents_fini(&l);
    assert_int_equal(latents_between(&a, &a, NULL, 2, 1, true, &l), ERR_OK); /* no angle */
    is_row(l.z + 3, 2, 0, 0);
    latents_fini(&l);
    assert_int_equal(latents_between(&a, &b, &c, 2, 3, false, &l), ERR_OK);
    assert_int_equal(l.rows, 6);
    is_row(l.z + 3, 1, 0, 2);                                  /* across, half way to c */
    is_row(l.z + 6, 0, 0, 4);
    is_row(l.z + 9, 0, 2, 0);
    is_row(l.z + 15, -2, 2, 4);                                /* both directions at once: b + c - a */
    latents_fini(&l);
    assert_int_equal(latents_between(&a, &b, &c, 2, 2, true, &l), ERR_UNSUPPORTED);
    assert_int_equal(latents_between(&a, &two, NULL, 2, 1, false, &l), ERR_SHAPE);
    assert_int_equal(latents_between(&a, &b, &c, 200, 200, false, &l), ERR_RANGE);
}

/* ---- a generator ---- */

/* A MuseGAN with weights of no training that answer to their latents: which cells are on is as good as drawn by them. */
static void save_generator(const char *file)
{
    static const char *const values[][2] = { { "bars", "2" }, { "steps", "16" }, { "octaves", "3" }, { "low", "36" },
                                             { "width", "0.125" }, { "sampling", "threshold" } };
    struct opts *o = opts_new(musegan_options, N_MUSEGAN_OPTIONS);
    struct musegan_config c;
    struct device *d;
    for (size_t i = 0; i < COUNT_OF(values); i++)
        assert_int_equal(opts_set(o, values[i][0], values[i][1]), ERR_OK);
    assert_int_equal(musegan_config_from(o, &c), ERR_OK);
    assert_int_equal(device_open("cpu", 1, &d), ERR_OK);
    struct net net = { .g = graph_new(), .p = params_new() };
    struct musegan_builder b = { .net = &net, .c = &c, .norm = NORM_MOVING };
    musegan_generator(&b, g_input(net.g, "z", F32, SHAPE(1, musegan_latents(&c))), NULL);
    assert_int_equal(params_alloc(net.p, d, false), ERR_OK);
    hashed_params(net.p);
    struct ckpt_writer *w = ckpt_writer_new();
    ckpt_writer_meta(w, "family", "musegan");
    musegan_config_save(o, w);
    ckpt_add_params(w, net.p, d);
    assert_int_equal(ckpt_writer_save(w, file), ERR_OK);
    graph_free(net.g);
    params_free(net.p);
    device_close(d);
    opts_free(o);
}

enum { STEPS = 9, CELLS = N_ROLES * 32 * 128 };
struct cells { uint8_t on[STEPS][CELLS]; };

static void keep_cells(void *ctx, int index, struct take *take)
{
    struct cells *c = ctx;
    for (int t = 0; t < N_ROLES; t++)
        for (size_t i = 0; i < take->song->tracks[t].n; i++) {
            const struct note *n = &take->song->tracks[t].notes[i];
            for (int32_t tick = n->tick; tick < n->tick + n->dur && tick < 2 * 1920; tick += 120)
                c->on[index][(t * 32 + tick / 120) * 128 + n->pitch] = 1;
        }
    take_fini(take);
}

static int differing(const struct cells *c, int a, int b)
{
    int n = 0;
    for (int i = 0; i < CELLS; i++)
        n += c->on[a][i] != c->on[b][i];
    return n;
}

/* From one end of a way to the other: the ends are what they are by themselves, and neighbours are near. */
static void test_music_of_a_way(void **state)
{
    (void)state;
    static struct cells way, ends;
    struct latents a, b, l;
    struct device *d;
    struct ckpt *w;
    struct model *m;
    struct song *s = song_new_band();
    struct request rq;
    save_generator(path);
    assert_int_equal(device_open("cpu", 1, &d), ERR_OK);
    assert_int_equal(ckpt_open(path, &w), ERR_OK);
    assert_int_equal(musegan_kind.open(d, w, &m), ERR_OK);
    request_init(&rq, VERB_GENERATE, s);
    rq.n_bars = 2;
    assert_int_equal(latents_parse("3", &musegan_kind, m, 2, &a), ERR_OK);
    assert_int_equal(latents_parse("4", &musegan_kind, m, 2, &b), ERR_OK);
    assert_int_equal(latents_between(&a, &b, NULL, STEPS, 1, false, &l), ERR_OK);
    rq.one_draw = true;
    rq.n_z = l.n;
    rq.z = l.z;
    rq.n_takes = STEPS;
    assert_int_equal(musegan_kind.run(m, &rq, &(struct progress){ .on_take = keep_cells, .ctx = &way }), ERR_OK);
    rq.z = NULL;                        /* seeds 3 and 4 */
    rq.one_draw = false;
    rq.seed = 3;
    rq.n_takes = 2;
    assert_int_equal(musegan_kind.run(m, &rq, &(struct progress){ .on_take = keep_cells, .ctx = &ends }), ERR_OK);
    assert_memory_equal(way.on[0], ends.on[0], CELLS);
    assert_memory_equal(way.on[STEPS - 1], ends.on[1], CELLS);
    int far = differing(&way, 0, STEPS - 1);
    assert_true(far > 100);
    for (int i = 0; i + 1 < STEPS; i++)
        assert_true(2 * differing(&way, i, i + 1) < far);
    rq.z = l.z;
    rq.n_z = l.n - 1;
    assert_int_equal(musegan_kind.run(m, &rq, NULL), ERR_SHAPE);
    latents_fini(&a);
    latents_fini(&b);
    latents_fini(&l);
    musegan_kind.close(m);
    ckpt_close(w);
    device_close(d);
    song_free(s);
}

static int setup(void **state)
{
    (void)state;
    return str_format(path, sizeof path, "/tmp/test_latent_%d.npy", (int)getpid()) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds), cmocka_unit_test(test_files), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_ways), cmocka_unit_test(test_music_of_a_way),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
