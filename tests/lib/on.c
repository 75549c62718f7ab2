/* on.c: see on.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "mem.h"
#include "on.h"

const char *on_kind(void)
{
    const char *kind = getenv("JAMROLL_TEST_DEVICE");
    return kind && *kind ? kind : "cpu";
}

bool on_cpu(void)
{
    return str_same(on_kind(), "cpu");
}

static void must(enum err err)
{
    if (err != ERR_OK)
        fail_msg("%s: %s", on_kind(), err_text());
}

void on_open(int threads, struct device **out)
{
    must(device_open(on_kind(), threads, out));
}

/* What is kept, on the device or (device NULL) in ordinary memory. */
static struct kept { struct device *device; void *block; } *kept;
static size_t n_kept, cap_kept;

static void *keep(struct device *d, void *block)
{
    kept = xgrow(kept, n_kept, &cap_kept, sizeof(*kept));
    kept[n_kept++] = (struct kept){ d, block };
    return block;
}

void on_close(struct device *d)
{
    for (size_t i = 0; i < n_kept; i++)
        if (kept[i].device)
            device_free(kept[i].device, kept[i].block);
        else
            free(kept[i].block);
    free(kept);
    kept = NULL;
    n_kept = cap_kept = 0;
    device_close(d);
}

void *on_copy(struct device *d, const void *host, size_t bytes)
{
    void *p;
    must(device_alloc(d, bytes, &p));
    must(device_upload(d, p, host, bytes));
    return p;
}

void on_write(struct device *d, void *at, const void *host, size_t bytes)
{
    must(device_upload(d, at, host, bytes));
}

void on_read(struct device *d, void *host, const void *at, size_t bytes)
{
    must(device_download(d, host, at, bytes));
}

float *on_floats(struct device *d, const void *at, size_t n)
{
    float *v = xcalloc(n + 1, sizeof(*v));
    on_read(d, v, at, n * sizeof(*v));
    return v;
}

float on_float(struct device *d, const void *at)
{
    float v;
    on_read(d, &v, at, sizeof(v));
    return v;
}

void *on_put(struct device *d, const void *host, size_t bytes)
{
    return keep(d, on_copy(d, host, bytes));
}

float *on_view(struct device *d, const void *at, size_t n)
{
    return keep(NULL, on_floats(d, at, n));
}
