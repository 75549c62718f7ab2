/* piano_ngram.c: n-grams over the predictions of the pianist in their order: position or end, pitch, length. */
#include <math.h>
#include <stdlib.h>
#include "mem.h"
#include "ngram.h"
#include "piano_work.h"
#include "piano_yardsticks.h"

enum { ORDERS = 6, PIECES_EACH = 60, CAP = 1 << 16 };

static const struct { int base, size; } heads[N_PIANO_OUT] = { { 0, PIANO_POS_OUT }, { 32, PIANO_KEYS }, { 128, PIANO_DUR } };

/* The symbols of a window, with the head each belongs to. */
static int symbols(const struct piano_step *steps, int n, uint16_t *out, uint8_t *head)
{
    int m = 0;
    for (int i = 0; i < n; i++)
        for (int h = 0; h < N_PIANO_OUT; h++)
            if (steps[i].out[h] >= 0) {
                head[m] = (uint8_t)h;
                out[m++] = (uint16_t)(heads[h].base + steps[i].out[h]);
            }
    return m;
}

static void learn_work(struct ngram *g, const struct work *k, struct piano_step *steps, uint16_t *symbol, uint8_t *head)
{
    struct piano_piece p;
    piano_piece_of_work(k, &p);
    int m = symbols(steps, piano_steps(&p, 0, key_home(key_of_work(k)), 0, steps, CAP), symbol, head);
    for (int i = 0; i < m; i++)
        ngram_learn(g, symbol + i, i);
    piano_piece_fini(&p);
}

struct ngram *piano_ngram_new(const struct works *w)
{
    struct ngram *g = ngram_new(ORDERS);
    int *seen = xcalloc(works_n_composers(w) + 1, sizeof *seen);
    struct piano_step *steps = xcalloc(CAP, sizeof *steps);
    uint16_t *symbol = xcalloc(CAP, N_PIANO_OUT * sizeof *symbol);
    uint8_t *head = xcalloc(CAP, N_PIANO_OUT);
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

double piano_ngram_nats(const struct ngram *g, const struct piano_step *steps, int n)
{
    uint16_t *symbol = xcalloc((size_t)n, N_PIANO_OUT * sizeof *symbol);
    uint8_t *head = xcalloc((size_t)n, N_PIANO_OUT);
    int m = symbols(steps, n, symbol, head);
    double nats = 0;
    for (int i = 0; i < m; i++)
        nats -= log(ngram_probability(g, symbol + i, i, heads[head[i]].size));
    free(symbol);
    free(head);
    return nats;
}
