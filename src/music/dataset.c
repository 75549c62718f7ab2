/* dataset.c: folders of MIDI become one packed phrase file. Each file is merged into the band, judged (does it
 * follow its own beat?), cut into windows of four bars, and the windows that say something new are kept. The
 * split into training and validation is by song, and made after the walk so that every genre gets a share.
 * Nothing is dropped without a line in the report. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "beat.h"
#include "dataset_parts.h"
#include "file.h"
#include "mem.h"
#include "midi.h"
#include "phrase.h"
#include "phrase_file.h"
#include "rng.h"
#include "segment.h"
#include "song.h"
#include "works_group.h"

enum { MIN_NOTES = 8, MAX_NOTES = 600 };

struct file_entry {         /* one song that was read */
    char *name;             /* folder name and path within it */
    uint64_t group;         /* songs of one group stay on one side of the split */
    int genre, set;
    uint32_t first, n;      /* its phrases */
    bool held_out;
    struct qnote *notes; uint32_t n_notes; /* merged: the whole, to know it again */
};

/* Why files and windows were left out. */
enum drop { DROP_UNREADABLE, DROP_LABEL, DROP_GENRE, DROP_BEAT, DROP_OTHER_METRE, DROP_NO_WINDOW,
            DROP_METRE, DROP_ROLES, DROP_FEW, DROP_MANY, DROP_DOUBLE, DROP_MORE, N_DROPS };
static const char *const drop_names[N_DROPS] = {
    [DROP_UNREADABLE] = "files could not be read",
    [DROP_LABEL] = "files have no label in the manifest",
    [DROP_GENRE] = "files are of a genre that was asked to be left out",
    [DROP_BEAT] = "files do not follow their own beat",
    [DROP_OTHER_METRE] = "files are not in 4/4 throughout",
    [DROP_NO_WINDOW] = "files gave no phrase",
    [DROP_METRE] = "windows are not 4/4 throughout",
    [DROP_ROLES] = "windows have too few roles",
    [DROP_FEW] = "windows have fewer than 8 notes",
    [DROP_MANY] = "windows have more than 600 notes",
    [DROP_DOUBLE] = "windows repeat another one note for note",
    [DROP_MORE] = "windows are more than their songs may give",
};

struct build {
    const struct dataset_opts *opts;
    struct str *report;
    const char *dir;            /* the folder being walked */
    struct name_list sets, genres;
    struct file_entry *songs;   size_t n_songs, cap_songs;
    struct phrase_record *recs; size_t n_recs, cap_recs;
    struct str notes;           /* struct pnote, packed */
    uint64_t *seen;             size_t n_seen, cap_seen; /* open addressing, 0 = free */
    struct manifest manifest;
    long drops[N_DROPS];
    double stray_sum;
    long n_read;
};

void dataset_opts_init(struct dataset_opts *o)
{
    *o = (struct dataset_opts){ .hop_bars = 4, .min_roles = 3, .held_out = 0.1 };
}

/* ---- names ---- */

/* FAMILY__GROOVE__3 is one loop of a groove, and the grooves of a family share patterns: the group is the
 * family. Any other file is its own group. */
static uint64_t group_of(const char *name)
{
    const char *file = path_base(name), *last = NULL, *p = file;
    while ((p = strstr(p, "__")))
        last = p, p += 2;
    size_t digits = last ? strspn(last + 2, "0123456789") : 0;
    if (!last || digits == 0 || last[2 + digits] != '.')
        return hash_text(name, strlen(name));
    return hash_text(name, (size_t)(strstr(file, "__") - name));
}

static bool is_wanted(const struct build *b, const char *genre)
{
    const char *p = b->opts->genres;
    size_t n = strlen(genre);
    while (p && !(strncmp(p, genre, n) == 0 && (p[n] == ',' || p[n] == 0)))
        p = (p = strchr(p, ',')) ? p + 1 : NULL;
    return n > 0 && strcmp(genre, "-") != 0 && (p || !b->opts->genres);
}

