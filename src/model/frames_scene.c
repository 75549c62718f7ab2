/* frames_scene.c: see frames_scene.h. */
#include "frames_scene.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "piano_code.h"

/* Of 500 chords in real pop one comes later than a half note after the one before; a network that is on its own falls
 * asleep there. */
enum { USUAL_VEL = 72, LONGEST_QUIET = 7 };   /* frames in which nothing is struck */
static const float SOFT_RANGE = 4;  /* nats that a pitch outside a range that is not strict pays an octave */

/* ---- what is heard ---- */

static bool plays(const struct track *t, int32_t from, int32_t to)
{
    for (size_t i = 0; i < t->n && t->notes[i].tick < to; i++)
        if (t->notes[i].tick + t->notes[i].dur > from)
            return true;
    return false;
}

/* The track itself, or all that is pitched where it has nothing to say in the window. */
static struct song *heard(const struct song *s, enum role role, int32_t from, int32_t at)
{
    struct song *h = song_dup(s);
    if (plays(song_track_of(h, role), from, at))
        for (size_t t = 0; t < h->n_tracks; t++)
            if (h->tracks[t].role != role)
                h->tracks[t].n = 0;
    return h;
}

double frames_between(const struct model *m, const struct song *s, int32_t from, int32_t to)
{
    return m->vocab.time == FRAMES_BEATS ? (double)(to - from) / (FRAME_COLS * QUARTER_COL_TICKS) :
                                           (song_seconds(s, to) - song_seconds(s, from)) / FRAME_SECONDS;
}

/* The bar from which on the song holds a window before `at`. */
static int first_bar(const struct model *m, const struct song *s, int32_t at)
{
    int bar = song_bar_of(s, at);
    while (bar > 0 && frames_between(m, s, song_bar_tick(s, bar), at) < m->net.window)
        bar--;
    return bar;
}

/* The key asked for, told by the file, or heard: before, or around. */
static struct key find_key(const struct frames_scene *s, const struct song *h, int32_t at, int32_t end)
{
    struct key k = s->rq->key;
    if (k.tonic < 0 && at > 0)
        k = song_key(h, 0, at, NULL);
    return k.tonic < 0 ? song_key(h, at, end, NULL) : k;
}

static int mean_vel(const struct qnote *notes, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += notes[i].vel;
    return n > 0 ? (int)(sum / n + 0.5) : USUAL_VEL;
}

/* ---- the line ---- */

/* Before music that begins nothing is told apart from before a piece begins. */
static void find_silence(struct frames_scene *s)
{
    s->silent = true;
    for (int f = s->begin - s->m->net.window; f < s->begin; f++)
        s->silent &= s->token[f] == frame_rest(&s->m->vocab);
    for (int f = 0; f < s->begin && s->silent; f++)
        s->phase[f] = -1;
}

static void make_line(struct frames_scene *s, const struct qnote *notes, uint32_t n, int32_t at)
{
    int pad = s->m->net.window;
    s->n = pad + s->grid.n;
    s->token = xcalloc((size_t)s->n + 1, sizeof *s->token);
    s->phase = xcalloc((size_t)s->n + 1, sizeof *s->phase);
    s->bar = xcalloc((size_t)s->n + 1, sizeof *s->bar);
    for (int f = 0; f < pad; f++)
        s->token[f] = frame_rest(&s->m->vocab);
    memset(s->phase, -1, (size_t)pad);
    memcpy(s->phase + pad, s->grid.phase, (size_t)s->grid.n + 1);
    frame_tokens(&s->m->vocab, &s->grid, notes, n, key_home(s->key), s->token + pad);
    for (s->begin = pad; s->begin < s->n && frames_tick(s, s->begin) < at;)
        s->begin++;
    for (int f = pad; f < s->n; f++)
        s->bar[f] = song_bar_of(s->rq->song, frames_tick(s, f));
    find_silence(s);
}

