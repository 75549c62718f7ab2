/* tensor.h: shapes and non-owning views. float32 (or int32 for indices), contiguous, channels-last, rank
 * at most 6. Letters in comments: N batch, B bars, T time, P pitch, C channels, H heads, D width. */
#pragma once
#include <stdint.h>
#include <stddef.h>
#include "err.h"

enum { MAX_RANK = 6 };
enum dtype { F32, I32 };
struct shape { int rank; int32_t dim[MAX_RANK]; };
struct tensor { enum dtype dtype; struct shape shape; void *data; }; /* borrowed data */

#define SHAPE(...) shape_of(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t), (const int32_t[]){__VA_ARGS__})
struct shape shape_of(size_t rank, const int32_t *dim);
size_t shape_count(struct shape s);
bool shape_same(struct shape a, struct shape b);
void shape_print(struct shape s, char buf[64]);            /* "[64,4,48,84,5]" */
/* Comparison measures: largest |a-b|, and normalised mean square error sum (a-b)^2 / sum b^2. */
double tensor_max_diff(const float *a, const float *b, size_t n);
double tensor_nmse(const float *a, const float *b, size_t n);
