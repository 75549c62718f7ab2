/* opt.c: option tables and the values parsed against them.
 *
 * Every value is checked when it is set, presets included, so that reading one cannot fail. A preset
 * that its own row refuses is a bug of the table. */
#include "opt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "str.h"

struct value {
    char *text; /* NULL: neither given nor preset */
    int64_t whole;
    double real;
    bool given;
};

struct opts {
    const struct opt *table;
    size_t n;
    struct value *values; /* one a row */
    char **args;
    size_t n_args, cap_args;
};

static const struct opt *find(const struct opts *o, const char *name, size_t len)
{
    for (size_t i = 0; i < o->n; i++)
        if (strlen(o->table[i].name) == len && memcmp(o->table[i].name, name, len) == 0)
            return &o->table[i];
    return NULL;
}

static const struct opt *find_letter(const struct opts *o, char letter)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->table[i].letter == letter)
            return &o->table[i];
    return NULL;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t len = strlen(value);
    for (const char *at = choices; *at;) {
        size_t n = strcspn(at, "|");
        if (n == len && memcmp(at, value, n) == 0)
            return true;
        at += n + (at[n] == '|');
    }
    return false;
}

static enum err parse_flag(const char *text, int64_t *out)
{
    static const char *const words[2][4] = {{"0", "no", "off", "false"}, {"1", "yes", "on", "true"}};
    for (int v = 0; v < 2; v++)
        for (size_t i = 0; i < COUNT_OF(words[v]); i++)
            if (str_same(text, words[v][i])) {
                *out = v;
                return ERR_OK;
            }
    return err_set(ERR_FORMAT, "\"%.40s\" is neither on nor off", text);
}

static enum err value_set(const struct opt *row, struct value *v, const char *text)
{
    switch (row->type) {
    case OPT_FLAG:
        TRY(parse_flag(text, &v->whole));
        break;
    case OPT_INT:
        TRY(parse_int(text, row->lo < -9e18 ? INT64_MIN : (int64_t)row->lo,
                      row->hi > 9e18 ? INT64_MAX : (int64_t)row->hi, &v->whole));
        break;
    case OPT_REAL:
        TRY(parse_double(text, row->lo, row->hi, &v->real));
        break;
    case OPT_ENUM:
        if (!is_choice(row->choices, text))
            return err_set(ERR_FORMAT, "\"%.40s\" is not one of %s", text, row->choices);
        break;
    case OPT_TEXT:
    case OPT_LIST:
        break;
    }
    char *copy = xstrdup(text); /* first the copy: the text may be the old value itself */
    free(v->text);
    v->text = copy;
    return ERR_OK;
}

static enum err row_set(struct opts *o, const struct opt *row, const char *text)
{
    struct value *v = &o->values[row - o->table];
    struct str all;
    str_init(&all);
    if (row->type == OPT_LIST && v->given)
        str_addf(&all, "%s,", v->text);
    str_add(&all, text);
    enum err err = value_set(row, v, str_c(&all));
    str_fini(&all);
    if (err != ERR_OK) {
        err_prefix("--%s", row->name);
        return ERR_FORMAT;
    }
    v->given = true;
    return ERR_OK;
}

struct opts *opts_new(const struct opt *table, size_t n)
{
    struct opts *o = xcalloc(1, sizeof *o);
    o->table = table;
    o->n = n;
    o->values = xcalloc(n, sizeof *o->values);
    for (size_t i = 0; i < n; i++)
        BUG_ON(table[i].preset && value_set(&table[i], &o->values[i], table[i].preset) != ERR_OK);
    return o;
}

void opts_free(struct opts *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->n; i++)
        free(o->values[i].text);
    for (size_t i = 0; i < o->n_args; i++)
        free(o->args[i]);
    free(o->args);
    free(o->values);
    free(o);
}

enum err opts_set(struct opts *o, const char *name, const char *value)
{
    const struct opt *row = find(o, name, strlen(name));
    if (!row)
        return err_set(ERR_FORMAT, "no option is called \"%.40s\"", name);
    return row_set(o, row, value);
}

static void add_arg(struct opts *o, const char *text)
{
    o->args = xgrow(o->args, o->n_args, &o->cap_args, sizeof *o->args);
    o->args[o->n_args++] = xstrdup(text);
}

