/* cmd_band.c: generate, accompany, infill, vary, interpolate and continue: six ways of asking the band, one request. A
 * command only decides which cells are kept; everything else is the same for all. */
#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "latent.h"
#include "mem.h"
#include "rng.h"
#include "takes.h"
#include "verb.h"

#define OPT_N {"n", 'n', OPT_INT, 1, 256, "1", NULL, "N", "takes"}
#define OPT_BAND \
    {"genre", 'g', OPT_TEXT, 0, 0, "any", NULL, "NAME", "one of the model's genres, or any"}, \
    {"style", 'y', OPT_LIST, 0, 0, NULL, NULL, "LIST", "composers and eras of a model that has styles: bach, bach,debussy:0.3, or " \
     "bach:1..0,ravel:0..1 to glide"}, \
    {"key", 'k', OPT_TEXT, 0, 0, "auto", NULL, "KEY", "C, Am, \"F# minor\"; auto: from the kept notes"}, \
    {"strict", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "only pitches of the key's scale"}, \
    {"seed", 's', OPT_INT, 0, 9223372036854775807.0, NULL, NULL, "N", "take i is drawn from N + i - 1; default: a fresh one"}, \
    {"temperature", 't', OPT_REAL, 0.05, 4, "1", NULL, "X", "below 1 safer, above 1 bolder"}, \
    {"top-p", 0, OPT_REAL, 0.01, 1, "0.99", NULL, "X", "how much of the unlikely is left out"}, \
    {"top-k", 0, OPT_INT, 0, 10000, "0", NULL, "N", "only the N likeliest at each draw; 0: all"}, \
    {"density", 0, OPT_TEXT, 0, 0, NULL, NULL, "LIST", "1..7, or for some tracks: drums=5,bass=3"}, \
    {"range", 0, OPT_TEXT, 0, 0, NULL, NULL, "LIST", "pitches of new notes: C2:C6, or for some tracks: bass=E1:G3"}, \
    {"silent", 0, OPT_TEXT, 0, 0, NULL, NULL, "TRACKS", "leave these tracks empty where nothing is kept"}, \
    {"out", 'o', OPT_TEXT, 0, 0, NULL, NULL, "PATH", "a file (.mid, .npz, .npy, .png, .musicxml), a folder, or -"}, \
    {"z", 0, OPT_TEXT, 0, 0, NULL, NULL, "Z", "of models with latent vectors: FILE.npy, or seeds as in 3+5-7"}, \
    {"save-z", 0, OPT_TEXT, 0, 0, NULL, NULL, "FILE", "write the takes' latent vectors, as .npy"}, \
    {"grid", 0, OPT_TEXT, 0, 0, NULL, NULL, "FILE", "also all takes in one picture"}, \
    OPT_TAKES, \
    {"model", 'm', OPT_TEXT, 0, 0, NULL, NULL, "NAME", "weights by name or path; default: the best for the job"}, \
    OPT_DEVICE, OPT_COMMON

static void init_request(struct request *rq, enum verb verb, const struct song *song, int bar0, int n_bars)
{
    request_init(rq, verb, song);
    rq->bar0 = bar0;
    rq->n_bars = n_bars;
    memset(rq->keep, 0, sizeof rq->keep);
}

/* The options that all share, but for the genre, which only the model knows. */
static enum err read_options(struct cli *c, struct request *rq)
{
    struct opts *o = c->opts;
    if (!key_parse(opts_text(o, "key"), &rq->key))
        return err_set(ERR_FORMAT, "--key: \"%.20s\" is not a key", opts_text(o, "key"));
    rq->snap = opts_flag(o, "strict");
    rq->temperature = opts_real(o, "temperature");
    rq->top_p = opts_real(o, "top-p");
    rq->top_k = (int)opts_int(o, "top-k");
    if (c->command != &cmd_interpolate) /* there the steps are the takes */
        rq->n_takes = (int)opts_int(o, "n");
    rq->seed = opts_given(o, "seed") ? (uint64_t)opts_int(o, "seed") : rng_entropy() >> 32;
    if (opts_given(o, "density"))
        TRY(density_parse(opts_text(o, "density"), rq->density));
    if (opts_given(o, "range"))
        TRY(ranges_parse(opts_text(o, "range"), rq->range));
    if (opts_given(o, "silent")) {
        bool silent[N_ROLES];
        TRY(roles_parse(opts_text(o, "silent"), silent));
        for (int r = 0; r < N_ROLES; r++)
            rq->silent[r] = silent[r];
    }
    return ERR_OK;
}

