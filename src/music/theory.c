/* theory.c: keys, scales, chords and names of pitches: tables and lookups, no state. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "song.h"
#include "str.h"
#include "theory.h"

static const struct { const char *name; int8_t sharps; } keys[2][12] = {
    { { "C", 0 }, { "Db", -5 }, { "D", 2 }, { "Eb", -3 }, { "E", 4 }, { "F", -1 },
      { "F#", 6 }, { "G", 1 }, { "Ab", -4 }, { "A", 3 }, { "Bb", -2 }, { "B", 5 } },
    { { "C", -3 }, { "C#", 4 }, { "D", -1 }, { "Eb", -6 }, { "E", 1 }, { "F", -4 },
      { "F#", 3 }, { "G", -2 }, { "G#", 5 }, { "A", 0 }, { "Bb", -5 }, { "B", 2 } },
};

static const uint16_t scales[2] = {
    1 << 0 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 11,
    1 << 0 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 10,
};

/* D. Temperley, "What's key for key?", Music Perception 17 (1999). */
static const double profiles[2][12] = {
    { 5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0 },
    { 5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0 },
};

/* ---- keys ---- */

/* Letter and accidentals at *p; -1 when there is no letter A to G. */
static int parse_tonic(const char **p)
{
    static const int8_t letters[7] = { 9, 11, 0, 2, 4, 5, 7 };
    int letter = (**p | 0x20) - 'a';
    if (letter < 0 || letter > 6)
        return -1;
    int tonic = letters[letter];
    for (++*p; **p == '#' || **p == 'b'; ++*p)
        tonic += **p == '#' ? 1 : 11;
    return tonic % 12;
}

bool key_parse(const char *text, struct key *out)
{
    static const struct { const char *suffix; bool minor; } modes[] = {
        { "", false }, { "maj", false }, { "major", false }, { "m", true }, { "min", true }, { "minor", true },
    };
    if (str_same(text, "auto") || str_same(text, "any") || str_same(text, "-")) {
        *out = (struct key){ -1, false };
        return true;
    }
    int tonic = parse_tonic(&text);
    if (tonic < 0)
        return false;
    text += strspn(text, " -_");
    for (size_t i = 0; i < COUNT_OF(modes); i++)
        if (strcmp(text, "M") == 0 ? i == 0 : str_same(text, modes[i].suffix)) {
            *out = (struct key){ (int8_t)tonic, modes[i].minor };
            return true;
        }
    return false;
}

void key_print(struct key k, char buf[16])
{
    if (k.tonic < 0 || k.tonic > 11)
        str_copy(buf, 16, "-");
    else
        str_format(buf, 16, "%s %s", keys[k.minor][k.tonic].name, k.minor ? "minor" : "major");
}

int key_sharps(struct key k)
{
    return k.tonic < 0 || k.tonic > 11 ? 0 : keys[k.minor][k.tonic].sharps;
}

struct key key_from_sharps(int sharps, bool minor)
{
    int tonic = ((sharps * 7 + (minor ? 9 : 0)) % 12 + 12) % 12;
    return (struct key){ (int8_t)tonic, minor };
}

uint16_t key_scale(struct key k)
{
    if (k.tonic < 0 || k.tonic > 11)
        return 0xfff;
    unsigned s = (unsigned)scales[k.minor] << k.tonic;
    return (uint16_t)((s | s >> 12) & 0xfff);
}

int key_home(struct key k)
{
    if (k.tonic < 0)
        return 0;
    int up = ((k.minor ? 9 : 0) - k.tonic + 12) % 12;
    return up > 5 ? up - 12 : up;
}

int key_snap(struct key k, int pitch)
{
    unsigned scale = key_scale(k);
    for (int d = 0; d < 12; d++) {
        if (pitch - d >= 0 && scale >> (pitch - d) % 12 & 1)
            return pitch - d;
        if (pitch + d <= 127 && scale >> (pitch + d) % 12 & 1)
            return pitch + d;
    }
    return pitch;
}

/* ---- key of notes ---- */

void profile_add(double profile[12], int pitch, double weight)
{
    profile[((pitch % 12) + 12) % 12] += weight;
}

/* Pearson correlation of a profile with a key's, rotated to its tonic; 0 for a flat profile. */
static double correlation(const double x[12], const double y[12], int tonic)
{
    double mx = 0, my = 0, xy = 0, xx = 0, yy = 0;
    for (int i = 0; i < 12; i++) {
        mx += x[i] / 12;
        my += y[i] / 12;
    }
    for (int i = 0; i < 12; i++) {
        double a = x[(i + tonic) % 12] - mx, b = y[i] - my;
        xy += a * b;
        xx += a * a;
        yy += b * b;
    }
    return xx > 1e-12 * (mx * mx + 1e-300) ? xy / sqrt(xx * yy) : 0;
}

struct key key_estimate(const double profile[12], double *strength)
{
    struct key best = { -1, false };
    double first = 0, second = 0;
    for (int minor = 0; minor < 2; minor++)
        for (int tonic = 0; tonic < 12; tonic++) {
            double c = correlation(profile, profiles[minor], tonic);
            if (c > first) {
                second = first;
                first = c;
                best = (struct key){ (int8_t)tonic, minor };
            } else if (c > second) {
                second = c;
            }
        }
    if (strength)
        *strength = first - second;
    return best;
}

/* What the file says wins over what its notes suggest. */
static const struct keysig *signature_at(const struct song *s, int32_t tick)
{
    size_t n = 0;
    while (n < s->n_keys && s->keys[n].tick <= tick)
        n++;
    return n > 0 ? &s->keys[n - 1] : NULL;
}

