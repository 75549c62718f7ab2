/* Whole frames, drawn without a terminal and compared with the pictures in tests/golden/screen. A picture
 * that changed on purpose is written anew with UPDATE=1. Also: no size and no state may draw outside. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "mem.h"
#include "tui/theme.h"
#include "tui/view.h"

static char *genre_names[] = {"pop", "rock", "jazz"};

static void put(struct desk *d, int role, int bar, int step, int len, int pitch, int vel)
{
    track_add(&session_song(d->session)->tracks[role],
              (struct note){1920 * bar + 120 * step, 120 * len, (uint8_t)pitch, (uint8_t)vel});
}

/* Four bars: a piano that is kept, drums, a bass kept in its second bar; a muted guitar; strings off the grid. */
static void compose(struct desk *d)
{
    static const int chords[4][3] = {{57, 60, 64}, {53, 57, 60}, {48, 52, 55}, {55, 59, 62}};
    session_edit_begin(d->session, "seed");
    for (int bar = 0; bar < 4; bar++) {
        for (int i = 0; i < 3; i++) {
            put(d, ROLE_PIANO, bar, 0, 3, chords[bar][i], 96);
            put(d, ROLE_PIANO, bar, 6, 2, chords[bar][i], 70);
        }
        for (int step = 0; step < 16; step += 2)
            put(d, ROLE_DRUMS, bar, step, 1, step % 8 == 0 ? 36 : step % 8 == 4 ? 38 : 42, 100);
        put(d, ROLE_BASS, bar, 0, 8, chords[bar][0] - 24, 90);
        put(d, ROLE_GUITAR, bar, 4, 4, chords[bar][2], 80);
    }
    track_add(&session_song(d->session)->tracks[ROLE_STRINGS], (struct note){1920 + 40, 900, 72, 60});
    session_song(d->session)->tracks[ROLE_GUITAR].mute = true;
    session_edit_end(d->session);
    session_keep(d->session, ROLE_PIANO, -1, true);
    session_keep(d->session, ROLE_BASS, 1, true);
}

static void add_takes(struct desk *d, int n)
{
    struct request rq;
    session_request(d->session, VERB_ACCOMPANY, 0, 4, &rq);
    session_begin_takes(d->session, &rq, 0);
    for (int i = 0; i < n; i++) {
        struct take *t = xcalloc(1, sizeof *t);
        t->seed = 42 + (uint64_t)i;
        t->song = song_dup(rq.song);
        t->song->tracks[ROLE_PIANO].notes[0].vel -= (uint8_t)i; /* none is like another */
        t->empty = i == 4;
        session_add_take(d->session, i, t);
    }
    session_star(d->session, 2);
    session_mark(d->session, 0, 0);
    session_mark(d->session, 1, 7);
    session_choose(d->session, 0);
}

static void open_ui(struct ui *ui, struct desk *d, bool ascii)
{
    struct model_info *m = xcalloc(1, sizeof *m);
    desk_init(d);
    m->name = xstrdup("band");
    m->path = xstrdup("band.safetensors");
    m->family = xstrdup("band");
    m->licence = xstrdup("MIT");
    m->bytes = 4200000;
    m->verbs = 1u << VERB_ACCOMPANY;
    m->n_genres = COUNT_OF(genre_names);
    m->genres = xcalloc(COUNT_OF(genre_names), sizeof *m->genres);
    for (size_t i = 0; i < COUNT_OF(genre_names); i++)
        m->genres[i] = xstrdup(genre_names[i]);
    desk_models(d, m, 1);
    session_settings(d->session)->seed = 42;
    str_copy(session_settings(d->session)->genre, 32, "rock");
    str_copy(session_settings(d->session)->key, 16, "A minor");
    compose(d);
    add_takes(d, 8);
    desk_focus(d, ROLE_PIANO);
    desk_goto(d, 2 * 1920 + 5 * 120);
    desk_pitch(d, 57);
    ui_init(ui, d, ascii);
    str_copy(ui->sound, sizeof ui->sound, "FLUID -8dB");
    str_copy(ui->compute, sizeof ui->compute, "cpu 2 thr");
}

static void close_ui(struct ui *ui, struct desk *d)
{
    ui_fini(ui);
    desk_fini(d);
}

static void picture(struct ui *ui, int w, int h, struct str *out)
{
    struct grid g;
    grid_init(&g, w, h, ui->signs == &signs_ascii);
    ui_draw(ui, &g);
    grid_print(&g, out);
    grid_fini(&g);
}

