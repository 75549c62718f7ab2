/* Speed of the frames' network at its original size, beside PyTorch where python3-torch is installed:
 *
 *     frame 1, frame 8    what comes after one window, and after eight beside each other
 *     step 64             a training step: forward, backward, Nadam
 *
 *     bench_frames [-t THREADS] [-o] [TASK]      -o: ours only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "mem.h"
#include "model/frames.h"
#include "optim.h"
#include "str.h"

enum { BATCH = 64, MAX = 64 };

struct task {
    struct device *device;
    struct params *params;
    struct graph *graph;
    struct plan *plan;
    struct optim optim;
    int32_t *block;
};

/* A plan over `rows` windows of some tokens: their logits, or a step's loss and gradients. */
static void task_open(struct task *w, struct device *d, int rows, bool training)
{
    struct node *out[1 + MAX], *leaf[MAX];
    int index[MAX], n = 0;
    size_t tokens = (size_t)(rows * frames_original.window), words = tokens + (size_t)rows + 2;
    *w = (struct task){ .device = d, .params = params_new(), .graph = graph_new(),
                        .optim = { .kind = OPTIM_NADAM, .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-7 } };
    struct net net = { .g = w->graph, .p = w->params, .training = training };
    net.seed = training ? g_input(net.g, "seed", I32, SHAPE(2)) : NULL;
    struct frames_graph f = frames_build(&net, &frames_original, rows);
    out[0] = training ? f.loss : f.logits;
    bench_must(params_alloc(w->params, d, training));
    params_init(w->params, 1);
    if (training) {
        n = params_leaves(w->params, net.g, "", leaf, index, MAX);
        graph_grad(f.loss, leaf, n, out + 1);
    }
    bench_must(plan_new(d, net.g, out, 1 + n, &(struct plan_opts){ .frozen = !training }, &w->plan));
    params_bind(w->params, w->plan);
    params_bind_grads(w->params, w->plan, 1, index, n);
    bench_must(device_alloc(d, words * sizeof *w->block, (void **)&w->block));
    int32_t *host = xcalloc(words, sizeof *host);
    for (size_t i = 0; i < words; i++)
        host[i] = 1 + (int32_t)(i * 37 % 200);
    bench_must(device_upload(d, w->block, host, words * sizeof *host));
    free(host);
    plan_bind(w->plan, f.token, w->block);
    plan_bind(w->plan, f.target, w->block + tokens);
    if (net.seed)
        plan_bind(w->plan, net.seed, w->block + tokens + rows);
}

static void task_close(struct task *w)
{
    device_free(w->device, w->block);
    plan_free(w->plan);
    graph_free(w->graph);
    params_free(w->params);
}

static void run_frame(void *ctx)
{
    bench_must(plan_run(((struct task *)ctx)->plan, NULL));
}

static void run_step(void *ctx)
{
    struct task *w = ctx;
    bench_must(plan_run(w->plan, NULL));
    optim_step(&w->optim, w->params, "", w->device);
}

static struct timing time_of(struct device *d, int rows, bool training, int repeats)
{
    struct task w;
    task_open(&w, d, rows, training);
    struct timing t = bench_timed(training ? run_step : run_frame, &w, 3, repeats);
    task_close(&w);
    return t;
}

static struct timing frame(struct device *d, int rows)
{
    return time_of(d, rows, false, rows == 1 ? 31 : 15);
}

static struct timing step(struct device *d, int rows)
{
    return time_of(d, rows, true, 7);
}

int main(int argc, char **argv)
{
    static const struct bench_task tasks[] = { { "frame 1", frame, 1 }, { "frame 8", frame, 8 }, { "step 64", step, BATCH } };
    return bench_main(argc, argv, "Frames, original configuration", "torch_frames.py", tasks, COUNT_OF(tasks));
}
