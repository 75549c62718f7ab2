/* quarter.h: piano music as the piano models see it. Notes lie on a grid of 32 columns a quarter, all pitched
 * tracks merged; a quarter is the picture of one beat, 88 keys by 32 columns, a bit a cell. In the picture a note
 * is a run of cells: two strokes of a key are told apart by the empty cell before the second. */
#pragma once
#include <stdint.h>
#include "err.h"
struct song;

enum { QUARTER_KEYS = 88, QUARTER_COLS = 32, QUARTER_LOW = 21, QUARTER_COL_TICKS = 15 };

/* start and dur in columns, dur at least 1. Sorted by (start, pitch); strokes of one key never overlap. */
struct qnote { int32_t start; uint16_t dur; uint8_t pitch, vel; };

/* Bit c of key[p]: pitch 21 + p sounds in column c. */
struct quarter { uint32_t key[QUARTER_KEYS]; };

/* Notes of all tracks but drums between two ticks, `from` being column 0: starts and ends to the nearest column,
 * at least one column each; a note that sounds at `from` begins there, one that sounds at `to` ends there. Of
 * strokes that fall on one column the longest stays. Pitches outside the keyboard are left out. *out is malloc'd. */
NODISCARD enum err qnotes_from_song(const struct song *s, int32_t from, int32_t to, struct qnote **out, uint32_t *n);

/* The quarters from column `from` on. A stroke of one column that another follows at once is lost in it. */
void quarters_from_notes(const struct qnote *notes, uint32_t n, int32_t from, struct quarter *out, uint32_t n_out);
/* Runs of cells across all quarters; vel for all of them. *out is malloc'd. */
void quarters_to_notes(const struct quarter *q, uint32_t n_quarters, uint8_t vel, struct qnote **out, uint32_t *n);
/* Up by so many semitones; what leaves the keyboard is lost. */
struct quarter quarter_transposed(const struct quarter *q, int semitones);
