/* vqvae_run.c: quarters to codes and back, one at a time for a player that waits or many at once for a data set. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "vqvae.h"
#include "works.h"

enum { MANY = 32, N_SIZES = 2 };
static const int sizes[N_SIZES] = { MANY, 1 };

struct half { struct graph *g; struct plan *plan; float *in; };
struct vqvae {
    struct vqvae_config c;
    struct device *device;
    struct params *params, *own;      /* own NULL when borrowed */
    struct half enc[N_SIZES], dec[N_SIZES];
    float *host, *book;
};

void quarter_to_cells(const struct quarter *q, float *cells)
{
    for (int k = 0; k < QUARTER_KEYS; k++)
        for (int c = 0; c < QUARTER_COLS; c++)
            cells[k * QUARTER_COLS + c] = (float)(q->key[k] >> c & 1);
}

static void cells_to_quarter(const float *logits, struct quarter *q)
{
    for (int k = 0; k < QUARTER_KEYS; k++) {
        q->key[k] = 0;
        for (int c = 0; c < QUARTER_COLS; c++)
            q->key[k] |= (uint32_t)(logits[k * QUARTER_COLS + c] > 0) << c;
    }
}

static int pick_codes(struct vqvae *v, struct graph *g, struct node *latent, struct node **out)
{
    for (int s = 0; s < v->c.stages; s++) {
        char name[32];
        vqvae_book_name(s, "", name);
        struct node *book = g_param(g, name, SHAPE(v->c.codes, VQVAE_WIDTH));
        out[s] = vqvae_nearest(latent, book);
        latent = g_sub(latent, g_gather(book, out[s]));
    }
    return v->c.stages;
}

static enum err open_half(struct vqvae *v, struct half *h, int n, bool encoder)
{
    struct net net = { .g = h->g = graph_new(), .p = v->params };
    struct node *in, *out[1 + VQVAE_STAGES];
    int n_out = 1;
    if (encoder) {
        in = g_input(net.g, "in", F32, SHAPE(n, 1, QUARTER_KEYS, QUARTER_COLS, 1));
        out[0] = vqvae_encoder(&net, in);
        if (vqvae_has_codes(&v->c))
            n_out += pick_codes(v, net.g, out[0], out + 1);
    } else {
        in = g_input(net.g, "in", F32, SHAPE(n * VQVAE_SLOTS, VQVAE_WIDTH));
        out[0] = vqvae_decoder(&net, in);
    }
    TRY(device_alloc(v->device, shape_count(node_shape(in)) * sizeof(float), (void **)&h->in));
    TRY(plan_new(v->device, net.g, out, n_out, &(struct plan_opts){ .frozen = true }, &h->plan));
    params_bind(v->params, h->plan);
    plan_bind(h->plan, in, h->in);
    return ERR_OK;
}

static struct vqvae *vqvae_new(struct device *d, const struct vqvae_config *c)
{
    struct vqvae *v = xcalloc(1, sizeof *v);
    v->c = *c;
    v->device = d;
    v->params = v->own = params_new();
    vqvae_declare(v->params, c);
    return v;
}

/* The plans; the parameters have their values. */
static enum err make_runnable(struct vqvae *v)
{
    for (int i = 0; i < N_SIZES; i++) {
        TRY(open_half(v, &v->enc[i], sizes[i], true));
        TRY(open_half(v, &v->dec[i], sizes[i], false));
    }
    v->host = xcalloc((size_t)MANY * VQVAE_CELLS, sizeof *v->host);
    if (!vqvae_has_codes(&v->c))
        return ERR_OK;
    size_t n = (size_t)v->c.codes * VQVAE_WIDTH;
    v->book = xcalloc(n * (size_t)v->c.stages, sizeof *v->book);
    for (int s = 0; s < v->c.stages; s++) {
        char name[32];
        vqvae_book_name(s, "", name);
        float *book = params_value(v->params, (size_t)params_find(v->params, name));
        TRY(device_download(v->device, v->book + (size_t)s * n, book, n * sizeof *v->book));
    }
    return ERR_OK;
}

static enum err finish(struct vqvae *v, enum err err, struct vqvae **out)
{
    if (err == ERR_OK)
        err = make_runnable(v);
    if (err != ERR_OK)
        vqvae_free(v);
    else
        *out = v;
    return err;
}

enum err vqvae_random(struct device *d, const struct vqvae_config *c, uint64_t seed, struct vqvae **out)
{
    struct vqvae *v = vqvae_new(d, c);
    enum err err = params_alloc(v->params, d, false);
    if (err == ERR_OK)
        params_init(v->params, seed);
    return finish(v, err, out);
}

enum err vqvae_of_params(struct device *d, const struct vqvae_config *c, struct params *borrowed, struct vqvae **out)
{
    struct vqvae *v = xcalloc(1, sizeof *v);
    v->c = *c;
    v->device = d;
    v->params = borrowed;
    return finish(v, ERR_OK, out);
}

