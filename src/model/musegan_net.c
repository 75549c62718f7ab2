/* musegan_net.c: the generators of the house, one row of a table each.
 *
 * All have one form. Latent vectors, some made into one a bar by a temporal network, begin a trunk that grows time
 * and pitch; a head ends it in cells. The trunk is one for the band, or one for each track; the head goes one way
 * to the cells, or two (pitch first, time first) that are merged. A condition's encoder runs the other way, and
 * its maps join the generator's of the same size. */
#include <math.h>
#include <string.h>
#include "musegan_map.h"

enum { NAME_CAP = 48, MAX_ROWS = 12 };

static const char *const role_key[N_ROLES] = {"drums", "piano", "guitar", "bass", "strings"};

const char *musegan_role_key(int role)
{
    return role_key[role];
}

int musegan_channels(const struct musegan_config *c, int published)
{
    int n = (int)lround(published * c->width);
    return n > 1 ? n : 1;
}

struct node *musegan_splice(struct node *x, int axis, int from, int to, struct node *in)
{
    struct node *part[3];
    int n = 0, length = node_shape(x).dim[axis];
    if (from > 0)
        part[n++] = g_slice(x, axis, 0, from);
    if (in)
        part[n++] = in;
    if (to < length)
        part[n++] = g_slice(x, axis, to, length - to);
    return g_concat(part, n, axis);
}

/* ------------------------------------------------------------------ tables of layers */

/* clang-format off */
static const struct layer by_pitch[] = {LAYER("pt1", 32, 1, 1, 12), LAYER("pt2", 16, 1, TAIL, 1)};
static const struct layer by_time[] = {LAYER("tp1", 32, 1, TAIL, 1), LAYER("tp2", 16, 1, 1, 12)};
static const struct layer merge = LAYER("merge", 1, 1, 1, 1);

static const struct layer default_trunk[] = {
    LAYER("shared1", 512, BARS, 1, 1), LAYER("shared2", 256, 1, 4, HALF), LAYER_BY("shared3", 128, 1, 4, 3, 1, 4, 2)};
static const struct layer default_enc_pt[] = {LAYER("pt1", 16, 1, 1, 12), LAYER("pt2", 32, 1, TAIL, 1)};
static const struct layer default_enc_tp[] = {LAYER("tp1", 16, 1, TAIL, 1), LAYER("tp2", 32, 1, 1, 12)};
static const struct layer default_enc[] = {
    LAYER_BY("shared1", 64, 1, 4, 3, 1, 4, 2), LAYER("shared2", 128, 1, 4, HALF), LAYER("shared3", 256, BARS, 1, 1)};

/* Time is grown by three first, by four last; pitch by semitones first, by octaves last. */
static const struct layer bad_time_trunk[] = {
    LAYER("shared1", 512, BARS, 1, 1), LAYER("shared2", 256, 1, TAIL, HALF), LAYER_BY("shared3", 128, 1, 4, 3, 1, 4, 2)};
static const struct layer bad_time_pt[] = {LAYER("pt1", 32, 1, 1, 12), LAYER("pt2", 16, 1, 4, 1)};
static const struct layer bad_time_tp[] = {LAYER("tp1", 32, 1, 4, 1), LAYER("tp2", 16, 1, 1, 12)};
static const struct layer bad_pitch_trunk[] = {
    LAYER("shared1", 512, BARS, 1, 1), LAYER("shared2", 256, 1, 4, 1), LAYER("shared3", 128, 1, 4, 1),
    LAYER("shared4", 64, 1, 1, 12)};
static const struct layer bad_pitch_pt[] = {LAYER("pt1", 32, 1, 1, OCTAVES), LAYER("pt2", 16, 1, TAIL, 1)};
static const struct layer bad_pitch_tp[] = {LAYER("tp1", 32, 1, TAIL, 1), LAYER("tp2", 16, 1, 1, OCTAVES)};

