/* Sessions: random sequences of commands undone to the start give the start back; kept cells survive any
 * take; a project file holds everything; hostile project files are refused without changing anything. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/state.h"
#include "command.h"
#include "file.h"
#include "mem.h"
#include "midi.h"
#include "rng.h"

static char folder[] = "/tmp/jamroll-test-XXXXXX";

static char *in_folder(const char *name)
{
    return path_join(folder, name);
}

static char *print(const struct session *s)
{
    struct str text = {0};
    jam_print(s, &text);
    return str_take(&text);
}

/* A take as a model would give it: every asked cell filled from a seeded generator, some notes long. */
static struct take *make_take(const struct session *s, const struct request *rq, int i)
{
    struct take *t = xcalloc(1, sizeof *t);
    struct rng r;
    (void)s;
    t->seed = rq->seed + (uint64_t)i;
    rng_init(&r, t->seed, 7);
    t->song = song_dup(rq->song);
    str_copy(t->model, sizeof t->model, "test");
    for (int role = 0; role < N_ROLES; role++)
        for (int bar = 0; bar < rq->n_bars; bar++) {
            if (rq->keep[role][bar])
                continue;
            int32_t from = song_bar_tick(rq->song, rq->bar0 + bar);
            track_clear(&t->song->tracks[role], from, from + 1920);
            for (int k = 0; k < 5; k++)
                track_add(&t->song->tracks[role],
                          (struct note){from + (int32_t)rng_below(&r, 1920), (int32_t)rng_below(&r, 4000) + 1,
                                        (uint8_t)(48 + rng_below(&r, 24)), 80});
        }
    return t;
}

static void batch(struct session *s, int n, uint64_t seed)
{
    struct request rq;
    session_settings(s)->seed = seed;
    session_request(s, VERB_GENERATE, 0, session_n_bars(s), &rq);
    session_begin_takes(s, &rq, 0);
    for (int i = n - 1; i >= 0; i--)
        session_add_take(s, i, make_take(s, &rq, i));
}

static void put(struct session *s, int role, int32_t tick, int32_t dur, int pitch)
{
    session_edit_begin(s, "note");
    track_add(&session_song(s)->tracks[role], (struct note){tick, dur, (uint8_t)pitch, 90});
    session_edit_end(s);
}

/* Notes of a role whose onset is in bars [bar0, bar1). */
static struct song *cells(const struct session *s, int role, int bar0, int bar1)
{
    struct song *out = song_new_band();
    const struct song *song = session_song((struct session *)s);
    for (size_t i = 0; i < song->tracks[role].n; i++) {
        struct note n = song->tracks[role].notes[i];
        if (n.tick >= song_bar_tick(song, bar0) && n.tick < song_bar_tick(song, bar1))
            track_add(&out->tracks[role], n);
    }
    return out;
}

static void test_undo_to_the_start(void **state)
{
    static const char *const lines[] = {
        "note",    "note",        "note",       "right",      "left",        "up",        "down",
        "bar +1",  "bar -1",      "track-by +", "delete",     "velocity +8", "longer +1", "transpose +1",
        "keep",    "keep bar",    "keep all",   "let-go",     "mute",        "solo",      "unmute",
        "unsolo",  "bars 8",      "bars 4",     "tempo +1",   "program 5",   "volume 80", "select",
        "normal",  "step",        "key-note 3", "key-note 7", "chord",       "rest",      "erase",
        "tie",     "undo",        "redo",       "redo",       "take next",   "bars 2",    "bars 7",
        "bars 12", "select-bars", "infill",     "generate",   "accompany",   "loop",      "bar 12",
        "end",     "take prev",   "take 0",     "loop",
    };
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct desk d;
        struct rng r;
        rng_init(&r, seed, 0);
        desk_init(&d);
        put(d.session, ROLE_PIANO, 0, 480, 60);
        batch(d.session, 3, seed);
        session_loaded(d.session, NULL);
        struct song *start = song_dup(session_song(d.session));
        for (int i = 0; i < 300; i++)
            if (command_run(&d, lines[rng_below(&r, COUNT_OF(lines))]) != ERR_OK)
                d.want = WANT_NOTHING;
        while (session_redo(d.session))
            ;
        char *end = print(d.session);
        while (session_undo(d.session))
            ;
        assert_true(song_equal(start, session_song(d.session)));
        assert_int_equal(session_n_bars(d.session), 4);
        assert_int_equal(session_current(d.session), -1);
        assert_false(session_any_kept(d.session, 0, 4));
        assert_false(session_dirty(d.session));
        for (int t = 0; t < N_ROLES; t++)
            assert_false(session_song(d.session)->tracks[t].mute || session_song(d.session)->tracks[t].solo);
        while (session_redo(d.session))
            ;
        char *again = print(d.session);
        assert_string_equal(end, again);
        free(end);
        free(again);
        song_free(start);
        desk_fini(&d);
    }
}

