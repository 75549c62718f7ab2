/* ukr_tile.h: the micro-kernel, written once in GCC vector extensions and included by each ukr_*.c after
 * it defined VL (floats in a vector), MR (rows of a tile), DOT_ROWS, UKR (the name of its table row), LOW
 * and HIGH (which lanes interleave the lower and the upper halves of two vectors), and loads and stores of
 * a part of a vector (load_part, store_part). A tile is MR x 2 VL; the accumulators, two vectors of B and
 * one broadcast of A fill the register file, which is what MR and VL are chosen for. */
#include <string.h>
#include "ukr.h"

enum { NR = 2 * VL };
#define INLINE static inline __attribute__((always_inline))
/* The accumulators become registers only if every loop over them is gone. */
#define UNROLL _Pragma("GCC unroll 16")
typedef int ivec __attribute__((vector_size(VL * 4)));

INLINE vec load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, vec v)
{
    memcpy(p, &v, sizeof v);
}

INLINE vec splat(float x)
{
    return x - (vec){0};
}

INLINE vec finish(const struct ukr_tile *t, vec v, vec bias)
{
    v = v * splat(t->scale) + bias;
    if (t->leaky) {
        ivec positive = v > 0;
        v = (vec)(((ivec)v & positive) | ((ivec)(v * splat(t->slope)) & ~positive));
    }
    return v;
}

/* m rows by nv vectors, both constant after inlining; if part, the last vector has only `last` columns. */
INLINE void tile(const struct ukr_tile *t, const int m, const int nv, const bool part, const int last)
{
    vec acc[MR][2 * UKR_WIDE];
    UNROLL for (int i = 0; i < m; i++)
        UNROLL for (int j = 0; j < nv; j++) {
            acc[i][j] = (vec){0};
            if (t->beta != 0) {
                const float *c = t->c + i * t->c_row + j * VL;
                acc[i][j] = splat(t->beta) * (part && j == nv - 1 ? load_part(c, last) : load(c));
            }
        }
    /* Rows in threes: [g], [g + row], [g + 2 row] are address modes, twelve pointers would not fit. */
    const float *a[(MR + 2) / 3], *b = t->b;
    const ptrdiff_t a_row = t->a_row, a_col = t->a_col, b_row = t->b_row, b_panel = t->b_panel;
    UNROLL for (int g = 0; g < (m + 2) / 3; g++)
        a[g] = t->a + 3 * g * a_row;
    for (int p = t->k; p > 0; p--) {
        vec bv[2 * UKR_WIDE];
        UNROLL for (int j = 0; j < nv; j++) {
            const float *bj = b + (j / 2) * b_panel + (j % 2) * VL;
            bv[j] = part && j == nv - 1 ? load_part(bj, last) : load(bj);
        }
        UNROLL for (int i = 0; i < m; i++) {
            vec av = splat(a[i / 3][i % 3 * a_row]);
            UNROLL for (int j = 0; j < nv; j++)
                acc[i][j] += av * bv[j];
        }
        UNROLL for (int g = 0; g < (m + 2) / 3; g++)
            a[g] += a_col;
        b += b_row;
    }
    UNROLL for (int j = 0; j < nv; j++) {
        const bool cut = part && j == nv - 1;
        vec bias = {0};
        if (t->bias)
            bias = cut ? load_part(t->bias + j * VL, last) : load(t->bias + j * VL);
        UNROLL for (int i = 0; i < m; i++) {
            float *c = t->c + i * t->c_row + j * VL;
            vec v = finish(t, acc[i][j], bias);
            if (cut)
                store_part(c, last, v);
            else
                store(c, v);
        }
    }
}

/* Few rows leave most accumulators idle, so one call takes several panels of B. */
static int wide(int m)
{
    return m == 1 ? 4 : m <= 3 ? 2 : 1;
}

