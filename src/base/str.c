/* str.c: the growing string, bounded copies, and whole-string parses with range checks.
 *
 * Numbers are read in the C locale's form whatever the user's locale says: the program never calls
 * setlocale for LC_NUMERIC, so strtod does the right thing. */
#include "str.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"

void str_init(struct str *s)
{
    *s = (struct str){0};
}

void str_fini(struct str *s)
{
    free(s->p);
    str_init(s);
}

void str_clear(struct str *s)
{
    s->len = 0;
    if (s->p)
        s->p[0] = '\0';
}

void str_add(struct str *s, const char *text)
{
    str_addn(s, text, strlen(text));
}

void str_addn(struct str *s, const char *bytes, size_t n)
{
    s->p = xgrow(s->p, s->len + n, &s->cap, 1);
    if (n)
        memcpy(s->p + s->len, bytes, n);
    s->len += n;
    s->p[s->len] = '\0';
}

void str_addc(struct str *s, char c)
{
    str_addn(s, &c, 1);
}

void str_addf(struct str *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    BUG_ON(n < 0);
    s->p = xgrow(s->p, s->len + (size_t)n, &s->cap, 1);
    vsnprintf(s->p + s->len, (size_t)n + 1, fmt, again);
    va_end(again);
    s->len += (size_t)n;
}

char *str_take(struct str *s)
{
    char *p = s->p ? s->p : xstrdup("");
    str_init(s);
    return p;
}

const char *str_c(const struct str *s)
{
    return s->p ? s->p : "";
}

bool str_copy(char *dst, size_t cap, const char *src)
{
    if (cap == 0)
        return false;
    size_t n = strnlen(src, cap);
    bool fits = n < cap;
    n = fits ? n : cap - 1;
    memmove(dst, src, n);
    dst[n] = '\0';
    return fits;
}

bool str_format(char *dst, size_t cap, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(dst, cap, fmt, args);
    va_end(args);
    return n >= 0 && (size_t)n < cap;
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool str_same(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

enum err parse_int(const char *s, int64_t lo, int64_t hi, int64_t *out)
{
    char *end;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    if (end == s || *end || isspace((unsigned char)*s))
        return err_set(ERR_FORMAT, "\"%.40s\" is not a whole number", s);
    if (errno == ERANGE || v < lo || v > hi)
        return err_set(ERR_RANGE, "%.40s is outside %lld..%lld", s, (long long)lo, (long long)hi);
    *out = v;
    return ERR_OK;
}

enum err parse_double(const char *s, double lo, double hi, double *out)
{
    char *end;
    double v = strtod(s, &end);
    if (end == s || *end || isspace((unsigned char)*s))
        return err_set(ERR_FORMAT, "\"%.40s\" is not a number", s);
    if (!(v >= lo && v <= hi)) /* also refuses NaN */
        return err_set(ERR_RANGE, "%.40s is outside %g..%g", s, lo, hi);
    *out = v;
    return ERR_OK;
}

char *str_split(char **rest, char sep)
{
    char *item = *rest;
    if (!item)
        return NULL;
    char *at = strchr(item, sep);
    if (at)
        *at++ = '\0';
    *rest = at;
    return item;
}
