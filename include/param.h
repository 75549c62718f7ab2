/* param.h: a network's parameters by name: values, gradients and two moments in four equal flat blocks of
 * device memory, so that the optimiser is one loop and a checkpoint one write. States (moving averages)
 * are named too but not trained. */
#pragma once
#include "plan.h"
#include "rng.h"

/* INIT_XAVIER is uniform within scale sqrt(6 / (in + out)), INIT_KAIMING normal of deviation
 * scale sqrt(2 / in), INIT_TRUNC_NORMAL redrawn beyond two deviations, INIT_NEAR_ONE normal about 1; INIT_ORTHOGONAL
 * is times scale. */
enum init { INIT_ZEROS, INIT_ONES, INIT_NEAR_ONE, INIT_NORMAL, INIT_TRUNC_NORMAL, INIT_UNIFORM, INIT_XAVIER, INIT_KAIMING,
            INIT_ORTHOGONAL };
struct init_spec { enum init kind; float scale; }; /* deviation, or half-width for INIT_UNIFORM */

struct params;
struct params *params_new(void);
void params_free(struct params *p);
/* Declare while building the first graph; a second declaration of the same name must agree in shape (BUG)
 * and is otherwise ignored. Frozen after params_alloc. */
void params_declare(struct params *p, const char *name, struct shape s, struct init_spec init, bool trained);
/* Gradients and moments only when training. */
NODISCARD enum err params_alloc(struct params *p, struct device *d, bool training);
void params_init(struct params *p, uint64_t seed);        /* a stream a tensor: independent of order */
size_t params_count(const struct params *p);              /* trained scalars */
size_t params_n(const struct params *p);                   /* tensors, states included */
const char *params_name(const struct params *p, size_t i);
struct shape params_shape(const struct params *p, size_t i);
bool params_trained(const struct params *p, size_t i);
int params_find(const struct params *p, const char *name);  /* -1 */
float *params_value(const struct params *p, size_t i);      /* device pointer */
float *params_grad(const struct params *p, size_t i);     /* NULL for states, and when not training */
void params_no_decay(struct params *p, const char *name);   /* exempt from weight decay whatever its rank */
bool params_decays(const struct params *p, size_t i);
struct device *params_device(const struct params *p);
/* Bind every param leaf of the plan by name. */
void params_bind(const struct params *p, struct plan *plan);
/* Let the plan write gradients where the optimiser reads them: output first + k is the gradient of tensor
 * idx[k] (as params_leaves gave it), k < n. */
void params_bind_grads(const struct params *p, struct plan *plan, int first, const int *idx, int n);
/* The trained params whose names start with prefix ("" = all) as leaves of g, in declaration order, for
 * graph_grad; one that g does not use gets a zero gradient. Returns how many; idx[k] is the params index. */
int params_leaves(const struct params *p, struct graph *g, const char *prefix, struct node **out, int *idx,
                  int cap);
/* The trained block. */
void params_flat(const struct params *p, float **value, float **grad, float **m, float **v, size_t *n);
/* Offsets in the trained block of the tensors with a name prefix: they are contiguous when declared so. */
void params_range(const struct params *p, const char *prefix, size_t *from, size_t *n);
