/* test_midi.c: the export contract byte by byte, the round trip, and the odd files the reader must bear. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "midi.h"
#include "rng.h"
#include "song.h"

/* ---- helpers ---- */

static struct song *random_song(uint64_t seed)
{
    struct rng r;
    struct song *s = song_new_band();
    rng_init(&r, seed, 0);
    str_copy(s->title, sizeof(s->title), "A song \xc3\xa9");
    for (int i = 0; i < 5; i++) {
        int32_t tick = (int32_t)rng_below(&r, 20000);
        song_set_tempo_usec(s, tick, 200000 + rng_below(&r, 800000));
        song_set_metre(s, tick, 1 + (int)rng_below(&r, 12), 1 << rng_below(&r, 5));
        song_set_key(s, tick, (int)rng_below(&r, 15) - 7, rng_below(&r, 2));
        song_add_marker(s, tick, "part");
    }
    struct track *extra = song_add_track(s, "", ROLE_NONE);
    extra->program = 81;
    for (size_t t = 0; t < s->n_tracks; t++) {
        struct track *tr = &s->tracks[t];
        tr->volume = (uint8_t)rng_below(&r, 128);
        tr->pan = (uint8_t)rng_below(&r, 128);
        tr->reverb = (uint8_t)rng_below(&r, 128);
        tr->chorus = (uint8_t)rng_below(&r, 128);
        for (int i = 0; i < 200 && t != 2; i++) /* one track stays empty */
            track_push(tr, (struct note){ (int32_t)rng_below(&r, 30000), 1 + (int32_t)rng_below(&r, 700),
                                          (uint8_t)rng_below(&r, 128), (uint8_t)(1 + rng_below(&r, 127)) });
        track_tidy(tr);
    }
    return s;
}

static struct song *read_ok(const void *bytes, size_t len, struct midi_report *rep)
{
    struct song *s = NULL;
    enum err err = midi_read(bytes, len, "test", &s, rep);
    if (err != ERR_OK)
        print_error("%s\n", err_text());
    assert_int_equal(err, ERR_OK);
    return s;
}

/* A file of one track: header with format, division, and the events as given. */
struct bytes { uint8_t p[2048]; size_t n; };

static void put(struct bytes *b, const char *bytes, size_t n)
{
    memcpy(b->p + b->n, bytes, n);
    b->n += n;
}
#define PUT(b, text) put((b), (text), sizeof(text) - 1)

static void put_header(struct bytes *b, int format, int tracks, int division)
{
    const uint8_t head[14] = { 'M', 'T', 'h', 'd', 0, 0, 0, 6, 0, (uint8_t)format, 0, (uint8_t)tracks,
                               (uint8_t)(division >> 8), (uint8_t)division };
    put(b, (const char *)head, sizeof(head));
}

static void put_track(struct bytes *b, const char *events, size_t n, long claimed)
{
    size_t len = claimed < 0 ? n : (size_t)claimed;
    const uint8_t head[8] = { 'M', 'T', 'r', 'k', (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                              (uint8_t)len };
    put(b, (const char *)head, sizeof(head));
    put(b, events, n);
}
#define TRACK(b, events) put_track((b), (events), sizeof(events) - 1, -1)
#define NOTE "\x00\x90\x3c\x40\x83\x60\x80\x3c\x00"   /* C4 for 480 ticks */
#define END "\x00\xff\x2f\x00"

/* ---- writing ---- */

static void test_round_trip(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct song *s = random_song(seed);
        s->provenance = strdup("jamroll 1 model=band seed=42");
        uint8_t *bytes, *again;
        size_t len, len2;
        struct midi_report rep;
        assert_int_equal(midi_write(s, NULL, &bytes, &len), ERR_OK);
        struct song *t = read_ok(bytes, len, &rep);
        assert_string_equal(str_c(&rep.text), "");
        assert_true(song_equal(s, t));
        assert_string_equal(t->provenance, s->provenance);
        for (int r = 0; r < N_ROLES; r++)
            assert_int_equal(t->tracks[r].role, r);
        assert_int_equal(midi_write(t, NULL, &again, &len2), ERR_OK);
        assert_int_equal(len, len2);
        assert_memory_equal(bytes, again, len);
        midi_report_fini(&rep);
        free(bytes);
        free(again);
        song_free(s);
        song_free(t);
    }
}

