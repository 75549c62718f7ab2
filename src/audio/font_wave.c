/* font_wave.c: the recipes of the built-in instruments and the additive synthesis that makes waves of them.
 *
 * A pitched wave is a sum of partials that are whole numbers of cycles in its loop, so the loop closes
 * exactly whatever they are; before the loop each partial decays at its own rate, from there on it stands
 * still and the synthesizer's envelope does the rest. Everything is drawn from fixed seeds: the same bytes on
 * every run. */
#include "font.h"
#include <math.h>
#include <stdlib.h>
#include "mem.h"
#include "rng.h"

enum { TONE_RATE = 32000, DRUM_RATE = 44100 };

/* Columns: name, programs, roots, seconds, partials tilt even, strike, damp damp_high, voices, noise,
 * attack decay sustain release, level, vibrato key_decay. */
const struct tone tones[] = {
    {"Piano", 0, 7, 33, 93, 0.90f, 24, 0.85f, 1.0f, 0.12f, 0.5f, 0.55f, 1, 0.05f,
     0.001f, 14, -100, 0.25f, 0, 0, 42},
    {"Mallet", 8, 15, 48, 96, 0.40f, 10, 1.3f, 0.15f, 0.0f, 1.0f, 1.8f, 1, 0.06f,
     0.001f, 5, -100, 0.5f, 2, 0, 30},
    {"Organ", 16, 23, 36, 84, 0.0f, 9, 0.7f, 1.0f, 0.0f, 0, 0, 3, 0,
     0.008f, 1, 0, 0.08f, 5, 0, 0},
    {"Guitar", 24, 31, 40, 88, 0.80f, 22, 0.75f, 1.0f, 0.18f, 0.7f, 0.75f, 1, 0.08f,
     0.001f, 9, -100, 0.15f, -3, 0, 25},
    {"Bass", 32, 39, 28, 64, 0.60f, 14, 1.1f, 0.8f, 0.22f, 0.6f, 1.1f, 1, 0.05f,
     0.002f, 9, -100, 0.10f, -4, 0, 20},
    {"Solo string", 40, 47, 43, 91, 0.0f, 20, 1.05f, 1.0f, 0.13f, 0, 0, 1, 0,
     0.06f, 1, 0, 0.20f, 4, 9, 0},
    {"Strings", 48, 55, 36, 84, 0.0f, 18, 1.15f, 1.0f, 0.0f, 0, 0, 3, 0,
     0.12f, 1, 0, 0.45f, 4, 4, 0},
    {"Brass", 56, 63, 40, 88, 0.10f, 18, 0.95f, 1.0f, 0.0f, 0.8f, 0.3f, 1, 0.02f,
     0.035f, 1, -2, 0.12f, 4, 5, 0},
    {"Reed", 64, 71, 44, 92, 0.0f, 14, 1.0f, 0.35f, 0.0f, 0, 0, 1, 0,
     0.03f, 1, 0, 0.12f, 7, 6, 0},
    {"Pipe", 72, 79, 60, 96, 0.05f, 6, 1.9f, 0.7f, 0.0f, 0, 0, 1, 0.10f,
     0.04f, 1, 0, 0.15f, 3, 8, 0},
    {"Lead", 80, 87, 36, 96, 0.0f, 24, 1.0f, 0.6f, 0.0f, 0, 0, 1, 0,
     0.005f, 1, 0, 0.12f, 6, 5, 0},
    {"Pad", 88, 103, 36, 84, 0.0f, 10, 1.5f, 0.8f, 0.0f, 0, 0, 3, 0,
     0.35f, 1, 0, 0.8f, 3, 3, 0},
    {"Plucked", 104, 111, 43, 91, 0.50f, 20, 0.7f, 1.0f, 0.09f, 1.5f, 0.9f, 1, 0.08f,
     0.001f, 5, -100, 0.15f, 1, 0, 25},
    {"Bell", 112, 127, 60, 84, 0.40f, 12, 0.9f, 0.4f, 0.0f, 1.5f, 1.2f, 1, 0.10f,
     0.001f, 4, -100, 0.5f, 4, 0, 30},
};
const size_t n_tones = COUNT_OF(tones);

