/* The pianist without training: reading step by step against reading at once, the
 * rules of a take in the making, styles, and what a take owes its request, on a small model of random weights. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "model/draw.h"
#include "model/kinds.h"
#include "model/pianist.h"
#include "model/piano_row.h"
#include "model/stepper.h"
#include "opt.h"
#include "song.h"
#include "takes.h"
#include "verb.h"

static struct device *device;

/* ---- step by step against at once ---- */

static const struct styles styles = { 5, 3, { { "bach", 3 }, { "ravel", 4 }, { "debussy", 4 }, { "baroque", 3 }, { "20thC", 4 } } };
enum { CONTEXT = 128 };

static struct stepnet small_net(void)
{
    struct stepnet c = { .width = 32, .layers = 2, .heads = 4, .mlp = 32, .n_in = N_PIANO_IN, .n_out = N_PIANO_OUT,
                         .styles = styles.n, .head_bias = true };
    memcpy(c.in, piano_in_tables, sizeof piano_in_tables);
    memcpy(c.out, piano_out_tables, sizeof piano_out_tables);
    return c;
}

static struct model *small_model(void)
{
    struct stepnet net = small_net();
    struct model *m = pianist_model_new(device, &net, CONTEXT);
    m->styles = styles;
    assert_int_equal(pianist_sampler_new(m, NULL, &m->sampler), ERR_OK);
    for (size_t i = 0; i < params_n(m->params); i++) { /* untrained weights are too even to tell steps apart */
        float *v = params_value(m->params, i);
        for (size_t k = 0; str_ends(params_name(m->params, i), ".w") && k < shape_count(params_shape(m->params, i)); k++)
            v[k] *= 12;
    }
    return m;
}

/* The whole window through the training graph. */
struct whole { struct graph *g; struct plan *plan; const struct stepnet *net; int32_t *in[STEP_INPUTS], *target[STEP_HEADS], length;
               float style[STYLES_MAX], weight; int time; };

static void whole_open(struct whole *w, const struct stepnet *c, struct params *p, int time)
{
    struct node *outputs[STEP_HEADS];
    memset(w, 0, sizeof *w);
    w->g = graph_new();
    w->net = c;
    w->time = time;
    struct net n = { .g = w->g, .p = p };
    struct stepnet_batch b = stepnet_build_batch(&n, c, 1, time);
    memcpy(outputs, b.logits, sizeof outputs);
    assert_int_equal(plan_new(device, w->g, outputs, c->n_out, NULL, &w->plan), ERR_OK);
    params_bind(p, w->plan);
    for (int i = 0; i < c->n_in; i++)
        plan_bind(w->plan, b.in[i], w->in[i] = xcalloc((size_t)time, sizeof(int32_t)));
    for (int h = 0; h < c->n_out; h++) {
        plan_bind(w->plan, b.target[h], w->target[h] = xcalloc((size_t)time, sizeof(int32_t)));
        plan_bind(w->plan, b.weight[h], &w->weight);
    }
    plan_bind(w->plan, b.length, &w->length);
    if (b.style)
        plan_bind(w->plan, b.style, w->style);
}

static void whole_close(struct whole *w)
{
    for (int i = 0; i < STEP_INPUTS; i++)
        free(w->in[i]);
    for (int h = 0; h < STEP_HEADS; h++)
        free(w->target[h]);
    plan_free(w->plan);
    graph_free(w->g);
}

static const float *whole_logits(struct whole *w, int n, int head)
{
    w->length = n;
    assert_int_equal(plan_run(w->plan, NULL), ERR_OK);
    return (float *)plan_output(w->plan, head) + (size_t)(n - 1) * (size_t)w->net->out[head].rows;
}

static int draw_both(const float *a, const float *b, const bool *legal, int n, struct rng *r)
{
    const struct draw_opts o = { 1, 0.98, 0 };
    struct rng other = *r;
    for (int i = 0; i < n; i++)
        if (!(fabsf(a[i] - b[i]) <= 2e-3f))
            fail_msg("logit %d: %g step by step, %g at once", i, (double)a[i], (double)b[i]);
    int x = draw_index(a, legal, n, &o, r);
    assert_int_equal(x, draw_index(b, legal, n, &o, &other));
    return x;
}

/* A piece of no notes in 3/4, all to be written. */
static void empty_piece(struct piano_piece *p, int quarters)
{
    struct piano_frame *f = xcalloc((size_t)quarters, sizeof *f);
    for (int q = 0; q < quarters; q++)
        f[q] = piano_frame(q % 3 * QUARTER_COLS, 3, 4, q / 3);
    piano_piece_init(p, NULL, 0, f, quarters);
}

