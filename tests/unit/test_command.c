/* The table of actions agrees with itself: every row has help and a function, no key means two things in a
 * mode, prefixes and plain keys do not collide, every footer hint and key shown works; and the language
 * does what it says. */
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

static void test_every_action_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_actions; i++) {
        const struct action *a = &actions[i];
        assert_non_null(a->run);
        assert_true(a->help && a->help[0]);
        assert_true(a->max_args == 0 ? a->args == NULL : a->args != NULL);
        assert_true(a->min_args <= a->max_args);
        assert_true((a->complete == COMPLETE_WORDS) == (a->words != NULL));
        assert_ptr_equal(action_find(a->name), a);
        for (size_t k = i + 1; k < n_actions; k++)
            assert_string_not_equal(a->name, actions[k].name);
    }
    assert_string_equal(action_find("q")->name, "quit"); /* quit! goes on from it */
    assert_null(action_find("s"));                        /* save, select, solo... */
    assert_null(action_find(""));
}

static void test_no_key_means_two_things(void **state)
{
    size_t n;
    const struct binding *b = bindings(&n);
    (void)state;
    assert_true(n > 100);
    for (size_t i = 0; i < n; i++) {
        assert_int_not_equal(b[i].key[0], KC_NONE);
        for (size_t k = i + 1; k < n; k++) {
            if (b[i].in != b[k].in || b[i].key[0] != b[k].key[0])
                continue;
            if (b[i].key[1] == b[k].key[1] || !b[i].key[1] || !b[k].key[1])
                fail_msg("%s and %s share a key in %s", b[i].action->name, b[k].action->name,
                         keys_name(b[i].in));
        }
        static const int never[] = {'h', 'i', 'j', 'm', '[', 'q'};
        for (size_t k = 0; k < COUNT_OF(never); k++)
            assert_int_not_equal(b[i].key[0], KC_CTRL | never[k]);
    }
}

/* A key that gives no argument may only start an action that can ask for it: it must fit the prompt. */
static void test_bound_arguments_fit(void **state)
{
    size_t n;
    const struct binding *b = bindings(&n);
    (void)state;
    for (size_t i = 0; i < n; i++)
        if (b[i].arg) {
            assert_true(b[i].action->max_args >= 1);
            assert_true(b[i].arg_len > 0 && b[i].arg_len < 31);
        } else if (b[i].key[1]) {
            assert_non_null(b[i].action->hint);
        }
}

static void test_help_names_every_action_and_footers_fit(void **state)
{
    struct str help = {0};
    (void)state;
    command_help(200, &help);
    for (size_t i = 0; i < n_actions; i++) {
        struct str want = {0};
        str_addf(&want, ":%s", actions[i].name);
        assert_non_null(strstr(str_c(&help), str_c(&want)));
        assert_non_null(strstr(str_c(&help), actions[i].help));
        str_fini(&want);
    }
    for (int m = 0; m < N_COLUMNS; m++)
        for (int width = 20; width < 200; width += 7) {
            struct str line = {0};
            command_footer((enum keys)m, width, &line);
            assert_true((int)line.len <= width);
            str_fini(&line);
        }
    str_fini(&help);
}

