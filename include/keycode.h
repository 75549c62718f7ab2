/* keycode.h: keys as numbers and as text. A key is a Unicode code point, or one of these; Ctrl-X is the code
 * of a lower-case letter with KC_CTRL. Text form: "a", "<Space>", "<C-s>", "<PgUp>". Never bound:
 * Ctrl-H, I, J, M and [, which are Backspace, Tab, line feed, Enter and Esc on every terminal. */
#pragma once
#include <stdbool.h>

enum {
    KC_NONE = 0,
    KC_FIRST = 0x110000,        /* beyond Unicode */
    KC_ENTER = KC_FIRST, KC_TAB, KC_ESC, KC_BACK, KC_DEL, KC_INS,
    KC_UP, KC_DOWN, KC_LEFT, KC_RIGHT, KC_HOME, KC_END, KC_PGUP, KC_PGDN, KC_BTAB, KC_POINTER,
    KC_F1, KC_F5 = KC_F1 + 4, KC_F8 = KC_F1 + 7, KC_F10 = KC_F1 + 9, KC_F12 = KC_F1 + 11,
    KC_CTRL = 0x200000
};

/* Parse one key at *p and step over it; KC_NONE at the end or for an unknown name. */
int keycode_parse(const char **p);
void keycode_print(int key, char buf[16]);   /* "a", "Space", "Ctrl-S" */
int keycode_from_utf8(const char *s, int *bytes);  /* code point; malformed bytes count one and give U+FFFD */
int keycode_to_utf8(int key, char buf[8]);         /* bytes written, 0 for keys that are no character */
