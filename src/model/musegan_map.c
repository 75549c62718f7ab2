/* musegan_map.c: see musegan_map.h. */
#include <math.h>
#include <string.h>
#include "musegan_map.h"

static const struct init_spec ZEROS = {INIT_ZEROS, 0}, ONES = {INIT_ONES, 0};
enum {
    NAME_CAP = 64,
    MAX_FACTORS = COUNT_OF((struct fmap){0}.f),
    MAX_WINDOWS = 32,
    MOST_TAPS = 16,
    MOST_PARTS = 8
};

static int32_t rows_of(struct node *x)
{
    return node_shape(x).dim[0];
}
static int32_t width_of(struct node *x)
{
    return node_shape(x).dim[node_shape(x).rank - 1];
}
static struct node *as_rows(struct node *x, int32_t width)
{
    return g_reshape(x, SHAPE((int32_t)(shape_count(node_shape(x)) / (size_t)width), width));
}

/* ------------------------------------------------------------------ the order of rows */

int32_t map_size(const struct fmap *m, enum axis a)
{
    int32_t size = 1;
    for (int i = 0; i < m->n; i++)
        size *= m->f[i].axis == a ? m->f[i].size : 1;
    return size;
}

static void append(struct fmap *m, enum axis a, int32_t size)
{
    BUG_ON(m->n == MAX_FACTORS);
    if (size > 1)
        m->f[m->n++] = (struct factor){a, size};
}

/* Each factor of `own` in parts such that those of `other` are made of the same parts; `id` names a part by its axis
 * and place there, counted from the fastest. */
static int refine(const struct fmap *own, const struct fmap *other, struct factor *part, int *id)
{
    struct factor back[MAX_FACTORS];
    int n = 0, back_id[MAX_FACTORS], at[N_AXES], place[N_AXES] = {0};
    int32_t rest[N_AXES];
    for (int a = 0; a < N_AXES; a++) {
        at[a] = other->n;
        rest[a] = 1;
    }
    for (int i = own->n - 1; i >= 0; i--) {
        enum axis a = own->f[i].axis;
        for (int32_t left = own->f[i].size; left > 1;) {
            while (rest[a] == 1) {
                do
                    BUG_ON(--at[a] < 0);
                while (other->f[at[a]].axis != a);
                rest[a] = other->f[at[a]].size;
            }
            int32_t take = left < rest[a] ? left : rest[a];
            BUG_ON(left % take || rest[a] % take || n == MAX_FACTORS);
            back_id[n] = place[a]++ * N_AXES + (int)a;
            back[n++] = (struct factor){a, take};
            left /= take;
            rest[a] /= take;
        }
    }
    for (int i = 0; i < n; i++) {
        part[i] = back[n - 1 - i];
        id[i] = back_id[n - 1 - i];
    }
    return n;
}

/* The same map with its rows in the order of `want`. Parts that stay neighbours move as one. */
static struct fmap arrange(struct fmap m, const struct fmap *want)
{
    struct factor from[MAX_FACTORS], to[MAX_FACTORS];
    int from_id[MAX_FACTORS], to_id[MAX_FACTORS], group[MAX_FACTORS], order[MAX_RANK], n_groups = 0;
    int n = refine(&m, want, from, from_id), channels = width_of(m.x);
    BUG_ON(refine(want, &m, to, to_id) != n);
    struct shape s = {0};
    for (int i = 0; i < n; i++) { /* groups in the order they have now */
        int j = 0;
        while (to_id[j] != from_id[i])
            j++;
        if (i == 0 || j == 0 || to_id[j - 1] != from_id[i - 1]) {
            BUG_ON(n_groups == MAX_RANK - 1);
            s.dim[n_groups++] = 1;
        }
        s.dim[n_groups - 1] *= from[i].size;
        group[j] = n_groups - 1;
    }
    bool moved = false;
    for (int j = 0, k = 0; j < n; j++)
        if (j == 0 || group[j] != group[j - 1]) {
            moved |= group[j] != k;
            order[k++] = group[j];
        }
    if (moved) {
        s.rank = n_groups + 1;
        s.dim[n_groups] = channels;
        order[n_groups] = n_groups;
        m.x = as_rows(g_permute(g_reshape(m.x, s), order), channels);
    }
    memcpy(m.f, want->f, sizeof m.f);
    m.n = want->n;
    return m;
}

