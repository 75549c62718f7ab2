/* session.h: a composer's session: sections (each a song in band layout with its keep flags and takes, A and B),
 * the chain in which they sound, settings, undo. Every change goes through here, so undo, files and batch see the
 * same truth. Knows nothing of the screen.
 *
 * One section is under the hand: session_song and all that names no section mean it. One band plays all sections:
 * names, instruments, mix, mute and solo are common, everything else is a section's own. There is always a section
 * and always an entry in the chain; a session that knows nothing of form has one of each.
 *
 * Undo is by snapshots of the state (songs, keep flags, lengths, chosen takes, the chain), which share what did not
 * change; it brings the hand back to where the edit was. Moving the hand is no edit.
 * The tray of takes and the settings are not part of a snapshot: undoing a generation gives the notes
 * back and leaves its takes to be chosen again. Kept cells are protected by construction: choosing a
 * take copies its notes only into cells that it was asked for and that are not kept now. */
#pragma once
#include "model.h"
#include "verb.h"

enum { SESSION_MAX_BARS = REQUEST_MAX_BARS, SESSION_MAX_TAKES = 256, SESSION_MAX_UNDO = 1000,
       SESSION_MAX_SECTIONS = 64, SESSION_MAX_CHAIN = 64, SESSION_NAME = 16 };
struct import;
struct session;
struct session *session_new(void);
void session_free(struct session *s);
NODISCARD enum err session_open(struct session *s, const char *path, struct str *report); /* .mid, .npz or .jam */
/* .jam; NULL = where it came from, or its base name with .jam in the current folder. */
NODISCARD enum err session_save(struct session *s, const char *path);
/* The same bytes elsewhere, without becoming the session's file (rescue copies). */
NODISCARD enum err session_save_copy(const struct session *s, const char *path);
/* Foreign music as the seed; `path` becomes the session's name. */
NODISCARD enum err session_import(struct session *s, const struct import *im, const char *path);
/* What exports write: a copy of one section, or -1 = of the chain as one song, with a marker where an entry of
 * several begins. Signed with the chosen takes' models, seeds and parameters. */
struct song *session_written(const struct session *s, int section);
/* The chain as one song, for playing; notes ring over the joins until their pitch is struck again. */
struct song *session_whole(const struct session *s);
const char *session_path(const struct session *s);            /* NULL when never saved nor opened */
const char *session_title(const struct session *s);           /* base name of the path, or "untitled" */
bool session_dirty(const struct session *s);
uint64_t session_version(const struct session *s);            /* names the present state among all that undo knows */
/* "bridge.mid" in the current folder, or "bridge-2.mid" when that exists: names given unasked never
 * overwrite. malloc'd. */
char *session_free_name(const struct session *s, const char *ext);

struct song *session_song(struct session *s);                 /* current: the seed song, or the chosen take's */
int session_n_bars(const struct session *s);                  /* length; a multiple of 4 unless set otherwise */
void session_set_bars(struct session *s, int n_bars);         /* undoable; notes beyond are dropped */
int32_t session_end(const struct session *s);                 /* tick where the last bar ends */
bool session_kept(const struct session *s, enum role r, int bar);
bool session_track_kept(const struct session *s, enum role r);          /* every bar */
bool session_any_kept(const struct session *s, int bar0, int n_bars);   /* any cell of the span */
void session_keep(struct session *s, enum role r, int bar, bool on);  /* bar -1 = the whole track; undoable */
/* The genres of the weight file that will answer: what settings.genre is looked up in. Copied. */
void session_set_genres(struct session *s, char *const *names, int n);
/* Sections by index, in no order that means anything but stability; names are unique, case apart. */
int session_n_sections(const struct session *s);
int session_here(const struct session *s);
const char *session_section_name(const struct session *s, int section);
int session_find_section(const struct session *s, const char *name);              /* -1 = none */
const struct song *session_section_song(const struct session *s, int section);
int session_section_bars(const struct session *s, int section);
/* Entries of the chain are places; every place names a section. */
int session_n_chain(const struct session *s);
int session_chain(const struct session *s, int place);
int session_place(const struct session *s);                  /* under the hand; -1: its section is not in the chain */
int32_t session_place_tick(const struct session *s, int place);  /* in the whole; place n_chain = its end */
int session_place_at(const struct session *s, int32_t tick);     /* which sounds then */
/* Move the hand, to the section's entry nearest that place: not an edit. */
void session_go(struct session *s, int section, int place);
/* Undoable, one step each. New sections stand in the chain behind the place under the hand and come under it. */
NODISCARD enum err session_set_chain(struct session *s, const uint8_t *sections, int n);
NODISCARD enum err session_add_section(struct session *s, int n_bars);   /* empty; tempo, metre, key go on */
NODISCARD enum err session_copy_section(struct session *s, bool variant);      /* name: the next letter, or A' */
NODISCARD enum err session_rename(struct session *s, const char *name);
NODISCARD enum err session_delete_section(struct session *s, int section);
/* The section under the hand in phrases that begin at these bars (the first at 0), everywhere in the chain; equal
 * phrases become one section. Names may be NULL: letters. */