static void test_keycodes(void **state)
{
    static const struct {
        const char *text;
        int key;
        const char *human;
    } cases[] = {
        {"a", 'a', "a"},
        {"<Space>", ' ', "Space"},
        {"<C-s>", KC_CTRL | 's', "Ctrl-S"},
        {"<PgUp>", KC_PGUP, "PgUp"},
        {"<Lt>", '<', "<"},
        {"\xc3\xa4", 0xe4, "\xc3\xa4"},
        {"<Nonsense>", KC_NONE, "?"},
        {"", KC_NONE, "?"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *p = cases[i].text;
        char human[16];
        assert_int_equal(keycode_parse(&p), cases[i].key);
        keycode_print(cases[i].key, human);
        assert_string_equal(human, cases[i].human);
    }
    for (int code = ' '; code < 0x10ffff; code += 97) {
        char text[8];
        int bytes;
        if ((code >= 0xd800 && code < 0xe000) || code == 0x7f)
            continue;
        int n = keycode_to_utf8(code, text);
        assert_int_equal(keycode_from_utf8(text, &bytes), code);
        assert_int_equal(bytes, n);
    }
    static const char *const malformed[] = {
        "\xff", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\x80"};
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        int bytes;
        assert_int_equal(keycode_from_utf8(malformed[i], &bytes), 0xfffd);
        assert_int_equal(bytes, 1);
    }
}

static void test_language(void **state)
{
    struct desk d;
    (void)state;
    desk_init(&d);
    assert_int_equal(command_run(&d, ""), ERR_OK);
    assert_int_equal(command_run(&d, "  # a comment"), ERR_OK);
    assert_int_equal(command_run(&d, "seed 42"), ERR_OK);
    assert_int_equal(session_settings(d.session)->seed, 42);
    assert_int_equal(command_run(&d, "key \"A minor\""), ERR_OK);
    assert_string_equal(session_settings(d.session)->key, "A minor");
    assert_int_equal(command_run(&d, "key Bb minor"), ERR_OK);
    assert_int_equal(command_run(&d, "temperat 1.5"), ERR_OK);
    assert_true(session_settings(d.session)->temperature == 1.5);
    assert_int_equal(command_run(&d, "temperature 99"), ERR_RANGE);
    assert_int_equal(command_run(&d, "un"), ERR_MISSING); /* undo, unmute, unsolo */
    assert_int_equal(command_run(&d, "no-such"), ERR_MISSING);
    assert_int_equal(command_run(&d, "undo 3"), ERR_FORMAT);
    assert_int_equal(command_run(&d, "key \"A"), ERR_FORMAT);
    assert_int_equal(command_run(&d, "genre"), ERR_FORMAT);
    assert_int_equal(d.want, WANT_PROMPT);
    assert_string_equal(d.want_text, "genre ");
    assert_int_equal(command_run(&d, "generate"), ERR_UNSUPPORTED); /* no engine behind this desk */
    assert_int_equal(command_run(&d, "track bass"), ERR_OK);
    assert_int_equal(d.track, ROLE_BASS);
    desk_fini(&d);
}

static void press(struct desk *d, const char *keys)
{
    for (const char *p = keys; *p; p += *p == ' ')
        assert_true(command_key(d, keycode_parse(&p)));
}

static void test_keys_edit_a_song(void **state)
{
    struct desk d;
    (void)state;
    desk_init(&d);
    press(&d, "<Enter>llllk<Enter>");
    const struct track *t = desk_track(&d);
    assert_int_equal(t->n, 2);
    assert_int_equal(t->notes[0].pitch, 60);
    assert_int_equal(t->notes[1].tick, 480);
    assert_int_equal(t->notes[1].pitch, 61);
    press(&d, "x");
    assert_int_equal(t->n, 1);
    press(&d, "uU");
    press(&d, "b+)");
    assert_int_equal(desk_track(&d)->notes[0].vel, 104);
    assert_int_equal(desk_track(&d)->notes[0].dur, 360);
    press(&d, "tt");
    assert_int_equal(d.want, WANT_PROMPT);
    assert_string_equal(d.want_text, "transpose ");
    assert_false(command_key(&d, 'g') && command_key(&d, 'Q'));
    desk_fini(&d);
}

static void test_messages_are_of_the_last_key(void **state)
{
    struct desk d;
    (void)state;
    desk_init(&d);
    command_key(&d, 'u');
    assert_string_equal(d.message, "nothing to undo");
    command_key(&d, 'g'); /* waits for its second key */
    assert_string_equal(d.message, "nothing to undo");
    command_key(&d, KC_ESC);
    command_key(&d, 'l');
    assert_string_equal(d.message, "");
    assert_false(d.message_bad);
    assert_int_equal(command_run(&d, "tempo 999"), ERR_RANGE);
    assert_string_equal(err_text(), "tempo goes from 20 to 400");
    desk_fini(&d);
}

static void test_step_entry(void **state)
{
    struct desk d;
    (void)state;
    desk_init(&d);
    press(&d, "i[zxc<Enter>qet<Enter><Tab><Eq>z");
    const struct track *t = desk_track(&d);
    static const struct note want[] = {
        {0, 120, 60, 96},   {120, 120, 62, 96}, {240, 120, 64, 96}, {360, 120, 72, 96},
        {360, 120, 76, 96}, {360, 120, 79, 96}, {600, 120, 72, 96},
    };
    assert_int_equal(t->n, COUNT_OF(want));
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        assert_int_equal(t->notes[i].tick, want[i].tick);
        assert_int_equal(t->notes[i].pitch, want[i].pitch);
        assert_int_equal(t->notes[i].dur, want[i].dur);
    }
    press(&d, "/");
    assert_int_equal(t->notes[6].dur, 240);
    press(&d, "<Left><Back>");
    assert_int_equal(desk_track(&d)->n, 6);
    press(&d, "<Esc>");
    assert_int_equal(d.mode, MODE_NORMAL);
    static const int32_t lens[] = {60, 120, 240, 480, 960};
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        d.mode = MODE_STEP;
        d.len = lens[i];
        press(&d, "..''");
        assert_int_equal(d.len, lens[i]);
    }
    desk_fini(&d);
}

