/* blas.h: OpenBLAS as an optional engine for large products, loaded when first wanted. Our own loops are
 * as fast or faster wherever they have a micro-kernel (AVX2, AVX-512: measured from vectors to 2048^3), so
 * it is used on machines for which only the generic one fits, and where JAMROLL_BLAS=1 asks for it (0:
 * never). Everything works without it. */
#pragma once
#include <stdbool.h>
#include "gemm_core.h"

bool blas_wanted(const struct product *p);
/* False when there is no usable library: nothing was done. */
bool blas_run(struct pool *pool, const struct product *p);

struct blas_info {
    bool loaded, by_user; /* OPENBLAS_CORETYPE was set: left alone */
    char detected[32];  /* the core type the library chose by itself */
    char core[32];      /* the one in use */
    char config[128];
};
const struct blas_info *blas_info(void); /* loads the library */
