/* stepnet.c: the graphs of a network over steps; see stepnet.h. Training and decoding graphs are built from
 * the same functions over the same parameter names. */
#include "stepnet.h"
#include "str.h"

enum { NAME = 48 };
static const struct init_spec narrow = { INIT_NORMAL, 0.02f };

void stepnet_cache_name(char name[32], char which, int layer)
{
    str_format(name, 32, "cache.%c.%d", which, layer);
}

static struct node *sum_of(struct node *a, struct node *b)
{
    return a ? g_add(a, b) : b;
}

/* Styles are weighed, not chosen: two of them at a half each are a place between them. */
static struct node *style_of(struct net *n, const struct stepnet *c, struct node *weights)
{
    struct node *table = nn_param(n, "embed.style.w", SHAPE(c->styles, c->width), narrow);
    params_no_decay(n->p, "embed.style.w");
    return g_matmul(weights, table, false, false);
}

static struct node *indices(struct net *n, const struct stepnet *c, struct node *const *in)
{
    struct node *x = NULL;
    for (int i = 0; i < c->n_in; i++) {
        char name[NAME];
        str_format(name, sizeof name, "embed.%s", c->in[i].name);
        x = sum_of(x, nn_embedding(n, name, in[i], c->in[i].rows, c->width, narrow));
    }
    return x;
}

/* What the head before drew is added and mixed in: x + e, then a residual perceptron. */
static struct node *refine(struct net *n, const struct stepnet *c, int head, struct node *x, struct node *drawn)
{
    char name[NAME];
    const char *own = c->out[head].name;
    str_format(name, sizeof name, "head.%s.embed", own);
    x = g_add(x, nn_embedding(n, name, drawn, c->out[head - 1].rows, c->width, narrow));
    str_format(name, sizeof name, "head.%s.norm", own);
    struct node *y = nn_layer_norm(n, name, x, 1e-5f);
    str_format(name, sizeof name, "head.%s.up", own);
    y = nn_linear(n, name, y, c->mlp, true, narrow, ACT_GELU);
    str_format(name, sizeof name, "head.%s.down", own);
    return g_add(x, nn_linear(n, name, y, c->width, true, narrow, ACT_NONE));
}

static struct node *logits(struct net *n, const struct stepnet *c, int head, struct node *x)
{
    char name[NAME];
    str_format(name, sizeof name, "head.%s.out", c->out[head].name);
    return nn_linear(n, name, x, c->out[head].rows, c->head_bias, narrow, ACT_NONE);
}

size_t stepnet_count(const struct stepnet *c)
{
    struct net n = { .g = graph_new(), .p = params_new() };
    stepnet_build_batch(&n, c, 1, 2);
    size_t params = params_count(n.p);
    graph_free(n.g);
    params_free(n.p);
    return params;
}

struct stepnet_batch stepnet_build_batch(struct net *n, const struct stepnet *c, int rows, int time)
{
    struct stepnet_batch b = { 0 };
    struct shape all = SHAPE(rows, time, c->width);
    for (int i = 0; i < c->n_in; i++)
        b.in[i] = g_input(n->g, c->in[i].name, I32, SHAPE(rows, time));
    b.length = g_input(n->g, "length", I32, SHAPE(rows));
    struct node *x = indices(n, c, b.in);
    if (c->places) {
        struct node *table = nn_param(n, "embed.place.w", SHAPE(c->places, c->width), narrow);
        params_no_decay(n->p, "embed.place.w");
        x = g_add(x, g_expand(g_reshape(g_slice(table, 0, 0, time), SHAPE(1, time, c->width)), all));
    }
    if (c->styles) {
        b.style = g_input(n->g, "style", F32, SHAPE(rows, c->styles));
        x = g_add(x, g_expand(g_reshape(style_of(n, c, b.style), SHAPE(rows, 1, c->width)), all));
    }
    x = nn_dropout(n, x, (float)c->dropout);
    for (int i = 0; i < c->layers; i++) {
        char name[NAME];
        str_format(name, sizeof name, "block.%d", i);
        x = nn_block(n, name, x, c->heads, (float)c->dropout, c->layers, b.length);
    }
    x = g_reshape(nn_layer_norm(n, "norm", x, 1e-5f), SHAPE(rows * time, c->width));
    for (int h = 0; h < c->n_out; h++) {
        char name[NAME];
        str_format(name, sizeof name, "target.%s", c->out[h].name);
        b.target[h] = g_input(n->g, name, I32, SHAPE(rows * time));
        str_format(name, sizeof name, "weight.%s", c->out[h].name);
        b.weight[h] = g_input(n->g, name, F32, (struct shape){ 0 });
        if (h > 0)
            x = refine(n, c, h, x, b.target[h - 1]);
        b.logits[h] = logits(n, c, h, x);
        b.head[h] = g_xent(b.logits[h], b.target[h]);
        b.loss = sum_of(b.loss, g_mul(b.head[h], b.weight[h]));
    }
    return b;
}

struct stepnet_step stepnet_build_step(struct net *n, const struct stepnet *c, int rows, int time)
{
    struct stepnet_step s = { 0 };
    for (int i = 0; i < c->n_in; i++)
        s.in[i] = g_input(n->g, c->in[i].name, I32, SHAPE(rows));
    s.position = g_input(n->g, "position", I32, SHAPE(rows));
    struct node *x = indices(n, c, s.in);
    if (c->places)
        x = g_add(x, nn_embedding(n, "embed.place", s.position, c->places, c->width, narrow));
    if (c->styles) {
        s.style = g_input(n->g, "style", F32, SHAPE(rows, c->styles));
        x = g_add(x, style_of(n, c, s.style));
    }
    for (int i = 0; i < c->layers; i++) {
        char name[NAME], k[32], v[32];
        str_format(name, sizeof name, "block.%d", i);
        stepnet_cache_name(k, 'k', i);
        stepnet_cache_name(v, 'v', i);
        struct shape cache = SHAPE(rows, time, c->width);
        x = nn_block_step(n, name, x, c->heads, c->layers, g_param(n->g, k, cache), g_param(n->g, v, cache), s.position);
    }
    s.hidden = nn_layer_norm(n, "norm", x, 1e-5f);
    s.logits = logits(n, c, 0, s.hidden);
    return s;
}

struct stepnet_head stepnet_build_head(struct net *n, const struct stepnet *c, int head, int rows)
{
    struct stepnet_head h;
    h.hidden = g_input(n->g, "hidden", F32, SHAPE(rows, c->width));
    h.drawn = g_input(n->g, "drawn", I32, SHAPE(rows));
    h.refined = refine(n, c, head, h.hidden, h.drawn);
    h.logits = logits(n, c, head, h.refined);
    return h;
}
