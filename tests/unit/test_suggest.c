/* Suggestions on a desk with an engine of our own behind its doors: what is asked, what is shown and for how long, what
 * accepting writes, and that nothing else changes: not the music, not what keys mean when nothing is suggested. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "keycode.h"
#include "mem.h"

enum { BAR = 4 * SONG_TPQ };

static struct asked { struct request rq; char model[32]; int n, cancelled, heard; } asked;

static enum err do_submit(void *ctx, const char *model, const struct request *rq, int *job)
{
    (void)ctx;
    TRY(request_check(rq));
    asked.rq = *rq;
    str_copy(asked.model, sizeof asked.model, model ? model : "");
    *job = ++asked.n;
    return ERR_OK;
}

static void do_cancel(void *ctx, int job)
{
    (void)ctx;
    asked.cancelled = job;
}

static void do_audition(void *ctx, int channel, int program, int pitch, int vel)
{
    (void)ctx, (void)channel, (void)program, (void)pitch, (void)vel;
    asked.heard++;
}

static void set_up(struct desk *d)
{
    asked = (struct asked){0};
    desk_init(d);
    d->doors = (struct doors){.submit = do_submit, .cancel = do_cancel, .audition = do_audition};
}

static void must(struct desk *d, const char *line)
{
    if (command_run(d, line) != ERR_OK)
        fail_msg("%s: %s", line, err_text());
}

static void press(struct desk *d, const char *keys)
{
    for (const char *p = keys; *p;)
        if (!command_key(d, keycode_parse(&p)))
            fail_msg("a key of %s means nothing", keys);
}

/* A candidate as a model brings it: the song and some notes, here pitches `a` and, unless 0, `b`. */
static void bring(struct desk *d, int job, double p, int32_t tick, int a, int b)
{
    struct event ev = {.kind = EVENT_TAKE, .job = job, .take = xcalloc(1, sizeof *ev.take)};
    ev.take->song = song_dup(session_song(d->session));
    str_format(ev.take->params, sizeof ev.take->params, "p=%.3f T=1.00", p);
    track_add(&ev.take->song->tracks[d->track], (struct note){tick, 240, (uint8_t)a, 90});
    if (b)
        track_add(&ev.take->song->tracks[d->track], (struct note){tick, 480, (uint8_t)b, 90});
    desk_event(d, &ev);
    event_fini(&ev);
}

static void end(struct desk *d, int job, enum event_kind kind, const char *text)
{
    struct event ev = {.kind = kind, .job = job, .text = text ? xstrdup(text) : NULL};
    desk_event(d, &ev);
    event_fini(&ev);
}

static void bring_three(struct desk *d)
{
    bring(d, asked.n, 0.5, d->tick, 60, 64);
    bring(d, asked.n, 0.25, d->tick, 62, 0);
    bring(d, asked.n, 0.125, d->tick, 65, 0);
    end(d, asked.n, EVENT_DONE, NULL);
}

static void test_asking(void **state)
{
    struct desk d;
    (void)state;
    set_up(&d);
    must(&d, "track bass");
    must(&d, "mute");
    must(&d, "bar 3");
    must(&d, "seed 5");
    press(&d, "l");
    press(&d, "gn");
    assert_int_equal(asked.n, 1);
    assert_int_equal(asked.rq.verb, VERB_SUGGEST);
    assert_int_equal(asked.rq.role, ROLE_BASS);
    assert_int_equal(asked.rq.at, 2 * BAR + d.grid);
    assert_int_equal(asked.rq.bar0, 2);
    assert_int_equal(asked.rq.n_takes, SUGGESTIONS);
    assert_int_equal(asked.rq.silent[ROLE_BASS], 0);
    assert_int_equal(session_settings(d.session)->seed, 5); /* the band's seed is not used up */
    assert_null(desk_suggestion(&d));
    press(&d, "gn"); /* on its way */
    assert_int_equal(asked.n, 1);
    press(&d, "<Tab>");
    assert_int_equal(d.pane, PANE_ROLL);
    assert_true(d.message_bad);
    bring_three(&d);
    const struct suggestion *one = desk_suggestion(&d);
    assert_non_null(one);
    assert_int_equal(one->n, 2);
    assert_true(one->p == 0.5);
    assert_int_equal(asked.heard, 2);
    assert_non_null(strstr(d.message, "suggestion 1/3: C4 E4  50 %"));
    assert_int_equal(d.suggest.job, -1);
    assert_int_equal(desk_track(&d)->n, 0);
    assert_int_equal(session_n_takes(d.session), 0);
    desk_fini(&d);
}

