/* draw.h: song -> text cells, no terminal: the roll as a person reads it in a log, and the strips and
 * rows the screen shows. Pure functions. */
#pragma once
#include "err.h"
#include <stdint.h>
#include "str.h"
struct song;

/* Density of one track over columns of `step_ticks` ticks from tick0: per column the number of notes
 * sounding, and whether one starts there. */
struct draw_col { unsigned char sounding, onsets, off_grid; };
void draw_strip(const struct song *s, int track, int32_t tick0, int32_t step_ticks, int n, struct draw_col *out);
/* All tracks of a song as plain text, n_bars bars from bar0, for terminals and logs. */
void draw_song_text(const struct song *s, int bar0, int n_bars, bool ascii, struct str *out);
