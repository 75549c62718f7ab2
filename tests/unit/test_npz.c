/* test_npz.c: zip, npy, pypianoroll archives and pictures, out and in again; and damage in every byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <png.h>
#include "file.h"
#include "npz.h"
#include "rng.h"
#include "roll.h"
#include "song.h"
#include "songs.h"
#include "str.h"

static char path[64];

static int setup(void **state)
{
    (void)state;
    return str_format(path, sizeof(path), "/tmp/test_npz_%d", (int)getpid()) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

/* ---- zip ---- */

static void test_zip(void **state)
{
    (void)state;
    static uint8_t many[100000];
    struct zip_entry e[3] = { { "a.txt", (uint8_t *)"hello", 5 }, { "empty", (uint8_t *)"", 0 },
                              { "dir/many", many, sizeof(many) } };
    struct zip z = { e, 3 }, back;
    uint8_t *bytes, *again;
    size_t len, len2;
    for (size_t i = 0; i < sizeof(many); i++)
        many[i] = (uint8_t)(i * i >> 7);
    assert_int_equal(zip_write(&z, &bytes, &len), ERR_OK);
    assert_int_equal(zip_write(&z, &again, &len2), ERR_OK);
    assert_int_equal(len, len2);
    assert_memory_equal(bytes, again, len);
    assert_int_equal(zip_read(bytes, len, "z", &back), ERR_OK);
    assert_int_equal(back.n, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(back.entries[i].name, e[i].name);
        assert_int_equal(back.entries[i].len, e[i].len);
        assert_memory_equal(back.entries[i].data, e[i].data, e[i].len);
    }
    zip_fini(&back);
    for (size_t n = 0; n < len; n += n < 200 ? 1 : 331) { /* cut anywhere: refused */
        uint8_t *cut = malloc(n + 1);
        memcpy(cut, bytes, n);
        assert_int_equal(zip_read(cut, n, "z", &back), ERR_FORMAT);
        free(cut);
    }
    bytes[37]++; /* inside the data of a.txt */
    enum err err = zip_read(bytes, len, "z", &back);
    assert_int_equal(err, ERR_FORMAT);
    free(bytes);
    free(again);
}

static void test_zip_stored_by_numpy(void **state)
{
    (void)state;
    /* one stored member "x", local sizes in a 64-bit extra field as numpy writes them */
    static const char file[] =
        "PK\3\4\x2d\0\0\0\0\0\0\0\x21\0\x83\x16\xdc\x8c\xff\xff\xff\xff\xff\xff\xff\xff\1\0\x14\0x"
        "\1\0\x10\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0" "x"
        "PK\1\2\x2d\x03\x2d\0\0\0\0\0\0\0\x21\0\x83\x16\xdc\x8c\1\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\x80\1\0\0\0\0x"
        "PK\5\6\0\0\0\0\1\0\1\0\x2f\0\0\0\x34\0\0\0\0\0";
    struct zip z;
    enum err err = zip_read((const uint8_t *)file, sizeof(file) - 1, "n.npz", &z);
    if (err != ERR_OK)
        print_error("%s\n", err_text());
    assert_int_equal(err, ERR_OK);
    assert_int_equal(z.n, 1);
    assert_int_equal(z.entries[0].len, 1);
    assert_int_equal(z.entries[0].data[0], 'x');
    zip_fini(&z);
}

/* ---- npy ---- */

static void test_npy(void **state)
{
    (void)state;
    static const size_t size[] = { 4, 8, 4, 8, 1, 1, 2 };
    uint8_t data[48];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 37);
    for (int type = NPY_F4; type <= NPY_F2; type++)
        for (int rank = 0; rank <= 3; rank++) {
            struct npy a = { .type = (enum npy_type)type, .rank = rank, .dim = { 1, 2, 3 }, .data = data }, b;
            static const size_t count[] = { 1, 1, 2, 6 };
            uint8_t *bytes;
            size_t len;
            a.bytes = count[rank] * size[type];
            assert_int_equal(npy_write(&a, &bytes, &len), ERR_OK);
            assert_int_equal((len - a.bytes) % 64, 0);
            assert_int_equal(npy_read(bytes, len, "a", &b), ERR_OK);
            assert_int_equal(b.type, a.type);
            assert_int_equal(b.rank, rank);
            assert_int_equal(b.bytes, a.bytes);
            for (int i = 0; i < rank; i++)
                assert_int_equal(b.dim[i], a.dim[i]);
            assert_memory_equal(b.data, data, a.bytes);
            npy_fini(&b);
            for (size_t n = 0; n < len; n++)
                assert_int_equal(npy_read(bytes, n, "a", &b), ERR_FORMAT);
            free(bytes);
        }
}

