/* Form: sections, the chain, cutting and joining; undo through all of it; the whole as one song; files of either
 * version; takes that go to the section they were asked for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "app/state.h"
#include "command.h"
#include "mem.h"
#include "rng.h"
#include "str.h"

static char *print(const struct session *s)
{
    struct str text = {0};
    jam_print(s, &text);
    return str_take(&text);
}

static void put(struct session *s, int role, int32_t tick, int32_t dur, int pitch)
{
    session_edit_begin(s, "note");
    track_add(&session_song(s)->tracks[role], (struct note){tick, dur, (uint8_t)pitch, 90});
    session_edit_end(s);
}

static char *chain_text(const struct session *s)
{
    struct str text = {0};
    for (int i = 0; i < session_n_chain(s); i++)
        str_addf(&text, "%s%s", i ? " " : "", session_section_name(s, session_chain(s, i)));
    return str_take(&text);
}

static void assert_chain(const struct session *s, const char *want)
{
    char *got = chain_text(s);
    assert_string_equal(got, want);
    free(got);
}

/* A: two bars in C, B: one bar of 3/4 at another tempo; A A B A. */
static struct session *two_sections(void)
{
    struct session *s = session_new();
    session_set_bars(s, 2);
    put(s, ROLE_PIANO, 0, 480, 60);
    put(s, ROLE_PIANO, 3360, 960, 64); /* rings a beat into what follows */
    assert_int_equal(session_add_section(s, 1), ERR_OK);
    session_edit_begin(s, "metre");
    song_set_metre(session_song(s), 0, 3, 4);
    song_set_tempo(session_song(s), 0, 90);
    session_edit_end(s);
    put(s, ROLE_PIANO, 480, 240, 67);
    assert_int_equal(session_set_chain(s, (const uint8_t[]){0, 0, 1, 0}, 4), ERR_OK);
    return s;
}

static void test_the_whole(void **state)
{
    (void)state;
    struct session *s = two_sections();
    struct song *whole = session_whole(s);
    assert_int_equal(session_place_tick(s, 4), 3840 + 3840 + 1440 + 3840);
    assert_int_equal(session_place_at(s, 3839), 0);
    assert_int_equal(session_place_at(s, 7680), 2);
    assert_int_equal(whole->n_metres, 3);
    assert_int_equal(whole->metres[1].tick, 7680);
    assert_int_equal(whole->metres[2].tick, 9120);
    assert_int_equal(whole->n_tempos, 3);
    assert_int_equal(whole->tempos[1].tick, 7680);
    assert_int_equal(whole->n_markers, 4);
    assert_string_equal(whole->markers[2].text, "B");
    const struct track *t = &whole->tracks[ROLE_PIANO];
    assert_int_equal(t->n, 7);
    assert_int_equal(t->notes[1].dur, 960); /* over the join */
    assert_int_equal(t->notes[4].tick, 7680 + 480);
    assert_int_equal(song_bar_tick(whole, 5), 9120);
    song_free(whole);
    session_free(s);
}

/* The note that rings into its own pitch ends there. */
static void test_joins_are_tidy(void **state)
{
    (void)state;
    struct session *s = session_new();
    session_set_bars(s, 1);
    put(s, ROLE_BASS, 0, 4000, 40);
    assert_int_equal(session_set_chain(s, (const uint8_t[]){0, 0}, 2), ERR_OK);
    struct song *whole = session_whole(s);
    assert_int_equal(whole->tracks[ROLE_BASS].notes[0].dur, 1920);
    assert_int_equal(whole->tracks[ROLE_BASS].notes[1].dur, 4000);
    song_free(whole);
    session_free(s);
}

static void test_undo_comes_back_to_the_section(void **state)
{
    (void)state;
    struct session *s = two_sections();
    session_go(s, 0, 0);
    put(s, ROLE_GUITAR, 0, 100, 50);
    session_go(s, 1, 2);
    assert_true(session_undo(s));
    assert_int_equal(session_here(s), 0);
    assert_int_equal(session_place(s), 0);
    session_go(s, 1, 2);
    assert_true(session_redo(s));
    assert_int_equal(session_here(s), 0);
    assert_int_equal(session_song(s)->tracks[ROLE_GUITAR].n, 1);
    while (session_undo(s))
        ;
    assert_int_equal(session_n_sections(s), 1);
    assert_int_equal(session_n_bars(s), 4);
    assert_chain(s, "A");
    session_free(s);
}

