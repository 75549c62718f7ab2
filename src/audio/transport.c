/* transport.c: frames in, notes out.
 *
 * `now` counts frames since the beginning and never jumps. While playing, an event due `seconds` into the
 * song falls on frame origin + seconds * rate; seeking, looping and live edits only move `origin`, so a loop of
 * any length stays in step for ever. Events go out at the block boundary nearest to them; MIDI messages carry
 * their exact moment.
 * Invariant: `on` holds exactly the notes that were started and not ended, so every way of stopping ends
 * them all. */
#include "transport.h"
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "midiout.h"
#include "ring.h"
#include "seq.h"
#include "synth.h"

#define QUIET 1e-5f
enum { COMMANDS = 256, AUDITIONS = 16, QUIET_SECONDS = 2, UNKNOWN = 255 };
enum { NOTE_OFF = 0x80, NOTE_ON = 0x90, CONTROL = 0xb0, PROGRAM = 0xc0 };

struct audition { bool on; uint8_t channel, pitch; double end; };

struct transport {
    int rate;
    struct synth *synth;
    struct midiout *midi;
    struct ring *commands, *retired;
    /* the running thread's own */
    struct seq *seq;
    size_t next;                 /* event to come */
    double origin;               /* frame of the song's start */
    int32_t loop_from, loop_to;
    bool running;
    unsigned obeyed;             /* epoch of the last play or stop */
    uint8_t on[16][128];
    uint8_t program[16], control[16][128]; /* last sent, or UNKNOWN */
    uint16_t used;               /* channels that had notes */
    struct audition audition[AUDITIONS];
    uint64_t at_ns, run_start;   /* moment and frame at which this run began */
    size_t quiet;                /* blocks without an event or a sound */
    /* read by all */
    _Atomic uint64_t now;
    atomic_bool playing, idle;
    atomic_uint epoch;           /* stored last: what it covers can be seen with it */
    _Atomic int32_t tick;
    _Atomic float level[2];
};

struct transport *transport_new(int rate, struct midiout *midi)
{
    struct transport *t = xcalloc(1, sizeof *t);
    t->rate = rate;
    t->midi = midi;
    t->commands = ring_new(sizeof(struct command), COMMANDS);
    t->retired = ring_new(sizeof(struct seq *), 4 * COMMANDS);
    memset(t->program, UNKNOWN, sizeof t->program);
    memset(t->control, UNKNOWN, sizeof t->control);
    atomic_store(&t->idle, true);
    return t;
}

void transport_free(struct transport *t)
{
    if (!t)
        return;
    struct command c;
    while (ring_pop(t->commands, &c))
        if (c.kind == CMD_SEQ)
            seq_free(c.seq);
    for (struct seq *q = transport_retired(t); q; q = transport_retired(t))
        seq_free(q);
    seq_free(t->seq);
    ring_free(t->commands);
    ring_free(t->retired);
    free(t);
}

void transport_set_synth(struct transport *t, struct synth *synth)
{
    t->synth = synth;
    memset(t->program, UNKNOWN, sizeof t->program);
    memset(t->control, UNKNOWN, sizeof t->control);
}

bool transport_command(struct transport *t, const struct command *c)
{
    return ring_push(t->commands, c);
}

struct seq *transport_retired(struct transport *t)
{
    struct seq *q = NULL;
    return ring_pop(t->retired, &q) ? q : NULL;
}

/* ---- out ---- */

static void send(struct transport *t, const struct seq_event *e, double frame)
{
    static const uint8_t status[] = {
        [SEQ_OFF] = NOTE_OFF, [SEQ_ON] = NOTE_ON, [SEQ_PROGRAM] = PROGRAM, [SEQ_CONTROL] = CONTROL};
    if (t->synth)
        synth_event(t->synth, e->kind, e->channel, e->a, e->b);
    if (t->midi) {
        double ahead = (frame - (double)t->run_start) / t->rate * 1e9;
        midiout_send(t->midi, t->at_ns + (uint64_t)(ahead > 0 ? ahead : 0), status[e->kind] | e->channel, e->a, e->b);
    }
    t->quiet = 0;
}

/* What is already so is not sent again: offs of silent notes, programs and controls that are set. */
static void dispatch(struct transport *t, const struct seq_event *e, double frame)
{
    uint8_t *state = e->kind == SEQ_PROGRAM ? &t->program[e->channel]
                     : e->kind == SEQ_CONTROL ? &t->control[e->channel][e->a] : &t->on[e->channel][e->a];
    uint8_t value = e->kind == SEQ_PROGRAM ? e->a : e->kind == SEQ_CONTROL ? e->b : e->kind == SEQ_ON;
    if (*state == value && e->kind != SEQ_ON)
        return;
    if (*state && e->kind == SEQ_ON) /* struck again: the old one ends first */
        send(t, &(struct seq_event){.kind = SEQ_OFF, .channel = e->channel, .a = e->a}, frame);
    *state = value;
    if (e->kind == SEQ_ON)
        t->used |= (uint16_t)(1u << e->channel);
    send(t, e, frame);
}

