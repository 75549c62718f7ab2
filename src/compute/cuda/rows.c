/* rows.c: functions that read a step and call a launcher, and the table of the GPU's kernels. */
#include <math.h>
#include "cuda.h"
#include "rows.h"

/* ------------------------------------------------------------------ element by element */

static bool wide(const void *p)
{
    return ((uintptr_t)p & 15) == 0;
}

static struct cu_input input_of(const struct program_input *in, const float *data)
{
    struct cu_input r = { .data = data, .value = in->value, .kind = CU_PLAIN, .wide = wide(data) };
    if (in->constant)
        r.kind = CU_CONSTANT;
    if (!in->spread)
        return r;
    r.kind = CU_SPREAD;
    r.period = cu_div_of(in->mid * in->inner);
    r.inner = cu_div_of(in->inner);
    r.wide = in->inner == 1 ? in->mid % 4 == 0 : in->inner % 4 == 0 && wide(data);
    return r;
}

static struct cu_program program_of(const struct step *s)
{
    const struct program *p = s->program;
    _Static_assert((int)CU_INPUTS == (int)PROGRAM_INPUTS && (int)CU_OPS == (int)PROGRAM_OPS, "one size of program");
    struct cu_program r = { .n_in = p->n_in, .n_ops = p->n_ops };
    for (int i = 0; i < p->n_in; i++)
        r.in[i] = input_of(&p->in[i], s->in[i]);
    for (int i = 0; i < p->n_ops; i++) {
        const struct program_op *op = &p->op[i];
        r.op[i] = (struct cu_op){ .code = (int16_t)op->op, .dst = op->dst, .a = op->a, .b = op->b };
        for (int k = 0; k < 3; k++)
            r.op[i].src[k] = k < op_rows[op->op].n_in ? op->src[k] : -1;
    }
    return r;
}

void k_elem(const struct step *s, struct pool *pool)
{
    (void)pool;
    struct cu_program p = program_of(s);
    cu_elem(&p, s->out, node_count(s->node));
}

/* ------------------------------------------------------------------ reductions */

static struct cu_span span_by(struct shape shape, unsigned axes)
{
    struct span s;
    bool one_run = span_of(shape, axes, &s);
    BUG_ON(!one_run);
    return (struct cu_span){ (uint32_t)s.outer, (uint32_t)s.mid, (uint32_t)s.inner };
}

static struct cu_span reduced(const struct node *n)
{
    return span_by(n->in[0]->shape, n->attr.reduce.axes);
}

static struct cu_span along_axis(const struct node *n)
{
    return span_by(n->in[0]->shape, 1u << n->attr.axis);
}

static size_t w_reduce(const struct node *n, int threads)
{
    (void)threads;
    return cu_reduce_work(reduced(n)) * sizeof(float);
}

static bool fits_one_run(const struct node *n)
{
    struct span s;
    return span_of(n->in[0]->shape, n->attr.reduce.axes, &s);
}

static void k_sum(const struct step *s, struct pool *pool)
{
    (void)pool;
    if (!s->program) {
        cu_sum(s->in[0], s->out, s->work, reduced(s->node));
        return;
    }
    struct cu_program p = program_of(s);
    cu_sum_program(&p, s->out, s->work, reduced(s->node));
}

static void k_max(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_max(s->in[0], s->out, s->work, reduced(s->node));
}

static void k_argmax(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_argmax(s->in[0], s->out, along_axis(s->node));
}

static void k_softmax(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_softmax(s->in[0], s->out, along_axis(s->node));
}

static void k_logsumexp(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_logsumexp(s->in[0], s->out, along_axis(s->node));
}

/* ------------------------------------------------------------------ normalisation, cross entropy */

static bool fits_norm(const struct node *n)
{
    struct span s;
    return span_of(n->shape, n->attr.reduce.axes, &s);
}

static struct cu_span normed(const struct node *n)
{
    return span_by(n->shape, n->attr.reduce.axes);
}

static size_t w_norm(const struct node *n, int threads)
{
    (void)threads;
    return cu_norm_work(normed(n)) * sizeof(float);
}

static void k_norm(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_norm(s->in[0], NULL, s->out, s->work, normed(s->node), s->node->attr.reduce.eps);
}

static void k_norm_dx(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_norm(s->in[1], s->in[0], s->out, s->work, normed(s->node), s->node->attr.reduce.eps);
}

static size_t w_xent(const struct node *n, int threads)
{
    (void)threads;
    return node_count(n->in[1]) * sizeof(float);
}

static size_t w_xent_dx(const struct node *n, int threads)
{
    (void)n, (void)threads;
    return sizeof(float);
}

static void k_xent(const struct step *s, struct pool *pool)
{
    (void)pool;
    struct shape logits = s->node->in[0]->shape;
    cu_xent(s->in[0], s->in[1], s->out, s->work, (uint32_t)logits.dim[0], (uint32_t)logits.dim[1]);
}

static void k_xent_dx(const struct step *s, struct pool *pool)
{
    (void)pool;
    struct shape logits = s->node->in[0]->shape;
    cu_xent_dx(s->in[0], s->in[1], s->in[2], s->out, s->work, (uint32_t)logits.dim[0], (uint32_t)logits.dim[1]);
}

/* ------------------------------------------------------------------ attention */

