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
#include "phrase.h"
#include "rng.h"
#include "roll.h"
#include "song.h"
#include "songs.h"

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
        songs_save(band_song(100 + (uint64_t)i, 12, 0), folder, "rock", name);
    }
    for (int fam = 0; fam < 4; fam++)
        for (int loop = 0; loop < 3; loop++) {
            str_format(name, sizeof(name), "fam%d__Groove%d__%d.mid", fam, loop % 2, loop);
            songs_save(band_song(200 + (uint64_t)(fam * 3 + loop), 8, 0), folder, "jazz", name);
        }
    songs_save(band_song(100, 12, 5), folder, "rock", "transposed.mid");  /* song0 a fourth up: nothing new */
    songs_save(band_song(300, 8, 0), folder, "noise", "left_out.mid");
    struct song *solo = song_new_band();
    for (int i = 0; i < 64; i++)
        track_push(&solo->tracks[ROLE_PIANO], (struct note){ i * 480, 480, 60, 80 });
    songs_save(solo, folder, "rock", "solo.mid");
    struct song *waltz = band_song(301, 12, 0);
    song_set_metre(waltz, 0, 3, 4);
    songs_save(waltz, folder, "rock", "waltz.mid");
    struct song *loose = song_new_band();
    struct rng r;
    rng_init(&r, 9, 9);
    for (int i = 0; i < 300; i++)
        for (int t = ROLE_PIANO; t < N_ROLES; t++)
            track_push(&loose->tracks[t], (struct note){ i * 101 + (int)rng_below(&r, 100), 90, 60, 80 });
    songs_save(loose, folder, "rock", "loose.mid");
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

/* ---- phrases of all pitched tracks in one ---- */

/* A melody of random notes over held notes of a second track, with drums. */
static struct song *duet(uint64_t seed, int n_bars)
{
    struct song *s = song_new();
    struct track *left, *right;
    struct rng r;
    song_add_track(s, "kit", ROLE_DRUMS);
    rng_init(&r, seed, 1);
    right = song_add_track(s, "right", ROLE_PIANO);
    for (int i = 0; i < n_bars * 8; i++)
        track_push(right, (struct note){ i * 240 + 9, 230, (uint8_t)(60 + (int)rng_below(&r, 20)), 80 });
    left = song_add_track(s, "left", ROLE_STRINGS);
    for (int b = 0; b < n_bars; b++)
        track_push(left, (struct note){ b * 1920, 1920, (uint8_t)(40 + (int)rng_below(&r, 12)), 60 });
    for (int b = 0; b < n_bars * 4; b++)
        track_push(&s->tracks[0], (struct note){ b * 480, 100, 36, 100 });
    return s;
}

static void cells_of_phrase(const struct phrase *p, uint8_t cells[64][128])
{
    memset(cells, 0, 64 * 128);
    for (uint32_t i = 0; i < p->n; i++) {
        assert_int_equal(p->notes[i].start % 3, 0);
        assert_int_equal(p->notes[i].dur % 3, 0);
        assert_int_equal(p->notes[i].role, ROLE_PIANO);
        for (int c = p->notes[i].start / 3; c < (p->notes[i].start + p->notes[i].dur) / 3; c++) {
            assert_int_equal(cells[c][p->notes[i].pitch], 0); /* strokes never overlap */
            cells[c][p->notes[i].pitch] = 1;
        }
    }
}

static void make_merged_files(void)
{
    for (int i = 0; i < 8; i++) {
        char name[32];
        str_format(name, sizeof(name), "song%d.mid", i);
        songs_save(duet(500 + (uint64_t)i, 12), folder, i % 2 ? "scores/minor/x" : "scores/jazz", name);
    }
    songs_save(duet(510, 60), folder, "other/pop", "long.mid");
    struct song *edition = duet(501, 12);               /* song1, but for an ornament a phrase */
    for (int i = 0; i < 3; i++)
        edition->tracks[1].notes[i * 32 + 31].pitch ^= 1;
    songs_save(edition, folder, "other/pop", "edition.mid");
    struct song *two = duet(600, 16), *waltz = duet(601, 12), *over = duet(602, 4);
    song_set_metre(two, 8 * 1920, 3, 4);
    songs_save(two, folder, "scores/jazz", "two.mid");
    song_set_metre(waltz, 0, 3, 4);
    songs_save(waltz, folder, "scores/jazz", "waltz.mid");
    song_add_track(over, "more", ROLE_GUITAR);             /* strikes a pitch that another track holds */
    over->tracks[2].n = over->tracks[1].n = 0;
    track_push(&over->tracks[1], (struct note){ 0, 1920, 70, 50 });
    track_push(&over->tracks[3], (struct note){ 480, 240, 70, 90 });
    for (int i = 0; i < 40; i++)
        track_push(&over->tracks[1], (struct note){ 1920 + i * 120, 110, (uint8_t)(71 + i % 7), 50 });
    songs_save(over, folder, "scores/jazz", "over.mid");
}

