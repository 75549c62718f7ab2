/* player.h: transport. Plays a song through live FluidSynth and/or a MIDI port; loop, seek, live edits, a
 * metronome, MIDI clock for others, and the notes of a MIDI input, heard and told with their place. All
 * calls return at once and are carried out in order by the player's own thread; none may come from two
 * threads at a time. */
#pragma once
#include <stdint.h>
#include "err.h"
#include "str.h"
struct song; struct player;
struct player_opts {
    const char *audio;      /* FluidSynth driver name; "auto" or NULL (pulseaudio, alsa), "none" = silent clock */
    const char *soundfont;
    const char *midi_out;   /* device name or NULL */
    int rate;               /* 0 = 44100 */
    double gain_db;
};
/* A note by hand: tick is -1 when nothing played or it came too early in a count-in; vel 0 ends it. */
struct heard { int32_t tick; uint8_t pitch, vel; };
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
void player_set_tracks(struct player *p, const struct song *s, uint64_t tracks); /* the same, only these (a mask) */
void player_set_click(struct player *p, bool on);       /* metronome; never in a file */
void player_set_clock(struct player *p, bool on);       /* MIDI clock, start, stop, position to the MIDI port */
void player_set_audio(struct player *p, const char *driver);   /* as in player_opts; PLAYER_LOADING until it is known */
void player_set_latency(struct player *p, int ms);      /* from here to the ear; < 0: what the driver buffers */
/* Ports by a unique part of their name: ERR_DEVICE and no change; NULL or "" = none. With `wait` a port that is
 * not there is taken when it comes. A port that goes and comes back is taken again. */
NODISCARD enum err player_set_midi_out(struct player *p, const char *name, bool wait);
NODISCARD enum err player_set_midi_in(struct player *p, const char *name, bool wait);
bool player_midi_out(const struct player *p, struct str *name); /* appends the name; whether it is there */
bool player_midi_in(const struct player *p, struct str *name);
/* Notes of the MIDI input: which sound they get, and where they fall in what was heard. */
void player_set_hand(struct player *p, int channel, int program);
int player_heard_fd(const struct player *p);            /* readable when there are some */
bool player_heard(struct player *p, struct heard *out); /* false: no more */
void player_set_loop(struct player *p, int32_t from, int32_t to); /* ticks; to <= from: no loop */
void player_play(struct player *p, int32_t from_tick);  /* also moves the playhead of a running transport */
/* A part, its tracks chosen by player_set_song; to <= from: to the song's end or round the loop, else to there
 * and no further. After count_in bars of clicks. */
void player_play_part(struct player *p, int32_t from, int32_t to, int count_in);
int player_counting(const struct player *p);            /* beats of the count-in still to come */
void player_stop(struct player *p);
bool player_playing(const struct player *p);            /* false again when the last bar is over */
int32_t player_tick(const struct player *p);            /* playhead */
void player_panic(struct player *p);
void player_audition(struct player *p, int channel, int program, int pitch, int vel, int ms); /* one note now */
int player_hit(const struct player *p, int channel);    /* loudest note begun since last asked, 0..127 */
void player_settle(const struct player *p);             /* after a stop: until it is heard; well under a second */
void player_levels(const struct player *p, float *left, float *right); /* peak since last asked, 0..1 */
