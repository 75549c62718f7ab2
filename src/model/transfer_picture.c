/* transfer_picture.c: from a song to pictures, and what of a picture may change. */
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "song.h"
#include "transfer.h"

enum { BAR_TICKS = 4 * SONG_TPQ, PERCUSSIVE = 112 /* the first program without pitch */ };

bool transfer_hears(const struct request *rq, const struct track *t)
{
    return t->role != ROLE_DRUMS && t->program < PERCUSSIVE && !(t->role < N_ROLES && rq->silent[t->role]);
}

bool transfer_may_change(const struct request *rq, const struct track *t, int bar)
{
    int b = bar - rq->bar0;
    if (b < 0 || b >= rq->n_bars || !transfer_hears(rq, t))
        return false;
    return t->role >= N_ROLES || !rq->keep[t->role][b < REQUEST_MAX_BARS ? b : REQUEST_MAX_BARS - 1];
}

static int step_of(const struct stretch *s, int32_t tick)
{
    int32_t t = tick - s->tick + SIXTEENTH / 2;
    return t < 0 ? -1 : t / SIXTEENTH;
}

/* ---- stretches ---- */

static bool is_common_bar(const struct song *s, int bar)
{
    int32_t tick = song_bar_tick(s, bar);
    struct metre m = song_metre(s, tick);
    return m.num == 4 && m.den == 4 && song_bar_tick(s, bar + 1) - tick == BAR_TICKS;
}

static struct stretch *add_stretch(struct picture *p, const struct song *s, int bar, int n_bars)
{
    p->at = xgrow(p->at, p->n, &p->cap, sizeof *p->at);
    struct stretch *st = &p->at[p->n++];
    *st = (struct stretch){.tick = song_bar_tick(s, bar), .bar = bar, .n_steps = n_bars * GRID_BAR};
    size_t cells = (size_t)st->n_steps * GRID_PITCHES;
    uint8_t **const maps[] = {&st->was, &st->now, &st->held, &st->struck};
    for (size_t i = 0; i < COUNT_OF(maps); i++)
        *maps[i] = xcalloc(cells, 1);
    st->ceiling = xcalloc((size_t)st->n_steps, 1);
    memset(st->ceiling, GRID_PITCHES, (size_t)st->n_steps);
    return st;
}

static void find_stretches(struct picture *p, const struct request *rq)
{
    int end = rq->bar0 + rq->n_bars, last = song_n_bars(rq->song);
    for (int bar = rq->bar0, first = bar; bar < end && bar < last; bar++) {
        bool common = is_common_bar(rq->song, bar), more = bar + 1 < end && bar + 1 < last;
        if (common && !(more && is_common_bar(rq->song, bar + 1)))
            add_stretch(p, rq->song, first, bar + 1 - first);
        if (!common || !(more && is_common_bar(rq->song, bar + 1)))
            first = bar + 1;
    }
}

/* ---- notes ---- */

/* A note that began before the stretch is seen and stays; one that ends behind it is seen up to its end. */
static void see(struct stretch *s, const struct request *rq, int track, size_t i)
{
    const struct track *t = &rq->song->tracks[track];
    const struct note *n = &t->notes[i];
    int from = step_of(s, n->tick), to = step_of(s, n->tick + n->dur), row = n->pitch - GRID_LOW;
    if (row < 0 || row >= GRID_PITCHES || from >= s->n_steps || to <= (from < 0 ? 0 : -1))
        return;
    bool open = from >= 0 && transfer_may_change(rq, t, song_bar_of(rq->song, n->tick));
    if (from >= 0)
        s->struck[from * GRID_PITCHES + row] = 1;
    from = from < 0 ? 0 : from;
    to = to <= from ? from + 1 : to > s->n_steps ? s->n_steps : to;
    for (int c = from; c < to; c++)
        s->was[c * GRID_PITCHES + row] = 1;
    s->seen = xgrow(s->seen, s->n, &s->cap, sizeof *s->seen);
    s->seen[s->n++] = (struct seen){track, i, from, to, (uint8_t)row, open};
}

