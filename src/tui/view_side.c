/* view_side.c: the boxes of the panel at the right of wide screens: takes with their outline, the next request,
 * the focused track, the output. Takes and request are panes too, and may be drawn larger in the roll's place. */
#include <math.h>
#include <string.h>

#include "setting.h"
#include "view.h"

void draw_box(const struct ui *ui, struct grid *g, struct rect r, const char *title)
{
    const struct signs *s = ui->signs;
    for (int x = 0; x < r.w; x++) {
        grid_put(g, r.x + x, r.y, s->edge_h, STYLE_FRAME, 0);
        grid_put(g, r.x + x, r.y + r.h - 1, s->edge_h, STYLE_FRAME, 0);
    }
    for (int y = 0; y < r.h; y++) {
        grid_put(g, r.x, r.y + y, s->edge_v, STYLE_FRAME, 0);
        grid_put(g, r.x + r.w - 1, r.y + y, s->edge_v, STYLE_FRAME, 0);
    }
    for (int i = 0; i < 4; i++)
        grid_put(g, r.x + (i & 1 ? r.w - 1 : 0), r.y + (i & 2 ? r.h - 1 : 0), s->corner[i], STYLE_FRAME, 0);
    grid_printf(g, r.x + 2, r.y, r.w - 4, STYLE_TITLE, LOOK_BOLD, " %s ", title);
}

void draw_pane(const struct ui *ui, struct grid *g, struct rect r, enum pane p, const char *title)
{
    bool focus = pane_focused(ui, p);
    draw_box(ui, g, r, title);
    if (focus) {
        grid_put(g, r.x + 2, r.y, ui->signs->focus, STYLE_CURSOR, LOOK_BOLD);
        grid_text(g, r.x + 3, r.y, r.w - 4, STYLE_CURSOR, LOOK_BOLD, title);
    }
}

/* A take as a line: how much the open tracks play in each eighth of a bar, two bars to the line. */
static void outline(const struct ui *ui, struct grid *g, int x, int y, int w, const struct take *t)
{
    const struct song *song = t->song;
    int32_t from = song_bar_tick(song, ui->desk->job_bar0), step = SONG_TPQ / 2;
    for (int i = 0; i < w; i++) {
        int32_t a = from + i * step, n = 0;
        for (size_t r = 0; r < song->n_tracks; r++)
            n += (int32_t)(track_first_at(&song->tracks[r], a + step) - track_first_at(&song->tracks[r], a));
        grid_put(g, x + i, y,
                 n ? ui->signs->sound[n > 7   ? 3
                                      : n > 4 ? 2
                                      : n > 1 ? 1
                                              : 0]
                   : ' ',
                 STYLE_TAKE, 0);
    }
}

/* ---- takes ---- */

static int rest_rows(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w, (void)h;
    return -1;
}

static int first_take(const struct ui *ui, int room)
{
    const struct session *s = ui->desk->session;
    int n = session_n_takes(s), at = pane_focused(ui, PANE_TAKES) ? desk_row(ui->desk, PANE_TAKES)
                                     : session_current(s) >= 0    ? session_current(s)
                                                                  : n - 1;
    return first_row(at, n, room);
}

/* What is to be known of a take in a word or two: its place on the way, what is odd about it, or its seed. */
static void format_take(const struct session *s, const struct take *t, char out[32])
{
    int a = session_marked(s, 0), b = session_marked(s, 1);
    bool way = a >= 0 && b >= 0 && t->between[0] == (uint32_t)session_take_number(s, a) &&
               t->between[1] == (uint32_t)session_take_number(s, b);
    if (t->empty)
        str_copy(out, 32, "empty");
    else if (way)
        str_format(out, 32, "A-B %.2f", t->mix);
    else if (t->twin)
        str_format(out, 32, "= %u", t->twin);
    else
        str_format(out, 32, "%llu", (unsigned long long)t->seed);
}

