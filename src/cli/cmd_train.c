/* cmd_train.c: data sets from folders of MIDI, and training on them. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "phrase.h"
#include "preset.h"
#include "train.h"
#include "verb.h"

static int run_dataset(struct cli *c)
{
    struct opts *o = c->opts;
    if (strcmp(opts_arg(o, 0), "build") != 0)
        return cli_usage(c, "dataset knows build, not \"%s\"", opts_arg(o, 0));
    if (!opts_text(o, "out"))
        return cli_usage(c, "dataset build needs -o FILE");
    size_t n = (size_t)opts_n_args(o) - 1;
    if (n == 0)
        return cli_usage(c, "dataset build needs a folder of MIDI files");
    const char **dirs = xcalloc(n, sizeof *dirs);
    for (size_t i = 0; i < n; i++)
        dirs[i] = opts_arg(o, (int)i + 1);
    const struct dataset_opts build = {
        .hop_bars = (int)opts_int(o, "hop"),
        .min_roles = (int)opts_int(o, "min-roles"),
        .held_out = opts_real(o, "held-out"),
        .rename = opts_text(o, "rename"),
        .manifest = opts_text(o, "manifest"),
        .genres = opts_text(o, "genres"),
        .per_song = (int)opts_int(o, "per-song"),
        .segments = opts_flag(o, "segments"),
        .one_metre = opts_flag(o, "one-metre"),
        .merged = opts_flag(o, "phrases"),
        .works = opts_flag(o, "works"),
        .pedal = opts_flag(o, "pedal"),
        .free_time = opts_flag(o, "free-time"),
    };
    struct str report;
    str_init(&report);
    enum err err = dataset_build(dirs, n, &build, opts_text(o, "out"), &report);
    int code = EXIT_OK;
    if (!c->json)
        fputs(str_c(&report), stdout);
    cli_set(c, "report", json_text(str_c(&report)));
    if (err != ERR_OK)
        code = cli_fail(c, err == ERR_IO ? STAGE_OUTPUT : STAGE_INPUT, err);
    str_fini(&report);
    free(dirs);
    return code;
}

static const struct opt dataset_options[] = {
    {"out", 'o', OPT_TEXT, 0, 0, NULL, NULL, "FILE", "the data set"},
    {"hop", 0, OPT_INT, 1, 4, "1", NULL, "BARS", "1: a phrase at every bar, 4: none overlap"},
    {"min-roles", 0, OPT_INT, 1, N_ROLES, "3", NULL, "N", "parts that have to sound in a phrase"},
    {"held-out", 0, OPT_REAL, 0, 0.9, "0.1", NULL, "SHARE", "of the songs, for validation"},
    {"rename", 0, OPT_LIST, 0, 0, NULL, NULL, "A=B,...", "genres to call otherwise"},
    {"genres", 0, OPT_TEXT, 0, 0, NULL, NULL, "A,B,...", "only these; the innermost folder of a file that is one counts"},
    {"per-song", 0, OPT_INT, 0, 100000, "0", NULL, "N", "phrases a song, or a work in several files, gives at most; 0: all"},
    {"segments", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "phrases begin where parts of the song do, heard from what repeats"},
    {"one-metre", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "only songs in 4/4 from the first bar to the last"},
    {"manifest", 0, OPT_TEXT, 0, 0, NULL, NULL, "TSV", "path, set, label...; default: genre is the folder"},
    {"phrases", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "for genre transfer: all pitched tracks as one, on sixteenths"},
    {"works", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "whole piano works by era and composer, not phrases"},
    {"pedal", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "works: notes last as long as the pedal holds them"},
    {"free-time", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "works: also performances that follow no beat"},
    OPT_COMMON,
};

const struct command cmd_dataset = {"dataset", "build DIR...", "a data set from folders of MIDI files",
                                    OPTIONS_OF(dataset_options), 1, -1, run_dataset};

/* "layers=4,width=192" */
static enum err set_family_options(struct opts *family, const char *list)
{
    if (!list)
        return ERR_OK;
    char *copy = xstrdup(list), *rest = copy, *item;
    enum err err = ERR_OK;
    while (err == ERR_OK && (item = str_split(&rest, ','))) {
        char *value = strchr(item, '=');
        if (value) {
            *value = '\0';
            err = opts_set(family, item, value + 1);
        } else {
            err = err_set(ERR_FORMAT, "\"%.40s\" is not NAME=VALUE", item);
        }
    }
    free(copy);
    if (err != ERR_OK)
        err_prefix("--set");
    return err;
}

static json_t *losses_json(const struct model_kind *kind, const double losses[4])
{
    json_t *j = json_object();
    for (int i = 0; i < 4 && kind->loss_names && kind->loss_names[i]; i++) {
        json_t *value = json_real(losses[i]); /* NULL for NaN: nothing was measured */
        json_object_set_new(j, kind->loss_names[i], value ? value : json_null());
    }
    return j;
}

