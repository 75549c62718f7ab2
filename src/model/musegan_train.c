/* musegan_train.c: adversarial training, one iteration a step: several updates of the critic, one or more of the
 * generator, or of the refiner behind a generator that stays as it is. Three plans share the parameters:
 *
 *     fake     the generator on a whole batch (batch statistics need all of it)
 *     critic   loss, penalty and their gradients on a few samples at a time, added up in place: the critic
 *              has no norm, so a batch may be cut, and a few samples fit the cache
 *     step     generator and critic on a whole batch, gradients of the generator, moving statistics
 *
 * and a fourth the averaged generator that ships: settle, its own moving statistics (musegan_settle below).
 *
 * Every random draw comes from (seed, update), so a resumed run goes on as if never stopped. */
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "kinds.h"
#include "mem.h"
#include "musegan.h"
#include "opt.h"
#include "optim.h"

enum { MAX_TENSORS = 1024 };
enum { ALIGN_FLOATS = 16 }; /* what a plan expects of memory bound to it */
enum { SETTLE_BATCHES = 60 }; /* 0.95^60: of the old statistics a twentieth is left */
#define SETTLE_MOMENTUM 0.95f
enum { OUT_LOSS, OUT_PENALTY, OUT_REAL, OUT_FAKE, N_SCALARS };

static const char *const learners[] = {"g.", "r."};

struct net_plan {
    struct graph *g;
    struct plan *plan;
};

struct musegan_trainer {
    enum musegan_loss loss;
    double penalty, lr, critic_lr;
    int batch, micro, critic_steps, generator_steps, warm_updates;
    long warm_steps, warm_every;
    enum schedule_kind schedule;
    long decay_from, decay_to, slope_from, slope_to;
    bool learns[2]; /* the generator, the refiner */
    const struct opts *opts; /* borrowed */
    uint64_t seed, update; /* updates done: the stream of the next one's random numbers */
    uint64_t first_update; /* of this session */
    struct optim critic, generator;
    struct ema *ema; /* or NULL */
    const struct dataset *data;
    uint32_t *set[2], n_set[2]; /* phrases to train on, and held out */
    struct net_plan fake_plan, critic_plan, judge_plan, step_plan, settle_plan;
    float *z, *real, *condition, *fake, *share, *keep, *slope; /* device */
    int32_t *random; /* likewise: seed and update, for neurons that draw */
    float *host; /* a batch of phrases being written */
};

/* A graph that trains on the parameters; a generator that does not learn keeps its moving statistics. */
static struct net net_new(struct model *m)
{
    return (struct net){.g = graph_new(), .p = m->live, .training = true};
}

static struct musegan_builder builder(struct model *m, struct net *net)
{
    return (struct musegan_builder){
        .net = net, .c = &m->c, .norm = m->trainer->learns[0] ? NORM_BATCH : NORM_MOVING};
}

static struct node *generator_of(struct musegan_builder *b, int batch)
{
    const struct musegan_config *c = b->c;
    struct graph *g = b->net->g;
    struct node *z = g_input(g, "z", F32, SHAPE(batch, musegan_latents(c)));
    b->slope = g_input(g, "slope", F32, (struct shape){0});
    b->net->seed = g_input(g, "seed", I32, SHAPE(2));
    return musegan_generator(
        b, z, c->condition < 0 ? NULL : g_input(g, "condition", F32, musegan_phrase(c, batch, 1)));
}

static enum err plan_finish(struct model *m, struct net_plan *np, struct node **outputs, int n)
{
    struct musegan_trainer *t = m->trainer;
    TRY(plan_new(m->device, np->g, outputs, n, NULL, &np->plan));
    params_bind(m->live, np->plan);
    const struct {
        const char *name;
        float *at;
    } inputs[] = {
        {"z", t->z},         {"condition", t->condition}, {"real", t->real},   {"fake", t->fake},
        {"share", t->share}, {"keep", t->keep},           {"slope", t->slope},
    };
    for (size_t i = 0; i < COUNT_OF(inputs); i++)
        plan_bind_name(np->plan, inputs[i].name, inputs[i].at);
    plan_bind_name(np->plan, "seed", t->random);
    return ERR_OK;
}

