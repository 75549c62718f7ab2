/* main.c: the only file with main, and the only one that knows both front ends: commands run in cli/, the
 * row without a name is the screen. */
#include <unistd.h>

#include "cli/cli.h"
#include "file.h"
#include "tui/tui.h"

static int run_screen(struct cli *c)
{
    struct opts *o = c->opts;
    const char *path = opts_n_args(o) > 0 ? opts_arg(o, 0) : NULL;
    enum precision precision;
    if (precision_parse(opts_text(o, "precision"), &precision) != ERR_OK)
        return cli_usage(c, "%s", err_text());
    const struct tui_opts screen = {
        .device = opts_text(o, "device"),
        .precision = precision,
        .threads = (int)opts_int(o, "threads"),
        .model = opts_text(o, "model"),
        .audio = opts_text(o, "audio"),
        .ascii = opts_flag(o, "ascii"),
        .no_color = opts_flag(o, "no-color"),
        .no_mouse = opts_flag(o, "no-mouse"),
        .recover = opts_flag(o, "recover"),
    };
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        (void)err_set(ERR_UNSUPPORTED, "the screen needs a terminal; `jamroll help` lists the commands that do not");
        return cli_fail(c, STAGE_WORK, ERR_UNSUPPORTED);
    }
    if (path && !file_exists(path)) {
        (void)err_set(ERR_MISSING, "there is no file %s", path);
        return cli_fail(c, STAGE_INPUT, ERR_MISSING);
    }
    enum err err = tui_run(path, &screen);
    return err == ERR_OK ? EXIT_OK : cli_fail(c, path ? STAGE_INPUT : STAGE_WORK, err);
}

static const struct opt options[] = {
    {"model", 'm', OPT_TEXT, 0, 0, NULL, NULL, "NAME", "weights by name or path; default: the best"},
    {"audio", 0, OPT_TEXT, 0, 0, NULL, NULL, "DRIVER", "pulseaudio, alsa, ...; none: silence"},
    {"ascii", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "draw with ASCII alone"},
    {"no-color", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "one colour"},
    {"no-mouse", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "leave the mouse to the terminal"},
    {"recover", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "take up what was not saved when the program last died"},
    OPT_DEVICE, OPT_COMMON,
};

const struct command cmd_screen = {"screen", "[FILE]", "the screen", OPTIONS_OF(options), 0, 1, run_screen};

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
