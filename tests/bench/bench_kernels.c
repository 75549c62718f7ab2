/* bench_kernels.c: products and convolutions of the models' shapes, each beside the multiply-add peak
 * measured in the same run: GFLOP/s on one thread and on all, share of the peak; and the vector functions
 * in nanoseconds an element. Arguments: a word selects the rows whose name contains it. */
#include <stdio.h>
#include <string.h>
#include "clock.h"
#include "compute/cpu/conv.h"
#include "compute/cpu/cpuid.h"
#include "compute/cpu/gemm.h"
#include "compute/cpu/peak.h"
#include "compute/cpu/vmath.h"
#include "mem.h"

static const double slot_s = 0.1;

struct job {
    void (*fn)(struct pool *pool, const void *what);
    const void *what;
};

static double best_seconds(struct pool *pool, const struct job *job)
{
    double best = 1e9;
    job->fn(pool, job->what);
    const double end = clock_s() + slot_s;
    for (int i = 0; i < 3 || clock_s() < end; i++) {
        const double start = clock_s();
        job->fn(pool, job->what);
        const double t = clock_s() - start;
        best = t < best ? t : best;
    }
    return best;
}

static struct pool *pool;
static double peak_one, peak_all;

static void row(const char *name, double flops, const struct job *job)
{
    const double one = best_seconds(NULL, job), all = best_seconds(pool, job);
    printf("%-44s %9.3f %9.3f %7.0f %7.0f %5.0f%% %5.0f%%\n", name, one * 1e3, all * 1e3, flops / one * 1e-9,
           flops / all * 1e-9, 100e-9 * flops / one / peak_one, 100e-9 * flops / all / peak_all);
    fflush(stdout);
}

static float *block(size_t n)
{
    void *p = NULL;
    BUG_ON(mem_block_new((n + 16) * sizeof(float), &p) != ERR_OK);
    for (size_t i = 0; i < n; i++)
        ((float *)p)[i] = (float)(i * 2654435761u % 1000) * 0.002f - 1;
    return p;
}

/* --- products --- */

struct gemm_row { int count, m, n, k; bool ta, tb, packed; };
static const struct gemm_row gemms[] = {
    {1, 256, 256, 256, 0, 0, 0}, {1, 1024, 1024, 1024, 0, 0, 0}, {1, 2048, 2048, 2048, 0, 0, 0},
    {1, 4096, 576, 192, 0, 0, 0}, {1, 4096, 768, 192, 0, 0, 0}, {1, 4096, 192, 768, 0, 0, 0},
    {1, 4096, 192, 576, 0, 1, 0}, {1, 4096, 768, 192, 0, 1, 0}, {1, 4096, 192, 768, 0, 1, 0},
    {1, 192, 576, 4096, 1, 0, 0}, {1, 192, 768, 4096, 1, 0, 0}, {1, 768, 192, 4096, 1, 0, 0},
    {1, 1, 576, 192, 0, 0, 1}, {1, 1, 768, 192, 0, 0, 1}, {1, 8, 576, 192, 0, 0, 1},
    {1, 8, 768, 192, 0, 0, 1}, {1, 8, 192, 768, 0, 0, 1}, {1, 4, 3072, 512, 0, 0, 1},
    {1, 48, 1536, 256, 0, 0, 1}, {96, 256, 256, 32, 0, 1, 0}, {96, 256, 32, 256, 0, 0, 0},
    {96, 256, 32, 256, 1, 0, 0}, {1, 5376, 1, 3136, 0, 0, 0},
};

struct gemm_job { const struct gemm_row *r; float *a, *b, *c; };

static void run_gemm(struct pool *p, const void *what)
{
    const struct gemm_job *j = what;
    const struct gemm_row *r = j->r;
    const size_t a = (size_t)r->m * r->k, b = (size_t)r->n * r->k, c = (size_t)r->m * r->n;
    if (r->packed)
        gemm_packed(p, r->m, r->n, r->k, j->a, r->k, j->b, j->c, r->n, NULL);
    else
        gemm_batch(p, r->count, r->ta, r->tb, r->m, r->n, r->k, j->a, a, j->b, b, 0, j->c, c, 1);
}

