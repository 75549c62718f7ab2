/* The band model's language: rounding, round trips, the order of cells, and that every target of every
 * sequence is one the sampler's masks allow. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "model/codec.h"
#include "rng.h"

enum { MAX_NOTES = 400, MAX_STEPS = 512 };

/* A random phrase off the model's grid; some roles silent. Returns the number of notes. */
static uint32_t random_phrase(struct rng *r, struct pnote *out)
{
    uint32_t n = rng_below(r, MAX_NOTES), silent = rng_below(r, 1 << N_ROLES);
    for (uint32_t i = 0; i < n; i++) {
        out[i].role = (uint8_t)rng_below(r, N_ROLES);
        if (silent >> out[i].role & 1)
            out[i].role = ROLE_PIANO;
        out[i].pitch = (uint8_t)(out[i].role == ROLE_DRUMS ? 30 + rng_below(r, 60) : rng_below(r, 128));
        out[i].vel = (uint8_t)(1 + rng_below(r, 127));
        out[i].start = (uint8_t)rng_below(r, PHRASE_STEPS);
        out[i].dur = (uint8_t)(1 + rng_below(r, PHRASE_STEPS));
    }
    return n;
}

static void test_tables(void **state)
{
    (void)state;
    for (int pos = 0; pos < CODEC_POS; pos++)
        assert_int_equal(codec_pos(codec_pos_step(pos)), pos);
    for (int step = 0; step < PHRASE_BAR_STEPS; step++)
        assert_in_range(abs(codec_pos_step(codec_pos(step)) - step), 0, 1);
    for (int dur = 0; dur < CODEC_DUR; dur++)
        assert_int_equal(codec_dur(codec_dur_steps(dur)), dur);
    for (int steps = 2; steps <= PHRASE_STEPS; steps++)
        assert_true(codec_dur(steps) >= codec_dur(steps - 1));
    for (int vel = 0; vel < CODEC_VEL; vel++)
        assert_int_equal(codec_vel(codec_vel_midi(vel)), vel);
    static const int border[][2] = { { 0, 0 }, { 1, 1 }, { 6, 1 }, { 7, 2 }, { 13, 2 }, { 14, 3 }, { 24, 3 }, { 25, 4 },
                                     { 40, 4 }, { 41, 5 }, { 64, 5 }, { 65, 6 }, { 100, 6 }, { 101, 7 }, { 5000, 7 } };
    for (size_t i = 0; i < COUNT_OF(border); i++)
        assert_int_equal(codec_density(border[i][0]), border[i][1]);
    for (int rank = 0; rank < N_ROLES; rank++)
        assert_int_equal(codec_rank(codec_role(rank)), rank);
}

static void test_pitch(void **state)
{
    (void)state;
    for (int shift = -6; shift <= 6; shift++)
        for (int midi = 0; midi < 128; midi++) {
            int pitch = codec_pitch(ROLE_PIANO, midi, shift), back = codec_pitch_midi(pitch, shift);
            assert_in_range(pitch, 0, CODEC_PITCHED - 1);
            assert_int_equal((back - midi) % 12, 0);
            if (midi + shift >= CODEC_LOW && midi + shift < CODEC_LOW + CODEC_PITCHED)
                assert_int_equal(back, midi);
        }
    for (int midi = 0; midi < 128; midi++) {
        int pitch = codec_pitch(ROLE_DRUMS, midi, 3);
        assert_int_equal(pitch >= 0, midi >= 35 && midi <= 81);
        if (pitch >= 0) {
            assert_in_range(pitch, CODEC_PITCHED, CODEC_PITCH - 1);
            assert_int_equal(codec_pitch_midi(pitch, -2), midi);
        }
    }
}

static void test_key(void **state)
{
    (void)state;
    for (int tonic = 0; tonic < 12; tonic++) {
        int major = key_home((struct key){ (int8_t)tonic, false });
        int minor = key_home((struct key){ (int8_t)tonic, true });
        assert_true(major >= -6 && major <= 5 && minor >= -6 && minor <= 5);
        assert_int_equal((tonic + major + 12) % 12, 0);
        assert_int_equal((tonic + minor + 12) % 12, 9);
    }
    assert_int_equal(key_home((struct key){ -1, false }), 0);

    /* A D major scale on the piano, and drums that must not count. */
    static const uint8_t scale[] = { 62, 64, 66, 67, 69, 71, 73, 74 };
    struct pnote notes[16];
    for (int i = 0; i < 8; i++) {
        notes[i] = (struct pnote){ ROLE_PIANO, scale[i], 80, (uint8_t)(i * 6), i == 0 || i == 7 || i == 4 ? 24 : 6 };
        notes[i + 8] = (struct pnote){ ROLE_DRUMS, 36, 80, (uint8_t)(i * 6), 3 };
    }
    struct key k = codec_key(notes, 16, CODEC_ALL_CELLS);
    assert_int_equal(k.tonic, 2);
    assert_false(k.minor);
    assert_int_equal(codec_key(notes + 1, 15, CODEC_ALL_CELLS).tonic, -1);
    assert_int_equal(codec_key(notes, 16, codec_role_cells(codec_rank(ROLE_BASS))).tonic, -1);
}

