/* The band model without training: the rules of a take in the making, that decoding step by step gives the
 * likelihoods of the training graph, and what a take owes its request, on a small model of random weights
 * (which asks more of the guards than a trained one would). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ckpt.h"
#include "mem.h"
#include "model/band.h"
#include "model/band_data.h"
#include "model/band_draw.h"
#include "song.h"
#include "tiny_band.h"

static struct stepnet config;

static void random_row(struct row *r, struct rng *rng)
{
    while (!r->done) {
        int legal[CODEC_PITCH], n = 0;
        assert_in_range(r->position, 0, r->ask.max_steps - 1);
        if (r->need == ROW_NEEDS_NOTHING) {
            row_advance(r);
            continue;
        }
        for (int i = 0; i < CODEC_POS_OUT; i++)
            if (row_pos_legal(r, i))
                legal[n++] = i;
        assert_true(n > 0);
        int pos = legal[rng_below(rng, (uint32_t)n)];
        if (r->need == ROW_NEEDS_CLASS) {
            row_take_class(r, pos - CODEC_CLASS0);
        } else if (pos == CODEC_END) {
            row_take_note(r, NULL);
        } else {
            n = 0;
            for (int i = 0; i < CODEC_PITCH; i++)
                if (row_pitch_legal(r, pos, i))
                    legal[n++] = i;
            assert_true(n > 0);
            struct codec_note note = { (uint8_t)r->cell, (uint8_t)pos, (uint8_t)legal[rng_below(rng, (uint32_t)n)], 3, 4 };
            row_take_note(r, &note);
        }
    }
}

/* Random windows with random draws: every guard holds whatever the network says. */
static void test_row(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 5, 0);
    struct row *r = xcalloc(1, sizeof *r);
    for (int round = 0; round < 300; round++) {
        struct window_ask ask = { .genre = 1, .shift = (int)rng_below(&rng, 12) - 6, .max_steps = 640 };
        ask.kept = rng_u32(&rng) & CODEC_ALL_CELLS;
        ask.wanted = rng_u32(&rng) & ~ask.kept & CODEC_ALL_CELLS;
        ask.scale = round % 2 ? key_scale((struct key){ 4, true }) : 0;
        for (int i = 0; i < N_ROLES; i++) {
            ask.density[i] = round % 3 ? -1 : (int)rng_below(&rng, 7) + 1;
            ask.must_sound[i] = true;
        }
        struct pnote raw[600];
        struct codec_note context[600];
        int n = 0, count[N_ROLES] = { 0 };
        for (int i = 0; i < (round % 10 ? 100 : 600); i++)
            raw[i] = (struct pnote){ (uint8_t)rng_below(&rng, N_ROLES), (uint8_t)(35 + rng_below(&rng, 40)), 80,
                                     (uint8_t)rng_below(&rng, PHRASE_STEPS), 6 };
        int all = codec_notes(raw, round % 10 ? 100 : 600, 0, context);
        for (int i = 0; i < all; i++)
            if (ask.kept >> context[i].cell & 1)
                context[n++] = context[i];
        row_begin(r, &ask, context, n);
        random_row(r, &rng);
        for (int i = 0; i < r->n_notes; i++) {
            const struct codec_note *note = &r->notes[i];
            int class = codec_pitch_midi(note->pitch, ask.shift) % 12;
            assert_true(ask.wanted >> note->cell & 1);
            assert_true(note->pitch >= CODEC_PITCHED || !ask.scale || ask.scale >> class & 1);
            assert_true(i == 0 || r->notes[i - 1].cell <= note->cell);
            count[codec_cell_rank(note->cell)]++;
        }
        for (int rank = 0; rank < N_ROLES; rank++)
            if (ask.wanted & codec_role_cells(rank))
                assert_true(count[rank] > 0 && r->cls[rank] > 0);
    }
    free(r);
}

