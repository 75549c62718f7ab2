/* frames_train.c: training the frames: cross entropy of the frame after a window, by Nadam. What is judged on held-out
 * music and shipped are averaged weights. An update depends on the parameters, the seed and its number only, so a
 * resumed run equals an unbroken one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "frames_data.h"
#include "mem.h"
#include "opt.h"
#include "optim.h"
#include "phrase.h"
#include "str.h"

enum { MAX_TENSORS = 64, EVAL_BATCHES = 32 };

/* What a batch feeds, in one block: tokens, phases, targets, seed. */
struct feed { int32_t *host, *device; size_t phase, target, seed, words; };
struct runner { struct graph *g; struct plan *plan; };

struct frames_trainer {
    struct device *device;           /* borrowed */
    struct frames_data *data;
    struct optim optim;
    struct ema *ema;
    struct feed feed;
    struct runner runner[N_STEP_SPLITS];
    char time[16];
    int rows;
    double lr, floor;
    long warmup, total, samples;
    uint64_t seed;
};

void frames_trainer_free(struct frames_trainer *t)
{
    if (!t)
        return;
    for (int s = 0; s < N_STEP_SPLITS; s++) {
        plan_free(t->runner[s].plan);
        graph_free(t->runner[s].g);
    }
    ema_free(t->ema);
    free(t->feed.host);
    if (t->feed.device)
        device_free(t->device, t->feed.device);
    frames_data_free(t->data);
    free(t);
}

static enum err feed_new(struct model *m)
{
    struct feed *f = &m->trainer->feed;
    size_t rows = (size_t)m->trainer->rows, window = (size_t)m->net.window;
    f->phase = (rows * window + 15) / 16 * 16;
    f->target = 2 * f->phase;
    f->seed = f->target + (rows + 15) / 16 * 16;
    f->words = f->seed + 2;
    f->host = xcalloc(f->words, sizeof *f->host);
    return device_alloc(m->device, f->words * sizeof *f->device, (void **)&f->device);
}

/* Outputs of a plan: the loss, then (training) the gradients. */
static enum err runner_open(struct model *m, enum step_split split)
{
    struct frames_trainer *t = m->trainer;
    struct runner *r = &t->runner[split];
    struct node *outputs[1 + MAX_TENSORS], *leaves[MAX_TENSORS];
    int index[MAX_TENSORS], n = 0;
    struct net net = { .g = r->g = graph_new(), .p = m->params, .training = split == STEP_TRAIN };
    if (net.training)
        net.seed = g_input(r->g, "seed", I32, SHAPE(2));
    struct frames_graph f = frames_build(&net, &m->net, t->rows);
    outputs[0] = f.loss;
    if (net.training) {
        n = params_leaves(m->params, r->g, "", leaves, index, MAX_TENSORS);
        graph_grad(f.loss, leaves, n, outputs + 1);
    }
    TRY(plan_new(m->device, r->g, outputs, 1 + n, NULL, &r->plan));
    params_bind(m->params, r->plan);
    params_bind_grads(m->params, r->plan, 1, index, n);
    plan_bind(r->plan, f.token, t->feed.device);
    plan_bind(r->plan, f.target, t->feed.device + t->feed.target);
    if (f.phase)
        plan_bind(r->plan, f.phase, t->feed.device + t->feed.phase);
    if (net.seed)
        plan_bind_name(r->plan, "seed", t->feed.device + t->feed.seed);
    return ERR_OK;
}

static enum err run_batch(struct model *m, enum step_split split, uint64_t index, double *loss)
{
    struct frames_trainer *t = m->trainer;
    struct feed *f = &t->feed;
    float mean;
    if (!t->runner[split].plan)
        TRY(runner_open(m, split));
    frames_data_fill(t->data, split, index, t->rows, m->net.window, f->host, f->host + f->phase, f->host + f->target);
    f->host[f->seed] = (int32_t)t->seed;
    f->host[f->seed + 1] = (int32_t)index;
    TRY(device_upload(m->device, f->device, f->host, f->words * sizeof *f->host));
    TRY(plan_run(t->runner[split].plan, NULL));
    const float *at = plan_output(t->runner[split].plan, 0);
    TRY(split == STEP_TRAIN ? device_recent(m->device, at, &mean) : device_download(m->device, &mean, at, sizeof mean));
    *loss = (double)mean;
    return ERR_OK;
}

enum err frames_train_step(struct model *m, long step, double losses[4])
{
    struct frames_trainer *t = m->trainer;
    TRY(run_batch(m, STEP_TRAIN, (uint64_t)step, losses));
    if (!(losses[0] < 1e6))
        return err_set(ERR_RANGE, "the loss is no longer a number at update %ld", step);
    t->optim.lr = schedule_lr(SCHEDULE_COSINE, t->lr, t->lr * t->floor, t->warmup, t->total, step);
    t->optim.step = step;
    optim_step(&t->optim, m->params, "", m->device);
    ema_update(t->ema, m->params, m->device);
    t->samples += t->rows;
    return ERR_OK;
}

enum err frames_train_eval(struct model *m, double losses[4])
{
    struct frames_trainer *t = m->trainer;
    enum err err = ERR_OK;
    losses[0] = 0;
    if (!frames_data_held_out(t->data))
        return err_set(ERR_EMPTY, "the data set holds nothing back");
    ema_swap(t->ema, m->params, m->device);
    for (int i = 0; i < EVAL_BATCHES && err == ERR_OK; i++) {
        double part = 0;
        err = run_batch(m, STEP_HELD_OUT, (uint64_t)i, &part);
        losses[0] += part / EVAL_BATCHES;
    }
    ema_swap(t->ema, m->params, m->device);
    return err;
}

