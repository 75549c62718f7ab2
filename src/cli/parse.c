/* parse.c: the little languages of option values: bars, tracks, cells, densities, ranges. */
#include "cli.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

static enum err bar_number(const char *text, int n_bars, int *out)
{
    int64_t v;
    TRY(parse_int(text, 1, n_bars, &v));
    *out = (int)v;
    return ERR_OK;
}

enum err bars_parse(const char *text, int n_bars, int most, int *first, int *n)
{
    char copy[32];
    if (!str_copy(copy, sizeof copy, text))
        return err_set(ERR_FORMAT, "\"%.40s\" are not bars", text);
    char *dash = strchr(copy, '-');
    int from, to;
    if (dash)
        *dash++ = '\0';
    TRY(bar_number(copy, most, &from));
    if (!dash)
        to = from;
    else if (*dash == '\0')
        to = n_bars;
    else
        TRY(bar_number(dash, most, &to));
    if (to < from)
        return err_set(ERR_RANGE, "bars %s run backwards", text);
    *first = from - 1;
    *n = to - from + 1;
    return ERR_OK;
}

/* Where no bar line has been the last metre goes on. */
enum { BARS_BEHIND = 256 };
enum err place_parse(const char *text, const struct song *s, int32_t *tick)
{
    char copy[32];
    int64_t part[3] = {1, 1, 1};
    char *rest = copy, *item;
    int n = 0;
    if (!str_copy(copy, sizeof copy, text))
        return err_set(ERR_FORMAT, "\"%.40s\" is no place", text);
    while ((item = str_split(&rest, '.'))) {
        if (n == 3 || parse_int(item, 1, n ? 1000 : song_n_bars(s) + BARS_BEHIND, &part[n]) != ERR_OK)
            return err_set(ERR_FORMAT, "\"%.40s\" is no place: want BAR.BEAT, as 3.1, perhaps with a sixteenth, as 3.2.3",
                           text);
        n++;
    }
    int32_t bar = song_bar_tick(s, (int)part[0] - 1), end = song_bar_tick(s, (int)part[0]);
    int64_t at = bar + (part[1] - 1) * SONG_TPQ + (part[2] - 1) * (SONG_TPQ / 4);
    if (at >= end || part[2] > 4)
        return err_set(ERR_RANGE, "%s: bar %d has no such place", text, (int)part[0]);
    *tick = (int32_t)at;
    return ERR_OK;
}

void place_print(const struct song *s, int32_t tick, char out[24])
{
    int bar = song_bar_of(s, tick), in = tick - song_bar_tick(s, bar);
    str_format(out, 24, "%d.%d.%d", bar + 1, in / SONG_TPQ + 1, in % SONG_TPQ / (SONG_TPQ / 4) + 1);
}

enum err role_of_text(const char *text, enum role *out)
{
    if (!role_parse(text, out) || *out == ROLE_NONE)
        return err_set(ERR_FORMAT, "\"%.40s\" is not a track of the band (drums, piano, guitar, bass, strings)", text);
    return ERR_OK;
}

/* One item of a list of cells: TRACK, TRACK:BARS, BARS, all, none. */
static enum err cells_item(char *item, int n_bars, struct cells *out)
{
    int role0 = 0, role1 = N_ROLES - 1, bar0 = 0, n = n_bars;
    char *colon = strchr(item, ':');
    const char *bars = NULL;
    if (str_same(item, "none"))
        return ERR_OK;
    if (colon) {
        *colon = '\0';
        bars = colon + 1;
    } else if (isdigit((unsigned char)item[0])) {
        bars = item;
    }
    if (bars != item && !str_same(item, "all")) {
        enum role role;
        TRY(role_of_text(item, &role));
        role0 = role1 = (int)role;
    }
    if (bars)
        TRY(bars_parse(bars, n_bars, n_bars, &bar0, &n));
    for (int r = role0; r <= role1; r++)
        memset(&out->at[r][bar0], 1, (size_t)n);
    return ERR_OK;
}

enum err cells_parse(const char *text, int n_bars, struct cells *out)
{
    BUG_ON(n_bars < 0 || n_bars > REQUEST_MAX_BARS);
    memset(out, 0, sizeof *out);
    char *copy = xstrdup(text), *rest = copy, *item;
    enum err err = ERR_OK;
    while (err == ERR_OK && (item = str_split(&rest, ',')))
        err = cells_item(item, n_bars, out);
    free(copy);
    return err;
}

enum err roles_parse(const char *text, bool out[N_ROLES])
{
    char *copy = xstrdup(text), *rest = copy, *item;
    enum err err = ERR_OK;
    memset(out, 0, N_ROLES * sizeof *out);
    while (err == ERR_OK && (item = str_split(&rest, ','))) {
        enum role role;
        err = role_of_text(item, &role);
        if (err == ERR_OK)
            out[role] = true;
    }
    free(copy);
    return err;
}

/* "VALUE" for all tracks or "TRACK=VALUE" for one, with commas between: each value is set by `set`. */
static enum err by_role(const char *text, enum err (*set)(char *value, int role, void *out), void *out)
{
    char *copy = xstrdup(text), *rest = copy, *item;
    enum err err = ERR_OK;
    while (err == ERR_OK && (item = str_split(&rest, ','))) {
        char *value = strchr(item, '=');
        enum role only = ROLE_NONE;
        if (value) {
            *value++ = '\0';
            TRY_OUT(role_of_text(item, &only));
        }
        for (int r = 0; r < N_ROLES && err == ERR_OK; r++)
            if (only == ROLE_NONE || r == (int)only)
                err = set(value ? value : item, r, out);
    }
out:
    free(copy);
    return err;
}

static enum err set_density(char *value, int role, void *out)
{
    int64_t density;
    TRY(parse_int(value, 1, 7, &density));
    ((int *)out)[role] = (int)density;
    return ERR_OK;
}

enum err density_parse(const char *text, int out[N_ROLES])
{
    return by_role(text, set_density, out);
}

static enum err set_range(char *value, int role, void *out)
{
    char lo[8] = "", hi[8] = "", more;
    int a, b;
    if (sscanf(value, "%7[^:]:%7s%c", lo, hi, &more) != 2 || !pitch_parse(lo, 4, &a) || !pitch_parse(hi, 4, &b))
        return err_set(ERR_FORMAT, "\"%.20s\" is no range of pitches: want C2:C6", value);
    ((struct pitch_range *)out)[role] = (struct pitch_range){(uint8_t)a, (uint8_t)b, true};
    return ERR_OK;
}

enum err ranges_parse(const char *text, struct pitch_range out[N_ROLES])
{
    return by_role(text, set_range, out);
}
