/* gru.c: a gated recurrent layer over whole sequences, in one or both directions, and its derivative.
 *
 * The products of the inputs came before, in one piece. A task is one direction of a block of samples: step by
 * step the states of its rows times the recurrent weights, then the gates. The derivative needs the gates
 * again: all states are known by then, so they cost one product a sample; they wait in the output's own place
 * until the way back turns them into gradients. */
#include <string.h>
#include "cpu.h"
#include "gemm.h"
#include "vmath.h"

enum { ROWS = 32, PACK_ROWS = 6 };  /* samples a task; from how many on packed weights pay */

struct gru {
    const float *xw, *u, *c, *g;
    const float *y;            /* the states, of which a step reads those before it */
    float *out;
    float *packed;             /* recurrent weights a direction, NULL: used as they are */
    float *work;               /* a block of every worker */
    size_t work_floats;
    size_t n, t, dirs, h;
};

static struct gru sizes_of(const struct node *n, int first)
{
    struct shape x = n->in[first]->shape;
    return (struct gru){ .n = (size_t)x.dim[0], .t = (size_t)x.dim[1], .dirs = (size_t)x.dim[2], .h = (size_t)x.dim[3] / 3 };
}

static struct gru gru_of(const struct step *s, int first)
{
    struct gru a = sizes_of(s->node, first);
    a.xw = s->in[first];
    a.u = s->in[first + 1];
    a.c = s->in[first + 2];
    a.out = s->out;
    return a;
}

static size_t blocks_of(const struct gru *a)
{
    return (a->n + ROWS - 1) / ROWS;
}

struct task { size_t dir, row, rows; };

static struct task task_of(const struct gru *a, int chunk)
{
    size_t dir = (size_t)chunk % a->dirs, row = (size_t)chunk / a->dirs * ROWS;
    return (struct task){ dir, row, a->n - row < ROWS ? a->n - row : ROWS };
}

/* The place in time of step i: the second direction runs from the end. */
static size_t when(const struct gru *a, size_t dir, size_t i)
{
    return dir ? a->t - 1 - i : i;
}

static size_t state_at(const struct gru *a, size_t dir, size_t row, size_t t)
{
    return ((row * a->t + t) * a->dirs + dir) * a->h;
}

