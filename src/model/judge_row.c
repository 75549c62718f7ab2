/* judge_row.c: the judge's row in the registry, and how well it judges: genre by genre and pair by pair, through more
 * and more noise. */
#include <stdlib.h>
#include <string.h>
#include "judge_row.h"
#include "kinds.h"
#include "mem.h"
#include "phrase.h"
#include "transfer.h"

const struct opt judge_options[] = {
    { "genres", 0, OPT_TEXT, 0, 0, "", NULL, "A-B-...", "the genres to tell apart; default: all of the data" },
    { "width", 0, OPT_INT, 4, 256, "64", NULL, "N", "channels of the first layer" },
    { "noise", 0, OPT_REAL, 0, 10, "0", NULL, "X", "deviation of noise on the cells in training" },
    { "transpose", 0, OPT_INT, 0, 12, "6", NULL, "N", "semitones a phrase may move up or down" },
    { "lr", 0, OPT_REAL, 0, 1, "0.0002", NULL, "X", "learning rate" },
    { "hold", 0, OPT_REAL, 0, 1, "0.1", NULL, "X", "share of the run before it begins to fall to nothing" },
    { "beta1", 0, OPT_REAL, 0, 0.9999, "0.5", NULL, "X", "momentum of Adam" },
    { "batch", 0, OPT_INT, 1, 4096, "16", NULL, "N", "phrases a batch" },
    { "seed", 0, OPT_INT, 0, 2147483647, "1", NULL, "N", "seed of the weights and of the order of the data" },
};
const size_t n_judge_options = COUNT_OF(judge_options);

static int nets(const struct opts *o, struct model_net *out, int cap)
{
    if (cap < 1)
        return 0;
    struct params *p = params_new();
    judge_declare(p, o ? (int)opts_int(o, "width") : 64, 2);
    out[0] = (struct model_net){ "judge of two genres", params_count(p) };
    params_free(p);
    return 1;
}

static enum err open_model(struct device *d, const struct ckpt *weights, struct model **out)
{
    struct judge *j;
    TRY(judge_load(d, weights, &j));
    *out = xcalloc(1, sizeof **out);
    (*out)->judge = j;
    return ERR_OK;
}

static void close_model(struct model *m)
{
    if (!m)
        return;
    judge_free(m->judge);
    judge_trainer_free(m->trainer);
    free(m);
}

static enum err run(struct model *m, const struct request *rq, const struct progress *p)
{
    (void)m;
    (void)p;
    return err_set(ERR_UNSUPPORTED, "a judge of genres does not %s", verb_name(rq->verb));
}

static int n_genres(const struct model *m)
{
    return m->judge->n_genres;
}

static const char *genre(const struct model *m, int i)
{
    return m->judge->genre[i];
}

/* The mean over the phrases that sound, of those genres only. */
static enum err judge(struct model *m, const struct song *s, int bar0, int n_bars, const int *genres, int n, double *out)
{
    uint8_t *grids = NULL;
    int n_grids = 0, width = m->judge->n_genres;
    TRY(transfer_grids(s, bar0, n_bars, &grids, &n_grids));
    float *p = xcalloc((size_t)n_grids * (size_t)width, sizeof *p);
    enum err err = judge_run(m->judge, grids, n_grids, 0, 0, p);
    memset(out, 0, (size_t)n * sizeof *out);
    for (int i = 0; i < n_grids && err == ERR_OK; i++) {
        double all = 1e-30;
        for (int k = 0; k < n; k++)
            all += p[i * width + genres[k]];
        for (int k = 0; k < n; k++)
            out[k] += p[i * width + genres[k]] / all / n_grids;
    }
    free(p);
    free(grids);
    return err;
}

/* ---- measuring ---- */

static const double noises[] = { 0, 0.01, 0.1, 0.2, 0.3, 0.5 };

/* p [genre][n][genre]: what the judge says of n phrases of each genre. */
struct verdicts { int n, genres; float *p; };

static const float *verdict(const struct verdicts *v, int genre, int i)
{
    return v->p + ((size_t)genre * (size_t)v->n + (size_t)i) * (size_t)v->genres;
}

