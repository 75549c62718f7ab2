/* metric.c: measures of rolls, bar by bar. Values of a bar are averaged over the bars they are defined for:
 * empty bars only count in EB; QN, PR, ISR and UPC are not defined for drums, DP only for them. */
#include <math.h>
#include <string.h>
#include "metric.h"
#include "roll.h"
#include "song.h"
#include "theory.h"

/* Weight of a drum onset by its place in a 16th (or 8th) of the bar; the grid may be turned by `turns` steps to
 * the best fit. At 96 steps the form of MuseGAN's first code, else that of its last. */
static const struct pattern {
    int bar_steps, period, turns;
    double weight[6];
} patterns[] = {
    { 96, 6, 6, { 1, .3, 0, 0, 0, .3 } },
    { 48, 3, 1, { 1, .1, .1 } },
    { 24, 3, 1, { 1, .1, .1 } },
    { 16, 2, 1, { 1, .1 } },
};

static const char *const names[N_METRICS] = {
    [METRIC_EB] = "EB", [METRIC_UPC] = "UPC", [METRIC_UP] = "UP", [METRIC_QN] = "QN", [METRIC_PR] = "PR",
    [METRIC_ISR] = "ISR", [METRIC_DP] = "DP", [METRIC_NOTES] = "notes",
};

const char *metric_name(enum metric m)
{
    return names[m];
}

static void add(struct metrics *m, enum metric which, int track, double value)
{
    m->sum[which][track] += value;
    m->weight[which][track] += 1;
}

/* What is counted in one bar of one track. */
struct bar_count {
    long cells, in_scale, onsets, qualified, chord_steps;
    int pitches, classes;
};

static struct bar_count count_bar(const struct roll *r, int track, int bar, unsigned scale)
{
    struct bar_count c = { 0 };
    int from = bar * r->bar_steps, to = from + r->bar_steps, least = (r->bar_steps + 31) / 32;
    bool used[128] = { false };
    unsigned classes = 0;

    for (int s = from; s < to; s++) {
        int sounding = 0;
        for (int row = 0; row < r->n_pitches; row++) {
            uint8_t cell = *roll_at(r, track, s, row);
            int pitch = r->low + row;
            if (cell == CELL_OFF)
                continue;
            sounding++;
            c.cells++;
            c.in_scale += scale >> pitch % 12 & 1;
            classes |= 1u << pitch % 12;
            c.pitches += !used[pitch];
            used[pitch] = true;
            if (cell != CELL_ONSET)
                continue;
            int end = s + 1;
            while (end < to && end - s < least && *roll_at(r, track, end, row) == CELL_HOLD)
                end++;
            c.onsets++;
            c.qualified += end - s >= least;
        }
        c.chord_steps += sounding > 2;
    }
    c.classes = __builtin_popcount(classes);
    return c;
}

/* Share of a bar's onsets on the grid of its pattern; NaN when the resolution has none. */
static double drum_pattern(const struct roll *r, int track, int bar)
{
    const struct pattern *p = NULL;
    double hits[6] = { 0 }, all = 0, best = 0;

    for (size_t i = 0; i < COUNT_OF(patterns); i++)
        if (patterns[i].bar_steps == r->bar_steps)
            p = &patterns[i];
    if (!p)
        return NAN;
    for (int s = 0; s < r->bar_steps; s++)
        for (int row = 0; row < r->n_pitches; row++)
            if (*roll_at(r, track, bar * r->bar_steps + s, row) == CELL_ONSET) {
                hits[s % p->period]++;
                all++;
            }
    for (int turn = 0; turn < p->turns; turn++) {
        double sum = 0;
        for (int i = 0; i < p->period; i++)
            sum += hits[(i + turn) % p->period] * p->weight[i];
        best = sum > best ? sum : best;
    }
    return all > 0 ? best / all : NAN;
}