void frames_train_horizon(struct model *m, long total)
{
    m->trainer->total = total;
}

long frames_train_samples(const struct model *m)
{
    return m->trainer->samples;
}

/* ---- beginning ---- */

/* Of the training music, or the one a run was begun with. */
static enum err find_vocab(const struct opts *o, const struct works *w, const struct ckpt *resume, struct frame_vocab *out)
{
    enum frame_time time = strcmp(opts_text(o, "time"), "beats") ? FRAMES_CLOCK : FRAMES_BEATS;
    return resume ? frames_vocab_load(resume, out) : frame_vocab_learn(out, time, w, (int)opts_int(o, "chords"));
}

static enum err load_weights(struct model *m, const struct opts *o, const struct ckpt *resume)
{
    struct net n = { .g = graph_new(), .p = m->params };
    frames_build(&n, &m->net, 1);
    graph_free(n.g);
    TRY(params_alloc(m->params, m->device, true));
    params_init(m->params, m->trainer->seed);
    if (resume) {
        TRY(ckpt_load_params(resume, m->params, m->device));
        TRY(ckpt_load_moments(resume, m->params, m->device));
    }
    TRY(ema_new(m->params, m->device, opts_real(o, "ema"), &m->trainer->ema));
    return resume ? ckpt_load_ema(resume, m->trainer->ema, m->params, m->device) : ERR_OK;
}

static enum err open_parts(struct model *m, const struct opts *o, const struct works *w, const struct ckpt *resume)
{
    struct frames_trainer *t = m->trainer;
    t->device = m->device;
    t->rows = (int)opts_int(o, "rows");
    t->lr = opts_real(o, "lr");
    t->floor = opts_real(o, "lr-floor");
    t->warmup = (long)opts_int(o, "warmup");
    t->total = t->warmup + 1;
    t->seed = (uint64_t)opts_int(o, "seed");
    t->optim = (struct optim){ .kind = OPTIM_NADAM, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-7, .clip = opts_real(o, "clip") };
    str_copy(t->time, sizeof t->time, opts_text(o, "time"));
    TRY(frames_data_new(w, &m->vocab, t->seed, &t->data));
    TRY(load_weights(m, o, resume));
    return feed_new(m);
}

enum err frames_train_open(struct device *d, const struct opts *o, const struct dataset *data, const struct ckpt *resume,
                           struct model **out)
{
    const struct works *w = dataset_works(data);
    struct frame_vocab vocab;
    struct frames_net net;
    if (!w)
        return err_set(ERR_FORMAT, "the frames learn from whole works: `jamroll dataset build --works`");
    TRY(find_vocab(o, w, resume, &vocab));
    enum err err = frames_net_from(o, vocab.n, &net);
    if (err != ERR_OK) {
        frame_vocab_fini(&vocab);
        return err;
    }
    struct model *m = frames_model_new(d, &net);
    m->vocab = vocab;
    m->trainer = xcalloc(1, sizeof *m->trainer);
    err = open_parts(m, o, w, resume);
    if (err != ERR_OK) {
        frames_model_free(m);
        return err;
    }
    *out = m;
    return ERR_OK;
}

/* ---- saving ---- */

static void add_vocab(struct ckpt_writer *w, const struct frame_vocab *v)
{
    uint32_t *word = xcalloc((size_t)v->n * 4, sizeof *word);
    for (int i = 0; i < 4 * v->n; i++)
        word[i] = (uint32_t)(v->set[i / 4].key[i % 4 / 2] >> 32 * (i % 2));
    ckpt_writer_add(w, "vocabulary", I32, SHAPE(v->n, 4), word);
    free(word);
}

static void add_meta(struct ckpt_writer *w, const struct model *m)
{
    const struct { const char *key; int value; } sizes[] = {
        { "option.window", m->net.window }, { "option.embed", m->net.embed }, { "option.width", m->net.width },
        { "option.hidden", m->net.hidden }, { "option.bar", m->net.bar },
    };
    ckpt_writer_meta(w, "format", "jamroll 1");
    ckpt_writer_meta(w, "family", "frames");
    ckpt_writer_meta(w, "grid", m->vocab.time == FRAMES_BEATS ? "sixteenths from the bar line, any metre" : "5 frames a second");
    ckpt_writer_meta(w, "roles", "Piano");
    ckpt_writer_meta(w, "option.time", m->trainer->time);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char text[32];
        str_format(text, sizeof text, "%d", sizes[i].value);
        ckpt_writer_meta(w, sizes[i].key, text);
    }
}

enum err frames_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta, size_t n_meta)
{
    struct ckpt_writer *w = ckpt_writer_new();
    struct ema *ema = m->trainer->ema;
    add_meta(w, m);
    for (size_t i = 0; i < n_meta; i++)
        ckpt_writer_meta(w, meta[2 * i], meta[2 * i + 1]);
    add_vocab(w, &m->vocab);
    if (for_shipping)
        ema_swap(ema, m->params, m->device);
    ckpt_add_params(w, m->params, m->device);
    if (for_shipping) {
        ema_swap(ema, m->params, m->device);
    } else {
        ckpt_add_moments(w, m->params, m->device);
        ckpt_add_ema(w, ema, m->params, m->device);
    }
    return ckpt_writer_save(w, path);
}
