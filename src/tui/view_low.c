/* view_low.c: the tray of takes, the message line with progress, the status line, the footer of keys. */
#include <string.h>

#include "view.h"

static int one_row(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w, (void)h;
    return 1;
}

/* ---- takes: "A[1] 2  3* 4 [8]B"; those still to come are dots ---- */

static int take_cell(const struct ui *ui, int i, char out[24])
{
    const struct session *s = ui->desk->session;
    const struct take *t = session_take(s, i);
    bool chosen = i == session_current(s);
    str_format(out, 24, "%s%s%d%s%s%s", i == session_marked(s, 0) ? "A" : "", chosen ? "[" : " ",
               session_take_number(s, i),
               t->star    ? "*"
               : t->empty ? "-"
               : t->twin  ? "="
                          : "",
               chosen ? "]" : " ", i == session_marked(s, 1) ? "B" : "");
    return text_columns(out);
}

/* Where things stand in the tray: "takes", perhaps [0], takes from `first` on up to `end`, facts at the right. */
struct tray {
    int x, end, first;
    char right[120];
};

/* "A<--o----->B 0.30": where the chosen take stands on the way; or how far a transfer went from what was. Empty when
 * A or B is missing. */
static void format_way(const struct desk *d, char out[24])
{
    enum { STEPS = 9 };
    const struct session *s = d->session;
    int a = session_marked(s, 0), b = session_marked(s, 1);
    bool transferred = session_mix(s) < 0 && transfer_slider(d) >= 0;
    double mix = transferred ? transfer_slider(d) : session_mix(s);
    char bar[STEPS + 1] = "---------";
    if (mix >= 0)
        bar[(int)(mix * (STEPS - 1) + 0.5)] = 'o';
    out[0] = '\0';
    if (transferred)
        str_format(out, 24, "was<%s>new %.2f", bar, mix);
    else if (a >= 0 && b >= 0 && a != b)
        str_format(out, 24, mix < 0 ? "A<%s>B     " : "A<%s>B %.2f", bar, mix);
}

/* "jazz 12>63%  ": how far the judge says it went; empty when there was none. */
static void format_judged(const struct desk *d, char out[40])
{
    char genre[32];
    int before, after;
    out[0] = '\0';
    if (transfer_judged(d, genre, &before, &after))
        str_format(out, 40, "%.20s %d>%d%%  ", genre, before, after);
}

static struct tray tray_of(const struct ui *ui, struct rect r)
{
    const struct session *s = ui->desk->session;
    const struct settings *o = session_settings(ui->desk->session);
    const struct take *t = session_take(s, session_current(s));
    struct tray tray = {.x = 7 + (session_n_takes(s) > 0 && !t ? 4 : 0), .first = t ? session_current(s) : 0};
    char text[24];
    char way[24], judged[40];
    format_way(ui->desk, way);
    format_judged(ui->desk, judged);
    str_format(tray.right, sizeof tray.right, "%s%s%sseed %llu%s  T %.2f  x%d ", r.w >= 72 ? way : "",
               r.w >= 72 && way[0] ? "  " : "", r.w >= 80 ? judged : "", (unsigned long long)(t ? t->seed : o->seed),
               !t && o->seed_locked ? "!" : "", o->temperature, o->batch);
    tray.end = r.w - text_columns(tray.right) - 1;
    for (int width = 0; tray.first > 0 && width < (tray.end - tray.x) / 2;)
        width += take_cell(ui, --tray.first, text); /* about half of the room before the chosen one */
    return tray;
}

static void takes_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct desk *d = ui->desk;
    struct tray tray = tray_of(ui, r);
    int n = session_n_takes(d->session), now = session_current(d->session), x = tray.x;
    char text[24];
    grid_text(g, 1, r.y, 6, STYLE_DIM, 0, "takes ");
    if (n == 0 && d->job < 0)
        grid_text(g, x, r.y, tray.end - x, STYLE_DIM, 0, "none yet: g a accompany, g g new music");
    if (n > 0 && now < 0)
        grid_text(g, x - 4, r.y, 4, STYLE_TAKE, LOOK_BOLD, "[0] ");
    for (int i = tray.first; i < n && x + take_cell(ui, i, text) <= tray.end; i++)
        x = grid_text(g, x, r.y, 24, i == now ? STYLE_TAKE : STYLE_PLAIN,
                      i == now ? LOOK_BOLD | LOOK_REVERSE : 0, text);
    for (int i = d->job >= 0 ? d->job_got : d->job_takes; i < d->job_takes && x + 2 <= tray.end; i++, x += 2)
        grid_put(g, x + 1, r.y, ui->signs->dot, STYLE_DIM, 0);
    grid_text(g, r.w - text_columns(tray.right), r.y, r.w, STYLE_DIM, 0, tray.right);
}

