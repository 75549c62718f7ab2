/* test_xml.c: the score is well-formed, every voice of every bar fills its bar, and the notes read back from it
 * are the song's. The reader here knows just enough of XML for what we write. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "file.h"
#include "rng.h"
#include "song.h"
#include "str.h"
#include "xml.h"

enum { MAX_NOTES = 20000, DEPTH = 16 };

struct heard {
    int part, from, to, pitch, vel;
};
struct score_read {
    struct heard notes[MAX_NOTES];
    int n, parts, measures;
};

static const char *find(const char *p, const char *end, const char *what)
{
    return memmem(p, (size_t)(end - p), what, strlen(what));
}

static const char *value(const char *elem, const char *end, const char *tag)
{
    char open[40];
    snprintf(open, sizeof open, "<%s>", tag);
    const char *p = find(elem, end, open);
    return p ? p + strlen(open) : NULL;
}

static int number(const char *elem, const char *end, const char *tag, int preset)
{
    const char *p = value(elem, end, tag);
    return p ? atoi(p) : preset;
}

static bool has(const char *elem, const char *end, const char *what)
{
    return find(elem, end, what) != NULL;
}

/* Tags balance, attributes are quoted, entities are known. */
static void check_form(const char *p)
{
    char stack[DEPTH][40];
    int depth = 0;
    for (; *p; p++) {
        assert_true((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t');
        if (*p == '&')
            assert_true(str_starts(p, "&amp;") || str_starts(p, "&lt;") || str_starts(p, "&gt;") ||
                        str_starts(p, "&quot;") || str_starts(p, "&apos;"));
        if (*p != '<')
            continue;
        const char *end = p + strcspn(p, ">");
        assert_true(*end == '>');
        size_t n = strcspn(p + 1, " />?!");
        if (p[1] == '/') {
            n = strcspn(p + 2, ">");
            assert_true(depth > 0);
            depth--;
            assert_int_equal(strlen(stack[depth]), n);
            assert_memory_equal(stack[depth], p + 2, n);
        } else if (p[1] != '?' && p[1] != '!' && end[-1] != '/') {
            assert_true(depth < DEPTH && n > 0 && n < sizeof stack[0]);
            memcpy(stack[depth], p + 1, n);
            stack[depth++][n] = '\0';
        }
        p = end;
    }
    assert_int_equal(depth, 0);
}

/* The written value has to be the duration: 12 units a quarter. */
static void check_sign(const char *p, const char *end, int len)
{
    static const char *const names[] = {"whole", "half", "quarter", "eighth", "16th"};
    const char *type = value(p, end, "type");
    int units = 0;
    if (!type) {
        assert_true(has(p, end, "<rest measure=\"yes\"/>"));
        return;
    }
    for (int i = 0; i < 5; i++)
        if (str_starts(type, names[i]))
            units = 48 >> i;
    if (has(p, end, "<dot/>"))
        units = units * 3 / 2;
    if (has(p, end, "<time-modification>"))
        units = units * 2 / 3;
    assert_int_equal(units, len);
}

static int pitch_of(const char *p, const char *end)
{
    static const int steps[] = {9, 11, 0, 2, 4, 5, 7};
    const char *step = value(p, end, "step"), *id = find(p, end, "-I");
    if (step)
        return 12 * (number(p, end, "octave", 0) + 1) + steps[*step - 'A'] + number(p, end, "alter", 0);
    return id ? atoi(id + 2) : -1;
}

static void hear(struct score_read *r, const char *p, const char *end, int from, int len)
{
    struct heard h = {r->parts, from, from + len, pitch_of(p, end), 0};
    if (has(p, end, "<tie type=\"stop\"/>")) {
        for (int i = r->n - 1; i >= 0; i--)
            if (r->notes[i].part == h.part && r->notes[i].to == from && r->notes[i].pitch == h.pitch) {
                r->notes[i].to = h.to;
                return;
            }
        fail_msg("a tie from nowhere");
    }
    const char *loud = find(p, end, "dynamics=\"");
    h.vel = (int)(strtod(loud + 10, NULL) * 0.9 + 0.5);
    assert_true(r->n < MAX_NOTES);
    r->notes[r->n++] = h;
}

/* Notes and backups of one bar; every voice ends at its end. */
static void read_measure(struct score_read *r, const char *p, const char *stop, int bar_from, int len)
{
    int at = bar_from, onset = bar_from, brackets = 0;
    for (; p < stop && *p; p++) {
        if (str_starts(p, "<note") && (p[5] == '>' || p[5] == ' ')) {
            const char *end = find(p, stop, "</note>");
            int dur = number(p, end, "duration", -1);
            assert_true(dur > 0);
            check_sign(p, end, dur);
            if (!has(p, end, "<chord/>")) {
                onset = at;
                at += dur;
            }
            brackets += has(p, end, "tuplet type=\"start\"");
            if (!has(p, end, "<chord/>"))
                assert_int_equal(brackets, has(p, end, "<time-modification>"));
            brackets -= has(p, end, "tuplet type=\"stop\"");
            if (!has(p, end, "<rest"))
                hear(r, p, end, onset, dur);
        } else if (str_starts(p, "<backup>")) {
            assert_int_equal(at, bar_from + len);
            at -= number(p, stop, "duration", 0);
            assert_int_equal(at, bar_from);
        }
    }
    assert_int_equal(at, bar_from + len);
    assert_int_equal(brackets, 0);
}

static struct score_read read_back;

static void read_score(const char *text)
{
    const char *text_end = text + strlen(text);
    struct score_read *r = &read_back;
    *r = (struct score_read){0};
    check_form(text);
    for (const char *part = text; (part = find(part, text_end, "<part id=")); part++) {
        const char *part_end = find(part, text_end, "</part>"), *m = part;
        int from = 0, beats = 4, type = 4;
        r->measures = 0;
        while ((m = find(m, part_end, "<measure"))) {
            const char *end = find(m, part_end, "</measure>");
            beats = number(m, end, "beats", beats);
            type = number(m, end, "beat-type", type);
            assert_false(has(m, end, "implicit"));
            read_measure(r, m, end, from, beats * 48 / type);
            from += beats * 48 / type;
            r->measures++;
            m = end;
        }
        r->parts++;
    }
}

static int order(const void *x, const void *y)
{
    const struct heard *a = x, *b = y;
    return a->part != b->part   ? a->part - b->part
           : a->from != b->from ? a->from - b->from
                                : a->pitch - b->pitch;
}

/* All the song's notes, in units; ticks on the grid, so that rounding changes nothing. */
static void expect_notes(const struct song *s, bool lengths)
{
    static struct heard want[MAX_NOTES];
    int n = 0, part = 0;
    for (size_t t = 0; t < s->n_tracks; t++) {
        const struct track *tr = &s->tracks[t];
        for (size_t i = 0; i < tr->n; i++)
            want[n++] =
                (struct heard){part, tr->notes[i].tick / 40, (tr->notes[i].tick + tr->notes[i].dur) / 40,
                               tr->notes[i].pitch, tr->notes[i].vel};
        part += tr->n > 0;
    }
    assert_int_equal(read_back.parts, part);
    assert_int_equal(read_back.n, n);
    qsort(want, (size_t)n, sizeof *want, order);
    qsort(read_back.notes, (size_t)n, sizeof *want, order);
    for (int i = 0; i < n; i++) {
        const struct heard *a = &want[i], *b = &read_back.notes[i];
        assert_int_equal(a->part, b->part);
        assert_int_equal(a->from, b->from);
        assert_int_equal(a->pitch, b->pitch);
        assert_int_equal(a->vel, b->vel);
        if (lengths)
            assert_int_equal(a->to, b->to);
    }
}

static char *written(const struct song *s)
{
    struct str a = {0}, b = {0};
    assert_int_equal(xml_write(s, &a), ERR_OK);
    assert_int_equal(xml_write(s, &b), ERR_OK);
    assert_string_equal(a.p, b.p);
    str_fini(&b);
    return str_take(&a);
}

static void check(const struct song *s, bool lengths)
{
    char *text = written(s);
    read_score(text);
    expect_notes(s, lengths);
    assert_int_equal(read_back.measures, song_n_bars(s));
    free(text);
}

/* ---- tests ---- */

static void test_lengths(void **state)
{
    (void)state;
    struct song *s = song_new();
    struct track *t = song_add_track(s, "Long & <short> \"names\" \xff", ROLE_PIANO);
    int32_t at = 0;
    for (int32_t sixteenths = 1; sixteenths < 70; sixteenths++) { /* every length at many places of the bar */
        track_add(t, (struct note){at, sixteenths * 120, (uint8_t)(30 + sixteenths), 1 + sixteenths});
        at += sixteenths * 120 + (sixteenths % 3) * 120;
    }
    check(s, true);
    song_free(s);
}

static void test_triplets(void **state)
{
    (void)state;
    struct song *s = song_new();
    struct track *t = song_add_track(s, "Piano", ROLE_PIANO);
    for (int i = 0; i < 12; i++)
        track_add(t, (struct note){i * 160, 160, 60, 90});
    for (int i = 0; i < 24; i++)
        track_add(t, (struct note){1920 + i * 80, 80, (uint8_t)(50 + i), 70});
    track_add(t, (struct note){2 * 1920 + 160, 320 + 480 + 80, 61, 70}); /* over into another triplet beat */
    track_add(t, (struct note){3 * 1920 + 240, 240 + 480 + 160, 61, 70}); /* straight into triplets */
    track_add(t, (struct note){3 * 1920 + 960 + 160, 320 + 480, 61, 70});
    check(s, true);
    song_free(s);
}

static void test_metres(void **state)
{
    (void)state;
    static const struct {
        int num, den;
    } metres[] = {{3, 4}, {6, 8}, {5, 8}, {7, 16}, {12, 8}, {2, 2}, {1, 16}};
    struct song *s = song_new();
    struct track *t = song_add_track(s, "Bass", ROLE_BASS);
    struct rng r;
    rng_init(&r, 7, 0);
    for (int i = 0; i < (int)COUNT_OF(metres); i++)
        song_set_metre(s, song_bar_tick(s, 3 * i), metres[i].num, metres[i].den);
    int32_t end = song_bar_tick(s, 25);
    for (int32_t at = 0; at < end;) {
        int32_t dur = 120 * (1 + (int32_t)rng_below(&r, 9));
        track_add(t, (struct note){at, dur, (uint8_t)(36 + rng_below(&r, 24)), 100});
        at += dur + 120 * (int32_t)rng_below(&r, 3);
    }
    song_set_key(s, 0, 7, false);
    song_set_key(s, song_bar_tick(s, 4), -7, true);
    song_set_tempo(s, 0, 97.5);
    song_set_tempo(s, 960, 60.25);
    song_add_marker(s, 1920, "B & C");
    check(s, true);
    char *text = written(s);
    assert_non_null(strstr(text, "<per-minute>97.5</per-minute>"));
    assert_non_null(strstr(text, "<fifths>-7</fifths><mode>minor</mode>"));
    assert_non_null(strstr(text, "<words>B &amp; C</words>"));
    free(text);
    song_free(s);
}

/* Up to four notes side by side, in straight and triplet beats: voices keep every length. */
static void test_voices(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct song *s = song_new();
        struct track *t = song_add_track(s, "Strings", ROLE_STRINGS);
        struct rng r;
        rng_init(&r, seed, 0);
        for (int line = 0; line < 4; line++)
            for (int32_t at = 0; at < 8 * 1920;) {
                bool three = seed % 2 && (at / 480) % 3 == 2; /* the same beats in every line */
                int32_t step = three ? 80 : 120, beat_end = (at / 480 + 1) * 480;
                int32_t dur = step * (1 + (int32_t)rng_below(&r, 4));
                dur = at + dur > beat_end ? beat_end - at : dur;
                if (rng_below(&r, 4))
                    track_add(t,
                              (struct note){at, dur, (uint8_t)(40 + 12 * line + (int)rng_below(&r, 12)), 64});
                at += dur;
            }
        check(s, seed % 2 == 0); /* a beat whose notes lie on both grids may be read either way */
        song_free(s);
    }
}

/* Any notes at all: the form is right, onsets and pitches that lie on the grid are there. */
static void test_anything(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct song *s = song_new_band();
        struct rng r;
        rng_init(&r, seed, 1);
        for (int i = 0; i < 300; i++) {
            struct track *t = &s->tracks[rng_below(&r, N_ROLES)];
            track_add(t,
                      (struct note){(int32_t)rng_below(&r, 8 * 1920), 1 + (int32_t)rng_below(&r, 3000),
                                    (uint8_t)(12 + rng_below(&r, 116)), (uint8_t)(1 + rng_below(&r, 127))});
        }
        song_set_metre(s, 1920, 1 + (int)rng_below(&r, 12), 4 << rng_below(&r, 3));
        char *text = written(s);
        read_score(text);
        assert_true(read_back.n > 250);
        free(text);
        song_free(s);
    }
}

