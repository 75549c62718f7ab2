/* song.c: the song as data: tracks of notes and four sorted maps (tempo, metre, key, markers). Bars and
 * seconds are always derived from the maps, never stored. Invariants: notes are sorted by (tick, pitch);
 * every map is sorted by tick with one entry a tick; tempo and metre have an entry at tick 0. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "song.h"
#include "str.h"

enum { DEFAULT_USEC = 500000, MIN_USEC = 1000, MAX_USEC = 0xffffff };

static int clamp(int x, int lo, int hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

/* ---- life ---- */

struct song *song_new(void)
{
    struct song *s = xcalloc(1, sizeof(*s));
    song_set_tempo_usec(s, 0, DEFAULT_USEC);
    song_set_metre(s, 0, 4, 4);
    return s;
}

struct song *song_new_band(void)
{
    struct song *s = song_new();
    for (enum role r = 0; r < N_ROLES; r++)
        song_add_track(s, role_name(r), r);
    return s;
}

void song_free(struct song *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_tracks; i++)
        free(s->tracks[i].notes);
    free(s->tracks);
    free(s->tempos);
    free(s->metres);
    free(s->keys);
    free(s->markers);
    free(s->provenance);
    free(s);
}

static void *copy_of(const void *p, size_t n, size_t size, size_t *cap)
{
    *cap = n;
    if (n == 0)
        return NULL;
    void *q = xcalloc(n, size);
    memcpy(q, p, n * size);
    return q;
}

struct song *song_dup(const struct song *s)
{
    struct song *d = xmalloc(sizeof(*d));
    *d = *s;
    d->tracks = copy_of(s->tracks, s->n_tracks, sizeof(*s->tracks), &d->cap_tracks);
    for (size_t i = 0; i < s->n_tracks; i++) {
        const struct track *t = &s->tracks[i];
        d->tracks[i].notes = copy_of(t->notes, t->n, sizeof(*t->notes), &d->tracks[i].cap);
    }
    d->tempos = copy_of(s->tempos, s->n_tempos, sizeof(*s->tempos), &d->cap_tempos);
    d->metres = copy_of(s->metres, s->n_metres, sizeof(*s->metres), &d->cap_metres);
    d->keys = copy_of(s->keys, s->n_keys, sizeof(*s->keys), &d->cap_keys);
    d->markers = copy_of(s->markers, s->n_markers, sizeof(*s->markers), &d->cap_markers);
    d->provenance = s->provenance ? xstrdup(s->provenance) : NULL;
    return d;
}

/* ---- equality ---- */

static bool note_equal(struct note a, struct note b)
{
    return a.tick == b.tick && a.dur == b.dur && a.pitch == b.pitch && a.vel == b.vel;
}

static bool track_equal(const struct track *a, const struct track *b)
{
    if (a->n != b->n || a->program != b->program || a->volume != b->volume || a->pan != b->pan ||
        a->reverb != b->reverb || a->chorus != b->chorus || strcmp(a->name, b->name) != 0)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!note_equal(a->notes[i], b->notes[i]))
            return false;
    return true;
}

static bool maps_equal(const struct song *a, const struct song *b)
{
    if (a->n_tempos != b->n_tempos || a->n_metres != b->n_metres || a->n_keys != b->n_keys ||
        a->n_markers != b->n_markers)
        return false;
    for (size_t i = 0; i < a->n_tempos; i++)
        if (a->tempos[i].tick != b->tempos[i].tick || a->tempos[i].usec != b->tempos[i].usec)
            return false;
    for (size_t i = 0; i < a->n_metres; i++)
        if (a->metres[i].tick != b->metres[i].tick || a->metres[i].num != b->metres[i].num ||
            a->metres[i].den != b->metres[i].den)
            return false;
    for (size_t i = 0; i < a->n_keys; i++)
        if (a->keys[i].tick != b->keys[i].tick || a->keys[i].sharps != b->keys[i].sharps ||
            a->keys[i].minor != b->keys[i].minor)
            return false;
    for (size_t i = 0; i < a->n_markers; i++)
        if (a->markers[i].tick != b->markers[i].tick || strcmp(a->markers[i].text, b->markers[i].text) != 0)
            return false;
    return true;
}

bool song_equal(const struct song *a, const struct song *b)
{
    if (a->n_tracks != b->n_tracks || strcmp(a->title, b->title) != 0 || !maps_equal(a, b))
        return false;
    for (size_t i = 0; i < a->n_tracks; i++)
        if (!track_equal(&a->tracks[i], &b->tracks[i]))
            return false;
    return true;
}

/* ---- tracks ---- */

/* The lowest channel no track uses, drums apart; with all fifteen taken they are shared in turn. */
static uint8_t free_channel(const struct song *s)
{
    bool used[16] = { [9] = true };
    for (size_t i = 0; i < s->n_tracks; i++)
        used[s->tracks[i].channel & 15] = true;
    for (int c = 0; c < 16; c++)
        if (!used[c])
            return (uint8_t)c;
    int c = (int)(s->n_tracks % 15);
    return (uint8_t)(c < 9 ? c : c + 1);
}

