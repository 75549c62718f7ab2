/* cmd_eval.c: a model's music beside real music it has not seen, as a table or as JSON. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval.h"
#include "file.h"
#include "mem.h"
#include "phrase.h"
#include "verb.h"

enum { MAX_MODELS = 16 };

static void read_options(struct cli *c, struct eval_opts *e)
{
    struct opts *o = c->opts;
    const char *mode = opts_text(o, "mode"), *weigh = opts_text(o, "weigh");
    eval_opts_init(e);
    e->phrases = (int)opts_int(o, "n");
    e->takes = (int)opts_int(o, "takes");
    e->set = opts_text(o, "set");
    e->genre = opts_text(o, "genre");
    for (int m = 0; m < N_EVAL_MODES; m++)
        e->mode[m] = str_same(mode, "all") || str_same(mode, eval_mode_name((enum eval_mode)m));
    e->yardstick = opts_flag(o, "yardstick");
    e->training = str_same(opts_text(o, "against"), "training");
    e->weigh = str_same(weigh, "songs") ? EVAL_SONGS : str_same(weigh, "phrases") ? EVAL_PHRASES : EVAL_GENRES;
    e->mode[EVAL_ACCOMPANY] &= !e->yardstick;
    e->temperature = opts_real(o, "temperature");
    e->top_p = opts_real(o, "top-p");
    e->seed = (uint64_t)opts_int(o, "seed");
    e->cancel = cli_interrupt();
    e->on_step = cli_progress(c);
}

/* Published figures beside ours, as --beside asks: into the table, and the score as JSON, null when nobody asks. */
static json_t *put_beside(const struct cli *c, const struct eval *e, struct str *table)
{
    const char *set = opts_text(c->opts, "beside");
    struct eval_score score;
    if (str_same(set, "none") || eval_beside(e, set, table, &score) != ERR_OK)
        return json_null();
    if (score.cells > 0)
        str_addf(table, "\nNearer to its data than %s's %s, the hardest row to beat, on %.0f %% of the cells.\n", set,
                 score.row, 100.0 * score.nearer / score.cells);
    return json_pack("{s:s, s:s, s:i, s:i}", "set", set, "row", score.row, "nearer", score.nearer, "cells", score.cells);
}

static int compare(struct cli *c, const struct model_kind *kind, struct model *m, const struct dataset *data)
{
    struct eval_opts o;
    struct eval *result = NULL;
    struct str table;
    read_options(c, &o);
    enum err err = eval_run(kind, m, data, &o, &result);
    if (err != ERR_OK)
        return cli_fail(c, err == ERR_MISSING ? STAGE_INPUT : STAGE_WORK, err);
    str_init(&table);
    cli_set(c, "eval", eval_json(result));
    eval_table(result, str_same(opts_text(c->opts, "definitions"), "published"), &table);
    cli_set(c, "beside", put_beside(c, result, &table));
    if (!c->json)
        fputs(str_c(&table), stdout);
    str_fini(&table);
    eval_free(result);
    return EXIT_OK;
}

/* A family that measures itself: a line a figure. */
static int measure(struct cli *c, const struct model_kind *kind, struct model *m, const struct dataset *data)
{
    struct opts *o = c->opts;
    const struct measure_opts ask = {.n = (int)opts_int(o, "n"), .temperature = opts_real(o, "temperature"),
                                     .top_p = opts_real(o, "top-p"), .seed = (uint64_t)opts_int(o, "seed"),
                                     .cancel = cli_interrupt(), .judge = opts_text(o, "judge")};
    struct measures figures = {0};
    enum err err = kind->evaluate(m, data, &ask, &figures);
    json_t *list = json_object();
    for (size_t i = 0; i < figures.n && err == ERR_OK; i++) {
        const struct measure *x = &figures.at[i];
        json_object_set_new(list, x->name, *x->beside ? json_pack("{s:f, s:f}", "value", x->value, x->beside, x->other)
                                                      : json_real(x->value));
        if (c->json)
            continue;
        printf("%-60s %8.2f", x->name, x->value);
        if (*x->beside)
            printf("   %s %.2f", x->beside, x->other);
        putchar('\n');
    }
    cli_set(c, "eval", list);
    free(figures.at);
    return err == ERR_OK ? EXIT_OK : cli_fail(c, err == ERR_FORMAT || err == ERR_EMPTY ? STAGE_INPUT : STAGE_WORK, err);
}

/* What a column is called, malloc'd: the file's name, and where another has that too, its folder's. */
static char *column_name(const struct opts *o, int i)
{
    const char *path = opts_arg(o, i), *base = path_base(path);
    size_t folder = (size_t)(base - path);
    for (int k = 0; k < opts_n_args(o) && folder > 1; k++)
        if (k != i && str_same(path_base(opts_arg(o, k)), base)) {
            char *dir = xstrndup(path, folder - 1), *name = xstrdup(path_base(dir));
            free(dir);
            return name;
        }
    return path_with_ext(base, "");
}

