/* draw.h: one draw from a row of logits, the same for every family that writes music step by step. */
#pragma once
#include <stdbool.h>
#include "rng.h"

/* top_k 0 = all; top_p 1 = all. */
struct draw_opts { double temperature, top_p; int top_k; };
enum { DRAW_MAX = 8192 };
/* Temperature, then the top_k likeliest, then the smallest set of likeliest entries that holds top_p of the mass.
 * legal NULL = every entry; at least one must be. n at most DRAW_MAX. Temperature 0 takes the likeliest. */
int draw_index(const float *logits, const bool *legal, int n, const struct draw_opts *o, struct rng *r);
