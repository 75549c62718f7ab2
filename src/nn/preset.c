/* preset.c: configurations of experiments, in and out. */
#include "preset.h"
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "mem.h"

enum { MAX_BYTES = 1 << 16 };
static const char EXT[] = ".conf";

/* Folders that hold configurations; NULL where a place is unknown. The caller's to free. */
static void folders(char *out[4])
{
    out[0] = place_path(PLACE_DATA, "configs");
    out[1] = place_beside_program("share/jamroll/configs");
    out[2] = xstrdup("assets/configs");
    out[3] = place_beside_program("assets/configs");
}

/* Whether a name stands in "a, b, c". */
static bool listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == ',' || at[n] == '\0'))
            return true;
    return false;
}

static enum err list_name(void *ctx, const char *path)
{
    struct str *list = ctx;
    char *base = path_with_ext(path_base(path), "");
    if (str_ends(path, EXT) && !listed(str_c(list), base))
        str_addf(list, "%s%s", list->len ? ", " : "", base);
    free(base);
    return ERR_OK;
}

/* Path of a configuration, malloc'd. */
static enum err find(const char *name, char **out)
{
    char *dirs[4], *path = NULL;
    struct str file, list;
    if (file_exists(name)) {
        *out = xstrdup(name);
        return ERR_OK;
    }
    folders(dirs);
    str_init(&file);
    str_init(&list);
    str_addf(&file, "%s%s", name, EXT);
    for (size_t i = 0; i < COUNT_OF(dirs) && !strchr(name, '/'); i++) {
        if (!dirs[i] || path)
            continue;
        path = path_join(dirs[i], str_c(&file));
        if (!file_exists(path)) {
            free(path);
            path = NULL;
        }
        if (file_is_dir(dirs[i]) && file_walk(dirs[i], list_name, &list) != ERR_OK)
            str_clear(&list);
    }
    for (size_t i = 0; i < COUNT_OF(dirs); i++)
        free(dirs[i]);
    enum err err = ERR_OK;
    if (path)
        *out = path;
    else
        err = err_set(ERR_MISSING, "there is no configuration \"%.60s\"; there are: %.500s", name,
                      list.len ? str_c(&list) : "none");
    str_fini(&file);
    str_fini(&list);
    return err;
}

static enum err read_line(char *line, const char *family, struct opts *o)
{
    char *value = strchr(line, '=');
    if (*line == '\0' || *line == '#')
        return ERR_OK;
    if (!value)
        return err_set(ERR_FORMAT, "\"%.40s\" is not NAME=VALUE", line);
    *value++ = '\0';
    if (strcmp(line, "family") != 0)
        return opts_set(o, line, value);
    return strcmp(value, family) == 0
               ? ERR_OK
               : err_set(ERR_FORMAT, "this is a configuration of %.40s, not of %s", value, family);
}

static enum err read_lines(char *text, const char *path, const char *family, struct opts *o)
{
    char *rest = text, *line;
    for (int n = 1; (line = str_split(&rest, '\n')); n++) {
        size_t len = strlen(line);
        if (len > 0 && line[len - 1] == '\r')
            line[len - 1] = '\0';
        enum err err = read_line(line, family, o);
        if (err != ERR_OK) {
            err_prefix("%s:%d", path, n);
            return ERR_FORMAT;
        }
    }
    return ERR_OK;
}

enum err preset_load(const char *name, const char *family, struct opts *o)
{
    char *path = NULL;
    uint8_t *bytes = NULL;
    size_t len;
    TRY(find(name, &path));
    enum err err = file_read(path, MAX_BYTES, &bytes, &len);
    if (err == ERR_OK && memchr(bytes, 0, len))
        err = err_set(ERR_FORMAT, "%s is no text", path);
    if (err == ERR_OK) {
        char *text = xstrndup((const char *)bytes, len);
        err = read_lines(text, path, family, o);
        free(text);
    }
    free(bytes);
    free(path);
    return err;
}

void preset_write(const char *family, const struct opt *table, size_t n, const struct opts *o, struct str *out)
{
    str_addf(out, "family=%s\n", family);
    for (size_t i = 0; i < n; i++) {
        bool flag = table[i].type == OPT_FLAG;
        const char *value = flag ? opts_flag(o, table[i].name) ? "on" : "off" : opts_text(o, table[i].name);
        if (value)
            str_addf(out, "%s=%s\n", table[i].name, value);
    }
}
