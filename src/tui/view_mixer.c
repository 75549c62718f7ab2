/* view_mixer.c: the mixer: a row a track with its faders. The focused track is the row at hand, and one fader of
 * it is turned by + and -. */
#include "command.h"
#include "mix.h"
#include "view.h"

enum { LABEL = 12, METER = 8 };
/* Columns of the faders; the program comes last on the screen, since its name is long. */
static const struct { enum fader_kind kind; int x, w; const char *title; } columns[] = {
    {FADER_VOLUME, LABEL, 4, "vol"},      {FADER_PAN, LABEL + 5, 4, "pan"},      {FADER_REVERB, LABEL + 10, 4, "rev"},
    {FADER_CHORUS, LABEL + 15, 4, "cho"}, {FADER_PROGRAM, LABEL + 23, 24, "program"},
};
enum { FLAGS = LABEL + 20 };

static int mixer_rows(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w, (void)h;
    return N_ROLES + 3;
}

static void draw_track(const struct ui *ui, struct grid *g, struct rect r, int role)
{
    struct desk *d = ui->desk;
    const struct track *t = &session_song(d->session)->tracks[role];
    bool focus = role == d->track;
    enum style style = t->mute ? STYLE_DIM : style_of(role);
    int y = r.y + 2 + role;
    char text[FADER_TEXT];
    if (focus)
        grid_put(g, r.x + 1, y, ui->signs->focus, STYLE_CURSOR, LOOK_BOLD);
    grid_printf(g, r.x + 2, y, LABEL - 2, style, focus ? LOOK_BOLD : 0, "%d %s", role + 1, role_name((enum role)role));
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        bool hand = focus && pane_focused(ui, PANE_MIXER) && (int)columns[i].kind == d->row[PANE_MIXER];
        fader_print(&faders[columns[i].kind], d, t, text);
        int room = r.w - 1 - columns[i].x;
        grid_text(g, r.x + columns[i].x, y, columns[i].w < room ? columns[i].w : room, style,
                  hand ? LOOK_REVERSE | LOOK_BOLD : 0, text);
    }
    grid_printf(g, r.x + FLAGS, y, 2, STYLE_PLAIN, LOOK_BOLD, "%c%c", t->mute ? 'M' : ' ', t->solo ? 'S' : ' ');
    int x = columns[COUNT_OF(columns) - 1].x + 25;
    if (x + METER < r.w)
        draw_meter(ui, g, r.x + x, y, r.w - 2 - x < 4 * METER ? r.w - 2 - x : 4 * METER, ui->meter[role]);
}

static void mixer_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    draw_pane(ui, g, r, PANE_MIXER, "MIXER");
    grid_text(g, r.x + 2, r.y + 1, 8, STYLE_DIM, 0, "track");
    for (size_t i = 0; i < COUNT_OF(columns); i++)
        if (columns[i].x + 4 < r.w)
            grid_text(g, r.x + columns[i].x, r.y + 1, r.w - 1 - columns[i].x, STYLE_DIM, 0, columns[i].title);
    for (int role = 0; role < N_ROLES && role < r.h - 3; role++)
        draw_track(ui, g, r, role);
}

static void mixer_click(struct ui *ui, struct rect r, int x, int y)
{
    struct desk *d = ui->desk;
    d->pane = PANE_MIXER;
    if (y < r.y + 2 || y >= r.y + 2 + N_ROLES)
        return;
    desk_focus(d, y - r.y - 2);
    for (size_t i = 0; i < COUNT_OF(columns); i++)
        if (x >= r.x + columns[i].x && x < r.x + columns[i].x + columns[i].w)
            d->row[PANE_MIXER] = (int)columns[i].kind;
    if (x == r.x + FLAGS || x == r.x + FLAGS + 1)
        ui_command(ui, x == r.x + FLAGS ? "mute" : "solo");
}
const struct view view_mixer = {"mixer", mixer_rows, mixer_draw, mixer_click, NULL};
