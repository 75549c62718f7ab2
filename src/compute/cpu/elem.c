/* elem.c: fused element-wise loops. A program runs over blocks that fit the first-level cache: each op is
 * one vector loop over the block, so a chain of ops reads and writes main memory once. */
#include <math.h>
#include <string.h>
#include "cpu.h"
#include "vmath.h"

typedef void (*elem_fn)(const struct program_op *op, float *d, const float *a, const float *b, const float *c, size_t n);

/* d may be a, b or c: element i only depends on elements i. */
#define ELEM(name, expression) \
    SIMD static void name(const struct program_op *op, float *d, const float *a, const float *b, const float *c, \
                          size_t n) \
    { \
        float p = op->a, q = op->b; \
        (void)p, (void)q, (void)b, (void)c; \
        _Pragma("GCC ivdep") \
        for (size_t i = 0; i < n; i++) \
            d[i] = (expression); \
    }

ELEM(e_add, a[i] + b[i])
ELEM(e_sub, a[i] - b[i])
ELEM(e_mul, a[i] * b[i])
ELEM(e_div, a[i] / b[i])
ELEM(e_scale, p * a[i] + q)
ELEM(e_leaky, a[i] > 0 ? a[i] : p * a[i])
ELEM(e_step, a[i] > 0 ? 1.0f : p)
ELEM(e_ge, a[i] >= b[i] ? 1.0f : 0.0f)
ELEM(e_select, a[i] != 0 ? b[i] : c[i])
ELEM(square, a[i] * a[i])
ELEM(root, sqrtf(a[i]))
ELEM(inverse, 1 / a[i])
ELEM(inverse_root, 1 / sqrtf(a[i]))
ELEM(any_power, powf(a[i], p))

static void e_powc(const struct program_op *op, float *d, const float *a, const float *b, const float *c, size_t n)
{
    static const struct { float exponent; elem_fn fn; } rows[] = {
        { 2, square }, { 0.5f, root }, { -1, inverse }, { -0.5f, inverse_root },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].exponent == op->a) {
            rows[i].fn(op, d, a, b, c, n);
            return;
        }
    any_power(op, d, a, b, c, n);
}

#define FROM_VMATH(name, fn) \
    static void name(const struct program_op *op, float *d, const float *a, const float *b, const float *c, size_t n) \
    { \
        (void)op, (void)b, (void)c; \
        fn(d, a, n); \
    }

FROM_VMATH(e_exp, vexp)
FROM_VMATH(e_log, vlog)
FROM_VMATH(e_tanh, vtanh)
FROM_VMATH(e_sigmoid, vsigmoid)
FROM_VMATH(e_gelu, vgelu)

static void e_gelu_dx(const struct program_op *op, float *d, const float *a, const float *b, const float *c, size_t n)
{
    float slope[ELEM_BLOCK];
    vgelu_dx(slope, b, n);
    e_mul(op, d, a, slope, c, n);
}

static const elem_fn elem[N_OPS] = {
    [OP_ADD] = e_add,         [OP_SUB] = e_sub,     [OP_MUL] = e_mul,       [OP_DIV] = e_div,
    [OP_SCALE] = e_scale,     [OP_POWC] = e_powc,   [OP_EXP] = e_exp,       [OP_LOG] = e_log,
    [OP_TANH] = e_tanh,       [OP_LEAKY] = e_leaky, [OP_SIGMOID] = e_sigmoid, [OP_STEP] = e_step,
    [OP_GE] = e_ge,           [OP_SELECT] = e_select, [OP_GELU] = e_gelu,   [OP_GELU_DX] = e_gelu_dx,
};

static void set_all(float *d, float v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        d[i] = v;
}

/* run elements of the endless repetition of row[inner], from position `at` of the row on: one period is
 * copied, then what is there is doubled. */
