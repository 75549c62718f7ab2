/* place.c: one arena for all intermediate results. Buffers whose lives overlap must not overlap in memory.
 * Placed largest first, each into the tightest gap that the buffers of its time leave: within a few
 * per cent of the lower bound on our graphs, and a thousand buffers take a few milliseconds. */
#include <stdlib.h>
#include "schedule.h"

enum { ALIGN = 64 };

static int larger_first(const void *a, const void *b)
{
    const struct buffer *x = *(struct buffer *const *)a, *y = *(struct buffer *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->first != y->first ? (x->first < y->first ? -1 : 1) : (x < y ? -1 : x > y);
}

static size_t padded(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static bool alive_together(const struct buffer *a, const struct buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Offset of the tightest gap that holds b, among the placed buffers (sorted by offset) of its time. */
static size_t best_gap(struct buffer *const *placed, int n, const struct buffer *b)
{
    size_t end = 0, best = SIZE_MAX, best_size = SIZE_MAX, bytes = padded(b->bytes);
    for (int i = 0; i < n; i++) {
        size_t start = placed[i]->offset;
        if (!alive_together(placed[i], b))
            continue;
        if (start >= end + bytes && start - end < best_size) {
            best = end;
            best_size = start - end;
        }
        if (start + padded(placed[i]->bytes) > end)
            end = start + padded(placed[i]->bytes);
    }
    return best != SIZE_MAX ? best : end;
}

size_t place(struct buffer *buffers, int n)
{
    struct buffer **by_size = xcalloc((size_t)n + 1, sizeof(*by_size)),
                  **placed = xcalloc((size_t)n + 1, sizeof(*placed));
    int count = 0;
    size_t size = 0;
    for (int i = 0; i < n; i++)
        if (!buffers[i].outside && buffers[i].bytes)
            by_size[count++] = &buffers[i];
    qsort(by_size, (size_t)count, sizeof(*by_size), larger_first);
    for (int i = 0; i < count; i++) {
        struct buffer *b = by_size[i];
        int at = i;
        b->offset = best_gap(placed, i, b);
        for (; at > 0 && placed[at - 1]->offset > b->offset; at--)
            placed[at] = placed[at - 1];
        placed[at] = b;
        if (b->offset + padded(b->bytes) > size)
            size = b->offset + padded(b->bytes);
    }
    free(by_size);
    free(placed);
    return size;
}
