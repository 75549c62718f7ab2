/* reduce.c: sums, maxima, softmax. All see their input as [outer, mid, inner] and reduce mid. Partial results
 * belong to fixed blocks and are joined in order, so the bits do not depend on the number of threads. */
#include <math.h>
#include <string.h>
#include "cpu.h"
#include "vmath.h"

static struct span reduced(const struct node *n, unsigned axes)
{
    struct span s;
    bool one_run = span_of(n->in[0]->shape, axes, &s);
    BUG_ON(!one_run);
    return s;
}

/* ------------------------------------------------------------------ sum */

enum { ROW_BLOCK = 1 << 15, WIDE = 128 };

/* In many lanes, joined in double: the error stays near one rounding. */
SIMD static double sum_row(const float *x, size_t n)
{
    lanes a = { 0 }, b = { 0 };
    double sum = 0;
    size_t i = 0;
    for (; i + 2 * ROW_LANES <= n; i += 2 * ROW_LANES) {
        a += *(const lanes *)(x + i);
        b += *(const lanes *)(x + i + ROW_LANES);
    }
    for (; i < n; i++)
        sum += (double)x[i];
    for (int k = 0; k < ROW_LANES; k++)
        sum += (double)a[k] + (double)b[k];
    return sum;
}

SIMD static void add_rows(float *d, const float *x, size_t rows, size_t width)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c++)
            d[c] += x[r * width + c];
}

/* mid is cut into blocks when there are few sums; block results go to the workspace. Where the input is an
 * element-wise chain that nobody else reads, the step carries its program and the input is never stored. */
struct sum_job {
    const struct step *step;
    float *out;           /* results, or one block's partial results after the other's */
    struct span span;
    size_t blocks, block; /* of mid */
    size_t fold;          /* narrow rows are added `fold` at a time */
};

static struct sum_job sum_plan(const struct node *n)
{
    struct sum_job j = { .span = reduced(n, n->attr.reduce.axes), .fold = 1 };
    size_t row = j.span.mid * j.span.inner;
    size_t block = ROW_BLOCK / (j.span.inner < ROW_BLOCK ? j.span.inner : ROW_BLOCK);
    j.block = block ? block : 1;
    j.blocks = (j.span.mid + j.block - 1) / j.block;
    if (row <= ROW_BLOCK || j.span.outer >= 64) {
        j.block = j.span.mid;
        j.blocks = 1;
    }
    while (j.fold * 2 * j.span.inner <= WIDE)
        j.fold *= 2;
    return j;
}

size_t w_sum(const struct node *n, int threads)
{
    (void)threads;
    struct sum_job j = sum_plan(n);
    return j.blocks > 1 ? j.blocks * j.span.outer * j.span.inner * sizeof(float) : 0;
}

bool fits_sum_program(const struct node *n)
{
    struct span s;
    return span_of(n->in[0]->shape, n->attr.reduce.axes, &s) && s.inner <= ELEM_BLOCK;
}

/* acc[width] += rows of `inner`, which may be narrower: then as many at once as fit. */
static void add_block(const struct sum_job *j, float *acc, const float *x, size_t rows)
{
    size_t inner = j->span.inner, full = rows / j->fold;
    add_rows(acc, x, full, inner * j->fold);
    add_rows(acc, x + full * inner * j->fold, rows - full * j->fold, inner);
}

static void sum_columns(const struct sum_job *j, struct elem_state *e, size_t at, size_t rows, float *out)
{
    size_t inner = j->span.inner, step = e ? ELEM_BLOCK / inner : rows;
    float folded[WIDE], piece[ELEM_BLOCK], *acc = j->fold > 1 ? folded : out;
    memset(acc, 0, inner * j->fold * sizeof(*acc));
    for (size_t r = 0; r < rows; r += step) {
        size_t n = rows - r < step ? rows - r : step;
        if (e)
            elem_block(e, at + r * inner, n * inner, piece);
        add_block(j, acc, e ? piece : (const float *)j->step->in[0] + at, n);
    }
    if (j->fold == 1)
        return;
    memcpy(out, folded, inner * sizeof(*out));
    add_rows(out, folded + inner, j->fold - 1, inner);
}

static float sum_run(const struct sum_job *j, struct elem_state *e, size_t at, size_t n)
{
    float piece[ELEM_BLOCK];
    double sum = 0;
    if (!e)
        return (float)sum_row((const float *)j->step->in[0] + at, n);
    for (size_t i = 0; i < n; i += ELEM_BLOCK) {
        size_t part = n - i < ELEM_BLOCK ? n - i : ELEM_BLOCK;
        elem_block(e, at + i, part, piece);
        sum += sum_row(piece, part);
    }
    return (float)sum;
}

static void sum_blocks(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct sum_job *j = ctx;
    const struct span *s = &j->span;
    struct elem_state state, *e = j->step->program ? &state : NULL;
    if (e)
        elem_begin(e, j->step);
    for (size_t i = from; i < to; i++) {
        size_t first = i % j->blocks * j->block, at = (i / j->blocks * s->mid + first) * s->inner;
        size_t rows = s->mid - first < j->block ? s->mid - first : j->block;
        if (s->inner == 1)
            j->out[i] = sum_run(j, e, at, rows);
        else
            sum_columns(j, e, at, rows, j->out + i * s->inner);
    }
}

static void join_blocks(const struct sum_job *j, const float *part, float *out)
{
    const struct span *s = &j->span;
    for (size_t o = 0; o < s->outer; o++)
        for (size_t c = 0; c < s->inner; c++) {
            double sum = 0;
            for (size_t b = 0; b < j->blocks; b++)
                sum += (double)part[(o * j->blocks + b) * s->inner + c];
            out[o * s->inner + c] = (float)sum;
        }
}

