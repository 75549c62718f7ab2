/* test_engine.c: jobs, events, cancelling and the model cache, with a family of our own that takes the
 * registry's place when the test is linked: it writes one note a take, slowly if asked. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ckpt.h"
#include "clock.h"
#include "folder.h"
#include "mem.h"
#include "song.h"
#include "str.h"
#include "verb.h"

/* ---- the family: temperature is milliseconds a take, genre 1 fails after its first take ---- */

struct model { int value; };
static atomic_int n_open, n_opened, n_inside;

static enum err fake_open(struct device *d, const struct ckpt *weights, struct model **out)
{
    (void)d;
    struct ckpt_tensor t;
    if (!ckpt_find(weights, "w", &t))
        return err_set(ERR_SHAPE, "w is missing");
    *out = xcalloc(1, sizeof **out);
    (*out)->value = (int)((const float *)t.data)[0];
    atomic_fetch_add(&n_open, 1);
    atomic_fetch_add(&n_opened, 1);
    return ERR_OK;
}

static void fake_close(struct model *m)
{
    atomic_fetch_sub(&n_open, 1);
    free(m);
}

static enum err fake_run(struct model *m, const struct request *rq, const struct progress *p)
{
    assert_int_equal(atomic_fetch_add(&n_inside, 1), 0); /* never two at a time */
    enum err err = ERR_OK;
    for (int i = 0; i < rq->n_takes && !err; i++) {
        for (double end = clock_s() + rq->temperature / 1000; clock_s() < end && !err;) {
            clock_sleep_until(clock_ns() + 1000000u);
            if (p->cancel && atomic_load(p->cancel))
                err = ERR_CANCELLED;
        }
        if (!err && rq->genre == 1 && i == 1)
            err = err_set(ERR_NOMEM, "the fake ran out of notes");
        if (err)
            break;
        struct take t = {.song = song_dup(rq->song), .seed = rq->seed + (uint64_t)i};
        int pitch = m->value;
        if (rq->verb == VERB_INTERPOLATE) /* what the two ends hold, however long ago they were handed over */
            pitch = rq->from->tracks[ROLE_BASS].notes[0].pitch + rq->to->tracks[ROLE_BASS].notes[0].pitch;
        track_add(&t.song->tracks[ROLE_PIANO], (struct note){i, 10, (uint8_t)pitch, 64});
        if (p->on_step)
            p->on_step(p->ctx, (i + 1.0) / rq->n_takes);
        if (p->on_take)
            p->on_take(p->ctx, i, &t);
        else
            take_fini(&t);
    }
    atomic_fetch_sub(&n_inside, 1);
    return err;
}

static int fake_n_genres(const struct model *m)
{
    (void)m;
    return 2;
}

static const struct model_kind fake_kind = {.name = "fake", .verbs = 1u << VERB_GENERATE | 1u << VERB_INFILL | 1u << VERB_INTERPOLATE,
    .open = fake_open, .close = fake_close, .run = fake_run, .n_genres = fake_n_genres};
const struct model_kind *const model_kinds[] = {&fake_kind};
const size_t n_model_kinds = 1;

const struct model_kind *model_kind_find(const char *name)
{
    return strcmp(name, fake_kind.name) == 0 ? &fake_kind : NULL;
}

/* ---- setting ---- */

static char dir[] = "/tmp/jamroll-engine-XXXXXX";
static struct song *song;

static void save(const char *file, const char *tensor, float value)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s.safetensors", dir, file);
    struct ckpt_writer *w = ckpt_writer_new();
    ckpt_writer_meta(w, "family", "fake");
    ckpt_writer_meta(w, "name", file);
    ckpt_writer_add(w, tensor, F32, SHAPE(1), &value);
    assert_int_equal(ckpt_writer_save(w, path), ERR_OK);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(dir) || chdir(dir) != 0)
        return -1;
    setenv("JAMROLL_MODELS", dir, 1);
    setenv("XDG_DATA_HOME", dir, 1);
    save("alpha", "w", 60);
    save("beta", "w", 72);
    save("gone-wrong", "x", 1);
    song = song_new_band();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    song_free(song);
    return folder_remove_flat(dir);
}

static struct engine *engine(void)
{
    struct engine *e = NULL;
    assert_int_equal(engine_new("cpu", 1, &e), ERR_OK);
    return e;
}

static struct request request(int n_takes, double ms)
{
    struct request rq;
    request_init(&rq, VERB_GENERATE, song);
    rq.n_takes = n_takes;
    rq.temperature = ms;
    rq.seed = 42;
    return rq;
}

