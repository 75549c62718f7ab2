/* Editing by hand: selections, the clipboard, shapes, scale lock, chords and steps; every command is one step
 * that undo takes back whole. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "keycode.h"

static void run(struct desk *d, const char *line)
{
    if (command_run(d, line) != ERR_OK)
        fail_msg("%s: %s", line, err_text());
}

static void press(struct desk *d, const char *keys)
{
    for (const char *p = keys; *p; p += *p == ' ')
        assert_true(command_key(d, keycode_parse(&p)));
}

static void put(struct desk *d, int role, int32_t tick, int32_t dur, int pitch)
{
    track_add(&session_song(d->session)->tracks[role], (struct note){tick, dur, (uint8_t)pitch, 90});
}

/* "0:60 480:64": onsets and pitches of a track. */
static void is(struct desk *d, int role, const char *want)
{
    struct str now = {0};
    const struct track *t = &session_song(d->session)->tracks[role];
    for (size_t i = 0; i < t->n; i++)
        str_addf(&now, "%s%d:%d", i ? " " : "", t->notes[i].tick, t->notes[i].pitch);
    assert_string_equal(str_c(&now), want);
    str_fini(&now);
}

/* Piano: C major triad, then d, e, f# of a bar; bass c; kit bass drum. */
static void seed(struct desk *d)
{
    desk_init(d);
    session_edit_begin(d->session, "seed");
    put(d, ROLE_PIANO, 0, 480, 60);
    put(d, ROLE_PIANO, 0, 480, 64);
    put(d, ROLE_PIANO, 0, 480, 67);
    put(d, ROLE_PIANO, 480, 480, 62);
    put(d, ROLE_PIANO, 960, 480, 64);
    put(d, ROLE_PIANO, 1440, 960, 66); /* over the bar line */
    put(d, ROLE_BASS, 0, 1920, 36);
    put(d, ROLE_DRUMS, 0, 120, 36);
    session_edit_end(d->session);
    run(d, "key C");
    run(d, "track piano");
    desk_pitch(d, 60);
}

static const char all_piano[] = "0:60 0:64 0:67 480:62 960:64 1440:66";

static void test_rectangle(void **state)
{
    struct desk d;
    (void)state;
    seed(&d);
    press(&d, "vkkkkK"); /* c and e, a semitone up */
    is(&d, ROLE_PIANO, "0:61 0:65 0:67 480:62 960:64 1440:66");
    press(&d, "KK"); /* the same two again, past the others */
    is(&d, ROLE_PIANO, "0:63 0:67 480:62 960:64 1440:66"); /* e has reached g: one note now */
    press(&d, "uuu");
    assert_int_equal(d.mode, MODE_NORMAL);
    is(&d, ROLE_PIANO, all_piano);
    run(&d, "bar 1");
    desk_pitch(&d, 67);
    press(&d, "vlllljjjjjjj>");
    is(&d, ROLE_PIANO, "120:60 120:64 120:67 600:62 960:64 1440:66");
    press(&d, "oh"); /* the other corner: earlier by a column */
    assert_int_equal(d.tick, 0);
    assert_int_equal(desk_area(&d).to, 720);
    press(&d, "<Esc>");
    assert_false(desk_selected(&d, ROLE_PIANO, &desk_track(&d)->notes[0]));
    desk_fini(&d);
}

static void test_tracks_and_bars(void **state)
{
    struct desk d;
    (void)state;
    seed(&d);
    press(&d, "v4"); /* piano to bass: tracks and time */
    struct area a = desk_area(&d);
    assert_int_equal(a.track0, ROLE_PIANO);
    assert_int_equal(a.track1, ROLE_BASS);
    assert_int_equal(a.to, 120);
    press(&d, "V");
    a = desk_area(&d);
    assert_int_equal(a.track0, ROLE_PIANO);
    assert_int_equal(a.to, 1920);
    press(&d, "K");
    is(&d, ROLE_BASS, "0:37");
    is(&d, ROLE_PIANO, "0:61 0:65 0:68 480:63 960:65 1440:67");
    press(&d, "<Esc>uV>"); /* all tracks, the kit too */
    is(&d, ROLE_DRUMS, "120:36");
    is(&d, ROLE_BASS, "120:36");
    run(&d, "undo");
    run(&d, "select-bars 1-2");
    run(&d, "transpose 1");
    is(&d, ROLE_DRUMS, "0:36"); /* the kit stays the kit */
    is(&d, ROLE_BASS, "0:37");
    desk_fini(&d);
}

