/* tui.h: the screen. Everything a person sees is drawn into a grid of cells by views (view.h); curses is
 * known to screen.c alone. */
#pragma once
#include "plan.h"

struct tui_opts {
    const char *device;     /* compute device, NULL = best */
    enum precision precision;
    int threads;            /* 0 = all cores */
    const char *model;      /* NULL = best */
    bool ascii, no_color, no_mouse;
    bool recover;           /* what was not saved when jamroll last died, without asking */
    const char *audio;      /* driver, "auto" or "none"; NULL = auto */
};
/* path NULL: an empty band. Returns when the user leaves; the terminal is as it was on every way out. */
NODISCARD enum err tui_run(const char *path, const struct tui_opts *o);
