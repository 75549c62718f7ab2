/* draw.h: a song as text, no terminal: the roll as a person reads it in a log. A pure function. */
#pragma once
#include "err.h"
#include <stdint.h>
#include "str.h"
struct song;

/* All tracks of a song as plain text, n_bars bars from bar0, for terminals and logs. */
void draw_song_text(const struct song *s, int bar0, int n_bars, bool ascii, struct str *out);
