/* norm.c: normalisation and its derivative over one run of axes, seen as [outer, mid, inner] with statistics
 * over mid. Short contiguous rows (layer norm) take one pass a row. Everything else (batch and instance
 * norm) goes by blocks of rows: statistics of each block about its own mean, joined by Chan's formula in
 * double, then one pass that normalises. Narrow rows are read several at a time so that vectors fill. */
#include <math.h>
#include <string.h>
#include "cpu.h"

enum { SHORT_ROW = 8192, BLOCK = 1 << 14, WIDE = 128 };

struct norm {
    const float *x, *g;   /* g: derivative only */
    float *out;
    struct span span;
    size_t fold, width;   /* fold rows of `inner` are one row of `width` */
    size_t rows, block, blocks; /* rows of `width` in an outer; a block; blocks in an outer */
    float eps;
    float *part;          /* [outer, blocks, 4, width]: mean, m2, sum g, sum g (x - mean) */
    float *stat;          /* [outer, 4, width]: mean, 1/deviation, mean g, mean g xhat */
};

static bool by_rows(const struct span *s)
{
    return s->inner == 1 && s->mid <= SHORT_ROW;
}

static struct norm norm_plan(const struct node *n)
{
    struct norm j = { .eps = n->attr.reduce.eps, .fold = 1 };
    span_of(n->shape, n->attr.reduce.axes, &j.span);
    while (j.fold * 2 * j.span.inner <= WIDE && j.span.mid % (j.fold * 2) == 0)
        j.fold *= 2;
    j.width = j.span.inner * j.fold;
    j.rows = j.span.mid / j.fold;
    j.block = j.width < BLOCK ? BLOCK / j.width : 1;
    j.blocks = (j.rows + j.block - 1) / j.block;
    return j;
}

bool fits_norm(const struct node *n)
{
    struct span s;
    return span_of(n->shape, n->attr.reduce.axes, &s);
}

static size_t part_floats(const struct norm *j)
{
    return j->span.outer * j->blocks * 4 * j->width;
}

size_t w_norm(const struct node *n, int threads)
{
    (void)threads;
    struct norm j = norm_plan(n);
    return by_rows(&j.span) ? 0 : (part_floats(&j) + j.span.outer * 4 * j.width) * sizeof(float);
}

size_t w_norm_dx(const struct node *n, int threads)
{
    return w_norm(n, threads);
}

/* ------------------------------------------------------------------ short rows */

SIMD static void norm_rows(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct norm *j = ctx;
    size_t n = j->span.mid;
    for (size_t r = from; r < to; r++) {
        const float *x = j->x + r * n;
        float *y = j->out + r * n;
        float mean = row_sum(x, n) / (float)n;
        float scale = 1 / sqrtf(row_dot(x, mean, x, mean, n) / (float)n + j->eps);
        for (size_t i = 0; i < n; i++)
            y[i] = (x[i] - mean) * scale;
    }
}

/* dx = (g - mean g - xhat mean(g xhat)) / deviation */
SIMD static void norm_dx_rows(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct norm *j = ctx;
    size_t n = j->span.mid;
    for (size_t r = from; r < to; r++) {
        const float *x = j->x + r * n, *g = j->g + r * n;
        float *dx = j->out + r * n;
        float mean = row_sum(x, n) / (float)n, mean_g = row_sum(g, n) / (float)n;
        float scale = 1 / sqrtf(row_dot(x, mean, x, mean, n) / (float)n + j->eps);
        float slope = row_dot(g, 0, x, mean, n) / (float)n * scale * scale;
        for (size_t i = 0; i < n; i++)
            dx[i] = (g[i] - mean_g - (x[i] - mean) * slope) * scale;
    }
}

/* ------------------------------------------------------------------ blocks of rows */

/* Statistics of rows x width, column by column. */
SIMD static void block_stats(const float *x, const float *g, size_t rows, size_t width, float *part)
{
    float *mean = part, *m2 = part + width, *sum_g = part + 2 * width, *sum_gx = part + 3 * width;
    memset(part, 0, 4 * width * sizeof(*part));
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c++)
            mean[c] += x[r * width + c];
    for (size_t c = 0; c < width; c++)
        mean[c] /= (float)rows;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c++) {
            float d = x[r * width + c] - mean[c];
            m2[c] += d * d;
        }
    for (size_t r = 0; g && r < rows; r++)
        for (size_t c = 0; c < width; c++) {
            sum_g[c] += g[r * width + c];
            sum_gx[c] += g[r * width + c] * (x[r * width + c] - mean[c]);
        }
}

