/* runtime.cc: the runtime of the simulated device: memory with closed pages around every block, streams that
 * run what they are given, captures that keep it, and errors that stay where a real device's would. */
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <map>
#include <mutex>
#include <vector>
#include "cuda_runtime.h"
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)0)
#endif

struct simt_node { std::function<void(void)> work; };
struct simt_graph { std::vector<simt_node> nodes; };
struct simt_stream { simt_graph *captured; };
struct simt_event { double at; };

namespace {

enum : size_t { ROOM = (size_t)1 << 36, ALIGN = 64, GIB = (size_t)1 << 30 };

struct memory_block { size_t bytes, pages; char *start; };

struct device {
    std::recursive_mutex lock;
    char *base;
    size_t top, used;
    bool open;
    cudaError_t last, sticky;
    long launches;
    int captures; /* going on */
    std::map<char *, memory_block> blocks;  /* by first page */
    std::multimap<size_t, char *> gone;     /* pages given back */
} d;

size_t page_size(void)
{
    static const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return page;
}

long setting(const char *name, long otherwise)
{
    const char *v = getenv(name);
    return v && *v ? atol(v) : otherwise;
}

cudaError_t fail(cudaError_t e)
{
    if (e != cudaSuccess)
        d.last = e;
    return e;
}

void protect(char *at, const memory_block &m)
{
    static const bool always = setting("JAMROLL_SIMT_OPEN", 0);
    if (mprotect(at, m.pages * page_size(), d.open || always ? PROT_READ | PROT_WRITE : PROT_NONE) != 0)
        abort();
}

/* Device memory is open to this process between a call that enqueues and one that synchronises. */
void set_open(bool open)
{
    if (d.open == open)
        return;
    d.open = open;
    for (const auto &at : d.blocks)
        protect(at.first, at.second);
}

bool is_device(const void *p)
{
    return d.base && (const char *)p >= d.base && (const char *)p < d.base + ROOM;
}

/* A copy touches nothing but one block's own bytes. */
bool within(const void *p, size_t bytes)
{
    if (!is_device(p))
        return true;
    auto at = d.blocks.upper_bound((char *)p);
    if (at == d.blocks.begin())
        return false;
    const memory_block &m = (--at)->second;
    return (const char *)p >= m.start && (const char *)p + bytes <= m.start + m.bytes;
}

double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

} // namespace

#define GUARDED std::lock_guard<std::recursive_mutex> hold(d.lock)

/* ------------------------------------------------------------------ errors */

const char *cudaGetErrorName(cudaError_t e)
{
    switch (e) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInitializationError: return "cudaErrorInitializationError";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorInsufficientDriver: return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorNoKernelImageForDevice: return "cudaErrorNoKernelImageForDevice";
    case cudaErrorInvalidResourceHandle: return "cudaErrorInvalidResourceHandle";
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated: return "cudaErrorStreamCaptureInvalidated";
    default: return "cudaErrorUnknown";
    }
}

const char *cudaGetErrorString(cudaError_t e)
{
    switch (e) {
    case cudaSuccess: return "no error";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    default: return cudaGetErrorName(e);
    }
}

cudaError_t cudaGetLastError(void)
{
    GUARDED;
    cudaError_t e = d.sticky ? d.sticky : d.last;
    d.last = cudaSuccess;
    return e;
}

/* ------------------------------------------------------------------ the device */

cudaError_t cudaGetDeviceCount(int *n)
{
    GUARDED;
    const char *driver = getenv("JAMROLL_SIMT_DRIVER");
    *n = 0;
    if (driver && strcmp(driver, "none") == 0)
        return fail(cudaErrorNoDevice);
    if (driver && strcmp(driver, "old") == 0)
        return fail(cudaErrorInsufficientDriver);
    *n = 1;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : fail(cudaErrorInvalidDevice); }