struct fmap map_of(struct node *x)
{
    struct shape s = node_shape(x);
    struct fmap m = {.x = as_rows(x, s.dim[4])};
    for (int a = 0; a < N_AXES; a++)
        append(&m, a, s.dim[a]);
    return m;
}

struct node *map_tensor(struct fmap m)
{
    struct fmap plain = {0};
    int32_t size[N_AXES];
    for (int a = 0; a < N_AXES; a++)
        append(&plain, a, size[a] = map_size(&m, a));
    m = arrange(m, &plain);
    return g_reshape(m.x, SHAPE(size[AXIS_N], size[AXIS_B], size[AXIS_T], size[AXIS_P], width_of(m.x)));
}

struct fmap map_beside(const struct fmap *parts, int n)
{
    struct fmap all = {0};
    struct node *x[MOST_PARTS];
    int k = 0;
    BUG_ON(n > MOST_PARTS);
    for (int i = 0; i < n; i++) {
        if (!parts[i].x)
            continue;
        all = k ? all : parts[i];
        x[k++] = arrange(parts[i], &all).x;
    }
    if (k > 1)
        all.x = g_concat(x, k, 1);
    return all;
}

/* Take the fastest `size` of an axis off the factors. */
static void peel(struct fmap *m, enum axis a, int32_t size)
{
    for (int i = m->n - 1; i >= 0 && size > 1; i--) {
        if (m->f[i].axis != a)
            continue;
        int32_t take = m->f[i].size < size ? m->f[i].size : size;
        BUG_ON(m->f[i].size % take || size % take);
        size /= take;
        m->f[i].size /= take;
        if (m->f[i].size == 1) {
            memmove(m->f + i, m->f + i + 1, (size_t)(m->n - i - 1) * sizeof *m->f);
            m->n--;
        }
    }
    BUG_ON(size > 1);
}

/* ------------------------------------------------------------------ weights, norms, products */

struct site { /* where a layer is being built */
    struct musegan_builder *b;
    const struct style *s;
    char name[NAME_CAP];
    int32_t k[3], stride[3], out;
    int over; /* the axis whose windows overlap; AXIS_N = none */
    unsigned flags;
};

static struct node *tensor(const struct site *at, const char *suffix, struct shape s, struct init_spec init)
{
    char full[NAME_CAP + 8];
    BUG_ON(!str_format(full, sizeof full, "%s%s", at->name, suffix));
    return nn_param(at->b->net, full, s, init);
}

static struct node *state(const struct site *at, const char *suffix, int32_t n, struct init_spec init)
{
    char full[NAME_CAP + 8];
    BUG_ON(!str_format(full, sizeof full, "%s%s", at->name, suffix));
    return nn_state(at->b->net, full, SHAPE(n), init);
}

static bool has(const struct site *at, enum musegan_norm norm)
{
    return at->s->normed && !(at->flags & LAYER_LINEAR) && at->b->norm == norm;
}

/* A vector over channels, once for each tap. */
static struct node *repeated(struct node *v, int32_t taps)
{
    int32_t n = width_of(v);
    return taps == 1 ? v : g_reshape(g_expand(g_reshape(v, SHAPE(1, n)), SHAPE(taps, n)), SHAPE(taps * n));
}

/* What follows a product without statistics of its own: w as it is used, and the shift after it, for n channels.
 * By moving statistics the norm is a scale and a shift, which vanish into them; a plan for playing works that out
 * once. A bias before batch statistics cancels: it moves the moving mean only and gets no gradient. */
static struct node *prepared(const struct site *at, struct node *w, int32_t n, struct node **shift)
{
    struct node *bias = tensor(at, ".b", SHAPE(n), ZEROS);
    *shift = has(at, NORM_BATCH) ? g_stop(bias) : bias;
    if (!has(at, NORM_MOVING))
        return w;
    struct node *gamma = tensor(at, ".gamma", SHAPE(n), ONES), *beta = tensor(at, ".beta", SHAPE(n), ZEROS);
    struct node *mean = state(at, ".mean", n, ZEROS), *var = state(at, ".var", n, ONES);
    struct node *scale = g_mul(gamma, g_powc(g_scale(var, 1, at->s->eps), -0.5f));
    *shift = g_add(g_mul(g_sub(bias, mean), scale), beta);
    return g_mul(w, nn_across(repeated(scale, width_of(w) / n), node_shape(w)));
}

