/* act_stems.c: the song as one file a track. A name that nobody gave never overwrites a file. */
#include <stdlib.h>

#include "act.h"
#include "file.h"
#include "stem.h"

/* "bridge.wav", or "bridge-2.wav" while there are stems of that name. */
static char *stems_name(struct desk *d, const char *ext)
{
    char *stem = path_with_ext(session_title(d->session), "");
    struct str name = {0};
    str_addf(&name, "%s%s", stem, ext);
    struct song *song = desk_written(d);
    for (int i = 2; stems_exist(song, str_c(&name)); i++) {
        str_clear(&name);
        str_addf(&name, "%s-%d%s", stem, i, ext);
    }
    song_free(song);
    free(stem);
    return str_take(&name);
}

static enum err midi_stems(struct desk *d)
{
    int n = 0;
    char *path = stems_name(d, ".mid");
    struct song *song = desk_written(d);
    enum err err = stems_midi(song, path, &n);
    song_free(song);
    if (err == ERR_OK)
        desk_say(d, "wrote %d stems of %s", n, path);
    free(path);
    return err;
}

static enum err audio_stems(struct desk *d, const char *ext)
{
    if (!d->doors.render_stems)
        return err_set(ERR_UNSUPPORTED, "no renderer here");
    if (d->rendering)
        return err_set(ERR_BUSY, "one export is still running; Ctrl-C stops it");
    char *path = stems_name(d, ext);
    struct song *song = desk_written(d);
    enum err err = d->doors.render_stems(d->doors.ctx, song, path);
    song_free(song);
    if (err == ERR_OK)
        desk_say(d, "rendering the stems of %s", path);
    free(path);
    return err;
}

/* Without an ending both kinds: MIDI at once, sound in the background. */
enum err act_stems(struct desk *d, int argc, char **argv)
{
    const char *ext = argc > 0 ? argv[0] : NULL;
    if (ext && ext[0] != '.')
        return err_set(ERR_RANGE, "%s: .mid, .wav, .flac or .ogg", ext);
    if (!ext || str_same(ext, ".mid"))
        TRY(midi_stems(d));
    if (ext ? !str_same(ext, ".mid") : d->doors.render_stems != NULL)
        TRY(audio_stems(d, ext ? ext : ".wav"));
    return ERR_OK;
}