/* One event of a written track, as the contract sees it. */
struct seen { long tick; int rank; uint8_t status, a, b; };

static size_t scan_track(const uint8_t *p, size_t len, struct seen *out)
{
    size_t at = 0, n = 0;
    long tick = 0;
    while (at < len) {
        uint32_t delta = 0;
        do
            delta = delta << 7 | (p[at] & 0x7f);
        while (p[at++] & 0x80);
        tick += delta;
        uint8_t st = p[at];
        assert_true(st & 0x80);
        if (st == 0xff) {
            uint32_t l = 0;
            uint8_t type = p[at + 1];
            at += 2;
            do
                l = l << 7 | (p[at] & 0x7f);
            while (p[at++] & 0x80);
            at += l;
            out[n++] = (struct seen){ tick, type == 0x2f ? 9 : 0, st, type, 0 };
        } else {
            int two = st < 0xc0 || st >= 0xe0;
            out[n++] = (struct seen){ tick, st >= 0xb0 ? 1 : st < 0x90 ? 2 : 3, st, p[at + 1], two ? p[at + 2] : 0 };
            at += (size_t)(2 + two);
        }
    }
    return n;
}

static void check_order(const struct seen *e, size_t n, int sounding[16][128])
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && e[i].tick == e[i - 1].tick)
            assert_true(e[i].rank >= e[i - 1].rank);
        int channel = e[i].status & 15;
        if (e[i].rank == 3)
            assert_int_equal(sounding[channel][e[i].a]++, 0); /* no pitch twice on a channel */
        if (e[i].rank == 2)
            assert_int_equal(--sounding[channel][e[i].a], 0);
    }
    assert_int_equal(e[n - 1].rank, 9);
    for (int c = 0; c < 16; c++)
        for (int p = 0; p < 128; p++)
            assert_int_equal(sounding[c][p], 0);
}

static void test_contract(void **state)
{
    (void)state;
    static const uint8_t head[14] = { 'M', 'T', 'h', 'd', 0, 0, 0, 6, 0, 1, 0, 7, 1, 0xe0 };
    struct song *s = random_song(7);
    uint8_t *bytes;
    size_t len, at = 14;
    struct seen *e = calloc(4096, sizeof(*e));

    assert_int_equal(midi_write(s, NULL, &bytes, &len), ERR_OK);
    assert_memory_equal(bytes, head, sizeof(head));
    for (int t = 0; at < len; t++) {
        int sounding[16][128] = { { 0 } };
        size_t n = (size_t)bytes[at + 4] << 24 | (size_t)bytes[at + 5] << 16 | (size_t)bytes[at + 6] << 8 | bytes[at + 7];
        assert_memory_equal(bytes + at, "MTrk", 4);
        size_t events = scan_track(bytes + at + 8, n, e);
        check_order(e, events, sounding);
        assert_true(e[0].status == 0xff && e[0].a == 0x03); /* a name first */
        for (size_t i = 0; t > 0 && i < events; i++)
            if (e[i].status != 0xff)
                assert_int_equal(e[i].status & 15, t == 1 ? 9 : t - 2); /* one channel a part */
        if (t > 0) {
            assert_int_equal(e[1].status & 0xf0, 0xc0);
            for (int k = 0; k < 4; k++)
                assert_true((e[2 + k].status & 0xf0) == 0xb0 && e[2 + k].tick == 0);
        }
        at += 8 + n;
    }
    assert_int_equal(at, len);
    free(e);
    free(bytes);
    song_free(s);
}

static void test_shared_channel(void **state)
{
    (void)state;
    struct song *s = song_new();
    for (int i = 0; i < 2; i++) /* two drum tracks: one channel */
        song_add_track(s, i ? "b" : "a", ROLE_DRUMS);
    track_add(&s->tracks[0], (struct note){ 0, 400, 36, 90 });
    track_add(&s->tracks[1], (struct note){ 200, 400, 36, 80 });
    track_add(&s->tracks[0], (struct note){ 960, 100, 38, 90 });
    track_add(&s->tracks[1], (struct note){ 960, 300, 38, 99 });
    uint8_t *bytes;
    size_t len;
    assert_int_equal(midi_write(s, NULL, &bytes, &len), ERR_OK);
    struct song *t = read_ok(bytes, len, NULL);
    assert_int_equal(t->tracks[0].notes[0].dur, 200);
    assert_int_equal(t->tracks[0].notes[1].dur, 300);
    assert_int_equal(t->tracks[0].notes[1].vel, 99);
    assert_int_equal(t->tracks[1].n, 1);
    free(bytes);
    song_free(t);
    song_free(s);
}

