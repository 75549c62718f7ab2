/* band.h: inside the band model: its configuration, its networks as graphs, and the three parts that
 * share them: the row of the registry (band.c), the sampler (band_sample.c), the trainer (band_train.c). */
#pragma once
#include "codec.h"
#include "layer.h"
#include "model.h"

enum { BAND_MAX_GENRES = 64 };

struct band_config {
    int width, layers, heads;
    int mlp;         /* hidden width of the heads */
    int n_genres;    /* of the data; the embedding has one more row, for "any" */
    double dropout;
};

struct sampler;
struct trainer;
struct model {
    struct band_config config;
    struct device *device;           /* borrowed */
    struct params *params;
    char **genres;
    char name[64], hash[20];
    struct sampler *sampler;         /* one of the two */
    struct trainer *trainer;
};

NODISCARD enum err band_config_from(const struct opts *o, int n_genres, struct band_config *out);
struct model *band_model_new(struct device *d, const struct band_config *c);
void band_model_free(struct model *m);

/* band_net.c. The training graph: four mean cross entropies and their weighted sum over a batch. */
struct band_batch_net {
    struct node *in[N_INPUTS];      /* I32 [N,T] */
    struct node *length;            /* I32 [N] */
    struct node *target[N_HEADS];   /* I32 [N*T] */
    struct node *weight[N_HEADS];   /* rank 0: the share of each head in the loss */
    struct node *loss, *head[N_HEADS];
};
struct band_batch_net band_build_batch(struct net *n, const struct band_config *c, int rows, int time);

/* The decoding graphs for `rows` sequences of up to `time` steps: the trunk with the first head, and one
 * graph for each of the other three. Leaves of the caches are named band_cache_name. */
struct band_step_net {
    struct node *in[N_INPUTS], *position;   /* I32 [N] */
    struct node *hidden, *logits;
};
struct band_step_net band_build_step(struct net *n, const struct band_config *c, int rows, int time);
struct band_head_net {
    struct node *hidden, *drawn;            /* F32 [N,D] from the head before; I32 [N] what it drew */
    struct node *refined, *logits;
};
struct band_head_net band_build_head(struct net *n, const struct band_config *c, enum codec_head head, int rows);
int band_head_size(enum codec_head head);   /* logits of a head */
void band_cache_name(char name[32], char which, int layer);  /* which: 'k' or 'v' */

/* band_sample.c */
/* Loads the weights into m->params and makes them runnable; m->sampler is the caller's to set. */
NODISCARD enum err sampler_new(struct model *m, const struct ckpt *weights, struct sampler **out);
void sampler_free(struct sampler *s);
NODISCARD enum err band_run(struct model *m, const struct request *rq, const struct progress *p);

/* band_train.c */
NODISCARD enum err band_train_open(struct device *d, const struct opts *o, const struct dataset *data,
                                   const struct ckpt *resume, struct model **out);
NODISCARD enum err band_train_step(struct model *m, long step, double losses[4]);
NODISCARD enum err band_train_eval(struct model *m, double losses[4]);
void band_train_horizon(struct model *m, long total);
long band_train_samples(const struct model *m);
NODISCARD enum err band_train_save(struct model *m, const char *path, bool for_shipping,
                                   const char *const *meta, size_t n_meta);
void trainer_free(struct trainer *t);
