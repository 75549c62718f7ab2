/* band_data.c: drawing and writing training batches; see band_data.h. */
#include "band_data.h"
#include <math.h>
#include <stdlib.h>
#include "mem.h"

enum { STREAM_BUCKET = 0x62616e64, STREAM_PHRASES, MAX_NOTES = 4096 };
static const int bucket_time[BAND_BUCKETS] = { 128, 192, 256, 320, 384, 448, BAND_LONGEST };

/* Phrases of one bucket and side, with running sums of their weights for drawing. */
struct pile { uint32_t *id; double *upto; size_t n, cap_id, cap_upto; };

struct band_data {
    const struct dataset *set;
    struct band_data_opts opts;
    struct pile pile[N_STEP_SPLITS][BAND_BUCKETS];
    int n_genres;
};

struct step_shape band_data_shape(const struct band_data *b, int bucket)
{
    int rows = b->opts.rows / bucket_time[bucket];
    return (struct step_shape){ rows > 0 ? rows : 1, bucket_time[bucket] };
}

size_t band_data_n(const struct band_data *b, enum step_split s)
{
    size_t n = 0;
    for (int i = 0; i < BAND_BUCKETS; i++)
        n += b->pile[s][i].n;
    return n;
}

static bool is_filler(const struct phrase *p)
{
    return p->set > 0;
}

static enum step_split split_of(const struct phrase *p)
{
    return p->held_out ? STEP_HELD_OUT : STEP_TRAIN;
}

/* The bucket of a phrase, or -1 when it is too long or empty. Its length does not depend on what is kept,
 * and on the key only where octaves were folded, so those notes are counted as if none were merged. */
static int bucket_of(const struct phrase *p)
{
    struct codec_note notes[MAX_NOTES];
    if (p->n == 0 || p->n > MAX_NOTES)
        return -1;
    int length = codec_length(notes, codec_notes(p->notes, p->n, 0, notes));
    for (uint32_t i = 0; i < p->n; i++)
        length += p->notes[i].role != ROLE_DRUMS && codec_folds(p->notes[i].pitch);
    for (int i = 0; i < BAND_BUCKETS; i++)
        if (length <= bucket_time[i])
            return i;
    return -1;
}

static void pile_add(struct pile *p, uint32_t id, double weight)
{
    p->id = xgrow(p->id, p->n, &p->cap_id, sizeof *p->id);
    p->upto = xgrow(p->upto, p->n, &p->cap_upto, sizeof *p->upto);
    p->id[p->n] = id;
    p->upto[p->n] = weight + (p->n > 0 ? p->upto[p->n - 1] : 0);
    p->n++;
}

/* Counts by genre of real songs and filler, per side. */
struct counts { size_t n[2]; };

/* Rare genres are drawn more often than their share: a genre's weight is the root of its size. */
static double weight_of(const struct band_data *b, const struct counts *c, bool filler)
{
    double songs = phrase_songs_share(c->n[0], c->n[1], b->opts.filler);
    return sqrt((double)(c->n[0] + c->n[1])) * (filler ? 1 - songs : songs) / (double)c->n[filler];
}

enum err band_data_new(const struct dataset *d, const struct band_data_opts *o, struct band_data **out)
{
    struct band_data *b = xcalloc(1, sizeof *b);
    size_t n = dataset_n(d);
    b->set = d;
    b->opts = *o;
    b->n_genres = (int)dataset_n_genres(d);
    struct counts *counts = xcalloc((size_t)b->n_genres * N_STEP_SPLITS + 1, sizeof *counts);
    int8_t *bucket = xmalloc(n + 1);
    for (size_t i = 0; i < n; i++) {
        struct phrase p = dataset_get(d, i);
        bucket[i] = (int8_t)bucket_of(&p);
        counts[p.genre * N_STEP_SPLITS + split_of(&p)].n[is_filler(&p)] += bucket[i] >= 0;
    }
    for (size_t i = 0; i < n; i++) {
        struct phrase p = dataset_get(d, i);
        enum step_split s = split_of(&p);
        if (bucket[i] >= 0)
            pile_add(&b->pile[s][bucket[i]], (uint32_t)i, weight_of(b, &counts[p.genre * N_STEP_SPLITS + s], is_filler(&p)));
    }
    free(bucket);
    free(counts);
    if (band_data_n(b, STEP_TRAIN) == 0) {
        band_data_free(b);
        return err_set(ERR_EMPTY, "the data set holds no phrase to train on");
    }
    *out = b;
    return ERR_OK;
}

void band_data_free(struct band_data *b)
{
    if (!b)
        return;
    for (int s = 0; s < N_STEP_SPLITS; s++)
        for (int i = 0; i < BAND_BUCKETS; i++) {
            free(b->pile[s][i].id);
            free(b->pile[s][i].upto);
        }
    free(b);
}

static double pile_weight(const struct pile *p)
{
    return p->n > 0 ? p->upto[p->n - 1] : 0;
}