/* One of several, on the same phrases as the others. */
static int measure_beside(struct cli *c, struct engine *engine, const struct dataset *data, int i, struct eval **out)
{
    const struct model_kind *kind;
    struct model *m;
    struct eval_opts o;
    read_options(c, &o);
    enum err err = engine_load(engine, opts_arg(c->opts, i), N_VERBS, &kind, &m);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_MODEL, err);
    if (kind->evaluate)
        return cli_usage(c, "%s measures itself: it stands beside no other", opts_arg(c->opts, i));
    if ((err = eval_run(kind, m, data, &o, out)) != ERR_OK)
        return cli_fail(c, err == ERR_MISSING ? STAGE_INPUT : STAGE_WORK, err);
    return EXIT_OK;
}

static void report_all(struct cli *c, struct eval *const *results, char *const *names, int n)
{
    struct str table;
    json_t *list = json_array();
    str_init(&table);
    eval_compare((const struct eval *const *)results, (const char *const *)names, (size_t)n, &table);
    for (int i = 0; i < n; i++) {
        if (!str_same(opts_text(c->opts, "beside"), "none"))
            str_addf(&table, "\n---- %s ----\n", names[i]);
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "model", json_text(opts_arg(c->opts, i)), "eval",
                                              eval_json(results[i]), "beside", put_beside(c, results[i], &table)));
    }
    if (!c->json)
        fputs(str_c(&table), stdout);
    cli_set(c, "models", list);
    str_fini(&table);
}

static int side_by_side(struct cli *c, struct engine *engine, const struct dataset *data)
{
    int n = opts_n_args(c->opts), code = EXIT_OK;
    struct eval **results = xcalloc((size_t)n, sizeof *results);
    char **names = xcalloc((size_t)n, sizeof *names);
    for (int i = 0; i < n && code == EXIT_OK; i++) {
        names[i] = column_name(c->opts, i);
        code = measure_beside(c, engine, data, i, &results[i]);
    }
    if (code == EXIT_OK)
        report_all(c, results, names, n);
    for (int i = 0; i < n; i++) {
        eval_free(results[i]);
        free(names[i]);
    }
    free(results);
    free(names);
    return code;
}

static int one_model(struct cli *c, struct engine *engine, const struct dataset *data)
{
    const struct model_kind *kind;
    struct model *m;
    enum err err = engine_load(engine, opts_arg(c->opts, 0), N_VERBS, &kind, &m);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_MODEL, err);
    return (kind->evaluate ? measure : compare)(c, kind, m, data);
}

static int run_eval(struct cli *c)
{
    struct opts *o = c->opts;
    if (!opts_text(o, "data"))
        return cli_usage(c, "eval needs --data FILE");
    struct dataset *data = NULL;
    struct engine *engine = NULL;
    int code;
    enum err err = dataset_open(opts_text(o, "data"), &data);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_INPUT, err);
    if ((err = cli_engine(c, &engine)) != ERR_OK)
        code = cli_fail(c, STAGE_DEVICE, err);
    else
        code = (opts_n_args(o) > 1 ? side_by_side : one_model)(c, engine, data);
    engine_free(engine);
    dataset_close(data);
    return code;
}

static const struct opt options[] = {
    {"data", 'd', OPT_TEXT, 0, 0, NULL, NULL, "FILE", "a data set with held-out songs"},
    {"n", 'n', OPT_INT, 1, 100000, "16", NULL, "N", "phrases a genre; pieces an era"},
    {"against", 0, OPT_ENUM, 0, 0, "held-out", "held-out|training", "MUSIC", "training: what it learnt from, in the shares it saw, as papers compare"},
    {"weigh", 0, OPT_ENUM, 0, 0, "genres", "genres|songs|phrases", "WHAT", "what counts the same: each genre, song (of a genre with more of them more phrases) or phrase"},
    {"takes", 0, OPT_INT, 1, 64, "2", NULL, "N", "answers to each"},
    {"mode", 0, OPT_ENUM, 0, 0, "all", "all|scratch|accompany", "MODE", "from nothing, around one kept track"},
    {"genre", 'g', OPT_TEXT, 0, 0, NULL, NULL, "NAME", "only this one"},
    {"set", 0, OPT_TEXT, 0, 0, NULL, NULL, "FOLDER", "only phrases of this folder of the data set"},
    {"definitions", 0, OPT_ENUM, 0, 0, "correct", "correct|published", "WHICH", "published: also as MuseGAN's code counts"},
    {"beside", 0, OPT_ENUM, 0, 0, "none", "none|musegan|binary|beatgan", "TABLE", "published figures beside, and who is nearer"},
    {"judge", 0, OPT_TEXT, 0, 0, NULL, NULL, "FILE", "weights of a judge of genres, for genre transfer"},
    {"yardstick", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "real training songs in the model's place, from scratch"},
    {"temperature", 't', OPT_REAL, 0.05, 4, "1", NULL, "X", "as in generate"},
    {"top-p", 0, OPT_REAL, 0.01, 1, "0.99", NULL, "X", "as in generate"},
    {"seed", 's', OPT_INT, 0, 9223372036854775807.0, "1", NULL, "N", "of all draws"},
    OPT_DEVICE, OPT_COMMON,
};

const struct command cmd_eval = {"eval", "MODEL...", "measure models against real music they have not seen",
                                 OPTIONS_OF(options), 1, MAX_MODELS, run_eval};
