/* param.c: the named parameter set. Trained tensors lie in one block in declaration order, each on a
 * 64-byte boundary (the gaps stay zero in values, gradients and moments alike, so that whole-block loops
 * need not know of them); states have a block of their own. */
#include <stdlib.h>
#include <string.h>
#include "init.h"
#include "mem.h"
#include "str.h"

enum { ALIGN_FLOATS = 16 };
enum { VALUE, GRAD, MOMENT1, MOMENT2, N_BLOCKS };

struct entry {
    char *name;
    struct shape shape;
    struct init_spec init;
    size_t at; /* offset in its block, in floats */
    bool trained, decays;
};

struct params {
    struct entry *entry;
    size_t n, cap;
    size_t n_trained, n_state; /* floats in the blocks, gaps included */
    struct device *device;
    float *block[N_BLOCKS], *state;
};

struct params *params_new(void)
{
    return xcalloc(1, sizeof(struct params));
}

void params_free(struct params *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        free(p->entry[i].name);
    free(p->entry);
    for (int b = 0; b < N_BLOCKS; b++)
        if (p->block[b])
            device_free(p->device, p->block[b]);
    if (p->state)
        device_free(p->device, p->state);
    free(p);
}

int params_find(const struct params *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (!strcmp(p->entry[i].name, name))
            return (int)i;
    return -1;
}

void params_declare(struct params *p, const char *name, struct shape s, struct init_spec init, bool trained)
{
    int known = params_find(p, name);
    if (known >= 0) {
        BUG_ON(!shape_same(p->entry[known].shape, s) || p->entry[known].trained != trained);
        return;
    }
    BUG_ON(p->device);
    p->entry = xgrow(p->entry, p->n, &p->cap, sizeof *p->entry);
    size_t *end = trained ? &p->n_trained : &p->n_state;
    p->entry[p->n++] = (struct entry){.name = xstrdup(name),
                                      .shape = s,
                                      .init = init,
                                      .at = *end,
                                      .trained = trained,
                                      .decays = trained && s.rank >= 2};
    *end += (shape_count(s) + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

void params_no_decay(struct params *p, const char *name)
{
    int i = params_find(p, name);
    BUG_ON(i < 0);
    p->entry[i].decays = false;
}

enum err params_alloc(struct params *p, struct device *d, bool training)
{
    BUG_ON(p->device);
    p->device = d;
    for (int b = 0; b < (training ? N_BLOCKS : 1); b++)
        TRY(device_alloc(d, (p->n_trained + ALIGN_FLOATS) * sizeof(float), (void **)&p->block[b]));
    return device_alloc(d, (p->n_state + ALIGN_FLOATS) * sizeof(float), (void **)&p->state);
}

void params_init(struct params *p, uint64_t seed)
{
    for (size_t i = 0; i < p->n; i++) {
        size_t n = shape_count(p->entry[i].shape);
        float *host = xmalloc(n * sizeof *host);
        init_fill(p->entry[i].init, p->entry[i].shape, seed, p->entry[i].name, host);
        bool there = device_upload(p->device, params_value(p, i), host, n * sizeof *host) == ERR_OK;
        free(host);
        if (!there) /* a device that has failed says so again at the next run */
            return;
    }
}

size_t params_count(const struct params *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += p->entry[i].trained ? shape_count(p->entry[i].shape) : 0;
    return n;
}

size_t params_n(const struct params *p)
{
    return p->n;
}

const char *params_name(const struct params *p, size_t i)
{
    return p->entry[i].name;
}

struct shape params_shape(const struct params *p, size_t i)
{
    return p->entry[i].shape;
}

bool params_trained(const struct params *p, size_t i)
{
    return p->entry[i].trained;
}

bool params_decays(const struct params *p, size_t i)
{
    return p->entry[i].decays;
}

struct device *params_device(const struct params *p)
{
    return p->device;
}

float *params_value(const struct params *p, size_t i)
{
    return (p->entry[i].trained ? p->block[VALUE] : p->state) + p->entry[i].at;
}

float *params_grad(const struct params *p, size_t i)
{
    return p->entry[i].trained && p->block[GRAD] ? p->block[GRAD] + p->entry[i].at : NULL;
}

void params_bind(const struct params *p, struct plan *plan)
{
    for (size_t i = 0; i < p->n; i++)
        plan_bind_name(plan, p->entry[i].name, params_value(p, i));
}

void params_bind_grads(const struct params *p, struct plan *plan, int first, const int *idx, int n)
{
    for (int k = 0; k < n; k++)
        plan_bind_output(plan, first + k, params_grad(p, (size_t)idx[k]));
}

int params_leaves(const struct params *p, struct graph *g, const char *prefix, struct node **out, int *idx,
                  int cap)
{
    int n = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct entry *e = &p->entry[i];
        if (!e->trained || !str_starts(e->name, prefix))
            continue;
        BUG_ON(n == cap);
        out[n] = g_param(g, e->name, e->shape);
        idx[n++] = (int)i;
    }
    return n;
}

void params_flat(const struct params *p, float **value, float **grad, float **m, float **v, size_t *n)
{
    *value = p->block[VALUE];
    *grad = p->block[GRAD];
    *m = p->block[MOMENT1];
    *v = p->block[MOMENT2];
    *n = p->n_trained;
}

void params_range(const struct params *p, const char *prefix, size_t *from, size_t *n)
{
    size_t lo = p->n_trained, hi = 0, inside = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct entry *e = &p->entry[i];
        if (!e->trained || !str_starts(e->name, prefix))
            continue;
        size_t room = (shape_count(e->shape) + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
        lo = e->at < lo ? e->at : lo;
        hi = e->at + room > hi ? e->at + room : hi;
        inside += room;
    }
    *from = inside ? lo : 0;
    *n = inside;
    BUG_ON(inside && hi - lo != inside); /* declared apart from each other */
}
