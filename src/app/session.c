/* session.c: changes, undo and takes; see session.h for the rules. Opening and saving is in open.c, the
 * project file in jam.c. */
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "mem.h"
#include "state.h"
#include "str.h"

static void drop_genres(struct session *s);

static void state_fini(struct state *st)
{
    song_free(st->song);
    st->song = NULL;
}

static struct state state_dup(const struct state *st)
{
    struct state copy = *st;
    copy.song = song_dup(st->song);
    return copy;
}

/* song_equal knows the music; these are the switches and the mix, which undo brings back too. */
static bool mix_equal(const struct song *a, const struct song *b)
{
    for (size_t i = 0; i < a->n_tracks; i++) {
        const struct track *x = &a->tracks[i], *y = &b->tracks[i];
        if (x->mute != y->mute || x->solo != y->solo || x->volume != y->volume || x->pan != y->pan ||
            x->reverb != y->reverb || x->chorus != y->chorus)
            return false;
    }
    return true;
}

static bool state_equal(const struct state *a, const struct state *b)
{
    return a->n_bars == b->n_bars && a->current == b->current && a->song->n_tracks == b->song->n_tracks &&
           !memcmp(a->keep, b->keep, sizeof a->keep) && song_equal(a->song, b->song) &&
           mix_equal(a->song, b->song);
}

static void steps_clear(struct steps *list)
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

void settings_init(struct settings *o)
{
    *o = (struct settings){.style = "any", .genre = "any", .key = "auto", .seed = 1, .temperature = 1.0, .batch = 8};
    for (int r = 0; r < N_ROLES; r++)
        o->density[r] = -1;
}

static void drop_takes(struct session *s)
{
    for (size_t i = 0; i < s->n_slots; i++) {
        take_fini(s->slots[i].take);
        free(s->slots[i].take);
    }
    s->n_slots = 0;
    s->last_id = s->first_of_batch = 0;
    s->mark[0] = s->mark[1] = NO_TAKE;
    song_free(s->base);
    s->base = NULL;
    memset(s->mask, 0, sizeof s->mask);
}

void session_clear(struct session *s)
{
    steps_clear(&s->undo);
    steps_clear(&s->redo);
    drop_takes(s);
    state_fini(&s->now);
    s->now = (struct state){.song = song_new_band(), .n_bars = 4};
    settings_init(&s->settings);
}

/* All but the genres, which belong to the program's weight files and not to a project. */
void session_swap(struct session *a, struct session *b)
{
    struct session old = *a;
    *a = *b;
    *b = old;
    b->genres = a->genres;
    b->n_genres = a->n_genres;
    a->genres = old.genres;
    a->n_genres = old.n_genres;
}

struct session *session_new(void)
{
    struct session *s = xcalloc(1, sizeof *s);
    session_clear(s);
    session_loaded(s, NULL);
    return s;
}

void session_free(struct session *s)
{
    if (!s)
        return;
    steps_clear(&s->undo);
    steps_clear(&s->redo);
    drop_takes(s);
    state_fini(&s->now);
    free(s->undo.at);
    free(s->redo.at);
    free(s->slots);
    drop_genres(s);
    free(s->path);
    free(s);
}

void session_loaded(struct session *s, const char *path)
{
    char *copy = path ? xstrdup(path) : NULL;
    free(s->path);
    s->path = copy;
    steps_clear(&s->undo);
    steps_clear(&s->redo);
    s->saved_version = s->version = ++s->last_version;
    s->tray_dirty = false;
}

const char *session_path(const struct session *s)
{
    return s->path;
}
struct song *session_song(struct session *s)
{
    return s->now.song;
}
int session_n_bars(const struct session *s)
{
    return s->now.n_bars;
}
int32_t session_end(const struct session *s)
{
    return song_bar_tick(s->now.song, s->now.n_bars);
}
struct settings *session_settings(struct session *s)
{
    return &s->settings;
}

bool session_dirty(const struct session *s)
{
    return s->version != s->saved_version || s->tray_dirty;
}

const char *session_title(const struct session *s)
{
    return s->path ? path_base(s->path) : "untitled";
}

int session_round_bars(int n_bars)
{
    int n = (n_bars + 3) / 4 * 4;
    return n < 4 ? 4 : n > SESSION_MAX_BARS ? SESSION_MAX_BARS : n;
}

/* ---- changes and undo ---- */

void session_edit_begin(struct session *s, const char *what)
{
    if (s->edit_depth++ > 0)
        return;
    struct step step = {.before = state_dup(&s->now), .version = s->version};
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
    if (state_equal(&top->before, &s->now)) {
        state_fini(&top->before);
        s->undo.n--;
        return false;
    }
    steps_clear(&s->redo);
    s->version = ++s->last_version;
    return true;
}

void session_edit_end(struct session *s)
{
    edit_close(s);
}

