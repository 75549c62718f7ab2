/* audio_compare.c: is what was heard what was written?
 *
 *     audio_compare HEARD.wav WRITTEN.wav
 *
 * Both mixed to one channel. The written file's place in the other is found by the correlation of loudness; then
 * second by second by that of samples, because a sound server that comes too late leaves a gap and goes on. Told
 * are the correlation of the seconds, how often the place moved, the level, and blocks in which nothing was heard
 * of music that is loud in the file. */
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 256, FINE = 16 * BLOCK };
struct sound { float *x; long n; int rate; };

static struct sound load(const char *path)
{
    SF_INFO info = {0};
    SNDFILE *f = sf_open(path, SFM_READ, &info);
    if (!f) {
        fprintf(stderr, "audio_compare: %s: %s\n", path, sf_strerror(NULL));
        exit(2);
    }
    float *all = calloc((size_t)(info.frames * info.channels) + 1, sizeof *all);
    long n = sf_readf_float(f, all, info.frames);
    struct sound s = {calloc((size_t)n + 1, sizeof *s.x), n, info.samplerate};
    for (long i = 0; i < n; i++)
        for (int c = 0; c < info.channels; c++)
            s.x[i] += all[i * info.channels + c] / (float)info.channels;
    free(all);
    sf_close(f);
    return s;
}

static struct sound loudness(const struct sound *s)
{
    struct sound e = {calloc((size_t)(s->n / BLOCK) + 1, sizeof *e.x), s->n / BLOCK, s->rate};
    for (long i = 0; i < e.n * BLOCK; i++)
        e.x[i / BLOCK] += s->x[i] * s->x[i] / BLOCK;
    for (long i = 0; i < e.n; i++)
        e.x[i] = sqrtf(e.x[i]);
    return e;
}

/* Correlation of b with a moved by `at`, over their common part from `from` on. */
static double correlation(const struct sound *a, const struct sound *b, long at, long from, long n)
{
    double ab = 0, aa = 0, bb = 0;
    for (long i = from; i < b->n && i < from + n && i + at < a->n; i++) {
        if (i + at < 0)
            continue;
        double x = (double)a->x[i + at], y = (double)b->x[i];
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

static long best_place(const struct sound *a, const struct sound *b, long lo, long hi, long from, long n)
{
    long best = lo;
    double most = -2;
    for (long at = lo; at <= hi; at++) {
        double c = correlation(a, b, at, from, n);
        if (c > most) {
            most = c;
            best = at;
        }
    }
    return best;
}

/* Every sounding second of `written` in `heard`, beginning near `at`: correlations into out, how many. */
static int seconds(const struct sound *heard, const struct sound *written, long at, double *out, int *slips)
{
    int n = 0;
    for (long from = 0; from + written->rate <= written->n; from += written->rate) {
        double energy = 0;
        for (long i = from; i < from + written->rate; i++)
            energy += (double)(written->x[i] * written->x[i]);
        if (energy < 1e-6 * written->rate)
            continue;
        long place = at;
        if (correlation(heard, written, at, from, written->rate) < 0.98) {
            place = best_place(heard, written, at - FINE, at + FINE, from, written->rate / 8);
        }
        out[n] = correlation(heard, written, place, from, written->rate);
        if (out[n++] > 0.9) { /* else the gap lies within: look again from the old place */
            *slips += n > 1 && place != at;
            at = place;
        }
    }
    return n;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double level_of(const struct sound *s)
{
    double sum = 0;
    for (long i = 0; i < s->n; i++)
        sum += (double)(s->x[i] * s->x[i]);
    return 10 * log10(sum + 1e-20);
}

int main(int argc, char **argv)
{
    static double c[3600];
    if (argc != 3)
        return 2;
    struct sound heard = load(argv[1]), written = load(argv[2]);
    if (heard.rate != written.rate || written.n > 3600L * written.rate) {
        fprintf(stderr, "audio_compare: rates differ, or more than an hour\n");
        return 2;
    }
    struct sound a = loudness(&heard), b = loudness(&written);
    long at = best_place(&a, &b, -8, a.n - 1, 0, b.n), gaps = 0;
    int slips = 0, n = seconds(&heard, &written, at * BLOCK, c, &slips);
    for (long i = 0; i < b.n; i++)
        gaps += b.x[i] > 0.01f && (i + at < 0 || i + at >= a.n || a.x[i + at] < 0.1f * b.x[i]);
    qsort(c, (size_t)n, sizeof *c, by_size);
    double level = level_of(&heard) - level_of(&written), median = n ? c[n / 2] : 0;
    printf("begins %.3f s in; correlation of its %d seconds: median %.5f, least %.5f; %d slips, level %+.2f dB, "
           "%ld of %ld blocks missing\n", (double)(at * BLOCK) / heard.rate, n, median, n ? c[0] : 0, slips, level, gaps, b.n);
    int good = median > 0.99 && fabs(level) < 1;
    puts(good ? "good" : "BAD");
    return good ? 0 : 1;
}
