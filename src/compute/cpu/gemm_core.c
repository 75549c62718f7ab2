/* gemm_core.c: cuts a product into chunks of C for the threads, and a chunk into tiles for the micro-kernel.
 *
 * B is packed once for all threads into panels of nr columns (unless so few rows use it that reading it in place
 * is cheaper), k cut so that the packed part stays in the last-level cache. A chunk is a block of rows times a
 * range of panels; inside it k runs in blocks of KC so that one panel block stays in L1 while the row tiles pass.
 * Products with little of C and a long k (weight gradients) are cut along k instead, the parts summed in order.
 *
 * The cuts depend on the shape alone, never on the number of threads, and each element is one chain of
 * multiply-adds over k whatever the cuts (ukr.h), so results repeat. */
#include "gemm_core.h"
#include <string.h>
#include "vmath.h"

enum {
    KC = 256,                /* rows of a panel block: 32 KiB at nr = 32 */
    SHARED_B = 1 << 20,      /* floats of B packed at a time: 4 MiB */
    ROW_TILES = 8,           /* in a chunk at most */
    CHUNKS = 16,             /* aimed at */
    CHUNK_WORK = 1 << 18,    /* multiply-adds worth a chunk: some 8 us */
    PARTS = 8,
    PART_K = 1024,           /* shortest part of a k that is cut */
    FEW_ROWS = 2,            /* row tiles up to which B is read in place */
};

struct job {
    const struct product *p;
    const struct ukr *ukr;
    const float *b;          /* packed or in place, from k0 */
    ptrdiff_t b_row, b_panel;
    int k0, k;               /* this part of k */
    bool first, last;
    int rows, row_chunks;    /* rows of a chunk */
    int panels, col_chunks;  /* panels of a chunk */
};

size_t product_packed_floats(int k, int n)
{
    const int nr = ukr_get()->nr;
    return (size_t)div_up(n, nr) * nr * (size_t)k;
}

/* --- packing B --- */

struct pack_job { const struct ukr *ukr; int k, n, per_chunk; const float *b; ptrdiff_t ldb; bool b_cols; float *dst; };

static void pack_rows(int nr, int n, int k, const float *b, ptrdiff_t ldb, float *dst)
{
    for (int p = 0; p < k; p++, b += ldb, dst += nr) {
        if (n == UKR_NR_MAX)
            memcpy(dst, b, UKR_NR_MAX * sizeof *dst);
        else
            memcpy(dst, b, (size_t)n * sizeof *dst);
        for (int j = n; j < nr; j++)
            dst[j] = 0;
    }
}

static void pack_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct pack_job *job = ctx;
    const int nr = job->ukr->nr;
    const int from = chunk * job->per_chunk, to = min_int(from + job->per_chunk, div_up(job->n, nr));
    for (int panel = from; panel < to; panel++) {
        const int j = panel * nr, n = min_int(nr, job->n - j);
        float *dst = job->dst + (ptrdiff_t)panel * nr * job->k;
        if (job->b_cols)
            job->ukr->pack_t(n, job->k, job->b + j * job->ldb, job->ldb, dst);
        else
            pack_rows(nr, n, job->k, job->b + j, job->ldb, dst);
    }
}

static void run_chunks(struct pool *pool, int chunks, pool_fn fn, void *ctx)
{
    if (chunks == 1)
        fn(ctx, 0, 0);
    else if (chunks > 1)
        pool_run(pool, chunks, fn, ctx);
}

void product_pack_b(struct pool *pool, int k, int n, const float *b, ptrdiff_t ldb, bool b_cols, float *packed)
{
    struct pack_job job = {ukr_get(), k, n, 1, b, ldb, b_cols, packed};
    const int panels = div_up(n, job.ukr->nr);
    const long floats = 1 << 15; /* a chunk worth handing over */
    job.per_chunk = max_int(div_up(panels, CHUNKS), (int)(floats / ((long)k * job.ukr->nr + 1)));
    job.per_chunk = max_int(job.per_chunk, 1);
    run_chunks(pool, div_up(panels, job.per_chunk), pack_chunk, &job);
}