/* Snapshots share what did not change. */
static void test_snapshots_share(void **state)
{
    (void)state;
    struct session *s = two_sections();
    session_go(s, 1, 2);
    for (int i = 0; i < 20; i++)
        put(s, ROLE_BASS, i * 10, 5, 40);
    const struct sheet *a = s->now.sections[0].sheet;
    for (size_t i = s->undo.n - 20; i < s->undo.n; i++)
        assert_ptr_equal(s->undo.at[i].before.sections[0].sheet, a);
    session_free(s);
}

static void test_one_band_plays_all(void **state)
{
    (void)state;
    struct session *s = two_sections();
    session_edit_begin(s, "mix");
    session_song(s)->tracks[ROLE_BASS].program = 35;
    session_song(s)->tracks[ROLE_DRUMS].mute = true;
    session_edit_end(s);
    assert_int_equal(session_section_song(s, 0)->tracks[ROLE_BASS].program, 35);
    assert_true(session_section_song(s, 0)->tracks[ROLE_DRUMS].mute);
    assert_true(session_undo(s));
    assert_int_not_equal(session_section_song(s, 0)->tracks[ROLE_BASS].program, 35);
    session_free(s);
}

static void test_split_finds_the_form(void **state)
{
    (void)state;
    static const int pitch[] = {60, 60, 67, 60};
    static const int bars[] = {0, 2, 4, 6};
    struct session *s = session_new();
    session_set_bars(s, 8);
    for (int i = 0; i < 4; i++)
        put(s, ROLE_PIANO, i * 3840 + 240, 480, pitch[i]);
    session_keep(s, ROLE_PIANO, 3, true);
    struct song *before = song_dup(session_song(s));
    int n_undo = session_n_undo(s);
    assert_int_equal(session_split(s, bars, NULL, 4), ERR_OK);
    assert_int_equal(session_n_undo(s), n_undo + 1);
    assert_chain(s, "A A B A");
    assert_int_equal(session_n_sections(s), 2);
    session_go(s, 0, 0);
    assert_true(session_kept(s, ROLE_PIANO, 1));
    assert_int_equal(session_join(s, 0, 4), ERR_OK);
    assert_chain(s, "A");
    assert_int_equal(session_n_bars(s), 8);
    session_song(s)->n_markers = 0;
    assert_true(song_equal(before, session_song(s)));
    assert_true(session_undo(s));
    assert_chain(s, "A A B A");
    assert_true(session_undo(s));
    assert_true(song_equal(before, session_song(s)));
    song_free(before);
    session_free(s);
}

static void test_split_by_names(void **state)
{
    (void)state;
    static const int bars[] = {0, 1, 2};
    static const char *const names[] = {"verse", "verse", "the \"chorus\" of it all"};
    struct session *s = session_new();
    session_set_bars(s, 3);
    for (int i = 0; i < 3; i++)
        put(s, ROLE_PIANO, i * 1920, 480, 60 + i);
    assert_int_equal(session_split(s, bars, names, 3), ERR_OK);
    assert_chain(s, "verse verse' the--chorus");
    session_free(s);
}

static void test_limits(void **state)
{
    (void)state;
    struct session *s = session_new();
    uint8_t many[SESSION_MAX_CHAIN + 1] = {0};
    assert_int_equal(session_set_chain(s, many, SESSION_MAX_CHAIN + 1), ERR_RANGE);
    assert_int_equal(session_delete_section(s, 0), ERR_RANGE);
    assert_int_equal(session_join(s, 0, 2), ERR_EMPTY);
    for (int i = 1; i < SESSION_MAX_SECTIONS; i++)
        assert_int_equal(session_add_section(s, 4), ERR_OK);
    assert_int_equal(session_add_section(s, 4), ERR_RANGE);
    assert_int_equal(session_copy_section(s, true), ERR_RANGE);
    assert_string_equal(session_section_name(s, 26), "AA");
    assert_int_equal(session_join(s, 0, 64), ERR_RANGE); /* 256 bars fit, but not one more section */
    assert_int_equal(session_rename(s, "next"), ERR_RANGE);
    assert_int_equal(session_rename(s, "two words"), ERR_RANGE);
    assert_int_equal(session_rename(s, "aa"), ERR_RANGE);
    assert_int_equal(session_rename(s, "coda"), ERR_OK);
    char *text = print(s);
    struct session *back = session_new();
    assert_int_equal(jam_parse(back, (const uint8_t *)text, strlen(text), "full.jam"), ERR_OK);
    char *again = print(back);
    assert_string_equal(text, again);
    free(text);
    free(again);
    session_free(back);
    session_free(s);
}

