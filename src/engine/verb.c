/* verb.c: a request's defaults, and what is wrong with one whatever the model. Families check the rest:
 * genres and grids are theirs. */
#include "verb.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "song.h"
#include "str.h"

enum { PHRASE = 4, MAX_TAKES = 256, LEAST_RANGE = 3, TRANSFER_MAX_BARS = 100000 };

void request_init(struct request *rq, enum verb v, const struct song *song)
{
    int bars = song ? song_n_bars(song) : 0;
    bars = (bars + PHRASE - 1) / PHRASE * PHRASE;
    memset(rq, 0, sizeof *rq);
    rq->verb = v;
    rq->song = song;
    rq->n_bars = bars < PHRASE ? PHRASE : bars > REQUEST_MAX_BARS ? REQUEST_MAX_BARS : bars;
    rq->genre = -1;
    rq->key = (struct key){.tonic = -1};
    rq->temperature = 1.0;
    rq->top_p = 0.99;
    rq->distance = 0.5;
    rq->strength = 1;
    rq->n_takes = 1;
    for (int r = 0; r < N_ROLES; r++)
        rq->density[r] = -1;
}

static bool is_band(const struct song *s)
{
    if (!s || s->n_tracks < N_ROLES)
        return false;
    for (int r = 0; r < N_ROLES; r++)
        if (s->tracks[r].role != (enum role)r)
            return false;
    return true;
}

/* A step that ends a hair beyond 1 by rounding is meant to end there. */
static bool is_share(double x)
{
    return x >= -1e-9 && x <= 1 + 1e-9;
}

static enum err check_ends(const struct request *rq)
{
    double last = rq->mix + (rq->n_takes - 1) * rq->mix_step;
    if (!is_band(rq->from) || !is_band(rq->to))
        return err_set(ERR_SHAPE, "two ends laid out as the band's five tracks are needed to go from one to the other");
    if (!is_share(rq->mix) || !is_share(last))
        return err_set(ERR_RANGE, "from %g to %g: the way between two takes goes from 0 to 1", rq->mix, last);
    return ERR_OK;
}

static enum err check_place(const struct request *rq)
{
    if ((unsigned)rq->role >= N_ROLES)
        return err_set(ERR_RANGE, "track %d: the band has %d", (int)rq->role + 1, N_ROLES);
    if (rq->role == ROLE_DRUMS)
        return err_set(ERR_UNSUPPORTED, "suggestions are pitches: for the drums there are none");
    if (rq->at < 0 || rq->at > SONG_MAX_TICKS)
        return err_set(ERR_RANGE, "tick %d is no place in a song", rq->at);
    int bar = song_bar_of(rq->song, rq->at) - rq->bar0;
    if (bar < 0 || bar >= rq->n_bars)
        return err_set(ERR_RANGE, "bar %d lies outside bars %d to %d", rq->bar0 + bar + 1, rq->bar0 + 1,
                       rq->bar0 + rq->n_bars);
    if (rq->keep[rq->role][bar])
        return err_set(ERR_EMPTY, "bar %d of %s is kept", rq->bar0 + bar + 1, role_name(rq->role));
    return ERR_OK;
}

static enum err check_range(enum role r, const struct pitch_range *p)
{
    char lo[8], hi[8];
    if (p->hi == 0 || (p->hi <= 127 && p->lo + LEAST_RANGE <= p->hi))
        return ERR_OK;
    pitch_name(p->lo, 4, lo);
    pitch_name(p->hi, 4, hi);
    return err_set(ERR_RANGE, "%s from %s to %s: a range goes up, by a third at least", role_name(r), lo, hi);
}

