/* segment.c: see segment.h. Each beat of the song is a vector of what sounds around it; beats that are nearest
 * neighbours of each other recur. Turned so that columns are lags, a part of the song is a stretch of time in which the
 * same lags recur, and a part begins where they change. The steps are the paper's; what is ours is the features
 * (of notes, not of sound), ties, and that parts begin with a bar. */
#include "segment.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "role.h"
#include "song.h"

enum {
    CLASSES = 12, FEATURES = CLASSES + N_ROLES,
    AROUND = 8,        /* beats that make a moment: two bars */
    LEAST_RUN = 12,    /* beats that recur in a row, with at most... */
    HOLE = 2,          /* ...so many that do not */
    WIDTH = AROUND / 2 - 1,
    APART = 15,        /* a peak is the highest for so many beats on either side */
    MIN_BARS = 4,
    MAX_BEATS = 4096,
};
static const double NEIGHBOURS = 0.04;  /* of the song: so many beats may recur with one */
static const double TIME_SPREAD = 2, LAG_SPREAD = 1; /* deviations of the smoothing, beats */
static const double NEAR = 0.2;         /* of the mean distance of two moments: what recurs is nearer */
static const double LEAST_PEAK = 0.08;  /* of the highest */

struct beats {
    int n;
    int32_t *tick;                      /* [n + 1] */
    float (*feature)[FEATURES];
};

/* ---- what sounds ---- */

static void beats_fini(struct beats *b)
{
    free(b->tick);
    free(b->feature);
}

static void list_beats(const struct song *s, struct beats *b)
{
    size_t cap = 0;
    int32_t end = song_end(s);
    for (int bar = 0; song_bar_tick(s, bar) < end && b->n < MAX_BEATS; bar++) {
        int32_t from = song_bar_tick(s, bar), to = song_bar_tick(s, bar + 1), beat = 4 * SONG_TPQ / song_metre(s, from).den;
        for (int32_t t = from; t < to && beat > 0; t += beat) {
            b->tick = xgrow(b->tick, (size_t)b->n + 1, &cap, sizeof *b->tick);
            b->tick[b->n++] = t;
            b->tick[b->n] = to;
        }
    }
}

static int beat_of(const struct beats *b, int32_t tick)
{
    int lo = 0, hi = b->n;
    while (hi - lo > 1) {
        int mid = (lo + hi) / 2;
        *(b->tick[mid] <= tick ? &lo : &hi) = mid;
    }
    return lo;
}

static void hear_note(struct beats *b, const struct note *n, int role)
{
    for (int i = beat_of(b, n->tick); i < b->n && b->tick[i] < n->tick + n->dur && role != ROLE_DRUMS; i++) {
        int32_t from = n->tick > b->tick[i] ? n->tick : b->tick[i];
        int32_t to = n->tick + n->dur < b->tick[i + 1] ? n->tick + n->dur : b->tick[i + 1];
        b->feature[i][n->pitch % CLASSES] += (float)(to - from);
    }
    if (n->tick < b->tick[b->n])
        b->feature[beat_of(b, n->tick)][CLASSES + role]++;
}

/* Chroma of a beat to length 1; onsets of a role to the most it has in a beat, all five to length 1 at most. */
static void level(struct beats *b)
{
    float most[N_ROLES] = { 0 };
    for (int i = 0; i < b->n; i++)
        for (int r = 0; r < N_ROLES; r++)
            most[r] = fmaxf(most[r], b->feature[i][CLASSES + r]);
    for (int i = 0; i < b->n; i++) {
        float *f = b->feature[i], length = 0;
        for (int c = 0; c < CLASSES; c++)
            length += f[c] * f[c];
        for (int c = 0; c < CLASSES && length > 0; c++)
            f[c] /= sqrtf(length);
        for (int r = 0; r < N_ROLES; r++)
            f[CLASSES + r] /= most[r] > 0 ? most[r] * sqrtf(N_ROLES) : 1;
    }
}

