/* eval_beside.c: published figures, and ours beside them. A row says how far a model of a paper was from its training
 * data; a cell of it is nearer than ours when that distance is smaller than ours to the real music. */
#include <math.h>
#include <string.h>
#include "eval_parts.h"

enum { MAX_CELLS = 20, MAX_ROWS = 12, PITCHED = N_ROLES, TD = N_METRICS };
#define NONE NAN

/* A metric of a role (PITCHED: of all pitched ones together), or tonal distance of two. */
struct cell { int metric, a, b; };
struct published { const char *name; double at[MAX_CELLS]; };

static const struct set {
    const char *name, *title;
    enum eval_mode mode;
    size_t n_cells;
    struct cell cells[MAX_CELLS];
    struct published data;          /* without a name: not known, our real music stands for it */
    struct published rows[MAX_ROWS];
} sets[] = {
#define MUSEGAN_CELLS \
    { { METRIC_EB, ROLE_BASS, 0 }, { METRIC_EB, ROLE_DRUMS, 0 }, { METRIC_EB, ROLE_GUITAR, 0 }, \
      { METRIC_EB, ROLE_PIANO, 0 }, { METRIC_EB, ROLE_STRINGS, 0 }, { METRIC_UPC, ROLE_BASS, 0 }, \
      { METRIC_UPC, ROLE_GUITAR, 0 }, { METRIC_UPC, ROLE_PIANO, 0 }, { METRIC_UPC, ROLE_STRINGS, 0 }, \
      { METRIC_QN, ROLE_BASS, 0 }, { METRIC_QN, ROLE_GUITAR, 0 }, { METRIC_QN, ROLE_PIANO, 0 }, \
      { METRIC_QN, ROLE_STRINGS, 0 }, { METRIC_DP, ROLE_DRUMS, 0 }, { TD, ROLE_BASS, ROLE_GUITAR }, \
      { TD, ROLE_BASS, ROLE_STRINGS }, { TD, ROLE_BASS, ROLE_PIANO }, { TD, ROLE_GUITAR, ROLE_STRINGS }, \
      { TD, ROLE_GUITAR, ROLE_PIANO }, { TD, ROLE_STRINGS, ROLE_PIANO } }
#define MUSEGAN_DATA \
    { "training", { 8.06, 8.06, 19.4, 24.8, 10.1, 1.71, 3.08, 3.28, 3.38, 90.0, 81.9, 88.4, 89.6, 88.6, \
                    1.57, 1.58, 1.51, 1.10, 1.02, 1.04 } }
    { "musegan", "MuseGAN (Dong et al. 2018), from scratch", EVAL_SCRATCH, 20, MUSEGAN_CELLS, MUSEGAN_DATA,
      { { "jamming", { 6.59, 2.33, 18.3, 22.6, 6.10, 1.53, 3.69, 4.13, 4.09, 71.5, 56.6, 62.2, 63.1, 93.2,
                       1.56, 1.60, 1.54, 1.05, .99, 1.05 } },
        { "composer", { 0.01, 28.9, 1.34, 0.02, 0.01, 2.51, 4.20, 4.89, 5.19, 49.5, 47.4, 49.9, 52.5, 75.3,
                        1.37, 1.36, 1.30, .95, .98, .91 } },
        { "hybrid", { 2.14, 29.7, 11.7, 17.8, 6.04, 2.35, 4.76, 5.45, 5.24, 44.6, 43.2, 45.5, 52.0, 71.3,
                      1.34, 1.35, 1.32, .85, .85, .83 } },
        { "ablated", { 92.4, 100, 12.5, 0.68, 0.00, 1.00, 2.88, 2.32, 4.72, 0.00, 22.8, 31.1, 26.2, 0.0,
                       NONE, NONE, NONE, NONE, NONE, NONE } } } },
    { "musegan", "MuseGAN (Dong et al. 2018), around the piano", EVAL_ACCOMPANY, 20, MUSEGAN_CELLS, MUSEGAN_DATA,
      { { "jamming", { 4.60, 3.47, 13.3, NONE, 3.44, 2.05, 3.79, NONE, 4.23, 73.9, 58.8, NONE, 62.3, 91.6,
                       1.51, 1.53, 1.50, 1.04, .95, 1.00 } },
        { "composer", { 0.65, 20.7, 1.97, NONE, 1.49, 2.51, 4.57, NONE, 5.10, 53.5, 48.4, NONE, 59.0, 84.5,
                        1.41, 1.36, 1.40, .96, 1.01, .95 } },
        { "hybrid", { 2.09, 4.53, 10.3, NONE, 4.05, 2.86, 4.43, NONE, 4.32, 43.3, 55.6, NONE, 67.1, 71.8,
                      1.39, 1.36, 1.38, .96, .94, .95 } } } },
    { "binary", "BinaryMuseGAN (Dong and Yang 2018)", EVAL_SCRATCH, 3,
      { { METRIC_QN, PITCHED, 0 }, { METRIC_PR, PITCHED, 0 }, { TD, ROLE_PIANO, ROLE_GUITAR } },
      { "training", { 88, 48, .96 } },
      { { "pre BS", { 67, 20, .98 } }, { "pre HT", { 72, 22, 1.00 } }, { "SBN", { 42, 26, .99 } },
        { "DBN", { 78, 45, .87 } }, { "joint SBN", { 18, 19, .95 } }, { "joint DBN", { 55, 19, 1.00 } },
        { "end SBN", { 67, 16, 1.40 } }, { "end DBN", { 28, 29, 1.10 } }, { "I BS", { 61, 19, 1.00 } },
        { "I HT", { 64, 20, 1.00 } }, { "II BS", { 35, 14, 1.30 } }, { "II HT", { 37, 14, 1.40 } } } },
#define BEATGAN_CELLS \
    { { METRIC_UPC, ROLE_PIANO, 0 }, { METRIC_UPC, ROLE_GUITAR, 0 }, { METRIC_UPC, ROLE_BASS, 0 }, \
      { METRIC_UPC, ROLE_STRINGS, 0 }, { METRIC_PR, ROLE_PIANO, 0 }, { METRIC_PR, ROLE_GUITAR, 0 }, \
      { METRIC_PR, ROLE_BASS, 0 }, { METRIC_PR, ROLE_STRINGS, 0 }, { METRIC_ISR, ROLE_PIANO, 0 }, \
      { METRIC_ISR, ROLE_GUITAR, 0 }, { METRIC_ISR, ROLE_BASS, 0 }, { METRIC_ISR, ROLE_STRINGS, 0 }, \
      { METRIC_DP, ROLE_DRUMS, 0 } }
    { "beatgan", "BeatGAN (2022), counted on its published samples", EVAL_SCRATCH, 13, BEATGAN_CELLS, { NULL, { 0 } },
      { { "pop HT", { 4.0, 3.6, 2.2, 3.4, 41, 29, 0, 45, 71, 71, 73, 72, 97.7 } },
        { "pop BS", { 6.5, 6.1, 5.0, 5.5, 44, 31, 1, 45, 70, 69, 72, 71, 78.0 } },
        { "country", { 4.6, 4.9, 3.9, 5.0, 30, 32, 7, 46, 76, 86, 83, 78, 78.6 } },
        { "electronic", { 4.8, 6.0, 5.4, 6.1, 2, 3, 3, 4, 54, 53, 53, 63, 51.4 } } } },
    { "beatgan", "BeatGAN (2022), around the piano, counted on its published samples", EVAL_ACCOMPANY, 13, BEATGAN_CELLS,
      { NULL, { 0 } },
      { { "jamming", { NONE, 2.6, 1.7, 3.2, NONE, 4, 0, 54, NONE, 89, 100, 86, 100 } } } },
};