static enum err build_fake(struct model *m)
{
    struct musegan_trainer *t = m->trainer;
    struct net net = net_new(m);
    struct musegan_builder b = builder(m, &net);
    t->fake_plan.g = net.g;
    struct node *fake = generator_of(&b, t->batch);
    TRY(plan_finish(m, &t->fake_plan, &fake, 1));
    plan_bind_output(t->fake_plan.plan, 0, t->fake);
    return ERR_OK;
}

/* grad of tensor `leaf` joins what earlier parts of the batch left there: keep * sum + grad, in place. */
static struct node *accumulate(struct graph *g, const char *leaf, struct node *grad, struct node *keep)
{
    char name[80];
    struct shape s = node_shape(grad);
    BUG_ON(!str_format(name, sizeof name, "grad/%s", leaf) || s.rank > 2);
    struct node *sum = g_param(g, name, s);
    struct node *kept = g_mul(sum, g_expand(g_reshape(keep, s.rank == 2 ? SHAPE(1, 1) : SHAPE(1)), s));
    return g_store(g_add(kept, grad), sum);
}

/* With `update` the gradients are added up in the parameter set; without, the losses alone are worked out. */
static enum err build_critic(struct model *m, struct net_plan *np, bool update)
{
    struct musegan_trainer *t = m->trainer;
    struct net net = net_new(m);
    struct musegan_builder b = builder(m, &net);
    np->g = net.g;
    struct node *out[N_SCALARS + MAX_TENSORS], *leaf[MAX_TENSORS], *grad[MAX_TENSORS];
    struct node *keep = g_input(net.g, "keep", F32, (struct shape){0});
    struct node *real = g_input(net.g, "real", F32, musegan_phrase(&m->c, t->micro, N_ROLES));
    struct node *fake = g_input(net.g, "fake", F32, musegan_phrase(&m->c, t->micro, N_ROLES));
    struct node *on_real = musegan_critic(&b, real), *on_fake = musegan_critic(&b, fake);
    out[OUT_REAL] = g_mean(on_real, 3);
    out[OUT_FAKE] = g_mean(on_fake, 3);
    out[OUT_LOSS] = musegan_critic_loss(t->loss, on_real, on_fake);
    out[OUT_PENALTY] = g_const(net.g, 0);
    if (t->penalty > 0) {
        struct node *share = g_input(net.g, "share", F32, SHAPE(t->micro, 1, 1, 1, 1));
        out[OUT_PENALTY] = musegan_penalty(&b, real, fake, share);
        out[OUT_LOSS] = g_add(out[OUT_LOSS], g_scale(out[OUT_PENALTY], (float)t->penalty, 0));
    }
    int idx[MAX_TENSORS], n = 0;
    if (update) {
        n = params_leaves(m->live, net.g, "d.", leaf, idx, MAX_TENSORS);
        graph_grad(g_scale(out[OUT_LOSS], (float)t->micro / (float)t->batch, 0), leaf, n, grad);
        for (int i = 0; i < n; i++)
            out[N_SCALARS + i] = accumulate(net.g, params_name(m->live, (size_t)idx[i]), grad[i], keep);
    }
    TRY(plan_finish(m, np, out, N_SCALARS + n));
    for (int i = 0; i < n; i++) {
        char name[80];
        (void)str_format(name, sizeof name, "grad/%s", params_name(m->live, (size_t)idx[i]));
        plan_bind_name(np->plan, name, params_grad(m->live, (size_t)idx[i]));
    }
    return ERR_OK;
}

static enum err build_step(struct model *m)
{
    struct musegan_trainer *t = m->trainer;
    struct net net = net_new(m);
    struct musegan_builder b = builder(m, &net);
    t->step_plan.g = net.g;
    struct node *out[1 + 2 * MAX_TENSORS], *leaf[MAX_TENSORS];
    int idx[MAX_TENSORS];
    struct node *score = musegan_critic(&b, generator_of(&b, t->batch));
    out[0] = musegan_generator_loss(t->loss, score);
    int n = 0;
    for (int i = 0; i < 2; i++)
        if (t->learns[i])
            n += params_leaves(m->live, net.g, learners[i], leaf + n, idx + n, MAX_TENSORS - n);
    graph_grad(out[0], leaf, n, out + 1);
    memcpy(out + 1 + n, net.stores, (size_t)net.n_stores * sizeof *out);
    TRY(plan_finish(m, &t->step_plan, out, 1 + n + net.n_stores));
    params_bind_grads(m->live, t->step_plan.plan, 1, idx, n);
    return ERR_OK;
}

