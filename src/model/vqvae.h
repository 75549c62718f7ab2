/* vqvae.h: a quarter of piano music as sixteen codes. A convolutional encoder sees the picture of one beat (quarter.h)
 * and leaves a grid of 8 regions of the keyboard by 2 halves of the beat, lowest first; a bottleneck makes each place
 * a row of a codebook; a decoder paints the beat again. Other models write music in these codes. */
#pragma once
#include "ckpt.h"
#include "layer.h"
#include "opt.h"
#include "quarter.h"
struct works;

enum { VQVAE_ROWS = 8, VQVAE_COLS = 2, VQVAE_SLOTS = VQVAE_ROWS * VQVAE_COLS, VQVAE_WIDTH = 128 };
enum { VQVAE_CELLS = QUARTER_KEYS * QUARTER_COLS, VQVAE_MAX_CODES = 65536, VQVAE_STAGES = 4 };

/* Vector quantisation with a codebook that follows its members (EMA) or the gradient (VQ); or no codes at all: an
 * autoencoder, plain, variational, denoising or sparse, of the same encoder and decoder. With more stages than one a
 * place has a code from a book of its own for what the stage before left over. */
enum bottleneck { BOTTLENECK_EMA, BOTTLENECK_VQ, BOTTLENECK_AE, BOTTLENECK_VAE, BOTTLENECK_DAE, BOTTLENECK_SPARSE,
                  N_BOTTLENECKS };
struct vqvae_config { enum bottleneck bottleneck; int codes, stages; };
static inline bool vqvae_has_codes(const struct vqvae_config *c) { return c->bottleneck <= BOTTLENECK_VQ; }
static inline int vqvae_slots(const struct vqvae_config *c) { return VQVAE_SLOTS * c->stages; }  /* codes a quarter */

/* ---- running: quarters to codes and back ---- */

struct vqvae;
/* From any weight file that holds one (vqvae_save): its own, or that of a model that writes codes. */
NODISCARD enum err vqvae_load(struct device *d, const struct ckpt *weights, struct vqvae **out);
NODISCARD enum err vqvae_random(struct device *d, const struct vqvae_config *c, uint64_t seed, struct vqvae **out);
/* Runs on parameters that are another's and outlive it; their present values count. */
NODISCARD enum err vqvae_of_params(struct device *d, const struct vqvae_config *c, struct params *borrowed,
                                   struct vqvae **out);
void vqvae_free(struct vqvae *v);
const struct vqvae_config *vqvae_config(const struct vqvae *v);
/* codes [n][VQVAE_SLOTS][stages], values 0..codes-1; latent [n][VQVAE_SLOTS][VQVAE_WIDTH]; either may be NULL. */
NODISCARD enum err vqvae_encode(struct vqvae *v, const struct quarter *q, int n, int32_t *codes, float *latent);
NODISCARD enum err vqvae_decode(struct vqvae *v, const int32_t *codes, int n, struct quarter *out);
/* Weights ("vq." names) and configuration into a file of one's own. */
void vqvae_save(const struct vqvae *v, struct ckpt_writer *w);

/* How well held-out quarters come back: cells of notes found again, and how evenly the codes are used. */
struct vqvae_score { long quarters; double precision, recall, f1, exact, perplexity; };
NODISCARD enum err vqvae_measure(struct vqvae *v, const struct works *w, bool held_out, long limit, struct vqvae_score *out);
void quarter_to_cells(const struct quarter *q, float *cells);     /* VQVAE_CELLS zeros and ones */

/* ---- networks ---- */

struct node *vqvae_encoder(struct net *n, struct node *cells);    /* [N,1,88,32,1] -> [N*16,WIDTH] */
struct node *vqvae_decoder(struct net *n, struct node *latent);   /* [N*16,WIDTH] -> logits [N,1,88,32,1] */
/* The nearest code of each row, I32 [R]; book [K,WIDTH]. */
struct node *vqvae_nearest(struct node *rows, struct node *book);

/* The training graph. loss = weight x recon + extra: what the bottleneck asks of the latent. */
struct vqvae_train_net {
    struct node *cells, *seed;        /* inputs; seed NULL when nothing is drawn */
    struct node *hardness;            /* input, rank 0: 0 the latent as it is .. 1 its codes; or NULL */
    struct node *latent;              /* [N*16,WIDTH] */
    struct node *codes[VQVAE_STAGES]; /* I32 [N*16] or NULL */
    struct node *recon, *extra, *loss;
};
struct vqvae_train_opts { float recon, commit, beta, noise; bool softens; };
struct vqvae_train_net vqvae_build(struct net *n, const struct vqvae_config *c, const struct vqvae_train_opts *o,
                                   int batch);
void vqvae_book_name(int stage, const char *of, char name[32]);   /* of: "", ".count", ".sum" */
void vqvae_declare(struct params *p, const struct vqvae_config *c);
void vqvae_config_meta(const struct vqvae_config *c, struct ckpt_writer *w);
NODISCARD enum err vqvae_config_from(const struct opts *o, struct vqvae_config *out);
