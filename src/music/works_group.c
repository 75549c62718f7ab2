/* works_group.c: editions of one work under different names are found by their notes. A piece is a sequence of chords
 * (what starts together); eight in a row, relative to the lowest note of the first, are a shingle. Shingles that many
 * pieces have are scales and cadences and say nothing; pairs of pieces are counted over the others. */
#include "works_group.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "dataset_parts.h"
#include "file.h"
#include "mem.h"
#include "rng.h"

enum { CHORDS = 8, COMMON = 40, MIN_SHARED = 8 };
static const double SHARE = 0.2;

struct shingle { uint64_t hash; uint32_t piece; };
struct forest { uint32_t *parent; };

static uint32_t root_of(const struct forest *f, uint32_t i)
{
    while (f->parent[i] != i)
        i = f->parent[i] = f->parent[f->parent[i]];
    return i;
}

/* The lower index becomes the root. */
static void join(const struct forest *f, uint32_t a, uint32_t b)
{
    a = root_of(f, a);
    b = root_of(f, b);
    f->parent[a > b ? a : b] = a < b ? a : b;
}

static struct forest forest_new(uint32_t n)
{
    struct forest f = { xcalloc(n + 1, sizeof(*f.parent)) };
    for (uint32_t i = 0; i < n; i++)
        f.parent[i] = i;
    return f;
}

static int shingle_order(const void *x, const void *y)
{
    const struct shingle *a = x, *b = y;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->piece < b->piece ? -1 : a->piece > b->piece;
}

static int pair_order(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

static uint64_t hash_run(const struct qnote *p, uint32_t from, uint32_t to)
{
    int low = p[from].pitch;
    uint64_t h = 1;
    for (uint32_t i = from; i < to; i++)
        h = rng_hash(h, (uint64_t)(p[i].pitch - low + 128) << 1 | (i > from && p[i].start == p[i - 1].start));
    return h;
}

/* The different shingles of a piece, at the end of *list; returns how many. */
static uint32_t add_shingles(const struct group_piece *g, uint32_t piece, struct shingle **list, size_t *n, size_t *cap)
{
    uint32_t *first = xcalloc(g->n + 1, sizeof(*first)), chords = 0;
    size_t from = *n, kept = *n;
    for (uint32_t i = 0; i < g->n; i++)
        if (i == 0 || g->notes[i].start != g->notes[i - 1].start)
            first[chords++] = i;
    first[chords] = g->n;
    for (uint32_t c = 0; c + CHORDS <= chords; c++) {
        *list = xgrow(*list, *n, cap, sizeof(**list));
        (*list)[(*n)++] = (struct shingle){ hash_run(g->notes, first[c], first[c + CHORDS]), piece };
    }
    if (*n > from)
        qsort(*list + from, *n - from, sizeof(**list), shingle_order);
    for (size_t i = from; i < *n; i++)
        if (i == from || (*list)[i].hash != (*list)[kept - 1].hash)
            (*list)[kept++] = (*list)[i];
    *n = kept;
    free(first);
    return (uint32_t)(kept - from);
}

/* Every two pieces that have a shingle in common, once for each. */
static uint64_t *list_pairs(struct shingle *list, size_t n, size_t *n_pairs)
{
    uint64_t *pairs = NULL;
    size_t count = 0, cap = 0;
    qsort(list, n, sizeof(*list), shingle_order);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && list[end].hash == list[i].hash;)
            end++;
        if (end - i > COMMON)
            continue;
        for (size_t a = i; a < end; a++)
            for (size_t b = a + 1; b < end; b++) {
                pairs = xgrow(pairs, count, &cap, sizeof(*pairs));
                pairs[count++] = (uint64_t)list[a].piece << 32 | list[b].piece;
            }
    }
    *n_pairs = count;
    return pairs;
}

static void join_alike(const struct forest *f, struct group_piece *pieces, uint32_t n)
{
    struct shingle *list = NULL;
    size_t n_list = 0, cap = 0, n_pairs = 0;
    uint32_t *size = xcalloc(n + 1, sizeof(*size));

    for (uint32_t i = 0; i < n; i++)
        size[i] = add_shingles(&pieces[i], i, &list, &n_list, &cap);
    uint64_t *pairs = n_list > 0 ? list_pairs(list, n_list, &n_pairs) : NULL;
    if (n_pairs > 0)
        qsort(pairs, n_pairs, sizeof(*pairs), pair_order);
    for (size_t i = 0, end; i < n_pairs; i = end) {
        for (end = i; end < n_pairs && pairs[end] == pairs[i];)
            end++;
        uint32_t a = (uint32_t)(pairs[i] >> 32), b = (uint32_t)pairs[i];
        uint32_t shorter = size[a] < size[b] ? size[a] : size[b];
        if (end - i >= MIN_SHARED && (double)(end - i) >= SHARE * shorter)
            join(f, a, b);
    }
    free(size);
    free(list);
    free(pairs);
}

static void join_named(const struct forest *f, const struct group_piece *pieces, uint32_t n)
{
    struct shingle *keys = xcalloc(n + 1, sizeof(*keys));
    for (uint32_t i = 0; i < n; i++)
        keys[i] = (struct shingle){ pieces[i].key, i };
    qsort(keys, n, sizeof(*keys), shingle_order);
    for (uint32_t i = 1; i < n; i++)
        if (keys[i].hash == keys[i - 1].hash)
            join(f, keys[i - 1].piece, keys[i].piece);
    free(keys);
}

uint32_t works_group(struct group_piece *pieces, uint32_t n)
{
    struct forest f = forest_new(n);
    uint32_t *count = xcalloc(n + 1, sizeof(*count)), n_groups = 0;

    join_alike(&f, pieces, n);
    for (uint32_t i = 0; i < n; i++)
        count[root_of(&f, i)]++;
    for (uint32_t i = 0; i < n; i++)
        pieces[i].editions = count[root_of(&f, i)];
    join_named(&f, pieces, n);
    for (uint32_t i = 0; i < n; i++) /* a root comes before all others of its group */
        pieces[i].group = root_of(&f, i) == i ? n_groups++ : pieces[root_of(&f, i)].group;
    free(count);
    free(f.parent);
    return n_groups;
}

uint64_t works_key(const char *name, const char *owner)
{
    const char *file = path_base(name), *from = strstr(file, "__");
    size_t stem = strlen(file) - strlen(path_ext(file)), end = stem;
    struct str key;

    from = from && (size_t)(from + 2 - file) < stem ? from + 2 : file;
    size_t i = (size_t)(from - file);
    while (i < stem && end == stem) {
        size_t digits = strspn(file + i, "0123456789"), after = i + digits;
        bool counts = digits > 0 && !(file[after] == '-' && isalpha((unsigned char)file[after + 1]));
        end = counts ? after : stem;
        i = digits > 0 ? after : i + 1;
    }
    str_init(&key);
    for (i = (size_t)(from - file); i < end && i < stem; i++)
        if (isalnum((unsigned char)file[i]) || (unsigned char)file[i] >= 0x80)
            str_addc(&key, (char)tolower((unsigned char)file[i]));
    str_addf(&key, "/%s", owner);
    uint64_t h = hash_text(str_c(&key), key.len);
    str_fini(&key);
    return h;
}
