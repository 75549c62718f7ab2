/* cpu.c: the CPU as a device: its pool, its memory, and the table of its kernels. Small numbers are flushed
 * to zero while a plan runs: near-zero activations would otherwise cost a hundred times their worth. */
#include <string.h>
#include "cpu.h"
#include "cpuid.h"
#include "peak.h"
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#define ROW(op, fn) [OP_##op] = { .run = fn, .name = #fn }
#define ROW_WORK(op, fn, bytes) [OP_##op] = { .run = fn, .name = #fn, .work = bytes }

static const struct kernel kernels[N_OPS] = {
    ROW(FILL, k_fill),
    ROW(MATMUL, k_matmul),
    ROW_WORK(CONV, k_conv, w_conv),
    ROW_WORK(CONV_T, k_conv_t, w_conv_t),
    ROW_WORK(CONV_W, k_conv_w, w_conv_w),
    [OP_SUM] = {.run = k_sum, .name = "k_sum", .work = w_sum, .fits_program = fits_sum_program},
    ROW(EXPAND, k_expand),
    ROW(MAX, k_max),
    ROW(ARGMAX, k_argmax),
    ROW_WORK(SOFTMAX, k_softmax, w_softmax),
    ROW_WORK(LOGSUMEXP, k_logsumexp, w_softmax),
    ROW(PERMUTE, k_permute),
    ROW(SLICE, k_slice),
    ROW(PAD, k_pad),
    ROW(CONCAT, k_concat),
    ROW(REFLECT, k_reflect),
    ROW(UNREFLECT, k_unreflect),
    ROW(GATHER, k_gather),
    ROW(SCATTER, k_scatter),
    ROW(RANDOM, k_random),
    ROW_WORK(ATTEND_STEP, k_attend_step, w_attend_step),
    ROW(LINEAR, k_linear),
    [OP_NORM] = {.run = k_norm, .name = "k_norm", .fits = fits_norm, .work = w_norm},
    [OP_NORM_DX] = {.run = k_norm_dx, .name = "k_norm_dx", .fits = fits_norm, .work = w_norm_dx},
    ROW_WORK(XENT, k_xent, w_xent),
    ROW(XENT_DX, k_xent_dx),
    ROW_WORK(ATTENTION, k_attention, w_attention),
    ROW_WORK(ATTENTION_DX, k_attention_dx, w_attention_dx),
    ROW_WORK(GRU, k_gru, w_gru),
    ROW_WORK(GRU_DX, k_gru_dx, w_gru_dx),
};

static const struct kernel reference[N_OPS] = {
    ROW(MATMUL, ref_matmul),
    ROW(CONV, ref_conv),
    ROW(CONV_T, ref_conv_t),
    ROW(CONV_W, ref_conv_w),
};

/* Flush-to-zero and denormals-are-zero; returns what to give to float_mode_set to go back. */
static unsigned float_mode_flush(void)
{
#if defined(__x86_64__)
    unsigned old = _mm_getcsr();
    _mm_setcsr(old | 0x8040);
    return old;
#else
    return 0;
#endif
}

static void float_mode_set(unsigned mode)
{
#if defined(__x86_64__)
    _mm_setcsr(mode);
#else
    (void)mode;
#endif
}

static enum err cpu_open(struct device *d, int threads)
{
    unsigned mode = float_mode_flush(); /* threads inherit the mode of the one that starts them */
    d->pool = pool_new(threads);
    float_mode_set(mode);
    if (!d->pool)
        return err_set(ERR_DEVICE, "cannot start compute threads");
    str_format(d->name, sizeof(d->name), "cpu, %d thread%s, %s", pool_size(d->pool),
               pool_size(d->pool) > 1 ? "s" : "", isa_name(cpu_isa()));
    return ERR_OK;
}

static void cpu_close(struct device *d)
{
    pool_free(d->pool);
}

static enum err cpu_alloc(struct device *d, size_t bytes, void **out)
{
    (void)d;
    return mem_block_new(bytes, out);
}

static void cpu_free(struct device *d, void *p)
{
    (void)d;
    mem_block_free(p);
}

static enum err cpu_copy(struct device *d, void *dst, const void *src, size_t bytes)
{
    (void)d;
    memcpy(dst, src, bytes);
    return ERR_OK;
}

static enum err cpu_recent(struct device *d, const float *at, float *out)
{
    (void)d;
    *out = *at;
    return ERR_OK;
}

static void cpu_begin(struct device *d, unsigned *saved)
{
    (void)d;
    *saved = float_mode_flush();
}

static void cpu_end(struct device *d, unsigned saved)
{
    (void)d;
    float_mode_set(saved);
}

static void cpu_report(struct device *d, struct str *out)
{
    str_addf(out, "device    %s\n", d->name);
    cpu_kernels_report(d->pool, out);
}

const struct backend cpu_backend = {
    .kind = "cpu",
    .host = true,
    .open = cpu_open,
    .close = cpu_close,
    .alloc = cpu_alloc,
    .free = cpu_free,
    .upload = cpu_copy,
    .download = cpu_copy,
    .copy = cpu_copy,
    .recent = cpu_recent,
    .begin = cpu_begin,
    .end = cpu_end,
    .report = cpu_report,
    .flat = &cpu_flat,
    .elem = { .run = k_elem, .name = "k_elem" },
    .kernels = kernels,
    .reference = reference,
    .pack = { .run = k_pack, .name = "k_pack", .work = w_pack },
    .store = { .run = k_store, .name = "k_store" },
};
