/* command.h: the one table of actions. Keys, footer, `?` help, pop-ups of prefix keys, the `:` prompt with
 * its completion, batch scripts and the manual all come from its rows, so they cannot disagree. */
#pragma once
#include "desk.h"
#include "str.h"

enum group { GROUP_PLAY, GROUP_MOVE, GROUP_EDIT, GROUP_STEP, GROUP_BAND, GROUP_TAKES, GROUP_FORM, GROUP_FILE,
             GROUP_PROGRAM, N_GROUPS };
const char *group_title(enum group g);

enum complete { COMPLETE_NONE, COMPLETE_FILE, COMPLETE_GENRE, COMPLETE_STYLE, COMPLETE_TRANSFER, COMPLETE_MODEL, COMPLETE_KEY, COMPLETE_TRACK, COMPLETE_MIDI_OUT, COMPLETE_MIDI_IN,
                COMPLETE_WORDS };

/* Columns of keys: one a mode, one a pane, one for while something is suggested. A pane's keys come before those of
 * NORMAL, which work there too; those of a suggestion before those of either mode; keys[KEYS_ANY] work everywhere. */
enum keys { KEYS_NORMAL = MODE_NORMAL, KEYS_STEP = MODE_STEP, KEYS_SELECT = MODE_SELECT, KEYS_TAKES,
            KEYS_GENERATE, KEYS_MIXER, KEYS_FALL, KEYS_SUGGEST, N_COLUMNS, KEYS_ANY = N_COLUMNS, N_KEYS };
const char *keys_name(enum keys k);    /* "NORMAL", "takes" */
enum keys keys_here(const struct desk *d); /* the column that comes first */
struct action {
    const char *name;
    /* Space-separated key sequences of one or two keys; "x=word" runs the action with that argument. */
    const char *keys[N_KEYS];
    const char *args;                  /* as shown: "NAME", "[FILE]"; NULL = none */
    int min_args, max_args;
    enum complete complete;
    const char *words;                 /* COMPLETE_WORDS: "a|b|c" */
    enum group group;
    const char *hint;                  /* a word or two in footers and pop-ups */
    const char *help;
    NODISCARD enum err (*run)(struct desk *d, int argc, char **argv); /* argv without the name */
};
extern const struct action actions[];
extern const size_t n_actions;
const struct action *action_find(const char *name);   /* exact, or an unambiguous beginning; NULL */

/* A key sequence bound in a column. The list is made once from the table. */
struct binding { const struct action *action; enum keys in; int key[2]; const char *arg; size_t arg_len;
                 char *line; /* bound by the user: the whole command; NULL in the table's own */ };
const struct binding *bindings(size_t *n);
const struct binding *binding_find(enum keys in, int k0, int k1); /* k1 KC_NONE for one key */
bool binding_is_prefix(enum keys in, int key);

/* Run one line: words, "quoted words", # comments. With an argument missing a front end that can ask
 * gets WANT_PROMPT; errors carry a sentence in err_text. */
NODISCARD enum err command_run(struct desk *d, const char *line);
/* The action a line would run, checked for its number of arguments; NULL for an empty line. */
NODISCARD enum err command_action(const char *line, const struct action **out);
/* Give one or two keys ("y", "<F6>", "gb") a line, in NORMAL and, where they are free there too, in SELECT.
 * Keys of the table cannot be taken; the user's own are replaced. */
NODISCARD enum err command_bind(const char *keys, const char *line);
/* One key press: a second key of a prefix, or a binding. False when the key means nothing here. */
bool command_key(struct desk *d, int key);

struct words { char **at; size_t n, cap; };
void words_add(struct words *w, const char *text);
void words_fini(struct words *w);
/* What the last word of `line` could become; *from is the offset of that word. */
void command_complete(const struct desk *d, const char *line, struct words *out, size_t *from);

/* Text made from the table. */
void command_keys(const struct action *a, enum keys in, struct str *out);    /* "h Left", "" when none */
void command_all_keys(const struct action *a, struct str *out);              /* "x Del; SELECT d; takes x" */
void command_footer(enum keys in, int width, struct str *out);
void command_popup(enum keys in, int prefix, struct words *out);             /* "g  generate" lines */
void command_help(int width, struct str *out);                               /* the whole of `?` */