static struct node *bent(const struct site *at, struct node *y)
{
    return at->flags & LAYER_LINEAR || at->s->slope == 1 ? y : g_leaky(y, at->s->slope);
}

/* Batch statistics where they are asked for, and the activation. y [rows, channels] */
static struct node *finished(const struct site *at, struct node *y)
{
    return bent(at, has(at, NORM_BATCH) ? nn_batch_norm(at->b->net, at->name, y, at->s->momentum, at->s->eps)
                                        : y);
}

/* x^T x, whose gradient costs one product: what follows is symmetric in it, so half of it counts twice. */
static struct node *gram(struct node *x)
{
    struct node *g = g_matmul(g_stop(x), x, true, false);
    return g_sub(g_scale(g, 2, 0), g_stop(g));
}

/* Mean over rows and taps of [1, taps * n]. */
static struct node *over_taps(struct node *x, int32_t n)
{
    return g_reshape(g_mean(as_rows(x, n), 1), SHAPE(n));
}

/* Batch norm of x w in one product. The statistics of x w follow from those of x: its mean is mean(x) w, its mean
 * square the diagonal of w^T (x^T x / rows) w, averaged over the taps. So the wide result is never read for them,
 * nor kept unnormalised. It costs a Gram matrix, little where rows far outnumber columns. */
static struct node *normed_product(const struct site *at, struct node *x, struct node *w, int32_t n)
{
    struct node *mean = over_taps(g_matmul(g_mean(x, 1), w, false, false), n);
    struct node *square = g_matmul(g_scale(gram(x), 1.0f / (float)rows_of(x), 0), w, false, false);
    square = over_taps(g_sum(g_mul(w, square), 1), n);
    struct node *var = g_sub(square, g_mul(mean, mean));
    struct node *scale =
        g_mul(tensor(at, ".gamma", SHAPE(n), ONES), g_powc(g_scale(var, 1, at->s->eps), -0.5f));
    struct node *shift = g_sub(tensor(at, ".beta", SHAPE(n), ZEROS), g_mul(mean, scale));
    struct node *bias = tensor(at, ".b", SHAPE(n), ZEROS);
    nn_keep_moving(at->b->net, state(at, ".mean", n, ZEROS), g_add(mean, bias), at->s->momentum);
    nn_keep_moving(at->b->net, state(at, ".var", n, ONES), var, at->s->momentum);
    int32_t taps = width_of(w) / n;
    w = g_mul(w, nn_across(repeated(scale, taps), node_shape(w)));
    return bent(at, g_linear(x, w, repeated(shift, taps), ACT_NONE));
}

/* x [rows, in] times w [in, taps * n], norm and activation -> [rows * taps, n]. */
static struct node *product(const struct site *at, struct node *x, struct node *w, int32_t n)
{
    struct node *shift;
    if (has(at, NORM_BATCH) && rows_of(x) >= 8 * width_of(x))
        return as_rows(normed_product(at, x, w, n), n);
    w = prepared(at, w, n, &shift);
    struct node *y = g_linear(x, w, repeated(shift, width_of(w) / n), ACT_NONE);
    return has(at, NORM_BATCH) ? finished(at, as_rows(y, n)) : as_rows(bent(at, y), n);
}

/* ------------------------------------------------------------------ layers */

static int32_t kernel_size(const struct musegan_config *c, int k, int32_t whole)
{
    switch (k) {
    case WHOLE:
        return whole;
    case BARS:
        return c->bars;
    case PAIRS:
        return c->bars > 1 ? c->bars - 1 : 1;
    case TAIL:
        return c->steps / 16;
    case TWO:
        return c->steps / 16 % 2 ? 1 : 2;
    case THREE:
        return c->steps % 3 ? 1 : 3;
    case HALF:
        return (c->octaves - 1) / 2;
    case OCTAVES:
        return c->octaves;
    case COARSE:
        return c->steps > 16 ? 2 : 1;
    default:
        return k;
    }
}

