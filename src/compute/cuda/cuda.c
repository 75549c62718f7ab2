/* cuda.c: a GPU as a device: opening it, its memory, its errors, and the module's one entry. */
#include "cuda.h"
#include <pthread.h>
#include <string.h>
#include "mem.h"
#include "rows.h"

enum { LEAST_MAJOR = 7, LEAST_MINOR = 5 };

cudaStream_t cuda_stream;

static struct {
    pthread_mutex_t lock;
    int users;               /* devices that are open */
    char failed[160];        /* the failure after which nothing works any more */
    const char *in_run;      /* what a library reported while a run was enqueued */
} state = { .lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP };

void cuda_lock(void)
{
    pthread_mutex_lock(&state.lock);
}

void cuda_unlock(void)
{
    pthread_mutex_unlock(&state.lock);
}

/* ------------------------------------------------------------------ errors */

/* Errors that leave the runtime as it was; all others stay for the life of the process. */
static bool passing(cudaError_t e)
{
    return e == cudaErrorMemoryAllocation || e == cudaErrorNotReady || e == cudaErrorInvalidValue ||
           e == cudaErrorInvalidConfiguration;
}

enum err cuda_check(cudaError_t e, const char *doing)
{
    if (e == cudaSuccess)
        return ERR_OK;
    (void)cudaGetLastError();
    if (e == cudaErrorMemoryAllocation)
        return err_set(ERR_NOMEM, "the GPU's memory does not hold it (%s)", doing);
    if (!passing(e) && !state.failed[0])
        str_format(state.failed, sizeof state.failed, "%s: %s", doing, cudaGetErrorString(e));
    return err_set(ERR_DEVICE, "the GPU failed, %s: %s", doing, cudaGetErrorString(e));
}

void cuda_mark_failed(const char *why)
{
    state.in_run = why;
}

enum err cuda_run_check(void)
{
    const char *why = state.in_run;
    state.in_run = NULL;
    TRY(cuda_check(cudaGetLastError(), "running a network"));
    return why ? err_set(ERR_DEVICE, "the GPU failed, running a network: %s", why) : ERR_OK;
}

/* Why there is no device to open. */
static enum err no_device(cudaError_t e, int n)
{
    int driver = 0, needed = CUDART_VERSION;
    (void)cudaGetLastError();
    if (e == cudaErrorNoDevice || (e == cudaSuccess && n == 0))
        return err_set(ERR_DEVICE, "no CUDA: no NVIDIA GPU found (or CUDA_VISIBLE_DEVICES hides it)");
    if (e == cudaErrorInsufficientDriver && cudaDriverGetVersion(&driver) == cudaSuccess && driver > 0)
        return err_set(ERR_DEVICE, "no CUDA: the NVIDIA driver is too old: it knows CUDA %d.%d, this program needs %d.%d",
                       driver / 1000, driver % 1000 / 10, needed / 1000, needed % 1000 / 10);
    if (e == cudaErrorInsufficientDriver)
        return err_set(ERR_DEVICE, "no CUDA: no NVIDIA driver is running");
    return err_set(ERR_DEVICE, "no CUDA: %s", cudaGetErrorString(e));
}

/* ------------------------------------------------------------------ opening */

static enum err open_state(void)
{
    if (state.users > 0)
        return ERR_OK;
    TRY(cuda_check(cudaStreamCreateWithFlags(&cuda_stream, cudaStreamNonBlocking), "making a stream"));
    TRY(stage_open());
    TRY(flat_open());
    return blas_open();
}

static void close_state(void)
{
    blas_close();
    flat_close();
    stage_close();
    if (cuda_stream)
        (void)cudaStreamDestroy(cuda_stream);
    cuda_stream = NULL;
}

static enum err find_gpu(struct device *d)
{
    struct cudaDeviceProp p;
    int n = 0, driver = 0;
    cudaError_t e = cudaGetDeviceCount(&n);
    if (e != cudaSuccess || n == 0)
        return no_device(e, n);
    if (state.failed[0])
        return err_set(ERR_DEVICE, "the GPU failed earlier (%s): it works again after a new start", state.failed);
    TRY(cuda_check(cudaSetDevice(0), "choosing the GPU"));
    TRY(cuda_check(cudaGetDeviceProperties(&p, 0), "asking the GPU for its properties"));
    TRY(cuda_check(cudaDriverGetVersion(&driver), "asking for the driver"));
    if (p.major < LEAST_MAJOR || (p.major == LEAST_MAJOR && p.minor < LEAST_MINOR))
        return err_set(ERR_DEVICE, "no CUDA: %s is of generation %d.%d; %d.%d is the least", p.name, p.major, p.minor,
                       LEAST_MAJOR, LEAST_MINOR);
    str_format(d->name, sizeof(d->name), "cuda, %.60s, sm_%d%d, %.1f GB, driver for CUDA %d.%d", p.name, p.major,
               p.minor, (double)p.totalGlobalMem / 1e9, driver / 1000, driver % 1000 / 10);
    return ERR_OK;
}

static enum err cuda_open(struct device *d, int threads)
{
    (void)threads;
    cuda_lock();
    enum err err = find_gpu(d);
    if (err == ERR_OK)
        err = open_state();
    if (err == ERR_OK)
        state.users++;
    else if (state.users == 0)
        close_state();
    cuda_unlock();
    d->pool = err == ERR_OK ? pool_new(1) : NULL;
    return err;
}

