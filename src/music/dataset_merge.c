/* dataset_merge.c: a song as genre transfer sees it, all pitched tracks in one on a grid of sixteenths; and which
 * songs are one work. */
#include <stdlib.h>
#include <string.h>
#include "dataset_parts.h"
#include "mem.h"
#include "song.h"
#include "works_group.h"

enum { SIXTEENTH = SONG_TPQ / 4, PERCUSSIVE = 112 /* the first program that has no pitch */ };

bool song_is_common_time(const struct song *s)
{
    bool only = true;
    for (size_t i = 0; i < s->n_metres; i++)
        only &= s->metres[i].num == 4 && s->metres[i].den == 4;
    return only;
}

/* Where one pitch is struck again the earlier note ends, and what would have sounded longest sounds on: the picture
 * of all is that of each laid over the others. */
static void lay_over(struct track *t)
{
    size_t n = 0;
    long last[128];
    memset(last, 0xff, sizeof(last));
    track_sort(t);
    for (size_t i = 0; i < t->n; i++) {
        struct note now = t->notes[i], *before = last[now.pitch] < 0 ? NULL : &t->notes[last[now.pitch]];
        int32_t end = before ? before->tick + before->dur : 0;
        if (end > now.tick && end - now.tick > now.dur)
            now.dur = end - now.tick;
        if (before && before->tick == now.tick) {
            before->dur = now.dur;
            before->vel = before->vel > now.vel ? before->vel : now.vel;
            continue;
        }
        if (end > now.tick)
            before->dur = now.tick - before->tick;
        last[now.pitch] = (long)n;
        t->notes[n++] = now;
    }
    t->n = n;
}

struct song *song_merged(const struct song *in)
{
    struct song *out = song_new_band();
    struct track *all = &out->tracks[ROLE_PIANO];
    for (size_t i = 0; i < in->n_metres; i++)
        song_set_metre(out, in->metres[i].tick, in->metres[i].num, in->metres[i].den);
    for (size_t i = 0; i < in->n_tracks; i++) {
        const struct track *t = &in->tracks[i];
        for (size_t k = 0; k < t->n && t->role != ROLE_DRUMS && t->program < PERCUSSIVE; k++) {
            struct note n = t->notes[k];
            int32_t from = (n.tick + SIXTEENTH / 2) / SIXTEENTH, to = (n.tick + n.dur + SIXTEENTH / 2) / SIXTEENTH;
            n.tick = from * SIXTEENTH;
            n.dur = (to > from ? to - from : 1) * SIXTEENTH;
            track_push(all, n);
        }
    }
    lay_over(all);
    return out;
}

void group_songs(struct group_piece *pieces, const char *const *names, uint32_t n, uint64_t *groups)
{
    uint32_t *first = xcalloc(n + 1, sizeof(*first)); /* by group: its first song */
    works_group(pieces, n);
    for (uint32_t i = n; i-- > 0;)
        first[pieces[i].group] = i;
    for (uint32_t i = 0; i < n; i++) {
        const char *name = names[first[pieces[i].group]];
        groups[i] = hash_text(name, strlen(name));
    }
    free(first);
}