static enum err config_of(const struct ckpt *w, struct vqvae_config *out)
{
    const char *bottleneck = ckpt_meta(w, "vq.bottleneck"), *codes = ckpt_meta(w, "vq.codes");
    const char *stages = ckpt_meta(w, "vq.stages");
    int64_t b, n, s = 1;
    if (!bottleneck || !codes)
        return err_set(ERR_FORMAT, "the weights hold no VQ-VAE: vq.bottleneck or vq.codes is missing");
    TRY(parse_int(bottleneck, 0, N_BOTTLENECKS - 1, &b));
    TRY(parse_int(codes, 2, VQVAE_MAX_CODES, &n));
    if (stages)
        TRY(parse_int(stages, 1, VQVAE_STAGES, &s));
    *out = (struct vqvae_config){ (enum bottleneck)b, (int)n, (int)s };
    return ERR_OK;
}

enum err vqvae_load(struct device *d, const struct ckpt *weights, struct vqvae **out)
{
    struct vqvae_config c;
    TRY(config_of(weights, &c));
    struct vqvae *v = vqvae_new(d, &c);
    enum err err = params_alloc(v->params, d, false);
    if (err == ERR_OK)
        err = ckpt_load_params(weights, v->params, d);
    return finish(v, err, out);
}

void vqvae_config_meta(const struct vqvae_config *c, struct ckpt_writer *w)
{
    const struct { const char *key; int value; } rows[] = {
        { "vq.bottleneck", (int)c->bottleneck }, { "vq.codes", c->codes }, { "vq.stages", c->stages },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[16];
        str_format(text, sizeof text, "%d", rows[i].value);
        ckpt_writer_meta(w, rows[i].key, text);
    }
}

void vqvae_save(const struct vqvae *v, struct ckpt_writer *w)
{
    vqvae_config_meta(&v->c, w);
    ckpt_add_params(w, v->params, v->device);
}

void vqvae_free(struct vqvae *v)
{
    if (!v)
        return;
    for (int i = 0; i < N_SIZES; i++) {
        struct half *const halves[] = { &v->enc[i], &v->dec[i] };
        for (int h = 0; h < 2; h++) {
            plan_free(halves[h]->plan);
            graph_free(halves[h]->g);
            if (halves[h]->in)
                device_free(v->device, halves[h]->in);
        }
    }
    params_free(v->own);
    free(v->host);
    free(v->book);
    free(v);
}

const struct vqvae_config *vqvae_config(const struct vqvae *v)
{
    return &v->c;
}

/* As many at once as there are. */
static int size_for(int left)
{
    return left >= MANY ? 0 : 1;
}

enum err vqvae_encode(struct vqvae *v, const struct quarter *q, int n, int32_t *codes, float *latent)
{
    BUG_ON(codes && !vqvae_has_codes(&v->c));
    for (int at = 0; at < n;) {
        int s = size_for(n - at), rows = sizes[s] * VQVAE_SLOTS;
        struct half *h = &v->enc[s];
        for (int i = 0; i < sizes[s]; i++)
            quarter_to_cells(&q[at + i], v->host + i * VQVAE_CELLS);
        TRY(device_upload(v->device, h->in, v->host, (size_t)sizes[s] * VQVAE_CELLS * sizeof(float)));
        TRY(plan_run(h->plan, NULL));
        if (latent)
            TRY(device_download(v->device, latent + (size_t)at * VQVAE_SLOTS * VQVAE_WIDTH, plan_output(h->plan, 0),
                                (size_t)rows * VQVAE_WIDTH * sizeof(float)));
        for (int k = 0; codes && k < v->c.stages; k++) {
            int32_t picked[MANY * VQVAE_SLOTS];
            TRY(device_download(v->device, picked, plan_output(h->plan, 1 + k), (size_t)rows * sizeof *picked));
            for (int r = 0; r < rows; r++)
                codes[(at * VQVAE_SLOTS + r) * v->c.stages + k] = picked[r];
        }
        at += sizes[s];
    }
    return ERR_OK;
}

/* A place is the sum of its codes. */
static void place(const struct vqvae *v, const int32_t *codes, float *out)
{
    for (int s = 0; s < v->c.stages; s++) {
        const float *code = v->book + ((size_t)s * (size_t)v->c.codes + (size_t)codes[s]) * VQVAE_WIDTH;
        for (int i = 0; i < VQVAE_WIDTH; i++)
            out[i] = s == 0 ? code[i] : out[i] + code[i];
    }
}