static void test_redo_gives_the_end_back(void **state)
{
    (void)state;
    struct session *s = session_new();
    for (int i = 0; i < 50; i++)
        put(s, i % N_ROLES, i * 100, 100, 40 + i);
    session_keep(s, ROLE_BASS, 2, true);
    char *end = print(s);
    assert_int_equal(session_n_undo(s), 51);
    while (session_undo(s))
        ;
    while (session_redo(s))
        ;
    char *again = print(s);
    assert_string_equal(end, again);
    free(end);
    free(again);
    session_free(s);
}

static void test_an_edit_that_changes_nothing_is_no_step(void **state)
{
    (void)state;
    struct session *s = session_new();
    session_edit_begin(s, "nothing");
    session_edit_end(s);
    session_keep(s, ROLE_PIANO, -1, false);
    assert_int_equal(session_n_undo(s), 0);
    assert_false(session_dirty(s));
    session_free(s);
}

static void test_kept_cells_survive_every_take(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 60; seed++) {
        struct session *s = session_new();
        struct rng r;
        bool kept[N_ROLES][4];
        struct song *before[N_ROLES][4];
        rng_init(&r, seed, 1);
        for (int i = 0; i < 60; i++)
            put(s, (int)rng_below(&r, N_ROLES), (int32_t)rng_below(&r, 4 * 1920),
                1 + (int32_t)rng_below(&r, 3000), 48 + (int)rng_below(&r, 24));
        batch(s, 4, seed); /* asked for everything; the flags are set afterwards */
        for (int t = 0; t < N_ROLES; t++)
            for (int b = 0; b < 4; b++) {
                kept[t][b] = rng_below(&r, 2);
                session_keep(s, (enum role)t, b, kept[t][b]);
                before[t][b] = cells(s, t, b, b + 1);
            }
        for (int i = 0; i < 12; i++) {
            session_choose(s, (int)rng_below(&r, 5) - 1);
            for (int t = 0; t < N_ROLES; t++)
                for (int b = 0; b < 4; b++) {
                    struct song *now = cells(s, t, b, b + 1);
                    if (kept[t][b])
                        assert_true(song_equal(before[t][b], now));
                    song_free(now);
                }
        }
        for (int t = 0; t < N_ROLES; t++)
            for (int b = 0; b < 4; b++)
                song_free(before[t][b]);
        session_free(s);
    }
}

/* A newcomer neither sounds into a kept cell nor cuts a kept note of its pitch. */
static void test_takes_give_way_to_kept_notes(void **state)
{
    (void)state;
    struct session *s = session_new();
    struct request rq;
    put(s, ROLE_PIANO, 1900, 500, 60); /* starts in bar 1, sounds into bar 2 */
    put(s, ROLE_PIANO, 3840, 480, 64); /* bar 3 */
    session_keep(s, ROLE_PIANO, 0, true);
    session_keep(s, ROLE_PIANO, 2, true);
    session_request(s, VERB_INFILL, 0, 4, &rq);
    session_begin_takes(s, &rq, 0);
    struct take *t = xcalloc(1, sizeof *t);
    t->seed = rq.seed;
    t->song = song_dup(rq.song);
    track_add(&t->song->tracks[ROLE_PIANO], (struct note){2000, 100, 60, 80}); /* under the kept note */
    track_add(&t->song->tracks[ROLE_PIANO], (struct note){3000, 2000, 67, 80}); /* into bar 3 */
    session_choose(s, session_add_take(s, 0, t));
    const struct track *p = &session_song(s)->tracks[ROLE_PIANO];
    assert_int_equal(p->n, 3);
    assert_int_equal(p->notes[0].dur, 500);
    assert_int_equal(p->notes[1].pitch, 67);
    assert_int_equal(p->notes[1].dur, 840);
    session_free(s);
}

