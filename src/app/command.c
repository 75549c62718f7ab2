/* command.c: from a line or a key to an action. Lines are words, "quoted words" and # comments; a name may
 * be shortened as long as it means one action. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "keycode.h"
#include "mem.h"

enum { MAX_WORDS = 16 };

/* Of quit and quit! the beginning q means the former: the latter only goes on from it. */
const struct action *action_find(const char *name)
{
    const struct action *found = NULL;
    bool ambiguous = *name == '\0';
    for (size_t i = 0; i < n_actions; i++) {
        const struct action *a = &actions[i];
        if (str_same(a->name, name))
            return a;
        if (!str_starts(a->name, name) || (found && str_starts(a->name, found->name)))
            continue;
        ambiguous |= found && !str_starts(found->name, a->name);
        found = a;
    }
    return ambiguous ? NULL : found;
}

/* ---- key map: the table's key texts, taken apart once ---- */

static struct {
    struct binding *at;
    size_t n, cap;
} map;

static void bind_word(const struct action *a, enum mode m, const char *p)
{
    struct binding b = {.action = a, .mode = m};
    b.key[0] = keycode_parse(&p);
    if (*p && *p != ' ' && *p != '=')
        b.key[1] = keycode_parse(&p);
    BUG_ON(b.key[0] == KC_NONE || (*p && *p != ' ' && *p != '='));
    if (*p == '=') {
        b.arg = p + 1;
        b.arg_len = strcspn(b.arg, " ");
    }
    map.at = xgrow(map.at, map.n, &map.cap, sizeof *map.at);
    map.at[map.n++] = b;
}

static void bind_words(const struct action *a, enum mode m, const char *keys)
{
    for (const char *p = keys; p && *p; p += strspn(p, " ")) {
        bind_word(a, m, p);
        p += strcspn(p, " ");
    }
}

const struct binding *bindings(size_t *n)
{
    for (size_t i = 0, made = map.n; made == 0 && i < n_actions; i++)
        for (int m = 0; m < N_MODES; m++) {
            bind_words(&actions[i], (enum mode)m, actions[i].keys[m]);
            bind_words(&actions[i], (enum mode)m, actions[i].keys[KEYS_ANY]);
        }
    *n = map.n;
    return map.at;
}

const struct binding *binding_find(enum mode m, int k0, int k1)
{
    size_t n;
    const struct binding *b = bindings(&n);
    for (size_t i = 0; i < n; i++)
        if (b[i].mode == m && b[i].key[0] == k0 && b[i].key[1] == k1)
            return &b[i];
    return NULL;
}

bool binding_is_prefix(enum mode m, int key)
{
    size_t n;
    const struct binding *b = bindings(&n);
    for (size_t i = 0; i < n; i++)
        if (b[i].mode == m && b[i].key[0] == key && b[i].key[1] != KC_NONE)
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
        bad |= (key[i] & KC_CTRL) && ((key[i] & ~KC_CTRL) < 'a' || (key[i] & ~KC_CTRL) > 'z' ||
                                      strchr("hijm", key[i] & ~KC_CTRL));
    if (bad)
        return err_set(ERR_FORMAT, "\"%s\" is no key that arrives; want y, <F6>, <C-b> or two of them", text);
    return ERR_OK;
}

/* The binding that stands in the way: the same keys, or a prefix of them. */
static struct binding *in_the_way(enum mode m, const int key[2])
{
    size_t n;
    (void)bindings(&n);
    for (size_t i = 0; i < n; i++) {
        struct binding *b = &map.at[i];
        if (b->mode == m && b->key[0] == key[0] && (b->key[1] == key[1] || !b->key[1] || !key[1]))
            return b;
    }
    return NULL;
}

