/* act_suggest.c: what could come next at the cursor. A model is asked in the background; its candidates are shown one
 * at a time and are no part of the music until one is accepted. */
#include <string.h>

#include "hand.h"
#include "theory.h"

/* Whether what was asked for is still about where the hand is. */
static bool still_here(const struct desk *d)
{
    const struct suggest *s = &d->suggest;
    return d->mode != MODE_SELECT && d->pane == PANE_ROLL && s->track == d->track && s->tick == d->tick &&
           s->section == session_here(d->session) && s->version == session_version(d->session);
}

const struct suggestion *desk_suggestion(const struct desk *d)
{
    return d->suggest.n > 0 && still_here(d) ? &d->suggest.at[d->suggest.now] : NULL;
}

bool desk_suggesting(const struct desk *d)
{
    return desk_suggestion(d) || (d->suggest.job >= 0 && d->suggest.asked && still_here(d));
}

void desk_drop_suggestion(struct desk *d)
{
    struct suggest *s = &d->suggest;
    if (s->job >= 0 && d->doors.cancel)
        d->doors.cancel(d->doors.ctx, s->job);
    s->job = -1;
    s->n = s->now = 0;
}

void desk_keep_suggestion(struct desk *d)
{
    if ((d->suggest.n > 0 || d->suggest.job >= 0) && !still_here(d))
        desk_drop_suggestion(d);
}

/* ---- asking ---- */

/* Behind the last bar the span is bars that are not there yet. */
static void request_here(struct desk *d, struct request *rq)
{
    int bar = song_bar_of(session_song(d->session), d->tick), n = session_n_bars(d->session);
    int first = bar < n ? bar : n - 1;
    session_request(d->session, VERB_SUGGEST, first, n - first < 4 ? n - first : 4, rq);
    if (bar >= n)
        memset(rq->keep, 0, sizeof rq->keep);
    rq->bar0 = bar;
    rq->n_bars = 4;
    rq->silent[d->track] = 0;
    rq->role = (enum role)d->track;
    rq->at = d->tick;
    rq->n_takes = SUGGESTIONS;
}

/* The model that was chosen if it can, else the best that can. */
static const char *who(const struct desk *d)
{
    const struct settings *o = session_settings(d->session);
    const struct model_info *m = o->model[0] ? desk_model(d) : NULL;
    return m && m->verbs & 1u << VERB_SUGGEST ? o->model : NULL;
}

static enum err may_ask(const struct desk *d)
{
    int bar = song_bar_of(session_song(d->session), d->tick);
    if (desk_drums(d))
        return err_set(ERR_UNSUPPORTED, "what is suggested are notes and chords, nothing for the kit (g r writes its bar anew)");
    if (session_kept(d->session, (enum role)d->track, bar))
        return err_set(ERR_EMPTY, "bar %d of %s is kept: nothing is written there (F lets go)", bar + 1,
                       role_name((enum role)d->track));
    if (bar >= SESSION_MAX_BARS)
        return err_set(ERR_RANGE, "a song has %d bars at most", SESSION_MAX_BARS);
    if (d->job >= 0)
        return err_set(ERR_BUSY, "the band is still playing; Ctrl-C stops it");
    if (!d->doors.submit)
        return err_set(ERR_UNSUPPORTED, "no model here");
    return ERR_OK;
}

static enum err ask(struct desk *d, bool by_hand)
{
    struct suggest *s = &d->suggest;
    struct request rq;
    TRY(may_ask(d));
    desk_drop_suggestion(d);
    request_here(d, &rq);
    s->asked = by_hand;
    s->track = d->track;
    s->section = session_here(d->session);
    s->tick = d->tick;
    s->version = session_version(d->session);
    return d->doors.submit(d->doors.ctx, who(d), &rq, &s->job);
}

/* Only where it can be had, so that nothing has to be said. */
void desk_may_suggest(struct desk *d)
{
    if (d->suggest.by_itself && d->mode == MODE_STEP && may_ask(d) == ERR_OK && ask(d, false) != ERR_OK)
        desk_complain(d);
}

/* ---- showing ---- */

static void tell(struct desk *d)
{
    const struct suggest *s = &d->suggest;
    const struct suggestion *one = &s->at[s->now];
    struct str names = {0};
    for (int i = 0; i < one->n; i++) {
        char name[8];
        pitch_name(one->notes[i].pitch, d->middle_c, name);
        str_addf(&names, " %s", name);
    }
    desk_say(d, "suggestion %d/%d:%s  %.0f %%   Tab takes it, %s the next, Esc drops it", s->now + 1, s->n, str_c(&names),
             100 * one->p, d->mode == MODE_STEP ? "Shift-Tab" : "g n");
    str_fini(&names);
}

