/* works.c: the works file, read whole and checked when it is opened; see works.h and works_file.h. */
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "mem.h"
#include "works.h"
#include "works_file.h"

struct works {
    size_t n_sets, n_eras, n_composers, n_groups, n;
    struct work_record *record;
    struct qmetre *metres;      size_t n_metres;
    struct qnote *notes;        size_t n_notes;
    char *text;                 /* of the names */
    const char **names;         /* sets, eras, composers, works */
};

static enum err read_names(struct works *w, const char *path, size_t len)
{
    size_t n = w->n_sets + w->n_eras + w->n_composers + w->n, at = 0;
    w->names = xcalloc(n + 1, sizeof(*w->names));
    for (size_t i = 0; i < n; i++) {
        const char *end = at < len ? memchr(w->text + at, 0, len - at) : NULL;
        if (!end)
            return err_set(ERR_FORMAT, "%s: name %zu of %zu is missing", path, i, n);
        w->names[i] = w->text + at;
        at = (size_t)(end - w->text) + 1;
    }
    return ERR_OK;
}

static struct work_record read_record(struct cursor *c)
{
    size_t end = c->at + WORKS_RECORD_BYTES;
    struct work_record r = { .first = cursor_le64(c) };
    uint32_t *const words[] = { &r.n, &r.first_metre, &r.n_metres, &r.quarters };
    uint16_t *const halves[] = { &r.era, &r.composer, &r.group, &r.editions, &r.bpm };
    uint8_t *const bytes[] = { &r.tonic, &r.minor, &r.set, &r.held_out };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        *words[i] = cursor_le32(c);
    for (size_t i = 0; i < COUNT_OF(halves); i++)
        *halves[i] = cursor_le16(c);
    for (size_t i = 0; i < COUNT_OF(bytes); i++)
        *bytes[i] = cursor_u8(c);
    cursor_bytes(c, end - c->at);
    return r;
}

static bool record_fits(const struct works *w, const struct work_record *r)
{
    return r->first <= w->n_notes && r->n <= w->n_notes - r->first && r->n > 0 && r->first_metre <= w->n_metres &&
           r->n_metres <= w->n_metres - r->first_metre && r->n_metres > 0 && r->era < w->n_eras &&
           (r->composer < w->n_composers || r->composer == WORK_UNKNOWN) && r->group < w->n_groups &&
           r->editions > 0 && r->bpm > 0 && (r->tonic < 12 || r->tonic == 255) && r->minor < 2 &&
           r->set < w->n_sets && r->held_out < 2 && r->quarters <= WORKS_MAX_COLUMNS / QUARTER_COLS;
}

static bool metres_fit(const struct qmetre *m, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (m[i].num == 0 || m[i].den == 0 || m[i].den > 64 || (m[i].den & (m[i].den - 1)) ||
            (i == 0 ? m[i].start != 0 : m[i].start <= m[i - 1].start) || m[i].start > WORKS_MAX_COLUMNS)
            return false;
    return true;
}

static bool notes_fit(const struct qnote *p, uint32_t n, uint32_t quarters)
{
    int64_t end[128] = { 0 };
    for (uint32_t i = 0; i < n; i++) {
        if (p[i].pitch < QUARTER_LOW || p[i].pitch >= QUARTER_LOW + QUARTER_KEYS || p[i].vel < 1 || p[i].vel > 127 ||
            p[i].dur < 1 || p[i].start < end[p[i].pitch] || (i > 0 && p[i].start < p[i - 1].start))
            return false;
        end[p[i].pitch] = (int64_t)p[i].start + p[i].dur;
        if (end[p[i].pitch] > (int64_t)quarters * QUARTER_COLS)
            return false;
    }
    return true;
}

static enum err check_works(const struct works *w, const char *path)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct work_record *r = &w->record[i];
        if (!record_fits(w, r) || !metres_fit(w->metres + r->first_metre, r->n_metres) ||
            !notes_fit(w->notes + r->first, r->n, r->quarters))
            return err_set(ERR_FORMAT, "%s: piece %zu does not fit the file", path, i);
    }
    return ERR_OK;
}

static enum err read_tables(struct works *w, struct cursor *c)
{
    void *records = NULL, *metres = NULL, *notes = NULL;
    enum err err = mem_try_alloc(w->n + 1, sizeof(*w->record), &records);
    w->record = records;
    TRY(err);
    err = mem_try_alloc(w->n_metres + 1, sizeof(*w->metres), &metres);
    w->metres = metres;
    TRY(err);
    err = mem_try_alloc(w->n_notes + 1, sizeof(*w->notes), &notes);
    w->notes = notes;
    TRY(err);
    for (size_t i = 0; i < w->n; i++)
        w->record[i] = read_record(c);
    for (size_t i = 0; i < w->n_metres; i++) {
        w->metres[i].start = (int32_t)cursor_le32(c);
        w->metres[i].num = cursor_u8(c);
        w->metres[i].den = cursor_u8(c);
    }
    for (size_t i = 0; i < w->n_notes; i++) {
        w->notes[i].start = (int32_t)cursor_le32(c);
        w->notes[i].dur = cursor_le16(c);
        w->notes[i].pitch = cursor_u8(c);
        w->notes[i].vel = cursor_u8(c);
    }
    return ERR_OK;
}

