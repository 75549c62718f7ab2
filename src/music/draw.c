/* draw.c: a song as text: a roll that reads well in a terminal or a log. A pure function of the song; a column
 * is a 16th. */
#include "draw.h"
#include "song.h"
#include "theory.h"

enum { COLUMN = SONG_TPQ / 4, LABEL = 12, MAX_COLUMNS = 64 };

/* Glyphs by [ascii]: onset, hold, empty beat, empty, bar line. */
static const struct glyphs { const char *onset, *hold, *beat, *rest, *bar; } glyphs[2] = {
    { "\u2588", "\u2500", "\u00b7", " ", "\u2502" },
    { "O", "-", ".", " ", "|" },
};

/* A line of bars that fit the width. */
struct line { const struct song *song; const struct glyphs *g; int bar0, n_bars; int32_t from, to; };

static void put_ruler(const struct line *l, struct str *out)
{
    str_addf(out, "%*s", LABEL, "");
    for (int b = l->bar0; b < l->bar0 + l->n_bars; b++) {
        int32_t ticks = song_bar_tick(l->song, b + 1) - song_bar_tick(l->song, b);
        str_addf(out, " %-*d", (int)(ticks + COLUMN - 1) / COLUMN, b + 1);
    }
    str_addc(out, '\n');
}

/* The glyph of one pitch in [from, to): onset over hold over rest. */
static const char *cell(const struct line *l, const struct track *t, int pitch, int32_t from, int32_t to, bool beat)
{
    bool hold = false;
    for (size_t i = 0; i < t->n && t->notes[i].tick < to; i++) {
        const struct note *n = &t->notes[i];
        if (n->pitch != pitch || n->tick + n->dur <= from)
            continue;
        if (n->tick >= from)
            return l->g->onset;
        hold = t->role != ROLE_DRUMS;
    }
    return hold ? l->g->hold : beat ? l->g->beat : l->g->rest;
}

static void put_row(const struct line *l, const struct track *t, int pitch, struct str *out)
{
    char label[8];
    const char *drum = t->role == ROLE_DRUMS ? gm_drum_name(pitch) : NULL;

    pitch_name(pitch, 4, label);
    str_addf(out, "  %-*.*s", LABEL - 2, LABEL - 2, drum ? drum : label);
    for (int b = l->bar0; b < l->bar0 + l->n_bars; b++) {
        int32_t from = song_bar_tick(l->song, b), to = song_bar_tick(l->song, b + 1);
        str_add(out, l->g->bar);
        for (int32_t tick = from; tick < to; tick += COLUMN)
            str_add(out, cell(l, t, pitch, tick, tick + COLUMN < to ? tick + COLUMN : to,
                              (tick - from) % SONG_TPQ == 0));
    }
    str_add(out, l->g->bar);
    str_addc(out, '\n');
}

/* The pitches that sound in the line, high to low, one row each. */
static void put_track(const struct line *l, const struct track *t, struct str *out)
{
    bool used[128] = { false }, any = false;

    for (size_t i = 0; i < t->n && t->notes[i].tick < l->to; i++)
        if (t->notes[i].tick + t->notes[i].dur > l->from)
            used[t->notes[i].pitch] = any = true;
    str_addf(out, "%s (%s)%s\n", t->name, t->role == ROLE_DRUMS ? "kit" : gm_program_name(t->program),
             any ? "" : ": silent");
    for (int p = 127; p >= 0; p--)
        if (used[p])
            put_row(l, t, p, out);
}

/* How many bars from `bar` on fit one line, at least one. */
static int bars_that_fit(const struct song *s, int bar, int end)
{
    int n = 1;
    int32_t from = song_bar_tick(s, bar);
    while (bar + n < end && song_bar_tick(s, bar + n + 1) - from <= MAX_COLUMNS * COLUMN)
        n++;
    return n;
}

void draw_song_text(const struct song *s, int bar0, int n_bars, bool ascii, struct str *out)
{
    int32_t tick0 = song_bar_tick(s, bar0);
    struct metre m = song_metre(s, tick0);
    char key[16];

    key_print(song_key(s, tick0, song_bar_tick(s, bar0 + n_bars), NULL), key);
    str_addf(out, "%s%s%.0f bpm  %d/%d  %s\n", s->title, s->title[0] ? "  " : "", song_bpm(s, tick0), m.num, m.den,
             key);
    for (int bar = bar0; bar < bar0 + n_bars; ) {
        struct line l = { s, &glyphs[ascii], bar, bars_that_fit(s, bar, bar0 + n_bars), song_bar_tick(s, bar), 0 };
        l.to = song_bar_tick(s, bar + l.n_bars);
        put_ruler(&l, out);
        for (size_t t = 0; t < s->n_tracks; t++)
            put_track(&l, &s->tracks[t], out);
        bar += l.n_bars;
    }
}
