/* hush.c: log handlers for FluidSynth and ALSA. Both print on stderr unless told otherwise, which would
 * land in the middle of a curses screen; that there is no sound card is told by player_note instead.
 *
 * ALSA is reached through dlsym: it is in the process because FluidSynth or PortMidi brought it, or it is
 * not there at all. */
#include "hush.h"
#include <dlfcn.h>
#include <fluidsynth.h>
#include <pthread.h>
#include "log.h"
#include "str.h"

typedef void (*alsa_handler_fn)(const char *file, int line, const char *function, int code, const char *fmt, ...);
typedef int (*alsa_set_handler_fn)(alsa_handler_fn handler);

static _Thread_local char last_error[256];

static void on_fluid(int level, const char *message, void *data)
{
    (void)data;
    if (level <= FLUID_ERR)
        str_copy(last_error, sizeof last_error, message);
    log_debug("FluidSynth: %s", message);
}

static void on_alsa(const char *file, int line, const char *function, int code, const char *fmt, ...)
{
    (void)file, (void)line, (void)function, (void)code, (void)fmt;
}

static void install(void)
{
    for (int level = FLUID_PANIC; level < LAST_LOG_LEVEL; level++)
        fluid_set_log_function(level, on_fluid, NULL);
    alsa_set_handler_fn set;
    *(void **)&set = dlsym(RTLD_DEFAULT, "snd_lib_error_set_handler");
    if (set)
        set(on_alsa);
}

void hush_libraries(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    last_error[0] = '\0';
}

const char *hush_last_error(void)
{
    return last_error;
}