static void note_off(struct transport *t, int channel, int pitch, double frame)
{
    dispatch(t, &(struct seq_event){.kind = SEQ_OFF, .channel = (uint8_t)channel, .a = (uint8_t)pitch}, frame);
}

static void release_all(struct transport *t, double frame)
{
    for (int c = 0; c < 16; c++)
        if (t->used & 1u << c)
            for (int p = 0; p < 128; p++)
                if (t->on[c][p])
                    note_off(t, c, p, frame);
}

/* ---- position ---- */

static double frame_of(const struct transport *t, double seconds)
{
    return t->origin + seconds * t->rate;
}

static double seconds_now(const struct transport *t)
{
    return ((double)t->now - t->origin) / t->rate;
}

static void locate(struct transport *t, double seconds, double frame)
{
    t->origin = frame - seconds * t->rate;
    t->next = seq_first_at(t->seq, seconds);
}

/* The set-up stands at the head of the list, whatever the position. */
static void send_setup(struct transport *t)
{
    for (size_t i = 0; i < t->seq->n && t->seq->events[i].kind >= SEQ_PROGRAM; i++)
        dispatch(t, &t->seq->events[i], (double)t->now);
}

static bool looping(const struct transport *t)
{
    return t->loop_to > t->loop_from;
}

/* ---- commands ---- */

static void stop(struct transport *t)
{
    release_all(t, (double)t->now);
    t->running = false;
    if (!t->midi)
        return;
    for (int c = 0; c < 16; c++)
        if (t->used & 1u << c) {
            midiout_send(t->midi, t->at_ns, CONTROL | c, 64, 0);
            midiout_send(t->midi, t->at_ns, CONTROL | c, 123, 0);
        }
    t->used = 0;
}

/* Notes that sound stay on if the new list ends them later; the others end here. */
static void keep_pending(struct transport *t)
{
    uint8_t decided[16][128] = {0};
    for (size_t i = t->next; i < t->seq->n; i++) {
        const struct seq_event *e = &t->seq->events[i];
        if (e->kind > SEQ_ON || decided[e->channel][e->a])
            continue;
        decided[e->channel][e->a] = 1;
        if (e->kind == SEQ_ON)
            note_off(t, e->channel, e->a, (double)t->now);
    }
    for (int c = 0; c < 16; c++)
        for (int p = 0; p < 128; p++)
            if (t->on[c][p] && !decided[c][p])
                note_off(t, c, p, (double)t->now);
}

static void set_seq(struct transport *t, struct seq *q)
{
    double tick = t->seq ? seq_tick(t->seq, seconds_now(t)) : 0;
    if (t->seq)
        ring_push(t->retired, &t->seq);
    t->seq = q;
    if (!t->running)
        return;
    locate(t, seq_seconds(q, tick), (double)t->now);
    send_setup(t);
    keep_pending(t);
}

static void play(struct transport *t, int32_t tick)
{
    release_all(t, (double)t->now);
    t->running = t->seq != NULL;
    if (!t->seq)
        return;
    locate(t, seq_seconds(t->seq, tick > 0 ? tick : 0), (double)t->now);
    send_setup(t);
}

static void audition(struct transport *t, const struct command *c)
{
    struct audition *slot = &t->audition[0];
    for (int i = 0; i < AUDITIONS; i++) {
        struct audition *a = &t->audition[i];
        if (!a->on || (a->channel == c->note.channel && a->pitch == c->note.pitch)) {
            slot = a;
            break;
        }
        if (a->end < slot->end)
            slot = a;
    }
    double now = (double)t->now;
    if (slot->on)
        note_off(t, slot->channel, slot->pitch, now);
    uint8_t channel = c->note.channel & 15, pitch = c->note.pitch & 127;
    *slot = (struct audition){true, channel, pitch, now + (double)c->note.ms * t->rate / 1000};
    dispatch(t, &(struct seq_event){.kind = SEQ_PROGRAM, .channel = channel, .a = c->note.program & 127}, now);
    dispatch(t, &(struct seq_event){.kind = SEQ_ON, .channel = channel, .a = pitch, .b = c->note.vel & 127}, now);
}

static void panic(struct transport *t)
{
    stop(t);
    memset(t->audition, 0, sizeof t->audition);
    if (t->synth)
        synth_panic(t->synth);
    if (t->midi)
        midiout_panic(t->midi);
}

