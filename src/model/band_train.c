/* band_train.c: training the band model. One update is one batch of one bucket; each bucket has its own
 * plan over the same parameters, built when it is first drawn. Shipped and evaluated are the averaged
 * weights. An update depends on the parameters, the seed and its number only, so a resumed run equals an
 * unbroken one. */
#include "band.h"
#include "band_data.h"
#include "ckpt.h"
#include "mem.h"
#include "opt.h"
#include "optim.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_TENSORS = 512, EVAL_BATCHES = 16, ALIGN_WORDS = 16 };

/* One device block and its host image hold everything a batch feeds; all words are 32 bits. */
enum { FEED_IN = 0, FEED_TARGET = FEED_IN + N_INPUTS, FEED_LENGTH = FEED_TARGET + N_HEADS, FEED_SEED,
       FEED_WEIGHT, N_FEEDS = FEED_WEIGHT + N_HEADS };
struct feed { int32_t *host, *device; size_t at[N_FEEDS], words; };

/* A bucket made runnable, for training or for evaluation. */
struct runner {
    struct graph *graph;
    struct plan *plan;
    struct feed feed;
};

struct trainer {
    struct device *device;
    struct band_data *data;
    struct optim optim;
    struct ema *ema;
    struct runner runner[N_SPLITS][BAND_BUCKETS];
    double lr, floor, vel_weight;
    long warmup, total, samples;
    uint64_t seed;
};

static size_t feed_place(struct feed *f, int which, size_t words)
{
    f->at[which] = f->words;
    f->words += (words + ALIGN_WORDS - 1) / ALIGN_WORDS * ALIGN_WORDS;
    return f->at[which];
}

static enum err feed_new(struct device *d, int rows, int time, struct feed *f)
{
    size_t all = (size_t)rows * (size_t)time;
    for (int i = 0; i < FEED_LENGTH; i++)
        feed_place(f, i, all);
    feed_place(f, FEED_LENGTH, (size_t)rows);
    feed_place(f, FEED_SEED, 2);
    for (int h = 0; h < N_HEADS; h++)
        feed_place(f, FEED_WEIGHT + h, 1);
    f->host = xcalloc(f->words, sizeof *f->host);
    return device_alloc(d, f->words * sizeof *f->device, (void **)&f->device);
}

static void feed_bind(const struct feed *f, const struct band_batch_net *b, struct node *seed, struct plan *p)
{
    for (int i = 0; i < N_INPUTS; i++)
        plan_bind(p, b->in[i], f->device + f->at[FEED_IN + i]);
    for (int h = 0; h < N_HEADS; h++) {
        plan_bind(p, b->target[h], f->device + f->at[FEED_TARGET + h]);
        plan_bind(p, b->weight[h], f->device + f->at[FEED_WEIGHT + h]);
    }
    plan_bind(p, b->length, f->device + f->at[FEED_LENGTH]);
    if (seed)
        plan_bind(p, seed, f->device + f->at[FEED_SEED]);
}

static void runner_fini(struct device *d, struct runner *r)
{
    plan_free(r->plan);
    graph_free(r->graph);
    free(r->feed.host);
    if (r->feed.device)
        device_free(d, r->feed.device);
    memset(r, 0, sizeof *r);
}

static struct net net_of(struct model *m, struct graph *g, bool training)
{
    struct net n = { .g = g, .p = m->params, .training = training };
    if (training)
        n.seed = g_input(g, "seed", I32, SHAPE(2));
    return n;
}

/* Outputs of every plan: the four heads' mean losses, then (training) the gradients. */
static enum err runner_open(struct model *m, enum band_split split, int bucket, struct runner *r)
{
    struct trainer *t = m->trainer;
    bool training = split == SPLIT_TRAIN;
    int rows = band_data_rows(t->data, bucket), time = band_data_time(t->data, bucket), n = 0;
    struct node *outputs[N_HEADS + MAX_TENSORS], *leaves[MAX_TENSORS];
    int index[MAX_TENSORS];
    r->graph = graph_new();
    struct net net = net_of(m, r->graph, training);
    struct band_batch_net b = band_build_batch(&net, &m->config, rows, time);
    for (int h = 0; h < N_HEADS; h++)
        outputs[h] = b.head[h];
    if (training) {
        n = params_leaves(m->params, r->graph, "", leaves, index, MAX_TENSORS);
        graph_grad(b.loss, leaves, n, outputs + N_HEADS);
    }
    TRY(feed_new(t->device, rows, time, &r->feed));
    TRY(plan_new(t->device, r->graph, outputs, N_HEADS + n, &(struct plan_opts){ 0 }, &r->plan));
    params_bind(m->params, r->plan);
    params_bind_grads(m->params, r->plan, N_HEADS, index, n);
    feed_bind(&r->feed, &b, net.seed, r->plan);
    return ERR_OK;
}

