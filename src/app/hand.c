/* hand.c: see hand.h. */
#include "hand.h"

#include <stdlib.h>

/* The note the cursor stands on: one that starts in its column, else one that sounds through it. */
long hand_at_cursor(const struct desk *d)
{
    const struct track *t = desk_track(d);
    long sounding = -1;
    for (size_t i = 0; i < t->n && t->notes[i].tick < d->tick + d->grid; i++) {
        if (t->notes[i].pitch != d->pitch)
            continue;
        if (t->notes[i].tick >= d->tick)
            return (long)i;
        if (t->notes[i].tick + t->notes[i].dur > d->tick)
            sounding = (long)i;
    }
    return sounding;
}

void hand_hear(const struct desk *d, const struct note *n)
{
    const struct track *t = desk_track(d);
    if (d->doors.audition && !d->playing)
        d->doors.audition(d->doors.ctx, t->channel, t->program, n->pitch, n->vel);
}

static void hold(struct hand *h, int track, const struct note *n)
{
    h->at = xgrow(h->at, h->n, &h->cap, sizeof *h->at);
    h->at[h->n++] = (struct held){.track = track, .was = *n, .note = *n};
}

void hand_fini(struct hand *h)
{
    free(h->at);
    *h = (struct hand){0};
}

/* The bars that hold the notes. */
static void measure(const struct desk *d, struct hand *h)
{
    const struct song *song = session_song(d->session);
    int32_t first = INT32_MAX, last = 0;
    for (size_t i = 0; i < h->n; i++) {
        const struct note *n = &h->at[i].note;
        first = n->tick < first ? n->tick : first;
        last = n->tick + n->dur > last ? n->tick + n->dur : last;
    }
    h->from = song_bar_tick(song, song_bar_of(song, first));
    h->to = song_bar_tick(song, song_bar_of(song, last - 1) + 1);
}

static void hold_area(struct desk *d, const struct area *a, struct hand *h)
{
    const struct song *song = session_song(d->session);
    bool select = d->mode == MODE_SELECT;
    for (int r = a->track0; r <= a->track1; r++) {
        const struct track *t = &song->tracks[r];
        for (size_t i = track_first_at(t, a->from); i < t->n && t->notes[i].tick < a->to; i++)
            if (select ? desk_selected(d, r, &t->notes[i]) : area_has(a, r, &t->notes[i]))
                hold(h, r, &t->notes[i]);
    }
}

enum err hand_take(struct desk *d, enum reach reach, struct hand *out)
{
    struct area a = desk_reach(d);
    bool select = d->mode == MODE_SELECT;
    struct hand h = {0};
    if (select || d->whole || reach == REACH_TRACK) {
        hold_area(d, &a, &h);
    } else {
        long i = hand_at_cursor(d);
        if (i >= 0)
            hold(&h, d->track, &desk_track(d)->notes[i]);
    }
    if (h.n == 0) {
        hand_fini(&h);
        return err_set(ERR_EMPTY, "%s", select                                ? "no note is selected"
                                        : d->whole || reach == REACH_TRACK ? "there are no notes"
                                                                           : "no note under the cursor");
    }
    h.from = a.from;
    h.to = a.to;
    if (!select || d->select == SELECT_PICKED)
        measure(d, &h);
    *out = h;
    return ERR_OK;
}

static bool same_note(const struct note *a, const struct note *b)
{
    return a->tick == b->tick && a->dur == b->dur && a->pitch == b->pitch && a->vel == b->vel;
}

/* What is held stands in the order of its track, so one walk takes it out. */
static void take_out(struct track *t, int track, const struct hand *h)
{
    size_t kept = 0, next = 0;
    for (size_t i = 0; i < t->n; i++) {
        while (next < h->n && h->at[next].track < track)
            next++;
        if (next < h->n && h->at[next].track == track && same_note(&h->at[next].was, &t->notes[i]))
            next++;
        else
            t->notes[kept++] = t->notes[i];
    }
    t->n = kept;
}

void hand_put(struct desk *d, struct hand *h, const char *what)
{
    struct song *song = session_song(d->session);
    session_edit_begin(d->session, what);
    d->picks.n = 0;
    for (int r = 0; r < N_ROLES; r++)
        take_out(&song->tracks[r], r, h);
    for (size_t i = 0; i < h->n; i++)
        if (!h->at[i].drop) {
            track_push(&song->tracks[h->at[i].track], h->at[i].note);
            if (d->mode == MODE_SELECT)
                picks_add(&d->picks, h->at[i].track, &h->at[i].note);
        }
    for (int r = 0; r < N_ROLES; r++)
        track_tidy(&song->tracks[r]);
    session_edit_end(d->session);
    d->stale = STALE_NOW;
    hand_fini(h);
    select_named(d);
}

enum err hand_grow(struct desk *d, int32_t tick)
{
    const struct song *song = session_song(d->session);
    int bars = session_n_bars(d->session);
    while (bars < SESSION_MAX_BARS && song_bar_tick(song, bars) <= tick)
        bars += 4;
    bars = bars < SESSION_MAX_BARS ? bars : SESSION_MAX_BARS;
    if (song_bar_tick(song, bars) <= tick)
        return err_set(ERR_RANGE, "a song has %d bars at most", SESSION_MAX_BARS);
    if (bars > session_n_bars(d->session))
        session_set_bars(d->session, bars);
    return ERR_OK;
}

enum err hand_shape(struct desk *d, enum reach reach, const char *what, shape_fn *fn,
                    const int *arg)
{
    struct hand h = {0};
    TRY(hand_take(d, reach, &h));
    session_edit_begin(d->session, what);
    size_t n = h.n;
    enum err err = fn(d, &h, arg);
    if (err == ERR_OK)
        hand_put(d, &h, what);
    hand_fini(&h);
    session_edit_end(d->session);
    if (err == ERR_OK && n > 1)
        desk_say(d, "%s: %zu notes", what, n);
    return err;
}

bool desk_note_at(const struct desk *d, struct note *out)
{
    long i = hand_at_cursor(d);
    if (i >= 0)
        *out = desk_track(d)->notes[i];
    return i >= 0;
}

void desk_drag(struct desk *d, int base, const struct note *was, const struct note *now)
{
    static const char name[] = "drag";
    bool again = session_n_undo(d->session) == base + 1 && str_same(session_undo_name(d->session), name);
    if (again)
        session_undo(d->session);
    session_edit_begin(d->session, name);
    struct track *t = desk_track(d);
    for (size_t i = t->n; was && i-- > 0;)
        if (same_note(&t->notes[i], was))
            track_remove(t, i);
    if (now && now->tick >= 0 && now->tick < session_end(d->session))
        track_add(t, *now);
    else if (now && was)
        track_add(t, *was);
    track_tidy(t);
    session_edit_end(d->session);
    if (now && !again)
        hand_hear(d, now);
    d->stale = STALE_NOW;
}
