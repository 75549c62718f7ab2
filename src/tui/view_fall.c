/* view_fall.c: the waterfall: notes fall on a keyboard and sound when they reach it. A column is a pitch, a row a
 * column of the roll's time; the playhead, or the cursor of a stopped song, is at the keys. The lower end of a
 * note carries the number of its track, so that tracks are told apart without colour. */
#include <string.h>

#include "view.h"

enum { LEFT = 5, KEYS_H = 3, DRUMS_W = 8 };

/* What of the pitches is shown: `n` from `low` on, `wide` columns each. */
struct span_of_keys {
    int low, n, wide, x;
    bool drums;
};

static struct span_of_keys choose_keys(const struct song *song, struct rect r)
{
    int low = 127, high = 0, room = r.w - LEFT - 1;
    struct span_of_keys k = {.drums = room >= 60};
    room -= k.drums ? DRUMS_W : 0;
    for (int role = 0; role < N_ROLES; role++)
        for (size_t i = 0; role != ROLE_DRUMS && i < song->tracks[role].n; i++) {
            int p = song->tracks[role].notes[i].pitch;
            low = p < low ? p : low;
            high = p > high ? p : high;
        }
    if (low > high)
        low = high = 60;
    low -= low % 12; /* whole octaves look like a keyboard */
    high += 11 - high % 12;
    int middle = (low + high) / 2, least = 36;
    if (high - low + 1 < least) {
        low = middle - least / 2 - (middle - least / 2) % 12;
        high = low + least - 1;
    }
    k.n = high - low + 1 < room ? high - low + 1 : room;
    k.wide = room / k.n > 3 ? 3 : room / k.n;
    k.low = low + (high - low + 1 - k.n) / 2;
    if (k.low + k.n > 128)
        k.low = 128 - k.n;
    k.low = k.low < 0 ? 0 : k.low;
    k.x = r.x + LEFT + (room - k.n * k.wide) / 2;
    return k;
}

static bool is_black(int pitch)
{
    return 0x54a >> pitch % 12 & 1;
}

static int kit_column(int pitch)
{
    return pitch <= 36 ? 0 : pitch <= 40 ? 1 : 2;
}

/* Where a note of a track stands, -1 outside. */
static int column_of(const struct ui *ui, struct rect r, const struct span_of_keys *k, int role, int pitch)
{
    (void)ui;
    if (role == ROLE_DRUMS)
        return k->drums ? r.x + r.w - DRUMS_W + 1 + 2 * kit_column(pitch) : -1;
    return pitch >= k->low && pitch < k->low + k->n ? k->x + (pitch - k->low) * k->wide : -1;
}

static void draw_note(const struct ui *ui, struct grid *g, int x, int wide, int y, int role, bool head)
{
    bool quiet = session_song(ui->desk->session)->tracks[role].mute;
    enum style s = quiet ? STYLE_DIM : style_of(role);
    for (int i = 0; i < wide; i++)
        grid_put(g, x + i, y, head && i == (wide - 1) / 2 ? (uint32_t)('1' + role) : ui->signs->full, s,
                 head ? LOOK_BOLD | LOOK_REVERSE : 0);
}

/* Bar lines with their numbers, beats as dots at the octaves. */
static void draw_time(const struct ui *ui, struct grid *g, int y, const struct span_of_keys *k, int32_t tick)
{
    const struct song *song = session_song(ui->desk->session);
    int bar = song_bar_of(song, tick);
    int32_t in = tick - song_bar_tick(song, bar);
    bool line = in < ui->desk->grid;
    if (line && bar < session_n_bars(ui->desk->session))
        grid_printf(g, k->x - LEFT, y, LEFT - 1, STYLE_TITLE, LOOK_BOLD, "%4d", bar + 1);
    for (int i = 0; i < k->n; i++)
        if (line)
            grid_put(g, k->x + i * k->wide, y, ui->signs->rule, STYLE_FRAME, 0);
        else if ((k->low + i) % 12 == 0)
            grid_put(g, k->x + i * k->wide, y, in % SONG_TPQ < ui->desk->grid ? ui->signs->dot : ' ',
                     STYLE_DIM, 0);
}

static void draw_keys(const struct ui *ui, struct grid *g, struct rect r, const struct span_of_keys *k)
{
    int y = r.y + r.h - KEYS_H;
    for (int x = k->x; x < k->x + k->n * k->wide; x++)
        grid_put(g, x, y, ui->signs->edge_h, STYLE_FRAME, 0);
    for (int i = 0; i < k->n; i++) {
        int pitch = k->low + i;
        bool black = is_black(pitch);
        for (int j = 0; j < k->wide; j++) {
            grid_put(g, k->x + i * k->wide + j, y + 1, black ? ui->signs->full : ui->signs->line,
                     black ? STYLE_DIM : STYLE_FRAME, 0);
            grid_put(g, k->x + i * k->wide + j, y + 2, ' ', STYLE_PLAIN, 0);
        }
        if (pitch % 12 == 0)
            grid_printf(g, k->x + i * k->wide, y + 2, 4, STYLE_DIM, 0, "C%d", pitch / 12 - 1);
    }
    if (k->drums)
        grid_text(g, r.x + r.w - DRUMS_W + 1, y + 1, DRUMS_W - 2, STYLE_DRUMS, 0, "x o h");
}

static int fall_rows(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w, (void)h;
    return -1;
}

static void fall_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct desk *d = ui->desk;
    const struct song *song = session_song(d->session);
    struct span_of_keys k = choose_keys(song, r);
    int rows = r.h - KEYS_H;
    int32_t now = d->playing ? d->playhead : d->tick, from = now - now % d->grid;
    for (int row = 0; row < rows; row++)
        draw_time(ui, g, r.y + rows - 1 - row, &k, from + row * d->grid);
    draw_keys(ui, g, r, &k);
    for (int role = N_ROLES - 1; role >= 0; role--)
        for (size_t i = 0; i < song->tracks[role].n; i++) {
            const struct note *n = &song->tracks[role].notes[i];
            int x = column_of(ui, r, &k, role, n->pitch), wide = role == ROLE_DRUMS ? 1 : k.wide;
            int32_t dur = role == ROLE_DRUMS ? 1 : n->dur; /* a stroke has no length */
            if (x < 0 || n->tick + dur <= from || n->tick >= from + rows * d->grid)
                continue;
            int first = n->tick > from ? (n->tick - from) / d->grid : 0;
            int last = (n->tick + dur - 1 - from) / d->grid;
            for (int row = first; row <= last && row < rows; row++)
                draw_note(ui, g, x, wide, r.y + rows - 1 - row, role, row == first && n->tick >= from);
            if (first == 0) /* at the keys: it sounds */
                draw_note(ui, g, x, wide, r.y + rows + 1, role, true);
        }
}
const struct view view_fall = {"waterfall", fall_rows, fall_draw, NULL, NULL};
