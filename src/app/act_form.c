/* act_form.c: sections and the chain: going there, making, cutting, joining; new sections from the band; what the
 * play key plays. */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "mem.h"

static void say_form(struct desk *d, const char *what)
{
    struct str note = {0};
    desk_form_note(d, &note);
    desk_say(d, "%s%s%s, %d bars%s", what, *what ? ": " : "",
             session_section_name(d->session, session_here(d->session)), session_n_bars(d->session), str_c(&note));
    str_fini(&note);
}

/* After an edit of the form. */
static enum err came(struct desk *d, enum err err, const char *what)
{
    if (err != ERR_OK)
        return err;
    desk_arrive(d);
    d->stale = STALE_NOW;
    say_form(d, what);
    return ERR_OK;
}

static enum err find(const struct desk *d, const char *name, int *out)
{
    *out = session_find_section(d->session, name);
    return *out >= 0 ? ERR_OK : err_set(ERR_MISSING, "no section \"%s\": \"section new\" makes one", name);
}

/* Along the chain, and behind it through the sections that are not in it. */
static void go_by(struct desk *d, int by)
{
    const struct session *s = d->session;
    int order[SESSION_MAX_CHAIN + SESSION_MAX_SECTIONS], n = session_n_chain(s), at = session_place(s);
    bool used[SESSION_MAX_SECTIONS] = {false};
    for (int i = 0; i < n; i++)
        used[order[i] = session_chain(s, i)] = true;
    for (int i = 0; i < session_n_sections(s); i++)
        if (!used[i]) {
            at = i == session_here(s) ? n : at;
            order[n++] = i;
        }
    at = at + by < 0 ? 0 : at + by < n ? at + by : n - 1;
    desk_go(d, order[at], at);
}

/* section [NAME|next|prev|new [BARS]] */
enum err act_section(struct desk *d, int argc, char **argv)
{
    int section = 0, n = session_n_bars(d->session);
    desk_leave(d);
    if (argc > 0 && str_same(argv[0], "new")) {
        if (argc > 1)
            TRY(arg_int(argv[1], 1, SESSION_MAX_BARS, &n));
        return came(d, session_add_section(d->session, n), "new section");
    }
    if (argc > 1)
        return err_set(ERR_FORMAT, "only a new section takes a number of bars");
    if (argc > 0 && (str_same(argv[0], "next") || str_same(argv[0], "prev")))
        go_by(d, str_same(argv[0], "next") ? 1 : -1);
    else if (argc > 0) {
        TRY(find(d, argv[0], &section));
        desk_go(d, section, session_place(d->session));
    }
    say_form(d, "section");
    return ERR_OK;
}

/* ---- the chain ---- */

static enum err set_chain(struct desk *d, const uint8_t *list, int n, int place)
{
    TRY(session_set_chain(d->session, list, n));
    session_go(d->session, list[place], place);
    return came(d, ERR_OK, "chain");
}

/* The chain with one change at the place under the hand. */
static enum err change_chain(struct desk *d, const char *what, int section)
{
    const struct session *s = d->session;
    uint8_t list[SESSION_MAX_CHAIN + 1];
    int n = session_n_chain(s), at = session_place(s);
    for (int i = 0; i < n; i++)
        list[i] = (uint8_t)session_chain(s, i);
    if (str_same(what, "add")) {
        at = at < 0 ? n : at + 1;
        memmove(&list[at + 1], &list[at], (size_t)(n - at));
        list[at] = (uint8_t)section;
        return n < SESSION_MAX_CHAIN ? set_chain(d, list, n + 1, at) : session_set_chain(d->session, list, n + 1);
    }
    if (at < 0)
        return err_set(ERR_EMPTY, "%s is not in the chain", session_section_name(s, session_here(s)));
    if (str_same(what, "drop")) {
        if (n == 1)
            return err_set(ERR_EMPTY, "the chain keeps one entry at least");
        memmove(&list[at], &list[at + 1], (size_t)(n - at - 1));
        return set_chain(d, list, n - 1, at < n - 1 ? at : n - 2);
    }
    int to = str_same(what, "later") ? at + 1 : at - 1;
    if (to < 0 || to >= n)
        return err_set(ERR_EMPTY, "it is the %s entry already", to < 0 ? "first" : "last");
    uint8_t other = list[to];
    list[to] = list[at];
    list[at] = other;
    return set_chain(d, list, n, to);
}

/* Names as words or, with quotes around them, as one: both come to the same. */
static enum err read_chain(struct desk *d, int argc, char **argv)
{
    uint8_t list[SESSION_MAX_CHAIN];
    int n = 0, section = 0;
    for (int i = 0; i < argc; i++) {
        char *rest = argv[i], *name;
        while ((name = str_split(&rest, ' '))) {
            if (!*name)
                continue;
            TRY(find(d, name, &section));
            if (n == SESSION_MAX_CHAIN)
                return err_set(ERR_RANGE, "a chain has up to %d entries", SESSION_MAX_CHAIN);
            list[n++] = (uint8_t)section;
        }
    }
    if (n == 0)
        return err_set(ERR_EMPTY, "a chain has one entry at least");
    return set_chain(d, list, n, 0);
}

/* chain NAMES|add [NAME]|drop|earlier|later */
enum err act_chain(struct desk *d, int argc, char **argv)
{
    static const char *const changes[] = {"add", "drop", "earlier", "later"};
    int section = session_here(d->session);
    desk_leave(d);
    for (size_t i = 0; i < COUNT_OF(changes); i++)
        if (str_same(argv[0], changes[i])) {
            if (argc > (i == 0 ? 2 : 1))
                return err_set(ERR_FORMAT, "chain %s: that is a word too many", changes[i]);
            if (argc > 1)
                TRY(find(d, argv[1], &section));
            return change_chain(d, changes[i], section);
        }
    return read_chain(d, argc, argv);
}

