/* view_import.c: the page that asks what a foreign file is to become: a row a track with the role it goes to, then
 * rows for bars, tempo and metre, and under them what was heard. Enter takes it in, Esc leaves all as it was. */
#include <math.h>
#include <stdlib.h>

#include "file.h"
#include "import.h"
#include "keycode.h"
#include "theory.h"
#include "view.h"

/* ---- rows under the tracks ---- */

static void show_from(const struct import *im, char out[64])
{
    str_format(out, 64, "%d", im->bar0 + 1);
}

static void change_from(struct import *im, int by)
{
    int end = im->bar0 + im->n_bars, from = im->bar0 + by;
    from = from < 0 ? 0 : from >= end ? end - 1 : from;
    import_span(im, from, end - from);
}

static void show_to(const struct import *im, char out[64])
{
    str_format(out, 64, "%d of %d", im->bar0 + im->n_bars, import_all_bars(im));
}

static void change_to(struct import *im, int by)
{
    import_span(im, im->bar0, im->n_bars + by);
}

static void show_tempo(const struct import *im, char out[64])
{
    double bpm = song_bpm(im->song, 0);
    if (im->bpm > 0)
        str_format(out, 64, "%.4g throughout", im->bpm);
    else if (im->song->n_tempos > 1)
        str_format(out, 64, "%.4g and %zu changes, as in the file", bpm, im->song->n_tempos - 1);
    else
        str_format(out, 64, "%.4g, %s", bpm, im->tempo_told ? "as in the file" : "the file names none");
}

/* Back where the file's own tempo is, it is the file's again. */
static void change_tempo(struct import *im, int by)
{
    double own = song_bpm(im->song, 0), now = round(im->bpm > 0 ? im->bpm : own) + by;
    now = now < 20 ? 20 : now > 400 ? 400 : now;
    im->bpm = now == round(own) ? 0 : now;
}

static const struct { int num, den; } metres[] = {{0, 0}, {4, 4}, {3, 4}, {2, 4}, {5, 4}, {6, 8}, {7, 8}, {12, 8}};

static void show_metre(const struct import *im, char out[64])
{
    struct metre m = song_metre(im->song, 0);
    if (im->num > 0)
        str_format(out, 64, "%d/%d throughout", im->num, im->den);
    else if (import_metre_doubtful(im))
        str_format(out, 64, "4/4, the file names none; it sounds like %d/%d", im->beat.num, im->beat.den);
    else
        str_format(out, 64, "%d/%d%s, %s", m.num, m.den, im->song->n_metres > 1 ? " and changes" : "",
                   im->metre_told ? "as in the file" : "the file names none");
}

static void change_metre(struct import *im, int by)
{
    int n = (int)COUNT_OF(metres), i = 0;
    while (i < n - 1 && (metres[i].num != im->num || metres[i].den != im->den))
        i++;
    i = (i + by + n) % n;
    import_metre(im, metres[i].num, metres[i].den);
}

static const struct {
    const char *name;
    void (*show)(const struct import *im, char out[64]);
    void (*change)(struct import *im, int by);
} settings[] = {
    {"from bar", show_from, change_from},
    {"to bar", show_to, change_to},
    {"tempo", show_tempo, change_tempo},
    {"metre", show_metre, change_metre},
};

/* ---- keys ---- */

static int n_rows(const struct import *im)
{
    return (int)(im->song->n_tracks + COUNT_OF(settings));
}

static void go(struct ui *ui, struct import *im, int by)
{
    int n = n_rows(im);
    ui->import_row = (ui->import_row + by + n) % n;
}

/* Through the five roles and "left out". */
static void change(struct ui *ui, struct import *im, int by)
{
    int n = (int)im->song->n_tracks;
    if (ui->import_row >= n)
        settings[ui->import_row - n].change(im, by);
    else
        im->role[ui->import_row] = (enum role)(((int)im->role[ui->import_row] + by + N_ROLES + 1) % (N_ROLES + 1));
}

static void set_role(struct ui *ui, struct import *im, int digit)
{
    if (ui->import_row < (int)im->song->n_tracks)
        im->role[ui->import_row] = digit ? (enum role)(digit - 1) : ROLE_NONE;
}

static void take_in(struct ui *ui, struct import *im, int by)
{
    (void)im, (void)by;
    ui->over = OVER_NONE;
    if (desk_import(ui->desk) != ERR_OK)
        desk_complain(ui->desk);
}

static void leave(struct ui *ui, struct import *im, int by)
{
    (void)im, (void)by;
    ui->over = OVER_NONE;
    desk_say(ui->desk, "nothing was imported; :import asks again");
}

static const struct {
    int key, with;
    void (*run)(struct ui *ui, struct import *im, int with);
} keys[] = {
    {'j', 1, go},          {KC_DOWN, 1, go},       {'k', -1, go},      {KC_UP, -1, go},
    {'l', 1, change},      {KC_RIGHT, 1, change},  {'h', -1, change},  {KC_LEFT, -1, change},
    {KC_PGUP, 10, change}, {KC_PGDN, -10, change}, {'1', 1, set_role}, {'2', 2, set_role},
    {'3', 3, set_role},    {'4', 4, set_role},     {'5', 5, set_role}, {'0', 0, set_role},
    {KC_ENTER, 0, take_in}, {KC_ESC, 0, leave},    {'q', 0, leave},    {KC_CTRL | 'c', 0, leave},
};

void import_key(struct ui *ui, int key)
{
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (keys[i].key == key) {
            keys[i].run(ui, ui->desk->import, keys[i].with);
            return;
        }
}

