/* train_curve.h: curves of a run as it goes, kept short however long it lasts, and drawn with characters. */
#pragma once
#include "str.h"

enum { CURVE_POINTS = 256 };
/* Zero-initialise but for name and aim. Means of equal runs of values: when the points are full, pairs become one. */
struct curve {
    const char *name;
    double aim;          /* what the data has; NaN = nothing to compare with */
    double at[CURVE_POINTS];
    int n;
    long every;          /* values a point; 0 = 1 */
    double sum, last;
    long n_sum;
};
void curve_add(struct curve *c, double value);   /* what is not finite is left out */
/* Two lines each: the curve `width` columns wide, beside it its last value and its range, or what the data has. */
void curves_draw(const struct curve *c, int n, int width, bool ascii, struct str *out);
