/* ref.h: a graph evaluated in double precision by plain loops: the yardstick of kernels and derivatives. */
#pragma once
#include "graph.h"

struct ref;
struct ref *ref_new(struct graph *g);
void ref_free(struct ref *r);
/* Memory of a leaf, zero at first, node_count values (integers as doubles). Changing it calls for ref_reset. */
double *ref_leaf(struct ref *r, const struct node *leaf);
void ref_reset(struct ref *r);
/* Value of any node, computed when first asked for. */
const double *ref_value(struct ref *r, struct node *n);
