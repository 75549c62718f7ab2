/* model.h: what a model family is. One request struct and one result struct serve every verb; a family
 * says by flags which verbs it has. A roll becomes a tensor below this line and nowhere else. */
#pragma once
#include <stdatomic.h>
#include "plan.h"
#include "role.h"
#include "theory.h"
struct song; struct params; struct ckpt; struct dataset; struct opts; struct opt;

enum verb { VERB_GENERATE, VERB_ACCOMPANY, VERB_INFILL, VERB_VARY, VERB_INTERPOLATE, VERB_CONTINUE,
            VERB_TRANSFER, VERB_SUGGEST, N_VERBS };
const char *verb_name(enum verb v);

enum { REQUEST_MAX_BARS = 256, REQUEST_STYLES = 4 };
/* A style's weight in a blend, at the first bar of the span and at its end; in between it glides. */
struct style_weight { int style; float from, to; };
/* Lowest and highest MIDI pitch, at least a third apart; hi 0 = any. What lies outside is unlikely, or with
 * `strict` does not come at all. */
struct pitch_range { uint8_t lo, hi; bool strict; };
struct request {
    enum verb verb;
    const struct song *song;      /* band layout (five roles in order), of transfer any; borrowed; may hold no notes */
    int bar0, n_bars;             /* the span to work on; n_bars a multiple of 4 is best */
    uint8_t keep[N_ROLES][REQUEST_MAX_BARS]; /* 1 = never touch; index is bar - bar0; transfer goes on behind the
                                                last bar, which is kept as that one */
    uint8_t silent[N_ROLES];      /* 1 = leave this track empty where it is not kept */
    int genre;                    /* index into the weight file's list, -1 = any */
    struct style_weight style[REQUEST_STYLES]; int n_styles; /* of families that have styles; 0 = any */
    struct key key;               /* tonic -1 = from the kept notes, or free */
    bool snap;                    /* only pitches of the key's scale */
    double temperature, top_p;    /* 1.0 and 0.99 by default */
    int top_k;                    /* only so many likeliest at each draw; 0 = all */
    int density[N_ROLES];         /* 1..7, -1 = the model's choice, -2 = its choice and silence is one */
    struct pitch_range range[N_ROLES]; /* of new notes; drums have none */
    double distance;              /* vary: share of what may change that does, 0..1 */
    /* Interpolate: both ends in band layout, borrowed; take i lies at mix + i * mix_step, where 0 is `from`
     * and 1 is `to`, exactly. What is kept is the song's at every place. */
    const struct song *from, *to;
    double mix, mix_step;
    /* Suggest: what could begin next on the track of `role`, not the drums, at tick `at` of the span or after it.
     * The takes are different candidates, the likeliest first: the song plus a note or a chord. params begins with
     * the candidate's probability: "p=0.312 ...". Fewer may come than asked for. */
    int32_t at;
    enum role role;
    /* Transfer, to `genre`: how far, 0..1; the top line stays; to the genre and back again, which shows what was lost;
     * drums that may change are played anew by the band, in the genre if it knows it, which the engine sees to.
     * With `genre_to` the engine looks for weights and index itself; `genre_from` "" = what a judge takes the music for. */
    double strength;
    bool lock_melody, and_back, remake_drums;
    char genre_from[32], genre_to[32];
    uint64_t seed;                /* take i uses seed + i; interpolate: all of them seed, one path */
    /* Latent vectors of the takes, of families that have them: n_takes rows of n_z numbers, borrowed; NULL = from the
     * seeds. What else is drawn comes from the seeds, or, one_draw, for every take from `seed`: only the vectors differ. */
    const float *z;
    int n_z;
    bool one_draw;
    int n_takes;
};

/* Of a transfer: the share of notes that are still there, and of the new ones; how much of it a judge takes for the genre it
 * went to, before and after. Shares are 0..1, NaN where there is nothing to tell or nobody who could. */
struct outcome { double kept, made, before, after; };

struct take {
    struct song *song;            /* the whole song with the span filled; owned */
    uint64_t seed;
    char model[64], hash[20];
    char params[256];             /* "genre=rock key=A minor T=1.00 ..." */
    bool empty;                   /* a track that was asked for came out empty */
    bool star;
    bool growing;                 /* only its first bars so far: the same take comes again, longer */
    struct outcome outcome;       /* of a transfer by the engine; params tell it too */
    double mix;                   /* of an interpolation, else 0 */
    uint32_t between[2];          /* the session's: numbers of the takes it lies between, or 0 */
    uint32_t twin;                /* likewise: an earlier take with the same notes, or 0 */
};
void take_fini(struct take *t);

