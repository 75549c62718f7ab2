/* piano_listener.c: a listener that names eras; see piano_yardsticks.h. */
#include "piano_yardsticks.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "layer.h"
#include "mem.h"
#include "optim.h"
#include "piano_work.h"
#include "rng.h"

enum { F_CHROMA = 0, F_STEP = F_CHROMA + 12, F_DUR = F_STEP + 25, F_POS = F_DUR + PIANO_DUR, F_CHORD = F_POS + PIANO_GRID,
       F_APART = F_CHORD + 8, F_OTHER = F_APART + 12, N_FEATURES = F_OTHER + 5 };
enum { HIDDEN = 48, PER_ERA = 400, HELD_OUT_EACH = 80, ROWS = 64, UPDATES = 600, MAX_TENSORS = 16, STREAM = 0x6a756467 };

struct listener {
    struct device *device;
    struct params *params;
    struct graph *graph;
    struct plan *plan;             /* probabilities of one window */
    float *x;                      /* [1,N_FEATURES] on the device */
    int n_eras;
    float mean[N_FEATURES], scale[N_FEATURES];
};

/* ---- features ---- */

static void spread(float *f, int n)
{
    float sum = 0;
    for (int i = 0; i < n; i++)
        sum += f[i];
    for (int i = 0; i < n && sum > 0; i++)
        f[i] = sqrtf(f[i] / sum);
}

/* One onset: its lowest and highest note, and the intervals within. */
static void count_chord(const struct piano_note *note, int n, int *last_top, float *f)
{
    int top = note[n - 1].pitch, step = top - *last_top;
    f[F_CHORD + (n < 8 ? n : 8) - 1]++;
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++)
            f[F_APART + (note[k].pitch - note[i].pitch) % 12]++;
    if (*last_top >= 0)
        f[F_STEP + (step < -12 ? -12 : step > 12 ? 12 : step) + 12]++;
    *last_top = top;
}

static void features(const struct piano_piece *p, int q0, float f[N_FEATURES])
{
    double profile[12] = { 0 }, sum = 0, square = 0;
    int last_top = -1, n = 0, onsets = 0;
    memset(f, 0, N_FEATURES * sizeof *f);
    for (int q = q0; q < q0 + LISTENER_QUARTERS && q < p->quarters; q++)
        for (uint32_t i = p->first[q], k; i < p->first[q + 1]; i = k) {
            for (k = i; k < p->first[q + 1] && p->note[k].pos == p->note[i].pos; k++) {
                const struct piano_note *a = &p->note[k];
                profile_add(profile, a->pitch + QUARTER_LOW, piano_dur_cells(a->dur));
                f[F_DUR + a->dur]++;
                f[F_POS + a->pos]++;
                sum += a->pitch;
                square += a->pitch * a->pitch;
                n++;
            }
            count_chord(&p->note[i], (int)(k - i), &last_top, f);
            onsets++;
        }
    struct key key = key_estimate(profile, NULL);
    for (int i = 0; i < 12; i++)
        f[F_CHROMA + i] = (float)profile[(i + (key.tonic < 0 ? 0 : key.tonic)) % 12];
    spread(f + F_CHROMA, 12);
    spread(f + F_STEP, 25);
    spread(f + F_DUR, PIANO_DUR);
    spread(f + F_POS, PIANO_GRID);
    spread(f + F_CHORD, 8);
    spread(f + F_APART, 12);
    float *other = f + F_OTHER;
    double mean = n > 0 ? sum / n : 0;
    other[0] = (float)mean / 12;
    other[1] = n > 0 ? (float)sqrt(fmax(square / n - mean * mean, 0)) / 12 : 0;
    other[2] = log2f(1 + (float)n);
    other[3] = log2f(1 + (float)onsets);
    other[4] = key.minor;
}

/* A window of some piece of the era on that side; false when there is none. */
static bool draw_window(const struct works *w, size_t era, bool held_out, struct rng *r, float f[N_FEATURES])
{
    for (int tries = 0; tries < 20000; tries++) {
        struct work k = works_get(w, rng_below(r, (uint32_t)works_n(w)));
        struct piano_piece p;
        if (k.era != era || k.held_out != held_out || k.quarters < LISTENER_QUARTERS)
            continue;
        piano_piece_of_work(&k, &p);
        features(&p, (int)rng_below(r, (uint32_t)(p.quarters - LISTENER_QUARTERS + 1)), f);
        piano_piece_fini(&p);
        return true;
    }
    return false;
}

