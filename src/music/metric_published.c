/* metric_published.c: the metrics as the originals' code has them, so that published figures can be met on their own
 * ground: MuseGAN's first code (V1: 96 steps a bar, five tracks), its second (V2), and the one that is run today
 * (SRC, BeatGAN's too). What is wrong in them is meant to be wrong here. */
#include <math.h>
#include "metric.h"
#include "roll.h"
#include "theory.h"

enum { GROUPS = 12, MAX_ROWS = 84, TURNS = 6, FINE = 96 };

/* V1 and V2 differ by rows of this table: rows of a "pitch class", weights of a drum onset on the 16th grid. */
static const struct form {
    const char *name;
    int group;
    double weight[TURNS];
} forms[N_FORMS] = {
    [FORM_V1] = { "v1", 7, { 1, .3, 0, 0, 0, .3 } },
    [FORM_V2] = { "v2", 8, { 1, .1, 0, 0, 0, .1 } },
    [FORM_SRC] = { "src", 7, { 0 } },
};

/* C, D, E, F, G, A, B: of groups of neighbouring rows, not of pitch classes. */
static const unsigned scale = 1u << 0 | 1u << 2 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 9 | 1u << 11;

const char *metric_form_name(enum metric_form f)
{
    return forms[f].name;
}

static void add(struct metrics *m, enum metric which, int track, double value, double weight)
{
    m->sum[which][track] += value;
    m->weight[which][track] += weight;
}

static bool is_on(const struct roll *r, int track, int step, int row)
{
    return *roll_at(r, track, step, row) != CELL_OFF;
}

/* ---- bar by bar: V1, V2 ---- */

struct bar { long cells, in_scale, runs, qualified, chord_steps; int pitches; unsigned groups; double hits[TURNS]; };

/* Runs of cells are notes: two that touch are one, and one that crosses the bar line is two. */
static struct bar count_bar(const struct roll *r, const struct form *f, int track, int from)
{
    struct bar c = { 0 };
    int to = from + r->bar_steps, fine = FINE / r->bar_steps;
    int sounding[FINE] = { 0 };

    for (int row = 0; row < r->n_pitches; row++) {
        int run = 0, group = row / f->group;
        bool used = false;
        for (int s = from; s <= to; s++) {
            bool on = s < to && is_on(r, track, s, row);
            if (!on && run > 0)
                c.qualified += run * fine >= 2;
            if (on && run == 0) {
                c.runs++;
                c.hits[(s - from) * fine % TURNS]++;
            }
            run = on ? run + 1 : 0;
            if (!on)
                continue;
            used = true;
            c.cells++;
            c.in_scale += scale >> group & 1;
            c.groups |= 1u << group;
            sounding[s - from]++;
        }
        c.pitches += used;
    }
    for (int s = 0; s < r->bar_steps; s++)
        c.chord_steps += sounding[s] >= 2;
    return c;
}

/* The best of all six turns of the grid. */
static double drum_pattern(const struct form *f, const struct bar *c)
{
    double best = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        double sum = 0;
        for (int i = 0; i < TURNS; i++)
            sum += c->hits[(i + turn) % TURNS] * f->weight[i];
        best = fmax(best, sum);
    }
    return best / (double)c->runs;
}

static void add_bar(struct metrics *m, const struct roll *r, const struct form *f, int track, int from)
{
    struct bar c = count_bar(r, f, track, from);
    add(m, METRIC_EB, track, c.cells == 0 ? 100 : 0, 1);
    if (c.cells == 0)
        return;
    add(m, METRIC_UP, track, c.pitches, 1);
    if (track == ROLE_DRUMS) {
        add(m, METRIC_DP, track, 100 * drum_pattern(f, &c), 1);
        return;
    }
    add(m, METRIC_UPC, track, __builtin_popcount(c.groups), 1);
    add(m, METRIC_PR, track, 100.0 * (double)c.chord_steps / r->bar_steps, 1);
    add(m, METRIC_ISR, track, 100.0 * (double)c.in_scale / (double)c.cells, 1);
    add(m, METRIC_QN, track, 100.0 * (double)c.qualified / (double)c.runs, 1);
}

/* ---- the whole batch at once: SRC ---- */

/* Every note's end is taken to be the end of as late a rank, whichever note it belongs to: hardly any is short.
 * Notes go on over bar lines. (The onset at the first place of all, which the code forgets, is counted here.) */
