/* musegan_critic.c: the critics of the house, one row of a table each: convolutions with leaky ReLU and no norm, so
 * that a sample's score depends on that sample alone.
 *
 * The later ones look at each track (or at all, in a way of its own for each) pitch first and time first, go on
 * together, and are told besides what sounds in each beat by pitch class, and where sound begins and ends. The
 * paper's looks at bars and then at the phrase. */
#include <string.h>
#include "musegan_map.h"

enum { NAME_CAP = 48, BEATS = 4 };

static const struct style style = {.deviation = 0.05f, .slope = 0.2f},
                          paper_style = {.deviation = 0.02f, .slope = 0.2f};

/* clang-format off */
#define SCORE(bars) LAYER_AS(LAYER_LINEAR | LAYER_EXACT, "score", 1, bars, 1, 1)
#define PAIR(...) LAYER_BY("merge", 512, 2, 1, 1, 1, 1, 1), __VA_ARGS__

static const struct layer default_pt[] = {LAYER("pt1", 16, 1, 1, 12), LAYER("pt2", 32, 1, TAIL, 1)};
static const struct layer default_tp[] = {LAYER("tp1", 16, 1, TAIL, 1), LAYER("tp2", 32, 1, 1, 12)};
static const struct layer default_merge[] = {LAYER("merge", 64, 1, 1, 1)};
static const struct layer shared[] = {LAYER_BY("shared1", 128, 1, 4, 3, 1, 4, 2), LAYER("shared2", 256, 1, 4, HALF)};
static const struct layer default_chroma[] = {LAYER("chroma1", 32, 1, 1, 12), LAYER("chroma2", 64, 1, 4, 1)};
static const struct layer default_onset[] = {
    LAYER("onset1", 16, 1, TAIL, 1), LAYER("onset2", 32, 1, 4, 1), LAYER("onset3", 64, 1, 4, 1)};
static const struct layer default_last[] = {PAIR(SCORE(1))}; /* one for each pair of bars */

static const struct layer binary_pt[] = {LAYER("pt1", 32, 1, 1, 12), LAYER("pt2", 64, 1, TAIL, 1)};
static const struct layer binary_tp[] = {LAYER("tp1", 32, 1, TAIL, 1), LAYER("tp2", 64, 1, 1, 12)};
static const struct layer binary_chroma[] = {LAYER("chroma1", 64, 1, 1, 12), LAYER("chroma2", 128, 1, 4, 1)};
static const struct layer binary_onset[] = {
    LAYER("onset1", 32, 1, TAIL, 1), LAYER("onset2", 64, 1, 4, 1), LAYER("onset3", 128, 1, 4, 1)};
static const struct layer binary_last[] = {PAIR(SCORE(WHOLE))};
static const struct layer small_merge[] = {LAYER("merge", 32, 1, 1, 1)};

#define PAPER_BAR                                                                                            \
    LAYER("h0", 128, 1, 1, 12), LAYER("h1", 128, 1, 1, WHOLE), LAYER("h2", 128, 1, 2, 1),                    \
    LAYER("h3", 128, 1, COARSE, 1), LAYER_BY("h4", 256, 1, 4, 1, 1, 2, 1), LAYER_BY("h5", 512, 1, 3, 1, 1, 2, 1)
static const struct layer paper_bar[] = {PAPER_BAR, LAYER("h6", 1024, 1, WHOLE, 1), SCORE(1)};
static const struct layer paper_phrase[] = {
    PAPER_BAR, LAYER_BY("p0", 512, 2, WHOLE, 1, 1, WHOLE, 1), LAYER("p1", 128, WHOLE, 1, 1),
    LAYER("p2", 1024, 1, 1, 1), SCORE(1)};

struct critic_row {
    const char *name;
    const struct style *style;
    struct chain pt, tp, merge;  /* of each track */
    struct chain shared, chroma, onset, last;
    struct chain one_bar;        /* all of it where a phrase is one bar; none: it needs two */
    bool own;                    /* private nets see their own track, not all */
    bool raw_drums;              /* drums' onsets as they are, which are onsets already */
    bool each;                   /* a critic for each track */
    float unit;                  /* cells' range as published over ours: 0.5 = [0,1] */
};

#define DEFAULT(name)                                                                                        \
    name, &style, CHAIN(default_pt), CHAIN(default_tp), CHAIN(default_merge), .shared = CHAIN(shared),       \
    .last = CHAIN(default_last), .unit = 1
#define PAPER(name) name, &paper_style, .last = CHAIN(paper_phrase), .one_bar = CHAIN(paper_bar), .unit = 1
#define BINARY(name, pt, tp, merge)                                                                          \
    name, &paper_style, CHAIN(pt), CHAIN(tp), CHAIN(merge), .own = true, .shared = CHAIN(shared),            \
    .last = CHAIN(binary_last), .raw_drums = true, .unit = 0.5f

static const struct critic_row critics[] = {
    {DEFAULT("default"), .chroma = CHAIN(default_chroma), .onset = CHAIN(default_onset)},
    {DEFAULT("no-chroma"), .onset = CHAIN(default_onset)},
    {DEFAULT("no-onset"), .chroma = CHAIN(default_chroma)},
    {DEFAULT("bare")},
    {PAPER("phrase")},
    {PAPER("phrase-each"), .each = true},
    {BINARY("binary", binary_pt, binary_tp, default_merge), .chroma = CHAIN(binary_chroma),
     .onset = CHAIN(binary_onset)},
    {BINARY("binary-small", default_pt, default_tp, small_merge), .chroma = CHAIN(default_chroma),
     .onset = CHAIN(default_onset)},
};
/* clang-format on */

