/* form.c: sections and the chain they sound in; the whole as one song; cutting and joining. */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "state.h"
#include "str.h"

struct section section_new(struct session *s, const char *name, struct sheet *sheet)
{
    struct section section = {.id = ++s->last_section, .sheet = sheet};
    struct tray *t = xcalloc(1, sizeof *t);
    str_copy(section.name, sizeof section.name, name);
    t->section = section.id;
    s->trays = xgrow(s->trays, s->n_trays, &s->cap_trays, sizeof *s->trays);
    s->trays[s->n_trays++] = t;
    return section;
}

/* ---- looking ---- */

int session_n_sections(const struct session *s)
{
    return s->now.n_sections;
}
int session_here(const struct session *s)
{
    return s->now.here;
}
int session_n_chain(const struct session *s)
{
    return s->now.n_chain;
}
int session_chain(const struct session *s, int place)
{
    return s->now.chain[place];
}
int session_place(const struct session *s)
{
    return s->now.place;
}
const char *session_section_name(const struct session *s, int section)
{
    return s->now.sections[section].name;
}
const struct song *session_section_song(const struct session *s, int section)
{
    return s->now.sections[section].sheet->song;
}
int session_section_bars(const struct session *s, int section)
{
    return s->now.sections[section].sheet->n_bars;
}

int session_find_section(const struct session *s, const char *name)
{
    for (int i = 0; i < s->now.n_sections; i++)
        if (str_same(s->now.sections[i].name, name))
            return i;
    return -1;
}

void session_go(struct session *s, int section, int place)
{
    state_sit(&s->now, section, place);
}

/* ---- the whole ---- */

static int32_t sheet_ticks(const struct sheet *sh)
{
    return song_bar_tick(sh->song, sh->n_bars);
}

/* Of a form beyond all reason the end is not told apart. */
int32_t session_place_tick(const struct session *s, int place)
{
    int64_t tick = 0;
    for (int i = 0; i < place && i < s->now.n_chain; i++)
        tick += sheet_ticks(s->now.sections[s->now.chain[i]].sheet);
    return tick < SONG_MAX_TICKS / 2 ? (int32_t)tick : SONG_MAX_TICKS / 2;
}

int session_place_at(const struct session *s, int32_t tick)
{
    int place = 0;
    while (place + 1 < s->now.n_chain && session_place_tick(s, place + 1) <= tick)
        place++;
    return place;
}

/* A section's own marker at its start stands in brackets behind its name. */
static void mark_start(struct song *song, int32_t at, const struct section *section)
{
    const struct song *own = section->sheet->song;
    bool told = own->n_markers > 0 && own->markers[0].tick == 0 && !str_same(own->markers[0].text, section->name);
    char text[64];
    str_format(text, sizeof text, told ? "%s (%.40s)" : "%s", section->name, told ? own->markers[0].text : "");
    song_add_marker(song, at, text);
}

static struct song *flatten(const struct session *s, int place, int n)
{
    const struct state *st = &s->now;
    const struct song *first = st->sections[st->chain[place]].sheet->song;
    if (n == 1)
        return song_dup(first);
    struct song *whole = song_part(first, 0, 0);
    int32_t from = session_place_tick(s, place);
    for (int i = place; i < place + n; i++) {
        const struct section *section = &st->sections[st->chain[i]];
        int32_t at = session_place_tick(s, i) - from;
        song_paste(whole, at, section->sheet->song, 0, SONG_MAX_TICKS / 2);
        mark_start(whole, at, section);
    }
    for (size_t t = 0; t < whole->n_tracks; t++)
        track_tidy(&whole->tracks[t]);
    return whole;
}

struct song *session_whole(const struct session *s)
{
    return flatten(s, 0, s->now.n_chain);
}

/* ---- changing: a new chain and new sections are made aside and put in only when all of it fits ---- */

