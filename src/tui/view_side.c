/* view_side.c: the panel at the right of wide screens: takes with their outline, the next request, the
 * focused track, the output. Each box takes the rows it needs; the last ones go when the screen is short. */
#include <string.h>

#include "view.h"

static void box(const struct ui *ui, struct grid *g, struct rect r, const char *title)
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

static void takes_box(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct session *s = ui->desk->session;
    int n = session_n_takes(s), now = session_current(s), room = r.h - 2;
    int first = n - room > 0 ? n - room : 0;
    if (now >= 0 && now < first)
        first = now;
    char title[32];
    str_format(title, sizeof title, "TAKES (%d)", n);
    box(ui, g, r, title);
    for (int i = first; i < n && i < first + room; i++) {
        const struct take *t = session_take(s, i);
        int y = r.y + 1 + i - first;
        grid_printf(g, r.x + 2, y, 9, i == now ? STYLE_TAKE : STYLE_PLAIN,
                    i == now ? LOOK_BOLD | LOOK_REVERSE : 0, "%c%c%3d%c",
                    i == session_marked(s, 0) ? 'A' : ' ', i == session_marked(s, 1) ? 'B' : ' ',
                    session_take_number(s, i), t->star ? '*' : ' ');
        outline(ui, g, r.x + 9, y, 16, t);
        grid_printf(g, r.x + 26, y, r.w - 27, STYLE_DIM, 0, t->empty ? "empty" : "%llu",
                    (unsigned long long)t->seed);
    }
}

static void row(struct grid *g, struct rect r, int i, const char *name, const char *text)
{
    if (i >= r.h - 1)
        return;
    grid_text(g, r.x + 2, r.y + i, 8, STYLE_DIM, 0, name);
    grid_text(g, r.x + 10, r.y + i, r.w - 12, STYLE_PLAIN, 0, text);
}

static void request_box(const struct ui *ui, struct grid *g, struct rect r)
{
    struct desk *d = ui->desk;
    const struct settings *o = session_settings(d->session);
    const struct model_info *m = desk_model(d);
    char text[64];
    struct str who = {0};
    box(ui, g, r, "GENERATE");
    for (int role = 0; role < N_ROLES; role++)
        if (!session_track_kept(d->session, (enum role)role) && !session_song(d->session)->tracks[role].mute)
            str_addf(&who, "%s%d", who.len ? " " : "", role + 1);
    row(g, r, 1, "tracks", who.len ? str_c(&who) : "none is open");
    row(g, r, 2, "genre", o->genre);
    str_format(text, sizeof text, "%s%s", o->key, o->snap ? "  strict" : "");
    row(g, r, 3, "key", text);
    str_format(text, sizeof text, "%.2f", o->temperature);
    row(g, r, 4, "temp", text);
    str_format(text, sizeof text, "%llu%s  batch %d", (unsigned long long)o->seed,
               o->seed_locked ? " (fixed)" : "", o->batch);
    row(g, r, 5, "seed", text);
    if (m)
        str_format(text, sizeof text, "%s  %.1f MB", m->name, (double)m->bytes / 1e6);
    row(g, r, 6, "model", m ? text : "none found");
    if (d->job >= 0 && r.h > 8)
        draw_progress(ui, g, r.x + 2, r.y + 7, r.w - 4, d->progress);
    str_fini(&who);
}

static void track_box(const struct ui *ui, struct grid *g, struct rect r)
{
    struct desk *d = ui->desk;
    const struct track *t = desk_track(d);
    int density = session_settings(d->session)->density[d->track], low = 127, high = 0;
    char text[64], a[8], b[8], title[32];
    str_format(title, sizeof title, "TRACK %d %s", d->track + 1, role_name((enum role)d->track));
    box(ui, g, r, title);
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
    pitch_name(low, 4, a);
    pitch_name(high, 4, b);
    str_format(text, sizeof text, t->n ? "%zu, %s to %s" : "none", t->n, a, b);
    row(g, r, 4, "notes", text);
}

static void output_box(const struct ui *ui, struct grid *g, struct rect r)
{
    box(ui, g, r, "OUTPUT");
    row(g, r, 1, "sound", ui->sound);
    row(g, r, 2, "compute", ui->compute);
}

void draw_side(const struct ui *ui, struct grid *g, struct rect r)
{
    static const struct {
        int rows;
        void (*draw)(const struct ui *, struct grid *, struct rect);
    } boxes[] = {
        {0, takes_box},
        {9, request_box},
        {6, track_box},
        {4, output_box},
    };
    int left = r.h, shown = 0, y = r.y;
    enum { LEAST_TAKES = 6 };
    while (shown + 1 < (int)COUNT_OF(boxes) && left - boxes[shown + 1].rows >= LEAST_TAKES)
        left -= boxes[++shown].rows;
    for (int i = 0; i <= shown; i++) {
        int rows = i ? boxes[i].rows : left;
        boxes[i].draw(ui, g, (struct rect){r.x, y, r.w, rows});
        y += rows;
    }
}
