/* png.c: a song as a picture of its roll: the tracks stacked or over one another, high pitches on top, onsets
 * darker than what they hold, bars, beats and octaves ruled in grey; each role has its colour. */
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "mem.h"
#include "npz.h"
#include "role.h"
#include "roll.h"
#include "song.h"

enum { MAX_SIDE = 32768, MAX_SCALE = 16, USUAL_SCALE = 3, LOW = 24, N_PITCHES = 84 };
struct colour { uint8_t r, g, b; };

static const struct colour role_colours[N_ROLES] = {
    { 0xc0, 0x39, 0x2b }, { 0x27, 0x6f, 0xbf }, { 0xd6, 0x8a, 0x1c }, { 0x2e, 0x8b, 0x57 }, { 0x7d, 0x4c, 0xa8 },
};
static const struct colour paper = { 0xff, 0xff, 0xff }, beat_line = { 0xee, 0xee, 0xee }, bar_line = { 0xbb, 0xbb, 0xbb },
                           border = { 0x55, 0x55, 0x55 };

static struct colour held(struct colour c)
{
    return (struct colour){ (uint8_t)((c.r + 255) / 2), (uint8_t)((c.g + 255) / 2), (uint8_t)((c.b + 255) / 2) };
}

/* What is ruled at each step of the roll. */
static struct colour *ruling(const struct song *s, const struct roll *r)
{
    int steps = roll_steps(r);
    struct colour *rule = xcalloc((size_t)steps, sizeof *rule);
    for (int i = 0; i < steps; i++)
        rule[i] = paper;
    for (int bar = 0;; bar++) {
        int32_t from = song_bar_tick(s, bar), to = song_bar_tick(s, bar + 1);
        int32_t beat = 4 * SONG_TPQ / song_metre(s, from).den;
        for (int32_t t = from; t < to; t += beat > 0 ? beat : to) {
            int64_t step = (int64_t)t * r->bar_steps / SONG_TPQ;
            if (step >= steps)
                return rule;
            rule[step] = t == from ? bar_line : beat_line;
        }
    }
}

/* Inks over one another: each lets through its own share of the light. */
static struct colour mixed(struct colour a, struct colour b)
{
    return (struct colour){ (uint8_t)(a.r * b.r / 255), (uint8_t)(a.g * b.g / 255), (uint8_t)(a.b * b.b / 255) };
}

/* Tracks [from, to) at one place. */
static struct colour place_colour(const struct roll *r, const struct colour *rule, int from, int to, int step, int row)
{
    struct colour c = paper;
    bool sounds = false;
    for (int t = from; t < to; t++) {
        int cell = *roll_at(r, t, step, row);
        struct colour ink = role_colours[t % N_ROLES];
        if (cell != CELL_OFF)
            c = mixed(c, cell == CELL_ONSET ? ink : held(ink));
        sounds |= cell != CELL_OFF;
    }
    bool octave = (r->low + row) % 12 == 0 && memcmp(&rule[step], &paper, sizeof paper) == 0;
    return sounds ? c : octave ? beat_line : rule[step];
}

/* A roll within a picture `width` dots wide, from column `left` on. */
struct picture { const struct roll *roll; const struct colour *rule; int scale, width, left; struct colour *pixels; };

static void put(struct picture *p, int x, int y, struct colour c)
{
    p->pixels[(size_t)y * (size_t)p->width + (size_t)(p->left + x)] = c;
}

/* One roll of tracks [from, to) with a line under it; `y` is where it begins. Returns the line after. */
static int paint(struct picture *p, int from, int to, int y)
{
    int rows = p->roll->n_pitches * p->scale, width = roll_steps(p->roll) * p->scale;
    for (int i = 0; i < rows; i++, y++)
        for (int x = 0; x < width; x++)
            put(p, x, y, place_colour(p->roll, p->rule, from, to, x / p->scale, p->roll->n_pitches - 1 - i / p->scale));
    for (int x = 0; x < width; x++)
        put(p, x, y, border);
    return y + 1;
}

static int usual_scale(const struct roll *r)
{
    int scale = USUAL_SCALE;
    while (scale > 1 && (int64_t)roll_steps(r) * scale > MAX_SIDE)
        scale--;
    return scale;
}

