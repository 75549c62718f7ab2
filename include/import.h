/* import.h: a foreign song on its way into the band. It is read, listened to, and given a proposal: which track
 * goes to which role (by General MIDI family, role.h), which bars, which tempo and metre. A front end may change
 * the proposal before the band is made of it. Nothing here asks anybody. */
#pragma once
#include "beat.h"
#include "role.h"
#include "song.h"
#include "str.h"

struct import {
    struct song *song;                    /* as read; owned */
    struct str odd;                       /* what its reader had to say, plain lines */
    bool metre_told, tempo_told;          /* by the file; else 4/4 and 120 were taken */
    struct beat beat;
    int max_bars;                         /* that the band takes; 0 = any number */

    enum role role[SONG_MAX_TRACKS];      /* ROLE_NONE: the track is left out */
    int bar0, n_bars;                     /* what comes in, counted in the metre below */
    double bpm;                           /* one tempo throughout; 0 = as in the file */
    int num, den;                         /* one metre throughout; num 0 = as in the file */
};

/* Any file of music but a project: MIDI ("-" is standard input) or .npz. */
NODISCARD enum err import_load(const char *path, int max_bars, struct import **out);
/* Likewise of a song that is there already; it moves in. */
struct import *import_new(struct song *song, int max_bars);
void import_free(struct import *im);

/* Nobody needs to be asked: a track for each role that sounds, none left out, all bars, a beat. */
bool import_certain(const struct import *im);
/* The file left the metre open and the accents speak for another than 4/4. */
bool import_metre_doubtful(const struct import *im);
/* "3=bass,5=drop": tracks by number from 1. Nothing is changed when it fails. */
NODISCARD enum err import_map(struct import *im, const char *text);
/* "5-8", "5", "5-": bars of the file from 1. */
NODISCARD enum err import_bars(struct import *im, const char *text);
/* Bars are counted anew where the metre changes; num 0 = as in the file. */
void import_metre(struct import *im, int num, int den);
int import_all_bars(const struct import *im);           /* of the song, in the metre that was chosen */
void import_span(struct import *im, int bar0, int n_bars);  /* clamped to what there is and what the band takes */

/* The chosen bars as a band of five; a note that sounds into them begins with them, one that sounds past them is
 * cut unless the song ends there. *out is the caller's. */
NODISCARD enum err import_band(const struct import *im, struct song **out);
/* The same bars on the song's own tracks. */
NODISCARD enum err import_song(const struct import *im, struct song **out);

void import_track_line(const struct import *im, size_t track, struct str *out);  /* where it goes and why */
/* Where several tracks meet in one role; what is heard of beat and metre; which bars; a line each. */
void import_summary(const struct import *im, struct str *out);
/* All of it, with what the reader said, for people. */
void import_report(const struct import *im, struct str *out);
