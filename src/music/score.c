/* score.c: see score.h. Every beat of a part is straight (sixteenths, three units) or triplets (two units), as its
 * onsets and, much less, its ends lie nearer; all positions inside a beat are on its grid, so lengths can always
 * be written. A beat cut short by its bar is straight. */
#include "score.h"

#include <stdlib.h>

#include "mem.h"
#include "song.h"

enum { TICKS_STRAIGHT = SONG_TPQ / 4, TICKS_TRIPLET = SONG_TPQ / 6, ONSET_WEIGHT = 8 };

/* ---- bars ---- */

enum err score_new(const struct song *s, struct score *out)
{
    int n = song_n_bars(s);
    struct score sc = {.n_bars = n < 1 ? 1 : n};
    if (n > SCORE_MAX_BARS)
        return err_set(ERR_RANGE, "%d bars; a score has at most %d", n, SCORE_MAX_BARS);
    sc.bars = xcalloc((size_t)sc.n_bars, sizeof *sc.bars);
    int32_t from = 0, tick = 0;
    int64_t beats = 0;
    for (int i = 0; i < sc.n_bars && beats <= SCORE_MAX_BEATS; i++) {
        int32_t next = song_bar_tick(s, i + 1);
        int32_t len = (next - tick + TICKS_STRAIGHT / 2) / TICKS_STRAIGHT * 3;
        len = len < 3 ? 3 : len;
        sc.bars[i] = (struct score_bar){tick, from, len, (int32_t)beats};
        beats += (len + SCORE_QUARTER - 1) / SCORE_QUARTER;
        from += len;
        tick = next;
    }
    sc.n_beats = (int)beats;
    *out = sc;
    if (beats > SCORE_MAX_BEATS) {
        score_fini(out);
        return err_set(ERR_RANGE, "more than %d quarters; too long for a score", SCORE_MAX_BEATS);
    }
    return ERR_OK;
}

void score_fini(struct score *sc)
{
    free(sc->bars);
    *sc = (struct score){0};
}

static const struct score_bar *bar_at(const struct score *sc, int32_t tick)
{
    int lo = 0, hi = sc->n_bars;
    while (hi - lo > 1) {
        int mid = (lo + hi) / 2;
        if (sc->bars[mid].tick <= tick)
            lo = mid;
        else
            hi = mid;
    }
    return &sc->bars[lo];
}

/* ---- where notes lie ---- */

struct spot {
    const struct score_bar *bar;
    int beat;
    int32_t rest;
}; /* rest: ticks into the beat */

static struct spot find(const struct score *sc, int32_t tick)
{
    const struct score_bar *bar = bar_at(sc, tick);
    int32_t in = tick - bar->tick, last = (bar->len - 1) / SCORE_QUARTER;
    int32_t beat = in / SONG_TPQ < last ? in / SONG_TPQ : last;
    return (struct spot){bar, beat, in - beat * SONG_TPQ};
}

static int32_t beat_len(const struct score_bar *bar, int beat)
{
    int32_t left = bar->len - beat * SCORE_QUARTER;
    return left < SCORE_QUARTER ? left : SCORE_QUARTER;
}

static int32_t snap(const struct score *sc, const uint8_t *triplet, int32_t tick)
{
    struct spot at = find(sc, tick);
    bool three = triplet && triplet[at.bar->beat + at.beat];
    int32_t step = three ? TICKS_TRIPLET : TICKS_STRAIGHT;
    int32_t units = (at.rest + step / 2) / step * (three ? 2 : 3), most = beat_len(at.bar, at.beat);
    return at.bar->from + at.beat * SCORE_QUARTER + (units < most ? units : most);
}

int32_t score_unit(const struct score *sc, int32_t tick)
{
    return snap(sc, NULL, tick);
}

static int32_t off_grid(int32_t ticks, int32_t step)
{
    int32_t over = ticks % step;
    return over < step - over ? over : step - over;
}

/* A positive sum: the beat's notes lie nearer to triplets. */
static void weigh(const struct score *sc, int64_t *sums, int32_t tick, int weight)
{
    struct spot at = find(sc, tick);
    if (beat_len(at.bar, at.beat) == SCORE_QUARTER)
        sums[at.bar->beat + at.beat] +=
            weight * (off_grid(at.rest, TICKS_STRAIGHT) - off_grid(at.rest, TICKS_TRIPLET));
}

