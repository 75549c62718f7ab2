/* attn.c: multi-head attention, its derivative, and one decoding step over key and value caches.
 *
 * A task is one head of one sample; queries go in blocks of rows, so that a block of scores stays in cache
 * and, with the causal mask, keys after the block are never touched. The derivative computes the scores
 * again: cheaper than storing T x T of them for every head. Heads are read and written in place, in rows of
 * the full width. */
#include <math.h>
#include <string.h>
#include "cpu.h"
#include "gemm.h"
#include "vmath.h"

enum { ROWS = 64 };

struct attention {
    const float *q, *k, *v, *g;
    const int32_t *length;
    float *out, *dq, *dk, *dv;
    float *work;               /* two blocks of scores for every worker */
    int n, t, d, heads, width; /* width: of a head */
    bool causal;
    float scale;
};

static struct attention attention_of(const struct step *s, int first)
{
    const struct node *n = s->node;
    struct shape shape = n->in[first]->shape;
    int heads = n->attr.attention.heads, d = shape.dim[2];
    return (struct attention){
        .q = s->in[first], .k = s->in[first + 1], .v = s->in[first + 2],
        .length = n->n_in == first + 4 ? s->in[first + 3] : NULL,
        .n = shape.dim[0], .t = shape.dim[1], .d = d, .heads = heads, .width = d / heads,
        .causal = n->attr.attention.causal, .scale = 1 / sqrtf((float)(d / heads)), .work = s->work,
    };
}

static size_t scores_floats(int t)
{
    return (size_t)ROWS * (size_t)(t + 15) / 16 * 16;
}

size_t w_attention(const struct node *n, int threads)
{
    return scores_floats(n->in[0]->shape.dim[1]) * (size_t)threads * sizeof(float);
}

size_t w_attention_dx(const struct node *n, int threads)
{
    return 2 * w_attention(n, threads);
}

/* Keys that query row `i` sees. */
static int visible(const struct attention *a, int sample, int i)
{
    int keys = a->length && a->length[sample] < a->t ? a->length[sample] : a->t;
    keys = keys < 0 ? 0 : keys;
    return a->causal && i + 1 < keys ? i + 1 : keys;
}

/* Raw scores of `rows` queries become exp(scale (s - max)), with zeros beyond what each row sees; inverse[r]
 * is one over the row's sum. */
SIMD static void exp_scores(const struct attention *a, int sample, int row, int rows, int keys, float *p,
                            float *inverse)
{
    for (int r = 0; r < rows; r++) {
        float *s = p + (size_t)r * (size_t)keys;
        int seen = visible(a, sample, row + r);
        float max = seen ? row_max(s, (size_t)seen) : 0;
        for (int i = 0; i < seen; i++)
            s[i] = (s[i] - max) * a->scale;
        vexp(s, s, (size_t)seen);
        memset(s + seen, 0, (size_t)(keys - seen) * sizeof(*s));
        inverse[r] = seen ? 1 / row_sum(s, (size_t)seen) : 0;
    }
}

SIMD static void scale_rows(float *x, int rows, int n, size_t stride, const float *factor)
{
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < n; i++)
            x[(size_t)r * stride + (size_t)i] *= factor[r];
}

static void clear_rows(float *x, int rows, int n, size_t stride)
{
    for (int r = 0; r < rows; r++)
        memset(x + (size_t)r * stride, 0, (size_t)n * sizeof(*x));
}

static void forward_head(const struct attention *a, int sample, int head, float *p)
{
    size_t at = (size_t)sample * (size_t)a->t * (size_t)a->d + (size_t)head * (size_t)a->width,
           d = (size_t)a->d;
    float inverse[ROWS];
    for (int row = 0; row < a->t; row += ROWS) {
        int rows = a->t - row < ROWS ? a->t - row : ROWS, keys = visible(a, sample, row + rows - 1);
        float *out = a->out + at + (size_t)row * d;
        if (!keys) {
            clear_rows(out, rows, a->width, d);
            continue;
        }
        gemm(NULL, false, true, rows, keys, a->width, a->q + at + (size_t)row * d, a->d, a->k + at, a->d, 0,
             p, keys, NULL);
        exp_scores(a, sample, row, rows, keys, p, inverse);
        gemm(NULL, false, false, rows, a->width, keys, p, keys, a->v + at, a->d, 0, out, a->d, NULL);
        scale_rows(out, rows, a->width, d, inverse);
    }
}

