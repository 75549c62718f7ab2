/* peak.h: what this processor can do, measured: arithmetic peak, cache and memory bandwidth, and the share of
 * them that our products reach. Takes under a second; for `doctor`, not for planning. */
#pragma once
#include "pool.h"
#include "str.h"

double peak_fma_gflops(struct pool *p); /* of all threads of the pool; NULL: of one */
void cpu_kernels_report(struct pool *p, struct str *out);
