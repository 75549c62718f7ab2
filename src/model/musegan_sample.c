/* musegan_sample.c: the generator at work. Batch normalisation is by moving statistics, so samples are independent
 * of each other; they run a few at a time, so that the feature maps stay in the cache. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "musegan.h"
#include "rng.h"
#include "song.h"

struct musegan_sampler {
    struct musegan_config c;
    struct device *device;
    int batch;
    struct graph *graph;
    struct plan *plan;
    float *z, *condition, *out; /* device, one batch */
};

void musegan_latent(const struct musegan_config *c, struct rng *r, float *z, int n)
{
    float cut = c->cut > 0 ? (float)c->cut : 1e9f, spread = (float)c->spread;
    for (int i = 0; i < n * musegan_latents(c); i++)
        z[i] = spread * rng_truncated(r, cut);
}

void musegan_sampler_free(struct musegan_sampler *s)
{
    if (!s)
        return;
    plan_free(s->plan);
    graph_free(s->graph);
    float *const owned[] = {s->z, s->condition, s->out};
    for (size_t i = 0; i < COUNT_OF(owned); i++)
        if (owned[i])
            device_free(s->device, owned[i]);
    free(s);
}

enum err musegan_sampler_new(struct device *d, const struct musegan_config *c, struct params *live, int batch,
                             struct musegan_sampler **out)
{
    struct musegan_sampler *s = xcalloc(1, sizeof *s);
    struct net net = {.g = s->graph = graph_new(), .p = live};
    struct musegan_builder b = {.net = &net, .c = &s->c, .norm = NORM_MOVING};
    size_t cells = musegan_cells(c) * (size_t)batch;
    enum err err = ERR_OK;
    s->c = *c;
    s->device = d;
    s->batch = batch;
    size_t latents = (size_t)musegan_latents(c);
    struct node *z = g_input(net.g, "z", F32, SHAPE(batch, (int32_t)latents)), *condition = NULL;
    if (c->condition >= 0)
        condition = g_input(net.g, "condition", F32, musegan_phrase(c, batch, 1));
    struct node *x = musegan_generator(&b, z, condition);
    TRY_OUT(device_alloc(d, (size_t)batch * latents * sizeof(float), (void **)&s->z));
    TRY_OUT(device_alloc(d, cells * sizeof(float), (void **)&s->condition));
    TRY_OUT(device_alloc(d, cells * N_ROLES * sizeof(float), (void **)&s->out));
    TRY_OUT(plan_new(d, net.g, &x, 1, &(struct plan_opts){.frozen = true}, &s->plan));
    params_bind(live, s->plan);
    plan_bind_name(s->plan, "z", s->z);
    plan_bind_name(s->plan, "condition", s->condition);
    plan_bind_output(s->plan, 0, s->out);
    *out = s;
out:
    if (err != ERR_OK)
        musegan_sampler_free(s);
    return err;
}

void musegan_sampler_print(const struct musegan_sampler *s, struct str *out)
{
    plan_print(s->plan, true, out);
}

static enum err sample_batch(struct musegan_sampler *s, const float *z, const float *condition, int n,
                             float *out, const atomic_bool *cancel)
{
    size_t cells = musegan_cells(&s->c), latents = (size_t)musegan_latents(&s->c), count = (size_t)n;
    TRY(device_upload(s->device, s->z, z, count * latents * sizeof(float)));
    if (condition)
        TRY(device_upload(s->device, s->condition, condition, count * cells * sizeof(float)));
    TRY(plan_run(s->plan, cancel));
    return device_download(s->device, out, s->out, count * cells * N_ROLES * sizeof(float));
}

enum err musegan_sample(struct musegan_sampler *s, const float *z, const float *condition, int n, float *out,
                        const atomic_bool *cancel)
{
    size_t cells = musegan_cells(&s->c), latents = (size_t)musegan_latents(&s->c);
    for (int at = 0; at < n; at += s->batch) {
        int rows = n - at < s->batch ? n - at : s->batch;
        TRY(sample_batch(s, z + (size_t)at * latents, condition ? condition + (size_t)at * cells : NULL, rows,
                         out + (size_t)at * cells * N_ROLES, cancel));
    }
    return ERR_OK;
}

/* What a request means for this model: phrases of c.bars bars, and which cells of them it may write. */
struct job {
    const struct model *m;
    const struct request *rq;
    int n_phrases;
    int shift;                    /* semitones up to where the model knows music */
    float *z, *condition, *cells; /* of one take: [n_phrases, ...] */
    uint8_t *on;
};

