/* suggest.c: a suggestion as it is asked for, and as a take brings it. */
#include <stdio.h>
#include "verb.h"

enum { SPAN = 4 };

void request_suggest(struct request *rq, const struct song *song, enum role role, int32_t at)
{
    request_init(rq, VERB_SUGGEST, song);
    rq->bar0 = song_bar_of(song, at);
    rq->n_bars = SPAN;
    rq->role = role;
    rq->at = at;
    rq->n_takes = SUGGESTIONS;
}

static bool has_note(const struct track *t, const struct note *n)
{
    for (size_t i = track_first_at(t, n->tick); i < t->n && t->notes[i].tick == n->tick; i++)
        if (t->notes[i].pitch == n->pitch)
            return true;
    return false;
}

void suggestion_of(const struct take *t, const struct song *song, enum role role, int32_t at, struct suggestion *out)
{
    const struct track *had = &song->tracks[role], *now = &t->song->tracks[role];
    *out = (struct suggestion){0};
    if (sscanf(t->params, "p=%lf", &out->p) != 1)
        out->p = 0;
    for (size_t i = track_first_at(now, at); i < now->n && out->n < SUGGESTION_NOTES; i++)
        if (!has_note(had, &now->notes[i]))
            out->notes[out->n++] = now->notes[i];
}
