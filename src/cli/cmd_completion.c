/* cmd_completion.c: completion for bash, zsh and fish, made from the tables of the commands, so that it
 * knows what this very program knows. One row a shell. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

/* ---- bash: word lists by command, and by option where there are choices ---- */

static void bash_choices(struct str *out, const struct command *cmd)
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

static void bash(struct str *s)
{
    str_add(s, "# bash completion of jamroll, made by `jamroll completion bash`\n"
               "_jamroll() {\n"
               "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
               "    case ${COMP_WORDS[1]}:$before in\n");
    for (size_t i = 0; i < n_commands; i++)
        bash_choices(s, commands[i]);
    str_add(s, "    esac\n"
               "    if [ -z \"$words\" ] && [ \"$COMP_CWORD\" -gt 1 ] && [[ $word == -* ]]; then\n"
               "        case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < n_commands; i++) {
        str_addf(s, "        %s) words=\"", commands[i]->name);
        for (size_t k = 0; k < commands[i]->n_options; k++)
            str_addf(s, " --%s", commands[i]->options[k].name);
        str_add(s, "\" ;;\n");
    }
    str_add(s, "        esac\n    elif [ \"$COMP_CWORD\" = 1 ]; then\n        words=\"");
    for (size_t i = 0; i < n_commands; i++)
        str_addf(s, " %s", commands[i]->name);
    for (size_t i = 0; i < cmd_screen.n_options; i++)
        str_addf(s, " --%s", cmd_screen.options[i].name);
    str_add(s, "\"\n    fi\n"
               "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\"; compgen -f -- \"$word\")\n"
               "}\n"
               "complete -o filenames -F _jamroll jamroll\n");
}

/* `text` within '...', with a backslash before every character of `escape`. */
static void put_quoted(struct str *out, const char *text, const char *escape)
{
    for (; *text; text++) {
        if (strchr(escape, *text))
            str_addc(out, '\\');
        if (*text == '\'')
            str_add(out, "'\\''");
        else
            str_addc(out, *text);
    }
}

/* ---- zsh: _arguments with a description an option ---- */

static void zsh_value(struct str *s, const struct opt *row)
{
    if (row->type == OPT_FLAG)
        return;
    str_addc(s, ':');
    put_quoted(s, row->type == OPT_ENUM ? row->name : opt_placeholder(row), ":\\");
    if (row->type == OPT_ENUM) {
        str_add(s, ":(");
        for (const char *at = row->choices; *at; at++)
            str_addc(s, *at == '|' ? ' ' : *at);
        str_addc(s, ')');
    } else {
        str_add(s, row->type == OPT_TEXT ? ":_files" : ": ");
    }
}

static void zsh_options(struct str *s, const struct command *cmd)
{
    for (size_t i = 0; i < cmd->n_options; i++) {
        const struct opt *row = &cmd->options[i];
        const char *equals = row->type == OPT_FLAG ? "" : "=";
        if (row->letter)
            str_addf(s, " \\\n            '(-%c --%s)'{-%c%s,--%s%s}'[", row->letter, row->name, row->letter,
                     row->type == OPT_FLAG ? "" : "+", row->name, equals);
        else
            str_addf(s, " \\\n            '--%s%s[", row->name, equals);
        put_quoted(s, row->help, "[]:\\");
        str_addc(s, ']');
        zsh_value(s, row);
        str_addc(s, '\'');
    }
    str_add(s, " \\\n            '*:file:_files'\n");
}

static void zsh(struct str *s)
{
    str_add(s, "#compdef jamroll\n# zsh completion of jamroll, made by `jamroll completion zsh`\n"
               "_jamroll() {\n"
               "    local -a commands=(\n");
    for (size_t i = 0; i < n_commands; i++) {
        str_addf(s, "        '%s:", commands[i]->name);
        put_quoted(s, commands[i]->help, ":\\");
        str_add(s, "'\n");
    }
    str_add(s, "    )\n"
               "    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
               "        _describe command commands\n"
               "        _files\n"
               "        return\n"
               "    fi\n"
               "    case $words[2] in\n");
    for (size_t i = 0; i < n_commands; i++) {
        str_addf(s, "    %s)\n        shift words; (( CURRENT-- ))\n        _arguments -s",
                 commands[i]->name);
        zsh_options(s, commands[i]);
        str_add(s, "        ;;\n");
    }
    str_add(s, "    *)\n        _arguments -s");
    zsh_options(s, &cmd_screen);
    str_add(s,
            "        ;;\n    esac\n}\n"
            "if [[ $funcstack[1] == _jamroll ]]; then _jamroll \"$@\"; else compdef _jamroll jamroll; fi\n");
}

/* ---- fish: a line an option ---- */

static void fish_options(struct str *s, const struct command *cmd, const char *when)
{
    for (size_t i = 0; i < cmd->n_options; i++) {
        const struct opt *row = &cmd->options[i];
        str_addf(s, "complete -c jamroll -n '%s%s' -l %s", when, cmd == &cmd_screen ? "" : cmd->name,
                 row->name);
        if (row->letter)
            str_addf(s, " -s %c", row->letter);
        if (row->type == OPT_ENUM) {
            str_add(s, " -x -a '");
            for (const char *at = row->choices; *at; at++)
                str_addc(s, *at == '|' ? ' ' : *at);
            str_addc(s, '\'');
        } else if (row->type != OPT_FLAG) {
            str_add(s, row->type == OPT_TEXT ? " -r" : " -x");
        }
        str_add(s, " -d '");
        put_quoted(s, row->help, "\\");
        str_add(s, "'\n");
    }
}

static void fish(struct str *s)
{
    str_add(s, "# fish completion of jamroll, made by `jamroll completion fish`\n");
    for (size_t i = 0; i < n_commands; i++) {
        str_addf(s, "complete -c jamroll -n __fish_use_subcommand -a %s -d '", commands[i]->name);
        put_quoted(s, commands[i]->help, "\\");
        str_add(s, "'\n");
    }
    fish_options(s, &cmd_screen, "__fish_use_subcommand");
    for (size_t i = 0; i < n_commands; i++)
        fish_options(s, commands[i], "__fish_seen_subcommand_from ");
}

static int run_completion(struct cli *c)
{
    static const struct {
        const char *name;
        void (*print)(struct str *out);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    const char *name = opts_n_args(c->opts) > 0 ? opts_arg(c->opts, 0) : "bash";
    for (size_t i = 0; i < COUNT_OF(shells); i++) {
        struct str s = {0};
        if (!str_same(shells[i].name, name))
            continue;
        shells[i].print(&s);
        fputs(str_c(&s), stdout);
        str_fini(&s);
        return EXIT_OK;
    }
    return cli_usage(c, "there is completion for bash, zsh and fish, not for \"%s\"", name);
}

static const struct opt options[] = {OPT_COMMON};

const struct command cmd_completion = {
    "completion",  "[bash|zsh|fish]", "print completion for a shell; default bash", OPTIONS_OF(options), 0, 1,
    run_completion};