enum err request_check(const struct request *rq)
{
    int most = rq->verb == VERB_TRANSFER ? TRANSFER_MAX_BARS : REQUEST_MAX_BARS;
    if (!rq->song || (rq->verb != VERB_TRANSFER && !is_band(rq->song)))
        return err_set(ERR_SHAPE, "the song is not laid out as the band's five tracks");
    if (rq->bar0 < 0 || rq->n_bars < 1 || rq->n_bars > most)
        return err_set(ERR_RANGE, "bars %d to %d: a span has 1 to %d bars", rq->bar0 + 1, rq->bar0 + rq->n_bars, most);
    if (rq->n_takes < 1 || rq->n_takes > MAX_TAKES)
        return err_set(ERR_RANGE, "%d takes: 1 to %d can be asked for", rq->n_takes, MAX_TAKES);
    if (!(rq->temperature > 0 && isfinite(rq->temperature)))
        return err_set(ERR_RANGE, "temperature %g is not above 0", rq->temperature);
    if (rq->z && rq->n_z < 1)
        return err_set(ERR_SHAPE, "a latent vector of %d numbers", rq->n_z);
    if (rq->top_k < 0)
        return err_set(ERR_RANGE, "top_k %d is below 0", rq->top_k);
    if (!(rq->top_p > 0 && rq->top_p <= 1))
        return err_set(ERR_RANGE, "top_p %g is outside 0..1", rq->top_p);
    if (!is_share(rq->distance))
        return err_set(ERR_RANGE, "distance %g is outside 0..1", rq->distance);
    if (!is_share(rq->strength))
        return err_set(ERR_RANGE, "strength %g is outside 0..1", rq->strength);
    for (int r = 0; r < N_ROLES; r++)
        TRY(check_range((enum role)r, &rq->range[r]));
    return rq->verb == VERB_INTERPOLATE ? check_ends(rq) : rq->verb == VERB_SUGGEST ? check_place(rq) : ERR_OK;
}

/* ---- styles ---- */

static enum err unknown_style(const char *name, char *const *names, int n)
{
    struct str list;
    str_init(&list);
    for (int i = 0; i < n; i++)
        str_addf(&list, "%s%s", i ? ", " : "", names[i]);
    enum err err = n > 0 ? err_set(ERR_FORMAT, "no style \"%.30s\"; there are: %s", name, str_c(&list))
                         : err_set(ERR_FORMAT, "this model has no styles");
    str_fini(&list);
    return err;
}

/* "0.3" or "0..1" */
static enum err read_weight(char *text, struct style_weight *w)
{
    double from, to;
    char *dots = strstr(text, "..");
    if (dots)
        *dots = '\0';
    if (parse_double(text, 0, 1000, &from) != ERR_OK || parse_double(dots ? dots + 2 : text, 0, 1000, &to) != ERR_OK)
        return err_set(ERR_FORMAT, "\"%.20s\" is not the weight of a style; 0.3 is one, 0..1 glides", text);
    w->from = (float)from;
    w->to = (float)to;
    return ERR_OK;
}

static enum err add_style(struct request *rq, char *item, char *const *names, int n)
{
    struct style_weight w = {.style = -1, .from = -1};
    char *weight = strchr(item, ':');
    if (weight)
        *weight++ = '\0';
    for (int i = 0; i < n; i++)
        if (str_same(names[i], item))
            w.style = i;
    if (w.style < 0)
        return unknown_style(item, names, n);
    if (rq->n_styles == REQUEST_STYLES)
        return err_set(ERR_FORMAT, "at most %d styles blend", REQUEST_STYLES);
    if (weight)
        TRY(read_weight(weight, &w));
    rq->style[rq->n_styles++] = w;
    return ERR_OK;
}

/* Styles without a weight share what is left of 1, at either end. */
static void share_rest(struct request *rq)
{
    float from = 1, to = 1;
    int open = 0;
    for (int i = 0; i < rq->n_styles; i++) {
        struct style_weight *w = &rq->style[i];
        open += w->from < 0;
        from -= w->from < 0 ? 0 : w->from;
        to -= w->from < 0 ? 0 : w->to;
    }
    for (int i = 0; i < rq->n_styles; i++)
        if (rq->style[i].from < 0) {
            rq->style[i].from = from > 0 ? from / (float)open : 0;
            rq->style[i].to = to > 0 ? to / (float)open : 0;
        }
}

enum err request_style(struct request *rq, const char *text, char *const *names, int n)
{
    char *copy = xstrdup(text), *at = copy;
    enum err err = ERR_OK;
    rq->n_styles = 0;
    while (err == ERR_OK && *(at += strspn(at, " ,+"))) {
        size_t len = strcspn(at, " ,+");
        bool last = !at[len];
        at[len] = '\0';
        if (!(str_same(at, "any") && rq->n_styles == 0))
            err = add_style(rq, at, names, n);
        at += len + !last;
    }
    free(copy);
    if (err != ERR_OK)
        rq->n_styles = 0;
    share_rest(rq);
    return err;
}
