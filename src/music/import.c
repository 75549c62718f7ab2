/* import.c: see import.h. */
#include "import.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "mem.h"
#include "midi.h"
#include "npz.h"

enum { MAX_BARS = 1 << 20 };

/* ---- the proposal ---- */

struct import *import_new(struct song *song, int max_bars)
{
    struct import *im = xcalloc(1, sizeof *im);
    im->song = song;
    im->max_bars = max_bars;
    im->metre_told = im->tempo_told = true;
    im->beat = beat_hear(song);
    for (size_t i = 0; i < song->n_tracks; i++)
        im->role[i] = song->tracks[i].role;
    import_span(im, 0, MAX_BARS);
    return im;
}

void import_free(struct import *im)
{
    if (!im)
        return;
    song_free(im->song);
    str_fini(&im->odd);
    free(im);
}

static enum err load_npz(const char *path, int max_bars, struct import **out)
{
    struct song *song = NULL;
    TRY(npz_load_song(path, &song));
    *out = import_new(song, max_bars);
    return ERR_OK;
}

static enum err load_midi(const char *path, int max_bars, struct import **out)
{
    struct song *song = NULL;
    struct midi_report rep = {0};
    enum err err = midi_load(path, &song, &rep);
    if (err == ERR_OK) {
        struct import *im = import_new(song, max_bars);
        str_add(&im->odd, str_c(&rep.text));
        im->metre_told = rep.metre_told;
        im->tempo_told = rep.tempo_told;
        *out = im;
    }
    midi_report_fini(&rep);
    return err;
}

enum err import_load(const char *path, int max_bars, struct import **out)
{
    return (str_same(path_ext(path), ".npz") ? load_npz : load_midi)(path, max_bars, out);
}

static int players_of(const struct import *im, enum role r)
{
    int n = 0;
    for (size_t i = 0; i < im->song->n_tracks; i++)
        n += im->role[i] == r && im->song->tracks[i].n > 0;
    return n;
}

bool import_metre_doubtful(const struct import *im)
{
    return !im->metre_told && im->num == 0 && im->beat.num > 0 && (im->beat.num != 4 || im->beat.den != 4);
}

bool import_certain(const struct import *im)
{
    bool certain = im->n_bars == import_all_bars(im) && im->beat.feel != FEEL_FREE && !import_metre_doubtful(im);
    for (enum role r = 0; r < N_ROLES; r++)
        certain &= players_of(im, r) <= 1;
    return certain && players_of(im, ROLE_NONE) == 0;
}

/* ---- changing it ---- */

static enum err map_item(struct import *im, char *item)
{
    char *to = strchr(item, '=');
    int64_t track;
    enum role role = ROLE_NONE;
    if (!to)
        return err_set(ERR_FORMAT, "\"%.40s\": want TRACK=ROLE, such as 3=bass or 5=drop", item);
    *to++ = '\0';
    TRY(parse_int(item, 1, (int64_t)im->song->n_tracks, &track));
    if (!str_same(to, "drop") && !role_parse(to, &role))
        return err_set(ERR_FORMAT, "\"%.40s\" is no part of the band: drums, piano, guitar, bass, strings or drop", to);
    im->role[track - 1] = role;
    return ERR_OK;
}

enum err import_map(struct import *im, const char *text)
{
    char *copy = xstrdup(text), *rest = copy, *item;
    struct import now = *im;
    enum err err = ERR_OK;
    while (err == ERR_OK && (item = str_split(&rest, ',')))
        err = map_item(&now, item);
    free(copy);
    if (err == ERR_OK)
        memcpy(im->role, now.role, sizeof im->role);
    return err;
}