static bool next(struct engine *e, struct event *ev, int timeout_ms)
{
    struct pollfd p = {.fd = engine_fd(e), .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1 && engine_next(e, ev);
}

/* Reads up to the job's last event and returns its kind; *takes counts. */
static enum event_kind finish(struct engine *e, int job, int *takes)
{
    struct event ev;
    for (*takes = 0;;) {
        assert_true(next(e, &ev, 5000));
        assert_int_equal(ev.job, job);
        enum event_kind kind = ev.kind;
        if (kind == EVENT_TAKE) {
            assert_int_equal(ev.index, *takes);
            assert_int_equal(ev.take->seed, 42 + ev.index);
            assert_int_equal(ev.take->song->tracks[ROLE_PIANO].n, 1);
            ++*takes;
        } else {
            assert_int_equal(ev.index, *takes);
            assert_true((kind == EVENT_FAILED) == (ev.text != NULL));
        }
        event_fini(&ev);
        if (kind != EVENT_TAKE)
            return kind;
    }
}

/* ---- tests ---- */

static void test_job(void **state)
{
    (void)state;
    struct engine *e = engine();
    struct event ev;
    int job = 0, takes;
    assert_false(engine_next(e, &ev));
    assert_true(engine_progress(e) == -1);
    struct request rq = request(5, 4);
    assert_int_equal(engine_submit(e, NULL, &rq, &job), ERR_OK);
    assert_int_equal(job, 1);
    assert_true(engine_progress(e) >= 0);
    assert_int_equal(finish(e, job, &takes), EVENT_DONE);
    assert_int_equal(takes, 5);
    assert_true(engine_progress(e) == -1);
    assert_int_equal(song->tracks[ROLE_PIANO].n, 0);
    engine_free(e);
    assert_int_equal(atomic_load(&n_open), 0);
}

static void test_song_is_copied(void **state)
{
    (void)state;
    struct engine *e = engine();
    struct song *mine = song_new_band();
    struct request rq = request(2, 20);
    int job, takes;
    rq.song = mine;
    assert_int_equal(engine_submit(e, NULL, &rq, &job), ERR_OK);
    track_add(&mine->tracks[ROLE_PIANO], (struct note){0, 1, 1, 1});
    song_free(mine);
    assert_int_equal(finish(e, job, &takes), EVENT_DONE);
    assert_int_equal(takes, 2);
    engine_free(e);
}

static void test_ends_are_copied(void **state)
{
    (void)state;
    struct engine *e = engine();
    struct song *end[2] = {song_new_band(), song_new_band()};
    struct request rq = request(2, 20);
    struct event ev;
    int job;
    rq.verb = VERB_INTERPOLATE;
    rq.mix_step = 1;
    assert_int_equal(engine_submit(e, NULL, &rq, &job), ERR_SHAPE);
    for (int i = 0; i < 2; i++)
        track_add(&end[i]->tracks[ROLE_BASS], (struct note){0, 1, (uint8_t)(30 + i), 1});
    rq.from = end[0];
    rq.to = end[1];
    assert_int_equal(engine_submit(e, NULL, &rq, &job), ERR_OK);
    for (int i = 0; i < 2; i++) {
        track_clear(&end[i]->tracks[ROLE_BASS], 0, 1);
        song_free(end[i]);
    }
    for (int i = 0; i < 3; i++) {
        assert_true(next(e, &ev, 5000));
        assert_int_equal(ev.kind, i < 2 ? EVENT_TAKE : EVENT_DONE);
        if (ev.take)
            assert_int_equal(ev.take->song->tracks[ROLE_PIANO].notes[0].pitch, 61);
        event_fini(&ev);
    }
    engine_free(e);
}

static void test_cancel_is_quick(void **state)
{
    (void)state;
    struct engine *e = engine();
    struct request rq = request(100, 30);
    int first, second, takes;
    assert_int_equal(engine_submit(e, NULL, &rq, &first), ERR_OK);
    assert_int_equal(engine_submit(e, NULL, &rq, &second), ERR_OK);
    clock_sleep_until(clock_ns() + 100000000u);
    double start = clock_s();
    engine_cancel(e, first);
    assert_int_equal(finish(e, first, &takes), EVENT_CANCELLED);
    assert_true(clock_s() - start < 0.1);
    assert_in_range(takes, 1, 4);
    engine_cancel(e, 77); /* nobody */
    clock_sleep_until(clock_ns() + 50000000u);
    start = clock_s();
    engine_cancel(e, -1);
    assert_int_equal(finish(e, second, &takes), EVENT_CANCELLED);
    assert_true(clock_s() - start < 0.1);
    engine_free(e);
}

static void test_waiting_jobs(void **state)
{
    (void)state;
    struct engine *e = engine();
    struct request rq = request(2, 10);
    int job[4], takes;
    for (int i = 0; i < 4; i++)
        assert_int_equal(engine_submit(e, i % 2 ? "beta" : "alpha", &rq, &job[i]), ERR_OK);
    engine_cancel(e, job[2]);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(finish(e, job[i], &takes), i == 2 ? EVENT_CANCELLED : EVENT_DONE);
        assert_int_equal(takes, i == 2 ? 0 : 2);
    }
    engine_free(e);
}

