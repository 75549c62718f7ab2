/* mem.c: allocation that dies, allocation that reports, large aligned blocks, and arenas.
 *
 * A block carries one 64-byte header in front of what the caller sees, so that freeing needs no size.
 * Blocks of a megabyte or more are mapped on a huge-page boundary and touched at once: the first
 * touch of a 4 KiB page costs about four times as much as writing it. */
#include "mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    ALIGN = 64,
    HUGE = 2 << 20,
    LARGE = 1 << 20,         /* from here on: mapped and pre-faulted */
    CHUNK = 16 << 10,        /* usual size of an arena chunk */
    ARENA_ALIGN = 16,
};

/* No computer this runs on has more; also what keeps a nonsense size from the allocator. */
static const size_t most_bytes = (size_t)1 << 39;

static void *or_die(void *p, size_t bytes)
{
    if (!p) {
        fprintf(stderr, "jamroll: out of memory (%zu bytes)\n", bytes);
        abort();
    }
    return p;
}

bool size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

void *xmalloc(size_t bytes)
{
    return or_die(malloc(bytes ? bytes : 1), bytes);
}

void *xcalloc(size_t n, size_t size)
{
    return or_die(calloc(n ? n : 1, size ? size : 1), n * size);
}

void *xrealloc(void *p, size_t bytes)
{
    return or_die(realloc(p, bytes ? bytes : 1), bytes);
}

void *xgrow(void *p, size_t n, size_t *cap, size_t size)
{
    if (p && n < *cap)
        return p;
    size_t want = *cap < 8 ? 8 : *cap, bytes;
    while (want <= n)
        BUG_ON(!size_mul(want, 2, &want));
    BUG_ON(!size_mul(want, size, &bytes));
    p = xrealloc(p, bytes);
    *cap = want;
    return p;
}

char *xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
    n = strnlen(s, n);
    char *copy = xmalloc(n + 1);
    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

enum err mem_try_alloc(size_t n, size_t size, void **out)
{
    size_t bytes;
    if (!size_mul(n, size, &bytes) || bytes > most_bytes)
        return err_set(ERR_NOMEM, "no memory for %zu items of %zu bytes", n, size);
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p)
        return err_set(ERR_NOMEM, "no memory for %zu bytes", bytes);
    *out = p;
    return ERR_OK;
}

/* What stands in the 64 bytes before a block: how to give it back. */
struct block_head {
    void *base;
    size_t mapped; /* 0: from aligned_alloc */
};

static enum err block_map(size_t total, void **base, size_t *mapped)
{
    size_t want = (total + 2 * (size_t)HUGE) & ~((size_t)HUGE - 1);
    uint8_t *p = mmap(NULL, want, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return err_set(ERR_NOMEM, "no memory for a block of %zu bytes", total);
    /* Give back the ends so that what is left starts on a huge page. */
    size_t skip = -(uintptr_t)p & ((size_t)HUGE - 1);
    size_t keep = (total + HUGE - 1) & ~((size_t)HUGE - 1);
    if (skip)
        munmap(p, skip);
    if (want > skip + keep)
        munmap(p + skip + keep, want - skip - keep);
    *base = p + skip;
    *mapped = keep;
    madvise(*base, keep, MADV_HUGEPAGE);
    for (size_t i = 0; i < total; i += 4096)
        ((volatile uint8_t *)*base)[i] = 0;
    return ERR_OK;
}

enum err mem_block_new(size_t bytes, void **out)
{
    size_t total;
    if (!size_add(bytes, 2 * ALIGN, &total) || total > most_bytes)
        return err_set(ERR_NOMEM, "a block of %zu bytes is too large", bytes);
    total = total / ALIGN * ALIGN;
    struct block_head head = {0};
    if (bytes >= LARGE) {
        TRY(block_map(total, &head.base, &head.mapped));
    } else {
        head.base = aligned_alloc(ALIGN, total);
        if (!head.base)
            return err_set(ERR_NOMEM, "no memory for a block of %zu bytes", bytes);
        memset(head.base, 0, total);
    }
    memcpy(head.base, &head, sizeof head);
    *out = (uint8_t *)head.base + ALIGN;
    return ERR_OK;
}

void mem_block_free(void *p)
{
    if (!p)
        return;
    struct block_head head;
    memcpy(&head, (uint8_t *)p - ALIGN, sizeof head);
    if (head.mapped)
        munmap(head.base, head.mapped);
    else
        free(head.base);
}

struct arena_chunk {
    struct arena_chunk *below;
    size_t used, cap;
    _Alignas(ARENA_ALIGN) uint8_t bytes[];
};

void arena_init(struct arena *a)
{
    a->top = NULL;
}

void arena_fini(struct arena *a)
{
    arena_release(a, (struct arena_mark){0});
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    size_t need;
    BUG_ON(!size_add(bytes ? bytes : 1, ARENA_ALIGN - 1, &need));
    need &= ~((size_t)ARENA_ALIGN - 1);
    struct arena_chunk *top = a->top;
    if (!top || top->cap - top->used < need) {
        size_t cap = need > CHUNK ? need : CHUNK, total;
        BUG_ON(!size_add(cap, sizeof *top, &total));
        top = xmalloc(total);
        *top = (struct arena_chunk){.below = a->top, .cap = cap};
        a->top = top;
    }
    void *p = top->bytes + top->used;
    top->used += need;
    return memset(p, 0, need);
}

char *arena_strdup(struct arena *a, const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(arena_alloc(a, n), s, n);
}

struct arena_mark arena_mark(struct arena *a)
{
    return (struct arena_mark){a->top, a->top ? a->top->used : 0};
}

void arena_release(struct arena *a, struct arena_mark m)
{
    while (a->top != m.top) {
        struct arena_chunk *below = a->top->below;
        free(a->top);
        a->top = below;
    }
    if (a->top)
        a->top->used = m.used;
}
