/* codes_sample.c: requests to takes. A piece is a row of places, known up to some point; the network reads them from
 * the beginning of its window and draws the next, and when a quarter is whole it is painted. Quarters that are given or
 * kept are read as they stand. */
#include <stdlib.h>
#include <string.h>
#include "codes.h"
#include "draw.h"
#include "mem.h"
#include "piano_job.h"
#include "stepper.h"

enum { ROWS = 8 };

struct codes_sampler { struct stepper *stepper; };

struct job {
    struct model *m;
    struct piano_job piano;
    struct quarter *given;       /* [end] as the song has them */
    int n_done, n_now;           /* takes finished, and under way */
    int n_beside;                /* takes that fit beside each other */
};

/* A take in the making. Places count through the piece, 16 a quarter. */
struct draft {
    struct piano_draft piano;
    int32_t *codes;              /* [end][VQVAE_SLOTS][stages] */
    struct quarter *made;        /* [end] quarters of the span that are painted; the others are silent */
    int window, read, known;     /* the window's first quarter; places read, places known */
    bool asked;                  /* the place just read is to be drawn */
    bool empty;
};

enum err codes_sampler_new(struct model *m, const struct ckpt *weights, struct codes_sampler **out)
{
    struct codes_sampler *s = xcalloc(1, sizeof *s);
    enum err err = stepper_new(m->device, &m->net, m->params, weights, ROWS, m->context * VQVAE_SLOTS, &s->stepper);
    if (err != ERR_OK) {
        free(s);
        return err;
    }
    *out = s;
    return ERR_OK;
}

void codes_sampler_free(struct codes_sampler *s)
{
    if (s)
        stepper_free(s->stepper);
    free(s);
}

static bool done(const struct job *j, const struct draft *d)
{
    return d->known >= j->piano.end * VQVAE_SLOTS;
}

static bool given(const struct job *j, int quarter)
{
    return quarter < j->piano.begin || j->piano.keep[quarter];
}

/* ---- painting ---- */

/* Where a note may stand: by octaves into the range, by a semitone into the scale; -1 = nowhere. */
static int placed(const struct job *j, int pitch)
{
    const struct piano_job *p = &j->piano;
    struct pitch_range r = p->rq->range[ROLE_PIANO];
    int lo = r.hi > 0 ? r.lo : 0, hi = r.hi > 0 ? r.hi : 127;
    if (p->scale && !(p->scale >> pitch % 12 & 1))
        pitch += p->scale >> (pitch + 11) % 12 & 1 ? -1 : 1;
    while (pitch < lo)
        pitch += 12;
    while (pitch > hi)
        pitch -= 12;
    return pitch < lo ? -1 : pitch;
}

/* The span's notes as its quarters have them so far. */
static void write_notes(const struct job *j, struct draft *d)
{
    const struct piano_job *p = &j->piano;
    struct qnote *notes;
    uint32_t n;
    quarters_to_notes(d->made + p->begin, (uint32_t)(p->end - p->begin), 1, &notes, &n);
    piano_draft_clear(p, &d->piano);
    d->empty = true;
    for (uint32_t i = 0; i < n; i++) {
        bool first = i == 0 || notes[i - 1].start != notes[i].start, top = i + 1 == n || notes[i + 1].start != notes[i].start;
        int pitch = placed(j, notes[i].pitch);
        if (pitch < 0)
            continue;
        struct note note = { .tick = p->origin + p->begin * SONG_TPQ + notes[i].start * QUARTER_COL_TICKS,
                             .dur = notes[i].dur * QUARTER_COL_TICKS, .pitch = (uint8_t)pitch };
        piano_draft_add(p, &d->piano, note, top, first && top);
        d->empty = false;
    }
    track_tidy(song_track_of(d->piano.song, ROLE_PIANO));
    free(notes);
}

static enum err paint(const struct job *j, struct draft *d, int quarter)
{
    struct quarter q;
    TRY(vqvae_decode(j->m->vqvae, d->codes + quarter * vqvae_slots(vqvae_config(j->m->vqvae)), 1, &q));
    d->made[quarter] = quarter_transposed(&q, -d->piano.shift);
    return ERR_OK;
}

/* On from the quarters that are given or kept. */
static void skip_given(const struct job *j, struct draft *d)
{
    while (!done(j, d) && given(j, d->known / VQVAE_SLOTS))
        d->known += VQVAE_SLOTS;
}

