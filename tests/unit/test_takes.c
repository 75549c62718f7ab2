/* Auditioning: the way from A to B under the hand, what is chosen when takes come, when another take is heard, takes
 * that are the same, and that a project and a journal bring all of it back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "command.h"
#include "journal.h"
#include "mem.h"
#include "song.h"

struct band { struct request last; int n, cancelled; uint8_t from, to; };

static uint8_t first_bass(const struct song *s)
{
    const struct track *t = &s->tracks[ROLE_BASS];
    return t->n ? t->notes[0].pitch : 0;
}

static enum err submit(void *ctx, const char *model, const struct request *rq, int *job)
{
    struct band *b = ctx;
    (void)model;
    TRY(request_check(rq));
    b->last = *rq;
    b->from = rq->from ? first_bass(rq->from) : 0;
    b->to = rq->to ? first_bass(rq->to) : 0;
    *job = ++b->n;
    return ERR_OK;
}

static void cancel(void *ctx, int job)
{
    ((struct band *)ctx)->cancelled = job;
}

static void send(struct desk *d, struct event ev)
{
    desk_event(d, &ev);
    event_fini(&ev);
}

/* Take `index` of the running job: one bass note of that pitch in each of four bars. */
static void give(struct desk *d, const struct band *b, int index, int pitch)
{
    struct take *t = xcalloc(1, sizeof *t);
    bool way = b->last.verb == VERB_INTERPOLATE;
    t->song = song_dup(session_song(d->session));
    track_clear(&t->song->tracks[ROLE_BASS], 0, SONG_MAX_TICKS);
    for (int bar = 0; bar < 4; bar++)
        track_add(&t->song->tracks[ROLE_BASS], (struct note){bar * 1920, 480, (uint8_t)pitch, 90});
    t->seed = b->last.seed + (way ? 0 : (uint64_t)index);
    t->mix = way ? b->last.mix + index * b->last.mix_step : 0;
    send(d, (struct event){.kind = EVENT_TAKE, .job = d->job, .index = index, .take = t});
}

static void finish(struct desk *d)
{
    send(d, (struct event){.kind = EVENT_DONE, .job = d->job});
}

static void run(struct desk *d, const char *line)
{
    if (command_run(d, line) != ERR_OK)
        fail_msg("%s: %s", line, err_text());
}

/* Three takes, of bass notes 30, 31 and 32; the first is A, the last is B. */
static void begin(struct desk *d, struct band *b)
{
    desk_init(d);
    *b = (struct band){0};
    d->doors = (struct doors){.ctx = b, .submit = submit, .cancel = cancel};
    run(d, "seed 7");
    run(d, "batch 3");
    run(d, "generate");
    for (int i = 2; i >= 0; i--)
        give(d, b, i, 30 + i);
    finish(d);
    run(d, "take 1");
    run(d, "mark A");
    run(d, "take 3");
    run(d, "mark B");
}

static double mix(const struct desk *d)
{
    return floor(session_mix(d->session) * 100 + 0.5) / 100;
}

static void test_slider(void **state)
{
    struct desk d;
    struct band b;
    (void)state;
    begin(&d, &b);
    assert_true(mix(&d) == 1);
    run(&d, "mix -"); /* asked for, and chosen when it comes */
    assert_int_equal(b.last.verb, VERB_INTERPOLATE);
    assert_int_equal(b.last.n_takes, 1);
    assert_true(fabs(b.last.mix - 0.9) < 1e-9 && b.from == 30 && b.to == 32);
    uint64_t seed = b.last.seed;
    give(&d, &b, 0, 40);
    finish(&d);
    assert_true(mix(&d) == 0.9);
    assert_int_equal(first_bass(session_song(d.session)), 40);
    run(&d, "mix +"); /* B itself: nothing is asked */
    assert_int_equal(b.n, 2);
    assert_int_equal(first_bass(session_song(d.session)), 32);
    run(&d, "mix -"); /* there already */
    assert_int_equal(b.n, 2);
    assert_int_equal(first_bass(session_song(d.session)), 40);
    run(&d, "mix -");
    assert_int_equal(b.last.seed, seed); /* one way, however often it is asked about */
    run(&d, "mix -"); /* faster than the band: the step on the way is given up */
    assert_int_equal(b.cancelled, 3);
    assert_true(fabs(b.last.mix - 0.7) < 1e-9);
    give(&d, &b, 0, 41);
    finish(&d);
    assert_true(mix(&d) == 0.7);
    run(&d, "mix 0");
    assert_int_equal(first_bass(session_song(d.session)), 30);
    run(&d, "flip");
    assert_true(mix(&d) == 1);
    run(&d, "take 2");
    assert_true(session_mix(d.session) == -1);
    desk_fini(&d);
}

