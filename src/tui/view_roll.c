/* view_roll.c: the piano roll of the focused track, and the velocity and chord lanes of tall screens. */
#include <stdlib.h>

#include "view.h"

static int roll_rows(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w, (void)h;
    return -1;
}

/* Gutter: the row's name, `o` for notes of the key, and the key that plays it in STEP mode (-1 none). */
static void roll_gutter(const struct ui *ui, struct grid *g, int y, int pitch, int step_key)
{
    const struct desk *d = ui->desk;
    bool focus = pitch == d->pitch, in_key = key_has(ui->key, pitch);
    const char *drum = desk_drums(d) ? gm_drum_name(pitch) : NULL;
    char name[8];
    pitch_name(pitch, d->middle_c, name);
    int look = focus ? LOOK_BOLD : 0;
    enum style s = focus           ? STYLE_CURSOR
                   : desk_drums(d) ? (drum ? STYLE_PLAIN : STYLE_DIM)
                   : in_key        ? STYLE_PLAIN
                                   : STYLE_DIM;
    if (drum)
        grid_printf(g, 0, y, 10, s, look, "%s", drum);
    else
        grid_printf(g, 1, y, 4, s, look, "%s", name);
    if (!desk_drums(d) && in_key)
        grid_put(g, 5, y, 'o', STYLE_DIM, 0);
    if (step_key >= 0)
        grid_text(g, drum ? 10 : 7, y, 1, STYLE_KEYS, LOOK_BOLD, desk_step_key(step_key));
}

static bool black_key(int pitch)
{
    return 0x54a >> pitch % 12 & 1;
}

/* The empty grid: dots on the beats, on the rows of black keys on the first only. */
static void roll_line(const struct ui *ui, struct grid *g, int y, int pitch)
{
    const struct desk *d = ui->desk;
    const struct song *song = session_song(d->session);
    int step = d->grid < SONG_TPQ / 4 ? SONG_TPQ / 2 : SONG_TPQ;
    bool bare = !desk_drums(d) && black_key(pitch);
    draw_bars(ui, g, y);
    for (int i = 0; i < ui->cols.n; i++) {
        const struct col *c = &ui->cols.at[i];
        int32_t in = c->tick - song_bar_tick(song, c->bar);
        if (!c->line && in % step == 0 && (in == 0 || !bare))
            grid_put(g, GUTTER + i, y, ui->signs->dot, STYLE_DIM, 0);
    }
}

/* What a note looks like in a column: its start, beside the grid or beside the scale, or its going on. */
enum sort { NOTE_REAL, NOTE_GHOST, NOTE_MAYBE };
static uint32_t sign_of(const struct ui *ui, const struct note *n, bool head, bool off, enum sort sort)
{
    const struct signs *s = ui->signs;
    bool strange = !desk_drums(ui->desk) && ui->key.tonic >= 0 && !key_has(ui->key, n->pitch);
    if (sort == NOTE_GHOST)
        return head ? s->ghost_head : s->ghost_hold;
    if (sort == NOTE_MAYBE)
        return head ? s->maybe_head : s->maybe_hold;
    return off ? s->offgrid : !head ? s->hold : strange ? s->strange : s->head;
}

static void draw_note(const struct ui *ui, struct grid *g, int y, const struct track *t, const struct note *n, enum sort sort)
{
    for (int i = 0; i < ui->cols.n && ui->cols.at[i].tick < n->tick + n->dur; i++) {
        const struct col *c = &ui->cols.at[i];
        bool head = n->tick >= c->tick && n->tick < c->end;
        if (c->line || c->end <= n->tick)
            continue;
        grid_put(g, GUTTER + i, y, sign_of(ui, n, head, head && n->tick > c->tick + 5, sort),
                 sort == NOTE_GHOST || t->mute ? STYLE_DIM : style_of(ui->desk->track),
                 head && (sort == NOTE_MAYBE || (sort == NOTE_REAL && n->vel >= 80)) ? LOOK_BOLD : 0);
    }
}

static void draw_notes(const struct ui *ui, struct grid *g, struct rect r, int role, enum sort sort)
{
    const struct track *t = &session_song(ui->desk->session)->tracks[role];
    for (size_t k = 0; k < t->n; k++) {
        int row = ui->top_pitch - line_of(ui->desk->track, t->notes[k].pitch);
        if (row >= 0 && row < r.h)
            draw_note(ui, g, r.y + row, t, &t->notes[k], sort);
    }
}

