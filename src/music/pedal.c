/* pedal.c: the sustaining pedal as longer notes. */
#include <stdlib.h>
#include "mem.h"
#include "midi.h"
#include "song.h"

struct change { int32_t tick; uint32_t at; bool down; };

static int change_order(const void *x, const void *y)
{
    const struct change *a = x, *b = y;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    return a->at < b->at ? -1 : 1;
}

/* Where the pedal lets go of what is let go at `tick`; `tick` itself when it is up, or down for good. */
static int32_t held_until(const struct change *c, size_t n, int32_t tick)
{
    size_t lo = 0, hi = n;
    while (lo < hi) { /* the first change after tick */
        size_t mid = (lo + hi) / 2;
        if (c[mid].tick <= tick)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == 0 || !c[lo - 1].down)
        return tick;
    while (lo < n && c[lo].down)
        lo++;
    return lo < n ? c[lo].tick : tick;
}

void midi_hold_pedal(struct song *s, const struct midi_report *r)
{
    struct change *changes = xcalloc(r->n_pedals + 1, sizeof(*changes));
    for (int channel = 0; channel < 16; channel++) {
        size_t n = 0;
        for (size_t i = 0; i < r->n_pedals; i++)
            if (r->pedals[i].channel == channel)
                changes[n++] = (struct change){ r->pedals[i].tick, (uint32_t)i, r->pedals[i].down };
        if (n == 0)
            continue;
        qsort(changes, n, sizeof(*changes), change_order);
        for (size_t t = 0; t < s->n_tracks; t++) {
            struct track *track = &s->tracks[t];
            if (track->channel != channel || track->role == ROLE_DRUMS)
                continue;
            for (size_t i = 0; i < track->n; i++)
                track->notes[i].dur = held_until(changes, n, track->notes[i].tick + track->notes[i].dur) -
                                      track->notes[i].tick;
            track_tidy(track); /* a key struck again ends what it held */
        }
    }
    free(changes);
}
