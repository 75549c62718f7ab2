/* band_net.c: the band model's networks as graphs. One causal transformer reads the steps (trunk); four
 * heads draw a note one attribute after the other, each from the trunk's output refined by what the heads
 * before it drew, so that a note is one joint decision and not four guesses. The training graph and the
 * decoding graphs are built from the same functions over the same parameter names. */
#include "band.h"
#include "str.h"

static const struct init_spec embed_init = { INIT_NORMAL, 0.02f };
static const struct init_spec weight_init = { INIT_NORMAL, 0.02f };

/* Embedding tables of a step's indices; genre has one more row than config.n_genres. */
static const struct { const char *name; int rows; } input_table[N_INPUTS] = {
    [IN_TAG] = { "embed.tag", N_TAGS },      [IN_KEPT] = { "embed.kept", 2 },
    [IN_GENRE] = { "embed.genre", 0 },       [IN_CLASS] = { "embed.class", CODEC_CLASSES },
    [IN_POS] = { "embed.pos", CODEC_POS },   [IN_PITCH] = { "embed.pitch", CODEC_PITCH },
    [IN_DUR] = { "embed.dur", CODEC_DUR },   [IN_VEL] = { "embed.vel", CODEC_VEL },
};
static const struct { const char *name; int size; } head_table[N_HEADS] = {
    [HEAD_POS] = { "pos", CODEC_POS_OUT },
    [HEAD_PITCH] = { "pitch", CODEC_PITCH },
    [HEAD_DUR] = { "dur", CODEC_DUR },
    [HEAD_VEL] = { "vel", CODEC_VEL },
};

int band_head_size(enum codec_head head)
{
    return head_table[head].size;
}

void band_cache_name(char name[32], char which, int layer)
{
    str_format(name, 32, "cache.%c.%d", which, layer);
}

static struct node *embed(struct net *n, const struct band_config *c, struct node *const in[N_INPUTS])
{
    struct node *sum = NULL;
    for (int i = 0; i < N_INPUTS; i++) {
        int rows = i == IN_GENRE ? c->n_genres + 1 : input_table[i].rows;
        struct node *e = nn_embedding(n, input_table[i].name, in[i], rows, c->width, embed_init);
        sum = sum ? g_add(sum, e) : e;
    }
    return sum;
}

/* What the head before drew is added and mixed in: x + e, then a residual MLP. */
static struct node *refine(struct net *n, const struct band_config *c, enum codec_head head, struct node *x,
                           struct node *drawn)
{
    char name[48];
    const char *own = head_table[head].name;
    str_format(name, sizeof name, "head.%s.embed", own);
    x = g_add(x, nn_embedding(n, name, drawn, head_table[head - 1].size, c->width, embed_init));
    str_format(name, sizeof name, "head.%s.norm", own);
    struct node *y = nn_layer_norm(n, name, x, 1e-5f);
    str_format(name, sizeof name, "head.%s.up", own);
    y = nn_linear(n, name, y, c->mlp, true, weight_init, ACT_GELU);
    str_format(name, sizeof name, "head.%s.down", own);
    return g_add(x, nn_linear(n, name, y, c->width, true, weight_init, ACT_NONE));
}

static struct node *logits(struct net *n, enum codec_head head, struct node *x)
{
    char name[48];
    str_format(name, sizeof name, "head.%s.out", head_table[head].name);
    return nn_linear(n, name, x, head_table[head].size, true, weight_init, ACT_NONE);
}

static struct node *trunk(struct net *n, const struct band_config *c, struct node *x, struct node *length)
{
    for (int i = 0; i < c->layers; i++) {
        char name[32];
        str_format(name, sizeof name, "block.%d", i);
        x = nn_block(n, name, x, c->heads, (float)c->dropout, c->layers, length);
    }
    return nn_layer_norm(n, "norm", x, 1e-5f);
}

struct band_batch_net band_build_batch(struct net *n, const struct band_config *c, int rows, int time)
{
    struct band_batch_net b;
    for (int i = 0; i < N_INPUTS; i++)
        b.in[i] = g_input(n->g, input_table[i].name + 6, I32, SHAPE(rows, time));
    b.length = g_input(n->g, "length", I32, SHAPE(rows));
    struct node *x = nn_dropout(n, embed(n, c, b.in), (float)c->dropout);
    x = g_reshape(trunk(n, c, x, b.length), SHAPE(rows * time, c->width));
    for (int h = 0; h < N_HEADS; h++) {
        char name[32];
        str_format(name, sizeof name, "target.%s", head_table[h].name);
        b.target[h] = g_input(n->g, name, I32, SHAPE(rows * time));
        str_format(name, sizeof name, "weight.%s", head_table[h].name);
        b.weight[h] = g_input(n->g, name, F32, (struct shape){ 0 });
        if (h > 0)
            x = refine(n, c, h, x, b.target[h - 1]);
        b.head[h] = g_xent(logits(n, h, x), b.target[h]);
        struct node *part = g_mul(b.head[h], b.weight[h]);
        b.loss = h > 0 ? g_add(b.loss, part) : part;
    }
    return b;
}

struct band_step_net band_build_step(struct net *n, const struct band_config *c, int rows, int time)
{
    struct band_step_net s;
    for (int i = 0; i < N_INPUTS; i++)
        s.in[i] = g_input(n->g, input_table[i].name + 6, I32, SHAPE(rows));
    s.position = g_input(n->g, "position", I32, SHAPE(rows));
    struct node *x = embed(n, c, s.in);
    for (int i = 0; i < c->layers; i++) {
        char name[32], k[32], v[32];
        str_format(name, sizeof name, "block.%d", i);
        band_cache_name(k, 'k', i);
        band_cache_name(v, 'v', i);
        struct shape cache = SHAPE(rows, time, c->width);
        x = nn_block_step(n, name, x, c->heads, c->layers, g_param(n->g, k, cache), g_param(n->g, v, cache), s.position);
    }
    s.hidden = nn_layer_norm(n, "norm", x, 1e-5f);
    s.logits = logits(n, HEAD_POS, s.hidden);
    return s;
}

struct band_head_net band_build_head(struct net *n, const struct band_config *c, enum codec_head head, int rows)
{
    struct band_head_net h;
    h.hidden = g_input(n->g, "hidden", F32, SHAPE(rows, c->width));
    h.drawn = g_input(n->g, "drawn", I32, SHAPE(rows));
    h.refined = refine(n, c, head, h.hidden, h.drawn);
    h.logits = logits(n, head, h.refined);
    return h;
}