static enum err read_header(const char *dict, size_t data)
{
    static uint8_t buf[512];
    struct npy a = { .rank = 0 };
    size_t n = strlen(dict);
    memcpy(buf, "\x93NUMPY\1\0", 8);
    buf[8] = (uint8_t)n;
    buf[9] = 0;
    memcpy(buf + 10, dict, n);
    enum err err = npy_read(buf, 10 + n + data, "h", &a);
    npy_fini(&a);
    return err;
}

static void test_npy_headers(void **state)
{
    (void)state;
    static const struct { const char *dict; size_t data; enum err want; } rows[] = {
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24, ERR_OK },
        { "{\"shape\":(),\"descr\":\"<f8\"}", 8, ERR_OK },
        { "{'descr': '<f4', 'fortran_order': True, 'shape': (3,), }", 12, ERR_OK },
        { "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 1), }", 12, ERR_UNSUPPORTED },
        { "{'descr': '>f4', 'fortran_order': False, 'shape': (3,), }", 12, ERR_UNSUPPORTED },
        { "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", 24, ERR_UNSUPPORTED },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", 12, ERR_FORMAT },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", 12, ERR_FORMAT },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999, 99999999999999999), }", 12, ERR_FORMAT },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 12, ERR_FORMAT },
        { "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (3,), }", 12, ERR_FORMAT },
        { "{'descr': '<f4', 'shape': (1,1,1,1,1,1,1,1,1), }", 12, ERR_FORMAT },
        { "{'descr': '<f4' 'shape': (3,)}", 12, ERR_FORMAT },
        { "{'shape': (3,)}", 12, ERR_FORMAT },
        { "", 0, ERR_FORMAT },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(read_header(rows[i].dict, rows[i].data), rows[i].want);
}

/* ---- songs ---- */

static struct song *grid_song(void)
{
    struct song *s = song_new_band();
    struct rng r;
    rng_init(&r, 3, 0);
    str_copy(s->title, sizeof(s->title), "Archive \"1\"");
    song_set_tempo(s, 0, 96);
    song_set_tempo(s, 1440, 150);
    song_set_metre(s, 0, 3, 4);
    song_set_metre(s, 4 * 1440, 4, 4);
    for (int t = 0; t < N_ROLES; t++) {
        for (int i = 0; i < 80; i++) {
            int step = (int)rng_below(&r, 60) * 4, dur = t == ROLE_DRUMS ? 3 : 1 + (int)rng_below(&r, 3);
            track_push(&s->tracks[t], (struct note){ step * 40, dur * 40, (uint8_t)rng_below(&r, 128),
                                                     (uint8_t)(1 + rng_below(&r, 127)) });
        }
        track_tidy(&s->tracks[t]);
    }
    return s;
}

static void test_song_round_trip(void **state)
{
    (void)state;
    struct song *s = grid_song(), *t;
    assert_int_equal(npz_save_song(s, 12, path), ERR_OK);
    enum err err = npz_load_song(path, &t);
    if (err != ERR_OK)
        print_error("%s\n", err_text());
    assert_int_equal(err, ERR_OK);
    assert_string_equal(s->title, t->title);
    assert_int_equal(t->n_tracks, N_ROLES);
    for (int i = 0; i < N_ROLES; i++) {
        assert_string_equal(s->tracks[i].name, t->tracks[i].name);
        assert_int_equal(s->tracks[i].role, t->tracks[i].role);
        assert_int_equal(s->tracks[i].program, t->tracks[i].program);
        songs_same_notes(&s->tracks[i], &t->tracks[i]);
    }
    assert_int_equal(t->n_tempos, 2);
    assert_int_equal(t->tempos[1].tick, 1440);
    assert_int_equal(t->metres[0].num, 3);
    assert_int_equal(t->metres[1].tick, 4 * 1440);
    assert_int_equal(t->metres[1].num, 4);
    song_free(s);
    song_free(t);
    s = song_new_band();
    assert_int_equal(npz_save_song(s, 12, path), ERR_OK); /* no notes at all */
    assert_int_equal(npz_load_song(path, &t), ERR_OK);
    assert_int_equal(song_end(t), 0);
    assert_int_equal(npz_save_song(s, 0, path), ERR_RANGE);
    song_free(s);
    song_free(t);
}

