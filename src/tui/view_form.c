/* view_form.c: one row with the chain, where the hand is in it and what of it sounds, and the sections that are not
 * in it. Without a form it is not there. */
#include <string.h>

#include "view.h"

enum { MAX_LINKS = SESSION_MAX_CHAIN + SESSION_MAX_SECTIONS };

/* One name on the row: an entry of the chain, or behind them a section without one (place -1). */
struct link { int section, place, x, w; };
struct links { struct link at[MAX_LINKS]; int n, first; };

static int form_rows(const struct ui *ui, int w, int h)
{
    const struct session *s = ui->desk->session;
    (void)w;
    return h > MIN_H && (session_n_chain(s) > 1 || session_n_sections(s) > 1);
}

static void add(struct links *l, const struct session *s, int section, int place)
{
    int w = text_columns(session_section_name(s, section)) + 2;
    l->at[l->n++] = (struct link){section, place, 0, w};
}

static bool is_here(const struct session *s, const struct link *link)
{
    return link->section == session_here(s) && link->place == session_place(s);
}

/* Names from x to `end`, the first ones left out so far that the one under the hand is seen. */
static void make_links(const struct session *s, int x, int end, struct links *out)
{
    bool used[SESSION_MAX_SECTIONS] = {false};
    int here = 0, width = 0;
    out->n = out->first = 0;
    for (int i = 0; i < session_n_chain(s); i++) {
        used[session_chain(s, i)] = true;
        add(out, s, session_chain(s, i), i);
    }
    for (int i = 0; i < session_n_sections(s); i++)
        if (!used[i])
            add(out, s, i, -1);
    for (int i = 0; i < out->n; i++)
        here = is_here(s, &out->at[i]) ? i : here;
    for (int i = here; i >= 0 && width + out->at[i].w <= (end - x) * 3 / 4; i--) {
        width += out->at[i].w;
        out->first = i;
    }
    for (int i = out->first; i < out->n; i++) {
        x += i > 0 && out->at[i].place < 0 && out->at[i - 1].place >= 0 ? 2 : 0;
        out->at[i].x = x;
        x += out->at[i].w;
        if (x > end)
            out->n = i;
    }
}

static void facts(const struct desk *d, char out[48])
{
    const struct session *s = d->session;
    int bars = 0;
    for (int i = 0; i < session_n_chain(s); i++)
        bars += session_section_bars(s, session_chain(s, i));
    str_format(out, 48, "%d bars  %s ", bars, d->chained ? "plays whole" : "plays section");
}

static void draw_link(const struct ui *ui, struct grid *g, int y, const struct link *link)
{
    const struct desk *d = ui->desk;
    bool here = is_here(d->session, link), sounds = d->playing && d->chained && link->place == d->sounding;
    enum style style = here ? STYLE_CURSOR : sounds ? STYLE_GOOD : link->place < 0 ? STYLE_DIM : STYLE_PLAIN;
    const char *name = session_section_name(d->session, link->section);
    grid_printf(g, link->x, y, link->w, style, here || sounds ? LOOK_BOLD : 0, here ? "[%s]" : " %s ", name);
    if (sounds && link->place >= 0)
        grid_put(g, link->x, y, ui->signs->playing, STYLE_GOOD, LOOK_BOLD);
}

static void form_draw(const struct ui *ui, struct grid *g, struct rect r)
{
    struct links links;
    char text[48];
    facts(ui->desk, text);
    int end = r.w - text_columns(text);
    make_links(ui->desk->session, GUTTER, end, &links);
    grid_text(g, 1, r.y, GUTTER - 1, STYLE_TITLE, 0, links.first > 0 ? "form    .." : "form");
    for (int i = links.first; i < links.n; i++) {
        if (links.at[i].place < 0 && i > 0 && links.at[i - 1].place >= 0)
            grid_put(g, links.at[i].x - 2, r.y, ui->signs->line, STYLE_FRAME, 0);
        draw_link(ui, g, r.y, &links.at[i]);
    }
    grid_text(g, end, r.y, r.w - end, ui->desk->chained ? STYLE_GOOD : STYLE_DIM, 0, text);
}

static void form_click(struct ui *ui, struct rect r, int x, int y)
{
    struct links links;
    char text[48];
    (void)y;
    facts(ui->desk, text);
    int end = r.w - text_columns(text);
    if (x >= end) {
        ui_command(ui, "whole");
        return;
    }
    make_links(ui->desk->session, GUTTER, end, &links);
    for (int i = links.first; i < links.n; i++)
        if (x >= links.at[i].x && x < links.at[i].x + links.at[i].w)
            desk_go(ui->desk, links.at[i].section, links.at[i].place);
}
const struct view view_form = {"form", form_rows, form_draw, form_click, NULL};
