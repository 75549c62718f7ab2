/* band_sample.c: requests to takes. A span of bars is answered window by window, each four bars long; what
 * lies around the free cells (kept notes, neighbouring bars, what earlier windows wrote) is context. A take
 * is a copy of the request's song in which only free cells of the span change: kept notes are never
 * rewritten, and a new note is cut or dropped where it would touch one. */
#include "band.h"
#include "band_draw.h"
#include "band_path.h"
#include "mem.h"
#include "rng.h"
#include "song.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_TICKS = SONG_TPQ / 12, DRUM_TICKS = SONG_TPQ / 4, OVERLAP_BARS = 2, HUMANISE = 4, USUAL_STEPS = 320 };
enum { STREAM_DRAW = 0, STREAM_VARY = 1 << 20, STREAM_KEY, STREAM_HUMAN };

struct window { int bar, first, end; };    /* four bars from `bar`; those in [first, end) are new */

struct job {
    struct model *m;
    const struct request *rq;
    const struct progress *p;
    int bar0, n_bars, song_bars;
    struct window window[REQUEST_MAX_BARS];
    int n_windows, at;                     /* at: the window under way */
    int n_done, n_now;                     /* takes finished, and under way */
    struct draft *draft;                   /* those under way */
    struct draw_row *row;
    const struct song *from, *to;          /* what a take goes out from: both ends, or what is varied, or NULL */
    struct band_path path;                 /* of an interpolation */
};

/* A take in the making. */
struct draft {
    struct song *song;
    uint64_t seed;
    double mix;
    struct key key;                        /* asked for, told by the file, of the kept notes, or drawn */
    struct key told;                       /* tonic -1: the file tells none that its notes agree with */
    uint8_t keep[N_ROLES][REQUEST_MAX_BARS];
    int new_notes[N_ROLES];
    struct codec_note *context;
    int shift;
};

static bool in_span(const struct job *j, int bar)
{
    return bar >= j->bar0 && bar < j->bar0 + j->n_bars;
}

static bool is_kept(const struct job *j, const struct draft *d, enum role r, int bar)
{
    return !in_span(j, bar) || d->keep[r][bar - j->bar0];
}

static bool bar_sounds(const struct song *s, int bar)
{
    int32_t from = song_bar_tick(s, bar), to = song_bar_tick(s, bar + 1);
    for (int r = 0; r < N_ROLES; r++) {
        const struct track *t = song_track_of(s, r);
        size_t i = t ? track_first_at(t, from) : 0;
        if (t && i < t->n && t->notes[i].tick < to)
            return true;
    }
    return false;
}

/* Bars up to the last onset: a tail that rings over the last bar line does not make another bar. */
static int bars_with_onsets(const struct song *s)
{
    int bars = 0;
    for (int r = 0; r < N_ROLES; r++) {
        const struct track *t = song_track_of(s, r);
        int last = t && t->n > 0 ? song_bar_of(s, t->notes[t->n - 1].tick) + 1 : 0;
        bars = last > bars ? last : bars;
    }
    return bars;
}

/* Where the first window starts. A short span is set among its neighbours, on the song's own grid of four
 * bars where it fits; what continues a song starts with the bars before it. */
static int first_window(const struct job *j)
{
    int bar = j->bar0;
    if (j->rq->verb == VERB_CONTINUE)
        bar = j->bar0 - OVERLAP_BARS;
    else if (j->n_bars < PHRASE_BARS && j->bar0 % PHRASE_BARS + j->n_bars <= PHRASE_BARS)
        bar = j->bar0 - j->bar0 % PHRASE_BARS;
    else if (j->n_bars < PHRASE_BARS)
        bar = j->bar0 + j->n_bars - PHRASE_BARS;
    bar = bar < 0 ? 0 : bar;
    while (bar < j->bar0 && !bar_sounds(j->rq->song, bar))
        bar++;
    return bar;
}

/* Each window after the first overlaps the bars before it, so that the music goes on; the last one lies
 * inside the span where there is room. */
