/* piano_data.h: training batches of the pianist from a file of works. Which works, from which quarter and
 * under whose name is a pure function of (seed, split, index). */
#pragma once
#include "piano_shelf.h"

struct piano_data;
/* Sequences of `time` steps, `rows` a batch. Borrows works and styles. ERR_EMPTY when the training side holds nothing. */
NODISCARD enum err piano_data_new(const struct works *w, const struct styles *s, const struct shelf_opts *o,
                                  uint64_t seed, int rows, int time, struct piano_data **out);
void piano_data_free(struct piano_data *d);
bool piano_data_held_out(const struct piano_data *d);
void piano_data_fill(void *piano_data, enum step_split s, uint64_t index, struct step_batch *out);
