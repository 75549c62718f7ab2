/* eval_sum.c: sides of a comparison taken together: all kept tracks, all genres. */
#include "eval_parts.h"

static void add_mean(struct eval_mean *to, struct eval_mean from)
{
    to->sum += from.sum;
    to->weight += from.weight;
}

static void add_metrics(struct metrics *to, const struct metrics *from)
{
    for (int m = 0; m < N_METRICS; m++)
        for (int r = 0; r < N_ROLES; r++) {
            to->sum[m][r] += from->sum[m][r];
            to->weight[m][r] += from->weight[m][r];
        }
    for (int a = 0; a < N_ROLES; a++)
        for (int b = 0; b < N_ROLES; b++) {
            to->td_sum[a][b] += from->td_sum[a][b];
            to->td_weight[a][b] += from->td_weight[a][b];
        }
    to->n_phrases += from->n_phrases;
}

static void add_side(struct eval_side *to, const struct eval_side *from)
{
    add_metrics(&to->metrics, &from->metrics);
    for (int f = 0; f < N_FORMS; f++)
        add_metrics(&to->published[f], &from->published[f]);
    add_mean(&to->in_key, from->in_key);
    add_mean(&to->diversity, from->diversity);
    add_mean(&to->memorised, from->memorised);
    add_mean(&to->recognised, from->recognised);
    for (int r = 0; r < N_ROLES; r++)
        add_mean(&to->memorised_track[r], from->memorised_track[r]);
    for (int other = 0; other < 2; other++) {
        add_mean(&to->tonal[other], from->tonal[other]);
        add_mean(&to->together[other], from->together[other]);
    }
    to->n += from->n;
    to->empty += from->empty;
    to->stuck += from->stuck;
}

static void add_pair(struct eval_pair *to, const struct eval_pair *from)
{
    add_side(&to->real, &from->real);
    add_side(&to->made, &from->made);
}

void eval_add_total(struct eval *out)
{
    struct eval_row *all = &out->rows[out->n_rows];
    str_copy(all->genre, sizeof(all->genre), "all");
    for (size_t i = 0; i < out->n_rows; i++) {
        struct eval_row *row = &out->rows[i];
        for (int r = 0; r < N_ROLES; r++) {
            add_pair(&row->mode[EVAL_ACCOMPANY], &row->kept[r]);
            add_pair(&all->kept[r], &row->kept[r]);
        }
        for (int m = 0; m < N_EVAL_MODES; m++)
            add_pair(&all->mode[m], &row->mode[m]);
    }
    out->n_rows++;
}
