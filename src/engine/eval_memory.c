/* eval_memory.c: the bars of the training data as a set of hashes. Two bars are the same when the same drums
 * and, in some transposition, the same pitches begin on the same steps; durations and velocities do not count. */
#include <stdlib.h>
#include "eval_parts.h"
#include "mem.h"
#include "rng.h"

enum { MIN_TRACK_NOTES = 4 };

struct memory { uint64_t *slots; size_t n, cap; };

static bool slot_of(const uint64_t *slots, size_t cap, uint64_t h, size_t *at)
{
    for (*at = h & (cap - 1); slots[*at]; *at = (*at + 1) & (cap - 1))
        if (slots[*at] == h)
            return true;
    return false;
}

static void remember(struct memory *m, uint64_t h)
{
    size_t at;
    if (2 * m->n >= m->cap) {
        size_t cap = m->cap ? 2 * m->cap : 1 << 16;
        uint64_t *bigger = xcalloc(cap, sizeof(*bigger));
        for (size_t i = 0; i < m->cap; i++)
            if (m->slots[i] && !slot_of(bigger, cap, m->slots[i], &at))
                bigger[at] = m->slots[i];
        free(m->slots);
        m->slots = bigger;
        m->cap = cap;
    }
    if (slot_of(m->slots, m->cap, h, &at))
        return;
    m->slots[at] = h;
    m->n++;
}

static bool knows(const struct memory *m, uint64_t h)
{
    size_t at;
    return m->cap > 0 && slot_of(m->slots, m->cap, h, &at);
}

/* Hash of the notes p[0..n) of one bar that are of `tracks`; *count gains how many there were. */
static uint64_t bar_hash(const struct pnote *p, uint32_t n, unsigned tracks, int *count)
{
    uint64_t h = tracks;
    int low = 127;

    *count = 0;
    for (uint32_t i = 0; i < n; i++)
        if (p[i].role != ROLE_DRUMS && tracks >> p[i].role & 1 && p[i].pitch < low)
            low = p[i].pitch;
    for (uint32_t i = 0; i < n; i++) {
        if (!(tracks >> p[i].role & 1))
            continue;
        int pitch = p[i].role == ROLE_DRUMS ? p[i].pitch : p[i].pitch - low;
        h = rng_hash(h, (uint64_t)p[i].role << 16 | (uint64_t)pitch << 8 | p[i].start % PHRASE_BAR_STEPS);
        ++*count;
    }
    return h ? h : 1;
}

/* The notes of a bar of a phrase: *from is moved to the first, the number is returned. */
static uint32_t bar_notes(const struct pnote *notes, uint32_t n, int bar, uint32_t *from)
{
    uint32_t to;
    while (*from < n && notes[*from].start / PHRASE_BAR_STEPS < bar)
        ++*from;
    for (to = *from; to < n && notes[to].start / PHRASE_BAR_STEPS == bar; to++)
        ;
    return to - *from;
}

static const unsigned all_tracks = (1u << N_ROLES) - 1;

static void remember_phrase(struct memory *m, const struct phrase *p)
{
    uint32_t from = 0;
    int count;
    for (int bar = 0; bar < PHRASE_BARS; bar++) {
        uint32_t n = bar_notes(p->notes, p->n, bar, &from);
        uint64_t h = bar_hash(p->notes + from, n, all_tracks, &count);
        if (count > 0)
            remember(m, h);
        for (int r = 0; r < N_ROLES; r++) {
            h = bar_hash(p->notes + from, n, 1u << r, &count);
            if (count >= MIN_TRACK_NOTES)
                remember(m, h);
        }
    }
}

struct memory *memory_new(const struct dataset *d)
{
    struct memory *m = xcalloc(1, sizeof(*m));
    for (size_t i = 0; i < dataset_n(d); i++) {
        struct phrase p = dataset_get(d, i);
        if (!p.held_out)
            remember_phrase(m, &p);
    }
    return m;
}

void memory_free(struct memory *m)
{
    if (m)
        free(m->slots);
    free(m);
}

static void count(struct eval_mean *m, bool hit)
{
    m->sum += hit ? 100 : 0;
    m->weight += 1;
}

void memory_look(const struct memory *m, const struct pnote *notes, uint32_t n, unsigned tracks,
                 struct eval_mean *all, struct eval_mean by_track[N_ROLES])
{
    uint32_t from = 0;
    int asked, have;
    for (int bar = 0; bar < PHRASE_BARS; bar++) {
        uint32_t in_bar = bar_notes(notes, n, bar, &from);
        uint64_t h = bar_hash(notes + from, in_bar, all_tracks, &have);
        bar_hash(notes + from, in_bar, tracks, &asked);
        if (asked > 0)
            count(all, knows(m, h));
        for (int r = 0; r < N_ROLES; r++) {
            h = bar_hash(notes + from, in_bar, 1u << r, &have);
            if (tracks >> r & 1 && have >= MIN_TRACK_NOTES)
                count(&by_track[r], knows(m, h));
        }
    }
}
