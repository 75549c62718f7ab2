/* graph.c: where nodes live. A graph owns its nodes in one arena and keeps them in creation order, which is
 * a topological order. Every node is made by node_make, which checks shapes, simplifies, and returns the
 * existing node when an equal one is there: common subexpressions never exist twice. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "op.h"

struct graph {
    struct arena arena;
    struct node **nodes;   /* by id */
    size_t n_nodes, cap;
    struct node **buckets; /* hash table, chained through node.next */
    size_t n_buckets;      /* a power of two */
    bool simplify;
};

static void check_table(void)
{
    const char *fault = op_table_fault();
    if (fault)
        err_bug_at("op.def", 0, fault);
}

struct graph *graph_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, check_table);
    struct graph *g = xcalloc(1, sizeof(*g));
    arena_init(&g->arena);
    g->n_buckets = 1024;
    g->buckets = xcalloc(g->n_buckets, sizeof(*g->buckets));
    g->simplify = true;
    return g;
}

void graph_free(struct graph *g)
{
    if (!g)
        return;
    arena_fini(&g->arena);
    free(g->nodes);
    free(g->buckets);
    free(g);
}

size_t graph_size(const struct graph *g)
{
    return g->n_nodes;
}

struct node *graph_at(const struct graph *g, size_t id)
{
    return g->nodes[id];
}

void graph_simplify(struct graph *g, bool on)
{
    g->simplify = on;
}

struct shape node_shape(const struct node *n)
{
    return n->shape;
}

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 0x100000001b3u;
    return h;
}

static uint64_t node_hash(const struct node *n)
{
    uint64_t h = mix(0xcbf29ce484222325u, &n->op, sizeof(n->op));
    h = mix(h, &n->attr, sizeof(n->attr));
    h = mix(h, n->in, (size_t)n->n_in * sizeof(*n->in));
    if (n->name)
        h = mix(h, n->name, strlen(n->name));
    return h ^ h >> 32;
}

static bool node_same(const struct node *a, const struct node *b)
{
    if (a->op != b->op || a->n_in != b->n_in || memcmp(&a->attr, &b->attr, sizeof(a->attr)) != 0 ||
        memcmp(a->in, b->in, (size_t)a->n_in * sizeof(*a->in)) != 0)
        return false;
    if (a->name || b->name)
        return a->name && b->name && strcmp(a->name, b->name) == 0;
    return a->op != OP_CONST || memcmp(a->data, b->data, node_count(a) * sizeof(float)) == 0;
}

static void grow_buckets(struct graph *g)
{
    free(g->buckets);
    g->n_buckets *= 2;
    g->buckets = xcalloc(g->n_buckets, sizeof(*g->buckets));
    for (size_t i = 0; i < g->n_nodes; i++) {
        struct node **bucket = &g->buckets[node_hash(g->nodes[i]) & (g->n_buckets - 1)];
        g->nodes[i]->next = *bucket;
        *bucket = g->nodes[i];
    }
}

/* The graph's node equal to the prototype; a new one when there is none. */
static struct node *intern(struct graph *g, const struct node *proto)
{
    uint64_t hash = node_hash(proto);
    for (struct node *n = g->buckets[hash & (g->n_buckets - 1)]; n; n = n->next)
        if (node_same(n, proto))
            return n;
    if (g->n_nodes >= g->n_buckets)
        grow_buckets(g);
    struct node *n = arena_alloc(&g->arena, sizeof(*n));
    *n = *proto;
    n->id = (uint32_t)g->n_nodes;
    n->in = arena_alloc(&g->arena, (size_t)(n->n_in ? n->n_in : 1) * sizeof(*n->in));
    memcpy(n->in, proto->in, (size_t)n->n_in * sizeof(*n->in));
    if (n->name)
        n->name = arena_strdup(&g->arena, n->name);
    if (n->data) {
        size_t bytes = node_count(n) * sizeof(float);
        n->data = memcpy(arena_alloc(&g->arena, bytes), proto->data, bytes);
    }
    struct node **bucket = &g->buckets[hash & (g->n_buckets - 1)];
    n->next = *bucket;
    *bucket = n;
    g->nodes = xgrow(g->nodes, g->n_nodes, &g->cap, sizeof(*g->nodes));
    g->nodes[g->n_nodes++] = n;
    return n;
}

