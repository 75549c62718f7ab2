/* record.c: what a run enqueues, captured as a CUDA graph and played again: one call to the driver instead of one a
 * step. A plan that is bound to other memory is another recording; a plan bound here and there in turn has several.
 *
 * The first run goes step by step, so that whatever loads itself on first use has done so before the capture. */
#include "cuda.h"
#include "mem.h"
#include <stdlib.h>

enum { KEPT = 16 };

struct recording {
    uint64_t key;
    bool ran, plain;         /* once; cannot be captured */
    cudaGraphExec_t graph;
};

static int captured, refused; /* of the process */

struct recordings {
    struct recording r[KEPT];
    int n, oldest;
};

static void erase(struct recording *r)
{
    if (r->graph)
        (void)cudaGraphExecDestroy(r->graph);
    *r = (struct recording){ 0 };
}

static struct recording *find(struct recordings *all, uint64_t key)
{
    for (int i = 0; i < all->n; i++)
        if (all->r[i].key == key)
            return &all->r[i];
    struct recording *r = &all->r[all->n < KEPT ? all->n++ : all->oldest++ % KEPT];
    erase(r);
    r->key = key;
    return r;
}

/* What was enqueued is checked as a whole: launches report nothing themselves. */
static enum err run_plain(enum err (*enqueue)(void *ctx), void *ctx)
{
    TRY(enqueue(ctx));
    return cuda_run_check();
}

/* The graph of what `enqueue` enqueues, or NULL where something in it cannot be captured. */
static enum err capture(enum err (*enqueue)(void *ctx), void *ctx, cudaGraphExec_t *out)
{
    cudaGraph_t graph = NULL;
    TRY(cuda_check(cudaStreamBeginCapture(cuda_stream, cudaStreamCaptureModeThreadLocal), "recording a run"));
    enum err err = enqueue(ctx);
    cudaError_t e = cudaStreamEndCapture(cuda_stream, &graph);
    if (err == ERR_OK && e == cudaSuccess)
        e = cudaGraphInstantiateWithFlags(out, graph, 0);
    if (graph)
        (void)cudaGraphDestroy(graph);
    if (err == ERR_OK && e == cudaSuccess)
        err = cuda_run_check();
    if (err == ERR_OK && (e == cudaErrorStreamCaptureInvalidated || e == cudaErrorStreamCaptureUnsupported)) {
        (void)cudaGetLastError();
        return ERR_OK;
    }
    return err != ERR_OK ? err : cuda_check(e, "recording a run");
}

enum err record_play(struct device *d, void **recordings, uint64_t key, enum err (*enqueue)(void *ctx), void *ctx)
{
    (void)d;
    if (!*recordings)
        *recordings = xcalloc(1, sizeof(struct recordings));
    struct recording *r = find(*recordings, key);
    if (r->ran && !r->graph && !r->plain) {
        TRY(capture(enqueue, ctx, &r->graph));
        r->plain = !r->graph;
        captured += r->graph != NULL;
        refused += r->plain;
    }
    r->ran = true;
    return r->graph ? cuda_check(cudaGraphLaunch(r->graph, cuda_stream), "running a network") : run_plain(enqueue, ctx);
}

void record_report(struct str *out)
{
    str_addf(out, "runs      %d captured, %d that could not be\n", captured, refused);
}

void record_forget(struct device *d, void *recordings)
{
    (void)d;
    struct recordings *all = recordings;
    cuda_lock();
    for (int i = 0; i < all->n; i++)
        erase(&all->r[i]);
    cuda_unlock();
    free(all);
}
