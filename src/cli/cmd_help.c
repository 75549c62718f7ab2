/* cmd_help.c: help, made from the tables of the commands and of the model families; as text, or in the
 * language of manual pages for the pages in man/. */
#include "cli.h"

#include <stdio.h>

#include "mdoc.h"

static const struct opt common[] = {OPT_COMMON};

/* What help can be asked about and is no command. */
static bool table_find(const char *name, const struct opt **table, size_t *n)
{
    const struct model_kind *kind = model_kind_find(name);
    *table = kind ? kind->options : str_same(name, "common") ? common : NULL;
    *n = kind ? kind->n_options : COUNT_OF(common);
    return *table != NULL;
}

static int help_on(struct cli *c, const char *name, struct str *out)
{
    bool mdoc = opts_flag(c->opts, "mdoc");
    const struct opt *table;
    size_t n;
    const struct command *cmd = str_same(name, "screen") ? &cmd_screen : command_find(name);
    if (cmd == &cmd_screen && mdoc)
        mdoc_options(out, cmd->options, cmd->n_options, false);
    else if (cmd)
        mdoc ? mdoc_command(out, cmd) : command_help_text(cmd, out);
    else if (table_find(name, &table, &n))
        mdoc ? mdoc_options(out, table, n, true) : opts_help(table, n, out);
    else
        return cli_usage(c, "there is no command \"%s\"", name);
    return EXIT_OK;
}

static int run_help(struct cli *c)
{
    struct str text = {0};
    int code = EXIT_OK;
    if (opts_n_args(c->opts) > 0)
        code = help_on(c, opts_arg(c->opts, 0), &text);
    else if (opts_flag(c->opts, "mdoc"))
        for (size_t i = 0; i < n_commands; i++)
            mdoc_command(&text, commands[i]);
    else
        commands_overview(&text);
    fputs(str_c(&text), stdout);
    str_fini(&text);
    return code;
}

static const struct opt options[] = {
    {"mdoc", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "in the language of manual pages"},
    OPT_COMMON,
};

const struct command cmd_help = {
    "help",  "[COMMAND|FAMILY]", "what the commands are and how each is used", OPTIONS_OF(options), 0, 1,
    run_help};