/* Silence is possible only where it was allowed, and never where notes are kept. */
static void test_row_classes(void **state)
{
    (void)state;
    struct row r;
    struct codec_note kept[] = { { (uint8_t)codec_cell(0, 1), 0, 20, 3, 4 }, { (uint8_t)codec_cell(0, 1), 8, 20, 3, 4 } };
    struct window_ask ask = { .kept = 1u << codec_cell(0, 1), .max_steps = 640, .density = { -2, -1, -1, -1, 5 } };
    ask.wanted = CODEC_ALL_CELLS & ~ask.kept & ~codec_role_cells(codec_rank(ROLE_GUITAR));
    row_begin(&r, &ask, kept, 2);
    static const struct { int lo, hi; } range[N_ROLES] = { { 0, 7 }, { 1, 7 }, { 1, 7 }, { 0, 0 }, { 5, 5 } };
    for (int rank = 0; rank < N_ROLES; rank++) {
        for (int cls = 0; cls < CODEC_CLASSES; cls++)
            assert_int_equal(row_pos_legal(&r, CODEC_CLASS0 + cls), cls >= range[rank].lo && cls <= range[rank].hi);
        assert_false(row_pos_legal(&r, CODEC_END));
        row_take_class(&r, range[rank].hi);
    }
}

/* Pitches outside the key or a loose range are less likely, never drums. */
static void test_row_cost(void **state)
{
    (void)state;
    struct window_ask ask = { .shift = 2, .home = 0xab5, .max_steps = 640 }; /* C major; the network's C is two below */
    ask.range[ROLE_BASS] = (struct pitch_range){ .lo = 36, .hi = 48 };
    struct row r;
    row_begin(&r, &ask, NULL, 0);
    r.cell = codec_cell(0, codec_rank(ROLE_PIANO));
    float cost[CODEC_PITCH];
    row_pitch_costs(&r, 0, cost);
    for (int pitch = 0; pitch < CODEC_PITCH; pitch++) {
        bool inside = pitch >= CODEC_PITCHED || 0xab5 >> codec_pitch_midi(pitch, 2) % 12 & 1;
        assert_true(inside == (cost[pitch] == 0));
    }
    r.cell = codec_cell(0, codec_rank(ROLE_BASS));
    row_pitch_costs(&r, 0, cost);
    assert_true(cost[codec_pitch(ROLE_BASS, 36, 2)] == 0 && cost[codec_pitch(ROLE_BASS, 35, 2)] > 0);
    assert_true(cost[codec_pitch(ROLE_BASS, 24, 2)] > 5);
}

/* What the other tracks play in a beat draws pitches towards it: its own notes first, then what goes with them. */
static void test_row_chord(void **state)
{
    (void)state;
    enum { C = 36, CHORD_BEAT = 8, REST_BEAT = 24, PIANO_BEAT = 16 }; /* positions: beats 2, 4 and 3 */
    struct codec_note kept[] = { { (uint8_t)codec_cell(0, codec_rank(ROLE_BASS)), CHORD_BEAT, C, (uint8_t)codec_dur(12), 4 },
                                 { (uint8_t)codec_cell(0, codec_rank(ROLE_PIANO)), PIANO_BEAT, C, 3, 4 } };
    struct window_ask ask = { .kept = 1u << kept[0].cell | 1u << kept[1].cell, .max_steps = 640 };
    struct row r;
    float cost[CODEC_PITCH];
    row_begin(&r, &ask, kept, 2);
    r.cell = codec_cell(0, codec_rank(ROLE_PIANO));
    row_pitch_costs(&r, CHORD_BEAT, cost);
    assert_true(cost[C + 24] == cost[C] && cost[C] < cost[C + 7] && cost[C + 7] < cost[C + 1] && cost[C + 4] < cost[C + 6]);
    assert_true(cost[CODEC_PITCHED] == 0);
    for (int pos = PIANO_BEAT; pos <= REST_BEAT; pos += REST_BEAT - PIANO_BEAT) { /* its own notes do not count */
        row_pitch_costs(&r, pos, cost);
        for (int pitch = 0; pitch < CODEC_PITCH; pitch++)
            assert_true(cost[pitch] == 0);
    }
}

