/* transport.h: the realtime side of the player: a clock counted in frames that turns a list of events into
 * notes on a synthesizer and a MIDI port. Private to src/audio.
 *
 * transport_run belongs to one thread at a time (the audio callback, or the player's when there is no sound
 * card): it takes no lock, allocates nothing and makes no system call. Others talk to it through a ring and
 * read it through atomics; event lists it is done with come back through a second ring. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct heard; struct midiout; struct seq; struct synth;

enum command_kind { CMD_SEQ, CMD_LOOP, CMD_PLAY, CMD_STOP, CMD_PANIC, CMD_AUDITION, CMD_HAND, CMD_CLICK, CMD_CLOCK,
                    CMD_LATENCY, CMD_AUDIO, CMD_QUIT };
struct command {
    enum command_kind kind;
    unsigned epoch;                                    /* of a play or stop; 0 = neither */
    union {
        struct seq *seq;                               /* CMD_SEQ: ownership moves in */
        struct { int32_t from, to; } loop;
        struct { int32_t from, to; int count_in; } play; /* to 0: to the end; count_in in bars */
        struct { uint64_t at_ns; uint8_t channel, program, pitch, vel; } hand; /* vel 0 ends it */
        bool on;                                       /* CMD_CLICK, CMD_CLOCK */
        int ms;                                        /* CMD_LATENCY: from here to the ear */
        char *text;                                    /* CMD_AUDIO: driver; ownership moves in */
        struct { uint8_t channel, program, pitch, vel; int ms; } note;
    };
};

struct transport *transport_new(int rate, struct midiout *midi);
void transport_free(struct transport *t);
void transport_set_synth(struct transport *t, struct synth *synth); /* only while nobody runs it */
bool transport_command(struct transport *t, const struct command *c); /* one producer; false = ring full */
struct seq *transport_retired(struct transport *t);    /* a list to free, or NULL */
/* Advance by `frames`; the first of them is due at at_ns. left and right may be NULL. */
void transport_run(struct transport *t, float *left, float *right, size_t frames, uint64_t at_ns);
bool transport_idle(const struct transport *t);        /* nothing plays, nothing rings; any thread */
uint64_t transport_now(const struct transport *t);     /* frames run so far; any thread */
unsigned transport_epoch(const struct transport *t);   /* of the last play or stop carried out */
bool transport_playing(const struct transport *t);
int32_t transport_tick(const struct transport *t);
int transport_counting(const struct transport *t);     /* beats of the count-in still to come */
bool transport_heard(struct transport *t, struct heard *h); /* what CMD_HAND gave, with its place; one reader */
int transport_hit(struct transport *t, int channel);   /* loudest velocity since last asked, 0 none */
float transport_level(struct transport *t, int side);  /* peak since last asked */