/* phrase -> notes -> steps -> notes -> phrase: once on the grid, nothing changes any more. */
static void test_round_trip(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 1, 0);
    for (int round = 0; round < 300; round++) {
        struct pnote raw[MAX_NOTES], back[MAX_NOTES], again[MAX_NOTES];
        struct codec_note notes[MAX_NOTES], read[MAX_NOTES], second[MAX_NOTES];
        struct codec_step steps[MAX_STEPS];
        uint32_t n_raw = random_phrase(&r, raw), kept = rng_u32(&r) & CODEC_ALL_CELLS;
        int shift = (int)rng_below(&r, 12) - 6, n = codec_notes(raw, n_raw, shift, notes);
        int length = codec_steps(notes, n, kept, 3, steps, MAX_STEPS);
        assert_int_equal(length, codec_length(notes, n));
        assert_int_equal(codec_read(steps, length, read, MAX_NOTES), n);
        assert_memory_equal(read, notes, (size_t)n * sizeof *notes);
        assert_int_equal(codec_pnotes(read, n, shift, back), n);
        assert_int_equal(codec_notes(back, (uint32_t)n, shift, second), n);
        assert_memory_equal(second, notes, (size_t)n * sizeof *notes);
        codec_pnotes(second, n, shift, again);
        assert_memory_equal(again, back, (size_t)n * sizeof *back);
    }
}

static void test_notes_stay_near(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 2, 0);
    for (int round = 0; round < 200; round++) {
        struct pnote raw, back;
        struct codec_note note;
        raw = (struct pnote){ ROLE_GUITAR, (uint8_t)(40 + rng_below(&r, 40)), 77, (uint8_t)rng_below(&r, PHRASE_STEPS),
                              (uint8_t)(1 + rng_below(&r, PHRASE_STEPS)) };
        assert_int_equal(codec_notes(&raw, 1, 2, &note), 1);
        codec_pnotes(&note, 1, 2, &back);
        assert_int_equal(back.role, raw.role);
        assert_int_equal(back.pitch, raw.pitch);
        assert_in_range(abs(back.start - raw.start), 0, 1);
        assert_int_equal(back.start / PHRASE_BAR_STEPS, raw.start / PHRASE_BAR_STEPS);
        assert_true(back.dur * 4 >= raw.dur * 3 - 3 && back.dur * 3 <= raw.dur * 4 + 3);
    }
}

/* Doubles are merged to the longest and loudest; a drum's length does not matter. */
static void test_merge(void **state)
{
    (void)state;
    static const struct pnote raw[] = {
        { ROLE_PIANO, 60, 40, 0, 6 }, { ROLE_PIANO, 60, 90, 1, 3 }, { ROLE_PIANO, 64, 40, 0, 6 },
        { ROLE_DRUMS, 36, 100, 0, 1 }, { ROLE_DRUMS, 36, 100, 48, 40 }, { ROLE_DRUMS, 20, 100, 0, 3 },
    };
    struct codec_note out[COUNT_OF(raw)];
    assert_int_equal(codec_notes(raw, COUNT_OF(raw), 0, out), 4);
    assert_int_equal(out[0].dur, codec_dur(3));
    assert_int_equal(out[3].dur, codec_dur(3));
    assert_int_equal(out[1].pitch, 60 - CODEC_LOW);
    assert_int_equal(out[1].dur, codec_dur(6));
    assert_int_equal(out[1].vel, codec_vel(90));
}

static bool is_tag(const struct codec_step *s, int first, int n)
{
    return s->in[IN_TAG] >= first && s->in[IN_TAG] < first + n;
}

static void check_step(const struct codec_step *s, const struct codec_step *next)
{
    if (s->out[HEAD_POS] >= 0)
        assert_true(codec_pos_legal(s, s->out[HEAD_POS]));
    if (s->out[HEAD_PITCH] >= 0)
        assert_true(codec_pitch_legal(s, s->out[HEAD_POS], s->out[HEAD_PITCH]));
    bool note = next && is_tag(next, TAG_NOTE, CODEC_CELLS);
    assert_int_equal(note, s->out[HEAD_PITCH] >= 0);
    assert_int_equal(note, s->out[HEAD_VEL] >= 0);
    if (note) {
        assert_int_equal(next->in[IN_POS], s->out[HEAD_POS]);
        assert_int_equal(next->in[IN_PITCH], s->out[HEAD_PITCH]);
        assert_int_equal(next->in[IN_VEL], s->out[HEAD_VEL]);
        bool drum = next->in[IN_PITCH] >= CODEC_PITCHED;
        assert_int_equal(s->out[HEAD_DUR], drum ? -1 : next->in[IN_DUR]);
    } else if (is_tag(s, TAG_CELL, N_TAGS - TAG_CELL)) {
        assert_int_equal(s->out[HEAD_POS], CODEC_END);
    }
}

