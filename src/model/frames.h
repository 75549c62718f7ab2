/* frames.h: inside the frames: piano music written on frame by frame (frame_code.h). The network reads a window of
 * tokens with bidirectional recurrent layers and says which token comes next. The parts that share this header are the
 * row of the registry (frames.c), the graphs (frames_net.c), training (frames_train.c, frames_data.c), asking the network
 * (frames_reader.c), the verbs (frames_sample.c, frames_suggest.c) and the evaluation (frames_eval.c). */
#pragma once
#include "frame_code.h"
#include "layer.h"
#include "model.h"

struct frames_net {
    int tokens;                  /* of the vocabulary */
    int embed, width, hidden;    /* of a token, of a layer in one direction, before the output */
    int window;                  /* frames */
    bool bar;                    /* a frame is told where in its bar the next one lies */
    double dropout;
};
extern const struct frames_net frames_original;   /* of MusicGenerator, at its README's vocabulary */

struct frames_graph {
    struct node *token, *phase, *target;  /* I32 [N,W]; likewise, -1 = unknown, NULL without `bar`; I32 [N] */
    struct node *logits, *loss;           /* [N,V]; rank 0, a mean */
};
struct frames_graph frames_build(struct net *n, const struct frames_net *c, int rows);

struct frames_reader; struct frames_trainer;
struct model {
    struct frames_net net;
    struct frame_vocab vocab;
    struct device *device;           /* borrowed */
    struct params *params;
    char name[64], hash[20];
    struct frames_reader *reader;    /* one of the two */
    struct frames_trainer *trainer;
};
NODISCARD enum err frames_net_from(const struct opts *o, int tokens, struct frames_net *out);
struct model *frames_model_new(struct device *d, const struct frames_net *net); /* without a vocabulary */
void frames_model_free(struct model *m);
NODISCARD enum err frames_vocab_load(const struct ckpt *w, struct frame_vocab *out);

/* frames_reader.c: what comes after a window, for several rows at once. */
enum { FRAMES_ROWS = 8 };
/* Declares the network's tensors and loads them from `weights` (random ones from seed 1 where it is NULL). */
NODISCARD enum err frames_reader_new(struct model *m, const struct ckpt *weights, struct frames_reader **out);
void frames_reader_free(struct frames_reader *r);
/* A row asks what comes at frame `at` of a line of tokens; what lies before its beginning is rest. phase [at + 1] as in
 * the grid. */
struct frames_ask { const int32_t *token; const int8_t *phase; int at; };
/* Logits [n,V] until the next call; n at most FRAMES_ROWS. */
NODISCARD enum err frames_read(struct frames_reader *r, const struct frames_ask *ask, int n, const atomic_bool *cancel,
                               const float **logits);
/* The window before frame `at`, as the network reads it. */
void frames_window(const struct frame_vocab *v, const struct frames_ask *ask, int window, int32_t *token, int32_t *phase);

/* frames_sample.c, frames_suggest.c, frames_eval.c */
NODISCARD enum err frames_run(struct model *m, const struct request *rq, const struct progress *p);
NODISCARD enum err frames_suggest(struct model *m, const struct request *rq, const struct progress *p);
NODISCARD enum err frames_evaluate(struct model *m, const struct dataset *d, const struct measure_opts *o,
                                   struct measures *out);

/* frames_train.c */
NODISCARD enum err frames_train_open(struct device *d, const struct opts *o, const struct dataset *data,
                                     const struct ckpt *resume, struct model **out);
NODISCARD enum err frames_train_step(struct model *m, long step, double losses[4]);
NODISCARD enum err frames_train_eval(struct model *m, double losses[4]);
void frames_train_horizon(struct model *m, long total);
long frames_train_samples(const struct model *m);
NODISCARD enum err frames_train_save(struct model *m, const char *path, bool for_shipping, const char *const *meta,
                                     size_t n_meta);
void frames_trainer_free(struct frames_trainer *t);
