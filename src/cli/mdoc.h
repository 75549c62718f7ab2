/* mdoc.h: text into the language of manual pages, and the rows of options and commands as mdoc lists. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
struct str;
struct opt;
struct command;

void mdoc_text(struct str *out, const char *text); /* escaped, within a line */
void mdoc_line(struct str *out, const char *text); /* escaped, a line of its own */
void mdoc_words(struct str *out, const char *text); /* escaped, as arguments of a macro */
void mdoc_options(struct str *out, const struct opt *table, size_t n,
                  bool common); /* a list; with what every command has? */
void mdoc_command(struct str *out, const struct command *cmd); /* a subsection: use, help, its own options */
