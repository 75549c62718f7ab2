/* desk.c: the desk itself: cursor rules, what is selected, what the engine sends. Commands are in act_*.c. */
#include "desk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "journal.h"
#include "mix.h"
#include "file.h"
#include "import.h"
#include "mem.h"
#include "setting.h"
#include "str.h"

const char *mode_name(enum mode m)
{
    static const char *const names[N_MODES] = {"NORMAL", "STEP", "SELECT"};
    return names[m];
}

const char *pane_name(enum pane p)
{
    static const char *const names[N_PANES] = {"roll", "takes", "generate", "mixer", "waterfall"};
    return names[p];
}

static void reset_hand(struct desk *d)
{
    d->mode = MODE_NORMAL;
    d->pane = PANE_ROLL;
    d->track = ROLE_PIANO;
    d->pitch = 60;
    d->tick = d->playhead = 0;
    d->loop = d->chained = false;
    d->sounding = -1;
    d->play_to = 0;
    d->play_tracks = 0;
    d->last_tick = -1;
    d->job = d->suggest.job = -1;
    d->suggest.n = 0;
    d->stale = STALE_NOW;
}

void desk_init(struct desk *d)
{
    *d = (struct desk){.session = session_new(),
                       .grid = SONG_TPQ / 4,
                       .len = SONG_TPQ / 2,
                       .vel = 96,
                       .octave = 4,
                       .middle_c = 4,
                       .ghosts = true,
                       .progress = -1,
                       .mouse = true,
                       .sound.latency_ms = -1,
                       .row[PANE_MIXER] = FADER_VOLUME,
                       .verb = VERB_GENERATE};
    reset_hand(d);
}

void desk_fini(struct desk *d)
{
    desk_stop_recording(d);
    session_free(d->session);
    models_list_free(d->models, d->n_models);
    str_fini(&d->report);
    import_free(d->import);
    free(d->import_path);
    free(d->picks.at);
    free(d->clip.at);
    *d = (struct desk){0};
}

/* Start where there is something to see: the first pitched track with notes, at the top of its first chord. */
static void look_at_music(struct desk *d)
{
    const struct song *song = session_song(d->session);
    static const enum role order[] = {ROLE_PIANO, ROLE_GUITAR, ROLE_STRINGS, ROLE_BASS, ROLE_DRUMS};
    for (size_t i = 0; i < COUNT_OF(order); i++)
        if (song->tracks[order[i]].n > 0) {
            const struct track *t = &song->tracks[order[i]];
            d->track = order[i];
            for (size_t k = 0; k < t->n && t->notes[k].tick == t->notes[0].tick; k++)
                d->pitch = t->notes[k].pitch;
            return;
        }
}

/* Before other music than what the hand was on. */
static void sit_down(struct desk *d)
{
    if (d->job >= 0 && d->doors.cancel)
        d->doors.cancel(d->doors.ctx, d->job);
    desk_drop_suggestion(d);
    if (d->playing && d->doors.stop)
        d->doors.stop(d->doors.ctx);
    desk_stop_recording(d);
    reset_hand(d);
    look_at_music(d);
}

/* Only a project brings settings: other music leaves them as they are. */
enum err desk_import(struct desk *d)
{
    struct settings own = *session_settings(d->session);
    if (session_dirty(d->session))
        return err_set(ERR_BUSY, "%s is not saved: save it first (Ctrl-S)", session_title(d->session));
    TRY(session_import(d->session, d->import, d->import_path));
    *session_settings(d->session) = own;
    str_clear(&d->report);
    import_report(d->import, &d->report);
    sit_down(d);
    desk_opened(d);
    return ERR_OK;
}

static enum err open_jam(struct desk *d, const char *path)
{
    TRY(session_open(d->session, path, NULL));
    str_clear(&d->report);
    sit_down(d);
    return ERR_OK;
}

enum err desk_open(struct desk *d, const char *path)
{
    struct import *im = NULL;
    if (str_same(path_ext(path), ".jam"))
        return open_jam(d, path);
    TRY(import_load(path, SESSION_MAX_BARS, &im));
    import_free(d->import);
    free(d->import_path);
    d->import = im;
    d->import_path = xstrdup(path);
    if (d->asks && !import_certain(im)) {
        d->want = WANT_IMPORT;
        return ERR_OK;
    }
    return desk_import(d);
}

