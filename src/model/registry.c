/* registry.c: the table of model families. The only file that names them all; a new family is its own file
 * and a row here. The first row is the one that is meant when nobody asks for another. */
#include <string.h>
#include "kinds.h"

const struct model_kind *const model_kinds[] = {&band_kind,    &pianist_kind, &codes_kind,    &frames_kind,
                                                &musegan_kind, &vqvae_kind,   &cyclegan_kind, &judge_kind};
const size_t n_model_kinds = COUNT_OF(model_kinds);

const struct model_kind *model_kind_find(const char *name)
{
    for (size_t i = 0; i < n_model_kinds; i++)
        if (!strcmp(model_kinds[i]->name, name))
            return model_kinds[i];
    return NULL;
}
