/* act_clip.c: yank, cut and paste. A clip of cells replaces the cells it is put on, at the start of the
 * cursor's bar; a clip of notes joins what is there, from the cursor's column on. */
#include "hand.h"

#include <stdlib.h>

/* What the words mean where nothing is selected. */
static struct area cells_of(const struct desk *d, const char *what)
{
    const struct song *song = session_song(d->session);
    int bar = desk_bar(d);
    struct area a = {song_bar_tick(song, bar), song_bar_tick(song, bar + 1), d->track, d->track, 0, 127};
    if (!str_same(what, "bar")) {
        a.from = 0;
        a.to = session_end(d->session);
    }
    if (str_same(what, "all")) {
        a.track0 = 0;
        a.track1 = N_ROLES - 1;
    }
    return a;
}

/* The selection, or the cells that the word names. */
static enum err to_clip(struct desk *d, int argc, char **argv)
{
    const struct song *song = session_song(d->session);
    bool select = d->mode == MODE_SELECT && argc == 0;
    struct area a = select ? desk_area(d) : cells_of(d, argc > 0 ? argv[0] : "bar");
    struct clip *c = &d->clip;
    if (argc > 0 && !str_same(argv[0], "bar") && !str_same(argv[0], "track") && !str_same(argv[0], "all"))
        return err_set(ERR_FORMAT, "bar, track or all, not \"%s\"", argv[0]);
    c->n = 0;
    c->ticks = a.to - a.from;
    c->track0 = a.track0;
    c->track1 = a.track1;
    c->bars = !select || d->select == SELECT_BARS;
    c->cells = c->bars || d->select == SELECT_TRACKS;
    for (int r = a.track0; r <= a.track1; r++)
        for (size_t i = 0; i < song->tracks[r].n; i++) {
            struct note n = song->tracks[r].notes[i];
            if (select ? !desk_selected(d, r, &n) : !area_has(&a, r, &n))
                continue;
            n.tick -= a.from;
            c->at = xgrow(c->at, c->n, &c->cap, sizeof *c->at);
            c->at[c->n++] = (struct clip_note){r, n};
        }
    return ERR_OK;
}

static void say_clip(struct desk *d, const char *how)
{
    const struct clip *c = &d->clip;
    desk_say(d, "%s %zu note%s%s%s", how, c->n, c->n == 1 ? "" : "s",
             c->track0 == c->track1 ? " of " : " of all selected tracks",
             c->track0 == c->track1 ? role_name((enum role)c->track0) : "");
}

enum err act_yank(struct desk *d, int argc, char **argv)
{
    TRY(to_clip(d, argc, argv));
    say_clip(d, "yanked");
    d->mode = d->mode == MODE_SELECT ? MODE_NORMAL : d->mode;
    return ERR_OK;
}

static void drop_notes(struct desk *d, const struct area *a, bool select)
{
    for (int r = a->track0; r <= a->track1; r++) {
        struct track *t = &session_song(d->session)->tracks[r];
        for (size_t i = t->n; i-- > 0;)
            if (select ? desk_selected(d, r, &t->notes[i]) : area_has(a, r, &t->notes[i]))
                track_remove(t, i);
    }
}

enum err act_cut(struct desk *d, int argc, char **argv)
{
    bool select = d->mode == MODE_SELECT && argc == 0;
    struct area a = select ? desk_area(d) : cells_of(d, argc > 0 ? argv[0] : "bar");
    TRY(to_clip(d, argc, argv));
    session_edit_begin(d->session, "cut");
    drop_notes(d, &a, select);
    session_edit_end(d->session);
    d->mode = d->mode == MODE_SELECT ? MODE_NORMAL : d->mode;
    d->stale = STALE_NOW;
    say_clip(d, "cut");
    return ERR_OK;
}

/* The clip's extent: the last tick it needs, and its rows. */
static struct area extent(const struct clip *c)
{
    struct area a = {0, c->cells ? c->ticks - 1 : 0, c->track0, c->track1, 127, 0};
    for (size_t i = 0; i < c->n; i++) {
        const struct note *n = &c->at[i].note;
        a.to = n->tick > a.to ? n->tick : a.to;
        a.low = n->pitch < a.low ? n->pitch : a.low;
        a.high = n->pitch > a.high ? n->pitch : a.high;
    }
    return a;
}

/* A clip of one track goes to the track under the hand, one of several to where it is from. */
static void put_clip(struct desk *d, int32_t at, int up)
{
    const struct clip *c = &d->clip;
    struct song *song = session_song(d->session);
    bool one = c->track0 == c->track1;
    for (int r = c->track0; c->cells && r <= c->track1; r++)
        track_clear(&song->tracks[one ? d->track : r], at, at + c->ticks);
    for (size_t i = 0; i < c->n; i++) {
        struct note n = c->at[i].note;
        n.pitch = (uint8_t)(n.pitch + up);
        n.tick += at;
        track_push(&song->tracks[one ? d->track : c->at[i].track], n);
    }
    for (int r = 0; r < N_ROLES; r++)
        track_tidy(&song->tracks[r]);
}

static enum err may_paste(const struct desk *d, int argc, char **argv)
{
    const struct clip *c = &d->clip;
    if (argc > 0 && !str_same(argv[0], "here"))
        return err_set(ERR_FORMAT, "paste takes here, not \"%s\"", argv[0]);
    if (c->ticks == 0)
        return err_set(ERR_EMPTY, "nothing was yanked: y y takes the bar");
    if (c->track0 == c->track1 && c->n > 0 && (c->track0 == ROLE_DRUMS) != desk_drums(d))
        return err_set(ERR_UNSUPPORTED, "pieces of the kit are no pitches: that goes %s",
                       desk_drums(d) ? "on another track" : "on Drums");
    return ERR_OK;
}

/* paste [here]: with its lowest note on the cursor's row. Over a selection: in its place. */
enum err act_paste(struct desk *d, int argc, char **argv)
{
    TRY(may_paste(d, argc, argv));
    const struct clip *c = &d->clip;
    struct area a = desk_area(d), e = extent(c);
    bool select = d->mode == MODE_SELECT;
    int up = argc > 0 && c->n > 0 && !desk_drums(d) ? d->pitch - e.low : 0;
    int32_t at = select ? a.from : c->bars ? song_bar_tick(session_song(d->session), desk_bar(d)) : d->tick;
    if (e.high + up > 127)
        return err_set(ERR_RANGE, "a note would leave the keyboard");
    session_edit_begin(d->session, "paste");
    enum err err = hand_grow(d, at + e.to);
    if (err == ERR_OK) {
        if (select)
            drop_notes(d, &a, true);
        put_clip(d, at, up);
    }
    session_edit_end(d->session);
    TRY(err);
    d->mode = select ? MODE_NORMAL : d->mode;
    d->stale = STALE_NOW;
    say_clip(d, "pasted");
    return ERR_OK;
}