/* The paper's: bar by bar, all of time before any pitch. */
static const struct layer paper_temporal[] = {LAYER("t0", 1024, 2, 1, 1), LAYER_BY("t1", 0, PAIRS, 1, 1, 1, 1, 1)};
static const struct layer paper_trunk[] = {
    LAYER_AS(LAYER_DENSE, "h0", 512, 1, 2, 1), LAYER("h1", 512, 1, 2, 1), LAYER("h2", 256, 1, 2, 1),
    LAYER("h3", 256, 1, 2, 1), LAYER("h4", 128, 1, TWO, 1), LAYER("h5", 128, 1, THREE, 1),
    LAYER("h6", 64, 1, 1, OCTAVES)};
static const struct layer paper_last[] = {LAYER_AS(LAYER_LINEAR, "h7", 1, 1, 1, 12)};
static const struct layer paper_enc[] = {
    LAYER("e0", 16, 1, 1, 12), LAYER("e1", 16, 1, 1, OCTAVES), LAYER("e2", 16, 1, THREE, 1),
    LAYER("e3", 16, 1, TWO, 1), LAYER("e4", 16, 1, 2, 1), LAYER("e5", 16, 1, 2, 1), LAYER("e6", 16, 1, 2, 1)};

/* Those of the time of the binary neurons. */
#define BINARY_TRUNK(first)                                                                                  \
    {LAYER_AS(LAYER_DENSE, "dense", first, PAIRS, 1, 1), LAYER_BY("up1", 256, 2, 1, 1, 1, 1, 1),             \
     LAYER("up2", 128, 1, 4, 1), LAYER("up3", 128, 1, 1, HALF), LAYER("up4", 64, 1, 4, 1),                   \
     LAYER_BY("up5", 64, 1, 1, 3, 1, 1, 2)}
#define BINARY_BAR(a, b, c, d)                                                                               \
    {LAYER("h0", a, 1, 4, 1), LAYER("h1", b, 1, 1, HALF), LAYER("h2", c, 1, 4, 1),                           \
     LAYER_BY("h3", d, 1, 1, 3, 1, 1, 2)}
static const struct layer binary_trunk[] = BINARY_TRUNK(512), binary_small_trunk[] = BINARY_TRUNK(256);
static const struct layer binary_bar[] = BINARY_BAR(512, 256, 128, 64);
static const struct layer binary_band[] = BINARY_BAR(1024, 512, 256, 128);
static const struct layer binary_temporal[] = {
    LAYER_AS(LAYER_DENSE, "t0", 256, PAIRS, 1, 1), LAYER_BY("t1", 0, 2, 1, 1, 1, 1, 1)};
static const struct layer binary_pt[] = {LAYER("pt1", 64, 1, 1, 12), LAYER("pt2", 32, 1, TAIL, 1)};
static const struct layer binary_tp[] = {LAYER("tp1", 64, 1, TAIL, 1), LAYER("tp2", 32, 1, 1, 12)};

/* ------------------------------------------------------------------ generators */

/* Widths of the latents: of the band and of each track, one a bar and one for all bars. */
struct widths { int band_bar, track_bar, band, track; };

struct generator_row {
    const char *name;
    struct widths z;
    struct style style;
    struct chain temporal, trunk, pt, tp, last;   /* a head is pt and tp, merged, or last */
    struct chain enc_pt, enc_tp, enc;             /* enc of the condition itself where there is no pt */
    int first_join;                               /* layer of the trunk that the encoder's last map joins */
    bool each, joint;                             /* a trunk for each track; one head for all tracks */
    float enc_slope, temporal_slope, unit;        /* unit: cells' range as published over ours */
};

#define PAPER .style = {0.02f, 0.9f, 1e-5f, 0, true}
#define LATER .style = {0.05f, 0.99f, 1e-3f, 0, true}, .unit = 1
#define TWO_WAYS(a, b) .pt = CHAIN(a), .tp = CHAIN(b)
#define PAPER_NETS                                                                                           \
    PAPER, .temporal = CHAIN(paper_temporal), .trunk = CHAIN(paper_trunk), .last = CHAIN(paper_last),        \
    .enc = CHAIN(paper_enc), .first_join = 1, .enc_slope = 0.2f, .unit = 1
#define BINARY PAPER, .unit = 0.5f
#define BINARY_BARS BINARY, .temporal = CHAIN(binary_temporal), .temporal_slope = 0.2f

