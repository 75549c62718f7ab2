/* frame_vocab.c: vocabularies of chords; see frame_code.h. */
#include <stdlib.h>
#include <string.h>
#include "frame_code.h"
#include "mem.h"
#include "piano_work.h"

struct frame_entry { struct frame_set set; int token; };

static int set_order(const struct frame_set *a, const struct frame_set *b)
{
    return a->key[1] != b->key[1] ? (a->key[1] < b->key[1] ? -1 : 1) : a->key[0] != b->key[0] ? (a->key[0] < b->key[0] ? -1 : 1) : 0;
}

static int by_set(const void *a, const void *b)
{
    return set_order(&((const struct frame_entry *)a)->set, &((const struct frame_entry *)b)->set);
}

/* Tokens that stand for no chord. */
static bool is_special(enum frame_time t, int n, int token)
{
    return token == 0 || token == (t == FRAMES_BEATS ? FRAME_HOLD : n - 1);
}

static bool on_keyboard(struct frame_set s)
{
    return frame_set_low(s) >= QUARTER_LOW && frame_set_high(s) < QUARTER_LOW + QUARTER_KEYS;
}

enum err frame_vocab_init(struct frame_vocab *v, enum frame_time t, const struct frame_set *set, int n)
{
    if (n < VOCAB_MIN || n > VOCAB_MAX)
        return err_set(ERR_FORMAT, "a vocabulary of %d chords; %d to %d are possible", n, VOCAB_MIN, VOCAB_MAX);
    for (int i = 0; i < n; i++)
        if (frame_set_empty(set[i]) != is_special(t, n, i) || (!frame_set_empty(set[i]) && !on_keyboard(set[i])))
            return err_set(ERR_FORMAT, "chord %d of the vocabulary is %s", i,
                           is_special(t, n, i) ? "no rest" : frame_set_empty(set[i]) ? "empty" : "off the keyboard");
    struct frame_entry *sorted = xcalloc((size_t)n, sizeof *sorted);
    int m = 0;
    for (int i = 0; i < n; i++)
        if (!is_special(t, n, i))
            sorted[m++] = (struct frame_entry){ set[i], i };
    qsort(sorted, (size_t)m, sizeof *sorted, by_set);
    for (int i = 1; i < m; i++)
        if (by_set(&sorted[i - 1], &sorted[i]) == 0) {
            enum err err = err_set(ERR_FORMAT, "chords %d and %d of the vocabulary are the same", sorted[i - 1].token, sorted[i].token);
            free(sorted);
            return err;
        }
    *v = (struct frame_vocab){ .time = t, .n = n, .set = xcalloc((size_t)n, sizeof *v->set), .sorted = sorted };
    memcpy(v->set, set, (size_t)n * sizeof *set);
    return ERR_OK;
}

void frame_vocab_fini(struct frame_vocab *v)
{
    free(v->set);
    free(v->sorted);
    memset(v, 0, sizeof *v);
}

int frame_rest(const struct frame_vocab *v)
{
    return v->time == FRAMES_BEATS ? 0 : v->n - 1;
}

bool frame_legal(const struct frame_vocab *v, int token)
{
    return v->time == FRAMES_BEATS || token != 0;
}

bool frame_is_chord(const struct frame_vocab *v, int token)
{
    return !is_special(v->time, v->n, token);
}

/* How well a chord stands for another, for comparing: outline first, then common pitches, then how near it lies. */
static int64_t likeness(struct frame_set a, struct frame_set b)
{
    struct frame_set both = { { a.key[0] & b.key[0], a.key[1] & b.key[1] } }, any = { { a.key[0] | b.key[0], a.key[1] | b.key[1] } };
    int top = abs(frame_set_high(a) - frame_set_high(b)), bottom = abs(frame_set_low(a) - frame_set_low(b));
    int64_t outline = 2 * (top == 0) + (bottom == 0), common = 10000 * frame_set_count(both) / frame_set_count(any);
    return (outline * 16384 + common) * 256 + 255 - top - bottom;
}