static uint8_t *choose_grids(const struct score *sc, const struct track *t, bool drums)
{
    int64_t *sums = xcalloc((size_t)sc->n_beats, sizeof *sums);
    uint8_t *triplet = xcalloc((size_t)sc->n_beats, 1);
    for (size_t i = 0; i < t->n; i++) {
        weigh(sc, sums, t->notes[i].tick, ONSET_WEIGHT);
        if (!drums)
            weigh(sc, sums, t->notes[i].tick + t->notes[i].dur, 1);
    }
    for (int i = 0; i < sc->n_beats; i++)
        triplet[i] = sums[i] > 0;
    free(sums);
    return triplet;
}

static int32_t total(const struct score *sc)
{
    const struct score_bar *last = &sc->bars[sc->n_bars - 1];
    return last->from + last->len;
}

static const struct score_bar *bar_of_unit(const struct score *sc, int32_t unit)
{
    int lo = 0, hi = sc->n_bars;
    while (hi - lo > 1) {
        int mid = (lo + hi) / 2;
        if (sc->bars[mid].from <= unit)
            lo = mid;
        else
            hi = mid;
    }
    return &sc->bars[lo];
}

static int32_t step_at(const struct score *sc, const uint8_t *triplet, int32_t unit)
{
    const struct score_bar *bar = bar_of_unit(sc, unit);
    return triplet[bar->beat + (unit - bar->from) / SCORE_QUARTER] ? 2 : 3;
}

static struct score_note place(const struct score *sc, const uint8_t *triplet, const struct note *n)
{
    struct score_note q = {snap(sc, triplet, n->tick), snap(sc, triplet, n->tick + n->dur), n->pitch, n->vel};
    if (q.from >= total(sc))
        q.from = total(sc) - step_at(sc, triplet, total(sc) - 1);
    if (q.to <= q.from)
        q.to = q.from + step_at(sc, triplet, q.from);
    return q;
}

static int by_onset(const void *x, const void *y)
{
    const struct score_note *a = x, *b = y;
    return a->from != b->from ? (a->from < b->from ? -1 : 1)
           : a->to != b->to   ? (a->to < b->to ? -1 : 1)
                              : a->pitch - b->pitch;
}

/* The notes [i, end) of one onset: one end for the kit, at most a voice's worth of ends for others. */
static void limit_ends(const struct score *sc, struct part *p, size_t i, size_t end, bool drums)
{
    int32_t from = p->notes[i].from;
    if (drums) {
        const struct score_bar *bar = bar_of_unit(sc, from);
        int beat = (from - bar->from) / SCORE_QUARTER;
        int32_t to = bar->from + beat * SCORE_QUARTER + beat_len(bar, beat);
        if (end < p->n_notes && p->notes[end].from < to)
            to = p->notes[end].from;
        for (; i < end; i++)
            p->notes[i].to = to;
        return;
    }
    int ends = 1;
    for (i++; i < end; i++) {
        bool other = p->notes[i].to != p->notes[i - 1].to;
        if (other && ends == SCORE_VOICES)
            p->notes[i].to = p->notes[i - 1].to;
        else
            ends += other;
    }
}

/* Of one pitch at one onset one note stays, the one that ends last. */
static void drop_doubles(struct part *p)
{
    size_t n = 0, latest[128];
    for (size_t i = 0, end; i < p->n_notes; i = end) {
        for (end = i; end < p->n_notes && p->notes[end].from == p->notes[i].from; end++)
            latest[p->notes[end].pitch & 127] = end;
        for (size_t k = i; k < end; k++)
            if (latest[p->notes[k].pitch & 127] == k)
                p->notes[n++] = p->notes[k];
    }
    p->n_notes = n;
}

static void fill_notes(const struct score *sc, const struct track *t, bool drums, struct part *p)
{
    p->notes = xcalloc(t->n + 1, sizeof *p->notes);
    for (size_t i = 0; i < t->n; i++)
        p->notes[i] = place(sc, p->triplet, &t->notes[i]);
    p->n_notes = t->n;
    qsort(p->notes, p->n_notes, sizeof *p->notes, by_onset);
    drop_doubles(p);
    for (size_t i = 0, end; i < p->n_notes; i = end) {
        for (end = i + 1; end < p->n_notes && p->notes[end].from == p->notes[i].from; end++)
            ;
        limit_ends(sc, p, i, end, drums);
    }
    qsort(p->notes, p->n_notes, sizeof *p->notes, by_onset);
}

