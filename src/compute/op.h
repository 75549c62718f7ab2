/* op.h: what a node is, and the op table's rows. Private to compute and its tests; the rest of the program
 * sees graph.h only.
 *
 * Invariants: a node's inputs have smaller ids than the node; equal nodes (op, attributes, inputs) are one
 * node; attributes are zero-filled before they are set, so that they compare by bytes. */
#pragma once
#include <stdio.h>
#include "graph.h"
#include "mem.h"

enum op {
#define OP(name, inputs, flags, shape, vjp, lower, flops) OP_##name,
#include "op.def"
#undef OP
    N_OPS
};

enum {
    F_LEAF = 1,     /* memory comes from outside */
    F_ELEM = 2,     /* output element i depends on element i of each input */
    F_VIEW = 4,     /* the input's memory under another shape */
    F_NONDIFF = 8,  /* derivative zero, or not defined */
    F_MACRO = 16,   /* has a lowering into primitives */
    F_EFFECT = 32,  /* writes memory of its own besides its output */
};

union attr {
    struct { bool ta, tb; } matmul;
    struct { struct geom geom; int32_t size[3]; } conv;       /* size: spatial size of conv_t's output */
    struct { float a, b; } scale;
    float c;                                                  /* powc: exponent; leaky, step: slope */
    struct { unsigned axes; float eps; } reduce;              /* sum, max, norm */
    int32_t axis;                                             /* argmax, softmax, logsumexp, concat */
    int32_t order[MAX_RANK];                                  /* permute */
    struct { int32_t axis, a, b; } window;                    /* slice: from, n; pad, reflect: before, after */
    int32_t rows;                                             /* scatter */
    struct { struct shape shape; float value; } fill;         /* fill; shape alone: leaves, reshape, expand */
    struct { struct shape shape; enum dist dist; uint32_t stream; } random;
    struct { int32_t heads; bool causal; } attention;
};

struct node {
    enum op op;
    enum dtype dtype;
    uint32_t id;               /* position in the graph: inputs come before */
    int n_in;
    struct shape shape;
    struct node **in;
    union attr attr;
    const char *name;          /* inputs and params */
    const float *data;         /* constants */
    struct graph *graph;
    struct node *next;         /* in its hash bucket */
};

struct op_row {
    const char *name;
    int n_in;
    unsigned flags;
    const char *(*shape)(struct node *n); /* sets shape and dtype; returns what is wrong, or NULL */
    double (*flops)(const struct node *n);
};
extern const struct op_row op_rows[N_OPS];

/* The table is complete: shape rules everywhere, a derivative for each primitive, a lowering for each macro.
 * Returns the name of the first faulty row or NULL. */
const char *op_table_fault(void);
bool op_has_vjp(enum op op);
bool op_has_lowering(enum op op);
double op_flops(const struct node *n);
void op_print(const struct node *n, char *buf, size_t cap); /* "sum{axes 0 1}" */

static inline bool node_is(const struct node *n, enum op op) { return n->op == op; }
static inline bool node_flag(const struct node *n, unsigned f) { return op_rows[n->op].flags & f; }
static inline size_t node_count(const struct node *n) { return shape_count(n->shape); }

/* graph.c: the one way to make a node: checks shapes, simplifies, finds an equal node or interns a new one. */
struct node *node_make(struct graph *g, enum op op, const union attr *attr, struct node *const *in, int n_in);
size_t graph_size(const struct graph *g);
struct node *graph_at(const struct graph *g, size_t id);
void graph_simplify(struct graph *g, bool on); /* on by default; off: nodes are kept as built (tests) */

/* simplify.c: a cheaper equal of the prototype n, or NULL. */
struct node *simplify(struct node *n);

/* lower.c: the macro n in primitives. */
struct node *lower(struct node *n);

/* grad.c: derivatives with wrt treated as independent leaves, whatever they depend on (for lowerings). */
void vjp_cut(struct node *y, struct node *seed, struct node *const *wrt, int n, struct node **out);
void op_backward(struct node *y, struct node *g, struct node **dx); /* y's own rule: dx per input, may be NULL */

/* build.c: derivative macros, emitted by grad.c only. */
struct node *g_norm_dx(struct node *g, struct node *x, unsigned axes, float eps);
struct node *g_gelu_dx(struct node *g, struct node *x);
struct node *g_xent_dx(struct node *logits, struct node *target, struct node *g);
struct node *g_attention_dx(struct node *g, const struct node *forward); /* [3,N,T,D]: dq, dk, dv */
/* [N,T,D,4H], gradients before the gates: of z, r, the candidate by its input, the candidate by its recurrent part. */
struct node *g_gru_dx(struct node *g, struct node *forward);

/* A run of axes as three loops: [outer, mid, inner], where mid are the axes of the mask. False when the axes
 * (those of size 1 left out) are not adjacent. */
struct span { size_t outer, mid, inner; };
bool span_of(struct shape s, unsigned axes, struct span *out);
unsigned shape_diff(struct shape from, struct shape to); /* axes whose sizes differ */
