/* prompt.h: the line editor of the `:` prompt: cursor keys, history, completion. Pure: no screen, no desk
 * changes; the loop runs the line it returns. */
#pragma once
#include "command.h"

enum { PROMPT_MAX = 240, PROMPT_HISTORY = 200 };
struct prompt {
    char text[PROMPT_MAX];
    size_t len, at;              /* bytes; `at` is the cursor */
    struct words history;        /* oldest first */
    size_t back;                 /* how far up in the history; 0 = the line being typed */
    char typed[PROMPT_MAX];      /* that line, while the history is shown */
    struct words choices;        /* what the last word could become */
    size_t from;                 /* offset of that word */
    int chosen;                  /* -1 none */
};
enum prompt_end { PROMPT_GOES_ON, PROMPT_DONE, PROMPT_LEFT };

void prompt_begin(struct prompt *p, const struct desk *d, const char *text);
enum prompt_end prompt_key(struct prompt *p, const struct desk *d, int key);
void prompt_remember(struct prompt *p, const char *line);
void prompt_load(struct prompt *p, const char *path);       /* no file is no history */
void prompt_save(const struct prompt *p, const char *path);
void prompt_fini(struct prompt *p);
