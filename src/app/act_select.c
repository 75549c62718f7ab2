/* act_select.c: SELECT mode: a rectangle of the roll (v), whole bars of all tracks (V), or notes of a kind. */
#include "hand.h"

#include <stdlib.h>
#include <string.h>

static void anchor(struct desk *d, enum select what, int track)
{
    desk_goto(d, d->tick); /* it may stand behind the end */
    d->mode = MODE_SELECT;
    d->select = what;
    d->anchor_tick = d->tick;
    d->anchor_track = track;
    d->anchor_pitch = d->pitch;
    d->picks.n = 0;
}

/* "5" or "5-8", counted from one. */
static enum err anchor_bars(struct desk *d, const char *text, int track)
{
    const struct song *song = session_song(d->session);
    int first = 0, last = 0, n = session_n_bars(d->session);
    char one[16];
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || (text[digits] && text[digits] != '-'))
        return err_set(ERR_FORMAT, "no \"%s\" to select: want bars such as 5-8, or a word (Tab lists them)", text);
    str_format(one, sizeof one, "%.*s", (int)digits, text);
    TRY(arg_int(one, 1, n, &first));
    last = first;
    if (text[digits])
        TRY(arg_int(text + digits + 1, first, n, &last));
    desk_goto(d, song_bar_tick(song, first - 1));
    anchor(d, SELECT_BARS, track);
    d->anchor_tick = song_bar_tick(song, last - 1);
    return ERR_OK;
}

static enum err anchor_all(struct desk *d, int track)
{
    char text[16];
    str_format(text, sizeof text, "1-%d", session_n_bars(d->session));
    return anchor_bars(d, text, track);
}

/* ---- notes of a kind ---- */

static enum err pick(struct desk *d, struct picks found, const char *none)
{
    if (found.n == 0) {
        free(found.at);
        return err_set(ERR_EMPTY, "%s", none);
    }
    free(d->picks.at);
    d->picks = found;
    d->mode = MODE_SELECT;
    d->select = SELECT_PICKED;
    select_named(d);
    desk_say(d, "%zu note%s selected", found.n, found.n == 1 ? "" : "s");
    return ERR_OK;
}

static enum err pick_strange(struct desk *d)
{
    const struct song *song = session_song(d->session);
    struct area a = desk_reach(d);
    struct key k = desk_key(d);
    struct picks found = {0};
    for (int r = a.track0; k.tonic >= 0 && r <= a.track1; r++)
        for (size_t i = 0; r != ROLE_DRUMS && i < song->tracks[r].n; i++) {
            const struct note *n = &song->tracks[r].notes[i];
            bool within = d->mode == MODE_SELECT ? desk_selected(d, r, n) : area_has(&a, r, n);
            if (within && !(key_scale(k) >> n->pitch % 12 & 1))
                picks_add(&found, r, n);
        }
    return pick(d, found, k.tonic < 0 ? "there is no key yet" : "every note is of the key");
}

/* All of the tracks in question that is not selected now. */
static enum err pick_others(struct desk *d)
{
    const struct song *song = session_song(d->session);
    struct area a = desk_reach(d);
    struct picks found = {0};
    for (int r = a.track0; r <= a.track1; r++)
        for (size_t i = 0; i < song->tracks[r].n; i++)
            if (!desk_selected(d, r, &song->tracks[r].notes[i]))
                picks_add(&found, r, &song->tracks[r].notes[i]);
    return pick(d, found, "nothing else is there");
}

/* ---- commands ---- */

static enum err leave(struct desk *d)
{
    d->mode = d->mode == MODE_SELECT ? MODE_NORMAL : d->mode;
    return ERR_OK;
}

/* Where nobody sees a roll (a batch) the bar of the track is meant, and moving on extends it by cells. */
enum err act_select(struct desk *d, int argc, char **argv)
{
    if (argc == 0) {
        if (d->mode == MODE_SELECT && d->select == SELECT_NOTES)
            return leave(d);
        anchor(d, d->whole ? SELECT_BARS : SELECT_NOTES, d->track);
        return ERR_OK;
    }
    const char *what = argv[0];
    return str_same(what, "none")         ? leave(d)
           : str_same(what, "all")        ? anchor_all(d, -1)
           : str_same(what, "track")      ? anchor_all(d, d->track)
           : str_same(what, "outofscale") ? pick_strange(d)
           : str_same(what, "invert")     ? pick_others(d)
                                          : anchor_bars(d, what, d->track);
}

/* Whole bars: of all tracks, or of those that are selected already. */
enum err act_select_bars(struct desk *d, int argc, char **argv)
{
    bool tracks = d->mode == MODE_SELECT && d->select == SELECT_TRACKS;
    if (argc > 0)
        return anchor_bars(d, argv[0], -1);
    if (d->mode == MODE_SELECT && d->select == SELECT_BARS)
        return leave(d);
    if (tracks)
        d->select = SELECT_BARS;
    else
        anchor(d, SELECT_BARS, -1);
    return ERR_OK;
}

/* The cursor to the opposite corner: the selection grows on that side. */
enum err act_corner(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    int32_t tick = d->tick;
    int pitch = d->pitch, track = d->track;
    if (d->mode != MODE_SELECT || d->select == SELECT_PICKED)
        return err_set(ERR_EMPTY, "no rectangle is selected");
    d->tick = d->anchor_tick;
    d->anchor_tick = tick;
    if (d->anchor_track >= 0) {
        desk_focus(d, d->anchor_track);
        d->anchor_track = track;
    }
    desk_pitch(d, d->anchor_pitch);
    d->anchor_pitch = pitch;
    return ERR_OK;
}