static const struct generator_row generators[] = {
    {"default", {.band = 128}, LATER, .trunk = CHAIN(default_trunk), TWO_WAYS(by_pitch, by_time),
     .enc_pt = CHAIN(default_enc_pt), .enc_tp = CHAIN(default_enc_tp), .enc = CHAIN(default_enc)},
    {"bad-time", {.band = 128}, LATER, .trunk = CHAIN(bad_time_trunk), TWO_WAYS(bad_time_pt, bad_time_tp)},
    {"bad-pitch", {.band = 128}, LATER, .trunk = CHAIN(bad_pitch_trunk), TWO_WAYS(bad_pitch_pt, bad_pitch_tp)},
    {"jamming", {.track_bar = 64, .track = 64}, PAPER_NETS, .each = true},
    {"composer", {.band_bar = 64, .band = 64}, PAPER_NETS, .joint = true},
    {"hybrid", {32, 32, 32, 32}, PAPER_NETS, .each = true},
    {"binary", {.band = 128}, BINARY, .trunk = CHAIN(binary_trunk), TWO_WAYS(binary_pt, binary_tp)},
    {"binary-small", {.band = 128}, BINARY, .trunk = CHAIN(binary_small_trunk), TWO_WAYS(binary_pt, binary_tp)},
    {"binary-jamming", {.track_bar = 64, .track = 64}, BINARY_BARS, .trunk = CHAIN(binary_bar),
     TWO_WAYS(by_pitch, by_time), .each = true},
    {"binary-composer", {.band_bar = 64, .band = 64}, BINARY_BARS, .trunk = CHAIN(binary_band),
     TWO_WAYS(binary_pt, binary_tp), .joint = true},
    {"binary-hybrid", {32, 32, 32, 32}, BINARY_BARS, .trunk = CHAIN(binary_bar), TWO_WAYS(by_pitch, by_time),
     .each = true},
};
/* clang-format on */

int musegan_generator_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(generators); i++)
        if (!strcmp(generators[i].name, name))
            return (int)i;
    return -1;
}

enum err musegan_generator_check(const struct musegan_config *c)
{
    const struct generator_row *g = &generators[c->generator];
    if (c->condition >= 0 && !g->enc.n)
        return err_set(ERR_UNSUPPORTED, "the %s generator has no form that accompanies", g->name);
    if (c->bars < 2 && !g->last.n)
        return err_set(ERR_UNSUPPORTED, "the %s generator wants phrases of two bars or more", g->name);
    return ERR_OK;
}

/* A phrase of one bar has no time to plan: those latents join the others. */
static struct widths widths_of(const struct musegan_config *c)
{
    struct widths z = generators[c->generator].z;
    return c->bars > 1 ? z : (struct widths){.band = z.band + z.band_bar, .track = z.track + z.track_bar};
}

int musegan_latents(const struct musegan_config *c)
{
    struct widths z = widths_of(c);
    return z.band + z.band_bar + musegan_new_tracks(c) * (z.track + z.track_bar);
}

/* ------------------------------------------------------------------ latents */

struct source {
    struct node *z;
    int at;
}; /* of latents, read from left to right */

static struct fmap take(struct source *s, int width)
{
    struct fmap m = {0};
    if (width == 0)
        return m;
    int32_t n = node_shape(s->z).dim[0];
    m.x = g_slice(s->z, 1, s->at, width);
    m.n = n > 1;
    m.f[0] = (struct factor){AXIS_N, n};
    s->at += width;
    return m;
}

/* One vector for each bar, from the temporal network. */
static struct fmap by_bars(struct musegan_builder *b, const char *prefix, struct fmap z)
{
    const struct generator_row *g = &generators[b->c->generator];
    struct style style = g->style;
    struct layer rows[MAX_ROWS];
    if (!z.x)
        return z;
    memcpy(rows, g->temporal.rows, (size_t)g->temporal.n * sizeof *rows);
    rows[g->temporal.n - 1].out = node_shape(z.x).dim[1];
    rows[g->temporal.n - 1].flags |= LAYER_EXACT;
    style.slope = g->temporal_slope;
    return map_up(b, &style, prefix, (struct chain){rows, g->temporal.n}, z, NULL);
}

