/* player.c: the transport's keeper: one thread that loads the SoundFont, opens the audio driver, passes
 * commands on in order, and is itself the clock when there is no sound card.
 *
 * Calls go into a queue and return. A song's samples are read here, before its events reach the realtime
 * side, so the audio callback never waits for a disk. With a driver the callback runs the transport;
 * without one, or when its callbacks stop coming, this thread does, by the monotonic clock. */
#include "player.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "file.h"
#include "hush.h"
#include "mem.h"
#include "midiin.h"
#include "midiout.h"
#include "outlet.h"
#include "queue.h"
#include "seq.h"
#include "song.h"
#include "str.h"
#include "synth.h"
#include "transport.h"

enum { QUEUE = 1024, HEARD = 256, SILENT_MS = 4, ANSWER_MS = 4, WATCH_MS = 250, LOST_CHECKS = 8, BEHIND_MS = 500 };
enum { OPEN_PORT_MS = 500, SETTLE_MS = 400 };

struct player {
    char *audio, *soundfont;
    int rate;
    double gain_db;
    pthread_t thread;
    struct queue *queue;
    struct transport *transport;
    struct midiout *midi;
    struct midiin *in;
    struct queue *heard;
    int unanswered;                     /* notes by hand that the transport has yet to place */
    int latency_ms;                     /* asked for; < 0: the driver's */
    atomic_int hand;                    /* channel << 8 | program */
    struct synth *synth;
    struct outlet *outlet;
    _Atomic(const char *) note;
    char ready_note[256], lost_note[256];
    _Atomic int state;
    atomic_bool leaving;
    uint64_t base_ns, base_frame;       /* silent clock: when it last began to run */
    double callback_ns;                 /* the callback's smoothed clock */
    /* What was asked last; it is the truth until the transport has reached that epoch. */
    atomic_uint epoch;
    atomic_bool asked_playing;
    _Atomic int32_t asked_tick;
};

/* ---- sound ---- */

/* Callbacks come in bursts; MIDI needs the steady time behind them. */
static uint64_t steady_ns(struct player *p, size_t frames)
{
    double real = (double)clock_ns(), off = real - p->callback_ns;
    p->callback_ns = off > 1e8 || off < -1e8 ? real : p->callback_ns + off / 64;
    uint64_t at = (uint64_t)p->callback_ns;
    p->callback_ns += (double)frames * 1e9 / p->rate;
    return at;
}

static void on_audio(void *ctx, float *left, float *right, size_t n)
{
    struct player *p = ctx;
    transport_run(p->transport, left, right, n, steady_ns(p, n));
}

static bool open_audio(struct player *p)
{
    static const char *const automatic[] = {"pulseaudio", "alsa"};
    if (!str_same(p->audio, "auto"))
        p->outlet = outlet_open(p->audio, p->rate, on_audio, p, &p->leaving);
    else
        for (size_t i = 0; i < COUNT_OF(automatic) && !p->outlet; i++)
            p->outlet = outlet_open(automatic[i], p->rate, on_audio, p, &p->leaving);
    return p->outlet != NULL;
}

/* ---- the thread ---- */

static void start_silent_clock(struct player *p)
{
    p->base_ns = clock_ns();
    p->base_frame = transport_now(p->transport);
}

/* The delay to the ear: of the driver, or of the MIDI port alone. */
static void set_latency(struct player *p)
{
    int ms = p->latency_ms >= 0 ? p->latency_ms : p->outlet ? outlet_delay_ms(p->rate) : 0;
    transport_command(p->transport, &(struct command){.kind = CMD_LATENCY, .ms = ms});
}

static void load(struct player *p)
{
    const char *why = "no audio asked for";
    bool sound = false;
    if (!str_same(p->audio, "none")) {
        if (!p->synth && synth_new(p->soundfont, p->rate, p->gain_db, &p->synth) != ERR_OK) {
            why = err_text();
        } else {
            transport_set_synth(p->transport, p->synth);
            sound = open_audio(p);
            why = "no sound card or sound server";
        }
    }
    set_latency(p);
    if (sound) {
        str_format(p->ready_note, sizeof p->ready_note, "FLUID %s %+.0fdB", path_base(synth_font(p->synth)), p->gain_db);
    } else {
        transport_set_synth(p->transport, NULL);
        start_silent_clock(p);
        str_format(p->ready_note, sizeof p->ready_note, midiout_there(p->midi) ? "MIDI only: %s" : "silent: %s", why);
    }
    atomic_store(&p->note, p->ready_note);
    atomic_store(&p->state, sound ? PLAYER_SOUND : PLAYER_SILENT);
}

