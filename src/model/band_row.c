/* band_row.c: the state machine of one take; see band_row.h. The order of steps is that of the training
 * sequences: header, kept cells, other cells. */
#include "band_row.h"
#include <string.h>

enum { ROOM_TO_ANSWER = 288 }; /* steps left to the answer when the kept notes are very many */

#define NATS_A_SEMITONE 0.5f /* outside a loose range: an octave below it is 400 times less likely */
/* Nothing tells the network the key it is asked for but that music is written in C or A: drawn from nothing, every fifth
 * note strays from it, every twelfth of real songs does. With this they agree. */
#define NATS_OUT_OF_KEY 0.65f
/* The same of chords: tracks of songs keep nearer to one another's than the network's odds would have it. Around kept
 * notes, which tell the key, it strays from the chord more. */
#define NATS_OFF_CHORD 0.34f
#define NATS_OFF_KEPT_CHORD 0.8f

static bool has(uint32_t cells, int cell)
{
    return cells >> cell & 1;
}

/* What a note adds to the chords of the beats it sounds in. */
static void hear(struct row *r, const struct codec_note *note)
{
    enum { BEAT_STEPS = 12 };
    int rank = codec_cell_rank(note->cell);
    if (note->pitch >= CODEC_PITCHED)
        return;
    int from = codec_cell_bar(note->cell) * 4 * BEAT_STEPS + codec_pos_step(note->pos);
    int to = from + codec_dur_steps(note->dur);
    for (int step = from; step < to && step < ROW_BEATS * BEAT_STEPS; step++)
        r->chroma[rank][step / BEAT_STEPS][note->pitch % 12]++;
}

static void count_context(struct row *r)
{
    int cls[N_ROLES];
    codec_densities(r->context, r->n_context, r->context_count, cls);
}

/* Keep at most `most` notes of each cell; where notes go, they go evenly. */
static int thin(struct codec_note *notes, int n, int most)
{
    int out = 0;
    for (int i = 0, end; i < n; i = end) {
        for (end = i; end < n && notes[end].cell == notes[i].cell; end++)
            ;
        int size = end - i, stay = size < most ? size : most;
        for (int k = 0; k < stay; k++)
            notes[out++] = notes[i + k * size / stay];
    }
    return out;
}

void row_begin(struct row *r, const struct window_ask *ask, struct codec_note *context, int n_context)
{
    memset(r, 0, sizeof *r);
    r->ask = *ask;
    r->context = context;
    r->n_context = n_context;
    r->cell = -1;
    r->done = ask->wanted == 0;
    int room = ask->max_steps - CODEC_HEADER - CODEC_CELLS - (ask->wanted ? ROOM_TO_ANSWER : 0);
    for (int most = ROW_CELL_NOTES; r->n_context > room && most > 0; most -= most > 8 ? 4 : 1)
        r->n_context = thin(r->context, r->n_context, most);
    count_context(r);
    for (int c = 0; c < 12; c++) {
        double alone[12] = { 0 };
        alone[c] = 1;
        tonal_centroid(alone, 1, r->place[c]);
    }
    for (int i = 0; i < r->n_context; i++)
        hear(r, &r->context[i]);
    r->step = codec_start(ask->genre);
    r->need = ROW_NEEDS_CLASS;
}

/* The classes a rank may have: what is kept is a lower bound, what was asked for must sound. */
static void class_range(const struct row *r, int rank, int *lo, int *hi)
{
    enum role role = codec_role(rank);
    uint32_t cells = codec_role_cells(rank);
    int least = codec_density(r->context_count[rank]), asked = r->ask.density[role];
    *lo = *hi = least;
    if ((r->ask.kept & cells) == cells || !(r->ask.wanted & cells))
        return;
    if (asked >= 1) {
        *lo = *hi = asked > least ? asked : least;
        return;
    }
    *lo = least > 0 || asked == -2 ? least : 1;
    *hi = CODEC_CLASSES - 1;
}

/* The last cell of its rank that is still to be written? */
static bool is_last_wanted(const struct row *r, int cell)
{
    uint32_t later = r->ask.wanted & codec_role_cells(codec_cell_rank(cell)) & ~((2u << cell) - 1);
    return later == 0;
}

static bool must_go_on(const struct row *r)
{
    int rank = codec_cell_rank(r->cell);
    return r->ask.must_sound[codec_role(rank)] && r->new_notes[rank] == 0 && is_last_wanted(r, r->cell);
}

/* Every cell to come takes a step at least, and one must be left for it. */
static bool is_full(const struct row *r)
{
    int cells_left = 0;
    for (int cell = r->cell + 1; cell < CODEC_CELLS; cell++)
        cells_left += has(r->ask.wanted, cell);
    return r->cell_notes >= ROW_CELL_NOTES || r->position + 2 * cells_left + 2 >= r->ask.max_steps;
}

