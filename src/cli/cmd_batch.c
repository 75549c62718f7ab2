/* cmd_batch.c: the commands of the screen's prompt from a file, without a terminal. One desk, as on the
 * screen, but with doors that answer at once: a request is waited for, an export is rendered in place. There
 * is no cursor to see, so commands on notes mean the selection or the whole song. The first error ends it. */
#include "cli.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "file.h"
#include "mem.h"
#include "rc.h"
#include "stem.h"
#include "verb.h"
#include "wav.h"

enum { SCRIPT_MAX_BYTES = 16 << 20 };

struct batch {
    struct cli *c;
    struct desk desk;
    struct engine *engine; /* made for the first request */
    const char *name; /* of the script, for messages */
    char said[512]; /* by a door, instead of the desk's message */
    bool ended; /* by quit */
};

/* ---- doors ---- */

static enum err door_submit(void *ctx, const char *model, const struct request *rq, int *job)
{
    struct batch *b = ctx;
    if (!b->engine)
        TRY(cli_engine(b->c, &b->engine));
    return engine_submit(b->engine, model, rq, job);
}

static void door_cancel(void *ctx, int job)
{
    struct batch *b = ctx;
    engine_cancel(b->engine, job);
}

static bool on_render(void *ctx, double fraction)
{
    (void)ctx, (void)fraction;
    return !atomic_load(cli_interrupt());
}

static enum err door_render(void *ctx, const struct song *song, const struct render_opts *how, const char *path)
{
    struct batch *b = ctx;
    struct render_opts o = *how;
    struct render_report report = {0};
    o.on_progress = on_render;
    TRY(render_file(song, &o, path, &report));
    str_format(b->said, sizeof b->said, "wrote %s: %.1f s, peak %.1f dB", path, report.seconds,
               report.peak_db);
    return ERR_OK;
}

static enum err door_render_stems(void *ctx, const struct song *song, const char *path)
{
    struct batch *b = ctx;
    struct render_opts o;
    struct render_report report = {0};
    int n = 0;
    render_opts_init(&o);
    o.on_progress = on_render;
    TRY(stems_render(song, &o, path, &report, &n));
    str_format(b->said, sizeof b->said, "wrote %d stems of %s: peak %.1f dB", n, path, report.peak_db);
    return ERR_OK;
}

/* ---- one line ---- */

static bool asked(const struct desk *d)
{
    return d->job >= 0 || d->suggest.job >= 0;
}

/* Until the job's last event: takes go to the desk as they come, Ctrl-C cancels. */
static enum err wait_for_band(struct batch *b)
{
    struct desk *d = &b->desk;
    struct event ev;
    bool takes = d->job >= 0;
    while (asked(d)) {
        struct pollfd fd = {engine_fd(b->engine), POLLIN, 0};
        poll(&fd, 1, 100);
        if (atomic_load(cli_interrupt()))
            engine_cancel(b->engine, -1);
        while (engine_next(b->engine, &ev)) {
            bool mine = ev.job == d->job || ev.job == d->suggest.job;
            enum err err = ERR_OK;
            if (mine && ev.kind == EVENT_FAILED)
                err = err_set(ERR_UNSUPPORTED, "%s", ev.text ? ev.text : "the model failed");
            else if (mine && ev.kind == EVENT_CANCELLED)
                err = err_set(ERR_CANCELLED, "interrupted");
            desk_event(d, &ev);
            event_fini(&ev);
            TRY(err);
        }
    }
    return takes && d->job_got > 0 && d->job_empty == d->job_got ? err_set(ERR_EMPTY, "every take has an empty track")
                                                                 : ERR_OK;
}