static void test_steps(void **state)
{
    struct desk d;
    struct band b;
    (void)state;
    begin(&d, &b);
    run(&d, "interpolate 4");
    assert_true(fabs(b.last.mix - 0.2) < 1e-9 && fabs(b.last.mix_step - 0.2) < 1e-9 && b.last.n_takes == 4);
    for (int i = 3; i >= 0; i--)
        give(&d, &b, i, 50 + i);
    finish(&d);
    assert_int_equal(session_current(d.session), 2); /* still B: the hand decides */
    assert_int_equal(session_n_takes(d.session), 7);
    for (int i = 0; i < 4; i++)
        assert_true(fabs(session_take(d.session, 3 + i)->mix - 0.2 * (i + 1)) < 1e-9);
    run(&d, "mix 0.6");
    assert_int_equal(first_bass(session_song(d.session)), 52);
    run(&d, "keep all");
    assert_int_equal(command_run(&d, "interpolate"), ERR_EMPTY);
    run(&d, "let-go");
    run(&d, "take 1");
    run(&d, "mark B");
    assert_int_equal(command_run(&d, "interpolate"), ERR_EMPTY); /* A is B */
    desk_fini(&d);
}

/* Only cells that A or B was asked for are on the way, and none that is kept. */
static void test_open_cells(void **state)
{
    struct desk d;
    struct band b;
    (void)state;
    desk_init(&d);
    b = (struct band){0};
    d.doors = (struct doors){.ctx = &b, .submit = submit, .cancel = cancel};
    run(&d, "track drums");
    run(&d, "keep");
    run(&d, "batch 2");
    run(&d, "generate");
    give(&d, &b, 0, 30);
    give(&d, &b, 1, 31);
    finish(&d);
    run(&d, "take 1");
    run(&d, "mark A");
    run(&d, "take 2");
    run(&d, "mark B");
    run(&d, "let-go");
    run(&d, "track bass");
    run(&d, "bar 2");
    run(&d, "keep bar");
    run(&d, "interpolate");
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < 4; bar++)
            assert_int_equal(b.last.keep[r][bar], r == ROLE_DRUMS || (r == ROLE_BASS && bar == 1));
    desk_fini(&d);
}

static void test_vary_and_range(void **state)
{
    struct desk d;
    struct band b;
    (void)state;
    begin(&d, &b);
    run(&d, "vary 2");
    assert_int_equal(b.last.verb, VERB_VARY);
    assert_true(fabs(b.last.distance - 0.2) < 1e-9);
    finish(&d);
    run(&d, "again");
    assert_true(b.last.verb == VERB_VARY && fabs(b.last.distance - 0.2) < 1e-9);
    finish(&d);
    run(&d, "track bass");
    run(&d, "range E1 G3 strict");
    run(&d, "generate");
    assert_true(b.last.range[ROLE_BASS].lo == 28 && b.last.range[ROLE_BASS].hi == 55 && b.last.range[ROLE_BASS].strict);
    assert_int_equal(b.last.range[ROLE_PIANO].hi, 0);
    finish(&d);
    assert_int_equal(command_run(&d, "range G3 E1"), ERR_FORMAT);
    assert_int_equal(command_run(&d, "range C3 C5 often"), ERR_FORMAT);
    run(&d, "range auto");
    assert_int_equal(session_settings(d.session)->range[ROLE_BASS].hi, 0);
    desk_fini(&d);
}

