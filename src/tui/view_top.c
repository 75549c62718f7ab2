/* view_top.c: header, ruler, the five strips, and the line that names the focused track. */
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "view.h"

/* ---- header: place, tempo, key, genre, model, loop, sound; the last ones go first when room is short ---- */

static int one_row(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w, (void)h;
    return 1;
}

static void current_metre(const struct song *song, int32_t tick, char out[16])
{
    const struct metre *m = &song->metres[0];
    for (size_t i = 0; i < song->n_metres && song->metres[i].tick <= tick; i++)
        m = &song->metres[i];
    str_format(out, 16, "%d/%d", m->num, m->den);
}

static int put_field(struct grid *g, int x, int w, enum style s, int look, const char *text)
{
    if (!text[0] || x + text_columns(text) > w)
        return x;
    return grid_text(g, x, 0, w - x, s, look, text) + 2;
}

static void header_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    struct desk *d = ui->desk;
    const struct song *song = session_song(d->session);
    const struct settings *o = session_settings(d->session);
    const struct model_info *m = desk_model(d);
    int32_t tick = d->playing || d->playhead > 0 ? d->playhead : 0;
    char place[16], metre[16], key[16], text[64];

    int x = grid_printf(g, 1, r.y, 24, STYLE_TITLE, LOOK_BOLD, "%s%s", session_title(d->session),
                        session_dirty(d->session) ? "*" : "") +
            2;
    grid_put(g, x, r.y, d->playing ? ui->signs->playing : ui->signs->stopped,
             d->playing ? STYLE_GOOD : STYLE_DIM, 0);
    format_place(d, tick, place);
    x = put_field(g, x + 2, r.w, d->playing ? STYLE_GOOD : STYLE_PLAIN, 0, place);
    if (ui->counting > 0)
        str_format(text, sizeof text, "-%d", ui->counting);
    else
        str_format(text, sizeof text, "%s", d->record == RECORD_LIVE ? "REC" : d->record == RECORD_STEP ? "STEP-REC" : "");
    x = put_field(g, x, r.w, STYLE_BAD, LOOK_BOLD, text);
    x = put_field(g, x, r.w, STYLE_PLAIN, 0, d->sound.click ? "click" : "");
    current_metre(song, tick, metre);
    str_format(text, sizeof text, "%.1f %s", song_bpm(song, tick), metre);
    x = put_field(g, x, r.w, STYLE_PLAIN, 0, text);
    key_print(ui->key, key);
    str_format(text, sizeof text, "%s%s", key, str_same(o->key, "auto") ? "" : o->snap ? "!" : "");
    x = put_field(g, x, r.w, str_same(o->key, "auto") ? STYLE_DIM : STYLE_PLAIN, 0, text);
    x = put_field(g, x, r.w, STYLE_KEYS, LOOK_BOLD, m && m->n_styles > 0 ? o->style : o->genre);
    x = put_field(g, x, r.w, STYLE_PLAIN, 0, m ? m->name : o->model[0] ? path_base(o->model) : "no model");
    if (d->loop) {
        str_format(text, sizeof text, "loop %d-%d", song_bar_of(song, d->loop_from) + 1,
                   song_bar_of(song, d->loop_to - 1) + 1);
        x = put_field(g, x, r.w, STYLE_GOOD, 0, text);
    }
    /* "silent: why", the why only where there is room for all of it */
    const char *why = strchr(ui->sound, ':');
    bool all = !why || text_columns(ui->sound) < r.w - x;
    str_format(text, sizeof text, "%.*s", all ? (int)sizeof text : (int)(why - ui->sound), ui->sound);
    if (r.w - x >= 8)
        grid_text(g, x, r.y, r.w - x - 1, STYLE_DIM, 0, text);
}
const struct view view_header = {"header", one_row, header_draw, NULL, NULL};

/* ---- ruler: bar numbers and beats; the playhead stands on it ---- */

