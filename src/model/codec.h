/* codec.h: how the band model writes music down. A 4-bar phrase becomes a sequence of steps: a header with
 * the genre and how dense each role is, then every kept cell, then every other cell; inside a cell one step
 * a note, in order of (position, pitch). A step is a handful of embedding indices; what the step's output
 * must predict is the next note of the cell, its end, or the next role's density class.
 *
 * Everything here is a pure function of its arguments. Pitches are written in a normalised key: a major
 * tonic becomes C, a minor one A, by a shift the caller names. Legality of a prediction depends on the step
 * alone, so the sampler's masks and the tests of the training targets are the same functions. */
#pragma once
#include "phrase.h"
#include "theory.h"

enum {
    CODEC_POS = 32,        /* onsets in a bar: steps 0 2 3 4 6 8 9 10 of each 12-step beat */
    CODEC_LOW = 24,        /* lowest pitched note; 84 pitches up to 107 */
    CODEC_PITCHED = 84,
    CODEC_DRUM_LOW = 35,   /* lowest drum; 47 up to 81 */
    CODEC_PITCH = 131,
    CODEC_DUR = 24, CODEC_VEL = 8,
    CODEC_DRUM_DUR = 2,    /* drums have no length of their own: three steps, a sixteenth */
    CODEC_CLASSES = 8,     /* density of a role: 0 silent, 1..7 by notes a phrase */
    CODEC_END = CODEC_POS, /* predictions of the position head after the positions */
    CODEC_CLASS0 = CODEC_END + 1,
    CODEC_POS_OUT = CODEC_CLASS0 + CODEC_CLASSES,
    CODEC_CELLS = PHRASE_BARS * N_ROLES,
    CODEC_HEADER = 1 + N_ROLES, /* steps before the first cell */
    CODEC_ALL_CELLS = (1 << CODEC_CELLS) - 1,
};

/* What a step is; one embedding table, so that kind, role and bar need no arithmetic in the network. */
enum { TAG_START = 0, TAG_DENSITY = 1, TAG_CELL = TAG_DENSITY + N_ROLES, TAG_NOTE = TAG_CELL + CODEC_CELLS,
       N_TAGS = TAG_NOTE + CODEC_CELLS };

/* The indices a step is summed from (-1 = absent), and what its output must predict (-1 = nothing). */
enum codec_input { IN_TAG, IN_KEPT, IN_GENRE, IN_CLASS, IN_POS, IN_PITCH, IN_DUR, IN_VEL, N_INPUTS };
enum codec_head { HEAD_POS, HEAD_PITCH, HEAD_DUR, HEAD_VEL, N_HEADS };
struct codec_step { int16_t in[N_INPUTS], out[N_HEADS]; };

/* A note as the model sees it. cell = bar * 5 + rank; a role's rank is its place inside a bar. */
struct codec_note { uint8_t cell, pos, pitch, dur, vel; };

int codec_rank(enum role r);          /* Drums, Bass, Piano, Guitar, Strings: rhythm section first */
enum role codec_role(int rank);
static inline int codec_cell(int bar, int rank) { return bar * N_ROLES + rank; }
static inline int codec_cell_rank(int cell) { return cell % N_ROLES; }
static inline int codec_cell_bar(int cell) { return cell / N_ROLES; }
uint32_t codec_role_cells(int rank);  /* mask of the four cells of a role; cell masks are bits 1 << cell */

int codec_pos(int step);              /* step in a bar 0..47 -> nearest position; never leaves the bar */
int codec_pos_step(int pos);
int codec_dur(int steps);             /* nearest on a logarithmic scale */
int codec_dur_steps(int dur);
int codec_density(int n_notes);       /* notes of a role in the phrase -> class 0..7 */
int codec_pitch(enum role r, int midi, int shift); /* octaves are folded; -1 for a drum out of range */
bool codec_folds(int midi);           /* a pitched note outside the range, before any shift */
int codec_pitch_midi(int pitch, int shift);
int codec_vel(int vel);
int codec_vel_midi(int vel);          /* middle of the class */

/* Key of the pitched notes whose cells are in `cells`; unknown below CODEC_KEY_NOTES of them. */
enum { CODEC_KEY_NOTES = 8 };
struct key codec_key(const struct pnote *notes, uint32_t n, uint32_t cells);

/* Notes on the model's grid, sorted by (cell, pos, pitch), doubles merged (longest and loudest stay).
 * `out` has room for n; returns how many. */
int codec_notes(const struct pnote *notes, uint32_t n, int shift, struct codec_note *out);
int codec_pnotes(const struct codec_note *notes, int n, int shift, struct pnote *out); /* back; same count */
/* Density class and number of notes of each rank. */
void codec_densities(const struct codec_note *notes, int n, int count[N_ROLES], int cls[N_ROLES]);

/* Single steps, without targets; the sequence and the sampler are made of them. */
struct codec_step codec_start(int genre);
struct codec_step codec_density_step(int genre, int rank, int cls);
struct codec_step codec_cell_step(int genre, int cell, bool kept);
struct codec_step codec_note_step(int genre, const struct codec_note *note, bool kept);
/* What follows a step of the cell when the cell goes on with `next`, or ends (NULL). */
void codec_expect(struct codec_step *s, const struct codec_note *next);

/* The whole sequence of a phrase; roles without notes are left out. Returns its length, or 0 when it
 * would be longer than cap. codec_length is that length without writing it. */
int codec_steps(const struct codec_note *notes, int n, uint32_t kept, int genre, struct codec_step *out, int cap);
int codec_length(const struct codec_note *notes, int n);
/* Read the notes back out of a sequence (any order of cells), sorted. Returns how many. */
int codec_read(const struct codec_step *steps, int n, struct codec_note *out, int cap);

/* What may come after a step. */
bool codec_class_legal(const struct codec_step *s);
bool codec_pos_legal(const struct codec_step *s, int out);
bool codec_pitch_legal(const struct codec_step *s, int pos, int pitch);