/* The innermost folder around a file; of asked-for genres the innermost that names one, if any does. */
static char *label_of_folders(const struct build *b, const char *name)
{
    char *label = NULL, *copy = xstrdup(name), *slash;
    while ((slash = strrchr(copy, '/')) && (!label || (b->opts->genres && !is_wanted(b, label)))) {
        *slash = 0;
        char *outer = renamed(b->opts->rename, path_base(copy));
        bool better = !label || is_wanted(b, outer);
        free(better ? label : outer);
        label = better ? outer : label;
    }
    free(copy);
    return label;
}

/* Index of the genre of a file; -1 when it is left out. */
static int genre_of(struct build *b, const char *name)
{
    char *label = NULL;
    if (b->opts->manifest) {
        const struct manifest_row *row = manifest_find(&b->manifest, name);
        if (!row) {
            b->drops[DROP_LABEL]++;
            return -1;
        }
        label = renamed(b->opts->rename, row->label);
    } else {
        label = label_of_folders(b, name);
    }
    int g = -1;
    if (is_wanted(b, label))
        g = (int)name_index(&b->genres, label);
    else
        b->drops[DROP_GENRE]++;
    free(label);
    return g;
}

/* ---- phrases already seen ---- */

static bool seen_put(uint64_t *table, size_t cap, uint64_t h)
{
    size_t i = h & (cap - 1);
    while (table[i] && table[i] != h)
        i = (i + 1) & (cap - 1);
    bool known = table[i] == h;
    table[i] = h;
    return known;
}

/* Remember a hash; true when it was known. */
static bool seen_before(struct build *b, uint64_t h)
{
    if (b->n_seen * 2 >= b->cap_seen) {
        size_t cap = b->cap_seen ? b->cap_seen * 2 : 1 << 12;
        uint64_t *bigger = xcalloc(cap, sizeof(*bigger));
        for (size_t i = 0; i < b->cap_seen; i++)
            if (b->seen[i])
                seen_put(bigger, cap, b->seen[i]);
        free(b->seen);
        b->seen = bigger;
        b->cap_seen = cap;
    }
    bool known = seen_put(b->seen, b->cap_seen, h ? h : 1);
    b->n_seen += !known;
    return known;
}

/* Same rhythm, durations and intervals give the same hash in any key; velocity is ignored. */
static uint64_t phrase_hash(const struct pnote *p, uint32_t n)
{
    int low = 127;
    uint64_t h = n;
    for (uint32_t i = 0; i < n; i++)
        if (p[i].role != ROLE_DRUMS && p[i].pitch < low)
            low = p[i].pitch;
    for (uint32_t i = 0; i < n; i++) {
        int pitch = p[i].role == ROLE_DRUMS ? p[i].pitch : p[i].pitch - low;
        h = rng_hash(h, (uint64_t)p[i].role << 24 | (uint64_t)pitch << 16 | (uint64_t)p[i].start << 8 | p[i].dur);
    }
    return h;
}

/* ---- songs ---- */

static int roles_in(const struct pnote *p, uint32_t n)
{
    unsigned set = 0;
    for (uint32_t i = 0; i < n; i++)
        set |= 1u << p[i].role;
    return __builtin_popcount(set);
}

static void keep_phrase(struct build *b, const struct pnote *p, uint32_t n, int bar)
{
    struct key k = phrase_key(p, n);
    const struct file_entry *song = &b->songs[b->n_songs - 1];
    struct phrase_record r = {
        .first = b->notes.len / sizeof(*p), .n = n, .genre = (uint16_t)song->genre,
        .song = (uint16_t)(b->n_songs - 1), .tonic = k.tonic < 0 ? 255 : (uint8_t)k.tonic, .minor = k.minor,
        .set = (uint8_t)song->set, .bar = (uint16_t)bar,
    };
    str_addn(&b->notes, (const char *)p, n * sizeof(*p));
    b->recs = xgrow(b->recs, b->n_recs, &b->cap_recs, sizeof(r));
    b->recs[b->n_recs++] = r;
}