static void test_draw(void **state)
{
    (void)state;
    const float logits[5] = { 1, 3, 2, 9, -4 };
    const bool legal[5] = { true, true, true, false, true };
    int hits[5] = { 0 };
    struct rng r;
    rng_init(&r, 1, 0);
    for (int i = 0; i < 20000; i++)
        hits[draw_index(logits, legal, 5, &(struct draw_opts){ 1, 1, 0 }, &r)]++;
    double total = exp(1) + exp(3) + exp(2) + exp(-4);
    assert_int_equal(hits[3], 0);
    assert_true(fabs(hits[1] / 20000.0 - exp(3) / total) < 0.015);
    assert_true(fabs(hits[0] / 20000.0 - exp(1) / total) < 0.015);
    for (int i = 0; i < 500; i++) {
        assert_in_range(draw_index(logits, legal, 5, &(struct draw_opts){ 1, 0.8, 0 }, &r), 1, 2);
        assert_int_equal(draw_index(logits, legal, 5, &(struct draw_opts){ 1, 0.1, 0 }, &r), 1);
        assert_int_equal(draw_index(logits, legal, 5, &(struct draw_opts){ 0, 1, 0 }, &r), 1);
        assert_int_equal(draw_index(logits, legal, 5, &(struct draw_opts){ 1, 1, 1 }, &r), 1);
    }
}

/* Training masks: shares of their kinds, and that something is left to learn wherever roles sound. */
static void test_keep(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 9, 0);
    int none = 0, whole = 0;
    for (int i = 0; i < 20000; i++) {
        uint32_t kept = band_keep(&r, 0x1f);
        none += kept == 0;
        bool roles = kept != 0;
        for (int rank = 0; rank < N_ROLES; rank++) {
            uint32_t cells = kept & codec_role_cells(rank);
            roles &= cells == 0 || cells == codec_role_cells(rank);
        }
        whole += roles;
        assert_true(kept <= CODEC_ALL_CELLS);
    }
    assert_in_range(none, 3900, 4600);
    assert_in_range(whole, 7000, 8600);
    for (int i = 0; i < 200; i++)
        band_keep(&r, 1u << rng_below(&r, N_ROLES));
}

/* A short phrase as steps. */
static int make_steps(struct codec_step *out, int cap)
{
    struct pnote raw[40];
    struct codec_note notes[40];
    struct rng r;
    rng_init(&r, 11, 0);
    for (int i = 0; i < 40; i++)
        raw[i] = (struct pnote){ (uint8_t)(i % N_ROLES), (uint8_t)(40 + rng_below(&r, 30)), (uint8_t)(20 + rng_below(&r, 100)),
                                 (uint8_t)rng_below(&r, PHRASE_STEPS), (uint8_t)(1 + rng_below(&r, 40)) };
    return codec_steps(notes, codec_notes(raw, 40, 0, notes), 0x1234, 1, out, cap);
}

static struct plan *make_plan(struct graph *g, struct node *const *outputs, int n, struct params *p)
{
    struct plan *plan;
    assert_int_equal(plan_new(device, g, outputs, n, &(struct plan_opts){ 0 }, &plan), ERR_OK);
    params_bind(p, plan);
    return plan;
}

/* Mean loss of each head by the training graph, the sequence padded to `time`. */
static void batch_losses(struct params *p, const struct codec_step *steps, int n, int time, double out[N_HEADS])
{
    struct net net = { .g = graph_new(), .p = p };
    struct stepnet_batch b = stepnet_build_batch(&net, &config, 1, time);
    struct plan *plan = make_plan(net.g, b.head, N_HEADS, p);
    int32_t in[N_INPUTS][512], target[N_HEADS][512], length = n;
    float one = 1;
    for (int t = 0; t < time; t++) {
        for (int i = 0; i < N_INPUTS; i++)
            in[i][t] = t < n ? steps[t].in[i] : -1;
        for (int h = 0; h < N_HEADS; h++)
            target[h][t] = t < n ? steps[t].out[h] : -1;
    }
    for (int i = 0; i < N_INPUTS; i++)
        plan_bind(plan, b.in[i], in[i]);
    for (int h = 0; h < N_HEADS; h++) {
        plan_bind(plan, b.target[h], target[h]);
        plan_bind(plan, b.weight[h], &one);
    }
    plan_bind(plan, b.length, &length);
    assert_int_equal(plan_run(plan, NULL), ERR_OK);
    for (int h = 0; h < N_HEADS; h++)
        out[h] = *(float *)plan_output(plan, h);
    plan_free(plan);
    graph_free(net.g);
}

static double nll(const float *logits, int n, int target)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += exp((double)logits[i] - (double)logits[target]);
    return log(sum);
}

/* The same by decoding: caches, one step after the other, heads as plans of their own. Row 1 carries the
 * sequence, rows 0 and 2 noise that must not matter. */
