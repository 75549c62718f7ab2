/* test_transport.c: what the transport sends besides the song, message by message with its moment: the
 * metronome, a count-in, MIDI clock, a part, notes of the hand. The port below takes midiout.c's place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>
#include "audio/transport.h"
#include "midiout.h"
#include "player.h"
#include "seq.h"
#include "song.h"

enum { RATE = 48000, MAX_SENT = 20000 };
struct sent { double s; int status, a, b; };
static struct sent sent[MAX_SENT];
static int n_sent;
static bool renewed;
static struct midiout *const port = (struct midiout *)&n_sent;

bool midiout_send(struct midiout *m, unsigned long long at_ns, int status, int a, int b)
{
    (void)m;
    assert_true(n_sent < MAX_SENT);
    sent[n_sent++] = (struct sent){(double)at_ns * 1e-9, status, a, b};
    return true;
}

void midiout_panic(struct midiout *m)
{
    (void)m;
}

bool midiout_renewed(struct midiout *m)
{
    (void)m;
    bool was = renewed;
    renewed = false;
    return was;
}

static void give(struct transport *t, struct command c)
{
    assert_true(transport_command(t, &c));
}

static void run(struct transport *t, double seconds)
{
    for (long n = lround(seconds * RATE / 240); n > 0; n--) {
        transport_run(t, NULL, NULL, 240, transport_now(t) * 1000000000ull / RATE);
        for (struct seq *q = transport_retired(t); q; q = transport_retired(t))
            seq_free(q);
    }
}

/* Four bars of 3/4 at 120 with a note a beat on the piano. */
static struct transport *fresh(void)
{
    struct song *s = song_new_band();
    song_set_metre(s, 0, 3, 4);
    for (int i = 0; i < 12; i++)
        track_add(song_track_of(s, ROLE_PIANO), (struct note){480 * i, 240, 60, 100});
    struct transport *t = transport_new(RATE, port);
    give(t, (struct command){.kind = CMD_SEQ, .seq = seq_new(s)});
    run(t, 0.1);
    song_free(s);
    n_sent = 0;
    return t;
}

static int count(int status, int a)
{
    int n = 0;
    for (int i = 0; i < n_sent; i++)
        n += sent[i].status == status && (a < 0 || sent[i].a == a);
    return n;
}

static double moment(int status, int a, int nth)
{
    for (int i = 0; i < n_sent; i++)
        if (sent[i].status == status && (a < 0 || sent[i].a == a) && nth-- == 0)
            return sent[i].s;
    fail_msg("no message %x %d", (unsigned)status, a);
    return 0;
}

static void assert_near(double a, double b)
{
    if (fabs(a - b) > 0.0001)
        fail_msg("%f is not %f", a, b);
}

static void test_metronome(void **state)
{
    (void)state;
    struct transport *t = fresh();
    give(t, (struct command){.kind = CMD_CLICK, .on = true});
    give(t, (struct command){.kind = CMD_PLAY});
    run(t, 6.5);
    assert_int_equal(count(0x99, 76), 4); /* accents on the bars of 3/4 */
    assert_int_equal(count(0x99, 77), 8);
    assert_int_equal(count(0x89, 76) + count(0x89, 77), 12);
    for (int i = 0; i < 4; i++)
        assert_near(moment(0x99, 76, i), moment(0x90, 60, 3 * i));
    assert_false(transport_playing(t));
    n_sent = 0; /* round a loop every bar has its clicks, none twice */
    give(t, (struct command){.kind = CMD_LOOP, .loop = {1440, 2880}});
    give(t, (struct command){.kind = CMD_PLAY, .play = {1440, 0, 0}});
    run(t, 6.0);
    give(t, (struct command){.kind = CMD_STOP});
    run(t, 0.1);
    assert_int_equal(count(0x99, 76), 4);
    assert_int_equal(count(0x99, 77), 8);
    assert_int_equal(count(0x99, -1), count(0x89, -1));
    transport_free(t);
}

static void test_count_in(void **state)
{
    (void)state;
    struct transport *t = fresh();
    give(t, (struct command){.kind = CMD_PLAY, .play = {1440, 0, 2}});
    run(t, 0.2);
    assert_int_equal(transport_counting(t), 5);
    assert_int_equal(transport_tick(t), 1440); /* waits there */
    run(t, 3.3);
    assert_int_equal(count(0x99, 76), 2); /* two bars of three, then no metronome */
    assert_int_equal(count(0x99, 77), 4);
    assert_int_equal(transport_counting(t), 0);
    assert_near(moment(0x90, 60, 0) - moment(0x99, 76, 0), 3.0);
    give(t, (struct command){.kind = CMD_PLAY, .play = {0, 0, 2}}); /* stopped half way: no late click */
    run(t, 1.2);
    give(t, (struct command){.kind = CMD_STOP});
    n_sent = 0;
    run(t, 2);
    assert_int_equal(count(0x99, -1), 0);
    transport_free(t);
}

