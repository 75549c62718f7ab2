/* state.h: the insides of a session, shared by session.c (changes, undo, takes) and jam.c (files). */
#pragma once
#include "session.h"
#include "song.h"

enum { NO_TAKE = 0 };                        /* take identities count from 1 */

/* All that undo brings back. */
struct state {
    struct song *song;
    uint8_t keep[N_ROLES][SESSION_MAX_BARS];
    int n_bars;
    uint32_t current;                        /* identity of the chosen take */
};

struct step {                                /* one entry of the undo or redo list */
    struct state before;
    uint64_t version;
    char what[40];
    bool choice;                             /* made by session_choose: the next choice joins it */
};

struct slot {                                /* one take in the tray */
    struct take *take;
    uint32_t id;                             /* its number on the screen */
    uint8_t mask[N_ROLES][SESSION_MAX_BARS]; /* cells it was asked to fill */
};

struct steps { struct step *at; size_t n, cap; };

struct session {
    struct state now;
    uint64_t version, last_version, saved_version;
    bool tray_dirty;                         /* takes came, or stars and marks moved, since the last save */
    struct steps undo, redo;
    int edit_depth;
    char *path;
    struct settings settings;
    struct slot *slots;
    size_t n_slots, cap_slots;
    uint32_t last_id, first_of_batch, mark[2];
    uint64_t batch_seed;
    char **genres;
    int n_genres;
    struct song *base;                       /* the song as the last batch found it */
    uint8_t mask[N_ROLES][SESSION_MAX_BARS]; /* of the last batch */
};

void settings_init(struct settings *o);
void session_clear(struct session *s);       /* to an empty band */
void session_swap(struct session *a, struct session *b);
int session_round_bars(int n_bars);          /* up to full phrases, within the limits */
void session_loaded(struct session *s, const char *path); /* undo emptied, nothing unsaved */

/* jam.c */
NODISCARD enum err jam_parse(struct session *s, const uint8_t *bytes, size_t len, const char *name);
void jam_print(const struct session *s, struct str *out);
struct json_t;
NODISCARD enum err jam_load(struct session *s, const struct json_t *root, const char *name);
void jam_print_take(const struct slot *slot, int n_bars, struct str *out);
void jam_print_light(const struct session *s, struct str *out);   /* numbers and stars in place of takes */
