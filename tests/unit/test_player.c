/* test_player.c: the transport frame by frame against a MIDI port of our own, and the player without a sound
 * card: it moves, loops, stops, takes edits while playing, and always ends what it began. The functions of
 * PortMidi below and in one_port.h take the library's place when the test is linked. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <portmidi.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "audio/transport.h"
#include "clock.h"
#include "midiout.h"
#include "one_port.h"
#include "open_port.h"
#include "player.h"
#include "rng.h"
#include "seq.h"
#include "song.h"
#include "synth.h"

enum { RATE = 48000, MAX_SENT = 200000 };

struct sent { PmTimestamp when; int status, a, b; };
static struct sent sent[MAX_SENT];
static atomic_int n_sent;
static const PmDeviceInfo port = {.name = "Test port", .output = 1};

const PmDeviceInfo *Pm_GetDeviceInfo(PmDeviceID id)
{
    return id == 0 ? &port : NULL;
}

const char *Pm_GetErrorText(PmError e)
{
    (void)e;
    return "no";
}

PmError Pm_OpenOutput(PortMidiStream **stream, PmDeviceID id, void *info, int32_t size, PmTimeProcPtr proc,
                      void *proc_info, int32_t late)
{
    (void)id, (void)info, (void)size, (void)proc, (void)proc_info, (void)late;
    *stream = (PortMidiStream *)&port;
    return pmNoError;
}

PmError Pm_Close(PortMidiStream *stream)
{
    (void)stream;
    return pmNoError;
}

PmError Pm_OpenInput(PortMidiStream **stream, PmDeviceID id, void *info, int32_t size, PmTimeProcPtr proc,
                     void *proc_info)
{
    (void)stream, (void)id, (void)info, (void)size, (void)proc, (void)proc_info;
    return pmInvalidDeviceId;
}

PmError Pm_WriteShort(PortMidiStream *stream, PmTimestamp when, int32_t msg)
{
    (void)stream;
    int i = atomic_load(&n_sent);
    if (i < MAX_SENT)
        sent[i] = (struct sent){when, Pm_MessageStatus(msg), Pm_MessageData1(msg), Pm_MessageData2(msg)};
    atomic_store(&n_sent, i + 1);
    return pmNoError;
}

/* Notes on minus notes off over everything sent: zero everywhere, never above one on the way. */
static int assert_all_ended(void)
{
    int on[16][128] = {0}, ons = 0, n = atomic_load(&n_sent);
    for (int i = 0; i < n; i++) {
        int c = sent[i].status & 15, kind = sent[i].status & 0xf0;
        if (kind == 0x90)
            ons++, on[c][sent[i].a]++;
        if (kind == 0x80)
            on[c][sent[i].a]--;
        if (kind <= 0x90)
            assert_in_range(on[c][sent[i].a], 0, 1);
    }
    for (int c = 0; c < 16; c++)
        for (int p = 0; p < 128; p++)
            assert_int_equal(on[c][p], 0);
    return ons;
}

static struct song *scale(int bars)
{
    struct song *s = song_new_band();
    for (int i = 0; i < 4 * bars; i++)
        track_add(song_track_of(s, ROLE_PIANO), (struct note){480 * i, 480, (uint8_t)(48 + i % 24), 100});
    track_add(song_track_of(s, ROLE_STRINGS), (struct note){0, 1920 * bars, 60, 80});
    return s;
}

/* ---- the transport alone, over a synthesizer ---- */

static void give(struct transport *t, struct command c)
{
    assert_true(transport_command(t, &c));
}

static double run(struct transport *t, double seconds, float *loudest)
{
    float l[256], r[256], peak = 0;
    for (size_t n = (size_t)lround(seconds * RATE / 256); n > 0; n--) {
        transport_run(t, l, r, 256, 0);
        for (int i = 0; i < 256; i++)
            peak = fmaxf(peak, fmaxf(fabsf(l[i]), fabsf(r[i])));
        for (struct seq *q = transport_retired(t); q; q = transport_retired(t))
            seq_free(q);
    }
    if (loudest)
        *loudest = peak;
    return (double)transport_now(t) / RATE;
}