static void plan_windows(struct job *j)
{
    int end = j->bar0 + j->n_bars, next = j->bar0, bar = first_window(j);
    while (next < end) {
        int last = bar + PHRASE_BARS < end ? bar + PHRASE_BARS : end;
        j->window[j->n_windows++] = (struct window){ bar, next, last };
        next = last;
        bar = next - OVERLAP_BARS;
        if (bar + PHRASE_BARS > end && end - PHRASE_BARS >= j->bar0)
            bar = end - PHRASE_BARS;
        bar = bar < 0 ? 0 : bar;
    }
}

static bool track_sounds(const struct job *j, const struct song *s, enum role r)
{
    const struct track *t = song_track_of(s, r);
    size_t i = track_first_at(t, song_bar_tick(s, j->bar0));
    return i < t->n && t->notes[i].tick < song_bar_tick(s, j->bar0 + j->n_bars);
}

/* A strict range must hold some notes that the model can play, in whatever key. */
static enum err check_range(enum role r, const struct pitch_range *range)
{
    enum { LEAST = 3, LOW = CODEC_LOW + 6, HIGH = CODEC_LOW + CODEC_PITCHED - 1 - 6 };
    char lo[8], hi[8];
    if (!range->hi || !range->strict || r == ROLE_DRUMS || (range->lo + LEAST <= HIGH && range->hi >= LOW + LEAST))
        return ERR_OK;
    pitch_name(LOW, 4, lo);
    pitch_name(HIGH, 4, hi);
    return err_set(ERR_RANGE, "%s: the range lies outside %s to %s, where the band plays", role_name(r), lo, hi);
}

static enum err check_request(const struct model *m, const struct request *rq)
{
    if (rq->n_bars < 1 || rq->n_bars > REQUEST_MAX_BARS || rq->bar0 < 0)
        return err_set(ERR_RANGE, "a span of %d bars from bar %d; 1 to %d bars are possible", rq->n_bars, rq->bar0 + 1,
                       REQUEST_MAX_BARS);
    if (rq->genre < -1 || rq->genre >= m->n_genres)
        return err_set(ERR_RANGE, "genre %d; the model has %d", rq->genre, m->n_genres);
    if (rq->n_takes < 1)
        return err_set(ERR_RANGE, "%d takes", rq->n_takes);
    if (!(rq->temperature >= 0 && rq->temperature <= 10) || !(rq->top_p >= 0 && rq->top_p <= 1))
        return err_set(ERR_RANGE, "temperature is 0 to 10, top_p 0 to 1");
    for (int r = 0; r < N_ROLES; r++) {
        if (rq->density[r] < -2 || rq->density[r] >= CODEC_CLASSES)
            return err_set(ERR_RANGE, "density %d of %s; it is 1 to 7", rq->density[r], role_name(r));
        if (!song_track_of(rq->song, r))
            return err_set(ERR_SHAPE, "the song has no %s track: it is not in band layout", role_name(r));
        TRY(check_range(r, &rq->range[r]));
    }
    return ERR_OK;
}

/* Vary: the asked share of the cells that may change is written anew, in an order that hangs on the seed alone,
 * so that a greater distance changes what a smaller one did and more. A track that is silent in the whole span
 * stays so. */
static void keep_near(const struct job *j, struct draft *d)
{
    int16_t cell[N_ROLES * REQUEST_MAX_BARS];
    struct rng r;
    uint32_t n = 0;
    rng_init(&r, d->seed, STREAM_VARY);
    for (int role = 0; role < N_ROLES; role++)
        for (int bar = 0; bar < j->n_bars; bar++) {
            bool open = !j->rq->keep[role][bar] && !j->rq->silent[role];
            d->keep[role][bar] |= !j->rq->silent[role];
            if (open && track_sounds(j, j->rq->song, role))
                cell[n++] = (int16_t)(role * REQUEST_MAX_BARS + bar);
        }
    uint32_t change = (uint32_t)ceil(j->rq->distance * n - 1e-6);
    for (uint32_t i = 0; i < change; i++) {
        uint32_t k = i + rng_below(&r, n - i);
        int16_t c = cell[k];
        cell[k] = cell[i];
        d->keep[c / REQUEST_MAX_BARS][c % REQUEST_MAX_BARS] = 0;
    }
}

