/* frames_reader.c: asking the network. A plan answers one row, another several; a row's arithmetic is the same whoever
 * is beside it. */
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "frames.h"
#include "mem.h"

enum { N_SIZES = 2 };
static const int sizes[N_SIZES] = { 1, FRAMES_ROWS };

struct frames_reader {
    struct model *m;                 /* borrowed */
    struct side { struct graph *g; struct plan *plan; int32_t *token, *phase; } side[N_SIZES];
    int32_t *host;                   /* tokens, then phases */
    float *logits;
};

void frames_window(const struct frame_vocab *v, const struct frames_ask *ask, int window, int32_t *token, int32_t *phase)
{
    for (int i = 0; i < window; i++) {
        int at = ask->at - window + i;
        token[i] = at >= 0 ? ask->token[at] : frame_rest(v);
        phase[i] = at >= -1 ? ask->phase[at + 1] : -1;
    }
}

static enum err open_side(struct frames_reader *r, struct side *s, int rows)
{
    struct model *m = r->m;
    struct net n = { .g = s->g = graph_new(), .p = m->params };
    struct frames_graph f = frames_build(&n, &m->net, rows);
    size_t bytes = (size_t)rows * (size_t)m->net.window * sizeof(int32_t);
    TRY(device_alloc(m->device, bytes, (void **)&s->token));
    TRY(device_alloc(m->device, bytes, (void **)&s->phase));
    TRY(plan_new(m->device, n.g, &f.logits, 1, &(struct plan_opts){ .frozen = true }, &s->plan));
    params_bind(m->params, s->plan);
    plan_bind(s->plan, f.token, s->token);
    if (f.phase)
        plan_bind(s->plan, f.phase, s->phase);
    return ERR_OK;
}

static enum err load(struct model *m, const struct ckpt *weights)
{
    struct net n = { .g = graph_new(), .p = m->params };
    frames_build(&n, &m->net, 1);
    graph_free(n.g);
    TRY(params_alloc(m->params, m->device, false));
    params_init(m->params, 1);
    return weights ? ckpt_load_params(weights, m->params, m->device) : ERR_OK;
}

enum err frames_reader_new(struct model *m, const struct ckpt *weights, struct frames_reader **out)
{
    struct frames_reader *r = xcalloc(1, sizeof *r);
    r->m = m;
    r->host = xcalloc((size_t)(2 * FRAMES_ROWS * m->net.window), sizeof *r->host);
    r->logits = xcalloc((size_t)(FRAMES_ROWS * m->net.tokens), sizeof *r->logits);
    enum err err = load(m, weights);
    for (int i = 0; i < N_SIZES && err == ERR_OK; i++)
        err = open_side(r, &r->side[i], sizes[i]);
    if (err != ERR_OK) {
        frames_reader_free(r);
        return err;
    }
    *out = r;
    return ERR_OK;
}

void frames_reader_free(struct frames_reader *r)
{
    if (!r)
        return;
    for (int i = 0; i < N_SIZES; i++) {
        struct side *s = &r->side[i];
        plan_free(s->plan);
        graph_free(s->g);
        if (s->token)
            device_free(r->m->device, s->token);
        if (s->phase)
            device_free(r->m->device, s->phase);
    }
    free(r->host);
    free(r->logits);
    free(r);
}

enum err frames_read(struct frames_reader *r, const struct frames_ask *ask, int n, const atomic_bool *cancel,
                     const float **logits)
{
    struct model *m = r->m;
    const struct side *s = &r->side[n > 1];
    size_t window = (size_t)m->net.window, rows = (size_t)sizes[n > 1], bytes = rows * window * sizeof(int32_t);
    BUG_ON(n < 1 || n > FRAMES_ROWS);
    for (size_t k = 0; k < rows; k++)
        frames_window(&m->vocab, &ask[k < (size_t)n ? k : 0], (int)window, r->host + k * window,
                      r->host + (rows + k) * window);
    TRY(device_upload(m->device, s->token, r->host, bytes));
    TRY(device_upload(m->device, s->phase, r->host + rows * window, bytes));
    TRY(plan_run(s->plan, cancel));
    TRY(device_download(m->device, r->logits, plan_output(s->plan, 0), (size_t)n * (size_t)m->net.tokens * sizeof(float)));
    *logits = r->logits;
    return ERR_OK;
}