static void test_transport_sounds(void **state)
{
    (void)state;
    struct synth *synth = NULL;
    assert_int_equal(synth_new("builtin", RATE, -8, &synth), ERR_OK);
    struct transport *t = transport_new(RATE, NULL);
    transport_set_synth(t, synth);
    struct song *s = scale(1);
    float peak;
    run(t, 0.2, &peak);
    assert_true(peak < 1e-4f && transport_idle(t));
    give(t, (struct command){.kind = CMD_SEQ, .seq = seq_new(s)});
    give(t, (struct command){.kind = CMD_PLAY, .epoch = 7});
    run(t, 1.0, &peak);
    assert_true(peak > 0.02f);
    assert_int_equal(transport_epoch(t), 7);
    assert_true(transport_playing(t) && !transport_idle(t));
    assert_in_range(transport_tick(t), 950, 970);
    assert_true(transport_level(t, 0) > 0.02f);
    assert_true(transport_level(t, 0) == 0);
    run(t, 1.1, NULL);
    assert_false(transport_playing(t));
    run(t, 6, NULL);
    run(t, 0.5, &peak);
    assert_true(peak == 0); /* not even computed any more */
    give(t, (struct command){.kind = CMD_AUDITION, .note = {0, 0, 60, 100, 100}});
    run(t, 0.05, &peak);
    assert_true(peak > 0.01f && !transport_idle(t));
    run(t, 0.2, NULL);
    assert_true(transport_idle(t));
    transport_free(t);
    synth_free(synth);
    song_free(s);
}

/* A loop whose length is no whole number of frames stays in step: 2000 rounds later to the tick. */
static void test_loop_does_not_drift(void **state)
{
    (void)state;
    struct transport *t = transport_new(RATE, NULL);
    struct song *s = scale(4);
    song_set_tempo(s, 0, 133.7);
    struct seq *q = seq_new(s);
    double from = seq_seconds(q, 480), len = seq_seconds(q, 600) - from;
    give(t, (struct command){.kind = CMD_SEQ, .seq = q});
    give(t, (struct command){.kind = CMD_LOOP, .loop = {480, 600}});
    give(t, (struct command){.kind = CMD_PLAY, .play = {480, 0, 0}});
    double now = run(t, 2000 * len, NULL);
    double into = fmod(now, len), want = 480 + into / len * 120;
    double off = fabs(transport_tick(t) - want);
    assert_true(off < 1.5 || off > 118.5);
    give(t, (struct command){.kind = CMD_STOP});
    run(t, 0.1, NULL);
    transport_free(t);
    song_free(s);
}

/* Any mixture of commands leaves nothing sounding after a stop. */
static void test_random_commands(void **state)
{
    (void)state;
    struct midiout *m = NULL;
    atomic_store(&n_sent, 0);
    assert_int_equal(open_port("test", &m), ERR_OK);
    struct transport *t = transport_new(RATE, m);
    struct rng r;
    rng_init(&r, 11, 0);
    for (int i = 0; i < 400; i++) {
        struct song *s = scale(1 + (int)rng_below(&r, 3));
        song_set_tempo(s, 0, 60 + rng_below(&r, 300));
        int32_t from = (int32_t)rng_below(&r, 3000);
        switch (rng_below(&r, 6)) {
        case 0: give(t, (struct command){.kind = CMD_SEQ, .seq = seq_new(s)}); break;
        case 1: give(t, (struct command){.kind = CMD_PLAY, .play = {from, 0, 0}}); break;
        case 2: give(t, (struct command){.kind = CMD_LOOP, .loop = {from, from - 400 + (int32_t)rng_below(&r, 900)}}); break;
        case 3: give(t, (struct command){.kind = CMD_STOP}); break;
        case 4: give(t, (struct command){.kind = CMD_AUDITION, .note = {(uint8_t)rng_below(&r, 3), 0, 60, 90, 50}}); break;
        case 5: break;
        }
        run(t, rng_uniform(&r) * 0.4, NULL);
        song_free(s);
        clock_sleep_until(clock_ns() + 300000); /* the port's ring is emptied in real time */
    }
    give(t, (struct command){.kind = CMD_STOP});
    run(t, 0.2, NULL);
    clock_sleep_until(clock_ns() + 50000000);
    assert_true(assert_all_ended() > 100);
    transport_free(t);
    midiout_close(m);
}

/* ---- the player without a card ---- */

static struct player *silent(const char *midi)
{
    struct player_opts o = {.audio = "none", .midi_out = midi, .rate = RATE, .gain_db = -8};
    struct player *p = NULL;
    assert_int_equal(player_new(&o, &p), ERR_OK);
    assert_int_equal(player_wait(p), PLAYER_SILENT);
    assert_true(strlen(player_note(p)) > 0);
    return p;
}

static void nap(int ms)
{
    clock_sleep_until(clock_ns() + (uint64_t)ms * 1000000u);
}

