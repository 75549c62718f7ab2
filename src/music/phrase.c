/* phrase.c: four bars of the band as a list of small notes, and the packed file that holds many of them. The
 * file is mapped and checked whole when it is opened, so that dataset_get can trust it.
 *
 * Layout, little-endian: a header of 64 bytes; names, each ended by a zero byte (sets, genres, songs); phrase
 * records of 24 bytes; notes of 5 bytes (struct pnote). dataset.c writes it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "mem.h"
#include "phrase.h"
#include "phrase_file.h"
#include "roll.h"
#include "song.h"
#include "works_file.h"

enum { STEP_TICKS = 4 * SONG_TPQ / PHRASE_BAR_STEPS, BAR_TICKS = 4 * SONG_TPQ, DRUM_STEPS = 3, DEFAULT_VEL = 80 };

struct dataset {
    const uint8_t *bytes;
    bool mapped;            /* and not borrowed */
    size_t len, n_sets, n_genres, n_songs, n_phrases;
    uint64_t n_notes;
    const uint8_t *records, *notes;
    const char **names;     /* sets, genres, songs */
    struct works *works;    /* of a works file, which has no phrases */
};

/* ---- one phrase ---- */

static int pnote_order(const void *x, const void *y)
{
    const struct pnote *a = x, *b = y;
    int bar = a->start / PHRASE_BAR_STEPS - b->start / PHRASE_BAR_STEPS;
    if (bar)
        return bar;
    if (a->role != b->role)
        return a->role - b->role;
    return a->start != b->start ? a->start - b->start : a->pitch - b->pitch;
}

/* Notes of one track, in order of onset, after snapping: one note a pitch and step, none overlapping. */
static uint32_t add_track(struct pnote *notes, const struct track *t, enum role role, int32_t tick0)
{
    int last[128];          /* index of the last note of a pitch, or -1 */
    uint32_t n = 0;
    int32_t from = tick0 - STEP_TICKS / 2, to = from + PHRASE_BARS * BAR_TICKS;

    memset(last, 0xff, sizeof(last));
    for (size_t i = track_first_at(t, from); i < t->n && t->notes[i].tick < to; i++) {
        const struct note *s = &t->notes[i];
        int start = (s->tick - from) / STEP_TICKS, end = (int)(((int64_t)s->tick + s->dur - from) / STEP_TICKS);
        end = role == ROLE_DRUMS ? start + DRUM_STEPS : end <= start ? start + 1 : end;
        end = end > PHRASE_STEPS ? PHRASE_STEPS : end;
        struct pnote p = { (uint8_t)role, s->pitch, s->vel, (uint8_t)start, (uint8_t)(end - start) };
        struct pnote *before = last[p.pitch] < 0 ? NULL : &notes[last[p.pitch]];
        if (before && before->start == p.start) {
            before->dur = p.dur > before->dur ? p.dur : before->dur;
            before->vel = p.vel > before->vel ? p.vel : before->vel;
            continue;
        }
        if (before && role != ROLE_DRUMS && before->start + before->dur > p.start)
            before->dur = (uint8_t)(p.start - before->start);
        last[p.pitch] = (int)n;
        notes[n++] = p;
    }
    return n;
}

enum err phrase_check_bars(const struct song *s, int bar0)
{
    for (int b = bar0; b < bar0 + PHRASE_BARS; b++) {
        int32_t tick = song_bar_tick(s, b);
        struct metre m = song_metre(s, tick);
        if (m.num != 4 || m.den != 4 || song_bar_tick(s, b + 1) - tick != BAR_TICKS)
            return err_set(ERR_UNSUPPORTED, "bar %d is not a whole bar of 4/4", b + 1);
    }
    return ERR_OK;
}

enum err phrase_from_song(const struct song *band, int bar0, struct pnote **notes, uint32_t *n)
{
    size_t room = 1;

    if (band->n_tracks < N_ROLES)
        return err_set(ERR_SHAPE, "a phrase needs the five roles, the song has %zu tracks", band->n_tracks);
    if (bar0 < 0)
        return err_set(ERR_RANGE, "bar %d", bar0);
    TRY(phrase_check_bars(band, bar0));
    int32_t tick0 = song_bar_tick(band, bar0);
    for (int r = 0; r < N_ROLES; r++)
        room += track_first_at(&band->tracks[r], tick0 + PHRASE_BARS * BAR_TICKS) -
                track_first_at(&band->tracks[r], tick0 - STEP_TICKS);
    struct pnote *out = xcalloc(room, sizeof(*out));
    uint32_t count = 0;
    for (int r = 0; r < N_ROLES; r++)
        count += add_track(out + count, &band->tracks[r], (enum role)r, tick0);
    qsort(out, count, sizeof(*out), pnote_order);
    *notes = out;
    *n = count;
    return ERR_OK;
}

