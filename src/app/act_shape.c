/* act_shape.c: commands that give notes another shape: in pitch, in time, in length. They work on what is
 * selected, else on the focused track, in a batch on the song; and each is one step. */
#include <stdlib.h>
#include <string.h>

#include "hand.h"
#include "rng.h"

/* ---- pitch ---- */

static bool is_kit(const struct held *h)
{
    return h->track == ROLE_DRUMS;
}

/* All move or none: a chord that is cut off at the end of the keyboard is another chord. */
static enum err set_pitch(struct held *h, int pitch)
{
    if (pitch < 0 || pitch > 127)
        return err_set(ERR_RANGE, "a note would leave the keyboard");
    h->note.pitch = (uint8_t)pitch;
    return ERR_OK;
}

/* The kit moves when it is meant alone; among other tracks it stays what it is. */
static bool kit_stays(const struct desk *d, const struct hand *h)
{
    return (d->whole && d->mode != MODE_SELECT) || h->at[0].track != h->at[h->n - 1].track;
}

/* Up and down the lines of the roll, where a semitone means nothing; -1 beyond its ends. */
static int next_piece(int pitch, int by)
{
    int line = line_of(ROLE_DRUMS, pitch) + by;
    return line < 0 || line > 127 ? -1 : pitch_of_line(ROLE_DRUMS, line);
}

static enum err semitones(struct desk *d, struct hand *h, const int *by)
{
    for (size_t i = 0; i < h->n; i++)
        if (!is_kit(&h->at[i]) || !kit_stays(d, h))
            TRY(set_pitch(&h->at[i], is_kit(&h->at[i]) ? next_piece(h->at[i].note.pitch, *by)
                                                       : h->at[i].note.pitch + *by));
    select_move(d, 0, *by);
    return ERR_OK;
}

enum err act_transpose(struct desk *d, int argc, char **argv)
{
    int by = 0;
    (void)argc;
    TRY(arg_step(argv[0], 0, -48, 48, &by));
    return hand_shape(d, REACH_TRACK, "transpose", semitones, &by);
}

static int scale_steps(uint16_t scale, int pitch, int by)
{
    for (int way = by < 0 ? -1 : 1; by != 0 && pitch >= 0 && pitch <= 127; by -= way)
        do
            pitch += way;
        while (pitch >= 0 && pitch <= 127 && !(scale >> pitch % 12 & 1));
    return pitch;
}

/* A note beside the scale goes with the one below it and keeps its distance. */
static enum err degrees(struct desk *d, struct hand *h, const int *by)
{
    struct key k = desk_key(d);
    uint16_t scale = key_scale(k);
    if (k.tonic < 0)
        return err_set(ERR_EMPTY, "there is no key yet: g k sets one");
    for (size_t i = 0; i < h->n; i++) {
        int pitch = h->at[i].note.pitch, above = 0;
        while (!(scale >> (pitch - above) % 12 & 1) && above < pitch)
            above++;
        if (!is_kit(&h->at[i]))
            TRY(set_pitch(&h->at[i], scale_steps(scale, pitch - above, *by) + above));
    }
    return ERR_OK;
}

enum err act_degrees(struct desk *d, int argc, char **argv)
{
    int by = 0;
    (void)argc;
    TRY(arg_step(argv[0], 0, -28, 28, &by));
    return hand_shape(d, REACH_TRACK, "degrees", degrees, &by);
}

/* Upside down around a pitch. */
static enum err mirror(struct desk *d, struct hand *h, const int *axis)
{
    (void)d;
    for (size_t i = 0; i < h->n; i++)
        if (!is_kit(&h->at[i]))
            TRY(set_pitch(&h->at[i], 2 * *axis - h->at[i].note.pitch));
    return ERR_OK;
}

enum err act_mirror(struct desk *d, int argc, char **argv)
{
    int axis = d->pitch;
    if (argc > 0)
        TRY(arg_int(argv[0], 0, 127, &axis));
    return hand_shape(d, REACH_TRACK, "mirror", mirror, &axis);
}

enum { TOGETHER = SONG_TPQ / 16 }; /* onsets this near are one chord, played by a hand */

/* Where the chord of held note i ends in the hand. */
static size_t chord_end(const struct hand *h, size_t i)
{
    size_t next = i + 1;
    while (next < h->n && h->at[next].track == h->at[i].track &&
           h->at[next].was.tick < h->at[i].was.tick + TOGETHER)
        next++;
    return next;
}

