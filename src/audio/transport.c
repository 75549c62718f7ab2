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
#include "player.h"
#include "ring.h"
#include "seq.h"
#include "song.h"
#include "synth.h"

#define QUIET 1e-5f
enum { COMMANDS = 256, AUDITIONS = 16, HEARD = 1024, QUIET_SECONDS = 2, UNKNOWN = 255 };
enum { NOTE_OFF = 0x80, NOTE_ON = 0x90, CONTROL = 0xb0, PROGRAM = 0xc0 };
enum { POSITION = 0xf2, CLOCK = 0xf8, START = 0xfa, CONTINUE = 0xfb, STOP = 0xfc };
enum { CLOCK_TICKS = SONG_TPQ / 24, SIXTEENTH = SONG_TPQ / 4 };
/* The metronome: high and low wood block, on the drum channel of a port but apart from the song's kit on the
 * synthesizer, whose channels go on above those of MIDI. */
enum { CLICK_SYNTH = 25, CLICK_MIDI = 9, CLICK_BAR = 76, CLICK_BEAT = 77, CLICK_BAR_VEL = 120, CLICK_VEL = 90, CLICK_MS = 40 };

struct audition { bool on; uint8_t channel, pitch; double end; };
struct click { bool on, port; uint8_t pitch; double end; };      /* port: sounds there too */
struct moment { int32_t tick; double seconds; };                 /* next of a train */
/* A count-in: beats still to click; the song's first frame lies behind the last. */
struct count { int left, done, a_bar; double next, step; };

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
    int32_t until;               /* play to there and no further, without the loop; 0 = no such place */
    int32_t floor;               /* this pass began here: nothing before it is played */
    double wrapped;              /* seconds that the last turn of the loop went back; 0 = none yet */
    bool running;
    bool clicks, clocks, started; /* metronome, MIDI clock wanted; a start was sent */
    struct moment beat, pulse;   /* next click, next clock */
    bool beat_is_bar;
    struct count count;
    struct click click;
    double latency;              /* seconds from here to the ear */
    uint8_t hand[128];           /* channel + 1 of notes held by hand */
    struct ring *heard;
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
    atomic_int counting;
    atomic_uchar hit[16];
};

static void forget_setup(struct transport *t)
{
    memset(t->program, UNKNOWN, sizeof t->program);
    memset(t->control, UNKNOWN, sizeof t->control);
}

struct transport *transport_new(int rate, struct midiout *midi)
{
    struct transport *t = xcalloc(1, sizeof *t);
    t->rate = rate;
    t->midi = midi;
    t->commands = ring_new(sizeof(struct command), COMMANDS);
    t->retired = ring_new(sizeof(struct seq *), 4 * COMMANDS);
    t->heard = ring_new(sizeof(struct heard), HEARD);
    forget_setup(t);
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
    ring_free(t->heard);
    free(t);
}

