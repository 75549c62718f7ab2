/* cyclegan_net.c: the generators and critics of genre transfer, as graphs. Strided convolutions pad as TensorFlow's
 * SAME does: what is odd goes to the end. */
#include "cyclegan.h"
#include "str.h"

static const struct init_spec weights = { INIT_TRUNC_NORMAL, 0.02f };
static const float eps = 1e-5f;
enum { NAME = 64 };

/* A square kernel over steps and pitches whose output is the input's size over the stride. */
static struct geom same(int32_t kernel, int32_t stride)
{
    int32_t pad = kernel - stride, lo = pad / 2, hi = pad - lo;
    return (struct geom){ { 1, kernel, kernel }, { 1, stride, stride }, { 0, lo, lo }, { 0, hi, hi } };
}

static struct node *reflected(struct node *x, int32_t by)
{
    return g_reflect(g_reflect(x, 2, by, by), 3, by, by);
}

/* A convolution over the reflected edge: the size stays. */
static struct node *conv_reflected(struct net *n, const char *name, struct node *x, int out, int32_t kernel)
{
    struct geom g = { { 1, kernel, kernel }, { 1, 1, 1 }, { 0 }, { 0 } };
    return nn_conv(n, name, reflected(x, kernel / 2), out, g, false, weights);
}

static struct node *normed(struct net *n, const char *name, struct node *x)
{
    return nn_instance_norm(n, name, x, eps);
}

static struct node *relu(struct node *x)
{
    return g_leaky(x, 0);
}

static const char *part(char name[NAME], const char *prefix, const char *what, int i)
{
    BUG_ON(!str_format(name, NAME, "%s.%s%d", prefix, what, i));
    return name;
}

static struct node *residual(struct net *n, const char *prefix, int block, struct node *x)
{
    char a[NAME], b[NAME];
    int wide = node_shape(x).dim[4];
    part(a, prefix, "res", 2 * block);
    part(b, prefix, "res", 2 * block + 1);
    struct node *y = relu(normed(n, a, conv_reflected(n, a, x, wide, 3)));
    return relu(g_add(x, normed(n, b, conv_reflected(n, b, y, wide, 3))));
}

struct node *cyclegan_logits(struct net *n, const char *prefix, const struct cyclegan_config *c, struct node *x)
{
    char name[NAME];
    part(name, prefix, "in", 0);
    x = relu(normed(n, name, conv_reflected(n, name, x, c->width, 7)));
    for (int i = 0; i < 2; i++) {
        part(name, prefix, "down", i);
        x = relu(normed(n, name, nn_conv(n, name, x, c->width * (2 << i), same(3, 2), false, weights)));
    }
    for (int i = 0; i < c->blocks; i++)
        x = residual(n, prefix, i, x);
    for (int i = 0; i < 2; i++) {
        part(name, prefix, "up", i);
        x = relu(normed(n, name, nn_conv_t(n, name, x, c->width * (2 >> i), same(3, 2), false, weights)));
    }
    return conv_reflected(n, part(name, prefix, "out", 0), x, 1, 7);
}

struct node *cyclegan_generator(struct net *n, const char *prefix, const struct cyclegan_config *c, struct node *x)
{
    return g_sigmoid(cyclegan_logits(n, prefix, c, x));
}

struct node *cyclegan_critic(struct net *n, const char *prefix, const struct cyclegan_config *c, struct node *x)
{
    static const int32_t kernels[N_CRITICS][3] = { [CRITIC_CODE] = { 7, 7, 7 }, [CRITIC_PAPER] = { 4, 4, 1 } };
    const int32_t *k = kernels[c->critic];
    char name[NAME];
    x = g_leaky(nn_conv(n, part(name, prefix, "conv", 0), x, c->width, same(k[0], 2), false, weights), 0.2f);
    part(name, prefix, "conv", 1);
    x = g_leaky(normed(n, name, nn_conv(n, name, x, 4 * c->width, same(k[1], 2), false, weights)), 0.2f);
    return nn_conv(n, part(name, prefix, "conv", 2), x, 1, same(k[2], 1), false, weights);
}
