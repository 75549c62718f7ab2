/* view_over.c: what lies over the views: the pop-up of a prefix key, the prompt with its choices, the help
 * page, the question before leaving. */
#include <string.h>

#include "keycode.h"
#include "view.h"

/* Words in columns from the bottom row `y` upwards, on blank ground. Returns the rows used. */
static int draw_columns(struct grid *g, int y, const struct words *w, int marked, int max_rows)
{
    int widest = 8, n = (int)w->n;
    for (int i = 0; i < n; i++)
        widest = text_columns(w->at[i]) + 2 > widest ? text_columns(w->at[i]) + 2 : widest;
    int across = (g->w - 2) / widest > 0 ? (g->w - 2) / widest : 1;
    int rows = (n + across - 1) / across, first = 0;
    if (rows > max_rows) {
        first = marked >= 0 ? marked / across - max_rows / 2 : 0;
        first = first < 0 ? 0 : first > rows - max_rows ? rows - max_rows : first;
        rows = max_rows;
    }
    grid_fill(g, (struct rect){0, y - rows + 1, g->w, rows}, ' ', STYLE_PLAIN);
    for (int i = first * across; i < n && i < (first + rows) * across; i++)
        grid_text(g, 1 + (i - first * across) % across * widest, y - rows + 1 + i / across - first,
                  widest - 1, i == marked ? STYLE_TAKE : STYLE_PLAIN, i == marked ? LOOK_REVERSE : 0,
                  w->at[i]);
    return rows;
}

void draw_popup(const struct ui *ui, struct grid *g)
{
    struct words w = {0};
    char name[16];
    command_popup(keys_here(ui->desk), ui->desk->pending, &w);
    keycode_print(ui->desk->pending, name);
    int rows = draw_columns(g, g->h - 2, &w, -1, g->h / 2);
    int y = g->h - 2 - rows;
    grid_fill(g, (struct rect){0, y, g->w, 1}, ui->signs->rule, STYLE_FRAME);
    grid_printf(g, 2, y, 20, STYLE_KEYS, LOOK_BOLD, " %s ... ", name);
    words_fini(&w);
}

void draw_prompt(const struct ui *ui, struct grid *g)
{
    const struct prompt *p = &ui->prompt;
    int y = g->h - 1, shift = 0;
    char before[PROMPT_MAX];
    grid_fill(g, (struct rect){0, y, g->w, 1}, ' ', STYLE_PLAIN);
    str_format(before, sizeof before, "%.*s", (int)p->at, p->text);
    int at = 1 + text_columns(before);
    while (at - shift > g->w - 2)
        shift += 10;
    grid_put(g, 0, y, ':', STYLE_KEYS, LOOK_BOLD);
    int i = 0;
    for (const char *s = p->text; *s; i++) {
        int bytes, ch = keycode_from_utf8(s, &bytes);
        if (i >= shift)
            grid_put(g, 1 + i - shift, y, (uint32_t)ch, STYLE_PLAIN, 0);
        s += bytes;
    }
    struct cell *c = grid_at(g, at - shift, y);
    if (c)
        c->look |= LOOK_REVERSE;
    int rows = p->choices.n ? draw_columns(g, y - 1, &p->choices, p->chosen, g->h / 3) : 0;
    char first[32];
    str_format(first, sizeof first, "%.*s", (int)strcspn(p->text, " "), p->text);
    const struct action *a = action_find(first);
    grid_fill(g, (struct rect){0, y - 1 - rows, g->w, 1}, ui->signs->rule, STYLE_FRAME);
    if (a)
        grid_printf(g, 2, y - 1 - rows, g->w - 4, STYLE_KEYS, 0, " %s %s: %s ", a->name,
                    a->args ? a->args : "", a->help);
}