INLINE void rows(const struct ukr_tile *t, const int m)
{
    const int n = t->n;
    if (m == 1 && n == 4 * NR)
        tile(t, m, 8, false, 0);
    else if (m <= 3 && n == 2 * NR)
        tile(t, m, 4, false, 0);
    else if (n == NR)
        tile(t, m, 2, false, 0);
    else if (n > VL)
        tile(t, m, 2, true, n - VL);
    else if (n == VL)
        tile(t, m, 1, false, 0);
    else
        tile(t, m, 1, true, n);
}

/* One function for each number of rows, so that each gets the registers to itself. */
#define ROWS(M)                                                                  \
    static __attribute__((noinline)) void rows_##M(const struct ukr_tile *t)     \
    {                                                                            \
        rows(t, M);                                                              \
    }
ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6)
#if MR > 6
ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12)
#endif

static void run(const struct ukr_tile *t)
{
    static void (*const by_rows[MR])(const struct ukr_tile *) = {
        rows_1, rows_2, rows_3, rows_4, rows_5, rows_6,
#if MR > 6
        rows_7, rows_8, rows_9, rows_10, rows_11, rows_12,
#endif
    };
    by_rows[t->m - 1](t);
}

/* VL x VL by perfect shuffles: interleaving row i with row i + VL / 2, log2(VL) times, is a transpose. */
INLINE void transpose(vec *r)
{
    UNROLL for (int step = 1; step < VL; step *= 2) {
        vec t[VL];
        UNROLL for (int i = 0; i < VL / 2; i++) {
            t[2 * i] = __builtin_shuffle(r[i], r[i + VL / 2], (ivec)LOW);
            t[2 * i + 1] = __builtin_shuffle(r[i], r[i + VL / 2], (ivec)HIGH);
        }
        UNROLL for (int i = 0; i < VL; i++)
            r[i] = t[i];
    }
}

/* VL columns (rows of src) by VL rows of a panel. */
static void pack_block(const float *src, ptrdiff_t ld, float *dst)
{
    vec r[VL];
    UNROLL for (int i = 0; i < VL; i++)
        r[i] = load(src + i * ld);
    transpose(r);
    UNROLL for (int i = 0; i < VL; i++)
        store(dst + i * NR, r[i]);
}

static void pack_t(int n, int k, const float *src, ptrdiff_t ld, float *dst)
{
    int p = 0;
    for (; n == NR && p + VL <= k; p += VL)
        for (int j = 0; j < NR; j += VL)
            pack_block(src + j * ld + p, ld, dst + (ptrdiff_t)p * NR + j);
    for (; p < k; p++) {
        float *row = dst + (ptrdiff_t)p * NR;
        for (int j = 0; j < n; j++)
            row[j] = src[j * ld + p];
        for (int j = n; j < NR; j++)
            row[j] = 0;
    }
}

static void pack_a(int m, int k, const float *src, ptrdiff_t ld, float *dst)
{
    const int whole = m / MR, rest = m % MR;
    for (int p = 0; p < k; p++, src += ld, dst += MR) {
        for (int t = 0; t < whole; t++)
            memcpy(dst + (ptrdiff_t)t * k * MR, src + t * MR, MR * sizeof *dst);
        for (int i = 0; i < rest; i++)
            dst[(ptrdiff_t)whole * k * MR + i] = src[whole * MR + i];
    }
}

INLINE float sum_of(vec v)
{
    float sum = 0;
    UNROLL for (int j = 0; j < VL; j++)
        sum += v[j];
    return sum;
}

static float dot(const float *a, const float *b, size_t n)
{
    vec s[4] = {{0}, {0}, {0}, {0}};
    size_t i = 0;
    for (; i + 4 * VL <= n; i += 4 * VL)
        UNROLL for (int j = 0; j < 4; j++)
            s[j] += load(a + i + j * VL) * load(b + i + j * VL);
    for (; i + VL <= n; i += VL)
        s[0] += load(a + i) * load(b + i);
    if (i < n)
        s[1] += load_part(a + i, (int)(n - i)) * load_part(b + i, (int)(n - i));
    return sum_of((s[0] + s[1]) + (s[2] + s[3]));
}

