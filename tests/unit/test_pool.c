/* Every chunk exactly once, whatever the threads do; nested runs; many short runs in a row. Also run
 * under the thread sanitizer by `make tsan`. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "pool.h"

enum { MANY = 1000 };

struct job {
    int done[MANY];         /* written by one thread each: a second write is a failure */
    atomic_int total;
    atomic_int bad_worker;
    int size;
    struct pool *pool;
};

static void count_chunk(void *ctx, int chunk, int worker)
{
    struct job *j = ctx;
    j->done[chunk]++;
    if (worker < 0 || worker >= j->size)
        atomic_fetch_add(&j->bad_worker, 1);
    atomic_fetch_add(&j->total, 1);
}

static void check_job(struct job *j, int n)
{
    assert_int_equal(atomic_load(&j->total), n);
    assert_int_equal(atomic_load(&j->bad_worker), 0);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(j->done[i], i < n);
}

static void each_chunk_once(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3, 8};
    static const int counts[] = {0, 1, 2, 3, 7, 64, MANY};
    for (size_t t = 0; t < COUNT_OF(threads); t++) {
        struct pool *p = pool_new(threads[t]);
        assert_int_equal(pool_size(p), threads[t]);
        for (size_t c = 0; c < COUNT_OF(counts); c++) {
            struct job j = {.size = threads[t]};
            pool_run(p, counts[c], count_chunk, &j);
            check_job(&j, counts[c]);
        }
        pool_free(p);
    }
}

/* Runs of different sizes back to back: a worker that is late must not touch the next run's chunks
 * with the last run's context. */
static void short_runs_in_a_row(void **state)
{
    (void)state;
    struct pool *p = pool_new(4);
    for (int round = 0; round < 3000; round++) {
        struct job j = {.size = 4};
        int n = 2 + round * 7 % 19;
        pool_run(p, n, count_chunk, &j);
        assert_int_equal(atomic_load(&j.total), n);
        for (int i = 0; i < n; i++)
            assert_int_equal(j.done[i], 1);
        if (round % 500 == 0)
            usleep(200); /* long enough that the workers fall asleep */
    }
    pool_free(p);
}

static void outer_chunk(void *ctx, int chunk, int worker)
{
    struct job *outer = ctx;
    struct job inner = {.size = outer->size};
    pool_run(outer->pool, 5, count_chunk, &inner);
    if (atomic_load(&inner.total) == 5)
        count_chunk(ctx, chunk, worker);
}

static void nested_runs_are_serial(void **state)
{
    (void)state;
    struct pool *p = pool_new(3);
    struct job j = {.size = 3, .pool = p};
    pool_run(p, 40, outer_chunk, &j);
    check_job(&j, 40);
    pool_free(p);
}

static void no_pool_at_all(void **state)
{
    (void)state;
    struct job j = {.size = 1};
    assert_int_equal(pool_size(NULL), 1);
    pool_run(NULL, 10, count_chunk, &j);
    check_job(&j, 10);
    pool_free(NULL);
    assert_true(pool_cores() >= 1);
    struct pool *p = pool_new(0);
    assert_int_equal(pool_size(p), pool_cores());
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_chunk_once), cmocka_unit_test(short_runs_in_a_row),
        cmocka_unit_test(nested_runs_are_serial), cmocka_unit_test(no_pool_at_all),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