static void test_silent_clock(void **state)
{
    (void)state;
    struct player *p = silent(NULL);
    struct song *s = scale(1);
    assert_false(player_playing(p));
    player_set_song(p, s);
    player_play(p, 480);
    assert_true(player_playing(p)); /* at once */
    assert_in_range(player_tick(p), 480, 500);
    uint64_t start = clock_ns();
    nap(500);
    double want = 480 + (double)(clock_ns() - start) * 1e-9 * 960;
    assert_true(fabs(player_tick(p) - want) < 60);
    player_stop(p);
    assert_false(player_playing(p));
    int32_t at = player_tick(p);
    nap(60);
    assert_true(abs(player_tick(p) - at) < 30);
    player_play(p, 1800); /* near the end: it stops by itself */
    nap(300);
    assert_false(player_playing(p));
    float l, r;
    player_levels(p, &l, &r);
    assert_true(l == 0 && r == 0);
    player_free(p);
    player_free(NULL);
    song_free(s);
}

static void test_loop_and_live_edit(void **state)
{
    (void)state;
    atomic_store(&n_sent, 0);
    struct player *p = silent("test port");
    struct song *s = scale(2);
    song_set_tempo(s, 0, 240);
    player_set_song(p, s);
    player_set_loop(p, 0, 480);
    player_play(p, 0);
    for (int i = 0; i < 20; i++) {
        nap(25);
        assert_true(player_tick(p) >= 0 && player_tick(p) <= 490);
        s->tracks[ROLE_PIANO].mute = i % 2;
        player_set_song(p, s);
        player_audition(p, 5, 24, 70, 90, 20);
    }
    assert_true(player_playing(p));
    player_panic(p);
    assert_false(player_playing(p));
    nap(60);
    player_free(p);
    assert_true(assert_all_ended() > 20);
    int all_off = 0;
    for (int i = 0; i < atomic_load(&n_sent); i++)
        all_off += (sent[i].status & 0xf0) == 0xb0 && sent[i].a == 123;
    assert_true(all_off > 0);
    song_free(s);
}

/* Ideal moments, whatever the thread does: the interval between clicks is the song's to the millisecond. */
static void test_midi_moments(void **state)
{
    (void)state;
    atomic_store(&n_sent, 0);
    struct player *p = silent("test port");
    struct song *s = song_new_band();
    for (int i = 0; i < 16; i++)
        track_add(&s->tracks[ROLE_DRUMS], (struct note){120 * i, 60, 37, 100});
    song_set_tempo(s, 0, 150); /* a sixteenth = 100 ms */
    player_set_song(p, s);
    player_play(p, 0);
    nap(1200);
    player_stop(p);
    player_free(p);
    int n = 0;
    PmTimestamp first = 0;
    for (int i = 0; i < atomic_load(&n_sent); i++)
        if (sent[i].status == 0x99) {
            first = n ? first : sent[i].when;
            assert_in_range(sent[i].when - first, 100 * n - (n > 0), 100 * n + 1);
            n++;
        }
    assert_in_range(n, 11, 14);
    song_free(s);
}

static void test_unknown_things(void **state)
{
    (void)state;
    struct player_opts o = {.audio = "none", .midi_out = "no such port"};
    struct player *p = NULL;
    assert_int_equal(player_new(&o, &p), ERR_DEVICE);
    o = (struct player_opts){.audio = "auto", .soundfont = "/no/such/font.sf2", .gain_db = -8};
    assert_int_equal(player_new(&o, &p), ERR_OK);
    assert_int_equal(player_wait(p), PLAYER_SILENT);
    assert_non_null(strstr(player_note(p), "/no/such/font.sf2"));
    player_play(p, 0); /* no song: nothing to play */
    nap(30);
    assert_false(player_playing(p));
    player_free(p);
}

/* With whatever this machine has: a card, a server or nothing, the playhead moves. */
static void test_auto_moves(void **state)
{
    (void)state;
    struct player_opts o = {.audio = "auto", .soundfont = "builtin", .gain_db = -8};
    struct player *p = NULL;
    assert_int_equal(player_new(&o, &p), ERR_OK);
    struct song *s = scale(4);
    player_set_song(p, s);
    player_play(p, 0); /* while it loads */
    assert_true(player_playing(p));
    player_wait(p);
    print_message("%s\n", player_note(p));
    for (int i = 0; i < 40 && player_tick(p) < 200; i++) /* a sound server may begin with a long buffer */
        nap(100);
    assert_true(player_playing(p) && player_tick(p) >= 200);
    if (player_state(p) == PLAYER_SOUND) {
        float l, r;
        player_levels(p, &l, &r);
        assert_true(l > 0.01f && r > 0.01f);
    }
    player_free(p);
    song_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transport_sounds), cmocka_unit_test(test_loop_does_not_drift),
        cmocka_unit_test(test_random_commands),  cmocka_unit_test(test_silent_clock),
        cmocka_unit_test(test_loop_and_live_edit), cmocka_unit_test(test_midi_moments),
        cmocka_unit_test(test_unknown_things),   cmocka_unit_test(test_auto_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