/* With nothing to go by, a key of those songs are written in. */
static struct key draw_key(uint64_t seed)
{
    static const struct key usual[] = { { 0, false }, { 7, false }, { 5, false }, { 2, false }, { 10, false },
                                        { 9, true },  { 4, true },  { 2, true },  { 0, true } };
    struct rng r;
    rng_init(&r, seed, STREAM_KEY);
    return usual[rng_below(&r, COUNT_OF(usual))];
}

/* The file's key signature, unless the notes that stay contradict it: many programs write C major unasked. */
static struct key told_key(const struct song *kept, int32_t at)
{
    const struct key none = { .tonic = -1 };
    if (kept->n_keys == 0)
        return none;
    struct key told = song_key(kept, at, at, NULL);
    double inside = 0, all = 0;
    for (size_t t = 0; t < kept->n_tracks; t++)
        for (size_t i = 0; i < kept->tracks[t].n && kept->tracks[t].role != ROLE_DRUMS; i++) {
            const struct note *n = &kept->tracks[t].notes[i];
            all += n->dur;
            inside += key_scale(told) >> n->pitch % 12 & 1 ? n->dur : 0;
        }
    return inside >= 0.75 * all ? told : none;
}

/* Interpolate: only the front is written anew. */
static void fill_path(const struct job *j, struct draft *d)
{
    band_path_fill(&j->path, j->rq, d->mix, d->song);
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < j->n_bars; bar++)
            if (!j->rq->silent[r])
                d->keep[r][bar] = band_path_source(&j->path, r, bar, d->mix) != PATH_ANEW;
}

static void draft_init(const struct job *j, struct draft *d, int index)
{
    const struct request *rq = j->rq;
    bool path = rq->verb == VERB_INTERPOLATE;
    memset(d, 0, sizeof *d);
    d->song = song_dup(rq->song);
    d->seed = rq->seed + (path ? 0 : (uint64_t)index);
    d->mix = path ? fmin(fmax(rq->mix + index * rq->mix_step, 0), 1) : 0;
    d->key = rq->key;
    memcpy(d->keep, rq->keep, sizeof d->keep);
    if (rq->verb == VERB_VARY)
        keep_near(j, d);
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = j->bar0; bar < j->bar0 + j->n_bars; bar++)
            if (!is_kept(j, d, r, bar))
                track_clear(song_track_of(d->song, r), song_bar_tick(d->song, bar), song_bar_tick(d->song, bar + 1));
    if (path)
        fill_path(j, d);
    int32_t from = song_bar_tick(d->song, j->bar0), to = song_bar_tick(d->song, j->bar0 + j->n_bars);
    d->told = told_key(d->song, from);
    if (d->key.tonic < 0)
        d->key = d->told;
    if (d->key.tonic < 0 && j->from) { /* however little of it stays */
        struct song heard = *(d->mix < 0.5 ? j->from : j->to);
        heard.n_keys = 0; /* by its notes */
        d->key = song_key(&heard, from, to, NULL);
    }
}

static void draft_fini(struct draft *d)
{
    song_free(d->song);
    free(d->context);
    memset(d, 0, sizeof *d);
}

/* Cells of the window by what they are. `given` are those whose notes the composer wrote or kept, by which
 * the key is known; `kept` also those that earlier windows wrote, and free cells that stay silent. */
struct cells { uint32_t given, kept, wanted; };

