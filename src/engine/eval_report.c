/* eval_report.c: an evaluation as a table for people and as JSON. The aims are one table here. */
#include <jansson.h>
#include <math.h>
#include "eval_parts.h"

/* How far a made value may lie from the real one; UPC by a share of it, the rest by points. */
const struct eval_column eval_columns[] = {
    { METRIC_EB, false, 5, 0 }, { METRIC_UPC, true, 0.15, 1 }, { METRIC_UP, false, 0, 1 }, { METRIC_QN, false, 10, 0 },
    { METRIC_PR, false, 10, 0 }, { METRIC_ISR, false, 0, 0 }, { METRIC_DP, false, 10, 0 }, { METRIC_NOTES, false, 0, 0 },
};
const size_t n_eval_columns = COUNT_OF(eval_columns);
const double eval_td_aim = 0.1;
static const double memorised_aim = 5;

/* ---- table ---- */

bool eval_misses(double real, double made, bool relative, double aim)
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

static void put_tracks(struct str *out, const char *name, const struct metrics *real, const struct metrics *made,
                       bool judged)
{
    str_addf(out, "  %-8s", name);
    for (size_t c = 0; c < n_eval_columns; c++)
        str_addf(out, " %10s ", metric_name(eval_columns[c].metric));
    str_addc(out, '\n');
    for (int r = 0; r < N_ROLES; r++) {
        str_addf(out, "  %-8s", role_name((enum role)r));
        for (size_t i = 0; i < n_eval_columns; i++) {
            const struct eval_column *c = &eval_columns[i];
            double x = metrics_get(real, c->metric, (enum role)r), y = metrics_get(made, c->metric, (enum role)r);
            put_pair(out, x, y, c->decimals, judged && eval_misses(x, y, c->relative, c->aim));
        }
        str_addc(out, '\n');
    }
}

static void put_distances(struct str *out, const struct metrics *real, const struct metrics *made, bool judged)
{
    bool any = false;
    for (int a = ROLE_DRUMS + 1; a < N_ROLES; a++)
        for (int b = a + 1; b < N_ROLES; b++) {
            double x = metrics_td(real, (enum role)a, (enum role)b), y = metrics_td(made, (enum role)a, (enum role)b);
            if (isnan(x) && isnan(y))
                continue;
            str_addf(out, "%s  %c-%c %.2f %.2f%s", any ? "" : "  tonal distance", role_name((enum role)a)[0],
                     role_name((enum role)b)[0], x, y, judged && eval_misses(x, y, false, eval_td_aim) ? "!" : "");
            any = true;
        }
    if (any)
        str_addc(out, '\n');
}

static void put_metrics(struct str *out, const struct eval_pair *p, bool published)
{
    put_tracks(out, "", &p->real.metrics, &p->made.metrics, true);
    put_distances(out, &p->real.metrics, &p->made.metrics, true);
    for (int f = 0; f < N_FORMS && published; f++) {
        put_tracks(out, metric_form_name((enum metric_form)f), &p->real.published[f], &p->made.published[f], false);
        put_distances(out, &p->real.published[f], &p->made.published[f], false);
    }
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
    str_addf(out, "  empty %ld of %ld, %ld of %ld  stuck %ld, %ld\n", r->empty, r->n, m->empty, m->n, r->stuck, m->stuck);
    str_add(out, "  memorised by track ");
    for (int t = 0; t < N_ROLES; t++)
        put_share(out, role_name((enum role)t), r->memorised_track[t], m->memorised_track[t], false);
    str_addc(out, '\n');
}

/* By kept track: does the rest go with it more than with another song's? */
static void put_conditions(struct str *out, const struct eval_row *row)
{
    str_addf(out, "  %-8s %31s   %31s\n", "kept", "tonal distance (another's)", "% beginning together (another's)");
    for (int r = 0; r < N_ROLES; r++) {
        const struct eval_side *x = &row->kept[r].real, *y = &row->kept[r].made;
        if (y->n == 0)
            continue;
        str_addf(out, "  %-8s", role_name((enum role)r));
        if (r == ROLE_DRUMS)
            str_addf(out, " %31s", "");
        else
            str_addf(out, "  %6.2f (%5.2f)  %6.2f (%5.2f)", eval_mean(x->tonal[0]), eval_mean(x->tonal[1]),
                     eval_mean(y->tonal[0]), eval_mean(y->tonal[1]));
        str_addf(out, "   %6.1f (%5.1f)  %6.1f (%5.1f)\n", eval_mean(x->together[0]), eval_mean(x->together[1]),
                 eval_mean(y->together[0]), eval_mean(y->together[1]));
    }
}

const char *eval_real_name(const struct eval *e)
{
    return e->training ? "training" : "held-out";
}

