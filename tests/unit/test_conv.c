/* test_conv.c: the three forms of convolution against loops over positions and taps in double. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "compute/cpu/conv.h"
#include "uniform.h"

static struct pool *pool;

static int between(int lo, int hi)
{
    return lo + (int)((uniform() * 0.5f + 0.5f) * 0.999f * (float)(hi - lo + 1));
}

static size_t size_of(int n, const int s[3], int channels)
{
    return (size_t)n * s[0] * s[1] * s[2] * channels;
}

static int taps(const struct conv_shape *s)
{
    return s->geom.kernel[0] * s->geom.kernel[1] * s->geom.kernel[2];
}

/* Position of x under tap t of output o, or -1 outside. */
static long under(const struct conv_shape *s, int n, const int o[3], int t)
{
    const int32_t *k = s->geom.kernel;
    const int tap[3] = {t / (k[1] * k[2]), t / k[2] % k[1], t % k[2]};
    long at = n;
    for (int a = 0; a < 3; a++) {
        const int i = o[a] * s->geom.stride[a] + tap[a] - s->geom.lo[a];
        if (i < 0 || i >= s->in[a])
            return -1;
        at = at * s->in[a] + i;
    }
    return at;
}

/* Visits all products x w y of the trilinear form; the result named by `which` is accumulated in double. */
static void reference(const struct conv_shape *s, int which, const float *x, const float *w, const float *y,
                      double *r)
{
    long row = 0;
    for (int n = 0; n < s->n; n++)
        for (int o1 = 0; o1 < s->out[0]; o1++)
            for (int o2 = 0; o2 < s->out[1]; o2++)
                for (int o3 = 0; o3 < s->out[2]; o3++, row++)
                    for (int t = 0; t < taps(s); t++) {
                        const long at = under(s, n, (const int[3]){o1, o2, o3}, t);
                        for (int i = 0; at >= 0 && i < s->cin; i++)
                            for (int j = 0; j < s->cout; j++) {
                                const long xi = at * s->cin + i, yi = row * s->cout + j;
                                const long wi = ((long)t * s->cin + i) * s->cout + j;
                                if (which == CONV_FWD)
                                    r[yi] += (double)x[xi] * w[wi];
                                else if (which == CONV_DATA)
                                    r[xi] += (double)y[yi] * w[wi];
                                else
                                    r[wi] += (double)x[xi] * y[yi];
                            }
                    }
}

static void describe(const struct conv_shape *s, char text[200])
{
    const struct geom *g = &s->geom;
    snprintf(text, 200, "n %d in %d,%d,%d c %d->%d k %d,%d,%d s %d,%d,%d lo %d,%d,%d hi %d,%d,%d", s->n,
             s->in[0], s->in[1], s->in[2], s->cin, s->cout, g->kernel[0], g->kernel[1], g->kernel[2],
             g->stride[0], g->stride[1], g->stride[2], g->lo[0], g->lo[1], g->lo[2], g->hi[0], g->hi[1],
             g->hi[2]);
}

static void run(const struct conv_shape *s, int which, float *x, float *w, float *y)
{
    float *workspace = block(conv_workspace(s, which));
    if (which == CONV_FWD)
        conv_fwd(pool, s, x, w, y, workspace);
    else if (which == CONV_DATA)
        conv_bwd_data(pool, s, y, w, x, workspace);
    else
        conv_bwd_weights(pool, s, x, y, w, workspace);
    mem_block_free(workspace);
}

/* Packed weights are no other weights. */
static void check_packed(const struct conv_shape *s, float *x, float *w, const float *y, size_t n)
{
    if (conv_packed_floats(s) == 0)
        return;
    float *packed = block(conv_packed_floats(s)), *workspace = block(conv_workspace(s, CONV_FWD)), *again = block(n);
    conv_pack(pool, s, w, packed);
    conv_fwd_packed(pool, s, x, packed, again, workspace);
    assert_memory_equal(again, y, n * sizeof *again);
    mem_block_free(packed);
    mem_block_free(workspace);
    mem_block_free(again);
}

static void check(const struct conv_shape *s)
{
    const size_t size[3] = {size_of(s->n, s->out, s->cout), size_of(s->n, s->in, s->cin),
                            (size_t)taps(s) * s->cin * s->cout};
    float *y = block(size[CONV_FWD]), *x = block(size[CONV_DATA]), *w = block(size[CONV_WEIGHTS]);
    for (int which = CONV_FWD; which <= CONV_WEIGHTS; which++) {
        double *want = xcalloc(size[which], sizeof *want);
        reference(s, which, x, w, y, want);
        float *result = block(size[which]); /* every element must be written */
        memset(result, 0xff, size[which] * sizeof *result);
        run(s, which, which == CONV_DATA ? result : x, which == CONV_WEIGHTS ? result : w,
            which == CONV_FWD ? result : y);
        const double terms = which == CONV_FWD ? taps(s) * s->cin : which == CONV_DATA ? taps(s) * s->cout :
                             (double)size[CONV_FWD] / s->cout;
        for (size_t i = 0; i < size[which]; i++)
            if (!(fabs(result[i] - want[i]) <= 2e-6 * (terms + 2))) {
                char text[200];
                describe(s, text);
                fail_msg("form %d, element %zu: %.8g, want %.8g; %s", which, i, (double)result[i], want[i],
                         text);
            }
        if (which == CONV_FWD)
            check_packed(s, x, w, result, size[which]);
        mem_block_free(result);
        free(want);
    }
    mem_block_free(x);
    mem_block_free(y);
    mem_block_free(w);
}