/* Swap the present with the newest step of one list; the present goes to the other list. */
static bool travel(struct session *s, struct steps *from, struct steps *to)
{
    BUG_ON(s->edit_depth != 0);
    if (from->n == 0)
        return false;
    struct step step = from->at[--from->n];
    struct step back = {.before = s->now, .version = s->version};
    str_copy(back.what, sizeof back.what, step.what);
    steps_push(to, back);
    s->now = step.before;
    s->version = step.version;
    return true;
}

bool session_undo(struct session *s)
{
    return travel(s, &s->undo, &s->redo);
}
bool session_redo(struct session *s)
{
    return travel(s, &s->redo, &s->undo);
}
int session_n_undo(const struct session *s)
{
    return (int)s->undo.n;
}

const char *session_undo_name(const struct session *s)
{
    return s->undo.n ? s->undo.at[s->undo.n - 1].what : "";
}

void session_set_bars(struct session *s, int n_bars)
{
    session_edit_begin(s, "length");
    s->now.n_bars = n_bars < 1 ? 1 : n_bars > SESSION_MAX_BARS ? SESSION_MAX_BARS : n_bars;
    for (size_t i = 0; i < s->now.song->n_tracks; i++)
        track_clear(&s->now.song->tracks[i], session_end(s), SONG_MAX_TICKS);
    for (int r = 0; r < N_ROLES; r++)
        memset(&s->now.keep[r][s->now.n_bars], 0, (size_t)(SESSION_MAX_BARS - s->now.n_bars));
    session_edit_end(s);
}

/* ---- keep ---- */

bool session_kept(const struct session *s, enum role r, int bar)
{
    return bar >= 0 && bar < s->now.n_bars && s->now.keep[r][bar];
}

bool session_track_kept(const struct session *s, enum role r)
{
    for (int bar = 0; bar < s->now.n_bars; bar++)
        if (!s->now.keep[r][bar])
            return false;
    return true;
}

bool session_any_kept(const struct session *s, int bar0, int n_bars)
{
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = bar0; bar < bar0 + n_bars; bar++)
            if (session_kept(s, r, bar))
                return true;
    return false;
}

void session_keep(struct session *s, enum role r, int bar, bool on)
{
    BUG_ON(r >= N_ROLES || bar >= s->now.n_bars);
    session_edit_begin(s, on ? "keep" : "let go");
    if (bar >= 0)
        s->now.keep[r][bar] = on;
    else
        memset(s->now.keep[r], on, (size_t)s->now.n_bars);
    session_edit_end(s);
}

/* ---- requests and takes ---- */

static void drop_genres(struct session *s)
{
    for (int i = 0; i < s->n_genres; i++)
        free(s->genres[i]);
    free(s->genres);
    s->genres = NULL;
    s->n_genres = 0;
}

void session_set_genres(struct session *s, char *const *names, int n)
{
    drop_genres(s);
    s->genres = xcalloc((size_t)n + 1, sizeof *s->genres);
    for (; s->n_genres < n; s->n_genres++)
        s->genres[s->n_genres] = xstrdup(names[s->n_genres]);
}

void session_request(struct session *s, enum verb v, int bar0, int n_bars, struct request *out)
{
    const struct settings *o = &s->settings;
    BUG_ON(bar0 < 0 || n_bars < 1 || bar0 + n_bars > s->now.n_bars);
    request_init(out, v, s->now.song);
    out->bar0 = bar0;
    out->n_bars = n_bars;
    out->genre = -1;
    for (int r = 0; r < N_ROLES; r++) {
        const struct track *t = &s->now.song->tracks[r];
        for (int bar = 0; bar < n_bars; bar++)
            out->keep[r][bar] = session_kept(s, r, bar0 + bar);
        out->silent[r] = t->mute;
        out->density[r] = o->density[r];
    }
    for (int g = 0; g < s->n_genres; g++)
        if (str_same(s->genres[g], o->genre))
            out->genre = g;
    out->key.tonic = -1;
    key_parse(o->key, &out->key);
    out->snap = o->snap;
    out->temperature = o->temperature;
    out->seed = o->seed;
    out->n_takes = o->batch;
}

void session_begin_takes(struct session *s, const struct request *rq)
{
    song_free(s->base);
    s->base = song_dup(s->now.song);
    memset(s->mask, 0, sizeof s->mask);
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < rq->n_bars; bar++)
            s->mask[r][rq->bar0 + bar] = !rq->keep[r][bar] && !rq->silent[r];
    s->first_of_batch = s->last_id + 1;
    s->batch_seed = rq->seed;
    if (s->undo.n > 0)
        s->undo.at[s->undo.n - 1].choice = false;
}

static int slot_index(const struct session *s, uint32_t id)
{
    for (size_t i = 0; id != NO_TAKE && i < s->n_slots; i++)
        if (s->slots[i].id == id)
            return (int)i;
    return -1;
}

