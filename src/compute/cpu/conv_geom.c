/* conv_geom.c: index arithmetic of convolutions, and the cases in which there is none. */
#include "conv_geom.h"

int conv_rows(const struct conv_shape *s)
{
    return s->n * s->out[0] * s->out[1] * s->out[2];
}

int conv_columns(const struct conv_shape *s)
{
    return s->geom.kernel[0] * s->geom.kernel[1] * s->geom.kernel[2] * s->cin;
}

size_t conv_size_x(const struct conv_shape *s)
{
    return (size_t)s->n * s->in[0] * s->in[1] * s->in[2] * s->cin;
}

static bool padded(const struct geom *g)
{
    for (int a = 0; a < 3; a++)
        if (g->lo[a] != 0 || g->hi[a] != 0)
            return true;
    return false;
}

static bool patch_contiguous(const struct conv_shape *s)
{
    const int32_t *k = s->geom.kernel;
    int outer = 0; /* the first axis the kernel extends along */
    while (outer < 2 && k[outer] == 1)
        outer++;
    for (int a = outer + 1; a < 3; a++)
        if (k[a] != s->in[a])
            return false;
    return true;
}

bool conv_plain(const struct conv_shape *s, ptrdiff_t *ld)
{
    if (padded(&s->geom) || !patch_contiguous(s))
        return false;
    const int32_t *stride = s->geom.stride;
    const int count[4] = {s->n, s->out[0], s->out[1], s->out[2]};
    ptrdiff_t step[4];
    step[3] = (ptrdiff_t)stride[2] * s->cin;
    step[2] = (ptrdiff_t)stride[1] * s->in[2] * s->cin;
    step[1] = (ptrdiff_t)stride[0] * s->in[1] * s->in[2] * s->cin;
    step[0] = (ptrdiff_t)s->in[0] * s->in[1] * s->in[2] * s->cin;
    *ld = 0;
    ptrdiff_t next = 0; /* the step that continues the rows seen so far */
    for (int a = 3; a >= 0; a--) {
        if (count[a] == 1)
            continue;
        if (*ld == 0)
            *ld = step[a];
        else if (step[a] != next)
            return false;
        next = step[a] * count[a];
    }
    if (*ld == 0)
        *ld = conv_columns(s);
    return true;
}

bool conv_disjoint(const struct conv_shape *s)
{
    for (int a = 0; a < 3; a++)
        if (s->out[a] > 1 && s->geom.stride[a] < s->geom.kernel[a])
            return false;
    return true;
}

bool conv_covers(const struct conv_shape *s)
{
    for (int a = 0; a < 3; a++) {
        if (s->out[a] > 1 && s->geom.stride[a] > s->geom.kernel[a])
            return false;
        const int end = (s->out[a] - 1) * s->geom.stride[a] + s->geom.kernel[a] - s->geom.lo[a];
        if (s->geom.lo[a] < 0 || end < s->in[a])
            return false;
    }
    return true;
}

struct conv_walk conv_walk_at(const struct conv_shape *s, int row)
{
    struct conv_walk w = {.s = s};
    for (int a = 2; a >= 0; a--) {
        w.o[a] = row % s->out[a];
        row /= s->out[a];
    }
    w.n = row;
    return w;
}

void conv_walk_next(struct conv_walk *w)
{
    for (int a = 2; a >= 0; a--) {
        if (++w->o[a] < w->s->out[a])
            return;
        w->o[a] = 0;
    }
    w->n++;
}

bool conv_line(const struct conv_walk *w, int k1, int k2, struct conv_line *line)
{
    const struct conv_shape *s = w->s;
    const struct geom *g = &s->geom;
    const int i1 = w->o[0] * g->stride[0] + k1 - g->lo[0];
    const int i2 = w->o[1] * g->stride[1] + k2 - g->lo[1];
    const int i3 = w->o[2] * g->stride[2] - g->lo[2];
    if (i1 < 0 || i1 >= s->in[0] || i2 < 0 || i2 >= s->in[1] || i3 >= s->in[2] || i3 + g->kernel[2] <= 0)
        return false;
    const int after = i3 + g->kernel[2] - s->in[2];
    line->at = ((((ptrdiff_t)w->n * s->in[0] + i1) * s->in[1] + i2) * s->in[2] + i3) * s->cin;
    line->from = i3 < 0 ? -i3 * s->cin : 0;
    line->to = (g->kernel[2] - (after > 0 ? after : 0)) * s->cin;
    return true;
}

struct conv_span conv_inside(const struct conv_shape *s, int k3, int length, int o, int rows)
{
    const int stride = s->geom.stride[2], start = k3 - s->geom.lo[2], room = s->in[2] - length - start;
    int from = start < 0 ? (-start + stride - 1) / stride - o : 0;
    int to = room < 0 ? 0 : room / stride + 1 - o;
    from = from < 0 ? 0 : from > rows ? rows : from;
    to = to > rows ? rows : to < from ? from : to;
    return (struct conv_span){from, to};
}