/* While music plays another take waits for the bar line; an edit does not. */
static void test_switch_at_the_bar(void **state)
{
    struct desk d;
    struct band b;
    (void)state;
    begin(&d, &b);
    d.playing = true;
    d.playhead = 2000;
    (void)desk_must_show(&d);
    d.stale = STALE_NO;
    run(&d, "take 1");
    d.playhead = 3800;
    assert_false(desk_must_show(&d));
    d.playhead = 3841;
    assert_true(desk_must_show(&d));
    d.stale = STALE_NO;
    d.playhead = 5761;
    assert_false(desk_must_show(&d));
    run(&d, "take 2");
    d.playhead = 5;
    assert_true(desk_must_show(&d)); /* round the loop */
    d.stale = STALE_NO;
    run(&d, "take 3");
    assert_false(desk_must_show(&d));
    run(&d, "note");
    assert_true(desk_must_show(&d));
    d.playing = false;
    d.stale = STALE_BAR;
    assert_true(desk_must_show(&d));
    desk_fini(&d);
}

static void test_twins(void **state)
{
    struct desk d;
    struct band b;
    (void)state;
    begin(&d, &b);
    run(&d, "generate");
    give(&d, &b, 0, 31);
    give(&d, &b, 1, 60);
    assert_int_equal(session_take(d.session, 3)->twin, 2);
    assert_int_equal(session_take(d.session, 4)->twin, 0);
    desk_fini(&d);
}

static void check_back(const struct session *s)
{
    assert_int_equal(session_n_takes(s), 4);
    assert_int_equal(session_marked(s, 0), 0);
    assert_int_equal(session_marked(s, 1), 2);
    assert_int_equal(session_current(s), 3);
    assert_true(fabs(session_mix(s) - 0.9) < 1e-6);
    assert_int_equal(session_take_at(s, 0.9), 3);
    assert_true(session_take(s, 1)->star);
}

static void test_comes_back(void **state)
{
    struct desk d;
    struct band b;
    struct orphan orphan = {0};
    struct session *saved = session_new(), *recovered = session_new();
    (void)state;
    begin(&d, &b);
    run(&d, "take 2");
    run(&d, "star");
    run(&d, "take 3");
    run(&d, "range C3 C5");
    run(&d, "distance 4");
    run(&d, "mix -");
    give(&d, &b, 0, 40);
    finish(&d);
    assert_int_equal(session_save_copy(d.session, "way.jam"), ERR_OK);
    assert_int_equal(session_open(saved, "way.jam", NULL), ERR_OK);
    check_back(saved);
    assert_true(session_settings(saved)->distance == 0.4 && session_settings(saved)->range[ROLE_PIANO].lo == 48);
    struct journal *j = journal_new("journals");
    session_mark(d.session, 0, 1);
    assert_int_equal(journal_update(j, d.session), ERR_OK);
    session_mark(d.session, 0, 0); /* a mark alone is worth a line too */
    assert_int_equal(journal_update(j, d.session), ERR_OK);
    journal_free(j);
    assert_true(journal_find("journals", &orphan));
    assert_int_equal(journal_recover(orphan.path, recovered), ERR_OK);
    check_back(recovered);
    orphan_fini(&orphan);
    session_free(saved);
    session_free(recovered);
    desk_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slider),          cmocka_unit_test(test_steps),
        cmocka_unit_test(test_open_cells),      cmocka_unit_test(test_vary_and_range),
        cmocka_unit_test(test_switch_at_the_bar), cmocka_unit_test(test_twins),
        cmocka_unit_test(test_comes_back),
    };
    char dir[] = "/tmp/jamroll-takes-XXXXXX", clean[64];
    if (!mkdtemp(dir) || chdir(dir) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    str_format(clean, sizeof clean, "rm -rf %s", dir);
    return system(clean) != 0 ? 1 : failed;
}