static void add_bar(struct metrics *m, const struct roll *r, int track, int bar, unsigned scale)
{
    struct bar_count c = count_bar(r, track, bar, scale);
    bool drums = track == ROLE_DRUMS;

    add(m, METRIC_EB, track, c.cells == 0 ? 100 : 0);
    if (c.cells == 0)
        return;
    add(m, METRIC_UP, track, c.pitches);
    add(m, METRIC_NOTES, track, (double)c.onsets);
    if (drums) {
        double dp = drum_pattern(r, track, bar);
        if (!isnan(dp))
            add(m, METRIC_DP, track, 100 * dp);
        return;
    }
    add(m, METRIC_UPC, track, c.classes);
    add(m, METRIC_PR, track, 100.0 * (double)c.chord_steps / r->bar_steps);
    add(m, METRIC_ISR, track, 100.0 * (double)c.in_scale / (double)c.cells);
    if (c.onsets > 0)
        add(m, METRIC_QN, track, 100.0 * (double)c.qualified / (double)c.onsets);
}

/* ---- tonal distance ---- */

/* Of the cells of a beat. False when the track is silent there. */
static bool centroid(const struct roll *r, int track, int from, int to, double out[6])
{
    double chroma[12] = { 0 }, all = 0;

    for (int s = from; s < to; s++)
        for (int row = 0; row < r->n_pitches; row++)
            if (*roll_at(r, track, s, row) != CELL_OFF) {
                chroma[(r->low + row) % 12]++;
                all++;
            }
    if (all > 0)
        tonal_centroid(chroma, all, out);
    return all > 0;
}

static void add_beat(struct metrics *m, const struct roll *r, int from, int to, unsigned tracks)
{
    double at[N_ROLES][6];
    bool sounds[N_ROLES] = { false };

    for (int t = ROLE_DRUMS + 1; t < N_ROLES; t++)
        sounds[t] = centroid(r, t, from, to, at[t]);
    for (int a = ROLE_DRUMS + 1; a < N_ROLES; a++)
        for (int b = a + 1; b < N_ROLES; b++) {
            if (!sounds[a] || !sounds[b] || !((tracks >> a | tracks >> b) & 1))
                continue;
            m->td_sum[a][b] += tonal_distance(at[a], at[b]);
            m->td_weight[a][b] += 1;
        }
}

/* ---- all ---- */

void metrics_add_tracks(struct metrics *m, const struct roll *r, unsigned scale, unsigned tracks)
{
    BUG_ON(r->n_tracks < N_ROLES);
    for (int t = 0; t < N_ROLES; t++)
        for (int b = 0; b < r->n_bars && tracks >> t & 1; b++)
            add_bar(m, r, t, b, scale);
    for (int beat = 0; beat < r->n_bars * 4; beat++)
        add_beat(m, r, beat * r->bar_steps / 4, (beat + 1) * r->bar_steps / 4, tracks);
    m->n_phrases++;
}

void metrics_add(struct metrics *m, const struct roll *r, unsigned scale)
{
    metrics_add_tracks(m, r, scale, (1u << N_ROLES) - 1);
}

double metrics_get(const struct metrics *m, enum metric which, enum role track)
{
    return m->weight[which][track] > 0 ? m->sum[which][track] / m->weight[which][track] : NAN;
}

double metrics_td(const struct metrics *m, enum role a, enum role b)
{
    int lo = a < b ? (int)a : (int)b, hi = a < b ? (int)b : (int)a;
    return m->td_weight[lo][hi] > 0 ? m->td_sum[lo][hi] / m->td_weight[lo][hi] : NAN;
}

/* ---- songs ---- */

static bool has_stroke(const struct track *t, const struct note *n)
{
    for (size_t i = track_first_at(t, n->tick); i < t->n && t->notes[i].tick == n->tick; i++)
        if (t->notes[i].pitch == n->pitch)
            return true;
    return false;
}

double notes_kept(const struct song *before, const struct song *after, int bar0, int n_bars)
{
    int32_t from = song_bar_tick(before, bar0), to = song_bar_tick(before, bar0 + n_bars);
    long all = 0, kept = 0;
    for (size_t k = 0; k < before->n_tracks && k < after->n_tracks; k++) {
        const struct track *t = &before->tracks[k];
        for (size_t i = track_first_at(t, from); i < t->n && t->notes[i].tick < to && t->role != ROLE_DRUMS; i++) {
            all++;
            kept += has_stroke(&after->tracks[k], &t->notes[i]);
        }
    }
    return all ? (double)kept / (double)all : NAN;
}