static enum err runner_get(struct model *m, enum band_split split, int bucket, struct runner **out)
{
    struct runner *r = &m->trainer->runner[split][bucket];
    if (!r->plan) {
        enum err err = runner_open(m, split, bucket, r);
        if (err != ERR_OK) {
            runner_fini(m->trainer->device, r);
            return err;
        }
    }
    *out = r;
    return ERR_OK;
}

/* Run one batch. losses: nats a step of each head, that is, its mean times its share of predictions. */
static enum err run_batch(struct model *m, enum band_split split, uint64_t index, double losses[N_HEADS])
{
    struct trainer *t = m->trainer;
    struct band_batch batch = { .bucket = band_data_bucket(t->data, split, index) };
    struct runner *r;
    TRY(runner_get(m, split, batch.bucket, &r));
    struct feed *f = &r->feed;
    for (int i = 0; i < N_INPUTS; i++)
        batch.in[i] = f->host + f->at[FEED_IN + i];
    for (int h = 0; h < N_HEADS; h++)
        batch.target[h] = f->host + f->at[FEED_TARGET + h];
    batch.length = f->host + f->at[FEED_LENGTH];
    band_data_fill(t->data, split, index, &batch);
    double share[N_HEADS];
    for (int h = 0; h < N_HEADS; h++) {
        share[h] = (double)batch.valid[h] / (double)batch.valid[HEAD_POS];
        float weight = (float)(share[h] * (h == HEAD_VEL ? t->vel_weight : 1));
        memcpy(f->host + f->at[FEED_WEIGHT + h], &weight, sizeof weight);
    }
    f->host[f->at[FEED_SEED]] = (int32_t)t->seed;
    f->host[f->at[FEED_SEED] + 1] = (int32_t)index;
    TRY(device_upload(t->device, f->device, f->host, f->words * sizeof *f->host));
    TRY(plan_run(r->plan, NULL));
    for (int h = 0; h < N_HEADS; h++) {
        float mean;
        TRY(device_download(t->device, &mean, plan_output(r->plan, h), sizeof mean));
        losses[h] = batch.valid[h] > 0 ? (double)mean * share[h] : 0;
    }
    return ERR_OK;
}

enum err band_train_step(struct model *m, long step, double losses[4])
{
    struct trainer *t = m->trainer;
    TRY(run_batch(m, SPLIT_TRAIN, (uint64_t)step, losses));
    for (int h = 0; h < N_HEADS; h++)
        if (!(losses[h] < 1e6))
            return err_set(ERR_RANGE, "the loss is no longer a number at update %ld", step);
    t->optim.lr = schedule_lr(SCHEDULE_COSINE, t->lr, t->lr * t->floor, t->warmup, t->total, step);
    t->optim.step = step;
    optim_step(&t->optim, m->params, "", t->device);
    ema_update(t->ema, m->params, t->device);
    t->samples += band_data_rows(t->data, band_data_bucket(t->data, SPLIT_TRAIN, (uint64_t)step));
    return ERR_OK;
}

enum err band_train_eval(struct model *m, double losses[4])
{
    struct trainer *t = m->trainer;
    enum err err = ERR_OK;
    memset(losses, 0, N_HEADS * sizeof *losses);
    if (band_data_n(t->data, SPLIT_HELD_OUT) == 0)
        return err_set(ERR_EMPTY, "the data set has no held-out songs");
    ema_swap(t->ema, m->params, t->device);
    for (int i = 0; i < EVAL_BATCHES && err == ERR_OK; i++) {
        double part[N_HEADS];
        err = run_batch(m, SPLIT_HELD_OUT, (uint64_t)i, part);
        for (int h = 0; h < N_HEADS && err == ERR_OK; h++)
            losses[h] += part[h] / EVAL_BATCHES;
    }
    ema_swap(t->ema, m->params, t->device);
    return err;
}

void band_train_horizon(struct model *m, long total)
{
    m->trainer->total = total;
}

long band_train_samples(const struct model *m)
{
    return m->trainer->samples;
}

/* Genre names as one text, commas between them. */
static void add_genres(struct ckpt_writer *w, const struct model *m)
{
    struct str list;
    str_init(&list);
    for (int i = 0; i < m->config.n_genres; i++)
        str_addf(&list, "%s%s", i > 0 ? "," : "", m->genres[i]);
    ckpt_writer_meta(w, "genres", str_c(&list));
    str_fini(&list);
}