static void step_losses(struct params *p, const struct codec_step *steps, int n, int time, double out[N_HEADS])
{
    enum { ROWS = 3, ROW = 1 };
    struct net net[N_HEADS];
    struct plan *plan[N_HEADS];
    int32_t in[N_INPUTS][16], position[16], drawn[16];
    int count[N_HEADS] = { 0 };
    struct stepnet_head head[N_HEADS];
    float *cache = xcalloc((size_t)config.layers * 2 * ROWS * (size_t)(time * config.width), sizeof *cache);
    for (int h = 0; h < N_HEADS; h++)
        net[h] = (struct net){ .g = graph_new(), .p = p };
    struct stepnet_step s = stepnet_build_step(&net[0], &config, ROWS, time);
    plan[0] = make_plan(net[0].g, (struct node *[]){ s.logits, s.hidden }, 2, p);
    for (int i = 0; i < N_INPUTS; i++)
        plan_bind(plan[0], s.in[i], in[i]);
    plan_bind(plan[0], s.position, position);
    for (int i = 0; i < 2 * config.layers; i++) {
        char name[32];
        stepnet_cache_name(name, i % 2 ? 'v' : 'k', i / 2);
        plan_bind_name(plan[0], name, cache + i * ROWS * time * config.width);
    }
    for (int h = 1; h < N_HEADS; h++) {
        head[h] = stepnet_build_head(&net[h], &config, h, ROWS);
        plan[h] = make_plan(net[h].g, (struct node *[]){ head[h].logits, head[h].refined }, 2, p);
        plan_bind(plan[h], head[h].drawn, drawn);
    }
    memset(out, 0, N_HEADS * sizeof *out);
    for (int t = 0; t < n; t++) {
        for (int row = 0; row < ROWS; row++) {
            for (int i = 0; i < N_INPUTS; i++)
                in[i][row] = row == ROW ? steps[t].in[i] : steps[(t * 7 + row) % n].in[i];
            position[row] = row == ROW ? t : (t * (row + 1)) % time;
        }
        for (int h = 0; h < N_HEADS; h++) {
            if (h > 0) {
                plan_bind(plan[h], head[h].hidden, plan_output(plan[h - 1], 1));
                for (int row = 0; row < ROWS; row++)
                    drawn[row] = row == ROW ? steps[t].out[h - 1] : -1;
            }
            assert_int_equal(plan_run(plan[h], NULL), ERR_OK);
            if (steps[t].out[h] < 0)
                continue;
            int size = config.out[h].rows;
            out[h] += nll((float *)plan_output(plan[h], 0) + ROW * size, size, steps[t].out[h]);
            count[h]++;
        }
    }
    for (int h = 0; h < N_HEADS; h++) {
        out[h] /= count[h];
        plan_free(plan[h]);
        graph_free(net[h].g);
    }
    free(cache);
}

static void test_step_equals_batch(void **state)
{
    (void)state;
    struct codec_step steps[128];
    int n = make_steps(steps, 128);
    struct params *p = tiny_params(device);
    double batch[N_HEADS], longer[N_HEADS], step[N_HEADS];
    batch_losses(p, steps, n, n, batch);
    batch_losses(p, steps, n, n + 23, longer);
    step_losses(p, steps, n, n + 5, step);
    for (int h = 0; h < N_HEADS; h++) {
        assert_true(batch[h] > 0.5);
        assert_true(fabs(batch[h] - longer[h]) < 1e-5);
        assert_true(fabs(batch[h] - step[h]) < 1e-4);
    }
    params_free(p);
}

/* --- takes --- */

static void run_takes(const struct request *rq, struct takes *out)
{
    tiny_run(model, rq, out);
}

/* No two notes of a track sound on one pitch at once, unless the request's song had them so. */
static void check_new_notes(const struct request *rq, int bar0, const struct song *s)
{
    int32_t end = song_bar_tick(s, bar0 + rq->n_bars);
    for (int r = 0; r < N_ROLES; r++) {
        const struct track *t = song_track_of(s, r);
        for (size_t i = 0; i < t->n; i++) {
            int bar = song_bar_of(s, t->notes[i].tick), next = bar + 1;
            if (tiny_kept(rq, bar0, r, bar))
                continue;
            while (next < bar0 + rq->n_bars && !tiny_kept(rq, bar0, r, next))
                next++;
            assert_true(t->notes[i].tick + t->notes[i].dur <= song_bar_tick(s, next));
            assert_true(t->notes[i].tick + t->notes[i].dur <= end);
            for (size_t k = 0; k < t->n; k++)
                if (k != i && t->notes[k].pitch == t->notes[i].pitch && t->notes[k].tick <= t->notes[i].tick)
                    assert_true(t->notes[k].tick + t->notes[k].dur <= t->notes[i].tick);
        }
    }
}

