/* midiout.c: one MIDI output and the only thread that writes to it.
 *
 * Messages arrive through a ring with the moment they are due and are passed on a little ahead with that moment
 * as timestamp, so what is heard does not depend on when this thread runs; few are ever pending, because
 * ALSA's queue is small. The thread also changes ports, since that means silence and then patience. */
#include "midiout.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "mem.h"
#include "ports.h"
#include "ring.h"

enum { NAP_MS = 4, WATCH_MS = 1000, LEAVE_MS = PORT_AHEAD_MS + PORT_LATENCY_MS + 100, RING = 4096 };
enum { NOTE_OFF = 0x80, NOTE_ON = 0x90, CONTROL = 0xb0, SYSTEM = 0xf0, CC_SUSTAIN = 64, CC_ALL_NOTES_OFF = 123 };

struct message { uint64_t at_ns; uint8_t status, a, b; };

struct midiout {
    pthread_t thread;
    struct ring *ring;
    struct wish wish;
    atomic_bool panic, there, renewed;
    /* the thread's own */
    struct port *port;
    uint8_t sounding[16][128];  /* notes on */
    uint16_t used;              /* channels written to */
    int32_t last;               /* timestamps must not decrease */
    uint64_t next_watch;
};

int midiout_list(struct str *out)
{
    return ports_list(PORT_OUT, out);
}

/* ---- the thread ---- */

/* Ends of notes that this port never began are not for it. */
static void write_message(struct midiout *m, int32_t when, int status, int a, int b)
{
    int channel = status & 15, kind = status < SYSTEM ? status & 0xf0 : SYSTEM;
    if (kind == NOTE_OFF && !m->sounding[channel][a])
        return;
    if (kind == NOTE_ON || kind == NOTE_OFF)
        m->sounding[channel][a] = kind == NOTE_ON && b > 0;
    if (kind != SYSTEM)
        m->used |= (uint16_t)(1u << channel);
    if ((int32_t)((uint32_t)when - (uint32_t)m->last) < 0)
        when = m->last;
    m->last = when;
    port_write(m->port, when, status, a, b);
}

static void silence(struct midiout *m)
{
    int32_t now = ports_ms(clock_ns());
    for (int c = 0; c < 16; c++) {
        if (!(m->used & 1u << c))
            continue;
        for (int p = 0; p < 128; p++)
            if (m->sounding[c][p])
                write_message(m, now, NOTE_OFF | c, p, 0);
        write_message(m, now, CONTROL | c, CC_SUSTAIN, 0);
        write_message(m, now, CONTROL | c, CC_ALL_NOTES_OFF, 0);
    }
}

static void drop_waiting(struct midiout *m)
{
    struct message drop;
    while (ring_pop(m->ring, &drop))
        ;
}

/* What was handed over a little early has to leave before the port closes. */
static void leave_port(struct midiout *m)
{
    if (!m->port)
        return;
    drop_waiting(m);
    silence(m);
    if (m->used && port_there(m->port))
        clock_sleep_until(clock_ns() + LEAVE_MS * 1000000ull);
    port_close(m->port);
    m->port = NULL;
    atomic_store(&m->there, false);
}

static void look_at_port(struct midiout *m)
{
    bool there = port_there(m->port);
    if (there && !atomic_load(&m->there)) { /* new or back: it knows of no notes */
        memset(m->sounding, 0, sizeof m->sounding);
        m->used = 0;
        m->last = ports_ms(clock_ns());
        atomic_store(&m->renewed, true);
    }
    atomic_store(&m->there, there);
}

static void take_port(struct midiout *m, const char *name)
{
    leave_port(m);
    drop_waiting(m);
    if (!*name)
        return;
    m->port = port_open(PORT_OUT, name);
    look_at_port(m);
}

static void watch(struct midiout *m)
{
    if (clock_ns() < m->next_watch)
        return;
    m->next_watch = clock_ns() + WATCH_MS * 1000000ull;
    ports_watch();
    look_at_port(m);
}

static void *serve(void *arg)
{
    struct midiout *m = arg;
    struct message next;
    bool have = false;
    char name[PORT_NAME];
    enum wish_kind wish;
    while ((wish = wish_next(&m->wish, !m->port, name)) != WISH_QUIT) {
        if (wish == WISH_PORT) {
            take_port(m, name);
            have = false;
        }
        if (!m->port)
            continue;
        watch(m);
        if (atomic_exchange(&m->panic, false)) {
            drop_waiting(m);
            have = false;
            silence(m);
        }
        uint64_t horizon = clock_ns() + PORT_AHEAD_MS * 1000000ull;
        while ((have || (have = ring_pop(m->ring, &next))) && next.at_ns <= horizon) {
            write_message(m, ports_ms(next.at_ns), next.status, next.a, next.b);
            have = false;
        }
        clock_sleep_until(clock_ns() + NAP_MS * 1000000ull);
    }
    leave_port(m);
    return NULL;
}

/* ---- for all ---- */

struct midiout *midiout_new(void)
{
    struct midiout *m = xcalloc(1, sizeof *m);
    m->ring = ring_new(sizeof(struct message), RING);
    wish_init(&m->wish, PORT_OUT);
    BUG_ON(pthread_create(&m->thread, NULL, serve, m) != 0);
    return m;
}

enum err midiout_set(struct midiout *m, const char *name, bool wait)
{
    return wish_port(&m->wish, name, wait);
}

bool midiout_wait(const struct midiout *m, int ms)
{
    for (; ms > 0 && !midiout_there(m); ms--)
        clock_sleep_until(clock_ns() + 1000000u);
    return midiout_there(m);
}

void midiout_close(struct midiout *m)
{
    if (!m)
        return;
    wish_quit(&m->wish);
    pthread_join(m->thread, NULL);
    wish_fini(&m->wish);
    ring_free(m->ring);
    free(m);
}

void midiout_name(struct midiout *m, struct str *out)
{
    wish_name(&m->wish, out);
}

bool midiout_there(const struct midiout *m)
{
    return atomic_load(&m->there);
}

bool midiout_renewed(struct midiout *m)
{
    return atomic_load_explicit(&m->renewed, memory_order_relaxed) && atomic_exchange(&m->renewed, false);
}

bool midiout_send(struct midiout *m, unsigned long long at_ns, int status, int a, int b)
{
    return !atomic_load(&m->there) || ring_push(m->ring, &(struct message){at_ns, (uint8_t)status, a & 127, b & 127});
}

void midiout_panic(struct midiout *m)
{
    atomic_store(&m->panic, true);
}

void midiout_settle(const struct midiout *m, int ms)
{
    uint64_t until = clock_ns() + (uint64_t)ms * 1000000u;
    if (!midiout_there(m))
        return;
    while (ring_count(m->ring) > 0 && clock_ns() < until)
        clock_sleep_until(clock_ns() + 1000000u);
    clock_sleep_until(clock_ns() + (NAP_MS + PORT_LATENCY_MS) * 1000000ull);
}
