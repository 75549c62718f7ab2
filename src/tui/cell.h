/* cell.h: a grid of character cells. Views draw here, tests read here, the screen copies what changed.
 * Every drawing call is clipped; text is UTF-8, and characters that are not exactly one column wide (or not
 * ASCII, on an ASCII grid) become '?'. */
#pragma once
#include <stdint.h>
#include "err.h"
#include "str.h"

enum style { STYLE_PLAIN, STYLE_DIM, STYLE_TITLE, STYLE_FRAME, STYLE_GOOD, STYLE_BAD, STYLE_KEYS, STYLE_CURSOR,
             STYLE_KEEP, STYLE_TAKE, STYLE_DRUMS, STYLE_PIANO, STYLE_GUITAR, STYLE_BASS, STYLE_STRINGS, N_STYLES };
enum ground { GROUND_NONE, GROUND_ROW, GROUND_SELECTED, GROUND_PLAYHEAD, N_GROUNDS };
enum { LOOK_BOLD = 1, LOOK_DIM = 2, LOOK_REVERSE = 4, LOOK_UNDER = 8 };

struct cell { uint32_t ch; uint8_t style, ground, look; };
struct rect { int x, y, w, h; };
struct grid { int w, h; bool ascii; struct cell *at; };

void grid_init(struct grid *g, int w, int h, bool ascii);   /* blank */
void grid_fini(struct grid *g);
struct cell *grid_at(struct grid *g, int x, int y);          /* NULL outside */
void grid_put(struct grid *g, int x, int y, uint32_t ch, enum style s, int look);
/* Text from x, at most w columns; returns the column after it. */
int grid_text(struct grid *g, int x, int y, int w, enum style s, int look, const char *text);
int grid_printf(struct grid *g, int x, int y, int w, enum style s, int look, const char *fmt, ...) PRINTF_LIKE(7, 8);
void grid_fill(struct grid *g, struct rect r, uint32_t ch, enum style s);
int text_columns(const char *utf8);
void grid_print(const struct grid *g, struct str *out);      /* rows as text, trailing blanks cut */