static void test_touching_notes(void **state)
{
    (void)state;
    struct song *s = song_new_band(), *t;
    for (int i = 0; i < 3; i++) /* one pitch again and again: each gives up a step to stay a note */
        track_add(&s->tracks[ROLE_PIANO], (struct note){ i * 480, 480, 60, 80 });
    assert_int_equal(npz_save_song(s, 12, path), ERR_OK);
    assert_int_equal(npz_load_song(path, &t), ERR_OK);
    assert_int_equal(t->tracks[ROLE_PIANO].n, 3);
    assert_int_equal(t->tracks[ROLE_PIANO].notes[0].dur, 440);
    assert_int_equal(t->tracks[ROLE_PIANO].notes[2].dur, 480);
    song_free(s);
    song_free(t);
}

static void test_damaged_archive(void **state)
{
    (void)state;
    struct song *s = grid_song(), *t;
    uint8_t *bytes;
    size_t len;
    struct rng r;
    rng_init(&r, 8, 1);
    assert_int_equal(npz_save_song(s, 12, path), ERR_OK);
    assert_int_equal(file_read(path, 1 << 22, &bytes, &len), ERR_OK);
    for (int i = 0; i < 300; i++) {
        size_t at = rng_below(&r, (uint32_t)len);
        uint8_t old = bytes[at];
        bytes[at] ^= (uint8_t)(1 + rng_below(&r, 255));
        enum err err = npz_parse_song(bytes, len, "damaged", &t);
        if (err == ERR_OK)
            song_free(t);
        else
            assert_true(strlen(err_text()) > 0);
        bytes[at] = old;
    }
    free(bytes);
    song_free(s);
}

/* ---- rolls ---- */

static void test_roll_out(void **state)
{
    (void)state;
    struct song *s = grid_song();
    struct roll r;
    struct npy a;
    uint8_t *bytes;
    size_t len;
    song_set_metre(s, 0, 4, 4);
    song_set_metre(s, 4 * 1440, 4, 4);
    assert_int_equal(roll_from_song(s, 0, 2, 48, 24, 84, &r), ERR_OK);
    assert_int_equal(npy_save_roll(&r, path), ERR_OK);
    assert_int_equal(file_read(path, 1 << 24, &bytes, &len), ERR_OK);
    assert_int_equal(npy_read(bytes, len, path, &a), ERR_OK);
    assert_true(a.rank == 3 && a.dim[0] == 5 && a.dim[1] == 96 && a.dim[2] == 84);
    for (size_t i = 0; i < a.bytes; i++)
        assert_int_equal(((uint8_t *)a.data)[i], r.cell[i] != CELL_OFF);
    npy_fini(&a);
    free(bytes);
    roll_fini(&r);
    song_free(s);
}

/* Red, green, blue of a dot. */
struct dots { png_image image; uint8_t *p; };

static struct dots picture_of(const struct song *s, struct png_opts o)
{
    struct dots d = { .image = { .version = PNG_IMAGE_VERSION } };
    assert_int_equal(png_save_song(s, &o, path), ERR_OK);
    assert_true(png_image_begin_read_from_file(&d.image, path));
    d.image.format = PNG_FORMAT_RGB;
    d.p = malloc(PNG_IMAGE_SIZE(d.image));
    assert_true(png_image_finish_read(&d.image, NULL, d.p, 0, NULL));
    return d;
}

static const uint8_t *dot(const struct dots *d, int x, int y)
{
    return d->p + 3 * ((size_t)y * d->image.width + (size_t)x);
}

