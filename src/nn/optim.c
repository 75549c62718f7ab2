/* optim.c: optimisers as loops over the flat blocks of a parameter set. Nothing here knows a network, and the
 * loops run where the blocks live (flat.h). */
#include <math.h>
#include <stdlib.h>
#include "flat.h"
#include "mem.h"
#include "optim.h"

static double nadam_momentum(double beta1, double t)
{
    return beta1 * (1 - 0.5 * pow(0.96, 0.004 * t));
}

static void nadam_shares(const struct optim *o, struct flat_step *s)
{
    double t = (double)o->step, u = nadam_momentum(o->beta1, t), next = nadam_momentum(o->beta1, t + 1), all = 1;
    for (long i = 1; i <= o->step && all > 1e-20; i++) /* soon too small to tell from 0 */
        all *= nadam_momentum(o->beta1, (double)i);
    s->m_share = (float)(next / (1 - all * next));
    s->grad_share = (float)((1 - u) / (1 - all));
}

/* Constants of update number t (from 1). The published forms:
 * Adam    w -= lr mhat / (sqrt(vhat) + eps)
 * TF1     w -= lr sqrt(1-b2^t)/(1-b1^t) m / (sqrt(v) + eps)
 * Nadam   w -= lr (u' m/(1-U') + (1-u) g/(1-U)) / (sqrt(vhat) + eps), Dozat 2016, as Keras and PyTorch have it: u the
 *         momentum of this update, U the product of all so far, u' and U' those of the next */
static struct flat_step step_of(const struct optim *o, float grad_scale, bool decays)
{
    double t = (double)o->step, c1 = 1 - pow(o->beta1, t), c2 = 1 - pow(o->beta2, t);
    struct flat_step s = {.grad_scale = grad_scale,
                          .clipped = o->clip > 0,
                          .beta1 = (float)o->beta1,
                          .beta2 = (float)o->beta2,
                          .m_share = (float)(1 / c1),
                          .v_scale = (float)(1 / c2),
                          .lr = (float)o->lr,
                          .eps = (float)o->eps,
                          .most = o->most > 0 ? (float)o->most : HUGE_VALF,
                          .shrink = 1};
    double decay = decays ? o->weight_decay : 0;
    if (o->kind == OPTIM_ADAMW)
        s.shrink = (float)(1 - o->lr * decay);
    else
        s.l2 = (float)decay;
    if (o->tf_eps) {
        s.m_share = 1;
        s.v_scale = 1;
        s.lr = (float)(o->lr * sqrt(c2) / c1);
    }
    if (o->kind == OPTIM_NADAM)
        nadam_shares(o, &s);
    return s;
}

struct blocks {
    float *w, *g, *m, *v;
};

static void update(const struct optim *o, const struct flat_ops *ops, const struct blocks *b, size_t from,
                   size_t n, const struct flat_step *s)
{
    if (o->kind == OPTIM_SGD)
        ops->sgd(b->w + from, b->g + from, b->m + from, n, s);
    else
        ops->adam(b->w + from, b->g + from, b->m + from, b->v + from, n, s);
}

/* With decay each tensor is a stretch of its own, since small ones are exempt. */
static void update_each(const struct optim *o, const struct flat_ops *ops, const struct blocks *b,
                        struct params *p, const char *prefix, float grad_scale)
{
    struct flat_step with = step_of(o, grad_scale, true), without = step_of(o, grad_scale, false);
    for (size_t i = 0; i < params_n(p); i++)
        if (params_trained(p, i) && str_starts(params_name(p, i), prefix))
            update(o, ops, b, (size_t)(params_value(p, i) - b->w), shape_count(params_shape(p, i)),
                   params_decays(p, i) ? &with : &without);
}

double optim_norm(const struct params *p, const char *prefix, struct device *d)
{
    float *w, *g, *m, *v;
    double norm2 = 0;
    size_t all, from, n;
    params_flat(p, &w, &g, &m, &v, &all);
    params_range(p, prefix, &from, &n);
    return device_flat(d)->norm2(d, g + from, n, &norm2) == ERR_OK ? sqrt(norm2) : NAN;
}

void optim_step(struct optim *o, struct params *p, const char *prefix, struct device *d)
{
    const struct flat_ops *ops = device_flat(d);
    struct blocks b;
    size_t all, from, n;
    params_flat(p, &b.w, &b.g, &b.m, &b.v, &all);
    params_range(p, prefix, &from, &n);
    float grad_scale = o->clip > 0 ? ops->clip(d, b.g + from, n, o->clip) : 1;
    o->step++;
    if (o->weight_decay > 0) {
        update_each(o, ops, &b, p, prefix, grad_scale);
    } else {
        struct flat_step s = step_of(o, grad_scale, false);
        update(o, ops, &b, from, n, &s);
    }
}

double schedule_lr(enum schedule_kind k, double lr, double floor, long warmup, long total, long step)
{
    if (step < warmup)
        return lr * (double)(step + 1) / (double)warmup;
    if (k == SCHEDULE_CONST)
        return lr;
    double done = total > warmup ? (double)(step - warmup) / (double)(total - warmup) : 1;
    done = done < 1 ? done : 1;
    double share = k == SCHEDULE_LINEAR ? 1 - done : 0.5 * (1 + cos(M_PI * done));
    return floor + (lr - floor) * share;
}

double schedule_hold(double lr, double hold, long total, long step)
{
    long from = (long)(hold * (double)total);
    return step < from ? lr : schedule_lr(SCHEDULE_LINEAR, lr, 0, 0, total - from, step - from);
}

struct ema {
    struct device *device;
    double decay;
    long n_updates;
    float *average;
    size_t n;
};

enum err ema_new(struct params *p, struct device *d, double decay, struct ema **out)
{
    struct ema *e = xcalloc(1, sizeof *e);
    float *w, *g, *m, *v;
    params_flat(p, &w, &g, &m, &v, &e->n);
    e->device = d;
    e->decay = decay;
    enum err err = device_alloc(d, (e->n + 1) * sizeof(float), (void **)&e->average);
    if (err != ERR_OK) {
        ema_free(e);
        return err;
    }
    device_flat(d)->blend(e->average, w, e->n, 0);
    *out = e;
    return ERR_OK;
}

void ema_free(struct ema *e)
{
    if (!e)
        return;
    if (e->average)
        device_free(e->device, e->average);
    free(e);
}

/* Early averages follow quickly: the decay is at most (1 + t) / (10 + t) after t updates. */
void ema_update(struct ema *e, struct params *p, struct device *d)
{
    float *w, *g, *m, *v;
    size_t n;
    params_flat(p, &w, &g, &m, &v, &n);
    double early = (1.0 + (double)e->n_updates) / (10.0 + (double)e->n_updates);
    e->n_updates++;
    device_flat(d)->blend(e->average, w, n, (float)(early < e->decay ? early : e->decay));
}

void ema_swap(struct ema *e, struct params *p, struct device *d)
{
    float *w, *g, *m, *v;
    size_t n;
    params_flat(p, &w, &g, &m, &v, &n);
    device_flat(d)->swap(e->average, w, n);
}

float *ema_values(struct ema *e)
{
    return e->average;
}

long ema_updates(const struct ema *e)
{
    return e->n_updates;
}

void ema_resume(struct ema *e, long n_updates)
{
    e->n_updates = n_updates;
}
