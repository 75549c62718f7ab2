/* cmd_convert.c: one music file into another kind: MIDI, pypianoroll npz, numpy roll, picture, score; as it is, or
 * as the band takes it. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "file.h"
#include "import.h"
#include "stem.h"

/* "3/4" */
static enum err parse_metre(const char *text, int *num, int *den)
{
    char copy[16];
    int64_t n, d;
    char *slash = str_copy(copy, sizeof copy, text) ? strchr(copy, '/') : NULL;
    if (!slash)
        return err_set(ERR_FORMAT, "\"%.20s\" is no metre such as 3/4", text);
    *slash = '\0';
    TRY(parse_int(copy, 1, 32, &n));
    TRY(parse_int(slash + 1, 1, 32, &d));
    if (d & (d - 1))
        return err_set(ERR_FORMAT, "\"%.20s\": beats are 1, 2, 4, 8, 16 or 32", text);
    *num = (int)n;
    *den = (int)d;
    return ERR_OK;
}

/* What is to come in, and onto which tracks. */
static enum err prepare(struct cli *c, struct song *in, struct song **out, struct str *report)
{
    struct import *im = import_new(in, 0);
    const char *map = opts_text(c->opts, "map"), *bars = opts_text(c->opts, "bars");
    const char *metre = opts_text(c->opts, "metre");
    int num = 0, den = 0;
    enum err err = ERR_OK;
    if (metre) {
        TRY_OUT(parse_metre(metre, &num, &den));
        import_metre(im, num, den);
    }
    if (opts_given(c->opts, "tempo"))
        im->bpm = opts_real(c->opts, "tempo");
    if (map)
        TRY_OUT(import_map(im, map));
    if (bars)
        TRY_OUT(import_bars(im, bars));
    if (map || opts_flag(c->opts, "band")) {
        TRY_OUT(import_band(im, out));
        import_report(im, report);
    } else {
        TRY_OUT(import_song(im, out));
    }
out:
    import_free(im);
    return err;
}

static enum err write_out(struct cli *c, const struct song *song, const struct export_kind *kind, const char *out)
{
    const struct export_opts o = {.midi_format = (int)opts_int(c->opts, "format"),
                                  .beat_steps = (int)opts_int(c->opts, "beat-steps"),
                                  .scale = opts_given(c->opts, "scale") ? (int)opts_int(c->opts, "scale") : 0,
                                  .overlay = opts_flag(c->opts, "overlay")};
    int n = 0;
    if (!opts_flag(c->opts, "stems"))
        return export_song(song, kind, &o, out);
    TRY(stems_midi(song, out, &n));
    cli_set(c, "stems", json_integer(n));
    return ERR_OK;
}

static int run_convert(struct cli *c)
{
    const char *out = opts_text(c->opts, "out"), *asked = opts_text(c->opts, "to");
    bool stems = opts_flag(c->opts, "stems");
    if (!out)
        return cli_usage(c, "convert needs -o: where to and into what");
    if (str_same(out, "-") && (c->json || stems))
        return cli_usage(c, "-o - leaves no place for %s", stems ? "--stems" : "--json");
    const struct export_kind *kind = export_kind(asked ? asked : path_ext(out));
    if (!kind)
        return cli_usage(c, "%s: no kind of file has this extension; use --to mid, npz, npy, png or musicxml "
                            "(jamroll render makes sound)", out);
    if (stems && kind != export_kind("mid"))
        return cli_usage(c, "--stems are MIDI files; jamroll render --stems makes sound");
    struct song *in = NULL, *song = NULL;
    struct str report = {0};
    int code = EXIT_OK;
    enum err err = cli_load(c, opts_arg(c->opts, 0), &in, NULL);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_INPUT, err);
    if ((err = prepare(c, in, &song, &report)) != ERR_OK) {
        code = cli_fail(c, STAGE_USAGE, err);
    } else if ((err = write_out(c, song, kind, out)) != ERR_OK) {
        code = cli_fail(c, err == ERR_UNSUPPORTED || err == ERR_RANGE ? STAGE_INPUT : STAGE_OUTPUT, err);
    } else {
        cli_set(c, "file", json_text(out));
        cli_set(c, "kind", json_text(export_kind_name(kind)));
        if (report.len > 0) {
            cli_set(c, "report", json_text(str_c(&report)));
            cli_note(c, "%.*s", (int)report.len - 1, str_c(&report));
        }
    }
    song_free(song);
    str_fini(&report);
    return code;
}

static const struct opt options[] = {
    {"out", 'o', OPT_TEXT, 0, 0, NULL, NULL, "FILE", "where to; the extension says what"},
    {"to", 0, OPT_ENUM, 0, 0, NULL, "mid|npz|npy|png|musicxml", "KIND", "whatever the extension"},
    {"band", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "on the band's five tracks"},
    {"map", 0, OPT_LIST, 0, 0, NULL, NULL, "3=bass,5=drop", "likewise, and which track goes where"},
    {"bars", 0, OPT_TEXT, 0, 0, NULL, NULL, "FROM-TO", "only these"},
    {"tempo", 0, OPT_REAL, 4, 1000, NULL, NULL, "BPM", "throughout"},
    {"metre", 0, OPT_TEXT, 0, 0, NULL, NULL, "3/4", "throughout"},
    {"stems", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "one MIDI file a track"},
    {"format", 0, OPT_INT, 0, 1, "1", NULL, "0|1", "MIDI file format"},
    {"beat-steps", 0, OPT_INT, 1, 96, "24", NULL, "N", "grid of npz, npy and png: steps a quarter"},
    {"scale", 0, OPT_INT, 1, 16, NULL, NULL, "N", "pixels a cell of png; default: 3, or what fits"},
    {"overlay", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "png with the tracks over one another"},
    OPT_SECTION,
    OPT_COMMON,
};

const struct command cmd_convert = {"convert", "IN", "MIDI, npz or project into MIDI, npz, npy, png or MusicXML",
                                    OPTIONS_OF(options), 1, 1, run_convert};
