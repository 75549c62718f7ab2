/* phrase.h: training data. A dataset file holds 4-bar 4/4 phrases of the five roles as note lists on a
 * 48-step bar, with genre, song, split and key; built from a folder of MIDI. One packed little-endian
 * file, opened with mmap, checked as hostile. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "role.h"
#include "str.h"
struct song; struct roll;

enum { PHRASE_BARS = 4, PHRASE_BAR_STEPS = 48, PHRASE_STEPS = 192 };
struct pnote { uint8_t role, pitch, vel, start, dur; }; /* start 0..191 in phrase, dur in steps 1..192;
                                                          sorted by (start / 48, role, start, pitch) */
struct phrase {
    const struct pnote *notes; uint32_t n;
    uint16_t genre, song; /* indices into the names */
    uint8_t tonic, minor; /* key of the phrase; tonic 255 unknown */
    bool held_out;        /* validation song */
    uint16_t bar;         /* first bar in its song */
};

struct dataset;
NODISCARD enum err dataset_open(const char *path, struct dataset **out);
void dataset_close(struct dataset *d);
size_t dataset_n(const struct dataset *d);
struct phrase dataset_get(const struct dataset *d, size_t i);   /* borrowed until close */
size_t dataset_n_genres(const struct dataset *d);
const char *dataset_genre(const struct dataset *d, size_t g);
size_t dataset_n_songs(const struct dataset *d);
const char *dataset_song(const struct dataset *d, size_t s);    /* path within the folder */

struct dataset_opts {
    int hop_bars;         /* 1 = a phrase at every bar, 4 = no overlap */
    int min_roles;        /* at least so many of the five sound in the phrase; default 3 */
    double held_out;      /* share of songs for validation, by hash of the song's name; default 0.1 */
    const char *rename;   /* "reggae_ska=reggae,rnb_funk_soul=funk_soul"; NULL none */
    const char *manifest; /* TSV with columns path, set, label...; NULL = genre from the folder name */
};
/* Walk dir/GENRE/...mid (any depth; the genre is the last folder, or the manifest's label). Windows of
 * 4 bars aligned to the time signature, all 4/4; same-song groups (the name up to the last "__" part that
 * only differs in groove chord loop) stay on one side of the split. Exact duplicate phrases (transposition
 * ignored) are dropped across songs. report gains what was used and why the rest was not. */
NODISCARD enum err dataset_build(const char *const *dirs, size_t n_dirs, const struct dataset_opts *o,
                                 const char *path, struct str *report);

/* The windows of one song on the band roles; calls fn for each. Shared by dataset_build and eval. */
NODISCARD enum err phrase_from_song(const struct song *band, int bar0, struct pnote **notes, uint32_t *n);
void phrase_to_roll(const struct pnote *notes, uint32_t n, struct roll *out); /* out: 5 tracks, 4 bars, 48 steps, 24..107 */
NODISCARD enum err phrase_to_song(const struct pnote *notes, uint32_t n, struct song *band, int bar0);