/* Latents come from memory, or a place at a time from the codebooks. */
static enum err decode(struct vqvae *v, const float *latent, const int32_t *codes, int n, struct quarter *out)
{
    for (int i = 0; codes && i < n * vqvae_slots(&v->c); i++)
        if (codes[i] < 0 || codes[i] >= v->c.codes)
            return err_set(ERR_RANGE, "code %d of a book of %d", codes[i], v->c.codes);
    for (int at = 0; at < n;) {
        int s = size_for(n - at);
        size_t rows = (size_t)sizes[s] * VQVAE_SLOTS, first = (size_t)at * VQVAE_SLOTS;
        struct half *h = &v->dec[s];
        for (size_t r = 0; r < rows; r++) {
            if (codes)
                place(v, codes + (first + r) * (size_t)v->c.stages, v->host + r * VQVAE_WIDTH);
            else
                memcpy(v->host + r * VQVAE_WIDTH, latent + (first + r) * VQVAE_WIDTH, VQVAE_WIDTH * sizeof(float));
        }
        TRY(device_upload(v->device, h->in, v->host, rows * VQVAE_WIDTH * sizeof(float)));
        TRY(plan_run(h->plan, NULL));
        TRY(device_download(v->device, v->host, plan_output(h->plan, 0), (size_t)sizes[s] * VQVAE_CELLS * sizeof(float)));
        for (int i = 0; i < sizes[s]; i++)
            cells_to_quarter(v->host + i * VQVAE_CELLS, &out[at + i]);
        at += sizes[s];
    }
    return ERR_OK;
}

enum err vqvae_decode(struct vqvae *v, const int32_t *codes, int n, struct quarter *out)
{
    BUG_ON(!vqvae_has_codes(&v->c));
    return decode(v, NULL, codes, n, out);
}

/* ---- measuring ---- */

struct tally { long both, made, real, exact, quarters; long *used; };

static enum err measure_some(struct vqvae *v, const struct quarter *q, int n, struct tally *t)
{
    struct quarter *back = xcalloc((size_t)n, sizeof *back);
    size_t slots = (size_t)n * (size_t)vqvae_slots(&v->c);
    bool coded = vqvae_has_codes(&v->c);
    int32_t *codes = coded ? xcalloc(slots, sizeof *codes) : NULL;
    float *latent = coded ? NULL : xcalloc(slots * VQVAE_WIDTH, sizeof *latent);
    enum err err = vqvae_encode(v, q, n, codes, latent);
    if (err == ERR_OK)
        err = decode(v, latent, codes, n, back);
    for (int i = 0; i < n && err == ERR_OK; i++) {
        bool same = true;
        for (int k = 0; k < QUARTER_KEYS; k++) {
            uint32_t a = q[i].key[k], b = back[i].key[k];
            t->both += __builtin_popcount(a & b);
            t->real += __builtin_popcount(a);
            t->made += __builtin_popcount(b);
            same &= a == b;
        }
        t->exact += same;
        t->quarters++;
    }
    for (size_t i = 0; coded && err == ERR_OK && i < slots; i++) {
        size_t stage = i % (size_t)v->c.stages;
        t->used[stage * (size_t)v->c.codes + (size_t)codes[i]]++;
    }
    free(back);
    free(codes);
    free(latent);
    return err;
}

/* Of the stages together, as their geometric mean. */
static double perplexity(const long *used, const struct vqvae_config *c)
{
    double entropy = 0;
    for (int s = 0; s < c->stages; s++, used += c->codes) {
        double total = 0;
        for (int i = 0; i < c->codes; i++)
            total += (double)used[i];
        for (int i = 0; i < c->codes; i++)
            if (used[i] > 0)
                entropy -= (double)used[i] / total * log((double)used[i] / total);
    }
    return exp(entropy / c->stages);
}

/* Runs of quarters at even distances through all pieces of one side, one after another. */
static enum err measure_pieces(struct vqvae *v, const struct works *w, const size_t *piece, size_t n, long runs,
                               struct tally *t)
{
    struct quarter q[MANY];
    for (long r = 0; r < runs; r++) {
        double at = ((double)r + 0.5) / (double)runs * (double)n;
        struct work x = works_get(w, piece[(size_t)at]);
        double free = x.quarters > MANY ? (double)(x.quarters - MANY) : 0;
        quarters_from_notes(x.notes, x.n, (int32_t)((at - floor(at)) * free) * QUARTER_COLS, q, MANY);
        TRY(measure_some(v, q, x.quarters < MANY ? (int)x.quarters : MANY, t));
    }
    return ERR_OK;
}

enum err vqvae_measure(struct vqvae *v, const struct works *w, bool held_out, long limit, struct vqvae_score *out)
{
    struct tally t = { .used = xcalloc((size_t)v->c.codes * (size_t)v->c.stages, sizeof(long)) };
    size_t *piece = xcalloc(works_n(w) + 1, sizeof *piece), n = 0;
    for (size_t i = 0; i < works_n(w); i++)
        if (works_get(w, i).held_out == held_out)
            piece[n++] = i;
    enum err err = n > 0 ? measure_pieces(v, w, piece, n, limit / MANY + 1, &t) :
                   err_set(ERR_EMPTY, "the data set has no %s pieces", held_out ? "held-out" : "training");
    if (err == ERR_OK) {
        double p = t.made ? (double)t.both / (double)t.made : 0, r = t.real ? (double)t.both / (double)t.real : 0;
        *out = (struct vqvae_score){ t.quarters, p, r, p + r > 0 ? 2 * p * r / (p + r) : 0,
                                     (double)t.exact / (double)t.quarters,
                                     vqvae_has_codes(&v->c) ? perplexity(t.used, &v->c) : 0 };
    }
    free(piece);
    free(t.used);
    return err;
}
