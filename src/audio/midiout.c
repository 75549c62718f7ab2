/* midiout.c: one open PortMidi output and the only thread that writes to it.
 *
 * Messages arrive through a ring with the moment they are due and are passed to PortMidi a little ahead with
 * that moment as timestamp, so what is heard does not depend on when this thread runs; few are ever pending,
 * because ALSA's queue is small. PortMidi ignores timestamps when its latency is 0, so it never is.
 * The library is not made for threads: everything that opens, lists or closes holds `library`. */
#include "midiout.h"
#include <portmidi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "hush.h"
#include "mem.h"
#include "ring.h"

enum { LATENCY_MS = 15, AHEAD_MS = 60, NAP_MS = 4, RING = 4096 };
enum { NOTE_OFF = 0x80, NOTE_ON = 0x90, CONTROL = 0xb0, CC_SUSTAIN = 64, CC_ALL_NOTES_OFF = 123 };

struct message { uint64_t at_ns; uint8_t status, a, b; };

struct midiout {
    PortMidiStream *stream;
    pthread_t thread;
    struct ring *ring;
    atomic_bool quit, panic;
    uint8_t sounding[16][128];  /* notes on; the thread's own */
    uint16_t used;              /* channels written to */
    PmTimestamp last;           /* timestamps must not decrease */
    char *name;
};

static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;
static int users;               /* PortMidi is initialised while > 0 */

static PmTimestamp now_ms(void *unused)
{
    (void)unused;
    return (PmTimestamp)(clock_ns() / 1000000u);
}

/* With `library` held. The device list is read anew whenever nobody uses the library. */
static enum err begin_library(void)
{
    hush_libraries();
    if (users == 0 && Pm_Initialize() != pmNoError)
        return err_set(ERR_DEVICE, "PortMidi could not start on this machine");
    users++;
    return ERR_OK;
}

static void end_library(void)
{
    if (--users == 0)
        Pm_Terminate();
}

static const char *output_name(int id)
{
    const PmDeviceInfo *info = Pm_GetDeviceInfo(id);
    return info && info->output && info->name ? info->name : NULL;
}

int midiout_list(struct str *out)
{
    int n = 0;
    pthread_mutex_lock(&library);
    if (begin_library() == ERR_OK) {
        for (int id = 0; id < Pm_CountDevices(); id++)
            if (output_name(id)) {
                str_addf(out, "%s\n", output_name(id));
                n++;
            }
        end_library();
    }
    pthread_mutex_unlock(&library);
    return n;
}

/* ---- the thread ---- */

static void write_message(struct midiout *m, PmTimestamp when, int status, int a, int b)
{
    if (when - m->last < 0)
        when = m->last;
    m->last = when;
    int channel = status & 15;
    m->used |= (uint16_t)(1u << channel);
    if ((status & 0xf0) == NOTE_ON)
        m->sounding[channel][a] = b > 0;
    else if ((status & 0xf0) == NOTE_OFF)
        m->sounding[channel][a] = 0;
    Pm_WriteShort(m->stream, when, Pm_Message(status, a, b));
}

static void silence(struct midiout *m)
{
    PmTimestamp now = now_ms(NULL);
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

static void *serve(void *arg)
{
    struct midiout *m = arg;
    struct message next;
    bool have = false;
    while (!atomic_load(&m->quit)) {
        if (atomic_exchange(&m->panic, false)) {
            drop_waiting(m);
            have = false;
            silence(m);
        }
        uint64_t horizon = clock_ns() + AHEAD_MS * 1000000ull;
        while ((have || (have = ring_pop(m->ring, &next))) && next.at_ns <= horizon) {
            write_message(m, (PmTimestamp)(next.at_ns / 1000000u), next.status, next.a, next.b);
            have = false;
        }
        clock_sleep_until(clock_ns() + NAP_MS * 1000000ull);
    }
    drop_waiting(m);
    silence(m);
    /* What was handed over up to AHEAD_MS early has to leave before the port closes. */
    clock_sleep_until(clock_ns() + (AHEAD_MS + LATENCY_MS + 100) * 1000000ull);
    return NULL;
}

/* ---- open and close ---- */

/* The output of exactly that name, or the only one whose name holds it. */
static enum err find_output(const char *name, int *out)
{
    int found = -1, matches = 0;
    struct str all = {0};
    for (int id = 0; id < Pm_CountDevices(); id++) {
        const char *device = output_name(id);
        if (!device)
            continue;
        str_addf(&all, "%s'%s'", all.len ? ", " : "", device);
        if (str_same(device, name)) {
            found = id;
            matches = 1;
            break;
        }
        if (strcasestr(device, name)) {
            found = id;
            matches++;
        }
    }
    enum err err = ERR_OK;
    if (matches == 0 && all.len == 0)
        err = err_set(ERR_DEVICE, "no MIDI output on this machine (is the ALSA sequencer, snd-seq, loaded?)");
    else if (matches != 1)
        err = err_set(ERR_DEVICE, "%s MIDI output is called '%s'; there are %s", matches ? "more than one" : "no",
                      name, str_c(&all));
    else
        *out = found;
    str_fini(&all);
    return err;
}

static enum err open_stream(struct midiout *m, const char *name)
{
    int id = -1;
    TRY(find_output(name, &id));
    m->name = xstrdup(output_name(id));
    PmError bad = Pm_OpenOutput(&m->stream, id, NULL, 512, now_ms, NULL, LATENCY_MS);
    if (bad != pmNoError)
        return err_set(ERR_DEVICE, "cannot open the MIDI output '%s': %s", m->name, Pm_GetErrorText(bad));
    m->last = now_ms(NULL);
    m->ring = ring_new(sizeof(struct message), RING);
    if (pthread_create(&m->thread, NULL, serve, m) != 0) {
        Pm_Close(m->stream);
        return err_set(ERR_NOMEM, "no thread for the MIDI output '%s'", m->name);
    }
    return ERR_OK;
}

static void discard(struct midiout *m)
{
    ring_free(m->ring);
    free(m->name);
    free(m);
}

enum err midiout_open(const char *name, struct midiout **out)
{
    struct midiout *m = xcalloc(1, sizeof *m);
    pthread_mutex_lock(&library);
    enum err err = begin_library();
    if (!err) {
        err = open_stream(m, name);
        if (err)
            end_library();
    }
    pthread_mutex_unlock(&library);
    if (err) {
        discard(m);
        return err;
    }
    *out = m;
    return ERR_OK;
}

void midiout_close(struct midiout *m)
{
    if (!m)
        return;
    atomic_store(&m->quit, true);
    pthread_join(m->thread, NULL);
    pthread_mutex_lock(&library);
    Pm_Close(m->stream);
    end_library();
    pthread_mutex_unlock(&library);
    discard(m);
}

const char *midiout_name(const struct midiout *m)
{
    return m->name;
}

bool midiout_send(struct midiout *m, unsigned long long at_ns, int status, int a, int b)
{
    return ring_push(m->ring, &(struct message){at_ns, (uint8_t)status, a & 127, b & 127});
}

void midiout_panic(struct midiout *m)
{
    atomic_store(&m->panic, true);
}
