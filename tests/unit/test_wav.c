/* test_wav.c: renders have the right length, place, level and bytes, and fail whole. Uses the built-in
 * SoundFont, so nothing outside the tree is needed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "file.h"
#include "folder.h"
#include "song.h"
#include "str.h"
#include "wav.h"

static char dir[] = "/tmp/jamroll-wav-XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static struct song *two_bars(void)
{
    struct song *s = song_new_band();
    for (int i = 0; i < 8; i++)
        track_add(song_track_of(s, ROLE_DRUMS), (struct note){480 * i, 120, i % 2 ? 38 : 36, 110});
    track_add(song_track_of(s, ROLE_PIANO), (struct note){0, 1920, 60, 90});
    track_add(song_track_of(s, ROLE_BASS), (struct note){1920, 1920, 40, 90});
    track_add(song_track_of(s, ROLE_GUITAR), (struct note){480, 480, 64, 90});
    track_add(song_track_of(s, ROLE_STRINGS), (struct note){960, 1920, 67, 90});
    return s;
}

static struct render_opts opts(void)
{
    struct render_opts o;
    render_opts_init(&o);
    o.soundfont = "builtin";
    return o;
}

static float *load(const char *path, SF_INFO *info)
{
    *info = (SF_INFO){0};
    SNDFILE *f = sf_open(path, SFM_READ, info);
    assert_non_null(f);
    float *pcm = malloc((size_t)info->frames * (size_t)info->channels * sizeof *pcm);
    assert_int_equal(sf_readf_float(f, pcm, info->frames), info->frames);
    sf_close(f);
    return pcm;
}

static double peak_of(const float *p, size_t n)
{
    double peak = 0;
    for (size_t i = 0; i < n; i++)
        peak = fmax(peak, fabs((double)p[i]));
    return peak;
}

static void test_lengths(void **state)
{
    (void)state;
    struct song *s = two_bars(); /* 4 s at 120 */
    struct render_opts o = opts();
    struct render_report r;
    o.tail_s = 0;
    assert_int_equal(render_file(s, &o, in_dir("a.wav"), &r), ERR_OK);
    assert_int_equal(r.frames, 4 * 44100);
    assert_string_equal(r.font, "builtin");
    assert_true(r.peak_db < 0 && r.peak_db > -30 && r.rms_db < r.peak_db && r.rms_db > -50);
    SF_INFO info;
    float *pcm = load(in_dir("a.wav"), &info);
    assert_int_equal(info.frames, 4 * 44100);
    assert_int_equal(info.samplerate, 44100);
    assert_true(fabs(20 * log10(peak_of(pcm, (size_t)info.frames * 2)) - r.peak_db) < 0.1);
    free(pcm);
    o.tail_s = 1.5;
    o.rate = 48000;
    assert_int_equal(render_file(s, &o, in_dir("a.wav"), &r), ERR_OK);
    assert_int_equal(r.frames, 55 * 4800);
    o.tail_s = -1;
    assert_int_equal(render_file(s, &o, in_dir("a.wav"), &r), ERR_OK);
    assert_true(r.seconds > 4.05 && r.seconds < 12);
    pcm = load(in_dir("a.wav"), &info);
    assert_true(peak_of(pcm + 2 * (info.frames - 64), 128) < 2e-4); /* it ends in silence */
    free(pcm);
    o.loop_exact = true;
    assert_int_equal(render_file(s, &o, in_dir("a.wav"), &r), ERR_OK);
    assert_int_equal(r.frames, 4 * 48000);
    song_free(s);
}

/* Loop-exact is the plain render with its tail added to the start. */
static void test_loop_folds_tail(void **state)
{
    (void)state;
    struct song *s = two_bars();
    struct render_opts o = opts();
    o.format = "float";
    struct render_report r;
    assert_int_equal(render_file(s, &o, in_dir("plain.wav"), &r), ERR_OK);
    o.loop_exact = true;
    assert_int_equal(render_file(s, &o, in_dir("loop.wav"), &r), ERR_OK);
    SF_INFO a, b;
    float *plain = load(in_dir("plain.wav"), &a), *loop = load(in_dir("loop.wav"), &b);
    double worst = 0, folded = 0;
    for (sf_count_t i = 0; i < 2 * b.frames; i++) {
        sf_count_t k = i + 2 * b.frames;
        double tail = k < 2 * (a.frames - 300) ? (double)plain[k] : 0; /* not the fade at the end */
        worst = fmax(worst, k < 2 * a.frames && tail == 0 ? 0 : fabs((double)loop[i] - (double)plain[i] - tail));
        folded = fmax(folded, fabs(tail));
    }
    assert_true(folded > 1e-3);
    assert_true(worst < 1e-6);
    free(plain);
    free(loop);
    song_free(s);
}

