/* frames_data.h: training windows of the frames from a file of works. Which ones is a pure function of (seed, split,
 * index). */
#pragma once
#include "frames.h"
#include "steptrain.h"

struct frames_data;
/* Borrows the vocabulary. ERR_EMPTY when the training side holds nothing. */
NODISCARD enum err frames_data_new(const struct works *w, const struct frame_vocab *v, uint64_t seed, struct frames_data **out);
void frames_data_free(struct frames_data *d);
bool frames_data_held_out(const struct frames_data *d);
/* token, phase [rows,window], target [rows]. */
void frames_data_fill(const struct frames_data *d, enum step_split s, uint64_t index, int rows, int window, int32_t *token,
                      int32_t *phase, int32_t *target);

/* A piece as a line of tokens. */
struct frame_line { int n; int32_t *token; int8_t *phase; };   /* phase[n + 1] */
void frame_line_of_work(const struct frame_vocab *v, const struct work *k, struct frame_line *out);
void frame_line_fini(struct frame_line *l);
