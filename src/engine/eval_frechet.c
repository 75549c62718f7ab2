/* eval_frechet.c: two clouds of phrases, as the judge of genres hears them, taken for normal distributions, and the
 * Frechet distance between those: |m - n|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "eval_parts.h"
#include "mem.h"

enum { N = EAR_HIDDEN, SWEEPS = 50 };
typedef double matrix[N][N];

void cloud_add(struct cloud *c, const double point[N])
{
    c->n++;
    for (int i = 0; i < N; i++) {
        c->mean[i] += point[i];
        for (int k = 0; k < N; k++)
            c->product[i][k] += point[i] * point[k];
    }
}

static void covariance(const struct cloud *c, matrix out)
{
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            out[i][k] = (c->product[i][k] - c->mean[i] * c->mean[k] / c->n) / (c->n - 1);
}

/* Turn rows and columns p and q so that their element vanishes; the turns gather in v. */
static void rotate(matrix a, matrix v, int p, int q)
{
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1)), c = 1 / sqrt(t * t + 1), s = t * c;
    for (int k = 0; k < N; k++) {
        double x = a[k][p], y = a[k][q];
        a[k][p] = c * x - s * y;
        a[k][q] = s * x + c * y;
    }
    for (int k = 0; k < N; k++) {
        double x = a[p][k], y = a[q][k];
        a[p][k] = c * x - s * y;
        a[q][k] = s * x + c * y;
        x = v[k][p], y = v[k][q];
        v[k][p] = c * x - s * y;
        v[k][q] = s * x + c * y;
    }
}

/* Jacobi's method: the values of a symmetric matrix land on its diagonal, the vectors in the columns of v. */
static void eigen(matrix a, matrix v)
{
    memset(v, 0, sizeof(matrix));
    for (int i = 0; i < N; i++)
        v[i][i] = 1;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double off = 0, diagonal = 0;
        for (int p = 0; p < N; p++) {
            diagonal += a[p][p] * a[p][p];
            for (int q = p + 1; q < N; q++)
                off += a[p][q] * a[p][q];
        }
        if (off <= 1e-24 * diagonal)
            return;
        for (int p = 0; p < N; p++)
            for (int q = p + 1; q < N; q++)
                if (a[p][q] != 0)
                    rotate(a, v, p, q);
    }
}

static void multiply(matrix a, matrix b, matrix out)
{
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            out[i][k] = 0;
            for (int j = 0; j < N; j++)
                out[i][k] += a[i][j] * b[j][k];
        }
}

static double root(double x)
{
    return x > 0 ? sqrt(x) : 0;
}

/* Trace of (A^1/2 B A^1/2)^1/2; a is overwritten. */
static double trace_of_root(matrix a, matrix b, matrix work[3])
{
    double sum = 0;
    eigen(a, work[0]);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            work[1][i][k] = 0;
            for (int j = 0; j < N; j++)
                work[1][i][k] += work[0][i][j] * root(a[j][j]) * work[0][k][j];
        }
    multiply(work[1], b, work[2]);
    multiply(work[2], work[1], a);
    eigen(a, work[0]);
    for (int i = 0; i < N; i++)
        sum += root(a[i][i]);
    return sum;
}

double cloud_frechet(const struct cloud *x, const struct cloud *y)
{
    if (x->n < 2 || y->n < 2)
        return NAN;
    matrix *m = xcalloc(5, sizeof(*m));
    double d = 0;
    covariance(x, m[0]);
    covariance(y, m[1]);
    for (int i = 0; i < N; i++) {
        double apart = x->mean[i] / x->n - y->mean[i] / y->n;
        d += apart * apart + m[0][i][i] + m[1][i][i];
    }
    d -= 2 * trace_of_root(m[0], m[1], m + 2);
    free(m);
    return d > 0 ? d : 0;
}
