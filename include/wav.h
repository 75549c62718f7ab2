/* wav.h: offline rendering of a song to an audio file through libsndfile. */
#pragma once
#include "err.h"
struct song;
struct render_opts {
    const char *soundfont;   /* NULL = search order */
    const char *format;      /* "s16" "s24" "float" "flac" "flac24" "ogg" "opus"; NULL = by the extension */
    int rate;                /* 44100 or 48000; Opus is always 48000 */
    double gain_db;          /* the same gain as live */
    double tail_s;           /* seconds after the last bar; < 0 = auto: until below -80 dB, at most 8 s */
    bool loop_exact;         /* exactly the bars' length; the tail is folded into the start */
    double normalize_db;     /* peak target, NAN = off */
    int only_track;          /* -1 = the mix */
    bool (*on_progress)(void *ctx, double fraction); /* false cancels */
    void *ctx;
};
/* Levels in dB full scale of what was written, -200 for silence; clipped: samples beyond full scale. */
struct render_report { double seconds, peak_db, rms_db; long clipped, frames; int rate; char font[256]; };
enum { RENDER_MAX_SECONDS = 2 * 60 * 60 };
void render_opts_init(struct render_opts *o);
/* Whole or not at all (written aside, then renamed); "-" is standard output. The same song and SoundFont give
 * the same bytes with the same versions of FluidSynth and libsndfile. */
NODISCARD enum err render_file(const struct song *s, const struct render_opts *o, const char *path, struct render_report *r);