static void add_lengths(struct metrics *m, const struct roll *r, int track)
{
    int steps = roll_steps(r), end_at = 0;
    long ended = 0; /* of the ends at end_at, those that have their onset */
    for (int s = 0; s < steps; s++)
        for (int row = 0; row < r->n_pitches; row++) {
            if (!is_on(r, track, s, row) || (s > 0 && is_on(r, track, s - 1, row)))
                continue;
            for (;; end_at++, ended = 0) {
                long ends = 0;
                for (int k = 0; k < r->n_pitches && end_at > 0; k++)
                    ends += is_on(r, track, end_at - 1, k) && (end_at == steps || !is_on(r, track, end_at, k));
                if (ended < ends)
                    break;
            }
            ended++;
            add(m, METRIC_QN, track, end_at - s >= 2 ? 100 : 0, 1);
        }
}

static void add_step(struct metrics *m, const struct roll *r, int track, int step)
{
    int sounding = 0;
    unsigned groups = 0;
    for (int row = 0; row < r->n_pitches; row++)
        if (is_on(r, track, step, row)) {
            int group = row / forms[FORM_SRC].group;
            groups |= 1u << group;
            sounding++;
            add(m, METRIC_ISR, track, scale >> group & 1 ? 100 : 0, 1);
            if (track == ROLE_DRUMS)
                add(m, METRIC_DP, track, step % 3 == 0 ? 100 : 10, 1);
        }
    add(m, METRIC_PR, track, sounding > 2 ? 100 : 0, 1);
    add(m, METRIC_UP, track, sounding, 0);             /* cells, not pitches */
    add(m, METRIC_UPC, track, __builtin_popcount(groups), 0);
}

static void add_batch(struct metrics *m, const struct roll *r, int track)
{
    for (int bar = 0; bar < r->n_bars; bar++) {
        bool sounds = false;
        for (int s = bar * r->bar_steps; s < (bar + 1) * r->bar_steps; s++) {
            add_step(m, r, track, s);
            for (int row = 0; row < r->n_pitches; row++)
                sounds |= is_on(r, track, s, row);
        }
        add(m, METRIC_EB, track, sounds ? 100 : 0, 1); /* of bars that are not empty */
        add(m, METRIC_UP, track, 0, 1);
        add(m, METRIC_UPC, track, 0, 1);
    }
    add_lengths(m, r, track);
}

/* ---- tonal distance ---- */

/* NaN when the track is silent in the beat. */
static void centroid(const struct roll *r, int group, int track, int from, int to, double out[6])
{
    double chroma[GROUPS] = { 0 }, all = 0;
    for (int s = from; s < to; s++)
        for (int row = 0; row < r->n_pitches; row++)
            if (is_on(r, track, s, row)) {
                chroma[row / group]++;
                all++;
            }
    tonal_centroid(chroma, all > 0 ? all : NAN, out);
}

/* Mean of a bar's four beats: one silent beat takes the bar along and, in SRC, everything. */
static void add_distances(struct metrics *m, const struct roll *r, enum metric_form form, int bar, unsigned tracks)
{
    double at[4][N_ROLES][6];
    for (int beat = 0; beat < 4; beat++)
        for (int t = ROLE_DRUMS + 1; t < N_ROLES; t++) {
            int from = bar * r->bar_steps + beat * r->bar_steps / 4;
            centroid(r, forms[form].group, t, from, from + r->bar_steps / 4, at[beat][t]);
        }
    for (int a = ROLE_DRUMS + 1; a < N_ROLES; a++)
        for (int b = a + 1; b < N_ROLES; b++) {
            double mean = 0;
            if (!((tracks >> a | tracks >> b) & 1))
                continue;
            if (form == FORM_V2 && !(a == ROLE_PIANO && b == ROLE_GUITAR))
                continue;
            for (int beat = 0; beat < 4; beat++)
                mean += tonal_distance(at[beat][a], at[beat][b]) / 4;
            if (isnan(mean) && form != FORM_SRC)
                continue;
            m->td_sum[a][b] += mean;
            m->td_weight[a][b] += 1;
        }
}

void metrics_add_published(struct metrics *m, const struct roll *r, enum metric_form form, unsigned tracks)
{
    BUG_ON(r->n_tracks < N_ROLES || r->n_pitches > MAX_ROWS || FINE % r->bar_steps);
    for (int bar = 0; bar < r->n_bars; bar++) {
        for (int t = 0; t < N_ROLES && form != FORM_SRC; t++)
            if (tracks >> t & 1)
                add_bar(m, r, &forms[form], t, bar * r->bar_steps);
        add_distances(m, r, form, bar, tracks);
    }
    for (int t = 0; t < N_ROLES && form == FORM_SRC; t++)
        if (tracks >> t & 1)
            add_batch(m, r, t);
    m->n_phrases++;
}
