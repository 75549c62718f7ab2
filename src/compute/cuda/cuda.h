/* cuda.h: what the C files of the CUDA backend share. The state behind it belongs to the process: one GPU, one
 * stream that everything is enqueued on, one lock for whoever enqueues. */
#pragma once
#include <cuda_runtime_api.h>
#include "../step.h"
#include "dense.h"
#include "launch.h"

/* cuda.c: ERR_OK, or what went wrong while `doing`; remembers failures that no later call recovers from. */
enum err cuda_check(cudaError_t e, const char *doing);
void cuda_mark_failed(const char *why); /* within a run, which reports it when all is enqueued */
enum err cuda_run_check(void);          /* of what a run enqueued */
void cuda_lock(void);
void cuda_unlock(void);
void cuda_give(void *p); /* cudaFree, whatever it says: the device may have failed for good */

extern const struct kernel cuda_kernels[N_OPS]; /* rows.c */

/* stage.c: between ordinary and device memory, through pinned memory. */
NODISCARD enum err stage_open(void);
void stage_close(void);
NODISCARD enum err stage_upload(void *dst, const void *host, size_t bytes);   /* does not wait */
NODISCARD enum err stage_download(void *host, const void *src, size_t bytes);
NODISCARD enum err recent_read(const float *at, float *out);
void recent_forget(void); /* memory was given back: what lies there from now on is something else */

/* record.c: runs captured and played again. */
NODISCARD enum err record_play(struct device *d, void **recordings, uint64_t key, enum err (*enqueue)(void *ctx),
                               void *ctx);
void record_report(struct str *out);
void record_forget(struct device *d, void *recordings);

/* product.c: products by cuBLASLt. */
NODISCARD enum err blas_open(void);
void blas_close(void);
struct blas_product;
enum blas_epilogue { BLAS_PLAIN, BLAS_BIAS, BLAS_BIAS_RELU, BLAS_RELU };
/* NULL where cuBLASLt has no way to do it. Descriptors and algorithms are made here, not when it runs. */
struct blas_product *blas_product_new(const struct product *p, enum precision precision, enum blas_epilogue e);
void blas_product_free(struct blas_product *b);
void blas_product_run(const struct blas_product *b, const float *a, const float *w, const float *bias, float *c);

void k_matmul(const struct step *s, struct pool *pool);
void k_linear(const struct step *s, struct pool *pool);
void k_matmul_plain(const struct step *s, struct pool *pool);
NODISCARD enum err prepare_matmul(struct device *d, struct step *s);
NODISCARD enum err prepare_linear(struct device *d, struct step *s);
void release_product(struct step *s);

/* conv.c */
void k_conv(const struct step *s, struct pool *pool);
void k_conv_t(const struct step *s, struct pool *pool);
void k_conv_w(const struct step *s, struct pool *pool);
void k_conv_plain(const struct step *s, struct pool *pool);
size_t w_conv(const struct node *n, int threads);
size_t w_conv_t(const struct node *n, int threads);
size_t w_conv_w(const struct node *n, int threads);
size_t w_conv_plain(const struct node *n, int threads);
NODISCARD enum err prepare_conv(struct device *d, struct step *s);
void release_conv(struct step *s);
void k_pack(const struct step *s, struct pool *pool);
size_t w_pack(const struct node *n, int threads);

/* flat.c */
NODISCARD enum err flat_open(void);
void flat_close(void);
extern const struct flat_ops cuda_flat;

/* The rows of the kernel table that these files fill. */
#define CONV_ROW(op, fn, bytes) \
    [OP_##op] = { .run = fn, .name = #fn, .work = bytes, .prepare = prepare_conv, .release = release_conv }
#define CUDA_PRODUCT_ROWS \
    [OP_MATMUL] = { .run = k_matmul, .name = "k_matmul", .prepare = prepare_matmul, .release = release_product }, \
    [OP_LINEAR] = { .run = k_linear, .name = "k_linear", .prepare = prepare_linear, .release = release_product }, \
    CONV_ROW(CONV, k_conv, w_conv), \
    CONV_ROW(CONV_T, k_conv_t, w_conv_t), \
    CONV_ROW(CONV_W, k_conv_w, w_conv_w)