/* Moving statistics alone, quickly forgetting what they were. */
static enum err build_settle(struct model *m)
{
    struct musegan_trainer *t = m->trainer;
    struct net net = net_new(m);
    struct musegan_builder b = builder(m, &net);
    net.momentum = SETTLE_MOMENTUM;
    t->settle_plan.g = net.g;
    generator_of(&b, t->batch);
    return plan_finish(m, &t->settle_plan, net.stores, net.n_stores);
}

/* Declare everything once, the generator first: each network's tensors lie together. */
static void declare(struct model *m)
{
    struct net net = net_new(m);
    struct musegan_builder b = builder(m, &net);
    musegan_critic(&b, generator_of(&b, 2));
    graph_free(net.g);
}

static enum err choose_phrases(struct musegan_trainer *t, const char *genre)
{
    size_t n = dataset_n(t->data), wanted = dataset_n_genres(t->data);
    for (size_t g = 0; genre && g < dataset_n_genres(t->data); g++)
        if (str_same(dataset_genre(t->data, g), genre))
            wanted = g;
    if (genre && wanted == dataset_n_genres(t->data))
        return err_set(ERR_MISSING, "the data has no genre \"%s\"", genre);
    t->set[0] = xcalloc(n + 1, sizeof **t->set);
    t->set[1] = xcalloc(n + 1, sizeof **t->set);
    for (size_t i = 0; i < n; i++) {
        struct phrase p = dataset_get(t->data, i);
        if (!genre || p.genre == wanted)
            t->set[p.held_out][t->n_set[p.held_out]++] = (uint32_t)i;
    }
    return t->n_set[0] ? ERR_OK : err_set(ERR_EMPTY, "no phrases to train on");
}

