/* test_phrase.c: windows, conversions, and a data set built from files made here: split, doubles, renames,
 * manifest, the report; and every damaged file is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "file.h"
#include "midi.h"
#include "phrase.h"
#include "rng.h"
#include "roll.h"
#include "song.h"

static char folder[64];

/* ---- helpers ---- */

/* A band song of n_bars bars, 3 roles, different for every seed; shift transposes all but the drums. */
static struct song *band_song(uint64_t seed, int n_bars, int shift)
{
    struct song *s = song_new_band();
    struct rng r;
    rng_init(&r, seed, 0);
    for (int b = 0; b < n_bars * 8; b++) {
        track_push(&s->tracks[ROLE_DRUMS], (struct note){ b * 240, 120, rng_below(&r, 2) ? 36 : 42, 100 });
        track_push(&s->tracks[ROLE_BASS], (struct note){ b * 240, 200, (uint8_t)(36 + shift + (int)rng_below(&r, 12)), 90 });
        track_push(&s->tracks[ROLE_PIANO], (struct note){ b * 240, 240, (uint8_t)(60 + shift + (int)rng_below(&r, 12)), 80 });
    }
    for (int t = 0; t < N_ROLES; t++)
        track_tidy(&s->tracks[t]);
    return s;
}

static void save(struct song *s, const char *genre, const char *name)
{
    char *dir = path_join(folder, genre), *path = path_join(dir, name);
    assert_int_equal(file_mkdirs(dir), ERR_OK);
    assert_int_equal(midi_save(s, NULL, path), ERR_OK);
    free(path);
    free(dir);
    song_free(s);
}

static enum err build(const struct dataset_opts *o, struct dataset **d, struct str *report)
{
    const char *dirs[] = { folder };
    char out[128];
    str_format(out, sizeof(out), "%s.ds", folder);
    str_init(report);
    enum err err = dataset_build(dirs, 1, o, out, report);
    return err == ERR_OK && d ? dataset_open(out, d) : err;
}

static int setup(void **state)
{
    (void)state;
    str_format(folder, sizeof(folder), "/tmp/test_phrase_%d", (int)getpid());
    return file_mkdirs(folder) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char cmd[160];
    str_format(cmd, sizeof(cmd), "rm -rf %s %s.ds", folder, folder);
    return system(cmd);
}

/* ---- windows ---- */

static void test_window(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    struct pnote *p;
    uint32_t n;
    struct track *g = &s->tracks[ROLE_GUITAR];
    track_add(&s->tracks[ROLE_DRUMS], (struct note){ 1920 + 7, 5, 36, 99 });
    track_add(g, (struct note){ 1920 - 20, 300, 60, 70 });      /* rounds to step 0 */
    track_add(g, (struct note){ 1920 - 21, 300, 64, 70 });      /* belongs to the bar before */
    track_add(g, (struct note){ 1920 + 480, 1, 62, 71 });       /* at least one step */
    track_add(g, (struct note){ 1920 + 490, 200, 62, 60 });     /* the same step: one note, the longer */
    track_add(g, (struct note){ 1920 * 4, 99999, 65, 70 });     /* cut at the end of the phrase */
    track_add(g, (struct note){ 1920 * 5 - 20, 100, 66, 70 });  /* rounds past the end */
    assert_int_equal(phrase_from_song(s, 1, &p, &n), ERR_OK);
    assert_int_equal(n, 4);
    static const struct pnote want[4] = {
        { ROLE_DRUMS, 36, 99, 0, 3 }, { ROLE_GUITAR, 60, 70, 0, 7 }, { ROLE_GUITAR, 62, 71, 12, 5 },
        { ROLE_GUITAR, 65, 70, 144, 48 },
    };
    assert_memory_equal(p, want, sizeof(want));
    free(p);
    song_set_metre(s, 1920 * 3, 3, 4);
    assert_int_equal(phrase_from_song(s, 1, &p, &n), ERR_UNSUPPORTED);
    song_free(s);
}

