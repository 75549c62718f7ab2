/* musegan_map.h: feature maps, and the one layer that all networks of the house are tables of.
 *
 * Nearly every convolution here has a kernel as large as its stride: a matrix product and a change of row order.
 * So a map is a matrix [rows, channels] that remembers the order of its rows, as factors of the four axes from
 * the slowest to the fastest: (N 64, B 4, T 16, P 7, T 3) are steps 3 t + dt of bars b of samples n. A transposed
 * convolution appends factors and moves nothing, a convolution wants its taps last, and rows move only when a
 * layer needs another order than the one they have.
 *
 * Weights of a convolution are [taps * in, out], of a transposed one [in, taps * out], taps in the order (bar,
 * time, pitch). */
#pragma once
#include "musegan.h"

enum axis { AXIS_N, AXIS_B, AXIS_T, AXIS_P, N_AXES };
struct factor { enum axis axis; int32_t size; };
struct fmap { struct node *x; struct factor f[16]; int n; }; /* factors of an axis: the slower the earlier */

/* Kernel sizes that follow the grid. WHOLE is the axis' length; steps of a bar = 16 TAIL = 16 TWO THREE; octaves =
 * 2 HALF + 1; PAIRS of neighbouring bars; COARSE is 2 but in a bar of 16 steps, which is short enough. */
enum { WHOLE = -1, BARS = -2, PAIRS = -3, TAIL = -4, TWO = -5, THREE = -6, HALF = -7, OCTAVES = -8, COARSE = -9 };
enum layer_flag {
    LAYER_LINEAR = 1, /* neither norm nor activation */
    LAYER_DENSE = 2,  /* a norm for each tap and channel, as a dense layer before a reshape has */
    LAYER_EXACT = 4,  /* its channels are not scaled */
};
/* One layer: channels; kernel and stride over (bar, time, pitch), stride 0 = kernel. Where stride and kernel
 * differ on an axis, all other axes' agree. */
struct layer { const char *name; int out; int8_t k[3], s[3]; unsigned flags; };
#define LAYER(name, out, bar, time, pitch) {name, out, .k = {bar, time, pitch}}
#define LAYER_BY(name, out, bar, time, pitch, ...) {name, out, .k = {bar, time, pitch}, .s = {__VA_ARGS__}}
#define LAYER_AS(which, name, out, bar, time, pitch) {name, out, .k = {bar, time, pitch}, .flags = which}
struct chain { const struct layer *rows; int n; };
#define CHAIN(table) {table, COUNT_OF(table)}

/* How the layers of a network begin, are normed and bend. */
struct style { float deviation, momentum, eps, slope; bool normed; };

struct fmap map_of(struct node *x);                       /* [N,B,T,P,C] */
struct node *map_tensor(struct fmap m);                   /* [N,B,T,P,C] */
int32_t map_size(const struct fmap *m, enum axis a);
/* The channels of all parts beside each other, in the first one's order; parts without x are passed over. */
struct fmap map_beside(const struct fmap *parts, int n);
/* The layers of a chain one after the other. join, where not NULL, holds a map for each layer (x NULL = none)
 * whose channels follow those of its input. Parameters under prefix + the row's name. */
struct fmap map_up(struct musegan_builder *b, const struct style *s, const char *prefix, struct chain c,
                   struct fmap x, const struct fmap *join);
/* Likewise by convolutions; every layer's result goes to `each` where that is not NULL. */
struct fmap map_down(struct musegan_builder *b, const struct style *s, const char *prefix, struct chain c,
                     struct fmap x, struct fmap *each);
/* A layer of kernel 1 on several maps beside each other, to few channels: multiplied before they are ordered. */
struct fmap map_merge(struct musegan_builder *b, const struct style *s, const char *prefix, struct layer row,
                      const struct fmap *parts, int n);
