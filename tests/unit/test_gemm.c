/* test_gemm.c: every path of the matrix products against double loops, over sizes around the tile edges;
 * and what gemm.h promises about bits. Run it with JAMROLL_ISA=avx2 and generic too. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>
#include "compute/cpu/gemm.h"
#include "uniform.h"

static struct pool *pool;

static int below(int n)
{
    return (int)((uniform() * 0.5f + 0.5f) * 0.999f * (float)n);
}

struct shape3 { int m, n, k; };

static double act_ref(double v, const struct gemm_epilogue *e)
{
    switch (e->act) {
    case ACT_NONE: return v;
    case ACT_RELU: return v > 0 ? v : 0;
    case ACT_LEAKY: return v > 0 ? v : e->slope * v;
    case ACT_TANH: return tanh(v);
    case ACT_SIGMOID: return 1 / (1 + exp(-v));
    case ACT_GELU: return 0.5 * v * (1 + tanh(0.7978845608028654 * (v + 0.044715 * v * v * v)));
    }
    return NAN;
}

struct operands { bool ta, tb; struct shape3 s; const float *a, *b; int lda, ldb; };

static double dot_ref(const struct operands *o, int i, int j, double *magnitude)
{
    double sum = 0;
    *magnitude = 0;
    for (int p = 0; p < o->s.k; p++) {
        const double v = (double)(o->ta ? o->a[p * o->lda + i] : o->a[i * o->lda + p]) *
                         (double)(o->tb ? o->b[j * o->ldb + p] : o->b[p * o->ldb + j]);
        sum += v;
        *magnitude += fabs(v);
    }
    return sum;
}

static void check(const struct operands *o, float beta, float scale, const float *before, const float *c,
                  int ldc, const struct gemm_epilogue *e)
{
    for (int i = 0; i < o->s.m; i++) {
        for (int j = 0; j < o->s.n; j++) {
            double magnitude, want = scale * dot_ref(o, i, j, &magnitude);
            if (beta != 0)
                want += (double)beta * before[i * ldc + j];
            if (e)
                want = act_ref(want + (e->bias ? e->bias[j] : 0), e);
            const double got = c[i * ldc + j], bound = 2e-6 * (magnitude + 2) + 1e-6 * fabs(want);
            if (!(fabs(got - want) <= bound))
                fail_msg("%dx%dx%d ta %d tb %d beta %g: c[%d,%d] = %.8g, want %.8g", o->s.m, o->s.n, o->s.k,
                         o->ta, o->tb, (double)beta, i, j, got, want);
        }
        for (int j = o->s.n; j < ldc; j++)
            assert_true(c[i * ldc + j] == before[i * ldc + j]);
    }
}

static void one(bool ta, bool tb, struct shape3 s, int gap, float beta, const struct gemm_epilogue *e)
{
    const int lda = (ta ? s.m : s.k) + gap, ldb = (tb ? s.k : s.n) + gap, ldc = s.n + gap;
    float *a = block((size_t)(ta ? s.k : s.m) * lda), *b = block((size_t)(tb ? s.n : s.k) * ldb);
    float *c = block((size_t)s.m * ldc), *before = block((size_t)s.m * ldc);
    memcpy(before, c, sizeof(float) * (size_t)s.m * ldc);
    if (beta == 0) /* must not be read */
        for (int i = 0; i < s.m; i++)
            for (int j = 0; j < s.n; j++)
                c[i * ldc + j] = NAN;
    gemm(pool, ta, tb, s.m, s.n, s.k, a, lda, b, ldb, beta, c, ldc, e);
    check(&(struct operands){ta, tb, s, a, b, lda, ldb}, beta, 1, before, c, ldc, e);
    mem_block_free(a);
    mem_block_free(b);
    mem_block_free(c);
    mem_block_free(before);
}