/* An edit during the count-in brings nothing from before the start. */
static void test_edit_in_count_in(void **state)
{
    (void)state;
    struct transport *t = fresh();
    struct song *s = song_new_band();
    for (int i = 0; i < 12; i++)
        track_add(song_track_of(s, ROLE_PIANO), (struct note){480 * i, 240, (uint8_t)(40 + i), 100});
    give(t, (struct command){.kind = CMD_PLAY, .play = {1920, 0, 1}});
    run(t, 0.2);
    give(t, (struct command){.kind = CMD_SEQ, .seq = seq_new(s)});
    run(t, 2.0);
    assert_int_equal(count(0x90, 44), 1);
    assert_int_equal(count(0x90, 43) + count(0x90, 42) + count(0x90, 60), 0);
    transport_free(t);
    song_free(s);
}

static void test_clock(void **state)
{
    (void)state;
    struct transport *t = fresh();
    give(t, (struct command){.kind = CMD_PLAY}); /* off: nothing of it */
    run(t, 1);
    give(t, (struct command){.kind = CMD_CLOCK, .on = true}); /* switching on starts nobody */
    run(t, 1);
    assert_int_equal(count(0xfa, -1) + count(0xfb, -1) + count(0xfc, -1), 0);
    assert_in_range(count(0xf8, -1), 47, 49);
    give(t, (struct command){.kind = CMD_STOP});
    run(t, 0.1);
    assert_int_equal(count(0xfc, -1), 0); /* nor stops who was not started */
    n_sent = 0;
    give(t, (struct command){.kind = CMD_PLAY});
    run(t, 6.2);
    assert_int_equal(count(0xf8, -1), 12 * 24);
    assert_int_equal(count(0xfa, -1), 1);
    assert_int_equal(count(0xfc, -1), 1);
    assert_int_equal(sent[0].status, 0xfa);
    for (int i = 0; i < 12 * 24; i++)
        assert_near(moment(0xf8, -1, i) - moment(0xfa, -1, 0), i / 48.0);
    n_sent = 0; /* from bar 2: where, then on; the loop keeps the slaves running */
    give(t, (struct command){.kind = CMD_LOOP, .loop = {1440, 2880}});
    give(t, (struct command){.kind = CMD_PLAY, .play = {1440, 0, 0}});
    run(t, 4.5);
    assert_int_equal(count(0xf2, 12), 1);
    assert_int_equal(count(0xfb, -1), 1);
    assert_in_range(count(0xf8, -1), 215, 217);
    give(t, (struct command){.kind = CMD_CLOCK, .on = false});
    run(t, 0.2);
    assert_int_equal(count(0xfc, -1), 0);
    n_sent = 0; /* who was started is stopped, before the last notes end */
    run(t, 0.35);
    give(t, (struct command){.kind = CMD_STOP});
    run(t, 0.1);
    assert_int_equal(count(0xfc, -1), 1);
    assert_int_equal(count(0xf8, -1), 0);
    assert_true(count(0xb0, 123) == 1 && count(0xb0, 64) == 1);
    transport_free(t);
}

static void test_part(void **state)
{
    (void)state;
    struct transport *t = fresh();
    give(t, (struct command){.kind = CMD_LOOP, .loop = {0, 960}}); /* a part goes by no loop */
    give(t, (struct command){.kind = CMD_PLAY, .play = {480, 1920, 0}});
    run(t, 3);
    assert_false(transport_playing(t));
    assert_int_equal(count(0x90, 60), 3);
    assert_int_equal(count(0x80, 60), 3);
    n_sent = 0;
    give(t, (struct command){.kind = CMD_PLAY, .play = {4800, 9600, 0}}); /* beyond the last note: silence, but on */
    run(t, 4);
    assert_true(transport_playing(t));
    assert_int_equal(count(0x90, 60), 2);
    run(t, 1.5);
    assert_false(transport_playing(t));
    transport_free(t);
}

static struct heard hand(struct transport *t, double at_s, int pitch, int vel)
{
    struct command c = {.kind = CMD_HAND};
    c.hand.at_ns = (uint64_t)(at_s * 1e9);
    c.hand.channel = 2;
    c.hand.program = 33;
    c.hand.pitch = (uint8_t)pitch;
    c.hand.vel = (uint8_t)vel;
    give(t, c);
    run(t, 0.005);
    struct heard h = {-2, 0, 0};
    assert_true(transport_heard(t, &h));
    assert_false(transport_heard(t, &h));
    assert_int_equal(h.pitch, pitch);
    assert_int_equal(h.vel, vel);
    return h;
}

