/* latent.h: latent vectors by hand: of seeds, sums of seeds and .npy files, and the ways between them. Families that
 * have them say so (latent in model.h); a row is the vector of one take, all its phrases one after another. */
#pragma once
#include "model.h"

struct latents { float *z; int rows, n; };  /* [rows, n]; latents_fini it */
void latents_fini(struct latents *l);
bool latents_named(const char *text);        /* "3", "3+5-7", "z.npy": not a file of music */
/* "FILE.npy" (a vector, or any array whose first axis counts takes), or seeds added and taken away. ERR_UNSUPPORTED
 * for a family without, ERR_SHAPE when a file does not fit the model and the number of bars. */
NODISCARD enum err latents_parse(const char *text, const struct model_kind *kind, const struct model *m, int n_bars,
                                 struct latents *out);
/* What takes from seed, seed + 1, ... are drawn from. */
NODISCARD enum err latents_of_seeds(const struct model_kind *kind, const struct model *m, int n_bars, uint64_t seed,
                                    int rows, struct latents *out);
/* steps x columns rows between single rows: a + i / (steps - 1) (b - a), and across, c not NULL,
 * + k / (columns - 1) (c - a); or, spherical and without c, along the arc from a to b. */
NODISCARD enum err latents_between(const struct latents *a, const struct latents *b, const struct latents *c, int steps,
                                   int columns, bool spherical, struct latents *out);
NODISCARD enum err latents_save(const struct latents *l, const char *path);