/* The same vector in every bar. */
static struct fmap in_bars(struct musegan_builder *b, struct fmap z)
{
    int32_t bars = b->c->bars;
    if (!z.x || bars == 1 || !generators[b->c->generator].temporal.n)
        return z;
    struct shape s = node_shape(z.x);
    z.x = g_expand(g_reshape(z.x, SHAPE(s.dim[0], 1, s.dim[1])), SHAPE(s.dim[0], bars, s.dim[1]));
    z.x = g_reshape(z.x, SHAPE(s.dim[0] * bars, s.dim[1]));
    z.f[z.n++] = (struct factor){AXIS_B, bars};
    return z;
}

/* ------------------------------------------------------------------ condition, trunk, heads */

struct maps {
    struct fmap pt[2], tp[2], enc[MAX_ROWS];
};

static struct maps encoded(struct musegan_builder *b, struct node *condition)
{
    const struct generator_row *g = &generators[b->c->generator];
    struct style style = g->style;
    struct fmap x = map_of(condition);
    struct maps m = {0};
    style.slope = g->enc_slope;
    if (g->enc_pt.n) {
        map_down(b, &style, "g.enc.", g->enc_pt, x, m.pt);
        map_down(b, &style, "g.enc.", g->enc_tp, x, m.tp);
        x = map_beside((struct fmap[]){m.tp[1], m.pt[1]}, 2);
    }
    map_down(b, &style, "g.enc.", g->enc, x, m.enc);
    return m;
}

static struct fmap trunk(struct musegan_builder *b, const char *prefix, struct fmap z, const struct maps *m)
{
    const struct generator_row *g = &generators[b->c->generator];
    struct fmap join[MAX_ROWS] = {0};
    for (int i = g->first_join; i < g->trunk.n; i++)
        join[i] = m->enc[g->enc.n > 0 ? g->enc.n - 1 - (i - g->first_join) : 0];
    return map_up(b, &g->style, prefix, g->trunk, z, join);
}

/* Cells before their last activation, [N,B,T,P,tracks]. */
static struct node *head(struct musegan_builder *b, const char *prefix, struct fmap x, const struct maps *m,
                         int tracks)
{
    const struct generator_row *g = &generators[b->c->generator];
    struct layer last = g->last.n ? g->last.rows[0] : merge;
    last.out = tracks;
    last.flags |= LAYER_EXACT;
    if (g->last.n)
        return map_tensor(map_up(b, &g->style, prefix, (struct chain){&last, 1}, x, &m->enc[0]));
    struct style straight = g->style;
    straight.slope = 1;
    const struct fmap to_pt[] = {m->tp[1], m->tp[0]}, to_tp[] = {m->pt[1], m->pt[0]};
    const struct fmap ways[] = {map_up(b, &g->style, prefix, g->pt, x, to_pt),
                                map_up(b, &g->style, prefix, g->tp, x, to_tp)};
    return map_tensor(map_merge(b, &straight, prefix, last, ways, 2));
}

/* The new tracks of all roles but the condition's, [N,B,T,P,tracks]. */
static struct node *tracks_of(struct musegan_builder *b, struct node *z, const struct maps *m)
{
    const struct generator_row *g = &generators[b->c->generator];
    struct widths w = widths_of(b->c);
    struct source s = {z, 0};
    struct fmap band_bar = by_bars(b, "g.temp.", take(&s, w.band_bar)), band = in_bars(b, take(&s, w.band)),
                x;
    struct node *track[N_ROLES];
    int n = 0;
    if (!g->each)
        x = trunk(b, "g.", map_beside((struct fmap[]){band_bar, band}, 2), m);
    if (g->joint)
        return head(b, "g.", x, m, musegan_new_tracks(b->c));
    for (int r = 0; r < N_ROLES; r++) {
        char prefix[NAME_CAP], temporal[NAME_CAP];
        if (r == b->c->condition)
            continue;
        (void)str_format(prefix, sizeof prefix, "g.%s.", role_key[r]);
        (void)str_format(temporal, sizeof temporal, "g.%s.temp.", role_key[r]);
        if (g->each) {
            struct fmap bar = by_bars(b, temporal, take(&s, w.track_bar)),
                        own = in_bars(b, take(&s, w.track));
            x = trunk(b, prefix, map_beside((struct fmap[]){band_bar, bar, band, own}, 4), m);
        }
        track[n++] = head(b, prefix, x, m, 1);
    }
    return g_concat(track, n, 4);
}