static enum err end_quarter(struct job *j, struct draft *d, int index)
{
    TRY(paint(j, d, d->known / VQVAE_SLOTS - 1));
    skip_given(j, d);
    if (piano_draft_grows(&j->piano, &d->piano, d->known / VQVAE_SLOTS)) {
        write_notes(j, d);
        piano_draft_show(&j->piano, &d->piano, index);
    }
    return ERR_OK;
}

/* ---- drawing ---- */

/* A full window lets its older half go; what remains is read again. */
static void slide(const struct job *j, struct draft *d)
{
    if (d->read < (d->window + j->m->context) * VQVAE_SLOTS)
        return;
    d->window += j->m->context - j->m->context / 2;
    d->read = d->window * VQVAE_SLOTS;
}

static void read_places(struct job *j, struct draft *drafts)
{
    struct stepper *s = j->m->sampler->stepper;
    const struct stepnet *c = &j->m->net;
    size_t n_styles = (size_t)j->piano.styles->n;
    for (int k = 0; k < j->n_beside; k++) {
        struct draft *d = k < j->n_now && !done(j, &drafts[k]) ? &drafts[k] : NULL;
        int32_t in[N_CODES_IN];
        int position = 0, quarter = j->piano.begin;
        memset(in, -1, sizeof in);
        if (d) {
            slide(j, d);
            quarter = d->read / VQVAE_SLOTS;
            position = d->read - d->window * VQVAE_SLOTS;
            codes_step(c, &j->piano.frame[quarter], piano_mode(j->piano.key), d->read % VQVAE_SLOTS,
                       position > 0 ? d->codes + (d->read - 1) * c->n_out : NULL, d->read == 0, in);
            d->asked = d->read++ == d->known;
        } else if (k < j->n_now) {
            drafts[k].asked = false;
        }
        for (int row = k; row < ROWS; row += j->n_beside) {
            for (int i = 0; i < c->n_in; i++)
                stepper_in(s, i)[row] = in[i];
            stepper_position(s)[row] = position;
            memset(stepper_style(s) + (size_t)row * n_styles, 0, n_styles * sizeof(float));
        }
        if (k < j->n_now)
            piano_draft_weigh(&j->piano, &drafts[k].piano, quarter, stepper_style(s) + (size_t)k * n_styles);
    }
}

/* One place of every take that reads the end of what it knows: its stages in turn. */
static enum err draw_places(struct job *j, struct draft *drafts, const float *logits, const atomic_bool *cancel)
{
    const struct stepnet *c = &j->m->net;
    const struct request *rq = j->piano.rq;
    const struct draw_opts o = { rq->temperature, rq->top_p, rq->top_k };
    float mixed[CODES_MAX];
    for (int h = 0; h < c->n_out; h++) {
        int32_t drawn[ROWS];
        for (int row = 0; row < ROWS; row++)
            drawn[row] = -1;
        for (int k = 0; k < j->n_now; k++) {
            struct draft *d = &drafts[k];
            if (!d->asked)
                continue;
            const float *said = piano_job_said(logits, k, c->out[h].rows, j->n_beside, ROWS, mixed);
            int code = draw_index(said, NULL, c->out[h].rows, &o, &d->piano.draw);
            d->codes[d->known * c->n_out + h] = code;
            for (int row = k; row < ROWS; row += j->n_beside)
                drawn[row] = code;
        }
        if (h + 1 < c->n_out)
            TRY(stepper_head(j->m->sampler->stepper, h + 1, drawn, cancel, &logits));
    }
    return ERR_OK;
}

static enum err step_rows(struct job *j, struct draft *drafts)
{
    const atomic_bool *cancel = j->piano.p ? j->piano.p->cancel : NULL;
    const float *logits;
    bool any = false;
    read_places(j, drafts);
    TRY(stepper_run(j->m->sampler->stepper, cancel, &logits));
    for (int k = 0; k < j->n_now; k++)
        any |= drafts[k].asked;
    if (!any)
        return ERR_OK;
    TRY(draw_places(j, drafts, logits, cancel));
    for (int k = 0; k < j->n_now; k++)
        if (drafts[k].asked && ++drafts[k].known % VQVAE_SLOTS == 0)
            TRY(end_quarter(j, &drafts[k], j->n_done + k));
    return ERR_OK;
}

