/* act_transfer.c: what sounds now, in another genre. Its takes are hearings: the first is the plain answer. The same
 * genre again begins at the music as it was before, so that strength can be tried out; another goes on from here. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "act.h"

static bool knows(const struct model_info *m, const char *genre)
{
    bool found = false;
    for (int i = 0; i < m->n_genres && m->verbs & 1u << VERB_TRANSFER; i++)
        found |= str_same(m->genres[i], genre);
    return found;
}

void transfer_genres(const struct desk *d, struct words *out)
{
    for (size_t k = 0; k < d->n_models; k++)
        for (int i = 0; i < d->models[k].n_genres; i++) {
            bool known = !knows(&d->models[k], d->models[k].genres[i]);
            for (size_t w = 0; w < out->n; w++)
                known |= str_same(out->at[w], d->models[k].genres[i]);
            if (!known)
                words_add(out, d->models[k].genres[i]);
        }
}

/* Said here and not by the engine later; which pair answers is the engine's to find. */
static enum err must_know(const struct desk *d, const char *genre)
{
    struct words all = {0};
    struct str list = {0};
    bool known = false;
    transfer_genres(d, &all);
    for (size_t i = 0; i < all.n; i++) {
        known |= str_same(all.at[i], genre);
        str_addf(&list, "%s%s", i ? ", " : "", all.at[i]);
    }
    enum err err = known      ? ERR_OK
                   : all.n > 0 ? err_set(ERR_MISSING, "nobody here knows the genre \"%s\"; there are: %s", genre, str_c(&list))
                               : err_set(ERR_MISSING, "no model that transfers was found");
    words_fini(&all);
    str_fini(&list);
    return err;
}

/* ---- settings ---- */

enum err act_strength(struct desk *d, int argc, char **argv)
{
    (void)argc;
    TRY(parse_double(argv[0], 0, 1, &session_settings(d->session)->strength));
    desk_say(d, "transfer at strength %.2f: %.0f %% of what would change does", session_settings(d->session)->strength,
             100 * session_settings(d->session)->strength);
    return ERR_OK;
}

enum err act_melody(struct desk *d, int argc, char **argv)
{
    bool *lock = &session_settings(d->session)->lock_melody;
    if (argc > 0 && !str_same(argv[0], "lock") && !str_same(argv[0], "free"))
        return err_set(ERR_FORMAT, "the melody is lock or free, not \"%s\"", argv[0]);
    *lock = argc > 0 ? str_same(argv[0], "lock") : !*lock;
    desk_say(d, "transfer %s", *lock ? "leaves the top line as it is" : "may change the melody");
    return ERR_OK;
}

enum err act_drums(struct desk *d, int argc, char **argv)
{
    bool *remake = &session_settings(d->session)->remake_drums;
    if (argc > 0 && !str_same(argv[0], "keep") && !str_same(argv[0], "remake"))
        return err_set(ERR_FORMAT, "a transfer keeps the drums or has the band remake them, not \"%s\"", argv[0]);
    *remake = argc > 0 ? str_same(argv[0], "remake") : !*remake;
    desk_say(d, *remake ? "transfer: the band plays the drums anew" : "transfer leaves the drums as they are");
    return ERR_OK;
}

/* ---- asking ---- */

/* Of a take that a transfer made: where it went and how far. */
static bool is_transferred(const struct desk *d, char genre[32], double *strength)
{
    const struct take *t = session_take(d->session, session_current(d->session));
    return d->verb == VERB_TRANSFER && t && sscanf(t->params, "genre=%31s strength=%lf", genre, strength) == 2;
}

