/* launch.h: the launchers of kernels, in C. Each enqueues on cuda_stream and returns; pointers are device
 * memory of floats, aligned as floats are unless said otherwise; sizes are in elements and below 2^31. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The one stream of the device; made by device_open (cuda.c). */
extern cudaStream_t cuda_stream;

/* Division by a number that is known before, of numbers below 2^31 (device.h). */
struct cu_div { uint32_t divisor, factor, shift; };
struct cu_div cu_div_of(size_t divisor); /* 1 .. 2^31 - 1 */

/* [outer, mid, inner]: what reductions and normalisations see. */
struct cu_span { uint32_t outer, mid, inner; };

/* ---- elem.cu: a chain of element-wise ops (struct program of step.h), passed by value. ---- */
enum cu_code {
#define OP(name, inputs, flags, shape, vjp, lower, flops) CU_##name,
#include "../op.def"
#undef OP
};
enum cu_kind { CU_PLAIN, CU_CONSTANT, CU_SPREAD };
enum { CU_INPUTS = 24, CU_OPS = 24 };
struct cu_input {
    const float *data;
    float value;                  /* constant */
    uint8_t kind;
    bool wide;                    /* four elements in a row are one 16-byte access; spread: or one element */
    struct cu_div period, inner;  /* spread: element i reads i / period * inner + i % inner */
};
/* Operands below n_in are inputs, -1 is none, others temporaries. */
struct cu_op { int16_t code, dst, src[3]; float a, b; };
struct cu_program {
    int n_in, n_ops;
    struct cu_input in[CU_INPUTS];
    struct cu_op op[CU_OPS];
};
void cu_elem(const struct cu_program *p, float *out, size_t n);

/* ---- reduce.cu: over mid; out [outer, inner]. ---- */
size_t cu_reduce_work(struct cu_span s); /* floats of workspace */
void cu_sum(const float *x, float *out, float *work, struct cu_span s);
void cu_sum_program(const struct cu_program *p, float *out, float *work, struct cu_span s);
void cu_max(const float *x, float *out, float *work, struct cu_span s);
void cu_argmax(const float *x, int32_t *out, struct cu_span s); /* the first of equals */

/* ---- softmax.cu: over mid; out as x, or [outer, inner]. ---- */
void cu_softmax(const float *x, float *out, struct cu_span s);
void cu_logsumexp(const float *x, float *out, struct cu_span s);

/* ---- move.cu ---- */
enum { CU_RANK = 6 };
/* A strided copy: the output walked in order, the input by strides (0: repeated). */
struct cu_strided { int rank; uint32_t dim[CU_RANK]; int64_t stride[CU_RANK]; };
/* One axis of another length: [outer, from, inner] to [outer, to, inner]; before: position of the input's start
 * in the output (slice: of the output's in the input). */
struct cu_window { uint32_t outer, from, to, inner; int32_t before; };
void cu_fill(float *out, float value, size_t n);
void cu_walk(const float *x, float *out, struct cu_strided w);
void cu_slice(const float *x, float *out, struct cu_window w);
void cu_pad(const float *x, float *out, struct cu_window w);
void cu_place(const float *x, float *out, struct cu_window w); /* as pad, what lies around is left */
void cu_reflect(const float *x, float *out, struct cu_window w);
void cu_unreflect(const float *x, float *out, struct cu_window w);
/* Rows of table [rows, width] by index [n]; indices outside give zeros, or are left out. */
void cu_gather(const float *table, const int32_t *index, float *out, uint32_t n, uint32_t rows, uint32_t width);
void cu_scatter(const float *x, const int32_t *index, float *out, uint32_t n, uint32_t rows, uint32_t width);

/* ---- random.cu: the bytes of cpu/random.c; seed is device memory [2]. ---- */
void cu_random(const uint32_t *seed, uint32_t stream, bool normal, float *out, size_t n);

/* ---- norm.cu: g NULL: the normalisation of x, otherwise its derivative. ---- */
size_t cu_norm_work(struct cu_span s); /* floats */
void cu_norm(const float *x, const float *g, float *out, float *work, struct cu_span s, float eps);

/* ---- xent.cu: logits [rows, width]; work [rows] floats, one for the derivative. ---- */
void cu_xent(const float *logits, const int32_t *target, float *out, float *work, uint32_t rows, uint32_t width);
void cu_xent_dx(const float *logits, const int32_t *target, const float *g, float *out, float *work, uint32_t rows,
                uint32_t width);

/* ---- attn.cu: q, k, v and out [n, t, heads * width]; length [n] or NULL. ---- */
struct cu_heads { uint32_t n, t, heads, width; bool causal; float scale; };
bool cu_attention_fits(uint32_t width); /* of a head */
size_t cu_attention_dx_work(struct cu_heads a); /* floats */
void cu_attention(const float *q, const float *k, const float *v, const int32_t *length, float *out, struct cu_heads a);
void cu_attention_dx(const float *g, const float *q, const float *k, const float *v, const int32_t *length, float *dq,
                     float *dk, float *dv, float *work, struct cu_heads a);
/* One decoding step: q, k, v, out [n, d]; caches [n, t, d], written at position[n]; work [n, heads, t]. */
void cu_attend_step(const float *q, const float *k, const float *v, float *k_cache, float *v_cache,
                    const int32_t *position, float *out, float *work, struct cu_heads a);

/* ---- gru.cu: shapes as g_gru (graph.h); xw [n, t, dirs, 3h], states y [n, t, dirs h]. ---- */
struct cu_layer { uint32_t n, t, dirs, h; };
bool cu_gru_fits(uint32_t h);
size_t cu_gru_dx_work(struct cu_layer a); /* floats */
void cu_gru(const float *xw, const float *u, const float *c, float *y, struct cu_layer a);
void cu_gru_dx(const float *g, const float *xw, const float *u, const float *c, const float *y, float *out, float *work,
               struct cu_layer a);

#ifdef __cplusplus
}
#endif
