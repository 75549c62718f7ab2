/* test_blas.c: the OpenBLAS path against our own loops, forced on; and that its core type suits the
 * processor. Skipped where the library is not installed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "compute/cpu/blas.h"
#include "compute/cpu/cpuid.h"
#include "mem.h"
#include "str.h"

static float *block(size_t n)
{
    void *p;
    assert_int_equal(mem_block_new(n * sizeof(float), &p), ERR_OK);
    for (size_t i = 0; i < n; i++)
        ((float *)p)[i] = (float)((i * 2654435761u >> 7) % 1000) * 0.002f - 1;
    return p;
}

static void test_agrees(void **state)
{
    (void)state;
    if (!blas_info()->loaded)
        skip();
    enum { M = 700, N = 200, K = 150, LD = 720 };
    struct pool *pool = pool_new(2);
    float *a = block(LD * LD), *b = block(LD * LD), *c = block(M * N), *d = block(M * N);
    for (int t = 0; t < 8; t++) {
        const struct product p = {
            .m = M, .n = N, .k = K, .a = a, .lda = LD, .a_cols = t & 1, .b = b, .ldb = LD, .b_cols = t & 2,
            .beta = t & 4 ? 1 : 0, .scale = 0.5f, .c = c, .ldc = N,
        };
        struct product own = p;
        own.c = d;
        assert_true(blas_wanted(&p));
        memcpy(d, c, M * N * sizeof *c);
        assert_true(blas_run(pool, &p));
        product_run(pool, &own);
        for (int i = 0; i < M * N; i++)
            assert_true(fabsf(c[i] - d[i]) < 1e-4f);
    }
    mem_block_free(a);
    mem_block_free(b);
    mem_block_free(c);
    mem_block_free(d);
    pool_free(pool);
}

static void test_core(void **state)
{
    (void)state;
    const struct blas_info *info = blas_info();
    if (!info->loaded || info->by_user)
        skip();
    print_message("detected %s, in use %s\n", info->detected, info->core);
    if (cpu_isa() == ISA_AVX512)
        assert_true(str_same(info->core, "SkylakeX") || str_same(info->core, "Cooperlake") ||
                    str_same(info->core, "SapphireRapids"));
}

int main(void)
{
    setenv("JAMROLL_BLAS", "1", 1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agrees), cmocka_unit_test(test_core)};
    return cmocka_run_group_tests_name("blas", tests, NULL, NULL);
}