static void stats_range(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct norm *j = ctx;
    for (size_t i = from; i < to; i++) {
        size_t first = i % j->blocks * j->block, at = (i / j->blocks * j->rows + first) * j->width;
        size_t rows = j->rows - first < j->block ? j->rows - first : j->block;
        block_stats(j->x + at, j->g ? j->g + at : NULL, rows, j->width, j->part + i * 4 * j->width);
    }
}

/* Joins the parts of column c: every block, every folded row. */
static void join_column(const struct norm *j, size_t outer, size_t c)
{
    double n = 0, mean = 0, m2 = 0, sum_g = 0, sum_gx = 0;
    for (size_t b = 0; b < j->blocks; b++) {
        double rows = (double)(b + 1 < j->blocks ? j->block : j->rows - b * j->block);
        const float *part = j->part + (outer * j->blocks + b) * 4 * j->width;
        for (size_t f = c; f < j->width; f += j->span.inner) {
            double d = (double)part[f] - mean, g = (double)part[2 * j->width + f];
            double step = d * rows / (n + rows); /* of the mean */
            m2 += (double)part[j->width + f] + d * (d - step) * rows;
            sum_gx += (double)part[3 * j->width + f] + g * (d - step) - sum_g * step;
            sum_g += g;
            mean += step;
            n += rows;
        }
    }
    double scale = 1 / sqrt(m2 / n + (double)j->eps);
    float *stat = j->stat + outer * 4 * j->width;
    for (size_t f = c; f < j->width; f += j->span.inner) {
        stat[f] = (float)mean;
        stat[j->width + f] = (float)scale;
        stat[2 * j->width + f] = (float)(sum_g / n);
        stat[3 * j->width + f] = (float)(sum_gx / n * scale * scale);
    }
}

SIMD static void apply_rows(const float *x, const float *stat, float *out, size_t rows, size_t width)
{
    const float *mean = stat, *scale = stat + width;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c++)
            out[r * width + c] = (x[r * width + c] - mean[c]) * scale[c];
}

SIMD static void apply_dx_rows(const float *x, const float *g, const float *stat, float *out, size_t rows,
                               size_t width)
{
    const float *mean = stat, *scale = stat + width, *mean_g = stat + 2 * width, *slope = stat + 3 * width;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c++) {
            size_t i = r * width + c;
            out[i] = (g[i] - mean_g[c] - (x[i] - mean[c]) * slope[c]) * scale[c];
        }
}

static void apply_range(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct norm *j = ctx;
    for (size_t i = from; i < to; i++) {
        size_t outer = i / j->blocks, first = i % j->blocks * j->block,
               at = (outer * j->rows + first) * j->width;
        size_t rows = j->rows - first < j->block ? j->rows - first : j->block;
        const float *stat = j->stat + outer * 4 * j->width;
        if (j->g)
            apply_dx_rows(j->x + at, j->g + at, stat, j->out + at, rows, j->width);
        else
            apply_rows(j->x + at, stat, j->out + at, rows, j->width);
    }
}

static void run(struct norm *j, const struct step *s, struct pool *pool)
{
    j->out = s->out;
    if (by_rows(&j->span)) {
        par_for(pool, j->span.outer, row_grain(j->span.mid * 4), j->g ? norm_dx_rows : norm_rows, j);
        return;
    }
    j->part = s->work;
    j->stat = j->part + part_floats(j);
    size_t grain = row_grain(j->block * j->width * 2);
    par_for(pool, j->span.outer * j->blocks, grain, stats_range, j);
    for (size_t o = 0; o < j->span.outer; o++)
        for (size_t c = 0; c < j->span.inner; c++)
            join_column(j, o, c);
    par_for(pool, j->span.outer * j->blocks, grain, apply_range, j);
}

void k_norm(const struct step *s, struct pool *pool)
{
    struct norm j = norm_plan(s->node);
    j.x = s->in[0];
    run(&j, s, pool);
}

void k_norm_dx(const struct step *s, struct pool *pool)
{
    struct norm j = norm_plan(s->node);
    j.g = s->in[0];
    j.x = s->in[1];
    run(&j, s, pool);
}
