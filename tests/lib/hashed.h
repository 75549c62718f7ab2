/* hashed.h: numbers that PyTorch's side of a golden test can make too. */
#pragma once
#include <stddef.h>
struct params;

/* n numbers in [-1,1) from a name, as in tests/golden/musegan_torch.py; malloc'd. */
float *hashed(const char *name, size_t n);
/* The same as cells, mostly silent: 1 or -1. */
float *hashed_cells(const char *name, size_t n);
/* Every tensor of a set from its name, by what its suffix says it is; on the host. */
void hashed_params(struct params *p);