static enum err add_window(struct build *b, const struct song *band, int bar)
{
    struct pnote *p = NULL;
    uint32_t n = 0;

    TRY(phrase_from_song(band, bar, &p, &n));
    enum drop why = n < MIN_NOTES ? DROP_FEW : n > MAX_NOTES ? DROP_MANY :
                    !b->opts->merged && roles_in(p, n) < b->opts->min_roles ? DROP_ROLES :
                    seen_before(b, phrase_hash(p, n)) ? DROP_DOUBLE : N_DROPS;
    if (why == N_DROPS)
        keep_phrase(b, p, n, bar);
    else
        b->drops[why]++;
    free(p);
    return ERR_OK;
}

/* Where windows start: where 4/4 starts or a part does, and then at every hop. None reaches into the next part; one
 * that meets another metre is passed over. */
static enum err add_windows_of(struct build *b, const struct song *band, const int *parts, size_t n_parts)
{
    int n_bars = song_n_bars(band), run = -1;
    size_t next = 0;
    for (int bar = 0; bar + PHRASE_BARS <= n_bars && bar <= UINT16_MAX; bar++) {
        int32_t tick = song_bar_tick(band, bar);
        struct metre m = song_metre(band, tick);
        bool begins = next < n_parts && parts[next] == bar;
        next += begins;
        if (m.num != 4 || m.den != 4) {
            run = -1;
            continue;
        }
        run = run < 0 || begins ? bar : run;
        if ((bar - run) % b->opts->hop_bars != 0 || (next < n_parts && bar + PHRASE_BARS > parts[next]))
            continue;
        if (phrase_check_bars(band, bar) != ERR_OK)
            b->drops[DROP_METRE]++;
        else
            TRY(add_window(b, band, bar));
    }
    return ERR_OK;
}

static enum err add_windows(struct build *b, const struct song *band)
{
    int *parts = NULL;
    size_t n_parts = 0;
    if (b->opts->segments)
        TRY(segment_song(band, &parts, &n_parts));
    enum err err = add_windows_of(b, band, parts, n_parts);
    free(parts);
    return err;
}

static enum err add_song(struct build *b, const char *name, int genre, const struct song *band)
{
    struct file_entry e = { .name = xstrdup(name), .group = group_of(name), .genre = genre,
                            .set = (int)b->sets.n - 1, .first = (uint32_t)b->n_recs };
    b->songs = xgrow(b->songs, b->n_songs, &b->cap_songs, sizeof(e));
    b->songs[b->n_songs++] = e;
    TRY(add_windows(b, band));
    struct file_entry *song = &b->songs[b->n_songs - 1];
    song->n = (uint32_t)b->n_recs - song->first;
    if (b->opts->merged && song->n > 0)
        TRY(qnotes_from_song(band, 0, song_end(band) + 1, &song->notes, &song->n_notes));
    if (song->n == 0) {
        b->drops[DROP_NO_WINDOW]++;
        free(song->name);
        b->n_songs--;
    }
    return ERR_OK;
}

static enum err visit(void *ctx, const char *path)
{
    struct build *b = ctx;
    struct song *in = NULL, *band = NULL;
    enum err err = ERR_OK;

    if (!is_midi_path(path))
        return ERR_OK;
    if (b->n_songs >= UINT16_MAX)
        return err_set(ERR_RANGE, "more than %d songs", UINT16_MAX);
    const char *rest = path + strlen(b->dir);
    char *name = path_join(b->sets.name[b->sets.n - 1], rest + strspn(rest, "/"));
    int genre = genre_of(b, name);
    if (genre < 0)
        goto out;
    if (midi_load(path, &in, NULL) != ERR_OK) {
        b->drops[DROP_UNREADABLE]++;
        str_addf(b->report, "unreadable: %s\n", err_text());
        goto out;
    }
    if (b->opts->merged) {
        drop_annotations(in);
        band = song_merged(in);
    } else {
        TRY_OUT(role_band(in, &band));
    }
    struct beat beat = beat_hear(b->opts->merged ? in : band);
    b->stray_sum += beat.stray;
    b->n_read++;
    if (beat.fit < BEAT_MIN_FIT) {
        b->drops[DROP_BEAT]++;
        str_addf(b->report, "off the beat: %s (fit %.2f, %.0f %% of its onsets off the grid)\n", name, beat.fit,
                 beat.stray * 100);
        goto out;
    }
    if (b->opts->one_metre && !song_is_common_time(in)) {
        b->drops[DROP_OTHER_METRE]++;
        goto out;
    }
    TRY_OUT(add_song(b, name, genre, band));
out:
    free(name);
    song_free(in);
    song_free(band);
    return err;
}

