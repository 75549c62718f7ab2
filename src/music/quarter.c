/* quarter.c: song -> columns -> pictures of beats, and back. Columns are counted through the whole piece, so a note
 * that is rounded past the end of its beat or bar simply begins in the next. */
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "quarter.h"
#include "song.h"

enum { MAX_DUR = UINT16_MAX };

static int32_t nearest_column(int32_t ticks)
{
    return (2 * ticks + QUARTER_COL_TICKS) / (2 * QUARTER_COL_TICKS);
}

static int note_order(const void *x, const void *y)
{
    const struct qnote *a = x, *b = y;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->pitch != b->pitch ? a->pitch - b->pitch : b->dur - a->dur;
}

/* Sorted notes: one stroke a key and column, the earlier cut where a later one begins. Returns how many stay. */
static uint32_t tidy(struct qnote *notes, uint32_t n)
{
    int64_t last[128];
    uint32_t kept = 0;

    for (int p = 0; p < 128; p++)
        last[p] = -1;
    for (uint32_t i = 0; i < n; i++) {
        struct qnote note = notes[i];
        struct qnote *before = last[note.pitch] < 0 ? NULL : &notes[last[note.pitch]];
        if (before && before->start == note.start) {
            before->vel = note.vel > before->vel ? note.vel : before->vel;
            continue;
        }
        if (before && before->start + before->dur > note.start)
            before->dur = (uint16_t)(note.start - before->start);
        last[note.pitch] = kept;
        notes[kept++] = note;
    }
    return kept;
}

enum err qnotes_from_song(const struct song *s, int32_t from, int32_t to, struct qnote **out, uint32_t *n)
{
    size_t room = 1;
    void *block = NULL;
    uint32_t count = 0;

    if (from < 0 || to < from)
        return err_set(ERR_RANGE, "ticks %d to %d", from, to);
    for (size_t t = 0; t < s->n_tracks; t++)
        room += s->tracks[t].n;
    TRY(mem_try_alloc(room, sizeof(struct qnote), &block));
    struct qnote *notes = block;
    int32_t columns = nearest_column(to - from);
    for (size_t t = 0; t < s->n_tracks; t++)
        for (size_t i = 0; i < s->tracks[t].n && s->tracks[t].role != ROLE_DRUMS; i++) {
            const struct note *in = &s->tracks[t].notes[i];
            if (in->tick >= to || in->tick + in->dur <= from || in->pitch < QUARTER_LOW ||
                in->pitch >= QUARTER_LOW + QUARTER_KEYS)
                continue;
            int32_t start = in->tick < from ? 0 : nearest_column(in->tick - from);
            int32_t end = nearest_column(in->tick + in->dur - from);
            end = end > columns ? columns : end;
            end = end <= start ? start + 1 : end - start > MAX_DUR ? start + MAX_DUR : end;
            if (start < columns)
                notes[count++] = (struct qnote){ start, (uint16_t)(end - start), in->pitch, in->vel };
        }
    qsort(notes, count, sizeof(*notes), note_order);
    *n = tidy(notes, count);
    *out = notes;
    return ERR_OK;
}

/* ---- pictures ---- */

static void set_cell(struct quarter *q, uint32_t n, int32_t column, int key, bool on)
{
    if (column < 0 || column >= (int32_t)(n * QUARTER_COLS))
        return;
    uint32_t bit = 1u << (column % QUARTER_COLS), *row = &q[column / QUARTER_COLS].key[key];
    *row = on ? *row | bit : *row & ~bit;
}

void quarters_from_notes(const struct qnote *notes, uint32_t n, int32_t from, struct quarter *out, uint32_t n_out)
{
    int32_t columns = (int32_t)(n_out * QUARTER_COLS);

    memset(out, 0, n_out * sizeof(*out));
    for (uint32_t i = 0; i < n; i++) {
        int key = notes[i].pitch - QUARTER_LOW;
        int32_t start = notes[i].start - from, end = start + notes[i].dur;
        if (key < 0 || key >= QUARTER_KEYS || end <= 0)
            continue;
        if (start >= columns)
            break;
        set_cell(out, n_out, start - 1, key, false);
        for (int32_t c = start < 0 ? 0 : start; c < end && c < columns; c++)
            set_cell(out, n_out, c, key, true);
    }
}

static bool cell_at(const struct quarter *q, int32_t column, int key)
{
    return q[column / QUARTER_COLS].key[key] >> (column % QUARTER_COLS) & 1;
}

void quarters_to_notes(const struct quarter *q, uint32_t n_quarters, uint8_t vel, struct qnote **out, uint32_t *n)
{
    struct qnote *notes = NULL;
    size_t count = 0, cap = 0;
    int32_t columns = (int32_t)(n_quarters * QUARTER_COLS);

    notes = xgrow(notes, 0, &cap, sizeof(*notes));
    for (int key = 0; key < QUARTER_KEYS; key++)
        for (int32_t c = 0; c < columns;) {
            int32_t start = c;
            while (c < columns && c - start < MAX_DUR && cell_at(q, c, key))
                c++;
            if (c == start) {
                c++;
                continue;
            }
            notes = xgrow(notes, count, &cap, sizeof(*notes));
            notes[count++] = (struct qnote){ start, (uint16_t)(c - start), (uint8_t)(QUARTER_LOW + key), vel };
        }
    qsort(notes, count, sizeof(*notes), note_order);
    *out = notes;
    *n = (uint32_t)count;
}

struct quarter quarter_transposed(const struct quarter *q, int semitones)
{
    struct quarter out = { { 0 } };
    for (int key = 0; key < QUARTER_KEYS; key++)
        if (key + semitones >= 0 && key + semitones < QUARTER_KEYS)
            out.key[key + semitones] = q->key[key];
    return out;
}
