/* musegan.c: the MuseGAN family's row: its networks and their counts, weight files, verbs. */
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "kinds.h"
#include "mem.h"
#include "musegan.h"

enum which { GENERATOR, ACCOMPANIMENT, REFINER, CRITIC };

/* The parameters of a generator with its refiner, or of a critic. */
static struct params *declared(const struct musegan_config *c, enum which which)
{
    struct params *p = params_new();
    struct net net = {.g = graph_new(), .p = p};
    struct musegan_builder b = {.net = &net, .c = c, .norm = NORM_MOVING};
    if (which == CRITIC)
        musegan_critic(&b, g_input(net.g, "x", F32, musegan_phrase(c, 1, N_ROLES)));
    else
        musegan_generator(&b, g_input(net.g, "z", F32, SHAPE(1, musegan_latents(c))),
                          c->condition < 0 ? NULL
                                           : g_input(net.g, "condition", F32, musegan_phrase(c, 1, 1)));
    graph_free(net.g);
    return p;
}

/* Every network as it was published: name, its row, the grid. The paper's critics judge phrases of features of bars,
 * where its code cut those into pieces; its tracks have temporal networks of their own, where its code had one. */
static const struct {
    const char *name;
    enum which which;
    const char *row;
    int bars, steps;
} published[] = {
    {"generator", GENERATOR, "default", 4, 48},
    {"accompaniment generator", ACCOMPANIMENT, "default", 4, 48},
    {"bad-time generator", GENERATOR, "bad-time", 4, 48},
    {"bad-pitch generator", GENERATOR, "bad-pitch", 4, 48},
    {"discriminator", CRITIC, "default", 4, 48},
    {"discriminator, no chroma", CRITIC, "no-chroma", 4, 48},
    {"discriminator, no onsets", CRITIC, "no-onset", 4, 48},
    {"discriminator, neither", CRITIC, "bare", 4, 48},
    {"jamming, one bar", GENERATOR, "jamming", 1, 96},
    {"composer, one bar", GENERATOR, "composer", 1, 96},
    {"hybrid, one bar", GENERATOR, "hybrid", 1, 96},
    {"jamming, one bar, accompaniment", ACCOMPANIMENT, "jamming", 1, 96},
    {"composer, one bar, accompaniment", ACCOMPANIMENT, "composer", 1, 96},
    {"hybrid, one bar, accompaniment", ACCOMPANIMENT, "hybrid", 1, 96},
    {"jamming", GENERATOR, "jamming", 4, 96},
    {"composer", GENERATOR, "composer", 4, 96},
    {"hybrid", GENERATOR, "hybrid", 4, 96},
    {"jamming, accompaniment", ACCOMPANIMENT, "jamming", 4, 96},
    {"composer, accompaniment", ACCOMPANIMENT, "composer", 4, 96},
    {"hybrid, accompaniment", ACCOMPANIMENT, "hybrid", 4, 96},
    {"bar discriminator", CRITIC, "phrase", 1, 96},
    {"phrase discriminator", CRITIC, "phrase", 4, 96},
    {"phrase discriminators, one a track", CRITIC, "phrase-each", 4, 96},
    {"binary generator", GENERATOR, "binary", 4, 96},
    {"binary generator, small", GENERATOR, "binary-small", 4, 96},
    {"binary jamming", GENERATOR, "binary-jamming", 4, 96},
    {"binary composer", GENERATOR, "binary-composer", 4, 96},
    {"binary hybrid", GENERATOR, "binary-hybrid", 4, 96},
    {"binary discriminator", CRITIC, "binary", 4, 96},
    {"binary discriminator, small", CRITIC, "binary-small", 4, 96},
    {"refiner", REFINER, "binary", 4, 96},
};

static size_t count(struct musegan_config c, size_t i)
{
    enum which which = published[i].which;
    c.bars = published[i].bars;
    c.steps = published[i].steps;
    c.condition = which != ACCOMPANIMENT ? -1 : c.condition < 0 ? ROLE_PIANO : c.condition;
    c.refiner = which == REFINER;
    *(which == CRITIC ? &c.critic : &c.generator) =
        which == CRITIC ? musegan_critic_find(published[i].row) : musegan_generator_find(published[i].row);
    struct params *p = declared(&c, which);
    size_t n = 0;
    for (size_t k = 0; k < params_n(p); k++)
        if (params_trained(p, k) && (which != REFINER || str_starts(params_name(p, k), "r.")))
            n += shape_count(params_shape(p, k));
    params_free(p);
    return n;
}

static int nets(const struct opts *o, struct model_net *out, int cap)
{
    struct opts *preset = o ? NULL : opts_new(musegan_options, N_MUSEGAN_OPTIONS);
    struct musegan_config c;
    enum err err = musegan_config_from(o ? o : preset, &c);
    opts_free(preset);
    if (err != ERR_OK)
        return 0;
    int n = 0;
    for (; n < (int)COUNT_OF(published) && n < cap; n++)
        out[n] = (struct model_net){published[n].name, count(c, (size_t)n)};
    return n;
}

static void musegan_close(struct model *m)
{
    if (!m)
        return;
    musegan_sampler_free(m->sampler);
    musegan_trainer_close(m);
    params_free(m->live);
    free(m);
}

static enum err musegan_open(struct device *d, const struct ckpt *weights, struct model **out)
{
    struct model *m = xcalloc(1, sizeof *m);
    enum err err = ERR_OK;
    m->device = d;
    const char *name = ckpt_meta(weights, "name");
    (void)str_copy(m->name, sizeof m->name, name ? name : "musegan");
    (void)str_copy(m->hash, sizeof m->hash, ckpt_hash(weights));
    TRY_OUT(musegan_config_load(weights, &m->c));
    m->live = declared(&m->c, GENERATOR);
    TRY_OUT(params_alloc(m->live, d, false));
    TRY_OUT(ckpt_load_params(weights, m->live, d));
    TRY_OUT(musegan_sampler_new(d, &m->c, m->live, 1, &m->sampler));
    *out = m;
out:
    if (err != ERR_OK)
        musegan_close(m);
    return err;
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

/* A generator plays from nothing or around a track, as it was trained. */
static unsigned verbs_of(const struct ckpt *weights)
{
    const char *condition = ckpt_meta(weights, "option.condition");
    return condition && strcmp(condition, "none") != 0 ? 1u << VERB_ACCOMPANY : 1u << VERB_GENERATE;
}

const struct model_kind musegan_kind = {
    .name = "musegan",
    .title = "MuseGAN: five tracks from one latent vector, or around one track",
    .verbs = 1u << VERB_GENERATE | 1u << VERB_ACCOMPANY,
    .verbs_of = verbs_of,
    .options = musegan_options,
    .n_options = N_MUSEGAN_OPTIONS,
    .nets = nets,
    .open = musegan_open,
    .close = musegan_close,
    .run = musegan_run,
    .latent = musegan_latent_of,
    .n_genres = n_genres,
    .genre = genre,
    .train_open = musegan_train_open,
    .train_step = musegan_train_step,
    .train_samples = musegan_train_samples,
    .loss_names = loss_names,
    .train_eval = musegan_train_eval,
    .adversarial = true,
    .train_save = musegan_train_save,
};
