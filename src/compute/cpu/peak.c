/* peak.c: measures the machine and our products beside it in one run, since clocks move. Each figure is
 * the best of a few short repeats; shapes are those of the models that run here. */
#include "peak.h"
#include "blas.h"
#include "clock.h"
#include "cpuid.h"
#include "mem.h"
#include "ukr.h"

enum { REPEATS = 4, FMA_ROUNDS = 200000, STREAM_CHUNKS = 16 };
static const double slot_s = 0.02; /* spent on one figure */

/* Best rate of `work` units a call, called until the slot is over and REPEATS times at least. */
static double best_rate(void (*fn)(void *), void *ctx, double work)
{
    double best = 0;
    fn(ctx);
    const double end = clock_s() + slot_s;
    for (int i = 0; i < REPEATS || clock_s() < end; i++) {
        const double start = clock_s();
        fn(ctx);
        const double rate = work / (clock_s() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

/* --- arithmetic --- */

static void fma_chunk(void *ctx, int chunk, int worker)
{
    (void)ctx;
    (void)chunk;
    (void)worker;
    ukr_get()->fma_flops(FMA_ROUNDS);
}

static void fma_all(void *ctx)
{
    struct pool *p = ctx;
    pool_run(p, 4 * pool_size(p), fma_chunk, NULL);
}

double peak_fma_gflops(struct pool *p)
{
    const double work = ukr_get()->fma_flops(1) * FMA_ROUNDS * 4 * pool_size(p);
    return best_rate(fma_all, p, work) * 1e-9;
}

/* --- reading memory --- */

struct stream { struct pool *pool; const float *p; size_t floats; };

static void read_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct stream *s = ctx;
    const size_t n = s->floats / STREAM_CHUNKS;
    volatile float keep = ukr_get()->dot(s->p + n * (size_t)chunk, s->p + n * (size_t)chunk, n);
    (void)keep;
}

static void read_all(void *ctx)
{
    const struct stream *s = ctx;
    pool_run(s->pool, STREAM_CHUNKS, read_chunk, ctx);
}

static double read_gbs(struct pool *pool, const float *p, size_t bytes)
{
    struct stream s = {pool, p, bytes / sizeof *p};
    return best_rate(read_all, &s, (double)bytes) * 1e-9;
}

/* --- products --- */

struct probe { const char *name; int count, m, n, k; bool ta, tb, packed; };
static const struct probe shapes[] = {
    {"product 512 x 512 x 512", 1, 512, 512, 512, false, false, false},
    {"training 4096 x 576 x 192", 1, 4096, 576, 192, false, false, false},
    {"its weight gradient", 1, 192, 576, 4096, true, false, false},
    {"decoding 8 x 768 x 192, packed", 1, 8, 768, 192, false, false, true},
    {"attention 64 of 256 x 256 x 32", 64, 256, 256, 32, false, true, false},
};

struct trial { struct pool *pool; const struct probe *s; float *a, *b, *c; bool blas; };

static void multiply(void *ctx)
{
    const struct trial *t = ctx;
    const struct probe *s = t->s;
    if (t->blas)
        blas_run(t->pool, &(struct product){
            .m = s->m, .n = s->n, .k = s->k, .a = t->a, .lda = s->ta ? s->m : s->k, .a_cols = s->ta,
            .b = t->b, .ldb = s->tb ? s->k : s->n, .b_cols = s->tb, .scale = 1, .c = t->c, .ldc = s->n,
        });
    else if (s->packed)
        gemm_packed(t->pool, s->m, s->n, s->k, t->a, s->k, t->b, t->c, s->n, NULL);
    else
        gemm_batch(t->pool, s->count, s->ta, s->tb, s->m, s->n, s->k, t->a, (size_t)s->m * s->k, t->b,
                   (size_t)s->n * s->k, 0, t->c, (size_t)s->m * s->n, 1);
}

static double product_gflops(struct pool *pool, const struct probe *s, float *memory, bool blas)
{
    const size_t a = (size_t)s->count * s->m * s->k, b = (size_t)s->count * s->n * s->k + 64 * (size_t)s->k;
    struct trial t = {pool, s, memory, memory + a, memory + a + b, blas};
    return best_rate(multiply, &t, 2.0 * s->count * s->m * s->n * s->k) * 1e-9;
}

static void report_blas(struct pool *pool, float *memory, struct str *out)
{
    const struct blas_info *blas = blas_info();
    if (!blas->loaded) {
        str_add(out, "OpenBLAS: not installed, not needed\n");
        return;
    }
    str_addf(out, "OpenBLAS core type: %s", blas->core);
    if (!str_same(blas->core, blas->detected))
        str_addf(out, " (it took this processor for %s; corrected)", blas->detected);
    else if (blas->by_user)
        str_add(out, " (OPENBLAS_CORETYPE is set)");
    str_addf(out, "; %s: %.0f GFLOP/s\n", shapes[0].name, product_gflops(pool, &shapes[0], memory, true));
    const struct product large = {.m = 1024, .n = 1024, .k = 1024};
    const bool wanted = blas_wanted(&large);
    str_add(out, wanted ? "large products go to OpenBLAS\n" : "all products use our own kernels\n");
}

void cpu_kernels_report(struct pool *p, struct str *out)
{
    const size_t bytes = (size_t)96 << 20;
    void *memory;
    if (mem_block_new(bytes, &memory) != ERR_OK) {
        str_add(out, "too little memory to measure\n");
        return;
    }
    const enum isa isa = cpu_isa(), best = cpu_isa_supported();
    const struct ukr *u = ukr_get();
    str_addf(out, "kernels: %s, tiles of %d x %d", isa_name(isa), u->mr, u->nr);
    if (isa != best)
        str_addf(out, " (JAMROLL_ISA; the processor has %s)", isa_name(best));
    const double one = peak_fma_gflops(NULL), all = peak_fma_gflops(p);
    str_addf(out, "\nmultiply-add peak: %.0f GFLOP/s on 1 thread, %.0f on %d\n", one, all, pool_size(p));
    str_addf(out, "reading: last-level cache %.0f GB/s, memory %.0f GB/s\n",
             read_gbs(p, memory, (size_t)8 << 20), read_gbs(p, memory, bytes));
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        const double rate = product_gflops(p, &shapes[i], memory, false);
        str_addf(out, "%-32s %6.0f GFLOP/s, %.0f %% of peak\n", shapes[i].name, rate, 100 * rate / all);
    }
    report_blas(p, memory, out);
    mem_block_free(memory);
}
