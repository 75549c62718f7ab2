/* vqvae.c: the VQ-VAE's row in the registry: options, networks, weight files. It answers no verb itself; models that
 * write in its codes do. */
#include <stdlib.h>
#include <string.h>
#include "kinds.h"
#include "mem.h"
#include "phrase.h"
#include "vqvae_model.h"
#include "works.h"

static const char *const bottleneck_names[N_BOTTLENECKS] = { "ema", "vq", "ae", "vae", "dae", "sparse" };

static const struct opt options[] = {
    { "bottleneck", 0, OPT_ENUM, 0, 0, "ema", "ema|vq|ae|vae|dae|sparse", "KIND", "codes by moving average or by gradient; autoencoders" },
    { "codes", 0, OPT_INT, 2, VQVAE_MAX_CODES, "16", NULL, "N", "rows of a codebook" },
    { "stages", 0, OPT_INT, 1, VQVAE_STAGES, "1", NULL, "N", "codes a place, each for what the one before left over" },
    { "recon", 0, OPT_REAL, 0, 1e6, "1", NULL, "X", "weight of the picture in the loss" },
    { "commit", 0, OPT_REAL, 0, 1e6, "0.25", NULL, "X", "weight of staying near the codes" },
    { "beta", 0, OPT_REAL, 0, 1e6, "0.001", NULL, "X", "vae, sparse: weight of the prior, of silence" },
    { "noise", 0, OPT_REAL, 0, 0.5, "0.02", NULL, "X", "dae: share of cells turned over" },
    { "soften", 0, OPT_REAL, 0, 1, "0", NULL, "X", "share of the run in which the latent hardens into codes" },
    { "revive", 0, OPT_REAL, 0, 1000, "0.1", NULL, "X", "ema: mean uses a batch below which a code is dead; 0: none is" },
    { "lr", 0, OPT_REAL, 0, 1, "0.001", NULL, "X", "highest learning rate" },
    { "lr-floor", 0, OPT_REAL, 0, 1, "0.02", NULL, "X", "learning rate at the end, as a share of the highest" },
    { "warmup", 0, OPT_INT, 1, 1000000, "100", NULL, "N", "updates until the highest learning rate" },
    { "batch", 0, OPT_INT, 1, 4096, "32", NULL, "N", "quarters a batch" },
    { "measure", 0, OPT_INT, 1, 100000000, "4000", NULL, "N", "held-out quarters judged at each look" },
    { "seed", 0, OPT_INT, 0, 2147483647, "1", NULL, "N", "seed of the weights and of the order of the data" },
};

enum err vqvae_config_from(const struct opts *o, struct vqvae_config *out)
{
    *out = (struct vqvae_config){ .codes = (int)opts_int(o, "codes"), .stages = (int)opts_int(o, "stages") };
    for (int i = 0; i < N_BOTTLENECKS; i++)
        if (strcmp(opts_text(o, "bottleneck"), bottleneck_names[i]) == 0)
            out->bottleneck = (enum bottleneck)i;
    return ERR_OK;
}

/* The codebook and the sums it is made of count as what is learnt, however that is done. */
static int nets(const struct opts *o, struct model_net *out, int cap)
{
    struct opts *preset = o ? NULL : opts_new(options, COUNT_OF(options));
    struct vqvae_config c;
    enum err err = vqvae_config_from(o ? o : preset, &c);
    opts_free(preset);
    if (err != ERR_OK || cap < 1)
        return 0;
    struct params *p = params_new();
    vqvae_declare(p, &c);
    size_t book = c.bottleneck == BOTTLENECK_EMA ? 2 * (size_t)c.codes * (size_t)c.stages * VQVAE_WIDTH : 0;
    out[0] = (struct model_net){ "encoder, codebook, decoder", params_count(p) + book };
    params_free(p);
    return 1;
}

static enum err open_model(struct device *d, const struct ckpt *weights, struct model **out)
{
    struct vqvae *v;
    TRY(vqvae_load(d, weights, &v));
    *out = xcalloc(1, sizeof **out);
    (*out)->vqvae = v;
    return ERR_OK;
}

static void close_model(struct model *m)
{
    if (!m)
        return;
    vqvae_free(m->vqvae);
    vqvae_trainer_free(m->trainer);
    free(m);
}

static enum err run(struct model *m, const struct request *rq, const struct progress *p)
{
    (void)m;
    (void)p;
    return err_set(ERR_UNSUPPORTED, "a VQ-VAE does not %s by itself", verb_name(rq->verb));
}

enum { EVAL_QUARTERS = 32 };   /* of a piece */

/* Held-out music as the codes give it back, beside music that was trained on. */
static enum err evaluate(struct model *m, const struct dataset *d, const struct measure_opts *o, struct measures *out)
{
    const struct works *w = dataset_works(d);
    struct vqvae_score held, trained;
    if (!w)
        return err_set(ERR_FORMAT, "a VQ-VAE is measured on works (jamroll dataset build --works)");
    long quarters = (long)o->n * EVAL_QUARTERS * (long)works_n_eras(w);
    TRY(vqvae_measure(m->vqvae, w, true, quarters, &held));
    TRY(vqvae_measure(m->vqvae, w, false, quarters, &trained));
    const struct { const char *name; double held, trained; } rows[] = {
        { "note cells that come back and are right (%)", 100 * held.precision, 100 * trained.precision },
        { "note cells that come back of all (%)", 100 * held.recall, 100 * trained.recall },
        { "F1 of note cells (%)", 100 * held.f1, 100 * trained.f1 },
        { "quarters that come back exactly (%)", 100 * held.exact, 100 * trained.exact },
        { "perplexity of the codes", held.perplexity, trained.perplexity },
    };
    size_t n = COUNT_OF(rows) - !vqvae_has_codes(vqvae_config(m->vqvae));
    for (size_t i = 0; i < n; i++)
        measures_add(out, rows[i].name, rows[i].held, "training", rows[i].trained);
    return ERR_OK;
}

static const char *const loss_names[] = { "picture", "bottleneck", "missed", NULL };

const struct model_kind vqvae_kind = {
    .name = "vqvae",
    .title = "VQ-VAE: a quarter of piano music as sixteen codes, and its sisters",
    .options = options, .n_options = COUNT_OF(options),
    .nets = nets,
    .open = open_model, .close = close_model, .run = run,
    .train_open = vqvae_train_open, .train_step = vqvae_train_step, .train_horizon = vqvae_train_horizon,
    .train_samples = vqvae_train_samples,
    .loss_names = loss_names, .train_eval = vqvae_train_eval, .train_save = vqvae_train_save,
    .evaluate = evaluate,
};
