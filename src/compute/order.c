/* order.c: from a graph and its wanted outputs to items in topological order: macros without a kernel are
 * lowered, and each node learns how many read it, whether it changes between runs, and where it may live. */
#include <stdlib.h>
#include "schedule.h"

/* The graph of the outputs with every macro the device cannot run replaced, in order of ids; macros within
 * lowerings are lowered in the next round. Returns whether anything was replaced. */
static bool lower_round(struct schedule *s, struct node **outs, int n)
{
    size_t size = graph_size(s->graph);
    struct node **now = xcalloc(size, sizeof(*now));
    bool *needed = xcalloc(size, sizeof(*needed)), any = false;
    for (int i = 0; i < n; i++)
        needed[outs[i]->id] = true;
    for (size_t i = size; i-- > 0;)
        for (int k = 0; needed[i] && k < graph_at(s->graph, i)->n_in; k++)
            needed[graph_at(s->graph, i)->in[k]->id] = true;
    for (size_t i = 0; i < size; i++) {
        struct node *old = graph_at(s->graph, i);
        if (!needed[i])
            continue;
        struct node **in = xcalloc((size_t)old->n_in + 1, sizeof(*in));
        bool changed = false;
        for (int k = 0; k < old->n_in; k++) {
            in[k] = now[old->in[k]->id];
            changed |= in[k] != old->in[k];
        }
        now[i] = changed ? node_make(s->graph, old->op, &old->attr, in, old->n_in) : old;
        if (node_flag(now[i], F_MACRO) && !backend_kernel(s->backend, now[i], s->reference)) {
            now[i] = lower(now[i]);
            any = true;
        }
        free(in);
    }
    for (int i = 0; i < n; i++)
        outs[i] = now[outs[i]->id];
    free(now);
    free(needed);
    return any;
}

static void collect(struct schedule *s, struct node *const *outs, int n)
{
    size_t size = graph_size(s->graph);
    s->index = xcalloc(size, sizeof(*s->index));
    for (int i = 0; i < n; i++)
        s->index[outs[i]->id] = 1;
    for (size_t i = size; i-- > 0;)
        for (int k = 0; s->index[i] && k < graph_at(s->graph, i)->n_in; k++)
            s->index[graph_at(s->graph, i)->in[k]->id] = 1;
    for (size_t i = 0; i < size; i++)
        s->n_items += s->index[i];
    s->items = xcalloc((size_t)s->n_items + 1, sizeof(*s->items));
    int at = 0;
    for (size_t i = 0; i < size; i++) {
        if (s->index[i])
            s->items[at] = (struct item){ .node = graph_at(s->graph, i), .product = -1, .chain = -1,
                                             .reader = -1 };
        s->index[i] = s->index[i] ? at++ : -1;
    }
    for (int i = 0; i < n; i++)
        item_of(s, outs[i])->output = true;
}

static void count_readers(struct schedule *s)
{
    for (int i = 0; i < s->n_items; i++)
        for (int k = 0; k < s->items[i].node->n_in; k++) {
            struct item *in = item_of(s, s->items[i].node->in[k]);
            in->readers += in->reader != i; /* readers come in order: one node counts once */
            in->reader = i;
        }
}

/* Params that a step writes are not constant even in a frozen plan. */
static void find_fixed(struct schedule *s)
{
    bool *written = xcalloc((size_t)s->n_items + 1, sizeof(*written));
    for (int i = 0; i < s->n_items; i++)
        for (int k = 0; k < s->items[i].node->n_in; k++)
            if (node_flag(s->items[i].node, F_EFFECT) && k > 0)
                written[s->index[s->items[i].node->in[k]->id]] = true;
    for (int i = 0; i < s->n_items; i++) {
        struct item *it = &s->items[i];
        const struct node *n = it->node;
        it->fixed = n->op != OP_INPUT && n->op != OP_RANDOM && !node_flag(n, F_EFFECT) &&
                    (n->op != OP_PARAM || (s->frozen && !written[i]));
        for (int k = 0; k < n->n_in; k++)
            it->fixed &= item_of(s, n->in[k])->fixed;
    }
    free(written);
}

/* A slice of the first axis (but for axes of size 1) is its input's memory from some point on. */
static bool leading_slice(const struct node *n)
{
    struct span span;
    return n->op == OP_SLICE && span_of(n->in[0]->shape, 1u << n->attr.window.axis, &span) && span.outer == 1;
}

static void first_roles(struct schedule *s)
{
    for (int i = 0; i < s->n_items; i++) {
        const struct node *n = s->items[i].node;
        bool view = node_flag(n, F_VIEW) || leading_slice(n) || n->op == OP_STORE;
        s->items[i].role = node_flag(n, F_LEAF) ? ROLE_LEAF : view ? ROLE_VIEW : ROLE_STEP;
    }
}

void order(struct schedule *s, struct node **outs, int n)
{
    while (lower_round(s, outs, n))
        ;
    collect(s, outs, n);
    count_readers(s);
    find_fixed(s);
    first_roles(s);
}
