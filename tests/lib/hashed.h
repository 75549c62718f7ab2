/* hashed.h: numbers that PyTorch's side of a golden test can make too. */
#pragma once
#include <stddef.h>
#include "param.h"

/* n numbers in [-1,1) from a name, as in tests/golden/musegan_torch.py; malloc'd. */
float *hashed(const char *name, size_t n);
/* The same as cells, mostly silent: 1 or -1. */
float *hashed_cells(const char *name, size_t n);
/* Every tensor of a set: of its n numbers the k-th is what `weight` makes of u, the k-th from its name. */
typedef double (*hashed_fn)(const char *name, struct shape s, size_t n, size_t k, double u);
void hashed_fill(struct params *p, hashed_fn weight);
/* The same, by what its suffix says it is. */
void hashed_params(struct params *p);