/* ------------------------------------------------------------------ refiner, neurons */

/* One track's half of a refiner: norm, ReLU, convolution over a beat's neighbourhood, twice, around a bypass. */
static struct node *residual(struct musegan_builder *b, const struct style *s, const char *prefix,
                             struct node *x)
{
    static const struct geom around = {{1, 3, 12}, {1, 1, 1}, {0, 1, 5}, {0, 1, 6}};
    struct init_spec init = {INIT_TRUNC_NORMAL, s->deviation};
    struct node *y = x;
    for (int i = 1; i <= 2; i++) {
        char norm[NAME_CAP], conv[NAME_CAP];
        (void)str_format(norm, sizeof norm, "%snorm%d", prefix, i);
        (void)str_format(conv, sizeof conv, "%sconv%d", prefix, i);
        y = g_leaky(nn_batch_norm(b->net, norm, y, s->momentum, s->eps), 0);
        y = nn_conv(b->net, conv, y, i == 1 ? musegan_channels(b->c, 64) : 1, around, true, init);
    }
    return g_add(x, y);
}

/* Cells in [0,1] -> cells before their last activation. */
static struct node *refined(struct musegan_builder *b, struct node *x)
{
    static const struct style style = {0.02f, 0.9f, 1e-5f, 0, true};
    struct node *track[N_ROLES];
    int n = 0;
    for (int r = 0; r < N_ROLES; r++) {
        char prefix[NAME_CAP];
        if (r == b->c->condition)
            continue;
        track[n] = g_slice(x, 4, n, 1);
        for (int half = 1; half <= 2; half++) {
            (void)str_format(prefix, sizeof prefix, "r.%s.%d.", role_key[r], half);
            track[n] = residual(b, &style, prefix, track[n]);
        }
        n++;
    }
    return g_concat(track, n, 4);
}

/* On or off, as 1 or -1, where p = sigmoid(slope h) is above a half or a draw; the gradient is p's. In playing p
 * itself, which is drawn from later. */
static struct node *fired(struct musegan_builder *b, struct node *h)
{
    struct shape s = node_shape(h), one = {.rank = s.rank, .dim = {1, 1, 1, 1, 1}};
    if (!b->net->training)
        return g_tanh(g_scale(h, (float)b->c->slope / 2, 0));
    struct node *steep =
        b->slope ? g_mul(h, g_expand(g_reshape(b->slope, one), s)) : g_scale(h, (float)b->c->slope, 0);
    struct node *p = g_sigmoid(steep), *on;
    if (b->c->neuron == NEURON_DETERMINISTIC)
        on = g_step(h, 0);
    else
        on = g_ge(p,
                  b->draw ? b->draw : g_random(b->net->g, s, DIST_UNIFORM, b->net->seed, b->net->n_random++));
    return g_scale(g_add(p, g_stop(g_sub(on, p))), 2, -1);
}

struct node *musegan_generator(struct musegan_builder *b, struct node *z, struct node *condition)
{
    struct maps m = {0};
    float unit = generators[b->c->generator].unit;
    if (condition)
        m = encoded(b, condition);
    struct node *x = tracks_of(b, z, &m);
    if (b->c->refiner) {
        x = refined(b, g_scale(g_tanh(g_scale(x, unit, 0)), 0.5f, 0.5f));
        unit = 0.5f;
    }
    x = b->c->neuron == NEURON_NONE ? g_tanh(g_scale(x, unit, 0)) : fired(b, x);
    if (!condition)
        return x;
    return musegan_splice(x, 4, b->c->condition, b->c->condition, condition);
}