static void test_a_generation_is_one_step(void **state)
{
    (void)state;
    struct session *s = session_new();
    put(s, ROLE_PIANO, 0, 480, 60);
    struct song *seed = song_dup(session_song(s));
    batch(s, 8, 5);
    for (int i = 0; i < 8; i++)
        session_choose(s, i);
    assert_int_equal(session_n_undo(s), 2);
    struct song *first = song_dup(session_song(s));
    batch(s, 8, 50);
    session_choose(s, 9);
    session_choose(s, 10);
    assert_int_equal(session_n_undo(s), 3);
    assert_int_equal(session_take_number(s, 9), 10);
    assert_true(session_undo(s));
    assert_true(song_equal(session_song(s), first));
    assert_int_equal(session_current(s), 7);
    assert_true(session_undo(s));
    assert_true(song_equal(session_song(s), seed));
    assert_int_equal(session_current(s), -1);
    session_choose(s, 3);
    session_choose(s, -1);
    song_free(seed);
    song_free(first);
    session_free(s);
}

static void test_choosing_back_leaves_no_step(void **state)
{
    (void)state;
    struct session *s = session_new();
    batch(s, 2, 9);
    session_choose(s, 0);
    session_choose(s, 1);
    session_choose(s, -1);
    assert_int_equal(session_n_undo(s), 0);
    assert_int_equal(session_song(s)->tracks[0].n, 0);
    session_free(s);
}

static void test_tray_is_bounded_and_spares_stars(void **state)
{
    (void)state;
    struct session *s = session_new();
    batch(s, 8, 1);
    session_star(s, 2);
    session_choose(s, 4);
    for (int i = 0; i < 40; i++)
        batch(s, 8, (uint64_t)(100 * i + 100));
    assert_int_equal(session_n_takes(s), SESSION_MAX_TAKES);
    assert_true(session_take(s, 0)->star);
    assert_int_equal(session_take_number(s, 0), 3);
    assert_int_equal(session_current(s), 1);
    session_free(s);
}

static struct session *rich_session(void)
{
    struct session *s = session_new();
    for (int i = 0; i < 20; i++)
        put(s, i % N_ROLES, i * 333, 100 + i, 40 + i);
    session_keep(s, ROLE_PIANO, -1, true);
    session_keep(s, ROLE_BASS, 1, true);
    session_edit_begin(s, "mix");
    session_song(s)->tracks[1].mute = true;
    session_song(s)->tracks[2].volume = 77;
    song_set_tempo(session_song(s), 0, 97.5);
    song_set_key(session_song(s), 0, -3, true);
    song_add_marker(session_song(s), 1920, "ver\"se\n");
    str_copy(session_song(s)->title, sizeof session_song(s)->title, "B\xc3\xa4r \\ \"1\"");
    session_edit_end(s);
    str_copy(session_settings(s)->genre, 32, "rock");
    str_copy(session_settings(s)->key, 16, "A minor");
    session_settings(s)->temperature = 1.25;
    session_settings(s)->density[3] = 5;
    batch(s, 3, UINT64_C(18446744073709551000));
    session_choose(s, 1);
    session_star(s, 2);
    session_mark(s, 1, 0);
    return s;
}

static void test_project_round_trip(void **state)
{
    (void)state;
    struct session *s = rich_session(), *back = session_new();
    char *path = in_folder("rich.jam");
    assert_true(session_dirty(s));
    assert_int_equal(session_save(s, path), ERR_OK);
    assert_false(session_dirty(s));
    assert_int_equal(session_open(back, path, NULL), ERR_OK);
    char *a = print(s), *b = print(back);
    assert_string_equal(a, b);
    assert_true(song_equal(session_song(s), session_song(back)));
    assert_int_equal(session_current(back), 1);
    assert_int_equal(session_marked(back, 1), 0);
    assert_true(session_take(back, 2)->star);
    session_choose(s, -1);
    session_choose(back, -1);
    assert_true(song_equal(session_song(s), session_song(back)));
    free(a);
    free(b);
    free(path);
    session_free(s);
    session_free(back);
}

static void test_hostile_projects(void **state)
{
    (void)state;
    struct session *s = rich_session(), *victim = session_new();
    put(victim, ROLE_PIANO, 0, 100, 60);
    char *good = print(s), *kept = print(victim);
    size_t len = strlen(good);
    struct rng r;
    rng_init(&r, 3, 3);
    for (int i = 0; i < 1500; i++) {
        char *bad = xstrdup(good);
        for (uint32_t k = rng_below(&r, 4) + 1; k > 0; k--)
            bad[rng_below(&r, (uint32_t)len)] = "0123456789-[]{},\":k.\n"[rng_below(&r, 21)];
        size_t n = i % 3 ? len : rng_below(&r, (uint32_t)len);
        if (jam_parse(victim, (const uint8_t *)bad, n, "bad.jam") != ERR_OK) {
            assert_true(str_starts(err_text(), "bad.jam"));
        } else {
            session_free(victim);
            victim = session_new();
            put(victim, ROLE_PIANO, 0, 100, 60);
        }
        char *now = print(victim);
        assert_string_equal(now, kept);
        free(now);
        free(bad);
    }
    free(good);
    free(kept);
    session_free(s);
    session_free(victim);
}

