/* test_record.c: from a MIDI input to notes in the song, through the thread that reads it, the player without a
 * card and the desk. The functions of PortMidi below and in one_port.h take the library's place: their keyboard
 * plays what a test puts into it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <portmidi.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "command.h"
#include "one_port.h"
#include "player.h"

static const PmDeviceInfo keyboard = {.name = "Test keys", .input = 1};
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static PmEvent waiting[64];
static int n_waiting;

const PmDeviceInfo *Pm_GetDeviceInfo(PmDeviceID id)
{
    return id == 0 ? &keyboard : NULL;
}

PmError Pm_OpenOutput(PortMidiStream **stream, PmDeviceID id, void *info, int32_t size, PmTimeProcPtr proc,
                      void *proc_info, int32_t late)
{
    (void)stream, (void)id, (void)info, (void)size, (void)proc, (void)proc_info, (void)late;
    return pmInvalidDeviceId;
}

PmError Pm_OpenInput(PortMidiStream **stream, PmDeviceID id, void *info, int32_t size, PmTimeProcPtr proc,
                     void *proc_info)
{
    (void)id, (void)info, (void)size, (void)proc, (void)proc_info;
    *stream = (PortMidiStream *)&keyboard;
    return pmNoError;
}

PmError Pm_SetFilter(PortMidiStream *stream, int32_t filters)
{
    (void)stream, (void)filters;
    return pmNoError;
}

PmError Pm_Close(PortMidiStream *stream)
{
    (void)stream;
    return pmNoError;
}

PmError Pm_WriteShort(PortMidiStream *stream, PmTimestamp when, int32_t msg)
{
    (void)stream, (void)when, (void)msg;
    return pmNoError;
}

int Pm_Read(PortMidiStream *stream, PmEvent *buffer, int32_t length)
{
    (void)stream;
    pthread_mutex_lock(&mutex);
    int n = n_waiting < length ? n_waiting : length;
    memcpy(buffer, waiting, (size_t)n * sizeof *buffer);
    n_waiting -= n;
    memmove(waiting, waiting + n, (size_t)n_waiting * sizeof *waiting);
    pthread_mutex_unlock(&mutex);
    return n;
}

static void nap(int ms)
{
    clock_sleep_until(clock_ns() + (uint64_t)ms * 1000000u);
}

struct stage { struct desk desk; struct player *player; };

/* What the screen does between frames. */
static void look(struct stage *s, int ms)
{
    struct heard h;
    for (uint64_t until = clock_ns() + (uint64_t)ms * 1000000u; clock_ns() < until; nap(5)) {
        while (player_heard(s->player, &h))
            desk_heard(&s->desk, &h);
        s->desk.playing = player_playing(s->player);
        s->desk.playhead = player_tick(s->player);
        desk_moved(&s->desk);
    }
}

static void key(struct stage *s, int pitch, int vel, int hold_ms)
{
    PmTimestamp now = (PmTimestamp)(clock_ns() / 1000000u);
    pthread_mutex_lock(&mutex);
    waiting[n_waiting++] = (PmEvent){Pm_Message(0x90, pitch, vel), now};
    pthread_mutex_unlock(&mutex);
    look(s, hold_ms);
}

static enum err door_play(void *ctx, int32_t from)
{
    struct stage *s = ctx;
    player_set_song(s->player, session_song(s->desk.session));
    player_set_loop(s->player, s->desk.loop_from, s->desk.loop ? s->desk.loop_to : 0);
    player_play_part(s->player, from, s->desk.play_to, s->desk.sound.count_in);
    s->desk.playing = true;
    return ERR_OK;
}

static void door_stop(void *ctx)
{
    player_stop(((struct stage *)ctx)->player);
}

static void must(struct desk *d, const char *line)
{
    if (command_run(d, line) != ERR_OK)
        fail_msg("%s: %s", line, err_text());
}

static void set_up(struct stage *s)
{
    struct player_opts o = {.audio = "none", .gain_db = -8};
    desk_init(&s->desk);
    assert_int_equal(player_new(&o, &s->player), ERR_OK);
    player_wait(s->player);
    must(&s->desk, "midi-in test"); /* before there is a player: taken up with it */
    assert_string_equal(s->desk.sound.midi_in, "test");
    desk_set_player(&s->desk, s->player);
    s->desk.doors = (struct doors){.ctx = s, .play = door_play, .stop = door_stop};
    struct str name = {0};
    for (int i = 0; i < 200 && !player_midi_in(s->player, &name); i++)
        nap(10);
    assert_non_null(strstr(str_c(&name), "Test keys"));
    str_fini(&name);
}

