/* open.c: a session from a file of any kind, and out again: foreign songs become the band's five roles, padded
 * to full phrases. */
#include <stdlib.h>

#include "file.h"
#include "mem.h"
#include "midi.h"
#include "npz.h"
#include "state.h"
#include "str.h"

/* Take a foreign song over as the seed: roles mapped, padded to full phrases, cut at the limit. */
static enum err adopt(struct session *s, const struct song *in, struct str *report)
{
    struct song *band = NULL;
    TRY(role_band(in, &band, report));
    session_clear(s);
    song_free(s->now.song);
    s->now.song = band;
    int n = song_n_bars(band);
    s->now.n_bars = session_round_bars(n);
    if (n > SESSION_MAX_BARS) {
        if (report)
            str_addf(report, "cut at bar %d of %d\n", SESSION_MAX_BARS, n);
        for (size_t i = 0; i < band->n_tracks; i++)
            track_clear(&band->tracks[i], session_end(s), SONG_MAX_TICKS);
    }
    return ERR_OK;
}

static enum err open_midi(struct session *s, const char *path, struct str *report)
{
    struct song *in = NULL;
    struct midi_report odd = {0};
    enum err err = midi_load(path, &in, &odd);
    if (err == ERR_OK) {
        if (report)
            str_add(report, str_c(&odd.text));
        err = adopt(s, in, report);
    }
    midi_report_fini(&odd);
    song_free(in);
    return err;
}

static enum err open_npz(struct session *s, const char *path, struct str *report)
{
    struct song *in = NULL;
    TRY(npz_load_song(path, &in));
    enum err err = adopt(s, in, report);
    song_free(in);
    return err;
}

static enum err open_jam(struct session *s, const char *path, struct str *report)
{
    enum { JAM_MAX_BYTES = 64 << 20 };
    uint8_t *bytes = NULL;
    size_t len = 0;
    (void)report;
    TRY(file_read(path, JAM_MAX_BYTES, &bytes, &len));
    enum err err = jam_parse(s, bytes, len, path);
    free(bytes);
    return err;
}

enum err session_open(struct session *s, const char *path, struct str *report)
{
    static const struct {
        const char *ext;
        enum err (*open)(struct session *, const char *, struct str *);
    } kinds[] = {{".jam", open_jam}, {".npz", open_npz}};
    enum err (*open)(struct session *, const char *, struct str *) = open_midi;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_same(path_ext(path), kinds[i].ext))
            open = kinds[i].open;
    TRY(open(s, path, report));
    session_loaded(s, path);
    return ERR_OK;
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

/* The file says who played: the chosen take's model, seed and parameters as a text event. */
enum err session_export_midi(struct session *s, const char *path)
{
    struct song *copy = song_dup(s->now.song);
    const struct take *t = session_take(s, session_current(s));
    if (t) {
        struct str text = {0};
        str_addf(&text, "jamroll model=%s hash=%s seed=%llu %s", t->model, t->hash,
                 (unsigned long long)t->seed, t->params);
        free(copy->provenance);
        copy->provenance = str_take(&text);
    }
    enum err err = midi_save(copy, &(struct midi_write_opts){.format = 1}, path);
    song_free(copy);
    return err;
}