/* Columns: name, keys, root, seconds, sine: from to fall level decay, noise: level decay band, metal: level
 * decay hz, attenuation, pan, choke. */
const struct drum drums[] = {
    {"Kick", 27, 36, 0, 0.35f, 190, 48, 0.030f, 1.0f, 0.11f, 0.25f, 0.006f, 200, 6000, 0, 0, 0, 0, 0, 0},
    {"Stick", 37, 37, 0, 0.09f, 1700, 1500, 0.01f, 0.6f, 0.012f, 0.6f, 0.010f, 1200, 9000, 0, 0, 0, 5, 5, 0},
    {"Snare", 38, 38, 0, 0.30f, 260, 180, 0.02f, 0.7f, 0.075f, 0.9f, 0.110f, 700, 10000, 0, 0, 0, 0, 0, 0},
    {"Clap", 39, 39, 0, 0.25f, 0, 0, 1, 0, 1, 1.0f, 0.060f, 700, 4000, 0, 0, 0, 4, 10, 0},
    {"Snare 2", 40, 40, 0, 0.26f, 310, 220, 0.02f, 0.6f, 0.045f, 0.9f, 0.060f, 1200, 12000, 0, 0, 0, 1, 0, 0},
    {"Tom", 41, 41, 45, 0.60f, 170, 105, 0.06f, 1.0f, 0.16f, 0.15f, 0.020f, 200, 4000, 0, 0, 0, 2, 25, 0},
    {"Closed hat", 42, 42, 0, 0.12f, 0, 0, 1, 0, 1, 0.7f, 0.018f, 6500, 18000, 0.5f, 0.022f, 3200, 8, 20, 1},
    {"Tom", 43, 43, 45, 0.60f, 170, 105, 0.06f, 1.0f, 0.16f, 0.15f, 0.020f, 200, 4000, 0, 0, 0, 2, 18, 0},
    {"Pedal hat", 44, 44, 0, 0.10f, 0, 0, 1, 0, 1, 0.6f, 0.012f, 5000, 15000, 0.4f, 0.014f, 2900, 10, 20, 1},
    {"Tom", 45, 45, 45, 0.60f, 170, 105, 0.06f, 1.0f, 0.16f, 0.15f, 0.020f, 200, 4000, 0, 0, 0, 2, 8, 0},
    {"Open hat", 46, 46, 0, 0.60f, 0, 0, 1, 0, 1, 0.7f, 0.16f, 6000, 18000, 0.5f, 0.18f, 3200, 12, 20, 1},
    {"Tom", 47, 48, 45, 0.60f, 170, 105, 0.06f, 1.0f, 0.16f, 0.15f, 0.020f, 200, 4000, 0, 0, 0, 2, -8, 0},
    {"Crash", 49, 49, 0, 1.80f, 0, 0, 1, 0, 1, 0.9f, 0.45f, 3000, 16000, 0.4f, 0.55f, 1900, 6, -25, 0},
    {"Tom", 50, 50, 45, 0.60f, 170, 105, 0.06f, 1.0f, 0.16f, 0.15f, 0.020f, 200, 4000, 0, 0, 0, 2, -20, 0},
    {"Ride", 51, 53, 0, 1.20f, 3400, 3400, 1, 0.25f, 0.25f, 0.25f, 0.20f, 5000, 16000, 0.7f, 0.40f, 2500, 13, -25, 0},
    {"Tambourine", 54, 54, 0, 0.20f, 0, 0, 1, 0, 1, 0.8f, 0.05f, 7000, 18000, 0.4f, 0.06f, 4500, 9, 15, 0},
    {"Splash", 55, 55, 0, 0.80f, 0, 0, 1, 0, 1, 0.9f, 0.16f, 4000, 18000, 0.4f, 0.20f, 2600, 7, -20, 0},
    {"Cowbell", 56, 56, 0, 0.30f, 562, 562, 1, 0.6f, 0.07f, 0.05f, 0.005f, 800, 6000, 0.6f, 0.07f, 845, 7, 10, 0},
    {"Crash 2", 57, 58, 0, 1.50f, 0, 0, 1, 0, 1, 0.9f, 0.38f, 3500, 17000, 0.4f, 0.45f, 2200, 6, 25, 0},
    {"Ride 2", 59, 59, 0, 1.20f, 3900, 3900, 1, 0.2f, 0.22f, 0.25f, 0.18f, 5500, 17000, 0.7f, 0.35f, 2800, 13, -20, 0},
    {"Hand drum", 60, 66, 63, 0.35f, 330, 260, 0.02f, 1.0f, 0.07f, 0.2f, 0.010f, 600, 6000, 0, 0, 0, 4, -15, 0},
    {"Agogo", 67, 68, 67, 0.35f, 920, 920, 1, 0.6f, 0.09f, 0.05f, 0.004f, 900, 8000, 0.5f, 0.09f, 1380, 8, 15, 0},
    {"Shaker", 69, 74, 0, 0.12f, 0, 0, 1, 0, 1, 1.0f, 0.030f, 5000, 16000, 0, 0, 0, 10, 20, 0},
    {"Block", 75, 79, 76, 0.12f, 1250, 1150, 0.01f, 1.0f, 0.025f, 0.2f, 0.004f, 1000, 8000, 0, 0, 0, 5, -15, 0},
    {"Triangle", 80, 87, 0, 0.90f, 5200, 5200, 1, 0.4f, 0.25f, 0.05f, 0.004f, 4000, 16000, 0.5f, 0.30f, 4100, 10, 10, 0},
};
const size_t n_drums = COUNT_OF(drums);

