/* judge.c: the judge as it runs, out of a weight file or on parameters in training. */
#include "judge.h"
#include <stdlib.h>
#include <string.h>
#include "judge_row.h"
#include "mem.h"
#include "str.h"

static struct node *build(struct net *n, const void *ctx, struct node *cells)
{
    const struct judge *j = ctx;
    return g_softmax(judge_network(n, j->width, j->n_genres, cells), 1);
}

enum err judge_genres_parse(const char *list, char names[JUDGE_GENRES][JUDGE_NAME], int *n)
{
    char *copy = xstrdup(list), *rest = copy;
    enum err err = ERR_OK;
    *n = 0;
    for (char *item = str_split(&rest, ','); item && err == ERR_OK; item = str_split(&rest, ','))
        if (*n == JUDGE_GENRES || !*item || strlen(item) >= JUDGE_NAME)
            err = err_set(ERR_FORMAT, "\"%.40s\" is no list of %d genres at most, each of less than %d letters", list,
                          JUDGE_GENRES, JUDGE_NAME);
        else
            str_copy(names[(*n)++], JUDGE_NAME, item);
    free(copy);
    return err == ERR_OK && *n < 2 ? err_set(ERR_FORMAT, "a judge of genres needs two at least, not \"%.40s\"", list) : err;
}

struct judge *judge_on(struct params *borrowed, int width, int n_genres)
{
    struct judge *j = xcalloc(1, sizeof *j);
    j->params = borrowed;
    j->width = width;
    j->n_genres = n_genres;
    j->net = grid_net_new(borrowed, build, j, -1);
    return j;
}

int judge_likeliest(const float *p, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        best = p[i] > p[best] ? i : best;
    return best;
}

void judge_declare(struct params *p, int width, int n_genres)
{
    struct net net = { .g = graph_new(), .p = p };
    judge_network(&net, width, n_genres, g_input(net.g, "grids", F32, SHAPE(1, 1, GRID_STEPS, GRID_PITCHES, 1)));
    graph_free(net.g);
}

enum err judge_load(struct device *d, const struct ckpt *w, struct judge **out)
{
    const char *family = ckpt_meta(w, "family"), *genres = ckpt_meta(w, "genres");
    char names[JUDGE_GENRES][JUDGE_NAME];
    struct opts *o = NULL;
    int n;
    if (!family || strcmp(family, "judge") != 0 || !genres)
        return err_set(ERR_FORMAT, "not a judge of genres: family or genres are missing in its metadata");
    TRY(judge_genres_parse(genres, names, &n));
    TRY(ckpt_options(w, judge_options, n_judge_options, &o));
    struct judge *j = judge_on(params_new(), (int)opts_int(o, "width"), n);
    opts_free(o);
    j->own = j->params;
    memcpy(j->genre, names, sizeof names);
    judge_declare(j->params, j->width, n);
    enum err err = params_alloc(j->params, d, false);
    if (err == ERR_OK)
        err = ckpt_load_params(w, j->params, d);
    if (err == ERR_OK)
        *out = j;
    else
        judge_free(j);
    return err;
}

enum err judge_load_file(struct device *d, const char *path, struct judge **out)
{
    struct ckpt *c;
    TRY(ckpt_open(path, &c));
    enum err err = judge_load(d, c, out);
    ckpt_close(c);
    return err;
}

void judge_free(struct judge *j)
{
    if (!j)
        return;
    grid_net_free(j->net);
    params_free(j->own);
    free(j);
}

int judge_n_genres(const struct judge *j)
{
    return j->n_genres;
}

const char *judge_genre(const struct judge *j, int i)
{
    return j->genre[i];
}

int judge_find(const struct judge *j, const char *genre)
{
    for (int i = 0; i < j->n_genres; i++)
        if (str_same(j->genre[i], genre))
            return i;
    return -1;
}

enum err judge_run(struct judge *j, const uint8_t *grids, int n, double sigma, uint64_t seed, float *out)
{
    return grid_net_run(j->net, grids, n, &(struct grid_noise){ sigma, seed }, out, NULL);
}

enum err judge_pair(struct judge *j, const uint8_t *grids, int n, int a, int b, float *out)
{
    size_t k = (size_t)j->n_genres;
    float *p = xcalloc((size_t)n * k, sizeof *p);
    enum err err = judge_run(j, grids, n, 0, 0, p);
    for (size_t i = 0; i < (size_t)n && err == ERR_OK; i++) {
        float pa = p[i * k + (size_t)a], pb = p[i * k + (size_t)b];
        out[i] = pa + pb > 0 ? pa / (pa + pb) : 0.5f;
    }
    free(p);
    return err;
}