struct track *song_add_track(struct song *s, const char *name, enum role role)
{
    BUG_ON(s->n_tracks >= SONG_MAX_TRACKS);
    bool taken = role == ROLE_NONE || (role != ROLE_DRUMS && song_track_of(s, role));
    struct track t = {
        .role = role, .program = role_program(role), .channel = taken ? free_channel(s) : role_channel(role),
        .volume = 100, .pan = 64, .reverb = 40, .chorus = 0,
    };
    str_copy(t.name, sizeof(t.name), name ? name : role_name(role));
    s->tracks = xgrow(s->tracks, s->n_tracks, &s->cap_tracks, sizeof(*s->tracks));
    s->tracks[s->n_tracks] = t;
    return &s->tracks[s->n_tracks++];
}

struct track *song_track_of(const struct song *s, enum role role)
{
    for (size_t i = 0; i < s->n_tracks; i++)
        if (s->tracks[i].role == role)
            return &s->tracks[i];
    return NULL;
}

/* ---- maps: each starts with its tick, so one search serves all four ---- */

static int32_t tick_at(const void *map, size_t size, size_t i)
{
    int32_t tick;
    memcpy(&tick, (const char *)map + i * size, sizeof(tick));
    return tick;
}

/* Index of the last entry at or before tick; n when there is none. */
static size_t map_at(const void *map, size_t n, size_t size, int32_t tick)
{
    size_t lo = 0, hi = n; /* entries below lo are <= tick, those from hi on are > tick */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (tick_at(map, size, mid) <= tick)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? lo - 1 : n;
}

/* Put `item` in its place, over one at the same tick. Returns the (moved) map. */
static void *map_put(void *map, size_t *n, size_t *cap, size_t size, const void *item)
{
    int32_t tick;
    memcpy(&tick, item, sizeof(tick));
    size_t at = map_at(map, *n, size, tick);
    if (at < *n && tick_at(map, size, at) == tick) {
        memcpy((char *)map + at * size, item, size);
        return map;
    }
    at = at == *n ? 0 : at + 1;
    map = xgrow(map, *n, cap, size);
    char *p = (char *)map + at * size;
    memmove(p + size, p, (*n - at) * size);
    memcpy(p, item, size);
    ++*n;
    return map;
}

void song_set_tempo_usec(struct song *s, int32_t tick, uint32_t usec)
{
    struct tempo t = { clamp(tick, 0, SONG_MAX_TICKS), (uint32_t)clamp((int)(usec & 0x7fffffff), MIN_USEC, MAX_USEC) };
    s->tempos = map_put(s->tempos, &s->n_tempos, &s->cap_tempos, sizeof(t), &t);
}

void song_set_tempo(struct song *s, int32_t tick, double bpm)
{
    bpm = bpm >= 4 && bpm <= 60000 ? bpm : bpm < 4 ? 4 : bpm > 60000 ? 60000 : 120;
    song_set_tempo_usec(s, tick, (uint32_t)lround(60e6 / bpm));
}

double song_bpm(const struct song *s, int32_t tick)
{
    size_t i = map_at(s->tempos, s->n_tempos, sizeof(*s->tempos), tick);
    return 60e6 / (i < s->n_tempos ? s->tempos[i].usec : DEFAULT_USEC);
}

void song_set_metre(struct song *s, int32_t tick, int num, int den)
{
    int two = 1;
    while (two < den && two < 64)
        two *= 2;
    struct metre m = { clamp(tick, 0, SONG_MAX_TICKS), (uint8_t)clamp(num, 1, 255), (uint8_t)two };
    s->metres = map_put(s->metres, &s->n_metres, &s->cap_metres, sizeof(m), &m);
}

void song_set_key(struct song *s, int32_t tick, int sharps, bool minor)
{
    struct keysig k = { clamp(tick, 0, SONG_MAX_TICKS), (int8_t)clamp(sharps, -7, 7), minor };
    s->keys = map_put(s->keys, &s->n_keys, &s->cap_keys, sizeof(k), &k);
}

void song_add_marker(struct song *s, int32_t tick, const char *text)
{
    struct marker m = { .tick = clamp(tick, 0, SONG_MAX_TICKS) };
    str_copy(m.text, sizeof(m.text), text);
    s->markers = map_put(s->markers, &s->n_markers, &s->cap_markers, sizeof(m), &m);
}

/* ---- time ---- */

int32_t song_end(const struct song *s)
{
    int32_t end = 0;
    for (size_t i = 0; i < s->n_tracks; i++)
        for (size_t j = 0; j < s->tracks[i].n; j++) {
            const struct note *n = &s->tracks[i].notes[j];
            if (n->tick + n->dur > end)
                end = n->tick + n->dur;
        }
    return end;
}

