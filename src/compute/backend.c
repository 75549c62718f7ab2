/* backend.c: the kinds of device, and which kernel of a kind runs a node. */
#include <stdlib.h>
#include <string.h>
#include "step.h"

static const struct backend *const backends[] = { &cpu_backend };

enum err device_open(const char *kind, int threads, struct device **out)
{
    const struct backend *b = NULL;
    if (str_same(kind, "auto"))
        b = backends[0];
    for (size_t i = 0; i < COUNT_OF(backends); i++)
        if (str_same(kind, backends[i]->kind))
            b = backends[i];
    if (!b && str_same(kind, "cuda"))
        return err_set(ERR_DEVICE, "this program was built without CUDA");
    if (!b)
        return err_set(ERR_DEVICE, "no device \"%s\": choose cpu or auto", kind);
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

void device_report(struct device *d, struct str *out)
{
    d->backend->report(d, out);
}

const struct kernel *backend_kernel(const struct backend *b, const struct node *n, bool reference)
{
    const struct kernel *k = reference && b->reference[n->op].run ? &b->reference[n->op] : &b->kernels[n->op];
    if (!k->run || (k->fits && !k->fits(n)) || (reference && node_flag(n, F_MACRO)))
        return NULL;
    return k;
}
