/* cmd_transfer.c: a song in another genre: takes, what they kept and how far they went, and the way back. */
#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "mem.h"
#include "takes.h"
#include "verb.h"

enum { MOST = 48 };

/* A take, and the same there and back: how much of the genre is left there, NaN when nobody went or can tell. */
struct trip { struct take take, back; struct outcome outcome; double returned; };

struct transfer {
    struct cli *c;
    struct engine *engine;
    struct request rq;
    struct song *song;
    char *model;
    struct trip at[MOST];
    int n, n_back;
};

/* ---- what is asked ---- */

static enum err keep_cells(const struct cli *c, struct request *rq, int n_bars)
{
    struct cells cells;
    const char *text = opts_text(c->opts, "keep");
    if (!text)
        return ERR_OK;
    TRY(cells_parse(text, n_bars < REQUEST_MAX_BARS ? n_bars : REQUEST_MAX_BARS, &cells));
    for (int r = 0; r < N_ROLES; r++)
        for (int b = 0; b < rq->n_bars && b < REQUEST_MAX_BARS; b++)
            rq->keep[r][b] = cells.at[r][rq->bar0 + b < REQUEST_MAX_BARS ? rq->bar0 + b : REQUEST_MAX_BARS - 1];
    return ERR_OK;
}

static enum err read_request(const struct cli *c, const struct song *song, struct request *rq)
{
    const struct opts *o = c->opts;
    int n_bars = song_n_bars(song);
    request_init(rq, VERB_TRANSFER, song);
    rq->n_bars = n_bars > 0 ? n_bars : 1;
    if (opts_given(o, "bars"))
        TRY(bars_parse(opts_text(o, "bars"), rq->n_bars, rq->n_bars, &rq->bar0, &rq->n_bars));
    TRY(keep_cells(c, rq, n_bars));
    if (!str_copy(rq->genre_to, sizeof rq->genre_to, opts_text(o, "to")) ||
        !str_copy(rq->genre_from, sizeof rq->genre_from, opts_text(o, "from") ? opts_text(o, "from") : ""))
        return err_set(ERR_FORMAT, "no genre has so long a name");
    rq->strength = opts_real(o, "strength");
    rq->lock_melody = str_same(opts_text(o, "lock"), "melody");
    rq->n_takes = (int)opts_int(o, "takes");
    rq->snap = opts_flag(o, "strict");
    rq->remake_drums = str_same(opts_text(o, "drums"), "remake");
    return request_check(rq);
}

/* ---- the work ---- */

static void on_take(void *ctx, int index, struct take *take)
{
    struct transfer *t = ctx;
    t->at[index] = (struct trip){.take = *take, .outcome = take->outcome, .returned = NAN};
    t->n = index + 1;
}

static void on_back(void *ctx, int index, struct take *take)
{
    struct transfer *t = ctx;
    t->at[index].back = *take;
    t->at[index].returned = take->outcome.after;
    t->n_back = index + 1;
}

static enum err work(struct transfer *t)
{
    struct progress progress = {.cancel = cli_interrupt(), .on_take = on_take, .on_step = cli_progress(t->c), .ctx = t};
    struct request plain = t->rq;
    plain.genre_to[0] = '\0'; /* found already */
    TRY(engine_run(t->engine, t->model, &plain, &progress));
    if (opts_flag(t->c->opts, "cycle")) {
        plain.and_back = true;
        plain.remake_drums = false;
        progress.on_take = on_back;
        TRY(engine_run(t->engine, t->model, &plain, &progress));
    }
    return ERR_OK;
}

/* ---- what is told ---- */

/* What is kept times what is gained; without a judge what is kept. */
static double worth(const struct outcome *o)
{
    double gain = isnan(o->before) ? 1 : o->after - o->before;
    return isnan(o->kept) || isnan(gain) || gain < 0 ? 0 : o->kept * gain;
}