/* The oldest take without a star or a mark that is not the chosen one goes; the tray never refuses. */
static void evict_one(struct session *s)
{
    size_t i = 0;
    while (i < s->n_slots - 1 && (s->slots[i].take->star || s->slots[i].id == s->now.current ||
                                  s->slots[i].id == s->mark[0] || s->slots[i].id == s->mark[1]))
        i++;
    take_fini(s->slots[i].take);
    free(s->slots[i].take);
    memmove(&s->slots[i], &s->slots[i + 1], (--s->n_slots - i) * sizeof *s->slots);
}

/* A batch may finish out of order; its takes are numbered by seed and stand in that order, so a number
 * names the same music however the threads ran. */
int session_add_take(struct session *s, struct take *t)
{
    if (s->n_slots == SESSION_MAX_TAKES)
        evict_one(s);
    uint64_t rank = t->seed - s->batch_seed;
    struct slot slot = {.take = t, .id = s->last_id + 1};
    if (rank < SESSION_MAX_TAKES && slot_index(s, s->first_of_batch + (uint32_t)rank) < 0)
        slot.id = s->first_of_batch + (uint32_t)rank;
    if (slot.id > s->last_id)
        s->last_id = slot.id;
    memcpy(slot.mask, s->mask, sizeof s->mask);
    s->slots = xgrow(s->slots, s->n_slots, &s->cap_slots, sizeof *s->slots);
    size_t i = s->n_slots++;
    for (; i > 0 && s->slots[i - 1].id > slot.id; i--)
        s->slots[i] = s->slots[i - 1];
    s->slots[i] = slot;
    s->tray_dirty = true;
    return (int)i;
}

int session_n_takes(const struct session *s)
{
    return (int)s->n_slots;
}
int session_current(const struct session *s)
{
    return slot_index(s, s->now.current);
}

const struct take *session_take(const struct session *s, int i)
{
    return i >= 0 && (size_t)i < s->n_slots ? s->slots[i].take : NULL;
}

int session_take_number(const struct session *s, int i)
{
    return i >= 0 && (size_t)i < s->n_slots ? (int)s->slots[i].id : 0;
}

void session_star(struct session *s, int i)
{
    if (i < 0 || (size_t)i >= s->n_slots)
        return;
    s->slots[i].take->star = !s->slots[i].take->star;
    s->tray_dirty = true;
}

void session_mark(struct session *s, int which, int i)
{
    s->mark[which] = i >= 0 && (size_t)i < s->n_slots ? s->slots[i].id : NO_TAKE;
    s->tray_dirty = true;
}

int session_marked(const struct session *s, int which)
{
    return slot_index(s, s->mark[which]);
}

/* A kept note of this pitch sounds into `tick`: it stays whole and the newcomer gives way. */
static bool covered(const struct track *t, int pitch, int32_t tick)
{
    for (size_t i = 0; i < t->n && t->notes[i].tick <= tick; i++)
        if (t->notes[i].pitch == pitch && t->notes[i].tick + t->notes[i].dur > tick)
            return true;
    return false;
}

/* Replace the open cells of one track by those of `from`. A newcomer ends where the next closed cell
 * begins. */
static void fill_track(struct session *s, enum role r, const struct track *from,
                       const uint8_t mask[SESSION_MAX_BARS])
{
    struct track *t = &s->now.song->tracks[r];
    const struct song *song = s->now.song;
    bool open[SESSION_MAX_BARS + 1] = {false};
    for (int bar = 0; bar < s->now.n_bars; bar++) {
        open[bar] = mask[bar] && !s->now.keep[r][bar];
        if (open[bar])
            track_clear(t, song_bar_tick(song, bar), song_bar_tick(song, bar + 1));
    }
    for (size_t i = 0; i < from->n; i++) {
        struct note note = from->notes[i];
        int bar = song_bar_of(song, note.tick);
        if (bar >= s->now.n_bars || !open[bar] || covered(t, note.pitch, note.tick))
            continue;
        while (open[bar])
            bar++;
        int32_t limit = song_bar_tick(song, bar);
        if (note.tick + note.dur > limit)
            note.dur = limit - note.tick;
        track_add(t, note);
    }
}

void session_choose(struct session *s, int i)
{
    const struct slot *slot = i >= 0 && (size_t)i < s->n_slots ? &s->slots[i] : NULL;
    const struct song *from = slot ? slot->take->song : s->base;
    uint32_t id = slot ? slot->id : NO_TAKE;
    if (!from || id == s->now.current)
        return;
    bool joins = s->undo.n > 0 && s->undo.at[s->undo.n - 1].choice && s->redo.n == 0;
    session_edit_begin(s, "take");
    for (int r = 0; r < N_ROLES; r++)
        fill_track(s, r, &from->tracks[r], slot ? slot->mask[r] : s->mask[r]);
    s->now.current = id;
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
