/* move.c: kernels that only move data: fill, repeat, permute, cut, pad, join, reflect, gather, scatter. */
#include <string.h>
#include "cpu.h"

static void fill_range(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct step *s = ctx;
    float *out = s->out, value = s->node->attr.fill.value;
    for (size_t i = from; i < to; i++)
        out[i] = value;
}

void k_fill(const struct step *s, struct pool *pool)
{
    par_for(pool, node_count(s->node), 1 << 17, fill_range, (void *)(uintptr_t)s);
}

/* ------------------------------------------------------------------ strided copies: expand and permute */

/* The output walked in order, the input by strides; axes that can be walked as one are one. */
struct walk {
    const float *src;
    float *dst;
    int rank;
    size_t dim[MAX_RANK];
    ptrdiff_t stride[MAX_RANK]; /* of the input, in elements; 0: repeated */
};

static void merge_axes(struct walk *w)
{
    int n = 0;
    for (int i = 0; i < w->rank; i++) {
        if (w->dim[i] == 1)
            continue;
        if (n && w->stride[n - 1] == w->stride[i] * (ptrdiff_t)w->dim[i]) {
            w->dim[n - 1] *= w->dim[i];
            w->stride[n - 1] = w->stride[i];
        } else {
            w->dim[n] = w->dim[i];
            w->stride[n++] = w->stride[i];
        }
    }
    if (!n) {
        w->dim[n] = 1;
        w->stride[n++] = 0;
    }
    w->rank = n;
}

static void copy_row(float *d, const float *s, size_t n, ptrdiff_t stride)
{
    if (stride == 1)
        memcpy(d, s, n * sizeof(*d));
    else if (stride == 0)
        for (size_t i = 0; i < n; i++)
            d[i] = *s;
    else
        for (size_t i = 0; i < n; i++)
            d[i] = s[(ptrdiff_t)i * stride];
}

/* Where outer row number `row` starts in the input: all axes but the last `inner`. */
static const float *row_start(const struct walk *w, size_t row, int inner)
{
    const float *src = w->src;
    for (int i = w->rank - inner; i-- > 0; row /= w->dim[i])
        src += (ptrdiff_t)(row % w->dim[i]) * w->stride[i];
    return src;
}

static void walk_rows(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct walk *w = ctx;
    size_t n = w->dim[w->rank - 1];
    for (size_t row = from; row < to; row++)
        copy_row(w->dst + row * n, row_start(w, row, 1), n, w->stride[w->rank - 1]);
}

/* The last two axes as a matrix read across: in tiles, so that both sides stay in cache. */
static void walk_planes(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    enum { TILE = 16 };
    const struct walk *w = ctx;
    size_t rows = w->dim[w->rank - 2], cols = w->dim[w->rank - 1];
    ptrdiff_t sr = w->stride[w->rank - 2], sc = w->stride[w->rank - 1];
    for (size_t plane = from; plane < to; plane++) {
        const float *src = row_start(w, plane, 2);
        float *dst = w->dst + plane * rows * cols;
        for (size_t r0 = 0; r0 < rows; r0 += TILE)
            for (size_t c0 = 0; c0 < cols; c0 += TILE)
                for (size_t r = r0; r < r0 + TILE && r < rows; r++)
                    for (size_t c = c0; c < c0 + TILE && c < cols; c++)
                        dst[r * cols + c] = src[(ptrdiff_t)r * sr + (ptrdiff_t)c * sc];
    }
}

static void walk(struct walk *w, struct pool *pool)
{
    merge_axes(w);
    size_t total = 1, last = w->dim[w->rank - 1];
    for (int i = 0; i < w->rank; i++)
        total *= w->dim[i];
    bool across = w->rank >= 2 && w->stride[w->rank - 1] > 1;
    size_t unit = across ? last * w->dim[w->rank - 2] : last;
    par_for(pool, total / unit, row_grain(unit), across ? walk_planes : walk_rows, w);
}

