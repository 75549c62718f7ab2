/* pianist_sample.c: requests to takes. The song up to the span is read as steps, the span is written quarter by
 * quarter; bars that are kept are read as they stand when the music comes to them. */
#include <stdlib.h>
#include <string.h>
#include "draw.h"
#include "mem.h"
#include "pianist.h"
#include "piano_job.h"
#include "piano_row.h"
#include "stepper.h"

enum { ROWS = 8, CELL_TICKS = SONG_TPQ / PIANO_GRID };
static const float SOFT_RANGE = 4;  /* nats that a pitch outside a range that is not strict pays an octave */

struct pianist_sampler { struct stepper *stepper; };

struct job {
    struct model *m;
    struct piano_job piano;
    struct piano_piece given;
    int n_done, n_now;           /* takes finished, and under way */
    int n_beside;                /* takes that fit beside each other */
};

/* A take in the making. */
struct draft {
    struct piano_draft piano;
    struct piano_ask ask;
    struct piano_row row;
    size_t written;              /* of row.notes */
    bool asked;                  /* the step just read is to be drawn from */
};

enum err pianist_sampler_new(struct model *m, const struct ckpt *weights, struct pianist_sampler **out)
{
    struct pianist_sampler *s = xcalloc(1, sizeof *s);
    enum err err = stepper_new(m->device, &m->net, m->params, weights, ROWS, m->context, &s->stepper);
    if (err != ERR_OK) {
        free(s);
        return err;
    }
    *out = s;
    return ERR_OK;
}

void pianist_sampler_free(struct pianist_sampler *s)
{
    if (s)
        stepper_free(s->stepper);
    free(s);
}

/* ---- writing ---- */

static bool same_onset(const struct piano_drawn *a, const struct piano_drawn *b)
{
    return a->quarter == b->quarter && a->note.pos == b->note.pos;
}

/* The notes drawn since the last time go into the song. */
static void write_notes(const struct job *j, struct draft *d)
{
    const struct piano_drawn *all = d->row.notes;
    for (size_t i = d->written; i < d->row.n_notes; i++) {
        bool first = i == 0 || !same_onset(&all[i - 1], &all[i]), top = i + 1 == d->row.n_notes || !same_onset(&all[i], &all[i + 1]);
        struct note n = { .tick = j->piano.origin + all[i].quarter * SONG_TPQ + all[i].note.pos * CELL_TICKS,
                          .dur = piano_dur_cells(all[i].note.dur) * CELL_TICKS,
                          .pitch = (uint8_t)(all[i].note.pitch + QUARTER_LOW) };
        piano_draft_add(&j->piano, &d->piano, n, top, first && top);
    }
    d->written = d->row.n_notes;
    track_tidy(song_track_of(d->piano.song, ROLE_PIANO));
}

static void show_part(const struct job *j, struct draft *d, int index)
{
    if (!piano_draft_grows(&j->piano, &d->piano, d->row.done ? j->piano.end : d->row.q))
        return;
    write_notes(j, d);
    piano_draft_show(&j->piano, &d->piano, index);
}

/* ---- drawing ---- */

static void read_steps(struct job *j, struct draft *drafts)
{
    struct stepper *s = j->m->sampler->stepper;
    size_t n_styles = (size_t)j->piano.styles->n;
    for (int k = 0; k < j->n_beside; k++) {
        bool live = k < j->n_now && !drafts[k].row.done;
        const struct piano_step *step = NULL;
        int position = 0, quarter = 0;
        if (live)
            drafts[k].asked = piano_row_read(&drafts[k].row, &step, &position, &quarter);
        else if (k < j->n_now)
            drafts[k].asked = false;
        for (int row = k; row < ROWS; row += j->n_beside) {
            for (int i = 0; i < N_PIANO_IN; i++)
                stepper_in(s, i)[row] = live ? step->in[i] : -1;
            stepper_position(s)[row] = position;
            memset(stepper_style(s) + (size_t)row * n_styles, 0, n_styles * sizeof(float));
        }
        if (k < j->n_now)
            piano_draft_weigh(&j->piano, &drafts[k].piano, quarter, stepper_style(s) + (size_t)k * n_styles);
    }
}

static const float *said(const struct job *j, const float *logits, int k, int size, float *out)
{
    return piano_job_said(logits, k, size, j->n_beside, ROWS, out);
}

static int draw_pos(struct draft *d, const float *logits, const struct draw_opts *o)
{
    bool legal[PIANO_POS_OUT];
    for (int i = 0; i < PIANO_POS_OUT; i++)
        legal[i] = piano_row_pos_legal(&d->row, i);
    return draw_index(logits, legal, PIANO_POS_OUT, o, &d->piano.draw);
}

static int draw_pitch(const struct job *j, struct draft *d, int pos, const float *logits, const struct draw_opts *o)
{
    struct pitch_range r = j->piano.rq->range[ROLE_PIANO];
    bool legal[PIANO_KEYS];
    float biased[PIANO_KEYS];
    for (int i = 0; i < PIANO_KEYS; i++) {
        int midi = i - d->ask.shift + QUARTER_LOW, out = r.hi == 0 ? 0 : midi < r.lo ? r.lo - midi : midi > r.hi ? midi - r.hi : 0;
        biased[i] = logits[i] - SOFT_RANGE * (float)out / 12;
        legal[i] = piano_row_pitch_legal(&d->row, pos, i);
    }
    return draw_index(biased, legal, PIANO_KEYS, o, &d->piano.draw);
}

