/* test_quarter.c: what a column is. Among the cases are the faults that readers of such music are known for: a
 * note rounded past its beat, a doubled note-on, an orphan note-off, time lost with controllers, chords held over
 * beats, a note that never ends, keys a piano has not, other resolutions, the pedal. Each is a MIDI file written here byte by byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "midi.h"
#include "quarter.h"
#include "rng.h"
#include "song.h"

/* ---- files ---- */

struct ev { int delta; uint8_t status, a, b; };

/* A MIDI file of one track with these events. */
static size_t smf(uint8_t *out, int division, const struct ev *e, size_t n)
{
    static const uint8_t head[] = { 'M', 'T', 'h', 'd', 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 'M', 'T', 'r', 'k', 0, 0, 0, 0 };
    size_t at = sizeof(head);
    memcpy(out, head, sizeof(head));
    out[12] = (uint8_t)(division >> 8);
    out[13] = (uint8_t)division;
    for (size_t i = 0; i < n; i++) {
        out[at++] = (uint8_t)(0x80 | e[i].delta >> 7);
        out[at++] = (uint8_t)(e[i].delta & 0x7f);
        out[at++] = e[i].status;
        out[at++] = e[i].a;
        out[at++] = e[i].b;
    }
    static const uint8_t end[] = { 0, 0xff, 0x2f, 0 };
    memcpy(out + at, end, sizeof(end));
    at += sizeof(end);
    out[20] = (uint8_t)((at - sizeof(head)) >> 8);
    out[21] = (uint8_t)(at - sizeof(head));
    return at;
}

static uint32_t read_notes(int division, const struct ev *e, size_t n, bool pedal, struct qnote **notes)
{
    uint8_t bytes[1024];
    struct song *s;
    struct midi_report report;
    uint32_t count;
    assert_int_equal(midi_read(bytes, smf(bytes, division, e, n), "test", &s, &report), ERR_OK);
    if (pedal)
        midi_hold_pedal(s, &report);
    assert_int_equal(qnotes_from_song(s, 0, song_end(s) + QUARTER_COL_TICKS, notes, &count), ERR_OK);
    midi_report_fini(&report);
    song_free(s);
    return count;
}

static void expect(int division, const struct ev *e, size_t n, bool pedal, const struct qnote *want, uint32_t n_want)
{
    struct qnote *got;
    uint32_t count = read_notes(division, e, n, pedal, &got);
    assert_int_equal(count, n_want);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(got[i].start, want[i].start);
        assert_int_equal(got[i].dur, want[i].dur);
        assert_int_equal(got[i].pitch, want[i].pitch);
    }
    free(got);
}
#define EXPECT(division, pedal, want, ...) \
    expect(division, (struct ev[]){ __VA_ARGS__ }, sizeof((struct ev[]){ __VA_ARGS__ }) / sizeof(struct ev), pedal, \
           want, COUNT_OF(want))

/* ---- the faults ---- */

static void test_rounded_past_the_beat(void **state)
{
    (void)state;
    static const struct qnote want[] = { { 32, 31, 60, 0 } }; /* the next beat's first column, not a 33rd of this */
    EXPECT(480, false, want, { 474, 0x90, 60, 80 }, { 470, 0x80, 60, 0 });
}

static void test_doubled_note_on(void **state)
{
    (void)state;
    static const struct qnote want[] = { { 0, 16, 60, 0 }, { 16, 16, 60, 0 } };
    EXPECT(480, false, want, { 0, 0x90, 60, 80 }, { 240, 0x90, 60, 80 }, { 0, 0x80, 60, 0 }, { 240, 0x80, 60, 0 });
}

static void test_orphan_note_off(void **state)
{
    (void)state;
    static const struct qnote want[] = { { 32, 32, 62, 0 } };
    EXPECT(480, false, want, { 0, 0x80, 62, 0 }, { 480, 0x90, 62, 80 }, { 480, 0x80, 62, 0 }, { 0, 0x80, 62, 0 });
}

