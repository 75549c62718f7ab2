/* pianist_sample.c: requests to takes. The song up to the span is read as steps, the span is written quarter by
 * quarter. Only free cells of the Piano track change; bars that are kept are read as they stand when the music
 * comes to them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "draw.h"
#include "mem.h"
#include "pianist.h"
#include "piano_row.h"
#include "song.h"
#include "stepper.h"
#include "str.h"

enum { ROWS = 8, CELL_TICKS = SONG_TPQ / PIANO_GRID, CLOSING_BARS = 8, USUAL_VEL = 72 };
enum { STREAM_DRAW = 0, STREAM_TOUCH };
static const float SOFT_RANGE = 4;  /* nats that a pitch outside a range that is not strict pays an octave */

/* A style is made plainer than the data has it: away from what would come under no name, by this much of the way.
 * Every take then has a second row, which reads the same steps under no name. */
static const float GUIDANCE = 2;

struct pianist_sampler { struct stepper *stepper; };

struct job {
    struct model *m;
    const struct request *rq;
    const struct progress *p;
    int bar0;
    int32_t origin;              /* tick of quarter 0 */
    struct piano_piece given;
    struct piano_ask ask;
    bool *keep;                  /* [end] */
    int *bar;                    /* [end] the bar each quarter begins in */
    int vel;                     /* of the music so far */
    int n_done, n_now;           /* takes finished, and under way */
    int n_beside;                /* takes that fit beside each other: all rows, or half of them with styles */
};

/* A take in the making. */
struct draft {
    struct song *song;
    uint64_t seed;
    struct piano_ask ask;
    struct piano_row row;
    struct rng draw, touch;
    size_t written;              /* of row.notes */
    int bars;                    /* of the span that are written */
    bool asked;                  /* the step just read is to be drawn from */
};

enum err pianist_sampler_new(struct model *m, const struct ckpt *weights, struct pianist_sampler **out)
{
    struct pianist_sampler *s = xcalloc(1, sizeof *s);
    enum err err = stepper_new(m->device, &m->net, m->params, weights, ROWS, m->context, &s->stepper);
    if (err != ERR_OK) {
        free(s);
        return err;
    }
    *out = s;
    return ERR_OK;
}

void pianist_sampler_free(struct pianist_sampler *s)
{
    if (s)
        stepper_free(s->stepper);
    free(s);
}

/* ---- what is asked ---- */

