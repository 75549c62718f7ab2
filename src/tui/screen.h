/* screen.h: the terminal. The only part that knows curses. There is one terminal, so there is one screen:
 * its state is static. However the program ends, by return, exit, signal or BUG_ON, the terminal is given
 * back as it was. */
#pragma once
#include "cell.h"
#include "pointer.h"

struct screen_opts { bool ascii, no_color, no_mouse; };
/* ERR_DEVICE when standard input or output is no terminal. An unknown TERM is treated as xterm-256color. */
NODISCARD enum err screen_open(const struct screen_opts *o);
void screen_close(void);
bool screen_ascii(void);                  /* asked for, or the locale is not UTF-8 */
const char *screen_note(void);            /* what had to be worked around, or "" */
void screen_size(int *w, int *h);
void screen_resized(void);                /* the window changed: ask the terminal for its size */
void screen_draw(const struct grid *g);   /* only what changed since the last time */
void screen_redraw(void);                 /* forget what is there: the next draw paints everything */
bool screen_key(int *key);                /* false when none is waiting */
struct pointer screen_pointer(void);      /* of the KC_POINTER that screen_key gave last */
void screen_mouse(bool on);                /* whether the terminal tells what the mouse does */
void screen_suspend(void);                /* to the shell; returns when the program is continued */
