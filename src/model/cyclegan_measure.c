/* cyclegan_measure.c: what a pair of generators does to music it has not learnt from: whether the judge takes it for
 * the other genre, whether it comes back, and what of the music is still there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cyclegan_row.h"
#include "mem.h"
#include "theory.h"

enum { PARTNERS = 16 };   /* others each grid is compared with */

/* n grids of one side: as they were, in the other genre, and back. */
struct trip { int n; uint8_t *before, *there, *back; };

static uint8_t *grid_at(uint8_t *grids, int i)
{
    return grids + (size_t)i * GRID_CELLS;
}

static enum err transfer(struct cyclegan *c, uint8_t *from, int n, int side, uint8_t *to, const atomic_bool *cancel)
{
    float *p = xcalloc((size_t)n * GRID_CELLS, sizeof *p);
    enum err err = cyclegan_run(c, from, n, side, p, cancel);
    for (int i = 0; i < n && err == ERR_OK; i++)
        grid_of_probabilities(p + (size_t)i * GRID_CELLS, grid_at(to, i));
    free(p);
    return err;
}

static enum err travel(struct cyclegan *c, const struct dataset *d, bool held_out, int side, const atomic_bool *cancel,
                       struct trip *t)
{
    struct grid_set set = { 0 };
    size_t bytes = (size_t)t->n * GRID_CELLS;
    enum err err = ERR_OK;
    t->before = xcalloc(bytes, 1);
    t->there = xcalloc(bytes, 1);
    t->back = xcalloc(bytes, 1);
    TRY_OUT(grid_set_init(&set, d, c->genre[side], held_out));
    if (set.n == 0)
        TRY_OUT(err_set(ERR_EMPTY, "the data has no %s phrases of %s", held_out ? "held-out" : "training", c->genre[side]));
    for (int i = 0; i < t->n; i++)
        grid_set_at(&set, i, t->n, grid_at(t->before, i));
    TRY_OUT(transfer(c, t->before, t->n, side, t->there, cancel));
    TRY_OUT(transfer(c, t->there, t->n, !side, t->back, cancel));
out:
    grid_set_fini(&set);
    return err;
}

static void trip_fini(struct trip *t)
{
    free(t->before);
    free(t->there);
    free(t->back);
}

/* Share of the grids that the judge takes for genre a, if it is a or b. */
static enum err taken_for(struct judge *j, const uint8_t *grids, int n, int a, int b, double *share)
{
    float *p = xcalloc((size_t)n, sizeof *p);
    enum err err = judge_pair(j, grids, n, a, b, p);
    *share = 0;
    for (int i = 0; i < n && err == ERR_OK; i++)
        *share += (p[i] >= 0.5f) / (double)n;
    free(p);
    return err;
}

/* Notes begin where their pitch was silent a step before. */
static void count_notes(const uint8_t *before, const uint8_t *there, long *notes, long *kept)
{
    for (int i = 0; i < GRID_CELLS; i++) {
        bool starts = before[i] && (i < GRID_PITCHES || !before[i - GRID_PITCHES]);
        *notes += starts;
        *kept += starts && there[i];
    }
}

static struct key key_of(const uint8_t *grid)
{
    double profile[12] = { 0 };
    for (int i = 0; i < GRID_CELLS; i++)
        profile_add(profile, GRID_LOW + i % GRID_PITCHES, grid[i]);
    return key_estimate(profile, NULL);
}

static double mean_apart(uint8_t *grids, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (int k = 1; k <= PARTNERS; k++)
            sum += grid_difference(grid_at(grids, i), grid_at(grids, (int)((i + 1 + (long)n * k / (PARTNERS + 1)) % n)));
    return n > 0 ? sum / n / PARTNERS : 0;
}

static double share_of(long a, long b)
{
    return b > 0 ? (double)a / (double)b : 0;
}

static void look(struct trip *t, struct cyclegan_score *s, int side)
{
    long both = 0, before = 0, there = 0, back = 0, notes = 0, kept = 0, key = 0, silent = 0;
    for (int i = 0; i < t->n; i++) {
        const uint8_t *x = grid_at(t->before, i), *y = grid_at(t->there, i), *z = grid_at(t->back, i);
        for (int k = 0; k < GRID_CELLS; k++)
            both += x[k] & z[k];
        before += grid_sounding(x);
        there += grid_sounding(y);
        back += grid_sounding(z);
        silent += grid_sounding(y) == 0;
        key += grid_sounding(y) > 0 && key_scale(key_of(x)) == key_scale(key_of(y));
        count_notes(x, y, &notes, &kept);
    }
    s->side[side].back_f1 = share_of(2 * both, before + back);
    s->side[side].kept = share_of(kept, notes);
    s->side[side].key = share_of(key, t->n);
    s->side[side].silent = share_of(silent, t->n);
    s->side[side].density = share_of(there, (long)t->n * GRID_CELLS);
    s->side[!side].density_target = share_of(before, (long)t->n * GRID_CELLS);
    s->side[side].apart = mean_apart(t->there, t->n);
    s->side[side].apart_before = mean_apart(t->before, t->n);
}

static enum err ask(struct judge *j, const struct cyclegan *c, const struct trip *t, struct cyclegan_score *s, int side)
{
    s->side[side].before = s->side[side].there = s->side[side].back = NAN;
    if (!j)
        return ERR_OK;
    int own = judge_find(j, c->genre[side]), other = judge_find(j, c->genre[!side]);
    if (own < 0 || other < 0)
        return err_set(ERR_MISSING, "the judge does not know %s", c->genre[own < 0 ? side : !side]);
    TRY(taken_for(j, t->before, t->n, own, other, &s->side[side].before));
    TRY(taken_for(j, t->there, t->n, own, other, &s->side[side].there));
    return taken_for(j, t->back, t->n, own, other, &s->side[side].back);
}

enum err cyclegan_measure(struct cyclegan *c, struct judge *j, const struct dataset *d, bool held_out, int n,
                          const atomic_bool *cancel, struct cyclegan_score *out)
{
    struct cyclegan_score s;
    enum err err = ERR_OK;
    for (int side = 0; side < 2 && err == ERR_OK; side++) {
        struct trip t = { .n = n };
        err = travel(c, d, held_out, side, cancel, &t);
        if (err == ERR_OK)
            look(&t, &s, side);
        if (err == ERR_OK)
            err = ask(j, c, &t, &s, side);
        trip_fini(&t);
    }
    if (err == ERR_OK)
        *out = s;
    return err;
}

/* How much less it is taken for what it was, there than before and than back; the mean of both directions. */
double cyclegan_strength(const struct cyclegan_score *s)
{
    double sum = 0;
    for (int side = 0; side < 2; side++)
        sum += (s->side[side].before - s->side[side].there + s->side[side].back - s->side[side].there) / 4;
    return sum;
}

double cyclegan_score_collapse(const struct cyclegan_score *s)
{
    double worst = 0;
    for (int side = 0; side < 2; side++) {
        double before = s->side[side].apart_before;
        worst = fmax(worst, cyclegan_unlike(s->side[side].density, s->side[side].density_target));
        worst = fmax(worst, before > 0 ? 1 - fmin(1, s->side[side].apart / before) : 0);
        worst = fmax(worst, 1 - fmin(1, 2 * s->side[side].key)); /* critics do not mind when all of it moves to another key */
    }
    return worst;
}
