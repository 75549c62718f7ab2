/* eval.h: how far a model's music is from real music it has not seen, or from what it learnt. For phrases of a data
 * set, genre by genre, the same requests are put to the model and the answers measured beside the phrases they stand for:
 * from scratch (nothing kept) and accompanying (each sounding role kept in turn, the others asked for). */
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include "metric.h"
#include "str.h"
struct model; struct model_kind; struct dataset; struct json_t;

enum eval_mode { EVAL_SCRATCH, EVAL_ACCOMPANY, N_EVAL_MODES };
const char *eval_mode_name(enum eval_mode m);

/* What weighs the same. Of a genre with more songs, or more phrases, there are more phrases then; in all as many. */
enum eval_weigh { EVAL_GENRES, EVAL_SONGS, EVAL_PHRASES };

struct eval_opts {
    int phrases;             /* phrases a genre, spread over its songs */
    enum eval_weigh weigh;
    bool training;           /* the real music is what was learnt from, as papers compare; else what was held out */
    int takes;               /* of each request; diversity needs two */
    const char *set;         /* only phrases of this folder of the data set; NULL = all */
    const char *genre;       /* only this one; NULL = all of the data set */
    bool mode[N_EVAL_MODES];
    bool yardstick;          /* real training phrases of the genre answer in the model's place, from scratch only:
                                what the aims ask of music that is real but by others */
    double temperature, top_p;
    uint64_t seed;
    const atomic_bool *cancel;                 /* may be NULL */
    void (*on_step)(void *ctx, double fraction); /* may be NULL */
    void *ctx;
};
void eval_opts_init(struct eval_opts *o);  /* 16 phrases, 2 takes, both modes */

/* A mean in the making. */
struct eval_mean { double sum, weight; };
double eval_mean(struct eval_mean m);      /* NaN when nothing was measured */

/* One side of a comparison; shares are percentages. */
struct eval_side {
    struct metrics metrics;                /* of the tracks the model was asked for */
    struct metrics published[N_FORMS];     /* the same as the originals' code counts */
    struct eval_mean in_key;               /* notes around a pitched kept track that lie in its key */
    struct eval_mean diversity;            /* 100 x (1 - overlap) of the notes of two takes; real: of two phrases */
    struct eval_mean memorised;            /* sounding bars, five tracks together, found in the training data: same
                                              drums, same pitched notes in any key */
    struct eval_mean memorised_track[N_ROLES]; /* bars of four notes or more of one asked track, likewise */
    struct eval_mean recognised;           /* phrases whose genre the classifier names */
    /* How the kept track and those around it go together: [0] as they are, [1] with another song's in the place of
     * the kept one. Tonal distance; onsets of the others that fall together with one of the kept track, %. */
    struct eval_mean tonal[2], together[2];
    long n, empty, stuck;                  /* phrases; those in which nothing asked for sounds; or only one pitch of
                                              one track does, or nothing moves: all begins at one step */
};
struct eval_pair { struct eval_side real, made; };
struct eval_row {
    char genre[64];
    struct eval_pair mode[N_EVAL_MODES];
    struct eval_pair kept[N_ROLES];        /* accompanying, by the role that was kept */
};
/* Frechet distances of phrases, as the classifier's hidden layer hears them, to the held-out ones: of the model's,
 * and of as many training phrases of the same genres. Few phrases make both larger. */
struct eval_frechet { double made, songs; };

struct eval {
    struct eval_row *rows;                 /* a genre each; the last is all together, genre "all" */
    size_t n_rows;
    double chance;                         /* of naming the genre blindly, % */
    double classifier;                     /* the classifier on all held-out phrases, balanced, % */
    double seconds_per_take;
    struct eval_frechet frechet[N_EVAL_MODES];
    bool mode[N_EVAL_MODES];
    bool training;                         /* as asked */
};
NODISCARD enum err eval_run(const struct model_kind *kind, struct model *m, const struct dataset *d,
                            const struct eval_opts *o, struct eval **out);
void eval_free(struct eval *e);
/* A table for people; a made value that misses its aim is followed by '!'. With `published`, all genres
 * together by the originals' forms of the metrics as well. */
void eval_table(const struct eval *e, bool published, struct str *out);
/* Up to 16 models side by side: a line a figure, all genres together. */
void eval_compare(const struct eval *const *e, const char *const *names, size_t n, struct str *out);
/* Beside published figures: "musegan", "binary" or "beatgan". A cell counts when ours lies nearer to the held-out music
 * than a published row lies to its own training data (to our held-out music where theirs is not known). The least
 * count of all rows is the result: nothing when the mode the rows were made in was not measured. */
struct eval_score { int nearer, cells; char row[32]; };
NODISCARD enum err eval_beside(const struct eval *e, const char *set, struct str *out, struct eval_score *score);
struct json_t *eval_json(const struct eval *e);          /* a new reference */
