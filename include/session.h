/* session.h: a composer's session: the song (band layout), keep flags, takes, A and B, settings, undo.
 * Every change goes through here, so undo, files and batch see the same truth. Knows nothing of the
 * screen.
 *
 * Undo is by snapshots of the state (song, keep flags, length, chosen take); a song is a few kilobytes.
 * The tray of takes and the settings are not part of a snapshot: undoing a generation gives the notes
 * back and leaves its takes to be chosen again. Kept cells are protected by construction: choosing a
 * take copies its notes only into cells that it was asked for and that are not kept now. */
#pragma once
#include "model.h"
#include "verb.h"

enum { SESSION_MAX_BARS = REQUEST_MAX_BARS, SESSION_MAX_TAKES = 256, SESSION_MAX_UNDO = 1000 };
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
/* What exports write: a copy of the music, signed with the chosen take's model, seed and parameters. */
struct song *session_written(const struct session *s);
const char *session_path(const struct session *s);            /* NULL when never saved nor opened */
const char *session_title(const struct session *s);           /* base name of the path, or "untitled" */
bool session_dirty(const struct session *s);
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
/* Begin a request on a span with the session's genre, key, seed and settings. Muted tracks that are not
 * kept are left alone. */
void session_request(struct session *s, enum verb v, int bar0, int n_bars, struct request *out);
/* Takes: arrive one by one; choosing one replaces the song (undoable), kept cells never change. */
void session_begin_takes(struct session *s, const struct request *rq);
int session_add_take(struct session *s, struct take *t);       /* ownership moves in; its place in the tray */
int session_n_takes(const struct session *s);
const struct take *session_take(const struct session *s, int i);
int session_take_number(const struct session *s, int i);       /* as shown; stays when others go */
int session_current(const struct session *s);                  /* -1 = the seed itself */
void session_choose(struct session *s, int i);                 /* -1 = as it was before the last batch */
void session_star(struct session *s, int i);
void session_mark(struct session *s, int which, int i);        /* which 0 = A, 1 = B */
int session_marked(const struct session *s, int which);        /* -1 = none */

/* Undo. A run of choices is one step: back to before the first of them. */
bool session_undo(struct session *s);
bool session_redo(struct session *s);
int session_n_undo(const struct session *s);
const char *session_undo_name(const struct session *s);        /* of the step undo would take back, or "" */
void session_edit_begin(struct session *s, const char *what);  /* snapshot before editing session_song in place */
void session_edit_end(struct session *s);                      /* forgets the step when nothing changed */

struct settings {
    char style[128];                      /* "bach debussy:0.3", "any" (request_style in verb.h) */
    char genre[32], key[16], model[256];  /* genre "any", key "auto", model "" = the best there is */
    uint64_t seed;
    double temperature;
    int batch;                            /* takes a request */
    bool snap, seed_locked;
    int density[N_ROLES];                 /* -1 = the model's choice, else 1..7 */
};
struct settings *session_settings(struct session *s);
