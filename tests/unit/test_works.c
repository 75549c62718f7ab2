/* test_works.c: a data set of whole pieces: labels from folders with any dots in the names, editions and movements
 * kept on one side of the split, doubles counted, the file read back note for note, damaged files refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "file.h"
#include "phrase.h"
#include "rng.h"
#include "song.h"
#include "songs.h"
#include "works.h"

static char folder[64], file[80];

static struct song *piece(uint64_t seed, int n, int shift, int quarter)
{
    struct song *s = song_new();
    struct track *t = song_add_track(s, "Piano", ROLE_PIANO);
    struct rng r;
    rng_init(&r, seed, 0);
    for (int i = 0; i < n; i++)
        track_push(t, (struct note){ i * quarter, quarter, (uint8_t)(50 + shift + (int)rng_below(&r, 24)), 80 });
    track_tidy(t);
    return s;
}

static int setup(void **state)
{
    (void)state;
    str_format(folder, sizeof(folder), "/tmp/test_works_%d/set", (int)getpid());
    str_format(file, sizeof(file), "/tmp/test_works_%d/works", (int)getpid());
    for (int i = 0; i < 20; i++) {
        char name[64];
        str_format(name, sizeof(name), "src__sonatas_K%d-1.mid", 300 + i);
        songs_save(piece((uint64_t)i, 100, 0, 480), folder, "classical/mozart", name);
        str_format(name, sizeof(name), "src__sonatas_K%d-2.mid", 300 + i); /* another movement of the same work */
        struct song *second = piece((uint64_t)(100 + i), 60, 0, 480);
        if (i == 3) /* what a listener wrote beside it is no part of the piece */
            track_add(song_add_track(second, "Chords", ROLE_STRINGS), (struct note){ 0, 1920, 61, 64 });
        songs_save(second, folder, "classical/mozart", name);
        str_format(name, sizeof(name), "other__Nr. %d. Sonata v1.0.mid", 20 - i); /* an edition a third up, in quavers */
        songs_save(piece((uint64_t)i, 80, 3, 240), folder, "classical/mozart", name);
    }
    for (int i = 0; i < 4; i++) {
        char name[64];
        str_format(name, sizeof(name), "op1n%d.mid", i); /* all there is of this composer */
        songs_save(piece((uint64_t)(200 + i), 50, 0, 480), folder, "romantic/dvorak", name);
    }
    struct song *s = piece(300, 40, 0, 480);
    song_set_metre(s, 0, 3, 4);
    song_set_metre(s, 1440 * 4, 2, 4);
    song_set_tempo(s, 0, 90);
    songs_save(s, folder, "modern", "x.y.mid");
    songs_save(piece(301, 5, 0, 480), folder, "modern", "short.mid");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char cmd[160];
    str_format(cmd, sizeof(cmd), "rm -rf /tmp/test_works_%d", (int)getpid());
    return system(cmd);
}

static struct dataset *built(double held_out, struct str *report)
{
    const char *dirs[] = { folder };
    struct dataset_opts o;
    struct dataset *d;
    dataset_opts_init(&o);
    o.works = true;
    o.held_out = held_out;
    str_init(report);
    assert_int_equal(dataset_build(dirs, 1, &o, file, report), ERR_OK);
    assert_int_equal(dataset_open(file, &d), ERR_OK);
    return d;
}

static size_t find(const struct works *w, const char *name)
{
    for (size_t i = 0; i < works_n(w); i++)
        if (str_ends(works_name(w, i), name))
            return i;
    fail_msg("%s is missing", name);
    return 0;
}

static void test_labels(void **state)
{
    (void)state;
    struct str report;
    struct dataset *d = built(0.1, &report);
    const struct works *w = dataset_works(d);
    assert_non_null(w);
    assert_int_equal(dataset_n(d), 0);
    assert_int_equal(works_n(w), 65);
    assert_int_equal(works_n_eras(w), 3);
    assert_int_equal(works_n_composers(w), 2);
    struct work x = works_get(w, find(w, "x.y.mid")), k = works_get(w, find(w, "K300-1.mid"));
    assert_string_equal(works_era(w, x.era), "modern");
    assert_int_equal(x.composer, WORK_UNKNOWN);
    assert_string_equal(works_era(w, k.era), "classical");
    assert_string_equal(works_composer(w, k.composer), "mozart");
    assert_string_equal(works_set(w, k.set), "set");
    assert_int_equal(x.bpm, 90);
    assert_int_equal(x.quarters, 40);
    assert_int_equal(x.n_metres, 2);
    struct qmetre bar = work_bar(&x, 100), late = work_bar(&x, 12 * 32 + 65);
    assert_true(bar.start == 96 && bar.num == 3);
    assert_true(late.start == 14 * 32 && late.num == 2);
    assert_non_null(strstr(str_c(&report), "fewer than 16 notes"));
    dataset_close(d);
    str_fini(&report);
}