bool row_pos_legal(const struct row *r, int out)
{
    if (!codec_pos_legal(&r->step, out))
        return false;
    if (r->need == ROW_NEEDS_CLASS) {
        int lo, hi, cls = out - CODEC_CLASS0;
        class_range(r, r->n_classes, &lo, &hi);
        return cls >= lo && cls <= hi;
    }
    if (out == CODEC_END)
        return !must_go_on(r);
    if (is_full(r) && !must_go_on(r))
        return false;
    for (int pitch = 0; pitch < CODEC_PITCH; pitch++)
        if (row_pitch_legal(r, out, pitch))
            return true;
    return false;
}

static const struct pitch_range *range_of(const struct row *r)
{
    return &r->ask.range[codec_role(codec_cell_rank(r->cell))];
}

/* Semitones outside the range of the role. */
static int outside(const struct row *r, int pitch)
{
    const struct pitch_range *range = range_of(r);
    if (pitch >= CODEC_PITCHED || range->hi == 0)
        return 0;
    int midi = codec_pitch_midi(pitch, r->ask.shift);
    return midi < range->lo ? range->lo - midi : midi > range->hi ? midi - range->hi : 0;
}

static bool in_scale(const struct row *r, uint16_t scale, int pitch)
{
    int class = (codec_pitch_midi(pitch, r->ask.shift) + 12) % 12;
    return scale == 0 || pitch >= CODEC_PITCHED || scale >> class & 1;
}

bool row_pitch_legal(const struct row *r, int pos, int pitch)
{
    return codec_pitch_legal(&r->step, pos, pitch) && in_scale(r, r->ask.scale, pitch) &&
           !(range_of(r)->strict && outside(r, pitch));
}

/* How far each pitch class lies from the chord of the other tracks in the beat of `pos`; nothing where they rest. */
static void chord_costs(const struct row *r, int pos, float cost[12])
{
    double chord[12] = { 0 }, all = 0, there[6];
    int beat = codec_cell_bar(r->cell) * 4 + codec_pos_step(pos) / 12;
    for (int rank = 0; rank < N_ROLES; rank++)
        for (int c = 0; c < 12 && rank != codec_cell_rank(r->cell); c++) {
            chord[c] += r->chroma[rank][beat][c];
            all += r->chroma[rank][beat][c];
        }
    memset(cost, 0, 12 * sizeof *cost);
    if (all == 0)
        return;
    tonal_centroid(chord, all, there);
    for (int c = 0; c < 12; c++)
        cost[c] = (r->ask.home ? NATS_OFF_CHORD : NATS_OFF_KEPT_CHORD) * (float)tonal_distance(r->place[c], there);
}

void row_pitch_costs(const struct row *r, int pos, float cost[CODEC_PITCH])
{
    float chord[12];
    chord_costs(r, pos, chord);
    for (int pitch = 0; pitch < CODEC_PITCH; pitch++)
        cost[pitch] = (float)outside(r, pitch) * NATS_A_SEMITONE + (in_scale(r, r->ask.home, pitch) ? 0 : NATS_OUT_OF_KEY) +
                      (pitch < CODEC_PITCHED ? chord[pitch % 12] : 0);
}

/* The next cell of `cells` after r->cell that the sequence holds (its rank is not silent), or -1. */
static int next_cell(const struct row *r, uint32_t cells)
{
    for (int cell = r->cell + 1; cell < CODEC_CELLS; cell++)
        if (has(cells, cell) && r->cls[codec_cell_rank(cell)] > 0)
            return cell;
    return -1;
}

static void open_cell(struct row *r, int cell, bool kept)
{
    r->cell = cell;
    r->cell_notes = 0;
    r->step = codec_cell_step(r->ask.genre, cell, kept);
    r->need = kept ? ROW_NEEDS_NOTHING : ROW_NEEDS_NOTE;
}

static void next_wanted(struct row *r)
{
    int cell = next_cell(r, r->ask.wanted);
    r->done = cell < 0;
    r->need = ROW_NEEDS_NOTHING;
    if (!r->done)
        open_cell(r, cell, false);
}

void row_advance(struct row *r)
{
    r->position++;
    if (r->context_at < r->n_context && r->context[r->context_at].cell == r->cell) {
        r->step = codec_note_step(r->ask.genre, &r->context[r->context_at++], true);
        return;
    }
    int cell = next_cell(r, r->ask.kept);
    if (cell >= 0) {
        open_cell(r, cell, true);
        return;
    }
    r->cell = -1;
    next_wanted(r);
}

void row_take_class(struct row *r, int cls)
{
    r->position++;
    r->step = codec_density_step(r->ask.genre, r->n_classes, cls);
    r->cls[r->n_classes++] = cls;
    r->need = r->n_classes < N_ROLES ? ROW_NEEDS_CLASS : ROW_NEEDS_NOTHING;
}

void row_take_note(struct row *r, const struct codec_note *note)
{
    r->position++;
    if (!note) {
        next_wanted(r);
        return;
    }
    r->notes[r->n_notes++] = *note;
    r->cell_notes++;
    r->new_notes[codec_cell_rank(r->cell)]++;
    hear(r, note);
    r->step = codec_note_step(r->ask.genre, note, false);
}
