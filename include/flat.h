/* flat.h: what an optimiser does to the flat blocks of a parameter set, by the kind of device they lie on. Nothing
 * here waits for a device but flat_ops.norm2. */
#pragma once
#include <stddef.h>
#include "err.h"

struct device;

/* One update of n weights, constants worked out once in double precision. */
struct flat_step {
    float grad_scale; /* clipping */
    bool clipped;     /* besides by what `clip` left on the device */
    float beta1, beta2;
    float grad_share; /* Nadam's share of the fresh gradient in the direction; 0 for Adam */
    float m_share;    /* share of the first moment, bias corrected where the form asks for it */
    float v_scale;    /* bias correction of the second moment, under the root */
    float lr, eps;
    float shrink;     /* decoupled weight decay: w is first multiplied by this */
    float l2;         /* decay added to the gradient */
    float most;       /* no weight beyond it; HUGE_VALF = any */
};

struct flat_ops {
    void (*adam)(float *w, const float *g, float *m, float *v, size_t n, const struct flat_step *s);
    void (*sgd)(float *w, const float *g, float *m, size_t n, const struct flat_step *s);
    /* The factor that brings the norm of g down to `most`; 1 where it is no larger. A device keeps the factor to
     * itself for the updates that follow and returns 1. */
    float (*clip)(struct device *d, const float *g, size_t n, double most);
    NODISCARD enum err (*norm2)(struct device *d, const float *g, size_t n, double *out);
    void (*blend)(float *average, const float *w, size_t n, float decay); /* decay average + (1 - decay) w */
    void (*swap)(float *a, float *b, size_t n);
};
const struct flat_ops *device_flat(const struct device *d);
