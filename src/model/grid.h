/* grid.h: four bars of music as genre transfer sees them: every pitched track merged into one picture of sixteenths
 * by pitches, a cell sounding or not. */
#pragma once
#include <stddef.h>
#include <stdint.h>
struct phrase; struct dataset;

enum { GRID_BAR = 16, GRID_BARS = 4, GRID_STEPS = GRID_BAR * GRID_BARS };
enum { GRID_PITCHES = 84, GRID_LOW = 24, GRID_CELLS = GRID_STEPS * GRID_PITCHES };

/* cells [GRID_STEPS][GRID_PITCHES], 0 or 1; drums and pitches outside are left out. Returns how many cells sound. */
int grid_of_phrase(const struct phrase *p, uint8_t *cells);
