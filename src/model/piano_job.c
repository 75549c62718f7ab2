/* piano_job.c: requests of the families that play the piano; see piano_job.h. */
#include "piano_job.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "str.h"

enum { CLOSING_BARS = 8, USUAL_VEL = 72 };
enum { STREAM_DRAW = 0, STREAM_TOUCH, STREAM_MANNER };

/* A style is made plainer than the data has it: away from what would come under no name, by this much of the way. */
static const float GUIDANCE = 3;

/* ---- what is asked ---- */

static enum err check_request(const struct styles *s, const struct request *rq)
{
    if (!song_track_of(rq->song, ROLE_PIANO))
        return err_set(ERR_SHAPE, "the song has no Piano track: it is not in band layout");
    if (rq->n_styles < 0 || rq->n_styles > REQUEST_STYLES)
        return err_set(ERR_RANGE, "%d styles; up to %d blend", rq->n_styles, REQUEST_STYLES);
    double from = 0, to = 0;
    for (int i = 0; i < rq->n_styles; i++) {
        const struct style_weight *w = &rq->style[i];
        if (w->style < 0 || w->style >= s->n)
            return err_set(ERR_RANGE, "style %d; the model has %d", w->style, s->n);
        if (!(w->from >= 0 && w->to >= 0 && w->from <= 1000 && w->to <= 1000))
            return err_set(ERR_RANGE, "the weight of %s is not 0 or more", s->at[w->style].name);
        from += w->from;
        to += w->to;
    }
    if (rq->n_styles > 0 && (from <= 0 || to <= 0))
        return err_set(ERR_RANGE, "no style has a weight above 0");
    return ERR_OK;
}

/* Bars up to the last onset. */
static int bars_with_onsets(const struct song *s)
{
    int bars = 0;
    for (size_t t = 0; t < s->n_tracks; t++) {
        const struct track *k = &s->tracks[t];
        int last = k->n > 0 ? song_bar_of(s, k->notes[k->n - 1].tick) + 1 : 0;
        bars = last > bars ? last : bars;
    }
    return bars;
}

/* What the pianist goes by: the Piano track, or the whole band where that has nothing to say before the span. */
static struct song *heard(const struct song *s, int32_t until)
{
    struct song *h = song_dup(s);
    const struct track *piano = song_track_of(h, ROLE_PIANO);
    if (piano->n > 0 && piano->notes[0].tick < until)
        for (size_t t = 0; t < h->n_tracks; t++)
            if (h->tracks[t].role != ROLE_PIANO)
                h->tracks[t].n = 0;
    return h;
}

static void place_quarters(struct piano_job *j, bool closes)
{
    const struct song *s = j->rq->song;
    for (int q = 0; q < j->end; q++) {
        int32_t tick = j->origin + q * SONG_TPQ;
        int bar = song_bar_of(s, tick), at = bar - j->bar0;
        struct metre m = song_metre(s, tick);
        j->frame[q] = piano_frame((tick - song_bar_tick(s, bar)) / QUARTER_COL_TICKS, m.num, m.den, bar);
        j->frame[q].left = (int8_t)(closes ? piano_left(j->end - q) : 0);
        j->bar[q] = bar;
        j->keep[q] = at >= 0 && at < REQUEST_MAX_BARS && j->rq->keep[ROLE_PIANO][at];
    }
}

static int mean_vel(const struct qnote *notes, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += notes[i].vel;
    return n > 0 ? (int)(sum / n + 0.5) : USUAL_VEL;
}

static struct key find_key(const struct request *rq, const struct song *heard, int32_t begin)
{
    return rq->key.tonic >= 0 ? rq->key : begin > 0 ? song_key(heard, 0, begin, NULL) : (struct key){ .tonic = -1 };
}

static void find_range(struct piano_job *j)
{
    struct pitch_range r = j->rq->range[ROLE_PIANO];
    bool strict = r.hi > 0 && r.strict;
    j->low = strict && r.lo > QUARTER_LOW ? r.lo - QUARTER_LOW : 0;
    j->high = strict && r.hi < QUARTER_LOW + PIANO_KEYS ? r.hi - QUARTER_LOW : PIANO_KEYS - 1;
    j->scale = j->rq->snap && j->key.tonic >= 0 ? key_scale(j->key) : 0;
}

