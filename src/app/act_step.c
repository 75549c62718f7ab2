/* act_step.c: STEP mode: the computer keyboard is a piano, every key writes a note and advances. Terminals
 * tell no key release, so chords are made by holding the place (Enter), not the keys. */
#include <stdlib.h>

#include "act.h"

enum err act_step(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    d->mode = MODE_STEP;
    d->last_tick = -1;
    desk_say(d, "step entry: keys are a piano, Enter holds a chord, Tab rests, Esc leaves");
    return ERR_OK;
}

/* Forward by one note length; past the end the song grows by a phrase when something is written there. */
static void advance(struct desk *d)
{
    int32_t end = session_end(d->session);
    d->tick = d->tick + d->len < end ? d->tick + d->len : end;
}

enum err act_key(struct desk *d, int argc, char **argv)
{
    int n = 0;
    (void)argc;
    TRY(arg_int(argv[0], 0, STEP_KEYS - 1, &n));
    int pitch = desk_step_pitch(d, n);
    if (pitch < 0)
        return err_set(ERR_RANGE, "no such pitch in octave %d", d->octave);
    if (d->tick >= session_end(d->session) && session_n_bars(d->session) >= SESSION_MAX_BARS)
        return err_set(ERR_RANGE, "the song ends here");
    struct note note = {d->tick, d->len, (uint8_t)pitch, (uint8_t)d->vel};
    session_edit_begin(d->session, "step");
    if (d->tick >= session_end(d->session))
        session_set_bars(d->session, session_n_bars(d->session) + 4);
    track_add(desk_track(d), note);
    track_tidy(desk_track(d));
    session_edit_end(d->session);
    if (d->doors.audition)
        d->doors.audition(d->doors.ctx, desk_track(d)->channel, desk_track(d)->program, pitch, d->vel);
    d->pitch = pitch;
    d->last_tick = d->tick;
    d->stale = STALE_NOW;
    if (!d->chord)
        advance(d);
    return ERR_OK;
}

enum err act_chord(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    d->chord = !d->chord;
    if (!d->chord && d->last_tick == d->tick)
        advance(d);
    return ERR_OK;
}

enum err act_rest(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    advance(d);
    return ERR_OK;
}

enum err act_back(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    d->tick = d->tick > d->len ? d->tick - d->len : 0;
    return ERR_OK;
}

enum err act_erase(struct desk *d, int argc, char **argv)
{
    TRY(act_back(d, argc, argv));
    session_edit_begin(d->session, "erase");
    track_clear(desk_track(d), d->tick, d->tick + d->len);
    session_edit_end(d->session);
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
    advance(d);
    return ERR_OK;
}

enum err act_octave_by(struct desk *d, int argc, char **argv)
{
    (void)argc;
    return arg_step(argv[0], d->octave, 0, 8, &d->octave);
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
    else {
        char *end = NULL;
        long den = str_starts(argv[0], "1/") ? strtol(argv[0] + 2, &end, 10) : 0;
        if (den < 1 || den > 64 || (*end && !str_same(end, ".") && !str_same(end, "t")))
            return err_set(ERR_FORMAT, "length \"%s\": want 1/8, 1/8. or 1/8t", argv[0]);
        len = (int32_t)(4 * SONG_TPQ / den);
        len = *end == '.' ? len * 3 / 2 : *end ? len * 2 / 3 : len;
    }
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
