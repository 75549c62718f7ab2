/* param.h: a network's parameters by name: values, gradients and two moments in four equal flat blocks of
 * device memory, so that the optimiser is one loop and a checkpoint one write. States (moving averages)
 * are named too but not trained. */
#pragma once
#include "plan.h"
#include "rng.h"

enum init { INIT_ZEROS, INIT_ONES, INIT_NORMAL, INIT_TRUNC_NORMAL, INIT_UNIFORM, INIT_XAVIER, INIT_KAIMING, INIT_ORTHOGONAL };
struct init_spec { enum init kind; float scale; }; /* deviation, or half-width for INIT_UNIFORM */

struct params;
struct params *params_new(void);
void params_free(struct params *p);
/* Declare while building the first graph; a second declaration of the same name must agree in shape (BUG)
 * and is otherwise ignored. Frozen after params_alloc. */
void params_declare(struct params *p, const char *name, struct shape s, struct init_spec init, bool trained);
NODISCARD enum err params_alloc(struct params *p, struct device *d, bool training); /* gradients and moments only when training */
void params_init(struct params *p, uint64_t seed);       /* each tensor from its own stream: independent of order */
size_t params_count(const struct params *p);              /* trained scalars */
size_t params_n(const struct params *p);                   /* tensors, states included */
const char *params_name(const struct params *p, size_t i);
struct shape params_shape(const struct params *p, size_t i);
bool params_trained(const struct params *p, size_t i);
int params_find(const struct params *p, const char *name);  /* -1 */
float *params_value(const struct params *p, size_t i);      /* device pointer */
float *params_grad(const struct params *p, size_t i);
/* Bind every param leaf of the plan by name. Outputs holding gradients: bind with params_bind_grads, where
 * grads[k] is the plan output index of the gradient of trained tensor order[k]. */
void params_bind(const struct params *p, struct plan *plan);
/* The trained params as graph leaves of g (that were built into it), in declaration order; for graph_grad.
 * Returns how many; idx[k] is the params index. Only names with the given prefix ("" = all). */
int params_leaves(const struct params *p, struct graph *g, const char *prefix, struct node **out, int *idx, int cap);
void params_flat(const struct params *p, float **value, float **grad, float **m, float **v, size_t *n); /* trained block */
/* Offsets in the trained block of the tensors with a name prefix: they are contiguous when declared so. */
void params_range(const struct params *p, const char *prefix, size_t *from, size_t *n);