/* A', A'' or A''' of A; else the first free letter, or two. */
static void free_name(const struct session *s, const char *base, char out[SESSION_NAME])
{
    for (int i = 1; base && i <= 3; i++) {
        str_format(out, SESSION_NAME, "%s%.*s", base, i, "'''");
        if (session_find_section(s, out) < 0)
            return;
    }
    for (int i = 0;; i++) {
        if (i < 26)
            str_format(out, SESSION_NAME, "%c", 'A' + i);
        else
            str_format(out, SESSION_NAME, "%c%c", 'A' + i / 26 - 1, 'A' + i % 26);
        if (session_find_section(s, out) < 0)
            return;
    }
}

static enum err room(const struct session *s, int sections, int places)
{
    if (s->now.n_sections + sections > SESSION_MAX_SECTIONS)
        return err_set(ERR_RANGE, "that makes more than %d sections", SESSION_MAX_SECTIONS);
    if (s->now.n_chain + places > SESSION_MAX_CHAIN)
        return err_set(ERR_RANGE, "that makes a chain of more than %d entries", SESSION_MAX_CHAIN);
    return ERR_OK;
}

static void open_chain(struct state *st, int place, int n)
{
    memmove(&st->chain[place + n], &st->chain[place], (size_t)(st->n_chain - place));
    st->n_chain += n;
}

/* The entries stay, but none of them names `section` any more. */
static void take_out(struct state *st, int section)
{
    int n = 0;
    for (int i = 0; i < st->n_chain; i++)
        if (st->chain[i] != section)
            st->chain[n++] = (uint8_t)(st->chain[i] - (st->chain[i] > section));
    st->n_chain = n;
    sheet_drop(st->sections[section].sheet);
    st->n_sections--;
    memmove(&st->sections[section], &st->sections[section + 1],
            (size_t)(st->n_sections - section) * sizeof *st->sections);
    st->here -= st->here > section;
}

enum err session_set_chain(struct session *s, const uint8_t *sections, int n)
{
    if (n < 1 || n > SESSION_MAX_CHAIN)
        return err_set(ERR_RANGE, "a chain has 1 to %d entries", SESSION_MAX_CHAIN);
    session_edit_begin(s, "chain");
    memcpy(s->now.chain, sections, (size_t)n);
    s->now.n_chain = n;
    state_sit(&s->now, s->now.here, s->now.place);
    session_edit_end(s);
    return ERR_OK;
}

static enum err add(struct session *s, const char *what, const char *base, struct sheet *sheet)
{
    char name[SESSION_NAME];
    int place = s->now.place < 0 ? s->now.n_chain : s->now.place + 1, new = s->now.n_sections;
    enum err err = room(s, 1, 1);
    if (err != ERR_OK) {
        sheet_drop(sheet);
        return err;
    }
    free_name(s, base, name);
    session_edit_begin(s, what);
    s->now.sections[s->now.n_sections++] = section_new(s, name, sheet);
    open_chain(&s->now, place, 1);
    s->now.chain[place] = (uint8_t)new;
    state_sit(&s->now, new, place);
    session_edit_end(s);
    return ERR_OK;
}

enum err session_add_section(struct session *s, int n_bars)
{
    const struct sheet *here = session_sheet(s);
    int32_t end = sheet_ticks(here);
    BUG_ON(n_bars < 1 || n_bars > SESSION_MAX_BARS);
    return add(s, "section", NULL, sheet_new(song_part(here->song, end, end), n_bars));
}

/* The copy begins without takes: those are of the section they were made for. */
enum err session_copy_section(struct session *s, bool variant)
{
    struct sheet *copy = sheet_dup(session_sheet(s));
    copy->current = NO_TAKE;
    return add(s, variant ? "variation" : "copy", variant ? s->now.sections[s->now.here].name : NULL, copy);
}

/* Names are words of the chain, and no words of its commands. */
enum err session_rename(struct session *s, const char *name)
{
    static const char *const taken[] = {"next", "prev", "new", "add", "drop", "earlier", "later"};
    char *own = s->now.sections[s->now.here].name;
    int other = session_find_section(s, name);
    if (!*name || strlen(name) >= SESSION_NAME || strpbrk(name, " \t\"#"))
        return err_set(ERR_RANGE, "a section's name is one word of up to %d letters", SESSION_NAME - 1);
    for (size_t i = 0; i < COUNT_OF(taken); i++)
        if (str_same(name, taken[i]))
            return err_set(ERR_RANGE, "\"%s\" is a word of the commands: take another name", name);
    if (other >= 0 && other != s->now.here)
        return err_set(ERR_RANGE, "there is a section %s already", s->now.sections[other].name);
    session_edit_begin(s, "name");
    str_copy(own, SESSION_NAME, name);
    session_edit_end(s);
    return ERR_OK;
}

