/* piano_code.c: notes to steps; see piano_code.h. */
#include "piano_code.h"
#include <stdlib.h>
#include <string.h>
#include "mem.h"

const struct step_table piano_in_tables[N_PIANO_IN] = {
    [PIN_KIND] = { "kind", N_KINDS },        [PIN_PHASE] = { "phase", PIANO_EIGHTHS },
    [PIN_METRE] = { "metre", PIANO_METRES }, [PIN_BAR] = { "bar", PIANO_BARS },
    [PIN_LEFT] = { "left", PIANO_LEFT },     [PIN_KEY] = { "key", PIANO_MODES },
    [PIN_POS] = { "pos", PIANO_GRID },       [PIN_PITCH] = { "pitch", PIANO_KEYS },
    [PIN_DUR] = { "dur", PIANO_DUR },
};
const struct step_table piano_out_tables[N_PIANO_OUT] = {
    [POUT_POS] = { "pos", PIANO_POS_OUT }, [POUT_PITCH] = { "pitch", PIANO_KEYS }, [POUT_DUR] = { "dur", PIANO_DUR },
};

/* 24ths of a quarter: plain, dotted and triplet values, and the sums of two that scores tie together. */
static const int16_t lengths[PIANO_DUR] = { 1,  2,  3,  4,  5,  6,  8,  9,  10, 12, 15, 16, 18,  21,  24,  30,
                                            32, 36, 42, 48, 54, 60, 66, 72, 84, 90, 96, 108, 120, 144, 168, 192 };

int piano_dur(int cells)
{
    int best = 0;
    for (int i = 1; i < PIANO_DUR; i++)
        if (abs(lengths[i] - cells) < abs(lengths[best] - cells))
            best = i;
    return best;
}

int piano_dur_cells(int dur)
{
    return lengths[dur];
}

/* ---- pieces ---- */

/* From columns to 24ths, to the nearest: a column is three quarters of one. */
static int cells_of(int columns)
{
    return (columns * PIANO_GRID * 2 + QUARTER_COLS) / (2 * QUARTER_COLS);
}

struct placed { int quarter; struct piano_note note; };

static int by_place(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->quarter != y->quarter)
        return x->quarter - y->quarter;
    if (x->note.pos != y->note.pos)
        return x->note.pos - y->note.pos;
    return x->note.pitch != y->note.pitch ? x->note.pitch - y->note.pitch : y->note.dur - x->note.dur;
}

static bool same_place(const struct placed *a, const struct placed *b)
{
    return a->quarter == b->quarter && a->note.pos == b->note.pos && a->note.pitch == b->note.pitch;
}

void piano_piece_init(struct piano_piece *p, const struct qnote *notes, uint32_t n, struct piano_frame *frame, int quarters)
{
    struct placed *all = xcalloc(n + 1, sizeof *all);
    *p = (struct piano_piece){ .quarters = quarters, .frame = frame, .cap = n };
    p->first = xcalloc((size_t)quarters + 1, sizeof *p->first);
    p->note = xcalloc(n + 1, sizeof *p->note);
    for (uint32_t i = 0; i < n; i++) {
        int cell = cells_of(notes[i].start);
        all[i].quarter = cell / PIANO_GRID;
        all[i].note = (struct piano_note){ (uint8_t)(cell % PIANO_GRID), (uint8_t)(notes[i].pitch - QUARTER_LOW),
                                           (uint8_t)piano_dur(cells_of(notes[i].dur)) };
    }
    qsort(all, n, sizeof *all, by_place);
    uint32_t kept = 0;
    int q = 0, in_quarter = 0;
    for (uint32_t i = 0; i < n && all[i].quarter < quarters; i++) {
        if (i > 0 && same_place(&all[i], &all[i - 1]))
            continue;
        for (; q < all[i].quarter; in_quarter = 0)
            p->first[++q] = kept;
        if (in_quarter++ < PIANO_MOST)
            p->note[kept++] = all[i].note;
    }
    while (q < quarters)
        p->first[++q] = kept;
    free(all);
}

void piano_piece_fini(struct piano_piece *p)
{
    free(p->frame);
    free(p->first);
    free(p->note);
    memset(p, 0, sizeof *p);
}

