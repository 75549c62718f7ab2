/* Overflow checks, alignment and zeroes of blocks, arenas that mark and release. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mem.h"

static void sizes_overflow(void **state)
{
    (void)state;
    size_t n = 7;
    assert_true(size_mul(1u << 20, 1u << 20, &n) && n == (size_t)1 << 40);
    assert_false(size_mul(SIZE_MAX / 2, 3, &n));
    assert_false(size_add(SIZE_MAX, 1, &n));
    void *p = NULL;
    assert_int_equal(mem_try_alloc(SIZE_MAX / 4, 8, &p), ERR_NOMEM);
    assert_int_equal(mem_try_alloc((size_t)1 << 62, 1, &p), ERR_NOMEM);
    assert_int_equal(mem_block_new(SIZE_MAX - 10, &p), ERR_NOMEM);
    assert_int_equal(mem_block_new((size_t)1 << 60, &p), ERR_NOMEM);
    assert_null(p);
}

static void try_alloc_is_zeroed(void **state)
{
    (void)state;
    void *p;
    assert_int_equal(mem_try_alloc(1000, 4, &p), ERR_OK);
    for (int i = 0; i < 4000; i++)
        assert_int_equal(((uint8_t *)p)[i], 0);
    free(p);
    assert_int_equal(mem_try_alloc(0, 4, &p), ERR_OK);
    assert_non_null(p);
    free(p);
}

static void blocks(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, (1 << 20) - 1, 1 << 20, (2 << 20) + 1, 5 << 20};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        void *p = NULL;
        assert_int_equal(mem_block_new(sizes[i], &p), ERR_OK);
        assert_int_equal((uintptr_t)p % 64, 0);
        uint8_t *bytes = p;
        uint8_t any = 0;
        for (size_t k = 0; k < sizes[i]; k++)
            any |= bytes[k];
        assert_int_equal(any, 0);
        memset(p, 0xff, sizes[i]);
        mem_block_free(p);
    }
    mem_block_free(NULL);
}

static void grow_keeps_items(void **state)
{
    (void)state;
    int *items = NULL;
    size_t cap = 0;
    for (size_t i = 0; i < 1000; i++) {
        items = xgrow(items, i, &cap, sizeof *items);
        assert_true(cap > i);
        items[i] = (int)i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    free(items);
}

static void string_copies(void **state)
{
    (void)state;
    char *a = xstrdup("piano"), *b = xstrndup("piano", 3), *c = xstrndup("piano", 99);
    assert_string_equal(a, "piano");
    assert_string_equal(b, "pia");
    assert_string_equal(c, "piano");
    free(a);
    free(b);
    free(c);
}

static void arena_marks(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    struct arena_mark empty = arena_mark(&a);
    char *kept = arena_strdup(&a, "kept");
    struct arena_mark m = arena_mark(&a);
    for (int round = 0; round < 3; round++) {
        for (size_t n = 1; n < 100000; n = n * 3 + 1) {
            uint8_t *p = arena_alloc(&a, n);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t k = 0; k < n; k++)
                assert_int_equal(p[k], 0);
            memset(p, 0xee, n);
        }
        arena_release(&a, m);
        assert_string_equal(kept, "kept");
    }
    arena_release(&a, empty);
    assert_null(a.top);
    (void)arena_alloc(&a, 0);
    arena_fini(&a);
    assert_null(a.top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_overflow), cmocka_unit_test(try_alloc_is_zeroed), cmocka_unit_test(blocks),
        cmocka_unit_test(grow_keeps_items), cmocka_unit_test(string_copies), cmocka_unit_test(arena_marks),
    };
    return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
