/* metric_parts.h: what the metrics and their published forms share. */
#pragma once
#include "metric.h"

/* Place of a chord on the circles of fifths, minor and major thirds (Harte, Sandler, Gasser, AMCMM 2006): chroma's
 * entries sum to `all` > 0. */
void tonal_centroid(const double chroma[12], double all, double out[6]);
double tonal_distance(const double a[6], const double b[6]);