static void test_edges(void **state)
{
    (void)state;
    static const int sizes[] = {1, 2, 3, 5, 7, 12, 13, 16, 31, 33, 65};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (size_t j = 0; j < COUNT_OF(sizes); j++)
            for (size_t l = 0; l < COUNT_OF(sizes); l++)
                for (int t = 0; t < 4; t++)
                    one(t & 1, t & 2, (struct shape3){sizes[i], sizes[j], sizes[l]}, below(3),
                        below(3) * 0.5f, NULL);
}

static void test_large(void **state)
{
    (void)state;
    static const struct shape3 sizes[] = {
        {100, 130, 300}, {25, 70, 513}, {1, 1000, 300}, {2, 300, 600}, {3, 257, 700}, {1000, 1, 300},
        {7, 9, 5000}, {300, 40, 520}, {97, 97, 1024}, {40, 16, 9000}, {8, 576, 192}, {500, 3, 20},
        {13, 2100, 600},
    };
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (int t = 0; t < 4; t++)
            one(t & 1, t & 2, sizes[i], t == 3 ? 5 : 0, t == 2, NULL);
}

static void test_aliasing_strides(void **state)
{
    (void)state;
    for (int t = 0; t < 4; t++)
        one(t & 1, t & 2, (struct shape3){130, 120, 512}, 0, 0, NULL);
}

static void test_nothing_to_add(void **state)
{
    (void)state;
    one(false, false, (struct shape3){5, 70, 0}, 1, 0, NULL);
    one(false, true, (struct shape3){5, 70, 0}, 1, 0.5f, NULL);
}

static void test_epilogues(void **state)
{
    (void)state;
    static const struct shape3 sizes[] = {{1, 1, 1}, {3, 40, 20}, {13, 33, 300}, {70, 65, 17},
                                          {100, 128, 600}};
    float *bias = block(128);
    for (int act = ACT_NONE; act <= ACT_GELU; act++)
        for (size_t i = 0; i < COUNT_OF(sizes); i++)
            for (int with = 0; with < 2; with++) {
                struct gemm_epilogue e = {with ? bias : NULL, (enum act)act, 0.2f};
                one(false, i & 1, sizes[i], (int)i % 2, 0, &e);
            }
    mem_block_free(bias);
}

