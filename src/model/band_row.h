/* band_row.h: one take in the making, as a state machine over steps: which step the network reads next,
 * what it may answer, and what notes came of it. No network here: the sampler feeds steps and hands back
 * draws, so the rules of a phrase (guards, limits, order of cells) can be tested without weights. */
#pragma once
#include "codec.h"
#include "model.h"

enum { ROW_BEATS = 4 * PHRASE_BARS, ROW_CELL_NOTES = 64, ROW_MAX_NOTES = CODEC_CELLS * ROW_CELL_NOTES };

/* What a 4-bar window is asked for. Cells neither kept nor wanted stay out of the answer. */
struct window_ask {
    int genre, shift;
    uint32_t kept, wanted;       /* cell masks, disjoint */
    int density[N_ROLES];        /* by role: 1..7 forced, -1 the model's choice, -2 silence allowed too */
    bool must_sound[N_ROLES];    /* by role: at least one new note in the window */
    struct pitch_range range[N_ROLES]; /* by role, as sounded */
    uint16_t scale;              /* allowed pitch classes as sounded; 0 = all */
    uint16_t home;               /* likelier ones, where no kept notes tell the key; 0 = none */
    int max_steps;               /* length of the network's memory */
};

enum row_need { ROW_NEEDS_NOTHING, ROW_NEEDS_CLASS, ROW_NEEDS_NOTE };
struct row {
    struct window_ask ask;
    struct codec_step step;      /* what the network reads next */
    enum row_need need;          /* what is drawn from its answer */
    int position;                /* of `step` in the sequence */
    bool done;
    int n_classes, cls[N_ROLES]; /* by rank; known so far */
    double place[12][6];         /* tonal centroid of each pitch class alone */
    int context_count[N_ROLES];  /* kept notes a rank */
    struct codec_note *context; int n_context, context_at;
    int cell;                    /* being written, -1 before the first */
    int cell_notes, new_notes[N_ROLES];
    float chroma[N_ROLES][ROW_BEATS][12]; /* by rank: steps that each pitch class sounds in a beat, in the network's key */
    struct codec_note notes[ROW_MAX_NOTES]; int n_notes;
};

/* Start on a window. `context` (sorted, with room of its own) holds the kept cells' notes; it is thinned
 * in place where it would not leave room to answer. Borrowed until the row is done. */
void row_begin(struct row *r, const struct window_ask *ask, struct codec_note *context, int n_context);
/* Legality of an answer to the current step, beyond codec.h: classes and positions, then pitches. */
bool row_pos_legal(const struct row *r, int out);
bool row_pitch_legal(const struct row *r, int pos, int pitch);
/* How much less likely each pitch is at `pos` than the network says, in nats: outside a loose range or the key, or far
 * from what the other tracks play there. */
void row_pitch_costs(const struct row *r, int pos, float cost[CODEC_PITCH]);
/* Go on with the next step: after nothing was needed, after a class, after END (note NULL) or a note. */
void row_advance(struct row *r);
void row_take_class(struct row *r, int cls);
void row_take_note(struct row *r, const struct codec_note *note);
