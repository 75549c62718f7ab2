/* queue.h: bounded many-producer queue of fixed records with blocking pop, and an eventfd that becomes
 * readable when something was pushed, so that a poll loop can wait for it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
struct queue;
struct queue *queue_new(size_t record_bytes, size_t capacity);
void queue_free(struct queue *q);
bool queue_push(struct queue *q, const void *record);              /* false when full */
bool queue_pop(struct queue *q, void *record, int timeout_ms);     /* -1 waits for ever, 0 polls */
int queue_fd(const struct queue *q);                               /* poll for POLLIN; drained by pop */
