/* cmd_suggest.c: what could come next at a place: a table of candidates, and a file with one of them in it. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "takes.h"
#include "theory.h"
#include "verb.h"

enum { MOST = 32 };

struct found {
    const struct request *rq;
    struct take take[MOST];          /* the song with the candidate in it */
    struct suggestion one[MOST];
    int n;
};

static void on_take(void *ctx, int index, struct take *take)
{
    struct found *f = ctx;
    struct suggestion one;
    (void)index;
    suggestion_of(take, f->rq->song, f->rq->role, f->rq->at, &one);
    if (f->n == MOST || one.n == 0) {
        take_fini(take);
        return;
    }
    f->take[f->n] = *take;
    f->one[f->n++] = one;
}

/* ---- what is asked ---- */

/* The first that has notes, in the order in which one would look for a melody. */
static enum role usual_track(const struct song *s)
{
    static const enum role order[] = {ROLE_PIANO, ROLE_GUITAR, ROLE_STRINGS, ROLE_BASS};
    for (size_t i = 0; i < COUNT_OF(order); i++)
        if (s->tracks[order[i]].n > 0)
            return order[i];
    return ROLE_PIANO;
}

/* The sixteenth by which the track's last note has ended. */
static int32_t usual_place(const struct track *t)
{
    const int32_t step = SONG_TPQ / 4;
    int32_t end = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->notes[i].tick + t->notes[i].dur > end)
            end = t->notes[i].tick + t->notes[i].dur;
    return (end + step - 1) / step * step;
}

static enum err read_request(const struct opts *o, const struct song *song, struct request *rq)
{
    enum role role = usual_track(song);
    if (opts_given(o, "track"))
        TRY(role_of_text(opts_text(o, "track"), &role));
    int32_t at = usual_place(&song->tracks[role]);
    if (opts_given(o, "at"))
        TRY(place_parse(opts_text(o, "at"), song, &at));
    request_suggest(rq, song, role, at);
    if (!key_parse(opts_text(o, "key"), &rq->key))
        return err_set(ERR_FORMAT, "--key: \"%.20s\" is not a key", opts_text(o, "key"));
    rq->snap = opts_flag(o, "strict");
    rq->n_takes = (int)opts_int(o, "n");
    rq->seed = (uint64_t)opts_int(o, "seed");
    if (opts_given(o, "range"))
        TRY(ranges_parse(opts_text(o, "range"), rq->range));
    return request_check(rq);
}

/* ---- what is told ---- */

static int32_t length_of(const struct suggestion *s)
{
    int32_t longest = 0;
    for (int i = 0; i < s->n; i++)
        longest = s->notes[i].dur > longest ? s->notes[i].dur : longest;
    return longest;
}

static json_t *candidate_json(const struct suggestion *s, const struct song *song, int rank)
{
    json_t *notes = json_array();
    char place[24];
    for (int i = 0; i < s->n; i++) {
        const struct note *n = &s->notes[i];
        char name[8];
        pitch_name(n->pitch, 4, name);
        json_array_append_new(notes, json_pack("{s:s, s:i, s:i, s:f, s:i}", "name", name, "pitch", n->pitch, "tick", n->tick,
                                               "beats", (double)n->dur / SONG_TPQ, "velocity", n->vel));
    }
    place_print(song, s->notes[0].tick, place);
    return json_pack("{s:i, s:f, s:s, s:f, s:o}", "rank", rank, "probability", s->p, "at", place, "beats",
                     (double)length_of(s) / SONG_TPQ, "notes", notes);
}

static void print_candidate(const struct suggestion *s, const struct song *song, int rank)
{
    char place[24];
    place_print(song, s->notes[0].tick, place);
    printf("%4d  %5.1f %%  %-8s %5.4g  ", rank, 100 * s->p, place, (double)length_of(s) / SONG_TPQ);
    for (int i = 0; i < s->n; i++) {
        char name[8];
        pitch_name(s->notes[i].pitch, 4, name);
        printf("%s%s", i ? " " : "", name);
    }
    putchar('\n');
}

static void tell(struct cli *c, const struct found *f)
{
    const struct request *rq = f->rq;
    json_t *list = json_array();
    char place[24];
    place_print(rq->song, rq->at, place);
    cli_set(c, "track", json_text(role_name(rq->role)));
    cli_set(c, "at", json_text(place));
    cli_set(c, "model", json_text(f->take[0].model));
    cli_set(c, "hash", json_text(f->take[0].hash));
    if (!c->json)
        printf("%s at %s, by %s\nrank  likely   at       beats  notes\n", role_name(rq->role), place, f->take[0].model);
    for (int i = 0; i < f->n; i++) {
        json_array_append_new(list, candidate_json(&f->one[i], rq->song, i + 1));
        if (!c->json)
            print_candidate(&f->one[i], rq->song, i + 1);
    }
    cli_set(c, "suggestions", list);
}

