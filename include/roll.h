/* roll.h: piano roll, a view of a span of a song: tracks x steps x pitches, onsets apart from sustain.
 * song -> roll -> song is exact for music that lies on the grid. */
#pragma once
#include <stdint.h>
#include "err.h"
struct song;

enum { CELL_OFF, CELL_HOLD, CELL_ONSET };
struct roll {
    int n_tracks, n_bars, bar_steps; /* steps in a bar */
    int low, n_pitches;              /* lowest MIDI pitch, rows */
    uint8_t *cell;                   /* [track][bar*bar_steps][pitch] CELL_* */
    uint8_t *vel;                    /* same layout, velocity at onsets */
};
NODISCARD enum err roll_new(int n_tracks, int n_bars, int bar_steps, int low, int n_pitches, struct roll *out);
void roll_fini(struct roll *r);
static inline int roll_steps(const struct roll *r) { return r->n_bars * r->bar_steps; }
uint8_t *roll_at(const struct roll *r, int track, int step, int pitch_row);

/* Sample bars [bar0, bar0+n_bars) of a song in 4/4 (ERR_UNSUPPORTED for another metre in the span, with
 * the reason). Onset = nearest step, end = nearest step but at least one; drums are onsets only. */
NODISCARD enum err roll_from_song(const struct song *s, int bar0, int n_bars, int bar_steps, int low,
                                  int n_pitches, struct roll *out);
/* The whole song in any metre: a bar of the roll is a quarter of the song, up to the end of its last bar. ERR_EMPTY
 * without notes. */
NODISCARD enum err roll_sample(const struct song *s, int beat_steps, int low, int n_pitches, struct roll *out);
/* Append the roll's notes to the tracks of `s` (by index) from bar0 on; drum gates are a fixed 1/16. */
NODISCARD enum err roll_to_song(const struct roll *r, struct song *s, int bar0);