enum err session_delete_section(struct session *s, int section)
{
    struct state *st = &s->now;
    if (st->n_sections == 1)
        return err_set(ERR_RANGE, "%s is the only section", st->sections[section].name);
    session_edit_begin(s, "delete section");
    take_out(st, section);
    if (st->n_chain == 0) {
        st->chain[0] = (uint8_t)(section < st->n_sections ? section : section - 1);
        st->n_chain = 1;
    }
    state_sit(st, st->here < st->n_sections ? st->here : st->n_sections - 1, st->place);
    session_edit_end(s);
    return ERR_OK;
}

/* ---- cutting and joining ---- */

/* Not the names people gave to places, and not what is kept. */
static bool same_music(const struct sheet *a, const struct sheet *b)
{
    size_t n_a = a->song->n_markers, n_b = b->song->n_markers;
    a->song->n_markers = b->song->n_markers = 0;
    bool same = a->n_bars == b->n_bars && song_equal(a->song, b->song);
    a->song->n_markers = n_a;
    b->song->n_markers = n_b;
    return same;
}

static struct sheet *phrase(const struct sheet *sh, int bar0, int bar1)
{
    struct song *song = song_part(sh->song, song_bar_tick(sh->song, bar0), song_bar_tick(sh->song, bar1));
    struct sheet *part = sheet_new(song, bar1 - bar0);
    for (int r = 0; r < N_ROLES; r++)
        memcpy(part->keep[r], &sh->keep[r][bar0], (size_t)(bar1 - bar0));
    return part;
}

static void keep_also(struct sheet *to, const struct sheet *from)
{
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < to->n_bars; bar++)
            to->keep[r][bar] |= from->keep[r][bar];
}

struct pieces {
    struct sheet *sheet[SESSION_MAX_CHAIN]; /* the different ones */
    const char *name[SESSION_MAX_CHAIN];
    uint8_t order[SESSION_MAX_CHAIN];
    int n_sheets, n;
};

static void cut(const struct sheet *sh, const int *bars, const char *const *names, int n, struct pieces *out)
{
    *out = (struct pieces){.n = n};
    for (int i = 0; i < n; i++) {
        struct sheet *part = phrase(sh, bars[i], i + 1 < n ? bars[i + 1] : sh->n_bars);
        int k = 0;
        while (k < out->n_sheets && !same_music(out->sheet[k], part))
            k++;
        out->order[i] = (uint8_t)k;
        if (k < out->n_sheets) {
            keep_also(out->sheet[k], part);
            sheet_drop(part);
            continue;
        }
        out->name[k] = names ? names[i] : NULL;
        out->sheet[out->n_sheets++] = part;
    }
}

/* A marker's text as a name that is free; "the second verse" is too long for one. */
static void name_piece(const struct session *s, const char *wanted, char out[SESSION_NAME])
{
    char name[SESSION_NAME - 4] = "";
    size_t n = 0;
    for (; wanted && *wanted && n + 1 < sizeof name; wanted++)
        name[n++] = strchr(" \t\"#", *wanted) || (unsigned char)*wanted < ' ' ? '-' : *wanted;
    while (n > 0 && wanted && ((unsigned char)*wanted & 0xc0) == 0x80) /* a letter was cut in two */
        if (((unsigned char)name[--n] & 0xc0) == 0xc0)
            break;
    name[n] = '\0';
    if (!n)
        free_name(s, NULL, out);
    else if (session_find_section(s, name) < 0)
        str_copy(out, SESSION_NAME, name);
    else
        free_name(s, name, out);
}

