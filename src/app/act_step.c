/* act_step.c: STEP mode: the computer keyboard is a piano, every key writes a note and advances. Terminals
 * tell no key release, so chords are made by holding the place (Enter), not the keys. */
#include <stdlib.h>

#include "hand.h"

enum err act_step(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    d->mode = MODE_STEP;
    d->last_tick = -1;
    if (!desk_drums(d)) /* the piano's keys are where the eye is */
        d->octave = d->pitch / 12 - 1 < 0 ? 0 : d->pitch / 12 - 1 > 8 ? 8 : d->pitch / 12 - 1;
    desk_say(d, "step entry: keys are a piano, Enter holds a chord, Tab rests, Esc leaves");
    return ERR_OK;
}

/* Forward by one note length; past the end the song grows by a phrase when something is written there. */
void desk_step_on(struct desk *d)
{
    int32_t end = session_end(d->session);
    d->tick = d->tick + d->len < end ? d->tick + d->len : end;
    desk_may_suggest(d);
}

enum err desk_enter(struct desk *d, int pitch, int vel, bool stay)
{
    pitch = desk_lock(d, pitch);
    struct note note = {d->tick, d->len, (uint8_t)pitch, (uint8_t)vel};
    session_edit_begin(d->session, "step");
    enum err err = hand_grow(d, d->tick);
    if (err == ERR_OK) {
        track_add(desk_track(d), note);
        track_tidy(desk_track(d));
    }
    session_edit_end(d->session);
    TRY(err);
    if (d->doors.audition) /* also while playing: who plays along wants to hear it now */
        d->doors.audition(d->doors.ctx, desk_track(d)->channel, desk_track(d)->program, pitch, vel);
    d->pitch = pitch;
    d->last_tick = d->tick;
    d->stale = STALE_NOW;
    if (!stay)
        desk_step_on(d);
    return ERR_OK;
}

enum err act_key(struct desk *d, int argc, char **argv)
{
    int n = 0;
    (void)argc;
    TRY(arg_int(argv[0], 0, STEP_KEYS - 1, &n));
    int pitch = desk_step_pitch(d, n);
    if (pitch < 0)
        return err_set(ERR_RANGE, "no such pitch in octave %d", d->octave);
    return desk_enter(d, pitch, d->vel, d->chord);
}

enum err act_chord(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    d->chord = !d->chord;
    if (!d->chord && d->last_tick == d->tick)
        desk_step_on(d);
    return ERR_OK;
}

enum err act_rest(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    desk_step_on(d);
    return ERR_OK;
}

enum err act_back(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    d->tick = d->tick > d->len ? d->tick - d->len : 0;
    return ERR_OK;
}

/* Of a chord that is being gathered the last note goes; else one step back, and what starts there. */
enum err act_erase(struct desk *d, int argc, char **argv)
{
    bool gathering = d->chord && d->last_tick == d->tick;
    long last = gathering ? hand_at_cursor(d) : -1;
    if (!gathering && d->tick == 0)
        return ERR_OK;
    if (!gathering)
        TRY(act_back(d, argc, argv));
    session_edit_begin(d->session, "erase");
    if (last >= 0)
        track_remove(desk_track(d), (size_t)last);
    else if (!gathering)
        track_clear(desk_track(d), d->tick, d->tick + d->len);
    session_edit_end(d->session);
    if (!gathering)
        d->last_tick = -1;
    d->stale = STALE_NOW;
    return ERR_OK;
}

/* The notes written last grow by one length. */
enum err act_tie(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    struct track *t = desk_track(d);
    if (d->last_tick < 0)
        return err_set(ERR_EMPTY, "nothing to tie to");
    session_edit_begin(d->session, "tie");
    for (size_t i = track_first_at(t, d->last_tick); i < t->n && t->notes[i].tick == d->last_tick; i++)
        t->notes[i].dur += d->len;
    track_tidy(t);
    session_edit_end(d->session);
    d->stale = STALE_NOW;
    desk_step_on(d);
    return ERR_OK;
}

enum err act_octave_by(struct desk *d, int argc, char **argv)
{
    (void)argc;
    return arg_step(argv[0], d->octave, 0, 8, &d->octave);
}

enum err arg_len(const char *text, int32_t *out)
{
    char *end = NULL;
    long den = str_starts(text, "1/") ? strtol(text + 2, &end, 10) : 0;
    if (den < 1 || den > 64 || (*end && !str_same(end, ".") && !str_same(end, "t")))
        return err_set(ERR_FORMAT, "length \"%s\": want 1/8, 1/8. or 1/8t", text);
    int32_t len = (int32_t)(4 * SONG_TPQ / den);
    *out = *end == '.' ? len * 3 / 2 : *end ? len * 2 / 3 : len;
    return ERR_OK;
}

/* "1/8", "1/8.", "1/8t" as words; "half", "double" as keys. */
enum err act_len(struct desk *d, int argc, char **argv)
{
    (void)argc;
    int32_t len = d->len;
    if (str_same(argv[0], "half"))
        len /= 2;
    else if (str_same(argv[0], "double"))
        len *= 2;
    else
        TRY(arg_len(argv[0], &len));
    if (len < 20 || len > 16 * SONG_TPQ)
        return err_set(ERR_RANGE, "notes go from 1/96 to four bars");
    d->len = len;
    return ERR_OK;
}

/* Both toggle. Plain lengths hold one factor three, dotted ones two, triplets none. */
enum err act_dotted(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    d->len = d->len % 9 == 0 ? d->len * 2 / 3 : d->len * 3 / 2;
    return ERR_OK;
}

enum err act_triplet(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    d->len = d->len % 3 != 0 ? d->len * 3 / 2 : d->len * 2 / 3;
    return ERR_OK;
}

enum err act_hit(struct desk *d, int argc, char **argv)
{
    (void)argc;
    if (str_same(argv[0], "accent")) {
        d->vel = d->vel >= 112 ? 96 : 120;
        return ERR_OK;
    }
    return arg_step(argv[0], d->vel, 1, 127, &d->vel);
}
