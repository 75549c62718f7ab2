/* The realtime ring and the blocking queue: order kept, nothing lost, full and empty told apart. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "clock.h"
#include "queue.h"
#include "ring.h"

struct rec { uint32_t number, check; char pad[5]; };

static void ring_fills_and_empties(void **state)
{
    (void)state;
    struct ring *r = ring_new(sizeof(int), 3); /* becomes 4 */
    int got;
    assert_false(ring_pop(r, &got));
    for (int lap = 0; lap < 10; lap++) {
        for (int i = 0; i < 4; i++)
            assert_true(ring_push(r, &(int){lap * 10 + i}));
        assert_false(ring_push(r, &(int){99}));
        assert_int_equal(ring_count(r), 4);
        for (int i = 0; i < 4; i++) {
            assert_true(ring_pop(r, &got));
            assert_int_equal(got, lap * 10 + i);
        }
        assert_int_equal(ring_count(r), 0);
    }
    ring_free(r);
    ring_free(NULL);
}

enum { RECORDS = 200000 };

static void *produce(void *arg)
{
    for (uint32_t i = 0; i < RECORDS;) {
        struct rec rec = {.number = i, .check = ~i};
        if (ring_push(arg, &rec))
            i++;
        else
            sched_yield();
    }
    return NULL;
}

static void ring_between_threads(void **state)
{
    (void)state;
    struct ring *r = ring_new(sizeof(struct rec), 64);
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, produce, r), 0);
    for (uint32_t want = 0; want < RECORDS;) {
        struct rec rec;
        if (!ring_pop(r, &rec)) {
            sched_yield();
            continue;
        }
        assert_true(rec.number == want && rec.check == ~want);
        want++;
    }
    pthread_join(t, NULL);
    ring_free(r);
}

static bool readable(const struct queue *q)
{
    struct pollfd p = {.fd = queue_fd(q), .events = POLLIN};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

static void queue_fd_follows_content(void **state)
{
    (void)state;
    struct queue *q = queue_new(sizeof(int), 2);
    int got;
    assert_false(readable(q));
    assert_false(queue_pop(q, &got, 0));
    assert_true(queue_push(q, &(int){1}));
    assert_true(queue_push(q, &(int){2}));
    assert_false(queue_push(q, &(int){3}));
    assert_true(readable(q));
    assert_true(queue_pop(q, &got, 0) && got == 1);
    assert_true(readable(q));
    assert_true(queue_pop(q, &got, -1) && got == 2);
    assert_false(readable(q));
    uint64_t start = clock_ns();
    assert_false(queue_pop(q, &got, 20));
    assert_true(clock_ns() - start >= 19000000u);
    queue_free(q);
    queue_free(NULL);
}

enum { PRODUCERS = 4, EACH = 5000 };
static atomic_int next_producer;

static void *push_many(void *arg)
{
    int me = atomic_fetch_add(&next_producer, 1);
    for (int i = 0; i < EACH; i++) {
        int value = me * EACH + i;
        while (!queue_push(arg, &value))
            sched_yield();
    }
    return NULL;
}

static void queue_from_many_threads(void **state)
{
    (void)state;
    struct queue *q = queue_new(sizeof(int), 16);
    pthread_t threads[PRODUCERS];
    int next[PRODUCERS] = {0};
    atomic_store(&next_producer, 0);
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, push_many, q), 0);
    for (int i = 0; i < PRODUCERS * EACH; i++) {
        int got;
        assert_true(queue_pop(q, &got, -1));
        assert_in_range(got, 0, PRODUCERS * EACH - 1);
        assert_int_equal(got % EACH, next[got / EACH]++); /* each producer's own order */
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    assert_false(readable(q));
    queue_free(q);
}

static void sleeping_until(void **state)
{
    (void)state;
    uint64_t wake = clock_ns() + 5000000u;
    clock_sleep_until(wake);
    assert_true(clock_ns() >= wake);
    clock_sleep_until(0);
    assert_true(clock_s() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_fills_and_empties), cmocka_unit_test(ring_between_threads),
        cmocka_unit_test(queue_fd_follows_content), cmocka_unit_test(queue_from_many_threads),
        cmocka_unit_test(sleeping_until),
    };
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