/* The rest of the notes that were begun. */
static enum err draw_notes(struct job *j, struct draft *drafts, int32_t pos[ROWS], const struct draw_opts *o,
                           const atomic_bool *cancel)
{
    struct stepper *s = j->m->sampler->stepper;
    int32_t pitch[ROWS];
    const float *logits;
    float mixed[PIANO_KEYS];
    TRY(stepper_head(s, POUT_PITCH, pos, cancel, &logits));
    for (int k = 0; k < ROWS; k++)
        pitch[k] = k >= j->n_beside ? pitch[k - j->n_beside]
                   : pos[k] < 0     ? -1
                                    : draw_pitch(j, &drafts[k], pos[k], said(j, logits, k, PIANO_KEYS, mixed), o);
    TRY(stepper_head(s, POUT_DUR, pitch, cancel, &logits));
    for (int k = 0; k < j->n_now; k++)
        if (pos[k] >= 0) {
            int dur = draw_index(said(j, logits, k, PIANO_DUR, mixed), NULL, PIANO_DUR, o, &drafts[k].piano.draw);
            piano_row_note(&drafts[k].row, (struct piano_note){ (uint8_t)pos[k], (uint8_t)pitch[k], (uint8_t)dur });
        }
    return ERR_OK;
}

/* One step of every row. */
static enum err step_rows(struct job *j, struct draft *drafts)
{
    const struct draw_opts o = { j->piano.rq->temperature, j->piano.rq->top_p, j->piano.rq->top_k };
    const atomic_bool *cancel = j->piano.p ? j->piano.p->cancel : NULL;
    const float *logits;
    int32_t pos[ROWS];
    bool any = false;
    read_steps(j, drafts);
    TRY(stepper_run(j->m->sampler->stepper, cancel, &logits));
    for (int k = 0; k < ROWS; k++)
        pos[k] = -1;
    for (int k = 0; k < j->n_now; k++) {
        float mixed[PIANO_POS_OUT];
        if (!drafts[k].asked)
            continue;
        int drawn = draw_pos(&drafts[k], said(j, logits, k, PIANO_POS_OUT, mixed), &o);
        if (drawn == PIANO_END) {
            piano_row_end(&drafts[k].row);
            show_part(j, &drafts[k], j->n_done + k);
        } else {
            for (int row = k; row < ROWS; row += j->n_beside)
                pos[row] = drawn;
            any = true;
        }
    }
    return any ? draw_notes(j, drafts, pos, &o, cancel) : ERR_OK;
}

/* ---- takes ---- */

static void draft_init(struct job *j, struct draft *d, uint64_t seed)
{
    const struct piano_job *p = &j->piano;
    memset(d, 0, sizeof *d);
    piano_draft_init(p, &d->piano, seed);
    d->ask = (struct piano_ask){ .given = &j->given, .keep = p->keep, .begin = p->begin, .end = p->end,
                                 .key = piano_mode(p->key), .shift = d->piano.shift, .scale = p->scale, .low = p->low,
                                 .high = p->high, .context = j->m->context };
    piano_row_init(&d->row, &d->ask);
}

static void draft_fini(struct draft *d)
{
    piano_draft_fini(&d->piano);
    piano_row_fini(&d->row);
}

static void report(const struct job *j, const struct draft *drafts)
{
    const struct piano_job *p = &j->piano;
    int least = p->end;
    if (!p->p || !p->p->on_step)
        return;
    for (int k = 0; k < j->n_now; k++)
        least = drafts[k].row.q < least ? drafts[k].row.q : least;
    double here = (double)(least - p->begin) / (p->end - p->begin);
    p->p->on_step(p->p->ctx, (j->n_done + (here > 0 ? here : 0) * j->n_now) / p->rq->n_takes);
}

/* Up to n_beside takes side by side. */
static enum err run_batch(struct job *j, struct draft *drafts)
{
    for (;;) {
        bool live = false;
        for (int k = 0; k < j->n_now; k++)
            live |= !drafts[k].row.done;
        if (!live)
            break;
        const struct progress *p = j->piano.p;
        if (p && p->cancel && atomic_load_explicit(p->cancel, memory_order_relaxed))
            return err_set(ERR_CANCELLED, "cancelled");
        report(j, drafts);
        TRY(step_rows(j, drafts));
    }
    for (int k = 0; k < j->n_now; k++) {
        write_notes(j, &drafts[k]);
        piano_draft_deliver(&j->piano, &drafts[k].piano, j->n_done + k, drafts[k].row.n_notes == 0);
    }
    return ERR_OK;
}

enum err pianist_run(struct model *m, const struct request *rq, const struct progress *p)
{
    struct job j = { .m = m };
    struct draft drafts[ROWS];
    enum err err = ERR_OK;
    TRY(piano_job_init(&j.piano, &m->styles, m->name, m->hash, rq, p));
    size_t frames = (size_t)j.piano.end + 1;
    struct piano_frame *frame = xcalloc(frames, sizeof *frame);
    memcpy(frame, j.piano.frame, frames * sizeof *frame);
    piano_piece_init(&j.given, j.piano.notes, j.piano.n_notes, frame, j.piano.end);
    j.n_beside = piano_job_beside(&j.piano, ROWS);
    for (; j.n_done < rq->n_takes && err == ERR_OK; j.n_done += j.n_now) {
        j.n_now = rq->n_takes - j.n_done < j.n_beside ? rq->n_takes - j.n_done : j.n_beside;
        for (int k = 0; k < j.n_now; k++)
            draft_init(&j, &drafts[k], rq->seed + (uint64_t)(j.n_done + k));
        err = run_batch(&j, drafts);
        for (int k = 0; k < j.n_now; k++)
            draft_fini(&drafts[k]);
    }
    piano_piece_fini(&j.given);
    piano_job_fini(&j.piano);
    return err;
}
