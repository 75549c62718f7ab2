/* log.c: one lock, one ring of recent lines, and up to two sinks (stderr, a file). */
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINES = 256, LINE_CAP = 240 };

static struct {
    pthread_mutex_t mutex;
    enum log_level lowest;
    bool quiet;
    FILE *file;
    unsigned count; /* lines ever written */
    struct { enum log_level level; char text[LINE_CAP]; } lines[LINES];
} log_state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .lowest = LOG_INFO};

static const char *const level_names[] = {"debug", "info", "warning", "error"};

static void write_file(FILE *f, enum log_level level, const char *text)
{
    time_t now = time(NULL);
    struct tm tm;
    char stamp[32] = "";
    if (localtime_r(&now, &tm))
        strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &tm);
    fprintf(f, "%s %s: %s\n", stamp, level_names[level], text);
    fflush(f);
}

void log_msg(enum log_level level, const char *fmt, ...)
{
    char text[LINE_CAP];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);

    pthread_mutex_lock(&log_state.mutex);
    if (level >= log_state.lowest) {
        unsigned slot = log_state.count++ % LINES;
        log_state.lines[slot].level = level;
        memcpy(log_state.lines[slot].text, text, sizeof text);
        if (!log_state.quiet)
            fprintf(stderr, "jamroll: %s%s%s\n", level >= LOG_WARN ? level_names[level] : "",
                    level >= LOG_WARN ? ": " : "", text);
        if (log_state.file)
            write_file(log_state.file, level, text);
    }
    pthread_mutex_unlock(&log_state.mutex);
}

void log_level(enum log_level lowest)
{
    pthread_mutex_lock(&log_state.mutex);
    log_state.lowest = lowest;
    pthread_mutex_unlock(&log_state.mutex);
}

void log_quiet(bool on)
{
    pthread_mutex_lock(&log_state.mutex);
    log_state.quiet = on;
    pthread_mutex_unlock(&log_state.mutex);
}

enum err log_file(const char *path)
{
    FILE *f = NULL;
    if (path) {
        f = fopen(path, "ae");
        if (!f)
            return err_set(ERR_IO, "cannot open the log %s: %s", path, strerror(errno));
    }
    pthread_mutex_lock(&log_state.mutex);
    FILE *old = log_state.file;
    log_state.file = f;
    pthread_mutex_unlock(&log_state.mutex);
    if (old)
        fclose(old);
    return ERR_OK;
}

int log_last(int n_back, char *buf, int cap)
{
    int level = -1;
    if (cap > 0)
        buf[0] = '\0';
    pthread_mutex_lock(&log_state.mutex);
    unsigned kept = log_state.count < LINES ? log_state.count : LINES;
    if (n_back >= 0 && (unsigned)n_back < kept) {
        unsigned slot = (log_state.count - 1 - (unsigned)n_back) % LINES;
        level = (int)log_state.lines[slot].level;
        if (cap > 0)
            snprintf(buf, (size_t)cap, "%s", log_state.lines[slot].text);
    }
    pthread_mutex_unlock(&log_state.mutex);
    return level;
}
