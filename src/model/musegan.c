/* musegan.c: the MuseGAN family's row: options, counts, weight files, sampling. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "kinds.h"
#include "mem.h"
#include "musegan.h"
#include "opt.h"

static const struct opt options[] = {
    {"bars", 0, OPT_INT, 2, MUSEGAN_MAX_BARS, "4", NULL, "N", "bars of a phrase"},
    {"steps", 0, OPT_ENUM, 0, 0, "48", "16|32|48", "N", "steps of a bar"},
    {"octaves", 0, OPT_ENUM, 0, 0, "7", "3|5|7", "N", "octaves of the grid"},
    {"low", 0, OPT_INT, 0, 48, "24", NULL, "PITCH", "lowest pitch of the grid"},
    {"width", 0, OPT_REAL, 0.01, 2, "1", NULL, "X", "channel counts times this; 1 = as published"},
    {"condition", 0, OPT_ENUM, 0, 0, "none", "none|drums|piano|guitar|bass|strings", "TRACK",
     "accompany this track"},
    {"loss", 0, OPT_ENUM, 0, 0, "wasserstein", "wasserstein|hinge|nonsaturating|classic", "KIND",
     "adversarial loss"},
    {"penalty", 0, OPT_REAL, 0, 1000, "10", NULL, "X", "weight of the gradient penalty; 0 = none"},
    {"lr", 0, OPT_REAL, 0, 1, "0.001", NULL, "X", "learning rate of both networks"},
    {"beta1", 0, OPT_REAL, 0, 0.9999, "0.5", NULL, "X", "Adam's first decay"},
    {"beta2", 0, OPT_REAL, 0, 0.9999, "0.9", NULL, "X", "Adam's second decay"},
    {"batch", 0, OPT_INT, 2, 1024, "64", NULL, "N", "phrases an update"},
    {"micro", 0, OPT_INT, 1, 1024, "8", NULL, "N", "phrases the critic sees at a time"},
    {"critic-steps", 0, OPT_INT, 1, 1000, "5", NULL, "N", "updates of the critic for one of the generator"},
    {"warm", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "50 updates of the critic in each of the first 10 steps"},
    {"decay-from", 0, OPT_INT, 0, 1e9, "45000", NULL, "STEP", "the learning rate falls linearly from here"},
    {"decay-to", 0, OPT_INT, 1, 1e9, "50000", NULL, "STEP", "and is zero here"},
    {"genre", 0, OPT_TEXT, 0, 0, NULL, NULL, "NAME", "train on one genre"},
    {"seed", 0, OPT_INT, 0, 2147483647, "1", NULL, "N", "first weights and order of the data"},
};

/* The options that shape the networks travel in the weight file, as "config.NAME". */
static const char *const shaping[] = {"bars", "steps", "octaves", "low", "width", "condition"};

static int condition_of(const char *text)
{
    enum role r;
    return role_parse(text, &r) ? (int)r : -1;
}

enum err musegan_config_from(const struct opts *o, struct musegan_config *out)
{
    int64_t steps, octaves;
    TRY(parse_int(opts_text(o, "steps"), 16, 48, &steps));
    TRY(parse_int(opts_text(o, "octaves"), 3, 7, &octaves));
    *out = (struct musegan_config){
        .bars = (int)opts_int(o, "bars"),
        .steps = (int)steps,
        .octaves = (int)octaves,
        .low = (int)opts_int(o, "low"),
        .width = opts_real(o, "width"),
        .condition = condition_of(opts_text(o, "condition")),
    };
    if (out->low + musegan_pitches(out) > 128)
        return err_set(ERR_RANGE, "%d pitches from %d on do not fit into 0..127", musegan_pitches(out),
                       out->low);
    return ERR_OK;
}

enum which { GENERATOR, CRITIC };

static struct params *declared(const struct musegan_config *c, enum which which, enum musegan_norm norm)
{
    struct params *p = params_new();
    struct net net = {.g = graph_new(), .p = p, .training = norm == NORM_BATCH};
    struct musegan_builder b = {&net, c, norm};
    int32_t pitches = musegan_pitches(c);
    if (which == CRITIC)
        musegan_critic(&b, g_input(net.g, "x", F32, SHAPE(1, c->bars, c->steps, pitches, N_ROLES)));
    else
        musegan_generator(&b, g_input(net.g, "z", F32, SHAPE(1, MUSEGAN_LATENT)),
                          c->condition < 0
                              ? NULL
                              : g_input(net.g, "condition", F32, SHAPE(1, c->bars, c->steps, pitches, 1)));
    graph_free(net.g);
    return p;
}

