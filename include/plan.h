/* plan.h: devices, and graphs made runnable. A plan fixes order, fusion, memory offsets and kernels once;
 * plan_run then allocates nothing, takes no lock and branches on no shape. */
#pragma once
#include <stdatomic.h>
#include "graph.h"

struct device;
/* kind "cpu", "cuda" or "auto" (a GPU if one can be used, else the CPU); threads 0 = all cores. ERR_DEVICE with the
 * reason. */
NODISCARD enum err device_open(const char *kind, int threads, struct device **out);
void device_close(struct device *d);
const char *device_name(const struct device *d);       /* "cpu, 2 threads, avx512, OpenBLAS SkylakeX" */
int device_threads(const struct device *d);
bool device_is_host(const struct device *d);           /* its memory is ordinary memory */
/* Blocks of device memory (64-byte aligned, zeroed, pre-faulted). On the CPU the pointer is usable as is. */
NODISCARD enum err device_alloc(struct device *d, size_t bytes, void **out);
void device_free(struct device *d, void *p);
NODISCARD enum err device_upload(struct device *d, void *dst, const void *host, size_t bytes);
NODISCARD enum err device_download(struct device *d, void *host, const void *src, size_t bytes);
NODISCARD enum err device_wait(struct device *d);      /* until all that was asked of it is done: for clocks */
/* The scalar at `at`, which runs write again and again: on the host as it is now; on a device that works on its own
 * as it was RECENT_LAG calls for the same address ago (the first calls wait for it), so that nobody waits. */
enum { RECENT_LAG = 4 };
NODISCARD enum err device_recent(struct device *d, const float *at, float *out);
/* How products of plans made from now on may round their factors, where the device has units for that: 10 or 7 bits
 * of mantissa instead of 23. Sums, weights and everything else stay fp32. */
enum precision { PRECISION_FP32, PRECISION_TF32, PRECISION_BF16 };
void device_set_precision(struct device *d, enum precision p);
NODISCARD enum err precision_parse(const char *name, enum precision *out); /* "fp32", "tf32", "bf16" */
/* Kernels chosen, and each one's measured share of the measured peak, as lines for `doctor`. */
void device_report(struct device *d, struct str *out);

struct plan;
struct plan_opts {
    bool frozen;      /* params do not change between runs: weights may be prepacked (call plan_refresh after a change) */
    bool reference;   /* reference kernels, no fusion: for tests */
};
NODISCARD enum err plan_new(struct device *d, struct graph *g, struct node *const *outputs, int n,
                            const struct plan_opts *opts, struct plan **out);
void plan_free(struct plan *p);
/* Give a leaf (input, param) its memory; must be done for every leaf the plan uses before the first run. */
void plan_bind(struct plan *p, const struct node *leaf, void *data);
void plan_bind_name(struct plan *p, const char *leaf_name, void *data); /* no-op when the plan does not use it */
void plan_bind_output(struct plan *p, int i, void *data); /* write output i there instead of the arena */
void *plan_output(const struct plan *p, int i);           /* valid until the next run */
void plan_refresh(struct plan *p);                        /* repack after params changed (frozen plans) */
/* cancel may be NULL; polled between nodes -> ERR_CANCELLED. One plan of a device runs at a time. */
NODISCARD enum err plan_run(struct plan *p, const atomic_bool *cancel);
size_t plan_arena_bytes(const struct plan *p);
double plan_flops(const struct plan *p);
void plan_print(const struct plan *p, bool timed, struct str *out); /* one line a node */
