/* cyclegan_guard.c: notices when a generator has collapsed: when it paints silence, a blot, or the same picture
 * whatever it is shown. */
#include <math.h>
#include "cyclegan_row.h"

static const double FORGET = 0.1;

static void follow(double *mean, double value, long seen)
{
    double share = fmax(FORGET, 1.0 / (double)(seen + 1));
    *mean += share * (value - *mean);
}

static double sounding(const uint8_t *grids, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += grid_sounding(grids + (size_t)i * GRID_CELLS);
    return sum / n;
}

/* Between neighbours. */
static double apart(const uint8_t *grids, int n)
{
    double sum = 0;
    for (int i = 1; i < n; i++)
        sum += grid_difference(grids + (size_t)(i - 1) * GRID_CELLS, grids + (size_t)i * GRID_CELLS);
    return sum / (n - 1);
}

void cyclegan_guard_see(struct cyclegan_guard *g, int side, int n, const uint8_t *made, const uint8_t *from,
                        const uint8_t *real)
{
    struct cyclegan_watch *w = &g->side[side];
    follow(&w->made, sounding(made, n), g->seen);
    follow(&w->real, sounding(real, n), g->seen);
    follow(&w->made_apart, apart(made, n), g->seen);
    follow(&w->real_apart, apart(from, n), g->seen);
    g->seen += side == 1;
}

double cyclegan_unlike(double a, double b)
{
    double most = fmax(a, b);
    return most > 0 ? 1 - fmin(a, b) / most : 0;
}

double cyclegan_collapse(const struct cyclegan_guard *g)
{
    double worst = 0;
    for (int s = 0; s < 2; s++) {
        const struct cyclegan_watch *w = &g->side[s];
        worst = fmax(worst, cyclegan_unlike(w->made, w->real));
        worst = fmax(worst, w->real_apart > 0 ? 1 - fmin(1, w->made_apart / w->real_apart) : 0);
    }
    return worst;
}