static void draw_grounds(const struct ui *ui, struct grid *g, int y, int pitch, int playhead)
{
    const struct desk *d = ui->desk;
    for (int i = 0; i < ui->cols.n; i++)
        if (col_selected(d, &ui->cols.at[i], d->track, pitch))
            ground(g, GUTTER + i, y, GROUND_SELECTED);
        else if (pitch == d->pitch)
            ground(g, GUTTER + i, y, GROUND_ROW);
    if (playhead >= 0)
        ground(g, GUTTER + playhead, y, GROUND_PLAYHEAD);
}

/* The kit is no pitches: it neither is a ghost nor has any. */
static void draw_ghosts(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct desk *d = ui->desk;
    for (int role = ROLE_PIANO; d->ghosts && !desk_drums(d) && role < N_ROLES; role++)
        if (role != d->track && !session_song(d->session)->tracks[role].mute)
            draw_notes(ui, g, r, role, NOTE_GHOST);
}

static void draw_suggestion(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct suggestion *one = desk_suggestion(ui->desk);
    for (int i = 0; one && i < one->n; i++) {
        int row = ui->top_pitch - line_of(ui->desk->track, one->notes[i].pitch);
        if (row >= 0 && row < r.h)
            draw_note(ui, g, r.y + row, desk_track(ui->desk), &one->notes[i], NOTE_MAYBE);
    }
}

static void roll_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct desk *d = ui->desk;
    int playhead = d->playing || d->playhead ? col_of(&ui->cols, d->playhead) : -1;
    int cursor = col_of(&ui->cols, d->tick), step_key[128];
    for (int i = 0; i < 128; i++)
        step_key[i] = -1;
    for (int i = STEP_KEYS - 1; d->mode == MODE_STEP && i >= 0; i--)
        if (desk_step_pitch(d, i) >= 0)
            step_key[desk_step_pitch(d, i)] = i;
    for (int row = 0; row < r.h && ui->top_pitch >= row; row++) {
        int pitch = pitch_of_line(d->track, ui->top_pitch - row);
        roll_gutter(ui, g, r.y + row, pitch, step_key[pitch]);
        roll_line(ui, g, r.y + row, pitch);
        draw_grounds(ui, g, r.y + row, pitch, playhead);
    }
    draw_ghosts(ui, g, r);
    draw_notes(ui, g, r, d->track, NOTE_REAL);
    draw_suggestion(ui, g, r);
    /* A step cursor waiting behind the last bar stands on its closing line. */
    int x = GUTTER + (cursor >= 0 ? cursor : ui->cols.n - 1), y = r.y + ui->top_pitch - line_of(d->track, d->pitch);
    if (y >= r.y && y < r.y + r.h)
        grid_put(g, x, y, '@', STYLE_CURSOR, LOOK_BOLD | LOOK_REVERSE);
}
/* A press puts a note or takes hold of the one there; a drag draws its length, moves it, or at its last column
 * changes its end; a note that was pressed and not dragged goes, as with Enter. All of it is one step. */
static void roll_click(struct ui *ui, struct rect r, int x, int y)
{
    struct desk *d = ui->desk;
    const struct col *c = col_at(ui, x);
    struct grab grab = {.base = session_n_undo(d->session)};
    desk_pitch(d, pitch_of_line(d->track, ui->top_pitch - (y - r.y)));
    if (c)
        desk_goto(d, c->tick);
    ui->grab.live = false;
    if (!c || d->mode != MODE_NORMAL)
        return;
    grab.live = true;
    grab.tick = c->tick;
    grab.pitch = d->pitch;
    grab.found = desk_note_at(d, &grab.was);
    grab.resize = grab.found && grab.was.tick < c->tick && grab.was.tick + grab.was.dur <= c->end;
    if (!grab.found) {
        grab.was = (struct note){c->tick, d->len, (uint8_t)desk_lock(d, d->pitch), (uint8_t)d->vel};
        desk_drag(d, grab.base, NULL, &grab.was);
    }
    ui->grab = grab;
}

