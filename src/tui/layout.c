/* layout.c: how a frame is put together: columns of time, scroll, the stack of views and what lies over it. */
#include <stdlib.h>
#include <string.h>

#include "keycode.h"
#include "mem.h"
#include "view.h"

const struct signs signs_ascii = {
    .line = '|',
    .rule = '-',
    .dot = '.',
    .head = '#',
    .hold = '=',
    .offgrid = ':',
    .sound = {'.', '=', '#', '#'},
    .playing = '>',
    .stopped = '.',
    .focus = '>',
    .full = '#',
    .empty = '-',
    .down = 'v',
    .corner = {'+', '+', '+', '+'},
    .edge_h = '-',
    .edge_v = '|',
};
const struct signs signs_utf8 = {
    .line = 0x2502,
    .rule = 0x2500,
    .dot = 0xb7,
    .head = 0x2588,
    .hold = 0x2584,
    .offgrid = 0x2590,
    .sound = {0x2581, 0x2583, 0x2585, 0x2587},
    .playing = 0x25b6,
    .stopped = 0x25a0,
    .focus = 0x25b8,
    .full = 0x2588,
    .empty = 0x2591,
    .down = 0x25bc,
    .corner = {0x256d, 0x256e, 0x2570, 0x256f},
    .edge_h = 0x2500,
    .edge_v = 0x2502,
};

static const struct view *const stack[] = {
    &view_header, &view_ruler, &view_strips,  &view_track,  &view_roll,
    &view_lanes,  &view_takes, &view_message, &view_status, &view_footer,
};

void ui_init(struct ui *ui, struct desk *d, bool ascii)
{
    *ui = (struct ui){.desk = d, .signs = ascii ? &signs_ascii : &signs_utf8, .top_pitch = 72};
}

void ui_page(struct ui *ui, const char *title, const struct str *text)
{
    words_fini(&ui->page);
    for (const char *p = str_c(text); *p; p += *p == '\n') {
        char *line = xstrndup(p, strcspn(p, "\n"));
        words_add(&ui->page, line);
        free(line);
        p += strcspn(p, "\n");
    }
    ui->page_title = title;
    ui->page_top = 0;
    ui->over = OVER_PAGE;
}

void ui_fini(struct ui *ui)
{
    words_fini(&ui->page);
    prompt_fini(&ui->prompt);
}

/* ---- columns of time ---- */

static int bar_cols(const struct desk *d, int bar)
{
    const struct song *song = session_song(d->session);
    int32_t len = song_bar_tick(song, bar + 1) - song_bar_tick(song, bar);
    return (len + d->grid - 1) / d->grid;
}

/* Bars from `first` that fit whole into w columns, at least one. */
static int bars_fitting(const struct desk *d, int first, int w)
{
    int n = 0, used = 1;
    while (first + n < session_n_bars(d->session) && (used += bar_cols(d, first + n) + 1) <= w)
        n++;
    return n > 0 ? n : 1;
}

static void add_col(struct cols *c, int w, struct col col)
{
    if (c->n < w && c->n < MAX_COLS)
        c->at[c->n++] = col;
}

static void make_cols(struct ui *ui, int w)
{
    const struct desk *d = ui->desk;
    const struct song *song = session_song(d->session);
    int bar = ui->first_bar, last = bar + bars_fitting(d, bar, w), skip = 0;
    ui->cols.n = 0;
    if (bar_cols(d, bar) + 2 > w) { /* zoomed in so far that not even one bar fits */
        int at = (d->tick - song_bar_tick(song, bar)) / d->grid;
        skip = at > w / 2 ? at - w / 2 : 0;
    }
    for (; bar < last; bar++) {
        int32_t from = song_bar_tick(song, bar), to = song_bar_tick(song, bar + 1);
        add_col(&ui->cols, w, (struct col){from, from, bar, true});
        for (int32_t t = from + skip * d->grid; t < to; t += d->grid)
            add_col(&ui->cols, w, (struct col){t, t + d->grid < to ? t + d->grid : to, bar, false});
    }
    int32_t end = song_bar_tick(song, bar);
    add_col(&ui->cols, w, (struct col){end, end, bar, true});
}

int col_of(const struct cols *c, int32_t tick)
{
    for (int i = 0; i < c->n; i++)
        if (!c->at[i].line && tick >= c->at[i].tick && tick < c->at[i].end)
            return i;
    return -1;
}

const struct col *col_at(const struct ui *ui, int x)
{
    int i = x - GUTTER;
    return i >= 0 && i < ui->cols.n && !ui->cols.at[i].line ? &ui->cols.at[i] : NULL;
}

/* The view moves by whole screens, so that it stands still while one works inside it. */
static void scroll(struct ui *ui, int w, int roll_rows)
{
    const struct desk *d = ui->desk;
    int last = session_n_bars(d->session) - 1;
    int bar = ui->follow && d->playing ? song_bar_of(session_song(d->session), d->playhead) : desk_bar(d);
    bar = bar > last ? last : bar;
    if (ui->first_bar > last || bar < ui->first_bar)
        ui->first_bar = bar - bar % 4;
    while (bar >= ui->first_bar + bars_fitting(d, ui->first_bar, w))
        ui->first_bar += bars_fitting(d, ui->first_bar, w);
    if (ui->first_bar > bar)
        ui->first_bar = bar;
    int span = roll_rows > 0 ? roll_rows : 1;
    if (abs(d->pitch - ui->top_pitch + span / 2) > span)
        ui->top_pitch = d->pitch + span / 2;
    if (d->pitch > ui->top_pitch)
        ui->top_pitch = d->pitch;
    if (d->pitch <= ui->top_pitch - span)
        ui->top_pitch = d->pitch + span - 1;
    if (ui->top_pitch < span - 1)
        ui->top_pitch = span - 1;
    if (ui->top_pitch > 127)
        ui->top_pitch = 127;
}