static enum err export_midi(const struct session *s, const char *path)
{
    struct song *song = session_written(s, -1);
    enum err err = midi_save(song, NULL, path);
    song_free(song);
    return err;
}

static void test_midi_in_and_out(void **state)
{
    (void)state;
    struct session *s = rich_session(), *back = session_new();
    struct str report = {0};
    char *path = in_folder("out.mid");
    assert_int_equal(export_midi(s, path), ERR_OK);
    assert_int_equal(session_open(back, path, &report), ERR_OK);
    assert_int_equal(session_n_bars(back), session_round_bars(song_n_bars(session_song(s))));
    for (int r = 0; r < N_ROLES; r++)
        assert_int_equal(session_song(back)->tracks[r].n, session_song(s)->tracks[r].n);
    assert_int_equal(session_open(back, "/nonexistent.mid", NULL), ERR_MISSING);
    str_fini(&report);
    free(path);
    session_free(s);
    session_free(back);
}

/* Music of any metre and tempo, with notes that ring over bar lines and past the end, in any mix. */
static void compose_at_random(struct song *song, struct rng *r)
{
    static const int dens[] = {2, 4, 4, 8, 16};
    int bars = 1 + (int)rng_below(r, 40);
    for (int i = 0; i < 4; i++) { /* in this order: a metre moves the bars after it */
        int32_t tick = i ? song_bar_tick(song, i * bars / 4) : 0;
        song_set_metre(song, tick, 1 + (int)rng_below(r, 12), dens[rng_below(r, COUNT_OF(dens))]);
        song_set_tempo_usec(song, tick + 7, 200000 + rng_below(r, 1000000));
        song_set_key(song, tick, (int)rng_below(r, 15) - 7, rng_below(r, 2));
        song_add_marker(song, tick, "part");
    }
    int32_t end = song_bar_tick(song, bars);
    for (int k = 0; k < N_ROLES; k++) {
        struct track *t = &song->tracks[k];
        t->program = (uint8_t)rng_below(r, 128);
        t->volume = (uint8_t)rng_below(r, 128);
        t->pan = (uint8_t)rng_below(r, 128);
        t->mute = rng_below(r, 4) == 0;
        for (uint32_t n = rng_below(r, 200); n > 0; n--)
            track_push(t, (struct note){(int32_t)rng_below(r, (uint32_t)end), 1 + (int32_t)rng_below(r, 4000),
                                        (uint8_t)rng_below(r, 128), (uint8_t)(1 + rng_below(r, 127))});
        track_tidy(t);
    }
}

static void test_music_survives_midi(void **state)
{
    (void)state;
    char *path = in_folder("out.mid");
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct session *s = session_new(), *back = session_new();
        struct str report = {0};
        struct rng r;
        rng_init(&r, seed, 11);
        session_edit_begin(s, "music");
        compose_at_random(session_song(s), &r);
        session_edit_end(s);
        session_set_bars(s, song_n_bars(session_song(s)));
        struct song *out = session_written(s, -1);
        assert_int_equal(midi_save(out, &(struct midi_write_opts){.format = 1}, path), ERR_OK);
        assert_int_equal(session_open(back, path, &report), ERR_OK);
        const struct song *in = session_song(back);
        assert_null(strstr(str_c(&report), "left out"));
        assert_int_equal(in->n_tempos, out->n_tempos);
        assert_int_equal(in->n_metres, out->n_metres);
        for (int k = 0; k < N_ROLES; k++) {
            assert_int_equal(in->tracks[k].n, out->tracks[k].n);
            if (out->tracks[k].n > 0) /* a part without a note may lose its sound, which nobody hears */
                assert_int_equal(in->tracks[k].program, out->tracks[k].program);
            for (size_t i = 0; i < in->tracks[k].n; i++) {
                struct note a = in->tracks[k].notes[i], b = out->tracks[k].notes[i];
                assert_true(a.tick == b.tick && a.dur == b.dur && a.pitch == b.pitch && a.vel == b.vel);
            }
        }
        for (size_t i = 0; i < in->n_tempos; i++)
            assert_true(in->tempos[i].tick == out->tempos[i].tick && in->tempos[i].usec == out->tempos[i].usec);
        for (size_t i = 0; i < in->n_metres; i++)
            assert_true(in->metres[i].tick == out->metres[i].tick && in->metres[i].num == out->metres[i].num &&
                        in->metres[i].den == out->metres[i].den);
        str_fini(&report);
        song_free(out);
        session_free(s);
        session_free(back);
    }
    free(path);
}

