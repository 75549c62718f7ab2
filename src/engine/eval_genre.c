/* eval_genre.c: a judge of genres. Features of a phrase are counted by hand (what sounds, how high, how long,
 * where in the beat and bar, which drums, which degrees of the key, what repeats); a network with one hidden
 * layer learns the genres of real training phrases from them, every genre weighing the same. It says how well
 * a genre can be heard at all (held-out real phrases) and how well in what a model makes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "eval_parts.h"
#include "mem.h"
#include "rng.h"
#include "theory.h"

enum {
    N_DRUM_CLASSES = 10, SIXTEENTHS = 16, BEAT_STEPS = 12,
    ROLE_FEATURES = 9 + BEAT_STEPS + 8,
    DRUM_FEATURES = N_DRUM_CLASSES + 3 * SIXTEENTHS,
    KEY_FEATURES = 12 + 12 + 2,
    N_FEATURES = N_ROLES * ROLE_FEATURES + DRUM_FEATURES + KEY_FEATURES,
    HIDDEN = EAR_HIDDEN, MAX_GENRES = 64, PER_GENRE = 1500, EPOCHS = 8, BATCH = 32,
};

/* Weights of both layers lie in one block, so that the optimiser is one loop. */
enum { W1 = 0, B1 = W1 + N_FEATURES * HIDDEN, W2 = B1 + HIDDEN, B2 = W2 + HIDDEN * MAX_GENRES,
       N_WEIGHTS = B2 + MAX_GENRES };

static const double DROPOUT = 0.5;

struct ear {
    int n_genres;
    float mean[N_FEATURES], scale[N_FEATURES];
    float w[N_WEIGHTS];
};

/* ---- features ---- */

/* Kick, snare, stick and clap, closed hat, open hat, toms, crash, ride, hand drums, the rest. */
static int drum_class(int pitch)
{
    static const int8_t by_pitch[] = { /* from 35 */
        0, 0, 2, 1, 2, 1, 5, 3, 5, 3, 5, 4, 5, 5, 6, 5, 7, 6, 7, 9, 6, 9, 6, 9, 7, 8, 8, 8, 8, 8, 8, 8,
    };
    int i = pitch - 35;
    return i >= 0 && i < (int)COUNT_OF(by_pitch) ? by_pitch[i] : 9;
}

static void role_features(const struct pnote *p, uint32_t n, int role, float *f)
{
    double pitch = 0, pitch2 = 0, dur = 0;
    int count = 0, chord = 0, prev_start = -1;
    bool used[128] = { false };
    float *beat = f + 9, *eighth = beat + BEAT_STEPS;

    for (uint32_t i = 0; i < n; i++) {
        if (p[i].role != role)
            continue;
        count++;
        pitch += p[i].pitch;
        pitch2 += (double)p[i].pitch * p[i].pitch;
        dur += log2(p[i].dur);
        chord += p[i].start == prev_start;
        prev_start = p[i].start;
        f[5] += !used[p[i].pitch];
        used[p[i].pitch] = true;
        beat[p[i].start % BEAT_STEPS]++;
        eighth[p[i].start % PHRASE_BAR_STEPS / 6]++;
    }
    if (count == 0)
        return;
    f[0] = 1;
    f[1] = (float)log2(1 + count);
    f[2] = (float)(pitch / count / 12);
    f[3] = (float)sqrt(fmax(pitch2 / count - pitch / count * (pitch / count), 0)) / 6;
    f[4] = (float)(dur / count);
    f[5] = log2f(1 + f[5]);
    f[6] = (float)chord / (float)count;
    for (int i = 0; i < BEAT_STEPS + 8; i++)
        beat[i] /= (float)count;
    f[7] = beat[0];
    f[8] = beat[4] + beat[8] - beat[3] - beat[9]; /* triplets against 16ths */
}

static void drum_features(const struct pnote *p, uint32_t n, float *f)
{
    float *place = f + N_DRUM_CLASSES;
    float count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (p[i].role != ROLE_DRUMS)
            continue;
        int c = drum_class(p[i].pitch), voice = c < 2 ? c : c == 3 || c == 7 ? 2 : -1;
        f[c]++;
        count++;
        if (voice >= 0)
            place[voice * SIXTEENTHS + p[i].start % PHRASE_BAR_STEPS / 3] += 0.25f;
    }
    for (int c = 0; c < N_DRUM_CLASSES && count > 0; c++)
        f[c] /= count;
}

static void key_features(const struct pnote *p, uint32_t n, float *f)
{
    struct key k = phrase_key(p, n);
    float all = 0, bass = 0;
    unsigned classes = 0;

    for (uint32_t i = 0; i < n && k.tonic >= 0; i++) {
        int degree = (p[i].pitch + 12 - k.tonic) % 12;
        if (p[i].role == ROLE_DRUMS)
            continue;
        f[degree] += p[i].dur;
        all += p[i].dur;
        classes |= 1u << degree;
        if (p[i].role == ROLE_BASS) {
            f[12 + degree] += p[i].dur;
            bass += p[i].dur;
        }
    }
    for (int i = 0; i < 12; i++) {
        f[i] /= all > 0 ? all : 1;
        f[12 + i] /= bass > 0 ? bass : 1;
    }
    f[24] = k.minor;
    f[25] = (float)__builtin_popcount(classes) / 12;
}