NODISCARD enum err session_split(struct session *s, const int *bars, const char *const *names, int n);
NODISCARD enum err session_join(struct session *s, int place, int n);    /* entries become one section */

/* Begin a request on a span with the session's genre, key, seed and settings. Muted tracks that are not
 * kept are left alone. */
void session_request(struct session *s, enum verb v, int bar0, int n_bars, struct request *out);
/* Takes: arrive one by one; choosing one replaces the song (undoable), kept cells never change. */
/* `lead`: bars of the request's song that stand before the section's own, as context only. */
void session_begin_takes(struct session *s, const struct request *rq, int lead);
/* Take `index` of the batch; ownership moves in. Its place in the tray of the section that was under the hand at
 * session_begin_takes. */
int session_add_take(struct session *s, int index, struct take *t);
int session_batch_section(const struct session *s);            /* that section; -1 = it is gone */
int session_n_takes(const struct session *s);
const struct take *session_take(const struct session *s, int i);
int session_take_number(const struct session *s, int i);       /* as shown; stays when others go */
int session_current(const struct session *s);                  /* -1 = the seed itself */
void session_choose(struct session *s, int i);                 /* -1 = as it was before the last batch */
void session_star(struct session *s, int i);
void session_mark(struct session *s, int which, int i);        /* which 0 = A, 1 = B */
int session_marked(const struct session *s, int which);        /* -1 = none */
bool session_asked(const struct session *s, int i, enum role r, int bar); /* the take was to fill this cell */
/* The way from A to B: where the chosen take stands (0 = A, 1 = B, -1 = beside it), the newest take at a place
 * (-1 = none), and a request for n steps of it. A single step goes on the way that others have shown. */
double session_mix(const struct session *s);
int session_take_at(const struct session *s, double mix);
NODISCARD enum err session_request_way(struct session *s, double mix, double step, int n, struct request *out);

/* Undo. A run of choices is one step: back to before the first of them. */
bool session_undo(struct session *s);
bool session_redo(struct session *s);
int session_n_undo(const struct session *s);
const char *session_undo_name(const struct session *s);        /* of the step undo would take back, or "" */
void session_edit_begin(struct session *s, const char *what);  /* snapshot before editing session_song in place */
void session_edit_end(struct session *s);                      /* forgets the step when nothing changed */
void session_edit_cancel(struct session *s);                   /* all as before session_edit_begin */
void session_edit_awaits_take(struct session *s);              /* the take chosen next joins the step just made */

struct settings {
    char style[128];                      /* "bach debussy:0.3", "any" (request_style in verb.h) */
    char genre[32], key[16], model[256];  /* genre "any", key "auto", model "" = the best there is */
    uint64_t seed;
    double temperature;
    int batch;                            /* takes a request */
    bool snap, seed_locked;
    int density[N_ROLES];                 /* -1 = the model's choice, else 1..7 */
    struct pitch_range range[N_ROLES];    /* hi 0 = any */
    double distance;                      /* of variations, 0..1 */
    double strength;                      /* of a transfer, 0..1 */
    bool lock_melody;                     /* likewise: the top line stays */
    bool remake_drums;                    /* likewise: the band plays the drums anew */
};
struct settings *session_settings(struct session *s);
