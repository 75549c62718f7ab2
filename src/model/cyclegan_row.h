/* cyclegan_row.h: what the files of genre transfer's networks share. Private to cyclegan*.c. */
#pragma once
#include "cyclegan.h"
#include "judge.h"
#include "model.h"

struct cyclegan {
    struct cyclegan_config c;
    char genre[2][GENRE_NAME];
    char name[64], hash[20];          /* of the weight file */
    struct params *params, *own;      /* own NULL when borrowed */
    struct grid_net *net[2];          /* by the side it comes from */
};

extern const struct opt cyclegan_options[];
extern const size_t n_cyclegan_options;
struct cyclegan_config cyclegan_config_from(const struct opts *o);
/* "jazz-classical" or "jazz,classical" */
NODISCARD enum err cyclegan_pair(const char *text, char sep, char genre[2][GENRE_NAME]);
void cyclegan_config_meta(const struct cyclegan_config *c, char genre[2][GENRE_NAME], struct ckpt_writer *w);

/* ---- training graphs ---- */

/* base: a critic for each genre. partial, full: two more that know music of both, of all genres of the data. */
enum cyclegan_kind { CYCLEGAN_BASE, CYCLEGAN_PARTIAL, CYCLEGAN_FULL, N_CYCLEGAN_KINDS };
struct cyclegan_loss { float cycle, extra, noise; }; /* weights of coming back, of the extra critics; sigma_D */

/* Inputs are named "a", "b" (grids of both genres), "seed" (with noise), and for the critics "mixed", "fake a",
 * "fake b" (what the generators made, of now or earlier). */
struct cyclegan_g { struct node *cycle, *fool, *loss, *fake[2]; };   /* fake[0]: A made of B */
struct cyclegan_g cyclegan_build_g(struct net *n, const struct cyclegan_config *c, const struct cyclegan_loss *l,
                                   bool extra, int batch);
/* Before that: each generator learns to give back what it is shown (`cycle`: cross entropy), critics as ever. */
struct cyclegan_g cyclegan_build_warm(struct net *n, const struct cyclegan_config *c, int batch);
struct node *cyclegan_build_d(struct net *n, const struct cyclegan_config *c, const struct cyclegan_loss *l, bool extra,
                              int batch);
/* Every network's tensors, the generators' first. */
void cyclegan_declare(struct params *p, const struct cyclegan_config *c, bool extra, bool critics);

/* ---- the guard against collapse ---- */

/* What the generators paint now against the data, each direction apart, as means that forget: how much sounds and how
 * unlike each other two of one batch are. */
struct cyclegan_watch { double made, real, made_apart, real_apart; };
struct cyclegan_guard { struct cyclegan_watch side[2]; long seen; };
/* n outputs of the generator into genre `side`, the inputs it made them of, real phrases of its genre. */
void cyclegan_guard_see(struct cyclegan_guard *g, int side, int n, const uint8_t *made, const uint8_t *from,
                        const uint8_t *real);
/* 0: as dense as its genre and as varied as its inputs; 1: silent, or always the same. */
double cyclegan_collapse(const struct cyclegan_guard *g);
double cyclegan_unlike(double a, double b);       /* 0: the same size; 1: one of them is nothing */

/* ---- measures ---- */

/* Of n phrases of each side: shares 0..1. side[s]: what is of genre s goes to the other and comes back. */
struct cyclegan_score {
    struct {
        double before, there, back;       /* taken for its own genre by the judge */
        double back_f1;                   /* cells after both ways against before */
        double kept, key;                 /* cells of before that sound there too; key not lost */
        double density, density_target;   /* cells sounding: there, and in phrases of the other genre */
        double apart, apart_before;       /* mean difference of two outputs, of their inputs */
        double silent;                    /* outputs without a note */
    } side[2];
};
/* With no judge (NULL) what it says is NaN. */
NODISCARD enum err cyclegan_measure(struct cyclegan *c, struct judge *j, const struct dataset *d, bool held_out, int n,
                                    const atomic_bool *cancel, struct cyclegan_score *out);
double cyclegan_strength(const struct cyclegan_score *s);             /* the published S */
double cyclegan_score_collapse(const struct cyclegan_score *s);       /* as the guard's; also of keys that most outputs lose */

/* ---- the family ---- */

struct cyclegan_trainer;
struct model {
    struct cyclegan *cyclegan;        /* one of the two */
    struct cyclegan_trainer *trainer;
};
NODISCARD enum err cyclegan_train_open(struct device *d, const struct opts *o, const struct dataset *data,
                                       const struct ckpt *resume, struct model **out);
NODISCARD enum err cyclegan_train_step(struct model *m, long step, double losses[4]);
NODISCARD enum err cyclegan_train_eval(struct model *m, double losses[4]);
void cyclegan_train_horizon(struct model *m, long total);
long cyclegan_train_samples(const struct model *m);
NODISCARD enum err cyclegan_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta,
                                       size_t n_meta);
void cyclegan_trainer_free(struct cyclegan_trainer *t);
