/* eval_report.c: an evaluation as a table for people and as JSON. The aims are one table here. */
#include <jansson.h>
#include <math.h>
#include "eval.h"

/* How far a made value may lie from the real one; UPC by a share of it, the rest by points. */
static const struct column {
    enum metric metric;
    bool relative;
    double aim;             /* 0: shown without judgement */
    int decimals;
} columns[] = {
    { METRIC_EB, false, 5, 0 }, { METRIC_UPC, true, 0.15, 1 }, { METRIC_UP, false, 0, 1 }, { METRIC_QN, false, 10, 0 },
    { METRIC_PR, false, 10, 0 }, { METRIC_ISR, false, 0, 0 }, { METRIC_DP, false, 10, 0 }, { METRIC_NOTES, false, 0, 0 },
};
static const double td_aim = 0.1, memorised_aim = 5;

/* ---- table ---- */

static bool misses(double real, double made, bool relative, double aim)
{
    if (aim == 0 || isnan(real) || isnan(made))
        return false;
    return fabs(made - real) > (relative ? aim * real : aim);
}

static void put_pair(struct str *out, double real, double made, int decimals, bool miss)
{
    if (isnan(real) && isnan(made))
        str_addf(out, " %*s", 11, "");
    else
        str_addf(out, " %4.*f %5.*f%c", decimals, real, decimals, made, miss ? '!' : ' ');
}

static void put_tracks(struct str *out, const struct eval_pair *p)
{
    for (int r = 0; r < N_ROLES; r++) {
        str_addf(out, "  %-8s", role_name((enum role)r));
        for (size_t c = 0; c < COUNT_OF(columns); c++) {
            double real = metrics_get(&p->real.metrics, columns[c].metric, (enum role)r);
            double made = metrics_get(&p->made.metrics, columns[c].metric, (enum role)r);
            put_pair(out, real, made, columns[c].decimals, misses(real, made, columns[c].relative, columns[c].aim));
        }
        str_addc(out, '\n');
    }
}

static void put_distances(struct str *out, const struct eval_pair *p)
{
    str_add(out, "  tonal distance");
    for (int a = ROLE_DRUMS + 1; a < N_ROLES; a++)
        for (int b = a + 1; b < N_ROLES; b++) {
            double real = metrics_td(&p->real.metrics, (enum role)a, (enum role)b);
            double made = metrics_td(&p->made.metrics, (enum role)a, (enum role)b);
            if (!isnan(real) || !isnan(made))
                str_addf(out, "  %c-%c %.2f %.2f%s", role_name((enum role)a)[0], role_name((enum role)b)[0], real, made,
                         misses(real, made, false, td_aim) ? "!" : "");
        }
    str_addc(out, '\n');
}

static void put_share(struct str *out, const char *what, struct eval_mean real, struct eval_mean made, bool miss)
{
    if (real.weight > 0 || made.weight > 0)
        str_addf(out, "  %s %.1f %.1f%s", what, eval_mean(real), eval_mean(made), miss ? "!" : "");
}

static void put_shares(struct str *out, const struct eval_pair *p)
{
    const struct eval_side *r = &p->real, *m = &p->made;
    put_share(out, "in key", r->in_key, m->in_key, eval_mean(m->in_key) < eval_mean(r->in_key));
    put_share(out, "diversity", r->diversity, m->diversity, false);
    put_share(out, "memorised", r->memorised, m->memorised, eval_mean(m->memorised) > memorised_aim);
    put_share(out, "recognised", r->recognised, m->recognised, false);
    str_addf(out, "  empty %ld of %ld, %ld of %ld\n", r->empty, r->n, m->empty, m->n);
    str_add(out, "  memorised by track ");
    for (int t = 0; t < N_ROLES; t++)
        put_share(out, role_name((enum role)t), r->memorised_track[t], m->memorised_track[t], false);
    str_addc(out, '\n');
}

void eval_table(const struct eval *e, struct str *out)
{
    str_add(out, "In each pair the held-out music comes first, then the model's; '!' marks what misses its aim.\n");
    for (int mode = 0; mode < N_EVAL_MODES; mode++) {
        if (!e->mode[mode])
            continue;
        for (size_t i = 0; i < e->n_rows; i++) {
            const struct eval_pair *p = &e->rows[i].mode[mode];
            str_addf(out, "\n%s, %s: %ld phrases, %ld takes\n  %-8s", eval_mode_name((enum eval_mode)mode),
                     e->rows[i].genre, p->real.n, p->made.n, "");
            for (size_t c = 0; c < COUNT_OF(columns); c++)
                str_addf(out, " %10s ", metric_name(columns[c].metric));
            str_addc(out, '\n');
            put_tracks(out, p);
            put_distances(out, p);
            put_shares(out, p);
        }
    }
    str_addf(out, "\nThe judge names the genre of %.0f %% of all held-out phrases, every genre weighing the same "
             "(chance %.0f %%). %.3f s a take.\n", e->classifier, e->chance, e->seconds_per_take);
}

/* ---- JSON ---- */

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *side_json(const struct eval_side *s)
{
    json_t *o = json_object(), *tracks = json_object(), *td = json_object();
    char pair[32];

    for (int r = 0; r < N_ROLES; r++) {
        json_t *t = json_object();
        for (int m = 0; m < N_METRICS; m++)
            json_object_set_new(t, metric_name((enum metric)m), number(metrics_get(&s->metrics, (enum metric)m, (enum role)r)));
        json_object_set_new(t, "memorised", number(eval_mean(s->memorised_track[r])));
        json_object_set_new(tracks, role_name((enum role)r), t);
    }
    for (int a = ROLE_DRUMS + 1; a < N_ROLES; a++)
        for (int b = a + 1; b < N_ROLES; b++) {
            str_format(pair, sizeof(pair), "%s-%s", role_name((enum role)a), role_name((enum role)b));
            json_object_set_new(td, pair, number(metrics_td(&s->metrics, (enum role)a, (enum role)b)));
        }
    json_object_set_new(o, "tracks", tracks);
    json_object_set_new(o, "tonal_distance", td);
    json_object_set_new(o, "in_key", number(eval_mean(s->in_key)));
    json_object_set_new(o, "diversity", number(eval_mean(s->diversity)));
    json_object_set_new(o, "memorised", number(eval_mean(s->memorised)));
    json_object_set_new(o, "recognised", number(eval_mean(s->recognised)));
    json_object_set_new(o, "phrases", json_integer(s->n));
    json_object_set_new(o, "empty", json_integer(s->empty));
    return o;
}

struct json_t *eval_json(const struct eval *e)
{
    json_t *o = json_object();
    for (int mode = 0; mode < N_EVAL_MODES; mode++) {
        json_t *genres = json_object();
        for (size_t i = 0; i < e->n_rows && e->mode[mode]; i++) {
            json_t *pair = json_object();
            json_object_set_new(pair, "real", side_json(&e->rows[i].mode[mode].real));
            json_object_set_new(pair, "made", side_json(&e->rows[i].mode[mode].made));
            json_object_set_new(genres, e->rows[i].genre, pair);
        }
        json_object_set_new(o, eval_mode_name((enum eval_mode)mode), genres);
    }
    json_object_set_new(o, "classifier", number(e->classifier));
    json_object_set_new(o, "chance", number(e->chance));
    json_object_set_new(o, "seconds_per_take", number(e->seconds_per_take));
    return o;
}