static void takes_click(struct ui *ui, struct rect r, int x, int y)
{
    struct tray tray = tray_of(ui, r);
    char text[24];
    (void)y;
    for (int i = tray.first, at = tray.x; i < session_n_takes(ui->desk->session) && at < tray.end; i++) {
        int w = take_cell(ui, i, text);
        if (x >= at && x < at + w) {
            char line[24];
            str_format(line, sizeof line, "take %d", session_take_number(ui->desk->session, i));
            if (command_run(ui->desk, line) != ERR_OK)
                desk_complain(ui->desk);
            return;
        }
        at += w;
    }
}
const struct view view_takes = {"takes", one_row, takes_draw, takes_click, NULL};

/* ---- message ---- */

static void message_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct desk *d = ui->desk;
    int w = r.w;
    bool working = d->job >= 0 || d->rendering;
    if (working) {
        char text[48];
        double fraction = d->job >= 0 ? d->progress : d->render_progress;
        str_format(text, sizeof text,
                   d->job >= 0 ? " %3.0f%% %d/%d ^C cancels" : " %3.0f%% export ^C cancels",
                   100 * (fraction > 0 ? fraction : 0), d->job_got, d->job_takes);
        w = r.w - 16 - text_columns(text) - 1;
        draw_progress(ui, g, w, r.y, 16, fraction);
        grid_text(g, w + 16, r.y, 40, STYLE_DIM, 0, text);
    }
    grid_text(g, 1, r.y, w - 2, d->message_bad ? STYLE_BAD : STYLE_PLAIN, d->message_bad ? LOOK_BOLD : 0,
              d->message);
}
const struct view view_message = {"message", one_row, message_draw, NULL, NULL};

/* ---- status ---- */

static void status_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    const struct desk *d = ui->desk;
    char name[8], place[16], len[16], text[160];
    pitch_name(d->pitch, d->middle_c, name);
    format_place(d, d->tick, place);
    format_len(d->len, len);
    int x = grid_printf(g, 1, r.y, 10, STYLE_KEYS, LOOK_BOLD | LOOK_REVERSE, " %s ", mode_name(d->mode)) + 1;
    if (d->pane != PANE_ROLL || d->maximised)
        x = grid_printf(g, x, r.y, 12, STYLE_KEYS, LOOK_BOLD, "%s%s ", pane_name(d->pane),
                        d->maximised ? "|" : "");
    char number[8] = "";
    if (r.w >= 80)
        str_format(number, sizeof number, " (%d)", d->pitch);
    str_format(text, sizeof text, "%s%s  %s  vel %d  len %s%s%s | undo %d  %s", name, number, place, d->vel,
               len, d->chord ? "  CHORD " : " ", d->lock ? "LOCK " : "", session_n_undo(d->session),
               session_dirty(d->session) ? "unsaved" : "saved");
    x = grid_text(g, x, r.y, r.w - x, STYLE_PLAIN, 0, text);
    if (x + 3 + text_columns(ui->compute) < r.w)
        grid_printf(g, x, r.y, r.w - x, STYLE_DIM, 0, " | %s", ui->compute);
}
const struct view view_status = {"status", one_row, status_draw, NULL, NULL};

/* ---- footer ---- */

static int footer_rows(const struct ui *ui, int w, int h)
{
    (void)ui, (void)w;
    return h >= 18 ? 1 : 0;
}

static void footer_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    struct str text = {0};
    command_footer(keys_here(ui->desk), r.w - 1, &text);
    grid_text(g, 1, r.y, r.w - 1, STYLE_DIM, 0, str_c(&text));
    str_fini(&text);
}
const struct view view_footer = {"footer", footer_rows, footer_draw, NULL, NULL};
