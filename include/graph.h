/* graph.h: a network as a graph of nodes from the closed op table (op.def). Pure: building a graph
 * touches no device. Nodes are owned by the graph and live as long as it does. A wrong shape in a
 * builder is a programmer's error (BUG); configurations from files are checked before.
 *
 * The set is closed under differentiation: every primitive's derivative is written in ops of the table
 * (grad.c), so gradients of gradients exist to any order. Broadcasting happens only through g_expand. */
#pragma once
#include "str.h"
#include "tensor.h"

struct graph;
struct node;

struct graph *graph_new(void);
void graph_free(struct graph *g);
struct shape node_shape(const struct node *n);
void graph_print(const struct graph *g, struct node *const *outputs, int n, bool dot, struct str *out);

/* Leaves. A param is a leaf whose memory a parameter set binds; a state is one that STORE may write. */
struct node *g_input(struct graph *g, const char *name, enum dtype t, struct shape s);
struct node *g_param(struct graph *g, const char *name, struct shape s);
struct node *g_const(struct graph *g, float value);                        /* rank 0 */
struct node *g_const_data(struct graph *g, struct shape s, const float *copied);
struct node *g_fill(struct graph *g, struct shape s, float value);

/* Products. a [...,M,K] x b [...,K,N] (after the transposes of the last two axes); leading axes equal, or
 * b of rank 2 shared by all. */
struct node *g_matmul(struct node *a, struct node *b, bool ta, bool tb);

/* Convolution over up to three spatial axes, channels-last: x [N,S1,S2,S3,Cin], w [K1,K2,K3,Cin,Cout],
 * y [N,O1,O2,O3,Cout], O = (S + lo + hi - K) / stride + 1. conv_t is its adjoint in x (transposed
 * convolution: y -> x of the given spatial size), conv_w its adjoint in w. */
struct geom { int32_t kernel[3], stride[3], lo[3], hi[3]; }; /* lo, hi: zero padding before and after */
struct node *g_conv(struct node *x, struct node *w, struct geom geom);
struct node *g_conv_t(struct node *y, struct node *w, struct geom geom, const int32_t size[3]);
struct node *g_conv_w(struct node *x, struct node *y, struct geom geom);

struct node *g_add(struct node *a, struct node *b);
struct node *g_sub(struct node *a, struct node *b);
struct node *g_mul(struct node *a, struct node *b);
struct node *g_div(struct node *a, struct node *b);
struct node *g_scale(struct node *x, float a, float b);      /* a x + b */
struct node *g_powc(struct node *x, float c);
struct node *g_exp(struct node *x);
struct node *g_log(struct node *x);
struct node *g_tanh(struct node *x);
struct node *g_sigmoid(struct node *x);
struct node *g_leaky(struct node *x, float slope);           /* relu with slope 0, |x| with -1 */
struct node *g_step(struct node *x, float slope);            /* x > 0 ? 1 : slope; derivative 0 */
struct node *g_ge(struct node *a, struct node *b);           /* a >= b ? 1 : 0; derivative 0 */
struct node *g_select(struct node *m, struct node *a, struct node *b); /* m != 0 ? a : b */

/* Reductions keep reduced axes as size 1; axes is a bit mask. expand repeats axes of size 1. */
struct node *g_sum(struct node *x, unsigned axes);
struct node *g_mean(struct node *x, unsigned axes);          /* sum and scale */
struct node *g_expand(struct node *x, struct shape to);
struct node *g_max(struct node *x, unsigned axes);
struct node *g_argmax(struct node *x, int axis);             /* I32 */
struct node *g_softmax(struct node *x, int axis);
struct node *g_logsumexp(struct node *x, int axis);

struct node *g_reshape(struct node *x, struct shape to);
struct node *g_permute(struct node *x, const int *order);    /* output axis i is input axis order[i] */
struct node *g_slice(struct node *x, int axis, int32_t from, int32_t n);
struct node *g_pad(struct node *x, int axis, int32_t before, int32_t after); /* with zeros */
struct node *g_concat(struct node *const *xs, int n, int axis);
struct node *g_reflect(struct node *x, int axis, int32_t before, int32_t after); /* edge not repeated */
struct node *g_unreflect(struct node *x, int axis, int32_t before, int32_t after); /* adjoint: fold back */
struct node *g_gather(struct node *table, struct node *idx); /* table [V,D], idx I32 [...] -> [...,D]; idx < 0 gives zeros */
struct node *g_scatter(struct node *g, struct node *idx, int32_t rows); /* adjoint: add rows of g into [V,D] */

enum dist { DIST_UNIFORM, DIST_NORMAL };
/* Philox; seed is an I32 [2] input (seed, step counter) so that a plan can be replayed with other numbers. */
struct node *g_random(struct graph *g, struct shape s, enum dist dist, struct node *seed, uint32_t stream);
struct node *g_stop(struct node *x);                         /* identity, no gradient */
/* Copies x into the memory bound to `state` (a g_param leaf) at the end of each run, when all readers of the
 * state have seen its old value; value = x. Keep it among the outputs. */
struct node *g_store(struct node *x, struct node *state);

/* Macros: lower to primitives where a device has no kernel; some carry their own derivative. */
enum act { ACT_NONE, ACT_RELU, ACT_LEAKY, ACT_TANH, ACT_SIGMOID, ACT_GELU };
/* w [in,out]; bias may be NULL. ACT_LEAKY has slope 0.2. */
struct node *g_linear(struct node *x, struct node *w, struct node *bias, enum act act);
/* (x - mean) / sqrt(var + eps) over axes (biased variance), no affine part. */
struct node *g_norm(struct node *x, unsigned axes, float eps);
struct node *g_gelu(struct node *x);                         /* tanh form */
/* Mean over rows with target >= 0 of cross entropy; logits [R,V], target I32 [R]. Rank 0. */
struct node *g_xent(struct node *logits, struct node *target);
/* Multi-head attention with q, k, v [N,T,D], D = heads * head width, scale 1/sqrt(head width), causal or
 * not. length I32 [N] or NULL: keys at or beyond it are masked; at least 1. */
struct node *g_attention(struct node *q, struct node *k, struct node *v, int heads, bool causal, struct node *length);
/* A gated recurrent layer (Cho et al. 2014; two biases, the reset gate after the product) from a state of zeros.
 * xw [N,T,D,3H]: the inputs' products with their bias, gates in the order z, r, candidate; D directions, 1 or 2, the
 * second from the end; u [D,H,3H] and c [D,3H] the recurrent weights and bias. All states [N,T,D H]. */
struct node *g_gru(struct node *xw, struct node *u, struct node *c);
/* One decoding step: q, k, v [N,D]; caches [N,Tmax,D] are params written at row position[n], then
 * attended from 0 to position[n]. position I32 [N]. No derivative. */
struct node *g_attend_step(struct node *q, struct node *k, struct node *v, struct node *k_cache,
                           struct node *v_cache, struct node *position, int heads);

/* Gradients of the scalar `loss` with respect to `wrt`; nodes of the same graph. wrt that loss does not
 * depend on give zeros. */
void graph_grad(struct node *loss, struct node *const *wrt, int n, struct node **out);
/* Vector-Jacobian product: gradients of sum(seed * y). */
void graph_vjp(struct node *y, struct node *seed, struct node *const *wrt, int n, struct node **out);
