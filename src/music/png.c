/* png.c: a roll as a picture: the tracks stacked, high pitches on top, onsets darker than what they hold, bars
 * and octaves ruled in grey; each role has its colour. */
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "mem.h"
#include "npz.h"
#include "role.h"
#include "roll.h"

enum { MAX_SIDE = 32768, MAX_SCALE = 16, USUAL_SCALE = 3 };
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

static struct colour cell_colour(const struct roll *r, int track, int step, int row)
{
    struct colour c = role_colours[track % N_ROLES];
    switch (*roll_at(r, track, step, row)) {
    case CELL_ONSET: return c;
    case CELL_HOLD: return held(c);
    }
    return step % r->bar_steps == 0 ? bar_line :
           (r->bar_steps % 4 == 0 && step % (r->bar_steps / 4) == 0) || (r->low + row) % 12 == 0 ? beat_line : paper;
}

static void paint(const struct roll *r, int scale, int width, struct colour *pixels)
{
    for (int t = 0; t < r->n_tracks; t++) {
        struct colour *top = pixels + (size_t)t * (size_t)(r->n_pitches * scale + 1) * (size_t)width;
        for (int y = 0; y < r->n_pitches * scale; y++)
            for (int x = 0; x < width; x++)
                top[(size_t)y * (size_t)width + (size_t)x] =
                    cell_colour(r, t, x / scale, r->n_pitches - 1 - y / scale);
        for (int x = 0; x < width; x++)
            top[(size_t)(r->n_pitches * scale) * (size_t)width + (size_t)x] = border;
    }
}

int png_usual_scale(const struct roll *r)
{
    int scale = USUAL_SCALE;
    while (scale > 1 && (int64_t)roll_steps(r) * scale > MAX_SIDE)
        scale--;
    return scale;
}

enum err png_save_roll(const struct roll *r, int scale, const char *path)
{
    int64_t width = (int64_t)roll_steps(r) * scale, height = (int64_t)r->n_tracks * (r->n_pitches * scale + 1);
    png_image image = { .version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_RGB };
    png_alloc_size_t len = 0;
    void *pixels = NULL, *bytes = NULL;
    enum err err = ERR_OK;

    if (scale < 1 || scale > MAX_SCALE || width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
        return err_set(ERR_RANGE, "a picture of %lld x %lld dots", (long long)width, (long long)height);
    image.width = (png_uint_32)width;
    image.height = (png_uint_32)height;
    TRY(mem_try_alloc((size_t)(width * height), sizeof(struct colour), &pixels));
    paint(r, scale, (int)width, pixels);
    if (!png_image_write_get_memory_size(image, len, 0, pixels, 0, NULL))
        TRY_OUT(err_set(ERR_NOMEM, "%s: %s", path, image.message));
    TRY_OUT(mem_try_alloc(len, 1, &bytes));
    if (!png_image_write_to_memory(&image, bytes, &len, 0, pixels, 0, NULL))
        TRY_OUT(err_set(ERR_IO, "%s: %s", path, image.message));
    TRY_OUT(file_write(path, bytes, len));
out:
    png_image_free(&image);
    free(pixels);
    free(bytes);
    return err;
}
