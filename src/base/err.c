/* err.c: the thread-local text of the last failure, and the end of the road for programmer errors.
 *
 * A text is cut, never overrun. err_set may be given err_text() as an argument: the new text is built
 * aside and copied in afterwards. */
#include "err.h"

#include <execinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_CAP = 512, WHERE_CAP = 64 };

static _Thread_local char last_text[TEXT_CAP];
static _Thread_local char last_where[WHERE_CAP];
static void (*restore_hook)(void);

static const char *const names[N_ERR] = {
    [ERR_OK] = "no error",
    [ERR_NOMEM] = "out of memory",
    [ERR_IO] = "input/output error",
    [ERR_FORMAT] = "bad format",
    [ERR_SHAPE] = "sizes do not fit",
    [ERR_RANGE] = "out of range",
    [ERR_UNSUPPORTED] = "not supported",
    [ERR_DEVICE] = "device failed",
    [ERR_CANCELLED] = "cancelled",
    [ERR_BUSY] = "busy",
    [ERR_MISSING] = "not found",
    [ERR_EMPTY] = "nothing there",
};

static const char *after_slash(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

enum err err_set_at(const char *file, int line, enum err code, const char *fmt, ...)
{
    char text[TEXT_CAP];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    memcpy(last_text, text, sizeof text);
    snprintf(last_where, sizeof last_where, "%s:%d", after_slash(file), line);
    return code;
}

void err_prefix(const char *fmt, ...)
{
    char text[2 * TEXT_CAP + 4];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, TEXT_CAP, fmt, args);
    va_end(args);
    size_t n = strlen(text);
    snprintf(text + n, sizeof text - n, ": %s", last_text);
    memcpy(last_text, text, TEXT_CAP);
    last_text[TEXT_CAP - 1] = '\0';
}

const char *err_text(void)
{
    return last_text;
}

const char *err_where(void)
{
    return last_where;
}

const char *err_name(enum err code)
{
    return (unsigned)code < N_ERR ? names[code] : "unknown error";
}

void err_on_bug(void (*restore)(void))
{
    restore_hook = restore;
}

void err_bug_at(const char *file, int line, const char *what)
{
    void (*restore)(void) = restore_hook;
    restore_hook = NULL; /* a bug inside the hook must not come back here for ever */
    if (restore)
        restore();
    fprintf(stderr, "jamroll: bug at %s:%d: %s\n", file, line, what);
    void *frames[32];
    backtrace_symbols_fd(frames, backtrace(frames, (int)COUNT_OF(frames)), STDERR_FILENO);
    abort();
}
