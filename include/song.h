/* song.h: the truth. Tracks of notes at 480 ticks a quarter with a tempo, metre and key map. A roll is
 * a view of it (roll.h); files are made from it (midi.h). Value-like: no reference counts, copy freely. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "role.h"

enum { SONG_TPQ = 480, SONG_MAX_TRACKS = 64, SONG_MAX_TICKS = 1 << 28 };

struct note {
    int32_t tick, dur;  /* ticks; dur >= 1 */
    uint8_t pitch, vel; /* 0..127; vel >= 1 */
};

struct track {
    char name[64];
    enum role role;
    uint8_t program, channel;             /* General MIDI 0..127; channel index 0..15, 9 = drums */
    uint8_t volume, pan, reverb, chorus;  /* controllers 7, 10, 91, 93 */
    bool mute, solo;
    struct note *notes;                   /* sorted by (tick, pitch) */
    size_t n, cap;
};

struct tempo { int32_t tick; uint32_t usec; };          /* microseconds a quarter */
struct metre { int32_t tick; uint8_t num, den; };        /* den as written: 4, 8 */
struct keysig { int32_t tick; int8_t sharps; bool minor; }; /* sharps -7..7 */
struct marker { int32_t tick; char text[64]; };

struct song {
    char title[128];
    struct track *tracks;   size_t n_tracks, cap_tracks;
    struct tempo *tempos;   size_t n_tempos, cap_tempos;   /* sorted; first at tick 0 always there */
    struct metre *metres;   size_t n_metres, cap_metres;   /* likewise */
    struct keysig *keys;    size_t n_keys, cap_keys;       /* may be empty */
    struct marker *markers; size_t n_markers, cap_markers;
    char *provenance;       /* text event: model, hash, seed, parameters; NULL or owned */
};

struct song *song_new(void);                       /* no tracks, 120 bpm, 4/4 */
struct song *song_new_band(void);                  /* the five roles as empty tracks, in band order */
void song_free(struct song *s);
struct song *song_dup(const struct song *s);
/* Title, notes, maps, track names, programs and mix; not role, channel, mute, solo or provenance. */
bool song_equal(const struct song *a, const struct song *b);
/* GM defaults; borrowed until the next add. A second track of a role gets a channel of its own. */
struct track *song_add_track(struct song *s, const char *name, enum role role);
struct track *song_track_of(const struct song *s, enum role role); /* first of that role, or NULL */
void song_set_tempo(struct song *s, int32_t tick, double bpm);     /* replaces one at the same tick */
void song_set_tempo_usec(struct song *s, int32_t tick, uint32_t usec);
double song_bpm(const struct song *s, int32_t tick);
void song_set_metre(struct song *s, int32_t tick, int num, int den);
void song_set_key(struct song *s, int32_t tick, int sharps, bool minor);
void song_add_marker(struct song *s, int32_t tick, const char *text);
int32_t song_end(const struct song *s);            /* tick where the last note ends */

/* Bars follow the metre map. bar 0 starts at tick 0. */
int32_t song_bar_tick(const struct song *s, int bar);          /* start of bar */
int song_bar_of(const struct song *s, int32_t tick);
struct metre song_metre(const struct song *s, int32_t tick);   /* in force at tick */
int song_n_bars(const struct song *s);                         /* bars needed to hold every note */
double song_seconds(const struct song *s, int32_t tick);       /* through the tempo map */

/* Of src what begins in [from, to), at the end of dst, which has nothing after `at`; tempo, metre and key go on as
 * in src. Track by track; a note may ring on beyond the span: track_tidy settles what it meets. */
void song_paste(struct song *dst, int32_t at, const struct song *src, int32_t from, int32_t to);
struct song *song_part(const struct song *s, int32_t from, int32_t to); /* that span as a song of its own */

void track_add(struct track *t, struct note n);    /* keeps order; clamps to legal values */
void track_push(struct track *t, struct note n);               /* appends: track_sort or track_tidy afterwards */
void track_remove(struct track *t, size_t i);
void track_clear(struct track *t, int32_t from, int32_t to);   /* drop notes with onset in [from,to) */
void track_sort(struct track *t);
/* Same-pitch overlaps: the earlier note is cut at the later onset; exact doubles are dropped. */
void track_tidy(struct track *t);
size_t track_first_at(const struct track *t, int32_t tick);    /* index of first note with onset >= tick */