enum err import_bars(struct import *im, const char *text)
{
    int64_t from, to, all = import_all_bars(im);
    char copy[32];
    if (!str_copy(copy, sizeof copy, text))
        return err_set(ERR_FORMAT, "\"%.40s\" are not bars", text);
    char *dash = strchr(copy, '-');
    if (dash)
        *dash++ = '\0';
    TRY(parse_int(copy, 1, all, &from));
    to = dash ? all : from;
    if (dash && *dash)
        TRY(parse_int(dash, from, all, &to));
    if (im->max_bars && to - from >= im->max_bars)
        return err_set(ERR_RANGE, "%lld bars: the band takes %d", (long long)(to - from + 1), im->max_bars);
    import_span(im, (int)from - 1, (int)(to - from) + 1);
    return ERR_OK;
}

/* The song with the tempo and metre that were chosen. */
static struct song *timed(const struct import *im)
{
    struct song *s = song_dup(im->song);
    if (im->num > 0) {
        s->n_metres = 0;
        song_set_metre(s, 0, im->num, im->den);
    }
    if (im->bpm > 0) {
        s->n_tempos = 0;
        song_set_tempo(s, 0, im->bpm);
    }
    return s;
}

int import_all_bars(const struct import *im)
{
    struct song maps = {.tracks = im->song->tracks, .n_tracks = im->song->n_tracks};
    struct metre one = {0, (uint8_t)im->num, (uint8_t)im->den};
    maps.metres = im->num > 0 ? &one : im->song->metres;
    maps.n_metres = im->num > 0 ? 1 : im->song->n_metres;
    int n = song_n_bars(&maps);
    return n > 0 ? n : 1;
}

void import_metre(struct import *im, int num, int den)
{
    bool whole = im->bar0 == 0 && im->n_bars == import_all_bars(im);
    im->num = num;
    im->den = den;
    import_span(im, im->bar0, whole ? MAX_BARS : im->n_bars);
}

void import_span(struct import *im, int bar0, int n_bars)
{
    int all = import_all_bars(im), most = im->max_bars ? im->max_bars : MAX_BARS;
    im->bar0 = bar0 < 0 ? 0 : bar0 >= all ? all - 1 : bar0;
    im->n_bars = n_bars < 1 ? 1 : n_bars > most ? most : n_bars;
    if (im->n_bars > all - im->bar0)
        im->n_bars = all - im->bar0;
}

/* ---- carrying it out ---- */

/* Maps from `from` on, shifted to 0; what is in force at `from` counts from 0. One function for each kind would be
 * the same three times, so the entries are moved as bytes behind their tick. */
static void crop_map(void *map, size_t *n, size_t size, int32_t from, int32_t to)
{
    size_t kept = 0;
    char *p = map;
    for (size_t i = 0; i < *n; i++) {
        int32_t tick;
        memcpy(&tick, p + i * size, sizeof tick);
        if (tick >= to)
            break;
        kept -= tick <= from && kept > 0; /* the one before is over when the span begins */
        tick = tick < from ? 0 : tick - from;
        memmove(p + kept * size, p + i * size, size);
        memcpy(p + kept * size, &tick, sizeof tick);
        kept++;
    }
    *n = kept;
}

static void crop_markers(struct song *s, int32_t from, int32_t to)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n_markers; i++) {
        struct marker m = s->markers[i];
        if (m.tick < from || m.tick >= to)
            continue;
        m.tick -= from;
        s->markers[kept++] = m;
    }
    s->n_markers = kept;
}

static void crop_track(struct track *t, int32_t from, int32_t to)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct note n = t->notes[i];
        int32_t end = n.tick + n.dur < to ? n.tick + n.dur : to;
        int32_t start = n.tick > from ? n.tick : from;
        if (end <= start)
            continue;
        n.tick = start - from;
        n.dur = end - start;
        t->notes[kept++] = n;
    }
    t->n = kept;
    track_tidy(t);
}

static void crop(struct song *s, int bar0, int n_bars)
{
    bool to_end = bar0 + n_bars >= song_n_bars(s);
    int32_t from = song_bar_tick(s, bar0), to = to_end ? INT32_MAX : song_bar_tick(s, bar0 + n_bars);
    if (from == 0 && to_end)
        return;
    for (size_t i = 0; i < s->n_tracks; i++)
        crop_track(&s->tracks[i], from, to);
    crop_map(s->tempos, &s->n_tempos, sizeof *s->tempos, from, to);
    crop_map(s->metres, &s->n_metres, sizeof *s->metres, from, to);
    crop_map(s->keys, &s->n_keys, sizeof *s->keys, from, to);
    crop_markers(s, from, to);
}

