/* rc.h: the user's configuration: the same commands as at the prompt, one a line, above all `set` and
 * `bind`. A line that fails is told with file and number and skipped; a missing file is none. */
#pragma once
#include "command.h"

/* path NULL: $XDG_CONFIG_HOME/jamroll/rc. Problems are added as "FILE:LINE: text". */
void rc_run(struct desk *d, const char *path, struct words *problems);
/* On the desk's message line; all of them in its report. */
void rc_tell(struct desk *d, const struct words *problems);
