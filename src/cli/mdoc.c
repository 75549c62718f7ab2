/* mdoc.c: see mdoc.h. Whatever the tables say is text: nothing in it may be taken for a macro. */
#include "mdoc.h"

#include <string.h>

#include "cli.h"

/* Hyphens and accents are kept as typed; a backslash begins an escape. */
void mdoc_text(struct str *out, const char *text)
{
    static const struct {
        char c;
        const char *as;
    } signs[] = {{'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"},
                 {'`', "\\(ga"}, {'^', "\\(ha"}, {'~', "\\(ti"}};
    for (; *text; text++) {
        const char *as = NULL;
        for (size_t i = 0; i < COUNT_OF(signs); i++)
            as = signs[i].c == *text ? signs[i].as : as;
        if (as)
            str_add(out, as);
        else
            str_addc(out, *text);
    }
}

void mdoc_line(struct str *out, const char *text)
{
    if (*text == '.')
        str_add(out, "\\&");
    mdoc_text(out, text);
    str_addc(out, '\n');
}

/* A word that could be a macro or punctuation of one is made plain. */
void mdoc_words(struct str *out, const char *text)
{
    bool start = true;
    for (; *text; text++) {
        char one[2] = {*text, '\0'};
        if (start && *text != ' ')
            str_add(out, "\\&");
        start = *text == ' ';
        if (*text == '"')
            str_add(out, "\\(dq");
        else
            mdoc_text(out, one);
    }
}

static void option_head(struct str *out, const struct opt *row)
{
    const char *arg = opt_placeholder(row);
    str_add(out, ".It ");
    if (row->letter)
        str_addf(out, "Fl %c , ", row->letter);
    str_add(out, "Fl \\-");
    mdoc_text(out, row->name);
    if (arg[0]) {
        str_add(out, " Ar ");
        mdoc_words(out, arg);
    }
    str_addc(out, '\n');
}

static bool is_common(const struct opt *row)
{
    static const struct opt common[] = {OPT_COMMON};
    for (size_t i = 0; i < COUNT_OF(common); i++)
        if (str_same(common[i].name, row->name))
            return true;
    return false;
}

void mdoc_options(struct str *out, const struct opt *table, size_t n, bool common)
{
    size_t start = out->len;
    for (size_t i = 0; i < n; i++) {
        const struct opt *row = &table[i];
        struct str help = {0};
        if (!common && is_common(row))
            continue;
        if (out->len == start)
            str_add(out, ".Bl -tag -width Ds -compact\n");
        option_head(out, row);
        str_add(&help, row->help ? row->help : "");
        if (row->type == OPT_ENUM)
            str_addf(&help, " (%s)", row->choices);
        if (row->preset && row->type != OPT_FLAG)
            str_addf(&help, " [%s]", row->preset);
        mdoc_line(out, str_c(&help));
        str_fini(&help);
    }
    if (out->len > start)
        str_add(out, ".El\n");
}

void mdoc_command(struct str *out, const struct command *cmd)
{
    str_addf(out, ".Ss %s\n.Nm jamroll\n.Cm %s\n.Op Ar options\n", cmd->name, cmd->name);
    if (cmd->args[0]) {
        str_add(out, ".Ar ");
        mdoc_words(out, cmd->args);
        str_addc(out, '\n');
    }
    str_add(out, ".Pp\n");
    mdoc_line(out, cmd->help);
    struct str list = {0};
    mdoc_options(&list, cmd->options, cmd->n_options, false);
    str_addf(out, "%s%s", list.len ? ".Pp\n" : "", str_c(&list));
    str_fini(&list);
}
