/* cyclegan_train.c: training of genre transfer: one update of the generators, one of the critics. Two plans share the
 * parameters: `g` paints both ways and back and gives the generators' gradients, `d` shows the critics what was painted,
 * now or, half of the time, earlier. In the first updates, if so asked, `warm` stands for `g`: small generators that
 * begin with their whole task fall silent, which is nearly always right, and never speak again.
 *
 * A guard looks at what is painted (cyclegan_guard.c). While all is well it keeps a copy of the run; when a generator
 * collapses, the run goes back to the copy and on at half the rate. Random draws come from (seed, update), so a
 * resumed run goes on as if never stopped. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cyclegan_row.h"
#include "log.h"
#include "mem.h"
#include "optim.h"
#include "phrase.h"
#include "str.h"

enum { MAX_TENSORS = 512, MAX_FALLS = 5, GOOD_EVERY = 5, PATIENCE = 3, MAX_MIXED = 32 };
enum { OUT_CYCLE, OUT_FOOL, OUT_FAKE_A, OUT_FAKE_B, N_OUT };
enum { IN_A, IN_B, IN_MIXED, IN_FAKE_A, IN_FAKE_B, N_IN };
static const char *const input_names[N_IN] = { "a", "b", "mixed", "fake a", "fake b" };

struct net_plan { struct graph *g; struct plan *plan; };
/* Pictures of the generators of earlier updates, [cap][GRID_CELLS] a side. */
struct pool_of_fakes { float *at[2]; int n, cap; };

struct cyclegan_trainer {
    struct cyclegan_config c;
    struct cyclegan_loss loss;
    enum cyclegan_kind kind;
    char genre[2][GENRE_NAME];
    int batch, shift, measure;
    double lr, hold, collapse;
    long total, samples, warm_until;
    uint64_t seed;
    struct device *device;
    struct params *params;
    struct cyclegan *running;         /* the generators on the live parameters, for looks at held-out music */
    struct judge *judge;              /* NULL: the last of the run is the best */
    const struct dataset *data;
    struct grid_set set[2], mixed[MAX_MIXED];
    int n_mixed;
    struct net_plan g, d, warm;
    struct optim optim_g, optim_d;
    float *in[N_IN], *host;           /* on the device; a batch here */
    int32_t *seed_at;
    uint8_t *real[2], *made;          /* the batch as grids */
    struct pool_of_fakes pool;
    struct cyclegan_guard guard;
    long look_every;
    int bad_looks, good_looks, falls; /* looks in a row; times it went back */
    float *good;                      /* values and moments when all was well, or NULL */
};

/* ---- batches ---- */

static size_t batch_bytes(const struct cyclegan_trainer *t)
{
    return (size_t)t->batch * GRID_CELLS * sizeof(float);
}

static enum err upload_grids(struct cyclegan_trainer *t, int input, const uint8_t *grids)
{
    for (int i = 0; i < t->batch * GRID_CELLS; i++)
        t->host[i] = grids[i];
    return device_upload(t->device, t->in[input], t->host, batch_bytes(t));
}

static enum err draw_batch(struct cyclegan_trainer *t, struct rng *r, long step)
{
    int32_t seed[2] = { (int32_t)t->seed, (int32_t)step };
    for (int s = 0; s < 2; s++) {
        for (int i = 0; i < t->batch; i++)
            grid_set_draw(&t->set[s], r, t->shift, t->real[s] + (size_t)i * GRID_CELLS);
        TRY(upload_grids(t, s == 0 ? IN_A : IN_B, t->real[s]));
    }
    for (int i = 0; i < t->batch && t->n_mixed > 0; i++) {
        const struct grid_set *any = &t->mixed[rng_below(r, (uint32_t)t->n_mixed)];
        grid_set_draw(any, r, t->shift, t->made + (size_t)i * GRID_CELLS);
    }
    TRY(upload_grids(t, IN_MIXED, t->made));
    return device_upload(t->device, t->seed_at, seed, sizeof seed);
}

/* Until the pool is full everything new is shown and kept; then half of the time an earlier one, whose place the new
 * one takes. */