void desk_opened(struct desk *d)
{
    struct str note = {0};
    size_t markers = session_song(d->session)->n_markers;
    desk_form_note(d, &note);
    if (markers > 1)
        str_addf(&note, "; %zu markers: \"split markers\" makes sections of them", markers);
    desk_say(d, "%s: %d bars%s%s", session_title(d->session), session_n_bars(d->session), str_c(&note),
             d->report.len ? "; :report tells what the import did" : "");
    str_fini(&note);
}

enum err desk_recover(struct desk *d, const char *journal)
{
    TRY(journal_recover(journal, d->session));
    sit_down(d);
    return ERR_OK;
}

const struct model_info *desk_model(const struct desk *d)
{
    const struct settings *o = session_settings(d->session);
    for (size_t i = 0; i < d->n_models; i++)
        if (o->model[0] ? str_same(d->models[i].name, o->model) || str_same(d->models[i].path, o->model)
                        : (d->models[i].verbs & 1u << VERB_ACCOMPANY) != 0)
            return &d->models[i];
    return NULL;
}

void desk_models(struct desk *d, struct model_info *list, size_t n)
{
    models_list_free(d->models, d->n_models);
    d->models = list;
    d->n_models = n;
    const struct model_info *m = desk_model(d);
    session_set_genres(d->session, m ? m->genres : NULL, m ? m->n_genres : 0);
}

/* An edit is heard at once, another take from the next bar line on. */
bool desk_must_show(struct desk *d)
{
    int bar = d->sounding < 0 ? song_bar_of(session_song(d->session), d->playhead)
                              : d->sounding * 2 * SESSION_MAX_BARS + d->sounding_bar;
    bool at_bar = !d->playing || bar != d->heard_bar;
    d->heard_bar = bar;
    return d->stale == STALE_NOW || (d->stale == STALE_BAR && at_bar);
}

void desk_say(struct desk *d, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(d->message, sizeof d->message, fmt, args);
    va_end(args);
    d->message_bad = false;
}

void desk_complain(struct desk *d)
{
    str_copy(d->message, sizeof d->message, err_text());
    d->message_bad = true;
}

static void job_over(struct desk *d, const char *how)
{
    const char *but = d->job_empty ? " (some with an empty track)" : d->job_twins ? " (= is the same as another)" : "";
    desk_say(d, "%s: %s %d of %d takes in %.1f s%s", verb_name(d->verb), how, d->job_got, d->job_takes,
             clock_s() - d->job_began, but);
    d->job = -1;
}

/* A take belongs to the section it was asked for, wherever the hand is by now. */
static void choose_there(struct desk *d, int i)
{
    int here = session_here(d->session), place = session_place(d->session);
    int there = session_batch_section(d->session);
    if (there < 0)
        return;
    if (there != here)
        session_go(d->session, there, place);
    session_choose(d->session, i);
    if (there != here)
        session_go(d->session, here, place);
    d->job_chosen = true;
    d->stale = STALE_BAR;
}

/* The first take that arrives is put on the desk at once: there is something to hear while the rest come. Not so
 * with the steps between two takes, where the hand decides how far to go. */
static void take_came(struct desk *d, int index, struct take *t)
{
    bool steps = d->verb == VERB_INTERPOLATE && d->job_takes > 1, empty = t->empty;
    int i = session_add_take(d->session, index, t);
    d->job_got++;
    d->job_empty += empty;
    d->job_twins += t->twin != 0;
    if (!d->job_chosen && !empty && !steps)
        choose_there(d, i);
}

/* The first take as far as it is written: heard and seen before it is whole. */
static void part_came(struct desk *d, struct take *t)
{
    int i = session_add_take(d->session, 0, t);
    if (!d->job_chosen)
        choose_there(d, i);
    d->stale = STALE_BAR;
}

void desk_event(struct desk *d, struct event *ev)
{
    if (desk_suggest_event(d, ev) || ev->job != d->job) /* of a job that was given up */
        return;
    switch (ev->kind) {
    case EVENT_TAKE:
        take_came(d, ev->index, ev->take);
        ev->take = NULL;
        break;
    case EVENT_PART:
        part_came(d, ev->take);
        ev->take = NULL;
        break;
    case EVENT_DONE:
        job_over(d, "done,");
        break;
    case EVENT_CANCELLED:
        job_over(d, "cancelled,");
        break;
    case EVENT_FAILED:
        str_copy(d->message, sizeof d->message, ev->text ? ev->text : "the model failed");
        d->message_bad = true;
        d->job = -1;
        break;
    }
}