static size_t count(struct musegan_config c, enum which which, int condition)
{
    c.condition = condition;
    struct params *p = declared(&c, which, NORM_MOVING);
    size_t n = params_count(p);
    params_free(p);
    return n;
}

static int nets(const struct opts *o, struct model_net *out, int cap)
{
    struct opts *preset = o ? NULL : opts_new(options, COUNT_OF(options));
    struct musegan_config c;
    enum err err = musegan_config_from(o ? o : preset, &c);
    opts_free(preset);
    if (err != ERR_OK)
        return 0;
    int condition = c.condition < 0 ? ROLE_PIANO : c.condition;
    const struct {
        const char *name;
        enum which which;
        int condition;
    } rows[] = {
        {"generator", GENERATOR, -1},
        {"accompaniment generator", GENERATOR, condition},
        {"discriminator", CRITIC, -1},
    };
    int n = 0;
    for (; n < (int)COUNT_OF(rows) && n < cap; n++)
        out[n] = (struct model_net){rows[n].name, count(c, rows[n].which, rows[n].condition)};
    return n;
}

static void musegan_close(struct model *m)
{
    if (!m)
        return;
    musegan_sampler_free(m->sampler);
    musegan_trainer_close(m);
    params_free(m->folded);
    params_free(m->live);
    free(m);
}

static enum err config_from_weights(const struct ckpt *w, struct musegan_config *out)
{
    struct opts *o = opts_new(options, COUNT_OF(options));
    char key[64];
    enum err err = ERR_OK;
    for (size_t i = 0; i < COUNT_OF(shaping) && err == ERR_OK; i++) {
        (void)str_format(key, sizeof key, "config.%s", shaping[i]);
        const char *value = ckpt_meta(w, key);
        err = value ? opts_set(o, shaping[i], value) : err_set(ERR_FORMAT, "weights lack \"%s\"", key);
    }
    if (err == ERR_OK)
        err = musegan_config_from(o, out);
    opts_free(o);
    return err;
}

static enum err musegan_open(struct device *d, const struct ckpt *weights, struct model **out)
{
    struct model *m = xcalloc(1, sizeof *m);
    enum err err = ERR_OK;
    m->device = d;
    const char *name = ckpt_meta(weights, "name");
    (void)str_copy(m->name, sizeof m->name, name ? name : "musegan");
    (void)str_copy(m->hash, sizeof m->hash, ckpt_hash(weights));
    TRY_OUT(config_from_weights(weights, &m->c));
    m->live = declared(&m->c, GENERATOR, NORM_MOVING);
    TRY_OUT(params_alloc(m->live, d, false));
    TRY_OUT(ckpt_load_params(weights, m->live, d));
    m->folded = declared(&m->c, GENERATOR, NORM_FOLDED);
    TRY_OUT(params_alloc(m->folded, d, false));
    musegan_fold(m->live, m->folded);
    TRY_OUT(musegan_sampler_new(d, &m->c, m->folded, 1, &m->sampler));
    *out = m;
out:
    if (err != ERR_OK)
        musegan_close(m);
    return err;
}

void musegan_config_meta(const struct musegan_config *c, struct ckpt_writer *w)
{
    char value[COUNT_OF(shaping)][32], key[64];
    const int numbers[] = {c->bars, c->steps, c->octaves, c->low};
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        (void)str_format(value[i], sizeof value[i], "%d", numbers[i]);
    (void)str_format(value[4], sizeof value[4], "%.9g", c->width);
    (void)str_copy(value[5], sizeof value[5], c->condition < 0 ? "none" : role_name(c->condition));
    for (char *p = value[5]; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    for (size_t i = 0; i < COUNT_OF(shaping); i++) {
        (void)str_format(key, sizeof key, "config.%s", shaping[i]);
        ckpt_writer_meta(w, key, value[i]);
    }
}

static int n_genres(const struct model *m)
{
    (void)m;
    return 0;
}

static const char *genre(const struct model *m, int i)
{
    (void)m;
    (void)i;
    return "";
}

static const char *const loss_names[] = {"critic", "generator", "penalty", "gap", NULL};

const struct model_kind musegan_kind = {
    .name = "musegan",
    .title = "MuseGAN: five tracks from one latent vector, or around one track",
    .verbs = 1u << VERB_GENERATE | 1u << VERB_ACCOMPANY,
    .options = options,
    .n_options = COUNT_OF(options),
    .nets = nets,
    .open = musegan_open,
    .close = musegan_close,
    .run = musegan_run,
    .n_genres = n_genres,
    .genre = genre,
    .train_open = musegan_train_open,
    .train_step = musegan_train_step,
    .train_samples = musegan_train_samples,
    .loss_names = loss_names,
    .train_eval = musegan_train_eval,
    .train_save = musegan_train_save,
};
