/* preset.h: a whole experiment as a text file: "family=NAME", then an option of the family a line, NAME=VALUE as
 * `train --set` has them. What follows a '#' at the start of a line is a comment. */
#pragma once
#include "opt.h"
#include "str.h"

/* Set options from a file by path, or NAME.conf of the folders of configurations. ERR_MISSING with the names there
 * are; ERR_FORMAT with file and line, also for another family's. */
NODISCARD enum err preset_load(const char *name_or_path, const char *family, struct opts *o);
/* Every option that has a value, as a file that preset_load reads. */
void preset_write(const char *family, const struct opt *table, size_t n, const struct opts *o, struct str *out);