void wave_fini(struct wave *w)
{
    free(w->pcm);
    *w = (struct wave){0};
}

static void normalise(struct wave *w)
{
    float peak = 1e-9f;
    for (size_t i = 0; i < w->n; i++)
        peak = fmaxf(peak, fabsf(w->pcm[i]));
    for (size_t i = 0; i < w->n; i++)
        w->pcm[i] *= 0.8f / peak;
}

/* One partial, added to the wave: a phasor turned by `w` and shrunk by `shrink` a sample up to loop_start. */
static void add_partial(struct wave *wave, double w, double phase, double amp, double shrink)
{
    double re = amp * cos(phase), im = amp * sin(phase);
    double cw = cos(w), sw = sin(w);
    for (size_t i = 0; i < wave->n; i++) {
        double k = i < wave->loop_start ? shrink : 1;
        wave->pcm[i] += (float)im;
        double next = k * (re * cw - im * sw);
        im = k * (re * sw + im * cw);
        re = next;
    }
}

static void add_knock(struct wave *w, double level, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, 1);
    double low = 0;
    size_t n = (size_t)(0.03 * w->rate);
    for (size_t i = 0; i < n && i < w->loop_start; i++) {
        low += 0.35 * (2.0 * rng_uniform(&r) - 1 - low);
        w->pcm[i] += (float)(level * low * exp(-(double)i / (0.006 * w->rate)) * (1 - (double)i / (double)n));
    }
}

