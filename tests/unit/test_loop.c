/* Every default key of the table, pressed in its mode and pane on a desk with music, takes and a request to repeat:
 * something must change that a person or a door of the desk notices, and nothing may complain. A key that does
 * not is listed below with the reason, so a new key is either seen to work or explained. */
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
#include "tui/view.h"

/* What the fake doors were asked, and the picture: all that a person could tell apart. */
struct seen {
    struct str doors;
    enum want want;
    struct cell *cells;
};
enum { W = 120, H = 44 };
static struct str asked;

static enum err do_submit(void *ctx, const char *model, const struct request *rq, int *job)
{
    (void)ctx, (void)model;
    str_addf(&asked, "submit %d ", (int)rq->verb);
    *job = 7;
    return ERR_OK;
}
static void do_cancel(void *ctx, int job)
{
    (void)ctx, (void)job;
    str_add(&asked, "cancel ");
}
static enum err do_play(void *ctx, int32_t from)
{
    (void)ctx;
    str_addf(&asked, "play %d ", (int)from);
    return ERR_OK;
}
static void do_stop(void *ctx)
{
    (void)ctx;
    str_add(&asked, "stop ");
}
static void do_panic(void *ctx)
{
    (void)ctx;
    str_add(&asked, "panic ");
}
static enum err do_stems(void *ctx, const struct song *song, const char *path)
{
    (void)ctx, (void)song, (void)path;
    str_add(&asked, "stems ");
    return ERR_OK;
}
static enum err do_render(void *ctx, const struct song *song, const struct render_opts *o, const char *path)
{
    (void)ctx, (void)song, (void)o, (void)path;
    str_add(&asked, "render ");
    return ERR_OK;
}

static void see(struct ui *ui, struct seen *out)
{
    struct grid g;
    struct desk *d = ui->desk;
    char message[sizeof d->message];
    memcpy(message, d->message, sizeof message); /* what is said is not what is done */
    d->message[0] = '\0';
    grid_init(&g, W, H, false);
    ui_draw(ui, &g);
    out->cells = g.at;
    out->want = d->want;
    str_add(&out->doors, str_c(&asked));
    memcpy(d->message, message, sizeof message);
}

static bool same(const struct seen *a, const struct seen *b)
{
    return a->want == b->want && str_same(str_c(&a->doors), str_c(&b->doors)) &&
           !memcmp(a->cells, b->cells, (size_t)W * H * sizeof *a->cells);
}

static void seen_fini(struct seen *s)
{
    free(s->cells);
    str_fini(&s->doors);
}

static void must(struct desk *d, const char *line)
{
    if (command_run(d, line) != ERR_OK)
        fail_msg("%s: %s", line, err_text());
}

static void add_model(struct desk *d)
{
    static const char *const genres[] = {"pop", "rock", "jazz"};
    struct model_info *m = xcalloc(2, sizeof *m);
    for (int i = 0; i < 2; i++) {
        m[i].name = xstrdup(i ? "other" : "band");
        m[i].path = xstrdup(m[i].name);
        m[i].family = xstrdup("band");
        m[i].licence = xstrdup("MIT");
        m[i].verbs = ~0u;
        m[i].n_genres = COUNT_OF(genres);
        m[i].genres = xcalloc(COUNT_OF(genres), sizeof *m[i].genres);
        for (size_t k = 0; k < COUNT_OF(genres); k++)
            m[i].genres[k] = xstrdup(genres[k]);
    }
    desk_models(d, m, 2);
}

static void add_takes(struct desk *d)
{
    struct request rq;
    session_request(d->session, VERB_ACCOMPANY, 0, 4, &rq);
    session_begin_takes(d->session, &rq, 0);
    for (int i = 0; i < 5; i++) {
        struct take *t = xcalloc(1, sizeof *t);
        t->seed = 42 + (uint64_t)i;
        t->song = song_dup(rq.song);
        for (int k = 0; k < 6; k++)
            track_add(&t->song->tracks[ROLE_BASS], (struct note){k * 480, 240, (uint8_t)(36 + i + k), 90});
        session_add_take(d->session, i, t);
    }
    session_mark(d->session, 0, 1);
    session_mark(d->session, 1, 3);
    session_choose(d->session, 2);
}

/* A form of two sections, the hand in the middle of it, music in every track, two steps to undo and one to redo, the cursor on a note in the middle. */
static void set_up(struct desk *d, struct ui *ui)
{
    desk_init(d);
    d->doors = (struct doors){.submit = do_submit,
                              .cancel = do_cancel,
                              .play = do_play,
                              .stop = do_stop,
                              .panic = do_panic,
                              .render = do_render,
                              .render_stems = do_stems};
    d->asks = true;
    add_model(d);
    must(d, "bars 8");
    session_edit_begin(d->session, "music");
    for (int r = 0; r < N_ROLES; r++)
        for (int k = 0; k < 24; k++)
            track_add(&session_song(d->session)->tracks[r],
                      (struct note){k * 480, 480, (uint8_t)(r == ROLE_DRUMS ? 36 + k % 8 : 57 + k % 5), 80});
    /* a note that makes a chord with one of them, beside the grid */
    track_add(&session_song(d->session)->tracks[ROLE_PIANO], (struct note){2895, 200, 59, 80});
    /* one of another track, where the piano has none */
    track_add(&session_song(d->session)->tracks[ROLE_STRINGS], (struct note){2880, 480, 64, 80});
    session_song(d->session)->tracks[ROLE_GUITAR].mute = true;
    session_song(d->session)->tracks[ROLE_BASS].solo = true;
    session_edit_end(d->session);
    add_takes(d);
    must(d, "duplicate");
    must(d, "chain A B A B");
    must(d, "section next");
    must(d, "section next");
    must(d, "keep bar");
    must(d, "tempo 111");
    must(d, "tempo 99");
    must(d, "undo");
    must(d, "track piano");
    must(d, "yank");
    desk_goto(d, 1920 + 480);
    desk_pitch(d, 57);
    d->playhead = 1920;
    ui_init(ui, d, false);
}