/* Two bars of 5/8: piano and bass on one pitch in the first, the piano alone in the second. */
static void test_pictures(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    struct roll r;
    song_set_metre(s, 0, 5, 8);
    track_add(&s->tracks[ROLE_PIANO], (struct note){ 0, 240, 60, 90 });
    track_add(&s->tracks[ROLE_BASS], (struct note){ 0, 240, 60, 90 });
    track_add(&s->tracks[ROLE_PIANO], (struct note){ 1200, 1200, 60, 90 });
    assert_int_equal(roll_sample(s, 4, 0, 128, &r), ERR_OK);
    assert_int_equal(roll_steps(&r), 20);
    assert_int_equal(*roll_at(&r, ROLE_PIANO, 10, 60), CELL_ONSET);
    assert_int_equal(*roll_at(&r, ROLE_PIANO, 19, 60), CELL_HOLD);
    roll_fini(&r);

    struct dots d = picture_of(s, (struct png_opts){ 4, 2, false });
    assert_int_equal(d.image.width, 20 * 2);
    assert_int_equal(d.image.height, 5 * (84 * 2 + 1));
    int row = 2 * (107 - 60), piano = ROLE_PIANO * 169 + row, bass = ROLE_BASS * 169 + row;
    uint8_t blue[3], green[3];
    memcpy(blue, dot(&d, 0, piano), 3);
    memcpy(green, dot(&d, 0, bass), 3);
    assert_true(blue[2] > blue[0] && green[1] > green[0]);
    assert_memory_equal(dot(&d, 20, piano), blue, 3);
    assert_true(dot(&d, 22, piano)[0] > blue[0]);                  /* held: paler */
    assert_memory_equal(dot(&d, 20, 0), dot(&d, 0, 0), 3);         /* the second bar begins after five eighths */
    assert_true(dot(&d, 20, 0)[0] < dot(&d, 4, 0)[0]);             /* and is ruled darker than a beat */
    assert_true(dot(&d, 4, 0)[0] < dot(&d, 6, 0)[0]);
    free(d.p);

    d = picture_of(s, (struct png_opts){ 4, 2, true });
    assert_int_equal(d.image.height, 84 * 2 + 1);
    for (int c = 0; c < 3; c++) /* what one ink lets through of what the other does */
        assert_int_equal(dot(&d, 0, row)[c], blue[c] * green[c] / 255);
    assert_memory_equal(dot(&d, 20, row), blue, 3);
    free(d.p);
    struct png_opts bad = { 4, 17, false };
    assert_int_equal(png_save_song(s, &bad, path), ERR_RANGE);
    song_free(s);
    s = song_new_band();
    assert_int_equal(png_save_song(s, &(struct png_opts){ 4, 0, false }, path), ERR_EMPTY);
    song_free(s);
}

/* A grid of two rows and two columns: each song's note in its own field, what is missing left dark. */
static void test_grid(void **state)
{
    (void)state;
    struct song *songs[4] = { song_new_band(), song_new_band(), NULL, song_new_band() };
    struct dots d = { .image = { .version = PNG_IMAGE_VERSION } };
    struct png_opts o = { 4, 1, true };
    for (int i = 0; i < 4; i++)
        if (songs[i])
            track_add(&songs[i]->tracks[ROLE_PIANO], (struct note){ i * 480, 120, 60, 90 });
    assert_int_equal(png_save_grid((const struct song *const *)songs, 2, 2, 1, &o, path), ERR_OK);
    assert_true(png_image_begin_read_from_file(&d.image, path));
    d.image.format = PNG_FORMAT_RGB;
    d.p = malloc(PNG_IMAGE_SIZE(d.image));
    assert_true(png_image_finish_read(&d.image, NULL, d.p, 0, NULL));
    assert_int_equal(d.image.width, 3 + 2 * (16 + 3));
    assert_int_equal(d.image.height, 3 + 2 * (85 + 3));
    const uint8_t *frame = dot(&d, 0, 0);
    for (int i = 0; i < 4; i++)
        for (int beat = 0; beat < 4; beat++) {
            const uint8_t *at = dot(&d, 3 + i % 2 * 19 + 4 * beat, 3 + i / 2 * 88 + 107 - 60);
            if (!songs[i])
                assert_memory_equal(at, frame, 3);
            else
                assert_int_equal(at[2] > at[0] + 40, beat == i);  /* the piano's blue */
        }
    free(d.p);
    assert_int_equal(png_save_grid((const struct song *const *)&songs[2], 1, 1, 1, &o, path), ERR_EMPTY);
    for (int i = 0; i < 4; i++)
        song_free(songs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zip), cmocka_unit_test(test_zip_stored_by_numpy), cmocka_unit_test(test_npy),
        cmocka_unit_test(test_npy_headers), cmocka_unit_test(test_song_round_trip),
        cmocka_unit_test(test_touching_notes), cmocka_unit_test(test_damaged_archive),
        cmocka_unit_test(test_roll_out), cmocka_unit_test(test_pictures), cmocka_unit_test(test_grid),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