void transport_set_synth(struct transport *t, struct synth *synth)
{
    t->synth = synth;
    forget_setup(t);
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

static void to_port(struct transport *t, double frame, int status, int a, int b)
{
    double ahead = (frame - (double)t->run_start) / t->rate * 1e9;
    if (t->midi)
        midiout_send(t->midi, t->at_ns + (uint64_t)(ahead > 0 ? ahead : 0), status, a, b);
}

static void send(struct transport *t, const struct seq_event *e, double frame)
{
    static const uint8_t status[] = {
        [SEQ_OFF] = NOTE_OFF, [SEQ_ON] = NOTE_ON, [SEQ_PROGRAM] = PROGRAM, [SEQ_CONTROL] = CONTROL};
    if (t->synth)
        synth_event(t->synth, e->kind, e->channel, e->a, e->b);
    to_port(t, frame, status[e->kind] | e->channel, e->a, e->b);
    t->quiet = 0;
}

static void end_click(struct transport *t, double frame)
{
    if (!t->click.on)
        return;
    t->click.on = false;
    if (t->synth)
        synth_event(t->synth, SEQ_OFF, CLICK_SYNTH, t->click.pitch, 0);
    if (t->click.port)
        to_port(t, frame, NOTE_OFF | CLICK_MIDI, t->click.pitch, 0);
}

static void click(struct transport *t, bool bar, double frame)
{
    int pitch = bar ? CLICK_BAR : CLICK_BEAT, vel = bar ? CLICK_BAR_VEL : CLICK_VEL;
    end_click(t, frame);
    t->click = (struct click){true, !t->on[CLICK_MIDI][pitch], (uint8_t)pitch,
                              frame + (double)CLICK_MS * t->rate / 1000};
    if (t->synth)
        synth_event(t->synth, SEQ_ON, CLICK_SYNTH, pitch, vel);
    if (t->click.port)
        to_port(t, frame, NOTE_ON | CLICK_MIDI, pitch, vel);
    t->used |= 1u << CLICK_MIDI;
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
    if (e->kind <= SEQ_ON && t->click.port && e->channel == CLICK_MIDI && e->a == t->click.pitch)
        end_click(t, frame); /* the song's own wood block */
    if (*state && e->kind == SEQ_ON) /* struck again: the old one ends first */
        send(t, &(struct seq_event){.kind = SEQ_OFF, .channel = e->channel, .a = e->a}, frame);
    *state = value;
    if (e->kind == SEQ_ON) {
        t->used |= (uint16_t)(1u << e->channel);
        if (e->b > atomic_load_explicit(&t->hit[e->channel], memory_order_relaxed))
            atomic_store_explicit(&t->hit[e->channel], e->b, memory_order_relaxed);
    }
    send(t, e, frame);
}

static void note_off(struct transport *t, int channel, int pitch, double frame)
{
    dispatch(t, &(struct seq_event){.kind = SEQ_OFF, .channel = (uint8_t)channel, .a = (uint8_t)pitch}, frame);
}

static bool by_hand(const struct transport *t, int channel, int pitch)
{
    return t->hand[pitch] == channel + 1;
}

/* But what the hand holds, the hand ends. */
static void release_all(struct transport *t, double frame)
{
    for (int c = 0; c < 16; c++)
        if (t->used & 1u << c)
            for (int p = 0; p < 128; p++)
                if (t->on[c][p] && !by_hand(t, c, p))
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

static void set_beat(struct transport *t, int32_t tick)
{
    t->beat.tick = seq_beat(t->seq, tick, &t->beat_is_bar);
    t->beat.seconds = seq_seconds(t->seq, t->beat.tick);
}

static void set_pulse(struct transport *t, int32_t tick)
{
    t->pulse.tick = (tick + CLOCK_TICKS - 1) / CLOCK_TICKS * CLOCK_TICKS;
    t->pulse.seconds = seq_seconds(t->seq, t->pulse.tick);
}

/* The song stands at `seconds` on that frame, and goes on from there, but from nowhere before the floor. */
static void locate(struct transport *t, double seconds, double frame)
{
    double from = fmax(seconds, seq_seconds(t->seq, t->floor));
    int32_t tick = (int32_t)ceil(seq_tick(t->seq, from) - 1e-6);
    t->origin = frame - seconds * t->rate;
    t->next = seq_first_at(t->seq, from);
    set_beat(t, tick);
    set_pulse(t, tick);
}

/* The set-up stands at the head of the list, whatever the position. */
static void send_setup(struct transport *t)
{
    for (size_t i = 0; i < t->seq->n && t->seq->events[i].kind >= SEQ_PROGRAM; i++)
        dispatch(t, &t->seq->events[i], (double)t->now);
}

static bool looping(const struct transport *t)
{
    return t->loop_to > t->loop_from && t->until <= 0;
}

/* ---- commands ---- */

/* Every start is followed by its stop, whether or not the clock is still wanted. */
static void stop(struct transport *t, double frame)
{
    if (t->started)
        to_port(t, frame, STOP, 0, 0);
    t->started = false;
    release_all(t, frame);
    end_click(t, frame);
    t->running = false;
    t->count.left = 0;
    for (int c = 0; c < 16; c++)
        if (t->used & 1u << c) {
            to_port(t, frame, CONTROL | c, 64, 0);
            to_port(t, frame, CONTROL | c, 123, 0);
        }
    t->used = 0;
}

/* Slaves are told where and off they go; only while they are wanted. */
static void start_slaves(struct transport *t, int32_t tick, double frame)
{
    if (t->started)
        to_port(t, frame, STOP, 0, 0);
    t->started = t->clocks;
    if (!t->clocks)
        return;
    int beat = tick / SIXTEENTH;
    if (beat > 0)
        to_port(t, frame, POSITION, beat & 127, beat >> 7 & 127);
    to_port(t, frame, beat > 0 ? CONTINUE : START, 0, 0);
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
        if (e->kind == SEQ_ON && !by_hand(t, e->channel, e->a))
            note_off(t, e->channel, e->a, (double)t->now);
    }
    for (int c = 0; c < 16; c++)
        for (int p = 0; p < 128; p++)
            if (t->on[c][p] && !decided[c][p] && !by_hand(t, c, p))
                note_off(t, c, p, (double)t->now);
}

static void set_seq(struct transport *t, struct seq *q)
{
    double tick = t->seq ? seq_tick(t->seq, seconds_now(t)) : 0;
    if (t->seq)
        ring_push(t->retired, &t->seq);
    t->seq = q;
    send_setup(t);
    if (!t->running)
        return;
    locate(t, seq_seconds(q, tick), (double)t->now);
    keep_pending(t);
}

/* Bars of clicks in the metre and tempo of the place, and the song behind them. */
static double count_in(struct transport *t, int32_t tick, int bars, double frame)
{
    struct seq_metre m = seq_metre(t->seq, tick);
    double beat = seq_seconds(t->seq, tick + 1) - seq_seconds(t->seq, tick); /* of a tick */
    t->count = (struct count){bars * (m.bar / m.beat), 0, m.bar / m.beat, frame, beat * m.beat * t->rate};
    return frame + t->count.left * t->count.step;
}

static void play(struct transport *t, const struct command *c)
{
    double now = (double)t->now;
    int32_t from = c->play.from > 0 ? c->play.from : 0;
    release_all(t, now);
    t->running = t->seq != NULL;
    if (!t->seq)
        return;
    t->floor = from;
    t->until = c->play.to;
    t->wrapped = 0;
    t->count.left = 0;
    if (c->play.count_in > 0)
        now = count_in(t, from, c->play.count_in, now);
    locate(t, seq_seconds(t->seq, from), now);
    send_setup(t);
    start_slaves(t, from, now);
}

/* ---- by hand ---- */

/* The place in the song of what was sounding in the ear then. */
static int32_t tick_at(const struct transport *t, uint64_t at_ns)
{
    double ago = (double)(int64_t)(t->at_ns - at_ns) * 1e-9 + t->latency;
    double seconds = ((double)t->run_start - t->origin) / t->rate - ago;
    double first = seq_seconds(t->seq, t->floor), before = first - seconds;
    if (before > 0 && t->wrapped > 0)
        seconds += t->wrapped;
    else if (before > seq_seconds(t->seq, t->floor + seq_metre(t->seq, t->floor).beat / 2.0) - first)
        return -1;
    else if (before > 0)
        seconds = first;
    return (int32_t)floor(seq_tick(t->seq, seconds) + 0.5);
}

static void hand(struct transport *t, const struct command *c)
{
    double now = (double)t->now;
    uint8_t pitch = c->hand.pitch & 127, channel = c->hand.channel & 15;
    struct heard h = {t->running ? tick_at(t, c->hand.at_ns) : -1, pitch, c->hand.vel};
    ring_push(t->heard, &h);
    if (t->hand[pitch])
        note_off(t, t->hand[pitch] - 1, pitch, now);
    t->hand[pitch] = 0;
    if (!c->hand.vel)
        return;
    t->hand[pitch] = (uint8_t)(channel + 1);
    dispatch(t, &(struct seq_event){.kind = SEQ_PROGRAM, .channel = channel, .a = c->hand.program & 127}, now);
    dispatch(t, &(struct seq_event){.kind = SEQ_ON, .channel = channel, .a = pitch, .b = c->hand.vel & 127}, now);
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
    memset(t->hand, 0, sizeof t->hand);
    stop(t, (double)t->now);
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
        case CMD_PLAY: play(t, &c); break;
        case CMD_STOP: stop(t, (double)t->now); break;
        case CMD_PANIC: panic(t); break;
        case CMD_AUDITION: audition(t, &c); break;
        case CMD_HAND: hand(t, &c); break;
        case CMD_CLICK: t->clicks = c.on; break;
        case CMD_CLOCK: t->clocks = c.on; break;
        case CMD_LATENCY: t->latency = c.ms * 1e-3; break;
        case CMD_AUDIO:
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
    if (t->click.on && t->click.end < limit)
        end_click(t, t->click.end);
}

static double end_of_count(const struct transport *t)
{
    return t->count.left > 0 ? t->count.next : INFINITY;
}

/* The trains beside the events: the count-in, clicks, clocks. All that lies before frame `limit` and before or on
 * `end`; a beat on the end belongs to what comes after. */
static void run_trains(struct transport *t, double limit, double end)
{
    while (end_of_count(t) < limit) {
        click(t, t->count.done++ % t->count.a_bar == 0, t->count.next);
        t->count.next += t->count.step;
        t->count.left--;
    }
    for (double at; (at = frame_of(t, t->pulse.seconds)) < limit && at < end - 0.5; set_pulse(t, t->pulse.tick + 1))
        if (t->clocks)
            to_port(t, at, CLOCK, 0, 0);
    for (double at; (at = frame_of(t, t->beat.seconds)) < limit && at < end - 0.5; set_beat(t, t->beat.tick + 1))
        if (t->clicks)
            click(t, t->beat_is_bar, at);
}

/* Send all that is due before frame `limit`. A loop wholly behind the playhead does not catch it; its end may
 * lie up to a block back when it was nearer to this boundary than to the last. */
static void play_until(struct transport *t, double limit)
{
    while (t->running) {
        const struct seq *q = t->seq;
        double from = looping(t) ? seq_seconds(q, t->loop_from) : 0;
        double stop_at = t->until > 0 ? seq_seconds(q, t->until) : q->end_seconds;
        double to = looping(t) ? seq_seconds(q, t->loop_to) : stop_at;
        bool wraps = looping(t) && (double)t->now < frame_of(t, to) + SYNTH_BLOCK;
        double end = frame_of(t, wraps ? to : stop_at);
        double due = t->next < q->n ? frame_of(t, q->events[t->next].seconds) : INFINITY;
        run_trains(t, fmin(limit, due + 0.5), end);
        if (due < limit && (due < end || (due == end && q->events[t->next].kind == SEQ_OFF))) {
            dispatch(t, &q->events[t->next++], due);
        } else if (end < limit) {
            release_all(t, end);
            if (!wraps) {
                stop(t, end);
            } else {
                t->floor = t->loop_from;
                t->wrapped = to - from;
                locate(t, from, end);
            }
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

/* While it is counted in the song stands at its start. */
static int32_t place(const struct transport *t)
{
    int32_t tick = (int32_t)floor(seq_tick(t->seq, fmax(0, seconds_now(t))) + 1e-6);
    return tick > t->floor ? tick : t->floor;
}

static void publish(struct transport *t)
{
    bool rings = t->click.on;
    for (int p = 0; p < 128; p++)
        rings |= t->hand[p] != 0;
    for (int i = 0; i < AUDITIONS; i++)
        rings |= t->audition[i].on;
    if (t->running)
        atomic_store(&t->tick, place(t));
    atomic_store(&t->counting, t->count.left);
    atomic_store(&t->playing, t->running);
    atomic_store(&t->idle, !t->running && !rings);
    atomic_store(&t->epoch, t->obeyed);
}

void transport_run(struct transport *t, float *left, float *right, size_t frames, uint64_t at_ns)
{
    t->at_ns = at_ns;
    t->run_start = t->now;
    if (t->midi && midiout_renewed(t->midi)) { /* a port that knows nothing yet */
        forget_setup(t);
        if (t->seq)
            send_setup(t);
    }
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

int transport_counting(const struct transport *t)
{
    return atomic_load(&t->counting);
}

bool transport_heard(struct transport *t, struct heard *h)
{
    return ring_pop(t->heard, h);
}

int transport_hit(struct transport *t, int channel)
{
    return atomic_exchange(&t->hit[channel & 15], 0);
}

float transport_level(struct transport *t, int side)
{
    return atomic_exchange(&t->level[side], 0.0f);
}