/* Mixing shares of each part of a batch begin on a boundary of their own. */
static size_t share_stride(const struct musegan_trainer *t)
{
    return ((size_t)t->micro + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

static size_t n_shares(const struct musegan_trainer *t)
{
    return (size_t)(t->batch / t->micro) * share_stride(t);
}

static enum err alloc_buffers(struct model *m)
{
    struct musegan_trainer *t = m->trainer;
    size_t n = (size_t)t->batch, cells = musegan_cells(&m->c) * n;
    const struct {
        float **at;
        size_t n;
    } blocks[] = {
        {&t->z, n * (size_t)musegan_latents(&m->c)},
        {&t->real, cells * N_ROLES},
        {&t->fake, cells * N_ROLES},
        {&t->condition, cells},
        {&t->share, n_shares(t)},
        {&t->keep, 1},
        {&t->slope, 1},
    };
    TRY(device_alloc(m->device, 2 * sizeof(int32_t), (void **)&t->random));
    for (size_t i = 0; i < COUNT_OF(blocks); i++)
        TRY(device_alloc(m->device, blocks[i].n * sizeof(float), (void **)blocks[i].at));
    return mem_try_alloc(cells * N_ROLES, sizeof(float), (void **)&t->host);
}

static int chosen(const struct opts *o, const char *option, const char *const *names)
{
    int i = 0;
    while (strcmp(opts_text(o, option), names[i]))
        i++;
    return i;
}

static enum err read_options(struct musegan_trainer *t, const struct opts *o, const struct musegan_config *c)
{
    static const char *const losses[] = {"wasserstein", "hinge", "nonsaturating", "classic"};
    static const char *const schedules[] = {"constant", "linear", "cosine"};
    t->opts = o;
    t->loss = chosen(o, "loss", losses);
    t->schedule = chosen(o, "schedule", schedules);
    t->penalty = opts_real(o, "penalty");
    t->lr = opts_real(o, "lr");
    t->critic_lr = opts_real(o, "critic-lr") > 0 ? opts_real(o, "critic-lr") : t->lr;
    t->batch = (int)opts_int(o, "batch");
    t->micro = (int)opts_int(o, "micro");
    t->critic_steps = (int)opts_int(o, "critic-steps");
    t->generator_steps = (int)opts_int(o, "generator-steps");
    t->warm_updates = (int)opts_int(o, "warm-updates");
    t->warm_steps = opts_int(o, "warm-steps");
    t->warm_every = opts_int(o, "warm-every");
    t->decay_from = opts_int(o, "decay-from");
    t->decay_to = opts_int(o, "decay-to");
    t->slope_from = opts_int(o, "slope-from");
    t->slope_to = opts_int(o, "slope-to");
    t->learns[0] = strcmp(opts_text(o, "train"), "refiner") != 0;
    t->learns[1] = strcmp(opts_text(o, "train"), "generator") != 0;
    t->seed = (uint64_t)opts_int(o, "seed");
    t->generator = (struct optim){.kind = OPTIM_ADAM,
                                  .beta1 = opts_real(o, "beta1"),
                                  .beta2 = opts_real(o, "beta2"),
                                  .eps = 1e-8,
                                  .tf_eps = true};
    t->critic = t->generator;
    t->critic.most = opts_real(o, "clip");
    if (t->batch % t->micro)
        return err_set(ERR_RANGE, "batch %d is not a multiple of micro %d", t->batch, t->micro);
    if (t->learns[1] && !c->refiner)
        return err_set(ERR_RANGE, "train=%s wants refiner=on", opts_text(o, "train"));
    return musegan_critic_check(c);
}

static enum err resume_from(struct model *m, const struct ckpt *c)
{
    struct musegan_trainer *t = m->trainer;
    static const char *const keys[] = {"train.update", "train.critic", "train.generator"};
    int64_t value[3];
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (!ckpt_meta(c, keys[i]))
            return err_set(ERR_FORMAT, "not a training checkpoint: no %s", keys[i]);
        TRY(parse_int(ckpt_meta(c, keys[i]), 0, INT64_MAX, &value[i]));
    }
    t->update = (uint64_t)value[0];
    t->critic.step = (long)value[1];
    t->generator.step = (long)value[2];
    TRY(ckpt_load_params(c, m->live, m->device));
    return ckpt_load_moments(c, m->live, m->device);
}

static bool has_part(const struct ckpt *c, const char *prefix)
{
    for (size_t i = 0; i < ckpt_n(c); i++)
        if (str_starts(ckpt_at(c, i).name, prefix))
            return true;
    return false;
}

/* Averaging begins with the run, or where one without it is resumed. */
static enum err open_ema(struct model *m, double decay, const struct ckpt *resume)
{
    struct musegan_trainer *t = m->trainer;
    struct ckpt_tensor updates;
    if (decay <= 0)
        return ERR_OK;
    TRY(ema_new(m->live, m->device, decay, &t->ema));
    return resume && ckpt_find(resume, "ema.updates", &updates) ? ckpt_load_ema(resume, t->ema, m->live, m->device) : ERR_OK;
}

/* The generator of another run, and its critic and refiner where it has them. */
static enum err start_from(struct model *m, const char *path)
{
    static const char *const prefixes[] = {"g.", "d.", "r."};
    struct ckpt *c;
    TRY(ckpt_open(path, &c));
    enum err err = ERR_OK;
    for (size_t i = 0; i < COUNT_OF(prefixes) && err == ERR_OK; i++)
        if (i == 0 || has_part(c, prefixes[i]))
            err = ckpt_load_params_named(c, m->live, prefixes[i], m->device);
    ckpt_close(c);
    return err;
}

void musegan_trainer_close(struct model *m)
{
    struct musegan_trainer *t = m->trainer;
    if (!t)
        return;
    struct net_plan *const plans[] = {&t->fake_plan, &t->critic_plan, &t->judge_plan, &t->step_plan, &t->settle_plan};
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        plan_free(plans[i]->plan);
        graph_free(plans[i]->g);
    }
    void *const blocks[] = {t->z, t->real, t->condition, t->fake, t->share, t->keep, t->slope, t->random};
    for (size_t i = 0; i < COUNT_OF(blocks); i++)
        if (blocks[i])
            device_free(m->device, blocks[i]);
    ema_free(t->ema);
    free(t->set[0]);
    free(t->set[1]);
    free(t->host);
    free(t);
    m->trainer = NULL;
}

