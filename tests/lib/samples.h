/* samples.h: tensors against samples of PyTorch's, as the scripts in tests/golden write them. */
#pragma once
#include <jansson.h>
#include <stddef.h>

/* {"norm", "step", "at": every step-th number}; fails the test with the place. */
void near_samples(const char *what, const json_t *want, const float *got, size_t n, double tolerance);
/* The mean size of its numbers. */
double mean_size(const json_t *want, size_t n);
/* The same, but neither a sample nor the mean size may be off by more than `tolerance` of a unit. */
void near_units(const char *what, const json_t *want, double unit, const float *got, size_t n, double tolerance);