static void test_formats(void **state)
{
    (void)state;
    static const struct { const char *format, *file; int sf, rate; } row[] = {
        {"s16", "f1.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100},
        {"s24", "f2.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 44100},
        {"float", "f3.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44100},
        {NULL, "f4.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44100},
        {"flac24", "f5.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 44100},
        {NULL, "f6.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100},
        {NULL, "f7.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000},
    };
    struct song *s = two_bars();
    str_copy(s->title, sizeof s->title, "Two bars");
    for (size_t i = 0; i < COUNT_OF(row); i++) {
        struct render_opts o = opts();
        o.format = row[i].format;
        o.tail_s = 0;
        struct render_report r;
        assert_int_equal(render_file(s, &o, in_dir(row[i].file), &r), ERR_OK);
        assert_int_equal(r.rate, row[i].rate);
        SF_INFO info;
        float *pcm = load(in_dir(row[i].file), &info);
        assert_int_equal(info.format, row[i].sf);
        assert_int_equal(info.samplerate, row[i].rate);
        assert_int_equal(info.channels, 2);
        assert_int_equal(info.frames, 4 * row[i].rate);
        assert_true(fabs(20 * log10(peak_of(pcm, (size_t)info.frames * 2)) - r.peak_db) < 1.5);
        free(pcm);
    }
    song_free(s);
}

static void test_same_bytes_twice(void **state)
{
    (void)state;
    static const char *const file[] = {"r.wav", "r.flac", "r.ogg", "r.opus"};
    struct song *s = two_bars();
    struct render_opts o = opts();
    for (size_t i = 0; i < COUNT_OF(file); i++) {
        uint8_t *bytes[2];
        size_t len[2];
        for (int k = 0; k < 2; k++) {
            assert_int_equal(render_file(s, &o, in_dir(file[i]), NULL), ERR_OK);
            assert_int_equal(file_read(in_dir(file[i]), 64 << 20, &bytes[k], &len[k]), ERR_OK);
            SF_INFO info;
            free(load(in_dir(file[i]), &info));
            if (k == 0 && i >= 2) /* the serial number is drawn once a second */
                sleep(1);
        }
        assert_int_equal(len[0], len[1]);
        assert_memory_equal(bytes[0], bytes[1], len[0]);
        free(bytes[0]);
        free(bytes[1]);
    }
    song_free(s);
}

static void test_stems(void **state)
{
    (void)state;
    struct song *s = two_bars();
    struct render_report r;
    for (int t = 0; t < N_ROLES; t++) {
        struct render_opts o = opts();
        o.only_track = t;
        o.tail_s = 0;
        s->tracks[t].mute = true; /* a stem is made all the same */
        assert_int_equal(render_file(s, &o, in_dir("stem.wav"), &r), ERR_OK);
        assert_true(r.peak_db > -40);
        assert_int_equal(r.frames, 4 * 44100);
    }
    struct render_opts o = opts();
    o.tail_s = 0;
    assert_int_equal(render_file(s, &o, in_dir("all-muted.wav"), &r), ERR_OK);
    assert_true(r.peak_db < -120); /* nothing but the rounding of the reverb */
    s->tracks[ROLE_BASS].solo = true;
    assert_int_equal(render_file(s, &o, in_dir("solo.wav"), &r), ERR_OK);
    SF_INFO info;
    float *pcm = load(in_dir("solo.wav"), &info);
    assert_true(peak_of(pcm, 2 * 44100 * 19 / 10) < 1e-4);   /* the bass enters in bar 2, at 2 s */
    assert_true(peak_of(pcm + 2 * 44100 * 2, 2 * 4410) > 0.01);
    free(pcm);
    song_free(s);
}

/* An onset is heard within a block of where the tempo map puts it. */
static void test_placement(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    song_set_tempo(s, 0, 97);
    song_set_tempo(s, 1000, 143);
    static const int32_t tick[] = {313, 1511, 2777};
    for (size_t i = 0; i < COUNT_OF(tick); i++)
        track_add(song_track_of(s, ROLE_DRUMS), (struct note){tick[i], 60, 76, 127});
    struct render_opts o = opts();
    o.format = "float";
    s->tracks[ROLE_DRUMS].reverb = 0;
    assert_int_equal(render_file(s, &o, in_dir("place.wav"), NULL), ERR_OK);
    SF_INFO info;
    float *pcm = load(in_dir("place.wav"), &info);
    for (size_t i = 0; i < COUNT_OF(tick); i++) {
        long want = lround(song_seconds(s, tick[i]) * 44100);
        assert_true(peak_of(pcm + 2 * (want - 1000), 2 * (1000 - 32)) < 2e-3);
        assert_true(peak_of(pcm + 2 * want, 2 * 150) > 0.02);
    }
    free(pcm);
    song_free(s);
}

static void test_levels(void **state)
{
    (void)state;
    struct song *s = two_bars();
    struct render_opts o = opts();
    struct render_report a, b;
    assert_int_equal(render_file(s, &o, in_dir("l.wav"), &a), ERR_OK);
    o.gain_db -= 6;
    assert_int_equal(render_file(s, &o, in_dir("l.wav"), &b), ERR_OK);
    assert_true(fabs(a.peak_db - b.peak_db - 6) < 0.05);
    o.normalize_db = -1;
    assert_int_equal(render_file(s, &o, in_dir("l.wav"), &b), ERR_OK);
    assert_true(fabs(b.peak_db + 1) < 0.01);
    assert_int_equal(b.clipped, 0);
    o.normalize_db = NAN;
    o.gain_db = 20;
    assert_int_equal(render_file(s, &o, in_dir("l.wav"), &b), ERR_OK);
    assert_true(b.clipped > 0);
    song_free(s);
}

static bool cancel_soon(void *ctx, double fraction)
{
    (void)fraction;
    return ++*(int *)ctx < 2;
}

static void test_failures_leave_nothing(void **state)
{
    (void)state;
    struct song *s = two_bars(), *empty = song_new_band();
    struct render_opts o = opts();
    assert_int_equal(render_file(empty, &o, in_dir("x.wav"), NULL), ERR_EMPTY);
    assert_int_equal(render_file(s, &o, in_dir("x.mp9"), NULL), ERR_UNSUPPORTED);
    assert_int_equal(render_file(s, &o, "/no/such/dir/x.wav", NULL), ERR_MISSING);
    int calls = 0;
    o.on_progress = cancel_soon;
    o.ctx = &calls;
    assert_int_equal(render_file(s, &o, in_dir("x.wav"), NULL), ERR_CANCELLED);
    o = opts();
    o.only_track = 99;
    assert_int_equal(render_file(s, &o, in_dir("x.wav"), NULL), ERR_RANGE);
    o = opts();
    o.rate = 11025;
    assert_int_equal(render_file(s, &o, in_dir("x.wav"), NULL), ERR_RANGE);
    o = opts();
    o.tail_s = NAN;
    assert_int_equal(render_file(s, &o, in_dir("x.wav"), NULL), ERR_RANGE);
    assert_false(file_exists(in_dir("x.wav")));
    track_add(&s->tracks[1], (struct note){SONG_MAX_TICKS - 2, 1, 60, 60});
    o = opts();
    assert_int_equal(render_file(s, &o, in_dir("x.wav"), NULL), ERR_RANGE);
    song_free(s);
    song_free(empty);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return folder_remove_flat(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),          cmocka_unit_test(test_loop_folds_tail),
        cmocka_unit_test(test_formats),          cmocka_unit_test(test_same_bytes_twice),
        cmocka_unit_test(test_stems),            cmocka_unit_test(test_placement),
        cmocka_unit_test(test_levels),           cmocka_unit_test(test_failures_leave_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
