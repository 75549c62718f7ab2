/* beat.c: see beat.h. Everything is counted over the places where notes begin, so that a chord weighs no more
 * than a note; a place is on a grid when it lies within TOLERANCE ticks of it. */
#include "beat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "song.h"
#include "str.h"

enum { TOLERANCE = SONG_TPQ / 32, SIXTEENTH = SONG_TPQ / 4, TRIPLET = SONG_TPQ / 6, MIN_FIT_NOTES = 32,
       MIN_SWUNG = 8, EIGHTH = SONG_TPQ / 2, MAX_EIGHTHS = 4096 };

/* ---- onsets ---- */

struct onsets { int32_t *at; size_t n; };

static int by_tick(const void *x, const void *y)
{
    int32_t a = *(const int32_t *)x, b = *(const int32_t *)y;
    return (a > b) - (a < b);
}

static struct onsets onsets_of(const struct song *s)
{
    struct onsets o = {0};
    size_t n = 0;
    for (size_t i = 0; i < s->n_tracks; i++)
        n += s->tracks[i].n;
    o.at = xcalloc(n + 1, sizeof *o.at);
    for (size_t i = 0; i < s->n_tracks; i++)
        for (size_t k = 0; k < s->tracks[i].n; k++)
            o.at[o.n++] = s->tracks[i].notes[k].tick;
    qsort(o.at, o.n, sizeof *o.at, by_tick);
    n = 0;
    for (size_t i = 0; i < o.n; i++)
        if (i == 0 || o.at[i] != o.at[i - 1])
            o.at[n++] = o.at[i];
    o.n = n;
    return o;
}

static bool near(int32_t tick, int32_t step)
{
    int32_t in = tick % step;
    return in <= TOLERANCE || step - in <= TOLERANCE;
}

/* ---- fit ---- */

static void hear_fit(const struct song *s, struct beat *b)
{
    static const int cycles[] = {1, 2, 3, 4, 6};
    double sum[COUNT_OF(cycles)] = {0};
    long n = 0, stray = 0;
    for (size_t i = 0; i < s->n_tracks; i++)
        for (size_t j = 0; j < s->tracks[i].n; j++) {
            int32_t tick = s->tracks[i].notes[j].tick;
            int step = (tick + SONG_TPQ / 24) / (SONG_TPQ / 12) % 12;
            for (size_t k = 0; k < COUNT_OF(cycles); k++)
                sum[k] += cos(2 * M_PI * cycles[k] * (tick % SONG_TPQ) / SONG_TPQ);
            stray += step == 1 || step == 5 || step == 7 || step == 11;
            n++;
        }
    for (size_t k = 0; k < COUNT_OF(cycles); k++)
        b->fit = n && sum[k] / (double)n > b->fit ? sum[k] / (double)n : b->fit;
    b->fit = n < MIN_FIT_NOTES ? 1 : b->fit;
    b->stray = n ? (double)stray / (double)n : 0;
}

/* ---- swing and subdivisions ---- */

/* The place between beats where most second eighths lie, when they lie together and late; 0 when they do not.
 * First triplets would make it triplets, first sixteenths would make it sixteenths. */
static int32_t swung_eighth(const struct onsets *o)
{
    enum { FROM = SONG_TPQ * 9 / 20, TO = SONG_TPQ * 3 / 4 };
    size_t count[TO + 1] = {0}, n = 0, early = 0, sum = 0;
    for (size_t i = 0; i < o->n; i++) {
        int32_t in = o->at[i] % SONG_TPQ;
        early += in >= SIXTEENTH - TOLERANCE && in <= 2 * TRIPLET + TOLERANCE;
        if (in >= FROM && in < TO) {
            count[in]++;
            n++;
        }
    }
    int32_t middle = FROM;
    for (; middle < TO && 2 * (sum + count[middle]) < n; middle++)
        sum += count[middle];
    size_t together = 0;
    for (int32_t t = middle - TOLERANCE; t <= middle + TOLERANCE; t++)
        together += t >= FROM && t <= TO ? count[t] : 0;
    bool late = middle > EIGHTH + TOLERANCE && middle < TO - TOLERANCE;
    return n >= MIN_SWUNG && late && 10 * together >= 8 * n && 8 * early < n ? middle : 0;
}

