/* cmd_convert.c: one music file into another kind: MIDI, pypianoroll npz, numpy roll, picture, score. One
 * row a kind. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "file.h"
#include "midi.h"
#include "npz.h"
#include "roll.h"
#include "xml.h"

struct kind {
    const char *name, *ext;
    enum err (*save)(struct cli *c, const struct song *s, const char *path);
};

static enum err save_midi(struct cli *c, const struct song *s, const char *path)
{
    const struct midi_write_opts o = {.format = (int)opts_int(c->opts, "format")};
    return midi_save(s, &o, path);
}

static enum err save_npz(struct cli *c, const struct song *s, const char *path)
{
    return npz_save_song(s, (int)opts_int(c->opts, "beat-steps"), path);
}

/* Rolls are made of the band's five tracks: that is what rows and colours stand for. */
static enum err band_roll(struct cli *c, const struct song *s, int low, int n_pitches, struct roll *out)
{
    struct song *band = NULL;
    enum err err = role_band(s, &band, NULL);
    if (err == ERR_OK && song_n_bars(band) == 0)
        err = err_set(ERR_EMPTY, "there are no notes to draw");
    if (err == ERR_OK)
        err = roll_from_song(band, 0, song_n_bars(band), 4 * (int)opts_int(c->opts, "beat-steps"), low, n_pitches, out);
    song_free(band);
    return err;
}

static enum err save_npy(struct cli *c, const struct song *s, const char *path)
{
    struct roll roll = {0};
    enum err err = band_roll(c, s, 0, 128, &roll);
    if (err == ERR_OK)
        err = npy_save_roll(&roll, path);
    roll_fini(&roll);
    return err;
}

static enum err save_png(struct cli *c, const struct song *s, const char *path)
{
    struct roll roll = {0};
    enum err err = band_roll(c, s, 24, 84, &roll);
    if (err == ERR_OK)
        err = png_save_roll(&roll, opts_given(c->opts, "scale") ? (int)opts_int(c->opts, "scale") : png_usual_scale(&roll),
                            path);
    roll_fini(&roll);
    return err;
}

static enum err save_xml(struct cli *c, const struct song *s, const char *path)
{
    (void)c;
    return xml_save(s, path);
}

static const struct kind kinds[] = {
    {"mid", ".mid", save_midi},
    {"npz", ".npz", save_npz},
    {"npy", ".npy", save_npy},
    {"png", ".png", save_png},
    {"musicxml", ".musicxml", save_xml},
};

static const struct kind *find_kind(const char *path, const char *asked)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (asked ? str_same(asked, kinds[i].name) : str_same(path_ext(path), kinds[i].ext))
            return &kinds[i];
    return NULL;
}

static int run_convert(struct cli *c)
{
    const char *out = opts_text(c->opts, "out");
    if (!out)
        return cli_usage(c, "convert needs -o: where to and into what");
    if (str_same(out, "-") && c->json)
        return cli_usage(c, "--json and -o - would both write to standard output");
    const struct kind *kind = find_kind(out, opts_text(c->opts, "to"));
    if (!kind)
        return cli_usage(c, "%s: no kind of file has this extension; use --to mid, npz, npy, png or musicxml", out);
    struct song *song = NULL, *band = NULL;
    enum err err = cli_load(c, opts_arg(c->opts, 0), &song, NULL);
    if (err == ERR_OK && opts_flag(c->opts, "band"))
        err = role_band(song, &band, NULL);
    int code = EXIT_OK;
    if (err != ERR_OK) {
        code = cli_fail(c, STAGE_INPUT, err);
    } else if ((err = kind->save(c, band ? band : song, out)) != ERR_OK) {
        code = cli_fail(c, err == ERR_UNSUPPORTED || err == ERR_RANGE ? STAGE_INPUT : STAGE_OUTPUT, err);
    } else {
        cli_set(c, "file", json_text(out));
        cli_set(c, "kind", json_text(kind->name));
    }
    song_free(song);
    song_free(band);
    return code;
}

static const struct opt options[] = {
    {"out", 'o', OPT_TEXT, 0, 0, NULL, NULL, "FILE", "where to; the extension says what"},
    {"to", 0, OPT_ENUM, 0, 0, NULL, "mid|npz|npy|png|musicxml", "KIND", "whatever the extension"},
    {"band", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "on the band's five tracks"},
    {"format", 0, OPT_INT, 0, 1, "1", NULL, "0|1", "MIDI file format"},
    {"beat-steps", 0, OPT_INT, 1, 96, "24", NULL, "N", "grid of npz, npy and png: steps a quarter"},
    {"scale", 0, OPT_INT, 1, 16, NULL, NULL, "N", "pixels a cell; default: 3, or what fits"},
    OPT_COMMON,
};

const struct command cmd_convert = {"convert", "IN", "MIDI or npz into MIDI, npz, npy, png or MusicXML", OPTIONS_OF(options), 1, 1,
                                    run_convert};
