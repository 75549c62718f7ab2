/* view_mixer.c: the mixer: a row a track with its program and levels. The focused track is the row at hand. */
#include "view.h"

static int mixer_rows(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w, (void)h;
    return N_ROLES + 3;
}

static void mixer_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct song *song = session_song(ui->desk->session);
    draw_pane(ui, g, r, PANE_MIXER, "MIXER");
    grid_printf(g, r.x + 2, r.y + 1, r.w - 4, STYLE_DIM, 0, "%-9s %3s %4s %4s %4s    %s", "track", "vol", "pan",
                "rev", "cho", "program");
    for (int role = 0; role < N_ROLES && role < r.h - 3; role++) {
        const struct track *t = &song->tracks[role];
        bool focus = role == ui->desk->track;
        int y = r.y + 2 + role;
        if (focus)
            grid_put(g, r.x + 1, y, ui->signs->focus, STYLE_CURSOR, LOOK_BOLD);
        grid_printf(g, r.x + 2, y, r.w - 4, t->mute ? STYLE_DIM : style_of(role), focus ? LOOK_BOLD : 0,
                    "%d %-7s %3d %4d %4d %4d %c%c %d %s", role + 1, role_name((enum role)role), t->volume,
                    t->pan, t->reverb, t->chorus, t->mute ? 'M' : ' ', t->solo ? 'S' : ' ', t->program + 1,
                    role == ROLE_DRUMS ? "Kit" : gm_program_name(t->program));
    }
}

static void mixer_click(struct ui *ui, struct rect r, int x, int y)
{
    (void)x;
    ui->desk->pane = PANE_MIXER;
    if (y >= r.y + 2 && y < r.y + 2 + N_ROLES)
        desk_focus(ui->desk, y - r.y - 2);
}
const struct view view_mixer = {"mixer", mixer_rows, mixer_draw, mixer_click, NULL};
