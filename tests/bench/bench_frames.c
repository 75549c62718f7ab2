/* Speed of the frames' network at its original size, beside PyTorch where python3-torch is installed:
 *
 *     frame 1, frame 8    what comes after one window, and after eight beside each other
 *     step 64             a training step: forward, backward, Nadam
 *
 *     bench_frames [-t THREADS] [-o] [TASK]      -o: ours only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"
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
    for (size_t i = 0; i < words; i++)
        w->block[i] = 1 + (int32_t)(i * 37 % 200);
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

int main(int argc, char **argv)
{
    static const struct { const char *name; int rows, repeats; bool training; } tasks[] = {
        { "frame 1", 1, 31, false }, { "frame 8", 8, 15, false }, { "step 64", BATCH, 7, true },
    };
    struct device *d;
    int threads = 2, option;
    bool torch = true;
    while ((option = getopt(argc, argv, "t:o")) != -1) {
        int64_t n = threads;
        if (option == 't')
            bench_must(parse_int(optarg, 1, 64, &n));
        threads = (int)n;
        torch &= option != 'o';
    }
    bench_must(device_open("cpu", threads, &d));
    printf("Frames, original configuration, %s\n%-14s %12s %12s %12s %7s\n", device_name(d), "task", "ours ms", "best",
           "PyTorch ms", "ratio");
    for (size_t i = 0; i < COUNT_OF(tasks); i++) {
        struct timing theirs = { 0, 0 };
        struct task w;
        if (optind < argc && strcmp(argv[optind], tasks[i].name) != 0)
            continue;
        task_open(&w, d, tasks[i].rows, tasks[i].training);
        struct timing ours = bench_timed(tasks[i].training ? run_step : run_frame, &w, 3, tasks[i].repeats);
        task_close(&w);
        bool found = torch && bench_torch("torch_frames.py", threads, tasks[i].name, &theirs);
        bench_line(tasks[i].name, ours, found, theirs);
    }
    device_close(d);
    return 0;
}