static void through_pool(struct pool_of_fakes *p, int side, int at, float *picture, struct rng *r)
{
    enum { BYTES = GRID_CELLS * sizeof(float) };
    if (at < p->cap) {
        memcpy(p->at[side] + (size_t)at * GRID_CELLS, picture, BYTES);
    } else if (p->cap > 0 && rng_below(r, 2)) {
        float other[GRID_CELLS], *place = p->at[side] + (size_t)rng_below(r, (uint32_t)p->cap) * GRID_CELLS;
        memcpy(other, place, BYTES);
        memcpy(place, picture, BYTES);
        memcpy(picture, other, BYTES);
    }
}

/* What the generators painted: to the guard, and through the pool to the critics. */
static enum err show_fakes(struct cyclegan_trainer *t, struct plan *g, struct rng *r)
{
    struct cyclegan_guard next = t->guard;
    for (int s = 0; s < 2; s++) {
        TRY(device_download(t->device, t->host, plan_output(g, s == 0 ? OUT_FAKE_A : OUT_FAKE_B), batch_bytes(t)));
        for (int i = 0; i < t->batch; i++)
            grid_of_probabilities(t->host + (size_t)i * GRID_CELLS, t->made + (size_t)i * GRID_CELLS);
        cyclegan_guard_see(&next, s, t->batch, t->made, t->real[!s], t->real[s]);
        for (int i = 0; i < t->batch; i++)
            through_pool(&t->pool, s, t->pool.n + i, t->host + (size_t)i * GRID_CELLS, r);
        TRY(device_upload(t->device, t->in[s == 0 ? IN_FAKE_A : IN_FAKE_B], t->host, batch_bytes(t)));
    }
    t->pool.n = t->pool.n + t->batch < t->pool.cap ? t->pool.n + t->batch : t->pool.cap;
    t->guard = next;
    return ERR_OK;
}

/* ---- the guard ---- */

struct block { float *at; size_t n; };

static int blocks_of(struct params *p, struct block out[3])
{
    float *value, *grad, *m, *v;
    size_t n;
    params_flat(p, &value, &grad, &m, &v, &n);
    out[0] = (struct block){ value, n };
    out[1] = (struct block){ m, n };
    out[2] = (struct block){ v, n };
    return 3;
}

static enum err keep_good(struct cyclegan_trainer *t)
{
    struct block b[3];
    int n = blocks_of(t->params, b);
    if (!t->good)
        t->good = xcalloc(3 * b[0].n, sizeof *t->good);
    for (int i = 0; i < n; i++)
        TRY(device_download(t->device, t->good + (size_t)i * b[0].n, b[i].at, b[i].n * sizeof(float)));
    return ERR_OK;
}

static enum err go_back(struct cyclegan_trainer *t, long step)
{
    struct block b[3];
    int n = blocks_of(t->params, b);
    if (++t->falls > MAX_FALLS)
        return err_set(ERR_RANGE, "the generators collapsed %d times; a lower rate or more data is needed", t->falls);
    for (int i = 0; i < n; i++)
        TRY(device_upload(t->device, b[i].at, t->good + (size_t)i * b[0].n, b[i].n * sizeof(float)));
    log_warn("update %ld: a generator collapsed (%.2f); back to when it was well, at half the rate", step,
             cyclegan_collapse(&t->guard));
    t->guard = (struct cyclegan_guard){ 0 };
    t->pool.n = 0;
    return ERR_OK;
}

static enum err look(struct cyclegan_trainer *t, long step)
{
    bool well = cyclegan_collapse(&t->guard) < t->collapse;
    t->good_looks = well ? t->good_looks + 1 : 0;
    t->bad_looks = well ? 0 : t->bad_looks + 1;
    if (well && (!t->good || t->good_looks % GOOD_EVERY == 0))
        return keep_good(t);
    if (!t->good || t->bad_looks < PATIENCE)
        return ERR_OK;
    t->bad_looks = 0;
    return go_back(t, step);
}

/* ---- one update ---- */

static enum err scalar(const struct cyclegan_trainer *t, const struct plan *p, int i, double *out)
{
    float value;
    TRY(device_recent(t->device, plan_output(p, i), &value));
    *out = (double)value;
    return ERR_OK;
}

static void update(struct cyclegan_trainer *t, struct optim *o, const char *prefix, long step)
{
    o->lr = ldexp(schedule_hold(t->lr, t->hold, t->total, step), -t->falls);
    o->step = step;
    optim_step(o, t->params, prefix, t->device);
}