static size_t total_memory(void) { return (size_t)setting("JAMROLL_SIMT_MEMORY", (long)(16 * GIB)); }

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device)
{
    if (device != 0)
        return fail(cudaErrorInvalidDevice);
    memset(p, 0, sizeof(*p));
    snprintf(p->name, sizeof(p->name), "simulated device");
    p->totalGlobalMem = total_memory();
    p->major = 9;
    p->multiProcessorCount = 1;
    p->sharedMemPerBlock = 48 << 10;
    p->sharedMemPerBlockOptin = 227 << 10;
    p->l2CacheSize = 1 << 20;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *v)
{
    const char *driver = getenv("JAMROLL_SIMT_DRIVER");
    *v = driver && strcmp(driver, "old") == 0 ? 11000 : driver && strcmp(driver, "none") == 0 ? 0 : CUDART_VERSION;
    return cudaSuccess;
}

/* ------------------------------------------------------------------ memory */

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total)
{
    GUARDED;
    *total = total_memory();
    *free_bytes = *total > d.used ? *total - d.used : 0;
    return d.sticky;
}

static char *take_pages(size_t pages)
{
    auto old = d.gone.find(pages);
    if (old != d.gone.end()) {
        char *p = old->second;
        d.gone.erase(old);
        return p;
    }
    size_t bytes = (pages + 1) * page_size(); /* the one after it stays closed */
    if (d.top + bytes > ROOM)
        return nullptr;
    char *p = d.base + d.top;
    d.top += bytes;
    return p;
}