static void forward_task(void *ctx, int chunk, int worker)
{
    const struct attention *a = ctx;
    forward_head(a, chunk / a->heads, chunk % a->heads, a->work + scores_floats(a->t) * (size_t)worker);
}

static void run_tasks(struct attention *a, struct pool *pool, pool_fn fn)
{
    int tasks = a->n * a->heads;
    bool tiny = (size_t)tasks * (size_t)a->t * (size_t)a->t * (size_t)a->width < 1 << 18;
    for (int i = 0; i < tasks && tiny; i++)
        fn(a, i, 0);
    if (!tiny)
        pool_run(pool, tasks, fn, a);
}

void k_attention(const struct step *s, struct pool *pool)
{
    struct attention a = attention_of(s, 0);
    a.out = s->out;
    run_tasks(&a, pool, forward_task);
}

/* dp, the gradient of the weights p, becomes that of the raw scores: p (dp - sum p dp) scale. */
SIMD static void score_gradient(const struct attention *a, int rows, int keys, const float *p, float *dp)
{
    for (int r = 0; r < rows; r++) {
        const float *w = p + (size_t)r * (size_t)keys;
        float *d = dp + (size_t)r * (size_t)keys;
        float sum = row_dot(w, 0, d, 0, (size_t)keys);
        for (int i = 0; i < keys; i++)
            d[i] = w[i] * (d[i] - sum) * a->scale;
    }
}

static void backward_head(const struct attention *a, int sample, int head, float *p, float *dp)
{
    size_t at = (size_t)sample * (size_t)a->t * (size_t)a->d + (size_t)head * (size_t)a->width,
           d = (size_t)a->d;
    const float *k = a->k + at, *v = a->v + at;
    float inverse[ROWS];
    clear_rows(a->dk + at, a->t, a->width, d);
    clear_rows(a->dv + at, a->t, a->width, d);
    for (int row = 0; row < a->t; row += ROWS) {
        int rows = a->t - row < ROWS ? a->t - row : ROWS, keys = visible(a, sample, row + rows - 1);
        const float *q = a->q + at + (size_t)row * d, *g = a->g + at + (size_t)row * d;
        if (!keys) {
            clear_rows(a->dq + at + (size_t)row * d, rows, a->width, d);
            continue;
        }
        gemm(NULL, false, true, rows, keys, a->width, q, a->d, k, a->d, 0, p, keys, NULL);
        gemm(NULL, false, true, rows, keys, a->width, g, a->d, v, a->d, 0, dp, keys, NULL);
        exp_scores(a, sample, row, rows, keys, p, inverse);
        scale_rows(p, rows, keys, (size_t)keys, inverse);
        score_gradient(a, rows, keys, p, dp);
        gemm(NULL, false, false, rows, a->width, keys, dp, keys, k, a->d, 0, a->dq + at + (size_t)row * d,
             a->d, NULL);
        gemm(NULL, true, false, keys, a->width, rows, dp, keys, q, a->d, 1, a->dk + at, a->d, NULL);
        gemm(NULL, true, false, keys, a->width, rows, p, keys, g, a->d, 1, a->dv + at, a->d, NULL);
    }
}

static void backward_task(void *ctx, int chunk, int worker)
{
    const struct attention *a = ctx;
    float *p = a->work + 2 * scores_floats(a->t) * (size_t)worker;
    backward_head(a, chunk / a->heads, chunk % a->heads, p, p + scores_floats(a->t));
}

void k_attention_dx(const struct step *s, struct pool *pool)
{
    struct attention a = attention_of(s, 1);
    size_t block = node_count(s->node) / 3;
    a.g = s->in[0];
    a.dq = s->out;
    a.dk = a.dq + block;
    a.dv = a.dk + block;
    run_tasks(&a, pool, backward_task);
}

/* ------------------------------------------------------------------ one decoding step */