static void hear_grid(const struct onsets *o, struct beat *b)
{
    int32_t swung = swung_eighth(o);
    size_t sixteenths = 0, triplets = 0;
    b->swing = swung ? (double)swung / SONG_TPQ : 0.5;
    for (size_t i = 0; i < o->n; i++) {
        bool late = swung && abs(o->at[i] % SONG_TPQ - swung) <= TOLERANCE;
        if (near(o->at[i], SIXTEENTH) && !late)
            sixteenths++;
        else if (near(o->at[i], TRIPLET) || late)
            triplets++;
    }
    double n = o->n ? (double)o->n : 1;
    b->n_onsets = o->n;
    b->sixteenths = (double)sixteenths / n;
    b->triplets = (double)triplets / n;
    b->off = o->n ? (double)(o->n - sixteenths - triplets) / n : 0;
    b->feel = b->fit < BEAT_MIN_FIT                        ? FEEL_FREE
              : swung                                       ? FEEL_SWING
              : b->triplets > 0.1 && b->triplets > b->off ? FEEL_TRIPLETS
                                                            : FEEL_STRAIGHT;
}

/* ---- metre ---- */

/* How much begins at each eighth: loud, long and low notes count for more, and so do bass drum and crash. */
static int accents(const struct song *s, float strength[MAX_EIGHTHS])
{
    int n = 0;
    memset(strength, 0, MAX_EIGHTHS * sizeof *strength);
    for (size_t i = 0; i < s->n_tracks; i++) {
        const struct track *t = &s->tracks[i];
        for (size_t k = 0; k < t->n; k++) {
            const struct note *note = &t->notes[k];
            int at = (note->tick + EIGHTH / 2) / EIGHTH, p = note->pitch;
            if (at >= MAX_EIGHTHS || !near(note->tick, EIGHTH))
                continue;
            double weight = note->vel / 64.0;
            if (t->role == ROLE_DRUMS)
                weight *= p == 35 || p == 36 || p == 49 || p == 57 ? 3 : 1;
            else
                weight *= (p < 48 ? 2 : 1) * (1 + (note->dur < 960 ? note->dur : 960) / 480.0);
            strength[at] += (float)weight;
            n = at + 1 > n ? at + 1 : n;
        }
    }
    return n;
}

static double repeats(const float *x, int n, int lag)
{
    double mean = 0, same = 0, all = 0;
    for (int i = 0; i < n; i++)
        mean += x[i] / n;
    for (int i = 0; i < n; i++)
        all += (x[i] - mean) * (x[i] - mean);
    for (int i = 0; i + lag < n; i++)
        same += (x[i] - mean) * (x[i + lag] - mean);
    return all > 0 ? same / all * n / (n - lag) : 0;
}

/* Six eighths are 3/4, or 6/8 when they fall into threes. Another metre than 4/4 has to be clearly ahead. */
static void hear_metre(const struct song *s, struct beat *b)
{
    static const struct { int lag, num, den; } metres[] = {{8, 4, 4}, {6, 3, 4}, {7, 7, 8}, {10, 5, 4}};
    static const double CLEAR = 0.35, AHEAD = 0.15;
    float strength[MAX_EIGHTHS];
    int n = accents(s, strength), best = 0;
    double score[COUNT_OF(metres)];
    for (size_t i = 0; i < COUNT_OF(metres); i++) {
        score[i] = n >= 4 * metres[i].lag ? repeats(strength, n, metres[i].lag) : 0;
        best = score[i] > score[best] ? (int)i : best;
    }
    if (score[best] < CLEAR || b->feel == FEEL_FREE || (best > 0 && score[best] < score[0] + AHEAD))
        return;
    b->num = metres[best].num;
    b->den = metres[best].den;
    if (metres[best].lag == 6 && repeats(strength, n, 3) > repeats(strength, n, 2)) {
        b->num = 6;
        b->den = 8;
    }
}

struct beat beat_hear(const struct song *s)
{
    struct beat b = {0};
    struct onsets o = onsets_of(s);
    hear_fit(s, &b);
    hear_grid(&o, &b);
    hear_metre(s, &b);
    free(o.at);
    return b;
}

void beat_describe(const struct beat *b, struct str *out)
{
    int on = (int)lround(100 * b->sixteenths), third = (int)lround(100 * b->triplets);
    switch (b->feel) {
    case FEEL_FREE:
        str_add(out, "a free performance: its notes keep to no beat");
        return;
    case FEEL_SWING:
        str_addf(out, "swung eighths, the second at %.0f %% of the beat", 100 * b->swing);
        break;
    case FEEL_TRIPLETS:
        str_addf(out, "%d %% on sixteenths, %d %% on triplets", on, third);
        break;
    case FEEL_STRAIGHT:
        str_addf(out, "%d %% on sixteenths", on);
        if (third > 0)
            str_addf(out, ", %d %% on triplets", third);
        break;
    }
    if (lround(100 * b->off) > 0)
        str_addf(out, ", %ld %% off the grid", lround(100 * b->off));
}