static void test_conversions(void **state)
{
    (void)state;
    struct song *s = band_song(5, 8, 0), *back = song_new_band();
    struct pnote *p, *q;
    struct roll r;
    uint32_t n, m;
    assert_int_equal(phrase_from_song(s, 2, &p, &n), ERR_OK);
    for (uint32_t i = 1; i < n; i++) { /* (bar, role, start, pitch) */
        long a = (p[i - 1].start / 48 * 8L + p[i - 1].role) << 16 | p[i - 1].start << 8 | p[i - 1].pitch;
        long b = (p[i].start / 48 * 8L + p[i].role) << 16 | p[i].start << 8 | p[i].pitch;
        assert_true(a < b);
    }
    assert_int_equal(phrase_to_song(p, n, back, 4), ERR_OK);
    assert_int_equal(phrase_from_song(back, 4, &q, &m), ERR_OK);
    assert_int_equal(n, m);
    assert_memory_equal(p, q, n * sizeof(*p));
    assert_int_equal(roll_new(5, 4, 48, 24, 84, &r), ERR_OK);
    phrase_to_roll(p, n, &r);
    long onsets = 0;
    for (long i = 0; i < 5L * 192 * 84; i++)
        onsets += r.cell[i] == CELL_ONSET;
    assert_int_equal(onsets, n);
    roll_fini(&r);
    free(p);
    free(q);
    song_free(back);
    song_free(s);
}

/* ---- data sets ---- */

static void make_files(void)
{
    char name[64];
    for (int i = 0; i < 10; i++) {
        str_format(name, sizeof(name), "song%d.mid", i);
        save(band_song(100 + (uint64_t)i, 12, 0), "rock", name);
    }
    for (int fam = 0; fam < 4; fam++)
        for (int loop = 0; loop < 3; loop++) {
            str_format(name, sizeof(name), "fam%d__Groove%d__%d.mid", fam, loop % 2, loop);
            save(band_song(200 + (uint64_t)(fam * 3 + loop), 8, 0), "jazz", name);
        }
    save(band_song(100, 12, 5), "rock", "transposed.mid");  /* song0 a fourth up: nothing new */
    save(band_song(300, 8, 0), "noise", "left_out.mid");
    struct song *solo = song_new_band();
    for (int i = 0; i < 64; i++)
        track_push(&solo->tracks[ROLE_PIANO], (struct note){ i * 480, 480, 60, 80 });
    save(solo, "rock", "solo.mid");
    struct song *waltz = band_song(301, 12, 0);
    song_set_metre(waltz, 0, 3, 4);
    save(waltz, "rock", "waltz.mid");
    struct song *loose = song_new_band();
    struct rng r;
    rng_init(&r, 9, 9);
    for (int i = 0; i < 300; i++)
        for (int t = ROLE_PIANO; t < N_ROLES; t++)
            track_push(&loose->tracks[t], (struct note){ i * 101 + (int)rng_below(&r, 100), 90, 60, 80 });
    save(loose, "rock", "loose.mid");
    char *bad = path_join(folder, "rock/bad.mid");
    assert_int_equal(file_write(bad, "nonsense", 8), ERR_OK);
    free(bad);
}