static enum err find_genre(const struct model_kind *kind, const struct model *m, const char *name, int *out)
{
    int n = kind->n_genres ? kind->n_genres(m) : 0, found = -1;
    *out = -1;
    if (str_same(name, "any"))
        return ERR_OK;
    struct str list;
    str_init(&list);
    for (int i = 0; i < n; i++) {
        str_addf(&list, "%s%s", i ? ", " : "", kind->genre(m, i));
        if (str_same(kind->genre(m, i), name))
            found = i;
    }
    enum err err = ERR_OK;
    if (found < 0)
        err = err_set(ERR_FORMAT, "--genre: this model does not know \"%.40s\"; it knows: %s", name,
                      n ? str_c(&list) : "none");
    str_fini(&list);
    *out = found;
    return err;
}

static enum err find_styles(const struct model_kind *kind, const struct model *m, const char *list, struct request *rq)
{
    int n = kind->n_styles ? kind->n_styles(m) : 0;
    const char **names = xcalloc((size_t)n + 1, sizeof *names);
    for (int i = 0; i < n; i++)
        names[i] = kind->style(m, i);
    enum err err = request_style(rq, list, (char *const *)names, n);
    if (err != ERR_OK)
        err_prefix("--style");
    free(names);
    return err;
}

static bool only_piano(const struct song *s)
{
    bool piano = false;
    for (size_t t = 0; t < s->n_tracks; t++) {
        if (s->tracks[t].n > 0 && s->tracks[t].role != ROLE_PIANO)
            return false;
        piano |= s->tracks[t].n > 0;
    }
    return piano;
}

/* Who is asked, malloc'd; NULL = the best for the verb. Unless it is said, styles, and going on with music for piano
 * alone, are for weights that know styles. */
static char *player(struct cli *c, const struct request *rq)
{
    const char *said = opts_text(c->opts, "model");
    struct model_info *list = NULL;
    size_t n = 0, i = 0;
    if (said)
        return xstrdup(said);
    bool styled = opts_given(c->opts, "style") || (rq->verb == VERB_CONTINUE && only_piano(rq->song));
    if (!styled || opts_given(c->opts, "genre") || models_list(&list, &n) != ERR_OK)
        return NULL;
    while (i < n && !(list[i].n_styles > 0 && list[i].verbs & 1u << rq->verb))
        i++;
    char *path = i < n ? xstrdup(list[i].path) : NULL;
    models_list_free(list, n);
    return path;
}

/* Exit code of a finished run; `err` is the engine's. */
static int finish(struct cli *c, const struct request *rq, const struct takes *t, enum err err)
{
    cli_set(c, "seed", json_integer((json_int_t)rq->seed));
    cli_set(c, "takes", json_incref(t->list));
    if (t->err != ERR_OK) {
        (void)err_set(t->err, "%s", t->text);
        return cli_fail(c, STAGE_OUTPUT, t->err);
    }
    if (err == ERR_CANCELLED)
        cli_note(c, "interrupted; %d of %d takes are finished", t->n_written, t->n_wanted);
    if (err != ERR_OK)
        return cli_fail(c, err == ERR_UNSUPPORTED ? STAGE_INPUT : STAGE_WORK, err);
    if (t->n_empty == t->n_written) {
        cli_note(c, "every take came out empty");
        return EXIT_EMPTY;
    }
    return EXIT_OK;
}

/* Of `interpolate` between latent vectors: the rows are the second direction. */
static bool is_way(const struct cli *c)
{
    return c->command == &cmd_interpolate && latents_named(opts_arg(c->opts, 0));
}

static int grid_columns(const struct cli *c, int n_takes)
{
    if (is_way(c))
        return opts_n_args(c->opts) > 2 ? (int)opts_int(c->opts, "across") : n_takes;
    return (int)ceil(sqrt(n_takes));
}

