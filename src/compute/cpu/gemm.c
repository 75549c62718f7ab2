/* gemm.c: the public matrix products, all of them descriptions handed to product_run (gemm_core.c). */
#include "gemm.h"
#include "gemm_core.h"

void gemm(struct pool *p, bool ta, bool tb, int m, int n, int k, const float *a, int lda, const float *b,
          int ldb, float beta, float *c, int ldc, const struct gemm_epilogue *e)
{
    const bool plain = e && !e->bias && e->act == ACT_NONE;
    product_run(p, &(struct product){.m = m, .n = n, .k = k, .a = a, .lda = lda, .a_cols = ta, .b = b,
                                     .ldb = ldb, .b_cols = tb, .beta = beta, .scale = 1, .c = c, .ldc = ldc,
                                     .epilogue = plain ? NULL : e});
}

/* --- many of one shape --- */

struct batch { struct product p; int inner, per_chunk, count; struct gemm_strides a, b, c; };

static void batch_one(struct pool *pool, const struct batch *b, int item)
{
    const size_t o = (size_t)(item / b->inner), i = (size_t)(item % b->inner);
    struct product p = b->p;
    p.a += o * b->a.outer + i * b->a.inner;
    p.b += o * b->b.outer + i * b->b.inner;
    p.c += o * b->c.outer + i * b->c.inner;
    product_run(pool, &p);
}

static void batch_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct batch *b = ctx;
    const int from = chunk * b->per_chunk, to = min_int(b->count, from + b->per_chunk);
    for (int i = from; i < to; i++)
        batch_one(NULL, b, i);
}

void gemm_batch_ld(struct pool *p, int outer, int inner, bool ta, bool tb, int m, int n, int k,
                   const float *a, struct gemm_strides sa, const float *b, struct gemm_strides sb, float beta,
                   float *c, struct gemm_strides sc, float scale)
{
    struct batch batch = {
        .p = {.m = m, .n = n, .k = k, .a = a, .lda = sa.ld, .a_cols = ta, .b = b, .ldb = sb.ld, .b_cols = tb,
              .beta = beta, .scale = scale, .c = c, .ldc = sc.ld},
        .inner = inner, .count = outer * inner, .a = sa, .b = sb, .c = sc,
    };
    const double work = (double)m * n * k, chunk_work = 1 << 18;
    if (batch.count < 4 && work > chunk_work) {
        for (int i = 0; i < batch.count; i++)
            batch_one(p, &batch, i);
        return;
    }
    batch.per_chunk = max_int(div_up(batch.count, 32), (int)(work < 1 ? 1 << 18 : chunk_work / work));
    batch.per_chunk = max_int(batch.per_chunk, 1);
    const int chunks = div_up(batch.count, batch.per_chunk);
    if (chunks == 1)
        batch_chunk(&batch, 0, 0);
    else if (chunks > 1)
        pool_run(p, chunks, batch_chunk, &batch);
}

void gemm_batch(struct pool *p, int count, bool ta, bool tb, int m, int n, int k, const float *a, size_t sa,
                const float *b, size_t sb, float beta, float *c, size_t sc, float scale)
{
    gemm_batch_ld(p, count, 1, ta, tb, m, n, k, a, (struct gemm_strides){sa, 0, ta ? m : k}, b,
                  (struct gemm_strides){sb, 0, tb ? k : n}, beta, c, (struct gemm_strides){sc, 0, n}, scale);
}

/* --- constant right-hand sides --- */

size_t gemm_packed_floats(int k, int n)
{
    return product_packed_floats(k, n);
}

void gemm_pack(bool tb, int k, int n, const float *b, int ldb, float *packed)
{
    product_pack_b(NULL, k, n, b, ldb, tb, packed);
}

void gemm_packed(struct pool *p, int m, int n, int k, const float *a, int lda, const float *packed, float *c,
                 int ldc, const struct gemm_epilogue *e)
{
    product_run(p, &(struct product){.m = m, .n = n, .k = k, .a = a, .lda = lda, .b = packed,
                                     .b_packed = true, .scale = 1, .c = c, .ldc = ldc, .epilogue = e});
}
