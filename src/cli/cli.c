/* cli.c: the table of commands, and what is the same for all of them: parsing, help, exit codes, JSON. */
#include "cli.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "mem.h"
#include "midi.h"
#include "npz.h"
#include "session.h"
#include "verb.h"

const struct command *const commands[] = {
    &cmd_generate, &cmd_accompany, &cmd_infill,  &cmd_vary,    &cmd_interpolate, &cmd_continue, &cmd_transfer, &cmd_suggest,
    &cmd_render,   &cmd_play,      &cmd_info,    &cmd_lint,    &cmd_convert, &cmd_batch,   &cmd_keys,    &cmd_models,
    &cmd_dataset,  &cmd_train,     &cmd_eval,    &cmd_doctor,  &cmd_devices, &cmd_help,
    &cmd_completion,
};
const size_t n_commands = COUNT_OF(commands);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < n_commands; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

void command_help_text(const struct command *cmd, struct str *out)
{
    bool named = cmd != &cmd_screen;
    str_addf(out, "usage: jamroll%s%s [OPTIONS] %s\n\n%s\n\n", named ? " " : "", named ? cmd->name : "", cmd->args,
             cmd->help);
    opts_help(cmd->options, cmd->n_options, out);
}

void commands_overview(struct str *out)
{
    str_add(out, "usage: jamroll [FILE]              the screen\n"
                 "       jamroll COMMAND [OPTIONS]   one job and out; `jamroll help COMMAND` says more\n\n");
    for (size_t i = 0; i < n_commands; i++)
        str_addf(out, "  %-12s %s\n", commands[i]->name, commands[i]->help);
    str_add(out, "\n\"-\" is standard input or output. Exit codes: 0 ok, 1 failure, 2 usage, 3 bad input file,\n"
                 "4 model missing or unfit, 5 no audio, MIDI or compute device, 6 cannot write, 7 nothing to do or an\n"
                 "empty result, 130 interrupted.\n");
}

static int exit_code_of(enum stage stage, enum err err)
{
    static const int of_stage[] = {
        [STAGE_USAGE] = EXIT_USAGE, [STAGE_INPUT] = EXIT_INPUT,   [STAGE_MODEL] = EXIT_MODEL,
        [STAGE_WORK] = EXIT_FAILED, [STAGE_DEVICE] = EXIT_DEVICE, [STAGE_OUTPUT] = EXIT_OUTPUT,
    };
    switch (err) {
    case ERR_CANCELLED: return EXIT_INTERRUPTED;
    case ERR_EMPTY: return EXIT_EMPTY;
    case ERR_DEVICE: return EXIT_DEVICE;
    case ERR_NOMEM: return EXIT_FAILED;
    default: return of_stage[stage];
    }
}

static int report_failure(struct cli *c, int code, const char *text)
{
    fprintf(stderr, "jamroll: %s\n", text);
    cli_set(c, "error", json_text(text));
    return code;
}

enum err cli_engine(const struct cli *c, struct engine **out)
{
    enum precision p;
    TRY(precision_parse(opts_text(c->opts, "precision"), &p));
    TRY(engine_new(opts_text(c->opts, "device"), (int)opts_int(c->opts, "threads"), out));
    engine_set_precision(*out, p);
    return ERR_OK;
}

int cli_fail(struct cli *c, enum stage stage, enum err err)
{
    const char *text = err_text()[0] ? err_text() : err_name(err);
    return report_failure(c, exit_code_of(stage, err), text);
}

int cli_usage(struct cli *c, const char *fmt, ...)
{
    char text[300];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return report_failure(c, EXIT_USAGE, text);
}

void cli_note(const struct cli *c, const char *fmt, ...)
{
    if (c->quiet)
        return;
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

void cli_set(struct cli *c, const char *key, json_t *value)
{
    if (c->result)
        json_object_set_new(c->result, key, value);
    else
        json_decref(value);
}

json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (value)
        return value;
    struct str ascii; /* not UTF-8: names in old files often are not */
    str_init(&ascii);
    for (; *text; text++)
        str_addc(&ascii, (unsigned char)*text < 128 ? *text : '?');
    value = json_string(str_c(&ascii));
    str_fini(&ascii);
    return value;
}

static atomic_bool interrupted;

static void on_interrupt(int sig)
{
    atomic_store(&interrupted, true);
    signal(sig, SIG_DFL);
}

const atomic_bool *cli_interrupt(void)
{
    const struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL); /* a closed terminal must not leave notes hanging */
    return &interrupted;
}

/* The section a command was asked for, if it has that option; -1 = the whole chain. */
static enum err find_section(const struct cli *c, const struct session *s, int *out)
{
    bool has = false;
    *out = -1;
    for (size_t i = 0; i < c->command->n_options; i++)
        has |= str_same(c->command->options[i].name, "section");
    if (!has || !opts_given(c->opts, "section"))
        return ERR_OK;
    *out = session_find_section(s, opts_text(c->opts, "section"));
    return *out >= 0 ? ERR_OK : err_set(ERR_MISSING, "no section \"%s\" in it", opts_text(c->opts, "section"));
}