enum err cyclegan_train_step(struct model *m, long step, double losses[4])
{
    struct cyclegan_trainer *t = m->trainer;
    struct rng r;
    rng_init(&r, t->seed, 1 + (uint64_t)step);
    TRY(draw_batch(t, &r, step));
    struct plan *g = step < t->warm_until ? t->warm.plan : t->g.plan;
    TRY(plan_run(g, NULL));
    TRY(scalar(t, g, OUT_CYCLE, &losses[0]));
    TRY(scalar(t, g, OUT_FOOL, &losses[1]));
    TRY(show_fakes(t, g, &r));
    update(t, &t->optim_g, "g.", step);
    TRY(plan_run(t->d.plan, NULL));
    TRY(scalar(t, t->d.plan, 0, &losses[2]));
    update(t, &t->optim_d, "d.", step);
    losses[3] = cyclegan_collapse(&t->guard);
    t->samples += 2L * t->batch;
    return t->look_every > 0 && (step + 1) % t->look_every == 0 ? look(t, step + 1) : ERR_OK;
}

/* With a judge: what does not come back, what is not taken for the other genre, and how far either direction is
 * collapsed. There is no telling how good a generator is without one. */
enum err cyclegan_train_eval(struct model *m, double losses[4])
{
    struct cyclegan_trainer *t = m->trainer;
    struct cyclegan_score s;
    if (!t->judge)
        return err_set(ERR_EMPTY, "no judge was named");
    cyclegan_refresh(t->running);
    TRY(cyclegan_measure(t->running, t->judge, t->data, true, t->measure, NULL, &s));
    losses[0] = 1 - (s.side[0].back_f1 + s.side[1].back_f1) / 2;
    losses[1] = 1 - cyclegan_strength(&s);
    losses[2] = 0;
    losses[3] = cyclegan_score_collapse(&s);
    return ERR_OK;
}

void cyclegan_train_horizon(struct model *m, long total)
{
    m->trainer->total = total;
}

long cyclegan_train_samples(const struct model *m)
{
    return m->trainer->samples;
}

/* ---- files ---- */

static const char *const pool_names[2] = { "pool.a", "pool.b" };

static void save_state(const struct cyclegan_trainer *t, struct ckpt_writer *w)
{
    const struct cyclegan_guard *g = &t->guard;
    float watch[9] = { (float)g->seen };
    char falls[16];
    for (int s = 0; s < 2; s++)
        memcpy(watch + 1 + 4 * s, (float[4]){ (float)g->side[s].made, (float)g->side[s].real, (float)g->side[s].made_apart,
                                              (float)g->side[s].real_apart }, 4 * sizeof *watch);
    str_format(falls, sizeof falls, "%d", t->falls);
    ckpt_writer_meta(w, "train.falls", falls);
    ckpt_writer_add(w, "guard", F32, SHAPE(9), watch);
    for (int s = 0; s < 2 && t->pool.n > 0; s++)
        ckpt_writer_add(w, pool_names[s], F32, SHAPE(t->pool.n, GRID_CELLS), t->pool.at[s]);
    ckpt_add_params(w, t->params, t->device);
    ckpt_add_moments(w, t->params, t->device);
}

static enum err load_state(struct cyclegan_trainer *t, const struct ckpt *c)
{
    const char *falls = ckpt_meta(c, "train.falls");
    struct ckpt_tensor x;
    int64_t n;
    TRY(ckpt_load_params(c, t->params, t->device));
    TRY(ckpt_load_moments(c, t->params, t->device));
    if (!falls || !ckpt_find(c, "guard", &x) || x.dtype != F32 || shape_count(x.shape) != 9)
        return err_set(ERR_FORMAT, "the checkpoint does not say how the run was");
    TRY(parse_int(falls, 0, MAX_FALLS, &n));
    t->falls = (int)n;
    const float *w = x.data;
    t->guard.seen = (long)w[0];
    for (int s = 0; s < 2; s++)
        t->guard.side[s] = (struct cyclegan_watch){ (double)w[1 + 4 * s], (double)w[2 + 4 * s], (double)w[3 + 4 * s],
                                                    (double)w[4 + 4 * s] };
    for (int s = 0; s < 2 && ckpt_find(c, pool_names[s], &x); s++) {
        if (x.dtype != F32 || x.shape.rank != 2 || x.shape.dim[0] > t->pool.cap || x.shape.dim[1] != GRID_CELLS)
            return err_set(ERR_FORMAT, "the checkpoint's pool is not one of %d pictures", t->pool.cap);
        t->pool.n = x.shape.dim[0];
        memcpy(t->pool.at[s], x.data, shape_count(x.shape) * sizeof(float));
    }
    return ERR_OK;
}

