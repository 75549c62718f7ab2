/* judge_net.c: the network that tells genres: octaves by sixteenths, then longer and longer stretches of time, then
 * all octaves together. */
#include "judge.h"
#include "str.h"

static const struct init_spec weights = { INIT_TRUNC_NORMAL, 0.02f };

/* Kernel and stride over steps and pitches; channels as a multiple of the width. */
static const struct { int32_t steps, pitches; int wide; } layers[] = { { 1, 12, 1 }, { 4, 1, 2 }, { 2, 1, 4 }, { 8, 1, 8 } };
static const int32_t OCTAVES = GRID_PITCHES / 12;

static struct node *conv(struct net *n, const char *name, struct node *x, int out, int32_t steps, int32_t pitches)
{
    struct geom g = { { 1, steps, pitches }, { 1, steps, pitches }, { 0 }, { 0 } };
    return nn_conv(n, name, x, out, g, false, weights);
}

struct node *judge_network(struct net *n, int width, int genres, struct node *x)
{
    char name[32];
    for (int i = 0; i < (int)COUNT_OF(layers); i++) {
        str_format(name, sizeof name, "judge.conv%d", i);
        x = conv(n, name, x, layers[i].wide * width, layers[i].steps, layers[i].pitches);
        x = g_leaky(i > 0 ? nn_instance_norm(n, name, x, 1e-5f) : x, 0.2f);
    }
    x = conv(n, "judge.out", x, genres, 1, OCTAVES);
    return g_reshape(x, SHAPE(node_shape(x).dim[0], genres));
}
