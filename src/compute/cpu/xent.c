/* xent.c: softmax cross entropy over rows and its derivative. Rows whose target is outside the table of
 * classes (negative, by contract) count for nothing. */
#include <math.h>
#include "cpu.h"
#include "vmath.h"

struct xent {
    const float *logits;
    const int32_t *target;
    size_t rows, width;
    float *exps;   /* [rows, width] */
    float *loss;   /* [rows] */
    float scale;   /* derivative: gradient over count */
};

static struct xent xent_of(const struct step *s)
{
    const struct node *logits = s->node->in[0];
    return (struct xent){ .logits = s->in[0], .target = s->in[1], .rows = (size_t)logits->shape.dim[0],
                          .width = (size_t)logits->shape.dim[1] };
}

static bool counts(const struct xent *j, size_t r)
{
    return j->target[r] >= 0 && (size_t)j->target[r] < j->width;
}

static size_t count_rows(const struct xent *j)
{
    size_t n = 0;
    for (size_t r = 0; r < j->rows; r++)
        n += counts(j, r);
    return n ? n : 1;
}

size_t w_xent(const struct node *n, int threads)
{
    (void)threads;
    return (node_count(n->in[0]) + node_count(n->in[1])) * sizeof(float);
}

/* e = exp(x - max); returns its sum. */
INLINE float exp_row(const float *x, size_t n, float *e, float *max)
{
    *max = row_max(x, n);
    for (size_t i = 0; i < n; i++)
        e[i] = x[i] - *max;
    vexp(e, e, n);
    return row_sum(e, n);
}

SIMD static void loss_rows(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct xent *j = ctx;
    for (size_t r = from; r < to; r++) {
        float max, sum;
        j->loss[r] = 0;
        if (!counts(j, r))
            continue;
        const float *x = j->logits + r * j->width;
        sum = exp_row(x, j->width, j->exps + r * j->width, &max);
        j->loss[r] = logf(sum) + max - x[j->target[r]];
    }
}

void k_xent(const struct step *s, struct pool *pool)
{
    struct xent j = xent_of(s);
    j.exps = s->work;
    j.loss = j.exps + j.rows * j.width;
    par_for(pool, j.rows, row_grain(j.width * 4), loss_rows, &j);
    double sum = 0;
    for (size_t r = 0; r < j.rows; r++)
        sum += (double)j.loss[r];
    *(float *)s->out = (float)(sum / (double)count_rows(&j));
}

SIMD static void dx_rows(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct xent *j = ctx;
    for (size_t r = from; r < to; r++) {
        float *d = j->exps + r * j->width, max, factor = 0;
        if (counts(j, r))
            factor = j->scale / exp_row(j->logits + r * j->width, j->width, d, &max);
        for (size_t i = 0; i < j->width; i++)
            d[i] = factor == 0 ? 0 : d[i] * factor;
        if (counts(j, r))
            d[j->target[r]] -= j->scale;
    }
}

void k_xent_dx(const struct step *s, struct pool *pool)
{
    struct xent j = xent_of(s);
    j.exps = s->out;
    j.scale = *(const float *)s->in[2] / (float)count_rows(&j);
    par_for(pool, j.rows, row_grain(j.width * 4), dx_rows, &j);
}