static void test_mute_and_format0(void **state)
{
    (void)state;
    struct song *s = random_song(3);
    struct midi_write_opts opts = { .format = 1, .skip_muted = true };
    uint8_t *bytes;
    size_t len;
    s->tracks[1].mute = true;
    assert_int_equal(midi_write(s, &opts, &bytes, &len), ERR_OK);
    struct song *t = read_ok(bytes, len, NULL);
    assert_int_equal(t->n_tracks, s->n_tracks - 1);
    free(bytes);
    song_free(t);
    s->tracks[3].solo = true;
    assert_int_equal(midi_write(s, &opts, &bytes, &len), ERR_OK);
    t = read_ok(bytes, len, NULL);
    assert_int_equal(t->n_tracks, 1);
    assert_string_equal(t->tracks[0].name, "Bass");
    free(bytes);
    song_free(t);
    opts = (struct midi_write_opts){ .format = 0 };
    assert_int_equal(midi_write(s, &opts, &bytes, &len), ERR_OK);
    t = read_ok(bytes, len, NULL);
    assert_int_equal(t->n_tracks, s->n_tracks - 1); /* the empty one is lost */
    size_t notes[2] = { 0, 0 };
    for (size_t i = 0; i < s->n_tracks; i++)
        notes[0] += s->tracks[i].n;
    for (size_t i = 0; i < t->n_tracks; i++)
        notes[1] += t->tracks[i].n;
    assert_int_equal(notes[0], notes[1]);
    free(bytes);
    song_free(t);
    opts.format = 2;
    assert_int_equal(midi_write(s, &opts, &bytes, &len), ERR_RANGE);
    song_free(s);
}

/* ---- odd files ---- */

static void test_format0_split(void **state)
{
    (void)state;
    struct bytes b = { .n = 0 };
    put_header(&b, 0, 1, 480);
    TRACK(&b, "\x00\xff\x03\x03" "Tit" "\x00\xc0\x21\x00\x99\x24\x64\x00\x90\x20\x50\x3c\x20\x00\x00\x89\x24\x00" END);
    struct song *s = read_ok(b.p, b.n, NULL);
    assert_string_equal(s->title, "Tit");
    assert_int_equal(s->n_tracks, 2);
    assert_int_equal(s->tracks[0].role, ROLE_BASS);
    assert_int_equal(s->tracks[0].notes[0].dur, 60); /* running status, velocity 0 is off */
    assert_int_equal(s->tracks[1].role, ROLE_DRUMS);
    assert_int_equal(s->tracks[1].notes[0].dur, 60);
    song_free(s);
}

static void test_delta_times_are_kept(void **state)
{
    (void)state;
    struct bytes b = { .n = 0 };
    struct midi_report rep;
    put_header(&b, 1, 1, 480);
    /* pedal, bend, pressure, sysex F0 and F7, text: each carries a delta of 96 */
    TRACK(&b, "\x60\xb0\x40\x7f\x60\xe0\x00\x40\x60\xd0\x10\x60\xa0\x3c\x10\x60\xf0\x03\x01\x02\xf7"
              "\x60\xf7\x02\xf8\x01\x60\xff\x05\x02hi" NOTE END);
    struct song *s = read_ok(b.p, b.n, &rep);
    assert_int_equal(s->tracks[0].notes[0].tick, 7 * 96);
    assert_int_equal(rep.n_bad_events, 0);
    assert_non_null(strstr(str_c(&rep.text), "pitch bend"));
    midi_report_fini(&rep);
    song_free(s);
}