/* Of a duet the chord and the melody, whose notes leave no step empty; of the other the note that is held. */
static void check_cells(const struct phrase *p, bool held)
{
    uint8_t cells[64][128];
    cells_of_phrase(p, cells);
    for (int c = 0; c < (held ? 16 : 64); c++) {
        int low = 0, high = 0;
        for (int k = 0; k < 128; k++)
            *(k < 60 ? &low : &high) += cells[c][k];
        assert_int_equal(low, !held);
        assert_int_equal(high, 1);
    }
}

static void check_merged(const struct dataset *d)
{
    int side[2] = { -1, -1 };
    assert_int_equal(dataset_n_genres(d), 3);
    assert_int_equal(dataset_n(d), 8 * 3 + 15 + 3 + 2 + 1);
    for (size_t i = 0; i < dataset_n(d); i++) {
        struct phrase p = dataset_get(d, i);
        const char *song = dataset_song(d, p.song);
        const char *genre = strstr(song, "/pop/") ? "pop" : strstr(song, "/jazz/") ? "swing" : "minor";
        assert_string_equal(dataset_genre(d, p.genre), genre);
        check_cells(&p, strstr(song, "over.mid"));
        if (strstr(song, "song1.mid") || strstr(song, "edition.mid")) {
            int *s = &side[strstr(song, "edition") != NULL];
            assert_true(*s < 0 || *s == p.held_out);
            *s = p.held_out;
        }
    }
    assert_true(side[0] >= 0 && side[0] == side[1]);
}

static void check_thinned(const struct dataset *d)
{
    int last = -4, n = 0, work = 0;
    for (size_t i = 0; i < dataset_n(d); i++) {
        struct phrase p = dataset_get(d, i);
        const char *song = dataset_song(d, p.song);
        check_cells(&p, strstr(song, "over.mid"));
        work += strstr(song, "edition.mid") || strstr(song, "song1.mid");
        if (!strstr(song, "long.mid"))
            continue;
        assert_true(p.bar >= last + 8); /* spread over it */
        last = p.bar;
        n++;
    }
    assert_int_equal(n, 4);
    assert_int_equal(work, 4); /* in two files, and one work all the same */
}

static void test_merged(void **state)
{
    (void)state;
    char old[sizeof(folder)];
    struct dataset_opts o;
    struct dataset *d;
    struct str report;
    str_copy(old, sizeof(old), folder);
    str_format(folder, sizeof(folder), "%.48s/merged", old);
    make_merged_files();
    dataset_opts_init(&o);
    o.merged = true;
    o.held_out = 0.4;
    o.genres = "swing,pop,minor";
    o.rename = "jazz=swing";
    assert_int_equal(build(&o, &d, &report), ERR_OK);
    check_merged(d);
    dataset_close(d);
    str_fini(&report);
    o.per_song = 4;
    o.one_metre = true;
    assert_int_equal(build(&o, &d, &report), ERR_OK);
    assert_non_null(strstr(str_c(&report), "2 files are not in 4/4 throughout"));
    assert_non_null(strstr(str_c(&report), "windows are more than their songs may give"));
    check_thinned(d);
    dataset_close(d);
    str_fini(&report);
    str_copy(folder, sizeof(folder), old);
}

/* Six bars a part, ABACA: windows follow the parts, not the count of bars, and what comes again is dropped. */
static void test_segments(void **state)
{
    (void)state;
    struct song *part[3] = { band_song(701, 6, 0), band_song(702, 6, 3), band_song(703, 6, 6) }, *s = song_new_band();
    static const int order[] = { 0, 1, 0, 2, 0 }, bars[] = { 0, 6, 18 };
    struct dataset_opts o;
    struct dataset *d;
    struct str report;
    char empty[80];
    for (int i = 0; i < 5; i++)
        song_paste(s, song_bar_tick(s, 6 * i), part[order[i]], 0, song_bar_tick(s, 6));
    for (int i = 0; i < 3; i++)
        song_free(part[i]);
    str_format(empty, sizeof(empty), "rm -rf %s/*", folder);
    assert_int_equal(system(empty), 0);
    songs_save(s, folder, "parts", "abaca.mid");
    dataset_opts_init(&o);
    o.hop_bars = 4;
    o.segments = true;
    assert_int_equal(build(&o, &d, &report), ERR_OK);
    assert_int_equal(dataset_n(d), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(dataset_get(d, i).bar, bars[i]);
    dataset_close(d);
    str_fini(&report);
    o.hop_bars = 1; /* none reaches from one part into the next */
    assert_int_equal(build(&o, &d, &report), ERR_OK);
    assert_int_equal(dataset_n(d), 9);
    for (size_t i = 0; i < dataset_n(d); i++)
        assert_in_range(dataset_get(d, i).bar % 6, 0, 2);
    dataset_close(d);
    str_fini(&report);
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
        cmocka_unit_test(test_manifest), cmocka_unit_test(test_merged), cmocka_unit_test(test_segments),
        cmocka_unit_test(test_hostile_file),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