SIMD static void add_rows(float *restrict y, const float *restrict a, const float *restrict b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

SIMD static void add_product(float *restrict y, const float *restrict a, const float *restrict r, const float *restrict s,
                             size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + r[i] * s[i];
}

SIMD static void mix_states(float *restrict y, const float *restrict z, const float *restrict fresh,
                            const float *restrict before, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = fresh[i] + z[i] * ((before ? before[i] : 0) - fresh[i]);
}

/* z, r, fresh = the gates, from the inputs x [3H] and the recurrent part s [3H]. */
static void gates(const float *x, const float *s, size_t h, float *z, float *r, float *fresh)
{
    add_rows(z, x, s, h);
    add_rows(r, x + h, s + h, h);
    vsigmoid(z, z, h);
    vsigmoid(r, r, h);
    add_product(fresh, x + 2 * h, r, s + 2 * h, h);
    vtanh(fresh, fresh, h);
}

/* s [rows, 3H] = the states before (apart by `stride`) times u, plus c. */
static void recur(const struct gru *a, size_t dir, const float *before, size_t stride, size_t rows, float *s)
{
    size_t h = a->h;
    const struct gemm_epilogue e = { .bias = a->c + dir * 3 * h, .act = ACT_NONE };
    const float *packed = a->packed ? a->packed + dir * gemm_packed_floats((int)h, 3 * (int)h) : NULL;
    if (packed)
        gemm_packed(NULL, (int)rows, 3 * (int)h, (int)h, before, (int)stride, packed, s, 3 * (int)h, &e);
    else
        gemm(NULL, false, false, (int)rows, 3 * (int)h, (int)h, before, (int)stride, a->u + dir * 3 * h * h,
             3 * (int)h, 0, s, 3 * (int)h, &e);
}

static void pack_weights(struct gru *a, size_t rows)
{
    size_t h = a->h, each = gemm_packed_floats((int)h, 3 * (int)h);
    if (rows < PACK_ROWS) {
        a->packed = NULL;
        return;
    }
    for (size_t d = 0; d < a->dirs; d++)
        gemm_pack(false, (int)h, 3 * (int)h, a->u + d * 3 * h * h, 3 * (int)h, a->packed + d * each);
}

static void first_states(const struct gru *a, size_t dir, size_t rows, float *s)
{
    for (size_t b = 0; b < rows; b++)
        memcpy(s + b * 3 * a->h, a->c + dir * 3 * a->h, 3 * a->h * sizeof(*s));
}

static void forward_task(void *ctx, int chunk, int worker)
{
    const struct gru *a = ctx;
    struct task k = task_of(a, chunk);
    size_t h = a->h, stride = a->t * a->dirs * h;
    float *s = a->work + a->work_floats * (size_t)worker, *z = s + ROWS * 3 * h, *r = z + h, *fresh = r + h;
    for (size_t i = 0; i < a->t; i++) {
        size_t t = when(a, k.dir, i), last = i ? when(a, k.dir, i - 1) : 0;
        const float *before = i ? a->out + state_at(a, k.dir, k.row, last) : NULL;
        if (before)
            recur(a, k.dir, before, stride, k.rows, s);
        else
            first_states(a, k.dir, k.rows, s);
        for (size_t b = 0; b < k.rows; b++) {
            size_t at = state_at(a, k.dir, k.row + b, t);
            gates(a->xw + 3 * at, s + b * 3 * h, h, z, r, fresh);
            mix_states(a->out + at, z, fresh, before ? before + b * stride : NULL, h);
        }
    }
}

static size_t packed_bytes(const struct gru *a)
{
    return a->dirs * gemm_packed_floats((int)a->h, 3 * (int)a->h) * sizeof(float);
}

size_t w_gru(const struct node *n, int threads)
{
    struct gru a = sizes_of(n, 0);
    return packed_bytes(&a) + (size_t)threads * (ROWS * 3 + 3) * a.h * sizeof(float);
}

void k_gru(const struct step *s, struct pool *pool)
{
    struct gru a = gru_of(s, 0);
    a.packed = s->work;
    a.work = (float *)s->work + packed_bytes(&a) / sizeof(float);
    a.work_floats = (ROWS * 3 + 3) * a.h;
    pack_weights(&a, a.n);
    pool_run(pool, (int)(blocks_of(&a) * a.dirs), forward_task, &a);
}

/* ---- the derivative: out [N,T,D,4H] holds z, r, fresh and the recurrent part of fresh, then the gradients
 * before the gates: of z, of r, of fresh by the input, of fresh by the recurrent part. ---- */

static void gates_again(const struct gru *a, size_t dir, size_t row, float *s)
{
    size_t h = a->h, stride = a->dirs * h, first = dir ? a->t - 1 : 0;
    first_states(a, dir, 1, s + first * 3 * h);
    if (a->t > 1) /* the states before steps 1.. of this direction, in order of time */
        recur(a, dir, a->y + state_at(a, dir, row, dir ? 1 : 0), stride, a->t - 1, s + (dir ? 0 : 3 * h));
    for (size_t t = 0; t < a->t; t++) {
        size_t at = state_at(a, dir, row, t);
        float *out = a->out + 4 * at;
        gates(a->xw + 3 * at, s + t * 3 * h, h, out, out + h, out + 2 * h);
        memcpy(out + 3 * h, s + t * 3 * h + 2 * h, h * sizeof(*s));
    }
}

/* dh [H] is the gradient of the new state; afterwards its direct share of that of the state before. */
SIMD static void gate_gradients(float *restrict dh, float *restrict out, const float *restrict before, size_t h)
{
    float *dz = out, *dr = out + h, *dn = out + 2 * h, *dnr = out + 3 * h;
    for (size_t i = 0; i < h; i++) {
        float z = dz[i], r = dr[i], fresh = dn[i], part = dnr[i], d = dh[i];
        float at_fresh = d * (1 - z) * (1 - fresh * fresh);
        dz[i] = d * ((before ? before[i] : 0) - fresh) * z * (1 - z);
        dr[i] = at_fresh * part * r * (1 - r);
        dn[i] = at_fresh;
        dnr[i] = at_fresh * r;
        dh[i] = d * z;
    }
}

SIMD static void accumulate(float *restrict y, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

struct back { float *s, *ds, *by_state, *dh; };   /* [T,3H], [ROWS,3H], [ROWS,H], [ROWS,H] */

static size_t back_floats(const struct gru *a)
{
    return (a->t * 3 + ROWS * 5) * a->h;
}

/* dh += ds u^T for the rows of a task. */
static void through_weights(const struct gru *a, size_t dir, size_t rows, const float *transposed, struct back *w)
{
    int h = (int)a->h;
    gemm_packed(NULL, (int)rows, h, 3 * h, w->ds, 3 * h, transposed + dir * gemm_packed_floats(3 * h, h), w->by_state, h,
                NULL);
    accumulate(w->dh, w->by_state, rows * a->h);
}

struct back_job { struct gru a; float *transposed; };

static void backward_task(void *ctx, int chunk, int worker)
{
    const struct back_job *job = ctx;
    const struct gru *a = &job->a;
    struct task k = task_of(a, chunk);
    size_t h = a->h;
    struct back w = { .s = a->work + a->work_floats * (size_t)worker };
    w.ds = w.s + a->t * 3 * h;
    w.by_state = w.ds + ROWS * 3 * h;
    w.dh = w.by_state + ROWS * h;
    for (size_t b = 0; b < k.rows; b++)
        gates_again(a, k.dir, k.row + b, w.s);
    memset(w.dh, 0, k.rows * h * sizeof(*w.dh));
    for (size_t i = a->t; i-- > 0;) {
        size_t t = when(a, k.dir, i), last = i ? when(a, k.dir, i - 1) : 0;
        for (size_t b = 0; b < k.rows; b++) {
            size_t at = state_at(a, k.dir, k.row + b, t);
            float *out = a->out + 4 * at;
            accumulate(w.dh + b * h, a->g + at, h);
            gate_gradients(w.dh + b * h, out, i ? a->y + state_at(a, k.dir, k.row + b, last) : NULL, h);
            memcpy(w.ds + b * 3 * h, out, 2 * h * sizeof(*out));
            memcpy(w.ds + b * 3 * h + 2 * h, out + 3 * h, h * sizeof(*out));
        }
        if (i)
            through_weights(a, k.dir, k.rows, job->transposed, &w);
    }
}

static size_t transposed_bytes(const struct gru *a)
{
    return a->dirs * gemm_packed_floats(3 * (int)a->h, (int)a->h) * sizeof(float);
}

size_t w_gru_dx(const struct node *n, int threads)
{
    struct gru a = sizes_of(n, 1);
    return packed_bytes(&a) + transposed_bytes(&a) + (size_t)threads * back_floats(&a) * sizeof(float);
}

void k_gru_dx(const struct step *s, struct pool *pool)
{
    struct back_job job = { .a = gru_of(s, 1), .transposed = s->work };
    struct gru *a = &job.a;
    int h = (int)a->h;
    a->g = s->in[0];
    a->y = s->in[4];
    a->packed = job.transposed + transposed_bytes(a) / sizeof(float);
    a->work = a->packed + packed_bytes(a) / sizeof(float);
    a->work_floats = back_floats(a);
    pack_weights(a, a->t - 1);
    for (size_t d = 0; d < a->dirs; d++)
        gemm_pack(true, 3 * h, h, a->u + d * 3 * a->h * a->h, 3 * h, job.transposed + d * gemm_packed_floats(3 * h, h));
    pool_run(pool, (int)(blocks_of(a) * a->dirs), backward_task, &job);
}
