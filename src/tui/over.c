/* over.c: keys while something lies over the views: the prompt, a list to pick from, a page of text, a question. */
#include <string.h>

#include "keycode.h"
#include "view.h"

static enum answer key_prompt(struct ui *ui, int key)
{
    enum prompt_end end = prompt_key(&ui->prompt, ui->desk, key);
    if (end == PROMPT_GOES_ON)
        return ANSWER_NONE;
    ui->over = OVER_NONE;
    if (end == PROMPT_LEFT)
        return ANSWER_NONE;
    prompt_remember(&ui->prompt, ui->prompt.text);
    if (command_run(ui->desk, ui->prompt.text) != ERR_OK)
        desk_complain(ui->desk);
    return ANSWER_NONE;
}

static enum answer key_pick(struct ui *ui, int key)
{
    enum pick_end end = pick_key(&ui->pick, key);
    const struct pick_row *row = pick_marked(&ui->pick);
    if (end == PICK_GOES_ON)
        return ANSWER_NONE;
    ui->over = OVER_NONE;
    if (end == PICK_LEFT)
        return ANSWER_NONE;
    struct str line = {0};
    if (ui->pick.kind == PICK_FILES)
        str_addf(&line, "open \"%s\"", row->line);
    else
        str_addf(&line, "%s%s", row->line, row->asks ? " " : "");
    if (row->asks) {
        ui->desk->want = WANT_PROMPT;
        str_copy(ui->desk->want_text, sizeof ui->desk->want_text, str_c(&line));
    } else if (command_run(ui->desk, str_c(&line)) != ERR_OK) {
        desk_complain(ui->desk);
    }
    str_fini(&line);
    return ANSWER_NONE;
}

/* Letters after `/`, found as they are typed. */
static void key_page_find(struct ui *ui, int key)
{
    char *text = ui->page_find, bytes[8];
    size_t n = (size_t)keycode_to_utf8(key, bytes), len = strlen(text);
    if (key == KC_ENTER || key == KC_ESC)
        ui->page_typing = false;
    if (key == KC_ESC)
        text[0] = '\0';
    else if (key == KC_BACK && len > 0)
        text[len - 1] = '\0';
    else if (n == 1 && len + 1 < sizeof ui->page_find)
        memcpy(text + len, bytes, 2);
    if (n == 1) {
        ui->page_top--;
        ui_find_page(ui, 1);
    }
}

static enum answer key_page(struct ui *ui, int key)
{
    if (ui->page_typing) {
        key_page_find(ui, key);
        return ANSWER_NONE;
    }
    if (key == '/') {
        ui->page_typing = true;
        ui->page_find[0] = '\0';
    } else if (key == 'n' || key == 'N') {
        ui_find_page(ui, key == 'n' ? 1 : -1);
    }
    int page = ui->page_rows - 1;
    int by = key == 'j' || key == KC_DOWN   ? 1
             : key == 'k' || key == KC_UP   ? -1
             : key == ' ' || key == KC_PGDN ? page
             : key == KC_PGUP || key == 'b' ? -page
                                            : 0;
    if (key == 'q' || key == KC_ESC || key == '?' || key == (KC_CTRL | 'c') || key == KC_F1)
        ui->over = OVER_NONE;
    ui_scroll_page(ui, by);
    return ANSWER_NONE;
}

static enum answer key_import(struct ui *ui, int key)
{
    import_key(ui, key);
    return ANSWER_NONE;
}

static bool stays(int key)
{
    return key == KC_ESC || key == 'q' || key == (KC_CTRL | 'c');
}

static enum answer key_ask_quit(struct ui *ui, int key)
{
    bool saved = key == 'y' && session_save(ui->desk->session, NULL) == ERR_OK;
    if (key == 'y' && !saved)
        desk_complain(ui->desk);
    if (key == 'y' || stays(key))
        ui->over = OVER_NONE;
    return saved || key == 'n' ? ANSWER_LEAVE : ANSWER_NONE;
}

static enum answer key_ask_recover(struct ui *ui, int key)
{
    if (key == 'y' || key == 'n' || stays(key))
        ui->over = OVER_NONE;
    return key == 'y' ? ANSWER_RECOVER : key == 'n' ? ANSWER_DISCARD : ANSWER_NONE;
}

enum answer over_key(struct ui *ui, int key)
{
    static enum answer (*const keys[])(struct ui *, int) = {
        [OVER_PROMPT] = key_prompt, [OVER_PICK] = key_pick,         [OVER_PAGE] = key_page,
        [OVER_IMPORT] = key_import, [OVER_ASK_QUIT] = key_ask_quit, [OVER_ASK_RECOVER] = key_ask_recover,
    };
    return keys[ui->over](ui, key);
}