static enum err read_all(struct works *w, const uint8_t *bytes, size_t len, const char *path)
{
    struct cursor c = { bytes, len, 0, false };
    const uint8_t *magic = cursor_bytes(&c, 8);

    if (!magic || memcmp(magic, WORKS_MAGIC, 8) != 0)
        return err_set(ERR_FORMAT, "%s: not a works file", path);
    uint32_t version = cursor_le32(&c);
    size_t *const counts[] = { &w->n_sets, &w->n_eras, &w->n_composers, &w->n_groups, &w->n, &w->n_metres };
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        *counts[i] = cursor_le32(&c);
    uint32_t names_len = cursor_le32(&c);
    w->n_notes = cursor_le64(&c);
    cursor_bytes(&c, WORKS_HEADER_BYTES - c.at);
    if (c.bad)
        return err_set(ERR_FORMAT, "%s: header cut short", path);
    if (version != WORKS_VERSION)
        return err_set(ERR_FORMAT, "%s: version %u, this program reads %d: build it anew", path, version, WORKS_VERSION);
    if (w->n_sets > 255 || w->n_eras > UINT16_MAX || w->n_composers >= WORK_UNKNOWN || w->n_groups > UINT16_MAX ||
        w->n > UINT16_MAX || w->n_notes > len)
        return err_set(ERR_FORMAT, "%s: impossible counts in the header", path);
    const uint8_t *names = cursor_bytes(&c, names_len);
    if (!names || cursor_left(&c) != w->n * WORKS_RECORD_BYTES + w->n_metres * WORKS_METRE_BYTES +
                                         w->n_notes * WORKS_NOTE_BYTES)
        return err_set(ERR_FORMAT, "%s: %zu bytes, its header says otherwise", path, len);
    w->text = xmalloc(names_len + 1);
    memcpy(w->text, names, names_len);
    TRY(read_names(w, path, names_len));
    TRY(read_tables(w, &c));
    return check_works(w, path);
}

enum err works_parse(const uint8_t *bytes, size_t len, const char *path, struct works **out)
{
    struct works *w = xcalloc(1, sizeof(*w));
    enum err err = read_all(w, bytes, len, path);
    if (err != ERR_OK) {
        works_free(w);
        return err;
    }
    *out = w;
    return ERR_OK;
}

void works_free(struct works *w)
{
    if (!w)
        return;
    free(w->record);
    free(w->metres);
    free(w->notes);
    free(w->names);
    free(w->text);
    free(w);
}

size_t works_n(const struct works *w)
{
    return w->n;
}

struct work works_get(const struct works *w, size_t i)
{
    BUG_ON(i >= w->n);
    const struct work_record *r = &w->record[i];
    return (struct work){
        .notes = w->notes + r->first, .n = r->n, .metres = w->metres + r->first_metre, .n_metres = r->n_metres,
        .quarters = r->quarters, .era = r->era, .composer = r->composer, .group = r->group, .editions = r->editions,
        .bpm = r->bpm, .tonic = r->tonic, .minor = r->minor, .set = r->set, .held_out = r->held_out,
    };
}

const char *works_set(const struct works *w, size_t s)
{
    BUG_ON(s >= w->n_sets);
    return w->names[s];
}

size_t works_n_eras(const struct works *w)
{
    return w->n_eras;
}

const char *works_era(const struct works *w, size_t e)
{
    BUG_ON(e >= w->n_eras);
    return w->names[w->n_sets + e];
}

size_t works_n_composers(const struct works *w)
{
    return w->n_composers;
}

const char *works_composer(const struct works *w, size_t c)
{
    BUG_ON(c >= w->n_composers);
    return w->names[w->n_sets + w->n_eras + c];
}

const char *works_name(const struct works *w, size_t i)
{
    BUG_ON(i >= w->n);
    return w->names[w->n_sets + w->n_eras + w->n_composers + i];
}

size_t works_n_groups(const struct works *w)
{
    return w->n_groups;
}

struct qmetre work_bar(const struct work *w, int32_t column)
{
    uint32_t i = w->n_metres - 1;
    while (i > 0 && w->metres[i].start > column)
        i--;
    struct qmetre m = w->metres[i];
    int32_t bar = m.num * 4 * QUARTER_COLS / m.den;
    if (bar > 0 && column > m.start)
        m.start += (column - m.start) / bar * bar;
    return m;
}
