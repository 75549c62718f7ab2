/* pick.h: a list to choose from by typing: the palette of commands (Ctrl-P), finding a take, genre, model or
 * command (/), files (Ctrl-O). Pure but for reading folders and the files under the cursor. */
#pragma once
#include "command.h"

enum pick_kind { PICK_PALETTE, PICK_FIND, PICK_FILES };
struct pick_row {
    char *text, *note;          /* as shown; the note of a file is made when the cursor comes to it */
    char *line;                 /* to run */
    bool asks;                  /* it wants arguments: the prompt goes on from it */
};
struct pick {
    enum pick_kind kind;
    char typed[80];
    struct pick_row *rows;
    size_t n, cap;
    int *shown, n_shown;        /* rows that fit what is typed, best first */
    int at;                     /* within shown */
    char *folder;               /* PICK_FILES: with a slash at the end, "" is the current one */
};
enum pick_end { PICK_GOES_ON, PICK_CHOSEN, PICK_LEFT };

void pick_begin(struct pick *p, const struct desk *d, enum pick_kind kind);
enum pick_end pick_key(struct pick *p, int key);
const struct pick_row *pick_marked(struct pick *p);      /* NULL when nothing fits */
const char *pick_title(const struct pick *p);
/* How well `text` has the letters of `typed` in their order, word by word; 0 not at all. */
int pick_score(const char *text, const char *typed);
void pick_fini(struct pick *p);
