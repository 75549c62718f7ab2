/* log.h: messages for people. Levels, a ring of the last lines for the screen, a file sink. Nothing is
 * printed on stderr while the screen is up (log_quiet). Safe from any thread but the audio one. */
#pragma once
#include "err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
void log_msg(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_msg(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_msg(LOG_ERROR, __VA_ARGS__)
void log_level(enum log_level lowest);          /* below it nothing is kept; default LOG_INFO */
void log_quiet(bool on);                         /* no stderr */
NODISCARD enum err log_file(const char *path);   /* append there too; NULL closes */
int log_last(int n_back, char *buf, int cap);    /* 0 = newest; returns its level or -1 */
