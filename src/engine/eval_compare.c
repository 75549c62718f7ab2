/* eval_compare.c: several models measured on the same phrases, side by side. */
#include <math.h>
#include "eval_parts.h"

struct columns { const struct eval *const *e; size_t n; int mode; struct str *out; int *missed; };

static const struct eval_pair *all_of(const struct columns *c, size_t i)
{
    return &c->e[i]->rows[c->e[i]->n_rows - 1].mode[c->mode];
}

/* The held-out music as the first model that was measured at all has it. */
static const struct eval_side *real_of(const struct columns *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->e[i]->mode[c->mode])
            return &all_of(c, i)->real;
    return NULL;
}

static void put_cell(const struct columns *c, size_t model, double value, int decimals, bool miss)
{
    if (!c->e[model]->mode[c->mode] || isnan(value))
        str_addf(c->out, " %13s", "-");
    else
        str_addf(c->out, " %12.*f%c", decimals, value, miss ? '!' : ' ');
    c->missed[model] += miss;
}

static void put_metric(const struct columns *c, const struct eval_column *col, enum role role)
{
    double real = metrics_get(&real_of(c)->metrics, col->metric, role);
    if (isnan(real))
        return;
    str_addf(c->out, "  %-6s %-13s %10.*f", metric_name(col->metric), role_name(role), col->decimals, real);
    for (size_t i = 0; i < c->n; i++) {
        double made = metrics_get(&all_of(c, i)->made.metrics, col->metric, role);
        put_cell(c, i, made, col->decimals, eval_misses(real, made, col->relative, col->aim));
    }
    str_addc(c->out, '\n');
}

static void put_distance(const struct columns *c, enum role a, enum role b)
{
    double real = metrics_td(&real_of(c)->metrics, a, b);
    char pair[32];
    if (isnan(real))
        return;
    str_format(pair, sizeof(pair), "%s-%s", role_name(a), role_name(b));
    str_addf(c->out, "  %-6s %-13s %10.2f", "TD", pair, real);
    for (size_t i = 0; i < c->n; i++) {
        double made = metrics_td(&all_of(c, i)->made.metrics, a, b);
        put_cell(c, i, made, 2, eval_misses(real, made, false, eval_td_aim));
    }
    str_addc(c->out, '\n');
}

/* Figures of a whole side; the held-out music's own stands before them. */
struct figure { const char *name; double (*of)(const struct eval_side *s); int decimals; };

static double in_key(const struct eval_side *s) { return eval_mean(s->in_key); }
static double diversity(const struct eval_side *s) { return eval_mean(s->diversity); }
static double memorised(const struct eval_side *s) { return eval_mean(s->memorised); }
static double recognised(const struct eval_side *s) { return eval_mean(s->recognised); }
static double tonal(const struct eval_side *s) { return eval_mean(s->tonal[0]); }
static double tonal_other(const struct eval_side *s) { return eval_mean(s->tonal[1]); }
static double together(const struct eval_side *s) { return eval_mean(s->together[0]); }
static double together_other(const struct eval_side *s) { return eval_mean(s->together[1]); }
static double empty(const struct eval_side *s) { return (double)s->empty; }
static double stuck(const struct eval_side *s) { return (double)s->stuck; }

static const struct figure figures[] = {
    { "in key of the kept", in_key, 1 }, { "diversity", diversity, 1 }, { "memorised", memorised, 1 },
    { "genre recognised", recognised, 1 }, { "TD to the kept", tonal, 2 }, { "  to another's", tonal_other, 2 },
    { "begin with the kept", together, 1 }, { "  with another's", together_other, 1 }, { "empty", empty, 0 },
    { "stuck", stuck, 0 },
};

static void put_figure(const struct columns *c, const struct figure *f)
{
    double real = f->of(real_of(c));
    if (isnan(real))
        return;
    str_addf(c->out, "  %-20s %10.*f", f->name, f->decimals, real);
    for (size_t i = 0; i < c->n; i++)
        put_cell(c, i, f->of(&all_of(c, i)->made), f->decimals, false);
    str_addc(c->out, '\n');
}

static void put_ends(const struct columns *c)
{
    str_addf(c->out, "  %-20s %10.2f", "Frechet (songs)", c->e[0]->frechet[c->mode].songs);
    for (size_t i = 0; i < c->n; i++)
        put_cell(c, i, c->e[i]->frechet[c->mode].made, 2, false);
    str_addf(c->out, "\n  %-20s %10s", "s a take", "");
    for (size_t i = 0; i < c->n; i++)
        put_cell(c, i, c->e[i]->seconds_per_take, 3, false);
    str_addf(c->out, "\n  %-20s %10s", "aims missed", "");
    for (size_t i = 0; i < c->n; i++)
        put_cell(c, i, c->missed[i], 0, false);
    str_addc(c->out, '\n');
}

enum { MAX_MODELS = 16 };

void eval_compare(const struct eval *const *e, const char *const *names, size_t n, struct str *out)
{
    BUG_ON(n > MAX_MODELS);
    for (int mode = 0; mode < N_EVAL_MODES; mode++) {
        int missed[MAX_MODELS] = { 0 };
        struct columns c = { e, n, mode, out, missed };
        if (!real_of(&c))
            continue;
        str_addf(out, "%s%s, %ld phrases\n  %-20s %10s", mode ? "\n" : "", eval_mode_name((enum eval_mode)mode),
                 real_of(&c)->n, "", eval_real_name(e[0]));
        for (size_t i = 0; i < n; i++)
            str_addf(out, " %12.12s ", names[i]);
        str_addc(out, '\n');
        for (size_t k = 0; k < n_eval_columns; k++)
            for (int r = 0; r < N_ROLES; r++)
                put_metric(&c, &eval_columns[k], (enum role)r);
        for (int a = ROLE_DRUMS + 1; a < N_ROLES; a++)
            for (int b = a + 1; b < N_ROLES; b++)
                put_distance(&c, (enum role)a, (enum role)b);
        for (size_t k = 0; k < COUNT_OF(figures); k++)
            put_figure(&c, &figures[k]);
        put_ends(&c);
    }
}
