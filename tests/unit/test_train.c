/* The training loop on the band model, small: a data set of made-up songs, that the loss falls, that an
 * interrupted and resumed run ends with the very weights of an unbroken one, and that what ships opens. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "folder.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ckpt.h"
#include "file.h"
#include "midi.h"
#include "model/band_data.h"
#include "opt.h"
#include "preset.h"
#include "song.h"
#include "train.h"

static char root[] = "/tmp/test_train_XXXXXX";
static char *data;

static char *in_root(const char *name)
{
    return path_join(root, name);
}

/* Sixteen bars over a loop of chords; songs differ by key, figure and tempo. */
static void write_song(const char *genre, int index)
{
    struct song *s = song_new_band();
    struct rng r;
    rng_init(&r, (uint64_t)index, 3);
    int tonic = 48 + (int)rng_below(&r, 12), figure = 1 + (int)rng_below(&r, 3);
    static const int degree[] = { 0, 5, 7, 9 };
    for (int beat = 0; beat < 64; beat++) {
        int chord = tonic + degree[(beat / 4 + index) % 4];
        track_add(song_track_of(s, ROLE_DRUMS), (struct note){ beat * 480, 60, beat % 2 ? 38 : 36, 100 });
        for (int k = 0; k < figure; k++)
            track_add(song_track_of(s, ROLE_BASS), (struct note){ beat * 480 + k * 160, 150, (uint8_t)(chord - 12), 90 });
        for (int k = 0; k < 3 && beat % 2 == 0; k++)
            track_add(song_track_of(s, ROLE_PIANO), (struct note){ beat * 480, 900, (uint8_t)(chord + 4 * k), 70 });
        if (rng_below(&r, 3) == 0)
            track_add(song_track_of(s, ROLE_GUITAR), (struct note){ beat * 480 + 240, 200, (uint8_t)(chord + 12), 60 });
    }
    char name[64];
    str_format(name, sizeof name, "songs/%s/song%d.mid", genre, index);
    char *path = in_root(name);
    assert_int_equal(midi_save(s, &(struct midi_write_opts){ 1, false }, path), ERR_OK);
    free(path);
    song_free(s);
}

static struct opts *small_options(void)
{
    static const char *const values[][2] = { { "width", "32" }, { "layers", "2" }, { "heads", "2" }, { "mlp", "32" },
                                             { "rows", "512" }, { "warmup", "5" }, { "lr", "0.004" }, { "ema", "0.9" } };
    const struct model_kind *kind = model_kind_find("band");
    struct opts *o = opts_new(kind->options, kind->n_options);
    for (size_t i = 0; i < COUNT_OF(values); i++)
        assert_int_equal(opts_set(o, values[i][0], values[i][1]), ERR_OK);
    return o;
}

static struct train_opts train_opts_of(const struct opts *o, const char *out, long steps)
{
    return (struct train_opts){ .kind = model_kind_find("band"), .opts = o, .data = data, .out = out, .name = "tiny",
                                .licence = "CC0-1.0", .device = "cpu", .threads = 1, .steps = steps, .quiet = true,
                                .log_every = 10, .eval_every = 40 };
}

/* Batches: bucketed, padded with -1, the same for the same index, other for another. */
static void test_batches(void **state)
{
    (void)state;
    struct dataset *d;
    struct band_data *b;
    struct band_data_opts o = { .seed = 4, .rows = 1024, .any_genre = 0.5, .filler = 0.25, .transpose = 0.5 };
    static int32_t buf[2][N_INPUTS + N_HEADS + 1][1024];
    assert_int_equal(dataset_open(data, &d), ERR_OK);
    assert_int_equal(band_data_new(d, &o, &b), ERR_OK);
    assert_true(band_data_n(b, STEP_TRAIN) > 50 && band_data_n(b, STEP_HELD_OUT) > 0);
    for (uint64_t index = 0; index < 20; index++) {
        struct step_batch x[2];
        for (int k = 0; k < 2; k++) {
            x[k].shape = band_data_bucket(b, STEP_TRAIN, index);
            for (int i = 0; i < N_INPUTS; i++)
                x[k].in[i] = buf[k][i];
            for (int h = 0; h < N_HEADS; h++)
                x[k].target[h] = buf[k][N_INPUTS + h];
            x[k].length = buf[k][N_INPUTS + N_HEADS];
            memset(buf[k], 99, sizeof buf[k]);
            band_data_fill(b, STEP_TRAIN, index, &x[k]);
        }
        assert_memory_equal(buf[0], buf[1], sizeof buf[0]);
        int time = band_data_shape(b, x[0].shape).time, rows = band_data_shape(b, x[0].shape).rows;
        for (int row = 0; row < rows; row++) {
            assert_in_range(x[0].length[row], CODEC_HEADER + 4, time);
            for (int t = 0; t < time; t++) {
                bool inside = t < x[0].length[row];
                assert_int_equal(x[0].in[IN_TAG][row * time + t] >= 0, inside);
                assert_in_range(x[0].in[IN_GENRE][row * time + t] + 1, inside ? 1 : 0, inside ? 3 : 0);
                assert_true(inside || x[0].target[HEAD_POS][row * time + t] == -1);
            }
        }
    }
    band_data_free(b);
    dataset_close(d);
}