enum err import_song(const struct import *im, struct song **out)
{
    struct song *s = timed(im);
    crop(s, im->bar0, im->n_bars);
    *out = s;
    return ERR_OK;
}

enum err import_band(const struct import *im, struct song **out)
{
    struct song *s = NULL;
    TRY(import_song(im, &s));
    for (size_t i = 0; i < s->n_tracks; i++)
        s->tracks[i].role = im->role[i];
    enum err err = role_band(s, out);
    song_free(s);
    return err;
}

/* ---- telling ---- */

void import_track_line(const struct import *im, size_t i, struct str *out)
{
    const struct track *t = &im->song->tracks[i];
    bool dropped = im->role[i] >= N_ROLES;
    const char *why = !dropped                ? role_name(im->role[i])
                      : t->role >= N_ROLES ? "left out, no role takes percussive and effect sounds"
                                              : "left out";
    str_addf(out, "track %zu \"%s\" (%s, %zu notes): %s\n", i + 1, t->name,
             t->channel == 9 ? "drums" : gm_program_name(t->program), t->n, why);
}

/* "Strings: tracks 1, 4 and 6 as one; ..." */
static void tell_merges(const struct import *im, struct str *out)
{
    for (enum role r = 0; r < N_ROLES; r++) {
        int left = players_of(im, r);
        if (left < 2)
            continue;
        str_addf(out, "%s: tracks ", role_name(r));
        for (size_t i = 0; i < im->song->n_tracks; i++)
            if (im->role[i] == r && im->song->tracks[i].n > 0) {
                left--;
                str_addf(out, "%zu%s", i + 1, left > 1 ? ", " : left == 1 ? " and " : "");
            }
        str_add(out, " become one, which sounds like the one with most notes; what they double is played once\n");
    }
}

static void tell_metre(const struct import *im, struct str *out)
{
    const struct beat *b = &im->beat;
    struct metre m = song_metre(im->song, 0);
    if (im->num > 0)
        str_addf(out, "metre: %d/%d, as you say\n", im->num, im->den);
    else if (import_metre_doubtful(im))
        str_addf(out, "metre: the file names none and 4/4 is taken, but the accents sound like %d/%d\n", b->num, b->den);
    else if (!im->metre_told)
        str_add(out, "metre: the file names none, 4/4 is taken\n");
    bool other = im->num > 0 ? im->num != 4 || im->den != 4 : m.num != 4 || m.den != 4;
    for (size_t i = 1; i < im->song->n_metres && im->num == 0; i++)
        other |= im->song->metres[i].num != 4 || im->song->metres[i].den != 4;
    if (other)
        str_add(out, "metre: the band itself plays 4/4 only; bars in another metre are yours\n");
}

void import_summary(const struct import *im, struct str *out)
{
    tell_merges(im, out);
    if (im->beat.n_onsets > 0) {
        str_add(out, "beat: ");
        beat_describe(&im->beat, out);
        str_add(out, "\n");
    }
    tell_metre(im, out);
    if (im->bpm > 0)
        str_addf(out, "tempo: %.4g throughout, as you say\n", im->bpm);
    else if (!im->tempo_told)
        str_add(out, "tempo: the file names none, 120 is taken\n");
    int all = import_all_bars(im);
    if (im->n_bars < all)
        str_addf(out, "bars %d to %d of %d%s\n", im->bar0 + 1, im->bar0 + im->n_bars, all,
                 im->n_bars == im->max_bars ? ": as many as the band takes" : "");
}

void import_report(const struct import *im, struct str *out)
{
    str_add(out, str_c(&im->odd));
    for (size_t i = 0; i < im->song->n_tracks; i++)
        if (im->song->tracks[i].n > 0)
            import_track_line(im, i, out);
    import_summary(im, out);
}