static int n_phrases(const struct model *m, int n_bars)
{
    return (n_bars + m->c.bars - 1) / m->c.bars;
}

/* Phrases of one piece are of one kind: what follows the first leans towards it. */
int musegan_latent_of(const struct model *m, int n_bars, uint64_t seed, float *out)
{
    static const float LEAN = 0.8f, STRAY = 0.6f; /* their squares add up to 1, so that the deviation stays */
    int n = n_phrases(m, n_bars), width = musegan_latents(&m->c);
    struct rng r;
    rng_init(&r, seed, 0);
    if (out)
        musegan_latent(&m->c, &r, out, n);
    for (int i = width; out && i < n * width; i++)
        out[i] = LEAN * out[i % width] + STRAY * out[i];
    return n * width;
}

static bool may_write(const struct job *j, int role, int bar)
{
    return bar < j->rq->n_bars && role != j->m->c.condition && !j->rq->keep[role][bar];
}

static enum err check(const struct model *m, const struct request *rq)
{
    int condition = m->c.condition;
    if (!m->sampler)
        return err_set(ERR_UNSUPPORTED, "this model was opened for training");
    if (rq->verb != VERB_GENERATE && rq->verb != VERB_ACCOMPANY)
        return err_set(ERR_UNSUPPORTED, "%s: musegan can generate and accompany only", verb_name(rq->verb));
    if ((rq->verb == VERB_ACCOMPANY) != (condition >= 0))
        return err_set(ERR_UNSUPPORTED, condition >= 0 ? "%s accompanies only" : "%s generates only",
                       m->name);
    int n_z = musegan_latent_of(m, rq->n_bars, 0, NULL);
    if (rq->z && rq->n_z != n_z)
        return err_set(ERR_SHAPE, "%s takes %d numbers for %d bars, not %d", m->name, n_z, rq->n_bars, rq->n_z);
    for (int bar = 0; condition >= 0 && bar < rq->n_bars; bar++)
        if (!rq->keep[condition][bar])
            return err_set(ERR_UNSUPPORTED, "%s plays around the %s: keep that track in every bar", m->name,
                           role_name(condition));
    return ERR_OK;
}

/* The key that was asked for, else that of the kept track; music from nothing stays where it is. */
static int shift_of(const struct model *m, const struct request *rq)
{
    struct key key = rq->key;
    if (!m->c.home)
        return 0;
    if (key.tonic < 0 && m->c.condition >= 0)
        key = song_key(rq->song, song_bar_tick(rq->song, rq->bar0), song_bar_tick(rq->song, rq->bar0 + rq->n_bars), NULL);
    return key_home(key);
}

/* The condition track of every phrase of the span. */
static enum err read_condition(struct job *j)
{
    const struct musegan_config *c = &j->m->c;
    size_t cells = musegan_cells(c);
    for (int i = 0; c->condition >= 0 && i < j->n_phrases; i++) {
        struct pnote *notes;
        uint32_t n;
        TRY(phrase_from_song(j->rq->song, j->rq->bar0 + i * c->bars, &notes, &n));
        musegan_encode(c, notes, n, j->shift, j->cells);
        musegan_extract(c, j->cells, c->condition, j->condition + (size_t)i * cells);
        free(notes);
    }
    return ERR_OK;
}

static struct song *cleared(const struct job *j)
{
    struct song *s = song_dup(j->rq->song);
    for (int role = 0; role < N_ROLES; role++)
        for (int bar = 0; bar < j->rq->n_bars; bar++)
            if (may_write(j, role, bar))
                track_clear(song_track_of(s, role), song_bar_tick(s, j->rq->bar0 + bar),
                            song_bar_tick(s, j->rq->bar0 + bar + 1));
    return s;
}

/* Of the first n notes the one of a pitch that ends at a tick, or NULL. */
static struct note *ends_at(struct track *t, size_t n, int pitch, int32_t tick)
{
    for (size_t i = 0; i < n; i++)
        if (t->notes[i].pitch == pitch && t->notes[i].tick + t->notes[i].dur == tick)
            return &t->notes[i];
    return NULL;
}

/* Notes that touch at the border of two phrases are one note, as touching cells are (musegan_roll.c). */
static void join_phrases(const struct job *j, struct song *s, int role)
{
    struct track *t = song_track_of(s, role);
    for (int bar = j->m->c.bars; bar < j->rq->n_bars && role != ROLE_DRUMS; bar += j->m->c.bars) {
        int32_t border = song_bar_tick(s, j->rq->bar0 + bar);
        if (!may_write(j, role, bar - 1) || !may_write(j, role, bar))
            continue;
        for (size_t i = track_first_at(t, border); i < t->n && t->notes[i].tick == border;) {
            struct note *held = ends_at(t, i, t->notes[i].pitch, border);
            if (held) {
                held->dur += t->notes[i].dur;
                track_remove(t, i);
            } else {
                i++;
            }
        }
    }
}

