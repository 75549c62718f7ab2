/* act_pane.c: the panes: which has the focus, its cursor, and the rows of the generate pane. */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "setting.h"

enum err act_pane(struct desk *d, int argc, char **argv)
{
    (void)argc;
    int by = str_same(argv[0], "next") ? 1 : str_same(argv[0], "prev") ? -1 : 0, found = -1;
    for (int p = 0; p < N_PANES; p++)
        found = str_same(argv[0], pane_name((enum pane)p)) ? p : found;
    if (by)
        found = d->pane >= N_TAB_PANES ? (int)PANE_ROLL : ((int)d->pane + by + N_TAB_PANES) % N_TAB_PANES;
    if (found < 0)
        return err_set(ERR_MISSING, "no pane \"%s\": there are %s", argv[0], action_find("pane")->words);
    if (d->mode != MODE_NORMAL)
        TRY(act_normal(d, 0, NULL));
    d->pane = (enum pane)found;
    if (d->pane == PANE_TAKES && session_current(d->session) >= 0)
        d->row[PANE_TAKES] = session_current(d->session);
    return ERR_OK;
}

enum err act_maximize(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    d->maximised = !d->maximised;
    return ERR_OK;
}

enum err act_waterfall(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    d->mode = MODE_NORMAL;
    d->pane = d->pane == PANE_FALL ? PANE_ROLL : PANE_FALL;
    return ERR_OK;
}

enum err act_row(struct desk *d, int argc, char **argv)
{
    (void)argc;
    int n = desk_rows(d, d->pane), to = 0;
    if (n == 0)
        return d->pane == PANE_TAKES ? err_set(ERR_EMPTY, "no takes yet: g a lets the band accompany")
                                     : err_set(ERR_EMPTY, "the %s has no rows", pane_name(d->pane));
    TRY(arg_step(argv[0], desk_row(d, d->pane) + 1, 1, n, &to));
    d->row[d->pane] = to - 1;
    return ERR_OK;
}

/* The row's setting one step on or back; "ask" types it. */
enum err act_adjust(struct desk *d, int argc, char **argv)
{
    (void)argc;
    const struct setting *row = &settings_table[desk_row(d, PANE_GENERATE)];
    char arg[SETTING_TEXT], line[SETTING_TEXT + 32];
    if (d->pane != PANE_GENERATE)
        return err_set(ERR_EMPTY, "that works in the generate pane (Tab)");
    if (str_same(argv[0], "ask")) {
        d->want = WANT_PROMPT;
        str_format(d->want_text, sizeof d->want_text, "%s ", row->name);
        return ERR_OK;
    }
    row->step(d, argv[0][0] == '-' ? -1 : 1, arg);
    str_format(line, sizeof line, "%s \"%s\"", row->name, arg);
    return command_run(d, line);
}

enum err act_mouse(struct desk *d, int argc, char **argv)
{
    if (argc > 0 && !str_same(argv[0], "on") && !str_same(argv[0], "off"))
        return err_set(ERR_FORMAT, "the mouse is on or off, not \"%s\"", argv[0]);
    d->mouse = argc > 0 ? str_same(argv[0], "on") : !d->mouse;
    desk_say(d, "mouse %s", d->mouse ? "on; Shift-drag marks text" : "off");
    return ERR_OK;
}
