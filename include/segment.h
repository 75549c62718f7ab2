/* segment.h: where the parts of a song begin, heard from what repeats in it (Serra, Muller, Grosche and Arcos, AAAI
 * 2012: structure features of time series). */
#pragma once
#include <stddef.h>
#include "err.h"
struct song;

/* Bars at which a part begins, ascending, the first 0; parts are four bars long or more. *bars is malloc'd. Any metre.
 * Of a song of more than 4,096 beats only those are heard. */
NODISCARD enum err segment_song(const struct song *s, int **bars, size_t *n);