static enum err draw_grid(struct cli *c, const struct request *rq, const struct takes *t)
{
    const char *path = opts_text(c->opts, "grid");
    if (!path)
        return ERR_OK;
    cli_set(c, "grid", json_text(path));
    return takes_picture(t, grid_columns(c, t->n_wanted), rq->n_bars, path);
}

/* The latent vectors between the ends that are named, two or three. */
static enum err way(struct cli *c, const struct model_kind *kind, const struct model *m, int n_bars, struct latents *out)
{
    struct opts *o = c->opts;
    struct latents end[3] = {{NULL, 0, 0}};
    enum err err = ERR_OK;
    for (int i = 0; i < opts_n_args(o) && err == ERR_OK; i++)
        err = latents_parse(opts_arg(o, i), kind, m, n_bars, &end[i]);
    if (err == ERR_OK)
        err = latents_between(&end[0], &end[1], end[2].z ? &end[2] : NULL, (int)opts_int(o, "steps"),
                              end[2].z ? (int)opts_int(o, "across") : 1, str_same(opts_text(o, "way"), "arc"), out);
    for (int i = 0; i < 3; i++)
        latents_fini(&end[i]);
    return err;
}

/* Latent vectors that are asked for are the takes; those that are not are still told by --save-z. */
static enum err set_latents(struct cli *c, const struct model_kind *kind, const struct model *m, struct request *rq,
                            struct latents *z)
{
    const char *given = opts_text(c->opts, "z"), *save = opts_text(c->opts, "save-z");
    if (is_way(c))
        TRY(way(c, kind, m, rq->n_bars, z));
    else if (given)
        TRY(latents_parse(given, kind, m, rq->n_bars, z));
    else if (save)
        TRY(latents_of_seeds(kind, m, rq->n_bars, rq->seed, rq->n_takes, z));
    if (given || is_way(c)) {
        rq->z = z->z;
        rq->n_z = z->n;
        rq->n_takes = z->rows;
        rq->one_draw = is_way(c);
    }
    return save ? latents_save(z, save) : ERR_OK;
}

/* Ask the band and write what it answers. */
static int ask(struct cli *c, struct request *rq, const char *fallback)
{
    struct opts *o = c->opts;
    char *model = player(c, rq);
    struct engine *engine = NULL;
    const struct model_kind *kind;
    struct model *m;
    struct latents z = {NULL, 0, 0};
    enum err err = cli_engine(c, &engine);
    int code;
    if (err != ERR_OK) {
        code = cli_fail(c, STAGE_DEVICE, err);
    } else if ((err = engine_load(engine, model, rq->verb, &kind, &m)) != ERR_OK) {
        code = cli_fail(c, STAGE_MODEL, err);
    } else if ((err = find_genre(kind, m, opts_text(o, "genre"), &rq->genre)) != ERR_OK) {
        code = cli_fail(c, STAGE_USAGE, err);
    } else if (opts_given(o, "style") && (err = find_styles(kind, m, opts_text(o, "style"), rq)) != ERR_OK) {
        code = cli_fail(c, STAGE_USAGE, err);
    } else if ((err = set_latents(c, kind, m, rq, &z)) != ERR_OK) {
        code = cli_fail(c, err == ERR_UNSUPPORTED ? STAGE_MODEL : err == ERR_IO ? STAGE_OUTPUT : STAGE_INPUT, err);
    } else {
        struct takes takes;
        if ((err = takes_open(&takes, c, opts_text(o, "out"), fallback, rq->n_takes)) != ERR_OK) {
            code = cli_fail(c, err == ERR_FORMAT ? STAGE_USAGE : STAGE_OUTPUT, err);
        } else {
            const struct progress progress = {.cancel = cli_interrupt(), .on_take = takes_add, .ctx = &takes,
                                              .on_step = cli_progress(c)};
            if (!opts_given(o, "seed"))
                cli_note(c, "seed %llu", (unsigned long long)rq->seed);
            if (opts_text(o, "grid"))
                takes_keep(&takes);
            code = finish(c, rq, &takes, engine_run(engine, model, rq, &progress));
            if (code == EXIT_OK && (err = draw_grid(c, rq, &takes)) != ERR_OK)
                code = cli_fail(c, err == ERR_UNSUPPORTED ? STAGE_INPUT : STAGE_OUTPUT, err);
        }
        takes_fini(&takes);
    }
    latents_fini(&z);
    engine_free(engine);
    free(model);
    return code;
}

