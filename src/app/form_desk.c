/* form_desk.c: the desk and the form: where the hand is in the chain, what of it sounds, what exports write. */
#include "desk.h"

/* ---- what plays ---- */

/* A selection is played alone in any case. */
static bool in_chain(const struct desk *d)
{
    return d->chained && !d->play_tracks;
}

struct song *desk_music(const struct desk *d)
{
    return in_chain(d) ? session_whole(d->session) : song_dup(session_song(d->session));
}

enum err desk_music_tick(struct desk *d, int32_t *tick)
{
    int place = session_place(d->session);
    if (!in_chain(d))
        return ERR_OK;
    if (place < 0)
        return err_set(ERR_EMPTY, "%s is not in the chain: \"chain add\" puts it there, \"whole off\" plays it alone",
                       session_section_name(d->session, session_here(d->session)));
    *tick += session_place_tick(d->session, place);
    d->sounding = d->play_place = place;
    return ERR_OK;
}

void desk_hear(struct desk *d, int32_t tick, bool may_follow)
{
    struct session *s = d->session;
    if (!in_chain(d)) {
        d->sounding = -1;
        d->playhead = tick;
        return;
    }
    int place = session_place_at(s, tick), section = session_chain(s, place);
    int32_t at = tick - session_place_tick(s, place);
    d->sounding = place;
    if (section == session_here(s)) {
        session_go(s, section, place);
    } else if (may_follow && d->mode == MODE_NORMAL) {
        session_go(s, section, place);
        desk_fit(d);
    }
    d->playhead = section == session_here(s) ? at : -1;
    d->sounding_bar = song_bar_of(session_section_song(s, section), at);
}

/* The hand returns to where playing began, so that the same key plays the same again. */
void desk_played_out(struct desk *d)
{
    d->playhead = 0;
    if (d->chained && d->sounding >= 0 && d->play_place < session_n_chain(d->session)) {
        session_go(d->session, session_chain(d->session, d->play_place), d->play_place);
        desk_fit(d);
    }
    d->sounding = -1;
}

static void play_on(struct desk *d, int32_t tick)
{
    if (d->playing && d->doors.play && d->doors.play(d->doors.ctx, tick > 0 ? tick : 0) != ERR_OK)
        desk_complain(d);
}

/* A loop lies within a section: where one begins the other ends. */
void desk_chained(struct desk *d, bool on)
{
    if (d->chained == on)
        return;
    desk_leave(d);
    d->chained = on;
    d->sounding = -1;
    if (on && d->loop) {
        d->loop = false;
        if (d->doors.loop)
            d->doors.loop(d->doors.ctx, 0, 0);
    }
    play_on(d, d->playhead);
}

/* ---- moving ---- */

/* What was played in belongs to the section it was played to. */
void desk_leave(struct desk *d)
{
    if (d->record == RECORD_LIVE)
        desk_stop_recording(d);
}

/* What plays alone changes at the bar line; where the new section is over by then, it begins. */
void desk_arrive(struct desk *d)
{
    d->mode = d->mode == MODE_SELECT ? MODE_NORMAL : d->mode;
    d->last_tick = -1;
    desk_fit(d);
    if (!d->playing)
        d->playhead = 0;
    else if (!d->chained && d->playhead >= session_end(d->session))
        play_on(d, 0);
    d->stale = d->chained ? STALE_NOW : STALE_BAR;
}

void desk_go(struct desk *d, int section, int place)
{
    bool same = section == session_here(d->session);
    if (!same)
        desk_leave(d);
    session_go(d->session, section, place);
    if (!same)
        desk_arrive(d);
}

bool desk_go_along(struct desk *d, int by)
{
    int place = session_place(d->session), next = place + by;
    if (place < 0 || next < 0 || next >= session_n_chain(d->session))
        return false;
    desk_go(d, session_chain(d->session, next), next);
    return true;
}

void desk_to_top(struct desk *d)
{
    if (d->chained)
        desk_go(d, session_chain(d->session, 0), 0);
}

/* ---- what exports write ---- */

struct song *desk_written(const struct desk *d)
{
    return session_written(d->session, d->only_here ? session_here(d->session) : -1);
}

static void put_chain(const struct session *s, struct str *out)
{
    int bars = 0, n = session_n_chain(s);
    for (int i = 0; i < n; i++) {
        bars += session_section_bars(s, session_chain(s, i));
        if (i < 12)
            str_addf(out, "%s%s", i ? " " : "", session_section_name(s, session_chain(s, i)));
    }
    str_addf(out, "%s, %d bars", n > 12 ? " ..." : "", bars);
}

void desk_form_note(const struct desk *d, struct str *out)
{
    const struct session *s = d->session;
    if (session_n_sections(s) == 1 && session_n_chain(s) == 1)
        return;
    str_add(out, "  (");
    if (d->only_here)
        str_addf(out, "section %s", session_section_name(s, session_here(s)));
    else
        put_chain(s, out);
    str_add(out, ")");
}