static void draws_do_not_depend_on_the_cache(void **state)
{
    (void)state;
    enum { QUARTERS = 1000, DRAWS = 2000 };
    struct model *m = small_model();
    struct params *p = params_new();
    struct stepper *s;
    struct piano_piece piece;
    struct piano_row row;
    struct whole w;
    bool keep[QUARTERS] = { false };
    struct rng r;
    int draws = 0;
    empty_piece(&piece, QUARTERS);
    const struct piano_ask ask = { .given = &piece, .keep = keep, .end = QUARTERS, .key = 3, .high = PIANO_KEYS - 1,
                                   .context = CONTEXT };
    assert_int_equal(stepper_new(device, &m->net, p, NULL, 1, CONTEXT, &s), ERR_OK);
    whole_open(&w, &m->net, p, CONTEXT);
    rng_init(&r, 1, 0);
    piano_row_init(&row, &ask);
    styles_weigh(&styles, 0, 0.5f, w.style);
    styles_weigh(&styles, 2, 0.5f, w.style);
    memcpy(stepper_style(s), w.style, (size_t)styles.n * sizeof(float));
    while (draws < DRAWS) {
        const struct piano_step *step;
        const float *logits;
        int position, quarter;
        assert_false(row.done);
        bool asked = piano_row_read(&row, &step, &position, &quarter);
        for (int i = 0; i < N_PIANO_IN; i++)
            *stepper_in(s, i) = step->in[i];
        *stepper_position(s) = position;
        assert_int_equal(stepper_run(s, NULL, &logits), ERR_OK);
        if (!asked)
            continue;
        bool legal[PIANO_KEYS];
        int32_t drawn[N_PIANO_OUT];
        for (int t = 0; t < row.n; t++)
            for (int i = 0; i < N_PIANO_IN; i++)
                w.in[i][t] = row.step[t].in[i];
        for (int i = 0; i < PIANO_POS_OUT; i++)
            legal[i] = piano_row_pos_legal(&row, i);
        drawn[0] = draw_both(logits, whole_logits(&w, row.n, 0), legal, PIANO_POS_OUT, &r);
        draws++;
        if (drawn[0] == PIANO_END) {
            piano_row_end(&row);
            continue;
        }
        for (int h = 1; h < N_PIANO_OUT; h++) {
            assert_int_equal(stepper_head(s, h, &drawn[h - 1], NULL, &logits), ERR_OK);
            w.target[h - 1][row.n - 1] = drawn[h - 1];
            for (int i = 0; h == POUT_PITCH && i < PIANO_KEYS; i++)
                legal[i] = piano_row_pitch_legal(&row, drawn[0], i);
            drawn[h] = draw_both(logits, whole_logits(&w, row.n, h), h == POUT_PITCH ? legal : NULL,
                                 piano_out_tables[h].rows, &r);
            draws++;
        }
        piano_row_note(&row, (struct piano_note){ (uint8_t)drawn[0], (uint8_t)drawn[1], (uint8_t)drawn[2] });
    }
    piano_row_fini(&row);
    piano_piece_fini(&piece);
    whole_close(&w);
    stepper_free(s);
    params_free(p);
    pianist_model_free(m);
}

/* ---- steps ---- */

static uint32_t random_notes(struct rng *r, int quarters, struct qnote *out)
{
    uint32_t n = 0;
    for (int32_t at = 0; at < quarters * QUARTER_COLS; at += 1 + (int32_t)rng_below(r, 12))
        for (int pitch = 21 + (int)rng_below(r, 40); pitch <= 108 && rng_below(r, 3); pitch += 1 + (int)rng_below(r, 20))
            out[n++] = (struct qnote){ at, (uint16_t)(1 + rng_below(r, 100)), (uint8_t)pitch, 80 };
    return n;
}

static void targets_are_legal_and_come_back(void **state)
{
    (void)state;
    enum { QUARTERS = 24, CAP = 2048 };
    struct rng r;
    rng_init(&r, 7, 0);
    for (int round = 0; round < 200; round++) {
        struct qnote notes[QUARTERS * QUARTER_COLS * 8];
        struct piano_piece p;
        struct piano_step steps[CAP];
        uint32_t n = random_notes(&r, QUARTERS, notes), back = 0;
        struct piano_frame *f = xcalloc(QUARTERS, sizeof *f);
        piano_piece_init(&p, notes, n, f, QUARTERS);
        int n_steps = piano_steps(&p, 0, 0, 2, steps, CAP);
        assert_int_equal(n_steps, 1 + QUARTERS + (int)p.first[QUARTERS]);
        for (int i = 1; i < n_steps; i++) {
            const int16_t *out = steps[i].out;
            assert_true(piano_pos_legal(&steps[i], out[POUT_POS]));
            if (out[POUT_POS] == PIANO_END)
                continue;
            assert_true(piano_pitch_legal(&steps[i], out[POUT_POS], out[POUT_PITCH]));
            assert_int_equal(out[POUT_PITCH], p.note[back].pitch);
            assert_int_equal(out[POUT_DUR], p.note[back++].dur);
        }
        assert_int_equal(back, p.first[QUARTERS]);
        piano_piece_fini(&p);
    }
}

