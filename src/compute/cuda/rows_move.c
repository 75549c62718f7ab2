/* rows_move.c: the functions behind the rows of movement and random numbers. */
#include "cuda.h"
#include "rows.h"

void k_fill(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_fill(s->out, s->node->attr.fill.value, node_count(s->node));
}

/* ------------------------------------------------------------------ strided copies */

static void input_strides(struct shape s, int64_t *stride)
{
    int64_t step = 1;
    for (int i = s.rank; i-- > 0; step *= s.dim[i])
        stride[i] = step;
}

static struct cu_strided walk_of(struct shape out)
{
    _Static_assert((int)CU_RANK == (int)MAX_RANK, "one rank");
    struct cu_strided w = { .rank = out.rank };
    for (int i = 0; i < out.rank; i++)
        w.dim[i] = (uint32_t)out.dim[i];
    return w;
}

void k_expand(const struct step *s, struct pool *pool)
{
    (void)pool;
    struct cu_strided w = walk_of(s->node->shape);
    struct shape from = s->node->in[0]->shape;
    input_strides(from, w.stride);
    for (int i = 0; i < w.rank; i++)
        if (from.dim[i] == 1)
            w.stride[i] = 0;
    cu_walk(s->in[0], s->out, w);
}

void k_permute(const struct step *s, struct pool *pool)
{
    (void)pool;
    struct cu_strided w = walk_of(s->node->shape);
    int64_t stride[MAX_RANK];
    input_strides(s->node->in[0]->shape, stride);
    for (int i = 0; i < w.rank; i++)
        w.stride[i] = stride[s->node->attr.order[i]];
    cu_walk(s->in[0], s->out, w);
}

/* ------------------------------------------------------------------ windows of one axis */

/* [outer, from, inner] of `in` along an axis whose length in the output is `to`. */
static struct cu_window window_along(struct shape in, int axis, int32_t to, int32_t before)
{
    uint32_t outer = 1, inner = 1; /* not by span_of: an axis of size 1 is none to it */
    for (int i = 0; i < axis; i++)
        outer *= (uint32_t)in.dim[i];
    for (int i = axis + 1; i < in.rank; i++)
        inner *= (uint32_t)in.dim[i];
    return (struct cu_window){ outer, (uint32_t)in.dim[axis], (uint32_t)to, inner, before };
}

static struct cu_window window_of(const struct node *n)
{
    int axis = n->attr.window.axis;
    return window_along(n->in[0]->shape, axis, n->shape.dim[axis], n->attr.window.a);
}

void k_slice(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_slice(s->in[0], s->out, window_of(s->node));
}

void k_pad(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_pad(s->in[0], s->out, window_of(s->node));
}

void k_reflect(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_reflect(s->in[0], s->out, window_of(s->node));
}

void k_unreflect(const struct step *s, struct pool *pool)
{
    (void)pool;
    cu_unreflect(s->in[0], s->out, window_of(s->node));
}

void k_concat(const struct step *s, struct pool *pool)
{
    (void)pool;
    const struct node *n = s->node;
    int axis = n->attr.axis;
    int32_t at = 0;
    for (int k = 0; k < n->n_in; k++) {
        cu_place(s->in[k], s->out, window_along(n->in[k]->shape, axis, n->shape.dim[axis], at));
        at += n->in[k]->shape.dim[axis];
    }
}

/* ------------------------------------------------------------------ tables, random numbers */

void k_gather(const struct step *s, struct pool *pool)
{
    (void)pool;
    struct shape table = s->node->in[0]->shape;
    cu_gather(s->in[0], s->in[1], s->out, (uint32_t)node_count(s->node->in[1]), (uint32_t)table.dim[0], (uint32_t)table.dim[1]);
}

void k_scatter(const struct step *s, struct pool *pool)
{
    (void)pool;
    struct shape table = s->node->shape;
    cu_scatter(s->in[0], s->in[1], s->out, (uint32_t)node_count(s->node->in[1]), (uint32_t)table.dim[0], (uint32_t)table.dim[1]);
}

void k_random(const struct step *s, struct pool *pool)
{
    (void)pool;
    const union attr *a = &s->node->attr;
    cu_random(s->in[0], a->random.stream, a->random.dist == DIST_NORMAL, s->out, node_count(s->node));
}
