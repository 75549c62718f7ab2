/* theory.h: scales, keys, chords, pitch-class profiles. */
#pragma once
#include <stdint.h>
#include "err.h"
struct song;

struct key { int8_t tonic; bool minor; };        /* tonic 0..11, C = 0; tonic -1 = unknown */
bool key_parse(const char *text, struct key *out); /* "C", "Am", "F#", "Bb minor", "auto"/"any" = unknown */
void key_print(struct key k, char buf[16]);        /* "A minor", "-" */
int key_sharps(struct key k);                      /* -7..7 for the key signature */
struct key key_from_sharps(int sharps, bool minor);
uint16_t key_scale(struct key k);                  /* bit p set: pitch class p is in the (natural) scale */

void profile_add(double profile[12], int pitch, double weight);
/* Krumhansl-Schmuckler with Temperley's profiles; strength = margin to the second best correlation.
 * An empty profile gives tonic -1. */
struct key key_estimate(const double profile[12], double *strength);
/* The key signature that holds at `from` (strength 1); where there is none, the key of the non-drum notes
 * with onset in [from,to), weighted by duration. */
struct key song_key(const struct song *s, int32_t from, int32_t to, double *strength);
/* Chord name of a pitch-class set with bass ("Am", "F", "G7", "" unknown). */
void chord_name(uint16_t classes, int bass, char buf[16]);
int key_home(struct key k);                       /* semitones to C major or A minor, the near way, -6..5; unknown 0 */
int key_snap(struct key k, int pitch);             /* nearest pitch in the scale, downwards on ties */
bool pitch_parse(const char *text, int middle_c_octave, int *out); /* "C4", "f#3", "Bb-1", "60" */
void pitch_name(int pitch, int middle_c_octave, char buf[8]); /* 60 -> "C4" with middle_c_octave 4 */

/* Place of a chord on the circles of fifths, minor and major thirds (Harte, Sandler, Gasser, AMCMM 2006): chroma's
 * entries sum to `all` > 0. */
void tonal_centroid(const double chroma[12], double all, double out[6]);
double tonal_distance(const double a[6], const double b[6]);
