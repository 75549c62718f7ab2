/* seq.h: a song as time-ordered events: the one source for live sound, MIDI out and the offline render, so
 * that what is heard is what is written. Immutable once made: threads may share it. */
#pragma once
#include <stddef.h>
#include <stdint.h>
struct song;

enum seq_kind { SEQ_OFF, SEQ_ON, SEQ_PROGRAM, SEQ_CONTROL }; /* order within a tick: programs and controls, offs, ons */
struct seq_event { int32_t tick; double seconds; uint8_t kind, channel, a, b; }; /* a: pitch, program or controller */
struct seq_tempo { int32_t tick; double seconds, per_tick; };
struct seq {
    struct seq_event *events; size_t n;
    struct seq_tempo *tempos; size_t n_tempos;  /* first at tick 0 */
    int32_t end_tick;                           /* end of the last bar that holds a note, muted or not */
    double end_seconds;
};
/* Muted tracks are left out (or all but the soloed ones); the set-up (programs, volumes) comes first. */
struct seq *seq_new(const struct song *s);
/* Only track `only` (>= 0), whatever its mute flag: for stems. */
struct seq *seq_new_track(const struct song *s, int only);
void seq_free(struct seq *q);

/* Time through the tempo map, fractions of a tick kept. */
double seq_seconds(const struct seq *q, double tick);
double seq_tick(const struct seq *q, double seconds);
size_t seq_first_at(const struct seq *q, double seconds); /* index of the first event at or after that time */
