/* judge_train.c: training of the judge. Genres are drawn equally often, their phrases in any key. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "judge_row.h"
#include "mem.h"
#include "optim.h"
#include "phrase.h"

enum { MAX_TENSORS = 32, HELD_OUT = 128 };
enum { OUT_LOSS, N_OUT };

struct judge_trainer {
    char genre[JUDGE_GENRES][JUDGE_NAME];
    int n_genres, width, batch, shift;
    float noise;
    double lr, hold;
    long total, samples;
    uint64_t seed;
    struct device *device;
    struct params *params;
    struct graph *graph;
    struct plan *plan;
    struct optim optim;
    struct grid_set train[JUDGE_GENRES], held[JUDGE_GENRES];
    float *cells, *host;              /* on the device, here */
    int32_t *target, *seed_at;
};

static enum err upload_batch(struct judge_trainer *t, long step)
{
    struct rng r;
    uint8_t grid[GRID_CELLS];
    int32_t *target = xcalloc((size_t)t->batch, sizeof *target), seed[2] = { (int32_t)t->seed, (int32_t)step };
    rng_init(&r, t->seed, 1 + (uint64_t)step);
    for (int i = 0; i < t->batch; i++) {
        target[i] = (int32_t)rng_below(&r, (uint32_t)t->n_genres);
        grid_set_draw(&t->train[target[i]], &r, t->shift, grid);
        for (int c = 0; c < GRID_CELLS; c++)
            t->host[(size_t)i * GRID_CELLS + (size_t)c] = grid[c] ? 1 : -1;
    }
    enum err err = device_upload(t->device, t->cells, t->host, (size_t)t->batch * GRID_CELLS * sizeof(float));
    if (err == ERR_OK)
        err = device_upload(t->device, t->target, target, (size_t)t->batch * sizeof *target);
    if (err == ERR_OK)
        err = device_upload(t->device, t->seed_at, seed, sizeof seed);
    free(target);
    return err;
}

enum err judge_train_step(struct model *m, long step, double losses[4])
{
    struct judge_trainer *t = m->trainer;
    float loss;
    TRY(upload_batch(t, step));
    TRY(plan_run(t->plan, NULL));
    TRY(device_recent(t->device, plan_output(t->plan, OUT_LOSS), &loss));
    losses[0] = (double)loss;
    t->optim.step = step;
    t->optim.lr = schedule_hold(t->lr, t->hold, t->total, step);
    optim_step(&t->optim, t->params, "", t->device);
    t->samples += t->batch;
    return ERR_OK;
}

/* Each genre counts the same: mean cross entropy, and the share that is taken for another. */
enum err judge_train_eval(struct model *m, double losses[4])
{
    struct judge_trainer *t = m->trainer;
    struct judge *j = judge_on(t->params, t->width, t->n_genres);
    uint8_t *grids = xcalloc(HELD_OUT * GRID_CELLS, 1);
    float *p = xcalloc((size_t)HELD_OUT * (size_t)t->n_genres, sizeof *p);
    enum err err = ERR_OK;
    losses[0] = losses[1] = 0;
    for (int g = 0; g < t->n_genres && err == ERR_OK; g++) {
        if (t->held[g].n == 0)
            TRY_OUT(err_set(ERR_EMPTY, "the data holds no song of %s back", t->genre[g]));
        for (int i = 0; i < HELD_OUT; i++)
            grid_set_at(&t->held[g], i, HELD_OUT, grids + (size_t)i * GRID_CELLS);
        TRY_OUT(judge_run(j, grids, HELD_OUT, 0, 0, p));
        for (int i = 0; i < HELD_OUT; i++) {
            const float *row = p + i * t->n_genres;
            losses[0] -= log(fmax((double)row[g], 1e-9)) / HELD_OUT / t->n_genres;
            losses[1] += (judge_likeliest(row, t->n_genres) != g) / (double)HELD_OUT / t->n_genres;
        }
    }
out:
    judge_free(j);
    free(grids);
    free(p);
    return err;
}

void judge_train_horizon(struct model *m, long total)
{
    m->trainer->total = total;
}

long judge_train_samples(const struct model *m)
{
    return m->trainer->samples;
}

enum err judge_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta, size_t n_meta)
{
    struct judge_trainer *t = m->trainer;
    struct ckpt_writer *w = ckpt_writer_new();
    struct str genres;
    char width[16];
    str_init(&genres);
    for (int g = 0; g < t->n_genres; g++)
        str_addf(&genres, "%s%s", g ? "," : "", t->genre[g]);
    str_format(width, sizeof width, "%d", t->width);
    ckpt_writer_meta(w, "format", "jamroll 1");
    ckpt_writer_meta(w, "family", "judge");
    ckpt_writer_meta(w, "grid", "64 sixteenths, 84 pitches from C1");
    ckpt_writer_meta(w, "genres", str_c(&genres));
    ckpt_writer_meta(w, "option.width", width);
    for (size_t i = 0; i < n_meta; i++)
        ckpt_writer_meta(w, meta[2 * i], meta[2 * i + 1]);
    ckpt_add_params(w, t->params, t->device);
    if (!for_shipping)
        ckpt_add_moments(w, t->params, t->device);
    str_fini(&genres);
    return ckpt_writer_save(w, path);
}

