/* transferred.c: what a transfer's takes go through on their way out: the band plays their drums anew, if that was asked
 * for, and a judge says how far they went. Families paint; this is where their takes meet other weights. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "metric.h"
#include "pair.h"
#include "role.h"
#include "str.h"

enum { PHRASE = 4 };

struct transferred {
    struct engine *engine;
    const struct request *rq;
    const struct progress *to;
    const char *genre[2];       /* to, from */
    double before;
    int done;                   /* takes */
    enum err err;               /* of the drums, with its text; takes that follow are dropped */
    char *text;
};

/* ---- drums ---- */

/* The drums of a phrase and more, as the band is asked for them. */
struct drumming { struct transferred *t; struct song *made; int bar, n_bars; };

/* What the band made is what the drums of a song play, but in bars that are kept. */
static void take_drums(struct song *song, const struct song *band, const uint8_t *keep, int bar0, int n_bars)
{
    const struct track *made = &band->tracks[ROLE_DRUMS];
    struct track *kit = song_track_of(song, ROLE_DRUMS);
    if (!kit)
        kit = song_add_track(song, "Drums", ROLE_DRUMS);
    for (int b = 0; b < n_bars; b++) {
        int32_t from = song_bar_tick(song, bar0 + b), to = song_bar_tick(song, bar0 + b + 1);
        if (keep[b])
            continue;
        for (size_t k = 0; k < song->n_tracks; k++)
            if (song->tracks[k].role == ROLE_DRUMS)
                track_clear(&song->tracks[k], from, to);
        for (size_t i = track_first_at(made, from); i < made->n && made->notes[i].tick < to; i++)
            track_push(kit, made->notes[i]);
    }
    track_sort(kit);
}

static void on_drums(void *ctx, int index, struct take *take)
{
    struct drumming *d = ctx;
    (void)index;
    d->made = take->song;
    take->song = NULL;
    take_fini(take);
}

static void on_drums_step(void *ctx, double fraction)
{
    const struct drumming *d = ctx;
    const struct progress *to = d->t->to;
    const struct request *rq = d->t->rq;
    double bars = d->bar - rq->bar0 + fraction * d->n_bars;
    if (to->on_step)
        to->on_step(to->ctx, (d->t->done + bars / rq->n_bars) / rq->n_takes);
}

/* One request's worth of bars; the rest of the take is what the band hears. */
static enum err drum_bars(struct drumming *d, const struct loaded *band, int genre, struct take *take)
{
    const struct progress progress = {.cancel = d->t->to->cancel, .on_take = on_drums, .on_step = on_drums_step, .ctx = d};
    const struct request *asked = d->t->rq;
    struct request *rq = xmalloc(sizeof *rq); /* too much for the stack of a worker */
    uint8_t keep[REQUEST_MAX_BARS];
    struct song *heard = NULL;
    enum err err = role_band(take->song, &heard);
    for (int b = 0; b < d->n_bars; b++) {
        int at = d->bar - asked->bar0 + b;
        keep[b] = asked->keep[ROLE_DRUMS][at < REQUEST_MAX_BARS ? at : REQUEST_MAX_BARS - 1];
    }
    if (err == ERR_OK) {
        request_init(rq, VERB_INFILL, heard);
        rq->bar0 = d->bar;
        rq->n_bars = (d->n_bars + PHRASE - 1) / PHRASE * PHRASE;
        memset(rq->keep, 1, sizeof rq->keep);
        memcpy(rq->keep[ROLE_DRUMS], keep, (size_t)d->n_bars);
        rq->seed = take->seed;
        rq->genre = genre;
        err = band->kind->run(band->model, rq, &progress);
    }
    if (err == ERR_OK)
        take_drums(take->song, d->made, keep, d->bar, d->n_bars);
    song_free(d->made);
    song_free(heard);
    free(rq);
    return err;
}