static void roll_drag(struct ui *ui, struct rect r, int x, int y, bool last)
{
    struct desk *d = ui->desk;
    const struct col *c = col_at(ui, x);
    struct grab *g = &ui->grab;
    int pitch = pitch_of_line(d->track, ui->top_pitch - (y - r.y));
    if (!g->live)
        return;
    if (c && y >= r.y && y < r.y + r.h && (c->tick != g->tick || pitch != g->pitch || g->moved)) {
        struct note n = g->was;
        g->moved = true;
        if (!g->found || g->resize)
            n.dur = c->end > n.tick ? c->end - n.tick : d->grid;
        else
            n.tick += c->tick - g->tick;
        if (!g->resize)
            n.pitch = (uint8_t)desk_lock(d, pitch_of_line(d->track, line_of(d->track, n.pitch) +
                                                          line_of(d->track, pitch) - line_of(d->track, g->pitch)));
        desk_drag(d, g->base, g->found ? &g->was : NULL, &n);
        desk_pitch(d, n.pitch);
        desk_goto(d, c->tick);
    }
    if (last && g->found && !g->moved)
        desk_drag(d, g->base, &g->was, NULL);
    g->live = !last;
}
const struct view view_roll = {"roll", roll_rows, roll_draw, roll_click, roll_drag};

/* ---- lanes ---- */

static int lane_rows(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w;
    return h >= 34 ? 2 : 0;
}

static void velocity_lane(const struct ui *ui, struct grid *g, int y)
{
    const struct desk *d = ui->desk;
    const struct track *t = desk_track(d);
    int free_from = 0;
    grid_text(g, 1, y, 10, STYLE_DIM, 0, "velocity");
    draw_bars(ui, g, y);
    for (int i = 0; i < ui->cols.n; i++) {
        const struct col *c = &ui->cols.at[i];
        int loudest = 0;
        if (c->line || i < free_from)
            continue;
        for (size_t k = track_first_at(t, c->tick); k < t->n && t->notes[k].tick < c->end; k++)
            loudest = t->notes[k].vel > loudest ? t->notes[k].vel : loudest;
        bool room = i + 2 < ui->cols.n && !ui->cols.at[i + 1].line && !ui->cols.at[i + 2].line;
        if (loudest && room) {
            grid_printf(g, GUTTER + i, y, 3, style_of(d->track), 0, "%d", loudest);
            free_from = i + 4;
        }
    }
}

/* Columns to be seen of the bar whose line is column i. */
static int bar_columns(const struct ui *ui, int i)
{
    int n = 0;
    while (i + 1 + n < ui->cols.n && !ui->cols.at[i + 1 + n].line)
        n++;
    return n;
}

/* The chord of each bar: every pitched note that sounds in it, the lowest as bass. */
static void chord_lane(const struct ui *ui, struct grid *g, int y)
{
    const struct song *song = session_song(ui->desk->session);
    grid_text(g, 1, y, 10, STYLE_DIM, 0, "chord");
    draw_bars(ui, g, y);
    for (int i = 0; i < ui->cols.n; i++) {
        const struct col *c = &ui->cols.at[i];
        if (!c->line || c->bar >= session_n_bars(ui->desk->session))
            continue;
        int32_t from = song_bar_tick(song, c->bar), to = song_bar_tick(song, c->bar + 1);
        double weight[12] = {0}, most = 0;
        uint16_t classes = 0;
        int bass = 128;
        for (int r = 0; r < N_ROLES; r++)
            for (size_t k = 0; r != ROLE_DRUMS && k < song->tracks[r].n; k++) {
                const struct note *n = &song->tracks[r].notes[k];
                int32_t a = n->tick > from ? n->tick : from,
                        b = n->tick + n->dur < to ? n->tick + n->dur : to;
                if (a >= b)
                    continue;
                weight[n->pitch % 12] += b - a;
                bass = n->pitch < bass ? n->pitch : bass;
            }
        for (int p = 0; p < 12; p++)
            most = weight[p] > most ? weight[p] : most;
        for (int p = 0; p < 12; p++) /* passing notes do not make the chord */
            classes |= (uint16_t)((weight[p] > 0.3 * most) << p);
        char name[16] = "";
        if (classes)
            chord_name(classes, bass % 12, name);
        grid_text(g, GUTTER + i + 1, y, bar_columns(ui, i), STYLE_PLAIN, 0, name);
    }
}

static void lanes_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    velocity_lane(ui, g, r.y);
    chord_lane(ui, g, r.y + 1);
}
const struct view view_lanes = {"lanes", lane_rows, lanes_draw, NULL, NULL};