/* Genres that no phrase is of are forgotten. */
static void drop_unused_genres(struct build *b)
{
    size_t n = 0;
    for (size_t g = 0; g < b->genres.n; g++) {
        bool used = false;
        for (size_t i = 0; i < b->n_songs; i++)
            if (b->songs[i].genre == (int)g) {
                b->songs[i].genre = (int)n;
                used = true;
            }
        if (used)
            b->genres.name[n++] = b->genres.name[g];
        else
            free(b->genres.name[g]);
    }
    b->genres.n = n;
    for (size_t i = 0; i < b->n_songs; i++)
        for (uint32_t p = 0; p < b->songs[i].n; p++)
            b->recs[b->songs[i].first + p].genre = (uint16_t)b->songs[i].genre;
}

/* ---- split ---- */

static int hash_order(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

/* Held out of n groups, given by their hashes with repeats, are those of least hash: the asked share of the different
 * ones, and one at least of two. Returns the largest of them, 0 when there is none. */
static uint64_t split_threshold(uint64_t *groups, size_t n, double share)
{
    size_t unique = 0;
    qsort(groups, n, sizeof(*groups), hash_order);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || groups[i] != groups[unique - 1])
            groups[unique++] = groups[i];
    size_t held = (size_t)lround(share * (double)unique);
    held = share > 0 && held == 0 && unique >= 2 ? 1 : held;
    return held > 0 ? groups[held - 1] : 0;
}

/* Hold out groups of one genre of one folder. */
static void split_part(struct build *b, int set, int genre)
{
    uint64_t *groups = xcalloc(b->n_songs + 1, sizeof(*groups));
    size_t n = 0;
    for (size_t i = 0; i < b->n_songs; i++)
        if (b->songs[i].set == set && b->songs[i].genre == genre)
            groups[n++] = b->songs[i].group;
    uint64_t last = split_threshold(groups, n, b->opts->held_out);
    for (size_t i = 0; i < b->n_songs && last > 0; i++)
        if (b->songs[i].set == set && b->songs[i].genre == genre && b->songs[i].group <= last)
            b->songs[i].held_out = true;
    free(groups);
}

/* A file that a loop of a groove is belongs to the groove's family; others may share name or music with others. */
static void group(struct build *b)
{
    uint32_t n = (uint32_t)b->n_songs;
    struct group_piece *pieces = xcalloc(n + 1, sizeof(*pieces));
    const char **names = xcalloc(n + 1, sizeof(*names));
    uint64_t *groups = xcalloc(n + 1, sizeof(*groups));
    for (uint32_t i = 0; i < n; i++) {
        const struct file_entry *s = &b->songs[i];
        char *folder = xstrndup(s->name, (size_t)(path_base(s->name) - s->name));
        bool groove = s->group != hash_text(s->name, strlen(s->name));
        names[i] = s->name;
        pieces[i] = (struct group_piece){ .key = groove ? s->group : works_key(s->name, folder),
                                          .notes = s->notes, .n = s->n_notes };
        free(folder);
    }
    group_songs(pieces, names, n, groups);
    for (uint32_t i = 0; i < n; i++)
        b->songs[i].group = groups[i];
    free(groups);
    free(names);
    free(pieces);
}

struct share { uint64_t group; uint32_t n, given; };

static int share_order(const void *x, const void *y)
{
    const struct share *a = x, *b = y;
    return a->group < b->group ? -1 : a->group > b->group;
}

