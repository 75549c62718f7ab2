/* cyclegan_row.c: genre transfer's row in the registry: options, networks, measures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cyclegan_row.h"
#include "kinds.h"
#include "mem.h"
#include "transfer.h"

const struct opt cyclegan_options[] = {
    { "pair", 0, OPT_TEXT, 0, 0, "jazz-classical", NULL, "A-B", "the two genres" },
    { "width", 0, OPT_INT, 4, 128, "64", NULL, "N", "channels of the first layer" },
    { "blocks", 0, OPT_INT, 1, 16, "10", NULL, "N", "residual blocks of a generator" },
    { "critic", 0, OPT_ENUM, 0, 0, "code", "code|paper", "KIND", "its kernels: 7 x 7 or 4 x 4" },
    { "model", 0, OPT_ENUM, 0, 0, "base", "base|partial|full", "KIND", "extra critics of music of both, of all genres" },
    { "cycle", 0, OPT_REAL, 0, 1000, "10", NULL, "X", "weight of coming back" },
    { "extra", 0, OPT_REAL, 0, 100, "1", NULL, "X", "weight of the extra critics" },
    { "sigma", 0, OPT_REAL, 0, 100, "1", NULL, "X", "size of the noise over what critics see" },
    { "pool", 0, OPT_INT, 0, 10000, "50", NULL, "N", "earlier outputs the critics are shown half of the time; 0: none" },
    { "warm", 0, OPT_INT, 0, 1000000, "0", NULL, "N", "first updates, in which generators learn to give back what they see" },
    { "transpose", 0, OPT_INT, 0, 12, "6", NULL, "N", "semitones a phrase may move up or down" },
    { "lr", 0, OPT_REAL, 0, 1, "0.0002", NULL, "X", "learning rate" },
    { "hold", 0, OPT_REAL, 0, 1, "0.1", NULL, "X", "share of the run before it begins to fall to nothing" },
    { "beta1", 0, OPT_REAL, 0, 0.9999, "0.5", NULL, "X", "momentum of Adam" },
    { "batch", 0, OPT_INT, 2, 1024, "16", NULL, "N", "phrases of each genre a batch" },
    { "guard", 0, OPT_INT, 0, 1000000, "50", NULL, "N", "updates between looks for a collapse; 0: none" },
    { "collapse", 0, OPT_REAL, 0, 1, "0.6", NULL, "X", "how far from their genres generators may be: 0 as dense and varied, 1 mute" },
    { "judge", 0, OPT_TEXT, 0, 0, "", NULL, "FILE", "weights of a judge that chooses the best of the run" },
    { "measure", 0, OPT_INT, 1, 100000, "64", NULL, "N", "held-out phrases of each genre at each look" },
    { "seed", 0, OPT_INT, 0, 2147483647, "1", NULL, "N", "seed of the weights and of the order of the data" },
};
const size_t n_cyclegan_options = COUNT_OF(cyclegan_options);

struct cyclegan_config cyclegan_config_from(const struct opts *o)
{
    return (struct cyclegan_config){ (int)opts_int(o, "width"), (int)opts_int(o, "blocks"),
                                     strcmp(opts_text(o, "critic"), "paper") == 0 ? CRITIC_PAPER : CRITIC_CODE };
}

static size_t count(const struct cyclegan_config *c, bool critics)
{
    struct params *p = params_new();
    cyclegan_declare(p, c, false, critics);
    size_t n = params_count(p);
    params_free(p);
    return n;
}

static int nets(const struct opts *o, struct model_net *out, int cap)
{
    struct opts *preset = o ? NULL : opts_new(cyclegan_options, COUNT_OF(cyclegan_options));
    struct cyclegan_config c = cyclegan_config_from(o ? o : preset);
    static const char *const names[N_CRITICS] = { "critic", "critic as the paper has it" };
    opts_free(preset);
    if (cap < 1 + N_CRITICS)
        return 0;
    size_t generators = count(&c, false);
    out[0] = (struct model_net){ "generator", generators / 2 };
    for (int i = 0; i < N_CRITICS; i++) {
        c.critic = (enum critic)i;
        out[1 + i] = (struct model_net){ names[i], (count(&c, true) - generators) / 2 };
    }
    return 1 + N_CRITICS;
}

static enum err open_model(struct device *d, const struct ckpt *weights, struct model **out)
{
    struct cyclegan *c;
    TRY(cyclegan_load(d, weights, &c));
    *out = xcalloc(1, sizeof **out);
    (*out)->cyclegan = c;
    return ERR_OK;
}

static void close_model(struct model *m)
{
    if (!m)
        return;
    cyclegan_free(m->cyclegan);
    cyclegan_trainer_free(m->trainer);
    free(m);
}

static enum err paint(void *ctx, const uint8_t *grids, int n, int from, float *out, const atomic_bool *cancel)
{
    return cyclegan_run(ctx, grids, n, from, out, cancel);
}

static enum err run(struct model *m, const struct request *rq, const struct progress *p)
{
    struct cyclegan *c = m->cyclegan;
    const struct painter painter = { c, paint, { c->genre[0], c->genre[1] }, c->name, c->hash };
    if (rq->verb != VERB_TRANSFER)
        return err_set(ERR_UNSUPPORTED, "a pair of genres does not %s", verb_name(rq->verb));
    return transfer_run(&painter, rq, p);
}

static int n_genres(const struct model *m)
{
    (void)m;
    return 2;
}

static const char *genre(const struct model *m, int i)
{
    return m->cyclegan->genre[i];
}

/* ---- measuring ---- */

