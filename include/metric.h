/* metric.h: objective measures of rolls with the correct definitions: MuseGAN (Dong et al., AAAI-18)
 * and BinaryMuseGAN (Dong and Yang, ISMIR-18). All are accumulated over many 4-bar phrases and then
 * averaged, bar by bar. A metric that nothing was measured for is NaN: QN, PR, ISR and UPC leave drums out,
 * DP is theirs alone. */
#pragma once
#include "err.h"
#include "role.h"
struct roll;

enum metric {
    METRIC_EB,  /* % empty bars */
    METRIC_UPC, /* used pitch classes a non-empty bar, 0..12 (pitch mod 12) */
    METRIC_UP,  /* used pitches a non-empty bar */
    METRIC_QN,  /* % of notes at least a 32nd long: >= 3 steps of 96, >= 2 of 48; notes by onset, cut at the bar */
    METRIC_PR,  /* % of steps of non-empty bars with more than two pitches sounding */
    METRIC_ISR, /* % of cells inside the key's scale */
    METRIC_DP,  /* % of drum onsets on the 16th grid, near misses in part (8th grid at 16 steps a bar) */
    METRIC_NOTES, /* notes a non-empty bar */
    N_METRICS
};
const char *metric_name(enum metric m);

struct metrics {                       /* accumulators; zero-initialise */
    double sum[N_METRICS][N_ROLES], weight[N_METRICS][N_ROLES];
    double td_sum[N_ROLES][N_ROLES], td_weight[N_ROLES][N_ROLES]; /* tonal distance, pairs of pitched tracks */
    long n_phrases;
};
/* Add one band roll (5 tracks, bar_steps 48 or 96 or 16). scale: bit set of in-scale pitch classes, 0 = C major. */
void metrics_add(struct metrics *m, const struct roll *r, unsigned scale);
/* The same for some tracks only: bit 1 << role. Tonal distance is taken of pairs with at least one of them. */
void metrics_add_tracks(struct metrics *m, const struct roll *r, unsigned scale, unsigned tracks);
/* The same names as the originals' own code counts them, mistakes included: what published tables may have been made
 * with. Of a band roll of at most 84 rows. Pitch classes are the row over 7 (V1, SRC) or 8 (V2), so neighbours and not
 * octaves; two pitches are a chord (V1, V2); the rest is said in metric_published.c. At 48 steps a bar QN is 100 by
 * V1 and V2, whose 32nds are two steps of 96. */
enum metric_form { FORM_V1, FORM_V2, FORM_SRC, N_FORMS };
const char *metric_form_name(enum metric_form f);
void metrics_add_published(struct metrics *m, const struct roll *r, enum metric_form form, unsigned tracks);
double metrics_get(const struct metrics *m, enum metric which, enum role track);
double metrics_td(const struct metrics *m, enum role a, enum role b); /* Harte et al. 2006, beats where both sound */

struct song;
/* Share of the pitched notes of `before` that begin in a span of bars and that `after` has as well: the same track,
 * pitch and onset. NaN when there are none. */
double notes_kept(const struct song *before, const struct song *after, int bar0, int n_bars);
