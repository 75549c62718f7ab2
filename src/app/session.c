/* session.c: a session's life, changes and takes; see session.h for the rules. Undo is in state.c, sections are in
 * form.c, opening and saving is in open.c, the project file in jam.c. */
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "mem.h"
#include "state.h"
#include "str.h"

static void fill_track(struct sheet *sh, enum role r, const struct track *from, const uint8_t mask[SESSION_MAX_BARS]);
static void drop_genres(struct session *s);

void settings_init(struct settings *o)
{
    *o = (struct settings){.style = "any", .genre = "any", .key = "auto", .seed = 1, .temperature = 1.0, .batch = 8,
                           .distance = 0.3, .strength = 1};
    for (int r = 0; r < N_ROLES; r++)
        o->density[r] = -1;
}

static void drop_take(struct slot *slot)
{
    take_fini(slot->take);
    free(slot->take);
}

static void tray_free(struct tray *t)
{
    for (size_t i = 0; i < t->n_slots; i++)
        drop_take(&t->slots[i]);
    free(t->slots);
    song_free(t->base);
    free(t);
}

static void drop_trays(struct session *s)
{
    for (size_t i = 0; i < s->n_trays; i++)
        tray_free(s->trays[i]);
    s->n_trays = 0;
}

static void empty(struct session *s)
{
    steps_clear(&s->undo);
    steps_clear(&s->redo);
    drop_trays(s);
    state_fini(&s->now);
}

void session_clear(struct session *s)
{
    empty(s);
    s->last_section = s->batch = 0;
    s->now = (struct state){.n_sections = 1, .n_chain = 1};
    s->now.sections[0] = section_new(s, "A", sheet_new(song_new_band(), 4));
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
    empty(s);
    free(s->undo.at);
    free(s->redo.at);
    free(s->trays);
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
    return session_sheet(s)->song;
}
int session_n_bars(const struct session *s)
{
    return session_sheet(s)->n_bars;
}
int32_t session_end(const struct session *s)
{
    return song_bar_tick(session_sheet(s)->song, session_sheet(s)->n_bars);
}
struct settings *session_settings(struct session *s)
{
    return &s->settings;
}

bool session_dirty(const struct session *s)
{
    return s->version != s->saved_version || s->tray_dirty;
}

uint64_t session_version(const struct session *s)
{
    return s->version;
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

/* ---- changes ---- */

void session_set_bars(struct session *s, int n_bars)
{
    session_edit_begin(s, "length");
    struct sheet *sh = session_sheet(s);
    sh->n_bars = n_bars < 1 ? 1 : n_bars > SESSION_MAX_BARS ? SESSION_MAX_BARS : n_bars;
    for (size_t i = 0; i < sh->song->n_tracks; i++)
        track_clear(&sh->song->tracks[i], session_end(s), SONG_MAX_TICKS);
    for (int r = 0; r < N_ROLES; r++)
        memset(&sh->keep[r][sh->n_bars], 0, (size_t)(SESSION_MAX_BARS - sh->n_bars));
    session_edit_end(s);
}

/* ---- keep ---- */

bool session_kept(const struct session *s, enum role r, int bar)
{
    return bar >= 0 && bar < session_sheet(s)->n_bars && session_sheet(s)->keep[r][bar];
}

bool session_track_kept(const struct session *s, enum role r)
{
    for (int bar = 0; bar < session_sheet(s)->n_bars; bar++)
        if (!session_sheet(s)->keep[r][bar])
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
    BUG_ON(r >= N_ROLES || bar >= session_sheet(s)->n_bars);
    session_edit_begin(s, on ? "keep" : "let go");
    if (bar >= 0)
        session_sheet(s)->keep[r][bar] = on;
    else
        memset(session_sheet(s)->keep[r], on, (size_t)session_sheet(s)->n_bars);
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
    BUG_ON(bar0 < 0 || n_bars < 1 || bar0 + n_bars > session_sheet(s)->n_bars);
    request_init(out, v, session_sheet(s)->song);
    out->bar0 = bar0;
    out->n_bars = n_bars;
    out->genre = -1;
    for (int r = 0; r < N_ROLES; r++) {
        const struct track *t = &session_sheet(s)->song->tracks[r];
        for (int bar = 0; bar < n_bars; bar++)
            out->keep[r][bar] = session_kept(s, r, bar0 + bar);
        out->silent[r] = t->mute;
        out->density[r] = o->density[r];
        out->range[r] = o->range[r];
    }
    for (int g = 0; g < s->n_genres; g++)
        if (str_same(s->genres[g], o->genre))
            out->genre = g;
    out->key.tonic = -1;
    key_parse(o->key, &out->key);
    out->snap = o->snap;
    out->temperature = o->temperature;
    out->distance = o->distance;
    out->seed = o->seed;
    out->n_takes = o->batch;
}

struct tray *tray_find(const struct session *s, uint32_t section)
{
    for (size_t i = 0; i < s->n_trays; i++)
        if (s->trays[i]->section == section)
            return s->trays[i];
    return NULL;
}

static struct tray *tray(const struct session *s)
{
    return tray_find(s, s->now.sections[s->now.here].id);
}

void session_begin_takes(struct session *s, const struct request *rq, int lead)
{
    struct tray *t = tray(s);
    song_free(t->base);
    t->base = song_dup(session_song(s));
    memset(t->mask, 0, sizeof t->mask);
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < rq->n_bars; bar++)
            t->mask[r][rq->bar0 - lead + bar] = !rq->keep[r][bar] && !rq->silent[r];
    t->first_of_batch = t->last_id + 1;
    for (int i = 0; i < 2; i++)
        t->ends[i] = rq->verb == VERB_INTERPOLATE ? t->mark[i] : NO_TAKE;
    t->lead = lead;
    s->batch = t->section;
    if (s->undo.n > 0)
        s->undo.at[s->undo.n - 1].choice = false;
}