static struct cells cells_of(const struct job *j, const struct draft *d, const struct window *w)
{
    struct cells c = { 0 };
    for (int cell = 0; cell < CODEC_CELLS; cell++) {
        enum role r = codec_role(codec_cell_rank(cell));
        int bar = w->bar + codec_cell_bar(cell);
        if (!in_span(j, bar) && bar >= j->song_bars)
            continue;
        bool given = is_kept(j, d, r, bar), written = in_span(j, bar) && bar < w->first;
        c.given |= (uint32_t)given << cell;
        c.kept |= (uint32_t)(given || written || j->rq->silent[r]) << cell;
    }
    for (int bar = w->first; bar < w->end; bar++)
        for (int rank = 0; rank < N_ROLES; rank++)
            c.wanted |= 1u << codec_cell(bar - w->bar, rank);
    c.wanted &= ~c.kept;
    return c;
}

static int keep_context(struct codec_note *notes, int n, uint32_t cells)
{
    int out = 0;
    for (int i = 0; i < n; i++)
        if (cells >> notes[i].cell & 1)
            notes[out++] = notes[i];
    return out;
}

static bool is_wanted_later(const struct job *j, const struct draft *d, enum role r)
{
    for (int w = j->at + 1; w < j->n_windows; w++)
        for (int bar = j->window[w].first; bar < j->window[w].end; bar++)
            if (!is_kept(j, d, r, bar))
                return true;
    return false;
}

/* A track that was asked for must not come out empty: not in a window whose context is silent too, and not
 * in the whole span. */
static void demand(const struct job *j, const struct draft *d, struct window_ask *ask, const struct codec_note *context, int n)
{
    int count[N_ROLES], cls[N_ROLES];
    codec_densities(context, n, count, cls);
    for (int r = 0; r < N_ROLES; r++) {
        bool last_chance = d->new_notes[r] == 0 && !is_wanted_later(j, d, r);
        if (j->rq->density[r] != -1 || !j->from)
            ask->density[r] = j->rq->density[r];
        ask->range[r] = j->rq->range[r];
        ask->must_sound[r] = ask->density[r] != -2 && (count[codec_rank(r)] == 0 || last_chance);
    }
}

/* What goes out from other music stays about as dense, where nothing is said; silence may stay silence. */
static enum err density_between(const struct job *j, const struct draft *d, int bar, int density[N_ROLES])
{
    int cls[2][N_ROLES];
    for (int end = 0; end < 2; end++) {
        struct pnote *notes = NULL;
        uint32_t n;
        int count[N_ROLES];
        TRY(phrase_from_song(end ? j->to : j->from, bar, &notes, &n));
        struct codec_note *all = xmalloc((n + 1) * sizeof *all);
        codec_densities(all, codec_notes(notes, n, d->shift, all), count, cls[end]);
        free(all);
        free(notes);
    }
    for (int r = 0; r < N_ROLES; r++) {
        double class = cls[0][codec_rank(r)] * (1 - d->mix) + cls[1][codec_rank(r)] * d->mix;
        density[r] = class < 0.5 ? -2 : (int)(class + 0.5);
    }
    return ERR_OK;
}

static enum err begin_window(const struct job *j, struct draft *d, struct draw_row *row)
{
    const struct window *w = &j->window[j->at];
    struct cells c = cells_of(j, d, w);
    struct pnote *notes = NULL;
    uint32_t n;
    TRY(phrase_from_song(d->song, w->bar, &notes, &n));
    struct key key = codec_key(notes, n, c.given);
    bool heard = key.tonic >= 0;
    if (heard && d->told.tonic >= 0)
        key = d->told;
    if (d->key.tonic < 0)
        d->key = heard ? key : draw_key(d->seed);
    if (!heard)
        key = d->key;
    d->shift = key_home(key);
    d->context = xrealloc(d->context, (n + 1) * sizeof *d->context);
    int n_context = keep_context(d->context, codec_notes(notes, n, d->shift, d->context), c.kept);
    free(notes);
    struct window_ask ask = { .genre = j->rq->genre < 0 ? j->m->n_genres : j->rq->genre, .shift = d->shift,
                              .kept = c.kept, .wanted = c.wanted, .max_steps = BAND_STEPS };
    ask.home = heard ? 0 : key_scale(key);
    if (j->rq->snap)
        ask.scale = key_scale(j->rq->key.tonic >= 0 ? j->rq->key : key);
    if (j->from)
        TRY(density_between(j, d, w->bar, ask.density));
    demand(j, d, &ask, d->context, n_context);
    row_begin(&row->row, &ask, d->context, n_context);
    rng_init(&row->rng, d->seed, STREAM_DRAW + (uint64_t)j->at);
    return ERR_OK;
}