int musegan_critic_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(critics); i++)
        if (!strcmp(critics[i].name, name))
            return (int)i;
    return -1;
}

enum err musegan_critic_check(const struct musegan_config *c)
{
    const struct critic_row *row = &critics[c->critic];
    if (c->bars < 2 && !row->one_bar.n)
        return err_set(ERR_UNSUPPORTED, "the %s critic wants phrases of two bars or more", row->name);
    return ERR_OK;
}

bool musegan_critic_is_each(const struct musegan_config *c)
{
    return critics[c->critic].each;
}

double musegan_critic_unit(const struct musegan_config *c)
{
    return (double)critics[c->critic].unit;
}

/* One of the five private nets. */
static struct fmap private_net(struct musegan_builder *b, const struct critic_row *row, int role,
                               struct node *x)
{
    char prefix[NAME_CAP];
    (void)str_format(prefix, sizeof prefix, "d.%s.", musegan_role_key(role));
    struct fmap seen = map_of(row->own ? g_slice(x, 4, role, 1) : x);
    const struct fmap ways[] = {map_down(b, row->style, prefix, row->pt, seen, NULL),
                                map_down(b, row->style, prefix, row->tp, seen, NULL)};
    return map_down(b, row->style, prefix, row->merge, map_beside(ways, 2), NULL);
}

/* What sounds in each beat by pitch class. */
static struct fmap chroma_stream(struct musegan_builder *b, const struct critic_row *row, struct node *x)
{
    const struct musegan_config *c = b->c;
    int32_t n = node_shape(x).dim[0], beats = n * c->bars * BEATS, classes = 12 * N_ROLES;
    x = g_sum(g_reshape(x, SHAPE(beats, c->steps / BEATS, c->octaves * classes)), 1u << 1);
    x = g_sum(g_reshape(x, SHAPE(beats, c->octaves, classes)), 1u << 1);
    return map_down(b, row->style, "d.", row->chroma,
                    map_of(g_reshape(x, SHAPE(n, c->bars, BEATS, 12, N_ROLES))), NULL);
}

/* Where sound begins and ends: differences along time inside each bar, summed over pitch. */
static struct fmap onset_stream(struct musegan_builder *b, const struct critic_row *row, struct node *x)
{
    const struct musegan_config *c = b->c;
    int32_t n = node_shape(x).dim[0];
    x = g_reshape(g_sum(x, 1u << 3), SHAPE(n * c->bars, c->steps, N_ROLES));
    struct node *drums = g_slice(x, 2, ROLE_DRUMS, 1),
                *change = g_sub(x, g_pad(g_slice(x, 1, 0, c->steps - 1), 1, 1, 0));
    if (row->raw_drums)
        change = g_concat((struct node *[]){drums, g_slice(change, 2, ROLE_DRUMS + 1, N_ROLES - 1)}, 2, 2);
    return map_down(b, row->style, "d.", row->onset,
                    map_of(g_reshape(change, SHAPE(n, c->bars, c->steps, 1, N_ROLES))), NULL);
}

/* A score a sample (or pair of bars), from channels in the order of roles. */
static struct node *scores(struct musegan_builder *b, const struct critic_row *row, const char *prefix,
                           struct fmap y)
{
    return map_down(b, row->style, prefix, b->c->bars > 1 ? row->last : row->one_bar, y, NULL).x;
}

/* Each critic hears its track, and the condition where there is one: [N, new tracks]. */
static struct node *scores_of_each(struct musegan_builder *b, const struct critic_row *row, struct node *x)
{
    struct node *score[N_ROLES];
    int n = 0, condition = b->c->condition;
    for (int r = 0; r < N_ROLES; r++) {
        char prefix[NAME_CAP];
        if (r == condition)
            continue;
        struct node *heard[] = {g_slice(x, 4, r, 1), condition < 0 ? NULL : g_slice(x, 4, condition, 1)};
        (void)str_format(prefix, sizeof prefix, "d.%s.", musegan_role_key(r));
        score[n++] = scores(b, row, prefix, map_of(condition < 0 ? heard[0] : g_concat(heard, 2, 4)));
    }
    return g_concat(score, n, 1);
}

struct node *musegan_critic(struct musegan_builder *b, struct node *x)
{
    const struct critic_row *row = &critics[b->c->critic];
    if (row->unit != 1)
        x = g_scale(x, row->unit, 1 - row->unit);
    if (row->each)
        return scores_of_each(b, row, x);
    if (!row->pt.n)
        return scores(b, row, "d.", map_of(x));
    struct fmap private[N_ROLES], stream[3] = {0};
    for (int r = 0; r < N_ROLES; r++)
    private[r] = private_net(b, row, r, x);
    stream[0] = map_down(b, row->style, "d.", row->shared, map_beside(private, N_ROLES), NULL);
    if (row->chroma.n)
        stream[1] = chroma_stream(b, row, x);
    if (row->onset.n)
        stream[2] = onset_stream(b, row, x);
    return scores(b, row, "d.", map_beside(stream, 3));
}
