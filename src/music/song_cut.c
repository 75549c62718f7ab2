/* song_cut.c: parts of songs and songs of parts: cutting out a span, and setting one after another. */
#include <stdlib.h>

#include "song.h"

/* What is in force at `from` holds at `at`, unless it does so there already; then the changes up to `to`. */
static void paste_tempos(struct song *dst, int32_t at, const struct song *src, int32_t from, int32_t to)
{
    uint32_t first = src->tempos[0].usec;
    for (size_t i = 0; i < src->n_tempos && src->tempos[i].tick <= from; i++)
        first = src->tempos[i].usec;
    if (at == 0 || dst->tempos[dst->n_tempos - 1].usec != first)
        song_set_tempo_usec(dst, at, first);
    for (size_t i = 0; i < src->n_tempos && src->tempos[i].tick < to; i++)
        if (src->tempos[i].tick > from)
            song_set_tempo_usec(dst, src->tempos[i].tick - from + at, src->tempos[i].usec);
}

static void paste_metres(struct song *dst, int32_t at, const struct song *src, int32_t from, int32_t to)
{
    struct metre first = song_metre(src, from), last = dst->metres[dst->n_metres - 1];
    if (at == 0 || last.num != first.num || last.den != first.den)
        song_set_metre(dst, at, first.num, first.den);
    for (size_t i = 0; i < src->n_metres && src->metres[i].tick < to; i++)
        if (src->metres[i].tick > from)
            song_set_metre(dst, src->metres[i].tick - from + at, src->metres[i].num, src->metres[i].den);
}

static void paste_keys(struct song *dst, int32_t at, const struct song *src, int32_t from, int32_t to)
{
    for (size_t i = 0; i < src->n_keys && src->keys[i].tick < to; i++) {
        const struct keysig *k = &src->keys[i];
        if (i + 1 < src->n_keys && src->keys[i + 1].tick <= from)
            continue;
        const struct keysig *last = dst->n_keys ? &dst->keys[dst->n_keys - 1] : NULL;
        if (!last || last->sharps != k->sharps || last->minor != k->minor)
            song_set_key(dst, (k->tick > from ? k->tick - from : 0) + at, k->sharps, k->minor);
    }
}

void song_paste(struct song *dst, int32_t at, const struct song *src, int32_t from, int32_t to)
{
    paste_tempos(dst, at, src, from, to);
    paste_metres(dst, at, src, from, to);
    paste_keys(dst, at, src, from, to);
    for (size_t i = 0; i < src->n_markers; i++)
        if (src->markers[i].tick >= from && src->markers[i].tick < to)
            song_add_marker(dst, src->markers[i].tick - from + at, src->markers[i].text);
    for (size_t t = 0; t < src->n_tracks && t < dst->n_tracks; t++) {
        const struct track *track = &src->tracks[t];
        for (size_t i = track_first_at(track, from); i < track->n && track->notes[i].tick < to; i++) {
            struct note n = track->notes[i];
            n.tick += at - from;
            track_push(&dst->tracks[t], n);
        }
    }
}

struct song *song_part(const struct song *s, int32_t from, int32_t to)
{
    struct song *part = song_dup(s);
    part->n_tempos = part->n_metres = 1; /* those of tick 0, written over below */
    part->n_keys = part->n_markers = 0;
    for (size_t t = 0; t < part->n_tracks; t++)
        part->tracks[t].n = 0;
    song_paste(part, 0, s, from, to);
    return part;
}