static void test_pairing(void **state)
{
    (void)state;
    struct bytes b = { .n = 0 };
    struct midi_report rep;
    put_header(&b, 1, 4, 480);
    /* overlapping pair, balanced: first in, first out, then cut at the second onset */
    TRACK(&b, "\x00\x90\x3c\x40\x60\x3c\x50\x60\x3c\x00\x60\x3c\x00" END);
    /* a lost off: the second on ends the first note */
    TRACK(&b, "\x00\x91\x3c\x40\x60\x3c\x50\x60\x3c\x00" END);
    /* orphan off, and a note that never ends */
    TRACK(&b, "\x00\x82\x3c\x40\x60\x92\x3e\x50\x60\xff\x2f\x00");
    /* on and off in one tick: the shortest note there is */
    TRACK(&b, "\x00\x93\x3c\x40\x00\x3c\x00" END);
    struct song *s = read_ok(b.p, b.n, &rep);
    assert_int_equal(s->n_tracks, 4);
    assert_int_equal(s->tracks[0].n, 2);
    assert_int_equal(s->tracks[0].notes[0].dur, 96);
    assert_int_equal(s->tracks[0].notes[1].dur, 192);
    assert_int_equal(s->tracks[1].n, 2);
    assert_int_equal(s->tracks[1].notes[0].dur, 96);
    assert_int_equal(s->tracks[1].notes[1].dur, 96);
    assert_int_equal(s->tracks[2].notes[0].dur, 96);
    assert_int_equal(s->tracks[3].notes[0].dur, 1);
    assert_int_equal(rep.n_orphan_offs, 1);
    assert_int_equal(rep.n_unclosed, 1);
    assert_int_equal(rep.n_doubled, 2);
    midi_report_fini(&rep);
    song_free(s);
}

