/* musegan_loss.c: what critic and generator are trained for, as graphs. One row of the table is one published
 * form; the gradient penalty goes with any of them. */
#include "musegan.h"

static struct node *mean_of(struct node *x)
{
    struct shape s = node_shape(x);
    return g_reshape(g_mean(x, (1u << s.rank) - 1), (struct shape){0});
}

static struct node *negative(struct node *x)
{
    return g_scale(x, -1, 0);
}

/* log(1 + e^x) that neither overflows nor loses small values. */
static struct node *softplus(struct node *x)
{
    return g_add(g_leaky(x, 0), g_log(g_scale(g_exp(negative(g_leaky(x, -1))), 1, 1)));
}

static struct node *wasserstein_critic(struct node *real, struct node *fake)
{
    return g_sub(mean_of(fake), mean_of(real));
}

static struct node *hinge_critic(struct node *real, struct node *fake)
{
    return g_add(mean_of(g_leaky(g_scale(real, -1, 1), 0)), mean_of(g_leaky(g_scale(fake, 1, 1), 0)));
}

static struct node *entropy_critic(struct node *real, struct node *fake)
{
    return g_add(mean_of(softplus(negative(real))), mean_of(softplus(fake)));
}

static struct node *raise_score(struct node *fake)
{
    return negative(mean_of(fake));
}
static struct node *raise_odds(struct node *fake)
{
    return mean_of(softplus(negative(fake)));
}
static struct node *spoil_entropy(struct node *fake)
{
    return negative(mean_of(softplus(fake)));
}

static const struct {
    struct node *(*critic)(struct node *real, struct node *fake);
    struct node *(*generator)(struct node *fake);
} losses[N_LOSSES] = {
    [LOSS_WASSERSTEIN] = {wasserstein_critic, raise_score},
    [LOSS_HINGE] = {hinge_critic, raise_score},
    [LOSS_NONSATURATING] = {entropy_critic, raise_odds},
    [LOSS_CLASSIC] = {entropy_critic, spoil_entropy},
};

struct node *musegan_critic_loss(enum musegan_loss kind, struct node *real, struct node *fake)
{
    return losses[kind].critic(real, fake);
}

struct node *musegan_generator_loss(enum musegan_loss kind, struct node *fake)
{
    return losses[kind].generator(fake);
}

struct node *musegan_penalty(struct musegan_builder *b, struct node *real, struct node *fake,
                             struct node *share)
{
    struct shape s = node_shape(real);
    const struct musegan_config *c = b->c;
    int32_t n = s.dim[0], cells = (int32_t)musegan_cells(c);
    double per_cell = 1 / musegan_critic_unit(c);
    struct node *weight = g_expand(share, s), *slope, *mixed = g_add(fake, g_mul(weight, g_sub(real, fake)));
    struct node *score = musegan_critic(b, mixed);
    graph_grad(g_reshape(g_sum(score, 3), (struct shape){0}), &mixed, 1, &slope);
    struct node *square = g_sum(g_reshape(g_mul(slope, slope), SHAPE(n, cells, N_ROLES)), 1u << 1);
    /* one norm for the phrase, or one for each track that has a critic of its own */
    if (!musegan_critic_is_each(c))
        square = g_sum(square, 1u << 2);
    else if (c->condition >= 0)
        square = musegan_splice(square, 2, c->condition, c->condition + 1, NULL);
    struct node *norm = g_powc(g_scale(square, (float)(per_cell * per_cell), 1e-8f), 0.5f);
    struct node *off = g_scale(norm, 1, -1);
    return mean_of(g_mul(off, off));
}