/* What a failing command was about decides the exit code. */
static enum stage stage_of(const struct action *a)
{
    static const struct {
        const char *name;
        enum stage stage;
    } rows[] = {
        {"open", STAGE_INPUT},        {"save", STAGE_OUTPUT},   {"midi", STAGE_OUTPUT},
        {"export", STAGE_OUTPUT},     {"render", STAGE_OUTPUT}, {"stems", STAGE_OUTPUT},
        {"model", STAGE_MODEL},       {"genre", STAGE_MODEL},   {"generate", STAGE_MODEL},
        {"suggest", STAGE_MODEL},
        {"accompany", STAGE_MODEL},   {"infill", STAGE_MODEL},  {"again", STAGE_MODEL},
        {"play", STAGE_DEVICE},       {"cue", STAGE_DEVICE},    {"rewind", STAGE_DEVICE},
        {"play-start", STAGE_DEVICE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_same(a->name, rows[i].name))
            return rows[i].stage;
    return STAGE_USAGE;
}

static void serve_want(struct batch *b)
{
    enum want want = b->desk.want;
    struct str text = {0};
    b->desk.want = WANT_NOTHING;
    if (want == WANT_QUIT || want == WANT_ASK_QUIT)
        b->ended = true;
    else if (want == WANT_HELP)
        command_help(80, &text);
    else if (want == WANT_REPORT)
        str_add(&text, str_c(&b->desk.report));
    if (text.len > 0 && !b->c->json)
        fputs(str_c(&text), stdout);
    str_fini(&text);
}

static int run_line(struct batch *b, int number, const char *line, json_t *said)
{
    struct desk *d = &b->desk;
    const struct action *a = NULL;
    enum stage stage = STAGE_USAGE;
    d->message[0] = b->said[0] = '\0';
    enum err err = command_action(line, &a);
    if (err == ERR_OK && a) {
        err = command_run(d, line);
        /* A name without the right ending is a slip of the script, not of the disk. */
        stage = err == ERR_FORMAT && str_same(a->name, "export") ? STAGE_USAGE : stage_of(a);
    }
    if (err == ERR_OK && asked(d))
        err = wait_for_band(b);
    if (err != ERR_OK) {
        err_prefix("%s:%d", b->name, number);
        return cli_fail(b->c, stage, err);
    }
    serve_want(b);
    const char *text = b->said[0] ? b->said : d->message;
    if (text[0]) {
        cli_note(b->c, "%s", text);
        json_array_append_new(said, json_pack("{s:i, s:o}", "line", number, "text", json_text(text)));
    }
    return EXIT_OK;
}

/* ---- the script ---- */

static int run_lines(struct batch *b, char *text)
{
    json_t *said = json_array();
    char *rest = text, *line;
    int code = EXIT_OK, n = 0;
    while (code == EXIT_OK && !b->ended && (line = str_split(&rest, '\n'))) {
        size_t len = strlen(line);
        if (len > 0 && line[len - 1] == '\r')
            line[len - 1] = '\0';
        if (atomic_load(cli_interrupt())) {
            (void)err_set(ERR_CANCELLED, "%s:%d: interrupted", b->name, n + 1);
            code = cli_fail(b->c, STAGE_WORK, ERR_CANCELLED);
        } else {
            code = run_line(b, ++n, line, said);
        }
    }
    cli_set(b->c, "lines", json_integer(n));
    cli_set(b->c, "messages", said);
    return code;
}

static enum err read_script(const char *path, char **out)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    TRY(file_read(path, SCRIPT_MAX_BYTES, &bytes, &len));
    enum err err = len > 0 && memchr(bytes, '\0', len) ? err_set(ERR_FORMAT, "%s is no text", path) : ERR_OK;
    if (err == ERR_OK)
        *out = xstrndup((const char *)bytes, len);
    free(bytes);
    return err;
}

static void open_desk(struct batch *b)
{
    struct desk *d = &b->desk;
    struct model_info *list = NULL;
    struct words problems = {0};
    size_t n = 0;
    desk_init(d);
    if (models_list(&list, &n) != ERR_OK)
        words_add(&problems, err_text());
    desk_models(d, list, n);
    if (!opts_flag(b->c->opts, "no-rc"))
        rc_run(d, NULL, &problems);
    for (size_t i = 0; i < problems.n; i++)
        cli_note(b->c, "jamroll: %s", problems.at[i]);
    words_fini(&problems);
    d->whole = true;
    d->doors = (struct doors){.ctx = b,
                              .submit = door_submit,
                              .cancel = door_cancel,
                              .render = door_render,
                              .render_stems = door_render_stems};
}

static int run_batch(struct cli *c)
{
    const char *path = opts_n_args(c->opts) > 0 ? opts_arg(c->opts, 0) : "-";
    struct batch b = {.c = c, .name = str_same(path, "-") ? "stdin" : path};
    char *text = NULL;
    enum err err = read_script(path, &text);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_INPUT, err);
    (void)cli_interrupt();
    open_desk(&b);
    int code = run_lines(&b, text);
    if (b.engine)
        engine_free(b.engine);
    desk_fini(&b.desk);
    free(text);
    return code;
}

static const struct opt options[] = {
    {"no-rc", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "without the user's rc file"},
    OPT_DEVICE,
    OPT_COMMON,
};

const struct command cmd_batch = {
    "batch", "[SCRIPT]", "the screen's commands from a file or standard input", OPTIONS_OF(options), 0,
    1,       run_batch};