static void bench_gemm(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(gemms); i++) {
        const struct gemm_row *r = &gemms[i];
        char name[64];
        snprintf(name, sizeof name, "gemm %d x %d x %d %c%c%s x%d", r->m, r->n, r->k, r->ta ? 'T' : 'N',
                 r->tb ? 'T' : 'N', r->packed ? " packed" : "", r->count);
        if (!strstr(name, word))
            continue;
        struct gemm_job j = {r, block((size_t)r->count * r->m * r->k),
                             block((size_t)r->count * gemm_packed_floats(r->k, r->n)),
                             block((size_t)r->count * r->m * r->n)};
        row(name, 2.0 * r->count * r->m * r->n * r->k, &(struct job){run_gemm, &j});
        mem_block_free(j.a);
        mem_block_free(j.b);
        mem_block_free(j.c);
    }
}

/* --- convolutions --- */

struct conv_row { const char *name; int in[3], cin, cout; struct geom geom; };
static const struct conv_row convs[] = {
    {"G shared 1", {4, 1, 1}, 512, 128, {{4, 1, 1}, {4, 1, 1}, {0}, {0}}},
    {"G shared 2", {4, 4, 3}, 256, 512, {{1, 4, 3}, {1, 4, 3}, {0}, {0}}},
    {"G shared 3", {4, 16, 7}, 128, 256, {{1, 4, 3}, {1, 4, 2}, {0}, {0}}},
    {"G pt 1", {4, 16, 84}, 32, 128, {{1, 1, 12}, {1, 1, 12}, {0}, {0}}},
    {"G pt 2", {4, 48, 84}, 16, 32, {{1, 3, 1}, {1, 3, 1}, {0}, {0}}},
    {"G tp 1", {4, 48, 7}, 32, 128, {{1, 3, 1}, {1, 3, 1}, {0}, {0}}},
    {"G tp 2", {4, 48, 84}, 16, 32, {{1, 1, 12}, {1, 1, 12}, {0}, {0}}},
    {"G merge", {4, 48, 84}, 1, 32, {{1, 1, 1}, {1, 1, 1}, {0}, {0}}},
    {"D pt 1", {4, 48, 84}, 5, 16, {{1, 1, 12}, {1, 1, 12}, {0}, {0}}},
    {"D pt 2", {4, 48, 7}, 16, 32, {{1, 3, 1}, {1, 3, 1}, {0}, {0}}},
    {"D tp 1", {4, 48, 84}, 5, 16, {{1, 3, 1}, {1, 3, 1}, {0}, {0}}},
    {"D tp 2", {4, 16, 84}, 16, 32, {{1, 1, 12}, {1, 1, 12}, {0}, {0}}},
    {"D merge", {4, 16, 7}, 64, 64, {{1, 1, 1}, {1, 1, 1}, {0}, {0}}},
    {"D shared 1", {4, 16, 7}, 320, 128, {{1, 4, 3}, {1, 4, 2}, {0}, {0}}},
    {"D shared 2", {4, 4, 3}, 128, 256, {{1, 4, 3}, {1, 4, 3}, {0}, {0}}},
    {"3x3 256", {1, 16, 21}, 256, 256, {{1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
    {"3x3 64", {1, 16, 21}, 64, 64, {{1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
    {"3x3/2 128", {1, 32, 42}, 128, 256, {{1, 3, 3}, {1, 2, 2}, {0}, {0, 1, 1}}},
    {"7x7 1-64", {1, 70, 90}, 1, 64, {{1, 7, 7}, {1, 1, 1}, {0}, {0}}},
    {"7x7 64-1", {1, 70, 90}, 64, 1, {{1, 7, 7}, {1, 1, 1}, {0}, {0}}},
};

struct conv_job { struct conv_shape s; int pass; float *x, *w, *y, *workspace; };

static void run_conv(struct pool *p, const void *what)
{
    const struct conv_job *j = what;
    if (j->pass == CONV_FWD)
        conv_fwd(p, &j->s, j->x, j->w, j->y, j->workspace);
    else if (j->pass == CONV_DATA)
        conv_bwd_data(p, &j->s, j->y, j->w, j->x, j->workspace);
    else
        conv_bwd_weights(p, &j->s, j->x, j->y, j->w, j->workspace);
}

static size_t volume(const int s[3])
{
    return (size_t)s[0] * s[1] * s[2];
}

static void bench_conv(const char *word, int n)
{
    static const char *const passes[] = {"fwd", "data", "weights"};
    for (size_t i = 0; i < COUNT_OF(convs); i++) {
        const struct conv_row *r = &convs[i];
        struct conv_job j = {.s = {n, {r->in[0], r->in[1], r->in[2]}, {0}, r->cin, r->cout, r->geom}};
        const struct geom *g = &r->geom;
        for (int a = 0; a < 3; a++)
            j.s.out[a] = (r->in[a] + g->lo[a] + g->hi[a] - g->kernel[a]) / g->stride[a] + 1;
        const size_t taps = (size_t)r->geom.kernel[0] * r->geom.kernel[1] * r->geom.kernel[2];
        const size_t rows = (size_t)n * volume(j.s.out), weights = taps * r->cin * r->cout;
        for (j.pass = CONV_FWD; j.pass <= CONV_WEIGHTS; j.pass++) {
            char name[64];
            snprintf(name, sizeof name, "conv %s, batch %d, %s", r->name, n, passes[j.pass]);
            if (!strstr(name, word))
                continue;
            j.x = block((size_t)n * volume(j.s.in) * r->cin);
            j.y = block(rows * r->cout);
            j.w = block(weights);
            j.workspace = block(conv_workspace(&j.s, j.pass));
            row(name, 2.0 * (double)rows * (double)weights, &(struct job){run_conv, &j});
            mem_block_free(j.x);
            mem_block_free(j.y);
            mem_block_free(j.w);
            mem_block_free(j.workspace);
        }
    }
}

/* --- vector maths --- */

enum { VECTOR = 8192 };

static void bench_vmath(const char *word)
{
    static const struct { const char *name; void (*fn)(float *, const float *, size_t); } functions[] = {
        {"vexp", vexp}, {"vlog", vlog}, {"vtanh", vtanh}, {"vsigmoid", vsigmoid}, {"vgelu", vgelu},
        {"vgelu_dx", vgelu_dx},
    };
    float *x = block(VECTOR), *y = block(VECTOR);
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        if (!strstr(functions[i].name, word))
            continue;
        double best = 1e9;
        for (int r = 0; r < 200; r++) {
            const double start = clock_s();
            functions[i].fn(y, x, VECTOR);
            const double t = clock_s() - start;
            best = t < best ? t : best;
        }
        printf("%-10s %.3f ns an element\n", functions[i].name, best / VECTOR * 1e9);
    }
    mem_block_free(x);
    mem_block_free(y);
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    pool = pool_new(0);
    peak_one = peak_fma_gflops(NULL);
    peak_all = peak_fma_gflops(pool);
    printf("%s: multiply-add peak %.0f GFLOP/s on 1 thread, %.0f on %d\n", isa_name(cpu_isa()), peak_one,
           peak_all, pool_size(pool));
    printf("%-44s %9s %9s %7s %7s %6s %6s\n", "", "1 ms", "all ms", "1 GF/s", "all", "1", "all");
    bench_gemm(word);
    bench_conv(word, 1);
    bench_conv(word, 64);
    bench_vmath(word);
    pool_free(pool);
    return 0;
}
