/* musegan_net.c: the default generator, the accompaniment generator and the default critic of MuseGAN.
 *
 * Nearly every convolution of these networks has a kernel as large as its stride: a matrix product and a
 * change of row order. So a feature map is kept as a matrix [rows, channels] whose row order is chosen to
 * make the next layer a plain product, and only one-channel maps are ever transposed. Row orders:
 *
 *     coarse   (n, b, t16, o)          16 steps a bar, one row an octave
 *     coarse/p (n, b, t16, o, p12)     every pitch, coarse time
 *     coarse/t (n, b, t16, o, dt)      every step, coarse pitch
 *
 * Weights of a convolution are [taps * in, out], of a transposed one [in, taps * out], taps in the order
 * (bar, time, pitch). */
#include <math.h>
#include "musegan.h"

static const struct init_spec WEIGHTS = {INIT_TRUNC_NORMAL, 0.05f}, ZEROS = {INIT_ZEROS, 0},
                              ONES = {INIT_ONES, 0};
static const float MOMENTUM = 0.99f, EPS = (float)MUSEGAN_NORM_EPS, SLOPE = 0.2f;
static const char *const role_key[N_ROLES] = {"drums", "piano", "guitar", "bass", "strings"};
enum { NAME_CAP = 48, BEATS = 4 };

static int channels(const struct musegan_builder *b, int published)
{
    int n = (int)lround(published * b->c->width);
    return n > 1 ? n : 1;
}

static int32_t rows_of(struct node *x)
{
    return node_shape(x).dim[0];
}
static int32_t width_of(struct node *x)
{
    return node_shape(x).dim[1];
}

static struct node *as_rows(struct node *x, int32_t width)
{
    return g_reshape(x, SHAPE((int32_t)(shape_count(node_shape(x)) / (size_t)width), width));
}

static struct node *beside(struct node *a, struct node *b) /* channels of a, then of b, where there is a b */
{
    return b ? g_concat((struct node *[]){a, b}, 2, 1) : a;
}

static struct node *weight(struct musegan_builder *b, const char *name, const char *suffix, struct shape s,
                           struct init_spec init)
{
    char full[NAME_CAP + 8];
    BUG_ON(!str_format(full, sizeof full, "%s%s", name, suffix));
    return nn_param(b->net, full, s, init);
}

/* A vector over channels, once for each tap. */
static struct node *repeated(struct node *v, int32_t taps, int32_t out)
{
    return taps == 1 ? v
                     : g_reshape(g_expand(g_reshape(v, SHAPE(1, out)), SHAPE(taps, out)), SHAPE(taps * out));
}

/* x^T x, whose gradient costs one product: what follows is symmetric in it, so half of it counts twice. */
static struct node *gram(struct node *x)
{
    struct node *g = g_matmul(g_stop(x), x, true, false);
    return g_sub(g_scale(g, 2, 0), g_stop(g));
}

/* ReLU(batch norm(x w)) in one product. The statistics of x w follow from those of x: its mean is mean(x) w,
 * its mean square the diagonal of w^T (x^T x / rows) w, averaged over the taps. So the wide result is never
 * read for them, nor kept unnormalised. It costs a Gram matrix, little where rows far outnumber columns. */
static struct node *normed_product(struct musegan_builder *b, const char *name, struct node *x,
                                   struct node *w, int32_t taps, int32_t out)
{
    char full[NAME_CAP + 8];
    int32_t in = width_of(x);
    struct node *mean = g_matmul(g_mean(x, 1), w, false, false);
    struct node *square =
        g_sum(g_mul(w, g_matmul(g_scale(gram(x), 1.0f / (float)rows_of(x), 0), w, false, false)), 1);
    mean = g_reshape(g_mean(g_reshape(mean, SHAPE(taps, out)), 1), SHAPE(out));
    square = g_reshape(g_mean(g_reshape(square, SHAPE(taps, out)), 1), SHAPE(out));
    struct node *var = g_sub(square, g_mul(mean, mean));
    struct node *scale =
        g_mul(weight(b, name, ".gamma", SHAPE(out), ONES), g_powc(g_scale(var, 1, EPS), -0.5f));
    struct node *shift = g_sub(weight(b, name, ".beta", SHAPE(out), ZEROS), g_mul(mean, scale));
    struct node *bias = weight(b, name, ".b", SHAPE(out), ZEROS);
    (void)str_format(full, sizeof full, "%s.mean", name);
    nn_keep_moving(b->net, nn_state(b->net, full, SHAPE(out), ZEROS), g_add(mean, bias), MOMENTUM);
    (void)str_format(full, sizeof full, "%s.var", name);
    nn_keep_moving(b->net, nn_state(b->net, full, SHAPE(out), ONES), var, MOMENTUM);
    w = g_mul(w, nn_across(repeated(scale, taps, out), SHAPE(in, taps * out)));
    return g_leaky(g_linear(x, w, repeated(shift, taps, out), ACT_NONE), 0);
}

