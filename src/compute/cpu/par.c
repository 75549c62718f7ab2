/* par.c: loops over the pool. */
#include "cpu.h"

struct ranges { range_fn fn; void *ctx; size_t n, grain; };

static void one_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct ranges *r = ctx;
    size_t from = (size_t)chunk * r->grain, to = from + r->grain < r->n ? from + r->grain : r->n;
    r->fn(r->ctx, from, to, chunk);
}

void par_for(struct pool *pool, size_t n, size_t grain, range_fn fn, void *ctx)
{
    struct ranges r = { fn, ctx, n, grain };
    int chunks = (int)((n + grain - 1) / grain);
    if (pool_size(pool) > 1 && chunks > 1) {
        pool_run(pool, chunks, one_chunk, &r);
        return;
    }
    for (int c = 0; c < chunks; c++) /* the same chunks: reductions give the same bits */
        one_chunk(&r, c, 0);
}
