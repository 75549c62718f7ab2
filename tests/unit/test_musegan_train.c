/* MuseGAN in training on a tiny grid: every variant and loss, both stages, clipping, averaged weights, keys; what is
 * refused; the configurations that ship. And what it plays from the files that come of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "folder.h"
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
#include "songs.h"

static struct device *device;

static int start(void **state)
{
    (void)state;
    return device_open("cpu", 2, &device) != ERR_OK;
}

static int stop(void **state)
{
    (void)state;
    device_close(device);
    return 0;
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
    assert_non_null(mkdtemp(dir));
    for (int k = 0; k < 12; k++)
        save_song(dir, k);
    str_format(path, sizeof path, "%s/data", dir);
    const struct dataset_opts o = {.hop_bars = 2, .min_roles = 3, .held_out = 0.3};
    return songs_data(dir, &o, path);
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

/* A moving variance as the trainer has it, and as it ships. */
static void statistic(struct model *m, const char *dir, float *live, float *ships, size_t n)
{
    static const char name[] = "g.drums.h1.var";
    char path[300];
    struct ckpt *c;
    struct ckpt_tensor t;
    str_format(path, sizeof path, "%s/shipped", dir);
    assert_int_equal(musegan_kind.train_save(m, path, true, NULL, 0), ERR_OK);
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    assert_true(ckpt_find(c, name, &t));
    assert_true(shape_count(t.shape) >= n);
    memcpy(ships, t.data, n * sizeof *ships);
    memcpy(live, params_value(m->live, (size_t)params_find(m->live, name)), n * sizeof *live);
    ckpt_close(c);
}

/* An averaged generator ships with its own statistics, however far the trainer's have come; and shipping leaves those
 * alone. With a learning rate of 0 both are of the same weights, and the trainer's are slow. */
static void settled(void **state)
{
    (void)state;
    enum { N = 8, STEPS = 100 };
    char dir[] = "/tmp/jamroll-musegan-XXXXXX";
    struct dataset *data = small_data(dir);
    struct opts *o = tiny("generator=jamming,critic=phrase-each,ema=0.9,lr=0");
    struct model *m;
    double losses[4], far = 0, near = 0, moved = 0;
    float live[2][N], ships[2][N], again[N];
    assert_int_equal(musegan_kind.train_open(device, o, data, NULL, &m), ERR_OK);
    statistic(m, dir, live[0], ships[0], N);
    for (long step = 0; step < STEPS; step++)
        assert_int_equal(musegan_kind.train_step(m, step, losses), ERR_OK);
    statistic(m, dir, live[1], ships[1], N);
    for (int i = 0; i < N; i++) {
        far = fmax(far, fabs((double)(live[0][i] - ships[0][i])));
        near = fmax(near, fabs((double)(ships[1][i] - ships[0][i])));
        moved = fmax(moved, fabs((double)(live[1][i] - live[0][i])));
    }
    print_message("statistics: trainer off by %.3g, after %d steps moved by %.3g; shipped ones differ by %.3g\n", far, STEPS, moved, near);
    assert_true(moved > 0.3 * far && near < 0.15 * far);
    statistic(m, dir, again, ships[0], N);
    assert_memory_equal(again, live[1], sizeof again);
    assert_memory_equal(ships[0], ships[1], sizeof ships[0]);
    musegan_kind.close(m);
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
        cmocka_unit_test(presets),  cmocka_unit_test(training), cmocka_unit_test(variants), cmocka_unit_test(second_stage),
        cmocka_unit_test(clipping), cmocka_unit_test(averaged), cmocka_unit_test(settled), cmocka_unit_test(at_home),  cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("musegan in training", tests, start, stop);
}