static int32_t bar_ticks(struct metre m)
{
    return m.num * (4 * SONG_TPQ / m.den);
}

/* Bars that begin between metre i and the next one: a change inside a bar cuts that bar short. */
static int bars_in(const struct song *s, size_t i)
{
    int32_t len = bar_ticks(s->metres[i]);
    return (s->metres[i + 1].tick - s->metres[i].tick + len - 1) / len;
}

int32_t song_bar_tick(const struct song *s, int bar)
{
    size_t i = 0;
    for (; i + 1 < s->n_metres && bar >= bars_in(s, i); i++)
        bar -= bars_in(s, i);
    int64_t tick = s->metres[i].tick + (int64_t)bar * bar_ticks(s->metres[i]);
    return tick < 0 ? 0 : tick > INT32_MAX ? INT32_MAX : (int32_t)tick;
}

int song_bar_of(const struct song *s, int32_t tick)
{
    int bar = 0;
    size_t i = 0;
    for (; i + 1 < s->n_metres && s->metres[i + 1].tick <= tick; i++)
        bar += bars_in(s, i);
    return tick < 0 ? 0 : bar + (tick - s->metres[i].tick) / bar_ticks(s->metres[i]);
}

struct metre song_metre(const struct song *s, int32_t tick)
{
    size_t i = map_at(s->metres, s->n_metres, sizeof(*s->metres), tick);
    return s->metres[i < s->n_metres ? i : 0];
}

int song_n_bars(const struct song *s)
{
    int32_t end = song_end(s);
    return end == 0 ? 0 : song_bar_of(s, end - 1) + 1;
}

double song_seconds(const struct song *s, int32_t tick)
{
    double sec = 0;
    size_t i = 0;
    for (; i + 1 < s->n_tempos && s->tempos[i + 1].tick < tick; i++)
        sec += (double)(s->tempos[i + 1].tick - s->tempos[i].tick) * s->tempos[i].usec;
    sec += (double)(tick - s->tempos[i].tick) * s->tempos[i].usec;
    return sec / (1e6 * SONG_TPQ);
}

/* ---- notes ---- */

static int note_order(const void *x, const void *y)
{
    const struct note *a = x, *b = y;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    if (a->pitch != b->pitch)
        return a->pitch - b->pitch;
    return a->dur != b->dur ? (a->dur < b->dur ? -1 : 1) : a->vel - b->vel;
}

static struct note legal(struct note n)
{
    n.tick = clamp(n.tick, 0, SONG_MAX_TICKS - 1);
    n.dur = clamp(n.dur, 1, SONG_MAX_TICKS - n.tick);
    n.pitch = (uint8_t)clamp(n.pitch, 0, 127);
    n.vel = (uint8_t)clamp(n.vel, 1, 127);
    return n;
}

void track_push(struct track *t, struct note n)
{
    t->notes = xgrow(t->notes, t->n, &t->cap, sizeof(*t->notes));
    t->notes[t->n++] = legal(n);
}

void track_add(struct track *t, struct note n)
{
    n = legal(n);
    track_push(t, n);
    size_t i = t->n - 1;
    for (; i > 0 && note_order(&t->notes[i - 1], &n) > 0; i--)
        t->notes[i] = t->notes[i - 1];
    t->notes[i] = n;
}

void track_remove(struct track *t, size_t i)
{
    BUG_ON(i >= t->n);
    memmove(&t->notes[i], &t->notes[i + 1], (t->n - i - 1) * sizeof(*t->notes));
    t->n--;
}

void track_clear(struct track *t, int32_t from, int32_t to)
{
    size_t a = track_first_at(t, from), b = track_first_at(t, to);
    if (a >= b)
        return;
    memmove(&t->notes[a], &t->notes[b], (t->n - b) * sizeof(*t->notes));
    t->n -= b - a;
}

void track_sort(struct track *t)
{
    if (t->n > 1)
        qsort(t->notes, t->n, sizeof(*t->notes), note_order);
}

void track_tidy(struct track *t)
{
    size_t last[128], n = 0;
    memset(last, 0xff, sizeof(last));
    track_sort(t);
    for (size_t i = 0; i < t->n; i++) {
        struct note *now = &t->notes[i];
        size_t l = last[now->pitch];
        struct note *before = l == SIZE_MAX ? NULL : &t->notes[l];
        if (before && before->tick == now->tick) { /* a double: sorted by length, so this one is the longer */
            now->vel = now->vel > before->vel ? now->vel : before->vel;
            *before = *now;
            continue;
        }
        if (before && before->tick + before->dur > now->tick)
            before->dur = now->tick - before->tick;
        last[now->pitch] = n;
        t->notes[n++] = *now;
    }
    t->n = n;
}

size_t track_first_at(const struct track *t, int32_t tick)
{
    size_t lo = 0, hi = t->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (t->notes[mid].tick < tick)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}