static double value(const struct metrics *m, const struct cell *c)
{
    double sum = 0, weight = 0;
    if (c->metric == TD)
        return metrics_td(m, (enum role)c->a, (enum role)c->b);
    if (c->a != PITCHED)
        return metrics_get(m, (enum metric)c->metric, (enum role)c->a);
    for (int r = ROLE_DRUMS + 1; r < N_ROLES; r++) {
        sum += m->sum[c->metric][r];
        weight += m->weight[c->metric][r];
    }
    return weight > 0 ? sum / weight : NAN;
}

/* Ours beside one set. */
struct beside {
    const struct set *set;
    double real[MAX_CELLS], made[MAX_CELLS];
    const char *real_name;
    size_t n_rows;
};

static double target(const struct beside *b, size_t i)
{
    return b->set->data.name ? b->set->data.at[i] : b->real[i];
}

/* -1 the published row is nearer to its data, 1 ours is, 0 there is no such figure. A track that ours leaves silent
 * throughout, and real music does not, is lost. */
static int verdict(const struct beside *b, const struct published *row, size_t i)
{
    double theirs = fabs(row->at[i] - target(b, i)), ours = fabs(b->made[i] - b->real[i]);
    if (isnan(theirs) || isnan(b->real[i]))
        return 0;
    return ours < theirs ? 1 : -1;
}

