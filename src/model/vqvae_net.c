/* vqvae_net.c: the encoder, the bottlenecks and the decoder as graphs. Keys are the second spatial axis, columns the
 * third. A residual unit adds to the rectified input, as the published weights want it. */
#include <math.h>
#include "vqvae.h"

static const struct init_spec kernel_init = { INIT_KAIMING, 0.6f }, book_init = { INIT_NORMAL, 1 };
enum { RESIDUALS = 2, RESIDUAL_WIDTH = 32 };
static const float EMA_DECAY = 0.99f, EMA_EPS = 1e-5f;

struct conv_row { const char *name; int keys, cols, stride, pad, out; };
static const struct conv_row down[] = {
    { "vq.enc.1", 4, 4, 2, 1, 32 }, { "vq.enc.2", 4, 4, 2, 1, 64 }, { "vq.enc.3", 6, 4, 2, 1, 128 },
    { "vq.enc.4", 3, 3, 1, 0, VQVAE_WIDTH },
};
static const struct conv_row up[] = {
    { "vq.dec.1", 3, 3, 1, 0, 128 }, { "vq.dec.2", 6, 4, 2, 1, 64 }, { "vq.dec.3", 4, 4, 2, 1, 32 },
    { "vq.dec.4", 4, 4, 2, 1, 1 },
};

static struct geom geom_of(int keys, int cols, int stride, int pad)
{
    return (struct geom){ { 1, keys, cols }, { 1, stride, stride }, { 0, pad, pad }, { 0, pad, pad } };
}

static struct node *relu(struct node *x)
{
    return g_leaky(x, 0);
}

static struct node *residuals(struct net *n, const char *part, struct node *x)
{
    char name[48];
    for (int i = 0; i < RESIDUALS; i++) {
        x = relu(x);
        str_format(name, sizeof name, "vq.%s.res.%d.1", part, i + 1);
        struct node *h = relu(nn_conv(n, name, x, RESIDUAL_WIDTH, geom_of(3, 3, 1, 1), false, kernel_init));
        str_format(name, sizeof name, "vq.%s.res.%d.2", part, i + 1);
        x = g_add(x, nn_conv(n, name, h, VQVAE_WIDTH, geom_of(1, 1, 1, 0), false, kernel_init));
    }
    return relu(x);
}

struct node *vqvae_encoder(struct net *n, struct node *cells)
{
    struct node *x = cells;
    for (size_t i = 0; i < COUNT_OF(down); i++) {
        const struct conv_row *r = &down[i];
        x = nn_conv(n, r->name, x, r->out, geom_of(r->keys, r->cols, r->stride, r->pad), true, kernel_init);
        x = i + 1 < COUNT_OF(down) ? relu(x) : x;
    }
    x = residuals(n, "enc", x);
    int32_t rows = node_shape(x).dim[0] * VQVAE_SLOTS;
    return nn_linear(n, "vq.pre", g_reshape(x, SHAPE(rows, VQVAE_WIDTH)), VQVAE_WIDTH, true,
                     (struct init_spec){ INIT_XAVIER, 1 }, ACT_NONE);
}

struct node *vqvae_decoder(struct net *n, struct node *latent)
{
    int32_t batch = node_shape(latent).dim[0] / VQVAE_SLOTS;
    struct node *x = residuals(n, "dec", g_reshape(latent, SHAPE(batch, 1, VQVAE_ROWS, VQVAE_COLS, VQVAE_WIDTH)));
    for (size_t i = 0; i < COUNT_OF(up); i++) {
        const struct conv_row *r = &up[i];
        /* the adjoint's fan-in is that of its output: what one input spreads over */
        x = nn_conv_t(n, r->name, x, r->out, geom_of(r->keys, r->cols, r->stride, r->pad), true, kernel_init);
        x = i + 1 < COUNT_OF(up) ? relu(x) : x;
    }
    return x;
}