static void input_strides(struct shape s, ptrdiff_t *stride)
{
    ptrdiff_t step = 1;
    for (int i = s.rank; i-- > 0; step *= s.dim[i])
        stride[i] = step;
}

void k_expand(const struct step *s, struct pool *pool)
{
    struct walk w = { .src = s->in[0], .dst = s->out, .rank = s->node->shape.rank };
    struct shape from = s->node->in[0]->shape;
    input_strides(from, w.stride);
    for (int i = 0; i < w.rank; i++) {
        w.dim[i] = (size_t)s->node->shape.dim[i];
        if (from.dim[i] == 1)
            w.stride[i] = 0;
    }
    walk(&w, pool);
}

void k_permute(const struct step *s, struct pool *pool)
{
    struct walk w = { .src = s->in[0], .dst = s->out, .rank = s->node->shape.rank };
    ptrdiff_t stride[MAX_RANK];
    input_strides(s->node->in[0]->shape, stride);
    for (int i = 0; i < w.rank; i++) {
        w.dim[i] = (size_t)s->node->shape.dim[i];
        w.stride[i] = stride[s->node->attr.order[i]];
    }
    walk(&w, pool);
}

/* ------------------------------------------------------------------ windows of one axis */

/* Input and output as [outer, axis, inner] that differ in the length of the axis only. */
struct window { const float *src; float *dst; size_t from, to, inner; int32_t before; };

static struct window window_of(const struct step *s)
{
    int axis = s->node->attr.window.axis;
    struct span span = { .inner = 1 };
    for (int i = axis + 1; i < s->node->shape.rank; i++)
        span.inner *= (size_t)s->node->shape.dim[i];
    return (struct window){ s->in[0], s->out, (size_t)s->node->in[0]->shape.dim[axis],
                            (size_t)s->node->shape.dim[axis], span.inner, s->node->attr.window.a };
}

static void run_window(struct pool *pool, const struct step *s, struct window *w, range_fn fn)
{
    size_t row = w->to * w->inner, other = w->from * w->inner;
    par_for(pool, node_count(s->node) / row, row_grain(row > other ? row : other), fn, w);
}

static void slice_rows(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct window *w = ctx;
    size_t n = w->to * w->inner;
    for (size_t i = from; i < to; i++)
        memcpy(w->dst + i * n, w->src + (i * w->from + (size_t)w->before) * w->inner, n * sizeof(float));
}

void k_slice(const struct step *s, struct pool *pool)
{
    struct window w = window_of(s);
    run_window(pool, s, &w, slice_rows);
}

static void pad_rows(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct window *w = ctx;
    size_t n = w->from * w->inner, row = w->to * w->inner, lead = (size_t)w->before * w->inner;
    for (size_t i = from; i < to; i++) {
        float *dst = w->dst + i * row;
        memset(dst, 0, lead * sizeof(float));
        memcpy(dst + lead, w->src + i * n, n * sizeof(float));
        memset(dst + lead + n, 0, (row - lead - n) * sizeof(float));
    }
}

void k_pad(const struct step *s, struct pool *pool)
{
    struct window w = window_of(s);
    run_window(pool, s, &w, pad_rows);
}

/* Position of the axis of length n that stands at `i` when its ends are mirrored. */
static size_t mirror(ptrdiff_t i, size_t n)
{
    if (i < 0)
        i = -i;
    return (size_t)(i < (ptrdiff_t)n ? i : 2 * (ptrdiff_t)(n - 1) - i);
}

static void reflect_rows(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct window *w = ctx;
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < w->to; k++)
            memcpy(w->dst + (i * w->to + k) * w->inner,
                   w->src + (i * w->from + mirror((ptrdiff_t)k - w->before, w->from)) * w->inner,
                   w->inner * sizeof(float));
}

void k_reflect(const struct step *s, struct pool *pool)
{
    struct window w = window_of(s);
    run_window(pool, s, &w, reflect_rows);
}

