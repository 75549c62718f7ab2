/* stepper.c: the decoding plans of a network over steps; see stepper.h. */
#include "stepper.h"
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "mem.h"

enum { ALIGN_WORDS = 16 };

struct stepper {
    struct device *device;
    const struct stepnet *net;
    int rows, time;
    struct graph *graph[STEP_HEADS];
    struct plan *plan[STEP_HEADS];
    /* One block of words holds all that is fed: the inputs, the position, what was drawn, the style weights. */
    int32_t *feed, *feed_device;
    size_t stride, style_at, words;
    float *cache;
    float *hidden[STEP_HEADS];           /* [rows,D] on the device: what a head passes on to the next */
    float *logits;
};

static size_t rounded(size_t words)
{
    return (words + ALIGN_WORDS - 1) / ALIGN_WORDS * ALIGN_WORDS;
}

static size_t feed_at(const struct stepper *s, int which)
{
    return (size_t)which * s->stride;
}

static int feed_position(const struct stepper *s)
{
    return s->net->n_in;
}

static int feed_drawn(const struct stepper *s)
{
    return s->net->n_in + 1;
}

static enum err alloc(struct stepper *s)
{
    const struct stepnet *c = s->net;
    int most = 0;
    for (int h = 0; h < c->n_out; h++)
        most = c->out[h].rows > most ? c->out[h].rows : most;
    s->stride = rounded((size_t)s->rows);
    s->style_at = feed_at(s, c->n_in + 2);
    s->words = s->style_at + rounded((size_t)s->rows * (size_t)(c->styles + 1));
    s->feed = xcalloc(s->words, sizeof *s->feed);
    s->logits = xcalloc((size_t)s->rows * (size_t)most, sizeof *s->logits);
    TRY(device_alloc(s->device, s->words * sizeof *s->feed, (void **)&s->feed_device));
    size_t one = (size_t)s->rows * (size_t)s->time * (size_t)c->width;
    TRY(device_alloc(s->device, one * 2 * (size_t)c->layers * sizeof(float), (void **)&s->cache));
    for (int h = 0; h + 1 < c->n_out; h++)
        TRY(device_alloc(s->device, (size_t)s->rows * (size_t)c->width * sizeof(float), (void **)&s->hidden[h]));
    return ERR_OK;
}

static enum err plan_head(struct stepper *s, struct params *p, int h, struct node *hidden, struct node *logits)
{
    struct node *outputs[2] = { logits, hidden };
    bool last = h + 1 == s->net->n_out;
    TRY(plan_new(s->device, s->graph[h], outputs, last ? 1 : 2, &(struct plan_opts){ .frozen = true }, &s->plan[h]));
    params_bind(p, s->plan[h]);
    if (!last)
        plan_bind_output(s->plan[h], 1, s->hidden[h]);
    return ERR_OK;
}

static enum err plan_trunk(struct stepper *s, struct params *p, const struct stepnet_step *b)
{
    const struct stepnet *c = s->net;
    size_t one = (size_t)s->rows * (size_t)s->time * (size_t)c->width;
    TRY(plan_head(s, p, 0, b->hidden, b->logits));
    for (int i = 0; i < c->n_in; i++)
        plan_bind(s->plan[0], b->in[i], s->feed_device + feed_at(s, i));
    plan_bind(s->plan[0], b->position, s->feed_device + feed_at(s, feed_position(s)));
    if (b->style)
        plan_bind(s->plan[0], b->style, s->feed_device + s->style_at);
    for (int i = 0; i < 2 * c->layers; i++) {
        char name[32];
        stepnet_cache_name(name, i % 2 ? 'v' : 'k', i / 2);
        plan_bind_name(s->plan[0], name, s->cache + (size_t)i * one);
    }
    return ERR_OK;
}

static enum err build(struct stepper *s, struct params *p, const struct ckpt *weights)
{
    const struct stepnet *c = s->net;
    struct net n[STEP_HEADS];
    struct stepnet_head head[STEP_HEADS];
    for (int h = 0; h < c->n_out; h++)
        n[h] = (struct net){ .g = s->graph[h] = graph_new(), .p = p };
    struct stepnet_step trunk = stepnet_build_step(&n[0], c, s->rows, s->time);
    for (int h = 1; h < c->n_out; h++)
        head[h] = stepnet_build_head(&n[h], c, h, s->rows);
    TRY(params_alloc(p, s->device, false));
    if (weights)
        TRY(ckpt_load_params(weights, p, s->device));
    else
        params_init(p, 1);
    TRY(alloc(s));
    TRY(plan_trunk(s, p, &trunk));
    for (int h = 1; h < c->n_out; h++) {
        TRY(plan_head(s, p, h, head[h].refined, head[h].logits));
        plan_bind(s->plan[h], head[h].hidden, s->hidden[h - 1]);
        plan_bind(s->plan[h], head[h].drawn, s->feed_device + feed_at(s, feed_drawn(s)));
    }
    return ERR_OK;
}

enum err stepper_new(struct device *d, const struct stepnet *c, struct params *p, const struct ckpt *weights, int rows,
                     int time, struct stepper **out)
{
    BUG_ON(c->places && time > c->places);
    struct stepper *s = xcalloc(1, sizeof *s);
    s->device = d;
    s->net = c;
    s->rows = rows;
    s->time = time;
    enum err err = build(s, p, weights);
    if (err != ERR_OK) {
        stepper_free(s);
        return err;
    }
    *out = s;
    return ERR_OK;
}

void stepper_free(struct stepper *s)
{
    if (!s)
        return;
    for (int h = 0; h < STEP_HEADS; h++) {
        plan_free(s->plan[h]);
        graph_free(s->graph[h]);
        if (s->hidden[h])
            device_free(s->device, s->hidden[h]);
    }
    if (s->feed_device)
        device_free(s->device, s->feed_device);
    if (s->cache)
        device_free(s->device, s->cache);
    free(s->feed);
    free(s->logits);
    free(s);
}

const struct stepnet *stepper_net(const struct stepper *s)
{
    return s->net;
}

int32_t *stepper_in(struct stepper *s, int input)
{
    return s->feed + feed_at(s, input);
}

int32_t *stepper_position(struct stepper *s)
{
    return s->feed + feed_at(s, feed_position(s));
}

float *stepper_style(struct stepper *s)
{
    return (float *)(s->feed + s->style_at);
}

static enum err run(struct stepper *s, int head, const atomic_bool *cancel, const float **logits)
{
    TRY(device_upload(s->device, s->feed_device, s->feed, s->words * sizeof *s->feed));
    TRY(plan_run(s->plan[head], cancel));
    size_t bytes = (size_t)s->rows * (size_t)s->net->out[head].rows * sizeof(float);
    TRY(device_download(s->device, s->logits, plan_output(s->plan[head], 0), bytes));
    *logits = s->logits;
    return ERR_OK;
}

enum err stepper_run(struct stepper *s, const atomic_bool *cancel, const float **logits)
{
    return run(s, 0, cancel, logits);
}

enum err stepper_head(struct stepper *s, int head, const int32_t *drawn, const atomic_bool *cancel, const float **logits)
{
    memcpy(stepper_in(s, feed_drawn(s)), drawn, (size_t)s->rows * sizeof *drawn);
    return run(s, head, cancel, logits);
}