static void set_out(struct conv_shape *s)
{
    const struct geom *g = &s->geom;
    for (int a = 0; a < 3; a++)
        s->out[a] = (s->in[a] + g->lo[a] + g->hi[a] - g->kernel[a]) / g->stride[a] + 1;
}

static void test_layers(void **state)
{
    (void)state;
    struct conv_shape shapes[] = {
        {3, {1, 1, 1}, {0}, 40, 24, {{1, 1, 1}, {1, 1, 1}, {0}, {0}}},
        {2, {4, 1, 1}, {0}, 64, 33, {{4, 1, 1}, {4, 1, 1}, {0}, {0}}},
        {2, {4, 4, 3}, {0}, 32, 48, {{1, 4, 3}, {1, 4, 3}, {0}, {0}}},
        {2, {4, 16, 7}, {0}, 32, 64, {{1, 4, 3}, {1, 4, 2}, {0}, {0}}},
        {1, {4, 16, 7}, {0}, 64, 40, {{1, 4, 3}, {1, 4, 2}, {0}, {0}}},
        {2, {2, 8, 84}, {0}, 5, 16, {{1, 1, 12}, {1, 1, 12}, {0}, {0}}},
        {2, {2, 12, 84}, {0}, 5, 16, {{1, 3, 1}, {1, 3, 1}, {0}, {0}}},
        {2, {2, 12, 7}, {0}, 16, 32, {{1, 3, 1}, {1, 3, 1}, {0}, {0}}},
        {2, {4, 1, 1}, {0}, 96, 64, {{2, 1, 1}, {1, 1, 1}, {0}, {0}}},
        {2, {1, 16, 21}, {0}, 32, 32, {{1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
        {1, {1, 9, 12}, {0}, 48, 32, {{1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
        {3, {2, 13, 10}, {0}, 64, 48, {{1, 3, 3}, {1, 1, 1}, {0}, {0}}},
        {2, {1, 7, 8}, {0}, 32, 80, {{1, 3, 3}, {1, 1, 1}, {0, 2, 0}, {0, 0, 2}}},
        {37, {1, 8, 8}, {0}, 32, 32, {{1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
        {2, {3, 6, 7}, {0}, 24, 3, {{2, 3, 3}, {1, 1, 1}, {1, 0, 2}, {0, 1, 0}}},
        {2, {1, 37, 19}, {0}, 16, 1, {{1, 5, 5}, {1, 1, 1}, {0, 4, 2}, {0, 0, 3}}},
        {1, {1, 20, 22}, {0}, 1, 8, {{1, 7, 7}, {1, 1, 1}, {0, 3, 3}, {0, 3, 3}}},
        {1, {1, 20, 22}, {0}, 8, 1, {{1, 7, 7}, {1, 1, 1}, {0, 3, 3}, {0, 3, 3}}},
        {1, {1, 24, 44}, {0}, 8, 20, {{1, 4, 4}, {1, 2, 2}, {0, 1, 1}, {0, 1, 1}}},
        {3, {1, 1, 50}, {0}, 7, 9, {{1, 1, 5}, {1, 1, 1}, {0, 0, 4}, {0, 0, 0}}},
        {1, {1, 40, 84}, {0}, 16, 1, {{1, 1, 1}, {1, 1, 1}, {0}, {0}}},
    };
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        set_out(&shapes[i]);
        check(&shapes[i]);
    }
}

static void test_random(void **state)
{
    (void)state;
    for (int i = 0; i < 250; i++) {
        struct conv_shape s = {.n = between(1, 4), .cin = between(1, 40), .cout = between(1, 40)};
        const int axes = between(1, 3);
        bool fits = true;
        for (int a = 0; a < 3; a++) {
            const bool used = a >= 3 - axes;
            s.in[a] = used ? between(1, 10) : 1;
            s.geom.kernel[a] = used ? between(1, 4) : 1;
            s.geom.stride[a] = used && between(0, 1) ? between(1, 3) : s.geom.kernel[a];
            s.geom.lo[a] = used && between(0, 1) ? between(0, s.geom.kernel[a] - 1) : 0;
            s.geom.hi[a] = used && between(0, 1) ? between(0, s.geom.kernel[a] - 1) : 0;
            fits = fits && s.in[a] + s.geom.lo[a] + s.geom.hi[a] >= s.geom.kernel[a];
        }
        if (!fits)
            continue;
        set_out(&s);
        check(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_layers), cmocka_unit_test(test_random)};
    seed = 7;
    pool = pool_new(2);
    const int failed = cmocka_run_group_tests_name("conv", tests, NULL, NULL);
    pool_free(pool);
    return failed;
}
