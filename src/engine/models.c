/* models.c: which weight files there are and what they can do. Only a file's header is read, and its bytes
 * hashed; nothing is loaded onto a device. Files that are broken or of no known family are passed over with
 * a line in the log, so one bad download does not hide the rest. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "ckpt.h"
#include "file.h"
#include "log.h"
#include "mem.h"
#include "str.h"
#include "verb.h"

#define EXTENSION ".safetensors"

struct list { struct model_info *info; size_t n, cap; };

static char *text_or_empty(const char *text)
{
    return xstrdup(text ? text : "");
}

static void names_free(char **names, int n)
{
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

static void info_fini(struct model_info *m)
{
    names_free(m->genres, m->n_genres);
    names_free(m->styles, m->n_styles);
    free(m->path);
    free(m->name);
    free(m->family);
    free(m->licence);
}

void models_list_free(struct model_info *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        info_fini(&list[i]);
    free(list);
}

/* A list with commas; of "era/composer" the latter. */
static void read_names(const char *list, char ***names, int *n)
{
    size_t cap = 0;
    if (!list || !*list)
        return;
    char *copy = xstrdup(list), *rest = copy;
    for (char *name = str_split(&rest, ','); name; name = str_split(&rest, ',')) {
        char *slash = strchr(name, '/');
        *names = xgrow(*names, (size_t)*n, &cap, sizeof **names);
        (*names)[(*n)++] = xstrdup(slash ? slash + 1 : name);
    }
    free(copy);
}

static char *stem_of(const char *path)
{
    const char *base = path_base(path);
    size_t n = strlen(base) - (str_ends(base, EXTENSION) ? strlen(EXTENSION) : 0);
    return xstrndup(base, n);
}

static enum err read_info(const char *path, struct model_info *m)
{
    struct ckpt *c = NULL;
    TRY(ckpt_open(path, &c));
    const char *family = ckpt_meta(c, "family"), *name = ckpt_meta(c, "name"), *licence = ckpt_meta(c, "licence");
    const struct model_kind *kind = family ? model_kind_find(family) : NULL;
    struct stat st = {0};
    enum err err = ERR_OK;
    if (!kind)
        TRY_OUT(err_set(ERR_UNSUPPORTED, "%s: no family called '%.40s' is known", path, family ? family : ""));
    if (stat(path, &st) != 0)
        TRY_OUT(err_set(ERR_IO, "%s: cannot be read any more", path));
    *m = (struct model_info){.bytes = (size_t)st.st_size, .verbs = kind->verbs_of ? kind->verbs_of(c) : kind->verbs};
    m->path = xstrdup(path);
    m->name = name && *name ? xstrdup(name) : stem_of(path);
    m->family = xstrdup(family);
    m->licence = text_or_empty(licence);
    str_copy(m->hash, sizeof m->hash, ckpt_hash(c));
    read_names(ckpt_meta(c, "genres"), &m->genres, &m->n_genres);
    read_names(ckpt_meta(c, "styles"), &m->styles, &m->n_styles);
out:
    ckpt_close(c);
    return err;
}

static enum err add_file(void *ctx, const char *path)
{
    struct list *list = ctx;
    struct model_info m;
    if (!str_ends(path, EXTENSION))
        return ERR_OK;
    if (read_info(path, &m) != ERR_OK) {
        log_warn("passed over: %s", err_text());
        return ERR_OK;
    }
    for (size_t i = 0; i < list->n; i++)
        if (str_same(list->info[i].name, m.name)) {
            info_fini(&m);
            return ERR_OK;
        }
    list->info = xgrow(list->info, list->n, &list->cap, sizeof *list->info);
    list->info[list->n++] = m;
    return ERR_OK;
}

static void add_dir(struct list *list, const char *dir)
{
    if (dir && *dir && file_is_dir(dir) && file_walk(dir, add_file, list) != ERR_OK)
        log_warn("%s", err_text());
}

static int rank_of(const struct model_info *m)
{
    for (size_t i = 0; i < n_model_kinds; i++)
        if (strcmp(model_kinds[i]->name, m->family) == 0)
            return (int)i;
    return (int)n_model_kinds;
}

/* By family, otherwise as found. The list is short. */
static void sort_by_family(struct list *list)
{
    for (size_t i = 1; i < list->n; i++) {
        struct model_info m = list->info[i];
        size_t k = i;
        for (; k > 0 && rank_of(&list->info[k - 1]) > rank_of(&m); k--)
            list->info[k] = list->info[k - 1];
        list->info[k] = m;
    }
}

enum err models_list(struct model_info **out, size_t *n)
{
    struct list list = {0};
    const char *env = getenv("JAMROLL_MODELS");
    if (env && *env) {
        char *copy = xstrdup(env), *rest = copy;
        for (char *dir = str_split(&rest, ':'); dir; dir = str_split(&rest, ':'))
            add_dir(&list, dir);
        free(copy);
    }
    char *places[] = {place_path(PLACE_DATA, "models"), place_beside_program("share/jamroll/models"),
                      xstrdup("models"), place_beside_program("models")};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        add_dir(&list, places[i]);
        free(places[i]);
    }
    sort_by_family(&list);
    *out = list.info;
    *n = list.n;
    return ERR_OK;
}

static bool looks_like_path(const char *name)
{
    return strchr(name, '/') || str_ends(name, EXTENSION);
}

enum err models_find(const char *name, enum verb v, char **path)
{
    bool best = !name || !*name;
    if (best && v == N_VERBS)
        return err_set(ERR_MISSING, "which weights? They have no name");
    if (!best && looks_like_path(name)) {
        if (!file_exists(name))
            return err_set(ERR_MISSING, "there is no weight file %s", name);
        *path = xstrdup(name);
        return ERR_OK;
    }
    struct model_info *list = NULL;
    size_t n = 0, i = 0;
    TRY(models_list(&list, &n));
    while (i < n && !(best ? list[i].verbs & 1u << v : str_same(list[i].name, name)))
        i++;
    enum err err = ERR_OK;
    if (i < n)
        *path = xstrdup(list[i].path);
    else if (best)
        err = err_set(ERR_MISSING, "no weights that can %s were found; `jamroll doctor` says where they are looked for",
                      verb_name(v));
    else
        err = err_set(ERR_MISSING, "there are no weights called '%s'", name);
    models_list_free(list, n);
    return err;
}
