/* piano_row.h: one take of the pianist in the making: which step the network reads next, what it may answer, and
 * what notes came of it. No network here: the sampler feeds steps and hands back draws, so that the rules can be
 * tested without weights.
 *
 * The network sees a window of steps. When it is full, the older half goes, at the beginning of a quarter, and
 * what remains is read again from the start: no quarter of the music is lost, and a window never depends on
 * how it came about. */
#pragma once
#include "piano_code.h"

/* What a take is asked for; borrowed by its row. Quarter q of the piece begins `origin + q` quarters into the song. */
struct piano_ask {
    const struct piano_piece *given;   /* the piece as the song has it, frames for all quarters up to `end` */
    const bool *keep;                  /* [end] quarters that are taken as given; all before `begin` are */
    int begin, end;                    /* quarters to write */
    int key;                           /* as piano_mode says */
    int shift;                         /* semitones that the network has the music higher than the song */
    uint16_t scale;                    /* allowed pitch classes; 0 = all */
    int low, high;                     /* allowed keys 0..87 of the song */
    int context;                       /* steps of the window */
};

struct piano_drawn { int quarter; struct piano_note note; };
struct piano_row {
    const struct piano_ask *ask;
    struct piano_step *step;           /* the window, with the quarter each step belongs to */
    int *quarter;
    int n, at;                         /* steps known; read so far */
    int q, in_quarter, silent;         /* the quarter being written, its notes, empty ones before it */
    bool done;
    struct piano_drawn *notes;
    size_t n_notes, cap_notes;
};
void piano_row_init(struct piano_row *r, const struct piano_ask *ask);
void piano_row_fini(struct piano_row *r);
/* From here on pitches are the network's, moved by ask.shift; the notes in the row are the song's. */
/* Reads the next step; true when its output is to be drawn from. */
bool piano_row_read(struct piano_row *r, const struct piano_step **step, int *position, int *quarter);
bool piano_row_pos_legal(const struct piano_row *r, int out);
bool piano_row_pitch_legal(const struct piano_row *r, int pos, int pitch);
void piano_row_end(struct piano_row *r);                            /* the quarter is over */
void piano_row_note(struct piano_row *r, struct piano_note note);
