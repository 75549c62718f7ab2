/* dataset_parts.c: names, tables and bytes; see dataset_parts.h. */
#include "dataset_parts.h"
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "mem.h"
#include "rng.h"
#include "song.h"

enum { MANIFEST_MAX_BYTES = 64 << 20 };

uint64_t hash_text(const char *s, size_t n)
{
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)s[i]) * 0x100000001b3;
    return rng_hash(h, n);
}

void put_le(struct str *s, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        str_addc(s, i < 8 ? (char)(v >> (8 * i) & 0xff) : 0);
}

bool is_midi_path(const char *path)
{
    const char *const exts[] = { ".mid", ".midi", ".rmi", ".kar" };
    for (size_t i = 0; i < COUNT_OF(exts); i++)
        if (str_same(path_ext(path), exts[i]))
            return true;
    return false;
}

void drop_annotations(struct song *s)
{
    bool music = false;
    for (size_t t = 0; t < s->n_tracks; t++)
        music |= s->tracks[t].n > 0 && strcasecmp(s->tracks[t].name, "chords") != 0;
    for (size_t t = 0; t < s->n_tracks && music; t++)
        if (strcasecmp(s->tracks[t].name, "chords") == 0)
            track_clear(&s->tracks[t], 0, SONG_MAX_TICKS);
}

char *folder_name(const char *dir)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    char *copy = xstrndup(dir, n), *base = xstrdup(path_base(copy));
    free(copy);
    return base;
}

char *renamed(const char *list, const char *label)
{
    char *copy = xstrdup(list ? list : ""), *rest = copy, *item, *found = NULL;
    while (!found && (item = str_split(&rest, ','))) {
        char *eq = strchr(item, '=');
        if (!eq)
            continue;
        *eq = 0;
        if (str_same(item, label))
            found = xstrdup(eq + 1);
    }
    free(copy);
    return found ? found : xstrdup(label);
}

size_t name_index(struct name_list *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->name[i], name) == 0)
            return i;
    l->name = xgrow(l->name, l->n, &l->cap, sizeof(*l->name));
    l->name[l->n] = xstrdup(name);
    return l->n++;
}

void name_list_fini(struct name_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->name[i]);
    free(l->name);
}

void put_names(struct str *s, const struct name_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        str_addn(s, l->name[i], strlen(l->name[i]) + 1);
}

enum err folders_walk(const char *const *dirs, size_t n, struct name_list *sets, const char **dir, file_walk_fn visit,
                      void *ctx)
{
    for (size_t i = 0; i < n; i++) {
        if (!file_is_dir(dirs[i]))
            return err_set(ERR_MISSING, "%s is not a folder", dirs[i]);
        *dir = dirs[i];
        sets->name = xgrow(sets->name, sets->n, &sets->cap, sizeof(*sets->name));
        sets->name[sets->n++] = folder_name(dirs[i]);
        TRY(file_walk(dirs[i], visit, ctx));
    }
    return ERR_OK;
}

/* ---- manifest ---- */

enum err manifest_read(const char *path, struct manifest *m)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    int column[3] = { -1, -1, -1 };
    static const char *const heads[3] = { "path", "label", "composer" };

    TRY(file_read(path, MANIFEST_MAX_BYTES, &bytes, &len));
    m->text = xstrndup((char *)bytes, len);
    free(bytes);
    char *rest = m->text, *line = str_split(&rest, '\n'), *cell;
    for (int i = 0; line && (cell = str_split(&line, '\t')); i++)
        for (int h = 0; h < 3; h++)
            if (strcmp(cell, heads[h]) == 0)
                column[h] = i;
    if (column[0] < 0 || column[1] < 0)
        return err_set(ERR_FORMAT, "%s: the first line needs the columns path and label", path);
    while ((line = str_split(&rest, '\n'))) {
        char *cells[3] = { NULL, NULL, NULL };
        for (int i = 0; (cell = str_split(&line, '\t')); i++)
            for (int h = 0; h < 3; h++)
                if (i == column[h])
                    cells[h] = cell;
        if (!cells[0] || !cells[1] || !cells[1][0])
            continue;
        m->rows = xgrow(m->rows, m->n, &m->cap, sizeof(*m->rows));
        m->rows[m->n++] = (struct manifest_row){ cells[0], cells[1], cells[2] };
    }
    return ERR_OK;
}

const struct manifest_row *manifest_find(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->rows[i].path, name) == 0)
            return &m->rows[i];
    return NULL;
}

void manifest_fini(struct manifest *m)
{
    free(m->rows);
    free(m->text);
}