/* --- one chunk of C --- */

static void activate(const struct gemm_epilogue *e, int rows, int cols, float *c, ptrdiff_t ldc)
{
    void (*fn)(float *, const float *, size_t) = e->act == ACT_TANH ? vtanh : e->act == ACT_SIGMOID ? vsigmoid :
                                                 e->act == ACT_GELU ? vgelu : NULL;
    if (!fn)
        return;
    if (cols == ldc) {
        fn(c, c, (size_t)rows * (size_t)cols);
        return;
    }
    for (int i = 0; i < rows; i++)
        fn(c + i * ldc, c + i * ldc, (size_t)cols);
}

/* Rows at a large power of two apart fall into one set of the L1 cache. */
static bool rows_collide(ptrdiff_t lda)
{
    return lda % 512 == 0;
}

struct block_a { const float *p; ptrdiff_t row, col, tile; };

/* Elements [i, i + rows) x [k, k + depth) of A, where the kernel finds them: in place, or gathered or packed into
 * the thread's scratch. `tile` is the distance of consecutive row tiles. */
static struct block_a block_of_a(const struct product *p, const struct ukr *u, int i, int rows, int k, int depth,
                                 bool reused)
{
    const ptrdiff_t mr = u->mr;
    if (p->gather && p->a_cols) {
        float *dst = scratch(SCRATCH_A, (size_t)depth * rows + UKR_MR_MAX);
        p->gather->fn(p->gather, k, depth, i, rows, dst, rows);
        return (struct block_a){dst, 1, rows, mr};
    }
    if (p->gather || (!p->a_cols && reused && rows_collide(p->lda))) {
        const ptrdiff_t ld = (depth | 15) + 17; /* an odd number of cache lines */
        float *dst = scratch(SCRATCH_A, (size_t)rows * ld);
        if (p->gather)
            p->gather->fn(p->gather, i, rows, k, depth, dst, ld);
        else
            for (int r = 0; r < rows; r++)
                memcpy(dst + r * ld, p->a + (i + r) * p->lda + k, (size_t)depth * sizeof *dst);
        return (struct block_a){dst, ld, 1, ld * mr};
    }
    if (!p->a_cols)
        return (struct block_a){p->a + i * p->lda + k, p->lda, 1, p->lda * mr};
    if (!reused)
        return (struct block_a){p->a + k * p->lda + i, 1, p->lda, mr};
    float *dst = scratch(SCRATCH_A, (size_t)depth * (rows + UKR_MR_MAX));
    u->pack_a(rows, depth, p->a + k * p->lda + i, p->lda, dst);
    return (struct block_a){dst, 1, mr, (ptrdiff_t)depth * mr};
}

/* The tiles of rows [i, i + rows) and columns [j, j_end), over k0 + [k, k + depth). */
static void tiles(const struct job *job, const struct block_a *a, int i, int rows, int j, int j_end, int k, int depth)
{
    const struct product *p = job->p;
    const struct ukr *u = job->ukr;
    const struct gemm_epilogue *e = p->epilogue;
    const bool first = job->first && k == 0, last = job->last && k + depth == job->k;
    struct ukr_tile t = {
        .a_row = a->row, .a_col = a->col, .b_row = job->b_row, .b_panel = job->b_panel, .c_row = p->ldc, .k = depth,
        .beta = first ? p->beta : 1, .scale = last ? p->scale : 1,
        .leaky = last && e && (e->act == ACT_LEAKY || e->act == ACT_RELU),
        .slope = e && e->act == ACT_LEAKY ? e->slope : 0,
    };
    if (first && p->beta != 0 && p->scale != 1)
        t.beta = p->beta / p->scale;
    const int span = rows < UKR_WIDE ? u->wide(rows) * u->nr : u->nr;
    for (int from = j; from < j_end; from += t.n) {
        t.n = min_int(j_end - from, u->nr);
        if (j_end - from >= span)
            t.n = span;
        t.b = job->b + from / u->nr * job->b_panel + k * job->b_row;
        t.bias = last && e && e->bias ? e->bias + from : NULL;
        t.a = a->p;
        for (int r = 0; r < rows; r += u->mr, t.a += a->tile) {
            t.m = min_int(rows - r, u->mr);
            t.c = p->c + (ptrdiff_t)(i + r) * p->ldc + from;
            u->run(&t);
        }
    }
}