/* A note falls where the song was in the ear when the key went down. */
static void test_hand(void **state)
{
    (void)state;
    struct transport *t = fresh();
    assert_int_equal(hand(t, 0.1, 50, 90).tick, -1); /* nothing plays, but it sounds */
    assert_int_equal(count(0x92, 50), 1);
    assert_int_equal(hand(t, 0.11, 50, 0).tick, -1);
    assert_int_equal(count(0x82, 50), 1);
    give(t, (struct command){.kind = CMD_LATENCY, .ms = 50});
    give(t, (struct command){.kind = CMD_LOOP, .loop = {0, 1440}});
    double start = (double)transport_now(t) / RATE;
    give(t, (struct command){.kind = CMD_PLAY});
    run(t, 1.0);
    assert_int_equal(hand(t, start + 0.95 + 0.05, 50, 90).tick, 912); /* 0.95 s at 960 ticks a second */
    run(t, 0.52);
    n_sent = 0;
    assert_int_equal(hand(t, start + 1.47 + 0.05, 62, 90).tick, 1411); /* the turn has been rendered, not heard */
    run(t, 2.0);
    assert_int_equal(count(0x82, 62), 0); /* two turns of the loop later the hand still holds it */
    struct song *empty = song_new_band();
    give(t, (struct command){.kind = CMD_SEQ, .seq = seq_new(empty)});
    run(t, 0.1);
    assert_int_equal(count(0x82, 62), 0); /* nor does an edit take it away */
    give(t, (struct command){.kind = CMD_PANIC});
    run(t, 0.1);
    assert_int_equal(count(0x82, 62), 1);
    transport_free(t);
    song_free(empty);
}

static void test_hand_in_count_in(void **state)
{
    (void)state;
    struct transport *t = fresh();
    double start = (double)transport_now(t) / RATE;
    give(t, (struct command){.kind = CMD_PLAY, .play = {960, 0, 1}});
    run(t, 1.0);
    assert_int_equal(hand(t, start + 1.0, 50, 90).tick, -1); /* a beat too early */
    run(t, 0.46);
    assert_int_equal(hand(t, start + 1.46, 51, 90).tick, 960); /* a little: it is meant for the first beat */
    transport_free(t);
}

/* A port that comes is told the set-up; programs that are known are not sent twice. */
static void test_port_comes(void **state)
{
    (void)state;
    struct transport *t = fresh();
    give(t, (struct command){.kind = CMD_PLAY});
    run(t, 1);
    assert_int_equal(count(0xc0, -1), 0);
    renewed = true;
    run(t, 0.1);
    assert_int_equal(count(0xc0, -1), 1);
    assert_int_equal(count(0xb0, 7), 1);
    transport_free(t);
}

/* The mix changes under a held note, which goes on; muting ends it, once. */
static void test_mix_under_a_note(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    struct track *piano = song_track_of(s, ROLE_PIANO);
    track_add(piano, (struct note){0, 7680, 60, 100});
    struct transport *t = transport_new(RATE, port);
    give(t, (struct command){.kind = CMD_SEQ, .seq = seq_new(s)});
    give(t, (struct command){.kind = CMD_PLAY});
    run(t, 0.5);
    n_sent = 0;
    piano->volume = 20;
    piano->pan = 0;
    piano->program = 4;
    piano->reverb = 99;
    give(t, (struct command){.kind = CMD_SEQ, .seq = seq_new(s)});
    run(t, 0.5);
    assert_int_equal(n_sent, 4);
    assert_int_equal(count(0xc0, 4) + count(0xb0, 7) + count(0xb0, 10) + count(0xb0, 91), 4);
    piano->mute = true;
    give(t, (struct command){.kind = CMD_SEQ, .seq = seq_new(s)});
    run(t, 0.5);
    assert_int_equal(count(0x80, 60), 1);
    assert_int_equal(count(0x90, 60), 0);
    transport_free(t);
    song_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metronome),   cmocka_unit_test(test_count_in),
        cmocka_unit_test(test_edit_in_count_in), cmocka_unit_test(test_clock),
        cmocka_unit_test(test_part),        cmocka_unit_test(test_hand),
        cmocka_unit_test(test_hand_in_count_in), cmocka_unit_test(test_port_comes),
        cmocka_unit_test(test_mix_under_a_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
