/* cyclegan.c: the generators as they run, out of a weight file or on parameters in training. */
#include <stdlib.h>
#include <string.h>
#include "cyclegan_row.h"
#include "mem.h"
#include "str.h"

static const char *const generators[2] = { "g.ab", "g.ba" };   /* by the side they come from */

static struct node *build_ab(struct net *n, const void *ctx, struct node *grids)
{
    return cyclegan_generator(n, generators[0], ctx, grids);
}

static struct node *build_ba(struct net *n, const void *ctx, struct node *grids)
{
    return cyclegan_generator(n, generators[1], ctx, grids);
}

struct cyclegan *cyclegan_on(const struct cyclegan_config *config, struct params *borrowed)
{
    struct cyclegan *c = xcalloc(1, sizeof *c);
    c->c = *config;
    c->params = borrowed;
    c->net[0] = grid_net_new(borrowed, build_ab, &c->c, 0);
    c->net[1] = grid_net_new(borrowed, build_ba, &c->c, 0);
    return c;
}

void cyclegan_refresh(struct cyclegan *c)
{
    grid_net_refresh(c->net[0]);
    grid_net_refresh(c->net[1]);
}

void cyclegan_free(struct cyclegan *c)
{
    if (!c)
        return;
    grid_net_free(c->net[0]);
    grid_net_free(c->net[1]);
    params_free(c->own);
    free(c);
}

static struct cyclegan *cyclegan_new(const struct cyclegan_config *config, char genre[2][GENRE_NAME])
{
    struct cyclegan *c = cyclegan_on(config, params_new());
    c->own = c->params;
    memcpy(c->genre, genre, sizeof c->genre);
    cyclegan_declare(c->params, config, false, false);
    return c;
}

enum err cyclegan_pair(const char *text, char sep, char genre[2][GENRE_NAME])
{
    const char *cut = strchr(text, sep);
    size_t a = cut ? (size_t)(cut - text) : 0, b = cut ? strlen(cut + 1) : 0;
    if (a == 0 || b == 0 || a >= GENRE_NAME || b >= GENRE_NAME || strchr(cut + 1, sep))
        return err_set(ERR_FORMAT, "\"%.60s\" does not name two genres with %c between them", text, sep);
    str_format(genre[0], GENRE_NAME, "%.*s", (int)a, text);
    str_copy(genre[1], GENRE_NAME, cut + 1);
    return str_same(genre[0], genre[1]) ? err_set(ERR_FORMAT, "the two genres of a pair are one: %s", genre[0]) : ERR_OK;
}

void cyclegan_config_meta(const struct cyclegan_config *c, char genre[2][GENRE_NAME], struct ckpt_writer *w)
{
    char text[2 * GENRE_NAME + 2];
    ckpt_writer_meta(w, "format", "jamroll 1");
    ckpt_writer_meta(w, "family", "cyclegan");
    ckpt_writer_meta(w, "grid", "64 sixteenths, 84 pitches from C1");
    str_format(text, sizeof text, "%s,%s", genre[0], genre[1]);
    ckpt_writer_meta(w, "genres", text);
    str_format(text, sizeof text, "%d", c->width);
    ckpt_writer_meta(w, "option.width", text);
    str_format(text, sizeof text, "%d", c->blocks);
    ckpt_writer_meta(w, "option.blocks", text);
}

enum err cyclegan_load(struct device *d, const struct ckpt *w, struct cyclegan **out)
{
    const char *family = ckpt_meta(w, "family"), *genres = ckpt_meta(w, "genres");
    char genre[2][GENRE_NAME];
    struct opts *o;
    if (!family || strcmp(family, "cyclegan") != 0 || !genres)
        return err_set(ERR_FORMAT, "no genre transfer: family or genres are missing in its metadata");
    TRY(cyclegan_pair(genres, ',', genre));
    TRY(ckpt_options(w, cyclegan_options, n_cyclegan_options, &o));
    struct cyclegan_config config = cyclegan_config_from(o);
    opts_free(o);
    struct cyclegan *c = cyclegan_new(&config, genre);
    str_copy(c->name, sizeof c->name, ckpt_meta(w, "name") ? ckpt_meta(w, "name") : "cyclegan");
    str_copy(c->hash, sizeof c->hash, ckpt_hash(w));
    enum err err = params_alloc(c->params, d, false);
    if (err == ERR_OK)
        err = ckpt_load_params(w, c->params, d);
    if (err == ERR_OK)
        *out = c;
    else
        cyclegan_free(c);
    return err;
}

enum err cyclegan_random(struct device *d, const struct cyclegan_config *config, const char *a, const char *b,
                         uint64_t seed, struct cyclegan **out)
{
    char genre[2][GENRE_NAME];
    str_copy(genre[0], GENRE_NAME, a);
    str_copy(genre[1], GENRE_NAME, b);
    struct cyclegan *c = cyclegan_new(config, genre);
    enum err err = params_alloc(c->params, d, false);
    if (err != ERR_OK) {
        cyclegan_free(c);
        return err;
    }
    params_init(c->params, seed);
    *out = c;
    return ERR_OK;
}

void cyclegan_save(const struct cyclegan *c, struct ckpt_writer *w)
{
    struct cyclegan *live = (struct cyclegan *)(uintptr_t)c;
    cyclegan_config_meta(&c->c, live->genre, w);
    ckpt_add_params_named(w, c->params, "g.", params_device(c->params));
}

const char *cyclegan_genre(const struct cyclegan *c, int side)
{
    return c->genre[side];
}

enum err cyclegan_run(struct cyclegan *c, const uint8_t *grids, int n, int from, float *out, const atomic_bool *cancel)
{
    return grid_net_run(c->net[from], grids, n, NULL, out, cancel);
}