static void repeat_row(float *d, const float *row, size_t inner, size_t at, size_t run)
{
    size_t head = inner - at < run ? inner - at : run, have = inner < run ? inner : run;
    memcpy(d, row + at, head * sizeof(*d));
    memcpy(d + head, row, (have - head) * sizeof(*d));
    for (; have < run; have *= 2)
        memcpy(d + have, d, (have < run - have ? have : run - have) * sizeof(*d));
}

/* Elements from..from+n of an input that is repeated: [outer, mid, inner] read from [outer, inner]. */
static void load_spread(float *d, const float *src, const struct program_input *in, size_t from, size_t n)
{
    size_t inner = in->inner, period = in->mid * inner;
    while (n) {
        size_t outer = from / period, left = (outer + 1) * period - from, run = left < n ? left : n;
        if (inner == 1)
            set_all(d, src[outer], run);
        else
            repeat_row(d, src + outer * inner, inner, from % inner, run);
        d += run;
        from += run;
        n -= run;
    }
}

void elem_begin(struct elem_state *e, const struct step *s)
{
    const struct program *p = s->program;
    e->step = s;
    e->block = ELEM_BLOCK;
    for (int k = 0; k < p->n_in; k++) {
        const struct program_input *in = &p->in[k];
        e->outer[k] = SIZE_MAX;
        if (in->constant)
            set_all(e->reg[k] = e->loaded[k], in->value, ELEM_BLOCK);
        if (in->spread && in->inner > 1 && in->inner <= ELEM_BLOCK) /* every block starts a row: loaded once */
            e->block = ELEM_BLOCK / in->inner * in->inner;
    }
    for (int t = 0; t < p->n_temps; t++)
        e->reg[p->n_in + t] = e->temp[t];
}

/* A block within one repetition is that row over and over: what the block before has left may do. */
static void load_block(struct elem_state *e, int k, size_t at, size_t n)
{
    const struct program_input *in = &e->step->program->in[k];
    const float *src = e->step->in[k];
    size_t period = in->mid * in->inner, outer = at / period, phase = at % in->inner;
    e->reg[k] = e->loaded[k];
    if (at + n > (outer + 1) * period) {
        load_spread(e->loaded[k], src, in, at, n);
        e->outer[k] = SIZE_MAX;
    } else if (e->outer[k] != outer || e->phase[k] != phase) {
        if (in->inner == 1)
            set_all(e->loaded[k], src[outer], ELEM_BLOCK);
        else
            repeat_row(e->loaded[k], src + outer * in->inner, in->inner, phase, ELEM_BLOCK);
        e->outer[k] = outer;
        e->phase[k] = phase;
    }
}

void elem_block(struct elem_state *e, size_t at, size_t n, float *out)
{
    const struct program *p = e->step->program;
    for (int k = 0; k < p->n_in; k++) {
        if (p->in[k].spread)
            load_block(e, k, at, n);
        else if (!p->in[k].constant)
            e->reg[k] = (float *)(uintptr_t)e->step->in[k] + at; /* only read */
    }
    for (int i = 0; i < p->n_ops; i++) {
        const struct program_op *op = &p->op[i];
        float *d = i == p->n_ops - 1 ? out : e->reg[op->dst];
        elem[op->op](op, d, e->reg[op->src[0]], e->reg[op->src[1]], e->reg[op->src[2]], n);
    }
}

static void run_range(void *ctx, size_t from, size_t to, int chunk)
{
    (void)chunk;
    const struct step *s = ctx;
    struct elem_state e;
    elem_begin(&e, s);
    for (size_t at = from; at < to; at += e.block)
        elem_block(&e, at, to - at < e.block ? to - at : e.block, (float *)s->out + at);
}

void k_elem(const struct step *s, struct pool *pool)
{
    size_t ops = (size_t)(s->program->n_ops + s->program->n_in);
    size_t grain = (size_t)(1 << 17) / ops / ELEM_BLOCK * ELEM_BLOCK;
    par_for(pool, node_count(s->node), grain ? grain : ELEM_BLOCK, run_range, (void *)(uintptr_t)s);
}
