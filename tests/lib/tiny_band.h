/* tiny_band.h: a small band of random weights for tests, a song for it, and takes in their order. */
#pragma once
#include "group.h"
#include "model/band.h"
#include "song.h"

enum { TINY_GENRES = 3, TINY_TAKES = 16 };
struct stepnet tiny_net(void);
struct params *tiny_params(struct device *d);
/* The setup and teardown of a group: one thread of the CPU, and a model there. */
extern struct model *model;
int tiny_start(void **state);
int tiny_end(void **state);
/* Eight bars: piano chords off the grid with a tail over a bar line, bass, drums; guitar and strings empty. */
struct song *tiny_song(void);
struct request tiny_request(enum verb v, const struct song *s, int bar0, int n_bars);

struct takes { struct take take[TINY_TAKES]; int n; double last; };
void tiny_run(struct model *m, const struct request *rq, struct takes *out);
void tiny_free(struct takes *t);
bool tiny_kept(const struct request *rq, int bar0, enum role r, int bar);
/* Notes of kept cells in order: those of `a` are exactly those of `b`. */
void tiny_check_kept(const struct request *rq, int bar0, const struct song *a, const struct song *b);