void k_sum(const struct step *s, struct pool *pool)
{
    struct sum_job j = sum_plan(s->node);
    j.step = s;
    j.out = j.blocks > 1 ? s->work : s->out;
    par_for(pool, j.span.outer * j.blocks, row_grain(j.block * j.span.inner), sum_blocks, &j);
    if (j.blocks > 1)
        join_blocks(&j, s->work, s->out);
}

/* ------------------------------------------------------------------ max, argmax */

struct span_job { const struct step *s; struct span span; };

SIMD static void max_spans(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct span_job *j = ctx;
    size_t mid = j->span.mid, inner = j->span.inner;
    for (size_t o = from; o < to; o++) {
        const float *x = (const float *)j->s->in[0] + o * mid * inner;
        float *d = (float *)j->s->out + o * inner;
        if (inner == 1) {
            *d = row_max(x, mid);
            continue;
        }
        memcpy(d, x, inner * sizeof(*d));
        for (size_t m = 1; m < mid; m++)
            for (size_t c = 0; c < inner; c++)
                d[c] = x[m * inner + c] > d[c] ? x[m * inner + c] : d[c];
    }
}

static void run_spans(const struct step *s, struct pool *pool, unsigned axes, range_fn fn)
{
    struct span_job j = { s, reduced(s->node, axes) };
    par_for(pool, j.span.outer, row_grain(j.span.mid * j.span.inner), fn, &j);
}

void k_max(const struct step *s, struct pool *pool)
{
    run_spans(s, pool, s->node->attr.reduce.axes, max_spans);
}

static void argmax_spans(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct span_job *j = ctx;
    size_t mid = j->span.mid, inner = j->span.inner;
    for (size_t o = from; o < to; o++)
        for (size_t c = 0; c < inner; c++) {
            const float *x = (const float *)j->s->in[0] + o * mid * inner + c;
            size_t best = 0;
            for (size_t m = 1; m < mid; m++)
                if (x[m * inner] > x[best * inner])
                    best = m;
            ((int32_t *)j->s->out)[o * inner + c] = (int32_t)best;
        }
}

void k_argmax(const struct step *s, struct pool *pool)
{
    run_spans(s, pool, 1u << s->node->attr.axis, argmax_spans);
}

/* ------------------------------------------------------------------ softmax, logsumexp */

SIMD static float exp_sum_row(float *d, const float *x, size_t n, float *max)
{
    float top = row_max(x, n);
    for (size_t i = 0; i < n; i++)
        d[i] = x[i] - top;
    vexp(d, d, n);
    *max = top;
    return row_sum(d, n);
}

/* exp(x - max) over mid for every inner column, and its sum; max and sum are rows of `inner`. */
SIMD static void exp_sum_columns(float *d, const float *x, size_t mid, size_t inner, float *max, float *sum)
{
    memcpy(max, x, inner * sizeof(*max));
    for (size_t m = 1; m < mid; m++)
        for (size_t c = 0; c < inner; c++)
            max[c] = x[m * inner + c] > max[c] ? x[m * inner + c] : max[c];
    memset(sum, 0, inner * sizeof(*sum));
    for (size_t m = 0; m < mid; m++) {
        float *row = d + m * inner;
        for (size_t c = 0; c < inner; c++)
            row[c] = x[m * inner + c] - max[c];
        vexp(row, row, inner);
        for (size_t c = 0; c < inner; c++)
            sum[c] += row[c];
    }
}

SIMD static void softmax_spans(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct span_job *j = ctx;
    size_t mid = j->span.mid, inner = j->span.inner;
    for (size_t o = from; o < to; o++) {
        const float *x = (const float *)j->s->in[0] + o * mid * inner;
        float *d = (float *)j->s->out + o * mid * inner;
        if (inner == 1) {
            float max, scale = 1 / exp_sum_row(d, x, mid, &max);
            for (size_t i = 0; i < mid; i++)
                d[i] *= scale;
            continue;
        }
        float *max = (float *)j->s->work + o * 2 * inner, *sum = max + inner;
        exp_sum_columns(d, x, mid, inner, max, sum);
        for (size_t m = 0; m < mid; m++)
            for (size_t c = 0; c < inner; c++)
                d[m * inner + c] /= sum[c];
    }
}

void k_softmax(const struct step *s, struct pool *pool)
{
    run_spans(s, pool, 1u << s->node->attr.axis, softmax_spans);
}

/* A maximum and a sum for every column; logsumexp needs the exponentials besides. */
size_t w_softmax(const struct node *n, int threads)
{
    (void)threads;
    struct span s = reduced(n, 1u << n->attr.axis);
    size_t sums = s.inner > 1 ? 2 * s.outer * s.inner : 0;
    return (sums + (n->op == OP_LOGSUMEXP ? node_count(n->in[0]) : 0)) * sizeof(float);
}

static void logsumexp_spans(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct span_job *j = ctx;
    size_t mid = j->span.mid, inner = j->span.inner;
    for (size_t o = from; o < to; o++) {
        const float *x = (const float *)j->s->in[0] + o * mid * inner;
        float *d = (float *)j->s->out + o * inner;
        float *e = (float *)j->s->work + o * mid * inner;
        if (inner == 1) {
            float max, sum = exp_sum_row(e, x, mid, &max);
            *d = max + logf(sum);
            continue;
        }
        float *max = (float *)j->s->work + (j->span.outer * mid + 2 * o) * inner, *sum = max + inner;
        exp_sum_columns(e, x, mid, inner, max, sum);
        for (size_t c = 0; c < inner; c++)
            d[c] = max[c] + logf(sum[c]);
    }
}

void k_logsumexp(const struct step *s, struct pool *pool)
{
    run_spans(s, pool, 1u << s->node->attr.axis, logsumexp_spans);
}