static void put_binding(enum mode m, const int key[2], const struct action *a, const char *line)
{
    struct binding *old = in_the_way(m, key);
    struct binding b = {.action = a, .mode = m, .key = {key[0], key[1]}, .line = xstrdup(line)};
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

static bool may_bind(enum mode m, const int key[2])
{
    const struct binding *b = in_the_way(m, key);
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
    if (!may_bind(MODE_NORMAL, key))
        return err_set(ERR_BUSY, "%s is taken: it means %s", keys, in_the_way(MODE_NORMAL, key)->action->name);
    put_binding(MODE_NORMAL, key, a, line);
    if (may_bind(MODE_SELECT, key))
        put_binding(MODE_SELECT, key, a, line);
    return ERR_OK;
}

/* ---- arguments ---- */

enum err arg_int(const char *text, int lo, int hi, int *out)
{
    int64_t value = 0;
    TRY(parse_int(text, lo, hi, &value));
    *out = (int)value;
    return ERR_OK;
}

enum err arg_step(const char *text, int now, int lo, int hi, int *out)
{
    int64_t value = 0;
    bool relative = text[0] == '+' || text[0] == '-';
    TRY(parse_int(text[0] == '+' ? text + 1 : text, -100000, 100000, &value));
    value += relative ? now : 0;
    *out = value < lo ? lo : value > hi ? hi : (int)value;
    return ERR_OK;
}

/* ---- lines ---- */

/* Cut `line` into words in place. Returns how many, -1 for an open quote or too many. */
static int split(char *line, char *words[MAX_WORDS])
{
    int n = 0;
    for (char *p = line; *p;) {
        if (*p == ' ' || *p == '\t') {
            p++;
            continue;
        }
        if (*p == '#' && n == 0)
            break;
        if (n == MAX_WORDS)
            return -1;
        char *to = p;
        bool quoted = false;
        words[n++] = to;
        for (; *p && (quoted || (*p != ' ' && *p != '\t')); p++) {
            if (*p == '"')
                quoted = !quoted;
            else
                *to++ = *p;
        }
        if (quoted)
            return -1;
        if (*p)
            p++;
        *to = '\0';
    }
    return n;
}

/* *out is set whenever the name means an action, also when its arguments do not fit. */
static enum err find_words(int n, char **words, const struct action **out)
{
    if (n < 0)
        return err_set(ERR_FORMAT, "a quote is not closed, or too many words");
    if (n == 0)
        return ERR_OK;
    const struct action *a = *out = action_find(words[0]);
    if (!a)
        return err_set(ERR_MISSING, "no command \"%s\" (? lists them)", words[0]);
    if (n - 1 > a->max_args)
        return err_set(ERR_FORMAT, "%s takes %s", a->name, a->args ? a->args : "no arguments");
    if (n - 1 < a->min_args)
        return err_set(ERR_FORMAT, "%s needs %s", a->name, a->args);
    return ERR_OK;
}

enum err command_action(const char *line, const struct action **out)
{
    char *words[MAX_WORDS], *copy = xstrdup(line);
    *out = NULL;
    enum err err = find_words(split(copy, words), words, out);
    free(copy);
    return err;
}

enum err command_run(struct desk *d, const char *line)
{
    char *words[MAX_WORDS], *copy = xstrdup(line);
    const struct action *a = NULL;
    int n = split(copy, words);
    enum err err = find_words(n, words, &a);
    if (a && n - 1 < a->min_args) {
        d->want = WANT_PROMPT;
        str_format(d->want_text, sizeof d->want_text, "%s ", a->name);
    } else if (a && err == ERR_OK) {
        err = a->run(d, n - 1, words + 1);
    }
    free(copy);
    return err;
}

/* ---- keys ---- */

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
    } else if (b->action->run(d, argc, argv) != ERR_OK) {
        desk_complain(d);
    }
}

bool command_key(struct desk *d, int key)
{
    int prefix = d->pending;
    d->pending = KC_NONE;
    if (prefix != KC_NONE && key == KC_ESC)
        return true;
    if (prefix == KC_NONE && binding_is_prefix(d->mode, key)) {
        d->pending = key;
        return true;
    }
    const struct binding *b =
        prefix != KC_NONE ? binding_find(d->mode, prefix, key) : binding_find(d->mode, key, KC_NONE);
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

/* ---- completion ---- */

void words_add(struct words *w, const char *text)
{
    w->at = xgrow(w->at, w->n, &w->cap, sizeof *w->at);
    w->at[w->n++] = xstrdup(text);
}

void words_fini(struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->at[i]);
    free(w->at);
    *w = (struct words){0};
}

static void add_matching(struct words *out, const char *text, const char *start)
{
    if (str_starts(text, start))
        words_add(out, text);
}

static void add_list(struct words *out, const char *list, char sep, const char *start)
{
    char *copy = xstrdup(list), *rest = copy;
    for (char *item; (item = str_split(&rest, sep));)
        add_matching(out, item, start);
    free(copy);
}

static void complete_argument(const struct desk *d, const struct action *a, const char *start,
                              struct words *out)
{
    const struct model_info *m = desk_model(d);
    switch (a->complete) {
    case COMPLETE_GENRE:
        for (int i = 0; m && i < m->n_genres; i++)
            add_matching(out, m->genres[i], start);
        add_matching(out, "any", start);
        break;
    case COMPLETE_MODEL:
        for (size_t i = 0; i < d->n_models; i++)
            add_matching(out, d->models[i].name, start);
        add_matching(out, "best", start);
        break;
    case COMPLETE_KEY:
        add_list(out, "auto C G D A E F Bb Eb Am Em Bm F#m Dm Gm Cm Fm", ' ', start);
        break;
    case COMPLETE_TRACK:
        for (int r = 0; r < N_ROLES; r++)
            add_matching(out, role_name((enum role)r), start);
        break;
    case COMPLETE_WORDS:
        add_list(out, a->words, '|', start);
        break;
    case COMPLETE_FILE:
        complete_file(start, out);
        break;
    case COMPLETE_NONE:
        break;
    }
}

void command_complete(const struct desk *d, const char *line, struct words *out, size_t *from)
{
    if (str_starts(line, "set ") && strchr(line + 4, ' ')) { /* `set genre` completes as `genre` does */
        command_complete(d, line + 4, out, from);
        *from += 4;
        return;
    }
    const char *space = strrchr(line, ' ');
    size_t first = strcspn(line, " ");
    *from = space ? (size_t)(space - line) + 1 : 0;
    if (!space) {
        for (size_t i = 0; i < n_actions; i++)
            add_matching(out, actions[i].name, line);
        return;
    }
    char name[32];
    str_format(name, sizeof name, "%.*s", (int)(first < 31 ? first : 31), line);
    const struct action *a = action_find(name);
    if (a)
        complete_argument(d, a, line + *from, out);
}
