/* transfer.h: genre transfer of a song of any length and any tracks. Its bars of 4/4 become pictures (grid.h), phrase
 * by phrase, a painter repaints them, and what changed goes back to the tracks: what the new picture leaves is left
 * note for note, tick for tick. Drums and unpitched tracks are neither seen nor touched; kept cells are seen. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include "grid.h"
#include "model.h"
struct track;

/* Repaints n grids of the genre of side `from` as the other, as cyclegan_run does. */
struct painter {
    void *ctx;
    enum err (*paint)(void *ctx, const uint8_t *grids, int n, int from, float *out, const atomic_bool *cancel);
    const char *genre[2], *name, *hash;
};

/* The request's genre is the side to go to. A take's seed says how the painter hears the music: 0 as it is, i up to 11
 * some i / 2 semitones up or down, then with phrases that begin a bar later; takes differ where the painter does. A span
 * may be longer than the keep flags reach: what follows is kept as the last bar they name. ERR_UNSUPPORTED when no
 * bar is 4/4, ERR_EMPTY when there is nothing to repaint. */
NODISCARD enum err transfer_run(const struct painter *p, const struct request *rq, const struct progress *progress);

/* The phrases of a span of a song in which something sounds, [n][GRID_CELLS]; *grids is malloc'd. ERR_UNSUPPORTED and
 * ERR_EMPTY as above. */
NODISCARD enum err transfer_grids(const struct song *s, int bar0, int n_bars, uint8_t **grids, int *n);

/* ---- its parts ---- */

enum { SIXTEENTH = 120 };          /* ticks of a step */

/* A note as the picture has it; `open`: it may change. */
struct seen { int track; size_t index; int from, to; uint8_t row; bool open; };

/* Bars of 4/4 in a row, step by step. */
struct stretch {
    int32_t tick;                  /* where it begins */
    int bar, n_steps;
    uint8_t *was, *now;            /* [n_steps][GRID_PITCHES]: before and after */
    uint8_t *held;                 /* likewise: cells of notes that may not change */
    uint8_t *struck;               /* likewise: a note begins */
    uint16_t scale;                /* bit p set: new notes may be of pitch class p */
    uint8_t *ceiling;              /* [n_steps]: row that nothing new may lie above, GRID_PITCHES = none */
    struct seen *seen; size_t n, cap; /* by track, as the track has them */
};
struct picture { struct stretch *at; size_t n, cap; };

/* With the melody locked its notes do not change and nothing new lies above them; with `snap` new notes are of the
 * request's key, or of the stretch's own. */
NODISCARD enum err picture_new(const struct request *rq, struct picture **out);
void picture_free(struct picture *p);
bool transfer_hears(const struct request *rq, const struct track *t);
bool transfer_may_change(const struct request *rq, const struct track *t, int bar);
/* Part of a stretch by what was painted, prob [n_steps][GRID_PITCHES] from step0 on. The changes the painter is surest
 * of come first: at strength 0 nothing changes, at 0.5 half of the cells that would, at 1 all; what changes at one
 * strength changes at every greater one. */
void stretch_paint(struct stretch *s, int step0, int n_steps, const float *prob, double strength);
/* The song with each stretch's `now` for its `was`. A cell that is new goes on a note it follows, else to the track
 * whose register and habits are nearest; its velocity, gate and place in the beat are those of its neighbours. */
struct song *picture_song(const struct picture *p, const struct request *rq);