static void features(const struct pnote *p, uint32_t n, float f[N_FEATURES])
{
    memset(f, 0, N_FEATURES * sizeof(*f));
    for (int r = 0; r < N_ROLES; r++)
        role_features(p, n, r, f + r * ROLE_FEATURES);
    drum_features(p, n, f + N_ROLES * ROLE_FEATURES);
    key_features(p, n, f + N_ROLES * ROLE_FEATURES + DRUM_FEATURES);
}

/* ---- the network ---- */

static void forward(const struct ear *j, const float *x, float hidden[HIDDEN], float out[MAX_GENRES])
{
    memcpy(hidden, j->w + B1, HIDDEN * sizeof(*hidden));
    for (int i = 0; i < N_FEATURES; i++)
        for (int k = 0; k < HIDDEN && x[i] != 0; k++)
            hidden[k] += x[i] * j->w[W1 + i * HIDDEN + k];
    for (int k = 0; k < HIDDEN; k++)
        hidden[k] = hidden[k] > 0 ? hidden[k] : 0;
    memcpy(out, j->w + B2, MAX_GENRES * sizeof(*out));
    for (int k = 0; k < HIDDEN; k++)
        for (int g = 0; g < j->n_genres; g++)
            out[g] += hidden[k] * j->w[W2 + k * MAX_GENRES + g];
}

/* Add the gradient of the cross entropy of one example to `grad`. */
static void backward(const struct ear *j, const float *x, int genre, float *grad)
{
    float hidden[HIDDEN], out[MAX_GENRES], top = -1e30f, all = 0;
    forward(j, x, hidden, out);
    for (int g = 0; g < j->n_genres; g++)
        top = out[g] > top ? out[g] : top;
    for (int g = 0; g < j->n_genres; g++)
        all += out[g] = expf(out[g] - top);
    for (int g = 0; g < j->n_genres; g++) {
        out[g] = out[g] / all - (g == genre);
        grad[B2 + g] += out[g];
    }
    for (int k = 0; k < HIDDEN; k++) {
        float back = 0;
        for (int g = 0; g < j->n_genres; g++) {
            grad[W2 + k * MAX_GENRES + g] += hidden[k] * out[g];
            back += out[g] * j->w[W2 + k * MAX_GENRES + g];
        }
        hidden[k] = hidden[k] > 0 ? back : 0;
        grad[B1 + k] += hidden[k];
    }
    for (int i = 0; i < N_FEATURES; i++)
        for (int k = 0; k < HIDDEN && x[i] != 0; k++)
            grad[W1 + i * HIDDEN + k] += x[i] * hidden[k];
}

/* ---- training ---- */

struct lesson { float *x; int *genre; uint32_t *order; uint32_t n; };

/* Training phrases of a genre, song by song. */
static uint32_t phrases_of(const struct dataset *d, size_t genre, uint32_t *of)
{
    uint32_t count = 0;
    for (size_t i = 0; i < dataset_n(d); i++) {
        struct phrase p = dataset_get(d, i);
        if (p.genre == genre && !p.held_out)
            of[count++] = (uint32_t)i;
    }
    return count;
}

/* One of them, every song as likely as another however long it is: songs are runs of `of`. */
static uint32_t draw(struct rng *r, const uint32_t *of, const uint32_t *first, uint32_t n_songs,
                     uint32_t count)
{
    uint32_t s = rng_below(r, n_songs), end = s + 1 < n_songs ? first[s + 1] : count;
    return of[first[s] + rng_below(r, end - first[s])];
}

/* The same number of training phrases of every genre. */
static void collect(const struct dataset *d, struct rng *r, struct lesson *l)
{
    size_t n_genres = dataset_n_genres(d), n = dataset_n(d);
    uint32_t *of = xcalloc(n + 1, sizeof(*of)), *first = xcalloc(n + 1, sizeof(*first));
    l->x = xcalloc(n_genres * PER_GENRE * N_FEATURES, sizeof(*l->x));
    l->genre = xcalloc(n_genres * PER_GENRE, sizeof(*l->genre));
    l->order = xcalloc(n_genres * PER_GENRE, sizeof(*l->order));
    for (size_t g = 0; g < n_genres; g++) {
        uint32_t count = phrases_of(d, g, of), n_songs = 0;
        for (uint32_t i = 0; i < count; i++)
            if (i == 0 || dataset_get(d, of[i]).song != dataset_get(d, of[i - 1]).song)
                first[n_songs++] = i;
        for (uint32_t k = 0; k < PER_GENRE && count > 0; k++) {
            struct phrase p = dataset_get(d, draw(r, of, first, n_songs, count));
            features(p.notes, p.n, l->x + (size_t)l->n * N_FEATURES);
            l->order[l->n] = l->n;
            l->genre[l->n++] = (int)g;
        }
    }
    free(first);
    free(of);
}