static void test_turning_over(void **state)
{
    static const int wanted[] = {62, 65, 60, 65, 62};
    struct desk d;
    (void)state;
    set_up(&d);
    press(&d, "gn");
    bring_three(&d);
    for (int i = 0; i < 5; i++) {
        if (i < 3)
            press(&d, i == 1 ? "<S-Tab>" : "gn");
        else
            must(&d, "suggest prev");
        assert_int_equal(desk_suggestion(&d)->notes[0].pitch, wanted[i]);
    }
    assert_int_equal(asked.n, 1);
    press(&d, "k"); /* another row is no other place */
    assert_non_null(desk_suggestion(&d));
    desk_fini(&d);
}

static void test_accepting(void **state)
{
    struct desk d;
    (void)state;
    set_up(&d);
    press(&d, "<Enter>llgn");
    bring_three(&d);
    int steps = session_n_undo(d.session);
    press(&d, "<Tab>");
    const struct track *t = desk_track(&d);
    assert_int_equal(t->n, 3);
    assert_int_equal(t->notes[1].pitch, 60);
    assert_int_equal(t->notes[2].pitch, 64);
    assert_int_equal(session_n_undo(d.session), steps + 1);
    assert_int_equal(d.tick, 240 + 480); /* behind the longer of them */
    assert_int_equal(d.pitch, 64);
    assert_int_equal(d.stale, STALE_NOW);
    assert_null(desk_suggestion(&d));
    press(&d, "gn"); /* and so on */
    assert_int_equal(asked.n, 2);
    assert_int_equal(asked.rq.at, 720);
    bring_three(&d);
    press(&d, "gn<Tab>");
    must(&d, "track bass");
    press(&d, "u"); /* back to where it was taken, for another one */
    assert_int_equal(d.tick, 720);
    assert_int_equal(d.track, ROLE_PIANO);
    press(&d, "u");
    assert_int_equal(d.tick, 240);
    assert_int_equal(desk_track(&d)->n, 1);
    press(&d, "U");
    assert_int_equal(desk_track(&d)->n, 3);
    desk_fini(&d);
}

/* What takes the hand elsewhere, or changes the music, takes the suggestion away, and Tab is itself again. */
static void test_dropping(void **state)
{
    static const char *const away[] = {"<Esc>", "l", "J", "x<Enter>", "<C-c>", "v<Esc>", "u", "}"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(away); i++) {
        struct desk d;
        set_up(&d);
        press(&d, "<Enter>gn");
        bring_three(&d);
        assert_non_null(desk_suggestion(&d));
        assert_int_equal(keys_here(&d), KEYS_SUGGEST);
        press(&d, away[i]);
        if (desk_suggestion(&d))
            fail_msg("%s: it stays", away[i]);
        press(&d, i == 1 ? "h" : ""); /* nor does it wait there */
        assert_null(desk_suggestion(&d));
        press(&d, "<Tab>");
        assert_int_equal(d.pane, PANE_TAKES);
        desk_fini(&d);
    }
}

