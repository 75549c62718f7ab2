/* frame_code.h: how the frames write music down. Time is cut into frames, and each holds a token: a row of a
 * vocabulary of chords that comes from the training music and lies in the weight file.
 *
 *   beats   a frame is a sixteenth, counted from its bar line. Token 0 is a rest, 1 a hold (nothing is struck, something
 *           sounds), the others are what is struck together. Lengths follow from what comes after (frame_notes).
 *   clock   a frame is a fifth of a second. Token 0 is never used, the last is silence, the others are what sounds. Two
 *           strokes of a key are told apart by a frame without it before the second.
 *
 * The network knows one key: music is moved to C major or A minor on its way in and back on its way out. Columns are
 * those of quarter.h. All functions here are pure. */
#pragma once
#include <stdbool.h>
#include "quarter.h"
#include "song.h"
#include "works.h"

enum frame_time { FRAMES_CLOCK, FRAMES_BEATS };
enum {
    FRAME_COLS = QUARTER_COLS / 4,   /* of a sixteenth */
    FRAME_PHASES = 32,               /* places in a bar that are told apart: sixteenths of two bars of 4/4 */
    FRAME_HOLD = 1,                  /* beats */
    VOCAB_MIN = 3, VOCAB_MAX = 4096, /* tokens */
};

#define FRAME_SECONDS 0.2             /* clock */

struct frame_set { uint64_t key[2]; };   /* bit p % 64 of key[p / 64]: MIDI pitch p */
bool frame_set_empty(struct frame_set s);
bool frame_set_has(struct frame_set s, int pitch);
void frame_set_add(struct frame_set *s, int pitch);
struct frame_set frame_set_moved(struct frame_set s, int semitones);   /* what leaves 0..127 is lost */
int frame_set_low(struct frame_set s);    /* -1 of an empty one */
int frame_set_high(struct frame_set s);
int frame_set_count(struct frame_set s);

struct frame_vocab {
    enum frame_time time;
    int n;                       /* tokens */
    struct frame_set *set;       /* of each token; empty where nothing is struck */
    struct frame_entry *sorted;  /* by set, for finding */
};
/* Copies `set`. ERR_FORMAT when it is no vocabulary: a size out of bounds, empty rows elsewhere than where time says,
 * the same set twice, pitches off the keyboard. */
NODISCARD enum err frame_vocab_init(struct frame_vocab *v, enum frame_time t, const struct frame_set *set, int n);
void frame_vocab_fini(struct frame_vocab *v);
/* Of the training side: at most `most` tokens, the most frequent chords; clock: in order of appearance. ERR_EMPTY. */
NODISCARD enum err frame_vocab_learn(struct frame_vocab *v, enum frame_time t, const struct works *w, int most);
int frame_rest(const struct frame_vocab *v);
bool frame_legal(const struct frame_vocab *v, int token);      /* may come at all */
bool frame_is_chord(const struct frame_vocab *v, int token);   /* something is struck, or (clock) sounds */
/* The token of a set: itself, or the nearest: one with the same top and bottom, else the same top, else the same bottom,
 * and of those the one with the largest share of common pitches. */
int frame_token(const struct frame_vocab *v, struct frame_set s);

/* Where frames begin, and the place in its bar of each (-1: clock); n + 1 of both. */
struct frame_grid { int n; int32_t *column; int8_t *phase; };
void frame_grid_of_work(struct frame_grid *g, enum frame_time t, const struct work *w);
/* Bars of a song; column 0 is the beginning of bar `from`, and a frame begins with bar `begin`. */
void frame_grid_of_song(struct frame_grid *g, enum frame_time t, const struct song *s, int from, int begin, int end);
void frame_grid_fini(struct frame_grid *g);
int frame_at(const struct frame_grid *g, int32_t column);      /* the frame whose beginning is nearest, 0..n-1 */

/* Notes by columns, sorted, `shift` semitones up: what is struck (clock: sounds) in each frame, and whether anything
 * sounds there. Both [n]. */
void frame_sets(enum frame_time t, const struct frame_grid *g, const struct qnote *notes, uint32_t n, int shift,
                struct frame_set *set, bool *sounds);
void frame_tokens(const struct frame_vocab *v, const struct frame_grid *g, const struct qnote *notes, uint32_t n, int shift,
                  int32_t *token);
/* Tokens of frames from..to-1 as notes, `shift` semitones up, vel 0; columns as in the grid. *out is malloc'd. */
void frame_notes(const struct frame_vocab *v, const struct frame_grid *g, const int32_t *token, int from, int to, int shift,
                 struct qnote **out, uint32_t *n);
/* Does a token end a pitch that has sounded for `age` frames? Beats: when its own pitch or one within a fourth is struck,
 * after a half note anything in its half of the keyboard, with a rest, and after two bars of 4/4. */
bool frame_ends(const struct frame_vocab *v, int token, int pitch, int age);
/* Frames that a pitch struck in frame `at` sounds, by the tokens before `to`. */
int frame_length(const struct frame_vocab *v, const int32_t *token, int at, int to, int pitch);