enum err musegan_train_open(struct device *d, const struct opts *o, const struct dataset *data,
                            const struct ckpt *resume, struct model **out)
{
    struct model *m = xcalloc(1, sizeof *m);
    enum err err = ERR_OK;
    m->device = d;
    m->live = params_new();
    m->trainer = xcalloc(1, sizeof *m->trainer);
    m->trainer->data = data;
    (void)str_copy(m->name, sizeof m->name, "musegan");
    TRY_OUT(musegan_config_from(o, &m->c));
    TRY_OUT(read_options(m->trainer, o, &m->c));
    TRY_OUT(choose_phrases(m->trainer, opts_text(o, "genre")));
    declare(m);
    TRY_OUT(params_alloc(m->live, d, true));
    TRY_OUT(alloc_buffers(m));
    params_init(m->live, m->trainer->seed);
    if (resume)
        TRY_OUT(resume_from(m, resume));
    else if (opts_text(o, "start"))
        TRY_OUT(start_from(m, opts_text(o, "start")));
    TRY_OUT(open_ema(m, opts_real(o, "ema"), resume));
    m->trainer->first_update = m->trainer->update;
    TRY_OUT(build_fake(m));
    TRY_OUT(build_critic(m, &m->trainer->critic_plan, true));
    TRY_OUT(build_critic(m, &m->trainer->judge_plan, false));
    TRY_OUT(build_step(m));
    if (m->trainer->ema)
        TRY_OUT(build_settle(m));
    *out = m;
out:
    if (err != ERR_OK)
        musegan_kind.close(m);
    return err;
}

/* Fresh latents, mixing shares and phrases for the next update. */
static enum err draw_batch(struct model *m, int set)
{
    struct musegan_trainer *t = m->trainer;
    size_t cells = musegan_cells(&m->c), n = (size_t)t->batch, latents = n * (size_t)musegan_latents(&m->c);
    float *z = xmalloc((latents + n_shares(t)) * sizeof *z), *share = z + latents;
    const int32_t random[] = {(int32_t)t->seed, (int32_t)(t->update & INT32_MAX)};
    struct rng r;
    rng_init(&r, t->seed, 1 + t->update++);
    musegan_latent(&m->c, &r, z, t->batch);
    for (size_t i = 0; i < n_shares(t); i++)
        share[i] = rng_uniform(&r);
    for (size_t i = 0; i < n; i++) {
        struct phrase p = dataset_get(t->data, t->set[set][rng_below(&r, t->n_set[set])]);
        musegan_encode(&m->c, p.notes, p.n, m->c.home ? key_home(phrase_told_key(&p)) : 0, t->host + i * cells * N_ROLES);
    }
    enum err err = ERR_OK;
    TRY_OUT(device_upload(m->device, t->random, random, sizeof random));
    TRY_OUT(device_upload(m->device, t->z, z, latents * sizeof(float)));
    TRY_OUT(device_upload(m->device, t->share, share, n_shares(t) * sizeof(float)));
    TRY_OUT(device_upload(m->device, t->real, t->host, n * cells * N_ROLES * sizeof(float)));
    if (m->c.condition >= 0) {
        for (size_t i = 0; i < n; i++) /* in place: the sources lie ahead of what is written */
            musegan_extract(&m->c, t->host + i * cells * N_ROLES, m->c.condition, t->host + i * cells);
        TRY_OUT(device_upload(m->device, t->condition, t->host, n * cells * sizeof(float)));
    }
out:
    free(z);
    return err;
}

/* Training does not wait for its losses; who judges does. */
static enum err add_scalars(struct model *m, struct plan *p, int n, double weight, double *sum)
{
    bool wait = p == m->trainer->judge_plan.plan;
    for (int i = 0; i < n; i++) {
        float value;
        TRY(wait ? device_download(m->device, &value, plan_output(p, i), sizeof value)
                 : device_recent(m->device, plan_output(p, i), &value));
        sum[i] += weight * (double)value;
    }
    return ERR_OK;
}

