/* band.c: the band model's row in the registry: its options, its networks, opening a weight file. One
 * network takes a genre and any set of kept (track, bar) cells and fills the rest: an autoregressive
 * transformer over whole notes. Keep nothing and it generates, keep the piano and it accompanies, keep all
 * but two bars of bass and it infills. */
#include "band.h"
#include "ckpt.h"
#include "kinds.h"
#include "mem.h"
#include "opt.h"
#include "stepper.h"
#include "steptrain.h"
#include <stdlib.h>
#include <string.h>

static const struct opt options[] = {
    { "width", 0, OPT_INT, 16, 1024, "192", NULL, "N", "width of the transformer, a multiple of the heads" },
    { "layers", 0, OPT_INT, 1, 24, "4", NULL, "N", "transformer blocks" },
    { "heads", 0, OPT_INT, 1, 64, "6", NULL, "N", "attention heads" },
    { "mlp", 0, OPT_INT, 16, 4096, "384", NULL, "N", "hidden width of the note heads" },
    { "rows", 0, OPT_INT, 128, 1048576, "4096", NULL, "N", "steps a batch, about" },
    { "vel-weight", 0, OPT_REAL, 0, 10, "0.3", NULL, "X", "weight of the velocities in the loss" },
    { "any-genre", 0, OPT_REAL, 0, 1, "0.15", NULL, "X", "share of phrases shown without their genre" },
    { "filler", 0, OPT_REAL, 0.001, 0.999, "0.25", NULL, "X", "preference for filler sets over real songs; 0.5 = none" },
    { "transpose", 0, OPT_REAL, 0, 1, "0.9", NULL, "X", "share of phrases moved by up to two semitones" },
    STEPTRAIN_OPTIONS("0.001", "0.2"),
};

struct stepnet band_net(int n_genres)
{
    return (struct stepnet){
        .n_in = N_INPUTS,
        .in = { [IN_TAG] = { "tag", N_TAGS },        [IN_KEPT] = { "kept", 2 },
                [IN_GENRE] = { "genre", n_genres + 1 }, [IN_CLASS] = { "class", CODEC_CLASSES },
                [IN_POS] = { "pos", CODEC_POS },     [IN_PITCH] = { "pitch", CODEC_PITCH },
                [IN_DUR] = { "dur", CODEC_DUR },     [IN_VEL] = { "vel", CODEC_VEL } },
        .n_out = N_HEADS,
        .out = { [HEAD_POS] = { "pos", CODEC_POS_OUT }, [HEAD_PITCH] = { "pitch", CODEC_PITCH },
                 [HEAD_DUR] = { "dur", CODEC_DUR }, [HEAD_VEL] = { "vel", CODEC_VEL } },
        .head_bias = true,
    };
}

enum err band_net_from(const struct opts *o, int n_genres, struct stepnet *out)
{
    struct stepnet c = band_net(n_genres);
    c.width = (int)opts_int(o, "width");
    c.layers = (int)opts_int(o, "layers");
    c.heads = (int)opts_int(o, "heads");
    c.mlp = (int)opts_int(o, "mlp");
    c.dropout = opts_real(o, "dropout");
    if (c.width % c.heads)
        return err_set(ERR_RANGE, "band: width %d is not a multiple of %d heads", c.width, c.heads);
    if (n_genres < 1 || n_genres > BAND_MAX_GENRES)
        return err_set(ERR_RANGE, "band: %d genres; 1 to %d are possible", n_genres, BAND_MAX_GENRES);
    *out = c;
    return ERR_OK;
}

struct model *band_model_new(struct device *d, const struct stepnet *net, int n_genres)
{
    struct model *m = xcalloc(1, sizeof *m);
    m->net = *net;
    m->n_genres = n_genres;
    m->device = d;
    m->params = params_new();
    m->genres = xcalloc((size_t)n_genres + 1, sizeof *m->genres);
    return m;
}

