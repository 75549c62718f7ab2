/* transfer_back.c: a repainted picture goes back to the tracks it came from. Cells that stayed are the notes they
 * were; runs of new cells lengthen the note they follow, or become notes of the track they suit best. */
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "song.h"
#include "transfer.h"

enum { MONO_SHARE = 20 }; /* in a track of one voice one note of so many may meet another */
/* What makes a track unlike a place, in semitones: each beyond its range, resting in the phrase, its one voice busy. */
enum { BEYOND = 3, RESTING = 18, BUSY = 12 };

/* A note of the new song. `made`: its end, and maybe its beginning, come from the picture. */
struct fresh { struct note note; size_t order; bool made, gone; };
struct part { struct fresh *at; size_t n, cap; };

/* What a track is like, and where it lies in each phrase of the stretch at work. */
struct place { int n; double sum; };
struct habit { int lo, hi; double mean; bool mono; struct place *phrase; };

/* Who sounds in a cell: a note of a part, or one that nobody may touch, or nobody. */
struct owner { int track; size_t i; };
enum { NOBODY = -1, UNTOUCHED = -2 };

struct back {
    const struct request *rq;
    struct part *parts;         /* by track */
    struct habit *habits;       /* by track */
    bool **seen;                /* [track][note]: a part has it */
    /* Of the stretch at work: */
    const struct stretch *s;
    struct owner *owner;        /* [n_steps][GRID_PITCHES] */
    uint8_t *busy;              /* [track][n_steps]: a note sounds */
    int32_t *lean;              /* [n_steps]: how late notes of that step begin */
};

static const struct track *track_of(const struct back *b, int track)
{
    return &b->rq->song->tracks[track];
}

static int32_t grid_tick(const struct back *b, int step)
{
    return b->s->tick + step * SIXTEENTH;
}

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* ---- habits ---- */

static struct habit habit_of(const struct track *t)
{
    struct habit h = {.lo = 127};
    int32_t end = 0;
    size_t met = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct note *n = &t->notes[i];
        h.lo = n->pitch < h.lo ? n->pitch : h.lo;
        h.hi = n->pitch > h.hi ? n->pitch : h.hi;
        h.mean += n->pitch / (double)t->n;
        met += n->tick + SIXTEENTH / 2 < end;
        end = n->tick + n->dur > end ? n->tick + n->dur : end;
    }
    h.mono = met * MONO_SHARE < t->n;
    return h;
}

/* Semitones, so to say, between what a track does and this run of cells. */
static double strangeness(const struct back *b, int track, int row, int from, int to)
{
    const struct habit *h = &b->habits[track];
    const struct place *here = &h->phrase[from / GRID_STEPS];
    int pitch = row + GRID_LOW, beyond = pitch < h->lo ? h->lo - pitch : pitch > h->hi ? pitch - h->hi : 0;
    double mean = here->n ? here->sum / here->n : h->mean;
    double away = pitch > mean ? pitch - mean : mean - pitch;
    bool busy = h->mono && memchr(b->busy + (size_t)track * (size_t)b->s->n_steps + from, 1, (size_t)(to - from));
    return away + BEYOND * beyond + (here->n ? 0 : RESTING) + (busy ? BUSY : 0);
}

/* What suits a track best that may not change there is nobody's: the others do not play its part. */
static int choose_track(const struct back *b, int row, int from, int to)
{
    int best = NOBODY;
    double least = 0;
    for (int k = 0; k < (int)b->rq->song->n_tracks; k++) {
        if (track_of(b, k)->n == 0 || !transfer_hears(b->rq, track_of(b, k)))
            continue;
        double cost = strangeness(b, k, row, from, to);
        if (best < 0 || cost < least) {
            best = k;
            least = cost;
        }
    }
    bool open = best >= 0 && transfer_may_change(b->rq, track_of(b, best), b->s->bar + from / GRID_BAR);
    return open ? best : NOBODY;
}

/* ---- notes ---- */

/* A note of `track` that sounds in these cells. */
static void put(struct back *b, int track, struct note n, size_t order, bool made, int row, int from, int to)
{
    struct part *p = &b->parts[track];
    p->at = xgrow(p->at, p->n, &p->cap, sizeof *p->at);
    for (int c = from; c < to; c++)
        b->owner[c * GRID_PITCHES + row] = (struct owner){track, p->n};
    memset(b->busy + (size_t)track * (size_t)b->s->n_steps + from, 1, (size_t)(to - from));
    p->at[p->n++] = (struct fresh){n, order, made, false};
}

