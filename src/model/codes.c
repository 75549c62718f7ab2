/* codes.c: the row in the registry of the family that writes in codes: its options, its networks, opening a weight file. */
#include "codes.h"
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "draw.h"
#include "kinds.h"
#include "mem.h"
#include "opt.h"
#include "piano_shelf.h"

static const struct opt options[] = {
    { "vqvae", 0, OPT_TEXT, 0, 0, "vqvae", NULL, "NAME", "weights of the VQ-VAE whose codes are learnt, by name or file" },
    { "width", 0, OPT_INT, 16, 1024, "128", NULL, "N", "width of the transformer, a multiple of the heads" },
    { "layers", 0, OPT_INT, 1, 24, "4", NULL, "N", "transformer blocks" },
    { "heads", 0, OPT_INT, 1, 64, "8", NULL, "N", "attention heads" },
    { "mlp", 0, OPT_INT, 16, 4096, "256", NULL, "N", "hidden width of the heads of later stages" },
    { "context", 0, OPT_INT, 2, 512, "24", NULL, "N", "quarters the network looks back" },
    { "rows", 0, OPT_INT, 1, 65536, "8", NULL, "N", "sequences a batch" },
    SHELF_OPTIONS,
    STEPTRAIN_OPTIONS("0.001", "0.1"),
};

/* ---- the network ---- */

static const char *const code_names[VQVAE_STAGES] = { "code", "code2", "code3", "code4" };

enum err codes_net_from(const struct opts *o, const struct vqvae_config *v, int n_styles, struct stepnet *out)
{
    struct stepnet c = { .width = (int)opts_int(o, "width"), .layers = (int)opts_int(o, "layers"),
                         .heads = (int)opts_int(o, "heads"), .mlp = (int)opts_int(o, "mlp"), .n_in = CIN_CODE + v->stages,
                         .n_out = v->stages, .styles = n_styles, .head_bias = true, .dropout = opts_real(o, "dropout") };
    if (c.width % c.heads)
        return err_set(ERR_RANGE, "codes: width %d is not a multiple of %d heads", c.width, c.heads);
    if (n_styles < 1 || n_styles > STYLES_MAX)
        return err_set(ERR_RANGE, "codes: %d styles; 1 to %d are possible", n_styles, STYLES_MAX);
    if (!vqvae_has_codes(v) || v->codes > CODES_MAX)
        return err_set(ERR_RANGE, "codes: music is written in books of 2 to %d codes; this VQ-VAE has %d", CODES_MAX,
                       vqvae_has_codes(v) ? v->codes : 0);
    c.in[CIN_SLOT] = (struct step_table){ "slot", VQVAE_SLOTS };
    memcpy(&c.in[CIN_PHASE], &piano_in_tables[PIN_PHASE], (CIN_CODE - CIN_PHASE) * sizeof *c.in);
    for (int s = 0; s < v->stages; s++) {
        c.in[CIN_CODE + s] = (struct step_table){ code_names[s], v->codes + (s == 0) };
        c.out[s] = (struct step_table){ code_names[s], v->codes };
    }
    *out = c;
    return ERR_OK;
}
_Static_assert(CIN_CODE - CIN_PHASE == PIN_KEY + 1 - PIN_PHASE, "where a quarter lies, as the pianist reads it");
_Static_assert((int)CODES_MAX <= (int)DRAW_MAX && (int)N_CODES_IN <= (int)STEP_INPUTS && (int)VQVAE_STAGES <= (int)STEP_HEADS,
               "a place's codes can be read and drawn");

void codes_step(const struct stepnet *c, const struct piano_frame *f, int key, int slot, const int32_t *before, bool begins,
                int32_t in[N_CODES_IN])
{
    in[CIN_SLOT] = slot;
    in[CIN_PHASE] = f->phase;
    in[CIN_METRE] = f->metre;
    in[CIN_BAR] = f->bar;
    in[CIN_LEFT] = f->left;
    in[CIN_KEY] = key;
    for (int s = 0; s < c->n_out; s++)
        in[CIN_CODE + s] = before ? before[s] : begins && s == 0 ? c->out[0].rows : -1;
}