/* Run the critic over the batch, a few samples at a time; mean losses of it. */
static enum err run_critic(struct model *m, struct plan *p, double scalar[N_SCALARS])
{
    struct musegan_trainer *t = m->trainer;
    size_t cells = musegan_cells(&m->c) * N_ROLES;
    memset(scalar, 0, N_SCALARS * sizeof *scalar);
    TRY(plan_run(t->fake_plan.plan, NULL));
    for (int at = 0; at < t->batch; at += t->micro) {
        float keep = at > 0;
        TRY(device_upload(m->device, t->keep, &keep, sizeof keep));
        plan_bind_name(p, "real", t->real + (size_t)at * cells);
        plan_bind_name(p, "fake", t->fake + (size_t)at * cells);
        plan_bind_name(p, "share", t->share + (size_t)(at / t->micro) * share_stride(t));
        TRY(plan_run(p, NULL));
        TRY(add_scalars(m, p, N_SCALARS, (double)t->micro / t->batch, scalar));
    }
    return ERR_OK;
}

/* What depends on how many steps are done: learning rates, and the slope of binary neurons. */
static enum err set_step(struct model *m, long step)
{
    struct musegan_trainer *t = m->trainer;
    double share = (double)(step - t->slope_from) / (double)(t->slope_to - t->slope_from);
    share = step < t->slope_from ? 0 : share > 1 ? 1 : share;
    float slope = (float)(1 + (m->c.slope - 1) * share);
    double fall = step < t->decay_from
                      ? 1
                      : schedule_lr(t->schedule, 1, 0, 0, t->decay_to - t->decay_from, step - t->decay_from);
    t->generator.lr = t->lr * fall;
    t->critic.lr = t->critic_lr * fall;
    return device_upload(m->device, t->slope, &slope, sizeof slope);
}

/* One update of the networks that learn beside the critic. */
static enum err update_generator(struct model *m, double *loss)
{
    struct musegan_trainer *t = m->trainer;
    TRY(draw_batch(m, 0));
    TRY(plan_run(t->step_plan.plan, NULL));
    *loss = 0;
    TRY(add_scalars(m, t->step_plan.plan, 1, 1, loss));
    struct optim both = t->generator;
    for (int i = 0; i < 2; i++)
        if (t->learns[i]) {
            t->generator = both;
            optim_step(&t->generator, m->live, learners[i], m->device);
        }
    return ERR_OK;
}

enum err musegan_train_step(struct model *m, long step, double losses[4])
{
    struct musegan_trainer *t = m->trainer;
    double scalar[N_SCALARS] = {0};
    bool warm = step < t->warm_steps || (t->warm_every > 0 && step % t->warm_every == 0);
    TRY(set_step(m, step));
    for (int i = 0; i < (warm ? t->warm_updates : t->critic_steps); i++) {
        TRY(draw_batch(m, 0));
        TRY(run_critic(m, t->critic_plan.plan, scalar));
        optim_step(&t->critic, m->live, "d.", m->device);
    }
    for (int i = 0; i < t->generator_steps; i++)
        TRY(update_generator(m, &losses[1]));
    if (t->ema)
        ema_update(t->ema, m->live, m->device);
    losses[0] = scalar[OUT_LOSS];
    losses[2] = scalar[OUT_PENALTY];
    losses[3] = scalar[OUT_REAL] - scalar[OUT_FAKE];
    return ERR_OK;
}

long musegan_train_samples(const struct model *m)
{
    return (long)(m->trainer->update - m->trainer->first_update) * m->trainer->batch;
}

/* The critic on held-out phrases against fresh ones of the generator. Training's random stream stays where it
 * was. */
enum err musegan_train_eval(struct model *m, double losses[4])
{
    struct musegan_trainer *t = m->trainer;
    double scalar[N_SCALARS];
    uint64_t update = t->update;
    if (!t->n_set[1])
        return err_set(ERR_EMPTY, "the data holds no song back");
    t->update |= 1ull << 62;
    enum err err = draw_batch(m, 1);
    t->update = update;
    TRY(err);
    TRY(run_critic(m, t->judge_plan.plan, scalar));
    losses[0] = scalar[OUT_LOSS];
    losses[1] = -scalar[OUT_FAKE];
    losses[2] = scalar[OUT_PENALTY];
    losses[3] = scalar[OUT_REAL] - scalar[OUT_FAKE];
    return ERR_OK;
}