/* Writing past the end lengthens the song by a phrase, as one step with the note. */
static void test_step_entry_grows_the_song(void **state)
{
    struct desk d;
    (void)state;
    desk_init(&d);
    assert_int_equal(command_run(&d, "bar 4"), ERR_OK);
    press(&d, "i]]]zz");
    assert_int_equal(session_n_bars(d.session), 8);
    assert_int_equal(session_n_undo(d.session), 2);
    press(&d, "<Esc>u");
    assert_int_equal(session_n_bars(d.session), 4);
    desk_fini(&d);
}

static void test_select_and_keep(void **state)
{
    struct desk d;
    (void)state;
    desk_init(&d);
    press(&d, "}V}jf");
    assert_int_equal(d.mode, MODE_NORMAL);
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < 4; bar++)
            assert_int_equal(session_kept(d.session, (enum role)r, bar),
                             (r == ROLE_PIANO || r == ROLE_GUITAR) && (bar == 1 || bar == 2));
    press(&d, "f");
    assert_true(session_track_kept(d.session, ROLE_GUITAR));
    press(&d, "F");
    assert_false(session_any_kept(d.session, 0, 4));
    assert_int_equal(session_n_undo(d.session), 3);
    assert_int_equal(command_run(&d, "keep bar"), ERR_OK);
    assert_true(session_kept(d.session, ROLE_GUITAR, desk_bar(&d)));
    desk_fini(&d);
}

/* An engine of our own behind the doors: what a request asks is checked, and takes come through events. */
struct fake {
    struct request last;
    int n, cancelled;
};

static enum err fake_submit(void *ctx, const char *model, const struct request *rq, int *job)
{
    struct fake *f = ctx;
    assert_null(model);
    f->last = *rq;
    *job = f->n++;
    return ERR_OK;
}

static void fake_cancel(void *ctx, int job)
{
    ((struct fake *)ctx)->cancelled = job + 1;
}

static void deliver(struct desk *d, const struct fake *f, int job, int i)
{
    struct event ev = {.kind = EVENT_TAKE, .job = job, .index = i, .take = xcalloc(1, sizeof *ev.take)};
    ev.take->seed = f->last.seed + (uint64_t)i;
    ev.take->song = song_dup(session_song(d->session));
    for (int r = 0; r < N_ROLES; r++)
        if (!f->last.keep[r][0])
            track_add(&ev.take->song->tracks[r], (struct note){10 * i, 100, 50, 100});
    desk_event(d, &ev);
    if (ev.take) {
        take_fini(ev.take);
        free(ev.take);
    }
}

static void test_accompany(void **state)
{
    struct desk d;
    struct fake f = {0};
    (void)state;
    desk_init(&d);
    d.doors = (struct doors){.ctx = &f, .submit = fake_submit, .cancel = fake_cancel};
    assert_int_equal(command_run(&d, "accompany"), ERR_EMPTY);
    press(&d, "<Enter>");
    assert_int_equal(command_run(&d, "seed 42"), ERR_OK);
    assert_int_equal(command_run(&d, "mute strings"), ERR_OK);
    press(&d, "ga");
    assert_int_equal(f.n, 1);
    assert_int_equal(f.last.verb, VERB_ACCOMPANY);
    assert_int_equal(f.last.seed, 42);
    assert_int_equal(f.last.n_takes, 8);
    assert_int_equal(f.last.n_bars, 4);
    assert_true(f.last.keep[ROLE_PIANO][3] && !f.last.keep[ROLE_DRUMS][0]);
    assert_true(f.last.silent[ROLE_STRINGS] && !f.last.silent[ROLE_BASS]);
    assert_int_equal(command_run(&d, "generate"), ERR_BUSY);
    deliver(&d, &f, 0, 2);
    deliver(&d, &f, 0, 0);
    deliver(&d, &f, 5, 1); /* of another job: not ours */
    assert_int_equal(session_n_takes(d.session), 2);
    assert_int_equal(session_current(d.session), 1);
    assert_int_equal(session_take_number(d.session, 1), 3);
    assert_int_equal(session_song(d.session)->tracks[ROLE_STRINGS].n, 0);
    assert_int_equal(session_song(d.session)->tracks[ROLE_BASS].n, 1);
    assert_int_equal(session_song(d.session)->tracks[ROLE_PIANO].n, 1);
    press(&d, "<C-c>");
    assert_int_equal(f.cancelled, 1);
    struct event over = {.kind = EVENT_CANCELLED, .job = 0};
    desk_event(&d, &over);
    assert_int_equal(d.job, -1);
    press(&d, "A[B\\*");
    assert_int_equal(session_current(d.session), 1);
    press(&d, "g.");
    assert_int_equal(f.last.seed, 50);
    over.job = 1;
    desk_event(&d, &over);
    press(&d, "}gr"); /* the cursor is on a kept track */
    assert_int_equal(f.last.verb, VERB_ACCOMPANY);
    press(&d, "Jgr");
    assert_int_equal(f.last.verb, VERB_INFILL);
    int open = 0;
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < f.last.n_bars; bar++)
            open += !f.last.keep[r][bar];
    assert_int_equal(open, 1);
    desk_fini(&d);
}

