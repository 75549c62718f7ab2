/* gemm_dots.c: products with hardly any rows, or a single column, whose k lies contiguous in both
 * operands. Packing would cost more than the product: each element is a dot product of two rows as they
 * lie. */
#include "gemm_core.h"

enum { MIN_K = 16, MOST_ROWS = 16, CHUNKS = 16, CHUNK_WORK = 1 << 16 };

struct dots_job { struct ukr_dots t; float beta; const struct product *p; int per_chunk; };

static void dots_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct dots_job *job = ctx;
    struct ukr_dots t = job->t;
    const int from = chunk * job->per_chunk;
    t.n = min_int(job->per_chunk, t.n - from);
    t.b += from * t.b_row;
    t.c += from;
    ukr_get()->dots(&t);
}

static void run_dots(struct pool *pool, struct dots_job *job)
{
    const int least = (int)(CHUNK_WORK / ((long)job->t.k * job->t.m)) + 1;
    job->per_chunk = max_int(div_up(job->t.n, CHUNKS), least);
    job->per_chunk = div_up(job->per_chunk, 16) * 16; /* whole blocks */
    const int chunks = div_up(job->t.n, job->per_chunk);
    if (chunks == 1)
        dots_chunk(job, 0, 0);
    else
        pool_run(pool, chunks, dots_chunk, job);
}

bool product_dots(struct pool *pool, const struct product *p)
{
    if (p->epilogue || p->gather || p->b_packed || p->k < MIN_K || p->scale != 1 || p->beta != 0)
        return false;
    struct dots_job job = {.t = {.k = p->k, .c = p->c, .c_row = p->ldc}};
    const bool a_rows = !p->a_cols || (p->m == 1 && p->lda == 1);
    const bool b_rows = p->b_cols || (p->n == 1 && p->ldb == 1);
    if (!a_rows || !b_rows)
        return false;
    if (p->n == 1 && p->ldc == 1) { /* the vector takes the place of A */
        job.t.a = p->b;
        job.t.m = 1;
        job.t.b = p->a;
        job.t.b_row = p->lda;
        job.t.n = p->m;
    } else if (p->m <= MOST_ROWS) {
        job.t.a = p->a;
        job.t.a_row = p->lda;
        job.t.m = p->m;
        job.t.b = p->b;
        job.t.b_row = p->ldb;
        job.t.n = p->n;
    } else {
        return false;
    }
    run_dots(pool, &job);
    return true;
}

bool product_row_times(struct pool *pool, const struct product *p)
{
    if (p->n != 1 || p->ldc != 1 || !p->a_cols || p->b_packed || p->gather || p->epilogue || p->m == 1)
        return false;
    struct product t = *p;
    t.m = 1;
    t.n = p->m;
    t.a = p->b;
    t.a_cols = !p->b_cols;
    t.lda = p->ldb;
    t.b = p->a;
    t.ldb = p->lda;
    t.b_cols = false;
    t.ldc = t.n;
    product_run(pool, &t);
    return true;
}
