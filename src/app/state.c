/* state.c: what undo brings back, and undo itself. A snapshot holds every sheet but the one under the hand, which
 * it copies: that one is edited in place, the others are shared until somebody writes to them. */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "state.h"
#include "str.h"

/* ---- sheets ---- */

struct sheet *sheet_new(struct song *song, int n_bars)
{
    struct sheet *sh = xcalloc(1, sizeof *sh);
    *sh = (struct sheet){.held = 1, .song = song, .n_bars = n_bars};
    return sh;
}

struct sheet *sheet_hold(struct sheet *sh)
{
    sh->held++;
    return sh;
}

struct sheet *sheet_dup(const struct sheet *sh)
{
    struct sheet *copy = xmalloc(sizeof *copy);
    *copy = *sh;
    copy->held = 1;
    copy->song = song_dup(sh->song);
    return copy;
}

void sheet_drop(struct sheet *sh)
{
    if (!sh || --sh->held > 0)
        return;
    song_free(sh->song);
    free(sh);
}

/* song_equal knows the music; these are the switches, which undo brings back too. */
static bool switches_equal(const struct song *a, const struct song *b)
{
    for (size_t i = 0; i < a->n_tracks; i++)
        if (a->tracks[i].mute != b->tracks[i].mute || a->tracks[i].solo != b->tracks[i].solo)
            return false;
    return true;
}

bool sheet_equal(const struct sheet *a, const struct sheet *b)
{
    return a == b || (a->n_bars == b->n_bars && a->current == b->current &&
                      a->song->n_tracks == b->song->n_tracks && !memcmp(a->keep, b->keep, sizeof a->keep) &&
                      song_equal(a->song, b->song) && switches_equal(a->song, b->song));
}

/* ---- states ---- */

void state_fini(struct state *st)
{
    for (int i = 0; i < st->n_sections; i++)
        sheet_drop(st->sections[i].sheet);
    st->n_sections = 0;
}

struct state state_snapshot(const struct state *st)
{
    struct state copy = *st;
    for (int i = 0; i < st->n_sections; i++) {
        struct sheet *sh = st->sections[i].sheet;
        copy.sections[i].sheet = i == st->here ? sheet_dup(sh) : sheet_hold(sh);
    }
    return copy;
}

struct sheet *state_own(struct state *st, int section)
{
    struct sheet **sh = &st->sections[section].sheet;
    if ((*sh)->held > 1) {
        struct sheet *own = sheet_dup(*sh);
        sheet_drop(*sh);
        *sh = own;
    }
    return *sh;
}

/* The entry of the section nearest to `place`, -1 when the chain has none. */
static int nearest_place(const struct state *st, int section, int place)
{
    int best = -1;
    for (int i = 0; i < st->n_chain; i++)
        if (st->chain[i] == section && (best < 0 || abs(i - place) < abs(best - place)))
            best = i;
    return best;
}

void state_sit(struct state *st, int section, int place)
{
    st->here = section < 0 ? 0 : section < st->n_sections ? section : st->n_sections - 1;
    st->place = nearest_place(st, st->here, place);
    state_own(st, st->here);
}

int state_find(const struct state *st, uint32_t id)
{
    for (int i = 0; i < st->n_sections; i++)
        if (st->sections[i].id == id)
            return i;
    return -1;
}

bool state_equal(const struct state *a, const struct state *b)
{
    if (a->n_sections != b->n_sections || a->n_chain != b->n_chain ||
        memcmp(a->chain, b->chain, (size_t)a->n_chain * sizeof *a->chain) != 0)
        return false;
    for (int i = 0; i < a->n_sections; i++)
        if (a->sections[i].id != b->sections[i].id || strcmp(a->sections[i].name, b->sections[i].name) != 0 ||
            !sheet_equal(a->sections[i].sheet, b->sections[i].sheet))
            return false;
    return true;
}

/* ---- one band plays all sections: its names, instruments, mix and switches are those under the hand ---- */

static bool band_equal(const struct song *a, const struct song *b)
{
    for (size_t i = 0; i < a->n_tracks; i++) {
        struct track x = a->tracks[i], y = b->tracks[i];
        if (strcmp(x.name, y.name) != 0 || x.program != y.program || x.channel != y.channel ||
            x.volume != y.volume || x.pan != y.pan || x.reverb != y.reverb || x.chorus != y.chorus)
            return false;
    }
    return switches_equal(a, b) && !strcmp(a->title, b->title);
}