/* What is left of a note: it whole, or parts of it between cells that went; none begins where nothing may. */
static void keep_note(struct back *b, const struct seen *s)
{
    struct note n = track_of(b, s->track)->notes[s->index];
    int32_t end = n.tick + n.dur;
    b->seen[s->track][s->index] = true;
    for (int c = s->from, to; c < s->to; c = to) {
        bool on = b->s->now[c * GRID_PITCHES + s->row];
        for (to = c + 1; to < s->to && !b->s->now[to * GRID_PITCHES + s->row] == !on; to++)
            ;
        int bar = b->s->bar + c / GRID_BAR;
        if (!on || (c > s->from && !transfer_may_change(b->rq, track_of(b, s->track), bar)))
            continue;
        struct note left = n;
        left.tick = c == s->from ? n.tick : grid_tick(b, c);
        left.dur = (to == s->to ? end : grid_tick(b, to)) - left.tick;
        if (left.dur > 0)
            put(b, s->track, left, s->index, c > s->from || to < s->to, s->row, c, to);
    }
}

static void keep_notes(struct back *b)
{
    const struct stretch *s = b->s;
    for (size_t i = 0; i < s->n; i++) {
        const struct seen *n = &s->seen[i];
        struct place *here = &b->habits[n->track].phrase[n->from / GRID_STEPS];
        here->n++;
        here->sum += n->row + GRID_LOW;
        if (s->struck[n->from * GRID_PITCHES + n->row] && !b->lean[n->from])
            b->lean[n->from] = track_of(b, n->track)->notes[n->index].tick - grid_tick(b, n->from);
        for (int c = n->from; c < n->to && !n->open; c++)
            b->owner[c * GRID_PITCHES + n->row].track = UNTOUCHED;
    }
    for (size_t i = 0; i < s->n; i++)
        if (s->seen[i].open)
            keep_note(b, &s->seen[i]);
}

/* Velocity between the neighbours', and what the nearer one fills of its last cell. */
static void like_neighbours(const struct track *t, int32_t tick, uint8_t *vel, int *gate)
{
    size_t i = track_first_at(t, tick);
    const struct note *after = i < t->n ? &t->notes[i] : NULL, *before = i > 0 ? &t->notes[i - 1] : NULL;
    const struct note *near = !after ? before : !before || after->tick - tick < tick - before->tick ? after : before;
    int32_t cells = (near->dur + SIXTEENTH / 2) / SIXTEENTH;
    *vel = after && before ? (uint8_t)((after->vel + before->vel + 1) / 2) : near->vel;
    *gate = min_int(near->dur - (cells > 0 ? cells - 1 : 0) * SIXTEENTH, SIXTEENTH);
}

/* Where a note of the track that begins in an open bar has to end: before the next bar that may not change. */
static int32_t limit_of(const struct back *b, int track, int32_t tick, int32_t end)
{
    int bar = song_bar_of(b->rq->song, tick) + 1;
    while (song_bar_tick(b->rq->song, bar) < end && transfer_may_change(b->rq, track_of(b, track), bar))
        bar++;
    return min_int(end, song_bar_tick(b->rq->song, bar));
}

static void add_note(struct back *b, int track, int row, int from, int to)
{
    struct note n = {.tick = grid_tick(b, from) + b->lean[from], .pitch = (uint8_t)(row + GRID_LOW)};
    int gate, before = (to - from - 1) * SIXTEENTH;
    if (song_bar_of(b->rq->song, n.tick < 0 ? 0 : n.tick) != b->s->bar + from / GRID_BAR)
        n.tick = grid_tick(b, from);
    like_neighbours(track_of(b, track), n.tick, &n.vel, &gate);
    if (before > 0) /* the picture of it has its last cell when it fills half of that */
        before += grid_tick(b, from) - n.tick + (gate < SIXTEENTH / 2 ? SIXTEENTH / 2 - gate : 0);
    n.dur = limit_of(b, track, n.tick, n.tick + before + gate) - n.tick;
    put(b, track, n, SIZE_MAX, true, row, from, to);
}

static void lengthen(struct back *b, struct owner who, int row, int from, int to)
{
    struct fresh *f = &b->parts[who.track].at[who.i];
    f->note.dur = limit_of(b, who.track, f->note.tick, grid_tick(b, to)) - f->note.tick;
    f->made = true;
    memset(b->busy + (size_t)who.track * (size_t)b->s->n_steps + from, 1, (size_t)(to - from));
    for (int c = from; c < to; c++)
        b->owner[c * GRID_PITCHES + row] = who;
}

/* A run of cells that nobody owns yet. */
static void give(struct back *b, int row, int from, int to)
{
    struct owner *cells = b->owner + row;
    struct owner before = from > 0 ? cells[(from - 1) * GRID_PITCHES] : (struct owner){NOBODY, 0};
    struct owner after = to < b->s->n_steps ? cells[to * GRID_PITCHES] : (struct owner){NOBODY, 0};
    bool open = after.track >= 0 && transfer_may_change(b->rq, track_of(b, after.track), b->s->bar + from / GRID_BAR);
    int track = open ? after.track : choose_track(b, row, from, to);
    if (before.track >= 0)
        lengthen(b, before, row, from, to);
    else if (track >= 0)
        add_note(b, track, row, from, to);
    for (int c = from; c < to && before.track < 0 && track < 0; c++)
        cells[c * GRID_PITCHES].track = UNTOUCHED;
}

