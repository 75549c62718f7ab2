/* Speed of networks over steps, beside PyTorch where it is installed:
 *
 *     original 190      the original over codes: 190 tokens from nothing, one at a time, its cache kept; PyTorch reads
 *                       the whole context anew for each, as the original does
 *     original 190 kv   the same, PyTorch keeping keys and values too
 *     pianist 256 [kv]  likewise 256 notes of the pianist
 *     step 128          a training step of the original at its batch, 128 windows of 191
 *     step pianist 8    of the pianist, 8 windows of 512
 *
 *     bench_transformer [-t THREADS] [-o] [TASK...]      -o: ours only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "model/codes.h"
#include "model/draw.h"
#include "model/kinds.h"
#include "model/stepper.h"
#include "model/steptrain.h"
#include "opt.h"
#include "rng.h"

enum { STYLES = 30, ROWS = 128, TIME = 191, PIANIST_ROWS = 8, PIANIST_TIME = 512, TOKENS = 190, NOTES = 256 };

static const struct opt options[] = { STEPTRAIN_OPTIONS("0.001", "0.1") };

static struct stepnet pianist_net(void)
{
    struct opts *o = opts_new(pianist_kind.options, pianist_kind.n_options);
    struct stepnet c = { .width = (int)opts_int(o, "width"), .layers = (int)opts_int(o, "layers"),
                         .heads = (int)opts_int(o, "heads"), .mlp = (int)opts_int(o, "mlp"), .n_in = N_PIANO_IN,
                         .n_out = N_PIANO_OUT, .styles = STYLES, .head_bias = true, .dropout = opts_real(o, "dropout") };
    memcpy(c.in, piano_in_tables, sizeof piano_in_tables);
    memcpy(c.out, piano_out_tables, sizeof piano_out_tables);
    opts_free(o);
    return c;
}

/* ---- writing ---- */

struct writer { struct stepper *s; const struct stepnet *c; int steps; };

static void write_steps(void *ctx)
{
    static const struct draw_opts o = { 0.9, 1, 0 };
    struct writer *w = ctx;
    const struct stepnet *c = w->c;
    struct rng r;
    rng_init(&r, 1, 0);
    for (int i = 0; i < c->n_in; i++)
        *stepper_in(w->s, i) = 0;
    for (int t = 0; t < w->steps; t++) {
        const float *logits;
        int32_t drawn[STEP_HEADS];
        *stepper_position(w->s) = t;
        bench_must(stepper_run(w->s, NULL, &logits));
        for (int h = 0; h < c->n_out; h++) {
            if (h > 0)
                bench_must(stepper_head(w->s, h, &drawn[h - 1], NULL, &logits));
            drawn[h] = draw_index(logits, NULL, c->out[h].rows, &o, &r);
        }
        for (int h = 0; h < c->n_out; h++) { /* the last inputs are what was drawn; a head may say more than can be read */
            int i = c->n_in - c->n_out + h;
            *stepper_in(w->s, i) = drawn[h] % c->in[i].rows;
        }
    }
}

static struct timing writing(struct device *d, const struct stepnet *c, int steps, int repeats)
{
    struct params *p = params_new();
    struct writer w = { .c = c, .steps = steps };
    bench_must(stepper_new(d, c, p, NULL, 1, c->places ? c->places : PIANIST_TIME, &w.s));
    struct timing t = bench_timed(write_steps, &w, 1, repeats);
    stepper_free(w.s);
    params_free(p);
    return t;
}

/* ---- training ---- */

static void fill(void *ctx, enum step_split s, uint64_t index, struct step_batch *out)
{
    const struct stepnet *c = ctx;
    int rows = c->places ? ROWS : PIANIST_ROWS, time = c->places ? TIME : PIANIST_TIME;
    (void)s;
    for (int i = 0; i < rows * time; i++) {
        for (int k = 0; k < c->n_in; k++)
            out->in[k][i] = (int32_t)((uint64_t)i * 7 + index) % c->in[k].rows;
        for (int h = 0; h < c->n_out; h++)
            out->target[h][i] = (int32_t)((uint64_t)i * 5 + index) % c->out[h].rows;
    }
    for (int row = 0; row < rows; row++) {
        out->length[row] = time;
        for (int k = 0; k < c->styles; k++)
            out->style[row * c->styles + k] = k == row % c->styles;
    }
}

struct lesson { struct steptrain *t; long step; };

static void learn(void *ctx)
{
    struct lesson *l = ctx;
    double losses[STEP_HEADS];
    bench_must(steptrain_step(l->t, l->step++, losses));
}

static struct timing training(struct device *d, const struct stepnet *c)
{
    struct params *p = params_new();
    struct opts *o = opts_new(options, COUNT_OF(options));
    struct lesson l = { .step = 0 };
    struct step_source source = { .ctx = (void *)(uintptr_t)c, .n_shapes = 1, .fill = fill, .weight = { 1, 1, 1, 1 },
                                  .shape = { { c->places ? ROWS : PIANIST_ROWS, c->places ? TIME : PIANIST_TIME } } };
    bench_must(steptrain_new(d, c, p, source, o, NULL, &l.t));
    struct timing t = bench_timed(learn, &l, 1, 5);
    steptrain_free(l.t);
    opts_free(o);
    params_free(p);
    return t;
}

/* ---- the table ---- */

enum { ORIGINAL, PIANIST };

static struct timing write_on(struct device *d, int which)
{
    struct stepnet pianist = pianist_net();
    return which == PIANIST ? writing(d, &pianist, NOTES, 5) : writing(d, &codes_original, TOKENS, 9);
}

static struct timing step(struct device *d, int which)
{
    struct stepnet pianist = pianist_net();
    return training(d, which == PIANIST ? &pianist : &codes_original);
}

int main(int argc, char **argv)
{
    static const struct bench_task tasks[] = {
        { "original 190", write_on, ORIGINAL }, { "original 190 kv", write_on, ORIGINAL }, { "pianist 256", write_on, PIANIST },
        { "pianist 256 kv", write_on, PIANIST }, { "step 128", step, ORIGINAL },         { "step pianist 8", step, PIANIST },
    };
    return bench_main(argc, argv, "Networks over steps", "torch_transformer.py", tasks, COUNT_OF(tasks));
}