double phrase_songs_share(size_t songs, size_t filler, double preference)
{
    double part[2] = { (1 - preference) * sqrt((double)songs), preference * sqrt((double)filler) };
    return part[0] + part[1] > 0 ? part[0] / (part[0] + part[1]) : 0;
}

struct key phrase_told_key(const struct phrase *p)
{
    return (struct key){ p->tonic > 11 ? -1 : (int8_t)p->tonic, p->minor };
}

struct key phrase_key(const struct pnote *notes, uint32_t n)
{
    double profile[12] = { 0 };
    for (uint32_t i = 0; i < n; i++)
        if (notes[i].role != ROLE_DRUMS)
            profile_add(profile, notes[i].pitch, notes[i].dur);
    return key_estimate(profile, NULL);
}

void phrase_to_roll(const struct pnote *notes, uint32_t n, struct roll *out)
{
    size_t cells = (size_t)out->n_tracks * (size_t)roll_steps(out) * (size_t)out->n_pitches;

    BUG_ON(out->n_tracks < N_ROLES || roll_steps(out) != PHRASE_STEPS);
    memset(out->cell, CELL_OFF, cells);
    memset(out->vel, 0, cells);
    for (uint32_t i = 0; i < n; i++) {
        const struct pnote *p = &notes[i];
        int row = p->pitch - out->low, end = p->start + (p->role == ROLE_DRUMS ? 1 : p->dur);
        if (row < 0 || row >= out->n_pitches)
            continue;
        uint8_t *at = roll_at(out, p->role, p->start, row);
        out->vel[at - out->cell] = p->vel;
        *at = CELL_ONSET;
        for (int s = p->start + 1; s < end && s < PHRASE_STEPS; s++)
            *roll_at(out, p->role, s, row) = CELL_HOLD;
    }
}

enum err phrase_to_song(const struct pnote *notes, uint32_t n, struct song *band, int bar0)
{
    if (band->n_tracks < N_ROLES)
        return err_set(ERR_SHAPE, "a phrase needs the five roles, the song has %zu tracks", band->n_tracks);
    TRY(phrase_check_bars(band, bar0));
    int32_t tick0 = song_bar_tick(band, bar0);
    for (uint32_t i = 0; i < n; i++) {
        const struct pnote *p = &notes[i];
        if (p->role >= N_ROLES)
            return err_set(ERR_RANGE, "note %u has role %d", i, p->role);
        track_push(&band->tracks[p->role],
                   (struct note){ tick0 + p->start * STEP_TICKS, p->dur * STEP_TICKS, p->pitch,
                                  p->vel ? p->vel : DEFAULT_VEL });
    }
    for (int r = 0; r < N_ROLES; r++)
        track_tidy(&band->tracks[r]);
    return ERR_OK;
}

/* ---- the file ---- */

static struct phrase_record record_at(const struct dataset *d, size_t i)
{
    struct cursor c = { d->records, d->n_phrases * PHRASE_RECORD_BYTES, i * PHRASE_RECORD_BYTES, false };
    struct phrase_record r = { .first = cursor_le64(&c), .n = cursor_le32(&c) };
    r.genre = cursor_le16(&c);
    r.song = cursor_le16(&c);
    r.tonic = cursor_u8(&c);
    r.minor = cursor_u8(&c);
    r.held_out = cursor_u8(&c);
    r.set = cursor_u8(&c);
    r.bar = cursor_le16(&c);
    return r;
}

static enum err check_record(const struct dataset *d, const char *path, size_t i)
{
    struct phrase_record r = record_at(d, i);
    if (r.first > d->n_notes || r.n > d->n_notes - r.first || r.genre >= d->n_genres || r.song >= d->n_songs ||
        r.set >= d->n_sets || (r.tonic > 11 && r.tonic != 255) || r.minor > 1 || r.held_out > 1)
        return err_set(ERR_FORMAT, "%s: phrase %zu does not fit the file", path, i);
    return ERR_OK;
}

static enum err check_notes(const struct dataset *d, const char *path)
{
    const struct pnote *p = (const struct pnote *)d->notes;
    for (uint64_t i = 0; i < d->n_notes; i++)
        if (p[i].role >= N_ROLES || p[i].pitch > 127 || p[i].vel < 1 || p[i].vel > 127 || p[i].dur < 1 ||
            p[i].start + p[i].dur > PHRASE_STEPS)
            return err_set(ERR_FORMAT, "%s: note %llu is not a note", path, (unsigned long long)i);
    return ERR_OK;
}

