/* steptrain.c: training a network over steps; see steptrain.h. Evaluated and shipped are the averaged weights. */
#include "steptrain.h"
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "mem.h"
#include "opt.h"

enum { MAX_TENSORS = 512, EVAL_BATCHES = 16, ALIGN_WORDS = 16 };

/* One device block and its host image hold everything a batch feeds; all words are 32 bits. */
enum { FEED_IN = 0, FEED_TARGET = FEED_IN + STEP_INPUTS, FEED_WEIGHT = FEED_TARGET + STEP_HEADS,
       FEED_LENGTH = FEED_WEIGHT + STEP_HEADS, FEED_STYLE, FEED_SEED, N_FEEDS };
struct feed { int32_t *host, *device; size_t at[N_FEEDS], words; };

struct runner {
    struct graph *graph;
    struct plan *plan;
};

struct steptrain {
    struct device *device;
    const struct stepnet *net;
    struct params *params;
    struct step_source source;
    struct optim optim;
    struct ema *ema;
    struct feed feed;
    struct runner runner[N_STEP_SPLITS][STEP_SHAPES];
    double lr, floor;
    long warmup, total, samples;
    uint64_t seed;
};

static void feed_place(struct feed *f, int which, size_t words)
{
    f->at[which] = f->words;
    f->words += (words + ALIGN_WORDS - 1) / ALIGN_WORDS * ALIGN_WORDS;
}

static size_t cells(const struct step_shape *s)
{
    return (size_t)s->rows * (size_t)s->time;
}

static enum err feed_new(struct steptrain *t)
{
    struct feed *f = &t->feed;
    size_t rows = 0, all = 0;           /* one block serves every shape */
    for (int i = 0; i < t->source.n_shapes; i++) {
        const struct step_shape *k = &t->source.shape[i];
        rows = (size_t)k->rows > rows ? (size_t)k->rows : rows;
        all = cells(k) > all ? cells(k) : all;
    }
    for (int i = 0; i < t->net->n_in; i++)
        feed_place(f, FEED_IN + i, all);
    for (int h = 0; h < t->net->n_out; h++) {
        feed_place(f, FEED_TARGET + h, all);
        feed_place(f, FEED_WEIGHT + h, 1);
    }
    feed_place(f, FEED_LENGTH, rows);
    feed_place(f, FEED_STYLE, rows * (size_t)t->net->styles + 1);
    feed_place(f, FEED_SEED, 2);
    f->host = xcalloc(f->words, sizeof *f->host);
    return device_alloc(t->device, f->words * sizeof *f->device, (void **)&f->device);
}

static void feed_bind(const struct feed *f, const struct stepnet *c, const struct stepnet_batch *b, struct node *seed,
                      struct plan *p)
{
    for (int i = 0; i < c->n_in; i++)
        plan_bind(p, b->in[i], f->device + f->at[FEED_IN + i]);
    for (int h = 0; h < c->n_out; h++) {
        plan_bind(p, b->target[h], f->device + f->at[FEED_TARGET + h]);
        plan_bind(p, b->weight[h], f->device + f->at[FEED_WEIGHT + h]);
    }
    plan_bind(p, b->length, f->device + f->at[FEED_LENGTH]);
    if (b->style)
        plan_bind(p, b->style, f->device + f->at[FEED_STYLE]);
    if (seed)
        plan_bind(p, seed, f->device + f->at[FEED_SEED]);
}

