/* musegan_fold.c: batch normalisation by moving statistics is a scale and a shift of each channel; for
 * playing it disappears into the weights and biases of the product before it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "musegan.h"

struct fold {
    double scale, shift;
};

/* A live tensor on the host; NULL when there is none. */
static float *fetch(const struct params *live, const char *layer, const char *suffix, size_t *n)
{
    char name[64];
    BUG_ON(!str_format(name, sizeof name, "%s%s", layer, suffix));
    int i = params_find(live, name);
    if (i < 0)
        return NULL;
    *n = shape_count(params_shape(live, (size_t)i));
    float *host = xmalloc(*n * sizeof *host);
    BUG_ON(device_download(params_device(live), host, params_value(live, (size_t)i), *n * sizeof *host) !=
           ERR_OK);
    return host;
}

/* (x w + b - mean) / sqrt(var + eps) * gamma + beta = scale (x w) + shift, for each of n channels. */
static struct fold *fold_of(const struct params *live, const char *layer, size_t *n)
{
    enum { B, MEAN, VAR, GAMMA, BETA, N_TENSORS };
    static const char *const suffix[N_TENSORS] = {".b", ".mean", ".var", ".gamma", ".beta"};
    float *t[N_TENSORS];
    for (int i = 0; i < N_TENSORS; i++) {
        t[i] = fetch(live, layer, suffix[i], n);
        BUG_ON(!t[i]);
    }
    struct fold *f = xmalloc(*n * sizeof *f);
    for (size_t i = 0; i < *n; i++) {
        f[i].scale = (double)t[GAMMA][i] / sqrt((double)t[VAR][i] + MUSEGAN_NORM_EPS);
        f[i].shift = ((double)t[B][i] - (double)t[MEAN][i]) * f[i].scale + (double)t[BETA][i];
    }
    for (int i = 0; i < N_TENSORS; i++)
        free(t[i]);
    return f;
}

/* One channel's column, from row `from` of w on, repeated along the diagonal of value [taps * in, taps]. */
static void diagonal(float *value, struct shape s, const float *w, size_t from, double scale)
{
    size_t taps = (size_t)s.dim[1], in = (size_t)s.dim[0] / taps;
    for (size_t t = 0; t < taps; t++)
        for (size_t i = 0; i < in; i++)
            value[(t * in + i) * taps + t] = (float)((double)w[from + i] * scale);
}

static void fold_tensor(const struct params *live, const char *name, struct shape s, float *value)
{
    const char *dot = strstr(name, ".w");
    bool is_bias = !dot;
    size_t n_out, n_w = 0, n = shape_count(s);
    char *layer = xstrndup(name, is_bias ? strlen(name) - 2 : (size_t)(dot - name));
    struct fold *f = fold_of(live, layer, &n_out);
    float *w = fetch(live, layer, ".w", &n_w);
    BUG_ON(!w);
    if (is_bias)
        for (size_t k = 0; k < n; k++)
            value[k] = (float)f[k % n_out].shift;
    else if (str_ends(name, ".w"))
        for (size_t k = 0; k < n; k++)
            value[k] = (float)((double)w[k] * f[k % n_out].scale);
    else
        diagonal(value, s, w, str_ends(name, ".tp") ? n_w / 2 : 0, f[0].scale);
    free(w);
    free(f);
    free(layer);
}

void musegan_fold(const struct params *live, struct params *folded)
{
    for (size_t i = 0; i < params_n(folded); i++) {
        struct shape s = params_shape(folded, i);
        float *value = xcalloc(shape_count(s), sizeof *value);
        fold_tensor(live, params_name(folded, i), s, value);
        BUG_ON(device_upload(params_device(folded), params_value(folded, i), value,
                             shape_count(s) * sizeof *value) != ERR_OK);
        free(value);
    }
}
