/* band_train.c: training the band: batches of band_data.c, bucket by bucket, through steptrain.c. */
#include <stdlib.h>
#include "band.h"
#include "band_data.h"
#include "ckpt.h"
#include "mem.h"
#include "opt.h"

struct band_trainer {
    struct band_data *data;
    struct steptrain *train;
};

void band_trainer_free(struct band_trainer *t)
{
    if (!t)
        return;
    steptrain_free(t->train);
    band_data_free(t->data);
    free(t);
}

static enum err open_parts(struct model *m, const struct opts *o, const struct dataset *data, const struct ckpt *resume)
{
    struct band_trainer *t = m->trainer;
    struct band_data_opts d = { .seed = (uint64_t)opts_int(o, "seed"), .rows = (int)opts_int(o, "rows"),
                                .any_genre = opts_real(o, "any-genre"), .filler = opts_real(o, "filler"),
                                .transpose = opts_real(o, "transpose") };
    TRY(band_data_new(data, &d, &t->data));
    for (int i = 0; i < m->n_genres; i++)
        m->genres[i] = xstrdup(dataset_genre(data, (size_t)i));
    struct step_source source = { .ctx = t->data, .n_shapes = BAND_BUCKETS, .pick = band_data_bucket, .fill = band_data_fill,
                                  .weight = { 1, 1, 1, [HEAD_VEL] = opts_real(o, "vel-weight") },
                                  .held_out = band_data_n(t->data, STEP_HELD_OUT) > 0 };
    for (int i = 0; i < BAND_BUCKETS; i++)
        source.shape[i] = band_data_shape(t->data, i);
    return steptrain_new(m->device, &m->net, m->params, source, o, resume, &t->train);
}

enum err band_train_open(struct device *d, const struct opts *o, const struct dataset *data, const struct ckpt *resume,
                         struct model **out)
{
    struct stepnet net;
    int n_genres = (int)dataset_n_genres(data);
    TRY(band_net_from(o, n_genres, &net));
    struct model *m = band_model_new(d, &net, n_genres);
    m->trainer = xcalloc(1, sizeof *m->trainer);
    enum err err = open_parts(m, o, data, resume);
    if (err != ERR_OK) {
        band_model_free(m);
        return err;
    }
    *out = m;
    return ERR_OK;
}

enum err band_train_step(struct model *m, long step, double losses[4])
{
    return steptrain_step(m->trainer->train, step, losses);
}

enum err band_train_eval(struct model *m, double losses[4])
{
    return steptrain_eval(m->trainer->train, losses);
}

void band_train_horizon(struct model *m, long total)
{
    steptrain_horizon(m->trainer->train, total);
}

long band_train_samples(const struct model *m)
{
    return steptrain_samples(m->trainer->train);
}

/* Genre names as one text, commas between them. */
static void add_genres(struct ckpt_writer *w, const struct model *m)
{
    struct str list;
    str_init(&list);
    for (int i = 0; i < m->n_genres; i++)
        str_addf(&list, "%s%s", i > 0 ? "," : "", m->genres[i]);
    ckpt_writer_meta(w, "genres", str_c(&list));
    str_fini(&list);
}

static void add_meta(struct ckpt_writer *w, const struct model *m)
{
    const struct { const char *key; int value; } sizes[] = {
        { "option.width", m->net.width }, { "option.layers", m->net.layers },
        { "option.heads", m->net.heads }, { "option.mlp", m->net.mlp },
    };
    ckpt_writer_meta(w, "format", "jamroll 1");
    ckpt_writer_meta(w, "family", "band");
    ckpt_writer_meta(w, "grid", "4 bars of 4/4, 48 steps a bar, 32 onsets a bar, pitches 24..107");
    ckpt_writer_meta(w, "roles", "Drums,Piano,Guitar,Bass,Strings");
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char text[32];
        str_format(text, sizeof text, "%d", sizes[i].value);
        ckpt_writer_meta(w, sizes[i].key, text);
    }
    add_genres(w, m);
}

enum err band_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta, size_t n_meta)
{
    struct ckpt_writer *w = ckpt_writer_new();
    add_meta(w, m);
    for (size_t i = 0; i < n_meta; i++)
        ckpt_writer_meta(w, meta[2 * i], meta[2 * i + 1]);
    steptrain_add(m->trainer->train, w, for_shipping);
    return ckpt_writer_save(w, path);
}
