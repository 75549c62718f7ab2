/* cmd_keys.c: keys and commands of the screen as the table of actions has them: for people, for the manual
 * and for other programs. One row a format. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "command.h"
#include "mdoc.h"

/* ---- formats: a head, a title a group, a row an action ---- */

static void text_group(struct str *out, const char *title)
{
    str_addf(out, "%s%s\n", out->len ? "\n" : "", title);
}

static void text_row(struct str *out, const struct action *a, const char *keys)
{
    str_addf(out, "  :%s%s%s%s%s\n      %s\n", a->name, a->args ? " " : "", a->args ? a->args : "",
             keys[0] ? "    " : "", keys, a->help);
}

/* Pipes part the cells of a Markdown table. */
static void put_cell(struct str *out, const char *text)
{
    for (; *text; text++)
        if (*text == '|')
            str_add(out, "\\|");
        else
            str_addc(out, *text);
}

static void md_group(struct str *out, const char *title)
{
    str_addf(out, "%s## %s\n\n| Keys | Command | |\n|---|---|---|\n", out->len ? "\n" : "", title);
}

static void md_row(struct str *out, const struct action *a, const char *keys)
{
    str_add(out, "| ");
    put_cell(out, keys);
    str_addf(out, " | `%s", a->name);
    if (a->args) {
        str_addc(out, ' ');
        put_cell(out, a->args);
    }
    str_add(out, "` | ");
    put_cell(out, a->help);
    str_add(out, " |\n");
}

static void man_group(struct str *out, const char *title)
{
    str_addf(out, "%s.Ss %s\n.Bl -tag -width Ds\n", out->len ? ".El\n" : "", title);
}

static void man_row(struct str *out, const struct action *a, const char *keys)
{
    str_add(out, ".It Ic ");
    mdoc_words(out, a->name);
    if (a->args) {
        str_add(out, " Ar ");
        mdoc_words(out, a->args);
    }
    str_addc(out, '\n');
    mdoc_line(out, a->help);
    if (keys[0]) {
        str_add(out, ".br\nKeys: ");
        mdoc_text(out, keys);
        str_addc(out, '\n');
    }
}

static const struct format {
    const char *name;
    void (*group)(struct str *out, const char *title);
    void (*row)(struct str *out, const struct action *a, const char *keys);
    const char *foot;
} formats[] = {
    {"text", text_group, text_row, ""},
    {"md", md_group, md_row, ""},
    {"man", man_group, man_row, ".El\n"},
};

static void print_table(const struct format *f, struct str *out)
{
    for (int g = 0; g < N_GROUPS; g++) {
        f->group(out, group_title((enum group)g));
        for (size_t i = 0; i < n_actions; i++) {
            struct str keys = {0};
            if (actions[i].group != (enum group)g)
                continue;
            command_all_keys(&actions[i], &keys);
            f->row(out, &actions[i], str_c(&keys));
            str_fini(&keys);
        }
    }
    str_add(out, f->foot);
}

/* ---- JSON: a row an action, its keys by column ---- */

static json_t *action_json(const struct action *a)
{
    json_t *keys = json_object();
    for (int c = 0; c < N_COLUMNS; c++) {
        struct str one = {0};
        command_keys(a, (enum keys)c, &one);
        if (one.len > 0)
            json_object_set_new(keys, keys_name((enum keys)c), json_text(str_c(&one)));
        str_fini(&one);
    }
    return json_pack("{s:s, s:s, s:o, s:i, s:i, s:o, s:s}", "name", a->name, "group", group_title(a->group),
                     "args", json_text(a->args), "min_args", a->min_args, "max_args", a->max_args, "keys",
                     keys, "help", a->help);
}

static int run_keys(struct cli *c)
{
    const char *name = opts_text(c->opts, "format");
    if (str_same(name, "json") && !c->json) {
        c->json = true;
        c->result = json_pack("{s:i, s:s}", "schema", JSON_SCHEMA, "command", c->command->name);
    }
    if (c->json) {
        json_t *list = json_array();
        for (size_t i = 0; i < n_actions; i++)
            json_array_append_new(list, action_json(&actions[i]));
        cli_set(c, "actions", list);
        return EXIT_OK;
    }
    struct str out = {0};
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        if (str_same(formats[i].name, name))
            print_table(&formats[i], &out);
    fputs(str_c(&out), stdout);
    str_fini(&out);
    return EXIT_OK;
}

static const struct opt options[] = {
    {"format", 'f', OPT_ENUM, 0, 0, "text", "text|md|man|json", "FORM",
     "plain text, Markdown, mdoc, or JSON"},
    OPT_COMMON,
};

const struct command cmd_keys = {"keys", "",      "keys and commands of the screen", OPTIONS_OF(options), 0,
                                 0,      run_keys};