static void test_late_answers(void **state)
{
    struct desk d;
    (void)state;
    set_up(&d);
    press(&d, "gnl");
    assert_int_equal(asked.cancelled, 1);
    bring_three(&d); /* it had been on its way */
    assert_null(desk_suggestion(&d));
    press(&d, "hgn");
    press(&d, "lgn"); /* the first gives way */
    assert_int_equal(asked.cancelled, 2);
    bring(&d, 2, 0.9, 0, 40, 0);
    end(&d, 2, EVENT_CANCELLED, NULL);
    assert_null(desk_suggestion(&d));
    bring(&d, 3, 0.9, d.tick, 41, 0);
    assert_int_equal(desk_suggestion(&d)->notes[0].pitch, 41);
    end(&d, 3, EVENT_DONE, NULL);
    press(&d, "<Esc>gn");
    end(&d, 4, EVENT_FAILED, "no weights");
    assert_string_equal(d.message, "no weights");
    assert_true(d.message_bad);
    press(&d, "gn");
    end(&d, 5, EVENT_DONE, NULL);
    assert_false(d.message_bad);
    assert_non_null(strstr(d.message, "nothing"));
    desk_fini(&d);
}

static void test_refusals(void **state)
{
    struct desk d;
    (void)state;
    set_up(&d);
    must(&d, "track drums");
    assert_int_equal(command_run(&d, "suggest"), ERR_UNSUPPORTED);
    assert_non_null(strstr(err_text(), "kit"));
    must(&d, "track piano");
    must(&d, "keep bar");
    assert_int_equal(command_run(&d, "suggest"), ERR_EMPTY);
    assert_non_null(strstr(err_text(), "bar 1 of Piano is kept"));
    assert_int_equal(command_run(&d, "accept"), ERR_EMPTY);
    assert_int_equal(command_run(&d, "suggest maybe"), ERR_FORMAT);
    must(&d, "bar 2");
    d.job = 99;
    assert_int_equal(command_run(&d, "suggest"), ERR_BUSY);
    d.job = -1;
    d.doors.submit = NULL;
    assert_int_equal(command_run(&d, "suggest"), ERR_UNSUPPORTED);
    assert_int_equal(asked.n, 0);
    desk_fini(&d);
}

static void test_kept_cells(void **state)
{
    struct desk d;
    (void)state;
    set_up(&d);
    must(&d, "bar 2");
    must(&d, "keep bar");
    press(&d, "hgn");
    assert_true(asked.rq.keep[ROLE_PIANO][1] && !asked.rq.keep[ROLE_PIANO][0]);
    bring(&d, 1, 0.7, BAR, 60, 0); /* would begin in the kept bar */
    bring(&d, 1, 0.2, d.tick, 62, 0);
    end(&d, 1, EVENT_DONE, NULL);
    assert_int_equal(d.suggest.n, 1);
    assert_int_equal(desk_suggestion(&d)->notes[0].pitch, 62);
    desk_fini(&d);
}

/* The model that was chosen where it can, else whoever can. */
static void test_model(void **state)
{
    struct model_info *m = xcalloc(2, sizeof *m);
    struct desk d;
    (void)state;
    set_up(&d);
    for (int i = 0; i < 2; i++) {
        m[i].name = xstrdup(i ? "frames" : "band");
        m[i].path = xstrdup(m[i].name);
        m[i].family = xstrdup("x");
        m[i].licence = xstrdup("x");
        m[i].verbs = i ? 1u << VERB_SUGGEST : 1u << VERB_ACCOMPANY;
    }
    desk_models(&d, m, 2);
    must(&d, "model band");
    press(&d, "gn");
    assert_string_equal(asked.model, "");
    must(&d, "model frames");
    press(&d, "<Esc>gn");
    assert_string_equal(asked.model, "frames");
    desk_fini(&d);
}