static enum err check_request(const struct model *m, const struct request *rq)
{
    if (!song_track_of(rq->song, ROLE_PIANO))
        return err_set(ERR_SHAPE, "the song has no Piano track: it is not in band layout");
    if (rq->n_styles < 0 || rq->n_styles > REQUEST_STYLES)
        return err_set(ERR_RANGE, "%d styles; up to %d blend", rq->n_styles, REQUEST_STYLES);
    double from = 0, to = 0;
    for (int i = 0; i < rq->n_styles; i++) {
        const struct style_weight *w = &rq->style[i];
        if (w->style < 0 || w->style >= m->styles.n)
            return err_set(ERR_RANGE, "style %d; the model has %d", w->style, m->styles.n);
        if (!(w->from >= 0 && w->to >= 0 && w->from <= 1000 && w->to <= 1000))
            return err_set(ERR_RANGE, "the weight of %s is not 0 or more", m->styles.at[w->style].name);
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

static void place_quarters(struct job *j, struct piano_frame *frame, bool closes)
{
    const struct song *s = j->rq->song;
    for (int q = 0; q < j->ask.end; q++) {
        int32_t tick = j->origin + q * SONG_TPQ;
        int bar = song_bar_of(s, tick), at = bar - j->bar0;
        struct metre m = song_metre(s, tick);
        frame[q] = piano_frame((tick - song_bar_tick(s, bar)) / QUARTER_COL_TICKS, m.num, m.den, bar);
        frame[q].left = (int8_t)(closes ? piano_left(j->ask.end - q) : 0);
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

/* The key asked for, told by the file, or heard in what comes before. */
static struct key find_key(const struct job *j, const struct song *heard, int32_t begin)
{
    return j->rq->key.tonic >= 0 ? j->rq->key : begin > 0 ? song_key(heard, 0, begin, NULL) : (struct key){ .tonic = -1 };
}

static void find_range(struct job *j, struct key key)
{
    struct pitch_range r = j->rq->range[ROLE_PIANO];
    bool strict = r.hi > 0 && r.strict;
    j->ask.low = strict && r.lo > QUARTER_LOW ? r.lo - QUARTER_LOW : 0;
    j->ask.high = strict && r.hi < QUARTER_LOW + PIANO_KEYS ? r.hi - QUARTER_LOW : PIANO_KEYS - 1;
    j->ask.scale = j->rq->snap && key.tonic >= 0 ? key_scale(key) : 0;
}

static enum err plan_job(struct job *j)
{
    const struct request *rq = j->rq;
    int onsets = bars_with_onsets(rq->song);
    j->bar0 = rq->verb == VERB_CONTINUE && rq->bar0 < onsets ? onsets : rq->bar0;
    int32_t begin = song_bar_tick(rq->song, j->bar0), end = song_bar_tick(rq->song, j->bar0 + rq->n_bars);
    j->origin = begin % SONG_TPQ;
    j->ask = (struct piano_ask){ .given = &j->given, .begin = (begin - j->origin) / SONG_TPQ, .context = j->m->context,
                                 .end = (end - j->origin + SONG_TPQ - 1) / SONG_TPQ };
    j->keep = xcalloc((size_t)j->ask.end + 1, sizeof *j->keep);
    j->bar = xcalloc((size_t)j->ask.end + 1, sizeof *j->bar);
    j->ask.keep = j->keep;
    struct piano_frame *frame = xcalloc((size_t)j->ask.end + 1, sizeof *frame);
    place_quarters(j, frame, rq->verb == VERB_GENERATE && rq->n_bars >= CLOSING_BARS);
    struct song *h = heard(rq->song, begin);
    struct key key = find_key(j, h, begin);
    struct qnote *notes = NULL;
    uint32_t n = 0;
    enum err err = qnotes_from_song(h, j->origin, j->origin + j->ask.end * SONG_TPQ, &notes, &n);
    song_free(h);
    j->vel = mean_vel(notes, n);
    piano_piece_init(&j->given, notes, err == ERR_OK ? n : 0, frame, j->ask.end);
    free(notes);
    j->ask.shift = key_home(key);
    j->ask.key = piano_mode(key);
    find_range(j, key);
    return err;
}

/* ---- writing ---- */

static bool bar_kept(const struct job *j, int bar)
{
    int at = bar - j->bar0;
    return at < 0 || at >= j->rq->n_bars || j->rq->keep[ROLE_PIANO][at];
}

/* How a hand would play it: the voice on top is heard over the others, the bar's first beat has some weight,
 * and every four bars the music swells and ebbs. */
static int touch(const struct job *j, struct draft *d, const struct piano_drawn *n, bool top, bool alone)
{
    const struct piano_frame *f = &j->given.frame[n->quarter];
    double swell = 5 * sin(M_PI * (n->quarter - j->ask.begin) / 16.0 + (double)(d->seed % 16));
    int vel = j->vel + (int)swell + (alone ? 0 : top ? 7 : -5) + (f->phase == 0 && n->note.pos == 0 ? 4 : 0) +
              (int)rng_below(&d->touch, 7) - 3;
    return vel < 1 ? 1 : vel > 127 ? 127 : vel;
}

static bool same_onset(const struct piano_drawn *a, const struct piano_drawn *b)
{
    return a->quarter == b->quarter && a->note.pos == b->note.pos;
}

/* The tick where the next kept bar begins, or the span ends. */
static int32_t free_until(const struct job *j, int bar)
{
    do
        bar++;
    while (!bar_kept(j, bar));
    return song_bar_tick(j->rq->song, bar);
}

/* The notes drawn since the last time go into the song. */
static void write_notes(const struct job *j, struct draft *d)
{
    struct track *t = song_track_of(d->song, ROLE_PIANO);
    const struct piano_drawn *all = d->row.notes;
    for (size_t i = d->written; i < d->row.n_notes; i++) {
        bool first = i == 0 || !same_onset(&all[i - 1], &all[i]), top = i + 1 == d->row.n_notes || !same_onset(&all[i], &all[i + 1]);
        struct note n = { .tick = j->origin + all[i].quarter * SONG_TPQ + all[i].note.pos * CELL_TICKS,
                          .dur = piano_dur_cells(all[i].note.dur) * CELL_TICKS,
                          .pitch = (uint8_t)(all[i].note.pitch + QUARTER_LOW),
                          .vel = (uint8_t)touch(j, d, &all[i], top, first && top) };
        int bar = song_bar_of(d->song, n.tick);
        if (bar_kept(j, bar))
            continue;
        int32_t end = free_until(j, bar);
        n.dur = n.tick + n.dur > end ? end - n.tick : n.dur;
        track_add(t, n);
    }
    d->written = d->row.n_notes;
    track_tidy(t);
}

static void show_part(const struct job *j, struct draft *d, int index)
{
    int bars = d->row.done ? j->rq->n_bars : j->bar[d->row.q] - j->bar0;
    if (bars <= d->bars)
        return;
    d->bars = bars;
    write_notes(j, d);
    if (j->p && j->p->on_part && !d->row.done)
        j->p->on_part(j->p->ctx, index, d->song, bars);
}

/* ---- drawing ---- */

/* Blends glide from one weight to the other across the span. */
static void weigh_styles(const struct job *j, int quarter, float *row)
{
    const struct request *rq = j->rq;
    int span = j->ask.end - j->ask.begin - 1;
    float at = span > 0 ? (float)(quarter - j->ask.begin) / (float)span : 0, sum = 0;
    at = at < 0 ? 0 : at > 1 ? 1 : at;
    memset(row, 0, (size_t)j->m->styles.n * sizeof *row);
    for (int i = 0; i < rq->n_styles; i++)
        sum += rq->style[i].from + at * (rq->style[i].to - rq->style[i].from);
    for (int i = 0; i < rq->n_styles && sum > 0; i++)
        styles_weigh(&j->m->styles, rq->style[i].style, (rq->style[i].from + at * (rq->style[i].to - rq->style[i].from)) / sum,
                     row);
}

static void read_steps(struct job *j, struct draft *drafts)
{
    struct stepper *s = j->m->sampler->stepper;
    size_t n_styles = (size_t)j->m->styles.n;
    for (int k = 0; k < j->n_beside; k++) {
        bool live = k < j->n_now && !drafts[k].row.done;
        const struct piano_step *step = NULL;
        int position = 0, quarter = 0;
        if (live)
            drafts[k].asked = piano_row_read(&drafts[k].row, &step, &position, &quarter);
        else if (k < j->n_now)
            drafts[k].asked = false;
        for (int row = k; row < ROWS; row += j->n_beside) {
            for (int i = 0; i < N_PIANO_IN; i++)
                stepper_in(s, i)[row] = live ? step->in[i] : -1;
            stepper_position(s)[row] = position;
            memset(stepper_style(s) + (size_t)row * n_styles, 0, n_styles * sizeof(float));
        }
        weigh_styles(j, quarter, stepper_style(s) + (size_t)k * n_styles);
    }
}

/* What a head says of take k, into `out`. */
static const float *said(const struct job *j, const float *logits, int k, int size, float *out)
{
    const float *own = logits + k * size, *plain = own + j->n_beside * size;
    if (j->n_beside == ROWS)
        return own;
    for (int i = 0; i < size; i++)
        out[i] = plain[i] + GUIDANCE * (own[i] - plain[i]);
    return out;
}

static int draw_pos(struct draft *d, const float *logits, const struct draw_opts *o)
{
    bool legal[PIANO_POS_OUT];
    for (int i = 0; i < PIANO_POS_OUT; i++)
        legal[i] = piano_row_pos_legal(&d->row, i);
    return draw_index(logits, legal, PIANO_POS_OUT, o, &d->draw);
}

static int draw_pitch(const struct job *j, struct draft *d, int pos, const float *logits, const struct draw_opts *o)
{
    struct pitch_range r = j->rq->range[ROLE_PIANO];
    bool legal[PIANO_KEYS];
    float biased[PIANO_KEYS];
    for (int i = 0; i < PIANO_KEYS; i++) {
        int midi = i - d->ask.shift + QUARTER_LOW, out = r.hi == 0 ? 0 : midi < r.lo ? r.lo - midi : midi > r.hi ? midi - r.hi : 0;
        biased[i] = logits[i] - SOFT_RANGE * (float)out / 12;
        legal[i] = piano_row_pitch_legal(&d->row, pos, i);
    }
    return draw_index(biased, legal, PIANO_KEYS, o, &d->draw);
}

/* The rest of the notes that were begun. */
static enum err draw_notes(struct job *j, struct draft *drafts, int32_t pos[ROWS], const struct draw_opts *o,
                           const atomic_bool *cancel)
{
    struct stepper *s = j->m->sampler->stepper;
    int32_t pitch[ROWS];
    const float *logits;
    float mixed[PIANO_KEYS];
    TRY(stepper_head(s, POUT_PITCH, pos, cancel, &logits));
    for (int k = 0; k < ROWS; k++)
        pitch[k] = k >= j->n_beside ? pitch[k - j->n_beside]
                   : pos[k] < 0     ? -1
                                    : draw_pitch(j, &drafts[k], pos[k], said(j, logits, k, PIANO_KEYS, mixed), o);
    TRY(stepper_head(s, POUT_DUR, pitch, cancel, &logits));
    for (int k = 0; k < j->n_now; k++)
        if (pos[k] >= 0) {
            int dur = draw_index(said(j, logits, k, PIANO_DUR, mixed), NULL, PIANO_DUR, o, &drafts[k].draw);
            piano_row_note(&drafts[k].row, (struct piano_note){ (uint8_t)pos[k], (uint8_t)pitch[k], (uint8_t)dur });
        }
    return ERR_OK;
}

/* One step of every row. */
static enum err step_rows(struct job *j, struct draft *drafts)
{
    const struct draw_opts o = { j->rq->temperature, j->rq->top_p, j->rq->top_k };
    const atomic_bool *cancel = j->p ? j->p->cancel : NULL;
    const float *logits;
    int32_t pos[ROWS];
    bool any = false;
    read_steps(j, drafts);
    TRY(stepper_run(j->m->sampler->stepper, cancel, &logits));
    for (int k = 0; k < ROWS; k++)
        pos[k] = -1;
    for (int k = 0; k < j->n_now; k++) {
        float mixed[PIANO_POS_OUT];
        if (!drafts[k].asked)
            continue;
        int drawn = draw_pos(&drafts[k], said(j, logits, k, PIANO_POS_OUT, mixed), &o);
        if (drawn == PIANO_END) {
            piano_row_end(&drafts[k].row);
            show_part(j, &drafts[k], j->n_done + k);
        } else {
            for (int row = k; row < ROWS; row += j->n_beside)
                pos[row] = drawn;
            any = true;
        }
    }
    return any ? draw_notes(j, drafts, pos, &o, cancel) : ERR_OK;
}

/* ---- takes ---- */

static void draft_init(struct job *j, struct draft *d, uint64_t seed)
{
    memset(d, 0, sizeof *d);
    d->song = song_dup(j->rq->song);
    d->seed = seed;
    rng_init(&d->draw, seed, STREAM_DRAW);
    rng_init(&d->touch, seed, STREAM_TOUCH);
    for (int bar = j->bar0; bar < j->bar0 + j->rq->n_bars; bar++)
        if (!bar_kept(j, bar))
            track_clear(song_track_of(d->song, ROLE_PIANO), song_bar_tick(d->song, bar), song_bar_tick(d->song, bar + 1));
    d->ask = j->ask;
    if (d->ask.key == piano_mode((struct key){ .tonic = -1 }))  /* no key is asked for or heard: any */
        d->ask.shift = (int)rng_below(&d->draw, 12) - 5;
    piano_row_init(&d->row, &d->ask);
}

static void draft_fini(struct draft *d)
{
    song_free(d->song);
    piano_row_fini(&d->row);
}

static void name_styles(const struct job *j, char *out, size_t cap)
{
    struct str s;
    str_init(&s);
    for (int i = 0; i < j->rq->n_styles; i++) {
        const struct style_weight *w = &j->rq->style[i];
        str_addf(&s, "%s%s", i ? "+" : "", j->m->styles.at[w->style].name);
        if (w->from != w->to)
            str_addf(&s, ":%.3g..%.3g", (double)w->from, (double)w->to);
        else if (j->rq->n_styles > 1)
            str_addf(&s, ":%.3g", (double)w->from);
    }
    str_copy(out, cap, s.len ? str_c(&s) : "any");
    str_fini(&s);
}

static void deliver(const struct job *j, struct draft *d, int index)
{
    const struct request *rq = j->rq;
    struct take t = { .song = d->song, .seed = d->seed, .empty = d->row.n_notes == 0 };
    char key[16], styles[128];
    d->song = NULL;
    key_print(rq->key, key);
    name_styles(j, styles, sizeof styles);
    str_copy(t.model, sizeof t.model, j->m->name);
    str_copy(t.hash, sizeof t.hash, j->m->hash);
    str_format(t.params, sizeof t.params, "verb=%s style=%s key=%s%s T=%.2f top_p=%.2f", verb_name(rq->verb), styles, key,
               rq->snap ? " snap" : "", rq->temperature, rq->top_p);
    if (t.song->n_keys == 0 && rq->key.tonic >= 0)
        song_set_key(t.song, 0, key_sharps(rq->key), rq->key.minor);
    if (j->p && j->p->on_take)
        j->p->on_take(j->p->ctx, index, &t);
    else
        take_fini(&t);
}

static void report(const struct job *j, const struct draft *drafts)
{
    int least = j->ask.end;
    if (!j->p || !j->p->on_step)
        return;
    for (int k = 0; k < j->n_now; k++)
        least = drafts[k].row.q < least ? drafts[k].row.q : least;
    double here = (double)(least - j->ask.begin) / (j->ask.end - j->ask.begin);
    j->p->on_step(j->p->ctx, (j->n_done + (here > 0 ? here : 0) * j->n_now) / j->rq->n_takes);
}

/* Up to n_beside takes side by side. */
static enum err run_batch(struct job *j, struct draft *drafts)
{
    for (;;) {
        bool live = false;
        for (int k = 0; k < j->n_now; k++)
            live |= !drafts[k].row.done;
        if (!live)
            break;
        if (j->p && j->p->cancel && atomic_load_explicit(j->p->cancel, memory_order_relaxed))
            return err_set(ERR_CANCELLED, "cancelled");
        report(j, drafts);
        TRY(step_rows(j, drafts));
    }
    for (int k = 0; k < j->n_now; k++) {
        write_notes(j, &drafts[k]);
        deliver(j, &drafts[k], j->n_done + k);
    }
    return ERR_OK;
}

enum err pianist_run(struct model *m, const struct request *rq, const struct progress *p)
{
    TRY(check_request(m, rq));
    struct job j = { .m = m, .rq = rq, .p = p, .n_beside = rq->n_styles > 0 ? ROWS / 2 : ROWS };
    struct draft drafts[ROWS];
    enum err err = plan_job(&j);
    for (; j.n_done < rq->n_takes && err == ERR_OK; j.n_done += j.n_now) {
        j.n_now = rq->n_takes - j.n_done < j.n_beside ? rq->n_takes - j.n_done : j.n_beside;
        for (int k = 0; k < j.n_now; k++)
            draft_init(&j, &drafts[k], rq->seed + (uint64_t)(j.n_done + k));
        err = run_batch(&j, drafts);
        for (int k = 0; k < j.n_now; k++)
            draft_fini(&drafts[k]);
    }
    piano_piece_fini(&j.given);
    free(j.keep);
    free(j.bar);
    return err;
}