static void test_drums(void **state)
{
    (void)state;
    struct song *s = song_new();
    struct track *t = song_add_track(s, "Drums", ROLE_DRUMS);
    for (int i = 0; i < 32; i++) {
        track_add(t, (struct note){i * 240, 10, 42, 80});
        if (i % 2 == 0)
            track_add(t, (struct note){i * 240, 700, i % 4 ? 38 : 36, 110});
    }
    check(s, false);
    char *text = written(s);
    assert_non_null(strstr(text, "<sign>percussion</sign>"));
    assert_non_null(strstr(text, "<midi-channel>10</midi-channel>"));
    assert_non_null(strstr(text, "<midi-unpitched>43</midi-unpitched>"));
    assert_null(strstr(text, "<backup>"));
    free(text);
    song_free(s);
}

static void test_limits(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    struct str out = {0};
    assert_int_equal(xml_write(s, &out), ERR_EMPTY);
    song_set_metre(s, 0, 3, 32); /* no whole number of sixteenths: rounded, said to be irregular */
    track_add(&s->tracks[1], (struct note){0, 5000, 0, 1});
    track_add(&s->tracks[1], (struct note){0, 5000, 127, 127});
    assert_int_equal(xml_write(s, &out), ERR_OK);
    check_form(out.p);
    assert_non_null(strstr(out.p, "implicit=\"yes\""));
    str_clear(&out);
    track_add(&s->tracks[1], (struct note){SONG_MAX_TICKS / 2, 1, 60, 1});
    assert_int_equal(xml_write(s, &out), ERR_RANGE);
    str_fini(&out);
    song_free(s);
}

static void test_file(void **state)
{
    (void)state;
    char path[64];
    struct song *s = song_new_band();
    uint8_t *bytes;
    size_t len;
    str_format(path, sizeof path, "/tmp/test_xml_%d.musicxml", (int)getpid());
    track_add(&s->tracks[ROLE_BASS], (struct note){0, 480, 40, 90});
    assert_int_equal(xml_save(s, path), ERR_OK);
    char *text = written(s);
    assert_int_equal(file_read(path, 1 << 20, &bytes, &len), ERR_OK);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(bytes, text, len);
    unlink(path);
    free(bytes);
    free(text);
    song_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_triplets), cmocka_unit_test(test_metres),
        cmocka_unit_test(test_voices),  cmocka_unit_test(test_anything), cmocka_unit_test(test_drums),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
