/* outlet.c: one thread that opens a driver, waits, and deletes it again; both calls may block for ever inside
 * a sound library, and then that thread stays behind alone with what it owns.
 *
 * The outlet is shared by its user and that thread, and freed by the last to leave. Audio callbacks pass a gate:
 * the user's function is called only while it is open, and closing waits for the callback that is inside. */
#include "outlet.h"
#include <errno.h>
#include <fluidsynth.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include "hush.h"
#include "mem.h"

enum { OPEN_MS = 4000, LOOK_MS = 50, CLOSE_MS = 1000, PERIOD = 256, PERIODS = 8 };
enum state { OPENING, OPEN, GONE };

struct outlet {
    char *driver;
    int rate;
    outlet_fn fn;
    void *ctx;
    atomic_bool gate;       /* callbacks may call fn */
    atomic_int inside;      /* callbacks that are at it */
    pthread_mutex_t mutex;  /* all below */
    pthread_cond_t changed;
    enum state state;       /* of the driver */
    bool leave;             /* the user has given it up */
    int refs;
};

static int on_audio(void *data, int len, int nfx, float *fx[], int nout, float *out[])
{
    (void)nfx, (void)fx;
    struct outlet *o = data;
    if (nout < 2 || len <= 0)
        return FLUID_FAILED;
    atomic_fetch_add(&o->inside, 1);
    if (atomic_load(&o->gate))
        o->fn(o->ctx, out[0], out[1], (size_t)len);
    atomic_fetch_sub(&o->inside, 1);
    return FLUID_OK; /* the buffers come zeroed */
}

/* With the mutex held; gives it back. */
static void drop(struct outlet *o)
{
    bool last = --o->refs == 0;
    pthread_mutex_unlock(&o->mutex);
    if (!last)
        return;
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->mutex);
    free(o->driver);
    free(o);
}

static void set_state(struct outlet *o, enum state s)
{
    o->state = s;
    pthread_cond_broadcast(&o->changed);
}

static void *keep_driver(void *arg)
{
    struct outlet *o = arg;
    hush_libraries();
    fluid_settings_t *settings = new_fluid_settings();
    fluid_audio_driver_t *driver = NULL;
    if (settings) {
        fluid_settings_setstr(settings, "audio.driver", o->driver);
        fluid_settings_setnum(settings, "synth.sample-rate", o->rate);
        fluid_settings_setint(settings, "audio.period-size", PERIOD);
        fluid_settings_setint(settings, "audio.periods", PERIODS);
        driver = new_fluid_audio_driver2(settings, on_audio, o);
    }
    pthread_mutex_lock(&o->mutex);
    if (driver)
        set_state(o, OPEN);
    while (driver && !o->leave)
        pthread_cond_wait(&o->changed, &o->mutex);
    pthread_mutex_unlock(&o->mutex);
    delete_fluid_audio_driver(driver);
    delete_fluid_settings(settings);
    pthread_mutex_lock(&o->mutex);
    set_state(o, GONE);
    drop(o);
    return NULL;
}

/* With the mutex held: wait while the driver is in that state, not for ever. */
static void wait_while(struct outlet *o, enum state s, int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    until.tv_sec += timeout_ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (o->state == s)
        if (pthread_cond_timedwait(&o->changed, &o->mutex, &until) == ETIMEDOUT)
            return;
}

static struct outlet *start(const char *driver, int rate, outlet_fn fn, void *ctx)
{
    struct outlet *o = xcalloc(1, sizeof *o);
    pthread_condattr_t attr;
    pthread_t thread;
    o->driver = xstrdup(driver);
    o->rate = rate;
    o->fn = fn;
    o->ctx = ctx;
    o->refs = 2;
    pthread_mutex_init(&o->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&o->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&thread, NULL, keep_driver, o) == 0) {
        pthread_detach(thread);
    } else {
        o->state = GONE;
        o->refs = 1;
    }
    return o;
}

struct outlet *outlet_open(const char *driver, int rate, outlet_fn fn, void *ctx, const atomic_bool *cancel)
{
    struct outlet *o = start(driver, rate, fn, ctx);
    pthread_mutex_lock(&o->mutex);
    for (int ms = 0; ms < OPEN_MS && o->state == OPENING && !atomic_load(cancel); ms += LOOK_MS)
        wait_while(o, OPENING, LOOK_MS);
    if (o->state == OPEN) {
        atomic_store(&o->gate, true);
        pthread_mutex_unlock(&o->mutex);
        return o;
    }
    o->leave = true;
    drop(o);
    return NULL;
}

void outlet_close(struct outlet *o)
{
    if (!o)
        return;
    atomic_store(&o->gate, false);
    while (atomic_load(&o->inside) > 0)
        sched_yield();
    pthread_mutex_lock(&o->mutex);
    o->leave = true;
    pthread_cond_broadcast(&o->changed);
    wait_while(o, OPEN, CLOSE_MS);
    drop(o);
}

int outlet_delay_ms(int rate)
{
    return PERIOD * PERIODS * 1000 / rate;
}
