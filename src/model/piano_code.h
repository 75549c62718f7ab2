/* piano_code.h: how the pianist writes music down. A piece is a row of quarters; a quarter is a step that says
 * where it lies in its bar, then one step a note in order of (position, pitch), then the next quarter's. A step
 * is a handful of embedding indices; what its output must predict is the quarter's next note, or its end.
 *
 * The network knows one key: music is moved to C major or A minor on its way in and back on its way out.
 *
 * Positions are 24 to a quarter: 32nds and the triplets of every value down to 16ths are exact. All functions
 * here are pure; legality of a prediction depends on the step alone, so the sampler's masks and the tests of the
 * training targets are the same. */
#pragma once
#include "quarter.h"
#include "stepnet.h"
#include "theory.h"

enum {
    PIANO_GRID = 24,             /* positions a quarter */
    PIANO_KEYS = QUARTER_KEYS,
    PIANO_DUR = 32,              /* lengths, a 64th triplet to two bars */
    PIANO_END = PIANO_GRID,      /* prediction of the position head after the positions */
    PIANO_POS_OUT,
    PIANO_MOST = 48,             /* notes a quarter; thicker ones are thinned */
    PIANO_EIGHTHS = 24,          /* of the longest bar that is told apart */
    PIANO_METRES = 2 * (PIANO_EIGHTHS + 1),
    PIANO_BARS = 8,              /* bars are counted modulo this */
    PIANO_LEFT = 7,              /* how near the end of the piece is; 0 = not in sight */
    PIANO_MODES = 3,             /* C major, A minor, unknown */
};

enum { KIND_BEGIN, KIND_MIDDLE, KIND_QUARTER, KIND_NOTE, N_KINDS };
enum piano_in { PIN_KIND, PIN_PHASE, PIN_METRE, PIN_BAR, PIN_LEFT, PIN_KEY, PIN_POS, PIN_PITCH, PIN_DUR, N_PIANO_IN };
enum piano_out { POUT_POS, POUT_PITCH, POUT_DUR, N_PIANO_OUT };
struct piano_step { int16_t in[N_PIANO_IN], out[N_PIANO_OUT]; };  /* -1 = absent, nothing to predict */

/* Tables of the inputs and heads of the network that reads and writes these steps. */
extern const struct step_table piano_in_tables[N_PIANO_IN], piano_out_tables[N_PIANO_OUT];

struct piano_note { uint8_t pos, pitch, dur; };                   /* within its quarter; pitch 0..87; class of length */
struct piano_frame { int8_t phase, metre, bar, left; };           /* where a quarter lies */

/* A piece, or its beginning. Quarter q holds the notes first[q] .. first[q + 1]. */
struct piano_piece {
    int quarters;
    struct piano_frame *frame;
    uint32_t *first;
    struct piano_note *note;
    size_t cap;
};
/* Notes by columns of quarter.h, sorted; `frame` (quarters of them) moves in. */
void piano_piece_init(struct piano_piece *p, const struct qnote *notes, uint32_t n, struct piano_frame *frame,
                      int quarters);
void piano_piece_fini(struct piano_piece *p);
static inline int piano_count(const struct piano_piece *p, int q) { return (int)(p->first[q + 1] - p->first[q]); }

/* The frame of the quarter that begins `column` columns after the beginning of bar `bar` of a metre. */
struct piano_frame piano_frame(int32_t column, int num, int den, int bar);
int piano_left(int quarters);          /* quarters to the end of the piece, this one included; 0 = not in sight */
int piano_mode(struct key k);          /* once the music is at home: 0 C major, 1 A minor, 2 unknown */

int piano_dur(int cells);              /* nearest class of a length in 24ths of a quarter */
int piano_dur_cells(int dur);

/* Single steps without targets; `frame` NULL at the start. */
struct piano_step piano_start(bool begin, int key);
struct piano_step piano_quarter(const struct piano_frame *frame, int key);
struct piano_step piano_note(const struct piano_frame *frame, int key, struct piano_note n);
/* What follows the step when its quarter goes on with `next`, or ends (NULL). */
void piano_expect(struct piano_step *s, const struct piano_note *next);
/* A start and the piece from quarter `q`, `shift` semitones up (what leaves the keyboard is left out), until the
 * piece ends or cap steps are written. Returns how many. */
int piano_steps(const struct piano_piece *p, int q, int shift, int key, struct piano_step *out, int cap);

/* What may come after a step. */
bool piano_pos_legal(const struct piano_step *s, int out);
bool piano_pitch_legal(const struct piano_step *s, int pos, int pitch);
