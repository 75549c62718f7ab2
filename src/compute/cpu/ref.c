/* ref.c: products and convolutions as plain loops, for reference plans. */
#include <string.h>
#include "cpu.h"

void ref_matmul(const struct step *s, struct pool *pool)
{
    (void)pool;
    const struct node *node = s->node;
    struct shape a = node->in[0]->shape;
    bool ta = node->attr.matmul.ta, tb = node->attr.matmul.tb, shared = node->in[1]->shape.rank == 2;
    size_t n = (size_t)node->shape.dim[a.rank - 1], m = (size_t)node->shape.dim[a.rank - 2];
    size_t k = (size_t)a.dim[a.rank - 1 - ta], count = node_count(node) / (m * n);
    for (size_t c = 0; c < count; c++) {
        const float *x = (const float *)s->in[0] + c * m * k,
                    *y = (const float *)s->in[1] + (shared ? 0 : c * k * n);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++) {
                float sum = 0;
                for (size_t l = 0; l < k; l++)
                    sum += (ta ? x[l * m + i] : x[i * k + l]) * (tb ? y[j * k + l] : y[l * n + j]);
                ((float *)s->out)[(c * m + i) * n + j] = sum;
            }
    }
}

/* Every (x, w, y) triple that belongs together: offsets of one row of channels each. */
typedef void (*triple_fn)(float *x, float *w, float *y, int cin, int cout);

static void each_tap(const struct node *n, struct shape x, struct shape y, const int32_t out[4], size_t at[3],
                     float *px, float *pw, float *py, triple_fn fn)
{
    const struct geom *g = &n->attr.conv.geom;
    int32_t tap[3], in[3];
    for (tap[0] = 0; tap[0] < g->kernel[0]; tap[0]++)
        for (tap[1] = 0; tap[1] < g->kernel[1]; tap[1]++)
            for (tap[2] = 0; tap[2] < g->kernel[2]; tap[2]++) {
                bool inside = true;
                size_t xi = (size_t)out[0], wi = 0, yi = (size_t)out[0];
                for (int i = 0; i < 3; i++) {
                    in[i] = out[i + 1] * g->stride[i] + tap[i] - g->lo[i];
                    inside &= in[i] >= 0 && in[i] < x.dim[i + 1];
                    xi = xi * (size_t)x.dim[i + 1] + (size_t)in[i];
                    wi = wi * (size_t)g->kernel[i] + (size_t)tap[i];
                    yi = yi * (size_t)y.dim[i + 1] + (size_t)out[i + 1];
                }
                if (inside)
                    fn(px + xi * at[0], pw + wi * at[1], py + yi * at[2], x.dim[4], y.dim[4]);
            }
}

static void each_triple(const struct node *n, struct shape x, struct shape y, const void *px, const void *pw,
                        const void *py, triple_fn fn)
{
    size_t at[3] = { (size_t)x.dim[4], (size_t)x.dim[4] * (size_t)y.dim[4], (size_t)y.dim[4] };
    int32_t out[4];
    for (out[0] = 0; out[0] < y.dim[0]; out[0]++)
        for (out[1] = 0; out[1] < y.dim[1]; out[1]++)
            for (out[2] = 0; out[2] < y.dim[2]; out[2]++)
                for (out[3] = 0; out[3] < y.dim[3]; out[3]++)
                    each_tap(n, x, y, out, at, (float *)(uintptr_t)px, (float *)(uintptr_t)pw,
                             (float *)(uintptr_t)py, fn);
}

static void into_y(float *x, float *w, float *y, int cin, int cout)
{
    for (int i = 0; i < cin; i++)
        for (int o = 0; o < cout; o++)
            y[o] += x[i] * w[i * cout + o];
}

static void into_x(float *x, float *w, float *y, int cin, int cout)
{
    for (int i = 0; i < cin; i++)
        for (int o = 0; o < cout; o++)
            x[i] += y[o] * w[i * cout + o];
}

static void into_w(float *x, float *w, float *y, int cin, int cout)
{
    for (int i = 0; i < cin; i++)
        for (int o = 0; o < cout; o++)
            w[i * cout + o] += x[i] * y[o];
}

static void clear(const struct step *s)
{
    memset(s->out, 0, node_count(s->node) * sizeof(float));
}

void ref_conv(const struct step *s, struct pool *pool)
{
    (void)pool;
    clear(s);
    each_triple(s->node, s->node->in[0]->shape, s->node->shape, s->in[0], s->in[1], s->out, into_y);
}

void ref_conv_t(const struct step *s, struct pool *pool)
{
    (void)pool;
    clear(s);
    each_triple(s->node, s->node->shape, s->node->in[0]->shape, s->out, s->in[1], s->in[0], into_x);
}

void ref_conv_w(const struct step *s, struct pool *pool)
{
    (void)pool;
    clear(s);
    each_triple(s->node, s->node->in[0]->shape, s->node->in[1]->shape, s->in[0], s->out, s->in[1], into_w);
}
