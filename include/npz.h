/* npz.h: numpy arrays and pypianoroll archives, in and out. The zip reader knows store and deflate and
 * treats every byte as hostile. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "err.h"
struct roll; struct song;

enum npy_type { NPY_F4, NPY_F8, NPY_I4, NPY_I8, NPY_U1, NPY_BOOL, NPY_F2 };
struct npy { enum npy_type type; int rank; int64_t dim[8]; void *data; size_t bytes; }; /* C order */
NODISCARD enum err npy_read(const uint8_t *bytes, size_t len, const char *name, struct npy *out);
NODISCARD enum err npy_write(const struct npy *a, uint8_t **out, size_t *len);
void npy_fini(struct npy *a);

struct zip_entry { char *name; uint8_t *data; size_t len; };
struct zip { struct zip_entry *entries; size_t n; };
NODISCARD enum err zip_read(const uint8_t *bytes, size_t len, const char *name, struct zip *out);
NODISCARD enum err zip_write(const struct zip *z, uint8_t **out, size_t *len); /* deflated, fixed date: repeatable */
void zip_fini(struct zip *z);

/* pypianoroll 1.0 multitrack archive (CSC parts per track, tempo, downbeat, info.json); older ones are read too. */
NODISCARD enum err npz_save_song(const struct song *s, int beat_steps, const char *path);
NODISCARD enum err npz_load_song(const char *path, struct song **out);
NODISCARD enum err npz_parse_song(const uint8_t *bytes, size_t len, const char *name, struct song **out);
NODISCARD enum err npy_save_roll(const struct roll *r, const char *path); /* uint8 [track][step][pitch], 1 = on */

/* A picture of the roll, pitches 24 to 107: a colour a role, bars and beats of the song's metre ruled. */
struct png_opts {
    int beat_steps;
    int scale;      /* dots a step; 0 = what suits the eye, fewer for a long song */
    bool overlay;   /* all tracks in one roll, their colours mixed as inks are; else one below the other */
};
NODISCARD enum err png_save_song(const struct song *s, const struct png_opts *o, const char *path);
/* rows x columns songs in one picture, each `bars` bars of 4/4, row by row with a frame between; NULL is left blank. */
NODISCARD enum err png_save_grid(const struct song *const *songs, int rows, int columns, int bars, const struct png_opts *o,
                                 const char *path);
