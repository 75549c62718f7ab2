/* works_build.c: folders of piano music become one works file. Each file is read whole, labelled, laid on the grid;
 * then pieces are grouped (works_group.c) and groups held out, so that nothing that was trained on is asked. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "beat.h"
#include "dataset_parts.h"
#include "file.h"
#include "mem.h"
#include "midi.h"
#include "phrase.h"
#include "song.h"
#include "theory.h"
#include "works_file.h"
#include "works_group.h"

enum { MIN_NOTES = 16 };

struct piece {
    char *name;
    struct qnote *notes;
    struct qmetre *metres;
    struct work_record r;
};

enum drop { DROP_UNREADABLE, DROP_LABEL, DROP_STYLE, DROP_BEAT, DROP_FEW, DROP_LONG, N_DROPS };
static const char *const drop_names[N_DROPS] = {
    [DROP_UNREADABLE] = "files could not be read",
    [DROP_LABEL] = "files have no label in the manifest",
    [DROP_STYLE] = "files are of a style that was asked to be left out",
    [DROP_BEAT] = "files do not follow their own beat",
    [DROP_FEW] = "files have fewer than 16 notes",
    [DROP_LONG] = "files are longer than a day",
};

struct build {
    const struct dataset_opts *opts;
    struct str *report;
    const char *dir;
    struct name_list sets, eras, composers;
    struct manifest manifest;
    struct piece *pieces; size_t n, cap;
    uint32_t n_groups;
    long drops[N_DROPS];
};

/* What is split by itself: the pieces of one composer in one folder. */
static bool same_part(const struct work_record *a, const struct work_record *b)
{
    return a->set == b->set && a->era == b->era && a->composer == b->composer;
}

/* ---- labels ---- */

/* The folders between the set and the file, at most the first two; "" for one that is not there. */
static void folder_labels(const struct build *b, const char *name, char **era, char **composer)
{
    char *copy = xstrdup(name), *rest = copy, *set = str_split(&rest, '/');
    char *parts[2] = { NULL, NULL };
    for (int i = 0; i < 2 && rest && strchr(rest, '/'); i++)
        parts[i] = str_split(&rest, '/');
    *era = renamed(b->opts->rename, parts[0] ? parts[0] : set);
    *composer = renamed(b->opts->rename, parts[1] ? parts[1] : "");
    free(copy);
}

/* False when the file is left out. */
static bool label(struct build *b, const char *name, struct work_record *r)
{
    char *era = NULL, *composer = NULL;
    if (b->opts->manifest) {
        const struct manifest_row *row = manifest_find(&b->manifest, name);
        if (!row) {
            b->drops[DROP_LABEL]++;
            return false;
        }
        era = renamed(b->opts->rename, row->label);
        composer = renamed(b->opts->rename, row->composer ? row->composer : "");
    } else {
        folder_labels(b, name, &era, &composer);
    }
    bool wanted = era[0] && strcmp(era, "-") != 0 && strcmp(composer, "-") != 0;
    if (wanted) {
        r->era = (uint16_t)name_index(&b->eras, era);
        r->composer = composer[0] ? (uint16_t)name_index(&b->composers, composer) : WORK_UNKNOWN;
    } else {
        b->drops[DROP_STYLE]++;
    }
    free(era);
    free(composer);
    return wanted;
}

/* By composer of a folder. */
static uint64_t name_key(const struct piece *p)
{
    char owner[32];
    str_format(owner, sizeof(owner), "%d/%d", p->r.set, p->r.composer);
    return works_key(p->name, owner);
}

/* A composer of whom there is but one such work is known by its pieces. */
static void set_keys(const struct build *b, struct group_piece *g)
{
    for (size_t i = 0; i < b->n; i++)
        g[i].key = name_key(&b->pieces[i]);
    for (size_t i = 0; i < b->n; i++) {
        bool alone = true;
        for (size_t k = 0; k < b->n && alone; k++)
            alone = !same_part(&b->pieces[k].r, &b->pieces[i].r) || name_key(&b->pieces[k]) == g[i].key;
        if (alone)
            g[i].key = hash_text(b->pieces[i].name, strlen(b->pieces[i].name));
    }
}

/* ---- pieces ---- */

