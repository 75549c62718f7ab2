/* player.h: transport. Plays a song through live FluidSynth and/or a MIDI port; loop, seek, live edits. */
#pragma once
#include <stdint.h>
#include "err.h"
struct song; struct player;
struct player_opts {
    const char *audio;      /* FluidSynth driver name; "auto" (pulseaudio, alsa), "none" = silent clock */
    const char *soundfont;
    const char *midi_out;   /* device name or NULL */
    int rate; double gain_db;
};
NODISCARD enum err player_new(const struct player_opts *o, struct player **out); /* falls back to silence, see player_note */
void player_free(struct player *p);
const char *player_note(const struct player *p);        /* "FLUID default-GM.sf3 -8dB" or why there is no sound */
void player_set_song(struct player *p, const struct song *s); /* copies what it needs; may be called while playing */
void player_set_loop(struct player *p, int32_t from, int32_t to); /* ticks; to <= from: no loop */
void player_play(struct player *p, int32_t from_tick);
void player_stop(struct player *p);
bool player_playing(const struct player *p);
int32_t player_tick(const struct player *p);            /* playhead */
void player_panic(struct player *p);
void player_audition(struct player *p, int channel, int program, int pitch, int vel, int ms); /* one note now */
void player_levels(const struct player *p, float *left, float *right); /* peak since last asked, 0..1 */
