/* cmd_info.c: what is in a file, and what is odd about it. */
#include "cli.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "file.h"
#include "import.h"
#include "segment.h"
#include "theory.h"

static void range_of(const struct track *t, int *low, int *high)
{
    *low = 127;
    *high = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (t->notes[i].pitch < *low)
            *low = t->notes[i].pitch;
        if (t->notes[i].pitch > *high)
            *high = t->notes[i].pitch;
    }
}

static json_t *track_json(const struct track *t)
{
    int low, high;
    range_of(t, &low, &high);
    json_t *j = json_pack("{s:o, s:s, s:i, s:s, s:i, s:I}", "name", json_text(t->name), "role", role_name(t->role),
                          "program", t->program + 1, "instrument",
                          t->channel == 9 ? "Drums" : gm_program_name(t->program), "channel", t->channel + 1, "notes",
                          (json_int_t)t->n);
    json_object_set_new(j, "lowest", t->n ? json_integer(low) : json_null());
    json_object_set_new(j, "highest", t->n ? json_integer(high) : json_null());
    return j;
}

static void import_json(struct cli *c, const struct import *im)
{
    static const char *const feels[] = {"straight", "triplets", "swing", "free"};
    const struct beat *b = &im->beat;
    struct str text = {0};
    import_summary(im, &text);
    cli_set(c, "beat", json_pack("{s:s, s:f, s:f, s:f, s:f}", "feel", feels[b->feel], "sixteenths", b->sixteenths,
                                 "triplets", b->triplets, "off_grid", b->off, "swing", b->swing));
    cli_set(c, "accents", b->num ? json_sprintf("%d/%d", b->num, b->den) : json_null());
    cli_set(c, "certain", json_boolean(import_certain(im)));
    cli_set(c, "import", json_text(str_c(&text)));
    str_fini(&text);
}

/* Where parts begin by what repeats, whatever the file says. */
static void parts_json(struct cli *c, const struct song *s)
{
    int *bars = NULL;
    size_t n = 0;
    json_t *list = json_array();
    if (segment_song(s, &bars, &n) == ERR_OK)
        for (size_t i = 0; i < n; i++)
            json_array_append_new(list, json_integer(bars[i] + 1));
    free(bars);
    cli_set(c, "parts", list);
}

static void parts_text(const struct song *s)
{
    int *bars = NULL;
    size_t n = 0;
    if (segment_song(s, &bars, &n) == ERR_OK && n > 1)
        for (size_t i = 0; i < n; i++)
            printf("%s %d%s", i ? "," : "parts begin at bars", bars[i] + 1, i + 1 < n ? "" : ", by what repeats\n");
    free(bars);
}

static void info_json(struct cli *c, const struct import *im)
{
    const struct song *s = im->song;
    char key[16];
    double strength = 0;
    key_print(song_key(s, 0, SONG_MAX_TICKS, &strength), key);
    struct metre m = song_metre(s, 0);
    json_t *tracks = json_array();
    size_t notes = 0;
    for (size_t i = 0; i < s->n_tracks; i++) {
        notes += s->tracks[i].n;
        json_array_append_new(tracks, track_json(&s->tracks[i]));
    }
    cli_set(c, "file", json_text(opts_arg(c->opts, 0)));
    cli_set(c, "title", json_text(s->title));
    cli_set(c, "bars", json_integer(song_n_bars(s)));
    cli_set(c, "seconds", json_real(song_seconds(s, song_bar_tick(s, song_n_bars(s)))));
    cli_set(c, "tempo", json_real(round(song_bpm(s, 0) * 1000) / 1000));
    cli_set(c, "tempo_changes", json_integer((json_int_t)s->n_tempos - 1));
    cli_set(c, "metre", json_sprintf("%d/%d", m.num, m.den));
    cli_set(c, "metre_changes", json_integer((json_int_t)s->n_metres - 1));
    cli_set(c, "key", json_text(key));
    cli_set(c, "key_strength", json_real(isfinite(strength) ? strength : 0));
    cli_set(c, "notes", json_integer((json_int_t)notes));
    cli_set(c, "tracks", tracks);
    json_t *form = json_array();
    for (size_t k = 0; k < s->n_markers; k++)
        json_array_append_new(form, json_pack("{s:i, s:o}", "bar", song_bar_of(s, s->markers[k].tick) + 1, "name",
                                              json_text(s->markers[k].text)));
    cli_set(c, "form", form);
    parts_json(c, s);
    cli_set(c, "provenance", json_text(s->provenance));
    cli_set(c, "report", json_text(str_c(&im->odd)));
    import_json(c, im);
}

