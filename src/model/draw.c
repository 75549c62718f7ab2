/* draw.c: one draw from a row of logits; see draw.h. */
#include "draw.h"
#include <math.h>
#include <stdlib.h>
#include "err.h"

struct candidate { float p; int index; };

/* Likeliest first; ties by index, so that the order never depends on the sort. */
static int by_mass(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return x->p < y->p ? 1 : x->p > y->p ? -1 : x->index - y->index;
}

int draw_index(const float *logits, const bool *legal, int n, const struct draw_opts *o, struct rng *r)
{
    struct candidate c[DRAW_MAX];
    int m = 0, best = -1;
    BUG_ON(n > DRAW_MAX);
    for (int i = 0; i < n; i++)
        if ((!legal || legal[i]) && (best < 0 || logits[i] > logits[best]))
            best = i;
    BUG_ON(best < 0);
    if (o->temperature < 1e-3)
        return best;
    for (int i = 0; i < n; i++)
        if (!legal || legal[i])
            c[m++] = (struct candidate){ expf((logits[i] - logits[best]) / (float)o->temperature), i };
    qsort(c, (size_t)m, sizeof *c, by_mass);
    if (o->top_k > 0 && o->top_k < m)
        m = o->top_k;
    double total = 0, mass = 0;
    for (int i = 0; i < m; i++)
        total += c[i].p;
    double want = o->top_p * total;
    int kept = 0;
    while (kept < m && (kept == 0 || mass < want))
        mass += c[kept++].p;
    double left = rng_uniform(r) * mass;
    for (int i = 0; i < kept; i++) {
        left -= c[i].p;
        if (left < 0)
            return c[i].index;
    }
    return c[kept - 1].index;
}
