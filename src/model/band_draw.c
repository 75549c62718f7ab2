/* band_draw.c: rows through the decoding plans; see band_draw.h. A step of the trunk reads one step of
 * every row and answers with the position head; where a note was begun, the other three heads follow, each
 * a small plan of its own. The plans always have all rows, so that a take's arithmetic is the same however
 * many are drawn beside it. */
#include "band_draw.h"
#include "band.h"
#include "ckpt.h"
#include "mem.h"
#include <stdlib.h>
#include <string.h>

enum { ROWS = SAMPLER_ROWS, FEED_POSITION = N_INPUTS, FEED_DRAWN, N_FEEDS, FEED_STRIDE = 16 };

#define NATS_A_SEMITONE 0.5f /* what is outside a loose range: an octave below it is 400 times less likely */

struct sampler {
    struct device *device;
    struct graph *graph[N_HEADS];
    struct plan *plan[N_HEADS];
    int32_t feed[N_FEEDS][FEED_STRIDE], *feed_device;
    float *cache;
    float *hidden[N_HEADS];           /* [ROWS,D] on the device: what a head passes on to the next */
    float logits[ROWS * CODEC_PITCH];
};

static enum err plan_of(struct sampler *s, enum codec_head h, struct node *hidden, struct node *logits, struct params *p)
{
    struct node *outputs[2] = { logits, hidden };
    TRY(plan_new(s->device, s->graph[h], outputs, h < HEAD_VEL ? 2 : 1, &(struct plan_opts){ .frozen = true }, &s->plan[h]));
    params_bind(p, s->plan[h]);
    if (h < HEAD_VEL)
        plan_bind_output(s->plan[h], 1, s->hidden[h]);
    return ERR_OK;
}

static enum err trunk_new(struct sampler *s, struct model *m, const struct band_step_net *b)
{
    size_t one = (size_t)ROWS * SAMPLER_STEPS * (size_t)m->config.width;
    TRY(device_alloc(s->device, one * 2 * (size_t)m->config.layers * sizeof(float), (void **)&s->cache));
    TRY(plan_of(s, HEAD_POS, b->hidden, b->logits, m->params));
    for (int i = 0; i < N_INPUTS; i++)
        plan_bind(s->plan[HEAD_POS], b->in[i], s->feed_device + i * FEED_STRIDE);
    plan_bind(s->plan[HEAD_POS], b->position, s->feed_device + FEED_POSITION * FEED_STRIDE);
    for (int i = 0; i < 2 * m->config.layers; i++) {
        char name[32];
        band_cache_name(name, i % 2 ? 'v' : 'k', i / 2);
        plan_bind_name(s->plan[HEAD_POS], name, s->cache + (size_t)i * one);
    }
    return ERR_OK;
}

static enum err build(struct sampler *s, struct model *m, const struct ckpt *weights)
{
    struct net n[N_HEADS];
    for (int h = 0; h < N_HEADS; h++)
        n[h] = (struct net){ .g = s->graph[h] = graph_new(), .p = m->params };
    struct band_step_net trunk = band_build_step(&n[HEAD_POS], &m->config, ROWS, SAMPLER_STEPS);
    struct band_head_net head[N_HEADS];
    for (int h = HEAD_PITCH; h < N_HEADS; h++)
        head[h] = band_build_head(&n[h], &m->config, h, ROWS);
    TRY(params_alloc(m->params, s->device, false));
    TRY(ckpt_load_params(weights, m->params, s->device));
    TRY(device_alloc(s->device, sizeof s->feed, (void **)&s->feed_device));
    for (int h = 0; h < HEAD_VEL; h++)
        TRY(device_alloc(s->device, (size_t)ROWS * (size_t)m->config.width * sizeof(float), (void **)&s->hidden[h]));
    TRY(trunk_new(s, m, &trunk));
    for (int h = HEAD_PITCH; h < N_HEADS; h++) {
        TRY(plan_of(s, h, head[h].refined, head[h].logits, m->params));
        plan_bind(s->plan[h], head[h].hidden, s->hidden[h - 1]);
        plan_bind(s->plan[h], head[h].drawn, s->feed_device + FEED_DRAWN * FEED_STRIDE);
    }
    return ERR_OK;
}

enum err sampler_new(struct model *m, const struct ckpt *weights, struct sampler **out)
{
    struct sampler *s = xcalloc(1, sizeof *s);
    s->device = m->device;
    enum err err = build(s, m, weights);
    if (err != ERR_OK) {
        sampler_free(s);
        return err;
    }
    *out = s;
    return ERR_OK;
}

void sampler_free(struct sampler *s)
{
    if (!s)
        return;
    for (int h = 0; h < N_HEADS; h++) {
        plan_free(s->plan[h]);
        graph_free(s->graph[h]);
        if (s->hidden[h])
            device_free(s->device, s->hidden[h]);
    }
    if (s->feed_device)
        device_free(s->device, s->feed_device);
    if (s->cache)
        device_free(s->device, s->cache);
    free(s);
}

static enum err run_head(struct sampler *s, enum codec_head h, const atomic_bool *cancel)
{
    TRY(device_upload(s->device, s->feed_device, s->feed, sizeof s->feed));
    TRY(plan_run(s->plan[h], cancel));
    size_t bytes = (size_t)ROWS * (size_t)band_head_size(h) * sizeof(float);
    return device_download(s->device, s->logits, plan_output(s->plan[h], 0), bytes);
}

