/* vqvae_train.c: training of the VQ-VAE and its sisters on single quarters of whole works. Pieces are drawn by their
 * length over their number of editions, quarters anywhere in them, in any key. A code that no beat has been near for
 * long is dead: it is put where a beat of the present batch is. */
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "optim.h"
#include "phrase.h"
#include "vqvae_model.h"
#include "works.h"

enum { MAX_TENSORS = 64, MAX_OUTPUTS = MAX_TENSORS + 8 * VQVAE_STAGES, REVIVE_EVERY = 25, DOWN = 5, UP = 6 };
enum { OUT_RECON, OUT_EXTRA, OUT_LATENT, OUT_CODES };
static const double REVIVE_UNTIL = 0.8; /* share of the run; then the book comes to rest */

struct vqvae_trainer {
    struct vqvae_config c;
    struct vqvae_train_opts o;
    struct device *device;
    struct params *params;
    struct graph *graph;
    struct plan *plan;
    struct optim optim;
    const struct works *works;
    double *upto;                     /* running sum of the training pieces' weights */
    float *cells, *host;
    float *hardness;
    int32_t *seed_at;
    double soften;                    /* share of the run until the latent is hard */
    double lr, floor, dead;           /* dead: mean uses a batch below which a code is revived */
    long warmup, total, samples, measure;
    int batch;
    uint64_t seed;
};

/* ---- batches ---- */

static enum err weigh_pieces(struct vqvae_trainer *t, const struct dataset *data)
{
    t->works = dataset_works(data);
    if (!t->works)
        return err_set(ERR_FORMAT, "these are phrases of a band; a VQ-VAE learns from works (jamroll dataset build --works)");
    size_t n = works_n(t->works);
    double sum = 0;
    t->upto = xcalloc(n + 1, sizeof *t->upto);
    for (size_t i = 0; i < n; i++) {
        struct work w = works_get(t->works, i);
        sum += w.held_out ? 0 : (double)w.quarters / w.editions;
        t->upto[i] = sum;
    }
    return sum > 0 ? ERR_OK : err_set(ERR_EMPTY, "no pieces to train on");
}

static void draw_quarter(const struct vqvae_trainer *t, struct rng *r, float *cells)
{
    struct work w = works_get(t->works, rng_weighted(r, t->upto, works_n(t->works)));
    struct quarter q[2];   /* the next one too: a key struck anew in it is let go before */
    quarters_from_notes(w.notes, w.n, (int32_t)rng_below(r, w.quarters) * QUARTER_COLS, q, 2);
    *q = quarter_transposed(q, (int)rng_below(r, DOWN + UP + 1) - DOWN);
    quarter_to_cells(q, cells);
}

/* ---- one update ---- */

static enum err scalar(const struct vqvae_trainer *t, int i, double *out)
{
    float value;
    TRY(device_recent(t->device, plan_output(t->plan, i), &value));
    *out = (double)value;
    return ERR_OK;
}

/* The latents of a batch, [rows,WIDTH], less what the stages so far make of them. */
struct seen { float *z, *far; int32_t *codes; size_t rows; };

static float *state(const struct vqvae_trainer *t, int stage, const char *of)
{
    char name[32];
    vqvae_book_name(stage, of, name);
    return params_value(t->params, (size_t)params_find(t->params, name));
}

/* A latent by its distance from its code: where the book serves worst. Its like is not wanted twice. */
static size_t draw_far(struct seen *b, struct rng *r)
{
    double sum = 0, at = (double)rng_uniform(r);
    for (size_t i = 0; i < b->rows; i++)
        sum += (double)b->far[i];
    if (!(sum > 0))
        return (size_t)rng_below(r, (uint32_t)b->rows);
    size_t i = 0;
    for (at *= sum; i + 1 < b->rows && (at -= (double)b->far[i]) >= 0; i++)
        ;
    b->far[i] = 0;
    return i;
}