static int slot_index(const struct tray *t, uint32_t id)
{
    for (size_t i = 0; id != NO_TAKE && i < t->n_slots; i++)
        if (t->slots[i].id == id)
            return (int)i;
    return -1;
}

const struct take *tray_take(const struct tray *t, uint32_t id)
{
    int i = slot_index(t, id);
    return i >= 0 ? t->slots[i].take : NULL;
}

static const struct slot *slot_at(const struct tray *t, int i)
{
    return i >= 0 && (size_t)i < t->n_slots ? &t->slots[i] : NULL;
}

/* The oldest take without a star or a mark that is not the chosen one goes; the tray never refuses. */
static void evict_one(const struct session *s, struct tray *t)
{
    size_t i = 0;
    int section = state_find(&s->now, t->section);
    uint32_t current = section >= 0 ? s->now.sections[section].sheet->current : NO_TAKE;
    while (i < t->n_slots - 1 && (t->slots[i].take->star || t->slots[i].id == current ||
                                  t->slots[i].id == t->mark[0] || t->slots[i].id == t->mark[1]))
        i++;
    drop_take(&t->slots[i]);
    memmove(&t->slots[i], &t->slots[i + 1], (--t->n_slots - i) * sizeof *t->slots);
}

/* What was asked for with music before it came with that music. */
static void cut_lead(struct take *t, int lead)
{
    struct song *own = song_part(t->song, song_bar_tick(t->song, lead), SONG_MAX_TICKS);
    song_free(t->song);
    t->song = own;
}

/* More of a take that is growing: it takes the place of what came before, on the sheet too where nothing was edited
 * since. That is no step of its own to undo: choosing the take was. */
static void grow(struct session *s, struct tray *t, struct slot *slot, struct take *take)
{
    take_fini(slot->take);
    free(slot->take);
    slot->take = take;
    take->twin = take->growing ? 0 : tray_find_twin(t, take->song);
    if (take->twin == slot->id)
        take->twin = 0;
    s->tray_dirty = true;
    if (t != tray(s) || session_sheet(s)->current != slot->id || s->version != s->grown)
        return;
    struct sheet *sh = state_own(&s->now, s->now.here);
    for (int r = 0; r < N_ROLES; r++)
        fill_track(sh, (enum role)r, &take->song->tracks[r], slot->mask[r]);
    s->grown = s->version = ++s->last_version;
}

