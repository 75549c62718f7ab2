/* make_seeds.c: writes assets/seeds/ from the scores below, through the program's own song and MIDI code.
 *
 *   make lib
 *   cc -std=gnu11 -D_GNU_SOURCE -Iinclude tests/tools/make_seeds.c build/libjamroll.a -lm -lpthread -o build/make_seeds
 *   build/make_seeds assets/seeds
 *
 * A voice is bars of notes: name and octave (c4 = middle C), '+' for chords, '/' and a length in units, '-' for
 * a rest, '!' for an accent, '?' for a ghost note. A drum line is one character a sixteenth: X x o loud, plain,
 * ghost, '.' nothing. The music is in the public domain (CC0). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "midi.h"
#include "rng.h"
#include "role.h"
#include "song.h"
#include "str.h"

struct voice { enum role role; int program, unit, level; const char *score; };
struct line { int pitch, level; const char *score; };
struct seed {
    const char *file, *title;
    double bpm;
    int sharps;
    bool minor;
    int bars;
    struct voice voices[4];
    struct line lines[10];
};

static const struct seed seeds[] = {
    {"piano-ballad.mid", "Piano ballad", 72, 0, true, 4,
     {{ROLE_PIANO, 0, 120, 88, /* the song */
       "e5/6! d5/2 c5/4 b4/4 | a4/6! c5/2 e5/4 g5/4! | f5/2 e5/6! d5/4 c5/4 | b4/4 d5/4! e5/2 d5/2 b4/4?"},
      {ROLE_PIANO, 0, 120, 60, /* Am9, Fmaj9, Dm9, E7 sus to E7 */
       "-/4 c4+e4/8 b3+e4/4 | -/4 a3+c4+e4/8 a3+c4/4 | -/4 f3+a3+c4/8 f3+a3/4 | -/4 a3+b3+d4/4 -/2 g#3+b3+d4/6"},
      {ROLE_PIANO, 0, 120, 68, /* the left hand holds */
       "a2+e3/16 | f2+c3/16 | d2+a2/16 | e2+b2/16"}},
     {{0}}},
    {"rock-groove.mid", "Rock groove", 118, 1, true, 8,
     {{ROLE_BASS, 33, 120, 94,
       "e2/4! -/2 e2/2 e2/2! g2/2 a2/2 b2/2 | e2/4! -/2 e2/2 e2/2! d2/2 e2/2? g2/2 |"
       "c2/4! -/2 c2/2 c2/2! e2/2 g2/2 e2/2 | d2/4! -/2 d2/2 d2/2! f#2/2 a2/2 f#2/2 |"
       "e2/4! -/2 e2/2 e2/2! g2/2 a2/2 b2/2 | b1/4! -/2 b1/2 b1/2! d2/2 f#2/2 b1/2 |"
       "c2/4! -/2 c2/2 c2/2! e2/2 f#2/2 g2/2 | b1/4! -/2 b1/2 b1/4! d#2/4!"}},
     {{49, 104, "X............... | ................ | ................ | ................ |"
       "X............... | ................ | ................ | ................"},
      {42, 76, "..x.X.x.X.x.X.x. | X.x.X.x.X.x.X.x. | X.x.X.x.X.x.X.x. | X.x.X.x.X.x.X... |"
       "..x.X.x.X.x.X.x. | X.x.X.x.X.x.X.x. | X.x.X.x.X.x.X.x. | X.x.X.x........."},
      {46, 84, "................ | ................ | ................ | ..............x. |"
       "................ | ................ | ................ | ................"},
      {38, 102, "....X.......X..o | ....X..o....X... | ....X.......X..o | ....X.......X.x. |"
       "....X.......X..o | ....X..o....X... | ....X.......X..o | ....X...X.xx...."},
      {36, 106, "X.....x.X.x..... | X.....x.X.x..... | X.....x.X.x..... | X.....x.X.x..... |"
       "X.....x.X.x..... | X.....x.X.x..... | X.....x.X.x...x. | X.....x........."},
      {47, 98, "................ | ................ | ................ | ................ |"
       "................ | ................ | ................ | ............Xx.."},
      {43, 104, "................ | ................ | ................ | ................ |"
       "................ | ................ | ................ | ..............xX"}}},
    {"guitar-riff.mid", "Guitar riff", 126, 1, true, 4,
     {{ROLE_GUITAR, 25, 120, 92,
       "e2/2! e2/2 g2/2 a2/2! -/1 e2/1? b2/2! a2/2 g2/2 |"
       "e2/2! e2/2 g2/2 a2/2! -/1 e2/1? a#2/1! a2/1 g2/2 f#2/2 |"
       "e2/2! e2/2 g2/2 a2/2! -/1 e2/1? b2/2! d3/2 b2/2 |"
       "c3+g3+c4/3! b2+f#3/3! -/2 e3+b3+e4/8!"}},
     {{0}}},
    {"walking-bass.mid", "Walking bass", 138, -1, false, 8,
     {{ROLE_BASS, 32, 40, 86, /* F6 D7, Gm7 C7, Am7 D7, Gm7 C7, F F7, Bb Bdim, F/C D7, Gm7 C7 */
       "f2/12! a2/12 d2/12! f#2/12 | g2/12! bb2/12 c3/8! c3/4? bb2/12 | a2/12! e2/12 d2/12! f#2/12 |"
       "g2/12! d2/12 c2/8! c2/4? e2/12 | f2/12! c3/12 eb3/12! a2/12 | bb2/12! f2/12 b2/8! b2/4? d3/12 |"
       "c3/12! a2/12 d2/12! f#2/12 | g2/8! g2/4? bb2/12 c3/12! e2/12"}},
     {{0}}},
};

