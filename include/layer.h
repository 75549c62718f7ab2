/* layer.h: layers as graph builders with named parameters. A net couples a graph to a parameter set; the
 * same builder run on a second graph (another batch size) reuses the same parameters. Each layer's tensors
 * are "name.w", "name.b" (products), "name.gamma", "name.beta", "name.mean", "name.var" (norms). */
#pragma once
#include "graph.h"
#include "param.h"

struct net {
    struct graph *g;
    struct params *p;
    bool training;            /* batch statistics, dropout */
    struct node *seed;        /* I32 [2] for dropout and noise; NULL when not needed */
    uint32_t n_random;        /* streams handed out so far */
    struct node *stores[256]; /* moving-average updates to add to the plan's outputs */
    int n_stores;
    float momentum;           /* of all moving statistics; 0 = as each layer says */
};

struct node *nn_param(struct net *n, const char *name, struct shape s, struct init_spec init);
struct node *nn_state(struct net *n, const char *name, struct shape s, struct init_spec init);
/* A vector over the last axis of `to`, repeated along all others. */
struct node *nn_across(struct node *v, struct shape to);
struct node *nn_linear(struct net *n, const char *name, struct node *x, int out, bool bias,
                       struct init_spec init, enum act act);
struct node *nn_conv(struct net *n, const char *name, struct node *x, int out, struct geom g, bool bias,
                     struct init_spec init);
struct node *nn_conv_t(struct net *n, const char *name, struct node *x, int out, struct geom g, bool bias,
                       struct init_spec init);
struct node *nn_bias(struct net *n, const char *name, struct node *x); /* add over the last axis */
/* Batch norm over all but the last axis with moving statistics (as in TF: new = m old + (1-m) batch). */
struct node *nn_batch_norm(struct net *n, const char *name, struct node *x, float momentum, float eps);
/* The update of a moving statistic by the batch's, added to the net's stores. */
void nn_keep_moving(struct net *n, struct node *state, struct node *batch, float momentum);
/* Last axis, affine. */
struct node *nn_layer_norm(struct net *n, const char *name, struct node *x, float eps);
/* [N,...,C], affine */
struct node *nn_instance_norm(struct net *n, const char *name, struct node *x, float eps);
struct node *nn_embedding(struct net *n, const char *name, struct node *idx, int rows, int width,
                          struct init_spec init);
struct node *nn_dropout(struct net *n, struct node *x, float rate);  /* identity unless training */
/* Gated recurrent layer, x [N,T,C] to all states [N,T,D H] with D = 2 directions or 1. "name.w" [C,D 3H] and "name.b"
 * of the inputs, "name.u" [D,H,3H] and "name.c" [D,3H] of the states: Keras' layer with reset_after, PyTorch's GRU. */
struct node *nn_gru(struct net *n, const char *name, struct node *x, int width, bool both_ways);
/* Pre-norm transformer block (minGPT form): x + attention(norm x), x + mlp(norm x); x [N,T,D]. */
struct node *nn_block(struct net *n, const char *name, struct node *x, int heads, float dropout, int depth,
                      struct node *length);
/* The same block for one decoding step: x [N,D], caches made by the caller as states. */
struct node *nn_block_step(struct net *n, const char *name, struct node *x, int heads, int depth,
                           struct node *k_cache, struct node *v_cache, struct node *position);
