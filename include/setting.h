/* setting.h: the rows of the generate pane: what the next request will be like. Each row is a command of the
 * same name, so a value chosen in the pane and one typed at the prompt are one thing. */
#pragma once
#include "desk.h"

enum { SETTING_TEXT = 80 };
struct setting {
    const char *name;                                                  /* of the command */
    void (*print)(const struct desk *d, char out[SETTING_TEXT]);       /* the value, for people */
    /* The argument that makes it one step more (by 1) or less (by -1); stays at the ends of its range. */
    void (*step)(const struct desk *d, int by, char out[SETTING_TEXT]);
};
extern const struct setting settings_table[];
extern const int n_settings;
