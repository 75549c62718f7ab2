/* latent.c: see latent.h. */
#include "latent.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "mem.h"
#include "npz.h"
#include "str.h"

enum { MAX_ROWS = 256, MAX_FILE = 256 << 20 };

void latents_fini(struct latents *l)
{
    free(l->z);
    *l = (struct latents){ NULL, 0, 0 };
}

static bool is_npy(const char *text)
{
    return str_same(path_ext(text), ".npy");
}

bool latents_named(const char *text)
{
    return is_npy(text) || (*text && strspn(text, "0123456789+-") == strlen(text) && !file_exists(text));
}

static enum err allocate(const struct model_kind *kind, const struct model *m, int n_bars, int rows, struct latents *out)
{
    if (!kind->latent)
        return err_set(ERR_UNSUPPORTED, "a model of the family %s has no latent vectors", kind->name);
    out->n = kind->latent(m, n_bars, 0, NULL);
    out->rows = rows;
    return mem_try_alloc((size_t)rows * (size_t)out->n, sizeof(float), (void **)&out->z);
}

enum err latents_of_seeds(const struct model_kind *kind, const struct model *m, int n_bars, uint64_t seed, int rows,
                          struct latents *out)
{
    struct latents l = { NULL, 0, 0 };
    TRY(allocate(kind, m, n_bars, rows, &l));
    for (int i = 0; i < rows; i++)
        (void)kind->latent(m, n_bars, seed + (uint64_t)i, l.z + (size_t)i * (size_t)l.n);
    *out = l;
    return ERR_OK;
}

/* ---- files ---- */

static double number_at(const struct npy *a, size_t i)
{
    return a->type == NPY_F4 ? (double)((const float *)a->data)[i] : ((const double *)a->data)[i];
}

/* The array as rows of n numbers. */
static enum err take_rows(const struct npy *a, const char *path, int n, struct latents *out)
{
    size_t all = 1;
    if (a->type != NPY_F4 && a->type != NPY_F8)
        return err_set(ERR_FORMAT, "%s does not hold real numbers", path);
    for (int i = 0; i < a->rank; i++)
        all *= (size_t)a->dim[i];   /* the reader has checked that this is what the file holds */
    size_t rows = a->rank > 1 ? (size_t)a->dim[0] : 1;
    if (rows < 1 || rows > MAX_ROWS || all != rows * (size_t)n)
        return err_set(ERR_SHAPE, "%s: %zu numbers a take in %zu takes; this model takes %d for so many bars, of at most %d "
                                  "takes", path, rows ? all / rows : 0, rows, n, MAX_ROWS);
    for (size_t i = 0; i < all; i++)
        if (!isfinite(number_at(a, i)) || fabs(number_at(a, i)) > 1e6)
            return err_set(ERR_RANGE, "%s: number %zu is %g", path, i, number_at(a, i));
    out->rows = (int)rows;
    out->n = n;
    TRY(mem_try_alloc(all, sizeof(float), (void **)&out->z));
    for (size_t i = 0; i < all; i++)
        out->z[i] = (float)number_at(a, i);
    return ERR_OK;
}

static enum err load(const char *path, int n, struct latents *out)
{
    uint8_t *bytes = NULL;
    size_t len;
    struct npy a = { .rank = 0 };
    TRY(file_read(path, MAX_FILE, &bytes, &len));
    enum err err = npy_read(bytes, len, path, &a);
    if (err == ERR_OK)
        err = take_rows(&a, path, n, out);
    npy_fini(&a);
    free(bytes);
    return err;
}

enum err latents_save(const struct latents *l, const char *path)
{
    const struct npy a = { .type = NPY_F4, .rank = 2, .dim = { l->rows, l->n }, .data = l->z,
                           .bytes = (size_t)l->rows * (size_t)l->n * sizeof(float) };
    uint8_t *bytes = NULL;
    size_t len;
    TRY(npy_write(&a, &bytes, &len));
    enum err err = file_write(path, bytes, len);
    free(bytes);
    return err;
}

/* ---- seeds ---- */