/* The input's file name is what takes are called after. */
static int open_band(struct cli *c, struct song **band, char **fallback)
{
    enum err err = cli_load_band(c, opts_arg(c->opts, 0), band);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_INPUT, err);
    *fallback = cli_name_for(c);
    return EXIT_OK;
}

static int song_bars(const struct song *s)
{
    int n = song_n_bars(s);
    return n < 1 ? 1 : n > REQUEST_MAX_BARS ? REQUEST_MAX_BARS : n;
}

static bool all_kept(const struct request *rq)
{
    for (int r = 0; r < N_ROLES; r++)
        for (int b = 0; b < rq->n_bars; b++)
            if (!rq->keep[r][b])
                return false;
    return true;
}

static int run_generate(struct cli *c)
{
    struct request rq;
    struct song *song = song_new_band();
    song_set_tempo(song, 0, opts_real(c->opts, "tempo"));
    init_request(&rq, VERB_GENERATE, song, 0, (int)opts_int(c->opts, "bars"));
    enum err err = read_options(c, &rq);
    char name[64];
    str_format(name, sizeof name, "jamroll-%llu.mid", (unsigned long long)rq.seed);
    int code = err != ERR_OK ? cli_fail(c, STAGE_USAGE, err) : ask(c, &rq, name);
    song_free(song);
    return code;
}

/* --keep, or every track that has notes. */
static enum err keep_cells(struct cli *c, struct request *rq, int n_bars)
{
    struct cells cells = {0};
    if (opts_given(c->opts, "keep")) {
        TRY(cells_parse(opts_text(c->opts, "keep"), n_bars, &cells));
    } else {
        for (int r = 0; r < N_ROLES; r++)
            memset(cells.at[r], rq->song->tracks[r].n > 0, sizeof cells.at[r]);
    }
    for (int r = 0; r < N_ROLES; r++)
        memcpy(rq->keep[r], &cells.at[r][rq->bar0], (size_t)rq->n_bars);
    return ERR_OK;
}

/* The band that is kept, whole, or the one track of the file that is to be followed. */
static int open_seed(struct cli *c, struct song **band, char **fallback)
{
    const char *track = opts_text(c->opts, "follow");
    struct song *song = NULL;
    if (!track)
        return open_band(c, band, fallback);
    if (opts_given(c->opts, "keep"))
        return cli_usage(c, "--follow says what stays: --keep has no place beside it");
    enum err err = cli_load(c, opts_arg(c->opts, 0), &song, NULL);
    if (err == ERR_OK)
        err = role_follow(song, track, band);
    song_free(song);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_INPUT, err);
    *fallback = cli_name_for(c);
    return EXIT_OK;
}

static int run_accompany(struct cli *c)
{
    struct song *song = NULL;
    char *fallback = NULL;
    int code = open_seed(c, &song, &fallback);
    if (code == EXIT_OK) {
        /* Phrases have four bars: a song of three gets its fourth. */
        int n_bars = (song_bars(song) + 3) / 4 * 4, bar0 = 0, n = n_bars;
        struct request rq;
        enum err err = ERR_OK;
        if (opts_given(c->opts, "bars"))
            err = bars_parse(opts_text(c->opts, "bars"), song_bars(song), REQUEST_MAX_BARS, &bar0, &n);
        if (bar0 + n > n_bars)
            n_bars = bar0 + n;
        init_request(&rq, VERB_ACCOMPANY, song, bar0, n);
        if (err == ERR_OK)
            err = read_options(c, &rq);
        if (err == ERR_OK)
            err = keep_cells(c, &rq, n_bars);
        if (err == ERR_OK && all_kept(&rq))
            err = err_set(ERR_EMPTY, "every bar of every track is kept: there is nothing to play");
        code = err != ERR_OK ? cli_fail(c, STAGE_USAGE, err) : ask(c, &rq, fallback);
    }
    song_free(song);
    free(fallback);
    return code;
}

