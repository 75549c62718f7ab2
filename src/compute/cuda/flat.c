/* flat.c: the optimiser's loops (flat.h) on the device; see flat.cu. */
#include "cuda.h"

static struct { double *partial, *sum; float *scale; } work; /* on the device */

enum err flat_open(void)
{
    TRY(cuda_check(cudaMalloc((void **)&work.partial, CU_PARTIALS * sizeof(double)), "taking memory"));
    TRY(cuda_check(cudaMalloc((void **)&work.sum, sizeof(double)), "taking memory"));
    return cuda_check(cudaMalloc((void **)&work.scale, sizeof(float)), "taking memory");
}

void flat_close(void)
{
    cuda_give(work.partial);
    cuda_give(work.sum);
    cuda_give(work.scale);
    work.partial = work.sum = NULL;
    work.scale = NULL;
}

static const float *scale_of(const struct flat_step *s)
{
    return s->clipped ? work.scale : NULL;
}

static void adam(float *w, const float *g, float *m, float *v, size_t n, const struct flat_step *s)
{
    cuda_lock();
    cu_adam(w, g, m, v, n, s, scale_of(s));
    cuda_unlock();
}

static void sgd(float *w, const float *g, float *m, size_t n, const struct flat_step *s)
{
    cuda_lock();
    cu_sgd(w, g, m, n, s, scale_of(s));
    cuda_unlock();
}

static float clip(struct device *d, const float *g, size_t n, double most)
{
    (void)d;
    cuda_lock();
    cu_norm2(g, n, work.partial, work.sum, (float)most, work.scale);
    cuda_unlock();
    return 1;
}

static enum err norm2(struct device *d, const float *g, size_t n, double *out)
{
    (void)d;
    cuda_lock();
    cu_norm2(g, n, work.partial, work.sum, 0, work.scale);
    enum err err = stage_download(out, work.sum, sizeof *out);
    cuda_unlock();
    return err;
}

static void blend(float *average, const float *w, size_t n, float decay)
{
    cuda_lock();
    cu_blend(average, w, n, decay);
    cuda_unlock();
}

static void swap(float *a, float *b, size_t n)
{
    cuda_lock();
    cu_swap(a, b, n);
    cuda_unlock();
}

const struct flat_ops cuda_flat = { adam, sgd, clip, norm2, blend, swap };