static void give_new(struct back *b)
{
    const uint8_t *now = b->s->now;
    for (int c = 0; c < b->s->n_steps; c++)
        for (int row = 0; row < GRID_PITCHES; row++) {
            int to = c;
            while (to < b->s->n_steps && now[to * GRID_PITCHES + row] && b->owner[to * GRID_PITCHES + row].track == NOBODY)
                to++;
            if (to > c)
                give(b, row, c, to);
        }
}

static void work_on(struct back *b, const struct stretch *s)
{
    size_t steps = (size_t)s->n_steps, cells = steps * GRID_PITCHES, n_tracks = b->rq->song->n_tracks;
    b->s = s;
    b->owner = xcalloc(cells, sizeof *b->owner);
    for (size_t i = 0; i < cells; i++)
        b->owner[i].track = NOBODY;
    b->busy = xcalloc(n_tracks * steps, 1);
    b->lean = xcalloc(steps, sizeof *b->lean);
    for (size_t k = 0; k < n_tracks; k++)
        b->habits[k].phrase = xcalloc(steps / GRID_STEPS + 1, sizeof *b->habits[k].phrase);
    keep_notes(b);
    give_new(b);
    for (size_t k = 0; k < n_tracks; k++)
        free(b->habits[k].phrase);
    free(b->lean);
    free(b->busy);
    free(b->owner);
}

/* ---- the new tracks ---- */

static int in_order(const void *x, const void *y)
{
    const struct fresh *a = x, *b = y;
    if (a->note.tick != b->note.tick)
        return a->note.tick < b->note.tick ? -1 : 1;
    if (a->note.pitch != b->note.pitch)
        return a->note.pitch - b->note.pitch;
    return a->order < b->order ? -1 : a->order > b->order;
}

static int32_t end_of(const struct fresh *f)
{
    return f->note.tick + f->note.dur;
}

/* Where two notes of a pitch meet, the one that was made gives way. */
static void settle(struct part *p)
{
    struct fresh *last[128] = {0};
    for (size_t i = 0; i < p->n; i++) {
        struct fresh *now = &p->at[i], *before = last[now->note.pitch];
        if (before && before->made && end_of(before) > now->note.tick) {
            before->note.dur = now->note.tick - before->note.tick;
            before->gone = before->note.dur <= 0;
        } else if (before && now->made && end_of(before) > now->note.tick) {
            now->note.dur = end_of(now) - end_of(before);
            now->note.tick = end_of(before);
        }
        now->gone = now->note.dur <= 0;
        if (!now->gone && (!before || before->gone || end_of(now) >= end_of(before)))
            last[now->note.pitch] = now;
    }
}

static void write_track(struct track *t, struct part *p, const bool *seen)
{
    for (size_t i = 0; i < t->n; i++)
        if (!seen[i]) {
            p->at = xgrow(p->at, p->n, &p->cap, sizeof *p->at);
            p->at[p->n++] = (struct fresh){.note = t->notes[i], .order = i};
        }
    if (p->n > 0)
        qsort(p->at, p->n, sizeof *p->at, in_order);
    settle(p);
    t->n = 0;
    bool moved = false;
    for (size_t i = 0; i < p->n; i++) {
        if (p->at[i].gone)
            continue;
        moved |= t->n > 0 && p->at[i].note.tick < t->notes[t->n - 1].tick;
        track_push(t, p->at[i].note);
    }
    if (moved)
        track_sort(t);
}

struct song *picture_song(const struct picture *p, const struct request *rq)
{
    struct song *out = song_dup(rq->song);
    size_t n = out->n_tracks;
    struct back b = {.rq = rq};
    b.parts = xcalloc(n, sizeof *b.parts);
    b.habits = xcalloc(n, sizeof *b.habits);
    b.seen = xcalloc(n, sizeof *b.seen);
    for (size_t k = 0; k < n; k++) {
        b.habits[k] = habit_of(&out->tracks[k]);
        b.seen[k] = xcalloc(out->tracks[k].n + 1, sizeof **b.seen);
    }
    for (size_t i = 0; i < p->n; i++)
        work_on(&b, &p->at[i]);
    for (size_t k = 0; k < n; k++) {
        write_track(&out->tracks[k], &b.parts[k], b.seen[k]);
        free(b.parts[k].at);
        free(b.seen[k]);
    }
    free(b.seen);
    free(b.habits);
    free(b.parts);
    return out;
}