static void tear_down(struct stage *s)
{
    desk_fini(&s->desk);
    player_free(s->player);
}

/* Notes held together are one chord on one step; the next note is on the next. */
static void test_step(void **state)
{
    struct stage s = {0};
    (void)state;
    set_up(&s);
    must(&s.desk, "record");
    assert_int_equal(s.desk.record, RECORD_STEP);
    key(&s, 60, 90, 30);
    key(&s, 64, 80, 30);
    key(&s, 60, 0, 30);
    key(&s, 67, 70, 30); /* one key is still down: the same chord */
    key(&s, 64, 0, 30);
    key(&s, 67, 0, 60);
    key(&s, 72, 100, 30);
    key(&s, 72, 0, 60);
    const struct track *t = desk_track(&s.desk);
    assert_int_equal(t->n, 4);
    for (int i = 0; i < 3; i++)
        assert_int_equal(t->notes[i].tick, 0);
    assert_int_equal(t->notes[0].vel, 90);
    assert_int_equal(t->notes[3].pitch, 72);
    assert_int_equal(t->notes[3].tick, s.desk.len);
    must(&s.desk, "record");
    key(&s, 50, 90, 30);
    key(&s, 50, 0, 60);
    assert_int_equal(desk_track(&s.desk)->n, 4); /* off is off */
    tear_down(&s);
}

/* Played along: where it was heard, on the grid when asked, one step of undo a pass. */
static void test_live(void **state)
{
    struct stage s = {0};
    (void)state;
    set_up(&s);
    must(&s.desk, "tempo 120");
    must(&s.desk, "inputgrid 1/4");
    must(&s.desk, "record live");
    assert_true(s.desk.playing); /* an empty song, too */
    look(&s, 530);
    key(&s, 60, 90, 200);
    key(&s, 60, 0, 250);
    key(&s, 62, 90, 100);
    must(&s.desk, "stop");
    look(&s, 100);
    key(&s, 62, 0, 50);
    assert_int_equal(s.desk.record, RECORD_OFF);
    const struct track *t = desk_track(&s.desk);
    assert_int_equal(t->n, 2);
    assert_int_equal(t->notes[0].tick, 480);
    assert_in_range(t->notes[0].dur, 130, 330);
    assert_int_equal(t->notes[1].tick, 960);
    must(&s.desk, "undo");
    assert_int_equal(desk_track(&s.desk)->n, 0);
    tear_down(&s);
}

static void test_loop_overdub(void **state)
{
    struct stage s = {0};
    (void)state;
    set_up(&s);
    must(&s.desk, "tempo 240"); /* a bar = a second */
    must(&s.desk, "bars 1");
    must(&s.desk, "loop");
    must(&s.desk, "record live");
    look(&s, 300);
    key(&s, 60, 90, 100);
    key(&s, 60, 0, 900); /* into the second pass */
    assert_int_equal(desk_track(&s.desk)->n, 1); /* the first is written already */
    key(&s, 64, 90, 100);
    key(&s, 64, 0, 50);
    must(&s.desk, "stop");
    look(&s, 50);
    assert_int_equal(desk_track(&s.desk)->n, 2);
    must(&s.desk, "undo"); /* the last pass only */
    assert_int_equal(desk_track(&s.desk)->n, 1);
    assert_int_equal(desk_track(&s.desk)->notes[0].pitch, 60);
    must(&s.desk, "undo");
    assert_int_equal(desk_track(&s.desk)->n, 0);
    tear_down(&s);
}

static void test_without_input(void **state)
{
    struct desk d;
    (void)state;
    desk_init(&d);
    assert_int_equal(command_run(&d, "record"), ERR_UNSUPPORTED);
    assert_int_equal(d.record, RECORD_OFF);
    desk_fini(&d);
}

int main(void)
{
    setenv("XDG_STATE_HOME", "/nonexistent", 1); /* devices are not remembered by a test */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_live),
        cmocka_unit_test(test_loop_overdub),
        cmocka_unit_test(test_without_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
