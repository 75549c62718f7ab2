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

void *on_copy(struct device *d, const void *host, size_t bytes)
{
    void *p;
    must(device_alloc(d, bytes, &p));
    must(device_upload(d, p, host, bytes));
    return p;
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
