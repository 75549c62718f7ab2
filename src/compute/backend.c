/* backend.c: the kinds of device, and which kernel of a kind runs a node. The CPU is part of the program; CUDA is a
 * module beside it that is loaded when somebody asks, so that one package serves machines with and without. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "step.h"

/* ------------------------------------------------------------------ the module */

#define MODULE "jamroll-cuda.so"

static struct {
    pthread_mutex_t lock;
    bool tried;
    const struct backend *backend;
    char *why_not;
} module = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Where it may lie, best first: $JAMROLL_CUDA, an installation's place, beside a program that was just built (and
 * beside the folder of its tests). */
static void module_places(char *out[4])
{
    const char *given = getenv("JAMROLL_CUDA");
    bool told = given && *given;
    out[0] = told ? xstrdup(given) : place_beside_program("lib/jamroll/" MODULE);
    out[1] = told ? NULL : place_beside_program("build/" MODULE);
    out[2] = told ? NULL : place_beside_program(MODULE);
    out[3] = NULL;
}

static const struct backend *load(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    cuda_entry_fn *entry = NULL;
    if (handle)
        *(void **)&entry = dlsym(handle, CUDA_ENTRY);
    return entry ? entry() : NULL; /* a handle stays open: the runtime within cannot be unloaded */
}

/* Without a driver there is nothing to load the module and its libraries for, which takes a while. */
static bool has_driver(void)
{
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    return driver && dlclose(driver) == 0;
}

static void give_up(const char *what, const char *why)
{
    struct str s;
    str_init(&s);
    str_addf(&s, "%s: %s", what, why ? why : "unknown reason");
    module.why_not = str_take(&s);
}

static void find_module(void)
{
    char *places[4], *path = NULL;
    module_places(places);
    module.tried = true;
    for (size_t i = 0; i < COUNT_OF(places) && !path; i++)
        if (places[i] && file_exists(places[i]))
            path = places[i];
    if (!path)
        give_up(places[1] ? "this program was built without CUDA" : places[0], "no module " MODULE);
    else if (places[1] && !has_driver())
        give_up("no NVIDIA driver on this machine", dlerror());
    else if (!(module.backend = load(path)))
        give_up("the module for CUDA cannot be loaded", dlerror());
    for (size_t i = 0; i < COUNT_OF(places); i++)
        free(places[i]);
}

static const struct backend *cuda_module(void)
{
    pthread_mutex_lock(&module.lock);
    if (!module.tried)
        find_module();
    pthread_mutex_unlock(&module.lock);
    return module.backend;
}

/* ------------------------------------------------------------------ devices */

/* Leaves and views have no kernel, macros may be lowered instead, stores are copies; everything else must have one. */
static void check_kernels(const struct backend *b)
{
    for (int op = 0; op < N_OPS; op++)
        if (!b->kernels[op].run && !(op_rows[op].flags & (F_LEAF | F_VIEW | F_MACRO | F_ELEM)) && op != OP_STORE)
            err_bug_at("no kernel for", 0, op_rows[op].name);
}

static enum err open_on(const struct backend *b, int threads, struct device **out)
{
    check_kernels(b);
    struct device *d = xcalloc(1, sizeof(*d));
    d->backend = b;
    enum err err = b->open(d, threads);
    if (err != ERR_OK) {
        free(d);
        return err;
    }
    *out = d;
    return ERR_OK;
}

enum err device_open(const char *kind, int threads, struct device **out)
{
    bool any = str_same(kind, "auto");
    if (any || str_same(kind, "cuda")) {
        const struct backend *b = cuda_module();
        enum err err = b ? open_on(b, threads, out) : err_set(ERR_DEVICE, "no CUDA: %s", module.why_not);
        if (err == ERR_OK || !any)
            return err;
    }
    if (any || str_same(kind, cpu_backend.kind))
        return open_on(&cpu_backend, threads, out);
    return err_set(ERR_DEVICE, "no device \"%s\": choose cpu, cuda or auto", kind);
}

void device_close(struct device *d)
{
    if (!d)
        return;
    d->backend->close(d);
    free(d);
}

const char *device_name(const struct device *d)
{
    return d->name;
}

int device_threads(const struct device *d)
{
    return pool_size(d->pool);
}

bool device_is_host(const struct device *d)
{
    return d->backend->host;
}

enum err device_alloc(struct device *d, size_t bytes, void **out)
{
    return d->backend->alloc(d, bytes, out);
}

void device_free(struct device *d, void *p)
{
    d->backend->free(d, p);
}

enum err device_upload(struct device *d, void *dst, const void *host, size_t bytes)
{
    return d->backend->upload(d, dst, host, bytes);
}

enum err device_download(struct device *d, void *host, const void *src, size_t bytes)
{
    return d->backend->download(d, host, src, bytes);
}

enum err device_wait(struct device *d)
{
    return d->backend->wait ? d->backend->wait(d) : ERR_OK;
}

enum err device_recent(struct device *d, const float *at, float *out)
{
    return d->backend->recent(d, at, out);
}

const struct flat_ops *device_flat(const struct device *d)
{
    return d->backend->flat;
}

void device_set_precision(struct device *d, enum precision p)
{
    d->precision = p;
}

enum err precision_parse(const char *name, enum precision *out)
{
    static const char *const names[] = { [PRECISION_FP32] = "fp32", [PRECISION_TF32] = "tf32", [PRECISION_BF16] = "bf16" };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_same(name, names[i])) {
            *out = (enum precision)i;
            return ERR_OK;
        }
    return err_set(ERR_RANGE, "no precision \"%s\": choose fp32, tf32 or bf16", name);
}

void device_report(struct device *d, struct str *out)
{
    d->backend->report(d, out);
}

const struct kernel *backend_kernel(const struct backend *b, const struct node *n, bool reference)
{
    const struct kernel *k = node_flag(n, F_ELEM)                    ? &b->elem
                             : reference && b->reference[n->op].run ? &b->reference[n->op]
                                                                    : &b->kernels[n->op];
    if (!k->run || (k->fits && !k->fits(n)) || (reference && node_flag(n, F_MACRO)))
        return NULL;
    return k;
}
