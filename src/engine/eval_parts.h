/* eval_parts.h: what eval.c leans on: the memory of training bars, the judge of genres, and smaller measures. */
#pragma once
#include "eval.h"
#include "phrase.h"

/* eval_memory.c: which bars the training phrases of a data set hold. */
struct memory;
struct memory *memory_new(const struct dataset *d);
void memory_free(struct memory *m);
/* Bars of a phrase that are known: all five tracks together, and each track (bars of four notes or more). */
void memory_look(const struct memory *m, const struct pnote *notes, uint32_t n, unsigned tracks,
                 struct eval_mean *all, struct eval_mean by_track[N_ROLES]);

/* eval_genre.c: a small network on features counted by hand, trained on real training phrases. */
struct ear;
NODISCARD enum err ear_new(const struct dataset *d, uint64_t seed, const atomic_bool *cancel, struct ear **out);
void ear_free(struct ear *j);
int ear_genre(const struct ear *j, const struct pnote *notes, uint32_t n); /* index in the data set */
enum { EAR_HIDDEN = 48 };
void ear_hear(const struct ear *j, const struct pnote *notes, uint32_t n, double hidden[EAR_HIDDEN]);

/* eval_frechet.c: clouds of such points, and how far two of them are apart if they were normal. */
struct cloud { double n, mean[EAR_HIDDEN], product[EAR_HIDDEN][EAR_HIDDEN]; }; /* sums; zero to begin with */
void cloud_add(struct cloud *c, const double point[EAR_HIDDEN]);
double cloud_frechet(const struct cloud *a, const struct cloud *b); /* squared; NaN with fewer than two points */

/* eval_condition.c: does what was made go with what was kept? */
void condition_measure(struct eval_side *s, const struct pnote *kept, uint32_t n_kept, const struct pnote *made,
                       uint32_t n_made, enum role role, bool own);
bool is_stuck(const struct pnote *notes, uint32_t n, unsigned tracks);

/* eval_report.c: what is shown of a metric, and when a made value misses its aim. */
struct eval_column {
    enum metric metric;
    bool relative;          /* the aim is a share of the real value, not points */
    double aim;             /* 0: shown without judgement */
    int decimals;
};
extern const struct eval_column eval_columns[];
extern const size_t n_eval_columns;
extern const double eval_td_aim;
const char *eval_real_name(const struct eval *e);      /* "held-out", "training" */
bool eval_misses(double real, double made, bool relative, double aim);

/* eval_sum.c: the row "all". */
void eval_add_total(struct eval *e);