/* The bias of a product that batch statistics follow cancels in them: it moves the moving mean only and
 * gets no gradient. A folded set holds it once for each tap. */
static struct node *bias_of(struct musegan_builder *b, const char *name, int32_t taps, int32_t out)
{
    if (b->norm == NORM_FOLDED)
        return weight(b, name, ".b", SHAPE(taps * out), ZEROS);
    return repeated(g_stop(weight(b, name, ".b", SHAPE(out), ZEROS)), taps, out);
}

/* Batch norm of y [rows, out] where it is not folded into what made y, and ReLU. */
static struct node *normalised(struct musegan_builder *b, const char *name, struct node *y)
{
    return g_leaky(b->norm == NORM_FOLDED ? y : nn_batch_norm(b->net, name, y, MOMENTUM, EPS), 0);
}

/* Transposed convolution: x [rows, in] -> [rows * taps, out], batch norm, ReLU. */
static struct node *conv_t_norm(struct musegan_builder *b, const char *name, struct node *x, int32_t taps,
                                int32_t out)
{
    int32_t in = width_of(x);
    struct node *w = weight(b, name, ".w", SHAPE(in, taps * out), WEIGHTS);
    if (b->norm == NORM_BATCH && rows_of(x) >= 8 * in)
        return as_rows(normed_product(b, name, x, w, taps, out), out);
    struct node *y = g_linear(x, w, bias_of(b, name, taps, out), ACT_NONE);
    if (b->norm == NORM_FOLDED)
        return as_rows(g_leaky(y, 0), out); /* at once, as part of the product */
    return normalised(b, name, as_rows(y, out));
}

/* Convolution: x [rows * taps, in] -> [rows, out], batch norm, ReLU. */
static struct node *conv_norm(struct musegan_builder *b, const char *name, struct node *x, int32_t taps,
                              int32_t out)
{
    return conv_t_norm(b, name, as_rows(x, taps * width_of(x)), 1, out);
}

/* The overlapping convolution, kernel (4,3), stride (4,2) over (time, octave): x [(n, b, t16, o), in] ->
 * [(n, b, t4, o'), out] with o = 2 o' + 1, its windows laid side by side for one product. */
static struct node *windows(struct node *x, int32_t octaves, struct node *w, struct node *bias)
{
    int32_t in = width_of(x), blocks = rows_of(x) / (BEATS * octaves), n = (octaves - 1) / 2;
    struct node *part[16];
    x = g_reshape(x, SHAPE(blocks, BEATS, octaves, in));
    for (int32_t i = 0; i < n; i++)
        part[i] = g_reshape(g_slice(x, 2, 2 * i, 3), SHAPE(blocks, BEATS * 3 * in));
    return g_linear(as_rows(g_concat(part, n, 1), BEATS * 3 * in), w, bias, ACT_NONE);
}

/* Its adjoint as a layer: x [(n, b, t4, o'), in] -> [(n, b, t16, o), out]. Of an input row's three octaves
 * the first two tile the output, the third falls on the next row's first. Weights are [in, (4, 3, out)]. */
