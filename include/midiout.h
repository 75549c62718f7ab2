/* midiout.h: PortMidi behind one thread of its own; devices by name. Never hangs, never leaves notes. */
#pragma once
#include "err.h"
#include "str.h"
struct midiout;
int midiout_list(struct str *out);                       /* one name a line; returns how many */
NODISCARD enum err midiout_open(const char *name, struct midiout **out); /* unique part of a name; ERR_DEVICE */
void midiout_close(struct midiout *m);                   /* silences every channel first */
const char *midiout_name(const struct midiout *m);       /* full name of the device */
/* Hand over a message due at a moment of clock_ns. One producer thread; wait-free. Moments should not
 * decrease: the messages leave in this order. */
bool midiout_send(struct midiout *m, unsigned long long at_ns, int status, int a, int b); /* false = ring full */
void midiout_panic(struct midiout *m);                   /* drop what waits and silence; any thread */
