/* export.h: a song into a file of any kind but sound; its ending says which. One row a kind, the same for the
 * screen, for scripts and for `jamroll convert`. */
#pragma once
#include "err.h"
struct song;

struct export_opts {
    int midi_format;      /* 0 or 1 */
    int beat_steps;       /* of rolls and pictures: steps a quarter */
    int scale;            /* of pictures: dots a step; 0 = what suits the eye */
    bool overlay;         /* of pictures: the tracks over one another, not one below the other */
};
#define EXPORT_OPTS_USUAL {.midi_format = 1, .beat_steps = 24}

struct export_kind;
/* By name ("mid") or ending (".mid"); NULL when there is none. */
const struct export_kind *export_kind(const char *name);
const char *export_kind_name(const struct export_kind *k);
NODISCARD enum err export_song(const struct song *s, const struct export_kind *k, const struct export_opts *o,
                               const char *path);
