/* beat.h: how the notes of a song lie in its beat: which subdivision they keep to, whether they swing, which
 * metre their accents suggest. What is heard is told; nothing here changes a note. */
#pragma once
#include <stddef.h>
#include "err.h"
struct song;

enum feel { FEEL_STRAIGHT, FEEL_TRIPLETS, FEEL_SWING, FEEL_FREE };
struct beat {
    enum feel feel;
    size_t n_onsets;                       /* places in time where notes begin */
    double sixteenths, triplets, off;      /* shares of the onsets: on sixteenths, on triplets alone, neither */
    double swing;                          /* where in the beat its second eighth lies, 0.5 when straight */
    double fit;    /* best mean cosine of the onset phase at 1, 2, 3, 4 or 6 cycles a beat: 1 = all on that grid,
                      0 = the notes know nothing of the beat */
    double stray;  /* share of the notes on steps 1, 5, 7 and 11 of 12, which no common subdivision uses */
    int num, den;                          /* metre the accents repeat in; 0 = they do not say */
};
#define BEAT_MIN_FIT 0.2                   /* below it there is no beat that the notes keep to */

struct beat beat_hear(const struct song *s);
/* "straight sixteenths", with the shares that matter: one sentence without its end. */
struct str;
void beat_describe(const struct beat *b, struct str *out);
