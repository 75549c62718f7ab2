/* piano_row.c: the rules of a take; see piano_row.h. */
#include "piano_row.h"
#include <stdlib.h>
#include <string.h>
#include "mem.h"

enum { SILENCE = 8 };   /* empty quarters after which a note has to come */

/* Makes room: the newer half of the window, from the beginning of a quarter. */
static void slide(struct piano_row *r)
{
    int from = r->n - r->ask->context / 2;
    while (from < r->n && r->step[from].in[PIN_KIND] != KIND_QUARTER)
        from++;
    BUG_ON(from == r->n);
    r->step[0] = piano_start(false, r->ask->key);
    r->quarter[0] = r->quarter[from];
    memmove(r->step + 1, r->step + from, (size_t)(r->n - from) * sizeof *r->step);
    memmove(r->quarter + 1, r->quarter + from, (size_t)(r->n - from) * sizeof *r->quarter);
    r->n = 1 + r->n - from;
    r->at = 0;
}

static void push(struct piano_row *r, struct piano_step s)
{
    if (r->n == r->ask->context)
        slide(r);
    r->step[r->n] = s;
    r->quarter[r->n++] = r->q;
}

static bool on_keyboard(int pitch)
{
    return pitch >= 0 && pitch < PIANO_KEYS;
}

static struct piano_note moved(struct piano_note n, int shift)
{
    n.pitch = (uint8_t)(n.pitch + shift);
    return n;
}

static void push_given(struct piano_row *r)
{
    const struct piano_piece *p = r->ask->given;
    push(r, piano_quarter(&p->frame[r->q], r->ask->key));
    for (uint32_t i = p->first[r->q]; i < p->first[r->q + 1]; i++)
        if (on_keyboard(p->note[i].pitch + r->ask->shift))
            push(r, piano_note(&p->frame[r->q], r->ask->key, moved(p->note[i], r->ask->shift)));
}

/* On to the next quarter that is not given. */
static void enter(struct piano_row *r)
{
    while (r->q < r->ask->end && (r->q < r->ask->begin || r->ask->keep[r->q])) {
        push_given(r);
        r->silent = piano_count(r->ask->given, r->q) ? 0 : r->silent + 1;
        r->q++;
    }
    r->in_quarter = 0;
    r->done = r->q >= r->ask->end;
    if (!r->done)
        push(r, piano_quarter(&r->ask->given->frame[r->q], r->ask->key));
}

void piano_row_init(struct piano_row *r, const struct piano_ask *a)
{
    const struct piano_piece *p = a->given;
    int steps = 1, q = a->begin;
    BUG_ON(a->context / 2 <= PIANO_MOST);
    *r = (struct piano_row){ .ask = a };
    r->step = xcalloc((size_t)a->context, sizeof *r->step);
    r->quarter = xcalloc((size_t)a->context, sizeof *r->quarter);
    while (q > 0 && steps + 1 + piano_count(p, q - 1) <= a->context / 2) /* as much of the past as leaves room */
        steps += 1 + piano_count(p, --q);
    r->q = q;
    push(r, piano_start(q == 0, a->key));
    enter(r);
}

void piano_row_fini(struct piano_row *r)
{
    free(r->step);
    free(r->quarter);
    free(r->notes);
    memset(r, 0, sizeof *r);
}

bool piano_row_read(struct piano_row *r, const struct piano_step **step, int *position, int *quarter)
{
    *step = &r->step[r->at];
    *quarter = r->quarter[r->at];
    *position = r->at++;
    return r->at == r->n;
}

static bool key_legal(const struct piano_ask *a, int pitch)
{
    return on_keyboard(pitch) && pitch >= a->low && pitch <= a->high && (!a->scale || a->scale >> (pitch + QUARTER_LOW) % 12 & 1);
}

bool piano_row_pitch_legal(const struct piano_row *r, int pos, int pitch)
{
    return key_legal(r->ask, pitch - r->ask->shift) && piano_pitch_legal(&r->step[r->n - 1], pos, pitch);
}

bool piano_row_pos_legal(const struct piano_row *r, int out)
{
    const struct piano_step *s = &r->step[r->n - 1];
    if (out == PIANO_END)
        return r->in_quarter > 0 || r->silent < SILENCE;
    if (r->in_quarter >= PIANO_MOST || !piano_pos_legal(s, out))
        return false;
    for (int pitch = 0; pitch < PIANO_KEYS; pitch++)
        if (piano_row_pitch_legal(r, out, pitch))
            return true;
    return false;
}

void piano_row_end(struct piano_row *r)
{
    r->silent = r->in_quarter ? 0 : r->silent + 1;
    r->q++;
    enter(r);
}

void piano_row_note(struct piano_row *r, struct piano_note note)
{
    if (r->n_notes == r->cap_notes)
        r->notes = xgrow(r->notes, r->n_notes, &r->cap_notes, sizeof *r->notes);
    r->notes[r->n_notes++] = (struct piano_drawn){ r->q, moved(note, -r->ask->shift) };
    r->in_quarter++;
    push(r, piano_note(&r->ask->given->frame[r->q], r->ask->key, note));
}
