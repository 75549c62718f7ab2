/* stem.h: a song as one file a track, as sound or as MIDI. Tracks without notes have no file. */
#pragma once
#include "err.h"
#include "wav.h"
struct song;

/* OUT.wav of track 2, "Piano": OUT-2-Piano.wav; the number keeps two tracks of one name apart. malloc'd. */
char *stem_path(const char *out, int number, const char *name);
bool stems_exist(const struct song *s, const char *out);      /* any of them */
/* *n: how many were written. ERR_EMPTY when there is nothing to write. */
NODISCARD enum err stems_midi(const struct song *s, const char *out, int *n);
/* Progress runs once from 0 to 1; the report is of the loudest. */
NODISCARD enum err stems_render(const struct song *s, const struct render_opts *o, const char *out,
                                struct render_report *r, int *n);