enum err act_duplicate(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    desk_leave(d);
    return came(d, session_copy_section(d->session, false), "copy");
}

enum err act_rename(struct desk *d, int argc, char **argv)
{
    (void)argc;
    return came(d, session_rename(d->session, argv[0]), "name");
}

enum err act_remove_section(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    desk_leave(d);
    return came(d, session_delete_section(d->session, session_here(d->session)), "removed; here");
}

/* ---- cutting and joining ---- */

/* split [BARS|markers] */
enum err act_split(struct desk *d, int argc, char **argv)
{
    const struct song *song = session_song(d->session);
    int n_bars = session_n_bars(d->session), by = 4, n = 0, bars[SESSION_MAX_BARS];
    const char *names[SESSION_MAX_BARS] = {NULL};
    bool markers = argc > 0 && str_same(argv[0], "markers");
    desk_leave(d);
    if (argc > 0 && !markers)
        TRY(arg_int(argv[0], 1, SESSION_MAX_BARS, &by));
    for (int bar = 0; bar < n_bars && !markers; bar += by)
        bars[n++] = bar;
    for (size_t i = 0; markers && i < song->n_markers; i++) {
        int bar = song_bar_of(song, song->markers[i].tick);
        if (bar >= n_bars || (n > 0 && bars[n - 1] == bar))
            continue;
        if (n == 0 && bar > 0)
            bars[n++] = 0; /* what comes before the first */
        names[n] = song->markers[i].text;
        bars[n++] = bar;
    }
    if (n == 0)
        return err_set(ERR_EMPTY, "there are no markers here");
    return came(d, session_split(d->session, bars, markers ? names : NULL, n), "split");
}

/* join [N|all]: entries from the one under the hand on. */
enum err act_join(struct desk *d, int argc, char **argv)
{
    int n = 2, place = session_place(d->session);
    desk_leave(d);
    if (argc > 0 && str_same(argv[0], "all")) {
        place = 0;
        n = session_n_chain(d->session);
    } else if (argc > 0) {
        TRY(arg_int(argv[0], 2, SESSION_MAX_CHAIN, &n));
    }
    return came(d, session_join(d->session, place, n), "joined");
}

/* ---- from the band ---- */

/* The section under the hand as what follows the entry before it, which the model is given to hear. */
static enum err go_on(struct desk *d)
{
    struct session *s = d->session;
    struct request rq;
    int place = session_place(s);
    if (place < 1)
        return err_set(ERR_EMPTY, "nothing stands before this section");
    int before = session_chain(s, place - 1), lead = session_section_bars(s, before);
    const struct song *past = session_section_song(s, before);
    int32_t end = song_bar_tick(past, lead);
    struct song *song = song_part(past, 0, end);
    song_paste(song, end, session_song(s), 0, session_end(s));
    session_request(s, VERB_CONTINUE, 0, session_n_bars(s), &rq);
    rq.song = song;
    rq.bar0 = lead;
    enum err err = band_submit(d, &rq, lead);
    song_free(song);
    return err;
}

enum err act_go_on(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return go_on(d);
}

/* A new section that the band fills: one step with the first take, and none when it cannot be asked. */
static enum err new_from_band(struct desk *d, const char *what, enum err made, enum err (*ask)(struct desk *))
{
    if (made == ERR_OK)
        made = ask(d);
    if (made != ERR_OK) {
        session_edit_cancel(d->session);
        return made;
    }
    session_edit_end(d->session);
    session_edit_awaits_take(d->session);
    return came(d, ERR_OK, what);
}

/* continue [BARS|again] */
enum err act_continue(struct desk *d, int argc, char **argv)
{
    int n = session_n_bars(d->session);
    desk_leave(d);
    if (argc > 0 && str_same(argv[0], "again"))
        return go_on(d);
    if (argc > 0)
        TRY(arg_int(argv[0], 1, SESSION_MAX_BARS, &n));
    if (session_place(d->session) < 0)
        return err_set(ERR_EMPTY, "this section is not in the chain: \"chain add\" puts it there");
    session_edit_begin(d->session, "continue");
    return new_from_band(d, "continue", session_add_section(d->session, n), go_on);
}

static enum err vary_here(struct desk *d)
{
    struct request rq;
    session_request(d->session, VERB_VARY, 0, session_n_bars(d->session), &rq);
    return band_submit(d, &rq, 0);
}

enum err act_vary_section(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    desk_leave(d);
    session_edit_begin(d->session, "variation");
    return new_from_band(d, "variation", session_copy_section(d->session, true), vary_here);
}

/* ---- sound and files ---- */

/* whole [on|off] */
enum err act_whole(struct desk *d, int argc, char **argv)
{
    if (argc > 0 && !str_same(argv[0], "on") && !str_same(argv[0], "off"))
        return err_set(ERR_FORMAT, "whole is on or off, not \"%s\"", argv[0]);
    desk_chained(d, argc > 0 ? str_same(argv[0], "on") : !d->chained);
    say_form(d, d->chained ? "the whole chain plays; here" : "this section plays");
    return ERR_OK;
}

enum err act_export_section(struct desk *d, int argc, char **argv)
{
    d->only_here = true;
    enum err err = act_export(d, argc, argv);
    d->only_here = false;
    return err;
}