static bool has_sound(const struct player *p)
{
    return atomic_load(&p->state) == PLAYER_SOUND;
}

/* Without a card: run what has become due since the clock was started. After a long sleep (a stopped
 * process) it goes on from where it was instead of catching up. */
static void run_silent(struct player *p)
{
    uint64_t at = transport_now(p->transport) - p->base_frame;
    uint64_t due = (uint64_t)((double)(clock_ns() - p->base_ns) * p->rate * 1e-9);
    if (due > at + (uint64_t)BEHIND_MS * (uint64_t)p->rate / 1000) {
        start_silent_clock(p);
        at = due = 0;
    }
    uint64_t at_ns = p->base_ns + (uint64_t)((double)at * 1e9 / p->rate);
    transport_run(p->transport, NULL, NULL, due > at ? due - at : 0, at_ns);
}

static void lose_audio(struct player *p)
{
    outlet_close(p->outlet);
    p->outlet = NULL;
    transport_set_synth(p->transport, NULL);
    str_format(p->lost_note, sizeof p->lost_note, "silent: the audio device stopped answering");
    atomic_store(&p->note, p->lost_note);
    atomic_store(&p->state, PLAYER_SILENT);
    start_silent_clock(p);
}

static void prepare_samples(struct player *p, const struct command *c)
{
    if (!p->synth)
        return;
    if (c->kind == CMD_AUDITION)
        synth_prepare(p->synth, c->note.channel, c->note.program);
    if (c->kind == CMD_HAND)
        synth_prepare(p->synth, c->hand.channel, c->hand.program);
    for (size_t i = 0; c->kind == CMD_SEQ && i < c->seq->n; i++)
        if (c->seq->events[i].kind == SEQ_PROGRAM)
            synth_prepare(p->synth, c->seq->events[i].channel, c->seq->events[i].a);
}

static void pass_on(struct player *p, const struct command *c)
{
    prepare_samples(p, c);
    if (!has_sound(p) && transport_idle(p->transport))
        start_silent_clock(p);
    while (!transport_command(p->transport, c)) { /* full: let it be emptied */
        if (!has_sound(p))
            run_silent(p);
        else
            clock_sleep_until(clock_ns() + 2000000u);
    }
}

/* What the hand played, now with its place, for whoever waits at the descriptor. */
static void answer(struct player *p)
{
    struct heard h;
    while (transport_heard(p->transport, &h)) {
        p->unanswered--;
        queue_push(p->heard, &h);
    }
}

/* Another driver: the old one goes first. Commands wait meanwhile, as at the start. */
static void change_audio(struct player *p, char *driver)
{
    atomic_store(&p->state, PLAYER_LOADING);
    outlet_close(p->outlet);
    p->outlet = NULL;
    free(p->audio);
    p->audio = driver;
    load(p);
}

static void free_retired(struct player *p)
{
    for (struct seq *q = transport_retired(p->transport); q; q = transport_retired(p->transport))
        seq_free(q);
}

/* Callbacks that stopped coming: judged only on waits that ran their full time, so that neither a flood of
 * commands nor a suspended process looks like a lost device. */
static void watch(struct player *p, bool timed_out, uint64_t *seen, int *stuck)
{
    uint64_t now = transport_now(p->transport);
    if (now != *seen)
        *stuck = 0;
    else if (timed_out && ++*stuck >= LOST_CHECKS)
        lose_audio(p);
    *seen = now;
}

static void *serve(void *arg)
{
    struct player *p = arg;
    uint64_t seen = 0;
    int stuck = 0;
    struct command c;
    load(p);
    for (;;) {
        bool sound = has_sound(p), idle = transport_idle(p->transport);
        bool soon = p->unanswered > 0;
        bool got = queue_pop(p->queue, &c, soon ? ANSWER_MS : sound ? WATCH_MS : idle ? -1 : SILENT_MS);
        if (got && c.kind == CMD_QUIT)
            break;
        if (got && c.kind == CMD_AUDIO) {
            change_audio(p, c.text);
            stuck = 0;
            continue;
        }
        if (got && c.kind == CMD_LATENCY) {
            p->latency_ms = c.ms;
            set_latency(p);
            continue;
        }
        p->unanswered += got && c.kind == CMD_HAND;
        if (got)
            pass_on(p, &c);
        free_retired(p);
        if (!sound)
            run_silent(p);
        else
            watch(p, !got && !soon, &seen, &stuck);
        answer(p);
    }
    return NULL;
}