static void compare_text(const char *path, struct str *now)
{
    uint8_t *want = NULL;
    size_t len = 0;
    if (getenv("UPDATE"))
        assert_int_equal(file_write(path, now->p, now->len), ERR_OK);
    if (file_read(path, 1 << 20, &want, &len) != ERR_OK)
        fail_msg("%s", err_text());
    if (len != now->len || memcmp(want, now->p, len))
        fail_msg("%s differs; now it is:\n%s", path, now->p);
    free(want);
    str_fini(now);
}

static void compare(struct ui *ui, int w, int h, const char *name)
{
    struct str now = {0};
    char path[160];
    str_format(path, sizeof path, "tests/golden/screen/%s-%dx%d.txt", name, w, h);
    picture(ui, w, h, &now);
    compare_text(path, &now);
}

/* The colours of a frame: a letter a cell, and what each letter looks like. Blank cells without ground are left
 * out: their colour is not seen. */
static void paint(struct ui *ui, enum depth depth, int w, int h, struct str *out)
{
    struct grid g;
    struct paint seen[80];
    int n = 0;
    grid_init(&g, w, h, ui->signs == &signs_ascii);
    ui_draw(ui, &g);
    for (int i = 0; i < w * h; i++) {
        const struct cell *c = &g.at[i];
        struct paint p = theme_paint(depth, (enum style)c->style, (enum ground)c->ground);
        int k = 0;
        p.look |= c->look;
        while (k < n && (seen[k].fg != p.fg || seen[k].bg != p.bg || seen[k].look != p.look))
            k++;
        if (k == n && n < (int)COUNT_OF(seen))
            seen[n++] = p;
        str_addc(out, c->ch == ' ' && p.bg < 0 && !(p.look & LOOK_REVERSE) ? ' ' : (char)('0' + k));
        if (i % w == w - 1)
            str_addc(out, '\n');
    }
    for (int k = 0; k < n; k++)
        str_addf(out, "%c: %d on %d%s%s%s%s\n", '0' + k, seen[k].fg, seen[k].bg,
                 seen[k].look & LOOK_BOLD ? " bold" : "", seen[k].look & LOOK_DIM ? " dim" : "",
                 seen[k].look & LOOK_REVERSE ? " reverse" : "",
                 seen[k].look & LOOK_UNDER ? " underlined" : "");
    grid_fini(&g);
}

static void compare_paint(struct ui *ui, enum depth depth, int w, int h)
{
    static const char *const names[N_DEPTHS] = {"mono", "8", "16", "256"};
    struct str now = {0};
    char path[160];
    str_format(path, sizeof path, "tests/golden/screen/paint-%s-%dx%d.txt", names[depth], w, h);
    paint(ui, depth, w, h, &now);
    compare_text(path, &now);
}

static void press(struct desk *d, const char *line)
{
    if (command_run(d, line) != ERR_OK)
        fail_msg("%s: %s", line, err_text());
}

static void test_sizes(void **state)
{
    static const struct {
        int w, h;
    } sizes[] = {{60, 16}, {72, 24}, {80, 24}, {100, 28}, {120, 40}, {200, 60}};
    (void)state;
    for (int ascii = 0; ascii < 2; ascii++)
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            struct desk d;
            struct ui ui;
            open_ui(&ui, &d, ascii);
            compare(&ui, sizes[i].w, sizes[i].h, ascii ? "ascii" : "utf8");
            press(&d, "select");
            press(&d, "bar +1");
            d.playing = true; /* more grounds than at rest */
            d.playhead = 1920;
            if (ascii) {
                compare_paint(&ui, DEPTH_MONO, sizes[i].w, sizes[i].h);
            } else {
                compare_paint(&ui, DEPTH_256, sizes[i].w, sizes[i].h);
                compare_paint(&ui, DEPTH_8, sizes[i].w, sizes[i].h);
            }
            close_ui(&ui, &d);
        }
}

