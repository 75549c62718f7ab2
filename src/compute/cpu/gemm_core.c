/* gemm_core.c: cuts a product into chunks of C for the threads, and a chunk into tiles for the micro-kernel.
 *
 * B is packed once for all threads into panels of nr columns (unless so few rows use it that reading it in
 * place is cheaper), k cut so that the packed part stays in the last-level cache. A chunk is a block of rows
 * times a range of panels; inside it k runs in blocks of KC, so that the panel block (64 KiB) and the rows stay in L2
 * while the row tiles pass (blocks that fit L1 were slower: C is read and written once a block). Products with little of C and a long k (weight gradients) are cut along k instead, the parts
 * summed in order.
 *
 * Each element is one chain of multiply-adds over k whatever the cuts (ukr.h), and parts of k depend on
 * the shape alone; so results do not depend on the number of threads. */
#include "gemm_core.h"
#include <string.h>
#include "blas.h"
#include "vmath.h"

enum {
    KC = 512,                /* rows of a panel block */
    SHARED_B = 1 << 20,      /* floats of B packed at a time for all threads: 4 MiB */
    PRIVATE_B = 1 << 18,     /* by a lone thread: 1 MiB */
    ROW_TILES = 8,           /* in a chunk at most */
    CHUNKS = 8,              /* for a thread, at most */
    CHUNK_WORK = 1 << 18,    /* multiply-adds worth a chunk: some 8 us */
    PACK_CHUNKS = 16,
    PACK_ROWS = 16,
    PACK_FLOATS = 1 << 15,   /* worth a chunk */
    PARTS = 8,
    PART_K = 1024,           /* shortest part of a k that is cut */
    FEW_ROWS = 2,            /* row tiles up to which B is read in place, */
    IN_PLACE_K = 64,         /* in blocks of so many rows, each on a page of its own */
};

struct job {
    const struct product *p;
    const struct ukr *ukr;
    const float *b;          /* packed or in place, from k0 */
    ptrdiff_t b_row, b_panel;
    int k0, k;               /* this part of k */
    int kc;                  /* cut into blocks of this */
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

struct pack_job { const struct ukr *ukr; int k, n, per_chunk; const float *b; ptrdiff_t ldb; float *dst; };

static void pack_panel_rows(const struct pack_job *job, int j, int p, int p_end)
{
    const int nr = job->ukr->nr, n = min_int(nr, job->n - j);
    const float *src = job->b + p * job->ldb + j;
    float *dst = job->dst + (ptrdiff_t)j * job->k + p * nr;
    for (; p < p_end; p++, src += job->ldb, dst += nr)
        if (n == nr)
            for (int i = 0; i < nr; i += 8)
                memcpy(dst + i, src + i, 8 * sizeof *dst);
        else
            for (int i = 0; i < nr; i++)
                dst[i] = i < n ? src[i] : 0;
}

/* Rows of B [from, to) cut into panels, a few rows at a time: B is read nearly in the order it lies. */
static void pack_rows_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct pack_job *job = ctx;
    const int from = chunk * job->per_chunk, to = min_int(from + job->per_chunk, job->k);
    for (int p = from; p < to; p += PACK_ROWS)
        for (int j = 0; j < job->n; j += job->ukr->nr)
            pack_panel_rows(job, j, p, min_int(p + PACK_ROWS, to));
}

/* Panels of a B whose columns are stored as rows. */
static void pack_columns_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct pack_job *job = ctx;
    const int nr = job->ukr->nr;
    const int from = chunk * job->per_chunk, to = min_int(from + job->per_chunk, div_up(job->n, nr));
    for (int panel = from; panel < to; panel++) {
        const int j = panel * nr;
        job->ukr->pack_t(min_int(nr, job->n - j), job->k, job->b + j * job->ldb, job->ldb,
                         job->dst + (ptrdiff_t)j * job->k);
    }
}

static void run_chunks(struct pool *pool, int chunks, pool_fn fn, void *ctx)
{
    if (chunks == 1)
        fn(ctx, 0, 0);
    else if (chunks > 1)
        pool_run(pool, chunks, fn, ctx);
}