/* Over the whole screen but the header: what is typed, the rows that fit it, the note of the one at hand. */
void draw_pick(const struct ui *ui, struct grid *g)
{
    struct pick *p = (struct pick *)&ui->pick; /* a note is made when it is first seen */
    const struct pick_row *marked = pick_marked(p);
    int room = g->h - 5, first = first_row(p->at, p->n_shown, room), wide = g->w >= 100 ? 44 : 30;
    bool files = p->kind == PICK_FILES;
    draw_box(ui, g, (struct rect){0, 1, g->w, g->h - 1}, pick_title(p));
    grid_fill(g, (struct rect){1, 2, g->w - 2, g->h - 3}, ' ', STYLE_PLAIN);
    int x = grid_printf(g, 2, 2, g->w - 4, STYLE_KEYS, LOOK_BOLD, "> %s", p->typed);
    grid_put(g, x, 2, ' ', STYLE_CURSOR, LOOK_REVERSE);
    grid_printf(g, g->w - 14, 2, 12, STYLE_DIM, 0, "%4d of %zu", p->n_shown, p->n);
    for (int i = first; i < p->n_shown && i < first + room; i++) {
        const struct pick_row *row = &p->rows[p->shown[i]];
        int y = 3 + i - first, look = row == marked ? LOOK_BOLD : 0;
        if (row == marked)
            grid_put(g, 1, y, ui->signs->focus, STYLE_CURSOR, LOOK_BOLD);
        grid_text(g, 2, y, files ? g->w - 4 : wide, row == marked ? STYLE_CURSOR : STYLE_PLAIN, look, row->text);
        if (!files && row->note)
            grid_text(g, 3 + wide, y, g->w - wide - 5, row == marked ? STYLE_PLAIN : STYLE_DIM, 0, row->note);
    }
    grid_text(g, 2, g->h - 2, g->w - 4, STYLE_DIM, 0,
              files && marked && marked->note ? marked->note
              : files                         ? "Enter opens, Backspace goes up, Esc leaves"
                                              : "type a few letters, Up Down, Enter runs, Esc leaves");
}

void draw_page(const struct ui *ui, struct grid *g)
{
    int rows = ui->page_rows, n = (int)ui->page.n;
    grid_fill(g, (struct rect){0, 0, g->w, g->h}, ' ', STYLE_PLAIN);
    grid_text(g, 1, 0, g->w - 1, STYLE_TITLE, LOOK_BOLD, ui->page_title);
    for (int i = 0; i < rows && ui->page_top + i < n; i++) {
        const char *line = ui->page.at[ui->page_top + i];
        bool title = line[0] && line[0] != ' ';
        bool hit = ui->page_find[0] && strcasestr(line, ui->page_find);
        grid_text(g, 1, 1 + i, g->w - 1, title ? STYLE_TITLE : STYLE_PLAIN,
                  (title ? LOOK_BOLD : 0) | (hit ? LOOK_REVERSE : 0), line);
    }
    if (ui->page_typing) {
        grid_printf(g, 0, g->h - 1, g->w, STYLE_KEYS, LOOK_BOLD, "/%s_", ui->page_find);
        return;
    }
    grid_printf(g, 1, g->h - 1, g->w - 1, STYLE_DIM, 0,
                "%d%%  j k Space PgUp PgDn scroll, / n N find, q or Esc leaves",
                n <= rows ? 100 : 100 * (ui->page_top + rows < n ? ui->page_top + rows : n) / n);
}

static void draw_question(struct grid *g, const char *what, const char *keys)
{
    struct rect r = {0, g->h - 2, g->w, 2};
    grid_fill(g, r, ' ', STYLE_PLAIN);
    grid_text(g, 1, r.y, g->w - 2, STYLE_BAD, LOOK_BOLD, what);
    grid_text(g, 1, r.y + 1, g->w - 2, STYLE_PLAIN, 0, keys);
}

void draw_ask(const struct ui *ui, struct grid *g)
{
    char what[256];
    str_format(what, sizeof what, "%s is not saved.", session_title(ui->desk->session));
    draw_question(g, what, "y save and leave   n leave without saving   Esc stay");
}

void draw_ask_recover(const struct ui *ui, struct grid *g)
{
    char what[256];
    str_format(what, sizeof what, "recover %s?", ui->orphan);
    draw_question(g, what, "y recover   n throw it away   Esc ask again next time");
}