static size_t new_notes(const struct request *rq, int bar0, const struct song *s, enum role r)
{
    const struct track *t = song_track_of(s, r);
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        n += !tiny_kept(rq, bar0, r, song_bar_of(s, t->notes[i].tick));
    return n;
}

static void check_takes(const struct request *rq, int bar0, const struct takes *all)
{
    for (int i = 0; i < all->n; i++) {
        const struct take *t = &all->take[i];
        tiny_check_kept(rq, bar0, rq->song, t->song);
        check_new_notes(rq, bar0, t->song);
        assert_int_equal(t->seed, rq->seed + (uint64_t)i);
        assert_string_equal(t->model, "tiny");
        assert_non_null(strstr(t->params, "genre="));
        assert_false(t->empty);
        for (int r = 0; r < N_ROLES; r++) {
            bool asked = false;
            for (int bar = 0; bar < rq->n_bars; bar++)
                asked |= !rq->keep[r][bar] && !rq->silent[r];
            assert_int_equal(new_notes(rq, bar0, t->song, r) > 0, asked);
        }
        for (int k = 0; k < i; k++)
            assert_false(song_equal(t->song, all->take[k].song));
    }
}

static void keep_role(struct request *rq, enum role r)
{
    memset(rq->keep[r], 1, (size_t)rq->n_bars);
}

static void test_accompany(void **state)
{
    (void)state;
    struct song *s = tiny_song();
    struct request rq = tiny_request(VERB_ACCOMPANY, s, 0, 8);
    struct takes all;
    keep_role(&rq, ROLE_PIANO);
    rq.genre = 1;
    rq.n_takes = 10;
    run_takes(&rq, &all);
    check_takes(&rq, 0, &all);
    assert_non_null(strstr(all.take[0].params, "genre=jazz"));
    tiny_free(&all);
    song_free(s);
}

/* Any shape of what is kept, any span, with silent tracks and continuing. */
static void test_spans(void **state)
{
    (void)state;
    struct song *s = tiny_song();
    struct rng r;
    rng_init(&r, 21, 0);
    static const int span[][2] = { { 0, 4 }, { 2, 2 }, { 3, 3 }, { 5, 1 }, { 0, 6 }, { 1, 7 }, { 0, 8 }, { 6, 5 }, { 12, 2 } };
    for (size_t i = 0; i < COUNT_OF(span); i++) {
        struct request rq = tiny_request(VERB_INFILL, s, span[i][0], span[i][1]);
        struct takes all;
        for (int role = 0; role < N_ROLES; role++)
            for (int bar = 0; bar < rq.n_bars; bar++)
                rq.keep[role][bar] = rng_below(&r, 3) == 0;
        rq.silent[ROLE_GUITAR] = i % 2;
        rq.n_takes = 2;
        rq.seed = i * 100;
        run_takes(&rq, &all);
        check_takes(&rq, span[i][0], &all);
        tiny_free(&all);
    }
    struct request rq = tiny_request(VERB_CONTINUE, s, 0, 4);
    struct takes all;
    run_takes(&rq, &all);
    check_takes(&rq, 8, &all);
    assert_true(song_n_bars(all.take[0].song) > 8);
    tiny_free(&all);
    song_free(s);
}

static void test_generate(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    struct request rq = tiny_request(VERB_GENERATE, s, 0, 4);
    struct takes all;
    rq.n_takes = 8;
    rq.key = (struct key){ 3, false };
    rq.snap = true;
    run_takes(&rq, &all);
    check_takes(&rq, 0, &all);
    for (int i = 0; i < all.n; i++)
        for (int r = 0; r < N_ROLES; r++) {
            const struct track *t = song_track_of(all.take[i].song, r);
            for (size_t k = 0; k < t->n && r != ROLE_DRUMS; k++)
                assert_true(key_scale(rq.key) >> (t->notes[k].pitch % 12) & 1);
        }
    tiny_free(&all);
    song_free(s);
}

