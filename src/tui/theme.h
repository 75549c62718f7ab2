/* theme.h: what a style looks like, at four depths of colour: 256, 16, 8 and none. Every state has a sign of
 * its own, so that nothing is lost without colour. */
#pragma once
#include "cell.h"

enum depth { DEPTH_MONO, DEPTH_8, DEPTH_16, DEPTH_256, N_DEPTHS };
struct paint { short fg, bg; int look; };     /* -1 = the terminal's own */
struct paint theme_paint(enum depth d, enum style s, enum ground g);