/* ---- voices ---- */

/* A free voice, the first one best; or that of the chord that ends soonest, which is cut short. */
static int free_voice(struct part *p, const size_t last[SCORE_VOICES], int32_t from)
{
    int best = -1;
    for (int v = 0; v < SCORE_VOICES; v++) {
        if (last[v] == SIZE_MAX || p->chords[last[v]].to <= from)
            return v;
        const struct chord *c = &p->chords[last[v]];
        if (c->from < from && (best < 0 || c->to < p->chords[last[best]].to))
            best = v;
    }
    BUG_ON(best < 0);
    p->chords[last[best]].to = from;
    return best;
}

static int by_voice(const void *x, const void *y)
{
    const struct chord *a = x, *b = y;
    return a->voice != b->voice ? a->voice - b->voice : a->from < b->from ? -1 : a->from > b->from;
}

static void fill_chords(struct part *p)
{
    size_t last[SCORE_VOICES], i, end;
    for (int v = 0; v < SCORE_VOICES; v++)
        last[v] = SIZE_MAX;
    p->chords = xcalloc(p->n_notes + 1, sizeof *p->chords);
    for (i = 0; i < p->n_notes; i = end) {
        const struct score_note *n = &p->notes[i];
        for (end = i + 1; end < p->n_notes && p->notes[end].from == n->from && p->notes[end].to == n->to;
             end++)
            ;
        int voice = free_voice(p, last, n->from);
        last[voice] = p->n_chords;
        p->chords[p->n_chords++] =
            (struct chord){n->from, n->to, (uint8_t)voice, (uint32_t)i, (uint32_t)(end - i)};
    }
    qsort(p->chords, p->n_chords, sizeof *p->chords, by_voice);
    for (i = 0; i < p->n_chords; i++)
        p->voice[p->chords[i].voice + 1] = i + 1;
    for (int v = 1; v <= SCORE_VOICES; v++)
        if (p->voice[v] < p->voice[v - 1])
            p->voice[v] = p->voice[v - 1];
}

void part_new(const struct score *sc, const struct track *t, bool drums, struct part *out)
{
    *out = (struct part){.triplet = choose_grids(sc, t, drums)};
    fill_notes(sc, t, drums, out);
    fill_chords(out);
}

void part_fini(struct part *p)
{
    free(p->triplet);
    free(p->notes);
    free(p->chords);
    *p = (struct part){0};
}

/* ---- signs ---- */

static const struct {
    uint8_t len, sign, dots;
} straight[] =
    {
        {48, 0, 0}, {36, 1, 1}, {24, 1, 0}, {18, 2, 1}, {12, 2, 0}, {9, 3, 1}, {6, 3, 0}, {3, 4, 0},
},
  triple[] = {
      {8, 2, 0},
      {6, 3, 1},
      {4, 3, 0},
      {2, 4, 0},
};

/* Off the beat a sign ends with its beat, but an eighth's syncopation may reach into the next. None ends inside
 * a beat of triplets. */
static bool reads_well(const struct score_bar *bar, const struct part *p, int32_t in, int32_t len)
{
    int32_t off = in % SCORE_QUARTER, end = in + len;
    if (end % SCORE_QUARTER && p->triplet[bar->beat + end / SCORE_QUARTER])
        return false;
    return off == 0 || off + len <= SCORE_QUARTER || (off == 6 && len == SCORE_QUARTER);
}

struct piece part_piece(const struct score_bar *bar, const struct part *p, int32_t from, int32_t to)
{
    int32_t in = from - bar->from, beat = in / SCORE_QUARTER, start = beat * SCORE_QUARTER;
    int32_t left = to - from, stop = start + SCORE_QUARTER - in;
    if (p->triplet[bar->beat + beat] && (in > start || left < SCORE_QUARTER)) {
        int32_t len = left < stop ? left : stop;
        for (size_t i = 0; i < COUNT_OF(triple); i++)
            if (triple[i].len <= len)
                return (struct piece){triple[i].len, triple[i].sign, triple[i].dots,
                                      true,          in == start,    triple[i].len == stop};
    }
    for (size_t i = 0; i < COUNT_OF(straight) - 1; i++)
        if (straight[i].len <= left && reads_well(bar, p, in, straight[i].len))
            return (struct piece){straight[i].len, straight[i].sign, straight[i].dots, false, false, false};
    return (struct piece){3, 4, 0, false, false, false};
}
