/* train_curve.c: see train_curve.h. */
#include "train_curve.h"
#include <math.h>

enum { LEVELS = 8 };

static void halve(struct curve *c)
{
    for (int i = 0; i < CURVE_POINTS / 2; i++)
        c->at[i] = (c->at[2 * i] + c->at[2 * i + 1]) / 2;
    c->n = CURVE_POINTS / 2;
    c->every *= 2;
}

void curve_add(struct curve *c, double value)
{
    if (!isfinite(value))
        return;
    c->every = c->every ? c->every : 1;
    c->last = value;
    c->sum += value;
    if (++c->n_sum < c->every)
        return;
    if (c->n == CURVE_POINTS)
        halve(c);
    if (c->n_sum < c->every)
        return;
    c->at[c->n++] = c->sum / (double)c->n_sum;
    c->sum = 0;
    c->n_sum = 0;
}

/* Mean of the points that fall into a column, or the point there when there are fewer points than columns. */
static double column(const struct curve *c, int x, int width)
{
    int shown = c->n < width ? c->n : width, from = x * c->n / shown, to = (x + 1) * c->n / shown;
    double sum = 0;
    for (int i = from; i < to; i++)
        sum += c->at[i];
    return sum / (to - from);
}

static void range(const struct curve *c, double *lo, double *hi)
{
    *lo = *hi = isnan(c->aim) ? c->at[0] : c->aim;
    for (int i = 0; i < c->n; i++) {
        *lo = fmin(*lo, c->at[i]);
        *hi = fmax(*hi, c->at[i]);
    }
}

/* One of the two lines of a curve. The lowest point still shows as the lowest level. */
static void put_line(const struct curve *c, bool upper, int width, bool ascii, double lo, double hi, struct str *out)
{
    static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    static const char *const marks[] = { " ", "_", "_", ".", "-", "=", "+", "*", "#" };
    int shown = c->n < width ? c->n : width;
    for (int x = 0; x < width; x++) {
        int level = 0;
        if (x < shown) {
            double share = hi > lo ? (column(c, x, width) - lo) / (hi - lo) : 0;
            level = 1 + (int)lround(share * (2 * LEVELS - 1));
            level = upper ? level - LEVELS : level;
            level = level < 0 ? 0 : level > LEVELS ? LEVELS : level;
        }
        str_add(out, (ascii ? marks : blocks)[level]);
    }
}

void curves_draw(const struct curve *c, int n, int width, bool ascii, struct str *out)
{
    for (int i = 0; i < n; i++) {
        double lo = 0, hi = 0;
        if (c[i].n > 0)
            range(&c[i], &lo, &hi);
        str_addf(out, "%-11.11s", c[i].name);
        put_line(&c[i], true, width, ascii, lo, hi, out);
        if (c[i].n > 0)
            str_addf(out, " %.4g", c[i].last);
        str_addf(out, "\n%-11s", "");
        put_line(&c[i], false, width, ascii, lo, hi, out);
        if (c[i].n > 0 && isnan(c[i].aim))
            str_addf(out, " %.4g .. %.4g", lo, hi);
        else if (!isnan(c[i].aim))
            str_addf(out, " data %.4g", c[i].aim);
        str_addc(out, '\n');
    }
}