/* "--name", "--name=value", "--name value", "--no-flag"; *i moves over a value of its own. */
static enum err parse_long(struct opts *o, const char *text, int argc, char **argv, int *i)
{
    size_t len = strcspn(text, "=");
    const struct opt *row = find(o, text, len);
    if (!row && text[len] == '\0' && str_starts(text, "no-")) {
        row = find(o, text + 3, len - 3);
        if (row && row->type == OPT_FLAG)
            return row_set(o, row, "off");
        row = NULL;
    }
    if (!row)
        return err_set(ERR_FORMAT, "unknown option --%.*s", (int)(len < 40 ? len : 40), text);
    if (text[len] == '=')
        return row_set(o, row, text + len + 1);
    if (row->type == OPT_FLAG)
        return row_set(o, row, "on");
    if (*i + 1 >= argc)
        return err_set(ERR_FORMAT, "--%s needs a value", row->name);
    return row_set(o, row, argv[++*i]);
}

/* "-q", "-qn8", "-n 8": flags may be joined, and the first option with a value takes the rest. */
static enum err parse_short(struct opts *o, const char *text, int argc, char **argv, int *i)
{
    for (; *text; text++) {
        const struct opt *row = find_letter(o, *text);
        if (!row)
            return err_set(ERR_FORMAT, "unknown option -%c", *text);
        if (row->type == OPT_FLAG) {
            TRY(row_set(o, row, "on"));
            continue;
        }
        if (text[1])
            return row_set(o, row, text + 1);
        if (*i + 1 >= argc)
            return err_set(ERR_FORMAT, "-%c needs a value", *text);
        return row_set(o, row, argv[++*i]);
    }
    return ERR_OK;
}

enum err opts_parse(struct opts *o, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        const char *text = argv[i];
        if (str_same(text, "--")) {
            while (++i < argc)
                add_arg(o, argv[i]);
        } else if (str_starts(text, "--")) {
            TRY(parse_long(o, text + 2, argc, argv, &i));
        } else if (text[0] == '-' && text[1]) {
            TRY(parse_short(o, text + 1, argc, argv, &i));
        } else {
            add_arg(o, text);
        }
    }
    return ERR_OK;
}

int opts_n_args(const struct opts *o)
{
    return (int)o->n_args;
}

const char *opts_arg(const struct opts *o, int i)
{
    BUG_ON(i < 0 || (size_t)i >= o->n_args);
    return o->args[i];
}

static const struct value *value_of(const struct opts *o, const char *name)
{
    const struct opt *row = find(o, name, strlen(name));
    BUG_ON(!row);
    return &o->values[row - o->table];
}

bool opts_given(const struct opts *o, const char *name)
{
    return value_of(o, name)->given;
}

bool opts_flag(const struct opts *o, const char *name)
{
    return value_of(o, name)->whole != 0;
}

int64_t opts_int(const struct opts *o, const char *name)
{
    return value_of(o, name)->whole;
}

double opts_real(const struct opts *o, const char *name)
{
    return value_of(o, name)->real;
}

const char *opts_text(const struct opts *o, const char *name)
{
    return value_of(o, name)->text;
}

const char *opt_placeholder(const struct opt *row)
{
    static const char *const usual[] = {
        [OPT_FLAG] = "", [OPT_INT] = "N", [OPT_REAL] = "X", [OPT_TEXT] = "TEXT", [OPT_LIST] = "LIST", [OPT_ENUM] = "WORD"};
    if (row->type == OPT_FLAG)
        return "";
    return row->arg ? row->arg : row->type == OPT_ENUM && strlen(row->choices) < 20 ? row->choices : usual[row->type];
}

void opts_help(const struct opt *table, size_t n, struct str *out)
{
    enum { COLUMN = 28 };
    for (size_t i = 0; i < n; i++) {
        const struct opt *row = &table[i];
        size_t start = out->len;
        if (row->letter)
            str_addf(out, "  -%c, ", row->letter);
        else
            str_add(out, "      ");
        str_addf(out, "--%s%s%s", row->name, row->type == OPT_FLAG ? "" : " ", opt_placeholder(row));
        if (out->len - start >= COLUMN) {
            str_addc(out, '\n');
            start = out->len;
        }
        while (out->len - start < COLUMN)
            str_addc(out, ' ');
        str_add(out, row->help ? row->help : "");
        if (row->type == OPT_ENUM && strcmp(opt_placeholder(row), row->choices) != 0)
            str_addf(out, " (%s)", row->choices);
        if (row->preset && row->type != OPT_FLAG)
            str_addf(out, " [%s]", row->preset);
        str_addc(out, '\n');
    }
}