static void test_chunks(void **state)
{
    (void)state;
    struct midi_report rep;
    struct song *s;
    struct bytes b = { .n = 0 };
    /* RIFF around it, junk before and between, an alien chunk, lengths that lie both ways, no end of track */
    PUT(&b, "RIFF\x00\x01\x00\x00RMID" "data\x00\x01\x00\x00");
    put_header(&b, 1, 9, 480);
    TRACK(&b, NOTE END);
    put_track(&b, NOTE END, sizeof(NOTE END) - 1, 100000);
    put_track(&b, NOTE END, sizeof(NOTE END) - 1, 3);
    PUT(&b, "XFIH\x00\x00\x00\x04" "abcd");
    TRACK(&b, NOTE END);
    PUT(&b, "\x01\x02\x03");
    TRACK(&b, NOTE);
    s = read_ok(b.p, b.n, &rep);
    assert_true(rep.riff);
    assert_true(rep.truncated);
    assert_int_equal(rep.n_chunks, 5);
    assert_int_equal(rep.n_notes, 5);
    assert_int_equal(s->n_tracks, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(s->tracks[i].notes[0].dur, 480);
    midi_report_fini(&rep);
    song_free(s);
}

static void test_truncation_everywhere(void **state)
{
    (void)state;
    struct song *s = random_song(1);
    uint8_t *bytes;
    size_t len;
    assert_int_equal(midi_write(s, NULL, &bytes, &len), ERR_OK);
    for (size_t n = 0; n < len; n += n < 300 ? 1 : 97) {
        struct song *t = NULL;
        uint8_t *cut = malloc(n ? n : 1); /* its own block, so that a sanitizer sees every overrun */
        memcpy(cut, bytes, n);
        enum err err = midi_read(cut, n, "cut", &t, NULL);
        assert_true(err == ERR_OK || err == ERR_FORMAT);
        if (err != ERR_OK)
            assert_true(strlen(err_text()) > 0);
        song_free(err == ERR_OK ? t : NULL);
        free(cut);
    }
    free(bytes);
    song_free(s);
}

static void test_divisions(void **state)
{
    (void)state;
    static const struct { int division; int32_t tick, dur; } rows[] = {
        { 96, 2400, 2400 }, { 384, 600, 600 }, { 0, 480, 480 }, { 0xe728, 461, 461 }, /* 25 fps x 40 */
        { 0xe2ff, 60, 60 }, { 32767, 7, 7 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes b = { .n = 0 };
        put_header(&b, 1, 1, rows[i].division);
        TRACK(&b, "\x83\x60\x90\x3c\x40\x83\x60\x80\x3c\x00" END);
        struct song *s = read_ok(b.p, b.n, NULL);
        assert_int_equal(s->tracks[0].notes[0].tick, rows[i].tick);
        assert_in_range(s->tracks[0].notes[0].dur, rows[i].dur - 1, rows[i].dur + 1);
        song_free(s);
    }
}

static void test_format2(void **state)
{
    (void)state;
    struct bytes b = { .n = 0 };
    put_header(&b, 2, 2, 480);
    TRACK(&b, "\x00\xff\x58\x04\x03\x02\x18\x08" NOTE END);  /* 3/4, one quarter: padded to a bar */
    TRACK(&b, "\x00\xff\x51\x03\x0f\x42\x40" NOTE END);
    struct song *s = read_ok(b.p, b.n, NULL);
    assert_int_equal(s->n_tracks, 1); /* one part over both patterns */
    assert_int_equal(s->tracks[0].n, 2);
    assert_int_equal(s->tracks[0].notes[1].tick, 1440);
    assert_int_equal(s->tempos[1].tick, 1440);
    song_free(s);
}

static void test_program_changes(void **state)
{
    (void)state;
    struct bytes b = { .n = 0 };
    put_header(&b, 1, 3, 480);
    TRACK(&b, "\x00\xc2\x28\x00\xb2\x07\x30" END);           /* set up elsewhere: no part of its own */
    TRACK(&b, "\x00\xff\x03\x05" "Solo " "\x00\x92\x3c\x40\x60\x3c\x00" END);
    TRACK(&b, "\x00\xc3\x00\x00\x93\x3c\x40\x60\x3c\x00\x00\xc3\x19\x00\x93\x3c\x40\x60\x3c\x00" END);
    struct song *s = read_ok(b.p, b.n, NULL);
    assert_int_equal(s->n_tracks, 4);
    assert_int_equal(s->tracks[0].n, 0);
    assert_string_equal(s->tracks[1].name, "Solo");
    assert_int_equal(s->tracks[1].program, 40);
    assert_int_equal(s->tracks[1].volume, 48);
    assert_int_equal(s->tracks[2].role, ROLE_PIANO);
    assert_int_equal(s->tracks[3].role, ROLE_GUITAR);
    song_free(s);
}

static void test_hostile_text(void **state)
{
    (void)state;
    struct bytes b = { .n = 0 };
    put_header(&b, 1, 1, 480);
    TRACK(&b, "\x00\xff\x03\x0b" "\x1b[2Ja\xff\x00z\xc2\x9b." NOTE END); /* escape, Latin-1, zero, C1 */
    struct song *s = read_ok(b.p, b.n, NULL);
    assert_string_equal(s->tracks[0].name, " [2Ja\xc3\xbf z\xc3\x82 .");
    song_free(s);
}

static void test_refused(void **state)
{
    (void)state;
    struct song *s;
    struct bytes b = { .n = 0 };
    assert_int_equal(midi_read((const uint8_t *)"", 0, "nothing.mid", &s, NULL), ERR_FORMAT);
    assert_non_null(strstr(err_text(), "nothing.mid"));
    assert_int_equal(midi_read((const uint8_t *)"MThd\0\0", 6, "x", &s, NULL), ERR_FORMAT);
    put_header(&b, 1, 1, 480);
    assert_int_equal(midi_read(b.p, b.n, "x", &s, NULL), ERR_FORMAT);
    assert_non_null(strstr(err_text(), "14"));
    assert_int_equal(midi_load("/nonexistent/x.mid", &s, NULL), ERR_MISSING);
}

static void test_bad_values(void **state)
{
    (void)state;
    struct bytes b = { .n = 0 };
    struct midi_report rep;
    put_header(&b, 1, 1, 480);
    /* tempo 0, metre 0/4, metre 4/2^99, key 100, short tempo, status inside data, data without status */
    TRACK(&b, "\x00\x05\x00\xff\x51\x03\x00\x00\x00\x00\xff\x58\x04\x00\x02\x18\x08\x00\xff\x58\x04\x04\x63\x18\x08"
              "\x00\xff\x59\x02\x64\x00\x00\xff\x51\x01\x01\x00\x90\x3c" NOTE END);
    struct song *s = read_ok(b.p, b.n, &rep);
    assert_int_equal(s->n_tempos, 1);
    assert_int_equal(s->n_metres, 1);
    assert_int_equal(s->n_keys, 0);
    assert_true(rep.n_bad_events >= 6);
    midi_report_fini(&rep);
    song_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_contract), cmocka_unit_test(test_shared_channel),
        cmocka_unit_test(test_mute_and_format0), cmocka_unit_test(test_format0_split),
        cmocka_unit_test(test_delta_times_are_kept), cmocka_unit_test(test_pairing), cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_truncation_everywhere), cmocka_unit_test(test_divisions),
        cmocka_unit_test(test_format2), cmocka_unit_test(test_program_changes), cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_bad_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