static void ruler_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct desk *d = ui->desk;
    const struct song *song = session_song(d->session);
    draw_bars(ui, g, r.y);
    for (int i = 0; i < ui->cols.n; i++) {
        const struct col *c = &ui->cols.at[i];
        int32_t in = c->tick - song_bar_tick(song, c->bar);
        if (c->line || in % SONG_TPQ || (d->grid > SONG_TPQ / 2 && in))
            continue;
        grid_printf(g, GUTTER + i, r.y, 3, in ? STYLE_DIM : STYLE_TITLE, in ? 0 : LOOK_BOLD, "%d",
                    in ? in / SONG_TPQ + 1 : c->bar + 1);
    }
    if (d->loop)
        for (int i = 0; i < ui->cols.n; i++)
            if (!ui->cols.at[i].line && ui->cols.at[i].tick >= d->loop_from &&
                ui->cols.at[i].tick < d->loop_to) {
                struct cell *c = grid_at(g, GUTTER + i, r.y);
                if (c)
                    c->look |= LOOK_UNDER;
            }
    int at = d->playing ? col_of(&ui->cols, d->playhead) : -1;
    if (at >= 0)
        grid_put(g, GUTTER + at, r.y, ui->signs->down, STYLE_GOOD, LOOK_BOLD);
}
/* Play on from there, or put the playhead there. */
static void ruler_click(struct ui *ui, struct rect r, int x, int y)
{
    struct desk *d = ui->desk;
    const struct col *c = col_at(ui, x);
    (void)r, (void)y;
    if (!c)
        return;
    d->playhead = c->tick;
    if (d->playing && d->doors.play && d->doors.play(d->doors.ctx, c->tick) != ERR_OK)
        desk_complain(d);
}
const struct view view_ruler = {"ruler", one_row, ruler_draw, ruler_click, NULL};

/* ---- strips ---- */

static int strip_rows(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w, (void)h;
    return N_ROLES;
}

/* What sounds in a column: how many notes, whether one starts there, whether off the grid, and for the kit
 * which kind of piece. */
struct sound {
    int sounding, onsets;
    bool off;
    char piece;
};

static char piece_of(int pitch)
{
    return pitch == 35 || pitch == 36 ? 'x' : pitch >= 37 && pitch <= 40 ? 'o' : 'h';
}

static struct sound listen(const struct track *t, const struct col *c)
{
    struct sound s = {.piece = 'h'};
    size_t last = track_first_at(t, c->end);
    for (size_t i = 0; i < last; i++) {
        const struct note *n = &t->notes[i];
        bool starts = n->tick >= c->tick;
        if (!starts && n->tick + n->dur <= c->tick)
            continue;
        s.sounding++;
        s.onsets += starts;
        s.off |= starts && n->tick > c->tick + 5;
        char piece = piece_of(n->pitch);
        if (starts && (piece == 'x' || (piece == 'o' && s.piece == 'h')))
            s.piece = piece;
    }
    return s;
}

static void draw_sound(const struct ui *ui, struct grid *g, int x, int y, int role, struct sound s,
                       bool muted)
{
    const struct signs *sg = ui->signs;
    uint32_t ch = ' ';
    if (role == ROLE_DRUMS)
        ch = s.onsets ? (uint32_t)s.piece : 0;
    else if (s.onsets)
        ch = s.off ? sg->offgrid : sg->sound[s.sounding < 3 ? s.sounding + 1 : 3];
    else if (s.sounding)
        ch = sg == &signs_ascii ? sg->hold : sg->sound[0];
    if (ch && ch != ' ')
        grid_put(g, x, y, ch, muted ? STYLE_DIM : style_of(role), s.onsets ? LOOK_BOLD : 0);
}

