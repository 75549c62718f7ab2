/* cmd_render.c: a song to an audio file, or to one file a track. */
#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "mem.h"
#include "stem.h"
#include "wav.h"

/* "-8", "-8dB", "-8 dB" */
static enum err parse_db(const char *text, double lo, double hi, double *out)
{
    char number[32];
    size_t n = strcspn(text, "dD ");
    const char *unit = text + n + strspn(text + n, " ");
    if (n >= sizeof number || (*unit && !str_same(unit, "dB")))
        return err_set(ERR_FORMAT, "\"%.20s\" are not decibels", text);
    memcpy(number, text, n);
    number[n] = '\0';
    return parse_double(number, lo, hi, out);
}

static enum err read_options(struct cli *c, struct render_opts *r)
{
    struct opts *o = c->opts;
    render_opts_init(r);
    r->soundfont = opts_text(o, "soundfont");
    r->format = opts_text(o, "format");
    r->rate = (int)opts_int(o, "rate");
    r->loop_exact = opts_flag(o, "loop-exact");
    if (opts_given(o, "gain"))
        TRY(parse_db(opts_text(o, "gain"), -60, 20, &r->gain_db));
    if (opts_given(o, "normalize"))
        TRY(parse_db(opts_text(o, "normalize"), -60, 0, &r->normalize_db));
    if (!str_same(opts_text(o, "tail"), "auto"))
        TRY(parse_double(opts_text(o, "tail"), 0, 60, &r->tail_s));
    if (r->soundfont && !str_same(r->soundfont, "builtin") && !file_exists(r->soundfont))
        return err_set(ERR_MISSING, "there is no SoundFont %s", r->soundfont);
    return ERR_OK;
}

static bool on_progress(void *ctx, double fraction)
{
    const struct cli *c = ctx;
    if (!c->quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\r%3.0f %%\r", floor(fraction * 100));
    return !atomic_load(cli_interrupt());
}

static int render_one(struct cli *c, const struct song *song, const struct render_opts *r, const char *path,
                      json_t *list)
{
    struct render_report report = {0};
    enum err err = render_file(song, r, path, &report);
    if (err != ERR_OK)
        return cli_fail(c, err == ERR_UNSUPPORTED ? STAGE_USAGE : err == ERR_FORMAT ? STAGE_INPUT : STAGE_OUTPUT, err);
    if (!str_same(path, "-"))
        cli_note(c, "%s: %.2f s, %d Hz, peak %.1f dB, rms %.1f dB%s, %s", path, report.seconds, report.rate,
                 report.peak_db, report.rms_db, report.clipped ? ", CLIPPED" : "", path_base(report.font));
    /* Silence has no level: JSON knows no infinity. */
    json_t *peak = isfinite(report.peak_db) ? json_real(report.peak_db) : json_null();
    json_t *rms = isfinite(report.rms_db) ? json_real(report.rms_db) : json_null();
    json_array_append_new(list, json_pack("{s:s, s:f, s:I, s:i, s:o, s:o, s:I, s:s}", "file", path, "seconds",
                                          report.seconds, "frames", (json_int_t)report.frames, "rate", report.rate,
                                          "peak_db", peak, "rms_db", rms, "clipped", (json_int_t)report.clipped,
                                          "soundfont", report.font));
    return EXIT_OK;
}

static int render_stems(struct cli *c, const struct song *song, struct render_opts *r, const char *out, json_t *list)
{
    for (size_t i = 0; i < song->n_tracks; i++) {
        if (song->tracks[i].n == 0)
            continue;
        char *path = stem_path(out, (int)i + 1, song->tracks[i].name);
        r->only_track = (int)i;
        int code = render_one(c, song, r, path, list);
        free(path);
        if (code != EXIT_OK)
            return code;
    }
    return EXIT_OK;
}

static int render_song(struct cli *c, const struct song *song)
{
    struct render_opts r;
    enum err err = read_options(c, &r);
    if (err != ERR_OK)
        return cli_fail(c, err == ERR_MISSING ? STAGE_INPUT : STAGE_USAGE, err);
    const char *out = opts_text(c->opts, "out");
    bool standard = out && str_same(out, "-"), stems = opts_flag(c->opts, "stems");
    if (standard && (c->json || stems))
        return cli_usage(c, "-o - leaves no place for %s", stems ? "stems" : "--json");
    if (song_end(song) == 0) {
        (void)err_set(ERR_EMPTY, "%s holds no notes", opts_arg(c->opts, 0));
        return cli_fail(c, STAGE_INPUT, ERR_EMPTY);
    }
    char *own = NULL;
    if (!out) {
        const char *in = opts_arg(c->opts, 0);
        char *wanted = path_with_ext(str_same(in, "-") ? "jamroll" : path_base(in), ".wav");
        out = own = cli_free_name(wanted);
        free(wanted);
    }
    r.on_progress = on_progress;
    r.ctx = c;
    (void)cli_interrupt();
    json_t *list = json_array();
    int code = stems ? render_stems(c, song, &r, out, list) : render_one(c, song, &r, out, list);
    cli_set(c, "files", list);
    free(own);
    return code;
}

static int run_render(struct cli *c)
{
    struct song *song = NULL;
    enum err err = cli_load(c, opts_arg(c->opts, 0), &song, NULL);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_INPUT, err);
    int code = render_song(c, song);
    song_free(song);
    return code;
}

static const struct opt options[] = {
    {"out", 'o', OPT_TEXT, 0, 0, NULL, NULL, "FILE", ".wav .flac .ogg .opus, or - for WAV"},
    {"format", 0, OPT_ENUM, 0, 0, NULL, "s16|s24|float|flac|flac24|ogg|opus", "FORM", "default: by the extension"},
    {"rate", 0, OPT_INT, 8000, 96000, "44100", NULL, "HZ", "sample rate"},
    {"gain", 0, OPT_TEXT, 0, 0, NULL, NULL, "DB", "synthesizer gain; default -8dB"},
    {"normalize", 0, OPT_TEXT, 0, 0, NULL, NULL, "DB", "bring the peak to this level"},
    {"tail", 0, OPT_TEXT, 0, 0, "auto", NULL, "SECONDS", "after the last bar; auto: until it has died away"},
    {"loop-exact", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "exactly the bars' length, the tail folded into the start"},
    {"stems", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "one file a track"},
    {"soundfont", 0, OPT_TEXT, 0, 0, NULL, NULL, "FILE", "default: the first found; builtin: our own"},
    OPT_SECTION,
    OPT_COMMON,
};

const struct command cmd_render = {"render", "IN", "sound to an audio file", OPTIONS_OF(options), 1, 1, run_render};