/* A batch of a bucket shows `rows` phrases, so buckets are drawn by weight over rows. */
int band_data_bucket(void *band_data, enum step_split s, uint64_t index)
{
    const struct band_data *b = band_data;
    double total = 0, odds[BAND_BUCKETS];
    for (int i = 0; i < BAND_BUCKETS; i++)
        total += odds[i] = pile_weight(&b->pile[s][i]) / band_data_shape(b, i).rows;
    struct rng r;
    rng_init(&r, rng_hash(b->opts.seed, index), STREAM_BUCKET + 16u * s);
    double left = rng_uniform(&r) * total;
    int pick = -1;
    for (int i = 0; i < BAND_BUCKETS && left >= 0; i++) {
        if (odds[i] <= 0)
            continue;
        pick = i;
        left -= odds[i];
    }
    BUG_ON(pick < 0);
    return pick;
}

static uint32_t keep_roles(struct rng *r, unsigned active)
{
    uint32_t cells = 0;
    if ((active & (active - 1)) == 0)
        return 0;
    unsigned pick;
    do
        pick = rng_u32(r) & active;
    while (pick == 0 || pick == active);
    for (int rank = 0; rank < N_ROLES; rank++)
        cells |= pick >> rank & 1 ? codec_role_cells(rank) : 0;
    return cells;
}

static uint32_t keep_scattered(struct rng *r, unsigned active)
{
    (void)active;
    float p = rng_uniform(r);
    uint32_t cells = 0;
    for (int cell = 0; cell < CODEC_CELLS; cell++)
        cells |= (uint32_t)(rng_uniform(r) < p) << cell;
    return cells;
}

static uint32_t keep_all_but_span(struct rng *r, unsigned active)
{
    int rank, n_bars = 1 + (int)rng_below(r, PHRASE_BARS), bar0 = (int)rng_below(r, (uint32_t)(PHRASE_BARS - n_bars + 1));
    do
        rank = (int)rng_below(r, N_ROLES);
    while (!(active >> rank & 1));
    uint32_t cells = CODEC_ALL_CELLS;
    for (int bar = bar0; bar < bar0 + n_bars; bar++)
        cells &= ~(1u << codec_cell(bar, rank));
    return cells;
}

static uint32_t keep_first_bars(struct rng *r, unsigned active)
{
    (void)active;
    int bars = 1 + (int)rng_below(r, PHRASE_BARS - 1);
    return (1u << codec_cell(bars, 0)) - 1;
}

uint32_t band_keep(struct rng *r, unsigned active)
{
    static const struct { float upto; uint32_t (*draw)(struct rng *r, unsigned active); } kinds[] = {
        { 0.35f, keep_roles }, { 0.55f, keep_scattered }, { 0.70f, keep_all_but_span }, { 0.80f, keep_first_bars },
    };
    float u = rng_uniform(r);
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (u < kinds[i].upto)
            return kinds[i].draw(r, active);
    return 0;
}

/* The shift a training example is written with: the key is found from the kept notes, as it will be when
 * a composer keeps something, else it is the phrase's own. Only the former is moved about: kept notes tell
 * the network where it is, but from nothing it must stay in the key it was asked for. */
static int draw_shift(const struct band_data *b, const struct phrase *p, uint32_t kept, struct rng *r)
{
    struct key own = { p->tonic < 12 ? (int8_t)p->tonic : -1, p->minor }, key = codec_key(p->notes, p->n, kept);
    bool moved = rng_uniform(r) < (float)b->opts.transpose && key.tonic >= 0;
    int by = (int)rng_below(r, 5) - 2;
    return key_home(key.tonic < 0 ? own : key) + (moved ? by : 0);
}

static unsigned active_ranks(const struct phrase *p)
{
    unsigned active = 0;
    for (uint32_t i = 0; i < p->n; i++)
        active |= 1u << codec_rank(p->notes[i].role);
    return active;
}

static int draw_example(const struct band_data *b, const struct pile *pile, struct rng *r, int time, struct codec_step *out)
{
    struct phrase p = dataset_get(b->set, pile->id[rng_weighted(r, pile->upto, pile->n)]);
    struct codec_note notes[MAX_NOTES];
    uint32_t kept = band_keep(r, active_ranks(&p));
    int shift = draw_shift(b, &p, kept, r);
    int genre = rng_uniform(r) < (float)b->opts.any_genre ? b->n_genres : p.genre;
    return codec_steps(notes, codec_notes(p.notes, p.n, shift, notes), kept, genre, out, time);
}

void band_data_fill(void *band_data, enum step_split s, uint64_t index, struct step_batch *out)
{
    const struct band_data *b = band_data;
    struct step_shape shape = band_data_shape(b, out->shape);
    struct codec_step steps[BAND_LONGEST];
    struct rng r;
    rng_init(&r, rng_hash(b->opts.seed, index), STREAM_PHRASES + 16u * s);
    for (int row = 0; row < shape.rows; row++) {
        int n = draw_example(b, &b->pile[s][out->shape], &r, shape.time, steps);
        BUG_ON(n == 0);
        out->length[row] = n;
        for (int t = 0; t < shape.time; t++) {
            size_t at = (size_t)row * (size_t)shape.time + (size_t)t;
            for (int i = 0; i < N_INPUTS; i++)
                out->in[i][at] = t < n ? steps[t].in[i] : -1;
            for (int h = 0; h < N_HEADS; h++)
                out->target[h][at] = t < n ? steps[t].out[h] : -1;
        }
    }
}