enum err frames_scene_open(struct frames_scene *s, struct model *m, const struct request *rq, int bar0, enum role role,
                           int32_t at, int end)
{
    int from = first_bar(m, rq->song, at);
    int32_t origin = song_bar_tick(rq->song, from), last = song_bar_tick(rq->song, end);
    if (!song_track_of(rq->song, role))
        return err_set(ERR_SHAPE, "the song has no %s track: it is not in band layout", role_name(role));
    *s = (struct frames_scene){ .m = m, .rq = rq, .bar0 = bar0, .role = role, .origin = origin };
    struct song *h = heard(rq->song, role, origin, at);
    struct qnote *notes = NULL;
    uint32_t n = 0;
    enum err err = qnotes_from_song(h, origin, last, &notes, &n);
    s->key = find_key(s, h, at, last);
    s->vel = mean_vel(notes, err == ERR_OK ? n : 0);
    song_free(h);
    if (err != ERR_OK)
        return err;
    frame_grid_of_song(&s->grid, m->vocab.time, rq->song, from, song_bar_of(rq->song, at), end);
    make_line(s, notes, n, at);
    free(notes);
    return ERR_OK;
}

void frames_scene_close(struct frames_scene *s)
{
    frame_grid_fini(&s->grid);
    free(s->token);
    free(s->phase);
    free(s->bar);
}

bool frames_bar_kept(const struct frames_scene *s, int bar)
{
    int at = bar - s->bar0;
    return at < 0 || at >= s->rq->n_bars || at >= REQUEST_MAX_BARS || s->rq->keep[s->role][at];
}

int32_t frames_free_until(const struct frames_scene *s, int bar)
{
    do
        bar++;
    while (!frames_bar_kept(s, bar));
    return song_bar_tick(s->rq->song, bar);
}

void frames_scene_notes(const struct frames_scene *s, const int32_t *token, int from, int to, int shift, struct note **out,
                        uint32_t *n)
{
    int pad = s->m->net.window;
    struct qnote *q;
    frame_notes(&s->m->vocab, &s->grid, token + pad, from - pad, to - pad, -shift, &q, n);
    *out = xcalloc((size_t)*n + 1, sizeof **out);
    for (uint32_t i = 0; i < *n; i++)
        (*out)[i] = (struct note){ .tick = s->origin + q[i].start * QUARTER_COL_TICKS, .dur = q[i].dur * QUARTER_COL_TICKS,
                                   .pitch = q[i].pitch, .vel = (uint8_t)s->vel };
    free(q);
}

/* ---- rules ---- */

/* Semitones by which the song's pitches leave a range. */
static int outside(struct frame_set song, struct pitch_range r)
{
    int low = frame_set_low(song), high = frame_set_high(song), under = r.hi > 0 && low < r.lo ? r.lo - low : 0,
        over = r.hi > 0 && high > r.hi ? high - r.hi : 0;
    return under > over ? under : over;
}

static bool in_scale(struct frame_set song, uint16_t scale)
{
    for (int p = 0; p < 128; p++)
        if (frame_set_has(song, p) && !(scale >> p % 12 & 1))
            return false;
    return true;
}

void frames_rules_init(struct frames_rules *r, const struct frames_scene *s, int shift)
{
    const struct frame_vocab *v = &s->m->vocab;
    struct pitch_range range = s->rq->range[s->role];
    uint16_t scale = s->rq->snap && s->key.tonic >= 0 ? key_scale(s->key) : 0xfff;
    *r = (struct frames_rules){ xcalloc((size_t)v->n, sizeof *r->legal), xcalloc((size_t)v->n, sizeof *r->bias), false };
    for (int i = 0; i < v->n; i++) {
        struct frame_set song = frame_set_moved(v->set[i], -shift);
        r->legal[i] = frame_legal(v, i);
        if (!frame_is_chord(v, i))
            continue;
        int out = outside(song, range);
        r->bias[i] = -SOFT_RANGE * (float)out / 12;
        r->legal[i] = frame_set_count(song) == frame_set_count(v->set[i]) && in_scale(song, scale) && !(range.strict && out > 0);
        r->any |= r->legal[i];
    }
}

void frames_rules_fini(struct frames_rules *r)
{
    free(r->legal);
    free(r->bias);
}

void frames_rules_at(const struct frames_rules *r, const struct frames_scene *s, const int32_t *token, int f,
                     const float *logits, bool *legal, float *biased)
{
    const struct frame_vocab *v = &s->m->vocab;
    int rest = frame_rest(v), quiet = 0;
    while (f - quiet > 0 && !frame_is_chord(v, token[f - quiet - 1]))
        quiet++;
    for (int i = 0; i < v->n; i++) {
        legal[i] = r->legal[i];
        biased[i] = logits[i] + r->bias[i];
    }
    legal[rest] = !r->any || quiet < LONGEST_QUIET;
    if (v->time == FRAMES_BEATS)
        legal[FRAME_HOLD] = legal[rest] && f > 0 && token[f - 1] != rest;
}