static void set_metres(struct piece *p, const struct song *s, int32_t from)
{
    p->metres = xcalloc(s->n_metres + 1, sizeof(*p->metres));
    for (size_t i = 0; i < s->n_metres; i++) {
        int32_t tick = s->metres[i].tick < from ? from : s->metres[i].tick;
        int32_t start = (tick - from) / QUARTER_COL_TICKS;
        uint32_t n = p->r.n_metres;
        n -= n > 0 && p->metres[n - 1].start == start;
        p->metres[n] = (struct qmetre){ start, s->metres[i].num, s->metres[i].den };
        p->r.n_metres = n + 1;
    }
}

static void set_key(struct work_record *r, const struct qnote *notes, uint32_t n)
{
    double profile[12] = { 0 };
    for (uint32_t i = 0; i < n; i++)
        profile_add(profile, notes[i].pitch, notes[i].dur);
    struct key k = key_estimate(profile, NULL);
    r->tonic = k.tonic < 0 ? 255 : (uint8_t)k.tonic;
    r->minor = k.minor;
}

/* The bar of the first note is the first bar. */
static int32_t first_bar(const struct song *s)
{
    int32_t tick = INT32_MAX;
    for (size_t t = 0; t < s->n_tracks; t++)
        if (s->tracks[t].n > 0 && s->tracks[t].notes[0].tick < tick && s->tracks[t].role != ROLE_DRUMS)
            tick = s->tracks[t].notes[0].tick;
    return tick == INT32_MAX ? 0 : song_bar_tick(s, song_bar_of(s, tick));
}

static enum err add_piece(struct build *b, const char *name, struct work_record r, const struct song *s)
{
    struct piece p = { .r = r };
    int32_t from = first_bar(s), end = song_end(s);
    if ((end - from) / QUARTER_COL_TICKS >= WORKS_MAX_COLUMNS - QUARTER_COLS) {
        b->drops[DROP_LONG]++;
        return ERR_OK;
    }
    TRY(qnotes_from_song(s, from, end + QUARTER_COL_TICKS, &p.notes, &p.r.n));
    if (p.r.n < MIN_NOTES) {
        b->drops[DROP_FEW]++;
        free(p.notes);
        return ERR_OK;
    }
    int32_t last = 0;
    for (uint32_t i = 0; i < p.r.n; i++)
        last = p.notes[i].start + p.notes[i].dur > last ? p.notes[i].start + p.notes[i].dur : last;
    p.r.quarters = (uint32_t)(last + QUARTER_COLS - 1) / QUARTER_COLS;
    double bpm = song_bpm(s, from);
    p.r.bpm = bpm < 1 ? 1 : bpm > 1000 ? 1000 : (uint16_t)lround(bpm);
    set_metres(&p, s, from);
    set_key(&p.r, p.notes, p.r.n);
    p.name = xstrdup(name);
    b->pieces = xgrow(b->pieces, b->n, &b->cap, sizeof(p));
    b->pieces[b->n++] = p;
    return ERR_OK;
}

static enum err visit(void *ctx, const char *path)
{
    struct build *b = ctx;
    struct song *s = NULL;
    struct midi_report midi = { 0 };
    struct work_record r = { .set = (uint8_t)(b->sets.n - 1) };
    enum err err = ERR_OK;

    if (!is_midi_path(path))
        return ERR_OK;
    if (b->n >= UINT16_MAX)
        return err_set(ERR_RANGE, "more than %d pieces", UINT16_MAX);
    const char *rest = path + strlen(b->dir);
    char *name = path_join(b->sets.name[b->sets.n - 1], rest + strspn(rest, "/"));
    if (!label(b, name, &r))
        goto out;
    if (midi_load(path, &s, &midi) != ERR_OK) {
        b->drops[DROP_UNREADABLE]++;
        str_addf(b->report, "unreadable: %s\n", err_text());
        goto out;
    }
    drop_annotations(s);
    if (b->opts->pedal)
        midi_hold_pedal(s, &midi);
    struct beat beat = beat_hear(s);
    if (beat.fit < BEAT_MIN_FIT && !b->opts->free_time) {
        b->drops[DROP_BEAT]++;
        str_addf(b->report, "off the beat: %s (fit %.2f)\n", name, beat.fit);
        goto out;
    }
    TRY_OUT(add_piece(b, name, r, s));
out:
    midi_report_fini(&midi);
    free(name);
    song_free(s);
    return err;
}

/* ---- groups and split ---- */