static void compute_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct job *job = ctx;
    const struct product *p = job->p;
    const int nr = job->ukr->nr;
    const int i = chunk / job->col_chunks * job->rows, rows = min_int(job->rows, p->m - i);
    const int j = chunk % job->col_chunks * job->panels * nr, j_end = min_int(p->n, j + job->panels * nr);
    /* A lone row tile reads each panel once: no use in blocking k, unless A must be gathered. */
    const int kc = rows <= job->ukr->mr && !p->gather ? job->k : KC;
    for (int k = 0; k < job->k; k += kc) {
        const int depth = min_int(kc, job->k - k);
        const struct block_a a = block_of_a(p, job->ukr, i, rows, job->k0 + k, depth, j_end - j > 2 * nr);
        tiles(job, &a, i, rows, j, j_end, k, depth);
    }
    if (job->last && p->epilogue)
        activate(p->epilogue, rows, j_end - j, p->c + i * p->ldc + j, p->ldc);
}

static void cut(struct job *job)
{
    const struct product *p = job->p;
    const int tiles_m = div_up(p->m, job->ukr->mr), panels = div_up(p->n, job->ukr->nr);
    const double work = (double)p->m * p->n * job->k;
    const int want = (int)(work / CHUNK_WORK < CHUNKS ? work / CHUNK_WORK + 1 : CHUNKS);
    const int row_tiles = max_int(1, min_int(ROW_TILES, tiles_m / want));
    job->rows = row_tiles * job->ukr->mr;
    job->row_chunks = div_up(p->m, job->rows);
    const int cols = max_int(1, min_int(panels, want / job->row_chunks));
    job->panels = div_up(panels, cols);
    job->col_chunks = div_up(panels, job->panels);
}

/* --- the whole product --- */

static void run_part(struct pool *pool, struct job *job)
{
    cut(job);
    run_chunks(pool, job->row_chunks * job->col_chunks, compute_chunk, job);
}

static void run_grid(struct pool *pool, const struct product *p)
{
    const struct ukr *u = ukr_get();
    struct job job = {.p = p, .ukr = u, .k = p->k, .first = true, .last = true};
    if (p->b_packed) {
        job.b = p->b;
        job.b_row = u->nr;
        job.b_panel = (ptrdiff_t)p->k * u->nr;
        run_part(pool, &job);
        return;
    }
    if (!p->b_cols && p->m <= FEW_ROWS * u->mr) {
        job.b = p->b;
        job.b_row = p->ldb;
        job.b_panel = u->nr;
        run_part(pool, &job);
        return;
    }
    const int padded = div_up(p->n, u->nr) * u->nr;
    const int depth = max_int(KC, SHARED_B / padded / KC * KC);
    float *packed = scratch(SCRATCH_B, (size_t)min_int(depth, p->k) * padded);
    for (job.k0 = 0; job.k0 < p->k; job.k0 += depth) {
        job.k = min_int(depth, p->k - job.k0);
        job.first = job.k0 == 0;
        job.last = job.k0 + job.k == p->k;
        const float *b = p->b + (p->b_cols ? job.k0 : job.k0 * p->ldb);
        product_pack_b(pool, job.k, p->n, b, p->ldb, p->b_cols, packed);
        job.b = packed;
        job.b_row = u->nr;
        job.b_panel = (ptrdiff_t)job.k * u->nr;
        run_part(pool, &job);
    }
}