/* Chord inversion: the lowest note goes up an octave, or the highest down. */
static enum err turn(struct desk *d, struct hand *h, const int *by)
{
    (void)d;
    for (size_t i = 0, next; i < h->n; i = next) {
        struct held *one = &h->at[i];
        next = chord_end(h, i);
        for (size_t k = i; k < next; k++)
            if (*by > 0 ? h->at[k].was.pitch < one->was.pitch : h->at[k].was.pitch > one->was.pitch)
                one = &h->at[k];
        if (next - i > 1 && !is_kit(one))
            TRY(set_pitch(one, one->was.pitch + 12 * *by));
    }
    return ERR_OK;
}

enum err act_invert(struct desk *d, int argc, char **argv)
{
    (void)argc;
    if (!str_same(argv[0], "+") && !str_same(argv[0], "-"))
        return err_set(ERR_FORMAT, "invert + or -, not \"%s\"", argv[0]);
    return hand_shape(d, REACH_TRACK, "invert", turn, &(int){argv[0][0] == '-' ? -1 : 1});
}

/* ---- time ---- */

/* As far as the song goes, all together. */
static enum err shift(struct desk *d, struct hand *h, const int *ticks)
{
    int32_t first = INT32_MAX, last = 0, end = session_end(d->session) - 1, by = *ticks;
    for (size_t i = 0; i < h->n; i++) {
        int32_t tick = h->at[i].was.tick;
        first = tick < first ? tick : first;
        last = tick > last ? tick : last;
    }
    by = by < -first ? -first : by > end - last ? end - last : by;
    if ((by < 0) != (*ticks < 0) || by == 0)
        return err_set(ERR_RANGE, "the song ends here");
    for (size_t i = 0; i < h->n; i++)
        h->at[i].note.tick += by;
    select_move(d, by, 0);
    return ERR_OK;
}

enum err act_shift(struct desk *d, int argc, char **argv)
{
    int by = 0;
    (void)argc;
    TRY(arg_step(argv[0], 0, -4096, 4096, &by));
    by *= d->grid;
    return hand_shape(d, REACH_TRACK, "shift", shift, &by);
}

/* The nearest line of a grid whose every second line is late by the swing (50 is straight). Grids start anew
 * at every bar; the next bar's start is a line too. */
static int32_t nearest_line(const struct song *song, int32_t tick, int32_t grid, int swing)
{
    int bar = song_bar_of(song, tick);
    int32_t from = song_bar_tick(song, bar), to = song_bar_tick(song, bar + 1), best = from;
    int32_t pair = from + (tick - from) / (2 * grid) * 2 * grid;
    const int32_t lines[] = {pair, pair + 2 * grid * swing / 100, pair + 2 * grid, to};
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        if (lines[i] <= to && abs(lines[i] - tick) < abs(best - tick))
            best = lines[i];
    return best;
}

static enum err quantize(struct desk *d, struct hand *h, const int *arg)
{
    const struct song *song = session_song(d->session);
    int32_t grid = arg[0], end = session_end(d->session);
    for (size_t i = 0; i < h->n; i++) {
        struct note *n = &h->at[i].note;
        int32_t line = nearest_line(song, n->tick, grid, arg[2]);
        int32_t by = (line - n->tick) * arg[1] / 100;
        if (n->tick + by < end) /* the last line is no place for a note */
            n->tick += by;
    }
    return ERR_OK;
}

static enum err arg_percent(char *text, int lo, int hi, int *out)
{
    size_t n = strlen(text);
    if (n > 0 && text[n - 1] == '%')
        text[n - 1] = '\0';
    return arg_int(text, lo, hi, out);
}

/* quantize [1/16 [50% [60%]]]: grid (a column where none is told), how far, and swing. */
enum err act_quantize(struct desk *d, int argc, char **argv)
{
    int arg[3] = {d->grid, 100, 50};
    if (argc > 0)
        TRY(arg_len(argv[0], &arg[0]));
    if (argc > 1)
        TRY(arg_percent(argv[1], 0, 100, &arg[1]));
    if (argc > 2)
        TRY(arg_percent(argv[2], 50, 75, &arg[2]));
    return hand_shape(d, REACH_TRACK, "quantize", quantize, arg);
}

