/* band_path.h: the way from one song to another, for VERB_INTERPOLATE. */
#pragma once
#include "model.h"

/* For one request; where a cell stands in the order in which the front enters them, -1 = not on the way. */
struct band_path { int n, front; int16_t place[N_ROLES][REQUEST_MAX_BARS]; };
enum path_source { PATH_FROM, PATH_TO, PATH_ANEW };

void band_path_init(struct band_path *p, const struct request *rq);
/* Where an open cell's notes come from at a mix; at 0 never but FROM, at 1 never but TO. bar counts from bar0. */
enum path_source band_path_source(const struct band_path *p, enum role r, int bar, double mix);
/* Write the notes of both ends into s, whose open cells are empty. What is in it stays as it is. */
void band_path_fill(const struct band_path *p, const struct request *rq, double mix, struct song *s);
