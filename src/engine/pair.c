/* pair.c: which weights answer a transfer. A weight file knows two genres; a request names one or both. */
#include "pair.h"
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "str.h"

enum { MAX_GENRES = 32 };

static int genre_index(const struct model_info *m, const char *genre)
{
    for (int i = 0; i < m->n_genres; i++)
        if (str_same(m->genres[i], genre))
            return i;
    return -1;
}

/* ---- judges ---- */

static bool is_judge(const struct model_info *m, const char *const *genres, int n)
{
    const struct model_kind *kind = model_kind_find(m->family);
    bool all = kind && kind->judge;
    for (int i = 0; i < n; i++)
        all &= genre_index(m, genres[i]) >= 0;
    return all;
}

static enum err ask_judge(struct engine *e, const struct model_info *m, const char *const *genres, int n,
                          const struct song *s, int bar0, int n_bars, double *out)
{
    struct loaded *l;
    int index[MAX_GENRES];
    TRY(engine_loaded(e, m->path, &l));
    for (int i = 0; i < n; i++)
        index[i] = genre_index(m, genres[i]);
    return l->kind->judge(l->model, s, bar0, n_bars, index, n, out);
}

enum err pair_judge(struct engine *e, const char *const *genres, int n, const struct song *s, int bar0, int n_bars,
                    double *out)
{
    struct model_info *list = NULL;
    size_t n_list = 0, best = SIZE_MAX;
    BUG_ON(n < 1 || n > MAX_GENRES);
    TRY(models_list(&list, &n_list));
    for (size_t i = 0; i < n_list; i++) /* who knows fewer genres knows these better */
        if (is_judge(&list[i], genres, n) && (best == SIZE_MAX || list[i].n_genres < list[best].n_genres))
            best = i;
    enum err err = best < n_list ? ask_judge(e, &list[best], genres, n, s, bar0, n_bars, out)
                                 : err_set(ERR_MISSING, "no judge that knows %s was found", genres[0]);
    models_list_free(list, n_list);
    return err;
}

/* ---- pairs ---- */

/* The genre a pair comes from on the way to `to`, or NULL when it does not go there. */
static const char *origin(const struct model_info *m, const char *to)
{
    int i = m->verbs & 1u << VERB_TRANSFER && m->n_genres == 2 ? genre_index(m, to) : -1;
    return i < 0 ? NULL : m->genres[!i];
}

static enum err none_found(const struct model_info *list, size_t n, const struct request *rq)
{
    struct str there;
    str_init(&there);
    for (size_t i = 0; i < n; i++)
        if (list[i].verbs & 1u << VERB_TRANSFER && list[i].n_genres == 2)
            str_addf(&there, "%s%s and %s", there.len ? ", " : "", list[i].genres[0], list[i].genres[1]);
    enum err err = err_set(ERR_MISSING, "no weights go %s%s%sto %s; there are: %s", rq->genre_from[0] ? "from " : "",
                           rq->genre_from, rq->genre_from[0] ? " " : "", rq->genre_to, str_c(&there));
    if (there.len == 0)
        err = err_set(ERR_MISSING, "no weights that transfer were found; `jamroll doctor` says where they are looked for");
    str_fini(&there);
    return err;
}

/* Of the pairs that qualify, the one whose origin the music is most like; the first when nobody can tell. */
static size_t likeliest(struct engine *e, const struct model_info *list, const size_t *which, int n,
                        const struct request *rq)
{
    const char *from[MAX_GENRES];
    double share[MAX_GENRES] = {0};
    int best = 0;
    for (int i = 0; i < n; i++)
        from[i] = origin(&list[which[i]], rq->genre_to);
    if (n > 1 && pair_judge(e, from, n, rq->song, rq->bar0, rq->n_bars, share) == ERR_OK)
        for (int i = 1; i < n; i++)
            best = share[i] > share[best] ? i : best;
    return which[best];
}

/* Weights that were named: they have to know the genres. */
static enum err pair_of_file(struct engine *e, const char *model, struct request *rq, char **out)
{
    struct loaded *l = NULL;
    char *path = NULL;
    TRY(models_find(model, VERB_TRANSFER, &path));
    enum err err = engine_loaded(e, path, &l);
    bool pair = err == ERR_OK && l->kind->verbs & 1u << VERB_TRANSFER && l->kind->n_genres(l->model) == 2;
    const char *a = pair ? l->kind->genre(l->model, 0) : "", *b = pair ? l->kind->genre(l->model, 1) : "";
    const char *from = str_same(b, rq->genre_to) ? a : b, *to = from == a ? b : a;
    if (err == ERR_OK && !pair)
        err = err_set(ERR_UNSUPPORTED, "%s: the family '%s' cannot transfer", model, l->kind->name);
    else if (err == ERR_OK && (!str_same(to, rq->genre_to) || (rq->genre_from[0] && !str_same(from, rq->genre_from))))
        err = err_set(ERR_MISSING, "%s goes between %s and %s, not %s%s%sto %s", model, a, b,
                      rq->genre_from[0] ? "from " : "", rq->genre_from, rq->genre_from[0] ? " " : "", rq->genre_to);
    if (err != ERR_OK) {
        free(path);
        return err;
    }
    rq->genre = to == b;
    str_copy(rq->genre_from, sizeof rq->genre_from, from);
    *out = path;
    return ERR_OK;
}

enum err pair_find(struct engine *e, const char *model, struct request *rq, char **path)
{
    struct model_info *list = NULL;
    size_t n = 0, which[MAX_GENRES];
    int found = 0;
    if (model && *model)
        return pair_of_file(e, model, rq, path);
    TRY(models_list(&list, &n));
    for (size_t i = 0; i < n && found < MAX_GENRES; i++) {
        const char *from = origin(&list[i], rq->genre_to);
        if (from && (!rq->genre_from[0] || str_same(from, rq->genre_from)))
            which[found++] = i;
    }
    enum err err = found ? ERR_OK : none_found(list, n, rq);
    if (found) {
        const struct model_info *m = &list[likeliest(e, list, which, found, rq)];
        rq->genre = genre_index(m, rq->genre_to);
        str_copy(rq->genre_from, sizeof rq->genre_from, origin(m, rq->genre_to));
        *path = xstrdup(m->path);
    }
    models_list_free(list, n);
    return err;
}