/* The tick where the next kept cell of the track begins after `bar`, or the span ends. */
static int32_t free_until(const struct job *j, const struct draft *d, enum role r, int bar)
{
    do
        bar++;
    while (!is_kept(j, d, r, bar));
    return song_bar_tick(d->song, bar);
}

/* Settle a new note among the track's notes of its pitch: it gives way to kept ones, other new ones to it.
 * False when a kept note sounds where it would start. */
static bool settle(const struct job *j, const struct draft *d, enum role r, struct track *t, struct note *n)
{
    for (size_t i = 0; i < t->n && t->notes[i].tick < n->tick + n->dur; i++) {
        struct note *e = &t->notes[i];
        if (e->pitch != n->pitch || e->tick + e->dur <= n->tick)
            continue;
        if (e->tick > n->tick)
            n->dur = e->tick - n->tick;
        else if (e->tick == n->tick || is_kept(j, d, r, song_bar_of(d->song, e->tick)))
            return false;
        else
            e->dur = n->tick - e->tick;
    }
    return true;
}

static void write_note(const struct job *j, struct draft *d, const struct codec_note *note, struct rng *human)
{
    enum role r = codec_role(codec_cell_rank(note->cell));
    struct track *t = song_track_of(d->song, r);
    int bar = j->window[j->at].bar + codec_cell_bar(note->cell);
    int32_t end = free_until(j, d, r, bar);
    struct note n = { .tick = song_bar_tick(d->song, bar) + codec_pos_step(note->pos) * STEP_TICKS,
                      .dur = r == ROLE_DRUMS ? DRUM_TICKS : codec_dur_steps(note->dur) * STEP_TICKS,
                      .pitch = (uint8_t)codec_pitch_midi(note->pitch, d->shift) };
    n.dur = n.tick + n.dur > end ? end - n.tick : n.dur;
    int vel = codec_vel_midi(note->vel) + (int)rng_below(human, 2 * HUMANISE + 1) - HUMANISE;
    n.vel = (uint8_t)(vel < 1 ? 1 : vel > 127 ? 127 : vel);
    if (!settle(j, d, r, t, &n))
        return;
    track_add(t, n);
    d->new_notes[r]++;
}

static void end_window(const struct job *j, struct draft *d, const struct row *row)
{
    struct rng human;
    rng_init(&human, d->seed, STREAM_HUMAN + (uint64_t)j->at);
    for (int i = 0; i < row->n_notes; i++)
        write_note(j, d, &row->notes[i], &human);
}

static void report_step(void *ctx, int position)
{
    const struct job *j = ctx;
    if (!j->p || !j->p->on_step)
        return;
    double part = position < USUAL_STEPS ? (double)position / USUAL_STEPS : 1;
    double here = (j->at + part) / j->n_windows * j->n_now;
    j->p->on_step(j->p->ctx, (j->n_done + here) / j->rq->n_takes);
}

/* Was the track asked for, and is it silent all the same? */
static bool came_out_empty(const struct job *j, const struct draft *d, enum role r)
{
    bool asked = false;
    for (int bar = j->bar0; bar < j->bar0 + j->n_bars && !j->rq->silent[r]; bar++)
        asked |= !is_kept(j, d, r, bar);
    if (j->from) /* asked for or not, it has to sound where the music it goes out from did */
        return asked && !track_sounds(j, d->song, r) && (track_sounds(j, j->from, r) || track_sounds(j, j->to, r));
    return asked && j->rq->density[r] != -2 && d->new_notes[r] == 0;
}

