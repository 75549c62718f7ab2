/* score.h: notes as a score has them: bars, beats that are straight or triplets, chords in voices, and the signs
 * that a length is written with. Time is counted in units of a twelfth of a quarter from the start. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "err.h"
struct song;
struct track;

enum { SCORE_QUARTER = 12, SCORE_VOICES = 4, SCORE_MAX_BARS = 9999, SCORE_MAX_BEATS = 1 << 17 };

struct score_bar {
    int32_t tick;        /* where it starts in the song */
    int32_t from, len;   /* units; len is a multiple of a sixteenth */
    int32_t beat;        /* number of its first beat */
};
struct score { struct score_bar *bars; int n_bars, n_beats; };

/* Pitches of one onset and one end. Chords of a part are sorted by voice and onset; in a voice none overlap. */
struct chord { int32_t from, to; uint8_t voice; uint32_t first, n; };
struct score_note { int32_t from, to; uint8_t pitch, vel; };
struct part {
    uint8_t *triplet;                   /* a flag a beat */
    struct score_note *notes;
    struct chord *chords;
    size_t n_notes, n_chords;
    size_t voice[SCORE_VOICES + 1];     /* first chord of each voice */
};

/* One written sign. sign: 0 whole, 1 half, ... 4 sixteenth. In a triplet beat that is not one sign, the first
 * opens and the last closes the bracket. */
struct piece { int32_t len; uint8_t sign, dots; bool triplet, opens, closes; };

NODISCARD enum err score_new(const struct song *s, struct score *out);
void score_fini(struct score *sc);
int32_t score_unit(const struct score *sc, int32_t tick);   /* nearest sixteenth */
void part_new(const struct score *sc, const struct track *t, bool drums, struct part *out);
void part_fini(struct part *p);
/* The first sign of what sounds or rests in [from, to), both within the bar. */
struct piece part_piece(const struct score_bar *bar, const struct part *p, int32_t from, int32_t to);
