/* pair.h: what engine.c, pair.c and transferred.c share: models kept loaded. */
#pragma once
#include "verb.h"

struct loaded { char *path; const struct model_kind *kind; struct model *model; };
/* With the engine's models to oneself; the loaded one is the engine's. */
NODISCARD enum err engine_loaded(struct engine *e, const char *path, struct loaded **out);

/* engine_pair, likewise. */
NODISCARD enum err pair_find(struct engine *e, const char *model, struct request *rq, char **path);
/* How much of the song's 4/4 phrases between two bars is each of n genres, together 1. ERR_MISSING without weights of
 * a judge that knows them all. */
NODISCARD enum err pair_judge(struct engine *e, const char *const *genres, int n, const struct song *s, int bar0,
                              int n_bars, double *out);
/* transferred.c: a transfer whose takes have their drums and their outcome. */
NODISCARD enum err transferred_run(struct engine *e, const struct loaded *pair, const struct request *rq,
                                   const struct progress *p);
