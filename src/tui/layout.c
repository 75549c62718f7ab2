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
    .strange = 'X',
    .ghost_head = 'o',
    .ghost_hold = '-',
    .maybe_head = '?',
    .maybe_hold = '~',
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
    .strange = 0x2593,
    .ghost_head = 0x2592,
    .ghost_hold = 0x2591,
    .maybe_head = 0x25c7,
    .maybe_hold = 0x254c,
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

/* The views from top to bottom, and when each is there. */
enum when { ALWAYS, WITH_ROLL, WITH_PANE, NOT_ALONE, ROLL_NOT_ALONE };
static const struct {
    const struct view *view;
    enum when when;
    bool full; /* as wide as the screen; others leave the panel its place */
} stack[] = {
    {&view_header, ALWAYS, true},     {&view_form, ALWAYS, false},
    {&view_ruler, WITH_ROLL, false},
    {&view_strips, NOT_ALONE, false}, {&view_track, ROLL_NOT_ALONE, false},
    {&view_roll, WITH_ROLL, false},   {&view_lanes, WITH_ROLL, false},
    {NULL, WITH_PANE, false},         {&view_takes, NOT_ALONE, false},
    {&view_message, ALWAYS, true},    {&view_status, ALWAYS, true},
    {&view_footer, ALWAYS, true},
};

/* The panel at the side, from top to bottom; the first takes what the others leave, the last go first. */
static const struct view *const panel[] = {&view_takes_box, &view_generate, &view_track_box, &view_output};

/* What a pane looks like in the roll's place. */
static const struct view *const pane_views[N_PANES] = {
    [PANE_ROLL] = &view_roll,   [PANE_TAKES] = &view_takes_box, [PANE_GENERATE] = &view_generate,
    [PANE_MIXER] = &view_mixer, [PANE_FALL] = &view_fall,
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
    ui->page_find[0] = '\0';
    ui->page_typing = false;
    ui->over = OVER_PAGE;
}

void ui_scroll_page(struct ui *ui, int by)
{
    int last = (int)ui->page.n - ui->page_rows;
    ui->page_top = ui->page_top + by > last ? last : ui->page_top + by;
    ui->page_top = ui->page_top < 0 ? 0 : ui->page_top;
}

void ui_find_page(struct ui *ui, int by)
{
    int n = (int)ui->page.n;
    for (int i = 1; i <= n && ui->page_find[0]; i++) {
        int at = ((ui->page_top + by * i) % n + n) % n;
        if (strcasestr(ui->page.at[at], ui->page_find)) {
            ui->page_top = at;
            ui_scroll_page(ui, 0);
            return;
        }
    }
}

void ui_fini(struct ui *ui)
{
    words_fini(&ui->page);
    prompt_fini(&ui->prompt);
    pick_fini(&ui->pick);
}

/* ---- columns of time ---- */

static int bar_cols(const struct desk *d, int bar)
{
    const struct song *song = session_song(d->session);
    int32_t len = song_bar_tick(song, bar + 1) - song_bar_tick(song, bar);
    return (len + d->grid - 1) / d->grid;
}

int bars_shown(const struct desk *d)
{
    const struct suggestion *one = desk_suggestion(d);
    return session_n_bars(d->session) + (one && one->notes[0].tick >= session_end(d->session));
}