static void hear(const struct song *s, struct beats *b)
{
    list_beats(s, b);
    b->feature = xcalloc((size_t)b->n + 1, sizeof *b->feature);
    for (size_t t = 0; t < s->n_tracks && b->n > 0; t++)
        for (size_t i = 0; i < s->tracks[t].n; i++)
            hear_note(b, &s->tracks[t].notes[i], s->tracks[t].role < N_ROLES ? (int)s->tracks[t].role : ROLE_STRINGS);
    level(b);
}

/* ---- what recurs ---- */

/* Squared distance of two beats by themselves. */
static float apart(const struct beats *b, int i, int k)
{
    float d = 0;
    for (int f = 0; f < FEATURES; f++) {
        float x = b->feature[i][f] - b->feature[k][f];
        d += x * x;
    }
    return d;
}

/* Mean squared distances of moments: the beats around one against those around the other. Along a diagonal the sum
 * gains one pair of beats and loses one. */
static void measure(const struct beats *b, float *d)
{
    size_t n = (size_t)b->n;
    for (int lag = 0; lag < b->n; lag++) {
        double sum = 0;
        int pairs = b->n - lag, inside = 0;
        for (int i = -AROUND / 2; i < pairs; i++) {
            int in = i + AROUND / 2 - 1, out = i - AROUND / 2 - 1; /* the moment is [i - 4, i + 4) */
            if (in >= 0 && in < pairs) {
                sum += (double)apart(b, in, in + lag);
                inside++;
            }
            if (out >= 0) {
                sum -= (double)apart(b, out, out + lag);
                inside--;
            }
            if (i >= 0)
                d[(size_t)i * n + (size_t)(i + lag)] = d[(size_t)(i + lag) * n + (size_t)i] =
                    (float)fmax(sum / inside, 0);
        }
    }
}

static int by_size(const void *x, const void *y)
{
    float a = *(const float *)x, b = *(const float *)y;
    return (a > b) - (a < b);
}

/* How far the furthest of a moment's nearest neighbours is; all that are as near count, however many. */
static void reach(const float *d, int n, float *out)
{
    float *row = xcalloc((size_t)n, sizeof *row);
    int k = (int)(NEIGHBOURS * n) + 2;
    for (int i = 0; i < n; i++) {
        memcpy(row, d + (size_t)i * (size_t)n, (size_t)n * sizeof *row);
        qsort(row, (size_t)n, sizeof *row, by_size);
        out[i] = row[k < n ? k : n - 1] + 1e-6f;
    }
    free(row);
}

/* Rows of time, columns of lag from 1 - n to n - 1: 1 where a moment and the one so much later are among each other's
 * nearest and near. (The paper lets lags go round the song; then of a song that is played twice every part looks like
 * its neighbour.) */
static void recur(const float *d, const float *reach, int n, float *lag)
{
    size_t size = (size_t)n;
    double sum = 0;
    for (size_t i = 0; i < size * size; i++)
        sum += (double)d[i];
    float near = (float)(NEAR * sum / (double)(size * size));
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            float x = d[(size_t)i * size + (size_t)k];
            lag[(size_t)i * 2 * size + (size_t)(k - i + n)] = i != k && x <= reach[i] && x <= reach[k] && x <= near;
        }
}

/* One lag over the times [from, to): holes are filled, runs that are short come from chance and go, and what stays
 * gets back what a moment's width has taken from its ends. */
static void filter_run(float *x, size_t stride, int from, int to)
{
    int start = -1, last = -1;  /* a run with its holes; its last one */
    for (int i = from; i <= to; i++) {
        if (i < to && x[(size_t)i * stride] > 0) {
            start = start < 0 ? i : start;
            last = i;
        }
        if (start < 0 || (i < to && i - last <= HOLE))
            continue;
        bool stays = last + 1 - start >= LEAST_RUN;
        int a = stays ? start - WIDTH : start, b = stays ? last + 1 + WIDTH : last + 1;
        for (int k = a < from ? from : a; k < b && k < to; k++)
            x[(size_t)k * stride] = stays;
        start = -1;
    }
}

static void filter(float *lag, int n)
{
    for (int l = 1; l < 2 * n; l++)
        filter_run(lag + l, 2 * (size_t)n, l < n ? n - l : 0, l < n ? n : 2 * n - l);
}