/* Some tracks in some bars, in whole phrases around them. */
static int run_cells(struct cli *c, enum verb verb)
{
    struct song *song = NULL;
    char *fallback = NULL;
    int code = open_band(c, &song, &fallback);
    if (code == EXIT_OK) {
        int bar0 = 0, n = song_bars(song);
        bool fill[N_ROLES] = {true, true, true, true, true};
        struct request rq;
        enum err err = ERR_OK;
        if (opts_given(c->opts, "bars"))
            err = bars_parse(opts_text(c->opts, "bars"), song_bars(song), REQUEST_MAX_BARS, &bar0, &n);
        if (err == ERR_OK && opts_given(c->opts, "tracks"))
            err = roles_parse(opts_text(c->opts, "tracks"), fill);
        /* The span is whole phrases around the bars, so that the band hears what comes before and after. */
        int from = bar0 / 4 * 4, to = (bar0 + n + 3) / 4 * 4;
        init_request(&rq, verb, song, from, to - from);
        if (err == ERR_OK)
            err = read_options(c, &rq);
        if (verb == VERB_VARY)
            rq.distance = opts_real(c->opts, "distance");
        for (int r = 0; r < N_ROLES; r++)
            for (int b = 0; b < to - from; b++)
                rq.keep[r][b] = !fill[r] || from + b < bar0 || from + b >= bar0 + n;
        code = err != ERR_OK ? cli_fail(c, STAGE_USAGE, err) : ask(c, &rq, fallback);
    }
    song_free(song);
    free(fallback);
    return code;
}

static int run_infill(struct cli *c)
{
    return run_cells(c, VERB_INFILL);
}

static int run_vary(struct cli *c)
{
    return run_cells(c, VERB_VARY);
}

/* Between latent vectors: new music at every step, from nothing or around the tracks of a song. */
static int run_way(struct cli *c)
{
    const char *around = opts_text(c->opts, "around");
    struct song *song = NULL;
    enum err err = ERR_OK;
    if (around)
        err = cli_load_band(c, around, &song);
    else
        song = song_new_band();
    if (err != ERR_OK)
        return cli_fail(c, STAGE_INPUT, err);
    struct request rq;
    init_request(&rq, around ? VERB_ACCOMPANY : VERB_GENERATE, song, 0, (int)opts_int(c->opts, "bars"));
    err = read_options(c, &rq);
    for (int r = 0; r < N_ROLES; r++)
        memset(rq.keep[r], around && song->tracks[r].n > 0, (size_t)rq.n_bars);
    int code = err != ERR_OK ? cli_fail(c, STAGE_USAGE, err) : ask(c, &rq, "jamroll-way.mid");
    song_free(song);
    return code;
}

/* Both ends are among the steps. Tempo, key and instruments are those of A all the way. */
static int run_interpolate(struct cli *c)
{
    if (latents_named(opts_arg(c->opts, 0)))
        return run_way(c);
    if (opts_n_args(c->opts) > 2)
        return cli_usage(c, "a third end is for latent vectors: seeds or .npy files");
    struct song *a = NULL, *b = NULL;
    char *fallback = NULL;
    int code = open_band(c, &a, &fallback);
    enum err err = code == EXIT_OK ? cli_load_band(c, opts_arg(c->opts, 1), &b) : ERR_OK;
    if (err != ERR_OK)
        code = cli_fail(c, STAGE_INPUT, err);
    if (code == EXIT_OK) {
        struct request rq;
        int n_a = song_bars(a), n_b = song_bars(b);
        init_request(&rq, VERB_INTERPOLATE, a, 0, n_a > n_b ? n_a : n_b);
        err = read_options(c, &rq);
        rq.from = a;
        rq.to = b;
        rq.n_takes = (int)opts_int(c->opts, "steps");
        rq.mix_step = 1.0 / (rq.n_takes - 1);
        code = err != ERR_OK ? cli_fail(c, STAGE_USAGE, err) : ask(c, &rq, fallback);
    }
    song_free(a);
    song_free(b);
    free(fallback);
    return code;
}

