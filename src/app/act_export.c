/* act_export.c: the song to a file of any kind; the name's ending says which. One row a kind: a new kind is
 * a row. The grid of rolls is that of `jamroll convert`, so that both write the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "file.h"
#include "mem.h"
#include "npz.h"
#include "roll.h"
#include "xml.h"

enum { BEAT_STEPS = 24 };

static enum err save_midi(struct desk *d, const char *path)
{
    return session_export_midi(d->session, path);
}

static enum err save_npz(struct desk *d, const char *path)
{
    return npz_save_song(session_song(d->session), BEAT_STEPS, path);
}

static enum err roll_of(struct desk *d, int low, int n_pitches, struct roll *out)
{
    const struct song *song = session_song(d->session);
    int n_bars = song_n_bars(song);
    if (n_bars == 0)
        return err_set(ERR_EMPTY, "there are no notes to draw");
    return roll_from_song(song, 0, n_bars, 4 * BEAT_STEPS, low, n_pitches, out);
}

static enum err save_npy(struct desk *d, const char *path)
{
    struct roll roll = {0};
    enum err err = roll_of(d, 0, 128, &roll);
    if (err == ERR_OK)
        err = npy_save_roll(&roll, path);
    roll_fini(&roll);
    return err;
}

static enum err save_png(struct desk *d, const char *path)
{
    struct roll roll = {0};
    enum err err = roll_of(d, 24, 84, &roll);
    if (err == ERR_OK)
        err = png_save_roll(&roll, png_usual_scale(&roll), path);
    roll_fini(&roll);
    return err;
}

static enum err save_score(struct desk *d, const char *path)
{
    return xml_save(session_song(d->session), path);
}

/* Through the front end, which renders aside. */
static enum err save_audio(struct desk *d, const char *path)
{
    char *argv[1] = {xstrdup(path)};
    enum err err = act_render(d, 1, argv);
    free(argv[0]);
    return err;
}

static const struct {
    const char *ext;
    enum err (*save)(struct desk *d, const char *path);
} kinds[] = {
    {".mid", save_midi},   {".midi", save_midi},      {".npz", save_npz},    {".npy", save_npy},
    {".png", save_png},    {".wav", save_audio},      {".flac", save_audio}, {".ogg", save_audio},
    {".opus", save_audio}, {".musicxml", save_score},
};

/* An argument that is only an ending picks the name. */
enum err act_export(struct desk *d, int argc, char **argv)
{
    (void)argc;
    const char *arg = argv[0];
    bool bare = arg[0] == '.' && !strchr(arg, '/') && !strchr(arg + 1, '.');
    const char *ext = bare ? arg : path_ext(arg);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!str_same(ext, kinds[i].ext))
            continue;
        char *path = bare ? session_free_name(d->session, ext) : xstrdup(arg);
        enum err err = kinds[i].save(d, path);
        if (err == ERR_OK && kinds[i].save != save_audio)
            desk_say(d, "wrote %s", path);
        free(path);
        return err;
    }
    return err_set(ERR_FORMAT,
                   "%s: no kind of file ends so; want .mid .npz .npy .png .musicxml .wav .flac .ogg .opus",
                   arg);
}
