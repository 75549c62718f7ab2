/* frame_code.c: sets, grids, and notes to tokens and back; see frame_code.h. */
#include "frame_code.h"
#include <stdlib.h>
#include <string.h>
#include "mem.h"

enum { NEAR = 5, MIDDLE = 60, LONG = 8, LONGEST = 32 };   /* semitones, pitch, sixteenths */

/* ---- sets ---- */

bool frame_set_empty(struct frame_set s)
{
    return (s.key[0] | s.key[1]) == 0;
}

bool frame_set_has(struct frame_set s, int pitch)
{
    return s.key[pitch >> 6] >> (pitch & 63) & 1;
}

void frame_set_add(struct frame_set *s, int pitch)
{
    s->key[pitch >> 6] |= (uint64_t)1 << (pitch & 63);
}

static void set_remove(struct frame_set *s, int pitch)
{
    s->key[pitch >> 6] &= ~((uint64_t)1 << (pitch & 63));
}

struct frame_set frame_set_moved(struct frame_set s, int semitones)
{
    struct frame_set out = { { 0, 0 } };
    for (int p = 0; p < 128; p++)
        if (frame_set_has(s, p) && p + semitones >= 0 && p + semitones < 128)
            frame_set_add(&out, p + semitones);
    return out;
}

int frame_set_low(struct frame_set s)
{
    return s.key[0] ? __builtin_ctzll(s.key[0]) : s.key[1] ? 64 + __builtin_ctzll(s.key[1]) : -1;
}

int frame_set_high(struct frame_set s)
{
    return s.key[1] ? 127 - __builtin_clzll(s.key[1]) : s.key[0] ? 63 - __builtin_clzll(s.key[0]) : -1;
}

int frame_set_count(struct frame_set s)
{
    return __builtin_popcountll(s.key[0]) + __builtin_popcountll(s.key[1]);
}

/* ---- grids ---- */

struct grid_maker { struct frame_grid *grid; size_t cap; };

/* A frame from `column` on; the last call says where the last frame ends. */
static void lay(struct grid_maker *m, int32_t column, int phase)
{
    struct frame_grid *g = m->grid;
    size_t old = m->cap;
    g->column = xgrow(g->column, (size_t)g->n, &m->cap, sizeof *g->column);
    if (m->cap != old)
        g->phase = xrealloc(g->phase, m->cap * sizeof *g->phase);
    g->column[g->n] = column;
    g->phase[g->n++] = (int8_t)(phase < FRAME_PHASES ? phase : FRAME_PHASES - 1);
}

static void lay_bar(struct grid_maker *m, int32_t from, int32_t to)
{
    for (int32_t c = from; c < to; c += FRAME_COLS)
        lay(m, c, (c - from) / FRAME_COLS);
}

void frame_grid_of_work(struct frame_grid *g, enum frame_time t, const struct work *w)
{
    int32_t end = (int32_t)w->quarters * QUARTER_COLS, next;
    struct grid_maker m = { .grid = g };
    *g = (struct frame_grid){ 0 };
    if (t == FRAMES_CLOCK) {
        double columns = FRAME_SECONDS * (w->bpm > 0 ? w->bpm : 120) / 60 * QUARTER_COLS;
        for (int i = 0; i * columns < end; i++)
            lay(&m, (int32_t)(i * columns + 0.5), -1);
    }
    for (int32_t bar = 0; t == FRAMES_BEATS && bar < end; bar = next) {
        struct qmetre in = work_bar(w, bar);
        next = bar + (in.den > 0 && in.num > 0 ? in.num * 4 * QUARTER_COLS / in.den : 4 * QUARTER_COLS);
        for (uint32_t i = 0; i < w->n_metres; i++) /* a change of metre begins a bar wherever it comes */
            next = w->metres[i].start > bar && w->metres[i].start < next ? w->metres[i].start : next;
        next = next > bar ? next : bar + QUARTER_COLS;
        lay_bar(&m, bar, next < end ? next : end);
    }
    lay(&m, end, t == FRAMES_CLOCK ? -1 : 0);
    g->n--;
}

static int32_t column_of(int32_t origin, int32_t tick)
{
    return (tick - origin + QUARTER_COL_TICKS / 2) / QUARTER_COL_TICKS;
}

static void lay_seconds(struct grid_maker *m, const struct song *s, int32_t origin, int32_t from, int32_t to)
{
    int32_t end = column_of(origin, to);
    for (double tick = from; column_of(origin, (int32_t)tick) < end;) {
        lay(m, column_of(origin, (int32_t)tick), -1);
        tick += FRAME_SECONDS * song_bpm(s, (int32_t)tick) / 60 * SONG_TPQ;
    }
}

void frame_grid_of_song(struct frame_grid *g, enum frame_time t, const struct song *s, int from, int begin, int end)
{
    int32_t origin = song_bar_tick(s, from), last = song_bar_tick(s, end);
    struct grid_maker m = { .grid = g };
    *g = (struct frame_grid){ 0 };
    if (t == FRAMES_CLOCK) {
        lay_seconds(&m, s, origin, origin, song_bar_tick(s, begin));
        lay_seconds(&m, s, origin, song_bar_tick(s, begin), last);
    }
    for (int bar = from; t == FRAMES_BEATS && bar < end; bar++)
        lay_bar(&m, column_of(origin, song_bar_tick(s, bar)), column_of(origin, song_bar_tick(s, bar + 1)));
    lay(&m, column_of(origin, last), t == FRAMES_CLOCK ? -1 : 0);
    g->n--;
}