struct wave tone_wave(const struct tone *t, int root)
{
    double hz = 440 * pow(2, (root - 69) / 12.0);
    int cycles = t->voices > 1 ? 160 : 8;
    size_t loop = (size_t)lround(cycles * TONE_RATE / hz);
    struct wave w = {.rate = TONE_RATE, .root = root, .loop_start = (size_t)(t->seconds * TONE_RATE)};
    w.n = w.loop_end = w.loop_start + loop;
    w.pcm = xcalloc(w.n, sizeof *w.pcm);
    w.cents = 1200 * log2(hz * (double)loop / ((double)cycles * TONE_RATE));
    struct rng r;
    rng_init(&r, (uint64_t)t->first, (uint64_t)root);
    double total = 0;
    for (int h = 1; h <= t->partials && h * hz < 0.45 * TONE_RATE; h++) {
        double amp = pow(h, -t->tilt) * (h % 2 == 0 ? t->even : 1);
        if (t->strike > 0)
            amp *= fabs(sin(M_PI * h * t->strike)) + 0.02;
        double shrink = exp(-(t->damp + t->damp_high * h) / TONE_RATE);
        for (int v = 0; v < t->voices; v++) {
            double whole = h * (cycles + (v == 1) - (v == 2));
            add_partial(&w, 2 * M_PI * whole / (double)loop, 2 * M_PI * rng_uniform(&r), amp, shrink);
        }
        total += amp;
    }
    if (t->noise > 0)
        add_knock(&w, 4 * t->noise * total, (uint64_t)root);
    normalise(&w);
    return w;
}

/* Noise between two edges: the difference of two one-pole low passes, each run twice. */
static void add_noise(struct wave *w, const struct drum *d)
{
    struct rng r;
    rng_init(&r, 77, d->low);
    double a = 1 - exp(-2 * M_PI * d->high_cut / w->rate), b = 1 - exp(-2 * M_PI * d->low_cut / w->rate);
    double hi1 = 0, hi2 = 0, lo1 = 0, lo2 = 0;
    for (size_t i = 0; i < w->n; i++) {
        double x = 2.0 * rng_uniform(&r) - 1;
        hi1 += a * (x - hi1);
        hi2 += a * (hi1 - hi2);
        lo1 += b * (hi2 - lo1);
        lo2 += b * (lo1 - lo2);
        w->pcm[i] += (float)(2 * d->noise * (hi2 - lo1 - 0.5 * (lo1 - lo2)) *
                             exp(-(double)i / (d->noise_decay * w->rate)));
    }
}

static void add_metal(struct wave *w, const struct drum *d)
{
    static const double ratio[] = {1, 1.342, 1.567, 1.893, 2.318, 2.741, 3.307, 4.123};
    double shrink = exp(-1.0 / (d->metal_decay * w->rate));
    for (size_t k = 0; k < COUNT_OF(ratio); k++)
        if (d->metal_hz * ratio[k] < 0.45 * w->rate)
            add_partial(w, 2 * M_PI * d->metal_hz * ratio[k] / w->rate, 2.4 * (double)k, d->metal / 4, shrink);
}

static void add_fall(struct wave *w, const struct drum *d)
{
    double phase = 0;
    for (size_t i = 0; i < w->n; i++) {
        double t = (double)i / w->rate;
        phase += 2 * M_PI * (d->to_hz + (d->from_hz - d->to_hz) * exp(-t / d->fall)) / w->rate;
        w->pcm[i] += (float)(d->tone * sin(phase) * exp(-t / d->tone_decay));
    }
}

struct wave drum_wave(const struct drum *d)
{
    struct wave w = {.rate = DRUM_RATE, .root = d->root ? d->root : 60, .n = (size_t)(d->seconds * DRUM_RATE)};
    w.loop_start = w.n; /* partials decay to the end */
    w.pcm = xcalloc(w.n, sizeof *w.pcm);
    if (d->tone > 0)
        add_fall(&w, d);
    if (d->noise > 0)
        add_noise(&w, d);
    if (d->metal > 0)
        add_metal(&w, d);
    size_t fade = w.n / 8, ramp = 22; /* half a millisecond in, an eighth out */
    for (size_t i = 0; i < fade; i++)
        w.pcm[w.n - 1 - i] *= (float)i / (float)fade;
    for (size_t i = 0; i < ramp; i++)
        w.pcm[i] *= (float)i / (float)ramp;
    normalise(&w);
    w.loop_start = 0;
    return w;
}