/* Outputs of a plan: the heads' mean losses, then (training) the gradients. */
static enum err runner_open(struct steptrain *t, enum step_split split, const struct step_shape *shape, struct runner *r)
{
    const struct stepnet *c = t->net;
    struct node *outputs[STEP_HEADS + MAX_TENSORS], *leaves[MAX_TENSORS];
    int index[MAX_TENSORS], n = 0;
    r->graph = graph_new();
    struct net net = { .g = r->graph, .p = t->params, .training = split == STEP_TRAIN };
    if (net.training)
        net.seed = g_input(r->graph, "seed", I32, SHAPE(2));
    struct stepnet_batch b = stepnet_build_batch(&net, c, shape->rows, shape->time);
    memcpy(outputs, b.head, (size_t)c->n_out * sizeof *outputs);
    if (net.training) {
        n = params_leaves(t->params, r->graph, "", leaves, index, MAX_TENSORS);
        graph_grad(b.loss, leaves, n, outputs + c->n_out);
    }
    TRY(plan_new(t->device, r->graph, outputs, c->n_out + n, &(struct plan_opts){ 0 }, &r->plan));
    params_bind(t->params, r->plan);
    params_bind_grads(t->params, r->plan, c->n_out, index, n);
    feed_bind(&t->feed, c, &b, net.seed, r->plan);
    return ERR_OK;
}

/* A head's share is that of its predictions among the first head's. */
static void weigh(struct steptrain *t, const struct step_shape *shape, double share[STEP_HEADS])
{
    struct feed *f = &t->feed;
    double valid[STEP_HEADS] = { 0 };
    for (int h = 0; h < t->net->n_out; h++) {
        for (size_t i = 0; i < cells(shape); i++)
            valid[h] += f->host[f->at[FEED_TARGET + h] + i] >= 0;
        share[h] = valid[0] > 0 ? valid[h] / valid[0] : 0;
        float weight = (float)(share[h] * t->source.weight[h]);
        memcpy(f->host + f->at[FEED_WEIGHT + h], &weight, sizeof weight);
    }
}

static int pick_shape(const struct steptrain *t, enum step_split s, uint64_t index)
{
    return t->source.pick ? t->source.pick(t->source.ctx, s, index) : 0;
}

static enum err run_batch(struct steptrain *t, enum step_split split, uint64_t index, double losses[STEP_HEADS])
{
    struct feed *f = &t->feed;
    int pick = pick_shape(t, split, index);
    const struct step_shape *shape = &t->source.shape[pick];
    struct runner *r = &t->runner[split][pick];
    struct step_batch b = { .shape = pick, .length = f->host + f->at[FEED_LENGTH],
                            .style = (float *)(f->host + f->at[FEED_STYLE]) };
    double share[STEP_HEADS];
    if (!r->plan)
        TRY(runner_open(t, split, shape, r));
    for (int i = 0; i < t->net->n_in; i++)
        b.in[i] = f->host + f->at[FEED_IN + i];
    for (int h = 0; h < t->net->n_out; h++)
        b.target[h] = f->host + f->at[FEED_TARGET + h];
    t->source.fill(t->source.ctx, split, index, &b);
    weigh(t, shape, share);
    f->host[f->at[FEED_SEED]] = (int32_t)t->seed;
    f->host[f->at[FEED_SEED] + 1] = (int32_t)index;
    TRY(device_upload(t->device, f->device, f->host, f->words * sizeof *f->host));
    TRY(plan_run(r->plan, NULL));
    for (int h = 0; h < t->net->n_out; h++) {
        float mean;
        TRY(split == STEP_TRAIN ? device_recent(t->device, plan_output(r->plan, h), &mean)
                                : device_download(t->device, &mean, plan_output(r->plan, h), sizeof mean));
        losses[h] = share[h] > 0 ? (double)mean * share[h] : 0;
    }
    return ERR_OK;
}

enum err steptrain_step(struct steptrain *t, long step, double losses[STEP_HEADS])
{
    TRY(run_batch(t, STEP_TRAIN, (uint64_t)step, losses));
    for (int h = 0; h < t->net->n_out; h++)
        if (!(losses[h] < 1e6))
            return err_set(ERR_RANGE, "the loss is no longer a number at update %ld", step);
    t->optim.lr = schedule_lr(SCHEDULE_COSINE, t->lr, t->lr * t->floor, t->warmup, t->total, step);
    t->optim.step = step;
    optim_step(&t->optim, t->params, "", t->device);
    ema_update(t->ema, t->params, t->device);
    t->samples += t->source.shape[pick_shape(t, STEP_TRAIN, (uint64_t)step)].rows;
    return ERR_OK;
}