static void copy_band(struct song *to, const struct song *from)
{
    memcpy(to->title, from->title, sizeof to->title);
    for (size_t i = 0; i < to->n_tracks; i++) {
        struct track own = to->tracks[i], *t = &to->tracks[i];
        *t = from->tracks[i];
        t->notes = own.notes;
        t->n = own.n;
        t->cap = own.cap;
    }
}

static void spread_band(struct state *st)
{
    const struct song *song = st->sections[st->here].sheet->song;
    for (int i = 0; i < st->n_sections; i++)
        if (!band_equal(st->sections[i].sheet->song, song))
            copy_band(state_own(st, i)->song, song);
}

/* ---- steps ---- */

void steps_clear(struct steps *list)
{
    for (size_t i = 0; i < list->n; i++)
        state_fini(&list->at[i].before);
    list->n = 0;
}

static void steps_push(struct steps *list, struct step step)
{
    if (list->n == SESSION_MAX_UNDO) {
        state_fini(&list->at[0].before);
        memmove(list->at, list->at + 1, --list->n * sizeof *list->at);
    }
    list->at = xgrow(list->at, list->n, &list->cap, sizeof *list->at);
    list->at[list->n++] = step;
}

static uint32_t id_here(const struct state *st)
{
    return st->sections[st->here].id;
}

void session_edit_begin(struct session *s, const char *what)
{
    if (s->edit_depth++ > 0)
        return;
    struct step step = {.before = state_snapshot(&s->now),
                        .version = s->version,
                        .from = id_here(&s->now),
                        .from_place = s->now.place};
    str_copy(step.what, sizeof step.what, what);
    steps_push(&s->undo, step);
}

/* True when the step stays: something changed. */
static bool edit_close(struct session *s)
{
    BUG_ON(s->edit_depth <= 0);
    if (--s->edit_depth > 0)
        return false;
    struct step *top = &s->undo.at[s->undo.n - 1];
    spread_band(&s->now);
    if (state_equal(&top->before, &s->now)) {
        state_fini(&top->before);
        s->undo.n--;
        return false;
    }
    top->to = id_here(&s->now);
    top->to_place = s->now.place;
    steps_clear(&s->redo);
    s->version = ++s->last_version;
    return true;
}

void session_edit_end(struct session *s)
{
    edit_close(s);
}

void session_edit_cancel(struct session *s)
{
    BUG_ON(s->edit_depth != 1);
    struct step step = s->undo.at[--s->undo.n];
    s->edit_depth = 0;
    state_fini(&s->now);
    s->now = step.before;
}

/* A choice of a take. A run of them is one step, back to before the first, and none when it leads nowhere. */
void edit_close_choice(struct session *s, bool joins)
{
    if (!edit_close(s))
        return;
    if (joins)
        state_fini(&s->undo.at[--s->undo.n].before);
    struct step *top = &s->undo.at[s->undo.n - 1];
    top->choice = true;
    if (state_equal(&top->before, &s->now)) {
        s->version = top->version;
        state_fini(&top->before);
        s->undo.n--;
    }
}

void session_edit_awaits_take(struct session *s)
{
    BUG_ON(s->undo.n == 0 || s->edit_depth > 0);
    s->undo.at[s->undo.n - 1].choice = true;
}

bool edit_awaits_choice(const struct session *s)
{
    const struct step *top = s->undo.n > 0 ? &s->undo.at[s->undo.n - 1] : NULL;
    return top && top->choice && top->to == id_here(&s->now) && s->redo.n == 0;
}

/* Swap the present with the newest step of one list; the present goes to the other list. The hand comes to where
 * the edit was made, and in the present that goes it lies where the edit left it. */
static bool travel(struct session *s, bool back)
{
    struct steps *from = back ? &s->undo : &s->redo, *to = back ? &s->redo : &s->undo;
    BUG_ON(s->edit_depth != 0);
    if (from->n == 0)
        return false;
    struct step step = from->at[--from->n], other = step;
    other.before = s->now;
    other.version = s->version;
    other.choice = false;
    steps_push(to, other);
    s->now = step.before;
    s->version = step.version;
    state_sit(&s->now, state_find(&s->now, back ? step.from : step.to), back ? step.from_place : step.to_place);
    return true;
}

bool session_undo(struct session *s)
{
    return travel(s, true);
}
bool session_redo(struct session *s)
{
    return travel(s, false);
}
int session_n_undo(const struct session *s)
{
    return (int)s->undo.n;
}

const char *session_undo_name(const struct session *s)
{
    return s->undo.n ? s->undo.at[s->undo.n - 1].what : "";
}