static void die(const char *what, const char *at)
{
    fprintf(stderr, "make_seeds: %s at '%.20s'\n", what, at);
    exit(1);
}

static int parse_pitch(const char **p)
{
    static const int of_letter[] = {9, 11, 0, 2, 4, 5, 7}; /* a to g */
    if (**p < 'a' || **p > 'g')
        die("no note", *p);
    int pitch = of_letter[*(*p)++ - 'a'];
    if (**p == '#' || **p == 'b')
        pitch += *(*p)++ == '#' ? 1 : -1;
    if (!isdigit((unsigned char)**p))
        die("no octave", *p);
    return pitch + 12 * (*(*p)++ - '0' + 1);
}

/* On the beat a little louder, at its weak places a little softer, and never twice the same. */
static uint8_t velocity(int level, char mark, int32_t tick, struct rng *r)
{
    int v = level + (tick % 1920 == 0 ? 5 : tick % 480 == 0 ? 2 : -3) + (int)rng_below(r, 7) - 3;
    v += mark == '!' || mark == 'X' ? 8 : mark == '?' || mark == 'o' ? -34 : 0;
    return (uint8_t)(v < 1 ? 1 : v > 127 ? 127 : v);
}

static void add_voice(struct song *s, const struct voice *v, int bars)
{
    struct track *t = song_track_of(s, v->role);
    if (!t)
        t = song_add_track(s, role_name(v->role), v->role);
    t->program = (uint8_t)v->program;
    struct rng r;
    rng_init(&r, (uint64_t)v->level, (uint64_t)v->program);
    int32_t tick = 0;
    for (const char *p = v->score; *p;) {
        if (*p == ' ' || *p == '|') {
            if (*p++ == '|' && tick % 1920)
                die("a bar is not full", p);
            continue;
        }
        int pitch[6], n = 0;
        if (*p == '-')
            p++;
        else
            do
                pitch[n++] = parse_pitch(&p);
            while (*p == '+' && p++);
        if (*p++ != '/')
            die("no length", p - 1);
        char *end;
        int32_t units = (int32_t)strtol(p, &end, 10);
        p = end;
        char mark = *p == '!' || *p == '?' ? *p++ : 0;
        int32_t len = units * v->unit;
        for (int i = 0; i < n; i++)
            track_add(t, (struct note){tick, len, (uint8_t)pitch[i], velocity(v->level, mark, tick, &r)});
        tick += len;
    }
    if (tick != bars * 1920)
        die("not as many bars as it should have", v->score);
}

static void add_line(struct song *s, const struct line *l, int bars)
{
    struct track *t = song_track_of(s, ROLE_DRUMS);
    if (!t)
        t = song_add_track(s, role_name(ROLE_DRUMS), ROLE_DRUMS);
    struct rng r;
    rng_init(&r, (uint64_t)l->level, (uint64_t)l->pitch);
    int32_t tick = 0;
    for (const char *p = l->score; *p; p++) {
        if (strchr("Xxo", *p))
            track_add(t, (struct note){tick, 120, (uint8_t)l->pitch, velocity(l->level, *p, tick, &r)});
        if (*p == '|' && tick % 1920)
            die("a bar is not full", p);
        if (*p != ' ' && *p != '|')
            tick += 120;
    }
    if (tick != bars * 1920)
        die("not as many bars as it should have", l->score);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        die("usage", "make_seeds DIR");
    for (size_t i = 0; i < COUNT_OF(seeds); i++) {
        const struct seed *seed = &seeds[i];
        struct song *s = song_new();
        str_copy(s->title, sizeof s->title, seed->title);
        song_set_tempo(s, 0, seed->bpm);
        song_set_key(s, 0, seed->sharps, seed->minor);
        for (size_t k = 0; k < COUNT_OF(seed->lines) && seed->lines[k].score; k++)
            add_line(s, &seed->lines[k], seed->bars);
        for (size_t k = 0; k < COUNT_OF(seed->voices) && seed->voices[k].score; k++)
            add_voice(s, &seed->voices[k], seed->bars);
        char *path = path_join(argv[1], seed->file);
        if (midi_save(s, &(struct midi_write_opts){.format = 1}, path) != ERR_OK)
            die(err_text(), path);
        free(path);
        song_free(s);
    }
    return 0;
}