/* |z - e|^2 = |z|^2 + |e|^2 - 2 z e, of which |z|^2 is the same for every code. */
struct node *vqvae_nearest(struct node *rows, struct node *book)
{
    int32_t r = node_shape(rows).dim[0], k = node_shape(book).dim[0];
    struct node *norm = g_reshape(g_sum(g_mul(book, book), 2), SHAPE(1, k));
    struct node *near = g_sub(g_scale(g_matmul(rows, book, false, true), 2, 0), g_expand(norm, SHAPE(r, k)));
    return g_reshape(g_argmax(near, 1), SHAPE(r));
}

static struct node *all_mean(struct node *x)
{
    struct shape s = node_shape(x);
    return g_reshape(g_mean(x, (1u << s.rank) - 1), (struct shape){ 0 });
}

static struct node *distance(struct node *a, struct node *b)
{
    struct node *d = g_sub(a, b);
    return all_mean(g_mul(d, d));
}

/* log(1 + e^l) - x l, without overflow. */
static struct node *cross_entropy(struct node *logits, struct node *cells)
{
    struct node *softplus = g_add(relu(logits), g_log(g_scale(g_exp(g_scale(g_leaky(logits, -1), -1, 0)), 1, 1)));
    return all_mean(g_sub(softplus, g_mul(cells, logits)));
}

void vqvae_book_name(int stage, const char *of, char name[32])
{
    if (stage == 0)
        str_format(name, 32, "vq.book%s", of);
    else
        str_format(name, 32, "vq.book.%d%s", stage + 1, of);
}

/* A codebook's leaves: the codes, and of the EMA the running counts and sums of their members. */
struct book { struct node *codes, *count, *sum; };

static struct book book_of(struct net *n, const struct vqvae_config *c, int stage)
{
    struct shape s = SHAPE(c->codes, VQVAE_WIDTH);
    struct init_spec zeros = { INIT_ZEROS, 0 };
    char book[32], count[32], sum[32];
    vqvae_book_name(stage, "", book);
    vqvae_book_name(stage, ".count", count);
    vqvae_book_name(stage, ".sum", sum);
    if (c->bottleneck == BOTTLENECK_VQ)
        return (struct book){ .codes = nn_param(n, book, s, book_init) };
    return (struct book){ nn_state(n, book, s, book_init), nn_state(n, count, SHAPE(c->codes, 1), zeros),
                          nn_state(n, sum, s, book_init) };
}

/* Counts are smoothed so that no code is divided by nothing. */
static void follow_members(struct net *n, const struct vqvae_config *c, const struct book *b, struct node *z,
                           struct node *codes)
{
    int32_t k = c->codes, r = node_shape(z).dim[0];
    struct shape one = SHAPE(k, 1), wide = SHAPE(k, VQVAE_WIDTH);
    struct node *members = g_scatter(g_fill(n->g, SHAPE(r, 1), 1), codes, k);
    struct node *count = g_add(g_scale(b->count, EMA_DECAY, 0), g_scale(members, 1 - EMA_DECAY, 0));
    struct node *total = g_expand(g_sum(count, 1), one);
    struct node *smooth = g_mul(g_div(g_scale(count, 1, EMA_EPS), g_scale(total, 1, (float)k * EMA_EPS)), total);
    struct node *sum = g_add(g_scale(b->sum, EMA_DECAY, 0), g_scale(g_scatter(g_stop(z), codes, k), 1 - EMA_DECAY, 0));
    n->stores[n->n_stores++] = g_store(smooth, b->count);
    n->stores[n->n_stores++] = g_store(sum, b->sum);
    n->stores[n->n_stores++] = g_store(g_div(sum, g_expand(smooth, wide)), b->codes);
}

/* Every stage picks a code for what the stages before left over; the decoder sees their sum, and the gradient passes
 * straight through. With `hardness` less than 1 it sees a place between the latent and its codes. */
