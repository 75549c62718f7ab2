/* ring.c: single-producer single-consumer ring. Head and tail only ever grow; each is written by one
 * side and lives on its own cache line beside that side's stale copy of the other, so the common case
 * touches no shared line. */
#include "ring.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"

struct ring {
    size_t record, mask;
    uint8_t *data;
    _Alignas(64) atomic_size_t tail; /* written by the producer */
    size_t seen_head;
    _Alignas(64) atomic_size_t head; /* written by the consumer */
    size_t seen_tail;
};

struct ring *ring_new(size_t record_bytes, size_t capacity)
{
    BUG_ON(record_bytes == 0 || capacity == 0 || capacity > SIZE_MAX / 4);
    size_t cap = 1;
    while (cap < capacity)
        cap *= 2;
    struct ring *r = aligned_alloc(64, sizeof *r);
    BUG_ON(!r);
    memset(r, 0, sizeof *r);
    r->record = record_bytes;
    r->mask = cap - 1;
    r->data = xcalloc(cap, record_bytes);
    return r;
}

void ring_free(struct ring *r)
{
    if (!r)
        return;
    free(r->data);
    free(r);
}

bool ring_push(struct ring *r, const void *record)
{
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (tail - r->seen_head > r->mask) {
        r->seen_head = atomic_load_explicit(&r->head, memory_order_acquire);
        if (tail - r->seen_head > r->mask)
            return false;
    }
    memcpy(r->data + (tail & r->mask) * r->record, record, r->record);
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return true;
}

bool ring_pop(struct ring *r, void *record)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (head == r->seen_tail) {
        r->seen_tail = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (head == r->seen_tail)
            return false;
    }
    memcpy(record, r->data + (head & r->mask) * r->record, r->record);
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
    return true;
}

/* Head first: read the other way round it could overtake the tail and the difference would wrap. */
size_t ring_count(const struct ring *r)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    return atomic_load_explicit(&r->tail, memory_order_acquire) - head;
}