static void test_sequence(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 3, 0);
    for (int round = 0; round < 300; round++) {
        struct pnote raw[MAX_NOTES];
        struct codec_note notes[MAX_NOTES];
        struct codec_step s[MAX_STEPS];
        uint32_t n_raw = random_phrase(&r, raw), kept = rng_u32(&r) & rng_u32(&r) & CODEC_ALL_CELLS, seen = 0;
        int n = codec_notes(raw, n_raw, 1, notes), count[N_ROLES], cls[N_ROLES];
        int length = codec_steps(notes, n, kept, 2, s, MAX_STEPS), last = -1;
        bool free_part = false;
        codec_densities(notes, n, count, cls);
        assert_int_equal(s[0].in[IN_TAG], TAG_START);
        for (int i = 0; i < length; i++) {
            assert_int_equal(s[i].in[IN_GENRE], 2);
            check_step(&s[i], i + 1 < length ? &s[i + 1] : NULL);
            if (i < N_ROLES) {
                assert_int_equal(s[i].out[HEAD_POS], CODEC_CLASS0 + cls[i]);
                assert_int_equal(s[i + 1].in[IN_TAG], TAG_DENSITY + i);
                assert_int_equal(s[i + 1].in[IN_CLASS], cls[i]);
            }
            if (i < CODEC_HEADER)
                continue;
            int cell = (s[i].in[IN_TAG] - TAG_CELL) % CODEC_CELLS;
            bool is_kept = kept >> cell & 1;
            assert_int_equal(s[i].in[IN_KEPT], is_kept);
            assert_true(cls[codec_cell_rank(cell)] > 0);
            if (is_tag(&s[i], TAG_CELL, CODEC_CELLS)) {
                if (!is_kept && !free_part) {
                    free_part = true;
                    last = -1;
                }
                assert_true(cell > last && is_kept != free_part);
                last = cell;
                seen |= 1u << cell;
            }
        }
        for (int cell = 0; cell < CODEC_CELLS; cell++)
            assert_int_equal(seen >> cell & 1, cls[codec_cell_rank(cell)] > 0);
    }
}

static void test_too_long(void **state)
{
    (void)state;
    static const struct pnote raw[] = { { ROLE_BASS, 40, 80, 0, 12 }, { ROLE_BASS, 43, 80, 24, 12 } };
    struct codec_note notes[2];
    struct codec_step steps[12];
    int n = codec_notes(raw, 2, 0, notes);
    assert_int_equal(codec_length(notes, n), CODEC_HEADER + 4 + 2);
    assert_int_equal(codec_steps(notes, n, 0, 0, steps, 11), 0);
    assert_int_equal(codec_steps(notes, n, 0, 0, steps, 12), 12);
}

/* What must not be drawn: END in the header, classes in a cell, going back, the wrong kind of pitch. */
static void test_illegal(void **state)
{
    (void)state;
    struct codec_step start = codec_start(0), density = codec_density_step(0, 1, 3);
    struct codec_step last = codec_density_step(0, N_ROLES - 1, 3);
    struct codec_step cell = codec_cell_step(0, codec_cell(1, codec_rank(ROLE_BASS)), false);
    struct codec_note n = { .cell = (uint8_t)codec_cell(1, codec_rank(ROLE_BASS)), .pos = 9, .pitch = 20, .dur = 3, .vel = 4 };
    struct codec_step note = codec_note_step(0, &n, false);
    n.pitch = CODEC_PITCHED - 1;
    struct codec_step top = codec_note_step(0, &n, false);
    struct codec_step drum = codec_cell_step(0, codec_cell(0, codec_rank(ROLE_DRUMS)), true);
    assert_false(codec_pos_legal(&start, CODEC_END));
    assert_false(codec_pos_legal(&start, 0));
    assert_true(codec_pos_legal(&density, CODEC_CLASS0));
    assert_false(codec_pos_legal(&last, CODEC_CLASS0));
    assert_false(codec_pos_legal(&cell, CODEC_CLASS0));
    assert_true(codec_pos_legal(&cell, 0));
    assert_false(codec_pos_legal(&note, 8));
    assert_true(codec_pos_legal(&note, 9));
    assert_false(codec_pos_legal(&top, 9));
    assert_true(codec_pos_legal(&top, CODEC_END));
    assert_false(codec_pitch_legal(&note, 9, 20));
    assert_true(codec_pitch_legal(&note, 9, 21));
    assert_true(codec_pitch_legal(&note, 10, 0));
    assert_false(codec_pitch_legal(&cell, 0, CODEC_PITCHED));
    assert_false(codec_pitch_legal(&drum, 0, CODEC_PITCHED - 1));
    assert_true(codec_pitch_legal(&drum, 0, CODEC_PITCH - 1));
    assert_false(codec_pitch_legal(&start, 0, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables), cmocka_unit_test(test_pitch), cmocka_unit_test(test_key),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_notes_stay_near), cmocka_unit_test(test_merge),
        cmocka_unit_test(test_sequence), cmocka_unit_test(test_too_long), cmocka_unit_test(test_illegal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
