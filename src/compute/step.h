/* step.h: what a plan runs, and the contract of kernels.
 *
 * A plan is a list of steps, each one kernel with resolved pointers. A kernel is a pure function of its
 * step: it allocates nothing, uses no workspace but what its row declared, writes all of its output, and
 * gives the same bits for any number of threads. Memory is 64-byte aligned, row lengths need not be. */
#pragma once
#include "flat.h"
#include "op.h"
#include "plan.h"
#include "pool.h"

/* A chain of element-wise nodes as one loop: every operand is an input or a temporary block. */
enum { PROGRAM_OPS = 24, PROGRAM_INPUTS = 24 };
struct program_input {
    bool constant;       /* `value` everywhere */
    bool spread;         /* repeated: element i reads i / (mid * inner) * inner + i % inner */
    float value;
    size_t mid, inner;
};
struct program_op { enum op op; int16_t dst, src[3]; float a, b; }; /* operands below n_in are inputs */
struct program {
    int n_in, n_ops, n_temps;
    struct program_input in[PROGRAM_INPUTS];
    struct program_op op[PROGRAM_OPS];
};

struct step;
typedef void (*kernel_fn)(const struct step *s, struct pool *pool);

struct step {
    kernel_fn run;
    const struct node *node;       /* attributes and shapes */
    const void **in;               /* one an input of the node, or of the program */
    void *out;
    void *work;
    const struct program *program; /* element-wise steps; reductions of an element-wise chain */
    const float *packed;           /* products: the second factor, prepacked */
    enum act act;                  /* products: applied to the result */
    float slope;
    void *prepared;                /* what the kernel's `prepare` left */
};

struct kernel {
    kernel_fn run;
    const char *name;
    bool (*fits)(const struct node *n);   /* NULL: every node of the op */
    size_t (*work)(const struct node *n, int threads); /* bytes of workspace; NULL: none */
    bool (*fits_program)(const struct node *n); /* can compute its input by a program; NULL: cannot */
    /* Once a plan, when all of the step but its pointers is known: descriptors, algorithms. NULL: nothing. */
    NODISCARD enum err (*prepare)(struct device *d, struct step *s);
    void (*release)(struct step *s);      /* what `prepare` made, also after it failed; never NULL beside it */
};

/* A kind of device: its memory and its kernels. Private to backend.c, plan.c and the backends. */
struct backend {
    const char *kind;
    bool host; /* its memory is ordinary memory */
    NODISCARD enum err (*open)(struct device *d, int threads);
    void (*close)(struct device *d);
    NODISCARD enum err (*alloc)(struct device *d, size_t bytes, void **out);
    void (*free)(struct device *d, void *p);
    NODISCARD enum err (*upload)(struct device *d, void *dst, const void *host, size_t bytes);
    NODISCARD enum err (*download)(struct device *d, void *host, const void *src, size_t bytes);
    NODISCARD enum err (*copy)(struct device *d, void *dst, const void *src, size_t bytes); /* within its memory */
    NODISCARD enum err (*recent)(struct device *d, const float *at, float *out);            /* device_recent */
    void (*begin)(struct device *d, unsigned *saved); /* before and after the steps of a run */
    void (*end)(struct device *d, unsigned saved);
    /* Devices that record what a run enqueues and play it again; NULL: steps run one by one, as the host does.
     * `key` stands for all addresses of the steps: there is a recording a key, kept behind *recordings. */
    NODISCARD enum err (*play)(struct device *d, void **recordings, uint64_t key, enum err (*enqueue)(void *ctx), void *ctx);
    void (*forget)(struct device *d, void *recordings);
    NODISCARD enum err (*wait)(struct device *d); /* until all that was enqueued is done; NULL: nothing is ever pending */
    void (*report)(struct device *d, struct str *out);
    const struct flat_ops *flat;
    struct kernel elem;             /* of all F_ELEM ops, one or a chain of them */
    const struct kernel *kernels;   /* by op, of the others; empty rows: no kernel */
    const struct kernel *reference; /* plain loops, where they differ */
    struct kernel pack;             /* of a product's constant second factor; work = bytes of the result */
    struct kernel store;
};

struct device {
    const struct backend *backend;
    struct pool *pool;
    enum precision precision;
    char name[192];
};

extern const struct backend cpu_backend;

/* The one symbol of the module with the CUDA kernels (cuda/cuda.c). */
#define CUDA_ENTRY "jamroll_cuda_backend"
typedef const struct backend *cuda_entry_fn(void);

/* The kernel that runs n on b, or NULL. */
const struct kernel *backend_kernel(const struct backend *b, const struct node *n, bool reference);