/* A dead code gets a latent of this batch as its place, and members enough to live a while. */
static enum err revive_stage(struct vqvae_trainer *t, int stage, bool all, struct seen *b, struct rng *r)
{
    size_t k = (size_t)t->c.codes, wide = k * VQVAE_WIDTH * sizeof(float);
    float *code = xcalloc(2 * k * VQVAE_WIDTH + k, sizeof *code), *sum = code + k * VQVAE_WIDTH, *count = sum + k * VQVAE_WIDTH;
    float *rest = xcalloc(b->rows * VQVAE_WIDTH, sizeof *rest);
    enum err err = ERR_OK;
    TRY_OUT(device_download(t->device, b->codes, plan_output(t->plan, OUT_CODES + stage), b->rows * sizeof *b->codes));
    TRY_OUT(device_download(t->device, code, state(t, stage, ""), wide));
    TRY_OUT(device_download(t->device, sum, state(t, stage, ".sum"), wide));
    TRY_OUT(device_download(t->device, count, state(t, stage, ".count"), k * sizeof *count));
    for (size_t i = 0; i < b->rows; i++) {
        b->far[i] = 0;
        for (size_t w = 0; w < VQVAE_WIDTH; w++) {
            float off = rest[i * VQVAE_WIDTH + w] = b->z[i * VQVAE_WIDTH + w] - code[(size_t)b->codes[i] * VQVAE_WIDTH + w];
            b->far[i] += off * off;
        }
    }
    for (size_t i = 0; i < k; i++) {
        if (!all && (double)count[i] >= t->dead)
            continue;
        const float *from = b->z + draw_far(b, r) * VQVAE_WIDTH;
        count[i] = 1;
        memcpy(code + i * VQVAE_WIDTH, from, VQVAE_WIDTH * sizeof *code);
        memcpy(sum + i * VQVAE_WIDTH, from, VQVAE_WIDTH * sizeof *code);
    }
    memcpy(b->z, rest, b->rows * VQVAE_WIDTH * sizeof *rest);
    TRY_OUT(device_upload(t->device, state(t, stage, ""), code, wide));
    TRY_OUT(device_upload(t->device, state(t, stage, ".sum"), sum, wide));
    TRY_OUT(device_upload(t->device, state(t, stage, ".count"), count, k * sizeof *count));
out:
    free(code);
    free(rest);
    return err;
}

static enum err revive(struct vqvae_trainer *t, long step, struct rng *r)
{
    struct seen b = { .rows = (size_t)t->batch * VQVAE_SLOTS };
    size_t latents = b.rows * VQVAE_WIDTH;
    b.z = xcalloc(latents + b.rows, sizeof *b.z);
    b.far = b.z + latents;
    b.codes = xcalloc(b.rows, sizeof *b.codes);
    enum err err = device_download(t->device, b.z, plan_output(t->plan, OUT_LATENT), latents * sizeof *b.z);
    for (int s = 0; s < t->c.stages && err == ERR_OK; s++)
        err = revive_stage(t, s, step == 0, &b, r);
    free(b.z);
    free(b.codes);
    return err;
}

enum err vqvae_train_step(struct model *m, long step, double losses[4])
{
    struct vqvae_trainer *t = m->trainer;
    struct rng r;
    rng_init(&r, t->seed, 1 + (uint64_t)step);
    for (int i = 0; i < t->batch; i++)
        draw_quarter(t, &r, t->host + (size_t)i * VQVAE_CELLS);
    float hard = (float)((double)step / (t->soften * (double)t->total + 1));
    hard = hard > 1 ? 1 : hard;
    int32_t seed[2] = { (int32_t)t->seed, (int32_t)step };
    TRY(device_upload(t->device, t->cells, t->host, (size_t)t->batch * VQVAE_CELLS * sizeof(float)));
    TRY(device_upload(t->device, t->seed_at, seed, sizeof seed));
    TRY(device_upload(t->device, t->hardness, &hard, sizeof hard));
    TRY(plan_run(t->plan, NULL));
    TRY(scalar(t, OUT_RECON, &losses[0]));
    TRY(scalar(t, OUT_EXTRA, &losses[1]));
    if (!(losses[0] + losses[1] < 1e6))
        return err_set(ERR_RANGE, "the loss is no longer a number at update %ld", step);
    t->optim.lr = schedule_lr(SCHEDULE_COSINE, t->lr, t->lr * t->floor, t->warmup, t->total, step);
    t->optim.step = step;
    optim_step(&t->optim, t->params, "", t->device);
    if (t->c.bottleneck == BOTTLENECK_EMA && t->dead > 0 && step % REVIVE_EVERY == 0 &&
        (double)step < REVIVE_UNTIL * (double)t->total)
        TRY(revive(t, step, &r));
    t->samples += t->batch;
    return ERR_OK;
}

/* What is measured is what a weight file would give. */
enum err vqvae_train_eval(struct model *m, double losses[4])
{
    struct vqvae_trainer *t = m->trainer;
    struct vqvae *v = NULL;
    struct vqvae_score s;
    TRY(vqvae_of_params(t->device, &t->c, t->params, &v));
    enum err err = vqvae_measure(v, t->works, true, t->measure, &s);
    vqvae_free(v);
    if (err == ERR_OK) {
        losses[0] = losses[1] = 0;
        losses[2] = 1 - s.f1;
    }
    return err;
}

void vqvae_train_horizon(struct model *m, long total)
{
    m->trainer->total = total;
}

long vqvae_train_samples(const struct model *m)
{
    return m->trainer->samples;
}