static void test_time_of_controllers(void **state)
{
    (void)state;
    static const struct qnote want[] = { { 0, 32, 60, 0 }, { 96, 32, 64, 0 } };
    EXPECT(480, false, want, { 0, 0x90, 60, 80 }, { 480, 0x80, 60, 0 }, { 480, 0xb0, 64, 127 }, { 480, 0xb0, 7, 90 },
           { 0, 0x90, 64, 80 }, { 480, 0x80, 64, 0 });
}

static void test_chord_held_over_beats(void **state)
{
    (void)state;
    struct qnote *notes;
    struct quarter q[5];
    const struct ev e[] = { { 0, 0x90, 60, 80 }, { 0, 0x90, 64, 80 }, { 0, 0x90, 67, 80 }, { 1920, 0x80, 60, 0 },
                            { 0, 0x80, 64, 0 }, { 0, 0x80, 67, 0 } };
    uint32_t n = read_notes(480, e, COUNT_OF(e), false, &notes);
    quarters_from_notes(notes, n, 0, q, 5);
    for (int i = 0; i < 4; i++)
        for (int p = 60; p <= 67; p++)
            assert_int_equal(q[i].key[p - QUARTER_LOW], p == 60 || p == 64 || p == 67 ? UINT32_MAX : 0);
    assert_int_equal(q[4].key[60 - QUARTER_LOW], 0); /* every end is found */
    free(notes);
}

/* The file ends while they sound: they end with it. */
static void test_never_ended(void **state)
{
    (void)state;
    static const struct qnote want[] = { { 0, 64, 60, 0 }, { 32, 32, 64, 0 } };
    EXPECT(480, false, want, { 0, 0x90, 60, 80 }, { 480, 0x90, 64, 80 }, { 480, 0xb0, 7, 90 });
}

static void test_off_the_keyboard(void **state)
{
    (void)state;
    static const struct qnote want[] = { { 0, 32, 21, 0 } }; /* nothing comes in at the other end of the keyboard */
    EXPECT(480, false, want, { 0, 0x90, 20, 80 }, { 0, 0x90, 21, 80 }, { 0, 0x90, 109, 80 }, { 480, 0x80, 20, 0 },
           { 0, 0x80, 21, 0 }, { 0, 0x80, 109, 0 });
}

static void test_resolutions(void **state)
{
    (void)state;
    static const struct qnote want[] = { { 0, 32, 60, 0 }, { 32, 8, 62, 0 } };
    static const int divisions[] = { 24, 96, 384, 480, 1024 };
    for (size_t i = 0; i < COUNT_OF(divisions); i++) {
        int d = divisions[i];
        EXPECT(d, false, want, { 0, 0x90, 60, 80 }, { d, 0x80, 60, 0 }, { 0, 0x90, 62, 80 }, { d / 4, 0x80, 62, 0 });
    }
}

static void test_pedal(void **state)
{
    (void)state;
    static const struct qnote dry[] = { { 0, 16, 60, 0 }, { 32, 16, 60, 0 }, { 64, 16, 62, 0 } };
    static const struct qnote held[] = { { 0, 32, 60, 0 }, { 32, 64, 60, 0 }, { 64, 32, 62, 0 } };
#define PEDALLED { 0, 0xb0, 64, 127 }, { 0, 0x90, 60, 80 }, { 240, 0x80, 60, 0 }, { 240, 0x90, 60, 80 }, \
    { 240, 0x80, 60, 0 }, { 240, 0x90, 62, 80 }, { 240, 0x80, 62, 0 }, { 240, 0xb0, 64, 0 }
    EXPECT(480, false, dry, PEDALLED);
    EXPECT(480, true, held, PEDALLED);
}

/* ---- merging, pictures ---- */

