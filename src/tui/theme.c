/* theme.c: the table of colours. */
#include "theme.h"

/* Foreground at 256, 16 and 8 colours, and what is added where there is no colour at all. */
/* clang-format off */
static const struct { short fg256, fg16, fg8; int mono; } styles[N_STYLES] = {
    [STYLE_PLAIN] = { -1, -1, -1, 0 },          [STYLE_DIM] = { 244, 8, -1, LOOK_DIM },
    [STYLE_TITLE] = { 255, 15, 7, LOOK_BOLD },  [STYLE_FRAME] = { 240, 8, -1, 0 },
    [STYLE_GOOD] = { 114, 10, 2, LOOK_BOLD },   [STYLE_BAD] = { 203, 9, 1, LOOK_BOLD },
    [STYLE_KEYS] = { 221, 11, 3, LOOK_BOLD },   [STYLE_CURSOR] = { 231, 15, 7, LOOK_BOLD },
    [STYLE_KEEP] = { 221, 11, 3, LOOK_BOLD },   [STYLE_TAKE] = { 159, 14, 6, LOOK_BOLD },
    [STYLE_DRUMS] = { 215, 3, 3, 0 },           [STYLE_PIANO] = { 117, 12, 6, 0 },
    [STYLE_GUITAR] = { 150, 10, 2, 0 },         [STYLE_BASS] = { 210, 9, 1, 0 },
    [STYLE_STRINGS] = { 183, 13, 5, 0 },
};
/* clang-format on */

/* Grounds are colours only at 256; below that a playhead or a selection is shown reversed. */
static const struct {
    short bg256;
    int look;
} grounds[N_GROUNDS] = {
    [GROUND_NONE] = {-1, 0},
    [GROUND_ROW] = {236, 0},
    [GROUND_SELECTED] = {24, LOOK_REVERSE},
    [GROUND_PLAYHEAD] = {22, LOOK_REVERSE},
};

struct paint theme_paint(enum depth d, enum style s, enum ground g)
{
    switch (d) {
    case DEPTH_256:
        return (struct paint){styles[s].fg256, grounds[g].bg256, 0};
    case DEPTH_16:
        return (struct paint){styles[s].fg16, -1, grounds[g].look};
    case DEPTH_8:
        return (struct paint){styles[s].fg8, -1, grounds[g].look};
    default:
        return (struct paint){-1, -1, grounds[g].look | styles[s].mono};
    }
}
