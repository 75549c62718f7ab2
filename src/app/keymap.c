/* keymap.c: from a key to an action: the key texts of the table taken apart, the user's own keys, and what a key
 * means in the mode and pane at hand. */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "keycode.h"
#include "mem.h"

/* ---- key map: the table's key texts, taken apart once ---- */

const char *keys_name(enum keys k)
{
    static const enum pane of[N_COLUMNS] = {[KEYS_TAKES] = PANE_TAKES,
                                            [KEYS_GENERATE] = PANE_GENERATE,
                                            [KEYS_MIXER] = PANE_MIXER,
                                            [KEYS_FALL] = PANE_FALL};
    if (k == KEYS_SUGGEST)
        return "suggestion";
    return k < (enum keys)N_MODES ? mode_name((enum mode)k) : pane_name(of[k]);
}

/* The columns that a key is looked for in, one after another. */
enum { MOST_LAYERS = 3 };
static int layers(const struct desk *d, enum keys out[MOST_LAYERS])
{
    static const enum keys of[N_PANES] = {[PANE_TAKES] = KEYS_TAKES,
                                          [PANE_GENERATE] = KEYS_GENERATE,
                                          [PANE_MIXER] = KEYS_MIXER,
                                          [PANE_FALL] = KEYS_FALL};
    enum keys own = d->mode != MODE_NORMAL ? (enum keys)d->mode : of[d->pane];
    int n = 0;
    if (desk_suggesting(d))
        out[n++] = KEYS_SUGGEST;
    out[n++] = own;
    if (own >= (enum keys)N_MODES)
        out[n++] = KEYS_NORMAL;
    return n;
}

enum keys keys_here(const struct desk *d)
{
    enum keys in[MOST_LAYERS];
    layers(d, in);
    return in[0];
}

static struct {
    struct binding *at;
    size_t n, cap;
} map;

/* What lies over the table: the piano's keys, NULL for the table's own, and the rows of a preset. */
static struct {
    char *piano;
    const struct overlay *rows;
    size_t n_rows;
} over;

static bool collide(const int a[2], const int b[2])
{
    return a[0] == b[0] && (a[1] == b[1] || !a[1] || !b[1]);
}

static struct binding parse_word(const struct action *a, enum keys in, const char *p)
{
    struct binding b = {.action = a, .in = in};
    b.key[0] = keycode_parse(&p);
    if (*p && *p != ' ' && *p != '=')
        b.key[1] = keycode_parse(&p);
    BUG_ON(b.key[0] == KC_NONE || (*p && *p != ' ' && *p != '='));
    if (*p == '=') {
        b.arg = p + 1;
        b.arg_len = strcspn(b.arg, " ");
    }
    return b;
}

static void add_binding(struct binding b)
{
    map.at = xgrow(map.at, map.n, &map.cap, sizeof *map.at);
    map.at[map.n++] = b;
}

/* Bindings of the column that these keys hide go; their keys are told once each. */
static void clear_way(const struct binding *b, struct str *gone)
{
    size_t kept = 0;
    for (size_t i = 0; i < map.n; i++) {
        char name[16];
        if (map.at[i].in != b->in || !collide(map.at[i].key, b->key)) {
            map.at[kept++] = map.at[i];
            continue;
        }
        keycode_print(map.at[i].key[0], name);
        if (gone)
            str_addf(gone, "%s%s", gone->len ? " " : "", name);
        free(map.at[i].line);
    }
    map.n = kept;
}

static void bind_words(const struct action *a, enum keys in, const char *keys, bool clear, struct str *gone)
{
    for (const char *p = keys; p && *p; p += strspn(p, " ")) {
        struct binding b = parse_word(a, in, p);
        if (clear)
            clear_way(&b, gone);
        add_binding(b);
        p += strcspn(p, " ");
    }
}

/* The table's keys, then what lies over them, then the user's own. */
static void build(struct str *gone)
{
    struct binding *old = map.at;
    size_t n_old = map.n;
    map.at = NULL;
    map.n = map.cap = 0;
    const struct action *notes = action_find("key-note");
    for (size_t i = 0; i < n_actions; i++)
        for (int c = 0; c < N_COLUMNS; c++) {
            bool replaced = over.piano && &actions[i] == notes && c == KEYS_STEP;
            bind_words(&actions[i], (enum keys)c, replaced ? NULL : actions[i].keys[c], false, NULL);
            if (c < N_MODES) /* panes fall through to NORMAL */
                bind_words(&actions[i], (enum keys)c, actions[i].keys[KEYS_ANY], false, NULL);
        }
    bind_words(notes, KEYS_STEP, over.piano, true, gone);
    for (size_t i = 0; i < over.n_rows; i++)
        bind_words(action_find(over.rows[i].action), over.rows[i].in, over.rows[i].keys, true, NULL);
    for (size_t i = 0; i < n_old; i++)
        if (old[i].line) {
            clear_way(&old[i], NULL);
            add_binding(old[i]);
        }
    free(old);
}

void keymap_piano(const char *keys, struct str *gone)
{
    char *before = over.piano;
    over.piano = xstrdup(keys);
    build(gone);
    free(before);
}

void keymap_overlay(const struct overlay *rows, size_t n)
{
    over.rows = rows;
    over.n_rows = n;
    build(NULL);
}

const struct binding *bindings(size_t *n)
{
    if (map.n == 0)
        build(NULL);
    *n = map.n;
    return map.at;
}