/* Bars from `first` that fit whole into w columns, at least one. */
static int bars_fitting(const struct desk *d, int first, int w)
{
    int n = 0, used = 1;
    while (first + n < bars_shown(d) && (used += bar_cols(d, first + n) + 1) <= w)
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

/* All of it, or its top where there is not room enough; the cursor's row as long as both fit. */
static void scroll_to_suggestion(struct ui *ui, int span)
{
    const struct suggestion *one = desk_suggestion(ui->desk);
    int low = 127, high = 0;
    for (int i = 0; one && i < one->n; i++) {
        low = one->notes[i].pitch < low ? one->notes[i].pitch : low;
        high = one->notes[i].pitch > high ? one->notes[i].pitch : high;
    }
    if (one && low <= ui->top_pitch - span)
        ui->top_pitch = low + span - 1;
    if (one && (high > ui->top_pitch || high - low >= span))
        ui->top_pitch = high;
}

/* The view moves by whole screens, so that it stands still while one works inside it. */
static void scroll(struct ui *ui, int w, int roll_rows)
{
    const struct desk *d = ui->desk;
    int last = bars_shown(d) - 1;
    int bar = song_bar_of(session_song(d->session), ui->follow && d->playing ? d->playhead : d->tick);
    bar = bar > last ? last : bar;
    if (ui->first_bar > last || bar < ui->first_bar)
        ui->first_bar = bar - bar % 4;
    while (bar >= ui->first_bar + bars_fitting(d, ui->first_bar, w))
        ui->first_bar += bars_fitting(d, ui->first_bar, w);
    if (ui->first_bar > bar)
        ui->first_bar = bar;
    /* Behind the end what leads there is seen too. */
    for (int first = ui->first_bar - 1; bar == session_n_bars(d->session) && first >= 0; first--)
        ui->first_bar = first + bars_fitting(d, first, w) > bar ? first : ui->first_bar;
    int span = roll_rows > 0 ? roll_rows : 1, line = line_of(d->track, d->pitch);
    if (abs(line - ui->top_pitch + span / 2) > span)
        ui->top_pitch = line + span / 2;
    if (line > ui->top_pitch)
        ui->top_pitch = line;
    if (line <= ui->top_pitch - span)
        ui->top_pitch = line + span - 1;
    scroll_to_suggestion(ui, span);
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

static void draw_view(struct ui *ui, struct grid *g, const struct view *v, struct rect r)
{
    v->draw(ui, g, r);
    ui->place[ui->n_places].view = v;
    ui->place[ui->n_places++].r = r;
}

/* How many boxes of the panel fit in h rows. */
static int panel_fit(const struct ui *ui, int h, int rows[COUNT_OF(panel)])
{
    enum { LEAST_FIRST = 6 };
    int n = 1;
    rows[0] = h;
    for (; n < (int)COUNT_OF(panel); n++) {
        rows[n] = panel[n]->rows(ui, SIDE_W, h);
        if (rows[0] - rows[n] < LEAST_FIRST)
            break;
        rows[0] -= rows[n];
    }
    return n;
}

static bool in_panel(const struct ui *ui, const struct view *v, int h)
{
    int rows[COUNT_OF(panel)], n = panel_fit(ui, h, rows);
    for (int i = 0; i < n; i++)
        if (panel[i] == v)
            return true;
    return false;
}

static void draw_panel(struct ui *ui, struct grid *g, struct rect r)
{
    int rows[COUNT_OF(panel)], n = panel_fit(ui, r.h, rows);
    for (int i = 0; i < n; r.y += rows[i++])
        draw_view(ui, g, panel[i], (struct rect){r.x, r.y, r.w, rows[i]});
}

/* A pane that is not in the panel, or is maximised, takes the roll's place; on a low screen the strips' too.
 * Whether there is a panel. */
static bool choose_shown(struct ui *ui, int w, int h)
{
    enum { LOW = 20 };
    const struct desk *d = ui->desk;
    bool wide = w >= 80 + 1 + SIDE_W;
    bool own = wide && !d->maximised && in_panel(ui, pane_views[d->pane], h - 4);
    ui->shown = own ? PANE_ROLL : d->pane;
    ui->alone = d->maximised || ui->shown == PANE_FALL || (h < LOW && ui->shown != PANE_ROLL);
    return wide && !ui->alone;
}

static bool present(const struct ui *ui, enum when when)
{
    switch (when) {
    case WITH_ROLL:
        return ui->shown == PANE_ROLL;
    case WITH_PANE:
        return ui->shown != PANE_ROLL;
    case NOT_ALONE:
        return !ui->alone;
    case ROLL_NOT_ALONE:
        return ui->shown == PANE_ROLL && !ui->alone;
    default:
        return true;
    }
}

static void draw_stack(struct ui *ui, struct grid *g, int w)
{
    int rows[COUNT_OF(stack)], used = 0, y = 0, rest = 0;
    const struct view *views[COUNT_OF(stack)];
    for (size_t i = 0; i < COUNT_OF(stack); i++) {
        views[i] = stack[i].view ? stack[i].view : pane_views[ui->shown];
        rows[i] = !present(ui, stack[i].when) ? 0 : stack[i].view ? views[i]->rows(ui, w, g->h) : -1;
        used += rows[i] > 0 ? rows[i] : 0;
    }
    for (size_t i = 0; i < COUNT_OF(stack); i++)
        if (rows[i] < 0)
            rest = rows[i] = g->h - used;
    scroll(ui, w - GUTTER, rest);
    make_cols(ui, w - GUTTER);
    for (size_t i = 0; i < COUNT_OF(stack); y += rows[i++])
        if (rows[i] > 0)
            draw_view(ui, g, views[i], (struct rect){0, y, stack[i].full ? g->w : w, rows[i]});
}

void ui_draw(struct ui *ui, struct grid *g)
{
    static void (*const overs[])(const struct ui *, struct grid *) = {
        [OVER_PROMPT] = draw_prompt, [OVER_PICK] = draw_pick,    [OVER_PAGE] = draw_page,
        [OVER_IMPORT] = draw_import, [OVER_ASK_QUIT] = draw_ask, [OVER_ASK_RECOVER] = draw_ask_recover,
    };
    if (g->w < MIN_W || g->h < MIN_H) {
        draw_small(ui, g);
        return;
    }
    ui->key = desk_key(ui->desk);
    ui->page_rows = g->h - 2;
    ui->n_places = 0;
    bool side = choose_shown(ui, g->w, g->h);
    int w = side ? g->w - SIDE_W - 1 : g->w;
    draw_stack(ui, g, w);
    if (side)
        draw_panel(ui, g, (struct rect){w + 1, 1, SIDE_W, g->h - 4});
    if (ui->desk->pending != KC_NONE)
        draw_popup(ui, g);
    if (ui->over != OVER_NONE)
        overs[ui->over](ui, g);
}

/* ---- pointer ---- */

void ui_command(struct ui *ui, const char *line)
{
    if (command_run(ui->desk, line) != ERR_OK)
        desk_complain(ui->desk);
}

/* Pitch, time with Shift, zoom with Ctrl; over a page or a pane with rows the wheel goes through it. */
static void turn_wheel(struct ui *ui, struct pointer p)
{
    if (ui->over == OVER_PAGE)
        ui_scroll_page(ui, -3 * p.by);
    else if (ui->over != OVER_NONE)
        return;
    else if (p.ctrl)
        ui_command(ui, p.by > 0 ? "zoom +" : "zoom -");
    else if (p.shift)
        ui_command(ui, p.by > 0 ? "left" : "right");
    else if (ui->desk->mode == MODE_NORMAL && desk_rows(ui->desk, ui->desk->pane) > 0)
        ui_command(ui, p.by > 0 ? "row -1" : "row +1");
    else
        desk_pitch(ui->desk,
                   pitch_of_line(ui->desk->track, line_of(ui->desk->track, ui->desk->pitch) + 2 * p.by));
}

/* A press belongs to the view it falls on, and so does all that follows until the release. */
void ui_pointer(struct ui *ui, struct pointer p)
{
    if (p.kind == POINTER_WHEEL) {
        turn_wheel(ui, p);
        return;
    }
    if (p.kind != POINTER_PRESS) {
        if (ui->held.view && ui->held.view->drag)
            ui->held.view->drag(ui, ui->held.r, p.x, p.y, p.kind == POINTER_RELEASE);
        if (p.kind == POINTER_RELEASE)
            ui->held.view = NULL;
        return;
    }
    ui->held.view = NULL;
    if (ui->over != OVER_NONE || ui->desk->pending != KC_NONE)
        return;
    for (int i = 0; i < ui->n_places; i++) {
        struct rect r = ui->place[i].r;
        if (p.x < r.x || p.x >= r.x + r.w || p.y < r.y || p.y >= r.y + r.h)
            continue;
        ui->held.view = ui->place[i].view;
        ui->held.r = r;
        if (ui->held.view == &view_roll || ui->held.view == &view_strips)
            ui->desk->pane = PANE_ROLL;
        if (ui->held.view->click)
            ui->held.view->click(ui, r, p.x, p.y);
        return;
    }
}

/* ---- shared by views ---- */

bool pane_focused(const struct ui *ui, enum pane p)
{
    return ui->desk->mode == MODE_NORMAL && ui->desk->pane == p;
}

int first_row(int at, int n, int room)
{
    int first = at - room / 2;
    first = first > n - room ? n - room : first;
    return first < 0 ? 0 : first;
}

enum style style_of(int role)
{
    return (enum style)(STYLE_DRUMS + role);
}

bool col_selected(const struct desk *d, const struct col *c, int track, int pitch)
{
    struct area a = desk_area(d);
    if (d->mode != MODE_SELECT || c->line || track < a.track0 || track > a.track1)
        return false;
    if (d->select != SELECT_PICKED)
        return c->tick >= a.from && c->tick < a.to &&
               (pitch < 0 || (line_of(track, pitch) >= a.low && line_of(track, pitch) <= a.high));
    for (size_t i = 0; i < d->picks.n; i++)
        if (d->picks.at[i].track == track && d->picks.at[i].tick >= c->tick && d->picks.at[i].tick < c->end &&
            (pitch < 0 || d->picks.at[i].pitch == pitch))
            return true;
    return false;
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