/* Triplets and 32nds on 32 columns come out as what they were; lengths are nearest. */
static void grid_is_exact(void **state)
{
    (void)state;
    static const struct { int column, cell; } at[] = { { 0, 0 }, { 4, 3 }, { 8, 6 }, { 11, 8 }, { 21, 16 }, { 5, 4 },
                                                       { 27, 20 }, { 16, 12 }, { 28, 21 }, { 31, 23 } };
    for (size_t i = 0; i < COUNT_OF(at); i++) {
        struct qnote n = { 32 + at[i].column, 24, 60, 80 };
        struct piano_piece p;
        piano_piece_init(&p, &n, 1, xcalloc(3, sizeof(struct piano_frame)), 3);
        assert_int_equal(piano_count(&p, 1), 1);
        assert_int_equal(p.note[0].pos, at[i].cell);
        assert_int_equal(piano_dur_cells(p.note[0].dur), 18);
        piano_piece_fini(&p);
    }
    for (int d = 0; d < PIANO_DUR; d++)
        assert_int_equal(piano_dur(piano_dur_cells(d)), d);
}

/* ---- styles ---- */

static void styles_are_read(void **state)
{
    (void)state;
    struct styles s;
    struct str text;
    char *names[] = { "bach", "ravel", "debussy" };
    struct request rq = { .n_styles = 0 };
    str_init(&text);
    styles_print(&styles, &text);
    assert_string_equal(str_c(&text), "baroque/bach,20thC/ravel,20thC/debussy,baroque,20thC");
    assert_int_equal(styles_parse(str_c(&text), &s), ERR_OK);
    assert_memory_equal(&s, &styles, sizeof s);
    str_fini(&text);
    assert_int_equal(styles_parse("baroque,modern/bach", &s), ERR_FORMAT);
    assert_int_equal(styles_parse("modern/bach,baroque", &s), ERR_FORMAT);
    assert_int_equal(request_style(&rq, "bach, debussy:0.3", names, 3), ERR_OK);
    assert_int_equal(rq.n_styles, 2);
    assert_true(rq.style[0].style == 0 && fabsf(rq.style[0].from - 0.7f) < 1e-6f && rq.style[1].style == 2);
    assert_int_equal(request_style(&rq, "bach:1..0 ravel:0..1", names, 3), ERR_OK);
    assert_true(rq.style[0].from == 1 && rq.style[0].to == 0 && rq.style[1].to == 1);
    assert_int_equal(request_style(&rq, "any", names, 3), ERR_OK);
    assert_int_equal(rq.n_styles, 0);
    assert_int_equal(request_style(&rq, "satie", names, 3), ERR_FORMAT);
    assert_int_equal(request_style(&rq, "bach:x", names, 3), ERR_FORMAT);
    assert_int_equal(request_style(&rq, "bach", NULL, 0), ERR_FORMAT);
}

/* ---- takes ---- */

static void continues(void **state)
{
    takes_continue(&pianist_kind, *state);
}

static void kept_bars_stay(void **state)
{
    takes_keep(&pianist_kind, *state);
}

/* Long enough for the window to slide several times; two styles differ, and a style of weight 0 is none. */
static void styles_and_length_matter(void **state)
{
    struct model *m = *state;
    struct song *s = song_new_band();
    struct request rq;
    request_init(&rq, VERB_GENERATE, s);
    rq.n_bars = 32;
    rq.seed = 4;
    rq.n_styles = 1;
    rq.style[0] = (struct style_weight){ 0, 1, 1 };
    struct got a = takes_ask(&pianist_kind, m, &rq);
    assert_int_equal(song_n_bars(a.song[0]) > 28, 1);
    rq.n_styles = 2;
    rq.style[1] = (struct style_weight){ 2, 0, 0 };
    struct got b = takes_ask(&pianist_kind, m, &rq);
    assert_true(song_equal(a.song[0], b.song[0]));
    rq.style[1].from = rq.style[1].to = 1;
    struct got c = takes_ask(&pianist_kind, m, &rq);
    assert_false(song_equal(a.song[0], c.song[0]));
    rq.n_styles = 1;
    rq.style[0].style = 3; /* baroque music here is Bach's */
    struct got d = takes_ask(&pianist_kind, m, &rq);
    assert_true(song_equal(a.song[0], d.song[0]));
    rq.style[0].style = 99;
    assert_int_equal(pianist_run(m, &rq, &(struct progress){ 0 }), ERR_RANGE);
    atomic_bool stop = true;
    rq.n_styles = 0;
    assert_int_equal(pianist_run(m, &rq, &(struct progress){ .cancel = &stop }), ERR_CANCELLED);
    takes_forget(&a);
    takes_forget(&b);
    takes_forget(&c);
    takes_forget(&d);
    song_free(s);
}

static int open_all(void **state)
{
    if (device_open("cpu", 2, &device) != ERR_OK)
        return 1;
    *state = small_model();
    return 0;
}

static int close_all(void **state)
{
    pianist_model_free(*state);
    device_close(device);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_do_not_depend_on_the_cache),
        cmocka_unit_test(targets_are_legal_and_come_back), cmocka_unit_test(grid_is_exact),
        cmocka_unit_test(styles_are_read), cmocka_unit_test(continues), cmocka_unit_test(kept_bars_stay),
        cmocka_unit_test(styles_and_length_matter),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
