/* act_edit.c: notes under the cursor or in the selection, tempo, length, undo. */
#include <stdlib.h>

#include "act.h"

/* The note the cursor stands on: one that starts in its column, else one that sounds through it. */
static long note_at(const struct desk *d)
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

static void hear(const struct desk *d, const struct note *n)
{
    const struct track *t = desk_track(d);
    if (d->doors.audition && !d->playing)
        d->doors.audition(d->doors.ctx, t->channel, t->program, n->pitch, n->vel);
}

enum err act_note(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    struct track *t = desk_track(d);
    long i = note_at(d);
    session_edit_begin(d->session, i >= 0 ? "delete note" : "note");
    if (i >= 0) {
        track_remove(t, (size_t)i);
    } else {
        struct note n = {d->tick, d->len, (uint8_t)d->pitch, (uint8_t)d->vel};
        track_add(t, n);
        track_tidy(t);
        hear(d, &n);
    }
    session_edit_end(d->session);
    d->stale = STALE_NOW;
    return ERR_OK;
}

/* Every note of the selected cells, or the one under the cursor, through one function. False from it
 * removes the note. */
typedef bool (*touch_fn)(struct desk *d, struct note *n, int by);

static bool touch_drop(struct desk *d, struct note *n, int by)
{
    (void)d, (void)n, (void)by;
    return false;
}

static bool touch_vel(struct desk *d, struct note *n, int by)
{
    (void)d;
    int vel = n->vel + by;
    n->vel = (uint8_t)(vel < 1 ? 1 : vel > 127 ? 127 : vel);
    return true;
}

static bool touch_len(struct desk *d, struct note *n, int by)
{
    int32_t dur = n->dur + by * d->grid;
    n->dur = dur < d->grid ? d->grid : dur;
    return true;
}

static bool touch_pitch(struct desk *d, struct note *n, int by)
{
    (void)d;
    int pitch = n->pitch + by;
    n->pitch = (uint8_t)(pitch < 0 || pitch > 127 ? n->pitch : pitch);
    return true;
}

static bool many(const struct desk *d)
{
    return d->mode == MODE_SELECT || d->whole;
}

/* What is selected, else the whole song. */
static void touch_many(struct desk *d, touch_fn touch, int by)
{
    struct span s = {0, session_n_bars(d->session) - 1, 0, N_ROLES - 1};
    struct song *song = session_song(d->session);
    if (d->mode == MODE_SELECT)
        s = desk_selection(d);
    int32_t from = song_bar_tick(song, s.bar0), to = song_bar_tick(song, s.bar1 + 1);
    for (int r = s.track0; r <= s.track1; r++) {
        struct track *t = &song->tracks[r];
        if (r == ROLE_DRUMS && touch == touch_pitch && s.track0 != s.track1)
            continue; /* the band moves, the kit stays the kit */
        for (size_t i = track_first_at(t, from); i < t->n && t->notes[i].tick < to;)
            if (touch(d, &t->notes[i], by))
                i++;
            else
                track_remove(t, i);
        track_sort(t);
        track_tidy(t);
    }
}

static enum err touch_notes(struct desk *d, const char *what, touch_fn touch, int by)
{
    long i = note_at(d);
    if (!many(d) && i < 0)
        return err_set(ERR_EMPTY, "no note under the cursor");
    session_edit_begin(d->session, what);
    if (many(d))
        touch_many(d, touch, by);
    else if (!touch(d, &desk_track(d)->notes[i], by))
        track_remove(desk_track(d), (size_t)i);
    else
        track_tidy(desk_track(d));
    session_edit_end(d->session);
    d->stale = STALE_NOW;
    return ERR_OK;
}

enum err act_delete(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    enum err err = touch_notes(d, "delete", touch_drop, 0);
    d->mode = d->mode == MODE_SELECT ? MODE_NORMAL : d->mode;
    return err;
}

enum err act_velocity(struct desk *d, int argc, char **argv)
{
    int by = 0;
    (void)argc;
    TRY(arg_step(argv[0], 0, -127, 127, &by));
    return touch_notes(d, "velocity", touch_vel, by);
}

enum err act_length(struct desk *d, int argc, char **argv)
{
    int by = 0;
    (void)argc;
    TRY(arg_step(argv[0], 0, -64, 64, &by));
    return touch_notes(d, "length", touch_len, by);
}

enum err act_transpose(struct desk *d, int argc, char **argv)
{
    int by = 0;
    (void)argc;
    TRY(arg_step(argv[0], 0, -48, 48, &by));
    if (!many(d) && note_at(d) >= 0) {
        TRY(touch_notes(d, "transpose", touch_pitch, by));
        desk_pitch(d, d->pitch + by);
        return ERR_OK;
    }
    return touch_notes(d, "transpose", touch_pitch, by);
}

/* Undo may shorten the song under the cursor. */
static enum err after_travel(struct desk *d, bool moved, const char *what, const char *none)
{
    if (!moved) {
        desk_say(d, "%s", none);
        return ERR_OK;
    }
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
    return after_travel(d, session_undo(d->session), what, "nothing to undo");
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

enum err act_volume(struct desk *d, int argc, char **argv)
{
    int volume = 0;
    (void)argc;
    TRY(arg_step(argv[0], desk_track(d)->volume, 0, 127, &volume));
    session_edit_begin(d->session, "volume");
    desk_track(d)->volume = (uint8_t)volume;
    session_edit_end(d->session);
    d->stale = STALE_NOW;
    return ERR_OK;
}

/* General MIDI numbers as people write them, 1 to 128. */
enum err act_program(struct desk *d, int argc, char **argv)
{
    int program = 0;
    (void)argc;
    TRY(arg_step(argv[0], desk_track(d)->program + 1, 1, 128, &program));
    session_edit_begin(d->session, "program");
    desk_track(d)->program = (uint8_t)(program - 1);
    session_edit_end(d->session);
    d->stale = STALE_NOW;
    desk_say(d, "%s: %d %s", desk_track(d)->name, program,
             desk_drums(d) ? "kit" : gm_program_name(program - 1));
    return ERR_OK;
}
