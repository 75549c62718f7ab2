/* dataset_parts.h: what the builders of phrase files (dataset.c) and of works files (works_build.c) share. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "file.h"
#include "str.h"
struct dataset_opts; struct song;

uint64_t hash_text(const char *s, size_t n);
void put_le(struct str *s, uint64_t v, int n_bytes);
/* Some collections write the harmony beside the music, as a track called "chords" that nobody plays: it goes. */
void drop_annotations(struct song *s);
bool is_midi_path(const char *path);
char *folder_name(const char *dir);                            /* without trailing slashes; malloc'd */
char *renamed(const char *list, const char *label);            /* by "a=b,c=-"; malloc'd */

struct name_list { char **name; size_t n, cap; };
size_t name_index(struct name_list *l, const char *name);      /* added when it is new */
void name_list_fini(struct name_list *l);
void put_names(struct str *s, const struct name_list *l);      /* each ended by a zero byte */

/* Every file of the folders. While those of one are visited *dir is that folder, and its name the last of sets, where
 * two folders of one name are two. */
NODISCARD enum err folders_walk(const char *const *dirs, size_t n, struct name_list *sets, const char **dir,
                                file_walk_fn visit, void *ctx);

/* A table of files: tab-separated, the first line names the columns, among them path and label. Rows borrow
 * from text. composer is NULL where the table has no such column. */
struct manifest_row { char *path, *label, *composer; };
struct manifest { struct manifest_row *rows; size_t n, cap; char *text; };
NODISCARD enum err manifest_read(const char *path, struct manifest *out);
const struct manifest_row *manifest_find(const struct manifest *m, const char *name); /* NULL when not listed */
void manifest_fini(struct manifest *m);

/* works_build.c; what dataset_build does when works are asked for. report is not NULL. */
NODISCARD enum err works_build(const char *const *dirs, size_t n_dirs, const struct dataset_opts *o, const char *path,
                               struct str *report);

/* dataset_merge.c: phrases for genre transfer. */
bool song_is_common_time(const struct song *s);                /* 4/4 from the first bar to the last */
struct song *song_merged(const struct song *in);               /* every pitched track, as the piano of a band */
/* Songs that are one work get one number, which files beside them do not change. */
struct group_piece;
void group_songs(struct group_piece *pieces, const char *const *names, uint32_t n, uint64_t *groups);
