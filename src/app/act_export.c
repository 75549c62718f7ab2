/* act_export.c: the song to a file of any kind; the name's ending says which. */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "export.h"
#include "file.h"
#include "mem.h"

/* Sound goes through the front end, which renders aside. */
static bool is_sound(const char *ext)
{
    static const char *const endings[] = {".wav", ".flac", ".ogg", ".opus"};
    for (size_t i = 0; i < COUNT_OF(endings); i++)
        if (str_same(ext, endings[i]))
            return true;
    return false;
}

static enum err save(struct desk *d, const struct export_kind *kind, const struct export_opts *o, const char *path)
{
    struct song *song = desk_written(d);
    struct str note = {0};
    enum err err = export_song(song, kind, o, path);
    desk_form_note(d, &note);
    if (err == ERR_OK)
        desk_say(d, "wrote %s%s", path, str_c(&note));
    str_fini(&note);
    song_free(song);
    return err;
}

/* An argument that is only an ending picks the name. */
enum err act_export(struct desk *d, int argc, char **argv)
{
    struct export_opts o = EXPORT_OPTS_USUAL;
    const char *arg = argv[0];
    bool bare = arg[0] == '.' && !strchr(arg, '/') && !strchr(arg + 1, '.');
    const char *ext = bare ? arg : path_ext(arg);
    if (is_sound(ext))
        return act_render(d, argc, argv);
    const struct export_kind *kind = export_kind(ext[0] ? ext : "-");
    if (!kind)
        return err_set(ERR_FORMAT,
                       "%s: no kind of file ends so; want .mid .npz .npy .png .musicxml .wav .flac .ogg .opus",
                       arg);
    char *path = bare ? session_free_name(d->session, ext) : xstrdup(arg);
    enum err err = save(d, kind, &o, path);
    free(path);
    return err;
}

/* midi [FILE] [0|1] */
enum err act_midi(struct desk *d, int argc, char **argv)
{
    struct export_opts o = EXPORT_OPTS_USUAL;
    if (argc > 1)
        TRY(arg_int(argv[1], 0, 1, &o.midi_format));
    char *path = argc > 0 ? xstrdup(argv[0]) : session_free_name(d->session, ".mid");
    enum err err = save(d, export_kind("mid"), &o, path);
    free(path);
    return err;
}