static struct take *take_of(const struct request *rq, uint64_t seed, int pitch)
{
    struct take *t = xcalloc(1, sizeof *t);
    t->song = song_dup(rq->song);
    t->seed = seed;
    track_add(&t->song->tracks[ROLE_PIANO],
              (struct note){song_bar_tick(rq->song, rq->bar0), 480, (uint8_t)pitch, 80});
    return t;
}

/* The hand has moved on when the take comes. */
static void test_takes_go_home(void **state)
{
    (void)state;
    struct desk d;
    struct request rq;
    desk_init(&d);
    assert_int_equal(session_add_section(d.session, 4), ERR_OK);
    session_request(d.session, VERB_GENERATE, 0, 4, &rq);
    session_begin_takes(d.session, &rq, 0);
    struct take *t = take_of(&rq, rq.seed, 72);
    session_go(d.session, 0, 0);
    d.job = 5;
    struct event ev = {.kind = EVENT_TAKE, .job = 5, .take = t};
    desk_event(&d, &ev);
    assert_null(ev.take);
    assert_int_equal(session_here(d.session), 0);
    assert_int_equal(session_n_takes(d.session), 0);
    assert_int_equal(session_section_song(d.session, 1)->tracks[ROLE_PIANO].n, 1);
    session_go(d.session, 1, 1);
    assert_int_equal(session_n_takes(d.session), 1);
    assert_int_equal(session_current(d.session), 0);
    desk_fini(&d);
}

static void test_lead_is_cut_off(void **state)
{
    (void)state;
    struct session *s = session_new();
    struct request rq;
    session_request(s, VERB_GENERATE, 0, 4, &rq);
    rq.bar0 = 3;
    session_begin_takes(s, &rq, 3);
    session_choose(s, session_add_take(s, 0, take_of(&rq, rq.seed, 72)));
    assert_int_equal(session_song(s)->tracks[ROLE_PIANO].n, 1);
    assert_int_equal(session_song(s)->tracks[ROLE_PIANO].notes[0].tick, 0);
    session_free(s);
}

static struct session *rich(void)
{
    struct session *s = two_sections();
    struct request rq;
    for (int section = 0; section < 2; section++) {
        session_go(s, section, 0);
        session_request(s, VERB_GENERATE, 0, session_n_bars(s), &rq);
        session_begin_takes(s, &rq, 0);
        for (int i = 0; i < 3; i++)
            session_add_take(s, i, take_of(&rq, rq.seed + (uint64_t)i, 70 + i));
        session_choose(s, section);
        session_mark(s, section, 2);
    }
    session_keep(s, ROLE_PIANO, 0, true);
    assert_int_equal(session_rename(s, "bridge"), ERR_OK);
    return s;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct session *s = rich(), *back = session_new();
    char *text = print(s);
    assert_int_equal(jam_parse(back, (const uint8_t *)text, strlen(text), "rich.jam"), ERR_OK);
    char *again = print(back);
    assert_string_equal(text, again);
    assert_chain(back, "A A bridge A");
    assert_int_equal(session_here(back), 1);
    assert_int_equal(session_n_takes(back), 3);
    assert_int_equal(session_current(back), 1);
    session_choose(back, 0);
    assert_int_equal(session_song(back)->tracks[ROLE_PIANO].notes[0].pitch, 71); /* kept */
    free(text);
    free(again);
    session_free(s);
    session_free(back);
}