static void test_build(void **state)
{
    (void)state;
    struct dataset_opts o;
    struct dataset *d;
    struct str report;
    make_files();
    dataset_opts_init(&o);
    o.rename = "jazz=swing,noise=-";
    o.held_out = 0.3;
    assert_int_equal(build(&o, &d, &report), ERR_OK);
    const char *t = str_c(&report);
    assert_non_null(strstr(t, "1 files could not be read"));
    assert_non_null(strstr(t, "1 files are of a genre"));
    assert_non_null(strstr(t, "1 files do not follow their own beat"));
    assert_non_null(strstr(t, "loose.mid"));
    assert_non_null(strstr(t, "windows have too few roles"));
    assert_non_null(strstr(t, "3 windows repeat another one"));
    assert_non_null(strstr(t, "3 files gave no phrase"));
    assert_int_equal(dataset_n(d), 10 * 3 + 12 * 2);
    assert_int_equal(dataset_n_genres(d), 2);
    assert_string_equal(dataset_genre(d, 0), "swing");
    assert_string_equal(dataset_genre(d, 1), "rock");
    assert_int_equal(dataset_n_songs(d), 22);
    assert_int_equal(dataset_n_sets(d), 1);
    int family_side[4] = { -1, -1, -1, -1 }, held = 0;
    for (size_t i = 0; i < dataset_n(d); i++) {
        struct phrase p = dataset_get(d, i);
        const char *fam = strstr(dataset_song(d, p.song), "/fam");
        held += p.held_out;
        assert_int_equal(p.bar % 4, 0);
        assert_true(p.n == 96);
        if (!fam)
            continue;
        int f = fam[4] - '0';
        assert_true(family_side[f] < 0 || family_side[f] == p.held_out); /* a groove family stays together */
        family_side[f] = p.held_out;
    }
    assert_int_equal(held, 3 * 3 + 1 * 3 * 2); /* 3 of 10 songs, 1 of 4 families */
    dataset_close(d);
    str_fini(&report);
    o.hop_bars = 1;
    assert_int_equal(build(&o, &d, &report), ERR_OK);
    assert_int_equal(dataset_n(d), 10 * 9 + 12 * 5);
    dataset_close(d);
    str_fini(&report);
    o.min_roles = 5;
    assert_int_equal(build(&o, &d, &report), ERR_EMPTY);
    str_fini(&report);
    o.hop_bars = 0;
    assert_int_equal(build(&o, &d, &report), ERR_RANGE);
    str_fini(&report);
}

static void test_manifest(void **state)
{
    (void)state;
    struct dataset_opts o;
    struct dataset *d;
    struct str report, rows;
    char path[128];
    str_init(&rows);
    str_add(&rows, "path\tset\tlabel\n");
    str_addf(&rows, "%s/rock/song1.mid\tx\tballad\n", path_base(folder));
    str_addf(&rows, "%s/rock/song2.mid\tx\tballad\n", path_base(folder));
    str_format(path, sizeof(path), "%s/list.tsv", folder);
    assert_int_equal(file_write(path, rows.p, rows.len), ERR_OK);
    dataset_opts_init(&o);
    o.manifest = path;
    assert_int_equal(build(&o, &d, &report), ERR_OK);
    assert_int_equal(dataset_n_songs(d), 2);
    assert_string_equal(dataset_genre(d, 0), "ballad");
    assert_non_null(strstr(str_c(&report), "have no label"));
    dataset_close(d);
    str_fini(&report);
    str_fini(&rows);
}

static void test_hostile_file(void **state)
{
    (void)state;
    struct dataset_opts o;
    struct dataset *d;
    struct str report;
    uint8_t *bytes;
    size_t len;
    char good[128], bad[128];
    struct rng r;
    dataset_opts_init(&o);
    assert_int_equal(build(&o, NULL, &report), ERR_OK);
    str_fini(&report);
    str_format(good, sizeof(good), "%s.ds", folder);
    str_format(bad, sizeof(bad), "%s/bad.ds", folder);
    assert_int_equal(file_read(good, 1 << 24, &bytes, &len), ERR_OK);
    rng_init(&r, 4, 2);
    for (int i = 0; i < 300; i++) {
        size_t n = i % 3 == 0 ? rng_below(&r, (uint32_t)len) : len, at = rng_below(&r, i % 2 ? 2000 : (uint32_t)len);
        uint8_t old = bytes[at];
        bytes[at] = (uint8_t)rng_u32(&r);
        assert_int_equal(file_write(bad, bytes, n), ERR_OK);
        bytes[at] = old;
        enum err err = dataset_open(bad, &d);
        if (err != ERR_OK) {
            assert_true(err == ERR_FORMAT || err == ERR_IO);
            continue;
        }
        for (size_t k = 0; k < dataset_n(d); k++) { /* what opens can be read to the last byte */
            struct phrase p = dataset_get(d, k);
            int sum = dataset_genre(d, p.genre)[0] + dataset_song(d, p.song)[0];
            for (uint32_t j = 0; j < p.n; j++)
                sum += p.notes[j].dur;
            assert_true(sum > 0);
        }
        dataset_close(d);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window), cmocka_unit_test(test_conversions), cmocka_unit_test(test_build),
        cmocka_unit_test(test_manifest), cmocka_unit_test(test_hostile_file),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
