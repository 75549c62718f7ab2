/* pianist_train.c: training the pianist: batches of piano_data.c through steptrain.c. */
#include <stdlib.h>
#include "ckpt.h"
#include "mem.h"
#include "opt.h"
#include "phrase.h"
#include "pianist.h"
#include "piano_data.h"

struct pianist_trainer {
    struct piano_data *data;
    struct steptrain *train;
};

void pianist_trainer_free(struct pianist_trainer *t)
{
    if (!t)
        return;
    steptrain_free(t->train);
    piano_data_free(t->data);
    free(t);
}

static enum err open_parts(struct model *m, const struct opts *o, const struct works *w, const struct ckpt *resume)
{
    struct pianist_trainer *t = m->trainer;
    const struct shelf_opts shelf = shelf_opts_from(o);
    int rows = (int)opts_int(o, "rows");
    TRY(piano_data_new(w, &m->styles, &shelf, (uint64_t)opts_int(o, "seed"), rows, m->context, &t->data));
    struct step_source source = { .ctx = t->data, .shape = { { rows, m->context } }, .n_shapes = 1, .fill = piano_data_fill,
                                  .weight = { 1, 1, 1 }, .held_out = piano_data_held_out(t->data) };
    return steptrain_new(m->device, &m->net, m->params, source, o, resume, &t->train);
}

enum err pianist_train_open(struct device *d, const struct opts *o, const struct dataset *data, const struct ckpt *resume,
                            struct model **out)
{
    const struct works *w = dataset_works(data);
    struct styles styles;
    struct stepnet net;
    if (!w)
        return err_set(ERR_FORMAT, "the pianist learns from whole works: `jamroll dataset build --works`");
    styles_of_works(w, &styles);
    TRY(pianist_net_from(o, styles.n, &net));
    struct model *m = pianist_model_new(d, &net, (int)opts_int(o, "context"));
    m->styles = styles;
    m->trainer = xcalloc(1, sizeof *m->trainer);
    enum err err = open_parts(m, o, w, resume);
    if (err != ERR_OK) {
        pianist_model_free(m);
        return err;
    }
    *out = m;
    return ERR_OK;
}

enum err pianist_train_step(struct model *m, long step, double losses[4])
{
    return steptrain_step(m->trainer->train, step, losses);
}

enum err pianist_train_eval(struct model *m, double losses[4])
{
    return steptrain_eval(m->trainer->train, losses);
}

void pianist_train_horizon(struct model *m, long total)
{
    steptrain_horizon(m->trainer->train, total);
}

long pianist_train_samples(const struct model *m)
{
    return steptrain_samples(m->trainer->train);
}

enum err pianist_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta, size_t n_meta)
{
    struct ckpt_writer *w = ckpt_writer_new();
    styles_meta(&m->styles, "pianist", "24 positions a quarter, 88 keys, any metre", &m->net, m->context, w);
    for (size_t i = 0; i < n_meta; i++)
        ckpt_writer_meta(w, meta[2 * i], meta[2 * i + 1]);
    steptrain_add(m->trainer->train, w, for_shipping);
    return ckpt_writer_save(w, path);
}