static enum err ask(struct desk *d, uint64_t hearing, int n_takes)
{
    const struct settings *o = session_settings(d->session);
    struct transfer_wish *w = &d->transfer;
    char genre[32];
    double strength;
    struct request rq;
    int bar0, n_bars;
    if (d->job >= 0)
        return err_set(ERR_BUSY, "the band is still playing; Ctrl-C stops it");
    TRY(must_know(d, w->to));
    if (is_transferred(d, genre, &strength) && str_same(genre, w->to))
        session_choose(d->session, -1);
    band_span(d, &bar0, &n_bars);
    session_request(d->session, VERB_TRANSFER, bar0, n_bars, &rq);
    if (d->mode == MODE_SELECT)
        band_keep_outside(d, &rq);
    rq.remake_drums = o->remake_drums;
    if (!rq.remake_drums)
        memset(rq.keep[ROLE_DRUMS], 1, sizeof rq.keep[ROLE_DRUMS]);
    rq.genre = -1;
    str_copy(rq.genre_to, sizeof rq.genre_to, w->to);
    str_copy(rq.genre_from, sizeof rq.genre_from, w->from);
    rq.strength = o->strength;
    rq.lock_melody = o->lock_melody;
    rq.and_back = w->back;
    rq.seed = hearing;
    rq.n_takes = n_takes > 0 ? n_takes : rq.n_takes;
    TRY(band_submit(d, &rq, 0));
    w->heard = hearing + (uint64_t)rq.n_takes > w->heard ? hearing + (uint64_t)rq.n_takes : w->heard;
    desk_say(d, "transfer%s%s to %s%s, strength %.2f%s%s: bars %d-%d", *w->from ? " from " : "", w->from, w->to,
             w->back ? " and back" : "", o->strength, o->lock_melody ? ", melody locked" : "",
             o->remake_drums ? ", drums anew" : "", bar0 + 1, bar0 + n_bars);
    return ERR_OK;
}

/* "jazz", "jazz 0.7 lock", "jazz remake", "jazz from pop", "jazz back" */
enum err act_transfer(struct desk *d, int argc, char **argv)
{
    struct transfer_wish w = {0};
    struct settings *o = session_settings(d->session), set = *o;
    if (!str_copy(w.to, sizeof w.to, argv[0]))
        return err_set(ERR_FORMAT, "no genre has so long a name");
    for (int i = 1; i < argc; i++) {
        bool lock = str_same(argv[i], "lock"), remake = str_same(argv[i], "remake");
        if (lock || str_same(argv[i], "free"))
            set.lock_melody = lock;
        else if (remake || str_same(argv[i], "keep"))
            set.remake_drums = remake;
        else if (str_same(argv[i], "back"))
            w.back = true;
        else if (str_same(argv[i], "from") && i + 1 < argc)
            str_copy(w.from, sizeof w.from, argv[++i]);
        else if (parse_double(argv[i], 0, 1, &set.strength) != ERR_OK)
            return err_set(ERR_FORMAT, "\"%s\": want a genre, then 0 to 1, lock or free, keep or remake, back, from GENRE", argv[i]);
    }
    TRY(must_know(d, w.to));
    *o = set;
    d->transfer = w;
    return ask(d, 0, 0);
}

/* Further hearings of the same. */
enum err act_transfer_again(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return ask(d, d->transfer.heard, 0);
}

/* ---- the slider ---- */

bool transfer_judged(const struct desk *d, char genre[32], int *before, int *after)
{
    const struct take *t = session_take(d->session, session_current(d->session));
    double strength;
    const char *judged = t && is_transferred(d, genre, &strength) ? strstr(t->params, "judged=") : NULL;
    return judged && sscanf(judged, "judged=%d-%d%%", before, after) == 2;
}

double transfer_slider(const struct desk *d)
{
    char genre[32];
    double strength;
    return is_transferred(d, genre, &strength) ? strength : -1;
}

/* The same hearing at another strength: a take that is there, or one more. */
static int take_at(const struct desk *d, const char *genre, double strength, uint64_t hearing)
{
    for (int i = session_n_takes(d->session) - 1; i >= 0; i--) {
        const struct take *t = session_take(d->session, i);
        char name[32];
        double x;
        if (sscanf(t->params, "genre=%31s strength=%lf", name, &x) == 2 && str_same(name, genre) &&
            fabs(x - strength) < 0.005 && t->seed == hearing)
            return i;
    }
    return -1;
}

enum err transfer_slide(struct desk *d, int by)
{
    char genre[32];
    double now = 0;
    BUG_ON(!is_transferred(d, genre, &now));
    double to = floor(now * 10 + by + 0.5) / 10;
    to = to < 0 ? 0 : to > 1 ? 1 : to;
    uint64_t hearing = session_take(d->session, session_current(d->session))->seed;
    int there = take_at(d, genre, to, hearing);
    session_settings(d->session)->strength = to;
    if (there < 0 && !str_same(d->transfer.to, genre)) {
        d->transfer = (struct transfer_wish){0};
        str_copy(d->transfer.to, sizeof d->transfer.to, genre);
    }
    if (there < 0)
        return ask(d, hearing, 1);
    session_choose(d->session, there);
    d->stale = STALE_BAR;
    desk_say(d, "strength %.2f", to);
    return ERR_OK;
}