static struct node *quantised(struct net *n, const struct vqvae_config *c, const struct vqvae_train_opts *o,
                              struct vqvae_train_net *t)
{
    struct node *z = t->latent, *rest = z, *sum = NULL;
    for (int s = 0; s < c->stages; s++) {
        struct book b = book_of(n, c, s);
        t->codes[s] = vqvae_nearest(g_stop(rest), g_stop(b.codes));
        struct node *q = g_gather(b.codes, t->codes[s]);
        t->extra = g_add(t->extra, g_scale(distance(g_stop(q), rest), o->commit, 0));
        if (c->bottleneck == BOTTLENECK_VQ)
            t->extra = g_add(t->extra, distance(q, g_stop(rest)));
        else if (n->training)
            follow_members(n, c, &b, rest, t->codes[s]);
        sum = sum ? g_add(sum, q) : q;
        rest = g_sub(rest, g_stop(q));
    }
    struct node *off = g_sub(sum, z);
    if (n->training && o->softens) {
        t->hardness = g_input(n->g, "hardness", F32, (struct shape){ 0 });
        off = g_mul(off, g_expand(g_reshape(t->hardness, SHAPE(1, 1)), node_shape(z)));
        t->extra = g_mul(t->extra, t->hardness);
    }
    return g_add(z, g_stop(off));
}

/* What the decoder sees of the latent, and the loss that this asks for. */
static struct node *through(struct net *n, const struct vqvae_config *c, const struct vqvae_train_opts *o,
                            struct vqvae_train_net *t)
{
    struct node *z = t->latent;
    t->extra = g_const(n->g, 0);
    if (vqvae_has_codes(c))
        return quantised(n, c, o, t);
    if (c->bottleneck == BOTTLENECK_SPARSE)
        t->extra = g_scale(all_mean(g_leaky(z, -1)), o->beta, 0);
    if (c->bottleneck == BOTTLENECK_VAE) {
        struct shape s = node_shape(z);
        struct node *log_var = nn_linear(n, "vq.var", z, VQVAE_WIDTH, true, (struct init_spec){ INIT_ZEROS, 0 }, ACT_NONE);
        struct node *kl = g_sub(g_add(g_mul(z, z), g_exp(log_var)), g_scale(log_var, 1, 1));
        t->extra = g_scale(all_mean(kl), o->beta / 2, 0);
        if (n->training)
            z = g_add(z, g_mul(g_exp(g_scale(log_var, 0.5f, 0)), g_random(n->g, s, DIST_NORMAL, n->seed, n->n_random++)));
    }
    return z;
}

/* Notes forgotten and cells never played: each cell turns over with probability `rate`. */
static struct node *spoiled(struct net *n, struct node *cells, float rate)
{
    struct shape s = node_shape(cells);
    struct node *turn = g_ge(g_fill(n->g, s, rate), g_random(n->g, s, DIST_UNIFORM, n->seed, n->n_random++));
    return g_add(g_mul(turn, g_scale(cells, -1, 1)), g_mul(g_scale(turn, -1, 1), cells));
}

struct vqvae_train_net vqvae_build(struct net *n, const struct vqvae_config *c, const struct vqvae_train_opts *o, int batch)
{
    struct vqvae_train_net t = { .cells = g_input(n->g, "cells", F32, SHAPE(batch, 1, QUARTER_KEYS, QUARTER_COLS, 1)) };
    bool draws = n->training && (c->bottleneck == BOTTLENECK_VAE || c->bottleneck == BOTTLENECK_DAE);
    if (draws)
        t.seed = n->seed = g_input(n->g, "seed", I32, SHAPE(2));
    bool spoil = n->training && c->bottleneck == BOTTLENECK_DAE;
    t.latent = vqvae_encoder(n, spoil ? spoiled(n, t.cells, o->noise) : t.cells);
    t.recon = cross_entropy(vqvae_decoder(n, through(n, c, o, &t)), t.cells);
    t.loss = g_add(g_scale(t.recon, o->recon, 0), t.extra);
    return t;
}

void vqvae_declare(struct params *p, const struct vqvae_config *c)
{
    struct net n = { .g = graph_new(), .p = p, .training = true };
    static const struct vqvae_train_opts any = { 1, 1, 1, 0.1f, false };
    vqvae_build(&n, c, &any, 1);
    graph_free(n.g);
}
