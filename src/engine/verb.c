/* verb.c: a request's defaults, and what is wrong with one whatever the model. Families check the rest:
 * genres and grids are theirs. */
#include "verb.h"
#include <math.h>
#include <string.h>
#include "song.h"

enum { PHRASE = 4, MAX_TAKES = 256 };

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

enum err request_check(const struct request *rq)
{
    if (!is_band(rq->song))
        return err_set(ERR_SHAPE, "the song is not laid out as the band's five tracks");
    if (rq->bar0 < 0 || rq->n_bars < 1 || rq->n_bars > REQUEST_MAX_BARS)
        return err_set(ERR_RANGE, "bars %d to %d: a span has 1 to %d bars", rq->bar0 + 1, rq->bar0 + rq->n_bars,
                       REQUEST_MAX_BARS);
    if (rq->n_takes < 1 || rq->n_takes > MAX_TAKES)
        return err_set(ERR_RANGE, "%d takes: 1 to %d can be asked for", rq->n_takes, MAX_TAKES);
    if (!(rq->temperature > 0 && isfinite(rq->temperature)))
        return err_set(ERR_RANGE, "temperature %g is not above 0", rq->temperature);
    if (!(rq->top_p > 0 && rq->top_p <= 1))
        return err_set(ERR_RANGE, "top_p %g is outside 0..1", rq->top_p);
    return ERR_OK;
}