static enum err read_names(struct dataset *d, const char *path, const char *text, size_t len)
{
    size_t n = d->n_sets + d->n_genres + d->n_songs, at = 0;
    d->names = xcalloc(n + 1, sizeof(*d->names));
    for (size_t i = 0; i < n; i++) {
        const char *end = at < len ? memchr(text + at, 0, len - at) : NULL;
        if (!end)
            return err_set(ERR_FORMAT, "%s: name %zu of %zu is missing", path, i, n);
        d->names[i] = text + at;
        at = (size_t)(end - text) + 1;
    }
    return ERR_OK;
}

static enum err read_all(struct dataset *d, const char *path)
{
    struct cursor c = { d->bytes, d->len, 0, false };
    const uint8_t *magic = cursor_bytes(&c, 8);

    if (!magic || memcmp(magic, PHRASE_MAGIC, 8) != 0)
        return err_set(ERR_FORMAT, "%s: not a phrase file", path);
    uint32_t version = cursor_le32(&c);
    d->n_sets = cursor_le32(&c);
    d->n_genres = cursor_le32(&c);
    d->n_songs = cursor_le32(&c);
    d->n_phrases = cursor_le32(&c);
    uint32_t names_len = cursor_le32(&c);
    d->n_notes = cursor_le64(&c);
    cursor_bytes(&c, PHRASE_HEADER_BYTES - c.at);
    if (c.bad)
        return err_set(ERR_FORMAT, "%s: header cut short", path);
    if (version != PHRASE_VERSION)
        return err_set(ERR_FORMAT, "%s: version %u, this program reads %d: build it anew", path, version, PHRASE_VERSION);
    if (d->n_sets > 255 || d->n_genres > UINT16_MAX || d->n_songs > UINT16_MAX || d->n_notes > SIZE_MAX / 8)
        return err_set(ERR_FORMAT, "%s: impossible counts in the header", path);
    const uint8_t *names = cursor_bytes(&c, names_len);
    d->records = cursor_bytes(&c, d->n_phrases * PHRASE_RECORD_BYTES);
    d->notes = cursor_bytes(&c, d->n_notes * sizeof(struct pnote));
    if (c.bad || cursor_left(&c) != 0)
        return err_set(ERR_FORMAT, "%s: %zu bytes, its header says otherwise", path, d->len);
    TRY(read_names(d, path, (const char *)names, names_len));
    for (size_t i = 0; i < d->n_phrases; i++)
        TRY(check_record(d, path, i));
    return check_notes(d, path);
}

enum err dataset_parse(const uint8_t *bytes, size_t len, const char *path, struct dataset **out)
{
    struct dataset *d = xcalloc(1, sizeof(*d));
    bool is_works = len >= 8 && memcmp(bytes, WORKS_MAGIC, 8) == 0;

    d->bytes = bytes;
    d->len = len;
    enum err err = is_works ? works_parse(bytes, len, path, &d->works) : read_all(d, path);
    if (err != ERR_OK) {
        dataset_close(d);
        return err;
    }
    *out = d;
    return ERR_OK;
}

enum err dataset_open(const char *path, struct dataset **out)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;
    TRY(file_map(path, &bytes, &len));
    enum err err = dataset_parse(bytes, len, path, out);
    if (err != ERR_OK)
        file_unmap(bytes, len);
    else
        (*out)->mapped = true;
    return err;
}

void dataset_close(struct dataset *d)
{
    if (!d)
        return;
    if (d->mapped)
        file_unmap(d->bytes, d->len);
    free(d->names);
    works_free(d->works);
    free(d);
}

const struct works *dataset_works(const struct dataset *d)
{
    return d->works;
}

size_t dataset_n(const struct dataset *d)
{
    return d->n_phrases;
}

struct phrase dataset_get(const struct dataset *d, size_t i)
{
    BUG_ON(i >= d->n_phrases);
    struct phrase_record r = record_at(d, i);
    return (struct phrase){
        .notes = (const struct pnote *)d->notes + r.first, .n = r.n, .genre = r.genre, .song = r.song,
        .tonic = r.tonic, .minor = r.minor, .held_out = r.held_out, .set = r.set, .bar = r.bar,
    };
}

size_t dataset_n_sets(const struct dataset *d)
{
    return d->n_sets;
}

const char *dataset_set(const struct dataset *d, size_t s)
{
    BUG_ON(s >= d->n_sets);
    return d->names[s];
}

size_t dataset_n_genres(const struct dataset *d)
{
    return d->n_genres;
}

const char *dataset_genre(const struct dataset *d, size_t g)
{
    BUG_ON(g >= d->n_genres);
    return d->names[d->n_sets + g];
}

size_t dataset_n_songs(const struct dataset *d)
{
    return d->n_songs;
}

const char *dataset_song(const struct dataset *d, size_t s)
{
    BUG_ON(s >= d->n_songs);
    return d->names[d->n_sets + d->n_genres + s];
}