static void suggest_two(struct desk *d)
{
    for (int i = 0; i < 2; i++) {
        struct event ev = {.kind = EVENT_TAKE, .job = 7, .index = i, .take = xcalloc(1, sizeof *ev.take)};
        ev.take->song = song_dup(session_song(d->session));
        track_add(&ev.take->song->tracks[d->track], (struct note){d->tick, 240, (uint8_t)(64 + i), 80});
        desk_event(d, &ev);
        event_fini(&ev);
    }
    desk_event(d, &(struct event){.kind = EVENT_DONE, .job = 7, .index = 2});
}

static void enter(struct desk *d, enum keys in)
{
    static const char *const how[N_COLUMNS] = {[KEYS_NORMAL] = "normal",          [KEYS_STEP] = "step",
                                               [KEYS_SELECT] = "select",          [KEYS_TAKES] = "pane takes",
                                               [KEYS_GENERATE] = "pane generate", [KEYS_MIXER] = "pane mixer",
                                               [KEYS_FALL] = "waterfall",         [KEYS_SUGGEST] = "suggest"};
    if (!how[in])
        fail_msg("say how to come to %s", keys_name(in));
    must(d, how[in]);
    if (in == KEYS_SELECT) { /* something to change: some rows of a bar */
        must(d, "up");
        must(d, "up");
        must(d, "bar +1");
    }
    if (in == KEYS_STEP) { /* a note to tie and to erase */
        must(d, "key-note 4");
    }
    if (in == KEYS_GENERATE) /* neither at an end nor the first */
        must(d, "row 7");
    if (in == KEYS_TAKES)
        must(d, "row 2");
    if (in == KEYS_SUGGEST)
        suggest_two(d);
    assert_int_equal(keys_here(d), in);
}

/* Keys that leave everything as it is here, and why that is right. */
static const struct {
    enum keys in;
    const char *action, *arg, *why;
} quiet[] = {
    {KEYS_NORMAL, "normal", NULL, "NORMAL it is already"},
    {KEYS_NORMAL, "cancel", NULL, "nothing is running: it tells how to quit"},
    {KEYS_STEP, "cancel", NULL, "nothing is running"},
    {KEYS_STEP, "redo", NULL, "a note was written: there is nothing to take again"},
    {KEYS_NORMAL, "record", NULL, "there is no MIDI input: it says so"},
    {KEYS_NORMAL, "track", "2", "the piano has the focus"},
    {KEYS_SELECT, "track", "2", "the piano has the focus"},
    {KEYS_NORMAL, "yank", NULL, "what was yanked is in no picture"},
};

static bool may_be_quiet(const struct binding *b)
{
    for (size_t i = 0; i < COUNT_OF(quiet); i++)
        if (quiet[i].in == b->in && str_same(quiet[i].action, b->action->name) &&
            (!quiet[i].arg || (b->arg && str_starts(b->arg, quiet[i].arg))))
            return true;
    return false;
}

/* Files are written where the test runs: those actions are tested elsewhere. */
static bool writes(const struct action *a)
{
    return a->group == GROUP_FILE && !str_same(a->name, "open");
}

static void test_every_key_does_something(void **state)
{
    size_t n, pressed = 0, n_wrong = 0;
    const struct binding *b = bindings(&n);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct desk d;
        struct ui ui;
        struct seen before = {0}, after = {0};
        char first[16], second[16];
        if (writes(b[i].action))
            continue;
        str_clear(&asked);
        set_up(&d, &ui);
        enter(&d, b[i].in);
        str_clear(&asked);
        see(&ui, &before);
        d.message_bad = false;
        bool meant = command_key(&d, b[i].key[0]);
        if (b[i].key[1])
            meant = command_key(&d, b[i].key[1]);
        see(&ui, &after);
        keycode_print(b[i].key[0], first);
        keycode_print(b[i].key[1], second);
        const char *wrong = !meant                  ? "is not taken"
                            : may_be_quiet(&b[i])   ? NULL
                            : d.message_bad         ? d.message
                            : same(&before, &after) ? "changes nothing"
                                                    : NULL;
        if (wrong)
            print_error("%s %s in %s (%s): %s\n", first, b[i].key[1] ? second : "", keys_name(b[i].in),
                        b[i].action->name, wrong);
        n_wrong += wrong != NULL;
        seen_fini(&before);
        seen_fini(&after);
        ui_fini(&ui);
        desk_fini(&d);
        pressed++;
    }
    assert_int_equal(n_wrong, 0);
    assert_true(pressed > 150);
    str_fini(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_key_does_something)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
