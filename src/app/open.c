/* open.c: a session from a file of any kind, and out again: foreign songs become the band's five roles, padded
 * to full phrases. */
#include <stdlib.h>

#include "file.h"
#include "import.h"
#include "mem.h"
#include "state.h"
#include "str.h"

enum err session_import(struct session *s, const struct import *im, const char *path)
{
    struct song *band = NULL;
    TRY(import_band(im, &band));
    session_clear(s);
    struct sheet *sh = session_sheet(s);
    song_free(sh->song);
    sh->song = band;
    sh->n_bars = session_round_bars(im->n_bars);
    session_loaded(s, path);
    return ERR_OK;
}

static enum err open_foreign(struct session *s, const char *path, struct str *report)
{
    struct import *im = NULL;
    TRY(import_load(path, SESSION_MAX_BARS, &im));
    enum err err = session_import(s, im, path);
    if (err == ERR_OK && report)
        import_report(im, report);
    import_free(im);
    return err;
}

static enum err open_jam(struct session *s, const char *path)
{
    enum { JAM_MAX_BYTES = 64 << 20 };
    uint8_t *bytes = NULL;
    size_t len = 0;
    TRY(file_read(path, JAM_MAX_BYTES, &bytes, &len));
    enum err err = jam_parse(s, bytes, len, path);
    free(bytes);
    if (err == ERR_OK)
        session_loaded(s, path);
    return err;
}

enum err session_open(struct session *s, const char *path, struct str *report)
{
    return str_same(path_ext(path), ".jam") ? open_jam(s, path) : open_foreign(s, path, report);
}

char *session_free_name(const struct session *s, const char *ext)
{
    struct str name = {0};
    char *first = path_with_ext(session_title(s), ext);
    char *stem = path_with_ext(session_title(s), "");
    str_add(&name, first);
    for (int i = 2; file_exists(str_c(&name)); i++) {
        str_clear(&name);
        str_addf(&name, "%s-%d%s", stem, i, ext);
    }
    free(first);
    free(stem);
    return str_take(&name);
}

enum err session_save_copy(const struct session *s, const char *path)
{
    struct str text = {0};
    jam_print(s, &text);
    enum err err = file_write(path, text.p, text.len);
    str_fini(&text);
    return err;
}

enum err session_save(struct session *s, const char *path)
{
    char *own = path                                             ? xstrdup(path)
                : s->path && str_same(path_ext(s->path), ".jam") ? xstrdup(s->path)
                                                                 : session_free_name(s, ".jam");
    enum err err = session_save_copy(s, own);
    if (err == ERR_OK) {
        free(s->path);
        s->path = own;
        s->saved_version = s->version;
        s->tray_dirty = false;
    } else {
        free(own);
    }
    return err;
}

/* "jamroll model=band hash=... seed=7 genre=rock"; of several sections with a name before each. */
static void sign(const struct session *s, int section, bool named, struct str *out)
{
    const struct section *at = &s->now.sections[section];
    const struct take *t = tray_take(tray_find(s, at->id), at->sheet->current);
    if (!t)
        return;
    str_add(out, out->len ? "; " : "jamroll ");
    if (named)
        str_addf(out, "%s: ", at->name);
    str_addf(out, "model=%s hash=%s seed=%llu %s", t->model, t->hash, (unsigned long long)t->seed, t->params);
}

struct song *session_written(const struct session *s, int section)
{
    struct song *song = section < 0 ? session_whole(s) : song_dup(session_section_song(s, section));
    struct str text = {0};
    bool done[SESSION_MAX_SECTIONS] = {false};
    int n = section < 0 ? s->now.n_chain : 1;
    for (int i = 0; i < n; i++) {
        int at = section < 0 ? s->now.chain[i] : section;
        if (!done[at])
            sign(s, at, n > 1, &text);
        done[at] = true;
    }
    if (text.len > 0) {
        free(song->provenance);
        song->provenance = str_take(&text);
    }
    return song;
}