static struct node *overlapped(struct musegan_builder *b, const char *name, struct node *x, int32_t o,
                               int32_t out)
{
    int32_t blocks = rows_of(x) / o;
    struct node *w = weight(b, name, ".w", SHAPE(width_of(x), BEATS * 3 * out), WEIGHTS);
    struct node *y = g_reshape(g_matmul(x, w, false, false), SHAPE(blocks, o, BEATS, 3, out));
    y = g_permute(y, (int[]){0, 2, 1, 3, 4}); /* [blocks, dt, o', 3, out] */
    blocks *= BEATS;
    struct node *tiles = g_reshape(g_slice(y, 3, 0, 2), SHAPE(blocks, 2 * o, out));
    struct node *over = g_reshape(g_pad(g_slice(y, 3, 2, 1), 3, 1, 0), SHAPE(blocks, 2 * o, out));
    y = as_rows(g_add(g_pad(tiles, 1, 0, 1), g_pad(over, 1, 1, 0)), out);
    y = g_add(y, nn_across(bias_of(b, name, 1, out), node_shape(y)));
    return normalised(b, name, y);
}

/* [N,B,T,P,C] in the two orders that make its first convolutions products. */
static struct node *by_pitch(const struct musegan_config *c, struct node *x, int32_t n, int32_t channel)
{
    int32_t coarse = n * c->bars * 16, tail = musegan_tail(c);
    x = g_reshape(x, SHAPE(coarse, tail, c->octaves, 12 * channel));
    return as_rows(g_permute(x, (int[]){0, 2, 1, 3}), 12 * channel); /* (coarse/t), (p12, c) */
}

static struct node *by_time(const struct musegan_config *c, struct node *x, int32_t n, int32_t channel)
{
    int32_t coarse = n * c->bars * 16, tail = musegan_tail(c);
    x = g_reshape(x, SHAPE(coarse, tail, musegan_pitches(c), channel));
    return as_rows(g_permute(x, (int[]){0, 2, 1, 3}), tail * channel); /* (coarse/p), (dt, c) */
}

/* Feature maps of the condition, in the row orders in which the decoder joins them. */
struct maps {
    struct node *pt1, *pt2, *tp1, *tp2, *s1, *s2, *s3;
};

static struct maps encode(struct musegan_builder *b, struct node *condition)
{
    const struct musegan_config *c = b->c;
    int32_t n = node_shape(condition).dim[0], half = (c->octaves - 1) / 2;
    struct maps m;
    m.pt1 = conv_norm(b, "g.enc.pt1", by_pitch(c, condition, n, 1), 1, channels(b, 16));
    m.pt2 = conv_norm(b, "g.enc.pt2", m.pt1, musegan_tail(c), channels(b, 32));
    m.tp1 = conv_norm(b, "g.enc.tp1", by_time(c, condition, n, 1), 1, channels(b, 16));
    m.tp2 = conv_norm(b, "g.enc.tp2", m.tp1, 12, channels(b, 32));
    struct node *both = beside(m.tp2, m.pt2);
    int32_t out = channels(b, 64);
    struct node *w = weight(b, "g.enc.shared1", ".w", SHAPE(BEATS * 3 * width_of(both), out), WEIGHTS);
    struct node *y = windows(both, c->octaves, w, bias_of(b, "g.enc.shared1", 1, out));
    m.s1 = normalised(b, "g.enc.shared1", y);
    m.s2 = conv_norm(b, "g.enc.shared2", m.s1, BEATS * half, channels(b, 128));
    m.s3 = conv_norm(b, "g.enc.shared3", m.s2, c->bars, channels(b, 256));
    return m;
}

/* The last layer of a head, to one channel: x [rows * taps, in] -> [rows, taps]. One column would be a poor
 * product, so it stands `taps` times along a diagonal. Rows `from` on of the weights. */
static struct node *to_one(struct musegan_builder *b, const char *name, const char *half, struct node *x,
                           int32_t taps, int32_t from)
{
    int32_t in = width_of(x);
    x = as_rows(x, taps * in);
    if (b->norm == NORM_FOLDED)
        return g_matmul(x, weight(b, name, half, SHAPE(taps * in, taps), ZEROS), false, false);
    float unit[16 * 16] = {0};
    for (int32_t t = 0; t < taps; t++)
        unit[t * taps + t] = 1;
    struct shape blocks = SHAPE(taps, in, taps);
    struct node *w = g_slice(weight(b, name, ".w", SHAPE(2 * in, 1), WEIGHTS), 0, from, in);
    struct node *diagonal = g_expand(g_const_data(b->net->g, SHAPE(taps, 1, taps), unit), blocks);
    w = g_mul(g_expand(g_reshape(w, SHAPE(1, in, 1)), blocks), diagonal);
    return g_matmul(x, g_reshape(w, SHAPE(taps * in, taps)), false, false);
}

