/* player.h: transport. Plays a song through live FluidSynth and/or a MIDI port; loop, seek, live edits. All
 * calls return at once and are carried out in order by the player's own thread; none may come from two
 * threads at a time. */
#pragma once
#include <stdint.h>
#include "err.h"
struct song; struct player;
struct player_opts {
    const char *audio;      /* FluidSynth driver name; "auto" or NULL (pulseaudio, alsa), "none" = silent clock */
    const char *soundfont;
    const char *midi_out;   /* device name or NULL */
    int rate;               /* 0 = 44100 */
    double gain_db;
};
enum player_state { PLAYER_LOADING, PLAYER_SOUND, PLAYER_SILENT };
/* Without a sound card or SoundFont the player runs silently and player_note says why; only a MIDI port that
 * was asked for by name and is not there is an error. The SoundFont loads in the background: what is asked
 * meanwhile happens when it is there. */
NODISCARD enum err player_new(const struct player_opts *o, struct player **out);
void player_free(struct player *p);
enum player_state player_state(const struct player *p);
enum player_state player_wait(const struct player *p);  /* until it is not PLAYER_LOADING any more */
const char *player_note(const struct player *p);        /* "FLUID default-GM.sf3 -8dB" or why there is no sound */
void player_set_song(struct player *p, const struct song *s); /* copies what it needs; may be called while playing */
void player_set_loop(struct player *p, int32_t from, int32_t to); /* ticks; to <= from: no loop */
void player_play(struct player *p, int32_t from_tick);  /* also moves the playhead of a running transport */
void player_stop(struct player *p);
bool player_playing(const struct player *p);            /* false again when the last bar is over */
int32_t player_tick(const struct player *p);            /* playhead */
void player_panic(struct player *p);
void player_audition(struct player *p, int channel, int program, int pitch, int vel, int ms); /* one note now */
void player_levels(const struct player *p, float *left, float *right); /* peak since last asked, 0..1 */