void eval_table(const struct eval *e, bool published, struct str *out)
{
    str_addf(out, "In each pair the %s music comes first, then the model's; '!' marks what misses its aim.\n",
             eval_real_name(e));
    if (published)
        str_add(out, "v1, v2, src: as the code of MuseGAN's three generations counts, for comparison with its tables only.\n");
    for (int mode = 0; mode < N_EVAL_MODES; mode++) {
        if (!e->mode[mode])
            continue;
        for (size_t i = 0; i < e->n_rows; i++) {
            const struct eval_pair *p = &e->rows[i].mode[mode];
            str_addf(out, "\n%s, %s: %ld phrases, %ld takes\n", eval_mode_name((enum eval_mode)mode), e->rows[i].genre,
                     p->real.n, p->made.n);
            put_metrics(out, p, published && i == e->n_rows - 1);
            put_shares(out, p);
            if (mode == EVAL_ACCOMPANY)
                put_conditions(out, &e->rows[i]);
        }
        str_addf(out, "  Frechet distance to the %s phrases %.2f; of as many other training phrases %.2f\n",
                 eval_real_name(e), e->frechet[mode].made, e->frechet[mode].songs);
    }
    str_addf(out, "\nThe judge names the genre of %.0f %% of all held-out phrases, every genre weighing the same "
             "(chance %.0f %%). %.3f s a take.\n", e->classifier, e->chance, e->seconds_per_take);
}

/* ---- JSON ---- */

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *metrics_json(const struct metrics *m, const struct eval_mean memorised[N_ROLES])
{
    json_t *tracks = json_object(), *td = json_object();
    char pair[32];

    for (int r = 0; r < N_ROLES; r++) {
        json_t *t = json_object();
        for (int k = 0; k < N_METRICS; k++)
            json_object_set_new(t, metric_name((enum metric)k), number(metrics_get(m, (enum metric)k, (enum role)r)));
        if (memorised)
            json_object_set_new(t, "memorised", number(eval_mean(memorised[r])));
        json_object_set_new(tracks, role_name((enum role)r), t);
    }
    for (int a = ROLE_DRUMS + 1; a < N_ROLES; a++)
        for (int b = a + 1; b < N_ROLES; b++) {
            str_format(pair, sizeof(pair), "%s-%s", role_name((enum role)a), role_name((enum role)b));
            json_object_set_new(td, pair, number(metrics_td(m, (enum role)a, (enum role)b)));
        }
    return json_pack("{s:o, s:o}", "tracks", tracks, "tonal_distance", td);
}

static json_t *side_json(const struct eval_side *s)
{
    json_t *o = metrics_json(&s->metrics, s->memorised_track), *published = json_object();
    for (int f = 0; f < N_FORMS; f++)
        json_object_set_new(published, metric_form_name((enum metric_form)f), metrics_json(&s->published[f], NULL));
    json_object_set_new(o, "published", published);
    json_object_set_new(o, "in_key", number(eval_mean(s->in_key)));
    json_object_set_new(o, "diversity", number(eval_mean(s->diversity)));
    json_object_set_new(o, "memorised", number(eval_mean(s->memorised)));
    json_object_set_new(o, "recognised", number(eval_mean(s->recognised)));
    json_object_set_new(o, "phrases", json_integer(s->n));
    json_object_set_new(o, "empty", json_integer(s->empty));
    json_object_set_new(o, "stuck", json_integer(s->stuck));
    return o;
}

static json_t *condition_json(const struct eval_side *s)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "tonal", number(eval_mean(s->tonal[0])), "tonal_other",
                     number(eval_mean(s->tonal[1])), "together", number(eval_mean(s->together[0])), "together_other",
                     number(eval_mean(s->together[1])));
}

static json_t *conditions_json(const struct eval_row *row)
{
    json_t *o = json_object();
    for (int r = 0; r < N_ROLES; r++)
        if (row->kept[r].made.n > 0)
            json_object_set_new(o, role_name((enum role)r), json_pack("{s:o, s:o}", "real", condition_json(&row->kept[r].real),
                                                                      "made", condition_json(&row->kept[r].made)));
    return o;
}

struct json_t *eval_json(const struct eval *e)
{
    json_t *o = json_object(), *frechet = json_object();
    for (int mode = 0; mode < N_EVAL_MODES; mode++) {
        json_t *genres = json_object();
        for (size_t i = 0; i < e->n_rows && e->mode[mode]; i++) {
            json_t *pair = json_object();
            json_object_set_new(pair, "real", side_json(&e->rows[i].mode[mode].real));
            json_object_set_new(pair, "made", side_json(&e->rows[i].mode[mode].made));
            if (mode == EVAL_ACCOMPANY)
                json_object_set_new(pair, "kept", conditions_json(&e->rows[i]));
            json_object_set_new(genres, e->rows[i].genre, pair);
        }
        json_object_set_new(frechet, eval_mode_name((enum eval_mode)mode),
                            json_pack("{s:o, s:o}", "made", number(e->frechet[mode].made), "songs",
                                      number(e->frechet[mode].songs)));
        json_object_set_new(o, eval_mode_name((enum eval_mode)mode), genres);
    }
    json_object_set_new(o, "frechet", frechet);
    json_object_set_new(o, "classifier", number(e->classifier));
    json_object_set_new(o, "chance", number(e->chance));
    json_object_set_new(o, "seconds_per_take", number(e->seconds_per_take));
    return o;
}