/* "3+5-7", also "-7". Nothing else. */
static enum err add_seeds(const char *text, const struct model_kind *kind, const struct model *m, int n_bars,
                          struct latents *sum)
{
    const char *p = text;
    do {
        char digits[24];
        size_t n = 0;
        float sign = *p == '-' ? -1 : 1;
        int64_t seed;
        struct latents one;
        p += *p == '-' || *p == '+';
        while (isdigit((unsigned char)*p) && n + 1 < sizeof digits)
            digits[n++] = *p++;
        digits[n] = '\0';
        if (parse_int(digits, 0, INT64_MAX, &seed) != ERR_OK || (*p && *p != '+' && *p != '-'))
            return err_set(ERR_FORMAT, "\"%.40s\" is neither a .npy file nor seeds such as 3+5-7", text);
        TRY(latents_of_seeds(kind, m, n_bars, (uint64_t)seed, 1, &one));
        for (int i = 0; i < sum->n; i++)
            sum->z[i] += sign * one.z[i];
        latents_fini(&one);
    } while (*p);
    return ERR_OK;
}

enum err latents_parse(const char *text, const struct model_kind *kind, const struct model *m, int n_bars,
                       struct latents *out)
{
    struct latents l = { NULL, 0, 0 };
    TRY(allocate(kind, m, n_bars, 1, &l));
    enum err err;
    if (is_npy(text)) {
        int n = l.n;
        latents_fini(&l);
        err = load(text, n, &l);
    } else {
        err = add_seeds(text, kind, m, n_bars, &l);
    }
    if (err == ERR_OK)
        *out = l;
    else
        latents_fini(&l);
    return err;
}

/* ---- between ---- */

/* Weights of a and b at share t of the arc between them; of a straight line when they point the same way or
 * against each other. */
static void arc(const struct latents *a, const struct latents *b, double t, double weight[2])
{
    double ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < a->n; i++) {
        ab += (double)a->z[i] * (double)b->z[i];
        aa += (double)a->z[i] * (double)a->z[i];
        bb += (double)b->z[i] * (double)b->z[i];
    }
    double length = sqrt(aa * bb), angle = length > 0 ? acos(fmax(-1, fmin(1, ab / length))) : 0, s = sin(angle);
    weight[0] = s > 1e-6 ? sin((1 - t) * angle) / s : 1 - t;
    weight[1] = s > 1e-6 ? sin(t * angle) / s : t;
}

static void mix(const struct latents *a, const struct latents *b, const struct latents *c, double t, double u,
                bool spherical, float *out)
{
    double weight[2] = { 1 - t - u, t };
    if (spherical)
        arc(a, b, t, weight);
    for (int i = 0; i < a->n; i++) {
        double x = weight[0] * (double)a->z[i] + weight[1] * (double)b->z[i];
        out[i] = (float)(c ? x + u * (double)c->z[i] : x);
    }
}

enum err latents_between(const struct latents *a, const struct latents *b, const struct latents *c, int steps,
                         int columns, bool spherical, struct latents *out)
{
    struct latents l = { NULL, steps * columns, a->n };
    if (a->rows != 1 || b->rows != 1 || (c && c->rows != 1))
        return err_set(ERR_SHAPE, "the ends are one vector each");
    if (spherical && c)
        return err_set(ERR_UNSUPPORTED, "an arc has one direction: leave the third end, or go straight");
    if (steps < 2 || columns < 1 || (c && columns < 2) || l.rows > MAX_ROWS)
        return err_set(ERR_RANGE, "%d x %d steps: 2 or more each way, %d in all at most", steps, columns, MAX_ROWS);
    TRY(mem_try_alloc((size_t)l.rows * (size_t)l.n, sizeof(float), (void **)&l.z));
    for (int i = 0; i < l.rows; i++)
        mix(a, b, c, (double)(i / columns) / (steps - 1), c ? (double)(i % columns) / (columns - 1) : 0, spherical,
            l.z + (size_t)i * (size_t)l.n);
    *out = l;
    return ERR_OK;
}