static void test_names_given_unasked_are_free(void **state)
{
    (void)state;
    char was[4096];
    struct session *s = session_new();
    assert_non_null(getcwd(was, sizeof was));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(session_save(s, "tune.jam"), ERR_OK);
    char *first = session_free_name(s, ".mid");
    assert_string_equal(first, "tune.mid");
    assert_int_equal(export_midi(s, first), ERR_OK);
    char *second = session_free_name(s, ".mid");
    assert_string_equal(second, "tune-2.mid");
    assert_int_equal(chdir(was), 0);
    free(first);
    free(second);
    session_free(s);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"rich.jam", "out.mid", "tune.jam", "tune.mid"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char *path = in_folder(names[i]);
        unlink(path);
        free(path);
    }
    return rmdir(folder);
}

/* A take that is shown while it is written: one take, one step to undo, and an edit in between stays. */
static void test_a_take_grows(void **state)
{
    (void)state;
    for (int edited = 0; edited < 2; edited++) {
        struct session *s = session_new();
        struct request rq;
        session_set_bars(s, 4);
        int steps = session_n_undo(s);
        session_request(s, VERB_GENERATE, 0, 4, &rq);
        session_begin_takes(s, &rq, 0);
        struct take *whole = make_take(s, &rq, 0);
        for (int bars = 1; bars <= 4; bars++) {
            struct take *part = xcalloc(1, sizeof *part);
            *part = (struct take){.song = song_dup(whole->song), .seed = whole->seed, .growing = bars < 4};
            for (int r = 0; r < N_ROLES; r++)
                track_clear(&part->song->tracks[r], 1920 * bars, SONG_MAX_TICKS);
            assert_int_equal(session_add_take(s, 0, part), 0);
            session_choose(s, 0);
            assert_int_equal(session_n_takes(s), 1);
            assert_int_equal(session_n_undo(s), steps + 1 + (edited && bars > 1));
            struct session *at_once = session_new();
            struct take *same = xcalloc(1, sizeof *same);
            same->song = song_dup(part->song);
            session_set_bars(at_once, 4);
            session_begin_takes(at_once, &rq, 0);
            session_choose(at_once, session_add_take(at_once, 0, same));
            assert_int_equal(song_equal(session_song(s), session_song(at_once)), !edited || bars == 1);
            assert_int_equal(session_take(s, 0)->twin, 0);
            session_free(at_once);
            if (edited && bars == 1)
                put(s, ROLE_PIANO, 7 * 480, 100, 100);
        }
        assert_true(session_song(s)->tracks[ROLE_PIANO].n > 0 && !session_take(s, 0)->growing);
        if (edited) {
            const struct track *t = &session_song(s)->tracks[ROLE_PIANO];
            assert_int_equal(t->notes[t->n - 1].pitch, 100);
            assert_true(session_undo(s));
        }
        assert_true(session_undo(s));
        assert_int_equal(session_song(s)->tracks[ROLE_PIANO].n, 0);
        take_fini(whole);
        free(whole);
        session_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undo_to_the_start),
        cmocka_unit_test(test_redo_gives_the_end_back),
        cmocka_unit_test(test_an_edit_that_changes_nothing_is_no_step),
        cmocka_unit_test(test_kept_cells_survive_every_take),
        cmocka_unit_test(test_takes_give_way_to_kept_notes),
        cmocka_unit_test(test_a_generation_is_one_step),
        cmocka_unit_test(test_a_take_grows),
        cmocka_unit_test(test_choosing_back_leaves_no_step),
        cmocka_unit_test(test_tray_is_bounded_and_spares_stars),
        cmocka_unit_test(test_project_round_trip),
        cmocka_unit_test(test_hostile_projects),
        cmocka_unit_test(test_midi_in_and_out), cmocka_unit_test(test_music_survives_midi),
        cmocka_unit_test(test_names_given_unasked_are_free),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