/* Both halves of a head are one channel now, in two orders: (coarse), (p12, dt) and (coarse), (dt, p12). */
static struct node *merge(struct musegan_builder *b, const char *name, struct node *pt, struct node *tp)
{
    const struct musegan_config *c = b->c;
    int32_t tail = musegan_tail(c), in = width_of(pt), coarse = rows_of(pt) / (12 * tail);
    pt = g_reshape(to_one(b, name, ".w.pt", pt, tail, 0), SHAPE(coarse, 12, tail));
    tp = g_reshape(to_one(b, name, ".w.tp", tp, 12, in), SHAPE(coarse, tail, 12));
    struct node *y = as_rows(g_add(g_permute(pt, (int[]){0, 2, 1}), tp), 1);
    y = g_add(y, nn_across(bias_of(b, name, 1, 1), node_shape(y)));
    if (b->norm != NORM_FOLDED)
        y = nn_batch_norm(b->net, name, y, MOMENTUM, EPS);
    int32_t bars = coarse / (16 * c->octaves);
    y = g_permute(g_reshape(g_tanh(y), SHAPE(bars * 16, c->octaves, tail, 12)), (int[]){0, 2, 1, 3});
    return g_reshape(y, SHAPE(bars / c->bars, c->bars, c->steps, musegan_pitches(c), 1));
}

/* One track's head: two ways from the coarse map to every cell, merged: [N,B,T,P,1]. */
static struct node *head(struct musegan_builder *b, const char *role, struct node *shared,
                         const struct maps *m)
{
    int32_t tail = musegan_tail(b->c), wide = channels(b, 32), narrow = channels(b, 16);
    char name[NAME_CAP];
#define LAYER(text) (str_format(name, NAME_CAP, "g.%s." text, role), name)
    struct node *pt = conv_t_norm(b, LAYER("pt1"), beside(shared, m->tp2), 12, wide);
    pt = conv_t_norm(b, LAYER("pt2"), beside(pt, m->tp1), tail, narrow);
    struct node *tp = conv_t_norm(b, LAYER("tp1"), beside(shared, m->pt2), tail, wide);
    tp = conv_t_norm(b, LAYER("tp2"), beside(tp, m->pt1), 12, narrow);
    return merge(b, LAYER("merge"), pt, tp);
#undef LAYER
}

struct node *musegan_generator(struct musegan_builder *b, struct node *z, struct node *condition)
{
    const struct musegan_config *c = b->c;
    int32_t half = (c->octaves - 1) / 2;
    struct maps m = {0};
    struct node *track[N_ROLES];
    if (condition)
        m = encode(b, condition);
    struct node *x = conv_t_norm(b, "g.shared1", beside(z, m.s3), c->bars, channels(b, 512));
    x = conv_t_norm(b, "g.shared2", beside(x, m.s2), BEATS * half, channels(b, 256));
    x = overlapped(b, "g.shared3", beside(x, m.s1), half, channels(b, 128));
    for (int r = 0; r < N_ROLES; r++)
        track[r] = condition && r == c->condition ? condition : head(b, role_key[r], x, &m);
    return g_concat(track, N_ROLES, 4);
}

/* The critic's layers: convolution, bias, leaky ReLU; x [rows * taps, in] -> [rows, out]. */
static struct node *conv_leaky(struct musegan_builder *b, const char *name, struct node *x, int32_t taps,
                               int32_t out)
{
    int32_t in = taps * width_of(x);
    struct node *w = weight(b, name, ".w", SHAPE(in, out), WEIGHTS);
    struct node *bias = weight(b, name, ".b", SHAPE(out), ZEROS);
    return g_leaky(g_linear(as_rows(x, in), w, bias, ACT_NONE), SLOPE);
}