static void unreflect_rows(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct window *w = ctx;
    for (size_t i = from; i < to; i++) {
        float *dst = w->dst + i * w->to * w->inner;
        memset(dst, 0, w->to * w->inner * sizeof(float));
        for (size_t k = 0; k < w->from; k++) {
            float *d = dst + mirror((ptrdiff_t)k - w->before, w->to) * w->inner;
            const float *src = w->src + (i * w->from + k) * w->inner;
            for (size_t j = 0; j < w->inner; j++)
                d[j] += src[j];
        }
    }
}

void k_unreflect(const struct step *s, struct pool *pool)
{
    struct window w = window_of(s);
    run_window(pool, s, &w, unreflect_rows);
}

static void concat_rows(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct step *s = ctx;
    int axis = s->node->attr.axis;
    size_t inner = 1;
    for (int i = axis + 1; i < s->node->shape.rank; i++)
        inner *= (size_t)s->node->shape.dim[i];
    size_t row = (size_t)s->node->shape.dim[axis] * inner, at = 0;
    for (int k = 0; k < s->node->n_in; k++) {
        size_t n = (size_t)s->node->in[k]->shape.dim[axis] * inner;
        const float *src = s->in[k];
        float *dst = (float *)s->out + at;
        for (size_t i = from; i < to; i++)
            memcpy(dst + i * row, src + i * n, n * sizeof(float));
        at += n;
    }
}

void k_concat(const struct step *s, struct pool *pool)
{
    size_t outer = 1, total = node_count(s->node);
    for (int i = 0; i < s->node->attr.axis; i++)
        outer *= (size_t)s->node->shape.dim[i];
    par_for(pool, outer, row_grain(total / outer), concat_rows, (void *)(uintptr_t)s);
}

/* ------------------------------------------------------------------ tables */

static void gather_rows(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct step *s = ctx;
    const struct shape table = s->node->in[0]->shape;
    const float *src = s->in[0];
    const int32_t *idx = s->in[1];
    size_t width = (size_t)table.dim[1];
    for (size_t i = from; i < to; i++) {
        float *dst = (float *)s->out + i * width;
        if (idx[i] >= 0 && idx[i] < table.dim[0])
            memcpy(dst, src + (size_t)idx[i] * width, width * sizeof(float));
        else
            memset(dst, 0, width * sizeof(float));
    }
}

void k_gather(const struct step *s, struct pool *pool)
{
    size_t width = (size_t)s->node->in[0]->shape.dim[1];
    par_for(pool, node_count(s->node) / width, row_grain(width), gather_rows, (void *)(uintptr_t)s);
}

/* Columns are divided, not rows: each sum is taken in the order of the rows. */
SIMD static void scatter_columns(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct step *s = ctx;
    const int32_t *idx = s->in[1];
    size_t rows = node_count(s->node->in[1]), width = (size_t)s->node->shape.dim[1];
    for (int32_t r = 0; r < s->node->shape.dim[0]; r++)
        memset((float *)s->out + (size_t)r * width + from, 0, (to - from) * sizeof(float));
    for (size_t i = 0; i < rows; i++) {
        if (idx[i] < 0 || idx[i] >= s->node->shape.dim[0])
            continue;
        float *dst = (float *)s->out + (size_t)idx[i] * width;
        const float *src = (const float *)s->in[0] + i * width;
        for (size_t c = from; c < to; c++)
            dst[c] += src[c];
    }
}

void k_scatter(const struct step *s, struct pool *pool)
{
    par_for(pool, (size_t)s->node->shape.dim[1], 64, scatter_columns, (void *)(uintptr_t)s);
}

static void copy_range(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct step *s = ctx;
    memcpy((float *)s->out + from, (const float *)s->in[0] + from, (to - from) * sizeof(float));
}

void k_store(const struct step *s, struct pool *pool)
{
    if (s->out != s->in[0])
        par_for(pool, node_count(s->node), 1 << 17, copy_range, (void *)(uintptr_t)s);
}
