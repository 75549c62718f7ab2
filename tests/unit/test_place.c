/* test_place.c: buffers alive at the same time never share memory, and little memory is wasted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "compute/schedule.h"
#include "rng.h"

enum { N = 300, STEPS = 200 };

static bool together(const struct buffer *a, const struct buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static void check(const struct buffer *b, int n, size_t size)
{
    for (int i = 0; i < n; i++) {
        if (b[i].outside)
            continue;
        assert_int_equal(b[i].offset % 64, 0);
        assert_true(b[i].offset + b[i].bytes <= size);
        for (int k = 0; k < i; k++)
            if (!b[k].outside && together(&b[i], &b[k]))
                assert_true(b[i].offset + b[i].bytes <= b[k].offset ||
                            b[k].offset + b[k].bytes <= b[i].offset);
    }
}

/* The most that is alive in one step: no placement can do with less. */
static size_t lower_bound(const struct buffer *b, int n)
{
    size_t most = 0;
    for (int step = 0; step < STEPS; step++) {
        size_t sum = 0;
        for (int i = 0; i < n; i++)
            if (!b[i].outside && b[i].first <= step && step <= b[i].last)
                sum += (b[i].bytes + 63) / 64 * 64;
        most = sum > most ? sum : most;
    }
    return most;
}

static void random_lives(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 1, 2);
    for (int round = 0; round < 30; round++) {
        struct buffer b[N];
        memset(b, 0, sizeof(b));
        for (int i = 0; i < N; i++) {
            b[i].bytes = (size_t)4 << rng_below(&r, 16);
            b[i].first = (int)rng_below(&r, STEPS);
            b[i].last = b[i].first + (int)rng_below(&r, rng_u32(&r) & 1 ? 4 : 60);
            b[i].last = rng_below(&r, 20) == 0 ? INT_MAX : b[i].last;
            b[i].outside = rng_below(&r, 10) == 0;
        }
        size_t size = place(b, N);
        check(b, N, size);
        assert_true(size <= lower_bound(b, N) * 5 / 4);
    }
}

static void nothing_to_place(void **state)
{
    (void)state;
    struct buffer b = { .bytes = 100, .outside = true };
    assert_int_equal(place(&b, 1), 0);
    assert_int_equal(place(&b, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_lives), cmocka_unit_test(nothing_to_place) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