/* Take numbers, the best first. */
static void rank(const struct transfer *t, int *order)
{
    for (int i = 0; i < t->n; i++) {
        int k = i;
        for (; k > 0 && worth(&t->at[order[k - 1]].outcome) < worth(&t->at[i].outcome); k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}

static void print_share(double x)
{
    if (isnan(x))
        printf("       -");
    else
        printf("  %4.0f %%", 100 * x);
}

static void print_table(const struct transfer *t, const int *order, const json_t *files)
{
    printf("%s to %s, best first%s\n", t->rq.genre_from, t->rq.genre_to,
           isnan(t->at[0].outcome.before) ? " by what is kept: no judge that knows both was found" : "");
    printf("take    kept     new   %s: before   after    back\n", t->rq.genre_to);
    for (int i = 0; i < t->n; i++) {
        const struct trip *trip = &t->at[order[i]];
        const struct outcome *o = &trip->outcome;
        printf("%4d", order[i] + 1);
        print_share(o->kept);
        print_share(o->made);
        printf("%*s", (int)strlen(t->rq.genre_to) + 4, "");
        print_share(o->before);
        print_share(o->after);
        print_share(trip->returned);
        const char *file = json_string_value(json_object_get(json_array_get(files, (size_t)order[i]), "file"));
        printf("  %s\n", file ? file : "");
    }
}

static json_t *share_json(double x)
{
    return isnan(x) ? json_null() : json_real(x);
}

static void tell_json(struct transfer *t, const int *order, json_t *list, const json_t *back)
{
    json_t *ranking = json_array();
    for (int i = 0; i < t->n; i++) {
        const struct trip *trip = &t->at[order[i]];
        const struct outcome *o = &trip->outcome;
        json_t *j = json_array_get(list, (size_t)order[i]);
        json_object_set_new(j, "kept", share_json(o->kept));
        json_object_set_new(j, "new", share_json(o->made));
        json_object_set_new(j, "after", share_json(o->after));
        json_object_set_new(j, "back", share_json(trip->returned));
        if (back)
            json_object_set(j, "back_file", json_object_get(json_array_get(back, (size_t)order[i]), "file"));
        json_array_append_new(ranking, json_integer(order[i] + 1));
    }
    cli_set(t->c, "from", json_text(t->rq.genre_from));
    cli_set(t->c, "to", json_text(t->rq.genre_to));
    cli_set(t->c, "before", share_json(t->at[0].outcome.before));
    cli_set(t->c, "ranking", ranking);
    cli_set(t->c, "takes", json_incref(list));
}

/* ---- what is written ---- */

/* Beside the takes: OUT-back.mid, or a folder of that name in theirs. */
static char *back_path(const char *out)
{
    const char *ext = path_ext(out);
    struct str s;
    str_init(&s);
    if (file_is_dir(out) || str_ends(out, "/") || !*ext)
        return path_join(out, "back");
    str_addf(&s, "%.*s-back%s", (int)(strlen(out) - strlen(ext)), out, ext);
    return str_take(&s);
}

static enum err write_takes(struct transfer *t, const char *out, const char *fallback, bool back, struct takes *to)
{
    char *own_out = back && out ? back_path(out) : NULL, *own_fallback = back ? back_path(fallback) : NULL;
    enum err err = takes_open(to, t->c, back && out ? own_out : out, back ? own_fallback : fallback, t->n);
    for (int i = 0; i < t->n && err == ERR_OK; i++) {
        struct take *take = back ? &t->at[i].back : &t->at[i].take;
        takes_add(to, i, take);
        err = to->err;
    }
    if (err != ERR_OK && to->err != ERR_OK)
        err = err_set(to->err, "%s", to->text);
    free(own_out);
    free(own_fallback);
    return err;
}

static int write_all(struct transfer *t)
{
    const char *out = opts_text(t->c->opts, "out"), *in = opts_arg(t->c->opts, 0);
    char *base = path_with_ext(str_same(in, "-") ? "jamroll" : path_base(in), ""), fallback[300];
    struct takes takes = {0}, back = {0};
    int order[MOST];
    str_format(fallback, sizeof fallback, "%.200s-%s.mid", base, t->rq.genre_to);
    rank(t, order);
    enum err err = write_takes(t, out, fallback, false, &takes);
    if (err == ERR_OK && t->n_back > 0)
        err = write_takes(t, out, fallback, true, &back);
    int code = err == ERR_OK ? EXIT_OK : cli_fail(t->c, err == ERR_FORMAT ? STAGE_USAGE : STAGE_OUTPUT, err);
    if (err == ERR_OK && !t->c->json && !t->c->quiet && !(out && str_same(out, "-")))
        print_table(t, order, takes.list);
    if (err == ERR_OK)
        tell_json(t, order, takes.list, back.list);
    if (err == ERR_OK && takes.n_empty == takes.n_written) {
        cli_note(t->c, "every take came out empty");
        code = EXIT_EMPTY;
    }
    takes_fini(&takes);
    takes_fini(&back);
    free(base);
    return code;
}

/* The models of genre know bars of 4/4 only; what else there is stays. */
static void note_other_bars(const struct transfer *t)
{
    int other = 0;
    for (int bar = t->rq.bar0; bar < t->rq.bar0 + t->rq.n_bars; bar++) {
        struct metre m = song_metre(t->song, song_bar_tick(t->song, bar));
        other += m.num != 4 || m.den != 4;
    }
    if (other > 0)
        cli_note(t->c, "%d of %d bars are not in 4/4 and stay as they are", other, t->rq.n_bars);
}

static int ask(struct transfer *t)
{
    struct opts *o = t->c->opts;
    enum err err = cli_engine(t->c, &t->engine);
    if (err != ERR_OK)
        return cli_fail(t->c, STAGE_DEVICE, err);
    if ((err = engine_pair(t->engine, opts_text(o, "model"), &t->rq, &t->model)) != ERR_OK)
        return cli_fail(t->c, STAGE_MODEL, err);
    err = work(t);
    if (err == ERR_CANCELLED && t->n > 0)
        cli_note(t->c, "interrupted");
    if (err != ERR_OK)
        return cli_fail(t->c, err == ERR_UNSUPPORTED ? STAGE_INPUT : err == ERR_MISSING ? STAGE_MODEL : STAGE_WORK, err);
    note_other_bars(t);
    return write_all(t);
}

static int run_transfer(struct cli *c)
{
    struct transfer *t = xcalloc(1, sizeof *t); /* too much for the stack */
    const char *out = opts_text(c->opts, "out");
    int code;
    enum err err;
    t->c = c;
    if (!opts_text(c->opts, "to"))
        code = cli_usage(c, "transfer needs --to GENRE; `jamroll models list` shows who knows which");
    else if (out && str_same(out, "-") && opts_flag(c->opts, "cycle"))
        code = cli_usage(c, "--cycle writes two files: -o - takes one");
    else if ((err = cli_load(c, opts_arg(c->opts, 0), &t->song, NULL)) != ERR_OK)
        code = cli_fail(c, STAGE_INPUT, err);
    else if ((err = read_request(c, t->song, &t->rq)) != ERR_OK)
        code = cli_fail(c, STAGE_USAGE, err);
    else
        code = ask(t);
    for (int i = 0; i < MOST; i++) {
        take_fini(&t->at[i].take);
        take_fini(&t->at[i].back);
    }
    engine_free(t->engine);
    song_free(t->song);
    free(t->model);
    free(t);
    return code;
}

static const struct opt options[] = {
    {"to", 0, OPT_TEXT, 0, 0, NULL, NULL, "GENRE", "the genre it is to be of"},
    {"from", 0, OPT_TEXT, 0, 0, NULL, NULL, "GENRE", "what it is; default: what the judge takes it for"},
    {"strength", 0, OPT_REAL, 0, 1, "1", NULL, "X", "how far: at 0.5 half of the changes are made, the surest first"},
    {"lock", 0, OPT_ENUM, 0, 0, "none", "none|melody", "WHAT", "the top line stays as it is"},
    {"strict", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "new notes are of the key of the piece"},
    {"keep", 0, OPT_TEXT, 0, 0, NULL, NULL, "CELLS", "what stays: bass or piano:1-2 or 1-2"},
    {"bars", 'b', OPT_TEXT, 0, 0, NULL, NULL, "A-B", "bars that may change; default: all"},
    {"drums", 0, OPT_ENUM, 0, 0, "keep", "keep|remake", "HOW", "remake: the band plays them anew, in the genre if it can"},
    {"takes", 'n', OPT_INT, 1, MOST, "1", NULL, "N", "others than the first hear the music in another key or from another bar"},
    {"cycle", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "also what comes of it when it is taken back, as OUT-back"},
    {"out", 'o', OPT_TEXT, 0, 0, NULL, NULL, "PATH", "a .mid file, a folder, or -"},
    OPT_TAKES,
    {"model", 'm', OPT_TEXT, 0, 0, NULL, NULL, "NAME", "weights by name or path; default: those that know the genre"},
    OPT_SECTION, OPT_DEVICE, OPT_COMMON,
};

const struct command cmd_transfer = {"transfer", "IN", "the same piece in another genre", OPTIONS_OF(options), 1, 1,
                                     run_transfer};
