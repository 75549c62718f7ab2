/* musegan.h: inside the MuseGAN family: its configuration, its three networks as graphs, and the parts that
 * share them: the row of the registry (musegan.c), the networks (musegan_net.c), losses and training
 * (musegan_train.c), rolls and tensors (musegan_roll.c).
 *
 * Letters: N samples, B bars, T steps of a bar, P pitches, O octaves. A phrase is [N,B,T,P,5] with values in
 * [-1,1]. Time factors: T = 4 * 4 * tail; pitch factors: P = 12 * O, O = 2 * O' + 1. */
#pragma once
#include "layer.h"
#include "model.h"
#include "phrase.h"
#include "rng.h"
struct ckpt_writer;

enum { MUSEGAN_LATENT = 128, MUSEGAN_MAX_BARS = 4 };

struct musegan_config {
    int bars, steps, octaves;  /* 4, 48, 7 */
    int low;                   /* lowest pitch: 24 */
    double width;              /* all channel counts times this; 1 = the published networks */
    int condition;             /* role the accompaniment follows; -1 = plays from nothing */
};
NODISCARD enum err musegan_config_from(const struct opts *o, struct musegan_config *out);
static inline int musegan_tail(const struct musegan_config *c) { return c->steps / 16; }
static inline int musegan_pitches(const struct musegan_config *c) { return 12 * c->octaves; }
static inline size_t musegan_cells(const struct musegan_config *c)
{
    return (size_t)c->bars * (size_t)c->steps * (size_t)musegan_pitches(c);
}

/* musegan_net.c. How batch normalisation is met: with the batch's statistics (training), with the moving
 * ones, or already folded into the products (a parameter set of its own, musegan_fold). */
enum musegan_norm { NORM_BATCH, NORM_MOVING, NORM_FOLDED };
struct musegan_builder { struct net *net; const struct musegan_config *c; enum musegan_norm norm; };
/* z [N,128], condition [N,B,T,P,1] or NULL -> [N,B,T,P,5]. Parameters under "g." */
struct node *musegan_generator(struct musegan_builder *b, struct node *z, struct node *condition);
/* x [N,B,T,P,5] -> scores [N*(B-1),1]. Parameters under "d." */
struct node *musegan_critic(struct musegan_builder *b, struct node *x);
#define MUSEGAN_NORM_EPS 1e-3
/* musegan_fold.c: fill a folded set from the trained one. */
void musegan_fold(const struct params *live, struct params *folded);

/* musegan_loss.c */
enum musegan_loss { LOSS_WASSERSTEIN, LOSS_HINGE, LOSS_NONSATURATING, LOSS_CLASSIC, N_LOSSES };
struct node *musegan_critic_loss(enum musegan_loss kind, struct node *real, struct node *fake);
struct node *musegan_generator_loss(enum musegan_loss kind, struct node *fake);
/* mean over samples of (|d sum of scores / d mixed| - 1)^2 with mixed = share real + (1 - share) fake, share
 * [N,1,1,1,1]. Differentiable again. */
struct node *musegan_penalty(struct musegan_builder *b, struct node *real, struct node *fake,
                             struct node *share);

/* musegan_train.c */
NODISCARD enum err musegan_train_open(struct device *d, const struct opts *o, const struct dataset *data,
                                      const struct ckpt *resume, struct model **out);
NODISCARD enum err musegan_train_step(struct model *m, long step, double losses[4]);
long musegan_train_samples(const struct model *m);
NODISCARD enum err musegan_train_eval(struct model *m, double losses[4]);
NODISCARD enum err musegan_train_save(struct model *m, const char *path, bool for_shipping,
                                      const char *const *meta, size_t n_meta);
struct musegan_trainer;
void musegan_trainer_close(struct model *m);      /* its plans and buffers; nothing when there are none */
void musegan_trainer_print(const struct model *m, struct str *out); /* its plans, every node timed */
void musegan_config_meta(const struct musegan_config *c, struct ckpt_writer *w);

/* musegan_roll.c: notes and tensors. cells are [B,T,P,5] or one role's [B,T,P], on = 1, off = -1. */
void musegan_encode(const struct musegan_config *c, const struct pnote *notes, uint32_t n, float *cells);
void musegan_extract(const struct musegan_config *c, const float *cells, enum role r, float *role_cells);
/* Draw on or off for every cell: probability (x+1)/2, sharpened by a temperature below 1; 0 = threshold. */
void musegan_binarise(const struct musegan_config *c, const float *cells, double temperature, uint64_t seed,
                      uint64_t stream, uint8_t *on);
/* Append the notes of the roles and bars that `wanted` [role * bars + bar] names to a song in band layout,
 * the first bar at bar0. A note ends before a bar of its role that is not wanted. */
void musegan_decode(const struct musegan_config *c, const uint8_t *on, const uint8_t *wanted, int bar0,
                    struct song *s);

/* What an opened model is. One of generator and trainer is there. */
struct model {
    struct musegan_config c;
    struct device *device;            /* borrowed */
    struct params *live, *folded;
    char name[64], hash[20];
    struct musegan_sampler *sampler;
    struct musegan_trainer *trainer;
};

/* musegan_sample.c: the generator at work, a fixed number of samples a run. */
struct musegan_sampler;
NODISCARD enum err musegan_sampler_new(struct device *d, const struct musegan_config *c,
                                       struct params *folded, int batch, struct musegan_sampler **out);
void musegan_sampler_free(struct musegan_sampler *s);
void musegan_sampler_print(const struct musegan_sampler *s, struct str *out);
/* n samples: z [n,128], condition [n,B,T,P] or NULL, out [n,B,T,P,5]; host memory. */
NODISCARD enum err musegan_sample(struct musegan_sampler *s, const float *z, const float *condition, int n,
                                  float *out, const atomic_bool *cancel);
void musegan_latent(struct rng *r, float *z, int n); /* n vectors, normal, cut at two deviations */
NODISCARD enum err musegan_run(struct model *m, const struct request *rq, const struct progress *p);
