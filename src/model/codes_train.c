/* codes_train.c: training the family that writes in codes. The VQ-VAE is as it was trained. Which works, from which
 * quarter and under whose name is a pure function of (seed, split, index). */
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "codes.h"
#include "mem.h"
#include "opt.h"
#include "phrase.h"
#include "piano_shelf.h"

enum { STREAM_WINDOWS = 0x636f6465 };
static const float FROM_BEGIN = 0.15f;   /* share of windows that begin with their piece */

struct codes_trainer {
    const struct works *works;
    struct shelf *shelf;
    struct steptrain *train;
    const struct model *m;
    int32_t *codes;              /* room for those of a window */
    enum err err;                /* of writing music in codes */
    uint64_t seed;
    int rows;
};

void codes_trainer_free(struct codes_trainer *t)
{
    if (!t)
        return;
    free(t->codes);
    steptrain_free(t->train);
    shelf_free(t->shelf);
    free(t);
}

/* ---- batches ---- */

/* Where a window begins: anywhere, but so that it is full where the piece is long enough. */
static int draw_begin(const struct piano_piece *p, int context, struct rng *r)
{
    int q = (int)rng_below(r, (uint32_t)(p->quarters > context ? p->quarters - context + 1 : 1));
    return rng_uniform(r) < FROM_BEGIN ? 0 : q;
}

static void fill_row(const struct codes_trainer *t, const struct piano_piece *p, int begin, int key, int n, int row,
                     struct step_batch *out)
{
    const struct stepnet *c = &t->m->net;
    int time = t->m->context * VQVAE_SLOTS;
    out->length[row] = n;
    for (int i = 0; i < time; i++) {
        size_t at = (size_t)row * (size_t)time + (size_t)i;
        const int32_t *codes = t->codes + i * c->n_out;
        int32_t in[N_CODES_IN];
        memset(in, -1, sizeof in);
        if (i < n)
            codes_step(c, &p->frame[begin + i / VQVAE_SLOTS], key, i % VQVAE_SLOTS, i > 0 ? codes - c->n_out : NULL,
                       begin + i == 0, in);
        for (int k = 0; k < c->n_in; k++)
            out->in[k][at] = in[k];
        for (int h = 0; h < c->n_out; h++)
            out->target[h][at] = i < n ? codes[h] : -1;
    }
}

static void fill(void *trainer, enum step_split s, uint64_t index, struct step_batch *out)
{
    struct codes_trainer *t = trainer;
    struct rng r;
    rng_init(&r, rng_hash(t->seed, index), STREAM_WINDOWS + (uint64_t)s);
    for (int row = 0; row < t->rows; row++) {
        const struct shelf_piece *p = shelf_draw(t->shelf, s, &r);
        struct work w = works_get(t->works, p->work);
        int context = t->m->context, begin = draw_begin(&p->piece, context, &r), left = p->piece.quarters - begin;
        int n = left < context ? left : context;
        struct key key = shelf_key(t->shelf, p, &r);
        shelf_style(t->shelf, p, &r, out->style + (size_t)row * (size_t)t->m->styles.n);
        enum err err = codes_of_work(t->m->vqvae, &w, begin, n, key_home(p->key), t->codes);
        t->err = err != ERR_OK ? err : t->err;
        fill_row(t, &p->piece, begin, piano_mode(key), n * VQVAE_SLOTS, row, out);
    }
}

/* ---- opening ---- */

/* A run goes on with the VQ-VAE it began with. */
static enum err open_vqvae(struct device *d, const struct opts *o, const struct ckpt *resume, struct vqvae **out)
{
    struct ckpt *own = NULL;
    if (resume)
        return vqvae_load(d, resume, out);
    TRY(ckpt_open(opts_text(o, "vqvae"), &own));
    enum err err = vqvae_load(d, own, out);
    ckpt_close(own);
    return err;
}

static enum err open_parts(struct model *m, const struct opts *o, const struct works *w, const struct ckpt *resume)
{
    struct codes_trainer *t = m->trainer = xcalloc(1, sizeof *t);
    const struct shelf_opts shelf = shelf_opts_from(o);
    *t = (struct codes_trainer){ .works = w, .m = m, .seed = (uint64_t)opts_int(o, "seed"), .rows = (int)opts_int(o, "rows") };
    t->codes = xcalloc((size_t)m->context * (size_t)vqvae_slots(vqvae_config(m->vqvae)), sizeof *t->codes);
    TRY(shelf_new(w, &m->styles, &shelf, &t->shelf));
    struct step_source source = { .ctx = t, .shape = { { t->rows, m->context * VQVAE_SLOTS } }, .n_shapes = 1, .fill = fill,
                                  .weight = { 1, 1, 1, 1 }, .held_out = shelf_held_out(t->shelf) };
    return steptrain_new(m->device, &m->net, m->params, source, o, resume, &t->train);
}

enum err codes_train_open(struct device *d, const struct opts *o, const struct dataset *data, const struct ckpt *resume,
                          struct model **out)
{
    const struct works *w = dataset_works(data);
    struct vqvae *vqvae;
    struct styles styles;
    struct stepnet net;
    struct model *m = NULL;
    if (!w)
        return err_set(ERR_FORMAT, "music in codes is learnt from whole works: `jamroll dataset build --works`");
    styles_of_works(w, &styles);
    TRY(open_vqvae(d, o, resume, &vqvae));
    enum err err = codes_net_from(o, vqvae_config(vqvae), styles.n, &net);
    if (err != ERR_OK) {
        vqvae_free(vqvae);
        return err;
    }
    m = codes_model_new(d, &net, (int)opts_int(o, "context"), vqvae);
    m->styles = styles;
    err = open_parts(m, o, w, resume);
    if (err != ERR_OK)
        codes_model_free(m);
    else
        *out = m;
    return err;
}

enum err codes_train_step(struct model *m, long step, double losses[4])
{
    TRY(steptrain_step(m->trainer->train, step, losses));
    return m->trainer->err;
}

enum err codes_train_eval(struct model *m, double losses[4])
{
    TRY(steptrain_eval(m->trainer->train, losses));
    return m->trainer->err;
}

void codes_train_horizon(struct model *m, long total)
{
    steptrain_horizon(m->trainer->train, total);
}

long codes_train_samples(const struct model *m)
{
    return steptrain_samples(m->trainer->train);
}

enum err codes_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta, size_t n_meta)
{
    struct ckpt_writer *w = ckpt_writer_new();
    styles_meta(&m->styles, "codes", "a quarter: 88 keys from A0, 32 columns; any metre", &m->net, m->context, w);
    for (size_t i = 0; i < n_meta; i++)
        ckpt_writer_meta(w, meta[2 * i], meta[2 * i + 1]);
    steptrain_add(m->trainer->train, w, for_shipping);
    vqvae_save(m->vqvae, w);
    return ckpt_writer_save(w, path);
}
