/* grid_net.c: a network over grids made runnable: a plan for one grid and one for many at once, made when they
 * are first wanted. */
#include <stdlib.h>
#include "grid.h"
#include "mem.h"

enum { MANY = 8, N_SIZES = 2 };
static const int sizes[N_SIZES] = { MANY, 1 };

struct grid_net {
    struct params *params;
    grid_build build;
    const void *ctx;
    float silence, *host;
    size_t width;
    struct { struct graph *g; struct plan *plan; float *in; } size[N_SIZES];
};

static enum err open_size(struct grid_net *g, int s)
{
    struct device *d = params_device(g->params);
    if (g->size[s].plan)
        return ERR_OK;
    struct net net = { .g = g->size[s].g = graph_new(), .p = g->params };
    struct node *in = g_input(net.g, "grids", F32, SHAPE(sizes[s], 1, GRID_STEPS, GRID_PITCHES, 1));
    struct node *out = g->build(&net, g->ctx, in);
    g->width = shape_count(node_shape(out)) / (size_t)sizes[s];
    TRY(device_alloc(d, (size_t)sizes[s] * GRID_CELLS * sizeof(float), (void **)&g->size[s].in));
    TRY(plan_new(d, net.g, &out, 1, &(struct plan_opts){ .frozen = true }, &g->size[s].plan));
    params_bind(g->params, g->size[s].plan);
    plan_bind(g->size[s].plan, in, g->size[s].in);
    return ERR_OK;
}

struct grid_net *grid_net_new(struct params *p, grid_build build, const void *ctx, float silence)
{
    struct grid_net *g = xcalloc(1, sizeof *g);
    *g = (struct grid_net){ .params = p, .build = build, .ctx = ctx, .silence = silence,
                            .host = xcalloc(MANY * GRID_CELLS, sizeof *g->host) };
    return g;
}

void grid_net_free(struct grid_net *g)
{
    if (!g)
        return;
    for (int s = 0; s < N_SIZES; s++) {
        plan_free(g->size[s].plan);
        graph_free(g->size[s].g);
        if (g->size[s].in)
            device_free(params_device(g->params), g->size[s].in);
    }
    free(g->host);
    free(g);
}

void grid_net_refresh(struct grid_net *g)
{
    for (int s = 0; s < N_SIZES; s++)
        if (g->size[s].plan)
            plan_refresh(g->size[s].plan);
}

static void fill_cells(struct grid_net *g, const uint8_t *grids, int n, double sigma, struct rng *r)
{
    for (int i = 0; i < n * GRID_CELLS; i++)
        g->host[i] = grids[i] ? 1 : g->silence;
    for (int i = 0; i < n * GRID_CELLS && sigma > 0; i++)
        g->host[i] += (float)sigma * rng_normal(r);
}

enum err grid_net_run(struct grid_net *g, const uint8_t *grids, int n, const struct grid_noise *noise, float *out,
                      const atomic_bool *cancel)
{
    struct device *d = params_device(g->params);
    struct rng r;
    rng_init(&r, noise ? noise->seed : 0, 0);
    for (int at = 0; at < n;) {
        int s = n - at >= MANY ? 0 : 1, many = sizes[s];
        TRY(open_size(g, s));
        fill_cells(g, grids + (size_t)at * GRID_CELLS, many, noise ? noise->sigma : 0, &r);
        TRY(device_upload(d, g->size[s].in, g->host, (size_t)many * GRID_CELLS * sizeof(float)));
        TRY(plan_run(g->size[s].plan, cancel));
        TRY(device_download(d, out + (size_t)at * g->width, plan_output(g->size[s].plan, 0),
                            (size_t)many * g->width * sizeof(float)));
        at += many;
    }
    return ERR_OK;
}
