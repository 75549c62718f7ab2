/* act_keys.c: which keys are the piano of STEP mode, and whose habits the others follow. Both lie over the
 * keys of the table and take what they need; help, footers and pop-ups show what is left. */
#include <string.h>

#include "act.h"
#include "keycode.h"

/* ---- the piano: every key a semitone up from C ---- */

enum { ONE_ROW, TWO_ROWS, N_FORMS };
static const struct {
    const char *name;
    const char *keys[N_FORMS];
} boards[] = {
    {"qwerty", {"awsedftgyhujkolp", "zsxdcvgbhnjmq2w3er5t6y7ui9o0p"}},
    {"qwertz", {"awsedftgzhujkolp", "ysxdcvgbhnjmq2w3er5t6z7ui9o0p"}},
    {"azerty", {"qzsedftgyhujkolp", "wsxdcvgbhnj,aéz\"er(t-yèuiçoàp"}},
    {"dvorak", {"a,o.euyifdghtrnl", ";oqejkixdbhm'2,3.p5y6f7gc9r0l"}},
};
enum { LEAST_KEYS = 7 };

/* Like the key map itself the piano is the program's, not a desk's. */
static struct {
    size_t board;
    int form;
    char key[STEP_KEYS][8];
    int n;
} piano = {.form = TWO_ROWS};

static void show(const char *keys)
{
    piano.n = 0;
    for (int bytes; *keys && piano.n < STEP_KEYS; keys += bytes) {
        (void)keycode_from_utf8(keys, &bytes);
        str_format(piano.key[piano.n++], sizeof piano.key[0], "%.*s", bytes, keys);
    }
}

const char *desk_step_key(int n)
{
    if (piano.n == 0)
        show(boards[piano.board].keys[piano.form]);
    return n < piano.n ? piano.key[n] : "";
}

static void lay(struct desk *d, const char *keys, const char *name)
{
    struct str words = {0}, gone = {0};
    show(keys);
    for (int i = 0; i < piano.n; i++) {
        const char *key = piano.key[i];
        str_addf(&words, "%s%s=%d", i ? " " : "",
                 str_same(key, "<")   ? "<Lt>"
                 : str_same(key, "=") ? "<Eq>"
                                      : key,
                 i);
    }
    keymap_piano(str_c(&words), &gone);
    desk_say(d, "piano %s%s%s%s", name, gone.len ? "; notes now: " : "", str_c(&gone),
             gone.len ? " (? for the others)" : "");
    str_fini(&words);
    str_fini(&gone);
}

static enum err check_own(const char *keys)
{
    int seen[STEP_KEYS], n = 0;
    for (int bytes; *keys; keys += bytes) {
        int key = keycode_from_utf8(keys, &bytes);
        if (key <= ' ' || key == 0x7f || key == 0xfffd)
            return err_set(ERR_FORMAT, "a space or a damaged letter is no piano key");
        for (int i = 0; i < n; i++)
            if (seen[i] == key)
                return err_set(ERR_FORMAT, "\"%.*s\" stands for two notes", bytes, keys);
        if (n == STEP_KEYS)
            return err_set(ERR_RANGE, "a piano has %d keys at most", STEP_KEYS);
        seen[n++] = key;
    }
    if (n < LEAST_KEYS)
        return err_set(ERR_FORMAT, "want single, double, a keyboard such as qwertz, or at least %d keys from C up",
                       LEAST_KEYS);
    return ERR_OK;
}

/* Words choose the form and the keyboard; anything else is the keys themselves. */
enum err act_piano(struct desk *d, int argc, char **argv)
{
    size_t board = piano.board;
    int form = piano.form;
    for (int i = 0; i < argc; i++) {
        size_t k = 0;
        while (k < COUNT_OF(boards) && !str_same(argv[i], boards[k].name))
            k++;
        if (k < COUNT_OF(boards)) {
            board = k;
        } else if (str_same(argv[i], "single") || str_same(argv[i], "double")) {
            form = str_same(argv[i], "single") ? ONE_ROW : TWO_ROWS;
        } else {
            TRY(check_own(argv[i]));
            lay(d, argv[i], "of your own");
            return ERR_OK;
        }
    }
    char name[32];
    piano.board = board;
    piano.form = form;
    str_format(name, sizeof name, "%s, %s", boards[board].name, form == ONE_ROW ? "one row" : "two rows");
    lay(d, boards[board].keys[form], name);
    return ERR_OK;
}

/* ---- habits ---- */

static const struct overlay daw[] = {
    {"undo", KEYS_NORMAL, "<C-z>"},
    {"undo", KEYS_SELECT, "<C-z>"},
    {"undo", KEYS_STEP, "<C-z>"},
    {"redo", KEYS_NORMAL, "<C-y>"},
    {"redo", KEYS_SELECT, "<C-y>"},
    {"redo", KEYS_STEP, "<C-y>"},
    {"yank", KEYS_NORMAL, "<C-c>=bar"},
    {"yank", KEYS_SELECT, "<C-c>"},
    {"cut", KEYS_NORMAL, "<C-x>=bar"},
    {"cut", KEYS_SELECT, "<C-x>"},
    {"paste", KEYS_NORMAL, "<C-v>"},
    {"paste", KEYS_SELECT, "<C-v>"},
    {"select", KEYS_NORMAL, "<C-a>=track"},
    {"transpose", KEYS_SELECT, "<Up>=+1 <Down>=-1"},
    {"shift", KEYS_SELECT, "<Right>=+1 <Left>=-1"},
    {"cancel", KEYS_NORMAL, "<Esc>"},
};

enum err act_keys(struct desk *d, int argc, char **argv)
{
    (void)argc;
    bool on = str_same(argv[0], "daw");
    if (!on && !str_same(argv[0], "classic"))
        return err_set(ERR_FORMAT, "keys are classic or daw, not \"%s\"", argv[0]);
    keymap_overlay(on ? daw : NULL, on ? COUNT_OF(daw) : 0);
    desk_say(d, "%s",
             on ? "Ctrl-Z Y undo and redo, Ctrl-C X V clipboard, arrows move what is selected, Esc cancels"
                : "keys as they come");
    return ERR_OK;
}