struct track *desk_track(const struct desk *d)
{
    return &session_song(d->session)->tracks[d->track];
}

int desk_bar(const struct desk *d)
{
    int bar = song_bar_of(session_song(d->session), d->tick), last = session_n_bars(d->session) - 1;
    return bar < last ? bar : last;
}

bool desk_drums(const struct desk *d)
{
    return d->track == ROLE_DRUMS;
}

void desk_goto(struct desk *d, int32_t tick)
{
    int32_t end = session_end(d->session);
    if (tick >= end)
        tick = end - 1;
    if (tick < 0)
        tick = 0;
    int32_t bar = song_bar_tick(session_song(d->session), song_bar_of(session_song(d->session), tick));
    d->tick = tick - (tick - bar) % d->grid;
}

void desk_fit(struct desk *d)
{
    desk_goto(d, d->tick);
    if (d->anchor_tick >= session_end(d->session))
        d->anchor_tick = session_end(d->session) - 1;
    if (d->loop && d->loop_to > session_end(d->session)) {
        d->loop = false;
        if (d->doors.loop)
            d->doors.loop(d->doors.ctx, 0, 0);
    }
}

void desk_pitch(struct desk *d, int pitch)
{
    d->pitch = pitch < 0 ? 0 : pitch > 127 ? 127 : pitch;
}

/* Bass drum, snare and hats below; then toms, cymbals and the rest as General MIDI counts them. */
static const uint8_t kit_first[] = {36, 38, 42, 44, 46, 37, 39, 41, 45, 48, 50, 49, 51};
enum { KIT_LOW = 35 };

int line_of(int track, int pitch)
{
    int before = 0, away = (pitch - KIT_LOW) & 127, n = COUNT_OF(kit_first);
    if (track != ROLE_DRUMS)
        return pitch;
    for (int i = 0; i < n; i++) {
        if (kit_first[i] == pitch)
            return i;
        before += kit_first[i] - KIT_LOW < away;
    }
    return n + away - before; /* the known pieces, then what has no name */
}

int pitch_of_line(int track, int line)
{
    line = line < 0 ? 0 : line > 127 ? 127 : line;
    for (int pitch = 0; track == ROLE_DRUMS && pitch < 128; pitch++)
        if (line_of(track, pitch) == line)
            return pitch;
    return line;
}

/* A track brings its own register: the cursor goes to its nearest note when it has none near the row. */
void desk_focus(struct desk *d, int track)
{
    d->track = track < 0 ? 0 : track >= N_ROLES ? N_ROLES - 1 : track;
    const struct track *t = desk_track(d);
    int best = -1;
    for (size_t i = 0; i < t->n; i++)
        if (best < 0 || abs(t->notes[i].pitch - d->pitch) < abs(best - d->pitch))
            best = t->notes[i].pitch;
    static const int home[N_ROLES] = {38, 60, 60, 40, 60};
    if (best >= 0 ? abs(best - d->pitch) > 6 : abs(home[d->track] - d->pitch) > 12)
        d->pitch = best >= 0 ? best : home[d->track];
}

int desk_rows(const struct desk *d, enum pane p)
{
    return p == PANE_TAKES ? session_n_takes(d->session) : p == PANE_GENERATE ? n_settings : 0;
}

int desk_row(const struct desk *d, enum pane p)
{
    int last = desk_rows(d, p) - 1;
    return d->row[p] < last ? d->row[p] : last;
}

int desk_take(const struct desk *d)
{
    return d->mode == MODE_NORMAL && d->pane == PANE_TAKES ? desk_row(d, PANE_TAKES)
                                                           : session_current(d->session);
}

struct key desk_key(const struct desk *d)
{
    struct key k = {.tonic = -1};
    key_parse(session_settings(d->session)->key, &k);
    return k.tonic >= 0 ? k : song_key(session_song(d->session), 0, session_end(d->session), NULL);
}

int desk_lock(const struct desk *d, int pitch)
{
    if (!d->lock || desk_drums(d))
        return pitch;
    struct key k = desk_key(d);
    return k.tonic >= 0 ? key_snap(k, pitch) : pitch;
}

/* On the kit the keys are its pieces upwards from the bass drum, in General MIDI order. */
int desk_step_pitch(const struct desk *d, int n)
{
    int pitch = desk_drums(d) ? 36 + 12 * (d->octave - 4) + n : 12 * (d->octave + 1) + n;
    return pitch >= 0 && pitch <= 127 ? desk_lock(d, pitch) : -1;
}