static void add_meta(struct ckpt_writer *w, const struct model *m)
{
    const struct { const char *key; int value; } sizes[] = {
        { "option.width", m->config.width }, { "option.layers", m->config.layers },
        { "option.heads", m->config.heads }, { "option.mlp", m->config.mlp },
    };
    ckpt_writer_meta(w, "format", "jamroll 1");
    ckpt_writer_meta(w, "family", "band");
    ckpt_writer_meta(w, "grid", "4 bars of 4/4, 48 steps a bar, 32 onsets a bar, pitches 24..107");
    ckpt_writer_meta(w, "roles", "Drums,Piano,Guitar,Bass,Strings");
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char text[32];
        str_format(text, sizeof text, "%d", sizes[i].value);
        ckpt_writer_meta(w, sizes[i].key, text);
    }
    add_genres(w, m);
}

enum err band_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta, size_t n_meta)
{
    struct trainer *t = m->trainer;
    struct ckpt_writer *w = ckpt_writer_new();
    add_meta(w, m);
    for (size_t i = 0; i < n_meta; i++)
        ckpt_writer_meta(w, meta[2 * i], meta[2 * i + 1]);
    if (for_shipping) {
        ema_swap(t->ema, m->params, t->device);
        ckpt_add_params(w, m->params, t->device);
        ema_swap(t->ema, m->params, t->device);
    } else {
        ckpt_add_params(w, m->params, t->device);
        ckpt_add_moments(w, m->params, t->device);
        ckpt_add_ema(w, t->ema, m->params, t->device);
    }
    return ckpt_writer_save(w, path);
}

static struct trainer *trainer_new(struct device *d, const struct opts *o)
{
    struct trainer *t = xcalloc(1, sizeof *t);
    t->device = d;
    t->lr = opts_real(o, "lr");
    t->floor = opts_real(o, "lr-floor");
    t->warmup = (long)opts_int(o, "warmup");
    t->total = t->warmup + 1;
    t->vel_weight = opts_real(o, "vel-weight");
    t->seed = (uint64_t)opts_int(o, "seed");
    t->optim = (struct optim){ .kind = OPTIM_ADAMW, .beta1 = 0.9, .beta2 = opts_real(o, "beta2"), .eps = 1e-8,
                               .weight_decay = opts_real(o, "weight-decay"), .clip = opts_real(o, "clip") };
    return t;
}

void trainer_free(struct trainer *t)
{
    if (!t)
        return;
    for (int s = 0; s < N_SPLITS; s++)
        for (int b = 0; b < BAND_BUCKETS; b++)
            runner_fini(t->device, &t->runner[s][b]);
    ema_free(t->ema);
    band_data_free(t->data);
    free(t);
}

/* Parameters are declared by building a graph, the smallest there is. */
static void declare(struct model *m)
{
    struct graph *g = graph_new();
    struct net n = net_of(m, g, true);
    band_build_batch(&n, &m->config, 1, 2);
    graph_free(g);
}

static enum err load_weights(struct model *m, const struct opts *o, const struct ckpt *resume)
{
    struct trainer *t = m->trainer;
    declare(m);
    TRY(params_alloc(m->params, t->device, true));
    params_init(m->params, t->seed);
    if (resume) {
        TRY(ckpt_load_params(resume, m->params, t->device));
        TRY(ckpt_load_moments(resume, m->params, t->device));
    }
    TRY(ema_new(m->params, t->device, opts_real(o, "ema"), &t->ema));
    return resume ? ckpt_load_ema(resume, t->ema, m->params, t->device) : ERR_OK;
}

static enum err open_parts(struct model *m, const struct opts *o, const struct dataset *data, const struct ckpt *resume)
{
    struct trainer *t = m->trainer;
    struct band_data_opts d = { .seed = t->seed, .rows = (int)opts_int(o, "rows"), .any_genre = opts_real(o, "any-genre"),
                                .filler = opts_real(o, "filler"), .transpose = opts_real(o, "transpose") };
    TRY(band_data_new(data, &d, &t->data));
    for (int i = 0; i < m->config.n_genres; i++)
        m->genres[i] = xstrdup(dataset_genre(data, (size_t)i));
    return load_weights(m, o, resume);
}

enum err band_train_open(struct device *d, const struct opts *o, const struct dataset *data, const struct ckpt *resume,
                         struct model **out)
{
    struct band_config c;
    TRY(band_config_from(o, (int)dataset_n_genres(data), &c));
    struct model *m = band_model_new(d, &c);
    m->trainer = trainer_new(d, o);
    enum err err = open_parts(m, o, data, resume);
    if (err != ERR_OK) {
        band_model_free(m);
        return err;
    }
    *out = m;
    return ERR_OK;
}