/* A transposed layer on an axis of length 1 cannot overlap. */
static struct site site_of(struct musegan_builder *b, const struct style *s, const char *prefix,
                           const struct layer *row, const struct fmap *x, bool up)
{
    struct site at = {.b = b, .s = s, .over = AXIS_N, .flags = row->flags};
    BUG_ON(!str_format(at.name, sizeof at.name, "%s%s", prefix, row->name));
    at.out = row->flags & LAYER_EXACT ? row->out : musegan_channels(b->c, row->out);
    for (int i = 0; i < 3; i++) {
        int32_t whole = map_size(x, AXIS_B + i);
        at.k[i] = kernel_size(b->c, row->k[i], whole);
        at.stride[i] = row->s[i] ? kernel_size(b->c, row->s[i], whole) : at.k[i];
        if (at.stride[i] == at.k[i] || whole == (up ? 1 : at.k[i]))
            continue;
        BUG_ON(at.over != AXIS_N);
        at.over = AXIS_B + i;
    }
    return at;
}

/* Rows ordered so that all taps of a layer come last, in the order of the axes; of the overlapping axis all of it. */
static struct fmap taps_last(const struct site *at, struct fmap x)
{
    struct fmap want = x;
    int32_t whole = map_size(&x, at->over);
    for (int i = 0; i < 3; i++)
        peel(&want, AXIS_B + i, at->over == AXIS_B + i ? whole : at->k[i]);
    for (int i = 0; i < 3; i++)
        append(&want, AXIS_B + i, at->over == AXIS_B + i ? whole : at->k[i]);
    x = arrange(x, &want);
    for (int i = 0; i < 3; i++)
        peel(&x, AXIS_B + i, at->over == AXIS_B + i ? whole : at->k[i]);
    return x;
}

static int32_t n_taps(const struct site *at, int from, int to)
{
    int32_t n = 1;
    for (int i = from; i < to; i++)
        n *= at->k[i];
    return n;
}

/* Overlapping windows along one axis, side by side for one product: [rows, before, whole, after * in]. */
static struct node *windows(const struct site *at, struct node *x, int32_t whole, int32_t in, int32_t *n_out)
{
    int i = at->over - AXIS_B;
    int32_t before = n_taps(at, 0, i), after = n_taps(at, i + 1, 3) * in,
            n = (whole - at->k[i]) / at->stride[i] + 1;
    int32_t rows = (int32_t)(shape_count(node_shape(x)) / (size_t)(before * whole * after));
    struct node *part[MAX_WINDOWS];
    BUG_ON(n > MAX_WINDOWS);
    x = g_reshape(x, SHAPE(rows, before, whole, after));
    for (int32_t k = 0; k < n; k++)
        part[k] =
            g_reshape(g_slice(x, 2, k * at->stride[i], at->k[i]), SHAPE(rows, before * at->k[i] * after));
    *n_out = n;
    return g_concat(part, n, 1);
}

static struct fmap convolved(const struct site *at, struct fmap x)
{
    int32_t in = width_of(x.x), taps = n_taps(at, 0, 3), whole = map_size(&x, at->over), n_out;
    x = taps_last(at, x);
    if (at->over != AXIS_N) {
        x.x = windows(at, x.x, whole, in, &n_out);
        append(&x, at->over, n_out);
    }
    struct node *w =
        tensor(at, ".w", SHAPE(taps * in, at->out), (struct init_spec){INIT_TRUNC_NORMAL, at->s->deviation});
    x.x = product(at, as_rows(x.x, taps * in), w, at->out);
    return x;
}

/* Tiles that overlap along an axis, added up: y [rows, L, k, width] -> [rows, (L - 1) stride + k, width]. Of each
 * piece's k entries every `stride` tile the result on their own; the last, shorter ones are shifted less. */
static struct node *overlaid(struct node *y, int32_t stride)
{
    struct shape s = node_shape(y);
    int32_t rows = s.dim[0], length = s.dim[1], k = s.dim[2], width = s.dim[3],
            total = (length - 1) * stride + k;
    struct node *sum = NULL;
    for (int32_t from = 0; from < k; from += stride) {
        int32_t n = k - from < stride ? k - from : stride, short_of = stride - n;
        struct node *tile = g_slice(y, 2, from, n);
        if (short_of)
            tile = g_pad(tile, 2, short_of, 0);
        tile = g_reshape(tile, SHAPE(rows, length * stride, width));
        int32_t before = from - short_of;
        tile = g_pad(tile, 1, before, total - before - length * stride);
        sum = sum ? g_add(sum, tile) : tile;
    }
    return sum;
}

