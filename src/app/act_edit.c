/* act_edit.c: notes under the cursor or in the selection, tempo, length, undo. */
#include <stdlib.h>

#include "hand.h"

enum err act_note(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    struct track *t = desk_track(d);
    long i = hand_at_cursor(d);
    session_edit_begin(d->session, i >= 0 ? "delete note" : "note");
    enum err err = i >= 0 ? ERR_OK : hand_grow(d, d->tick); /* behind an accepted suggestion the song may end */
    if (i >= 0) {
        track_remove(t, (size_t)i);
    } else if (err == ERR_OK) {
        desk_pitch(d, desk_lock(d, d->pitch));
        struct note n = {d->tick, d->len, (uint8_t)d->pitch, (uint8_t)d->vel};
        track_add(t, n);
        track_tidy(t);
        hand_hear(d, &n);
    }
    session_edit_end(d->session);
    d->stale = STALE_NOW;
    return err;
}

static enum err drop(struct desk *d, struct hand *h, const int *by)
{
    (void)d, (void)by;
    for (size_t i = 0; i < h->n; i++)
        h->at[i].drop = true;
    return ERR_OK;
}

static enum err louder(struct desk *d, struct hand *h, const int *by)
{
    (void)d;
    for (size_t i = 0; i < h->n; i++) {
        int vel = h->at[i].note.vel + *by;
        h->at[i].note.vel = (uint8_t)(vel < 1 ? 1 : vel > 127 ? 127 : vel);
    }
    return ERR_OK;
}

static enum err longer(struct desk *d, struct hand *h, const int *by)
{
    for (size_t i = 0; i < h->n; i++) {
        int32_t dur = h->at[i].note.dur + *by * d->grid;
        h->at[i].note.dur = dur < d->grid ? d->grid : dur;
    }
    return ERR_OK;
}

enum err act_delete(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    TRY(hand_shape(d, REACH_NOTE, "delete", drop, NULL));
    d->mode = d->mode == MODE_SELECT ? MODE_NORMAL : d->mode;
    return ERR_OK;
}

enum err act_velocity(struct desk *d, int argc, char **argv)
{
    int by = 0;
    (void)argc;
    TRY(arg_step(argv[0], 0, -127, 127, &by));
    return hand_shape(d, REACH_NOTE, "velocity", louder, &by);
}

enum err act_length(struct desk *d, int argc, char **argv)
{
    int by = 0;
    (void)argc;
    TRY(arg_step(argv[0], 0, -64, 64, &by));
    return hand_shape(d, REACH_NOTE, "length", longer, &by);
}

/* Undo may shorten the song under the cursor. */
static enum err after_travel(struct desk *d, bool moved, const char *what, const char *none)
{
    if (!moved) {
        desk_say(d, "%s", none);
        return ERR_OK;
    }
    d->mode = d->mode == MODE_SELECT ? MODE_NORMAL : d->mode; /* what was selected is elsewhere now */
    desk_fit(d);
    d->stale = STALE_NOW;
    desk_say(d, "%s", what);
    return ERR_OK;
}

enum err act_undo(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    char what[64];
    str_format(what, sizeof what, "undone: %s", session_undo_name(d->session));
    bool suggested = str_same(session_undo_name(d->session), SUGGESTION_STEP);
    struct song *was = suggested ? song_dup(session_song(d->session)) : NULL;
    int here = session_here(d->session);
    bool moved = session_undo(d->session);
    if (was && here == session_here(d->session))
        suggestion_undone(d, was);
    song_free(was);
    return after_travel(d, moved, what, "nothing to undo");
}

enum err act_redo(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    char what[64];
    bool moved = session_redo(d->session);
    str_format(what, sizeof what, "redone: %s", session_undo_name(d->session));
    return after_travel(d, moved, what, "nothing to redo");
}

enum err act_bars(struct desk *d, int argc, char **argv)
{
    int n = 0;
    (void)argc;
    TRY(arg_step(argv[0], session_n_bars(d->session), 1, SESSION_MAX_BARS, &n));
    session_set_bars(d->session, n);
    desk_fit(d);
    d->stale = STALE_NOW;
    desk_say(d, "%d bars", n);
    return ERR_OK;
}

/* The tempo in force at the cursor changes, wherever it was set. */
enum err act_tempo(struct desk *d, int argc, char **argv)
{
    (void)argc;
    struct song *song = session_song(d->session);
    int32_t at = 0;
    double bpm = 0;
    for (size_t i = 0; i < song->n_tempos && song->tempos[i].tick <= d->tick; i++)
        at = song->tempos[i].tick;
    TRY(parse_double(argv[0], -10000, 10000, &bpm));
    if (argv[0][0] == '+' || argv[0][0] == '-')
        bpm += song_bpm(song, d->tick);
    if (bpm < 20 || bpm > 400)
        return err_set(ERR_RANGE, "tempo goes from 20 to 400");
    session_edit_begin(d->session, "tempo");
    song_set_tempo(song, at, bpm);
    session_edit_end(d->session);
    d->stale = STALE_NOW;
    return ERR_OK;
}

enum err arg_switch(int argc, char **argv, bool *on)
{
    if (argc > 0 && !str_same(argv[0], "on") && !str_same(argv[0], "off"))
        return err_set(ERR_FORMAT, "on or off, not \"%s\"", argv[0]);
    *on = argc > 0 ? str_same(argv[0], "on") : !*on;
    return ERR_OK;
}

enum err act_lock(struct desk *d, int argc, char **argv)
{
    TRY(arg_switch(argc, argv, &d->lock));
    desk_say(d, "scale lock %s", d->lock ? "on: what you enter is of the key" : "off");
    return ERR_OK;
}

enum err act_ghosts(struct desk *d, int argc, char **argv)
{
    TRY(arg_switch(argc, argv, &d->ghosts));
    desk_say(d, "notes of other tracks %s", d->ghosts ? "shown" : "hidden");
    return ERR_OK;
}

enum err act_middlec(struct desk *d, int argc, char **argv)
{
    (void)argc;
    bool c3 = str_same(argv[0], "C3");
    if (!c3 && !str_same(argv[0], "C4"))
        return err_set(ERR_FORMAT, "middle C is C3 or C4, not \"%s\"", argv[0]);
    d->middle_c = c3 ? 3 : 4;
    desk_say(d, "MIDI note 60 is C%d", d->middle_c);
    return ERR_OK;
}