/* Sorted by group, with how many phrases each has. */
static struct share *shares_of(const struct build *b, size_t *n)
{
    struct share *s = xcalloc(b->n_songs + 1, sizeof(*s));
    for (size_t i = 0; i < b->n_songs; i++)
        s[i] = (struct share){ .group = b->songs[i].group, .n = b->songs[i].n };
    qsort(s, b->n_songs, sizeof(*s), share_order);
    *n = 0;
    for (size_t i = 0; i < b->n_songs; i++)
        if (*n > 0 && s[*n - 1].group == s[i].group)
            s[*n - 1].n += s[i].n;
        else
            s[(*n)++] = s[i];
    return s;
}

/* Of more phrases than a group may give, those that lie evenly over it. */
static void thin(struct build *b)
{
    size_t n, n_recs = 0, n_notes = 0;
    uint64_t most = (uint64_t)b->opts->per_song;
    struct share *shares = shares_of(b, &n);
    struct pnote *notes = (struct pnote *)b->notes.p;
    for (size_t i = 0; i < b->n_songs; i++) {
        struct file_entry *song = &b->songs[i];
        struct share *g = bsearch(&(struct share){ .group = song->group }, shares, n, sizeof(*g), share_order);
        uint32_t first = (uint32_t)n_recs;
        for (uint32_t k = song->first; k < song->first + song->n; k++, g->given++) {
            struct phrase_record r = b->recs[k];
            if (g->n > most && g->given * most / g->n == (g->given + 1) * most / g->n)
                continue;
            memmove(notes + n_notes, notes + r.first, r.n * sizeof(*notes));
            r.first = n_notes;
            n_notes += r.n;
            b->recs[n_recs++] = r;
        }
        song->first = first;
        song->n = (uint32_t)n_recs - first;
    }
    b->drops[DROP_MORE] += (long)(b->n_recs - n_recs);
    b->n_recs = n_recs;
    b->notes.len = n_notes * sizeof(*notes);
    free(shares);
}

/* What is held out in one folder or genre is held out in all. */
static void hold_groups(struct build *b)
{
    for (size_t i = 0; i < b->n_songs; i++)
        for (size_t k = 0; k < b->n_songs && b->songs[i].held_out; k++)
            b->songs[k].held_out |= b->songs[k].group == b->songs[i].group;
}

static void split(struct build *b)
{
    if (b->opts->merged)
        group(b);
    if (b->opts->per_song > 0)
        thin(b);
    for (size_t s = 0; s < b->sets.n; s++)
        for (size_t g = 0; g < b->genres.n; g++)
            split_part(b, (int)s, (int)g);
    if (b->opts->merged)
        hold_groups(b);
    for (size_t i = 0; i < b->n_songs; i++)
        for (uint32_t p = 0; p < b->songs[i].n; p++)
            b->recs[b->songs[i].first + p].held_out = b->songs[i].held_out;
}

/* ---- report and file ---- */

/* Of one folder, or -1 of all. */
static void report_genre(const struct build *b, int set, int genre)
{
    long songs = 0, held = 0, phrases = 0, held_phrases = 0;
    double notes = 0;
    for (size_t i = 0; i < b->n_songs; i++) {
        const struct file_entry *s = &b->songs[i];
        if ((set >= 0 && s->set != set) || s->genre != genre)
            continue;
        songs += s->n > 0;
        held += s->n > 0 && s->held_out;
        phrases += s->n;
        held_phrases += s->held_out ? s->n : 0;
        for (uint32_t p = 0; p < s->n; p++)
            notes += b->recs[s->first + p].n;
    }
    if (songs > 0)
        str_addf(b->report, "%-16s %-14s %5ld songs %7ld phrases, %4ld songs %6ld phrases held out, %5.1f notes a phrase\n",
                 set < 0 ? "all" : b->sets.name[set], b->genres.name[genre], songs, phrases, held, held_phrases, notes / (double)phrases);
}

