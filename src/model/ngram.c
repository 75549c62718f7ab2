/* ngram.c: counts of symbols by hash, of a context with a symbol and of a context alone; see ngram.h. */
#include "ngram.h"
#include <stdlib.h>
#include "err.h"
#include "mem.h"
#include "rng.h"

enum { BITS = 24, TRIES = 64 };

struct cell { uint32_t print, n, kinds; };   /* kinds: of a context, its different followers */
struct ngram { int orders; struct cell *cell; };

struct ngram *ngram_new(int orders)
{
    struct ngram *g = xcalloc(1, sizeof *g);
    g->orders = orders;
    g->cell = xcalloc((size_t)1 << BITS, sizeof *g->cell);
    return g;
}

void ngram_free(struct ngram *g)
{
    if (g)
        free(g->cell);
    free(g);
}

static struct cell *find(const struct ngram *g, uint64_t hash, bool add)
{
    uint32_t print = (uint32_t)(hash >> 32) | 1;
    size_t mask = ((size_t)1 << BITS) - 1, at = hash & mask;
    for (int i = 0; i < TRIES; i++, at = (at + 1) & mask) {
        struct cell *c = &g->cell[at];
        if (c->print == print)
            return c;
        if (c->print == 0) {
            c->print = add ? print : 0;
            return add ? c : NULL;
        }
    }
    return NULL; /* full here: as if never seen */
}

static uint64_t context_hash(const uint16_t *at, int n)
{
    uint64_t h = 0x51ed270b;
    for (int i = 1; i <= n; i++)
        h = rng_hash(h, at[-i]);
    return rng_hash(h, (uint64_t)n);
}

static uint64_t joint_hash(uint64_t context, uint16_t symbol)
{
    return rng_hash(context, 1000u + symbol);
}

void ngram_learn(struct ngram *g, const uint16_t *at, int history)
{
    for (int n = 0; n < g->orders && n <= history; n++) {
        uint64_t h = context_hash(at, n);
        struct cell *context = find(g, h, true), *joint = find(g, joint_hash(h, *at), true);
        if (!context || !joint)
            continue;
        context->n++;
        context->kinds += joint->n == 0;
        joint->n++;
    }
}

double ngram_probability(const struct ngram *g, const uint16_t *at, int history, int kinds)
{
    double p = 1.0 / kinds;
    for (int n = 0; n < g->orders && n <= history; n++) {
        uint64_t h = context_hash(at, n);
        const struct cell *context = find(g, h, false), *joint = find(g, joint_hash(h, *at), false);
        if (!context || context->n == 0)
            break;
        p = ((joint ? joint->n : 0) + context->kinds * p) / (double)(context->n + context->kinds);
    }
    return p;
}
