/* tiny_band.c: see tiny_band.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ckpt.h"
#include "tiny_band.h"

struct stepnet tiny_net(void)
{
    struct stepnet c = band_net(TINY_GENRES);
    c.width = 32;
    c.layers = 2;
    c.heads = 4;
    c.mlp = 32;
    return c;
}

struct params *tiny_params(struct device *d)
{
    struct params *p = params_new();
    struct net n = { .g = graph_new(), .p = p };
    struct stepnet config = tiny_net();
    stepnet_build_batch(&n, &config, 1, 2);
    assert_int_equal(params_alloc(p, d, false), ERR_OK);
    params_init(p, 7);
    graph_free(n.g);
    return p;
}

static struct model *tiny_model(struct device *d)
{
    struct ckpt_writer *w = ckpt_writer_new();
    struct params *p = tiny_params(d);
    char path[] = "/tmp/test_band_XXXXXX";
    int fd = mkstemp(path);
    static const char *const meta[][2] = { { "family", "band" }, { "name", "tiny" }, { "genres", "rock,jazz,pop" },
                                           { "option.width", "32" }, { "option.layers", "2" }, { "option.heads", "4" },
                                           { "option.mlp", "32" } };
    struct ckpt *c;
    struct model *m;
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < COUNT_OF(meta); i++)
        ckpt_writer_meta(w, meta[i][0], meta[i][1]);
    ckpt_add_params(w, p, d);
    assert_int_equal(ckpt_writer_save(w, path), ERR_OK);
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    assert_int_equal(model_kind_find("band")->open(d, c, &m), ERR_OK);
    ckpt_close(c);
    params_free(p);
    unlink(path);
    return m;
}

struct model *model;

int tiny_start(void **state)
{
    (void)state;
    assert_int_equal(device_open("cpu", 1, &device), ERR_OK);
    model = tiny_model(device);
    return 0;
}

int tiny_end(void **state)
{
    model_kind_find("band")->close(model);
    return group_end(state);
}

struct song *tiny_song(void)
{
    struct song *s = song_new_band();
    for (int beat = 0; beat < 32; beat++) {
        static const uint8_t root[] = { 60, 57, 65, 67 };
        int chord = root[beat / 4 % 4];
        for (int k = 0; k < 3; k++)
            track_add(song_track_of(s, ROLE_PIANO), (struct note){ beat * 480 + 7 * k, 700, (uint8_t)(chord + 4 * k), (uint8_t)(61 + beat) });
        track_add(song_track_of(s, ROLE_BASS), (struct note){ beat * 480 + 3, 431, (uint8_t)(chord - 24), 90 });
        track_add(song_track_of(s, ROLE_DRUMS), (struct note){ beat * 480, 60, beat % 2 ? 38 : 36, 101 });
    }
    return s;
}

struct request tiny_request(enum verb v, const struct song *s, int bar0, int n_bars)
{
    struct request rq = { .verb = v, .song = s, .bar0 = bar0, .n_bars = n_bars, .genre = -1, .key = { -1, false },
                          .temperature = 1, .top_p = 0.98, .density = { -1, -1, -1, -1, -1 }, .distance = 0.5, .seed = 42, .n_takes = 1 };
    return rq;
}

static void collect(void *ctx, int index, struct take *t)
{
    struct takes *all = ctx;
    assert_in_range(index, 0, TINY_TAKES - 1);
    assert_null(all->take[index].song); /* each once, in whatever order they are finished */
    all->take[index] = *t;
    all->n++;
}

static void on_step(void *ctx, double fraction)
{
    struct takes *all = ctx;
    assert_true(fraction >= all->last - 1e-9 && fraction <= 1);
    all->last = fraction;
}

void tiny_run(struct model *m, const struct request *rq, struct takes *out)
{
    memset(out, 0, sizeof *out);
    struct progress p = { .on_take = collect, .on_step = on_step, .ctx = out };
    assert_int_equal(model_kind_find("band")->run(m, rq, &p), ERR_OK);
    assert_int_equal(out->n, rq->n_takes);
}

void tiny_free(struct takes *t)
{
    for (int i = 0; i < t->n; i++)
        take_fini(&t->take[i]);
}

bool tiny_kept(const struct request *rq, int bar0, enum role r, int bar)
{
    return bar < bar0 || bar >= bar0 + rq->n_bars || rq->keep[r][bar - bar0];
}

void tiny_check_kept(const struct request *rq, int bar0, const struct song *a, const struct song *b)
{
    for (int r = 0; r < N_ROLES; r++) {
        const struct track *x = song_track_of(a, r), *y = song_track_of(b, r);
        size_t i = 0, k = 0;
        for (;;) {
            while (i < x->n && !tiny_kept(rq, bar0, r, song_bar_of(a, x->notes[i].tick)))
                i++;
            while (k < y->n && !tiny_kept(rq, bar0, r, song_bar_of(b, y->notes[k].tick)))
                k++;
            assert_int_equal(i < x->n, k < y->n);
            if (i == x->n)
                break;
            assert_memory_equal(&x->notes[i++], &y->notes[k++], sizeof *x->notes);
        }
    }
}
