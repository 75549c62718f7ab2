/* xml.h: a song as a MusicXML 4.0 score, for notation programs. Notes are rounded, beat by beat, to sixteenths
 * or to triplets of eighths and sixteenths, whichever lies nearer; a note longer than one sign is tied, also over
 * bar lines. A track without notes has no part. Up to four voices a part: where more notes would sound side by
 * side with different ends, the one that ends soonest is cut. The kit is written without gates, each hit until
 * the next or the end of its beat. What is below C0 is written an octave higher, for the format ends there. */
#pragma once
#include "err.h"
struct song;
struct str;

/* ERR_EMPTY: no track has notes. ERR_RANGE: too long to be a score. The same song gives the same bytes. */
NODISCARD enum err xml_write(const struct song *s, struct str *out);
NODISCARD enum err xml_save(const struct song *s, const char *path);
