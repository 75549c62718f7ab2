/* stem.c: see stem.h. */
#include "stem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "midi.h"
#include "song.h"
#include "str.h"

char *stem_path(const char *out, int number, const char *name)
{
    struct str s = {0};
    const char *ext = path_ext(out);
    str_addf(&s, "%.*s-%d-", (int)(strlen(out) - strlen(ext)), out, number);
    for (; *name; name++)
        str_addc(&s, isalnum((unsigned char)*name) ? *name : '_');
    str_add(&s, ext);
    return str_take(&s);
}

static char *path_of(const struct song *s, size_t i, const char *out)
{
    return stem_path(out, (int)i + 1, s->tracks[i].name);
}

bool stems_exist(const struct song *s, const char *out)
{
    bool found = false;
    for (size_t i = 0; i < s->n_tracks && !found; i++) {
        char *path = path_of(s, i, out);
        found = s->tracks[i].n > 0 && file_exists(path);
        free(path);
    }
    return found;
}

static int count(const struct song *s)
{
    int n = 0;
    for (size_t i = 0; i < s->n_tracks; i++)
        n += s->tracks[i].n > 0;
    return n;
}

static enum err save_track(const struct song *s, size_t i, const char *path)
{
    struct song *one = song_dup(s);
    struct track only = one->tracks[i];
    only.mute = false;
    one->tracks[i] = one->tracks[0];
    one->tracks[0] = only;
    for (size_t k = 1; k < one->n_tracks; k++)
        free(one->tracks[k].notes);
    one->n_tracks = 1;
    enum err err = midi_save(one, &(struct midi_write_opts){.format = 1}, path);
    song_free(one);
    return err;
}

enum err stems_midi(const struct song *s, const char *out, int *n)
{
    enum err err = count(s) ? ERR_OK : err_set(ERR_EMPTY, "there are no notes to write");
    for (size_t i = 0; i < s->n_tracks && err == ERR_OK; i++) {
        if (s->tracks[i].n == 0)
            continue;
        char *path = path_of(s, i, out);
        err = save_track(s, i, path);
        free(path);
    }
    if (err == ERR_OK)
        *n = count(s);
    return err;
}

struct progress_of {
    const struct render_opts *o;
    int done, n;
};

static bool forward(void *ctx, double fraction)
{
    const struct progress_of *p = ctx;
    return !p->o->on_progress || p->o->on_progress(p->o->ctx, (p->done + fraction) / p->n);
}

enum err stems_render(const struct song *s, const struct render_opts *o, const char *out,
                      struct render_report *r, int *n)
{
    struct progress_of progress = {o, 0, count(s)};
    struct render_opts own = *o;
    enum err err = progress.n ? ERR_OK : err_set(ERR_EMPTY, "there are no notes to render");
    own.on_progress = forward;
    own.ctx = &progress;
    for (size_t i = 0; i < s->n_tracks && err == ERR_OK; i++) {
        struct render_report one = {0};
        if (s->tracks[i].n == 0)
            continue;
        char *path = path_of(s, i, out);
        own.only_track = (int)i;
        err = render_file(s, &own, path, &one);
        free(path);
        if (progress.done++ == 0 || one.peak_db > r->peak_db)
            *r = one;
    }
    if (err == ERR_OK)
        *n = progress.n;
    return err;
}