/* A take is a function of its seed: not of its neighbours, and the same every time. */
static void test_takes_stand_alone(void **state)
{
    (void)state;
    struct song *s = tiny_song();
    struct request rq = tiny_request(VERB_ACCOMPANY, s, 0, 4);
    struct takes all, again, one;
    keep_role(&rq, ROLE_DRUMS);
    keep_role(&rq, ROLE_BASS);
    rq.n_takes = 10;
    run_takes(&rq, &all);
    run_takes(&rq, &again);
    for (int i = 0; i < all.n; i++)
        assert_true(song_equal(all.take[i].song, again.take[i].song));
    for (int i = 3; i < all.n; i += 6) {
        struct request single = rq;
        single.n_takes = 1;
        single.seed = rq.seed + (uint64_t)i;
        run_takes(&single, &one);
        assert_true(song_equal(one.take[0].song, all.take[i].song));
        tiny_free(&one);
    }
    tiny_free(&all);
    tiny_free(&again);
    song_free(s);
}

/* Vary changes something and leaves about half of the cells alone. */
static void test_vary(void **state)
{
    (void)state;
    struct song *s = tiny_song();
    struct request rq = tiny_request(VERB_VARY, s, 0, 8);
    struct takes all;
    int same = 0;
    keep_role(&rq, ROLE_PIANO);
    rq.n_takes = 4;
    run_takes(&rq, &all);
    for (int i = 0; i < all.n; i++) {
        tiny_check_kept(&rq, 0, s, all.take[i].song);
        assert_false(song_equal(all.take[i].song, s));
        for (int bar = 0; bar < 8; bar++) {
            const struct track *a = song_track_of(s, ROLE_BASS), *b = song_track_of(all.take[i].song, ROLE_BASS);
            size_t x = track_first_at(a, song_bar_tick(s, bar)), y = track_first_at(b, song_bar_tick(s, bar)), k = 0;
            while (k < 4 && y + k < b->n && !memcmp(&a->notes[x + k], &b->notes[y + k], sizeof *a->notes))
                k++;
            same += k == 4;
        }
    }
    assert_in_range(same, 6, 26);
    tiny_free(&all);
    song_free(s);
}

static void test_refusals(void **state)
{
    (void)state;
    struct song *s = tiny_song(), *bare = song_new();
    const struct model_kind *kind = model_kind_find("band");
    struct request rq = tiny_request(VERB_GENERATE, s, 0, 0);
    assert_int_equal(kind->run(model, &rq, NULL), ERR_RANGE);
    rq = tiny_request(VERB_GENERATE, s, 0, 4);
    rq.genre = TINY_GENRES;
    assert_int_equal(kind->run(model, &rq, NULL), ERR_RANGE);
    rq = tiny_request(VERB_GENERATE, s, 0, 4);
    rq.temperature = NAN;
    assert_int_equal(kind->run(model, &rq, NULL), ERR_RANGE);
    rq = tiny_request(VERB_GENERATE, bare, 0, 4);
    assert_int_equal(kind->run(model, &rq, NULL), ERR_SHAPE);
    atomic_bool cancel = true;
    rq = tiny_request(VERB_GENERATE, s, 0, 4);
    assert_int_equal(kind->run(model, &rq, &(struct progress){ .cancel = &cancel }), ERR_CANCELLED);
    song_set_metre(s, 0, 3, 4);
    assert_int_equal(kind->run(model, &rq, NULL), ERR_UNSUPPORTED);
    song_free(s);
    song_free(bare);
}

static int setup(void **state)
{
    config = tiny_net();
    tiny_start(state);
    assert_int_equal(model_kind_find("band")->n_genres(model), TINY_GENRES);
    assert_string_equal(model_kind_find("band")->genre(model, 2), "pop");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row), cmocka_unit_test(test_row_classes),
        cmocka_unit_test(test_row_cost), cmocka_unit_test(test_row_chord), cmocka_unit_test(test_draw),
        cmocka_unit_test(test_keep), cmocka_unit_test(test_step_equals_batch), cmocka_unit_test(test_accompany),
        cmocka_unit_test(test_spans), cmocka_unit_test(test_generate), cmocka_unit_test(test_takes_stand_alone),
        cmocka_unit_test(test_vary), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, setup, tiny_end);
}
