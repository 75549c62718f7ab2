/* act_file.c: files, and the program itself. */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "import.h"
#include "mem.h"

static enum err want(struct desk *d, enum want w)
{
    d->want = w;
    d->want_text[0] = '\0';
    return ERR_OK;
}

/* ---- files ---- */

/* Without a name: a list to choose from, where there is a screen. */
enum err act_open(struct desk *d, int argc, char **argv)
{
    if (argc == 0 && !d->asks)
        return err_set(ERR_FORMAT, "open needs a FILE");
    if (argc == 0)
        return want(d, WANT_FILES);
    if (session_dirty(d->session))
        return err_set(ERR_BUSY, "%s is not saved: save it first (Ctrl-S)", session_title(d->session));
    TRY(desk_open(d, argv[0]));
    if (d->want != WANT_IMPORT)
        desk_opened(d);
    return ERR_OK;
}

/* import [MAP] [BARS]: the last file once more. Without arguments, where there is a page to ask on. */
enum err act_import(struct desk *d, int argc, char **argv)
{
    if (!d->import)
        return err_set(ERR_EMPTY, "nothing was imported yet: open a .mid or .npz file");
    if (session_dirty(d->session))
        return err_set(ERR_BUSY, "%s is not saved: save it first (Ctrl-S)", session_title(d->session));
    if (argc == 0 && !d->asks)
        return err_set(ERR_UNSUPPORTED, "no page to ask on here: import 3=bass,5=drop [BARS]");
    if (argc == 0)
        return want(d, WANT_IMPORT);
    TRY(import_map(d->import, argv[0]));
    if (argc > 1)
        TRY(import_bars(d->import, argv[1]));
    return desk_import(d);
}

enum err act_save(struct desk *d, int argc, char **argv)
{
    TRY(session_save(d->session, argc > 0 ? argv[0] : NULL));
    desk_say(d, "saved %s", session_path(d->session));
    return ERR_OK;
}

/* ---- program ---- */

enum err act_quit(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return want(d, session_dirty(d->session) ? WANT_ASK_QUIT : WANT_QUIT);
}

enum err act_quit_now(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return want(d, WANT_QUIT);
}

enum err act_suspend(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return want(d, WANT_SUSPEND);
}

enum err act_redraw(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return want(d, WANT_REDRAW);
}

enum err act_help(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return want(d, WANT_HELP);
}

enum err act_report(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return want(d, WANT_REPORT);
}

enum err act_prompt(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return want(d, WANT_PROMPT);
}

enum err act_palette(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return want(d, WANT_PALETTE);
}

enum err act_find(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return want(d, WANT_FIND);
}

enum err act_log(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return want(d, WANT_LOG);
}