struct piano_frame piano_frame(int32_t column, int num, int den, int bar)
{
    int eighths = (16 * num + den) / (2 * den); /* of the bar, to the nearest */
    int phase = column / (QUARTER_COLS / 2);
    eighths = eighths > PIANO_EIGHTHS ? PIANO_EIGHTHS : eighths;
    bool compound = den >= 8 && num % 3 == 0;
    return (struct piano_frame){ .phase = (int8_t)(phase < PIANO_EIGHTHS ? phase : PIANO_EIGHTHS - 1),
                                 .metre = (int8_t)(eighths + (compound ? PIANO_EIGHTHS + 1 : 0)),
                                 .bar = (int8_t)(bar % PIANO_BARS) };
}

int piano_left(int quarters)
{
    static const int upto[PIANO_LEFT] = { 0, 48, 24, 12, 6, 3, 1 };
    int left = 0;
    for (int i = 1; i < PIANO_LEFT; i++)
        if (quarters <= upto[i])
            left = i;
    return left;
}

int piano_mode(struct key k)
{
    return k.tonic < 0 ? PIANO_MODES - 1 : k.minor;
}

/* ---- steps ---- */

static struct piano_step blank(int kind, const struct piano_frame *f, int key)
{
    struct piano_step s;
    memset(&s, -1, sizeof s);
    s.in[PIN_KIND] = (int16_t)kind;
    s.in[PIN_KEY] = (int16_t)key;
    if (f) {
        s.in[PIN_PHASE] = f->phase;
        s.in[PIN_METRE] = f->metre;
        s.in[PIN_BAR] = f->bar;
        s.in[PIN_LEFT] = f->left;
    }
    return s;
}

struct piano_step piano_start(bool begin, int key)
{
    return blank(begin ? KIND_BEGIN : KIND_MIDDLE, NULL, key);
}

struct piano_step piano_quarter(const struct piano_frame *f, int key)
{
    return blank(KIND_QUARTER, f, key);
}

struct piano_step piano_note(const struct piano_frame *f, int key, struct piano_note n)
{
    struct piano_step s = blank(KIND_NOTE, f, key);
    s.in[PIN_POS] = n.pos;
    s.in[PIN_PITCH] = n.pitch;
    s.in[PIN_DUR] = n.dur;
    return s;
}

void piano_expect(struct piano_step *s, const struct piano_note *next)
{
    s->out[POUT_POS] = next ? next->pos : PIANO_END;
    s->out[POUT_PITCH] = next ? next->pitch : -1;
    s->out[POUT_DUR] = next ? next->dur : -1;
}

int piano_steps(const struct piano_piece *p, int q, int shift, int key, struct piano_step *out, int cap)
{
    int n = 0;
    if (cap > 0)
        out[n++] = piano_start(q == 0, key);
    for (; q < p->quarters && n < cap; q++) {
        out[n++] = piano_quarter(&p->frame[q], key);
        for (uint32_t i = p->first[q]; i < p->first[q + 1]; i++) {
            struct piano_note note = p->note[i];
            int pitch = note.pitch + shift;
            if (pitch < 0 || pitch >= PIANO_KEYS)
                continue;
            note.pitch = (uint8_t)pitch;
            piano_expect(&out[n - 1], &note);
            if (n == cap)
                return n;
            out[n++] = piano_note(&p->frame[q], key, note);
        }
        piano_expect(&out[n - 1], NULL);
    }
    return n;
}

bool piano_pos_legal(const struct piano_step *s, int out)
{
    if (s->in[PIN_KIND] == KIND_QUARTER || out == PIANO_END)
        return s->in[PIN_KIND] >= KIND_QUARTER;
    return s->in[PIN_KIND] == KIND_NOTE &&
           (out > s->in[PIN_POS] || (out == s->in[PIN_POS] && s->in[PIN_PITCH] < PIANO_KEYS - 1));
}

bool piano_pitch_legal(const struct piano_step *s, int pos, int pitch)
{
    return s->in[PIN_KIND] != KIND_NOTE || pos > s->in[PIN_POS] || pitch > s->in[PIN_PITCH];
}
