/* piano_yardsticks.h: what the evaluation of the pianist leans on: a listener that names eras, a model of what comes next by counts,
 * and the memory of the training music. */
#pragma once
#include "model.h"
#include "piano_code.h"
#include "works.h"

enum { LISTENER_QUARTERS = 24, LISTENER_MAX = 16 };

/* piano_listener.c: features of 24 quarters counted by hand, and a network with one hidden layer that learns the eras of
 * training music from them, every era weighing the same. */
struct listener;
NODISCARD enum err listener_new(struct device *d, const struct works *w, uint64_t seed, struct listener **out);
void listener_free(struct listener *j);
int listener_n_eras(const struct listener *j);
/* Probabilities of the eras for the quarters from q on. */
NODISCARD enum err listener_ask(struct listener *j, const struct piano_piece *p, int q, float probability[LISTENER_MAX]);
/* Balanced share of held-out windows whose era is named rightly. */
NODISCARD enum err listener_held_out(struct listener *j, const struct works *w, uint64_t seed, double *share);

/* piano_ngram.c: n-grams (ngram.h) over the same predictions that the network makes. */
struct ngram;
struct ngram *piano_ngram_new(const struct works *w);   /* of the training side */
double piano_ngram_nats(const struct ngram *g, const struct piano_step *steps, int n);

/* piano_memory.c */
struct echo;
struct echo *echo_new(const struct works *w);     /* of the training side */
void echo_free(struct echo *e);
/* Quarters of the longest passage that training music has note for note (in any key, at any speed in the bar);
 * passages of fewer than 12 notes count as none. */
double echo_longest(const struct echo *e, const struct piano_piece *p);
/* Of pieces that were made, sorted here. */
void echo_report(double *echoes, int n, struct measures *out);
