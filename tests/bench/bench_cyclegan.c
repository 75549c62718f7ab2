/* Speed of genre transfer at full size, beside PyTorch where python3-torch is installed:
 *
 *     forward 1, forward 16    a generator on one phrase, on sixteen
 *     step 1, step 4           a training step: both generators there and back and both critics, forward, backward,
 *                              Adam, on so many phrases of each genre
 *
 * and how exact a convolution in the Winograd domain is.
 *
 *     bench_cyclegan [-t THREADS] [-o] [TASK]      -o: ours only */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "compute/cpu/conv.h"
#include "mem.h"
#include "model/cyclegan_row.h"
#include "optim.h"

enum { MAX = 256 };
static const struct cyclegan_config config = { 64, 10, CRITIC_CODE };

/* ---- forward ---- */

struct running { struct cyclegan *c; uint8_t *grids; float *out; int n; };

static void run_forward(void *ctx)
{
    struct running *r = ctx;
    bench_must(cyclegan_run(r->c, r->grids, r->n, 0, r->out, NULL));
}

static struct timing forward(struct device *d, int n)
{
    struct running r = { .n = n, .grids = xcalloc((size_t)n * GRID_CELLS, 1), .out = xcalloc((size_t)n * GRID_CELLS, sizeof(float)) };
    for (int i = 0; i < n * GRID_CELLS; i += 37)
        r.grids[i] = 1;
    bench_must(cyclegan_random(d, &config, "a", "b", 1, &r.c));
    struct timing t = bench_timed(run_forward, &r, 2, n == 1 ? 21 : 5);
    cyclegan_free(r.c);
    free(r.grids);
    free(r.out);
    return t;
}

/* ---- a step ---- */

struct side { struct graph *g; struct plan *plan; struct optim optim; const char *prefix; };
struct training { struct device *device; struct params *params; struct side side[2]; };

static void run_step(void *ctx)
{
    struct training *t = ctx;
    for (int i = 0; i < 2; i++) {
        bench_must(plan_run(t->side[i].plan, NULL));
        optim_step(&t->side[i].optim, t->params, t->side[i].prefix, t->device);
    }
}

static void open_side(struct training *t, struct side *s, struct node **out, int n_out, struct node *loss)
{
    struct node *leaf[MAX];
    int index[MAX], n = params_leaves(t->params, s->g, s->prefix, leaf, index, MAX);
    graph_grad(loss, leaf, n, out + n_out);
    bench_must(plan_new(t->device, s->g, out, n_out + n, NULL, &s->plan));
    params_bind(t->params, s->plan);
    params_bind_grads(t->params, s->plan, n_out, index, n);
    s->optim = (struct optim){ .kind = OPTIM_ADAM, .lr = 2e-4, .beta1 = 0.5, .beta2 = 0.999, .eps = 1e-8 };
}

static struct timing step(struct device *d, int n)
{
    static const struct cyclegan_loss loss = { 10, 1, 0 };
    struct training t = { .device = d, .params = params_new() };
    struct node *out[3 + MAX];
    void *cells[3];
    cyclegan_declare(t.params, &config, false, true);
    bench_must(params_alloc(t.params, d, true));
    params_init(t.params, 1);
    for (int i = 0; i < 2; i++)
        t.side[i] = (struct side){ .g = graph_new(), .prefix = i == 0 ? "g." : "d." };
    struct net net = { .g = t.side[0].g, .p = t.params, .training = true }, net_d = { .g = t.side[1].g, .p = t.params, .training = true };
    struct cyclegan_g made = cyclegan_build_g(&net, &config, &loss, false, n);
    out[0] = made.loss, out[1] = made.fake[0], out[2] = made.fake[1];
    open_side(&t, &t.side[0], out, 3, made.loss);
    out[0] = cyclegan_build_d(&net_d, &config, &loss, false, n);
    open_side(&t, &t.side[1], out, 1, out[0]);
    for (int i = 0; i < 3; i++)
        cells[i] = bench_cells((size_t)n * GRID_CELLS, (size_t)i);
    for (int i = 0; i < 2; i++) {
        plan_bind_name(t.side[i].plan, "a", cells[0]);
        plan_bind_name(t.side[i].plan, "b", cells[1]);
        plan_bind_name(t.side[i].plan, "mixed", cells[2]);
        plan_bind_name(t.side[i].plan, i ? "fake a" : "", plan_output(t.side[0].plan, 1));
        plan_bind_name(t.side[i].plan, i ? "fake b" : "", plan_output(t.side[0].plan, 2));
    }
    struct timing time = bench_timed(run_step, &t, 1, n == 1 ? 7 : 5);
    for (int i = 0; i < 3; i++)
        device_free(d, cells[i]);
    for (int i = 0; i < 2; i++) {
        plan_free(t.side[i].plan);
        graph_free(t.side[i].g);
    }
    params_free(t.params);
    return time;
}

/* ---- exactness ---- */

/* y of one position in double precision. */
static void exact_at(const struct conv_shape *s, const float *x, const float *w, int row, int col, double *y)
{
    memset(y, 0, (size_t)s->cout * sizeof *y);
    for (int t = 0; t < 9; t++) {
        int i = row + t / 3 - 1, j = col + t % 3 - 1;
        for (int c = 0; c < s->cin && i >= 0 && i < s->in[1] && j >= 0 && j < s->in[2]; c++)
            for (int o = 0; o < s->cout; o++)
                y[o] += (double)x[(i * s->in[2] + j) * s->cin + c] * (double)w[(t * s->cin + c) * s->cout + o];
    }
}

static void exactness(void)
{
    static const struct conv_shape s = { 1, { 1, 16, 21 }, { 1, 16, 21 }, 256, 256,
                                         { { 1, 3, 3 }, { 1, 1, 1 }, { 0, 1, 1 }, { 0, 1, 1 } } };
    const size_t n[] = { 16 * 21 * 256, 9 * 256 * 256, 16 * 21 * 256, conv_workspace(&s, CONV_FWD) };
    float *at[4];
    double want[256], square = 0, off = 0, worst = 0;
    for (int b = 0; b < 4; b++) {
        void *p;
        bench_must(mem_block_new(n[b] * sizeof(float), &p));
        at[b] = p;
        struct rng r;
        rng_init(&r, 1, (uint64_t)b);
        for (size_t i = 0; i < n[b]; i++)
            at[b][i] = rng_uniform(&r) * 2 - 1;
    }
    conv_fwd(NULL, &s, at[0], at[1], at[2], at[3]);
    for (int row = 0; row < 16; row += 3)
        for (int col = 0; col < 21; col++) {
            exact_at(&s, at[0], at[1], row, col, want);
            for (int o = 0; o < 256; o++) {
                double e = fabs((double)at[2][(row * 21 + col) * 256 + o] - want[o]);
                worst = fmax(worst, e);
                off += e * e;
                square += want[o] * want[o];
            }
        }
    printf("3 x 3 of 256 to 256 channels against double precision: NMSE %.1e, worst %.1e of a mean size of %.1f\n",
           off / square, worst, sqrt(square / (6 * 21 * 256)));
    for (int b = 0; b < 4; b++)
        mem_block_free(at[b]);
}

int main(int argc, char **argv)
{
    static const struct bench_task tasks[] = {
        { "forward 1", forward, 1 }, { "forward 16", forward, 16 }, { "step 1", step, 1 }, { "step 4", step, 4 },
    };
    int code = bench_main(argc, argv, "genre transfer, full size", "torch_cyclegan.py", tasks, COUNT_OF(tasks));
    exactness();
    return code;
}
