/* session.h: a composer's session: the song (band layout), keep flags, takes, A and B, cursor facts that
 * are saved, undo. Every change is a command (command.h), so undo, journal and batch are one thing.
 * Knows nothing of the screen. */
#pragma once
#include "model.h"
#include "verb.h"

enum { SESSION_MAX_BARS = 64, SESSION_MAX_TAKES = 256 };
struct session;
struct session *session_new(void);
void session_free(struct session *s);
NODISCARD enum err session_open(struct session *s, const char *path, struct str *report); /* .mid, .npz or .jam */
NODISCARD enum err session_save(struct session *s, const char *path);        /* .jam; NULL = where it came from */
NODISCARD enum err session_export_midi(struct session *s, const char *path);
const char *session_path(const struct session *s);
bool session_dirty(const struct session *s);

struct song *session_song(struct session *s);                 /* current: the seed song, or the chosen take's */
bool session_kept(const struct session *s, enum role r, int bar);
void session_keep(struct session *s, enum role r, int bar, bool on);  /* bar -1 = the whole track; undoable */
/* Begin a request on the phrase at the cursor with the session's genre, key, seed and settings. */
void session_request(struct session *s, enum verb v, int bar0, int n_bars, struct request *out);
/* Takes: arrive one by one; choosing one replaces the song (undoable), kept cells never change. */
void session_begin_takes(struct session *s);
void session_add_take(struct session *s, struct take *t);      /* ownership moves in */
int session_n_takes(const struct session *s);
const struct take *session_take(const struct session *s, int i);
int session_current(const struct session *s);                  /* -1 = the seed itself */
void session_choose(struct session *s, int i);
void session_star(struct session *s, int i);
bool session_undo(struct session *s);
bool session_redo(struct session *s);
void session_edit_begin(struct session *s, const char *what);  /* snapshot before editing session_song in place */
void session_edit_end(struct session *s);

struct settings { char genre[32], key[16], model[64]; uint64_t seed; double temperature; int batch; bool snap; bool seed_locked; };
struct settings *session_settings(struct session *s);
