/* musegan.h: inside the MuseGAN family: its configuration, its networks as graphs, and the parts that share
 * them: the row of the registry (musegan.c), options (musegan_options.c), the one layer (musegan_map.c),
 * generators (musegan_net.c), critics (musegan_critic.c), losses (musegan_loss.c), training (musegan_train.c), rolls
 * and tensors (musegan_roll.c).
 *
 * Letters: N samples, B bars, T steps of a bar, P pitches, O octaves. A phrase is [N,B,T,P,5] with values in
 * [-1,1]. Time factors: T = 4 * 4 * tail; pitch factors: P = 12 * O, O = 2 * O' + 1. */
#pragma once
#include "layer.h"
#include "model.h"
#include "opt.h"
#include "phrase.h"
#include "rng.h"
struct ckpt_writer;

enum { MUSEGAN_MAX_BARS = 4 };
/* Cells that are on or off already in training: by the likelier, or drawn. The gradient passes straight through. */
enum neuron { NEURON_NONE, NEURON_DETERMINISTIC, NEURON_STOCHASTIC };

struct musegan_config {
    int bars, steps, octaves;  /* 4, 48, 7 */
    int low;                   /* lowest pitch: 24 */
    double width;              /* all channel counts times this; 1 = the published networks */
    int condition;             /* role the accompaniment follows; -1 = plays from nothing */
    int generator, critic;     /* rows of their tables */
    bool refiner;              /* a second network after the generator */
    enum neuron neuron;
    double slope;              /* of a binary neuron's sigmoid when training ends */
    bool threshold;            /* plays the likelier instead of drawing */
    bool home;                 /* knows music in C major and A minor only: what it is given is moved there */
    double spread, cut;        /* of latents: deviation; redrawn beyond so many deviations, 0 = not */
};
/* musegan_options.c */
enum { N_MUSEGAN_OPTIONS = 39 };
extern const struct opt musegan_options[N_MUSEGAN_OPTIONS];
NODISCARD enum err musegan_config_from(const struct opts *o, struct musegan_config *out);
/* The options that shape the networks travel in the weight file, as "option.NAME". */
void musegan_config_save(const struct opts *o, struct ckpt_writer *w);
NODISCARD enum err musegan_config_load(const struct ckpt *weights, struct musegan_config *out);
static inline int musegan_pitches(const struct musegan_config *c) { return 12 * c->octaves; }
static inline size_t musegan_cells(const struct musegan_config *c)
{
    return (size_t)c->bars * (size_t)c->steps * (size_t)musegan_pitches(c);
}
static inline struct shape musegan_phrase(const struct musegan_config *c, int32_t n, int32_t tracks)
{
    return SHAPE(n, c->bars, c->steps, musegan_pitches(c), tracks);
}
static inline int musegan_new_tracks(const struct musegan_config *c) { return N_ROLES - (c->condition >= 0); }
int musegan_channels(const struct musegan_config *c, int published);
const char *musegan_role_key(int role); /* "drums": in the names of parameters */

/* How batch normalisation is met: with the batch's statistics (training) or the moving ones, which a plan whose
 * weights are frozen folds into the products. */
enum musegan_norm { NORM_BATCH, NORM_MOVING };
struct musegan_builder {
    struct net *net;
    const struct musegan_config *c;
    enum musegan_norm norm;
    struct node *slope; /* of the binary neurons, rank 0; NULL = the configuration's */
    struct node *draw;  /* [N,B,T,P,new tracks] in [0,1), what stochastic neurons compare with; NULL = random */
};
/* musegan_net.c. z [N, musegan_latents], condition [N,B,T,P,1] or NULL -> [N,B,T,P,5]. Parameters under "g.", those
 * of a refiner "r.". While the net is training the refiner's norm is by the batch, whatever `norm` says. */
struct node *musegan_generator(struct musegan_builder *b, struct node *z, struct node *condition);
/* x with entries [from, to) of an axis replaced by `in` (NULL = left out). */
struct node *musegan_splice(struct node *x, int axis, int from, int to, struct node *in);
int musegan_latents(const struct musegan_config *c);
int musegan_generator_find(const char *name);            /* -1 */
/* Why a configuration's generator or critic cannot be built, as an error. */
NODISCARD enum err musegan_generator_check(const struct musegan_config *c);
/* musegan_critic.c. x [N,B,T,P,5] -> scores [N * pairs of bars, 1], [N,1], or [N, critics]. Parameters under "d." */
struct node *musegan_critic(struct musegan_builder *b, struct node *x);
int musegan_critic_find(const char *name);
NODISCARD enum err musegan_critic_check(const struct musegan_config *c);
bool musegan_critic_is_each(const struct musegan_config *c); /* a critic for each track, not one for all */
double musegan_critic_unit(const struct musegan_config *c);  /* cells' range as it was published over ours */

/* musegan_loss.c */
enum musegan_loss { LOSS_WASSERSTEIN, LOSS_HINGE, LOSS_NONSATURATING, LOSS_CLASSIC, N_LOSSES };
struct node *musegan_critic_loss(enum musegan_loss kind, struct node *real, struct node *fake);
struct node *musegan_generator_loss(enum musegan_loss kind, struct node *fake);
/* mean over samples and critics of (|d sum of scores / d mixed| - 1)^2 with mixed = share real + (1 - share) fake,
 * share [N,1,1,1,1]. Differentiable again. */
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

/* musegan_roll.c: notes and tensors. cells are [B,T,P,5] or one role's [B,T,P], on = 1, off = -1. Pitched notes go into
 * them `shift` semitones up, and come out as many down. */
void musegan_encode(const struct musegan_config *c, const struct pnote *notes, uint32_t n, int shift, float *cells);
void musegan_extract(const struct musegan_config *c, const float *cells, enum role r, float *role_cells);
/* Draw on or off for every cell: probability (x+1)/2, sharpened by a temperature below 1; 0 = threshold. */
void musegan_binarise(const struct musegan_config *c, const float *cells, double temperature, uint64_t seed,
                      uint64_t stream, uint8_t *on);
/* Append the notes of the roles and bars that `wanted` [role * bars + bar] names to a song in band layout,
 * the first bar at bar0. A note ends before a bar of its role that is not wanted. */
void musegan_decode(const struct musegan_config *c, const uint8_t *on, const uint8_t *wanted, int bar0, int shift,
                    struct song *s);

/* What an opened model is. One of generator and trainer is there. */
struct model {
    struct musegan_config c;
    struct device *device;            /* borrowed */
    struct params *live;
    char name[64], hash[20];
    struct musegan_sampler *sampler;
    struct musegan_trainer *trainer;
};

/* musegan_sample.c: the generator at work, a fixed number of samples a run. */
struct musegan_sampler;
NODISCARD enum err musegan_sampler_new(struct device *d, const struct musegan_config *c,
                                       struct params *live, int batch, struct musegan_sampler **out);
void musegan_sampler_free(struct musegan_sampler *s);
void musegan_sampler_print(const struct musegan_sampler *s, struct str *out);
/* n samples: z [n,latents], condition [n,B,T,P] or NULL, out [n,B,T,P,5]; host memory. */
NODISCARD enum err musegan_sample(struct musegan_sampler *s, const float *z, const float *condition, int n,
                                  float *out, const atomic_bool *cancel);
void musegan_latent(const struct musegan_config *c, struct rng *r, float *z, int n); /* n vectors */
int musegan_latent_of(const struct model *m, int n_bars, uint64_t seed, float *out); /* as model.h has it */
NODISCARD enum err musegan_run(struct model *m, const struct request *rq, const struct progress *p);
