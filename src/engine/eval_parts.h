/* eval_parts.h: what eval.c leans on: the memory of training bars and the judge of genres. */
#pragma once
#include "eval.h"
#include "phrase.h"

/* eval_memory.c: which bars the training phrases of a data set hold. */
struct memory;
struct memory *memory_new(const struct dataset *d);
void memory_free(struct memory *m);
/* Bars of a phrase that are known: all five tracks together, and each track (bars of four notes or more). */
void memory_look(const struct memory *m, const struct pnote *notes, uint32_t n, unsigned tracks,
                 struct eval_mean *all, struct eval_mean by_track[N_ROLES]);

/* eval_genre.c: a small network on features counted by hand, trained on real training phrases. */
struct ear;
NODISCARD enum err ear_new(const struct dataset *d, uint64_t seed, const atomic_bool *cancel, struct ear **out);
void ear_free(struct ear *j);
int ear_genre(const struct ear *j, const struct pnote *notes, uint32_t n); /* index in the data set */