void band_model_free(struct model *m)
{
    if (!m)
        return;
    stepper_free(m->stepper);
    band_trainer_free(m->trainer);
    params_free(m->params);
    for (int i = 0; i < m->n_genres; i++)
        free(m->genres[i]);
    free(m->genres);
    free(m);
}

/* The weight file names its genres; without data to name them, the count of a usual set is meant. */
enum { USUAL_GENRES = 16 };

static int band_nets(const struct opts *o, struct model_net *out, int cap)
{
    struct stepnet c;
    if (cap < 1 || band_net_from(o, USUAL_GENRES, &c) != ERR_OK)
        return 0;
    out[0] = (struct model_net){ "band", stepnet_count(&c) };
    return 1;
}

static enum err read_config(const struct ckpt *w, int n_genres, struct stepnet *out, double *filler)
{
    struct opts *o;
    TRY(ckpt_options(w, options, COUNT_OF(options), &o));
    enum err err = band_net_from(o, n_genres, out);
    *filler = opts_real(o, "filler");
    opts_free(o);
    return err;
}

/* Splits the comma list of genres; returns how many, at most cap of them stored. */
static int split_genres(char *list, char **out, int cap)
{
    int n = 0;
    char *rest = list;
    for (char *name = str_split(&rest, ','); name; name = str_split(&rest, ',')) {
        if (n < cap)
            out[n] = name;
        n++;
    }
    return n;
}

static enum err open_model(struct device *d, const struct ckpt *w, char *genre_list, struct model **out)
{
    char *genres[BAND_MAX_GENRES];
    struct stepnet c;
    double filler;
    int n = split_genres(genre_list, genres, BAND_MAX_GENRES);
    TRY(read_config(w, n, &c, &filler));
    struct model *m = band_model_new(d, &c, n);
    m->filler = filler;
    for (int i = 0; i < n; i++)
        m->genres[i] = xstrdup(genres[i]);
    const char *name = ckpt_meta(w, "name");
    str_copy(m->name, sizeof m->name, name ? name : "band");
    str_copy(m->hash, sizeof m->hash, ckpt_hash(w));
    enum err err = stepper_new(d, &m->net, m->params, w, BAND_ROWS, BAND_STEPS, &m->stepper);
    if (err != ERR_OK) {
        band_model_free(m);
        return err;
    }
    *out = m;
    return ERR_OK;
}

static enum err band_open(struct device *d, const struct ckpt *w, struct model **out)
{
    const char *family = ckpt_meta(w, "family"), *genres = ckpt_meta(w, "genres");
    if (!family || strcmp(family, "band") || !genres)
        return err_set(ERR_FORMAT, "not a band model: family or genres are missing in its metadata");
    char *list = xstrdup(genres);
    enum err err = open_model(d, w, list, out);
    free(list);
    return err;
}

static int band_n_genres(const struct model *m)
{
    return m->n_genres;
}

static const char *band_genre(const struct model *m, int i)
{
    return m->genres[i];
}

static double band_filler(const struct model *m)
{
    return m->filler;
}

static const char *const loss_names[] = { "pos", "pitch", "dur", "vel", NULL };

const struct model_kind band_kind = {
    .name = "band",
    .title = "The band: fills any free cells of five tracks, by genre",
    .verbs = 1u << VERB_GENERATE | 1u << VERB_ACCOMPANY | 1u << VERB_INFILL | 1u << VERB_VARY |
             1u << VERB_INTERPOLATE | 1u << VERB_CONTINUE,
    .options = options, .n_options = COUNT_OF(options),
    .nets = band_nets,
    .open = band_open, .close = band_model_free, .run = band_run,
    .n_genres = band_n_genres, .genre = band_genre, .filler = band_filler,
    .train_open = band_train_open, .train_step = band_train_step, .train_horizon = band_train_horizon,
    .train_samples = band_train_samples,
    .loss_names = loss_names, .train_eval = band_train_eval, .train_save = band_train_save,
};