struct attend {
    const float *q, *k, *v;
    float *k_cache, *v_cache, *out, *work;
    const int32_t *position;
    int t, d, heads, width;
    float scale;
};

size_t w_attend_step(const struct node *n, int threads)
{
    (void)threads;
    struct shape cache = n->in[3]->shape;
    return (size_t)cache.dim[0] * (size_t)cache.dim[1] * (size_t)n->attr.attention.heads * sizeof(float);
}

/* score[head][i] = scale q.k[i] for the positions seen; keys in rows of d. */
INLINE void step_scores(const struct attend *a, const float *q, const float *keys, size_t seen, float *score)
{
    size_t width = (size_t)a->width;
    for (size_t i = 0; i < seen; i++)
        for (size_t h = 0; h < (size_t)a->heads; h++)
            score[h * seen + i] =
                row_dot(q + h * width, 0, keys + i * (size_t)a->d + h * width, 0, width) * a->scale;
}

INLINE void step_softmax(float *s, size_t n)
{
    float max = row_max(s, n);
    for (size_t i = 0; i < n; i++)
        s[i] -= max;
    vexp(s, s, n);
    float inverse = 1 / row_sum(s, n);
    for (size_t i = 0; i < n; i++)
        s[i] *= inverse;
}

/* out[c] = sum of weight[i] values[i][c] over one head; 32 columns at a time stay in registers. */
INLINE void step_values(const float *weight, const float *values, size_t seen, size_t width, size_t d,
                        float *out)
{
    size_t c = 0;
    for (; c + 2 * ROW_LANES <= width; c += 2 * ROW_LANES) {
        lanes a = { 0 }, b = { 0 };
        for (size_t i = 0; i < seen; i++) {
            const float *v = values + i * d + c;
            a += weight[i] * *(const lanes *)v;
            b += weight[i] * *(const lanes *)(v + ROW_LANES);
        }
        *(lanes *)(out + c) = a;
        *(lanes *)(out + c + ROW_LANES) = b;
    }
    for (; c < width; c++) {
        out[c] = 0;
        for (size_t i = 0; i < seen; i++)
            out[c] += weight[i] * values[i * d + c];
    }
}

/* One sample: store its key and value, then weigh all positions up to its own. */
SIMD static void attend_rows(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct attend *a = ctx;
    size_t d = (size_t)a->d, width = (size_t)a->width;
    for (size_t n = from; n < to; n++) {
        float *keys = a->k_cache + n * (size_t)a->t * d, *values = a->v_cache + n * (size_t)a->t * d;
        int at = a->position[n] < 0 ? 0 : a->position[n] < a->t ? a->position[n] : a->t - 1;
        size_t seen = (size_t)at + 1;
        float *score = a->work + n * (size_t)a->t * (size_t)a->heads;
        memcpy(keys + (size_t)at * d, a->k + n * d, d * sizeof(float));
        memcpy(values + (size_t)at * d, a->v + n * d, d * sizeof(float));
        step_scores(a, a->q + n * d, keys, seen, score);
        for (size_t h = 0; h < (size_t)a->heads; h++) {
            step_softmax(score + h * seen, seen);
            step_values(score + h * seen, values + h * width, seen, width, d, a->out + n * d + h * width);
        }
    }
}

void k_attend_step(const struct step *s, struct pool *pool)
{
    struct shape cache = s->node->in[3]->shape;
    int heads = s->node->attr.attention.heads;
    struct attend a = {
        .q = s->in[0],
        .k = s->in[1],
        .v = s->in[2],
        .k_cache = (float *)(uintptr_t)s->in[3],
        .v_cache = (float *)(uintptr_t)s->in[4], /* written by contract */
        .position = s->in[5],
        .out = s->out,
        .work = s->work,
        .t = cache.dim[1],
        .d = cache.dim[2],
        .heads = heads,
        .width = cache.dim[2] / heads,
        .scale = 1 / sqrtf((float)(cache.dim[2] / heads)),
    };
    size_t work = 0;
    for (int n = 0; n < cache.dim[0]; n++)
        work += (size_t)(a.position[n] + 1) * (size_t)a.d;
    par_for(work < 1 << 16 ? NULL : pool, (size_t)cache.dim[0], 1, attend_rows, &a);
}
