/* takes.c: what takes are to one another: which are the same music, and the way from A to B. */
#include <math.h>
#include <string.h>

#include "state.h"

enum { SAME_PLACE = 1000 }; /* places on the way nearer than one part of this are one */

static bool same_notes(const struct track *a, const struct track *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = a->notes[i].tick == b->notes[i].tick && a->notes[i].dur == b->notes[i].dur &&
               a->notes[i].pitch == b->notes[i].pitch && a->notes[i].vel == b->notes[i].vel;
    return same;
}

uint32_t tray_find_twin(const struct tray *t, const struct song *song)
{
    for (size_t i = 0; i < t->n_slots; i++) {
        int same = 0;
        for (int r = 0; r < N_ROLES; r++)
            same += same_notes(&t->slots[i].take->song->tracks[r], &song->tracks[r]);
        if (same == N_ROLES)
            return t->slots[i].id;
    }
    return NO_TAKE;
}

/* ---- the way from A to B ---- */

static bool on_the_way(const struct session *s, int i)
{
    const struct take *t = session_take(s, i);
    int a = session_marked(s, 0), b = session_marked(s, 1);
    return t && a >= 0 && b >= 0 && t->between[0] == (uint32_t)session_take_number(s, a) &&
           t->between[1] == (uint32_t)session_take_number(s, b);
}

double session_mix(const struct session *s)
{
    int now = session_current(s), a = session_marked(s, 0), b = session_marked(s, 1);
    if (a < 0 || b < 0 || a == b || now < 0)
        return -1;
    return now == a ? 0 : now == b ? 1 : on_the_way(s, now) ? session_take(s, now)->mix : -1;
}

int session_take_at(const struct session *s, double mix)
{
    int found = mix <= 0 ? session_marked(s, 0) : mix >= 1 ? session_marked(s, 1) : -1;
    for (int i = session_n_takes(s) - 1; found < 0 && i >= 0; i--)
        if (on_the_way(s, i) && fabs(session_take(s, i)->mix - mix) < 1.0 / SAME_PLACE)
            found = i;
    return found;
}

/* Only what one of the two was asked for is on the way: everything else stays as it is now. */
static bool may_differ(const struct session *s, enum role r, int bar)
{
    return !session_kept(s, r, bar) &&
           (session_asked(s, session_marked(s, 0), r, bar) || session_asked(s, session_marked(s, 1), r, bar));
}

static void span_of_way(const struct session *s, int *first, int *last)
{
    *first = session_n_bars(s);
    *last = -1;
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < session_n_bars(s); bar++)
            if (may_differ(s, (enum role)r, bar)) {
                *first = bar < *first ? bar : *first;
                *last = bar > *last ? bar : *last;
            }
}

enum err session_request_way(struct session *s, double mix, double step, int n, struct request *out)
{
    int a = session_marked(s, 0), b = session_marked(s, 1), first, last;
    if (a < 0 || b < 0)
        return err_set(ERR_EMPTY, "mark two takes first: A and B");
    if (a == b)
        return err_set(ERR_EMPTY, "A and B are one take: mark another with A or B");
    span_of_way(s, &first, &last);
    if (last < 0)
        return err_set(ERR_EMPTY, "all that A and B differ in is kept (F lets go)");
    session_request(s, VERB_INTERPOLATE, first, last - first + 1, out);
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = first; bar <= last; bar++)
            out->keep[r][bar - first] = !may_differ(s, (enum role)r, bar);
    out->from = session_take(s, a)->song;
    out->to = session_take(s, b)->song;
    out->mix = mix;
    out->mix_step = step;
    out->n_takes = n;
    for (int i = 0; i < session_n_takes(s) && n == 1; i++) /* one more step of the way that is there */
        if (on_the_way(s, i))
            out->seed = session_take(s, i)->seed;
    return ERR_OK;
}