/* m x VL dot products: VL rows of b, four at a time; their partial sums are added up by one transpose. */
INLINE void dot_block(const struct ukr_dots *t, const int m, int i, int j)
{
    vec acc[DOT_ROWS][VL];
    UNROLL for (int g = 0; g < VL; g += 4) {
        const float *a = t->a + i * t->a_row, *b = t->b + (j + g) * t->b_row;
        UNROLL for (int r = 0; r < m; r++)
            UNROLL for (int q = 0; q < 4; q++)
                acc[r][g + q] = (vec){0};
        int p = 0;
        for (; p + VL <= t->k; p += VL)
            UNROLL for (int r = 0; r < m; r++)
                UNROLL for (int q = 0; q < 4; q++)
                    acc[r][g + q] += load(a + r * t->a_row + p) * load(b + q * t->b_row + p);
        if (p < t->k)
            UNROLL for (int r = 0; r < m; r++)
                UNROLL for (int q = 0; q < 4; q++)
                    acc[r][g + q] += load_part(a + r * t->a_row + p, t->k - p) *
                                     load_part(b + q * t->b_row + p, t->k - p);
    }
    for (int r = 0; r < m; r++) {
        transpose(acc[r]);
        vec sum = acc[r][0];
        UNROLL for (int q = 1; q < VL; q++)
            sum += acc[r][q];
        store(t->c + (i + r) * t->c_row + j, sum);
    }
}

static void dots(const struct ukr_dots *t)
{
    int j = 0;
    for (; j + VL <= t->n; j += VL) {
        int i = 0;
        for (; i + DOT_ROWS <= t->m; i += DOT_ROWS)
            dot_block(t, DOT_ROWS, i, j);
        for (; i < t->m; i++)
            dot_block(t, 1, i, j);
    }
    for (; j < t->n; j++)
        for (int i = 0; i < t->m; i++)
            t->c[i * t->c_row + j] = dot(t->a + i * t->a_row, t->b + j * t->b_row, (size_t)t->k);
}

static void copy_rows(float *dst, ptrdiff_t dst_row, const float *src, ptrdiff_t src_row, int rows, int n)
{
    for (; rows > 0; rows--, dst += dst_row, src += src_row) {
        int i = 0;
        for (; i + VL <= n; i += VL)
            store(dst + i, load(src + i));
        if (i < n)
            store_part(dst + i, n - i, load_part(src + i, n - i));
    }
}

static void add_rows(float *dst, ptrdiff_t dst_row, const float *src, ptrdiff_t src_row, int rows, int n)
{
    for (; rows > 0; rows--, dst += dst_row, src += src_row) {
        int i = 0;
        for (; i + VL <= n; i += VL)
            store(dst + i, load(dst + i) + load(src + i));
        if (i < n)
            store_part(dst + i, n - i, load_part(dst + i, n - i) + load_part(src + i, n - i));
    }
}

/* Twelve chains hide the latency of the unit; the numbers converge to 2 and stay there. */
static double fma_flops(long rounds)
{
    vec v[12], half = splat(0.5f), one = splat(1.0f);
    UNROLL for (int j = 0; j < 12; j++)
        v[j] = splat((float)j);
    for (long r = 0; r < rounds; r++)
        UNROLL for (int j = 0; j < 12; j++)
            v[j] = v[j] * half + one;
    vec sum = v[0];
    for (int j = 1; j < 12; j++)
        sum += v[j];
    volatile float keep = sum[0];
    (void)keep;
    return 2.0 * 12 * VL * (double)rounds;
}

const struct ukr UKR = {
    .mr = MR, .nr = NR, .run = run, .wide = wide, .pack_t = pack_t, .pack_a = pack_a, .dot = dot,
    .dots = dots, .copy_rows = copy_rows, .add_rows = add_rows, .fma_flops = fma_flops,
};