static void takes_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct session *s = ui->desk->session;
    int n = session_n_takes(s), now = session_current(s), room = r.h - 2, first = first_take(ui, room);
    int at = pane_focused(ui, PANE_TAKES) ? desk_row(ui->desk, PANE_TAKES) : -1;
    int wide = r.w > 60 ? r.w - 44 : 16;
    char title[32];
    str_format(title, sizeof title, "TAKES (%d)", n);
    draw_pane(ui, g, r, PANE_TAKES, title);
    if (n == 0 && room > 0)
        grid_text(g, r.x + 2, r.y + 1, r.w - 4, STYLE_DIM, 0, "none yet: g a accompany, g g new");
    for (int i = first; i < n && i < first + room; i++) {
        const struct take *t = session_take(s, i);
        int y = r.y + 1 + i - first;
        if (i == at)
            grid_put(g, r.x + 1, y, ui->signs->focus, STYLE_CURSOR, LOOK_BOLD);
        grid_printf(g, r.x + 2, y, 9, i == now ? STYLE_TAKE : STYLE_PLAIN,
                    i == now ? LOOK_BOLD | LOOK_REVERSE : 0, "%c%c%3d%c",
                    i == session_marked(s, 0) ? 'A' : ' ', i == session_marked(s, 1) ? 'B' : ' ',
                    session_take_number(s, i), t->star ? '*' : ' ');
        outline(ui, g, r.x + 9, y, wide, t);
        int x = r.x + 10 + wide;
        char what[32];
        format_take(s, t, what);
        x = grid_text(g, x, y, r.x + r.w - 1 - x, STYLE_DIM, 0, what);
        if (r.w > 60)
            grid_printf(g, x + 2, y, r.x + r.w - 3 - x, STYLE_DIM, 0, "%s", t->params);
    }
}

/* A click takes the row's take. */
static void takes_click(struct ui *ui, struct rect r, int x, int y)
{
    int i = first_take(ui, r.h - 2) + y - r.y - 1;
    (void)x;
    ui->desk->pane = PANE_TAKES;
    if (y <= r.y || y >= r.y + r.h - 1 || i >= session_n_takes(ui->desk->session))
        return;
    ui->desk->row[PANE_TAKES] = i;
    ui_command(ui, "take here");
}
const struct view view_takes_box = {"takes box", rest_rows, takes_draw, takes_click, NULL};

/* ---- the next request ---- */

static void row(struct grid *g, struct rect r, int i, const char *name, const char *text)
{
    if (i >= r.h - 1)
        return;
    grid_text(g, r.x + 2, r.y + i, 8, STYLE_DIM, 0, name);
    grid_text(g, r.x + 10, r.y + i, r.w - 12, STYLE_PLAIN, 0, text);
}

static int request_rows(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w, (void)h;
    return n_settings + 4;
}

static void who_plays(const struct ui *ui, struct grid *g, struct rect r, int y)
{
    struct desk *d = ui->desk;
    struct str who = {0};
    for (int role = 0; role < N_ROLES; role++)
        if (!session_track_kept(d->session, (enum role)role) && !session_song(d->session)->tracks[role].mute)
            str_addf(&who, "%s%d", who.len ? " " : "", role + 1);
    if (d->job >= 0)
        draw_progress(ui, g, r.x + 2, y, r.w - 4, d->progress);
    else
        grid_printf(g, r.x + 2, y, r.w - 4, STYLE_DIM, 0, "for tracks  %s", who.len ? str_c(&who) : "- all are kept");
    str_fini(&who);
}

static void request_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    int room = r.h - 2 < n_settings ? r.h - 2 : n_settings;
    int at = pane_focused(ui, PANE_GENERATE) ? desk_row(ui->desk, PANE_GENERATE) : -1;
    int first = first_row(at < 0 ? 0 : at, n_settings, room);
    draw_pane(ui, g, r, PANE_GENERATE, "GENERATE");
    for (int i = first; i < first + room; i++) {
        char text[SETTING_TEXT];
        int y = r.y + 1 + i - first;
        settings_table[i].print(ui->desk, text);
        if (i == at)
            grid_put(g, r.x + 1, y, ui->signs->focus, STYLE_CURSOR, LOOK_BOLD);
        grid_text(g, r.x + 2, y, 11, i == at ? STYLE_PLAIN : STYLE_DIM, i == at ? LOOK_BOLD : 0,
                  settings_table[i].name);
        grid_text(g, r.x + 14, y, r.w - 15, i == at ? STYLE_CURSOR : STYLE_PLAIN, i == at ? LOOK_BOLD : 0, text);
    }
    if (r.h - 2 > n_settings)
        who_plays(ui, g, r, r.y + r.h - 2);
}

