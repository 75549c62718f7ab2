/* pianist.c: the pianist's row in the registry: its options, its networks, its styles, opening a weight file. */
#include "pianist.h"
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "kinds.h"
#include "mem.h"
#include "opt.h"
#include "piano_shelf.h"
#include "str.h"

static const struct opt options[] = {
    { "width", 0, OPT_INT, 16, 1024, "192", NULL, "N", "width of the transformer, a multiple of the heads" },
    { "layers", 0, OPT_INT, 1, 24, "4", NULL, "N", "transformer blocks" },
    { "heads", 0, OPT_INT, 1, 64, "6", NULL, "N", "attention heads" },
    { "mlp", 0, OPT_INT, 16, 4096, "384", NULL, "N", "hidden width of the note heads" },
    { "context", 0, OPT_INT, 128, 4096, "512", NULL, "N", "steps the network looks back" },
    { "rows", 0, OPT_INT, 1, 65536, "8", NULL, "N", "sequences a batch" },
    SHELF_OPTIONS,
    STEPTRAIN_OPTIONS("0.0015", "0.1"),
};

enum err pianist_net_from(const struct opts *o, int n_styles, struct stepnet *out)
{
    struct stepnet c = { .width = (int)opts_int(o, "width"), .layers = (int)opts_int(o, "layers"),
                         .heads = (int)opts_int(o, "heads"), .mlp = (int)opts_int(o, "mlp"),
                         .n_in = N_PIANO_IN, .n_out = N_PIANO_OUT, .styles = n_styles, .head_bias = true,
                         .dropout = opts_real(o, "dropout") };
    if (c.width % c.heads)
        return err_set(ERR_RANGE, "pianist: width %d is not a multiple of %d heads", c.width, c.heads);
    if (n_styles < 1 || n_styles > STYLES_MAX)
        return err_set(ERR_RANGE, "pianist: %d styles; 1 to %d are possible", n_styles, STYLES_MAX);
    memcpy(c.in, piano_in_tables, sizeof piano_in_tables);
    memcpy(c.out, piano_out_tables, sizeof piano_out_tables);
    *out = c;
    return ERR_OK;
}

struct model *pianist_model_new(struct device *d, const struct stepnet *net, int context)
{
    struct model *m = xcalloc(1, sizeof *m);
    m->net = *net;
    m->context = context;
    m->device = d;
    m->params = params_new();
    return m;
}

void pianist_model_free(struct model *m)
{
    if (!m)
        return;
    pianist_sampler_free(m->sampler);
    pianist_trainer_free(m->trainer);
    params_free(m->params);
    free(m);
}

/* ---- the row ---- */

/* The weight file names its styles; without data to name them, the count of a usual set is meant. */
enum { USUAL_STYLES = 30 };

static int pianist_nets(const struct opts *o, struct model_net *out, int cap)
{
    struct stepnet c;
    if (cap < 1 || pianist_net_from(o, USUAL_STYLES, &c) != ERR_OK)
        return 0;
    out[0] = (struct model_net){ "pianist", stepnet_count(&c) };
    return 1;
}

static enum err read_config(const struct ckpt *w, int n_styles, struct stepnet *net, int *context)
{
    struct opts *o;
    TRY(ckpt_options(w, options, COUNT_OF(options), &o));
    *context = (int)opts_int(o, "context");
    enum err err = pianist_net_from(o, n_styles, net);
    opts_free(o);
    return err;
}

static enum err pianist_open(struct device *d, const struct ckpt *w, struct model **out)
{
    const char *family = ckpt_meta(w, "family"), *names = ckpt_meta(w, "styles"), *name = ckpt_meta(w, "name");
    struct styles styles;
    struct stepnet net;
    int context;
    if (!family || strcmp(family, "pianist") || !names)
        return err_set(ERR_FORMAT, "not a pianist: family or styles are missing in its metadata");
    TRY(styles_parse(names, &styles));
    TRY(read_config(w, styles.n, &net, &context));
    struct model *m = pianist_model_new(d, &net, context);
    m->styles = styles;
    str_copy(m->name, sizeof m->name, name ? name : "pianist");
    str_copy(m->hash, sizeof m->hash, ckpt_hash(w));
    enum err err = pianist_sampler_new(m, w, &m->sampler);
    if (err != ERR_OK) {
        pianist_model_free(m);
        return err;
    }
    *out = m;
    return ERR_OK;
}

static int pianist_n_styles(const struct model *m)
{
    return m->styles.n;
}

static const char *pianist_style(const struct model *m, int i)
{
    return m->styles.at[i].name;
}

static const char *const loss_names[] = { "pos", "pitch", "dur", NULL };

const struct model_kind pianist_kind = {
    .name = "pianist",
    .title = "The pianist: piano music in the styles of composers and eras, and of blends of them",
    .verbs = 1u << VERB_GENERATE | 1u << VERB_CONTINUE,
    .options = options, .n_options = COUNT_OF(options),
    .nets = pianist_nets,
    .open = pianist_open, .close = pianist_model_free, .run = pianist_run,
    .n_styles = pianist_n_styles, .style = pianist_style,
    .evaluate = pianist_evaluate,
    .train_open = pianist_train_open, .train_step = pianist_train_step, .train_horizon = pianist_train_horizon,
    .train_samples = pianist_train_samples,
    .loss_names = loss_names, .train_eval = pianist_train_eval, .train_save = pianist_train_save,
};