static void test_kinds(void **state)
{
    struct desk d;
    (void)state;
    seed(&d);
    run(&d, "select outofscale");
    assert_int_equal(d.picks.n, 1);
    press(&d, "kkkhh"); /* the cursor walks, the choice stays */
    press(&d, "J");
    is(&d, ROLE_PIANO, "0:60 0:64 0:67 480:62 960:64 1440:65");
    run(&d, "select invert");
    assert_int_equal(d.picks.n, 5);
    run(&d, "delete");
    is(&d, ROLE_PIANO, "1440:65");
    assert_int_equal(command_run(&d, "select outofscale"), ERR_EMPTY);
    run(&d, "undo");
    run(&d, "select track");
    press(&d, "-");
    assert_int_equal(desk_track(&d)->notes[0].vel, 82);
    run(&d, "select none");
    assert_int_equal(d.mode, MODE_NORMAL);
    run(&d, "select all");
    assert_int_equal(desk_selection(&d).track1, ROLE_STRINGS);
    assert_int_equal(desk_selection(&d).bar1, 3);
    assert_int_equal(command_run(&d, "select 3-9"), ERR_RANGE);
    assert_int_equal(command_run(&d, "select nonsense"), ERR_FORMAT);
    desk_fini(&d);
}

static void test_clipboard(void **state)
{
    struct desk d;
    (void)state;
    seed(&d);
    assert_int_equal(command_run(&d, "paste"), ERR_EMPTY);
    press(&d, "yy}p"); /* a bar into the next, whose own notes go */
    is(&d, ROLE_PIANO, "0:60 0:64 0:67 480:62 960:64 1440:66 1920:60 1920:64 1920:67 2400:62 2880:64 3360:66");
    assert_int_equal(desk_track(&d)->notes[5].dur, 960); /* no other of its pitch in the way */
    press(&d, "dd");
    is(&d, ROLE_PIANO, all_piano);
    press(&d, "4p"); /* one track goes to the track under the hand */
    is(&d, ROLE_BASS, "0:36 1920:60 1920:64 1920:67 2400:62 2880:64 3360:66");
    assert_int_equal(command_run(&d, "track drums"), ERR_OK);
    assert_int_equal(command_run(&d, "paste"), ERR_UNSUPPORTED);
    press(&d, "u2");
    run(&d, "bar 1");
    desk_pitch(&d, 60);
    press(&d, "vy"); /* a clip of notes joins, from the cursor's column on */
    run(&d, "bar 4");
    press(&d, "$p");
    assert_int_equal(desk_track(&d)->notes[6].tick, 7680 - 120);
    desk_pitch(&d, 72);
    run(&d, "paste here");
    assert_int_equal(desk_track(&d)->notes[7].pitch, 72);
    run(&d, "undo");
    run(&d, "undo");
    is(&d, ROLE_PIANO, all_piano);
    press(&d, "ya"); /* four bars of all tracks from the last bar on: the song grows */
    size_t undo = (size_t)session_n_undo(d.session);
    press(&d, "p");
    assert_int_equal(session_n_bars(d.session), 8);
    assert_int_equal(session_n_undo(d.session), (int)undo + 1);
    is(&d, ROLE_BASS, "0:36 5760:36");
    is(&d, ROLE_DRUMS, "0:36 5760:36");
    press(&d, "u");
    assert_int_equal(session_n_bars(d.session), 4);
    run(&d, "bars 256");
    run(&d, "bar 256");
    assert_int_equal(command_run(&d, "paste"), ERR_RANGE);
    desk_fini(&d);
}

static void test_an_empty_bar_is_a_clip(void **state)
{
    struct desk d;
    (void)state;
    seed(&d);
    run(&d, "bar 2");
    press(&d, "yy{p");
    is(&d, ROLE_PIANO, "");
    desk_fini(&d);
}