int frame_token(const struct frame_vocab *v, struct frame_set s)
{
    const struct frame_entry want = { .set = s };
    size_t chords = (size_t)v->n - 2;
    const struct frame_entry *same = bsearch(&want, v->sorted, chords, sizeof want, by_set);
    int64_t most = -1;
    int best = frame_rest(v);
    if (frame_set_empty(s))
        return best;
    for (size_t i = 0; !same && i < chords; i++) {
        int64_t l = likeness(s, v->sorted[i].set);
        if (l > most) {
            most = l;
            best = v->sorted[i].token;
        }
    }
    return same ? same->token : best;
}

/* ---- learning one ---- */

/* Chords of the training music with how often they come and when first. */
struct found { struct frame_set set; uint32_t n, first; };
struct finds { struct found *at; size_t n, slots; uint32_t *slot; };   /* slot: index + 1, 0 = free */

static size_t slot_of(const struct finds *f, struct frame_set s)
{
    size_t i = (size_t)((s.key[0] ^ s.key[1] * 31) * 0x9e3779b97f4a7c15u >> 20) & (f->slots - 1);
    while (f->slot[i] && set_order(&f->at[f->slot[i] - 1].set, &s) != 0)
        i = (i + 1) & (f->slots - 1);
    return i;
}

static void count_set(struct finds *f, struct frame_set s)
{
    size_t i = slot_of(f, s);
    if (!f->slot[i]) {
        if (f->n * 2 >= f->slots)   /* thinned music: what comes this late and new is rare */
            return;
        f->at[f->n] = (struct found){ s, 0, (uint32_t)f->n };
        f->slot[i] = (uint32_t)++f->n;
    }
    f->at[f->slot[i] - 1].n++;
}

static void count_work(struct finds *f, enum frame_time t, const struct work *k)
{
    struct frame_grid g;
    frame_grid_of_work(&g, t, k);
    struct frame_set *set = xcalloc((size_t)g.n + 1, sizeof *set);
    bool *sounds = xcalloc((size_t)g.n + 1, sizeof *sounds);
    frame_sets(t, &g, k->notes, k->n, key_home(key_of_work(k)), set, sounds);
    for (int i = 0; i < g.n; i++)
        if (!frame_set_empty(set[i]))
            count_set(f, set[i]);
    free(set);
    free(sounds);
    frame_grid_fini(&g);
}

static int by_count(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return x->n != y->n ? (x->n > y->n ? -1 : 1) : x->first < y->first ? -1 : x->first > y->first;
}

static int by_first(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

enum err frame_vocab_learn(struct frame_vocab *v, enum frame_time t, const struct works *w, int most)
{
    struct finds f = { .slots = (size_t)1 << 20 };
    f.at = xcalloc(f.slots / 2 + 1, sizeof *f.at);
    f.slot = xcalloc(f.slots, sizeof *f.slot);
    for (size_t i = 0; i < works_n(w); i++) {
        struct work k = works_get(w, i);
        if (!k.held_out)
            count_work(&f, t, &k);
    }
    int n = f.n > (size_t)most - 2 ? most - 2 : (int)f.n;
    struct frame_set *set = xcalloc((size_t)n + 2, sizeof *set);
    qsort(f.at, f.n, sizeof *f.at, by_count);
    if (t == FRAMES_CLOCK)
        qsort(f.at, (size_t)n, sizeof *f.at, by_first);
    for (int i = 0; i < n; i++)
        set[i + (t == FRAMES_BEATS ? 2 : 1)] = f.at[i].set;
    enum err err = n > 0 ? frame_vocab_init(v, t, set, n + 2) : err_set(ERR_EMPTY, "the data set holds no notes to train on");
    free(set);
    free(f.at);
    free(f.slot);
    return err;
}