static enum err ask(struct judge *j, const struct dataset *d, bool held_out, double noise,
                    const struct measure_opts *o, struct verdicts *v)
{
    uint8_t *grids = xcalloc((size_t)v->n * GRID_CELLS, 1);
    enum err err = ERR_OK;
    for (int g = 0; g < v->genres && err == ERR_OK; g++) {
        struct grid_set set = { 0 };
        err = grid_set_init(&set, d, j->genre[g], held_out);
        if (err == ERR_OK && set.n == 0)
            err = err_set(ERR_EMPTY, "the data has no %s phrases of %s", held_out ? "held-out" : "training", j->genre[g]);
        for (int i = 0; i < v->n && err == ERR_OK; i++)
            grid_set_at(&set, i, v->n, grids + (size_t)i * GRID_CELLS);
        if (err == ERR_OK)
            err = judge_run(j, grids, v->n, noise, rng_hash(o->seed, (uint64_t)g), (float *)verdict(v, g, 0));
        grid_set_fini(&set);
    }
    free(grids);
    return err;
}

/* Share of right answers in per cent when only genres a and b are in question; a < 0: all of them. */
static double right(const struct verdicts *v, int a, int b)
{
    long hits = 0, asked = 0;
    for (int g = 0; g < v->genres; g++)
        for (int i = 0; i < v->n; i++) {
            const float *p = verdict(v, g, i);
            if (a >= 0 && g != a && g != b)
                continue;
            asked++;
            hits += a < 0 ? judge_likeliest(p, v->genres) == g : p[g] >= p[g == a ? b : a];
        }
    return 100.0 * (double)hits / (double)asked;
}

static void add_row(struct measures *out, const char *what, double noise, double held, double trained)
{
    char name[64];
    str_format(name, sizeof name, "%s, noise %g: right (%%)", what, noise);
    measures_add(out, name, held, "training", trained);
}

/* Pair by pair as long as that can be read. */
static void add_rows(const struct judge *j, double noise, const struct verdicts *held, const struct verdicts *trained,
                     struct measures *out)
{
    enum { FEW = 4 };
    char pair[2 * JUDGE_NAME + 4];
    for (int a = 0; a < j->n_genres && j->n_genres <= FEW; a++)
        for (int b = a + 1; b < j->n_genres; b++) {
            str_format(pair, sizeof pair, "%s - %s", j->genre[a], j->genre[b]);
            add_row(out, pair, noise, right(held, a, b), right(trained, a, b));
        }
    if (j->n_genres > 2)
        add_row(out, "all genres", noise, right(held, -1, -1), right(trained, -1, -1));
}

static enum err evaluate(struct model *m, const struct dataset *d, const struct measure_opts *o, struct measures *out)
{
    struct judge *j = m->judge;
    struct verdicts held = { .n = o->n, .genres = j->n_genres }, trained = held;
    size_t numbers = (size_t)o->n * (size_t)j->n_genres * (size_t)j->n_genres;
    enum err err = ERR_OK;
    held.p = xcalloc(numbers, sizeof *held.p);
    trained.p = xcalloc(numbers, sizeof *trained.p);
    for (size_t i = 0; i < COUNT_OF(noises) && err == ERR_OK; i++) {
        if ((err = ask(j, d, true, noises[i], o, &held)) == ERR_OK &&
            (err = ask(j, d, false, noises[i], o, &trained)) == ERR_OK)
            add_rows(j, noises[i], &held, &trained, out);
        if (err == ERR_OK && o->cancel && atomic_load(o->cancel))
            err = err_set(ERR_CANCELLED, "cancelled");
    }
    free(held.p);
    free(trained.p);
    return err;
}

static const char *const loss_names[] = { "xent", "wrong", NULL };

const struct model_kind judge_kind = {
    .name = "judge",
    .title = "The judge: tells the genre of four bars",
    .options = judge_options, .n_options = COUNT_OF(judge_options),
    .nets = nets,
    .open = open_model, .close = close_model, .run = run,
    .n_genres = n_genres, .genre = genre, .judge = judge,
    .evaluate = evaluate,
    .train_open = judge_train_open, .train_step = judge_train_step, .train_horizon = judge_train_horizon,
    .train_samples = judge_train_samples,
    .loss_names = loss_names, .train_eval = judge_train_eval, .train_save = judge_train_save,
};