/* A click brings the row's cursor; another on its value goes one on. */
static void request_click(struct ui *ui, struct rect r, int x, int y)
{
    struct desk *d = ui->desk;
    int room = r.h - 2 < n_settings ? r.h - 2 : n_settings, at = desk_row(d, PANE_GENERATE);
    int i = first_row(pane_focused(ui, PANE_GENERATE) ? at : 0, n_settings, room) + y - r.y - 1;
    bool again = pane_focused(ui, PANE_GENERATE) && i == at;
    d->pane = PANE_GENERATE;
    if (y <= r.y || y > r.y + room || i >= n_settings)
        return;
    d->row[PANE_GENERATE] = i;
    if (again && x >= r.x + 14)
        ui_command(ui, "adjust +");
}
const struct view view_generate = {"generate", request_rows, request_draw, request_click, NULL};

/* ---- the focused track ---- */

static int track_rows(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w, (void)h;
    return 6;
}

static void track_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    struct desk *d = ui->desk;
    const struct track *t = desk_track(d);
    int density = session_settings(d->session)->density[d->track], low = 127, high = 0;
    char text[64], a[8], b[8], title[32];
    str_format(title, sizeof title, "TRACK %d %s", d->track + 1, role_name((enum role)d->track));
    draw_box(ui, g, r, title);
    str_format(text, sizeof text, "%d %s", t->program + 1,
               desk_drums(d) ? "Kit" : gm_program_name(t->program));
    row(g, r, 1, "program", text);
    str_format(text, sizeof text, "vol %d  pan %d  rev %d", t->volume, t->pan, t->reverb);
    row(g, r, 2, "mix", text);
    str_format(text, sizeof text, density < 0 ? "auto" : "%d of 7", density);
    row(g, r, 3, "density", text);
    for (size_t i = 0; i < t->n; i++) {
        low = t->notes[i].pitch < low ? t->notes[i].pitch : low;
        high = t->notes[i].pitch > high ? t->notes[i].pitch : high;
    }
    pitch_name(low, d->middle_c, a);
    pitch_name(high, d->middle_c, b);
    str_format(text, sizeof text, t->n ? "%zu, %s to %s" : "none", t->n, a, b);
    row(g, r, 4, "notes", text);
}

const struct view view_track_box = {"track box", track_rows, track_draw, NULL, NULL};

/* ---- output ---- */

static int output_rows(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w, (void)h;
    return 6;
}

void draw_meter(const struct ui *ui, struct grid *g, int x, int y, int w, float level)
{
    int full = level <= 0.001f ? 0 : (int)((float)w * (1 + log10f(level) / 2.4f) + 0.5f); /* the top 48 dB */
    for (int i = 0; i < w; i++)
        grid_put(g, x + i, y, i < full ? ui->signs->full : ui->signs->empty,
                 i >= full ? STYLE_FRAME : level >= 1 ? STYLE_BAD : STYLE_GOOD, 0);
}

static void output_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    draw_box(ui, g, r, "OUTPUT");
    row(g, r, 1, "sound", ui->sound);
    char text[80];
    str_format(text, sizeof text, "%s  in %s%s", ui->midi_out[0] ? ui->midi_out : "-", ui->midi_in[0] ? ui->midi_in : "-", ui->desk->sound.clock ? "  clock" : "");
    row(g, r, 2, "midi", text);
    if (r.h > 5) {
        int w = (r.w - 9) / 2;
        grid_put(g, r.x + 2, r.y + 3, 'L', STYLE_DIM, 0);
        draw_meter(ui, g, r.x + 4, r.y + 3, w, ui->level[0]);
        grid_put(g, r.x + 5 + w, r.y + 3, 'R', STYLE_DIM, 0);
        draw_meter(ui, g, r.x + 7 + w, r.y + 3, w, ui->level[1]);
    }
    row(g, r, 4, "compute", ui->compute);
}
const struct view view_output = {"output", output_rows, output_draw, NULL, NULL};