static void see_all(struct stretch *s, const struct request *rq)
{
    int32_t end = s->tick + s->n_steps * SIXTEENTH;
    for (size_t k = 0; k < rq->song->n_tracks; k++) {
        const struct track *t = &rq->song->tracks[k];
        for (size_t i = 0; i < t->n && t->notes[i].tick < end && transfer_hears(rq, t); i++)
            if (t->notes[i].tick + t->notes[i].dur >= s->tick)
                see(s, rq, (int)k, i);
    }
}

/* ---- the melody ---- */

enum { FAR_BELOW = 12, REST = GRID_BAR }; /* a note so far below a melody that rests less than that belongs to others */

/* The top line: what is the highest of all that sounds when it begins. */
static void lock_melody(struct stretch *s)
{
    int high = -1, until = -REST; /* of the melody so far: its last row, the step it ends on */
    for (int step = 0; step < s->n_steps; step++) {
        const uint8_t *was = s->was + step * GRID_PITCHES, *struck = s->struck + step * GRID_PITCHES;
        int top = GRID_PITCHES - 1;
        while (top >= 0 && !was[top])
            top--;
        bool far = high - top > FAR_BELOW && step < until + REST;
        if (top < 0 || !struck[top] || far)
            continue;
        int end = step;
        for (size_t i = 0; i < s->n; i++) {
            struct seen *n = &s->seen[i];
            if (n->row != top || n->from != step)
                continue;
            n->open = false;
            end = n->to > end ? n->to : end;
        }
        for (int c = step; c < end; c++)
            s->ceiling[c] = (uint8_t)top;
        until = end > until ? end : until;
        high = top;
    }
}

static uint16_t scale_of(const struct stretch *s, const struct request *rq)
{
    struct key k = rq->key;
    if (rq->snap && k.tonic < 0)
        k = song_key(rq->song, s->tick, s->tick + s->n_steps * SIXTEENTH, NULL);
    return rq->snap && k.tonic >= 0 ? key_scale(k) : 0xfff;
}

static void hold(struct stretch *s)
{
    for (size_t i = 0; i < s->n; i++)
        for (int c = s->seen[i].from; c < s->seen[i].to && !s->seen[i].open; c++)
            s->held[c * GRID_PITCHES + s->seen[i].row] = 1;
}

/* ---- the whole ---- */

enum err picture_new(const struct request *rq, struct picture **out)
{
    struct picture *p = xcalloc(1, sizeof *p);
    size_t open = 0;
    find_stretches(p, rq);
    for (size_t i = 0; i < p->n; i++) {
        struct stretch *s = &p->at[i];
        see_all(s, rq);
        if (rq->lock_melody)
            lock_melody(s);
        hold(s);
        s->scale = scale_of(s, rq);
        memcpy(s->now, s->was, (size_t)s->n_steps * GRID_PITCHES);
        for (size_t k = 0; k < s->n; k++)
            open += s->seen[k].open;
    }
    bool music = song_n_bars(rq->song) > rq->bar0;
    if (open > 0) {
        *out = p;
        return ERR_OK;
    }
    bool none = p->n == 0;
    picture_free(p);
    if (music && none)
        return err_set(ERR_UNSUPPORTED, "no bar here is a whole bar of 4/4: the models of genre know no other metre");
    return err_set(ERR_EMPTY, "there is no note here that may change: drums, kept bars and muted tracks stay as they are");
}

void picture_free(struct picture *p)
{
    for (size_t i = 0; p && i < p->n; i++) {
        struct stretch *s = &p->at[i];
        free(s->was);
        free(s->now);
        free(s->held);
        free(s->struck);
        free(s->ceiling);
        free(s->seen);
    }
    if (p)
        free(p->at);
    free(p);
}