static void test_failures(void **state)
{
    (void)state;
    struct engine *e = engine();
    struct request rq = request(3, 1);
    struct event ev;
    int job, takes;
    rq.genre = 1;
    assert_int_equal(engine_submit(e, NULL, &rq, &job), ERR_OK);
    assert_int_equal(finish(e, job, &takes), EVENT_FAILED);
    assert_int_equal(takes, 1);
    rq.genre = 9;
    assert_int_equal(engine_submit(e, NULL, &rq, &job), ERR_OK);
    assert_true(next(e, &ev, 2000));
    assert_int_equal(ev.kind, EVENT_FAILED);
    assert_non_null(strstr(ev.text, "genre 9"));
    event_fini(&ev);
    rq.genre = -1;
    assert_int_equal(engine_submit(e, "nobody", &rq, &job), ERR_OK);
    assert_int_equal(finish(e, job, &takes), EVENT_FAILED);
    rq.n_takes = 0;
    assert_int_equal(engine_submit(e, NULL, &rq, &job), ERR_RANGE);
    rq = request(1, 1);
    rq.verb = VERB_TRANSFER;
    assert_int_equal(engine_run(e, "alpha", &rq, NULL), ERR_UNSUPPORTED);
    assert_int_equal(engine_run(e, NULL, &rq, NULL), ERR_MISSING);
    rq.verb = VERB_INFILL;
    assert_int_equal(engine_run(e, "gone-wrong", &rq, NULL), ERR_SHAPE);
    assert_int_equal(engine_run(e, "alpha", &rq, NULL), ERR_OK); /* it goes on working */
    engine_free(e);
    assert_int_equal(engine_new("abacus", 1, &e), ERR_DEVICE);
}

static void test_cache(void **state)
{
    (void)state;
    struct engine *e = engine();
    const struct model_kind *kind;
    struct model *a, *b, *c;
    atomic_store(&n_opened, 0);
    assert_int_equal(engine_load(e, "alpha", VERB_GENERATE, &kind, &a), ERR_OK);
    assert_int_equal(engine_load(e, NULL, VERB_INFILL, &kind, &b), ERR_OK);
    assert_int_equal(engine_load(e, "beta", VERB_INFILL, &kind, &c), ERR_OK);
    assert_ptr_equal(kind, &fake_kind);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_int_equal(atomic_load(&n_opened), 2);
    assert_int_equal(c->value, 72);
    engine_free(e);
    assert_int_equal(atomic_load(&n_open), 0);
}

/* Freed in the middle of things: at once, and nothing leaks (the sanitizer looks). */
static void test_free_while_running(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct engine *e = engine();
        struct request rq = request(50, i % 3 ? 20 : 0.01);
        int job;
        for (int k = 0; k < 3; k++)
            assert_int_equal(engine_submit(e, NULL, &rq, &job), ERR_OK);
        clock_sleep_until(clock_ns() + (uint64_t)i * 5000000u);
        double start = clock_s();
        engine_free(e);
        assert_true(clock_s() - start < 0.3);
    }
    engine_free(NULL);
}

/* Nobody reads for a while: the worker waits, cancelling does not, and not a take is lost. */
static void test_unread_events(void **state)
{
    (void)state;
    struct engine *e = engine();
    struct request rq = request(256, 0.001);
    int job = 0;
    for (int i = 0; i < 6; i++)
        assert_int_equal(engine_submit(e, NULL, &rq, &job), ERR_OK);
    clock_sleep_until(clock_ns() + 1200000000u);
    double start = clock_s();
    engine_cancel(e, 6);
    assert_true(clock_s() - start < 0.05);
    struct event ev;
    int takes = 0, ends = 0;
    while (ends < 6) {
        assert_true(next(e, &ev, 3000));
        takes += ev.kind == EVENT_TAKE;
        ends += ev.kind != EVENT_TAKE;
        event_fini(&ev);
    }
    assert_in_range(takes, 5 * 256, 6 * 256);
    engine_free(e);
}

static void *submit_many(void *arg)
{
    struct request rq = request(1, 0.1);
    int job;
    for (int i = 0; i < 20; i++)
        if (engine_submit(arg, "alpha", &rq, &job) != ERR_OK || engine_run(arg, "beta", &rq, NULL) != ERR_OK)
            return arg;
    return NULL;
}

static void test_many_threads(void **state)
{
    (void)state;
    struct engine *e = engine();
    pthread_t thread[4];
    void *bad;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, submit_many, e), 0);
    struct event ev;
    for (int ends = 0; ends < 80;) {
        assert_true(next(e, &ev, 5000));
        ends += ev.kind == EVENT_DONE;
        event_fini(&ev);
        (void)engine_progress(e);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], &bad);
        assert_null(bad);
    }
    engine_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job),           cmocka_unit_test(test_song_is_copied),
        cmocka_unit_test(test_ends_are_copied),
        cmocka_unit_test(test_cancel_is_quick), cmocka_unit_test(test_waiting_jobs),
        cmocka_unit_test(test_failures),      cmocka_unit_test(test_cache),
        cmocka_unit_test(test_free_while_running), cmocka_unit_test(test_unread_events),
        cmocka_unit_test(test_many_threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