static void test_states(void **state)
{
    struct desk d;
    struct ui ui;
    struct str text = {0};
    (void)state;
    open_ui(&ui, &d, true);
    d.pending = 'g';
    compare(&ui, 80, 24, "popup");
    d.pending = 0;
    press(&d, "step");
    compare(&ui, 80, 24, "step");
    press(&d, "normal");
    press(&d, "select");
    press(&d, "bar +1");
    press(&d, "down");
    compare(&ui, 80, 24, "select");
    press(&d, "normal");
    press(&d, "track drums");
    compare(&ui, 80, 24, "drums");
    d.playing = true;
    d.playhead = 1920 + 480;
    d.job = 3;
    d.job_takes = 8;
    d.job_got = 2;
    d.progress = 0.4;
    compare(&ui, 80, 24, "busy");
    d.job = -1;
    d.playing = false;
    press(&d, "track piano");
    press(&d, "pane takes");
    press(&d, "row 3");
    compare(&ui, 80, 24, "takes");
    compare(&ui, 60, 16, "takes");
    press(&d, "pane generate");
    press(&d, "row 5");
    compare(&ui, 80, 24, "generate");
    compare(&ui, 60, 16, "generate");
    compare(&ui, 120, 40, "generate");
    press(&d, "pane mixer");
    compare(&ui, 80, 24, "mixer");
    press(&d, "waterfall");
    compare(&ui, 80, 24, "waterfall");
    press(&d, "waterfall");
    press(&d, "maximize");
    compare(&ui, 80, 24, "maximized");
    press(&d, "maximize");
    ui.over = OVER_PICK;
    pick_begin(&ui.pick, &d, PICK_FIND);
    pick_key(&ui.pick, 'r');
    pick_key(&ui.pick, 'o');
    compare(&ui, 80, 24, "find");
    ui.over = OVER_PROMPT;
    prompt_begin(&ui.prompt, &d, "genre ");
    compare(&ui, 80, 24, "prompt");
    ui.over = OVER_ASK_QUIT;
    compare(&ui, 80, 24, "ask");
    command_help(78, &text);
    ui_page(&ui, "jamroll: keys and commands", &text);
    compare(&ui, 80, 100, "help");
    str_fini(&text);
    close_ui(&ui, &d);
}

static enum err take_job(void *ctx, const char *model, const struct request *rq, int *job)
{
    (void)ctx, (void)model, (void)rq;
    *job = 4;
    return ERR_OK;
}

static void suggest(struct desk *d, int low, int high)
{
    struct event ev = {.kind = EVENT_TAKE, .job = 4, .take = xcalloc(1, sizeof *ev.take)};
    press(d, "suggest");
    ev.take->song = song_dup(session_song(d->session));
    str_copy(ev.take->params, sizeof ev.take->params, "p=0.38");
    for (int i = 0; i < 2; i++)
        track_add(&ev.take->song->tracks[d->track], (struct note){d->tick, 240 + 240 * i, (uint8_t)(i ? high : low), 90});
    desk_event(d, &ev);
    event_fini(&ev);
    desk_event(d, &(struct event){.kind = EVENT_DONE, .job = 4, .index = 1});
}

static void suggest_anew(struct desk *d, int low, int high)
{
    desk_drop_suggestion(d);
    suggest(d, low, high);
}

/* Signs of their own, told from notes of other tracks; rows they need are scrolled to and the cursor's stays; and
 * behind the last bar there is one more to see them in. */
static void test_suggestion(void **state)
{
    struct desk d;
    struct ui ui;
    (void)state;
    for (int ascii = 0; ascii < 2; ascii++) {
        open_ui(&ui, &d, ascii);
        d.doors.submit = take_job;
        press(&d, "track strings");
        desk_pitch(&d, 62);
        struct str before = {0};
        picture(&ui, 80, 24, &before);
        str_fini(&before);
        suggest(&d, 64, 70);
        compare(&ui, 80, 24, ascii ? "suggest" : "suggest-utf8");
        static const int far[][2] = {{30, 34}, {80, 91}, {40, 60}}; /* of 12 rows; the last is too wide for them */
        for (size_t i = 0; i < COUNT_OF(far); i++) {
            suggest_anew(&d, far[i][0], far[i][1]);
            struct str text = {0};
            picture(&ui, 80, 24, &text);
            assert_true(far[i][1] <= ui.top_pitch && (i == 2 || far[i][0] > ui.top_pitch - 12));
            str_fini(&text);
        }
        suggest_anew(&d, 64, 70);
        press(&d, "accept");
        d.tick = 4 * 1920;
        suggest(&d, 57, 60);
        assert_int_equal(bars_shown(&d), 5);
        compare(&ui, 120, 40, ascii ? "suggest" : "suggest-utf8");
        press(&d, "normal");
        assert_int_equal(bars_shown(&d), 4);
        close_ui(&ui, &d);
    }
}