void import_ask(struct ui *ui)
{
    ui->import_row = 0;
    ui->over = OVER_IMPORT;
}

/* ---- the page ---- */

static void range_of(const struct track *t, int middle_c, char out[24])
{
    int low = 127, high = 0;
    char a[8], b[8];
    for (size_t i = 0; i < t->n; i++) {
        low = t->notes[i].pitch < low ? t->notes[i].pitch : low;
        high = t->notes[i].pitch > high ? t->notes[i].pitch : high;
    }
    pitch_name(low, middle_c, a);
    pitch_name(high, middle_c, b);
    str_format(out, 24, t->n == 0 || t->channel == 9 ? "" : "%s..%s", a, b);
}

static void draw_role(struct grid *g, int x, int y, enum role r, bool here)
{
    bool out = r >= N_ROLES;
    grid_text(g, x, y, g->w - x, STYLE_DIM, 0, here ? "<" : " ");
    grid_printf(g, x + 2, y, 10, out ? STYLE_DIM : style_of((int)r), here ? LOOK_REVERSE : LOOK_BOLD, "%s",
                out ? "left out" : role_name(r));
    grid_text(g, x + 11, y, 1, STYLE_DIM, 0, here ? ">" : " ");
}

static void draw_track(const struct ui *ui, struct grid *g, int y, int i)
{
    const struct import *im = ui->desk->import;
    const struct track *t = &im->song->tracks[i];
    bool here = i == ui->import_row;
    char range[24];
    range_of(t, ui->desk->middle_c, range);
    if (here)
        grid_put(g, 0, y, ui->signs->focus, STYLE_KEYS, LOOK_BOLD);
    grid_printf(g, 1, y, 3, STYLE_DIM, 0, "%2d", i + 1);
    grid_text(g, 4, y, 16, STYLE_PLAIN, here ? LOOK_BOLD : 0, t->name);
    grid_text(g, 21, y, 18, STYLE_PLAIN, 0, t->channel == 9 ? "Drums" : gm_program_name(t->program));
    grid_printf(g, 40, y, 2, STYLE_DIM, 0, "%2d", t->channel + 1);
    grid_printf(g, 43, y, 5, STYLE_PLAIN, 0, "%5zu", t->n);
    grid_text(g, 49, y, g->w >= 80 ? 9 : 0, STYLE_PLAIN, 0, range);
    draw_role(g, g->w >= 80 ? 60 : 48, y, im->role[i], here);
}

static void draw_setting(const struct ui *ui, struct grid *g, int y, int i)
{
    const struct import *im = ui->desk->import;
    bool here = i + (int)im->song->n_tracks == ui->import_row;
    char value[64];
    settings[i].show(im, value);
    if (here)
        grid_put(g, 0, y, ui->signs->focus, STYLE_KEYS, LOOK_BOLD);
    grid_text(g, 4, y, 10, STYLE_PLAIN, here ? LOOK_BOLD : 0, settings[i].name);
    grid_printf(g, 14, y, g->w - 14, STYLE_PLAIN, here ? LOOK_REVERSE : 0, here ? "< %s >" : "  %s", value);
}

/* Long lines go on under their beginning. Returns the row after. */
static int draw_lines(struct grid *g, int y, int end, const char *text)
{
    while (*text && y < end) {
        int room = g->w - 4, line = 0, cut = 0;
        while (text[line] && text[line] != '\n' && line <= room) {
            cut = text[line] == ' ' ? line : cut;
            line++;
        }
        int n = line <= room ? line : cut > 0 ? cut : room;
        grid_printf(g, 2, y++, g->w - 2, STYLE_PLAIN, 0, "%.*s", n, text);
        text += n;
        text += *text == '\n' || *text == ' ';
    }
    return y;
}

void draw_import(const struct ui *ui, struct grid *g)
{
    const struct import *im = ui->desk->import;
    struct str text = {0};
    int n = (int)im->song->n_tracks, n_set = (int)COUNT_OF(settings);
    import_summary(im, &text);
    str_add(&text, str_c(&im->odd));
    int least = g->h > 20 ? 5 : 2, room = g->h - 5 - n_set - least, first = 0; /* for tracks */
    if (n > room) {
        first = ui->import_row - room / 2;
        first = first > n - room ? n - room : first < 0 ? 0 : first;
    }
    grid_fill(g, (struct rect){0, 0, g->w, g->h}, ' ', STYLE_PLAIN);
    grid_printf(g, 1, 0, g->w - 1, STYLE_TITLE, LOOK_BOLD, "import %s", path_base(ui->desk->import_path));
    grid_text(g, 1, 1, g->w >= 80 ? 60 : 47, STYLE_DIM, 0, " # track            instrument         ch notes range");
    grid_text(g, g->w >= 80 ? 62 : 50, 1, 10, STYLE_DIM, 0, "plays as");
    int y = 2;
    for (int i = first; i < n && i < first + room; i++)
        draw_track(ui, g, y++, i);
    if (n > room)
        grid_printf(g, g->w - 12, 0, 11, STYLE_DIM, 0, "%d-%d of %d", first + 1, first + room, n);
    y++;
    for (int i = 0; i < n_set; i++)
        draw_setting(ui, g, y++, i);
    draw_lines(g, y + 1, g->h - 1, str_c(&text));
    grid_text(g, 1, g->h - 1, g->w - 1, STYLE_KEYS, 0,
              g->w >= 80 ? "Enter import  Esc leave as it was  j k row  h l change  1-5 role  0 left out"
                         : "Enter import  Esc leave  j k row  h l change  1-5 0 role");
    str_fini(&text);
}
