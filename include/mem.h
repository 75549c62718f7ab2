/* mem.h: memory. Small control-plane allocations die on failure (x*); anything whose size a user or
 * a file chooses goes through mem_try_*, which report ERR_NOMEM. Arenas are for things that die
 * together. */
#pragma once
#include <stddef.h>
#include "err.h"

void *xmalloc(size_t bytes);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t bytes);
/* Grow `p` (n items of `size`) so that index n is valid; *cap is updated. Doubles, dies on overflow. */
void *xgrow(void *p, size_t n, size_t *cap, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);

NODISCARD enum err mem_try_alloc(size_t n, size_t size, void **out); /* zeroed; overflow-checked */
/* 64-byte aligned, zeroed, huge pages advised and pages pre-faulted for large sizes (first touch of a
 * fresh page costs more than writing it). Free with mem_block_free. */
NODISCARD enum err mem_block_new(size_t bytes, void **out);
void mem_block_free(void *p);

bool size_mul(size_t a, size_t b, size_t *out); /* false on overflow */
bool size_add(size_t a, size_t b, size_t *out);

struct arena_chunk;
struct arena { struct arena_chunk *top; };
struct arena_mark { struct arena_chunk *top; size_t used; };
void arena_init(struct arena *a);
void arena_fini(struct arena *a);
void *arena_alloc(struct arena *a, size_t bytes); /* zeroed, 16-byte aligned, dies on failure */
char *arena_strdup(struct arena *a, const char *s);
struct arena_mark arena_mark(struct arena *a);
void arena_release(struct arena *a, struct arena_mark m);
