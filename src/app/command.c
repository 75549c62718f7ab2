/* command.c: from a line to an action. Lines are words, "quoted words" and # comments; a name may be shortened
 * as long as it means one action. Keys are in keymap.c. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "mem.h"
#include "midiin.h"
#include "midiout.h"

enum { MAX_WORDS = 16 };

/* Of quit and quit! the beginning qui means the former: the latter only goes on from it. And q is quit whatever
 * else begins so: hands know it. */
const struct action *action_find(const char *name)
{
    const struct action *found = NULL;
    if (str_same(name, "q"))
        name = "quit";
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

/* STEP and SELECT work on the roll. */
enum err action_run(struct desk *d, const struct action *a, int argc, char **argv)
{
    enum err err = a->run(d, argc, argv);
    if (d->mode != MODE_NORMAL)
        d->pane = PANE_ROLL;
    desk_keep_suggestion(d);
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
        err = action_run(d, a, n - 1, words + 1);
    }
    free(copy);
    return err;
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
    case COMPLETE_STYLE:
        for (size_t k = 0; k < d->n_models; k++)
            for (int i = 0; i < d->models[k].n_styles; i++)
                add_matching(out, d->models[k].styles[i], start);
        add_matching(out, "any", start);
        break;
    case COMPLETE_TRANSFER: {
        struct words genres = {0};
        transfer_genres(d, &genres);
        for (size_t i = 0; i < genres.n; i++)
            add_matching(out, genres.at[i], start);
        words_fini(&genres);
        break;
    }
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
    case COMPLETE_MIDI_OUT:
    case COMPLETE_MIDI_IN: {
        struct str list = {0};
        (void)(a->complete == COMPLETE_MIDI_OUT ? midiout_list : midiin_list)(&list);
        add_list(out, str_c(&list), '\n', start);
        add_matching(out, "none", start);
        str_fini(&list);
        break;
    }
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