static void cuda_close(struct device *d)
{
    cuda_lock();
    if (--state.users == 0)
        close_state();
    cuda_unlock();
    pool_free(d->pool);
}

/* ------------------------------------------------------------------ memory */

static enum err cuda_alloc(struct device *d, size_t bytes, void **out)
{
    (void)d;
    void *p = NULL;
    size_t unused = 0, total = 0;
    cuda_lock();
    cudaError_t e = cudaMalloc(&p, bytes ? bytes : 1);
    if (e == cudaErrorMemoryAllocation)
        (void)cudaMemGetInfo(&unused, &total);
    enum err err = cuda_check(e, "taking memory");
    if (err == ERR_OK)
        err = cuda_check(cudaMemsetAsync(p, 0, bytes, cuda_stream), "clearing memory");
    cuda_unlock();
    if (err == ERR_NOMEM)
        return err_set(ERR_NOMEM, "the GPU's memory does not hold it: %.1f MB wanted, %.1f of %.1f MB free",
                       (double)bytes / 1e6, (double)unused / 1e6, (double)total / 1e6);
    if (err != ERR_OK)
        cuda_give(p);
    else
        *out = p;
    return err;
}

void cuda_give(void *p)
{
    if (p)
        (void)cudaFree(p);
}

static void cuda_free(struct device *d, void *p)
{
    (void)d;
    cuda_lock();
    (void)cudaStreamSynchronize(cuda_stream); /* what was enqueued may use it */
    recent_forget();
    cuda_give(p);
    cuda_unlock();
}

static enum err cuda_upload(struct device *d, void *dst, const void *host, size_t bytes)
{
    (void)d;
    cuda_lock();
    enum err err = stage_upload(dst, host, bytes);
    cuda_unlock();
    return err;
}

static enum err cuda_download(struct device *d, void *host, const void *src, size_t bytes)
{
    (void)d;
    cuda_lock();
    enum err err = stage_download(host, src, bytes);
    cuda_unlock();
    return err;
}

static enum err cuda_copy(struct device *d, void *dst, const void *src, size_t bytes)
{
    (void)d;
    cuda_lock();
    enum err err = cuda_check(cudaMemcpyAsync(dst, src, bytes, cudaMemcpyDeviceToDevice, cuda_stream), "copying");
    cuda_unlock();
    return err;
}

static enum err cuda_recent(struct device *d, const float *at, float *out)
{
    (void)d;
    cuda_lock();
    enum err err = recent_read(at, out);
    cuda_unlock();
    return err;
}

static void store(const struct step *s, struct pool *pool)
{
    (void)pool;
    if (s->out != s->in[0])
        (void)cudaMemcpyAsync(s->out, s->in[0], node_count(s->node) * sizeof(float), cudaMemcpyDeviceToDevice,
                              cuda_stream);
}

/* ------------------------------------------------------------------ runs */

/* Nobody else enqueues while a plan does: what it enqueues may be recorded. */
static void cuda_begin(struct device *d, unsigned *saved)
{
    (void)d;
    *saved = 0;
    cuda_lock();
}

static void cuda_end(struct device *d, unsigned saved)
{
    (void)d;
    (void)saved;
    cuda_unlock();
}

static enum err cuda_wait(struct device *d)
{
    (void)d;
    cuda_lock(); /* nothing may wait for a stream that is being recorded */
    enum err err = cuda_check(cudaStreamSynchronize(cuda_stream), "waiting for it");
    cuda_unlock();
    return err;
}

static void cuda_report(struct device *d, struct str *out)
{
    size_t unused = 0, total = 0;
    (void)cudaMemGetInfo(&unused, &total);
    str_addf(out, "device    %s\n", d->name);
    str_addf(out, "memory    %.1f of %.1f GB free\n", (double)unused / 1e9, (double)total / 1e9);
    record_report(out);
}

static const struct kernel reference[N_OPS] = {
    [OP_MATMUL] = { .run = k_matmul_plain, .name = "k_matmul_plain" },
    [OP_CONV] = { .run = k_conv_plain, .name = "k_conv_plain", .work = w_conv_plain },
    [OP_CONV_T] = { .run = k_conv_plain, .name = "k_conv_plain", .work = w_conv_plain },
    [OP_CONV_W] = { .run = k_conv_plain, .name = "k_conv_plain", .work = w_conv_plain },
};

static const struct backend backend = {
    .kind = "cuda",
    .open = cuda_open,
    .close = cuda_close,
    .alloc = cuda_alloc,
    .free = cuda_free,
    .upload = cuda_upload,
    .download = cuda_download,
    .copy = cuda_copy,
    .recent = cuda_recent,
    .begin = cuda_begin,
    .end = cuda_end,
    .play = record_play,
    .forget = record_forget,
    .wait = cuda_wait,
    .report = cuda_report,
    .flat = &cuda_flat,
    .elem = { .run = k_elem, .name = "k_elem" },
    .kernels = cuda_kernels,
    .reference = reference,
    .pack = { .run = k_pack, .name = "k_pack", .work = w_pack },
    .store = { .run = store, .name = "store" },
};

__attribute__((visibility("default"))) cuda_entry_fn jamroll_cuda_backend;
const struct backend *jamroll_cuda_backend(void)
{
    return &backend;
}