/* ---- calls ---- */

static void ask(struct player *p, struct command c)
{
    while (!queue_push(p->queue, &c)) { /* a thousand commands behind: only while a large font loads */
        if (c.kind == CMD_AUDITION)
            return;
        clock_sleep_until(clock_ns() + 2000000u);
    }
}

/* A command that starts or stops: its effect can be read at once. */
static void ask_playing(struct player *p, struct command c, bool playing, int32_t tick)
{
    c.epoch = atomic_load(&p->epoch) + 1;
    c.epoch += c.epoch == 0;
    atomic_store(&p->asked_playing, playing);
    atomic_store(&p->asked_tick, tick);
    atomic_store(&p->epoch, c.epoch);
    ask(p, c);
}

static void on_midi(void *ctx, uint64_t at_ns, int pitch, int vel)
{
    struct player *p = ctx;
    int hand = atomic_load(&p->hand);
    struct command c = {.kind = CMD_HAND};
    c.hand.at_ns = at_ns;
    c.hand.channel = (uint8_t)(hand >> 8);
    c.hand.program = hand & 127;
    c.hand.pitch = (uint8_t)pitch;
    c.hand.vel = (uint8_t)vel;
    queue_push(p->queue, &c);
}

enum err player_new(const struct player_opts *o, struct player **out)
{
    struct player *p = xcalloc(1, sizeof *p);
    p->audio = xstrdup(o->audio && *o->audio ? o->audio : "auto");
    p->soundfont = o->soundfont ? xstrdup(o->soundfont) : NULL;
    p->rate = o->rate > 0 ? o->rate : 44100;
    p->gain_db = o->gain_db;
    atomic_store(&p->note, "loading the SoundFont");
    p->latency_ms = -1;
    p->queue = queue_new(sizeof(struct command), QUEUE);
    p->heard = queue_new(sizeof(struct heard), HEARD);
    hush_libraries();
    enum err err = ERR_OK;
    p->midi = midiout_new();
    if (o->midi_out) {
        TRY_OUT(midiout_set(p->midi, o->midi_out, false));
        if (!midiout_wait(p->midi, OPEN_PORT_MS))
            TRY_OUT(err_set(ERR_DEVICE, "the MIDI output '%s' does not open", o->midi_out));
    }
    p->transport = transport_new(p->rate, p->midi);
    if (pthread_create(&p->thread, NULL, serve, p) != 0)
        TRY_OUT(err_set(ERR_NOMEM, "no thread for the player"));
    p->in = midiin_new(on_midi, p);
    *out = p;
    return ERR_OK;
out:
    midiout_close(p->midi);
    transport_free(p->transport);
    queue_free(p->queue);
    queue_free(p->heard);
    free(p->audio);
    free(p->soundfont);
    free(p);
    return err;
}

void player_free(struct player *p)
{
    if (!p)
        return;
    atomic_store(&p->leaving, true);
    midiin_close(p->in);
    player_stop(p);
    ask(p, (struct command){.kind = CMD_QUIT});
    pthread_join(p->thread, NULL);
    outlet_close(p->outlet);
    struct command c;
    while (queue_pop(p->queue, &c, 0))
        if (c.kind == CMD_SEQ)
            seq_free(c.seq);
        else if (c.kind == CMD_AUDIO)
            free(c.text);
    transport_free(p->transport);
    midiout_close(p->midi); /* silences what the transport may have left */
    synth_free(p->synth);
    queue_free(p->queue);
    queue_free(p->heard);
    free(p->audio);
    free(p->soundfont);
    free(p);
}

enum player_state player_state(const struct player *p)
{
    return (enum player_state)atomic_load(&p->state);
}

enum player_state player_wait(const struct player *p)
{
    while (player_state(p) == PLAYER_LOADING)
        clock_sleep_until(clock_ns() + 5000000u);
    return player_state(p);
}

