/* train_sample.h: what a network in training plays, heard and measured now and then. */
#pragma once
#include "model.h"

/* Of phrases, pitched tracks together, %: time with more than two pitches, cells in the phrase's own key; of drums:
 * onsets on the 16th grid. NaN = nothing measured. */
enum figure { FIGURE_POLYPHONIC, FIGURE_DRUM_PATTERN, FIGURE_IN_SCALE, N_FIGURES };
extern const char *const figure_names[N_FIGURES];
struct figures { double at[N_FIGURES]; };

/* Of held-out phrases of a data set (of all when none is held out), some hundreds at most. */
void figures_of_data(const struct dataset *d, struct figures *out);

/* Takes of the network in a weight file: from nothing, or around a track of a held-out phrase where that is all it
 * does. Written into `folder` as STEM.mid, one after another, and STEM.png, a grid. *made is false for a family that
 * plays neither way. */
NODISCARD enum err train_sample(const struct model_kind *kind, struct device *device, const char *weights,
                                const struct dataset *d, const char *folder, const char *stem, struct figures *out,
                                bool *made);
