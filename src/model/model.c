/* model.c: what all model families share: the names of the verbs, and the end of a take. */
#include <string.h>
#include "model.h"
#include "song.h"

const char *verb_name(enum verb v)
{
    static const char *const names[N_VERBS] = {
        [VERB_GENERATE] = "generate", [VERB_ACCOMPANY] = "accompany",     [VERB_INFILL] = "infill",
        [VERB_VARY] = "vary",         [VERB_INTERPOLATE] = "interpolate", [VERB_CONTINUE] = "continue",
        [VERB_TRANSFER] = "transfer", [VERB_SUGGEST] = "suggest",
    };
    return names[v];
}

void take_fini(struct take *t)
{
    song_free(t->song);
    memset(t, 0, sizeof *t);
}
