/* midiin.h: notes from a MIDI input, on a thread of their own; ports by name. A sustain pedal holds notes. */
#pragma once
#include <stdint.h>
#include "err.h"
#include "str.h"
struct midiin;
/* On the input's thread, soon after the moment at_ns of clock_ns; vel 0 is the end of the note. */
typedef void (*midiin_fn)(void *ctx, uint64_t at_ns, int pitch, int vel);
int midiin_list(struct str *out);                        /* one name a line, read anew; returns how many */
struct midiin *midiin_new(midiin_fn fn, void *ctx);      /* without a port */
NODISCARD enum err midiin_set(struct midiin *m, const char *name, bool wait); /* as midiout_set */
void midiin_close(struct midiin *m);
void midiin_name(struct midiin *m, struct str *out);     /* appends the full name; nothing when there is none */
bool midiin_there(const struct midiin *m);
