/* select.c: what SELECT mode holds, as an area, as cells, and note by note. An edit names the notes it has
 * changed, so that the next one finds them although they moved; going on selecting forgets the names. */
#include "hand.h"

#include <stdlib.h>

static int least(int a, int b)
{
    return a < b ? a : b;
}
static int most(int a, int b)
{
    return a > b ? a : b;
}

/* A column may be cut short by a bar line. */
static int32_t column_end(const struct desk *d, int32_t tick)
{
    const struct song *song = session_song(d->session);
    return least(tick + d->grid, song_bar_tick(song, song_bar_of(song, tick) + 1));
}

static struct area around_picks(const struct desk *d)
{
    struct area a = {INT32_MAX, 0, N_ROLES - 1, 0, 127, 0};
    for (size_t i = 0; i < d->picks.n; i++) {
        const struct noteref *p = &d->picks.at[i];
        a.from = least(a.from, p->tick);
        a.to = most(a.to, p->tick + 1);
        a.track0 = least(a.track0, p->track);
        a.track1 = most(a.track1, p->track);
        a.low = least(a.low, line_of(p->track, p->pitch));
        a.high = most(a.high, line_of(p->track, p->pitch));
    }
    return a;
}

struct area desk_area(const struct desk *d)
{
    int line = line_of(d->track, d->pitch), other = line_of(d->track, d->anchor_pitch);
    struct area a = {d->tick, column_end(d, d->tick), d->track, d->track, line, line};
    const struct song *song = session_song(d->session);
    if (d->mode != MODE_SELECT)
        return a;
    if (d->select == SELECT_PICKED && d->picks.n > 0)
        return around_picks(d);
    a.from = least(d->tick, d->anchor_tick);
    a.to = column_end(d, most(d->tick, d->anchor_tick));
    if (d->select == SELECT_NOTES) {
        a.low = least(line, other);
        a.high = most(line, other);
        return a;
    }
    bool all = d->anchor_track < 0;
    a.track0 = all ? 0 : least(d->track, d->anchor_track);
    a.track1 = all ? N_ROLES - 1 : most(d->track, d->anchor_track);
    a.low = 0;
    a.high = 127;
    if (d->select == SELECT_BARS) {
        a.from = song_bar_tick(song, song_bar_of(song, a.from));
        a.to = song_bar_tick(song, song_bar_of(song, a.to - 1) + 1);
    }
    return a;
}

struct area desk_reach(const struct desk *d)
{
    struct area a = {0, SONG_MAX_TICKS, d->track, d->track, 0, 127};
    if (d->mode == MODE_SELECT)
        return desk_area(d);
    if (d->whole) {
        a.track0 = 0;
        a.track1 = N_ROLES - 1;
    }
    return a;
}

struct span desk_selection(const struct desk *d)
{
    struct area a = desk_area(d);
    const struct song *song = session_song(d->session);
    int last = session_n_bars(d->session) - 1;
    struct span s = {song_bar_of(song, a.from), song_bar_of(song, a.to - 1), a.track0, a.track1};
    s.bar0 = least(s.bar0, last);
    s.bar1 = least(s.bar1, last);
    return s;
}

static bool same_area(struct area a, struct area b)
{
    return a.from == b.from && a.to == b.to && a.track0 == b.track0 && a.track1 == b.track1 &&
           a.low == b.low && a.high == b.high;
}

static bool named(const struct desk *d)
{
    return d->select == SELECT_PICKED || (d->picks.n > 0 && same_area(desk_area(d), d->picks_of));
}

void picks_add(struct picks *p, int track, const struct note *n)
{
    p->at = xgrow(p->at, p->n, &p->cap, sizeof *p->at);
    p->at[p->n++] = (struct noteref){n->tick, (uint8_t)track, n->pitch};
}

static int pick_order(const void *x, const void *y)
{
    const struct noteref *a = x, *b = y;
    if (a->track != b->track)
        return a->track - b->track;
    return a->tick != b->tick ? (a->tick < b->tick ? -1 : 1) : a->pitch - b->pitch;
}

void picks_sort(struct picks *p)
{
    if (p->n > 1)
        qsort(p->at, p->n, sizeof *p->at, pick_order);
}

void select_named(struct desk *d)
{
    picks_sort(&d->picks);
    d->picks_of = desk_area(d);
}

void select_move(struct desk *d, int32_t ticks, int lines)
{
    if (d->mode != MODE_SELECT || d->select == SELECT_BARS || d->select == SELECT_PICKED)
        return;
    int32_t end = session_end(d->session) - 1;
    d->tick = most(0, least(end, d->tick + ticks));
    d->anchor_tick = most(0, least(end, d->anchor_tick + ticks));
    if (d->select == SELECT_NOTES) {
        desk_pitch(d, pitch_of_line(d->track, line_of(d->track, d->pitch) + lines));
        d->anchor_pitch = pitch_of_line(d->track, line_of(d->track, d->anchor_pitch) + lines);
    }
    d->picks_of = desk_area(d);
}

bool area_has(const struct area *a, int track, const struct note *n)
{
    int line = line_of(track, n->pitch);
    return track >= a->track0 && track <= a->track1 && n->tick >= a->from && n->tick < a->to &&
           line >= a->low && line <= a->high;
}

bool desk_selected(const struct desk *d, int track, const struct note *n)
{
    struct noteref p = {n->tick, (uint8_t)track, n->pitch};
    if (d->mode != MODE_SELECT)
        return false;
    if (named(d))
        return d->picks.n > 0 && bsearch(&p, d->picks.at, d->picks.n, sizeof p, pick_order);
    struct area a = desk_area(d);
    return area_has(&a, track, n);
}