static enum err save_pixels(const struct picture *p, int height, const char *path)
{
    png_image image = { .version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_RGB };
    png_alloc_size_t len = 0;
    void *bytes = NULL;
    enum err err = ERR_OK;
    image.width = (png_uint_32)p->width;
    image.height = (png_uint_32)height;
    if (!png_image_write_get_memory_size(image, len, 0, p->pixels, 0, NULL))
        TRY_OUT(err_set(ERR_NOMEM, "%s: %s", path, image.message));
    TRY_OUT(mem_try_alloc(len, 1, &bytes));
    if (!png_image_write_to_memory(&image, bytes, &len, 0, p->pixels, 0, NULL))
        TRY_OUT(err_set(ERR_IO, "%s: %s", path, image.message));
    TRY_OUT(file_write(path, bytes, len));
out:
    png_image_free(&image);
    free(bytes);
    return err;
}

enum err png_save_song(const struct song *s, const struct png_opts *o, const char *path)
{
    struct roll roll = {0};
    struct colour *rule = NULL;
    void *pixels = NULL;
    enum err err = ERR_OK;
    TRY(roll_sample(s, o->beat_steps, LOW, N_PITCHES, &roll));
    int scale = o->scale ? o->scale : usual_scale(&roll), n = o->overlay ? 1 : roll.n_tracks, y = 0;
    int64_t width = (int64_t)roll_steps(&roll) * scale, height = (int64_t)n * (roll.n_pitches * scale + 1);
    if (scale < 1 || scale > MAX_SCALE || width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
        TRY_OUT(err_set(ERR_RANGE, "a picture of %lld x %lld dots", (long long)width, (long long)height));
    TRY_OUT(mem_try_alloc((size_t)(width * height), sizeof(struct colour), &pixels));
    rule = ruling(s, &roll);
    struct picture p = { &roll, rule, scale, (int)width, 0, pixels };
    for (int t = 0; t < n; t++)
        y = paint(&p, t, o->overlay ? roll.n_tracks : t + 1, y);
    TRY_OUT(save_pixels(&p, y, path));
out:
    roll_fini(&roll);
    free(rule);
    free(pixels);
    return err;
}

/* One song of a grid, its upper left corner at (left, y). */
static enum err paint_song(const struct song *s, int bars, const struct png_opts *o, struct picture *p, int y)
{
    struct roll roll = {0};
    struct colour *rule = NULL;
    TRY(roll_from_song(s, 0, bars, 4 * o->beat_steps, LOW, N_PITCHES, &roll));
    struct roll beats = roll; /* the same cells, ruled by quarters */
    beats.n_bars = roll.n_bars * 4;
    beats.bar_steps = o->beat_steps;
    rule = ruling(s, &beats);
    p->roll = &beats;
    p->rule = rule;
    for (int t = 0; t < (o->overlay ? 1 : roll.n_tracks); t++)
        y = paint(p, t, o->overlay ? roll.n_tracks : t + 1, y);
    free(rule);
    roll_fini(&roll);
    return ERR_OK;
}

enum err png_save_grid(const struct song *const *songs, int rows, int columns, int bars, const struct png_opts *o,
                       const char *path)
{
    enum { FRAME = 3 };
    int scale = o->scale ? o->scale : 1, n_tracks = 0;
    for (int i = 0; i < rows * columns; i++)
        if (songs[i] && (int)songs[i]->n_tracks > n_tracks)
            n_tracks = (int)songs[i]->n_tracks;
    int n = o->overlay ? 1 : n_tracks;
    int64_t wide = (int64_t)bars * 4 * o->beat_steps * scale + FRAME, high = (int64_t)n * (N_PITCHES * scale + 1) + FRAME;
    int64_t width = columns * wide + FRAME, height = rows * high + FRAME;
    void *pixels = NULL;
    enum err err = ERR_OK;
    if (n_tracks == 0)
        return err_set(ERR_EMPTY, "there is nothing to draw");
    if (scale < 1 || scale > MAX_SCALE || width > MAX_SIDE || height > MAX_SIDE)
        return err_set(ERR_RANGE, "a picture of %lld x %lld dots", (long long)width, (long long)height);
    TRY(mem_try_alloc((size_t)(width * height), sizeof(struct colour), &pixels));
    struct picture p = { .scale = scale, .width = (int)width, .pixels = pixels };
    for (int64_t i = 0; i < width * height; i++)
        p.pixels[i] = border;
    for (int i = 0; i < rows * columns; i++) {
        p.left = (int)(i % columns * wide) + FRAME;
        if (songs[i])
            TRY_OUT(paint_song(songs[i], bars, o, &p, (int)(i / columns * high) + FRAME));
    }
    TRY_OUT(save_pixels(&p, (int)height, path));
out:
    free(pixels);
    return err;
}
