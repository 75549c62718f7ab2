/* act_move.c: moving the cursor, zoom, and the three modes. */
#include <stdlib.h>

#include "act.h"

enum err act_left(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    const struct song *song = session_song(d->session);
    int32_t bar = song_bar_tick(song, desk_bar(d));
    desk_goto(d, d->tick > bar ? d->tick - d->grid : d->tick - 1);
    return ERR_OK;
}

/* A column may be cut short by a bar line (7/8 on a grid of quarters): the next one starts the bar. */
enum err act_right(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    int32_t next = song_bar_tick(session_song(d->session), desk_bar(d) + 1);
    desk_goto(d, d->tick + d->grid < next ? d->tick + d->grid : next);
    return ERR_OK;
}

/* A rectangle of the roll that reaches for another track becomes a span of both; all tracks become those from
 * here to there. */
static void reach_track(struct desk *d, int track)
{
    if (d->mode == MODE_SELECT && d->anchor_track < 0)
        d->anchor_track = d->track;
    desk_focus(d, track);
    if (d->mode == MODE_SELECT && d->select == SELECT_NOTES && d->track != d->anchor_track)
        d->select = SELECT_TRACKS;
}

/* Where whole tracks are selected up and down choose tracks: it is drawn in the strips. */
static enum err climb(struct desk *d, int by)
{
    bool strips = d->select == SELECT_TRACKS || d->select == SELECT_BARS;
    if (d->mode == MODE_SELECT && strips)
        reach_track(d, d->track - by);
    else
        desk_pitch(d, pitch_of_line(d->track, line_of(d->track, d->pitch) + by));
    return ERR_OK;
}

enum err act_up(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return climb(d, 1);
}

enum err act_down(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return climb(d, -1);
}

/* A step over the first or last bar goes on in the chain. */
static bool bar_beyond(struct desk *d, const char *step)
{
    int now = desk_bar(d);
    if (d->mode != MODE_NORMAL)
        return false;
    if (str_same(step, "+1") && now == session_n_bars(d->session) - 1 && desk_go_along(d, 1))
        desk_goto(d, 0);
    else if (str_same(step, "-1") && d->tick == 0 && desk_go_along(d, -1))
        desk_goto(d, song_bar_tick(session_song(d->session), session_n_bars(d->session) - 1));
    else
        return false;
    return true;
}

enum err act_bar(struct desk *d, int argc, char **argv)
{
    (void)argc;
    if (bar_beyond(d, argv[0]))
        return ERR_OK;
    int bar = 0, now = desk_bar(d), last = session_n_bars(d->session);
    const struct song *song = session_song(d->session);
    TRY(arg_step(argv[0], now + 1, 1, last, &bar));
    bool inside = argv[0][0] == '-' && d->tick > song_bar_tick(song, now);
    desk_goto(d, song_bar_tick(song, inside ? now : bar - 1));
    return ERR_OK;
}

enum err act_octave(struct desk *d, int argc, char **argv)
{
    (void)argc;
    desk_pitch(d, d->pitch + (argv[0][0] == '-' ? -12 : 12));
    return ERR_OK;
}

enum err act_start(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    desk_goto(d, 0);
    return ERR_OK;
}

enum err act_end(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    desk_goto(d, session_end(d->session));
    return ERR_OK;
}

/* To the next or previous onset of the track, and to its pitch. */
enum err act_onset(struct desk *d, int argc, char **argv)
{
    (void)argc;
    const struct track *t = desk_track(d);
    bool back = argv[0][0] == '-';
    size_t i = track_first_at(t, back ? d->tick : d->tick + d->grid);
    if (back ? i == 0 : i >= t->n)
        return ERR_OK;
    const struct note *n = &t->notes[back ? i - 1 : i];
    desk_goto(d, n->tick);
    desk_pitch(d, n->pitch);
    return ERR_OK;
}

enum err act_track(struct desk *d, int argc, char **argv)
{
    (void)argc;
    enum role role;
    int n = 0;
    if (role_parse(argv[0], &role))
        n = (int)role + 1;
    else
        TRY(arg_int(argv[0], 1, N_ROLES, &n));
    reach_track(d, n - 1);
    return ERR_OK;
}

enum err act_track_by(struct desk *d, int argc, char **argv)
{
    (void)argc;
    reach_track(d, d->track + (argv[0][0] == '-' ? -1 : 1));
    return ERR_OK;
}

enum err act_zoom(struct desk *d, int argc, char **argv)
{
    static const int32_t grids[] = {480, 240, 120, 80, 60, 40};
    size_t at = 0;
    (void)argc;
    for (size_t i = 0; i < COUNT_OF(grids); i++)
        if (grids[i] >= d->grid)
            at = i;
    if (argv[0][0] == '-' ? at == 0 : at + 1 == COUNT_OF(grids))
        return ERR_OK;
    d->grid = grids[argv[0][0] == '-' ? at - 1 : at + 1];
    desk_goto(d, d->tick);
    desk_say(d, "column = 1/%d", 4 * SONG_TPQ / d->grid);
    return ERR_OK;
}

enum err act_normal(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    if (d->mode == MODE_NORMAL)
        d->pane = PANE_ROLL;
    if (d->mode == MODE_STEP) /* it may stand behind the end, or between columns */
        desk_goto(d, d->tick);
    d->mode = MODE_NORMAL;
    desk_drop_suggestion(d);
    d->chord = false;
    d->message[0] = '\0';
    return ERR_OK;
}
