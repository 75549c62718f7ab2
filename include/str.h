/* str.h: a growing string, and bounded copies and parses. The only place that handles raw C strings;
 * nothing else in the tree calls strcpy, strcat, sprintf or atoi. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "err.h"

struct str { char *p; size_t len, cap; }; /* p is always NUL-terminated once anything was added */
void str_init(struct str *s);
void str_fini(struct str *s);
void str_clear(struct str *s);
void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const char *bytes, size_t n);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *str_take(struct str *s);        /* ownership to the caller (never NULL); s becomes empty */
const char *str_c(const struct str *s); /* never NULL */

/* Bounded copy, always terminated; true when everything fitted. */
bool str_copy(char *dst, size_t cap, const char *src);
bool str_format(char *dst, size_t cap, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_same(const char *a, const char *b);  /* case-insensitive ASCII equality */

/* Whole-string parses with range check; ERR_RANGE or ERR_FORMAT with the offending text. */
NODISCARD enum err parse_int(const char *s, int64_t lo, int64_t hi, int64_t *out);
NODISCARD enum err parse_double(const char *s, double lo, double hi, double *out);
/* Split "a,b,c" in place: returns the next item or NULL; *rest advances. */
char *str_split(char **rest, char sep);