/* ---- opening ---- */

static enum err read_options(struct judge_trainer *t, const struct opts *o, const struct dataset *data)
{
    struct str all;
    str_init(&all);
    for (size_t g = 0; g < dataset_n_genres(data); g++)
        str_addf(&all, "%s%s", g ? "," : "", dataset_genre(data, g));
    char *named = xstrdup(opts_text(o, "genres"));
    for (char *c = named; *c; c++)
        *c = *c == '-' ? ',' : *c;
    enum err err = judge_genres_parse(*named ? named : str_c(&all), t->genre, &t->n_genres);
    free(named);
    str_fini(&all);
    t->width = (int)opts_int(o, "width");
    t->batch = (int)opts_int(o, "batch");
    t->shift = (int)opts_int(o, "transpose");
    t->noise = (float)opts_real(o, "noise");
    t->lr = opts_real(o, "lr");
    t->hold = opts_real(o, "hold");
    t->seed = (uint64_t)opts_int(o, "seed");
    t->total = 1;
    t->optim = (struct optim){ .kind = OPTIM_ADAM, .beta1 = opts_real(o, "beta1"), .beta2 = 0.999, .eps = 1e-8 };
    return err;
}

static enum err find_phrases(struct judge_trainer *t, const struct dataset *data)
{
    for (int g = 0; g < t->n_genres; g++) {
        TRY(grid_set_init(&t->train[g], data, t->genre[g], false));
        TRY(grid_set_init(&t->held[g], data, t->genre[g], true));
        if (t->train[g].n == 0)
            return err_set(ERR_EMPTY, "the data has nothing of %s to train on", t->genre[g]);
    }
    return ERR_OK;
}

static enum err alloc_inputs(struct judge_trainer *t)
{
    size_t n = (size_t)t->batch;
    t->host = xcalloc(n * GRID_CELLS, sizeof *t->host);
    TRY(device_alloc(t->device, n * GRID_CELLS * sizeof(float), (void **)&t->cells));
    TRY(device_alloc(t->device, n * sizeof(int32_t), (void **)&t->target));
    return device_alloc(t->device, 2 * sizeof(int32_t), (void **)&t->seed_at);
}

static enum err make_plan(struct judge_trainer *t)
{
    struct node *out[N_OUT + MAX_TENSORS], *leaf[MAX_TENSORS];
    int index[MAX_TENSORS];
    struct net net = { .g = t->graph = graph_new(), .p = t->params, .training = true };
    struct shape s = SHAPE(t->batch, 1, GRID_STEPS, GRID_PITCHES, 1);
    struct node *x = g_input(net.g, "cells", F32, s), *target = g_input(net.g, "target", I32, SHAPE(t->batch));
    if (t->noise > 0) {
        struct node *noise = g_random(net.g, s, DIST_NORMAL, g_input(net.g, "seed", I32, SHAPE(2)), 0);
        x = g_add(x, g_scale(noise, t->noise, 0));
    }
    out[OUT_LOSS] = g_xent(judge_network(&net, t->width, t->n_genres, x), target);
    int n = params_leaves(t->params, net.g, "", leaf, index, MAX_TENSORS);
    graph_grad(out[OUT_LOSS], leaf, n, out + N_OUT);
    TRY(plan_new(t->device, net.g, out, N_OUT + n, NULL, &t->plan));
    params_bind(t->params, t->plan);
    params_bind_grads(t->params, t->plan, N_OUT, index, n);
    plan_bind_name(t->plan, "cells", t->cells);
    plan_bind_name(t->plan, "target", t->target);
    plan_bind_name(t->plan, "seed", t->seed_at);
    return ERR_OK;
}

void judge_trainer_free(struct judge_trainer *t)
{
    if (!t)
        return;
    void *const blocks[] = { t->cells, t->target, t->seed_at };
    plan_free(t->plan);
    graph_free(t->graph);
    for (size_t i = 0; i < COUNT_OF(blocks); i++)
        if (blocks[i])
            device_free(t->device, blocks[i]);
    for (int g = 0; g < JUDGE_GENRES; g++) {
        grid_set_fini(&t->train[g]);
        grid_set_fini(&t->held[g]);
    }
    params_free(t->params);
    free(t->host);
    free(t);
}

enum err judge_train_open(struct device *d, const struct opts *o, const struct dataset *data, const struct ckpt *resume,
                          struct model **out)
{
    struct judge_trainer *t = xcalloc(1, sizeof *t);
    enum err err = ERR_OK;
    t->device = d;
    t->params = params_new();
    TRY_OUT(read_options(t, o, data));
    TRY_OUT(find_phrases(t, data));
    judge_declare(t->params, t->width, t->n_genres);
    TRY_OUT(params_alloc(t->params, d, true));
    params_init(t->params, t->seed);
    if (resume) {
        TRY_OUT(ckpt_load_params(resume, t->params, d));
        TRY_OUT(ckpt_load_moments(resume, t->params, d));
    }
    TRY_OUT(alloc_inputs(t));
    TRY_OUT(make_plan(t));
    *out = xcalloc(1, sizeof **out);
    (*out)->trainer = t;
out:
    if (err != ERR_OK)
        judge_trainer_free(t);
    return err;
}
