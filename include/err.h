/* err.h: how every layer reports failure.
 *
 * A fallible function returns enum err and fills its outputs only on ERR_OK. The text of the last
 * failure of a thread lives in a thread-local buffer; outer layers may prefix it. BUG_ON is for
 * programmer errors only: it restores the terminal (hook below), prints where, and aborts. */
#pragma once
#include <stdbool.h>

enum err {
    ERR_OK,
    ERR_NOMEM,
    ERR_IO,
    ERR_FORMAT,      /* bytes from outside are not what they claim to be */
    ERR_SHAPE,       /* sizes do not fit each other */
    ERR_RANGE,       /* a value outside its permitted range */
    ERR_UNSUPPORTED, /* understood, but this build or model cannot do it */
    ERR_DEVICE,      /* audio, MIDI or compute device unavailable or failed */
    ERR_CANCELLED,
    ERR_BUSY,
    ERR_MISSING,     /* a file, model or device by that name does not exist */
    ERR_EMPTY,       /* nothing to do, or the result holds nothing */
    N_ERR
};

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Store text, file and line for this thread; returns code so that `return err_set(...)` reads well. */
enum err err_set_at(const char *file, int line, enum err code, const char *fmt, ...) PRINTF_LIKE(4, 5);
#define err_set(code, ...) err_set_at(__FILE__, __LINE__, (code), __VA_ARGS__)

/* Put "prefix: " before the stored text, e.g. err_prefix("loading %s", path). */
void err_prefix(const char *fmt, ...) PRINTF_LIKE(1, 2);
const char *err_text(void);           /* text of this thread's last failure, never NULL */
const char *err_where(void);          /* "file.c:123" of it */
const char *err_name(enum err code);  /* "bad format", ... */

/* Called once by BUG_ON before it prints; the screen registers its restore function here. */
void err_on_bug(void (*restore)(void));
void err_bug_at(const char *file, int line, const char *what) __attribute__((noreturn, cold));

#define BUG_ON(cond) do { if (__builtin_expect(!!(cond), 0)) err_bug_at(__FILE__, __LINE__, #cond); } while (0)
#define TRY(call) do { enum err try_err_ = (call); if (try_err_ != ERR_OK) return try_err_; } while (0)
/* For functions with a cleanup label: needs `enum err err = ERR_OK;` and `out:` in scope. */
#define TRY_OUT(call) do { err = (call); if (err != ERR_OK) goto out; } while (0)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
