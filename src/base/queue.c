/* queue.c: bounded queue under one mutex, with a condition for blocking pops and an eventfd that is
 * readable exactly while records wait. The eventfd is written on empty -> not empty and drained on
 * not empty -> empty, both under the mutex, so it can neither lag nor overflow. */
#include "queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t pushed;
    size_t record, cap, first, count;
    uint8_t *data;
    int fd;
};

struct queue *queue_new(size_t record_bytes, size_t capacity)
{
    BUG_ON(record_bytes == 0 || capacity == 0);
    struct queue *q = xcalloc(1, sizeof *q);
    q->record = record_bytes;
    q->cap = capacity;
    q->data = xcalloc(capacity, record_bytes);
    q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    BUG_ON(q->fd < 0);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->pushed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&q->mutex, NULL);
    return q;
}

void queue_free(struct queue *q)
{
    if (!q)
        return;
    close(q->fd);
    pthread_cond_destroy(&q->pushed);
    pthread_mutex_destroy(&q->mutex);
    free(q->data);
    free(q);
}

bool queue_push(struct queue *q, const void *record)
{
    pthread_mutex_lock(&q->mutex);
    bool fits = q->count < q->cap;
    if (fits) {
        memcpy(q->data + (q->first + q->count) % q->cap * q->record, record, q->record);
        if (q->count++ == 0)
            eventfd_write(q->fd, 1);
        pthread_cond_signal(&q->pushed);
    }
    pthread_mutex_unlock(&q->mutex);
    return fits;
}

static struct timespec deadline_in(int timeout_ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += (timeout_ms % 1000) * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}

bool queue_pop(struct queue *q, void *record, int timeout_ms)
{
    struct timespec deadline = {0};
    if (timeout_ms > 0)
        deadline = deadline_in(timeout_ms);
    pthread_mutex_lock(&q->mutex);
    while (q->count == 0 && timeout_ms != 0) {
        if (timeout_ms < 0)
            pthread_cond_wait(&q->pushed, &q->mutex);
        else if (pthread_cond_timedwait(&q->pushed, &q->mutex, &deadline) == ETIMEDOUT)
            break;
    }
    bool got = q->count > 0;
    if (got) {
        memcpy(record, q->data + q->first * q->record, q->record);
        q->first = (q->first + 1) % q->cap;
        if (--q->count == 0) {
            eventfd_t drained;
            eventfd_read(q->fd, &drained);
        }
    }
    pthread_mutex_unlock(&q->mutex);
    return got;
}

int queue_fd(const struct queue *q)
{
    return q->fd;
}