static void report_all(const struct build *b)
{
    for (size_t s = 0; s < b->sets.n; s++)
        for (size_t g = 0; g < b->genres.n; g++)
            report_genre(b, (int)s, (int)g);
    for (size_t g = 0; g < b->genres.n && b->sets.n > 1; g++)
        report_genre(b, -1, (int)g);
    str_addf(b->report, "%zu phrases of %zu songs; %.1f %% of the onsets of a song lie on steps no subdivision uses, on average\n",
             b->n_recs, b->n_songs, b->n_read ? 100 * b->stray_sum / (double)b->n_read : 0);
    for (int i = 0; i < N_DROPS; i++)
        if (b->drops[i])
            str_addf(b->report, "left out: %ld %s\n", b->drops[i], drop_names[i]);
}

static void put_record(struct str *s, const struct phrase_record *r)
{
    put_le(s, r->first, 8);
    put_le(s, r->n, 4);
    put_le(s, r->genre, 2);
    put_le(s, r->song, 2);
    put_le(s, r->tonic, 1);
    put_le(s, r->minor, 1);
    put_le(s, r->held_out, 1);
    put_le(s, r->set, 1);
    put_le(s, r->bar, 2);
    put_le(s, 0, 2);
}

static enum err write_file(const struct build *b, const char *path)
{
    struct str out, names;

    str_init(&out);
    str_init(&names);
    put_names(&names, &b->sets);
    put_names(&names, &b->genres);
    for (size_t i = 0; i < b->n_songs; i++)
        str_addn(&names, b->songs[i].name, strlen(b->songs[i].name) + 1);
    str_addn(&out, PHRASE_MAGIC, 8);
    const size_t counts[] = { PHRASE_VERSION, b->sets.n, b->genres.n, b->n_songs, b->n_recs, names.len };
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        put_le(&out, counts[i], 4);
    put_le(&out, b->notes.len / sizeof(struct pnote), 8);
    while (out.len < PHRASE_HEADER_BYTES)
        str_addc(&out, 0);
    str_addn(&out, str_c(&names), names.len);
    for (size_t i = 0; i < b->n_recs; i++)
        put_record(&out, &b->recs[i]);
    str_addn(&out, str_c(&b->notes), b->notes.len);
    enum err err = file_write(path, out.p, out.len);
    str_fini(&names);
    str_fini(&out);
    return err;
}

static void build_fini(struct build *b)
{
    for (size_t i = 0; i < b->n_songs; i++) {
        free(b->songs[i].name);
        free(b->songs[i].notes);
    }
    name_list_fini(&b->sets);
    name_list_fini(&b->genres);
    free(b->songs);
    free(b->recs);
    free(b->seen);
    manifest_fini(&b->manifest);
    str_fini(&b->notes);
}

static enum err build(struct build *b, const char *const *dirs, size_t n_dirs, const char *path)
{
    if (b->opts->manifest)
        TRY(manifest_read(b->opts->manifest, &b->manifest));
    TRY(folders_walk(dirs, n_dirs, &b->sets, &b->dir, visit, b));
    drop_unused_genres(b);
    split(b);
    report_all(b);
    if (b->n_recs == 0)
        return err_set(ERR_EMPTY, "no phrase was found in %zu folders", n_dirs);
    return write_file(b, path);
}

enum err dataset_build(const char *const *dirs, size_t n_dirs, const struct dataset_opts *o, const char *path,
                       struct str *report)
{
    struct str own;
    struct build b = { .opts = o, .report = report ? report : &own };

    if (o->hop_bars < 1 || o->min_roles < 1 || o->min_roles > N_ROLES || o->per_song < 0 || !(o->held_out >= 0 && o->held_out < 1) ||
        n_dirs > 255)
        return err_set(ERR_RANGE, "hop of %d bars, at least %d roles, %.2f held out, %zu folders", o->hop_bars,
                       o->min_roles, o->held_out, n_dirs);
    str_init(&own);
    str_init(&b.notes);
    enum err err = o->works ? works_build(dirs, n_dirs, o, path, b.report) : build(&b, dirs, n_dirs, path);
    build_fini(&b);
    str_fini(&own);
    return err;
}
