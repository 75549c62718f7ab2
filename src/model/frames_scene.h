/* frames_scene.h: what a request means to the frames: the bars around its span as a line of tokens in the network's key,
 * and which tokens may come. A window of rests lies before the first bar, so that frames are counted from there: frame
 * f of the line is frame f - window of the grid. */
#pragma once
#include "draw.h"
#include "frames.h"
#include "rng.h"

struct frames_scene {
    struct model *m;
    const struct request *rq;
    int bar0;
    enum role role;
    struct frame_grid grid;
    int32_t origin;              /* tick of column 0 */
    int n, begin;                /* frames; the first to write */
    int32_t *token;              /* [n] the song as it is, what is to be written included */
    int8_t *phase;               /* [n + 1] */
    int *bar;                    /* [n] bar each begins in */
    struct key key;              /* tonic -1: nothing is known of it */
    bool silent;                 /* nothing sounds in the window before `begin` */
    int vel;                     /* of the music so far */
};
/* Writing is to begin at the first frame at or after tick `at`, in bars up to `end`, on the track of `role`; the span of
 * the request begins with bar0. */
NODISCARD enum err frames_scene_open(struct frames_scene *s, struct model *m, const struct request *rq, int bar0,
                                     enum role role, int32_t at, int end);
void frames_scene_close(struct frames_scene *s);
/* Frames from one tick to another, or a few more. */
double frames_between(const struct model *m, const struct song *s, int32_t from, int32_t to);
static inline int32_t frames_tick(const struct frames_scene *s, int f)
{
    return s->origin + s->grid.column[f - s->m->net.window] * QUARTER_COL_TICKS;
}
bool frames_bar_kept(const struct frames_scene *s, int bar);          /* bars outside the span are */
int32_t frames_free_until(const struct frames_scene *s, int bar);     /* where the next kept bar begins, or the span ends */
/* Notes of frames from..to-1 by ticks, `shift` semitones below the line. *out is malloc'd. */
void frames_scene_notes(const struct frames_scene *s, const int32_t *token, int from, int to, int shift, struct note **out,
                        uint32_t *n);

/* What may be drawn: the request's range and scale, for music `shift` semitones above the song. */
struct frames_rules { bool *legal; float *bias; bool any; };   /* [V]; is any chord legal? */
void frames_rules_init(struct frames_rules *r, const struct frames_scene *s, int shift);
void frames_rules_fini(struct frames_rules *r);
/* The rules at frame f of a line besides: no hold after a rest, and no quiet for too long. legal [V], biased logits [V]. */
void frames_rules_at(const struct frames_rules *r, const struct frames_scene *s, const int32_t *token, int f,
                     const float *logits, bool *legal, float *biased);
