/* words.c: what people read, made from the table of actions: footer, pop-ups, the help page; and the names
 * of files for completion. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "file.h"
#include "keycode.h"

const char *group_title(enum group g)
{
    static const char *const titles[N_GROUPS] = {"Sound",    "Moving", "Editing", "Step entry (i)",
                                                 "The band", "Takes",  "Form",    "Files",   "Program"};
    return titles[g];
}

static void put_key(struct str *out, const struct binding *b)
{
    char name[16];
    keycode_print(b->key[0], name);
    str_add(out, name);
    if (b->key[1] != KC_NONE) {
        keycode_print(b->key[1], name);
        str_addf(out, " %s", name);
    }
}

/* The 29 piano keys are named by their ends. */
void command_keys(const struct action *a, enum keys in, struct str *out)
{
    size_t n, count = 0, last = 0;
    const struct binding *b = bindings(&n);
    for (size_t i = 0; i < n; i++)
        if (b[i].action == a && b[i].in == in) {
            last = i;
            if (++count > 6)
                continue;
            str_add(out, out->len ? "  " : "");
            put_key(out, &b[i]);
        }
    if (count > 6) {
        str_add(out, " .. ");
        put_key(out, &b[last]);
    }
}

/* Of a column only what it does not have in common with NORMAL. */
void command_all_keys(const struct action *a, struct str *out)
{
    struct str normal = {0};
    command_keys(a, KEYS_NORMAL, &normal);
    str_add(out, str_c(&normal));
    for (int c = KEYS_NORMAL + 1; c < N_COLUMNS; c++) {
        struct str one = {0};
        command_keys(a, (enum keys)c, &one);
        if (one.len > 0 && strcmp(str_c(&one), str_c(&normal)) && !(a->keys[KEYS_ANY] && !a->keys[c]))
            str_addf(out, "%s%s %s", out->len ? "; " : "", keys_name((enum keys)c), str_c(&one));
        str_fini(&one);
    }
    str_fini(&normal);
}

/* "? help  : cmd": every hinted action with a plain key, and each prefix once, most useful first. */
static const char *const footer_order[N_COLUMNS][16] = {
    [MODE_NORMAL] = {"help", "prompt", "play", "note", "step", "select", "accompany", "keep", "take", "undo",
                     "mute", "solo", "midi", "save", "quit", NULL},
    [MODE_STEP] = {"key-note", "rest", "erase", "chord", "len", "register", "tie", "play", "save", NULL},
    [MODE_SELECT] = {"keep", "infill", "yank", "cut", "transpose", "shift", "quantize", "degrees", "corner",
                     "play-selection", "loop", "undo", "help", NULL},
    [KEYS_TAKES] = {"row", "take", "star", "mark", "flip", "play", "pane", "maximize", "undo", "help", NULL},
    [KEYS_GENERATE] = {"row", "adjust", "accompany", "play", "pane", "maximize", "help", NULL},
    [KEYS_FALL] = {"play", "left", "zoom", "pane", "undo", "help", NULL},
    [KEYS_SUGGEST] = {"accept", "suggest", "play", "save", NULL},
    [KEYS_MIXER] = {"track-by", "fader", "turn", "mute", "solo", "play", "pane", "maximize", "help", NULL},
};

static bool put_hint(const struct action *a, enum keys in, struct str *out)
{
    size_t n, count = 0;
    const struct binding *b = bindings(&n);
    for (size_t i = 0; i < n && count < 2; i++) {
        if (b[i].action != a || b[i].in != in || (count > 0 && (!b[i].arg || b[i].key[1])))
            continue;
        if (b[i].key[1] != KC_NONE) { /* a prefix: its letter and dots stand for the family */
            char name[16];
            keycode_print(b[i].key[0], name);
            str_addf(out, "%s.. %s", name, a->hint);
            return true;
        }
        str_add(out, count++ ? " " : "");
        put_key(out, &b[i]);
    }
    if (count)
        str_addf(out, " %s", a->hint);
    return count > 0;
}

