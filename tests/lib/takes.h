/* takes.h: what families that play the piano are asked in tests, and what comes: for tests under cmocka. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "model.h"
#include "song.h"

enum { GOT_TAKES = 16 };
struct got { struct song *song[GOT_TAKES]; int n, parts, part_bars; };  /* parts: of take 0, and the bars of the last */
/* Runs a legal request to its end. */
struct got takes_ask(const struct model_kind *kind, struct model *m, const struct request *rq);
void takes_forget(struct got *g);
/* Eighths on the piano for so many bars, and one note of the bass. */
struct song *takes_seed(int num, int den, int bars);
bool takes_same(const struct song *a, const struct song *b, enum role r, int32_t from, int32_t to);
/* In any metre: what was there stays, what comes is in the bars that were asked for, twice the same, and a take does
 * not depend on those beside it. */
void takes_continue(const struct model_kind *kind, struct model *m);
/* Kept bars stay note for note; what comes beside them is in the range and the key that are asked for. */
void takes_keep(const struct model_kind *kind, struct model *m);