/* In its genre when the band knows it. */
static enum err remake_drums(struct transferred *t, struct take *take)
{
    const struct request *rq = t->rq;
    struct loaded *found;
    char *path = NULL;
    int genre = -1;
    TRY(models_find(NULL, VERB_INFILL, &path));
    enum err err = engine_loaded(t->engine, path, &found);
    free(path);
    TRY(err);
    const struct loaded band = *found; /* the list of those loaded may move */
    for (int g = 0, n = band.kind->n_genres ? band.kind->n_genres(band.model) : 0; g < n; g++)
        if (str_same(band.kind->genre(band.model, g), t->genre[0]))
            genre = g;
    for (int bar = rq->bar0, last = rq->bar0 + rq->n_bars; bar < last; bar += REQUEST_MAX_BARS) {
        struct drumming d = {t, NULL, bar, last - bar < REQUEST_MAX_BARS ? last - bar : REQUEST_MAX_BARS};
        TRY(drum_bars(&d, &band, genre, take));
    }
    size_t len = strlen(take->params);
    str_format(take->params + len, sizeof take->params - len, " drums=%s", genre < 0 ? "anew" : t->genre[0]);
    return ERR_OK;
}

/* ---- judging ---- */

static double judged(const struct transferred *t, const struct song *song)
{
    double share[2];
    enum err err = pair_judge(t->engine, t->genre, 2, song, t->rq->bar0, t->rq->n_bars, share);
    return err == ERR_OK ? share[0] : NAN;
}

static void tell(const struct transferred *t, struct take *take)
{
    const struct request *rq = t->rq;
    struct outcome *o = &take->outcome;
    *o = (struct outcome){.kept = notes_kept(rq->song, take->song, rq->bar0, rq->n_bars),
                          .made = 1 - notes_kept(take->song, rq->song, rq->bar0, rq->n_bars),
                          .before = t->before, .after = judged(t, take->song)};
    size_t len = strlen(take->params), room = sizeof take->params;
    if (!isnan(o->kept))
        str_format(take->params + len, room - len, " kept=%.0f%%", 100 * o->kept);
    len = strlen(take->params);
    if (!isnan(o->before) && !isnan(o->after))
        str_format(take->params + len, room - len, " judged=%.0f-%.0f%%", 100 * o->before, 100 * o->after);
}

/* ---- takes ---- */

static void on_take(void *ctx, int index, struct take *take)
{
    struct transferred *t = ctx;
    if (t->err == ERR_OK && t->rq->remake_drums && (t->err = remake_drums(t, take)) != ERR_OK)
        t->text = xstrdup(err_text());
    t->done = index + 1;
    if (t->err == ERR_OK)
        tell(t, take);
    if (t->err == ERR_OK && t->to->on_take)
        t->to->on_take(t->to->ctx, index, take);
    else
        take_fini(take);
}

/* Drums take so much longer that they alone count where they are asked for. */
static void on_step(void *ctx, double fraction)
{
    struct transferred *t = ctx;
    if (t->to->on_step && !t->rq->remake_drums)
        t->to->on_step(t->to->ctx, fraction);
}

enum err transferred_run(struct engine *e, const struct loaded *pair, const struct request *rq, const struct progress *p)
{
    struct transferred t = {.engine = e, .rq = rq, .to = p, .before = NAN};
    const struct loaded l = *pair; /* the list of those loaded may move */
    const struct progress progress = {.cancel = p->cancel, .on_take = on_take, .on_step = on_step, .ctx = &t};
    if (rq->genre >= 0) {
        t.genre[0] = l.kind->genre(l.model, rq->genre);
        t.genre[1] = l.kind->genre(l.model, !rq->genre);
        t.before = judged(&t, rq->song);
    }
    enum err err = l.kind->run(l.model, rq, &progress);
    if (t.err == ERR_CANCELLED)
        err = err_set(ERR_CANCELLED, "%s", t.text);
    else if (t.err != ERR_OK)
        err = err_set(t.err, "drums: %s", t.text);
    free(t.text);
    return err;
}