static void test_by_itself(void **state)
{
    struct desk d;
    (void)state;
    set_up(&d);
    press(&d, "iz");
    assert_int_equal(asked.n, 0);
    must(&d, "set suggest on");
    press(&d, "z");
    assert_int_equal(asked.n, 1);
    assert_int_equal(asked.rq.at, d.tick);
    asked.heard = 0;
    press(&d, "<Tab>"); /* nothing is there yet: a rest, and another question */
    assert_int_equal(d.tick, 3 * d.len);
    assert_int_equal(asked.n, 2);
    assert_int_equal(asked.cancelled, 1);
    bring_three(&d);
    assert_int_equal(asked.heard, 0); /* unasked it is silent */
    press(&d, "<S-Tab><Tab>");
    assert_int_equal(asked.n, 3); /* the next one already */
    assert_int_equal(d.mode, MODE_STEP);
    assert_int_equal(desk_track(&d)->n, 3);
    assert_int_equal(desk_track(&d)->notes[2].pitch, 62);
    press(&d, "<Enter>zc"); /* notes of a chord are not steps */
    assert_int_equal(asked.n, 3);
    press(&d, "<Enter>");
    assert_int_equal(asked.n, 4);
    bring_three(&d);
    press(&d, "<Esc>");
    assert_int_equal(d.mode, MODE_NORMAL);
    assert_null(desk_suggestion(&d));
    must(&d, "track drums");
    press(&d, "iz");
    assert_int_equal(asked.n, 4);
    press(&d, "<Esc>2iz");
    assert_int_equal(asked.n, 5);
    end(&d, 5, EVENT_FAILED, "no model can suggest");
    assert_true(d.message_bad);
    press(&d, "z"); /* it would fail again */
    assert_int_equal(asked.n, 5);
    desk_fini(&d);
}

/* Behind the last bar something may be suggested too; accepting it makes the song longer. */
static void test_at_the_end(void **state)
{
    struct desk d;
    (void)state;
    set_up(&d);
    must(&d, "bar 4");
    press(&d, "$lll");
    d.tick = 4 * BAR - 240;
    press(&d, "gn");
    bring(&d, asked.n, 0.5, d.tick, 60, 0);
    press(&d, "<Tab>");
    assert_int_equal(d.tick, 4 * BAR);
    assert_int_equal(session_n_bars(d.session), 4);
    press(&d, "gn");
    assert_int_equal(asked.rq.bar0, 4);
    bring(&d, asked.n, 0.5, d.tick, 62, 0);
    press(&d, "<Tab>");
    assert_int_equal(session_n_bars(d.session), 8);
    assert_int_equal(d.tick, 4 * BAR + 240);
    press(&d, "u");
    assert_int_equal(session_n_bars(d.session), 4);
    d.tick = 4 * BAR;
    press(&d, "<Enter>"); /* a note by hand there does so too */
    assert_int_equal(session_n_bars(d.session), 8);
    desk_fini(&d);
}

static void test_suggestion_of(void **state)
{
    struct song *song = song_new_band();
    struct take t = {.params = "p=0.312 seed"};
    struct suggestion s;
    (void)state;
    struct track *piano = &song->tracks[ROLE_PIANO];
    track_add(piano, (struct note){0, 2000, 60, 90});
    track_add(piano, (struct note){960, 480, 64, 90});
    t.song = song_dup(song);
    piano = &t.song->tracks[ROLE_PIANO];
    track_add(piano, (struct note){960, 240, 60, 70}); /* cuts the first */
    track_add(piano, (struct note){480, 240, 72, 70}); /* before the place */
    track_tidy(piano);
    for (int i = 0; i < SUGGESTION_NOTES; i++)
        track_add(&t.song->tracks[ROLE_BASS], (struct note){960 + i, 10, 40, 70});
    suggestion_of(&t, song, ROLE_PIANO, 960, &s);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.notes[0].pitch, 60);
    assert_int_equal(s.notes[0].tick, 960);
    assert_true(s.p == 0.312);
    for (int i = 0; i < SUGGESTION_NOTES; i++)
        track_add(piano, (struct note){1000, 10, (uint8_t)(20 + i), 70});
    str_copy(t.params, sizeof t.params, "T=1");
    suggestion_of(&t, song, ROLE_PIANO, 960, &s);
    assert_int_equal(s.n, SUGGESTION_NOTES);
    assert_true(s.p == 0);
    song_free(song);
    take_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suggestion_of), cmocka_unit_test(test_asking),   cmocka_unit_test(test_turning_over),
        cmocka_unit_test(test_accepting),     cmocka_unit_test(test_dropping), cmocka_unit_test(test_late_answers),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_kept_cells), cmocka_unit_test(test_model),
        cmocka_unit_test(test_by_itself),     cmocka_unit_test(test_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