const struct binding *binding_find(enum keys in, int k0, int k1)
{
    size_t n;
    const struct binding *b = bindings(&n);
    for (size_t i = 0; i < n; i++)
        if (b[i].in == in && b[i].key[0] == k0 && b[i].key[1] == k1)
            return &b[i];
    return NULL;
}

bool binding_is_prefix(enum keys in, int key)
{
    size_t n;
    const struct binding *b = bindings(&n);
    for (size_t i = 0; i < n; i++)
        if (b[i].in == in && b[i].key[0] == key && b[i].key[1] != KC_NONE)
            return true;
    return false;
}

/* ---- keys of the user ---- */

static enum err parse_keys(const char *text, int key[2])
{
    const char *p = text;
    key[0] = keycode_parse(&p);
    const char *first_end = p;
    key[1] = *p ? keycode_parse(&p) : KC_NONE;
    bool bad = *p || key[0] == KC_NONE || (*first_end && key[1] == KC_NONE);
    for (int i = 0; i < 2; i++)
        bad |= (key[i] & KC_CTRL) &&
               ((key[i] & ~KC_CTRL) < 'a' || (key[i] & ~KC_CTRL) > 'z' || strchr("hijm", key[i] & ~KC_CTRL));
    if (bad)
        return err_set(ERR_FORMAT, "\"%s\" is no key that arrives; want y, <F6>, <C-b> or two of them", text);
    return ERR_OK;
}

/* The binding that stands in the way: the same keys, or a prefix of them. */
static struct binding *in_the_way(enum keys in, const int key[2])
{
    size_t n;
    (void)bindings(&n);
    for (size_t i = 0; i < n; i++) {
        struct binding *b = &map.at[i];
        if (b->in == in && collide(b->key, key))
            return b;
    }
    return NULL;
}

static void put_binding(enum keys in, const int key[2], const struct action *a, const char *line)
{
    struct binding *old = in_the_way(in, key);
    struct binding b = {.action = a, .in = in, .key = {key[0], key[1]}, .line = xstrdup(line)};
    const char *arg = b.line + strcspn(b.line, " ");
    b.arg = *arg ? arg + 1 : NULL;
    b.arg_len = b.arg ? strlen(b.arg) : 0;
    if (old) {
        free(old->line);
        *old = b;
        return;
    }
    map.at = xgrow(map.at, map.n, &map.cap, sizeof *map.at);
    map.at[map.n++] = b;
}

static bool may_bind(enum keys in, const int key[2])
{
    const struct binding *b = in_the_way(in, key);
    return !b || (b->line && b->key[1] == key[1]);
}

enum err command_bind(const char *keys, const char *line)
{
    const struct action *a = NULL;
    int key[2];
    TRY(parse_keys(keys, key));
    TRY(command_action(line, &a));
    if (!a)
        return err_set(ERR_FORMAT, "bind %s to which command?", keys);
    if (!may_bind(KEYS_NORMAL, key))
        return err_set(ERR_BUSY, "%s is taken: it means %s", keys,
                       in_the_way(KEYS_NORMAL, key)->action->name);
    put_binding(KEYS_NORMAL, key, a, line);
    if (may_bind(KEYS_SELECT, key))
        put_binding(KEYS_SELECT, key, a, line);
    return ERR_OK;
}

/* ---- a key press ---- */

static void run_binding(struct desk *d, const struct binding *b)
{
    char arg[32], *argv[1] = {arg};
    int argc = b->arg ? 1 : 0;
    desk_say(d, "%s", ""); /* what was said of the last key is not said of this one */
    if (b->line) {
        if (command_run(d, b->line) != ERR_OK)
            desk_complain(d);
        return;
    }
    str_format(arg, sizeof arg, "%.*s", (int)b->arg_len, b->arg ? b->arg : "");
    if (argc < b->action->min_args) {
        d->want = WANT_PROMPT;
        str_format(d->want_text, sizeof d->want_text, "%s ", b->action->name);
    } else if (action_run(d, b->action, argc, argv) != ERR_OK) {
        desk_complain(d);
    }
}

static const struct binding *find_here(const struct desk *d, int k0, int k1)
{
    enum keys in[MOST_LAYERS];
    const struct binding *b = NULL;
    for (int i = 0, n = layers(d, in); !b && i < n; i++)
        b = binding_find(in[i], k0, k1);
    return b;
}

static bool prefix_here(const struct desk *d, int key)
{
    enum keys in[MOST_LAYERS];
    for (int i = 0, n = layers(d, in); i < n; i++) {
        if (binding_is_prefix(in[i], key))
            return true;
        if (binding_find(in[i], key, KC_NONE))
            return false;
    }
    return false;
}

bool command_key(struct desk *d, int key)
{
    int prefix = d->pending;
    d->pending = KC_NONE;
    if (prefix != KC_NONE && key == KC_ESC)
        return true;
    if (prefix == KC_NONE && prefix_here(d, key)) {
        d->pending = key;
        return true;
    }
    const struct binding *b = prefix != KC_NONE ? find_here(d, prefix, key) : find_here(d, key, KC_NONE);
    if (b) {
        run_binding(d, b);
    } else if (prefix != KC_NONE) {
        char first[16], second[16];
        keycode_print(prefix, first);
        keycode_print(key, second);
        desk_say(d, "%s %s does nothing", first, second);
    }
    return b != NULL;
}
