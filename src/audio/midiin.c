/* midiin.c: one MIDI input and the thread that reads it. PortMidi has no descriptor to wait for, so the thread
 * looks every two milliseconds while there is a port, and sleeps while there is none. Every note that began
 * is ended: when the pedal goes up, and when the port goes. */
#include "midiin.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "mem.h"
#include "ports.h"

enum { NAP_MS = 2, WATCH_MS = 1000, BATCH = 32 };
enum { NOTE_OFF = 0x80, NOTE_ON = 0x90, CONTROL = 0xb0, CC_SUSTAIN = 64, CC_ALL_SOUND_OFF = 120 };
enum { DOWN = 1, HELD = 2 };    /* by the key; by the pedal alone */

struct midiin {
    midiin_fn fn;
    void *ctx;
    pthread_t thread;
    struct wish wish;
    atomic_bool there;
    /* the thread's own */
    struct port *port;
    uint8_t key[128];
    bool pedal;
    uint64_t next_watch;
};

int midiin_list(struct str *out)
{
    return ports_list(PORT_IN, out);
}

static void end_notes(struct midiin *m, uint64_t at_ns, int which)
{
    for (int p = 0; p < 128; p++)
        if (m->key[p] & which) {
            m->key[p] = 0;
            m->fn(m->ctx, at_ns, p, 0);
        }
}

static void key_down(struct midiin *m, uint64_t at_ns, int pitch, int vel)
{
    if (m->key[pitch])
        m->fn(m->ctx, at_ns, pitch, 0);
    m->key[pitch] = DOWN;
    m->fn(m->ctx, at_ns, pitch, vel);
}

static void key_up(struct midiin *m, uint64_t at_ns, int pitch)
{
    if (m->key[pitch] != DOWN)
        return;
    m->key[pitch] = m->pedal ? HELD : 0;
    if (!m->pedal)
        m->fn(m->ctx, at_ns, pitch, 0);
}

static void hear(struct midiin *m, const struct port_event *e)
{
    int kind = e->status & 0xf0;
    if (kind == NOTE_ON && e->b > 0)
        key_down(m, e->at_ns, e->a, e->b);
    else if (kind == NOTE_ON || kind == NOTE_OFF)
        key_up(m, e->at_ns, e->a);
    else if (kind == CONTROL && e->a == CC_SUSTAIN) {
        m->pedal = e->b >= 64;
        if (!m->pedal)
            end_notes(m, e->at_ns, HELD);
    } else if (kind == CONTROL && e->a >= CC_ALL_SOUND_OFF)
        end_notes(m, e->at_ns, DOWN | HELD);
}

static void look_at_port(struct midiin *m)
{
    bool there = m->port && port_there(m->port);
    if (!there) {
        end_notes(m, clock_ns(), DOWN | HELD);
        m->pedal = false;
    }
    atomic_store(&m->there, there);
}

static void take_port(struct midiin *m, const char *name)
{
    port_close(m->port);
    m->port = NULL;
    look_at_port(m);
    m->port = *name ? port_open(PORT_IN, name) : NULL;
    look_at_port(m);
}

static void *serve(void *arg)
{
    struct midiin *m = arg;
    struct port_event in[BATCH];
    char name[PORT_NAME];
    enum wish_kind wish;
    while ((wish = wish_next(&m->wish, !m->port, name)) != WISH_QUIT) {
        if (wish == WISH_PORT)
            take_port(m, name);
        if (!m->port)
            continue;
        if (clock_ns() >= m->next_watch) {
            m->next_watch = clock_ns() + WATCH_MS * 1000000ull;
            ports_watch();
            look_at_port(m);
        }
        for (int n = port_read(m->port, in, BATCH), i = 0; i < n; i++)
            hear(m, &in[i]);
        clock_sleep_until(clock_ns() + NAP_MS * 1000000ull);
    }
    port_close(m->port);
    m->port = NULL;
    return NULL;
}

struct midiin *midiin_new(midiin_fn fn, void *ctx)
{
    struct midiin *m = xcalloc(1, sizeof *m);
    m->fn = fn;
    m->ctx = ctx;
    wish_init(&m->wish, PORT_IN);
    BUG_ON(pthread_create(&m->thread, NULL, serve, m) != 0);
    return m;
}

enum err midiin_set(struct midiin *m, const char *name, bool wait)
{
    return wish_port(&m->wish, name, wait);
}

void midiin_close(struct midiin *m)
{
    if (!m)
        return;
    wish_quit(&m->wish);
    pthread_join(m->thread, NULL);
    wish_fini(&m->wish);
    free(m);
}

void midiin_name(struct midiin *m, struct str *out)
{
    wish_name(&m->wish, out);
}

bool midiin_there(const struct midiin *m)
{
    return atomic_load(&m->there);
}