/* --- little of C, long k: parts of k side by side, then their sum in order --- */

struct split { const struct product *p; float *parts; int depth, n_parts, rows; };

/* Rows of a gather that is shifted along k: the part's own product starts at k = 0. */
struct shifted { struct gather base; const struct gather *of; int by; };

static void gather_shifted(const struct gather *g, int row, int rows, int col, int cols, float *dst, ptrdiff_t ld)
{
    const struct shifted *s = (const struct shifted *)g;
    s->of->fn(s->of, row + s->by, rows, col, cols, dst, ld);
}

static void split_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct split *s = ctx;
    const int k0 = chunk * s->depth;
    struct product part = *s->p;
    const struct shifted shifted = {{gather_shifted}, part.gather, k0};
    part.k = min_int(s->depth, part.k - k0);
    if (part.gather)
        part.gather = &shifted.base;
    else
        part.a += k0 * part.lda;
    part.b += k0 * part.ldb;
    part.c = s->parts + (size_t)chunk * part.m * part.n;
    part.ldc = part.n;
    part.beta = 0;
    part.scale = 1;
    part.epilogue = NULL;
    run_grid(NULL, &part);
}

static void sum_parts(const struct split *s)
{
    const struct product *p = s->p;
    const size_t size = (size_t)p->m * p->n;
    for (int i = 0; i < p->m; i++) {
        float *c = p->c + i * p->ldc;
        const float *part = s->parts + (size_t)i * p->n;
        for (int j = 0; j < p->n; j++) {
            float sum = 0;
            for (int q = 0; q < s->n_parts; q++)
                sum += part[(size_t)q * size + j];
            c[j] = p->beta != 0 ? p->scale * sum + p->beta * c[j] : p->scale * sum;
        }
    }
}

static bool worth_splitting(const struct product *p, const struct ukr *u)
{
    const int n_tiles = div_up(p->m, u->mr) * div_up(p->n, u->nr);
    return n_tiles <= 24 && p->k >= 2 * PART_K && p->a_cols && !p->b_cols && !p->b_packed && !p->epilogue;
}

static void run_split(struct pool *pool, const struct product *p)
{
    struct split s = {.p = p};
    s.depth = div_up(div_up(p->k, min_int(PARTS, p->k / PART_K)), KC) * KC;
    s.n_parts = div_up(p->k, s.depth);
    s.parts = scratch(SCRATCH_PARTS, (size_t)s.n_parts * p->m * p->n);
    run_chunks(pool, s.n_parts, split_chunk, &s);
    sum_parts(&s);
}

/* k = 0, or a scale of zero: only beta C and the epilogue are left. */
static void run_empty(const struct product *p)
{
    static const float zeros[UKR_NR_MAX];
    struct product one = *p;
    one.gather = NULL;
    one.a = one.b = zeros;
    one.k = 1;
    one.lda = one.ldb = 0;
    one.scale = 1;
    one.b_cols = one.a_cols = one.b_packed = false;
    for (int j = 0; j < p->n; j += UKR_NR_MAX) {
        struct gemm_epilogue e = p->epilogue ? *p->epilogue : (struct gemm_epilogue){0};
        e.bias = e.bias ? e.bias + j : NULL;
        one.epilogue = &e;
        one.n = min_int(UKR_NR_MAX, p->n - j);
        one.c = p->c + j;
        run_grid(NULL, &one);
    }
}

void product_run(struct pool *pool, const struct product *p)
{
    if (p->m <= 0 || p->n <= 0)
        return;
    if (p->k <= 0 || p->scale == 0)
        run_empty(p);
    else if (worth_splitting(p, ukr_get()))
        run_split(pool, p);
    else
        run_grid(pool, p);
}
