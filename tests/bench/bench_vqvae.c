/* Speed of the VQ-VAE in its original configuration, beside PyTorch where python3-torch is installed:
 *
 *     decode 1, decode 32    codes to quarters, one at a time and many at once
 *     step 32                a training step: forward, backward, Adam, codebook
 *
 *     bench_vqvae [-t THREADS] [-o] [TASK]      -o: ours only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "model/vqvae.h"
#include "optim.h"

enum { BATCH = 32, MAX = 64 };
static const struct vqvae_config config = { BOTTLENECK_EMA, 16, 1 };

struct work {
    struct vqvae *vqvae;
    struct device *device;
    struct params *params;
    struct plan *plan;
    struct optim optim;
    int n;
};

static void run_decode(void *ctx)
{
    static const int32_t codes[BATCH * VQVAE_SLOTS] = { 3, 1, 4, 1, 5, 9, 2, 6 };
    static struct quarter out[BATCH];
    struct work *w = ctx;
    bench_must(vqvae_decode(w->vqvae, codes, w->n, out));
}

static struct timing decode(struct device *d, int n)
{
    struct work w = { .n = n };
    bench_must(vqvae_random(d, &config, 1, &w.vqvae));
    struct timing t = bench_timed(run_decode, &w, 3, n == 1 ? 31 : 9);
    vqvae_free(w.vqvae);
    return t;
}

static void run_step(void *ctx)
{
    struct work *w = ctx;
    bench_must(plan_run(w->plan, NULL));
    optim_step(&w->optim, w->params, "", w->device);
    w->optim.step++;
}

static struct timing step(struct device *d, int rows)
{
    static const struct vqvae_train_opts o = { .recon = 1, .commit = 0.25f };
    struct work w = { .device = d, .params = params_new(),
                      .optim = { .kind = OPTIM_ADAM, .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8 } };
    struct node *out[MAX + 8], *leaf[MAX];
    int index[MAX];
    vqvae_declare(w.params, &config);
    bench_must(params_alloc(w.params, d, true));
    params_init(w.params, 1);
    struct net net = { .g = graph_new(), .p = w.params, .training = true };
    struct vqvae_train_net b = vqvae_build(&net, &config, &o, rows);
    int n = params_leaves(w.params, net.g, "", leaf, index, MAX);
    graph_grad(b.loss, leaf, n, out);
    memcpy(out + n, net.stores, (size_t)net.n_stores * sizeof *out);
    bench_must(plan_new(d, net.g, out, n + net.n_stores, NULL, &w.plan));
    params_bind(w.params, w.plan);
    params_bind_grads(w.params, w.plan, 0, index, n);
    void *cells = bench_cells((size_t)rows * VQVAE_CELLS, 0);
    plan_bind(w.plan, b.cells, cells);
    struct timing t = bench_timed(run_step, &w, 2, 9);
    device_free(d, cells);
    plan_free(w.plan);
    graph_free(net.g);
    params_free(w.params);
    return t;
}

int main(int argc, char **argv)
{
    static const struct bench_task tasks[] = { { "decode 1", decode, 1 }, { "decode 32", decode, BATCH }, { "step 32", step, BATCH } };
    return bench_main(argc, argv, "VQ-VAE, original configuration", "torch_vqvae.py", tasks, COUNT_OF(tasks));
}
