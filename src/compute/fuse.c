/* fuse.c: chains of element-wise nodes become one loop. A node with a single reader that is element-wise
 * too is computed within the reader's step; repetitions (EXPAND) are read through instead of being written
 * out; an activation that is the only reader of a product runs as the product's epilogue. */
#include <stdlib.h>
#include <string.h>
#include "schedule.h"

bool spread_of(const struct node *expand, struct span *span)
{
    return expand->op == OP_EXPAND &&
           span_of(expand->shape, shape_diff(expand->in[0]->shape, expand->shape), span);
}

static bool is_elem(const struct item *it)
{
    return node_flag(it->node, F_ELEM) && it->product < 0;
}

static bool is_activation(const struct node *n)
{
    return n->op == OP_LEAKY || n->op == OP_TANH || n->op == OP_SIGMOID || n->op == OP_GELU;
}

static bool only_reader(const struct item *it, const struct item *reader)
{
    return it->readers == 1 && !it->output && it->fixed == reader->fixed && it->role == ROLE_STEP;
}

static void take_epilogues(struct schedule *s)
{
    for (int i = 0; i < s->n_items; i++) {
        struct item *it = &s->items[i];
        if (!is_activation(it->node) || it->role != ROLE_STEP)
            continue;
        struct item *p = item_of(s, it->node->in[0]);
        if (p->node->op != OP_LINEAR || !only_reader(p, it))
            continue;
        p->role = ROLE_INLINE;
        it->product = (int)(p - s->items);
    }
}

/* A reduction that is the only reader of an element-wise node computes it piece by piece. */
static bool joins_reduction(struct schedule *s, struct item *it)
{
    struct item *r = &s->items[it->reader];
    const struct kernel *k = backend_kernel(s->backend, r->node, s->reference);
    if (r->role != ROLE_STEP || !k || !k->fits_program || !k->fits_program(r->node) || !only_reader(it, r))
        return false;
    r->chain = (int)(it - s->items);
    it->role = ROLE_INLINE;
    return true;
}

/* Roots are found from the last node on, so that a node's reader knows already where it is computed. */
static void take_chains(struct schedule *s, int *root)
{
    for (int i = s->n_items; i-- > 0;) {
        struct item *it = &s->items[i];
        root[i] = i;
        it->ops = 1;
        if (!is_elem(it) || it->role != ROLE_STEP || it->readers != 1 || joins_reduction(s, it) ||
            !is_elem(&s->items[it->reader]))
            continue;
        struct item *r = &s->items[root[it->reader]];
        if (!only_reader(it, r) || r->ops >= PROGRAM_INPUTS / 2 - 1) /* an op adds two inputs at most */
            continue;
        r->ops++;
        it->role = ROLE_INLINE;
        root[i] = root[it->reader];
    }
}

/* Repeated nodes that only element-wise steps read need not exist. */
static void drop_spread(struct schedule *s)
{
    for (int i = 0; i < s->n_items; i++) {
        struct item *it = &s->items[i];
        struct span span;
        it->wanted = it->output || (it->node->op != OP_FILL && !spread_of(it->node, &span));
    }
    for (int i = 0; i < s->n_items; i++)
        for (int k = 0; k < s->items[i].node->n_in; k++)
            if (!is_elem(&s->items[i]) && s->items[i].chain < 0)
                item_of(s, s->items[i].node->in[k])->wanted = true;
    for (int i = 0; i < s->n_items; i++)
        if (!s->items[i].wanted && s->items[i].role == ROLE_STEP)
            s->items[i].role = ROLE_INLINE;
}

void fuse(struct schedule *s)
{
    int *root = xcalloc((size_t)s->n_items + 1, sizeof(*root));
    if (!s->reference) {
        take_epilogues(s);
        take_chains(s, root);
        drop_spread(s);
    }
    free(root);
}

/* State of building one program: operands are numbered inputs first, but their number is known only at
 * the end, so temporaries count down from -1 until then. */
struct builder {
    const struct schedule *s;
    struct program *p;
    struct node **inputs;
    int root;
};

static int input_of(struct builder *b, struct node *n)
{
    struct program_input in = { 0 };
    struct span span;
    if (n->op == OP_FILL) {
        in.constant = true;
        in.value = n->attr.fill.value;
        n = NULL;
    } else if (!b->s->reference && spread_of(n, &span)) {
        in.spread = true;
        in.mid = span.mid;
        in.inner = span.inner;
        n = n->in[0];
    }
    for (int i = 0; i < b->p->n_in; i++) {
        const struct program_input *old = &b->p->in[i];
        if (b->inputs[i] == n && old->constant == in.constant && old->value == in.value &&
            old->spread == in.spread && old->mid == in.mid && old->inner == in.inner)
            return i;
    }
    BUG_ON(b->p->n_in == PROGRAM_INPUTS);
    b->inputs[b->p->n_in] = n;
    b->p->in[b->p->n_in] = in;
    return b->p->n_in++;
}

static int emit(struct builder *b, int item)
{
    const struct item *it = &b->s->items[item];
    struct program_op op = { .op = it->node->op };
    for (int k = 0; k < it->node->n_in; k++) {
        struct node *in = it->node->in[k];
        const struct item *src = item_of(b->s, in);
        bool within = src->role == ROLE_INLINE && is_elem(src);
        int operand = k && in == it->node->in[0] ? op.src[0] : within ? emit(b, (int)(src - b->s->items))
                                                                      : input_of(b, in);
        op.src[k] = (int16_t)operand;
    }
    bool scale = op.op == OP_SCALE;
    op.a = scale ? it->node->attr.scale.a : it->node->attr.c;
    op.b = scale ? it->node->attr.scale.b : 0;
    op.dst = (int16_t)(-1 - b->p->n_ops);
    BUG_ON(b->p->n_ops == PROGRAM_OPS);
    b->p->op[b->p->n_ops++] = op;
    return op.dst;
}

/* Number temporaries after the inputs, and use one again once its only reader has run. The last op writes
 * the result and needs none. */
static void name_temps(struct program *p)
{
    int16_t home[PROGRAM_OPS];
    int last[PROGRAM_OPS] = { 0 };
    bool busy[PROGRAM_OPS] = { false };
    for (int i = 0; i < p->n_ops; i++)
        for (int k = 0; k < 3; k++)
            if (p->op[i].src[k] < 0)
                last[-1 - p->op[i].src[k]] = i;
    for (int i = 0; i < p->n_ops; i++) {
        for (int k = 0; k < 3; k++) {
            int16_t src = p->op[i].src[k];
            if (src >= 0)
                continue;
            p->op[i].src[k] = (int16_t)(p->n_in + home[-1 - src]);
            if (last[-1 - src] == i)
                busy[home[-1 - src]] = false;
        }
        int t = 0;
        while (busy[t])
            t++;
        busy[t] = true;
        home[i] = (int16_t)t;
        p->op[i].dst = (int16_t)(p->n_in + t);
        if (t >= p->n_temps)
            p->n_temps = t + 1;
    }
}

void program_build(const struct schedule *s, int root, struct program *p, struct node **inputs)
{
    memset(p, 0, sizeof(*p));
    struct builder b = { s, p, inputs, root };
    emit(&b, root);
    name_temps(p);
}