static void info_text(const struct import *im)
{
    const struct song *s = im->song;
    struct str text = {0};
    char key[16], low_name[8], high_name[8];
    key_print(song_key(s, 0, SONG_MAX_TICKS, NULL), key);
    struct metre m = song_metre(s, 0);
    if (s->title[0])
        printf("%s\n", s->title);
    printf("%d bars, %.1f s, %.1f bpm%s, %d/%d%s, key %s\n", song_n_bars(s),
           song_seconds(s, song_bar_tick(s, song_n_bars(s))), song_bpm(s, 0), s->n_tempos > 1 ? " (changes)" : "", m.num,
           m.den, s->n_metres > 1 ? " (changes)" : "", key);
    for (size_t i = 0; i < s->n_tracks; i++) {
        const struct track *t = &s->tracks[i];
        printf("%3zu  %-20.20s %-8s ch %-2d  %6zu notes", i + 1, t->name, role_name(t->role), t->channel + 1, t->n);
        if (t->n > 0 && t->channel != 9) {
            int low, high;
            range_of(t, &low, &high);
            pitch_name(low, 4, low_name);
            pitch_name(high, 4, high_name);
            printf("  %s..%s  %d %s", low_name, high_name, t->program + 1, gm_program_name(t->program));
        }
        putchar('\n');
    }
    for (size_t i = 0; i < s->n_markers; i++)
        printf("%s bar %d %s%s", i ? "," : "form:", song_bar_of(s, s->markers[i].tick) + 1, s->markers[i].text,
               i + 1 < s->n_markers ? "" : "\n");
    parts_text(s);
    import_summary(im, &text);
    fputs(str_c(&text), stdout);
    str_fini(&text);
    if (s->provenance)
        printf("made by: %s\n", s->provenance);
    if (im->odd.len > 0)
        printf("odd:\n%s", str_c(&im->odd));
}

static void print_roll(const struct song *s, bool ascii)
{
    struct str text;
    str_init(&text);
    draw_song_text(s, 0, song_n_bars(s), ascii, &text);
    fputs(str_c(&text), stdout);
    str_fini(&text);
}

/* One note a line, for eyes, diff and awk. */
static void print_notes(const struct song *s)
{
    puts("track\ttick\tduration\tpitch\tvelocity");
    for (size_t i = 0; i < s->n_tracks; i++)
        for (size_t k = 0; k < s->tracks[i].n; k++) {
            const struct note *n = &s->tracks[i].notes[k];
            printf("%s\t%d\t%d\t%d\t%d\n", s->tracks[i].name, n->tick, n->dur, n->pitch, n->vel);
        }
}

/* A file as opening it would propose it; a project's music has been through that. */
static enum err load(struct cli *c, struct import **out)
{
    const char *path = opts_arg(c->opts, 0);
    struct song *song = NULL;
    if (!str_same(path_ext(path), ".jam"))
        return import_load(path, REQUEST_MAX_BARS, out);
    TRY(cli_load(c, path, &song, NULL));
    *out = import_new(song, REQUEST_MAX_BARS);
    return ERR_OK;
}

static int run_info(struct cli *c)
{
    struct import *im = NULL;
    enum err err = load(c, &im);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_INPUT, err);
    if (c->json) {
        info_json(c, im);
    } else if (opts_flag(c->opts, "notes")) {
        print_notes(im->song);
    } else {
        info_text(im);
        if (opts_flag(c->opts, "roll"))
            print_roll(im->song, opts_flag(c->opts, "ascii"));
    }
    import_free(im);
    return EXIT_OK;
}

static const struct opt info_options[] = {
    {"roll", 'r', OPT_FLAG, 0, 0, NULL, NULL, NULL, "print the piano roll as text"},
    {"notes", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "print only the notes, one a line, with tabs between"},
    {"ascii", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "without line and block characters"},
    OPT_SECTION,
    OPT_COMMON,
};

const struct command cmd_info = {"info", "IN", "tracks, tempo, key, length, who made it", OPTIONS_OF(info_options), 1, 1,
                                 run_info};

/* ---- lint: one row a check; each prints its findings and returns how many there are ---- */

struct findings { struct cli *c; json_t *list; int n; };