static void test_completion(void **state)
{
    static const struct {
        const char *line;
        size_t n, from;
        const char *first;
    } cases[] = {
        {"gen", 2, 0, "generate"}, {"keep ", 3, 5, "bar"}, {"keep t", 1, 5, "track"},
        {"track B", 1, 6, "Bass"}, {"key B", 2, 4, "Bb"},  {"undo ", 0, 5, NULL},
        {"zzz", 0, 0, NULL},
    };
    struct desk d;
    (void)state;
    desk_init(&d);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct words w = {0};
        size_t from;
        command_complete(&d, cases[i].line, &w, &from);
        assert_int_equal(w.n, cases[i].n);
        assert_int_equal(from, cases[i].from);
        if (w.n)
            assert_string_equal(w.at[0], cases[i].first);
        words_fini(&w);
    }
    desk_fini(&d);
}

static void suggest(struct desk *d)
{
    struct event ev = {.kind = EVENT_TAKE, .job = d->suggest.job, .take = xcalloc(1, sizeof *ev.take)};
    ev.take->song = song_dup(session_song(d->session));
    for (int i = rand() % 3; i >= 0; i--)
        track_add(&ev.take->song->tracks[d->track],
                  (struct note){d->tick + rand() % 2000, 1 + rand() % 999, (uint8_t)(rand() % 128), 90});
    desk_event(d, &ev);
    event_fini(&ev);
}

/* Random keys in every mode: nothing may crash, and undo still leads back to the start. */
static void test_random_keys(void **state)
{
    size_t n;
    const struct binding *b = bindings(&n);
    (void)state;
    for (unsigned seed = 1; seed < 20; seed++) {
        struct desk d;
        struct fake f = {0};
        desk_init(&d);
        d.doors = (struct doors){.ctx = &f, .submit = fake_submit, .cancel = fake_cancel};
        srand(seed);
        for (int i = 0; i < 2000; i++) {
            const struct binding *one = &b[(size_t)rand() % n];
            if ((one->in != keys_here(&d) && one->in != KEYS_NORMAL) || one->action->group == GROUP_FILE)
                continue;
            command_key(&d, one->key[0]);
            if (one->key[1])
                command_key(&d, one->key[1]);
            d.want = WANT_NOTHING;
            if (d.job >= 0 && rand() % 4 == 0)
                deliver(&d, &f, d.job, rand() % 8);
            if (d.suggest.job >= 0 && rand() % 2 == 0)
                suggest(&d);
        }
        while (session_undo(d.session))
            ;
        for (int r = 0; r < N_ROLES; r++)
            assert_int_equal(session_song(d.session)->tracks[r].n, 0);
        desk_fini(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_action_is_complete),
        cmocka_unit_test(test_no_key_means_two_things),
        cmocka_unit_test(test_bound_arguments_fit),
        cmocka_unit_test(test_help_names_every_action_and_footers_fit),
        cmocka_unit_test(test_keycodes),
        cmocka_unit_test(test_language),
        cmocka_unit_test(test_keys_edit_a_song),
        cmocka_unit_test(test_messages_are_of_the_last_key),
        cmocka_unit_test(test_step_entry),
        cmocka_unit_test(test_step_entry_grows_the_song),
        cmocka_unit_test(test_select_and_keep),
        cmocka_unit_test(test_accompany),
        cmocka_unit_test(test_completion),
        cmocka_unit_test(test_random_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