/* Snap pitched notes to the scale, and see whether a role that was asked for stayed silent. */
static bool finish_role(const struct job *j, struct song *s, int role)
{
    const struct request *rq = j->rq;
    struct track *t = song_track_of(s, role);
    bool asked = false, sounds = false;
    for (int bar = 0; bar < rq->n_bars; bar++) {
        int32_t from = song_bar_tick(s, rq->bar0 + bar), to = song_bar_tick(s, rq->bar0 + bar + 1);
        bool ours = may_write(j, role, bar) && !rq->silent[role];
        asked |= ours;
        for (size_t i = track_first_at(t, from); ours && i < t->n && t->notes[i].tick < to; i++) {
            sounds = true;
            if (rq->snap && rq->key.tonic >= 0 && role != ROLE_DRUMS)
                t->notes[i].pitch = (uint8_t)key_snap(rq->key, t->notes[i].pitch);
        }
    }
    track_sort(t);
    track_tidy(t);
    return asked && !sounds;
}

static enum err draw_take(struct job *j, int index, const struct progress *p)
{
    const struct model *m = j->m;
    const struct request *rq = j->rq;
    const struct musegan_config *c = &m->c;
    struct take take = {.seed = rq->seed + (rq->one_draw ? 0 : (uint64_t)index)};
    if (!rq->z)
        (void)musegan_latent_of(m, rq->n_bars, take.seed, j->z);
    const float *z = rq->z ? rq->z + (size_t)index * (size_t)rq->n_z : j->z;
    TRY(musegan_sample(m->sampler, z, c->condition >= 0 ? j->condition : NULL, j->n_phrases, j->cells,
                       p->cancel));
    take.song = cleared(j);
    for (int i = 0; i < j->n_phrases; i++) {
        uint8_t wanted[N_ROLES * MUSEGAN_MAX_BARS];
        for (int k = 0; k < N_ROLES * c->bars; k++)
            wanted[k] = may_write(j, k / c->bars, i * c->bars + k % c->bars) && !rq->silent[k / c->bars];
        musegan_binarise(c, j->cells + (size_t)i * musegan_cells(c) * N_ROLES,
                         c->threshold ? 0 : rq->temperature, take.seed, 1 + (uint64_t)i, j->on);
        musegan_decode(c, j->on, wanted, rq->bar0 + i * c->bars, j->shift, take.song);
    }
    for (int role = 0; role < N_ROLES; role++) {
        join_phrases(j, take.song, role);
        take.empty |= finish_role(j, take.song, role);
    }
    (void)str_copy(take.model, sizeof take.model, m->name);
    (void)str_copy(take.hash, sizeof take.hash, m->hash);
    (void)str_format(take.params, sizeof take.params, "T=%.2f%s", rq->temperature, rq->z ? " z=given" : "");
    if (p->on_step)
        p->on_step(p->ctx, (index + 1.0) / rq->n_takes);
    if (p->on_take)
        p->on_take(p->ctx, index, &take);
    else
        take_fini(&take);
    return ERR_OK;
}

enum err musegan_run(struct model *m, const struct request *rq, const struct progress *p)
{
    static const struct progress silent = {0};
    TRY(check(m, rq));
    struct job j = {.m = m, .rq = rq, .n_phrases = n_phrases(m, rq->n_bars), .shift = shift_of(m, rq)};
    size_t cells = musegan_cells(&m->c), n = (size_t)j.n_phrases;
    enum err err = ERR_OK;
    TRY_OUT(mem_try_alloc(n * (size_t)musegan_latents(&m->c), sizeof(float), (void **)&j.z));
    TRY_OUT(mem_try_alloc(n * cells, sizeof(float), (void **)&j.condition));
    TRY_OUT(mem_try_alloc(n * cells * N_ROLES, sizeof(float), (void **)&j.cells));
    TRY_OUT(mem_try_alloc(cells * N_ROLES, 1, (void **)&j.on));
    TRY_OUT(read_condition(&j));
    for (int i = 0; i < rq->n_takes && err == ERR_OK; i++)
        err = draw_take(&j, i, p ? p : &silent);
out:
    free(j.z);
    free(j.condition);
    free(j.cells);
    free(j.on);
    return err;
}