/* One of the five private nets, all of which see the whole band: (coarse), 64. */
static struct node *private_net(struct musegan_builder *b, const char *role, struct node *pitch,
                                struct node *time)
{
    char name[NAME_CAP];
#define LAYER(text) (str_format(name, NAME_CAP, "d.%s." text, role), name)
    struct node *pt = conv_leaky(b, LAYER("pt1"), pitch, 1, channels(b, 16));
    pt = conv_leaky(b, LAYER("pt2"), pt, musegan_tail(b->c), channels(b, 32));
    struct node *tp = conv_leaky(b, LAYER("tp1"), time, 1, channels(b, 16));
    tp = conv_leaky(b, LAYER("tp2"), tp, 12, channels(b, 32));
    return conv_leaky(b, LAYER("merge"), beside(pt, tp), 1, channels(b, 64));
#undef LAYER
}

/* What sounds in each beat by pitch class: one row a bar, 64 channels. */
static struct node *chroma_stream(struct musegan_builder *b, struct node *x, int32_t bars)
{
    const struct musegan_config *c = b->c;
    int32_t beats = bars * BEATS, beat_steps = c->steps / BEATS, row = 12 * N_ROLES;
    x = g_sum(g_reshape(x, SHAPE(beats, beat_steps, c->octaves * row)), 1u << 1);
    x = g_sum(g_reshape(x, SHAPE(beats, c->octaves, row)), 1u << 1);
    x = conv_leaky(b, "d.chroma1", as_rows(x, row), 1, channels(b, 32));
    return conv_leaky(b, "d.chroma2", x, BEATS, channels(b, 64));
}

/* Where sound begins and ends: differences along time inside each bar, summed over pitch. */
static struct node *onset_stream(struct musegan_builder *b, struct node *x, int32_t bars)
{
    const struct musegan_config *c = b->c;
    x = g_sum(g_reshape(x, SHAPE(bars * c->steps, musegan_pitches(c), N_ROLES)), 1u << 1);
    x = g_reshape(x, SHAPE(bars, c->steps, N_ROLES));
    x = g_sub(x, g_pad(g_slice(x, 1, 0, c->steps - 1), 1, 1, 0));
    x = conv_leaky(b, "d.onset1", as_rows(x, N_ROLES), musegan_tail(c), channels(b, 16));
    x = conv_leaky(b, "d.onset2", x, BEATS, channels(b, 32));
    return conv_leaky(b, "d.onset3", x, BEATS, channels(b, 64));
}

struct node *musegan_critic(struct musegan_builder *b, struct node *x)
{
    const struct musegan_config *c = b->c;
    int32_t n = node_shape(x).dim[0], bars = n * c->bars, half = (c->octaves - 1) / 2, out = channels(b, 128);
    struct node *pitch = by_pitch(c, x, n, N_ROLES), *time = by_time(c, x, n, N_ROLES), *private[N_ROLES];
    for (int r = 0; r < N_ROLES; r++)
    private[r] = private_net(b, role_key[r], pitch, time);
    struct node *y = g_concat(private, N_ROLES, 1);
    struct node *w = weight(b, "d.shared1", ".w", SHAPE(BEATS * 3 * width_of(y), out), WEIGHTS);
    y = g_leaky(windows(y, c->octaves, w, weight(b, "d.shared1", ".b", SHAPE(out), ZEROS)), SLOPE);
    y = conv_leaky(b, "d.shared2", y, BEATS * half, channels(b, 256));
    y = g_concat((struct node *[]){y, chroma_stream(b, x, bars), onset_stream(b, x, bars)}, 3, 1);
    int32_t width = width_of(y);
    y = g_reshape(y, SHAPE(n, c->bars, width));
    y = g_concat((struct node *[]){g_slice(y, 1, 0, c->bars - 1), g_slice(y, 1, 1, c->bars - 1)}, 2, 2);
    y = conv_leaky(b, "d.merge", as_rows(y, 2 * width), 1, channels(b, 512)); /* one row a pair of bars */
    w = weight(b, "d.score", ".w", SHAPE(width_of(y), 1), WEIGHTS);
    return g_linear(y, w, weight(b, "d.score", ".b", SHAPE(1), ZEROS), ACT_NONE);
}