static int clamp(int x, int lo, int hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

/* As a hand plays: each note its own little way off. Drawn from the seed and from what the note was, so that
 * the same command on the same notes gives the same. */
static enum err humanize(struct desk *d, struct hand *h, const int *arg)
{
    uint64_t seed = session_settings(d->session)->seed;
    int32_t end = session_end(d->session) - 1;
    for (size_t i = 0; i < h->n; i++) {
        struct held *one = &h->at[i];
        struct rng r;
        rng_init(&r, seed, rng_hash((uint64_t)one->was.tick, (uint64_t)(one->track << 8 | one->was.pitch)));
        float late = rng_truncated(&r, 2), loud = rng_truncated(&r, 2);
        one->note.tick = clamp(one->was.tick + (int)(late * (float)arg[0] / 2), 0, end);
        one->note.vel = (uint8_t)clamp(one->was.vel + (int)(loud * (float)arg[1] / 2), 1, 127);
    }
    return ERR_OK;
}

/* humanize [TICKS [VELOCITY]]: the farthest that a note may move and its velocity change. */
enum err act_humanize(struct desk *d, int argc, char **argv)
{
    int arg[2] = {10, 8};
    for (int i = 0; i < argc; i++)
        TRY(arg_int(argv[i], 0, i ? 64 : 60, &arg[i]));
    return hand_shape(d, REACH_TRACK, "humanize", humanize, arg);
}

/* Backwards, within the selection or the bars that hold the notes: what ended there starts here. Hits of the
 * kit have no end of their own and count as sixteenths. */
static enum err backwards(struct desk *d, struct hand *h, const int *arg)
{
    int32_t end = session_end(d->session) - 1;
    (void)arg;
    for (size_t i = 0; i < h->n; i++) {
        struct note *n = &h->at[i].note;
        int32_t dur = is_kit(&h->at[i]) ? SONG_TPQ / 4 : n->dur, tick = h->from + h->to - n->tick - dur;
        n->tick = clamp(tick, h->from, end);
    }
    return ERR_OK;
}

enum err act_retrograde(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return hand_shape(d, REACH_TRACK, "retrograde", backwards, NULL);
}

/* Twice as slow or as fast, from where the selection or its first bar starts. */
static enum err stretch(struct desk *d, struct hand *h, const int *twice)
{
    int32_t last = 0;
    for (size_t i = 0; i < h->n; i++) {
        struct note *n = &h->at[i].note;
        int32_t in = n->tick - h->from;
        n->tick = h->from + (*twice ? 2 * in : in / 2);
        n->dur = *twice ? 2 * n->dur : n->dur > 20 ? n->dur / 2 : n->dur;
        last = n->tick > last ? n->tick : last;
    }
    return hand_grow(d, last);
}

enum err act_stretch(struct desk *d, int argc, char **argv)
{
    (void)argc;
    bool twice = str_same(argv[0], "double");
    if (!twice && !str_same(argv[0], "half"))
        return err_set(ERR_FORMAT, "stretch double or half, not \"%s\"", argv[0]);
    return hand_shape(d, REACH_TRACK, "stretch", stretch, &(int){twice});
}

/* ---- length ---- */

/* Every note to the next onset of its track among those held; the last ones stay. */
static enum err bind(struct desk *d, struct hand *h, const int *arg)
{
    (void)d, (void)arg;
    for (size_t i = 0, next; i < h->n; i = next) {
        next = chord_end(h, i);
        if (next < h->n && h->at[next].track == h->at[i].track)
            for (size_t k = i; k < next; k++)
                h->at[k].note.dur = h->at[next].was.tick - h->at[k].was.tick;
    }
    return ERR_OK;
}

enum err act_legato(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return hand_shape(d, REACH_TRACK, "legato", bind, NULL);
}

static enum err part(struct desk *d, struct hand *h, const int *arg)
{
    (void)d, (void)arg;
    for (size_t i = 0; i < h->n; i++)
        h->at[i].note.dur = h->at[i].note.dur > 60 ? h->at[i].note.dur / 2 : h->at[i].note.dur;
    return ERR_OK;
}

enum err act_staccato(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return hand_shape(d, REACH_TRACK, "staccato", part, NULL);
}

/* Notes beside the scale go to the nearest note of it. */
static enum err tune(struct desk *d, struct hand *h, const int *arg)
{
    struct key k = desk_key(d);
    (void)arg;
    if (k.tonic < 0)
        return err_set(ERR_EMPTY, "there is no key yet: g k sets one");
    for (size_t i = 0; i < h->n; i++)
        if (!is_kit(&h->at[i]))
            TRY(set_pitch(&h->at[i], key_snap(k, h->at[i].note.pitch)));
    return ERR_OK;
}

enum err act_tune(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return hand_shape(d, REACH_TRACK, "tune", tune, NULL);
}
