/* band_data.h: training batches of the band model. Phrases lie in buckets by the length of their sequence;
 * a batch is drawn from one bucket. Which phrases, in which key, with which cells kept, is a pure function
 * of (seed, step), so a resumed run sees what an unbroken one would have seen. */
#pragma once
#include "codec.h"
#include "rng.h"
#include "steptrain.h"

enum { BAND_BUCKETS = 7, BAND_LONGEST = 512 };

struct band_data_opts {
    uint64_t seed;
    int rows;             /* steps a batch, about: sequences x length of the bucket */
    double any_genre;     /* share of phrases shown without their genre */
    double filler;        /* preference for filler sets over real songs, 0..1; 0.5 = none */
    double transpose;     /* share of phrases moved by up to two semitones */
};

struct band_data;
/* Borrows the data set. ERR_EMPTY when the training side holds nothing. */
NODISCARD enum err band_data_new(const struct dataset *d, const struct band_data_opts *o, struct band_data **out);
void band_data_free(struct band_data *b);
struct step_shape band_data_shape(const struct band_data *b, int bucket);
size_t band_data_n(const struct band_data *b, enum step_split s);
/* Which bucket a batch is drawn from, and the batch: as steptrain.h asks for them. */
int band_data_bucket(void *band_data, enum step_split s, uint64_t index);
void band_data_fill(void *band_data, enum step_split s, uint64_t index, struct step_batch *out);

/* Which cells a training example keeps, given the ranks that sound: nothing, whole roles, scattered cells,
 * all but a span of one role, or the first bars. */
uint32_t band_keep(struct rng *r, unsigned active);