static void standardise(struct ear *j, struct lesson *l)
{
    for (int i = 0; i < N_FEATURES; i++) {
        double sum = 0, square = 0;
        for (uint32_t k = 0; k < l->n; k++) {
            float v = l->x[(size_t)k * N_FEATURES + i];
            sum += v;
            square += (double)v * v;
        }
        double mean = sum / l->n, var = square / l->n - mean * mean;
        j->mean[i] = (float)mean;
        j->scale[i] = var > 1e-8 ? (float)(1 / sqrt(var)) : 0;
        for (uint32_t k = 0; k < l->n; k++) {
            float *v = &l->x[(size_t)k * N_FEATURES + i];
            *v = (*v - j->mean[i]) * j->scale[i];
        }
    }
}

/* One Adam update of every weight, with a little decay. */
static void update(float *w, const float *grad, float *m, float *v, int step)
{
    float c1 = 1 - powf(0.9f, (float)step), c2 = 1 - powf(0.999f, (float)step);
    for (int i = 0; i < N_WEIGHTS; i++) {
        float d = grad[i] / BATCH;
        m[i] = 0.9f * m[i] + 0.1f * d;
        v[i] = 0.999f * v[i] + 0.001f * d * d;
        w[i] -= 1e-3f * (m[i] / c1 / (sqrtf(v[i] / c2) + 1e-8f) + 0.01f * w[i]);
    }
}

/* Leave out some features at random: few songs teach many features, and none may decide alone. */
static void thin_out(const float *from, float *to, struct rng *r)
{
    for (int i = 0; i < N_FEATURES; i++)
        to[i] = rng_uniform(r) < DROPOUT ? 0 : from[i] * (float)(1 / (1 - DROPOUT));
}

static enum err learn(struct ear *j, struct lesson *l, struct rng *r, const atomic_bool *cancel)
{
    float *moments = xcalloc(2 * N_WEIGHTS, sizeof(*moments));
    float *grad = xcalloc(N_WEIGHTS, sizeof(*grad));
    enum err err = ERR_OK;
    int step = 0;

    for (int i = 0; i < N_FEATURES * HIDDEN; i++)
        j->w[W1 + i] = rng_normal(r) * sqrtf(2.0f / N_FEATURES);
    for (int i = 0; i < HIDDEN * MAX_GENRES; i++)
        j->w[W2 + i] = rng_normal(r) * sqrtf(1.0f / HIDDEN);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        rng_shuffle(r, l->order, l->n);
        if (cancel && atomic_load(cancel))
            TRY_OUT(err_set(ERR_CANCELLED, "cancelled"));
        for (uint32_t at = 0; at + BATCH <= l->n; at += BATCH) {
            memset(grad, 0, N_WEIGHTS * sizeof(*grad));
            for (uint32_t k = at; k < at + BATCH; k++) {
                float x[N_FEATURES];
                thin_out(l->x + (size_t)l->order[k] * N_FEATURES, x, r);
                backward(j, x, l->genre[l->order[k]], grad);
            }
            update(j->w, grad, moments, moments + N_WEIGHTS, ++step);
        }
    }
out:
    free(grad);
    free(moments);
    return err;
}

enum err ear_new(const struct dataset *d, uint64_t seed, const atomic_bool *cancel, struct ear **out)
{
    struct lesson l = { .n = 0 };
    struct rng r;

    if (dataset_n_genres(d) > MAX_GENRES)
        return err_set(ERR_UNSUPPORTED, "%zu genres, the judge knows %d at most", dataset_n_genres(d), MAX_GENRES);
    rng_init(&r, seed, 0x6a75);
    struct ear *j = xcalloc(1, sizeof(*j));
    j->n_genres = (int)dataset_n_genres(d);
    collect(d, &r, &l);
    standardise(j, &l);
    enum err err = learn(j, &l, &r, cancel);
    free(l.x);
    free(l.genre);
    free(l.order);
    if (err == ERR_OK)
        *out = j;
    else
        ear_free(j);
    return err;
}

void ear_free(struct ear *j)
{
    free(j);
}

static void hear(const struct ear *j, const struct pnote *notes, uint32_t n, float hidden[HIDDEN],
                 float out[MAX_GENRES])
{
    float x[N_FEATURES];
    features(notes, n, x);
    for (int i = 0; i < N_FEATURES; i++)
        x[i] = (x[i] - j->mean[i]) * j->scale[i];
    forward(j, x, hidden, out);
}

int ear_genre(const struct ear *j, const struct pnote *notes, uint32_t n)
{
    float hidden[HIDDEN], out[MAX_GENRES];
    int best = 0;
    hear(j, notes, n, hidden, out);
    for (int g = 1; g < j->n_genres; g++)
        best = out[g] > out[best] ? g : best;
    return best;
}

void ear_hear(const struct ear *j, const struct pnote *notes, uint32_t n, double point[EAR_HIDDEN])
{
    float hidden[HIDDEN], out[MAX_GENRES];
    hear(j, notes, n, hidden, out);
    for (int i = 0; i < HIDDEN; i++)
        point[i] = (double)hidden[i];
}