enum err cyclegan_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta, size_t n_meta)
{
    struct cyclegan_trainer *t = m->trainer;
    struct ckpt_writer *w = ckpt_writer_new();
    static const char *const kinds[N_CYCLEGAN_KINDS] = { "base", "partial", "full" };
    cyclegan_config_meta(&t->c, t->genre, w);
    ckpt_writer_meta(w, "train.model", kinds[t->kind]);
    for (size_t i = 0; i < n_meta; i++)
        ckpt_writer_meta(w, meta[2 * i], meta[2 * i + 1]);
    if (for_shipping)
        ckpt_add_params_named(w, t->params, "g.", t->device);
    else
        save_state(t, w);
    return ckpt_writer_save(w, path);
}

/* ---- opening ---- */

static enum err read_options(struct cyclegan_trainer *t, const struct opts *o)
{
    const char *kind = opts_text(o, "model");
    t->c = cyclegan_config_from(o);
    t->kind = *kind == 'b' ? CYCLEGAN_BASE : *kind == 'p' ? CYCLEGAN_PARTIAL : CYCLEGAN_FULL;
    t->loss = (struct cyclegan_loss){ (float)opts_real(o, "cycle"), (float)opts_real(o, "extra"), (float)opts_real(o, "sigma") };
    t->batch = (int)opts_int(o, "batch");
    t->shift = (int)opts_int(o, "transpose");
    t->measure = (int)opts_int(o, "measure");
    t->lr = opts_real(o, "lr");
    t->hold = opts_real(o, "hold");
    t->seed = (uint64_t)opts_int(o, "seed");
    t->collapse = opts_real(o, "collapse");
    t->warm_until = (long)opts_int(o, "warm");
    t->look_every = (long)opts_int(o, "guard");
    t->pool.cap = (int)opts_int(o, "pool");
    t->total = 1;
    t->optim_g = t->optim_d = (struct optim){ .kind = OPTIM_ADAM, .beta1 = opts_real(o, "beta1"), .beta2 = 0.999, .eps = 1e-8 };
    return cyclegan_pair(opts_text(o, "pair"), '-', t->genre);
}

static enum err find_phrases(struct cyclegan_trainer *t)
{
    for (int s = 0; s < 2; s++) {
        TRY(grid_set_init(&t->set[s], t->data, t->genre[s], false));
        if (t->set[s].n == 0)
            return err_set(ERR_EMPTY, "the data has nothing of %s to train on", t->genre[s]);
    }
    for (size_t g = 0; g < dataset_n_genres(t->data) && t->kind != CYCLEGAN_BASE && t->n_mixed < MAX_MIXED; g++) {
        const char *name = dataset_genre(t->data, g);
        struct grid_set *set = &t->mixed[t->n_mixed];
        if (t->kind == CYCLEGAN_PARTIAL && !str_same(name, t->genre[0]) && !str_same(name, t->genre[1]))
            continue;
        TRY(grid_set_init(set, t->data, name, false));
        t->n_mixed += set->n > 0;
        if (set->n == 0)
            grid_set_fini(set);
    }
    return ERR_OK;
}

static enum err alloc_inputs(struct cyclegan_trainer *t)
{
    size_t cells = (size_t)t->batch * GRID_CELLS;
    t->host = xcalloc(cells, sizeof *t->host);
    t->made = xcalloc(cells, 1);
    for (int s = 0; s < 2; s++) {
        t->real[s] = xcalloc(cells, 1);
        t->pool.at[s] = xcalloc((size_t)t->pool.cap * GRID_CELLS + 1, sizeof(float));
    }
    for (int i = 0; i < N_IN; i++)
        TRY(device_alloc(t->device, batch_bytes(t), (void **)&t->in[i]));
    return device_alloc(t->device, 2 * sizeof(int32_t), (void **)&t->seed_at);
}