static int run_continue(struct cli *c)
{
    struct song *song = NULL;
    char *fallback = NULL;
    int code = open_band(c, &song, &fallback);
    if (code == EXIT_OK) {
        struct request rq;
        int bar0 = song_n_bars(song);
        init_request(&rq, VERB_CONTINUE, song, bar0, (int)opts_int(c->opts, "bars"));
        enum err err = read_options(c, &rq);
        code = err != ERR_OK ? cli_fail(c, STAGE_USAGE, err) : ask(c, &rq, fallback);
    }
    song_free(song);
    free(fallback);
    return code;
}

static const struct opt generate_options[] = {
    {"bars", 'b', OPT_INT, 1, REQUEST_MAX_BARS, "4", NULL, "N", "how many bars"},
    {"tempo", 0, OPT_REAL, 20, 400, "120", NULL, "BPM", "quarter notes a minute"},
    OPT_N, OPT_BAND,
};
static const struct opt accompany_options[] = {
    {"keep", 0, OPT_TEXT, 0, 0, NULL, NULL, "CELLS",
     "what stays: piano,bass or piano:1-2 or 1-2 or none; default: every track with notes"},
    {"follow", 0, OPT_TEXT, 0, 0, NULL, NULL, "TRACK", "this track of the file alone stays: its number, name, part of it, or role"},
    {"bars", 'b', OPT_TEXT, 0, 0, NULL, NULL, "A-B", "bars to play in; default: the whole song"},
    OPT_N, OPT_BAND,
};
static const struct opt infill_options[] = {
    {"tracks", 0, OPT_TEXT, 0, 0, NULL, NULL, "TRACKS", "tracks to write anew; default: all"},
    {"bars", 'b', OPT_TEXT, 0, 0, NULL, NULL, "A-B", "bars to write anew; default: the whole song"},
    OPT_N, OPT_BAND,
};
static const struct opt vary_options[] = {
    {"distance", 'd', OPT_REAL, 0, 1, "0.3", NULL, "X", "how much is written anew: 0.1 is near, 1 keeps nothing"},
    {"tracks", 0, OPT_TEXT, 0, 0, NULL, NULL, "TRACKS", "tracks that may change; default: all that play"},
    {"bars", 'b', OPT_TEXT, 0, 0, NULL, NULL, "A-B", "bars that may change; default: the whole song"},
    OPT_N, OPT_BAND,
};
static const struct opt interpolate_options[] = {
    {"steps", 0, OPT_INT, 2, 256, "5", NULL, "N", "how many, A and B among them"},
    {"across", 0, OPT_INT, 2, 256, "5", NULL, "N", "latent vectors: how many towards C, a grid with those towards B"},
    {"way", 0, OPT_ENUM, 0, 0, "line", "line|arc", "WAY", "latent vectors: linear or spherical"},
    {"around", 0, OPT_TEXT, 0, 0, NULL, NULL, "IN", "latent vectors of a model that accompanies: the tracks to keep"},
    {"bars", 'b', OPT_INT, 1, REQUEST_MAX_BARS, "4", NULL, "N", "latent vectors: how many bars"},
    OPT_BAND,
};
static const struct opt continue_options[] = {
    {"bars", 'b', OPT_INT, 1, REQUEST_MAX_BARS, "4", NULL, "N", "how many bars to add"},
    OPT_N, OPT_BAND,
};

const struct command cmd_generate = {
    "generate", "", "new music from nothing", OPTIONS_OF(generate_options), 0, 0, run_generate};
const struct command cmd_accompany = {
    "accompany", "IN", "keep some tracks or bars, let the band play the rest", OPTIONS_OF(accompany_options), 1, 1,
    run_accompany};
const struct command cmd_infill = {
    "infill", "IN", "write some tracks or bars anew, keep the rest", OPTIONS_OF(infill_options), 1, 1, run_infill};
const struct command cmd_vary = {
    "vary", "IN", "some of it anew, near or far", OPTIONS_OF(vary_options), 1, 1, run_vary};
const struct command cmd_interpolate = {
    "interpolate", "A B [C]", "steps from one piece to another, or between latent vectors; tempo and instruments are A's",
    OPTIONS_OF(interpolate_options), 2, 3, run_interpolate};
const struct command cmd_continue = {
    "continue", "IN", "go on after the last bar", OPTIONS_OF(continue_options), 1, 1, run_continue};