enum err codes_of_work(struct vqvae *v, const struct work *w, int begin, int n, int shift, int32_t *out)
{
    struct quarter *q = xcalloc((size_t)n + 1, sizeof *q);   /* the one behind, too: a key struck anew there is let go */
    quarters_from_notes(w->notes, w->n, begin * QUARTER_COLS, q, (uint32_t)n + 1);
    for (int i = 0; i < n; i++)
        q[i] = quarter_transposed(&q[i], shift);
    enum err err = vqvae_encode(v, q, n, out, NULL);
    free(q);
    return err;
}

struct model *codes_model_new(struct device *d, const struct stepnet *net, int context, struct vqvae *vqvae)
{
    struct model *m = xcalloc(1, sizeof *m);
    m->net = *net;
    m->context = context;
    m->device = d;
    m->params = params_new();
    m->vqvae = vqvae;
    return m;
}

void codes_model_free(struct model *m)
{
    if (!m)
        return;
    codes_sampler_free(m->sampler);
    codes_trainer_free(m->trainer);
    vqvae_free(m->vqvae);
    params_free(m->params);
    free(m);
}

/* ---- the row ---- */

/* The weight file names its styles; without data to name them, the count of a usual set is meant, as are the books. */
enum { USUAL_STYLES = 30 };
static const struct vqvae_config usual_books = { BOTTLENECK_EMA, 1024, 2 };

const struct stepnet codes_original = {
    .width = 128, .layers = 4, .heads = 8, .n_in = 1, .n_out = 1, .in = { { "token", 16 } }, .out = { { "token", 16 } },
    .places = 191, .dropout = 0.1,
};

static int nets(const struct opts *o, struct model_net *out, int cap)
{
    struct stepnet c;
    if (cap < 2 || codes_net_from(o, &usual_books, USUAL_STYLES, &c) != ERR_OK)
        return 0;
    out[0] = (struct model_net){ "over two codes a place", stepnet_count(&c) };
    out[1] = (struct model_net){ "over codes, 16 a quarter", stepnet_count(&codes_original) };
    return 2;
}

static enum err open_parts(struct device *d, const struct ckpt *w, const struct styles *styles, struct vqvae *vqvae,
                           struct model **out)
{
    struct opts *o;
    struct stepnet net;
    TRY(ckpt_options(w, options, COUNT_OF(options), &o));
    enum err err = codes_net_from(o, vqvae_config(vqvae), styles->n, &net);
    if (err == ERR_OK)
        *out = codes_model_new(d, &net, (int)opts_int(o, "context"), vqvae);
    opts_free(o);
    return err;
}

static enum err open_model(struct device *d, const struct ckpt *w, struct model **out)
{
    const char *family = ckpt_meta(w, "family"), *names = ckpt_meta(w, "styles"), *name = ckpt_meta(w, "name");
    struct styles styles;
    struct vqvae *vqvae;
    struct model *m = NULL;
    if (!family || strcmp(family, "codes") || !names)
        return err_set(ERR_FORMAT, "no music in codes: family or styles are missing in its metadata");
    TRY(styles_parse(names, &styles));
    TRY(vqvae_load(d, w, &vqvae));
    enum err err = open_parts(d, w, &styles, vqvae, &m);
    if (err != ERR_OK) {
        vqvae_free(vqvae);
        return err;
    }
    m->styles = styles;
    str_copy(m->name, sizeof m->name, name ? name : "codes");
    str_copy(m->hash, sizeof m->hash, ckpt_hash(w));
    err = codes_sampler_new(m, w, &m->sampler);
    if (err != ERR_OK)
        codes_model_free(m);
    else
        *out = m;
    return err;
}

static int n_styles(const struct model *m)
{
    return m->styles.n;
}

static const char *style(const struct model *m, int i)
{
    return m->styles.at[i].name;
}

static const char *const loss_names[] = { "code", "second", "third", "fourth", NULL };

const struct model_kind codes_kind = {
    .name = "codes",
    .title = "Music in codes: piano music in styles, written in the codes of a VQ-VAE",
    .verbs = 1u << VERB_GENERATE | 1u << VERB_CONTINUE,
    .options = options, .n_options = COUNT_OF(options), .builds_on = "vqvae",
    .nets = nets,
    .open = open_model, .close = codes_model_free, .run = codes_run,
    .n_styles = n_styles, .style = style,
    .evaluate = codes_evaluate,
    .train_open = codes_train_open, .train_step = codes_train_step, .train_horizon = codes_train_horizon,
    .train_samples = codes_train_samples,
    .loss_names = loss_names, .train_eval = codes_train_eval, .train_save = codes_train_save,
};
