/* blas.c: OpenBLAS through dlopen.
 *
 * The library picks its kernels in its constructor from a list of processor models, and takes a model
 * newer than itself for an old one: it then runs at a half or a fifth of its speed. OPENBLAS_CORETYPE
 * corrects that only if it is set before the constructor runs. So: load it, ask what it chose, and if the
 * flags of the processor promise better kernels, unload it, set the variable and load it again. A program
 * that never multiplies large matrices never loads it. It runs on one thread; our pool calls it for blocks
 * of rows, cut by the shape alone. */
#include "blas.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "cpuid.h"
#include "log.h"
#include "str.h"

enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112, MIN_SIDE = 64, BLOCK_ROWS = 256 };
static const double min_work = 1 << 22;

typedef void sgemm_fn(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                      const float *b, int ldb, float beta, float *c, int ldc);
static sgemm_fn *sgemm;
static struct blas_info info;

static void *open_library(const char *core)
{
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    if (core)
        setenv("OPENBLAS_CORETYPE", core, 1);
    return dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
}

static void ask(void *lib, const char *symbol, char *out, size_t cap)
{
    char *(*fn)(void) = (char *(*)(void))dlsym(lib, symbol);
    if (!fn || !str_copy(out, cap, fn()))
        str_copy(out, cap, "unknown");
}

/* Core types older than the processor's instruction set, by which a wrong guess is known. */
static const char *better_core(const char *detected)
{
    static const char *const avx512[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    static const char *const avx2[] = {"Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids"};
    const enum isa isa = cpu_isa();
    const char *const *good = isa == ISA_AVX512 ? avx512 : avx2;
    const size_t n = isa == ISA_AVX512 ? COUNT_OF(avx512) : COUNT_OF(avx2);
    for (size_t i = 0; isa != ISA_GENERIC && i < n; i++)
        if (str_same(detected, good[i]))
            return NULL;
    return isa == ISA_AVX512 ? "SkylakeX" : isa == ISA_AVX2 ? "Haswell" : NULL;
}

static void load(void)
{
    info.by_user = getenv("OPENBLAS_CORETYPE") != NULL;
    void *lib = open_library(NULL);
    if (!lib)
        return;
    ask(lib, "openblas_get_corename", info.detected, sizeof info.detected);
    const char *core = info.by_user ? NULL : better_core(info.detected);
    if (core) {
        dlclose(lib);
        lib = open_library(core);
        if (!lib)
            return;
    }
    ask(lib, "openblas_get_corename", info.core, sizeof info.core);
    ask(lib, "openblas_get_config", info.config, sizeof info.config);
    sgemm = (sgemm_fn *)dlsym(lib, "cblas_sgemm");
    info.loaded = sgemm != NULL;
}

const struct blas_info *blas_info(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return &info;
}

static int wish; /* of the user: -1 never, 1 always, 0 where it helps */

static void read_wish(void)
{
    const char *text = getenv("JAMROLL_BLAS");
    if (text && *text)
        wish = str_same(text, "0") ? -1 : 1;
}

bool blas_wanted(const struct product *p)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_wish);
    if (wish < 0 || (wish == 0 && cpu_isa() != ISA_GENERIC))
        return false;
    return !p->gather && !p->b_packed && !p->epilogue && p->m >= MIN_SIDE && p->n >= MIN_SIDE &&
           p->k >= MIN_SIDE && (double)p->m * p->n * p->k >= min_work;
}

static void run_rows(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct product *p = ctx;
    const int i = chunk * BLOCK_ROWS;
    sgemm(ROW_MAJOR, p->a_cols ? TRANS : NO_TRANS, p->b_cols ? TRANS : NO_TRANS,
          min_int(BLOCK_ROWS, p->m - i), p->n, p->k, p->scale, p->a + (p->a_cols ? i : i * p->lda),
          (int)p->lda, p->b, (int)p->ldb, p->beta, p->c + i * p->ldc, (int)p->ldc);
}

bool blas_run(struct pool *pool, const struct product *p)
{
    if (!blas_info()->loaded)
        return false;
    struct product copy = *p;
    pool_run(pool, div_up(p->m, BLOCK_ROWS), run_rows, &copy);
    return true;
}
