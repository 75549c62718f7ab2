/* keycode.c: key names. One table for the names; the screen's decoder and the key map both use it. */
#include "keycode.h"

#include <string.h>

#include "err.h"
#include "str.h"

/* clang-format off */
static const struct { const char *name, *human; int key; } names[] = {
    { "Space", "Space", ' ' },        { "Enter", "Enter", KC_ENTER }, { "Tab", "Tab", KC_TAB },
    { "S-Tab", "Shift-Tab", KC_BTAB }, { "Esc", "Esc", KC_ESC },     { "Back", "Backspace", KC_BACK },
    { "Del", "Del", KC_DEL },        { "Ins", "Ins", KC_INS },        { "Up", "Up", KC_UP },
    { "Down", "Down", KC_DOWN },    { "Left", "Left", KC_LEFT },    { "Right", "Right", KC_RIGHT },
    { "Home", "Home", KC_HOME },    { "End", "End", KC_END },       { "PgUp", "PgUp", KC_PGUP },
    { "PgDn", "PgDn", KC_PGDN },     { "F1", "F1", KC_F1 },           { "F2", "F2", KC_F1 + 1 },
    { "F3", "F3", KC_F1 + 2 },       { "F4", "F4", KC_F1 + 3 },       { "F5", "F5", KC_F5 },
    { "F6", "F6", KC_F1 + 5 },       { "F7", "F7", KC_F1 + 6 },       { "F8", "F8", KC_F8 },
    { "F9", "F9", KC_F1 + 8 },       { "F10", "F10", KC_F10 },        { "F11", "F11", KC_F1 + 10 },
    { "F12", "F12", KC_F12 },
    { "Lt", "<", '<' },               { "Eq", "=", '=' },
};
/* clang-format on */

int keycode_from_utf8(const char *s, int *bytes)
{
    const unsigned char *p = (const unsigned char *)s;
    int n = p[0] < 0x80                   ? 1
            : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
            : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
            : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                          : 0;
    int code = n == 1 ? p[0] : n == 2 ? p[0] & 31 : n == 3 ? p[0] & 15 : p[0] & 7;
    *bytes = 1;
    if (n == 0)
        return 0xfffd;
    for (int i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0xfffd;
        code = code << 6 | (p[i] & 63);
    }
    static const int least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0xfffd;
    *bytes = n;
    return code;
}

int keycode_to_utf8(int key, char buf[8])
{
    int n = key < 0x80 ? 1 : key < 0x800 ? 2 : key < 0x10000 ? 3 : 4;
    static const unsigned char head[] = {0, 0, 0xc0, 0xe0, 0xf0};
    buf[0] = '\0';
    if (key < ' ' || key == 0x7f || key >= KC_FIRST)
        return 0;
    for (int i = n - 1; i > 0; i--, key >>= 6)
        buf[i] = (char)(0x80 | (key & 63));
    buf[0] = (char)(n == 1 ? key : head[n] | key);
    buf[n] = '\0';
    return n;
}

int keycode_parse(const char **p)
{
    const char *s = *p, *end = s[0] == '<' ? strchr(s, '>') : NULL;
    if (!s[0] || s[0] == ' ')
        return KC_NONE;
    if (!end) {
        int bytes, key = keycode_from_utf8(s, &bytes);
        *p = s + bytes;
        return key;
    }
    size_t n = (size_t)(end - s - 1);
    *p = end + 1;
    if (n == 3 && s[1] == 'C' && s[2] == '-')
        return KC_CTRL | s[3];
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strlen(names[i].name) == n && !memcmp(names[i].name, s + 1, n))
            return names[i].key;
    return KC_NONE;
}

void keycode_print(int key, char buf[16])
{
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (names[i].key == key) {
            str_copy(buf, 16, names[i].human);
            return;
        }
    if (key & KC_CTRL)
        str_format(buf, 16, "Ctrl-%c",
                   (key & 0x7f) >= 'a' && (key & 0x7f) <= 'z' ? (key & 0x7f) - 32 : key & 0x7f);
    else if (keycode_to_utf8(key, buf) == 0)
        str_copy(buf, 16, "?");
}
