/* works_group.h: which pieces belong together, by name and by what is in them. */
#pragma once
#include "quarter.h"

struct group_piece {
    uint64_t key;            /* pieces with equal keys belong together */
    const struct qnote *notes; uint32_t n;
    uint32_t group;          /* out: index of the group, by first piece */
    uint32_t editions;       /* out: pieces that hold the same music, itself included */
};
/* Pieces share music when a fifth of what the shorter one plays, eight chords at a time in any key and rhythm,
 * occurs in the other. Returns the number of groups. */
uint32_t works_group(struct group_piece *pieces, uint32_t n);

/* Movements and editions of a work mostly share their name up to its number in a catalogue: "sonatas_K330-2" up to
 * K330, "op12n03" up to op12. A number that a word is hyphened to ("371-chorales") counts the collection. What comes
 * before "__" names where a file is from. Case and punctuation mean nothing. `owner` tells
 * apart whose works they are. */
uint64_t works_key(const char *name, const char *owner);