static void test_paste_over_a_selection(void **state)
{
    struct desk d;
    (void)state;
    seed(&d);
    press(&d, "vy");
    run(&d, "select 1");
    press(&d, "p");
    is(&d, ROLE_PIANO, "0:60");
    assert_int_equal(d.mode, MODE_NORMAL);
    desk_fini(&d);
}

static void test_kept_cells_are_open_to_hands(void **state)
{
    struct desk d;
    (void)state;
    seed(&d);
    run(&d, "keep track");
    run(&d, "transpose 2");
    is(&d, ROLE_PIANO, "0:62 0:66 0:69 480:64 960:66 1440:68");
    assert_true(session_track_kept(d.session, ROLE_PIANO));
    desk_fini(&d);
}

/* One command on the seed's piano, and what becomes of it. */
static const struct {
    const char *line, *want;
} shapes[] = {
    {"transpose 2", "0:62 0:66 0:69 480:64 960:66 1440:68"},
    {"degrees 1", "0:62 0:65 0:69 480:64 960:65 1440:68"}, /* f# keeps its distance to f */
    {"degrees -1", "0:59 0:62 0:65 480:60 960:62 1440:65"},
    {"degrees +7", "0:72 0:76 0:79 480:74 960:76 1440:78"},
    {"tune", "0:60 0:64 0:67 480:62 960:64 1440:65"},
    {"mirror 64", "0:61 0:64 0:68 480:66 960:64 1440:62"},
    {"mirror", "0:53 0:56 0:60 480:58 960:56 1440:54"},
    {"invert +", "0:64 0:67 0:72 480:62 960:64 1440:66"},
    {"invert -", "0:55 0:60 0:64 480:62 960:64 1440:66"},
    {"shift 1", "120:60 120:64 120:67 600:62 1080:64 1560:66"},
    {"shift -1", NULL}, /* it starts where the song does */
    {"retrograde", "1440:66 2400:64 2880:62 3360:60 3360:64 3360:67"}, /* two bars hold them */
    {"stretch half", "0:60 0:64 0:67 240:62 480:64 720:66"},
    {"stretch double", "0:60 0:64 0:67 960:62 1920:64 2880:66"},
    {"degrees +27", "0:107 0:110 0:113 480:108 960:110 1440:113"},
    {"mirror 120", NULL},
    {"mirror 3", NULL},
    {"invert x", NULL},
    {"stretch 2", NULL},
    {"quantize 1/7x", NULL},
    {"quantize 1/8 200%", NULL},
    {"quantize 1/8 50% 90%", NULL},
    {"quantize 1/2", "0:60 0:62 0:64 0:67 960:64 960:66"},
    {"quantize 1/2 50%", "0:60 0:64 0:67 240:62 960:64 1200:66"},
    {"quantize 1/4 100% 60%", "0:60 0:64 0:67 576:62 960:64 1536:66"},
};

static void test_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        struct desk d;
        seed(&d);
        int undo = session_n_undo(d.session);
        enum err err = command_run(&d, shapes[i].line);
        if ((err == ERR_OK) != (shapes[i].want != NULL))
            fail_msg("%s: %s", shapes[i].line, err == ERR_OK ? "was done" : err_text());
        is(&d, ROLE_PIANO, shapes[i].want ? shapes[i].want : all_piano);
        is(&d, ROLE_BASS, "0:36");
        assert_int_equal(session_n_undo(d.session), undo + (err == ERR_OK));
        if (err == ERR_OK)
            run(&d, "undo");
        is(&d, ROLE_PIANO, all_piano);
        desk_fini(&d);
    }
}

static void test_lengths(void **state)
{
    struct desk d;
    (void)state;
    seed(&d);
    const struct track *t = desk_track(&d);
    run(&d, "staccato");
    assert_int_equal(t->notes[0].dur, 240);
    assert_int_equal(t->notes[5].dur, 480);
    run(&d, "legato");
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(t->notes[i].dur, 480);
    assert_int_equal(t->notes[5].dur, 480); /* the last one stays */
    desk_fini(&d);
}

/* A song that grows for its slower music, and the end of what can grow. */
static void test_stretching_grows(void **state)
{
    struct desk d;
    (void)state;
    seed(&d);
    put(&d, ROLE_PIANO, 7200, 480, 60);
    run(&d, "stretch double");
    assert_int_equal(session_n_bars(d.session), 8);
    run(&d, "undo");
    assert_int_equal(session_n_bars(d.session), 4);
    run(&d, "bars 256");
    put(&d, ROLE_PIANO, 256 * 1920 - 10, 10, 60);
    assert_int_equal(command_run(&d, "stretch double"), ERR_RANGE);
    assert_int_equal(session_n_bars(d.session), 256);
    desk_fini(&d);
}