enum err steptrain_eval(struct steptrain *t, double losses[STEP_HEADS])
{
    enum err err = ERR_OK;
    memset(losses, 0, STEP_HEADS * sizeof *losses);
    if (!t->source.held_out)
        return err_set(ERR_EMPTY, "the data set holds nothing back");
    ema_swap(t->ema, t->params, t->device);
    for (int i = 0; i < EVAL_BATCHES && err == ERR_OK; i++) {
        double part[STEP_HEADS] = { 0 };
        err = run_batch(t, STEP_HELD_OUT, (uint64_t)i, part);
        for (int h = 0; h < STEP_HEADS; h++)
            losses[h] += part[h] / EVAL_BATCHES;
    }
    ema_swap(t->ema, t->params, t->device);
    return err;
}

void steptrain_horizon(struct steptrain *t, long total)
{
    t->total = total;
}

long steptrain_samples(const struct steptrain *t)
{
    return t->samples;
}

void steptrain_add(struct steptrain *t, struct ckpt_writer *w, bool for_shipping)
{
    if (for_shipping) {
        ema_swap(t->ema, t->params, t->device);
        ckpt_add_params(w, t->params, t->device);
        ema_swap(t->ema, t->params, t->device);
    } else {
        ckpt_add_params(w, t->params, t->device);
        ckpt_add_moments(w, t->params, t->device);
        ckpt_add_ema(w, t->ema, t->params, t->device);
    }
}

static enum err load_weights(struct steptrain *t, const struct opts *o, const struct ckpt *resume)
{
    struct graph *g = graph_new();
    struct net n = { .g = g, .p = t->params };
    stepnet_build_batch(&n, t->net, 1, 2);
    graph_free(g);
    TRY(params_alloc(t->params, t->device, true));
    params_init(t->params, t->seed);
    if (resume) {
        TRY(ckpt_load_params(resume, t->params, t->device));
        TRY(ckpt_load_moments(resume, t->params, t->device));
    }
    TRY(ema_new(t->params, t->device, opts_real(o, "ema"), &t->ema));
    return resume ? ckpt_load_ema(resume, t->ema, t->params, t->device) : ERR_OK;
}

enum err steptrain_new(struct device *d, const struct stepnet *c, struct params *p, struct step_source source,
                       const struct opts *o, const struct ckpt *resume, struct steptrain **out)
{
    struct steptrain *t = xcalloc(1, sizeof *t);
    t->device = d;
    t->net = c;
    t->params = p;
    t->source = source;
    t->lr = opts_real(o, "lr");
    t->floor = opts_real(o, "lr-floor");
    t->warmup = (long)opts_int(o, "warmup");
    t->total = t->warmup + 1;
    t->seed = (uint64_t)opts_int(o, "seed");
    t->optim = (struct optim){ .kind = OPTIM_ADAMW, .beta1 = 0.9, .beta2 = opts_real(o, "beta2"), .eps = 1e-8,
                               .weight_decay = opts_real(o, "weight-decay"), .clip = opts_real(o, "clip") };
    enum err err = load_weights(t, o, resume);
    if (err == ERR_OK)
        err = feed_new(t);
    if (err != ERR_OK) {
        steptrain_free(t);
        return err;
    }
    *out = t;
    return ERR_OK;
}

void steptrain_free(struct steptrain *t)
{
    if (!t)
        return;
    for (int s = 0; s < N_STEP_SPLITS; s++)
        for (int i = 0; i < STEP_SHAPES; i++) {
            plan_free(t->runner[s][i].plan);
            graph_free(t->runner[s][i].graph);
        }
    ema_free(t->ema);
    free(t->feed.host);
    if (t->feed.device)
        device_free(t->device, t->feed.device);
    free(t);
}