static void put_cell(const struct beside *b, size_t i, struct str *out)
{
    const struct cell *c = &b->set->cells[i];
    char name[40];
    if (c->metric == TD)
        str_format(name, sizeof name, "TD %s-%s", role_name((enum role)c->a), role_name((enum role)c->b));
    else
        str_format(name, sizeof name, "%s %s", metric_name((enum metric)c->metric),
                   c->a == PITCHED ? "pitched" : role_name((enum role)c->a));
    str_addf(out, "  %-18s %8.2f %8.2f", name, b->real[i], b->made[i]);
    if (b->set->data.name)
        str_addf(out, " | %8.2f", b->set->data.at[i]);
    for (size_t r = 0; r < b->n_rows; r++) {
        double theirs = b->set->rows[r].at[i];
        if (isnan(theirs))
            str_addf(out, " %10s", "-");
        else
            str_addf(out, " %9.2f%c", theirs, verdict(b, &b->set->rows[r], i) < 0 ? '*' : ' ');
    }
    str_addc(out, '\n');
}

static void put_rows(const struct beside *b, struct str *out, struct eval_score *score)
{
    for (size_t r = 0; r < b->n_rows; r++) {
        int nearer = 0, cells = 0, by[N_METRICS + 1] = { 0 }, of[N_METRICS + 1] = { 0 };
        for (size_t i = 0; i < b->set->n_cells; i++) {
            int v = verdict(b, &b->set->rows[r], i), m = b->set->cells[i].metric;
            nearer += v > 0;
            cells += v != 0;
            by[m] += v > 0;
            of[m] += v != 0;
        }
        if (cells == 0)
            continue;
        str_addf(out, "  nearer than %-10s on %d of %d cells, %.0f %%:", b->set->rows[r].name, nearer, cells,
                 100.0 * nearer / cells);
        for (int m = 0; m <= N_METRICS; m++)
            if (of[m] > 0)
                str_addf(out, " %s %d/%d", m == TD ? "TD" : metric_name((enum metric)m), by[m], of[m]);
        str_addc(out, '\n');
        if (score->cells == 0 || nearer * score->cells < score->nearer * cells) {
            score->nearer = nearer;
            score->cells = cells;
            str_copy(score->row, sizeof score->row, b->set->rows[r].name);
        }
    }
}

static void put_set(const struct eval *e, const struct set *set, struct str *out, struct eval_score *score)
{
    const struct eval_pair *all = &e->rows[e->n_rows - 1].mode[set->mode];
    struct beside b = { .set = set, .real_name = eval_real_name(e) };
    for (size_t i = 0; i < set->n_cells; i++) {
        b.real[i] = value(&all->real.metrics, &set->cells[i]);
        b.made[i] = value(&all->made.metrics, &set->cells[i]);
    }
    while (b.n_rows < MAX_ROWS && set->rows[b.n_rows].name)
        b.n_rows++;
    str_addf(out, "\n%s; '*' marks what is nearer to %s than ours to the %s music\n  %-18s %8s %8s", set->title,
             set->data.name ? "its training data" : "our real music", b.real_name, "", b.real_name, "ours");
    if (set->data.name)
        str_addf(out, " | %8s", set->data.name);
    for (size_t r = 0; r < b.n_rows; r++)
        str_addf(out, " %9.9s ", set->rows[r].name);
    str_addc(out, '\n');
    for (size_t i = 0; i < set->n_cells; i++)
        put_cell(&b, i, out);
    put_rows(&b, out, score);
}

enum err eval_beside(const struct eval *e, const char *name, struct str *out, struct eval_score *score)
{
    bool known = false;
    *score = (struct eval_score){ 0 };
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        if (strcmp(sets[i].name, name) != 0)
            continue;
        known = true;
        if (e->mode[sets[i].mode])
            put_set(e, &sets[i], out, score);
    }
    return known ? ERR_OK : err_set(ERR_MISSING, "there are no published figures \"%.40s\"", name);
}