/* ---- the network ---- */

static struct node *network(struct net *n, struct node *x, int eras)
{
    const struct init_spec init = { INIT_XAVIER, 1 };
    struct node *h = nn_linear(n, "listener.hidden", x, HIDDEN, true, init, ACT_TANH);
    return nn_linear(n, "listener.out", nn_dropout(n, h, 0.5f), eras, true, init, ACT_NONE);
}

struct lesson { float (*x)[N_FEATURES]; int32_t *era; int n; };

static void gather(const struct works *w, int eras, struct rng *r, struct lesson *l)
{
    l->x = xcalloc((size_t)(eras * PER_ERA), sizeof *l->x);
    l->era = xcalloc((size_t)(eras * PER_ERA), sizeof *l->era);
    for (int e = 0; e < eras; e++)
        for (int i = 0; i < PER_ERA && draw_window(w, (size_t)e, false, r, l->x[l->n]); i++)
            l->era[l->n++] = e;
}

static void standardise(struct listener *j, struct lesson *l)
{
    for (int f = 0; f < N_FEATURES; f++) {
        double sum = 0, square = 0;
        for (int i = 0; i < l->n; i++) {
            sum += (double)l->x[i][f];
            square += (double)l->x[i][f] * (double)l->x[i][f];
        }
        double mean = sum / l->n, var = square / l->n - mean * mean;
        j->mean[f] = (float)mean;
        j->scale[f] = var > 1e-8 ? (float)(1 / sqrt(var)) : 0;
    }
    for (int i = 0; i < l->n; i++)
        for (int f = 0; f < N_FEATURES; f++)
            l->x[i][f] = (l->x[i][f] - j->mean[f]) * j->scale[f];
}

struct school { struct graph *g; struct plan *plan; float *x; int32_t *era, *seed; };

static enum err school_open(struct listener *j, struct school *s)
{
    struct node *outputs[1 + MAX_TENSORS], *leaves[MAX_TENSORS];
    int index[MAX_TENSORS];
    s->g = graph_new();
    struct net n = { .g = s->g, .p = j->params, .training = true, .seed = g_input(s->g, "seed", I32, SHAPE(2)) };
    struct node *x = g_input(s->g, "x", F32, SHAPE(ROWS, N_FEATURES)), *era = g_input(s->g, "era", I32, SHAPE(ROWS));
    outputs[0] = g_xent(network(&n, x, j->n_eras), era);
    int n_leaves = params_leaves(j->params, s->g, "", leaves, index, MAX_TENSORS);
    graph_grad(outputs[0], leaves, n_leaves, outputs + 1);
    TRY(params_alloc(j->params, j->device, true));
    TRY(plan_new(j->device, s->g, outputs, 1 + n_leaves, NULL, &s->plan));
    params_bind(j->params, s->plan);
    params_bind_grads(j->params, s->plan, 1, index, n_leaves);
    TRY(device_alloc(j->device, ROWS * N_FEATURES * sizeof(float), (void **)&s->x));
    TRY(device_alloc(j->device, ROWS * sizeof(int32_t), (void **)&s->era));
    TRY(device_alloc(j->device, 2 * sizeof(int32_t), (void **)&s->seed));
    plan_bind(s->plan, x, s->x);
    plan_bind(s->plan, era, s->era);
    plan_bind(s->plan, n.seed, s->seed);
    return ERR_OK;
}

static void school_close(struct listener *j, struct school *s)
{
    void *blocks[] = { s->x, s->era, s->seed };
    plan_free(s->plan);
    graph_free(s->g);
    for (size_t i = 0; i < COUNT_OF(blocks); i++)
        if (blocks[i])
            device_free(j->device, blocks[i]);
}

