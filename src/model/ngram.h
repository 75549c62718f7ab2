/* ngram.h: a yardstick for networks that write symbols: what a good count of the last few of them would foresee.
 * Witten-Bell interpolation from the longest context down to even odds. */
#pragma once
#include <stdint.h>

struct ngram;
struct ngram *ngram_new(int orders);      /* a context has at most orders - 1 symbols */
void ngram_free(struct ngram *g);
/* `at` is a place in a row of symbols; `history` of them stand before it. `kinds`: how many could stand there. */
void ngram_learn(struct ngram *g, const uint16_t *at, int history);
double ngram_probability(const struct ngram *g, const uint16_t *at, int history, int kinds);
