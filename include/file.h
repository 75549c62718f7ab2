/* file.h: whole files in and out, directory walks, and the places where jamroll keeps things. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "err.h"

/* Read all of `path` ("-" is standard input), at most max bytes (ERR_RANGE beyond). Free *out. */
NODISCARD enum err file_read(const char *path, size_t max, uint8_t **out, size_t *len);
/* Write aside, fsync, rename: the old file or the new one, never half ("-" is standard output). */
NODISCARD enum err file_write(const char *path, const void *data, size_t len);
NODISCARD enum err file_map(const char *path, const uint8_t **out, size_t *len); /* read-only mmap */
void file_unmap(const uint8_t *p, size_t len);
uint64_t file_hash(const uint8_t *p, size_t len);            /* of contents: to tell files apart, no secret */
bool file_exists(const char *path);
bool file_is_dir(const char *path);
NODISCARD enum err file_mkdirs(const char *path);           /* like mkdir -p */
/* Visit regular files under dir, names sorted, depth first. fn returns ERR_OK to go on. */
typedef enum err (*file_walk_fn)(void *ctx, const char *path);
NODISCARD enum err file_walk(const char *dir, file_walk_fn fn, void *ctx);

char *path_join(const char *a, const char *b);   /* malloc'd */
const char *path_base(const char *path);          /* last component */
const char *path_ext(const char *path);           /* ".mid" or "" */
char *path_with_ext(const char *path, const char *ext);

enum place { PLACE_CONFIG, PLACE_DATA, PLACE_STATE };
char *place_path(enum place p, const char *name); /* XDG dir /jamroll/ name, malloc'd, not created */
/* `name` in the folder above the program's own, where a source tree or an installation keeps its data;
 * malloc'd, not checked. NULL when that folder is unknown. */
char *place_beside_program(const char *name);

/* Bounds-checked little- or big-endian reading of hostile bytes. On overrun `bad` sticks and reads
 * give 0, so a parser may check once at the end of a record. */
struct cursor { const uint8_t *p; size_t len, at; bool bad; };
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_be16(struct cursor *c);
uint32_t cursor_be32(struct cursor *c);
uint16_t cursor_le16(struct cursor *c);
uint32_t cursor_le32(struct cursor *c);
uint64_t cursor_le64(struct cursor *c);
const uint8_t *cursor_bytes(struct cursor *c, size_t n); /* NULL when fewer are left */
size_t cursor_left(const struct cursor *c);
