/* takes.c: see takes.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "takes.h"
#include "rng.h"
#include "theory.h"
#include "verb.h"

static void on_take(void *ctx, int index, struct take *t)
{
    struct got *g = ctx;
    assert_in_range(index, 0, GOT_TAKES - 1);
    g->song[index] = t->song;
    t->song = NULL;
    g->n++;
    take_fini(t);
}

static void on_part(void *ctx, int index, const struct song *song, int n_bars)
{
    struct got *g = ctx;
    if (index > 0)
        return;
    assert_true(n_bars > g->part_bars);
    const struct track *t = song_track_of(song, ROLE_PIANO);
    assert_true(t->n == 0 || song_bar_of(song, t->notes[t->n - 1].tick) < 64);
    g->parts++;
    g->part_bars = n_bars;
}

struct got takes_ask(const struct model_kind *kind, struct model *m, const struct request *rq)
{
    struct got g = { .n = 0 };
    struct progress p = { .on_take = on_take, .on_part = on_part, .ctx = &g };
    assert_int_equal(request_check(rq), ERR_OK);
    assert_int_equal(kind->run(m, rq, &p), ERR_OK);
    assert_int_equal(g.n, rq->n_takes);
    return g;
}

void takes_forget(struct got *g)
{
    for (int i = 0; i < g->n; i++)
        song_free(g->song[i]);
}

struct song *takes_seed(int num, int den, int bars)
{
    struct song *s = song_new_band();
    song_set_metre(s, 0, num, den);
    int32_t end = song_bar_tick(s, bars);
    for (int32_t t = 0; t < end; t += 240)
        track_add(song_track_of(s, ROLE_PIANO), (struct note){ t, 200, (uint8_t)(60 + t / 240 * 5 % 12), 70 });
    track_add(song_track_of(s, ROLE_BASS), (struct note){ 0, 480, 40, 70 });
    return s;
}

bool takes_same(const struct song *a, const struct song *b, enum role r, int32_t from, int32_t to)
{
    const struct track *x = song_track_of(a, r), *y = song_track_of(b, r);
    size_t i = track_first_at(x, from), k = track_first_at(y, from);
    for (; i < x->n && x->notes[i].tick < to; i++, k++)
        if (k >= y->n || memcmp(&x->notes[i], &y->notes[k], sizeof(struct note)))
            return false;
    return k >= y->n || y->notes[k].tick >= to;
}

void takes_continue(const struct model_kind *kind, struct model *m)
{
    static const int metres[][2] = { { 4, 4 }, { 3, 8 }, { 5, 8 }, { 3, 4 } };
    for (size_t i = 0; i < COUNT_OF(metres); i++) {
        struct song *s = takes_seed(metres[i][0], metres[i][1], 5);
        struct request rq;
        request_init(&rq, VERB_CONTINUE, s);
        rq.bar0 = 5;
        rq.n_bars = 6;
        rq.n_takes = 3;
        rq.seed = 9;
        struct got a = takes_ask(kind, m, &rq), b = takes_ask(kind, m, &rq);
        int32_t begin = song_bar_tick(s, 5), end = song_bar_tick(s, 11);
        for (int k = 0; k < 3; k++) {
            const struct track *t = song_track_of(a.song[k], ROLE_PIANO);
            assert_true(song_equal(a.song[k], b.song[k]));
            assert_true(takes_same(a.song[k], s, ROLE_PIANO, 0, begin));
            assert_true(t->notes[t->n - 1].tick >= begin && t->notes[t->n - 1].tick < end);
            for (size_t j = 0; j < t->n; j++)
                assert_true(t->notes[j].tick + t->notes[j].dur <= end);
            assert_int_equal(song_track_of(a.song[k], ROLE_BASS)->n, 1);
        }
        assert_false(song_equal(a.song[0], a.song[1]));
        assert_int_equal(a.parts, 5); /* all bars but the last, which comes with the take */
        rq.n_takes = 1;
        rq.seed = 10;
        struct got c = takes_ask(kind, m, &rq);
        assert_true(song_equal(c.song[0], a.song[1]));
        takes_forget(&a);
        takes_forget(&b);
        takes_forget(&c);
        song_free(s);
    }
}

void takes_keep(const struct model_kind *kind, struct model *m)
{
    struct rng r;
    rng_init(&r, 3, 0);
    for (int round = 0; round < 12; round++) {
        struct song *s = takes_seed(round % 2 ? 3 : 4, round % 3 ? 4 : 8, 8);
        struct request rq;
        request_init(&rq, VERB_GENERATE, s);
        rq.seed = (uint64_t)round;
        rq.snap = round % 2;
        rq.key = (struct key){ 2, false };
        rq.range[ROLE_PIANO] = (struct pitch_range){ 50, 80, true };
        for (int b = 0; b < 8; b++)
            rq.keep[ROLE_PIANO][b] = rng_u32(&r) & 1;
        struct got g = takes_ask(kind, m, &rq);
        const struct track *t = song_track_of(g.song[0], ROLE_PIANO);
        for (int b = 0; b < 8; b++)
            if (rq.keep[ROLE_PIANO][b])
                assert_true(takes_same(g.song[0], s, ROLE_PIANO, song_bar_tick(s, b), song_bar_tick(s, b + 1)));
        for (size_t i = 0; i < t->n; i++) {
            int bar = song_bar_of(s, t->notes[i].tick);
            assert_in_range(bar, 0, 7);
            if (rq.keep[ROLE_PIANO][bar])
                continue;
            assert_in_range(t->notes[i].pitch, 50, 80);
            assert_true(!rq.snap || key_scale(rq.key) >> t->notes[i].pitch % 12 & 1);
        }
        takes_forget(&g);
        song_free(s);
    }
}
