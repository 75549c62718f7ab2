/* prompt.c: see prompt.h. */
#include "prompt.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "keycode.h"
#include "log.h"
#include "mem.h"

static void set_text(struct prompt *p, const char *text)
{
    str_copy(p->text, sizeof p->text, text);
    p->len = p->at = strlen(p->text);
}

static void suggest(struct prompt *p, const struct desk *d)
{
    words_fini(&p->choices);
    p->chosen = -1;
    command_complete(d, p->text, &p->choices, &p->from);
}

void prompt_begin(struct prompt *p, const struct desk *d, const char *text)
{
    p->back = 0;
    set_text(p, text);
    suggest(p, d);
}

static void insert(struct prompt *p, const char *bytes, size_t n)
{
    if (p->len + n >= sizeof p->text)
        return;
    memmove(p->text + p->at + n, p->text + p->at, p->len - p->at + 1);
    memcpy(p->text + p->at, bytes, n);
    p->len += n;
    p->at += n;
}

static size_t char_before(const struct prompt *p)
{
    size_t i = p->at;
    do
        i -= i > 0;
    while (i > 0 && ((unsigned char)p->text[i] & 0xc0) == 0x80);
    return i;
}

static size_t char_after(const struct prompt *p)
{
    size_t i = p->at + (p->at < p->len);
    while (i < p->len && ((unsigned char)p->text[i] & 0xc0) == 0x80)
        i++;
    return i;
}

static void cut(struct prompt *p, size_t from, size_t to)
{
    memmove(p->text + from, p->text + to, p->len - to + 1);
    p->len -= to - from;
    p->at = from;
}

static size_t word_before(const struct prompt *p)
{
    size_t i = p->at;
    while (i > 0 && p->text[i - 1] == ' ')
        i--;
    while (i > 0 && p->text[i - 1] != ' ')
        i--;
    return i;
}

static void travel(struct prompt *p, int by)
{
    size_t back = p->back + (size_t)by;
    if ((by < 0 && p->back == 0) || back > p->history.n)
        return;
    if (p->back == 0)
        str_copy(p->typed, sizeof p->typed, p->text);
    p->back = back;
    set_text(p, back ? p->history.at[p->history.n - back] : p->typed);
}

/* Tab walks through the choices; each one stands in the line until another key is pressed. */
static void complete(struct prompt *p, int by)
{
    int n = (int)p->choices.n;
    if (n == 0)
        return;
    p->chosen = p->chosen < 0 ? (by > 0 ? 0 : n - 1) : (p->chosen + by + n) % n;
    const char *word = p->choices.at[p->chosen];
    bool quote = strchr(word, ' ') != NULL;
    char line[PROMPT_MAX];
    str_format(line, sizeof line, "%.*s%s%s%s", (int)p->from, p->text, quote ? "\"" : "", word,
               quote ? "\"" : "");
    set_text(p, line);
}

static bool edit_key(struct prompt *p, int key)
{
    char bytes[8];
    int n = keycode_to_utf8(key, bytes);
    if (n > 0)
        insert(p, bytes, (size_t)n);
    else if (key == KC_BACK && p->at > 0)
        cut(p, char_before(p), p->at);
    else if (key == KC_DEL && p->at < p->len)
        cut(p, p->at, char_after(p));
    else if (key == (KC_CTRL | 'u'))
        cut(p, 0, p->at);
    else if (key == (KC_CTRL | 'w'))
        cut(p, word_before(p), p->at);
    else
        return false;
    return true;
}

enum prompt_end prompt_key(struct prompt *p, const struct desk *d, int key)
{
    if (key == KC_ENTER)
        return PROMPT_DONE;
    if (key == KC_ESC || key == (KC_CTRL | 'c') || (key == KC_BACK && p->len == 0))
        return PROMPT_LEFT;
    if (key == KC_TAB || key == KC_BTAB) {
        bool single = p->choices.n == 1;
        complete(p, key == KC_TAB ? 1 : -1);
        if (single) {
            if (p->text[p->len - 1] != '/')
                insert(p, " ", 1);
            suggest(p, d);
        }
        return PROMPT_GOES_ON;
    }
    if (key == KC_UP || key == KC_DOWN)
        travel(p, key == KC_UP ? 1 : -1);
    else if (key == KC_LEFT)
        p->at = char_before(p);
    else if (key == KC_RIGHT)
        p->at = char_after(p);
    else if (key == KC_HOME || key == (KC_CTRL | 'a'))
        p->at = 0;
    else if (key == KC_END || key == (KC_CTRL | 'e'))
        p->at = p->len;
    else if (edit_key(p, key))
        suggest(p, d);
    return PROMPT_GOES_ON;
}

void prompt_remember(struct prompt *p, const char *line)
{
    struct words *h = &p->history;
    if (!line[0] || (h->n > 0 && !strcmp(h->at[h->n - 1], line)))
        return;
    if (h->n == PROMPT_HISTORY) {
        free(h->at[0]);
        memmove(h->at, h->at + 1, --h->n * sizeof *h->at);
    }
    words_add(h, line);
}

void prompt_load(struct prompt *p, const char *path)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    if (!file_exists(path) || file_read(path, 1 << 16, &bytes, &len) != ERR_OK)
        return;
    char *text = xstrndup((const char *)bytes, len), *rest = text;
    for (char *line; (line = str_split(&rest, '\n'));)
        if (strlen(line) < PROMPT_MAX)
            prompt_remember(p, line);
    free(text);
    free(bytes);
}

void prompt_save(const struct prompt *p, const char *path)
{
    struct str text = {0};
    for (size_t i = 0; i < p->history.n; i++)
        str_addf(&text, "%s\n", p->history.at[i]);
    if (text.len > 0 && file_write(path, text.p, text.len) != ERR_OK)
        log_warn("history: %s", err_text());
    str_fini(&text);
}

void prompt_fini(struct prompt *p)
{
    words_fini(&p->history);
    words_fini(&p->choices);
}
