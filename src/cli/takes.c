/* takes.c: naming and writing of takes. Take i of a folder is take-<i + 1>.mid, of OUT.mid with several
 * takes OUT-<i + 1>.mid. */
#include "takes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "file.h"
#include "mem.h"
#include "npz.h"
#include "stem.h"

/* Of the file that a name's ending asks for; a name without one that is known is a folder. */
static const struct export_kind *kind_of(const char *path)
{
    return export_kind(*path_ext(path) ? path_ext(path) : "none");
}

enum err takes_open(struct takes *t, struct cli *c, const char *out, const char *fallback, int n)
{
    *t = (struct takes){.c = c, .midi_format = (int)opts_int(c->opts, "format"), .stems = opts_flag(c->opts, "stems"),
                        .n_wanted = n};
    t->list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(t->list, json_null());
    bool standard = out && str_same(out, "-");
    if (standard && n > 1)
        return err_set(ERR_FORMAT, "%d takes do not go to standard output: choose -n 1 or a folder", n);
    if (standard && t->stems)
        return err_set(ERR_FORMAT, "--stems are several files: standard output takes one");
    if (standard && c->json)
        return err_set(ERR_FORMAT, "--json and -o - would both write to standard output");
    bool is_folder = out && !standard && (file_is_dir(out) || str_ends(out, "/") ||
                                          (!kind_of(out) && !file_exists(out)));
    if (!out) {
        char *plain = n > 1 ? path_with_ext(fallback, "") : xstrdup(fallback);
        t->path = cli_free_name(plain);
        free(plain);
        is_folder = n > 1;
    } else {
        t->path = xstrdup(out);
    }
    t->folder = is_folder;
    t->numbered = n > 1 && !is_folder;
    return is_folder ? file_mkdirs(t->path) : ERR_OK;
}

void takes_fini(struct takes *t)
{
    for (int i = 0; i < t->n_wanted && t->songs; i++)
        song_free(t->songs[i]);
    free(t->songs);
    free(t->path);
    json_decref(t->list);
}

void takes_keep(struct takes *t)
{
    t->songs = xcalloc((size_t)t->n_wanted, sizeof *t->songs);
}

enum err takes_picture(const struct takes *t, int columns, int n_bars, const char *path)
{
    enum { BEAT_STEPS = 12 };
    int rows = (t->n_wanted + columns - 1) / columns;
    const struct png_opts o = {.beat_steps = BEAT_STEPS, .scale = 1, .overlay = true};
    const struct song **fields = xcalloc((size_t)(rows * columns), sizeof *fields);
    for (int i = 0; i < t->n_wanted; i++)
        fields[i] = t->songs[i];
    enum err err = png_save_grid(fields, rows, columns, n_bars, &o, path);
    free(fields);
    return err;
}

static char *take_path(const struct takes *t, int index)
{
    struct str s;
    str_init(&s);
    const char *ext = path_ext(t->path);
    if (t->folder)
        str_addf(&s, "%s%stake-%d.mid", t->path, str_ends(t->path, "/") ? "" : "/", index + 1);
    else if (t->numbered)
        str_addf(&s, "%.*s-%d%s", (int)(strlen(t->path) - strlen(ext)), t->path, index + 1, ext);
    else
        str_add(&s, t->path);
    return str_take(&s);
}

static json_t *take_json(const struct take *take, int index, const char *path)
{
    json_t *notes = json_object();
    for (size_t i = 0; i < take->song->n_tracks; i++)
        json_object_set_new(notes, take->song->tracks[i].name, json_integer((json_int_t)take->song->tracks[i].n));
    return json_pack("{s:i, s:s, s:I, s:s, s:s, s:o, s:b, s:o}", "take", index + 1, "file", path, "seed",
                     (json_int_t)take->seed, "model", take->model, "hash", take->hash, "params",
                     json_text(take->params), "empty", take->empty, "notes", notes);
}

static size_t n_notes(const struct song *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_tracks; i++)
        n += s->tracks[i].n;
    return n;
}

/* The file says who played: what it takes to ask for the same again. */
static void sign(struct song *song, const struct take *take)
{
    struct str text;
    str_init(&text);
    str_addf(&text, "jamroll " JAMROLL_VERSION " model=%s hash=%s seed=%llu %s", take->model, take->hash,
             (unsigned long long)take->seed, take->params);
    free(song->provenance);
    song->provenance = str_take(&text);
}

/* OUT-2-Piano.mid beside OUT.mid; silent tracks have none. */
static enum err write_stems(const struct takes *t, const struct song *song, const char *path)
{
    int n = 0;
    char *mid = path_with_ext(path, ".mid");
    enum err err = t->stems && n_notes(song) > 0 ? stems_midi(song, mid, &n) : ERR_OK;
    free(mid);
    return err;
}

static void write_take(struct takes *t, int index, struct take *take)
{
    struct export_opts write = EXPORT_OPTS_USUAL;
    char *path = take_path(t, index);
    const struct export_kind *kind = kind_of(path);
    write.midi_format = t->midi_format;
    sign(take->song, take);
    if (t->songs)
        t->songs[index] = song_dup(take->song);
    t->err = export_song(take->song, kind ? kind : export_kind("mid"), &write, path);
    if (t->err == ERR_OK)
        t->err = write_stems(t, take->song, path);
    if (t->err == ERR_OK) {
        t->n_written++;
        t->n_empty += n_notes(take->song) == 0;
        json_array_set_new(t->list, (size_t)index, take_json(take, index, path));
        if (take->empty)
            cli_note(t->c, "take %d: a track came out empty", index + 1);
        if (!str_same(path, "-"))
            cli_note(t->c, "%s", path);
    } else {
        str_copy(t->text, sizeof t->text, err_text());
    }
    free(path);
}

void takes_add(void *ctx, int index, struct take *take)
{
    struct takes *t = ctx;
    if (t->err == ERR_OK)
        write_take(t, index, take);
    take_fini(take);
}
