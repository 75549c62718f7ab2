/* init.h: numbers a fresh tensor starts with. Private to nn. */
#pragma once
#include "param.h"

/* Fill n = shape_count(s) values. Each tensor draws from its own Philox stream, named by its name, so that
 * adding or reordering tensors never changes the others. Fans follow the channels-last convention: the last
 * axis is the output, all others together are the input. */
void init_fill(struct init_spec spec, struct shape s, uint64_t seed, const char *name, float *out);