/* The pieces in place of the section under the hand, wherever the chain names it. */
static void put_pieces(struct session *s, const struct pieces *p)
{
    struct state *st = &s->now;
    int old = st->here, first = st->n_sections, place = st->place;
    for (int i = 0; i < st->n_chain; i++) {
        if (st->chain[i] != old)
            continue;
        place += i < place ? p->n - 1 : 0;
        open_chain(st, i + 1, p->n - 1);
        for (int k = 0; k < p->n; k++)
            st->chain[i + k] = (uint8_t)(first + p->order[k]);
        i += p->n - 1;
    }
    st->sections[old].name[0] = '\0'; /* its name is free for a piece */
    for (int k = 0; k < p->n_sheets; k++) {
        char name[SESSION_NAME];
        name_piece(s, p->name[k], name);
        st->sections[st->n_sections++] = section_new(s, name, p->sheet[k]);
    }
    take_out(st, old);
    place = place < 0 ? 0 : place;
    state_sit(st, st->chain[place], place);
}

enum err session_split(struct session *s, const int *bars, const char *const *names, int n)
{
    struct state *st = &s->now;
    struct pieces pieces;
    int entries = 0;
    for (int i = 0; i < st->n_chain; i++)
        entries += st->chain[i] == st->here;
    if (n < 2)
        return err_set(ERR_EMPTY, "%s is one phrase already", st->sections[st->here].name);
    if (entries == 0)
        return err_set(ERR_EMPTY, "%s is not in the chain", st->sections[st->here].name);
    if (n > SESSION_MAX_CHAIN)
        return room(s, 0, n);
    TRY(room(s, 0, entries * (n - 1)));
    cut(session_sheet(s), bars, names, n, &pieces);
    enum err err = room(s, pieces.n_sheets, 0);
    if (err != ERR_OK) {
        for (int i = 0; i < pieces.n_sheets; i++)
            sheet_drop(pieces.sheet[i]);
        return err;
    }
    session_edit_begin(s, "split");
    put_pieces(s, &pieces);
    session_edit_end(s);
    return ERR_OK;
}

static bool in_chain(const struct state *st, int section)
{
    for (int i = 0; i < st->n_chain; i++)
        if (st->chain[i] == section)
            return true;
    return false;
}

/* Sections that only these entries named go with them. */
enum err session_join(struct session *s, int place, int n)
{
    struct state *st = &s->now;
    int bars = 0, gone[SESSION_MAX_CHAIN];
    char name[SESSION_NAME];
    if (n < 2 || place < 0 || place + n > st->n_chain)
        return err_set(ERR_EMPTY, "nothing follows in the chain to join with");
    struct sheet *joined = sheet_new(NULL, 0);
    for (int i = 0; i < n; i++) {
        const struct sheet *sh = st->sections[st->chain[place + i]].sheet;
        for (int r = 0; r < N_ROLES && bars + sh->n_bars <= SESSION_MAX_BARS; r++)
            memcpy(&joined->keep[r][bars], sh->keep[r], (size_t)sh->n_bars);
        bars += sh->n_bars;
        gone[i] = st->chain[place + i];
    }
    enum err err = bars > SESSION_MAX_BARS ? err_set(ERR_RANGE, "that is %d bars: a section has up to %d", bars,
                                                     SESSION_MAX_BARS)
                                           : room(s, 1, 0);
    if (err != ERR_OK) {
        free(joined);
        return err;
    }
    joined->n_bars = bars;
    joined->song = flatten(s, place, n);
    session_edit_begin(s, "join");
    str_copy(name, sizeof name, st->sections[gone[0]].name);
    st->chain[place] = (uint8_t)st->n_sections;
    open_chain(st, place + n, 1 - n);
    uint32_t id = s->last_section + 1;
    st->sections[st->n_sections++] = section_new(s, "", joined);
    for (int section = st->n_sections - 1; section >= 0; section--)
        for (int i = 0; i < n; i++)
            if (gone[i] == section && !in_chain(st, section)) {
                take_out(st, section);
                break;
            }
    if (session_find_section(s, name) >= 0)
        free_name(s, NULL, name);
    str_copy(st->sections[state_find(st, id)].name, SESSION_NAME, name);
    state_sit(st, state_find(st, id), place);
    session_edit_end(s);
    return ERR_OK;
}
