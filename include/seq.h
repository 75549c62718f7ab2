/* seq.h: a song as time-ordered events: the one source for live sound, MIDI out and the offline render, so
 * that what is heard is what is written. Immutable once made: threads may share it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct song;

enum seq_kind { SEQ_OFF, SEQ_ON, SEQ_PROGRAM, SEQ_CONTROL }; /* order within a tick: programs and controls, offs, ons */
struct seq_event { int32_t tick; double seconds; uint8_t kind, channel, a, b; }; /* a: pitch, program or controller */
struct seq_tempo { int32_t tick; double seconds, per_tick; };
struct seq_metre { int32_t tick, beat, bar; };  /* ticks of a beat and of a bar from there on */
struct seq {
    struct seq_event *events; size_t n;
    struct seq_tempo *tempos; size_t n_tempos;  /* first at tick 0 */
    struct seq_metre *metres; size_t n_metres;  /* likewise */
    int32_t end_tick;                           /* end of the last bar that holds a note, muted or not */
    double end_seconds;
};
/* Muted tracks are left out (or all but the soloed ones); the set-up (programs, volumes) comes first. */
struct seq *seq_new(const struct song *s);
/* Only the tracks of a mask (bit n = track n), whatever their mute flags: stems, a selection. */
struct seq *seq_new_tracks(const struct song *s, uint64_t tracks);
void seq_free(struct seq *q);

/* Time through the tempo map, fractions of a tick kept. */
double seq_seconds(const struct seq *q, double tick);
double seq_tick(const struct seq *q, double seconds);
size_t seq_first_at(const struct seq *q, double seconds); /* index of the first event at or after that time */
/* Where the first beat at or after that tick is, for a metronome; the song's end does not matter. */
int32_t seq_beat(const struct seq *q, int32_t tick, bool *starts_bar);
struct seq_metre seq_metre(const struct seq *q, int32_t tick);  /* in force there */