static void test_humanize_replays(void **state)
{
    struct desk a, b;
    (void)state;
    seed(&a);
    seed(&b);
    run(&a, "seed 5");
    run(&b, "seed 5");
    run(&a, "humanize 30 20");
    run(&b, "humanize 30 20");
    assert_true(song_equal(session_song(a.session), session_song(b.session)));
    run(&b, "undo");
    assert_false(song_equal(session_song(a.session), session_song(b.session)));
    run(&b, "humanize 30 20");
    assert_true(song_equal(session_song(a.session), session_song(b.session)));
    run(&b, "undo");
    run(&b, "seed 6");
    run(&b, "humanize 30 20");
    assert_false(song_equal(session_song(a.session), session_song(b.session)));
    const struct track *t = desk_track(&a), *u = desk_track(&b);
    bool moved = false;
    for (size_t i = 0; i < t->n; i++) {
        moved |= t->notes[i].tick % 480 != 0;
        assert_true(t->notes[i].tick >= 0 && abs(t->notes[i].vel - 90) <= 20);
    }
    assert_true(moved && u->n == t->n);
    desk_fini(&a);
    desk_fini(&b);
}

static void test_quantize_in_odd_bars(void **state)
{
    struct desk d;
    (void)state;
    desk_init(&d);
    song_set_metre(session_song(d.session), 0, 7, 8); /* 1680 ticks: the grid starts anew at each bar */
    put(&d, ROLE_PIANO, 1650, 100, 60);
    put(&d, ROLE_PIANO, 1680 + 470, 100, 62);
    put(&d, ROLE_PIANO, 4 * 1680 - 5, 5, 64); /* the end of the song is no place for a note */
    run(&d, "track piano");
    run(&d, "quantize 1/4");
    is(&d, ROLE_PIANO, "1680:60 2160:62 6715:64");
    desk_fini(&d);
}

static void test_lock(void **state)
{
    struct desk d;
    (void)state;
    desk_init(&d);
    run(&d, "key C");
    run(&d, "lock on");
    desk_pitch(&d, 61);
    press(&d, "<Enter>");
    is(&d, ROLE_PIANO, "0:60");
    assert_int_equal(d.pitch, 60);
    press(&d, "xis"); /* the black key plays the white one below */
    is(&d, ROLE_PIANO, "0:60");
    press(&d, "<Esc>1i");
    press(&d, "s"); /* the kit has no scale */
    is(&d, ROLE_DRUMS, "240:37");
    run(&d, "lock off");
    press(&d, "<Esc>2is");
    is(&d, ROLE_PIANO, "0:60 480:61");
    desk_fini(&d);
}

static void test_enter_from_outside(void **state)
{
    struct desk d;
    (void)state;
    desk_init(&d);
    assert_int_equal(desk_enter(&d, 60, 100, true), ERR_OK);
    assert_int_equal(desk_enter(&d, 64, 80, true), ERR_OK);
    desk_step_on(&d);
    assert_int_equal(desk_enter(&d, 67, 90, false), ERR_OK);
    is(&d, ROLE_PIANO, "0:60 0:64 240:67");
    assert_int_equal(desk_track(&d)->notes[1].vel, 80);
    assert_int_equal(d.tick, 480);
    desk_fini(&d);
}

static void test_erasing_in_a_chord(void **state)
{
    struct desk d;
    (void)state;
    desk_init(&d);
    press(&d, "iz<Enter>xc<Back>v"); /* c; then d and a wrong e, f in its place */
    is(&d, ROLE_PIANO, "0:60 240:62 240:65");
    press(&d, "<Enter><Left><Left><Back>"); /* at the start there is nothing before */
    is(&d, ROLE_PIANO, "0:60 240:62 240:65");
    desk_fini(&d);
}

