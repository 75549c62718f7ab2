/* opt.h: typed option tables. One row is one option of a command or a model: its long name, type,
 * range, default and help. The same rows parse argv and configuration text, print help, and feed the
 * man pages and completions. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "err.h"
struct str;

/* A list may be given more than once; its parts are joined by commas. */
enum opt_type { OPT_FLAG, OPT_INT, OPT_REAL, OPT_TEXT, OPT_LIST, OPT_ENUM };
struct opt {
    const char *name;       /* long name without dashes */
    char letter;            /* short form or 0 */
    enum opt_type type;
    double lo, hi;          /* OPT_INT, OPT_REAL */
    const char *preset;     /* default as text, or NULL */
    const char *choices;    /* OPT_ENUM: "a|b|c" */
    const char *arg, *help; /* placeholder in the help, one-line help */
};

/* Values parsed against a table; strings are owned. Lookup of an unknown name is a BUG. */
struct opts;
struct opts *opts_new(const struct opt *table, size_t n);
void opts_free(struct opts *o);
NODISCARD enum err opts_set(struct opts *o, const char *name, const char *value);
/* GNU style: options anywhere, "--name=value", "--name value", "-n 8", "--" ends them; what is left goes
 * to opts_arg. ERR_FORMAT (usage) with a text naming the option. */
NODISCARD enum err opts_parse(struct opts *o, int argc, char **argv);
int opts_n_args(const struct opts *o);
const char *opts_arg(const struct opts *o, int i);
bool opts_given(const struct opts *o, const char *name);
bool opts_flag(const struct opts *o, const char *name);
int64_t opts_int(const struct opts *o, const char *name);
double opts_real(const struct opts *o, const char *name);
const char *opts_text(const struct opts *o, const char *name); /* NULL when neither given nor preset */
const char *opt_placeholder(const struct opt *row);             /* of its value as shown; "" for a flag */
void opts_help(const struct opt *table, size_t n, struct str *out);