static struct fmap spread(const struct site *at, struct fmap x)
{
    int32_t in = width_of(x.x), taps = n_taps(at, 0, 3), out = at->out;
    struct init_spec init = {INIT_TRUNC_NORMAL, at->s->deviation};
    if (at->over == AXIS_N) {
        struct node *w = tensor(at, ".w", SHAPE(in, taps * out), init);
        x.x = as_rows(product(at, x.x, w, at->flags & LAYER_DENSE ? taps * out : out), out);
        for (int i = 0; i < 3; i++)
            append(&x, AXIS_B + i, at->k[i]);
        return x;
    }
    int i = at->over - AXIS_B;
    int32_t before = n_taps(at, 0, i), after = n_taps(at, i + 1, 3), length = map_size(&x, at->over);
    struct fmap want = x;
    peel(&want, at->over, length);
    append(&want, at->over, length);
    x = arrange(x, &want);
    peel(&x, at->over, length);
    int32_t rows = rows_of(x.x) / length;
    struct node *shift, *w = prepared(at, tensor(at, ".w", SHAPE(in, taps * out), init), out, &shift);
    struct node *y = g_matmul(x.x, w, false, false);
    y = g_reshape(y, SHAPE(rows, length, before, at->k[i], after * out));
    if (before > 1)
        y = g_permute(y, (int[]){0, 2, 1, 3, 4});
    y = as_rows(overlaid(g_reshape(y, SHAPE(rows * before, length, at->k[i], after * out)), at->stride[i]),
                out);
    x.x = finished(at, g_add(y, nn_across(shift, node_shape(y))));
    for (int a = 0; a < 3; a++)
        append(&x, AXIS_B + a, a == i ? (length - 1) * at->stride[i] + at->k[i] : at->k[a]);
    return x;
}

struct fmap map_up(struct musegan_builder *b, const struct style *s, const char *prefix, struct chain c,
                   struct fmap x, const struct fmap *join)
{
    for (int i = 0; i < c.n; i++) {
        if (join)
            x = map_beside((struct fmap[]){x, join[i]}, 2);
        struct site at = site_of(b, s, prefix, &c.rows[i], &x, true);
        x = spread(&at, x);
    }
    return x;
}

struct fmap map_down(struct musegan_builder *b, const struct style *s, const char *prefix, struct chain c,
                     struct fmap x, struct fmap *each)
{
    for (int i = 0; i < c.n; i++) {
        struct site at = site_of(b, s, prefix, &c.rows[i], &x, false);
        x = convolved(&at, x);
        if (each)
            each[i] = x;
    }
    return x;
}

/* A product with one column would be a poor one: it stands `taps` times along a diagonal. */
static struct node *to_one(struct graph *g, struct node *x, struct node *w, int32_t taps)
{
    float unit[MOST_TAPS * MOST_TAPS] = {0};
    int32_t in = width_of(x);
    struct shape blocks = SHAPE(taps, in, taps);
    for (int32_t t = 0; t < taps; t++)
        unit[t * taps + t] = 1;
    struct node *diagonal = g_expand(g_const_data(g, SHAPE(taps, 1, taps), unit), blocks);
    w = g_mul(g_expand(g_reshape(w, SHAPE(1, in, 1)), blocks), diagonal);
    return g_matmul(as_rows(x, taps * in), g_reshape(w, SHAPE(taps * in, taps)), false, false);
}

struct fmap map_merge(struct musegan_builder *b, const struct style *s, const char *prefix, struct layer row,
                      const struct fmap *parts, int n)
{
    struct site at = site_of(b, s, prefix, &row, &parts[0], true);
    int32_t in = 0, from = 0;
    for (int i = 0; i < n; i++)
        in += width_of(parts[i].x);
    struct init_spec init = {INIT_TRUNC_NORMAL, s->deviation};
    struct node *shift, *w = prepared(&at, tensor(&at, ".w", SHAPE(in, at.out), init), at.out, &shift);
    struct fmap sum = {0};
    for (int i = 0; i < n; from += width_of(parts[i++].x)) {
        struct fmap y = parts[i];
        int32_t fastest = y.f[y.n - 1].size;
        struct node *own = g_slice(w, 0, from, width_of(y.x));
        y.x = at.out > 1 ? g_matmul(y.x, own, false, false)
                         : as_rows(to_one(b->net->g, y.x, own, fastest <= MOST_TAPS ? fastest : 1), 1);
        if (sum.x)
            sum.x = g_add(sum.x, arrange(y, &sum).x);
        else
            sum = y;
    }
    sum.x = finished(&at, g_add(sum.x, nn_across(shift, node_shape(sum.x))));
    return sum;
}
