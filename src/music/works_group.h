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
