/* Philox against the published known answers, and the distributions built on it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "err.h"
#include "rng.h"

/* Known answers of Random123 1.09 (kat_vectors, philox4x32 10). */
static void known_answers(void **state)
{
    (void)state;
    static const struct { uint32_t counter[4], key[2], want[4]; } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint32_t got[4];
        philox4x32(rows[i].counter, rows[i].key, got);
        assert_memory_equal(got, rows[i].want, sizeof got);
    }
}

static void words_follow_the_counter(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 0x299f31d0a4093822u, 0x0370734413198a2eu);
    r.counter = 0x85a308d3243f6a88u;
    assert_int_equal(rng_u32(&r), 0xd16cfe09);
    assert_int_equal(rng_u32(&r), 0x94fdcceb);
    assert_int_equal(rng_u32(&r), 0x5001e420);
    assert_int_equal(rng_u32(&r), 0x24126ea1);
    assert_true(r.counter == 0x85a308d3243f6a89u);
}

static void streams_differ(void **state)
{
    (void)state;
    struct rng a, b, c;
    rng_init(&a, 1, 0);
    rng_init(&b, 1, 1);
    rng_init(&c, 2, 0);
    int same = 0;
    for (int i = 0; i < 1000; i++) {
        uint32_t x = rng_u32(&a), y = rng_u32(&b), z = rng_u32(&c);
        same += x == y || x == z || y == z;
    }
    assert_int_equal(same, 0);
}

static void uniform_and_normal(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct rng r;
    rng_init(&r, 7, 0);
    double sum = 0, square = 0;
    for (int i = 0; i < N; i++) {
        float u = rng_uniform(&r);
        assert_true(u >= 0 && u < 1);
        sum += u;
    }
    assert_float_equal(sum / N, 0.5, 0.005);
    sum = 0;
    for (int i = 0; i < N; i++) {
        float x = rng_normal(&r);
        sum += x;
        square += (double)x * x;
    }
    assert_float_equal(sum / N, 0, 0.01);
    assert_float_equal(square / N, 1, 0.02);
    for (int i = 0; i < 10000; i++)
        assert_true(fabsf(rng_truncated(&r, 1.5f)) <= 1.5f);
}

static void below_is_even(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 9, 3);
    int seen[7] = {0};
    for (int i = 0; i < 70000; i++)
        seen[rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 9600, 10400); /* 4 deviations of a binomial */
    for (int i = 0; i < 10; i++)
        assert_int_equal(rng_below(&r, 1), 0);
}

static void shuffle_keeps_all(void **state)
{
    (void)state;
    uint32_t items[100], again[100], seen[100] = {0};
    struct rng r;
    for (uint32_t i = 0; i < 100; i++)
        items[i] = again[i] = i;
    rng_init(&r, 4, 4);
    rng_shuffle(&r, items, 100);
    for (int i = 0; i < 100; i++)
        seen[items[i]]++;
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    assert_memory_not_equal(items, again, sizeof items);
    rng_init(&r, 4, 4);
    rng_shuffle(&r, again, 100);
    assert_memory_equal(items, again, sizeof items);
}

static void weights_are_shares(void **state)
{
    (void)state;
    const double upto[] = { 0, 1, 1, 4 };   /* weights 0 1 0 3 */
    int n[4] = { 0 };
    struct rng r;
    rng_init(&r, 3, 4);
    for (int i = 0; i < 8000; i++)
        n[rng_weighted(&r, upto, 4)]++;
    assert_int_equal(n[0] + n[2], 0);
    assert_in_range(n[1], 1850, 2150);
}

static void hash_mixes(void **state)
{
    (void)state;
    assert_true(rng_hash(1, 2) != rng_hash(2, 1));
    assert_true(rng_hash(1, 2) == rng_hash(1, 2));
    int flipped = 0;
    for (int bit = 0; bit < 64; bit++)
        flipped += __builtin_popcountll(rng_hash(5, 6) ^ rng_hash(5 ^ 1ull << bit, 6));
    assert_in_range(flipped, 64 * 28, 64 * 36);
    assert_true(rng_entropy() != rng_entropy());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),    cmocka_unit_test(words_follow_the_counter),
        cmocka_unit_test(streams_differ),   cmocka_unit_test(uniform_and_normal),
        cmocka_unit_test(below_is_even),    cmocka_unit_test(shuffle_keeps_all),
        cmocka_unit_test(weights_are_shares), cmocka_unit_test(hash_mixes),
    };
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
