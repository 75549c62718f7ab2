/* hand.h: notes taken into the hand, changed, and put back as one step. Every command on notes is that. */
#pragma once
#include "act.h"
#include "mem.h"

struct held { int track; struct note was, note; bool drop; };
struct hand {
    struct held *at;        /* by track, then as the track has them */
    size_t n, cap;
    int32_t from, to;       /* the time they were taken from: the selection's own, else the bars that hold them */
};

/* What a command means where nothing is selected; in a batch, where nobody sees a cursor, it is the song. */
enum reach { REACH_NOTE, REACH_TRACK };

NODISCARD enum err hand_take(struct desk *d, enum reach reach, struct hand *out);
void hand_put(struct desk *d, struct hand *h, const char *what);   /* and empties the hand */
/* Take, change, put, as one step. The function may fail, and then nothing has happened. */
typedef enum err shape_fn(struct desk *d, struct hand *h, const int *arg);
NODISCARD enum err hand_shape(struct desk *d, enum reach reach, const char *what, shape_fn *fn, const int *arg);
void hand_fini(struct hand *h);
/* Make the song long enough for a note at `tick`, by phrases; within an edit. */
NODISCARD enum err hand_grow(struct desk *d, int32_t tick);
void hand_hear(const struct desk *d, const struct note *n);
long hand_at_cursor(const struct desk *d);                          /* index in the focused track, -1 none */

/* select.c */
void picks_add(struct picks *p, int track, const struct note *n);
void picks_sort(struct picks *p);
void select_named(struct desk *d);          /* the picks are what is selected, until the area is another */
void select_move(struct desk *d, int32_t ticks, int lines);      /* the rectangle goes with its notes */
bool area_has(const struct area *a, int track, const struct note *n);