static void group(struct build *b)
{
    struct group_piece *g = xcalloc(b->n + 1, sizeof(*g));
    for (size_t i = 0; i < b->n; i++)
        g[i] = (struct group_piece){ .notes = b->pieces[i].notes, .n = b->pieces[i].r.n };
    set_keys(b, g);
    b->n_groups = works_group(g, (uint32_t)b->n);
    for (size_t i = 0; i < b->n; i++) {
        b->pieces[i].r.group = (uint16_t)g[i].group;
        b->pieces[i].r.editions = (uint16_t)g[i].editions;
    }
    free(g);
}

struct split_group { uint64_t hash; uint32_t group, quarters; };

static int split_order(const void *x, const void *y)
{
    const struct split_group *a = x, *b = y;
    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* The different groups of the part that piece `first` begins, by hash. */
static size_t groups_of(const struct build *b, size_t first, const uint64_t *hash, struct split_group *out)
{
    size_t n = 0, kept = 0;
    for (size_t i = first; i < b->n; i++)
        if (same_part(&b->pieces[i].r, &b->pieces[first].r))
            out[n++] = (struct split_group){ hash[b->pieces[i].r.group], b->pieces[i].r.group, b->pieces[i].r.quarters };
    qsort(out, n, sizeof(*out), split_order);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && out[kept - 1].hash == out[i].hash)
            out[kept - 1].quarters += out[i].quarters;
        else
            out[kept++] = out[i];
    }
    return kept;
}

/* Held out are groups of least hash that come to the asked share of the quarters, none that comes to twice of it;
 * when that leaves none, the smallest of two or more. */
static void split_part(const struct build *b, size_t first, const uint64_t *hash, bool *held)
{
    struct split_group *g = xcalloc(b->n, sizeof(*g));
    size_t n = groups_of(b, first, hash, g), least = 0;
    double all = 0, out = 0, share = b->opts->held_out;
    for (size_t i = 0; i < n; i++) {
        all += g[i].quarters;
        least = g[i].quarters < g[least].quarters ? i : least;
    }
    for (size_t i = 0; i < n && out < share * all; i++)
        if (out + g[i].quarters <= 2 * share * all) {
            held[g[i].group] = true;
            out += g[i].quarters;
        }
    if (out == 0 && n > 1 && share > 0)
        held[g[least].group] = true;
    free(g);
}

/* A group is known by the hash of its first piece's name, so that other files beside it change nothing. */
static void split(struct build *b)
{
    uint64_t *hash = xcalloc(b->n_groups + 1, sizeof(*hash));
    bool *held = xcalloc(b->n_groups + 1, sizeof(*held));
    for (size_t i = b->n; i-- > 0;)
        hash[b->pieces[i].r.group] = hash_text(b->pieces[i].name, strlen(b->pieces[i].name));
    for (size_t i = 0; i < b->n; i++) {
        bool begins = true;
        for (size_t k = 0; k < i && begins; k++)
            begins = !same_part(&b->pieces[k].r, &b->pieces[i].r);
        if (begins)
            split_part(b, i, hash, held);
    }
    for (size_t i = 0; i < b->n; i++)
        b->pieces[i].r.held_out = held[b->pieces[i].r.group];
    free(hash);
    free(held);
}

/* ---- report and file ---- */

struct tally { long pieces, held, groups, quarters, held_quarters; };

static struct tally tally_of(const struct build *b, const struct work_record *part, bool *seen)
{
    struct tally t = { 0 };
    memset(seen, 0, b->n_groups * sizeof(*seen));
    for (size_t i = 0; i < b->n; i++) {
        const struct work_record *r = &b->pieces[i].r;
        if (part && !same_part(r, part))
            continue;
        t.pieces++;
        t.held += r->held_out;
        t.quarters += r->quarters;
        t.held_quarters += r->held_out ? r->quarters : 0;
        t.groups += !seen[r->group];
        seen[r->group] = true;
    }
    return t;
}

static void report_part(const struct build *b, const char *set, const char *era, const char *composer, struct tally t)
{
    str_addf(b->report, "%-20s %-10s %-14s %5ld pieces %4ld works %7ld quarters, %4ld pieces %6ld quarters held out\n", set,
             era, composer, t.pieces, t.groups, t.quarters, t.held, t.held_quarters);
}

static void report_all(const struct build *b)
{
    bool *seen = xcalloc(b->n_groups + 1, sizeof(*seen));
    for (size_t i = 0; i < b->n; i++) {
        const struct work_record *r = &b->pieces[i].r;
        bool begins = true;
        for (size_t k = 0; k < i && begins; k++)
            begins = !same_part(&b->pieces[k].r, r);
        if (begins)
            report_part(b, b->sets.name[r->set], b->eras.name[r->era],
                        r->composer == WORK_UNKNOWN ? "" : b->composers.name[r->composer], tally_of(b, r, seen));
    }
    report_part(b, "all", "", "", tally_of(b, NULL, seen));
    for (int i = 0; i < N_DROPS; i++)
        if (b->drops[i])
            str_addf(b->report, "left out: %ld %s\n", b->drops[i], drop_names[i]);
    free(seen);
}

