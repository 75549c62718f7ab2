/* judge_row.h: what the files of the judge share. Private to judge*.c. */
#pragma once
#include "judge.h"
#include "model.h"

enum { JUDGE_GENRES = 32, JUDGE_NAME = 32 };

struct judge {
    int width, n_genres;
    char genre[JUDGE_GENRES][JUDGE_NAME];
    struct params *params, *own;      /* own NULL when borrowed */
    struct grid_net *net;
};

extern const struct opt judge_options[];
extern const size_t n_judge_options;

/* "jazz,pop" */
NODISCARD enum err judge_genres_parse(const char *list, char names[JUDGE_GENRES][JUDGE_NAME], int *n);
/* Runs on parameters that outlive it; judge_free ends it. */
struct judge *judge_on(struct params *borrowed, int width, int n_genres);
int judge_likeliest(const float *p, int n);
void judge_declare(struct params *p, int width, int n_genres);

struct judge_trainer;
struct model {
    struct judge *judge;              /* one of the two */
    struct judge_trainer *trainer;
};
NODISCARD enum err judge_train_open(struct device *d, const struct opts *o, const struct dataset *data,
                                    const struct ckpt *resume, struct model **out);
NODISCARD enum err judge_train_step(struct model *m, long step, double losses[4]);
NODISCARD enum err judge_train_eval(struct model *m, double losses[4]);
void judge_train_horizon(struct model *m, long total);
long judge_train_samples(const struct model *m);
NODISCARD enum err judge_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta,
                                    size_t n_meta);
void judge_trainer_free(struct judge_trainer *t);
