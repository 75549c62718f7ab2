/* test_seq.c: events come out sorted, paired and at the right second, whatever the song does. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "rng.h"
#include "seq.h"
#include "song.h"

static size_t count(const struct seq *q, enum seq_kind kind, int channel)
{
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++)
        n += q->events[i].kind == kind && (channel < 0 || q->events[i].channel == channel);
    return n;
}

/* On every channel and pitch: on, off, on, off..., and nothing is left sounding. */
static void assert_well_formed(const struct seq *q)
{
    static const int rank[] = {[SEQ_PROGRAM] = 0, [SEQ_CONTROL] = 0, [SEQ_OFF] = 1, [SEQ_ON] = 2};
    bool on[16][128] = {0};
    for (size_t i = 0; i < q->n; i++) {
        const struct seq_event *e = &q->events[i];
        if (i) {
            const struct seq_event *d = e - 1;
            assert_true(d->tick < e->tick || (d->tick == e->tick && rank[d->kind] <= rank[e->kind]));
            assert_true(d->seconds <= e->seconds);
        }
        if (e->kind == SEQ_ON || e->kind == SEQ_OFF) {
            assert_int_equal(on[e->channel][e->a], e->kind == SEQ_OFF);
            on[e->channel][e->a] = e->kind == SEQ_ON;
        }
    }
    for (int c = 0; c < 16; c++)
        for (int p = 0; p < 128; p++)
            assert_false(on[c][p]);
}

static void test_setup_and_order(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    track_add(song_track_of(s, ROLE_PIANO), (struct note){0, 480, 60, 100});
    track_add(song_track_of(s, ROLE_PIANO), (struct note){480, 480, 60, 90}); /* off and on at one tick */
    track_add(song_track_of(s, ROLE_DRUMS), (struct note){480, 120, 36, 110});
    struct seq *q = seq_new(s);
    assert_well_formed(q);
    assert_int_equal(count(q, SEQ_PROGRAM, -1), 5);
    assert_int_equal(count(q, SEQ_CONTROL, -1), 20);
    assert_int_equal(count(q, SEQ_ON, 9), 1);
    assert_int_equal(q->events[0].kind, SEQ_PROGRAM);
    assert_int_equal(q->end_tick, 4 * 480);
    assert_true(q->end_seconds == 2.0);
    seq_free(q);
    song_free(s);
}

static void test_mute_solo_stem(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    for (int r = 0; r < N_ROLES; r++)
        track_add(&s->tracks[r], (struct note){480 * r, 240, (uint8_t)(40 + r), 80});
    struct track *bass = song_track_of(s, ROLE_BASS);
    bass->mute = true;
    struct seq *q = seq_new(s);
    assert_int_equal(count(q, SEQ_ON, -1), 4);
    assert_int_equal(count(q, SEQ_ON, bass->channel), 0);
    seq_free(q);

    bass->mute = false;
    bass->solo = true;
    q = seq_new(s);
    assert_int_equal(count(q, SEQ_ON, -1), 1);
    assert_int_equal(count(q, SEQ_PROGRAM, -1), 1);
    assert_int_equal(q->end_tick, 2 * 4 * 480); /* as long as the whole song */
    seq_free(q);

    q = seq_new_tracks(s, 1u << ROLE_PIANO);
    assert_int_equal(count(q, SEQ_ON, -1), 1);
    assert_int_equal(count(q, SEQ_ON, song_track_of(s, ROLE_PIANO)->channel), 1);
    seq_free(q);
    song_free(s);
}

