/* state.h: the insides of a session, shared by state.c (what undo brings back, and undo), form.c (sections and
 * the chain), session.c (changes and takes) and jam.c (files). */
#pragma once
#include "session.h"
#include "song.h"

enum { NO_TAKE = 0 };                        /* take identities count from 1 */

/* The music of one section and what belongs to it. Snapshots share those that did not change, so one that is held
 * more than once is never written to; the section under the hand has always one of its own. */
struct sheet {
    unsigned held;
    struct song *song;
    uint8_t keep[N_ROLES][SESSION_MAX_BARS];
    int n_bars;
    uint32_t current;                        /* identity of the chosen take */
};

struct section {
    uint32_t id;                             /* of its tray; never given twice in a session */
    char name[SESSION_NAME];
    struct sheet *sheet;
};

/* All that undo brings back. */
struct state {
    struct section sections[SESSION_MAX_SECTIONS + 1]; /* one more while sections are exchanged */
    uint8_t chain[SESSION_MAX_CHAIN];        /* indices of sections, in the order they sound */
    int n_sections, n_chain;
    int here;                                /* section under the hand */
    int place;                               /* its place in the chain under the hand, -1 when it is not in it */
};

struct step {                                /* one entry of the undo or redo list */
    struct state before;
    uint64_t version;
    char what[40];
    uint32_t from, to;                       /* section under the hand before and after the edit */
    int from_place, to_place;
    bool choice;                             /* made by session_choose: the next choice joins it */
};

struct slot {                                /* one take in a tray */
    struct take *take;
    uint32_t id;                             /* its number on the screen */
    uint8_t mask[N_ROLES][SESSION_MAX_BARS]; /* cells it was asked to fill */
};

/* The takes of one section. Trays stay when undo takes their section away, as redo may bring it back. */
struct tray {
    uint32_t section;
    struct slot *slots;
    size_t n_slots, cap_slots;
    uint32_t last_id, first_of_batch, mark[2];
    uint32_t ends[2];                        /* what the last batch lies between, or none */
    int lead;                                /* bars before the section in the songs of the batch's takes */
    struct song *base;                       /* the song as the last batch found it */
    uint8_t mask[N_ROLES][SESSION_MAX_BARS]; /* of the last batch */
};

struct steps { struct step *at; size_t n, cap; };

struct session {
    struct state now;
    uint64_t version, last_version, saved_version;
    uint64_t grown;                          /* version as a choice or the growth of the chosen take left it */
    bool tray_dirty;                         /* takes came, or stars and marks moved, since the last save */
    struct steps undo, redo;
    int edit_depth;
    char *path;
    struct settings settings;
    struct tray **trays;
    size_t n_trays, cap_trays;
    uint32_t last_section;                   /* identity given last */
    uint32_t batch;                          /* section that the takes that come are for */
    char **genres;
    int n_genres;
};

/* state.c */
struct sheet *sheet_new(struct song *song, int n_bars);            /* takes the song */
struct sheet *sheet_hold(struct sheet *sh);
struct sheet *sheet_dup(const struct sheet *sh);
void sheet_drop(struct sheet *sh);
bool sheet_equal(const struct sheet *a, const struct sheet *b);    /* all of it */
void state_fini(struct state *st);
struct state state_snapshot(const struct state *st);                /* sheets shared where they can be */
bool state_equal(const struct state *a, const struct state *b);    /* all but where the hand is */
struct sheet *state_own(struct state *st, int section);             /* before writing to it */
void state_sit(struct state *st, int section, int place);           /* nearest sensible values */
int state_find(const struct state *st, uint32_t id);                /* index of a section, -1 */
void steps_clear(struct steps *list);
/* The end of an edit that chose a take; it joins the step before it, if that one awaits a choice. */
bool edit_awaits_choice(const struct session *s);
void edit_close_choice(struct session *s, bool joins);

static inline struct sheet *session_sheet(const struct session *s)
{
    return s->now.sections[s->now.here].sheet;
}

/* form.c */
struct section section_new(struct session *s, const char *name, struct sheet *sheet); /* and its tray; takes it */

/* session.c */
void settings_init(struct settings *o);
void session_clear(struct session *s);       /* to an empty band */
void session_swap(struct session *a, struct session *b);
int session_round_bars(int n_bars);          /* up to full phrases, within the limits */
void session_loaded(struct session *s, const char *path); /* undo emptied, nothing unsaved */
struct tray *tray_find(const struct session *s, uint32_t section);
const struct take *tray_take(const struct tray *t, uint32_t id);     /* NULL = none */

/* takes.c: the number of the first take with these notes, or NO_TAKE. */
uint32_t tray_find_twin(const struct tray *t, const struct song *song);

/* jam.c */
NODISCARD enum err jam_parse(struct session *s, const uint8_t *bytes, size_t len, const char *name);
void jam_print(const struct session *s, struct str *out);
struct json_t;
NODISCARD enum err jam_load(struct session *s, const struct json_t *root, const char *name);
/* One take on its own line of a journal: with its section, and cells for every bar there can be. */
void jam_print_take(const struct tray *tray, const struct slot *slot, struct str *out);
void jam_print_light(const struct session *s, struct str *out);   /* numbers and stars in place of takes */