const char *player_note(const struct player *p)
{
    return atomic_load(&p->note);
}

void player_set_song(struct player *p, const struct song *s)
{
    ask(p, (struct command){.kind = CMD_SEQ, .seq = seq_new(s)});
}

void player_set_loop(struct player *p, int32_t from, int32_t to)
{
    ask(p, (struct command){.kind = CMD_LOOP, .loop = {from > 0 ? from : 0, to}});
}

void player_set_tracks(struct player *p, const struct song *s, uint64_t tracks)
{
    ask(p, (struct command){.kind = CMD_SEQ, .seq = seq_new_tracks(s, tracks)});
}

void player_play_part(struct player *p, int32_t from, int32_t to, int count_in)
{
    from = from > 0 ? from : 0;
    ask_playing(p, (struct command){.kind = CMD_PLAY, .play = {from, to > from ? to : 0, count_in}}, true, from);
}

void player_play(struct player *p, int32_t from_tick)
{
    player_play_part(p, from_tick, 0, 0);
}

int player_counting(const struct player *p)
{
    return transport_counting(p->transport);
}

void player_set_click(struct player *p, bool on)
{
    ask(p, (struct command){.kind = CMD_CLICK, .on = on});
}

void player_set_clock(struct player *p, bool on)
{
    ask(p, (struct command){.kind = CMD_CLOCK, .on = on});
}

void player_set_latency(struct player *p, int ms)
{
    ask(p, (struct command){.kind = CMD_LATENCY, .ms = ms});
}

void player_set_audio(struct player *p, const char *driver)
{
    atomic_store(&p->state, PLAYER_LOADING);
    ask(p, (struct command){.kind = CMD_AUDIO, .text = xstrdup(driver && *driver ? driver : "auto")});
}

enum err player_set_midi_out(struct player *p, const char *name, bool wait)
{
    return midiout_set(p->midi, name, wait);
}

enum err player_set_midi_in(struct player *p, const char *name, bool wait)
{
    return midiin_set(p->in, name, wait);
}

bool player_midi_out(const struct player *p, struct str *name)
{
    midiout_name(p->midi, name);
    return midiout_there(p->midi);
}

bool player_midi_in(const struct player *p, struct str *name)
{
    midiin_name(p->in, name);
    return midiin_there(p->in);
}

void player_set_hand(struct player *p, int channel, int program)
{
    atomic_store(&p->hand, (channel & 15) << 8 | (program & 127));
}

int player_heard_fd(const struct player *p)
{
    return queue_fd(p->heard);
}

bool player_heard(struct player *p, struct heard *out)
{
    return queue_pop(p->heard, out, 0);
}

int player_hit(const struct player *p, int channel)
{
    return transport_hit(p->transport, channel);
}

void player_stop(struct player *p)
{
    ask_playing(p, (struct command){.kind = CMD_STOP}, false, player_tick(p));
}

void player_panic(struct player *p)
{
    ask_playing(p, (struct command){.kind = CMD_PANIC}, false, player_tick(p));
}

static bool is_ahead(const struct player *p)
{
    return transport_epoch(p->transport) != atomic_load(&p->epoch);
}

void player_settle(const struct player *p)
{
    for (int i = 0; i < SETTLE_MS && is_ahead(p); i++)
        clock_sleep_until(clock_ns() + 1000000u);
    midiout_settle(p->midi, SETTLE_MS);
}

bool player_playing(const struct player *p)
{
    return is_ahead(p) ? atomic_load(&p->asked_playing) : transport_playing(p->transport);
}

int32_t player_tick(const struct player *p)
{
    return is_ahead(p) ? atomic_load(&p->asked_tick) : transport_tick(p->transport);
}

void player_audition(struct player *p, int channel, int program, int pitch, int vel, int ms)
{
    struct command c = {.kind = CMD_AUDITION};
    c.note.channel = channel & 15;
    c.note.program = program & 127;
    c.note.pitch = pitch & 127;
    c.note.vel = vel & 127;
    c.note.ms = ms > 0 && ms < 60000 ? ms : 200;
    ask(p, c);
}

void player_levels(const struct player *p, float *left, float *right)
{
    *left = transport_level(p->transport, 0);
    *right = transport_level(p->transport, 1);
}