/* How a running job talks back; all may be NULL. on_take takes ownership of the take. */
struct progress {
    const atomic_bool *cancel;
    void (*on_take)(void *ctx, int index, struct take *take);
    void (*on_step)(void *ctx, double fraction);
    /* A take in the making, as families that write from left to right show it: its song so far (borrowed), of
     * which the first n_bars of the span are written. The take itself follows through on_take. */
    void (*on_part)(void *ctx, int index, const struct song *song, int n_bars);
    void *ctx;
};

/* What `jamroll eval` reports of a family that measures itself: a figure, and the one it stands beside. */
struct measure { char name[64]; double value; char beside[32]; double other; };  /* beside "" = none */
struct measures { struct measure *at; size_t n, cap; };                          /* at is the caller's to free */
void measures_add(struct measures *m, const char *name, double value, const char *beside, double other);
struct measure_opts {
    int n;                            /* pieces each */
    double temperature, top_p; uint64_t seed; const atomic_bool *cancel;
    const char *judge;                /* weights of a judge of genres, of families that want one; NULL = none */
};

struct model;
/* A network the program can build, for `models show --all`: name and trainable parameters. */
struct model_net { const char *name; size_t params; };

struct model_kind {
    const char *name, *title;                /* "band", "The band: ..." */
    unsigned verbs;                          /* bit 1 << VERB_* */
    unsigned (*verbs_of)(const struct ckpt *weights); /* those of one weight file; NULL = all */
    const struct opt *options; size_t n_options; /* architecture and training options, for --set and configs */
    const char *builds_on;                   /* option that says on whose weights training builds; NULL = on nobody's */
    /* Every network this family builds with these options, with counts. Returns how many. */
    int (*nets)(const struct opts *o, struct model_net *out, int cap);
    NODISCARD enum err (*open)(struct device *d, const struct ckpt *weights, struct model **out);
    void (*close)(struct model *m);
    NODISCARD enum err (*run)(struct model *m, const struct request *rq, const struct progress *p);
    int (*n_genres)(const struct model *m);
    const char *(*genre)(const struct model *m, int i);
    int (*n_styles)(const struct model *m);  /* composers, eras; NULL = none */
    const char *(*style)(const struct model *m, int i);
    /* The latent vector a seed gives for so many bars, into out unless that is NULL; its length is returned. NULL = the
     * family has none. */
    int (*latent)(const struct model *m, int n_bars, uint64_t seed, float *out);
    /* Preference for filler sets over real songs in the music it learnt from (phrase_songs_share); NULL = none. */
    double (*filler)(const struct model *m);
    /* Measures of its own; NULL = the comparison of phrases by genre (eval.h). */
    NODISCARD enum err (*evaluate)(struct model *m, const struct dataset *d, const struct measure_opts *o,
                                   struct measures *out);
    /* Judges of genre: how much of the span's 4/4 phrases is each of n genres of theirs, together 1. */
    NODISCARD enum err (*judge)(struct model *m, const struct song *s, int bar0, int n_bars, const int *genres, int n,
                                double *out);
    /* Training: a resumable state machine, one update a step; o and data live until close. NULL where a family is
     * not trained here. */
    NODISCARD enum err (*train_open)(struct device *d, const struct opts *o, const struct dataset *data,
                                     const struct ckpt *resume, struct model **out);
    NODISCARD enum err (*train_step)(struct model *m, long step, double losses[4]);
    void (*train_horizon)(struct model *m, long total); /* updates the run will have; may change; NULL = not asked */
    long (*train_samples)(const struct model *m);      /* examples seen since train_open; NULL = not counted */
    const char *const *loss_names;           /* up to 4, NULL-terminated */
    NODISCARD enum err (*train_eval)(struct model *m, double losses[4]);   /* on held-out data */
    bool adversarial;                /* they do not say how good the music is: the last weights ship, not the least loss's */
    NODISCARD enum err (*train_save)(struct model *m, const char *path, bool for_shipping,
                                     const char *const *meta, size_t n_meta); /* key, value pairs */
};
extern const struct model_kind *const model_kinds[];
extern const size_t n_model_kinds;
const struct model_kind *model_kind_find(const char *name);
