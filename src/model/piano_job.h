/* piano_job.h: what a request means to the families that play the piano, and what a take owes it: where the quarters
 * of the span lie, what is there already, in which key, and under which styles; how notes go into the song, how far
 * a take has come, how it is handed over. Only free cells of the Piano track change. */
#pragma once
#include "model.h"
#include "piano_code.h"
#include "piano_style.h"
#include "rng.h"
#include "song.h"

struct piano_job {
    const struct styles *styles;     /* of the model, as are its name and hash; all borrowed */
    const char *name, *hash;
    const struct request *rq;
    const struct progress *p;
    int bar0;                        /* the first bar of the span: behind the music where it goes on */
    int32_t origin;                  /* tick of quarter 0 */
    int begin, end;                  /* quarters to write; all before are given */
    struct piano_frame *frame;       /* [end] */
    bool *keep;                      /* [end] quarters of the span that stay as they are */
    int *bar;                        /* [end] the bar each quarter begins in */
    struct qnote *notes;             /* what is there to go by, in columns from quarter 0 on */
    uint32_t n_notes;
    struct key key;                  /* asked for, told by the file, or heard; unknown where nothing is */
    uint16_t scale;                  /* the only pitch classes, 0 = all */
    int low, high;                   /* the only keys 0..87 of the piano */
    int vel;                         /* of the music so far */
};
NODISCARD enum err piano_job_init(struct piano_job *j, const struct styles *styles, const char *name, const char *hash,
                                  const struct request *rq, const struct progress *p);
void piano_job_fini(struct piano_job *j);
/* How the takes share `rows` rows of a network: with styles a second row reads the same under no name. */
int piano_job_beside(const struct piano_job *j, int rows);
/* What take k of `beside` says, `out` being room for it: plainer in its style than the data has it. */
const float *piano_job_said(const float *logits, int k, int size, int beside, int rows, float *out);

/* A take in the making: the song with the free cells of the span empty. */
struct piano_draft {
    struct song *song;
    uint64_t seed;
    struct rng draw, touch;
    int shift;                       /* semitones that the network has the music higher than the song */
    int bars;                        /* of the span that are written */
    int manner[REQUEST_STYLES];      /* the styles it plays in: of an era asked for, one of its composers */
};
void piano_draft_init(const struct piano_job *j, struct piano_draft *d, uint64_t seed);
void piano_draft_clear(const struct piano_job *j, struct piano_draft *d);   /* the span, for writing it anew */
void piano_draft_fini(struct piano_draft *d);
/* Weights of the styles [n] in a quarter: blends glide across the span. */
void piano_draft_weigh(const struct piano_job *j, const struct piano_draft *d, int quarter, float *row);
/* A note of the span, its tick and length from the network, its weight from the hand: `top` of what is struck at
 * once, or `alone`. The track wants track_tidy when all are in. */
void piano_draft_add(const struct piano_job *j, struct piano_draft *d, struct note n, bool top, bool alone);
/* Is there a new whole bar, with everything before `quarter` written? Then write, and show it. */
bool piano_draft_grows(const struct piano_job *j, struct piano_draft *d, int quarter);
void piano_draft_show(const struct piano_job *j, const struct piano_draft *d, int index);
/* Hands the song over as a take. */
void piano_draft_deliver(const struct piano_job *j, struct piano_draft *d, int index, bool empty);
