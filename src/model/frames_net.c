/* frames_net.c: the network as a graph: tokens, three bidirectional recurrent layers, and what the last of them knows
 * when each of its directions has read the whole window. */
#include "frames.h"

const struct frames_net frames_original = { .tokens = 202, .embed = 100, .width = 128, .hidden = 64, .window = 50, .dropout = 0.3 };

enum { LAYERS = 3 };
static const struct init_spec GLOROT = { INIT_XAVIER, 1 }, NARROW = { INIT_UNIFORM, 0.05f };

struct frames_graph frames_build(struct net *n, const struct frames_net *c, int rows)
{
    static const char *const layer[LAYERS] = { "gru1", "gru2", "gru3" };
    struct frames_graph f = { .token = g_input(n->g, "token", I32, SHAPE(rows, c->window)),
                              .target = g_input(n->g, "target", I32, SHAPE(rows)) };
    struct node *x = nn_embedding(n, "token", f.token, c->tokens, c->embed, NARROW);
    if (c->bar) {
        f.phase = g_input(n->g, "phase", I32, SHAPE(rows, c->window));
        x = g_add(x, nn_embedding(n, "phase", f.phase, FRAME_PHASES, c->embed, NARROW));
    }
    for (int i = 0; i < LAYERS; i++) {
        x = nn_gru(n, layer[i], x, c->width, true);
        x = i < LAYERS - 1 ? nn_dropout(n, x, (float)c->dropout) : x;
    }
    struct node *ends[] = { g_slice(g_slice(x, 1, c->window - 1, 1), 2, 0, c->width),
                            g_slice(g_slice(x, 1, 0, 1), 2, c->width, c->width) };
    x = g_reshape(g_concat(ends, 2, 2), SHAPE(rows, 2 * c->width));
    x = g_leaky(nn_linear(n, "dense", x, c->hidden, true, GLOROT, ACT_NONE), 0.3f);
    f.logits = nn_linear(n, "out", x, c->tokens, true, GLOROT, ACT_NONE);
    f.loss = g_xent(f.logits, f.target);
    return f;
}