static void test_loss_falls(void **state)
{
    (void)state;
    struct opts *o = small_options();
    char *out = in_root("falls"), *shipped = in_root("falls/tiny.safetensors");
    struct train_opts t = train_opts_of(o, out, 5);
    struct train_result first, last;
    assert_int_equal(train_run(&t, &first), ERR_OK);
    t.steps = 120;
    t.resume = true;
    assert_int_equal(train_run(&t, &last), ERR_OK);
    double before = 0, after = 0, held = 0;
    for (int i = 0; i < 4; i++) {
        before += first.losses[i];
        after += last.losses[i];
        held += last.held_out[i];
    }
    assert_int_equal(last.steps, 120);
    assert_true(before > 4 && after < 0.5 * before && held < 0.6 * before);

    struct ckpt *c;
    struct device *d;
    struct model *m;
    assert_int_equal(device_open("cpu", 1, &d), ERR_OK);
    assert_int_equal(ckpt_open(shipped, &c), ERR_OK);
    assert_string_equal(ckpt_meta(c, "licence"), "CC0-1.0");
    assert_string_equal(ckpt_meta(c, "genres"), "dirge,waltz");
    assert_int_equal(model_kind_find("band")->open(d, c, &m), ERR_OK);
    struct song *s = song_new_band();
    struct request rq = { .verb = VERB_GENERATE, .song = s, .n_bars = 4, .genre = 1, .key = { -1, false }, .temperature = 1,
                          .top_p = 1, .density = { -1, -1, -1, -1, -1 }, .n_takes = 2 };
    assert_int_equal(model_kind_find("band")->run(m, &rq, NULL), ERR_OK);
    song_free(s);
    model_kind_find("band")->close(m);
    ckpt_close(c);
    device_close(d);
    opts_free(o);
    free(out);
    free(shipped);
}

/* A kind that asks for the end after some updates, as Ctrl-C would. */
static atomic_bool stop;
static long steps_left;
static enum err stopping_step(struct model *m, long step, double losses[4])
{
    atomic_store(&stop, --steps_left <= 0);
    return model_kind_find("band")->train_step(m, step, losses);
}

static void same_tensors(const char *a, const char *b)
{
    struct ckpt *x, *y;
    assert_int_equal(ckpt_open(a, &x), ERR_OK);
    assert_int_equal(ckpt_open(b, &y), ERR_OK);
    assert_int_equal(ckpt_n(x), ckpt_n(y));
    for (size_t i = 0; i < ckpt_n(x); i++) {
        struct ckpt_tensor u = ckpt_at(x, i), v;
        assert_true(ckpt_find(y, u.name, &v) && shape_same(u.shape, v.shape));
        assert_memory_equal(u.data, v.data, shape_count(u.shape) * sizeof(float));
    }
    ckpt_close(x);
    ckpt_close(y);
}

static void test_resume_is_exact(void **state)
{
    (void)state;
    struct opts *o = small_options();
    char *whole = in_root("whole"), *parts = in_root("parts");
    char *a = in_root("whole/checkpoint.safetensors"), *b = in_root("parts/checkpoint.safetensors");
    struct model_kind stopping = *model_kind_find("band");
    stopping.train_step = stopping_step;
    struct train_opts t = train_opts_of(o, whole, 9);
    assert_int_equal(train_run(&t, NULL), ERR_OK);
    t.out = parts;
    t.resume = true;
    t.kind = &stopping;
    t.stop = &stop;
    for (int part = 0; part < 2; part++) {
        struct train_result r;
        atomic_store(&stop, false);
        steps_left = part == 0 ? 4 : 100;
        assert_int_equal(train_run(&t, &r), ERR_OK);
        assert_int_equal(r.steps, part == 0 ? 4 : 9);
    }
    same_tensors(a, b);
    opts_free(o);
    free(whole);
    free(parts);
    free(a);
    free(b);
}

static bool in_run(const char *run, const char *file)
{
    char *path = path_join(run, file);
    bool there = file_exists(path);
    free(path);
    return there;
}