/* The kit's lines: each pitch has one, the bass drum is the lowest, and moving goes from line to line. */
static void test_kit_lines(void **state)
{
    struct desk d;
    bool seen[128] = {false};
    (void)state;
    for (int line = 0; line < 128; line++) {
        int pitch = pitch_of_line(ROLE_DRUMS, line);
        assert_false(seen[pitch]);
        seen[pitch] = true;
        assert_int_equal(line_of(ROLE_DRUMS, pitch), line);
        assert_int_equal(line_of(ROLE_PIANO, line), line);
    }
    seed(&d);
    press(&d, "1");
    assert_int_equal(d.pitch, 36);
    press(&d, "k"); /* the snare */
    assert_int_equal(d.pitch, 38);
    press(&d, "vjK"); /* bass drum becomes snare */
    is(&d, ROLE_DRUMS, "0:38");
    press(&d, "JJ");
    assert_true(d.message_bad);
    is(&d, ROLE_DRUMS, "0:36");
    desk_fini(&d);
}

/* What the piano plays from the keys of one row after another, and whether the gutter says the same. */
static void play_piano(struct desk *d, const char *keys)
{
    int n = 0;
    run(d, "normal");
    run(d, "cut track");
    run(d, "bar 1");
    run(d, "step");
    run(d, "register 4");
    run(d, "len 1/16");
    for (int bytes; *keys; keys += bytes, n++) {
        char key[8];
        int code = keycode_from_utf8(keys, &bytes);
        str_format(key, sizeof key, "%.*s", bytes, keys);
        assert_string_equal(desk_step_key(n), key);
        assert_true(command_key(d, code));
        assert_int_equal(desk_track(d)->n, n + 1);
        assert_int_equal(desk_track(d)->notes[n].pitch, 60 + n);
    }
}

static void test_pianos(void **state)
{
    static const struct {
        const char *line, *keys;
    } boards[] = {
        {"piano dvorak", ";oqejkixdbhm'2,3.p5y6f7gc9r0l"},
        {"piano single", "a,o.euyifdghtrnl"},
        {"piano qwertz", "awsedftgzhujkolp"},
        {"piano azerty double", "wsxdcvgbhnj,aéz\"er(t-yèuiçoàp"},
        {"piano [];/<=-", "[];/<=-"},
        {"set piano qwertz double", "ysxdcvgbhnjmq2w3er5t6z7ui9o0p"},
        {"piano qwerty", "zsxdcvgbhnjmq2w3er5t6y7ui9o0p"},
    };
    struct desk d;
    (void)state;
    desk_init(&d);
    for (size_t i = 0; i < COUNT_OF(boards); i++) {
        run(&d, boards[i].line);
        play_piano(&d, boards[i].keys);
        press(&d, "<C-a>"); /* what a piano may have taken has another key */
        assert_int_equal(d.vel, 120);
        press(&d, "<C-a><C-d><C-d><C-t><C-t><PgUp>");
        assert_int_equal(d.octave, 5);
        press(&d, "<PgDn>");
    }
    run(&d, "piano dvorak");
    assert_non_null(strstr(d.message, "'")); /* what was taken is told */
    assert_int_equal(command_run(&d, "piano sngle"), ERR_FORMAT);
    assert_int_equal(command_run(&d, "piano abcdefga"), ERR_FORMAT);
    assert_int_equal(command_run(&d, "piano \"abcdefg h\""), ERR_FORMAT);
    assert_int_equal(command_run(&d, "piano abcdefghijklmnopqrstuvwxyz1234"), ERR_RANGE);
    play_piano(&d, ";oqejkixdbhm"); /* still the last good one */
    run(&d, "piano qwerty double");
    desk_fini(&d);
}