static void obey(struct transport *t)
{
    struct command c;
    while (ring_pop(t->commands, &c)) {
        t->obeyed = c.epoch ? c.epoch : t->obeyed;
        switch (c.kind) {
        case CMD_SEQ: set_seq(t, c.seq); break;
        case CMD_LOOP: t->loop_from = c.loop.from, t->loop_to = c.loop.to; break;
        case CMD_PLAY: play(t, c.tick); break;
        case CMD_STOP: stop(t); break;
        case CMD_PANIC: panic(t); break;
        case CMD_AUDITION: audition(t, &c); break;
        case CMD_QUIT: break;
        }
    }
}

/* ---- running ---- */

static void end_auditions(struct transport *t, double limit)
{
    for (int i = 0; i < AUDITIONS; i++) {
        struct audition *a = &t->audition[i];
        if (a->on && a->end < limit) {
            a->on = false;
            note_off(t, a->channel, a->pitch, a->end);
        }
    }
}

/* Send all that is due before frame `limit`. A loop wholly behind the playhead does not catch it; its end may
 * lie up to a block back when it was nearer to this boundary than to the last. */
static void play_until(struct transport *t, double limit)
{
    while (t->running) {
        const struct seq *q = t->seq;
        double from = looping(t) ? seq_seconds(q, t->loop_from) : 0;
        double to = looping(t) ? seq_seconds(q, t->loop_to) : q->end_seconds;
        bool wraps = looping(t) && (double)t->now < frame_of(t, to) + SYNTH_BLOCK;
        double end = frame_of(t, wraps ? to : q->end_seconds);
        double due = t->next < q->n ? frame_of(t, q->events[t->next].seconds) : INFINITY;
        if (due < limit && (due < end || (due == end && q->events[t->next].kind == SEQ_OFF))) {
            dispatch(t, &q->events[t->next++], due);
        } else if (end < limit) {
            release_all(t, end);
            if (!wraps)
                stop(t);
            else
                locate(t, from, end);
        } else {
            break;
        }
    }
}

static void raise_level(_Atomic float *level, float peak)
{
    float was = atomic_load_explicit(level, memory_order_relaxed);
    while (peak > was && !atomic_compare_exchange_weak_explicit(level, &was, peak, memory_order_relaxed,
                                                                memory_order_relaxed))
        ;
}

static void render(struct transport *t, float *left, float *right, size_t n)
{
    float block[2 * SYNTH_BLOCK], peak[2] = {0, 0};
    if (!t->synth || !left)
        return;
    if (t->quiet > (size_t)(QUIET_SECONDS * t->rate / SYNTH_BLOCK)) { /* not even reverb is left */
        memset(left, 0, n * sizeof *left);
        memset(right, 0, n * sizeof *right);
        return;
    }
    synth_render(t->synth, block, n);
    for (size_t i = 0; i < n; i++) {
        left[i] = block[2 * i];
        right[i] = block[2 * i + 1];
        peak[0] = fmaxf(peak[0], fabsf(left[i]));
        peak[1] = fmaxf(peak[1], fabsf(right[i]));
    }
    t->quiet = peak[0] < QUIET && peak[1] < QUIET ? t->quiet + 1 : 0;
    raise_level(&t->level[0], peak[0]);
    raise_level(&t->level[1], peak[1]);
}

static void publish(struct transport *t)
{
    bool rings = false;
    for (int i = 0; i < AUDITIONS; i++)
        rings |= t->audition[i].on;
    if (t->running)
        atomic_store(&t->tick, (int32_t)floor(seq_tick(t->seq, fmax(0, seconds_now(t))) + 1e-6));
    atomic_store(&t->playing, t->running);
    atomic_store(&t->idle, !t->running && !rings);
    atomic_store(&t->epoch, t->obeyed);
}

void transport_run(struct transport *t, float *left, float *right, size_t frames, uint64_t at_ns)
{
    t->at_ns = at_ns;
    t->run_start = t->now;
    obey(t);
    for (size_t done = 0; done < frames;) {
        size_t n = frames - done < SYNTH_BLOCK ? frames - done : SYNTH_BLOCK;
        double limit = (double)t->now + (double)n / 2;
        end_auditions(t, limit);
        play_until(t, limit);
        render(t, left ? left + done : NULL, right ? right + done : NULL, n);
        t->now += n;
        done += n;
    }
    publish(t);
}

bool transport_idle(const struct transport *t)
{
    return atomic_load(&t->idle) && ring_count(t->commands) == 0;
}

uint64_t transport_now(const struct transport *t)
{
    return atomic_load(&t->now);
}

unsigned transport_epoch(const struct transport *t)
{
    return atomic_load(&t->epoch);
}

bool transport_playing(const struct transport *t)
{
    return atomic_load(&t->playing);
}

int32_t transport_tick(const struct transport *t)
{
    return atomic_load(&t->tick);
}

float transport_level(struct transport *t, int side)
{
    return atomic_exchange(&t->level[side], 0.0f);
}
