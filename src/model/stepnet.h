/* stepnet.h: a network over steps. A step is a handful of indices whose embeddings are summed; a causal
 * transformer reads the steps; heads draw what comes next one attribute after the other, each from the
 * transformer's output refined by what the heads before it drew. One input table and one plain head make it
 * the usual language model over tokens. Inputs and heads are rows of a configuration, so a new way of writing
 * music down needs no new network. */
#pragma once
#include "layer.h"

enum { STEP_INPUTS = 12, STEP_HEADS = 4 };
struct step_table { const char *name; int rows; };  /* of an input: embeddings; of a head: logits */

struct stepnet {
    int width, layers, heads;
    int mlp;                 /* hidden width of the heads after the first */
    int n_in, n_out;
    struct step_table in[STEP_INPUTS], out[STEP_HEADS];
    int styles;              /* rows of a table of which a step adds a weighted sum; 0 = none */
    int places;              /* learned absolute positions, and the longest sequence; 0 = none */
    bool head_bias;
    double dropout;
};

/* The training graph over [rows,time] steps: a mean cross entropy a head and their weighted sum. */
struct stepnet_batch {
    struct node *in[STEP_INPUTS];     /* I32 [N,T], -1 = absent */
    struct node *style;               /* F32 [N,S] or NULL */
    struct node *length;              /* I32 [N] */
    struct node *target[STEP_HEADS];  /* I32 [N*T], -1 = nothing to predict */
    struct node *weight[STEP_HEADS];  /* rank 0: the share of each head in the loss */
    struct node *logits[STEP_HEADS];  /* [N*T,V] */
    struct node *loss, *head[STEP_HEADS];
};
struct stepnet_batch stepnet_build_batch(struct net *n, const struct stepnet *c, int rows, int time);
size_t stepnet_count(const struct stepnet *c);    /* its parameters */

/* The decoding graphs for `rows` sequences of up to `time` steps: the transformer with the first head, and a
 * graph for each later one. The caches are leaves named by stepnet_cache_name. */
struct stepnet_step {
    struct node *in[STEP_INPUTS], *style, *position;  /* I32 [N], F32 [N,S], I32 [N] */
    struct node *hidden, *logits;
};
struct stepnet_step stepnet_build_step(struct net *n, const struct stepnet *c, int rows, int time);
struct stepnet_head {
    struct node *hidden, *drawn;      /* F32 [N,D] from the head before; I32 [N] what that one drew */
    struct node *refined, *logits;
};
struct stepnet_head stepnet_build_head(struct net *n, const struct stepnet *c, int head, int rows);
void stepnet_cache_name(char name[32], char which, int layer);  /* which: 'k' or 'v' */
