/* conv_geom.h: how a convolution looks as a matrix. Row = one output position, column = one (tap, channel)
 * of its patch of x. Private to conv*.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "conv.h"

int conv_rows(const struct conv_shape *s);    /* n * out */
int conv_columns(const struct conv_shape *s); /* kernel * cin */
size_t conv_size_x(const struct conv_shape *s);

/* True when the patch matrix is x itself with rows *ld apart: kernel equal to stride on the innermost used
 * axis, 1 x 1 kernels, kernels that cover whole axes. Then a convolution is a plain product. */
bool conv_plain(const struct conv_shape *s, ptrdiff_t *ld);
/* No two patches share an element of x. */
bool conv_disjoint(const struct conv_shape *s);
/* Every element of x lies in some patch (given disjoint patches). */
bool conv_covers(const struct conv_shape *s);

/* Walks output positions in order. */
struct conv_walk { const struct conv_shape *s; int n, o[3]; };
struct conv_walk conv_walk_at(const struct conv_shape *s, int row);
void conv_walk_next(struct conv_walk *w);

/* One line of a patch: kernel[2] * cin consecutive columns, of which [from, to) lie inside the image at x
 * + at (at belongs to column 0 and may be negative). False when the whole line lies outside. */
struct conv_line { ptrdiff_t at; int from, to; };
bool conv_line(const struct conv_walk *w, int k1, int k2, struct conv_line *line);

/* Of the `rows` outputs from o on along the innermost axis, those [from, to) whose taps [k3, k3 + length)
 * all lie inside the image, counted from o. */
struct conv_span { int from, to; };
struct conv_span conv_inside(const struct conv_shape *s, int k3, int length, int o, int rows);
