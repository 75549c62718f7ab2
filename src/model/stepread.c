/* stepread.c: a sequence through the training graph; see stepread.h. */
#include "stepread.h"
#include <stdlib.h>
#include <string.h>
#include "mem.h"

enum { ALIGN_WORDS = 16 };

struct stepread {
    struct device *device;
    const struct stepnet *net;
    struct graph *graph;
    struct plan *plan;
    int time;
    /* One block of words holds all that is fed: inputs, targets, the length, the styles. */
    int32_t *feed, *feed_device;
    size_t stride, words;
};

static size_t at(const struct stepread *r, int which)
{
    return (size_t)which * r->stride;
}

static int first_target(const struct stepread *r)
{
    return r->net->n_in;
}

static int length(const struct stepread *r)
{
    return r->net->n_in + r->net->n_out;
}

static enum err open_plan(struct stepread *r, struct params *p)
{
    const struct stepnet *c = r->net;
    r->graph = graph_new();
    struct net n = { .g = r->graph, .p = p };
    struct stepnet_batch b = stepnet_build_batch(&n, c, 1, r->time);
    TRY(device_alloc(r->device, r->words * sizeof *r->feed, (void **)&r->feed_device));
    TRY(plan_new(r->device, r->graph, b.head, c->n_out, NULL, &r->plan));
    params_bind(p, r->plan);
    for (int i = 0; i < c->n_in; i++)
        plan_bind(r->plan, b.in[i], r->feed_device + at(r, i));
    for (int h = 0; h < c->n_out; h++)
        plan_bind(r->plan, b.target[h], r->feed_device + at(r, first_target(r) + h));
    plan_bind(r->plan, b.length, r->feed_device + at(r, length(r)));
    if (b.style)
        plan_bind(r->plan, b.style, r->feed_device + at(r, length(r) + 1));
    return ERR_OK;
}

enum err stepread_new(struct device *d, const struct stepnet *c, struct params *p, int time, struct stepread **out)
{
    struct stepread *r = xcalloc(1, sizeof *r);
    *r = (struct stepread){ .device = d, .net = c, .time = time };
    size_t most = (size_t)(time > c->styles ? time : c->styles);
    r->stride = (most + ALIGN_WORDS - 1) / ALIGN_WORDS * ALIGN_WORDS;
    r->words = at(r, length(r) + 2);
    r->feed = xcalloc(r->words, sizeof *r->feed);
    enum err err = open_plan(r, p);
    if (err != ERR_OK) {
        stepread_free(r);
        return err;
    }
    *out = r;
    return ERR_OK;
}

void stepread_free(struct stepread *r)
{
    if (!r)
        return;
    plan_free(r->plan);
    graph_free(r->graph);
    if (r->feed_device)
        device_free(r->device, r->feed_device);
    free(r->feed);
    free(r);
}

int32_t *stepread_in(struct stepread *r, int input)
{
    return r->feed + at(r, input);
}

int32_t *stepread_target(struct stepread *r, int head)
{
    return r->feed + at(r, first_target(r) + head);
}

float *stepread_style(struct stepread *r)
{
    return (float *)(r->feed + at(r, length(r) + 1));
}

enum err stepread_nats(struct stepread *r, int n, double *nats)
{
    double sum = 0;
    r->feed[at(r, length(r))] = n;
    for (int i = 0; i < r->net->n_in + r->net->n_out; i++)
        for (int t = n; t < r->time; t++)
            r->feed[at(r, i) + (size_t)t] = -1;
    TRY(device_upload(r->device, r->feed_device, r->feed, r->words * sizeof *r->feed));
    TRY(plan_run(r->plan, NULL));
    for (int h = 0; h < r->net->n_out; h++) {
        float mean;
        int valid = 0;
        TRY(device_download(r->device, &mean, plan_output(r->plan, h), sizeof mean));
        for (int t = 0; t < n; t++)
            valid += stepread_target(r, h)[t] >= 0;
        sum += valid > 0 ? (double)mean * valid : 0;
    }
    *nats = sum;
    return ERR_OK;
}