enum err piano_job_init(struct piano_job *j, const struct styles *styles, const char *name, const char *hash,
                        const struct request *rq, const struct progress *p)
{
    TRY(check_request(styles, rq));
    *j = (struct piano_job){ .styles = styles, .name = name, .hash = hash, .rq = rq, .p = p, .bar0 = rq->bar0 };
    int onsets = bars_with_onsets(rq->song);
    if (rq->verb == VERB_CONTINUE && rq->bar0 < onsets)
        j->bar0 = onsets;
    int32_t begin = song_bar_tick(rq->song, j->bar0), end = song_bar_tick(rq->song, j->bar0 + rq->n_bars);
    j->origin = begin % SONG_TPQ;
    j->begin = (begin - j->origin) / SONG_TPQ;
    j->end = (end - j->origin + SONG_TPQ - 1) / SONG_TPQ;
    size_t n = (size_t)j->end + 1;
    j->frame = xcalloc(n, sizeof *j->frame);
    j->keep = xcalloc(n, sizeof *j->keep);
    j->bar = xcalloc(n, sizeof *j->bar);
    place_quarters(j, rq->verb == VERB_GENERATE && rq->n_bars >= CLOSING_BARS);
    struct song *h = heard(rq->song, begin);
    j->key = find_key(rq, h, begin);
    enum err err = qnotes_from_song(h, j->origin, j->origin + j->end * SONG_TPQ, &j->notes, &j->n_notes);
    song_free(h);
    j->vel = mean_vel(j->notes, j->n_notes);
    find_range(j);
    if (err != ERR_OK)
        piano_job_fini(j);
    return err;
}

void piano_job_fini(struct piano_job *j)
{
    free(j->frame);
    free(j->keep);
    free(j->bar);
    free(j->notes);
    memset(j, 0, sizeof *j);
}

/* ---- styles ---- */

/* Nobody plays as an era did: for an era, one of its composers, another with every seed. */
static int draw_manner(const struct styles *s, int style, struct rng *r)
{
    int n = 0, pick = style;
    for (int c = 0; style >= s->n_composers && c < s->n_composers; c++)
        if (s->at[c].era == style && rng_below(r, (uint32_t)++n) == 0)
            pick = c;
    return pick;
}

void piano_draft_weigh(const struct piano_job *j, const struct piano_draft *d, int quarter, float *row)
{
    const struct request *rq = j->rq;
    int span = j->end - j->begin - 1;
    float at = span > 0 ? (float)(quarter - j->begin) / (float)span : 0, sum = 0;
    at = at < 0 ? 0 : at > 1 ? 1 : at;
    memset(row, 0, (size_t)j->styles->n * sizeof *row);
    for (int i = 0; i < rq->n_styles; i++)
        sum += rq->style[i].from + at * (rq->style[i].to - rq->style[i].from);
    for (int i = 0; i < rq->n_styles && sum > 0; i++)
        styles_weigh(j->styles, d->manner[i], (rq->style[i].from + at * (rq->style[i].to - rq->style[i].from)) / sum, row);
}

int piano_job_beside(const struct piano_job *j, int rows)
{
    return j->rq->n_styles > 0 ? rows / 2 : rows;
}

const float *piano_job_said(const float *logits, int k, int size, int beside, int rows, float *out)
{
    const float *own = logits + k * size, *plain = own + beside * size;
    if (beside == rows)
        return own;
    for (int i = 0; i < size; i++)
        out[i] = plain[i] + GUIDANCE * (own[i] - plain[i]);
    return out;
}

/* ---- writing ---- */

static bool bar_kept(const struct piano_job *j, int bar)
{
    int at = bar - j->bar0;
    return at < 0 || at >= j->rq->n_bars || j->rq->keep[ROLE_PIANO][at];
}

void piano_draft_init(const struct piano_job *j, struct piano_draft *d, uint64_t seed)
{
    *d = (struct piano_draft){ .song = song_dup(j->rq->song), .seed = seed, .shift = key_home(j->key) };
    rng_init(&d->draw, seed, STREAM_DRAW);
    piano_draft_clear(j, d);
    if (j->key.tonic < 0)  /* any */
        d->shift = (int)rng_below(&d->draw, 12) - 5;
    struct rng manner;
    rng_init(&manner, seed, STREAM_MANNER);
    for (int i = 0; i < j->rq->n_styles; i++)
        d->manner[i] = draw_manner(j->styles, j->rq->style[i].style, &manner);
}