/* Every grid, from nothing to huge, at every zoom and in odd metres: the sanitizers watch. */
static void test_any_size(void **state)
{
    struct desk d;
    struct ui ui;
    (void)state;
    open_ui(&ui, &d, false);
    session_edit_begin(d.session, "metre");
    song_set_metre(session_song(d.session), 1920, 7, 8);
    song_set_metre(session_song(d.session), 1920 + 1680, 3, 4);
    session_edit_end(d.session);
    press(&d, "bars 12");
    static const int32_t grids[] = {480, 240, 120, 80, 60, 40};
    for (size_t z = 0; z < COUNT_OF(grids); z++)
        for (int w = 0; w < 600; w += w < 130 ? 1 : 37)
            for (int h = 0; h < 70; h += h < 42 ? 3 : 13) {
                struct str out = {0};
                d.grid = grids[z];
                d.tick = 0;
                desk_goto(&d, (w * 977) % session_end(d.session));
                desk_pitch(&d, (w * 7 + h) % 128);
                d.playhead = (w * 131) % session_end(d.session);
                d.playing = w & 1;
                d.loop = w & 2;
                d.loop_to = 1920;
                d.pending = w % 5 ? 0 : 'g';
                d.pane = (enum pane)(w % 4 ? 0 : h % N_PANES);
                d.maximised = w % 7 == 3;
                d.row[d.pane] = w;
                picture(&ui, w, h, &out);
                if (w >= MIN_W && h >= MIN_H)
                    assert_true(col_of(&ui.cols, d.tick) >= 0);
                if (w >= MIN_W && h >= MIN_H && d.pending == 0 && d.pane == PANE_ROLL)
                    assert_non_null(strchr(str_c(&out), '@'));
                str_fini(&out);
            }
    close_ui(&ui, &d);
}

/* The view follows the playhead by screens when asked to. */
/* Names of chords end with their bar, also the last one, of which only the first columns may be seen. */
static void test_chords(void **state)
{
    (void)state;
    struct desk d;
    struct ui ui;
    open_ui(&ui, &d, true);
    session_set_bars(d.session, 12);
    session_edit_begin(d.session, "chords");
    for (int bar = 4; bar < 12; bar++) /* C#m7b5/G */
        for (int i = 0; i < 4; i++)
            put(&d, ROLE_STRINGS, bar, 0, 16, (int[]){ 43, 61, 64, 71 }[i], 90);
    session_edit_end(d.session);
    for (int w = 80; w < 200; w++) {
        struct grid g;
        int lane = -1;
        grid_init(&g, w, 40, true);
        ui_draw(&ui, &g);
        for (int y = 1; y < g.h && lane < 0; y++)
            if (grid_at(&g, 1, y)->ch == 'c' && grid_at(&g, 2, y)->ch == 'h' && grid_at(&g, 5, y)->ch == 'd')
                lane = y;
        assert_true(lane > 0);
        for (int x = 0; x + 1 < w; x++) /* the panel's frame, and the blank in it */
            if (grid_at(&g, x, lane - 1)->ch == '|') {
                assert_int_equal(grid_at(&g, x, lane)->ch, '|');
                if (w >= 120 && x > w - 45)
                    assert_int_equal(grid_at(&g, x + 1, lane)->ch, ' ');
            }
        grid_fini(&g);
    }
    close_ui(&ui, &d);
}

static void test_follow(void **state)
{
    struct desk d;
    struct ui ui;
    struct str out = {0};
    (void)state;
    open_ui(&ui, &d, false);
    press(&d, "bars 32");
    desk_goto(&d, 0);
    picture(&ui, 80, 24, &out);
    assert_int_equal(ui.first_bar, 0);
    d.playing = ui.follow = true;
    d.playhead = 1920 * 9;
    picture(&ui, 80, 24, &out);
    assert_true(col_of(&ui.cols, d.playhead) >= 0);
    ui.follow = false;
    picture(&ui, 80, 24, &out);
    assert_int_equal(ui.first_bar, 0);
    str_fini(&out);
    close_ui(&ui, &d);
}

/* Find a text in the picture and click on its first character, `dx` columns further. */
static void click_on(struct ui *ui, const char *what, int dx)
{
    struct grid g;
    struct str text = {0};
    int y = 0;
    grid_init(&g, 80, 24, true);
    ui_draw(ui, &g);
    grid_print(&g, &text);
    grid_fini(&g);
    const char *line = str_c(&text), *hit = strstr(line, what);
    if (!hit)
        fail_msg("no \"%s\" in\n%s", what, line);
    for (const char *p = line; p < hit; p++)
        if (*p == '\n') {
            y++;
            line = p + 1;
        }
    ui_pointer(ui, (struct pointer){.x = (int)(hit - line) + dx, .y = y});
    str_fini(&text);
}

static void drag_to(struct ui *ui, int x, int y, bool release)
{
    ui_pointer(ui, (struct pointer){.kind = release ? POINTER_RELEASE : POINTER_DRAG, .x = x, .y = y});
}