/* A run that plays as it goes learns what one learns that does not; and what it was made of is written down. */
static void test_samples(void **state)
{
    (void)state;
    struct opts *o = small_options(), *again = small_options();
    char *plain = in_root("mute"), *out = in_root("plays"), *conf = in_root("plays/run.conf");
    char *a = in_root("mute/checkpoint.safetensors"), *b = in_root("plays/checkpoint.safetensors");
    struct train_opts t = train_opts_of(o, plain, 6);
    t.eval_every = 4;
    assert_int_equal(train_run(&t, NULL), ERR_OK);
    assert_false(in_run(plain, "samples"));
    t.out = out;
    t.samples = true;
    assert_int_equal(train_run(&t, NULL), ERR_OK);
    same_tensors(a, b);
    assert_true(in_run(out, "samples/00000004.mid") && in_run(out, "samples/00000006.png"));
    assert_true(in_run(out, "figures.tsv") && !in_run(out, "playing.safetensors"));
    assert_int_equal(opts_set(again, "width", "64"), ERR_OK);
    assert_int_equal(preset_load(conf, "band", again), ERR_OK);
    assert_true(opts_int(again, "width") == 32 && opts_real(again, "ema") == 0.9);
    t.resume = true;
    t.steps = 7;
    t.data = conf;                                   /* any other file */
    assert_int_equal(train_run(&t, NULL), ERR_FORMAT);
    char *songs = in_root("songs"), *other = in_root("other.ds");
    t.data = other;
    struct dataset_opts build;
    dataset_opts_init(&build);
    build.hop_bars = 2;
    assert_int_equal(dataset_build((const char *const[]){ songs }, 1, &build, t.data, NULL), ERR_OK);
    assert_int_equal(train_run(&t, NULL), ERR_FORMAT);
    assert_non_null(strstr(err_text(), "another data set"));
    t.data = data;
    assert_int_equal(train_run(&t, NULL), ERR_OK);
    opts_free(o);
    opts_free(again);
    free(songs);
    free(other);
    free(plain);
    free(out);
    free(conf);
    free(a);
    free(b);
}

static void test_refusals(void **state)
{
    (void)state;
    struct opts *o = small_options();
    char *out = in_root("none"), *missing = in_root("missing.ds");
    struct train_opts t = train_opts_of(o, out, 0);
    assert_int_equal(train_run(&t, NULL), ERR_RANGE);
    t.steps = 1;
    t.data = missing;
    assert_int_not_equal(train_run(&t, NULL), ERR_OK);
    assert_int_equal(opts_set(o, "heads", "3"), ERR_OK);
    t.data = data;
    assert_int_equal(train_run(&t, NULL), ERR_RANGE);
    opts_free(o);
    free(out);
    free(missing);
}

static enum err straying_step(struct model *m, long step, double losses[4])
{
    TRY(model_kind_find("band")->train_step(m, step, losses));
    losses[1] = step == 3 ? NAN : losses[1];
    return ERR_OK;
}

/* Losses that are no numbers end training, and what it came to is not kept. */
static void test_gone_astray(void **state)
{
    (void)state;
    struct opts *o = small_options();
    char *out = in_root("astray"), *checkpoint = in_root("astray/checkpoint.safetensors");
    struct train_opts t = train_opts_of(o, out, 9);
    struct model_kind straying = *model_kind_find("band");
    straying.train_step = straying_step;
    t.kind = &straying;
    assert_int_equal(train_run(&t, NULL), ERR_RANGE);
    assert_non_null(strstr(err_text(), "gone astray"));
    assert_false(file_exists(checkpoint));
    opts_free(o);
    free(out);
    free(checkpoint);
}

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    static const char *const genres[] = { "dirge", "waltz" };
    struct dataset_opts o;
    struct str report;
    for (int g = 0; g < 2; g++) {
        char folder[64];
        str_format(folder, sizeof folder, "songs/%s", genres[g]);
        char *path = in_root(folder);
        assert_int_equal(file_mkdirs(path), ERR_OK);
        free(path);
        for (int i = 0; i < 8; i++)
            write_song(genres[g], 8 * g + i);
    }
    char *songs = in_root("songs");
    data = in_root("songs.ds");
    dataset_opts_init(&o);
    o.hop_bars = 1;
    str_init(&report);
    assert_int_equal(dataset_build((const char *const[]){ songs }, 1, &o, data, &report), ERR_OK);
    str_fini(&report);
    free(songs);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove(root);
    free(data);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches), cmocka_unit_test(test_loss_falls), cmocka_unit_test(test_resume_is_exact),
        cmocka_unit_test(test_samples), cmocka_unit_test(test_refusals), cmocka_unit_test(test_gone_astray),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