static void put_record(struct str *s, const struct work_record *r)
{
    const struct { uint64_t value; int bytes; } fields[] = {
        { r->first, 8 }, { r->n, 4 }, { r->first_metre, 4 }, { r->n_metres, 4 }, { r->quarters, 4 }, { r->era, 2 },
        { r->composer, 2 }, { r->group, 2 }, { r->editions, 2 }, { r->bpm, 2 }, { r->tonic, 1 }, { r->minor, 1 },
        { r->set, 1 }, { r->held_out, 1 },
    };
    size_t end = s->len + WORKS_RECORD_BYTES;
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        put_le(s, fields[i].value, fields[i].bytes);
    put_le(s, 0, (int)(end - s->len));
}

static void put_piece(struct str *metres, struct str *notes, const struct piece *p)
{
    for (uint32_t i = 0; i < p->r.n_metres; i++) {
        put_le(metres, (uint32_t)p->metres[i].start, 4);
        put_le(metres, p->metres[i].num, 1);
        put_le(metres, p->metres[i].den, 1);
    }
    for (uint32_t i = 0; i < p->r.n; i++) {
        put_le(notes, (uint32_t)p->notes[i].start, 4);
        put_le(notes, p->notes[i].dur, 2);
        put_le(notes, p->notes[i].pitch, 1);
        put_le(notes, p->notes[i].vel, 1);
    }
}

static enum err write_file(const struct build *b, const char *path)
{
    struct str out, names, records, metres, notes;
    struct str *const parts[] = { &names, &records, &metres, &notes };

    str_init(&out);
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        str_init(parts[i]);
    put_names(&names, &b->sets);
    put_names(&names, &b->eras);
    put_names(&names, &b->composers);
    for (size_t i = 0; i < b->n; i++) {
        struct work_record r = b->pieces[i].r;
        r.first = notes.len / WORKS_NOTE_BYTES;
        r.first_metre = (uint32_t)(metres.len / WORKS_METRE_BYTES);
        put_record(&records, &r);
        put_piece(&metres, &notes, &b->pieces[i]);
        str_addn(&names, b->pieces[i].name, strlen(b->pieces[i].name) + 1);
    }
    const size_t counts[] = { WORKS_VERSION, b->sets.n, b->eras.n, b->composers.n, b->n_groups, b->n,
                              metres.len / WORKS_METRE_BYTES, names.len };
    str_addn(&out, WORKS_MAGIC, 8);
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        put_le(&out, counts[i], 4);
    put_le(&out, notes.len / WORKS_NOTE_BYTES, 8);
    put_le(&out, 0, (int)(WORKS_HEADER_BYTES - out.len));
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        str_addn(&out, str_c(parts[i]), parts[i]->len);
        str_fini(parts[i]);
    }
    enum err err = file_write(path, out.p, out.len);
    str_fini(&out);
    return err;
}

static void build_fini(struct build *b)
{
    for (size_t i = 0; i < b->n; i++) {
        free(b->pieces[i].name);
        free(b->pieces[i].notes);
        free(b->pieces[i].metres);
    }
    free(b->pieces);
    name_list_fini(&b->sets);
    name_list_fini(&b->eras);
    name_list_fini(&b->composers);
    manifest_fini(&b->manifest);
}

static enum err build(struct build *b, const char *const *dirs, size_t n_dirs, const char *path)
{
    if (b->opts->manifest)
        TRY(manifest_read(b->opts->manifest, &b->manifest));
    TRY(folders_walk(dirs, n_dirs, &b->sets, &b->dir, visit, b));
    if (b->n == 0)
        return err_set(ERR_EMPTY, "no piece was found in %zu folders", n_dirs);
    group(b);
    split(b);
    report_all(b);
    return write_file(b, path);
}

enum err works_build(const char *const *dirs, size_t n_dirs, const struct dataset_opts *o, const char *path,
                     struct str *report)
{
    struct build b = { .opts = o, .report = report };
    enum err err = build(&b, dirs, n_dirs, path);
    build_fini(&b);
    return err;
}