static void test_merge(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    struct qnote *got;
    uint32_t n;
    track_add(&s->tracks[ROLE_DRUMS], (struct note){ 0, 100, 36, 100 });
    track_add(&s->tracks[ROLE_PIANO], (struct note){ 0, 960, 60, 70 });
    track_add(&s->tracks[ROLE_GUITAR], (struct note){ 0, 480, 60, 90 });    /* one column: the longer stays */
    track_add(&s->tracks[ROLE_BASS], (struct note){ 480, 240, 60, 80 });    /* cuts it */
    track_add(&s->tracks[ROLE_BASS], (struct note){ 480, 240, 20, 80 });    /* below the keyboard */
    track_add(&s->tracks[ROLE_STRINGS], (struct note){ 960, 1, 108, 80 });  /* the highest key, at least a column */
    assert_int_equal(qnotes_from_song(s, 0, 1920, &got, &n), ERR_OK);
    static const struct qnote want[] = { { 0, 32, 60, 90 }, { 32, 16, 60, 80 }, { 64, 1, 108, 80 } };
    assert_int_equal(n, COUNT_OF(want));
    assert_memory_equal(got, want, sizeof(want));
    free(got);
    assert_int_equal(qnotes_from_song(s, 240, 600, &got, &n), ERR_OK); /* what sounds at the edges is cut there */
    static const struct qnote part[] = { { 0, 16, 60, 90 }, { 16, 8, 60, 80 } };
    assert_int_equal(n, COUNT_OF(part));
    assert_memory_equal(got, part, sizeof(part));
    free(got);
    song_free(s);
}

static void test_restruck(void **state)
{
    (void)state;
    const struct qnote notes[] = { { 0, 32, 60, 80 }, { 32, 8, 60, 80 }, { 40, 8, 60, 80 } };
    struct quarter q[2];
    struct qnote *back;
    uint32_t n;
    quarters_from_notes(notes, 3, 0, q, 2);
    assert_int_equal(q[0].key[39], 0x7fffffff); /* the stroke at the next beat begins here, with a gap */
    assert_int_equal(q[1].key[39], 0xff7f);
    quarters_to_notes(q, 2, 80, &back, &n);
    assert_int_equal(n, 3);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(back[i].start, notes[i].start);
    free(back);
}

/* Any picture comes back from its notes, and strokes keep their starts. */
static void test_round_trip(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 7, 1);
    for (int i = 0; i < 200; i++) {
        struct quarter q[3], again[3];
        struct qnote *notes;
        uint32_t n;
        memset(q, 0, sizeof(q));
        for (int k = 0; k < 60; k++)
            q[rng_below(&r, 3)].key[rng_below(&r, QUARTER_KEYS)] |= rng_u32(&r) & rng_u32(&r);
        quarters_to_notes(q, 3, 64, &notes, &n);
        quarters_from_notes(notes, n, 0, again, 3);
        assert_memory_equal(q, again, sizeof(q));
        free(notes);
    }
}

static void test_transposed(void **state)
{
    (void)state;
    struct quarter q = { { [0] = 1, [40] = 2, [87] = 4 } };
    struct quarter up = quarter_transposed(&q, 3), down = quarter_transposed(&q, -1);
    assert_true(up.key[3] == 1 && up.key[43] == 2 && up.key[87] == 0);
    assert_true(down.key[0] == 0 && down.key[39] == 2 && down.key[86] == 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounded_past_the_beat), cmocka_unit_test(test_doubled_note_on),
        cmocka_unit_test(test_orphan_note_off), cmocka_unit_test(test_time_of_controllers),
        cmocka_unit_test(test_chord_held_over_beats), cmocka_unit_test(test_never_ended),
        cmocka_unit_test(test_off_the_keyboard), cmocka_unit_test(test_resolutions),
        cmocka_unit_test(test_pedal), cmocka_unit_test(test_merge), cmocka_unit_test(test_restruck),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_transposed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
