/* hashed.h: numbers that PyTorch's side of a golden test can make too. */
#pragma once
#include <stddef.h>

/* n numbers in [-1,1) from a name, as in tests/golden/musegan_torch.py; malloc'd. */
float *hashed(const char *name, size_t n);
