/* cyclegan_loss.c: the graphs that training runs. Losses are least squares over the critics' opinions and the mean
 * distance of what came back. The critics that know several genres count for the generators too: their opinion would
 * reach nobody else. */
#include "cyclegan_row.h"

enum { A, B };

static struct node *input(struct net *n, const char *name, int batch)
{
    return g_input(n->g, name, F32, SHAPE(batch, 1, GRID_STEPS, GRID_PITCHES, 1));
}

static struct node *all_mean(struct node *x)
{
    struct shape s = node_shape(x);
    return g_reshape(g_mean(x, (1u << s.rank) - 1), (struct shape){ 0 });
}

static struct node *distance(struct node *a, struct node *b)
{
    return all_mean(g_leaky(g_sub(a, b), -1));
}

/* Every critic sees the same noise in a step, the size of a normal draw, over what it is shown. */
static struct node *noise_of(struct net *n, float sigma, int batch)
{
    if (sigma <= 0)
        return NULL;
    struct node *seed = g_input(n->g, "seed", I32, SHAPE(2));
    struct node *draw = g_random(n->g, SHAPE(batch, 1, GRID_STEPS, GRID_PITCHES, 1), DIST_NORMAL, seed, 0);
    return g_scale(g_leaky(draw, -1), sigma, 0);
}

struct panel { struct net *n; const struct cyclegan_config *c; struct node *noise; };

/* Mean square distance of a critic's opinions of x from `wanted`. */
static struct node *opinion(const struct panel *p, const char *critic, struct node *x, float wanted)
{
    struct node *y = cyclegan_critic(p->n, critic, p->c, p->noise ? g_add(x, p->noise) : x);
    struct node *off = g_scale(y, 1, -wanted);
    return all_mean(g_mul(off, off));
}

struct cyclegan_g cyclegan_build_g(struct net *n, const struct cyclegan_config *c, const struct cyclegan_loss *l,
                                   bool extra, int batch)
{
    struct node *a = input(n, "a", batch), *b = input(n, "b", batch);
    struct panel p = { n, c, noise_of(n, l->noise, batch) };
    struct cyclegan_g g = { 0 };
    g.fake[B] = cyclegan_generator(n, "g.ab", c, a);
    g.fake[A] = cyclegan_generator(n, "g.ba", c, b);
    struct node *back_a = cyclegan_generator(n, "g.ba", c, g.fake[B]);
    struct node *back_b = cyclegan_generator(n, "g.ab", c, g.fake[A]);
    g.cycle = g_scale(g_add(distance(a, back_a), distance(b, back_b)), l->cycle, 0);
    g.fool = g_add(opinion(&p, "d.a", g.fake[A], 1), opinion(&p, "d.b", g.fake[B], 1));
    if (extra)
        g.fool = g_add(g.fool, g_scale(g_add(opinion(&p, "d.am", g.fake[A], 1), opinion(&p, "d.bm", g.fake[B], 1)),
                                       l->extra, 0));
    g.loss = g_add(g.cycle, g.fool);
    return g;
}

/* Mean of log(1 + e^l) - x l, without overflow. */
static struct node *cross_entropy(struct node *logits, struct node *cells)
{
    struct node *tail = g_log(g_scale(g_exp(g_scale(g_leaky(logits, -1), -1, 0)), 1, 1));
    return all_mean(g_sub(g_add(g_leaky(logits, 0), tail), g_mul(cells, logits)));
}

struct cyclegan_g cyclegan_build_warm(struct net *n, const struct cyclegan_config *c, int batch)
{
    struct node *a = input(n, "a", batch), *b = input(n, "b", batch);
    struct node *as_b = cyclegan_logits(n, "g.ab", c, a), *as_a = cyclegan_logits(n, "g.ba", c, b);
    struct node *loss = g_add(cross_entropy(as_b, a), cross_entropy(as_a, b));
    return (struct cyclegan_g){ .cycle = loss, .fool = g_fill(n->g, (struct shape){ 0 }, 0), .loss = loss,
                                .fake = { g_sigmoid(as_a), g_sigmoid(as_b) } };
}

struct node *cyclegan_build_d(struct net *n, const struct cyclegan_config *c, const struct cyclegan_loss *l, bool extra,
                              int batch)
{
    struct node *real[2] = { input(n, "a", batch), input(n, "b", batch) }, *mixed = input(n, "mixed", batch);
    struct node *fake[2] = { input(n, "fake a", batch), input(n, "fake b", batch) };
    struct panel p = { n, c, noise_of(n, l->noise, batch) };
    static const char *const critic[2] = { "d.a", "d.b" }, *const critic_of_mixed[2] = { "d.am", "d.bm" };
    struct node *loss = g_const(n->g, 0);
    for (int s = 0; s < 2; s++) {
        struct node *own = g_add(opinion(&p, critic[s], real[s], 1), opinion(&p, critic[s], fake[s], 0));
        loss = g_add(loss, g_scale(own, 0.5f, 0));
        if (!extra)
            continue;
        struct node *any = g_add(opinion(&p, critic_of_mixed[s], mixed, 1), opinion(&p, critic_of_mixed[s], fake[s], 0));
        loss = g_add(loss, g_scale(any, 0.5f * l->extra, 0));
    }
    return loss;
}

void cyclegan_declare(struct params *p, const struct cyclegan_config *c, bool extra, bool critics)
{
    struct net n = { .g = graph_new(), .p = p, .training = true };
    struct node *x = input(&n, "grids", 1);
    cyclegan_generator(&n, "g.ab", c, x);
    cyclegan_generator(&n, "g.ba", c, x);
    if (critics)
        cyclegan_build_d(&n, c, &(struct cyclegan_loss){ 1, 1, 0 }, extra, 1);
    graph_free(n.g);
}