/* What the program wrote before it knew of sections. */
static void test_first_version(void **state)
{
    (void)state;
    static const char old[] =
        "{\"jam\": 1, \"title\": \"old\", \"bars\": 1, \"tempos\": [[0, 400000]], \"metres\": [[0, 3, 4]], \"keys\": [],"
        " \"markers\": [], \"settings\": {\"genre\": \"any\", \"key\": \"auto\", \"model\": \"\", \"seed\": \"4\","
        " \"temperature\": 1.0, \"batch\": 8, \"snap\": false, \"seed_locked\": false, \"density\": [-1,-1,-1,-1,-1]},"
        " \"keep\": [\".\", \"k\", \".\", \".\", \".\"], \"current\": 2, \"marks\": [1, 2], \"tracks\": ["
        "{\"role\": \"Drums\", \"name\": \"Drums\", \"notes\": []},"
        "{\"role\": \"Piano\", \"name\": \"Piano\", \"program\": 5, \"notes\": [[0, 480, 60, 90]]},"
        "{\"role\": \"Guitar\", \"name\": \"Guitar\", \"notes\": []}, {\"role\": \"Bass\", \"name\": \"Bass\", \"notes\": []},"
        "{\"role\": \"Strings\", \"name\": \"Strings\", \"mute\": true, \"notes\": []}],"
        " \"takes\": [{\"number\": 2, \"seed\": \"4\", \"mask\": [\"k\", \"k\", \"k\", \"k\", \"k\"],"
        " \"parts\": [[], [[0, 100, 72, 80]], [], [], []]}]}";
    struct session *s = session_new();
    assert_int_equal(jam_parse(s, (const uint8_t *)old, sizeof old - 1, "old.jam"), ERR_OK);
    assert_chain(s, "A");
    assert_string_equal(session_song(s)->title, "old");
    assert_int_equal(session_n_bars(s), 1);
    assert_int_equal(session_end(s), 1440);
    assert_int_equal(session_song(s)->tracks[ROLE_PIANO].program, 5);
    assert_int_equal(session_song(s)->tracks[ROLE_PIANO].n, 1);
    assert_true(session_song(s)->tracks[ROLE_STRINGS].mute);
    assert_true(session_kept(s, ROLE_PIANO, 0));
    assert_int_equal(session_current(s), 0);
    assert_int_equal(session_marked(s, 1), 0);
    session_free(s);
}

static void test_hostile(void **state)
{
    (void)state;
    struct session *s = rich(), *victim = session_new();
    char *good = print(s), *kept = print(victim);
    size_t len = strlen(good);
    struct rng r;
    rng_init(&r, 8, 8);
    for (int i = 0; i < 3000; i++) {
        char *bad = xstrdup(good);
        for (uint32_t k = rng_below(&r, 4) + 1; k > 0; k--)
            bad[rng_below(&r, (uint32_t)len)] = "0123456789-[]{},\":k.\n"[rng_below(&r, 21)];
        if (jam_parse(victim, (const uint8_t *)bad, len, "bad.jam") == ERR_OK) {
            song_free(session_whole(victim));
            session_free(victim);
            victim = session_new();
        }
        char *now = print(victim);
        assert_string_equal(now, kept);
        free(now);
        free(bad);
    }
    static const struct {
        const char *good, *bad;
    } lies[] = {
        {"\"chain\": [0, 0, 1, 0]", "\"chain\": [0, 0, 2, 0]"}, {"\"chain\": [0, 0, 1, 0]", "\"chain\": [0,0,-1, 0]"},
        {"\"chain\": [0, 0, 1, 0]", "\"chain\": [          ]"}, {"\"here\": 1", "\"here\": 7"},
        {"\"place\": 2", "\"place\": 4"},                       {"\"name\": \"bridge\"", "\"name\": \"A\"     "},
        {"\"name\": \"bridge\"", "\"name\": \"\"      "},
    };
    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        char *bad = xstrdup(good), *at = strstr(bad, lies[i].good);
        assert_non_null(at);
        memcpy(at, lies[i].bad, strlen(lies[i].bad));
        assert_int_equal(jam_parse(victim, (const uint8_t *)bad, len, "bad.jam"), ERR_FORMAT);
        free(bad);
    }
    free(good);
    free(kept);
    session_free(s);
    session_free(victim);
}

static enum err do_submit(void *ctx, const char *model, const struct request *rq, int *job)
{
    (void)model;
    *(struct request *)ctx = *rq;
    ((struct request *)ctx)->song = NULL;
    *job = 7;
    return ERR_OK;
}

static void must(struct desk *d, const char *line)
{
    if (command_run(d, line) != ERR_OK)
        fail_msg("%s: %s", line, err_text());
}