void piano_draft_clear(const struct piano_job *j, struct piano_draft *d)
{
    rng_init(&d->touch, d->seed, STREAM_TOUCH);
    for (int bar = j->bar0; bar < j->bar0 + j->rq->n_bars; bar++)
        if (!bar_kept(j, bar))
            track_clear(song_track_of(d->song, ROLE_PIANO), song_bar_tick(d->song, bar), song_bar_tick(d->song, bar + 1));
}

void piano_draft_fini(struct piano_draft *d)
{
    song_free(d->song);
    d->song = NULL;
}

/* How a hand would play it: the voice on top is heard over the others, the bar's first beat has some weight,
 * and every four bars the music swells and ebbs. */
static int touch(const struct piano_job *j, struct piano_draft *d, int32_t tick, bool top, bool alone)
{
    int quarter = (tick - j->origin) / SONG_TPQ;
    bool first = j->frame[quarter].phase == 0 && j->origin + quarter * SONG_TPQ == tick;
    double swell = 5 * sin(M_PI * (quarter - j->begin) / 16.0 + (double)(d->seed % 16));
    int vel = j->vel + (int)swell + (alone ? 0 : top ? 7 : -5) + (first ? 4 : 0) + (int)rng_below(&d->touch, 7) - 3;
    return vel < 1 ? 1 : vel > 127 ? 127 : vel;
}

/* The tick where the next kept bar begins, or the span ends. */
static int32_t free_until(const struct piano_job *j, int bar)
{
    do
        bar++;
    while (!bar_kept(j, bar));
    return song_bar_tick(j->rq->song, bar);
}

void piano_draft_add(const struct piano_job *j, struct piano_draft *d, struct note n, bool top, bool alone)
{
    int bar = song_bar_of(d->song, n.tick);
    n.vel = (uint8_t)touch(j, d, n.tick, top, alone);
    if (bar_kept(j, bar))
        return;
    int32_t end = free_until(j, bar);
    n.dur = n.tick + n.dur > end ? end - n.tick : n.dur;
    track_add(song_track_of(d->song, ROLE_PIANO), n);
}

bool piano_draft_grows(const struct piano_job *j, struct piano_draft *d, int quarter)
{
    int bars = quarter >= j->end ? j->rq->n_bars : j->bar[quarter] - j->bar0;
    if (bars <= d->bars)
        return false;
    d->bars = bars;
    return true;
}

void piano_draft_show(const struct piano_job *j, const struct piano_draft *d, int index)
{
    if (j->p && j->p->on_part && d->bars < j->rq->n_bars)
        j->p->on_part(j->p->ctx, index, d->song, d->bars);
}

/* ---- takes ---- */

static void name_styles(const struct piano_job *j, const struct piano_draft *d, char *out, size_t cap)
{
    struct str s;
    str_init(&s);
    for (int i = 0; i < j->rq->n_styles; i++) {
        const struct style_weight *w = &j->rq->style[i];
        str_addf(&s, "%s%s", i ? "+" : "", j->styles->at[w->style].name);
        if (d->manner[i] != w->style)
            str_addf(&s, "(%s)", j->styles->at[d->manner[i]].name);
        if (w->from != w->to)
            str_addf(&s, ":%.3g..%.3g", (double)w->from, (double)w->to);
        else if (j->rq->n_styles > 1)
            str_addf(&s, ":%.3g", (double)w->from);
    }
    str_format(out, cap, " style=%s", s.len ? str_c(&s) : "any");
    str_fini(&s);
}

void piano_draft_deliver(const struct piano_job *j, struct piano_draft *d, int index, bool empty)
{
    const struct request *rq = j->rq;
    struct take t = { .song = d->song, .seed = d->seed, .empty = empty };
    char key[16], styles[128] = "";
    d->song = NULL;
    key_print(rq->key, key);
    if (j->styles->n > 0)
        name_styles(j, d, styles, sizeof styles);
    str_copy(t.model, sizeof t.model, j->name);
    str_copy(t.hash, sizeof t.hash, j->hash);
    str_format(t.params, sizeof t.params, "verb=%s%s key=%s%s T=%.2f top_p=%.2f", verb_name(rq->verb), styles, key,
               rq->snap ? " snap" : "", rq->temperature, rq->top_p);
    if (t.song->n_keys == 0 && rq->key.tonic >= 0)
        song_set_key(t.song, 0, key_sharps(rq->key), rq->key.minor);
    if (j->p && j->p->on_take)
        j->p->on_take(j->p->ctx, index, &t);
    else
        take_fini(&t);
}