static void test_packed(void **state)
{
    (void)state;
    static const struct shape3 sizes[] = {{1, 1, 1}, {4, 50, 30}, {9, 576, 192}, {33, 100, 768},
                                          {130, 33, 70}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (int tb = 0; tb < 2; tb++) {
            const struct shape3 s = sizes[i];
            float *a = block((size_t)s.m * s.k), *b = block((size_t)s.n * s.k), *c = block((size_t)s.m * s.n);
            float *bias = block((size_t)s.n), *packed = block(gemm_packed_floats(s.k, s.n));
            struct gemm_epilogue e = {bias, ACT_LEAKY, 0.1f};
            const int ldb = tb ? s.k : s.n;
            gemm_pack(tb, s.k, s.n, b, ldb, packed);
            gemm_packed(pool, s.m, s.n, s.k, a, s.k, packed, c, s.n, &e);
            check(&(struct operands){false, tb, s, a, b, s.k, ldb}, 0, 1, c, c, s.n, &e);
            mem_block_free(a);
            mem_block_free(b);
            mem_block_free(c);
            mem_block_free(bias);
            mem_block_free(packed);
        }
}

/* A row's bits do not depend on how many rows go with it, nor on the number of threads. */
static void test_rows_repeat(void **state)
{
    (void)state;
    enum { ROWS = 70, K = 700, N = 300 };
    float *a = block(ROWS * K), *b = block(K * N), *all = block(ROWS * N), *some = block(ROWS * N);
    float *packed = block(gemm_packed_floats(K, N)), *bias = block(N);
    struct gemm_epilogue e = {bias, ACT_TANH, 0};
    gemm_pack(false, K, N, b, N, packed);
    gemm_packed(pool, ROWS, N, K, a, K, packed, all, N, &e);
    for (int m = 1; m <= ROWS; m = m < 14 ? m + 1 : m + 11) {
        const int from = ROWS - m;
        gemm_packed(m % 2 ? pool : NULL, m, N, K, a + from * K, K, packed, some, N, &e);
        assert_memory_equal(some, all + from * N, sizeof(float) * (size_t)m * N);
    }
    gemm(pool, true, true, N, ROWS, K, b, N, a, K, 0, some, ROWS, NULL);
    gemm(NULL, true, true, N, ROWS, K, b, N, a, K, 0, all, ROWS, NULL);
    assert_memory_equal(some, all, sizeof(float) * ROWS * N);
    mem_block_free(a);
    mem_block_free(b);
    mem_block_free(all);
    mem_block_free(some);
    mem_block_free(packed);
    mem_block_free(bias);
}

static void batch(int count, bool ta, bool tb, struct shape3 s, float beta, float scale)
{
    const size_t sa = (size_t)s.m * s.k, sb = (size_t)s.n * s.k, sc = (size_t)s.m * s.n;
    float *a = block(sa * count), *b = block(sb * count), *c = block(sc * count), *before = block(sc * count);
    memcpy(before, c, sizeof(float) * sc * count);
    gemm_batch(pool, count, ta, tb, s.m, s.n, s.k, a, sa, b, sb, beta, c, sc, scale);
    for (int i = 0; i < count; i++)
        check(&(struct operands){ta, tb, s, a + i * sa, b + i * sb, ta ? s.m : s.k, tb ? s.k : s.n}, beta,
              scale, before + i * sc, c + i * sc, s.n, NULL);
    mem_block_free(a);
    mem_block_free(b);
    mem_block_free(c);
    mem_block_free(before);
}

static void test_batch(void **state)
{
    (void)state;
    for (int t = 0; t < 4; t++) {
        batch(6, t & 1, t & 2, (struct shape3){50, 50, 32}, 0, 0.25f);
        batch(40, t & 1, t & 2, (struct shape3){50, 32, 50}, t == 1, 1);
        batch(100, t & 1, t & 2, (struct shape3){1, 17, 32}, 0.5f, 0.125f);
        batch(2, t & 1, t & 2, (struct shape3){150, 150, 40}, 1, 3);
    }
}

/* Heads side by side in a row: strides of outer, inner and rows all differ. */
static void test_batch_strides(void **state)
{
    (void)state;
    enum { SAMPLES = 3, HEADS = 4, T = 21, W = 32, D = HEADS * W };
    float *q = block(SAMPLES * T * D), *k = block(SAMPLES * T * D), *c = block(SAMPLES * HEADS * T * T);
    const struct gemm_strides heads = {T * D, W, D}, square = {HEADS * T * T, T * T, T};
    gemm_batch_ld(pool, SAMPLES, HEADS, false, true, T, T, W, q, heads, k, heads, 0, c, square, 0.5f);
    for (int s = 0; s < SAMPLES; s++)
        for (int h = 0; h < HEADS; h++) {
            const size_t in = s * T * D + h * W, out = (s * HEADS + h) * T * T;
            const struct operands o = {false, true, {T, T, W}, q + in, k + in, D, D};
            check(&o, 0, 0.5f, c + out, c + out, T, NULL);
        }
    mem_block_free(q);
    mem_block_free(k);
    mem_block_free(c);
}

static void test_random(void **state)
{
    (void)state;
    for (int i = 0; i < 150; i++) {
        struct shape3 s = {1 + below(90), 1 + below(150), 1 + below(400)};
        one(below(2), below(2), s, below(4), below(3) * 0.5f, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges), cmocka_unit_test(test_large), cmocka_unit_test(test_aliasing_strides),
        cmocka_unit_test(test_nothing_to_add), cmocka_unit_test(test_epilogues),
        cmocka_unit_test(test_packed), cmocka_unit_test(test_rows_repeat), cmocka_unit_test(test_batch),
        cmocka_unit_test(test_batch_strides), cmocka_unit_test(test_random),
    };
    pool = pool_new(2);
    const int failed = cmocka_run_group_tests_name("gemm", tests, NULL, NULL);
    pool_free(pool);
    return failed;
}
