/* ring.h: single-producer single-consumer ring of fixed records, for talk with realtime threads.
 * Wait-free; capacity is rounded up to a power of two. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
struct ring;
struct ring *ring_new(size_t record_bytes, size_t capacity);
void ring_free(struct ring *r);
bool ring_push(struct ring *r, const void *record); /* false when full */
bool ring_pop(struct ring *r, void *record);        /* false when empty */
size_t ring_count(const struct ring *r);