void frame_grid_fini(struct frame_grid *g)
{
    free(g->column);
    free(g->phase);
    memset(g, 0, sizeof *g);
}

/* The last frame that begins at the column or before it. */
static int frame_in(const struct frame_grid *g, int32_t column)
{
    int lo = 0, hi = g->n - 1;
    while (lo < hi) {
        int mid = (lo + hi + 1) / 2;
        if (g->column[mid] <= column)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

int frame_at(const struct frame_grid *g, int32_t column)
{
    int i = frame_in(g, column);
    return i + 1 < g->n && g->column[i + 1] - column < column - g->column[i] ? i + 1 : i;
}

/* ---- notes to tokens ---- */

/* What is struck, and what sounds past the middle of a frame. */
static void struck(const struct frame_grid *g, const struct qnote *note, int pitch, struct frame_set *set, bool *sounds)
{
    int f = frame_at(g, note->start);
    int32_t end = note->start + note->dur;
    frame_set_add(&set[f], pitch);
    sounds[f] = true;
    for (f++; f < g->n && 2 * end > g->column[f] + g->column[f + 1]; f++)
        sounds[f] = true;
}

/* Frames the last stroke of a pitch took up. */
struct stroke { int from, to; };

static void sounding(const struct frame_grid *g, const struct qnote *note, int pitch, struct stroke *last,
                     struct frame_set *set, bool *sounds)
{
    int32_t end = note->start + note->dur;
    int from = frame_in(g, note->start), to = end < g->column[g->n] ? frame_in(g, end) : g->n;
    to = to > from ? to : from + 1;
    if (last->to >= from && last->from < from - 1) /* two strokes, not one long note */
        set_remove(&set[from - 1], pitch);
    for (int f = from; f < to; f++) {
        frame_set_add(&set[f], pitch);
        sounds[f] = true;
    }
    *last = (struct stroke){ from, to };
}

void frame_sets(enum frame_time t, const struct frame_grid *g, const struct qnote *notes, uint32_t n, int shift,
                struct frame_set *set, bool *sounds)
{
    struct stroke last[128];
    memset(set, 0, (size_t)g->n * sizeof *set);
    memset(sounds, 0, (size_t)g->n * sizeof *sounds);
    for (int p = 0; p < 128; p++)
        last[p] = (struct stroke){ -9, -9 };
    for (uint32_t i = 0; i < n && g->n > 0; i++) {
        int pitch = notes[i].pitch + shift;
        if (pitch < QUARTER_LOW || pitch >= QUARTER_LOW + QUARTER_KEYS || notes[i].start >= g->column[g->n])
            continue;
        if (t == FRAMES_BEATS)
            struck(g, &notes[i], pitch, set, sounds);
        else
            sounding(g, &notes[i], pitch, &last[pitch], set, sounds);
    }
}

void frame_tokens(const struct frame_vocab *v, const struct frame_grid *g, const struct qnote *notes, uint32_t n, int shift,
                  int32_t *token)
{
    struct frame_set *set = xcalloc((size_t)g->n + 1, sizeof *set);
    bool *sounds = xcalloc((size_t)g->n + 1, sizeof *sounds);
    frame_sets(v->time, g, notes, n, shift, set, sounds);
    for (int f = 0; f < g->n; f++)
        token[f] = !frame_set_empty(set[f])               ? frame_token(v, set[f])
                   : v->time == FRAMES_BEATS && sounds[f] ? FRAME_HOLD
                                                          : frame_rest(v);
    free(set);
    free(sounds);
}

/* ---- tokens to notes ---- */

/* Rule and numbers fit best what pianists hold in pop (frames_eval.c measures it). */
bool frame_ends(const struct frame_vocab *v, int token, int pitch, int age)
{
    struct frame_set s = v->set[token];
    if (v->time == FRAMES_CLOCK)
        return !frame_set_has(s, pitch);
    if (token == frame_rest(v) || age >= LONGEST)
        return true;
    for (int q = pitch - NEAR; q <= pitch + NEAR; q++)
        if (q >= 0 && q < 128 && frame_set_has(s, q))
            return true;
    return age >= LONG && !frame_set_empty(s) && (pitch < MIDDLE ? frame_set_low(s) < MIDDLE : frame_set_high(s) >= MIDDLE);
}

int frame_length(const struct frame_vocab *v, const int32_t *token, int at, int to, int pitch)
{
    int f = at + 1;
    while (f < to && !frame_ends(v, token[f], pitch, f - at))
        f++;
    return f - at;
}

void frame_notes(const struct frame_vocab *v, const struct frame_grid *g, const int32_t *token, int from, int to, int shift,
                 struct qnote **out, uint32_t *n)
{
    struct qnote *notes = NULL;
    size_t cap = 0, count = 0;
    bool beats = v->time == FRAMES_BEATS;
    for (int f = from; f < to; f++)
        for (int p = 0; p < 128; p++) {
            if (!frame_set_has(v->set[token[f]], p) || (!beats && f > from && frame_set_has(v->set[token[f - 1]], p)))
                continue;
            int length = frame_length(v, token, f, to, p), pitch = p + shift;
            if (pitch < 0 || pitch > 127)
                continue;
            notes = xgrow(notes, count, &cap, sizeof *notes);
            notes[count++] = (struct qnote){ g->column[f], (uint16_t)(g->column[f + length] - g->column[f]), (uint8_t)pitch, 0 };
        }
    *out = notes;
    *n = (uint32_t)count;
}
