/* phrase.h: training data. A dataset file holds 4-bar 4/4 phrases of the five roles as note lists on a
 * 48-step bar, with genre, song, split and key; built from a folder of MIDI. One packed little-endian
 * file, opened with mmap, checked as hostile. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "role.h"
#include "str.h"
#include "theory.h"
struct song; struct roll; struct works;

enum { PHRASE_BARS = 4, PHRASE_BAR_STEPS = 48, PHRASE_STEPS = 192 };
struct pnote { uint8_t role, pitch, vel, start, dur; }; /* start 0..191 in phrase, dur in steps 1..192;
                                                          sorted by (start / 48, role, start, pitch) */
struct phrase {
    const struct pnote *notes; uint32_t n;
    uint16_t genre, song; /* indices into the names */
    uint8_t tonic, minor; /* key of the phrase; tonic 255 unknown */
    bool held_out;        /* validation song */
    uint8_t set;          /* which of the folders it came from */
    uint16_t bar;         /* first bar in its song */
};

struct dataset;
/* Files of phrases, and of whole piano works (works.h): those have no phrases, genres or songs. */
NODISCARD enum err dataset_open(const char *path, struct dataset **out);
const struct works *dataset_works(const struct dataset *d);     /* NULL for a file of phrases */
void dataset_close(struct dataset *d);
size_t dataset_n(const struct dataset *d);
struct phrase dataset_get(const struct dataset *d, size_t i);   /* borrowed until close */
size_t dataset_n_genres(const struct dataset *d);
const char *dataset_genre(const struct dataset *d, size_t g);
size_t dataset_n_songs(const struct dataset *d);
const char *dataset_song(const struct dataset *d, size_t s);    /* path within the folder */
size_t dataset_n_sets(const struct dataset *d);
const char *dataset_set(const struct dataset *d, size_t s);     /* name of the folder, for weighting */

struct dataset_opts {
    int hop_bars;         /* 1 = a phrase at every bar, 4 = no overlap */
    int min_roles;        /* at least so many of the five sound in the phrase; default 3 */
    double held_out;      /* share of songs for validation, by hash of the song's name; default 0.1 */
    const char *rename;   /* "reggae_ska=reggae,rnb_funk_soul=funk_soul"; to "-" drops the genre; NULL none */
    const char *manifest; /* TSV with columns path, set, label...; NULL = genre from the folder name */
    const char *genres;   /* "jazz,pop": only these, after renaming; NULL = all there are */
    int per_song;         /* phrases a song gives at most, spread over it; a family of grooves, or with `merged` a work
                             in all its editions, counts as one; 0 = all */
    bool segments;        /* windows begin where a part of the song does (segment.h), and stay within it */
    bool one_metre;       /* only songs in 4/4 from the first bar to the last */
    bool merged;          /* for genre transfer: all pitched tracks as one, the piano's, on sixteenths */
    bool works;           /* whole piano works and not phrases; hop_bars and min_roles mean nothing */
    bool pedal;           /* works: notes last as long as the pedal holds them */
    bool free_time;       /* works: also performances that follow no beat */
};
void dataset_opts_init(struct dataset_opts *o);
/* Walk dir/GENRE/...mid (any depth; the genre is the last folder, with `genres` the last that is one of them, or the
 * manifest's label). Windows of 4 bars aligned to the time signature, all 4/4. Grooves rendered over several chord loops (FAMILY__GROOVE__1)
 * stay on one side of the split by family. Of each genre of each folder that has two songs or more, at least
 * one is held out. Exact duplicate phrases (transposition and velocity ignored) are dropped, across songs too;
 * so are windows of fewer than 8 or more than 600 notes and songs that do not follow their own beat.
 * report gains what was used and why the rest was not.
 *
 * Merged: min_roles means nothing. Songs that share music are one work, as works.h has it,
 * and stay on one side of the split whatever folder or genre they come from.
 *
 * Works: dir/ERA/COMPOSER/...mid, dir/ERA/...mid or, of a folder without folders, dir as the era; or the manifest's
 * label and composer. rename serves eras and composers. Held out is a share of the groups (works.h) of each
 * composer of each folder. */
NODISCARD enum err dataset_build(const char *const *dirs, size_t n_dirs, const struct dataset_opts *o,
                                 const char *path, struct str *report);

/* The four bars from bar0 of a band-layout song as a phrase: onsets to the nearest step, ends to the nearest but
 * at least one, cut at the end of the phrase; drums last 3 steps. *notes is malloc'd. ERR_UNSUPPORTED when a bar
 * is not 4/4. */
NODISCARD enum err phrase_from_song(const struct song *band, int bar0, struct pnote **notes, uint32_t *n);
/* Share of real songs when a genre with so many phrases of songs and of filler sets (all folders but the first) is drawn
 * from: each side by the root of its size, times the preference for it. A fixed share would show the handful of
 * songs of a rare genre over and over. */
double phrase_songs_share(size_t songs, size_t filler, double preference);
struct key phrase_told_key(const struct phrase *p);             /* as the data set has it; tonic -1 unknown */
struct key phrase_key(const struct pnote *notes, uint32_t n);   /* of the pitched notes, weighted by duration */
/* Into a zeroed or used roll of 5 tracks, 4 bars, 48 steps, any pitch range; drums are onsets only. */
void phrase_to_roll(const struct pnote *notes, uint32_t n, struct roll *out);
NODISCARD enum err phrase_to_song(const struct pnote *notes, uint32_t n, struct song *band, int bar0);
