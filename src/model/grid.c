/* grid.c: phrases as pictures of sixteenths by pitches, and the sets of them that networks learn from. */
#include "grid.h"
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "phrase.h"

enum { PER_CELL = PHRASE_BAR_STEPS / GRID_BAR };

static int nearest_cell(int step)
{
    return (step + PER_CELL / 2) / PER_CELL;
}

static void fill_note(const struct pnote *n, uint8_t *cells)
{
    int from = nearest_cell(n->start), to = nearest_cell(n->start + n->dur), pitch = n->pitch - GRID_LOW;
    if (n->role == ROLE_DRUMS || pitch < 0 || pitch >= GRID_PITCHES)
        return;
    from = from < GRID_STEPS ? from : GRID_STEPS - 1;
    to = to > GRID_STEPS ? GRID_STEPS : to > from ? to : from + 1;
    for (int t = from; t < to; t++)
        cells[t * GRID_PITCHES + pitch] = 1;
}

int grid_of_phrase(const struct phrase *p, uint8_t *cells)
{
    memset(cells, 0, GRID_CELLS);
    for (uint32_t i = 0; i < p->n; i++)
        fill_note(&p->notes[i], cells);
    return grid_sounding(cells);
}

int grid_sounding(const uint8_t *cells)
{
    int n = 0;
    for (int i = 0; i < GRID_CELLS; i++)
        n += cells[i];
    return n;
}

double grid_difference(const uint8_t *a, const uint8_t *b)
{
    int either = 0, both = 0;
    for (int i = 0; i < GRID_CELLS; i++) {
        either += a[i] | b[i];
        both += a[i] & b[i];
    }
    return either ? 1 - (double)both / either : 0;
}

void grid_of_probabilities(const float *p, uint8_t *cells)
{
    for (int i = 0; i < GRID_CELLS; i++)
        cells[i] = p[i] > 0.5f;
}

/* ---- sets ---- */

enum err grid_set_init(struct grid_set *s, const struct dataset *d, const char *genre, bool held_out)
{
    size_t wanted = 0;
    uint8_t cells[GRID_CELLS];
    while (wanted < dataset_n_genres(d) && !str_same(dataset_genre(d, wanted), genre))
        wanted++;
    if (wanted == dataset_n_genres(d))
        return err_set(ERR_MISSING, "the data has no genre \"%s\"", genre);
    *s = (struct grid_set){ .data = d, .phrase = xcalloc(dataset_n(d) + 1, sizeof *s->phrase) };
    for (size_t i = 0; i < dataset_n(d); i++) {
        struct phrase p = dataset_get(d, i);
        if (p.genre == wanted && p.held_out == held_out && grid_of_phrase(&p, cells) > 0)
            s->phrase[s->n++] = (uint32_t)i;
    }
    return ERR_OK;
}

void grid_set_fini(struct grid_set *s)
{
    free(s->phrase);
    *s = (struct grid_set){ 0 };
}

/* Notes that leave the picture are lost. */
static void transpose(uint8_t *cells, int by)
{
    size_t n = (size_t)(GRID_PITCHES - abs(by));
    for (int t = 0; t < GRID_STEPS && by != 0; t++) {
        uint8_t *row = cells + t * GRID_PITCHES;
        memmove(row + (by > 0 ? by : 0), row + (by < 0 ? -by : 0), n);
        memset(by > 0 ? row : row + n, 0, (size_t)abs(by));
    }
}

void grid_set_draw(const struct grid_set *s, struct rng *r, int shift, uint8_t *cells)
{
    struct phrase p = dataset_get(s->data, s->phrase[rng_below(r, (uint32_t)s->n)]);
    grid_of_phrase(&p, cells);
    if (shift > 0)
        transpose(cells, (int)rng_below(r, 2 * (uint32_t)shift + 1) - shift);
}

void grid_set_at(const struct grid_set *s, int i, int n, uint8_t *cells)
{
    struct phrase p = dataset_get(s->data, s->phrase[(size_t)i * s->n / (size_t)n]);
    grid_of_phrase(&p, cells);
}
