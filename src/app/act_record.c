/* act_record.c: notes from a MIDI input. Stopped, they are step entry, and notes held together are a chord;
 * playing, they fall where the song was heard. What is played in one pass, round the loop or up to a stop, is one
 * take and one step of undo; the next pass hears it. */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "mem.h"
#include "player.h"

struct pass {
    struct note *notes;
    size_t n, cap;
    bool down[128];              /* these notes are not over: the last of their pitch */
    int track;
    int32_t last;                /* playhead of the last look */
    int held;                    /* step: keys down, notes gather */
};

static void pass_free(struct desk *d)
{
    if (d->pass)
        free(d->pass->notes);
    free(d->pass);
    d->pass = NULL;
}

/* ---- live ---- */

static void note_begins(struct pass *p, const struct heard *h)
{
    p->notes = xgrow(p->notes, p->n, &p->cap, sizeof *p->notes);
    p->notes[p->n++] = (struct note){h->tick, 0, h->pitch, h->vel};
    p->down[h->pitch] = true;
}

/* A note that went round the end of the loop ends there. */
static void note_ends(struct pass *p, int pitch, int32_t tick, int32_t end)
{
    if (!p->down[pitch])
        return;
    p->down[pitch] = false;
    for (size_t i = p->n; i-- > 0;)
        if (p->notes[i].pitch == pitch) {
            int32_t to = tick > p->notes[i].tick ? tick : end;
            p->notes[i].dur = to > p->notes[i].tick ? to - p->notes[i].tick : 1;
            return;
        }
}

/* Onto the grid of the input: up to the loop's end belongs to its start. */
static int32_t placed(const struct desk *d, int32_t tick)
{
    int32_t grid = d->sound.input_grid;
    if (grid > 0)
        tick = (tick + grid / 2) / grid * grid;
    return d->loop && tick >= d->loop_to ? d->loop_from : tick;
}

static void end_pass(struct desk *d)
{
    struct pass *p = d->pass;
    struct song *song = session_song(d->session);
    int32_t end = d->loop ? d->loop_to : d->playhead;
    if (!p || p->n == 0)
        return;
    for (int pitch = 0; pitch < 128; pitch++)
        note_ends(p, pitch, end, end);
    session_edit_begin(d->session, "record");
    for (size_t i = 0; i < p->n; i++) {
        struct note n = p->notes[i];
        n.tick = placed(d, n.tick);
        int bars = song_bar_of(song, n.tick) + 1;
        if (bars > session_n_bars(d->session) && bars <= SESSION_MAX_BARS)
            session_set_bars(d->session, (bars + 3) / 4 * 4);
        song = session_song(d->session);
        if (n.tick < session_end(d->session))
            track_add(&song->tracks[p->track], n);
    }
    track_tidy(&song->tracks[p->track]);
    session_edit_end(d->session);
    desk_say(d, "recorded %zu notes; u takes them back", p->n);
    p->n = 0;
    d->stale = STALE_NOW;
}

static void hear_live(struct desk *d, const struct heard *h)
{
    if (h->vel == 0)
        note_ends(d->pass, h->pitch, h->tick, d->loop ? d->loop_to : d->playhead);
    else if (h->tick >= 0)
        note_begins(d->pass, h);
}

/* ---- step ---- */

static void hear_step(struct desk *d, const struct heard *h)
{
    struct pass *p = d->pass;
    if (h->vel == 0) {
        if (p->held > 0 && --p->held == 0)
            desk_step_on(d);
        return;
    }
    p->held++;
    if (desk_enter(d, h->pitch, h->vel, true) != ERR_OK)
        desk_complain(d);
}

/* ---- both ---- */

void desk_heard(struct desk *d, const struct heard *h)
{
    if (d->record == RECORD_LIVE)
        hear_live(d, h);
    else if (d->record == RECORD_STEP)
        hear_step(d, h);
}

void desk_stop_recording(struct desk *d)
{
    if (d->record == RECORD_LIVE)
        end_pass(d);
    d->record = RECORD_OFF;
    pass_free(d);
}

void desk_moved(struct desk *d)
{
    if (d->record != RECORD_LIVE)
        return;
    if (d->playing && d->playhead < d->pass->last)
        end_pass(d);
    d->pass->last = d->playhead;
    if (!d->playing)
        desk_stop_recording(d);
}

/* record [live|step|off]: as a key, whichever fits, or off. live also starts to play, with its count-in. */
enum err act_record(struct desk *d, int argc, char **argv)
{
    struct str name = {0};
    bool off = argc > 0 ? str_same(argv[0], "off") : d->record != RECORD_OFF;
    bool live = argc > 0 ? str_same(argv[0], "live") : d->playing;
    if (off) {
        desk_stop_recording(d);
        desk_say(d, "recording is over");
        return ERR_OK;
    }
    if (!d->player)
        return err_set(ERR_UNSUPPORTED, "no sound here");
    bool there = player_midi_in(d->player, &name);
    enum err err = there ? ERR_OK : err_set(ERR_DEVICE, name.len ? "the MIDI input %s is not there" :
                                            "no MIDI input is chosen: midi-in NAME does, midi-in lists them%s", str_c(&name));
    str_fini(&name);
    TRY(err);
    desk_stop_recording(d);
    d->pass = xcalloc(1, sizeof *d->pass);
    d->pass->track = d->track;
    if (live)
        desk_chained(d, false); /* what is played in goes to the section under the hand */
    d->record = live ? RECORD_LIVE : RECORD_STEP;
    if (live && !d->playing)
        TRY(act_play(d, 0, NULL));
    d->pass->last = d->playhead;
    desk_say(d, live ? "recording %s; r again or stop ends it" : "step recording into %s: play notes or chords, r ends it",
             role_name((enum role)d->track));
    return ERR_OK;
}

enum err act_input_grid(struct desk *d, int argc, char **argv)
{
    (void)argc;
    int32_t grid = 0;
    if (!str_same(argv[0], "off"))
        TRY(arg_len(argv[0], &grid));
    d->sound.input_grid = grid;
    desk_say(d, grid ? "recorded notes go to the nearest %s" : "recorded notes stay as played", argv[0]);
    return ERR_OK;
}
