/* layer.c: layers as graph builders. A layer declares its tensors in the net's parameter set under
 * "name.suffix" and emits ops; it holds nothing itself, so running the builder again on another graph
 * gives the same layer with the same tensors. */
#include <math.h>
#include "layer.h"

static const struct init_spec ZEROS = {INIT_ZEROS, 0}, ONES = {INIT_ONES, 0};
enum { NAME_CAP = 128 };

static const char *joined(char buf[NAME_CAP], const char *name, const char *suffix)
{
    BUG_ON(!str_format(buf, NAME_CAP, "%s%s", name, suffix));
    return buf;
}

static struct node *part(struct net *n, const char *name, const char *suffix, struct shape s,
                         struct init_spec init)
{
    char full[NAME_CAP];
    return nn_param(n, joined(full, name, suffix), s, init);
}

static int32_t last_dim(struct node *x)
{
    struct shape s = node_shape(x);
    return s.dim[s.rank - 1];
}

struct node *nn_param(struct net *n, const char *name, struct shape s, struct init_spec init)
{
    params_declare(n->p, name, s, init, true);
    return g_param(n->g, name, s);
}

struct node *nn_state(struct net *n, const char *name, struct shape s, struct init_spec init)
{
    params_declare(n->p, name, s, init, false);
    return g_param(n->g, name, s);
}

struct node *nn_across(struct node *v, struct shape to)
{
    struct shape s = {.rank = to.rank};
    for (int i = 0; i < to.rank; i++)
        s.dim[i] = i == to.rank - 1 ? to.dim[i] : 1;
    return g_expand(g_reshape(v, s), to);
}

struct node *nn_bias(struct net *n, const char *name, struct node *x)
{
    struct node *b = part(n, name, ".b", SHAPE(last_dim(x)), ZEROS);
    return g_add(x, nn_across(b, node_shape(x)));
}

struct node *nn_linear(struct net *n, const char *name, struct node *x, int out, bool bias,
                       struct init_spec init, enum act act)
{
    struct node *w = part(n, name, ".w", SHAPE(last_dim(x), out), init);
    struct node *b = bias ? part(n, name, ".b", SHAPE(out), ZEROS) : NULL;
    return g_linear(x, w, b, act);
}

struct node *nn_conv(struct net *n, const char *name, struct node *x, int out, struct geom g, bool bias,
                     struct init_spec init)
{
    struct node *w =
        part(n, name, ".w", SHAPE(g.kernel[0], g.kernel[1], g.kernel[2], last_dim(x), out), init);
    struct node *y = g_conv(x, w, g);
    return bias ? nn_bias(n, name, y) : y;
}

struct node *nn_conv_t(struct net *n, const char *name, struct node *x, int out, struct geom g, bool bias,
                       struct init_spec init)
{
    struct shape s = node_shape(x);
    int32_t size[3];
    BUG_ON(s.rank != 5);
    for (int i = 0; i < 3; i++)
        size[i] = (s.dim[i + 1] - 1) * g.stride[i] + g.kernel[i] - g.lo[i] - g.hi[i];
    struct node *w = part(n, name, ".w", SHAPE(g.kernel[0], g.kernel[1], g.kernel[2], out, s.dim[4]), init);
    struct node *y = g_conv_t(x, w, g, size);
    return bias ? nn_bias(n, name, y) : y;
}

/* x * gamma + beta, both vectors over the last axis. */
static struct node *affine(struct net *n, const char *name, struct node *x, struct init_spec init)
{
    struct shape s = node_shape(x);
    struct node *gamma = part(n, name, ".gamma", SHAPE(last_dim(x)), init);
    struct node *beta = part(n, name, ".beta", SHAPE(last_dim(x)), ZEROS);
    return g_add(g_mul(x, nn_across(gamma, s)), nn_across(beta, s));
}

void nn_keep_moving(struct net *n, struct node *state, struct node *batch, float momentum)
{
    struct node *now = g_stop(g_reshape(batch, node_shape(state)));
    momentum = n->momentum > 0 ? n->momentum : momentum;
    BUG_ON(n->n_stores == (int)COUNT_OF(n->stores));
    n->stores[n->n_stores++] =
        g_store(g_add(g_scale(state, momentum, 0), g_scale(now, 1 - momentum, 0)), state);
}

struct node *nn_batch_norm(struct net *n, const char *name, struct node *x, float momentum, float eps)
{
    struct shape s = node_shape(x);
    unsigned axes = (1u << (s.rank - 1)) - 1;
    char full[NAME_CAP];
    struct node *mean = nn_state(n, joined(full, name, ".mean"), SHAPE(last_dim(x)), ZEROS);
    struct node *var = nn_state(n, joined(full, name, ".var"), SHAPE(last_dim(x)), ONES);
    if (n->training) {
        struct node *batch_mean = g_mean(x, axes);
        struct node *away = g_sub(x, g_expand(batch_mean, s));
        nn_keep_moving(n, mean, batch_mean, momentum);
        nn_keep_moving(n, var, g_mean(g_mul(away, away), axes), momentum);
        return affine(n, name, g_norm(x, axes, eps), ONES);
    }
    struct node *inverse = g_powc(g_scale(var, 1, eps), -0.5f);
    return affine(n, name, g_mul(g_sub(x, nn_across(mean, s)), nn_across(inverse, s)), ONES);
}

