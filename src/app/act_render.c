/* act_render.c: sound written to a file, and how. */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "mem.h"
#include "wav.h"

enum { PEAK_DB = -1, MOST_TAIL_S = 60 };

/* One word of how: a sample format, loop-exact, normalize, tail=SECONDS. */
static enum err take_word(struct render_opts *o, const char *word)
{
    static const char *const formats[] = {"s16", "s24", "float", "flac", "flac24", "ogg", "opus"};
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        if (str_same(word, formats[i])) {
            o->format = formats[i];
            return ERR_OK;
        }
    if (str_same(word, "loop-exact"))
        o->loop_exact = true;
    else if (str_same(word, "normalize"))
        o->normalize_db = PEAK_DB;
    else if (str_starts(word, "tail="))
        return parse_double(word + 5, 0, MOST_TAIL_S, &o->tail_s);
    else
        return err_set(ERR_RANGE, "%s: s16, s24, float, flac24, loop-exact, normalize or tail=SECONDS", word);
    return ERR_OK;
}

/* render [FILE] [WORDS]: the format is the name's ending unless a word says more; an argument that is only an
 * ending picks the name. */
enum err act_render(struct desk *d, int argc, char **argv)
{
    const char *arg = argc > 0 ? argv[0] : ".wav";
    struct render_opts o;
    render_opts_init(&o);
    for (int i = 1; i < argc; i++)
        TRY(take_word(&o, argv[i]));
    if (!d->doors.render)
        return err_set(ERR_UNSUPPORTED, "no renderer here");
    if (d->rendering)
        return err_set(ERR_BUSY, "one export is still running; Ctrl-C stops it");
    char *path = arg[0] == '.' && !strchr(arg, '/') ? session_free_name(d->session, arg) : xstrdup(arg);
    struct song *song = desk_written(d);
    struct str note = {0};
    enum err err = d->doors.render(d->doors.ctx, song, &o, path);
    desk_form_note(d, &note);
    if (err == ERR_OK)
        desk_say(d, "rendering %s%s", path, str_c(&note));
    str_fini(&note);
    song_free(song);
    free(path);
    return err;
}