/* ---- the command ---- */

/* The chosen one goes to a file as any take does. */
static int write_chosen(struct cli *c, struct found *f)
{
    struct takes out;
    int k = (int)opts_int(c->opts, "take");
    if (k > f->n)
        return cli_usage(c, "--take %d: there are %d suggestions", k, f->n);
    char *fallback = cli_name_for(c);
    enum err err = takes_open(&out, c, opts_text(c->opts, "out"), fallback, 1);
    if (err == ERR_OK) {
        takes_add(&out, 0, &f->take[k - 1]);
        if (out.err != ERR_OK)
            err = err_set(out.err, "%s", out.text);
        cli_set(c, "takes", json_incref(out.list));
    }
    int code = err == ERR_OK ? EXIT_OK : cli_fail(c, err == ERR_FORMAT ? STAGE_USAGE : STAGE_OUTPUT, err);
    takes_fini(&out);
    free(fallback);
    return code;
}

static int ask(struct cli *c, struct found *f)
{
    struct opts *o = c->opts;
    struct engine *engine = NULL;
    const struct model_kind *kind;
    struct model *m;
    const struct progress progress = {.cancel = cli_interrupt(), .on_take = on_take, .ctx = f};
    bool writes = opts_given(o, "take") || opts_given(o, "out");
    bool only_file = opts_given(o, "out") && str_same(opts_text(o, "out"), "-");
    enum err err = cli_engine(c, &engine);
    int code;
    if (err != ERR_OK) {
        code = cli_fail(c, STAGE_DEVICE, err);
    } else if ((err = engine_load(engine, opts_text(o, "model"), VERB_SUGGEST, &kind, &m)) != ERR_OK) {
        code = cli_fail(c, STAGE_MODEL, err);
    } else if ((err = engine_run(engine, opts_text(o, "model"), f->rq, &progress)) != ERR_OK) {
        code = cli_fail(c, err == ERR_UNSUPPORTED ? STAGE_INPUT : STAGE_WORK, err);
    } else if (f->n == 0) {
        cli_note(c, "nothing is likely to come there");
        code = EXIT_EMPTY;
    } else {
        if (!only_file)
            tell(c, f);
        code = writes ? write_chosen(c, f) : EXIT_OK;
    }
    engine_free(engine);
    return code;
}

static int run_suggest(struct cli *c)
{
    struct song *song = NULL;
    struct request rq;
    struct found *f = xcalloc(1, sizeof *f);
    f->rq = &rq;
    enum err err = cli_load_band(c, opts_arg(c->opts, 0), &song);
    int code = EXIT_OK;
    if (err != ERR_OK)
        code = cli_fail(c, STAGE_INPUT, err);
    else if ((err = read_request(c->opts, song, &rq)) != ERR_OK)
        code = cli_fail(c, STAGE_USAGE, err);
    else
        code = ask(c, f);
    for (int i = 0; i < f->n; i++)
        take_fini(&f->take[i]);
    free(f);
    song_free(song);
    return code;
}

static const struct opt options[] = {
    {"at", 'a', OPT_TEXT, 0, 0, NULL, NULL, "BAR.BEAT", "where, as 3.1 or 3.2.3; default: behind the track's last note"},
    {"track", 0, OPT_TEXT, 0, 0, NULL, NULL, "TRACK", "whose notes; default: the first of piano, guitar, strings, bass that has some"},
    {"n", 'n', OPT_INT, 1, MOST, "5", NULL, "N", "suggestions"},
    {"take", 0, OPT_INT, 1, MOST, "1", NULL, "N", "write a file with this one in it"},
    {"out", 'o', OPT_TEXT, 0, 0, NULL, NULL, "PATH", "that file, or -"},
    OPT_TAKES,
    {"key", 'k', OPT_TEXT, 0, 0, "auto", NULL, "KEY", "C, Am, \"F# minor\"; auto: from the notes"},
    {"strict", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "only pitches of the key's scale"},
    {"range", 0, OPT_TEXT, 0, 0, NULL, NULL, "LIST", "pitches of new notes: C2:C6, or for some tracks: bass=E1:G3"},
    {"seed", 's', OPT_INT, 0, 9223372036854775807.0, "0", NULL, "N", "where something is drawn, from this"},
    {"model", 'm', OPT_TEXT, 0, 0, NULL, NULL, "NAME", "weights by name or path; default: the best for the job"},
    OPT_DEVICE, OPT_COMMON,
};

const struct command cmd_suggest = {
    "suggest", "IN", "what could come next at a place of a track", OPTIONS_OF(options), 1, 1, run_suggest};