static void complain(const struct node *n, const char *why)
{
    char text[512], shape[64];
    op_print(n, text, sizeof(text) / 2);
    for (int i = 0; i < n->n_in && i < 4; i++) {
        shape_print(n->in[i]->shape, shape);
        strncat(text, " ", sizeof(text) - strlen(text) - 1);
        strncat(text, shape, sizeof(text) - strlen(text) - 1);
    }
    strncat(text, ": ", sizeof(text) - strlen(text) - 1);
    strncat(text, why, sizeof(text) - strlen(text) - 1);
    err_bug_at("graph", (int)n->graph->n_nodes, text);
}

static struct node *make(struct graph *g, struct node *proto)
{
    proto->graph = g;
    for (int i = 0; i < proto->n_in; i++)
        BUG_ON(!proto->in[i] || proto->in[i]->graph != g);
    const char *why = op_rows[proto->op].shape(proto);
    if (why)
        complain(proto, why);
    struct node *simpler = g->simplify ? simplify(proto) : NULL;
    return simpler ? simpler : intern(g, proto);
}

struct node *node_make(struct graph *g, enum op op, const union attr *attr, struct node *const *in, int n_in)
{
    BUG_ON(op_rows[op].n_in >= 0 && op_rows[op].n_in != n_in);
    struct node proto = { .op = op, .in = (struct node **)in, .n_in = n_in };
    memset(&proto.attr, 0, sizeof(proto.attr));
    if (attr)
        proto.attr = *attr;
    return make(g, &proto);
}

static struct node *leaf(struct graph *g, enum op op, const char *name, enum dtype t, struct shape s,
                         const float *data)
{
    struct node *none[1] = { NULL };
    struct node proto = { .op = op, .dtype = t, .in = none, .name = name, .data = data };
    memset(&proto.attr, 0, sizeof(proto.attr));
    proto.attr.fill.shape.rank = s.rank;
    memcpy(proto.attr.fill.shape.dim, s.dim, (size_t)s.rank * sizeof(s.dim[0]));
    return make(g, &proto);
}

/* A named leaf of that op, if the graph has one. The same name twice is one leaf. */
static struct node *find_leaf(const struct graph *g, enum op op, const char *name)
{
    for (size_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == op && strcmp(g->nodes[i]->name, name) == 0)
            return g->nodes[i];
    return NULL;
}

static struct node *named_leaf(struct graph *g, enum op op, const char *name, enum dtype t, struct shape s)
{
    struct node *n = find_leaf(g, op, name);
    BUG_ON(n && (!shape_same(n->shape, s) || n->dtype != t));
    return n ? n : leaf(g, op, name, t, s, NULL);
}

struct node *g_input(struct graph *g, const char *name, enum dtype t, struct shape s)
{
    return named_leaf(g, OP_INPUT, name, t, s);
}

struct node *g_param(struct graph *g, const char *name, struct shape s)
{
    return named_leaf(g, OP_PARAM, name, F32, s);
}

struct node *g_const_data(struct graph *g, struct shape s, const float *copied)
{
    return leaf(g, OP_CONST, NULL, F32, s, copied);
}

static void print_line(const struct node *n, bool dot, struct str *out)
{
    char op[128], shape[64];
    op_print(n, op, sizeof(op));
    shape_print(n->shape, shape);
    if (!dot) {
        str_addf(out, "%%%u %s %s", n->id, op, shape);
        for (int i = 0; i < n->n_in; i++)
            str_addf(out, " %%%u", n->in[i]->id);
        str_addc(out, '\n');
        return;
    }
    for (char *c = op; *c; c++)
        if (*c == '"')
            *c = '\'';
    str_addf(out, "  n%u [label=\"%s\\n%s\"];\n", n->id, op, shape);
    for (int i = 0; i < n->n_in; i++)
        str_addf(out, "  n%u -> n%u;\n", n->in[i]->id, n->id);
}

void graph_print(const struct graph *g, struct node *const *outputs, int n, bool dot, struct str *out)
{
    bool *needed = xcalloc(g->n_nodes + 1, sizeof(*needed));
    for (int i = 0; i < n; i++)
        needed[outputs[i]->id] = true;
    for (size_t i = g->n_nodes; i-- > 0;)
        for (int k = 0; needed[i] && k < g->nodes[i]->n_in; k++)
            needed[g->nodes[i]->in[k]->id] = true;
    if (dot)
        str_add(out, "digraph g {\n  node [shape=box];\n");
    for (size_t i = 0; i < g->n_nodes; i++)
        if (needed[i])
            print_line(g->nodes[i], dot, out);
    if (dot)
        str_add(out, "}\n");
    free(needed);
}