static int train_family(struct cli *c, const struct model_kind *kind, const struct opts *family)
{
    struct opts *o = c->opts;
    enum precision precision;
    if (precision_parse(opts_text(o, "precision"), &precision) != ERR_OK)
        return cli_usage(c, "%s", err_text());
    const struct train_opts train = {
        .kind = kind,
        .opts = family,
        .data = opts_text(o, "data"),
        .out = opts_text(o, "out"),
        .name = opts_text(o, "name"),
        .licence = opts_text(o, "licence"),
        .source = opts_text(o, "source"),
        .device = opts_text(o, "device"),
        .precision = precision,
        .threads = (int)opts_int(o, "threads"),
        .steps = (long)opts_int(o, "steps"),
        .minutes = opts_real(o, "minutes"),
        .save_minutes = opts_real(o, "save-every"),
        .eval_every = (long)opts_int(o, "eval-every"),
        .log_every = (long)opts_int(o, "log-every"),
        .samples = !opts_flag(o, "no-samples"),
        .sample_every = (long)opts_int(o, "sample-every"),
        .resume = opts_flag(o, "resume"),
        .quiet = c->quiet,
    };
    if (train.steps == 0 && train.minutes == 0)
        return cli_usage(c, "train needs --steps or --minutes");
    struct train_result result = {0};
    enum err err = train_run(&train, &result);
    if (err != ERR_OK && err != ERR_CANCELLED)
        return cli_fail(c, err == ERR_FORMAT || err == ERR_MISSING ? STAGE_INPUT : STAGE_WORK, err);
    cli_set(c, "steps", json_integer(result.steps));
    cli_set(c, "seconds", json_real(result.seconds));
    cli_set(c, "losses", losses_json(kind, result.losses));
    cli_set(c, "held_out", losses_json(kind, result.held_out));
    return result.interrupted ? EXIT_INTERRUPTED : EXIT_OK;
}

/* Weights that training builds on are found by name as others are; a run that goes on has them already. */
static enum err find_foundation(const struct model_kind *kind, struct opts *family, bool resume)
{
    char *path = NULL;
    if (!kind->builds_on)
        return ERR_OK;
    enum err err = models_find(opts_text(family, kind->builds_on), N_VERBS, &path);
    if (err == ERR_OK)
        err = opts_set(family, kind->builds_on, path);
    free(path);
    return resume && err == ERR_MISSING ? ERR_OK : err;
}

static int run_train(struct cli *c)
{
    struct opts *o = c->opts;
    const struct model_kind *kind = model_kind_find(opts_arg(o, 0));
    if (!kind || !kind->train_open)
        return cli_usage(c, "there is no model family \"%s\" that can be trained", opts_arg(o, 0));
    struct opts *family = opts_new(kind->options, kind->n_options);
    enum err err = opts_text(o, "config") ? preset_load(opts_text(o, "config"), kind->name, family) : ERR_OK;
    if (err == ERR_OK)
        err = set_family_options(family, opts_text(o, "set"));
    int code;
    if (opts_flag(o, "options")) {
        struct str help;
        str_init(&help);
        opts_help(kind->options, kind->n_options, &help);
        fputs(str_c(&help), stdout);
        str_fini(&help);
        code = EXIT_OK;
    } else if (err != ERR_OK) {
        code = cli_fail(c, err == ERR_IO ? STAGE_INPUT : STAGE_USAGE, err);
    } else if (!opts_text(o, "data") || !opts_text(o, "out")) {
        code = cli_usage(c, "train needs --data FILE and -o FOLDER");
    } else if ((err = find_foundation(kind, family, opts_flag(o, "resume"))) != ERR_OK) {
        code = cli_fail(c, STAGE_INPUT, err);
    } else {
        code = train_family(c, kind, family);
    }
    opts_free(family);
    return code;
}

static const struct opt train_options[] = {
    {"data", 'd', OPT_TEXT, 0, 0, NULL, NULL, "FILE", "a data set; see `jamroll dataset`"},
    {"out", 'o', OPT_TEXT, 0, 0, NULL, NULL, "FOLDER", "of the run: checkpoint, weights, log"},
    {"steps", 0, OPT_INT, 0, 1e9, "0", NULL, "N", "updates in all; 0: until the time is up"},
    {"minutes", 0, OPT_REAL, 0, 1e6, "0", NULL, "N", "in all, over resumes; 0: no limit"},
    {"resume", 'r', OPT_FLAG, 0, 0, NULL, NULL, NULL, "go on from the folder's checkpoint"},
    {"config", 'c', OPT_TEXT, 0, 0, NULL, NULL, "NAME", "a configuration, by name or file: also run.conf of a run's folder"},
    {"set", 0, OPT_LIST, 0, 0, NULL, NULL, "A=X,B=Y", "options of the family, over those of a configuration"},
    {"options", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "print the family's options"},
    {"name", 0, OPT_TEXT, 0, 0, NULL, NULL, "NAME", "of the weights; default: the family's"},
    {"licence", 0, OPT_TEXT, 0, 0, NULL, NULL, "TEXT", "of the weights, written into the file"},
    {"source", 0, OPT_TEXT, 0, 0, NULL, NULL, "TEXT", "of the data, written into the file"},
    {"save-every", 0, OPT_REAL, 0, 1e6, "0", NULL, "MINUTES", "between checkpoints; 0: five"},
    {"eval-every", 0, OPT_INT, 0, 1e9, "0", NULL, "N", "updates between held-out losses; 0: 500"},
    {"sample-every", 0, OPT_INT, 0, 1e9, "0", NULL, "N", "updates between samples; 0: with the held-out losses"},
    {"no-samples", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "do not play as it goes"},
    {"log-every", 0, OPT_INT, 0, 1e9, "0", NULL, "N", "updates between lines of the log; 0: 50"},
    OPT_DEVICE, OPT_COMMON,
};

const struct command cmd_train = {"train", "FAMILY", "train a model; Ctrl-C saves", OPTIONS_OF(train_options), 1, 1,
                                  run_train};