static void find(struct findings *f, const char *check, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void find(struct findings *f, const char *check, const char *fmt, ...)
{
    char text[300];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    f->n++;
    if (f->c->json)
        json_array_append_new(f->list, json_pack("{s:s, s:o}", "check", check, "text", json_text(text)));
    else
        printf("%s: %s\n", check, text);
}

static void lint_reader(struct findings *f, const struct import *im)
{
    const char *report = str_c(&im->odd);
    while (*report) {
        int n = (int)strcspn(report, "\n");
        if (n > 0)
            find(f, "file", "%.*s", n, report);
        report += n + (report[n] == '\n');
    }
}

static void lint_empty(struct findings *f, const struct import *im)
{
    const struct song *s = im->song;
    for (size_t i = 0; i < s->n_tracks; i++)
        if (s->tracks[i].n == 0)
            find(f, "empty", "track %zu (%s) has no notes", i + 1, s->tracks[i].name);
    if (song_end(s) == 0)
        find(f, "empty", "no notes at all");
}

static void lint_metre(struct findings *f, const struct import *im)
{
    const struct song *s = im->song;
    for (size_t i = 0; i < s->n_metres; i++)
        if (s->metres[i].num != 4 || s->metres[i].den != 4)
            find(f, "metre", "%d/%d from bar %d on: the band plays 4/4 only", s->metres[i].num, s->metres[i].den,
                 song_bar_of(s, s->metres[i].tick) + 1);
    if (import_metre_doubtful(im))
        find(f, "metre", "the file names none and is taken as 4/4, but the accents sound like %d/%d", im->beat.num,
             im->beat.den);
}

/* Same-pitch overlaps: on a real instrument and in a file the second onset ends the first note. */
static void lint_overlaps(struct findings *f, const struct import *im)
{
    const struct song *s = im->song;
    for (size_t i = 0; i < s->n_tracks; i++) {
        const struct track *t = &s->tracks[i];
        int32_t end[128] = {0};
        int n = 0;
        for (size_t k = 0; k < t->n; k++) {
            const struct note *note = &t->notes[k];
            n += note->tick < end[note->pitch & 127];
            end[note->pitch & 127] = note->tick + note->dur;
        }
        if (n > 0)
            find(f, "overlap", "track %zu (%s): %d notes begin while their pitch still sounds", i + 1, t->name, n);
    }
}

static void lint_channels(struct findings *f, const struct import *im)
{
    const struct song *s = im->song;
    for (size_t i = 0; i < s->n_tracks; i++)
        for (size_t k = 0; k < i; k++)
            if (s->tracks[i].channel == s->tracks[k].channel && s->tracks[i].program != s->tracks[k].program)
                find(f, "channel", "tracks %zu and %zu share channel %d with different instruments", k + 1, i + 1,
                     s->tracks[i].channel + 1);
}

static void lint_band(struct findings *f, const struct import *im)
{
    const struct song *s = im->song;
    int players[N_ROLES] = {0};
    for (size_t i = 0; i < s->n_tracks; i++) {
        const struct track *t = &s->tracks[i];
        if (t->n == 0)
            continue;
        if (t->role == ROLE_NONE)
            find(f, "role", "track %zu (%s) belongs to no part of the band", i + 1, t->name);
        else if (players[t->role]++ > 0)
            find(f, "role", "track %zu (%s) is another %s: they become one", i + 1, t->name, role_name(t->role));
    }
}

static void lint_beat(struct findings *f, const struct import *im)
{
    struct str text = {0};
    beat_describe(&im->beat, &text);
    if (im->beat.feel == FEEL_FREE || im->beat.off > 0.2)
        find(f, "beat", "%s", str_c(&text));
    str_fini(&text);
}

typedef void (*lint_fn)(struct findings *f, const struct import *im);
static const lint_fn lints[] = {lint_reader, lint_empty, lint_metre, lint_overlaps, lint_channels, lint_band, lint_beat};

static int run_lint(struct cli *c)
{
    struct import *im = NULL;
    enum err err = load(c, &im);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_INPUT, err);
    struct findings f = {.c = c, .list = json_array()};
    for (size_t i = 0; i < COUNT_OF(lints); i++)
        lints[i](&f, im);
    cli_set(c, "findings", f.list);
    if (!c->result)
        cli_note(c, "%d finding%s", f.n, f.n == 1 ? "" : "s");
    import_free(im);
    return f.n > 0 ? EXIT_FAILED : EXIT_OK;
}

static const struct opt lint_options[] = {OPT_COMMON};

const struct command cmd_lint = {"lint", "IN", "what is odd about a file; exit code 1 when something is",
                                 OPTIONS_OF(lint_options), 1, 1, run_lint};