/* The block ends where a closed page begins, up to its alignment; what that leaves is checked when it is freed. */
cudaError_t cudaMalloc(void **p, size_t bytes)
{
    GUARDED;
    *p = nullptr;
    if (d.sticky)
        return d.sticky;
    if (d.captures)
        return fail(cudaErrorStreamCaptureUnsupported);
    if (!d.base) {
        void *room = mmap(nullptr, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (room == MAP_FAILED)
            return fail(cudaErrorMemoryAllocation);
        d.base = static_cast<char *>(room);
        d.top = page_size();
    }
    size_t rounded = (bytes + ALIGN - 1) / ALIGN * ALIGN, pages = (rounded + page_size() - 1) / page_size();
    char *at = bytes && d.used + bytes <= total_memory() ? take_pages(pages) : nullptr;
    if (!at)
        return fail(cudaErrorMemoryAllocation);
    if (mprotect(at, pages * page_size(), PROT_READ | PROT_WRITE) != 0)
        return fail(cudaErrorMemoryAllocation);
    memset(at, 0xff, pages * page_size());
    char *start = at + pages * page_size() - rounded;
    d.blocks[at] = { bytes, pages, start };
    d.used += bytes;
    ASAN_POISON_MEMORY_REGION(at, pages * page_size());
    ASAN_UNPOISON_MEMORY_REGION(start, bytes);
    protect(at, d.blocks[at]);
    *p = start;
    return cudaSuccess;
}

cudaError_t cudaFree(void *p)
{
    GUARDED;
    if (!p)
        return cudaSuccess;
    if (d.captures)
        return fail(cudaErrorStreamCaptureUnsupported);
    auto at = d.blocks.upper_bound(static_cast<char *>(p));
    if (at == d.blocks.begin() || (--at)->second.start != p)
        return fail(cudaErrorInvalidValue);
    set_open(true);
    memory_block m = at->second;
    size_t size = m.pages * page_size();
    ASAN_UNPOISON_MEMORY_REGION(at->first, size);
    for (char *q = at->first; q < at->first + size; q++)
        if ((q < m.start || q >= m.start + m.bytes) && *q != (char)0xff) {
            fprintf(stderr, "simulated device: a kernel wrote outside its block of %zu bytes\n", m.bytes);
            abort();
        }
    if (mprotect(at->first, size, PROT_NONE) != 0 || madvise(at->first, size, MADV_DONTNEED) != 0)
        abort();
    d.used -= m.bytes;
    d.gone.insert({ m.pages, at->first });
    d.blocks.erase(at);
    return d.sticky;
}

cudaError_t cudaMallocHost(void **p, size_t bytes)
{
    *p = aligned_alloc(ALIGN, (bytes + ALIGN) / ALIGN * ALIGN);
    return *p ? cudaSuccess : fail(cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeHost(void *p)
{
    free(p);
    return cudaSuccess;
}

static bool kind_fits(const void *dst, const void *src, enum cudaMemcpyKind kind)
{
    bool to = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool from = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    return kind == cudaMemcpyDefault || (is_device(dst) == to && is_device(src) == from);
}

cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t s)
{
    GUARDED;
    if (d.sticky)
        return d.sticky;
    if (!kind_fits(dst, src, kind) || !within(dst, bytes) || !within(src, bytes))
        return fail(cudaErrorInvalidValue);
    simt_enqueue(s, [=] { memcpy(dst, src, bytes); });
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *p, int value, size_t bytes, cudaStream_t s)
{
    GUARDED;
    if (d.sticky)
        return d.sticky;
    if (!is_device(p) || !within(p, bytes))
        return fail(cudaErrorInvalidValue);
    simt_enqueue(s, [=] { memset(p, value, bytes); });
    return cudaSuccess;
}

/* ------------------------------------------------------------------ streams, launches, graphs */

void simt_enqueue(cudaStream_t s, std::function<void(void)> work)
{
    GUARDED;
    if (s && s->captured) {
        s->captured->nodes.push_back({ std::move(work) });
        return;
    }
    if (d.captures) { /* work beside a capture ends it on a real device */
        d.last = cudaErrorStreamCaptureUnsupported;
        return;
    }
    set_open(true);
    work();
}

cudaError_t simt_check_launch(dim3 grid, dim3 block, size_t shared, size_t parameters)
{
    GUARDED;
    static const long faulty = setting("JAMROLL_SIMT_FAULT", 0);
    if (d.sticky)
        return d.sticky;
    if (faulty && ++d.launches == faulty)
        return d.sticky = cudaErrorIllegalAddress;
    size_t threads = (size_t)block.x * block.y * block.z;
    if (!threads || threads > 1024 || block.z > 64 || !grid.x || !grid.y || !grid.z || grid.x > 0x7fffffff ||
        grid.y > 65535 || grid.z > 65535 || shared > 48 << 10 || parameters > 4096)
        return fail(cudaErrorInvalidConfiguration);
    return cudaSuccess;
}

static cudaError_t synchronise(void)
{
    enum { ALWAYS = 100, RARELY = 16 }; /* closing takes as long as there are pages */
    static unsigned times;
    GUARDED;
    if (d.captures)
        return fail(cudaErrorStreamCaptureUnsupported);
    if (++times < ALWAYS || times % RARELY == 0)
        set_open(false);
    return d.sticky;
}

cudaError_t cudaStreamSynchronize(cudaStream_t s)
{
    (void)s;
    return synchronise();
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned)
{
    *s = new simt_stream();
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t s)
{
    delete s;
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t s, enum cudaStreamCaptureMode)
{
    GUARDED;
    if (!s || s->captured)
        return fail(cudaErrorStreamCaptureUnsupported);
    s->captured = new simt_graph();
    d.captures++;
    return d.sticky;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *g)
{
    GUARDED;
    if (!s || !s->captured)
        return fail(cudaErrorInvalidValue);
    *g = s->captured;
    s->captured = nullptr;
    d.captures--;
    return d.sticky;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *e, cudaGraph_t g, unsigned long long)
{
    *e = new simt_graph(*g);
    return d.sticky;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t e, cudaStream_t s)
{
    GUARDED;
    if (d.sticky)
        return d.sticky;
    for (const simt_node &n : e->nodes)
        simt_enqueue(s, n.work);
    return d.sticky;
}

cudaError_t cudaGraphDestroy(cudaGraph_t g)
{
    delete g;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t e) { return cudaGraphDestroy(e); }

/* ------------------------------------------------------------------ events */

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned)
{
    *e = new simt_event();
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t e)
{
    delete e;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t)
{
    e->at = seconds();
    return d.sticky;
}

cudaError_t cudaEventSynchronize(cudaEvent_t) { return synchronise(); }