static struct cu_heads heads_of(const struct node *n, struct shape rows)
{
    uint32_t heads = (uint32_t)n->attr.attention.heads, width = (uint32_t)rows.dim[2] / heads;
    return (struct cu_heads){ .n = (uint32_t)rows.dim[0], .t = (uint32_t)rows.dim[1], .heads = heads, .width = width,
                              .causal = n->attr.attention.causal, .scale = 1 / sqrtf((float)width) };
}

/* The gradient's node has the shapes of its first operand as the forward has: [n, t, d]. */
static bool fits_attention(const struct node *n)
{
    return cu_attention_fits(heads_of(n, n->in[0]->shape).width);
}

static void k_attention(const struct step *s, struct pool *pool)
{
    (void)pool;
    const struct node *n = s->node;
    cu_attention(s->in[0], s->in[1], s->in[2], n->n_in == 4 ? s->in[3] : NULL, s->out, heads_of(n, n->in[0]->shape));
}

static size_t w_attention_dx(const struct node *n, int threads)
{
    (void)threads;
    return cu_attention_dx_work(heads_of(n, n->in[1]->shape)) * sizeof(float);
}

static void k_attention_dx(const struct step *s, struct pool *pool)
{
    (void)pool;
    const struct node *n = s->node;
    size_t block = node_count(n) / 3;
    float *dq = s->out;
    cu_attention_dx(s->in[0], s->in[1], s->in[2], s->in[3], n->n_in == 5 ? s->in[4] : NULL, dq, dq + block, dq + 2 * block,
                    s->work, heads_of(n, n->in[1]->shape));
}

static size_t w_attend_step(const struct node *n, int threads)
{
    (void)threads;
    struct shape cache = n->in[3]->shape;
    return (size_t)cache.dim[0] * (size_t)cache.dim[1] * (size_t)n->attr.attention.heads * sizeof(float);
}

static void k_attend_step(const struct step *s, struct pool *pool)
{
    (void)pool;
    float *keys = (float *)(uintptr_t)s->in[3], *values = (float *)(uintptr_t)s->in[4]; /* written by contract */
    cu_attend_step(s->in[0], s->in[1], s->in[2], keys, values, s->in[5], s->out, s->work,
                   heads_of(s->node, s->node->in[3]->shape));
}

/* ------------------------------------------------------------------ recurrent layers */

static struct cu_layer layer_of(struct shape xw)
{
    return (struct cu_layer){ (uint32_t)xw.dim[0], (uint32_t)xw.dim[1], (uint32_t)xw.dim[2], (uint32_t)xw.dim[3] / 3 };
}

static bool fits_gru(const struct node *n)
{
    return cu_gru_fits(layer_of(n->in[0]->shape).h);
}

static bool fits_gru_dx(const struct node *n)
{
    return cu_gru_fits(layer_of(n->in[1]->shape).h);
}

static void k_gru(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_gru(s->in[0], s->in[1], s->in[2], s->out, layer_of(s->node->in[0]->shape));
}

static size_t w_gru_dx(const struct node *n, int threads)
{
    (void)threads;
    return cu_gru_dx_work(layer_of(n->in[1]->shape)) * sizeof(float);
}

static void k_gru_dx(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_gru_dx(s->in[0], s->in[1], s->in[2], s->in[3], s->in[4], s->out, s->work, layer_of(s->node->in[1]->shape));
}

/* ------------------------------------------------------------------ the table */

#define ROW(op, fn) [OP_##op] = { .run = fn, .name = #fn }
#define ROW_WORK(op, fn, bytes) [OP_##op] = { .run = fn, .name = #fn, .work = bytes }
#define ROW_FITS(op, fn, bytes, ok) [OP_##op] = { .run = fn, .name = #fn, .work = bytes, .fits = ok }

const struct kernel cuda_kernels[N_OPS] = {
    CUDA_PRODUCT_ROWS,
    ROW(FILL, k_fill),
    [OP_SUM] = { .run = k_sum, .name = "k_sum", .work = w_reduce, .fits_program = fits_one_run },
    ROW(EXPAND, k_expand),
    ROW_WORK(MAX, k_max, w_reduce),
    ROW(ARGMAX, k_argmax),
    ROW(SOFTMAX, k_softmax),
    ROW(LOGSUMEXP, k_logsumexp),
    ROW(PERMUTE, k_permute),
    ROW(SLICE, k_slice),
    ROW(PAD, k_pad),
    ROW(CONCAT, k_concat),
    ROW(REFLECT, k_reflect),
    ROW(UNREFLECT, k_unreflect),
    ROW(GATHER, k_gather),
    ROW(SCATTER, k_scatter),
    ROW(RANDOM, k_random),
    ROW_WORK(ATTEND_STEP, k_attend_step, w_attend_step),
    ROW_FITS(NORM, k_norm, w_norm, fits_norm),
    ROW_FITS(NORM_DX, k_norm_dx, w_norm, fits_norm),
    ROW_WORK(XENT, k_xent, w_xent),
    ROW_WORK(XENT_DX, k_xent_dx, w_xent_dx),
    ROW_FITS(ATTENTION, k_attention, NULL, fits_attention),
    ROW_FITS(ATTENTION_DX, k_attention_dx, w_attention_dx, fits_attention),
    ROW_FITS(GRU, k_gru, NULL, fits_gru),
    ROW_FITS(GRU_DX, k_gru_dx, w_gru_dx, fits_gru_dx),
};