/* It is heard when a hand asked for it. */
static void show(struct desk *d)
{
    const struct suggestion *one = &d->suggest.at[d->suggest.now];
    for (int i = 0; d->suggest.asked && i < one->n; i++)
        hand_hear(d, &one->notes[i]);
    tell(d);
}

enum err act_suggest(struct desk *d, int argc, char **argv)
{
    struct suggest *s = &d->suggest;
    bool back = argc > 0 && str_same(argv[0], "prev");
    if (argc > 0 && !back && !str_same(argv[0], "next")) {
        TRY(arg_switch(argc, argv, &s->by_itself));
        desk_say(d, "suggestions %s", s->by_itself ? "come after each step of STEP mode" : "come when asked for: g n");
        return ERR_OK;
    }
    d->pane = PANE_ROLL;
    d->mode = d->mode == MODE_SELECT ? MODE_NORMAL : d->mode;
    if (s->job >= 0 && desk_suggesting(d) && s->n == 0)
        return ERR_OK; /* it is on its way */
    if (!desk_suggestion(d))
        return ask(d, true);
    s->now = (s->now + (back ? s->n - 1 : 1)) % s->n;
    s->asked = true;
    show(d);
    return ERR_OK;
}

/* ---- accepting ---- */

enum err act_accept(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    const struct suggestion *one = desk_suggestion(d);
    int32_t to = d->tick, end;
    if (!one)
        return err_set(ERR_EMPTY, "%s", desk_suggesting(d) ? "nothing has come yet" : "nothing is suggested here: g n asks");
    session_edit_begin(d->session, SUGGESTION_STEP);
    enum err err = hand_grow(d, one->notes[one->n - 1].tick);
    struct track *t = desk_track(d);
    for (int i = 0; err == ERR_OK && i < one->n; i++) {
        const struct note *n = &one->notes[i];
        track_add(t, *n);
        hand_hear(d, n);
        to = n->tick + n->dur > to ? n->tick + n->dur : to;
    }
    track_tidy(t);
    session_edit_end(d->session);
    TRY(err);
    d->pitch = one->notes[one->n - 1].pitch;
    d->last_tick = one->notes[0].tick;
    d->stale = STALE_NOW;
    desk_drop_suggestion(d);
    end = session_end(d->session);
    d->tick = to < end ? to : end;
    desk_may_suggest(d);
    return ERR_OK;
}

void suggestion_undone(struct desk *d, const struct song *was)
{
    const struct take before = {.song = (struct song *)was};
    for (int r = 0; r < N_ROLES; r++) {
        struct suggestion gone;
        suggestion_of(&before, session_song(d->session), (enum role)r, 0, &gone);
        if (gone.n > 0) {
            d->track = r;
            d->tick = gone.notes[0].tick;
        }
    }
}

/* ---- from the engine ---- */

/* A note that would begin in a kept bar is none. */
static void leave_kept(const struct desk *d, struct suggestion *one)
{
    const struct song *song = session_song(d->session);
    int n = 0;
    for (int i = 0; i < one->n; i++)
        if (!session_kept(d->session, (enum role)d->track, song_bar_of(song, one->notes[i].tick)))
            one->notes[n++] = one->notes[i];
    one->n = n;
}

static void candidate_came(struct desk *d, const struct take *t)
{
    struct suggest *s = &d->suggest;
    struct suggestion *one = &s->at[s->n];
    if (s->n == SUGGESTIONS)
        return;
    suggestion_of(t, session_song(d->session), (enum role)d->track, d->tick, one);
    leave_kept(d, one);
    if (one->n == 0)
        return;
    if (s->n++ == 0)
        show(d);
    else
        tell(d); /* how many there are */
}

static void job_over(struct desk *d, const struct event *ev)
{
    struct suggest *s = &d->suggest;
    bool none = s->n == 0 && still_here(d);
    s->job = -1;
    if (ev->kind == EVENT_FAILED && (s->asked || s->by_itself)) {
        desk_say(d, "%s", ev->text ? ev->text : "the model failed");
        d->message_bad = true;
        s->by_itself = false; /* it would fail at every step */
    } else if (ev->kind == EVENT_DONE && none && s->asked) {
        desk_say(d, "nothing is likely to come here");
    }
}

bool desk_suggest_event(struct desk *d, struct event *ev)
{
    if (d->suggest.job < 0 || ev->job != d->suggest.job)
        return false;
    if (ev->kind == EVENT_TAKE && still_here(d))
        candidate_came(d, ev->take);
    else if (ev->kind != EVENT_TAKE && ev->kind != EVENT_PART)
        job_over(d, ev);
    return true;
}