static void test_notes(void **state)
{
    (void)state;
    struct str report;
    struct dataset *d = built(0.1, &report);
    struct work k = works_get(dataset_works(d), find(dataset_works(d), "K303-2.mid"));
    struct song *s = piece(103, 60, 0, 480);
    assert_int_equal(k.n, s->tracks[0].n);
    for (uint32_t i = 0; i < k.n; i++) {
        assert_int_equal(k.notes[i].start, s->tracks[0].notes[i].tick / QUARTER_COL_TICKS);
        assert_int_equal(k.notes[i].pitch, s->tracks[0].notes[i].pitch);
        assert_int_equal(k.notes[i].dur, 32);
    }
    song_free(s);
    dataset_close(d);
    str_fini(&report);
}

static void test_groups(void **state)
{
    (void)state;
    struct str report;
    struct dataset *d = built(0.25, &report);
    const struct works *w = dataset_works(d);
    size_t held = 0;
    for (int i = 0; i < 20; i++) {
        char a[64], b[64], c[64];
        str_format(a, sizeof(a), "K%d-1.mid", 300 + i);
        str_format(b, sizeof(b), "K%d-2.mid", 300 + i);
        str_format(c, sizeof(c), "Nr. %d. Sonata v1.0.mid", 20 - i);
        struct work first = works_get(w, find(w, a)), second = works_get(w, find(w, b)), copy = works_get(w, find(w, c));
        assert_int_equal(first.group, second.group);    /* by name */
        assert_int_equal(first.group, copy.group);      /* by what is in it */
        assert_true(first.editions == 2 && copy.editions == 2 && second.editions == 1);
        assert_true(first.held_out == second.held_out && first.held_out == copy.held_out);
        held += first.held_out;
    }
    assert_int_equal(held, 5);
    struct work d0 = works_get(w, find(w, "op1n0.mid")), d1 = works_get(w, find(w, "op1n1.mid"));
    assert_int_not_equal(d0.group, d1.group);           /* a composer's only opus is split by piece */
    assert_int_equal(works_n_groups(w), 20 + 4 + 1);
    dataset_close(d);
    str_fini(&report);
}

static void test_hostile_file(void **state)
{
    (void)state;
    struct str report;
    struct dataset *d = built(0.1, &report);
    uint8_t *bytes;
    size_t len;
    char bad[96];
    struct rng r;
    int opened = 0;
    dataset_close(d);
    str_fini(&report);
    str_format(bad, sizeof(bad), "%s.bad", file);
    assert_int_equal(file_read(file, 1 << 24, &bytes, &len), ERR_OK);
    rng_init(&r, 4, 2);
    for (int i = 0; i < 400; i++) {
        size_t n = i % 4 == 0 ? rng_below(&r, (uint32_t)len) : len;
        size_t at = rng_below(&r, i % 4 == 1 ? 64 : i % 4 == 2 ? 6000 : (uint32_t)len);
        uint8_t old = bytes[at];
        bytes[at] = (uint8_t)rng_u32(&r);
        assert_int_equal(file_write(bad, bytes, n), ERR_OK);
        bytes[at] = old;
        enum err err = dataset_open(bad, &d);
        if (err != ERR_OK) {
            assert_true(err == ERR_FORMAT || err == ERR_NOMEM);
            continue;
        }
        opened++;
        const struct works *w = dataset_works(d);
        for (size_t k = 0; k < works_n(w); k++) { /* what opens can be read to the last byte */
            struct work x = works_get(w, k);
            int64_t sum = (int64_t)strlen(works_name(w, k)) + (int64_t)strlen(works_era(w, x.era));
            for (uint32_t j = 0; j < x.n; j++)
                sum += work_bar(&x, x.notes[j].start).num + x.notes[j].dur;
            assert_true(sum > 0);
        }
        dataset_close(d);
    }
    assert_true(opened > 0 && opened < 300);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels), cmocka_unit_test(test_notes), cmocka_unit_test(test_groups),
        cmocka_unit_test(test_hostile_file),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