static void deliver(const struct job *j, struct draft *d, int index)
{
    const struct request *rq = j->rq;
    struct take t = { .song = d->song, .seed = d->seed, .mix = d->mix };
    char key[16], how[24] = "";
    for (int r = 0; r < N_ROLES; r++)
        t.empty |= came_out_empty(j, d, r);
    d->song = NULL;
    if (t.song->n_keys == 0 && (rq->key.tonic >= 0 || rq->verb == VERB_GENERATE))
        song_set_key(t.song, 0, key_sharps(d->key), d->key.minor);
    key_print(d->key, key);
    str_copy(t.model, sizeof t.model, j->m->name);
    str_copy(t.hash, sizeof t.hash, j->m->hash);
    if (rq->verb == VERB_VARY)
        str_format(how, sizeof how, " distance=%.2f", rq->distance);
    else if (rq->verb == VERB_INTERPOLATE)
        str_format(how, sizeof how, " mix=%.2f", d->mix);
    str_format(t.params, sizeof t.params, "verb=%s%s genre=%s key=%s%s T=%.2f top_p=%.2f", verb_name(rq->verb), how,
               rq->genre < 0 ? "any" : j->m->genres[rq->genre], key, rq->snap ? " snap" : "", rq->temperature, rq->top_p);
    if (j->p && j->p->on_take)
        j->p->on_take(j->p->ctx, index, &t);
    else
        take_fini(&t);
}

/* A take goes out as soon as it is whole, while others are still being written. */
static void row_done(void *ctx, int k)
{
    struct job *j = ctx;
    end_window(j, &j->draft[k], &j->row[k].row);
    if (j->at + 1 == j->n_windows)
        deliver(j, &j->draft[k], j->n_done + k);
}

/* Up to BAND_ROWS takes side by side. */
static enum err run_batch(struct job *j)
{
    const struct draw_opts o = { .temperature = j->rq->temperature, .top_p = j->rq->top_p };
    const struct draw_watch watch = { j->p ? j->p->cancel : NULL, report_step, row_done, j };
    for (j->at = 0; j->at < j->n_windows; j->at++) {
        for (int k = 0; k < j->n_now; k++)
            TRY(begin_window(j, &j->draft[k], &j->row[k]));
        TRY(band_draw(j->m->stepper, j->row, j->n_now, &o, &watch));
    }
    return ERR_OK;
}

enum err band_run(struct model *m, const struct request *rq, const struct progress *p)
{
    TRY(check_request(m, rq));
    struct job j = { .m = m, .rq = rq, .p = p, .bar0 = rq->bar0, .n_bars = rq->n_bars, .song_bars = bars_with_onsets(rq->song) };
    if (rq->verb == VERB_CONTINUE && j.bar0 < j.song_bars)
        j.bar0 = j.song_bars;
    if (rq->verb == VERB_VARY)
        j.from = j.to = rq->song;
    if (rq->verb == VERB_INTERPOLATE) {
        j.from = rq->from;
        j.to = rq->to;
        band_path_init(&j.path, rq);
    }
    plan_windows(&j);
    j.draft = xcalloc(BAND_ROWS, sizeof *j.draft);
    j.row = xcalloc(BAND_ROWS, sizeof *j.row);
    enum err err = ERR_OK;
    for (; j.n_done < rq->n_takes && err == ERR_OK; j.n_done += j.n_now) {
        int left = rq->n_takes - j.n_done;
        j.n_now = left < BAND_ROWS ? left : BAND_ROWS;
        for (int k = 0; k < j.n_now; k++)
            draft_init(&j, &j.draft[k], j.n_done + k);
        err = run_batch(&j);
        for (int k = 0; k < j.n_now; k++)
            draft_fini(&j.draft[k]);
    }
    free(j.draft);
    free(j.row);
    return err;
}
