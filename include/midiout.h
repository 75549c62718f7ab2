/* midiout.h: a MIDI output behind a thread of its own; ports by name. Never hangs, never leaves notes. */
#pragma once
#include "err.h"
#include "str.h"
struct midiout;
int midiout_list(struct str *out);                       /* one name a line, read anew; returns how many */
struct midiout *midiout_new(void);                       /* without a port: messages go nowhere */
/* Another port: a unique part of its name, or ERR_DEVICE and nothing changes. With `wait` a port that is not
 * there (the full name, then) is taken as soon as it comes. NULL or "" = none. The old port is silenced;
 * what was handed over and is not yet due goes nowhere. */
NODISCARD enum err midiout_set(struct midiout *m, const char *name, bool wait);
bool midiout_wait(const struct midiout *m, int ms);      /* until it is there; false when it did not come */
void midiout_close(struct midiout *m);                   /* silences every channel first; NULL is fine */
void midiout_name(struct midiout *m, struct str *out);   /* appends the full name; nothing when there is none */
bool midiout_there(const struct midiout *m);             /* the port is open now; it may come and go */
bool midiout_renewed(struct midiout *m);                 /* it (or another) opened since last asked: tell it all */
/* Hand over a message due at a moment of clock_ns. One producer thread; wait-free. Moments should not
 * decrease: the messages leave in this order. System messages (status >= 0xf0) too. */
bool midiout_send(struct midiout *m, unsigned long long at_ns, int status, int a, int b); /* false = ring full */
void midiout_panic(struct midiout *m);                   /* drop what waits and silence; any thread */
/* Until all that was handed over is on its way into the world, at most `ms`. */
void midiout_settle(const struct midiout *m, int ms);
