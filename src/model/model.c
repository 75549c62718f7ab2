/* model.c: what all model families share: the names of the verbs, and the end of a take. */
#include <string.h>
#include "mem.h"
#include "model.h"
#include "song.h"
#include "str.h"

const char *verb_name(enum verb v)
{
    static const char *const names[N_VERBS] = {
        [VERB_GENERATE] = "generate", [VERB_ACCOMPANY] = "accompany",     [VERB_INFILL] = "infill",
        [VERB_VARY] = "vary",         [VERB_INTERPOLATE] = "interpolate", [VERB_CONTINUE] = "continue",
        [VERB_TRANSFER] = "transfer", [VERB_SUGGEST] = "suggest",
    };
    return names[v];
}

void measures_add(struct measures *m, const char *name, double value, const char *beside, double other)
{
    m->at = xgrow(m->at, m->n, &m->cap, sizeof *m->at);
    struct measure *x = &m->at[m->n++];
    *x = (struct measure){ .value = value, .other = other };
    str_copy(x->name, sizeof x->name, name);
    str_copy(x->beside, sizeof x->beside, beside);
}

void take_fini(struct take *t)
{
    song_free(t->song);
    memset(t, 0, sizeof *t);
}