static void feed_steps(struct sampler *s, const struct draw_row *rows, int n)
{
    for (int k = 0; k < ROWS; k++) {
        bool live = k < n && !rows[k].row.done;
        for (int i = 0; i < N_INPUTS; i++)
            s->feed[i][k] = live ? rows[k].row.step.in[i] : -1;
        s->feed[FEED_POSITION][k] = live ? rows[k].row.position : 0;
    }
}

static int draw_pos(const struct sampler *s, int k, struct draw_row *d, const struct draw_opts *o)
{
    bool legal[CODEC_POS_OUT];
    for (int i = 0; i < CODEC_POS_OUT; i++)
        legal[i] = row_pos_legal(&d->row, i);
    return draw_index(s->logits + k * CODEC_POS_OUT, legal, CODEC_POS_OUT, o, &d->rng);
}

/* The rest of a note whose position is known, head by head. A drum has no length to draw. */
static void draw_part(const struct sampler *s, enum codec_head h, int k, struct draw_row *d, const struct draw_opts *o,
                      struct codec_note *note)
{
    int size = band_head_size(h);
    bool legal[CODEC_PITCH];
    float logits[CODEC_PITCH];
    for (int i = 0; i < size; i++) {
        legal[i] = h != HEAD_PITCH || row_pitch_legal(&d->row, note->pos, i);
        logits[i] = s->logits[k * size + i] - (h == HEAD_PITCH ? row_pitch_outside(&d->row, i) * NATS_A_SEMITONE : 0);
    }
    struct draw_opts all = { .temperature = o->temperature, .top_p = h == HEAD_PITCH ? o->top_p : 1 };
    bool drum = h == HEAD_DUR && note->pitch >= CODEC_PITCHED;
    int drawn = drum ? CODEC_DRUM_DUR : draw_index(logits, legal, size, &all, &d->rng);
    uint8_t *part[N_HEADS] = { &note->pos, &note->pitch, &note->dur, &note->vel };
    *part[h] = (uint8_t)drawn;
}

/* What a head is told of the one before it: as in training, nothing of a drum's length. */
static int told(enum codec_head h, const struct codec_note *note)
{
    if (h == HEAD_PITCH)
        return note->pos;
    if (h == HEAD_DUR)
        return note->pitch;
    return note->pitch >= CODEC_PITCHED ? -1 : note->dur;
}

static enum err draw_notes(struct sampler *s, struct draw_row *rows, const bool *wanted, int n, const struct draw_opts *o,
                           struct codec_note *notes, const atomic_bool *cancel)
{
    for (int h = HEAD_PITCH; h < N_HEADS; h++) {
        for (int k = 0; k < ROWS; k++)
            s->feed[FEED_DRAWN][k] = k < n && wanted[k] ? told(h, &notes[k]) : -1;
        TRY(run_head(s, h, cancel));
        for (int k = 0; k < n; k++)
            if (wanted[k])
                draw_part(s, h, k, &rows[k], o, &notes[k]);
    }
    for (int k = 0; k < n; k++)
        if (wanted[k])
            row_take_note(&rows[k].row, &notes[k]);
    return ERR_OK;
}

/* One step of every live row. */
static enum err step_rows(struct sampler *s, struct draw_row *rows, int n, const struct draw_opts *o, const atomic_bool *cancel)
{
    struct codec_note notes[ROWS];
    bool begun[ROWS] = { false }, any = false;
    feed_steps(s, rows, n);
    TRY(run_head(s, HEAD_POS, cancel));
    for (int k = 0; k < n; k++) {
        struct row *row = &rows[k].row;
        if (row->done)
            continue;
        if (row->need == ROW_NEEDS_NOTHING) {
            row_advance(row);
            continue;
        }
        int drawn = draw_pos(s, k, &rows[k], o);
        if (row->need == ROW_NEEDS_CLASS) {
            row_take_class(row, drawn - CODEC_CLASS0);
        } else if (drawn == CODEC_END) {
            row_take_note(row, NULL);
        } else {
            notes[k] = (struct codec_note){ .cell = (uint8_t)row->cell, .pos = (uint8_t)drawn };
            begun[k] = any = true;
        }
    }
    return any ? draw_notes(s, rows, begun, n, o, notes, cancel) : ERR_OK;
}

enum err sampler_run(struct sampler *s, struct draw_row *rows, int n, const struct draw_opts *o,
                     const struct draw_watch *watch)
{
    bool done[ROWS] = { false };
    BUG_ON(n > ROWS);
    for (;;) {
        int longest = -1;
        for (int k = 0; k < n; k++) {
            const struct row *row = &rows[k].row;
            if (!row->done && row->position > longest)
                longest = row->position;
            if (row->done && !done[k])
                watch->on_done(watch->ctx, k);
            done[k] = row->done;
        }
        if (longest < 0)
            return ERR_OK;
        if (watch->cancel && atomic_load_explicit(watch->cancel, memory_order_relaxed))
            return err_set(ERR_CANCELLED, "cancelled");
        watch->on_step(watch->ctx, longest);
        TRY(step_rows(s, rows, n, o, watch->cancel));
    }
}
