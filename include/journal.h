/* journal.h: what a session holds that no file does yet, kept on disk edit by edit, so that a crash, kill -9 or
 * hang-up costs at most the edit under way. One file a running program, in $XDG_STATE_HOME/jamroll/journal,
 * locked while its program lives and gone as soon as nothing is unsaved. Records are appended, each in one
 * write(2) into the page cache: that survives the program's death at no waiting; a power failure may cost the
 * last seconds, as the system writes them back in its own time. Undo steps are not kept. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include "err.h"
struct session;
struct journal;

struct journal *journal_new(const char *dir);   /* NULL: the usual place; nothing is written yet */
void journal_free(struct journal *j);           /* the file stays */
void journal_drop(struct journal *j);           /* the file goes: saved, or not wanted */
/* Whenever the session may have changed. Does nothing when it has not; drops the file when all is saved. */
NODISCARD enum err journal_update(struct journal *j, const struct session *s);

/* The newest journal that no living program holds. Free path and name (of the music; "untitled"). */
struct orphan { char *path, *name; time_t when; };
bool journal_find(const char *dir, struct orphan *out);
void orphan_fini(struct orphan *o);
void orphan_discard(const struct orphan *o);    /* removes its file */
/* The session as the last whole record has it, unsaved. On failure the session is as it was. */
NODISCARD enum err journal_recover(const char *path, struct session *s);
NODISCARD enum err journal_parse(const uint8_t *bytes, size_t len, const char *name, struct session *s);