enum err vqvae_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta, size_t n_meta)
{
    struct vqvae_trainer *t = m->trainer;
    struct ckpt_writer *w = ckpt_writer_new();
    ckpt_writer_meta(w, "format", "jamroll 1");
    ckpt_writer_meta(w, "family", "vqvae");
    ckpt_writer_meta(w, "grid", "a quarter: 88 keys from A0, 32 columns");
    vqvae_config_meta(&t->c, w);
    for (size_t i = 0; i < n_meta; i++)
        ckpt_writer_meta(w, meta[2 * i], meta[2 * i + 1]);
    ckpt_add_params(w, t->params, t->device);
    if (!for_shipping)
        ckpt_add_moments(w, t->params, t->device);
    return ckpt_writer_save(w, path);
}

/* ---- opening ---- */

static void read_options(struct vqvae_trainer *t, const struct opts *o)
{
    t->o = (struct vqvae_train_opts){ (float)opts_real(o, "recon"), (float)opts_real(o, "commit"),
                                      (float)opts_real(o, "beta"), (float)opts_real(o, "noise"), opts_real(o, "soften") > 0 };
    t->soften = opts_real(o, "soften");
    t->lr = opts_real(o, "lr");
    t->floor = opts_real(o, "lr-floor");
    t->warmup = (long)opts_int(o, "warmup");
    t->total = t->warmup + 1;
    t->dead = opts_real(o, "revive");
    t->batch = (int)opts_int(o, "batch");
    t->measure = (long)opts_int(o, "measure");
    t->seed = (uint64_t)opts_int(o, "seed");
    t->optim = (struct optim){ .kind = OPTIM_ADAM, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8 };
}

static enum err make_plan(struct vqvae_trainer *t)
{
    struct node *out[MAX_OUTPUTS], *leaf[MAX_TENSORS];
    int index[MAX_TENSORS];
    struct net net = { .g = t->graph = graph_new(), .p = t->params, .training = true };
    struct vqvae_train_net b = vqvae_build(&net, &t->c, &t->o, t->batch);
    out[OUT_RECON] = b.recon;
    out[OUT_EXTRA] = b.extra;
    out[OUT_LATENT] = b.latent;
    int first = OUT_CODES, n = params_leaves(t->params, net.g, "", leaf, index, MAX_TENSORS);
    for (int s = 0; s < VQVAE_STAGES && b.codes[s]; s++)
        out[first++] = b.codes[s];
    graph_grad(b.loss, leaf, n, out + first);
    memcpy(out + first + n, net.stores, (size_t)net.n_stores * sizeof *out);
    TRY(device_alloc(t->device, (size_t)t->batch * VQVAE_CELLS * sizeof(float), (void **)&t->cells));
    TRY(device_alloc(t->device, 2 * sizeof(int32_t), (void **)&t->seed_at));
    TRY(device_alloc(t->device, sizeof(float), (void **)&t->hardness));
    TRY(plan_new(t->device, net.g, out, first + n + net.n_stores, NULL, &t->plan));
    params_bind(t->params, t->plan);
    params_bind_grads(t->params, t->plan, first, index, n);
    plan_bind(t->plan, b.cells, t->cells);
    if (b.hardness)
        plan_bind(t->plan, b.hardness, t->hardness);
    if (b.seed)
        plan_bind(t->plan, b.seed, t->seed_at);
    return ERR_OK;
}

void vqvae_trainer_free(struct vqvae_trainer *t)
{
    if (!t)
        return;
    plan_free(t->plan);
    graph_free(t->graph);
    if (t->cells)
        device_free(t->device, t->cells);
    if (t->hardness)
        device_free(t->device, t->hardness);
    if (t->seed_at)
        device_free(t->device, t->seed_at);
    params_free(t->params);
    free(t->upto);
    free(t->host);
    free(t);
}

enum err vqvae_train_open(struct device *d, const struct opts *o, const struct dataset *data, const struct ckpt *resume,
                          struct model **out)
{
    struct vqvae_trainer *t = xcalloc(1, sizeof *t);
    enum err err = ERR_OK;
    t->device = d;
    t->params = params_new();
    read_options(t, o);
    TRY_OUT(vqvae_config_from(o, &t->c));
    TRY_OUT(weigh_pieces(t, data));
    vqvae_declare(t->params, &t->c);
    TRY_OUT(params_alloc(t->params, d, true));
    params_init(t->params, t->seed);
    if (resume) {
        TRY_OUT(ckpt_load_params(resume, t->params, d));
        TRY_OUT(ckpt_load_moments(resume, t->params, d));
    }
    t->host = xcalloc((size_t)t->batch * VQVAE_CELLS, sizeof *t->host);
    TRY_OUT(make_plan(t));
    *out = xcalloc(1, sizeof **out);
    (*out)->trainer = t;
out:
    if (err != ERR_OK)
        vqvae_trainer_free(t);
    return err;
}
