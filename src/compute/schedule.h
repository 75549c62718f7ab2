/* schedule.h: between plan.c and its parts: what the planner knows of each node, buffer and step before
 * pointers exist. */
#pragma once
#include <limits.h>
#include "step.h"

enum role {
    ROLE_STEP,   /* computed by a step of its own into a buffer of its own */
    ROLE_LEAF,   /* memory from outside */
    ROLE_VIEW,   /* the memory of its input */
    ROLE_INLINE, /* computed within the step of its only reader */
};

/* One needed node. Items are in topological order. */
struct item {
    struct node *node;
    enum role role;
    int readers;         /* other nodes that read it */
    int reader;          /* the last of them */
    bool output;
    bool fixed;          /* the same in every run: computed once */
    bool wanted;         /* repeated nodes: somebody needs them written out */
    int ops;             /* element-wise roots: ops of the program so far */
    int product;         /* activations: the product whose epilogue this is, or -1 */
    int chain;           /* reductions: the element-wise root computed within, or -1 */
    int buffer;          /* where its value lies ... */
    size_t offset;       /* ... and how far in, in bytes */
};

/* A run of memory with a life. */
struct buffer {
    size_t bytes, offset; /* in the arena */
    int first, last;      /* steps; last INT_MAX: as long as the plan */
    bool outside;         /* a leaf's, or constant data */
    void *base;           /* resolved */
    void *bound;          /* outside memory given by the caller */
};

struct schedule {
    struct graph *graph;
    const struct backend *backend;
    bool frozen, reference;
    struct item *items;
    int n_items;
    int *index;           /* item of a node id, or -1 */
    struct buffer *buffers;
    int n_buffers;
    size_t cap_buffers;
};

static inline struct item *item_of(const struct schedule *s, const struct node *n)
{
    return &s->items[s->index[n->id]];
}

int buffer_new(struct schedule *s, size_t bytes, int first, int last);

/* order.c: the items of outs (which may be replaced by what they lower to). */
void order(struct schedule *s, struct node **outs, int n);

/* fuse.c: roles of the element-wise nodes; the program of a root. Inputs receives its n_in nodes
 * (NULL where the input is a constant). */
void fuse(struct schedule *s);
void program_build(const struct schedule *s, int root, struct program *p, struct node **inputs);
bool spread_of(const struct node *expand, struct span *span);

/* place.c: offsets for all buffers that are not outside; returns the size of the arena. */
size_t place(struct buffer *buffers, int n);