/* A batch may finish out of order; its takes are numbered as they were asked for and stand in that order, so a
 * number names the same music however the threads ran. */
int session_add_take(struct session *s, int index, struct take *take)
{
    struct tray *t = tray_find(s, s->batch);
    if (t->n_slots == SESSION_MAX_TAKES)
        evict_one(s, t);
    if (t->lead > 0)
        cut_lead(take, t->lead);
    int grown = slot_index(t, t->first_of_batch + (uint32_t)index);
    if (grown >= 0 && t->slots[grown].take->growing) {
        grow(s, t, &t->slots[grown], take);
        return grown;
    }
    struct slot slot = {.take = take, .id = t->first_of_batch + (uint32_t)index};
    if (slot_index(t, slot.id) >= 0)
        slot.id = t->last_id + 1;
    memcpy(take->between, t->ends, sizeof take->between);
    take->twin = take->growing ? 0 : tray_find_twin(t, take->song);
    if (slot.id > t->last_id)
        t->last_id = slot.id;
    memcpy(slot.mask, t->mask, sizeof t->mask);
    t->slots = xgrow(t->slots, t->n_slots, &t->cap_slots, sizeof *t->slots);
    size_t i = t->n_slots++;
    for (; i > 0 && t->slots[i - 1].id > slot.id; i--)
        t->slots[i] = t->slots[i - 1];
    t->slots[i] = slot;
    s->tray_dirty = true;
    return (int)i;
}

int session_batch_section(const struct session *s)
{
    return state_find(&s->now, s->batch);
}

int session_n_takes(const struct session *s)
{
    return (int)tray(s)->n_slots;
}
int session_current(const struct session *s)
{
    return slot_index(tray(s), session_sheet(s)->current);
}

const struct take *session_take(const struct session *s, int i)
{
    const struct slot *slot = slot_at(tray(s), i);
    return slot ? slot->take : NULL;
}

int session_take_number(const struct session *s, int i)
{
    const struct slot *slot = slot_at(tray(s), i);
    return slot ? (int)slot->id : 0;
}

void session_star(struct session *s, int i)
{
    const struct slot *slot = slot_at(tray(s), i);
    if (!slot)
        return;
    slot->take->star = !slot->take->star;
    s->tray_dirty = true;
}

void session_mark(struct session *s, int which, int i)
{
    const struct slot *slot = slot_at(tray(s), i);
    tray(s)->mark[which] = slot ? slot->id : NO_TAKE;
    s->tray_dirty = true;
}

int session_marked(const struct session *s, int which)
{
    return slot_index(tray(s), tray(s)->mark[which]);
}

bool session_asked(const struct session *s, int i, enum role r, int bar)
{
    const struct slot *slot = slot_at(tray(s), i);
    return slot && slot->mask[r][bar];
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
static void fill_track(struct sheet *sh, enum role r, const struct track *from, const uint8_t mask[SESSION_MAX_BARS])
{
    const struct song *song = sh->song;
    struct track *t = &sh->song->tracks[r];
    bool open[SESSION_MAX_BARS + 1] = {false};
    for (int bar = 0; bar < sh->n_bars; bar++) {
        open[bar] = mask[bar] && !sh->keep[r][bar];
        if (open[bar])
            track_clear(t, song_bar_tick(song, bar), song_bar_tick(song, bar + 1));
    }
    for (size_t i = 0; i < from->n; i++) {
        struct note note = from->notes[i];
        int bar = song_bar_of(song, note.tick);
        if (bar >= sh->n_bars || !open[bar] || covered(t, note.pitch, note.tick))
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
    const struct tray *t = tray(s);
    const struct slot *slot = slot_at(t, i);
    const struct song *from = slot ? slot->take->song : t->base;
    uint32_t id = slot ? slot->id : NO_TAKE;
    if (!from || id == session_sheet(s)->current)
        return;
    bool joins = edit_awaits_choice(s);
    session_edit_begin(s, "take");
    for (int r = 0; r < N_ROLES; r++)
        fill_track(session_sheet(s), (enum role)r, &from->tracks[r], slot ? slot->mask[r] : t->mask[r]);
    session_sheet(s)->current = id;
    edit_close_choice(s, joins);
    s->grown = s->version;
}