/* A project is opened by the session, whose file it is. */
static enum err load_project(const struct cli *c, const char *path, struct song **out, struct str *report)
{
    int section = -1;
    struct session *s = session_new();
    enum err err = session_open(s, path, report);
    if (err == ERR_OK)
        err = find_section(c, s, &section);
    if (err == ERR_OK)
        *out = session_written(s, section);
    session_free(s);
    return err;
}

enum err cli_load(struct cli *c, const char *path, struct song **out, struct str *report)
{
    struct midi_report midi = {0};
    struct str text;
    str_init(&text);
    enum err err;
    if (str_same(path_ext(path), ".jam"))
        err = load_project(c, path, out, &text);
    else if (str_same(path_ext(path), ".npz"))
        err = npz_load_song(path, out);
    else
        err = midi_load(path, out, &midi);
    str_add(&text, str_c(&midi.text));
    midi_report_fini(&midi);
    if (report)
        str_add(report, str_c(&text));
    else if (err == ERR_OK && text.len > 0)
        cli_note(c, "%s: %.*s", path, (int)(text.len - (text.p[text.len - 1] == '\n')), text.p);
    str_fini(&text);
    return err;
}

enum err cli_load_band(struct cli *c, const char *path, struct song **band)
{
    struct song *song = NULL;
    TRY(cli_load(c, path, &song, NULL));
    enum err err = role_band(song, band);
    song_free(song);
    return err;
}

char *cli_name_for(const struct cli *c)
{
    const char *path = opts_arg(c->opts, 0);
    char *base = path_with_ext(str_same(path, "-") ? "jamroll" : path_base(path), "");
    struct str name = {0};
    str_addf(&name, "%s-%s.mid", base, c->command->name);
    free(base);
    return str_take(&name);
}

char *cli_free_name(const char *wanted)
{
    char *name = xstrdup(wanted);
    for (int i = 2; file_exists(name); i++) {
        struct str s;
        str_init(&s);
        str_addf(&s, "%.*s-%d%s", (int)(strlen(wanted) - strlen(path_ext(wanted))), wanted, i, path_ext(wanted));
        free(name);
        name = str_take(&s);
    }
    return name;
}

static int run_command(struct cli *c, int argc, char **argv)
{
    const struct command *cmd = c->command;
    enum err err = opts_parse(c->opts, argc, argv);
    c->json = opts_flag(c->opts, "json");
    c->quiet = opts_flag(c->opts, "quiet");
    if (err == ERR_OK && opts_flag(c->opts, "help")) {
        struct str help;
        str_init(&help);
        command_help_text(cmd, &help);
        fputs(str_c(&help), stdout);
        str_fini(&help);
        return EXIT_OK;
    }
    if (c->json)
        c->result = json_pack("{s:i, s:s}", "schema", JSON_SCHEMA, "command", cmd->name);
    if (c->quiet)
        log_level(LOG_ERROR);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_USAGE, err);
    int n = opts_n_args(c->opts);
    if (n < cmd->min_args || (cmd->max_args >= 0 && n > cmd->max_args))
        return cli_usage(c, "%s takes %s; see `jamroll help %s`", cmd->name, cmd->args[0] ? cmd->args : "no arguments",
                         cmd->name);
    return cmd->run(c);
}

static void print_fraction(void *ctx, double fraction)
{
    (void)ctx;
    fprintf(stderr, "\r%3.0f %%\r", floor(fraction * 100));
}

progress_fn *cli_progress(const struct cli *c)
{
    return !c->quiet && isatty(STDERR_FILENO) ? print_fraction : NULL;
}

static int print_result(struct cli *c, int code)
{
    if (c->result) {
        json_object_set_new(c->result, "exit", json_integer(code));
        json_dumpf(c->result, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        fputc('\n', stdout);
        json_decref(c->result);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "jamroll: cannot write to standard output: %s\n", strerror(errno));
        return code == EXIT_OK ? EXIT_OUTPUT : code;
    }
    return code;
}

static int run_row(const struct command *cmd, int argc, char **argv)
{
    struct cli c = {.command = cmd, .opts = opts_new(cmd->options, cmd->n_options)};
    int code = print_result(&c, run_command(&c, argc, argv));
    opts_free(c.opts);
    return code;
}

/* The first word is a command, or the screen's file or option. */
int cli_main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a write that fails, with a sentence of its own */
    const char *first = argc > 1 ? argv[1] : "";
    if (strcmp(first, "--version") == 0) {
        puts("jamroll " JAMROLL_VERSION);
        return EXIT_OK;
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        return run_row(&cmd_help, 0, NULL);
    const struct command *cmd = command_find(first);
    if (cmd)
        return run_row(cmd, argc - 2, argv + 2);
    if (argc > 1 && first[0] != '-' && !file_exists(first) && !strpbrk(first, "./")) {
        fprintf(stderr, "jamroll: there is neither a command nor a file called \"%s\"; see `jamroll help`\n", first);
        return EXIT_USAGE;
    }
    return run_row(&cmd_screen, argc - 1, argv + 1);
}