struct node *nn_layer_norm(struct net *n, const char *name, struct node *x, float eps)
{
    return affine(n, name, g_norm(x, 1u << (node_shape(x).rank - 1), eps), ONES);
}

struct node *nn_instance_norm(struct net *n, const char *name, struct node *x, float eps)
{
    unsigned axes = (1u << (node_shape(x).rank - 1)) - 2; /* all but the first and the last */
    return affine(n, name, g_norm(x, axes, eps), (struct init_spec){INIT_NEAR_ONE, 0.02f});
}

struct node *nn_embedding(struct net *n, const char *name, struct node *idx, int rows, int width,
                          struct init_spec init)
{
    char full[NAME_CAP];
    struct node *table = part(n, name, ".w", SHAPE(rows, width), init);
    params_no_decay(n->p, joined(full, name, ".w"));
    return g_gather(table, idx);
}

struct node *nn_dropout(struct net *n, struct node *x, float rate)
{
    if (!n->training || rate <= 0)
        return x;
    struct shape s = node_shape(x);
    struct node *draw = g_random(n->g, s, DIST_UNIFORM, n->seed, n->n_random++);
    struct node *kept = g_ge(draw, g_fill(n->g, s, rate));
    return g_mul(x, g_scale(kept, 1 / (1 - rate), 0));
}

struct node *nn_gru(struct net *n, const char *name, struct node *x, int width, bool both_ways)
{
    struct shape s = node_shape(x);
    int dirs = both_ways ? 2 : 1;
    BUG_ON(s.rank != 3);
    struct node *xw = nn_linear(n, name, x, dirs * 3 * width, true, (struct init_spec){INIT_XAVIER, 1}, ACT_NONE);
    struct node *u = part(n, name, ".u", SHAPE(dirs, width, 3 * width), (struct init_spec){INIT_ORTHOGONAL, 1});
    struct node *c = part(n, name, ".c", SHAPE(dirs, 3 * width), ZEROS);
    return g_gru(g_reshape(xw, SHAPE(s.dim[0], s.dim[1], dirs, 3 * width)), u, c);
}

/* The parts of a transformer block, the same for whole sequences and single steps. */
static const struct init_spec NARROW = {INIT_NORMAL, 0.02f};

static struct init_spec residual_init(int depth)
{
    return (struct init_spec){INIT_NORMAL, 0.02f / sqrtf(2.0f * (float)depth)};
}

struct heads {
    struct node *q, *k, *v;
};

static struct heads project(struct net *n, const char *name, struct node *x)
{
    char full[NAME_CAP];
    int width = last_dim(x);
    x = nn_layer_norm(n, joined(full, name, ".norm1"), x, 1e-5f);
    return (struct heads){
        .q = nn_linear(n, joined(full, name, ".q"), x, width, true, NARROW, ACT_NONE),
        .k = nn_linear(n, joined(full, name, ".k"), x, width, true, NARROW, ACT_NONE),
        .v = nn_linear(n, joined(full, name, ".v"), x, width, true, NARROW, ACT_NONE),
    };
}

/* What follows the attention: its output projection, the residual, and the two-layer perceptron. */
static struct node *finish(struct net *n, const char *name, struct node *x, struct node *attended,
                           float dropout, int depth)
{
    char full[NAME_CAP];
    int width = last_dim(x);
    struct node *a =
        nn_linear(n, joined(full, name, ".proj"), attended, width, true, residual_init(depth), ACT_NONE);
    x = g_add(x, nn_dropout(n, a, dropout));
    struct node *h = nn_layer_norm(n, joined(full, name, ".norm2"), x, 1e-5f);
    h = nn_linear(n, joined(full, name, ".up"), h, 4 * width, true, NARROW, ACT_GELU);
    h = nn_linear(n, joined(full, name, ".down"), h, width, true, residual_init(depth), ACT_NONE);
    return g_add(x, nn_dropout(n, h, dropout));
}

struct node *nn_block(struct net *n, const char *name, struct node *x, int heads, float dropout, int depth,
                      struct node *length)
{
    struct heads h = project(n, name, x);
    return finish(n, name, x, g_attention(h.q, h.k, h.v, heads, true, length), dropout, depth);
}

struct node *nn_block_step(struct net *n, const char *name, struct node *x, int heads, int depth,
                           struct node *k_cache, struct node *v_cache, struct node *position)
{
    struct heads h = project(n, name, x);
    return finish(n, name, x, g_attend_step(h.q, h.k, h.v, k_cache, v_cache, position, heads), 0, depth);
}