/* ---- takes ---- */

/* What the take will read of what is there, in codes. */
static enum err encode_given(const struct job *j, struct draft *d)
{
    struct quarter *moved = xcalloc((size_t)j->piano.end + 1, sizeof *moved);
    enum err err = ERR_OK;
    for (int q = d->window, n; q < j->piano.end && err == ERR_OK; q += n + 1) {
        for (n = 0; q + n < j->piano.end && given(j, q + n); n++)
            moved[n] = quarter_transposed(&j->given[q + n], d->piano.shift);
        err = vqvae_encode(j->m->vqvae, moved, n, d->codes + q * vqvae_slots(vqvae_config(j->m->vqvae)), NULL);
    }
    free(moved);
    return err;
}

/* Half a window of what is there is read. */
static enum err draft_init(struct job *j, struct draft *d, uint64_t seed)
{
    const struct piano_job *p = &j->piano;
    size_t quarters = (size_t)p->end + 1;
    *d = (struct draft){ .empty = true };
    piano_draft_init(p, &d->piano, seed);
    d->codes = xcalloc(quarters * (size_t)vqvae_slots(vqvae_config(j->m->vqvae)), sizeof *d->codes);
    d->made = xcalloc(quarters, sizeof *d->made);
    d->window = p->begin > j->m->context / 2 ? p->begin - j->m->context / 2 : 0;
    d->read = d->window * VQVAE_SLOTS;
    skip_given(j, d);
    return encode_given(j, d);
}

static void draft_fini(struct draft *d)
{
    piano_draft_fini(&d->piano);
    free(d->codes);
    free(d->made);
}

static void report(const struct job *j, const struct draft *drafts)
{
    const struct piano_job *p = &j->piano;
    int first = p->begin * VQVAE_SLOTS, all = p->end * VQVAE_SLOTS, least = all;
    if (!p->p || !p->p->on_step)
        return;
    for (int k = 0; k < j->n_now; k++)
        least = drafts[k].known < least ? drafts[k].known : least;
    p->p->on_step(p->p->ctx, (j->n_done + (double)(least - first) / (all - first) * j->n_now) / p->rq->n_takes);
}

/* Up to n_beside takes side by side. */
static enum err run_batch(struct job *j, struct draft *drafts)
{
    const struct progress *p = j->piano.p;
    for (;;) {
        bool live = false;
        for (int k = 0; k < j->n_now; k++)
            live |= !done(j, &drafts[k]);
        if (!live)
            break;
        if (p && p->cancel && atomic_load_explicit(p->cancel, memory_order_relaxed))
            return err_set(ERR_CANCELLED, "cancelled");
        report(j, drafts);
        TRY(step_rows(j, drafts));
    }
    for (int k = 0; k < j->n_now; k++)
        piano_draft_deliver(&j->piano, &drafts[k].piano, j->n_done + k, drafts[k].empty);
    return ERR_OK;
}

enum err codes_run(struct model *m, const struct request *rq, const struct progress *p)
{
    struct job j = { .m = m };
    struct draft drafts[ROWS];
    enum err err = ERR_OK;
    TRY(piano_job_init(&j.piano, &m->styles, m->name, m->hash, rq, p));
    j.given = xcalloc((size_t)j.piano.end + 1, sizeof *j.given);
    quarters_from_notes(j.piano.notes, j.piano.n_notes, 0, j.given, (uint32_t)j.piano.end);
    j.n_beside = piano_job_beside(&j.piano, ROWS);
    for (; j.n_done < rq->n_takes && err == ERR_OK; j.n_done += j.n_now) {
        int ready = 0;
        j.n_now = rq->n_takes - j.n_done < j.n_beside ? rq->n_takes - j.n_done : j.n_beside;
        while (ready < j.n_now && err == ERR_OK) {
            err = draft_init(&j, &drafts[ready], rq->seed + (uint64_t)(j.n_done + ready));
            ready++;
        }
        if (err == ERR_OK)
            err = run_batch(&j, drafts);
        for (int k = 0; k < ready; k++)
            draft_fini(&drafts[k]);
    }
    free(j.given);
    piano_job_fini(&j.piano);
    return err;
}