/* ---- a frame ---- */

static void draw_small(const struct ui *ui, struct grid *g)
{
    grid_printf(g, 0, 0, g->w, STYLE_PLAIN, LOOK_BOLD, "%d x %d is too small:", g->w, g->h);
    grid_printf(g, 0, 1, g->w, STYLE_PLAIN, 0, "%d x %d at least", MIN_W, MIN_H);
    grid_printf(g, 0, 2, g->w, STYLE_DIM, 0, "%s", ui->desk->message);
}

void ui_draw(struct ui *ui, struct grid *g)
{
    int rows[COUNT_OF(stack)], used = 0, y = 0, roll_rows = 0;
    if (g->w < MIN_W || g->h < MIN_H) {
        draw_small(ui, g);
        return;
    }
    int w = g->w >= 80 + 1 + SIDE_W ? g->w - SIDE_W - 1 : g->w;
    for (size_t i = 0; i < COUNT_OF(stack); i++) {
        rows[i] = stack[i]->rows(ui, w, g->h);
        used += rows[i] > 0 ? rows[i] : 0;
    }
    for (size_t i = 0; i < COUNT_OF(stack); i++)
        if (rows[i] < 0)
            roll_rows = rows[i] = g->h - used;
    scroll(ui, w - GUTTER, roll_rows);
    make_cols(ui, w - GUTTER);
    ui->key = desk_key(ui->desk);
    ui->n_places = 0;
    for (size_t i = 0; i < COUNT_OF(stack); i++) {
        bool below = stack[i] == &view_message || stack[i] == &view_status || stack[i] == &view_footer ||
                     stack[i] == &view_header;
        struct rect r = {0, y, below ? g->w : w, rows[i]};
        if (rows[i] > 0) {
            stack[i]->draw(ui, g, r);
            ui->place[ui->n_places].view = stack[i];
            ui->place[ui->n_places++].r = r;
        }
        y += rows[i];
    }
    if (w < g->w)
        draw_side(ui, g, (struct rect){w + 1, 1, SIDE_W, g->h - 4});
    if (ui->desk->pending != KC_NONE)
        draw_popup(ui, g);
    if (ui->over == OVER_PROMPT)
        draw_prompt(ui, g);
    else if (ui->over == OVER_PAGE)
        draw_page(ui, g);
    else if (ui->over == OVER_IMPORT)
        draw_import(ui, g);
    else if (ui->over == OVER_ASK_QUIT)
        draw_ask(ui, g);
    else if (ui->over == OVER_ASK_RECOVER)
        draw_ask_recover(ui, g);
}

/* The wheel moves the cursor by pitch, and the view with it; a click belongs to the view it falls on. */
void ui_pointer(struct ui *ui, int x, int y, int wheel)
{
    if (ui->over != OVER_NONE || ui->desk->pending != KC_NONE)
        return;
    if (wheel) {
        desk_pitch(ui->desk, ui->desk->pitch + 2 * wheel);
        return;
    }
    for (int i = 0; i < ui->n_places; i++) {
        struct rect r = ui->place[i].r;
        if (ui->place[i].view->click && x >= r.x && x < r.x + r.w && y >= r.y && y < r.y + r.h)
            ui->place[i].view->click(ui, r, x, y);
    }
}

/* ---- shared by views ---- */

enum style style_of(int role)
{
    return (enum style)(STYLE_DRUMS + role);
}

bool key_has(struct key k, int pitch)
{
    return k.tonic >= 0 && (key_scale(k) >> pitch % 12 & 1);
}

void ground(struct grid *g, int x, int y, enum ground what)
{
    struct cell *c = grid_at(g, x, y);
    if (c && what > c->ground)
        c->ground = (uint8_t)what;
}

void draw_bars(const struct ui *ui, struct grid *g, int y)
{
    for (int i = 0; i < ui->cols.n; i++)
        if (ui->cols.at[i].line)
            grid_put(g, GUTTER + i, y, ui->signs->line, STYLE_FRAME, 0);
}

void draw_progress(const struct ui *ui, struct grid *g, int x, int y, int w, double fraction)
{
    int full = (int)((fraction < 0 ? 0 : fraction > 1 ? 1 : fraction) * (w - 2) + 0.5);
    grid_put(g, x, y, '[', STYLE_FRAME, 0);
    for (int i = 0; i < w - 2; i++)
        grid_put(g, x + 1 + i, y, i < full ? ui->signs->full : ui->signs->empty, STYLE_GOOD, 0);
    grid_put(g, x + w - 1, y, ']', STYLE_FRAME, 0);
}

void format_place(const struct desk *d, int32_t tick, char out[16])
{
    const struct song *song = session_song(d->session);
    int bar = song_bar_of(song, tick);
    int32_t in = tick - song_bar_tick(song, bar);
    str_format(out, 16, "%03d.%d.%d", bar + 1, in / SONG_TPQ + 1, in % SONG_TPQ / (SONG_TPQ / 4) + 1);
}

void format_len(int32_t ticks, char out[16])
{
    bool dotted = ticks % 9 == 0, triplet = ticks % 3 != 0;
    int32_t plain = dotted ? ticks * 2 / 3 : triplet ? ticks * 3 / 2 : ticks;
    if (plain >= 4 * SONG_TPQ)
        str_format(out, 16, "%d/1%s", plain / (4 * SONG_TPQ), dotted ? "." : triplet ? "t" : "");
    else
        str_format(out, 16, "1/%d%s", 4 * SONG_TPQ / plain, dotted ? "." : triplet ? "t" : "");
}