void product_pack_b(struct pool *pool, int k, int n, const float *b, ptrdiff_t ldb, bool b_cols,
                    float *packed)
{
    struct pack_job job = {.ukr = ukr_get(), .k = k, .n = n, .b = b, .ldb = ldb, .dst = packed};
    const int items = b_cols ? div_up(n, job.ukr->nr) : k;
    const double floats = (double)k * n;
    const int chunks = min_int(PACK_CHUNKS, (int)(floats / PACK_FLOATS) + 1);
    job.per_chunk = max_int(1, div_up(items, chunks));
    run_chunks(pool, div_up(items, job.per_chunk), b_cols ? pack_columns_chunk : pack_rows_chunk, &job);
}

/* --- one chunk of C --- */

static void activate(const struct gemm_epilogue *e, int rows, int cols, float *c, ptrdiff_t ldc)
{
    void (*fn)(float *, const float *, size_t) = NULL;
    fn = e->act == ACT_TANH ? vtanh : e->act == ACT_SIGMOID ? vsigmoid : e->act == ACT_GELU ? vgelu : fn;
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

/* Elements [i, i + rows) x [k, k + depth) of A, where the kernel finds them: in place, or gathered or
 * packed into the thread's scratch. `tile` is the distance of consecutive row tiles. */
static struct block_a block_of_a(const struct product *p, const struct ukr *u, int i, int rows, int k,
                                 int depth, bool reused)
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
static void tiles(const struct job *job, const struct block_a *a, int i, int rows, int j, int j_end, int k,
                  int depth)
{
    const struct product *p = job->p;
    const struct ukr *u = job->ukr;
    const struct gemm_epilogue *e = p->epilogue;
    const bool first = job->first && k == 0, last = job->last && k + depth == job->k;
    struct ukr_tile t = {
        .a_row = a->row, .a_col = a->col, .b_row = job->b_row, .b_panel = job->b_panel, .c_row = p->ldc,
        .k = depth, .beta = first ? p->beta : 1, .scale = last ? p->scale : 1,
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
    for (int k = 0; k < job->k; k += job->kc) {
        const int depth = min_int(job->kc, job->k - k);
        const struct block_a a = block_of_a(p, job->ukr, i, rows, job->k0 + k, depth, j_end - j > 2 * nr);
        tiles(job, &a, i, rows, j, j_end, k, depth);
    }
    if (job->last && p->epilogue)
        activate(p->epilogue, rows, j_end - j, p->c + i * p->ldc + j, p->ldc);
}

static void cut(struct job *job, int threads)
{
    const struct product *p = job->p;
    const int tiles_m = div_up(p->m, job->ukr->mr), panels = div_up(p->n, job->ukr->nr);
    const double work = (double)p->m * p->n * job->k;
    const int most = threads == 1 ? 1 : CHUNKS * threads;
    const int want = work / CHUNK_WORK < most ? (int)(work / CHUNK_WORK) + 1 : most;
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
    cut(job, pool_size(pool));
    run_chunks(pool, job->row_chunks * job->col_chunks, compute_chunk, job);
}

/* B where it lies: too few rows to pay for packing it, or already a single narrow panel. */
static void run_in_place(struct pool *pool, const struct product *p, const struct ukr *u)
{
    struct job job = {
        .p = p, .ukr = u, .k = p->k, .first = true, .last = true, .b = p->b, .b_row = p->ldb,
        .b_panel = u->nr, .kc = p->n <= u->nr ? KC : IN_PLACE_K,
    };
    run_part(pool, &job);
}

static void run_packed(struct pool *pool, const struct product *p, const struct ukr *u)
{
    struct job job = {
        .p = p, .ukr = u, .k = p->k, .first = true, .last = true, .b = p->b, .b_row = u->nr,
        .b_panel = (ptrdiff_t)p->k * u->nr,
        /* A lone row tile reads each panel once: no use in cutting k, unless A must be gathered. */
        .kc = p->m <= u->mr && !p->gather ? p->k : KC,
    };
    run_part(pool, &job);
}

static void run_packing(struct pool *pool, const struct product *p, const struct ukr *u)
{
    const int padded = div_up(p->n, u->nr) * u->nr, room = pool ? SHARED_B : PRIVATE_B;
    const int depth = max_int(KC, room / padded / KC * KC);
    float *packed = scratch(SCRATCH_B, (size_t)min_int(depth, p->k) * padded);
    struct job job = {.p = p, .ukr = u, .b = packed, .b_row = u->nr, .kc = KC};
    for (job.k0 = 0; job.k0 < p->k; job.k0 += depth) {
        job.k = min_int(depth, p->k - job.k0);
        job.first = job.k0 == 0;
        job.last = job.k0 + job.k == p->k;
        job.b_panel = (ptrdiff_t)job.k * u->nr;
        const float *b = p->b + (p->b_cols ? job.k0 : job.k0 * p->ldb);
        product_pack_b(pool, job.k, p->n, b, p->ldb, p->b_cols, packed);
        run_part(pool, &job);
    }
}

static void run_grid(struct pool *pool, const struct product *p)
{
    const struct ukr *u = ukr_get();
    if (p->b_packed)
        run_packed(pool, p, u);
    else if (!p->b_cols && (p->m <= FEW_ROWS * u->mr || (p->n <= u->nr && p->ldb <= 2 * u->nr)))
        run_in_place(pool, p, u);
    else
        run_packing(pool, p, u);
}

/* --- little of C, long k: parts of k side by side, then their sum in order --- */

struct split { const struct product *p; float *parts; int depth, n_parts, sum_rows; };

/* Rows of a gather that is shifted along k: the part's own product starts at k = 0. */
struct shifted { struct gather base; const struct gather *of; int by; };

static void gather_shifted(const struct gather *g, int row, int rows, int col, int cols, float *dst,
                           ptrdiff_t ld)
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

static void sum_chunk(void *ctx, int chunk, int worker)
{
    (void)worker;
    const struct split *s = ctx;
    const struct product *p = s->p;
    const size_t size = (size_t)p->m * p->n;
    const int end = min_int(p->m, (chunk + 1) * s->sum_rows);
    for (int i = chunk * s->sum_rows; i < end; i++) {
        float *c = p->c + i * p->ldc;
        const float *part = s->parts + (size_t)i * p->n;
        for (int j = 0; j < p->n; j++) {
            float sum = part[j];
            for (int q = 1; q < s->n_parts; q++)
                sum += part[(size_t)q * size + j];
            c[j] = p->beta != 0 ? p->scale * sum + p->beta * c[j] : p->scale * sum;
        }
    }
}

/* Parts worth making: more of them cost traffic for partial results, which must stay small beside that of
 * A and B. */
static int parts_of(const struct product *p)
{
    if (!p->a_cols || p->b_cols || p->b_packed || p->epilogue)
        return 1;
    const double ratio = (double)p->k * (p->m + p->n) / (6.0 * p->m * p->n);
    return min_int(ratio < PARTS ? (int)ratio : PARTS, p->k / PART_K);
}

static void run_split(struct pool *pool, const struct product *p, int n_parts)
{
    struct split s = {.p = p, .depth = div_up(div_up(p->k, n_parts), KC) * KC};
    s.n_parts = div_up(p->k, s.depth);
    s.sum_rows = max_int(1, (1 << 14) / p->n);
    s.parts = scratch(SCRATCH_PARTS, (size_t)s.n_parts * p->m * p->n);
    run_chunks(pool, s.n_parts, split_chunk, &s);
    run_chunks(pool, div_up(p->m, s.sum_rows), sum_chunk, &s);
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
    if (p->k <= 0 || p->scale == 0) {
        run_empty(p);
        return;
    }
    if (product_dots(pool, p) || product_row_times(pool, p) || (blas_wanted(p) && blas_run(pool, p)))
        return;
    const int n_parts = parts_of(p);
    if (n_parts > 1)
        run_split(pool, p, n_parts);
    else
        run_grid(pool, p);
}
