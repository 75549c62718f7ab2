/* cmd_help.c: help and shell completion, both made from the tables of the commands. */
#include "cli.h"

#include <stdio.h>

static int run_help(struct cli *c)
{
    struct str text;
    str_init(&text);
    int code = EXIT_OK;
    if (opts_n_args(c->opts) == 0) {
        commands_overview(&text);
    } else {
        const struct command *cmd = command_find(opts_arg(c->opts, 0));
        if (cmd)
            command_help_text(cmd, &text);
        else
            code = cli_usage(c, "there is no command \"%s\"", opts_arg(c->opts, 0));
    }
    fputs(str_c(&text), stdout);
    str_fini(&text);
    return code;
}

static void add_options(struct str *out, const struct command *cmd)
{
    for (size_t i = 0; i < cmd->n_options; i++)
        str_addf(out, " --%s", cmd->options[i].name);
}

/* A word list per option with choices: `--format) words="wav flac"`. */
static void add_choices(struct str *out, const struct command *cmd)
{
    for (size_t i = 0; i < cmd->n_options; i++) {
        const struct opt *row = &cmd->options[i];
        if (row->type != OPT_ENUM)
            continue;
        str_addf(out, "    %s:--%s) words=\"", cmd->name, row->name);
        for (const char *at = row->choices; *at; at++)
            str_addc(out, *at == '|' ? ' ' : *at);
        str_add(out, "\" ;;\n");
    }
}

static int run_completion(struct cli *c)
{
    (void)c;
    struct str s;
    str_init(&s);
    str_add(&s, "# bash completion of jamroll, made by `jamroll completion`\n"
                "_jamroll() {\n"
                "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
                "    case ${COMP_WORDS[1]}:$before in\n");
    for (size_t i = 0; i < n_commands; i++)
        add_choices(&s, commands[i]);
    str_add(&s, "    esac\n"
                "    if [ -z \"$words\" ] && [ \"$COMP_CWORD\" -gt 1 ] && [[ $word == -* ]]; then\n"
                "        case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < n_commands; i++) {
        str_addf(&s, "        %s) words=\"", commands[i]->name);
        add_options(&s, commands[i]);
        str_add(&s, "\" ;;\n");
    }
    str_add(&s, "        esac\n    elif [ \"$COMP_CWORD\" = 1 ]; then\n        words=\"");
    for (size_t i = 0; i < n_commands; i++)
        str_addf(&s, " %s", commands[i]->name);
    str_add(&s, "\"\n    fi\n"
                "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\"; compgen -f -- \"$word\")\n"
                "}\n"
                "complete -o filenames -F _jamroll jamroll\n");
    fputs(str_c(&s), stdout);
    str_fini(&s);
    return EXIT_OK;
}

static const struct opt options[] = {OPT_COMMON};

const struct command cmd_help = {
    "help", "[COMMAND]", "what the commands are and how each is used", OPTIONS_OF(options), 0, 1, run_help};
const struct command cmd_completion = {
    "completion", "", "print completion for bash", OPTIONS_OF(options), 0, 0, run_completion};
