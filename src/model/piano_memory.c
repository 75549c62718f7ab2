/* piano_memory.c: how much of a piece is in the training music note for note. Notes are compared by the way to the
 * next: how far in time, how far in pitch; so a passage is found in any key and bar. Passages of 12 notes are found
 * by hash and followed as far as they go. */
#include <stdlib.h>
#include "mem.h"
#include "piano_work.h"
#include "piano_yardsticks.h"
#include "rng.h"

enum { SEED_NOTES = 12, BITS = 22, MOST_TRIED = 128, BREAK = INT16_MAX, TWO_BARS = 8 };   /* quarters */

struct way { int16_t time, pitch; };   /* from the note before; time BREAK = the first of a piece */
struct echo {
    struct way *way;
    size_t n, cap;
    uint32_t *head, *next;             /* places of a hash, 0 = none; a place is an index of `way` plus one */
};

/* Appends the ways of a piece; `at` gains the time of each note in 24ths. */
static void add_piece(struct way **way, size_t *n, size_t *cap, const struct piano_piece *p, int32_t *at)
{
    int32_t last = -1;
    int pitch = 0;
    for (int q = 0; q < p->quarters; q++)
        for (uint32_t i = p->first[q]; i < p->first[q + 1]; i++) {
            int32_t now = q * PIANO_GRID + p->note[i].pos;
            int apart = now - last > 1000 ? 1000 : now - last;
            *way = xgrow(*way, *n, cap, sizeof **way);
            (*way)[*n] = (struct way){ (int16_t)(last < 0 ? BREAK : apart), (int16_t)(p->note[i].pitch - pitch) };
            if (at)
                at[*n] = now;
            (*n)++;
            last = now;
            pitch = p->note[i].pitch;
        }
}

static bool same_way(const struct way *a, const struct way *b)
{
    return a->time == b->time && a->pitch == b->pitch && a->time != BREAK;
}

/* Of the ways that follow the note at `w`; false when the piece ends before. */
static bool hash_at(const struct way *w, size_t left, uint32_t *out)
{
    uint64_t h = 1;
    if (left < SEED_NOTES)
        return false;
    for (int i = 1; i < SEED_NOTES; i++) {
        if (w[i].time == BREAK)
            return false;
        h = rng_hash(h, (uint64_t)(uint16_t)w[i].time << 16 | (uint16_t)w[i].pitch);
    }
    *out = (uint32_t)h & ((1u << BITS) - 1);
    return true;
}

struct echo *echo_new(const struct works *w)
{
    struct echo *e = xcalloc(1, sizeof *e);
    for (size_t i = 0; i < works_n(w); i++) {
        struct work k = works_get(w, i);
        struct piano_piece p;
        if (k.held_out)
            continue;
        piano_piece_of_work(&k, &p);
        add_piece(&e->way, &e->n, &e->cap, &p, NULL);
        piano_piece_fini(&p);
    }
    e->head = xcalloc((size_t)1 << BITS, sizeof *e->head);
    e->next = xcalloc(e->n + 1, sizeof *e->next);
    for (size_t i = 0; i < e->n; i++) {
        uint32_t h;
        if (!hash_at(e->way + i, e->n - i, &h))
            continue;
        e->next[i] = e->head[h];
        e->head[h] = (uint32_t)i + 1;
    }
    return e;
}

void echo_free(struct echo *e)
{
    if (!e)
        return;
    free(e->way);
    free(e->head);
    free(e->next);
    free(e);
}

double echo_longest(const struct echo *e, const struct piano_piece *p)
{
    struct way *way = NULL;
    size_t n = 0, cap = 0;
    int32_t *at = xcalloc(p->first[p->quarters] + 1, sizeof *at), longest = 0;
    add_piece(&way, &n, &cap, p, at);
    for (size_t i = 0; i < n; i++) {
        uint32_t h;
        if (!hash_at(way + i, n - i, &h))
            break;
        uint32_t place = e->head[h];
        for (int tried = 0; place && tried < MOST_TRIED; tried++, place = e->next[place - 1]) {
            size_t k = place, j = i + 1; /* the ways after the first note */
            while (j < n && k < e->n && same_way(&way[j], &e->way[k]))
                j++, k++;
            if (j - i >= SEED_NOTES && at[j - 1] - at[i] > longest)
                longest = at[j - 1] - at[i];
        }
    }
    free(way);
    free(at);
    return (double)longest / PIANO_GRID;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void echo_report(double *echoes, int n, struct measures *out)
{
    int under = 0;
    if (n == 0)
        return;
    for (int i = 0; i < n; i++)
        under += echoes[i] < TWO_BARS;
    qsort(echoes, (size_t)n, sizeof *echoes, by_size);
    measures_add(out, "pieces made", n, "", 0);
    measures_add(out, "longest match with training music: 95th percentile, quarters", echoes[(n - 1) * 95 / 100], "", 0);
    measures_add(out, "longest match of all, quarters", echoes[n - 1], "", 0);
    measures_add(out, "longest match under two bars, % of pieces", 100.0 * under / n, "", 0);
}