static void test_channels(void **state)
{
    (void)state;
    struct song *s = song_new();
    for (int k = 0; k < 18; k++) {
        struct track *t = song_add_track(s, "x", k == 4 ? ROLE_DRUMS : ROLE_GUITAR);
        t->program = (uint8_t)(k == 17 ? 3 : k);
        t->channel = 2; /* as badly made files have it */
        track_add(t, (struct note){480 * k, 240, 60, 80});
    }
    struct seq *q = seq_new(s);
    static const uint8_t want[18] = {0, 1, 2, 3, 9, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 0, 3};
    for (size_t i = 0; i < q->n; i++)
        if (q->events[i].kind == SEQ_ON)
            assert_int_equal(q->events[i].channel, want[q->events[i].tick / 480]);
    seq_free(q);
    song_free(s);
}

static void test_overlaps_are_cut(void **state)
{
    (void)state;
    struct song *s = song_new();
    struct track *t = song_add_track(s, "a", ROLE_PIANO);
    track_add(t, (struct note){0, 960, 60, 100});
    track_add(t, (struct note){480, 960, 60, 50});
    track_add(t, (struct note){480, 240, 60, 70}); /* doubled: the longer stays */
    struct seq *q = seq_new(s);
    assert_well_formed(q);
    assert_int_equal(count(q, SEQ_ON, -1), 2);
    assert_int_equal(q->events[q->n - 1].tick, 1440);
    seq_free(q);
    song_free(s);
}

static void test_tempo_map(void **state)
{
    (void)state;
    struct song *s = song_new();
    struct track *t = song_add_track(s, "a", ROLE_PIANO);
    song_set_tempo(s, 0, 60);
    song_set_tempo(s, 960, 240);
    track_add(t, (struct note){480, 480, 60, 100});
    track_add(t, (struct note){1920, 480, 62, 100});
    struct seq *q = seq_new(s);
    for (size_t i = 0; i < q->n; i++)
        assert_true(q->events[i].seconds - song_seconds(s, q->events[i].tick) < 1e-9 &&
                    song_seconds(s, q->events[i].tick) - q->events[i].seconds < 1e-9);
    assert_float_equal(seq_seconds(q, 480), 1.0, 1e-9);
    assert_float_equal(seq_seconds(q, 1440), 2.25, 1e-9);
    for (int tick = 0; tick < 4000; tick += 7)
        assert_float_equal(seq_tick(q, seq_seconds(q, tick)), tick, 1e-6);
    size_t first = seq_first_at(q, 2.0);
    assert_true(q->events[first].seconds >= 2.0 && q->events[first - 1].seconds < 2.0);
    assert_int_equal(seq_first_at(q, 1e9), q->n);
    assert_int_equal(seq_first_at(q, 0), 0);
    seq_free(q);
    song_free(s);
}

static void test_random_songs(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 7, 0);
    for (int round = 0; round < 200; round++) {
        struct song *s = song_new();
        for (int k = 0; k < 20; k++) { /* more parts than channels */
            struct track *t = song_add_track(s, "x", k == 3 ? ROLE_DRUMS : ROLE_GUITAR);
            for (uint32_t n = rng_below(&r, 40); n > 0; n--)
                track_add(t, (struct note){(int32_t)rng_below(&r, 2000), 1 + (int32_t)rng_below(&r, 900),
                                           (uint8_t)(60 + rng_below(&r, 4)), (uint8_t)(1 + rng_below(&r, 127))});
        }
        song_set_tempo(s, (int32_t)rng_below(&r, 1500), 40 + rng_below(&r, 200));
        struct seq *q = seq_new(s);
        assert_well_formed(q);
        seq_free(q);
        song_free(s);
    }
}

static void test_empty(void **state)
{
    (void)state;
    struct song *s = song_new();
    struct seq *q = seq_new(s);
    assert_int_equal(q->n, 0);
    assert_int_equal(seq_first_at(q, 0), 0);
    seq_free(q);
    seq_free(NULL);
    song_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setup_and_order), cmocka_unit_test(test_mute_solo_stem),
        cmocka_unit_test(test_channels),      cmocka_unit_test(test_overlaps_are_cut), cmocka_unit_test(test_tempo_map),
        cmocka_unit_test(test_random_songs),    cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