void command_footer(enum keys in, int width, struct str *out)
{
    for (int i = 0; footer_order[in][i]; i++) {
        const struct action *a = action_find(footer_order[in][i]);
        struct str one = {0};
        BUG_ON(!a || !a->hint);
        if ((put_hint(a, in, &one) || (in >= (enum keys)N_MODES && put_hint(a, KEYS_NORMAL, &one))) &&
            (int)(out->len + one.len) + 2 <= width) {
            str_add(out, out->len ? "  " : "");
            str_add(out, str_c(&one));
        }
        str_fini(&one);
    }
}

/* The last of a run of keys that give one action one argument after another, as g 1 .. g 9 do. */
static size_t end_of_run(const struct binding *b, size_t n, size_t i)
{
    size_t last = i;
    while (b[i].arg && last + 1 < n && b[last + 1].action == b[i].action && b[last + 1].in == b[i].in &&
           b[last + 1].key[0] == b[i].key[0] && b[last + 1].arg)
        last++;
    return last > i + 3 ? last : i;
}

void command_popup(enum keys in, int prefix, struct words *out)
{
    size_t n;
    const struct binding *b = bindings(&n);
    for (size_t i = 0; i < n; i++) {
        if ((b[i].in != in && (in < (enum keys)N_MODES || b[i].in != KEYS_NORMAL)) || b[i].key[0] != prefix ||
            b[i].key[1] == KC_NONE)
            continue;
        struct str line = {0};
        char name[16], to[16] = "";
        size_t last = end_of_run(b, n, i);
        keycode_print(b[i].key[1], name);
        if (last > i)
            keycode_print(b[last].key[1], to);
        str_addf(&line, "%s%s%s %s", name, *to ? ".." : "", to,
                 b[i].line || !b[i].action->hint ? b[i].action->name : b[i].action->hint);
        i = last;
        if (b[i].arg && !*to)
            str_addf(&line, " %.*s", (int)b[i].arg_len, b[i].arg);
        words_add(out, str_c(&line));
        str_fini(&line);
    }
}

/* Words of `text` from column `at` on, no line longer than `width`. */
static void put_wrapped(struct str *out, const char *text, int at, int width)
{
    int x = at;
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (x > at && x + 1 + n > width) {
            str_addf(out, "\n%*s", at - 1, "");
            x = at;
        }
        str_addf(out, " %.*s", n, text);
        x += n + 1;
        text += n;
        text += strspn(text, " ");
    }
    str_addc(out, '\n');
}

static void help_row(const struct action *a, int width, struct str *out)
{
    struct str keys = {0};
    command_all_keys(a, &keys);
    if (keys.len > 22) /* too many keys for the column: a line of their own */
        str_addf(out, "  %s\n  %-22s :%-12s", str_c(&keys), "", a->name);
    else
        str_addf(out, "  %-22s :%-12s", str_c(&keys), a->name);
    put_wrapped(out, a->help, 37, width);
    str_fini(&keys);
}

void command_help(int width, struct str *out)
{
    for (int g = 0; g < N_GROUPS; g++) {
        str_addf(out, "%s%s\n", g ? "\n" : "", group_title((enum group)g));
        for (size_t i = 0; i < n_actions; i++)
            if (actions[i].group == (enum group)g)
                help_row(&actions[i], width, out);
    }
}

/* Names in a folder that begin like `start`; folders end in a slash. */
void complete_file(const char *start, struct words *out)
{
    const char *slash = strrchr(start, '/');
    size_t n_dir = slash ? (size_t)(slash - start) + 1 : 0;
    struct str dir = {0};
    str_addn(&dir, start, n_dir);
    DIR *list = opendir(n_dir ? str_c(&dir) : ".");
    for (struct dirent *e; list && (e = readdir(list)) && out->n < 200;) {
        if (!str_starts(e->d_name, start + n_dir) || (e->d_name[0] == '.' && !start[n_dir]))
            continue;
        struct str full = {0};
        str_addf(&full, "%s%s", str_c(&dir), e->d_name);
        if (file_is_dir(str_c(&full)))
            str_addc(&full, '/');
        words_add(out, str_c(&full));
        str_fini(&full);
    }
    if (list)
        closedir(list);
    str_fini(&dir);
}
