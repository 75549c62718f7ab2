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

static int lower_first(const void *a, const void *b)
{
    const struct buffer *x = *(struct buffer *const *)a, *y = *(struct buffer *const *)b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static size_t padded(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* Offset of the tightest gap between `taken` (sorted by offset) that holds `bytes`. */
static size_t best_gap(struct buffer *const *taken, int n, size_t bytes)
{
    size_t end = 0, best = SIZE_MAX, best_size = SIZE_MAX;
    for (int i = 0; i < n; i++) {
        size_t start = taken[i]->offset;
        if (start >= end + bytes && start - end < best_size) {
            best = end;
            best_size = start - end;
        }
        if (start + padded(taken[i]->bytes) > end)
            end = start + padded(taken[i]->bytes);
    }
    return best != SIZE_MAX ? best : end;
}

size_t place(struct buffer *buffers, int n)
{
    struct buffer **order = xcalloc((size_t)n + 1, sizeof(*order)), **taken = xcalloc((size_t)n + 1, sizeof(*taken));
    int count = 0;
    size_t size = 0;
    for (int i = 0; i < n; i++)
        if (!buffers[i].outside && buffers[i].bytes)
            order[count++] = &buffers[i];
    qsort(order, (size_t)count, sizeof(*order), larger_first);
    for (int i = 0; i < count; i++) {
        struct buffer *b = order[i];
        int n_taken = 0;
        for (int k = 0; k < i; k++)
            if (order[k]->first <= b->last && b->first <= order[k]->last)
                taken[n_taken++] = order[k];
        qsort(taken, (size_t)n_taken, sizeof(*taken), lower_first);
        b->offset = best_gap(taken, n_taken, padded(b->bytes));
        if (b->offset + padded(b->bytes) > size)
            size = b->offset + padded(b->bytes);
    }
    free(order);
    free(taken);
    return size;
}