void musegan_trainer_print(const struct model *m, struct str *out)
{
    const struct musegan_trainer *t = m->trainer;
    const struct {
        const char *title;
        struct plan *plan;
    } rows[] = {
        {"fake", t->fake_plan.plan},
        {"critic", t->critic_plan.plan},
        {"step", t->step_plan.plan},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str_addf(out, "plan %s, arena %.0f MB, %.1f GFLOP\n", rows[i].title,
                 (double)plan_arena_bytes(rows[i].plan) / 1e6, plan_flops(rows[i].plan) / 1e9);
        plan_print(rows[i].plan, true, out);
    }
}

static void add_number(struct ckpt_writer *w, const char *key, uint64_t value)
{
    char text[32];
    (void)str_format(text, sizeof text, "%llu", (unsigned long long)value);
    ckpt_writer_meta(w, key, text);
}

/* All moving statistics, to the host or back. Returns how many floats they are; host NULL counts. */
static size_t move_states(struct model *m, float *host, bool back)
{
    size_t n = 0;
    for (size_t i = 0; i < params_n(m->live); i++) {
        size_t count = shape_count(params_shape(m->live, i));
        if (params_trained(m->live, i))
            continue;
        if (host && back)
            BUG_ON(device_upload(m->device, params_value(m->live, i), host + n, count * sizeof *host) != ERR_OK);
        else if (host)
            BUG_ON(device_download(m->device, host + n, params_value(m->live, i), count * sizeof *host) != ERR_OK);
        n += count;
    }
    return n;
}

/* Moving statistics follow the weights that train. Averaged weights have others, and by the wrong ones notes fall
 * silent: they are taken anew, from fresh batches (the standing statistics of Brock et al. 2019, BigGAN). */
static enum err settle(struct model *m)
{
    struct musegan_trainer *t = m->trainer;
    uint64_t update = t->update;
    enum err err = ERR_OK;
    for (int i = 0; i < SETTLE_BATCHES && t->learns[0] && err == ERR_OK; i++) {
        t->update = 1ull << 61 | (uint64_t)i;
        err = draw_batch(m, 0);
        if (err == ERR_OK)
            err = plan_run(t->settle_plan.plan, NULL);
    }
    t->update = update; /* training's random stream stays where it was */
    return err;
}

/* What is heard, and ships: the averaged generator where there is one. Training goes on as if nothing had been. */
static enum err add_generator(struct model *m, struct ckpt_writer *w)
{
    struct musegan_trainer *t = m->trainer;
    float *states = xmalloc((move_states(m, NULL, false) + 1) * sizeof *states);
    enum err err = ERR_OK;
    if (t->ema) {
        move_states(m, states, false);
        ema_swap(t->ema, m->live, m->device);
        err = settle(m);
    }
    for (int i = 0; i < 1 + m->c.refiner; i++)
        ckpt_add_params_named(w, m->live, learners[i], m->device);
    if (t->ema) {
        ema_swap(t->ema, m->live, m->device);
        move_states(m, states, true);
    }
    free(states);
    return err;
}

/* For shipping the generator alone; else everything that training goes on from. */
enum err musegan_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta,
                            size_t n_meta)
{
    struct musegan_trainer *t = m->trainer;
    struct ckpt_writer *w = ckpt_writer_new();
    enum err err = ERR_OK;
    ckpt_writer_meta(w, "family", musegan_kind.name);
    ckpt_writer_meta(w, "name", m->name);
    musegan_config_save(t->opts, w);
    if (for_shipping) {
        err = add_generator(m, w);
    } else {
        add_number(w, "train.update", t->update);
        add_number(w, "train.critic", (uint64_t)t->critic.step);
        add_number(w, "train.generator", (uint64_t)t->generator.step);
        ckpt_add_params(w, m->live, m->device);
        ckpt_add_moments(w, m->live, m->device);
        if (t->ema)
            ckpt_add_ema(w, t->ema, m->live, m->device);
    }
    for (size_t i = 0; i < n_meta; i++)
        ckpt_writer_meta(w, meta[2 * i], meta[2 * i + 1]);
    if (err != ERR_OK) {
        ckpt_writer_free(w);
        return err;
    }
    return ckpt_writer_save(w, path);
}