static void test_commands(void **state)
{
    (void)state;
    struct desk d;
    desk_init(&d);
    must(&d, "bars 2");
    must(&d, "note");
    must(&d, "section new 3");
    assert_chain(d.session, "A B");
    must(&d, "rename bridge");
    must(&d, "chain \"A A\" bridge a");
    assert_chain(d.session, "A A bridge A");
    must(&d, "bar +1");
    must(&d, "bar +1");
    assert_int_equal(session_place(d.session), 1);
    must(&d, "bar -1");
    assert_int_equal(session_place(d.session), 0);
    assert_int_equal(d.tick, 1920);
    must(&d, "chain later");
    must(&d, "chain later");
    assert_chain(d.session, "A bridge A A");
    assert_int_equal(session_place(d.session), 2);
    must(&d, "chain drop");
    must(&d, "chain add bridge");
    assert_chain(d.session, "A bridge A bridge");
    assert_int_equal(session_here(d.session), 1);
    assert_int_equal(command_run(&d, "chain A Z"), ERR_MISSING);
    assert_int_equal(command_run(&d, "section Z"), ERR_MISSING);
    assert_int_equal(command_run(&d, "split markers"), ERR_EMPTY);
    must(&d, "chain A");
    must(&d, "section next");
    assert_int_equal(session_place(d.session), -1);
    assert_int_equal(command_run(&d, "continue"), ERR_EMPTY);
    must(&d, "remove-section");
    assert_int_equal(session_n_sections(d.session), 1);
    desk_fini(&d);
}

/* The model hears what stands before; the section and its first take are one step; a refusal leaves nothing. */
static void test_continue(void **state)
{
    (void)state;
    struct desk d;
    struct request rq = {0};
    desk_init(&d);
    must(&d, "bars 2");
    must(&d, "note");
    int n_undo = session_n_undo(d.session);
    assert_int_equal(command_run(&d, "continue 4"), ERR_UNSUPPORTED);
    assert_int_equal(session_n_sections(d.session), 1);
    assert_int_equal(session_n_undo(d.session), n_undo);
    d.doors = (struct doors){.ctx = &rq, .submit = do_submit};
    must(&d, "continue 4");
    assert_int_equal(rq.verb, VERB_CONTINUE);
    assert_int_equal(rq.bar0, 2);
    assert_int_equal(rq.n_bars, 4);
    assert_chain(d.session, "A B");
    assert_int_equal(session_n_bars(d.session), 4);
    struct song *heard = session_whole(d.session);
    rq.song = heard;
    struct event ev = {.kind = EVENT_TAKE, .job = 7, .take = take_of(&rq, rq.seed, 72)};
    desk_event(&d, &ev);
    assert_int_equal(session_song(d.session)->tracks[ROLE_PIANO].n, 1);
    assert_int_equal(session_song(d.session)->tracks[ROLE_PIANO].notes[0].tick, 0);
    assert_int_equal(session_n_undo(d.session), n_undo + 1);
    assert_true(session_undo(d.session));
    assert_chain(d.session, "A");
    assert_true(session_redo(d.session));
    assert_int_equal(session_n_takes(d.session), 1);
    song_free(heard);
    desk_fini(&d);
}

/* The hand goes along with the sound when it may, and the playhead is seen only where it sounds. */
static void test_hearing_the_chain(void **state)
{
    (void)state;
    struct desk d;
    int32_t tick = 100;
    desk_init(&d);
    must(&d, "bars 1");
    must(&d, "section new 1");
    must(&d, "chain A A B A");
    must(&d, "whole on");
    session_go(d.session, 0, 1);
    assert_int_equal(desk_music_tick(&d, &tick), ERR_OK);
    assert_int_equal(tick, 1920 + 100);
    d.playing = true;
    desk_hear(&d, 2000, false);
    assert_int_equal(d.playhead, 80);
    desk_hear(&d, 3840 + 5, false);
    assert_int_equal(session_here(d.session), 0);
    assert_int_equal(d.playhead, -1);
    assert_int_equal(d.sounding, 2);
    desk_hear(&d, 3840 + 7, true);
    assert_int_equal(session_here(d.session), 1);
    assert_int_equal(d.playhead, 7);
    d.playing = false;
    desk_played_out(&d);
    assert_int_equal(session_place(d.session), 1);
    must(&d, "loop");
    assert_false(d.chained);
    desk_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_whole),       cmocka_unit_test(test_joins_are_tidy),
        cmocka_unit_test(test_undo_comes_back_to_the_section),
        cmocka_unit_test(test_snapshots_share), cmocka_unit_test(test_one_band_plays_all),
        cmocka_unit_test(test_split_finds_the_form),
        cmocka_unit_test(test_split_by_names),  cmocka_unit_test(test_limits),
        cmocka_unit_test(test_takes_go_home),   cmocka_unit_test(test_lead_is_cut_off),
        cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_first_version),
        cmocka_unit_test(test_hostile),         cmocka_unit_test(test_commands),
        cmocka_unit_test(test_continue),        cmocka_unit_test(test_hearing_the_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