static void test_daw_keys(void **state)
{
    struct desk d;
    (void)state;
    seed(&d);
    run(&d, "bind n batch 3");
    run(&d, "keys daw");
    press(&d, "n<C-c>}<C-v>"); /* a key of the user stays */
    assert_int_equal(desk_track(&d)->n, 12);
    press(&d, "<C-z>");
    is(&d, ROLE_PIANO, all_piano);
    press(&d, "<C-y><C-z>");
    run(&d, "bar 1");
    desk_pitch(&d, 60);
    press(&d, "v<Up><Right><Right>");
    is(&d, ROLE_PIANO, "0:64 0:67 240:61 480:62 960:64 1440:66");
    press(&d, "<Left><Down>kkkk"); /* letters go on selecting */
    assert_int_equal(desk_area(&d).high, 64);
    press(&d, "<C-x>");
    is(&d, ROLE_PIANO, "0:64 0:67 480:62 960:64 1440:66");
    size_t n;
    const struct binding *b = bindings(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            assert_false(b[i].in == b[k].in && b[i].key[0] == b[k].key[0] && b[i].key[1] == b[k].key[1]);
    run(&d, "keys classic");
    assert_string_equal(binding_find(KEYS_NORMAL, KC_CTRL | 'z', KC_NONE)->action->name, "suspend");
    assert_int_equal(command_run(&d, "keys strange"), ERR_FORMAT);
    desk_fini(&d);
}

/* Random editing: undone to the start the song is the first song, redone it is the last. */
static const char *const edits[] = {
    "note",      "delete",         "velocity +8",  "velocity -30",     "longer +1",    "longer -2",   "transpose +1",
    "transpose -12", "degrees +2", "degrees -1",   "tune",             "mirror",       "invert +",    "invert -",
    "shift +1",  "shift -3",       "quantize",     "quantize 1/8 50%", "humanize",     "retrograde",  "stretch half",
    "stretch double", "legato",    "staccato",     "yank",             "yank all",     "cut",         "cut track",
    "paste",     "paste here",     "select",       "select track",     "select invert", "select-bars", "select none",
    "select outofscale", "corner", "left",         "right",            "up",           "down",        "bar +1",
    "bar -1",    "track-by +",     "track-by -",   "step",             "key-note 4",   "key-note 11", "chord",
    "tie",       "erase",          "rest",         "normal",           "lock",         "zoom +",      "zoom -",
    "octave +",  "octave -",       "key Am",       "key auto",         "select 1-2",   "select-bars 2",
};

static void check_song(struct desk *d)
{
    const struct song *song = session_song(d->session);
    for (int r = 0; r < N_ROLES; r++)
        for (size_t i = 0; i < song->tracks[r].n; i++) {
            const struct note *n = &song->tracks[r].notes[i];
            assert_true(n->tick >= 0 && n->tick < session_end(d->session));
            assert_true(n->dur >= 1 && n->vel >= 1 && n->vel <= 127 && n->pitch <= 127);
        }
}

static void test_random_edits(void **state)
{
    (void)state;
    for (unsigned round = 1; round <= 60; round++) {
        struct desk d;
        seed(&d);
        while (session_n_undo(d.session) > 0)
            if (!session_undo(d.session))
                break;
        run(&d, "redo");
        struct song *first = song_dup(session_song(d.session));
        int start = session_n_undo(d.session), bars = session_n_bars(d.session);
        srand(round);
        for (int i = 0; i < 150 && session_n_bars(d.session) <= 64; i++) {
            if (command_run(&d, edits[(size_t)rand() % COUNT_OF(edits)]) == ERR_OK)
                check_song(&d);
            d.want = WANT_NOTHING;
        }
        struct song *last = song_dup(session_song(d.session));
        int steps = session_n_undo(d.session) - start;
        assert_true(steps > 10);
        for (int i = 0; i < steps; i++)
            assert_true(session_undo(d.session));
        assert_true(song_equal(first, session_song(d.session)));
        assert_int_equal(session_n_bars(d.session), bars);
        for (int i = 0; i < steps; i++)
            assert_true(session_redo(d.session));
        assert_true(song_equal(last, session_song(d.session)));
        song_free(first);
        song_free(last);
        desk_fini(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rectangle),
        cmocka_unit_test(test_tracks_and_bars),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_clipboard),
        cmocka_unit_test(test_an_empty_bar_is_a_clip),
        cmocka_unit_test(test_paste_over_a_selection),
        cmocka_unit_test(test_kept_cells_are_open_to_hands),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_stretching_grows),
        cmocka_unit_test(test_humanize_replays),
        cmocka_unit_test(test_quantize_in_odd_bars),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_enter_from_outside),
        cmocka_unit_test(test_erasing_in_a_chord),
        cmocka_unit_test(test_kit_lines),
        cmocka_unit_test(test_pianos),
        cmocka_unit_test(test_daw_keys),
        cmocka_unit_test(test_random_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