/* ---- where it changes ---- */

/* Smooth `n` numbers `stride` apart; beyond the ends they stay as they are there. */
static void smooth(float *x, int n, size_t stride, double spread, float *work)
{
    enum { MAX_HALF = 32 };
    int half = (int)(3 * spread);
    float kernel[2 * MAX_HALF + 1], all = 0;
    BUG_ON(half > MAX_HALF);
    for (int k = -half; k <= half; k++)
        all += kernel[k + half] = (float)exp(-0.5 * k * k / (spread * spread));
    for (int i = 0; i < n; i++)
        work[i] = x[(size_t)i * stride];
    for (int i = 0; i < n; i++) {
        float sum = 0;
        for (int k = -half; k <= half; k++)
            sum += kernel[k + half] * work[i + k < 0 ? 0 : i + k < n ? i + k : n - 1];
        x[(size_t)i * stride] = sum / all;
    }
}

/* novelty[i]: how much the recurrences change as beat i begins. */
static void find_changes(float *lag, int n, double *novelty)
{
    size_t lags = 2 * (size_t)n;
    float *work = xcalloc(lags, sizeof *work);
    for (int i = 0; i < n; i++)
        smooth(lag + (size_t)i * lags, 2 * n, 1, LAG_SPREAD, work);
    for (size_t l = 0; l < lags; l++)
        smooth(lag + l, n, lags, TIME_SPREAD, work);
    for (int i = 1; i < n; i++)
        for (size_t l = 0; l < lags; l++) {
            double x = (double)lag[(size_t)i * lags + l] - (double)lag[(size_t)(i - 1) * lags + l];
            novelty[i] += x * x;
        }
    free(work);
}

static bool is_peak(const double *novelty, int n, int i, double least)
{
    if (novelty[i] < least)
        return false;
    for (int k = i - APART; k <= i + APART; k++)
        if (k >= 0 && k < n && (novelty[k] > novelty[i] || (novelty[k] == novelty[i] && k < i)))
            return false;
    return true;
}

/* Peaks as the nearest bar lines; of two less than four bars apart the first stays. */
static void choose(const struct song *s, const struct beats *b, const double *novelty, int **bars, size_t *n)
{
    size_t cap = 0;
    int n_bars = song_n_bars(s);
    double top = 0;
    for (int i = 0; i < b->n; i++)
        top = fmax(top, novelty[i]);
    *bars = xgrow(NULL, 0, &cap, sizeof **bars);
    (*bars)[0] = 0;
    *n = 1;
    for (int i = 1; i < b->n && top > 0; i++) {
        int bar = song_bar_of(s, b->tick[i]);
        if (!is_peak(novelty, b->n, i, LEAST_PEAK * top))
            continue;
        bar += 2 * (b->tick[i] - song_bar_tick(s, bar)) > song_bar_tick(s, bar + 1) - song_bar_tick(s, bar);
        if (bar - (*bars)[*n - 1] < MIN_BARS || n_bars - bar < MIN_BARS)
            continue;
        *bars = xgrow(*bars, *n, &cap, sizeof **bars);
        (*bars)[(*n)++] = bar;
    }
}

enum err segment_song(const struct song *s, int **bars, size_t *n)
{
    struct beats b = { 0 };
    void *d = NULL, *lag = NULL, *near = NULL, *novelty = NULL;
    enum err err = ERR_OK;
    hear(s, &b);
    size_t size = (size_t)b.n;
    TRY_OUT(mem_try_alloc(size * size + 1, sizeof(float), &d));
    TRY_OUT(mem_try_alloc(2 * size * size + 1, sizeof(float), &lag));
    TRY_OUT(mem_try_alloc(size + 1, sizeof(float), &near));
    TRY_OUT(mem_try_alloc(size + 1, sizeof(double), &novelty));
    measure(&b, d);
    reach(d, b.n, near);
    recur(d, near, b.n, lag);
    filter(lag, b.n);
    find_changes(lag, b.n, novelty);
    choose(s, &b, novelty, bars, n);
out:
    free(d);
    free(lag);
    free(near);
    free(novelty);
    beats_fini(&b);
    return err;
}
