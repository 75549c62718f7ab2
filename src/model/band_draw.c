/* band_draw.c: rows through the stepper; see band_draw.h. A step of the transformer reads one step of every row
 * and answers with the position head; where a note was begun, the other three heads follow. */
#include "band_draw.h"
#include "band.h"
#include "stepper.h"

enum { ROWS = BAND_ROWS };

/* Pitches are drawn hotter than all else: at the network's own odds, held to key and chords, tracks have fewer pitch
 * classes a bar than songs. A line of one voice most of all: it repeats what it just drew. */
static const double pitch_heat[N_ROLES] = { [ROLE_DRUMS] = 1, [ROLE_PIANO] = 1.12, [ROLE_GUITAR] = 1.12, [ROLE_BASS] = 1.3,
                                            [ROLE_STRINGS] = 1.12 };

static void feed_steps(struct stepper *s, const struct draw_row *rows, int n)
{
    for (int k = 0; k < ROWS; k++) {
        bool live = k < n && !rows[k].row.done;
        for (int i = 0; i < N_INPUTS; i++)
            stepper_in(s, i)[k] = live ? rows[k].row.step.in[i] : -1;
        stepper_position(s)[k] = live ? rows[k].row.position : 0;
    }
}

static int draw_pos(const float *logits, struct draw_row *d, const struct draw_opts *o)
{
    bool legal[CODEC_POS_OUT];
    for (int i = 0; i < CODEC_POS_OUT; i++)
        legal[i] = row_pos_legal(&d->row, i);
    return draw_index(logits, legal, CODEC_POS_OUT, o, &d->rng);
}

/* The rest of a note whose position is known, head by head. A drum has no length to draw. What range, key and
 * chord cost is not less for the heat. */
static void draw_part(enum codec_head h, const float *said, int size, struct draw_row *d, const struct draw_opts *o,
                      struct codec_note *note)
{
    bool legal[CODEC_PITCH], pitch = h == HEAD_PITCH;
    float logits[CODEC_PITCH], cost[CODEC_PITCH] = { 0 };
    double heat = pitch ? pitch_heat[codec_role(codec_cell_rank(note->cell))] : 1;
    if (pitch)
        row_pitch_costs(&d->row, note->pos, cost);
    for (int i = 0; i < size; i++) {
        legal[i] = !pitch || row_pitch_legal(&d->row, note->pos, i);
        logits[i] = said[i] - cost[i] * (float)heat;
    }
    struct draw_opts all = { .temperature = o->temperature * heat, .top_p = pitch ? o->top_p : 1 };
    bool drum = h == HEAD_DUR && note->pitch >= CODEC_PITCHED;
    int drawn = drum ? CODEC_DRUM_DUR : draw_index(logits, legal, size, &all, &d->rng);
    uint8_t *part[N_HEADS] = { &note->pos, &note->pitch, &note->dur, &note->vel };
    *part[h] = (uint8_t)drawn;
}

/* What a head is told of the one before it: as in training, nothing of a drum's length. */
static int told(enum codec_head h, const struct codec_note *note)
{
    if (h == HEAD_PITCH)
        return note->pos;
    if (h == HEAD_DUR)
        return note->pitch;
    return note->pitch >= CODEC_PITCHED ? -1 : note->dur;
}

static enum err draw_notes(struct stepper *s, struct draw_row *rows, const bool *wanted, int n, const struct draw_opts *o,
                           struct codec_note *notes, const atomic_bool *cancel)
{
    for (int h = HEAD_PITCH; h < N_HEADS; h++) {
        int32_t drawn[ROWS];
        const float *said;
        int size = stepper_net(s)->out[h].rows;
        for (int k = 0; k < ROWS; k++)
            drawn[k] = k < n && wanted[k] ? told(h, &notes[k]) : -1;
        TRY(stepper_head(s, h, drawn, cancel, &said));
        for (int k = 0; k < n; k++)
            if (wanted[k])
                draw_part(h, said + k * size, size, &rows[k], o, &notes[k]);
    }
    for (int k = 0; k < n; k++)
        if (wanted[k])
            row_take_note(&rows[k].row, &notes[k]);
    return ERR_OK;
}

/* One step of every live row. */
static enum err step_rows(struct stepper *s, struct draw_row *rows, int n, const struct draw_opts *o, const atomic_bool *cancel)
{
    struct codec_note notes[ROWS];
    bool begun[ROWS] = { false }, any = false;
    const float *said;
    feed_steps(s, rows, n);
    TRY(stepper_run(s, cancel, &said));
    for (int k = 0; k < n; k++) {
        struct row *row = &rows[k].row;
        if (row->done)
            continue;
        if (row->need == ROW_NEEDS_NOTHING) {
            row_advance(row);
            continue;
        }
        int drawn = draw_pos(said + k * CODEC_POS_OUT, &rows[k], o);
        if (row->need == ROW_NEEDS_CLASS) {
            row_take_class(row, drawn - CODEC_CLASS0);
        } else if (drawn == CODEC_END) {
            row_take_note(row, NULL);
        } else {
            notes[k] = (struct codec_note){ .cell = (uint8_t)row->cell, .pos = (uint8_t)drawn };
            begun[k] = any = true;
        }
    }
    return any ? draw_notes(s, rows, begun, n, o, notes, cancel) : ERR_OK;
}

enum err band_draw(struct stepper *s, struct draw_row *rows, int n, const struct draw_opts *o,
                   const struct draw_watch *watch)
{
    bool done[ROWS] = { false };
    BUG_ON(n > ROWS);
    for (;;) {
        int longest = -1;
        for (int k = 0; k < n; k++) {
            const struct row *row = &rows[k].row;
            if (!row->done && row->position > longest)
                longest = row->position;
            if (row->done && !done[k])
                watch->on_done(watch->ctx, k);
            done[k] = row->done;
        }
        if (longest < 0)
            return ERR_OK;
        if (watch->cancel && atomic_load_explicit(watch->cancel, memory_order_relaxed))
            return err_set(ERR_CANCELLED, "cancelled");
        watch->on_step(watch->ctx, longest);
        TRY(step_rows(s, rows, n, o, watch->cancel));
    }
}