/* A plan of some outputs and of the gradients of `loss` for one side's networks. */
static enum err finish_plan(struct cyclegan_trainer *t, struct net_plan *np, struct node **out, int n_out, struct node *loss,
                            const char *prefix)
{
    struct node *leaf[MAX_TENSORS];
    int index[MAX_TENSORS], n = params_leaves(t->params, np->g, prefix, leaf, index, MAX_TENSORS);
    graph_grad(loss, leaf, n, out + n_out);
    TRY(plan_new(t->device, np->g, out, n_out + n, NULL, &np->plan));
    params_bind(t->params, np->plan);
    params_bind_grads(t->params, np->plan, n_out, index, n);
    for (int i = 0; i < N_IN; i++)
        plan_bind_name(np->plan, input_names[i], t->in[i]);
    plan_bind_name(np->plan, "seed", t->seed_at);
    return ERR_OK;
}

static enum err generators_plan(struct cyclegan_trainer *t, struct net_plan *np, bool warm)
{
    struct node *out[N_OUT + MAX_TENSORS];
    struct net g = { .g = np->g = graph_new(), .p = t->params, .training = true };
    struct cyclegan_g made = warm ? cyclegan_build_warm(&g, &t->c, t->batch) :
                             cyclegan_build_g(&g, &t->c, &t->loss, t->kind != CYCLEGAN_BASE, t->batch);
    out[OUT_CYCLE] = made.cycle;
    out[OUT_FOOL] = made.fool;
    out[OUT_FAKE_A] = made.fake[0];
    out[OUT_FAKE_B] = made.fake[1];
    return finish_plan(t, np, out, N_OUT, made.loss, "g.");
}

static enum err make_plans(struct cyclegan_trainer *t)
{
    struct node *out[1 + MAX_TENSORS];
    bool extra = t->kind != CYCLEGAN_BASE;
    if (t->warm_until > 0)
        TRY(generators_plan(t, &t->warm, true));
    TRY(generators_plan(t, &t->g, false));
    struct net d = { .g = t->d.g = graph_new(), .p = t->params, .training = true };
    out[0] = cyclegan_build_d(&d, &t->c, &t->loss, extra, t->batch);
    return finish_plan(t, &t->d, out, 1, out[0], "d.");
}

static void plan_fini(struct net_plan *np)
{
    plan_free(np->plan);
    graph_free(np->g);
}

void cyclegan_trainer_free(struct cyclegan_trainer *t)
{
    if (!t)
        return;
    plan_fini(&t->g);
    plan_fini(&t->d);
    plan_fini(&t->warm);
    for (int i = 0; i < N_IN; i++)
        if (t->in[i])
            device_free(t->device, t->in[i]);
    if (t->seed_at)
        device_free(t->device, t->seed_at);
    for (int s = 0; s < 2; s++) {
        grid_set_fini(&t->set[s]);
        free(t->real[s]);
        free(t->pool.at[s]);
    }
    for (int i = 0; i < t->n_mixed; i++)
        grid_set_fini(&t->mixed[i]);
    cyclegan_free(t->running);
    judge_free(t->judge);
    params_free(t->params);
    free(t->host);
    free(t->made);
    free(t->good);
    free(t);
}

enum err cyclegan_train_open(struct device *d, const struct opts *o, const struct dataset *data, const struct ckpt *resume,
                             struct model **out)
{
    struct cyclegan_trainer *t = xcalloc(1, sizeof *t);
    enum err err = ERR_OK;
    const char *judge = opts_text(o, "judge");
    t->device = d;
    t->data = data;
    t->params = params_new();
    TRY_OUT(read_options(t, o));
    TRY_OUT(find_phrases(t));
    if (*judge)
        TRY_OUT(judge_load_file(d, judge, &t->judge));
    cyclegan_declare(t->params, &t->c, t->kind != CYCLEGAN_BASE, true);
    TRY_OUT(params_alloc(t->params, d, true));
    params_init(t->params, t->seed);
    TRY_OUT(alloc_inputs(t));
    if (resume)
        TRY_OUT(load_state(t, resume));
    t->running = cyclegan_on(&t->c, t->params);
    memcpy(t->running->genre, t->genre, sizeof t->genre);
    TRY_OUT(make_plans(t));
    *out = xcalloc(1, sizeof **out);
    (*out)->trainer = t;
out:
    if (err != ERR_OK)
        cyclegan_trainer_free(t);
    return err;
}
