/* cell.c: see cell.h. */
#include "cell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "keycode.h"
#include "mem.h"

void grid_init(struct grid *g, int w, int h, bool ascii)
{
    *g = (struct grid){.w = w, .h = h, .ascii = ascii};
    g->at = xcalloc((size_t)w * (size_t)h + 1, sizeof *g->at);
    for (int i = 0; i < w * h; i++)
        g->at[i].ch = ' ';
}

void grid_fini(struct grid *g)
{
    free(g->at);
    *g = (struct grid){0};
}

struct cell *grid_at(struct grid *g, int x, int y)
{
    return x >= 0 && y >= 0 && x < g->w && y < g->h ? &g->at[y * g->w + x] : NULL;
}

/* Ranges that terminals draw in no or two columns; the locale is not asked, so a grid is the same anywhere. */
static bool one_column(uint32_t c)
{
    static const struct {
        uint32_t lo, hi;
    } odd[] = {
        {0, 0x1f},        {0x7f, 0x9f},       {0xad, 0xad},     {0x300, 0x36f},   {0x483, 0x489},
        {0x590, 0x5ff},   {0x600, 0x6ff},     {0x1100, 0x115f}, {0x200b, 0x200f}, {0x2028, 0x202e},
        {0x2060, 0x206f}, {0x20d0, 0x20ff},   {0x231a, 0x231b}, {0x23e9, 0x23f3}, {0x2614, 0x2615},
        {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},   {0xd800, 0xf8ff}, {0xf900, 0xfaff}, {0xfe00, 0xfe6f},
        {0xfeff, 0xff60}, {0xffe0, 0x10ffff},
    };
    for (size_t i = 0; i < COUNT_OF(odd); i++)
        if (c >= odd[i].lo && c <= odd[i].hi)
            return false;
    return true;
}

void grid_put(struct grid *g, int x, int y, uint32_t ch, enum style s, int look)
{
    struct cell *c = grid_at(g, x, y);
    if (!c)
        return;
    c->ch = one_column(ch) && (!g->ascii || ch < 0x80) ? ch : '?';
    c->style = (uint8_t)s;
    c->look = (uint8_t)look;
}

int grid_text(struct grid *g, int x, int y, int w, enum style s, int look, const char *text)
{
    for (int bytes; w > 0 && *text; text += bytes, x++, w--)
        grid_put(g, x, y, (uint32_t)keycode_from_utf8(text, &bytes), s, look);
    return x;
}

int grid_printf(struct grid *g, int x, int y, int w, enum style s, int look, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return grid_text(g, x, y, w, s, look, text);
}

void grid_fill(struct grid *g, struct rect r, uint32_t ch, enum style s)
{
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            grid_put(g, x, y, ch, s, 0);
}

int text_columns(const char *utf8)
{
    int n = 0;
    for (int bytes; *utf8; utf8 += bytes, n++)
        keycode_from_utf8(utf8, &bytes);
    return n;
}

void grid_print(const struct grid *g, struct str *out)
{
    for (int y = 0; y < g->h; y++) {
        int end = g->w;
        while (end > 0 && g->at[y * g->w + end - 1].ch == ' ')
            end--;
        for (int x = 0; x < end; x++) {
            char bytes[8];
            keycode_to_utf8((int)g->at[y * g->w + x].ch, bytes);
            str_add(out, bytes);
        }
        str_addc(out, '\n');
    }
}