struct key song_key(const struct song *s, int32_t from, int32_t to, double *strength)
{
    const struct keysig *told = signature_at(s, from);
    if (told) {
        if (strength)
            *strength = 1;
        return key_from_sharps(told->sharps, told->minor);
    }
    double profile[12] = { 0 };
    for (size_t i = 0; i < s->n_tracks; i++) {
        const struct track *t = &s->tracks[i];
        if (t->role == ROLE_DRUMS)
            continue;
        for (size_t j = track_first_at(t, from); j < t->n && t->notes[j].tick < to; j++)
            profile_add(profile, t->notes[j].pitch, t->notes[j].dur);
    }
    return key_estimate(profile, strength);
}

/* ---- chords ---- */

#define CHORD2(a, b) (1 << (a) | 1 << (b))
#define CHORD3(a, b, c) (CHORD2(a, b) | 1 << (c))
#define CHORD4(a, b, c, d) (CHORD3(a, b, c) | 1 << (d))

/* More usual readings first: the first that fits with the bass as root wins. */
static const struct { uint16_t classes; bool minor; const char *suffix; } chords[] = {
    { CHORD3(0, 4, 7), false, "" }, { CHORD3(0, 3, 7), true, "m" }, { CHORD4(0, 4, 7, 10), false, "7" },
    { CHORD4(0, 3, 7, 10), true, "m7" }, { CHORD4(0, 4, 7, 11), false, "maj7" }, { CHORD3(0, 5, 7), false, "sus4" },
    { CHORD3(0, 2, 7), false, "sus2" }, { CHORD3(0, 3, 6), true, "dim" }, { CHORD3(0, 4, 8), false, "aug" },
    { CHORD4(0, 3, 6, 10), true, "m7b5" }, { CHORD4(0, 3, 6, 9), true, "dim7" },
    { CHORD4(0, 4, 7, 9), false, "6" }, { CHORD4(0, 3, 7, 9), true, "m6" }, { CHORD4(0, 2, 4, 7), false, "add9" },
    { CHORD4(0, 2, 3, 7), true, "madd9" }, { CHORD4(0, 5, 7, 10), false, "7sus4" },
    { CHORD4(0, 2, 4, 7) | 1 << 10, false, "9" }, { CHORD4(0, 2, 3, 7) | 1 << 10, true, "m9" },
    { CHORD4(0, 2, 4, 7) | 1 << 11, false, "maj9" }, { CHORD4(0, 3, 7, 11), true, "m(maj7)" },
    { CHORD3(0, 4, 10), false, "7" }, { CHORD3(0, 3, 10), true, "m7" }, { CHORD3(0, 4, 11), false, "maj7" },
    { CHORD2(0, 4), false, "" }, { CHORD2(0, 3), true, "m" }, { CHORD2(0, 7), false, "5" },
};

static uint16_t rotate_down(uint16_t classes, int by)
{
    return (uint16_t)((classes >> by | classes << (12 - by)) & 0xfff);
}

static bool find_chord(uint16_t classes, int root, bool *minor, const char **suffix)
{
    uint16_t c = rotate_down(classes, root);
    for (size_t i = 0; i < COUNT_OF(chords); i++)
        if (chords[i].classes == c) {
            *minor = chords[i].minor;
            *suffix = chords[i].suffix;
            return true;
        }
    return false;
}

void chord_name(uint16_t classes, int bass, char buf[16])
{
    const char *suffix;
    bool minor;

    classes &= 0xfff;
    bass = (bass % 12 + 12) % 12;
    buf[0] = 0;
    for (int i = 0; i < 12; i++) {
        int root = (bass + i) % 12;
        if (!(classes >> root & 1) || !find_chord(classes, root, &minor, &suffix))
            continue;
        if (i == 0)
            str_format(buf, 16, "%s%s", keys[minor][root].name, suffix);
        else
            str_format(buf, 16, "%s%s/%s", keys[minor][root].name, suffix, keys[0][bass].name);
        return;
    }
}

void pitch_name(int pitch, int middle_c_octave, char buf[8])
{
    static const char *const names[12] = { "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B" };
    int octave = (pitch + 120) / 12 - 10 + middle_c_octave - 5;
    str_format(buf, 8, "%s%d", names[((pitch % 12) + 12) % 12], octave);
}

bool pitch_parse(const char *text, int middle_c_octave, int *out)
{
    static const char letters[] = "c d ef g a b";
    char *end;
    const char *at = *text ? strchr(letters, tolower((unsigned char)*text)) : NULL;
    bool number = isdigit((unsigned char)*text);
    if (!number && (!at || *text == ' '))
        return false;
    int class = number ? 0 : (int)(at - letters);
    text += !number;
    class += !number && *text == '#' ? 1 : !number && *text == 'b' ? -1 : 0;
    text += !number && (*text == '#' || *text == 'b');
    long n = strtol(text, &end, 10);
    if (end == text || *end || n < -20 || n > 200)
        return false;
    long pitch = number ? n : class + 12 * (n - middle_c_octave + 5);
    *out = (int)pitch;
    return pitch >= 0 && pitch <= 127;
}

void tonal_centroid(const double chroma[12], double all, double out[6])
{
    static const double radius[3] = { 1, 1, 0.5 }, angle[3] = { 7 * M_PI / 6, 3 * M_PI / 2, 2 * M_PI / 3 };
    memset(out, 0, 6 * sizeof(*out));
    for (int c = 0; c < 12; c++)
        for (int k = 0; k < 3; k++) {
            out[2 * k] += chroma[c] / all * radius[k] * sin(c * angle[k]);
            out[2 * k + 1] += chroma[c] / all * radius[k] * cos(c * angle[k]);
        }
}

double tonal_distance(const double a[6], const double b[6])
{
    double d = 0;
    for (int i = 0; i < 6; i++)
        d += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(d);
}