static enum err teach(struct listener *j, struct school *s, const struct lesson *l, uint64_t seed, struct rng *r)
{
    struct optim o = { .kind = OPTIM_ADAMW, .lr = 0.003, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0.05 };
    TRY(school_open(j, s));
    params_init(j->params, seed);
    for (int step = 0; step < UPDATES; step++) {
        float x[ROWS][N_FEATURES];
        int32_t era[ROWS], numbers[2] = { (int32_t)seed, step };
        for (int i = 0; i < ROWS; i++) {
            uint32_t k = rng_below(r, (uint32_t)l->n);
            memcpy(x[i], l->x[k], sizeof x[i]);
            era[i] = l->era[k];
        }
        TRY(device_upload(j->device, s->x, x, sizeof x));
        TRY(device_upload(j->device, s->era, era, sizeof era));
        TRY(device_upload(j->device, s->seed, numbers, sizeof numbers));
        TRY(plan_run(s->plan, NULL));
        o.step = step;
        optim_step(&o, j->params, "", j->device);
    }
    return ERR_OK;
}

static enum err sit(struct listener *j)
{
    j->graph = graph_new();
    struct net n = { .g = j->graph, .p = j->params };
    struct node *x = g_input(j->graph, "x", F32, SHAPE(1, N_FEATURES)), *y = g_softmax(network(&n, x, j->n_eras), 1);
    TRY(plan_new(j->device, j->graph, &y, 1, NULL, &j->plan));
    params_bind(j->params, j->plan);
    TRY(device_alloc(j->device, N_FEATURES * sizeof(float), (void **)&j->x));
    plan_bind(j->plan, x, j->x);
    return ERR_OK;
}

enum err listener_new(struct device *d, const struct works *w, uint64_t seed, struct listener **out)
{
    struct listener *j = xcalloc(1, sizeof *j);
    struct lesson lesson = { .n = 0 };
    struct school school = { .g = NULL };
    struct rng r;
    j->device = d;
    j->params = params_new();
    j->n_eras = works_n_eras(w) < LISTENER_MAX ? (int)works_n_eras(w) : LISTENER_MAX;
    rng_init(&r, seed, STREAM);
    gather(w, j->n_eras, &r, &lesson);
    enum err err = lesson.n > 0 ? ERR_OK : err_set(ERR_EMPTY, "the data set has no music to train a listener that names eras on");
    if (err == ERR_OK) {
        standardise(j, &lesson);
        err = teach(j, &school, &lesson, seed, &r);
    }
    if (err == ERR_OK)
        err = sit(j);
    school_close(j, &school);
    free(lesson.x);
    free(lesson.era);
    if (err != ERR_OK) {
        listener_free(j);
        return err;
    }
    *out = j;
    return ERR_OK;
}

void listener_free(struct listener *j)
{
    if (!j)
        return;
    plan_free(j->plan);
    graph_free(j->graph);
    params_free(j->params);
    if (j->x)
        device_free(j->device, j->x);
    free(j);
}

int listener_n_eras(const struct listener *j)
{
    return j->n_eras;
}

static enum err ask(struct listener *j, float f[N_FEATURES], float probability[LISTENER_MAX])
{
    for (int i = 0; i < N_FEATURES; i++)
        f[i] = (f[i] - j->mean[i]) * j->scale[i];
    TRY(device_upload(j->device, j->x, f, N_FEATURES * sizeof *f));
    TRY(plan_run(j->plan, NULL));
    return device_download(j->device, probability, plan_output(j->plan, 0), (size_t)j->n_eras * sizeof *probability);
}

enum err listener_ask(struct listener *j, const struct piano_piece *p, int q, float probability[LISTENER_MAX])
{
    float f[N_FEATURES];
    features(p, q, f);
    return ask(j, f, probability);
}

enum err listener_held_out(struct listener *j, const struct works *w, uint64_t seed, double *share)
{
    double sum = 0;
    int eras = 0;
    struct rng r;
    rng_init(&r, seed, STREAM + 1);
    for (int e = 0; e < j->n_eras; e++) {
        float f[N_FEATURES], p[LISTENER_MAX];
        int n = 0, right = 0;
        for (; n < HELD_OUT_EACH && draw_window(w, (size_t)e, true, &r, f); n++) {
            TRY(ask(j, f, p));
            int best = 0;
            for (int i = 1; i < j->n_eras; i++)
                best = p[i] > p[best] ? i : best;
            right += best == e;
        }
        sum += n > 0 ? (double)right / n : 0;
        eras += n > 0;
    }
    *share = eras > 0 ? sum / eras : 0;
    return ERR_OK;
}