/* Flags in the last two columns of the gutter: S or M; K kept, k in part, g will be played anew. */
static void strip_gutter(const struct ui *ui, struct grid *g, int y, int role)
{
    const struct desk *d = ui->desk;
    const struct track *t = &session_song(d->session)->tracks[role];
    bool focus = role == d->track, all = session_track_kept(d->session, (enum role)role), some = false;
    for (int bar = 0; bar < session_n_bars(d->session); bar++)
        some |= session_kept(d->session, (enum role)role, bar);
    if (focus)
        grid_put(g, 0, y, ui->signs->focus, STYLE_CURSOR, LOOK_BOLD);
    grid_printf(g, 1, y, 8, t->mute ? STYLE_DIM : style_of(role), focus ? LOOK_BOLD : 0, "%d %-6.6s",
                role + 1, role_name((enum role)role));
    if (t->mute || t->solo)
        grid_put(g, 9, y, t->solo ? 'S' : 'M', t->solo ? STYLE_GOOD : STYLE_BAD, LOOK_BOLD);
    if (some || !t->mute)
        grid_put(g, 10, y, all ? 'K' : some ? 'k' : 'g', some ? STYLE_KEEP : STYLE_DIM, some ? LOOK_BOLD : 0);
}

static void strips_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct desk *d = ui->desk;
    const struct song *song = session_song(d->session);
    bool soloed = false;
    for (int role = 0; role < N_ROLES; role++)
        soloed |= song->tracks[role].solo;
    for (int role = 0; role < N_ROLES; role++) {
        const struct track *t = &song->tracks[role];
        bool silent = t->mute || (soloed && !t->solo), all = session_track_kept(d->session, (enum role)role);
        int y = r.y + role;
        strip_gutter(ui, g, y, role);
        draw_bars(ui, g, y);
        for (int i = 0; i < ui->cols.n; i++) {
            const struct col *c = &ui->cols.at[i];
            int x = GUTTER + i;
            if (c->line && !all && session_kept(d->session, (enum role)role, c->bar))
                grid_put(g, x, y, 'K', STYLE_KEEP, LOOK_BOLD);
            if (!c->line)
                draw_sound(ui, g, x, y, role, listen(t, c), silent);
            if (col_selected(d, c, role, -1))
                ground(g, x, y, GROUND_SELECTED);
        }
        int at = d->playing || d->playhead ? col_of(&ui->cols, d->playhead) : -1;
        if (at >= 0)
            ground(g, GUTTER + at, y, GROUND_PLAYHEAD);
    }
}
/* The track, and the place; on the flags of the gutter: mute, keep. */
static void strips_click(struct ui *ui, struct rect r, int x, int y)
{
    const struct col *c = col_at(ui, x);
    desk_focus(ui->desk, y - r.y);
    if (c)
        desk_goto(ui->desk, c->tick);
    else if ((x == 9 || x == 10) && command_run(ui->desk, x == 9 ? "mute" : "keep") != ERR_OK)
        desk_complain(ui->desk);
}
const struct view view_strips = {"strips", strip_rows, strips_draw, strips_click, NULL};

/* ---- the focused track ---- */

static void track_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct desk *d = ui->desk;
    const struct track *t = desk_track(d);
    char len[16], step[16], left[80], right[80];
    format_len(d->len, len);
    format_len(d->grid, step);
    grid_fill(g, r, ui->signs->rule, STYLE_FRAME);
    str_format(left, sizeof left, " %d %s: %d %s  ch %d  vol %d ", d->track + 1,
               role_name((enum role)d->track), t->program + 1,
               desk_drums(d) ? "Kit" : gm_program_name(t->program), t->channel + 1, t->volume);
    int density = session_settings(d->session)->density[d->track];
    str_format(right, sizeof right, " %s%.0d%sstep %s  len %s  oct %d ", density > 0 ? "density " : "",
               density > 0 ? density : 0, density > 0 ? "  " : "", step, len, d->octave);
    int x = r.w - 2 - text_columns(right);
    if (x > 3)
        grid_text(g, x, r.y, r.w - x, STYLE_PLAIN, 0, right);
    grid_text(g, 2, r.y, x > 3 ? x - 3 : r.w - 2, style_of(d->track), LOOK_BOLD, left);
}
const struct view view_track = {"track", one_row, track_draw, NULL, NULL};