static struct note note_of(const struct desk *d, int pitch, int32_t tick)
{
    const struct track *t = desk_track(d);
    for (size_t i = 0; i < t->n; i++)
        if (t->notes[i].pitch == pitch && t->notes[i].tick == tick)
            return t->notes[i];
    fail_msg("no note of pitch %d at %d", pitch, tick);
    return (struct note){0};
}

static void test_pointer(void **state)
{
    struct desk d;
    struct ui ui;
    (void)state;
    open_ui(&ui, &d, true);
    click_on(&ui, "4 Bass", 0);
    assert_int_equal(d.track, ROLE_BASS);
    click_on(&ui, "1 Drums", 15);
    assert_int_equal(d.track, ROLE_DRUMS);
    assert_int_equal(d.tick, 4 * 120);
    click_on(&ui, ">1 Drums", 10);
    assert_true(session_track_kept(d.session, ROLE_DRUMS));
    click_on(&ui, ">1 Drums", 9);
    assert_true(session_song(d.session)->tracks[ROLE_DRUMS].mute);
    click_on(&ui, " 3* ", 1);
    assert_int_equal(session_current(d.session), 2);
    desk_focus(&d, ROLE_PIANO);
    size_t n = desk_track(&d)->n;
    click_on(&ui, " F3  ", 13);
    assert_int_equal(d.pitch, 53);
    assert_int_equal(d.tick, 120);
    assert_int_equal(desk_track(&d)->n, n + 1); /* a press puts a note */
    int steps = session_n_undo(d.session), y = ui.held.r.y + ui.top_pitch - 53;
    drag_to(&ui, GUTTER + 8, y, false); /* drawn out */
    drag_to(&ui, GUTTER + 5, y, true);
    assert_int_equal(note_of(&d, 53, 120).dur, 480);
    ui_pointer(&ui, (struct pointer){.kind = POINTER_PRESS, .x = GUTTER + 2, .y = y});
    drag_to(&ui, GUTTER + 4, y + 5, false); /* moved, down and later */
    drag_to(&ui, GUTTER + 3, y + 2, true);
    assert_int_equal(note_of(&d, 51, 240).dur, 480);
    ui_pointer(&ui, (struct pointer){.kind = POINTER_PRESS, .x = GUTTER + 6, .y = y + 2});
    drag_to(&ui, GUTTER + 9, y + 2, true); /* its end */
    assert_int_equal(note_of(&d, 51, 240).dur, 840);
    assert_int_equal(session_n_undo(d.session), steps + 2); /* a gesture is a step */
    ui_pointer(&ui, (struct pointer){.kind = POINTER_PRESS, .x = GUTTER + 3, .y = y + 2});
    drag_to(&ui, GUTTER + 3, y + 2, true); /* pressed and left: gone */
    assert_int_equal(desk_track(&d)->n, n);
    for (int i = 0; i < 4; i++)
        press(&d, "undo");
    assert_int_equal(desk_track(&d)->n, n);
    assert_int_equal(session_n_undo(d.session), steps - 1);
    click_on(&ui, "|1   2", 5);
    assert_int_equal(d.playhead, 480);
    desk_pitch(&d, 53);
    ui_pointer(&ui, (struct pointer){.kind = POINTER_WHEEL, .by = 1, .x = 20, .y = 12});
    assert_int_equal(d.pitch, 55);
    for (int i = 0; i < 3000; i++) /* anywhere, also outside: nothing breaks */
        ui_pointer(&ui, (struct pointer){.kind = (enum pointer_kind)(rand() % 4),
                                         .x = rand() % 100 - 10,
                                         .y = rand() % 40 - 10,
                                         .by = rand() % 3 - 1,
                                         .ctrl = rand() % 4 == 0});
    close_ui(&ui, &d);
}

static void test_formats(void **state)
{
    static const struct {
        int32_t ticks;
        const char *want;
    } cases[] = {
        {480, "1/4"},  {240, "1/8"},  {360, "1/8."}, {160, "1/8t"}, {120, "1/16"},
        {1920, "1/1"}, {3840, "2/1"}, {80, "1/16t"}, {60, "1/32"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[16];
        format_len(cases[i].ticks, text);
        assert_string_equal(text, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),  cmocka_unit_test(test_states),  cmocka_unit_test(test_any_size), cmocka_unit_test(test_chords),
        cmocka_unit_test(test_follow), cmocka_unit_test(test_pointer), cmocka_unit_test(test_formats),
        cmocka_unit_test(test_suggestion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