static void add(struct measures *out, double value, const char *name, const char *beside, double other)
{
    if (!isnan(value))
        measures_add(out, name, value, beside, other);
}

static void report(const struct cyclegan *c, const struct cyclegan_score *s, struct measures *out)
{
    char name[64];
    add(out, 100 * cyclegan_strength(s), "strength S (%)", "", 0);
    for (int side = 0; side < 2; side++) {
        const char *from = c->genre[side];
        const struct { const char *what; double value; const char *beside; double other; } rows[] = {
            { "taken for it before (%)", 100 * s->side[side].before, "", 0 },
            { "taken for it there (%)", 100 * s->side[side].there, "", 0 },
            { "taken for it back again (%)", 100 * s->side[side].back, "", 0 },
            { "F1 of cells back again (%)", 100 * s->side[side].back_f1, "", 0 },
            { "notes that sound there too (%)", 100 * s->side[side].kept, "", 0 },
            { "keys that stay (%)", 100 * s->side[side].key, "", 0 },
            { "cells that sound there (%)", 100 * s->side[side].density, "its genre", 100 * s->side[side].density_target },
            { "outputs apart (%)", 100 * s->side[side].apart, "inputs", 100 * s->side[side].apart_before },
            { "silent outputs (%)", 100 * s->side[side].silent, "", 0 },
        };
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            str_format(name, sizeof name, "%s: %s", from, rows[i].what);
            add(out, rows[i].value, name, rows[i].beside, rows[i].other);
        }
    }
}

static enum err evaluate(struct model *m, const struct dataset *d, const struct measure_opts *o, struct measures *out)
{
    struct cyclegan_score s;
    struct judge *j = NULL;
    if (o->judge)
        TRY(judge_load_file(params_device(m->cyclegan->params), o->judge, &j));
    enum err err = cyclegan_measure(m->cyclegan, j, d, true, o->n, o->cancel, &s);
    judge_free(j);
    if (err == ERR_OK)
        report(m->cyclegan, &s, out);
    return err;
}

static const char *const loss_names[] = { "cycle", "fool", "critic", "collapse", NULL };

const struct model_kind cyclegan_kind = {
    .name = "cyclegan",
    .title = "Genre transfer: four bars of one genre as another, and back",
    .verbs = 1u << VERB_TRANSFER,
    .options = cyclegan_options, .n_options = COUNT_OF(cyclegan_options),
    .nets = nets,
    .open = open_model, .close = close_model, .run = run,
    .n_genres = n_genres, .genre = genre,
    .evaluate = evaluate,
    .train_open = cyclegan_train_open, .train_step = cyclegan_train_step, .train_horizon = cyclegan_train_horizon,
    .train_samples = cyclegan_train_samples,
    .loss_names = loss_names, .train_eval = cyclegan_train_eval, .train_save = cyclegan_train_save,
};
