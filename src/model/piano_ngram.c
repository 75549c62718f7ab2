/* piano_ngram.c: a yardstick for the pianist: what a good count of the last few symbols would predict. The symbols
 * are the network's own predictions in their order: position or end, pitch, length. Witten-Bell interpolation
 * from the longest context down to even odds. */
#include <math.h>
#include <stdlib.h>
#include "mem.h"
#include "piano_data.h"
#include "piano_yardsticks.h"
#include "rng.h"

enum { ORDERS = 6, BITS = 24, PIECES_EACH = 60, CAP = 1 << 16 };

/* Counts by hash: of a context with a symbol, and of a context alone with its different followers. */
struct cell { uint32_t print, n, kinds; };
struct ngram { struct cell *cell; };

static const struct { int base, size; } heads[N_PIANO_OUT] = { { 0, PIANO_POS_OUT }, { 32, PIANO_KEYS }, { 128, PIANO_DUR } };

static struct cell *find(const struct ngram *g, uint64_t hash, bool add)
{
    uint32_t print = (uint32_t)(hash >> 32) | 1;
    size_t mask = ((size_t)1 << BITS) - 1, at = hash & mask;
    for (int i = 0; i < 64; i++, at = (at + 1) & mask) {
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

static uint64_t context_hash(const uint8_t *at, int n)
{
    uint64_t h = 0x51ed270b;
    for (int i = 1; i <= n; i++)
        h = rng_hash(h, at[-i]);
    return rng_hash(h, (uint64_t)n);
}

static void learn(struct ngram *g, const uint8_t *at, int history)
{
    for (int n = 0; n < ORDERS && n <= history; n++) {
        uint64_t h = context_hash(at, n);
        struct cell *context = find(g, h, true), *joint = find(g, rng_hash(h, 1000u + *at), true);
        if (!context || !joint)
            continue;
        context->n++;
        context->kinds += joint->n == 0;
        joint->n++;
    }
}

static double probability(const struct ngram *g, const uint8_t *at, int history, int head_size)
{
    double p = 1.0 / head_size;
    for (int n = 0; n < ORDERS && n <= history; n++) {
        uint64_t h = context_hash(at, n);
        const struct cell *context = find(g, h, false), *joint = find(g, rng_hash(h, 1000u + *at), false);
        if (!context || context->n == 0)
            break;
        p = ((joint ? joint->n : 0) + context->kinds * p) / (double)(context->n + context->kinds);
    }
    return p;
}

/* The symbols of a window, with the head each belongs to. */
static int symbols(const struct piano_step *steps, int n, uint8_t *out, uint8_t *head)
{
    int m = 0;
    for (int i = 0; i < n; i++)
        for (int h = 0; h < N_PIANO_OUT; h++)
            if (steps[i].out[h] >= 0) {
                head[m] = (uint8_t)h;
                out[m++] = (uint8_t)(heads[h].base + steps[i].out[h]);
            }
    return m;
}

static void learn_work(struct ngram *g, const struct work *k, struct piano_step *steps, uint8_t *symbol, uint8_t *head)
{
    struct piano_piece p;
    piano_piece_of_work(k, &p);
    int m = symbols(steps, piano_steps(&p, 0, key_home(key_of_work(k)), 0, steps, CAP), symbol, head);
    for (int i = 0; i < m; i++)
        learn(g, symbol + i, i);
    piano_piece_fini(&p);
}

struct ngram *ngram_new(const struct works *w)
{
    struct ngram *g = xcalloc(1, sizeof *g);
    int *seen = xcalloc(works_n_composers(w) + 1, sizeof *seen);
    struct piano_step *steps = xcalloc(CAP, sizeof *steps);
    uint8_t *symbol = xcalloc(CAP, N_PIANO_OUT), *head = xcalloc(CAP, N_PIANO_OUT);
    g->cell = xcalloc((size_t)1 << BITS, sizeof *g->cell);
    for (size_t i = 0; i < works_n(w); i++) {
        struct work k = works_get(w, i);
        size_t c = k.composer == WORK_UNKNOWN ? works_n_composers(w) : k.composer;
        if (!k.held_out && seen[c]++ < PIECES_EACH * k.editions) /* many editions of one piece teach little */
            learn_work(g, &k, steps, symbol, head);
    }
    free(seen);
    free(steps);
    free(symbol);
    free(head);
    return g;
}

void ngram_free(struct ngram *g)
{
    if (g)
        free(g->cell);
    free(g);
}

double ngram_nats(const struct ngram *g, const struct piano_step *steps, int n)
{
    uint8_t *symbol = xcalloc((size_t)n, N_PIANO_OUT), *head = xcalloc((size_t)n, N_PIANO_OUT);
    int m = symbols(steps, n, symbol, head);
    double nats = 0;
    for (int i = 0; i < m; i++)
        nats -= log(probability(g, symbol + i, i, heads[head[i]].size));
    free(symbol);
    free(head);
    return nats;
}
